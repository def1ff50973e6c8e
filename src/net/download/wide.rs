//! A large file in several ranges at once, where the storage gives each connection only so much. Done only where each
//! answer can prove that it is of the same file: a strong `ETag`, the range and the whole length in every one of them.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use reqwest::Response;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use tokio::sync::mpsc;

use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::meter::Meter;
use crate::net::client::Http;
use crate::net::download::attempt::{in_time, next_chunk, refusal};
use crate::net::download::hashes::Promised;
use crate::net::download::link::{content_range, open, text};
use crate::net::download::part::{Remembered, Written};
use crate::net::download::ranges::{Range, Ranges};
use crate::net::download::spread::{Placed, Spread};
use crate::net::download::{
    Address, Download, MOST_RENEWALS, Renew, Trouble, cut, garbled, on_disk, ready, stopped,
};
use crate::net::errors;

/// The first range asked for, which says whether there can be more.
const FIRST_BYTES: u64 = 1024 * 1024;

/// What the first answer means.
pub(super) enum Opening {
    /// This is the first range of a file that can come in many.
    Wide(Response),
    /// Whatever else came, taken as the answer to a plain request.
    Plain(Response),
    /// One range of a file that cannot be told from another.
    Unproven,
}

/// A range that is asked for, or goes on.
struct Piece {
    range: Range,
    address: Address,
    /// Which link of this download.
    link: u32,
    wait: Duration,
    first: Option<Response>,
}

/// How far a range came.
struct PieceEnd {
    range: Range,
    link: u32,
    reached: u64,
    outcome: Result<(), Trouble>,
}

/// What all ranges share.
struct Common<'a> {
    http: &'a Http,
    meter: &'a Meter,
    chunks: mpsc::Sender<Placed>,
    etag: String,
    total: u64,
}

