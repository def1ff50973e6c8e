//! Turns failures of the HTTP library and answers of servers into the model's errors. Nothing else in the program does.

use std::error::Error as StdError;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::net::retry;

/// What a platform's own error body says; what is missing is taken from the status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// The kind, where the body knows better than the status.
    pub kind: Option<ErrorKind>,
    /// The platform's own message.
    pub said: Option<String>,
    /// How long to wait, where the body means a time that no header says.
    pub wait: Option<Duration>,
}

/// Reads a platform's own error body: status, headers, body.
pub type ReadComplaint = fn(u16, &HeaderMap, &[u8]) -> Complaint;

/// For platforms whose error bodies are documented nowhere: the usual fields, else an excerpt.
pub fn usual_complaint(_status: u16, _headers: &HeaderMap, body: &[u8]) -> Complaint {
    Complaint {
        said: said_in(body),
        ..Complaint::default()
    }
}

/// A request that found no answer, or an answer that was cut.
pub fn from_transport(error: reqwest::Error, doing: Doing) -> Error {
    let error = error.without_url();
    let (kind, sent) = if error.is_builder() {
        (ErrorKind::Internal, Sent::No)
    } else if error.is_connect() {
        (ErrorKind::Unreachable, Sent::No)
    } else if error.is_timeout() {
        (ErrorKind::Timeout, Sent::Perhaps)
    } else {
        (ErrorKind::Unreachable, Sent::Perhaps)
    };
    let mapped = Error::new(kind, doing).sent(sent).caused_by(&error);
    match reason(&error) {
        Some(hint) => mapped.hint(hint),
        None => mapped,
    }
}

/// What a person can do something about, out of the chain of causes.
fn reason(error: &reqwest::Error) -> Option<&'static str> {
    if error.is_dns() {
        return Some("No server of this name was found");
    }
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<std::io::Error>()
            && cause.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return Some("The server refuses connections");
        }
        let text = cause.to_string();
        if text.contains("certificate") {
            return Some(
                "The server's certificate is not trusted; networks with their own certificate authority need it added in Settings",
            );
        }
        if text.contains("proxy") || text.contains("tunnel") {
            return Some("The proxy did not let the request through");
        }
        next = cause.source();
    }
    None
}

/// No sign of life in time.
pub fn silence(doing: Doing, sent: Sent) -> Error {
    Error::new(ErrorKind::Timeout, doing)
        .sent(sent)
        .hint("No sign of life from the server in time")
}

/// Somebody asked the transfer to stop; the one who asked knows, so the kind says only that it is no one's fault outside.
pub fn stopped(doing: Doing, sent: Sent) -> Error {
    Error::new(ErrorKind::Internal, doing)
        .sent(sent)
        .hint("Stopped on request")
}

/// An answer that makes no sense.
pub fn garbled(doing: Doing, status: u16, hint: &str) -> Error {
    Error::new(ErrorKind::Garbled, doing)
        .status(status)
        .hint(hint)
}

/// The kind of an HTTP status that is no success.
pub const fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 | 412 | 423 => ErrorKind::Conflict,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        503 => ErrorKind::Maintenance,
        400..=499 => ErrorKind::Invalid,
        500..=599 => ErrorKind::ServerFault,
        _ => ErrorKind::Garbled,
    }
}

/// A refusal, with what the platform's own body says about it.
pub fn from_answer(
    doing: Doing,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    read: ReadComplaint,
) -> Error {
    let complaint = read(status, headers, body);
    let error = Error::new(complaint.kind.unwrap_or(kind_of(status)), doing)
        .status(status)
        .request_id(request_id(headers))
        .retry_after(retry::retry_after(headers).or(complaint.wait));
    match complaint.said {
        Some(said) => error.server_said(said),
        None => error,
    }
}

/// The server's number of the request, under the names in use.
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    [
        "x-request-id",
        "request-id",
        "x-amz-request-id",
        "x-amzn-requestid",
        "x-correlation-id",
        "cf-ray",
    ]
    .into_iter()
    .find_map(|name| headers.get(name))
    .and_then(|value| value.to_str().ok())
    .map(|text| text.chars().take(100).collect())
}

