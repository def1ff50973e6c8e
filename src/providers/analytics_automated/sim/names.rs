//! How the simulated server names things: stored files, links to them, identifiers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The base name a browser's path is cut down to (Django drops every directory part).
pub(super) fn base_name(sent: &str) -> &str {
    sent.rsplit(['/', '\\']).next().unwrap_or(sent)
}

/// Spaces become `_`; all but letters, digits, `_`, `-` and `.` goes (Django `get_valid_name`).
///
/// `None` where nothing usable is left, on which the real server raises an exception.
pub(super) fn valid_name(sent: &str) -> Option<String> {
    let cleaned: String = sent
        .trim()
        .chars()
        .map(|character| if character == ' ' { '_' } else { character })
        .filter(|character| character.is_alphanumeric() || "_-.".contains(*character))
        .collect();
    (!matches!(cleaned.as_str(), "" | "." | "..")).then_some(cleaned)
}

/// The name itself, or with `_` and seven random characters before its extension while `taken`.
pub(super) fn free_name(
    wanted: &str,
    random: &mut fastrand::Rng,
    taken: impl Fn(&str) -> bool,
) -> String {
    let mut name = wanted.to_owned();
    while taken(&name) {
        let suffix: String = (0..7).map(|_| random.alphanumeric()).collect();
        name = match wanted.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => format!("{stem}_{suffix}.{extension}"),
            _ => format!("{wanted}_{suffix}"),
        };
    }
    name
}

/// Percent-encodes a path as Django's `filepath_to_uri` does.
pub(super) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~/!*()'".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format_byte(byte));
        }
    }
    text
}

fn format_byte(byte: u8) -> String {
    format!("%{byte:02X}")
}

/// Undoes percent-encoding; bytes that are no UTF-8 afterwards become replacement characters.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            Some(_) | None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the server prints of an address: if it contains `analytics_automated`, only what follows
/// the first occurrence.
pub(super) fn printed_link(address: &str) -> &str {
    address
        .split_once("analytics_automated")
        .map_or(address, |(_, rest)| rest)
}

/// Identifiers of version 1: time, clock sequence and machine, in lower case.
#[derive(Debug, Default)]
pub(super) struct Identifiers {
    last_ticks: u64,
}

impl Identifiers {
    /// The next identifier; never the same twice, also when the clock stands still.
    pub(super) fn next(&mut self, now: SystemTime) -> String {
        /// Tenths of microseconds from the start of the Gregorian calendar to 1970 (RFC 4122 §4.1.4).
        const EPOCH_TICKS: u64 = 122_192_928_000_000_000;
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ticks = since_epoch.as_secs() * 10_000_000
            + u64::from(since_epoch.subsec_nanos() / 100)
            + EPOCH_TICKS;
        // The parts of one submission are a few thousand ticks apart on the real server.
        self.last_ticks = ticks.max(self.last_ticks + 70_734);
        let low = self.last_ticks & 0xffff_ffff;
        let middle = (self.last_ticks >> 32) & 0xffff;
        let high = (self.last_ticks >> 48) & 0x0fff;
        format!("{low:08x}-{middle:04x}-1{high:03x}-9d4a-02fc00000001")
    }
}

/// Whether a text has the shape of an identifier; another shape meets no address of the server.
pub(super) fn is_identifier(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_as_measured() {
        assert_eq!(base_name("C:\\data\\a.csv"), "a.csv");
        assert_eq!(base_name("../../a.csv"), "a.csv");
        assert_eq!(
            valid_name("my data (1).csv").as_deref(),
            Some("my_data_1.csv")
        );
        assert_eq!(valid_name("世界 #%'\".csv").as_deref(), Some("世界_.csv"));
        assert_eq!(valid_name("???"), None);
        let mut random = fastrand::Rng::with_seed(1);
        let name = free_name("my_data_1.csv", &mut random, |name| name == "my_data_1.csv");
        assert_eq!(name.len(), "my_data_1_NdfkA0N.csv".len());
        assert!(name.starts_with("my_data_1_"));
        assert_eq!(name.rsplit_once('.').unwrap().1, "csv");
    }

    #[test]
    fn links_are_encoded_once_and_cut_at_the_word() {
        assert_eq!(encoded("données_α.csv"), "donn%C3%A9es_%CE%B1.csv");
        assert_eq!(decoded("donn%C3%A9es_%CE%B1.csv"), "données_α.csv");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(printed_link("/submissions/x.txt"), "/submissions/x.txt");
        assert_eq!(
            printed_link("/analytics_automated/submissions/x.txt"),
            "/submissions/x.txt"
        );
        assert_eq!(
            printed_link("/submissions/analytics_automated_in.csv"),
            "_in.csv"
        );
    }

    #[test]
    fn identifiers_are_of_version_one_and_unique() {
        let mut identifiers = Identifiers::default();
        let now = SystemTime::now();
        let (first, second) = (identifiers.next(now), identifiers.next(now));
        assert_ne!(first, second);
        for id in [first, second] {
            assert!(is_identifier(&id), "{id}");
            assert_eq!(id.as_bytes()[14], b'1');
            assert_eq!(id, id.to_lowercase());
        }
        assert!(!is_identifier("c078eaf2-e53d-11f1-9d4a"));
        assert!(!is_identifier("z078eaf2-e53d-11f1-9d4a-02fc00000001"));
    }
}
