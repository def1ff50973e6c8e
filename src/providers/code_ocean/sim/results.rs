//! Results of a computation: one level at a time, and signed links to single files.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use crate::providers::code_ocean::sim::Account;
use crate::providers::code_ocean::sim::answer::{
    Refusal, answer, is_id, missing, object, refuse, text,
};
use crate::providers::code_ocean::sim::query::Fields;
use crate::providers::code_ocean::sim::tree::{self, Tree};
use crate::sandbox::storage;
use crate::sandbox::world::World;

/// How long a signed link is good for by the world's clock; the vendor's number is not documented.
const LINK_LIFETIME: Duration = Duration::from_mins(5);

/// `POST /computations/{id}/results`; without a body it is about the root.
pub(super) async fn list(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let listed = || {
        let request = object(&body)?;
        let folder = text(&request, "path")?.unwrap_or_default();
        let tree = account.run(&id).and_then(|run| account.results(&run))?;
        // What is said of an unknown folder is not documented.
        let items = tree.list(folder).ok_or_else(|| missing("no such folder"))?;
        Ok(json!({ "items": trimmed(&account.world, items) }))
    };
    answer(listed())
}

/// A size of nothing may be left out.
fn trimmed(world: &World, mut items: Vec<Value>) -> Vec<Value> {
    if world.faults().is("code_ocean.members", "omit-empty") {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            if item.get("size").and_then(Value::as_u64) == Some(0) {
                item.remove("size");
            }
        }
    }
    items
}

/// `GET /computations/{id}/results/urls?path=`
pub(super) async fn urls(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    if account
        .world
        .faults()
        .is("code_ocean.file-urls", "old-only")
    {
        return refuse(StatusCode::NOT_FOUND, "404 page not found");
    }
    let tree = account.run(&id).and_then(|run| account.results(&run));
    answer(tree.and_then(|tree| links(&account.world, &tree, fields.needed("path")?)))
}

/// `GET /computations/{id}/results/download_url?path=`, the older form.
pub(super) async fn download_url(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    if account
        .world
        .faults()
        .is("code_ocean.file-urls", "new-only")
    {
        return refuse(StatusCode::NOT_FOUND, "404 page not found");
    }
    let tree = account.run(&id).and_then(|run| account.results(&run));
    answer(tree.and_then(|tree| old_link(&account.world, &tree, fields.needed("path")?)))
}

/// Both signed links to a file.
pub(super) fn links(world: &World, tree: &Tree, path: &str) -> Result<Value, Refusal> {
    Ok(json!({
        "download_url": link(world, tree, path)?,
        "view_url": link(world, tree, path)?,
    }))
}

/// The one signed link of the older form.
pub(super) fn old_link(world: &World, tree: &Tree, path: &str) -> Result<Value, Refusal> {
    Ok(json!({ "url": link(world, tree, path)? }))
}

fn link(world: &World, tree: &Tree, path: &str) -> Result<String, Refusal> {
    let place = tree.storage_path(path);
    let place = place.ok_or_else(|| missing("no such file"))?;
    let lifetime = world.faults().number("code_ocean.link-seconds");
    let lifetime = lifetime.map_or(LINK_LIFETIME, Duration::from_secs);
    Ok(world.sign(&place, lifetime))
}

/// A file behind a signed link.
pub(super) async fn stored_file(
    State(world): State<Arc<World>>,
    Path((tree, number, _name)): Path<(String, u32, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !is_id(&tree) {
        return storage::no_such_key();
    }
    let file = tree::all(&world).join(tree).join(number.to_string());
    storage::serve_signed(&world, &uri, &headers, &file).await
}