/// The message in an error body: the first of `message`, `error`, `errors`, `detail` in JSON, else an excerpt as text.
pub fn said_in(body: &[u8]) -> Option<String> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return excerpt(body);
    };
    let said = ["message", "error", "errors", "detail"]
        .into_iter()
        .filter_map(|name| json.get(name))
        .find_map(text_of)
        .or_else(|| text_of(&json))?;
    // What stands in front of a platform may put its page into a message.
    if begins_like_html(said.as_bytes()) || said.contains("</") {
        return excerpt(said.as_bytes());
    }
    Some(said.chars().take(500).collect())
}

/// Nested messages on one line: `{"email": ["Enter a valid address."]}` is “email: Enter a valid address.”.
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Array(items) => joined(items.iter().filter_map(text_of)),
        Value::Object(fields) => joined(
            fields
                .iter()
                .filter_map(|(name, value)| text_of(value).map(|text| format!("{name}: {text}"))),
        ),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.take(10).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether a body begins like a web page.
pub fn begins_like_html(body: &[u8]) -> bool {
    let start = body.get(..body.len().min(1024)).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let text = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|sign| text.starts_with(sign))
        || (text.starts_with("<!--") && text.contains("<html"))
}

/// Whether the headers announce a web page.
pub fn announces_html(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let value = value.trim().to_ascii_lowercase();
            value.starts_with("text/html") || value.starts_with("application/xhtml")
        })
}

/// Whether the headers announce JSON.
pub fn announces_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let value = value.trim().to_ascii_lowercase();
            value.starts_with("application/json") || value.starts_with("application/problem+json")
        })
}

/// A short text out of any body: tags, scripts and runs of blanks taken away, at most 300 characters.
pub fn excerpt(body: &[u8]) -> Option<String> {
    let start = body.get(..body.len().min(16 * 1024)).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let mut words = String::new();
    let mut rest = text.as_ref();
    while let Some((before, tagged)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let lower = tagged.get(..8).unwrap_or(tagged).to_ascii_lowercase();
        // The content of these two is no text.
        let end = if lower.starts_with("script") {
            "</script>"
        } else if lower.starts_with("style") {
            "</style>"
        } else {
            ">"
        };
        rest = tagged.split_once(end).map_or("", |(_tag, after)| after);
    }
    words.push_str(rest);
    let words: Vec<&str> = words
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let short: String = words.join(" ").chars().take(300).collect();
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_kind() {
        for (status, kind) in [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Unauthenticated),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Timeout),
            (409, ErrorKind::Conflict),
            (410, ErrorKind::NotFound),
            (413, ErrorKind::TooLarge),
            (415, ErrorKind::Invalid),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::ServerFault),
            (502, ErrorKind::ServerFault),
            (503, ErrorKind::Maintenance),
            (507, ErrorKind::ServerFault),
            (302, ErrorKind::Garbled),
        ] {
            assert_eq!(kind_of(status), kind, "{status}");
        }
    }

    #[test]
    fn the_message_is_found_in_any_body() {
        for (body, said) in [
            (r#"{"message":"no","error":"other"}"#, Some("no")),
            (r#"{"message":null,"error":"other"}"#, Some("other")),
            (
                r#"{"error":{"email":["Enter a valid email address."]}}"#,
                Some("email: Enter a valid email address."),
            ),
            (r#"{"errors":[{"code":7},"b"]}"#, Some("code: 7; b")),
            (
                r#"{"message":"<html><body><h1>Bad gateway</h1></body></html>"}"#,
                Some("Bad gateway"),
            ),
            (
                r#"{"message":"sigma must be < 5 and > 3"}"#,
                Some("sigma must be < 5 and > 3"),
            ),
            ("", None),
            ("{}", None),
            (
                "<!DOCTYPE html><html><head><style>p{}</style><script>x<y</script></head><body><h1>Bad\n gateway</h1>",
                Some("Bad gateway"),
            ),
            ("plain  words", Some("plain words")),
        ] {
            assert_eq!(said_in(body.as_bytes()).as_deref(), said, "{body}");
        }
    }

    #[test]
    fn a_web_page_is_recognized() {
        assert!(begins_like_html(b"\xef\xbb\xbf \n<!DOCTYPE HTML PUBLIC>"));
        assert!(begins_like_html(b"<!-- x --><html>"));
        assert!(!begins_like_html(b"a,b\n<html>"));
        assert!(!begins_like_html(b"<?xml version='1.0'?>"));
    }
}
