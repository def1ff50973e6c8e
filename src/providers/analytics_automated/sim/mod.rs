//! A simulated Analytics Automated server, for the sandbox.
//!
//! Owns what such a server answers on the wire, written by hand from the provider notes (measured
//! on a real server); shares nothing with the client beside it. Faults that any server can have
//! (resets, slow answers, cut bodies) are the sandbox's own.

mod answer;
mod catalog;
mod files;
mod form;
mod jobs;
mod lists;
mod names;
mod places;
mod rules;
mod submit;
mod tasks;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::providers::analytics_automated::sim::answer::{Format, Undecided};
use crate::providers::analytics_automated::sim::jobs::{Part, Records};
use crate::providers::analytics_automated::sim::names::{encoded, printed_link};
use crate::providers::analytics_automated::sim::places::{Found, Place, locate, query_value};
use crate::providers::analytics_automated::sim::submit::{Reply, Sender};
use crate::sandbox::faults::Setting;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::world::{World, lock};

/// Names of the endpoints, for faults and the request log.
pub const ENDPOINTS: &[&str] = &[
    "aa.submit",
    "aa.status",
    "aa.single",
    "aa.endpoints",
    "aa.jobtimes",
    "aa.jobs",
    "aa.job",
    "aa.file",
    "aa.other",
];

/// What an operator or a moment can change.
pub const SETTINGS: &[Setting] = &[
    // The form of `data_path` and where files are served: at the origin, under the root, or on
    // another host given in full.
    Setting {
        name: "aa.media",
        values: &["origin", "root", "absolute"],
    },
    // The hard limit of submissions alive at once for one address; 15 unless set.
    Setting {
        name: "aa.limit",
        values: &["#"],
    },
    // Whether the development server's debug mode is on, which changes a POST without its slash.
    Setting {
        name: "aa.debug",
        values: &["on", "off"],
    },
    // Whether the operator has deleted the files; the batches still list them.
    Setting {
        name: "aa.files",
        values: &["kept", "purged"],
    },
    // Whether jobs can be handed to a queue; when not, they are saved and stay where they are.
    Setting {
        name: "aa.broker",
        values: &["up", "down"],
    },
    // A web server in front that answers instead: 502 for everything, or 413 for submissions.
    Setting {
        name: "aa.front",
        values: &["none", "bad-gateway", "too-large"],
    },
];

/// The root addresses the server answers under: the development default and the one of the best
/// known public deployment.
const ROOTS: [&str; 2] = ["/analytics_automated/", "/psipred/api/"];

/// The user whose credentials are good; the password is the world's key of this platform.
pub const USER: &str = "lab";

/// The name under which the world keeps the password of [`USER`].
pub const PASSWORD_KEY: &str = "analytics_automated";

/// The simulated server: what was submitted, and the world it lives in.
pub(in crate::providers::analytics_automated::sim) struct Server {
    world: Arc<World>,
    records: Mutex<Records>,
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").finish_non_exhaustive()
    }
}

/// What the sandbox needs to know of it.
pub static SIMULATOR: Simulator = Simulator {
    api_router,
    storage_router,
    endpoints: ENDPOINTS,
    settings: SETTINGS,
    refusal,
    bucket: None,
    entries,
};

/// A refusal in the words of the Django REST framework it is made with.
fn refusal(_status: StatusCode, message: &str) -> Value {
    json!({ "detail": message })
}

/// How to connect to it.
fn entries(world: &World) -> Vec<DemoEntry> {
    vec![
        DemoEntry::open("url", format!("{}/analytics_automated/", world.api_url())),
        DemoEntry::unprinted("email", "someone@example.org"),
    ]
}

/// Everything the server answers on the platforms' port.
pub fn api_router(world: Arc<World>) -> Router {
    let server = Arc::new(Server {
        world,
        records: Mutex::default(),
    });
    let mut router = Router::new();
    for root in ROOTS {
        let table = [
            ("aa.other", ["", "{*rest}"].as_slice()),
            (
                "aa.submit",
                &[
                    "submission",
                    "submission/",
                    "submission.json",
                    "submission.html",
                ],
            ),
            ("aa.status", &["submission/{*rest}"]),
            ("aa.single", &["submission/single/{*rest}"]),
            (
                "aa.endpoints",
                &["endpoints", "endpoints/", "endpoints.json"],
            ),
            ("aa.jobtimes", &["jobtimes", "jobtimes/", "jobtimes.json"]),
            ("aa.jobs", &["job", "job/", "job.json"]),
            ("aa.job", &["job/{*rest}"]),
        ];
        for (name, paths) in table {
            for path in paths {
                let handler = server.world.endpoint(name, server.handler(root));
                router = router.route(&format!("{root}{path}"), handler);
            }
        }
        let files = server.world.endpoint("aa.file", server.files("root"));
        router = router.route(&format!("{root}submissions/{{*file}}"), files);
    }
    let files = server.world.endpoint("aa.file", server.files("origin"));
    router
        .route("/submissions/{*file}", files)
        .layer(DefaultBodyLimit::disable())
}

