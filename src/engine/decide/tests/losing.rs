//! Submissions whose answer was lost, at a platform that lists what each job was given, and drafts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::command::{Command, Resolution};
use crate::engine::decide::tests::{
    Bed, DRAFTS, FINDS, GATHERS, UPLOADS, lost, remote, started, submits,
};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::connection::{Connection, ConnectionDraft, KeyState};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ConnectionId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{
    Found, Gathered, JobReport, JobStatus, ListedJob, RemoteJob, StagedFile,
};

/// So many jobs whose files are at the platform.
fn ready(connection: ConnectionId, files: u64) -> (Bed, Vec<Effect>) {
    let mut bed = Bed::new();
    bed.connect();
    let mut effects = bed.send(
        connection,
        usize::try_from(files).unwrap(),
        FanOut::OnePerFile,
    );
    for number in 1..=files {
        bed.end(&WorkKey::Stage(connection, FileId(number)));
        let staged = StagedFile {
            id: format!("f{number}"),
            ..StagedFile::default()
        };
        effects.extend(bed.happen(Event::Staged(connection, FileId(number), Ok(staged))));
    }
    (bed, effects)
}

fn gathered(bed: &mut Bed, job: JobId, ready: bool) -> Vec<Effect> {
    bed.end(&WorkKey::Gather(job));
    let input = StagedFile {
        id: format!("asset {job}"),
        ..StagedFile::default()
    };
    bed.happen(Event::Gathered(job, Ok(Gathered { input, ready })))
}

/// Jobs of [`GATHERS`] that were let go.
fn let_go(files: u64) -> Bed {
    let (mut bed, _) = ready(GATHERS, files);
    for number in 1..=files {
        gathered(&mut bed, JobId(number), true);
        bed.happen(Event::CommitAsked(JobId(number), None));
        assert_eq!(bed.stage(JobId(number)), Stage::Submitting);
    }
    bed
}

fn lose(bed: &mut Bed, job: JobId) -> Vec<Effect> {
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Err(lost())))
}

fn find(bed: &mut Bed, job: JobId, found: Found) -> Vec<Effect> {
    bed.end(&WorkKey::LookUp(job));
    bed.happen(Event::LookedUp(job, Ok(found)))
}

fn perhaps(ids: &[&str]) -> Found {
    Found::Perhaps(ids.iter().map(|id| remote(id)).collect())
}

#[test]
fn gathered_files_are_waited_for_and_go_into_the_submission_as_one_input() {
    let (mut bed, effects) = ready(GATHERS, 1);
    let works = started(&effects);
    let gather = works
        .iter()
        .find_map(|work| match work {
            Work::Gather { gathering, .. } => Some(gathering),
            _ => None,
        })
        .unwrap();
    assert_eq!(gather.files.len(), 1);
    assert!(gather.known.is_none());
    let effects = gathered(&mut bed, JobId(1), false);
    assert_eq!(submits(&effects), 0);
    bed.at = bed.world.jobs[&JobId(1)].wait_until.unwrap();
    let effects = bed.happen(Event::Tick);
    assert!(
        started(&effects).iter().any(
            |work| matches!(work, Work::Gather { gathering, .. } if gathering.known.is_some())
        ),
        "{effects:?}"
    );
    let effects = gathered(&mut bed, JobId(1), true);
    let staged: Vec<String> = started(&effects)
        .into_iter()
        .filter_map(|work| match work {
            Work::Submit { submission, .. } => Some(submission.staged.clone()),
            _ => None,
        })
        .flatten()
        .map(|input| input.id)
        .collect();
    assert_eq!(staged, ["asset 1"]);
}

#[test]
fn the_only_one_that_fits_is_adopted() {
    let mut bed = let_go(2);
    bed.end(&WorkKey::Submit(JobId(1)));
    bed.happen(Event::Submitted(JobId(1), Ok(remote("r1"))));
    let effects = lose(&mut bed, JobId(2));
    assert!(
        started(&effects)
            .iter()
            .any(|work| matches!(work, Work::LookUp { .. }))
    );
    find(&mut bed, JobId(2), perhaps(&["r1", "r2"]));
    assert_eq!(bed.stage(JobId(2)), Stage::Queued);
    assert_eq!(bed.world.jobs[&JobId(2)].remote, Some(remote("r2")));
}

#[test]
fn while_another_answer_is_open_nothing_is_adopted() {
    let mut bed = let_go(2);
    lose(&mut bed, JobId(1));
    find(&mut bed, JobId(1), perhaps(&["r2"]));
    assert_eq!(bed.stage(JobId(1)), Stage::Submitting);
    bed.end(&WorkKey::Submit(JobId(2)));
    bed.happen(Event::Submitted(JobId(2), Ok(remote("r2"))));
    bed.at = bed.world.jobs[&JobId(1)].wait_until.unwrap();
    let effects = bed.happen(Event::Tick);
    assert!(
        started(&effects)
            .iter()
            .any(|work| matches!(work, Work::LookUp { .. })),
        "{effects:?}"
    );
    find(&mut bed, JobId(1), perhaps(&["r2"]));
    assert_eq!(bed.stage(JobId(1)), Stage::Unconfirmed);
    assert!(bed.world.jobs[&JobId(1)].candidates.is_empty());
}

