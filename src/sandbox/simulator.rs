//! What the sandbox needs to know of a platform's simulator: its routes, its words, and how the demo connects to it.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;

use crate::sandbox::faults::Setting;
use crate::sandbox::world::World;

/// A platform's simulator; its entry in [`crate::providers::ALL`] names it.
#[derive(Debug)]
pub struct Simulator {
    /// Its interface.
    pub api_router: fn(Arc<World>) -> Router,
    /// Its part of the storage.
    pub storage_router: fn(Arc<World>) -> Router,
    /// Endpoints, as faults and the request log name them.
    pub endpoints: &'static [&'static str],
    /// Settings, as `name=value` sets them.
    pub settings: &'static [Setting],
    /// The body of its refusals, with this status and message; what faults answer in its place.
    pub refusal: fn(StatusCode, &str) -> serde_json::Value,
    /// The name, for faults and the request log, of the person's bucket where its inputs are staged through that; listed
    /// among its endpoints, too.
    pub bucket: Option<&'static str>,
    /// How to connect to it, in the order of the connection form; empty for one that cannot be connected to.
    pub entries: fn(&World) -> Vec<DemoEntry>,
}

/// One entry of the form of a connection to the sandbox.
#[derive(Clone, Debug)]
pub struct DemoEntry {
    /// The field of the connection form.
    pub field: &'static str,
    /// Its name in the line that `labferry sandbox` prints; none is left out there.
    pub printed: Option<&'static str>,
    /// What it holds.
    pub value: String,
    /// Whether it is a secret.
    pub is_secret: bool,
}

impl DemoEntry {
    /// An entry printed under its field's name.
    pub fn open(field: &'static str, value: impl Into<String>) -> Self {
        Self {
            field,
            printed: Some(field),
            value: value.into(),
            is_secret: false,
        }
    }

    /// A secret printed under this name.
    pub fn secret(field: &'static str, printed: &'static str, value: impl Into<String>) -> Self {
        Self {
            field,
            printed: Some(printed),
            value: value.into(),
            is_secret: true,
        }
    }

    /// An entry that is not printed.
    pub fn unprinted(field: &'static str, value: impl Into<String>) -> Self {
        Self {
            field,
            printed: None,
            value: value.into(),
            is_secret: false,
        }
    }
}
