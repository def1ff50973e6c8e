//! How the bytes of a text or table are letters: guessed from its first block.
//!
//! Only the encodings that laboratory software writes are told apart. Delimiters and quotes are `dialect`'s business.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

pub use crate::model::table::Encoding;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Encoding {
    /// Guesses from a beginning; a letter cut off at its end does not disturb.
    pub fn guess(head: &[u8]) -> Self {
        if head.starts_with(UTF8_MARK) {
            return Self::Utf8Marked;
        }
        if head.starts_with(b"\xFF\xFE") {
            return Self::Utf16Le;
        }
        if head.starts_with(b"\xFE\xFF") {
            return Self::Utf16Be;
        }
        if let Some(wide) = guess_unmarked_utf16(head) {
            return wide;
        }
        match std::str::from_utf8(head) {
            Ok(_) => Self::Utf8,
            // No error length means the end came in the middle of a letter.
            Err(error) if error.error_len().is_none() => Self::Utf8,
            Err(_) => Self::Windows1252,
        }
    }

    /// Whether line ends, quotes and delimiters are single bytes at any place, so that the file can be read as it is.
    pub(crate) fn is_bytewise(self) -> bool {
        match self {
            Self::Utf8 | Self::Utf8Marked | Self::Windows1252 => true,
            Self::Utf16Le | Self::Utf16Be => false,
        }
    }

    /// Length of the byte-order mark that is there.
    pub(crate) fn mark_bytes(self, head: &[u8]) -> usize {
        let mark: &[u8] = match self {
            Self::Utf8Marked => UTF8_MARK,
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            Self::Utf8 | Self::Windows1252 => b"",
        };
        if head.starts_with(mark) {
            mark.len()
        } else {
            0
        }
    }

    /// A text from its first byte, its mark left out.
    pub fn decode(self, bytes: &[u8]) -> String {
        let (_, body) = bytes.split_at(self.mark_bytes(bytes));
        match self {
            Self::Utf8 | Self::Utf8Marked => String::from_utf8_lossy(body).into_owned(),
            Self::Utf16Le => UTF_16LE.decode_without_bom_handling(body).0.into_owned(),
            Self::Utf16Be => UTF_16BE.decode_without_bom_handling(body).0.into_owned(),
            Self::Windows1252 => WINDOWS_1252
                .decode_without_bom_handling(body)
                .0
                .into_owned(),
        }
    }

    /// One cell. A stray byte in a UTF-8 table is shown as Windows-1252, since tables are glued together from several sources.
    pub(crate) fn decode_cell(self, bytes: &[u8]) -> Cow<'_, str> {
        let utf8 = match self {
            Self::Windows1252 => None,
            Self::Utf8 | Self::Utf8Marked | Self::Utf16Le | Self::Utf16Be => {
                std::str::from_utf8(bytes).ok()
            }
        };
        match utf8 {
            Some(text) => Cow::Borrowed(text),
            None => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    }

    /// The beginning without a last letter that was cut in two. `cut` says whether the text goes on behind it.
    pub(crate) fn whole_letters(self, bytes: &[u8], cut: bool) -> &[u8] {
        if !cut {
            return bytes;
        }
        let keep = match self {
            Self::Windows1252 => bytes.len(),
            Self::Utf8 | Self::Utf8Marked => match std::str::from_utf8(bytes) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Ok(_) | Err(_) => bytes.len(),
            },
            Self::Utf16Le | Self::Utf16Be => {
                let even = bytes.len() & !1;
                let last = even
                    .checked_sub(2)
                    .and_then(|start| bytes.get(start..even))
                    .and_then(|pair| <[u8; 2]>::try_from(pair).ok());
                let unit = last.map(|pair| match self {
                    Self::Utf16Be => u16::from_be_bytes(pair),
                    Self::Utf16Le | Self::Utf8 | Self::Utf8Marked | Self::Windows1252 => {
                        u16::from_le_bytes(pair)
                    }
                });
                // The first half of a letter beyond the basic plane.
                if unit.is_some_and(|unit| (0xD800..0xDC00).contains(&unit)) {
                    even - 2
                } else {
                    even
                }
            }
        };
        bytes.get(..keep).unwrap_or(bytes)
    }
}

/// Western text in UTF-16 has a zero in every second place, and nearly none in the others.
fn guess_unmarked_utf16(head: &[u8]) -> Option<Encoding> {
    let pairs = head.len() / 2;
    if pairs < 4 {
        return None;
    }
    let (mut even_zeros, mut odd_zeros) = (0_usize, 0_usize);
    for (place, byte) in head.iter().take(pairs * 2).enumerate() {
        if *byte == 0 {
            if place % 2 == 0 {
                even_zeros += 1;
            } else {
                odd_zeros += 1;
            }
        }
    }
    let many = pairs * 7 / 10;
    let few = pairs / 20;
    if odd_zeros > many && even_zeros <= few {
        Some(Encoding::Utf16Le)
    } else if even_zeros > many && odd_zeros <= few {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::results::table::encoding::Encoding;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(Encoding::guess(b""), Encoding::Utf8);
        assert_eq!(Encoding::guess(b"a,b\n"), Encoding::Utf8);
        assert_eq!(Encoding::guess("µm,世".as_bytes()), Encoding::Utf8);
        assert_eq!(
            Encoding::guess(b"abc \xE4\xB8"),
            Encoding::Utf8,
            "cut inside a letter"
        );
        assert_eq!(Encoding::guess(b"\xEF\xBB\xBFa"), Encoding::Utf8Marked);
        assert_eq!(Encoding::guess(b"\xB5m,\xB0C\n"), Encoding::Windows1252);
        assert_eq!(Encoding::guess(&wide("\u{feff}a,b")), Encoding::Utf16Le);
        assert_eq!(Encoding::guess(&wide("a,b\r\n1,2\r\n")), Encoding::Utf16Le);
        assert_eq!(Encoding::guess(b"a\0b\0\0\0\0\0c,d,e,f,g"), Encoding::Utf8);
    }

    #[test]
    fn decoding_leaves_out_the_mark() {
        assert_eq!(Encoding::Utf8Marked.decode(b"\xEF\xBB\xBFa"), "a");
        assert_eq!(Encoding::Utf16Le.decode(&wide("\u{feff}a世")), "a世");
        assert_eq!(Encoding::Utf16Be.decode(b"\xFE\xFF\0a"), "a");
        assert_eq!(Encoding::Windows1252.decode(b"\x80 5"), "€ 5");
        assert_eq!(Encoding::Utf8.decode_cell(b"5 \xB5m"), "5 µm");
    }
}
