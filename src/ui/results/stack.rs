//! All tables of a batch as one: which files, and what stands in the columns in front of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::artifact::ArtifactState;
use crate::model::batch::{Batch, BatchFile};
use crate::model::table::StackWish;

/// Endings of files that are looked into; what they hold decides.
const ENDINGS: [&str; 5] = [".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz"];

/// What stands in front of the columns of the samples.
const IN_FRONT: [&str; 4] = ["Batch", "Job", "Input", "File"];

/// What the preview is known by.
pub(super) fn key(batch: &Batch) -> PathBuf {
    batch.folder.join("All results in one table")
}

/// The tables of a batch; none where there are fewer than two.
pub(super) fn wish(snapshot: &Snapshot, batch: &Batch) -> Option<StackWish> {
    let samples: BTreeSet<&String> = batch
        .files
        .iter()
        .flat_map(|file| file.samples.keys())
        .collect();
    let mut members = Vec::new();
    for view in snapshot
        .jobs
        .iter()
        .filter(|view| view.job.batch == batch.id)
    {
        let inputs: Vec<&BatchFile> = batch
            .files
            .iter()
            .filter(|file| view.job.files.contains(&file.id))
            .collect();
        let input = match inputs.as_slice() {
            [one] => one.local.name.clone(),
            _ => String::new(),
        };
        let shared = samples.iter().map(|column| shared(&inputs, column));
        let shared: Vec<String> = shared.collect();
        for path in tables(view) {
            let mut origin = vec![
                batch.name.clone(),
                view.job.name.clone(),
                input.clone(),
                path.clone(),
            ];
            origin.extend(shared.iter().cloned());
            members.push((view.folder.join(Path::new(&path)), origin));
        }
    }
    let names = IN_FRONT.iter().map(|name| (*name).to_owned());
    (members.len() > 1).then(|| StackWish {
        key: key(batch),
        names: names.chain(samples.into_iter().cloned()).collect(),
        members,
    })
}

/// What all inputs of a job have in a column of the samples; nothing where they differ.
fn shared(inputs: &[&BatchFile], column: &str) -> String {
    let mut values = inputs.iter().map(|file| file.samples.get(column));
    let first = values.next().flatten();
    match first {
        Some(first) if values.all(|value| value == Some(first)) => first.clone(),
        Some(_) | None => String::new(),
    }
}

/// The tables of a job that are here, below its folder.
fn tables(view: &JobView) -> Vec<String> {
    let mut paths = Vec::new();
    for artifact in &view.artifacts {
        match &artifact.state {
            ArtifactState::Fetched(_) => paths.push(artifact.path.clone()),
            ArtifactState::Unpacked { files, .. } => {
                paths.extend(files.iter().map(|file| file.path.clone()));
            }
            ArtifactState::Offered | ArtifactState::Preparing { .. } | ArtifactState::Failed(_) => {
            }
        }
    }
    paths.retain(|path| {
        let small = path.to_lowercase();
        ENDINGS.iter().any(|ending| small.ends_with(ending))
    });
    paths
}
