//! Numbers for plots, out of the rows shown: histograms, points with colors, boxes by category.
//!
//! Quartiles and whiskers are Tukey's (Exploratory Data Analysis, 1977), quartiles by linear interpolation as in R's default
//! (type 7; Hyndman and Fan 1996).

use crate::model::table::card::Histogram;
use crate::model::table::plot::{BoxOf, Plot, PlotContent, PlotWish, Points};
use crate::results::table::TableError;
use crate::results::table::colors::{Color, Colors};
use crate::results::table::describe::{bins, count};
use crate::results::table::natural::push_key;
use crate::results::table::number::Value;
use crate::results::table::sheet::{Row, Task};
use crate::results::table::view::View;
use std::collections::BTreeMap;

/// Points taken at most; of more rows every so-many-th is taken.
const MOST_POINTS: u64 = 1_000_000;

/// Numbers kept for a histogram or boxes.
const MOST_NUMBERS: u64 = 4_000_000;

/// Categories with a box.
const MOST_BOXES: usize = 60;

/// Numbers drawn beyond the whiskers of a box: two or three a pixel of a large screen.
const MOST_DOTS: usize = 500;

/// Works a plot out.
pub fn plot(view: &View, wish: &PlotWish, task: &Task<'_>) -> Result<Plot, TableError> {
    match wish {
        PlotWish::Histogram { column } => histogram(view, *column, task),
        PlotWish::Scatter { x, y, color } => scatter(view, *x, *y, *color, task),
        PlotWish::Boxes { category, values } => boxes(view, *category, *values, task),
    }
}

/// Every so-many-th row is taken so that at most `most` are.
fn every(view: &View, most: u64) -> u64 {
    let rows = view.rows_shown().unwrap_or(view.sheet().rows_known());
    rows.div_ceil(most).max(1)
}

/// What a piece of the table gives.
#[derive(Default)]
struct Piece<T> {
    rows: u64,
    left_out: u64,
    found: T,
}

/// Shows every so-many-th of the rows shown. How many there are, how many of those taken could not be used, and what was found.
pub(crate) fn scan<T: Default + Send>(
    view: &View,
    columns: &[usize],
    every: u64,
    task: &Task<'_>,
    take: impl Fn(&mut T, &Row<'_>) -> bool + Sync,
) -> Result<(u64, u64, Vec<T>), TableError> {
    let shown = view.rows();
    let pieces = view
        .sheet()
        .scan(columns, task, Piece::default, |piece, row, cells| {
            if !shown.has(row) {
                return;
            }
            piece.rows += 1;
            if row.is_multiple_of(every) && !take(&mut piece.found, cells) {
                piece.left_out += 1;
            }
        })?;
    let rows = pieces.iter().map(|piece| piece.rows).sum();
    let left_out = pieces.iter().map(|piece| piece.left_out).sum();
    let found = pieces.into_iter().map(|piece| piece.found).collect();
    Ok((rows, left_out, found))
}

fn histogram(view: &View, column: usize, task: &Task<'_>) -> Result<Plot, TableError> {
    let every = every(view, MOST_NUMBERS);
    let take = |found: &mut (Vec<f64>, bool), cells: &Row<'_>| {
        let Value::Number { value, .. } = cells.value(0) else {
            return false;
        };
        found.0.push(value);
        found.1 |= value.fract() != 0.0;
        true
    };
    let (rows, left_out, found) = scan(view, &[column], every, task, take)?;
    let whole = !found.iter().any(|piece| piece.1);
    let numbers = || found.iter().flat_map(|piece| piece.0.iter().copied());
    let min = numbers().reduce(f64::min);
    let max = numbers().reduce(f64::max);
    let mut histogram = Histogram::default();
    if let (Some(min), Some(max)) = (min, max) {
        histogram = bins(min, max, whole);
        numbers().for_each(|number| count(&mut histogram, number));
    }
    Ok(Plot {
        wish: PlotWish::Histogram { column },
        rows,
        left_out,
        every,
        content: PlotContent::Histogram(histogram),
    })
}

fn scatter(
    view: &View,
    x: usize,
    y: usize,
    color: Option<usize>,
    task: &Task<'_>,
) -> Result<Plot, TableError> {
    #[derive(Default)]
    struct Found {
        x: Vec<f64>,
        y: Vec<f64>,
        colors: Colors,
    }
    let every = every(view, MOST_POINTS);
    let columns: Vec<usize> = [Some(x), Some(y), color].into_iter().flatten().collect();
    let take = |found: &mut Found, cells: &Row<'_>| {
        let (Value::Number { value: x, .. }, Value::Number { value: y, .. }) =
            (cells.value(0), cells.value(1))
        else {
            return false;
        };
        found.x.push(x);
        found.y.push(y);
        if color.is_some() {
            found.colors.push(Color::of(cells, 2));
        }
        true
    };
    let (rows, left_out, found) = scan(view, &columns, every, task, take)?;
    let mut points = Points::default();
    let mut colors = Vec::new();
    for piece in found {
        points.x.extend(piece.x);
        points.y.extend(piece.y);
        colors.push(piece.colors);
    }
    let ends = |values: &[f64]| {
        let low = values.iter().copied().reduce(f64::min);
        let high = values.iter().copied().reduce(f64::max);
        (low.unwrap_or(0.0), high.unwrap_or(1.0))
    };
    let ((left, right), (bottom, top)) = (ends(&points.x), ends(&points.y));
    points.bounds = [left, right, bottom, top];
    if color.is_some() {
        points.color = Colors::all(&colors);
    }
    Ok(Plot {
        wish: PlotWish::Scatter { x, y, color },
        rows,
        left_out,
        every,
        content: PlotContent::Scatter(std::sync::Arc::new(points)),
    })
}

