//! Biodock, simulated for the sandbox from the vendor's documentation and what public code shows.
//!
//! Owns the routes, the key check and what every answer has in common. Writes its JSON by hand and
//! never uses the client's wire types. Where the documentation is silent a comment says what was
//! chosen, and a setting offers the alternative where a client must survive both.

mod files;
mod jobs;
mod masks;
mod masks_job;
mod paging;
mod pipelines;
mod results;
mod segment;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::providers::biodock::sim::files::Files;
use crate::providers::biodock::sim::jobs::Job;
use crate::providers::biodock::sim::paging::Fields;
use crate::sandbox::faults::Setting;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::storage;
use crate::sandbox::world::{World, lock, random_hex};

/// The name its key goes by in the world.
pub const PLATFORM: &str = "biodock";

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &[
    "biodock.check",
    "biodock.upload",
    "biodock.list",
    "biodock.pipelines",
    "biodock.submit",
    "biodock.status",
    "biodock.jobs",
    "biodock.ask-masks",
    "biodock.masks",
];

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[
    // `live`: the two single GETs wrapped, as a public client reads them; `flat`: all as
    // documented; `wrapped`: every answer about a job wrapped.
    setting("biodock.style", &["live", "flat", "wrapped"]),
    // The answer to a bad key: 401 with JSON, 401 with a page, 200 with a login page, or a
    // redirect to one.
    setting(
        "biodock.refusal",
        &["json", "html", "login-page", "redirect"],
    ),
    // Most entries of a page when no limit is sent, and at all.
    setting("biodock.limit", &["#"]),
    setting("biodock.max-limit", &["#"]),
    setting("biodock.cursor", &["honored", "ignored"]),
    setting("biodock.count", &["page", "total"]),
    setting("biodock.pipeline-names", &["absent", "present"]),
    setting("biodock.job-names", &["absent", "present"]),
    // Largest upload in bytes, and milliseconds until a file can be analysed.
    setting("biodock.max-upload", &["#"]),
    setting("biodock.usable-after", &["#"]),
    setting(
        "biodock.life",
        &[
            "usual",
            "fails",
            "stays",
            "full-but-running",
            "late-urls",
            "no-urls",
            "unknown-status",
        ],
    ),
    setting("biodock.early-urls", &["absent", "null"]),
    setting("biodock.percentage", &["whole", "float", "null", "missing"]),
    setting(
        "biodock.masks-life",
        &["usual", "fails", "stays", "no-urls"],
    ),
    setting("biodock.masks-status", &["present", "missing"]),
    setting("biodock.masks-zip", &["usual", "hostile"]),
    // Seconds a signed link is good for.
    setting("biodock.link-seconds", &["#"]),
];

