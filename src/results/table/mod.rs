//! Tables of any size: the first rows at once, any rows soon, and never a changed cell.
//!
//! A table is opened by looking at its first block, indexed on the caller's thread while other threads already read,
//! and read in positioned blocks (never memory mapped: a file on a network disk that shrinks would end the program).

pub mod dialect;
pub mod encoding;

pub mod record;

pub mod chart;
pub mod describe;
pub mod export;
pub mod filter;
pub mod objects;
pub mod order;
pub mod points;
pub mod protect;
pub mod sheet;
pub mod stack;
pub mod view;

mod cells;
mod chunks;
mod colors;
mod count;
mod dictionary;
mod index;
mod natural;
mod number;
mod page;
pub mod raster;
mod region;
mod scanner;
mod source;
mod tally;
mod windows;

use crate::model::table::Reading;
use crate::results::disk::read_at;
use crate::results::table::count::each_block;
use crate::results::table::dialect::{Dialect, Wishes};
use crate::results::table::index::{Index, Mark, Pass};
use crate::results::table::page::{PAGE_BYTES, Records, SHOWN, WHOLE, shown};
use crate::results::table::record::Record;
use crate::results::table::scanner::Scanner;
use crate::results::table::source::{Feed, HEAD_BYTES, Source, Stamp};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use thiserror::Error;

/// A table open for reading. Clones share one file and one index, and may be used from several threads at once.
#[derive(Debug, Clone)]
pub struct TableFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Plain text: the person's file, or the copy that `feed` makes. None where it is opened again for each look.
    file: Mutex<Option<Arc<File>>>,
    stamp: Stamp,
    gzip: bool,
    /// Held by the one thread that indexes; none when everything is in `file`.
    feed: Mutex<Option<Feed>>,
    /// Whether everything is in `file`.
    whole: AtomicBool,
    /// Bytes of the person's file copied so far.
    read_bytes: Arc<AtomicU64>,
    dialect: Dialect,
    said: Wishes,
    columns: Vec<String>,
    /// Where the first row begins.
    data_start: u64,
    index: Mutex<Index>,
}

