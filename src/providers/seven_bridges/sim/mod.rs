//! Seven Bridges, simulated for the sandbox from the vendor's documentation and what public code shows.
//!
//! Owns the routes, the token check, the budget and what every answer has in common. Writes its JSON by hand and never
//! uses the client's wire types. Where the documentation is silent a comment says what was chosen, and a setting offers
//! the alternative where a client must survive both.

mod apps;
mod batch;
mod bulk;
mod call;
mod checks;
mod complete;
mod errors;
mod fields;
mod files;
mod fixtures;
mod life;
mod paging;
mod parts;
mod projects;
mod rate;
mod routes;
mod settings;
mod store;
mod summary;
mod tables;
mod task;
mod task_list;
mod tasks;
mod tools;
mod upload;
mod work;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::apps::App;
use crate::providers::seven_bridges::sim::call::Sent;
use crate::providers::seven_bridges::sim::errors::Refusal;
use crate::providers::seven_bridges::sim::projects::Project;
use crate::providers::seven_bridges::sim::rate::Rate;
use crate::providers::seven_bridges::sim::store::Files;
use crate::providers::seven_bridges::sim::task::Tasks;
use crate::providers::seven_bridges::sim::upload::Upload;
use crate::providers::seven_bridges::sim::work::Queue;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::world::{World, lock, random_hex};

pub use crate::providers::seven_bridges::sim::settings::{ENDPOINTS, SETTINGS};

/// The name its token goes by in the world.
pub const PLATFORM: &str = "seven_bridges";

/// The project that has everything.
pub const PROJECT: &str = projects::MAIN;

/// The one user there is.
const USER: &str = "john_doe";

/// What the routes of the interface and of the storage both see.
#[derive(Debug)]
struct Shared {
    files: Mutex<Files>,
    /// Uploads on their way, by the key of their parts at the storage.
    uploads: Mutex<BTreeMap<String, Upload>>,
    /// Where bytes are kept.
    blobs: PathBuf,
    /// Hashes of so many zeros.
    zero_etags: Mutex<BTreeMap<u64, String>>,
}

impl Shared {
    fn of(world: &World) -> Arc<Self> {
        let blobs = world.folder().join("seven-bridges");
        world.shared(|| Self {
            files: Mutex::default(),
            uploads: Mutex::default(),
            blobs,
            zero_etags: Mutex::default(),
        })
    }
}

/// The one account there is.
#[derive(Debug)]
struct Account {
    world: Arc<World>,
    shared: Arc<Shared>,
    apps: Mutex<Vec<App>>,
    tasks: Mutex<Tasks>,
    rate: Mutex<Rate>,
    queue: Arc<Queue>,
}

impl Account {
    fn new(world: &Arc<World>) -> Self {
        let shared = Shared::of(world);
        if let Err(error) = fixtures::add(world, &shared) {
            tracing::error!(%error, "the sandbox cannot make its first files");
        }
        Self {
            world: Arc::clone(world),
            shared,
            apps: Mutex::new(apps::all()),
            tasks: Mutex::default(),
            rate: Mutex::default(),
            queue: Arc::default(),
        }
    }

    fn projects(&self) -> Vec<Project> {
        let more = self.world.faults().number("sb.extra-projects");
        projects::all(more.unwrap_or(0))
    }

    /// A project by its id.
    fn project(&self, id: &str) -> Result<Project, Refusal> {
        if !id.contains('/') {
            return Err(Refusal::bad(3012, "Malformed project id."));
        }
        let mut projects = self.projects().into_iter();
        projects
            .find(|project| project.id == id)
            .ok_or_else(projects::not_there)
    }

    /// Refuses, under this number, to change what is in a project one may only look at.
    fn may_write(&self, project: &str, code: u32) -> Result<(), Refusal> {
        if self.project(project)?.read_only {
            return Err(Refusal::forbidden(
                code,
                "You do not have permission to write to this project.",
            ));
        }
        Ok(())
    }

    fn may_run(&self, project: &str) -> Result<Project, Refusal> {
        let project = self.project(project)?;
        if project.read_only {
            return Err(Refusal::forbidden(
                7026,
                "You do not have permission to run tasks in this project.",
            ));
        }
        Ok(project)
    }

