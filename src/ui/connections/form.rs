//! The form of a connection, made from what the platform says it needs. Secrets are masked and leave only inside a command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Snapshot, Trial};
use crate::model::connection::{Connection, ConnectionDraft, Place, clean_base_url, may_carry_key};
use crate::model::provider::{ConnectField, ConnectFieldKind, ProviderFacts};
use crate::model::secret::Secret;
use crate::ui::connections::{fields, import};
use crate::ui::outbox::Outbox;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// What was typed.
pub struct FormState {
    pub(super) facts: &'static ProviderFacts,
    pub(super) label: String,
    /// The label of the connection being edited.
    editing: Option<String>,
    pub(super) entries: BTreeMap<&'static str, String>,
    /// Fields with entries to choose from in which the person types one of their own.
    pub(super) own: BTreeSet<&'static str>,
    /// The places the account can work in, as far as it was asked.
    pub(super) places: Vec<Place>,
    /// Where the key comes from.
    pub(super) source: Source,
    /// Whether problems of empty fields are shown: after the first try.
    pub(super) tried: bool,
    /// Whether the trial in the snapshot is about what is typed now.
    trial_is_ours: bool,
    /// Whether the key gets the focus in the next frame.
    pub(super) focus_secret: bool,
    /// The fields for secrets that were drawn; the toolkit remembers what was typed into them.
    pub(super) secret_fields: BTreeMap<&'static str, egui::Id>,
}

/// Where the key of a new connection comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// It is typed.
    #[default]
    Typed,
    /// The names in another program's file are shown to choose from.
    Choosing,
    /// It is in that file under this name; it never reaches the window.
    Profile(String),
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
            own: BTreeSet::new(),
            places: Vec::new(),
            source: Source::Typed,
            tried: false,
            trial_is_ours: false,
            focus_secret: false,
            secret_fields: BTreeMap::new(),
        }
    }

    /// The form of a saved connection; its secrets have to be entered again.
    pub fn of(facts: &'static ProviderFacts, connection: &Connection) -> Self {
        let mut form = Self::new(facts);
        form.label.clone_from(&connection.label);
        form.editing = Some(connection.label.clone());
        if let Some(account) = &connection.account {
            form.places.clone_from(&account.places);
        }
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

    /// Takes what was typed into the fields for secrets out of the toolkit's memory.
    pub(super) fn forget(&self, context: &egui::Context) {
        for field in self.secret_fields.values() {
            fields::forget_typing(context, *field);
        }
    }

    pub(super) fn typed(&self, name: &str) -> &str {
        self.entries.get(name).map_or("", String::as_str)
    }

    /// Whether the person entered something; what was filled in at first does not count.
    pub(super) fn is_entered(&self, field: &ConnectField) -> bool {
        let typed = self.typed(field.name).trim();
        !typed.is_empty() && typed != field.default
    }

    /// Whether a connection cannot do without this field, as the form stands.
    fn is_needed(&self, field: &ConnectField) -> bool {
        !self.is_from_file(field) && self.facts.is_needed(field, |other| self.is_entered(other))
    }

    /// Whether another program's file holds it.
    pub(super) fn is_from_file(&self, field: &ConnectField) -> bool {
        matches!(self.source, Source::Profile(_))
            && field.part.is_empty()
            && (field.kind.is_secret() || field.name == "url")
    }

    /// What was typed belongs to another account now, perhaps.
    pub(super) fn changed(&mut self, field: &ConnectField) {
        if field.kind == ConnectFieldKind::Place {
            return;
        }
        self.trial_is_ours = false;
        if field.part.is_empty() {
            self.places.clear();
        }
    }

    /// What is wrong with one field, in one sentence.
    pub(super) fn problem(&self, field: &ConnectField) -> Option<String> {
        let typed = self.typed(field.name).trim();
        if typed.is_empty() {
            let missing = self.tried && self.is_needed(field);
            return missing.then(|| match field.part {
                "" => format!("{} is needed", field.label),
                part => format!("{} is needed for the {}", field.label, part.to_lowercase()),
            });
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

    /// Whether it can be saved, or tried: a trial tells which places there are, so that may be open still.
    fn is_good(&self, for_trial: bool) -> bool {
        (for_trial || !self.label.trim().is_empty())
            && self.facts.connect_fields.iter().all(|field| {
                let open = for_trial && field.kind == ConnectFieldKind::Place;
                let empty = self.typed(field.name).trim().is_empty();
                if empty {
                    open || !self.is_needed(field)
                } else {
                    self.problem(field).is_none()
                }
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
    if state.trial_is_ours
        && let Some(Trial::Good(account)) = &snapshot.trial
        && state.places != account.places
    {
        state.places.clone_from(&account.places);
    }
    widgets::card(ui, |ui| {
        let title = match &state.editing {
            Some(label) => format!("Edit {label}"),
            None => format!("Connect {}", state.facts.name),
        };
        ui.label(RichText::new(title).size(16.0).strong());
        widgets::weak(ui, state.facts.about);
        if state.editing.is_some() && state.facts.connect_fields.iter().any(is_key) {
            widgets::weak(
                ui,
                "A saved key is never shown; enter it again to save changes",
            );
        }
        ui.add_space(4.0);
        if state.editing.is_none() {
            import::import_ui(ui, snapshot, state, outbox);
        }
        if state.source == Source::Choosing {
            return Outcome::Open;
        }
        label_ui(ui, snapshot, state);
        fields::fields_ui(ui, state);
        trial_ui(ui, snapshot, state);
        ui.add_space(4.0);
        buttons_ui(ui, state, outbox)
    })
}

fn is_key(field: &ConnectField) -> bool {
    field.required && field.kind.is_secret()
}

fn label_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut FormState) {
    let hint = format!(
        "Your own name for it, such as {} of our lab",
        state.facts.name
    );
    widgets::text_field(ui, "Label", &mut state.label, &hint);
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
            if state.is_good(false) {
                let (draft, secrets) = state.parts();
                outbox.command(match &state.source {
                    Source::Profile(profile) => Command::ImportProfile {
                        draft,
                        profile: profile.clone(),
                    },
                    Source::Typed | Source::Choosing => Command::SaveConnection(draft, secrets),
                });
                outcome = Outcome::Closed;
            }
        }
        if ui.button("Test connection").clicked() {
            state.tried = true;
            if state.is_good(true) {
                let (mut draft, secrets) = state.parts();
                if draft.label.is_empty() {
                    // Nothing is saved under it.
                    state.facts.name.clone_into(&mut draft.label);
                }
                outbox.command(match &state.source {
                    Source::Profile(profile) => Command::TryProfile {
                        draft,
                        profile: profile.clone(),
                    },
                    Source::Typed | Source::Choosing => Command::TryConnection(draft, secrets),
                });
                state.trial_is_ours = true;
            }
        }
        if ui.button("Cancel").clicked() {
            outcome = Outcome::Closed;
        }
    });
    outcome
}