/// Why a table could not be read.
#[derive(Debug, Error)]
pub enum TableError {
    #[error("the file could not be read")]
    Io(#[from] io::Error),
    #[error("the packed file is damaged")]
    Packed(#[source] io::Error),
    #[error("there is no room for a plain copy of the packed file")]
    DiskFull(#[source] io::Error),
    #[error("row {row} has a cell of {bytes} bytes, probably a quote that is never closed")]
    CellTooLarge { row: u64, bytes: u64 },
    #[error("the file has changed since it was opened")]
    Changed,
    #[error("the file is no longer there")]
    Vanished,
    #[error("it was stopped")]
    Cancelled,
    #[error("the table has more than {} rows", u32::MAX)]
    TooManyRows,
    #[error("the texts of this column are too large to be sorted in memory")]
    TooLargeToSort,
    #[error("the picture could not be drawn")]
    Picture,
    #[error("this is too much for the clipboard")]
    TooLargeToCopy,
    #[error("the rows could not be written")]
    Output(#[source] csv::Error),
}

impl TableFile {
    /// Opens a table and guesses how it is written. Small tables are counted at once.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Self::open_as(path, &Wishes::default())
    }

    /// Opens a table with some of the guesses replaced.
    pub fn open_as(path: &Path, wishes: &Wishes) -> Result<Self, TableError> {
        let Source {
            file,
            stamp,
            encoding,
            head,
            gzip,
            feed,
            read_bytes,
        } = source::open(path, wishes.encoding)?;
        let small = feed.is_none() && (head.len() as u64) < HEAD_BYTES as u64;
        let dialect = Dialect::guess(&head, small, encoding, wishes);
        let whole = feed.is_none();
        let file = Arc::new(file);
        let mut records = Records::new(Arc::clone(&file), &dialect, SHOWN, dialect.skip_bytes);
        records.end_is_known(whole);
        let first = records.next()?;
        let (columns, data_start) = columns_of(&dialect, first.as_ref());
        let index = Index::new(data_start, columns.len() as u64);
        let table = Self {
            inner: Arc::new(Inner {
                file: Mutex::new(Some(file)),
                stamp,
                gzip,
                feed: Mutex::new(feed),
                whole: AtomicBool::new(whole),
                read_bytes,
                dialect,
                said: *wishes,
                columns,
                data_start,
                index: Mutex::new(index),
            }),
        };
        if small {
            table.index(&mut |_, _| ControlFlow::Continue(()))?;
        }
        Ok(table)
    }

    /// The bytes to read from.
    pub(crate) fn file(&self) -> io::Result<Arc<File>> {
        let held = self
            .inner
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match held.as_ref() {
            Some(file) => Ok(Arc::clone(file)),
            None => self.inner.stamp.open().map(Arc::new),
        }
    }

    /// Keeps no file open between looks, so that thousands of tables can be one. Copies of packed files stay.
    pub(crate) fn let_go(&self) {
        let plain = !self.inner.gzip && self.inner.dialect.encoding.is_bytewise();
        if plain && self.is_counted() {
            *self
                .inner
                .file
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    pub fn dialect(&self) -> &Dialect {
        &self.inner.dialect
    }

    /// Names from the header, or `column 1` and so on.
    pub fn columns(&self) -> &[String] {
        &self.inner.columns
    }

    /// Length of the person's file, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.inner.stamp.size_bytes
    }

    /// Whether the person's file is still there as it was when it was opened.
    pub fn check_unchanged(&self) -> Result<(), TableError> {
        self.inner.stamp.check()
    }

    /// Rows counted so far, the header left out.
    pub fn rows_known(&self) -> u64 {
        self.known().rows()
    }

    /// Whether `rows_known` is all there are.
    pub fn is_counted(&self) -> bool {
        self.known().is_complete()
    }

    /// Rows counted so far that have more or fewer cells than there are columns.
    pub fn ragged_rows(&self) -> u64 {
        self.known().ragged_rows()
    }

    /// The last row, when it is everything from a quote that is never closed.
    pub fn unclosed_row(&self) -> Option<u64> {
        self.known().open_row()
    }

    /// In words, such as `comma, UTF-8`.
    pub fn describe(&self) -> String {
        let packed = if self.inner.gzip { ", gzip" } else { "" };
        format!("{}{packed}", self.inner.dialect.describe())
    }

    /// Rows from `first` on, 0 being the first under the header: cells exactly as in the file, as many as the row has.
    ///
    /// Fewer than `count` at the end of the table, and where rows are so large that a page would not fit in memory.
    pub fn rows(&self, first: u64, count: usize) -> Result<Vec<Vec<String>>, TableError> {
        let dialect = &self.inner.dialect;
        let mut rows = Vec::new();
        let mut page_bytes = 0_usize;
        let mut records = self.records_from(first, SHOWN)?;
        while rows.len() < count && page_bytes < PAGE_BYTES {
            let Some(record) = records.as_mut().map_or(Ok(None), Records::next)? else {
                break;
            };
            let row: Vec<String> = record
                .cells
                .iter()
                .map(|cell| shown(dialect, cell))
                .collect();
            page_bytes += row
                .iter()
                .map(|cell| cell.len() + size_of::<String>())
                .sum::<usize>();
            rows.push(row);
        }
        Ok(rows)
    }

    /// How it is read, and what a person said about that.
    pub fn reading(&self) -> Reading {
        self.inner.dialect.reading(self.describe(), self.inner.said)
    }

    /// Counts and marks all rows, from the beginning unless an earlier call came to the end. Meant for a thread of its own.
    ///
    /// `progress` hears of rows known and bytes of the person's file looked at after every block and may end it. While
    /// another thread is at it, this returns at once.
    pub fn index(
        &self,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<(), TableError> {
        let mut feed = match self.inner.feed.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        if self.known().is_complete() {
            return Ok(());
        }
        // A pass that was ended early is done again from the start: simpler than keeping it, and a cancelled table is closed.
        *self.known() = Index::new(self.inner.data_start, self.inner.columns.len() as u64);
        let mut pass = Pass::new(self.inner.dialect.format(), self.inner.data_start);
        let copied = feed.is_some();
        each_block(
            &*self.file()?,
            feed.as_mut(),
            self.inner.data_start,
            |block| {
                let (rows, mut bytes, complete) = {
                    let mut index = self.known();
                    pass.add(block, &mut index);
                    (index.rows(), index.scanned_bytes(), index.is_complete())
                };
                if copied {
                    bytes = self.inner.read_bytes.load(Ordering::Relaxed);
                    self.inner.whole.store(complete, Ordering::Release);
                }
                if progress(rows, bytes).is_break() || complete {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
    }

    /// Writes rows as plain UTF-8 CSV, with the header where the table has one, and tells how many rows.
    pub fn write_csv(&self, rows: Range<u64>, out: &mut dyn Write) -> Result<u64, TableError> {
        if !self.inner.whole.load(Ordering::Acquire) {
            self.index(&mut |_, _| ControlFlow::Continue(()))?;
        }
        let dialect = &self.inner.dialect;
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
        if dialect.header {
            writer
                .write_record(&self.inner.columns)
                .map_err(TableError::Output)?;
        }
        let mut written = 0_u64;
        let mut records = self.records_from(rows.start, WHOLE)?;
        while rows.start + written < rows.end {
            let Some(record) = records.as_mut().map_or(Ok(None), Records::next)? else {
                break;
            };
            check_whole(&record, rows.start + written)?;
            let cells = record
                .cells
                .iter()
                .map(|cell| dialect.encoding.decode_cell(&cell.text));
            writer
                .write_record(cells.map(Cow::into_owned))
                .map_err(TableError::Output)?;
            written += 1;
        }
        writer
            .flush()
            .map_err(|error| TableError::Output(error.into()))?;
        Ok(written)
    }

    /// A reader that stands before `row`; none when the table is known to be shorter.
    fn records_from(&self, row: u64, keep: record::Keep) -> Result<Option<Records>, TableError> {
        let Mark {
            row: marked,
            offset,
        } = {
            let index = self.known();
            if index.is_complete() && row >= index.rows() {
                return Ok(None);
            }
            index.before(row)
        };
        let dialect = &self.inner.dialect;
        let file = self.file()?;
        let offset = self.skip(&file, offset, row - marked)?;
        let whole = self.inner.whole.load(Ordering::Acquire);
        Ok(offset.map(|offset| {
            let mut records = Records::new(file, dialect, keep, offset);
            records.end_is_known(whole);
            records
        }))
    }

    /// The place so many rows further on, or none behind the end.
    fn skip(&self, file: &File, from: u64, rows: u64) -> Result<Option<u64>, TableError> {
        if rows == 0 {
            return Ok(Some(from));
        }
        let mut scanner = Scanner::new(self.inner.dialect.format(), from);
        let mut block = vec![0_u8; 1 << 16];
        let mut left = rows;
        let mut place = None;
        while left > 0 {
            let read = read_at(file, &mut block, scanner.position())?;
            if read == 0 {
                return Ok(None);
            }
            scanner.feed(block.get(..read).unwrap_or_default(), |found| {
                if left > 0 {
                    left -= 1;
                    place = Some(found.end);
                }
            });
        }
        Ok(place)
    }

    /// What is known; a thread that died while adding to it leaves at worst a mark less.
    fn known(&self) -> MutexGuard<'_, Index> {
        self.inner
            .index
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_whole(record: &Record, row: u64) -> Result<(), TableError> {
    for cell in &record.cells {
        if (cell.text.len() as u64) < cell.full_bytes {
            return Err(TableError::CellTooLarge {
                row,
                bytes: cell.full_bytes,
            });
        }
    }
    Ok(())
}

/// The columns' names and where the first row begins.
fn columns_of(dialect: &Dialect, first: Option<&Record>) -> (Vec<String>, u64) {
    let Some(first) = first else {
        return (Vec::new(), dialect.skip_bytes);
    };
    if dialect.header {
        let names = first
            .cells
            .iter()
            .map(|cell| shown(dialect, cell))
            .collect();
        return (names, dialect.skip_bytes + first.length_bytes);
    }
    let names = (1..=first.cells.len()).map(|number| format!("column {number}"));
    (names.collect(), dialect.skip_bytes)
}

#[cfg(test)]
mod tests;
