//! Fetches a result file: continued where it stopped, over expired links and cut connections, and never under its final
//! name before it is whole and checked. What is on the disk is in `part`; which link to fetch is the platform's business.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, Url};
use tokio::time::{Instant, timeout};

use crate::model::artifact::Fetched;
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::meter::Meter;
use crate::model::remote::Link;
use crate::model::safe_url::SafeUrl;
use crate::model::secret::Secret;
use crate::net::api::location;
use crate::net::client::{Connections, Http, is_loopback};
use crate::net::errors;
use crate::net::part::{self, Part, Published, Remembered, Sink, Written};

/// Redirects followed for one link.
const MOST_REDIRECTS: usize = 5;
/// Fresh links asked for without a byte of progress in between.
const MOST_RENEWALS: u32 = 5;
/// How often a file is started again because it changed at the server or did not match.
const MOST_RESTARTS: u32 = 3;
/// How often a transfer is looked at: whether it moves and whether somebody wants it to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Enough of a body to tell a web page.
const PAGE_SIGN_BYTES: usize = 512;

/// What the platform says about a file beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Length in bytes.
    pub size_bytes: Option<u64>,
    /// Lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// What to fetch and where to put it.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What the platform says about it.
    pub expected: &'a Expected,
    /// Where it grows, such as `objects.csv.part`; a file `….part.json` stands beside it. An earlier run's is continued.
    pub part_path: &'a Path,
    /// Its final name, in the same folder.
    pub final_path: &'a Path,
    /// Counts its bytes and can stop it; the part stays.
    pub meter: &'a Meter,
}

/// Asks the platform for a fresh link to the same file.
pub type Renew<'a> = Box<dyn FnMut() -> BoxFuture<'a, Result<Link>> + Send + 'a>;

/// Fetches a file to its final name.
///
/// # Errors
/// After bounded attempts without progress, with what the last one met. The part is kept, except where it is known to be
/// wrong. [`ErrorKind::Conflict`] when another file has the final name, [`ErrorKind::DiskFull`] when there is no room.
pub async fn fetch(
    http: &Http,
    first: Link,
    mut renew: Renew<'_>,
    order: &Order<'_>,
) -> Result<Fetched> {
    if let Some(fetched) = already_there(order).await? {
        return Ok(fetched);
    }
    let mut download = Download::new(http, order).await?;
    let ended = download.run(first, &mut renew).await;
    let written = match ended {
        Ok(written) => written,
        Err(error) => {
            // What was taken is worth keeping; why writing failed is the better reason.
            return Err(download.leave().await.unwrap_or(error));
        }
    };
    let part = download.part.clone();
    let target = order.final_path.to_owned();
    let result = written.clone();
    match on_disk(move || part.publish(&target, &result)).await? {
        Published::Done => Ok(Fetched {
            size_bytes: written.size_bytes,
            sha256: written.sha256,
            at: Timestamp::now(),
        }),
        Published::InTheWay => Err(in_the_way()),
    }
}

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

/// How an attempt ended that did not fetch the rest.
enum Trouble {
    /// The link no longer works.
    Expired(Error),
    /// It may work again.
    Again(Error),
    /// What the part holds does not go on: the file changed, or did not match.
    Restart(Error),
    /// No attempt can help.
    Fatal(Error),
}

struct Download<'a> {
    http: &'a Http,
    order: &'a Order<'a>,
    part: Part,
    sink: Option<Sink>,
    remembered: Remembered,
    /// Most bytes of the file that ever were here; more is progress.
    best_bytes: u64,
}

