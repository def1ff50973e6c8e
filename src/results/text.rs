//! The beginning of a text file, decoded, with what was assumed and whether more follows.
//!
//! Whether a file is text at all is `sniff`'s question; encodings are guessed in one place for texts and tables.

use crate::model::text::TextPage;
use crate::results::disk;
use crate::results::table::encoding::Encoding;
use std::io;
use std::path::Path;

/// Bytes shown at once.
pub const SCREEN_BYTES: usize = 256 << 10;

/// Decodes at most `max_bytes` of a text. Bytes that mean nothing in the encoding become `�`.
pub fn head(path: &Path, max_bytes: usize) -> io::Result<TextPage> {
    let (bytes, size_bytes) = disk::head(path, max_bytes)?;
    let more = size_bytes > bytes.len() as u64;
    let encoding = Encoding::guess(&bytes);
    let text = encoding.decode(encoding.whole_letters(&bytes, more));
    Ok(TextPage {
        text,
        encoding: encoding.name().to_owned(),
        size_bytes,
        more,
    })
}

#[cfg(test)]
mod tests {
    use crate::results::text::head;
    use std::io::Write as _;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        let page = head(file("Größe 世界\n".as_bytes()).path(), 1024).unwrap();
        assert_eq!(page.text, "Größe 世界\n");
        assert_eq!((page.encoding.as_str(), page.more), ("UTF-8", false));
    }

    #[test]
    fn a_letter_is_never_cut_in_half() {
        let page = head(file("a世界".as_bytes()).path(), 6).unwrap();
        assert_eq!(page.text, "a世");
        assert!(page.more);
        assert_eq!(page.size_bytes, 7);
        let wide: Vec<u8> = "\u{feff}x😀y"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(head(file(&wide).path(), 6).unwrap().text, "x");
        assert_eq!(head(file(&wide).path(), 8).unwrap().text, "x😀");
    }

    #[test]
    fn other_encodings_are_named() {
        let page = head(file(b"caf\xe9\n").path(), 1024).unwrap();
        assert_eq!(
            (page.text.as_str(), page.encoding.as_str()),
            ("café\n", "Windows-1252")
        );
        let page = head(file(b"").path(), 1024).unwrap();
        assert_eq!((page.text.as_str(), page.more), ("", false));
    }
}
