//! What is worth knowing before the first byte: what keeps a draft from being sent, and what should be thought about.

use bytesize::ByteSize;

use crate::engine::draft::Forms;
use crate::engine::draft::inputs;
use crate::engine::event::DraftRequest;
use crate::model::batch::{Finding, FindingWeight, Target};
use crate::model::connection::Connection;
use crate::model::form::Form;
use crate::model::provider::{ConnectFieldKind, FanOut, ProviderFacts};
use crate::store::folders;

/// From so many jobs of one target on they are counted aloud.
const MANY_JOBS: usize = 200;

/// Everything worth knowing before the first byte. Blocking: looks at files and drives.
pub(in crate::engine) fn findings(
    request: &DraftRequest,
    forms: &Forms,
    facts: &[&'static ProviderFacts],
) -> Vec<Finding> {
    let mut found = Vec::new();
    if request.draft.targets.is_empty() {
        if request.files.is_empty() {
            found.push(blocks(None, "Add at least one file that can be sent."));
        }
        found.push(blocks(None, "Tick at least one pipeline."));
    }
    for words in &request.sent_before {
        found.push(warns(None, format!("{words}.")));
    }
    if let Some(problem) = &request.samples.problem {
        found.push(warns(None, format!("Sample table: {problem}.")));
    }
    for (number, target) in request.draft.targets.iter().enumerate() {
        let Some(connection) = request.connections.get(&target.connection) else {
            found.push(blocks(Some(number), "Its connection was removed."));
            continue;
        };
        let Some(facts) = facts.iter().find(|facts| facts.id == connection.provider) else {
            continue;
        };
        let one = OneTarget {
            request,
            number,
            target,
            connection,
            facts,
            form: forms.get(number).and_then(|form| form.as_ref().ok()),
        };
        found.extend(one.of_connection());
        found.extend(inputs::of_inputs(&one));
        found.extend(one.of_fan_out());
        if let Some(Err(words)) = forms.get(number) {
            found.push(blocks(Some(number), words.clone()));
        }
        found.extend(one.of_form());
    }
    found.extend(room(request).map(|words| warns(None, words)));
    found.sort_by_key(|finding| finding.weight);
    found
}

/// A target and all that is known of it.
pub(super) struct OneTarget<'a> {
    /// The whole draft.
    pub(super) request: &'a DraftRequest,
    /// Its place among the targets.
    pub(super) number: usize,
    /// The target.
    pub(super) target: &'a Target,
    /// Its connection.
    pub(super) connection: &'a Connection,
    /// The platform's facts.
    pub(super) facts: &'a ProviderFacts,
    /// The pipeline's form, where it could be had.
    pub(super) form: Option<&'a Form>,
}

impl OneTarget<'_> {
    /// Something that keeps this target from being sent.
    pub(super) fn blocks(&self, words: impl Into<String>) -> Finding {
        blocks(Some(self.number), words)
    }

    /// Something to think about before this target is sent.
    pub(super) fn warns(&self, words: impl Into<String>) -> Finding {
        warns(Some(self.number), words)
    }

    /// Keys that do not work, and rights that are missing.
    fn of_connection(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let label = &self.connection.label;
        if self.request.missing_keys.contains(&self.target.connection) {
            let words = format!("{label} needs a working key first: see Connections.");
            found.push(self.blocks(words));
        }
        let account = self.connection.account.as_ref();
        let chosen = self
            .facts
            .connect_fields
            .iter()
            .filter(|field| field.kind == ConnectFieldKind::Place)
            .filter_map(|field| self.connection.options.get(field.name));
        for id in chosen {
            let place =
                account.and_then(|account| account.places.iter().find(|place| &place.id == id));
            if let Some(place) = place
                && let Some(lacks) = &place.lacks
            {
                found.push(self.blocks(format!(
                    "{label} cannot run anything in {}: {}.",
                    place.name,
                    lacks.trim_end_matches('.')
                )));
            }
        }
        found
    }

    /// How many jobs there will be, and whether the platform makes them like that.
    fn of_fan_out(&self) -> Vec<Finding> {
        let facts = self.facts;
        if !facts.capabilities.fan_outs.contains(&self.target.fan_out) {
            let words = match self.target.fan_out {
                FanOut::AllInOne => {
                    format!("{} takes one file a {}.", facts.name, facts.nouns.job)
                }
                FanOut::OnePerFile => {
                    format!("{} takes all files in one {}.", facts.name, facts.nouns.job)
                }
                FanOut::OnePerSample | FanOut::BatchPerFile | FanOut::BatchPerSample => format!(
                    "{} does not offer this way of sharing files out.",
                    facts.name
                ),
            };
            return vec![self.blocks(words)];
        }
        let jobs = inputs::groups(self).len();
        if jobs >= MANY_JOBS {
            let words = format!("This makes {jobs} jobs at {}.", facts.name);
            return vec![self.warns(words)];
        }
        Vec::new()
    }

    /// What is wrong with the settings, doubtful about them, and to be known before.
    fn of_form(&self) -> Vec<Finding> {
        let Some(form) = self.form else {
            return Vec::new();
        };
        let settings = form.filled(&self.target.settings);
        let mut found: Vec<Finding> = form
            .problems(&settings)
            .into_iter()
            .map(|problem| Finding {
                field: Some(problem.field),
                ..self.blocks(format!("{}.", problem.words))
            })
            .collect();
        found.extend(form.warnings(&settings).into_iter().map(|doubt| Finding {
            field: Some(doubt.field),
            ..self.warns(format!("{}.", doubt.words))
        }));
        found.extend(
            form.cautions
                .iter()
                .map(|caution| self.warns(format!("{}.", caution.trim_end_matches('.')))),
        );
        found.extend(inputs::of_file_fields(self, form, &settings));
        found
    }
}

/// Something that keeps a target, or all, from being sent.
pub(super) fn blocks(target: Option<usize>, words: impl Into<String>) -> Finding {
    Finding {
        weight: FindingWeight::Blocks,
        target,
        field: None,
        words: words.into(),
    }
}

fn warns(target: Option<usize>, words: impl Into<String>) -> Finding {
    Finding {
        weight: FindingWeight::Warns,
        target,
        field: None,
        words: words.into(),
    }
}

/// Results are often as large as the inputs: says so when the drive has less room than that.
fn room(request: &DraftRequest) -> Option<String> {
    let needed: u64 = request.files.iter().map(|file| file.size_bytes).sum();
    let existing = request
        .results_folder
        .ancestors()
        .find(|folder| folder.is_dir())?;
    let free = folders::free_bytes(existing).ok()?;
    (free < needed).then(|| {
        format!(
            "The drive of the results folder has {} left; the inputs alone have {}.",
            ByteSize(free),
            ByteSize(needed)
        )
    })
}
