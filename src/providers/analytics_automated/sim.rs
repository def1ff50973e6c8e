//! Analytics Automated, simulated for the sandbox.

use std::sync::Arc;

use axum::Router;

use crate::sandbox::faults::Setting;
use crate::sandbox::world::World;

/// The names faults may use.
pub const ENDPOINTS: &[&str] = &["aa.submit", "aa.status", "aa.endpoints"];

/// How it behaves where the vendor's pages leave a choice.
pub const SETTINGS: &[Setting] = &[];

/// The routes of the platform itself.
pub fn api_router(_world: Arc<World>) -> Router {
    Router::new()
}

/// The routes of its storage: none, its results are on the platform's own host.
pub fn storage_router(_world: Arc<World>) -> Router {
    Router::new()
}
