//! Settings kept under a name: choosing, keeping, removing.

use egui::{PopupCloseBehavior, Ui};

use crate::engine::command::Command;
use crate::model::form::{Form, Settings};
use crate::model::settings::SavedSettings;
use crate::ui::send::settings::Desk;
use crate::ui::send::ticked::Ticked;
use crate::ui::widgets;

/// The line.
pub(super) fn saved_ui(ui: &mut Ui, desk: &mut Desk<'_>, form: &Form, ticked: &mut Ticked) {
    let provider = desk.view.connection.provider.clone();
    let pipeline = ticked.target.pipeline.clone();
    let mut known: Vec<&SavedSettings> = desk
        .snapshot
        .settings
        .saved
        .iter()
        .filter(|saved| saved.provider == provider && saved.pipeline == pipeline.id)
        .collect();
    known.sort_by_key(|saved| saved.name.to_lowercase());
    ui.horizontal_wrapped(|ui| {
        if !known.is_empty() {
            choose_ui(ui, desk, form, ticked, &known);
        }
        match ticked.save_as.as_mut() {
            None => {
                let button = ui
                    .button("Save settings as…")
                    .on_hover_text("Keep them under a name, to be used again")
                    .accessible_name(format!("Save settings of {} as…", pipeline.name));
                if button.clicked() {
                    ticked.save_as = Some(String::new());
                }
            }
            Some(name) => {
                let field = widgets::line(name)
                    .desired_width(200.0)
                    .hint_text("A name for these settings");
                let field = ui.add(field).accessible_name("Name of the saved settings");
                let entered =
                    field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                let name = name.trim().to_owned();
                let replaces = known.iter().any(|saved| saved.name == name);
                let words = if replaces { "Replace" } else { "Save" };
                let save = ui.add_enabled(!name.is_empty(), egui::Button::new(words));
                if (save.clicked() || entered) && !name.is_empty() {
                    desk.outbox
                        .command(Command::SaveNamedSettings(SavedSettings {
                            provider,
                            pipeline: pipeline.id,
                            name,
                            settings: complete(form, &ticked.target.settings),
                        }));
                    ticked.save_as = None;
                } else if ui.button("Cancel").clicked() {
                    ticked.save_as = None;
                }
            }
        }
    });
}

fn choose_ui(
    ui: &mut Ui,
    desk: &mut Desk<'_>,
    form: &Form,
    ticked: &mut Ticked,
    known: &[&SavedSettings],
) {
    let now = complete(form, &ticked.target.settings);
    let same = known
        .iter()
        .find(|saved| complete(form, &saved.settings) == now);
    let words = same.map_or("Use saved settings", |saved| saved.name.as_str());
    let mut chosen = None;
    let combo = egui::ComboBox::from_id_salt("saved settings")
        .selected_text(words)
        .width(200.0)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show_ui(ui, |ui| {
            for saved in known {
                ui.horizontal(|ui| {
                    let name = format!("Remove saved settings {}", saved.name);
                    if widgets::bare_button(ui, "×", &name).clicked() {
                        desk.outbox.command(Command::RemoveNamedSettings {
                            provider: saved.provider.clone(),
                            pipeline: saved.pipeline.clone(),
                            name: saved.name.clone(),
                        });
                    }
                    let is_it = same.is_some_and(|same| same.name == saved.name);
                    if widgets::option(ui, is_it, &saved.name) {
                        chosen = Some(saved.settings.clone());
                    }
                });
            }
        });
    combo
        .response
        .accessible_name(format!("Saved settings of {}", ticked.target.pipeline.name));
    if let Some(settings) = chosen {
        ticked.fill(only_changed(form, settings), Some(form));
    }
}

/// The values with the defaults that are shown, so that settings mean the same when a default changes.
fn complete(form: &Form, given: &Settings) -> Settings {
    let mut settings = form.filled(given);
    settings.retain(|name, _| {
        !form
            .fields
            .iter()
            .any(|field| field.hidden && &field.name == name)
    });
    settings
}

/// Without the values that are the defaults anyway.
fn only_changed(form: &Form, mut settings: Settings) -> Settings {
    settings.retain(|name, value| {
        !form
            .fields
            .iter()
            .any(|field| &field.name == name && field.default.as_ref() == Some(value))
    });
    settings
}
