//! How a table is written: what separates cells, ends lines and quotes, which decimal mark, and whether names come first.
//!
//! All of it is guessed from the first block and can be told otherwise. It reads bytes it is given and opens nothing.

use crate::model::table::Reading;
use crate::results::table::encoding::Encoding;
use crate::results::table::number::is_missing;
use crate::results::table::record::{Format, LineEnd, Record, split_records};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub encoding: Encoding,
    /// A single byte: one of `,` `;` tab `|` unless told otherwise.
    pub delimiter: u8,
    /// None where quotes are ordinary letters.
    pub quote: Option<u8>,
    pub line_end: LineEnd,
    /// `.` or `,`, as the table's numbers have it.
    pub decimal: char,
    /// Whether the first record names the columns.
    pub header: bool,
    /// How sure the guess of the delimiter is; none where it was not guessed.
    pub confidence_percent: Option<u8>,
    /// Bytes before the first record: a byte-order mark, Excel's `sep=;` line.
    pub(crate) skip_bytes: u64,
}

pub use crate::model::table::ReadAs as Wishes;

/// Delimiters tried, in the order preferred when two fit equally well: commas also stand inside numbers and sentences.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];

/// Records looked at.
const SAMPLE_RECORDS: usize = 200;

/// Share of records that must have the commonest number of cells for a text to count as a table, in percent.
const STEADY_PERCENT: usize = 80;

/// How well a delimiter fits the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) delimiter: u8,
    /// Commonest number of cells in a record.
    pub(crate) cells: usize,
    /// Records looked at.
    pub(crate) records: usize,
    /// Share of records with that many cells.
    pub(crate) steady_percent: usize,
}

impl Dialect {
    /// Guesses everything not wished for. `head` is bytewise text; `whole` says that nothing follows it.
    pub(crate) fn guess(head: &[u8], whole: bool, encoding: Encoding, wishes: &Wishes) -> Self {
        let mark = encoding.mark_bytes(head);
        let (_, body) = head.split_at(mark);
        let quote = wishes.quote.unwrap_or(Some(b'"'));
        let line_end = LineEnd::guess(body, quote);
        let (stated, stated_bytes) = stated_delimiter(body, line_end);
        let (_, body) = body.split_at(stated_bytes);
        let format = |delimiter| Format {
            delimiter,
            quote,
            line_end,
        };
        let known = wishes.delimiter.or(stated);
        let fit = match known {
            Some(_) => None,
            None => best_fit(body, whole, quote, line_end),
        };
        let delimiter = known.or(fit.map(|fit| fit.delimiter)).unwrap_or(b',');
        let sample = split_records(body, whole, format(delimiter), SAMPLE_RECORDS);
        Self {
            encoding,
            delimiter,
            quote,
            line_end,
            decimal: wishes.decimal.unwrap_or_else(|| guess_decimal(&sample)),
            header: wishes.header.unwrap_or_else(|| guess_header(&sample)),
            confidence_percent: fit.and_then(|fit| u8::try_from(fit.steady_percent).ok()),
            skip_bytes: (mark + stated_bytes) as u64,
        }
    }

    /// For the preview pane.
    pub(crate) fn reading(&self, words: String, said: Wishes) -> Reading {
        Reading {
            words,
            delimiter: self.delimiter,
            quote: self.quote,
            decimal: self.decimal,
            header: self.header,
            encoding: self.encoding,
            confidence_percent: self.confidence_percent,
            said,
        }
    }

    pub(crate) fn format(&self) -> Format {
        Format {
            delimiter: self.delimiter,
            quote: self.quote,
            line_end: self.line_end,
        }
    }

    /// In words, such as `comma, UTF-8`.
    pub fn describe(&self) -> String {
        let decimal = if self.decimal == ',' {
            ", decimal comma"
        } else {
            ""
        };
        format!(
            "{}{decimal}, {}",
            self.delimiter_name(),
            self.encoding.name()
        )
    }

    pub fn delimiter_name(&self) -> String {
        match self.delimiter {
            b',' => "comma".to_owned(),
            b';' => "semicolon".to_owned(),
            b'\t' => "tab".to_owned(),
            b'|' => "vertical bar".to_owned(),
            other => format!("“{}”", char::from(other)),
        }
    }
}

