//! The axes of a plot: marks at round numbers, close enough that every axis has some; names of categories cut to fit.

use std::ops::RangeInclusive;

use egui::Ui;
use egui_plot::{AxisHints, GridInput, GridMark, Plot as Chart, uniform_grid_spacer};

use crate::model::table::{Plot, TablePage};
use crate::ui::theme::Palette;

/// Least distance of two names of categories, in points.
const NAME_SPACING: f32 = 40.0;

/// Of a letter of such a name, in points; rather too wide.
const LETTER_WIDTH: f64 = 8.0;

/// A chart of one column across and another up, or of rows.
pub(super) fn chart<'a>(
    ui: &Ui,
    page: &TablePage,
    plot: &Plot,
    x: usize,
    y: Option<usize>,
) -> Chart<'a> {
    let palette = Palette::of(ui);
    let name = |at: usize| page.columns.get(at).cloned().unwrap_or_default();
    let up = AxisHints::new_y()
        .label(y.map_or_else(|| "rows".to_owned(), name))
        .label_spacing(26.0..=27.0)
        .formatter(number);
    Chart::new(format!("{:?}", plot.wish))
        .custom_x_axes(vec![AxisHints::new_x().label(name(x)).formatter(number)])
        .custom_y_axes(vec![up])
        .x_grid_spacer(uniform_grid_spacer(|input| steps(&input)))
        .y_grid_spacer(uniform_grid_spacer(|input| steps(&input)))
        .set_margin_fraction(egui::vec2(0.03, 0.04))
        .grid_color(palette.line)
}

/// An axis on which each whole number from 0 stands for one of `names`.
pub(super) fn categories<'a>(ui: &Ui, label: String, names: Vec<String>) -> AxisHints<'a> {
    let width = f64::from(ui.available_width()) - 60.0;
    AxisHints::new_x()
        .label(label)
        .label_spacing(NAME_SPACING..=NAME_SPACING + 1.0)
        .formatter(move |mark, range| {
            let points = width / (range.end() - range.start()).max(f64::MIN_POSITIVE);
            category(mark.value, points, &names)
        })
}

/// The name at a place, as long as it may be with so many points from one to the next.
fn category(value: f64, points: f64, names: &[String]) -> String {
    let place = value.round();
    if (value - place).abs() > 1e-6 || place < 0.0 {
        return String::new();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small whole number; beyond them casting saturates"
    )]
    let count = |number: f64| number as usize;
    let Some(name) = names.get(count(place)) else {
        return String::new();
    };
    // Where there is no room for all of them, every fifth, tenth and so on has a name.
    let [one, five, ten] = [1.0, 5.0, 10.0].map(|step| step * points);
    let spacing = [one, five, ten]
        .into_iter()
        .find(|room| *room >= f64::from(NAME_SPACING));
    let letters = count(spacing.unwrap_or(ten) / LETTER_WIDTH).max(3);
    if name.chars().count() <= letters {
        return name.clone();
    }
    name.chars().take(letters - 1).chain(['…']).collect()
}

/// Three steps, each a multiple of the one before: 1, 5 and 10 of the finest power of ten there is room for, or 5, 10
/// and 50.
fn steps(input: &GridInput) -> [f64; 3] {
    let power = 10_f64.powf(input.base_step_size.log10().floor());
    if input.base_step_size <= power {
        [power, power * 5.0, power * 10.0]
    } else if input.base_step_size <= power * 5.0 {
        [power * 5.0, power * 10.0, power * 50.0]
    } else {
        [power * 10.0, power * 50.0, power * 100.0]
    }
}

/// With as many decimals as its step needs, and as a power of ten where it would be too long.
fn number(mark: GridMark, _range: &RangeInclusive<f64>) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few digits; beyond them casting saturates"
    )]
    let digits = |of: f64| of.ceil().clamp(0.0, 12.0) as usize;
    let (value, fineness) = (mark.value, -mark.step_size.log10() - 1e-9);
    if !(-6.0..5.0).contains(&fineness) {
        if value.abs() < mark.step_size * 0.5 {
            return "0".to_owned();
        }
        let power = |of: f64| (of.abs().log10() + 1e-9).floor();
        let digits = digits(power(value) - power(mark.step_size));
        return format!("{value:.digits$e}");
    }
    let decimals = digits(fineness);
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: f64, step_size: f64) -> GridMark {
        GridMark { value, step_size }
    }

    #[test]
    fn every_axis_has_marks_at_round_numbers_that_tell_apart() {
        for (base, expected) in [
            (1.0, "1 5 10"),
            (2.3, "5 10 50"),
            (7.0, "10 50 100"),
            (0.03, "0.05 0.10 0.50"),
        ] {
            let input = GridInput {
                bounds: (0.0, 100.0),
                base_step_size: base,
            };
            let steps = steps(&input);
            let written = steps.map(|step| number(mark(step, steps[0]), &(0.0..=1.0)));
            assert_eq!(written.join(" "), expected);
        }
        assert_eq!(number(mark(0.5, 0.5), &(0.0..=1.0)), "0.5");
        assert_eq!(number(mark(-2_000.0, 500.0), &(0.0..=1.0)), "-2000");
        assert_eq!(number(mark(1.5e12, 5e11), &(0.0..=1.0)), "1.5e12");
        assert_eq!(number(mark(3e-7, 1e-7), &(0.0..=1.0)), "3e-7");
        assert_eq!(number(mark(1e-20, 1e-7), &(0.0..=1.0)), "0");
    }

    #[test]
    fn names_of_categories_are_cut_to_the_room_between_them() {
        let names = ["Nucleus", "Touching nuclei"].map(str::to_owned);
        assert_eq!(category(1.0, 200.0, &names), "Touching nuclei");
        assert_eq!(category(1.0, 48.0, &names), "Touch…");
        assert_eq!(category(0.0, 10.0, &names), "Nucle…", "every fifth has one");
        for beside in [0.5, -1.0, 2.0] {
            assert_eq!(category(beside, 200.0, &names), "");
        }
    }
}
