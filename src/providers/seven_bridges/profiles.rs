//! The credentials file of the vendor's own tools, `~/.sevenbridges/credentials`; only ever read.

use std::collections::BTreeMap;

use ini::Ini;

use crate::model::connection::clean_base_url;
use crate::model::secret::Secret;
use crate::providers::Profile;

/// The profiles that have an address and a token, in the order of the file.
pub(super) fn read(text: &str) -> Vec<Profile> {
    // Without escapes: a backslash in such a file is a backslash.
    let text = text.trim_start_matches('\u{feff}');
    let Ok(file) = Ini::load_from_str_noescape(text) else {
        return Vec::new();
    };
    file.iter()
        .filter_map(|(section, entries)| {
            let url = clean_base_url(entries.get("api_endpoint")?).ok()?;
            let token = Secret::parse_key(entries.get("auth_token")?).ok()?;
            Some(Profile {
                name: section?.trim().to_owned(),
                entries: BTreeMap::from([("url".to_owned(), url)]),
                secrets: BTreeMap::from([("key".to_owned(), token)]),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_profiles_are_read() {
        let text = "\u{feff}; a comment\n[default]\napi_endpoint = https://api.sbgenomics.com/v2\n\
            auth_token   = 0123456789abcdef0123456789abcdef\n\n# another\n[bdc]\n\
            api_endpoint=https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2\r\nauth_token=\"fedcba9876543210\"\n\
            [half]\nauth_token = 0123\n[empty]\n[proxies]\nhttp_proxy = http://proxy.example.org\n";
        let profiles = read(text);
        let shown: Vec<(&str, &str, &str)> = profiles
            .iter()
            .map(|profile| {
                (
                    profile.name.as_str(),
                    profile.entries["url"].as_str(),
                    profile.secrets["key"].reveal(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "default",
                    "https://api.sbgenomics.com/v2/",
                    "0123456789abcdef0123456789abcdef"
                ),
                (
                    "bdc",
                    "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2/",
                    "fedcba9876543210"
                ),
            ]
        );
        assert!(read("no file of this kind [").is_empty());
        assert!(read("").is_empty());
    }
}
