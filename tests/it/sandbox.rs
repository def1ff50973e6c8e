//! The sandbox seen from outside: every trap a client must survive is really there.
//!
//! Owns raw requests against the simulators, without any of the program's own client code.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use labferry::sandbox::samples;
use labferry::sandbox::{Sandbox, SandboxOptions};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

const NUCLEI: &str = "64f1a2b3c4d5e6f708192a3b";

/// A sandbox and a plain client for its Biodock.
struct Bench {
    sandbox: Sandbox,
    client: Client,
    url: String,
    key: String,
}

impl Bench {
    async fn start(faults: &[&str]) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            // The clock stands still but for `Bench::until`: no load can make a short state pass unseen.
            speed: 1e-6,
            faults: faults.iter().map(ToString::to_string).collect(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let addresses = sandbox.addresses();
        Self {
            sandbox,
            client,
            url: addresses.entry("biodock", "url"),
            key: addresses.entry("biodock", "key"),
        }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.header("X-API-KEY", &self.key).send().await.unwrap()
    }

    async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Response, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        request.header("X-API-KEY", &self.key).send().await
    }

    async fn send_form(&self, form: Form) -> Response {
        let url = format!("{}/filesystem-items/upload-file", self.url);
        let request = self.client.post(url).multipart(form);
        request.header("X-API-KEY", &self.key).send().await.unwrap()
    }

    async fn upload(&self, name: &str, folder: &str, bytes: Vec<u8>) -> String {
        let form = Form::new()
            .text("fileName", name.to_owned())
            .text("destinationFolder", folder.to_owned())
            .part("upload", Part::bytes(bytes).file_name("upload.bin"));
        let answer: Value = self.send_form(form).await.json().await.unwrap();
        assert_eq!(answer["__t"], "File");
        id_of(&answer)
    }

    async fn upload_samples(&self, folder: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for sample in samples::make().unwrap().into_iter().take(5) {
            ids.push(self.upload(sample.name, folder, sample.bytes).await);
        }
        ids
    }

    async fn submit(&self, ids: &[String]) -> String {
        let body = json!({ "pipelineId": NUCLEI, "filesystemIds": ids, "name": "a test" });
        let response = self.post("/analysis-jobs", &body).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["status"], "PENDING");
        id_of(&answer)
    }

    /// Asks until the answer, taken out of its wrapping, is as wanted.
    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let entry = unwrapped(self.get_json(path).await);
            if wanted(&entry) {
                return entry;
            }
            assert!(Instant::now() < deadline, "still {entry}");
            self.sandbox.world().advance(Duration::from_millis(100));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn finished(&self, job: &str) -> Value {
        let path = format!("/analysis-jobs/{job}");
        self.until(&path, |entry| entry["status"] == "SUCCEEDED")
            .await
    }

    /// A finished job with a link to its objects table.
    async fn table_link(&self) -> String {
        let sample = samples::make().unwrap().remove(0);
        let id = self.upload(sample.name, "", sample.bytes).await;
        let entry = self.finished(&self.submit(&[id]).await).await;
        entry["objectsDataCSVUrl"].as_str().unwrap().to_owned()
    }

    async fn fetch(&self, url: &str) -> Response {
        self.client.get(url).send().await.unwrap()
    }
}

fn id_of(answer: &Value) -> String {
    let id = answer["id"].as_str().unwrap();
    assert_eq!(id.len(), 24);
    assert!(id.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
    id.to_owned()
}

fn unwrapped(mut answer: Value) -> Value {
    for name in ["analysisJob", "downloadMasksJob"] {
        if answer[name].is_object() {
            return answer[name].take();
        }
    }
    answer
}

#[tokio::test]
async fn the_key_is_required_and_refused_in_several_ways() {
    let bench = Bench::start(&[]).await;
    let answer = bench.get_json("/check").await;
    assert_eq!(answer["messsage"], "API key is valid.");
    let ask = || bench.client.get(format!("{}/check", bench.url));
    let wrong = || ask().header("X-API-KEY", "wrong").send();
    assert_eq!(ask().send().await.unwrap().status(), 401);
    let answer: Value = wrong().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "message": "Unauthorized" }));
    let faults = bench.sandbox.world().faults();
    faults.set("biodock.refusal", "html").unwrap();
    let answer = wrong().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));
    faults.set("biodock.refusal", "login-page").unwrap();
    let answer = wrong().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));
    faults.set("biodock.refusal", "redirect").unwrap();
    assert_eq!(wrong().await.unwrap().status(), 302);
    let log = bench.sandbox.world().requests().at("biodock.check");
    let carried: Vec<bool> = log.iter().map(|request| request.carried_key).collect();
    assert_eq!(carried, [true, false, false, false, false, false]);
    assert!(log[2].header_names.contains("x-api-key"));
}

