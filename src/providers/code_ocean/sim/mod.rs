//! Code Ocean, simulated for the sandbox from the vendor's documentation and what public code shows.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::faults::Setting;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::world::World;

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &[BUCKET];

/// The bucket data assets are made from.
const BUCKET: &str = "code_ocean.bucket";

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[];

/// What the sandbox needs to know of it.
pub static SIMULATOR: Simulator = Simulator {
    api_router,
    storage_router,
    endpoints: ENDPOINTS,
    settings: SETTINGS,
    refusal,
    bucket: Some(BUCKET),
    entries,
};

/// The interface.
fn api_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// The storage.
fn storage_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// A refusal in its words.
fn refusal(_status: StatusCode, message: &str) -> Value {
    json!({ "message": message })
}

/// How to connect to it.
fn entries(_world: &World) -> Vec<DemoEntry> {
    Vec::new()
}