impl<'a> Download<'a> {
    /// Takes up what an earlier run left.
    async fn new(http: &'a Http, order: &'a Order<'a>) -> Result<Self> {
        let part = Part::new(order.part_path);
        let looked_at = part.clone();
        let left_over = on_disk(move || Ok(looked_at.left_over())).await?;
        let mut download = Self {
            http,
            order,
            part,
            sink: None,
            remembered: Remembered::default(),
            best_bytes: 0,
        };
        if let Some((length, remembered)) = left_over {
            download.remembered = remembered;
            // At least one byte is asked for again, so that the server says whether it still is the same file.
            let most = download
                .remembered
                .total
                .map(|total| total.saturating_sub(1));
            let overlong = download
                .remembered
                .total
                .is_some_and(|total| length > total);
            let offset = most.map_or(length, |most| length.min(most));
            if download.may_continue() && offset > 0 && !overlong {
                download.open_sink(offset).await?;
            }
        }
        Ok(download)
    }

    async fn run(&mut self, first: Link, renew: &mut Renew<'_>) -> Result<Written> {
        let policy = self.http.retry();
        let mut link = ready(first)?;
        let (mut renewals, mut restarts) = (0, 0);
        let mut waits = policy.waits();
        loop {
            if self.order.meter.is_stopped() {
                return Err(errors::stopped(Doing::Download, Sent::Answered));
            }
            let trouble = match self.attempt(&link.0, link.1.as_ref()).await {
                Ok(()) => match self.check().await {
                    Ok(written) => return Ok(written),
                    Err(trouble) => trouble,
                },
                Err(trouble) => trouble,
            };
            if self.has_progressed() {
                renewals = 0;
                waits = policy.waits();
            }
            match trouble {
                Trouble::Fatal(error) => return Err(error),
                Trouble::Expired(error) => {
                    if renewals >= MOST_RENEWALS {
                        return Err(error);
                    }
                    // The first fresh link is asked for at once; a platform that keeps giving dead ones gets pauses.
                    if renewals > 0 {
                        let Some(own) = waits.next() else {
                            return Err(error);
                        };
                        self.wait(own).await?;
                    }
                    renewals += 1;
                    tracing::debug!(%error, renewals, "asking for a fresh link");
                    link = ready(renew().await?)?;
                }
                Trouble::Restart(error) => {
                    restarts += 1;
                    if restarts > MOST_RESTARTS {
                        self.start_over().await?;
                        return Err(error);
                    }
                    tracing::debug!(%error, restarts, "starting the file again");
                    self.start_over().await?;
                }
                Trouble::Again(error) => {
                    let wait = waits.next().and_then(|own| policy.wait_after(&error, own));
                    let Some(wait) = wait else {
                        return Err(error);
                    };
                    tracing::debug!(%error, ?wait, "will continue");
                    self.wait(wait).await?;
                }
            }
        }
    }

