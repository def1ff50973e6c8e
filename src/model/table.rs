//! What the preview pane shows: a part of a table, an image, a text.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::notice::Words;

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
    /// A picture.
    Image(Arc<Picture>),
    /// Text, JSON or a log.
    Text(Arc<TextPage>),
    /// Anything else: shown by size, type and hash.
    Other {
        /// Length in bytes.
        size_bytes: u64,
        /// The kind in words, such as `ZIP archive`.
        kind: String,
    },
    /// It could not be opened.
    Failed(Words),
}

/// The rows around what is on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePage {
    /// Column names; `column 1` and so on where the table has no header.
    pub columns: Vec<String>,
    /// Number of the first row of `rows`, from 0, header not counted.
    pub first_row: u64,
    /// The rows, cells exactly as in the file; a row may be shorter or longer than `columns`.
    pub rows: Vec<Vec<String>>,
    /// Rows known so far.
    pub rows_known: u64,
    /// Whether `rows_known` is all there are.
    pub counted: bool,
    /// Rows with more or fewer cells than there are columns, among those counted.
    pub ragged_rows: u64,
    /// How the file was read, such as `comma, UTF-8`.
    pub dialect: String,
}

/// A picture ready to be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in the file, in pixels.
    pub full_width: u32,
    /// Height in the file, in pixels.
    pub full_height: u32,
    /// Width of `rgba`, in pixels; smaller than the file for large pictures.
    pub width: u32,
    /// Height of `rgba`, in pixels.
    pub height: u32,
    /// Rows from the top, four bytes a pixel.
    pub rgba: Vec<u8>,
    /// A few words on the file, such as `16-bit gray`.
    pub about: String,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Picture({} × {}, {})",
            self.full_width, self.full_height, self.about
        )
    }
}

/// The beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPage {
    /// The text.
    pub text: String,
    /// How it was read, such as `UTF-8`.
    pub encoding: String,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// Whether the file goes on behind `text`.
    pub more: bool,
}
