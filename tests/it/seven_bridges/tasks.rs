//! Tasks: drafted, started, watched, stopped, and what they made.

use std::time::Duration;

use labferry::model::error::{ErrorKind, Result};
use labferry::model::form::Value;
use labferry::model::ids::{PipelineId, Tag};
use labferry::model::provider::FanOut;
use labferry::model::remote::{
    Found, JobStatus, Lost, Output, Progress, Query, RemoteJob, Submission,
};
use labferry::net::commit_point::CommitPoint;

use crate::seven_bridges::{Bench, SUMMARY, text, with};

const EVERY: &str = "john_doe/plate-7/every-input/1";

fn lost(submission: &Submission) -> Lost {
    Lost {
        submission: submission.clone(),
        since: jiff::Timestamp::now(),
    }
}

/// A batch over three tables.
async fn batch(bench: &Bench) -> Submission {
    let staged = bench.tables(&["a.csv", "b.csv", "c.csv"]).await;
    Submission {
        fan_out: FanOut::BatchPerFile,
        ..bench.submission(SUMMARY, staged).await
    }
}

fn names(outputs: &[Output]) -> Vec<&str> {
    let mut names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn one_task_from_files_to_results() {
    let bench = Bench::start(&[]).await;
    let staged = bench.tables(&["a 世界 #1.csv", "b.csv"]).await;
    let submission = bench.submission(SUMMARY, staged).await;
    let (job, drafted) = bench.submit(&submission).await;
    let job = job.unwrap();
    assert_eq!(
        drafted,
        Some(job.clone()),
        "the draft is journalled before it is started"
    );
    let reports = bench.settle(&job).await;
    let words: Vec<&str> = {
        let mut words: Vec<&str> = reports.iter().map(|report| report.word.as_str()).collect();
        words.dedup();
        words
    };
    assert_eq!(
        words,
        [
            "CREATING",
            "QUEUED",
            "RUNNING",
            "QUEUED",
            "RUNNING",
            "COMPLETED"
        ]
    );
    assert_eq!(reports.last().unwrap().status, JobStatus::Succeeded);
    assert!(reports.iter().any(|report| matches!(
        report.status,
        JobStatus::Running {
            progress: Some(Progress::Steps { total: Some(_), .. })
        }
    )));
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let names = names(&outputs);
    assert!(
        names.iter().any(|name| name.contains('/')),
        "the folder is opened: {names:?}"
    );
    assert!(outputs.iter().any(|output| output.unpack));
    for output in &outputs {
        let bytes = bench.fetch(&job, output).await.unwrap();
        assert_eq!(
            Some(bytes.len() as u64),
            output.size_bytes,
            "{}",
            output.name
        );
    }
}

#[tokio::test]
async fn a_batch_is_judged_by_its_children_and_each_has_its_folder() {
    for partly in ["failed", "completed"] {
        let bench = Bench::start(&[&format!("sb.partly-failed={partly}")]).await;
        let submission = batch(&bench).await;
        let job = bench.submit(&submission).await.0.unwrap();
        let reports = bench.settle(&job).await;
        assert_eq!(reports.last().unwrap().status, JobStatus::Succeeded);
        assert!(reports.iter().any(|report| matches!(
            report.status,
            JobStatus::Running {
                progress: Some(Progress::Steps { total: Some(3), .. })
            }
        )));
        let outputs = bench.provider.outputs(&job).await.unwrap();
        let mut folders: Vec<&str> = outputs
            .iter()
            .map(|output| output.name.split('/').next().unwrap())
            .collect();
        folders.dedup();
        assert_eq!(folders.len(), 3, "{folders:?}");

        bench.set("sb.failing-child=2");
        let again = Submission {
            tag: Tag::from("lf-22222222"),
            ..submission
        };
        let job = bench.submit(&again).await.0.unwrap();
        let last = bench.settle(&job).await.pop().unwrap();
        let JobStatus::Failed {
            reason: Some(reason),
        } = last.status
        else {
            panic!("{partly}: {last:?}");
        };
        assert!(
            reason.starts_with("1 of 3 tasks did not complete"),
            "{reason}"
        );
        let outputs = bench.provider.outputs(&job).await.unwrap();
        let names = names(&outputs);
        assert!(
            names.iter().any(|name| name.contains("/logs/")),
            "{names:?}"
        );
        let log = outputs.iter().find(|output| output.name.contains("/logs/"));
        assert!(!bench.fetch(&job, log.unwrap()).await.unwrap().is_empty());
        assert!(
            names.iter().any(|name| !name.contains("/logs/")),
            "partial results"
        );
    }
}

#[tokio::test]
async fn a_batch_by_sample_is_split_by_its_metadata() {
    let bench = Bench::start(&[]).await;
    let mut staged = Vec::new();
    for (name, sample) in [("a.csv", "S1"), ("b.csv", "S1"), ("c.csv", "S2")] {
        let mut upload = bench.table(name);
        upload
            .metadata
            .insert("sample id".to_owned(), sample.to_owned());
        staged.push(bench.stage(&upload).await.unwrap());
    }
    let submission = Submission {
        fan_out: FanOut::BatchPerSample,
        sample_column: Some("sample id".to_owned()),
        ..bench.submission(SUMMARY, staged).await
    };
    let job = bench.submit(&submission).await.0.unwrap();
    assert_eq!(
        bench.settle(&job).await.pop().unwrap().status,
        JobStatus::Succeeded
    );
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let mut folders: Vec<&str> = outputs
        .iter()
        .map(|output| output.name.split('/').next().unwrap())
        .collect();
    folders.sort_unstable();
    folders.dedup();
    assert_eq!(folders.len(), 2);
}

#[tokio::test]
async fn polls_are_one_request_for_all_plain_tasks_and_few_for_batches() {
    let bench = Bench::start(&[]).await;
    let staged = bench.tables(&["a.csv"]).await;
    let mut jobs = Vec::new();
    for number in 0..6 {
        let submission = Submission {
            tag: Tag::from(format!("lf-{number:08}").as_str()),
            ..bench.submission(SUMMARY, staged.clone()).await
        };
        jobs.push(bench.submit(&submission).await.0.unwrap());
    }
    let unknown = RemoteJob {
        id: "0b1c2d3e-4f50-4a61-8b72-9c83ad94be05".to_owned(),
        ..jobs[0].clone()
    };
    jobs.insert(3, unknown);
    let before = bench.sandbox.world().requests().all().len();
    let reports = bench.provider.status(&jobs).await.unwrap();
    assert_eq!(bench.sandbox.world().requests().all().len() - before, 1);
    for (number, report) in reports.into_iter().enumerate() {
        let status = report.unwrap().status;
        assert_eq!(status == JobStatus::Gone, number == 3, "{status:?}");
    }
    let submission = batch(&bench).await;
    let job = bench.submit(&submission).await.0.unwrap();
    bench.sandbox.world().advance(Duration::from_millis(1500));
    let before = bench.count("sb.tasks");
    assert!(matches!(
        bench.report(&job).await.status,
        JobStatus::Running { .. }
    ));
    assert_eq!(
        bench.count("sb.tasks"),
        before,
        "its own counts say how far it is"
    );
}

#[tokio::test]
async fn batches_without_counts_are_counted() {
    for style in ["sparse", "absent"] {
        let bench = Bench::start(&[&format!("sb.execution-status={style}")]).await;
        let job = bench.submit(&batch(&bench).await).await.0.unwrap();
        let last = bench.settle(&job).await.pop().unwrap();
        assert_eq!(last.status, JobStatus::Succeeded, "{style}");
    }
}

#[tokio::test]
async fn unknown_states_are_shown_and_failures_explained() {
    let bench = Bench::start(&["sb.life=unknown-state"]).await;
    let staged = bench.tables(&["a.csv"]).await;
    let submission = bench.submission(SUMMARY, staged).await;
    let job = bench.submit(&submission).await.0.unwrap();
    bench.sandbox.world().advance(Duration::from_secs(3));
    let report = bench.report(&job).await;
    assert_eq!(report.status, JobStatus::Unrecognized(report.word.clone()));

    let bench = Bench::start(&["sb.life=fails"]).await;
    let staged = bench.tables(&["a.csv"]).await;
    let submission = bench.submission(SUMMARY, staged).await;
    let job = bench.submit(&submission).await.0.unwrap();
    let last = bench.settle(&job).await.pop().unwrap();
    let JobStatus::Failed {
        reason: Some(reason),
    } = last.status
    else {
        panic!("{last:?}");
    };
    assert!(!reason.is_empty());
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let names = names(&outputs);
    assert!(
        names.iter().any(|name| name.starts_with("logs/")),
        "{names:?}"
    );

    for shape in ["null", "empty"] {
        let bench = Bench::start(&[&format!("sb.outputs={shape}")]).await;
        let staged = bench.tables(&["a.csv"]).await;
        let submission = bench.submission(SUMMARY, staged).await;
        let job = bench.submit(&submission).await.0.unwrap();
        bench.settle(&job).await;
        assert!(bench.provider.outputs(&job).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_success_that_is_a_draft_with_errors_is_a_refusal() {
    for (entries, missing) in [("objects", "draft"), ("texts", "refused")] {
        let bench = Bench::start(&[
            &format!("sb.error-entries={entries}"),
            &format!("sb.missing-inputs={missing}"),
            &format!("sb.run-with-errors={missing}"),
        ])
        .await;
        let mut submission = bench.submission(SUMMARY, Vec::new()).await;
        submission.settings.remove("tables");
        let (outcome, drafted) = bench.submit(&submission).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
        assert!(error.submit_made_no_job());
        assert!(
            error.failure().hint.as_ref().unwrap().contains("tables"),
            "{error:?}"
        );
        assert_eq!(drafted, None, "nothing was about to run");
        assert_eq!(bench.count("sb.run-task"), 0);
        assert_eq!(bench.count("sb.create-task"), bench.count("sb.delete-task"));
    }
}

#[tokio::test]
async fn values_arrive_typed_and_what_is_empty_does_not() {
    let bench = Bench::start(&[]).await;
    let staged = bench.tables(&["a.csv"]).await;
    let mut submission = bench.submission(EVERY, staged.clone()).await;
    for (name, value) in [
        ("many_files", Value::Picked(staged.clone())),
        ("an_int", text("7")),
        ("a_long", text("9007199254740993")),
        ("a_float", text("1.5")),
        ("a_double", text("")),
        ("a_boolean", Value::Flag(true)),
        ("an_enum", text("high")),
        ("a_record.name", text("n")),
        ("a_record.count", text("3")),
        ("a_deep_record", text(r#"{"inner":{"value":2.5}}"#)),
        ("numbers", Value::List(vec![text("1"), text("2")])),
        ("number_or_text", Value::Variant(0, Box::new(text("5")))),
        ("anything", text("[1, null]")),
    ] {
        submission.settings = with(&submission.settings, name, value);
    }
    let (job, _) = bench.submit(&submission).await;
    let job = job.unwrap();
    assert_eq!(
        bench.settle(&job).await.pop().unwrap().status,
        JobStatus::Succeeded
    );
    let outputs = bench.provider.outputs(&job).await.unwrap();
    assert!(outputs.len() > 2, "{:?}", names(&outputs));
    let received = outputs
        .iter()
        .find(|output| std::path::Path::new(&output.name).extension() == Some("json".as_ref()))
        .unwrap();
    let bytes = bench.fetch(&job, received).await.unwrap();
    let received: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for (name, value) in [
        ("an_int", serde_json::json!(7)),
        ("a_long", serde_json::json!(9_007_199_254_740_993_i64)),
        ("a_float", serde_json::json!(1.5)),
        ("a_boolean", serde_json::json!(true)),
        ("an_enum", serde_json::json!("high")),
        ("a_record", serde_json::json!({"name": "n", "count": 3})),
        ("numbers", serde_json::json!([1, 2])),
        ("number_or_text", serde_json::json!(5)),
        ("anything", serde_json::json!([1, null])),
    ] {
        assert_eq!(received[name], value, "{name} in {received:#}");
    }
    assert!(
        received
            .get("a_double")
            .is_none_or(serde_json::Value::is_null)
    );
}

#[tokio::test]
async fn several_files_for_an_input_that_takes_one_are_refused_or_split() {
    let bench = Bench::start(&[]).await;
    let staged = bench.tables(&["a.csv", "b.csv"]).await;
    let app = "john_doe/plate-7/count-lines/0";
    let one = bench.submission(app, staged).await;
    let error = bench.submit(&one).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(bench.count("sb.create-task"), 0);
    let split = Submission {
        fan_out: FanOut::BatchPerFile,
        ..one
    };
    let job = bench.submit(&split).await.0.unwrap();
    assert_eq!(
        bench.settle(&job).await.pop().unwrap().status,
        JobStatus::Succeeded
    );
    // One file needs no splitting.
    let staged = bench.tables(&["c.csv"]).await;
    let single = Submission {
        staged,
        tag: Tag::from("lf-33333333"),
        ..split
    };
    let job = bench.submit(&single).await.0.unwrap();
    assert_eq!(job.memo, "");
}

/// Submits against a journal that is there or not.
async fn submit_unjournalled(bench: &Bench, submission: &Submission) -> Result<RemoteJob> {
    let (commit, requests) = CommitPoint::new();
    drop(requests);
    let meter = labferry::model::meter::Meter::default();
    bench.provider.submit(submission, &commit, &meter).await
}

#[tokio::test]
async fn whatever_answer_is_lost_there_is_one_task() {
    for fault in [
        "lost-answer@sb.create-task*1",
        "refuse-before@sb.create-task*1",
        "sb.create-answer=error-after",
        "lost-answer@sb.run-task*1",
        "refuse-before@sb.run-task*1",
        "server-error@sb.run-task*1",
        "garbled@sb.run-task*1",
    ] {
        let bench = Bench::start(&[]).await;
        let staged = bench.tables(&["a.csv"]).await;
        let mut submission = bench.submission(SUMMARY, staged).await;
        bench.set(fault);
        let (mut outcome, mut drafted) = bench.submit(&submission).await;
        for _ in 0..4 {
            let Err(error) = outcome else { break };
            // As the engine does: a draft that was journalled is brought back, a lost answer is looked up.
            bench.set("sb.create-answer=usual");
            submission.drafted = drafted.clone().or(submission.drafted);
            if !error.submit_made_no_job() {
                assert!(drafted.is_some(), "{fault}: {error:?}");
                match bench.provider.find(&lost(&submission)).await.unwrap() {
                    Found::Job(job) => {
                        outcome = Ok(job);
                        break;
                    }
                    Found::Nothing => {}
                    Found::Perhaps(jobs) => panic!("{fault}: {jobs:?}"),
                }
            }
            (outcome, drafted) = bench.submit(&submission).await;
        }
        let job = outcome.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        bench.clear();
        let listed = bench.provider.jobs(&Query::default()).await.unwrap();
        let started: Vec<_> = listed
            .items
            .iter()
            .filter(|listed| listed.name.contains("lf-4k7q2m9x") && listed.word != "DRAFT")
            .collect();
        assert_eq!(started.len(), 1, "{fault}");
        assert_eq!(started[0].remote.id, job.id);
    }
}

#[tokio::test]
async fn a_submission_that_is_not_journalled_is_not_started() {
    let bench = Bench::start(&[]).await;
    let staged = bench.tables(&["a.csv"]).await;
    let mut submission = bench.submission(SUMMARY, staged).await;
    let error = submit_unjournalled(&bench, &submission).await.unwrap_err();
    assert!(error.submit_made_no_job());
    assert_eq!(bench.count("sb.run-task"), 0);
    assert_eq!(
        bench.provider.find(&lost(&submission)).await.unwrap(),
        Found::Nothing
    );
    let listed = bench.provider.jobs(&Query::default()).await.unwrap();
    submission.drafted = Some(listed.items[0].remote.clone());
    let job = bench.submit(&submission).await.0.unwrap();
    assert_eq!(job.id, listed.items[0].remote.id, "the draft is used");
    assert_eq!(bench.count("sb.create-task"), 1);
    // Again, with the draft that runs by now.
    let again = bench.submit(&submission).await.0.unwrap();
    assert_eq!(again.id, job.id);
    assert_eq!(bench.count("sb.run-task"), 1);
    assert_eq!(
        bench.provider.find(&lost(&submission)).await.unwrap(),
        Found::Job(job.clone())
    );
    submission.drafted = None;
    assert_eq!(
        bench.provider.find(&lost(&submission)).await.unwrap(),
        Found::Job(job)
    );
    submission.tag = Tag::from("lf-zzzzzzzz");
    assert_eq!(
        bench.provider.find(&lost(&submission)).await.unwrap(),
        Found::Nothing
    );
}

#[tokio::test]
async fn a_stop_keeps_the_record_and_one_too_late_is_no_failure() {
    let bench = Bench::start(&[]).await;
    for submission in [
        bench
            .submission(SUMMARY, bench.tables(&["x.csv"]).await)
            .await,
        batch(&bench).await,
    ] {
        let job = bench.submit(&submission).await.0.unwrap();
        bench.sandbox.world().advance(Duration::from_millis(1500));
        bench.provider.cancel(&job).await.unwrap();
        assert!(matches!(
            bench.report(&job).await.status,
            JobStatus::Running { .. } | JobStatus::Cancelled
        ));
        assert_eq!(
            bench.settle(&job).await.pop().unwrap().status,
            JobStatus::Cancelled
        );
        bench.provider.cancel(&job).await.unwrap();
        let listed = bench.provider.job(&job.id).await.unwrap();
        assert_eq!(listed.word, "ABORTED");
    }
}

#[tokio::test]
async fn tasks_are_listed_without_children_and_found_by_what_is_pasted() {
    let bench = Bench::start(&[]).await;
    let job = bench.submit(&batch(&bench).await).await.0.unwrap();
    bench.settle(&job).await;
    let listed = bench.provider.jobs(&Query::default()).await.unwrap();
    assert_eq!(listed.items.len(), 1, "{:?}", listed.items);
    assert_eq!(listed.items[0].remote, job);
    assert_eq!(listed.items[0].pipeline.id, PipelineId::from(SUMMARY));
    assert!(listed.items[0].created.is_some());
    let query = Query {
        words: Some("no such words".to_owned()),
        ..Query::default()
    };
    assert!(bench.provider.jobs(&query).await.unwrap().items.is_empty());
    let page = format!(
        " https://igor.sbgenomics.com/u/john_doe/plate-7/tasks/{}/ ",
        job.id
    );
    assert_eq!(bench.provider.job(&page).await.unwrap().remote, job);
    let error = bench
        .provider
        .job("66a1f0c2d3e4b5a697887701")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn files_that_cannot_be_fetched_say_why() {
    let bench = Bench::start(&[]).await;
    let top = bench.provider.browse(&Query::default()).await.unwrap();
    let job = RemoteJob {
        id: String::new(),
        web_page: None,
        memo: String::new(),
    };
    for (name, words) in [("reference", "folder"), ("on a cold volume.csv", "volume")] {
        let file = top.items.iter().find(|file| file.name == name).unwrap();
        let output = Output {
            id: file.id.clone(),
            name: name.to_owned(),
            size_bytes: None,
            sha256: None,
            on_request: false,
            unpack: false,
        };
        let error = bench.provider.link(&job, &output).await.unwrap_err();
        let hint = error.failure().hint.clone().unwrap();
        assert!(hint.contains(words), "{hint}");
    }
}
