//! *Report a problem* on the page Settings: the text to read first, then to save. Nothing is sent from here.

use std::path::PathBuf;

use egui::{ScrollArea, TextEdit, TextStyle, Ui};

use crate::engine::command::Command;
use crate::model::report::Report;
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// Lines of the report on screen at once.
const LINES: f32 = 16.0;

/// The content of the card.
pub fn report_ui(
    ui: &mut Ui,
    report: Option<&Report>,
    typed_paths: bool,
    path: &mut String,
    outbox: &mut Outbox,
) {
    let Some(report) = report else {
        widgets::weak(
            ui,
            "Versions, settings, stages of jobs and the end of the log, without keys, names of people, files and servers. \
             You read it before you save it; Labferry sends it nowhere",
        );
        if ui.button("Make a report…").clicked() {
            outbox.command(Command::MakeReport);
        }
        return;
    };
    widgets::weak(
        ui,
        "Read it through; what you do not want to hand on can be taken out of the saved file",
    );
    let height = ui.text_style_height(&TextStyle::Monospace) * LINES;
    ScrollArea::vertical()
        .id_salt("report")
        .max_height(height)
        // The page scrolls as well, and would leave it no more than what is left of the window.
        .min_scrolled_height(height)
        .show(ui, |ui| {
            let mut text = report.text.as_str();
            let edit = TextEdit::multiline(&mut text)
                .font(TextStyle::Monospace)
                .desired_width(f32::INFINITY);
            ui.add(edit).accessible_name("Report of a problem");
        });
    ui.horizontal_wrapped(|ui| {
        if ui.button("Save as…").clicked() {
            outbox.wish(Wish::Pick(PickFor::Report));
        }
        if ui.button("Copy the report").clicked() {
            ui.ctx().copy_text(report.text.clone());
        }
        if ui.button("Close the report").clicked() {
            outbox.command(Command::CloseReport);
        }
    });
    if typed_paths {
        widgets::text_field(ui, "Path of the report", path, "/home/someone/report.txt");
        let is_named = !path.trim().is_empty();
        if ui
            .add_enabled(is_named, egui::Button::new("Save there"))
            .clicked()
        {
            outbox.command(Command::SaveReport(PathBuf::from(path.trim())));
        }
    }
    let palette = Palette::of(ui);
    match &report.saved {
        None => {}
        Some(Ok(path)) => {
            let words = format!("Saved as {}", path.display());
            widgets::marked(ui, icon::GOOD, palette.good, &words);
        }
        Some(Err(words)) => widgets::marked(ui, icon::BAD, palette.bad, words),
    }
}
