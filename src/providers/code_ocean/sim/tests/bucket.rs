//! The person's bucket: signatures, keys of all kinds, parts, faults.

use std::time::Duration;

use reqwest::Url;
use rusty_s3::actions::CreateMultipartUpload;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use crate::providers::code_ocean::sim::tests::bench::{Bench, Heard};

const MINUTE: Duration = Duration::from_mins(1);

/// What signs requests to the bucket.
pub(super) struct Signer {
    pub(super) bucket: Bucket,
    pub(super) credentials: Credentials,
}

impl Signer {
    pub(super) fn new(bench: &Bench) -> Self {
        let bucket = bench.sandbox.world().bucket();
        Self::with(bench, bucket.name(), bucket.secret_key())
    }

    fn with(bench: &Bench, name: &str, secret: &str) -> Self {
        let bucket = bench.sandbox.world().bucket();
        let endpoint: Url = bucket.endpoint().parse().unwrap();
        let named = Bucket::new(
            endpoint,
            UrlStyle::Path,
            name.to_owned(),
            "us-east-1".to_owned(),
        );
        Self {
            bucket: named.unwrap(),
            credentials: Credentials::new(bucket.access_key(), secret),
        }
    }

    async fn put(&self, bench: &Bench, key: &str, bytes: impl Into<reqwest::Body>) -> Heard {
        let url = self
            .bucket
            .put_object(Some(&self.credentials), key)
            .sign(MINUTE);
        Bench::send(bench.http.put(url).body(bytes)).await
    }

    async fn get(&self, bench: &Bench, key: &str) -> Heard {
        let url = self
            .bucket
            .get_object(Some(&self.credentials), key)
            .sign(MINUTE);
        Bench::send(bench.http.get(url)).await
    }
}

#[tokio::test]
async fn objects_of_all_names_are_kept_and_listed() {
    let bench = Bench::new().await;
    let signer = Signer::new(&bench);
    let long = "y".repeat(255);
    let keys = [
        "lab/a b+c#%/µ 世界.fastq".to_owned(),
        format!("lab/{long}"),
        "lab/zero".to_owned(),
        "lab/a//b/../c".to_owned(),
    ];
    for key in &keys {
        let bytes = if key == "lab/zero" { "" } else { key };
        let heard = signer.put(&bench, key, bytes.to_owned()).await;
        assert_eq!(heard.status, 200, "{key}: {}", heard.text);
        assert_eq!(signer.get(&bench, key).await.text, bytes);
    }
    let mut list = signer.bucket.list_objects_v2(Some(&signer.credentials));
    list.with_prefix("lab/");
    list.with_max_keys(3);
    let heard = Bench::send(bench.http.get(list.sign(MINUTE))).await;
    let listed = rusty_s3::actions::ListObjectsV2::parse_response(&heard.text).unwrap();
    assert_eq!(listed.contents.len(), 3, "{}", heard.text);
    let mut rest = signer.bucket.list_objects_v2(Some(&signer.credentials));
    rest.with_prefix("lab/");
    rest.with_continuation_token(listed.next_continuation_token.unwrap());
    let heard = Bench::send(bench.http.get(rest.sign(MINUTE))).await;
    let rest = rusty_s3::actions::ListObjectsV2::parse_response(&heard.text).unwrap();
    assert_eq!(rest.contents.len(), 1);
    let gone = signer
        .bucket
        .delete_object(Some(&signer.credentials), "lab/zero");
    let heard = Bench::send(bench.http.delete(gone.sign(MINUTE))).await;
    assert_eq!(heard.status, 204);
    assert_eq!(signer.get(&bench, "lab/zero").await.status, 404);
    assert_eq!(bench.sandbox.world().bucket().objects("lab/").len(), 3);
}

