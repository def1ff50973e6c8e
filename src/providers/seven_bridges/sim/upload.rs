//! Uploads in parts, the side of the interface: begun, told of, reported, completed, given up.
//!
//! Owns what an upload is and when it is whole. The parts themselves arrive at the storage, in `parts`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::complete;
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::paging::page;
use crate::providers::seven_bridges::sim::store::Blob;
use crate::providers::seven_bridges::sim::{Account, new_id, time_text};
use crate::sandbox::world::{World, lock};

const MIB: u64 = 1 << 20;
/// The limits of the documentation; settings scale them down.
const LEAST_PART: u64 = 5 * MIB;
const MOST_PART: u64 = 5 * 1024 * MIB;
const MOST_PARTS: u64 = 10_000;
const MOST_BYTES: u64 = 5 * 1024 * 1024 * MIB;
/// What the documentation recommends.
const USUAL_PART: u64 = 32 * MIB;
/// How long the address of a part is good for by the world's clock; the vendor's number is not documented.
const LINK_LIFETIME: Duration = Duration::from_mins(10);

/// A header a setting wants sent along with each part.
pub(super) const PART_HEADER: (&str, &str) = ("x-amz-server-side-encryption", "AES256");

/// A part that has arrived.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// MD5 of its bytes, without quotes.
    pub(super) etag: String,
    pub(super) bytes: u64,
    /// A file of its own, when it is not yet at its place in the file of the upload.
    pub(super) apart: Option<Arc<Blob>>,
}

/// A file on its way.
#[derive(Debug)]
pub(super) struct Upload {
    /// What its parts are called at the storage.
    pub(super) key: String,
    pub(super) project: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) part_bytes: u64,
    pub(super) overwrite: bool,
    initiated: Timestamp,
    parallel: bool,
    /// The file the parts are put into at their places.
    pub(super) whole: Arc<Blob>,
    pub(super) arrived: BTreeMap<u64, Part>,
    /// Parts somebody has begun to write at their place; a second try goes to a file of its own.
    pub(super) begun: BTreeSet<u64>,
    /// What the client said of each part.
    pub(super) reported: BTreeMap<u64, String>,
    /// Whether the setting that loses a part has had its turn.
    pub(super) lost_one: bool,
}

impl Upload {
    /// Its id: opaque, and with characters that want encoding.
    pub(super) fn id(&self) -> String {
        format!("SvcxNUgQ+{}|==", self.key)
    }

    /// How many parts the file has; an empty one has one.
    pub(super) fn parts(&self) -> u64 {
        self.bytes.div_ceil(self.part_bytes).max(1)
    }

    /// How long a part should be.
    pub(super) fn expected(&self, number: u64) -> u64 {
        let start = self.start(number);
        self.bytes.saturating_sub(start).min(self.part_bytes)
    }

    /// Where a part belongs.
    pub(super) fn start(&self, number: u64) -> u64 {
        self.part_bytes.saturating_mul(number.saturating_sub(1))
    }

    fn describe(&self) -> Value {
        json!({
            "upload_id": self.id(),
            "project": self.project,
            "name": self.name,
            "initiated": time_text(self.initiated),
            "parallel_uploads": self.parallel,
            "part_size": self.part_bytes,
            "uploaded_parts_count": self.reported.len(),
        })
    }
}

/// The key in an id.
pub(super) fn key_of(id: &str) -> &str {
    let key = id.strip_prefix("SvcxNUgQ+");
    key.and_then(|key| key.strip_suffix("|=="))
        .unwrap_or_default()
}

pub(super) fn not_there() -> Refusal {
    Refusal::missing(8003, "Requested upload does not exist.")
}

/// The refusal of a name that is taken.
pub(super) fn name_taken(name: &str) -> Refusal {
    Refusal::conflict(8005, format!("File with name {name} already exists."))
}

/// The sizes a client may wish for, and the one it gets.
fn part_bytes(world: &World, wish: Option<&Value>, bytes: u64) -> Result<u64, Refusal> {
    let number = |name: &str, usual| world.faults().number(name).unwrap_or(usual);
    let (least, most) = (
        number("sb.min-part", LEAST_PART),
        number("sb.max-part", MOST_PART),
    );
    let wish = match wish.map(Value::as_u64) {
        None => None,
        Some(Some(wish)) if (least..=most).contains(&wish) => Some(wish),
        Some(_) => {
            return Err(Refusal::bad(
                8010,
                format!("Part size must be between {least} and {most} bytes."),
            ));
        }
    };
    let chosen = world
        .faults()
        .number("sb.part-size")
        .filter(|size| *size > 0);
    let chosen = chosen.or(wish).unwrap_or(USUAL_PART);
    let parts = number("sb.max-parts", MOST_PARTS).max(1);
    if bytes.div_ceil(chosen) <= parts {
        return Ok(chosen);
    }
    Ok(bytes.div_ceil(parts).next_multiple_of(MIB))
}

