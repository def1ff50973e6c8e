//! Runs: sent, found again, asked about, ended.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::stub::Stub;
use super::*;
use crate::model::error::Sent;
use crate::model::form::{Settings, Value};
use crate::model::ids::{PipelineId, Tag};
use crate::model::meter::Meter;
use crate::model::remote::{Found, JobReport, JobStatus, Lost, RemoteJob, StagedFile, Submission};
use crate::providers::code_ocean::wire::Computation;

const TAG: &str = "lf-4k7q2m9x";

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned())))
        .collect()
}

fn asset(id: &str, memo: &str) -> StagedFile {
    StagedFile {
        id: id.to_owned(),
        name: id.to_owned(),
        memo: memo.to_owned(),
        ..StagedFile::default()
    }
}

fn submission(pipeline: &str, pairs: &[(&str, &str)]) -> Submission {
    Submission {
        staged: vec![asset(ASSET, r#"{"mount":"reads","file":"a.csv"}"#)],
        settings: settings(pairs),
        ..Submission::new(
            PipelineId::from(pipeline),
            "Plate 7 - Align reads",
            Tag::from(TAG),
        )
    }
}

async fn submit(stub: &Stub, submission: &Submission) -> Result<RemoteJob> {
    let (commit, journal) = open_point();
    let client = stub.client();
    let meter = Meter::default();
    tokio::select! {
        submitted = client.submit(submission, &commit, &meter) => submitted,
        () = journal => std::future::pending().await,
    }
}

fn remote(id: &str, memo: &str) -> RemoteJob {
    RemoteJob {
        id: id.to_owned(),
        web_page: None,
        memo: memo.to_owned(),
    }
}

#[tokio::test]
async fn a_pipeline_gets_its_processes_and_every_value_is_a_text() {
    let stub = Stub::start().await;
    stub.on("POST computations", 200, golden("computation"));
    let submission = submission(
        &format!("pipeline:{ID}@2"),
        &[
            ("@mount", "reads"),
            ("capsule_trim_1/[1]", "20"),
            ("capsule_trim_1/[3]", "paired"),
            ("capsule_align_2/min_quality", "30"),
        ],
    );
    let job = submit(&stub, &submission).await.unwrap();
    assert_eq!(job, remote(RUN, &format!("pipeline:{ID}")));
    let asked = stub.asked();
    assert_eq!(asked[0].json(), golden_json("run"));
    // Renamed right away; that this failed here is no failure of the run.
    assert_eq!(
        asked[1].line,
        format!("PATCH computations/{RUN}?name=Plate%207%2FAlign%20reads%20{TAG}")
    );
}

#[tokio::test]
async fn a_capsule_gets_named_and_ordered_values_and_its_data() {
    let stub = Stub::start().await;
    stub.on("POST computations", 200, golden("computation"));
    let mut submission = submission(
        &format!("capsule:{ID}"),
        &[
            ("@mount", "elsewhere"),
            ("[2]", "x"),
            ("min_quality", ""),
            ("sheet", "/data/{mount}/{file}"),
            ("note", "{file} stays"),
        ],
    );
    submission
        .settings
        .insert("flag".to_owned(), Value::Flag(false));
    submission
        .staged
        .push(asset("other", r#"{"mount":"reference"}"#));
    let error = submit(&stub, &submission).await.unwrap_err();
    // Two inputs: which file is meant is not known.
    assert_eq!(
        (error.kind(), error.failure().sent),
        (ErrorKind::Invalid, Sent::No)
    );
    submission.settings.remove("sheet");
    submit(&stub, &submission).await.unwrap();
    let body = stub.asked()[0].json();
    assert_eq!(
        body,
        json!({
            "capsule_id": ID,
            "data_assets": [{"id": ASSET, "mount": "reads"}, {"id": "other", "mount": "reference"}],
            "parameters": ["", "x"],
            "named_parameters": [
                {"param_name": "flag", "value": "False"},
                {"param_name": "min_quality", "value": ""},
                {"param_name": "note", "value": "{file} stays"},
            ],
        })
    );
    submission.staged.pop();
    submission.settings = settings(&[("sheet", "/data/{mount}/{file}")]);
    submit(&stub, &submission).await.unwrap();
    let sheet = &stub.asked()[2].json()["named_parameters"][0]["value"];
    assert_eq!(sheet, "/data/reads/a.csv");
}

#[tokio::test]
async fn what_the_service_would_ignore_or_refuse_is_not_sent() {
    let stub = Stub::start().await;
    let pipeline = format!("pipeline:{ID}");
    let ordered = submission(&pipeline, &[("[1]", "x")]);
    let mut twice = submission(&format!("capsule:{ID}"), &[]);
    twice.staged.push(asset("other", r#"{"mount":"reads"}"#));
    for submission in [ordered, twice] {
        let error = submit(&stub, &submission).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.submit_made_no_job());
    }
    assert!(stub.asked().is_empty());
    // One asset in a pipeline takes the place the form offers, whatever its own is.
    stub.on("POST computations", 200, golden("computation"));
    let placed = submission(&pipeline, &[("@mount", "input")]);
    submit(&stub, &placed).await.unwrap();
    assert_eq!(stub.asked()[0].json()["data_assets"][0]["mount"], "input");
}

#[tokio::test]
async fn a_submission_is_sent_once_whatever_comes_back() {
    for (status, certain) in [
        (400, true),
        (423, true),
        (429, true),
        (500, false),
        (503, false),
        (200, false),
    ] {
        let stub = Stub::start().await;
        stub.on("POST computations", status, "{}");
        let error = submit(&stub, &submission(&format!("capsule:{ID}"), &[]))
            .await
            .unwrap_err();
        assert_eq!(error.submit_made_no_job(), certain, "{status}");
        assert_eq!(stub.lines(), ["POST computations"]);
        let comes_back = error.failure().retry_after.is_some();
        assert_eq!(
            comes_back,
            status == 423,
            "a locked workspace may be free later"
        );
    }
}

/// What a look finds among these runs, five minutes and more after the submission on a server whose clock is right.
async fn look(runs: Json, pairs: &[(&str, &str)]) -> Found {
    let stub = Stub::start().await;
    stub.on(
        &format!("GET capsules/{ID}/computations"),
        200,
        runs.to_string(),
    );
    let lost = Lost {
        submission: submission(&format!("capsule:{ID}"), pairs),
        since: Timestamp::now(),
    };
    stub.client().find(&lost).await.unwrap()
}

fn run(id: &str, age_secs: i64) -> Json {
    let created = Timestamp::now() - SignedDuration::from_secs(age_secs);
    json!({
        "id": id, "created": created.as_second(), "name": "Run 1", "state": "running",
        "parameters": [{"param_name": "q", "value": "30"}],
        "data_assets": [{"id": ASSET, "mount": "reads"}],
    })
}

fn with(mut run: Json, member: &str, value: Json) -> Json {
    run[member] = value;
    run
}

#[tokio::test]
async fn a_lost_run_is_known_by_its_tag_or_by_what_it_was_given() {
    let memo = format!("capsule:{ID}");
    let named = with(
        run("named", 90_000),
        "name",
        json!(format!("Plate 7 {TAG}")),
    );
    let other_asset = json!([{"id": "other", "mount": "reads"}]);
    let others = [
        with(run("asset", 0), "data_assets", other_asset),
        with(
            run("value", 0),
            "parameters",
            json!([{"param_name": "q", "value": "31"}]),
        ),
        with(run("bench", 0), "cloud_workstation", json!(true)),
        with(run("bare", 0), "data_assets", Json::Null),
        run("old", 600),
    ];
    let sent = [("q", "30")];
    let mut runs = others.to_vec();
    assert_eq!(look(json!(runs), &sent).await, Found::Nothing);
    runs.push(run("fits", 200));
    let fits = vec![remote("fits", &memo)];
    assert_eq!(look(json!(runs), &sent).await, Found::Perhaps(fits));
    runs.push(named);
    let found = Found::Job(remote("named", &memo));
    assert_eq!(look(json!(runs), &sent).await, found);
}

#[tokio::test]
async fn a_server_that_never_says_what_a_run_was_given_leaves_it_open() {
    let created = Timestamp::now().as_second();
    let runs = json!([{"id": "a", "created": created, "state": "running"}]);
    let perhaps = vec![remote("a", &format!("capsule:{ID}"))];
    assert_eq!(look(runs, &[("q", "30")]).await, Found::Perhaps(perhaps));
}

fn report(json: &Json) -> JobReport {
    serde_json::from_value::<Computation>(json.clone())
        .unwrap()
        .report()
}

#[test]
fn how_a_run_ended_is_in_three_members() {
    let failed = |reason: Option<&str>| JobStatus::Failed {
        reason: reason.map(str::to_owned),
    };
    for (end, code, status) in [
        (Json::Null, Json::Null, JobStatus::Succeeded),
        (json!("succeeded"), json!(0), JobStatus::Succeeded),
        (json!("Succeeded"), Json::Null, JobStatus::Succeeded),
        (json!("succeeded"), json!(1), failed(Some("Exit code 1"))),
        (Json::Null, json!(137), failed(Some("Exit code 137"))),
        (json!("failed"), json!(0), failed(None)),
        (json!("failed"), json!(2), failed(Some("Exit code 2"))),
        (json!("stopped"), json!(0), JobStatus::Cancelled),
        (json!("evicted"), json!(0), failed(Some("evicted"))),
        (
            json!("evicted"),
            json!(9),
            failed(Some("evicted, Exit code 9")),
        ),
    ] {
        let run = json!({"state": "completed", "end_status": end, "exit_code": code, "has_results": true});
        let report = report(&run);
        assert_eq!(
            (report.status, report.word.as_str()),
            (status, "completed"),
            "{run}"
        );
    }
    for (state, status) in [
        (json!("initializing"), JobStatus::Queued),
        (json!("running"), JobStatus::Running { progress: None }),
        (json!("finalizing"), JobStatus::Running { progress: None }),
        (json!("failed"), failed(None)),
        (
            json!("Hibernating"),
            JobStatus::Unrecognized("Hibernating".to_owned()),
        ),
        (Json::Null, JobStatus::Unrecognized(String::new())),
    ] {
        let report = report(&json!({"id": "a", "state": state, "unknown": [1]}));
        assert_eq!(report.status, status, "{state}");
    }
    let empty = report(&json!({"state": "completed", "end_status": "succeeded"}));
    assert_eq!(empty.message.as_deref(), Some("Finished without results"));
    for name in ["computation", "computation-odd-casing"] {
        let report = report(&golden_json(name));
        assert_eq!(
            (report.status, report.message),
            (JobStatus::Succeeded, None)
        );
        let run: Computation = serde_json::from_str(&golden(name)).unwrap();
        assert_eq!(run.data_assets.unwrap()[0].id, ASSET);
    }
}

#[tokio::test]
async fn several_runs_of_a_capsule_are_one_question() {
    let stub = Stub::start().await;
    let memo = format!("capsule:{ID}");
    let runs = json!([
        run("a", 0),
        with(run("b", 0), "state", json!("initializing"))
    ]);
    stub.on(
        &format!("GET capsules/{ID}/computations"),
        200,
        runs.to_string(),
    )
    .on("GET computations/d", 200, golden("computation"));
    let jobs = [
        remote("a", &memo),
        remote("b", &memo),
        remote("c", &memo),
        remote("d", ""),
    ];
    let reports = stub.client().status(&jobs).await.unwrap();
    let statuses: Vec<JobStatus> = reports
        .into_iter()
        .map(|report| report.unwrap().status)
        .collect();
    assert_eq!(
        statuses,
        [
            JobStatus::Running { progress: None },
            JobStatus::Queued,
            JobStatus::Gone,
            JobStatus::Succeeded
        ]
    );
    assert_eq!(
        stub.lines(),
        [
            format!("GET capsules/{ID}/computations"),
            "GET computations/c".to_owned(),
            "GET computations/d".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_list_that_is_far_too_long_is_not_asked_for_again() {
    let stub = Stub::start().await;
    let memo = format!("capsule:{ID}");
    let runs: Vec<Json> = (0..200).map(|at| run(&format!("r{at}"), 0)).collect();
    stub.on(
        &format!("GET capsules/{ID}/computations"),
        200,
        json!(runs).to_string(),
    )
    .on("GET computations/r1", 200, runs[1].to_string())
    .on("GET computations/r2", 200, runs[2].to_string());
    let client = stub.client();
    let jobs = [remote("r1", &memo), remote("r2", &memo)];
    client.status(&jobs).await.unwrap();
    assert_eq!(stub.asked().len(), 1);
    client.status(&jobs).await.unwrap();
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn a_refused_token_ends_the_whole_question() {
    let stub = Stub::start().await;
    stub.on("GET computations/a", 401, "{}");
    let jobs = [remote("a", "")];
    let error = stub.client().status(&jobs).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_run_is_deleted_and_one_that_is_gone_is_no_failure() {
    let stub = Stub::start().await;
    stub.on("DELETE computations/a", 204, "").on(
        "DELETE computations/b",
        403,
        r#"{"message":"no"}"#,
    );
    let client = stub.client();
    client.cancel(&remote("a", "")).await.unwrap();
    client.cancel(&remote("c", "")).await.unwrap();
    let error = client.cancel(&remote("b", "")).await.unwrap_err();
    assert!(
        error
            .failure()
            .hint
            .as_deref()
            .unwrap()
            .contains("Capsule read/write")
    );
    assert!(stub.asked().iter().all(|asked| asked.body.is_empty()));
}