#[test]
fn several_that_fit_are_put_to_the_person() {
    let mut bed = let_go(1);
    lose(&mut bed, JobId(1));
    find(&mut bed, JobId(1), perhaps(&["r1", "r2"]));
    let job = &bed.world.jobs[&JobId(1)];
    assert_eq!(job.stage, Stage::Unconfirmed);
    assert_eq!(job.candidates, [remote("r1"), remote("r2")]);
}

fn drafted_of(effects: &[Effect]) -> Vec<Option<RemoteJob>> {
    started(effects)
        .into_iter()
        .filter_map(|work| match work {
            Work::Submit { submission, .. } => Some(submission.drafted.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_draft_that_was_not_started_is_started_and_not_made_again() {
    let (mut bed, effects) = ready(DRAFTS, 1);
    assert_eq!(drafted_of(&effects), [None]);
    bed.happen(Event::CommitAsked(JobId(1), Some(remote("d1"))));
    // A crash: the journal knows the draft.
    bed.restart();
    let effects = bed.connect();
    assert!(
        started(&effects)
            .iter()
            .any(|work| matches!(work, Work::LookUp { lost, .. }
                if lost.submission.drafted == Some(remote("d1"))))
    );
    let effects = find(&mut bed, JobId(1), Found::Nothing);
    assert_eq!(drafted_of(&effects), [Some(remote("d1"))]);
    // Refused for good, and tried again by the person: still the same draft.
    bed.happen(Event::CommitAsked(JobId(1), Some(remote("d1"))));
    bed.end(&WorkKey::Submit(JobId(1)));
    let refused = Error::new(ErrorKind::Invalid, Doing::Submit).status(400);
    bed.happen(Event::Submitted(JobId(1), Err(refused)));
    assert_eq!(bed.stage(JobId(1)), Stage::Failed);
    let tag = bed.world.jobs[&JobId(1)].tag.clone();
    let effects = bed.happen(Event::Command(Command::RetryJob(JobId(1))));
    assert_eq!(drafted_of(&effects), [Some(remote("d1"))]);
    assert_eq!(bed.world.jobs[&JobId(1)].tag, tag);
}

/// A key that is saved while a client of the former one is on its way: that client must not become the connection's.
#[test]
fn a_client_of_a_former_key_is_not_used_for_the_new_one() {
    let mut bed = Bed::new();
    bed.send(GATHERS, 1, FanOut::OnePerFile);
    let connection = bed.world.connections[&GATHERS].as_ref().clone();
    let draft = ConnectionDraft {
        provider: connection.provider.clone(),
        label: connection.label.clone(),
        entries: BTreeMap::new(),
    };
    let saved = Connection {
        vault_name: "vault of the new key".to_owned(),
        ..connection
    };
    bed.happen(Event::ConnectionStored(
        draft,
        Ok((saved, KeyState::InKeyring)),
    ));
    bed.end(&WorkKey::Connect(GATHERS));
    let effects = bed.happen(Event::Connected(GATHERS, KeyState::InKeyring, Ok(())));
    assert!(!bed.world.link(GATHERS).connected);
    let again = started(&effects);
    assert!(
        matches!(again.as_slice(), [Work::Connect(connection)] if connection.vault_name == "vault of the new key"),
        "{again:?}"
    );
    bed.end(&WorkKey::Connect(GATHERS));
    bed.happen(Event::Connected(GATHERS, KeyState::InKeyring, Ok(())));
    assert!(bed.world.link(GATHERS).connected);
}

/// What the journal forgets with a connection, the world forgets as well: another account may come back under its name.
#[test]
fn a_removed_connection_takes_what_was_uploaded_over_it_along() {
    let (mut bed, _) = ready(GATHERS, 1);
    bed.happen(Event::KeepAsked(GATHERS, FileId(2), "part 1".to_owned()));
    bed.happen(Event::Command(Command::RemoveConnection(GATHERS)));
    assert!(bed.world.staged.is_empty() && bed.world.kept.is_empty());
}

/// The submission of a job that was cancelled and is sent again meanwhile bears the former tag: let go, nobody would find
/// it again.
#[test]
fn a_submission_that_was_given_up_is_not_let_go_for_the_next_attempt() {
    let mut bed = Bed::new();
    bed.connect();
    let effects = bed.send(FINDS, 1, FanOut::OnePerFile);
    assert_eq!(submits(&effects), 1);
    bed.happen(Event::Command(Command::CancelJob(JobId(1))));
    bed.happen(Event::Command(Command::RetryJob(JobId(1))));
    assert_eq!(bed.stage(JobId(1)), Stage::Uploading);
    let effects = bed.happen(Event::CommitAsked(JobId(1), None));
    assert!(effects.is_empty(), "{effects:?}");
    bed.end(&WorkKey::Submit(JobId(1)));
    assert_eq!(submits(&bed.happen(Event::Tick)), 1);
    let effects = bed.happen(Event::CommitAsked(JobId(1), None));
    assert!(
        matches!(effects.last(), Some(Effect::LetCommit(_))),
        "{effects:?}"
    );
}

/// Two answers are lost at a platform that offers candidates; then one comes after all.
#[test]
fn a_candidate_that_turns_out_to_be_another_jobs_is_offered_no_longer() {
    let (mut bed, effects) = ready(UPLOADS, 2);
    assert_eq!(submits(&effects), 0);
    for job in [JobId(1), JobId(2)] {
        bed.end(&WorkKey::ReadBaseline(job));
        bed.happen(Event::BaselineRead(job, Ok(Vec::new())));
        bed.happen(Event::CommitAsked(job, None));
    }
    lose(&mut bed, JobId(1));
    find(&mut bed, JobId(1), perhaps(&["r1", "r2"]));
    assert_eq!(bed.world.jobs[&JobId(1)].candidates.len(), 2);
    bed.end(&WorkKey::Submit(JobId(2)));
    bed.happen(Event::Submitted(JobId(2), Ok(remote("r2"))));
    assert_eq!(bed.world.jobs[&JobId(1)].candidates, [remote("r1")]);
    let leave = Command::ResolveUnconfirmed(JobId(1), Resolution::Leave);
    bed.happen(Event::Command(leave));
    assert!(bed.world.jobs[&JobId(1)].candidates.is_empty());
}

/// The person sends again what may have arrived: should that answer be lost, too, the first job is not taken for the
/// second one.
#[test]
fn what_is_sent_again_bears_another_tag() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(FINDS, 1, FanOut::OnePerFile);
    let job = JobId(1);
    bed.happen(Event::CommitAsked(job, None));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Err(lost())));
    bed.end(&WorkKey::LookUp(job));
    let refused = Error::new(ErrorKind::Forbidden, Doing::FindSubmission);
    bed.happen(Event::LookedUp(job, Err(refused)));
    assert_eq!(bed.stage(job), Stage::Unconfirmed);
    let first = bed.world.jobs[&job].tag.clone();
    bed.happen(Event::Command(Command::ResolveUnconfirmed(
        job,
        Resolution::SendAgain,
    )));
    assert_ne!(bed.world.jobs[&job].tag, first);
}

/// A job that a person adopts by its number is not offered any more as what an open submission may have become.
#[test]
fn a_candidate_that_is_adopted_on_its_own_is_offered_no_longer() {
    let (mut bed, _) = ready(UPLOADS, 1);
    bed.end(&WorkKey::ReadBaseline(JobId(1)));
    bed.happen(Event::BaselineRead(JobId(1), Ok(Vec::new())));
    bed.happen(Event::CommitAsked(JobId(1), None));
    lose(&mut bed, JobId(1));
    find(&mut bed, JobId(1), perhaps(&["r1", "r2"]));
    let listed = ListedJob {
        remote: remote("r2"),
        name: "Run r2".to_owned(),
        pipeline: Pipeline::typed("p"),
        created: None,
        word: "done".to_owned(),
    };
    let folder = PathBuf::from("/results/Adopted Run r2");
    bed.happen(Event::AdoptionPrepared(
        UPLOADS,
        Box::new(listed),
        Ok(folder),
    ));
    assert_eq!(bed.world.jobs[&JobId(1)].candidates, [remote("r1")]);
}

/// A job that ended while the platform was asked to stop it, and was sent again: the late answer is about the job before.
#[test]
fn a_late_answer_to_a_cancellation_does_not_end_the_next_job() {
    let (mut bed, _) = ready(GATHERS, 1);
    let job = JobId(1);
    gathered(&mut bed, job, true);
    bed.happen(Event::CommitAsked(job, None));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r1"))));
    bed.happen(Event::Command(Command::CancelJob(job)));
    assert!(bed.world.is_running(&WorkKey::Cancel(job)));
    let stopped = JobReport {
        status: JobStatus::Cancelled,
        word: "stopped".to_owned(),
        message: None,
    };
    bed.happen(Event::Polled(GATHERS, Ok(vec![(job, Ok(stopped))])));
    assert_eq!(bed.stage(job), Stage::Cancelled);
    bed.happen(Event::Command(Command::RetryJob(job)));
    bed.happen(Event::CommitAsked(job, None));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r2"))));
    bed.end(&WorkKey::Cancel(job));
    bed.happen(Event::CancelAnswered(job, Ok(())));
    assert_eq!(bed.stage(job), Stage::Queued);
}
