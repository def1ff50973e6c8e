//! The unfinished file of a download that comes in several ranges at once: written where they belong, hashed from front to
//! back as the front grows, and what is here written down beside it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::model::file::READ_BYTES;
use crate::net::download::hashes::Hashes;
use crate::net::download::part::{Part, Remembered, Written};
use crate::net::download::ranges::Ranges;

/// Chunks between the network and the disk.
const CHUNKS_AHEAD: usize = 64;
/// What is here is made to last and written down each time so much has come.
const WRITE_DOWN_EVERY: u64 = 32 * 1024 * 1024;
/// The hash is told each time the front has grown by so much.
const HASH_EVERY: u64 = 4 * 1024 * 1024;

/// Bytes and where they belong.
pub(super) type Placed = (u64, Bytes);

/// The open part.
#[derive(Debug)]
pub(super) struct Spread {
    pub(super) chunks: mpsc::Sender<Placed>,
    outcome: oneshot::Receiver<io::Result<Option<Written>>>,
    given_up: Arc<AtomicBool>,
}

/// The thread that writes.
struct Writer {
    file: File,
    part: Part,
    remembered: Remembered,
    here: Ranges,
    fronts: Sender<u64>,
    told: u64,
}

impl Spread {
    /// Opens a part of which these ranges are here. It is written down first that they are ranges: from now on the
    /// length of the part says nothing.
    pub(super) fn open(part: &Part, remembered: &Remembered, here: Ranges) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(part.path())?;
        let (fronts, told) = channel();
        let mut writer = Writer {
            file,
            part: part.clone(),
            remembered: remembered.clone(),
            here,
            fronts,
            told: 0,
        };
        // Nothing is here and nothing is said about it: a crash before the first word leaves nothing to go on with.
        if writer.here.bytes() > 0 {
            writer.write_down()?;
        }
        let (chunks, received) = mpsc::channel(CHUNKS_AHEAD);
        let (report, outcome) = oneshot::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let (path, empty) = (part.path().to_owned(), Hashes::new(&remembered.promised));
        let is_given_up = Arc::clone(&given_up);
        let hasher = thread::Builder::new()
            .name("download-hash".to_owned())
            .spawn(move || hash_fronts(&path, empty, &told, &is_given_up))?;
        thread::Builder::new()
            .name("download-write".to_owned())
            .spawn(move || {
                let total = writer.remembered.total;
                let written = writer.run(received);
                let front_hash = hasher
                    .join()
                    .unwrap_or_else(|_panic| Err(io::Error::other("the hash thread failed")));
                let result = written.and_then(|prefix| {
                    if total != Some(prefix) {
                        return Ok(None);
                    }
                    let (sha256, md5) = front_hash?;
                    Ok(Some(Written {
                        size_bytes: prefix,
                        sha256,
                        md5,
                    }))
                });
                // Nobody listens any more when the download was dropped.
                drop(report.send(result));
            })?;
        Ok(Self {
            chunks,
            outcome,
            given_up,
        })
    }

    /// Waits until everything taken is on the disk and written down. Says what it is when it is the whole file.
    pub(super) async fn close(self, is_given_up: bool) -> io::Result<Option<Written>> {
        self.given_up.store(is_given_up, Ordering::Relaxed);
        drop(self.chunks);
        self.outcome
            .await
            .unwrap_or_else(|_gone| Err(io::Error::other("the write thread failed")))
    }
}

impl Writer {
    /// Writes what comes; returns how many bytes are here from the first on.
    fn run(mut self, mut received: mpsc::Receiver<Placed>) -> io::Result<u64> {
        let written = self.write_all(&mut received);
        let prefix = self.here.prefix();
        if written.is_ok() && self.remembered.total == Some(prefix) {
            self.file.sync_all()?;
        } else {
            // Also after a failure: what came before it is here.
            let noted = self.write_down();
            written?;
            noted?;
        }
        self.tell(prefix);
        Ok(prefix)
    }

    fn write_all(&mut self, received: &mut mpsc::Receiver<Placed>) -> io::Result<()> {
        let mut at = None;
        let mut since_noted = 0_u64;
        while let Some((offset, chunk)) = received.blocking_recv() {
            if at != Some(offset) {
                self.file.seek(SeekFrom::Start(offset))?;
            }
            self.file.write_all(&chunk)?;
            let end = offset.saturating_add(chunk.len() as u64);
            at = Some(end);
            self.here.add((offset, end));
            let prefix = self.here.prefix();
            if prefix.saturating_sub(self.told) >= HASH_EVERY {
                self.tell(prefix);
            }
            since_noted = since_noted.saturating_add(chunk.len() as u64);
            if since_noted >= WRITE_DOWN_EVERY {
                self.write_down()?;
                since_noted = 0;
            }
        }
        Ok(())
    }

    fn tell(&mut self, prefix: u64) {
        self.told = prefix;
        if self.fronts.send(prefix).is_err() {
            tracing::debug!("the hash thread has ended; it says why when it is joined");
        }
    }

    /// First the bytes, then the word that they are here.
    fn write_down(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.remembered.ranges = Some(self.here.clone());
        self.part.remember(&self.remembered)
    }
}

fn hash_fronts(
    path: &Path,
    mut hashes: Hashes,
    fronts: &Receiver<u64>,
    given_up: &AtomicBool,
) -> io::Result<(String, Option<String>)> {
    let mut file = File::open(path)?;
    let mut block = vec![0; READ_BYTES];
    let mut at = 0_u64;
    for front in fronts {
        let mut left = (&mut file).take(front.saturating_sub(at));
        while left.limit() > 0 && !given_up.load(Ordering::Relaxed) {
            let read = left.read(&mut block)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hashes.update(block.get(..read).unwrap_or_default());
        }
        at = front;
    }
    Ok(hashes.end())
}
