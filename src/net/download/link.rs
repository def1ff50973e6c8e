//! Asking a link for its file: redirects by hand, the key to its own origin only, and what the headers of the answer say.

use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, RANGE};
use reqwest::{Response, Url};
use tokio::time::timeout;

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::safe_url::SafeUrl;
use crate::model::secret::Secret;
use crate::net::api::location;
use crate::net::client::{Connections, Http, is_loopback};
use crate::net::download::garbled;
use crate::net::errors;

/// Redirects followed for one link.
const MOST_REDIRECTS: usize = 5;

/// What an address answers, without fetching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// HTTP status after redirects; 200 and 206 mean that the file is there.
    pub status: u16,
    /// Whether a web page came.
    pub is_web_page: bool,
    /// Length of the file in bytes, where the server says.
    pub size_bytes: Option<u64>,
}

/// Looks whether a file can be had at an address, with a GET for its first byte.
///
/// # Errors
/// No answer, or a redirect that leads nowhere.
pub async fn probe(
    http: &Http,
    url: &SafeUrl,
    header: Option<&(&'static str, Secret)>,
) -> Result<Probe> {
    let mut headers = HeaderMap::new();
    headers.insert(RANGE, HeaderValue::from_static("bytes=0-0"));
    let response = open(http, url, header, &headers).await?;
    let status = response.status().as_u16();
    let size_bytes = if status == 206 {
        content_range(response.headers()).and_then(|range| range.total)
    } else {
        response.content_length()
    };
    Ok(Probe {
        status,
        is_web_page: errors::announces_html(response.headers()),
        size_bytes,
    })
}

/// Sends the GET and follows redirects by hand; the header goes to the link's own origin and never further.
pub(super) async fn open(
    http: &Http,
    url: &SafeUrl,
    header: Option<&(&'static str, Secret)>,
    conditions: &HeaderMap,
) -> Result<Response> {
    let unusable = || {
        Error::new(ErrorKind::Garbled, Doing::Download)
            .sent(Sent::Answered)
            .hint("The platform gave a link that is no web address")
    };
    // The library's error would repeat the link, which may be signed.
    let mut url = Url::parse(url.reveal()).map_err(|_secret| unusable())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable());
    }
    let mut header = header;
    for _ in 0..=MOST_REDIRECTS {
        let mut request = http
            .client_for(&url, Connections::Reused)?
            .get(url.clone())
            .headers(conditions.clone());
        if let Some((name, secret)) = header.take() {
            request = request.header(HeaderName::from_static(name), sendable(secret)?);
        }
        let response = timeout(http.patience().answer, request.send())
            .await
            .map_err(|_elapsed| errors::silence(Doing::Download, Sent::Perhaps))?
            .map_err(|error| errors::from_transport(error, Doing::Download))?;
        let status = response.status();
        if !status.is_redirection() {
            return Ok(response);
        }
        let to = location(response.headers(), &url)
            .ok_or_else(|| garbled(status.as_u16(), "The server redirects without saying where"))?;
        if url.scheme() == "https" && to.scheme() == "http" && !is_loopback(&to) {
            return Err(garbled(
                status.as_u16(),
                "The server redirects to an address without encryption",
            ));
        }
        url = to;
    }
    Err(garbled(302, "The server redirects in a circle"))
}

fn sendable(secret: &Secret) -> Result<HeaderValue> {
    // The value itself must not reach the causes, so the library's error is left out.
    let mut value = HeaderValue::from_str(secret.reveal()).map_err(|_unsendable| {
        Error::new(ErrorKind::Unauthenticated, Doing::Download)
            .hint("The key contains characters that cannot be sent")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

pub(super) struct ContentRange {
    pub(super) start: u64,
    pub(super) total: Option<u64>,
}

/// `bytes 5-9/10` or `bytes 5-9/*`, RFC 9110 section 14.4.
pub(super) fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _end) = range.split_once('-')?;
    Some(ContentRange {
        start: start.trim().parse().ok()?,
        total: total.trim().parse().ok(),
    })
}
