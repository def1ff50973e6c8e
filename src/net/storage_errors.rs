//! What an object storage says when it refuses: XML with a code and a message, as Amazon's and its kin write it.
//! Only the platforms' own interfaces speak otherwise ([`crate::net::errors`]).

use reqwest::header::HeaderMap;

use crate::model::error::{Doing, Error, ErrorKind};
use crate::net::{errors, retry};

/// A refusal of a storage as an error: the kind by its code where that knows better than the status.
pub fn from_storage(doing: Doing, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body.get(..body.len().min(16 * 1024)).unwrap_or(body));
    let code = element(&text, "Code");
    let kind = code.and_then(kind_of_code).unwrap_or_else(|| match status {
        // It says nothing about the key of the platform.
        401 => ErrorKind::Forbidden,
        _ => errors::kind_of(status),
    });
    let error = Error::new(kind, doing)
        .status(status)
        .request_id(errors::request_id(headers))
        .retry_after(retry::retry_after(headers));
    let error = match code {
        Some("RequestTimeTooSkewed") => error.hint("The clock of this computer is wrong"),
        Some("NoSuchBucket") => error.hint("There is no bucket of this name"),
        Some("SignatureDoesNotMatch" | "InvalidAccessKeyId") => {
            error.hint("The storage does not accept the signature of the request")
        }
        Some(_) | None => error,
    };
    let said = match (code, element(&text, "Message")) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (Some(code), None) => Some(code.to_owned()),
        (None, _) => errors::said_in(body),
    };
    match said {
        Some(said) => error.server_said(said),
        None => error,
    }
}

/// Codes that mean something else than their status, or the same under any status.
fn kind_of_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "RequestTimeout" => ErrorKind::Timeout,
        "SlowDown" | "Throttling" | "TooManyRequests" => ErrorKind::RateLimited,
        "InternalError" | "ServiceUnavailable" => ErrorKind::ServerFault,
        "ExpiredToken" | "AccessDenied" | "RequestTimeTooSkewed" => ErrorKind::Forbidden,
        "EntityTooLarge" => ErrorKind::TooLarge,
        "NoSuchUpload" | "NoSuchBucket" | "NoSuchKey" => ErrorKind::NotFound,
        // The bytes were damaged on their way.
        "BadDigest" | "IncompleteBody" | "XAmzContentSHA256Mismatch" => ErrorKind::Garbled,
        _ => return None,
    })
}

/// The text of the first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    let content = content.trim();
    (!content.is_empty()).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Error {
        from_storage(Doing::Upload, status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn the_code_knows_better_than_the_status() {
        for (status, code, kind) in [
            (400, "RequestTimeout", ErrorKind::Timeout),
            (503, "SlowDown", ErrorKind::RateLimited),
            (503, "ServiceUnavailable", ErrorKind::ServerFault),
            (400, "ExpiredToken", ErrorKind::Forbidden),
            (403, "AccessDenied", ErrorKind::Forbidden),
            (400, "EntityTooLarge", ErrorKind::TooLarge),
            (400, "BadDigest", ErrorKind::Garbled),
            (404, "NoSuchUpload", ErrorKind::NotFound),
            (400, "SomethingNew", ErrorKind::Invalid),
        ] {
            let body = format!(
                "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>Request has expired</Message></Error>"
            );
            let error = refusal(status, &body);
            assert_eq!(error.kind(), kind, "{code}");
            assert_eq!(
                error.failure().server_said.as_deref(),
                Some(format!("{code}: Request has expired").as_str())
            );
        }
        let error = refusal(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>");
        assert_eq!(
            error.failure().hint.as_deref(),
            Some("The clock of this computer is wrong")
        );
    }

    #[test]
    fn other_bodies_are_read_as_usual() {
        let error = refusal(502, "<html><body><h1>Bad gateway</h1></body></html>");
        assert_eq!(error.kind(), ErrorKind::ServerFault);
        assert_eq!(error.failure().server_said.as_deref(), Some("Bad gateway"));
        assert_eq!(refusal(403, "").failure().server_said, None);
    }
}
