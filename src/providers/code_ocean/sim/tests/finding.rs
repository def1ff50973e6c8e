//! Coming in, searching, forms.

use reqwest::Method;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::tests::bench::Bench;

#[tokio::test]
async fn only_the_token_with_an_empty_password_comes_in() {
    let bench = Bench::new().await;
    let token = bench.token();
    assert!(token.starts_with("cop_"));
    let path = format!("capsules/{}", capsules::READ_QUALITY);
    let ask = |user: String, password: Option<&'static str>| {
        let request = bench.bare(Method::GET, &path);
        Bench::send(request.basic_auth(user, password))
    };
    assert_eq!(ask(token.clone(), Some("")).await.status, 200);
    for heard in [
        ask(format!("'{token}"), Some("'")).await,
        ask(format!("'{token}"), Some("")).await,
        ask(token.clone(), Some("x")).await,
        ask(format!("{token}:"), Some("")).await,
        ask("cop_other".to_owned(), Some("")).await,
        Bench::send(bench.bare(Method::GET, &path)).await,
        Bench::send(bench.bare(Method::GET, &path).bearer_auth(&token)).await,
    ] {
        assert_eq!(heard.refusal().0, 401);
    }
}

#[tokio::test]
async fn a_server_too_old_says_so_and_a_malformed_version_is_refused() {
    let bench = Bench::new().await;
    let ask = |version: &'static str| {
        let request = bench.request(Method::POST, "capsules/search");
        Bench::send(request.header("Min-Server-Version", version))
    };
    assert_eq!(ask("4.8.0").await.status, 200);
    assert_eq!(ask("3.10.0").await.status, 200);
    assert_eq!(ask("new").await.refusal().0, 400);
    bench.set("code_ocean.server-version=4.7.3");
    assert_eq!(
        ask("4.8.0").await.refusal(),
        (
            400,
            "server version 4.7.3 is lower than required minimum 4.8.0".to_owned()
        )
    );
    assert_eq!(ask("4.7.3").await.status, 200);
}

#[tokio::test]
async fn nulls_slashes_and_absent_bodies_are_taken() {
    let bench = Bench::new().await;
    let nulls = json!({
        "query": null, "next_token": null, "offset": null, "limit": null, "sort_field": null, "sort_order": null,
        "ownership": null, "status": null, "favorite": null, "archived": null, "filters": null,
    });
    let first = bench.post("capsules/search", nulls.clone()).await.good();
    assert_eq!(bench.post("capsules/search/", nulls).await.good(), first);
    let absent = bench.call(Method::POST, "capsules/search").await.good();
    assert_eq!(absent, first);
    let kind = [("content-type", "application/json")];
    for (name, value) in kind {
        let request = bench.request(Method::POST, "pipelines/search/");
        assert_eq!(Bench::send(request.header(name, value)).await.status, 200);
    }
    let id = capsules::READ_QUALITY;
    for path in ["", "/", "/app_panel/", "/computations/"] {
        let heard = bench.get(&format!("capsules/{id}{path}")).await;
        assert_eq!(heard.status, 200, "{path}");
    }
    let refused = bench.post("capsules/search", json!([])).await.refusal();
    assert_eq!(refused.0, 400);
}

fn names(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().unwrap().iter();
    let name = |entry: &Value| entry["name"].as_str().unwrap().to_owned();
    results.map(name).collect()
}

