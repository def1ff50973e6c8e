//! Attaching data assets to a capsule for good.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::Account;
use crate::providers::code_ocean::sim::answer::{Refusal, answer, bad, done, text};
use crate::providers::code_ocean::sim::capsules::{self, Kind};
use crate::providers::code_ocean::sim::create::check_mount;
use crate::sandbox::world::lock;

impl Account {
    /// Id and mount of what is attached to a capsule.
    pub(super) fn attached(&self, capsule: &str) -> Vec<(String, String)> {
        lock(&self.attached)
            .get(capsule)
            .cloned()
            .unwrap_or_default()
    }
}

/// `POST /capsules/{id}/data_assets`
pub(super) async fn attach(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    answer(attach_all(&account, &id, &body))
}

fn attach_all(account: &Account, capsule: &str, body: &[u8]) -> Result<Value, Refusal> {
    capsules::find(Kind::Capsule, capsule)?;
    let mut told = Vec::new();
    let mut attached = Vec::new();
    for given in items(body)? {
        let given = given.as_object().ok_or_else(|| bad("invalid data asset"))?;
        let id = text(given, "id")?.ok_or_else(|| bad("id is required"))?;
        let asset = account.asset(id)?;
        let mount = text(given, "mount")?.unwrap_or(&asset.mount).to_owned();
        check_mount(&mount)?;
        told.push(json!({
            "id": id,
            "external": asset.is_external(),
            "job_id": "",
            "mount": mount,
            "mount_state": "ready",
            "ready": true,
        }));
        attached.push((id.to_owned(), mount));
    }
    let mut all = lock(&account.attached);
    all.entry(capsule.to_owned()).or_default().extend(attached);
    Ok(told.into())
}

/// `DELETE /capsules/{id}/data_assets`
pub(super) async fn detach(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let known = capsules::find(Kind::Capsule, &id).and_then(|_| items(&body));
    done(known.map(|ids| {
        let gone = |asset: &str| ids.iter().any(|id| id.as_str() == Some(asset));
        if let Some(attached) = lock(&account.attached).get_mut(&id) {
            attached.retain(|(asset, _)| !gone(asset));
        }
    }))
}

/// `POST` and `DELETE /computations/{id}/data_assets`, which are only for cloud workstations; there are none here.
pub(super) async fn refuse_for_run(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let run = account.run(&id);
    done(run.and_then(|_| Err(bad("the computation is not a cloud workstation"))))
}

fn items(body: &[u8]) -> Result<Vec<Value>, Refusal> {
    serde_json::from_slice(body).map_err(|_error| bad("a list is required"))
}
