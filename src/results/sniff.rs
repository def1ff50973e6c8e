//! What a file holds, by its content.
//!
//! File endings are only asked where the content can be read two ways, such as a single line with commas. Nothing is
//! opened for showing here.

use crate::results::disk;
use crate::results::table::dialect::{Dialect, Wishes, best_fit};
use crate::results::table::encoding::Encoding;
use crate::results::table::record::{Format, LineEnd, Record, split_records};
use flate2::read::MultiGzDecoder;
use memchr::{memchr_iter, memmem};
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes looked at.
const HEAD_BYTES: usize = 1 << 16;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Not a byte.
    Empty,
    /// Rows of cells, plain or packed with gzip.
    Table(Dialect),
    /// A picture this program can decode: png, jpeg or tiff.
    Image {
        mime: &'static str,
    },
    Archive {
        mime: &'static str,
    },
    /// Biodock's run-length masks of one image (providers/biodock.md §4.3).
    Masks,
    Json,
    Text(Encoding),
    /// Anything else, by its registered media type.
    Other {
        mime: &'static str,
    },
}

impl Content {
    /// In words for a person, such as `ZIP archive`.
    pub fn kind(&self) -> String {
        match self {
            Self::Empty => "empty file".to_owned(),
            Self::Table(dialect) => format!("table, {}", dialect.describe()),
            Self::Image { mime } => format!("{} image", after_slash(mime)),
            Self::Archive { mime } => format!("{} archive", after_slash(mime)),
            Self::Masks => "object masks".to_owned(),
            Self::Json => "JSON".to_owned(),
            Self::Text(encoding) => format!("text, {}", encoding.name()),
            Self::Other {
                mime: "application/octet-stream",
            } => "binary file".to_owned(),
            Self::Other { mime } => format!("{} file", after_slash(mime)),
        }
    }

    /// Whether it is a zip archive to unpack. Office documents and the like are zip files inside, but not for this purpose.
    pub fn is_zip(&self) -> bool {
        matches!(
            self,
            Self::Archive {
                mime: "application/zip"
            }
        )
    }
}

/// `image/png` → `PNG`
fn after_slash(mime: &str) -> String {
    let name = mime.rsplit('/').next().unwrap_or(mime);
    let name = name.strip_prefix("x-").unwrap_or(name);
    let short = name.rsplit('.').next().unwrap_or(name);
    short.to_uppercase()
}

/// Looks at the first bytes of a file.
pub fn sniff(path: &Path) -> io::Result<Content> {
    let (head, size_bytes) = disk::head(path, HEAD_BYTES)?;
    let whole = head.len() as u64 >= size_bytes;
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    Ok(sniff_bytes(&head, whole, ending.as_deref().unwrap_or("")))
}

/// The same for bytes at hand; `whole` says that nothing follows, `ending` is in lower case without its dot.
pub fn sniff_bytes(head: &[u8], whole: bool, ending: &str) -> Content {
    if head.is_empty() {
        return Content::Empty;
    }
    if is_tiff(head) {
        return Content::Image { mime: "image/tiff" };
    }
    let Some(kind) = infer::get(head) else {
        return sniff_text(head, whole, ending);
    };
    let mime = kind.mime_type();
    match mime {
        "image/png" | "image/jpeg" | "image/tiff" => Content::Image { mime },
        "application/gzip" => sniff_packed(head, ending),
        "application/zip"
        | "application/x-tar"
        | "application/x-7z-compressed"
        | "application/vnd.rar"
        | "application/x-bzip2"
        | "application/x-xz"
        | "application/zstd" => Content::Archive { mime },
        _ if mime.starts_with("text/") => sniff_text(head, whole, ending),
        _ if is_probably_text(head) => sniff_text(head, whole, ending),
        _ => Content::Other { mime },
    }
}

/// The three beginnings of TIFF 6.0 and `BigTIFF`, in both byte orders. Asked before all others, because telling tiff from
/// camera formats by two bytes of pixel data, as `infer` does, misses some.
pub(crate) fn is_tiff(head: &[u8]) -> bool {
    let beginnings: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"];
    beginnings.iter().any(|magic| head.starts_with(magic)) && head.get(8..10) != Some(b"CR")
}

/// Some magic numbers are two letters long: a table whose first column is `BM` is no bitmap.
fn is_probably_text(head: &[u8]) -> bool {
    !is_binary(head, Encoding::guess(head)) && head.contains(&b'\n')
}

