//! What the service says when it refuses: an HTTP status and a number of its own.
//!
//! Owns the shape. Which number belongs where stands at the calls, after the vendor's table.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::sandbox::faults::Faults;

const MORE_INFO: &str = "http://docs.sevenbridges.com/docs/api-status-codes";

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: u32,
    message: String,
}

/// What a handler returns.
pub(super) type Answer = Result<Response, Refusal>;

impl Refusal {
    /// A refusal under a number of the vendor's table.
    pub(super) fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400 under this number.
    pub(super) fn bad(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 403 under this number.
    pub(super) fn forbidden(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404 under this number.
    pub(super) fn missing(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 409 under this number.
    pub(super) fn conflict(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// A fault of the simulator itself.
    pub(super) fn broken(error: &std::io::Error) -> Self {
        tracing::error!(%error, "the sandbox cannot keep a file");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            90004,
            "Unexpected error.",
        )
    }

    /// As it is written.
    pub(super) fn json(&self) -> Value {
        json!({
            "status": self.status.as_u16(),
            "code": self.code,
            "message": self.message,
            "more_info": MORE_INFO,
        })
    }

    /// As it is sent, in the style a setting asks for.
    pub(super) fn styled(&self, faults: &Faults) -> Response {
        let body = match faults.value("sb.error-style").as_str() {
            // Seen in the wild: the status as a word and no number.
            "text-status" => {
                let word = self.status.canonical_reason().unwrap_or("ERROR");
                let word = word.to_uppercase().replace(' ', "_");
                json!({ "status": word, "message": self.message })
            }
            "bare" => json!({ "message": self.message }),
            _ => self.json(),
        };
        (self.status, Json(body)).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.json())).into_response();
        // The guard around every call writes it again in the style of the setting.
        response.extensions_mut().insert(self);
        response
    }
}
