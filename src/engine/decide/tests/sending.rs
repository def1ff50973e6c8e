//! From files to a job at the platform: what is left out, waited for, given up and asked.

use std::time::Duration;

use crate::engine::decide::sending::no_longer_offered;
use crate::engine::decide::tests::fetching::{last_line, last_words};
use crate::engine::decide::tests::{
    Bed, CARRIES, GATHERS, UPLOADS, remote, started, submits, submitting,
};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ConnectionId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::model::provider::FanOut;
use crate::model::remote::{Gathered, StagedFile};

pub(super) const JOB: JobId = JobId(1);

/// One job of so many files.
pub(super) fn uploading(connection: ConnectionId, files: usize) -> Bed {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(connection, files, FanOut::AllInOne);
    bed
}

pub(super) fn staged(bed: &mut Bed, number: u64, outcome: Result<StagedFile>) -> Vec<Effect> {
    let job = bed.world.jobs[&JOB].clone();
    let key = WorkKey::Stage(job.connection, FileId(number));
    bed.end(&key);
    bed.happen(Event::Staged(job.connection, FileId(number), outcome))
}

/// A file that is at the platform.
pub(super) fn there() -> StagedFile {
    StagedFile::default()
}

fn upload(kind: ErrorKind) -> Error {
    Error::new(kind, Doing::Upload)
}

pub(super) fn gathered(bed: &mut Bed, outcome: Result<Gathered>) -> Vec<Effect> {
    bed.end(&WorkKey::Gather(JOB));
    bed.happen(Event::Gathered(JOB, outcome))
}

pub(super) fn submitted(bed: &mut Bed, error: Error) -> Vec<Effect> {
    bed.end(&WorkKey::Submit(JOB));
    bed.happen(Event::Submitted(JOB, Err(error)))
}

fn gathers(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::Gather { .. }))
        .count()
}

#[test]
fn a_job_goes_on_without_a_file_that_cannot_be_sent_and_says_which() {
    let mut bed = uploading(UPLOADS, 2);
    staged(&mut bed, 1, Err(upload(ErrorKind::LocalFile)));
    assert_eq!(bed.stage(JOB), Stage::Uploading);
    assert_eq!(last_line(&bed, JOB), "Left out 0.tif");
    let notice = bed.world.notices.values().next().unwrap();
    assert_eq!(
        (notice.about, notice.weight),
        (About::Job(JOB), Weight::Problem)
    );
    assert!(notice.words.what.contains("0.tif"), "{:?}", notice.words);
    // The same once more, by a late answer, changes nothing.
    let effects = staged(&mut bed, 1, Err(upload(ErrorKind::LocalFile)));
    assert!(effects.is_empty(), "{effects:?}");
    let effects = staged(&mut bed, 2, Ok(there()));
    assert!(
        matches!(started(&effects).as_slice(), [Work::ReadBaseline(..)]),
        "{effects:?}"
    );
}

#[test]
fn a_job_without_any_file_left_fails() {
    let mut bed = uploading(UPLOADS, 2);
    staged(&mut bed, 1, Err(upload(ErrorKind::LocalFile)));
    staged(&mut bed, 2, Err(upload(ErrorKind::TooLarge)));
    let job = bed.world.jobs[&JOB].clone();
    assert_eq!((job.stage, job.left_out.len()), (Stage::Failed, 2));
    assert_eq!(last_words(&bed), "Plate 7 has ended.");
}

#[test]
fn a_file_that_arrives_ends_the_waiting_of_the_jobs_that_want_it_only() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 2, FanOut::OnePerFile);
    for number in [1, 2] {
        bed.end(&WorkKey::Stage(UPLOADS, FileId(number)));
        let error = upload(ErrorKind::ServerFault);
        bed.happen(Event::Staged(UPLOADS, FileId(number), Err(error)));
    }
    let waits = |bed: &Bed, number| {
        let job = &bed.world.jobs[&JobId(number)];
        (job.faults, job.wait_until.is_some(), job.error.is_some())
    };
    assert_eq!(waits(&bed, 1), (1, true, true));
    staged(&mut bed, 1, Ok(there()));
    assert_eq!(waits(&bed, 1), (0, false, false));
    assert_eq!(waits(&bed, 2), (1, true, true));
    // What had no trouble is not written anew.
    let mut calm = uploading(UPLOADS, 2);
    let written = calm.written.len();
    staged(&mut calm, 1, Ok(there()));
    assert_eq!(calm.written.len(), written + 1);
}

#[test]
fn uploads_that_keep_failing_are_given_up_after_so_many_faults() {
    let mut bed = uploading(UPLOADS, 1);
    for faults in 1..bed.world.pace.max_attempts {
        staged(&mut bed, 1, Err(upload(ErrorKind::ServerFault)));
        let job = bed.world.jobs[&JOB].clone();
        assert_eq!((job.stage, job.faults), (Stage::Uploading, faults));
        // To the moment, then later.
        bed.at = job.wait_until.unwrap() + Duration::from_secs(u64::from(faults - 1));
        bed.happen(Event::Tick);
    }
    staged(&mut bed, 1, Err(upload(ErrorKind::ServerFault)));
    assert_eq!(bed.stage(JOB), Stage::Failed);
}