impl Download<'_> {
    /// Whether a file of this length is worth several connections.
    fn is_large(&self, total: u64) -> bool {
        let plan = self.http.ranges();
        plan.most > 1 && total >= plan.from_bytes
    }

    fn first_bytes(&self) -> u64 {
        FIRST_BYTES.min(self.http.ranges().piece_bytes)
    }

    /// Whether to begin with a range.
    pub(super) fn may_begin_wide(&self) -> bool {
        let size_bytes = self.order.expected.size_bytes;
        !self.is_narrow
            && self.offset() == 0
            && size_bytes.is_some_and(|size_bytes| self.is_large(size_bytes))
    }

    /// What is here already, where it is to go on wide.
    pub(super) fn wide_left_over(&self) -> Option<Ranges> {
        if self.is_narrow || !is_strong(self.remembered.etag.as_deref()) {
            return None;
        }
        let total = self.remembered.total?;
        let expected = self.order.expected.size_bytes;
        if expected.is_some_and(|expected| expected != total) {
            return None;
        }
        match &self.remembered.ranges {
            Some(ranges) => Some(ranges.clone()),
            None if self.offset() > 0 && self.is_large(total) => {
                Some(Ranges::prefix_of(self.offset()))
            }
            None => None,
        }
    }

    /// Asks for the first range.
    pub(super) async fn open_wide(&mut self, address: &Address) -> Result<Opening, Trouble> {
        let mut headers = HeaderMap::new();
        let range = format!("bytes=0-{}", self.first_bytes().saturating_sub(1));
        if let Ok(range) = HeaderValue::from_str(&range) {
            headers.insert(RANGE, range);
        }
        let response = self.ask(address, &headers).await?;
        let headers = response.headers();
        if response.status().as_u16() != 206 {
            return Ok(Opening::Plain(response));
        }
        let etag = text(headers, &ETAG).filter(|etag| is_strong(Some(etag)));
        let range = content_range(headers).filter(|range| range.start == 0);
        let total = range.and_then(|range| range.total);
        let (Some(etag), Some(total)) = (etag, total) else {
            return Ok(Opening::Unproven);
        };
        if self.order.expected.size_bytes != Some(total) {
            return Ok(Opening::Unproven);
        }
        self.start_over().await.map_err(Trouble::Fatal)?;
        self.remembered = Remembered {
            etag: Some(etag),
            total: Some(total),
            promised: Promised::read(headers),
            ..Remembered::default()
        };
        Ok(Opening::Wide(response))
    }

    /// Fetches what is missing in several ranges at once, over expired links and cuts. The first answer may be here.
    pub(super) async fn run_wide(
        &mut self,
        here: Ranges,
        first: Option<Response>,
        address: &mut Address,
        renew: &mut Renew<'_>,
    ) -> Result<Written, Trouble> {
        let (Some(etag), Some(total)) = (self.remembered.etag.clone(), self.remembered.total)
        else {
            return Err(Trouble::Restart(cut("Nothing is known of the file")));
        };
        if let Some(sink) = self.sink.take() {
            let closed = sink.close().await;
            closed.map_err(|error| Trouble::Fatal(Error::from_io(&error, Doing::Download)))?;
        }
        self.order.meter.restart_at(here.bytes());
        self.announce();
        let missing: VecDeque<(Range, Duration)> = here
            .missing(total, self.http.ranges().piece_bytes)
            .into_iter()
            .map(|range| (range, Duration::ZERO))
            .collect();
        let (part, remembered) = (self.part.clone(), self.remembered.clone());
        let spread = on_disk(move || Spread::open(&part, &remembered, here))
            .await
            .map_err(Trouble::Fatal)?;
        let common = Common {
            http: self.http,
            meter: self.order.meter,
            chunks: spread.chunks.clone(),
            etag,
            total,
        };
        let came = self
            .all_pieces(&common, missing, first, address, renew)
            .await;
        drop(common);
        let closed = spread.close(came.is_err()).await;
        let written =
            closed.map_err(|error| Trouble::Fatal(Error::from_io(&error, Doing::Download)))?;
        came?;
        let nothing = || Trouble::Restart(cut("A range of the file is missing"));
        self.prove(written.ok_or_else(nothing)?)
    }

    async fn all_pieces(
        &self,
        common: &Common<'_>,
        mut missing: VecDeque<(Range, Duration)>,
        mut first: Option<Response>,
        address: &mut Address,
        renew: &mut Renew<'_>,
    ) -> Result<(), Trouble> {
        let policy = self.http.retry();
        let most = self.http.ranges().most.max(1);
        let mut under_way = FuturesUnordered::new();
        let (mut link, mut renewals) = (0_u32, 0_u32);
        let mut waits = policy.waits();
        if first.is_some()
            && let Some(((start, end), _no_wait)) = missing.pop_front()
        {
            // The first answer ends sooner than a range usually does.
            let middle = end.min(start.saturating_add(self.first_bytes()));
            if middle < end {
                missing.push_front(((middle, end), Duration::ZERO));
            }
            missing.push_front(((start, middle), Duration::ZERO));
        }
        loop {
            while under_way.len() < most
                && let Some((range, wait)) = missing.pop_front()
            {
                let piece = Piece {
                    range,
                    address: address.clone(),
                    link,
                    wait,
                    first: first.take(),
                };
                under_way.push(fetch_piece(common, piece));
            }
            let Some(end) = under_way.next().await else {
                return Ok(());
            };
            if end.reached > end.range.0 {
                renewals = 0;
                waits = policy.waits();
            }
            let mut pause = Duration::ZERO;
            match end.outcome {
                Ok(()) => {}
                // Another range met it before and has the fresh link.
                Err(Trouble::Expired(_)) if end.link != link => {}
                Err(Trouble::Expired(error)) => {
                    if renewals >= MOST_RENEWALS {
                        return Err(Trouble::Fatal(error));
                    }
                    if renewals > 0 {
                        let Some(own) = waits.next() else {
                            return Err(Trouble::Fatal(error));
                        };
                        pause = own;
                    }
                    renewals += 1;
                    tracing::debug!(%error, renewals, "asking for a fresh link");
                    let fresh = renew().await.and_then(ready);
                    *address = fresh.map_err(Trouble::Fatal)?;
                    link += 1;
                }
                Err(Trouble::Again(error)) => {
                    let wait = waits.next().and_then(|own| policy.wait_after(&error, own));
                    let Some(wait) = wait else {
                        return Err(Trouble::Fatal(error));
                    };
                    tracing::debug!(%error, ?wait, "will continue");
                    pause = wait;
                }
                Err(trouble @ (Trouble::Restart(_) | Trouble::Fatal(_))) => return Err(trouble),
            }
            if end.reached < end.range.1 {
                missing.push_front(((end.reached, end.range.1), pause));
            }
        }
    }
}

