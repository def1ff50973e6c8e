//! From a job at the platform to its end there.

use std::collections::BTreeSet;

use crate::engine::decide::{Verdict, calm, fail, outage, refused, verdict, wait};
use crate::engine::event::{Now, WorkKey};
use crate::engine::receipt::{FAILED_THERE, FINISHED_THERE, STOPPED_THERE};
use crate::engine::world::{World, later, move_job, note};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{BatchId, ConnectionId, JobId};
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Did, Weight, Words, details};
use crate::model::remote::{JobReport, JobStatus, Progress};

/// After so many failed attempts in a row the person hears of it; a shorter gap is nobody's business.
pub(super) const SILENT_FAILURES: u32 = 5;

/// So many times in a row a platform has to say that it does not know a job before that is believed.
const GONE_AFTER: u32 = 3;

/// The platform said how jobs stand. The pause grows while nothing changes.
pub(super) fn polled(
    world: &mut World,
    connection: ConnectionId,
    outcome: Result<Vec<(JobId, Result<JobReport>)>>,
    now: Now,
) {
    let Some(poll) = world
        .facts_of_connection(connection)
        .map(|facts| facts.capabilities.poll)
    else {
        return;
    };
    let reports = match outcome {
        Ok(reports) => reports,
        Err(error) => {
            let failures = world.link(connection).poll_failures.saturating_add(1);
            let pause = outage::pause(world, failures, &error);
            let link = world.link(connection);
            link.poll_failures = failures;
            link.offline |= outage::is_outage(error.kind());
            link.poll_due = Some(later(now, pause));
            if failures == SILENT_FAILURES {
                let until = Did::WillTryAgain(later(now, pause));
                let words = world.words_of_connection(connection, &error, until);
                let about = About::Connection(connection);
                world.notice(now, about, Weight::Warning, words, details(&error));
            }
            if verdict(world, &error, 0) == Verdict::Block {
                refused(world, &WorkKey::Poll(connection), &error, now);
            }
            return;
        }
    };
    let mut changed = false;
    for (id, outcome) in reports {
        let Some(job) = world
            .job(id)
            .filter(|job| matches!(job.stage, Stage::Queued | Stage::Running))
        else {
            continue;
        };
        match outcome {
            Ok(report) => changed |= reported(world, job, report, now),
            Err(error) => unavailable(world, job, &error, now),
        }
    }
    let scale = world.pace;
    let link = world.link(connection);
    link.poll_failures = 0;
    link.poll_pause = if changed || link.poll_pause.is_zero() {
        poll.usual
    } else {
        link.poll_pause.mul_f64(1.5).min(poll.longest)
    };
    link.poll_due = Some(later(now, scale.poll_wait(link.poll_pause)));
}

/// One job's status cannot be had: the others are not touched by it, and it is asked about more and more rarely.
fn unavailable(world: &mut World, mut job: Job, error: &Error, now: Now) {
    match error.kind() {
        ErrorKind::Unauthenticated => refused(world, &WorkKey::Poll(job.connection), error, now),
        ErrorKind::NotFound => {
            let report = JobReport {
                status: JobStatus::Gone,
                word: "not found".to_owned(),
                message: None,
            };
            reported(world, job, report, now);
        }
        _ => {
            wait(world, &mut job, error, now);
            world.put_job(job);
        }
    }
}

/// Takes in what the platform says about a job; whether anything changed.
fn reported(world: &mut World, mut job: Job, mut report: JobReport, now: Now) -> bool {
    // A platform may need a moment until it knows a job it has just made; taken for gone, it would be made again.
    if report.status == JobStatus::Gone && !is_believed_gone(&mut job) {
        wait(world, &mut job, &gone(), now);
        world.put_job(job);
        return false;
    }
    keep_percent_rising(&job, &mut report);
    let changed = job.report.as_ref() != Some(&report);
    if !changed && job.error.is_none() && matches!(job.stage, Stage::Running | Stage::Queued) {
        let moved = match report.status {
            JobStatus::Queued => job.stage == Stage::Queued,
            JobStatus::Running { .. } | JobStatus::Unrecognized(_) => job.stage == Stage::Running,
            _ => false,
        };
        if moved {
            return false;
        }
    }
    if changed {
        job.last_change = now.at;
        world.live.called_stalled.remove(&job.id);
        world.live.unwatched.remove(&job.id);
    }
    calm(&mut job);
    let status = report.status.clone();
    job.report = Some(report);
    match status {
        JobStatus::Queued => set_stage(&mut job, Stage::Queued, now, "Queued at the platform"),
        JobStatus::Running { .. } => set_stage(&mut job, Stage::Running, now, "Running"),
        JobStatus::Unrecognized(text) => {
            set_stage(&mut job, Stage::Running, now, "Running");
            note(
                &mut job,
                now,
                format!("The platform calls its state “{text}”"),
            );
        }
        JobStatus::Succeeded => move_job(&mut job, Stage::Downloading, now, FINISHED_THERE),
        JobStatus::Failed { reason } => {
            let partial = world
                .facts_of(&job)
                .is_some_and(|facts| facts.capabilities.partial_results);
            let error = remote_failure(reason.as_deref());
            if partial {
                note(&mut job, now, FAILED_THERE);
                move_job(
                    &mut job,
                    Stage::Downloading,
                    now,
                    "Fetching partial results",
                );
                job.error = Some(error);
            } else {
                fail(world, job, error, now);
                return true;
            }
        }
        JobStatus::Cancelled => {
            move_job(&mut job, Stage::Cancelled, now, STOPPED_THERE);
        }
        JobStatus::Gone => {
            fail(world, job, gone(), now);
            return true;
        }
    }
    let (batch, settled) = (job.batch, job.stage.is_settled());
    world.put_job(job);
    if settled {
        batch_settled(world, batch, now);
    }
    changed
}

