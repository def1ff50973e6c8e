//! A server that answers what a test says and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::{connection, http, secrets};
use crate::providers::Provider;
use crate::providers::code_ocean::connect;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `GET capsules/…?query`, the part behind `/api/v1/`.
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, VecDeque<(u16, String)>>,
    asked: Vec<Asked>,
}

/// The server; gone when dropped.
pub(super) struct Stub {
    script: Arc<Mutex<Script>>,
    pub(super) url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Stub {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server of a test, ended with it"
    )]
    pub(super) async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            script,
            url,
            server,
        }
    }

    /// The next answer to this line (method and path, without the query); the last one stays.
    pub(super) fn on(&self, line: &str, status: u16, body: impl Into<String>) -> &Self {
        let mut script = self.script.lock().unwrap();
        let answers = script.answers.entry(line.to_owned()).or_default();
        answers.push_back((status, body.into()));
        self
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// What was asked, without queries.
    pub(super) fn lines(&self) -> Vec<String> {
        let asked = self.asked();
        asked
            .into_iter()
            .map(|asked| asked.line.split('?').next().unwrap_or_default().to_owned())
            .collect()
    }

    pub(super) fn client(&self) -> Arc<dyn Provider> {
        let pasted = format!("{}capsule/1234567/tree/", self.url);
        connect(
            &connection(&pasted, &[]),
            &secrets(&[("key", "'cop_x:'")]),
            &http(),
        )
        .unwrap()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = head.uri.path().trim_start_matches("/api/v1/").to_owned();
    let line = format!("{} {path}", head.method);
    let query = head.uri.query().map(|query| format!("?{query}"));
    let mut script = script.lock().unwrap();
    script.asked.push(Asked {
        line: format!("{line}{}", query.unwrap_or_default()),
        headers: head.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let Some(answers) = script.answers.get_mut(&line) else {
        let message = format!(r#"{{"message":"no answer to {line}"}}"#);
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    let (status, body) = if answers.len() > 1 {
        answers.pop_front().unwrap()
    } else {
        answers[0].clone()
    };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}
