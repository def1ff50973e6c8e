//! Reading the body of a submission into fields and files.
//!
//! Only two kinds of body are understood, and only with a declared length.

use axum::body::Bytes;
use axum::extract::{Form, FromRequest as _, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::StreamExt as _;

use crate::providers::analytics_automated::sim::names::base_name;

/// A file that came with the form.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    /// The base name as sent, not yet cleaned.
    pub(super) name: String,
    pub(super) bytes: Bytes,
}

/// A field that is none of the four every submission has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra<'a> {
    Text(&'a str),
    /// A file under a key nobody asked for.
    File,
}

/// All fields of a form, in the order they arrived.
#[derive(Debug, Default)]
pub(super) struct Fields {
    texts: Vec<(String, String)>,
    files: Vec<(String, Upload)>,
}

/// Why a body gave no fields.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// A kind of body the server has no parser for.
    MediaType(String),
    /// Cut off or malformed; the text the parser gave.
    Malformed(String),
}

impl Fields {
    /// The text under a key; the last one wins.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.texts
            .iter()
            .rfind(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// The file to work on; of two, the last one wins without a word.
    pub(super) fn input(&self) -> Option<&Upload> {
        self.files
            .iter()
            .rfind(|(name, _)| name == "input_data")
            .map(|(_, upload)| upload)
    }

    /// Whether a key was sent at all, as text or as a file.
    pub(super) fn has(&self, key: &str) -> bool {
        self.text(key).is_some() || self.files.iter().any(|(name, _)| name == key)
    }

    /// Every field beyond the fixed four: texts first, then files.
    pub(super) fn extras(&self) -> Vec<Extra<'_>> {
        let fixed = ["job", "submission_name", "email", "input_data"];
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in &self.texts {
            if !fixed.contains(&name.as_str()) && !seen.contains(&name.as_str()) {
                seen.push(name);
            }
        }
        let texts = seen.into_iter().filter_map(|name| self.text(name));
        let files = self.files.iter().filter(|(name, _)| name != "input_data");
        texts
            .map(Extra::Text)
            .chain(files.map(|_| Extra::File))
            .collect()
    }
}

/// Reads the body. Without a declared length the server sees an empty form.
pub(super) async fn read(request: Request) -> Result<Fields, Unreadable> {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if request.headers().get(CONTENT_LENGTH).is_none() {
        drain(request).await;
        return Ok(Fields::default());
    }
    match kind {
        "multipart/form-data" => read_multipart(request).await,
        "application/x-www-form-urlencoded" => {
            Form::<Vec<(String, String)>>::from_request(request, &())
                .await
                .map(|Form(texts)| Fields {
                    texts,
                    files: Vec::new(),
                })
                .map_err(|rejection| Unreadable::Malformed(rejection.body_text()))
        }
        "" => {
            drain(request).await;
            Ok(Fields::default())
        }
        other => {
            let other = other.to_owned();
            drain(request).await;
            Err(Unreadable::MediaType(other))
        }
    }
}

/// Takes the rest of the body off the wire: an answer before that can be lost on its way.
pub(super) async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

async fn read_multipart(request: Request) -> Result<Fields, Unreadable> {
    let malformed =
        |reason: String| Unreadable::Malformed(format!("Multipart form parse error - {reason}"));
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| malformed(rejection.body_text()))?;
    let mut fields = Fields::default();
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(fields),
            Err(error) => return Err(malformed(error.body_text())),
        };
        let key = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(|name| base_name(name).to_owned());
        let bytes = part
            .bytes()
            .await
            .map_err(|error| malformed(error.body_text()))?;
        match file_name {
            // A part with an empty file name is skipped, as if the field was left blank.
            Some(name) if name.trim().is_empty() => {}
            Some(name) => fields.files.push((key, Upload { name, bytes })),
            None => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                fields.texts.push((key, text));
            }
        }
    }
}
