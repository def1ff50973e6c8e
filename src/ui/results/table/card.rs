//! What is known of a column: in a few lines above it, and in full in its menu.

use egui::{Align2, FontId, Rect, RichText, Sense, Ui, pos2, vec2};

use crate::model::table::{CardValues, ColumnCard, ColumnKind, Histogram};
use crate::ui::format;
use crate::ui::theme::Palette;
use crate::ui::widgets;

/// Height of the cards above the columns, in points.
pub(super) const HEIGHT: f32 = 104.0;

/// The card above a column, painted into a rectangle.
pub(super) fn small_ui(ui: &Ui, rect: Rect, card: Option<&ColumnCard>, name: &str) {
    let palette = Palette::of(ui);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    painter.rect_filled(rect, 0.0, palette.page);
    let inner = rect.shrink2(vec2(8.0, 4.0));
    let line = |number: f32, text: String, color| {
        painter.text(
            pos2(inner.left(), inner.top() + number * 15.0),
            Align2::LEFT_TOP,
            text,
            FontId::proportional(12.0),
            color,
        );
    };
    let Some(card) = card else {
        line(0.0, "…".to_owned(), palette.weak);
        return;
    };
    let response = ui.interact(rect, ui.scope_id().with(("card", name)), Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| {
        egui::WidgetInfo::labeled(
            egui::Role::Label,
            enabled,
            format!("{name}: {}", facts(card).join(", ")),
        )
    });
    let response = response.on_hover_ui(|ui| {
        for fact in facts(card) {
            ui.label(fact);
        }
    });
    drop(response);
    line(0.0, kind_words(card.kind).to_owned(), palette.text);
    let missing = if card.missing == 0 {
        "none missing".to_owned()
    } else {
        format!("{} missing", format::grouped(card.missing))
    };
    line(
        1.0,
        missing,
        if card.missing == 0 {
            palette.weak
        } else {
            palette.warning
        },
    );
    let bars = Rect::from_min_max(
        pos2(inner.left(), inner.top() + 33.0),
        pos2(inner.right(), inner.bottom() - 15.0),
    );
    match &card.values {
        CardValues::Nothing => {}
        CardValues::Numbers {
            min,
            max,
            histogram,
            ..
        } => {
            paint_histogram(&painter, bars, histogram, &palette);
            line(
                5.6,
                format!("{} to {}", short(*min), short(*max)),
                palette.weak,
            );
        }
        CardValues::Texts { commonest } => {
            paint_commonest(&painter, bars, commonest, card.count, &palette);
            let distinct = format!(
                "{}{} different",
                about(card.distinct_is_exact),
                format::grouped(card.distinct)
            );
            line(5.6, distinct, palette.weak);
        }
    }
}

/// Everything that is known of a column.
pub(super) fn full_ui(ui: &mut Ui, card: &ColumnCard) {
    let palette = Palette::of(ui);
    for fact in facts(card) {
        ui.label(fact);
    }
    match &card.values {
        CardValues::Nothing => {}
        CardValues::Numbers { histogram, .. } => {
            let (rect, response) = ui.allocate_exact_size(vec2(260.0, 72.0), Sense::hover());
            paint_histogram(ui.painter(), rect, histogram, &palette);
            let enabled = ui.is_enabled();
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Image, enabled, histogram_words(histogram))
            });
            ui.horizontal(|ui| {
                widgets::weak(ui, short(histogram.from));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    widgets::weak(ui, short(histogram.to));
                });
            });
        }
        CardValues::Texts { commonest } => {
            for (text, count) in commonest.iter().take(8) {
                ui.horizontal(|ui| {
                    let shown = if text.is_empty() { "(empty)" } else { text };
                    let shown: String = shown.chars().take(32).collect();
                    ui.label(RichText::new(shown));
                    widgets::weak(ui, format::grouped(*count));
                });
            }
        }
    }
}

/// In lines.
pub(super) fn facts(card: &ColumnCard) -> Vec<String> {
    let mut facts = vec![
        kind_words(card.kind).to_owned(),
        format!(
            "{} there, {} missing, {}{} different",
            format::grouped(card.count),
            format::grouped(card.missing),
            about(card.distinct_is_exact),
            format::grouped(card.distinct)
        ),
    ];
    if let CardValues::Numbers {
        numbers,
        min,
        max,
        mean,
        median,
        median_is_exact,
        histogram: _,
    } = &card.values
    {
        if *numbers < card.count {
            facts.push(format!("{} of them are numbers", format::grouped(*numbers)));
        }
        facts.push(format!("from {} to {}", short(*min), short(*max)));
        facts.push(format!(
            "mean {}, median {}{}",
            short(*mean),
            about(*median_is_exact),
            short(*median)
        ));
    }
    facts
}

const fn about(exact: bool) -> &'static str {
    if exact { "" } else { "about " }
}

const fn kind_words(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Empty => "nothing there",
        ColumnKind::Integers => "whole numbers",
        ColumnKind::Numbers => "numbers",
        ColumnKind::Mixed => "numbers and texts",
        ColumnKind::Texts => "texts",
    }
}

/// A number with six significant digits at most.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 9"
    )]
    let decimals = (5.0 - size.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn histogram_words(histogram: &Histogram) -> String {
    let highest = histogram.counts.iter().max().copied().unwrap_or(0);
    format!(
        "Histogram from {} to {}, at most {} in a bin",
        short(histogram.from),
        short(histogram.to),
        format::grouped(highest)
    )
}

fn paint_histogram(painter: &egui::Painter, rect: Rect, histogram: &Histogram, palette: &Palette) {
    let highest = histogram.counts.iter().max().copied().unwrap_or(0).max(1) as f32;
    let width = rect.width() / histogram.counts.len().max(1) as f32;
    for (at, count) in histogram.counts.iter().enumerate() {
        if *count == 0 {
            continue;
        }
        // One among millions is still seen.
        let height = (*count as f32 / highest * rect.height()).max(1.5);
        let left = rect.left() + width * at as f32;
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - height),
            pos2(left + (width - 1.0).max(1.0), rect.bottom()),
        );
        painter.rect_filled(bar, 0.0, palette.accent);
    }
}

fn paint_commonest(
    painter: &egui::Painter,
    rect: Rect,
    commonest: &[(String, u64)],
    all: u64,
    palette: &Palette,
) {
    for (at, (text, count)) in commonest.iter().take(3).enumerate() {
        let top = rect.top() + 15.0 * at as f32;
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), 14.0));
        let share = *count as f32 / all.max(1) as f32;
        let bar = Rect::from_min_size(line.min, vec2((rect.width() * share).max(1.5), 14.0));
        painter.rect_filled(bar, 2.0, palette.selected);
        let text: String = text.chars().take(40).collect();
        painter.text(
            line.left_center() + vec2(3.0, 0.0),
            Align2::LEFT_CENTER,
            text,
            FontId::proportional(11.5),
            palette.text,
        );
    }
}
