//! Data assets: what they say of themselves, searching, changing, listing their files. Making them is in `create`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::answer::{
    Refusal, answer, bad, check_id, done, entry, list, missing, object, text,
};
use crate::providers::code_ocean::sim::query::Fields;
use crate::providers::code_ocean::sim::results::{links, old_link};
use crate::providers::code_ocean::sim::search::{Findable, search};
use crate::providers::code_ocean::sim::tree::Tree;
use crate::providers::code_ocean::sim::{Account, EMAIL, OWNER, SOMEBODY, new_id, now_seconds};
use crate::sandbox::world::World;

/// Files once they are there, or why they are not.
pub(super) type Content = Arc<OnceLock<Result<Arc<Tree>, String>>>;

/// A data asset.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) mount: String,
    pub(super) custom_metadata: Value,
    pub(super) created: i64,
    pub(super) last_used: i64,
    /// `dataset`, `result` or `combined`.
    pub(super) kind: &'static str,
    /// `source_bucket`, or null.
    pub(super) bucket: Value,
    /// `provenance`, or null.
    pub(super) provenance: Value,
    /// `contained_data_assets`, or null.
    pub(super) contained: Value,
    pub(super) is_archived: bool,
    pub(super) is_mine: bool,
    /// From when on, by the world's clock, it is more than a draft.
    pub(super) settled: Duration,
    pub(super) content: Content,
}

/// How an asset stands.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    Draft,
    Ready(Arc<Tree>),
    Failed(String),
}

impl Asset {
    /// One without files, made now.
    pub(super) fn new(world: &World, name: &str, mount: &str) -> Self {
        Self {
            id: new_id(),
            name: name.to_owned(),
            description: String::new(),
            tags: Vec::new(),
            mount: mount.to_owned(),
            custom_metadata: Value::Null,
            created: now_seconds(world),
            last_used: 0,
            kind: "dataset",
            bucket: Value::Null,
            provenance: Value::Null,
            contained: Value::Null,
            is_archived: false,
            is_mine: true,
            settled: Duration::ZERO,
            content: Content::default(),
        }
    }

    /// Whether its files stay outside of the platform.
    pub(super) fn is_external(&self) -> bool {
        let external = self.bucket.get("external").and_then(Value::as_bool);
        external.unwrap_or(false)
    }

    pub(super) fn standing(&self, world: &World) -> Standing {
        let life = world.faults().value("code_ocean.asset-life");
        if world.now() < self.settled || (life == "stays" && self.settled > Duration::ZERO) {
            return Standing::Draft;
        }
        if life == "fails" && self.settled > Duration::ZERO {
            return Standing::Failed("the data could not be copied".to_owned());
        }
        match self.content.get() {
            None => Standing::Draft,
            Some(Ok(tree)) => Standing::Ready(Arc::clone(tree)),
            Some(Err(reason)) => Standing::Failed(reason.clone()),
        }
    }

    pub(super) fn describe(&self, world: &World) -> Value {
        let standing = self.standing(world);
        let upper_case = world.faults().is("code_ocean.asset-states", "upper-case");
        let state = match (&standing, upper_case) {
            (Standing::Draft, false) => "draft",
            (Standing::Ready(_), false) => "ready",
            (Standing::Failed(_), false) => "failed",
            (Standing::Draft, true) => "DATA_ASSET_STATE_DRAFT",
            (Standing::Ready(_), true) => "DATA_ASSET_STATE_READY",
            (Standing::Failed(_), true) => "DATA_ASSET_STATE_FAILED",
        };
        let (owner, email) = if self.is_mine {
            (OWNER, EMAIL)
        } else {
            (SOMEBODY, "colleague@example.org")
        };
        let mut entry = json!({
            "id": self.id,
            "created": self.created,
            "name": self.name,
            "description": self.description,
            "tags": self.tags,
            "mount": self.mount,
            "last_used": self.last_used,
            "owner": owner,
            "owner_email": email,
            "state": state,
            "type": self.kind,
        });
        let Some(members) = entry.as_object_mut() else {
            return entry;
        };
        for (name, value) in [
            ("custom_metadata", &self.custom_metadata),
            ("source_bucket", &self.bucket),
            ("provenance", &self.provenance),
            ("contained_data_assets", &self.contained),
        ] {
            if !value.is_null() {
                members.insert(name.to_owned(), value.clone());
            }
        }
        match standing {
            Standing::Draft => {}
            Standing::Ready(tree) => {
                // The vendor's table calls the size a string.
                let size = if world.faults().is("code_ocean.asset-size", "text") {
                    json!(tree.size().to_string())
                } else {
                    json!(tree.size())
                };
                members.insert("files".to_owned(), json!(tree.count()));
                members.insert("size".to_owned(), size);
            }
            Standing::Failed(reason) => {
                members.insert("failure_reason".to_owned(), json!(reason));
            }
        }
        entry
    }
}

impl Account {
    /// An asset as it is now.
    pub(super) fn asset(&self, id: &str) -> Result<Asset, Refusal> {
        check_id(id)?;
        let found = self.assets().iter().find(|asset| asset.id == id).cloned();
        found.ok_or_else(|| missing(format!("data asset {id} not found")))
    }

