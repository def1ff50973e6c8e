//! Uploaded files and their folders.
//!
//! Owns the filesystem items, the upload and the listing of one folder. Bytes go to the world's
//! folder as they arrive and are never held as a whole.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::providers::biodock::sim::paging::{Fields, page};
use crate::providers::biodock::sim::results::Input;
use crate::providers::biodock::sim::{Account, new_id, now_text, refuse};
use crate::sandbox::world::{World, lock};

/// The largest upload through the interface, by the documentation 2 GB; the safe reading of that.
const MAX_UPLOAD_BYTES: u64 = 2_000_000_000;

/// A file or folder.
#[derive(Debug)]
struct Item {
    id: String,
    name: String,
    /// The folder it is in; `None` is the root.
    parent: Option<String>,
    created_at: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Folder,
    File {
        path: PathBuf,
        /// From when on, by the world's clock, a job may use it.
        usable_from: Duration,
    },
}

/// All items, oldest first.
#[derive(Debug, Default)]
pub(super) struct Files {
    items: Vec<Item>,
    /// Places of the items by id.
    places: BTreeMap<String, usize>,
}

impl Item {
    /// Its entry in a list.
    fn describe(&self) -> Value {
        let kind = match self.content {
            Content::Folder => "Folder",
            Content::File { .. } => "File",
        };
        json!({
            "id": self.id,
            "name": self.name,
            "createdAt": self.created_at,
            "__t": kind,
        })
    }
}

/// Why ids cannot be analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    Unknown,
    NotReady,
}

impl Files {
    /// The innermost folder of a path, made when it is not there; `None` is the root.
    fn folder(&mut self, path: &str, created_at: &str) -> Option<String> {
        let mut parent: Option<String> = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let known = self.items.iter().find(|item| {
                item.parent == parent
                    && item.name == name
                    && matches!(item.content, Content::Folder)
            });
            parent = Some(match known {
                Some(folder) => folder.id.clone(),
                None => self.add(name, parent, created_at, Content::Folder),
            });
        }
        parent
    }

    fn add(
        &mut self,
        name: &str,
        parent: Option<String>,
        created_at: &str,
        content: Content,
    ) -> String {
        let id = new_id();
        self.places.insert(id.clone(), self.items.len());
        self.items.push(Item {
            id: id.clone(),
            name: name.to_owned(),
            parent,
            created_at: created_at.to_owned(),
            content,
        });
        id
    }

    fn find(&self, id: &str) -> Option<&Item> {
        self.items.get(*self.places.get(id)?)
    }

    /// Ids of what is in one folder, newest first.
    fn children(&self, folder: Option<&str>) -> Vec<&str> {
        let inside = |item: &&Item| item.parent.as_deref() == folder;
        let items = self.items.iter().rev().filter(inside);
        items.map(|item| item.id.as_str()).collect()
    }

    /// The files behind ids; a folder stands for all files in and below it, because a public client
    /// sends the id of a folder.
    pub(super) fn inputs(&self, ids: &[&str], now: Duration) -> Result<Vec<Input>, Unusable> {
        let mut inputs = Vec::new();
        for id in ids {
            let item = self.find(id).ok_or(Unusable::Unknown)?;
            self.collect(item, now, &mut inputs)?;
        }
        Ok(inputs)
    }

    fn collect(&self, item: &Item, now: Duration, into: &mut Vec<Input>) -> Result<(), Unusable> {
        match &item.content {
            Content::Folder => {
                let inside = |inner: &&Item| inner.parent.as_ref() == Some(&item.id);
                for inner in self.items.iter().filter(inside) {
                    self.collect(inner, now, into)?;
                }
            }
            Content::File { path, usable_from } => {
                if now < *usable_from {
                    return Err(Unusable::NotReady);
                }
                into.push(Input {
                    id: item.id.clone(),
                    name: item.name.clone(),
                    origin: self.origin(item),
                    path: path.clone(),
                });
            }
        }
        Ok(())
    }

    /// Folders and name, joined by `/`.
    fn origin(&self, item: &Item) -> String {
        let mut parts = vec![item.name.as_str()];
        let mut parent = item.parent.as_deref();
        while let Some(folder) = parent.and_then(|id| self.find(id)) {
            parts.push(&folder.name);
            parent = folder.parent.as_deref();
        }
        parts.reverse();
        parts.join("/")
    }
}

/// `GET /filesystem-items`
pub(super) async fn list(
    State(account): State<Arc<Account>>,
    Query(fields): Query<Fields>,
) -> Response {
    let files = lock(&account.files);
    let folder = fields.get("folderId").map(String::as_str);
    if folder.is_some_and(|id| files.find(id).is_none()) {
        return refuse(StatusCode::NOT_FOUND, "Folder not found");
    }
    let ids = files.children(folder);
    page(account.world.faults(), &fields, &ids, |id| {
        files.find(id).map(Item::describe)
    })
}

