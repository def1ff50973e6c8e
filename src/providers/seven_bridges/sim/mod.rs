//! Seven Bridges, simulated for the sandbox from the vendor's documentation and what public code shows.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::faults::Setting;
use crate::sandbox::simulator::{DemoEntry, Simulator};
use crate::sandbox::world::World;

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &[];

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[];

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

/// The interface.
fn api_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// The storage.
fn storage_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// A refusal in its words.
fn refusal(status: StatusCode, message: &str) -> Value {
    let code = match status.as_u16() {
        400 => 90_000,
        401 => 90_001,
        403 => 90_002,
        404 => 90_003,
        429 => 1_000,
        503 => 0,
        _ => 90_004,
    };
    json!({
        "status": status.as_u16(),
        "code": code,
        "message": message,
        "more_info": "http://docs.sevenbridges.com/docs/api-status-codes",
    })
}

/// How to connect to it.
fn entries(_world: &World) -> Vec<DemoEntry> {
    Vec::new()
}