#[tokio::test]
async fn signatures_are_checked() {
    let bench = Bench::new().await;
    let name = bench.sandbox.world().bucket().name();
    let wrong = Signer::with(&bench, name, "not the secret");
    let heard = wrong.put(&bench, "a", "1").await;
    assert_eq!(heard.status, 403);
    assert!(
        heard.text.contains("SignatureDoesNotMatch"),
        "{}",
        heard.text
    );
    let signer = Signer::new(&bench);
    let put = signer.bucket.put_object(Some(&signer.credentials), "a");
    let elsewhere = put.sign(MINUTE).as_str().replace("/a?", "/b?");
    assert_eq!(
        Bench::send(bench.http.put(elsewhere).body("1"))
            .await
            .status,
        403
    );
    let endpoint = bench.sandbox.world().bucket().endpoint();
    let unsigned = bench.http.put(format!("{endpoint}/{name}/a")).body("1");
    assert_eq!(Bench::send(unsigned).await.status, 403);
    let others = Signer::with(&bench, "other", bench.sandbox.world().bucket().secret_key());
    let heard = others.put(&bench, "a", "1").await;
    assert_eq!(heard.status, 404);
    assert!(heard.text.contains("NoSuchBucket"), "{}", heard.text);
    assert!(bench.sandbox.world().bucket().objects("").is_empty());
    let log = bench.sandbox.world().requests().at("code_ocean.bucket");
    assert_eq!(log.len(), 4);
    assert!(
        log.iter()
            .all(|request| !request.carried_key && !request.at_storage)
    );
}

#[tokio::test]
async fn a_file_in_parts_is_whole_after_completing() {
    let bench = Bench::new().await;
    let signer = Signer::new(&bench);
    let credentials = Some(&signer.credentials);
    let create = signer
        .bucket
        .create_multipart_upload(credentials, "big µ.bin");
    let heard = Bench::send(bench.http.post(create.sign(MINUTE))).await;
    let upload = CreateMultipartUpload::parse_response(&heard.text).unwrap();
    let upload = upload.upload_id().to_owned();
    let parts = [vec![1_u8; 5 * 1024 * 1024], vec![2_u8; 10]];
    let mut tags = Vec::new();
    for (part, number) in parts.iter().zip(1_u16..) {
        let url = signer
            .bucket
            .upload_part(credentials, "big µ.bin", number, &upload)
            .sign(MINUTE);
        let heard = Bench::send(bench.http.put(url).body(part.clone())).await;
        assert_eq!(heard.status, 200, "{}", heard.text);
        tags.push(heard.headers["etag"].to_str().unwrap().to_owned());
    }
    assert!(bench.sandbox.world().bucket().objects("").is_empty());
    let list = signer
        .bucket
        .list_parts(credentials, "big µ.bin", &upload)
        .sign(MINUTE);
    let listed = Bench::send(bench.http.get(list)).await.text;
    assert_eq!(listed.matches("<PartNumber>").count(), 2, "{listed}");
    let tags = tags.iter().map(String::as_str);
    let complete = signer
        .bucket
        .complete_multipart_upload(credentials, "big µ.bin", &upload, tags);
    let url = complete.sign(MINUTE);
    let heard = Bench::send(bench.http.post(url).body(complete.body())).await;
    assert_eq!(heard.status, 200, "{}", heard.text);
    assert!(
        heard.text.contains("<Key>big µ.bin</Key>"),
        "{}",
        heard.text
    );
    let stored = bench.sandbox.world().bucket().objects("");
    assert_eq!((stored.len(), stored[0].size), (1, 5 * 1024 * 1024 + 10));
}

#[tokio::test]
async fn faults_reach_the_bucket() {
    let bench = Bench::new().await;
    let signer = Signer::new(&bench);
    bench.set("unavailable@code_ocean.bucket*1");
    let heard = signer.put(&bench, "a", "1").await;
    assert_eq!(heard.status, 503);
    assert!(heard.text.starts_with("<?xml"), "{}", heard.text);
    bench.set("lost-answer@code_ocean.bucket*1");
    let url = signer
        .bucket
        .put_object(Some(&signer.credentials), "a")
        .sign(MINUTE);
    assert!(bench.http.put(url).body("12").send().await.is_err());
    assert_eq!(bench.sandbox.world().bucket().objects("")[0].size, 2);
    let sent = bench.sandbox.world().requests().at("code_ocean.bucket");
    assert_eq!(
        sent.iter().map(|request| request.body_bytes).sum::<u64>(),
        3
    );
}

#[tokio::test]
async fn the_bucket_is_gone_with_the_sandbox() {
    let bench = Bench::new().await;
    let signer = Signer::new(&bench);
    assert_eq!(signer.put(&bench, "a", "1").await.status, 200);
    let Bench { sandbox, http } = bench;
    let folder = sandbox.world().folder().to_path_buf();
    let url = signer
        .bucket
        .get_object(Some(&signer.credentials), "a")
        .sign(MINUTE);
    drop(sandbox);
    // The servers end on their own time.
    for _ in 0..500 {
        if http.get(url.clone()).send().await.is_err() && !folder.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it still answers");
}