#[tokio::test]
async fn a_job_of_several_files_runs_to_checked_results() {
    let bench = Bench::start(&[]).await;
    let mut ids = bench.upload_samples("labferry-1/plate, one").await;
    // Not an image: no rows, and the job succeeds nevertheless.
    ids.push(
        bench
            .upload("notes.txt", "labferry-1", b"text".to_vec())
            .await,
    );
    let job = bench.submit(&ids).await;
    let entry = bench.finished(&job).await;
    assert_eq!(entry["percentageCompleted"], 100);

    let table = bench.fetch(entry["objectsDataCSVUrl"].as_str().unwrap());
    let table = table.await.bytes().await.unwrap();
    let mut reader = csv::Reader::from_reader(table.as_ref());
    let columns: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        &columns[..10],
        [
            "Object ID",
            "Image origin",
            "Class",
            "Area",
            "Perimeter",
            "Length of Major Axis",
            "Length of Minor Axis",
            "Feret Diameter Maximum",
            "X Position",
            "Y Position",
        ]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let origins: BTreeSet<&str> = rows.iter().map(|row| &row[1]).collect();
    assert_eq!(
        origins.into_iter().collect::<Vec<_>>(),
        [
            "labferry-1/plate, one/P01_A01_DAPI.png",
            "labferry-1/plate, one/P01_A02_DAPI.tif",
            "labferry-1/plate, one/P01_B01_DAPI.jpg",
            "labferry-1/plate, one/P01_C03_merged.png",
        ]
    );
    let classes: BTreeSet<&str> = rows.iter().map(|row| &row[2]).collect();
    assert!(classes.contains("Nucleus"));
    // Ids start again with each image.
    assert_eq!(rows.iter().filter(|row| &row[0] == "1.0").count(), 4);
    let first = rows.iter().filter(|row| row[1].ends_with("A01_DAPI.png"));
    assert!((20..=26).contains(&first.count()));

    let aggregate = bench.fetch(entry["aggregateDataCSVUrl"].as_str().unwrap());
    let aggregate = aggregate.await.text().await.unwrap();
    assert!(aggregate.contains("\"labferry-1/plate, one/P01_B02_DAPI.png\",Nucleus,0,,0,,"));
    assert!(bench.sandbox.world().requests().at_storage().len() == 2);
}

#[tokio::test]
async fn masks_are_made_once_on_request_and_fit_the_table() {
    let bench = Bench::start(&[]).await;
    let ids = bench.upload_samples("a").await;
    let job = bench.submit(&ids).await;
    let path = format!("/analysis-jobs/{job}/download-masks");
    assert_eq!(bench.get(&path).await.status(), 404);
    bench.finished(&job).await;
    let asked = bench.post(&path, &json!({})).await.unwrap();
    let asked: Value = asked.json().await.unwrap();
    assert_eq!(
        asked,
        json!({ "percentageCompleted": 0, "status": "SUBMITTED" })
    );
    let wrapped = bench.get_json(&path).await;
    assert!(wrapped["downloadMasksJob"]["percentageCompleted"].is_number());
    let done = bench
        .until(&path, |entry| entry["masksZipUrl"].is_string())
        .await;
    let again = bench.post(&path, &json!({})).await.unwrap();
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["status"], "SUCCEEDED");

    let link = |entry: &Value| {
        let url = entry["masksZipUrl"].as_str().unwrap().to_owned();
        url.split_once('?').unwrap().0.to_owned()
    };
    assert_eq!(link(&again), link(&done), "the same file");
    let bytes = bench.fetch(done["masksZipUrl"].as_str().unwrap()).await;
    let bytes = bytes.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert!(archive.by_index(0).unwrap().is_dir());
    assert_eq!(archive.len(), 1 + 5);
    let mut read = |id: &str| -> Value {
        let name = format!("masks data/{id}_objects.json");
        let mut text = String::new();
        let mut entry = archive.by_name(&name).unwrap();
        entry.read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let blank = read(&ids[3]);
    assert_eq!(blank["objects"], json!({}));
    assert_eq!(blank["width"], 224);
    let nuclei = read(&ids[0]);
    assert_eq!(nuclei["filename"], "P01_A01_DAPI.png");
    let object = &nuclei["objects"]["1"];
    let bounds: Vec<u64> = serde_json::from_value(object["bbox"].clone()).unwrap();
    let size = json!([bounds[3] - bounds[1], bounds[2] - bounds[0]]);
    assert_eq!(object["rle"]["size"], size);
    let entry = bench.finished(&job).await;
    let table = bench.fetch(entry["objectsDataCSVUrl"].as_str().unwrap());
    let table = table.await.bytes().await.unwrap();
    let mut checked = 0;
    for row in csv::Reader::from_reader(table.as_ref()).records() {
        let row = row.unwrap();
        if &row[1] != "a/P01_A01_DAPI.png" {
            continue;
        }
        let object = &nuclei["objects"][row[0].trim_end_matches(".0")];
        let runs = decoded(object["rle"]["counts"].as_str().unwrap());
        let area: i64 = runs.iter().skip(1).step_by(2).sum();
        assert_eq!(area.to_string(), row[3]);
        let size: [i64; 2] = serde_json::from_value(object["rle"]["size"].clone()).unwrap();
        assert_eq!(runs.iter().sum::<i64>(), size[0] * size[1]);
        assert_eq!(object["pred_class"], row[2]);
        checked += 1;
    }
    assert_eq!(nuclei["objects"].as_object().unwrap().len(), checked);
}

