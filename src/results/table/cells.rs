//! The cells of a few columns out of many records in memory, as fast as their delimiters can be found.
//!
//! The rules are those of `record`; both are held against each other in the tests here. Made for whole chunks of a table:
//! sorting, filtering and describing look at one or two columns of all rows.

use crate::results::table::record::{Format, LineEnd};
use crate::results::table::windows::{Bits, each_window, from};
use std::borrow::Cow;

/// The wanted cells of one record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    chunk: &'a [u8],
    spans: &'a [Span],
    quote: u8,
    record: Option<&'a [u8]>,
}

/// Where a cell stands, its quotes included.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
    /// 0 for a cell that does not begin with a quote, 2 for one with quotes around it and none inside, else more.
    quotes: u32,
}

impl<'a> Cells<'a> {
    /// Shows cells that are at hand already, without quotes.
    pub(crate) fn of<'c>(cells: impl Iterator<Item = &'c [u8]>, show: impl FnOnce(&Cells<'_>)) {
        let (mut chunk, mut spans) = (Vec::new(), Vec::new());
        for cell in cells {
            let start = short(chunk.len());
            chunk.extend_from_slice(cell);
            spans.push(Span {
                start,
                end: short(chunk.len()),
                quotes: 0,
            });
        }
        show(&Cells {
            chunk: &chunk,
            spans: &spans,
            quote: 0,
            record: None,
        });
    }

    /// The whole record as it stands in the file, without its line end.
    pub(crate) const fn record(&self) -> Option<&'a [u8]> {
        self.record
    }

    /// The wanted cell of this number without its quotes; none where the record is too short.
    pub(crate) fn get(&self, wanted: usize) -> Option<Cow<'a, [u8]>> {
        let span = self.spans.get(wanted)?;
        let raw = self.chunk.get(span.start as usize..span.end as usize)?;
        Some(match span.quotes {
            0 => Cow::Borrowed(raw),
            2 if raw.len() >= 2 && raw.last() == Some(&self.quote) => {
                Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or_default())
            }
            _ => Cow::Owned(unquoted(raw, self.quote)),
        })
    }
}

/// A cell that begins with a quote, without what the quotes mean.
fn unquoted(raw: &[u8], quote: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw.get(1..).unwrap_or_default();
    loop {
        let Some(place) = memchr::memchr(quote, rest) else {
            text.extend_from_slice(rest);
            return text;
        };
        let (before, behind) = rest.split_at(place);
        text.extend_from_slice(before);
        let behind = behind.get(1..).unwrap_or_default();
        if behind.first() == Some(&quote) {
            text.push(quote);
            rest = behind.get(1..).unwrap_or_default();
        } else {
            // Behind a closing quote all others are letters.
            text.extend_from_slice(behind);
            return text;
        }
    }
}

/// Shows the wanted cells of each record. `wanted` is ascending; the chunk begins and ends with whole records.
pub(crate) fn each_record(
    chunk: &[u8],
    format: Format,
    wanted: &[usize],
    mut row: impl FnMut(&Cells<'_>),
) {
    let mut reader = Reader {
        chunk,
        format,
        wanted,
        spans: vec![Span::default(); wanted.len()],
        next: 0,
        column: 0,
        cell_start: 0,
        record_start: 0,
        quotes: 0,
        in_quotes: false,
        after_quote: false,
    };
    let mut at = 0_usize;
    each_window(
        chunk,
        format,
        #[inline(always)]
        |bytes, bits| {
            if bits.quotes == 0 && !reader.in_quotes {
                reader.plain(at, bits, &mut row);
            } else {
                reader.quoted(at, bytes.len(), bits, &mut row);
            }
            at += bytes.len();
        },
    );
    if reader.record_start < chunk.len() {
        reader.end_record(chunk.len(), &mut row);
    }
}

struct Reader<'a> {
    chunk: &'a [u8],
    format: Format,
    wanted: &'a [usize],
    spans: Vec<Span>,
    /// Which of `wanted` comes next.
    next: usize,
    /// Column of the cell being read.
    column: usize,
    cell_start: usize,
    record_start: usize,
    quotes: u32,
    in_quotes: bool,
    after_quote: bool,
}

