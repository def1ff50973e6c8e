//! What an interface answered with success.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::model::error::{Doing, Result};
use crate::net::api::Auth;
use crate::net::errors;

/// A success (2xx), read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    pub(super) doing: Doing,
    pub(super) auth: Auth,
}

impl Reply {
    /// Whether the body is JSON whose end is missing.
    pub(super) fn ends_in_the_middle(&self) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(&self.body)
            .is_err_and(|error| error.is_eof())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Garbled`](crate::model::error::ErrorKind::Garbled) when it is none; a web page is named as such.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let body = self.body.strip_prefix(b"\xef\xbb\xbf".as_slice());
        serde_json::from_slice(body.unwrap_or(&self.body)).map_err(|error| {
            let hint = if errors::begins_like_html(&self.body) {
                "A web page came instead of data; a sign-in page or a proxy may be in between"
            } else if error.is_eof() {
                "The answer ends in the middle"
            } else {
                "The answer is not what the platform's documentation says"
            };
            let garbled = errors::garbled(self.doing, self.status, hint)
                .request_id(errors::request_id(&self.headers));
            let shown = self.auth.hidden_in(self.body.clone());
            // The cause may quote what is hidden.
            let garbled = if shown == self.body {
                garbled.caused_by(&error)
            } else {
                garbled
            };
            match errors::excerpt(&shown) {
                Some(excerpt) => garbled.server_said(excerpt),
                None => garbled,
            }
        })
    }
}

/// The answer to a sent file.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// What the platform said.
    pub reply: Reply,
    /// SHA-256 of the bytes sent, lower-case hexadecimal.
    pub sha256: String,
}
