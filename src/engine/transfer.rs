//! Bringing one result home: its link, its bytes, and what is in it when it is an archive.

use std::path::Path;

use jiff::Timestamp;

use crate::engine::event::{Event, Unpacked};
use crate::engine::worker::blocking;
use crate::model::artifact::{Fetched, UnpackedFile};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::ArtifactId;
use crate::model::meter::Meter;
use crate::model::remote::{Link, Output, RemoteJob};
use crate::net::client::Http;
use crate::net::download::{self, Expected, Fetch};
use crate::providers::Provider;
use crate::results::unzip::{self, Limits, UnzipError};

/// Fetches a result to `target`, or says that the platform is still making it.
pub async fn fetch(
    artifact: ArtifactId,
    job: &RemoteJob,
    output: &Output,
    target: &Path,
    client: &dyn Provider,
    http: &Http,
    meter: &Meter,
) -> Event {
    let link = match client.link(job, output).await {
        Ok(Link::Preparing { percent }) => return Event::Preparing(artifact, percent),
        Ok(link) => link,
        Err(error) => return Event::Fetched(artifact, Err(error)),
    };
    Event::Fetched(artifact, bring(link, job, output, target, client, http, meter).await)
}

async fn bring(
    link: Link,
    job: &RemoteJob,
    output: &Output,
    target: &Path,
    client: &dyn Provider,
    http: &Http,
    meter: &Meter,
) -> Result<Fetched> {
    if let Some(folder) = target.parent().map(Path::to_path_buf) {
        blocking(move || std::fs::create_dir_all(folder))
            .await?
            .map_err(|error| Error::from_io(&error, Doing::Download))?;
    }
    let expected = Expected { size_bytes: output.size_bytes, sha256: output.sha256.clone() };
    let fetched = download::fetch(http, Fetch { link, expected, target, meter }, async || client.link(job, output).await)
        .await?;
    Ok(Fetched { size_bytes: fetched.size_bytes, sha256: fetched.sha256, at: Timestamp::now() })
}

/// Unpacks an archive; it is removed afterwards when it is not to be kept and nothing in it was refused.
pub fn unpack(archive: &Path, into: &Path, below: &str, keep_archive: bool, meter: &Meter) -> Result<Unpacked> {
    let done = unzip::unpack(archive, into, &Limits::default(), &|_bytes| {}, &|| meter.is_stopped())
        .map_err(|error| explain(&error))?;
    let problems: Vec<String> =
        done.problems.iter().map(|problem| format!("{}: {}", problem.name, problem.what)).collect();
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
    let remove = !keep_archive && problems.is_empty();
    if remove {
        std::fs::remove_file(archive).map_err(|error| Error::from_io(&error, Doing::Unpack))?;
    }
    Ok(Unpacked { files, problems, archive_kept: !remove })
}

fn explain(error: &UnzipError) -> Error {
    let kind = match error {
        UnzipError::DiskFull(_) => ErrorKind::DiskFull,
        UnzipError::NotAnArchive(_) | UnzipError::TooManyEntries { .. } => ErrorKind::Archive,
        UnzipError::Cancelled | UnzipError::Io(_) => ErrorKind::LocalFile,
    };
    Error::new(kind, Doing::Unpack).hint(error.to_string()).caused_by(error)
}
