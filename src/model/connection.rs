//! A saved way to a platform. The key is not part of it: it is in the vault.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::ids::{ConnectionId, ProviderId};

/// Platform, address and label, as saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Our number.
    pub id: ConnectionId,
    /// The platform.
    pub provider: ProviderId,
    /// The person's own name for it; unique.
    pub label: String,
    /// Base of all requests, as the platform's notes define it; always ends with `/`.
    pub base_url: String,
    /// Further entries of the form that are no secrets, by field name: `email`, `user`, `files_url`.
    pub options: BTreeMap<String, String>,
    /// Under which name the vault keeps its secrets; random, so that two data folders never share a key by accident.
    pub vault_name: String,
    /// Who the platform said we are, and when it was last asked with success.
    pub account: Option<Account>,
}

/// Who a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// As the platform names it: an email address, a user name, or the host where nobody signs in.
    pub name: String,
    /// When the platform said so.
    pub checked: Timestamp,
    /// The places a connection can work in, such as projects, where the platform has such.
    #[serde(default)]
    pub places: Vec<Place>,
}

/// A part of the platform that a connection works in, such as a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The platform's identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What keeps a job from being run there, in words; none when nothing does.
    pub lacks: Option<String>,
}

/// What a person fills in to add a connection; secrets travel beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionDraft {
    /// The platform.
    pub provider: ProviderId,
    /// The person's own name for it.
    pub label: String,
    /// Entries by field name, `url` among them; secrets are not.
    pub entries: BTreeMap<String, String>,
}

/// Where a connection's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum KeyState {
    /// The platform needs none and none was given.
    NotNeeded,
    /// In the operating system's keyring.
    InKeyring,
    /// Only in memory until the app closes.
    ThisSessionOnly,
    /// Needed and not there.
    Missing,
}

impl KeyState {
    /// The words on the connection's card.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotNeeded => "No key needed",
            Self::InKeyring => "Key in the keyring",
            Self::ThisSessionOnly => "Key kept for this session only",
            Self::Missing => "Key missing",
        }
    }
}

/// Cleans a pasted base address: blanks and quotes around it, a missing scheme, a missing slash at the end.
/// A loopback host without scheme gets `http`, any other `https`.
///
/// # Errors
/// One sentence for beside the field.
pub fn clean_base_url(pasted: &str) -> Result<String, &'static str> {
    let cleaned = pasted.trim().trim_matches(['"', '\'', '<', '>']).trim();
    if cleaned.is_empty() {
        return Err("The address is empty");
    }
    let with_scheme = if cleaned.contains("://") {
        cleaned.to_owned()
    } else if is_loopback_host(host_of(cleaned)) {
        format!("http://{cleaned}")
    } else {
        format!("https://{cleaned}")
    };
    let Some((scheme, rest)) = with_scheme.split_once("://") else {
        return Err("The address is not a web address");
    };
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err("The address must start with https:// or http://");
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if host_of(rest).is_empty() || rest.chars().any(char::is_whitespace) {
        return Err("The address has no host name");
    }
    if rest.contains('@') {
        return Err("The address must not contain a user or a password");
    }
    Ok(format!("{scheme}://{}/", rest.trim_end_matches('/')))
}

/// Whether a key may travel to this address: over https, or to this computer itself.
pub fn may_carry_key(base_url: &str) -> bool {
    match base_url.split_once("://") {
        Some(("https", _)) => true,
        Some(("http", rest)) => is_loopback_host(host_of(rest)),
        Some(_) | None => false,
    }
}

/// The host of what follows `://`, without port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(bracketed) = authority.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_loopback_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_addresses_are_cleaned() {
        for (pasted, cleaned) in [
            (
                " \"https://app.example.org/api/external\" ",
                Ok("https://app.example.org/api/external/"),
            ),
            (
                "bioinf.example.org/psipred/api",
                Ok("https://bioinf.example.org/psipred/api/"),
            ),
            ("127.0.0.1:8000/x/", Ok("http://127.0.0.1:8000/x/")),
            (
                "HTTPS://Host.example.org?tab=1",
                Ok("https://Host.example.org/"),
            ),
            (
                "ftp://host",
                Err("The address must start with https:// or http://"),
            ),
            ("https://", Err("The address has no host name")),
            (
                "https://me:pw@host.example.org",
                Err("The address must not contain a user or a password"),
            ),
            (" ", Err("The address is empty")),
        ] {
            assert_eq!(
                clean_base_url(pasted),
                cleaned.map(str::to_owned),
                "{pasted}"
            );
        }
    }

    #[test]
    fn a_key_travels_over_https_or_to_loopback() {
        assert!(may_carry_key("https://x.example.org/"));
        assert!(may_carry_key("http://127.0.0.1:4000/"));
        assert!(may_carry_key("http://[::1]:4000/"));
        assert!(may_carry_key("http://localhost/"));
        assert!(!may_carry_key("http://x.example.org/"));
        assert!(!may_carry_key("http://localhost.example.org/"));
        assert!(!may_carry_key("http://127.0.0.1.example.org/"));
    }
}
