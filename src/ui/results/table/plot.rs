//! A plot of columns: what to plot, the plot itself, saving it.

use egui::{Color32, ColorImage, TextureHandle, TextureOptions, Ui};
use egui_plot::{
    Bar, BarChart, BoxElem, BoxPlot, BoxSpread, PlotBounds, PlotImage, PlotPoint, PlotPoints,
    PlotTransform, Points as Dots,
};
use std::sync::Arc;

use crate::model::table::{
    BoxOf, Frame, Histogram, Plot, PlotContent, PlotWish, PointColor, Points, Raster, TablePage,
    TableWish, palette,
};
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::results::table::axes::{categories, chart};
use crate::ui::results::table::guess::{category, few_kinds, is_identifier, measure};
use crate::ui::results::table::{ask, card};
use crate::ui::theme::Palette;
use crate::ui::{format, widgets};

/// Of the widest label of a choice, with the gaps around it.
const LABEL_WIDTH: f32 = 52.0;

/// What is plotted.
#[derive(Default)]
pub(super) struct Plotting {
    /// Whether the plot is shown and not the rows.
    pub(super) is_open: bool,
    wish: Option<PlotWish>,
    texture: Option<(Arc<Raster>, TextureHandle)>,
    asked: Option<Frame>,
    /// Whether all points are to be seen again.
    fit: bool,
    drawn_for: Option<Arc<Plot>>,
}

impl std::fmt::Debug for Plotting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Plotting({:?})", self.wish)
    }
}

impl Plotting {
    /// Shows this plot, which was asked for.
    pub(super) fn show(&mut self, wish: PlotWish) {
        self.is_open = true;
        self.wish = Some(wish);
    }
}

/// The plot with its choices.
pub(super) fn plot_ui(ui: &mut Ui, page: &TablePage, plotting: &mut Plotting, outbox: &mut Outbox) {
    let before = plotting.wish.clone();
    ui.horizontal(|ui| kinds_ui(ui, page, &mut plotting.wish, outbox));
    ui.horizontal(|ui| columns_ui(ui, page, &mut plotting.wish));
    if plotting.wish != before
        && let Some(wish) = plotting.wish.clone()
    {
        ask(outbox, TableWish::Plot(Some(wish)));
    }
    let Some(wish) = &plotting.wish else {
        widgets::weak(
            ui,
            "Choose what to plot; all rows shown by the filters are in it",
        );
        return;
    };
    let Some(plot) = page.plot.clone().filter(|plot| plot.wish == *wish) else {
        if page.work.is_some() {
            widgets::busy(ui, "Working the plot out");
        } else if ui.button("Plot again").clicked() {
            ask(outbox, TableWish::Plot(Some(wish.clone())));
        }
        return;
    };
    about_ui(ui, &plot);
    match &plot.content {
        PlotContent::Histogram(histogram) => histogram_ui(ui, page, &plot, histogram),
        PlotContent::Boxes(boxes) => boxes_ui(ui, page, &plot, boxes),
        PlotContent::Scatter(points) => scatter_ui(ui, page, &plot, points, plotting, outbox),
    }
}

