//! The life of a computation, its entry, renaming and removing it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::tests::bench::Bench;

#[tokio::test]
async fn a_run_goes_through_its_states_by_the_worlds_clock() {
    let bench = Bench::new().await;
    let body =
        json!({ "capsule_id": capsules::READ_QUALITY, "pipeline_id": null, "version": null });
    let run = bench.start(body).await;
    let seen = (&run["state"], &run["run_time"]);
    assert_eq!(seen, (&json!("initializing"), &json!(0)));
    for member in ["id", "created", "name", "owner"] {
        assert!(!run[member].is_null(), "{member}");
    }
    bench.pass(900);
    assert_eq!(bench.look(&run).await["state"], "running");
    bench.pass(2_700);
    let seen = bench.look(&run).await;
    assert_eq!(seen["end_status"], Value::Null);
    bench.pass(600);
    let seen = bench.look(&run).await;
    let seen = (&seen["state"], &seen["run_time"]);
    assert_eq!(seen, (&json!("finalizing"), &json!(3)));
    let over = bench.finish(&run).await;
    assert_eq!(over["end_status"], "succeeded");
    let seen = (&over["exit_code"], &over["has_results"]);
    assert_eq!(seen, (&json!(0), &json!(true)));
}

#[tokio::test]
async fn every_end_can_be_had() {
    let bench = Bench::new().await;
    let run = bench.finished_run().await;
    for (life, state, end_status, exit_code, has_results) in [
        ("fails", "completed", json!("failed"), json!(1), true),
        (
            "succeeded-exit-1",
            "completed",
            json!("succeeded"),
            json!(1),
            true,
        ),
        (
            "failed-exit-0",
            "completed",
            json!("failed"),
            json!(0),
            true,
        ),
        ("failed-state", "failed", json!("failed"), json!(137), true),
        ("stopped", "completed", json!("stopped"), json!(143), true),
        (
            "no-results",
            "completed",
            json!("succeeded"),
            json!(0),
            false,
        ),
        ("no-end-status", "completed", json!(null), json!(null), true),
        (
            "unknown-end",
            "completed",
            json!("vanished"),
            json!(0),
            true,
        ),
        ("usual", "completed", json!("succeeded"), json!(0), true),
    ] {
        bench.set(&format!("code_ocean.life={life}"));
        let seen = bench.look(&run).await;
        assert_eq!(seen["state"], state, "{life}");
        assert_eq!(seen["end_status"], end_status, "{life}");
        assert_eq!(seen["exit_code"], exit_code, "{life}");
        assert_eq!(seen["has_results"], has_results, "{life}");
        let results = format!("computations/{}/results", run["id"].as_str().unwrap());
        let listed = bench.call(Method::POST, &results).await.status;
        assert_eq!(listed == 200, has_results, "{life}");
    }
    bench.set("code_ocean.life=stays");
    assert_eq!(bench.look(&run).await["state"], "running");
    bench.set("code_ocean.life=unknown-state");
    let next = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    bench.pass(3_000);
    assert_eq!(bench.look(&next).await["state"], "provisioning");
    assert_eq!(bench.finish(&next).await["state"], "completed");
}

#[tokio::test]
async fn a_run_can_really_fail_and_leaves_its_log() {
    let bench = Bench::new().await;
    let found = bench
        .post("capsules/search", json!({ "query": "\"always fails\"" }))
        .await
        .good();
    let failing = json!({ "capsule_id": found["results"][0]["id"] });
    let wrong = json!({
        "capsule_id": capsules::READ_QUALITY,
        "named_parameters": [{ "param_name": "min_quality", "value": "many" }],
    });
    for (body, why) in [
        (failing, "this capsule always fails"),
        (wrong, "--min_quality many"),
    ] {
        let run = bench.start(body).await;
        let over = bench.finish(&run).await;
        assert_eq!(
            (&over["end_status"], &over["exit_code"]),
            (&json!("failed"), &json!(1))
        );
        assert_eq!(over["has_results"], json!(true));
        let id = over["id"].as_str().unwrap();
        let listed = bench
            .call(Method::POST, &format!("computations/{id}/results"))
            .await
            .good();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        let links = bench
            .get(&format!("computations/{id}/results/urls?path=output"))
            .await
            .good();
        let log = Bench::send(bench.http.get(links["view_url"].as_str().unwrap()))
            .await
            .text;
        assert!(log.contains(why), "{log}");
    }
}

