//! Finding words in a text of any size, forwards and backwards, one block at a time.

use crate::results::disk;
use crate::results::table::encoding::Encoding;
use crate::results::text::{BLOCK_BYTES, TextFile};
use encoding_rs::WINDOWS_1252;
use regex::bytes::{Regex, RegexBuilder};
use std::io;

/// Longest words looked for, in bytes of the file.
const MOST_WORDS_BYTES: usize = 4_096;

impl TextFile {
    /// The row of the next place of these words behind a row, or of the last one before it; upper and lower case are the
    /// same. `go_on` hears how many bytes were looked at and can stop it: then nothing is found.
    pub fn find(
        &self,
        words: &str,
        from_row: u64,
        forward: bool,
        go_on: &dyn Fn(u64) -> bool,
    ) -> io::Result<Option<u64>> {
        let Some(pattern) = Pattern::new(self.encoding, words) else {
            return Ok(None);
        };
        let place = if forward {
            let from = self.offset_of_row(from_row)?;
            self.forward(&pattern, from, go_on)?
        } else {
            let until = self.offset_of_row(from_row)?;
            self.backward(&pattern, until, go_on)?
        };
        match place {
            Some(offset) => self.row_at(offset, &|| go_on(0)),
            None => Ok(None),
        }
    }

    /// Where a row begins; the end of the file where there are not so many.
    fn offset_of_row(&self, wanted: u64) -> io::Result<u64> {
        let mark = self.index().before_row(wanted);
        let mut splitter = self.splitter(mark, super::STEP_BYTES);
        while splitter.mark().row < wanted {
            if splitter.next_row(&self.file)?.is_none() {
                break;
            }
        }
        Ok(splitter.mark().offset)
    }

    fn forward(
        &self,
        pattern: &Pattern,
        from: u64,
        go_on: &dyn Fn(u64) -> bool,
    ) -> io::Result<Option<u64>> {
        let end = self.index().size_bytes();
        let mut at = from;
        while at < end {
            let bytes = self.block(at, end)?;
            if let Some(found) = pattern.first(&bytes, at - self.start) {
                return Ok(Some(at + found as u64));
            }
            let step = bytes.len().saturating_sub(pattern.overlap);
            if step == 0 || at + bytes.len() as u64 >= end || !go_on(at - from) {
                return Ok(None);
            }
            at += step as u64;
        }
        Ok(None)
    }

    fn backward(
        &self,
        pattern: &Pattern,
        until: u64,
        go_on: &dyn Fn(u64) -> bool,
    ) -> io::Result<Option<u64>> {
        let size_bytes = self.index().size_bytes();
        let mut end = until;
        while end > self.start {
            let from = end.saturating_sub(BLOCK_BYTES as u64).max(self.start);
            // A place that begins before the end of the block may reach behind it.
            let reach = (end + pattern.overlap as u64).min(size_bytes);
            let bytes = self.block_between(from, reach)?;
            let within = usize::try_from(end - from).unwrap_or(usize::MAX);
            if let Some(found) = pattern.last_before(&bytes, within, from - self.start) {
                return Ok(Some(from + found as u64));
            }
            if !go_on(until - from) {
                return Ok(None);
            }
            end = from;
        }
        Ok(None)
    }

    fn block(&self, from: u64, end: u64) -> io::Result<Vec<u8>> {
        self.block_between(from, end.min(from + BLOCK_BYTES as u64))
    }

    fn block_between(&self, from: u64, until: u64) -> io::Result<Vec<u8>> {
        let wanted = usize::try_from(until.saturating_sub(from)).unwrap_or_default();
        let mut bytes = vec![0_u8; wanted];
        let read = disk::read_at(&self.file, &mut bytes, from)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// Words as they stand in the file's bytes.
struct Pattern {
    regex: Regex,
    /// One less than the longest place, in bytes.
    overlap: usize,
    /// Whether letters begin at even places only.
    is_wide: bool,
}

impl Pattern {
    fn new(encoding: Encoding, words: &str) -> Option<Self> {
        if words.is_empty() || words.len() > MOST_WORDS_BYTES {
            return None;
        }
        let (source, unicode, is_wide) = match encoding {
            Encoding::Utf8 | Encoding::Utf8Marked => (regex::escape(words), true, false),
            Encoding::Windows1252 => (bytes_of(&WINDOWS_1252.encode(words).0), false, false),
            Encoding::Utf16Le => (wide(words, u16::to_le_bytes), false, true),
            Encoding::Utf16Be => (wide(words, u16::to_be_bytes), false, true),
        };
        let regex = RegexBuilder::new(&source)
            .case_insensitive(true)
            .unicode(unicode)
            .build()
            .ok()?;
        // The other case of a letter may take up to two bytes more.
        let overlap = words.chars().count() * 4;
        Some(Self {
            regex,
            overlap,
            is_wide,
        })
    }

    fn first(&self, bytes: &[u8], before: u64) -> Option<usize> {
        self.places(bytes, before).next()
    }

    fn last_before(&self, bytes: &[u8], end: usize, before: u64) -> Option<usize> {
        self.places(bytes, before)
            .take_while(|place| *place < end)
            .last()
    }

    /// Every place; `before` says how many bytes of letters come before these.
    fn places<'a>(&'a self, bytes: &'a [u8], before: u64) -> impl Iterator<Item = usize> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let found = self.regex.find_at(bytes, from)?.start();
                from = found + 1;
                let even = (before + found as u64).is_multiple_of(2);
                if even || !self.is_wide {
                    return Some(found);
                }
            }
        })
    }
}

/// Each byte as the pattern of itself.
fn bytes_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut source = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            source.push(char::from(*byte));
        } else if write!(source, "\\x{byte:02x}").is_err() {
            break;
        }
    }
    source
}

fn wide(words: &str, to_bytes: fn(u16) -> [u8; 2]) -> String {
    let bytes: Vec<u8> = words.encode_utf16().flat_map(to_bytes).collect();
    bytes_of(&bytes)
}
