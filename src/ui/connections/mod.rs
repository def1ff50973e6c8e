//! The page *Connections*: one card a connection, and the form for a new one.

pub mod fields;
pub mod form;
pub mod import;

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{CheckState, ConnectionView, KeyringState, Snapshot};
use crate::model::connection::KeyState;
use crate::model::ids::{ConnectionId, ProviderId};
use crate::model::provider::{ConnectFieldKind, ProviderFacts};
use crate::ui::connections::form::FormState;
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// What Connections remembers.
#[derive(Debug, Default)]
pub struct ConnectionsState {
    /// Whether the platforms to choose from are shown.
    choosing: bool,
    form: Option<FormState>,
    /// The connection whose removal was asked for but not confirmed yet.
    removing: Option<ConnectionId>,
}

impl ConnectionsState {
    /// Opens the form of a new connection; without a platform, the choice of one.
    pub fn add(&mut self, provider: Option<&ProviderId>, snapshot: &Snapshot) {
        let facts = provider.and_then(|provider| snapshot.facts(provider));
        self.choosing = facts.is_none();
        self.form = facts.map(FormState::new);
    }

    /// Opens the form of a connection there is, at its key.
    pub fn edit(&mut self, connection: ConnectionId, snapshot: &Snapshot) {
        let Some(view) = snapshot.connection(connection) else {
            return;
        };
        let facts = snapshot.facts(&view.connection.provider);
        self.choosing = false;
        self.form = facts.map(|facts| FormState::of(facts, &view.connection));
    }
}

/// The page.
pub fn connections_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    state: &mut ConnectionsState,
    outbox: &mut Outbox,
) {
    ui.horizontal(|ui| {
        widgets::page_title(ui, "Connections");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let busy = state.form.is_some() || state.choosing;
            if !busy
                && !snapshot.connections.is_empty()
                && widgets::primary_button(ui, "Add connection…", true).clicked()
            {
                state.choosing = true;
            }
        });
    });
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        widgets::reading_width(ui);
        keyring_ui(ui, snapshot, outbox);
        if let Some(form) = &mut state.form {
            match form::form_ui(ui, snapshot, form, outbox) {
                form::Outcome::Open => {}
                form::Outcome::Closed => {
                    form.forget(ui.ctx());
                    state.form = None;
                }
            }
            return;
        }
        if state.choosing || snapshot.connections.is_empty() {
            choose_ui(ui, snapshot, state);
        }
        for view in &snapshot.connections {
            ui.push_id(view.connection.id.0, |ui| {
                let facts = snapshot.facts(&view.connection.provider);
                widgets::card(ui, |ui| connection_ui(ui, view, facts, state, outbox));
            });
        }
    });
}

/// Plain words when keys cannot be kept.
fn keyring_ui(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    if snapshot.keyring != KeyringState::Absent {
        return;
    }
    widgets::card(ui, |ui| {
        let palette = Palette::of(ui);
        widgets::marked(
            ui,
            icon::KEY,
            palette.warning,
            "This computer has no working keyring",
        );
        ui.add(
            egui::Label::new(
                "Keys you enter are kept in memory and forgotten when you close Labferry; they are never written to a \
                 file. To keep them, unlock or install the system's keyring, such as GNOME Keyring, KWallet or \
                 KeePassXC on Linux, and try again.",
            )
            .wrap(),
        );
        if ui
            .button("Try again")
            .on_hover_text("Look for the keyring again")
            .clicked()
        {
            outbox.command(Command::RetryKeyring);
        }
    });
}

fn choose_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut ConnectionsState) {
    widgets::card(ui, |ui| {
        ui.label(RichText::new("Which platform?").size(16.0).strong());
        for facts in snapshot.providers.iter() {
            ui.push_id(facts.id.as_str(), |ui| {
                ui.horizontal(|ui| {
                    let button = egui::Button::new(RichText::new(facts.name).strong())
                        .min_size(egui::vec2(200.0, 36.0));
                    if ui.add(button).clicked() {
                        state.form = Some(FormState::new(facts));
                        state.choosing = false;
                    }
                    ui.add(egui::Label::new(facts.about).wrap());
                });
            });
        }
        if !snapshot.connections.is_empty() && ui.button("Cancel").clicked() {
            state.choosing = false;
        }
    });
}

