//! Bringing one result home: its link, its bytes, and what is in it when it is an archive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::event::{Event, Unpacked};
use crate::engine::place::{self, Writes};
use crate::engine::worker::blocking;
use crate::model::artifact::{Fetched, UnpackedFile};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::ArtifactId;
use crate::model::meter::Meter;
use crate::model::remote::{Link, Output, RemoteJob};
use crate::net::client::Http;
use crate::net::download::{self, Expected, Order};
use crate::providers::Provider;
use crate::results::provenance::RunState;
use crate::results::receipt::{self, Receipt};
use crate::results::unzip::{self, Limits, UnzipError};

/// One result to fetch.
pub(super) struct Errand<'a> {
    /// Whose result.
    pub job: &'a RemoteJob,
    /// What the platform offers.
    pub output: &'a Output,
    /// The folder of its batch; absolute.
    pub batch_folder: &'a Path,
    /// Its final place below that; absolute.
    pub target: &'a Path,
    /// Counts what is written.
    pub writes: &'a Writes,
    /// Over which client.
    pub client: &'a dyn Provider,
    /// The way to the network.
    pub http: &'a Http,
    /// Counts its bytes and can stop it.
    pub meter: &'a Meter,
}

/// Fetches a result to its place, or says that the platform is still making it.
pub(super) async fn fetch(artifact: ArtifactId, errand: Errand<'_>) -> Event {
    let link = match errand.client.link(errand.job, errand.output).await {
        Ok(Link::Preparing { percent }) => return Event::Preparing(artifact, percent),
        Ok(link) => link,
        Err(error) => return Event::Fetched(artifact, Err(error)),
    };
    let brought = bring(link, &errand).await;
    Event::Fetched(
        artifact,
        brought.map_err(|error| place::reason(error, errand.batch_folder, bytes_left(&errand))),
    )
}

async fn bring(link: Link, errand: &Errand<'_>) -> Result<Fetched> {
    let Errand {
        job,
        output,
        batch_folder,
        target,
        writes,
        client,
        http,
        meter,
    } = *errand;
    if let Some(folder) = target.parent().map(Path::to_path_buf) {
        let (batch_folder, writes) = (batch_folder.to_owned(), writes.clone());
        blocking(move || {
            place::make_below(&batch_folder, &folder, Doing::Download)?;
            writes
                .next()
                .map_err(|error| Error::from_io(&error, Doing::Download))
        })
        .await??;
    }
    let expected = Expected {
        size_bytes: output.size_bytes,
        sha256: output.sha256.clone(),
    };
    let part_path = part_of(target);
    let order = Order {
        expected: &expected,
        part_path: &part_path,
        final_path: target,
        meter,
    };
    let fetched = download::fetch(
        http,
        link,
        Box::new(|| Box::pin(client.link(job, output))),
        &order,
    )
    .await?;
    // Whole and in its place: what can be refused now is only that this is written down.
    writes
        .next()
        .map_err(|error| Error::from_io(&error, Doing::Download))?;
    Ok(fetched)
}

/// How much of a file is still to be written, as far as that is known.
fn bytes_left(errand: &Errand<'_>) -> u64 {
    let part = part_of(errand.target);
    let here = std::fs::metadata(&part).map_or(0, |part| part.len());
    let whole = errand
        .output
        .size_bytes
        .or_else(|| download::announced_bytes(&part))
        .unwrap_or_else(|| errand.meter.total_bytes());
    whole.saturating_sub(here)
}

/// Where a file grows until it is whole.
fn part_of(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".part");
    PathBuf::from(path)
}

/// Unpacks an archive and says whether it is to be kept; it is removed later, when the journal has what came out of it.
pub(super) fn unpack(
    archive: &Path,
    into: &Path,
    below: &str,
    keep_archive: bool,
    meter: &Meter,
) -> Result<Unpacked> {
    let done = unzip::unpack(archive, into, &Limits::default(), &|_bytes| {}, &|| {
        meter.is_stopped()
    })
    .map_err(|error| explain(&error))?;
    let problems: Vec<String> = done
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.name, problem.what))
        .collect();
    let files = done
        .files
        .into_iter()
        .map(|file| UnpackedFile {
            path: format!("{below}/{}", file.path),
            original_name: file.original_name,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
        })
        .collect();
    Ok(Unpacked {
        archive_kept: keep_archive || !problems.is_empty(),
        files,
        problems,
    })
}

/// The receipt with the records of files that are there and no longer in the journal: an earlier attempt's, a forgotten
/// job's; and with those jobs. A receipt that cannot be read is replaced.
pub(super) fn with_earlier(folder: &Path, mut receipt: Receipt) -> Receipt {
    let earlier = match receipt::read(folder) {
        Ok(earlier) => earlier,
        Err(error) => {
            tracing::debug!(%error, "no earlier receipt");
            return receipt;
        }
    };
    let known: BTreeSet<String> = receipt.files.iter().map(|file| file.path.clone()).collect();
    receipt.files.extend(
        earlier
            .files
            .into_iter()
            .filter(|file| !known.contains(&file.path) && folder.join(&file.path).is_file()),
    );
    // A forgotten job is told by its folder: one that is tried again keeps it. Jobs name their inputs by place; the files
    // of a batch never change.
    let known: BTreeSet<String> = receipt.jobs.iter().map(|job| job.folder.clone()).collect();
    let same_inputs = earlier.inputs.len() == receipt.inputs.len();
    receipt.jobs.extend(earlier.jobs.into_iter().filter(|job| {
        same_inputs && !known.contains(&job.folder) && job.state != RunState::Unfinished
    }));
    receipt.beside = earlier.beside;
    receipt
}

/// Removes archives whose content is in the journal; those that went before a crash are gone already.
pub(super) fn remove_spent(archives: &[PathBuf]) -> Result<()> {
    for archive in archives {
        match std::fs::remove_file(archive) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::from_io(&error, Doing::WriteReceipt)),
        }
    }
    Ok(())
}

fn explain(error: &UnzipError) -> Error {
    let kind = match error {
        UnzipError::DiskFull(_) => ErrorKind::DiskFull,
        UnzipError::NotAnArchive(_) | UnzipError::TooManyEntries { .. } => ErrorKind::Archive,
        UnzipError::Cancelled | UnzipError::Io(_) => ErrorKind::LocalFile,
    };
    Error::new(kind, Doing::Unpack)
        .hint(error.to_string())
        .caused_by(error)
}
