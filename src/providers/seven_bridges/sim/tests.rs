//! The simulator on the wire: the provider notes' checklist, line by line.

mod apps;
mod files;
mod manners;
mod tables;
mod tasks;
mod uploads;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::{PLATFORM, PROJECT};
use crate::sandbox::{Sandbox, SandboxOptions};

/// The app most tests run, with its version.
const APP: &str = "john_doe/plate-7/table-summary/2";

struct Bench {
    sandbox: Sandbox,
    http: reqwest::Client,
}

/// Enough of an answer to say whether it is right.
#[derive(Debug)]
struct Heard {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The body of an answer that must be a success.
    fn ok(&self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{self:?} {}",
            self.text()
        );
        self.json()
    }

    /// Status and code of a refusal, whose body must say both.
    fn refused(&self) -> (u16, u64) {
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        assert!(body["message"].is_string() && body["more_info"].is_string());
        (self.status, body["code"].as_u64().unwrap())
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let items = self.ok();
        let items = items["items"].as_array().unwrap().clone();
        let name = |item: &Value| item["name"].as_str().unwrap().to_owned();
        items.iter().map(name).collect()
    }
}

impl Bench {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(faults: &[&str]) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            faults: faults.iter().map(ToString::to_string).collect(),
            ..SandboxOptions::default()
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_mins(1))
            .build();
        Self {
            sandbox: sandbox.await.unwrap(),
            http: http.unwrap(),
        }
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        format!("{}/v2{path}", self.sandbox.world().api_url())
    }

    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.sandbox.world().key(PLATFORM);
        self.bare(method, path).header("X-SBG-Auth-Token", token)
    }

    async fn send(request: RequestBuilder) -> Heard {
        let response = request.send().await.unwrap();
        Heard {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    async fn get(&self, path: &str) -> Heard {
        Self::send(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Heard {
        self.call(Method::POST, path, body).await
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Heard {
        Self::send(self.request(method, path).json(body)).await
    }

    fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    fn pass(&self, millis: u64) {
        self.sandbox.world().advance(Duration::from_millis(millis));
    }

    /// Begins an upload into the root of the project.
    async fn begin(&self, name: &str, size: usize, part_size: Option<u64>) -> Heard {
        let mut body = json!({"project": PROJECT, "name": name, "size": size});
        if let Some(part_size) = part_size {
            body["part_size"] = json!(part_size);
        }
        self.post("/upload/multipart", &body).await
    }

    /// Sends one part; its `ETag` as storage sent it.
    async fn part(&self, upload: &str, number: u64, bytes: &[u8]) -> String {
        let part = self
            .get(&path(upload, &format!("part/{number}")))
            .await
            .ok();
        assert_eq!(part["method"], "PUT");
        let url = part["url"].as_str().unwrap();
        // Said aloud: without a byte the client would leave the header away, and storage insists on it.
        let put = self.http.put(url).header("content-length", bytes.len());
        let sent = Self::send(put.body(bytes.to_vec())).await;
        assert_eq!(sent.status, 200, "{}", sent.text());
        sent.header("etag").to_owned()
    }

    async fn report(&self, upload: &str, number: u64, etag: &str) -> Heard {
        let body = json!({"part_number": number, "response": {"headers": {"ETag": etag}}});
        self.post(&path(upload, "part"), &body).await
    }

    /// Uploads a file whole, in as many parts as the service wants; its id.
    async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let begun = self.begin(name, bytes.len(), None).await.ok();
        let upload = begun["upload_id"].as_str().unwrap();
        let part_size = usize::try_from(begun["part_size"].as_u64().unwrap()).unwrap();
        let mut parts: Vec<&[u8]> = bytes.chunks(part_size).collect();
        if parts.is_empty() {
            parts.push(b"");
        }
        for (number, part) in (1..).zip(parts) {
            let etag = self.part(upload, number, part).await;
            self.report(upload, number, &etag).await.ok();
        }
        let done = self
            .post(&path(upload, "complete"), &Value::Null)
            .await
            .ok();
        assert_eq!(done["size"], bytes.len());
        done["id"].as_str().unwrap().to_owned()
    }

    /// The bytes of a file of the project.
    async fn download(&self, id: &str) -> Vec<u8> {
        let info = self.get(&format!("/files/{id}/download_info")).await.ok();
        let got = Self::send(self.http.get(info["url"].as_str().unwrap())).await;
        assert_eq!(got.status, 200);
        got.bytes
    }

    /// Makes a task and runs it; its id.
    async fn run(&self, body: &Value) -> String {
        let task = self.post("/tasks?action=run", body).await.ok();
        assert_eq!(task["errors"], json!([]), "{task}");
        task["id"].as_str().unwrap().to_owned()
    }

    /// Lets time pass until a task has ended; the task.
    async fn finished(&self, id: &str) -> Value {
        for _ in 0..2_000 {
            self.pass(1_000);
            let task = self.get(&format!("/tasks/{id}")).await.ok();
            if ["COMPLETED", "FAILED", "ABORTED"].contains(&task["status"].as_str().unwrap()) {
                return task;
            }
        }
        panic!("the task does not end");
    }
}

/// A path of an upload, whose id wants encoding.
fn path(upload: &str, rest: &str) -> String {
    let id = upload.replace('+', "%2B").replace('|', "%7C");
    let path = format!("/upload/multipart/{id}/{rest}");
    path.trim_end_matches('/').to_owned()
}

fn file(id: &str) -> Value {
    json!({"class": "File", "path": id})
}

fn task(tables: &[&str]) -> Value {
    let tables: Vec<Value> = tables.iter().map(|id| file(id)).collect();
    json!({"name": "summary", "project": PROJECT, "app": APP, "inputs": {"tables": tables}})
}
