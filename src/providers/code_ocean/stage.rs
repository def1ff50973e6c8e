//! A file of this computer into the bucket: whole where it is small, else in parts that a later attempt goes on with.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::file::LocalFile;
use crate::model::meter::Meter;
use crate::model::remote::{StagedFile, Upload};
use crate::net::keep::Keep;
use crate::net::parts::{FilePart, PartAddress, send_part};
use crate::net::upload::sha256_until_stopped;
use crate::providers::code_ocean::bucket::{Bucket, HavePart};
use crate::providers::code_ocean::bucket_answers::{explain, is_gone};

/// Files up to this are sent whole.
const WHOLE_BYTES: u64 = 64 * MIB;
/// Usual size of a part: what is lost when a connection breaks.
const PART_BYTES: u64 = 32 * MIB;
/// Most parts an upload may have is 10,000.
const MOST_PARTS: u64 = 9_900;
/// Largest object there is.
const LARGEST_BYTES: u64 = 5 * 1024 * 1024 * MIB;
/// Parts of a file on their way at the same time.
const PARTS_AT_ONCE: usize = 3;
/// Largest object that one request can copy.
const COPIED_WHOLE_BYTES: u64 = 5 * 1024 * MIB;
/// Part of a larger copy; its bytes do not come here.
const COPIED_PART_BYTES: u64 = 1024 * MIB;
const MIB: u64 = 1024 * 1024;
const DOING: Doing = Doing::Upload;

/// What a later attempt needs to go on: which upload, of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    bucket: String,
    key: String,
    upload_id: String,
    part_bytes: u64,
    size_bytes: u64,
    modified: Option<jiff::Timestamp>,
}