    /// The folder a body names, by `parent` or as the root of `project`, if it may be written to.
    fn place(&self, sent: &Sent, code: u32) -> Result<String, Refusal> {
        match (sent.text("project"), sent.text("parent")) {
            (Some(project), None) => {
                self.may_write(project, code)?;
                let now = self.world.timestamp();
                Ok(lock(&self.shared.files).root(project, now))
            }
            (None, Some(parent)) => {
                let folder = lock(&self.shared.files).get(parent).cloned();
                let folder = folder.filter(store::Item::is_folder);
                let folder = folder.ok_or_else(files::not_there)?;
                self.may_write(&folder.project, code)?;
                Ok(folder.id)
            }
            _ => Err(Refusal::bad(
                90000,
                "Exactly one of project and parent must be given.",
            )),
        }
    }

    /// Lets tasks end whose time has come.
    fn settle(&self) {
        tasks::settle(self);
    }
}

/// What the sandbox needs to know of it.
pub static SIMULATOR: Simulator = Simulator {
    api_router: routes::api,
    storage_router: routes::storage,
    endpoints: ENDPOINTS,
    settings: SETTINGS,
    refusal,
    bucket: None,
    entries,
};

/// A refusal in its words.
fn refusal(status: StatusCode, message: &str) -> Value {
    let code = match status.as_u16() {
        400 => 90_000,
        401 => 90_001,
        403 => 90_002,
        404 => 90_003,
        429 => 1_000,
        // Maintenance.
        503 => 0,
        _ => 90_004,
    };
    Refusal::new(status, code, message).json()
}

/// How to connect to it.
fn entries(world: &World) -> Vec<DemoEntry> {
    vec![
        DemoEntry::open("url", format!("{}/v2", world.api_url())),
        DemoEntry::secret("key", "token", world.key(PLATFORM)),
        DemoEntry::open("project", PROJECT),
    ]
}

/// What of a call the guard must know.
#[derive(Debug, Clone)]
struct Guard {
    account: Arc<Account>,
    /// Answers without a token.
    open: bool,
    /// Does not count.
    free: bool,
}

const MAINTENANCE: &str = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>";

/// Middleware: the token, the budget, and what every answer has in common.
async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let world = &guard.account.world;
    let faults = world.faults();
    let mut response = match faults.value("sb.front").as_str() {
        "html-503" => (StatusCode::SERVICE_UNAVAILABLE, Html(MAINTENANCE)).into_response(),
        "maintenance" => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Refusal::new(status, 0, "Service is under maintenance.").styled(faults)
        }
        _ if !guard.open && !has_token(world, &request) => {
            Refusal::new(StatusCode::UNAUTHORIZED, 90001, "Unauthorized").styled(faults)
        }
        _ => {
            let standing = lock(&guard.account.rate).count(world, guard.free);
            let mut response = if standing.granted {
                let response = next.run(request).await;
                match response.extensions().get::<Refusal>() {
                    Some(refusal) => refusal.styled(faults),
                    None => response,
                }
            } else {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Refusal::new(status, 1000, "Rate limit exceeded.").styled(faults)
            };
            standing.tell(response.headers_mut());
            response
        }
    };
    if let Ok(id) = HeaderValue::from_str(&random_hex(32)) {
        let name = HeaderName::from_static("x-request-id");
        response.headers_mut().insert(name, id);
    }
    response
}

/// The header, or the variant of single sign-on.
fn has_token(world: &World, request: &Request) -> bool {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let token = world.key(PLATFORM);
    header("x-sbg-auth-token") == Some(token.as_str())
        || header("authorization").and_then(|value| value.strip_prefix("Bearer "))
            == Some(token.as_str())
}

/// `GET /v2/`
async fn links(call: call::Call) -> Response {
    let link = |path: &str| call.href(path);
    axum::Json(json!({
        "rate_limit_url": link("/rate_limit"),
        "user_url": link("/user"),
        "users_url": link("/users"),
        "billing_url": link("/billing"),
        "projects_url": link("/projects"),
        "files_url": link("/files"),
        "tasks_url": link("/tasks"),
        "apps_url": link("/apps"),
        "action_url": link("/action"),
        "upload_url": link("/upload"),
        "storage_url": link("/storage"),
    }))
    .into_response()
}

/// `GET /rate_limit`
async fn rate_limit(State(account): State<Arc<Account>>) -> Response {
    let standing = lock(&account.rate).count(&account.world, true);
    axum::Json(standing.json()).into_response()
}

/// A new id of a file: 24 lower-case hexadecimal digits.
fn new_id() -> String {
    random_hex(24)
}

/// A new id of a task: a UUID of random digits.
fn new_uuid() -> String {
    let groups = [8, 4, 3, 3, 12].map(random_hex);
    let [first, second, third, fourth, fifth] = groups;
    format!("{first}-{second}-4{third}-a{fourth}-{fifth}")
}

/// A time as the service writes it: whole seconds and `Z`.
fn time_text(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
