//! Trees of results and links to them.

use serde_json::json;

use super::stub::Stub;
use super::*;
use crate::model::remote::{Link, Output, RemoteJob};

fn job() -> RemoteJob {
    RemoteJob {
        id: RUN.to_owned(),
        web_page: None,
        memo: String::new(),
    }
}

fn output(path: &str) -> Output {
    Output {
        id: path.to_owned(),
        name: path.to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: false,
        unpack: false,
    }
}

#[tokio::test]
async fn folders_are_walked_and_steps_upwards_refused() {
    let stub = Stub::start().await;
    let line = format!("POST computations/{RUN}/results");
    let below = json!({"items": [
        {"name": "a b 世.bam", "path": "bam/a b 世.bam", "type": "file"},
        {"name": "..", "path": "bam/..", "type": "folder"},
        {"name": "x", "path": "../x", "type": "file", "size": 1},
        {"name": "", "path": "", "type": "file"},
        {"name": "bam", "path": "bam", "type": "folder"},
        {"name": "deep", "type": "folder"},
    ]});
    let deep = json!({"items": [{"name": "z.ZIP", "type": "file", "size": "7"}]});
    stub.on(&line, 200, golden("results"))
        .on(&line, 200, below.to_string())
        .on(&line, 200, deep.to_string());
    let outputs = stub.client().outputs(&job()).await.unwrap();
    let listed: Vec<(&str, Option<u64>, bool)> = outputs
        .iter()
        .map(|output| (output.name.as_str(), output.size_bytes, output.unpack))
        .collect();
    assert_eq!(
        listed,
        [
            ("output", Some(2048), false),
            ("report.zip", Some(53211), true),
            ("bam/a b 世.bam", None, false),
            ("bam/deep/z.ZIP", Some(7), true),
        ]
    );
    let asked: Vec<Json> = stub.asked().iter().map(stub::Asked::json).collect();
    assert_eq!(
        asked,
        [
            json!({"path": ""}),
            json!({"path": "bam"}),
            json!({"path": "bam/deep"})
        ]
    );
}

#[tokio::test]
async fn a_tree_without_end_is_given_up() {
    let stub = Stub::start().await;
    let line = format!("POST computations/{RUN}/results");
    // A folder that always has another one in it.
    for depth in 0..100 {
        let folder = json!({"items": [{"name": format!("d{depth}"), "type": "folder"}]});
        stub.on(&line, 200, folder.to_string());
    }
    assert!(stub.client().outputs(&job()).await.unwrap().is_empty());
    assert!(stub.asked().len() < 40, "{}", stub.asked().len());
}

#[tokio::test]
async fn a_link_comes_from_the_present_call_or_the_older_one_and_carries_no_token() {
    let stub = Stub::start().await;
    let now = format!("GET computations/{RUN}/results/urls");
    stub.on(&now, 200, golden("results-urls"));
    let link = stub.client().link(&job(), &output("bam/a b+.bam")).await;
    let Link::Ready { url, header } = link.unwrap() else {
        panic!("nothing is prepared here");
    };
    assert!(url.reveal().starts_with("https://storage.example.org/d?"));
    assert!(header.is_none());
    assert_eq!(
        stub.asked()[0].line,
        format!("{now}?path=bam%2Fa%20b%2B.bam")
    );

    let stub = Stub::start().await;
    let older = format!("GET computations/{RUN}/results/download_url");
    stub.on(&older, 200, golden("results-download-url"));
    let link = stub.client().link(&job(), &output("a")).await.unwrap();
    let Link::Ready { url, .. } = link else {
        panic!("nothing is prepared here");
    };
    assert!(url.reveal().contains("/old?"));

    let stub = Stub::start().await;
    let error = stub.client().link(&job(), &output("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    stub.on(&now, 200, "{}");
    let error = stub.client().link(&job(), &output("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Garbled);
}