/// RFC 9110 section 13.1.5: only a strong mark may join ranges.
fn is_strong(etag: Option<&str>) -> bool {
    etag.is_some_and(|etag| etag.starts_with('"'))
}

async fn fetch_piece(common: &Common<'_>, piece: Piece) -> PieceEnd {
    let (range, link) = (piece.range, piece.link);
    let mut reached = range.0;
    let outcome = pour(common, piece, &mut reached).await;
    PieceEnd {
        range,
        link,
        reached,
        outcome,
    }
}

async fn pour(common: &Common<'_>, mut piece: Piece, reached: &mut u64) -> Result<(), Trouble> {
    let Common { http, meter, .. } = *common;
    let (start, end) = piece.range;
    let mut response = match piece.first.take() {
        Some(response) => response,
        None => ask_range(common, &piece).await?,
    };
    match response.status().as_u16() {
        206 => prove_range(common, response.headers(), start)?,
        // The whole file instead of a range of it: the mark no longer fits.
        200 | 416 => return Err(Trouble::Restart(changed(response.status().as_u16()))),
        _ => return Err(refusal(&mut response, &piece.address, http.patience().idle).await),
    }
    while *reached < end {
        let Some(mut chunk) = next_chunk(http, meter, &mut response).await? else {
            return Err(Trouble::Again(cut(
                "The connection ended before the range did",
            )));
        };
        let wanted = usize::try_from(end.saturating_sub(*reached)).unwrap_or(usize::MAX);
        chunk.truncate(wanted);
        let length = chunk.len();
        in_time(http, meter, length).await?;
        if common.chunks.send((*reached, chunk)).await.is_err() {
            // The reason comes out when the part is closed.
            return Err(Trouble::Fatal(Error::new(
                ErrorKind::LocalFile,
                Doing::Download,
            )));
        }
        meter.add(length as u64);
        *reached = reached.saturating_add(length as u64);
    }
    Ok(())
}

async fn ask_range(common: &Common<'_>, piece: &Piece) -> Result<Response, Trouble> {
    let Common { http, meter, .. } = *common;
    let (start, end) = piece.range;
    let mut headers = HeaderMap::new();
    let range = format!("bytes={start}-{}", end.saturating_sub(1));
    if let Ok(range) = HeaderValue::from_str(&range) {
        headers.insert(RANGE, range);
    }
    if let Ok(etag) = HeaderValue::from_str(&common.etag) {
        headers.insert(IF_RANGE, etag);
    }
    let (url, header) = &piece.address;
    let asked = async {
        tokio::time::sleep(piece.wait).await;
        open(http, url, header.as_ref(), &headers).await
    };
    tokio::select! {
        response = asked => response.map_err(|error| {
            if error.is_retryable() { Trouble::Again(error) } else { Trouble::Fatal(error) }
        }),
        () = stopped(meter) => {
            Err(Trouble::Fatal(errors::stopped(Doing::Download, Sent::Answered)))
        }
    }
}

/// A range of this very file, from here on.
fn prove_range(common: &Common<'_>, headers: &HeaderMap, start: u64) -> Result<(), Trouble> {
    let is_ours = content_range(headers)
        .is_some_and(|range| range.start == start && range.total == Some(common.total))
        && text(headers, &ETAG).as_deref() == Some(&common.etag);
    if is_ours {
        Ok(())
    } else {
        Err(Trouble::Restart(changed(206)))
    }
}

fn changed(status: u16) -> Error {
    garbled(
        status,
        "The file at the platform changed while it was fetched",
    )
}
