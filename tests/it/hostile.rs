//! A platform that is hostile: endless and bottomless answers, names that steer, ten thousand results of one name.

use std::collections::BTreeSet;

use labferry::model::error::{Doing, ErrorKind};
use labferry::net::api::{Api, Auth};
use labferry::net::client::{Http, NetOptions};
use labferry::net::errors::usual_complaint;
use labferry::net::retry::RetryPolicy;
use labferry::providers::{analytics_automated, code_ocean, seven_bridges};
use labferry::results::names;
use serde_json::{Value, json};

use crate::net::server::{Answer, Server};
use crate::net::{LIMITS, api};
use crate::program::{Place, files};

/// More than any answer may have.
const HUGE_BYTES: usize = 100 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_hundred_megabytes_is_refused_and_not_kept() {
    // Made once: filling so much memory takes a while.
    let answers = [b' ', b'['].map(|byte| {
        Answer::new(
            "200 OK",
            &[("content-type", "application/json")],
            &vec![byte; HUGE_BYTES],
        )
    });
    let server =
        Server::start(move |_, seen| answers[usize::from(seen.path == "/lists")].clone()).await;
    // A busy machine may be silent for longer than the other tests bear.
    let http = Http::new(&NetOptions {
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    });
    let api = Api::new(
        &http.unwrap(),
        &server.url,
        Auth::None,
        &LIMITS,
        usual_complaint,
    )
    .unwrap();
    for path in ["blanks", "lists"] {
        let error = api
            .get_json::<Value>(&[path], &[], Doing::Poll)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Garbled);
        let said = error.failure();
        assert!(
            said.server_said.is_none()
                && said.hint.as_deref() == Some("The answer is far too long")
        );
    }
}

#[tokio::test]
async fn nesting_without_end_and_numbers_without_end_are_no_answers() {
    for body in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(500_000),
        format!("{{\"a\":{}}}", "9".repeat(1_000_000)),
        format!("[{}1{}]", "[".repeat(127), "]".repeat(127)),
    ] {
        let answer = body.clone();
        let server = Server::start(move |_, _| Answer::json(&answer)).await;
        let error = api(&server.url)
            .get_json::<Vec<String>>(&["x"], &[], Doing::Poll)
            .await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Garbled);
        let said = error.failure().server_said.as_deref().unwrap_or_default();
        assert!(said.chars().count() <= 500, "{}", said.len());
        for read in [
            analytics_automated::anything::read,
            code_ocean::anything::read,
            seven_bridges::anything::read,
            labferry::providers::biodock::anything::read,
        ] {
            read(body.as_bytes());
        }
    }
}

fn is_table(name: &str) -> bool {
    name.rsplit('.').next() == Some("csv")
}

#[test]
fn ten_thousand_results_of_one_name_get_names_of_their_own() {
    const COUNT: usize = 10_000;
    let rows: Vec<Value> = (0..COUNT)
        .map(|number| json!({"name": "../task\u{202e}", "step": 1, "data_path": format!("/f/{number}.csv")}))
        .collect();
    let batch =
        json!({"state": "Complete", "submissions": [{"state": "Complete", "results": rows}]});
    let made: Vec<Value> = (0..COUNT)
        .map(|number| json!({"class": "File", "path": format!("{number}"), "name": "a\u{0}.csv"}))
        .collect();
    let task = json!({"id": "t", "outputs": {"port": made}});
    for (read, body) in [
        (
            analytics_automated::anything::read as fn(&[u8]) -> Vec<String>,
            batch,
        ),
        (seven_bridges::anything::read, task),
    ] {
        let texts = read(body.to_string().as_bytes());
        let given: Vec<&String> = texts.iter().filter(|text| is_table(text)).collect();
        assert_eq!(given.len(), COUNT);
        assert_eq!(
            given.iter().collect::<BTreeSet<_>>().len(),
            COUNT,
            "each has its own"
        );
        let mut taken = BTreeSet::new();
        for name in given {
            let name = names::unique(&mut taken, &names::clean(name));
            assert!(!name.contains(['\0', '\u{202e}', '/', '\\']), "{name:?}");
        }
    }
    // The same identifiers again are the same files.
    let rows: Vec<Value> = (0..COUNT)
        .map(|_| json!({"name": "t", "step": 1, "data_path": "/f/one.csv"}))
        .collect();
    let batch =
        json!({"state": "Complete", "submissions": [{"state": "Complete", "results": rows}]});
    let texts = analytics_automated::anything::read(batch.to_string().as_bytes());
    assert_eq!(texts.iter().filter(|text| is_table(text)).count(), 1);
}

const STEERING: &str = "no\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{7f}\u{202e}\r\n2026-01-01T00:00:00Z ERROR labferry: FORGED";

/// Whether a terminal would do something else than show it.
fn steers(text: &str) -> bool {
    text.chars().any(|character| {
        (character.is_control() && !matches!(character, '\n' | '\t')) || character == '\u{202e}'
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_cannot_steer_the_terminal_nor_write_lines_of_the_log() {
    let server = Server::start(|number, seen| {
        let says = json!({"detail": STEERING, "message": STEERING, "error": STEERING}).to_string();
        let body = says.as_bytes();
        match (number, seen.path.as_str()) {
            (_, path) if path.contains("endpoints") && number > 0 => {
                let jobs = json!({"jobs": [
                    format!("/submission/&job={STEERING}&submission_name=[STRING]"),
                    STEERING,
                ]});
                Answer::json(&jobs.to_string())
            }
            _ => Answer::new(
                "400 Bad Request",
                &[("content-type", "application/json")],
                body,
            ),
        }
    })
    .await;
    let url = server.url.clone();
    let (place, rans) = tokio::task::spawn_blocking(move || {
        let place = Place::new().with_env("LABFERRY_LOG", "trace");
        let mut rans = Vec::new();
        for json in [&["--json"][..], &[]] {
            for _ in 0..2 {
                let mut words = json.to_vec();
                words.extend([
                    "connect",
                    "analytics-automated",
                    "--label",
                    "Hostile",
                    "--url",
                    &url,
                ]);
                words.extend(["--email", "someone@example.org"]);
                rans.push(place.run(&words));
            }
            let file = place.file("a\u{1b}[2J.csv", "a,b\n1,2\n");
            let file = file.to_str().unwrap().to_owned();
            let into = place.path("into");
            let mut words = json.to_vec();
            words.extend([
                "send",
                "--to",
                "Hostile",
                "--pipeline",
                "x",
                "--into",
                into.to_str().unwrap(),
                &file,
            ]);
            rans.push(place.run(&words));
            let mut words = json.to_vec();
            words.push("jobs");
            rans.push(place.run(&words));
        }
        (place, rans)
    })
    .await
    .unwrap();
    for ran in &rans {
        assert!(!steers(&ran.said), "{ran:#?}");
        assert!(!steers(&ran.complained), "{ran:#?}");
    }
    let logs: Vec<_> = files(&place.path("data").join("log"));
    let mut told = false;
    for log in logs {
        let text = std::fs::read_to_string(log).unwrap();
        told |= text.contains("FORGED");
        for line in text.lines() {
            assert!(!steers(line), "{line:?}");
            assert!(!line.starts_with("2026-01-01T00:00:00Z"), "{line:?}");
        }
    }
    assert!(told, "the server's words stand in the log");
}
