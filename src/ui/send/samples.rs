//! The sample table of Send: columns read out of file names or imported, and edited cell by cell in the file table.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::DraftView;
use crate::model::file::ListedFile;
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::send::tally::Tally;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// What the sample table remembers.
#[derive(Debug, Default)]
pub struct SamplesState {
    /// The pattern while it is being typed.
    pattern: Option<String>,
    /// Columns that no file has a value of yet.
    new_columns: Vec<String>,
    /// The name of a column being typed.
    column_name: Option<String>,
    /// The cell being edited.
    cell: Option<Cell>,
    /// Whether the file table shows only what does not fit.
    pub only_unmatched: bool,
}

/// A cell being edited, or edited and on its way to the engine.
#[derive(Debug)]
struct Cell {
    path: PathBuf,
    column: String,
    text: String,
    /// Whether it was drawn in this frame: one that was scrolled away is done.
    drawn: bool,
    /// The draft it was sent over; until there is another, the text is shown.
    sent_over: Option<Arc<DraftView>>,
}

impl SamplesState {
    /// All columns, in the order shown.
    pub fn columns(&self, draft: &DraftView) -> Vec<String> {
        let known = &draft.samples.columns;
        let new = self.new_columns.iter().filter(|name| !known.contains(name));
        known.iter().chain(new).cloned().collect()
    }

    /// Before the table is drawn: forgets what the engine has taken in.
    pub fn begin(&mut self, draft: &Arc<DraftView>) {
        if draft.files.is_empty() {
            *self = Self::default();
        }
        self.new_columns
            .retain(|name| !draft.samples.columns.contains(name));
        if draft.samples.unmatched.is_empty() {
            self.only_unmatched = false;
        }
        self.cell.take_if(|cell| {
            cell.sent_over
                .as_ref()
                .is_some_and(|before| !Arc::ptr_eq(before, draft))
        });
        if let Some(cell) = &mut self.cell {
            cell.drawn = false;
        }
    }

    /// After the table was drawn: a cell that was scrolled away is done.
    pub fn end(&mut self, draft: &Arc<DraftView>, outbox: &mut Outbox) {
        if self.cell.as_ref().is_some_and(|cell| !cell.drawn) {
            self.commit(draft, outbox);
        }
    }

    fn commit(&mut self, draft: &Arc<DraftView>, outbox: &mut Outbox) {
        let Some(cell) = self.cell.as_mut().filter(|cell| cell.sent_over.is_none()) else {
            return;
        };
        if value(draft, &cell.path, &cell.column) == cell.text.trim() {
            self.cell = None;
            return;
        }
        cell.sent_over = Some(draft.clone());
        outbox.command(Command::SetSample {
            path: cell.path.clone(),
            column: cell.column.clone(),
            value: cell.text.trim().to_owned(),
        });
    }
}

fn value<'a>(draft: &'a DraftView, path: &Path, column: &str) -> &'a str {
    draft
        .samples
        .rows
        .get(path)
        .and_then(|row| row.get(column))
        .map_or("", String::as_str)
}

/// The lines above the file table.
pub fn samples_ui(
    ui: &mut Ui,
    draft: &DraftView,
    tally: &Tally,
    state: &mut SamplesState,
    outbox: &mut Outbox,
) {
    ui.horizontal_wrapped(|ui| {
        ui.add(egui::Label::new(RichText::new("Samples").strong()).selectable(false));
        pattern_ui(ui, draft, state, outbox);
        let import = ui.button("Import table…").on_hover_text(
            "A table (CSV) with one line a file; one of its columns holds the file names",
        );
        if import.clicked() {
            outbox.wish(Wish::Pick(PickFor::SampleTable));
        }
        column_ui(ui, draft, state);
        if !state.columns(draft).is_empty() {
            let clear = ui
                .button("Clear samples")
                .on_hover_text("Take the sample columns away; the files stay");
            if clear.clicked() {
                *state = SamplesState::default();
                outbox.command(Command::SetSamplePattern(String::new()));
            }
        }
    });
    result_ui(ui, draft, tally, state);
}

