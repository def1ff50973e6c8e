//! Making a data asset: from the person's bucket, from results of a run, from other assets.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::Account;
use crate::providers::code_ocean::sim::answer::{
    Refusal, answer, bad, entry, flag, list, object, text,
};
use crate::providers::code_ocean::sim::assets::{Asset, Content, Standing};
use crate::providers::code_ocean::sim::tree::{self, Tree};
use crate::sandbox::world::World;

/// How long an asset is a draft at the demo pace.
const DRAFT: Duration = Duration::from_millis(1_500);

/// `POST /data_assets`
pub(super) async fn create_asset(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    let made = object(&body).and_then(|request| create(&account, &request));
    answer(made.map(|asset| {
        let answered = asset.describe(&account.world);
        account.assets().push(asset);
        entry(account.world.faults(), answered)
    }))
}

/// Files to come into the asset: path within it, and where the bytes are.
type Sources = Vec<(String, PathBuf)>;

fn create(account: &Account, request: &Map<String, Value>) -> Result<Asset, Refusal> {
    let needed = |name| {
        let given = text(request, name)?.filter(|text| !text.trim().is_empty());
        given.ok_or_else(|| bad(format!("{name} is required")))
    };
    let (name, mount) = (needed("name")?, needed("mount")?);
    check_mount(mount)?;
    if !request.contains_key("tags") {
        return Err(bad("tags is required"));
    }
    let world = &account.world;
    let mut asset = Asset::new(world, name, mount);
    asset.tags = texts(request, "tags")?;
    if let Some(description) = text(request, "description")? {
        description.clone_into(&mut asset.description);
    }
    asset.custom_metadata = request.get("custom_metadata").cloned().unwrap_or_default();
    asset.settled = world.now().max(Duration::from_nanos(1)) + DRAFT;
    let contained = texts(request, "data_asset_ids")?;
    let sources = match request.get("source") {
        Some(Value::Object(source)) => from_source(account, source, &mut asset)?,
        Some(_) => return Err(bad("source must be an object")),
        None if contained.is_empty() => return Err(bad("source is required")),
        None => combine(account, &contained, &mut asset)?,
    };
    export(account, request, &mut asset)?;
    fill(world, &asset.content, sources);
    Ok(asset)
}

fn from_source(
    account: &Account,
    source: &Map<String, Value>,
    asset: &mut Asset,
) -> Result<Result<Sources, String>, Refusal> {
    let member = |name| match source.get(name) {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    };
    if let Some(aws) = member("aws") {
        from_bucket(account, aws, asset)
    } else if let Some(gcp) = member("gcp") {
        let bucket = text(gcp, "bucket")?.ok_or_else(|| bad("bucket is required"))?;
        asset.bucket = json!({ "origin": "gcp", "bucket": bucket });
        Ok(Err(format!("no credentials for the bucket {bucket}")))
    } else if let Some(computation) = member("computation") {
        from_results(account, computation, asset)
    } else {
        Err(bad("source has no known origin"))
    }
}

/// What is in the person's bucket below a prefix, or under a key that is the prefix.
fn from_bucket(
    account: &Account,
    aws: &Map<String, Value>,
    asset: &mut Asset,
) -> Result<Result<Sources, String>, Refusal> {
    if flag(aws, "use_input_bucket")? == Some(true) {
        let message = "only administrators may use the input bucket".to_owned();
        return Err((StatusCode::FORBIDDEN, message));
    }
    let name = text(aws, "bucket")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| bad("bucket is required"))?;
    let prefix = text(aws, "prefix")?.unwrap_or_default();
    if name.ends_with('/') {
        return Err(bad("bucket must not end with a slash"));
    }
    if prefix.starts_with('/') {
        return Err(bad("prefix must not start with a slash"));
    }
    text(aws, "endpoint_name")?;
    flag(aws, "public")?;
    let external = flag(aws, "keep_on_external_storage")?.unwrap_or(false);
    asset.bucket =
        json!({ "origin": "aws", "bucket": name, "prefix": prefix, "external": external });
    let bucket = account.world.bucket();
    if account
        .world
        .faults()
        .is("code_ocean.bucket-access", "denied")
    {
        return Ok(Err(format!(
            "access denied: Code Ocean has no credentials for the bucket {name}"
        )));
    }
    if name != bucket.name() {
        return Ok(Err(format!("the bucket {name} does not exist")));
    }
    let folder = match prefix.trim_end_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let mut sources: Sources = Vec::new();
    for object in bucket.objects(prefix) {
        if object.key == prefix {
            let name = prefix.rsplit('/').next().unwrap_or(prefix);
            sources.push((name.to_owned(), object.path));
        } else if let Some(path) = object.key.strip_prefix(&folder)
            && !path.is_empty()
        {
            sources.push((path.to_owned(), object.path));
        }
    }
    if sources.is_empty() {
        return Ok(Err(format!("nothing was found under {name}/{prefix}")));
    }
    Ok(Ok(sources))
}

