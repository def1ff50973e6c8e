//! Reads a table, plain or gzipped, row by row, and keeps of each column only what is told of it.
//!
//! Owns what counts as a table: text whose first line has a delimiter.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How tables are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// Looked for when it is not given.
    pub(super) delimiter: Option<u8>,
    pub(super) has_header: bool,
    /// Words for a missing value; an empty cell is one, too.
    pub(super) missing: Vec<String>,
    /// Columns wanted; all when empty.
    pub(super) only: Vec<String>,
    pub(super) most_rows: u64,
}

/// What is told of a table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rows: u64,
    /// How many columns it has, wanted or not.
    pub(super) width: usize,
    pub(super) columns: Vec<Column>,
}

/// What is told of a column.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) missing: u64,
    texts: u64,
    truths: u64,
    numbers: u64,
    fractions: u64,
    sum: f64,
    least: f64,
    most: f64,
}

impl Column {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            ..Self::default()
        }
    }

    fn add(&mut self, cell: &str, missing: &[String]) {
        let cell = cell.trim();
        if cell.is_empty() || missing.iter().any(|word| word == cell) {
            self.missing += 1;
        } else if let Some(number) = cell.parse::<f64>().ok().filter(|n| n.is_finite()) {
            self.numbers += 1;
            self.fractions += u64::from(cell.parse::<i64>().is_err());
            self.sum += number;
            self.least = self.least.min(number);
            self.most = self.most.max(number);
        } else if ["true", "false"].contains(&cell.to_lowercase().as_str()) {
            self.truths += 1;
        } else {
            self.texts += 1;
        }
    }

    /// `text` as soon as one value is one.
    pub(super) fn kind(&self) -> &'static str {
        match (self.texts, self.truths, self.numbers, self.fractions) {
            (0, 0, 0, _) => "empty",
            (0, 0, _, 0) => "integer",
            (0, 0, _, _) => "number",
            (0, _, 0, _) => "boolean",
            _ => "text",
        }
    }

    fn is_numeric(&self) -> bool {
        self.numbers > 0 && self.texts == 0 && self.truths == 0
    }

    pub(super) fn least(&self) -> Option<f64> {
        self.is_numeric().then_some(self.least)
    }

    pub(super) fn most(&self) -> Option<f64> {
        self.is_numeric().then_some(self.most)
    }

    pub(super) fn mean(&self) -> Option<f64> {
        self.is_numeric().then(|| self.sum / self.numbers as f64)
    }
}

/// How much of a file is looked at to see whether it is a table.
const HEAD_BYTES: usize = 1 << 16;

/// Reads a table; else says why it is none.
pub(super) fn read(path: &Path, reading: &Reading) -> Result<Table, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read ({error})");
    let mut plain = BufReader::with_capacity(HEAD_BYTES, File::open(path).map_err(unreadable)?);
    let head = plain.fill_buf().map_err(unreadable)?;
    if head.starts_with(&[0x1F, 0x8B]) {
        let unpacked = MultiGzDecoder::new(plain);
        return rows(BufReader::with_capacity(HEAD_BYTES, unpacked), reading);
    }
    rows(plain, reading)
}

fn rows(mut reader: impl BufRead, reading: &Reading) -> Result<Table, String> {
    let head = reader
        .fill_buf()
        .map_err(|_error| "it is gzipped and damaged".to_owned())?;
    let delimiter = delimiter(head, reading)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(Bounded {
            inner: reader,
            line: 0,
        });
    let mut table = Table {
        rows: 0,
        width: 0,
        columns: Vec::new(),
    };
    // Which columns are wanted.
    let mut places: Vec<usize> = Vec::new();
    let mut record = csv::ByteRecord::new();
    let mut is_first = true;
    while table.rows < reading.most_rows
        && reader
            .read_byte_record(&mut record)
            .map_err(|error| format!("it cannot be read as a table ({error})"))?
    {
        if is_first {
            is_first = false;
            table.width = record.len();
            for (place, cell) in record.iter().enumerate() {
                let name = String::from_utf8_lossy(cell);
                let name = name.trim_start_matches('\u{feff}').trim().to_owned();
                let name = if reading.has_header {
                    name
                } else {
                    format!("column {}", place + 1)
                };
                if reading.only.is_empty() || reading.only.contains(&name) {
                    places.push(place);
                    table.columns.push(Column::named(&name));
                }
            }
            if reading.has_header {
                continue;
            }
        }
        table.rows += 1;
        for (place, column) in places.iter().zip(&mut table.columns) {
            let cell = record.get(*place).unwrap_or_default();
            column.add(&String::from_utf8_lossy(cell), &reading.missing);
        }
    }
    Ok(table)
}

/// The delimiter there are most of in the first line.
fn delimiter(head: &[u8], reading: &Reading) -> Result<u8, String> {
    if head.is_empty() {
        return Err("it is empty".to_owned());
    }
    if head.contains(&0) {
        return Err("it is no text".to_owned());
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let count = |wanted: u8| memchr::memchr_iter(wanted, line).count();
    let candidates = match reading.delimiter {
        Some(given) => vec![given],
        None => vec![b',', b'\t', b';'],
    };
    let best = candidates.into_iter().rev().max_by_key(|byte| count(*byte));
    best.filter(|byte| count(*byte) > 0)
        .ok_or_else(|| "its first line has no columns".to_owned())
}

/// Ends with an error when a line goes on for ever, so that no row is held as a whole.
struct Bounded<R> {
    inner: R,
    line: usize,
}

/// The longest line that is read.
const LONGEST_LINE: usize = 16 << 20;

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let block = buffer.get(..length).unwrap_or_default();
        match block.iter().rposition(|byte| *byte == b'\n') {
            Some(place) => self.line = length - place,
            None => self.line += length,
        }
        if self.line > LONGEST_LINE {
            return Err(std::io::Error::other("a line is too long"));
        }
        Ok(length)
    }
}
