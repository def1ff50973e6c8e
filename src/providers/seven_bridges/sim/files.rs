//! Files and folders over the interface: lists with filters, one entry, folders made, names, tags and metadata changed,
//! removed, copied and moved.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::Account;
use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::paging::page;
use crate::providers::seven_bridges::sim::store::{Content, Files, Item, NewItem, Unfit};
use crate::sandbox::world::lock;

/// How long a link to a file is good for by the world's clock; the vendor's number is not documented.
const LINK_LIFETIME: Duration = Duration::from_mins(10);

/// What a list tells of each entry unless asked for more.
const SHORT: &[&str] = &["href", "id", "name", "project"];

/// Whether file types are written in capitals, as has been seen.
pub(super) fn upper_case(account: &Account) -> bool {
    account.world.faults().is("sb.file-types", "upper")
}

pub(super) fn not_there() -> Refusal {
    Refusal::missing(5002, "Requested file does not exist.")
}

/// Why a name or a folder does not do, as the file service says it.
pub(super) fn unfit(unfit: Unfit, name: &str) -> Refusal {
    match unfit {
        Unfit::NoFolder => Refusal::missing(5002, "Requested parent folder does not exist."),
        Unfit::NameTaken => Refusal::conflict(
            5003,
            format!("A file or folder with the name {name} already exists."),
        ),
    }
}

/// `GET /files`
pub(super) async fn list(State(account): State<Arc<Account>>, call: Call) -> Answer {
    account.settle();
    let now = account.world.timestamp();
    let folder = match (call.one("project"), call.one("parent")) {
        (Some(project), None) => {
            account.project(project)?;
            lock(&account.shared.files).root(project, now)
        }
        (None, Some(parent)) => parent.to_owned(),
        _ => {
            return Err(Refusal::bad(
                90000,
                "Exactly one of project and parent must be given.",
            ));
        }
    };
    folder_page(&account, &call, &folder)
}

/// `GET /files/{id}/list`
pub(super) async fn list_folder(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    account.settle();
    folder_page(&account, &call, &id)
}

fn folder_page(account: &Account, call: &Call, folder: &str) -> Answer {
    let files = lock(&account.shared.files);
    match files.get(folder) {
        None => return Err(not_there()),
        Some(item) if !item.is_folder() => {
            return Err(Refusal::bad(90000, "Requested file is not a folder."));
        }
        Some(_) => {}
    }
    let fits = |item: &&Item| fits(item, call);
    let entries: Vec<&Item> = files.inside(folder).filter(fits).collect();
    let fields = Fields::new(call.one("fields"), SHORT);
    let upper = upper_case(account);
    page(&account.world, call, &entries, |item| {
        fields.shape(item.describe(call, upper))
    })
}

/// Whether an entry passes the filters of a list: values of one filter are alternatives.
fn fits(item: &Item, call: &Call) -> bool {
    let mut names = call.all("name").peekable();
    if names.peek().is_some() && !names.any(|name| name == item.name) {
        return false;
    }
    let mut tags = call.all("tag").peekable();
    if tags.peek().is_some() && !tags.any(|tag| item.tags.iter().any(|other| other == tag)) {
        return false;
    }
    let mut origins = call.all("origin.task").peekable();
    if origins.peek().is_some() && !origins.any(|task| item.origin.as_deref() == Some(task)) {
        return false;
    }
    let keys = call.query().iter().filter_map(|(name, _)| {
        let key = name.strip_prefix("metadata.")?;
        Some((name.as_str(), key))
    });
    let mut all = keys.map(|(name, key)| {
        let value = item.metadata.get(key).and_then(Value::as_str);
        call.all(name).any(|wanted| value == Some(wanted))
    });
    all.all(|fits| fits)
}

/// `GET /files/{id}`
pub(super) async fn get(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let files = lock(&account.shared.files);
    let item = files.get(&id).ok_or_else(not_there)?;
    let fields = Fields::new(call.one("fields"), &[]);
    let entry = item.describe(&call, upper_case(&account));
    Ok(Json(fields.shape(entry)).into_response())
}