    /// One request for what is missing, written as it comes.
    async fn attempt(
        &mut self,
        url: &SafeUrl,
        header: Option<&(&'static str, Secret)>,
    ) -> std::result::Result<(), Trouble> {
        if self.offset() > 0 && !self.may_continue() {
            self.start_over().await.map_err(Trouble::Fatal)?;
        }
        let conditions = self.conditions();
        let mut response = tokio::select! {
            response = open(self.http, url, header, &conditions) => response.map_err(|error| {
                if error.is_retryable() { Trouble::Again(error) } else { Trouble::Fatal(error) }
            })?,
            () = stopped(self.order.meter) => {
                return Err(Trouble::Fatal(errors::stopped(Doing::Download, Sent::Answered)));
            }
        };
        match response.status().as_u16() {
            200 => self.begin(&mut response).await?,
            206 => self.go_on(&response)?,
            416 if self.offset() > 0 => {
                return Err(Trouble::Restart(garbled(
                    416,
                    "The file at the platform is shorter than what was announced",
                )));
            }
            _ => return Err(refusal(&mut response, self.http.patience().idle).await),
        }
        self.pour(&mut response).await
    }

    /// The whole file comes, whatever was asked for.
    async fn begin(&mut self, response: &mut Response) -> std::result::Result<(), Trouble> {
        let total = response.content_length();
        if let (Some(total), Some(expected)) = (total, self.order.expected.size_bytes)
            && total != expected
        {
            return Err(Trouble::Again(garbled(
                200,
                "The file's length is not the one the platform had announced",
            )));
        }
        let mut head = BytesMut::new();
        if errors::announces_html(response.headers()) && !is_web_page_name(self.order.final_path) {
            while head.len() < PAGE_SIGN_BYTES {
                match self.next_chunk(response).await? {
                    Some(chunk) => head.extend_from_slice(&chunk),
                    None => break,
                }
            }
            if errors::begins_like_html(&head) {
                let page = garbled(
                    200,
                    "A web page came instead of the file; a sign-in page or a proxy may be in between",
                );
                let excerpt = errors::excerpt(&head).unwrap_or_default();
                return Err(Trouble::Again(page.server_said(excerpt)));
            }
        }
        self.start_over().await.map_err(Trouble::Fatal)?;
        self.remembered = Remembered {
            etag: text(response.headers(), &ETAG),
            last_modified: text(response.headers(), &LAST_MODIFIED),
            total,
        };
        let (part, remembered) = (self.part.clone(), self.remembered.clone());
        self.open_sink(0).await.map_err(Trouble::Fatal)?;
        if remembered.is_recognizable() {
            on_disk(move || part.remember(&remembered))
                .await
                .map_err(Trouble::Fatal)?;
        }
        self.announce();
        if !head.is_empty() {
            self.take(head.freeze()).await?;
        }
        Ok(())
    }

    /// The rest comes; it must be the rest of the same file.
    fn go_on(&mut self, response: &Response) -> std::result::Result<(), Trouble> {
        let changed = || {
            Trouble::Restart(garbled(
                206,
                "The file at the platform changed while it was fetched",
            ))
        };
        let headers = response.headers();
        let range = content_range(headers).ok_or_else(changed)?;
        let is_same = |before: &Option<String>, name| match (before, text(headers, name)) {
            (Some(before), Some(now)) => *before == now,
            (None, _) | (_, None) => true,
        };
        let same_total = match (self.remembered.total, range.total) {
            (Some(before), Some(now)) => before == now,
            (None, _) | (_, None) => true,
        };
        // Without a condition in the request, only the answer's own mark can tell.
        let unproven = self.condition().is_none()
            && self.remembered.etag.is_some()
            && text(headers, &ETAG).is_none();
        if range.start != self.offset()
            || !same_total
            || unproven
            || !is_same(&self.remembered.etag, &ETAG)
            || !is_same(&self.remembered.last_modified, &LAST_MODIFIED)
        {
            return Err(changed());
        }
        self.remembered.total = self.remembered.total.or(range.total);
        self.announce();
        Ok(())
    }

    async fn pour(&mut self, response: &mut Response) -> std::result::Result<(), Trouble> {
        while let Some(chunk) = self.next_chunk(response).await? {
            self.take(chunk).await?;
        }
        match self.remembered.total {
            Some(total) if total != self.offset() => Err(Trouble::Again(cut(
                "The connection ended before the file did",
            ))),
            Some(_) | None => Ok(()),
        }
    }

    async fn take(&mut self, chunk: Bytes) -> std::result::Result<(), Trouble> {
        let length = chunk.len() as u64;
        let is_taken = match self.sink.as_mut() {
            Some(sink) => sink.take(chunk).await,
            None => false,
        };
        if is_taken {
            self.order.meter.add(length);
            return Ok(());
        }
        // The reason comes out when the sink is closed.
        Err(Trouble::Fatal(Error::new(
            ErrorKind::LocalFile,
            Doing::Download,
        )))
    }

    /// The next chunk, or an end of patience, or a wish to stop.
    async fn next_chunk(
        &self,
        response: &mut Response,
    ) -> std::result::Result<Option<Bytes>, Trouble> {
        let silent_since = Instant::now();
        loop {
            if self.order.meter.is_stopped() {
                return Err(Trouble::Fatal(errors::stopped(
                    Doing::Download,
                    Sent::Answered,
                )));
            }
            match timeout(LOOK_EVERY, response.chunk()).await {
                Ok(Ok(chunk)) => return Ok(chunk),
                Ok(Err(error)) => {
                    return Err(Trouble::Again(errors::from_transport(
                        error,
                        Doing::Download,
                    )));
                }
                Err(_look) if silent_since.elapsed() < self.http.patience().idle => {}
                Err(_look) => {
                    return Err(Trouble::Again(errors::silence(
                        Doing::Download,
                        Sent::Answered,
                    )));
                }
            }
        }
    }

    /// Everything came: is it what was promised?
    async fn check(&mut self) -> std::result::Result<Written, Trouble> {
        let Some(sink) = self.sink.take() else {
            return Err(Trouble::Restart(cut("Nothing came")));
        };
        let accepted = sink.accepted_bytes();
        let written = sink
            .close()
            .await
            .map_err(|error| Trouble::Fatal(Error::from_io(&error, Doing::Download)))?;
        if written.size_bytes != accepted {
            return Err(Trouble::Restart(garbled(
                200,
                "The part on the disk is not as long as what was written to it",
            )));
        }
        let expected = self.order.expected;
        if expected
            .size_bytes
            .is_some_and(|size| size != written.size_bytes)
        {
            return Err(Trouble::Restart(garbled(
                200,
                "The file's length is not the one the platform had announced",
            )));
        }
        let is_other = |sha256: &String| !sha256.eq_ignore_ascii_case(&written.sha256);
        if expected.sha256.as_ref().is_some_and(is_other) {
            return Err(Trouble::Restart(garbled(
                200,
                "The file's hash is not the one the platform had announced",
            )));
        }
        Ok(written)
    }

    /// Throws away what is here, so that the next byte is the first.
    async fn start_over(&mut self) -> Result<()> {
        if let Some(sink) = self.sink.take()
            && let Err(error) = sink.close().await
        {
            tracing::debug!(%error, "a part that is thrown away could not be written");
        }
        self.remembered = Remembered::default();
        self.order.meter.restart_at(0);
        let part = self.part.clone();
        on_disk(move || part.discard()).await
    }

    /// Leaves the part for later. Says why writing failed, if it did.
    async fn leave(&mut self) -> Option<Error> {
        let error = self.sink.take()?.close().await.err()?;
        Some(Error::from_io(&error, Doing::Download))
    }

    async fn open_sink(&mut self, offset: u64) -> Result<()> {
        let part = self.part.clone();
        self.sink = Some(on_disk(move || Sink::open(&part, offset)).await?);
        self.order.meter.restart_at(offset);
        Ok(())
    }

    fn offset(&self) -> u64 {
        self.sink.as_ref().map_or(0, Sink::accepted_bytes)
    }

    /// Whether what comes next can be known to belong to what is here.
    const fn may_continue(&self) -> bool {
        self.remembered.is_recognizable() || self.order.expected.sha256.is_some()
    }

    fn has_progressed(&mut self) -> bool {
        let is_further = self.offset() > self.best_bytes;
        self.best_bytes = self.best_bytes.max(self.offset());
        is_further
    }

    fn announce(&self) {
        let total = self.remembered.total.or(self.order.expected.size_bytes);
        self.order.meter.expect(total.unwrap_or(0));
    }

    /// The mark that makes the server send the rest only of the same file. A weak mark may not be used for it
    /// (RFC 9110 section 13.1.5).
    fn condition(&self) -> Option<&str> {
        match &self.remembered.etag {
            Some(etag) if !etag.starts_with("W/") => Some(etag),
            Some(_) => None,
            None => self.remembered.last_modified.as_deref(),
        }
    }

    fn conditions(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let offset = self.offset();
        if offset == 0 {
            return headers;
        }
        if let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-")) {
            headers.insert(RANGE, range);
        }
        if let Some(Ok(condition)) = self.condition().map(HeaderValue::from_str) {
            headers.insert(IF_RANGE, condition);
        }
        headers
    }

