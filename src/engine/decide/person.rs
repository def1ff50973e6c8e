//! What a person wants of a job: end it, try it again, decide about it, take it off the list.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::command::Resolution;
use crate::engine::decide::calm;
use crate::engine::decide::fetching::is_missing;
use crate::engine::decide::sending::no_longer_offered;
use crate::engine::decide::watching::batch_settled;
use crate::engine::event::{Effect, Now, Work, WorkKey};
use crate::engine::world::{World, move_job, note};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::ids::{BatchId, JobId};
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Weight, Words};
use crate::model::provider::CancelKind;
use crate::model::remote::JobStatus;
use crate::results::names;
use crate::store::journal::Change;

/// Ends a job: here, and at the platform where it can be ended there.
pub(in crate::engine) fn cancel(world: &mut World, id: JobId, now: Now) {
    let Some(mut job) = world.job(id).filter(|job| !job.stage.is_settled()) else {
        return;
    };
    match job.stage {
        Stage::Waiting | Stage::Uploading => {
            end_here(world, job, now, "Cancelled before anything was submitted");
        }
        Stage::Submitting => {
            job.cancel_wanted = true;
            note(
                &mut job,
                now,
                "Will be cancelled as soon as the platform has answered",
            );
            world.put_job(job);
        }
        Stage::Queued | Stage::Running => {
            let kind = world.facts_of(&job).map(|facts| facts.capabilities.cancel);
            match (kind, job.remote.clone()) {
                (Some(CancelKind::Stops | CancelKind::StopsAndDeletes), Some(remote)) => {
                    if job.cancel_wanted && world.is_running(&WorkKey::Cancel(id)) {
                        return;
                    }
                    job.cancel_wanted = true;
                    let connection = job.connection;
                    world.put_job(job);
                    world.start(Work::Cancel(connection, id, remote));
                }
                (
                    Some(
                        CancelKind::Stops | CancelKind::StopsAndDeletes | CancelKind::StopWatching,
                    )
                    | None,
                    _,
                ) => {
                    end_here(
                        world,
                        job,
                        now,
                        "No longer watched; the platform goes on with it",
                    );
                }
            }
        }
        Stage::Downloading => end_here(world, job, now, "Fetching was cancelled"),
        Stage::Done | Stage::Failed | Stage::Cancelled | Stage::Unconfirmed => {}
    }
}

fn end_here(world: &mut World, mut job: Job, now: Now, what: &str) {
    let id = job.id;
    calm(&mut job);
    move_job(&mut job, Stage::Cancelled, now, what);
    let batch = job.batch;
    stop_work(world, &job);
    world.put_job(job);
    tracing::info!(job = id.0, "cancelled");
    batch_settled(world, batch, now);
}

/// Stops uploads no other job wants, the submission, and downloads.
fn stop_work(world: &mut World, job: &Job) {
    let wanted_elsewhere = |file| {
        world.alive.iter().any(|other| {
            *other != job.id
                && world.jobs.get(other).is_some_and(|other| {
                    other.connection == job.connection
                        && other.stage == Stage::Uploading
                        && other.files.contains(&file)
                })
        })
    };
    let mut keys: Vec<WorkKey> = job
        .files
        .iter()
        .filter(|file| !wanted_elsewhere(**file))
        .map(|file| WorkKey::Stage(job.connection, *file))
        .collect();
    keys.push(WorkKey::Submit(job.id));
    keys.extend(
        world
            .artifacts_of(job.id)
            .map(|artifact| WorkKey::Fetch(artifact.id)),
    );
    for key in [WorkKey::Submit(job.id), WorkKey::Gather(job.id)] {
        if world.is_running(&key) {
            world.live.given_up.insert(key);
        }
    }
    for key in keys {
        if world.is_running(&key) {
            world.ask(Effect::Stop(key));
        }
    }
}

/// Tries a failed or cancelled job again from where that is safe.
pub(super) fn retry(world: &mut World, id: JobId, now: Now) {
    let Some(mut job) = world.job(id) else { return };
    if !matches!(job.stage, Stage::Failed | Stage::Cancelled) {
        return;
    }
    let ended_badly = matches!(
        job.report.as_ref().map(|report| &report.status),
        Some(JobStatus::Failed { .. } | JobStatus::Cancelled | JobStatus::Gone)
    );
    let succeeded = matches!(
        job.report.as_ref().map(|report| &report.status),
        Some(JobStatus::Succeeded)
    );
    calm(&mut job);
    job.cancel_wanted = false;
    let left_out = !std::mem::take(&mut job.left_out).is_empty();
    if succeeded && job.stage == Stage::Failed {
        move_job(&mut job, Stage::Downloading, now, "Fetching the rest again");
        offer_again(world, id);
    } else if job.remote.is_some() && !ended_badly {
        move_job(&mut job, Stage::Queued, now, "Watched again");
        rest_no_longer(world, id);
        let connection = job.connection;
        world.link(connection).poll_due = Some(now.at);
    } else if job.made_elsewhere() {
        cannot_send(world, &job, now);
        return;
    } else {
        // The job at the platform, if there was one, has ended: a new one is what the person asks for.
        if world.artifacts_of(id).next().is_some() {
            // What it left stays where it is; the new results get a folder of their own.
            job.folder = another_folder(world, &job);
        }
        forget_artifacts(world, id);
        let cancel = WorkKey::Cancel(id);
        if world.is_running(&cancel) {
            world.live.given_up.insert(cancel);
        }
        let was_made = job.remote.take().is_some();
        // An input that a job ran with does for the next one; one that may be the fault, or lacks files, does not.
        if left_out || !was_made {
            job.gathered = None;
        }
        // A draft that became a job is used up. One that was never started is started instead of making another, and is
        // recognized by the tag it bears.
        if was_made {
            job.drafted = None;
        }
        if job.drafted.is_none() {
            job.tag = super::jobs_made::tag(now.random);
        }
        job.report = None;
        job.seen_before = None;
        job.outputs_listed = false;
        move_job(&mut job, Stage::Waiting, now, "Sent again");
    }
    world.put_job(job);
}

