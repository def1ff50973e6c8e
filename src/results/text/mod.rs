//! Texts of any size, read in rows: the first at once, any other after an index that grows aside.
//!
//! A row is a line, or a part of a line longer than [`ROW_BYTES`]; so a file that is one line of a gigabyte reads like any
//! other. Nothing is held in memory but a sparse index and what was asked for. Whether a file is text at all is `sniff`'s
//! question, encodings are guessed in one place for texts and tables.

mod find;
mod index;
mod rows;

use crate::model::text::{TextPage, TextRow};
use crate::results::disk;
use crate::results::table::encoding::Encoding;
use crate::results::text::index::{Index, Mark, Run};
use crate::results::text::rows::{Splitter, plain};
use std::fs::{File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Longest row, in bytes.
const ROW_BYTES: usize = 2_048;

/// One read, when the text is read from its beginning to its end.
const BLOCK_BYTES: usize = 1 << 20;

/// One read, when rows are read to show them.
const STEP_BYTES: usize = 64 << 10;

/// Rows that are looked for behind the end of the index.
const AHEAD_ROWS: u64 = 4_096;

/// Bytes the encoding is guessed from.
const HEAD_BYTES: usize = 64 << 10;

/// A text that is open. Cheap to clone; clones share the index.
#[derive(Clone, Debug)]
pub struct TextFile {
    path: PathBuf,
    file: Arc<File>,
    encoding: Encoding,
    /// Where the first row begins: behind the byte-order mark.
    start: u64,
    /// What the file was when it was opened, to tell another file in its place.
    opened: Arc<Seen>,
    index: Arc<Mutex<Index>>,
}

/// What the file system says of a file.
#[derive(Debug)]
struct Seen {
    size_bytes: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

/// What has become of a file since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    AsBefore,
    /// There is more of it now; what was there is taken to be the same.
    Grown,
    /// It was written anew, is shorter, or another file has its name.
    Changed,
    /// It is gone.
    Gone,
}

impl TextFile {
    /// Opens a text; reads its beginning only.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let opened = seen(&file.metadata()?);
        let mut head = vec![0_u8; HEAD_BYTES];
        let read = disk::read_at(&file, &mut head, 0)?;
        head.truncate(read);
        let encoding = Encoding::guess(&head);
        let start = encoding.mark_bytes(&head) as u64;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            encoding,
            start,
            index: Arc::new(Mutex::new(Index::new(start, opened.size_bytes))),
            opened: Arc::new(opened),
        })
    }

    /// Rows indexed so far.
    pub fn rows_known(&self) -> u64 {
        self.index().end().row
    }

    /// Whether every row is known.
    pub fn is_counted(&self) -> bool {
        self.index().is_complete()
    }

    /// Reads rows. Beyond what is indexed they are found from there on, which takes as long as it takes; so ask for rows
    /// below [`TextPage::rows_known`].
    pub fn page(&self, first_row: u64, count: usize) -> io::Result<TextPage> {
        let (mark, mut page) = {
            let index = self.index();
            // What lies far behind the index would take as long to find as the index takes to come there.
            let last = if index.is_complete() {
                index.end().row.saturating_sub(1)
            } else {
                index.end().row + AHEAD_ROWS
            };
            let first_row = first_row.min(last);
            let page = TextPage {
                first_row,
                rows_known: index.end().row,
                lines_known: index.end().lines(),
                counted: index.is_complete(),
                encoding: self.encoding.name().to_owned(),
                size_bytes: index.size_bytes(),
                ..TextPage::default()
            };
            (index.before_row(first_row), page)
        };
        let mut splitter = self.splitter(mark, STEP_BYTES);
        while page.rows.len() < count {
            let Some(row) = splitter.next_row(&self.file)? else {
                break;
            };
            if row.number >= page.first_row {
                page.rows.push(TextRow {
                    text: plain(&self.encoding.decode(row.bytes)),
                    line: row.line + 1,
                    continues: row.continues,
                });
            }
        }
        let reached = splitter.mark();
        page.rows_known = page.rows_known.max(reached.row);
        page.lines_known = page.lines_known.max(reached.lines());
        Ok(page)
    }

    /// Indexes what is not indexed yet. `progress` hears of every block and can stop it.
    pub fn index_rest(&self, progress: &mut dyn FnMut() -> ControlFlow<()>) -> io::Result<()> {
        loop {
            let (from, size_bytes) = {
                let index = self.index();
                (index.end(), index.size_bytes())
            };
            let mut splitter = self.splitter(from, BLOCK_BYTES);
            let goal = from.offset.saturating_add(BLOCK_BYTES as u64 * 4);
            let mut run = Run::from(from);
            let mut ended = false;
            while splitter.mark().offset < goal {
                if splitter.next_row(&self.file)?.is_none() {
                    ended = true;
                    break;
                }
                run.reach(splitter.mark());
            }
            let mut index = self.index();
            index.extend(&run);
            if ended {
                index.complete(size_bytes);
            }
            let done = index.is_complete();
            drop(index);
            if done || progress().is_break() {
                return Ok(());
            }
        }
    }

    /// The first row of a line, counted from 1; the last row where there are not so many lines.
    pub fn row_of_line(&self, line: u64) -> io::Result<u64> {
        let wanted = line.saturating_sub(1);
        let (mark, known) = {
            let index = self.index();
            (index.before_line(wanted), index.end())
        };
        if wanted > known.line {
            return Ok(known.row.saturating_sub(1));
        }
        let mut splitter = self.splitter(mark, STEP_BYTES);
        let mut last = mark.row;
        while let Some(row) = splitter.next_row(&self.file)? {
            last = row.number;
            if row.line >= wanted {
                break;
            }
        }
        Ok(last)
    }

    /// The row that holds a byte.
    fn row_at(&self, offset: u64, go_on: &dyn Fn() -> bool) -> io::Result<Option<u64>> {
        let mark = self.index().before_offset(offset);
        let mut splitter = self.splitter(mark, BLOCK_BYTES);
        let mut last = mark.row;
        while let Some(row) = splitter.next_row(&self.file)? {
            last = row.number;
            if splitter.mark().offset > offset {
                return Ok(Some(last));
            }
            if last.is_multiple_of(65_536) && !go_on() {
                return Ok(None);
            }
        }
        Ok(Some(last))
    }

    /// Looks at the file again. A file that has grown is known to have: its index goes on from its old end.
    pub fn look(&self) -> Fate {
        let there = match std::fs::metadata(&self.path) {
            Ok(there) => seen(&there),
            Err(_) => return Fate::Gone,
        };
        if there.identity != self.opened.identity {
            return Fate::Changed;
        }
        let mut index = self.index();
        if there.size_bytes < index.size_bytes() {
            return Fate::Changed;
        }
        if there.size_bytes > index.size_bytes() {
            index.grow(there.size_bytes);
            return Fate::Grown;
        }
        let as_opened = there.size_bytes == self.opened.size_bytes;
        if as_opened && there.modified != self.opened.modified {
            return Fate::Changed;
        }
        Fate::AsBefore
    }

    fn splitter(&self, from: Mark, step: usize) -> Splitter {
        Splitter::new(self.encoding, from, self.index().size_bytes(), step)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seen(metadata: &Metadata) -> Seen {
    Seen {
        size_bytes: metadata.len(),
        modified: metadata.modified().ok(),
        identity: identity(metadata),
    }
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature on every system"
)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

/// Elsewhere, when it was made is all there is.
#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    let made = metadata.created().ok()?;
    let since = made.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some((since.as_secs(), u64::from(since.subsec_nanos())))
}

#[cfg(test)]
mod tests;
