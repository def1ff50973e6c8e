//! Names as parts of a URI (RFC 3986).

use std::fmt::Write as _;

/// A path below the crate as a relative URI reference: everything but plain letters, digits, `-._~` and `/` as `%XX` of its
/// UTF-8, so that `#`, `%`, `?` and `:` stay parts of a name.
pub(super) fn relative(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if plain {
            uri.push(char::from(byte));
        } else if write!(uri, "%{byte:02X}").is_err() {
            break;
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn every_name_survives_the_way_through_a_uri() {
        for (path, uri) in [
            ("a/b-c_d.e~f", "a/b-c_d.e~f"),
            ("Core - 50 %/a#1?.csv", "Core%20-%2050%20%25/a%231%3F.csv"),
            ("世界.csv", "%E4%B8%96%E7%95%8C.csv"),
            (
                "c:/x (2)[1]&'\".csv",
                "c%3A/x%20%282%29%5B1%5D%26%27%22.csv",
            ),
            ("%20", "%2520"),
        ] {
            assert_eq!(relative(path), uri);
        }
    }
}
