//! The submission: its point of no return, its single try, its lost answer.

use std::time::Duration;

use labferry::model::error::ErrorKind;
use labferry::model::ids::PipelineId;
use labferry::model::meter::Meter;
use labferry::net::commit_point::CommitPoint;

use crate::bench::Bench;

/// While nobody answers the commit point, the platform cannot have what it needs to make a job.
pub(crate) async fn nothing_happens_before_the_point(bench: &Bench) {
    let submission = bench.submission().await;
    let (commit, mut requests) = CommitPoint::new();
    let meter = Meter::default();
    let journal = async {
        let (_draft, answer) = requests.recv().await.unwrap();
        // Time enough for a platform on this computer to act, had it anything to act on.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(bench.jobs().await, 0, "a job before the point was passed");
        drop(answer);
        requests
    };
    let (outcome, _requests) =
        tokio::join!(bench.provider.submit(&submission, &commit, &meter), journal);
    let error = outcome.unwrap_err();
    assert!(error.submit_made_no_job(), "{error:?}");
    assert!(!commit.has_passed());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.jobs().await, 0);
    // A submission given up while it waits at the point leaves nothing, either.
    let (commit, mut requests) = CommitPoint::new();
    let answer = tokio::select! {
        outcome = bench.provider.submit(&submission, &commit, &meter) => panic!("{outcome:?}"),
        answer = requests.recv() => answer,
    };
    drop(answer);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.jobs().await, 0);
}

pub(crate) async fn the_point_is_passed_once(bench: &Bench) {
    let submission = bench.submission().await;
    let submitted = bench.submit(&bench.provider, &submission).await;
    let job = submitted.outcome.unwrap();
    assert!(!job.id.is_empty());
    assert_eq!(submitted.questions, 1);
    assert_eq!(bench.count(bench.stand.submit), 1);
    assert_eq!(bench.jobs().await, 1);
    let again = bench.submit(&bench.provider, &submission).await.outcome;
    assert_ne!(again.unwrap().id, job.id, "two submissions are two jobs");
}

/// What a fault at the submission must leave behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// A job, so the client must not say there is none.
    Job,
    /// No job, and the client has to know it.
    NoJob,
    /// No job, which the client cannot know.
    NoJobUnknown,
}

const FAULTS: [(&str, Left); 13] = [
    ("lost-answer", Left::Job),
    ("cut-body", Left::Job),
    ("wrong-length", Left::Job),
    ("server-error", Left::NoJobUnknown),
    ("unavailable", Left::NoJobUnknown),
    ("html", Left::NoJobUnknown),
    ("garbled", Left::NoJobUnknown),
    ("hang", Left::NoJobUnknown),
    ("redirect-elsewhere", Left::NoJobUnknown),
    // The connection is reset, which looks the same as a lost answer.
    ("refuse-before", Left::NoJobUnknown),
    ("rate-limited-silent", Left::NoJob),
    ("unauthorized", Left::NoJob),
    ("forbidden", Left::NoJob),
];

pub(crate) async fn a_submission_is_never_repeated(bench: &Bench) {
    let submission = bench.submission().await;
    for (fault, left) in FAULTS {
        let client = bench.client();
        let sent = bench.count(bench.stand.submit);
        let jobs = bench.jobs().await;
        bench.set(&format!("{fault}@{}", bench.stand.submit));
        let submitted = bench.submit(&client, &submission).await;
        bench.clear();
        let error = submitted.outcome.expect_err(fault);
        let sent = bench.count(bench.stand.submit) - sent;
        assert!(sent <= 1, "{fault}: sent {sent} times");
        assert!(submitted.questions <= 1, "{fault}");
        let made = bench.jobs().await - jobs;
        assert_eq!(made, usize::from(left == Left::Job), "{fault}");
        if error.submit_made_no_job() {
            assert_eq!(made, 0, "{fault}: a job was made after all: {error:?}");
        }
        if left == Left::NoJob {
            assert!(error.submit_made_no_job(), "{fault}: {error:?}");
        }
        if left == Left::NoJobUnknown && fault != "refuse-before" {
            assert!(!error.submit_made_no_job(), "{fault}: {error:?}");
        }
        bench.assert_readable(&error, fault);
    }
    // With a time to come back named.
    bench.set(&format!("rate-limited@{}", bench.stand.submit));
    let sent = bench.count(bench.stand.submit);
    let submitted = bench.submit(&bench.client(), &submission).await;
    let error = submitted.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.failure().retry_after, Some(Duration::from_secs(1)));
    assert!(error.submit_made_no_job());
    assert_eq!(bench.count(bench.stand.submit), sent + 1);
}

/// What the platform refuses is refused once: whether to try again is for the engine.
pub(crate) async fn a_refusal_makes_no_job(bench: &Bench) {
    let mut submission = bench.submission().await;
    submission.pipeline = PipelineId::from(bench.stand.no_pipeline);
    let submitted = bench.submit(&bench.provider, &submission).await;
    let error = submitted.outcome.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound),
        "{error:?}"
    );
    assert!(error.submit_made_no_job(), "{error:?}");
    // Where a draft is made first, the pipeline may have been looked at before it.
    match bench.stand.draft {
        Some(draft) => assert!(bench.count(draft) <= 1, "a refusal was repeated"),
        None => assert_eq!(bench.count(bench.stand.submit), 1, "a refusal was repeated"),
    }
    assert!(submitted.questions <= 1);
    assert_eq!(bench.jobs().await, 0);
    bench.assert_readable(&error, "an unknown pipeline");
}

pub(crate) async fn nobody_there_makes_no_job(bench: &Bench) {
    let submission = bench.submission().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let client = bench.client_at(&format!("http://{address}/api"), &bench.key);
    let submitted = bench.submit(&client, &submission).await;
    let error = submitted.outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert!(error.submit_made_no_job(), "{error:?}");
    let error = client.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
}
