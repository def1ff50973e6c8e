//! Jobs at their platform: how often it is asked, and what is made of its answers.

use std::time::Duration;

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::{
    accepted, arrives, finished, last_line, last_words, receipt, says,
};
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, UPLOADS, remote, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{BatchId, ConnectionId, JobId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::model::provider::FanOut;
use crate::model::remote::{JobStatus, Progress};

const RUNNING: JobStatus = JobStatus::Running { progress: None };

/// Nothing can be said of the one job.
fn cannot_say(bed: &mut Bed, job: JobId, kind: ErrorKind) -> Vec<Effect> {
    let connection = bed.world.jobs[&job].connection;
    bed.end(&WorkKey::Poll(connection));
    let error = Error::new(kind, Doing::Poll);
    bed.happen(Event::Polled(connection, Ok(vec![(job, Err(error))])))
}

fn pause(bed: &mut Bed, connection: ConnectionId) -> Duration {
    bed.world.link(connection).poll_pause
}

fn polls(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works.filter(|work| matches!(work, Work::Poll(..))).count()
}

#[test]
fn the_pause_grows_while_nothing_changes_and_shrinks_with_a_change() {
    let (mut bed, job) = accepted(FINDS);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        says(&mut bed, job, RUNNING);
        pauses.push(pause(&mut bed, FINDS).as_millis());
    }
    assert_eq!(
        pauses,
        [1000, 1500, 2250, 3375, 5062, 7593, 10_000, 10_000, 10_000]
    );
    // By the pace of tests a hundredth of it.
    let due = bed.world.link(FINDS).poll_due.unwrap();
    assert_eq!(due.duration_since(bed.at).as_millis(), 100);
    assert_eq!(polls(&bed.happen(Event::Tick)), 0);
    bed.at = due;
    assert_eq!(polls(&bed.happen(Event::Tick)), 1);
    assert_eq!(polls(&bed.happen(Event::Tick)), 0, "one is under way");
    let progress = Some(Progress::Percent(5.0));
    says(&mut bed, job, JobStatus::Running { progress });
    assert_eq!(pause(&mut bed, FINDS), Duration::from_secs(1));
}

#[test]
fn what_the_platform_says_moves_the_job() {
    let (mut bed, job) = accepted(FINDS);
    bed.at += Duration::from_secs(1);
    for (status, stage, line) in [
        (RUNNING, Stage::Running, "Running"),
        (JobStatus::Queued, Stage::Queued, "Queued at the platform"),
        (
            JobStatus::Unrecognized("thawing".to_owned()),
            Stage::Running,
            "The platform calls its state “thawing”",
        ),
        (
            JobStatus::Succeeded,
            Stage::Downloading,
            "Finished at the platform",
        ),
    ] {
        says(&mut bed, job, status);
        assert_eq!(bed.stage(job), stage);
        assert_eq!(last_line(&bed, job), line);
        assert_eq!(bed.world.jobs[&job].last_change, bed.at);
    }
    // A late answer of another poll is not taken.
    says(&mut bed, job, RUNNING);
    assert_eq!(bed.stage(job), Stage::Downloading);
}

#[test]
fn the_same_word_again_is_no_change_and_is_not_written() {
    for status in [RUNNING, JobStatus::Queued] {
        let (mut bed, job) = accepted(FINDS);
        says(&mut bed, job, status.clone());
        let (changed, written) = (bed.at, bed.written.len());
        bed.at += Duration::from_secs(1);
        says(&mut bed, job, status);
        assert_eq!(bed.written.len(), written);
        assert_eq!(bed.world.jobs[&job].last_change, changed);
    }
}

#[test]
fn a_job_stopped_at_the_platform_ends_and_is_told_of() {
    let (mut bed, job) = accepted(FINDS);
    says(&mut bed, job, JobStatus::Cancelled);
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(last_line(&bed, job), "Stopped at the platform");
    assert_eq!(last_words(&bed), "Plate 7 has ended.");
}

#[test]
fn a_job_is_believed_to_be_gone_only_when_that_was_said_three_times_in_a_row() {
    let (mut bed, job) = accepted(FINDS);
    says(&mut bed, job, JobStatus::Gone);
    cannot_say(&mut bed, job, ErrorKind::NotFound);
    assert_eq!(bed.stage(job), Stage::Queued);
    says(&mut bed, job, RUNNING);
    assert_eq!(bed.world.jobs[&job].error, None);
    for _ in 0..2 {
        cannot_say(&mut bed, job, ErrorKind::NotFound);
        assert_eq!(bed.stage(job), Stage::Running);
        assert!(bed.world.jobs[&job].wait_until.unwrap() > bed.at);
    }
    cannot_say(&mut bed, job, ErrorKind::NotFound);
    let ended = bed.world.jobs[&job].clone();
    assert_eq!(ended.stage, Stage::Failed);
    let hint = ended.error.clone().unwrap().failure().hint.clone();
    assert_eq!(
        hint.as_deref(),
        Some("The platform no longer knows this job")
    );
}

#[test]
fn one_job_that_cannot_be_asked_about_leaves_the_others_alone() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(FINDS, 2, FanOut::OnePerFile);
    for number in [1, 2] {
        let job = JobId(number);
        bed.happen(Event::CommitAsked(job, None));
        bed.end(&WorkKey::Submit(job));
        bed.happen(Event::Submitted(job, Ok(remote(&number.to_string()))));
    }
    cannot_say(&mut bed, JobId(1), ErrorKind::ServerFault);
    assert!(bed.world.jobs[&JobId(1)].wait_until.unwrap() > bed.at);
    says(&mut bed, JobId(2), RUNNING);
    assert_eq!(bed.stage(JobId(2)), Stage::Running);
    assert!(bed.world.link(FINDS).blocked.is_none());
    cannot_say(&mut bed, JobId(1), ErrorKind::Unauthenticated);
    assert!(bed.world.link(FINDS).blocked.is_some());
    assert_eq!(bed.stage(JobId(1)), Stage::Queued);
}

