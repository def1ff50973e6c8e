//! The editor of a field that takes files: the job's own, or inputs that are at the platform already.

use egui::Ui;

use crate::model::form::{FileRule, Value};
use crate::model::provider::Intake;
use crate::model::remote::StagedFile;
use crate::ui::send::picker::{Picker, Wanted};
use crate::ui::send::settings::Desk;
use crate::ui::send::settings::field::Spot;
use crate::ui::widgets;

/// The editor.
pub(super) fn file_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    rule: &FileRule,
    spot: &Spot,
    value: &mut Option<Value>,
) -> bool {
    let mut changed = false;
    if let Some(picked) = Picker::take(desk.picker, &spot.key) {
        *value = Some(Value::Picked(picked));
        changed = true;
    }
    let browses = desk
        .facts
        .is_some_and(|facts| facts.capabilities.browses_inputs);
    ui.horizontal_wrapped(|ui| {
        let choose = |ui: &mut Ui, now: bool, words: &str| {
            let name = format!("{words}, {}", spot.name);
            ui.radio(now, words).accessible_name(name).clicked()
        };
        if spot.optional && choose(ui, value.is_none(), "None") {
            *value = None;
            changed = true;
        }
        let own = if desk.uses_existing {
            "What is picked under Where"
        } else {
            "The batch's files"
        };
        if !rule.folder && choose(ui, *value == Some(Value::Inputs), own) {
            *value = Some(Value::Inputs);
            changed = true;
        }
        let is_picked = matches!(value, Some(Value::Picked(_)));
        let pick = format!("Pick at {}…", desk.view.provider_name);
        if browses && choose(ui, is_picked, &pick) {
            open(desk, rule, spot, value.as_ref());
        }
    });
    if let Some(Value::Picked(files)) = value {
        let before = files.len();
        picked_ui(ui, files);
        changed |= files.len() != before;
    }
    if !rule.endings.is_empty() && !rule.folder {
        widgets::weak(
            ui,
            format!("Meant for files ending in {}", rule.endings.join(", ")),
        );
    }
    changed
}

fn open(desk: &mut Desk<'_>, rule: &FileRule, spot: &Spot, value: Option<&Value>) {
    let Some(facts) = desk.facts else {
        return;
    };
    // What is gathered out of a bucket is one input made of many files: it is given where files are wanted.
    let of_collections = facts.capabilities.intake == Intake::ThroughBucket;
    let wanted = Wanted {
        noun: if rule.folder {
            "folder"
        } else {
            facts.nouns.input
        },
        many: rule.many,
        folders: rule.folder || of_collections,
        files: !rule.folder,
        endings: rule.endings.clone(),
    };
    let chosen = match value {
        Some(Value::Picked(files)) => files.clone(),
        Some(
            Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Inputs | Value::Variant(..),
        )
        | None => Vec::new(),
    };
    let connection = desk.view.connection.id;
    *desk.picker = Some(Picker::open(
        spot.key.clone(),
        connection,
        wanted,
        chosen,
        desk.outbox,
    ));
}

/// What was picked, each with a way to take it out again.
pub(in crate::ui::send) fn picked_ui(ui: &mut Ui, files: &mut Vec<StagedFile>) {
    let mut removed = None;
    ui.indent("picked", |ui| {
        for (at, file) in files.iter().enumerate() {
            ui.horizontal(|ui| {
                let name = format!("Remove {}", file.name);
                if widgets::bare_button(ui, "×", &name).clicked() {
                    removed = Some(at);
                }
                widgets::one_line(ui, &file.name).on_hover_text(&file.id);
            });
        }
    });
    if let Some(at) = removed {
        files.remove(at);
    }
}
