//! Submissions whose answer was lost: each kind of looking for them, and drafts.

use jiff::Timestamp;
use labferry::model::meter::Meter;
use labferry::model::provider::LostSubmit;
use labferry::model::remote::{Found, JobStatus, Lost, RemoteJob, Submission};
use labferry::net::commit_point::CommitPoint;

use crate::bench::{Bench, assert_unsupported};

/// This submission, sent from a moment ago on.
fn lost(submission: &Submission) -> Lost {
    Lost {
        submission: submission.clone(),
        since: Timestamp::now() - jiff::SignedDuration::from_secs(5),
    }
}

/// What may be it, however sure the platform is.
fn ids(found: &Found) -> Vec<&str> {
    match found {
        Found::Job(job) => vec![job.id.as_str()],
        Found::Perhaps(jobs) => jobs.iter().map(|job| job.id.as_str()).collect(),
        Found::Nothing => Vec::new(),
    }
}

pub(crate) async fn a_lost_submission_can_be_looked_for(bench: &Bench) {
    let submission = bench.submission().await;
    let none = bench.provider.find(&lost(&submission)).await.unwrap();
    assert_eq!(ids(&none), [""; 0], "before anything was sent");
    bench.set(&format!("lost-answer@{}*1", bench.stand.submit));
    let outcome = bench.submit(&bench.provider, &submission).await.outcome;
    assert!(!outcome.unwrap_err().submit_made_no_job());
    // A client that remembers nothing finds it, too: the program may have been ended meanwhile.
    let found = bench.client().find(&lost(&submission)).await.unwrap();
    let sure = matches!(found, Found::Job(_));
    assert_eq!(ids(&found).len(), 1, "{found:?}");
    match bench.can().lost_submit {
        LostSubmit::CanBeFound => assert!(sure, "{found:?}"),
        LostSubmit::OneThatFits | LostSubmit::Candidates => assert!(!sure, "{found:?}"),
        LostSubmit::AskThePerson => panic!("{found:?}"),
    }
    let known = match &found {
        Found::Perhaps(jobs) => &jobs[0],
        Found::Job(job) => job,
        Found::Nothing => panic!("nothing found"),
    };
    assert_eq!(bench.settled(known).await.status, JobStatus::Succeeded);
    assert_eq!(bench.jobs().await, 1);
}

/// Others' jobs and other jobs of ours are not taken for it.
pub(crate) async fn another_job_is_not_taken_for_it(bench: &Bench) {
    if let Some(setting) = bench.stand.tags_show {
        bench.set(setting);
    }
    let first = bench.submission().await;
    let job = bench.submit(&bench.provider, &first).await.outcome.unwrap();
    let second = bench.submission().await;
    let found = bench.provider.find(&lost(&second)).await.unwrap();
    assert_eq!(ids(&found), [""; 0], "another's job was taken: {found:?}");
    let other = bench.submit(&bench.provider, &second).await.outcome;
    let other = other.unwrap();
    for (submission, id) in [(&first, &job.id), (&second, &other.id)] {
        let found = bench.provider.find(&lost(submission)).await.unwrap();
        assert_eq!(ids(&found), [id.as_str()], "{found:?}");
    }
}

pub(crate) async fn no_looking_sends_nothing(bench: &Bench) {
    let submission = Submission::new(bench.stand.pipeline.into(), "Plate 7", "lf-4k7q2m9x".into());
    let outcome = bench.provider.find(&lost(&submission)).await;
    assert_unsupported(outcome, "looking for a submission");
    assert!(bench.requests().is_empty());
}

/// Submits up to the commit point and drops the question: as far as a program gets that is ended there.
async fn drafted(bench: &Bench, submission: &Submission) -> RemoteJob {
    let (commit, mut requests) = CommitPoint::new();
    let meter = Meter::default();
    let journal = async {
        let (draft, answer) = requests.recv().await.unwrap();
        drop(answer);
        draft
    };
    let (outcome, draft) =
        tokio::join!(bench.provider.submit(submission, &commit, &meter), journal);
    assert!(outcome.unwrap_err().submit_made_no_job());
    draft.expect("a draft that is journalled before it is started")
}

/// The draft is at the platform and in the journal before it is started, and a later attempt starts that one.
pub(crate) async fn a_draft_is_started_and_not_made_again(bench: &Bench) {
    let making = bench.stand.draft.unwrap();
    let mut submission = bench.submission().await;
    let draft = drafted(bench, &submission).await;
    assert_eq!(bench.count(making), 1);
    assert_eq!(
        bench.count(bench.stand.submit),
        0,
        "started before the journal"
    );
    assert_eq!(bench.jobs().await, 0);
    let found = bench.client().find(&lost(&submission)).await.unwrap();
    assert_eq!(ids(&found), [""; 0], "a draft is no job");
    submission.drafted = Some(draft.clone());
    let submitted = bench.submit(&bench.client(), &submission).await;
    assert_eq!(submitted.outcome.unwrap().id, draft.id);
    assert_eq!(bench.count(making), 1, "a second draft was made");
    assert_eq!(bench.jobs().await, 1);
}

/// The start was accepted and its answer lost: the draft says that it runs, and nothing is started twice.
pub(crate) async fn a_lost_start_is_found_by_its_draft(bench: &Bench) {
    let mut submission = bench.submission().await;
    let draft = drafted(bench, &submission).await;
    submission.drafted = Some(draft.clone());
    bench.set(&format!("lost-answer@{}*1", bench.stand.submit));
    let submitted = bench.submit(&bench.client(), &submission).await;
    assert!(!submitted.outcome.unwrap_err().submit_made_no_job());
    let found = bench.client().find(&lost(&submission)).await.unwrap();
    assert!(
        matches!(&found, Found::Job(job) if job.id == draft.id),
        "{found:?}"
    );
    assert_eq!(bench.jobs().await, 1);
    assert_eq!(bench.settled(&draft).await.status, JobStatus::Succeeded);
    // The start never arrived: it is not running, and may be started.
    let mut submission = bench.submission().await;
    let draft = drafted(bench, &submission).await;
    submission.drafted = Some(draft.clone());
    bench.set(&format!("refuse-before@{}*1", bench.stand.submit));
    let submitted = bench.submit(&bench.client(), &submission).await;
    assert!(submitted.outcome.is_err());
    bench.clear();
    let found = bench.client().find(&lost(&submission)).await.unwrap();
    assert_eq!(found, Found::Nothing, "it was not started");
    let submitted = bench.submit(&bench.client(), &submission).await;
    assert_eq!(submitted.outcome.unwrap().id, draft.id);
    assert_eq!(bench.jobs().await, 2);
}

/// A draft somebody deleted meanwhile is made again, once.
pub(crate) async fn a_deleted_draft_is_made_again(bench: &Bench) {
    let mut submission = bench.submission().await;
    let mut draft = drafted(bench, &submission).await;
    bench.stand.gone.clone_into(&mut draft.id);
    submission.drafted = Some(draft);
    let submitted = bench.submit(&bench.client(), &submission).await;
    match submitted.outcome {
        Ok(job) => assert_ne!(job.id, bench.stand.gone),
        Err(error) => assert!(error.submit_made_no_job(), "{error:?}"),
    }
    assert!(bench.jobs().await <= 1);
}
