//! The draft: files picked, looked over, and made into a batch with its jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::decide::{jobs_made, sampling};
use crate::engine::event::{DraftRequest, Now, Prepared, Work, WorkKey};
use crate::engine::snapshot::{DraftView, Loadable};
use crate::engine::world::World;
use crate::model::batch::{Batch, BatchDraft, BatchFile, Finding};
use crate::model::file::{FileProblem, ListedFile};
use crate::model::ids::{BatchId, FileId};
use crate::model::notice::{About, Weight, Words};
use crate::store::journal::Change;

fn change(world: &mut World, change: impl FnOnce(&mut DraftView)) {
    change(Arc::make_mut(&mut world.live.draft));
}

/// Looks through what was picked or dropped.
pub(super) fn add_files(world: &mut World, paths: Vec<PathBuf>) {
    let known = world
        .live
        .draft
        .files
        .iter()
        .map(|listed| listed.file.path.clone())
        .collect();
    change(world, |draft| {
        draft.scanning = true;
        draft.submitted = None;
    });
    world.start(Work::Scan { paths, known });
}

/// What was found. Two looks at the same time may find the same file.
pub(super) fn scanned(world: &mut World, files: Vec<ListedFile>) {
    let still = world
        .live
        .running
        .iter()
        .any(|key| matches!(key, WorkKey::Scan(_)));
    change(world, |draft| {
        let mut known: BTreeSet<PathBuf> = draft
            .files
            .iter()
            .filter(|listed| listed.problem != Some(FileProblem::Duplicate))
            .map(|listed| listed.file.path.clone())
            .collect();
        for mut listed in files {
            if !known.insert(listed.file.path.clone()) && listed.problem.is_none() {
                listed.problem = Some(FileProblem::Duplicate);
            }
            draft.files.push(listed);
        }
        draft.files.sort_by(|one, other| {
            (&one.file.folder, &one.file.name, one.problem).cmp(&(
                &other.file.folder,
                &other.file.name,
                other.problem,
            ))
        });
        draft.scanning = still;
    });
    sampling::refresh(world);
}

/// Takes paths out of the draft.
pub(super) fn remove_files(world: &mut World, paths: &[PathBuf]) {
    let gone: BTreeSet<&PathBuf> = paths.iter().collect();
    change(world, |draft| {
        draft
            .files
            .retain(|listed| !gone.contains(&listed.file.path));
    });
    sampling::refresh(world);
}

/// Empties the draft.
pub(super) fn clear_files(world: &mut World) {
    change(world, |draft| {
        draft.files.clear();
        draft.findings.clear();
    });
    forget_samples(world);
}

/// The next files have other samples; pattern and imported table may fit them as well.
fn forget_samples(world: &mut World) {
    world.live.samples.forget_edits();
    sampling::refresh(world);
}

/// Looks over the draft.
pub(super) fn check(world: &mut World, draft: BatchDraft, now: Now) {
    // A look-over under way answers for an older draft: the newest wish waits for it.
    if world.is_running(&WorkKey::Check) {
        world.live.check_wanted = Some(draft);
        return;
    }
    let request = request(world, draft, now);
    world.start(Work::Check(request));
}

/// What the look-over found.
pub(super) fn checked(world: &mut World, findings: Vec<Finding>, now: Now) {
    if let Some(draft) = world.live.check_wanted.take() {
        check(world, draft, now);
        return;
    }
    found(world, findings);
}

fn found(world: &mut World, findings: Vec<Finding>) {
    change(world, |draft| {
        draft.findings = findings;
        draft.checked = draft.checked.saturating_add(1);
    });
}

/// Makes the draft ready to be sent.
pub(super) fn submit(world: &mut World, draft: BatchDraft, now: Now) {
    let request = request(world, draft, now);
    change(world, |draft| draft.submitted = None);
    world.start(Work::Prepare(request));
}

