//! Block three of Send: for each ticked pipeline, the form it really has, and the name of the batch.
//!
//! `form` puts the fields in order, `field` is one of them, `value` and `file` are the editors of each kind.

mod field;
mod file;
mod form;
mod free;
mod saved;
mod value;

pub(in crate::ui::send) use file::picked_ui;

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, Loadable, Snapshot};
use crate::model::batch::FindingWeight;
use crate::model::provider::ProviderFacts;
use crate::ui::outbox::Outbox;
use crate::ui::send::SendState;
use crate::ui::send::picker::Picker;
use crate::ui::send::ticked::Ticked;
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// What the editors of one target need besides its values.
struct Desk<'a> {
    view: &'a ConnectionView,
    facts: Option<&'static ProviderFacts>,
    /// What the look-over found, of all targets.
    snapshot: &'a Snapshot,
    /// Which of the draft's targets it is.
    at: usize,
    /// Whether it uses inputs at the platform instead of the files of the batch.
    uses_existing: bool,
    picker: &'a mut Option<Picker>,
    outbox: &'a mut Outbox,
}

/// The block.
pub fn settings_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    let ready = !state.ticked.is_empty() && problem_count(state) == 0;
    widgets::card(ui, |ui| {
        widgets::step_title(ui, 3, "Settings", ready);
        widgets::text_field(
            ui,
            "Batch name",
            &mut state.name,
            "Today's date, unless you name it",
        );
        if state.ticked.is_empty() {
            widgets::weak(ui, "Settings of a pipeline appear here once it is ticked");
        }
        for (at, ticked) in state.ticked.iter_mut().enumerate() {
            let Some(view) = snapshot.connection(ticked.target.connection) else {
                continue;
            };
            let mut desk = Desk {
                view,
                facts: snapshot.facts(&view.connection.provider),
                snapshot,
                at,
                uses_existing: !ticked.target.existing.is_empty(),
                picker: &mut state.picker,
                outbox,
            };
            let salt = (view.connection.id.0, ticked.target.pipeline.id.0.clone());
            ui.push_id(salt, |ui| {
                ui.separator();
                target_ui(ui, &mut desk, ticked);
            });
        }
    });
}

/// How many settings cannot be sent as they are.
pub fn problem_count(state: &SendState) -> usize {
    state
        .ticked
        .iter()
        .map(|ticked| ticked.problems().len())
        .sum()
}

fn target_ui(ui: &mut Ui, desk: &mut Desk<'_>, ticked: &mut Ticked) {
    let view = desk.view;
    let pipeline = ticked.target.pipeline.clone();
    ui.horizontal(|ui| {
        ui.label(RichText::new(&pipeline.name).strong());
        widgets::weak(
            ui,
            format!("{}, {}", view.connection.label, view.provider_name),
        );
    });
    match view.forms.get(&pipeline.id) {
        None | Some(Loadable::NotAsked | Loadable::Loading) => {
            widgets::busy(ui, "Reading its settings");
        }
        Some(Loadable::Failed(words)) => {
            widgets::sentences(ui, words);
            if ui.button("Try again").clicked() {
                let read = Command::ReadForm(view.connection.id, pipeline.id);
                desk.outbox.command(read);
            }
        }
        Some(Loadable::Ready(form)) => {
            let before = ticked.target.settings.clone();
            if form.free_form || form.fields.iter().any(|field| !field.hidden) {
                saved::saved_ui(ui, desk, form, ticked);
            }
            form::form_ui(ui, desk, form, ticked);
            if ticked.target.settings != before {
                // The button below is drawn first and has to know.
                ui.ctx().request_repaint();
            }
        }
    }
}

/// A finding, with an icon of its weight.
pub fn finding_ui(ui: &mut Ui, weight: FindingWeight, words: &str) {
    let palette = Palette::of(ui);
    match weight {
        FindingWeight::Blocks => widgets::marked(ui, icon::BAD, palette.bad, words),
        FindingWeight::Warns => widgets::marked(ui, icon::WARNING, palette.warning, words),
    }
}
