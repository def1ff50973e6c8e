//! A file of this computer as the body of a request: proven to be the file that was picked, hashed on the way, and
//! never complete at the server before the commit point is passed. Which address it goes to is decided in `api`.

mod reader;

pub use reader::{sha256_of, sha256_until_stopped};

use std::io::{Seek as _, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use bytes::Bytes;
use futures_util::stream;
use md5::Md5;
use reqwest::Body;
use reqwest::multipart::Part;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::file::LocalFile;
use crate::model::meter::Meter;
use crate::net::speed::{Speed, Way};
use crate::net::upload::reader::{Hash, Piece, Reader, changed, open_unchanged};

/// Blocks read ahead of the network.
const BLOCKS_AHEAD: usize = 4;

/// A file ready to be sent: its body, whose length is known, and the handle on its way.
#[derive(Debug)]
pub struct FileBody {
    /// The bytes.
    pub body: Body,
    /// How many there are.
    pub length_bytes: u64,
    /// Hand this to [`crate::net::api::Api::send_form`] together with the body.
    pub transfer: Transfer,
}

impl FileBody {
    /// Opens a file and makes sure that it is still the one that was picked. Bytes are counted on `meter` as they leave.
    ///
    /// # Errors
    /// [`ErrorKind::LocalFile`] when it vanished, cannot be read or has changed since it was picked; nothing was sent.
    pub async fn open(file: &LocalFile, meter: &Meter, doing: Doing) -> Result<Self> {
        let picked = file.clone();
        let opened = tokio::task::spawn_blocking(move || open_unchanged(&picked, doing))
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))??;
        meter.expect(file.size_bytes);
        meter.restart_at(0);
        let whole = Piece {
            file: opened,
            length_bytes: file.size_bytes,
            hash: Hash::Sha256(Sha256::new()),
        };
        Self::of(whole, file, meter, doing)
    }

    /// A range of a file, which is still to be the one that was picked when its last block leaves. Others count on the
    /// same meter, so it is neither set to the range's length nor to its start.
    ///
    /// # Errors
    /// As of [`FileBody::open`], and when the range reaches past the end.
    pub(crate) async fn open_range(
        file: &LocalFile,
        (offset_bytes, length_bytes): (u64, u64),
        meter: &Meter,
        doing: Doing,
    ) -> Result<Self> {
        if offset_bytes.saturating_add(length_bytes) > file.size_bytes {
            return Err(changed(file, doing));
        }
        let picked = file.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut file = open_unchanged(&picked, doing)?;
            file.seek(SeekFrom::Start(offset_bytes))
                .map_err(|error| Error::from_io(&error, doing))?;
            Ok(file)
        })
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))??;
        let piece = Piece {
            file: opened,
            length_bytes,
            hash: Hash::Md5(Md5::new()),
        };
        Self::of(piece, file, meter, doing)
    }

    /// Starts the thread that reads.
    fn of(piece: Piece, picked: &LocalFile, meter: &Meter, doing: Doing) -> Result<Self> {
        let length_bytes = piece.length_bytes;
        let shared = Arc::new(Shared::default());
        let (blocks, received) = mpsc::channel(BLOCKS_AHEAD);
        let (ready, last_ready) = oneshot::channel();
        let (go, may_go) = oneshot::channel();
        let reader = Reader {
            piece,
            picked: picked.clone(),
            meter: meter.clone(),
            shared: Arc::clone(&shared),
            blocks,
            doing,
        };
        thread::Builder::new()
            .name("upload-read".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))?;
        let flow = Flow {
            received,
            rest: None,
            last: Some((ready, may_go)),
            meter: meter.clone(),
            shared: Arc::clone(&shared),
            ended: false,
        };
        Ok(Self {
            body: Body::wrap_stream(stream::unfold(flow, Flow::next)),
            length_bytes,
            transfer: Transfer {
                last_ready: Some(last_ready),
                go: Some(go),
                meter: meter.clone(),
                shared,
            },
        })
    }

    /// The body as a part of a multipart form, with known length, and the handle on its way.
    pub fn into_part(self, file_name: &str) -> (Part, Transfer) {
        let part =
            Part::stream_with_length(self.body, self.length_bytes).file_name(file_name.to_owned());
        (part, self.transfer)
    }
}

/// The handle on a file that is on its way.
#[derive(Debug)]
pub struct Transfer {
    last_ready: Option<oneshot::Receiver<()>>,
    go: Option<oneshot::Sender<()>>,
    meter: Meter,
    shared: Arc<Shared>,
}

impl Transfer {
    /// Binds it to the limit that all uploads share.
    pub(crate) fn travel_at(&self, speed: &Speed) {
        self.shared.speed.get_or_init(|| speed.clone());
    }

    /// Waits until everything but the last block has left and the file has proven unchanged; then the commit point is
    /// to be passed and [`Transfer::release`] called. Never returns when that does not happen or has happened.
    pub(crate) async fn reaches_last_block(&mut self) {
        let Some(ready) = self.last_ready.as_mut() else {
            return std::future::pending().await;
        };
        let reached = ready.await;
        self.last_ready = None;
        if reached.is_err() {
            // The body failed; the request ends by itself and says so.
            std::future::pending::<()>().await;
        }
    }

    /// Lets the last block go.
    pub(crate) fn release(&mut self) {
        if let Some(go) = self.go.take()
            && go.send(()).is_err()
        {
            tracing::debug!("the request ended before its last block");
        }
    }

