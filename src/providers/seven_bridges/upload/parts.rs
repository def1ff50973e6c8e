//! The parts of an upload: sent side by side, reported in groups, put together at the end.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value as Json, json};

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::meter::Meter;
use crate::model::remote::Upload;
use crate::model::safe_url::SafeUrl;
use crate::net::api::Reply;
use crate::net::errors;
use crate::net::parts::{FilePart, PartAddress, StoredPart, send_part};
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::{NAME_TAKEN, code_of};
use crate::providers::seven_bridges::upload::Ended;
use crate::providers::seven_bridges::upload::kept::Kept;
use crate::providers::seven_bridges::wire::files::File;
use crate::providers::seven_bridges::wire::uploads::PartLink;

/// Parts of a file on their way at the same time.
const SIDE_BY_SIDE: usize = 3;
/// Parts reported at once: one request for all of them, and no more than these are sent again after a crash.
const REPORTED_AT_ONCE: usize = 5;
/// Addresses asked for when the storage refuses a part: they expire.
const MOST_ADDRESSES: usize = 4;
/// Times the parts are put together before the upload is begun anew.
const MOST_ROUNDS: usize = 3;
/// A wait for the next window of requests that is borne in the middle of a file.
const LONGEST_PATIENCE: Duration = Duration::from_mins(10);
/// How often a wait is looked up from.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Another upload has begun, or this one ended: begin anew.
const CONFLICT: u32 = 8006;
/// The parts could not be put together; and: it is not in a state for this.
const NOT_WHOLE: [u32; 2] = [8007, 8009];

/// A part as it is reported.
struct StoredAs {
    number: u64,
    headers: Map<String, Json>,
}

impl StoredAs {
    fn json(&self) -> Json {
        json!({"part_number": self.number, "response": {"headers": self.headers}})
    }
}

impl Client {
    /// Sends the parts that are missing and has them put together. `there` is what is known to have arrived.
    pub(super) async fn send(
        &self,
        upload: &Upload,
        kept: &Kept,
        there: Option<BTreeMap<u64, String>>,
        meter: &Meter,
    ) -> Result<Ended> {
        let mut there = there.unwrap_or_default();
        let mut waits = self.api().http().retry().waits();
        for _ in 0..MOST_ROUNDS {
            let missing: Vec<u64> = (1..=kept.parts())
                .filter(|number| !there.contains_key(number))
                .collect();
            let arrived: u64 = there.keys().map(|number| kept.range(*number).1).sum();
            meter.restart_at(arrived);
            match self.send_missing(upload, kept, missing, meter).await {
                Err(error) if is_of_no_use(&error) => return Ok(Ended::Anew),
                outcome => outcome?,
            }
            let error = match self.complete(kept, meter).await {
                Ok(file) => return Ok(Ended::Done(file)),
                Err(error) => error,
            };
            let code = code_of(&error);
            let is_open = error.kind() == ErrorKind::NotFound
                || code.is_some_and(|code| NOT_WHOLE.contains(&code))
                || error.failure().sent == Sent::Perhaps
                || matches!(error.kind(), ErrorKind::ServerFault | ErrorKind::Garbled);
            if matches!(code, Some(CONFLICT | NAME_TAKEN)) {
                return Ok(Ended::Anew);
            }
            if !is_open {
                return Err(error);
            }
            pause(waits.next().unwrap_or_default(), meter).await?;
            // The answer may have been lost and the file be there: then the upload is not known any more.
            match self.arrived(&kept.upload_id).await? {
                Some(arrived) => there = arrived.etags(),
                None => {
                    return Ok(match self.file_named(kept).await? {
                        Some(file) => Ended::Done(file),
                        None => Ended::Anew,
                    });
                }
            }
        }
        Ok(Ended::Anew)
    }

