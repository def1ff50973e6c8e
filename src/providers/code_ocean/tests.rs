//! The client against a server that answers what a test says, and against the simulated service and bucket, on loopback.

mod forms;
mod lists;
mod results;
mod runs;
mod staging;
mod stub;
mod whole;

use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use super::*;
use crate::model::ids::ConnectionId;
use crate::model::secret::Secret;
use crate::net::client::{NetOptions, Patience};
use crate::net::commit_point::CommitPoint;
use crate::net::retry::RetryPolicy;

const ID: &str = "0b6f2c1e-52d4-4f0a-9a55-7f3a1d0c9e11";
const ASSET: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e01";
const RUN: &str = "c2a4e6f8-1357-4b9d-8ace-0f1e2d3c4b5a";

/// A golden reply; where each comes from is in `tests/golden/code_ocean/SOURCES.md`.
fn golden(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/code_ocean")
        .join(format!("{name}.json"));
    std::fs::read_to_string(path).unwrap()
}

fn golden_json(name: &str) -> Json {
    serde_json::from_str(&golden(name)).unwrap()
}

fn http() -> Http {
    Http::new(&NetOptions {
        patience: Patience::tiny(),
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap()
}

fn connection(url: &str, options: &[(&str, &str)]) -> Connection {
    Connection {
        id: ConnectionId(1),
        provider: FACTS.id.clone(),
        label: "Core".to_owned(),
        base_url: url.to_owned(),
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        vault_name: "vault".to_owned(),
        account: None,
    }
}

fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    pairs
        .iter()
        .map(|(name, text)| {
            let secret = Secret::parse_password(text).unwrap();
            ((*name).to_owned(), secret)
        })
        .collect()
}

/// A commit point that always lets pass.
fn open_point() -> (CommitPoint, impl Future<Output = ()>) {
    let (commit, mut requests) = CommitPoint::new();
    let journal = async move {
        while let Some((_draft, answer)) = requests.recv().await {
            answer.send(()).unwrap();
        }
    };
    (commit, journal)
}

#[test]
fn a_bucket_needs_its_keys_and_keys_their_bucket() {
    let url = "https://acme.codeocean.com/";
    let token = ("key", "cop_x");
    let access = ("access_key", "AKIA");
    let secret = ("secret_key", "s");
    let bucket = ("bucket", "s3://my-bucket/plates/");
    let plain = ("bucket_endpoint", "http://s3.example.org/");
    let told = |options: &[(&str, &str)], pairs: &[(&str, &str)]| {
        let made = connect(&connection(url, options), &secrets(pairs), &http());
        made.err().and_then(|error| error.failure().hint.clone())
    };
    assert_eq!(told(&[], &[token]), None);
    assert_eq!(told(&[bucket], &[token, access, secret]), None);
    for (options, pairs, words) in [
        (vec![bucket], vec![token], "has no keys"),
        (vec![bucket], vec![token, access], "has no keys"),
        (vec![], vec![token, access, secret], "but no bucket"),
        (
            vec![bucket, plain],
            vec![token, access, secret],
            "over https",
        ),
        (
            vec![("bucket", "a/../b c")],
            vec![token, access, secret],
            "not one a bucket can have",
        ),
    ] {
        let hint = told(&options, &pairs).unwrap();
        assert!(hint.contains(words), "{hint}");
    }
    let missing = connect(&connection(url, &[]), &Secrets::new(), &http());
    assert_eq!(missing.err().unwrap().kind(), ErrorKind::Unauthenticated);
    let plain = connect(
        &connection("http://acme.codeocean.com/", &[]),
        &secrets(&[token]),
        &http(),
    );
    assert_eq!(plain.err().unwrap().kind(), ErrorKind::Invalid);
}
