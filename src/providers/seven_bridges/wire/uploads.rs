//! Uploads in parts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::providers::seven_bridges::wire::{count, count_in, flag, text};

/// The answer to a new upload. The server may choose another part size than was wished for.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct Opened {
    pub(in crate::providers::seven_bridges) upload_id: String,
    #[serde(default, deserialize_with = "count")]
    pub(in crate::providers::seven_bridges) part_size: Option<u64>,
    #[serde(default, deserialize_with = "flag")]
    pub(in crate::providers::seven_bridges) parallel_uploads: Option<bool>,
}

/// Where a part goes. `expires` is not read: it is a text in one page of the vendor and a number in another.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct PartLink {
    #[serde(default, deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) method: Option<String>,
    pub(in crate::providers::seven_bridges) url: String,
    #[serde(default)]
    pub(in crate::providers::seven_bridges) headers: Json,
    #[serde(default)]
    report: Json,
    #[serde(default)]
    success_codes: Json,
}

impl PartLink {
    /// Statuses of a success; the vendor's table has them at the top level, its example inside `report`.
    pub(in crate::providers::seven_bridges) fn success_codes(&self) -> Vec<u16> {
        let codes: Vec<u16> = [self.report.get("success_codes"), Some(&self.success_codes)]
            .into_iter()
            .flatten()
            .filter_map(Json::as_array)
            .flatten()
            .filter_map(|code| u16::try_from(count_in(code)?).ok())
            .collect();
        if codes.is_empty() { vec![200] } else { codes }
    }

    /// Headers of the storage's answer that are to be reported.
    pub(in crate::providers::seven_bridges) fn reported_headers(&self) -> Vec<String> {
        let names: Vec<String> = self
            .report
            .get("headers")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            vec!["ETag".to_owned()]
        } else {
            names
        }
    }

    /// The headers to send, exactly.
    pub(in crate::providers::seven_bridges) fn sent_headers(&self) -> Vec<(String, String)> {
        let Some(headers) = self.headers.as_object() else {
            return Vec::new();
        };
        headers
            .iter()
            .filter_map(|(name, value)| match value {
                Json::String(value) => Some((name.clone(), value.clone())),
                Json::Number(value) => Some((name.clone(), value.to_string())),
                Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
            })
            .collect()
    }
}

/// `GET /upload/multipart/{id}?list_parts=true`; the file's size is not in it.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct Arrived {
    #[serde(default, deserialize_with = "count")]
    pub(in crate::providers::seven_bridges) part_size: Option<u64>,
    #[serde(default, deserialize_with = "flag")]
    pub(in crate::providers::seven_bridges) parallel_uploads: Option<bool>,
    #[serde(default)]
    parts: Option<Vec<ArrivedPart>>,
}

#[derive(Debug, Deserialize)]
struct ArrivedPart {
    #[serde(default, deserialize_with = "count")]
    part_number: Option<u64>,
    #[serde(default)]
    response: Json,
}

impl Arrived {
    /// The ETags of the parts that are there, by number. A part without one was reported wrongly and is sent again.
    pub(in crate::providers::seven_bridges) fn etags(&self) -> BTreeMap<u64, String> {
        self.parts
            .iter()
            .flatten()
            .filter_map(|part| {
                let headers = part.response.get("headers")?.as_object()?;
                let etag = headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("etag"))
                    .and_then(|(_, etag)| etag.as_str())
                    .map(|etag| etag.trim_matches('"').to_owned())
                    .filter(|etag| !etag.is_empty())?;
                Some((part.part_number?, etag))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> PartLink {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn success_codes_stand_in_either_place_and_expires_is_anything() {
        for (text, codes) in [
            (r#"{"url":"u","report":{"success_codes":[201]}}"#, vec![201]),
            (r#"{"url":"u","success_codes":["204"]}"#, vec![204]),
            (r#"{"url":"u","expires":1718000000000000}"#, vec![200]),
            (
                r#"{"url":"u","expires":"2024-06-10T12:00:00Z","report":null}"#,
                vec![200],
            ),
        ] {
            assert_eq!(link(text).success_codes(), codes, "{text}");
        }
        let named = link(
            r#"{"url":"u","headers":{"x-a":"1","x-b":2},"report":{"headers":["ETag","x-c"]}}"#,
        );
        assert_eq!(named.reported_headers(), ["ETag", "x-c"]);
        assert_eq!(
            named.sent_headers(),
            [
                ("x-a".to_owned(), "1".to_owned()),
                ("x-b".to_owned(), "2".to_owned())
            ]
        );
    }
}
