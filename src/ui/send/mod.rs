//! The page *Send*: files, where, settings, check and send, filled from top to bottom.

pub mod check;
pub mod files;
pub mod settings;
pub mod targets;

use std::collections::BTreeMap;

use egui::{Frame, Margin, Panel, ScrollArea, Ui};

use crate::engine::snapshot::{DraftView, Snapshot};
use crate::model::batch::{BatchDraft, Target};
use crate::model::ids::{BatchId, ConnectionId};
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::theme::{self, Palette};

/// What Send remembers.
#[derive(Debug, Default)]
pub struct SendState {
    name: String,
    targets: Vec<Target>,
    search: String,
    typed_ids: BTreeMap<ConnectionId, String>,
    /// A path to type, where there is no picker.
    path_field: Option<String>,
    checked: Option<Checked>,
    /// `DraftView::checked` when the check on its way was asked for.
    check_on_its_way: Option<u64>,
    sending: Option<Sending>,
}

/// The draft a check was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Checked {
    draft: BatchDraft,
    files: usize,
    bytes: u64,
}

/// A submission on its way to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sending {
    submitted_before: Option<BatchId>,
    checked_before: u64,
}

impl SendState {
    /// Shows the field for a typed path.
    pub fn type_a_path(&mut self) {
        self.path_field.get_or_insert_default();
    }

    /// The engine did not take the check or the submission.
    pub fn forget_check(&mut self) {
        self.checked = None;
        self.check_on_its_way = None;
        self.sending = None;
    }

    /// What is filled in.
    pub fn draft(&self) -> BatchDraft {
        BatchDraft {
            name: self.name.trim().to_owned(),
            into: None,
            targets: self.targets.clone(),
        }
    }

    fn target(&mut self, connection: ConnectionId, pipeline: &str) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| {
            target.connection == connection && target.pipeline.id.as_str() == pipeline
        })
    }

    /// Takes in what became of the last frame's wishes.
    fn follow(&mut self, snapshot: &Snapshot, outbox: &mut Outbox) {
        self.targets
            .retain(|target| snapshot.connection(target.connection).is_some());
        let draft = &snapshot.draft;
        if let Some(sending) = self.sending {
            if draft.submitted != sending.submitted_before {
                self.sending = None;
                self.name.clear();
                self.checked = None;
                self.check_on_its_way = None;
                if let Some(batch) = draft.submitted {
                    outbox.go(Goal::Batch(batch));
                }
            } else if draft.checked > sending.checked_before {
                // Refused; the findings say why.
                self.sending = None;
            }
        }
        if self
            .check_on_its_way
            .is_some_and(|before| draft.checked > before)
        {
            self.check_on_its_way = None;
        }
    }
}

/// The files that will be sent: those without a problem.
pub fn sendable(draft: &DraftView) -> (usize, u64) {
    draft
        .files
        .iter()
        .filter(|listed| listed.problem.is_none())
        .fold((0, 0), |(count, bytes), listed| {
            (count + 1, bytes + listed.file.size_bytes)
        })
}

/// The page.
pub fn send_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    state.follow(snapshot, outbox);
    let palette = Palette::of(ui);
    Panel::bottom("check and send")
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().fill(palette.page).inner_margin(Margin {
            top: 10,
            ..Margin::ZERO
        }))
        .show(ui, |ui| check::check_ui(ui, snapshot, state, outbox));
    egui::CentralPanel::no_frame().show(ui, |ui| {
        ScrollArea::vertical()
            .auto_shrink(false)
            .content_margin(Margin {
                right: 4,
                ..Margin::ZERO
            })
            .show(ui, |ui| {
                files::files_ui(ui, &snapshot.draft, &mut state.path_field, outbox);
                ui.add_space(theme::BLOCK_GAP - 8.0);
                targets::targets_ui(ui, snapshot, state, outbox);
                ui.add_space(theme::BLOCK_GAP - 8.0);
                settings::settings_ui(ui, snapshot, state, outbox);
            });
    });
}
