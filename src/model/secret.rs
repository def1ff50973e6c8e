//! Keys and passwords: a type that cannot print itself and is wiped when dropped.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A key, token or password. It has no `Display`, its `Debug` shows nothing, and it is not serializable.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Why a pasted text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretProblem {
    /// Nothing but blanks and quotes.
    #[error("The key is empty")]
    Empty,
    /// A character that cannot travel in a request header.
    #[error(
        "The key contains a character that no key has, such as a blank or a line break in the middle"
    )]
    Unsendable,
}

impl Secret {
    /// Cleans a pasted key (blanks and quotes around it) and refuses what could not be sent in a header.
    pub fn parse_key(pasted: &str) -> Result<Self, SecretProblem> {
        let cleaned = pasted
            .trim()
            .trim_matches(['"', '\'', '\u{201c}', '\u{201d}', '`'])
            .trim();
        if cleaned.is_empty() {
            return Err(SecretProblem::Empty);
        }
        if !cleaned
            .chars()
            .all(|character| character.is_ascii_graphic())
        {
            return Err(SecretProblem::Unsendable);
        }
        Ok(Self(SecretString::from(cleaned)))
    }

    /// A password as typed: only line breaks at its end are dropped, as it never stands in a header as it is.
    pub fn parse_password(typed: &str) -> Result<Self, SecretProblem> {
        let cleaned = typed.trim_end_matches(['\r', '\n']);
        if cleaned.is_empty() {
            return Err(SecretProblem::Empty);
        }
        Ok(Self(SecretString::from(cleaned)))
    }

    /// The text itself, for a request header or the keyring and nothing else.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_key_is_cleaned_and_checked() {
        let parsed = |text| Secret::parse_key(text).map(|secret| secret.reveal().to_owned());
        assert_eq!(parsed(" \"abc-123\"\r\n"), Ok("abc-123".to_owned()));
        assert_eq!(parsed(" '' "), Err(SecretProblem::Empty));
        assert_eq!(parsed("abc\ndef"), Err(SecretProblem::Unsendable));
        assert_eq!(parsed("schlüssel"), Err(SecretProblem::Unsendable));
    }

    #[test]
    fn debug_does_not_show_it() {
        let secret = Secret::parse_key("canary-key").unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
