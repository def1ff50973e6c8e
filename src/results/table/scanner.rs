//! Where records end: one pass that looks at nothing but quotes, delimiters and line ends.
//!
//! The rules are those of `record`; both are held against each other in its tests.

use crate::results::table::record::{Format, LineEnd};
use crate::results::table::windows::{Bits, each_window, from};

/// A record the scanner found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where the next record begins.
    pub(crate) end: u64,
    pub(crate) cells: u64,
}

/// Finds where records end.
pub(crate) struct Scanner {
    format: Format,
    state: State,
}

#[derive(Clone, Copy)]
struct State {
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
            state: State {
                position,
                record_start: position,
                delimiters: 0,
                in_quotes: false,
                after_quote: false,
                previous: format.line_end.byte(),
            },
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.state.position
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.in_quotes
    }

    pub(crate) fn feed(&mut self, block: &[u8], mut found: impl FnMut(Found)) {
        let format = self.format;
        let mut state = self.state;
        each_window(
            block,
            format,
            #[inline(always)]
            |bytes, bits| {
                if bits.quotes == 0 && !state.in_quotes {
                    state.plain(bytes, bits, format, &mut found);
                } else {
                    state.quoted(bytes, bits, format, &mut found);
                }
                state.position += bytes.len() as u64;
                state.previous = bytes.last().copied().unwrap_or(state.previous);
            },
        );
        self.state = state;
    }

    /// The record behind the last line end, at the end of the file.
    pub(crate) fn finish(&mut self, mut found: impl FnMut(Found)) {
        let end = self.state.position;
        self.state
            .end_record(end, end, self.state.previous, self.format, &mut found);
    }
}

impl State {
    /// A window without quotes, outside of any.
    #[expect(clippy::inline_always, reason = "the inner loop of counting a table")]
    #[inline(always)]
    fn plain(&mut self, bytes: &[u8], bits: Bits, format: Format, found: &mut impl FnMut(Found)) {
        self.after_quote = false;
        let mut ends = bits.line_ends;
        let mut left = bits.delimiters;
        while ends != 0 {
            let place = ends.trailing_zeros();
            ends &= ends - 1;
            let behind = from(place);
            self.delimiters += u64::from((left & !behind).count_ones());
            left &= behind;
            self.line_end(bytes, place, format, found);
        }
        self.delimiters += u64::from(left.count_ones());
    }

    /// A window with quotes, or inside of some.
    #[inline(never)]
    fn quoted(&mut self, bytes: &[u8], bits: Bits, format: Format, found: &mut impl FnMut(Found)) {
        let starts_cell =
            self.previous == format.delimiter || self.previous == format.line_end.byte();
        let cell_starts = (bits.delimiters | bits.line_ends) << 1 | u64::from(starts_cell);
        let length = u32::try_from(bytes.len()).unwrap_or(64);
        let mut place = 0_u32;
        while place < length {
            if self.in_quotes {
                let closing = bits.quotes & from(place);
                if closing == 0 {
                    return;
                }
                self.in_quotes = false;
                self.after_quote = true;
                place = closing.trailing_zeros() + 1;
                continue;
            }
            if std::mem::take(&mut self.after_quote) && bits.quotes >> place & 1 == 1 {
                self.in_quotes = true;
                place += 1;
                continue;
            }
            let next = (bits.quotes | bits.line_ends) & from(place);
            let event = next.trailing_zeros();
            let passed = bits.delimiters & from(place) & !from(event);
            self.delimiters += u64::from(passed.count_ones());
            if event >= length {
                return;
            }
            if bits.line_ends >> event & 1 == 1 {
                self.line_end(bytes, event, format, found);
            } else if cell_starts >> event & 1 == 1 {
                self.in_quotes = true;
            }
            place = event + 1;
        }
    }

    #[expect(clippy::inline_always, reason = "the inner loop of counting a table")]
    #[inline(always)]
    fn line_end(
        &mut self,
        bytes: &[u8],
        place: u32,
        format: Format,
        found: &mut impl FnMut(Found),
    ) {
        let end = self.position + u64::from(place);
        let before = (place as usize)
            .checked_sub(1)
            .and_then(|before| bytes.get(before));
        let before = before.copied().unwrap_or(self.previous);
        self.end_record(end, end + 1, before, format, found);
    }

    /// Tells of the record that stops at `end`, behind the byte `before`; the next one begins at `next`.
    #[expect(clippy::inline_always, reason = "the inner loop of counting a table")]
    #[inline(always)]
    fn end_record(
        &mut self,
        end: u64,
        next: u64,
        before: u8,
        format: Format,
        found: &mut impl FnMut(Found),
    ) {
        let length = end - self.record_start;
        let blank =
            length == 0 || (length == 1 && before == b'\r' && format.line_end == LineEnd::Lf);
        let cells = self.delimiters + 1;
        self.delimiters = 0;
        self.record_start = next;
        if !blank {
            found(Found { end: next, cells });
        }
    }
}
