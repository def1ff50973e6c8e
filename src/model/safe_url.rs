//! An address that may carry a signature or a password, and never shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An absolute address. `Debug` and `Display` show it without user, query and fragment;
/// whoever has a signed query has the data behind it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SafeUrl(String);

impl SafeUrl {
    /// Wraps an address as it came.
    pub fn new(address: impl Into<String>) -> Self {
        Self(address.into())
    }

    /// The whole address, for the request itself and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split(['?', '#']).next().unwrap_or_default();
        let Some((scheme, rest)) = shown.split_once("://") else {
            return formatter.write_str(shown);
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit('@').next().unwrap_or(host);
        write!(formatter, "{scheme}://{host}/{path}")
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SafeUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_neither_user_nor_query() {
        let url = SafeUrl::new("https://me:pw@storage.example.org/a/b.zip?X-Sig=secret#frag");
        assert_eq!(url.to_string(), "https://storage.example.org/a/b.zip");
        assert_eq!(
            format!("{url:?}"),
            "SafeUrl(https://storage.example.org/a/b.zip)"
        );
        assert!(url.reveal().contains("X-Sig=secret"));
    }
}
