//! Looking for a submission whose answer was lost: how often, for how long, and when the person decides.

use crate::engine::decide::tests::fetching::last_line;
use crate::engine::decide::tests::sending::{JOB, gathered, staged, submitted, there, uploading};
use crate::engine::decide::tests::{
    Bed, CARRIES, DRAFTS, FINDS, GATHERS, lost, remote, submits, submitting,
};
use crate::engine::event::{Effect, Event, WorkKey};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::JobId;
use crate::model::job::Stage;
use crate::model::notice::About;
use crate::model::pipeline::Pipeline;
use crate::model::remote::{Found, Gathered, StagedFile};

fn looked_up(bed: &mut Bed, outcome: Result<Found>) -> Vec<Effect> {
    bed.end(&WorkKey::LookUp(JOB));
    bed.happen(Event::LookedUp(JOB, outcome))
}

/// It is sent again only where it certainly made no job, and not at once: the platform may still be failing.
#[test]
fn a_submission_that_is_not_there_is_sent_again_after_a_pause_and_not_for_ever() {
    let (mut bed, job) = submitting(FINDS);
    let fault = || Error::new(ErrorKind::ServerFault, Doing::Submit).status(500);
    for faults in 1..bed.world.pace.max_attempts {
        submitted(&mut bed, fault());
        assert_eq!(
            last_line(&bed, job),
            "The answer to the submission was lost"
        );
        let effects = looked_up(&mut bed, Ok(Found::Nothing));
        assert_eq!((bed.stage(job), submits(&effects)), (Stage::Waiting, 0));
        assert_eq!(bed.world.jobs[&job].faults, faults);
        bed.at = bed.world.jobs[&job].wait_until.unwrap();
        assert_eq!(submits(&bed.happen(Event::Tick)), 1);
        bed.happen(Event::CommitAsked(job, None));
        assert_eq!(bed.stage(job), Stage::Submitting);
    }
    submitted(&mut bed, fault());
    looked_up(&mut bed, Ok(Found::Nothing));
    assert_eq!(bed.stage(job), Stage::Failed);
}

#[test]
fn after_a_crash_what_is_not_there_is_sent_at_once_and_a_draft_is_started() {
    for (connection, draft, line) in [
        (FINDS, None, "Not at the platform, so it is sent again"),
        (
            DRAFTS,
            Some(remote("d1")),
            "Its draft was not started, so that is done again",
        ),
    ] {
        let mut bed = uploading(connection, 1);
        if connection == DRAFTS {
            staged(&mut bed, 1, Ok(there()));
        }
        bed.happen(Event::CommitAsked(JOB, draft));
        bed.restart();
        bed.connect();
        let effects = looked_up(&mut bed, Ok(Found::Nothing));
        assert_eq!(submits(&effects), 1);
        let lines = &bed.world.jobs[&JOB].timeline;
        assert!(lines.iter().any(|moment| moment.what == line), "{lines:?}");
    }
}

#[test]
fn a_look_for_a_lost_submission_is_repeated_or_left_to_the_person() {
    for (kind, stage, blocked) in [
        (ErrorKind::Unreachable, Stage::Submitting, false),
        (ErrorKind::Unauthenticated, Stage::Submitting, true),
        (ErrorKind::Forbidden, Stage::Unconfirmed, false),
    ] {
        let (mut bed, job) = submitting(FINDS);
        submitted(&mut bed, lost());
        looked_up(&mut bed, Err(Error::new(kind, Doing::FindSubmission)));
        assert_eq!(bed.stage(job), stage, "{kind:?}");
        assert_eq!(bed.world.link(FINDS).blocked.is_some(), blocked);
    }
    let (mut bed, job) = submitting(FINDS);
    submitted(&mut bed, lost());
    looked_up(&mut bed, Ok(Found::Job(remote("r"))));
    assert_eq!(bed.stage(job), Stage::Queued);
    assert_eq!(last_line(&bed, job), "Found at the platform and adopted");
    // A late second answer is not taken.
    let written = bed.written.len();
    looked_up(&mut bed, Ok(Found::Nothing));
    assert_eq!(
        (bed.stage(job), bed.written.len()),
        (Stage::Queued, written)
    );
}

/// Only an open submission to the same pipeline over the same connection may be what the platform lists.
#[test]
fn another_open_submission_is_waited_for_only_where_it_can_be_meant() {
    for (other, pipeline, waits) in [
        (GATHERS, "p", true),
        (GATHERS, "q", false),
        (CARRIES, "p", false),
    ] {
        let mut bed = uploading(GATHERS, 1);
        staged(&mut bed, 1, Ok(there()));
        let input = StagedFile::default();
        let ready = true;
        gathered(&mut bed, Ok(Gathered { input, ready }));
        bed.happen(Event::CommitAsked(JOB, None));
        let mut rival = bed.world.job(JOB).unwrap();
        rival.id = JobId(2);
        rival.connection = other;
        rival.pipeline = Pipeline::typed(pipeline);
        bed.world.put_job(rival);
        bed.world.live.running.insert(WorkKey::Submit(JobId(2)));
        submitted(&mut bed, lost());
        looked_up(&mut bed, Ok(Found::Perhaps(vec![remote("r")])));
        let stage = if waits {
            Stage::Submitting
        } else {
            Stage::Queued
        };
        assert_eq!(bed.stage(JOB), stage, "{other:?} {pipeline}");
        if waits {
            let until = bed.world.jobs[&JOB].wait_until.unwrap();
            assert_eq!(until.duration_since(bed.at).as_millis(), 50);
        }
    }
}

#[test]
fn a_submission_without_known_outcome_is_put_to_the_person_with_its_reason() {
    let (mut bed, job) = submitting(CARRIES);
    submitted(&mut bed, lost());
    let told: Vec<_> = bed.world.notices.values().map(|one| one.about).collect();
    assert_eq!(told[0], About::Job(job));
    assert_eq!(
        last_line(&bed, job),
        "Whether the platform accepted it is not known"
    );
    assert_eq!(bed.world.jobs[&job].wait_until, None);
    // After a crash nobody remembers an answer: that is said.
    let (mut bed, job) = submitting(CARRIES);
    bed.restart();
    bed.connect();
    let hint = bed.world.jobs[&job].error.clone().unwrap();
    assert_eq!(
        hint.failure().hint.as_deref(),
        Some("Labferry was closed before the answer came")
    );
}
