//! Networks that are gone, computers that slept and clocks that were set: nothing fails for it, and all of it goes on.

use std::time::Duration;

use jiff::SignedDuration;

use crate::engine::command::Command;
use crate::engine::decide::may_begin_anew;
use crate::engine::decide::tests::{
    ALL, Bed, CARRIES, FINDS, UPLOADS, lost, remote, started, submitting,
};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::pace::Pace;
use crate::model::artifact::ArtifactState;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ArtifactId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::provider::FanOut;
use crate::model::remote::{Found, JobReport, JobStatus, Output};

const JOB: JobId = JobId(1);
const FILE: FileId = FileId(1);

fn error(kind: ErrorKind) -> Error {
    Error::new(kind, Doing::Upload)
}

/// A job whose file is on its way.
fn uploading() -> Bed {
    let mut bed = Bed::new();
    bed.world.pace = Pace::REAL;
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    assert_eq!(bed.stage(JOB), Stage::Uploading);
    bed
}

fn upload_fails(bed: &mut Bed, kind: ErrorKind) -> Vec<Effect> {
    bed.end(&WorkKey::Stage(UPLOADS, FILE));
    bed.happen(Event::Staged(UPLOADS, FILE, Err(error(kind))))
}

fn uploads_again(effects: &[Effect]) -> bool {
    started(effects)
        .iter()
        .any(|work| matches!(work, Work::Stage { .. }))
}

fn left(bed: &Bed) -> Duration {
    let until = bed.world.jobs[&JOB].wait_until.unwrap();
    Duration::try_from(until.duration_since(bed.at)).unwrap()
}

/// A job that the platform runs, and one poll that said so.
fn running(pace: Pace) -> Bed {
    let (mut bed, job) = submitting(CARRIES);
    bed.world.pace = pace;
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r1"))));
    poll(&mut bed, JobStatus::Running { progress: None });
    assert_eq!(bed.stage(job), Stage::Running);
    bed
}

fn poll(bed: &mut Bed, status: JobStatus) -> Vec<Effect> {
    bed.end(&WorkKey::Poll(CARRIES));
    let report = JobReport {
        status,
        word: String::new(),
        message: None,
    };
    bed.happen(Event::Polled(CARRIES, Ok(vec![(JOB, Ok(report))])))
}

fn stalls(bed: &Bed) -> usize {
    let called = |text: &str| text.starts_with("Nothing has changed");
    let notices = bed.world.notices.values();
    notices.filter(|notice| called(&notice.words.what)).count()
}

#[test]
fn a_night_without_network_fails_nothing_and_waits_a_minute_at_most() {
    for kind in [
        ErrorKind::Unreachable,
        ErrorKind::Timeout,
        ErrorKind::Maintenance,
        ErrorKind::DiskFull,
    ] {
        let mut bed = uploading();
        let evening = bed.at;
        while bed.at < evening + Duration::from_hours(10) {
            upload_fails(&mut bed, kind);
            assert_eq!(bed.stage(JOB), Stage::Uploading, "{kind:?}");
            assert!(
                left(&bed) <= Duration::from_mins(1),
                "{kind:?} {:?}",
                left(&bed)
            );
            bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
            assert!(uploads_again(&bed.happen(Event::Tick)), "{kind:?}");
        }
        assert!(bed.world.jobs[&JOB].attempts > 500);
        // A fault of the platform on top of it is the first one, not the last straw.
        upload_fails(&mut bed, ErrorKind::ServerFault);
        let job = &bed.world.jobs[&JOB];
        assert_eq!((job.stage, job.faults), (Stage::Uploading, 1), "{kind:?}");
    }
}

#[test]
fn faults_count_also_when_outages_come_between() {
    let mut bed = uploading();
    for round in 1..=Pace::REAL.max_attempts {
        assert_eq!(bed.stage(JOB), Stage::Uploading, "round {round}");
        for kind in [ErrorKind::Unreachable, ErrorKind::ServerFault] {
            upload_fails(&mut bed, kind);
            if bed.stage(JOB) == Stage::Uploading {
                bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
                bed.happen(Event::Tick);
            }
        }
    }
    assert_eq!(bed.stage(JOB), Stage::Failed);
}

