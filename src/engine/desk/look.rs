//! Looking into a file: what it holds decides how it is shown.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::engine::desk::table::Opened;
use crate::model::error::{Doing, Error, ErrorKind, system_words};
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::preview::{FileHash, PreviewContent};
use crate::model::table::{ReadAs, StackWish};
use crate::results::sniff::{self, Content};
use crate::results::table::TableFile;
use crate::results::table::sheet::Sheet;
use crate::results::table::stack::stack;
use crate::results::text::TextFile;

/// Rows read around what is on screen at first.
pub(super) const FIRST_ROWS: usize = 100;

/// What a file turned out to be.
pub(super) enum Look {
    Table(Opened),
    Other(PreviewContent),
}

/// Opens a file by what it holds.
pub(super) fn look_into(path: &Path, said: &ReadAs) -> Look {
    let content = match sniff::sniff(path) {
        Ok(content) => content,
        Err(error) => return Look::Other(PreviewContent::Failed(failed(&error))),
    };
    let size_bytes = path.metadata().map_or(0, |metadata| metadata.len());
    let content = match content {
        Content::Table(_) => return look_into_table(path, said),
        Content::Masks | Content::Json | Content::Text(_) => TextFile::open(path)
            .and_then(|text| text.page(0, FIRST_ROWS))
            .map_or_else(
                |error| PreviewContent::Failed(failed(&error)),
                |page| PreviewContent::Text(Arc::new(page)),
            ),
        // Images are opened before anybody looks here.
        Content::Image { .. }
        | Content::Empty
        | Content::Archive { .. }
        | Content::Other { .. } => PreviewContent::Other {
            size_bytes,
            kind: content.kind(),
            hash: FileHash::NotAsked,
        },
    };
    Look::Other(content)
}

fn look_into_table(path: &Path, said: &ReadAs) -> Look {
    let opened = TableFile::open_as(path, said)
        .and_then(|table| Opened::new(Sheet::of_file(table), Vec::new(), Vec::new()));
    match opened {
        Ok(opened) => Look::Table(opened),
        Err(error) => Look::Other(PreviewContent::Failed(failed(&error))),
    }
}

/// Opens the tables of a batch as one.
pub(super) fn look_into_stack(wish: &StackWish) -> Look {
    let stacked = stack(&wish.names, &wish.members, &mut |_done| {
        ControlFlow::Continue(())
    });
    let opened = stacked.and_then(|(groups, left_out)| {
        let notes = left_out.iter().map(|left_out| {
            let name = left_out.path.display();
            format!("{name} was left out: {}", left_out.error)
        });
        let notes = notes.collect();
        let sheet = groups.first().map(|group| group.sheet.clone());
        let sheet = sheet.unwrap_or_else(|| Sheet::of_parts(Arc::default(), Vec::new()));
        Opened::new(sheet, groups, notes)
    });
    match opened {
        Ok(opened) => Look::Table(opened),
        Err(error) => Look::Other(PreviewContent::Failed(failed(&error))),
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
