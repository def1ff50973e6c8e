//! The unfinished file of a download: writing and hashing it, what is remembered beside it, and giving it its final name.
//! How its bytes are asked for is in `download`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::model::file::READ_BYTES;
use crate::net::download::hashes::{Hashes, Promised};
use crate::net::download::ranges::Ranges;

/// Chunks between the network, the writer and the hash; enough that none waits for another's hiccup.
const CHUNKS_AHEAD: usize = 64;

/// What the server said about the file when its first byte came; kept beside the part as JSON, so that a later run can
/// tell whether it is still the same file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Remembered {
    /// `ETag`, as sent.
    pub(crate) etag: Option<String>,
    /// `Last-Modified`, as sent.
    pub(crate) last_modified: Option<String>,
    /// Length of the whole file in bytes.
    pub(crate) total: Option<u64>,
    /// What the storage says it hashes to.
    pub(crate) promised: Promised,
    /// Which ranges of it are here, where they do not come from front to back; else the length of the part says it.
    pub(crate) ranges: Option<Ranges>,
}

impl Remembered {
    /// Whether a later answer can be recognized as the same file.
    pub(crate) const fn is_recognizable(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}

/// The two files on disk: `name.part` and `name.part.json`.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    path: PathBuf,
    side: PathBuf,
}

impl Part {
    pub(crate) fn new(path: &Path) -> Self {
        let mut side = path.as_os_str().to_owned();
        side.push(".json");
        Self {
            path: path.to_owned(),
            side: PathBuf::from(side),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier run left: how many bytes, and of which file. Nothing where either is missing or unreadable.
    pub(crate) fn left_over(&self) -> Option<(u64, Remembered)> {
        let length = std::fs::metadata(&self.path).ok()?.len();
        let mut text = Vec::new();
        // A side file is a few hundred bytes; a huge one is none of ours.
        File::open(&self.side)
            .ok()?
            .take(64 * 1024)
            .read_to_end(&mut text)
            .ok()?;
        let remembered = serde_json::from_slice(&text).ok()?;
        Some((length, remembered))
    }

    /// Writes down which file the part belongs to. Replaced in one step, never half-written.
    pub(crate) fn remember(&self, remembered: &Remembered) -> io::Result<()> {
        let mut fresh = self.side.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(remembered)?)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&fresh, &self.side)
    }

    /// Forgets which file the part belongs to; from now on it can only be started again.
    pub(crate) fn forget(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.side) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Takes both files away.
    pub(crate) fn discard(&self) -> io::Result<()> {
        self.forget()?;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Gives the finished part its final name. A file already there stays: it is either the very same, or in the way.
    pub(crate) fn publish(&self, target: &Path, written: &Written) -> io::Result<Published> {
        if std::fs::symlink_metadata(target).is_ok() {
            if !is_file_with(target, written.size_bytes, &written.sha256)? {
                return Ok(Published::InTheWay);
            }
            self.discard()?;
            return Ok(Published::Done);
        }
        std::fs::rename(&self.path, target)?;
        sync_folder(target)?;
        self.forget()?;
        Ok(Published::Done)
    }
}

/// What became of a finished part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// The file is there under its final name.
    Done,
    /// Another file has that name.
    InTheWay,
}

/// Makes a rename last.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Elsewhere a folder cannot be opened for this; the file system journals renames itself.
#[cfg(not(unix))]
fn sync_folder(_file: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a regular file of exactly this content is there.
pub(crate) fn is_file_with(path: &Path, size_bytes: u64, sha256: &str) -> io::Result<bool> {
    let metadata = std::fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() != size_bytes {
        return Ok(false);
    }
    let mut hash = Hashes::new(&Promised::default());
    hash_file(&mut hash, path, size_bytes)?;
    Ok(hash.end().0 == sha256)
}

fn hash_file(hash: &mut Hashes, path: &Path, length: u64) -> io::Result<()> {
    let mut file = File::open(path)?.take(length);
    let mut block = vec![0; READ_BYTES];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hash.update(block.get(..read).unwrap_or_default());
    }
    if file.limit() == 0 {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// A part that was written and synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) size_bytes: u64,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    /// Where one was promised.
    pub(crate) md5: Option<String>,
}

/// The open end of a part: chunks go in, one thread writes them, another hashes them.
#[derive(Debug)]
pub(crate) struct Sink {
    chunks: mpsc::Sender<Bytes>,
    outcome: oneshot::Receiver<io::Result<Written>>,
    accepted_bytes: u64,
}

impl Sink {
    /// Opens the part behind its first `offset` bytes, which stay; whatever is behind them goes.
    pub(crate) fn open(part: &Part, offset: u64, promised: &Promised) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&part.path)?;
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        let (chunks, received) = mpsc::channel(CHUNKS_AHEAD);
        let (to_hash, chunks_written) = sync_channel(CHUNKS_AHEAD);
        let (report, outcome) = oneshot::channel();
        let (path, empty) = (part.path.clone(), Hashes::new(promised));
        let hasher = thread::Builder::new()
            .name("download-hash".to_owned())
            .spawn(move || hash_all(&path, offset, empty, &chunks_written))?;
        thread::Builder::new()
            .name("download-write".to_owned())
            .spawn(move || {
                let written = write_all(&mut file, received, to_hash);
                let hash = hasher
                    .join()
                    .unwrap_or_else(|_panic| Err(io::Error::other("the hash thread failed")));
                let result = written.and_then(|()| {
                    let size_bytes = file.metadata()?.len();
                    let (sha256, md5) = hash?;
                    Ok(Written {
                        size_bytes,
                        sha256,
                        md5,
                    })
                });
                // Nobody listens any more when the download was dropped.
                drop(report.send(result));
            })?;
        Ok(Self {
            chunks,
            outcome,
            accepted_bytes: offset,
        })
    }

    /// Bytes of the file up to here, those already in the part included.
    pub(crate) const fn accepted_bytes(&self) -> u64 {
        self.accepted_bytes
    }

    /// Takes a chunk. False when writing failed; [`Sink::close`] says why.
    pub(crate) async fn take(&mut self, chunk: Bytes) -> bool {
        let length = chunk.len() as u64;
        let is_taken = self.chunks.send(chunk).await.is_ok();
        if is_taken {
            self.accepted_bytes = self.accepted_bytes.saturating_add(length);
        }
        is_taken
    }

    /// Waits until everything taken is on the disk, and says what it is.
    pub(crate) async fn close(self) -> io::Result<Written> {
        drop(self.chunks);
        self.outcome
            .await
            .unwrap_or_else(|_gone| Err(io::Error::other("the write thread failed")))
    }
}

fn write_all(
    file: &mut File,
    mut received: mpsc::Receiver<Bytes>,
    to_hash: SyncSender<Bytes>,
) -> io::Result<()> {
    while let Some(chunk) = received.blocking_recv() {
        file.write_all(&chunk)?;
        if to_hash.send(chunk).is_err() {
            // The hash thread failed and says why when it is joined.
            break;
        }
    }
    drop(to_hash);
    file.sync_all()
}

fn hash_all(
    path: &Path,
    offset: u64,
    mut hash: Hashes,
    hashed: &Receiver<Bytes>,
) -> io::Result<(String, Option<String>)> {
    hash_file(&mut hash, path, offset)?;
    for chunk in hashed {
        hash.update(&chunk);
    }
    Ok(hash.end())
}
