//! A text: its beginning, line by line; only visible lines are drawn.

use std::sync::Arc;

use egui::{Label, RichText, ScrollArea, Ui};

use crate::model::text::TextPage;
use crate::ui::theme::{self, Palette};
use crate::ui::{format, widgets};

/// Longest part of a line that is drawn, in characters.
const LONGEST: usize = 2_000;

/// Where the lines of the text begin and end.
#[derive(Debug, Default)]
pub struct TextState {
    page: Option<Arc<TextPage>>,
    lines: Vec<std::ops::Range<usize>>,
}

impl TextState {
    fn adopt(&mut self, page: &Arc<TextPage>) {
        if self
            .page
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, page))
        {
            return;
        }
        let mut at = 0;
        self.lines = page
            .text
            .split_inclusive('\n')
            .map(|line| {
                let from = at;
                at += line.len();
                from..at
            })
            .collect();
        self.page = Some(Arc::clone(page));
    }
}

/// The text with the line above it.
pub fn text_ui(ui: &mut Ui, page: &Arc<TextPage>, state: &mut TextState) {
    state.adopt(page);
    ui.horizontal_wrapped(|ui| {
        let about = format!(
            "{} · {} · {}",
            format::count(state.lines.len(), "line", "lines"),
            format::bytes(page.size_bytes),
            page.encoding
        );
        widgets::weak(ui, about);
        if page.more {
            let color = Palette::of(ui).warning;
            ui.label(RichText::new("Only the beginning is shown").color(color));
        }
        if ui
            .button("Copy")
            .on_hover_text("Copy the text shown")
            .clicked()
        {
            ui.ctx().copy_text(page.text.clone());
        }
    });
    let palette = Palette::of(ui);
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
            let height = ui.text_style_height(&egui::TextStyle::Monospace);
            ScrollArea::both().auto_shrink(false).show_rows(
                ui,
                height,
                state.lines.len(),
                |ui, range| {
                    for line in state.lines.get(range).unwrap_or_default() {
                        let line = page.text.get(line.clone()).unwrap_or_default();
                        let shown: String = line
                            .trim_end_matches(['\r', '\n'])
                            .chars()
                            .take(LONGEST)
                            .map(|character| if character == '\t' { ' ' } else { character })
                            .collect();
                        ui.add(Label::new(RichText::new(shown).monospace()));
                    }
                },
            );
        });
}