/// A job that was adopted and has ended at its platform cannot be made anew from here.
fn cannot_send(world: &mut World, job: &Job, now: Now) {
    let words = Words {
        what: format!(
            "{} was made elsewhere, and its platform has ended it.",
            job.name
        ),
        did: "Nothing was sent: Labferry has neither its inputs nor its settings.".to_owned(),
        next: "Run it again at the platform, then adopt the new job.".to_owned(),
        action: None,
    };
    world.notice(now, About::Job(job.id), Weight::Note, words, Vec::new());
}

/// A folder of the batch that none of its jobs has.
fn another_folder(world: &World, job: &Job) -> String {
    let mut taken: BTreeSet<String> = world
        .jobs
        .values()
        .filter(|other| other.batch == job.batch)
        .map(|other| names::fold(&other.folder))
        .collect();
    names::unique(&mut taken, &job.folder)
}

/// What a result waited out before the job was ended is over: by now the clock may have been set.
fn rest_no_longer(world: &mut World, job: JobId) {
    let resting: Vec<Artifact> = world
        .artifacts_of(job)
        .filter(|artifact| artifact.wait_until.is_some())
        .map(|artifact| Artifact::clone(artifact))
        .collect();
    for mut artifact in resting {
        artifact.wait_until = None;
        world.write(Change::PutArtifact(Arc::new(artifact)));
    }
}

/// Fetches what failed once more; what is here stays. A damaged archive stays, too: the new one gets a name of its own.
fn offer_again(world: &mut World, job: JobId) {
    let siblings: Vec<Artifact> = world
        .artifacts_of(job)
        .map(|artifact| Artifact::clone(artifact))
        .collect();
    let mut taken: BTreeSet<String> = siblings
        .iter()
        .map(|sibling| names::fold(&sibling.path))
        .collect();
    for mut artifact in siblings.into_iter().filter(is_missing) {
        if matches!(artifact.state, ArtifactState::Unpacked { .. }) {
            artifact.path = names::unique(&mut taken, &artifact.path);
        }
        artifact.state = ArtifactState::Offered;
        artifact.attempts = 0;
        artifact.faults = 0;
        artifact.wait_until = None;
        world.write(Change::PutArtifact(Arc::new(artifact)));
    }
}

fn forget_artifacts(world: &mut World, job: JobId) {
    for id in world.artifacts_of.get(&job).cloned().unwrap_or_default() {
        world.write(Change::RemoveArtifact(id));
    }
}

/// Tries all failed jobs of a batch again.
pub(super) fn retry_failed(world: &mut World, batch: BatchId, now: Now) {
    let jobs = world
        .batches
        .get(&batch)
        .map(|batch| batch.jobs.clone())
        .unwrap_or_default();
    for (number, id) in (0_u64..).zip(jobs) {
        if world
            .jobs
            .get(&id)
            .is_some_and(|job| job.stage == Stage::Failed)
        {
            retry(
                world,
                id,
                Now {
                    random: now.random.wrapping_add(number),
                    ..now
                },
            );
        }
    }
}

/// Decides about a submission without known outcome.
pub(super) fn resolve(world: &mut World, id: JobId, resolution: Resolution, now: Now) {
    let Some(mut job) = world.job(id).filter(|job| job.stage == Stage::Unconfirmed) else {
        return;
    };
    calm(&mut job);
    // This decision is newer than a wish to cancel that the lost answer left open.
    job.cancel_wanted = false;
    match resolution {
        Resolution::Adopt(remote) => {
            no_longer_offered(world, &job, &remote);
            job.remote = Some(remote);
            job.candidates.clear();
            move_job(
                &mut job,
                Stage::Queued,
                now,
                "Adopted by a person's decision",
            );
            world.link(job.connection).poll_due = Some(now.at);
        }
        Resolution::SendAgain => {
            job.candidates.clear();
            job.seen_before = None;
            if job.drafted.is_none() {
                // Should this answer be lost as well, the first submission must not be taken for it.
                job.tag = super::jobs_made::tag(now.random);
            }
            move_job(
                &mut job,
                Stage::Waiting,
                now,
                "Sent again by a person's decision",
            );
        }
        Resolution::Leave => {
            job.candidates.clear();
            move_job(
                &mut job,
                Stage::Cancelled,
                now,
                "Left as it is by a person's decision",
            );
        }
    }
    world.put_job(job);
}

/// Takes a settled job off the list. Files stay; the batch goes with its last job.
pub(super) fn forget(world: &mut World, id: JobId) {
    let Some(job) = world
        .jobs
        .get(&id)
        .cloned()
        .filter(|job| job.stage.is_settled())
    else {
        return;
    };
    forget_artifacts(world, id);
    world.write(Change::RemoveJob(id));
    let Some(batch) = world.batches.get(&job.batch).cloned() else {
        return;
    };
    let mut batch = crate::model::batch::Batch::clone(&batch);
    batch.jobs.retain(|other| *other != id);
    if batch.jobs.is_empty() {
        world.write(Change::RemoveBatch(batch.id));
    } else {
        world.write(Change::PutBatch(Arc::new(batch)));
    }
}