    async fn complete(&self, kept: &Kept, meter: &Meter) -> Result<File> {
        let path = ["upload", "multipart", &kept.upload_id, "complete"];
        let reply = patiently(meter, || {
            self.api().post(&path, Idempotent::No, Doing::Upload)
        })
        .await?;
        reply.json()
    }

    async fn send_missing(
        &self,
        upload: &Upload,
        kept: &Kept,
        missing: Vec<u64>,
        meter: &Meter,
    ) -> Result<()> {
        let stored = Mutex::new(Vec::new());
        let side_by_side = if kept.parallel { SIDE_BY_SIDE } else { 1 };
        let mut parts = stream::iter(missing)
            .map(|number| self.send_and_report(upload, kept, number, &stored, meter))
            .buffer_unordered(side_by_side);
        let mut outcome = Ok(());
        while let Some(ended) = parts.next().await {
            if ended.is_err() {
                outcome = ended;
                break;
            }
        }
        drop(parts);
        let left = take(&stored, 1);
        match (left.is_empty(), outcome) {
            (true, outcome) => outcome,
            (false, Ok(())) => self.report_parts(kept, &left, meter).await,
            (false, Err(error)) => {
                // What has arrived is not to be sent again by the next attempt.
                if !meter.is_stopped_for_good()
                    && let Err(later) = self.report_parts(kept, &left, &Meter::default()).await
                {
                    tracing::info!(error = %later, "parts that arrived could not be reported");
                }
                Err(error)
            }
        }
    }

    /// Sends a part; whoever makes a group full reports it, while the others go on.
    async fn send_and_report(
        &self,
        upload: &Upload,
        kept: &Kept,
        number: u64,
        stored: &Mutex<Vec<StoredAs>>,
        meter: &Meter,
    ) -> Result<()> {
        let part = self.send_one(upload, kept, number, meter).await?;
        stored
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(part);
        let group = take(stored, REPORTED_AT_ONCE);
        if group.is_empty() {
            return Ok(());
        }
        self.report_parts(kept, &group, meter).await
    }

    /// Sends a part until the storage has it: addresses expire, and connections break.
    async fn send_one(
        &self,
        upload: &Upload,
        kept: &Kept,
        number: u64,
        meter: &Meter,
    ) -> Result<StoredAs> {
        let (offset_bytes, length_bytes) = kept.range(number);
        let part = FilePart {
            file: &upload.file,
            offset_bytes,
            length_bytes,
        };
        let policy = self.api().http().retry();
        let mut waits = policy.waits();
        let mut addresses = 0;
        loop {
            if meter.is_stopped() {
                return Err(errors::stopped(Doing::Upload, Sent::No));
            }
            let link = self.part_link(kept, number, meter).await?;
            addresses += 1;
            let to = PartAddress {
                method: link.method.clone().unwrap_or_else(|| "PUT".to_owned()),
                url: SafeUrl::new(link.url.clone()),
                headers: link.sent_headers(),
                success_codes: link.success_codes(),
            };
            let sent = send_part(self.api().http(), part, &to, meter, Doing::Upload)
                .await
                .and_then(|stored| reported(number, &link, &stored));
            let error = match sent {
                Ok(part) => return Ok(part),
                Err(error) => error,
            };
            let wait = match error.kind() {
                ErrorKind::Forbidden if addresses < MOST_ADDRESSES => Some(Duration::ZERO),
                ErrorKind::Forbidden => {
                    return Err(error.hint("The storage of Seven Bridges refuses a part of the file, also at a new address"));
                }
                ErrorKind::Garbled => waits.next(),
                _ => waits.next().and_then(|own| policy.wait_after(&error, own)),
            };
            let Some(wait) = wait else {
                return Err(error);
            };
            tracing::debug!(%error, number, "a part is sent again");
            pause(wait, meter).await?;
        }
    }

    async fn part_link(&self, kept: &Kept, number: u64, meter: &Meter) -> Result<PartLink> {
        let number = number.to_string();
        let path = ["upload", "multipart", &kept.upload_id, "part", &number];
        patiently(meter, || self.api().get_json(&path, &[], Doing::Upload)).await
    }

