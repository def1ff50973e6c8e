//! What a run may ask for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::fixtures::{EXAMPLE_IMAGES, EXAMPLE_READS};
use crate::providers::code_ocean::sim::tests::bench::Bench;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const EXTERNAL: &str = "7d1f0c9a-3b52-4c68-8f0e-2a9b6c4d5e04";

#[tokio::test]
async fn what_is_wrong_with_a_run_is_refused() {
    let bench = Bench::new().await;
    let reads = capsules::READ_QUALITY;
    let images = capsules::IMAGE_STATISTICS;
    for (body, status) in [
        (json!({}), 400),
        (json!({ "capsule_id": "4417203" }), 400),
        (json!({ "capsule_id": UNKNOWN }), 404),
        (json!({ "pipeline_id": reads }), 404),
        (json!({ "capsule_id": reads, "version": 1 }), 400),
        (
            json!({ "capsule_id": reads, "data_assets": [{ "id": UNKNOWN, "mount": "x" }] }),
            404,
        ),
        (
            json!({ "capsule_id": reads, "data_assets": [{ "id": "7", "mount": "x" }] }),
            400,
        ),
        (
            json!({ "capsule_id": reads, "data_assets": [{ "id": EXAMPLE_READS, "mount": "a b" }] }),
            400,
        ),
        (json!({ "capsule_id": reads, "parameters": [1] }), 400),
        (
            json!({ "capsule_id": reads, "named_parameters": [{ "param_name": "min_quality", "value": 20 }] }),
            400,
        ),
        (
            json!({ "capsule_id": reads, "named_parameters": [{ "param_name": "min_quality", "value": true }] }),
            400,
        ),
        (
            json!({ "capsule_id": reads, "named_parameters": [{ "value": "20" }] }),
            400,
        ),
        (
            json!({ "pipeline_id": images, "processes": [{ "name": "main", "parameters": [] }] }),
            400,
        ),
        (
            json!({ "pipeline_id": images, "processes": [{ "name": "capsule_read_1", "parameters": [3] }] }),
            400,
        ),
        (
            json!({ "pipeline_id": images, "data_assets": [{ "id": EXAMPLE_IMAGES, "mount": "new" }] }),
            400,
        ),
        (
            json!({ "pipeline_id": images, "data_assets": [{ "id": EXTERNAL, "mount": "images" }] }),
            400,
        ),
        (
            json!({ "capsule_id": reads, "resume_run_id": UNKNOWN }),
            404,
        ),
    ] {
        let (heard, _) = bench.post("computations", body.clone()).await.refusal();
        assert_eq!(heard, status, "{body}");
    }
    bench.set("code_ocean.pipeline-mounts=free");
    let new =
        json!({ "pipeline_id": images, "data_assets": [{ "id": EXAMPLE_IMAGES, "mount": "new" }] });
    bench.start(new).await;
    let released = bench
        .post("capsules/search", json!({ "status": "release" }))
        .await
        .good();
    let released = &released["results"][0]["id"];
    for (version, status) in [
        (json!(null), 200),
        (json!(1), 200),
        (json!(2), 200),
        (json!(3), 400),
    ] {
        let body = json!({ "capsule_id": released, "version": version });
        assert_eq!(bench.post("computations", body).await.status, status);
    }
}

#[tokio::test]
async fn only_assets_that_are_ready_can_be_mounted() {
    let bench = Bench::new().await;
    let made = bench
        .post(
            "data_assets",
            json!({ "name": "both", "tags": [], "mount": "both", "data_asset_ids": [EXAMPLE_READS, EXAMPLE_IMAGES] }),
        )
        .await
        .good();
    assert_eq!(
        (&made["state"], &made["type"]),
        (&json!("draft"), &json!("combined"))
    );
    let body = json!({ "capsule_id": capsules::READ_QUALITY, "data_assets": [{ "id": made["id"], "mount": "m" }] });
    assert_eq!(
        bench.post("computations", body.clone()).await.refusal().0,
        400
    );
    bench.pass(2_000);
    let path = format!("data_assets/{}", made["id"].as_str().unwrap());
    let mut ready = bench.get(&path).await.good();
    while ready["state"] == "draft" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        ready = bench.get(&path).await.good();
    }
    assert_eq!(
        (&ready["state"], &ready["files"]),
        (&json!("ready"), &json!(5))
    );
    let run = bench.start(body).await;
    assert_eq!(
        run["data_assets"],
        json!([{ "id": made["id"], "mount": "m" }])
    );
    bench.finish(&run).await;
}

