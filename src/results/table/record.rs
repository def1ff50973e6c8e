//! Where records and cells begin and end, given how a table is written.
//!
//! Two readers share one set of rules: the scanner only finds record ends, fast; the splitter also takes the cells out.
//! A quote opens only at the beginning of a cell and a doubled quote inside is one quote (RFC 4180); a quote anywhere else is
//! a letter, as in `5" pipe`. Blank lines are no records. Which bytes mean what was decided by `dialect`.

use memchr::{memchr, memchr_iter, memchr2};

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed, with or without a carriage return before it.
    Lf,
    /// A lone carriage return, as old Macintosh programs and some instruments write.
    Cr,
}

impl LineEnd {
    /// Carriage returns end lines only in a text without any line feed.
    pub(crate) fn guess(head: &[u8]) -> Self {
        if memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some() {
            Self::Cr
        } else {
            Self::Lf
        }
    }

    const fn byte(self) -> u8 {
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

/// A record the scanner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where the next record begins.
    pub(crate) end: u64,
    pub(crate) cells: u64,
}

/// Finds where records end, without looking at more than quotes and line ends.
pub(crate) struct Scanner {
    format: Format,
    /// Place in the file of the next byte.
    position: u64,
    record_start: u64,
    delimiters: u64,
    in_quotes: bool,
    /// The last byte was a quote inside quotes.
    after_quote: bool,
    /// The last byte; a line end at the beginning, since a quote may open there.
    previous: u8,
}

impl Scanner {
    /// Starts at the begin of a record.
    pub(crate) fn new(format: Format, position: u64) -> Self {
        Self {
            format,
            position,
            record_start: position,
            delimiters: 0,
            in_quotes: false,
            after_quote: false,
            previous: format.line_end.byte(),
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn is_open(&self) -> bool {
        self.in_quotes
    }

    pub(crate) fn feed(&mut self, block: &[u8], found: &mut impl FnMut(Found)) {
        let mut rest = block;
        while let Some(first) = rest.first() {
            let used = if self.in_quotes {
                self.inside(rest)
            } else if self.after_quote && Some(*first) == self.format.quote {
                self.after_quote = false;
                self.in_quotes = true;
                1
            } else {
                self.after_quote = false;
                self.outside(rest, found)
            };
            self.position += used as u64;
            (_, rest) = rest.split_at(used.min(rest.len()));
        }
    }

    /// The record behind the last line end, at the end of the file.
    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Found)) {
        self.end_record(self.position, self.position, found);
    }

    fn inside(&mut self, rest: &[u8]) -> usize {
        let Some(quote) = self.format.quote else {
            return rest.len();
        };
        let Some(place) = memchr(quote, rest) else {
            return rest.len();
        };
        self.in_quotes = false;
        self.after_quote = true;
        self.previous = quote;
        place + 1
    }

    fn outside(&mut self, rest: &[u8], found: &mut impl FnMut(Found)) -> usize {
        let line_end = self.format.line_end.byte();
        let stop = match self.format.quote {
            Some(quote) => memchr2(quote, line_end, rest),
            None => memchr(line_end, rest),
        };
        let (text, left) = rest.split_at(stop.unwrap_or(rest.len()));
        self.delimiters += memchr_iter(self.format.delimiter, text).count() as u64;
        if let Some(last) = text.last() {
            self.previous = *last;
        }
        let Some(byte) = left.first() else {
            return rest.len();
        };
        let used = text.len() + 1;
        if *byte == line_end {
            let end = self.position + text.len() as u64;
            self.end_record(end, end + 1, found);
            self.previous = line_end;
        } else if self.previous == self.format.delimiter
            || self.position + text.len() as u64 == self.record_start
        {
            self.in_quotes = true;
        } else {
            self.previous = *byte;
        }
        used
    }

