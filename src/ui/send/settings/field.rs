//! One field of a form: its label, its editor, its explanation, and the way back to what was filled in at first.

use egui::{RichText, Ui};

use crate::model::batch::Target;
use crate::model::form::{Field, FieldKind, Value};
use crate::ui::send::settings::{Desk, value};
use crate::ui::widgets;

/// Where a value stands: what an editor calls itself, and under which key it asks for inputs.
pub(super) struct Spot {
    /// Unique in the window.
    pub key: String,
    /// What a screen reader says.
    pub name: String,
    /// The label on screen, where there is one.
    pub label: Option<egui::Id>,
    /// Whether it may be left without a value.
    pub optional: bool,
}

impl Spot {
    /// An entry of a list, or a kind of several.
    pub(super) fn inside(&self, at: usize, name: String) -> Self {
        Self {
            key: format!("{}/{at}", self.key),
            name,
            label: None,
            optional: false,
        }
    }

    /// Names an input.
    pub(super) fn name(&self, response: egui::Response) -> egui::Response {
        match self.label {
            Some(label) => response.labelled_by(label),
            None => response.accessible_name(&self.name),
        }
    }
}

/// The field.
pub(super) fn field_ui(ui: &mut Ui, desk: &mut Desk<'_>, field: &Field, target: &mut Target) {
    let given = target.settings.get(&field.name).cloned();
    let mut spot = Spot {
        key: format!(
            "{} {} {}",
            target.connection, target.pipeline.id, field.name
        ),
        name: field.label.clone(),
        label: None,
        optional: !field.required,
    };
    let mut current = given.clone().or_else(|| field.default.clone());
    let is_box = field.kind == FieldKind::Flag && field.default.is_some();
    let mut reset = false;
    let mut changed = false;
    ui.horizontal(|ui| {
        if !is_box {
            ui.spacing_mut().interact_size.y = 20.0;
        }
        if is_box {
            changed = value::box_ui(ui, &field.label, &mut current);
        } else {
            let label = if field.required {
                format!("{} (required)", field.label)
            } else {
                field.label.clone()
            };
            spot.label = Some(ui.label(RichText::new(label).strong()).id);
        }
        if given.is_some() {
            reset = reset_ui(ui, field);
        }
    });
    if !is_box {
        changed = value::value_ui(ui, desk, &field.kind, &spot, &mut current);
    }
    if !field.help.is_empty() {
        if is_box {
            ui.indent("help", |ui| widgets::weak(ui, &field.help));
        } else {
            widgets::weak(ui, &field.help);
        }
    }
    if reset {
        target.settings.remove(&field.name);
    } else if changed {
        keep(field, current, target);
    }
}

fn reset_ui(ui: &mut Ui, field: &Field) -> bool {
    let back_to = match field.default.as_ref().map(Value::shown) {
        Some(default) if !default.is_empty() => format!("Back to {default}"),
        Some(_) | None => "Back to no value".to_owned(),
    };
    let button = egui::Button::new(RichText::new("Reset").small())
        .small()
        .frame_when_inactive(false);
    ui.add(button)
        .on_hover_text(back_to)
        .accessible_name(format!("Reset {}", field.label))
        .clicked()
}

/// Only what differs from what was filled in at first is kept. A default that was emptied is an empty text.
fn keep(field: &Field, value: Option<Value>, target: &mut Target) {
    let value = match value {
        Some(value) => Some(value),
        None => field.default.as_ref().map(|_| Value::Text(String::new())),
    };
    match value {
        Some(value) if field.default.as_ref() != Some(&value) => {
            target.settings.insert(field.name.clone(), value);
        }
        Some(_) | None => {
            target.settings.remove(&field.name);
        }
    }
}
