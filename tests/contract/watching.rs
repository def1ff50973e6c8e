//! How jobs stand, and stopping them.

use std::time::Duration;

use labferry::model::error::ErrorKind;
use labferry::model::ids::PipelineId;
use labferry::model::provider::ProgressKind;
use labferry::model::remote::{JobReport, JobStatus, Progress, Query, RemoteJob};

use crate::bench::{Bench, assert_unsupported};
use crate::stands::Failing;

fn assert_honest(bench: &Bench, report: &JobReport) {
    let JobStatus::Running { progress } = &report.status else {
        return;
    };
    match (bench.can().progress, progress) {
        (_, None) => {}
        (ProgressKind::Percent, Some(Progress::Percent(percent))) => {
            assert!((0.0..=100.0).contains(percent), "{report:?}");
        }
        (ProgressKind::Steps, Some(Progress::Steps { done, total })) => {
            assert!(total.is_none_or(|total| *done <= total), "{report:?}");
        }
        (kind, Some(progress)) => panic!("{progress:?} is not {kind:?}"),
    }
}

pub(crate) async fn a_job_goes_from_queued_to_succeeded(bench: &Bench) {
    assert!(bench.provider.status(&[]).await.unwrap().is_empty());
    let job = bench.job().await;
    let first = bench.report(&job).await.unwrap();
    assert!(
        matches!(first.status, JobStatus::Queued | JobStatus::Running { .. }),
        "{first:?}"
    );
    let mut reports = vec![first];
    while reports.last().unwrap().status != JobStatus::Succeeded {
        bench.pass(Duration::from_millis(300));
        let report = bench.report(&job).await.unwrap();
        assert!(
            matches!(
                report.status,
                JobStatus::Queued | JobStatus::Running { .. } | JobStatus::Succeeded
            ),
            "{report:?}"
        );
        assert!(!report.word.is_empty(), "the platform's word is missing");
        assert_honest(bench, &report);
        reports.push(report);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        reports
            .iter()
            .any(|report| matches!(report.status, JobStatus::Running { .. })),
        "never seen running: {reports:?}"
    );
    // Another client, which remembers nothing, says the same.
    let again = bench.client().status(&[job]).await.unwrap().remove(0);
    assert_eq!(again.unwrap().status, JobStatus::Succeeded);
}

/// A job that is going to fail.
pub(crate) async fn failing_job(bench: &Bench) -> RemoteJob {
    let mut submission = bench.submission().await;
    match bench.stand.failing {
        Failing::Setting(setting) => bench.set(setting),
        Failing::Pipeline(name) => submission.pipeline = PipelineId::from(name),
    }
    bench
        .submit(&bench.provider, &submission)
        .await
        .outcome
        .unwrap()
}

pub(crate) async fn a_failed_job_says_why(bench: &Bench) {
    let job = failing_job(bench).await;
    let report = bench.settled(&job).await;
    let JobStatus::Failed { reason } = &report.status else {
        panic!("{report:?}");
    };
    assert!(
        reason
            .as_ref()
            .is_some_and(|reason| !reason.trim().is_empty())
    );
    let outputs = bench.provider.outputs(&job).await;
    if bench.can().partial_results {
        assert!(!outputs.unwrap().is_empty());
    } else if let Ok(outputs) = outputs {
        assert!(outputs.is_empty(), "{outputs:?}");
    }
}

pub(crate) async fn an_unknown_state_keeps_its_word(bench: &Bench) {
    let (setting, word) = bench.stand.odd_state.unwrap();
    bench.set(setting);
    let job = bench.job().await;
    let mut seen = false;
    loop {
        let report = bench.report(&job).await.unwrap();
        if report.status == JobStatus::Unrecognized(word.to_owned()) {
            assert_eq!(report.word, word);
            seen = true;
        }
        if report.status == JobStatus::Succeeded {
            break;
        }
        bench.pass(Duration::from_millis(200));
    }
    assert!(seen, "{word} was never told");
}