fn request(world: &World, draft: BatchDraft, now: Now) -> DraftRequest {
    let files: Vec<_> = world
        .live
        .draft
        .files
        .iter()
        .filter(|listed| listed.problem.is_none())
        .map(|listed| listed.file.clone())
        .collect();
    let mut connections = BTreeMap::new();
    let mut forms = BTreeMap::new();
    let mut missing_keys = Vec::new();
    for target in &draft.targets {
        let id = target.connection;
        if let Some(connection) = world.connections.get(&id) {
            connections.insert(id, crate::model::connection::Connection::clone(connection));
        }
        let Some(link) = world.live.links.get(&id) else {
            continue;
        };
        if link.blocked.is_some() {
            missing_keys.push(id);
        }
        if let Some(Loadable::Ready(form)) = link.forms.get(&target.pipeline.id) {
            forms.insert(
                (id, target.pipeline.id.clone()),
                crate::model::form::Form::clone(form),
            );
        }
    }
    let results_folder = draft
        .into
        .clone()
        .or_else(|| world.settings.results_folder.clone())
        .unwrap_or_else(|| world.default_results_folder.as_ref().clone());
    let sent_before = sent_before(world, &draft, &files);
    DraftRequest {
        draft,
        files,
        connections,
        samples: world.live.draft.samples.clone(),
        forms,
        results_folder,
        sent_before,
        at: now.at,
        missing_keys,
    }
}

/// Batches that sent these very files to one of these pipelines, in words.
fn sent_before(
    world: &World,
    draft: &BatchDraft,
    files: &[crate::model::file::LocalFile],
) -> Vec<String> {
    if files.is_empty() {
        return Vec::new();
    }
    let wanted: BTreeSet<_> = files
        .iter()
        .map(|file| (&file.path, file.size_bytes, file.modified))
        .collect();
    world
        .batches
        .values()
        .filter(|batch| {
            let sent: BTreeSet<_> = batch
                .files
                .iter()
                .map(|file| (&file.local.path, file.local.size_bytes, file.local.modified))
                .collect();
            sent == wanted
        })
        .filter(|batch| {
            batch
                .jobs
                .iter()
                .filter_map(|job| world.jobs.get(job))
                .any(|job| {
                    draft.targets.iter().any(|target| {
                        target.connection == job.connection && target.pipeline.id == job.pipeline.id
                    })
                })
        })
        .map(|batch| {
            let day = batch.created.to_zoned(jiff::tz::TimeZone::system()).date();
            format!("These files were already sent as “{}” on {day}", batch.name)
        })
        .collect()
}

/// The draft becomes a batch: files and jobs get their numbers, everything is journalled in one step.
pub(super) fn prepared(world: &mut World, prepared: Result<Prepared, Vec<Finding>>, now: Now) {
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(findings) => {
            found(world, findings);
            return;
        }
    };
    let batch_id = BatchId(world.last_ids.batch.0.saturating_add(1));
    let first_file = world.last_ids.file.0.saturating_add(1);
    let files: Vec<BatchFile> = (first_file..)
        .zip(prepared.files)
        .map(|(number, file)| BatchFile {
            id: FileId(number),
            ..file
        })
        .collect();
    let jobs = jobs_made::of_targets(world, batch_id, &files, &prepared.targets, now);
    let batch = Batch {
        id: batch_id,
        name: prepared.name,
        created: now.at,
        folder: prepared.folder,
        files,
        jobs: jobs.iter().map(|job| job.id).collect(),
        remote_folder: format!(
            "labferry-{}",
            jobs_made::tag(now.random)
                .as_str()
                .trim_start_matches("lf-")
        ),
    };
    let name = batch.name.clone();
    world.write(Change::PutBatch(Arc::new(batch)));
    for mut job in jobs {
        let form = (job.connection, job.pipeline.id.clone());
        job.labels = prepared.labels.get(&form).cloned().unwrap_or_default();
        world.put_job(job);
    }
    change(world, |draft| {
        draft.files.clear();
        draft.findings.clear();
        draft.submitted = Some(batch_id);
        draft.checked = draft.checked.saturating_add(1);
    });
    forget_samples(world);
    if !prepared.left_out.is_empty() {
        let words = Words {
            what: match prepared.left_out.len() {
                1 => format!("One file of {name} could not be sent."),
                count => format!("{count} files of {name} could not be sent."),
            },
            did: "The other files go on without it.".to_owned(),
            next: "See below which, and send them again when they can be read.".to_owned(),
            action: None,
        };
        let facts = prepared
            .left_out
            .into_iter()
            .map(|file| ("File".to_owned(), file))
            .collect();
        world.notice(now, About::Batch(batch_id), Weight::Warning, words, facts);
    }
}