/// The files of a server whose operator gave another host for them.
pub fn storage_router(world: Arc<World>) -> Router {
    let server = Arc::new(Server {
        world,
        records: Mutex::default(),
    });
    let files = server.world.endpoint("aa.file", server.files("absolute"));
    Router::new().route("/submissions/{*file}", files)
}

impl Server {
    fn handler(self: &Arc<Self>, root: &'static str) -> MethodRouter {
        let server = Arc::clone(self);
        any(move |request: Request| {
            let server = Arc::clone(&server);
            async move { server.answer(root, request).await }
        })
    }

    /// Serves files while the operator's setting is `media`.
    fn files(self: &Arc<Self>, media: &'static str) -> MethodRouter {
        let server = Arc::clone(self);
        any(move |request: Request| {
            let server = Arc::clone(&server);
            async move {
                let faults = server.world.faults();
                if faults.is("aa.front", "bad-gateway") {
                    return answer::front_page(StatusCode::BAD_GATEWAY);
                }
                if !faults.is("aa.media", media) || faults.is("aa.files", "purged") {
                    return answer::page(StatusCode::NOT_FOUND);
                }
                let path = request.uri().path();
                let name = path
                    .rsplit_once("/submissions/")
                    .map_or("", |(_, name)| name);
                let folder = files::folder(&server.world);
                files::send(&folder, name, request.method(), request.headers()).await
            }
        })
    }

