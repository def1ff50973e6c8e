//! Rows out of the app: as text for the clipboard, as a new CSV, as a copy that a spreadsheet leaves as it is.
//!
//! The files themselves are never written to.

use crate::results::disk::appear;
use crate::results::table::TableError;
use crate::results::table::protect::{Region, spreadsheet_cell};
use crate::results::table::sheet::Task;
use crate::results::table::view::View;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Rows read at once.
const ROWS_AT_ONCE: usize = 2_000;

/// Text copied at most, in bytes; programs that paste more stand still.
const MOST_COPIED_BYTES: usize = 64 << 20;

/// How cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As they are, with commas.
    Plain,
    /// For a spreadsheet in a region, with the region's separator and a byte-order mark.
    Spreadsheet(Region),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    pub rows: u64,
    /// Cells protected from being changed, by column name.
    pub protected: BTreeMap<String, u64>,
}

/// Rows of a view for the clipboard: tabs between cells, so that spreadsheets and editors take them.
pub fn copy(
    view: &View,
    (first, count): (u64, u64),
    columns: &[usize],
    header: bool,
    region: Option<Region>,
    task: &Task<'_>,
) -> Result<(String, u64), TableError> {
    let mut out = Vec::new();
    let writer = csv::WriterBuilder::new()
        .delimiter(b'\t')
        .flexible(true)
        .from_writer(&mut out);
    let written = write(view, (first, count), columns, header, region, writer, task)?;
    // A single cell stands alone, without a line end.
    if written.rows == 1 && columns.len() == 1 && !header && out.last() == Some(&b'\n') {
        out.pop();
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), written.rows))
}

/// All rows of a view as a new file, which appears when it is whole.
pub fn save(
    view: &View,
    columns: &[usize],
    path: &Path,
    style: Style,
    task: &Task<'_>,
) -> Result<Written, TableError> {
    appear(path, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let mut builder = csv::WriterBuilder::new();
        builder.flexible(true);
        let region = match style {
            Style::Plain => None,
            Style::Spreadsheet(region) => {
                out.write_all("\u{feff}".as_bytes())?;
                builder
                    .delimiter(region.separator)
                    .terminator(csv::Terminator::CRLF);
                Some(region)
            }
        };
        let rows = (0, u64::MAX);
        let writer = builder.from_writer(&mut out);
        let written = write(view, rows, columns, true, region, writer, task)?;
        out.flush()?;
        Ok(written)
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "which rows and cells, how, and where to"
)]
fn write<W: Write>(
    view: &View,
    (first, count): (u64, u64),
    columns: &[usize],
    header: bool,
    region: Option<Region>,
    mut writer: csv::Writer<W>,
    task: &Task<'_>,
) -> Result<Written, TableError> {
    let names = view.sheet().columns();
    let mut written = Written::default();
    if header {
        let names = columns
            .iter()
            .map(|column| names.get(*column).map_or("", String::as_str));
        writer.write_record(names).map_err(TableError::Output)?;
    }
    let shown = view.rows_shown().unwrap_or(view.sheet().rows_known());
    let last = first.saturating_add(count).min(shown);
    let mut place = first;
    let mut bytes = 0_usize;
    while place < last {
        if (task.cancelled)() {
            return Err(TableError::Cancelled);
        }
        (task.progress)((place - first) as f32 / (last - first) as f32);
        let wanted = usize::try_from(last - place)
            .unwrap_or(usize::MAX)
            .min(ROWS_AT_ONCE);
        let (numbers, rows) = view.page(place, wanted)?;
        if rows.is_empty() {
            break;
        }
        for (number, row) in numbers.iter().zip(&rows) {
            let decimal = view.sheet().decimal_of(*number);
            let mut record = csv::StringRecord::new();
            for column in columns {
                let cell = row.get(*column).map_or("", String::as_str);
                match region {
                    None => record.push_field(cell),
                    Some(region) => {
                        let (cell, protected) = spreadsheet_cell(cell, decimal, region);
                        record.push_field(&cell);
                        if protected {
                            let name = names.get(*column).cloned().unwrap_or_default();
                            *written.protected.entry(name).or_default() += 1;
                        }
                    }
                }
            }
            bytes += record.as_slice().len() + columns.len();
            writer.write_record(&record).map_err(TableError::Output)?;
        }
        if count != u64::MAX && bytes > MOST_COPIED_BYTES {
            return Err(TableError::TooLargeToCopy);
        }
        place += rows.len() as u64;
        written.rows += rows.len() as u64;
    }
    writer
        .flush()
        .map_err(|error| TableError::Output(error.into()))?;
    Ok(written)
}
