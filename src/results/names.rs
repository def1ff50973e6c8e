//! Names that came from a server or an archive, made fit for every operating system.
//!
//! A name is data: it is cleaned, kept apart from its neighbours without overwriting them, and shortened so that its
//! ending survives. Where a file goes, and what its original name was, is for the caller to record.

use crate::model::numbering::first_free;
use crate::model::shown::steers;
use sanitize_filename::{Options, sanitize_with_options};
use std::collections::BTreeSet;

/// Longest name produced, in characters. Windows allows 255 for a name but about 260 for a whole path.
pub const MAX_NAME_CHARS: usize = 120;

/// Longest name produced, in bytes: Linux file systems allow 255, and a suffix such as ` (12)` or `.part` is still to come.
const MAX_NAME_BYTES: usize = 230;

/// Longest ending that is kept whole when a name is shortened; anything longer is not an ending but a dot in a sentence.
const MAX_EXTENSION_CHARS: usize = 16;

/// What a name becomes when nothing of it can be kept.
const NAMELESS: &str = "unnamed";

/// One name, without separators, that Windows, macOS and Linux all accept.
///
/// Separators, `<>:"|?*` and control characters become `_`; invisible direction marks vanish, since they can make
/// `exe.txt` read as `txt.exe`; blanks and dots at the end go, since Windows drops them in silence; the device names
/// of Windows (`CON`, `com1.txt`) get a `_` in front; over-long names are shortened.
pub fn clean(name: &str) -> String {
    // DEL is a control character that the package lets through.
    let visible: String = name
        .chars()
        .filter(|c| c.is_control() || !steers(*c))
        .map(|c| if c.is_control() { '_' } else { c })
        .collect();
    let options = Options {
        windows: false,
        truncate: false,
        replacement: "_",
    };
    let allowed = sanitize_with_options(trim(&visible), options);
    let trimmed = trim(&allowed);
    if trimmed.is_empty() {
        return NAMELESS.to_owned();
    }
    let free = if is_device_name(trimmed) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    };
    shorten(&free, MAX_NAME_CHARS)
}

/// A name not yet taken: the name itself, else `name (2).csv`, `name (3).csv`, …
///
/// `taken` holds lower-cased names, since `A.csv` and `a.csv` are one file on Windows and macOS. The name chosen is added to it.
pub fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let is_taken = |number| taken.contains(&fold(&numbered(name, number)));
    let candidate = numbered(name, first_free(is_taken));
    taken.insert(fold(&candidate));
    candidate
}

/// How names are compared when deciding whether two of them are the same file somewhere.
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// The first name as it is, later ones with ` (number)` before the ending; never longer than the longest name allowed.
pub(crate) fn numbered(name: &str, number: u64) -> String {
    if number < 2 {
        return name.to_owned();
    }
    let mark = format!(" ({number})");
    let (stem, extension) = split_extension(name);
    let room = MAX_NAME_CHARS
        .saturating_sub(mark.chars().count())
        .saturating_sub(extension.chars().count());
    let room_bytes = MAX_NAME_BYTES
        .saturating_sub(mark.len())
        .saturating_sub(extension.len());
    format!("{}{mark}{extension}", cut(stem, room, room_bytes))
}

/// At most `max_chars` characters (and never more bytes than a Linux name may have), keeping the ending.
pub fn shorten(name: &str, max_chars: usize) -> String {
    if name.chars().count() <= max_chars && name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = split_extension(name);
    let room = max_chars.saturating_sub(extension.chars().count());
    if room == 0 {
        return cut(name, max_chars, MAX_NAME_BYTES).to_owned();
    }
    let room_bytes = MAX_NAME_BYTES.saturating_sub(extension.len());
    format!("{}{extension}", cut(stem, room, room_bytes))
}

/// Stem and ending; the ending has its dot, and is two-fold where the second is only a wrapping (`.csv.gz`, `.ome.tif`).
pub(crate) fn split_extension(name: &str) -> (&str, &str) {
    let (stem, last) = split_last(name);
    let wraps = matches!(
        last.to_ascii_lowercase().as_str(),
        ".gz" | ".bz2" | ".xz" | ".zst" | ".tif" | ".tiff"
    );
    if !wraps {
        return (stem, last);
    }
    let (shorter, before) = split_last(stem);
    let image = last.to_ascii_lowercase().starts_with(".tif");
    if before.is_empty() || (image && !before.eq_ignore_ascii_case(".ome")) {
        return (stem, last);
    }
    name.split_at(shorter.len())
}

/// Splits before the last dot, unless that dot opens the name or what follows is too long or blank to be an ending.
fn split_last(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => {
            let (stem, extension) = name.split_at(dot);
            let length = extension.chars().count();
            if (2..=MAX_EXTENSION_CHARS).contains(&length) && !extension.contains(' ') {
                (stem, extension)
            } else {
                (name, "")
            }
        }
        Some(_) | None => (name, ""),
    }
}

/// The longest beginning within both limits that does not end in a blank or a dot.
fn cut(text: &str, max_chars: usize, max_bytes: usize) -> &str {
    let mut end = 0_usize;
    for (count, (start, letter)) in text.char_indices().enumerate() {
        if count >= max_chars || start + letter.len_utf8() > max_bytes {
            break;
        }
        end = start + letter.len_utf8();
    }
    let (kept, _) = text.split_at(end);
    kept.trim_end_matches([' ', '.'])
}

