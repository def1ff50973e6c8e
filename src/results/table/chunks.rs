//! A counted table in pieces of about a megabyte, each of whole records, for looking at all of it on several threads.

use crate::results::disk::read_at;
use crate::results::table::cells::{Cells, each_record};
use crate::results::table::index::Chunk;
use crate::results::table::page::Records;
use crate::results::table::record::Keep;
use crate::results::table::{TableError, TableFile};

/// A piece larger than this has a record that does not fit in memory for looking at one cell of it.
const LARGEST_CHUNK_BYTES: u64 = 64 << 20;

/// What is looked at of a cell in such a piece.
const KEPT_CELL_BYTES: usize = 1 << 20;

impl TableFile {
    /// All pieces, in order. Only for a table that has been counted.
    pub(crate) fn chunks(&self) -> Vec<Chunk> {
        self.known().chunks()
    }

    /// Shows the wanted cells of each row of a piece, with its number in the file. `wanted` is ascending.
    pub(crate) fn each_row(
        &self,
        chunk: &Chunk,
        wanted: &[usize],
        buffer: &mut Vec<u8>,
        mut row: impl FnMut(u64, &Cells<'_>),
    ) -> Result<(), TableError> {
        let mut number = chunk.first_row;
        if chunk.end - chunk.offset > LARGEST_CHUNK_BYTES {
            return self.each_huge_row(chunk, wanted, row);
        }
        let length = usize::try_from(chunk.end - chunk.offset).unwrap_or(0);
        buffer.resize(length, 0);
        let read = read_at(&*self.file()?, buffer, chunk.offset)?;
        if read < length {
            return Err(TableError::Changed);
        }
        each_record(buffer, self.inner.dialect.format(), wanted, |cells| {
            row(number, cells);
            number += 1;
        });
        if number == chunk.first_row + chunk.rows {
            Ok(())
        } else {
            Err(TableError::Changed)
        }
    }

    /// The same for records that are read block by block, their cells cut.
    fn each_huge_row(
        &self,
        chunk: &Chunk,
        wanted: &[usize],
        mut row: impl FnMut(u64, &Cells<'_>),
    ) -> Result<(), TableError> {
        let keep = Keep {
            cell_bytes: KEPT_CELL_BYTES,
            cells: wanted.last().map_or(0, |last| last + 1),
        };
        let dialect = &self.inner.dialect;
        let mut records = Records::new(self.file()?, dialect, keep, chunk.offset);
        for number in chunk.first_row..chunk.first_row + chunk.rows {
            let Some(record) = records.next()? else {
                return Err(TableError::Changed);
            };
            let cells = wanted
                .iter()
                .map_while(|column| record.cells.get(*column))
                .map(|cell| cell.text.as_slice());
            Cells::of(cells, |cells| row(number, cells));
        }
        Ok(())
    }
}
