//! Biodock, simulated for the sandbox.

use std::sync::Arc;

use axum::Router;

use crate::sandbox::faults::Setting;
use crate::sandbox::world::World;

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
pub const SETTINGS: &[Setting] = &[];

/// The routes of the platform itself.
pub fn api_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// The routes of its storage.
pub fn storage_router(_world: Arc<World>) -> Router {
    Router::new()
}
