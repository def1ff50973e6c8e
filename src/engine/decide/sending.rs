//! From files to a job at the platform: uploads, the point of no return, the answer or its loss.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::decide::{Verdict, calm, fail, outage, refused, verdict, wait};
use crate::engine::event::{Effect, Now, WorkKey};
use crate::engine::world::{World, later, move_job, note};
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::ids::{ConnectionId, FileId, JobId};
use crate::model::job::{Job, LeftOut, Stage};
use crate::model::notice::{About, Did, Subject, Weight, details, explain};
use crate::model::provider::LostSubmit;
use crate::model::remote::{Found, Gathered, RemoteJob, StagedFile};
use crate::store::journal::Change;

/// How long to wait for the answer to another submission before looking for a lost one again.
const RIVAL_WAIT: Duration = Duration::from_secs(5);

/// How often to ask whether a platform has taken gathered files in.
const GATHER_POLL: Duration = Duration::from_secs(5);

/// A file is at the platform, or is not: all jobs of the connection that want it hear of it.
pub(super) fn staged(
    world: &mut World,
    connection: ConnectionId,
    file: FileId,
    outcome: Result<StagedFile>,
    now: Now,
) {
    let error = match outcome {
        // It comes too late for a connection that was removed: another account may come back under its name.
        Ok(_) if !world.connections.contains_key(&connection) => return,
        Ok(staged) => {
            world.write(Change::PutStaged {
                connection,
                file,
                staged,
            });
            for mut job in uploading(world, connection, file) {
                if job.error.is_some() {
                    calm(&mut job);
                    world.put_job(job);
                }
            }
            return;
        }
        Err(error) => error,
    };
    let waiting = uploading(world, connection, file);
    let faults = waiting
        .iter()
        .map(|job| job.faults)
        .max()
        .unwrap_or_default();
    match verdict(world, &error, faults.saturating_add(1)) {
        Verdict::Block => refused(world, &WorkKey::Stage(connection, file), &error, now),
        Verdict::TryLater => {
            // Several uploads that fail in one bad moment are one failed attempt of the job.
            let rests = |job: &Job| job.wait_until.is_some_and(|until| until > now.at);
            for mut job in waiting.into_iter().filter(|job| !rests(job)) {
                wait(world, &mut job, &error, now);
                world.put_job(job);
            }
        }
        Verdict::GiveUp => {
            for job in waiting {
                leave_out(world, job, file, &error, now);
            }
        }
    }
}

fn uploading(world: &World, connection: ConnectionId, file: FileId) -> Vec<Job> {
    world
        .alive
        .iter()
        .filter_map(|id| world.jobs.get(id))
        .filter(|job| {
            job.connection == connection
                && job.stage == Stage::Uploading
                && job.files.contains(&file)
        })
        .map(|job| Job::clone(job))
        .collect()
}

/// Lets the job go on without a file that cannot be sent; a job without any file left fails.
fn leave_out(world: &mut World, mut job: Job, file: FileId, error: &Error, now: Now) {
    if job.left_out.iter().any(|left| left.file == file) {
        return;
    }
    job.left_out.push(LeftOut {
        file,
        error: error.clone(),
    });
    if job.left_out.len() >= job.files.len() {
        fail(world, job, error.clone(), now);
        return;
    }
    let name = world
        .batches
        .get(&job.batch)
        .and_then(|batch| batch.files.iter().find(|entry| entry.id == file))
        .map(|entry| entry.local.name.clone())
        .unwrap_or_default();
    let provider = world
        .facts_of(&job)
        .map_or("The platform", |facts| facts.name);
    let subject = Subject {
        provider,
        connection: &job.connection_label,
        name: &name,
    };
    let words = explain(error, subject, Did::WentOn);
    note(&mut job, now, format!("Left out {name}"));
    world.notice(
        now,
        About::Job(job.id),
        Weight::Problem,
        words,
        details(error),
    );
    world.put_job(job);
}

/// An upload wants something remembered for a later attempt.
pub(super) fn keep_asked(world: &mut World, connection: ConnectionId, file: FileId, text: String) {
    world.write(Change::PutKept {
        connection,
        file,
        text,
    });
    world.ask(Effect::LetKeep(connection, file));
}

/// The files of a job were made one input, or the platform is still at it.
pub(super) fn gathered(world: &mut World, id: JobId, outcome: Result<Gathered>, now: Now) {
    if world.live.given_up.contains(&WorkKey::Gather(id)) {
        return;
    }
    let Some(mut job) = world.job(id).filter(|job| job.stage == Stage::Uploading) else {
        return;
    };
    match outcome {
        Ok(gathered) => {
            calm(&mut job);
            if gathered.ready {
                note(&mut job, now, format!("{} is ready", gathered.input.name));
            } else {
                let pause = world.pace.poll_wait(GATHER_POLL);
                job.wait_until = Some(later(now, pause));
                note(
                    &mut job,
                    now,
                    format!("{} is being taken in", gathered.input.name),
                );
            }
            job.gathered = Some(gathered);
            world.put_job(job);
        }
        Err(error) => {
            if !error.is_retryable() {
                // A later attempt gathers anew and does not ask again about what the platform could not take in.
                job.gathered = None;
            }
            retry_or_fail(world, job, &WorkKey::Gather(id), error, now);
        }
    }
}

