//! Starting computations, their life, renaming and removing them.

use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::tests::bench::Bench;

#[tokio::test]
async fn a_run_goes_through_its_states_by_the_worlds_clock() {
    let bench = Bench::new().await;
    let run = bench
        .start(
            json!({ "capsule_id": capsules::READ_QUALITY, "pipeline_id": null, "version": null }),
        )
        .await;
    assert_eq!(
        (&run["state"], &run["run_time"]),
        (&json!("initializing"), &json!(0))
    );
    for member in ["id", "created", "name", "owner"] {
        assert!(!run[member].is_null(), "{member}");
    }
    bench.pass(900);
    assert_eq!(bench.look(&run).await["state"], "running");
    bench.pass(3_100);
    let seen = bench.look(&run).await;
    assert_eq!(
        (&seen["state"], &seen["run_time"]),
        (&json!("finalizing"), &json!(3))
    );
    assert_eq!(seen["end_status"], Value::Null);
    let over = bench.finish(&run).await;
    assert_eq!(over["end_status"], "succeeded");
    assert_eq!(
        (&over["exit_code"], &over["has_results"]),
        (&json!(0), &json!(true))
    );
}
