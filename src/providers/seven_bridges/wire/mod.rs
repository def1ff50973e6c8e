//! Seven Bridges' JSON as it is. What is not promised is optional, numbers may come as text, and unknown fields are
//! ignored.

pub(super) mod accounts;
pub(super) mod apps;
pub(super) mod files;
pub(super) mod tasks;
#[cfg(test)]
mod tests;
pub(super) mod uploads;

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// One page of any list. Its links are not followed: published ones lead over plain http and hold two question marks.
#[derive(Debug, Deserialize)]
pub(super) struct Listed<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) links: Json,
}

impl<T> Listed<T> {
    /// Whether the page names another one behind it.
    pub(super) fn names_a_next(&self) -> bool {
        let rel = |link: &Json| link.get("rel").and_then(Json::as_str) == Some("next");
        self.links
            .as_array()
            .is_some_and(|links| links.iter().any(rel))
    }
}

/// One entry of an answer about many.
#[derive(Debug, Deserialize)]
pub(super) struct BulkItem<T> {
    pub(super) resource: Option<T>,
    #[serde(default)]
    pub(super) error: Json,
}

/// The answer about many.
#[derive(Debug, Deserialize)]
pub(super) struct Bulk<T> {
    pub(super) items: Vec<BulkItem<T>>,
}

/// A text, or a number as text.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Json::deserialize(from)? {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    })
}

/// A count, also as text or with a point.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(count_in(&Json::deserialize(from)?))
}

/// See [`count`].
pub(super) fn count_in(json: &Json) -> Option<u64> {
    match json {
        Json::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            (number >= 0.0 && number.fract() == 0.0)
                .then(|| format!("{number:.0}").parse().ok())
                .flatten()
        }),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A yes or no, also as text.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Json::deserialize(from)? {
        Json::Bool(flag) => Some(flag),
        Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    })
}
