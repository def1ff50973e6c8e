//! What a job offers, and getting it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use labferry::model::artifact::Fetched;
use labferry::model::error::Result;
use labferry::model::meter::Meter;
use labferry::model::remote::{Link, Output, RemoteJob};
use labferry::net::download::{self, Expected, Order};

use crate::bench::Bench;

/// Asks for an output until its link is there.
async fn ready(bench: &Bench, job: &RemoteJob, output: &Output) -> Link {
    loop {
        let link = bench.provider.link(job, output).await;
        let link = link.unwrap_or_else(|error| panic!("{}: {error:?}", output.name));
        if matches!(link, Link::Ready { .. }) {
            return link;
        }
        assert!(output.on_request, "{} was not ready", output.name);
        bench.pass(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Fetches an output, beginning with `link`.
async fn fetch(
    bench: &Bench,
    job: &RemoteJob,
    output: &Output,
    link: Link,
) -> (PathBuf, Result<Fetched>) {
    let name = format!("{}.out", bench.requests().len());
    let final_path = bench.folder.path().join(&name);
    let part_path = bench.folder.path().join(format!("{name}.part"));
    let expected = Expected {
        size_bytes: output.size_bytes,
        sha256: output.sha256.clone(),
    };
    let order = Order {
        expected: &expected,
        part_path: &part_path,
        final_path: &final_path,
        meter: &Meter::default(),
    };
    let client = Arc::clone(&bench.provider);
    let (job, output) = (job.clone(), output.clone());
    let renew: download::Renew<'_> = Box::new(move || {
        let (client, job, output) = (Arc::clone(&client), job.clone(), output.clone());
        Box::pin(async move { client.link(&job, &output).await })
    });
    let fetched = download::fetch(&bench.http, link, renew, &order).await;
    (final_path, fetched)
}

pub(crate) async fn outputs_are_well_formed(bench: &Bench) {
    let job = bench.succeeded().await;
    let outputs = bench.provider.outputs(&job).await.unwrap();
    assert!(!outputs.is_empty());
    let ids: BTreeSet<&str> = outputs.iter().map(|output| output.id.as_str()).collect();
    assert_eq!(ids.len(), outputs.len(), "{outputs:?}");
    for output in &outputs {
        assert!(!output.name.trim().is_empty(), "{output:?}");
        assert!(
            !output.id.contains('?'),
            "an id with a signature: {output:?}"
        );
    }
    assert_eq!(bench.provider.outputs(&job).await.unwrap(), outputs);
    assert_eq!(bench.client().outputs(&job).await.unwrap(), outputs);
    assert_eq!(
        outputs.iter().any(|output| output.on_request),
        bench.stand.asks_for_results.is_some()
    );
}

pub(crate) async fn outputs_are_fetched_without_a_key(bench: &Bench) {
    let job = bench.succeeded().await;
    let mut bytes = 0;
    for output in bench.provider.outputs(&job).await.unwrap() {
        let link = ready(bench, &job, &output).await;
        assert!(!format!("{link:?}").contains(&bench.key));
        let (path, fetched) = fetch(bench, &job, &output, link).await;
        let fetched = fetched.unwrap();
        let length = std::fs::metadata(path).unwrap().len();
        assert_eq!(fetched.size_bytes, length);
        assert!(
            output.size_bytes.is_none_or(|size| size == length),
            "{output:?}"
        );
        bytes += length;
    }
    assert!(bytes > 0);
    for request in bench.sandbox.world().requests().at_storage() {
        assert!(!request.carried_key, "{request:?}");
        for header in ["authorization", "x-api-key", "x-sbg-auth-token", "cookie"] {
            assert!(!request.header_names.contains(header), "{request:?}");
        }
    }
}

pub(crate) async fn an_expired_link_is_renewed(bench: &Bench) {
    let job = bench.succeeded().await;
    for output in bench.provider.outputs(&job).await.unwrap() {
        let link = ready(bench, &job, &output).await;
        bench.pass(bench.stand.links_last);
        let (_, fetched) = fetch(bench, &job, &output, link).await;
        let fetched = fetched.unwrap_or_else(|error| panic!("{output:?}: {error:?}"));
        assert!(
            output
                .size_bytes
                .is_none_or(|size| size == fetched.size_bytes)
        );
    }
    let refused = bench
        .sandbox
        .world()
        .requests()
        .at_storage()
        .iter()
        .filter(|request| request.status == Some(403))
        .count();
    let signed = bench
        .sandbox
        .world()
        .requests()
        .at_storage()
        .iter()
        .any(|request| !request.query_names.is_empty());
    assert_eq!(refused > 0, signed, "signed links were to expire");
}

pub(crate) async fn results_are_asked_for_once(bench: &Bench) {
    let endpoint = bench.stand.asks_for_results.unwrap();
    let job = bench.succeeded().await;
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let output = outputs.iter().find(|output| output.on_request).unwrap();
    assert_eq!(
        bench.count(endpoint),
        0,
        "asked for before anybody wanted it"
    );
    let first = bench.provider.link(&job, output).await.unwrap();
    assert!(matches!(first, Link::Preparing { .. }), "{first:?}");
    for _ in 0..3 {
        let link = bench.provider.link(&job, output).await.unwrap();
        if let Link::Preparing { percent } = link {
            assert!(percent.is_none_or(|percent| (0.0..=100.0).contains(&percent)));
        }
    }
    // After a restart, too, it is looked for before it is asked for.
    bench.client().link(&job, output).await.unwrap();
    let link = ready(bench, &job, output).await;
    assert_eq!(bench.count(endpoint), 1);
    let (path, fetched) = fetch(bench, &job, output, link).await;
    fetched.unwrap();
    let archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    assert!(!archive.is_empty());
    // A job whose results on request are not wanted is not asked for them.
    assert_eq!(bench.count(endpoint), 1);
}