/// Excel writes and obeys a first line `sep=;`. Its delimiter and length, or none and 0.
fn stated_delimiter(body: &[u8], line_end: LineEnd) -> (Option<u8>, usize) {
    let Some(rest) = body.strip_prefix(b"sep=") else {
        return (None, 0);
    };
    let Some((delimiter, rest)) = rest.split_first() else {
        return (None, 0);
    };
    let end: &[u8] = match line_end {
        LineEnd::Lf if rest.starts_with(b"\r\n") => b"\r\n",
        LineEnd::Lf => b"\n",
        LineEnd::Cr => b"\r",
    };
    if rest.starts_with(end) {
        (Some(*delimiter), 5 + end.len())
    } else {
        (None, 0)
    }
}

/// The delimiter that gives the steadiest rows of at least two cells.
pub(crate) fn best_fit(
    body: &[u8],
    whole: bool,
    quote: Option<u8>,
    line_end: LineEnd,
) -> Option<Fit> {
    let mut best: Option<(Fit, usize)> = None;
    for delimiter in DELIMITERS {
        let format = Format {
            delimiter,
            quote,
            line_end,
        };
        let sample = split_records(body, whole, format, SAMPLE_RECORDS);
        let Some(fit) = fit(delimiter, &sample) else {
            continue;
        };
        // A decimal comma in every cell makes commas steady, too; more cells alone must not win against that.
        let score = fit.steady_percent * 4 + usize::from(fit.steady_percent >= STEADY_PERCENT) * 40;
        let score = score + usize::from(delimiter == b'\t') + bonus(delimiter, &sample);
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((fit, score));
        }
    }
    best.map(|(fit, _)| fit)
}

/// Semicolons and bars beat commas only where commas are explained otherwise, as decimal marks or inside sentences.
fn bonus(delimiter: u8, sample: &[Record]) -> usize {
    if delimiter != b',' {
        return 0;
    }
    let cells = sample.iter().flat_map(|record| &record.cells);
    let (mut halves, mut total) = (0_usize, 0_usize);
    for cell in cells {
        total += 1;
        let other = cell
            .text
            .iter()
            .any(|byte| matches!(byte, b';' | b'|' | b'\t'));
        // `1;5` is what a comma makes of `0,1;5,2`.
        halves += usize::from(other && cell.text.iter().any(u8::is_ascii_digit));
    }
    if halves * 4 >= total { 0 } else { 3 }
}

fn fit(delimiter: u8, sample: &[Record]) -> Option<Fit> {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for record in sample {
        *counts.entry(record.cells.len()).or_default() += 1;
    }
    let (cells, often) = counts.into_iter().max_by_key(|(_, often)| *often)?;
    if cells < 2 {
        return None;
    }
    Some(Fit {
        delimiter,
        cells,
        records: sample.len(),
        steady_percent: often * 100 / sample.len().max(1),
    })
}

impl Fit {
    /// Whether the text is a table and not prose that happens to hold commas.
    pub(crate) fn is_table(&self) -> bool {
        self.records >= 2 && self.steady_percent >= STEADY_PERCENT
    }
}

/// Counts numbers that can only be read one way: `1,5` and `1.5`, not `1,500`, which may be a thousand and a half.
fn guess_decimal(sample: &[Record]) -> char {
    let (mut commas, mut points) = (0_usize, 0_usize);
    for cell in sample.iter().flat_map(|record| &record.cells) {
        let text = cell.text.trim_ascii();
        match decimal_mark(text) {
            Some(b',') => commas += 1,
            Some(_) => points += 1,
            None => {}
        }
    }
    if commas > points { ',' } else { '.' }
}

/// The decimal mark of a number that has exactly one, and more or fewer than three digits behind it.
fn decimal_mark(text: &[u8]) -> Option<u8> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let at = unsigned
        .iter()
        .position(|byte| matches!(byte, b'.' | b','))?;
    let mark = *unsigned.get(at)?;
    let (before, behind) = (unsigned.get(..at)?, unsigned.get(at + 1..)?);
    let digits = behind
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let exponent = behind.get(digits..)?;
    let plain = exponent.is_empty() || matches!(exponent.first(), Some(b'e' | b'E'));
    let clear = digits > 0 && (digits != 3 || before.len() > 3 || before == b"0");
    (before.iter().all(u8::is_ascii_digit) && plain && clear).then_some(mark)
}

