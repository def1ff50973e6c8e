//! The simulator on the wire: one test for each row of the provider notes' checklist.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};

use crate::providers::analytics_automated::sim::{PASSWORD_KEY, USER};
use crate::sandbox::{Sandbox, SandboxOptions};

struct Bench {
    sandbox: Sandbox,
    http: reqwest::Client,
}

/// Enough of an answer to say whether it is right.
struct Heard {
    status: u16,
    kind: String,
    headers: HeaderMap,
    text: String,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// Status and `error`, of a JSON answer.
    fn error(&self) -> (u16, Value) {
        assert_eq!(self.kind, "application/json", "{}", self.text);
        (self.status, self.json()["error"].clone())
    }

    /// Status, of a page.
    fn page(&self) -> u16 {
        assert!(
            self.kind.starts_with("text/html"),
            "{}: {}",
            self.kind,
            self.text
        );
        self.status
    }
}

impl Bench {
    async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { sandbox, http }
    }

    fn origin(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.world().api_url())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.origin(&format!("/analytics_automated/{path}"));
        self.http.request(method, url)
    }

    async fn send(request: RequestBuilder) -> Heard {
        let response: Response = request.send().await.unwrap();
        let headers = response.headers().clone();
        let kind = headers
            .get("content-type")
            .map(|kind| kind.to_str().unwrap().to_owned())
            .unwrap_or_default();
        Heard {
            status: response.status().as_u16(),
            kind,
            headers,
            text: String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned(),
        }
    }

    async fn get(&self, path: &str) -> Heard {
        let request = self.request(Method::GET, path);
        Self::send(request.header("accept", "application/json")).await
    }

    async fn post(&self, form: Form) -> Heard {
        let request = self.request(Method::POST, "submission.json");
        Self::send(request.header("accept", "application/json").multipart(form)).await
    }

    /// Submits and returns the batch identifier.
    async fn submit(&self, form: Form) -> String {
        let heard = self.post(form).await;
        assert_eq!(heard.status, 201, "{}", heard.text);
        heard.json()["UUID"].as_str().unwrap().to_owned()
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.world().advance(Duration::from_secs(seconds));
    }

    fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    async fn file(&self, path: &str) -> Heard {
        Self::send(self.http.get(self.origin(path))).await
    }
}

fn file(name: &str, bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name(name.to_owned())
}

fn bare(job: &str) -> Form {
    Form::new()
        .text("job", job.to_owned())
        .text("submission_name", "demo")
        .text("email", "someone@example.org")
}

fn form(job: &str) -> Form {
    bare(job).part("input_data", file("my data (1).csv", b"b 1\na 2\n"))
}

fn parameter_missing(reason: &str) -> String {
    format!(
        "Required Parameter for headsort Missing.{reason}. GET /analytics_automated/endpoints to discover all required options"
    )
}