fn from_results(
    account: &Account,
    computation: &Map<String, Value>,
    asset: &mut Asset,
) -> Result<Result<Sources, String>, Refusal> {
    let id = text(computation, "id")?.ok_or_else(|| bad("id is required"))?;
    let folder = text(computation, "path")?.unwrap_or_default();
    let folder = folder.trim_matches('/');
    let run = account.run(id)?;
    let tree = account.results(&run)?;
    asset.kind = "result";
    asset.provenance = json!({ "computation": id, "capsule": run.capsule.id });
    let inside = |path: &str| match path.strip_prefix(folder) {
        Some(rest) if folder.is_empty() => Some(rest.to_owned()),
        Some(rest) => rest.strip_prefix('/').map(str::to_owned),
        None => None,
    };
    let sources: Sources = tree
        .files()
        .filter_map(|(file, disk)| Some((inside(&file.path)?, disk)))
        .collect();
    Ok(if sources.is_empty() {
        Err(format!("there is no folder {folder} in the results"))
    } else {
        Ok(sources)
    })
}

/// Only results can go to a bucket; here they are listed as being there and stay where they are.
fn export(
    account: &Account,
    request: &Map<String, Value>,
    asset: &mut Asset,
) -> Result<(), Refusal> {
    let Some(target) = request.get("target").and_then(|target| target.get("aws")) else {
        return Ok(());
    };
    if asset.kind != "result" {
        return Err(bad("target is only for results of a computation"));
    }
    let bucket = target.get("bucket").and_then(Value::as_str);
    if bucket != Some(account.world.bucket().name()) {
        return Err(bad("no credentials for the target bucket"));
    }
    let prefix = target.get("prefix").and_then(Value::as_str);
    asset.bucket = json!({ "origin": "aws", "bucket": bucket, "prefix": prefix, "external": true });
    Ok(())
}

fn combine(
    account: &Account,
    ids: &[String],
    asset: &mut Asset,
) -> Result<Result<Sources, String>, Refusal> {
    let mut sources: Sources = Vec::new();
    let mut contained = Vec::new();
    for id in ids {
        let part = account.asset(id)?;
        let Standing::Ready(tree) = part.standing(&account.world) else {
            return Err(bad(format!("data asset {id} is not ready")));
        };
        for (file, disk) in tree.files() {
            sources.push((format!("{}/{}", part.mount, file.path), disk));
        }
        contained.push(json!({ "id": id, "mount": part.mount, "size": tree.size() }));
    }
    asset.kind = "combined";
    asset.contained = contained.into();
    Ok(Ok(sources))
}

/// Copies on another thread; the asset is ready when both this and its time are done.
fn fill(world: &World, content: &Content, sources: Result<Sources, String>) {
    let content = Arc::clone(content);
    let all = tree::all(world);
    drop(tokio::task::spawn_blocking(move || {
        let copy = |sources: Sources| -> io::Result<Tree> {
            let mut tree = Tree::new(&all)?;
            for (path, disk) in &sources {
                tree.link(path, disk)?;
            }
            Ok(tree)
        };
        let copied = sources.and_then(|sources| {
            copy(sources)
                .map(Arc::new)
                .map_err(|error| format!("the data could not be copied: {error}"))
        });
        content.get_or_init(|| copied);
    }));
}

/// The name of a folder below `/data`.
pub(super) fn check_mount(mount: &str) -> Result<(), Refusal> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if mount.is_empty() || mount.starts_with('.') || !mount.chars().all(fits) {
        return Err(bad(format!("invalid mount: {mount}")));
    }
    Ok(())
}

fn texts(request: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    list(request, name)?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| bad(format!("{name} must be a list of strings")))
}