    /// Whether the last block was handed over, so that the server may have the whole file.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.shared.handed_over.load(Ordering::SeqCst)
    }

    /// Bytes that have left so far.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.shared.sent_bytes.load(Ordering::Relaxed)
    }

    /// The same, for whoever outlives the transfer.
    pub(crate) fn counter(&self) -> SentBytes {
        SentBytes(Arc::clone(&self.shared))
    }

    /// Whether somebody asked to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.meter.is_stopped()
    }

    /// Why the body failed, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.shared.lock().failure.clone()
    }

    /// What was sent, once it is read to its end: SHA-256 of a whole file, MD5 of a range, in lower-case hexadecimal.
    pub(crate) fn hash(&self) -> Option<String> {
        self.shared.lock().hash.clone()
    }
}

/// Bytes of a transfer that have left so far.
#[derive(Debug)]
pub(crate) struct SentBytes(Arc<Shared>);

impl SentBytes {
    /// Takes them back from the meter; the library may still hold the body, of which nothing counts any more.
    pub(crate) fn take_back(&self, meter: &Meter) {
        let mut outcome = self.0.lock();
        outcome.is_given_up = true;
        meter.take_back(self.0.sent_bytes.load(Ordering::Relaxed));
    }
}

#[derive(Debug, Default)]
struct Shared {
    handed_over: AtomicBool,
    sent_bytes: AtomicU64,
    outcome: Mutex<Outcome>,
    /// How fast it may go; known once it is sent.
    speed: OnceLock<Speed>,
}

#[derive(Debug, Default)]
struct Outcome {
    failure: Option<Error>,
    hash: Option<String>,
    is_given_up: bool,
}

impl Shared {
    /// Counts a block that leaves; false when nobody wants it any more.
    fn count(&self, meter: &Meter, length_bytes: u64) -> bool {
        let outcome = self.lock();
        if outcome.is_given_up {
            return false;
        }
        meter.add(length_bytes);
        self.sent_bytes.fetch_add(length_bytes, Ordering::Relaxed);
        drop(outcome);
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block on its way from the reader to the network.
enum Block {
    Inner(Bytes),
    /// The file was read to its end and is still the one that was picked.
    Last(Bytes),
}

/// The text of a body that fails on purpose; the reason is in [`Outcome`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the file was not sent to its end")]
struct Broken;

/// What the network pulls blocks from.
struct Flow {
    received: mpsc::Receiver<Block>,
    /// What a limited speed left of a block.
    rest: Option<Block>,
    last: Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>,
    meter: Meter,
    shared: Arc<Shared>,
    ended: bool,
}

impl Flow {
    async fn next(mut self) -> Option<(std::result::Result<Bytes, Broken>, Self)> {
        if self.ended {
            return None;
        }
        let next = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.received.recv().await,
        };
        let Some(next) = next else {
            // The reader ended without a last block: the file is not what was picked, or we were stopped.
            self.ended = true;
            return Some((Err(Broken), self));
        };
        let block = match self.in_time(next).await {
            Block::Inner(bytes) => bytes,
            Block::Last(bytes) => {
                self.ended = true;
                if !self.may_end().await {
                    return Some((Err(Broken), self));
                }
                self.shared.handed_over.store(true, Ordering::SeqCst);
                bytes
            }
        };
        if !self.shared.count(&self.meter, block.len() as u64) {
            self.ended = true;
            return Some((Err(Broken), self));
        }
        Some((Ok(block), self))
    }

    /// As much of a block as a limited speed lets go at once, when its time has come.
    async fn in_time(&mut self, block: Block) -> Block {
        let Some(speed) = self.shared.speed.get().cloned() else {
            return block;
        };
        let most = speed.block_bytes(Way::Up).unwrap_or(usize::MAX);
        let block = match block {
            Block::Inner(mut bytes) if bytes.len() > most => {
                self.rest = Some(Block::Inner(bytes.split_off(most)));
                Block::Inner(bytes)
            }
            Block::Last(mut bytes) if bytes.len() > most => {
                self.rest = Some(Block::Last(bytes.split_off(most)));
                Block::Inner(bytes)
            }
            Block::Inner(_) | Block::Last(_) => block,
        };
        let (Block::Inner(bytes) | Block::Last(bytes)) = &block;
        speed.take(Way::Up, bytes.len()).await;
        block
    }

    /// Asks for leave to hand over the last block.
    async fn may_end(&mut self) -> bool {
        let Some((ready, may_go)) = self.last.take() else {
            return false;
        };
        ready.send(()).is_ok() && may_go.await.is_ok()
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_body_that_fails_has_said_why_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        std::io::copy(
            &mut [7_u8; 10].as_slice(),
            &mut File::create(&path).unwrap(),
        )
        .unwrap();
        let picked = LocalFile {
            path: path.clone(),
            name: "a.bin".to_owned(),
            folder: String::new(),
            size_bytes: 20,
            modified: None,
        };
        for round in 0..2_000 {
            // Shorter than it was: the thread that reads finds out.
            let piece = Piece {
                file: File::open(&path).unwrap(),
                length_bytes: 20,
                hash: Hash::Sha256(Sha256::new()),
            };
            let body = FileBody::of(piece, &picked, &Meter::default(), Doing::Upload).unwrap();
            let sent = axum::body::to_bytes(axum::body::Body::new(body.body), 100).await;
            assert!(sent.is_err());
            let failure = body.transfer.failure();
            let kind = failure.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::LocalFile), "round {round}");
        }
    }
}
