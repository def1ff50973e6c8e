//! The editors of values, one a kind. Each says whether the value changed; no value is none entered.

use egui::{TextEdit, TextStyle, Ui};

use crate::model::form::{FieldKind, Value, Variant};
use crate::ui::send::settings::field::Spot;
use crate::ui::send::settings::{Desk, file};
use crate::ui::widgets;

/// Width of a field for text, in points.
const TEXT_WIDTH: f32 = 440.0;

/// The editor of this kind.
pub(super) fn value_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    kind: &FieldKind,
    spot: &Spot,
    value: &mut Option<Value>,
) -> bool {
    match kind {
        FieldKind::Flag => states_ui(ui, spot, value),
        FieldKind::Text(_) => text_ui(ui, spot, TEXT_WIDTH, value),
        FieldKind::Number { min, max, .. } => {
            let bounds = bounds(*min, *max);
            ui.horizontal(|ui| {
                let changed = text_ui(ui, spot, 140.0, value);
                if !bounds.is_empty() {
                    widgets::weak(ui, bounds);
                }
                changed
            })
            .inner
        }
        FieldKind::Choice(choices) => choice_ui(ui, spot, choices, value),
        FieldKind::List(kind) => list_ui(ui, desk, kind, spot, value),
        FieldKind::File(rule) => file::file_ui(ui, desk, rule, spot, value),
        FieldKind::Json => json_ui(ui, spot, value),
        FieldKind::Either(variants) => either_ui(ui, desk, variants, spot, value),
    }
}

/// A flag that is on or off from the start.
pub(super) fn box_ui(ui: &mut Ui, label: &str, value: &mut Option<Value>) -> bool {
    let mut on = value.as_ref().is_some_and(Value::is_on);
    let changed = ui.checkbox(&mut on, label).changed();
    if changed {
        *value = Some(Value::Flag(on));
    }
    changed
}

/// A flag that may also be left to the pipeline.
fn states_ui(ui: &mut Ui, spot: &Spot, value: &mut Option<Value>) -> bool {
    let now = match value {
        Some(Value::Flag(on)) => Some(*on),
        Some(
            Value::Text(_) | Value::List(_) | Value::Inputs | Value::Picked(_) | Value::Variant(..),
        )
        | None => None,
    };
    let mut changed = false;
    ui.horizontal(|ui| {
        let states = [(None, "Not set"), (Some(true), "Yes"), (Some(false), "No")];
        for (state, words) in states {
            if state.is_none() && !spot.optional {
                continue;
            }
            let radio = ui
                .radio(now == state, words)
                .accessible_name(format!("{words}, {}", spot.name));
            if radio.clicked() {
                *value = state.map(Value::Flag);
                changed = true;
            }
        }
    });
    changed
}

fn text_ui(ui: &mut Ui, spot: &Spot, width: f32, value: &mut Option<Value>) -> bool {
    let mut text = typed(value.as_ref());
    let width = ui.available_width().min(width);
    let edit = widgets::line(&mut text).desired_width(width);
    let changed = spot.name(ui.add(edit)).changed();
    if changed {
        *value = (!text.is_empty()).then_some(Value::Text(text));
    }
    changed
}

fn json_ui(ui: &mut Ui, spot: &Spot, value: &mut Option<Value>) -> bool {
    let mut text = typed(value.as_ref());
    let width = ui.available_width().min(TEXT_WIDTH * 1.4);
    let edit = TextEdit::multiline(&mut text)
        .font(TextStyle::Monospace)
        .desired_rows(4)
        .desired_width(width)
        .hint_text("JSON, such as {\"low\": 1, \"high\": 9}");
    let changed = spot.name(ui.add(edit)).changed();
    if changed {
        *value = (!text.trim().is_empty()).then_some(Value::Text(text));
    }
    changed
}

fn choice_ui(ui: &mut Ui, spot: &Spot, choices: &[String], value: &mut Option<Value>) -> bool {
    let text = typed(value.as_ref());
    let shown = if text.is_empty() { "Choose…" } else { &text };
    let mut chosen = None;
    let combo = egui::ComboBox::from_id_salt(&spot.key)
        .selected_text(shown)
        .width(240.0)
        .show_ui(ui, |ui| {
            if spot.optional && widgets::option(ui, text.is_empty(), "None") {
                chosen = Some(None);
            }
            for choice in choices {
                if widgets::option(ui, &text == choice, choice) {
                    chosen = Some(Some(Value::Text(choice.clone())));
                }
            }
        });
    spot.name(combo.response);
    match chosen {
        Some(choice) => {
            *value = choice;
            true
        }
        None => false,
    }
}

