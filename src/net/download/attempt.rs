//! One request for what is missing of a file, and what its answer means for the part that is here.

use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use tokio::time::{Instant, timeout};

use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::meter::Meter;
use crate::net::client::Http;
use crate::net::download::hashes::Promised;
use crate::net::download::link::{content_range, open, text};
use crate::net::download::part::Remembered;
use crate::net::download::{
    Address, Download, LOOK_EVERY, Trouble, cut, garbled, on_disk, stopped,
};
use crate::net::errors;
use crate::net::speed::Way;
use crate::net::storage_errors::from_storage;

/// A file this short is not continued by a later run.
const SMALL_BYTES: u64 = 64 * 1024;
/// Enough of a body to tell a web page.
const PAGE_SIGN_BYTES: usize = 512;

impl Download<'_> {
    /// One request for what is missing, written as it comes.
    pub(super) async fn attempt(&mut self, address: &Address) -> Result<(), Trouble> {
        if self.offset() > 0 && !self.may_continue() {
            self.start_over().await.map_err(Trouble::Fatal)?;
        }
        let conditions = self.conditions();
        let response = self.ask(address, &conditions).await?;
        self.receive(response, address).await
    }

    /// Takes the answer to a plain request, or to one for the rest.
    pub(super) async fn receive(
        &mut self,
        mut response: Response,
        address: &Address,
    ) -> Result<(), Trouble> {
        match response.status().as_u16() {
            200 => self.begin(&mut response).await?,
            206 => self.go_on(&response)?,
            416 if self.offset() > 0 => {
                return Err(Trouble::Restart(garbled(
                    416,
                    "The file at the platform is shorter than what was announced",
                )));
            }
            _ => return Err(refusal(&mut response, address, self.http.patience().idle).await),
        }
        self.pour(&mut response).await
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn ask(
        &self,
        (url, header): &Address,
        headers: &HeaderMap,
    ) -> Result<Response, Trouble> {
        tokio::select! {
            response = open(self.http, url, header.as_ref(), headers) => response.map_err(|error| {
                if error.is_retryable() { Trouble::Again(error) } else { Trouble::Fatal(error) }
            }),
            () = stopped(self.order.meter) => {
                Err(Trouble::Fatal(errors::stopped(Doing::Download, Sent::Answered)))
            }
        }
    }

    /// The whole file comes, whatever was asked for.
    async fn begin(&mut self, response: &mut Response) -> Result<(), Trouble> {
        let total = response.content_length();
        if let (Some(total), Some(expected)) = (total, self.order.expected.size_bytes)
            && total != expected
        {
            return Err(Trouble::Again(garbled(
                200,
                "The file's length is not the one the platform had announced",
            )));
        }
        if errors::announces_json(response.headers())
            && text(response.headers(), &ETAG).is_none()
            && !has_ending(self.order.final_path, &["json", "geojson", "ipynb"])
        {
            return Err(Trouble::Again(garbled(
                200,
                "The message of a service came instead of the file",
            )));
        }
        let mut head = BytesMut::new();
        if errors::announces_html(response.headers()) && !is_web_page_name(self.order.final_path) {
            while head.len() < PAGE_SIGN_BYTES {
                match next_chunk(self.http, self.order.meter, response).await? {
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
            promised: Promised::read(response.headers()),
            ranges: None,
        };
        let (part, remembered) = (self.part.clone(), self.remembered.clone());
        self.open_sink(0).await.map_err(Trouble::Fatal)?;
        // Of a small file there is nothing worth going on with in another run, and a sync costs more than it.
        let is_worth_it = total.is_none_or(|total| total > SMALL_BYTES);
        if is_worth_it && remembered.is_recognizable() {
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
    fn go_on(&mut self, response: &Response) -> Result<(), Trouble> {
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

    async fn pour(&mut self, response: &mut Response) -> Result<(), Trouble> {
        while let Some(chunk) = next_chunk(self.http, self.order.meter, response).await? {
            self.take(chunk).await?;
        }
        match self.remembered.total {
            Some(total) if total != self.offset() => Err(Trouble::Again(cut(
                "The connection ended before the file did",
            ))),
            Some(_) | None => Ok(()),
        }
    }

    async fn take(&mut self, chunk: Bytes) -> Result<(), Trouble> {
        let length = chunk.len() as u64;
        in_time(self.http, self.order.meter, chunk.len()).await?;
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
}

/// The next chunk, or an end of patience, or a wish to stop.
pub(super) async fn next_chunk(
    http: &Http,
    meter: &Meter,
    response: &mut Response,
) -> Result<Option<Bytes>, Trouble> {
    let silent_since = Instant::now();
    loop {
        if meter.is_stopped() {
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
            Err(_look) if silent_since.elapsed() < http.patience().idle => {}
            Err(_look) => {
                return Err(Trouble::Again(errors::silence(
                    Doing::Download,
                    Sent::Answered,
                )));
            }
        }
    }
}

/// Waits until so many bytes that came may be taken; what is not taken slows the sender down.
pub(super) async fn in_time(http: &Http, meter: &Meter, bytes: usize) -> Result<(), Trouble> {
    if http.speed().block_bytes(Way::Down).is_none() {
        return Ok(());
    }
    tokio::select! {
        () = http.speed().take(Way::Down, bytes) => Ok(()),
        () = stopped(meter) => {
            Err(Trouble::Fatal(errors::stopped(Doing::Download, Sent::Answered)))
        }
    }
}

/// What a refusal means for the link: these statuses are what storage says to a link that has expired or was withdrawn.
/// To whom no key was shown says nothing about the key.
pub(super) async fn refusal(
    response: &mut Response,
    (_, header): &Address,
    idle: Duration,
) -> Trouble {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = match timeout(idle, response.chunk()).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None) | Err(_)) | Err(_) => Bytes::new(),
    };
    let error = if header.is_some() {
        let read = errors::usual_complaint;
        errors::from_answer(Doing::Download, status, &headers, &body, read)
    } else {
        from_storage(Doing::Download, status, &headers, &body)
    };
    match status {
        400 | 401 | 403 | 404 | 410 => Trouble::Expired(error),
        _ if error.is_retryable() => Trouble::Again(error),
        _ => Trouble::Fatal(error),
    }
}

fn is_web_page_name(path: &Path) -> bool {
    has_ending(path, &["html", "htm", "xhtml"])
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| {
            endings
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
}