/// COCO's compressed run lengths, read as `rleFrString` in its `maskApi.c` does.
fn decoded(counts: &str) -> Vec<i64> {
    let text = base64::engine::general_purpose::STANDARD.decode(counts);
    let text = text.unwrap();
    let mut runs: Vec<i64> = Vec::new();
    let mut letters = text.iter().map(|letter| i64::from(letter - 48)).peekable();
    while letters.peek().is_some() {
        let (mut run, mut shift) = (0, 0);
        loop {
            let group = letters.next().unwrap();
            run |= (group & 0x1f) << shift;
            shift += 5;
            if group & 0x20 == 0 {
                if group & 0x10 != 0 {
                    run |= -1 << shift;
                }
                break;
            }
        }
        if runs.len() > 2 {
            run += runs[runs.len() - 2];
        }
        runs.push(run);
    }
    runs
}

#[tokio::test]
async fn answers_are_wrapped_or_flat() {
    let bench = Bench::start(&[]).await;
    let sample = samples::make().unwrap().remove(0);
    let id = bench.upload("x.png", "", sample.bytes).await;
    let job = bench.submit(&[id]).await;
    let path = format!("/analysis-jobs/{job}");
    let faults = bench.sandbox.world().faults();
    assert_eq!(bench.get_json(&path).await["analysisJob"]["id"], *job);
    let list = bench.get_json("/analysis-jobs").await;
    assert_eq!(list["results"][0]["id"], *job);
    assert_eq!(list["results"][0].get("name"), None);
    faults.add("biodock.style=flat").unwrap();
    assert_eq!(bench.get_json(&path).await["id"], *job);
    faults.add("biodock.style=wrapped").unwrap();
    let list = bench.get_json("/analysis-jobs").await;
    assert_eq!(list["results"][0]["analysisJob"]["id"], *job);
}