#[tokio::test]
async fn members_are_left_out_and_oddly_written_when_asked() {
    let bench = Bench::new().await;
    let run = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    bench.set("code_ocean.members=omit-empty");
    let early = bench.look(&run).await;
    for member in [
        "run_time",
        "parameters",
        "data_assets",
        "cloud_workstation",
        "has_results",
    ] {
        assert!(early.get(member).is_none(), "{member}");
    }
    let over = bench.finish(&run).await;
    // A code of zero is left out, too.
    assert!(over.get("exit_code").is_none());
    assert_eq!(over["end_status"], "succeeded");
    bench.set("code_ocean.casing=odd");
    let odd = bench.look(&run).await;
    assert_eq!(odd["Id"], run["id"]);
    assert_eq!(odd["Has_results"], json!(true));
    assert!(odd["Run_time"].is_number() && odd.get("id").is_none());
    bench.set("code_ocean.members=all");
    assert!(bench.look(&run).await["Data_assets"].is_array());
}

#[tokio::test]
async fn a_run_is_renamed_in_the_query_and_listed_newest_first() {
    let bench = Bench::new().await;
    let one = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    let two = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    let id = one["id"].as_str().unwrap();
    assert!(one["name"].as_str().unwrap().starts_with("Run "));
    for (written, name) in [("a%20b%2Fc", "a b/c"), ("plate+7/%C2%B5", "plate 7/µ")] {
        let heard = bench
            .call(Method::PATCH, &format!("computations/{id}?name={written}"))
            .await;
        assert_eq!((heard.status, heard.text.as_str()), (204, ""));
        assert_eq!(bench.look(&one).await["name"], name);
    }
    bench.set("code_ocean.rename=200");
    let heard = bench
        .call(Method::PATCH, &format!("computations/{id}/?name=x"))
        .await;
    assert_eq!((heard.status, heard.text.as_str()), (200, ""));
    let refused = bench
        .call(Method::PATCH, &format!("computations/{id}"))
        .await;
    assert_eq!(refused.status, 400);
    let listed = bench
        .get(&format!("capsules/{}/computations", capsules::READ_QUALITY))
        .await
        .good();
    assert_eq!(
        (&listed[0]["id"], &listed[1]["id"]),
        (&two["id"], &one["id"])
    );
}

#[tokio::test]
async fn deleting_a_running_computation_stops_and_removes_it() {
    let bench = Bench::new().await;
    let run = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    let path = format!("computations/{}", run["id"].as_str().unwrap());
    bench.pass(1_000);
    assert_eq!(bench.look(&run).await["state"], "running");
    assert_eq!(bench.call(Method::DELETE, &path).await.status, 204);
    assert_eq!(bench.get(&path).await.refusal().0, 404);
    assert_eq!(bench.call(Method::DELETE, &path).await.refusal().0, 404);
    let listed = bench
        .get(&format!("capsules/{}/computations", capsules::READ_QUALITY))
        .await;
    assert_eq!(listed.good(), json!([]));
}

#[tokio::test]
async fn an_accepted_run_whose_answer_is_lost_is_there() {
    let bench = Bench::new().await;
    let body = json!({ "capsule_id": capsules::READ_QUALITY });
    let list = format!("capsules/{}/computations", capsules::READ_QUALITY);
    for (fault, runs) in [("refuse-before", 0), ("lost-answer", 1)] {
        bench.set(&format!("{fault}@code_ocean.submit*1"));
        let request = bench.request(Method::POST, "computations").json(&body);
        assert!(request.send().await.is_err());
        let listed = bench.get(&list).await.good();
        assert_eq!(listed.as_array().unwrap().len(), runs, "{fault}");
    }
}

#[tokio::test]
async fn every_shape_of_error_can_be_had() {
    let bench = Bench::new().await;
    let body = json!({ "capsule_id": capsules::READ_QUALITY });
    for (fault, status, retry_after, shape) in [
        ("rate-limited", 429, true, "object"),
        ("rate-limited-silent", 429, false, "object"),
        ("server-error", 500, false, "object"),
        ("unavailable", 503, false, "object"),
        ("bad-gateway", 502, false, "page"),
        ("gateway-timeout", 504, false, "text"),
        ("error-list", 500, false, "list"),
    ] {
        bench.set(&format!("{fault}@code_ocean.submit*1"));
        let heard = bench.post("computations", body.clone()).await;
        assert_eq!(heard.status, status, "{fault}");
        assert_eq!(
            heard.headers.contains_key("retry-after"),
            retry_after,
            "{fault}"
        );
        let json = serde_json::from_str::<Value>(&heard.text).ok();
        match shape {
            "object" => assert!(json.unwrap()["message"].is_string(), "{fault}"),
            "list" => assert!(json.unwrap().is_array(), "{fault}"),
            "page" => assert!(heard.text.starts_with("<!doctype html>"), "{fault}"),
            _ => assert!(json.is_none(), "{fault}"),
        }
    }
    assert_eq!(bench.post("computations", body).await.status, 200);
}