impl Reader<'_> {
    /// A window without quotes, outside of any.
    #[expect(
        clippy::inline_always,
        reason = "the inner loop of sorting and filtering"
    )]
    #[inline(always)]
    fn plain(&mut self, at: usize, bits: Bits, row: &mut impl FnMut(&Cells<'_>)) {
        self.after_quote = false;
        let both = bits.delimiters | bits.line_ends;
        let mut left = u64::MAX;
        loop {
            // Behind the last wanted cell only the end of the record is of interest.
            let events = left
                & if self.next < self.wanted.len() {
                    both
                } else {
                    bits.line_ends
                };
            if events == 0 {
                return;
            }
            let place = events.trailing_zeros();
            left = from(place + 1);
            if bits.line_ends >> place & 1 == 1 {
                self.end_record(at + place as usize, row);
            } else {
                self.end_cell(at + place as usize);
            }
        }
    }

    /// A window with quotes, or inside of some.
    #[inline(never)]
    fn quoted(&mut self, at: usize, length: usize, bits: Bits, row: &mut impl FnMut(&Cells<'_>)) {
        let length = u32::try_from(length).unwrap_or(64);
        let mut place = 0_u32;
        while place < length {
            if self.in_quotes {
                let closing = bits.quotes & from(place);
                if closing == 0 {
                    return;
                }
                self.in_quotes = false;
                self.after_quote = true;
                self.quotes += 1;
                place = closing.trailing_zeros() + 1;
                continue;
            }
            if std::mem::take(&mut self.after_quote) && bits.quotes >> place & 1 == 1 {
                self.in_quotes = true;
                self.quotes += 1;
                place += 1;
                continue;
            }
            let events = (bits.quotes | bits.line_ends | bits.delimiters) & from(place);
            if events == 0 {
                return;
            }
            let event = events.trailing_zeros();
            let position = at + event as usize;
            if bits.line_ends >> event & 1 == 1 {
                self.end_record(position, row);
            } else if bits.delimiters >> event & 1 == 1 {
                self.end_cell(position);
            } else if self.begins_cell(position) {
                self.in_quotes = true;
                self.quotes = 1;
            } else if self.quotes > 0 {
                // A letter behind the closing quote.
                self.quotes += 1;
            }
            place = event + 1;
        }
    }

    /// Outside of quotes: cells behind the last wanted one are not followed, so the byte before tells.
    fn begins_cell(&self, position: usize) -> bool {
        let before = position.checked_sub(1).and_then(|at| self.chunk.get(at));
        before.is_none_or(|byte| {
            *byte == self.format.delimiter || *byte == self.format.line_end.byte()
        })
    }

    #[expect(
        clippy::inline_always,
        reason = "the inner loop of sorting and filtering"
    )]
    #[inline(always)]
    fn end_cell(&mut self, end: usize) {
        if self.wanted.get(self.next) == Some(&self.column)
            && let Some(span) = self.spans.get_mut(self.next)
        {
            *span = Span {
                start: short(self.cell_start),
                end: short(end),
                quotes: self.quotes,
            };
            self.next += 1;
        }
        self.column += 1;
        self.cell_start = end + 1;
        self.quotes = 0;
    }

    /// Ends the last cell and the record. Blank lines are no records.
    #[expect(
        clippy::inline_always,
        reason = "the inner loop of sorting and filtering"
    )]
    #[inline(always)]
    fn end_record(&mut self, end: usize, row: &mut impl FnMut(&Cells<'_>)) {
        let length = end - self.record_start;
        let returns = self.format.line_end == LineEnd::Lf
            && !self.in_quotes
            && length > 0
            && self.chunk.get(end - 1) == Some(&b'\r');
        if length > usize::from(returns) {
            if self.next < self.wanted.len() {
                self.end_cell(end - usize::from(returns && end > self.cell_start));
            }
            row(&Cells {
                chunk: self.chunk,
                spans: self.spans.get(..self.next).unwrap_or_default(),
                quote: self.format.quote.unwrap_or_default(),
                record: self.chunk.get(self.record_start..end),
            });
        }
        self.record_start = end + 1;
        self.cell_start = end + 1;
        self.next = 0;
        self.column = 0;
        self.quotes = 0;
    }
}

/// A place in a chunk; chunks are far below four gigabytes.
#[inline]
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use crate::results::table::cells::each_record;
    use crate::results::table::record::{Format, LineEnd, split_records};

    /// Against the splitter, which reads whole records.
    #[test]
    fn cells_are_those_of_the_splitter() {
        let mut random = fastrand::Rng::with_seed(21);
        for round in 0..20_000 {
            let format = Format {
                delimiter: b',',
                quote: (round % 5 != 0).then_some(b'"'),
                line_end: if round % 4 == 0 {
                    LineEnd::Cr
                } else {
                    LineEnd::Lf
                },
            };
            let letters: &[u8] = if round % 2 == 0 {
                b"a,,\"\"\n\r;\0"
            } else {
                b"abcdef,,,\"\n\rgh"
            };
            let text: Vec<u8> = (0..random.usize(0..300))
                .map(|_| *random.choice(letters).unwrap())
                .collect();
            let wanted: Vec<usize> = (0..8).filter(|_| random.bool()).collect();
            let expected: Vec<Vec<Option<Vec<u8>>>> = split_records(&text, true, format, 1000)
                .into_iter()
                .map(|record| {
                    wanted
                        .iter()
                        .map(|column| record.cells.get(*column).map(|cell| cell.text.clone()))
                        .collect()
                })
                .collect();
            let mut found = Vec::new();
            each_record(&text, format, &wanted, |cells| {
                let row: Vec<_> = (0..wanted.len())
                    .map(|at| cells.get(at).map(std::borrow::Cow::into_owned))
                    .collect();
                found.push(row);
            });
            assert_eq!(
                found,
                expected,
                "{:?} {format:?} {wanted:?}",
                String::from_utf8_lossy(&text)
            );
        }
    }
}
