//! Where records stand in a large table: the place of every 64th, found in one pass over the file.
//!
//! The index grows block by block while others read with what is known so far. It knows rows, not cells.

use crate::results::table::record::Format;
use crate::results::table::scanner::Scanner;

/// Records between two marks.
const MARK_RECORDS: u64 = 64;

/// Bytes after which a mark is set earlier, so that rows with large cells are found quickly, too.
const MARK_BYTES: u64 = 1 << 20;

/// A row and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) row: u64,
    pub(crate) offset: u64,
}

/// What is known of a table's rows so far.
#[derive(Debug)]
pub(crate) struct Index {
    /// Ascending; the first is row 0.
    marks: Vec<Mark>,
    /// The last of them.
    last: Mark,
    /// Rows found.
    rows: u64,
    /// Everything before this place was looked at.
    scanned_bytes: u64,
    columns: u64,
    ragged_rows: u64,
    complete: bool,
    /// The row that begins with a quote nobody closes, if there is one.
    open_row: Option<u64>,
}

/// The pass over the file.
pub(crate) struct Pass {
    scanner: Scanner,
}

impl Index {
    pub(crate) fn new(data_start: u64, columns: u64) -> Self {
        let first = Mark {
            row: 0,
            offset: data_start,
        };
        Self {
            marks: vec![first],
            last: first,
            rows: 0,
            scanned_bytes: data_start,
            columns,
            ragged_rows: 0,
            complete: false,
            open_row: None,
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn ragged_rows(&self) -> u64 {
        self.ragged_rows
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn scanned_bytes(&self) -> u64 {
        self.scanned_bytes
    }

    pub(crate) fn open_row(&self) -> Option<u64> {
        self.open_row
    }

    /// The last mark at or before a row.
    pub(crate) fn before(&self, row: u64) -> Mark {
        let behind = self.marks.partition_point(|mark| mark.row <= row);
        let known = behind.checked_sub(1).and_then(|at| self.marks.get(at));
        known.or(self.marks.first()).copied().unwrap_or(Mark {
            row: 0,
            offset: self.scanned_bytes,
        })
    }

    #[inline]
    fn row_ended(&mut self, end: u64, cells: u64) {
        self.rows += 1;
        self.ragged_rows += u64::from(cells != self.columns);
        if self.rows - self.last.row >= MARK_RECORDS || end - self.last.offset >= MARK_BYTES {
            self.last = Mark {
                row: self.rows,
                offset: end,
            };
            self.marks.push(self.last);
        }
    }
}

impl Pass {
    pub(crate) fn new(format: Format, data_start: u64) -> Self {
        Self {
            scanner: Scanner::new(format, data_start),
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.scanner.position()
    }

    /// Adds the next block of the file; an empty one is its end.
    pub(crate) fn add(&mut self, block: &[u8], index: &mut Index) {
        if block.is_empty() {
            if self.scanner.is_open() {
                index.open_row = Some(index.rows);
            }
            self.scanner
                .finish(|found| index.row_ended(found.end, found.cells));
            index.complete = true;
        } else {
            self.scanner
                .feed(block, |found| index.row_ended(found.end, found.cells));
        }
        index.scanned_bytes = self.scanner.position();
    }
}
