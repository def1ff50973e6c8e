//! Searches, keys, refusals, identifiers, inputs.

use serde_json::json;

use super::stub::Stub;
use super::*;
use crate::model::ids::PipelineId;
use crate::model::remote::Query;

const EMPTY: &str = r#"{"has_more":false,"results":null}"#;

#[tokio::test]
async fn the_token_stands_for_the_user_without_a_password_and_no_version_is_asked_for() {
    let stub = Stub::start().await;
    stub.on("POST capsules/search", 200, EMPTY);
    let account = stub.client().check().await.unwrap();
    assert_eq!(account.name, "127.0.0.1");
    let asked = stub.asked().remove(0);
    assert_eq!(asked.headers["authorization"], "Basic Y29wX3g6");
    assert!(!asked.headers.contains_key("min-server-version"));
    assert_eq!(asked.json(), json!({"limit": 1, "archived": false}));
}

#[tokio::test]
async fn refusals_say_what_is_wrong_in_every_shape() {
    for (status, body, kind, hint, said) in [
        (
            401,
            r#"{"message":"bad token","code":7}"#,
            ErrorKind::Unauthenticated,
            None,
            "bad token",
        ),
        (
            403,
            r#"["no","access"]"#,
            ErrorKind::Forbidden,
            Some("Capsule read"),
            "no; access",
        ),
        (
            400,
            "<html><body><h1>Bad request</h1></body></html>",
            ErrorKind::Invalid,
            None,
            "Bad request",
        ),
        (
            423,
            "workspace locked",
            ErrorKind::Conflict,
            None,
            "workspace locked",
        ),
        (429, "", ErrorKind::RateLimited, None, ""),
    ] {
        let stub = Stub::start().await;
        stub.on("POST capsules/search", status, body);
        let error = stub.client().check().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        let told = error.failure().hint.clone().unwrap_or_default();
        assert!(told.contains(hint.unwrap_or_default()), "{told}");
        let words = error.failure().server_said.clone().unwrap_or_default();
        assert_eq!(words, said);
    }
}