#[test]
fn what_an_upload_wants_remembered_comes_back_with_its_next_attempt() {
    let mut bed = uploading(UPLOADS, 1);
    let effects = bed.happen(Event::KeepAsked(UPLOADS, FileId(1), "part 3".to_owned()));
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Write(_), Effect::LetKeep(UPLOADS, FileId(1))]
        ),
        "{effects:?}"
    );
    staged(&mut bed, 1, Err(upload(ErrorKind::ServerFault)));
    bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
    let effects = bed.happen(Event::Tick);
    assert!(
        matches!(started(&effects).as_slice(), [Work::Stage { kept: Some(text), .. }] if text == "part 3"),
        "{effects:?}"
    );
}

#[test]
fn an_input_that_is_taken_in_is_asked_about_and_one_that_was_refused_is_made_anew() {
    let input = || StagedFile {
        name: "lf-input".to_owned(),
        ..StagedFile::default()
    };
    let mut bed = uploading(GATHERS, 1);
    assert_eq!(gathers(&staged(&mut bed, 1, Ok(there()))), 1);
    let known = Gathered {
        input: input(),
        ready: false,
    };
    gathered(&mut bed, Ok(known.clone()));
    assert_eq!(last_line(&bed, JOB), "lf-input is being taken in");
    let until = bed.world.jobs[&JOB].wait_until.unwrap();
    assert_eq!(until.duration_since(bed.at).as_millis(), 50);
    // An answer that is lost on the way forgets nothing.
    gathered(
        &mut bed,
        Err(Error::new(ErrorKind::Unreachable, Doing::Gather)),
    );
    assert_eq!(bed.world.jobs[&JOB].gathered, Some(known));
    bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
    assert_eq!(gathers(&bed.happen(Event::Tick)), 1);
    let mut refused = bed;
    let error = Error::new(ErrorKind::Invalid, Doing::Gather);
    gathered(&mut refused, Err(error));
    assert_eq!(refused.stage(JOB), Stage::Failed);
    assert_eq!(refused.world.jobs[&JOB].gathered, None);
    let mut bed = uploading(GATHERS, 1);
    staged(&mut bed, 1, Ok(there()));
    let ready = true;
    let effects = gathered(
        &mut bed,
        Ok(Gathered {
            input: input(),
            ready,
        }),
    );
    assert_eq!(submits(&effects), 1);
    assert_eq!(last_line(&bed, JOB), "lf-input is ready");
}

#[test]
fn a_list_before_the_submission_that_does_not_come_is_read_again() {
    let mut bed = uploading(UPLOADS, 1);
    staged(&mut bed, 1, Ok(there()));
    bed.end(&WorkKey::ReadBaseline(JOB));
    let error = Error::new(ErrorKind::ServerFault, Doing::FindSubmission);
    bed.happen(Event::BaselineRead(JOB, Err(error)));
    let job = bed.world.jobs[&JOB].clone();
    assert_eq!((job.stage, job.faults), (Stage::Uploading, 1));
    bed.at = job.wait_until.unwrap();
    let effects = bed.happen(Event::Tick);
    assert!(matches!(
        started(&effects).as_slice(),
        [Work::ReadBaseline(..)]
    ));
    bed.end(&WorkKey::ReadBaseline(JOB));
    let effects = bed.happen(Event::BaselineRead(JOB, Ok(Vec::new())));
    assert_eq!(submits(&effects), 1);
    let job = bed.world.jobs[&JOB].clone();
    assert_eq!((job.faults, &job.error), (0, &None));
}

#[test]
fn what_the_platform_refused_before_or_after_it_was_let_go_ends_or_waits_as_it_says() {
    for (kind, status, stage) in [
        (ErrorKind::Invalid, 400, Stage::Failed),
        (ErrorKind::RateLimited, 429, Stage::Waiting),
        (ErrorKind::Unauthenticated, 401, Stage::Waiting),
    ] {
        let (mut bed, job) = submitting(CARRIES);
        let error = Error::new(kind, Doing::Submit).status(status);
        submitted(&mut bed, error);
        assert_eq!(bed.stage(job), stage, "{kind:?}");
        let blocked = bed.world.link(CARRIES).blocked.is_some();
        assert_eq!(blocked, kind == ErrorKind::Unauthenticated);
    }
    let mut bed = uploading(CARRIES, 1);
    submitted(&mut bed, Error::new(ErrorKind::Unreachable, Doing::Submit));
    assert_eq!(bed.stage(JOB), Stage::Uploading);
    bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
    assert_eq!(submits(&bed.happen(Event::Tick)), 1);
}

#[test]
fn a_job_that_was_taken_is_offered_to_no_other_of_its_connection() {
    let mut bed = Bed::new();
    bed.connect();
    for connection in [UPLOADS, UPLOADS, CARRIES] {
        bed.send(connection, 1, FanOut::AllInOne);
    }
    let candidates = vec![remote("r1"), remote("r2")];
    let ids: Vec<JobId> = bed.world.jobs.keys().copied().collect();
    for id in &ids {
        let mut job = bed.world.job(*id).unwrap();
        job.candidates.clone_from(&candidates);
        bed.world.put_job(job);
    }
    let taken = bed.world.job(ids[0]).unwrap();
    no_longer_offered(&mut bed.world, &taken, &remote("r1"));
    let left = |id: JobId| bed.world.jobs[&id].candidates.clone();
    assert_eq!(left(ids[0]), candidates, "its own are not touched");
    assert_eq!(left(ids[1]), [remote("r2")]);
    assert_eq!(left(ids[2]), candidates, "numbers of another server");
}
