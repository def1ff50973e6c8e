//! A table of any length: what is known of it, what can be asked of it, its rows or a plot of them.

mod axes;
mod bar;
mod card;
mod choose;
mod column;
mod grid;
mod guess;
mod plot;
mod reading;
mod scroll;
mod widths;

use std::path::{Path, PathBuf};

use egui::{Context, Ui};

use crate::engine::command::Command;
use crate::model::table::{CopyWish, Query, SaveForm, TablePage, TableWish};
use crate::ui::desktop::PickFor;
use crate::ui::outbox::Outbox;
use crate::ui::theme::Palette;

/// Where the table stands.
#[derive(Debug, Default)]
pub struct TableState {
    path: PathBuf,
    opening: u64,
    shape: usize,
    columns: usize,
    /// Columns shown, in order; the first stays at the left.
    order: Vec<usize>,
    /// Width of each column, in points, whether shown or not.
    widths: Vec<f32>,
    /// First row on screen, as a place in what is shown.
    top: u64,
    /// Part of a row that the wheel has gathered, in points.
    wheel: f32,
    chosen: Option<choose::Chosen>,
    asked: Option<(u64, usize)>,
    /// What the rows on screen answer.
    query: Query,
    find: String,
    go_to: String,
    /// Answers that were taken already.
    found: u64,
    copied: u64,
    cards: bool,
    asked_cards: Vec<usize>,
    editing: column::Editing,
    plotting: plot::Plotting,
    /// What a path is typed for, where there is no picker.
    typing: Option<(PickFor, String)>,
}

impl TableState {
    fn adopt(&mut self, context: &Context, path: &Path, page: &TablePage) {
        if self.path != path
            || self.opening != page.opening
            || self.shape != page.shape
            || self.columns != page.columns.len()
        {
            *self = Self {
                path: path.to_owned(),
                opening: page.opening,
                shape: page.shape,
                columns: page.columns.len(),
                order: (0..page.columns.len()).collect(),
                widths: widths::widths(context, page),
                query: page.query.clone(),
                cards: self.cards,
                ..Self::default()
            };
        }
        if self.query != page.query {
            self.query = page.query.clone();
            self.top = 0;
            self.chosen = None;
            self.asked = None;
        }
    }

    /// What to do with a file that was picked.
    pub fn picked(&mut self, what: PickFor, path: PathBuf) -> Option<Command> {
        let form = match what {
            PickFor::TableCsv => SaveForm::Csv,
            PickFor::TableExcel => SaveForm::Excel,
            PickFor::Plot => return Some(Command::Table(TableWish::SavePlot(path))),
            PickFor::Files
            | PickFor::Folder
            | PickFor::ResultsFolder
            | PickFor::Authority
            | PickFor::SampleTable
            | PickFor::Report => return None,
        };
        Some(Command::Table(TableWish::Save {
            columns: self.order.clone(),
            path,
            form,
        }))
    }

    /// Shows a field for the path, since there is no picker.
    pub fn type_a_path(&mut self, what: PickFor) {
        self.typing = Some((what, String::new()));
    }
}

/// The table with everything around it.
pub fn table_ui(
    ui: &mut Ui,
    path: &Path,
    page: &TablePage,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    state.adopt(ui.ctx(), path, page);
    choose::take_answers(ui, page, state);
    bar::about_ui(ui, page, state, outbox);
    bar::tools_ui(ui, page, state, outbox);
    bar::asked_ui(ui, page, outbox);
    bar::notes_ui(ui, page, state, outbox);
    if state.plotting.is_open {
        plot::plot_ui(ui, page, &mut state.plotting, outbox);
        return;
    }
    let palette = Palette::of(ui);
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(4)
        .show(ui, |ui| grid::grid_ui(ui, page, state, outbox));
}

/// Asks the open table.
fn ask(outbox: &mut Outbox, wish: TableWish) {
    outbox.command(Command::Table(wish));
}

fn copy(outbox: &mut Outbox, wish: CopyWish) {
    ask(outbox, TableWish::Copy(wish));
}