    /// Tells the platform of parts, several at once where it takes that.
    async fn report_parts(&self, kept: &Kept, parts: &[StoredAs], meter: &Meter) -> Result<()> {
        if parts.len() > 1 && !self.reports_singly.load(Ordering::Relaxed) {
            let path = ["upload", "multipart", &kept.upload_id];
            let listed: Vec<Json> = parts.iter().map(StoredAs::json).collect();
            let body = json!({ "parts": listed });
            match self.tell(&path, &body, meter).await {
                Ok(_) => return Ok(()),
                Err(error) if is_not_taken(&error) => {
                    tracing::info!(%error, "parts are reported one by one from now on");
                    self.reports_singly.store(true, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
        for part in parts {
            let path = ["upload", "multipart", &kept.upload_id, "part"];
            self.tell(&path, &part.json(), meter).await?;
        }
        Ok(())
    }

    /// Twice is the same as once.
    async fn tell(&self, path: &[&str], body: &Json, meter: &Meter) -> Result<Reply> {
        patiently(meter, || {
            self.api()
                .post_json(path, body, Idempotent::Yes, Doing::Upload)
        })
        .await
    }
}

/// What is told of a part: the headers of the storage's answer that were asked for, the ETag without its quotes. The SDK
/// reports an empty ETag where there is none, and the file cannot be put together; here such a part is sent again.
fn reported(number: u64, link: &PartLink, stored: &StoredPart) -> Result<StoredAs> {
    let mut headers = Map::new();
    for name in link.reported_headers() {
        let value = stored
            .header(&name)
            .map(|value| value.trim_matches('"'))
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                errors::garbled(
                    Doing::Upload,
                    stored.status,
                    &format!("The storage took a part of the file without saying its {name}"),
                )
            })?;
        headers.insert(name, json!(value));
    }
    if let Some(etag) = stored.etag().map(|etag| etag.trim_matches('"'))
        && etag.len() == stored.md5.len()
        && !etag.eq_ignore_ascii_case(&stored.md5)
    {
        // No contract says that it is one: storages that encrypt say something else of the same length.
        tracing::debug!(number, "the ETag of a part is not its MD5");
    }
    Ok(StoredAs { number, headers })
}

/// All that is stored and not reported, if there are so many of them.
fn take(stored: &Mutex<Vec<StoredAs>>, at_least: usize) -> Vec<StoredAs> {
    let mut stored = stored.lock().unwrap_or_else(PoisonError::into_inner);
    if stored.len() < at_least {
        return Vec::new();
    }
    std::mem::take(&mut *stored)
}

/// Whether the upload itself is of no use any more.
fn is_of_no_use(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || code_of(error) == Some(CONFLICT)
}

/// Whether the platform does not know how to take several reports at once; one about the upload itself says its code.
fn is_not_taken(error: &Error) -> bool {
    match code_of(error) {
        Some(code) if (8000..9000).contains(&code) => false,
        Some(_) | None => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Invalid),
    }
}

/// Asks, and waits for the next window of requests rather than tear what is under way.
async fn patiently<T, F>(meter: &Meter, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let wait = error
            .failure()
            .retry_after
            .filter(|wait| error.kind() == ErrorKind::RateLimited && *wait <= LONGEST_PATIENCE);
        let Some(wait) = wait else {
            return Err(error);
        };
        pause(wait, meter).await?;
    }
}

/// Waits, but not on when somebody asks to stop.
async fn pause(wait: Duration, meter: &Meter) -> Result<()> {
    let end = tokio::time::Instant::now() + wait;
    loop {
        if meter.is_stopped() {
            return Err(errors::stopped(Doing::Upload, Sent::No));
        }
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        tokio::time::sleep(left.min(LOOK_EVERY)).await;
    }
}
