//! Where records stand in a large table: the place of every 64th, found in one pass over the file.
//!
//! The index grows block by block while others read with what is known so far. It knows rows, not cells.

use crate::results::table::record::Format;
use crate::results::table::scanner::{Found, Scanner};

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

/// A piece of the table: whole records, about [`CHUNK_BYTES`] of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    /// Where the next piece begins.
    pub(crate) end: u64,
    pub(crate) first_row: u64,
    pub(crate) rows: u64,
}

/// Bytes of a piece, unless a single record is larger.
const CHUNK_BYTES: u64 = 1 << 20;

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

    /// Everything found so far, in pieces.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        let end = Mark {
            row: self.rows,
            offset: self.scanned_bytes,
        };
        let mut marks = self.marks.iter();
        let Some(mut from) = marks.next().copied() else {
            return chunks;
        };
        let mut piece = |from: Mark, to: Mark| {
            if to.row > from.row {
                chunks.push(Chunk {
                    offset: from.offset,
                    end: to.offset,
                    first_row: from.row,
                    rows: to.row - from.row,
                });
            }
        };
        for mark in marks {
            if mark.offset - from.offset >= CHUNK_BYTES {
                piece(from, *mark);
                from = *mark;
            }
        }
        piece(from, end);
        chunks
    }

    /// A tally to count on without touching memory at every row.
    fn tally(&self) -> Tally {
        Tally {
            rows: self.rows,
            ragged_rows: self.ragged_rows,
            columns: self.columns,
            last: self.last,
        }
    }

    fn adopt(&mut self, tally: &Tally) {
        self.rows = tally.rows;
        self.ragged_rows = tally.ragged_rows;
        self.last = tally.last;
    }
}

/// The numbers that change with every row.
struct Tally {
    rows: u64,
    ragged_rows: u64,
    columns: u64,
    last: Mark,
}

impl Tally {
    /// Counts a row that ended. The mark to be set behind it, if one is due.
    #[expect(clippy::inline_always, reason = "the inner loop of counting a table")]
    #[inline(always)]
    fn row_ended(&mut self, found: Found) -> Option<Mark> {
        self.rows += 1;
        self.ragged_rows += u64::from(found.cells != self.columns);
        let due =
            self.rows - self.last.row >= MARK_RECORDS || found.end - self.last.offset >= MARK_BYTES;
        due.then(|| {
            self.last = Mark {
                row: self.rows,
                offset: found.end,
            };
            self.last
        })
    }
}

impl Pass {
    pub(crate) fn new(format: Format, data_start: u64) -> Self {
        Self {
            scanner: Scanner::new(format, data_start),
        }
    }

    /// Adds the next block of the file; an empty one is its end.
    pub(crate) fn add(&mut self, block: &[u8], index: &mut Index) {
        let mut tally = index.tally();
        let marks = &mut index.marks;
        let count = |found| {
            if let Some(mark) = tally.row_ended(found) {
                marks.push(mark);
            }
        };
        if block.is_empty() {
            if self.scanner.is_open() {
                index.open_row = Some(index.rows);
            }
            self.scanner.finish(count);
            index.complete = true;
        } else {
            self.scanner.feed(block, count);
        }
        index.adopt(&tally);
        index.scanned_bytes = self.scanner.position();
    }
}