#[tokio::test]
async fn pages_follow_each_other_by_token_and_by_offset() {
    let bench = Bench::new().await;
    let all = bench.post("capsules/search", json!({})).await.good();
    assert_eq!(
        (&all["has_more"], all.get("next_token")),
        (&json!(false), None)
    );
    let all = names(&all);
    assert_eq!(all.len(), 5);
    for style in ["text", "number"] {
        bench.set(&format!("code_ocean.next-token={style}"));
        for limit in [4, 5, 6] {
            let (mut seen, mut token, mut pages) = (Vec::new(), Value::Null, 0);
            loop {
                // An offset beside a token is ignored.
                let ask = json!({ "limit": limit, "next_token": token, "offset": if pages > 0 { 99 } else { 0 } });
                let page = bench.post("capsules/search", ask).await.good();
                seen.extend(names(&page));
                pages += 1;
                token = page["next_token"].clone();
                if page["has_more"] == json!(false) {
                    break;
                }
                assert_eq!(token.is_number(), style == "number");
            }
            assert_eq!((seen, pages), (all.clone(), if limit < 5 { 2 } else { 1 }));
        }
    }
    let rest = bench.post("capsules/search", json!({ "offset": 3 })).await;
    assert_eq!(names(&rest.good()), all[3..]);
    bench.set("code_ocean.max-limit=2");
    let page = bench.post("capsules/search", json!({ "limit": 50 })).await;
    assert_eq!(names(&page.good()), all[..2]);
    for wrong in [
        json!({ "limit": 1001 }),
        json!({ "next_token": "made up" }),
        json!({ "limit": "9" }),
    ] {
        assert_eq!(bench.post("capsules/search", wrong).await.status, 400);
    }
}

#[tokio::test]
async fn words_terms_and_filters_find() {
    let bench = Bench::new().await;
    for (ask, found) in [
        (json!({ "query": "fastq" }), vec!["Read quality"]),
        (
            json!({ "query": "READ quality", "sort_field": "name" }),
            vec!["Read quality", "Read quality, released"],
        ),
        (
            json!({ "query": "name:\"quality, released\"" }),
            vec!["Read quality, released"],
        ),
        (
            json!({ "query": "tag:genomics tag:example", "sort_field": "name" }),
            vec![
                "Every kind of field",
                "Read quality",
                "Read quality, released",
            ],
        ),
        (
            json!({ "query": "tag:genomics name:released" }),
            vec!["Read quality, released"],
        ),
        (
            json!({ "query": format!("id:{}", capsules::EVERY_FIELD) }),
            vec!["Every kind of field"],
        ),
        (json!({ "query": "nothing like it" }), vec![]),
        (json!({ "archived": true }), vec!["Old read counts"]),
        (
            json!({ "status": "release" }),
            vec!["Read quality, released"],
        ),
        (json!({ "favorite": true }), vec!["Read quality"]),
        (
            json!({ "ownership": "shared" }),
            vec!["Read quality, released"],
        ),
        (
            json!({ "filters": [{ "key": "tags", "value": "example", "values": null, "range": null, "exclude": null }] }),
            vec!["Every kind of field"],
        ),
        (
            json!({ "query": "quality", "filters": [{ "key": "tags", "value": "fastq", "exclude": true }] }),
            vec!["Read quality, released"],
        ),
        (
            json!({ "sort_field": "created", "sort_order": "asc", "limit": 1 }),
            vec!["Read quality, released"],
        ),
        (
            json!({ "sort_field": "name", "sort_order": "desc", "limit": 1 }),
            vec!["Without a form"],
        ),
    ] {
        let answer = bench.post("capsules/search", ask.clone()).await.good();
        assert_eq!(names(&answer), found, "{ask}");
    }
    let wrong = bench
        .post("capsules/search", json!({ "sort_field": "size of it" }))
        .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn entries_have_all_the_official_client_needs() {
    let bench = Bench::new().await;
    for kind in ["capsules", "pipelines"] {
        let all = bench
            .post(&format!("{kind}/search"), json!({}))
            .await
            .good();
        for entry in all["results"].as_array().unwrap() {
            for member in ["id", "created", "name", "status", "owner", "slug"] {
                assert!(!entry[member].is_null(), "{member}");
            }
            for version in entry["versions"].as_array().into_iter().flatten() {
                for member in ["major_version", "minor_version", "release_time"] {
                    assert!(version[member].is_number(), "{member}");
                }
            }
            let id = entry["id"].as_str().unwrap();
            assert_eq!(&bench.get(&format!("{kind}/{id}")).await.good(), entry);
            // A pipeline is found among the capsules, too.
            assert_eq!(bench.get(&format!("capsules/{id}")).await.status, 200);
        }
    }
    let slug = bench.get("capsules/4417203").await.refusal();
    assert_eq!(slug, (400, "invalid id: 4417203".to_owned()));
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        bench.get(&format!("capsules/{unknown}")).await.refusal().0,
        404
    );
    let capsule = capsules::READ_QUALITY;
    assert_eq!(
        bench.get(&format!("pipelines/{capsule}")).await.refusal().0,
        404
    );
}

