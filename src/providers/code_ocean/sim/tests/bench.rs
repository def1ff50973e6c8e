//! A sandbox to talk to by plain HTTP.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::{capsules, token};
use crate::sandbox::{Sandbox, SandboxOptions};

/// A running sandbox and a client.
pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) http: reqwest::Client,
}

/// Enough of an answer to say whether it is right.
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Heard {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// Status and `message` of a refusal.
    pub(super) fn refusal(&self) -> (u16, String) {
        let message = self.json()["message"].as_str().unwrap().to_owned();
        (self.status, message)
    }

    /// The JSON of an answer that went well.
    pub(super) fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        // Its clock all but stands still, so that only the tests move it.
        let options = SandboxOptions {
            speed: 0.001,
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self { sandbox, http }
    }

    pub(super) fn token(&self) -> String {
        token(self.sandbox.world())
    }

    /// A request without credentials.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let base = self.sandbox.world().api_url();
        self.http.request(method, format!("{base}/api/v1/{path}"))
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).basic_auth(self.token(), Some(""))
    }

    pub(super) async fn send(request: RequestBuilder) -> Heard {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        Heard {
            status,
            headers,
            text,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Heard {
        Self::send(self.request(Method::GET, path)).await
    }

    pub(super) async fn call(&self, method: Method, path: &str) -> Heard {
        Self::send(self.request(method, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Heard {
        Self::send(self.request(Method::POST, path).json(&body)).await
    }

    /// Starts a run that must be accepted; its entry.
    pub(super) async fn start(&self, body: Value) -> Value {
        self.post("computations", body).await.good()
    }

    /// A run of the capsule that looks at reads, over, with its entry.
    pub(super) async fn finished_run(&self) -> Value {
        let run = self
            .start(json!({ "capsule_id": capsules::READ_QUALITY }))
            .await;
        self.finish(&run).await
    }

    /// The entry of a run as it is now.
    pub(super) async fn look(&self, run: &Value) -> Value {
        let id = run["id"].as_str().unwrap();
        self.get(&format!("computations/{id}")).await.good()
    }

    /// Moves the clock until a run is over; its entry.
    pub(super) async fn finish(&self, run: &Value) -> Value {
        self.pass(10_000);
        for _ in 0..1_000 {
            let seen = self.look(run).await;
            if matches!(seen["state"].as_str(), Some("completed" | "failed")) {
                return seen;
            }
            // The work itself takes real time.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the run does not end")
    }

    pub(super) fn pass(&self, milliseconds: u64) {
        let by = Duration::from_millis(milliseconds);
        self.sandbox.world().advance(by);
    }

    pub(super) fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }
}