    /// Changes an asset of the account's own.
    fn change<T>(&self, id: &str, change: impl FnOnce(&mut Asset) -> T) -> Result<T, Refusal> {
        if !self.asset(id)?.is_mine {
            return Err((StatusCode::FORBIDDEN, "no permission".to_owned()));
        }
        let mut assets = self.assets();
        let found = assets.iter_mut().find(|asset| asset.id == id);
        found.map(change).ok_or_else(|| missing("not found"))
    }

    /// Files of an asset the platform holds itself.
    fn asset_files(&self, id: &str) -> Result<Arc<Tree>, Refusal> {
        let asset = self.asset(id)?;
        if asset.is_external() {
            return Err(bad("files of an external data asset cannot be listed"));
        }
        match asset.standing(&self.world) {
            Standing::Ready(tree) => Ok(tree),
            Standing::Draft | Standing::Failed(_) => Err(bad("the data asset is not ready")),
        }
    }
}

/// `POST /data_assets/search`
pub(super) async fn search_assets(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    answer(object(&body).and_then(|request| find_assets(&account, &request)))
}

/// `GET /data_assets`, which an old client still asks.
pub(super) async fn list_assets(State(account): State<Arc<Account>>, fields: Fields) -> Response {
    let request = || {
        let mut request = Map::new();
        for (old, new) in [("start", "offset"), ("limit", "limit")] {
            if let Some(number) = fields.number(old)? {
                request.insert(new.to_owned(), json!(number));
            }
        }
        if let Some(query) = fields.text("query") {
            request.insert("query".to_owned(), json!(query));
        }
        Ok(request)
    };
    answer(request().and_then(|request| find_assets(&account, &request)))
}

fn find_assets(account: &Account, request: &Map<String, Value>) -> Result<Value, Refusal> {
    let world = &account.world;
    let all: Vec<Findable> = account
        .assets()
        .iter()
        .map(|asset| Findable {
            value: asset.describe(world),
            is_archived: asset.is_archived,
            is_favorite: false,
            is_mine: asset.is_mine,
        })
        .collect();
    search(world.faults(), request, all)
}

/// `GET /data_assets/{id}`
pub(super) async fn get_asset(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let world = &account.world;
    let found = account.asset(&id);
    answer(found.map(|asset| entry(world.faults(), asset.describe(world))))
}

/// `PUT /data_assets/{id}`
pub(super) async fn update_asset(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    answer(update(&account, &id, &body))
}

fn update(account: &Account, id: &str, body: &[u8]) -> Result<Value, Refusal> {
    let request = object(body)?;
    let tags = request.get("tags").map(|_| list(&request, "tags"));
    let tags = tags.transpose()?;
    let [name, description, mount] = ["name", "description", "mount"].map(|it| text(&request, it));
    let (name, description, mount) = (name?, description?, mount?);
    account.change(id, |asset| {
        if let Some(name) = name {
            name.clone_into(&mut asset.name);
        }
        if let Some(description) = description {
            description.clone_into(&mut asset.description);
        }
        if let Some(mount) = mount {
            mount.clone_into(&mut asset.mount);
        }
        if let Some(tags) = tags {
            let tags = tags.iter().filter_map(Value::as_str);
            asset.tags = tags.map(str::to_owned).collect();
        }
        if let Some(own) = request.get("custom_metadata") {
            asset.custom_metadata = own.clone();
        }
        entry(account.world.faults(), asset.describe(&account.world))
    })
}

/// `DELETE /data_assets/{id}`
pub(super) async fn delete_asset(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let changed = account.change(&id, |_| ());
    done(changed.map(|()| account.assets().retain(|asset| asset.id != id)))
}

/// `PATCH /data_assets/{id}/archive?archive=true`
pub(super) async fn archive_asset(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    let archive = fields.flag("archive");
    done(archive.and_then(|archive| {
        account.change(&id, |asset| {
            asset.is_archived = archive;
        })
    }))
}

/// `POST /data_assets/{id}/files`
pub(super) async fn asset_files(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let listed = || {
        let request = object(&body)?;
        let folder = text(&request, "path")?.unwrap_or_default();
        let tree = account.asset_files(&id)?;
        let items = tree.list(folder).ok_or_else(|| missing("no such folder"))?;
        Ok(json!({ "items": items }))
    };
    answer(listed())
}

/// `GET /data_assets/{id}/files/urls?path=`
pub(super) async fn asset_urls(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    let tree = account.asset_files(&id);
    answer(tree.and_then(|tree| links(&account.world, &tree, fields.needed("path")?)))
}

/// `GET /data_assets/{id}/files/download_url?path=`, the older form.
pub(super) async fn asset_url(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    let tree = account.asset_files(&id);
    answer(tree.and_then(|tree| old_link(&account.world, &tree, fields.needed("path")?)))
}

/// `GET /custom_metadata`
pub(super) async fn custom_metadata() -> Response {
    answer(Ok(json!({
        "categories": ["Sample"],
        "fields": [
            { "name": "Organism", "type": "string", "category": "Sample",
              "allowed_values": ["human", "mouse", "other"] },
            { "name": "Passage", "type": "number", "range": { "min": 0, "max": 100 } },
        ],
    })))
}
