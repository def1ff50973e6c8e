//! Block three of Send: for each ticked pipeline, the form it really has, and the name of the batch.

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{DraftView, Loadable, Snapshot};
use crate::model::batch::{FindingWeight, Target};
use crate::model::form::{Field, FieldKind, Form, Settings, Value};
use crate::ui::outbox::Outbox;
use crate::ui::send::SendState;
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// The block.
pub fn settings_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    let ready = !state.targets.is_empty() && problem_count(snapshot, state) == 0;
    widgets::card(ui, |ui| {
        widgets::step_title(ui, 3, "Settings", ready);
        widgets::text_field(
            ui,
            "Batch name",
            &mut state.name,
            "Today's date, unless you name it",
        );
        if state.targets.is_empty() {
            widgets::weak(ui, "Settings of a pipeline appear here once it is ticked");
        }
        for (at, target) in state.targets.iter_mut().enumerate() {
            ui.push_id(at, |ui| {
                ui.separator();
                target_ui(ui, snapshot, at, target, outbox);
            });
        }
    });
}

/// How many settings cannot be sent as they are.
pub fn problem_count(snapshot: &Snapshot, state: &SendState) -> usize {
    state
        .targets
        .iter()
        .filter_map(|target| {
            let form = form_of(snapshot, target)?;
            Some(form.problems(&form.filled(&target.settings)).len())
        })
        .sum()
}

fn form_of<'a>(snapshot: &'a Snapshot, target: &Target) -> Option<&'a Form> {
    let view = snapshot.connection(target.connection)?;
    match view.forms.get(&target.pipeline.id)? {
        Loadable::Ready(form) => Some(form),
        Loadable::NotAsked | Loadable::Loading | Loadable::Failed(_) => None,
    }
}

fn target_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    at: usize,
    target: &mut Target,
    outbox: &mut Outbox,
) {
    let Some(view) = snapshot.connection(target.connection) else {
        return;
    };
    ui.horizontal(|ui| {
        ui.label(RichText::new(&target.pipeline.name).strong());
        widgets::weak(
            ui,
            format!("{}, {}", view.connection.label, view.provider_name),
        );
    });
    let read = Command::ReadForm(target.connection, target.pipeline.id.clone());
    match view.forms.get(&target.pipeline.id) {
        None | Some(Loadable::NotAsked | Loadable::Loading) => {
            widgets::busy(ui, "Reading its settings");
        }
        Some(Loadable::Failed(words)) => {
            widgets::sentences(ui, words);
            if ui.button("Try again").clicked() {
                outbox.command(read);
            }
        }
        Some(Loadable::Ready(form)) if form.fields.is_empty() => {
            widgets::weak(ui, "This one has no settings");
        }
        Some(Loadable::Ready(form)) => form_ui(ui, form, target, at, &snapshot.draft),
    }
}

fn form_ui(ui: &mut Ui, form: &Form, target: &mut Target, at: usize, draft: &DraftView) {
    let problems = form.problems(&form.filled(&target.settings));
    for field in &form.fields {
        ui.push_id(&field.name, |ui| {
            field_ui(ui, field, &mut target.settings);
            let local = problems
                .iter()
                .filter(|problem| problem.field == field.name)
                .map(|problem| (FindingWeight::Blocks, problem.words.as_str()));
            let found = draft
                .findings
                .iter()
                .filter(|finding| {
                    finding.target == Some(at) && finding.field.as_ref() == Some(&field.name)
                })
                .map(|finding| (finding.weight, finding.words.as_str()));
            let mut said: Vec<(FindingWeight, &str)> = Vec::new();
            for (weight, words) in local.chain(found) {
                if !said.iter().any(|(_, before)| *before == words) {
                    said.push((weight, words));
                    finding_ui(ui, weight, words);
                }
            }
        });
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

fn field_ui(ui: &mut Ui, field: &Field, settings: &mut Settings) {
    let current = settings
        .get(&field.name)
        .or(field.default.as_ref())
        .cloned();
    if field.kind == FieldKind::Flag {
        let mut on = current.as_ref().is_some_and(Value::is_on);
        let tick = ui.checkbox(&mut on, &field.label);
        if !field.help.is_empty() {
            ui.indent("help", |ui| widgets::weak(ui, &field.help));
        }
        if tick.changed() {
            settings.insert(field.name.clone(), Value::Flag(on));
        }
        return;
    }
    let label = if field.required {
        format!("{} (required)", field.label)
    } else {
        field.label.clone()
    };
    let label = ui.label(RichText::new(label).strong());
    let mut text = current.as_ref().map(Value::shown).unwrap_or_default();
    let changed = match &field.kind {
        FieldKind::Flag => false,
        FieldKind::Text(_) => {
            let width = ui.available_width().min(440.0);
            let edit = widgets::line(&mut text).desired_width(width);
            ui.add(edit).labelled_by(label.id).changed()
        }
        FieldKind::Number { min, max, .. } => {
            let hint = bounds(*min, *max);
            let edit = widgets::line(&mut text)
                .desired_width(140.0)
                .hint_text(hint.clone());
            ui.horizontal(|ui| {
                let changed = ui.add(edit).labelled_by(label.id).changed();
                widgets::weak(ui, hint);
                changed
            })
            .inner
        }
        FieldKind::Choice(choices) => choice_ui(ui, field, label.id, choices, &mut text),
        // TODO: these kinds (settled with the forms of the two platforms that have them).
        FieldKind::List(_) | FieldKind::File(_) | FieldKind::Json | FieldKind::Either(_) => false,
    };
    if !field.help.is_empty() {
        widgets::weak(ui, &field.help);
    }
    if changed {
        settings.insert(field.name.clone(), Value::Text(text));
    }
}

fn choice_ui(
    ui: &mut Ui,
    field: &Field,
    label: egui::Id,
    choices: &[String],
    text: &mut String,
) -> bool {
    let mut changed = false;
    let shown = if text.is_empty() {
        "Choose…"
    } else {
        text.as_str()
    }
    .to_owned();
    egui::ComboBox::from_id_salt(&field.name)
        .selected_text(shown)
        .width(240.0)
        .show_ui(ui, |ui| {
            if !field.required && ui.selectable_label(text.is_empty(), "None").clicked() {
                text.clear();
                changed = true;
            }
            for choice in choices {
                if ui.selectable_label(text == choice, choice).clicked() {
                    text.clone_from(choice);
                    changed = true;
                }
            }
        })
        .response
        .labelled_by(label);
    changed
}

/// What a number may be, such as `1 to 9`.
fn bounds(min: Option<f64>, max: Option<f64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("{max} or less"),
        (None, None) => String::new(),
    }
}
