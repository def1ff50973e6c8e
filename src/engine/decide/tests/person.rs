//! What a person can do about a job: end it, try it again, take it off the list.

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::{accepted, arrives, finished, last_line, last_words};
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, UPLOADS, remote, started, submitting};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ArtifactId, BatchId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::provider::FanOut;

pub(super) fn cancel(bed: &mut Bed, job: JobId) -> Vec<Effect> {
    bed.happen(Event::Command(Command::CancelJob(job)))
}

pub(super) fn retry(bed: &mut Bed, job: JobId) -> Vec<Effect> {
    bed.happen(Event::Command(Command::RetryJob(job)))
}

fn stops(effects: &[Effect]) -> Vec<WorkKey> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Stop(key) => Some(key.clone()),
            _ => None,
        })
        .collect()
}

fn cancels(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::Cancel(..)))
        .count()
}

#[test]
fn a_job_that_was_not_submitted_ends_here_and_only_its_own_uploads_stop() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::AllInOne);
    assert_eq!(
        stops(&cancel(&mut bed, JobId(1))),
        [WorkKey::Stage(UPLOADS, FileId(1))]
    );
    assert_eq!(bed.stage(JobId(1)), Stage::Cancelled);
    assert_eq!(
        last_line(&bed, JobId(1)),
        "Cancelled before anything was submitted"
    );
}

/// Only a job that wants the same file over the same connection, and now, keeps an upload going.
#[test]
fn an_upload_goes_on_while_another_job_wants_it() {
    let own = WorkKey::Stage(UPLOADS, FileId(1));
    for (connection, stage, file, goes_on) in [
        (UPLOADS, Stage::Uploading, FileId(1), true),
        (CARRIES, Stage::Uploading, FileId(1), false),
        (UPLOADS, Stage::Queued, FileId(1), false),
        (UPLOADS, Stage::Uploading, FileId(2), false),
    ] {
        let mut bed = Bed::new();
        bed.connect();
        bed.send(UPLOADS, 2, FanOut::OnePerFile);
        let mut other = bed.world.job(JobId(2)).unwrap();
        (other.connection, other.stage, other.files) = (connection, stage, vec![file]);
        other.remote = Some(remote("r"));
        bed.world.put_job(other);
        let stopped = stops(&cancel(&mut bed, JobId(1)));
        assert_eq!(
            stopped.contains(&own),
            !goes_on,
            "{connection:?} {stage:?} {file:?}"
        );
    }
}

#[test]
fn a_job_is_ended_at_the_platform_where_that_can_be_done_and_asked_for_once() {
    let (mut bed, job) = accepted(FINDS);
    assert_eq!(cancels(&cancel(&mut bed, job)), 1);
    assert_eq!(bed.stage(job), Stage::Queued);
    assert!(cancel(&mut bed, job).is_empty());
    bed.end(&WorkKey::Cancel(job));
    bed.happen(Event::CancelAnswered(job, Ok(())));
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(last_words(&bed), "Plate 7 has ended.");
    // Refused, it goes on, and can be asked for again.
    let (mut bed, job) = accepted(FINDS);
    cancel(&mut bed, job);
    bed.end(&WorkKey::Cancel(job));
    let refused = Error::new(ErrorKind::Conflict, Doing::Cancel).status(409);
    let effects = bed.happen(Event::CancelAnswered(job, Err(refused)));
    assert_eq!((bed.stage(job), cancels(&effects)), (Stage::Queued, 0));
    assert_eq!(last_line(&bed, job), "The platform did not stop it");
    assert_eq!(cancels(&cancel(&mut bed, job)), 1);
}

#[test]
fn a_job_that_cannot_be_ended_there_is_watched_no_longer() {
    let (mut bed, job) = accepted(CARRIES);
    assert_eq!(cancels(&cancel(&mut bed, job)), 0);
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(
        last_line(&bed, job),
        "No longer watched; the platform goes on with it"
    );
    retry(&mut bed, job);
    assert_eq!(bed.stage(job), Stage::Queued);
    assert_eq!(last_line(&bed, job), "Watched again");
    assert!(bed.world.jobs[&job].remote.is_some());
}

#[test]
fn fetching_that_is_cancelled_stops_its_downloads() {
    let (mut bed, job) = finished(&["a.csv", "b.csv"]);
    arrives(&mut bed, 1);
    assert_eq!(
        stops(&cancel(&mut bed, job)),
        [WorkKey::Fetch(ArtifactId(2))]
    );
    assert_eq!(last_line(&bed, job), "Fetching was cancelled");
    // A second wish changes nothing.
    assert!(cancel(&mut bed, job).is_empty());
}

#[test]
fn a_settled_job_can_be_taken_off_the_list_and_the_batch_goes_with_its_last() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 2, FanOut::OnePerFile);
    let forget = |bed: &mut Bed, number| {
        let command = Command::ForgetJob(JobId(number));
        bed.happen(Event::Command(command))
    };
    assert!(forget(&mut bed, 1).is_empty(), "it is under way");
    cancel(&mut bed, JobId(1));
    cancel(&mut bed, JobId(2));
    forget(&mut bed, 1);
    assert_eq!(bed.world.batches[&BatchId(1)].jobs, [JobId(2)]);
    forget(&mut bed, 2);
    assert!(bed.world.batches.is_empty() && bed.world.jobs.is_empty());
    let (mut bed, job) = finished(&["a.csv"]);
    cancel(&mut bed, job);
    bed.happen(Event::Command(Command::ForgetJob(job)));
    assert!(bed.world.artifacts.is_empty());
}

#[test]
fn a_wish_to_cancel_while_submitting_is_passed_on_with_the_answer() {
    let (mut bed, job) = submitting(FINDS);
    cancel(&mut bed, job);
    assert_eq!(bed.stage(job), Stage::Submitting);
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Ok(remote("r"))));
    assert_eq!(cancels(&effects), 1);
}
