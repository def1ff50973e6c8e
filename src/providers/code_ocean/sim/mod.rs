//! Code Ocean, simulated for the sandbox from the vendor's documentation and what public code shows.
//!
//! Owns the names, the settings and the one account there is. Writes its JSON by hand and never uses the client's wire
//! types. Where the documentation is silent a comment says what was chosen, and a setting offers the alternative where a
//! client must survive both.

mod answer;
mod assets;
mod attach;
mod capsules;
mod computations;
mod create;
mod fixtures;
mod guard;
mod images;
mod order;
mod panels;
mod query;
mod reads;
mod results;
mod routes;
mod search;
mod tree;
mod work;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::assets::Asset;
use crate::providers::code_ocean::sim::computations::Run;
use crate::sandbox::faults::Setting;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::storage;
use crate::sandbox::world::{World, lock, random_hex};

/// The name its token goes by in the world.
pub const PLATFORM: &str = "code_ocean";

/// The bucket data assets are made from.
const BUCKET: &str = "code_ocean.bucket";

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &[
    "code_ocean.capsules",
    "code_ocean.pipelines",
    "code_ocean.capsule",
    "code_ocean.pipeline",
    "code_ocean.form",
    "code_ocean.assets",
    "code_ocean.asset",
    "code_ocean.create-asset",
    "code_ocean.update-asset",
    "code_ocean.delete-asset",
    "code_ocean.archive-asset",
    "code_ocean.asset-files",
    "code_ocean.asset-link",
    "code_ocean.metadata",
    "code_ocean.attach",
    "code_ocean.detach",
    "code_ocean.submit",
    "code_ocean.status",
    "code_ocean.jobs",
    "code_ocean.rename",
    "code_ocean.delete",
    "code_ocean.results",
    "code_ocean.link",
    "code_ocean.old-link",
    BUCKET,
];

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[
    // The version `Min-Server-Version` is held against.
    setting("code_ocean.server-version", &["4.8.0", "4.7.3", "3.9.0"]),
    // Most entries of a page when no limit is sent, and at all.
    setting("code_ocean.limit", &["#"]),
    setting("code_ocean.max-limit", &["#"]),
    setting("code_ocean.next-token", &["text", "number"]),
    // Whether empty, zero and false members are left out, and odd capitals as in some samples.
    setting("code_ocean.members", &["all", "omit-empty"]),
    setting("code_ocean.casing", &["lower", "odd"]),
    setting("code_ocean.panel", &["usual", "corrupted"]),
    setting("code_ocean.processes", &["list", "single"]),
    // Whether a run may leave out a mount, name unknown parameters, mount new places in a pipeline.
    setting("code_ocean.mount", &["optional", "required"]),
    setting("code_ocean.unknown-parameters", &["ignored", "refused"]),
    setting("code_ocean.pipeline-mounts", &["existing", "free"]),
    setting(
        "code_ocean.life",
        &[
            "usual",
            "fails",
            "succeeded-exit-1",
            "failed-exit-0",
            "failed-state",
            "stopped",
            "no-results",
            "no-end-status",
            "unknown-state",
            "unknown-end",
            "stays",
        ],
    ),
    setting("code_ocean.rename", &["204", "200"]),
    setting("code_ocean.results", &["usual", "hostile"]),
    setting("code_ocean.file-urls", &["both", "old-only", "new-only"]),
    // Seconds a signed link is good for.
    setting("code_ocean.link-seconds", &["#"]),
    setting("code_ocean.asset-life", &["usual", "fails", "stays"]),
    setting("code_ocean.asset-states", &["lower-case", "upper-case"]),
    setting("code_ocean.asset-size", &["number", "text"]),
    setting("code_ocean.bucket-access", &["granted", "denied"]),
];

const fn setting(name: &'static str, values: &'static [&'static str]) -> Setting {
    Setting { name, values }
}

/// The account's user.
const OWNER: &str = "f1d0e3a2-0000-4000-8000-000000000001";
const EMAIL: &str = "someone@example.org";
/// Another user of the same deployment.
const SOMEBODY: &str = "f1d0e3a2-0000-4000-8000-000000000002";

/// The one account there is.
#[derive(Debug)]
struct Account {
    world: Arc<World>,
    /// Made when first asked for.
    assets: OnceLock<Mutex<Vec<Asset>>>,
    /// Oldest first.
    runs: Mutex<Vec<Arc<Run>>>,
    /// Id and mount of what is attached to a capsule for good.
    attached: Mutex<BTreeMap<String, Vec<(String, String)>>>,
}

impl Account {
    fn assets(&self) -> MutexGuard<'_, Vec<Asset>> {
        let assets = self
            .assets
            .get_or_init(|| Mutex::new(fixtures::assets(&self.world)));
        lock(assets)
    }
}

/// What the sandbox needs to know of it.
pub static SIMULATOR: Simulator = Simulator {
    api_router,
    storage_router,
    endpoints: ENDPOINTS,
    settings: SETTINGS,
    refusal,
    bucket: Some(BUCKET),
    entries: connectable,
};

/// What to fill in to connect to it.
pub fn connectable(world: &World) -> Vec<DemoEntry> {
    let bucket = world.bucket();
    vec![
        DemoEntry::open("url", world.api_url()),
        DemoEntry::secret("key", "token", token(world)),
        DemoEntry::open("bucket", bucket.name()),
        DemoEntry::unprinted("bucket_region", "us-east-1"),
        DemoEntry::open("bucket_endpoint", bucket.endpoint()),
        DemoEntry::secret("access_key", "access_key", bucket.access_key()),
        DemoEntry::secret("secret_key", "secret_key", bucket.secret_key()),
    ]
}

/// A refusal in its words.
fn refusal(_status: StatusCode, message: &str) -> Value {
    json!({ "message": message })
}

/// The interface.
fn api_router(world: Arc<World>) -> Router {
    // Made now, so that the request log knows the token from the first request on.
    token(&world);
    let account = Arc::new(Account {
        world: Arc::clone(&world),
        assets: OnceLock::new(),
        runs: Mutex::default(),
        attached: Mutex::default(),
    });
    Router::new().nest("/api/v1", routes::all(world, account))
}

/// The storage: files behind signed links.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape a simulator's routers have"
)]
fn storage_router(world: Arc<World>) -> Router {
    let file = get(results::stored_file).with_state(Arc::clone(&world));
    let file = world.endpoint(storage::ENDPOINT, file);
    Router::new().route("/code-ocean/{tree}/{number}/{name}", file)
}

/// The access token, in the form of real ones.
fn token(world: &World) -> String {
    format!("cop_{}", world.key(PLATFORM))
}

/// A new id.
fn new_id() -> String {
    let parts = [8, 4, 4, 4, 12].map(random_hex);
    parts.join("-")
}

/// The time as the platform writes it.
fn now_seconds(world: &World) -> i64 {
    world.timestamp().as_second()
}
