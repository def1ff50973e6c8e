//! From a finished job to its results: what is offered, what arrives, what is missing in the end.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::engine::decide::fetching::finishing;
use crate::engine::decide::tests::{Bed, CARRIES, remote, started, submitting};
use crate::engine::event::{Effect, Event, Unpacked, Work, WorkKey};
use crate::model::artifact::{ArtifactState, Fetched};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, JobId};
use crate::model::job::Stage;
use crate::model::remote::{JobReport, JobStatus, Output};

/// A job that the platform has.
pub(super) fn accepted(connection: ConnectionId) -> (Bed, JobId) {
    let (mut bed, job) = submitting(connection);
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r"))));
    assert_eq!(bed.stage(job), Stage::Queued);
    (bed, job)
}

/// What the platform says of a job.
pub(super) fn says(bed: &mut Bed, job: JobId, status: JobStatus) -> Vec<Effect> {
    let connection = bed.world.jobs[&job].connection;
    bed.end(&WorkKey::Poll(connection));
    let report = JobReport {
        status,
        word: "word".to_owned(),
        message: None,
    };
    bed.happen(Event::Polled(connection, Ok(vec![(job, Ok(report))])))
}

/// A result of this name; what ends in `.zip` is unpacked.
pub(super) fn output(name: &str) -> Output {
    Output {
        id: name.to_owned(),
        name: name.to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: false,
        unpack: Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "zip"),
    }
}

pub(super) fn listed(bed: &mut Bed, job: JobId, outcome: Result<Vec<Output>>) -> Vec<Effect> {
    bed.end(&WorkKey::ListOutputs(job));
    bed.happen(Event::OutputsListed(job, outcome))
}

/// A job that ended well and offers these results.
pub(super) fn finished(names: &[&str]) -> (Bed, JobId) {
    let (mut bed, job) = accepted(CARRIES);
    says(&mut bed, job, JobStatus::Succeeded);
    let outputs = names.iter().map(|name| output(name)).collect();
    listed(&mut bed, job, Ok(outputs));
    assert_eq!(bed.stage(job), Stage::Downloading);
    (bed, job)
}

pub(super) fn arrives(bed: &mut Bed, number: u64) -> Vec<Effect> {
    let fetched = Fetched {
        size_bytes: 3,
        sha256: "00".to_owned(),
        at: bed.at,
    };
    fetched_as(bed, number, Ok(fetched))
}

pub(super) fn fails(bed: &mut Bed, number: u64, error: Error) -> Vec<Effect> {
    fetched_as(bed, number, Err(error))
}

fn fetched_as(bed: &mut Bed, number: u64, outcome: Result<Fetched>) -> Vec<Effect> {
    bed.end(&WorkKey::Fetch(ArtifactId(number)));
    bed.happen(Event::Fetched(ArtifactId(number), outcome))
}

pub(super) fn unpacked(bed: &mut Bed, number: u64, outcome: Result<Unpacked>) -> Vec<Effect> {
    bed.end(&WorkKey::Unpack(ArtifactId(number)));
    bed.happen(Event::Unpacked(ArtifactId(number), outcome))
}

/// The receipt is written, or is not.
pub(super) fn receipt(bed: &mut Bed, jobs: &[JobId], outcome: Result<()>) -> Vec<Effect> {
    bed.end(&WorkKey::WriteReceipt(BatchId(1)));
    bed.happen(Event::ReceiptWritten(BatchId(1), jobs.to_vec(), outcome))
}

pub(super) fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, Doing::Download)
}

pub(super) fn state(bed: &Bed, number: u64) -> ArtifactState {
    bed.world.artifacts[&ArtifactId(number)].state.clone()
}

/// The last line of a job's history.
pub(super) fn last_line(bed: &Bed, job: JobId) -> String {
    bed.world.jobs[&job].timeline.last().unwrap().what.clone()
}

/// The words of the last notice.
pub(super) fn last_words(bed: &Bed) -> String {
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    notice.words.what.clone()
}