/// What to draw, and saving it.
fn kinds_ui(ui: &mut Ui, page: &TablePage, wish: &mut Option<PlotWish>, outbox: &mut Outbox) {
    let (histogram, scatter, boxes) = match wish {
        None => (false, false, false),
        Some(PlotWish::Histogram { .. }) => (true, false, false),
        Some(PlotWish::Scatter { .. }) => (false, true, false),
        Some(PlotWish::Boxes { .. }) => (false, false, true),
    };
    // Columns chosen before are kept where they fit.
    let chosen: Vec<usize> = match wish {
        None => Vec::new(),
        Some(PlotWish::Histogram { column }) => vec![*column],
        Some(PlotWish::Scatter { x, y, .. }) => vec![*x, *y],
        Some(PlotWish::Boxes { values, .. }) => vec![*values],
    };
    let first = chosen
        .first()
        .copied()
        .unwrap_or_else(|| measure(page, None));
    let second = chosen.get(1).copied();
    if ui.selectable_label(histogram, "Histogram").clicked() {
        *wish = Some(PlotWish::Histogram { column: first });
    }
    if ui.selectable_label(scatter, "Scatter").clicked() {
        let y = second.unwrap_or_else(|| measure(page, Some(first)));
        *wish = Some(PlotWish::Scatter {
            x: first,
            y,
            color: few_kinds(page),
        });
    }
    if ui.selectable_label(boxes, "Boxes by category").clicked() {
        *wish = Some(PlotWish::Boxes {
            category: category(page),
            values: second
                .filter(|second| !is_identifier(page, *second))
                .unwrap_or(first),
        });
    }
    if page.plot.is_some() {
        let save = ui
            .button("Save picture…")
            .on_hover_text("As PNG or SVG, by the ending of its name");
        if save.clicked() {
            outbox.wish(Wish::Pick(PickFor::Plot));
        }
    }
}

/// Of which columns.
fn columns_ui(ui: &mut Ui, page: &TablePage, wish: &mut Option<PlotWish>) {
    match wish {
        None => {}
        Some(PlotWish::Histogram { column }) => column_ui(ui, page, ("of", 1), column),
        Some(PlotWish::Scatter { x, y, color }) => {
            column_ui(ui, page, ("Across", 3), x);
            column_ui(ui, page, ("Up", 2), y);
            color_ui(ui, page, color);
        }
        Some(PlotWish::Boxes { category, values }) => {
            column_ui(ui, page, ("of", 2), values);
            column_ui(ui, page, ("by", 1), category);
        }
    }
}

/// `label` comes with how many choices are left in the line, itself among them.
fn column_ui(ui: &mut Ui, page: &TablePage, (label, left): (&str, u8), column: &mut usize) {
    let name = |at: usize| page.columns.get(at).map_or("", String::as_str);
    choice_ui(ui, (label, left), name(*column), |ui| {
        for at in 0..page.columns.len() {
            if widgets::option(ui, at == *column, name(at)) {
                *column = at;
            }
        }
    });
}

fn color_ui(ui: &mut Ui, page: &TablePage, color: &mut Option<usize>) {
    let name = |at: Option<usize>| {
        at.and_then(|at| page.columns.get(at))
            .map_or("none", String::as_str)
    };
    choice_ui(ui, ("Color", 1), name(*color), |ui| {
        for at in std::iter::once(None).chain((0..page.columns.len()).map(Some)) {
            if widgets::option(ui, at == *color, name(at)) {
                *color = at;
            }
        }
    });
}

/// A box of an even part of the line's rest: a long name never pushes the last one out.
fn choice_ui(ui: &mut Ui, (label, left): (&str, u8), chosen: &str, options: impl FnOnce(&mut Ui)) {
    let label_response = ui.label(label);
    let left = f32::from(left);
    let rest = ui.available_width() - (left - 1.0) * LABEL_WIDTH;
    ui.scope(|ui| {
        ui.set_max_width((rest / left).clamp(80.0, 200.0));
        egui::ComboBox::from_id_salt(label)
            .selected_text(chosen)
            .width(80.0)
            .truncate()
            .show_ui(ui, options)
            .response
            .labelled_by(label_response.id);
    });
}

/// How many rows are in it.
fn about_ui(ui: &mut Ui, plot: &Plot) {
    let mut words = format!("{} rows", format::grouped(plot.rows));
    if plot.every > 1 {
        words = format!("Every {}th of {words}", format::grouped(plot.every));
    }
    if plot.left_out > 0 {
        words = format!(
            "{words}; {} left out, where a cell is missing or no number",
            format::grouped(plot.left_out)
        );
    }
    match plot.wish {
        PlotWish::Histogram { .. } => {}
        PlotWish::Scatter { .. } => {
            words =
                format!("{words} · drag to move, Ctrl and wheel to zoom, double-click to see all");
        }
        PlotWish::Boxes { .. } => {
            words = format!("{words} · whiskers within 1.5 times the box, dots beyond");
        }
    }
    widgets::weak(ui, words);
}

