//! From a finished job to checked files under their final names, and the receipt that says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::decide::renewing::connection_of;
use crate::engine::decide::{Verdict, drives, fail, outage, refused, verdict, wait, watching};
use crate::engine::event::{Now, Unpacked, WorkKey};
use crate::engine::world::{World, later, move_job, note};
use crate::model::artifact::{Artifact, ArtifactState, Fetched};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ArtifactId, BatchId, JobId};
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Did, Subject, Weight, Words, details, explain};
use crate::model::remote::{JobStatus, Output};
use crate::results::names;
use crate::store::journal::Change;

/// The platform listed a job's results: each becomes an artifact with a name of its own.
pub(super) fn outputs_listed(world: &mut World, id: JobId, outcome: Result<Vec<Output>>, now: Now) {
    let Some(mut job) = world.job(id).filter(|job| job.stage == Stage::Downloading) else {
        return;
    };
    let outputs = match outcome {
        Ok(outputs) => outputs,
        Err(error) => {
            match verdict(world, &error, job.faults.saturating_add(1)) {
                Verdict::Block => refused(world, &WorkKey::ListOutputs(id), &error, now),
                Verdict::TryLater => {
                    let failed = failed_remotely(&job);
                    wait(world, &mut job, &error, now);
                    if failed {
                        job.error = reason_of(&job);
                    }
                    world.put_job(job);
                }
                Verdict::GiveUp => fail(world, job, error, now),
            }
            return;
        }
    };
    let mut taken = BTreeSet::new();
    let next = world.last_ids.artifact.0.saturating_add(1);
    for (number, output) in (next..).zip(&outputs) {
        let artifact = Artifact {
            id: ArtifactId(number),
            job: id,
            path: names::unique(&mut taken, &clean_path(&output.name)),
            output: output.clone(),
            state: ArtifactState::Offered,
            attempts: 0,
            faults: 0,
            wait_until: None,
        };
        world.write(Change::PutArtifact(Arc::new(artifact)));
    }
    job.outputs_listed = true;
    job.attempts = 0;
    job.faults = 0;
    job.wait_until = None;
    job.error = reason_of(&job);
    let found = match outputs.len() {
        0 => "The platform offers no result files".to_owned(),
        1 => "One result file to fetch".to_owned(),
        count => format!("{count} result files to fetch"),
    };
    note(&mut job, now, found);
    world.put_job(job);
}

/// A name with folders, each part of it cleaned.
fn clean_path(name: &str) -> String {
    let parts: Vec<String> = name
        .split('/')
        .filter(|part| !part.is_empty())
        .map(names::clean)
        .collect();
    if parts.is_empty() {
        names::clean(name)
    } else {
        parts.join("/")
    }
}

/// The platform is still making a result we asked for.
pub(super) fn preparing(world: &mut World, id: ArtifactId, percent: Option<f32>, now: Now) {
    let Some(mut artifact) = unsettled(world, id) else {
        return;
    };
    let pause = connection_of(world, &WorkKey::Fetch(id))
        .and_then(|connection| world.facts_of_connection(connection))
        .map_or(world.pace.retry_first, |facts| {
            world.pace.poll_wait(facts.capabilities.poll.usual)
        });
    artifact.state = ArtifactState::Preparing { percent };
    artifact.attempts = 0;
    artifact.faults = 0;
    artifact.wait_until = Some(later(now, pause));
    world.write(Change::PutArtifact(Arc::new(artifact)));
}

/// A result is here, or is not.
pub(super) fn fetched(world: &mut World, id: ArtifactId, outcome: Result<Fetched>, now: Now) {
    let Some(mut artifact) = unsettled(world, id) else {
        return;
    };
    match outcome {
        Ok(fetched) => {
            artifact.attempts = 0;
            artifact.faults = 0;
            artifact.wait_until = None;
            artifact.state = ArtifactState::Fetched(fetched);
            if let Some(job) = world.jobs.get(&artifact.job) {
                let batch = job.batch;
                drives::is_well(world, batch);
            }
            world.write(Change::PutArtifact(Arc::new(artifact)));
        }
        Err(error) => attempt_failed(world, artifact, error, now),
    }
}