fn trim(name: &str) -> &str {
    name.trim()
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// Windows opens a device instead of a file for these, whatever the ending
/// (Microsoft, "Naming Files, Paths, and Namespaces").
fn is_device_name(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let upper = stem.to_uppercase();
    if matches!(
        upper.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let Some(number) = upper
        .strip_prefix("COM")
        .or_else(|| upper.strip_prefix("LPT"))
    else {
        return false;
    };
    let mut letters = number.chars();
    let digit = letters
        .next()
        .is_some_and(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'));
    digit && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::results::names::{MAX_NAME_CHARS, clean, shorten, split_extension, unique};
    use std::collections::BTreeSet;

    #[test]
    fn cleaning_gives_names_every_system_accepts() {
        let table = [
            ("objects.csv", "objects.csv"),
            ("Plate 7 #3 50%.tif", "Plate 7 #3 50%.tif"),
            ("世界.csv", "世界.csv"),
            ("a/b\\c:d*e?f\"g<h>i|j", "a_b_c_d_e_f_g_h_i_j"),
            ("tab\there\0.txt", "tab_here_.txt"),
            ("trailing dot.", "trailing dot"),
            ("trailing blanks . . ", "trailing blanks"),
            ("  leading", "leading"),
            ("", "unnamed"),
            (".", "unnamed"),
            ("..", "unnamed"),
            ("...  ", "unnamed"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("LPT¹", "_LPT¹"),
            ("COM10", "COM10"),
            ("console.log", "console.log"),
            ("nul .txt", "_nul .txt"),
            (".hidden", ".hidden"),
            ("evil\u{202E}txt.exe", "eviltxt.exe"),
            ("a\u{7f}b\u{85}c\u{1b}[31m", "a_b_c_[31m"),
            ("a\u{2028}b\u{61c}c\u{e0041}", "abc"),
            ("it's \"quoted\"", "it's _quoted_"),
        ];
        for (from, to) in table {
            assert_eq!(clean(from), to, "{from:?}");
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing_more() {
        for name in [
            "a:b.",
            "CON",
            "x".repeat(400).as_str(),
            "世".repeat(300).as_str(),
            " . ",
        ] {
            let once = clean(name);
            assert_eq!(clean(&once), once);
        }
    }

    #[test]
    fn long_names_keep_their_ending() {
        let long = format!("{}.csv", "a".repeat(300));
        let short = clean(&long);
        assert_eq!(short.chars().count(), MAX_NAME_CHARS);
        assert!(short.ends_with("a.csv"));
        let wide = clean(&format!("{}.ome.tiff", "世".repeat(300)));
        assert!(wide.len() <= 230, "{}", wide.len());
        assert!(wide.ends_with("世.ome.tiff"));
        assert_eq!(shorten("abcdef.csv", 6), "ab.csv");
        assert_eq!(shorten("abcdef.csv", 3), "abc");
        assert_eq!(
            shorten("ab cdef.csv", 7),
            "ab.csv",
            "no blank before the dot"
        );
    }

    #[test]
    fn endings() {
        assert_eq!(split_extension("a.b.csv"), ("a.b", ".csv"));
        assert_eq!(split_extension("a.csv.gz"), ("a", ".csv.gz"));
        assert_eq!(split_extension("a.b.tif"), ("a.b", ".tif"));
        assert_eq!(split_extension("a.OME.TIF"), ("a", ".OME.TIF"));
        assert_eq!(split_extension(".hidden"), (".hidden", ""));
        assert_eq!(split_extension("no ending"), ("no ending", ""));
        assert_eq!(split_extension("Dr. Some One"), ("Dr. Some One", ""));
    }

    #[test]
    fn unique_names_never_meet_even_by_case() {
        let mut taken = BTreeSet::new();
        assert_eq!(unique(&mut taken, "a.csv"), "a.csv");
        assert_eq!(unique(&mut taken, "A.csv"), "A (2).csv");
        assert_eq!(unique(&mut taken, "a.CSV"), "a (3).CSV");
        assert_eq!(unique(&mut taken, "a (2).csv"), "a (2) (2).csv");
        let long = clean(&format!("{}.csv", "b".repeat(300)));
        let first = unique(&mut taken, &long);
        let second = unique(&mut taken, &long);
        assert_ne!(first, second);
        assert!(second.chars().count() <= MAX_NAME_CHARS);
        assert!(second.ends_with(" (2).csv"));
    }

    #[test]
    fn any_text_becomes_one_safe_name() {
        let alphabet: Vec<char> = "ab.C:\\/ \u{0}\u{7f}世\u{202e}*?CON1.()\n"
            .chars()
            .collect();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..3000 {
            let length = random.usize(0..40);
            let name: String = (0..length)
                .map(|_| alphabet[random.usize(0..alphabet.len())])
                .collect();
            let safe = clean(&name);
            assert!(!safe.is_empty() && safe != "." && safe != "..", "{name:?}");
            assert!(
                !safe.contains(['/', '\\', ':', '\0', '*', '?', '\n']),
                "{name:?} {safe:?}"
            );
            assert!(!safe.ends_with([' ', '.']), "{name:?} {safe:?}");
            assert_eq!(clean(&safe), safe, "{name:?}");
        }
    }
}