    async fn wait(&self, wait: Duration) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = stopped(self.order.meter) => Err(errors::stopped(Doing::Download, Sent::Answered)),
        }
    }
}

/// Sends the GET and follows redirects by hand; the header goes to the link's own origin and never further.
async fn open(
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
            .client_for(&url, Connections::Reused)
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

/// What a refusal means for the link: these statuses are what storage says to a link that has expired or was withdrawn.
async fn refusal(response: &mut Response, idle: Duration) -> Trouble {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = match timeout(idle, response.chunk()).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None) | Err(_)) | Err(_) => Bytes::new(),
    };
    let error = errors::from_answer(
        Doing::Download,
        status,
        &headers,
        &body,
        errors::usual_complaint,
    );
    match status {
        400 | 401 | 403 | 404 | 410 => Trouble::Expired(error),
        _ if error.is_retryable() => Trouble::Again(error),
        _ => Trouble::Fatal(error),
    }
}

/// A file of the final name that is known to be the right one, or known to be another.
async fn already_there(order: &Order<'_>) -> Result<Option<Fetched>> {
    let target = order.final_path.to_owned();
    let expected = order.expected.clone();
    let part = Part::new(order.part_path);
    on_disk(move || {
        let Ok(metadata) = std::fs::symlink_metadata(&target) else {
            return Ok(None);
        };
        let size_bytes = metadata.len();
        if !metadata.is_file() || expected.size_bytes.is_some_and(|size| size != size_bytes) {
            return Ok(Some(Err(in_the_way())));
        }
        let Some(sha256) = expected.sha256.map(|sha256| sha256.to_ascii_lowercase()) else {
            // Only fetching it again can tell; `Part::publish` compares.
            return Ok(None);
        };
        if !part::is_file_with(&target, size_bytes, &sha256)? {
            return Ok(Some(Err(in_the_way())));
        }
        part.discard()?;
        Ok(Some(Ok(Fetched {
            size_bytes,
            sha256,
            at: Timestamp::now(),
        })))
    })
    .await?
    .transpose()
}

