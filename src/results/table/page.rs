//! Reading rows out of a table from a known place on.
//!
//! Bounded in what it keeps: a page never holds more than a fixed amount of text, however large cells and rows are.

use crate::results::disk::read_at;
use crate::results::table::TableError;
use crate::results::table::dialect::Dialect;
use crate::results::table::record::{Cell, Keep, Record, Splitter};
use std::fs::File;
use std::sync::Arc;

/// Bytes of a cell shown in a page; a cell in a grid is read up to a few hundred letters.
pub(crate) const SHOWN_CELL_BYTES: usize = 64 << 10;

/// Text a page may hold; it is shorter than asked for when its rows are larger.
pub(crate) const PAGE_BYTES: usize = 32 << 20;

/// Cells of one row that are kept.
const ROW_CELLS: usize = 1 << 20;

/// A cell that is written out whole; beyond this it is an unclosed quote and not a cell.
pub(crate) const WHOLE_CELL_BYTES: usize = 256 << 20;

/// What a page shows of very large cells.
pub(crate) const SHOWN: Keep = Keep {
    cell_bytes: SHOWN_CELL_BYTES,
    cells: ROW_CELLS,
};

/// What is written out of a table.
pub(crate) const WHOLE: Keep = Keep {
    cell_bytes: WHOLE_CELL_BYTES,
    cells: ROW_CELLS,
};

const FIRST_BLOCK_BYTES: usize = 1 << 16;
const LARGEST_BLOCK_BYTES: usize = 1 << 20;

/// Records one after another, from a place where one begins.
pub(crate) struct Records {
    file: Arc<File>,
    splitter: Splitter,
    block: Vec<u8>,
    /// Bytes of the block that are from the file, and those already used.
    filled: usize,
    used: usize,
    offset: u64,
    ended: bool,
    /// Whether the end of the file is the end of the text, and not only as far as it has been unpacked.
    end_is_known: bool,
}

impl Records {
    pub(crate) fn new(file: Arc<File>, dialect: &Dialect, keep: Keep, offset: u64) -> Self {
        Self {
            file,
            splitter: Splitter::new(dialect.format(), keep),
            block: vec![0; FIRST_BLOCK_BYTES],
            filled: 0,
            used: 0,
            offset,
            ended: false,
            end_is_known: true,
        }
    }

    /// Says whether what stands behind the last line end is a record.
    pub(crate) fn end_is_known(&mut self, known: bool) {
        self.end_is_known = known;
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record>, TableError> {
        while !self.ended {
            let rest = self.block.get(self.used..self.filled).unwrap_or_default();
            if rest.is_empty() {
                self.fill()?;
                continue;
            }
            let (record, used) = self.splitter.feed(rest);
            self.used += used;
            if record.is_some() {
                return Ok(record);
            }
        }
        if self.end_is_known {
            Ok(self.splitter.finish())
        } else {
            Ok(None)
        }
    }

    fn fill(&mut self) -> Result<(), TableError> {
        if self.filled > 0 && self.block.len() < LARGEST_BLOCK_BYTES {
            self.block.resize(LARGEST_BLOCK_BYTES, 0);
        }
        self.filled = read_at(&self.file, &mut self.block, self.offset)?;
        self.used = 0;
        self.offset += self.filled as u64;
        self.ended = self.filled == 0;
        Ok(())
    }
}

/// A cell as letters; one that was cut says how long it is.
pub(crate) fn shown(dialect: &Dialect, cell: &Cell) -> String {
    let cut = (cell.text.len() as u64) < cell.full_bytes;
    let text = dialect.encoding.whole_letters(&cell.text, cut);
    let text = dialect.encoding.decode_cell(text);
    if cut {
        format!("{text}… [{} bytes in all]", cell.full_bytes)
    } else {
        text.into_owned()
    }
}