const fn setting(name: &'static str, values: &'static [&'static str]) -> Setting {
    Setting { name, values }
}

/// How long a signed link is good for by the world's clock; the vendor's number is not documented.
const LINK_LIFETIME: Duration = Duration::from_mins(5);

/// The one account there is.
#[derive(Debug)]
struct Account {
    world: Arc<World>,
    files: Mutex<Files>,
    /// Oldest first.
    jobs: Mutex<Vec<Arc<Job>>>,
}

impl Account {
    fn job(&self, id: &str) -> Option<Arc<Job>> {
        lock(&self.jobs).iter().find(|job| job.id == id).cloned()
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

/// A refusal in its words.
fn refusal(_status: StatusCode, message: &str) -> Value {
    json!({ "message": message })
}

/// How to connect to it.
fn entries(world: &World) -> Vec<DemoEntry> {
    vec![
        DemoEntry::open("url", format!("{}/api/external", world.api_url())),
        DemoEntry::secret("key", "key", world.key(PLATFORM)),
    ]
}

/// The routes of the platform itself.
pub fn api_router(world: Arc<World>) -> Router {
    // Made now, so that the request log knows the key from the first request on.
    world.key(PLATFORM);
    let account = Arc::new(Account {
        world: Arc::clone(&world),
        files: Mutex::default(),
        jobs: Mutex::default(),
    });
    let route = move |name, handler: MethodRouter<Arc<Account>>| {
        let guarded = handler
            .layer(from_fn_with_state(Arc::clone(&world), require_key))
            .with_state(Arc::clone(&account));
        world.endpoint(name, guarded)
    };
    let upload = post(files::upload).layer(DefaultBodyLimit::disable());
    let routes = Router::new()
        .route("/check", route("biodock.check", get(check)))
        .route(
            "/filesystem-items/upload-file",
            route("biodock.upload", upload),
        )
        .route("/filesystem-items", route("biodock.list", get(files::list)))
        .route("/pipelines", route("biodock.pipelines", get(pipelines)))
        .route(
            "/analysis-jobs",
            route("biodock.submit", post(jobs::submit))
                .merge(route("biodock.jobs", get(jobs::list))),
        )
        .route(
            "/analysis-jobs/{id}",
            route("biodock.status", get(jobs::status)),
        )
        .route(
            "/analysis-jobs/{id}/download-masks",
            route("biodock.ask-masks", post(masks_job::ask))
                .merge(route("biodock.masks", get(masks_job::status))),
        );
    Router::new().nest("/api/external", routes)
}

/// The routes of its storage: signed links to files without a telling name.
pub fn storage_router(world: Arc<World>) -> Router {
    let route = move |handler: MethodRouter<Arc<World>>| {
        world.endpoint(storage::ENDPOINT, handler.with_state(Arc::clone(&world)))
    };
    Router::new().route("/biodock-results/{name}", route(get(result_file)))
}

/// `GET /check`. The misspelled field is the documentation's.
async fn check() -> Json<Value> {
    Json(json!({
        "user": "auth0|5f7c1e2a9b3d4f6071829304",
        "email": "someone@example.org",
        "messsage": "API key is valid.",
    }))
}

/// `GET /pipelines`
async fn pipelines(State(account): State<Arc<Account>>, Query(fields): Query<Fields>) -> Response {
    let faults = account.world.faults();
    let named = faults.is("biodock.pipeline-names", "present");
    let ids: Vec<&str> = pipelines::ALL.iter().map(|pipeline| pipeline.id).collect();
    paging::page(faults, &fields, &ids, |id| {
        pipelines::find(id).map(|pipeline| pipeline.describe(named))
    })
}

/// A file behind a signed link.
async fn result_file(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return storage::no_such_key();
    }
    let file = jobs::results_folder(&world).join(name);
    storage::serve_signed(&world, &uri, &headers, &file).await
}

/// A link to a file in the results folder that is good for a while.
fn link(world: &World, file: &str) -> String {
    let lifetime = world.faults().number("biodock.link-seconds");
    let lifetime = lifetime.map_or(LINK_LIFETIME, Duration::from_secs);
    world.sign(&format!("/biodock-results/{file}"), lifetime)
}

const LOGIN_PAGE: Html<&str> = Html("<!doctype html><title>Log in</title><h1>Log in</h1>");

/// Middleware: lets a request with the right key pass.
async fn require_key(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let key = request.headers().get("x-api-key");
    if key.is_some_and(|key| key.as_bytes() == world.key(PLATFORM).as_bytes()) {
        return next.run(request).await;
    }
    match world.faults().value("biodock.refusal").as_str() {
        "html" => (StatusCode::UNAUTHORIZED, LOGIN_PAGE).into_response(),
        "login-page" => LOGIN_PAGE.into_response(),
        "redirect" => {
            let target = format!("http://localhost:{}/login", world.storage_address().port());
            (StatusCode::FOUND, [(header::LOCATION, target)]).into_response()
        }
        _ => refuse(StatusCode::UNAUTHORIZED, "Unauthorized"),
    }
}

/// A refusal. No error body is documented; this shape is the commonest.
fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// The entry under a name of its own, as the live service sends some, or as it is.
fn wrapped(wrap: bool, name: &str, entry: Value) -> Value {
    if wrap { json!({ name: entry }) } else { entry }
}

/// A new id in the form seen in the wild: 24 lower-case hexadecimal digits.
fn new_id() -> String {
    random_hex(24)
}

/// The time as the service writes it: milliseconds and `Z`.
fn now_text(world: &World) -> String {
    world
        .timestamp()
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}
