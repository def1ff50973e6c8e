//! The bytes a table is read from: the file itself where it can be read as it is, else a plain copy that grows aside.
//!
//! Packed files and UTF-16 are copied once, as UTF-8, into a temporary file without a name, gone with the handle. The first
//! block is copied when the table is opened, so that its first rows are there at once; the rest while rows are counted.

use crate::results::disk::{BLOCK_BYTES, is_disk_full, read_at};
use crate::results::table::TableError;
use crate::results::table::encoding::Encoding;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// First block, from which everything is guessed.
pub(crate) const HEAD_BYTES: usize = 1 << 18;

/// Two bytes every gzip file begins with (RFC 1952).
pub(crate) const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];

/// A file to be read at any place, with the guess about its letters.
pub(crate) struct Source {
    pub(crate) file: File,
    /// The person's file as it was when it was opened.
    pub(crate) stamp: Stamp,
    /// As in the person's file; a copy of UTF-16 is UTF-8 itself.
    pub(crate) encoding: Encoding,
    /// The first block.
    pub(crate) head: Vec<u8>,
    pub(crate) gzip: bool,
    /// What still has to be copied; none where the file is read itself, and where the head is all.
    pub(crate) feed: Option<Feed>,
    /// Bytes of the person's file read into the copy.
    pub(crate) read_bytes: Arc<AtomicU64>,
}

/// How a file was when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    path: PathBuf,
    pub(crate) size_bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(path: &Path, file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            path: path.to_owned(),
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Opens the file again.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Whether the file is still there as it was.
    pub(crate) fn check(&self) -> Result<(), TableError> {
        let metadata = match self.path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(TableError::Vanished);
            }
            Err(error) => return Err(error.into()),
        };
        if metadata.len() == self.size_bytes && metadata.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(TableError::Changed)
        }
    }
}

/// Opens a file and looks at its first block.
pub(crate) fn open(path: &Path, wished: Option<Encoding>) -> Result<Source, TableError> {
    let file = File::open(path)?;
    let stamp = Stamp::of(path, &file)?;
    let read_bytes = Arc::new(AtomicU64::new(0));
    let head = head_of(&file)?;
    let gzip = head.starts_with(GZIP_MAGIC);
    let mut raw: Box<dyn Read + Send> = Box::new(Whole {
        file: file.try_clone()?,
        position: 0,
        read: Arc::clone(&read_bytes),
    });
    let mut taken = Vec::new();
    if gzip {
        raw = Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, raw)));
        taken = head_from(&mut raw)?;
    }
    let looked_at = if gzip { &taken } else { &head };
    let encoding = wished.unwrap_or_else(|| Encoding::guess(looked_at));
    if !gzip && encoding.is_bytewise() {
        return Ok(Source {
            file,
            stamp,
            encoding,
            head,
            gzip,
            feed: None,
            read_bytes,
        });
    }
    let mut feed = Feed {
        raw,
        taken,
        decoder: (!encoding.is_bytewise()).then(|| wide_decoder(encoding)),
        out: tempfile::tempfile().map_err(no_room)?,
        written: 0,
        ended: false,
        damage: None,
    };
    let file = feed.out.try_clone()?;
    let mut block = Vec::new();
    while !feed.ended && feed.written < HEAD_BYTES as u64 {
        feed.more(&mut block)?;
    }
    let head = head_of(&file)?;
    let whole = feed.ended && head.len() as u64 == feed.written;
    Ok(Source {
        file,
        stamp,
        encoding,
        head,
        gzip,
        feed: (!whole).then_some(feed),
        read_bytes,
    })
}

fn head_of(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0_u8; HEAD_BYTES];
    let read = read_at(file, &mut head, 0)?;
    head.truncate(read);
    Ok(head)
}

/// The first block of something packed.
fn head_from(raw: &mut dyn Read) -> Result<Vec<u8>, TableError> {
    let mut head = Vec::new();
    raw.take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(TableError::Packed)?;
    Ok(head)
}

/// A whole file from its beginning, wherever its shared position is. It tells how far it is.
struct Whole {
    file: File,
    position: u64,
    read: Arc<AtomicU64>,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.position)?;
        self.position += read as u64;
        self.read.store(self.position, Ordering::Relaxed);
        Ok(read)
    }
}

/// The rest of a packed or UTF-16 file, copied block by block.
pub(crate) struct Feed {
    raw: Box<dyn Read + Send>,
    /// Read while guessing, not yet copied.
    taken: Vec<u8>,
    decoder: Option<Decoder>,
    out: File,
    written: u64,
    ended: bool,
    /// Told once what was read before it is used up.
    damage: Option<io::Error>,
}

impl Feed {
    /// Bytes of the copy so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Copies the next block and leaves it in `block`; empty at the end.
    pub(crate) fn more(&mut self, block: &mut Vec<u8>) -> Result<(), TableError> {
        block.clear();
        while block.is_empty() && !self.ended {
            let mut raw = std::mem::take(&mut self.taken);
            if raw.is_empty() {
                if let Some(error) = self.damage.take() {
                    return Err(TableError::Packed(error));
                }
                let read = (&mut self.raw)
                    .take(BLOCK_BYTES as u64)
                    .read_to_end(&mut raw);
                // What was unpacked before the damage is shown.
                match read {
                    Err(error) if raw.is_empty() => return Err(TableError::Packed(error)),
                    read => self.damage = read.err(),
                }
                self.ended = raw.is_empty();
            }
            match &mut self.decoder {
                Some(decoder) => decode_block(decoder, &raw, block, self.ended),
                None => *block = raw,
            }
        }
        self.out.write_all(block).map_err(no_room)?;
        self.written += block.len() as u64;
        Ok(())
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Feed({} bytes)", self.written)
    }
}

fn no_room(error: io::Error) -> TableError {
    if is_disk_full(&error) {
        TableError::DiskFull(error)
    } else {
        TableError::Io(error)
    }
}

fn wide_decoder(encoding: Encoding) -> Decoder {
    let wide = if encoding == Encoding::Utf16Be {
        UTF_16BE
    } else {
        UTF_16LE
    };
    wide.new_decoder_with_bom_removal()
}

fn decode_block(decoder: &mut Decoder, block: &[u8], out: &mut Vec<u8>, last: bool) {
    let mut rest = block;
    let mut text = String::with_capacity(block.len() * 3 / 2 + 16);
    loop {
        let (result, used, _) = decoder.decode_to_string(rest, &mut text, last);
        (_, rest) = rest.split_at(used.min(rest.len()));
        match result {
            CoderResult::InputEmpty => break,
            CoderResult::OutputFull => text.reserve(rest.len() * 3 / 2 + 16),
        }
    }
    out.extend_from_slice(text.as_bytes());
}
