//! Failures: their kinds, and that their texts can be read by anybody.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use labferry::model::error::{Error, ErrorKind, Result};
use labferry::model::ids::PipelineId;
use labferry::model::meter::Meter;
use labferry::model::provider::{CancelKind, Intake};
use labferry::model::remote::Lost;
use labferry::model::remote::{Query, RemoteJob, Submission};
use labferry::net::keep::Keep as Memo;
use labferry::providers::Provider;

use crate::bench::{Bench, gathering};

/// Everything that can be asked of a client, each by a client of its own.
async fn errors(
    bench: &Bench,
    job: &RemoteJob,
    submission: &Submission,
    client: impl Fn() -> Arc<dyn Provider>,
) -> Vec<(&'static str, Error)> {
    let pipeline = PipelineId::from(bench.stand.pipeline);
    let upload = bench.sample_upload();
    let mut errors = Vec::new();
    let mut note = |act, outcome: Result<()>| {
        if let Err(error) = outcome
            && error.kind() != ErrorKind::Unsupported
        {
            errors.push((act, error));
        }
    };
    note("check", client().check().await.map(drop));
    note("pipelines", client().pipelines().await.map(drop));
    note("form", client().form(&pipeline).await.map(drop));
    note("browse", client().browse(&Query::default()).await.map(drop));
    if bench.can().intake == Intake::UploadFirst {
        let meter = Meter::default();
        note(
            "stage",
            client()
                .stage(&upload, &Memo::forgetful(), &meter)
                .await
                .map(drop),
        );
    }
    let submitted = bench.submit(&client(), submission).await;
    note("submit", submitted.outcome.map(drop));
    note(
        "find",
        client()
            .find(&Lost {
                submission: submission.clone(),
                since: Timestamp::now(),
            })
            .await
            .map(drop),
    );
    note("jobs", client().jobs(&Query::default()).await.map(drop));
    note("job", client().job(&job.id).await.map(drop));
    let reports = client().status(std::slice::from_ref(job)).await;
    let report = reports.and_then(|mut reports| reports.remove(0).map(drop));
    note("status", report);
    let wish = gathering(submission);
    note("gather", client().gather(&wish).await.map(drop));
    // Where stopping deletes, it must not take the job away from the questions that follow.
    let mut stopped = job.clone();
    if bench.can().cancel == CancelKind::StopsAndDeletes {
        bench.stand.gone.clone_into(&mut stopped.id);
    }
    note("cancel", client().cancel(&stopped).await);
    note("outputs", client().outputs(job).await.map(drop));
    errors
}

/// The kinds a fault may be taken for.
const FAULTS: [(&str, &[ErrorKind]); 13] = [
    ("unauthorized", &[ErrorKind::Unauthenticated]),
    ("forbidden", &[ErrorKind::Forbidden]),
    ("rate-limited-silent", &[ErrorKind::RateLimited]),
    ("server-error", &[ErrorKind::ServerFault]),
    ("unavailable", &[ErrorKind::Maintenance]),
    ("html", &[ErrorKind::Garbled]),
    ("garbled", &[ErrorKind::Garbled]),
    ("hang", &[ErrorKind::Timeout]),
    ("lost-answer", &[ErrorKind::Unreachable]),
    ("refuse-before", &[ErrorKind::Unreachable]),
    ("cut-body", &[ErrorKind::Unreachable, ErrorKind::Garbled]),
    (
        "wrong-length",
        &[ErrorKind::Unreachable, ErrorKind::Garbled],
    ),
    ("redirect-elsewhere", &[ErrorKind::Garbled]),
];

pub(crate) async fn every_fault_is_an_honest_error(bench: &Bench) {
    let job = bench.succeeded().await;
    let submission = bench.submission().await;
    for (fault, kinds) in FAULTS {
        bench.set(fault);
        let errors = errors(bench, &job, &submission, || bench.client()).await;
        bench.clear();
        assert!(errors.len() >= 5, "{fault} went unnoticed: {errors:?}");
        for (act, error) in errors {
            let is_this = bench
                .stand
                .fault_kinds
                .iter()
                .find(|(name, _)| *name == fault);
            let fits = is_this.map_or_else(
                || kinds.contains(&error.kind()),
                |(_, kind)| error.kind() == *kind,
            );
            // A refusal of what has ended is known by its status, whatever becomes of its words.
            let status = error.failure().status;
            let is_refusal = act == "cancel" && status.is_some_and(|status| status >= 400);
            assert!(fits || is_refusal, "{fault} at {act}: {error:?}");
            bench.assert_readable(&error, &format!("{fault} at {act}"));
        }
    }
    for request in bench.sandbox.world().requests().at_storage() {
        assert!(!request.carried_key, "{request:?}");
    }
}