fn connection_ui(
    ui: &mut Ui,
    view: &ConnectionView,
    facts: Option<&'static ProviderFacts>,
    state: &mut ConnectionsState,
    outbox: &mut Outbox,
) {
    let connection = &view.connection;
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        widgets::picture(ui, icon::CONNECTIONS, 22.0, palette.accent);
        ui.label(RichText::new(&connection.label).size(16.0).strong());
        widgets::weak(ui, view.provider_name);
    });
    entries_ui(ui, view, facts);
    let key_color = match view.key {
        KeyState::NotNeeded | KeyState::InKeyring => palette.good,
        KeyState::ThisSessionOnly => palette.warning,
        KeyState::Missing => palette.bad,
    };
    widgets::marked(ui, icon::KEY, key_color, view.key.words());
    check_ui(ui, view);
    if let Some(words) = view.budget.as_ref().and_then(format::budget) {
        widgets::weak(ui, words);
    }
    if state.removing == Some(connection.id) {
        removal_ui(ui, view, state, outbox);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let named = |response: egui::Response, verb: &str| {
            response.accessible_name(format!("{verb} {}", connection.label))
        };
        if view.key == KeyState::Missing
            && named(
                widgets::primary_button(ui, "Paste the key…", true),
                "Paste the key of",
            )
            .clicked()
        {
            outbox.go(Goal::EditConnection(connection.id));
        }
        let checking = view.check == CheckState::Checking;
        let check = ui.add_enabled(!checking, egui::Button::new("Check now"));
        if named(check, "Check").clicked() {
            outbox.command(Command::CheckConnection(connection.id));
        }
        if named(ui.button("Edit…"), "Edit").clicked() {
            outbox.go(Goal::EditConnection(connection.id));
        }
        if named(ui.button("Remove…"), "Remove").clicked() {
            state.removing = Some(connection.id);
        }
    });
}

/// What was filled in, under the names of the form; what was filled in at first and belongs to nothing is left out.
fn entries_ui(ui: &mut Ui, view: &ConnectionView, facts: Option<&'static ProviderFacts>) {
    let connection = &view.connection;
    let fields = facts.map_or(&[][..], |facts| facts.connect_fields);
    let site = fields
        .iter()
        .filter(|field| field.name == "url")
        .find_map(|field| fields::preset_of(field, &connection.base_url));
    let address = site.map_or_else(
        || connection.base_url.clone(),
        |site| format!("{site}, {}", connection.base_url),
    );
    widgets::fact(ui, "Address", &address);
    if let Some(account) = &connection.account {
        widgets::fact(ui, "Account", &account.name);
    }
    let is_begun = |part: &str| {
        fields.iter().any(|field| {
            let entry = connection.options.get(field.name);
            field.part == part && entry.is_some_and(|entry| entry != field.default)
        })
    };
    for field in fields {
        let Some(entry) = connection.options.get(field.name) else {
            continue;
        };
        if !field.part.is_empty() && !is_begun(field.part) {
            continue;
        }
        let place = connection
            .account
            .iter()
            .flat_map(|account| &account.places)
            .find(|place| field.kind == ConnectFieldKind::Place && &place.id == entry);
        let words = place.map_or_else(|| entry.clone(), fields::place_words);
        widgets::fact(ui, field.label, &words);
        if let Some(lacks) = place.and_then(|place| place.lacks.as_deref()) {
            let palette = Palette::of(ui);
            widgets::marked(ui, icon::WARNING, palette.warning, lacks);
        }
    }
    let needs = facts.and_then(|facts| facts.capabilities.intake_needs);
    if let (Some(facts), Some(needs)) = (facts, needs)
        && !connection.options.contains_key(needs)
    {
        let part = fields
            .iter()
            .find(|field| field.name == needs)
            .map_or("", |field| field.part);
        let words = format!(
            "No {}: jobs can use {} that is there already, but no files of this computer",
            part.to_lowercase(),
            format::a(facts.nouns.input)
        );
        widgets::weak(ui, words);
    }
}

fn check_ui(ui: &mut Ui, view: &ConnectionView) {
    let palette = Palette::of(ui);
    match &view.check {
        CheckState::Checking => {
            widgets::busy(ui, "Checking");
        }
        CheckState::Bad(words) => {
            widgets::marked(ui, icon::BAD, palette.bad, &words.sentence());
        }
        CheckState::Good => widgets::marked(ui, icon::GOOD, palette.good, &last_check(view)),
        CheckState::NotChecked => {
            widgets::weak(ui, last_check(view));
        }
    }
}

fn last_check(view: &ConnectionView) -> String {
    view.connection.account.as_ref().map_or_else(
        || "Not checked yet".to_owned(),
        |account| format!("Last checked {}", format::moment(account.checked)),
    )
}

fn removal_ui(
    ui: &mut Ui,
    view: &ConnectionView,
    state: &mut ConnectionsState,
    outbox: &mut Outbox,
) {
    ui.separator();
    ui.label(RichText::new(format!("Remove {}?", view.connection.label)).strong());
    ui.label("Its key is removed too. Jobs and results stay.");
    ui.horizontal(|ui| {
        if widgets::primary_button(ui, "Yes, remove", true).clicked() {
            outbox.command(Command::RemoveConnection(view.connection.id));
            state.removing = None;
        }
        if ui.button("Keep it").clicked() {
            state.removing = None;
        }
    });
}