/// An archive was unpacked, or was not.
pub(super) fn unpacked(world: &mut World, id: ArtifactId, outcome: Result<Unpacked>, now: Now) {
    let Some(mut artifact) = unsettled(world, id) else {
        return;
    };
    let ArtifactState::Fetched(archive) = artifact.state.clone() else {
        return;
    };
    match outcome {
        Ok(unpacked) => {
            if let Some(job) = world.jobs.get(&artifact.job) {
                let batch = job.batch;
                drives::is_well(world, batch);
            }
            let trouble = unpacked.problems.clone();
            artifact.state = ArtifactState::Unpacked {
                archive,
                archive_kept: unpacked.archive_kept,
                files: unpacked.files,
                problems: unpacked.problems,
            };
            let (job, name) = (artifact.job, artifact.path.clone());
            world.write(Change::PutArtifact(Arc::new(artifact)));
            if !trouble.is_empty() {
                say_refused(world, job, &name, &trouble, now);
            }
        }
        Err(error) => attempt_failed(world, artifact, error, now),
    }
}

/// Says which entries of an archive were refused.
fn say_refused(world: &mut World, job: JobId, archive: &str, problems: &[String], now: Now) {
    let words = Words {
        what: match problems.len() {
            1 => format!("One entry of {archive} was refused or damaged."),
            count => format!("{count} entries of {archive} were refused or damaged."),
        },
        did: "Everything else in it was unpacked, and the archive was kept beside it.".to_owned(),
        next: "Look at the details below before you use the results.".to_owned(),
        action: None,
    };
    let facts = problems
        .iter()
        .map(|problem| ("Entry".to_owned(), problem.clone()))
        .collect();
    world.notice(now, About::Job(job), Weight::Warning, words, facts);
}

/// An attempt at an artifact failed: later again, or never. An archive that cannot be unpacked stays as it is.
fn attempt_failed(world: &mut World, mut artifact: Artifact, error: Error, now: Now) {
    let attempts = artifact.attempts.saturating_add(1);
    let faults = artifact
        .faults
        .saturating_add(u32::from(outage::counts(error.kind())));
    match verdict(world, &error, faults) {
        Verdict::Block => refused(world, &WorkKey::Fetch(artifact.id), &error, now),
        Verdict::TryLater => {
            let pause = outage::pause(world, attempts, &error);
            artifact.attempts = attempts;
            artifact.faults = faults;
            if outage::is_outage(error.kind()) {
                world.live.unreached.insert(artifact.id);
                if let Some(connection) = connection_of(world, &WorkKey::Fetch(artifact.id)) {
                    world.link(connection).offline = true;
                }
            }
            artifact.wait_until = Some(later(now, pause));
            if let Some(mut job) = world.job(artifact.job) {
                let until = later(now, pause);
                let words = words_of(world, &job, &artifact, &error, Did::WillTryAgain(until));
                let is_drive = matches!(error.kind(), ErrorKind::DiskFull | ErrorKind::FolderGone);
                if attempts == watching::SILENT_FAILURES && !is_drive {
                    let about = About::Job(job.id);
                    world.notice(now, about, Weight::Warning, words.clone(), details(&error));
                }
                note(&mut job, now, words.what);
                drives::say(world, job.batch, &error, now);
                world.put_job(job);
            }
            world.write(Change::PutArtifact(Arc::new(artifact)));
        }
        Verdict::GiveUp => {
            if let Some(job) = world.job(artifact.job) {
                let words = words_of(world, &job, &artifact, &error, Did::WentOn);
                world.notice(
                    now,
                    About::Job(job.id),
                    Weight::Problem,
                    words,
                    details(&error),
                );
            }
            artifact.state = match artifact.state {
                ArtifactState::Fetched(archive) => ArtifactState::Unpacked {
                    archive,
                    archive_kept: true,
                    files: Vec::new(),
                    problems: vec![
                        error
                            .failure()
                            .hint
                            .clone()
                            .unwrap_or_else(|| "The archive cannot be unpacked".to_owned()),
                    ],
                },
                ArtifactState::Offered
                | ArtifactState::Preparing { .. }
                | ArtifactState::Unpacked { .. }
                | ArtifactState::Failed(_) => ArtifactState::Failed(error),
            };
            world.write(Change::PutArtifact(Arc::new(artifact)));
        }
    }
}

