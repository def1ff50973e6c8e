//! Putting files at Seven Bridges: into a folder of the batch, in parts, going on where an earlier attempt stopped.
//!
//! Here is the course of one upload; [`folders`] makes the folders, [`parts`] sends the parts, [`kept`] is what the
//! journal keeps meanwhile.

mod folders;
mod kept;
mod parts;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value as Json, json};

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::meter::Meter;
use crate::model::remote::{StagedFile, Upload};
use crate::net::keep::Keep;
use crate::net::retry::Idempotent;
use crate::net::upload::sha256_until_stopped;
use crate::providers::seven_bridges::FACTS;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::{NAME_TAKEN, code_of};
use crate::providers::seven_bridges::upload::kept::Kept;
use crate::providers::seven_bridges::wire::files::{FILE_FIELDS, File};
use crate::providers::seven_bridges::wire::uploads::{Arrived, Opened};

const MIB: u64 = 1024 * 1024;
/// The vendor's advice; fewer parts mean fewer requests.
const USUAL_PART_BYTES: u64 = 32 * MIB;
/// A part less than the ten thousand allowed, with room for a server that rounds otherwise.
const MOST_PARTS: u64 = 9_500;
/// Names tried when the wished one is taken.
const MOST_NAMES: usize = 50;
/// Times an upload is begun anew within one attempt.
const MOST_STARTS: usize = 3;

/// How an upload that was opened ended.
enum Ended {
    /// The file is there.
    Done(File),
    /// The upload is of no use any more: it is to be begun anew.
    Anew,
}

impl Client {
    pub(super) async fn put(
        &self,
        upload: &Upload,
        keep: &Keep,
        meter: &Meter,
    ) -> Result<StagedFile> {
        let max_bytes = FACTS.capabilities.max_file_bytes.unwrap_or(u64::MAX);
        if upload.file.size_bytes > max_bytes {
            return Err(Error::new(ErrorKind::TooLarge, Doing::Upload)
                .hint("Seven Bridges takes files of at most 5 TiB"));
        }
        meter.expect(upload.file.size_bytes);
        meter.restart_at(0);
        // The hash is computed beside the transfer, from a reading of its own, and ended with it.
        let hashing = StoppedAtEnd(Meter::default());
        let transfer = async {
            let file = self.transfer(upload, keep, meter).await;
            if file.is_err() {
                hashing.0.stop();
            }
            file
        };
        let hash = sha256_until_stopped(&upload.file, &hashing.0, Doing::Upload);
        // The transfer is not dropped for a hash that failed: it finds out itself, and tidies up.
        let (file, sha256) = tokio::join!(transfer, hash);
        let (file, sha256) = (file?, sha256?);
        self.describe(&file.id, upload).await?;
        meter.restart_at(upload.file.size_bytes);
        Ok(StagedFile {
            name: file.name.unwrap_or_else(|| upload.remote_name.clone()),
            id: file.id,
            sha256: Some(sha256),
            size_bytes: Some(upload.file.size_bytes),
            ..StagedFile::default()
        })
    }

    /// Brings the file there, anew where an upload turns out to be of no use.
    async fn transfer(&self, upload: &Upload, keep: &Keep, meter: &Meter) -> Result<File> {
        let mut earlier = keep.last().and_then(Kept::read);
        if let Some(other) = earlier.take_if(|kept| !kept.is_of(upload)) {
            // The file is another one by now; what was sent of it is of no use.
            self.give_up(&other.upload_id).await;
        }
        for _ in 0..MOST_STARTS {
            let mut there = None;
            let kept = match earlier.take() {
                Some(kept) => {
                    if let Some(arrived) = self.arrived(&kept.upload_id).await? {
                        there = Some(arrived.etags());
                        self.resumed(kept, &arrived, keep).await?
                    } else {
                        // It ended: by completing, if the file is there, as nobody else puts files of this name and size
                        // into the folder of the batch.
                        if let Some(file) = self.file_named(&kept).await? {
                            return Ok(file);
                        }
                        self.open_upload(upload, keep, true).await?
                    }
                }
                None => self.open_upload(upload, keep, false).await?,
            };
            match self.send(upload, &kept, there, meter).await {
                Ok(Ended::Done(file)) => return Ok(file),
                Ok(Ended::Anew) => {
                    self.give_up(&kept.upload_id).await;
                    meter.restart_at(0);
                }
                Err(error) => {
                    // What changed is of no use, and what a person stopped for good shall not stay there in part.
                    if error.kind() == ErrorKind::LocalFile || meter.is_stopped_for_good() {
                        self.give_up(&kept.upload_id).await;
                    }
                    return Err(error);
                }
            }
        }
        Err(Error::new(ErrorKind::ServerFault, Doing::Upload)
            .sent(Sent::Answered)
            .hint("Seven Bridges could not put the parts of the file together, several times over"))
    }

