//! The form of a connection, made from what the platform says it needs. Secrets are masked and leave only inside a command.

use std::collections::BTreeMap;
use std::fmt;

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Snapshot, Trial};
use crate::model::connection::{Connection, ConnectionDraft, clean_base_url, may_carry_key};
use crate::model::provider::{ConnectField, ConnectFieldKind, ProviderFacts};
use crate::model::secret::Secret;
use crate::ui::outbox::Outbox;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// What was typed.
pub struct FormState {
    facts: &'static ProviderFacts,
    label: String,
    /// The label of the connection being edited.
    editing: Option<String>,
    entries: BTreeMap<&'static str, String>,
    /// Whether problems of empty fields are shown: after the first try.
    tried: bool,
    /// Whether the trial in the snapshot is about what is typed now.
    trial_is_ours: bool,
    /// Whether the key gets the focus in the next frame.
    focus_secret: bool,
}

// Written by hand: what was typed may be a key.
impl fmt::Debug for FormState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "FormState({}, {:?})",
            self.facts.name, self.label
        )
    }
}

/// What became of the form in this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Still open.
    Open,
    /// Saved or cancelled.
    Closed,
}

impl FormState {
    /// An empty form.
    pub fn new(facts: &'static ProviderFacts) -> Self {
        Self {
            facts,
            label: String::new(),
            editing: None,
            entries: facts
                .connect_fields
                .iter()
                .map(|field| (field.name, field.default.to_owned()))
                .collect(),
            tried: false,
            trial_is_ours: false,
            focus_secret: false,
        }
    }

    /// The form of a saved connection; its secrets have to be entered again.
    pub fn of(facts: &'static ProviderFacts, connection: &Connection) -> Self {
        let mut form = Self::new(facts);
        form.label.clone_from(&connection.label);
        form.editing = Some(connection.label.clone());
        for field in facts.connect_fields {
            if field.kind.is_secret() {
                continue;
            }
            let saved = if field.name == "url" {
                Some(&connection.base_url)
            } else {
                connection.options.get(field.name)
            };
            if let Some(saved) = saved {
                form.entries.insert(field.name, saved.clone());
            }
        }
        form.focus_secret = true;
        form
    }

    fn typed(&self, name: &str) -> &str {
        self.entries.get(name).map_or("", String::as_str)
    }

    /// What is wrong with one field, in one sentence.
    fn problem(&self, field: &ConnectField) -> Option<String> {
        let typed = self.typed(field.name).trim();
        if typed.is_empty() {
            return (field.required && self.tried).then(|| format!("{} is needed", field.label));
        }
        match field.kind {
            ConnectFieldKind::Url => match clean_base_url(typed) {
                Err(words) => Some(words.to_owned()),
                Ok(url) if self.has_secret() && !may_carry_key(&url) => {
                    Some("A key may only travel over https, or to this computer itself".to_owned())
                }
                Ok(_) => None,
            },
            ConnectFieldKind::Email => {
                let good = typed.split_once('@').is_some_and(|(user, host)| {
                    !user.is_empty() && host.contains('.') && !typed.contains(char::is_whitespace)
                });
                (!good).then(|| "This is not an email address".to_owned())
            }
            ConnectFieldKind::Place | ConnectFieldKind::Text => None,
            ConnectFieldKind::Key => Secret::parse_key(typed)
                .err()
                .map(|problem| problem.to_string()),
            ConnectFieldKind::Password => Secret::parse_password(self.typed(field.name))
                .err()
                .map(|problem| problem.to_string()),
        }
    }

    fn has_secret(&self) -> bool {
        self.facts
            .connect_fields
            .iter()
            .any(|field| field.kind.is_secret() && !self.typed(field.name).trim().is_empty())
    }

    fn is_good(&self) -> bool {
        !self.label.trim().is_empty()
            && self.facts.connect_fields.iter().all(|field| {
                self.problem(field).is_none()
                    && (!field.required || !self.typed(field.name).trim().is_empty())
            })
    }

    /// What is sent: entries cleaned, secrets apart.
    fn parts(&self) -> (ConnectionDraft, Vec<(String, Secret)>) {
        let mut entries = BTreeMap::new();
        let mut secrets = Vec::new();
        for field in self.facts.connect_fields {
            let typed = self.typed(field.name);
            if typed.trim().is_empty() {
                continue;
            }
            let name = field.name.to_owned();
            match field.kind {
                ConnectFieldKind::Url => {
                    let url =
                        clean_base_url(typed).unwrap_or_else(|_problem| typed.trim().to_owned());
                    entries.insert(name, url);
                }
                ConnectFieldKind::Email | ConnectFieldKind::Place | ConnectFieldKind::Text => {
                    entries.insert(name, typed.trim().to_owned());
                }
                ConnectFieldKind::Key => {
                    secrets.extend(Secret::parse_key(typed).ok().map(|secret| (name, secret)));
                }
                ConnectFieldKind::Password => {
                    secrets.extend(
                        Secret::parse_password(typed)
                            .ok()
                            .map(|secret| (name, secret)),
                    );
                }
            }
        }
        let draft = ConnectionDraft {
            provider: self.facts.id.clone(),
            label: self.label.trim().to_owned(),
            entries,
        };
        (draft, secrets)
    }
}