fn words_of(world: &World, job: &Job, artifact: &Artifact, error: &Error, did: Did) -> Words {
    let provider = world
        .facts_of(job)
        .map_or("The platform", |facts| facts.name);
    let subject = Subject {
        provider,
        connection: &job.connection_label,
        name: &artifact.path,
    };
    explain(error, subject, did)
}

fn unsettled(world: &World, id: ArtifactId) -> Option<Artifact> {
    let artifact = world.artifacts.get(&id)?;
    let job = world.jobs.get(&artifact.job)?;
    (!artifact.is_settled() && job.stage == Stage::Downloading).then(|| Artifact::clone(artifact))
}

/// Jobs of a batch whose results are all settled and only lack the receipt.
pub(in crate::engine) fn finishing(world: &World, batch: BatchId) -> Vec<JobId> {
    let Some(batch) = world.batches.get(&batch) else {
        return Vec::new();
    };
    batch
        .jobs
        .iter()
        .filter_map(|id| world.jobs.get(id))
        .filter(|job| job.stage == Stage::Downloading && job.outputs_listed)
        .filter(|job| {
            world
                .artifacts_of(job.id)
                .all(|artifact| artifact.is_settled())
        })
        .map(|job| job.id)
        .collect()
}

/// The receipt is on disk: the jobs it names are done, or have failed with what could be had.
pub(super) fn receipt_written(
    world: &mut World,
    batch: BatchId,
    jobs: &[JobId],
    outcome: &Result<()>,
    now: Now,
) {
    if outcome.is_ok() {
        drives::is_well(world, batch);
    }
    // A job that fails tells of its batch itself.
    let mut untold = false;
    for id in jobs {
        let Some(mut job) = world.job(*id).filter(|job| job.stage == Stage::Downloading) else {
            continue;
        };
        if let Err(error) = outcome {
            if matches!(
                verdict(world, error, job.faults.saturating_add(1)),
                Verdict::GiveUp
            ) {
                fail(world, job, error.clone(), now);
            } else {
                wait(world, &mut job, error, now);
                world.put_job(job);
                drives::say(world, batch, error, now);
            }
            continue;
        }
        if let Some(error) = ending(world, &job) {
            fail(world, job, error, now);
            untold = false;
            continue;
        }
        move_job(&mut job, Stage::Done, now, "Everything is here and checked");
        job.wait_until = None;
        job.error = None;
        world.put_job(job);
        untold = true;
    }
    if untold {
        watching::batch_settled(world, batch, now);
    }
}

/// Why a job whose results are settled did not end well, if it did not.
fn ending(world: &World, job: &Job) -> Option<Error> {
    if failed_remotely(job) {
        return reason_of(job);
    }
    let missing = world
        .artifacts_of(job.id)
        .filter(|artifact| is_missing(artifact))
        .count();
    let missing_words = match missing {
        0 => return None,
        1 => "One result file could not be fetched".to_owned(),
        count => format!("{count} result files could not be fetched"),
    };
    Some(Error::new(ErrorKind::NotFound, Doing::Download).hint(missing_words))
}

/// Whether nothing of it could be had: not fetched, or an archive that cannot be opened at all.
pub(super) fn is_missing(artifact: &Artifact) -> bool {
    match &artifact.state {
        ArtifactState::Failed(_) => true,
        ArtifactState::Unpacked {
            files, problems, ..
        } => files.is_empty() && !problems.is_empty(),
        ArtifactState::Offered | ArtifactState::Preparing { .. } | ArtifactState::Fetched(_) => {
            false
        }
    }
}

fn failed_remotely(job: &Job) -> bool {
    matches!(
        job.report.as_ref().map(|report| &report.status),
        Some(JobStatus::Failed { .. })
    )
}

/// The platform's reason for a failure, which stays on the job while partial results are fetched.
fn reason_of(job: &Job) -> Option<Error> {
    match job.report.as_ref().map(|report| &report.status) {
        Some(JobStatus::Failed { reason }) => Some(watching::remote_failure(reason.as_deref())),
        _ => None,
    }
}
