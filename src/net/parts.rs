//! Parts of a file on their way to presigned addresses: exactly the headers the signature covers, no key, a real length,
//! bounded memory. Who makes the addresses and what becomes of the parts is the platforms' business, and so is repeating.

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use tokio::time::timeout;

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::file::LocalFile;
use crate::model::meter::Meter;
use crate::model::safe_url::SafeUrl;
use crate::net::api::sending::send_transfer;
use crate::net::client::{Connections, Http, Patience};
use crate::net::errors;
use crate::net::storage_errors::from_storage;
use crate::net::upload::{FileBody, SentBytes, hex};

/// Longest answer of a storage that is looked at.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// A part of a file; it may be the whole of it, and it may be empty.
#[derive(Clone, Copy, Debug)]
pub struct FilePart<'a> {
    /// The file, as it was picked.
    pub file: &'a LocalFile,
    /// Where the part starts.
    pub offset_bytes: u64,
    /// How long it is.
    pub length_bytes: u64,
}

/// Where a part goes, as whoever signed the address says.
#[derive(Clone, Debug)]
pub struct PartAddress {
    /// `PUT`, in most cases.
    pub method: String,
    /// The signed address.
    pub url: SafeUrl,
    /// What the signature covers; nothing is added but the length.
    pub headers: Vec<(String, String)>,
    /// Statuses that mean that the part is stored; empty for any success.
    pub success_codes: Vec<u16>,
}

impl PartAddress {
    /// A plain PUT to a signed address.
    pub fn put(url: SafeUrl) -> Self {
        Self {
            method: "PUT".to_owned(),
            url,
            headers: Vec::new(),
            success_codes: Vec::new(),
        }
    }
}

/// What a storage said about a part that it has.
#[derive(Clone, Debug)]
pub struct StoredPart {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// MD5 of the bytes sent, lower-case hexadecimal. Many storages give it back as the part's ETag, but not all.
    pub md5: String,
}

impl StoredPart {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// The part's ETag as it came, in quotes where it has some.
    pub fn etag(&self) -> Option<&str> {
        self.header(ETAG.as_str()).filter(|etag| !etag.is_empty())
    }
}

/// Sends a part, once. The bytes are counted on `meter`, which other parts may share, and taken back when the part did
/// not get through, also when the future is dropped. A stop of the meter ends it.
///
/// # Errors
/// [`ErrorKind::LocalFile`] when the file is no longer the one that was picked, before anything or before the last block
/// is sent; a refusal of the storage in its own words, [`ErrorKind::Forbidden`] where the address has expired.
pub async fn send_part(
    http: &Http,
    part: FilePart<'_>,
    to: &PartAddress,
    meter: &Meter,
    doing: Doing,
) -> Result<StoredPart> {
    let request = request(http, part, to, doing)?;
    let range = (part.offset_bytes, part.length_bytes);
    let body = FileBody::open_range(part.file, range, meter, doing).await?;
    let patience = http.patience();
    // A stream is never polled for nothing, so nothing is not sent as one.
    if part.length_bytes == 0 {
        let sending = request.body(Bytes::new()).send();
        let response = timeout(patience.after_upload, sending)
            .await
            .map_err(|_elapsed| errors::silence(doing, Sent::Perhaps))?
            .map_err(|error| errors::from_transport(error, doing))?;
        return stored(response, to, md5_of_nothing(), patience, doing).await;
    }
    let mut transfer = body.transfer;
    let request = request.body(body.body);
    let counted = Counted::new(meter, transfer.counter());
    let response = send_transfer(http, request, &mut transfer, None, doing).await?;
    let is_whole = transfer.is_handed_over();
    let md5 = transfer.hash().unwrap_or_default();
    let stored = stored(response, to, md5, patience, doing).await?;
    if !is_whole {
        return Err(errors::garbled(
            doing,
            stored.status,
            "The storage answered before it had the whole part",
        ));
    }
    counted.keep();
    Ok(stored)
}

/// The request without its body.
fn request(
    http: &Http,
    part: FilePart<'_>,
    to: &PartAddress,
    doing: Doing,
) -> Result<RequestBuilder> {
    let refused = |hint: &str| Error::new(ErrorKind::Garbled, doing).hint(hint);
    let url = Url::parse(to.url.reveal())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| refused("The platform named no web address for a part of the file"))?;
    let method = Method::from_bytes(to.method.trim().to_ascii_uppercase().as_bytes())
        .ok()
        .ok_or_else(|| refused("The platform named no way to send a part of the file"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &to.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = HeaderValue::from_str(value).ok();
        let (Some(name), Some(value)) = (name, value) else {
            return Err(refused(
                "The platform wants a header with a part of the file that cannot be sent",
            ));
        };
        headers.insert(name, value);
    }
    // The storages refuse chunked bodies, which is what a stream of unknown length would be.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(part.length_bytes));
    let client = http.client_for(&url, Connections::Reused)?;
    Ok(client.request(method, url).headers(headers))
}

/// Reads the answer, which is short.
async fn stored(
    mut response: Response,
    to: &PartAddress,
    md5: String,
    patience: Patience,
    doing: Doing,
) -> Result<StoredPart> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let is_stored = if to.success_codes.is_empty() {
        response.status().is_success()
    } else {
        to.success_codes.contains(&status)
    };
    if response.status().is_redirection() && !is_stored {
        return Err(errors::garbled(
            doing,
            status,
            "The storage redirects to another address; it may be in another region",
        ));
    }
    // The rest is read so that the connection can be used again; what a cut refusal says is not missed.
    let mut body = BytesMut::new();
    while body.len() < LONGEST_ANSWER_BYTES
        && let Ok(Ok(Some(chunk))) = timeout(patience.idle, response.chunk()).await
    {
        body.extend_from_slice(&chunk);
    }
    if is_stored {
        return Ok(StoredPart {
            status,
            headers,
            md5,
        });
    }
    if response.status().is_success() {
        return Err(errors::garbled(
            doing,
            status,
            "The storage answered with another status than the platform announced",
        ));
    }
    Err(from_storage(doing, status, &headers, &body))
}

fn md5_of_nothing() -> String {
    use md5::Digest as _;
    hex(&md5::Md5::new().finalize())
}

/// Takes the bytes of a part back from the meter unless the part got through.
struct Counted<'a> {
    meter: &'a Meter,
    sent: SentBytes,
    kept: bool,
}

impl<'a> Counted<'a> {
    fn new(meter: &'a Meter, sent: SentBytes) -> Self {
        Self {
            meter,
            sent,
            kept: false,
        }
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.sent.take_back(self.meter);
        }
    }
}