/// Bodies of errors as servers and what stands before them send them; `KEY` is the key, as an echo of it.
const BODIES: [(&str, &str); 17] = [
    ("application/json", r#"{"message":"No such thing"}"#),
    (
        "application/json",
        r#"{"error":{"code":7,"text":["a","b"]}}"#,
    ),
    (
        "application/json",
        r#"{"errors":[{"detail":"one"},{"detail":"two"}]}"#,
    ),
    (
        "application/json",
        r#"{"message":"<html><body><h1>Bad gateway</h1></body></html>"}"#,
    ),
    (
        "application/json",
        r#"{"message":"The key KEY is not known"}"#,
    ),
    ("application/json", r#"{"headers":{"sent":"KEY"}}"#),
    (
        "application/json",
        r#"{"message":"in order","results":"KEY","email":7}"#,
    ),
    ("application/json", "null"),
    ("application/json", "[]"),
    ("application/json", "7"),
    ("application/json", r#"{"message":"#),
    ("text/plain", "no KEY"),
    (
        "text/html",
        "<!DOCTYPE html><html><head><style>p{}</style><script>if (a<b) {}</script><title>502</title></head><body><p>Bad <b>gateway</b> KEY</p></body></html>",
    ),
    ("text/html", "<h1>Broken"),
    (
        "application/xml",
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>KEY</Message></Error>",
    ),
    ("application/octet-stream", "\u{0}\u{1}\u{2}<\u{fffd}"),
    ("text/plain", ""),
];

/// A server that answers everything with one status and body, the key it was sent filled in.
async fn mirror(
    status: StatusCode,
    kind: &'static str,
    body: String,
) -> (String, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |request: Request| {
        let body = body.clone();
        async move {
            // Read to the end, so that the answer is not lost.
            let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await;
            drop(bytes);
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
    };
    let router = Router::new().fallback(answer);
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}/api"), servers)
}

pub(crate) async fn every_error_body_is_readable(bench: &Bench) {
    let job = bench.job().await;
    let submission = bench.submission().await;
    for (number, (kind, body)) in BODIES.into_iter().enumerate() {
        let statuses = [400, 401, 403, 404, 500, 502];
        // A success that is none, too: what cannot be read is quoted.
        for status in [statuses[number % statuses.len()], 200] {
            for body in bench.keys().iter().map(|key| body.replace("KEY", key)) {
                let code = StatusCode::from_u16(status).unwrap();
                let (address, _server) = mirror(code, kind, body.clone()).await;
                let client = || bench.client_at(&address, &bench.key);
                let errors = errors(bench, &job, &submission, client).await;
                assert!(
                    status == 200 || errors.len() >= 4,
                    "{status} {body}: {errors:?}"
                );
                for (act, error) in errors {
                    bench.assert_readable(&error, &format!("{act}, {status} with {body}"));
                }
            }
        }
    }
    // An answer that is no end of words.
    let long = format!("{{\"message\":\"{}\"}}", "far too long ".repeat(100_000));
    let (address, _server) = mirror(StatusCode::BAD_REQUEST, "application/json", long).await;
    let client = bench.client_at(&address, &bench.key);
    let asked = tokio::time::timeout(Duration::from_secs(20), client.check()).await;
    bench.assert_readable(&asked.unwrap().unwrap_err(), "a long message");
}

pub(crate) async fn a_redirect_takes_no_key_along(bench: &Bench) {
    let submission = bench.submission().await;
    bench.set("redirect-elsewhere");
    let error = bench.client().check().await.unwrap_err();
    assert!(error.failure().hint.is_some(), "{error:?}");
    let submitted = bench.submit(&bench.client(), &submission).await;
    bench.assert_readable(&submitted.outcome.unwrap_err(), "a redirected submission");
    bench.clear();
    for list in bench.stand.lists {
        bench.set(&format!("redirect-elsewhere@{list}*1"));
        assert!(bench.client().pipelines().await.is_err(), "{list}");
    }
    for request in bench.sandbox.world().requests().at_storage() {
        assert!(!request.carried_key, "{request:?}");
    }
}
