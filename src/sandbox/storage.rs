//! The storage that signed links point at, on a port of its own as in real life.
//!
//! Owns serving files with ranges and entity tags, and refusing platform keys. Does not know whose
//! files they are: a simulator mounts it under a path and says which folder is behind it.

use std::io::SeekFrom;
use std::path::{Component, Path};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::sandbox::faults::Setting;
use crate::sandbox::world::{SIGNATURE_FIELD, Signature, World};

/// The name of the storage for faults and the request log.
pub const ENDPOINT: &str = "storage.get";

/// Where signed links point: to the storage; to a port that nobody listens at; to a name that no server has; to the storage
/// as if it spoke TLS.
pub const LINKS: Setting = Setting {
    name: "storage.links",
    values: &["usual", "refused", "unresolvable", "tls"],
};

const BLOCK_BYTES: usize = 1 << 20;

/// Answers a signed link, `file` being what it stands for.
pub async fn serve_signed(world: &World, uri: &Uri, headers: &HeaderMap, file: &Path) -> Response {
    match refuse_signature(world, uri) {
        Some(refusal) => refusal,
        None => serve_file(world, headers, file).await,
    }
}

/// What a link is answered whose signature does not open it now; nothing when it does.
pub(crate) fn refuse_signature(world: &World, uri: &Uri) -> Option<Response> {
    let signature = query_field(uri, SIGNATURE_FIELD).unwrap_or_default();
    match world.verify(uri.path(), &signature) {
        Signature::Valid => None,
        Signature::Expired => Some(expired()),
        Signature::Wrong => Some(xml_error(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )),
    }
}

/// Sends a file, or the part of it the headers ask for.
pub async fn serve_file(world: &World, headers: &HeaderMap, file: &Path) -> Response {
    match open_part(world, headers, file).await {
        Ok(response) => response,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => no_such_key(),
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot read a file it made");
            xml_error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "We encountered an internal error. Please try again.",
            )
        }
    }
}

async fn open_part(world: &World, headers: &HeaderMap, path: &Path) -> std::io::Result<Response> {
    if path.components().any(|part| part == Component::ParentDir) {
        return Ok(no_such_key());
    }
    let mut file = tokio::fs::File::open(path).await?;
    let details = file.metadata().await?;
    if !details.is_file() {
        return Ok(no_such_key());
    }
    let size = details.len();
    let changed = details.modified()?.duration_since(UNIX_EPOCH);
    let etag = format!("\"{size:x}-{:x}\"", changed.unwrap_or_default().as_nanos());
    let mut answer = Response::builder()
        .header(header::CONTENT_TYPE, content_type(path))
        .header(header::ETAG, &etag);
    let ignore_range = world.faults().take_no_range(ENDPOINT);
    if !ignore_range {
        answer = answer.header(header::ACCEPT_RANGES, "bytes");
    }
    let wanted = if ignore_range {
        Wanted::Whole
    } else {
        wanted(headers, &etag, size)
    };
    let (start, length) = match wanted {
        Wanted::Whole => (0, size),
        Wanted::Part { start, end } => {
            let range = format!("bytes {start}-{}/{size}", end - 1);
            answer = answer
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, range);
            (start, end - start)
        }
        Wanted::Impossible => {
            let mut answer = xml_error(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidRange",
                "The requested range is not satisfiable",
            );
            if let Ok(value) = format!("bytes */{size}").parse() {
                answer.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return Ok(answer);
        }
    };
    file.seek(SeekFrom::Start(start)).await?;
    let stream = ReaderStream::with_capacity(file.take(length), BLOCK_BYTES);
    answer
        .header(header::CONTENT_LENGTH, length)
        .body(Body::from_stream(stream))
        .map_err(std::io::Error::other)
}

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// From `start` up to, not including, `end`; never empty.
    Part {
        start: u64,
        end: u64,
    },
    Impossible,
}

/// One range of the forms `bytes=A-`, `bytes=A-B` and `bytes=-N`; anything else asks for the whole
/// file, as RFC 9110 section 14.2 allows. With an `If-Range` that does not match, too.
fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Wanted::Whole;
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Wanted::Whole;
    };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(start), Ok(last)) if start <= last => (start, size.min(last.saturating_add(1))),
        (Ok(start), Err(_)) if last.is_empty() => (start, size),
        (Err(_), Ok(count)) if first.is_empty() => (size.saturating_sub(count), size),
        _ => return Wanted::Whole,
    };
    if start < end {
        Wanted::Part { start, end }
    } else {
        Wanted::Impossible
    }
}

/// Middleware: a request that brings a platform's key, or any authorization beside the signature,
/// is refused, as real storage refuses two ways of signing at once.
pub(crate) async fn refuse_credentials(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let credentials = ["authorization", "x-api-key", "x-sbg-auth-token"];
    let named = credentials.iter().any(|name| headers.contains_key(*name));
    let carried = headers
        .values()
        .any(|value| world.contains_key(&String::from_utf8_lossy(value.as_bytes())));
    if named || carried {
        return xml_error(
            StatusCode::BAD_REQUEST,
            "InvalidArgument",
            "Only one auth mechanism allowed; a platform key must never be sent to storage.",
        );
    }
    next.run(request).await
}

/// The answer for a link whose time is over.
pub(crate) fn expired() -> Response {
    xml_error(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired")
}

/// The answer for a path there is nothing behind.
pub(crate) fn no_such_key() -> Response {
    xml_error(
        StatusCode::NOT_FOUND,
        "NoSuchKey",
        "The specified key does not exist.",
    )
}

/// An error in the words of S3-like storage.
pub(crate) fn xml_error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn query_field(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?;
    query
        .split('&')
        .filter_map(|field| field.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => "text/csv",
        Some("zip") => "application/zip",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_understood_or_ignored() {
        let ask = |range: &str, if_range: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            if let Some(condition) = if_range {
                headers.insert(header::IF_RANGE, condition.parse().unwrap());
            }
            wanted(&headers, "\"e\"", 10)
        };
        let part = |start, end| Wanted::Part { start, end };
        assert_eq!(ask("bytes=4-", None), part(4, 10));
        assert_eq!(ask("bytes=4-5", None), part(4, 6));
        assert_eq!(ask("bytes=4-99", None), part(4, 10));
        assert_eq!(ask("bytes=-3", None), part(7, 10));
        assert_eq!(ask("bytes=10-", None), Wanted::Impossible);
        assert_eq!(ask("bytes=5-4", None), Wanted::Whole);
        assert_eq!(ask("bytes=0-1,3-4", None), Wanted::Whole);
        assert_eq!(ask("rows=0-1", None), Wanted::Whole);
        assert_eq!(ask("bytes=4-", Some("\"e\"")), part(4, 10));
        assert_eq!(ask("bytes=4-", Some("\"other\"")), Wanted::Whole);
    }
}
