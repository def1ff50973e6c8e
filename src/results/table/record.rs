//! Where records and cells begin and end, given how a table is written.
//!
//! Three readers share one set of rules: `scanner` only finds record ends, `cells` looks at single columns of many records,
//! both fast; the splitter here takes whole records out, of any size, block by block.
//! A quote opens only at the beginning of a cell and a doubled quote inside is one quote (RFC 4180); a quote anywhere else is
//! a letter, as in `5" pipe`. Blank lines are no records. Which bytes mean what was decided by `dialect`.

use memchr::{memchr, memchr2, memchr3_iter};

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed, with or without a carriage return before it.
    Lf,
    /// A lone carriage return, as old Macintosh programs and some instruments write.
    Cr,
}

impl LineEnd {
    /// Carriage returns end lines only in a text without any line feed outside of quotes.
    pub(crate) fn guess(head: &[u8], quote: Option<u8>) -> Self {
        let (mut in_quotes, mut returns) = (false, false);
        for place in memchr3_iter(quote.unwrap_or(b'\n'), b'\n', b'\r', head) {
            let byte = head.get(place).copied();
            if byte == quote {
                in_quotes = !in_quotes;
            } else if !in_quotes {
                match byte {
                    Some(b'\n') => return Self::Lf,
                    _ => returns = true,
                }
            }
        }
        if returns { Self::Cr } else { Self::Lf }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        }
    }
}

/// The three bytes with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) line_end: LineEnd,
}

/// One cell without its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    /// At most as many bytes as the splitter keeps.
    pub(crate) text: Vec<u8>,
    /// Length of the whole cell.
    pub(crate) full_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// At most as many as the splitter keeps.
    pub(crate) cells: Vec<Cell>,
    /// Bytes from the record's begin to the next one's, line end included.
    pub(crate) length_bytes: u64,
}

/// What a splitter keeps of very large cells and records. Everything is read and counted nevertheless.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) cell_bytes: usize,
    pub(crate) cells: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// A quote inside a quoted cell: its end, or the first of a pair.
    AfterQuote,
}

/// Takes records apart, block by block.
pub(crate) struct Splitter {
    format: Format,
    keep: Keep,
    place: Place,
    record: Record,
    cell: Cell,
    /// Whether the cell's last byte is a carriage return outside quotes, which belongs to the line end.
    loose_return: bool,
    /// Whether a quote or a delimiter was in this record: then it is one, even with nothing in its cells.
    filled: bool,
}

impl Splitter {
    pub(crate) fn new(format: Format, keep: Keep) -> Self {
        Self {
            format,
            keep,
            place: Place::CellStart,
            record: Record::default(),
            cell: Cell::default(),
            loose_return: false,
            filled: false,
        }
    }

    /// Reads on until a record ends or the block does. The record, and the bytes used of the block.
    pub(crate) fn feed(&mut self, block: &[u8]) -> (Option<Record>, usize) {
        let mut rest = block;
        while let Some((byte, behind)) = rest.split_first() {
            let before = rest.len();
            let ended = match self.place {
                Place::CellStart if Some(*byte) == self.format.quote => {
                    self.filled = true;
                    self.place = Place::Quoted;
                    rest = behind;
                    false
                }
                Place::AfterQuote if Some(*byte) == self.format.quote => {
                    self.push(std::slice::from_ref(byte));
                    self.place = Place::Quoted;
                    rest = behind;
                    false
                }
                Place::Quoted => {
                    rest = self.quoted(rest);
                    false
                }
                Place::CellStart | Place::AfterQuote | Place::Plain => {
                    let (left, ended) = self.plain(rest);
                    rest = left;
                    ended
                }
            };
            self.record.length_bytes += (before - rest.len()) as u64;
            if ended && let Some(record) = self.end_record() {
                return (Some(record), block.len() - rest.len());
            }
        }
        (None, block.len())
    }

    /// What stands behind the last line end.
    pub(crate) fn finish(&mut self) -> Option<Record> {
        self.end_record()
    }

    /// Whether the text ended inside quotes.
    #[cfg(test)]
    pub(crate) fn is_open(&self) -> bool {
        self.place == Place::Quoted
    }

    fn quoted<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        let end = self.format.quote.and_then(|quote| memchr(quote, rest));
        let (text, left) = rest.split_at(end.unwrap_or(rest.len()));
        self.push(text);
        match left.split_first() {
            Some((_, behind)) => {
                self.place = Place::AfterQuote;
                behind
            }
            None => left,
        }
    }

    /// Up to and including a delimiter or line end; the flag says it was a line end.
    fn plain<'b>(&mut self, rest: &'b [u8]) -> (&'b [u8], bool) {
        let line_end = self.format.line_end.byte();
        let end = memchr2(self.format.delimiter, line_end, rest);
        let (text, left) = rest.split_at(end.unwrap_or(rest.len()));
        if !text.is_empty() {
            self.push(text);
            self.place = Place::Plain;
            self.loose_return = text.last() == Some(&b'\r');
        }
        match left.split_first() {
            None => (left, false),
            Some((byte, behind)) if *byte == line_end => (behind, true),
            Some((_, behind)) => {
                self.filled = true;
                self.end_cell();
                (behind, false)
            }
        }
    }

    fn push(&mut self, text: &[u8]) {
        self.loose_return = false;
        self.cell.full_bytes += text.len() as u64;
        let room = self.keep.cell_bytes.saturating_sub(self.cell.text.len());
        let (kept, _) = text.split_at(room.min(text.len()));
        self.cell.text.extend_from_slice(kept);
    }

    fn end_cell(&mut self) {
        self.place = Place::CellStart;
        self.loose_return = false;
        let cell = std::mem::take(&mut self.cell);
        if self.record.cells.len() < self.keep.cells {
            self.record.cells.push(cell);
        }
    }

    /// None for a blank line, whose bytes count to the next record.
    fn end_record(&mut self) -> Option<Record> {
        if self.loose_return && self.format.line_end == LineEnd::Lf {
            if self.cell.text.len() as u64 == self.cell.full_bytes {
                self.cell.text.pop();
            }
            self.cell.full_bytes -= 1;
        }
        if !self.filled && self.cell.full_bytes == 0 {
            self.cell = Cell::default();
            self.place = Place::CellStart;
            self.loose_return = false;
            return None;
        }
        self.end_cell();
        self.filled = false;
        Some(std::mem::take(&mut self.record))
    }
}

/// The first records of a text. Its last one counts only when nothing follows the text or a line end closed it.
pub(crate) fn split_records(text: &[u8], whole: bool, format: Format, most: usize) -> Vec<Record> {
    let keep = Keep {
        cell_bytes: 1 << 12,
        cells: 1 << 16,
    };
    let mut splitter = Splitter::new(format, keep);
    let mut records = Vec::new();
    let mut rest = text;
    while records.len() < most {
        let (record, used) = splitter.feed(rest);
        let Some(record) = record else {
            // A single record longer than the text is better than nothing.
            if (whole || records.is_empty())
                && let Some(last) = splitter.finish()
            {
                records.push(last);
            }
            break;
        };
        records.push(record);
        (_, rest) = rest.split_at(used.min(rest.len()));
    }
    records
}

#[cfg(test)]
mod tests;
