//! How a path stands in the journal: as it is where it is Unicode; otherwise, as file systems allow, by its bytes.
//! Use with `#[serde(with = "crate::model::path_text")]`; serde by itself refuses such a path.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// Opens a path given by its bytes; no path of any system holds this character.
const MARK: char = '\0';

/// Writes a path.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(text) = path.to_str() {
        return serializer.serialize_str(text);
    }
    let mut text = String::from(MARK);
    for byte in raw(path.as_os_str()) {
        write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
    }
    serializer.serialize_str(&text)
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    let Some(digits) = text.strip_prefix(MARK) else {
        return Ok(PathBuf::from(text));
    };
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes
        .and_then(from_raw)
        .map(PathBuf::from)
        .ok_or_else(|| D::Error::custom("not the bytes of a path"))
}

#[cfg(unix)]
fn raw(path: &OsStr) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_bytes().to_vec()
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "on Windows not all bytes are a path"
)]
fn from_raw(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes))
}

#[cfg(windows)]
fn raw(path: &OsStr) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt as _;
    path.encode_wide().flat_map(u16::to_le_bytes).collect()
}

#[cfg(windows)]
fn from_raw(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::windows::ffi::OsStringExt as _;
    let units: Option<Vec<u16>> = bytes
        .chunks(2)
        .map(|pair| pair.try_into().ok().map(u16::from_le_bytes))
        .collect();
    Some(OsString::from_wide(&units?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Holder(#[serde(with = "super")] PathBuf);

    fn there_and_back(path: &Path) -> String {
        let holder = Holder(path.to_path_buf());
        let text = serde_json::to_string(&holder).unwrap();
        assert_eq!(serde_json::from_str::<Holder>(&text).unwrap(), holder);
        text
    }

    #[test]
    fn a_path_stands_as_it_is() {
        assert_eq!(
            there_and_back(Path::new("/a b/世界 #1.tif")),
            "\"/a b/世界 #1.tif\""
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_unicode_comes_back_too() {
        use std::os::unix::ffi::OsStrExt as _;
        there_and_back(Path::new(OsStr::from_bytes(b"/data/M\xfcller.tif")));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["\"\\u0000f\u{fc}\"", "\"\\u0000zz\""] {
            assert!(serde_json::from_str::<Holder>(text).is_err(), "{text}");
        }
    }
}
