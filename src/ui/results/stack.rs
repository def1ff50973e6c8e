//! All tables of a batch as one: which files, and what stands in the columns in front of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::artifact::ArtifactState;
use crate::model::batch::{Batch, BatchFile};
use crate::model::table::{StackMember, StackWish};

/// Endings of files that are looked into; what they hold decides.
const ENDINGS: [&str; 5] = [".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz"];

/// What stands in front of the columns of the samples.
const IN_FRONT: [&str; 4] = ["Batch", "Job", "Input", "File"];

/// The place of the input among them.
const INPUT: usize = 2;

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
        let of_inputs = Arc::new(of_inputs(&inputs, &samples));
        for path in tables(view) {
            let mut origin = vec![
                batch.name.clone(),
                view.job.name.clone(),
                shared(&inputs, |file| Some(&file.local.name)),
                path.clone(),
            ];
            let samples = samples.iter();
            origin.extend(samples.map(|column| shared(&inputs, |file| file.samples.get(*column))));
            members.push(StackMember {
                path: view.folder.join(Path::new(&path)),
                origin,
                of_inputs: Arc::clone(&of_inputs),
            });
        }
    }
    let names = IN_FRONT.iter().map(|name| (*name).to_owned());
    (members.len() > 1).then(|| StackWish {
        key: key(batch),
        names: names.chain(samples.into_iter().cloned()).collect(),
        members,
    })
}

/// What all inputs of a job have in a column; nothing where they differ.
fn shared<'a>(
    inputs: &[&'a BatchFile],
    of: impl Fn(&'a BatchFile) -> Option<&'a String>,
) -> String {
    let mut values = inputs.iter().map(|file| of(file));
    let first = values.next().flatten();
    match first {
        Some(first) if values.all(|value| value == Some(first)) => first.clone(),
        Some(_) | None => String::new(),
    }
}

/// What a row has in the columns in front when it names one of several inputs, by the names of the input here and at the
/// platform. A name that two of them have says nothing.
fn of_inputs(
    inputs: &[&BatchFile],
    samples: &BTreeSet<&String>,
) -> BTreeMap<usize, BTreeMap<String, String>> {
    let mut by_name: BTreeMap<&String, Option<&BatchFile>> = BTreeMap::new();
    for file in inputs {
        for name in BTreeSet::from([&file.local.name, &file.remote_name]) {
            let known = by_name.entry(name).or_insert(Some(file));
            if known.is_some_and(|known| known.id != file.id) {
                *known = None;
            }
        }
    }
    let texts = |of: &dyn Fn(&BatchFile) -> Option<String>| {
        let texts = by_name.iter();
        let texts = texts.filter_map(|(name, file)| Some(((*name).clone(), of((*file)?)?)));
        texts.collect::<BTreeMap<String, String>>()
    };
    let input = texts(&|file| Some(file.local.name.clone()));
    let samples = samples
        .iter()
        .map(|column| texts(&|file| file.samples.get(*column).cloned()));
    let columns = (IN_FRONT.len()..).zip(samples).chain([(INPUT, input)]);
    columns.filter(|_column| inputs.len() > 1).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::file::LocalFile;
    use crate::model::ids::FileId;

    fn file(id: u64, name: &str, remote_name: &str, well: &str) -> BatchFile {
        BatchFile {
            id: FileId(id),
            local: LocalFile {
                path: PathBuf::from(name),
                name: name.to_owned(),
                folder: String::new(),
                size_bytes: 1,
                modified: None,
            },
            remote_name: remote_name.to_owned(),
            samples: BTreeMap::from([("Well".to_owned(), well.to_owned())]),
        }
    }

    #[test]
    fn rows_are_told_apart_by_the_names_of_inputs_here_and_there() {
        let files = [
            file(1, "a 1.tif", "a_1.tif", "A01"),
            file(2, "b.tif", "b.tif", "B01"),
            file(3, "b.tif", "b-2.tif", "B02"),
        ];
        let well = "Well".to_owned();
        let samples = BTreeSet::from([&well]);
        let all: Vec<&BatchFile> = files.iter().collect();
        let found = of_inputs(&all, &samples);
        let wells = [("a 1.tif", "A01"), ("a_1.tif", "A01"), ("b-2.tif", "B02")];
        let wells = wells.map(|(name, well)| (name.to_owned(), well.to_owned()));
        assert_eq!(found[&4], BTreeMap::from(wells));
        assert_eq!(found[&INPUT]["b-2.tif"], "b.tif");
        assert_eq!(found.len(), 2);
        assert_eq!(of_inputs(&all[..1], &samples), BTreeMap::new());
    }
}