    /// Opens an upload under the wished name, or under one that is free.
    async fn open_upload(&self, upload: &Upload, keep: &Keep, anew: bool) -> Result<Kept> {
        let size = upload.file.size_bytes;
        let mut folder = self.folder(&upload.remote_folder, anew).await?;
        let mut is_known_folder = true;
        let mut number = 1;
        while number <= MOST_NAMES {
            let name = numbered(&upload.remote_name, number);
            let mut body = Map::new();
            let (field, id) = self.place(folder.as_deref())?;
            body.insert(field.to_owned(), json!(id));
            body.insert("name".to_owned(), json!(name));
            body.insert("size".to_owned(), json!(size));
            body.insert("part_size".to_owned(), json!(part_bytes(size)));
            let opened = self
                .api()
                .post_json(
                    &["upload", "multipart"],
                    &Json::Object(body),
                    Idempotent::Yes,
                    Doing::Upload,
                )
                .await;
            let opened: Opened = match opened {
                Ok(reply) => reply.json()?,
                Err(error) if is_name_taken(&error) => {
                    number += 1;
                    continue;
                }
                // The folder was removed since it was last seen.
                Err(error)
                    if error.kind() == ErrorKind::NotFound
                        && folder.is_some()
                        && is_known_folder =>
                {
                    is_known_folder = false;
                    folder = self.folder(&upload.remote_folder, true).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let kept = Kept::new(upload, name, folder, &opened)?;
            keep.put(kept.text()).await?;
            return Ok(kept);
        }
        Err(Error::new(ErrorKind::Conflict, Doing::Upload)
            .sent(Sent::Answered)
            .hint("There are too many files of this name in the folder at Seven Bridges"))
    }

    /// What an earlier attempt began, corrected by what the server says of it.
    async fn resumed(&self, mut kept: Kept, arrived: &Arrived, keep: &Keep) -> Result<Kept> {
        if let Some(parallel) = arrived.parallel_uploads {
            kept.parallel = parallel;
        }
        if let Some(size) = arrived.part_size.filter(|size| *size > 0)
            && size != kept.part_size
        {
            kept.part_size = size;
            keep.put(kept.text()).await?;
        }
        Ok(kept)
    }

    /// What has arrived of an upload; nothing where the server does not know it any more.
    async fn arrived(&self, upload_id: &str) -> Result<Option<Arrived>> {
        let path = ["upload", "multipart", upload_id];
        let query = [("list_parts", "true")];
        match self.api().get_json(&path, &query, Doing::Upload).await {
            Ok(arrived) => Ok(Some(arrived)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file of this very name and size at the place of an upload.
    async fn file_named(&self, kept: &Kept) -> Result<Option<File>> {
        let (field, id) = self.place(kept.folder.as_deref())?;
        let query = [
            (field, id.as_str()),
            ("name", kept.name.as_str()),
            ("fields", FILE_FIELDS),
        ];
        let files: Vec<File> = match self.all(&["files"], &query, Doing::Upload).await {
            Ok(files) => files,
            // The folder is gone, and what was in it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(files.into_iter().find(|file| {
            !file.is_folder()
                && file.name.as_deref() == Some(kept.name.as_str())
                && file.size == Some(kept.size_bytes)
        }))
    }

    /// Throws away what was sent; an upload that stays costs little, so a failure is only noted.
    async fn give_up(&self, upload_id: &str) {
        let path = ["upload", "multipart", upload_id];
        let given_up = self
            .api()
            .change(&reqwest::Method::DELETE, &path, &[], None, Doing::Upload)
            .await;
        if let Err(error) = given_up {
            tracing::info!(%error, "an unfinished upload stays at the platform");
        }
    }

    /// Writes what is known about the sample to the file; a batch by criteria is split by it.
    async fn describe(&self, file: &str, upload: &Upload) -> Result<()> {
        let metadata: Map<String, Json> = upload
            .metadata
            .iter()
            .filter(|(column, value)| !column.trim().is_empty() && !value.trim().is_empty())
            .map(|(column, value)| (metadata_key(column), json!(value.trim())))
            .collect();
        if metadata.is_empty() {
            return Ok(());
        }
        let path = ["files", file, "metadata"];
        let body = Json::Object(metadata);
        let method = reqwest::Method::PATCH;
        self.api()
            .change(&method, &path, &[], Some(&body), Doing::Upload)
            .await?;
        Ok(())
    }
}

/// Whether another file has the name: by the number, or by the status where a refusal has no number.
fn is_name_taken(error: &Error) -> bool {
    match code_of(error) {
        Some(code) => code == NAME_TAKEN,
        None => error.kind() == ErrorKind::Conflict,
    }
}

/// The key of a sample column among a file's metadata: letters, digits and underscores.
pub(super) fn metadata_key(column: &str) -> String {
    column
        .trim()
        .chars()
        .map(|character| {
            if character.is_alphanumeric() || character == '_' || character == '-' {
                character
            } else {
                '_'
            }
        })
        .collect()
}

/// Few parts for large files, parts worth their two requests for small ones.
fn part_bytes(size_bytes: u64) -> u64 {
    let needed = size_bytes.div_ceil(MOST_PARTS).div_ceil(MIB) * MIB;
    needed.max(USUAL_PART_BYTES)
}

/// The name itself, or with a number before its endings: `reads-2.fastq.gz`.
fn numbered(name: &str, number: usize) -> String {
    if number < 2 {
        return name.to_owned();
    }
    let start = name.len() - name.trim_start_matches('.').len();
    let dot = name
        .char_indices()
        .find(|(index, character)| *index > start && *character == '.')
        .map_or(name.len(), |(index, _)| index);
    let (stem, endings) = name.split_at_checked(dot).unwrap_or((name, ""));
    let room = 250_usize.saturating_sub(endings.chars().count());
    let stem: String = stem.chars().take(room).collect();
    format!("{stem}-{number}{endings}")
}

/// Ends the hashing with whatever it stands beside.
struct StoppedAtEnd(Meter);

impl Drop for StoppedAtEnd {
    fn drop(&mut self) {
        self.0.stop();
    }
}
