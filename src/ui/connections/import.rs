//! Taking over an address and a key from another program's file. The window sees names and addresses only.

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Loadable, Snapshot};
use crate::model::provider::{ProfilesFile, ProviderFacts};
use crate::ui::connections::fields;
use crate::ui::connections::form::{FormState, Source};
use crate::ui::outbox::Outbox;
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// The offer, the names to choose from, or what was chosen; nothing for platforms without such a file.
pub fn import_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut FormState, outbox: &mut Outbox) {
    let Some(file) = state.facts.profiles else {
        return;
    };
    match state.source.clone() {
        Source::Typed => {
            let words = format!("Import from the {} credentials file…", file.owner);
            let tip = format!("Takes address and key from ~/{}, if you have it", file.path);
            if ui.button(words).on_hover_text(tip).clicked() {
                state.source = Source::Choosing;
                outbox.command(Command::ReadProfiles(state.facts.id.clone()));
            }
        }
        Source::Choosing => choose_ui(ui, snapshot, file, state, outbox),
        Source::Profile(name) => {
            let palette = Palette::of(ui);
            let words = format!(
                "Address and key from the {} credentials file, entry {name}",
                file.owner
            );
            widgets::marked(ui, icon::KEY, palette.good, &words);
            widgets::fact(ui, "Address", state.typed("url"));
            if ui.button("Enter address and key myself").clicked() {
                state.source = Source::Typed;
            }
        }
    }
    ui.add_space(4.0);
}

fn choose_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    file: ProfilesFile,
    state: &mut FormState,
    outbox: &mut Outbox,
) {
    let found = snapshot
        .profiles
        .as_ref()
        .filter(|profiles| profiles.provider == state.facts.id)
        .map_or(&Loadable::NotAsked, |profiles| &profiles.names);
    match found {
        Loadable::NotAsked | Loadable::Loading => {
            widgets::busy(ui, &format!("Reading ~/{}", file.path));
        }
        Loadable::Failed(words) => widgets::sentences(ui, words),
        Loadable::Ready(names) if names.is_empty() => {
            ui.label(format!("There is no address with a key in ~/{}", file.path));
        }
        Loadable::Ready(names) => {
            ui.label(RichText::new("Which entry of the file?").strong());
            for (name, address) in names.iter() {
                ui.horizontal(|ui| {
                    let button = egui::Button::new(RichText::new(name).strong())
                        .min_size(egui::vec2(160.0, 0.0));
                    if ui.add(button).clicked() {
                        take(state, name, address);
                    }
                    widgets::weak(ui, site_of(state.facts, address).unwrap_or(address));
                });
            }
        }
    }
    ui.horizontal(|ui| {
        let failed = matches!(found, Loadable::Failed(_));
        if failed && ui.button("Read it again").clicked() {
            outbox.command(Command::ReadProfiles(state.facts.id.clone()));
        }
        if ui.button("Back").clicked() {
            state.source = Source::Typed;
        }
    });
}

fn take(state: &mut FormState, name: &str, address: &str) {
    state.source = Source::Profile(name.to_owned());
    if state.label.trim().is_empty() {
        let site = site_of(state.facts, address).unwrap_or(state.facts.name);
        state.label = if name == "default" {
            site.to_owned()
        } else {
            format!("{site} ({name})")
        };
    }
    state.entries.insert("url", address.to_owned());
    for field in state.facts.connect_fields {
        if state.is_from_file(field) && field.kind.is_secret() {
            state.entries.remove(field.name);
        }
    }
    state.places.clear();
}

/// The name of the site at this address.
fn site_of(facts: &ProviderFacts, address: &str) -> Option<&'static str> {
    facts
        .connect_fields
        .iter()
        .filter(|field| field.name == "url")
        .find_map(|field| fields::preset_of(field, address))
}
