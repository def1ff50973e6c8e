//! Files into the simulated bucket, which checks signatures, and data assets of them.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::stub::Stub;
use super::*;
use crate::model::file::LocalFile;
use crate::model::form::{Settings, Value};
use crate::model::ids::{PipelineId, Tag};
use crate::model::meter::Meter;
use crate::model::remote::{Gathered, Gathering, StagedFile, Upload};
use crate::net::keep::Keep;
use crate::providers::Provider;
use crate::sandbox::{Sandbox, SandboxOptions};

const MIB: usize = 1024 * 1024;

struct Bench {
    sandbox: Sandbox,
    stub: Stub,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self {
            sandbox: Sandbox::start(SandboxOptions::default()).await.unwrap(),
            stub: Stub::start().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn client(&self) -> Arc<dyn Provider> {
        let secret = self.sandbox.world().bucket().secret_key().to_owned();
        self.client_with(&[], &secret)
    }

    fn client_with(&self, more: &[(&str, &str)], secret: &str) -> Arc<dyn Provider> {
        let bucket = self.sandbox.world().bucket();
        let endpoint = bucket.endpoint();
        let mut options = vec![
            ("bucket", bucket.name()),
            ("bucket_endpoint", endpoint.as_str()),
            ("bucket_region", "us-east-1"),
        ];
        options.extend_from_slice(more);
        let secrets = secrets(&[
            ("key", "cop_x"),
            ("access_key", bucket.access_key()),
            ("secret_key", secret),
        ]);
        connect(&connection(&self.stub.url, &options), &secrets, &patient()).unwrap()
    }

    fn upload(&self, name: &str, bytes: &[u8]) -> Upload {
        upload(self.folder.path(), name, bytes)
    }

    fn keys(&self) -> Vec<String> {
        let objects = self.sandbox.world().bucket().objects("");
        objects.into_iter().map(|object| object.key).collect()
    }

    async fn stage(&self, name: &str, bytes: &[u8]) -> StagedFile {
        let upload = self.upload(name, bytes);
        self.client()
            .stage(&upload, &Keep::forgetful(), &Meter::default())
            .await
            .unwrap()
    }
}

/// Large files take their time on a busy computer.
fn patient() -> Http {
    Http::new(&NetOptions {
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap()
}

fn upload(folder: &Path, name: &str, bytes: &[u8]) -> Upload {
    let path = folder.join("file");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    Upload {
        file: LocalFile {
            path,
            name: name.to_owned(),
            folder: String::new(),
            size_bytes: u64::try_from(bytes.len()).unwrap(),
            modified: Some(modified.try_into().unwrap()),
        },
        remote_name: name.to_owned(),
        remote_folder: "labferry-4k7q2m9x".to_owned(),
        metadata: std::collections::BTreeMap::new(),
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at / 977 % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn small_and_empty_files_arrive_whole_under_nasty_names() {
    let bench = Bench::new().await;
    for (name, bytes) in [
        ("a #1 50% 世界+.csv", b"a,b\n".as_slice()),
        ("empty.txt", b"".as_slice()),
    ] {
        let meter = Meter::default();
        let staged = bench
            .client()
            .stage(&bench.upload(name, bytes), &Keep::forgetful(), &meter)
            .await
            .unwrap();
        assert_eq!(staged.id, format!("labferry/labferry-4k7q2m9x/{name}"));
        assert_eq!(meter.done_bytes(), staged.size_bytes.unwrap());
        let objects = bench.sandbox.world().bucket().objects(&staged.id);
        assert_eq!(std::fs::read(&objects[0].path).unwrap(), bytes);
        assert_eq!(staged.sha256.unwrap().len(), 64);
    }
    // A name that is a step upwards is no key.
    let mut upload = bench.upload("..", b"x");
    let error = bench
        .client()
        .stage(&upload, &Keep::forgetful(), &Meter::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    // A file that changed since it was picked does not arrive.
    upload = bench.upload("changed", b"one");
    let mut changed = std::fs::File::create(&upload.file.path).unwrap();
    changed.write_all(b"another").unwrap();
    let error = bench
        .client()
        .stage(&upload, &Keep::forgetful(), &Meter::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LocalFile);
    assert!(!bench.keys().iter().any(|key| key.ends_with("changed")));
}

#[tokio::test]
async fn a_large_file_goes_on_where_an_earlier_attempt_stopped() {
    let bench = Bench::new().await;
    let bytes = pattern(150 * MIB + 12_345);
    let upload = bench.upload("large.bin", &bytes);
    let client = bench.client();
    let world = bench.sandbox.world();
    // The first attempt is ended while it runs.
    let (keep, mut requests) = Keep::new(None);
    let meter = Meter::default();
    let stopped = meter.clone();
    let mut kept = None;
    let journal = async {
        while let Some((text, answer)) = requests.recv().await {
            kept = Some(text);
            answer.send(()).unwrap();
        }
        std::future::pending::<()>().await;
    };
    let has_a_part = || {
        let requests = world.requests().all();
        requests
            .iter()
            .any(|request| request.method == "PUT" && request.status == Some(200))
    };
    let watch = async {
        while !has_a_part() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stopped.stop();
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        staged = client.stage(&upload, &keep, &meter) => staged.unwrap_err(),
        () = journal => unreachable!(),
        () = watch => unreachable!(),
    };
    assert_eq!(error.failure().hint.as_deref(), Some("Stopped on request"));
    let kept = kept.unwrap();
    assert!(kept.contains("upload_id"), "{kept}");
    let before = world.requests().all().len();
    let (keep, _requests) = Keep::new(Some(kept.clone()));
    let meter = Meter::default();
    let staged = bench.client().stage(&upload, &keep, &meter).await.unwrap();
    assert_eq!(meter.done_bytes(), staged.size_bytes.unwrap());
    assert!(
        meter.moved_bytes() < meter.done_bytes(),
        "nothing was spared"
    );
    let object = &world.bucket().objects(&staged.id)[0];
    assert!(std::fs::read(&object.path).unwrap() == bytes);
    let methods: Vec<String> = world.requests().all()[before..]
        .iter()
        .map(|request| request.method.clone())
        .collect();
    // Once more, as if the journal had not heard of its end: nothing is sent again.
    let (keep, _requests) = Keep::new(Some(kept));
    let meter = Meter::default();
    let again = bench.client().stage(&upload, &keep, &meter).await.unwrap();
    assert_eq!((again, meter.moved_bytes()), (staged, 0));
    // The list of parts, the parts that were missing, and their putting together; no upload was begun.
    // A part of the first attempt may still arrive while the second begins.
    let first = methods.iter().find(|method| *method != "PUT");
    assert_eq!(first.map(String::as_str), Some("GET"));
    assert_eq!(methods.iter().filter(|method| *method == "POST").count(), 1);
}

#[tokio::test]
async fn an_upload_of_another_state_of_the_file_is_given_up() {
    let bench = Bench::new().await;
    let bytes = pattern(65 * MIB);
    let upload = bench.upload("large.bin", &bytes);
    let stale = json!({
        "bucket": bench.sandbox.world().bucket().name(),
        "key": "labferry/labferry-4k7q2m9x/large.bin",
        "upload_id": "6f2c1e0b-52d4-4f0a-9a55-7f3a1d0c9e11",
        "part_bytes": 32 * MIB, "size_bytes": 1, "modified": null,
    });
    let (keep, mut requests) = Keep::new(Some(stale.to_string()));
    let client = bench.client();
    let meter = Meter::default();
    let journal = async {
        while let Some((_text, answer)) = requests.recv().await {
            answer.send(()).unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        staged = client.stage(&upload, &keep, &meter) => { staged.unwrap(); }
        () = journal => unreachable!(),
    }
    let requests = bench.sandbox.world().requests().all();
    assert_eq!(requests[0].method, "DELETE");
    assert_eq!(bench.keys().len(), 1);
}

#[tokio::test]
async fn wrong_keys_and_buckets_are_told_apart_from_the_platforms() {
    let bench = Bench::new().await;
    let upload = bench.upload("a.csv", b"a");
    let secret = bench.sandbox.world().bucket().secret_key().to_owned();
    for (options, secret, kind, words) in [
        (
            vec![],
            "wrong",
            ErrorKind::Unauthenticated,
            "staging bucket does not accept the secret access key",
        ),
        (
            vec![("bucket", "other-bucket")],
            secret.as_str(),
            ErrorKind::NotFound,
            "no staging bucket of this name",
        ),
    ] {
        let error = bench
            .client_with(&options, secret)
            .stage(&upload, &Keep::forgetful(), &Meter::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        let hint = error.failure().hint.clone().unwrap();
        assert!(hint.contains(words), "{hint}");
        assert!(!format!("{error:?}").contains(secret));
    }
    assert!(bench.keys().is_empty());
}

fn gathering(files: Vec<StagedFile>, is_whole_folder: bool) -> Gathering {
    Gathering {
        tag: Tag::from("lf-4k7q2m9x"),
        name: "Plate 7 - Align reads".to_owned(),
        pipeline: PipelineId(format!("capsule:{ID}")),
        files,
        is_whole_folder,
        settings: Settings::from([("@mount".to_owned(), Value::Text("reads".to_owned()))]),
        known: None,
    }
}

const NONE: &str = r#"{"results":[]}"#;

#[tokio::test]
async fn the_files_of_a_job_and_no_others_become_a_data_asset() {
    let bench = Bench::new().await;
    let one = bench.stage("a.csv", b"one").await;
    let two = bench.stage("b 世.csv", b"two").await;
    bench.stage("c.csv", b"three").await;
    let longer = bench.stage("a.csv.bak", b"four").await;
    let stub = &bench.stub;
    stub.on("POST data_assets/search", 200, NONE)
        .on("POST data_assets", 200, golden("data-asset"));
    let folder = "labferry/labferry-4k7q2m9x/";
    let own = "labferry/labferry-4k7q2m9x/lf-4k7q2m9x/";
    for (files, is_whole, prefix) in [
        (vec![one.clone(), two.clone()], true, folder.to_owned()),
        (vec![longer], false, format!("{folder}a.csv.bak")),
        // Another object's key goes on where this one's ends.
        (vec![one.clone()], false, own.to_owned()),
        (vec![one.clone(), two.clone()], false, own.to_owned()),
    ] {
        let gathering = gathering(files, is_whole);
        let gathered = bench.client().gather(&gathering).await.unwrap();
        assert!(!gathered.ready && gathered.input.id == ASSET);
        let asked = stub.asked().pop().unwrap();
        assert_eq!(
            asked.json(),
            json!({
                "name": "Plate 7 - Align reads lf-4k7q2m9x", "tags": ["labferry", "lf-4k7q2m9x"],
                "mount": "reads", "description": "Files sent with Labferry",
                "source": {"aws": {
                    "bucket": bench.sandbox.world().bucket().name(), "prefix": prefix,
                    "keep_on_external_storage": false, "public": false,
                }},
            })
        );
    }
    let copied: Vec<String> = bench
        .keys()
        .into_iter()
        .filter(|key| key.starts_with(own))
        .collect();
    assert_eq!(copied, [format!("{own}a.csv"), format!("{own}b 世.csv")]);
    let objects = bench.sandbox.world().bucket().objects(&copied[1]);
    assert_eq!(std::fs::read(&objects[0].path).unwrap(), b"two");
    assert!(
        bench
            .client()
            .gather(&gathering(Vec::new(), true))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn one_that_was_made_already_is_found_and_asked_about_until_it_is_ready() {
    let bench = Bench::new().await;
    let stub = &bench.stub;
    let file = StagedFile {
        id: "labferry/f/a.csv".to_owned(),
        name: "a.csv".to_owned(),
        ..StagedFile::default()
    };
    let made = |state: &str| {
        let mut made = golden_json("data-asset");
        made["tags"] = json!(["labferry", "lf-4k7q2m9x"]);
        made["state"] = json!(state);
        made
    };
    let mut other = golden_json("data-asset");
    other["id"] = json!("other");
    let page = json!({"results": [other, made("draft")]});
    stub.on("POST data_assets/search", 200, page.to_string());
    let client = bench.client_with(&[("bucket_endpoint_name", "minio")], "s");
    let mut gathering = gathering(vec![file], true);
    let gathered = client.gather(&gathering).await.unwrap();
    assert_eq!((gathered.input.id.as_str(), gathered.ready), (ASSET, false));
    assert_eq!(gathered.input.memo, r#"{"mount":"reads","file":"a.csv"}"#);
    assert_eq!(stub.asked()[0].json()["query"], "tag:lf-4k7q2m9x");
    gathering.known = Some(gathered);
    let line = format!("GET data_assets/{ASSET}");
    let mut failed = made("failed");
    failed["failure_reason"] = json!("Access to the bucket was denied");
    stub.on(&line, 200, made("DATA_ASSET_STATE_DRAFT").to_string())
        .on(&line, 200, made("DATA_ASSET_STATE_READY").to_string())
        .on(&line, 200, failed.to_string());
    let ready = |gathered: Result<Gathered>| gathered.unwrap().ready;
    assert!(!ready(client.gather(&gathering).await));
    assert!(ready(client.gather(&gathering).await));
    let error = client.gather(&gathering).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!error.is_retryable());
    let failure = error.failure();
    assert_eq!(
        failure.server_said.as_deref(),
        Some("Access to the bucket was denied")
    );
    assert!(
        failure
            .hint
            .as_deref()
            .unwrap()
            .contains("has no credentials")
    );
    // One that failed is not taken for a good one: it is made anew.
    let page = json!({"results": [failed]});
    let stub = Stub::start().await;
    stub.on("POST data_assets/search", 200, page.to_string())
        .on("POST data_assets", 200, made("draft").to_string());
    let bench = Bench { stub, ..bench };
    gathering.known = None;
    let client = bench.client_with(&[("bucket_endpoint_name", "minio")], "s");
    client.gather(&gathering).await.unwrap();
    let body = bench.stub.asked().pop().unwrap().json();
    assert_eq!(body["source"]["aws"]["endpoint_name"], "minio");
}

#[tokio::test]
async fn without_a_bucket_nothing_is_sent() {
    let bench = Bench::new().await;
    let upload = bench.upload("a.csv", b"a");
    let error = bench
        .stub
        .client()
        .stage(&upload, &Keep::forgetful(), &Meter::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(bench.stub.asked().is_empty() && bench.keys().is_empty());
}
