//! What is known of columns: counts, extremes, mean, median, histogram, the commonest texts.
//!
//! Everything is exact while it fits the bounds in `tally`; beyond them the card says what is estimated. Where the numbers of
//! a column do not fit in memory, a second pass counts its histogram once the extremes are known.

use crate::model::table::{CardValues, ColumnCard, ColumnKind, Histogram};
use crate::results::table::TableError;
use crate::results::table::number::Value;
use crate::results::table::sheet::{self, Row, Sheet, Task};
use crate::results::table::tally::{Middle, Shared, Tally};
use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};

/// Texts listed on a card.
const COMMONEST: usize = 12;

/// Bins of a histogram.
pub(crate) const BINS: usize = 40;

/// Describes columns, all of them in the same passes.
pub fn describe(
    sheet: &Sheet,
    columns: &[usize],
    task: &Task<'_>,
) -> Result<Vec<ColumnCard>, TableError> {
    let shared: Vec<Shared> = columns.iter().map(|_| Shared::default()).collect();
    let totals: Mutex<Vec<Tally>> = Mutex::new(columns.iter().map(|_| Tally::default()).collect());
    let pieces = sheet.pieces(columns).into_iter();
    let pieces = pieces
        .map(|piece| (piece, columns.iter().map(|_| Tally::default()).collect()))
        .collect();
    let first = with_progress(task, 0.0, 0.7);
    let progress = |share: f32| first(share);
    let sums: Vec<Vec<f64>> = sheet::run(
        pieces,
        &Task {
            cancelled: task.cancelled,
            progress: &progress,
        },
        |tallies: &mut Vec<Tally>, _row, cells: &Row<'_>| {
            for (at, (tally, shared)) in tallies.iter_mut().zip(&shared).enumerate() {
                tally.add(&cells.value(at), cells.encoding, shared, columns.len());
            }
        },
        |tallies| {
            let sums = tallies.iter().map(|tally| tally.sum).collect();
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            for ((total, tally), shared) in totals.iter_mut().zip(tallies).zip(&shared) {
                total.merge(tally, shared, columns.len());
            }
            sums
        },
    )?;
    let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Added in the order of the rows, so that the same table gives the same mean each time.
    for (at, total) in totals.iter_mut().enumerate() {
        total.sum = sums.iter().filter_map(|piece| piece.get(at)).sum();
    }
    let histograms = histograms(sheet, columns, &totals, task)?;
    Ok(totals
        .into_iter()
        .zip(histograms)
        .map(|(total, histogram)| card(total, histogram))
        .collect())
}

fn with_progress<'a>(task: &'a Task<'a>, from: f32, share: f32) -> impl Fn(f32) + Sync + 'a {
    move |done| (task.progress)(from + done * share)
}

/// Bins that suit the numbers between two extremes: whole numbers that are few get a bin each.
pub(crate) fn bins(min: f64, max: f64, whole: bool) -> Histogram {
    let span = max - min;
    if whole && span < BINS as f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 0 and below the number of bins"
        )]
        let count = span as usize + 1;
        return Histogram {
            from: min - 0.5,
            to: max + 0.5,
            counts: vec![0; count],
        };
    }
    Histogram {
        from: min,
        to: max,
        counts: vec![0; if span > 0.0 { BINS } else { 1 }],
    }
}

/// Counts a number in its bin.
pub(crate) fn count(histogram: &mut Histogram, number: f64) {
    let last = histogram.counts.len().saturating_sub(1);
    let share = (number - histogram.from) / (histogram.to - histogram.from);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not below 0; no number at all becomes 0"
    )]
    let bin = (share.max(0.0) * histogram.counts.len() as f64) as usize;
    if let Some(count) = histogram.counts.get_mut(bin.min(last)) {
        *count += 1;
    }
}

fn histograms(
    sheet: &Sheet,
    columns: &[usize],
    totals: &[Tally],
    task: &Task<'_>,
) -> Result<Vec<Histogram>, TableError> {
    let mut found: Vec<Histogram> = totals
        .iter()
        .map(|total| bins(total.min, total.max, total.numbers == total.whole))
        .collect();
    let mut again = Vec::new();
    for ((histogram, total), column) in found.iter_mut().zip(totals).zip(columns) {
        match &total.middle {
            Middle::Exact(numbers) => numbers.iter().for_each(|number| count(histogram, *number)),
            Middle::Estimated(_) => again.push(*column),
        }
    }
    if again.is_empty() {
        return Ok(found);
    }
    let empty: Vec<Histogram> = columns
        .iter()
        .zip(&found)
        .filter(|(column, _)| again.contains(column))
        .map(|(_, histogram)| histogram.clone())
        .collect();
    let pieces = sheet.pieces(&again).into_iter();
    let second = with_progress(task, 0.7, 0.3);
    let progress = |share: f32| second(share);
    let total = Mutex::new(empty.clone());
    sheet::run(
        pieces.map(|piece| (piece, empty.clone())).collect(),
        &Task {
            cancelled: task.cancelled,
            progress: &progress,
        },
        |histograms, _row, cells| {
            for (at, histogram) in histograms.iter_mut().enumerate() {
                if let Value::Number { value, .. } = cells.value(at) {
                    count(histogram, value);
                }
            }
        },
        |histograms| {
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            for (total, part) in total.iter_mut().zip(histograms) {
                for (total, part) in total.counts.iter_mut().zip(part.counts) {
                    *total += part;
                }
            }
        },
    )?;
    let counted = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut counted = counted.into_iter();
    for (histogram, column) in found.iter_mut().zip(columns) {
        if again.contains(column)
            && let Some(counted) = counted.next()
        {
            *histogram = counted;
        }
    }
    Ok(found)
}

fn card(total: Tally, histogram: Histogram) -> ColumnCard {
    let kind = match (total.numbers, total.texts) {
        (0, 0) => ColumnKind::Empty,
        (0, _) => ColumnKind::Texts,
        (numbers, 0) if numbers == total.whole => ColumnKind::Integers,
        (_, 0) => ColumnKind::Numbers,
        _ => ColumnKind::Mixed,
    };
    let (distinct, distinct_is_exact) = total.distinct.count();
    let values = match kind {
        ColumnKind::Empty => CardValues::Nothing,
        ColumnKind::Texts => {
            let mut commonest = total.distinct.texts();
            commonest.sort_by(|a, b| Reverse(a.1).cmp(&Reverse(b.1)).then_with(|| a.0.cmp(&b.0)));
            if commonest.len() > COMMONEST && commonest.first().is_some_and(|text| text.1 == 1) {
                commonest.clear();
            }
            commonest.truncate(COMMONEST);
            CardValues::Texts { commonest }
        }
        ColumnKind::Integers | ColumnKind::Numbers | ColumnKind::Mixed => {
            let (median, median_is_exact) = total.middle.median();
            CardValues::Numbers {
                numbers: total.numbers,
                min: total.min,
                max: total.max,
                mean: total.sum / total.numbers as f64,
                median,
                median_is_exact,
                histogram,
            }
        }
    };
    ColumnCard {
        kind,
        count: total.numbers + total.texts,
        missing: total.missing,
        distinct,
        distinct_is_exact,
        values,
    }
}