/// One line an entry.
fn list_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    kind: &FieldKind,
    spot: &Spot,
    value: &mut Option<Value>,
) -> bool {
    let mut entries = match value {
        Some(Value::List(entries)) => entries.clone(),
        Some(_) | None => Vec::new(),
    };
    let mut changed = false;
    let mut removed = None;
    for (at, entry) in entries.iter_mut().enumerate() {
        let inner = spot.inside(at, format!("{}, entry {}", spot.name, at + 1));
        ui.push_id(at, |ui| {
            ui.horizontal_top(|ui| {
                let remove = widgets::bare_button(ui, "×", &format!("Remove {}", inner.name));
                if remove.clicked() {
                    removed = Some(at);
                }
                ui.vertical(|ui| {
                    let mut held = Some(entry.clone());
                    if value_ui(ui, desk, kind, &inner, &mut held) {
                        *entry = held.unwrap_or(Value::Text(String::new()));
                        changed = true;
                    }
                });
            });
        });
    }
    let add = ui
        .button("Add")
        .accessible_name(format!("Add to {}", spot.name));
    if add.clicked() {
        entries.push(first_value(kind));
        changed = true;
    }
    if let Some(at) = removed {
        entries.remove(at);
        changed = true;
    }
    if changed {
        *value = (!entries.is_empty()).then_some(Value::List(entries));
    }
    changed
}

/// The kind first, then its editor.
fn either_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    variants: &[Variant],
    spot: &Spot,
    value: &mut Option<Value>,
) -> bool {
    let (now, inner) = match value.take() {
        Some(Value::Variant(at, inner)) => (Some(at), Some(*inner)),
        other => {
            *value = other;
            (None, None)
        }
    };
    let mut chosen = now;
    let words = now
        .and_then(|at| variants.get(at))
        .map_or("Not set", |variant| &variant.label);
    let combo = egui::ComboBox::from_id_salt(&spot.key)
        .selected_text(words)
        .show_ui(ui, |ui| {
            if spot.optional && widgets::option(ui, now.is_none(), "Not set") {
                chosen = None;
            }
            for (at, variant) in variants.iter().enumerate() {
                if widgets::option(ui, now == Some(at), &variant.label) {
                    chosen = Some(at);
                }
            }
        });
    combo
        .response
        .accessible_name(format!("Kind of {}", spot.name));
    let Some((at, variant)) = chosen.and_then(|at| Some((at, variants.get(at)?))) else {
        if chosen != now {
            *value = None;
        }
        return chosen != now;
    };
    let mut held = if chosen == now {
        inner
    } else {
        Some(first_value(&variant.kind))
    };
    let edited = ui
        .push_id(at, |ui| {
            let inner = spot.inside(at, spot.name.clone());
            value_ui(ui, desk, &variant.kind, &inner, &mut held)
        })
        .inner;
    let held = held.unwrap_or(Value::Text(String::new()));
    *value = Some(Value::Variant(at, Box::new(held)));
    edited || chosen != now
}

/// What a new entry holds before anything is entered.
fn first_value(kind: &FieldKind) -> Value {
    match kind {
        FieldKind::Flag => Value::Flag(false),
        FieldKind::Text(_) | FieldKind::Number { .. } | FieldKind::Choice(_) | FieldKind::Json => {
            Value::Text(String::new())
        }
        FieldKind::List(_) => Value::List(Vec::new()),
        FieldKind::File(rule) if rule.folder => Value::Picked(Vec::new()),
        FieldKind::File(_) => Value::Inputs,
        FieldKind::Either(variants) => match variants.first() {
            Some(variant) => Value::Variant(0, Box::new(first_value(&variant.kind))),
            None => Value::Text(String::new()),
        },
    }
}

/// What was typed so far.
fn typed(value: Option<&Value>) -> String {
    value.and_then(Value::text).unwrap_or_default().to_owned()
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
