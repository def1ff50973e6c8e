//! The page *Results*: batches, jobs and files at the left, the chosen file at the right.

pub mod batch;
pub mod find;
pub mod image;
pub mod json;
pub mod other;
pub mod preview;
pub mod rows;
mod stack;
pub mod table;
pub mod text;
pub mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;

use egui::{Frame, Margin, Panel, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::ids::{BatchId, JobId};
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Goal, Outbox, Place};
use crate::ui::theme::{Palette, icon};
use crate::ui::thumbnails::Gallery;
use crate::ui::widgets;

/// What Results remembers.
#[derive(Debug, Default)]
pub struct ResultsState {
    chosen: Option<ChosenResult>,
    open_batches: BTreeSet<BatchId>,
    folded_jobs: BTreeSet<JobId>,
    words: String,
    rows: tree::Rows,
    gallery: Gallery,
    table: table::TableState,
    image: image::ImageState,
    text: text::TextState,
    /// Waits for a file that was asked for without knowing which.
    follows: bool,
    /// The preview that stood before it.
    stood_before: Option<PathBuf>,
    batch: batch::BatchState,
    json: json::JsonState,
}

/// What is chosen in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChosenResult {
    /// A batch.
    Batch(BatchId),
    /// A job.
    Job(JobId),
    /// All tables of a batch as one.
    Stack(BatchId),
    /// A file.
    File(PathBuf),
}

impl ResultsState {
    /// Opens a batch in the tree.
    pub fn show_batch(&mut self, batch: BatchId) {
        self.words.clear();
        self.open_batches.insert(batch);
        self.chosen = Some(ChosenResult::Batch(batch));
        self.rows.forget();
    }

    /// Opens a job in the tree.
    pub fn show_job(&mut self, batch: BatchId, job: JobId) {
        self.show_batch(batch);
        self.folded_jobs.remove(&job);
        self.chosen = Some(ChosenResult::Job(job));
    }

    /// Notices that a file was asked for by something in it.
    fn notice(&mut self, snapshot: &Snapshot, outbox: &Outbox) {
        for command in &outbox.commands {
            match command {
                Command::ShowObject { .. } | Command::ShowObjectRow { .. } => {
                    let preview = snapshot.preview.as_ref();
                    self.stood_before = preview.map(|preview| preview.path.clone());
                    self.follows = true;
                }
                Command::OpenPreview(_) => self.follows = false,
                _ => {}
            }
        }
    }

    /// Chooses the file that was asked for so, once it is known which.
    fn follow(&mut self, snapshot: &Snapshot) {
        let path = snapshot.preview.as_ref().map(|preview| &preview.path);
        if let Some(path) = path.filter(|path| self.stood_before.as_ref() != Some(path))
            && self.follows
        {
            self.chosen = Some(ChosenResult::File(path.clone()));
            self.follows = false;
            self.rows.forget();
        }
    }

    /// Opens a job in the tree and chooses one of its files; the preview is asked for by whoever goes there.
    pub fn show_file(&mut self, batch: BatchId, job: JobId, path: PathBuf) {
        self.show_job(batch, job);
        self.chosen = Some(ChosenResult::File(path));
    }
}

impl ResultsState {
    /// What to do with a file that was picked for what is shown.
    pub fn picked(&mut self, what: PickFor, path: PathBuf) -> Option<Command> {
        self.table.picked(what, path)
    }

    /// Shows a field for the path, since there is no picker.
    pub fn type_a_path(&mut self, what: PickFor) {
        self.table.type_a_path(what);
    }
}

/// The page.
pub fn results_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut ResultsState, outbox: &mut Outbox) {
    if snapshot.batches.is_empty() {
        widgets::page_title(ui, "Results");
        widgets::empty(
            ui,
            icon::RESULTS,
            "No results yet",
            "What comes back from the platforms is listed here, ready to read",
        );
        ui.vertical_centered(|ui| {
            ui.add_space(8.0);
            if widgets::primary_button(ui, "Go to Send", true).clicked() {
                outbox.go(Goal::Place(Place::Send));
            }
        });
        return;
    }
    let palette = Palette::of(ui);
    Panel::left("tree")
        .resizable(true)
        .default_size(290.0)
        .size_range(220.0..=520.0)
        .show_separator_line(false)
        .frame(Frame::new().fill(palette.page).inner_margin(Margin {
            right: 14,
            ..Margin::ZERO
        }))
        .show(ui, |ui| tree::tree_ui(ui, snapshot, state, outbox));
    state.follow(snapshot);
    egui::CentralPanel::no_frame().show(ui, |ui| preview::preview_ui(ui, snapshot, state, outbox));
    state.notice(snapshot, outbox);
}