fn boxes(view: &View, category: usize, values: usize, task: &Task<'_>) -> Result<Plot, TableError> {
    let every = every(view, MOST_NUMBERS);
    let take = |found: &mut BTreeMap<String, Vec<f64>>, cells: &Row<'_>| {
        let (Value::Number { value, .. }, Some(name)) = (cells.value(1), cells.bytes(0)) else {
            return false;
        };
        let name = cells.encoding.decode_cell(&name);
        // Of a column in which nearly every cell differs, the first categories are enough to see that.
        if let Some(numbers) = found.get_mut(name.as_ref()) {
            numbers.push(value);
            true
        } else if found.len() <= MOST_BOXES {
            found.insert(name.into_owned(), vec![value]);
            true
        } else {
            false
        }
    };
    let (rows, mut left_out, found) = scan(view, &[category, values], every, task, take)?;
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for piece in found {
        for (name, numbers) in piece {
            all.entry(name).or_default().extend(numbers);
        }
    }
    let mut named: Vec<(Vec<u8>, String, Vec<f64>)> = all
        .into_iter()
        .map(|(name, numbers)| {
            let mut key = Vec::new();
            push_key(&name, &mut key);
            (key, name, numbers)
        })
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    left_out += named
        .iter()
        .skip(MOST_BOXES)
        .map(|(_, _, numbers)| numbers.len() as u64)
        .sum::<u64>();
    named.truncate(MOST_BOXES);
    let boxes = named
        .into_iter()
        .filter_map(|(_, name, numbers)| box_of(name, numbers))
        .collect();
    Ok(Plot {
        wish: PlotWish::Boxes { category, values },
        rows,
        left_out,
        every,
        content: PlotContent::Boxes(boxes),
    })
}

fn box_of(name: String, mut numbers: Vec<f64>) -> Option<BoxOf> {
    numbers.sort_unstable_by(f64::total_cmp);
    let quartile = |share: f64| {
        let place = share * (numbers.len() - 1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let below = place.floor() as usize;
        let (low, high) = (numbers.get(below)?, numbers.get(below + 1));
        Some(low + (high.unwrap_or(low) - low) * place.fract())
    };
    if numbers.is_empty() {
        return None;
    }
    let (lower, median, upper) = (quartile(0.25)?, quartile(0.5)?, quartile(0.75)?);
    let reach = 1.5 * (upper - lower);
    let low = numbers.iter().find(|number| **number >= lower - reach)?;
    let high = numbers.iter().rfind(|number| **number <= upper + reach)?;
    let is_beyond = |number: &&f64| **number < *low || **number > *high;
    let beyond: Vec<f64> = numbers.iter().filter(is_beyond).copied().collect();
    Some(BoxOf {
        name,
        count: numbers.len() as u64,
        five: [*low, lower, median, upper, *high],
        beyond: beyond.len() as u64,
        dots: dots(&beyond),
    })
}

/// Of numbers in order those that are far enough from the one before, and the last.
fn dots(numbers: &[f64]) -> Vec<f64> {
    let finite: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
    let (Some(first), Some(last)) = (finite.first(), finite.last()) else {
        return Vec::new();
    };
    if finite.len() <= MOST_DOTS {
        return finite;
    }
    let step = (last - first) / MOST_DOTS as f64;
    let mut kept = vec![*first];
    for number in finite.iter().skip(1) {
        let is_far = kept.last().is_none_or(|before| number - before > step);
        if is_far {
            kept.push(*number);
        }
    }
    if kept.last() != Some(last) {
        kept.push(*last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::results::table::points::box_of;

    /// Figures of R 4: `quantile(c(1:9, 40))`, `boxplot.stats(c(1:9, 40))$stats` but for its hinges.
    #[test]
    fn boxes_are_those_of_r() {
        let numbers = (1..=9).map(f64::from).chain([40.0]).collect();
        let drawn = box_of("a".to_owned(), numbers).unwrap();
        assert_eq!(format!("{:?}", drawn.five), "[1.0, 3.25, 5.5, 7.75, 9.0]");
        assert_eq!((drawn.count, drawn.beyond, drawn.dots), (10, 1, vec![40.0]));
        let one = box_of("b".to_owned(), vec![2.0]).unwrap();
        assert!(one.five.iter().all(|number| (number - 2.0).abs() < 1e-12));
        assert_eq!(box_of("c".to_owned(), Vec::new()), None);
    }

    #[test]
    fn of_very_many_numbers_beyond_the_whiskers_no_far_one_is_lost() {
        let near = (0..900_000).map(|number| f64::from(number % 100));
        let beyond = (0..5_000).map(|number| 1_000.0 + f64::from(number) * 0.001);
        let numbers = near.chain(beyond).chain([-700.0]).collect();
        let drawn = box_of("a".to_owned(), numbers).unwrap();
        assert_eq!(drawn.beyond, 5_001);
        assert!(drawn.dots.len() < 502, "{}", drawn.dots.len());
        assert_eq!(drawn.dots[..2], [-700.0, 1_000.0]);
        assert_eq!(drawn.dots.last(), Some(&1_004.999));
        assert!(drawn.dots.is_sorted());
    }
}
