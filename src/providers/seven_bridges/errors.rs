//! Seven Bridges' refusals: the HTTP status decides, its own code says more, and both are shown (the vendor's list of API
//! status codes, read 2026-11-21).

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value as Json;

use crate::model::error::{Doing, Error, ErrorKind};
use crate::net::errors::{self, Complaint};

/// What the vendor's own tools wait in a maintenance.
const MAINTENANCE: Duration = Duration::from_mins(5);

/// A folder has no address to download from.
pub(super) const IS_FOLDER: u32 = 5017;
/// The volume a file lies on is switched off.
pub(super) const VOLUME_INACTIVE: u32 = 5034;
/// Allowed on drafts only.
pub(super) const NOT_A_DRAFT: u32 = 7007;
/// A task that has ended, or never began, cannot be stopped.
pub(super) const NOT_STOPPABLE: u32 = 7011;
/// A draft that does not pass the checks.
pub(super) const HAS_ERRORS: u32 = 7024;
/// A file of the name exists.
pub(super) const NAME_TAKEN: u32 = 8005;

/// Reads an error body. Its `status` may be a word and its `code` missing; in a maintenance it may be a web page.
pub(super) fn complaint(status: u16, headers: &HeaderMap, body: &[u8]) -> Complaint {
    let json: Option<Json> = serde_json::from_slice(body).ok();
    let code = json.as_ref().and_then(code_in);
    let is_page = errors::begins_like_html(body) || errors::announces_html(headers);
    let is_maintenance = status == 503 && (code == Some(0) || (code.is_none() && is_page));
    let said = errors::said_in(body).map(|said| match code {
        Some(code) => format!("{said} (code {code})"),
        None => said,
    });
    if let Some(number) = errors::request_id(headers) {
        tracing::info!(status, code, request_id = %number, "Seven Bridges refused a request");
    }
    Complaint {
        kind: kind_of(status, code),
        said,
        wait: is_maintenance.then_some(MAINTENANCE),
    }
}

/// Where the code means another kind than the status.
fn kind_of(status: u16, code: Option<u32>) -> Option<ErrorKind> {
    match (status, code?) {
        // One service of the platform is down, not the whole of it; uploads that failed inside.
        (503, 5000 | 7000 | 8000 | 90005) | (400..=499, 8008 | 8013..=8015) => {
            Some(ErrorKind::ServerFault)
        }
        // These say how something stands and nothing about rights, whatever the status.
        (400..=499, NOT_A_DRAFT | 7008 | NOT_STOPPABLE) => Some(ErrorKind::Conflict),
        (400..=499, 7012 | HAS_ERRORS) => Some(ErrorKind::Invalid),
        _ => None,
    }
}

/// The code of a refusal, as [`complaint`] wrote it behind the server's words.
pub(super) fn code_of(error: &Error) -> Option<u32> {
    let said = error.failure().server_said.as_deref()?;
    let (_, code) = said.rsplit_once(" (code ")?;
    code.strip_suffix(')')?.parse().ok()
}

/// An error inside an answer to a question about many, as that question alone would have been refused.
pub(super) fn inner_error(error: &Json, doing: Doing) -> Error {
    let status = error
        .get("status")
        .and_then(Json::as_u64)
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(match code_in(error) {
            Some(5002 | 7002 | 90003) => 404,
            Some(5001 | 7001 | 90002) => 403,
            _ => 500,
        });
    let body = error.to_string();
    let headers = HeaderMap::new();
    errors::from_answer(doing, status, &headers, body.as_bytes(), complaint)
}

fn code_in(json: &Json) -> Option<u32> {
    match json.get("code")? {
        Json::Number(code) => code.as_u64().and_then(|code| u32::try_from(code).ok()),
        Json::String(code) => code.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{CONTENT_TYPE, HeaderValue};

    fn refusal(status: u16, body: &str) -> Error {
        errors::from_answer(
            Doing::Poll,
            status,
            &HeaderMap::new(),
            body.as_bytes(),
            complaint,
        )
    }

    #[test]
    fn the_status_decides_and_the_code_says_more() {
        for (status, code, kind) in [
            (401, 90001, ErrorKind::Unauthenticated),
            (403, 3001, ErrorKind::Forbidden),
            (404, 5002, ErrorKind::NotFound),
            (409, 8005, ErrorKind::Conflict),
            (409, 8007, ErrorKind::Conflict),
            (409, 8008, ErrorKind::ServerFault),
            (429, 1000, ErrorKind::RateLimited),
            (429, 10371, ErrorKind::RateLimited),
            (403, 7007, ErrorKind::Conflict),
            (403, 7011, ErrorKind::Conflict),
            (403, 7026, ErrorKind::Forbidden),
            (409, 7024, ErrorKind::Invalid),
            (400, 7012, ErrorKind::Invalid),
            (503, 7000, ErrorKind::ServerFault),
            (503, 0, ErrorKind::Maintenance),
            (500, 90004, ErrorKind::ServerFault),
        ] {
            let error = refusal(
                status,
                &format!(r#"{{"status":"WORD","code":{code},"message":"No."}}"#),
            );
            assert_eq!(error.kind(), kind, "{status} {code}");
            assert_eq!(code_of(&error), Some(code));
            let said = error.failure().server_said.clone();
            assert_eq!(said, Some(format!("No. (code {code})")));
        }
    }

    #[test]
    fn a_maintenance_is_waited_out() {
        let wait = |error: Error| error.failure().retry_after;
        let page = "<html><body>We are improving things</body></html>";
        assert_eq!(wait(refusal(503, page)), Some(MAINTENANCE));
        assert_eq!(
            wait(refusal(503, r#"{"code":0,"message":"down"}"#)),
            Some(MAINTENANCE)
        );
        assert_eq!(wait(refusal(503, r#"{"code":5000}"#)), None);
        assert_eq!(wait(refusal(502, page)), None);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert_eq!(complaint(503, &headers, b"down").wait, Some(MAINTENANCE));
    }

    #[test]
    fn words_for_a_status_and_missing_codes_are_taken() {
        let error = refusal(
            404,
            r#"{"status":"NOT_FOUND","message":"Not found","more_info":""}"#,
        );
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.failure().server_said.as_deref(), Some("Not found"));
        assert_eq!(code_of(&error), None);
        let inner: Json =
            serde_json::from_str(r#"{"status":404,"code":7002,"message":"No such task"}"#).unwrap();
        let error = inner_error(&inner, Doing::Poll);
        assert_eq!(
            (error.kind(), code_of(&error)),
            (ErrorKind::NotFound, Some(7002))
        );
        let inner: Json = serde_json::from_str(r#"{"status":"NOT_FOUND","code":"5002"}"#).unwrap();
        assert_eq!(inner_error(&inner, Doing::Poll).kind(), ErrorKind::NotFound);
    }
}