/// What stood on the platform's list before the submission.
pub(super) fn baseline_read(world: &mut World, id: JobId, outcome: Result<Vec<String>>, now: Now) {
    let Some(mut job) = world.job(id).filter(|job| job.stage == Stage::Uploading) else {
        return;
    };
    match outcome {
        Ok(seen) => {
            job.seen_before = Some(seen);
            calm(&mut job);
            world.put_job(job);
        }
        Err(error) => retry_or_fail(world, job, &WorkKey::ReadBaseline(id), error, now),
    }
}

/// The submission is about to become irrevocable: from here on a lost answer means not knowing.
pub(super) fn commit_asked(world: &mut World, id: JobId, draft: Option<RemoteJob>, now: Now) {
    let Some(mut job) = world.job(id) else { return };
    // A submission that was given up must not go on for the attempt after it: it bears another tag.
    let given_up = world.live.given_up.contains(&WorkKey::Submit(id));
    if job.stage != Stage::Uploading || job.cancel_wanted || given_up {
        return;
    }
    move_job(&mut job, Stage::Submitting, now, "Submitting");
    job.submitted_at = Some(now.at);
    if draft.is_some() {
        job.drafted = draft;
    }
    world.put_job(job);
    world.ask(Effect::LetCommit(id));
}

/// The submission was answered, or its answer was lost.
pub(super) fn submitted(world: &mut World, id: JobId, outcome: Result<RemoteJob>, now: Now) {
    let Some(mut job) = world.job(id) else { return };
    if !matches!(job.stage, Stage::Uploading | Stage::Submitting) {
        return;
    }
    let error = match outcome {
        Ok(remote) => {
            accept(world, job, remote, now, "Accepted by the platform");
            return;
        }
        Err(error) => error,
    };
    // Still before the point of no return, or refused by the platform: no job was made, so a repeat is safe.
    if job.stage == Stage::Uploading || error.submit_made_no_job() {
        // A refusal right after an upload may only mean that the platform has not digested the file yet;
        // the client says so by naming a time.
        let digesting = job.attempts == 0 && error.failure().retry_after.is_some();
        if job.stage == Stage::Submitting
            && (digesting
                || verdict(world, &error, job.faults.saturating_add(1)) == Verdict::TryLater)
        {
            move_job(&mut job, Stage::Waiting, now, "Not accepted yet");
        }
        if digesting {
            wait(world, &mut job, &error, now);
            world.put_job(job);
        } else {
            retry_or_fail(world, job, &WorkKey::Submit(id), error, now);
        }
        return;
    }
    // No look-up, no repeat: `plan` asks the platform or the person.
    note(&mut job, now, "The answer to the submission was lost");
    job.error = Some(error);
    world.put_job(job);
}

fn retry_or_fail(world: &mut World, mut job: Job, work: &WorkKey, error: Error, now: Now) {
    match verdict(world, &error, job.faults.saturating_add(1)) {
        Verdict::TryLater => {
            wait(world, &mut job, &error, now);
            world.put_job(job);
        }
        Verdict::Block => {
            if job.stage == Stage::Submitting {
                move_job(&mut job, Stage::Waiting, now, "Not accepted");
            }
            world.put_job(job);
            refused(world, work, &error, now);
        }
        Verdict::GiveUp => fail(world, job, error, now),
    }
}

/// The platform has the job: the handle is written before anything else.
fn accept(world: &mut World, mut job: Job, remote: RemoteJob, now: Now, what: &str) {
    calm(&mut job);
    no_longer_offered(world, &job, &remote);
    job.remote = Some(remote);
    job.candidates.clear();
    move_job(&mut job, Stage::Queued, now, what);
    let (connection, provider) = (job.connection, world.facts_of(&job));
    world.put_job(job);
    if let Some(facts) = provider {
        let first = world.pace.poll_wait(facts.capabilities.poll.first);
        let due = later(now, first);
        let link = world.link(connection);
        link.poll_pause = facts.capabilities.poll.usual;
        link.poll_due = Some(link.poll_due.map_or(due, |known| known.min(due)));
    }
}

/// What is known to be one job's is not offered to the person as what another one may have become.
pub(super) fn no_longer_offered(world: &mut World, job: &Job, remote: &RemoteJob) {
    let offers = |other: &&Arc<Job>| {
        other.id != job.id
            && other.connection == job.connection
            && other.candidates.contains(remote)
    };
    let others: Vec<Job> = world
        .jobs
        .values()
        .filter(offers)
        .map(|other| Job::clone(other))
        .collect();
    for mut other in others {
        other.candidates.retain(|candidate| candidate != remote);
        world.put_job(other);
    }
}

