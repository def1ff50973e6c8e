//! A text of any size: only visible rows are drawn, the others are asked for as they come near.

use std::sync::Arc;

use egui::{Key, Label, RichText, Ui};

use crate::engine::command::Command;
use crate::model::preview::Preview;
use crate::model::search::Search;
use crate::model::text::{TextPage, TextRow};
use crate::ui::outbox::Outbox;
use crate::ui::results::find::{Searched, find_ui, found_row_ui, marked_ui, scroll_to};
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
    /// The row of the goal, until it was drawn and scrolled to.
    reveal: Option<u64>,
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
            self.reveal = Some(goal.row);
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
    seek_ui(ui, page, state, outbox);
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
            let found = page.search.as_ref().and_then(Search::found);
            let TextState { top, reveal, .. } = &mut *state;
            let rows = rows_ui(
                ui,
                "Position in the text",
                (top, total),
                height,
                |ui, number| match row(page, number) {
                    Some(row) => {
                        if found == Some(number) {
                            found_row_ui(ui);
                        }
                        let mut is_goal = *reveal == Some(number);
                        if is_goal {
                            *reveal = None;
                        }
                        row_ui(ui, row, digits, words.as_deref(), &mut is_goal);
                    }
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

fn seek_ui(ui: &mut Ui, page: &TextPage, state: &mut TextState, outbox: &mut Outbox) {
    let is_narrow = ui.available_width() < NARROW;
    ui.horizontal_wrapped(|ui| {
        let file = Searched {
            search: page.search.as_ref(),
            all_bytes: page.size_bytes,
            top: top_row(state),
        };
        let place = |number| {
            row(page, number).map_or_else(String::new, |row| {
                format!("In line {}", format::grouped(row.line))
            })
        };
        find_ui(ui, &mut state.words, &file, place, outbox);
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

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the top row is never negative, and no file has 2^53 of them"
)]
fn top_row(state: &TextState) -> u64 {
    state.top.max(0.0) as u64
}

fn row_ui(ui: &mut Ui, row: &TextRow, digits: usize, words: Option<&str>, reveal: &mut bool) {
    let palette = Palette::of(ui);
    let number = if row.continues {
        format!("{:>digits$}", "↪")
    } else {
        format!("{:>digits$}", row.line)
    };
    let number = RichText::new(number).monospace().color(palette.weak);
    let number = ui.add(Label::new(number).selectable(false));
    ui.add_space(6.0);
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    marked_ui(ui, &row.text, (font, palette.text), words, reveal);
    if *reveal {
        scroll_to(ui, number.rect);
    }
}