#[test]
fn a_longer_wait_that_the_server_asked_for_is_kept() {
    let mut bed = uploading();
    bed.end(&WorkKey::Stage(UPLOADS, FILE));
    let asked = Duration::from_mins(20);
    let busy = error(ErrorKind::Maintenance).retry_after(Some(asked));
    bed.happen(Event::Staged(UPLOADS, FILE, Err(busy)));
    assert_eq!(left(&bed), asked);
    bed.happen(Event::ClockMoved(SignedDuration::from_secs(10)));
    assert_eq!(left(&bed), asked);
}

#[test]
fn a_clock_set_back_makes_nothing_sleep_for_hours() {
    let mut bed = uploading();
    upload_fails(&mut bed, ErrorKind::ServerFault);
    let before = left(&bed);
    let back = SignedDuration::from_hours(-3);
    bed.at += back;
    bed.happen(Event::ClockMoved(back));
    assert_eq!(left(&bed), before, "as far away as it was");

    let mut bed = running(Pace::REAL);
    let due = bed.world.live.links[&CARRIES].poll_due.unwrap() - bed.at;
    bed.at += back;
    bed.happen(Event::ClockMoved(back));
    let now = bed.world.live.links[&CARRIES].poll_due.unwrap() - bed.at;
    assert_eq!(now.fieldwise(), due.fieldwise());
}

#[test]
fn a_clock_set_back_while_nobody_looked_is_seen_at_the_next_start() {
    let mut bed = uploading();
    upload_fails(&mut bed, ErrorKind::ServerFault);
    bed.at -= SignedDuration::from_hours(30);
    bed.restart();
    bed.world.pace = Pace::REAL;
    assert!(left(&bed) <= Duration::from_mins(1), "{:?}", left(&bed));
}

#[test]
fn after_a_sleep_everything_that_failed_before_it_is_due_at_once() {
    let mut bed = uploading();
    for _ in 0..6 {
        upload_fails(&mut bed, ErrorKind::Unreachable);
        bed.at = bed.world.jobs[&JOB].wait_until.unwrap();
        bed.happen(Event::Tick);
    }
    upload_fails(&mut bed, ErrorKind::Unreachable);
    assert!(left(&bed) > Duration::from_secs(30));
    let slept = SignedDuration::from_secs(20);
    bed.at += slept;
    let effects = bed.happen(Event::ClockMoved(slept));
    assert!(uploads_again(&effects), "{effects:?}");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Awake)));
}

#[test]
fn failed_polls_of_before_a_sleep_are_forgotten() {
    let mut bed = running(Pace::REAL);
    for _ in 0..4 {
        bed.end(&WorkKey::Poll(CARRIES));
        bed.happen(Event::Polled(CARRIES, Err(error(ErrorKind::Unreachable))));
    }
    bed.at += Duration::from_hours(8);
    bed.happen(Event::ClockMoved(SignedDuration::from_hours(8)));
    bed.end(&WorkKey::Poll(CARRIES));
    bed.happen(Event::Polled(CARRIES, Err(error(ErrorKind::Unreachable))));
    assert!(bed.world.notices.is_empty(), "{:?}", bed.world.notices);
    assert_eq!(bed.stage(JOB), Stage::Running);
}

#[test]
fn hours_asleep_are_no_stall_and_hours_awake_are() {
    let mut bed = running(Pace::REAL);
    let awake = Pace::REAL.stalled_after / 2;
    bed.at += awake;
    poll(&mut bed, JobStatus::Running { progress: None });
    let slept = Duration::from_hours(48);
    bed.at += slept;
    bed.happen(Event::ClockMoved(SignedDuration::try_from(slept).unwrap()));
    poll(&mut bed, JobStatus::Running { progress: None });
    assert_eq!(stalls(&bed), 0, "{:?}", bed.world.notices);
    bed.at += awake + Duration::from_secs(1);
    poll(&mut bed, JobStatus::Running { progress: None });
    assert_eq!(stalls(&bed), 1);

    let mut bed = running(Pace::REAL);
    let back = SignedDuration::from_hours(-5);
    bed.at += back;
    bed.happen(Event::ClockMoved(back));
    bed.at += Pace::REAL.stalled_after + Duration::from_secs(1);
    poll(&mut bed, JobStatus::Running { progress: None });
    assert_eq!(stalls(&bed), 1, "a clock set back hides no stall");
}