    /// Tells of the record that stops at `end`; the next one begins at `next`.
    fn end_record(&mut self, end: u64, next: u64, found: &mut impl FnMut(Found)) {
        let length = end - self.record_start;
        let blank = length == 0
            || (length == 1 && self.previous == b'\r' && self.format.line_end == LineEnd::Lf);
        let cells = self.delimiters + 1;
        self.delimiters = 0;
        self.record_start = next;
        if !blank {
            found(Found { end: next, cells });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::record::{
        Format, Found, Keep, LineEnd, Scanner, Splitter, split_records,
    };

    const COMMA: Format = Format {
        delimiter: b',',
        quote: Some(b'"'),
        line_end: LineEnd::Lf,
    };
    const ALL: Keep = Keep {
        cell_bytes: usize::MAX,
        cells: usize::MAX,
    };

    fn cells(text: &str) -> Vec<Vec<String>> {
        split_records(text.as_bytes(), true, COMMA, 1000)
            .into_iter()
            .map(|r| {
                r.cells
                    .into_iter()
                    .map(|c| String::from_utf8(c.text).unwrap())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn cells_are_taken_out_as_they_are() {
        let table: [(&str, &[&[&str]]); 14] = [
            ("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]),
            ("007,1e5, x \n", &[&["007", "1e5", " x "]]),
            ("\"a,b\",\"c\nd\"\n", &[&["a,b", "c\nd"]]),
            ("\"say \"\"hi\"\"\",\"\"\n", &[&["say \"hi\"", ""]]),
            ("5\" pipe,b\"\"c\n", &[&["5\" pipe", "b\"\"c"]]),
            ("\"a\"b,c\n", &[&["ab", "c"]]),
            ("a\r\nb\r\n", &[&["a"], &["b"]]),
            ("\"a\r\",b\r\r\n", &[&["a\r", "b\r"]]),
            ("\n\r\na\n\n\nb", &[&["a"], &["b"]]),
            ("\"\"\n,\n", &[&[""], &["", ""]]),
            ("a,b,\n", &[&["a", "b", ""]]),
            ("a\0b,c\n", &[&["a\0b", "c"]]),
            ("\"never closed,\nx", &[&["never closed,\nx"]]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(cells(text), expected, "{text:?}");
        }
    }

    #[test]
    fn lone_carriage_returns_end_lines_when_nothing_else_does() {
        let format = Format {
            line_end: LineEnd::guess(b"a,b\r1,2\r"),
            ..COMMA
        };
        let records = split_records(b"a,b\r\"1\r\",2\r", true, format, 9);
        assert_eq!(records.len(), 2);
        assert_eq!(records[1].cells[0].text, b"1\r");
    }

    #[test]
    fn a_huge_cell_is_cut_and_its_length_told() {
        let text = format!("{},b\n", "x".repeat(100_000));
        let mut splitter = Splitter::new(
            COMMA,
            Keep {
                cell_bytes: 10,
                cells: 1,
            },
        );
        let record = splitter.feed(text.as_bytes()).0.unwrap();
        assert_eq!(record.cells.len(), 1);
        assert_eq!(
            (record.cells[0].text.len(), record.cells[0].full_bytes),
            (10, 100_000)
        );
        assert_eq!(record.length_bytes, text.len() as u64);
    }

    /// Both readers, in blocks of any size, against each other.
    #[test]
    fn scanner_and_splitter_agree_on_any_text() {
        let mut random = fastrand::Rng::with_seed(11);
        for round in 0..4000 {
            let line_end = if round % 3 == 0 {
                LineEnd::Cr
            } else {
                LineEnd::Lf
            };
            let quote = (round % 5 != 0).then_some(b'"');
            let format = Format {
                quote,
                line_end,
                ..COMMA
            };
            let text: Vec<u8> = (0..random.usize(0..60))
                .map(|_| *random.choice(b"a,,\"\"\n\n\r;\0").unwrap())
                .collect();
            let mut split = Splitter::new(format, ALL);
            let mut scan = Scanner::new(format, 0);
            let (mut records, mut found): (Vec<_>, Vec<Found>) = (Vec::new(), Vec::new());
            let size = random.usize(1..9);
            for block in text.chunks(size) {
                let mut rest = block;
                while !rest.is_empty() {
                    let (record, used) = split.feed(rest);
                    records.extend(record);
                    rest = &rest[used..];
                }
                scan.feed(block, &mut |f| found.push(f));
            }
            assert_eq!(split.is_open(), scan.is_open(), "{text:?}");
            records.extend(split.finish());
            scan.finish(&mut |f| found.push(f));
            let mut end = 0;
            let from_split: Vec<Found> = records
                .iter()
                .map(|r| {
                    end += r.length_bytes;
                    Found {
                        end,
                        cells: r.cells.len() as u64,
                    }
                })
                .collect();
            assert_eq!(
                from_split,
                found,
                "{:?} {format:?}",
                String::from_utf8_lossy(&text)
            );
        }
    }

    /// Against the csv package, where both have the same rules: no lone carriage return, nothing behind a closing quote.
    #[test]
    fn cells_are_those_of_the_csv_package() {
        let mut random = fastrand::Rng::with_seed(12);
        let words = [
            "a",
            "",
            "1.5",
            "\"x,y\"",
            "\"l\nm\"",
            "\"q\"\"r\"",
            "世",
            " s ",
        ];
        for _ in 0..2000 {
            let mut text = String::new();
            for _ in 0..random.usize(0..6) {
                let row: Vec<_> = (0..random.usize(1..5))
                    .map(|_| random.choice(words).unwrap())
                    .collect();
                text.push_str(&row.join(","));
                text.push_str(random.choice(["\n", "\r\n"]).unwrap());
            }
            let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes())
                .records()
                .map(|r| r.unwrap().iter().map(str::to_owned).collect())
                .collect();
            assert_eq!(cells(&text), theirs, "{text:?}");
        }
    }
}