impl Bucket {
    /// Puts a file there. What it is called there is its identifier.
    pub(super) async fn put(
        &self,
        upload: &Upload,
        keep: &Keep,
        meter: &Meter,
    ) -> Result<StagedFile> {
        let file = &upload.file;
        if file.size_bytes > LARGEST_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, DOING)
                .hint("A bucket takes files of at most 5 TiB"));
        }
        let key = self.key(&[&upload.remote_folder, &upload.remote_name])?;
        meter.expect(file.size_bytes);
        meter.restart_at(0);
        let sending = async {
            if file.size_bytes <= WHOLE_BYTES {
                self.put_whole(file, &key, keep, meter).await
            } else {
                self.put_in_parts(file, &key, keep, meter).await
            }
        };
        let hashing = sha256_until_stopped(file, meter, DOING);
        let ((), sha256) = tokio::try_join!(sending, hashing)?;
        Ok(StagedFile {
            id: key,
            name: upload.remote_name.clone(),
            sha256: Some(sha256),
            size_bytes: Some(file.size_bytes),
            ..StagedFile::default()
        })
    }

    async fn put_whole(
        &self,
        file: &LocalFile,
        key: &str,
        keep: &Keep,
        meter: &Meter,
    ) -> Result<()> {
        self.abort_stale(keep, None).await;
        let part = FilePart {
            file,
            offset_bytes: 0,
            length_bytes: file.size_bytes,
        };
        self.send(part, meter, || PartAddress::put(self.put_address(key)))
            .await?;
        Ok(())
    }

    async fn put_in_parts(
        &self,
        file: &LocalFile,
        key: &str,
        keep: &Keep,
        meter: &Meter,
    ) -> Result<()> {
        let Some((kept, have)) = self.resume_or_begin(file, key, keep).await? else {
            meter.restart_at(file.size_bytes);
            return Ok(());
        };
        let count = file.size_bytes.div_ceil(kept.part_bytes);
        let mut etags: Vec<String> = Vec::new();
        let mut missing = Vec::new();
        let mut there_bytes = 0_u64;
        for index in 0..count {
            let part = part_of(file, kept.part_bytes, index);
            let number = number_of(index)?;
            let known = have
                .iter()
                .find(|have| have.number == number && have.size_bytes == part.length_bytes);
            if let Some(known) = known {
                there_bytes = there_bytes.saturating_add(known.size_bytes);
            } else {
                missing.push((number, part));
            }
            // What is missing gets its own when it is there.
            etags.push(known.map(|known| known.etag.clone()).unwrap_or_default());
        }
        meter.restart_at(there_bytes);
        let mut missing = missing.into_iter();
        let mut under_way = FuturesUnordered::new();
        let start = |(number, part)| self.send_numbered(number, part, &kept, meter);
        under_way.extend(missing.by_ref().take(PARTS_AT_ONCE).map(start));
        while let Some(sent) = under_way.next().await {
            let (number, etag) = sent?;
            if let Some(place) = etags.get_mut(usize::from(number).saturating_sub(1)) {
                *place = etag;
            }
            under_way.extend(missing.next().map(start));
        }
        drop(under_way);
        match self.complete(key, &kept.upload_id, &etags).await {
            // A lost answer, asked again: the upload is gone because it is an object now.
            Err(error) if is_gone(&error) => {
                if self.size_of(key).await? == Some(file.size_bytes) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            completed => completed,
        }
    }

    /// Goes on with the upload an earlier attempt kept, where it is of this very file; else begins one and keeps that.
    /// None where the earlier attempt came to its end without hearing of it.
    async fn resume_or_begin(
        &self,
        file: &LocalFile,
        key: &str,
        keep: &Keep,
    ) -> Result<Option<(Kept, Vec<HavePart>)>> {
        let part_bytes = file
            .size_bytes
            .div_ceil(MOST_PARTS)
            .div_ceil(MIB)
            .saturating_mul(MIB)
            .max(PART_BYTES);
        let wanted = Kept {
            bucket: self.name().to_owned(),
            key: key.to_owned(),
            upload_id: String::new(),
            part_bytes,
            size_bytes: file.size_bytes,
            modified: file.modified,
        };
        if let Some(kept) = kept_of(keep)
            && (Kept {
                upload_id: String::new(),
                ..kept.clone()
            }) == wanted
        {
            if let Some(have) = self.parts(key, &kept.upload_id).await? {
                return Ok(Some((kept, have)));
            }
            if self.size_of(key).await? == Some(file.size_bytes) {
                return Ok(None);
            }
        }
        self.abort_stale(keep, Some(&wanted)).await;
        let upload_id = self.begin(key).await?;
        let kept = Kept {
            upload_id,
            ..wanted
        };
        let text = serde_json::to_string(&kept)
            .map_err(|error| Error::new(ErrorKind::Internal, DOING).caused_by(&error))?;
        keep.put(text).await?;
        Ok(Some((kept, Vec::new())))
    }

    /// Gives up what an earlier attempt began and this one cannot go on with.
    async fn abort_stale(&self, keep: &Keep, wanted: Option<&Kept>) {
        let Some(kept) = kept_of(keep).filter(|kept| kept.bucket == self.name()) else {
            return;
        };
        let wanted = wanted.map(|wanted| wanted.key.as_str());
        tracing::info!(key = %kept.key, ?wanted, "an unfinished upload is given up");
        if let Err(error) = self.abort(&kept.key, &kept.upload_id).await {
            tracing::debug!(%error, "the unfinished upload could not be given up");
        }
    }

    async fn send_numbered(
        &self,
        number: u16,
        part: FilePart<'_>,
        kept: &Kept,
        meter: &Meter,
    ) -> Result<(u16, String)> {
        let address = || PartAddress::put(self.part_address(&kept.key, number, &kept.upload_id));
        let etag = self.send(part, meter, address).await?;
        Ok((number, etag))
    }

    /// Sends a file or a part of one, and says its `ETag`: a success without one is not the bucket's, but the page of
    /// whatever stands in between. Again after failures that may pass, as the same twice is the same as once. Each attempt
    /// has an address of its own, as they expire.
    async fn send(
        &self,
        part: FilePart<'_>,
        meter: &Meter,
        address: impl Fn() -> PartAddress + Send + Sync,
    ) -> Result<String> {
        let policy = self.http().retry();
        let mut waits = policy.waits();
        loop {
            let to = address();
            let error = match send_part(self.http(), part, &to, meter, DOING).await {
                Ok(stored) => return stored.etag().map(str::to_owned).ok_or_else(|| {
                    Error::new(ErrorKind::Garbled, DOING)
                        .status(stored.status)
                        .hint("What answered for the staging bucket named no ETag, so it was not the bucket")
                }),
                Err(error) => explain(error),
            };
            let wait = waits.next().and_then(|own| policy.wait_after(&error, own));
            let Some(wait) = wait.filter(|_wait| !meter.is_stopped()) else {
                return Err(error);
            };
            tracing::debug!(%error, ?wait, "a part is sent again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Copies an object of this size within the bucket, in parts where it is too large for one request.
    pub(super) async fn copy_any(&self, from: &str, to: &str, size_bytes: u64) -> Result<()> {
        if size_bytes <= COPIED_WHOLE_BYTES {
            return self.copy(from, to).await;
        }
        let upload = self.begin(to).await?;
        let copied = self.copy_in_parts(from, to, size_bytes, &upload).await;
        if copied.is_err()
            && let Err(error) = self.abort(to, &upload).await
        {
            tracing::debug!(%error, "an unfinished copy could not be given up");
        }
        copied
    }

    async fn copy_in_parts(
        &self,
        from: &str,
        to: &str,
        size_bytes: u64,
        upload: &str,
    ) -> Result<()> {
        let mut etags = Vec::new();
        for index in 0..size_bytes.div_ceil(COPIED_PART_BYTES) {
            let first = index.saturating_mul(COPIED_PART_BYTES);
            let last = first
                .saturating_add(COPIED_PART_BYTES)
                .min(size_bytes)
                .saturating_sub(1);
            let number = number_of(index)?;
            etags.push(
                self.copy_part((from, first, last), to, number, upload)
                    .await?,
            );
        }
        self.complete(to, upload, &etags).await
    }
}

fn kept_of(keep: &Keep) -> Option<Kept> {
    serde_json::from_str(keep.last()?).ok()
}

fn part_of(file: &LocalFile, part_bytes: u64, index: u64) -> FilePart<'_> {
    let offset_bytes = index.saturating_mul(part_bytes);
    FilePart {
        file,
        offset_bytes,
        length_bytes: part_bytes.min(file.size_bytes.saturating_sub(offset_bytes)),
    }
}

/// Parts are counted from 1.
fn number_of(index: u64) -> Result<u16> {
    u16::try_from(index.saturating_add(1)).map_err(|error| {
        Error::new(ErrorKind::TooLarge, DOING)
            .hint("The file has more parts than an upload may have")
            .caused_by(&error)
    })
}
