//! Looking over a draft before the first byte is sent, and making it ready.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;

use crate::engine::event::{DraftRequest, Prepared};
use crate::engine::scan;
use crate::model::batch::{BatchFile, Finding, FindingWeight, Target};
use crate::model::error::system_words;
use crate::model::file::LocalFile;
use crate::model::form::Form;
use crate::model::ids::FileId;
use crate::model::provider::{FanOut, ProviderFacts};
use crate::results::names;
use crate::store::folders;

/// A form for each target, in order; absent where it could not be had, with the words why.
pub(super) type Forms = Vec<Result<Form, String>>;

/// Everything worth knowing before the first byte. Blocking: looks at files and drives.
pub(super) fn findings(
    request: &DraftRequest,
    forms: &Forms,
    facts: &[&'static ProviderFacts],
) -> Vec<Finding> {
    let mut found = Vec::new();
    if request.files.is_empty() {
        found.push(blocks(None, "Add at least one file that can be sent."));
    }
    if request.draft.targets.is_empty() {
        found.push(blocks(None, "Tick at least one pipeline."));
    }
    for words in &request.sent_before {
        found.push(warns(format!("{words}.")));
    }
    for (number, target) in request.draft.targets.iter().enumerate() {
        let Some(connection) = request.connections.get(&target.connection) else {
            found.push(blocks(Some(number), "Its connection was removed."));
            continue;
        };
        let Some(facts) = facts.iter().find(|facts| facts.id == connection.provider) else {
            continue;
        };
        if request.missing_keys.contains(&target.connection) {
            let words = format!(
                "{} needs a working key first: see Connections.",
                connection.label
            );
            found.push(blocks(Some(number), words));
        }
        found.extend(of_target(request, number, target, facts));
        found.extend(of_form(number, target, forms.get(number)));
    }
    found.extend(room(request).map(warns));
    found.sort_by_key(|finding| finding.weight);
    found
}

fn blocks(target: Option<usize>, words: impl Into<String>) -> Finding {
    Finding {
        weight: FindingWeight::Blocks,
        target,
        field: None,
        words: words.into(),
    }
}

fn warns(words: String) -> Finding {
    Finding {
        weight: FindingWeight::Warns,
        target: None,
        field: None,
        words,
    }
}

/// What the platform refuses: how many files a job takes, and how large they are.
fn of_target(
    request: &DraftRequest,
    number: usize,
    target: &Target,
    facts: &ProviderFacts,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if !facts.capabilities.fan_outs.contains(&target.fan_out) {
        let words = match target.fan_out {
            FanOut::AllInOne => format!("{} takes one file a {}.", facts.name, facts.nouns.job),
            FanOut::OnePerFile
            | FanOut::OnePerSample
            | FanOut::BatchPerFile
            | FanOut::BatchPerSample => {
                format!("{} takes all files in one {}.", facts.name, facts.nouns.job)
            }
        };
        found.push(blocks(Some(number), words));
    }
    let Some(max) = facts.capabilities.max_file_bytes else {
        return found;
    };
    let too_large = request.files.iter().filter(|file| file.size_bytes > max);
    found.extend(too_large.map(|file| {
        let (has, takes) = (ByteSize(file.size_bytes), ByteSize(max));
        let words = format!(
            "{} has {has}, more than the {takes} that {} takes.",
            file.name, facts.name
        );
        blocks(Some(number), words)
    }));
    found
}

/// What is wrong with the settings.
fn of_form(number: usize, target: &Target, form: Option<&Result<Form, String>>) -> Vec<Finding> {
    match form {
        Some(Ok(form)) => form
            .problems(&form.filled(&target.settings))
            .into_iter()
            .map(|problem| Finding {
                field: Some(problem.field),
                ..blocks(Some(number), format!("{}.", problem.words))
            })
            .collect(),
        Some(Err(words)) => vec![blocks(Some(number), words.clone())],
        None => Vec::new(),
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

/// Makes the draft ready: looks at the files once more, fills the settings, makes the folder. Blocking.
///
/// # Errors
/// The findings that block, or that the folder could not be made.
pub(super) fn prepare(
    request: &DraftRequest,
    forms: &Forms,
    facts: &[&'static ProviderFacts],
) -> Result<Prepared, Vec<Finding>> {
    let found = findings(request, forms, facts);
    if found
        .iter()
        .any(|finding| finding.weight == FindingWeight::Blocks)
    {
        return Err(found);
    }
    let mut left_out = Vec::new();
    let files: Vec<&LocalFile> = request
        .files
        .iter()
        .filter(|file| match scan::changed_since(file) {
            Some(problem) => {
                left_out.push(format!("{}: {}", file.name, problem.words()));
                false
            }
            None => true,
        })
        .collect();
    let block = |words: String| vec![blocks(None, words)];
    if files.is_empty() {
        return Err(block("None of the files can be read any more.".to_owned()));
    }
    let day = request.at.to_zoned(jiff::tz::TimeZone::system());
    let typed = request.draft.name.trim();
    let name = if typed.is_empty() {
        format!("Batch {}", day.strftime("%H.%M"))
    } else {
        typed.to_owned()
    };
    let folder_name = names::clean(&format!("{} {name}", day.strftime("%Y-%m-%d")));
    let folder = make_folder(&request.results_folder, &folder_name).map_err(|error| {
        block(format!(
            "The folder for the results could not be made in {}: {}.",
            request.results_folder.display(),
            system_words(&error)
        ))
    })?;
    let targets = request
        .draft
        .targets
        .iter()
        .enumerate()
        .map(|(number, target)| {
            let settings = match forms.get(number) {
                Some(Ok(form)) => form.filled(&target.settings),
                Some(Err(_)) | None => target.settings.clone(),
            };
            Target {
                settings,
                ..target.clone()
            }
        })
        .collect();
    Ok(Prepared {
        name,
        folder,
        files: named(&files, shortest_limit(request, facts)),
        left_out,
        targets,
    })
}

fn make_folder(parent: &Path, name: &str) -> std::io::Result<PathBuf> {
    let parent = std::path::absolute(parent)?;
    std::fs::create_dir_all(&parent)?;
    folders::make_unique_folder(&parent, name)
}

fn shortest_limit(request: &DraftRequest, facts: &[&'static ProviderFacts]) -> usize {
    request
        .connections
        .values()
        .filter_map(|connection| facts.iter().find(|facts| facts.id == connection.provider))
        .map(|facts| facts.capabilities.max_name_chars)
        .min()
        .unwrap_or(200)
}

/// Gives each file a name that every platform of the batch takes, unique within the batch.
fn named(files: &[&LocalFile], max_chars: usize) -> Vec<BatchFile> {
    let mut taken = BTreeSet::new();
    files
        .iter()
        .map(|file| {
            // Room for a number behind names that occur twice.
            let short = names::shorten(&names::clean(&file.name), max_chars.saturating_sub(5));
            BatchFile {
                id: FileId(0),
                local: LocalFile::clone(file),
                remote_name: names::unique(&mut taken, &short),
                samples: std::collections::BTreeMap::new(),
            }
        })
        .collect()
}