async fn panel(bench: &Bench, name: &str) -> (u16, Value) {
    let query = json!({ "query": format!("name:\"{name}\"") });
    for kind in ["capsules", "pipelines"] {
        let found = bench
            .post(&format!("{kind}/search"), query.clone())
            .await
            .good();
        if let Some(id) = found["results"][0]["id"].as_str() {
            let heard = bench.get(&format!("{kind}/{id}/app_panel")).await;
            return (heard.status, heard.json());
        }
    }
    panic!("no {name}")
}

#[tokio::test]
async fn app_panels_are_of_every_kind_or_absent() {
    let bench = Bench::new().await;
    assert_eq!(panel(&bench, "Without a form").await.0, 404);
    assert_eq!(panel(&bench, "Copy and count").await.0, 404);
    let (_, every) = panel(&bench, "Every kind").await;
    let parameters = every["parameters"].as_array().unwrap();
    let has = |what: &dyn Fn(&Value) -> bool| assert!(parameters.iter().any(what));
    has(&|it| it["param_name"].is_null());
    has(&|it| it["type"] == "list" && it["value_options"].is_array());
    has(&|it| it["type"] == "file");
    has(&|it| it["minimum"].is_number() && it["maximum"].is_number());
    has(&|it| it["pattern"].is_string());
    has(&|it| it["hidden"] == json!(true));
    has(&|it| it["required"] == json!(true));
    has(&|it| it["value_type"] == "boolean");
    for parameter in parameters {
        assert!(parameter["name"].is_string() && parameter["type"].is_string());
        let default = &parameter["default_value"];
        assert!(default.is_null() || default.is_string(), "{parameter}");
    }
    let asset = &every["data_assets"][0];
    assert_eq!(asset["accessible"], json!(false));
    for member in ["id", "mount", "name", "kind"] {
        assert!(asset[member].is_string(), "{member}");
    }
    assert!(every["categories"][0]["id"].is_string() && every["categories"][0]["name"].is_string());
    assert!(every["results"][0]["file_name"].is_string());
    let (_, images) = panel(&bench, "Image statistics\" tag:\"microscopy").await;
    let processes = images["processes"].as_array().unwrap();
    assert!(processes[0]["parameters"][0]["param_name"].is_null());
    assert_eq!(processes[1]["parameters"][1]["param_name"], "bins");
    assert!(images.get("parameters").is_none());
    bench.set("code_ocean.processes=single");
    let path = format!("pipelines/{}/app_panel", capsules::IMAGE_STATISTICS);
    let single = bench.get(&path).await.good();
    assert!(single["processes"][0]["parameters"].is_object());
    bench.set("code_ocean.panel=corrupted");
    let refused = bench.get(&path).await.refusal();
    assert_eq!(refused, (403, "corrupted object files".to_owned()));
}

#[tokio::test]
async fn a_form_of_a_version_is_asked_for_in_the_query() {
    let bench = Bench::new().await;
    let found = bench
        .post("capsules/search", json!({ "status": "release" }))
        .await
        .good();
    let id = found["results"][0]["id"].as_str().unwrap();
    for (version, status) in [
        ("?version=1", 200),
        ("?version=2", 200),
        ("", 200),
        ("?version=3", 400),
    ] {
        let heard = bench
            .get(&format!("capsules/{id}/app_panel{version}"))
            .await;
        assert_eq!(heard.status, status, "{version}");
    }
}