/// `POST /upload/multipart`
pub(super) async fn start(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    let world = &account.world;
    let name = sent.text("name").unwrap_or_default();
    if name.is_empty() || name.chars().count() > 255 || name.contains('/') {
        return Err(Refusal::bad(8011, "Invalid file name."));
    }
    let most = world.faults().number("sb.max-file").unwrap_or(MOST_BYTES);
    let bytes = sent.get("size").and_then(Value::as_u64);
    let Some(bytes) = bytes.filter(|bytes| *bytes <= most) else {
        return Err(Refusal::bad(8010, "Invalid file size."));
    };
    let part_bytes = part_bytes(world, sent.get("part_size"), bytes)?;
    let parent = account.place(&sent, 8001)?;
    let overwrite = call.says("overwrite", "true");
    let project = {
        let files = lock(&account.shared.files);
        match files.named(&parent, name) {
            Some(other) if !overwrite || other.is_folder() => return Err(name_taken(name)),
            Some(_) | None => {}
        }
        let folder = files.get(&parent).ok_or_else(not_there)?;
        folder.project.clone()
    };
    let whole = empty_file(&account, bytes).map_err(|error| Refusal::broken(&error))?;
    let upload = Upload {
        key: new_id(),
        project,
        parent,
        name: name.to_owned(),
        bytes,
        part_bytes,
        overwrite,
        initiated: world.timestamp(),
        parallel: !world.faults().is("sb.parallel-uploads", "no"),
        whole,
        arrived: BTreeMap::new(),
        begun: BTreeSet::new(),
        reported: BTreeMap::new(),
        lost_one: false,
    };
    let answer = json!({
        "project": upload.project,
        "name": upload.name,
        "size": upload.bytes,
        "upload_id": upload.id(),
        "part_size": upload.part_bytes,
        "parallel_uploads": upload.parallel,
    });
    lock(&account.shared.uploads).insert(upload.key.clone(), upload);
    Ok(Json(answer).into_response())
}

/// Where the bytes of uploads are that nobody has completed, apart from the files there are.
pub(super) const OPEN: &str = "open";

/// A file of holes: blocks of zeros need not be written.
fn empty_file(account: &Account, bytes: u64) -> std::io::Result<Arc<Blob>> {
    let folder = account.shared.blobs.join(OPEN);
    std::fs::create_dir_all(&folder)?;
    let blob = Blob {
        path: folder.join(new_id()),
        bytes,
    };
    std::fs::File::create_new(&blob.path)?.set_len(bytes)?;
    Ok(Arc::new(blob))
}

/// `GET /upload/multipart`
pub(super) async fn list(State(account): State<Arc<Account>>, call: Call) -> Answer {
    let uploads = lock(&account.shared.uploads);
    let mut entries: Vec<&Upload> = uploads.values().collect();
    entries.sort_by_key(|upload| upload.initiated);
    let fields = Fields::new(call.one("fields"), &[]);
    page(&account.world, &call, &entries, |upload| {
        fields.shape(upload.describe())
    })
}

/// `GET /upload/multipart/{id}`
pub(super) async fn get(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let uploads = lock(&account.shared.uploads);
    let upload = uploads.get(key_of(&id)).ok_or_else(not_there)?;
    let mut entry = upload.describe();
    if call.says("list_parts", "true") {
        let parts = upload.reported.iter().map(|(number, etag)| {
            json!({
                "part_number": number,
                "response": { "headers": { "ETag": etag } },
            })
        });
        let parts: Vec<Value> = parts.collect();
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("parts".to_owned(), json!(parts));
        }
    }
    Ok(Json(entry).into_response())
}

