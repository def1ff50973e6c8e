//! Making a draft ready to be sent: files looked at once more, settings filled in, folder made.

mod findings;
mod inputs;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) use crate::engine::draft::findings::findings;
use crate::engine::event::{DraftRequest, Prepared};
use crate::engine::scan;
use crate::model::batch::{BatchFile, Finding, FindingWeight, Target};
use crate::model::error::system_words;
use crate::model::file::LocalFile;
use crate::model::form::Form;
use crate::model::ids::FileId;
use crate::model::provider::ProviderFacts;
use crate::model::samples::SampleTable;
use crate::results::names;
use crate::store::folders;

/// A form for each target, in order; absent where it could not be had, with the words why.
pub(super) type Forms = Vec<Result<Form, String>>;

/// Makes the draft ready: looks at the files once more, fills the settings, makes the folder. Blocking.
///
/// # Errors
/// The findings that block, or that the folder could not be made.
pub(super) fn prepare(
    request: &DraftRequest,
    forms: &Forms,
    facts: &[&'static ProviderFacts],
    write: &dyn Fn() -> std::io::Result<()>,
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
    let block = |words: String| vec![findings::blocks(None, words)];
    let wants_files = request
        .draft
        .targets
        .iter()
        .any(|target| target.existing.is_empty());
    if files.is_empty() && wants_files {
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
    let made = write().and_then(|()| make_folder(&request.results_folder, &folder_name));
    let folder = made.map_err(|error| {
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
    let forms = request.draft.targets.iter().zip(forms);
    let labels = forms.filter_map(|(target, form)| {
        let key = (target.connection, target.pipeline.id.clone());
        Some((key, form.as_ref().ok()?.labels()))
    });
    Ok(Prepared {
        labels: labels.collect(),
        name,
        folder,
        files: named(&files, shortest_limit(request, facts), &request.samples),
        left_out,
        targets,
    })
}

/// Makes a folder of its own below a parent that may have to be made as well. Blocking.
pub(super) fn make_folder(parent: &Path, name: &str) -> std::io::Result<PathBuf> {
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
fn named(files: &[&LocalFile], max_chars: usize, samples: &SampleTable) -> Vec<BatchFile> {
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
                samples: samples.rows.get(&file.path).cloned().unwrap_or_default(),
            }
        })
        .collect()
}
