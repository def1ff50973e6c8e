//! The page *Send*: files, where, settings, check and send, filled from top to bottom.

pub mod check;
pub mod files;
pub mod picker;
pub mod samples;
pub mod settings;
pub mod tally;
pub mod targets;
pub mod ticked;
pub mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Frame, Margin, Panel, ScrollArea, Ui};

use crate::engine::snapshot::Snapshot;
use crate::model::batch::BatchDraft;
use crate::model::ids::{BatchId, ConnectionId};
use crate::model::samples::SampleTable;
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::send::picker::Picker;
use crate::ui::send::samples::SamplesState;
use crate::ui::send::tally::Tally;
use crate::ui::send::ticked::Ticked;
use crate::ui::theme::{self, Palette};
use crate::ui::thumbnails::Gallery;

/// What Send remembers.
#[derive(Debug, Default)]
pub struct SendState {
    name: String,
    ticked: Vec<Ticked>,
    search: String,
    typed_ids: BTreeMap<ConnectionId, String>,
    path_field: Option<PathField>,
    samples: SamplesState,
    tally: Tally,
    gallery: Gallery,
    picker: Option<Picker>,
    checked: Option<Checked>,
    /// `DraftView::checked` when the check on its way was asked for.
    check_on_its_way: Option<u64>,
    sending: Option<Sending>,
}

/// A path to type, where there is no picker.
#[derive(Debug, Default)]
struct PathField {
    text: String,
    /// Whether it is of a table of samples, and not of files to send.
    is_samples: bool,
}

/// The draft a check was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Checked {
    draft: BatchDraft,
    files: usize,
    bytes: u64,
    samples: Arc<SampleTable>,
}

/// A submission on its way to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sending {
    submitted_before: Option<BatchId>,
    checked_before: u64,
}

impl SendState {
    /// Shows the field for a typed path: of files to send, or of a table of samples.
    pub fn type_a_path(&mut self, is_samples: bool) {
        let field = self.path_field.get_or_insert_default();
        if field.is_samples != is_samples {
            *field = PathField {
                text: String::new(),
                is_samples,
            };
        }
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
            targets: self
                .ticked
                .iter()
                .map(|ticked| ticked.target.clone())
                .collect(),
        }
    }

    /// Takes in what became of the last frame's wishes.
    fn follow(&mut self, snapshot: &Snapshot, outbox: &mut Outbox) {
        self.ticked
            .retain(|ticked| snapshot.connection(ticked.target.connection).is_some());
        for ticked in &mut self.ticked {
            ticked.judge(snapshot);
        }
        let draft = &snapshot.draft;
        self.tally.follow(draft);
        if let Some(sending) = self.sending {
            // None at all is the draft on its way.
            if draft.submitted.is_some() && draft.submitted != sending.submitted_before {
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
                files::files_ui(ui, snapshot, state, outbox);
                ui.add_space(theme::BLOCK_GAP - 8.0);
                targets::targets_ui(ui, snapshot, state, outbox);
                ui.add_space(theme::BLOCK_GAP - 8.0);
                settings::settings_ui(ui, snapshot, state, outbox);
            });
    });
    picker::picker_ui(ui.ctx(), snapshot, &mut state.picker, outbox);
}