#[tokio::test]
async fn lives_go_wrong_as_set() {
    let bench = Bench::start(&[]).await;
    let sample = samples::make().unwrap().remove(0);
    let id = bench.upload("x.png", "", sample.bytes).await;
    let ids = [id];
    let faults = bench.sandbox.world().faults();
    let submit = async |life: &str| {
        faults.set("biodock.life", life).unwrap();
        let job = bench.submit(&ids).await;
        format!("/analysis-jobs/{job}")
    };
    let path = submit("fails").await;
    let failed = bench
        .until(&path, |entry| entry["status"] == "FAILED")
        .await;
    assert_eq!(failed["percentageCompleted"], 100);
    assert_eq!(failed.get("objectsDataCSVUrl"), None);
    let path = submit("full-but-running").await;
    let full = |entry: &Value| entry["percentageCompleted"] == 100;
    let full = bench.until(&path, full).await;
    assert_eq!(full["status"], "RUNNING");
    let path = submit("late-urls").await;
    let done = |entry: &Value| entry["status"] == "SUCCEEDED";
    let early = bench.until(&path, done).await;
    assert_eq!(early.get("objectsDataCSVUrl"), None);
    let offered = |entry: &Value| entry["objectsDataCSVUrl"].is_string();
    bench.until(&path, offered).await;
    let path = submit("unknown-status").await;
    let strange = |entry: &Value| entry["status"] == "POSTPROCESSING";
    bench.until(&path, strange).await;
    bench.until(&path, done).await;
    faults.set("biodock.percentage", "null").unwrap();
    let path = submit("stays").await;
    let stays = bench
        .until(&path, |entry| entry["status"] == "RUNNING")
        .await;
    assert_eq!(stays["percentageCompleted"], Value::Null);
    bench.sandbox.world().advance(Duration::from_hours(1));
    bench
        .until(&path, |entry| entry["status"] == "RUNNING")
        .await;
    // A job without a single image fails.
    faults.set("biodock.life", "usual").unwrap();
    let text = bench.upload("x.txt", "", b"no image".to_vec()).await;
    let path = format!("/analysis-jobs/{}", bench.submit(&[text]).await);
    let failed = bench
        .until(&path, |entry| entry["status"] == "FAILED")
        .await;
    assert!(failed["message"].is_string());
}

#[tokio::test]
async fn lists_have_cursors_that_may_be_ignored() {
    let bench = Bench::start(&[]).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(bench.upload(name, "inbox", vec![1]).await);
    }
    let root = bench.get_json("/filesystem-items").await;
    assert_eq!(root["results"][0]["__t"], "Folder");
    assert_eq!(root["results"][0]["name"], "inbox");
    let created = root["results"][0]["createdAt"].as_str().unwrap();
    assert_eq!((created.len(), &created[23..]), (24, "Z"));
    let folder = id_of(&root["results"][0]);
    let page = async |rest: &str| {
        let path = format!("/filesystem-items?folderId={folder}{rest}");
        let answer = bench.get_json(&path).await;
        let results = answer["results"].as_array().unwrap();
        let names: Vec<String> = results
            .iter()
            .map(|entry| entry["name"].as_str().unwrap().to_owned())
            .collect();
        (names.concat(), answer["count"].as_u64().unwrap())
    };
    assert_eq!(page("").await, ("edcba".to_owned(), 5));
    let after = format!("&limit=2&startingAfter={}", ids[3]);
    assert_eq!(page(&after).await, ("cb".to_owned(), 2));
    let end = format!("&limit=2&startingAfter={}", ids[0]);
    assert_eq!(page(&end).await, (String::new(), 0));
    let faults = bench.sandbox.world().faults();
    faults.set("biodock.count", "total").unwrap();
    assert_eq!(page(&after).await, ("cb".to_owned(), 5));
    faults.set("biodock.cursor", "ignored").unwrap();
    assert_eq!(page(&after).await, ("ed".to_owned(), 5));
    faults.set("biodock.limit", "3").unwrap();
    assert_eq!(page("").await.0, "edc");
    faults.set("biodock.max-limit", "1").unwrap();
    assert_eq!(page("&limit=4").await.0, "e");
    assert_eq!(bench.get("/pipelines?limit=0").await.status(), 400);
    let pipelines = bench.get_json("/pipelines").await;
    assert_eq!(pipelines["results"][0]["description"], "Nuclei count");
    assert_eq!(pipelines["results"][0].get("name"), None);
}

#[tokio::test]
async fn uploads_need_a_name_and_fit_the_limit() {
    let bench = Bench::start(&["biodock.max-upload=1000"]).await;
    let part = |bytes: usize| Part::bytes(vec![7; bytes]).file_name("x");
    let named = |bytes| {
        Form::new()
            .text("fileName", "x")
            .part("upload", part(bytes))
    };
    assert_eq!(bench.send_form(named(1000)).await.status(), 200);
    assert_eq!(bench.send_form(named(3_000_000)).await.status(), 413);
    let nameless = Form::new().part("upload", part(1));
    assert_eq!(bench.send_form(nameless).await.status(), 400);
    let fileless = Form::new().text("fileName", "x");
    assert_eq!(bench.send_form(fileless).await.status(), 400);
    let world = bench.sandbox.world();
    let log = world.requests().at("biodock.upload");
    assert!(log[1].body_bytes > 3_000_000);
    assert_eq!(log[1].status, Some(413));
    let kept = std::fs::read_dir(world.folder().join("biodock-uploads")).unwrap();
    assert_eq!(kept.count(), 1, "refused uploads are removed");
    let root = bench.get_json("/filesystem-items").await;
    assert_eq!(root["count"], 1);
}

