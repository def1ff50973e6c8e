//! How many requests are made, and what is left of those a platform allows.

use std::time::Duration;

use labferry::model::provider::CancelKind;
use labferry::model::remote::JobStatus;

use crate::bench::Bench;

/// Asking about many jobs at once takes few requests where the platform can tell of many.
pub(crate) async fn many_jobs_are_asked_about_with_few_requests(bench: &Bench) {
    let (count, most) = bench.stand.polls;
    let submission = bench.submission().await;
    let mut jobs = Vec::new();
    for _ in 0..count {
        let submitted = bench.submit(&bench.provider, &submission).await;
        jobs.push(submitted.outcome.unwrap());
        // A platform that takes few at once is given time.
        bench.pass(Duration::from_secs(10));
    }
    let before = bench.requests().len();
    let reports = bench.provider.status(&jobs).await.unwrap();
    let asked = bench.requests().len() - before;
    assert!(asked <= most, "{asked} requests for {count} jobs");
    assert_eq!(reports.len(), count);
    for report in reports {
        let status = report.unwrap().status;
        assert!(
            matches!(
                status,
                JobStatus::Queued | JobStatus::Running { .. } | JobStatus::Succeeded
            ),
            "{status:?}"
        );
    }
}

/// What is left is told after any answer, without a request, and goes down with each.
pub(crate) async fn the_budget_is_read_from_answers(bench: &Bench) {
    assert_eq!(
        bench.provider.budget(),
        None,
        "known before the first answer"
    );
    bench.provider.check().await.unwrap();
    let before = bench.requests().len();
    let first = bench.provider.budget().expect("a budget");
    assert_eq!(
        bench.requests().len(),
        before,
        "asking for it sends something"
    );
    assert!(first.limit > 0 && first.left < first.limit, "{first:?}");
    assert!(first.renewed > jiff::Timestamp::now() - jiff::SignedDuration::from_mins(1));
    bench.provider.pipelines().await.unwrap();
    let asked = (bench.requests().len() - before) as u64;
    let second = bench.provider.budget().unwrap();
    assert_eq!(second.left + asked, first.left, "{first:?} {second:?}");
}

pub(crate) async fn no_budget_is_made_up(bench: &Bench) {
    bench.provider.check().await.unwrap();
    bench.succeeded().await;
    assert_eq!(bench.provider.budget(), None);
}

/// Stopping deletes: afterwards the job is gone, and stopping it again is no failure that anybody has to see.
pub(crate) async fn a_cancelled_job_is_gone(bench: &Bench) {
    assert_eq!(bench.can().cancel, CancelKind::StopsAndDeletes);
    let job = bench.job().await;
    bench.provider.cancel(&job).await.unwrap();
    let report = bench.report(&job).await.unwrap();
    assert_eq!(report.status, JobStatus::Gone, "{report:?}");
    assert_eq!(bench.jobs().await, 0);
    if let Err(error) = bench.provider.cancel(&job).await {
        let kind = error.kind();
        assert_eq!(
            kind,
            labferry::model::error::ErrorKind::NotFound,
            "{error:?}"
        );
    }
}
