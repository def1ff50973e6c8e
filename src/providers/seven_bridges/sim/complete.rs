//! The end of an upload: are the parts all there, and do they make up the file?

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse as _;
use serde_json::Value;

use crate::providers::seven_bridges::sim::call::Call;
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::files::upper_case;
use crate::providers::seven_bridges::sim::store::{Blob, Content, NewItem};
use crate::providers::seven_bridges::sim::upload::{Upload, name_taken, not_there};
use crate::providers::seven_bridges::sim::{Account, new_id};
use crate::sandbox::world::lock;

fn failed(reason: &str) -> Refusal {
    Refusal::conflict(8007, format!("Upload could not be completed. {reason}"))
}

/// Makes a file of an upload whose parts are all there; else the upload stays as it is.
pub(super) async fn complete(account: &Arc<Account>, key: &str, call: &Call) -> Answer {
    let faults = account.world.faults();
    if faults.is("sb.complete", "fails") {
        return Err(failed("Storage did not answer."));
    }
    let upload = {
        let mut uploads = lock(&account.shared.uploads);
        let upload = uploads.get_mut(key).ok_or_else(not_there)?;
        if let Some(lost) = faults.number("sb.lose-part").filter(|_| !upload.lost_one) {
            upload.lost_one = true;
            upload.arrived.remove(&lost);
            upload.reported.remove(&lost);
        }
        check(upload)?;
        let files = lock(&account.shared.files);
        if files.named(&upload.parent, &upload.name).is_some() && !upload.overwrite {
            return Err(name_taken(&upload.name));
        }
        drop(files);
        uploads.remove(key).ok_or_else(not_there)?
    };
    let folder = account.shared.blobs.clone();
    let assembled = tokio::task::spawn_blocking(move || {
        let blob = assemble(&folder, &upload)?;
        Ok::<_, std::io::Error>((upload, blob))
    });
    let assembled = assembled.await.map_err(std::io::Error::other);
    let (upload, blob) = assembled
        .and_then(|assembled| assembled)
        .map_err(|error| Refusal::broken(&error))?;
    let entry = publish(account, &upload, blob, call)?;
    Ok(Json(entry).into_response())
}

fn check(upload: &Upload) -> Result<(), Refusal> {
    for number in 1..=upload.parts() {
        let Some(part) = upload.arrived.get(&number) else {
            return Err(failed(&format!("Part {number} has not arrived.")));
        };
        if upload.reported.get(&number) != Some(&part.etag) {
            return Err(failed(&format!("Part {number} was not reported as it is.")));
        }
    }
    let sum: u64 = upload.arrived.values().map(|part| part.bytes).sum();
    if sum == upload.bytes {
        return Ok(());
    }
    let bytes = upload.bytes;
    Err(failed(&format!("The parts have {sum} bytes, not {bytes}.")))
}

/// The bytes in one file. Usually all parts are at their places and nothing is left to do.
fn assemble(folder: &std::path::Path, upload: &Upload) -> std::io::Result<Arc<Blob>> {
    let regular = |(number, part): (&u64, _)| part == upload.expected(*number);
    let sizes = upload
        .arrived
        .iter()
        .map(|(number, part)| (number, part.bytes));
    if sizes.clone().all(regular) {
        let mut whole = File::options().write(true).open(&upload.whole.path)?;
        for (number, part) in &upload.arrived {
            if let Some(apart) = &part.apart {
                whole.seek(SeekFrom::Start(upload.start(*number)))?;
                std::io::copy(&mut File::open(&apart.path)?, &mut whole)?;
            }
        }
        let path = folder.join(new_id());
        std::fs::rename(&upload.whole.path, &path)?;
        let bytes = upload.bytes;
        return Ok(Arc::new(Blob { path, bytes }));
    }
    // Parts of other sizes than asked for: the official SDK sends p, p+1 and 0 bytes for a file of 2p+1. One after the
    // other they make up the file all the same.
    let blob = Blob {
        path: folder.join(new_id()),
        bytes: upload.bytes,
    };
    let mut whole = File::create_new(&blob.path)?;
    for (number, part) in &upload.arrived {
        if let Some(apart) = &part.apart {
            std::io::copy(&mut File::open(&apart.path)?, &mut whole)?;
        } else {
            let mut placed = File::open(&upload.whole.path)?;
            placed.seek(SeekFrom::Start(upload.start(*number)))?;
            let mut placed = std::io::Read::take(placed, part.bytes);
            std::io::copy(&mut placed, &mut whole)?;
        }
    }
    whole.flush()?;
    Ok(Arc::new(blob))
}

fn publish(
    account: &Account,
    upload: &Upload,
    blob: Arc<Blob>,
    call: &Call,
) -> Result<Value, Refusal> {
    let now = account.world.timestamp();
    let mut files = lock(&account.shared.files);
    if upload.overwrite {
        let former = files.named(&upload.parent, &upload.name);
        let former = former.map(|item| item.id.clone());
        if let Some(former) = former {
            files.remove(&former);
        }
    }
    let new = NewItem::plain(&upload.name, &upload.parent, Content::File(blob));
    let item = files
        .add(new, now)
        .map_err(|_taken| name_taken(&upload.name))?;
    Ok(item.describe(call, upper_case(account)))
}
