//! What the preview pane shows of the file that is open.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::image_view::ImageView;
use crate::model::json::JsonPage;
use crate::model::notice::Words;
use crate::model::table::TablePage;
use crate::model::text::TextPage;

/// The file open in the preview, and what is on screen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub content: PreviewContent,
}

/// What a file holds, by its content and not by its ending.
#[derive(Clone, Debug, PartialEq)]
pub enum PreviewContent {
    /// Being opened.
    Opening,
    /// Rows and columns.
    Table(Arc<TablePage>),
    /// An image, objects, or both.
    Image(Arc<ImageView>),
    /// Text, a log, or JSON as it is written.
    Text(Arc<TextPage>),
    /// JSON as a tree.
    Json(Arc<JsonPage>),
    /// Anything else: shown by size, type and hash.
    Other {
        /// Length in bytes.
        size_bytes: u64,
        /// The kind in words, such as `ZIP archive`.
        kind: String,
        /// Its hash.
        hash: FileHash,
    },
    /// It could not be opened.
    Failed(Words),
}

/// The SHA-256 of a file that cannot be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FileHash {
    /// Nobody asked, or it was stopped.
    #[default]
    NotAsked,
    /// Under way.
    Working {
        /// Bytes read so far.
        done_bytes: u64,
    },
    /// Lower-case hexadecimal.
    Done(String),
    /// It could not be read.
    Failed(Words),
}