/// A lost submission was looked for.
pub(super) fn looked_up(world: &mut World, id: JobId, outcome: Result<Found>, now: Now) {
    let Some(mut job) = world.job(id).filter(|job| job.stage == Stage::Submitting) else {
        return;
    };
    let given_up = world.live.given_up.contains(&WorkKey::LookUp(id));
    match outcome {
        Ok(Found::Job(remote)) => {
            accept(world, job, remote, now, "Found at the platform and adopted");
        }
        // Once more, by the clock as it is now.
        Ok(Found::Nothing | Found::Perhaps(_)) if given_up => {}
        Ok(Found::Nothing) => not_there(world, job, now),
        Ok(Found::Perhaps(listed)) => perhaps(world, job, listed, now),
        Err(error) => match verdict(world, &error, job.faults.saturating_add(1)) {
            Verdict::TryLater => {
                wait(world, &mut job, &error, now);
                world.put_job(job);
            }
            Verdict::Block => refused(world, &WorkKey::LookUp(id), &error, now),
            Verdict::GiveUp => unconfirmed(world, job, now),
        },
    }
}

/// The platform made no job of a lost submission, so it may be sent again; after a pause, as whatever it met may not be
/// over, and not for ever where the platform keeps failing.
fn not_there(world: &mut World, mut job: Job, now: Now) {
    let what = if job.drafted.is_some() {
        "Its draft was not started, so that is done again"
    } else {
        "Not at the platform, so it is sent again"
    };
    move_job(&mut job, Stage::Waiting, now, what);
    let Some(error) = job.error.clone() else {
        calm(&mut job);
        world.put_job(job);
        return;
    };
    let faults = job
        .faults
        .saturating_add(u32::from(outage::counts(error.kind())));
    if verdict(world, &error, faults) == Verdict::GiveUp {
        fail(world, job, error, now);
    } else {
        wait(world, &mut job, &error, now);
        world.put_job(job);
    }
}

/// Several jobs may be the lost one. Where the platform says what each was given, the only one that fits and is nobody
/// else's is it; otherwise the person decides.
fn perhaps(world: &mut World, mut job: Job, listed: Vec<RemoteJob>, now: Now) {
    let fits = world
        .facts_of(&job)
        .is_some_and(|facts| facts.capabilities.lost_submit == LostSubmit::OneThatFits);
    if fits && has_rival(world, &job) {
        // Its answer says which one it made; only then can be told which one is left.
        let pause = world.pace.poll_wait(RIVAL_WAIT);
        job.wait_until = Some(later(now, pause));
        world.put_job(job);
        return;
    }
    let mut candidates = unknown(world, &job, listed);
    if fits
        && candidates.len() == 1
        && let Some(only) = candidates.pop()
    {
        let what = "Found at the platform as the only one that fits, and adopted";
        accept(world, job, only, now, what);
        return;
    }
    job.candidates = candidates;
    unconfirmed(world, job, now);
}

/// Whether a submission to the same pipeline is still open: what the platform lists may be its job.
fn has_rival(world: &World, job: &Job) -> bool {
    world.live.running.iter().any(|key| match key {
        WorkKey::Submit(id) => world.jobs.get(id).is_some_and(|other| {
            other.id != job.id
                && other.connection == job.connection
                && other.pipeline.id == job.pipeline.id
        }),
        _ => false,
    })
}

/// Of the jobs on the platform's list those that were not there before and are not ours already.
fn unknown(world: &World, job: &Job, listed: Vec<RemoteJob>) -> Vec<RemoteJob> {
    let ours: BTreeSet<&str> = world
        .jobs
        .values()
        .filter(|other| other.connection == job.connection)
        .filter_map(|other| other.remote.as_ref())
        .map(|remote| remote.id.as_str())
        .collect();
    let before = job.seen_before.as_deref().unwrap_or_default();
    listed
        .into_iter()
        .filter(|remote| !ours.contains(remote.id.as_str()) && !before.contains(&remote.id))
        .collect()
}

/// Parks a job whose submission has no known outcome, and asks the person.
pub(in crate::engine) fn unconfirmed(world: &mut World, mut job: Job, now: Now) {
    let error = job.error.clone().unwrap_or_else(|| {
        Error::new(ErrorKind::Timeout, Doing::Submit)
            .sent(Sent::Perhaps)
            .hint("Labferry was closed before the answer came")
    });
    move_job(
        &mut job,
        Stage::Unconfirmed,
        now,
        "Whether the platform accepted it is not known",
    );
    job.wait_until = None;
    job.error = Some(error.clone());
    world.notice_of_job(now, &job, &error, Did::LeftUnconfirmed);
    let batch = job.batch;
    world.put_job(job);
    super::watching::batch_settled(world, batch, now);
}