/// Names come first when the first record has no number and is not like the records under it. A name may come twice, as
/// measurements of two channels do, where numbers stand under it.
fn guess_header(sample: &[Record]) -> bool {
    let Some((first, rest)) = sample.split_first() else {
        return false;
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut filled = 0_usize;
    for (place, cell) in first.cells.iter().enumerate() {
        let text = cell.text.trim_ascii();
        if is_number(text) {
            return false;
        }
        // Row names written by R and pandas leave the first name empty; some programs leave a comma at the end.
        if text.is_empty() {
            if place != 0 && place + 1 != first.cells.len() {
                return false;
            }
            continue;
        }
        filled += 1;
        let is_twice = !seen.insert(text.to_ascii_lowercase());
        if is_twice && (is_missing(text) || !has_number_below(rest, place)) {
            return false;
        }
    }
    if filled == 0 {
        return false;
    }
    // A row of words over rows of words: names, unless one of the words comes again in its own column.
    let numbers_below = (0..longest(rest)).any(|place| has_number_below(rest, place));
    numbers_below || !repeats_below(first, rest)
}

fn longest(records: &[Record]) -> usize {
    let cells = records.iter().map(|record| record.cells.len());
    cells.max().unwrap_or(0)
}

fn has_number_below(rest: &[Record], place: usize) -> bool {
    let mut cells = rest.iter().filter_map(|record| record.cells.get(place));
    cells.any(|cell| is_number(cell.text.trim_ascii()))
}

fn repeats_below(first: &Record, rest: &[Record]) -> bool {
    first.cells.iter().enumerate().any(|(place, name)| {
        rest.iter()
            .filter_map(|record| record.cells.get(place))
            .any(|cell| cell.text == name.text)
    })
}

fn is_number(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    digits && (text.parse::<f64>().is_ok() || text.replace(',', ".").parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use crate::results::table::dialect::{Dialect, Wishes};
    use crate::results::table::encoding::Encoding;
    use crate::results::table::record::LineEnd;

    fn guess(text: &str) -> Dialect {
        Dialect::guess(
            text.as_bytes(),
            true,
            Encoding::guess(text.as_bytes()),
            &Wishes::default(),
        )
    }

    #[test]
    fn delimiters_and_decimal_marks() {
        let table = [
            ("a,b\n1,2\n", b',', '.'),
            ("a;b\n1;2\n", b';', '.'),
            ("a\tb\n1,5\t2,5\n", b'\t', ','),
            ("a|b\n1.25|2\n", b'|', '.'),
            ("a;b\n1,5;2,5\n3,5;4,25\n", b';', ','),
            ("1,5;2,5\n3,5;4,25\n", b';', ','),
            ("a,b\n\"x;y\",2\n\"p;q\",3\n", b',', '.'),
            ("name,terms\nx,GO:1;GO:2\ny,GO:3;GO:4\n", b',', '.'),
            ("gene,note\nA,\"one, two; three\"\nB,\"four\"\n", b',', '.'),
            ("id;text\n1;one, two\n2;three, four\n", b';', '.'),
            ("a,b\n1,500\n2,750\n", b',', '.'),
            ("a;b\n1.500,25;1\n", b';', '.'),
            ("single\nvalue\n", b',', '.'),
            ("", b',', '.'),
        ];
        for (text, delimiter, decimal) in table {
            let dialect = guess(text);
            assert_eq!(
                char::from(dialect.delimiter),
                char::from(delimiter),
                "{text:?}"
            );
            assert_eq!(dialect.decimal, decimal, "{text:?}");
        }
    }

    #[test]
    fn headers() {
        for (text, header) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            (",x,y\n1,2,3\n", true),
            ("Object ID,Class\n", true),
            ("red,green\nred,blue\n", false),
            ("sample,class\ns1,red\ns2,blue\n", true),
            ("a,a\n1,2\n", true),
            ("Mean,Area,mean\n1,x,3\n", true),
            ("Mean,Area,area\n1,x,y\n", false),
            ("NA,NA\n1,2\n", false),
            ("", false),
            ("gene,2019\nx,3\n", false),
        ] {
            assert_eq!(guess(text).header, header, "{text:?}");
        }
    }

    #[test]
    fn line_ends_and_stated_delimiters() {
        assert_eq!(guess("a,b\r1,2\r").line_end, LineEnd::Cr);
        assert_eq!(guess("a,b\r\n1,2\r\n").line_end, LineEnd::Lf);
        let stated = guess("sep=;\r\na;b,c\r\n1;2\r\n");
        assert_eq!((stated.delimiter, stated.skip_bytes), (b';', 7));
    }

    #[test]
    fn wishes_win() {
        let wishes = Wishes {
            delimiter: Some(b';'),
            header: Some(false),
            quote: Some(None),
            decimal: Some(','),
            encoding: None,
        };
        let dialect = Dialect::guess(b"a,b\n1,2\n", true, Encoding::Utf8, &wishes);
        assert_eq!(
            (
                dialect.delimiter,
                dialect.header,
                dialect.quote,
                dialect.decimal
            ),
            (b';', false, None, ',')
        );
    }
}