/// `POST /files`, which makes a folder.
pub(super) async fn create_folder(
    State(account): State<Arc<Account>>,
    call: Call,
    sent: Sent,
) -> Answer {
    let name = sent.text("name").unwrap_or_default();
    let is_folder = sent
        .text("type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("folder"));
    if !is_folder {
        return Err(Refusal::bad(90000, "Only folders can be made like this."));
    }
    if name.is_empty() || name.starts_with("__") || name.contains('/') {
        return Err(Refusal::bad(
            90000,
            format!("{name} is no name for a folder."),
        ));
    }
    let parent = account.place(&sent, 5001)?;
    let now = account.world.timestamp();
    let mut files = lock(&account.shared.files);
    let item = files
        .add(NewItem::plain(name, &parent, Content::Folder), now)
        .map_err(|problem| unfit(problem, name))?;
    let entry = item.describe(&call, upper_case(&account));
    Ok((StatusCode::CREATED, Json(entry)).into_response())
}

/// `PATCH /files/{id}`
pub(super) async fn change(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
    sent: Sent,
) -> Answer {
    let entry = edit(&account, &call, &id, &sent.object(), false)?;
    Ok(Json(entry).into_response())
}

/// Changes name, tags and metadata; metadata is merged, or replaced.
pub(super) fn edit(
    account: &Account,
    call: &Call,
    id: &str,
    wanted: &Map<String, Value>,
    replace: bool,
) -> Result<Value, Refusal> {
    let now = account.world.timestamp();
    let mut files = lock(&account.shared.files);
    let item = files.get(id).ok_or_else(not_there)?;
    account.may_write(&item.project, 5001)?;
    if let (Some(name), Some(parent)) = (
        wanted.get("name").and_then(Value::as_str),
        item.parent.clone(),
    ) {
        files
            .relocate(id, &parent, name, now)
            .map_err(|problem| unfit(problem, name))?;
    }
    if let Some(metadata) = wanted.get("metadata").filter(|value| !value.is_null()) {
        set_metadata(&mut files, id, metadata, replace)?;
    }
    let item = files.get_mut(id).ok_or_else(not_there)?;
    if let Some(tags) = wanted.get("tags").and_then(Value::as_array) {
        item.tags.clone_from(tags);
    }
    item.modified = now;
    Ok(item.describe(call, upper_case(account)))
}

fn set_metadata(
    files: &mut Files,
    id: &str,
    metadata: &Value,
    replace: bool,
) -> Result<(), Refusal> {
    let item = files.get_mut(id).ok_or_else(not_there)?;
    let Some(metadata) = metadata.as_object() else {
        return Err(Refusal::bad(5005, "Metadata must be an object."));
    };
    let simple = |value: &Value| match value {
        Value::Null | Value::String(_) => true,
        Value::Array(values) => values.iter().all(Value::is_string),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    if let Some((key, _)) = metadata.iter().find(|(_, value)| !simple(value)) {
        return Err(Refusal::bad(
            5006,
            format!("The value of {key} must be a string."),
        ));
    }
    if replace {
        item.metadata.clear();
    }
    for (key, value) in metadata {
        if value.is_null() {
            item.metadata.remove(key);
        } else {
            item.metadata.insert(key.clone(), value.clone());
        }
    }
    Ok(())
}

/// `GET /files/{id}/metadata`
pub(super) async fn metadata(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Answer {
    let files = lock(&account.shared.files);
    let item = files.get(&id).ok_or_else(not_there)?;
    Ok(Json(&item.metadata).into_response())
}

/// `PUT /files/{id}/metadata`
pub(super) async fn replace_metadata(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    write_metadata(&account, &id, &sent.0, true)
}

/// `PATCH /files/{id}/metadata`
pub(super) async fn merge_metadata(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    write_metadata(&account, &id, &sent.0, false)
}

fn write_metadata(account: &Account, id: &str, metadata: &Value, replace: bool) -> Answer {
    let mut files = lock(&account.shared.files);
    let item = files.get(id).ok_or_else(not_there)?;
    account.may_write(&item.project, 5001)?;
    set_metadata(&mut files, id, metadata, replace)?;
    let item = files.get(id).ok_or_else(not_there)?;
    Ok(Json(&item.metadata).into_response())
}

/// `PUT /files/{id}/tags`
pub(super) async fn tags(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let Some(tags) = sent.0.as_array() else {
        return Err(Refusal::bad(90000, "Tags must be a list."));
    };
    let mut files = lock(&account.shared.files);
    let item = files.get_mut(&id).ok_or_else(not_there)?;
    account.may_write(&item.project, 5001)?;
    item.tags.clone_from(tags);
    Ok(Json(tags).into_response())
}

/// `DELETE /files/{id}`
pub(super) async fn delete(State(account): State<Arc<Account>>, Path(id): Path<String>) -> Answer {
    remove(&account, &id)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Removes a file, or a folder that is empty.
pub(super) fn remove(account: &Account, id: &str) -> Result<(), Refusal> {
    let mut files = lock(&account.shared.files);
    let item = files.get(id).ok_or_else(not_there)?;
    account.may_write(&item.project, 5001)?;
    if item.parent.is_none() || files.inside(id).next().is_some() {
        return Err(Refusal::conflict(5003, "The folder is not empty."));
    }
    files.remove(id);
    Ok(())
}

/// `POST /files/{id}/actions/copy`: the copy has an id of its own.
pub(super) async fn copy(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
    sent: Sent,
) -> Answer {
    let parent = account.place(&sent, 5001)?;
    let now = account.world.timestamp();
    let mut files = lock(&account.shared.files);
    let item = files.get(&id).ok_or_else(not_there)?.clone();
    if item.is_folder() {
        return Err(Refusal::bad(90000, "Folders cannot be copied."));
    }
    let name = sent.text("name").unwrap_or(&item.name);
    let new = NewItem {
        metadata: item.metadata.clone(),
        ..NewItem::plain(name, &parent, item.content.clone())
    };
    let copy = files
        .add(new, now)
        .map_err(|problem| unfit(problem, name))?;
    let entry = copy.describe(&call, upper_case(&account));
    Ok((StatusCode::CREATED, Json(entry)).into_response())
}

/// `POST /files/{id}/actions/move`
pub(super) async fn relocate(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
    sent: Sent,
) -> Answer {
    let parent = account.place(&sent, 5001)?;
    let now = account.world.timestamp();
    let mut files = lock(&account.shared.files);
    let item = files.get(&id).ok_or_else(not_there)?.clone();
    account.may_write(&item.project, 5001)?;
    let name = sent.text("name").unwrap_or(&item.name);
    files
        .relocate(&id, &parent, name, now)
        .map_err(|problem| unfit(problem, name))?;
    let item = files.get(&id).ok_or_else(not_there)?;
    Ok(Json(item.describe(&call, upper_case(&account))).into_response())
}

/// `GET /files/{id}/download_info`
pub(super) async fn download_info(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Answer {
    let files = lock(&account.shared.files);
    let item = files.get(&id).ok_or_else(not_there)?;
    let Some(blob) = item.blob() else {
        return Err(Refusal::bad(5017, "Folders have no download info."));
    };
    if item.offline {
        return Err(Refusal::conflict(5034, "Storage volume is inactive."));
    }
    let lifetime = account.world.faults().number("sb.link-seconds");
    let lifetime = lifetime.map_or(LINK_LIFETIME, Duration::from_secs);
    let url = account
        .world
        .sign(&format!("/sb-files/{}", blob.name()), lifetime);
    Ok(Json(json!({ "url": url })).into_response())
}