#[test]
fn every_result_gets_a_clean_name_of_its_own_in_its_folder() {
    let (bed, job) = finished(&["a.csv", "A.csv", "/masks//one?.tif", "/"]);
    let paths: Vec<_> = bed.world.artifacts.values().map(|one| &*one.path).collect();
    assert_eq!(paths, ["a.csv", "A (2).csv", "masks/one_.tif", "_"]);
    assert_eq!(last_line(&bed, job), "4 result files to fetch");
    let (bed, job) = finished(&["a.csv"]);
    assert_eq!(last_line(&bed, job), "One result file to fetch");
    let (mut bed, job) = finished(&[]);
    assert_eq!(last_line(&bed, job), "The platform offers no result files");
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
}

#[test]
fn a_list_of_results_that_does_not_come_is_asked_for_again_or_given_up() {
    let (mut bed, job) = accepted(CARRIES);
    says(&mut bed, job, JobStatus::Succeeded);
    listed(&mut bed, job, Err(failure(ErrorKind::Unreachable)));
    let until = bed.world.jobs[&job].wait_until.unwrap();
    assert!(until > bed.at);
    let lists = |effects: &[Effect]| {
        let works = started(effects).into_iter();
        works
            .filter(|work| matches!(work, Work::ListOutputs(..)))
            .count()
    };
    assert_eq!(lists(&bed.happen(Event::Tick)), 0);
    bed.at = until;
    assert_eq!(lists(&bed.happen(Event::Tick)), 1);
    listed(&mut bed, job, Err(failure(ErrorKind::Forbidden)));
    assert_eq!(bed.stage(job), Stage::Failed);
}

/// Platforms that fail again and again are given up on after so many faults, and no sooner.
#[test]
fn faults_while_listing_are_counted() {
    let (mut bed, job) = accepted(CARRIES);
    says(&mut bed, job, JobStatus::Succeeded);
    for _ in 1..bed.world.pace.max_attempts {
        listed(&mut bed, job, Err(failure(ErrorKind::ServerFault)));
        assert_eq!(bed.stage(job), Stage::Downloading);
        bed.at = bed.world.jobs[&job].wait_until.unwrap();
        bed.happen(Event::Tick);
    }
    listed(&mut bed, job, Err(failure(ErrorKind::ServerFault)));
    assert_eq!(bed.stage(job), Stage::Failed);
}

#[test]
fn a_refused_key_while_fetching_blocks_and_loses_nothing() {
    let (mut bed, job) = finished(&["a.csv"]);
    fails(&mut bed, 1, failure(ErrorKind::Unauthenticated));
    assert!(bed.world.link(CARRIES).blocked.is_some());
    assert_eq!(bed.stage(job), Stage::Downloading);
    assert_eq!(state(&bed, 1), ArtifactState::Offered);
}