/// A table packed with gzip is shown as a table; anything else in it is an archive.
fn sniff_packed(head: &[u8], ending: &str) -> Content {
    let mut inner = Vec::new();
    let mut decoder = MultiGzDecoder::new(head).take(HEAD_BYTES as u64);
    // The packed head ends in the middle, so an error at its end says nothing: what came before it is looked at.
    let ended = decoder.read_to_end(&mut inner).is_ok() && inner.len() < HEAD_BYTES;
    let inner_ending = if ending == "gz" { "" } else { ending };
    if !inner.is_empty() && infer::get(&inner).is_none() {
        let content = sniff_text(&inner, ended, inner_ending);
        if matches!(content, Content::Table(_)) {
            return content;
        }
    }
    Content::Archive {
        mime: "application/gzip",
    }
}

fn sniff_text(head: &[u8], whole: bool, ending: &str) -> Content {
    let encoding = Encoding::guess(head);
    if is_binary(head, encoding) {
        return Content::Other {
            mime: "application/octet-stream",
        };
    }
    // From here on in UTF-8, except Windows-1252, in which everything looked for is the same single byte.
    let decoded;
    let bytewise: &[u8] = if encoding.is_bytewise() {
        let (_, body) = head.split_at(encoding.mark_bytes(head));
        body
    } else {
        decoded = encoding.decode(encoding.whole_letters(head, !whole));
        decoded.as_bytes()
    };
    if is_json(bytewise, whole) {
        return if is_masks(bytewise, whole) {
            Content::Masks
        } else {
            Content::Json
        };
    }
    if is_table(bytewise, whole, ending) {
        return Content::Table(Dialect::guess(
            bytewise,
            whole,
            encoding,
            &Wishes::default(),
        ));
    }
    Content::Text(encoding)
}

/// Text holds hardly any control characters. Well-formed UTF-8 is believed further, since single zero bytes do occur in tables.
fn is_binary(head: &[u8], encoding: Encoding) -> bool {
    let controls = head
        .iter()
        .filter(|byte| {
            byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B)
        })
        .count();
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Marked => controls * 4 > head.len(),
        Encoding::Windows1252 => controls * 50 > head.len(),
        Encoding::Utf16Le | Encoding::Utf16Be => false,
    }
}

/// Whether it parses as one JSON object or list, as far as it goes.
fn is_json(text: &[u8], whole: bool) -> bool {
    if !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return false;
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => !whole && error.is_eof(),
    }
}

fn is_masks(json: &[u8], whole: bool) -> bool {
    let has = |key: &str| memmem::find(json, key.as_bytes()).is_some();
    let object = json.trim_ascii_start().first() == Some(&b'{');
    let shape = has("\"objects\"")
        && (has("\"rle\"") && has("\"bbox\"") || has("\"width\"") && has("\"height\""));
    // An image without objects has no runs; a longer text without them in its first block is something else.
    object && shape && (has("\"rle\"") || whole)
}

fn is_table(text: &[u8], whole: bool, ending: &str) -> bool {
    if text.starts_with(b"sep=") {
        return true;
    }
    let line_end = LineEnd::guess(text, Some(b'"'));
    let Some(fit) = best_fit(text, whole, Some(b'"'), line_end) else {
        return false;
    };
    let named_table = matches!(ending, "csv" | "tsv" | "tab");
    let comma = fit.delimiter == b',';
    let format = Format {
        delimiter: fit.delimiter,
        quote: Some(b'"'),
        line_end,
    };
    if fit.records < 2 {
        return named_table || is_lone_header(text, whole, format);
    }
    if !fit.is_table() {
        return named_table && fit.steady_percent >= 50;
    }
    // Two cells a line is also what one comma in every line of a letter or a log looks like.
    if named_table || !comma || fit.cells != 2 {
        return true;
    }
    let records = split_records(text, whole, format, 8);
    if fit.records < 4 || ending == "log" {
        return !has_sentences(&records);
    }
    // Of many lines only the first is asked: descriptions may be sentences, names of columns are none.
    let mut names = records.iter().take(1).flat_map(|record| &record.cells);
    !names.any(|cell| is_sentence(&cell.text))
}

/// A header without a row under it, as a pipeline writes that found no objects.
fn is_lone_header(text: &[u8], whole: bool, format: Format) -> bool {
    let records = split_records(text, whole, format, 2);
    let Some(first) = records.first() else {
        return false;
    };
    first.cells.len() >= 3 && !has_sentences(&records)
}

/// Cells of prose rather than of a table, which may also be empty there.
fn has_sentences(records: &[Record]) -> bool {
    let mut cells = records.iter().flat_map(|record| &record.cells);
    cells.any(|cell| cell.text.is_empty() || is_sentence(&cell.text))
}

/// Begins with a blank or holds several words.
fn is_sentence(text: &[u8]) -> bool {
    text.first() == Some(&b' ') || memchr_iter(b' ', text).count() > 3
}