#[tokio::test]
async fn a_mount_may_be_left_out_unless_it_is_required() {
    let bench = Bench::new().await;
    for asset in [
        json!({ "id": EXAMPLE_READS, "mount": null }),
        json!({ "id": EXAMPLE_READS }),
    ] {
        let body = json!({ "capsule_id": capsules::READ_QUALITY, "data_assets": [asset] });
        let run = bench.start(body.clone()).await;
        assert_eq!(run["data_assets"][0]["mount"], "reads");
        bench.set("code_ocean.mount=required");
        let refused = bench.post("computations", body).await.refusal();
        assert_eq!(refused, (400, "invalid request body".to_owned()));
        bench.set("code_ocean.mount=optional");
    }
}

#[tokio::test]
async fn the_capsule_wins_over_the_pipeline() {
    let bench = Bench::new().await;
    let (capsule, pipeline) = (capsules::READ_QUALITY, capsules::IMAGE_STATISTICS);
    let run = bench
        .start(json!({ "capsule_id": capsule, "pipeline_id": pipeline }))
        .await;
    let of = |kind: &str, id: &str| format!("{kind}/{id}/computations");
    let listed = bench.get(&of("capsules", capsule)).await.good();
    assert_eq!(listed[0]["id"], run["id"]);
    let listed = bench.get(&of("pipelines", pipeline)).await.good();
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn a_run_tells_which_values_it_was_given() {
    let bench = Bench::new().await;
    let run = bench
        .start(json!({
            "capsule_id": capsules::EVERY_FIELD,
            "parameters": ["two", ""],
            "named_parameters": [{ "param_name": "mode", "value": "careful" }, { "param_name": "nonsense", "value": "1" }],
        }))
        .await;
    assert_eq!(
        run["parameters"],
        json!([
            { "name": "First word", "value": "two" },
            { "name": "Second number", "value": "" },
            { "name": "Mode", "param_name": "mode", "value": "careful" },
        ])
    );
    assert!(
        run["name"]
            .as_str()
            .unwrap()
            .starts_with("Run With Parameters ")
    );
    let file = wrote(&bench, &run, "parameters.json").await;
    let written: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(written[0]["ordered"], json!(["two", "", "paired"]));
    assert_eq!(written[0]["named"]["mode"], "careful");
    assert_eq!(written[0]["named"]["internal"], "kept");
    bench.set("code_ocean.unknown-parameters=refused");
    let body = json!({ "capsule_id": capsules::EVERY_FIELD, "named_parameters": [{ "param_name": "nonsense", "value": "1" }] });
    assert_eq!(bench.post("computations", body).await.refusal().0, 400);
}

#[tokio::test]
async fn a_pipeline_ignores_ordered_values_at_its_top_and_takes_those_of_processes() {
    let bench = Bench::new().await;
    let run = bench
        .start(json!({
            "pipeline_id": capsules::IMAGE_STATISTICS,
            "parameters": ["ignored"],
            "data_assets": [{ "id": EXAMPLE_IMAGES, "mount": "images" }],
            "processes": [
                { "name": "capsule_measure_2", "parameters": null,
                  "named_parameters": [{ "param_name": "bins", "value": "4" }, { "param_name": "scale", "value": "2" }] },
                { "name": "capsule_read_1", "parameters": ["gray", "30"] },
            ],
        }))
        .await;
    assert_eq!(run["parameters"], json!([]));
    for process in run["processes"].as_array().unwrap() {
        assert!(process["name"].is_string() && process["capsule_id"].is_string());
    }
    assert_eq!(
        run["processes"][1]["parameters"][0],
        json!({ "name": "Bins", "param_name": "bins", "value": "4" })
    );
    let table = wrote(&bench, &run, "image statistics.csv").await;
    assert_eq!(
        table,
        "file,width,height,min,max,mean,median\nimages/field 1.png,48,32,0,382,191.000,192\n"
    );
    let skipped = wrote(&bench, &run, "skipped.csv").await;
    assert_eq!(
        skipped,
        "file,reason\nimages/deeper/field 2.png,it is too small\n"
    );
    let bins = wrote(&bench, &run, "histograms/µ/1 field 1 – histogram.csv").await;
    assert_eq!(bins.lines().count(), 5);
}

/// A file a run leaves.
async fn wrote(bench: &Bench, run: &Value, path: &str) -> String {
    let over = bench.finish(run).await;
    let id = over["id"].as_str().unwrap();
    let links = bench.request(Method::GET, &format!("computations/{id}/results/urls"));
    let links = Bench::send(links.query(&[("path", path)])).await.good();
    let link = links["download_url"].as_str().unwrap();
    Bench::send(bench.http.get(link)).await.text
}