fn histogram_ui(ui: &mut Ui, page: &TablePage, plot: &Plot, histogram: &Histogram) {
    let PlotWish::Histogram { column } = &plot.wish else {
        return;
    };
    let width = (histogram.to - histogram.from) / histogram.counts.len().max(1) as f64;
    let fill = Palette::of(ui).accent;
    let bars = histogram.counts.iter().enumerate().map(|(at, count)| {
        let middle = histogram.from + width * (at as f64 + 0.5);
        Bar::new(middle, *count as f64)
            .width(width * 0.95)
            .fill(fill)
    });
    let bars = bars.collect();
    chart(ui, page, plot, *column, None).show(ui, |chart| {
        chart.bar_chart(BarChart::new("", bars).color(fill));
    });
}

fn boxes_ui(ui: &mut Ui, page: &TablePage, plot: &Plot, boxes: &[BoxOf]) {
    let PlotWish::Boxes { category, values } = &plot.wish else {
        return;
    };
    let palette = Palette::of(ui);
    let drawn = boxes
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let [low, lower, median, upper, high] = one.five;
            BoxElem::new(at as f64, BoxSpread::new(low, lower, median, upper, high))
                .name(words_of(one))
                .box_width(0.6)
                .whisker_width(0.3)
                .fill(palette.selected)
                .stroke((1.5, palette.accent))
        })
        .collect();
    let names: Vec<String> = boxes.iter().map(|one| one.name.clone()).collect();
    let label = page.columns.get(*category).cloned().unwrap_or_default();
    let axis = categories(ui, label, names);
    chart(ui, page, plot, *category, Some(*values))
        .custom_x_axes(vec![axis])
        .show(ui, |chart| {
            chart.box_plot(BoxPlot::new("", drawn));
            for (at, one) in boxes.iter().enumerate() {
                let dots: PlotPoints<'_> = one.dots.iter().map(|dot| [at as f64, *dot]).collect();
                chart.points(Dots::new("", dots).radius(2.5).color(palette.accent));
            }
        });
}

fn words_of(one: &BoxOf) -> String {
    let words = format!("{}, {} rows", one.name, format::grouped(one.count));
    match one.beyond {
        0 => words,
        beyond => format!("{words}, {} beyond the whiskers", format::grouped(beyond)),
    }
}

fn scatter_ui(
    ui: &mut Ui,
    page: &TablePage,
    plot: &Arc<Plot>,
    points: &Points,
    plotting: &mut Plotting,
    outbox: &mut Outbox,
) {
    let PlotWish::Scatter { x, y, color: _ } = &plot.wish else {
        return;
    };
    if !plotting
        .drawn_for
        .as_ref()
        .is_some_and(|drawn| Arc::ptr_eq(drawn, plot))
    {
        plotting.drawn_for = Some(Arc::clone(plot));
        plotting.asked = None;
        plotting.texture = None;
    }
    legend_ui(ui, &points.color);
    let picture = texture(ui, page, points, plotting);
    let fitted = fitted(points.bounds);
    let fit = std::mem::take(&mut plotting.fit);
    // The pixels of the points follow the bounds; bounds that followed the pixels would never stand still.
    let response = chart(ui, page, plot, *x, Some(*y))
        .auto_bounds(false)
        .allow_double_click_reset(false)
        .default_x_bounds(fitted[0], fitted[1])
        .default_y_bounds(fitted[2], fitted[3])
        .show(ui, |chart| {
            if fit {
                let [left, right, bottom, top] = fitted;
                chart.set_plot_bounds(PlotBounds::from_min_max([left, bottom], [right, top]));
            }
            if let Some((texture, frame)) = picture {
                let [left, right, bottom, top] = frame.bounds;
                let middle = PlotPoint::new(f64::midpoint(left, right), f64::midpoint(bottom, top));
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the plot takes sizes as small floats"
                )]
                let size = egui::vec2((right - left) as f32, (top - bottom) as f32);
                chart.image(PlotImage::new("", texture, middle, size));
            }
        });
    plotting.fit = response.response.double_clicked();
    if plotting.fit {
        ui.ctx().request_repaint();
    }
    let frame = frame(&response.transform, ui.pixels_per_point());
    let sensible = frame.bounds.iter().all(|bound| bound.is_finite());
    if sensible && plotting.asked != Some(frame) {
        plotting.asked = Some(frame);
        ask(outbox, TableWish::Draw(frame));
    }
}

