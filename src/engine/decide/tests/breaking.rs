//! A worker that broke down: the person hears of it once, and nobody waits for what it was doing.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::{accepted, arrives, finished, last_words, says};
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, GATHERS, UPLOADS, started, submitting};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::snapshot::{CheckState, KeyringState, Loadable, Trial};
use crate::model::artifact::ArtifactState;
use crate::model::connection::ConnectionDraft;
use crate::model::error::{Error, ErrorKind};
use crate::model::ids::{ArtifactId, BatchId, FileId, JobId, PipelineId, ProviderId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::model::provider::FanOut;
use crate::model::remote::{JobStatus, Query, StagedFile};

const WORDS: &str = "A part of Labferry stopped unexpectedly.";

fn breaks(bed: &mut Bed, key: WorkKey) -> Vec<Effect> {
    breaks_with(bed, key, "index out of bounds")
}

fn breaks_with(bed: &mut Bed, key: WorkKey, text: &str) -> Vec<Effect> {
    bed.end(&key);
    bed.happen(Event::Broke(key, text.to_owned()))
}

fn told(bed: &Bed) -> usize {
    let notices = bed.world.notices.values();
    notices.filter(|notice| notice.words.what == WORDS).count()
}

fn kind(bed: &Bed, job: JobId) -> Option<ErrorKind> {
    bed.world.jobs[&job].error.as_ref().map(Error::kind)
}

#[test]
fn a_breakdown_is_told_of_with_what_helps_to_find_it() {
    let mut bed = Bed::new();
    breaks(&mut bed, WorkKey::Poll(UPLOADS));
    let notice = bed.world.notices.values().next().unwrap();
    assert_eq!((notice.about, notice.weight), (About::App, Weight::Problem));
    assert_eq!(notice.words.what, WORDS);
    assert!(!notice.words.did.is_empty() && !notice.words.next.is_empty());
    let details: Vec<_> = notice.details.iter().map(|(_, text)| &**text).collect();
    assert_eq!(details, ["Poll(ConnectionId(1))", "index out of bounds"]);
}

#[test]
fn the_same_breakdown_is_told_of_once_and_another_one_as_well() {
    let mut bed = Bed::new();
    for _ in 0..3 {
        breaks(&mut bed, WorkKey::Poll(UPLOADS));
    }
    assert_eq!(told(&bed), 1);
    breaks(&mut bed, WorkKey::Poll(CARRIES));
    breaks_with(&mut bed, WorkKey::Poll(UPLOADS), "another text");
    assert_eq!(told(&bed), 3);
}

#[test]
fn the_draft_can_be_worked_on_after_a_breakdown() {
    let mut bed = Bed::new();
    let path = PathBuf::from("/data");
    bed.happen(Event::Command(Command::AddFiles(vec![path])));
    breaks(&mut bed, WorkKey::Scan(1));
    assert!(!bed.world.live.draft.scanning);
    for (number, key) in [(1, WorkKey::Check), (2, WorkKey::Prepare)] {
        breaks(&mut bed, key);
        assert_eq!(bed.world.live.draft.checked, number);
    }
    assert!(bed.world.batches.is_empty());
    breaks(
        &mut bed,
        WorkKey::ReadSheet(PathBuf::from("/data/plates.csv")),
    );
    let samples = bed.world.live.draft.samples.clone();
    assert_eq!(samples.imported, "plates.csv");
    assert_eq!(
        samples.problem.as_deref(),
        Some("The table could not be read")
    );
}

#[test]
fn what_was_asked_of_a_connection_is_answered_after_a_breakdown() {
    let mut bed = Bed::new();
    bed.connect();
    let provider = ProviderId::from("uploads");
    let draft = ConnectionDraft {
        provider: provider.clone(),
        label: "Imaging".to_owned(),
        entries: std::collections::BTreeMap::new(),
    };
    let pipeline = PipelineId::from("p");
    for command in [
        Command::TryConnection(draft, Vec::new()),
        Command::CheckConnection(UPLOADS),
        Command::ReadForm(UPLOADS, pipeline.clone()),
        Command::ReadProfiles(provider.clone()),
        Command::Browse(UPLOADS, Query::default()),
        Command::ListJobs(UPLOADS, Query::default()),
        Command::AdoptJob(UPLOADS, "r1".to_owned()),
        Command::AdoptJob(UPLOADS, "r2".to_owned()),
    ] {
        bed.happen(Event::Command(command));
    }
    breaks(&mut bed, WorkKey::Try);
    assert!(matches!(bed.world.live.trial, Some(Trial::Bad(_))));
    breaks(&mut bed, WorkKey::ReadProfiles(provider));
    let names = bed.world.live.profiles.clone().unwrap().names;
    assert!(matches!(names, Loadable::Failed(words) if words.what == WORDS));
    breaks(&mut bed, WorkKey::Ask(UPLOADS));
    breaks(&mut bed, WorkKey::ReadForm(UPLOADS, pipeline.clone()));
    breaks(&mut bed, WorkKey::Browse(UPLOADS));
    breaks(&mut bed, WorkKey::ListJobs(UPLOADS));
    // The identifier whose look broke down is not tried again; the next one is.
    let effects = breaks(&mut bed, WorkKey::Recognize(UPLOADS));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Recognize(UPLOADS, text)] if text == "r2"),
        "{effects:?}"
    );
    breaks(&mut bed, WorkKey::Recognize(UPLOADS));
    breaks(&mut bed, WorkKey::Recognize(UPLOADS));
    let link = bed.world.link(UPLOADS).clone();
    assert!(matches!(link.check, CheckState::Bad(_)));
    assert!(matches!(link.forms[&pipeline], Loadable::Failed(_)));
    assert!(matches!(link.browsed.unwrap().page, Loadable::Failed(_)));
    assert!(matches!(link.listed.unwrap().page, Loadable::Failed(_)));
    assert!(link.adopting.is_empty());
    assert!(link.blocked.is_none());
}