#[test]
fn several_nights_asleep_are_no_stall_together() {
    let mut bed = running(Pace::REAL);
    let night = Pace::REAL.stalled_after / 2 + Duration::from_secs(1);
    for _ in 0..3 {
        bed.at += night;
        bed.happen(Event::ClockMoved(SignedDuration::try_from(night).unwrap()));
    }
    poll(&mut bed, JobStatus::Running { progress: None });
    assert_eq!(stalls(&bed), 0, "{:?}", bed.world.notices);
}

#[test]
fn when_something_gets_through_jobs_are_asked_about_at_once_if_that_failed() {
    let mut bed = running(Pace::REAL);
    let account = |at| crate::model::connection::Account {
        name: "Someone".to_owned(),
        checked: at,
        places: Vec::new(),
    };
    for _ in 0..2 {
        bed.end(&WorkKey::Poll(CARRIES));
        bed.happen(Event::Polled(CARRIES, Err(error(ErrorKind::Unreachable))));
    }
    let later = bed.at + Duration::from_mins(1);
    bed.world.link(CARRIES).poll_due = Some(later);
    let effects = bed.happen(Event::Asked(CARRIES, Ok(account(bed.at)), None));
    let polls = |effects: &[Effect]| {
        started(effects)
            .iter()
            .any(|work| matches!(work, Work::Poll(..)))
    };
    assert!(polls(&effects), "{effects:?}");

    // An outage that met no poll changes nothing about when the next one is due.
    let mut bed = running(Pace::REAL);
    let due = bed.world.link(CARRIES).poll_due;
    assert!(due > Some(bed.at));
    bed.world.link(CARRIES).offline = true;
    let effects = bed.happen(Event::Asked(CARRIES, Ok(account(bed.at)), None));
    assert!(!polls(&effects), "{effects:?}");
    assert_eq!(bed.world.link(CARRIES).poll_due, due);
}

#[test]
fn when_something_gets_through_what_waited_for_the_network_is_due() {
    let mut bed = Bed::new();
    bed.world.pace = Pace::REAL;
    bed.connect();
    bed.send(UPLOADS, 2, FanOut::OnePerFile);
    for (file, kind) in [(1, ErrorKind::Unreachable), (2, ErrorKind::RateLimited)] {
        bed.end(&WorkKey::Stage(UPLOADS, FileId(file)));
        bed.happen(Event::Staged(UPLOADS, FileId(file), Err(error(kind))));
    }
    let effects = bed.happen(Event::Asked(
        UPLOADS,
        Ok(crate::model::connection::Account {
            name: "Someone".to_owned(),
            checked: bed.at,
            places: Vec::new(),
        }),
        None,
    ));
    let again: Vec<FileId> = started(&effects)
        .iter()
        .filter_map(|work| match work {
            Work::Stage { file, .. } => Some(*file),
            _ => None,
        })
        .collect();
    assert_eq!(again, [FILE], "a server that asked for patience gets it");
}

#[test]
fn results_that_waited_for_the_network_are_due_with_the_first_that_comes() {
    let mut bed = running(Pace::REAL);
    poll(&mut bed, JobStatus::Succeeded);
    let output = |name: &str| Output {
        id: name.to_owned(),
        name: name.to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: false,
        unpack: false,
    };
    bed.end(&WorkKey::ListOutputs(JOB));
    bed.happen(Event::OutputsListed(
        JOB,
        Ok(vec![output("a"), output("b")]),
    ));
    for number in [1, 2] {
        bed.end(&WorkKey::Fetch(ArtifactId(number)));
        let failed = Err(error(ErrorKind::Timeout));
        bed.happen(Event::Fetched(ArtifactId(number), failed));
    }
    let fetched = crate::model::artifact::Fetched {
        size_bytes: 1,
        sha256: String::new(),
        at: bed.at,
    };
    let effects = bed.happen(Event::Fetched(ArtifactId(1), Ok(fetched)));
    assert!(
        started(&effects).iter().any(|work| matches!(
            work,
            Work::Fetch {
                artifact: ArtifactId(2),
                ..
            }
        )),
        "{effects:?}"
    );
    assert!(matches!(
        bed.world.artifacts[&ArtifactId(1)].state,
        ArtifactState::Fetched(_)
    ));
}

