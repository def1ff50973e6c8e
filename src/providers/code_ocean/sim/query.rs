//! Queries as the known clients write them: `+` or `%20` for a blank, `%2F` or `/`, `True` or `true`.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::providers::code_ocean::sim::answer::{Refusal, bad};

/// The fields of a query, decoded.
#[derive(Debug, Default)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    fn read(query: &str) -> Self {
        let fields = query.split('&').filter(|field| !field.is_empty());
        let decoded = fields.map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (decode(name), decode(value))
        });
        Self(decoded.collect())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A text that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)
            .ok_or_else(|| bad(format!("{name} is required")))
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.text(name) {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_error| bad(format!("{name} must be a number"))),
        }
    }

    /// On or off, in any case.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.needed(name)?.to_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(bad(format!("{name} must be true or false"))),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = [ahead.next(), ahead.next()].map(|digit| {
                    let digit = char::from(digit?).to_digit(16)?;
                    u8::try_from(digit).ok()
                });
                if let [Some(high), Some(low)] = digits {
                    bytes.push(high * 16 + low);
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_a_path_are_read() {
        for query in [
            "path=per+file%2F%C2%B5.csv&x",
            "path=per%20file/%c2%b5.csv",
            "a=b&path=per%20file%2Fµ.csv",
        ] {
            assert_eq!(Fields::read(query).text("path"), Some("per file/µ.csv"));
        }
        assert_eq!(Fields::read("path=100%+%4").text("path"), Some("100% %4"));
        for (text, on) in [
            ("True", true),
            ("true", true),
            ("False", false),
            ("0", false),
        ] {
            assert_eq!(Fields::read(&format!("a={text}")).flag("a").unwrap(), on);
        }
        assert!(Fields::read("a=maybe").flag("a").is_err());
        assert!(Fields::default().flag("a").is_err());
    }
}
