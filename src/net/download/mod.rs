//! Fetches a result file: continued where it stopped, over expired links and cut connections, and never under its final
//! name before it is whole and checked. From front to back in `attempt`, a large file in several ranges at once in `wide`.
//! What is on the disk is in `part`; which link to fetch is the platform's business.

mod attempt;
mod hashes;
mod link;
mod part;
mod ranges;
mod spread;
mod wide;

pub use link::{Probe, probe};

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::model::artifact::Fetched;
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::meter::Meter;
use crate::model::remote::Link;
use crate::model::safe_url::SafeUrl;
use crate::model::secret::Secret;
use crate::net::client::Http;
use crate::net::download::part::{Part, Published, Remembered, Sink, Written, is_file_with};
use crate::net::download::ranges::Ranges;
use crate::net::download::wide::Opening;
use crate::net::errors;

/// Fresh links asked for without a byte of progress in between.
const MOST_RENEWALS: u32 = 5;
/// How often a file is started again because it changed at the server or did not match.
const MOST_RESTARTS: u32 = 3;
/// How often a transfer is looked at: whether it moves and whether somebody wants it to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
        Published::InTheWay => {
            // It may come under another name, or be asked for again; nothing would ever continue this part.
            let part = download.part.clone();
            on_disk(move || part.discard()).await?;
            Err(in_the_way())
        }
    }
}

/// A link that is ready: where, and what to show there.
type Address = (SafeUrl, Option<(&'static str, Secret)>);

/// The length of the whole file that grows there, as its server announced it.
pub fn announced_bytes(part_path: &Path) -> Option<u64> {
    let (_here, remembered) = Part::new(part_path).left_over()?;
    remembered.total
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
    /// Whether it is to come from front to back: ranges of it did not fit together, or cannot be told from another's.
    is_narrow: bool,
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
            is_narrow: false,
        };
        if let Some((length, remembered)) = left_over {
            if let Some(ranges) = &remembered.ranges {
                // The length says nothing then, but what is here lies within it.
                let total = remembered.total.unwrap_or_default();
                if ranges.is_sound(total.min(length)) {
                    download.remembered = remembered;
                }
                return Ok(download);
            }
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
            let trouble = match self.go(&mut link, renew).await {
                Ok(written) => return Ok(written),
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
                    self.is_narrow = true;
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

    /// Goes on in the way that fits, to the end or to the first trouble.
    async fn go(
        &mut self,
        address: &mut Address,
        renew: &mut Renew<'_>,
    ) -> std::result::Result<Written, Trouble> {
        if let Some(here) = self.wide_left_over() {
            return Box::pin(self.run_wide(here, None, address, renew)).await;
        }
        // What is left of a file that came in ranges cannot go on in another way.
        if self.remembered.ranges.is_some() {
            self.start_over().await.map_err(Trouble::Fatal)?;
        }
        if self.may_begin_wide() {
            match self.open_wide(address).await? {
                Opening::Wide(first) => {
                    let nothing = Ranges::default();
                    return Box::pin(self.run_wide(nothing, Some(first), address, renew)).await;
                }
                Opening::Plain(response) => {
                    self.receive(response, address).await?;
                    return self.check().await;
                }
                Opening::Unproven => self.is_narrow = true,
            }
        }
        self.attempt(address).await?;
        self.check().await
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
        self.prove(written)
    }

    /// Whether what is on the disk is what the platform and the storage said.
    fn prove(&self, written: Written) -> std::result::Result<Written, Trouble> {
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
        let promised = &self.remembered.promised;
        if promised.is_broken_by(&written.sha256, written.md5.as_deref()) {
            return Err(Trouble::Restart(garbled(
                200,
                "The file's hash is not the one the storage says",
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
        let (part, promised) = (self.part.clone(), self.remembered.promised.clone());
        self.sink = Some(on_disk(move || Sink::open(&part, offset, &promised)).await?);
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

    async fn wait(&self, wait: Duration) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = stopped(self.order.meter) => Err(errors::stopped(Doing::Download, Sent::Answered)),
        }
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
            part.discard()?;
            return Ok(Some(Err(in_the_way())));
        }
        let Some(sha256) = expected.sha256.map(|sha256| sha256.to_ascii_lowercase()) else {
            // Only fetching it again can tell; `Part::publish` compares.
            return Ok(None);
        };
        if !is_file_with(&target, size_bytes, &sha256)? {
            part.discard()?;
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

fn ready(link: Link) -> Result<Address> {
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
