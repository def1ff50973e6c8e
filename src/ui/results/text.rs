//! A text of any size: only visible rows are drawn, the others are asked for as they come near.

use std::sync::Arc;

use egui::text::LayoutJob;
use egui::{Key, Label, RichText, TextFormat, Ui};

use crate::engine::command::Command;
use crate::model::preview::Preview;
use crate::model::text::{SearchState, TextPage, TextRow, TextSearch};
use crate::ui::outbox::Outbox;
use crate::ui::results::rows::{Seen, rows_ui};
use crate::ui::theme::{self, Palette};
use crate::ui::{format, widgets};

/// Rows asked for at once, around what is seen.
const ASKED: u64 = 600;

/// Below this width, going to a line has a row of its own.
const NARROW: f32 = 760.0;

/// Where one is in the text, and what is typed above it.
#[derive(Debug, Default)]
pub struct TextState {
    path: std::path::PathBuf,
    top: f64,
    goal: u64,
    asked: Option<(u64, u64)>,
    words: String,
    line: String,
}

impl TextState {
    fn adopt(&mut self, preview: &Preview, page: &TextPage) {
        if self.path != preview.path {
            *self = Self {
                path: preview.path.clone(),
                words: std::mem::take(&mut self.words),
                ..Self::default()
            };
        }
        if let Some(goal) = page.goal.filter(|goal| goal.number != self.goal) {
            self.goal = goal.number;
            self.asked = None;
            self.top = (goal.row as f64 - 8.0).max(0.0);
        }
    }
}

/// The text with what can be done with it above.
pub fn text_ui(
    ui: &mut Ui,
    preview: &Preview,
    page: &Arc<TextPage>,
    state: &mut TextState,
    outbox: &mut Outbox,
) {
    state.adopt(preview, page);
    about_ui(ui, preview, page, outbox);
    find_ui(ui, page, state, outbox);
    if let Some(note) = &page.note {
        widgets::marked(ui, theme::icon::WARNING, Palette::of(ui).warning, note);
    }
    let palette = Palette::of(ui);
    let height = ui.text_style_height(&egui::TextStyle::Monospace) + 1.0;
    let mut seen = None;
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
            let digits = page.lines_known.max(1).to_string().len();
            let words = page
                .search
                .as_ref()
                .map(|search| search.words.to_lowercase());
            let total = page.rows_known;
            let rows = rows_ui(
                ui,
                "Position in the text",
                (&mut state.top, total),
                height,
                |ui, number| match row(page, number) {
                    Some(row) => row_ui(ui, row, digits, words.as_deref()),
                    None => {
                        ui.add(Label::new(
                            RichText::new("…").monospace().color(palette.weak),
                        ));
                    }
                },
            );
            seen = Some(rows);
        });
    if let Some(seen) = seen {
        ask(page, seen, state, outbox);
    }
}

fn row(page: &TextPage, number: u64) -> Option<&TextRow> {
    let at = usize::try_from(number.checked_sub(page.first_row)?).ok()?;
    page.rows.get(at)
}

/// Asks for the rows around what is seen when some of them are not here.
fn ask(page: &TextPage, seen: Seen, state: &mut TextState, outbox: &mut Outbox) {
    let last = (seen.first + seen.count).min(page.rows_known);
    let here = page.first_row..page.first_row + page.rows.len() as u64;
    if here.start <= seen.first && last <= here.end {
        state.asked = None;
        return;
    }
    let count = ASKED.max(seen.count * 3);
    let first_row = seen.first.saturating_sub(count / 3);
    if state.asked != Some((first_row, count)) {
        state.asked = Some((first_row, count));
        outbox.command(Command::ShowLines {
            first_row,
            count: usize::try_from(count).unwrap_or(usize::MAX),
        });
    }
}

fn about_ui(ui: &mut Ui, preview: &Preview, page: &TextPage, outbox: &mut Outbox) {
    ui.horizontal_wrapped(|ui| {
        let mut about = match page.lines_known {
            1 => "1 line".to_owned(),
            many => format!("{} lines", format::grouped(many)),
        };
        if !page.counted {
            about = format!("{about} so far, counting…");
        }
        about = format!(
            "{about} · {} · {}",
            format::bytes(page.size_bytes),
            page.encoding
        );
        widgets::weak(ui, about);
        let copy = ui
            .button("Copy")
            .on_hover_text("Copy the lines that are loaded around here");
        if copy.clicked() {
            ui.ctx().copy_text(loaded(page));
        }
        if ui
            .button("Reload")
            .on_hover_text("Read the file again from its beginning")
            .clicked()
        {
            outbox.command(Command::OpenPreview(preview.path.clone()));
        }
        let mut following = page.following;
        if ui
            .checkbox(&mut following, "Follow the end")
            .on_hover_text("Show what is written to the end of a growing file")
            .changed()
        {
            outbox.command(Command::FollowText(following));
        }
    });
}

