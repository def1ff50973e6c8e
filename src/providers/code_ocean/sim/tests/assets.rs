//! Data assets: those there are, those made of the bucket and of results.

use std::time::Duration;

use reqwest::Method;
use rusty_s3::S3Action as _;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::fixtures::EXAMPLE_READS;
use crate::providers::code_ocean::sim::tests::bench::Bench;
use crate::providers::code_ocean::sim::tests::bucket::Signer;

const EXTERNAL: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e04";

/// A request for an asset of the bucket.
fn of_bucket(bench: &Bench, prefix: &str) -> Value {
    json!({
        "name": "run42", "tags": ["labferry"], "mount": "reads", "description": null, "target": null,
        "source": {
            "aws": { "bucket": bench.sandbox.world().bucket().name(), "prefix": prefix, "endpoint_name": null,
                     "keep_on_external_storage": false, "public": false, "use_input_bucket": null },
            "gcp": null, "computation": null, "cloud_workstation": null,
        },
    })
}

async fn asset(bench: &Bench, id: &Value) -> Value {
    let id = id.as_str().unwrap();
    bench.get(&format!("data_assets/{id}")).await.good()
}

/// The asset once it is more than a draft.
async fn settled(bench: &Bench, id: &Value) -> Value {
    bench.pass(2_000);
    for _ in 0..1_000 {
        let seen = asset(bench, id).await;
        if seen["state"] != "draft" {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still a draft");
}

async fn put(bench: &Bench, key: &str, bytes: &str) {
    let signer = Signer::new(bench);
    let put = signer.bucket.put_object(Some(&signer.credentials), key);
    let url = put.sign(Duration::from_mins(1));
    let request = bench.http.put(url).body(bytes.to_owned());
    assert_eq!(Bench::send(request).await.status, 200);
}

#[tokio::test]
async fn an_asset_of_the_bucket_is_a_draft_and_then_has_what_is_there() {
    let bench = Bench::new().await;
    put(&bench, "lab/batch/a.fastq", "@a\nGGCC\n+\nIIII\n").await;
    put(&bench, "lab/batch/deep er/µ 2.csv", "x,y\n").await;
    put(&bench, "lab/batch/empty", "").await;
    put(&bench, "lab/batch2/other.fastq", "@a\nA\n+\nI\n").await;
    let made = bench
        .post("data_assets", of_bucket(&bench, "lab/batch"))
        .await
        .good();
    assert_eq!(
        (&made["state"], &made["last_used"]),
        (&json!("draft"), &json!(0))
    );
    for member in ["id", "created", "name", "mount", "owner", "type"] {
        assert!(!made[member].is_null(), "{member}");
    }
    assert_eq!(asset(&bench, &made["id"]).await["state"], "draft");
    assert!(made.get("files").is_none());
    let ready = settled(&bench, &made["id"]).await;
    assert_eq!(ready["state"], "ready");
    assert_eq!((&ready["files"], &ready["size"]), (&json!(3), &json!(19)));
    assert_eq!(ready["source_bucket"]["origin"], "aws");
    bench.set("code_ocean.asset-size=text");
    bench.set("code_ocean.asset-states=upper-case");
    let odd = asset(&bench, &made["id"]).await;
    assert_eq!(
        (&odd["state"], &odd["size"]),
        (&json!("DATA_ASSET_STATE_READY"), &json!("19"))
    );
    let run = bench
        .start(json!({
            "capsule_id": capsules::READ_QUALITY,
            "data_assets": [{ "id": made["id"], "mount": "reads" }],
        }))
        .await;
    let over = bench.finish(&run).await;
    let id = over["id"].as_str().unwrap();
    let links = bench
        .get(&format!("computations/{id}/results/urls?path=summary.csv"))
        .await
        .good();
    let table = Bench::send(bench.http.get(links["download_url"].as_str().unwrap()))
        .await
        .text;
    assert!(
        table.ends_with("reads/a.fastq,1,4,4,4.00,4,100.00,40.00,1\n"),
        "{table}"
    );
}

#[tokio::test]
async fn a_prefix_may_be_one_object_or_end_in_a_slash() {
    let bench = Bench::new().await;
    put(&bench, "lab/one file.txt", "12345").await;
    put(&bench, "lab/two.txt", "1").await;
    for (prefix, files) in [("lab/one file.txt", 1), ("lab/", 2), ("lab", 2), ("", 2)] {
        let made = bench
            .post("data_assets", of_bucket(&bench, prefix))
            .await
            .good();
        let ready = settled(&bench, &made["id"]).await;
        assert_eq!(ready["files"], json!(files), "{prefix}");
    }
}

#[tokio::test]
async fn an_asset_of_nothing_or_of_another_bucket_fails_with_a_reason() {
    let bench = Bench::new().await;
    put(&bench, "lab/a", "1").await;
    let mut elsewhere = of_bucket(&bench, "lab");
    elsewhere["source"]["aws"]["bucket"] = json!("other");
    for (body, why) in [
        (of_bucket(&bench, "nothing"), "nothing was found"),
        (of_bucket(&bench, "la"), "nothing was found"),
        (elsewhere, "does not exist"),
    ] {
        let made = bench.post("data_assets", body).await.good();
        let seen = settled(&bench, &made["id"]).await;
        assert_eq!(seen["state"], "failed");
        assert!(
            seen["failure_reason"].as_str().unwrap().contains(why),
            "{seen}"
        );
    }
    bench.set("code_ocean.bucket-access=denied");
    let made = bench
        .post("data_assets", of_bucket(&bench, "lab"))
        .await
        .good();
    let seen = settled(&bench, &made["id"]).await;
    assert!(
        seen["failure_reason"]
            .as_str()
            .unwrap()
            .contains("no credentials"),
        "{seen}"
    );
    bench.set("code_ocean.bucket-access=granted");
    let made = bench
        .post("data_assets", of_bucket(&bench, "lab"))
        .await
        .good();
    bench.set("code_ocean.asset-life=stays");
    bench.pass(60_000);
    assert_eq!(asset(&bench, &made["id"]).await["state"], "draft");
    bench.set("code_ocean.asset-life=fails");
    assert_eq!(asset(&bench, &made["id"]).await["state"], "failed");
    // Those that are there already are not touched.
    assert_eq!(asset(&bench, &json!(EXAMPLE_READS)).await["state"], "ready");
}

#[tokio::test]
async fn what_is_wrong_with_an_asset_is_refused() {
    let bench = Bench::new().await;
    let with = |pointer: &str, value: Value| {
        let mut body = of_bucket(&bench, "lab");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (body, status) in [
        (with("/name", json!(null)), 400),
        (with("/tags", json!(null)), 400),
        (with("/mount", json!("")), 400),
        (with("/mount", json!("my reads")), 400),
        (with("/source", json!(null)), 400),
        (with("/source/aws/bucket", json!("labferry-staging/")), 400),
        (with("/source/aws/prefix", json!("/lab")), 400),
        (with("/source/aws/use_input_bucket", json!(true)), 403),
    ] {
        let refused = bench.post("data_assets", body.clone()).await.refusal();
        assert_eq!(refused.0, status, "{body}");
    }
}

#[tokio::test]
async fn results_of_a_run_become_an_asset() {
    let bench = Bench::new().await;
    let run = bench.finished_run().await;
    let body = json!({
        "name": "tables", "tags": [], "mount": "tables",
        "source": { "computation": { "id": run["id"], "path": "tables" } },
    });
    let made = bench.post("data_assets", body).await.good();
    assert_eq!(made["type"], "result");
    let ready = settled(&bench, &made["id"]).await;
    assert_eq!(
        (&ready["files"], &ready["provenance"]["computation"]),
        (&json!(2), &run["id"])
    );
}

#[tokio::test]
async fn files_of_an_asset_are_listed_and_fetched_unless_it_is_external() {
    let bench = Bench::new().await;
    let files = |id: &str| format!("data_assets/{id}/files");
    let root = bench
        .post(&files(EXAMPLE_READS), json!({ "path": "" }))
        .await
        .good();
    let names: Vec<&Value> = root["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["name"])
        .collect();
    assert_eq!(names, ["lane 2", "README.txt", "liver 1.fastq"]);
    let path = format!(
        "{}/urls?path=lane%202/liver+%C2%B5.fastq.gz",
        files(EXAMPLE_READS)
    );
    let links = bench.get(&path).await.good();
    let gz = bench
        .http
        .get(links["download_url"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert!(gz.bytes().await.unwrap().starts_with(&[0x1F, 0x8B]));
    let refused = bench.call(Method::POST, &files(EXTERNAL)).await.refusal();
    assert_eq!(refused.0, 400);
}

#[tokio::test]
async fn assets_are_searched_and_the_old_list_is_still_there() {
    let bench = Bench::new().await;
    let names = |answer: Value| -> Vec<String> {
        let results = answer["results"].as_array().unwrap().iter();
        results
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let search = async |ask: Value| names(bench.post("data_assets/search", ask).await.good());
    let reads = search(json!({ "query": "name:\"example reads\"" })).await;
    assert_eq!(reads, ["Example reads"]);
    assert_eq!(search(json!({ "archived": true })).await, ["Old reads"]);
    assert_eq!(
        search(json!({ "origin": "external" })).await,
        ["Reads in the institute's bucket"]
    );
    assert_eq!(
        search(json!({ "type": "combined" })).await,
        Vec::<String>::new()
    );
    let by_size = search(json!({ "sort_field": "size", "sort_order": "desc" })).await;
    assert_eq!(by_size.len(), 3);
    let page = bench.get("data_assets?start=1&limit=1").await.good();
    assert_eq!(page["has_more"], json!(true));
    assert_eq!(names(page), [search(json!({})).await[1].clone()]);
    let fields = bench.get("custom_metadata").await.good();
    assert!(fields["fields"][0]["name"].is_string());
}

#[tokio::test]
async fn assets_are_changed_archived_attached_and_deleted() {
    let bench = Bench::new().await;
    let path = format!("data_assets/{EXAMPLE_READS}");
    let change = json!({ "name": "New name", "tags": ["x"], "description": null, "mount": null });
    let changed = Bench::send(bench.request(Method::PUT, &path).json(&change))
        .await
        .good();
    assert_eq!(
        (&changed["name"], &changed["mount"]),
        (&json!("New name"), &json!("reads"))
    );
    for (archive, archived) in [("True", 2), ("false", 1)] {
        let archive = format!("{path}/archive?archive={archive}");
        assert_eq!(bench.call(Method::PATCH, &archive).await.status, 204);
        let found = bench
            .post("data_assets/search", json!({ "archived": true }))
            .await
            .good();
        assert_eq!(found["results"].as_array().unwrap().len(), archived);
    }
    let attach = format!("capsules/{}/data_assets", capsules::EVERY_FIELD);
    let told = bench
        .post(&attach, json!([{ "id": EXAMPLE_READS, "mount": null }]))
        .await
        .good();
    assert_eq!(
        (&told[0]["mount"], &told[0]["ready"]),
        (&json!("reads"), &json!(true))
    );
    let inputs = async || {
        let run = bench
            .start(json!({ "capsule_id": capsules::EVERY_FIELD }))
            .await;
        let over = bench.finish(&run).await;
        let id = over["id"].as_str().unwrap();
        let path = "inputs%2Ffiles+below+data+%E2%80%93+sizes.csv";
        let links = bench
            .get(&format!("computations/{id}/results/urls?path={path}"))
            .await
            .good();
        let table = Bench::send(bench.http.get(links["download_url"].as_str().unwrap())).await;
        table.text.lines().count() - 1
    };
    assert_eq!(inputs().await, 3);
    let detach = bench.request(Method::DELETE, &format!("{attach}/"));
    let detached = Bench::send(detach.json(&json!([EXAMPLE_READS]))).await;
    assert_eq!(detached.status, 204);
    assert_eq!(inputs().await, 0);
    let others = bench
        .call(Method::DELETE, &format!("data_assets/{EXTERNAL}"))
        .await;
    assert_eq!(others.refusal().0, 403);
    assert_eq!(bench.call(Method::DELETE, &path).await.status, 204);
    assert_eq!(bench.get(&path).await.refusal().0, 404);
}