#[tokio::test]
async fn every_page_is_read_with_the_token_as_it_came() {
    let stub = Stub::start().await;
    stub.on("POST capsules/search", 200, golden("capsules-search"))
        .on(
            "POST capsules/search",
            200,
            golden("capsules-search-numbered"),
        )
        .on("POST capsules/search", 200, EMPTY)
        .on(
            "POST pipelines/search",
            404,
            r#"{"message":"no such route"}"#,
        );
    let pipelines = stub.client().pipelines().await.unwrap();
    let listed: Vec<(&str, &str, &str)> = pipelines
        .iter()
        .map(|pipeline| {
            (
                pipeline.id.as_str(),
                pipeline.name.as_str(),
                pipeline.description.as_str(),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            (
                "capsule:0b6f2c1e-52d4-4f0a-9a55-7f3a1d0c9e11",
                "Align reads",
                "Capsule: …"
            ),
            (
                "capsule:0b6f2c1e-52d4-4f0a-9a55-7f3a1d0c9e12@2",
                "Count cells",
                "Capsule, version 2"
            ),
        ]
    );
    let tokens: Vec<Json> = stub
        .asked()
        .iter()
        .filter(|asked| asked.line.starts_with("POST capsules"))
        .map(|asked| asked.json()["next_token"].clone())
        .collect();
    assert_eq!(tokens, [Json::Null, json!("eyJvIjoyfQ"), json!(2)]);
    let first = stub.asked()[0].json();
    assert_eq!(
        (&first["sort_order"], &first["archived"]),
        (&json!("desc"), &json!(false))
    );
}

#[tokio::test]
async fn a_token_that_leads_nowhere_ends_the_list() {
    let stub = Stub::start().await;
    stub.on("POST capsules/search", 200, golden("capsules-search"))
        .on("POST pipelines/search", 200, EMPTY);
    let pipelines = stub.client().pipelines().await.unwrap();
    assert_eq!(pipelines.len(), 1);
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn one_listed_as_both_is_a_pipeline() {
    let stub = Stub::start().await;
    let entry = format!(r#"{{"results":[{{"id":"{ID}","name":"Both"}}]}}"#);
    stub.on("POST capsules/search", 200, entry.as_str()).on(
        "POST pipelines/search",
        200,
        entry.as_str(),
    );
    let pipelines = stub.client().pipelines().await.unwrap();
    let ids: Vec<&str> = pipelines.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [format!("pipeline:{ID}")]);
}

#[tokio::test]
async fn a_typed_identifier_is_asked_about_once() {
    let stub = Stub::start().await;
    let capsule = format!(r#"{{"id":"{ID}"}}"#);
    stub.on(&format!("GET capsules/{ID}"), 200, capsule);
    let client = stub.client();
    for _ in 0..2 {
        let form = client.form(&PipelineId::from(ID)).await.unwrap();
        assert!(form.free_form);
    }
    assert_eq!(
        stub.lines(),
        [
            format!("GET pipelines/{ID}"),
            format!("GET capsules/{ID}"),
            format!("GET capsules/{ID}/app_panel"),
            format!("GET capsules/{ID}"),
            format!("GET capsules/{ID}/app_panel"),
            format!("GET capsules/{ID}"),
        ]
    );
}

#[tokio::test]
async fn the_number_of_a_page_is_looked_up_and_never_sent() {
    let stub = Stub::start().await;
    stub.on("POST capsules/search", 200, golden("capsules-search"))
        .on("POST capsules/search", 200, EMPTY)
        .on("POST pipelines/search", 200, EMPTY)
        .on(&format!("GET capsules/{ID}/app_panel"), 200, "{}");
    let client = stub.client();
    let page = PipelineId::from("https://acme.codeocean.com/capsule/1234567/tree");
    assert!(!client.form(&page).await.unwrap().free_form);
    assert!(
        stub.asked()
            .iter()
            .all(|asked| !asked.line.contains("1234567"))
    );
    let unknown = PipelineId::from("https://acme.codeocean.com/capsule/9999999/tree");
    let error = client.form(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let hint = error.failure().hint.clone().unwrap();
    assert!(hint.contains("under Metadata"), "{hint}");
}

#[tokio::test]
async fn inputs_that_are_ready_are_offered_with_their_folder() {
    let stub = Stub::start().await;
    let ready = json!({"id": ASSET, "name": "hg38", "mount": "reference", "state": "ready", "size": "2048"});
    let older = json!({"id": "b", "name": "old", "state": "DATA_ASSET_STATE_READY", "size": 7});
    let draft = golden_json("data-asset");
    let page = json!({"has_more": true, "next_token": 7, "results": [ready, older, draft]});
    stub.on("POST data_assets/search", 200, page.to_string())
        .on("POST data_assets/search", 200, EMPTY);
    let client = stub.client();
    let mut query = Query {
        words: Some(" tag:rna ".to_owned()),
        ..Query::default()
    };
    let page = client.browse(&query).await.unwrap();
    let listed: Vec<(&str, Option<u64>, &str)> = page
        .items
        .iter()
        .map(|item| (item.name.as_str(), item.size_bytes, item.memo.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            ("hg38", Some(2048), r#"{"mount":"reference"}"#),
            ("old", Some(7), r#"{"mount":"b"}"#)
        ]
    );
    query.cursor = page.next;
    assert_eq!(client.browse(&query).await.unwrap().next, None);
    let asked: Vec<Json> = stub.asked().iter().map(stub::Asked::json).collect();
    assert_eq!(asked[0]["query"], "tag:rna");
    assert_eq!(asked[1]["next_token"], 7);
}

#[tokio::test]
async fn runs_of_others_are_listed_and_taken_by_their_id() {
    let stub = Stub::start().await;
    let mut run = golden_json("computation");
    run["name"] = json!("Plate 7");
    let bench = json!({"id": "w", "cloud_workstation": true, "state": "running"});
    stub.on("POST capsules/search", 200, golden("capsules-search"))
        .on("POST capsules/search", 200, EMPTY)
        .on("POST pipelines/search", 200, EMPTY)
        .on(
            &format!("GET capsules/{ID}/computations"),
            200,
            json!([bench, run]).to_string(),
        )
        .on(&format!("GET computations/{RUN}"), 200, run.to_string());
    let client = stub.client();
    let page = client.jobs(&Query::default()).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let job = &page.items[0];
    assert_eq!(
        (job.name.as_str(), job.word.as_str()),
        ("Plate 7", "completed")
    );
    assert_eq!(job.pipeline.name, "Align reads");
    assert_eq!(job.remote.memo, format!("capsule:{ID}"));
    assert_eq!(
        job.remote.web_page,
        Some(format!("{}capsule/1234567/tree", stub.url))
    );
    assert_eq!(job.created.unwrap().as_second(), 1_720_001_234);
    let pasted = format!("https://acme.codeocean.com/capsule/1234567/tree?run={RUN}");
    assert_eq!(client.job(&pasted).await.unwrap().remote.id, RUN);
    let error = client.job("1234567").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
