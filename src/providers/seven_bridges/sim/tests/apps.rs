//! Apps and their revisions.

use super::*;

#[tokio::test]
async fn apps_have_revisions_and_every_form_of_input() {
    let bench = Bench::new().await;
    let list = bench.get(&format!("/apps?project={PROJECT}")).await;
    assert_eq!(list.names().len(), 4);
    let first = list.ok()["items"][0].clone();
    assert_eq!((&first["id"], &first["revision"]), (&json!(APP), &json!(2)));
    assert_eq!(first.get("raw"), None);
    let app = async |id: &str| bench.get(&format!("/apps/{PROJECT}/{id}")).await;
    let latest = app("table-summary").await.ok();
    assert_eq!(latest["raw"]["inputs"].as_array().unwrap().len(), 13);
    assert_eq!(latest["raw"]["sbg:revision"], 2);
    let older = app("table-summary/1").await.ok();
    assert_eq!(older["raw"]["inputs"].as_array().unwrap().len(), 2);
    assert_eq!(older["id"], "john_doe/plate-7/table-summary/1");
    assert_eq!(app("table-summary/9").await.refused(), (404, 6002));
    assert_eq!(app("table-summary/1/raw").await.ok()["cwlVersion"], "v1.2");
    assert_eq!(
        app("table-summary/raw").await.ok()["class"],
        "CommandLineTool"
    );
    assert!(app("exit-with-code").await.ok()["raw"]["inputs"]["exit_code"].is_object());
    let draft = app("count-lines").await.ok();
    assert_eq!(draft["raw"]["cwlVersion"], "sbg:draft-2");
    assert_eq!(draft["raw"]["inputs"][0]["id"], "#text");
    let every = app("every-input").await.ok()["raw"]["inputs"].to_string();
    for form in [
        r#""File""#,
        r#""File?""#,
        r#""File[]""#,
        r#""File[]?""#,
        r#"["null","File"]"#,
        r#""Directory?""#,
        r#""int""#,
        r#""long?""#,
        r#""float?""#,
        r#""double?""#,
        r#""string""#,
        r#""boolean?""#,
        r#""enum""#,
        r#""record""#,
        r#"["null","int","string"]"#,
        r#""Any?""#,
        r#""sbg:Hologram""#,
        r#""array""#,
    ] {
        assert!(every.contains(form), "{form} is not in {every}");
    }
}

#[tokio::test]
async fn a_public_app_runs_as_a_copy_in_the_project() {
    let bench = Bench::new().await;
    let found = bench.get("/apps?visibility=public&q=count").await.ok();
    let id = found["items"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("admin/sbg-public-data/"));
    let mut body = task(&[]);
    body["app"] = json!(id);
    assert_eq!(bench.post("/tasks", &body).await.refused(), (403, 6001));
    let id = id.rsplit_once('/').unwrap().0;
    let wish = json!({"project": PROJECT, "name": "My own Count", "strategy": "clone"});
    let copy = bench
        .post(&format!("/apps/{id}/actions/copy"), &wish)
        .await
        .ok();
    assert_eq!(copy["id"], "john_doe/plate-7/my-own-count/0");
    let again = bench
        .post(&format!("/apps/{id}/actions/copy"), &wish)
        .await
        .ok();
    assert_eq!(again["id"], "john_doe/plate-7/my-own-count_1/0");
    body["app"] = copy["id"].clone();
    assert_eq!(bench.post("/tasks", &body).await.ok()["status"], "DRAFT");
}
