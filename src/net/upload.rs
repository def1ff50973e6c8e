//! A file of this computer as the body of a request: proven to be the file that was picked, hashed on the way, and
//! never complete at the server before the commit point is passed. Which address it goes to is decided in `api`.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use md5::Md5;
use reqwest::Body;
use reqwest::multipart::Part;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::file::LocalFile;
use crate::model::meter::Meter;
use crate::net::errors;

/// Size of the blocks read; larger ones are no faster, smaller ones are (measured: 3 GB/s against 0.23 with tokio's files).
const BLOCK_BYTES: usize = 1024 * 1024;
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
        let block = match self.received.recv().await {
            Some(Block::Inner(bytes)) => bytes,
            Some(Block::Last(bytes)) => {
                self.ended = true;
                if !self.may_end().await {
                    return Some((Err(Broken), self));
                }
                self.shared.handed_over.store(true, Ordering::SeqCst);
                bytes
            }
            // The reader ended without a last block: the file is not what was picked, or we were stopped.
            None => {
                self.ended = true;
                return Some((Err(Broken), self));
            }
        };
        if !self.shared.count(&self.meter, block.len() as u64) {
            self.ended = true;
            return Some((Err(Broken), self));
        }
        Some((Ok(block), self))
    }

    /// Asks for leave to hand over the last block.
    async fn may_end(&mut self) -> bool {
        let Some((ready, may_go)) = self.last.take() else {
            return false;
        };
        ready.send(()).is_ok() && may_go.await.is_ok()
    }
}

/// What is read: an open file, at its place, and how far from there.
struct Piece {
    file: File,
    length_bytes: u64,
    hash: Hash,
}

/// What storage and receipts want to know: MD5 is what many storages call a part by.
enum Hash {
    Sha256(Sha256),
    Md5(Md5),
}

impl Hash {
    fn update(&mut self, block: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(block),
            Self::Md5(hash) => hash.update(block),
        }
    }

    fn end(self) -> String {
        match self {
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::Md5(hash) => hex(&hash.finalize()),
        }
    }
}

/// The thread that reads and hashes.
struct Reader {
    piece: Piece,
    picked: LocalFile,
    meter: Meter,
    shared: Arc<Shared>,
    blocks: mpsc::Sender<Block>,
    doing: Doing,
}

impl Reader {
    fn run(self) {
        let shared = Arc::clone(&self.shared);
        if let Err(error) = self.read_all() {
            shared.lock().failure = Some(error);
        }
    }

    /// Ends early without an error where nobody wants the blocks any more.
    fn read_all(self) -> Result<()> {
        let Piece {
            file,
            length_bytes: mut left,
            mut hash,
        } = self.piece;
        loop {
            if self.meter.is_stopped() {
                return Err(errors::stopped(self.doing, Sent::No));
            }
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK_BYTES);
            let mut block = Vec::with_capacity(wanted);
            let read = (&file)
                .take(wanted as u64)
                .read_to_end(&mut block)
                .map_err(|error| Error::from_io(&error, self.doing))?;
            if read < wanted {
                return Err(changed(&self.picked, self.doing));
            }
            hash.update(&block);
            left = left.saturating_sub(read as u64);
            let block = Bytes::from(block);
            if left == 0 {
                prove_unchanged(&file, &self.picked, self.doing)?;
                self.shared.lock().hash = Some(hash.end());
                // A receiver that is gone means that the request has ended; it knows why.
                drop(self.blocks.blocking_send(Block::Last(block)));
                return Ok(());
            }
            if self.blocks.blocking_send(Block::Inner(block)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Both what was opened and what lies at the path now must still be the file that was picked.
fn prove_unchanged(file: &File, picked: &LocalFile, doing: Doing) -> Result<()> {
    let io = |error: std::io::Error| Error::from_io(&error, doing);
    let opened = file.metadata().map_err(io)?;
    let named = std::fs::metadata(&picked.path).map_err(io)?;
    if is_as_picked(&opened, picked) && is_as_picked(&named, picked) {
        Ok(())
    } else {
        Err(changed(picked, doing))
    }
}

/// SHA-256 of a file that is still the one that was picked, in lower-case hexadecimal.
///
/// # Errors
/// [`ErrorKind::LocalFile`] when it cannot be read or has changed.
pub async fn sha256_of(file: &LocalFile, doing: Doing) -> Result<String> {
    sha256_until_stopped(file, &Meter::default(), doing).await
}

/// The same beside a transfer, and ended with it.
///
/// # Errors
/// As of [`sha256_of`], and when the meter was stopped.
pub async fn sha256_until_stopped(file: &LocalFile, meter: &Meter, doing: Doing) -> Result<String> {
    let (picked, meter) = (file.clone(), meter.clone());
    tokio::task::spawn_blocking(move || {
        let io = |error: std::io::Error| Error::from_io(&error, doing);
        let mut file = open_unchanged(&picked, doing)?.take(picked.size_bytes);
        let mut hash = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            if meter.is_stopped() {
                return Err(errors::stopped(doing, Sent::No));
            }
            let read = file.read(&mut block).map_err(io)?;
            if read == 0 {
                break;
            }
            hash.update(block.get(..read).unwrap_or_default());
        }
        if file.limit() != 0 || !is_as_picked(&file.get_ref().metadata().map_err(io)?, &picked) {
            return Err(changed(&picked, doing));
        }
        Ok(hex(&hash.finalize()))
    })
    .await
    .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))?
}

fn open_unchanged(picked: &LocalFile, doing: Doing) -> Result<File> {
    let io = |error: std::io::Error| Error::from_io(&error, doing);
    // Looked at before it is opened: opening a pipe would wait for ever.
    let before = std::fs::metadata(&picked.path).map_err(io)?;
    if !before.is_file() || !is_as_picked(&before, picked) {
        return Err(changed(picked, doing));
    }
    let file = File::open(&picked.path).map_err(io)?;
    if is_as_picked(&file.metadata().map_err(io)?, picked) {
        Ok(file)
    } else {
        Err(changed(picked, doing))
    }
}

/// Size and time of change, where both the pick and the file system know a time.
fn is_as_picked(metadata: &Metadata, picked: &LocalFile) -> bool {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok());
    let same_time = match (picked.modified, modified) {
        (Some(then), Some(now)) => then == now,
        (None, _) | (_, None) => true,
    };
    metadata.len() == picked.size_bytes && same_time
}

fn changed(picked: &LocalFile, doing: Doing) -> Error {
    Error::new(ErrorKind::LocalFile, doing)
        .hint(format!("{} has changed since it was picked", picked.name))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
