//! Results: the tree of files and signed links to them.

use std::io::Read as _;

use reqwest::Method;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::capsules;
use crate::providers::code_ocean::sim::tests::bench::Bench;

struct Results {
    bench: Bench,
    id: String,
}

impl Results {
    async fn new(bench: Bench) -> Self {
        let run = bench.finished_run().await;
        let id = run["id"].as_str().unwrap().to_owned();
        Self { bench, id }
    }

    async fn list(&self, folder: &str) -> Value {
        let path = format!("computations/{}/results", self.id);
        let listed = self.bench.post(&path, json!({ "path": folder })).await;
        listed.good()["items"].clone()
    }

    /// All files below a folder.
    async fn walk(&self) -> Vec<Value> {
        let mut folders = vec![String::new()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for item in self.list(&folder).await.as_array().unwrap() {
                assert!(item["name"].is_string());
                match item["type"].as_str() {
                    Some("folder") => folders.push(item["path"].as_str().unwrap().to_owned()),
                    Some("file") => files.push(item.clone()),
                    other => panic!("{other:?}"),
                }
            }
        }
        files
    }

    async fn link(&self, path: &str) -> String {
        let links = self
            .bench
            .request(
                Method::GET,
                &format!("computations/{}/results/urls", self.id),
            )
            .query(&[("path", path)]);
        let links = Bench::send(links).await.good();
        assert!(links["view_url"].is_string());
        links["download_url"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn results_are_a_tree_with_names_of_all_kinds() {
    let results = Results::new(Bench::new().await).await;
    let files = results.walk().await;
    let paths: Vec<&str> = files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    for path in [
        "output",
        "summary.csv",
        "by position.zip",
        "tables/by position/liver 1 – quality µ.csv",
    ] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    let nothing = files
        .iter()
        .find(|file| file["name"] == "warnings.txt")
        .unwrap();
    assert_eq!(nothing["size"], json!(0));
    for file in &files {
        let link = results.link(file["path"].as_str().unwrap()).await;
        let bytes = results
            .bench
            .http
            .get(link)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert_eq!(json!(bytes.len()), file["size"], "{file}");
        if file["name"] == "by position.zip" {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            assert_eq!(zip.len(), 2);
            let mut text = String::new();
            zip.by_index(0).unwrap().read_to_string(&mut text).unwrap();
            assert!(text.starts_with("position,bases,mean quality\n"), "{text}");
        }
    }
    results.bench.set("code_ocean.members=omit-empty");
    let items = results.list("").await;
    let nothing = items
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["name"] == "warnings.txt");
    assert!(nothing.unwrap().get("size").is_none());
}

#[tokio::test]
async fn reads_are_really_counted() {
    let results = Results::new(Bench::new().await).await;
    let link = results.link("summary.csv").await;
    let table = Bench::send(results.bench.http.get(link)).await.text;
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 3, "{table}");
    assert_eq!(rows[1][..2], ["reads/liver 1.fastq", "30"]);
    assert_eq!(rows[2][..2], ["reads/lane 2/liver µ.fastq.gz", "40"]);
    let link = results.link("skipped.csv").await;
    let skipped = Bench::send(results.bench.http.get(link)).await.text;
    assert_eq!(skipped, "file,reason\nreads/README.txt,it is not FASTQ\n");
}

#[tokio::test]
async fn the_root_is_meant_without_a_body_and_an_unknown_folder_is_not_found() {
    let results = Results::new(Bench::new().await).await;
    let path = format!("computations/{}/results", results.id);
    let root = results.list("").await;
    for path in [path.clone(), format!("{path}/")] {
        let heard = results.bench.call(Method::POST, &path).await.good();
        assert_eq!(heard["items"], root);
    }
    let body = results
        .bench
        .request(Method::POST, &path)
        .body("{\"path\": null}");
    assert_eq!(Bench::send(body).await.good()["items"], root);
    assert_eq!(results.list("/tables/").await, results.list("tables").await);
    let unknown = results
        .bench
        .post(&path, json!({ "path": "nowhere" }))
        .await;
    assert_eq!(unknown.refusal().0, 404);
}

#[tokio::test]
async fn a_hostile_name_is_only_there_when_asked_for() {
    let usual = Results::new(Bench::new().await).await;
    let paths = |files: Vec<Value>| -> Vec<Value> {
        files.into_iter().map(|it| it["path"].clone()).collect()
    };
    assert!(!paths(usual.walk().await).contains(&json!("../x")));
    let bench = Bench::new().await;
    bench.set("code_ocean.results=hostile");
    let hostile = Results::new(bench).await;
    assert!(paths(hostile.walk().await).contains(&json!("../x")));
    let link = hostile.link("../x").await;
    let text = Bench::send(hostile.bench.http.get(link)).await.text;
    assert_eq!(text, "must not leave the folder\n");
}

#[tokio::test]
async fn a_path_is_read_in_every_way_of_writing_it() {
    let results = Results::new(Bench::new().await).await;
    for path in [
        "tables%2Fby+position%2Fliver+1+%E2%80%93+quality+%C2%B5.csv",
        "tables/by%20position/liver%201%20%E2%80%93%20quality%20%c2%b5.csv",
        "tables%2Fby%20position%2Fliver%201%20%E2%80%93%20quality%20%C2%B5.csv",
    ] {
        for form in ["urls", "urls/", "download_url"] {
            let path = format!("computations/{}/results/{form}?path={path}", results.id);
            assert_eq!(results.bench.get(&path).await.status, 200, "{path}");
        }
    }
    let urls = format!("computations/{}/results/urls", results.id);
    assert_eq!(
        results
            .bench
            .get(&format!("{urls}?path=tables"))
            .await
            .refusal()
            .0,
        404
    );
    assert_eq!(results.bench.get(&urls).await.refusal().0, 400);
}

#[tokio::test]
async fn an_old_server_knows_only_the_old_form_of_links() {
    let results = Results::new(Bench::new().await).await;
    let ask = async |form: &str| {
        let path = format!("computations/{}/results/{form}?path=output", results.id);
        results.bench.get(&path).await.status
    };
    results.bench.set("code_ocean.file-urls=old-only");
    assert_eq!((ask("urls").await, ask("download_url").await), (404, 200));
    results.bench.set("code_ocean.file-urls=new-only");
    assert_eq!((ask("urls").await, ask("download_url").await), (200, 404));
}

#[tokio::test]
async fn signed_links_refuse_credentials_expire_and_continue() {
    let results = Results::new(Bench::new().await).await;
    let http = &results.bench.http;
    let link = results.link("summary.csv").await;
    let api = results.bench.sandbox.world().api_url();
    assert!(!link.starts_with(&api));
    let with_key = http.get(&link).basic_auth(results.bench.token(), Some(""));
    assert_eq!(Bench::send(with_key).await.status, 400);
    let whole = Bench::send(http.get(&link)).await;
    assert_eq!(
        whole.headers["content-length"],
        whole.text.len().to_string()
    );
    let part = Bench::send(http.get(&link).header("range", "bytes=5-")).await;
    assert_eq!(
        (part.status, part.text.as_str()),
        (206, whole.text.get(5..).unwrap())
    );
    let range = format!("bytes 5-{}/{}", whole.text.len() - 1, whole.text.len());
    assert_eq!(part.headers["content-range"], range);
    assert_eq!(part.headers["etag"], whole.headers["etag"]);
    let other = link.replace("summary.csv", "other.csv");
    assert_eq!(Bench::send(http.get(other)).await.status, 403);
    results.bench.pass(301_000);
    assert_eq!(Bench::send(http.get(&link)).await.status, 403);
    results.bench.set("code_ocean.link-seconds=1000");
    let link = results.link("summary.csv").await;
    results.bench.pass(900_000);
    assert_eq!(Bench::send(http.get(&link)).await.text, whole.text);
}

#[tokio::test]
async fn there_are_no_results_before_the_end() {
    let bench = Bench::new().await;
    let run = bench
        .start(json!({ "capsule_id": capsules::READ_QUALITY }))
        .await;
    let path = format!("computations/{}/results", run["id"].as_str().unwrap());
    assert_eq!(bench.call(Method::POST, &path).await.refusal().0, 404);
}