/// The rows at hand as the text they are.
fn loaded(page: &TextPage) -> String {
    let mut text = String::new();
    for (number, row) in page.rows.iter().enumerate() {
        if number > 0 && !row.continues {
            text.push('\n');
        }
        text += &row.text;
    }
    text
}

fn find_ui(ui: &mut Ui, page: &TextPage, state: &mut TextState, outbox: &mut Outbox) {
    let is_narrow = ui.available_width() < NARROW;
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Find");
        let field = ui
            .add(widgets::line(&mut state.words).desired_width(180.0))
            .labelled_by(label.id);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let can = !state.words.is_empty();
        let next = ui.add_enabled(can, egui::Button::new("Next"));
        let previous = ui.add_enabled(can, egui::Button::new("Previous"));
        let forward = next.clicked() || entered;
        if can && (forward || previous.clicked()) {
            outbox.command(Command::FindText {
                words: state.words.clone(),
                from_row: start(page, state, forward),
                forward,
            });
        }
        if let Some(search) = &page.search {
            search_ui(ui, page, search, outbox);
        }
        if !is_narrow {
            ui.separator();
            go_ui(ui, state, outbox);
        }
    });
    if is_narrow {
        ui.horizontal(|ui| go_ui(ui, state, outbox));
    }
}

fn go_ui(ui: &mut Ui, state: &mut TextState, outbox: &mut Outbox) {
    let label = ui.label("Go to line");
    let field = ui
        .add(widgets::line(&mut state.line).desired_width(80.0))
        .labelled_by(label.id);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let digits: String = state.line.chars().filter(char::is_ascii_digit).collect();
    if let (true, Ok(line)) = (entered, digits.parse()) {
        outbox.command(Command::GoToLine(line));
    }
}

/// Behind or before the last place found, else from what is seen.
fn start(page: &TextPage, state: &TextState, forward: bool) -> u64 {
    let found = page.search.as_ref().and_then(|search| match search.state {
        SearchState::Found { row } if search.words == state.words => Some(row),
        _ => None,
    });
    match (found, forward) {
        (Some(row), true) => row + 1,
        (Some(row), false) => row,
        (None, true) => page.first_row.max(top_row(state)),
        (None, false) => top_row(state),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the top row is never negative, and no file has 2^53 of them"
)]
fn top_row(state: &TextState) -> u64 {
    state.top.max(0.0) as u64
}

fn search_ui(ui: &mut Ui, page: &TextPage, search: &TextSearch, outbox: &mut Outbox) {
    match search.state {
        SearchState::Looking { done_bytes } => {
            let share = done_bytes as f64 / page.size_bytes.max(1) as f64 * 100.0;
            widgets::busy(ui, &format!("Looking, {share:.0} %"));
            if ui.button("Stop").clicked() {
                outbox.command(Command::StopFinding);
            }
        }
        SearchState::Found { row } => {
            let line = self::row(page, row).map(|row| format::grouped(row.line));
            widgets::weak(
                ui,
                line.map_or_else(String::new, |line| format!("In line {line}")),
            );
        }
        SearchState::Nowhere => {
            widgets::weak(ui, "No further place");
        }
        SearchState::Stopped => {
            widgets::weak(ui, "Stopped");
        }
    }
}

fn row_ui(ui: &mut Ui, row: &TextRow, digits: usize, words: Option<&str>) {
    let palette = Palette::of(ui);
    let number = if row.continues {
        format!("{:>digits$}", "↪")
    } else {
        format!("{:>digits$}", row.line)
    };
    ui.add(Label::new(RichText::new(number).monospace().color(palette.weak)).selectable(false));
    ui.add_space(6.0);
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let mut job = LayoutJob::default();
    for (part, is_found) in parts(&row.text, words) {
        let mut format = TextFormat::simple(font.clone(), palette.text);
        if is_found {
            format.background = palette.selected;
            format.color = palette.on_selected;
        }
        job.append(part, 0.0, format);
    }
    ui.add(Label::new(job));
}

/// The text cut where the words are. Where lower case has another length, nothing is marked.
fn parts<'a>(text: &'a str, words: Option<&str>) -> Vec<(&'a str, bool)> {
    let lower = text.to_lowercase();
    let Some(words) = words.filter(|words| !words.is_empty() && lower.len() == text.len()) else {
        return vec![(text, false)];
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(words) {
        let (Some(before), Some(here)) = (text.get(from..at), text.get(at..at + found.len()))
        else {
            return vec![(text, false)];
        };
        parts.push((before, false));
        parts.push((here, true));
        from = at + found.len();
    }
    parts.push((text.get(from..).unwrap_or_default(), false));
    parts
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn what_is_found_is_marked_in_any_case() {
        assert_eq!(
            parts("Warn: warning", Some("warn")),
            [
                ("", false),
                ("Warn", true),
                (": ", false),
                ("warn", true),
                ("ing", false)
            ]
        );
        assert_eq!(parts("abc", Some("x")), [("abc", false)]);
        assert_eq!(parts("İ warn", Some("warn")), [("İ warn", false)]);
    }
}