/// `DELETE /upload/multipart/{id}`
pub(super) async fn abort(State(account): State<Arc<Account>>, Path(id): Path<String>) -> Answer {
    let removed = lock(&account.shared.uploads).remove(key_of(&id));
    removed.ok_or_else(not_there)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /upload/multipart/{id}/part/{n}`
pub(super) async fn part(
    State(account): State<Arc<Account>>,
    Path((id, number)): Path<(String, String)>,
) -> Answer {
    let world = &account.world;
    let uploads = lock(&account.shared.uploads);
    let upload = uploads.get(key_of(&id)).ok_or_else(not_there)?;
    let number = number.parse().unwrap_or(0);
    check_number(upload, number)?;
    let lifetime = world.faults().number("sb.part-seconds");
    let lifetime = lifetime.map_or(LINK_LIFETIME, Duration::from_secs);
    let url = world.sign(&format!("/sb-parts/{}/{number}", upload.key), lifetime);
    let expires = world.timestamp_at(world.now() + lifetime);
    // One page describes a number, the examples have a text.
    let expires = if world.faults().is("sb.expires", "number") {
        json!(expires.as_millisecond())
    } else {
        json!(time_text(expires))
    };
    let headers = if world.faults().is("sb.part-headers", "some") {
        json!({ PART_HEADER.0: PART_HEADER.1 })
    } else {
        json!({})
    };
    let mut answer = json!({
        "method": "PUT",
        "url": url,
        "expires": expires,
        "headers": headers,
        "report": { "headers": ["ETag"] },
    });
    let codes = json!([200]);
    // A table of fields has it at the top, the examples inside.
    let place = if world.faults().is("sb.success-codes", "top") {
        answer.as_object_mut()
    } else {
        answer.get_mut("report").and_then(Value::as_object_mut)
    };
    if let Some(place) = place {
        place.insert("success_codes".to_owned(), codes);
    }
    Ok(Json(answer).into_response())
}

fn check_number(upload: &Upload, number: u64) -> Result<(), Refusal> {
    if (1..=upload.parts()).contains(&number) {
        return Ok(());
    }
    let last = upload.parts();
    Err(Refusal::bad(
        8012,
        format!("Part number must be between 1 and {last}."),
    ))
}

/// Writes down what a client says of a part.
fn report(world: &World, upload: &mut Upload, part: &Value) -> Result<(), Refusal> {
    let number = part.get("part_number").and_then(Value::as_u64);
    check_number(upload, number.unwrap_or(0))?;
    let number = number.unwrap_or(0);
    let headers = part.pointer("/response/headers").and_then(Value::as_object);
    let etag = headers.and_then(|headers| {
        let named = |name: &String| name.eq_ignore_ascii_case("etag");
        headers.iter().find(|(name, _)| named(name))?.1.as_str()
    });
    let Some(etag) = etag else {
        return Err(Refusal::bad(8014, "The part's ETag is missing."));
    };
    // Some clients send the quotes of the header along.
    let etag = etag.trim_matches('"').to_owned();
    let right = upload.arrived.get(&number).map(|part| &part.etag) == Some(&etag);
    if !right && world.faults().is("sb.report-check", "at-once") {
        return Err(Refusal::bad(8014, "The part has not arrived like this."));
    }
    upload.reported.insert(number, etag);
    Ok(())
}

/// `POST /upload/multipart/{id}/part`
pub(super) async fn report_part(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let mut uploads = lock(&account.shared.uploads);
    let upload = uploads.get_mut(key_of(&id)).ok_or_else(not_there)?;
    report(&account.world, upload, &sent.0)?;
    Ok(Json(sent.0).into_response())
}

/// `POST /upload/multipart/{id}`
pub(super) async fn report_parts(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    if account.world.faults().is("sb.group-report", "refused") {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            90006,
            "Method not allowed.",
        ));
    }
    let mut uploads = lock(&account.shared.uploads);
    let upload = uploads.get_mut(key_of(&id)).ok_or_else(not_there)?;
    report_all(&account.world, upload, &sent)?;
    Ok(Json(sent.0).into_response())
}

fn report_all(world: &World, upload: &mut Upload, sent: &Sent) -> Result<(), Refusal> {
    let parts = sent.get("parts").and_then(Value::as_array);
    let parts = parts.ok_or_else(|| Refusal::bad(8014, "parts must be a list."))?;
    for part in parts {
        report(world, upload, part)?;
    }
    Ok(())
}

/// `POST /upload/multipart/{id}/complete`
pub(super) async fn complete(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
    sent: Sent,
) -> Answer {
    if sent.get("parts").is_some() {
        let mut uploads = lock(&account.shared.uploads);
        let upload = uploads.get_mut(key_of(&id)).ok_or_else(not_there)?;
        report_all(&account.world, upload, &sent)?;
    }
    complete::complete(&account, key_of(&id), &call).await
}
