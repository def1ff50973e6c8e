//! How an answer looks: which of the two forms is chosen, and the headers around it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

/// The form a reply is given in. The page is listed first on the real server, so it is what
/// everybody gets who does not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Page,
    Json,
}

/// Why no form could be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecided {
    /// A format nobody knows was asked for by name: 404.
    UnknownFormat,
    /// None of the accepted kinds is offered: 406.
    NotAcceptable,
}

/// Chooses the form by name (suffix, else `?format=`) and by the `Accept` header.
///
/// As in the Django REST framework: exact kinds before `type/*` before `*/*`, the order of the
/// offered forms inside, no regard for `q`.
pub(super) fn negotiate(accept: Option<&str>, named: Option<&str>) -> Result<Format, Undecided> {
    let offered: &[Format] = match named {
        None => &[Format::Page, Format::Json],
        Some("json") => &[Format::Json],
        Some("api") => &[Format::Page],
        Some(_) => return Err(Undecided::UnknownFormat),
    };
    let kinds = accept.unwrap_or("*/*").split(',');
    let mut kinds: Vec<&str> = kinds
        .map(|kind| kind.split(';').next().unwrap_or_default().trim())
        .collect();
    kinds.sort_by_key(|kind| match *kind {
        "*/*" => 2,
        kind if kind.ends_with("/*") => 1,
        _ => 0,
    });
    for kind in kinds {
        for format in offered {
            let (group, exact) = match format {
                Format::Page => ("text/*", "text/html"),
                Format::Json => ("application/*", "application/json"),
            };
            if kind == "*/*" || kind == group || kind == exact {
                return Ok(*format);
            }
        }
    }
    Err(Undecided::NotAcceptable)
}

/// A reply of the interface in the chosen form.
pub(super) fn interface(
    format: Format,
    status: StatusCode,
    allow: &'static str,
    value: &Value,
) -> Response {
    let json = value.to_string();
    let mut response = match format {
        Format::Json => with_body(status, "application/json", json),
        Format::Page => {
            let title = "Submission Detail – Django REST framework";
            let inner = format!("<pre>HTTP {status}\n\n{}</pre>", escaped(&json));
            let mut response = with_body(status, "text/html; charset=utf-8", html(title, &inner));
            let cookie = HeaderValue::from_static(
                "csrftoken=Zk0oS1vDq5mWc7; Path=/; SameSite=Lax; Max-Age=31449600",
            );
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Origin, Cookie"),
    );
    headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// A page of Django itself, as for an address it does not know or an error nobody caught.
pub(super) fn page(status: StatusCode) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Page not found",
        StatusCode::BAD_REQUEST => "DisallowedHost",
        StatusCode::INTERNAL_SERVER_ERROR => "UnboundLocalError at /analytics_automated/submission",
        _ => status.canonical_reason().unwrap_or("Error"),
    };
    let inner = format!("<h1>{title}</h1><p>Exception Location: views.py</p>");
    with_body(status, "text/html; charset=utf-8", html(title, &inner))
}

/// An answer of a web server in front, which knows nothing of the application.
pub(super) fn front_page(status: StatusCode) -> Response {
    let title = status.to_string();
    let inner = format!("<center><h1>{title}</h1></center><hr><center>nginx</center>");
    let mut response = with_body(status, "text/html", html(&title, &inner));
    *response.headers_mut() = HeaderMap::new();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(header::SERVER, HeaderValue::from_static("nginx"));
    response
}

/// The traceback in plain text that a development server sends for a POST without the slash.
pub(super) fn traceback() -> Response {
    let text = "RuntimeError at /analytics_automated/submission\nYou called this URL via POST, but the URL doesn't end in a slash and you have APPEND_SLASH set.\n";
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    with_body(status, "text/plain; charset=utf-8", text.to_owned())
}

/// The way to the same address with a slash at its end.
pub(super) fn moved(to: &str) -> Response {
    let kind = "text/html; charset=utf-8";
    let mut response = with_body(StatusCode::MOVED_PERMANENTLY, kind, String::new());
    if let Ok(value) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Any body with the headers every answer of the application has.
pub(super) fn with_body(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let fixed = [
        (header::SERVER, "WSGIServer/0.2 CPython/3.11.7"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_TYPE, kind),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn html(title: &str, inner: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>{title}</title></head><body>{inner}</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_unless_json_is_asked_for() {
        let json = Ok(Format::Json);
        let page = Ok(Format::Page);
        assert_eq!(negotiate(None, None), page);
        assert_eq!(negotiate(Some("*/*"), None), page);
        assert_eq!(negotiate(Some("application/json"), None), json);
        assert_eq!(negotiate(Some("*/*, application/json"), None), json);
        assert_eq!(
            negotiate(Some("application/json;q=0.1, text/*"), None),
            json
        );
        assert_eq!(negotiate(None, Some("json")), json);
        assert_eq!(negotiate(Some("application/json"), Some("json")), json);
        assert_eq!(
            negotiate(Some("application/json"), Some("html")),
            Err(Undecided::UnknownFormat)
        );
        assert_eq!(
            negotiate(Some("application/xml"), None),
            Err(Undecided::NotAcceptable)
        );
    }
}