/// The parts of an upload that arrived.
#[derive(Default)]
struct Parts {
    file_name: Option<String>,
    destination: String,
    file: Option<Arrived>,
}

struct Arrived {
    path: PathBuf,
    bytes: u64,
}

/// `POST /filesystem-items/upload-file`
pub(super) async fn upload(
    State(account): State<Arc<Account>>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let Ok(form) = form else {
        return refuse(StatusCode::BAD_REQUEST, "multipart/form-data is required");
    };
    let world = &account.world;
    let limit = world.faults().number("biodock.max-upload");
    let limit = limit.unwrap_or(MAX_UPLOAD_BYTES);
    let parts = match receive(world, form, limit).await {
        Ok(parts) => parts,
        Err(problem) => return problem,
    };
    let Some(file) = parts.file else {
        return refuse(StatusCode::BAD_REQUEST, "upload is required");
    };
    let name = parts.file_name.filter(|name| !name.trim().is_empty());
    let refusal = match name {
        None => Err((StatusCode::BAD_REQUEST, "fileName is required")),
        Some(_) if file.bytes > limit => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            "The file is larger than 2 GB",
        )),
        Some(name) => Ok(name),
    };
    let name = match refusal {
        Ok(name) => name,
        Err((status, message)) => {
            if let Err(error) = tokio::fs::remove_file(&file.path).await {
                tracing::warn!(%error, "a refused upload stays on disk");
            }
            return refuse(status, message);
        }
    };
    let created_at = now_text(world);
    let delay = world.faults().number("biodock.usable-after").unwrap_or(0);
    let usable_from = world.now() + Duration::from_millis(delay);
    let mut files = lock(&account.files);
    let parent = files.folder(&parts.destination, &created_at);
    // The same name twice is not documented; here it makes a second item.
    let content = Content::File {
        path: file.path,
        usable_from,
    };
    let id = files.add(&name, parent, &created_at, content);
    Json(json!({ "id": id, "__t": "File" })).into_response()
}

async fn receive(world: &World, mut form: Multipart, limit: u64) -> Result<Parts, Response> {
    let mut parts = Parts::default();
    loop {
        let field = form.next_field().await.map_err(broken)?;
        let Some(field) = field else {
            return Ok(parts);
        };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "fileName" => parts.file_name = Some(field.text().await.map_err(broken)?),
            "destinationFolder" => parts.destination = field.text().await.map_err(broken)?,
            "upload" => parts.file = Some(save(world, field, limit).await?),
            _ => {
                let message = format!("Unexpected field {name}");
                return Err(refuse(StatusCode::BAD_REQUEST, &message));
            }
        }
    }
}

/// Writes the bytes to disk. Those beyond the limit are counted and not kept: reading to the end
/// lets the refusal arrive instead of a broken connection.
async fn save(world: &World, mut field: Field<'_>, limit: u64) -> Result<Arrived, Response> {
    let folder = world.folder().join("biodock-uploads");
    let path = folder.join(new_id());
    tokio::fs::create_dir_all(&folder).await.map_err(no_room)?;
    let file = tokio::fs::File::create(&path).await.map_err(no_room)?;
    let mut file = tokio::io::BufWriter::with_capacity(1 << 20, file);
    let mut bytes = 0;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes <= limit {
            file.write_all(&chunk).await.map_err(no_room)?;
        }
    }
    file.flush().await.map_err(no_room)?;
    Ok(Arrived { path, bytes })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn broken(error: MultipartError) -> Response {
    refuse(StatusCode::BAD_REQUEST, &error.body_text())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn no_room(error: std::io::Error) -> Response {
    tracing::error!(%error, "the sandbox cannot store an upload");
    refuse(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The file could not be stored",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Content {
        Content::File {
            path: PathBuf::from("bytes"),
            usable_from: Duration::from_secs(5),
        }
    }

    #[test]
    fn folders_nest_and_are_reused() {
        let mut files = Files::default();
        let inner = files.folder("plates/A", "now");
        assert_eq!(files.folder("/plates//A/", "now"), inner);
        assert_eq!(files.folder("", "now"), None);
        let id = files.add("x, y.png", inner.clone(), "now", file());
        let top = files.children(None);
        assert_eq!(top.len(), 1);
        let top = files.find(top[0]).unwrap();
        assert_eq!(top.describe()["__t"], "Folder");
        let top = top.id.clone();
        let late = Duration::from_secs(9);
        for ids in [vec![id.as_str()], vec![top.as_str()]] {
            let inputs = files.inputs(&ids, late).unwrap();
            assert_eq!(inputs.len(), 1);
            assert_eq!(inputs[0].origin, "plates/A/x, y.png");
        }
        let early = files.inputs(&[&id], Duration::ZERO);
        assert_eq!(early.unwrap_err(), Unusable::NotReady);
        let unknown = files.inputs(&["nothing"], late);
        assert_eq!(unknown.unwrap_err(), Unusable::Unknown);
    }
}