/// Whether it was said often enough without a break. Faults of another kind say nothing about whether the job is there.
fn is_believed_gone(job: &mut Job) -> bool {
    if job.error.as_ref().map(Error::kind) != Some(ErrorKind::NotFound) {
        job.faults = 0;
    }
    job.faults.saturating_add(1) >= GONE_AFTER
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, Doing::Poll).hint("The platform no longer knows this job")
}

fn set_stage(job: &mut Job, stage: Stage, now: Now, what: &str) {
    if job.stage != stage {
        move_job(job, stage, now, what);
    }
}

/// A percentage that went back is shown as it was.
fn keep_percent_rising(job: &Job, report: &mut JobReport) {
    let before = match job.report.as_ref().map(|report| &report.status) {
        Some(JobStatus::Running {
            progress: Some(Progress::Percent(before)),
        }) => *before,
        _ => return,
    };
    if let JobStatus::Running { progress } = &mut report.status {
        match progress {
            Some(Progress::Percent(percent)) => *percent = percent.max(before),
            None => *progress = Some(Progress::Percent(before)),
            Some(Progress::Steps { .. }) => {}
        }
    }
}

/// What the platform calls a failure, as an error of ours.
pub(super) fn remote_failure(reason: Option<&str>) -> Error {
    let error =
        Error::new(ErrorKind::Invalid, Doing::Poll).hint("The analysis failed at the platform");
    match reason {
        Some(reason) => error.server_said(reason),
        None => error,
    }
}

/// The platform was asked to end a job. What it says of a job that has ended since says nothing about the one after it.
pub(super) fn cancel_answered(world: &mut World, id: JobId, outcome: Result<()>, now: Now) {
    if world.live.given_up.contains(&WorkKey::Cancel(id)) {
        return;
    }
    let Some(mut job) = world.job(id).filter(|job| !job.stage.is_settled()) else {
        return;
    };
    match outcome {
        Ok(()) => {
            move_job(&mut job, Stage::Cancelled, now, STOPPED_THERE);
            let batch = job.batch;
            world.put_job(job);
            batch_settled(world, batch, now);
        }
        Err(error) => {
            job.cancel_wanted = false;
            note(&mut job, now, "The platform did not stop it");
            world.notice_of_job(now, &job, &error, Did::WentOn);
            world.put_job(job);
        }
    }
}

/// One notice a batch, when its last job has settled.
pub(super) fn batch_settled(world: &mut World, id: BatchId, now: Now) {
    let Some(batch) = world.batches.get(&id).cloned() else {
        return;
    };
    let jobs: Vec<_> = batch
        .jobs
        .iter()
        .filter_map(|job| world.jobs.get(job))
        .collect();
    if jobs.is_empty() || jobs.iter().any(|job| !job.stage.is_settled()) {
        return;
    }
    let done = jobs.iter().filter(|job| job.stage == Stage::Done).count();
    let others: BTreeSet<&str> = jobs
        .iter()
        .filter(|job| job.stage != Stage::Done)
        .map(|job| job.stage.word())
        .collect();
    let all = jobs.len();
    let words = if others.is_empty() {
        Words {
            what: format!("{} is finished.", batch.name),
            did: match all {
                1 => "Its job is done and its results are checked.".to_owned(),
                _ => format!("All {all} jobs are done and their results are checked."),
            },
            next: format!("They are in {}.", batch.folder.display()),
            action: None,
        }
    } else {
        let others = others
            .into_iter()
            .collect::<Vec<_>>()
            .join(", ")
            .to_lowercase();
        Words {
            what: format!("{} has ended.", batch.name),
            did: format!("{done} of {all} jobs are done; the others are {others}."),
            next: "Open Jobs to see why and to try them again.".to_owned(),
            action: None,
        }
    };
    let weight = if done == all {
        Weight::Note
    } else {
        Weight::Warning
    };
    world.notice(now, About::Batch(id), weight, words, Vec::new());
}