    async fn answer(&self, root: &'static str, request: Request) -> Response {
        if !host_is_allowed(request.headers()) {
            return answer::page(StatusCode::BAD_REQUEST);
        }
        let path = request.uri().path().to_owned();
        let faults = self.world.faults();
        if faults.is("aa.front", "bad-gateway") {
            return answer::front_page(StatusCode::BAD_GATEWAY);
        }
        if faults.is("aa.front", "too-large") && request.method() == Method::POST {
            form::drain(request).await;
            return answer::front_page(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let below = path.strip_prefix(root).unwrap_or_default();
        match locate(below) {
            Found::Nothing => answer::page(StatusCode::NOT_FOUND),
            Found::WithoutSlash => self.without_slash(&request),
            Found::Place(place, suffix) => self.at_place(root, &place, suffix, request).await,
        }
    }

    fn without_slash(&self, request: &Request) -> Response {
        if request.method() == Method::POST && self.world.faults().is("aa.debug", "on") {
            return answer::traceback();
        }
        let path = request.uri().path();
        match request.uri().query() {
            Some(query) => answer::moved(&format!("{path}/?{query}")),
            None => answer::moved(&format!("{path}/")),
        }
    }

    async fn at_place(
        &self,
        root: &'static str,
        place: &Place<'_>,
        suffix: Option<&str>,
        request: Request,
    ) -> Response {
        let method = request.method().clone();
        if method == Method::HEAD && place.is_submission() {
            return answer::page(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let accept = request.headers().get(header::ACCEPT);
        let accept = accept.and_then(|value| value.to_str().ok());
        let query = request.uri().query().unwrap_or_default().to_owned();
        let named = suffix.or_else(|| query_value(&query, "format"));
        let format = match answer::negotiate(accept, named) {
            Ok(format) => format,
            Err(Undecided::UnknownFormat) => return answer::page(StatusCode::NOT_FOUND),
            Err(Undecided::NotAcceptable) => {
                return answer::interface(
                    Format::Page,
                    StatusCode::NOT_ACCEPTABLE,
                    place.allow(),
                    &json!({"detail": "Could not satisfy the request Accept header."}),
                );
            }
        };
        let reply = self.reply(root, place, &method, request).await;
        match reply {
            Reply::Page(status) => answer::page(status),
            Reply::Interface(status, value) => {
                answer::interface(format, status, place.allow(), &value)
            }
        }
    }

    async fn reply(
        &self,
        root: &'static str,
        place: &Place<'_>,
        method: &Method,
        request: Request,
    ) -> Reply {
        let known = match self.credentials(request.headers()) {
            Ok(known) => known,
            Err(detail) => {
                form::drain(request).await;
                return Reply::Interface(StatusCode::FORBIDDEN, json!({ "detail": detail }));
            }
        };
        let reads = *method == Method::GET || *method == Method::HEAD;
        match place {
            Place::Submissions if *method == Method::POST => {
                let address = sender_address(request.headers());
                submit::submit(self, &Sender { address, known }, request).await
            }
            _ if !reads => not_allowed(method),
            // There is no list of submissions.
            Place::Submissions => Reply::Page(StatusCode::INTERNAL_SERVER_ERROR),
            Place::Batch(uuid) => self.batch(root, uuid),
            Place::Single(uuid) => self.single(root, uuid),
            Place::Endpoints => {
                let jobs: Vec<String> = catalog::JOBS.iter().map(catalog::endpoint).collect();
                Reply::Interface(StatusCode::OK, json!({ "jobs": jobs }))
            }
            Place::JobTimes => {
                let times = lock(&self.records).job_times(self.world.now());
                Reply::Interface(StatusCode::OK, times)
            }
            Place::Jobs => lists::job_page(&request),
            Place::Job(name) => lists::job_details(name),
        }
    }

    fn batch(&self, root: &str, uuid: &str) -> Reply {
        let records = lock(&self.records);
        let link = self.link(root);
        match records.batch(uuid) {
            Some(parts) => told(jobs::batch_json(uuid, parts, self.world.now(), &link)),
            None => Reply::not_found(),
        }
    }

    fn single(&self, root: &str, uuid: &str) -> Reply {
        let records = lock(&self.records);
        let link = self.link(root);
        match records.part(uuid) {
            Some(part) => told(part.json(self.world.now(), &link)),
            None => Reply::not_found(),
        }
    }

    /// How a stored file is printed, by the operator's media setting. A root whose address does
    /// not hold the word the server cuts at was given a media address that does.
    fn link(&self, root: &str) -> impl Fn(&str) -> String + use<> {
        let media = match self.world.faults().value("aa.media").as_str() {
            "absolute" => format!("{}/submissions/", self.world.storage_url()),
            "root" if root == "/analytics_automated/" => format!("{root}submissions/"),
            _ => "/submissions/".to_owned(),
        };
        move |name| printed_link(&format!("{media}{}", encoded(name))).to_owned()
    }

    /// Whether good credentials came along; wrong ones are refused everywhere, with 403.
    fn credentials(&self, headers: &HeaderMap) -> Result<bool, &'static str> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Ok(false);
        };
        let value = value.to_str().unwrap_or_default();
        // Other ways of signing in are ignored.
        let Some(basic) = value.strip_prefix("Basic ") else {
            return Ok(false);
        };
        let decoded = base64::engine::general_purpose::STANDARD.decode(basic.trim());
        let pair = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let expected = format!("{USER}:{}", self.world.key(PASSWORD_KEY));
        match pair {
            None => Err("Invalid basic header. Credentials not correctly base64 encoded."),
            Some(pair) if pair == expected => Ok(true),
            Some(_) => Err("Invalid username/password."),
        }
    }

    fn next_identifier(&self) -> String {
        lock(&self.records).identifiers.next(SystemTime::now())
    }

    fn open_batch(&self) -> String {
        let uuid = self.next_identifier();
        lock(&self.records).open_batch(&uuid);
        uuid
    }

    fn add(&self, batch: &str, part: Part) {
        lock(&self.records).add(batch, part);
    }

    fn alive(&self, sender: &str) -> usize {
        lock(&self.records).alive(sender, self.world.now())
    }
}

fn told(value: Option<Value>) -> Reply {
    match value {
        Some(value) => Reply::Interface(StatusCode::OK, value),
        None => Reply::Page(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn not_allowed(method: &Method) -> Reply {
    let detail = format!("Method \"{method}\" not allowed.");
    Reply::Interface(StatusCode::METHOD_NOT_ALLOWED, json!({ "detail": detail }))
}

/// Only this computer's own names are in the server's list of hosts.
fn host_is_allowed(headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// The address the quota counts by: what a proxy says, else this computer.
fn sender_address(headers: &HeaderMap) -> String {
    let forwarded = headers.get("x-forwarded-for");
    let forwarded = forwarded.and_then(|value| value.to_str().ok());
    forwarded
        .and_then(|list| list.split(',').next())
        .map_or_else(|| "127.0.0.1".to_owned(), |first| first.trim().to_owned())
}

#[cfg(test)]
mod tests;
