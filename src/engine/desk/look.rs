//! Looking into a file: what it holds decides how it is shown.

use std::path::Path;
use std::sync::Arc;

use crate::model::error::{Doing, Error, ErrorKind, system_words};
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::preview::PreviewContent;
use crate::results::sniff::{self, Content};
use crate::results::table::TableFile;
use crate::results::{image, text};

/// Rows read around what is on screen at first.
pub(super) const FIRST_ROWS: usize = 100;

/// Opens a file by what it holds.
pub(super) fn look_into(path: &Path) -> (PreviewContent, Option<TableFile>) {
    let content = match sniff::sniff(path) {
        Ok(content) => content,
        Err(error) => return (PreviewContent::Failed(failed(&error)), None),
    };
    let size_bytes = path.metadata().map_or(0, |metadata| metadata.len());
    match content {
        Content::Table(_) => {
            match TableFile::open(path).and_then(|table| Ok((table.page(0, FIRST_ROWS)?, table))) {
                Ok((page, table)) => (PreviewContent::Table(Arc::new(page)), Some(table)),
                Err(error) => (PreviewContent::Failed(failed(&error)), None),
            }
        }
        Content::Image { .. } => match image::preview(path) {
            Ok(picture) => (PreviewContent::Image(Arc::new(picture)), None),
            Err(error) => (PreviewContent::Failed(failed(&error)), None),
        },
        Content::Masks | Content::Json | Content::Text(_) => {
            match text::head(path, text::SCREEN_BYTES) {
                Ok(page) => (PreviewContent::Text(Arc::new(page)), None),
                Err(error) => (PreviewContent::Failed(failed(&error)), None),
            }
        }
        Content::Empty | Content::Archive { .. } | Content::Other { .. } => (
            PreviewContent::Other {
                size_bytes,
                kind: content.kind(),
            },
            None,
        ),
    }
}

/// A failure of the preview in the person's words.
pub(super) fn failed(error: &(dyn std::error::Error + 'static)) -> Words {
    let mut hint = system_words(&error);
    if let Some(first) = hint.get(..1).map(str::to_uppercase) {
        hint.replace_range(..1, &first);
    }
    let error = Error::new(ErrorKind::LocalFile, Doing::Preview)
        .hint(hint)
        .caused_by(error);
    explain(
        &error,
        Subject {
            provider: "",
            connection: "",
            name: "This file",
        },
        Did::Stopped,
    )
}
