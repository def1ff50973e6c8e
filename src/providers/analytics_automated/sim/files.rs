//! The folder of stored inputs and results, and sending its files as the development server does.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::io::ReaderStream;

use crate::providers::analytics_automated::sim::answer;
use crate::providers::analytics_automated::sim::names::{decoded, free_name};
use crate::sandbox::world::World;

/// Where the files of the simulated server lie.
pub(super) fn folder(world: &World) -> PathBuf {
    world.folder().join("analytics_automated")
}

/// Stores bytes under a name, or that name with a random suffix while it is taken.
pub(super) fn store(folder: &Path, wanted: &str, bytes: &[u8]) -> io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let mut random = fastrand::Rng::new();
    loop {
        let name = free_name(wanted, &mut random, |name| folder.join(name).exists());
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join(&name));
        match opened {
            Ok(mut file) => {
                file.write_all(bytes)?;
                return Ok(name);
            }
            // Taken between the look and the opening.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sends a stored file: the whole of it, whatever `Range` says. `encoded` is the last part of the
/// address as it was asked for.
pub(super) async fn send(
    folder: &Path,
    encoded: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    let name = decoded(encoded);
    if method != Method::GET && method != Method::HEAD {
        return answer::page(StatusCode::METHOD_NOT_ALLOWED);
    }
    if name.is_empty() || name.contains(['/', '\\']) || matches!(name.as_str(), "." | "..") {
        return answer::page(StatusCode::NOT_FOUND);
    }
    match open(&folder.join(&name), headers).await {
        Ok(mut response) => {
            let disposition = format!("inline; filename=\"{encoded}\"");
            if let Ok(value) = HeaderValue::from_str(&disposition) {
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
            response
        }
        Err(_gone_or_unreadable) => answer::page(StatusCode::NOT_FOUND),
    }
}

async fn open(path: &Path, headers: &HeaderMap) -> io::Result<Response> {
    let file = tokio::fs::File::open(path).await?;
    let metadata = file.metadata().await?;
    let modified = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
    if not_modified(headers, modified) {
        return Ok(answer::with_body(
            StatusCode::NOT_MODIFIED,
            content_type(path),
            Body::empty(),
        ));
    }
    let body = Body::from_stream(ReaderStream::with_capacity(file, 1 << 18));
    let mut response = answer::with_body(StatusCode::OK, content_type(path), body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(metadata.len()));
    let date = modified
        .to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT");
    if let Ok(value) = HeaderValue::from_str(&date.to_string()) {
        headers.insert(header::LAST_MODIFIED, value);
    }
    Ok(response)
}

fn not_modified(headers: &HeaderMap, modified: Timestamp) -> bool {
    headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
        .is_some_and(|since| modified.as_second() <= since.timestamp().as_second())
}

/// Guessed by the extension, as Python's `mimetypes` does; the job's operator chose it.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("txt") => "text/plain",
        Some("csv") => "text/csv",
        Some("zip") => "application/zip",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