#[tokio::test]
async fn pages_come_when_json_was_not_asked_for() {
    let bench = Bench::new().await;
    let ask = |path: &'static str, accept: &'static str| {
        Bench::send(bench.request(Method::GET, path).header("accept", accept))
    };
    assert_eq!(ask("endpoints/", "*/*").await.page(), 200);
    assert_eq!(ask("endpoints/", "application/json").await.status, 200);
    assert_eq!(ask("endpoints.json", "*/*").await.kind, "application/json");
    let named = ask("endpoints/?format=json", "*/*").await;
    assert_eq!(named.kind, "application/json");
    assert_eq!(ask("endpoints/", "application/xml").await.page(), 406);
    assert_eq!(ask("submission.html", "application/json").await.page(), 404);
    let created = bench
        .request(Method::POST, "submission/")
        .multipart(form("wordcount"));
    let created = Bench::send(created).await;
    assert_eq!(created.page(), 201);
    assert!(created.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn slashes_matter_as_measured() {
    let bench = Bench::new().await;
    let post = |path: &'static str| {
        let request = bench.request(Method::POST, path);
        Bench::send(
            request
                .header("accept", "application/json")
                .multipart(form("wordcount")),
        )
    };
    assert_eq!(post("submission.json").await.status, 201);
    assert_eq!(post("submission/").await.status, 201);
    let traceback = post("submission").await;
    assert_eq!(traceback.status, 500);
    assert!(traceback.kind.starts_with("text/plain"));
    bench.set("aa.debug=off");
    let moved = post("submission").await;
    assert_eq!(moved.status, 301);
    assert_eq!(
        moved.headers["location"],
        "/analytics_automated/submission/"
    );
    assert_eq!(post("submission/.json").await.page(), 404);

    let batch = bench.submit(form("wordcount")).await;
    assert_eq!(bench.get(&format!("submission/{batch}")).await.status, 200);
    assert_eq!(
        bench.get(&format!("submission/{batch}.json")).await.status,
        200
    );
    assert_eq!(bench.get(&format!("submission/{batch}/")).await.page(), 404);
    assert_eq!(bench.get("submission.json").await.page(), 500);
    assert_eq!(bench.get("").await.page(), 404);
    assert_eq!(bench.get("nonsense").await.page(), 404);
    for list in ["endpoints", "jobtimes", "job"] {
        assert_eq!(bench.get(list).await.status, 301);
        assert_eq!(bench.get(&format!("{list}/")).await.status, 200);
        assert_eq!(bench.get(&format!("{list}.json")).await.status, 200);
    }
    let head = bench.request(Method::HEAD, &format!("submission/{batch}.json"));
    assert_eq!(
        head.send().await.unwrap().status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn methods_hosts_and_kinds_of_body_are_checked() {
    let bench = Bench::new().await;
    let deleted = bench.request(Method::DELETE, "submission.json");
    let deleted = Bench::send(deleted).await;
    assert_eq!(deleted.status, 405);
    assert_eq!(
        deleted.json(),
        json!({"detail": "Method \"DELETE\" not allowed."})
    );
    let host = bench
        .request(Method::GET, "endpoints.json")
        .header("host", "other.example.org");
    assert_eq!(Bench::send(host).await.page(), 400);
    let body = bench
        .request(Method::POST, "submission.json")
        .json(&json!({"job": "wordcount"}));
    let refused = Bench::send(body).await;
    assert_eq!(refused.status, 415);
    assert_eq!(
        refused.json(),
        json!({"detail": "Unsupported media type \"application/json\" in request."})
    );
}

#[tokio::test]
async fn a_chunked_upload_is_an_empty_form() {
    let bench = Bench::new().await;
    let blocks = vec![Ok::<_, std::io::Error>(b"b 1\na 2\n".to_vec())];
    let body = Body::wrap_stream(futures_util::stream::iter(blocks));
    let streamed = bare("wordcount").part("input_data", Part::stream(body).file_name("a.csv"));
    assert_eq!(
        bench.post(streamed).await.error(),
        (400, json!("Input does not contain all required fields"))
    );
}

#[tokio::test]
async fn a_submission_is_answered_as_captured() {
    let bench = Bench::new().await;
    let heard = bench.post(form("zipresults")).await;
    assert_eq!(heard.status, 201);
    let reply = heard.json();
    let uuid = reply["UUID"].as_str().unwrap();
    assert_eq!(reply, json!({"UUID": uuid, "submission_name": "demo"}));
    assert_eq!(uuid.len(), 36);
    assert_eq!(uuid.as_bytes()[14], b'1');
    assert_eq!(uuid, uuid.to_lowercase());
    let expected = [
        ("content-type", "application/json"),
        ("vary", "Accept, Origin, Cookie"),
        ("allow", "GET, POST, HEAD, OPTIONS"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("server", "WSGIServer/0.2 CPython/3.11.7"),
    ];
    for (name, value) in expected {
        assert_eq!(heard.headers[name], value);
    }
    assert!(!heard.headers.contains_key("location"));
}

#[tokio::test]
async fn text_fields_and_job_names_are_checked_first() {
    let bench = Bench::new().await;
    let missing = json!("Input does not contain all required fields");
    let without_email = Form::new()
        .text("job", "none")
        .text("submission_name", "demo");
    assert_eq!(bench.post(without_email).await.error(), (400, missing));
    let unknown = (400, json!("Job name supplied does not exist"));
    for job in ["nothing", "Wordcount", "wordcount, headsort", "wordcount,"] {
        assert_eq!(bench.post(bare(job)).await.error(), unknown);
    }
    assert_eq!(
        bench.post(bare("draft")).await.error(),
        (400, json!("Job Requested: draft appears to have no Steps"))
    );
    assert_eq!(
        bench.post(bare("retired")).await.error(),
        (403, json!("retired is present but currently disabled."))
    );
}

#[tokio::test]
async fn parameters_are_checked_before_the_file() {
    let bench = Bench::new().await;
    let missing = "You are missing a required parameter in your web form submission";
    assert_eq!(
        bench
            .post(bare("headsort").text("headtask_lines", "2"))
            .await
            .error(),
        (400, json!(parameter_missing(missing)))
    );
    let with = |lines: &'static str, reverse: &'static str| {
        bench.post(
            bare("headsort")
                .text("headtask_lines", lines)
                .text("sorttask_reverse", reverse),
        )
    };
    for (lines, reverse, reason) in [
        (
            "None",
            "TRUE",
            "Incoming data can not contain python keywords: None",
        ),
        (
            "mean",
            "TRUE",
            "Incoming data can not contain R keywords: mean",
        ),
        (
            "2",
            "true",
            "Incoming data can not contain unix commands: true",
        ),
        (
            "2",
            "a-b",
            "Incoming data can not contain punctuation: zipinfo",
        ),
    ] {
        assert_eq!(
            with(lines, reverse).await.error(),
            (400, json!(parameter_missing(reason)))
        );
    }
    for lines in ["-1", "1e-3", "my file"] {
        assert_eq!(with(lines, "TRUE").await.page(), 500);
    }
    let extra = form("wordcount").part("more", file("x.csv", b"1"));
    assert_eq!(bench.post(extra).await.page(), 500);
    assert_eq!(
        with("2", "TRUE").await.error().1["input_data"][0],
        "This field is required."
    );
}

#[tokio::test]
async fn the_web_form_is_checked_field_by_field() {
    let bench = Bench::new().await;
    let required = json!({"input_data": ["This field is required."]});
    assert_eq!(
        bench.post(bare("wordcount")).await.error(),
        (400, required.clone())
    );
    let as_text = bare("wordcount").text("input_data", "a,b");
    assert_eq!(bench.post(as_text).await.error(), (400, required));
    let empty = bare("wordcount").part("input_data", file("a.csv", b""));
    assert_eq!(
        bench.post(empty).await.error(),
        (400, json!({"input_data": ["The submitted file is empty."]}))
    );
    let long = bare("wordcount").part("input_data", file(&"x".repeat(124), b"1"));
    assert_eq!(
        bench.post(long).await.error(),
        (
            400,
            json!({"input_data": ["Ensure this filename has at most 100 characters (it has 124)."]})
        )
    );
    let named = |name: &str, email: &'static str| {
        Form::new()
            .text("job", "wordcount")
            .text("submission_name", name.to_owned())
            .text("email", email)
            .part("input_data", file("a.csv", b"1"))
    };
    assert_eq!(
        bench.post(named("demo", "nobody")).await.error(),
        (400, json!({"email": ["Enter a valid email address."]}))
    );
    assert_eq!(
        bench
            .post(named(&"n".repeat(65), "someone@example.org"))
            .await
            .error(),
        (
            400,
            json!({"submission_name": ["Ensure this value has at most 64 characters (it has 65)."]})
        )
    );
    assert_eq!(
        bench
            .post(named("世界 µ", "someone@example.org"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn validators_refuse_or_break_down_with_507() {
    let bench = Bench::new().await;
    let png = |bytes: &[u8]| bench.post(bare("png_only").part("input_data", file("a.png", bytes)));
    assert_eq!(png(b"\x89PNG\r\n\x1a\n...").await.status, 201);
    assert_eq!(
        png(b"GIF89a").await.error(),
        (
            400,
            json!({"input_data": ["Input data could not be validated"]})
        )
    );
    assert_eq!(
        png(b"a,b\n").await.error(),
        (507, json!("argument of type 'NoneType' is not iterable"))
    );
}

#[tokio::test]
async fn credentials_are_wrong_or_ignored() {
    let bench = Bench::new().await;
    let wrong = bench
        .request(Method::GET, "endpoints.json")
        .basic_auth(USER, Some("wrong"));
    let wrong = Bench::send(wrong).await;
    assert_eq!(wrong.status, 403);
    assert_eq!(
        wrong.json(),
        json!({"detail": "Invalid username/password."})
    );
    let right = bench.sandbox.world().key(PASSWORD_KEY);
    let right = bench
        .request(Method::GET, "endpoints.json")
        .basic_auth(USER, Some(right));
    assert_eq!(Bench::send(right).await.status, 200);
    let bearer = bench
        .request(Method::GET, "endpoints.json")
        .bearer_auth("x");
    assert_eq!(Bench::send(bearer).await.status, 200);
}

#[tokio::test]
async fn the_quota_refuses_without_a_hint_when_to_return() {
    let bench = Bench::new().await;
    for _ in 0..15 {
        bench.submit(form("stuck")).await;
    }
    let refused = bench.post(form("wordcount")).await;
    assert_eq!(
        refused.error(),
        (
            429,
            json!(
                "You have no authority to post jobs.Either you are not logged in you have too many, 15, concurrent jobs running"
            )
        )
    );
    assert!(!refused.headers.contains_key("retry-after"));
    // Stuck ones never give their place back.
    bench.pass(100_000);
    assert_eq!(bench.post(form("wordcount")).await.status, 429);
    bench.set("aa.limit=16");
    assert_eq!(bench.post(form("wordcount")).await.status, 201);
    bench.pass(100);
    assert_eq!(bench.post(form("wordcount")).await.status, 201);
}

#[tokio::test]
async fn results_grow_and_the_last_has_the_sorted_lines() {
    let bench = Bench::new().await;
    let sent = form("headsort")
        .text("headtask_lines", "2")
        .text("sorttask_reverse", "FALSE");
    let batch = bench.submit(sent).await;
    let path = format!("submission/{batch}.json");
    let first = bench.get(&path).await.json();
    assert_eq!(first["UUID"], batch.as_str());
    assert_eq!(first["state"], "Submitted");
    bench.sandbox.world().advance(Duration::from_millis(2_300));
    let second = bench.get(&path).await.json();
    assert_eq!(second["state"], "Running");
    assert_eq!(
        second["submissions"][0]["results"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bench.pass(60);
    let last = bench.get(&path).await.json();
    let part = &last["submissions"][0];
    assert_eq!(last["state"], "Complete");
    assert_eq!(part["last_message"], "Completed job at step #2");
    assert_ne!(part["UUID"], last["UUID"]);
    assert_eq!(part["job_name"], "headsort");
    assert_eq!(part["input_file"], "/submissions/my_data_1.csv");
    assert_eq!(part["results"][1]["step"], 2);
    let single = part["UUID"].as_str().unwrap();
    assert_eq!(
        part["results"][1]["data_path"],
        format!("/submissions/{single}.sorted")
    );
    let sorted = bench.file(&format!("/submissions/{single}.sorted")).await;
    assert_eq!((sorted.status, sorted.text.as_str()), (200, "a 2\nb 1\n"));
    assert_eq!(sorted.kind, "application/octet-stream");
    let alone = bench.get(&format!("submission/single/{single}.json")).await;
    assert_eq!(&alone.json(), part);

    let again = bench.submit(form("wordcount")).await;
    let again = bench.get(&format!("submission/{again}.json")).await.json();
    let input = again["submissions"][0]["input_file"].as_str().unwrap();
    assert_eq!(input.len(), "/submissions/my_data_1_NdfkA0N.csv".len());
    let times = bench.get("jobtimes.json").await.json();
    assert_eq!(times["headsort"], 3);
    assert_eq!(times["zipresults"], Value::Null);
}

#[tokio::test]
async fn identifiers_are_told_apart() {
    let bench = Bench::new().await;
    let batch = bench.submit(form("wordcount")).await;
    let told = bench.get(&format!("submission/{batch}.json")).await.json();
    let single = told["submissions"][0]["UUID"].as_str().unwrap().to_owned();
    for path in [
        format!("submission/{single}.json"),
        format!("submission/single/{batch}.json"),
        "submission/00000000-0000-1000-8000-000000000000.json".to_owned(),
    ] {
        let heard = bench.get(&path).await;
        assert_eq!(heard.status, 404);
        assert_eq!(heard.json(), json!({"detail": "Not found."}));
    }
    assert_eq!(bench.get("submission/nonsense.json").await.page(), 404);
}

#[tokio::test]
async fn a_failing_step_keeps_earlier_results_while_others_run() {
    let bench = Bench::new().await;
    let batch = bench.submit(form("slowcopy,failing")).await;
    let path = format!("submission/{batch}.json");
    bench.pass(5);
    let told = bench.get(&path).await.json();
    assert_eq!(told["state"], "Error");
    let part = |told: &Value, job: &str| {
        let parts = told["submissions"].as_array().unwrap().clone();
        parts
            .into_iter()
            .find(|part| part["job_name"] == job)
            .unwrap()
    };
    let failed = part(&told, "failing");
    assert_eq!(failed["state"], "Error");
    assert_eq!(failed["results"].as_array().unwrap().len(), 1);
    let message = failed["last_message"].as_str().unwrap();
    assert!(message.starts_with("Unable to call commandRunner.run_cmd(): Exit status 1 : 2 : "));
    assert_eq!(part(&told, "slowcopy")["state"], "Running");
    bench.pass(60);
    let told = bench.get(&path).await.json();
    assert_eq!(told["state"], "Error");
    assert_eq!(part(&told, "slowcopy")["state"], "Complete");
}

#[tokio::test]
async fn some_batches_never_end_and_some_cannot_be_read() {
    let bench = Bench::new().await;
    let stuck = bench.submit(form("stuck")).await;
    let unreadable = bench.submit(form("nooutput")).await;
    bench.pass(1_000_000);
    let told = bench.get(&format!("submission/{stuck}.json")).await.json();
    assert_eq!(told["state"], "Running");
    assert_eq!(
        bench
            .get(&format!("submission/{unreadable}.json"))
            .await
            .page(),
        500
    );
}

#[tokio::test]
async fn a_broker_that_is_down_leaves_a_saved_row_behind() {
    let bench = Bench::new().await;
    bench.set("aa.broker=down");
    bench.set("aa.limit=1");
    let (status, error) = bench.post(form("wordcount")).await.error();
    assert_eq!(status, 500);
    assert!(
        error
            .as_str()
            .unwrap()
            .starts_with("Invalid string exec on chain(")
    );
    assert_eq!(bench.post(form("wordcount")).await.status, 429);
}

#[tokio::test]
async fn three_ways_to_say_where_a_file_is() {
    let bench = Bench::new().await;
    let batch = bench.submit(form("wordcount")).await;
    bench.pass(60);
    let link = async || {
        let told = bench.get(&format!("submission/{batch}.json")).await.json();
        told["submissions"][0]["results"][0]["data_path"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let relative = link().await;
    assert!(relative.starts_with("/submissions/"));
    let root = format!("/analytics_automated{relative}");
    assert_eq!(bench.file(&relative).await.status, 200);
    assert_eq!(bench.file(&root).await.page(), 404);

    bench.set("aa.media=root");
    assert_eq!(link().await, relative);
    assert_eq!(bench.file(&relative).await.page(), 404);
    assert_eq!(bench.file(&root).await.status, 200);
    assert_eq!(
        bench.file(&format!("/psipred/api{relative}")).await.status,
        200
    );

    bench.set("aa.media=absolute");
    let absolute = link().await;
    assert_eq!(
        absolute,
        format!("{}{relative}", bench.sandbox.world().storage_url())
    );
    assert_eq!(bench.file(&relative).await.page(), 404);
    let fetched = Bench::send(bench.http.get(&absolute)).await;
    assert_eq!(fetched.status, 200);
    assert!(fetched.text.ends_with(" my_data_1.csv\n"));

    bench.set("aa.files=purged");
    assert_eq!(link().await, absolute);
    assert_eq!(Bench::send(bench.http.get(&absolute)).await.status, 404);
}

#[tokio::test]
async fn files_come_whole_and_with_their_length() {
    let bench = Bench::new().await;
    let batch = bench.submit(form("zipresults")).await;
    bench.pass(60);
    let told = bench.get(&format!("submission/{batch}.json")).await.json();
    let results = told["submissions"][0]["results"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(results.len(), 2);
    let (_, ending) = results[1]["data_path"]
        .as_str()
        .unwrap()
        .rsplit_once('.')
        .unwrap();
    assert_eq!(ending, "log");
    let path = results[0]["data_path"].as_str().unwrap();
    let ranged = bench
        .http
        .get(bench.origin(path))
        .header("range", "bytes=5-");
    let whole = Bench::send(ranged).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.kind, "application/zip");
    let name = path.strip_prefix("/submissions/").unwrap();
    assert_eq!(
        whole.headers["content-disposition"],
        format!("inline; filename=\"{name}\"")
    );
    assert!(whole.text.starts_with("PK"));
    let length: u64 = whole.headers["content-length"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let modified = whole.headers["last-modified"].clone();
    let head = bench.http.head(bench.origin(path)).send().await.unwrap();
    assert_eq!(
        head.headers()["content-length"],
        length.to_string().as_str()
    );
    let since = bench
        .http
        .get(bench.origin(path))
        .header("if-modified-since", modified);
    assert_eq!(Bench::send(since).await.status, 304);
}

#[tokio::test]
async fn names_are_encoded_once_and_cut_at_the_word() {
    let bench = Bench::new().await;
    let input = async |name: &str| {
        let sent = bare("wordcount").part("input_data", file(name, b"1"));
        let batch = bench.submit(sent).await;
        let told = bench.get(&format!("submission/{batch}.json")).await.json();
        told["submissions"][0]["input_file"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let encoded = input("données_α.csv").await;
    assert_eq!(encoded, "/submissions/donn%C3%A9es_%CE%B1.csv");
    assert_eq!(bench.file(&encoded).await.text, "1");
    assert_eq!(input("analytics_automated_in.csv").await, "_in.csv");
    let two = form("wordcount").part("input_data", file("second.csv", b"2"));
    let batch = bench.submit(two).await;
    let told = bench.get(&format!("submission/{batch}.json")).await.json();
    assert_eq!(
        told["submissions"][0]["input_file"],
        "/submissions/second.csv"
    );
}

#[tokio::test]
async fn jobs_are_listed_ten_a_page_and_described() {
    let bench = Bench::new().await;
    let first = bench.get("job.json?page_size=50").await.json();
    assert_eq!(first["count"], 12);
    assert_eq!(first["results"].as_array().unwrap().len(), 10);
    assert_eq!(first["results"][0], json!({"pk": 1, "name": "wordcount"}));
    let expected = bench.origin("/analytics_automated/job.json?page=2");
    assert_eq!(first["next"], expected);
    let second = bench.get("job.json?page=2").await.json();
    assert_eq!(second["next"], Value::Null);
    assert_eq!(second["results"].as_array().unwrap().len(), 2);
    let past = bench.get("job.json?page=3").await;
    assert_eq!(
        (past.status, past.json()),
        (404, json!({"detail": "Invalid page."}))
    );
    let details = bench.get("job/wordcount").await.json();
    assert_eq!(
        details,
        json!({"name": "wordcount", "steps": [{"task": {"configuration": [
            {"type": "Software", "name": "wc", "parameters": "none", "version": "9.1"}
        ]}, "ordering": 0}]})
    );
    assert_eq!(bench.get("job/wordcount.json").await.status, 404);
    let listed = bench.get("endpoints.json").await.json();
    assert_eq!(listed["jobs"].as_array().unwrap().len(), 12);
    let other = Bench::send(bench.http.get(bench.origin("/psipred/api/endpoints.json"))).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_front_server_answers_pages_and_a_lost_answer_leaves_a_job() {
    let bench = Bench::new().await;
    bench.set("aa.front=bad-gateway");
    assert_eq!(bench.get("endpoints.json").await.page(), 502);
    bench.set("aa.front=too-large");
    assert_eq!(bench.post(form("wordcount")).await.page(), 413);
    bench.set("aa.front=none");
    bench.set("aa.limit=1");
    bench.set("lost-answer@aa.submit*1");
    let request = bench.request(Method::POST, "submission.json");
    assert!(request.multipart(form("wordcount")).send().await.is_err());
    assert_eq!(bench.post(form("wordcount")).await.status, 429);
}

/// The body of a reply captured from a real server.
fn golden(text: &str) -> Value {
    let golden: Value = serde_json::from_str(text).unwrap();
    golden["body"].clone()
}

/// What a reply is made of: keys and kinds, the first element standing for a list.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("flag"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => json!([items.first().map(shape)]),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
    }
}

#[tokio::test]
async fn replies_are_made_like_the_golden_ones() {
    let bench = Bench::new().await;
    let batch = bench.submit(form("wordcount,zipresults")).await;
    bench.pass(60);
    let told = bench.get(&format!("submission/{batch}.json")).await.json();
    macro_rules! assert_like {
        ($name:literal, $reply:expr) => {
            let file = concat!(
                "../../../../tests/golden/analytics_automated/",
                $name,
                ".json"
            );
            let expected = golden(include_str!(concat!(
                "../../../../tests/golden/analytics_automated/",
                $name,
                ".json"
            )));
            assert_eq!(shape(&$reply), shape(&expected), "{file}");
        };
    }
    assert_like!("batch_complete", told);
    assert_like!("submitted", bench.post(form("wordcount")).await.json());
    assert_like!("endpoints", bench.get("endpoints.json").await.json());
    assert_like!("job_page", bench.get("job.json").await.json());
    assert_like!("job_details", bench.get("job/wordcount").await.json());
    let expected = golden(include_str!(
        "../../../../tests/golden/analytics_automated/endpoints.json"
    ));
    let listed = bench.get("endpoints.json").await.json();
    for (at, text) in expected["jobs"].as_array().unwrap().iter().enumerate() {
        assert_eq!(&listed["jobs"][at], text);
    }
}

#[tokio::test]
async fn refusals_are_the_golden_ones_word_for_word() {
    let bench = Bench::new().await;
    let text = include_str!("../../../../tests/golden/analytics_automated/errors.json");
    let replies: Value = serde_json::from_str(text).unwrap();
    let sorted = |lines: &'static str, reverse: &'static str| {
        bare("headsort")
            .text("headtask_lines", lines)
            .text("sorttask_reverse", reverse)
    };
    let fields = |name: &str, email: &'static str| {
        Form::new()
            .text("job", "wordcount")
            .text("submission_name", name.to_owned())
            .text("email", email)
            .part("input_data", file("a.csv", b"1"))
    };
    let with =
        |job: &str, name: &str, bytes: &[u8]| bare(job).part("input_data", file(name, bytes));
    let mut seen = Vec::new();
    for (name, sent) in [
        ("fields_missing", Form::new().text("job", "wordcount")),
        ("job_unknown", bare("nothing")),
        ("no_steps", bare("draft")),
        ("parameter_missing", bare("headsort")),
        ("python_keyword", sorted("None", "TRUE")),
        ("r_keyword", sorted("mean", "TRUE")),
        ("unix_command", sorted("2", "true")),
        ("file_required", bare("wordcount")),
        ("file_empty", with("wordcount", "a.csv", b"")),
        ("file_name_long", with("wordcount", &"x".repeat(124), b"1")),
        ("email_invalid", fields("demo", "nobody")),
        ("name_long", fields(&"n".repeat(65), "someone@example.org")),
        ("not_validated", with("png_only", "a.gif", b"GIF89a")),
        ("validator_broke", with("png_only", "a.csv", b"a,b")),
        ("disabled", bare("retired")),
    ] {
        let heard = bench.post(sent).await;
        seen.push((name, heard.status, heard.json()));
    }
    for _ in 0..15 {
        bench.submit(form("stuck")).await;
    }
    let heard = bench.post(form("wordcount")).await;
    seen.push(("quota", heard.status, heard.json()));
    for (name, status, body) in seen {
        let all = replies["replies"].as_array().unwrap();
        let golden = all.iter().find(|reply| reply["name"] == name).unwrap();
        assert_eq!(
            (json!(status), &body),
            (golden["status"].clone(), &golden["body"]),
            "{name}"
        );
    }
}