fn pattern_ui(ui: &mut Ui, draft: &DraftView, state: &mut SamplesState, outbox: &mut Outbox) {
    let mut text = state
        .pattern
        .clone()
        .unwrap_or_else(|| draft.samples.pattern.clone());
    let field = widgets::line(&mut text)
        .desired_width(250.0)
        .hint_text("{plate}_{well}_{channel}.tif");
    let field = ui
        .add(field)
        .on_hover_text(
            "How your file names are built, with each part in braces. Each part becomes a column",
        )
        .accessible_name("Pattern of the file names");
    if field.changed() {
        outbox.command(Command::SetSamplePattern(text.clone()));
    }
    state.pattern = field.has_focus().then_some(text);
    let first = draft.files.iter().find(|listed| listed.problem.is_none());
    if draft.samples.pattern.is_empty()
        && state.pattern.is_none()
        && let Some(first) = first
    {
        let start = ui.button("Start from a name").on_hover_text(
            "Put the first file's name there; then replace its parts by words in braces",
        );
        if start.clicked() {
            outbox.command(Command::SetSamplePattern(first.file.name.clone()));
        }
    }
}

fn column_ui(ui: &mut Ui, draft: &DraftView, state: &mut SamplesState) {
    let Some(name) = &mut state.column_name else {
        let add = ui
            .button("Add column…")
            .on_hover_text("A column to fill in by hand, such as treatment");
        if add.clicked() {
            state.column_name = Some(String::new());
        }
        return;
    };
    let field = widgets::line(name)
        .desired_width(120.0)
        .hint_text("treatment");
    let field = ui.add(field).accessible_name("Name of the new column");
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let name = name.trim().to_owned();
    let usable = !name.is_empty() && !draft.samples.columns.contains(&name);
    let add = ui.add_enabled(usable, egui::Button::new("Add column"));
    if (add.clicked() || entered) && usable {
        if !state.new_columns.contains(&name) {
            state.new_columns.push(name);
        }
        state.column_name = None;
    } else if ui.button("Cancel").clicked() {
        state.column_name = None;
    }
}

/// What the pattern or the imported table brought.
fn result_ui(ui: &mut Ui, draft: &DraftView, tally: &Tally, state: &mut SamplesState) {
    let samples = &draft.samples;
    if let Some(problem) = &samples.problem {
        widgets::problem(ui, problem);
    }
    let columns = state.columns(draft);
    if columns.is_empty() {
        if samples.problem.is_none() {
            widgets::weak(
                ui,
                "Optional: tells plates, wells or patients apart, so that the files of one sample can be one job",
            );
        }
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let counted: Vec<String> = columns
            .iter()
            .map(|column| match tally.values(Some(column)) {
                Some(count) => {
                    format!("{column} ({})", format::count(count, "value", "values"))
                }
                None => column.clone(),
            })
            .collect();
        let from = if samples.imported.is_empty() {
            String::new()
        } else {
            format!(" from {}", samples.imported)
        };
        widgets::weak(ui, format!("Columns{from}: {}", counted.join(", ")));
        let missing = tally.unmatched.len();
        if missing > 0 {
            let words = format!(
                "{} not fit",
                if missing == 1 {
                    "1 file does".to_owned()
                } else {
                    format!("{} files do", format::grouped(missing as u64))
                }
            );
            let color = Palette::of(ui).warning;
            let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
            widgets::paint_icon(ui, rect, icon::WARNING, 15.0, color);
            ui.label(RichText::new(words).color(color));
            ui.checkbox(&mut state.only_unmatched, "Show only these");
        }
    });
}

/// One cell of the file table.
pub fn cell_ui(
    ui: &mut Ui,
    draft: &Arc<DraftView>,
    listed: &ListedFile,
    column: &str,
    state: &mut SamplesState,
    outbox: &mut Outbox,
) {
    let path = &listed.file.path;
    let is_edited = state
        .cell
        .as_ref()
        .is_some_and(|cell| &cell.path == path && cell.column == column);
    let mut text = match &mut state.cell {
        Some(cell) if is_edited => {
            cell.drawn = true;
            cell.text.clone()
        }
        Some(_) | None => value(draft, path, column).to_owned(),
    };
    ui.spacing_mut().interact_size.y = theme::ROW_HEIGHT - 6.0;
    let width = ui.available_width() - 4.0;
    let edit = widgets::line(&mut text)
        .desired_width(width)
        .margin(egui::vec2(4.0, 2.0));
    let field = ui
        .add(edit)
        .accessible_name(format!("{column} of {}", listed.file.name));
    if field.has_focus() || field.changed() {
        if !is_edited {
            state.commit(draft, outbox);
        }
        state.cell = Some(Cell {
            path: path.clone(),
            column: column.to_owned(),
            text,
            drawn: true,
            sent_over: None,
        });
    }
    if field.lost_focus() && is_edited {
        state.commit(draft, outbox);
    }
}