/// Members left out or null, words in odd casing, other shapes of an answer: a whole job runs as ever.
pub(crate) async fn odd_answers_change_nothing(bench: &Bench) {
    for setting in bench.stand.quirks {
        bench.set(setting);
        let client = bench.client();
        assert_eq!(client.check().await.unwrap().name, bench.stand.account);
        let pipelines = client.pipelines().await.unwrap();
        assert!(!pipelines.is_empty(), "{setting}");
        for pipeline in &pipelines {
            client.form(&pipeline.id).await.unwrap();
        }
        let submission = bench.submission().await;
        let submitted = bench.submit(&client, &submission).await.outcome;
        let job = submitted.unwrap_or_else(|error| panic!("{setting}: {error:?}"));
        let report = bench.settled(&job).await;
        assert_eq!(report.status, JobStatus::Succeeded, "{setting}: {report:?}");
        let outputs = client.outputs(&job).await.unwrap();
        assert!(!outputs.is_empty(), "{setting}");
        for output in outputs.iter().filter(|output| !output.on_request) {
            let link = client.link(&job, output).await;
            link.unwrap_or_else(|error| panic!("{setting}: {}: {error:?}", output.name));
        }
        if bench.can().lists_jobs {
            let page = client.jobs(&Query::default()).await.unwrap();
            assert!(!page.items.is_empty(), "{setting}");
        }
    }
}

/// A job the platform no longer knows is gone, one with an id that is none is an error of its own; the others stand as
/// they stand, in the order asked for, few or many.
pub(crate) async fn a_gone_job_spoils_no_other(bench: &Bench) {
    let good = bench.succeeded().await;
    let gone = RemoteJob {
        id: bench.stand.gone.to_owned(),
        ..good.clone()
    };
    let report = bench.report(&gone).await.unwrap();
    assert_eq!(report.status, JobStatus::Gone, "{report:?}");
    let odd = RemoteJob {
        id: "../check?x=1#".to_owned(),
        ..good.clone()
    };
    let other = bench.succeeded().await;
    let few = vec![gone.clone(), good.clone(), odd.clone(), other.clone()];
    let mut many = few.clone();
    let last = bench.stand.gone.chars().last();
    for digit in ('0'..='9').filter(|digit| Some(*digit) != last) {
        let mut unknown = gone.clone();
        unknown.id.pop();
        unknown.id.push(digit);
        many.push(unknown);
    }
    for jobs in [few, many] {
        let reports = bench.client().status(&jobs).await.unwrap();
        assert_eq!(reports.len(), jobs.len());
        for (job, report) in jobs.iter().zip(&reports) {
            match report {
                Ok(report) if [&good, &other].contains(&job) => {
                    assert_eq!(report.status, JobStatus::Succeeded);
                }
                Ok(report) => assert_eq!(report.status, JobStatus::Gone, "{job:?}"),
                Err(error) => {
                    assert_eq!(job, &odd, "{error:?}");
                    assert!(
                        matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound),
                        "{error:?}"
                    );
                }
            }
        }
    }
    // One failure of the server concerns one job, not its neighbours, unless it is asked about all of them at once.
    bench.set(&format!("garbled@{}*2", bench.stand.status));
    let reports = bench.client().status(&[good, other]).await;
    let (jobs, requests) = bench.stand.polls;
    if requests < jobs && reports.is_err() {
        return;
    }
    let reports = reports.unwrap();
    let succeeded = |report: &&Result<JobReport, _>| {
        matches!(
            report,
            Ok(JobReport {
                status: JobStatus::Succeeded,
                ..
            })
        )
    };
    assert!(
        reports.iter().any(|report| succeeded(&report)),
        "{reports:?}"
    );
}

pub(crate) async fn no_cancel_sends_nothing(bench: &Bench) {
    let job = bench.job().await;
    let before = bench.requests().len();
    assert_unsupported(bench.provider.cancel(&job).await, "stopping a job");
    assert_eq!(bench.requests().len(), before);
}

pub(crate) async fn a_cancelled_job_stops(bench: &Bench) {
    let job = bench.job().await;
    bench.provider.cancel(&job).await.unwrap();
    assert_eq!(bench.settled(&job).await.status, JobStatus::Cancelled);
}
