//! Splitting bytes into rows, from any mark on.

use crate::results::disk;
use crate::results::table::encoding::Encoding;
use crate::results::text::ROW_BYTES;
use crate::results::text::index::Mark;
use memchr::memchr;
use std::fs::File;
use std::io;

/// Longest row with its line end.
const LONGEST_BYTES: usize = ROW_BYTES + 4;

/// Reads rows one after the other.
pub(super) struct Splitter {
    encoding: Encoding,
    /// Behind the last row read.
    at: Mark,
    /// Where the file ends as far as it was looked at.
    end: u64,
    step: usize,
    buffer: Vec<u8>,
    /// How much of the buffer has been split.
    used: usize,
}

/// One row.
pub(super) struct Row<'a> {
    pub number: u64,
    pub line: u64,
    pub continues: bool,
    /// Without line end.
    pub bytes: &'a [u8],
}

impl Splitter {
    /// Starts at a mark; reads `step` bytes at a time.
    pub(super) fn new(encoding: Encoding, at: Mark, end: u64, step: usize) -> Self {
        Self {
            encoding,
            at,
            end,
            step: step.max(2 * ROW_BYTES),
            buffer: Vec::new(),
            used: 0,
        }
    }

    /// Behind the last row read.
    pub(super) fn mark(&self) -> Mark {
        self.at
    }

    /// The next row; none at the end.
    pub(super) fn next_row(&mut self, file: &File) -> io::Result<Option<Row<'_>>> {
        if self.rest().len() <= LONGEST_BYTES {
            self.fill(file)?;
        }
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let (content, taken, ends_line) = cut(self.encoding, rest);
        let start = self.used;
        let before = self.at;
        self.used += taken;
        self.at = Mark {
            offset: before.offset + taken as u64,
            row: before.row + 1,
            line: before.line + u64::from(ends_line),
            continues: !ends_line,
        };
        Ok(Some(Row {
            number: before.row,
            line: before.line,
            continues: before.continues,
            bytes: self.buffer.get(start..start + content).unwrap_or_default(),
        }))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Has at least one whole row in the buffer, unless the file ends before.
    fn fill(&mut self, file: &File) -> io::Result<()> {
        let kept = self.rest().len();
        let from = self.at.offset + kept as u64;
        let left = usize::try_from(self.end.saturating_sub(from)).unwrap_or(usize::MAX);
        let wanted = left.min(self.step);
        if wanted == 0 {
            return Ok(());
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.resize(kept + wanted, 0);
        let read = disk::read_at(file, self.buffer.get_mut(kept..).unwrap_or_default(), from)?;
        self.buffer.truncate(kept + read);
        Ok(())
    }
}

/// Content of the first row, bytes it takes with its line end, and whether a line ends there. A row that is a little longer
/// than allowed stays whole, so that no row begins with a mere line end.
fn cut(encoding: Encoding, bytes: &[u8]) -> (usize, usize, bool) {
    let window = bytes.get(..LONGEST_BYTES).unwrap_or(bytes);
    if let Some((end, width)) = line_end(encoding, window) {
        let content = without_return(encoding, window.get(..end).unwrap_or_default());
        return (content, end + width, true);
    }
    if bytes.len() <= LONGEST_BYTES {
        return (bytes.len(), bytes.len(), false);
    }
    let window = bytes.get(..ROW_BYTES).unwrap_or(bytes);
    let whole = encoding.whole_letters(window, true).len();
    let taken = if whole == 0 { window.len() } else { whole };
    (taken, taken, false)
}

/// Where a line end begins, and how long it is.
fn line_end(encoding: Encoding, bytes: &[u8]) -> Option<(usize, usize)> {
    let wide: [u8; 2] = match encoding {
        Encoding::Utf8 | Encoding::Utf8Marked | Encoding::Windows1252 => {
            return memchr(b'\n', bytes).map(|at| (at, 1));
        }
        Encoding::Utf16Le => [b'\n', 0],
        Encoding::Utf16Be => [0, b'\n'],
    };
    let units = bytes.chunks_exact(2);
    let at = units.into_iter().position(|unit| unit == wide)?;
    Some((at * 2, 2))
}

fn without_return(encoding: Encoding, content: &[u8]) -> usize {
    let back: &[u8] = match encoding {
        Encoding::Utf8 | Encoding::Utf8Marked | Encoding::Windows1252 => b"\r",
        Encoding::Utf16Le => b"\r\0",
        Encoding::Utf16Be => b"\0\r",
    };
    content.strip_suffix(back).unwrap_or(content).len()
}

/// A row as it can be drawn: tabs as blanks, other control characters as a mark.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' => ' ',
            letter if letter.is_control() => '\u{b7}',
            letter => letter,
        })
        .collect()
}