#[test]
fn a_client_whose_making_broke_down_waits_for_the_person() {
    let mut bed = Bed::new();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    let key = bed.world.link(UPLOADS).key;
    let effects = breaks(&mut bed, WorkKey::Connect(UPLOADS));
    assert!(started(&effects).is_empty(), "{effects:?}");
    let link = bed.world.link(UPLOADS);
    assert!(!link.connected && link.blocked.is_some());
    assert_eq!(link.key, key);
}

#[test]
fn a_job_whose_preparation_broke_down_has_failed_and_made_nothing() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    breaks(&mut bed, WorkKey::Stage(UPLOADS, FileId(1)));
    assert_eq!(bed.stage(JobId(1)), Stage::Failed);
    assert_eq!(kind(&bed, JobId(1)), Some(ErrorKind::Internal));
    for (connection, key) in [
        (UPLOADS, WorkKey::ReadBaseline(JobId(1))),
        (GATHERS, WorkKey::Gather(JobId(1))),
    ] {
        let mut bed = Bed::new();
        bed.connect();
        bed.send(connection, 1, FanOut::OnePerFile);
        bed.end(&WorkKey::Stage(connection, FileId(1)));
        let staged = StagedFile::default();
        bed.happen(Event::Staged(connection, FileId(1), Ok(staged)));
        assert!(bed.world.is_running(&key), "{key:?}");
        breaks(&mut bed, key);
        assert_eq!(bed.stage(JobId(1)), Stage::Failed);
        assert_eq!(kind(&bed, JobId(1)), Some(ErrorKind::Internal));
    }
}

#[test]
fn a_submission_that_broke_down_has_no_known_outcome() {
    let (mut bed, job) = submitting(CARRIES);
    breaks(&mut bed, WorkKey::Submit(job));
    assert_eq!(bed.stage(job), Stage::Unconfirmed);
    let (mut bed, job) = submitting(FINDS);
    let effects = breaks(&mut bed, WorkKey::Submit(job));
    assert!(matches!(
        started(&effects).as_slice(),
        [Work::LookUp { .. }]
    ));
    breaks(&mut bed, WorkKey::LookUp(job));
    assert_eq!(bed.stage(job), Stage::Unconfirmed);
}

#[test]
fn a_job_at_the_platform_outlives_broken_questions() {
    let (mut bed, job) = accepted(FINDS);
    breaks(&mut bed, WorkKey::Poll(FINDS));
    assert_eq!(bed.world.link(FINDS).poll_failures, 1);
    assert!(bed.world.link(FINDS).poll_due.unwrap() > bed.at);
    bed.happen(Event::Command(Command::CancelJob(job)));
    assert!(bed.world.jobs[&job].cancel_wanted);
    let effects = breaks(&mut bed, WorkKey::Cancel(job));
    assert!(!bed.world.jobs[&job].cancel_wanted);
    assert!(started(&effects).is_empty(), "{effects:?}");
    assert_eq!(bed.stage(job), Stage::Queued);
    says(&mut bed, job, JobStatus::Succeeded);
    breaks(&mut bed, WorkKey::ListOutputs(job));
    assert_eq!(bed.stage(job), Stage::Failed);
}

#[test]
fn a_result_whose_fetching_broke_down_is_missing_and_the_others_come() {
    let (mut bed, job) = finished(&["a.csv", "r.zip"]);
    breaks(&mut bed, WorkKey::Fetch(ArtifactId(1)));
    let state = |bed: &Bed, number| bed.world.artifacts[&ArtifactId(number)].state.clone();
    assert!(matches!(state(&bed, 1), ArtifactState::Failed(_)));
    arrives(&mut bed, 2);
    let effects = breaks(&mut bed, WorkKey::Unpack(ArtifactId(2)));
    assert!(matches!(
        state(&bed, 2),
        ArtifactState::Unpacked {
            archive_kept: true,
            ..
        }
    ));
    assert!(matches!(
        started(&effects).as_slice(),
        [Work::WriteReceipt { .. }]
    ));
    breaks(&mut bed, WorkKey::WriteReceipt(BatchId(1)));
    assert_eq!(bed.stage(job), Stage::Failed);
    assert_eq!(kind(&bed, job), Some(ErrorKind::Internal));
    assert_eq!(last_words(&bed), "Plate 7 has ended.");
}

#[test]
fn a_keyring_that_cannot_even_be_looked_for_is_not_looked_for_without_end() {
    let mut bed = Bed::new();
    let effects = breaks(&mut bed, WorkKey::ProbeKeyring);
    assert_eq!(bed.world.live.keyring, Some(KeyringState::Absent));
    let again = started(&effects);
    assert!(!again.iter().any(|work| matches!(work, Work::ProbeKeyring)));
}