/// What the colors stand for.
fn legend_ui(ui: &mut Ui, color: &PointColor) {
    match color {
        PointColor::One => {}
        PointColor::Groups { names, .. } => {
            ui.horizontal_wrapped(|ui| {
                for (at, name) in (0_u8..).zip(names) {
                    let [red, green, blue] = palette::group(at);
                    widgets::swatch(ui, Color32::from_rgb(red, green, blue));
                    ui.label(name);
                }
            });
        }
        PointColor::Scale { from, to, .. } => {
            let (from, to) = (card::short(*from), card::short(*to));
            widgets::weak(ui, format!("Color from {from} (dark) to {to} (bright)"));
        }
    }
}

/// The part of the plot on screen.
fn frame(transform: &PlotTransform, pixels: f32) -> Frame {
    let bounds = transform.bounds();
    let area = transform.frame();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size on screen"
    )]
    let side = |points: f32| (points * pixels).round().clamp(1.0, 4096.0) as u32;
    Frame {
        bounds: [
            bounds.min()[0],
            bounds.max()[0],
            bounds.min()[1],
            bounds.max()[1],
        ],
        width: side(area.width()),
        height: side(area.height()),
    }
}

/// All points with a little room around.
fn fitted([left, right, bottom, top]: [f64; 4]) -> [f64; 4] {
    let room = |low: f64, high: f64| {
        if high > low {
            (high - low) * 0.03
        } else {
            low.abs().max(1.0) * 0.5
        }
    };
    let (across, up) = (room(left, right), room(bottom, top));
    [left - across, right + across, bottom - up, top + up]
}

/// The points as a picture on the graphics card; put there when they are others than before.
fn texture(
    ui: &Ui,
    page: &TablePage,
    points: &Points,
    plotting: &mut Plotting,
) -> Option<(egui::TextureId, Frame)> {
    let raster = page.raster.as_ref()?;
    if let Some((known, texture)) = &plotting.texture
        && Arc::ptr_eq(known, raster)
    {
        return Some((texture.id(), raster.frame));
    }
    let is_scale = matches!(points.color, PointColor::Scale { .. });
    let colors: Vec<Color32> = (0..=256_u16)
        .map(|color| {
            match color
                .checked_sub(1)
                .and_then(|place| u8::try_from(place).ok())
            {
                None => Color32::TRANSPARENT,
                Some(place) => {
                    let [red, green, blue] = if is_scale {
                        palette::scale(place)
                    } else {
                        palette::group(place)
                    };
                    Color32::from_rgb(red, green, blue)
                }
            }
        })
        .collect();
    let size = [raster.frame.width as usize, raster.frame.height as usize];
    if raster.colors.len() != size[0] * size[1] {
        return None;
    }
    let pixels = raster
        .colors
        .iter()
        .map(|color| colors.get(usize::from(*color)).copied().unwrap_or_default())
        .collect();
    let image = ColorImage::new(size, pixels);
    let texture = ui
        .ctx()
        .load_texture("plot", image, TextureOptions::NEAREST);
    let id = texture.id();
    plotting.texture = Some((Arc::clone(raster), texture));
    Some((id, raster.frame))
}