#[cfg(test)]
mod tests {
    use crate::results::sniff::{Content, sniff, sniff_bytes};
    use std::io::Write as _;

    fn word(content: &Content) -> &'static str {
        match content {
            Content::Empty => "empty",
            Content::Table(_) => "table",
            Content::Image { .. } => "image",
            Content::Archive { .. } => "archive",
            Content::Masks => "masks",
            Content::Json => "json",
            Content::Text(_) => "text",
            Content::Other { .. } => "other",
        }
    }

    #[test]
    fn content_decides() {
        let masks = br#"{"filename":"a.tif","width":9,"height":9,"objects":{"1":{"bbox":[0,0,1,1],"rle":{}}}}"#;
        let wide: Vec<u8> = "\u{feff}a\tb\r\n1\t2\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let table: [(&[u8], &str); 29] = [
            (b"", "empty"),
            (b"a,b\n1,2\n", "table"),
            (b"a;b;c\n1;2;3\n", "table"),
            (b"a\tb\n1\t2\n", "table"),
            (b"a,b\r1,2\r3,4\r", "table"),
            (b"sep=,\na,b\n", "table"),
            (b"Object ID,Image origin,Class,Area\n", "table"),
            (b"id,note\n1,\"a\nb\"\n2,c\n", "table"),
            (b"a,b\n1,\0\n2,3\n", "table"),
            (b"BM,x\n1,2\n3,4\n", "table"),
            (b"caf\xe9,x\n1,2\n3,4\n", "table"),
            (&wide, "table"),
            (b"Dear Anna,\nHello, how are you?\n", "text"),
            (b"2026-11-20 14:00:00,123 INFO one two three\n2026-11-20 14:00:01,124 WARN four five six\n", "text"),
            (b"Hello, world\n", "text"),
            (b"just words\n", "text"),
            (b"  3  12 words.txt\n", "text"),
            (b"#!/bin/sh\necho\n", "text"),
            (b"{\"a\": 1}\n", "json"),
            (b"[1, 2]\n", "json"),
            (b"[1] \"a\" \"b\"\n", "text"),
            (masks, "masks"),
            (br#"{"filename":"a","width":9,"height":9,"objects":{}}"#, "masks"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
            (b"II*\0\x08\0\0\0\0\0\0\0", "image"),
            (b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10", "image"),
            (b"II*\0\x10\0\0\0CxCx", "image"),
            (b"PK\x03\x04\x14\0\0\0", "archive"),
            (b"\x01\x02\xff\xfe\x00\x03\x80\x81", "other"),
        ];
        for (bytes, expected) in table {
            let content = sniff_bytes(bytes, true, "bin");
            assert_eq!(
                word(&content),
                expected,
                "{:?} {content:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        assert!(sniff_bytes(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", true, "").is_zip());
        assert_eq!(
            sniff_bytes(b"PK\x03\x04\x14\0\0\0", true, "csv").kind(),
            "ZIP archive"
        );
    }

    #[test]
    fn endings_settle_only_what_can_be_read_two_ways() {
        assert_eq!(word(&sniff_bytes(b"a,b\n", true, "csv")), "table");
        assert_eq!(word(&sniff_bytes(b"a,b\n", true, "txt")), "text");
        assert_eq!(word(&sniff_bytes(b"{\"a\": 1}", true, "csv")), "json");
    }

    #[test]
    fn one_comma_in_every_line_makes_no_table_of_a_log() {
        let line = "2026-11-20 14:00:00,123 INFO read one more block\n";
        let log = line.repeat(40);
        for ending in ["log", "txt", "out", ""] {
            assert_eq!(word(&sniff_bytes(log.as_bytes(), true, ending)), "text");
        }
        assert_eq!(word(&sniff_bytes(log.as_bytes(), true, "csv")), "table");
        let genes = "gene,about\n".to_owned() + &"ABC1,not known what it is good for\n".repeat(40);
        assert_eq!(word(&sniff_bytes(genes.as_bytes(), true, "txt")), "table");
        let numbered = ",area\n".to_owned() + &"1,20.5\n".repeat(40);
        assert_eq!(
            word(&sniff_bytes(numbered.as_bytes(), true, "txt")),
            "table"
        );
    }

    #[test]
    fn a_cut_json_is_json_and_a_packed_table_a_table() {
        assert_eq!(word(&sniff_bytes(b"{\"a\": [1, 2", false, "")), "json");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut packer = flate2::write::GzEncoder::new(&mut file, flate2::Compression::default());
        for row in 0..50_000 {
            writeln!(packer, "{row},{},x", row * 7919 % 1009).unwrap();
        }
        packer.finish().unwrap();
        assert_eq!(word(&sniff(file.path()).unwrap()), "table");
    }
}