/// The form.
pub fn form_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    state: &mut FormState,
    outbox: &mut Outbox,
) -> Outcome {
    widgets::card(ui, |ui| {
        let title = match &state.editing {
            Some(label) => format!("Edit {label}"),
            None => format!("Connect {}", state.facts.name),
        };
        ui.label(RichText::new(title).size(16.0).strong());
        widgets::weak(ui, state.facts.about);
        ui.add_space(4.0);
        label_ui(ui, snapshot, state);
        for field in state.facts.connect_fields {
            ui.push_id(field.name, |ui| field_ui(ui, field, state));
        }
        trial_ui(ui, snapshot, state);
        ui.add_space(4.0);
        buttons_ui(ui, state, outbox)
    })
}

fn label_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut FormState) {
    let hint = format!(
        "Your own name for it, such as {} of our lab",
        state.facts.name
    );
    if widgets::text_field(ui, "Label", &mut state.label, &hint).changed() {
        state.trial_is_ours = false;
    }
    let label = state.label.trim();
    if label.is_empty() && state.tried {
        widgets::problem(ui, "Label is needed");
    }
    let taken = snapshot
        .connections
        .iter()
        .any(|view| view.connection.label == label);
    if taken && state.editing.as_deref() != Some(label) {
        let palette = Palette::of(ui);
        let words = "A connection with this label exists; saving replaces it";
        widgets::marked(ui, icon::WARNING, palette.warning, words);
    }
}

fn field_ui(ui: &mut Ui, field: &'static ConnectField, state: &mut FormState) {
    let label = if field.required {
        field.label.to_owned()
    } else {
        format!("{} (optional)", field.label)
    };
    let label = ui.label(RichText::new(label).strong());
    let width = ui.available_width().min(440.0);
    let text = state.entries.entry(field.name).or_default();
    let edit = widgets::line(text)
        .password(field.kind.is_secret())
        .desired_width(width);
    let response = ui.add(edit).labelled_by(label.id);
    if response.changed() {
        state.trial_is_ours = false;
    }
    if state.focus_secret && field.kind.is_secret() {
        state.focus_secret = false;
        response.request_focus();
    }
    if !field.help.is_empty() {
        let color = Palette::of(ui).weak;
        ui.add(egui::Label::new(RichText::new(field.help).small().color(color)).wrap());
    }
    if let Some(problem) = state.problem(field) {
        widgets::problem(ui, &problem);
    } else if field.kind == ConnectFieldKind::Url {
        cleaned_ui(ui, state.typed(field.name));
    }
}

/// Says so when what was pasted is changed before it is used.
fn cleaned_ui(ui: &mut Ui, typed: &str) {
    if let Ok(cleaned) = clean_base_url(typed)
        && cleaned.trim_end_matches('/') != typed.trim_end_matches('/')
    {
        widgets::weak(ui, format!("Used as {cleaned}"));
    }
}

fn trial_ui(ui: &mut Ui, snapshot: &Snapshot, state: &FormState) {
    if !state.trial_is_ours {
        return;
    }
    let palette = Palette::of(ui);
    match &snapshot.trial {
        None | Some(Trial::Checking) => {
            widgets::busy(ui, &format!("Asking {}", state.facts.name));
        }
        Some(Trial::Good(account)) => {
            let words = format!(
                "It works: you are {} ({})",
                account.name,
                format::moment(account.checked)
            );
            widgets::marked(ui, icon::GOOD, palette.good, &words);
        }
        Some(Trial::Bad(words)) => widgets::marked(ui, icon::BAD, palette.bad, &words.sentence()),
    }
}

fn buttons_ui(ui: &mut Ui, state: &mut FormState, outbox: &mut Outbox) -> Outcome {
    let mut outcome = Outcome::Open;
    ui.horizontal_wrapped(|ui| {
        if widgets::primary_button(ui, "Save", true).clicked() {
            state.tried = true;
            if state.is_good() {
                let (draft, secrets) = state.parts();
                outbox.command(Command::SaveConnection(draft, secrets));
                outcome = Outcome::Closed;
            }
        }
        if ui.button("Test connection").clicked() {
            state.tried = true;
            if state.is_good() {
                let (draft, secrets) = state.parts();
                outbox.command(Command::TryConnection(draft, secrets));
                state.trial_is_ours = true;
            }
        }
        if ui.button("Cancel").clicked() {
            outcome = Outcome::Closed;
        }
    });
    outcome
}
