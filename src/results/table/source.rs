//! The bytes a table is read from: the file itself where it can be read as it is, else a plain copy of it.
//!
//! Packed files and UTF-16 are copied once, as UTF-8, into a temporary file without a name, gone with the handle.

use crate::results::disk::{BLOCK_BYTES, is_disk_full, read_at};
use crate::results::table::TableError;
use crate::results::table::encoding::Encoding;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::Path;

/// First block, from which everything is guessed.
pub(crate) const HEAD_BYTES: usize = 1 << 18;

/// Two bytes every gzip file begins with (RFC 1952).
pub(crate) const GZIP_MAGIC: &[u8] = &[0x1F, 0x8B];

/// A file to be read at any place, with the guess about its letters.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: File,
    pub(crate) size_bytes: u64,
    /// As in the person's file; a copy of UTF-16 is UTF-8 itself.
    pub(crate) encoding: Encoding,
    /// The first block.
    pub(crate) head: Vec<u8>,
    pub(crate) gzip: bool,
}

pub(crate) fn open(path: &Path, wished: Option<Encoding>) -> Result<Source, TableError> {
    let mut file = File::open(path)?;
    let mut head = head_of(&file)?;
    let gzip = head.starts_with(GZIP_MAGIC);
    if gzip {
        file = copy(
            MultiGzDecoder::new(BufReader::new(file)),
            |block, out, _| {
                out.extend_from_slice(block);
            },
        )?;
        head = head_of(&file)?;
    }
    let encoding = wished.unwrap_or_else(|| Encoding::guess(&head));
    if !encoding.is_bytewise() {
        let mut decoder = wide_decoder(encoding);
        file = copy(Whole { file, position: 0 }, |block, out, last| {
            decode_block(&mut decoder, block, out, last);
        })?;
        head = head_of(&file)?;
    }
    let size_bytes = file.metadata()?.len();
    Ok(Source {
        file,
        size_bytes,
        encoding,
        head,
        gzip,
    })
}

fn head_of(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0_u8; HEAD_BYTES];
    let read = read_at(file, &mut head, 0)?;
    head.truncate(read);
    Ok(head)
}

/// A whole file from its beginning, wherever its shared position is.
struct Whole {
    file: File,
    position: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

fn copy(
    mut from: impl Read,
    mut convert: impl FnMut(&[u8], &mut Vec<u8>, bool),
) -> Result<File, TableError> {
    let mut plain = tempfile::tempfile().map_err(no_room)?;
    let mut block = vec![0_u8; BLOCK_BYTES];
    let mut out = Vec::new();
    loop {
        let read = match from.read(&mut block) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TableError::Packed(error)),
        };
        out.clear();
        convert(block.get(..read).unwrap_or_default(), &mut out, read == 0);
        plain.write_all(&out).map_err(no_room)?;
        if read == 0 {
            return Ok(plain);
        }
    }
}

fn no_room(error: io::Error) -> TableError {
    if is_disk_full(&error) {
        TableError::DiskFull(error)
    } else {
        TableError::Io(error)
    }
}

fn wide_decoder(encoding: Encoding) -> Decoder {
    let wide = if encoding == Encoding::Utf16Be {
        UTF_16BE
    } else {
        UTF_16LE
    };
    wide.new_decoder_with_bom_removal()
}

fn decode_block(decoder: &mut Decoder, block: &[u8], out: &mut Vec<u8>, last: bool) {
    let mut rest = block;
    let mut text = String::with_capacity(block.len() * 3 / 2 + 16);
    loop {
        let (result, used, _) = decoder.decode_to_string(rest, &mut text, last);
        (_, rest) = rest.split_at(used.min(rest.len()));
        match result {
            CoderResult::InputEmpty => break,
            CoderResult::OutputFull => text.reserve(rest.len() * 3 / 2 + 16),
        }
    }
    out.extend_from_slice(text.as_bytes());
}
