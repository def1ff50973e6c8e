//! From a finished job to its results: what is offered, what arrives, what is missing in the end.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, remote, started, submitting};
use crate::engine::event::{Effect, Event, Unpacked, Work, WorkKey};
use crate::model::artifact::{ArtifactState, Fetched, UnpackedFile};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, JobId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
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

fn state(bed: &Bed, number: u64) -> ArtifactState {
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

fn receipts(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::WriteReceipt { .. }))
        .count()
}

fn file(path: &str) -> UnpackedFile {
    UnpackedFile {
        path: path.to_owned(),
        original_name: path.to_owned(),
        size_bytes: 1,
        sha256: "00".to_owned(),
    }
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

#[test]
fn a_job_is_done_only_with_the_receipt_and_is_told_of_once() {
    let (mut bed, job) = finished(&["a.csv", "b.csv"]);
    assert_eq!(receipts(&arrives(&mut bed, 1)), 0);
    assert_eq!(receipts(&arrives(&mut bed, 2)), 1);
    assert_eq!(bed.stage(job), Stage::Downloading);
    assert!(bed.world.notices.is_empty());
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
    assert_eq!(last_line(&bed, job), "Everything is here and checked");
    assert_eq!(bed.world.notices.len(), 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.world.notices.len(), 1);
}

#[test]
fn a_receipt_that_cannot_be_written_is_written_later_or_ends_the_job() {
    let (mut bed, job) = finished(&["a.csv"]);
    arrives(&mut bed, 1);
    let full = Error::new(ErrorKind::DiskFull, Doing::WriteReceipt);
    receipt(&mut bed, &[job], Err(full));
    assert_eq!(bed.stage(job), Stage::Downloading);
    let until = bed.world.jobs[&job].wait_until.unwrap();
    assert!(until > bed.at);
    assert!(last_words(&bed).contains("is full"));
    bed.at = until;
    assert_eq!(receipts(&bed.happen(Event::Tick)), 1);
    let denied = Error::new(ErrorKind::LocalFile, Doing::WriteReceipt);
    receipt(&mut bed, &[job], Err(denied));
    assert_eq!(bed.stage(job), Stage::Failed);
}

#[test]
fn results_that_are_not_to_be_had_are_named_and_the_others_stay() {
    for (names, missing, words) in [
        (
            &["a.csv", "b.csv"][..],
            1,
            "One result file could not be fetched",
        ),
        (
            &["a.csv", "b.csv", "c.csv"],
            2,
            "2 result files could not be fetched",
        ),
    ] {
        let (mut bed, job) = finished(names);
        for number in 1..=missing {
            fails(&mut bed, number, failure(ErrorKind::NotFound));
            assert!(matches!(state(&bed, number), ArtifactState::Failed(_)));
            assert_eq!(bed.world.notices.len() as u64, number);
        }
        arrives(&mut bed, missing + 1);
        receipt(&mut bed, &[job], Ok(()));
        let ended = bed.world.jobs[&job].clone();
        assert_eq!(ended.stage, Stage::Failed);
        let hint = ended.error.clone().unwrap().failure().hint.clone();
        assert_eq!(hint.as_deref(), Some(words));
    }
}

#[test]
fn an_archive_is_unpacked_and_what_was_refused_in_it_is_named() {
    let (mut bed, job) = finished(&["r.zip", "r"]);
    let effects = arrives(&mut bed, 1);
    let into = match started(&effects).as_slice() {
        [
            Work::Unpack {
                into,
                keep_archive: false,
                ..
            },
        ] => into.clone(),
        other => panic!("{other:?}"),
    };
    // Beside it there is a result of that name already.
    assert!(into.ends_with(Path::new("r (2)")), "{into:?}");
    arrives(&mut bed, 2);
    let outcome = Unpacked {
        files: vec![file("r (2)/a.csv")],
        problems: vec!["b.csv is damaged".to_owned()],
        archive_kept: true,
    };
    unpacked(&mut bed, 1, Ok(outcome));
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(
        (notice.words.what.as_str(), notice.weight),
        (
            "One entry of r.zip was refused or damaged.",
            Weight::Warning
        )
    );
    assert_eq!(notice.about, About::Job(job));
    assert_eq!(
        notice.details,
        [("Entry".to_owned(), "b.csv is damaged".to_owned())]
    );
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done, "what came out of it is there");
}

#[test]
fn an_archive_without_trouble_is_not_spoken_of_and_goes_with_the_receipt() {
    let (mut bed, _) = finished(&["r.zip"]);
    arrives(&mut bed, 1);
    let outcome = Unpacked {
        files: vec![file("r/a.csv")],
        problems: Vec::new(),
        archive_kept: false,
    };
    let effects = unpacked(&mut bed, 1, Ok(outcome));
    assert!(bed.world.notices.is_empty());
    assert!(
        matches!(started(&effects).as_slice(), [Work::WriteReceipt { spent, .. }]
            if spent.len() == 1 && spent[0].ends_with("r.zip")),
        "{effects:?}"
    );
}

#[test]
fn an_archive_that_cannot_be_opened_stays_and_counts_as_missing() {
    let (mut bed, job) = finished(&["r.zip"]);
    arrives(&mut bed, 1);
    let error = Error::new(ErrorKind::Archive, Doing::Unpack).hint("It is cut off");
    unpacked(&mut bed, 1, Err(error));
    let ArtifactState::Unpacked {
        archive_kept,
        files,
        problems,
        ..
    } = state(&bed, 1)
    else {
        panic!("{:?}", state(&bed, 1));
    };
    assert!(archive_kept && files.is_empty());
    assert_eq!(problems, ["It is cut off"]);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Failed);
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

/// A failure at the platform may leave something: it is fetched, and the job fails with the platform's reason.
#[test]
fn partial_results_are_fetched_and_the_reason_of_the_failure_stays() {
    let (mut bed, job) = accepted(CARRIES);
    let reason = Some("no cells".to_owned());
    says(&mut bed, job, JobStatus::Failed { reason });
    let said = |bed: &Bed| {
        let error = bed.world.jobs[&job].error.clone().unwrap();
        error.failure().server_said.clone()
    };
    assert_eq!(bed.stage(job), Stage::Downloading);
    listed(&mut bed, job, Err(failure(ErrorKind::Unreachable)));
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    listed(&mut bed, job, Ok(vec![output("log.txt")]));
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    arrives(&mut bed, 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Failed);
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    // Where nothing is left behind, it fails at once.
    let (mut bed, job) = accepted(FINDS);
    says(&mut bed, job, JobStatus::Failed { reason: None });
    assert_eq!(bed.stage(job), Stage::Failed);
    assert_eq!(
        bed.world.jobs[&job]
            .error
            .clone()
            .unwrap()
            .failure()
            .server_said,
        None
    );
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
