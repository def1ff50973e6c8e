//! Keys, redirects, repeats, and what every failure says about how far the request got.

use std::time::{Duration, Instant};

use labferry::model::connection::may_carry_key;
use labferry::model::error::{Doing, ErrorKind, Sent};
use labferry::model::settings::ProxyChoice;
use labferry::net::api::{Api, Auth};
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::commit_point::CommitPoint;
use labferry::net::errors::usual_complaint;
use labferry::net::retry::{Idempotent, RetryPolicy};
use serde_json::{Value, json};

use crate::net::server::{Answer, Server};
use crate::net::{LIMITS, api, http, key};

#[tokio::test]
async fn the_key_stays_with_its_origin() {
    let other = Server::start(|_, _| Answer::json("{}")).await;
    let elsewhere = format!("{}login", other.url);
    // The same host under another name is another host.
    let renamed = format!("http://localhost:{}/login", other.port);
    let server = Server::start(move |_, seen| match seen.path.as_str() {
        "/base/near" => Answer::redirect("/base/there?x=1"),
        "/base/far" => Answer::redirect(&elsewhere),
        "/base/renamed" => Answer::redirect(&renamed),
        "/base/circle" => Answer::redirect("/base/circle"),
        _ => Answer::json("{\"a\":1}"),
    })
    .await;
    let api = api(&format!("{}base/", server.url));
    let reply: Value = api.get_json(&["near"], &[], Doing::Poll).await.unwrap();
    assert_eq!(reply, json!({"a": 1}));
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| seen.header("x-api-key") == Some("canary-key"))
    );
    for path in ["far", "renamed", "circle"] {
        let error = api.get(&[path], &[], Doing::Poll).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Garbled, "{path}");
        assert_eq!(error.failure().sent, Sent::Answered);
    }
    let post = api.post(&["far"], Idempotent::No, Doing::Submit).await;
    assert_eq!(post.unwrap_err().kind(), ErrorKind::Garbled);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn no_key_over_plain_http_and_none_in_any_error() {
    let url = "http://platform.example.org/";
    assert!(!may_carry_key(url));
    let auth = Auth::Header("x-api-key", key());
    let refused = Api::new(&http(), url, auth, &LIMITS, usual_complaint).unwrap_err();
    assert_eq!(refused.failure().sent, Sent::No);

    let auth = Auth::Basic("someone".to_owned(), key());
    let server = Server::start(|_, _| Answer::status("500 Oops")).await;
    let api = Api::new(&http(), &server.url, auth, &LIMITS, usual_complaint).unwrap();
    let query = [("signature", "canary-query")];
    let error = api.get(&["x"], &query, Doing::Poll).await.unwrap_err();
    assert!(!format!("{error:?} {api:?}").contains("canary"));
    assert_eq!(
        server.seen()[0].header("authorization"),
        Some("Basic c29tZW9uZTpjYW5hcnkta2V5")
    );
    drop(server);
    let error = api.get(&["x"], &query, Doing::Poll).await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn identifiers_cannot_lead_elsewhere() {
    let server = Server::start(|_, _| Answer::json("{}")).await;
    let api = api(&format!("{}base/", server.url));
    let path = ["jobs", "../../a b#c?d%2f世"];
    api.get(&path, &[("n", "a&b=c")], Doing::Poll)
        .await
        .unwrap();
    assert_eq!(
        server.seen()[0].path,
        "/base/jobs/..%2F..%2Fa%20b%23c%3Fd%252f%E4%B8%96?n=a%26b%3Dc"
    );
    for id in ["", ".", ".."] {
        let error = api.get(&["jobs", id], &[], Doing::Poll).await.unwrap_err();
        assert_eq!(error.failure().sent, Sent::No);
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn too_many_requests_hold_back_the_whole_connection() {
    let server = Server::start(|number, _| match number {
        0 => Answer::new("429 Too Many Requests", &[("retry-after", "1")], b""),
        _ => Answer::json("{}"),
    })
    .await;
    let api = api(&server.url);
    let started = Instant::now();
    let first = api.get(&["a"], &[], Doing::Poll);
    let second = async {
        while server.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The answer is on its way to the client; give it the time to arrive.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let reply = api.get(&["b"], &[], Doing::Poll).await;
        reply.map(|_| started.elapsed())
    };
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    assert!(second.unwrap() >= Duration::from_millis(950));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 3);

    let server = Server::start(|number, _| match number {
        0 => Answer::status("429 Too Many Requests"),
        1 => Answer::status("503 Service Unavailable"),
        _ => Answer::json("{}"),
    })
    .await;
    let started = Instant::now();
    self::api(&server.url)
        .get(&["a"], &[], Doing::Poll)
        .await
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_long_pause_is_said_and_kept() {
    let server =
        Server::start(|_, _| Answer::new("429 Too Many Requests", &[("retry-after", "3600")], b""))
            .await;
    let api = api(&server.url);
    for _ in 0..2 {
        let error = api.get(&["a"], &[], Doing::Poll).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(error.failure().retry_after > Some(Duration::from_mins(9)));
    }
    assert_eq!(server.seen().len(), 1, "the second was not sent");
}

#[tokio::test]
async fn reads_are_repeated_and_writes_are_not() {
    for answer in [
        Answer::status("500 Oops"),
        Answer::silence(),
        Answer::announcing("200 OK", &[], b"{", 100),
        Answer {
            bytes: Vec::new(),
            hang: false,
        },
    ] {
        let server = Server::start(move |_, _| answer.clone()).await;
        let api = api(&server.url);
        let error = api.get(&["a"], &[], Doing::Poll).await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(server.seen().len(), 3);
        let (commit, mut requests) = CommitPoint::new();
        let journal = async { requests.recv().await.unwrap().1.send(()).unwrap() };
        let (answer, ()) = tokio::join!(
            api.submit_json(&["a"], "body", &commit, Doing::Submit),
            journal
        );
        assert!(!answer.unwrap_err().submit_made_no_job());
        assert_eq!(server.seen().len(), 4);
        assert_eq!(server.seen()[3].method, "POST");
        let posted = api.post(&["a"], Idempotent::No, Doing::Submit).await;
        assert!(posted.is_err());
        assert_eq!(server.seen().len(), 5);
        let posted = api.post(&["a"], Idempotent::Yes, Doing::Poll).await;
        assert!(posted.is_err());
        assert_eq!(server.seen().len(), 8);
    }
}

#[tokio::test]
async fn what_was_not_sent_is_said_so() {
    let server = Server::start(|_, _| Answer::json("{}")).await;
    let url = server.url.clone();
    drop(server);
    // The listener is gone once its task has ended.
    let started = Instant::now();
    while tokio::net::TcpStream::connect(url.trim_matches(['h', 't', 'p', ':', '/']))
        .await
        .is_ok()
    {
        assert!(started.elapsed() < Duration::from_secs(5));
    }
    let api = api(&url);
    let (commit, mut requests) = CommitPoint::new();
    let journal = async { requests.recv().await.unwrap().1.send(()).unwrap() };
    let (answer, ()) = tokio::join!(
        api.submit_json(&["a"], "body", &commit, Doing::Submit),
        journal
    );
    let error = answer.unwrap_err();
    assert_eq!(
        (error.kind(), error.failure().sent),
        (ErrorKind::Unreachable, Sent::No)
    );
    // A journal that cannot be written holds the submission back.
    let server = Server::start(|_, _| Answer::json("{}")).await;
    let (commit, requests) = CommitPoint::new();
    drop(requests);
    let error = self::api(&server.url)
        .submit_json(&["a"], "body", &commit, Doing::Submit)
        .await
        .unwrap_err();
    assert_eq!(error.failure().sent, Sent::No);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_web_page_is_no_data() {
    let page = b"<!DOCTYPE html><title>Sign in</title><p>Please sign in";
    let server =
        Server::start(move |_, _| Answer::new("200 OK", &[("content-type", "text/html")], page))
            .await;
    let error = api(&server.url)
        .get_json::<Value>(&["a"], &[], Doing::Poll)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Garbled);
    assert_eq!(
        error.failure().server_said.as_deref(),
        Some("Sign in Please sign in")
    );
    assert!(error.failure().hint.as_ref().unwrap().contains("web page"));
}

#[tokio::test]
async fn an_answer_that_ends_in_the_middle_is_asked_for_again() {
    let server = Server::start(|number, _| match number {
        0 => Answer::json("{\"a\":"),
        _ => Answer::json("\u{feff}{\"a\":1}"),
    })
    .await;
    let api = api(&server.url);
    let value: Value = api.get_json(&["a"], &[], Doing::Poll).await.unwrap();
    assert_eq!(value, json!({"a": 1}));
}

#[tokio::test]
async fn refusals_keep_their_words_and_numbers() {
    let server = Server::start(|_, _| {
        Answer::new(
            "403 Forbidden",
            &[("x-request-id", "r-17")],
            b"{\"detail\":\"Invalid username/password.\"}",
        )
    })
    .await;
    let error = api(&server.url)
        .get(&["a"], &[], Doing::Poll)
        .await
        .unwrap_err();
    let failure = error.failure();
    assert_eq!(failure.kind, ErrorKind::Forbidden);
    assert_eq!(failure.status, Some(403));
    assert_eq!(failure.request_id.as_deref(), Some("r-17"));
    assert_eq!(
        failure.server_said.as_deref(),
        Some("Invalid username/password.")
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn loopback_never_goes_through_a_proxy() {
    let proxy = Server::start(|_, _| Answer::json("{\"from\":\"proxy\"}")).await;
    let server = Server::start(|_, _| Answer::json("{\"from\":\"server\"}")).await;
    let http = Http::new(&NetOptions {
        proxy: ProxyChoice::Manual(proxy.url.clone()),
        patience: Patience::tiny(),
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap();
    let near = Api::new(&http, &server.url, Auth::None, &LIMITS, usual_complaint).unwrap();
    let from: Value = near.get_json(&["a"], &[], Doing::Poll).await.unwrap();
    assert_eq!(from, json!({"from": "server"}));
    let url = "http://platform.invalid/";
    let far = Api::new(&http, url, Auth::None, &LIMITS, usual_complaint).unwrap();
    let from: Value = far.get_json(&["a"], &[], Doing::Poll).await.unwrap();
    assert_eq!(from, json!({"from": "proxy"}));
    assert_eq!(proxy.seen().len(), 1);

    for proxy in ["not an address", ""] {
        let refused = Http::new(&NetOptions {
            proxy: ProxyChoice::Manual(proxy.to_owned()),
            ..NetOptions::default()
        });
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let refused = Http::new(&NetOptions {
        extra_authority_pem: Some(b"no certificate".to_vec()),
        ..NetOptions::default()
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
}

/// Answers with what is left, counted down from a limit of 100; the window ends in so many seconds.
fn counting(number: usize, ends_in: i64) -> Answer {
    let reset = jiff::Timestamp::now().as_second() + ends_in;
    let left = 100_usize.saturating_sub(number + 1);
    let status = if number >= 100 {
        "429 Too Many Requests"
    } else {
        "200 OK"
    };
    let headers = [
        ("X-RateLimit-Limit", "100".to_owned()),
        ("X-RateLimit-Remaining", left.to_string()),
        ("X-RateLimit-Reset", reset.to_string()),
    ];
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Answer::new(status, &headers, b"{}")
}

#[tokio::test]
async fn polls_and_transfers_leave_each_other_some_of_the_budget() {
    let end = jiff::Timestamp::now().as_second() + 1000;
    let server =
        Server::start(move |number, _| counting(number, end - jiff::Timestamp::now().as_second()))
            .await;
    let api = api(&server.url).with_budget(&LIMITS);
    assert_eq!(api.budget(), None);
    let mut polls = 0;
    let refused = loop {
        match api.get(&["a"], &[], Doing::Poll).await {
            Ok(_) => polls += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(polls, 50, "polls take half");
    assert_eq!(refused.kind(), ErrorKind::RateLimited);
    assert_eq!(refused.failure().sent, Sent::No);
    let wait = refused.failure().retry_after.unwrap();
    assert!(
        wait > Duration::from_mins(15) && wait < Duration::from_secs(1010),
        "{wait:?}"
    );
    assert_eq!(server.seen().len(), 50);

    let clone = api.clone();
    let mut uploads = 0;
    while clone.get(&["a"], &[], Doing::Upload).await.is_ok() {
        uploads += 1;
    }
    assert_eq!(uploads, 45, "one in twenty is kept");
    let mut cancels = 0;
    while api.get(&["a"], &[], Doing::Cancel).await.is_ok() {
        cancels += 1;
    }
    assert_eq!(cancels, 5);
    assert_eq!(
        server.seen().len(),
        100,
        "nothing is sent when nothing is left"
    );
    let budget = api.budget().unwrap();
    assert_eq!((budget.limit, budget.left), (100, 0));
}

#[tokio::test]
async fn a_refusal_without_a_time_waits_for_the_new_window() {
    let server = Server::start(|number, _| match number {
        0 => counting(100, 0),
        _ => Answer::json("{}"),
    })
    .await;
    let api = api(&server.url).with_budget(&LIMITS);
    let started = Instant::now();
    api.get(&["a"], &[], Doing::Submit).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);

    let server = Server::start(|_, _| Answer::status("429 Too Many Requests")).await;
    let limited = self::api(&server.url).with_budget(&LIMITS);
    let error = limited.get(&["a"], &[], Doing::Submit).await.unwrap_err();
    let wait = error.failure().retry_after.unwrap();
    assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_mins(5));
    assert_eq!(server.seen().len(), 1);
}