#[test]
fn polls_that_fail_are_repeated_and_only_a_refused_key_blocks() {
    let (mut bed, _) = accepted(FINDS);
    let fails = |bed: &mut Bed, kind| {
        bed.end(&WorkKey::Poll(FINDS));
        bed.happen(Event::Polled(FINDS, Err(Error::new(kind, Doing::Poll))));
    };
    for (kind, offline) in [
        (ErrorKind::ServerFault, false),
        (ErrorKind::Unreachable, true),
    ] {
        fails(&mut bed, kind);
        assert_eq!(bed.world.link(FINDS).offline, offline);
    }
    let link = bed.world.link(FINDS).clone();
    assert_eq!(link.poll_failures, 2);
    assert_eq!(
        link.poll_due.unwrap().duration_since(bed.at).as_millis(),
        40
    );
    assert!(link.blocked.is_none());
    fails(&mut bed, ErrorKind::Unauthenticated);
    assert!(bed.world.link(FINDS).blocked.is_some());
    let (mut bed, job) = accepted(FINDS);
    fails(&mut bed, ErrorKind::ServerFault);
    says(&mut bed, job, RUNNING);
    assert_eq!(bed.world.link(FINDS).poll_failures, 0);
}

#[test]
fn steps_may_follow_a_percentage_and_a_missing_one_is_shown_as_it_was() {
    let (mut bed, job) = accepted(FINDS);
    let percent = |percent| Some(Progress::Percent(percent));
    let steps = Some(Progress::Steps {
        done: 1,
        total: None,
    });
    for (said, shown) in [
        (percent(40.0), percent(40.0)),
        (percent(30.0), percent(40.0)),
        (None, percent(40.0)),
        (percent(50.0), percent(50.0)),
        (steps, steps),
        (None, None),
    ] {
        says(&mut bed, job, JobStatus::Running { progress: said });
        let report = bed.world.jobs[&job].report.clone().unwrap();
        assert_eq!(report.status, JobStatus::Running { progress: shown });
    }
}

#[test]
fn a_platform_is_asked_for_the_first_time_after_its_own_pause() {
    let (mut bed, _) = accepted(FINDS);
    let due = bed.world.link(FINDS).poll_due.unwrap();
    assert_eq!(due.duration_since(bed.at).as_millis(), 10);
    assert_eq!(pause(&mut bed, FINDS), Duration::from_secs(1));
}

#[test]
fn a_batch_that_has_ended_well_says_where_its_results_are() {
    let (mut bed, job) = finished(&["a.csv"]);
    arrives(&mut bed, 1);
    receipt(&mut bed, &[job], Ok(()));
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(
        notice.words.sentence(),
        "Plate 7 is finished. Its job is done and its results are checked. They are in /results/Plate 7."
    );
    assert_eq!(
        (notice.about, notice.weight),
        (About::Batch(BatchId(1)), Weight::Note)
    );
}

#[test]
fn a_batch_of_several_is_told_of_with_its_last_job() {
    for (cancelled, words, weight) in [
        (
            0,
            "All 2 jobs are done and their results are checked.",
            Weight::Note,
        ),
        (
            1,
            "1 of 2 jobs are done; the others are cancelled.",
            Weight::Warning,
        ),
    ] {
        let mut bed = Bed::new();
        bed.connect();
        bed.send(CARRIES, 2, FanOut::OnePerFile);
        for number in 1..=2 {
            let job = JobId(number);
            if number <= cancelled {
                bed.happen(Event::Command(Command::CancelJob(job)));
                continue;
            }
            bed.happen(Event::CommitAsked(job, None));
            bed.end(&WorkKey::Submit(job));
            bed.happen(Event::Submitted(job, Ok(remote(&number.to_string()))));
            says(&mut bed, job, JobStatus::Succeeded);
            bed.end(&WorkKey::ListOutputs(job));
            bed.happen(Event::OutputsListed(job, Ok(Vec::new())));
            assert!(bed.world.notices.is_empty());
            receipt(&mut bed, &[job], Ok(()));
        }
        let (_, notice) = bed.world.notices.iter().next_back().unwrap();
        assert_eq!(notice.words.did, words);
        assert_eq!(notice.weight, weight);
        assert_eq!(bed.world.notices.len(), 1);
    }
}

#[test]
fn an_answer_over_a_connection_that_was_removed_is_dropped() {
    let mut bed = Bed::new();
    bed.happen(Event::Command(Command::RemoveConnection(UPLOADS)));
    let error = Error::new(ErrorKind::Unauthenticated, Doing::Poll);
    bed.happen(Event::Polled(UPLOADS, Err(error)));
    assert!(bed.world.notices.is_empty());
    assert!(!bed.world.live.links.contains_key(&UPLOADS));
}

/// A platform that has trouble of its own is not believed any sooner that it has no such job.
#[test]
fn other_faults_do_not_count_towards_gone() {
    let (mut bed, job) = accepted(FINDS);
    for kind in [
        ErrorKind::ServerFault,
        ErrorKind::ServerFault,
        ErrorKind::NotFound,
        ErrorKind::NotFound,
        ErrorKind::ServerFault,
        ErrorKind::NotFound,
        ErrorKind::NotFound,
    ] {
        cannot_say(&mut bed, job, kind);
        assert_eq!(bed.stage(job), Stage::Queued);
    }
    cannot_say(&mut bed, job, ErrorKind::NotFound);
    assert_eq!(bed.stage(job), Stage::Failed);
}