#[test]
fn a_result_that_is_still_being_made_is_asked_for_again() {
    let (mut bed, job) = finished(&["a.csv"]);
    fails(&mut bed, 1, failure(ErrorKind::ServerFault));
    bed.end(&WorkKey::Fetch(ArtifactId(1)));
    bed.happen(Event::Preparing(ArtifactId(1), Some(40.0)));
    let artifact = bed.world.artifacts[&ArtifactId(1)].clone();
    let percent = Some(40.0);
    assert_eq!(artifact.state, ArtifactState::Preparing { percent });
    assert_eq!((artifact.attempts, artifact.faults), (0, 0));
    // A second, by the pace of tests.
    assert_eq!(
        artifact
            .wait_until
            .unwrap()
            .duration_since(bed.at)
            .as_millis(),
        10
    );
    bed.at = artifact.wait_until.unwrap();
    let effects = bed.happen(Event::Tick);
    assert!(matches!(started(&effects).as_slice(), [Work::Fetch { .. }]));
    arrives(&mut bed, 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
}

/// A server that is gone for a while is waited for; after some time the person hears of it, once.
#[test]
fn a_result_that_keeps_failing_is_told_of_once() {
    let (mut bed, job) = finished(&["a.csv"]);
    let mut told = Vec::new();
    for _ in 0..8 {
        fails(&mut bed, 1, failure(ErrorKind::Unreachable));
        told.push(bed.world.notices.len());
        bed.at = bed.world.artifacts[&ArtifactId(1)].wait_until.unwrap();
    }
    assert_eq!(told, [0, 0, 0, 0, 1, 1, 1, 1]);
    let artifact = &bed.world.artifacts[&ArtifactId(1)];
    assert_eq!((artifact.attempts, artifact.faults), (8, 0));
    assert_eq!(bed.stage(job), Stage::Downloading);
    arrives(&mut bed, 1);
    let artifact = &bed.world.artifacts[&ArtifactId(1)];
    assert_eq!((artifact.attempts, artifact.wait_until), (0, None));
}

#[test]
fn faults_of_the_server_end_a_result_after_so_many() {
    let (mut bed, _) = finished(&["a.csv"]);
    for _ in 1..bed.world.pace.max_attempts {
        fails(&mut bed, 1, failure(ErrorKind::ServerFault));
        assert_eq!(state(&bed, 1), ArtifactState::Offered);
    }
    fails(&mut bed, 1, failure(ErrorKind::ServerFault));
    assert!(matches!(state(&bed, 1), ArtifactState::Failed(_)));
    // What is settled is not changed by a late answer.
    arrives(&mut bed, 1);
    bed.happen(Event::Preparing(ArtifactId(1), None));
    assert!(matches!(state(&bed, 1), ArtifactState::Failed(_)));
}

#[test]
fn what_arrives_for_a_job_that_was_ended_is_not_taken() {
    let (mut bed, job) = finished(&["a.csv"]);
    bed.happen(Event::Command(Command::CancelJob(job)));
    arrives(&mut bed, 1);
    listed(&mut bed, job, Ok(vec![output("late.csv")]));
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(state(&bed, 1), ArtifactState::Offered);
    assert_eq!(bed.world.artifacts.len(), 1);
}

#[test]
fn results_go_into_the_folder_of_their_job() {
    let (mut bed, job) = accepted(CARRIES);
    says(&mut bed, job, JobStatus::Succeeded);
    let effects = listed(&mut bed, job, Ok(vec![output("masks/a.tif")]));
    let folder = PathBuf::from("/results/Plate 7").join(&bed.world.jobs[&job].folder);
    assert!(
        matches!(started(&effects).as_slice(), [Work::Fetch { target, .. }]
            if *target == folder.join("masks/a.tif")),
        "{effects:?}"
    );
}

#[test]
fn why_a_result_did_not_come_is_said_with_its_name() {
    let (mut bed, job) = finished(&["a.csv", "b.csv"]);
    fails(&mut bed, 1, failure(ErrorKind::ServerFault));
    let line = last_line(&bed, job);
    assert!(line.contains("Platform"), "{line}");
    fails(&mut bed, 2, failure(ErrorKind::NotFound));
    let words = last_words(&bed);
    assert!(words.contains("b.csv"), "{words}");
}

#[test]
fn only_jobs_whose_results_are_all_settled_wait_for_the_receipt() {
    let (mut bed, job) = accepted(CARRIES);
    let batch = bed.world.jobs[&job].batch;
    says(&mut bed, job, JobStatus::Succeeded);
    assert_eq!(bed.stage(job), Stage::Downloading);
    assert_eq!(finishing(&bed.world, batch), [], "nobody knows its results");
    listed(&mut bed, job, Ok(vec![output("a.csv")]));
    assert_eq!(finishing(&bed.world, batch), []);
    arrives(&mut bed, 1);
    assert_eq!(finishing(&bed.world, batch), [job]);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
    assert_eq!(finishing(&bed.world, batch), [], "it has its receipt");
}
