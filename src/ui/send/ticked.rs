//! A ticked pipeline: where the files go, and what its block of settings remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::snapshot::{ConnectionView, Loadable, Snapshot};
use crate::model::batch::Target;
use crate::model::form::{FieldProblem, Form, Settings, Value};
use crate::model::ids::ConnectionId;
use crate::model::pipeline::Pipeline;
use crate::model::provider::{FanOut, ProviderFacts};
use crate::ui::send::tally::Tally;

/// A ticked pipeline.
#[derive(Debug)]
pub struct Ticked {
    /// What will be sent.
    pub target: Target,
    /// The form as last judged with what was filled in.
    judged: Option<Judged>,
    /// The lines of a free form, in the order entered: a name, which may be empty, and a value.
    pub lines: Vec<(String, String)>,
    /// Words that the shown settings have.
    pub words: String,
    /// Whether only what is required is shown.
    pub only_required: bool,
    /// The name being typed for settings to keep.
    pub save_as: Option<String>,
}

/// What the form says about the values.
#[derive(Debug)]
struct Judged {
    form: Arc<Form>,
    settings: Settings,
    problems: Vec<FieldProblem>,
    warnings: Vec<FieldProblem>,
}

impl Ticked {
    /// A pipeline just ticked.
    pub fn new(connection: ConnectionId, pipeline: &Pipeline, fan_out: FanOut) -> Self {
        Self {
            target: Target {
                connection,
                pipeline: pipeline.clone(),
                fan_out,
                settings: Settings::new(),
                sample_column: None,
                existing: Vec::new(),
            },
            judged: None,
            lines: Vec::new(),
            words: String::new(),
            only_required: false,
            save_as: None,
        }
    }

    /// Whether it is this pipeline over this connection.
    pub fn is(&self, connection: ConnectionId, pipeline: &Pipeline) -> bool {
        self.target.connection == connection && self.target.pipeline.id == pipeline.id
    }

    /// Judges the values again when they or the form changed.
    pub fn judge(&mut self, snapshot: &Snapshot) {
        let Some(form) = form_of(snapshot, &self.target) else {
            self.judged = None;
            return;
        };
        let same = self.judged.as_ref().is_some_and(|judged| {
            Arc::ptr_eq(&judged.form, form) && judged.settings == self.target.settings
        });
        if !same {
            let filled = form.filled(&self.target.settings);
            self.judged = Some(Judged {
                form: form.clone(),
                settings: self.target.settings.clone(),
                problems: form.problems(&filled),
                warnings: form.warnings(&filled),
            });
        }
    }

    /// What is wrong with the values.
    pub fn problems(&self) -> &[FieldProblem] {
        self.judged
            .as_ref()
            .map_or(&[], |judged| judged.problems.as_slice())
    }

    /// What is doubtful about the values.
    pub fn warnings(&self) -> &[FieldProblem] {
        self.judged
            .as_ref()
            .map_or(&[], |judged| judged.warnings.as_slice())
    }

    /// Fills in other settings, such as saved ones.
    pub fn fill(&mut self, settings: Settings, form: Option<&Form>) {
        self.target.settings = settings;
        self.lines = match form {
            Some(form) if form.free_form => lines(form, &self.target.settings),
            Some(_) | None => Vec::new(),
        };
    }

    /// What about its jobs keeps the draft from being sent, apart from the settings.
    pub fn lacks(&self, view: &ConnectionView, facts: &ProviderFacts, tally: &Tally) -> Lack {
        if !self.target.existing.is_empty() && self.target.fan_out.needs_samples() {
            Lack::SamplesOfExisting
        } else if !self.target.existing.is_empty() {
            Lack::Nothing
        } else if missing_entry(view, facts).is_some() {
            Lack::WayForFiles
        } else if self.target.fan_out.needs_samples()
            && tally.values(self.target.sample_column.as_deref()).is_none()
        {
            Lack::SampleColumn
        } else {
            Lack::Nothing
        }
    }
}

/// What keeps a ticked pipeline from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing does.
    Nothing,
    /// The connection cannot take files of this computer.
    WayForFiles,
    /// No sample column is chosen, or the chosen one is gone.
    SampleColumn,
    /// Inputs at the platform have no samples to make jobs by.
    SamplesOfExisting,
}

/// The entry of the connection that files of this computer need and that is not filled in.
pub fn missing_entry(view: &ConnectionView, facts: &ProviderFacts) -> Option<&'static str> {
    let needed = facts.capabilities.intake_needs?;
    let filled_in = view
        .connection
        .options
        .get(needed)
        .is_some_and(|entry| !entry.trim().is_empty());
    (!filled_in).then_some(needed)
}

/// The form of a target, once read.
pub fn form_of<'a>(snapshot: &'a Snapshot, target: &Target) -> Option<&'a Arc<Form>> {
    let view = snapshot.connection(target.connection)?;
    match view.forms.get(&target.pipeline.id)? {
        Loadable::Ready(form) => Some(form),
        Loadable::NotAsked | Loadable::Loading | Loadable::Failed(_) => None,
    }
}

/// The values a form has no field for, as lines: those with a name, then those passed on by their place.
fn lines(form: &Form, settings: &Settings) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut placed = BTreeMap::new();
    for (name, value) in settings {
        if form.fields.iter().any(|field| &field.name == name) {
            continue;
        }
        match place_of(name) {
            Some(place) => {
                placed.insert(place, value.shown());
            }
            None => lines.push((name.clone(), value.shown())),
        }
    }
    for (place, (named, value)) in (1..).zip(placed) {
        let name = if place == named {
            String::new()
        } else {
            name_of(named)
        };
        lines.push((name, value));
    }
    lines
}

/// What a value without a name is called: its place, counted from 1.
fn name_of(place: usize) -> String {
    format!("[{place}]")
}

fn place_of(name: &str) -> Option<usize> {
    name.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Puts the lines of a free form into the settings. Lines without a name are called by their place among those.
pub fn settings_of_lines(form: &Form, settings: &mut Settings, lines: &[(String, String)]) {
    settings.retain(|name, _| form.fields.iter().any(|field| &field.name == name));
    let mut place = 0_usize;
    for (name, value) in lines {
        let name = match name.trim() {
            "" => {
                place += 1;
                name_of(place)
            }
            name => name.to_owned(),
        };
        settings.insert(name, Value::Text(value.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_settings_and_come_back() {
        let form = Form {
            free_form: true,
            ..Form::default()
        };
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let entered = vec![line("length", "100"), line("", "first"), line("", "")];
        let mut settings = Settings::from([("gone".to_owned(), Value::Flag(true))]);
        settings_of_lines(&form, &mut settings, &entered);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(
            settings,
            Settings::from([
                ("length".to_owned(), text("100")),
                ("[1]".to_owned(), text("first")),
                ("[2]".to_owned(), text("")),
            ])
        );
        assert_eq!(lines(&form, &settings), entered);
    }
}