#[test]
fn a_lost_submission_is_looked_for_from_when_it_really_left() {
    let (mut bed, job) = submitting(FINDS);
    let sent = bed.world.jobs[&job].submitted_at.unwrap();
    let back = SignedDuration::from_hours(-2);
    bed.at += back;
    bed.happen(Event::ClockMoved(back));
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Err(lost())));
    let since = started(&effects)
        .iter()
        .find_map(|work| match work {
            Work::LookUp { lost, .. } => Some(lost.since),
            _ => None,
        })
        .unwrap();
    assert_eq!(since, sent + back);
}

#[test]
fn only_what_may_be_repeated_is_broken_off_after_a_sleep() {
    let (bed, job) = submitting(CARRIES);
    assert!(!may_begin_anew(&bed.world, &WorkKey::Submit(job)));
    assert!(!may_begin_anew(&bed.world, &WorkKey::Gather(job)));
    let bed = uploading();
    assert!(may_begin_anew(&bed.world, &WorkKey::Submit(JOB)));
    for id in ALL {
        assert!(may_begin_anew(&bed.world, &WorkKey::Poll(id)));
        assert!(may_begin_anew(&bed.world, &WorkKey::Stage(id, FILE)));
    }
    assert!(!may_begin_anew(&bed.world, &WorkKey::Try));
}

#[test]
fn what_is_broken_off_is_begun_anew_by_the_next_decision() {
    let mut bed = uploading();
    bed.end(&WorkKey::Stage(UPLOADS, FILE));
    assert!(uploads_again(&bed.happen(Event::Tick)));
    let mut bed = running(Pace::REAL);
    bed.at += Duration::from_hours(1);
    bed.happen(Event::Tick);
    bed.end(&WorkKey::Poll(CARRIES));
    let effects = bed.happen(Event::Tick);
    assert!(
        started(&effects)
            .iter()
            .any(|work| matches!(work, Work::Poll(..)))
    );
}

#[test]
fn what_changed_after_the_clock_was_set_back_is_not_called_stalled() {
    let (mut bed, job) = submitting(CARRIES);
    bed.world.pace = Pace::REAL;
    bed.at -= Duration::from_hours(26);
    bed.happen(Event::ClockMoved(SignedDuration::from_hours(-26)));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r1"))));
    bed.happen(Event::Tick);
    assert_eq!((bed.stage(job), stalls(&bed)), (Stage::Queued, 0));
}

#[test]
fn what_a_result_waited_for_before_its_job_was_ended_is_over_with_a_retry() {
    let mut bed = running(Pace::REAL);
    poll(&mut bed, JobStatus::Succeeded);
    bed.end(&WorkKey::ListOutputs(JOB));
    let output = Output {
        id: "1".to_owned(),
        name: "a.csv".to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: false,
        unpack: false,
    };
    bed.happen(Event::OutputsListed(JOB, Ok(vec![output])));
    let artifact = ArtifactId(1);
    bed.end(&WorkKey::Fetch(artifact));
    bed.happen(Event::Fetched(artifact, Err(error(ErrorKind::ServerFault))));
    assert!(bed.world.artifacts[&artifact].wait_until.is_some());
    bed.happen(Event::Command(Command::CancelJob(JOB)));
    bed.at -= Duration::from_hours(26);
    bed.happen(Event::ClockMoved(SignedDuration::from_hours(-26)));
    bed.happen(Event::Command(Command::RetryJob(JOB)));
    poll(&mut bed, JobStatus::Succeeded);
    assert_eq!(bed.world.artifacts[&artifact].wait_until, None);
}

#[test]
fn a_look_under_which_the_clock_jumped_is_made_once_more() {
    let (mut bed, job) = submitting(FINDS);
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Err(lost())));
    bed.at -= Duration::from_hours(26);
    bed.happen(Event::ClockMoved(SignedDuration::from_hours(-26)));
    let looked = |found| Event::LookedUp(job, Ok(found));
    bed.end(&WorkKey::LookUp(job));
    let effects = bed.happen(looked(Found::Nothing));
    assert_eq!(bed.stage(job), Stage::Submitting);
    assert!(
        matches!(started(&effects).as_slice(), [Work::LookUp { .. }]),
        "{effects:?}"
    );
    bed.end(&WorkKey::LookUp(job));
    bed.happen(looked(Found::Nothing));
    assert_eq!(bed.stage(job), Stage::Waiting);
}