fn in_the_way() -> Error {
    Error::new(ErrorKind::Conflict, Doing::Download)
        .sent(Sent::Answered)
        .hint("Another file already has this name; it was left as it is")
}

/// Work on the disk, off the threads that serve the network.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, Doing::Download).caused_by(&error))?
        .map_err(|error| Error::from_io(&error, Doing::Download))
}

/// Ends when somebody asks to stop.
async fn stopped(meter: &Meter) {
    while !meter.is_stopped() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn ready(link: Link) -> Result<(SafeUrl, Option<(&'static str, Secret)>)> {
    match link {
        Link::Ready { url, header } => Ok((url, header)),
        Link::Preparing { .. } => Err(Error::new(ErrorKind::Maintenance, Doing::PrepareResult)
            .sent(Sent::Answered)
            .hint("The platform is still making this file")),
    }
}

fn garbled(status: u16, hint: &str) -> Error {
    errors::garbled(Doing::Download, status, hint)
}

fn cut(hint: &str) -> Error {
    Error::new(ErrorKind::Unreachable, Doing::Download)
        .sent(Sent::Answered)
        .hint(hint)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

struct ContentRange {
    start: u64,
    total: Option<u64>,
}

/// `bytes 5-9/10` or `bytes 5-9/*`, RFC 9110 section 14.4.
fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _end) = range.split_once('-')?;
    Some(ContentRange {
        start: start.trim().parse().ok()?,
        total: total.trim().parse().ok(),
    })
}

fn is_web_page_name(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            ["html", "htm", "xhtml"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
}