#[tokio::test]
async fn submissions_are_checked() {
    let bench = Bench::start(&["biodock.usable-after=60000"]).await;
    let id = bench.upload("x", "", vec![1]).await;
    let status = async |body: Value| {
        let response = bench.post("/analysis-jobs", &body).await.unwrap();
        response.status().as_u16()
    };
    let good = json!({ "pipelineId": NUCLEI, "filesystemIds": [id] });
    assert_eq!(status(good.clone()).await, 400, "not usable yet");
    bench.sandbox.world().advance(Duration::from_mins(1));
    assert_eq!(status(good).await, 200);
    let unknown = json!({ "pipelineId": "nothing", "filesystemIds": [id] });
    assert_eq!(status(unknown).await, 404);
    let unknown = json!({ "pipelineId": NUCLEI, "filesystemIds": ["nothing"] });
    assert_eq!(status(unknown).await, 404);
    assert_eq!(status(json!({ "pipelineId": NUCLEI })).await, 400);
    let empty = json!({ "pipelineId": NUCLEI, "filesystemIds": [] });
    assert_eq!(status(empty).await, 400);
    assert_eq!(status(json!([])).await, 400);
}

#[tokio::test]
async fn storage_refuses_keys_and_old_links() {
    let bench = Bench::start(&[]).await;
    let url = bench.table_link().await;
    assert!(url.starts_with(&bench.sandbox.world().storage_url()));
    assert_eq!(bench.fetch(&url).await.status(), 200);
    let with_key = bench.client.get(&url).header("X-API-KEY", &bench.key);
    let refused = with_key.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let body = refused.text().await.unwrap();
    assert!(body.contains("<Code>InvalidArgument</Code>"));
    let (bare, _) = url.split_once('?').unwrap();
    assert_eq!(bench.fetch(bare).await.status(), 403);
    bench.sandbox.world().advance(Duration::from_mins(6));
    let expired = bench.fetch(&url).await;
    assert_eq!(expired.status(), 403);
    assert!(
        expired
            .text()
            .await
            .unwrap()
            .contains("Request has expired")
    );
    let log = bench.sandbox.world().requests().at_storage();
    let keys: Vec<bool> = log.iter().map(|request| request.carried_key).collect();
    assert_eq!(keys, [false, true, false, false]);
}

#[tokio::test]
async fn storage_sends_parts() {
    let bench = Bench::start(&[]).await;
    let url = bench.table_link().await;
    let whole = bench.fetch(&url).await;
    let etag = whole.headers()["etag"].to_str().unwrap().to_owned();
    let whole = whole.bytes().await.unwrap();
    let part = async |range: &str, condition: &str| {
        let request = bench.client.get(&url).header("range", range);
        let response = request.header("if-range", condition).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap())
    };
    let (status, bytes) = part("bytes=10-19", &etag).await;
    assert_eq!((status, &bytes[..]), (206, &whole[10..20]));
    let (status, bytes) = part("bytes=100-", &etag).await;
    assert_eq!((status, &bytes[..]), (206, &whole[100..]));
    let (status, bytes) = part("bytes=100-", "\"another\"").await;
    assert_eq!((status, &bytes), (200, &whole));
    let beyond = format!("bytes={}-", whole.len());
    assert_eq!(part(&beyond, &etag).await.0, 416);
    bench.sandbox.world().faults().add("no-range*1").unwrap();
    let (status, bytes) = part("bytes=100-", &etag).await;
    assert_eq!((status, &bytes), (200, &whole));
    assert_eq!(part("bytes=100-", &etag).await.0, 206);
}

#[tokio::test]
async fn a_lost_answer_leaves_a_job_and_a_refused_one_does_not() {
    let bench = Bench::start(&[]).await;
    let id = bench.upload("x", "", vec![1]).await;
    let world = bench.sandbox.world();
    let body = json!({ "pipelineId": NUCLEI, "filesystemIds": [id] });
    world
        .faults()
        .add("refuse-before@biodock.submit*1")
        .unwrap();
    let error = bench.post("/analysis-jobs", &body).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(bench.get_json("/analysis-jobs").await["count"], 0);
    world.faults().add("lost-answer@biodock.submit*1").unwrap();
    let error = bench.post("/analysis-jobs", &body).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(bench.get_json("/analysis-jobs").await["count"], 1);
    let log = world.requests().at("biodock.submit");
    let statuses: Vec<_> = log.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
}

