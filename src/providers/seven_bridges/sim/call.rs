//! A request as the handlers want it: addresses on the host the client used, the query in order, the body as JSON.
//!
//! Owns the odd habits of the official SDK: a body of `null`, and no body at all, are an empty one.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use crate::providers::seven_bridges::sim::errors::Refusal;

/// Where and with which query a request came in.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// `http://HOST/v2`, the host being the one the client used.
    base: String,
    /// The path below it, still percent-encoded.
    path: String,
    query: Vec<(String, String)>,
}

impl Call {
    /// The address of a path below the base.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The first value of a field of the query.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a field of the query.
    pub(super) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = self.query.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The whole query.
    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Whether a field says yes; the SDK writes `True`.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.one(name)
            .is_some_and(|text| text.eq_ignore_ascii_case(value))
    }

    /// This request's own address, with these fields of the query in place of those sent.
    pub(super) fn again(&self, fields: &[(&str, String)]) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(name, _)| fields.iter().all(|(other, _)| other != name))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let changed = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let query: Vec<String> = kept
            .chain(changed)
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        if query.is_empty() {
            return self.href(&self.path);
        }
        self.href(&format!("{}?{}", self.path, query.join("&")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let host = parts.headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = parts.uri.path().strip_prefix("/v2").unwrap_or_default();
        let query = Query::try_from_uri(&parts.uri)
            .map_err(|error| Refusal::bad(90000, error.body_text()))?;
        Ok(Self {
            base: format!("http://{host}/v2"),
            path: path.to_owned(),
            query: query.0,
        })
    }
}

/// The body, `Null` when there is none.
#[derive(Debug)]
pub(super) struct Sent(pub(super) Value);

impl Sent {
    /// A member of the body.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// The body as an object; an empty one when there is none.
    pub(super) fn object(&self) -> Map<String, Value> {
        self.0.as_object().cloned().unwrap_or_default()
    }

    /// A list of at most 100 ids.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let ids = self.get(name).and_then(Value::as_array);
        let ids = ids.and_then(|ids| {
            let text = |id: &Value| id.as_str().map(str::to_owned);
            ids.iter().map(text).collect::<Option<Vec<_>>>()
        });
        match ids {
            None => Err(Refusal::bad(
                90000,
                format!("{name} must be a list of ids."),
            )),
            Some(ids) if ids.len() > MOST_IN_BULK => Err(Refusal::bad(90000, TOO_MANY)),
            Some(ids) => Ok(ids),
        }
    }

    /// A list of at most 100 objects.
    pub(super) fn items(&self) -> Result<Vec<Map<String, Value>>, Refusal> {
        let items = self.get("items").and_then(Value::as_array);
        let items = items.and_then(|items| {
            let object = |item: &Value| item.as_object().cloned();
            items.iter().map(object).collect::<Option<Vec<_>>>()
        });
        match items {
            None => Err(Refusal::bad(90000, "items must be a list of objects.")),
            Some(items) if items.len() > MOST_IN_BULK => Err(Refusal::bad(90000, TOO_MANY)),
            Some(items) => Ok(items),
        }
    }
}

const MOST_IN_BULK: usize = 100;
const TOO_MANY: &str = "At most 100 items can be handled at once.";

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let undecodable = |text: String| Refusal::bad(90009, text);
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| undecodable(error.body_text()))?;
        if bytes.is_empty() {
            return Ok(Self(Value::Null));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| undecodable(format!("Request body cannot be decoded: {error}")))
    }
}

/// Percent-encodes everything but the unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 0xF] {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
    }
    encoded
}