#[tokio::test]
async fn faults_look_as_named() {
    let bench = Bench::start(&[]).await;
    let faults = bench.sandbox.world().faults();
    for (name, status) in [
        ("unauthorized", 401),
        ("forbidden", 403),
        ("rate-limited", 429),
        ("rate-limited-silent", 429),
        ("server-error", 500),
        ("unavailable", 503),
        ("redirect-elsewhere", 302),
    ] {
        faults.add(&format!("{name}@biodock.check*1")).unwrap();
        let response = bench.get("/check").await;
        assert_eq!(response.status(), status, "{name}");
        let waits = response.headers().contains_key("retry-after");
        assert_eq!(waits, name == "rate-limited");
        if name == "redirect-elsewhere" {
            let target = response.headers()["location"].to_str().unwrap();
            assert!(target.starts_with("http://localhost:"), "{target}");
        }
        assert_eq!(bench.get("/check").await.status(), 200);
    }
    faults.add("html@biodock.check*1").unwrap();
    let page = bench.get("/check").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    faults.add("garbled@biodock.check*1").unwrap();
    let garbled = bench.get("/check").await;
    assert_eq!(garbled.status(), 200);
    assert!(garbled.json::<Value>().await.is_err());
}

#[tokio::test]
async fn broken_bodies_and_silence() {
    let bench = Bench::start(&[]).await;
    let url = bench.table_link().await;
    let faults = bench.sandbox.world().faults();
    let whole = bench.fetch(&url).await.bytes().await.unwrap();
    for (name, most) in [("cut-body", whole.len() / 2), ("wrong-length", whole.len())] {
        faults.add(&format!("{name}@storage.get*1")).unwrap();
        let mut response = bench.fetch(&url).await;
        assert_eq!(response.status(), 200);
        let mut received = 0;
        let end = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => received += bytes.len(),
                end => break end,
            }
        };
        assert!(end.is_err(), "{name} is noticed");
        assert_eq!(received, most, "{name}");
    }
    faults.add("slow@storage.get*1").unwrap();
    let begin = Instant::now();
    assert_eq!(bench.fetch(&url).await.bytes().await.unwrap(), whole);
    assert!(begin.elapsed() > Duration::from_millis(900));
    faults.add("expired-link*1").unwrap();
    assert_eq!(bench.fetch(&url).await.status(), 403);
    faults.add("hang@biodock.check*1").unwrap();
    let request = bench.client.get(format!("{}/check", bench.url));
    let request = request.timeout(Duration::from_millis(200)).send();
    assert!(request.await.unwrap_err().is_timeout());
    // A hanging request does not keep the sandbox alive.
    faults.add("hang@biodock.check*1").unwrap();
    let hanging = bench.client.get(format!("{}/check", bench.url)).send();
    let world = std::sync::Arc::clone(bench.sandbox.world());
    let stop = async {
        while world.requests().count("biodock.check") < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(bench.sandbox);
    };
    let (answer, ()) = tokio::join!(hanging, stop);
    assert!(answer.unwrap_err().is_request());
}

#[tokio::test]
async fn a_hostile_archive_can_be_asked_for() {
    let bench = Bench::start(&["biodock.masks-zip=hostile"]).await;
    let sample = samples::make().unwrap().remove(0);
    let id = bench.upload("x.png", "", sample.bytes).await;
    let job = bench.submit(&[id]).await;
    bench.finished(&job).await;
    let path = format!("/analysis-jobs/{job}/download-masks");
    bench.post(&path, &json!({})).await.unwrap();
    let done = bench
        .until(&path, |entry| entry["masksZipUrl"].is_string())
        .await;
    let bytes = bench.fetch(done["masksZipUrl"].as_str().unwrap()).await;
    let bytes = bytes.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert!(
        names.iter().any(|name| name.starts_with("../")),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name.starts_with('/')), "{names:?}");
    let mut spoilt = archive.by_name("masks data/spoilt.bin").unwrap();
    assert!(spoilt.read_to_end(&mut Vec::new()).is_err());
}
