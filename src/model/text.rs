//! A part of a text as the preview pane shows it.

use crate::model::search::{Goal, Search};

/// The rows of a text around what is on screen, and what is known of the rest.
///
/// A row is a line, or a part of a line that is too long for one row: so every row is short, whatever the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextPage {
    /// Number of the first row here, from 0.
    pub first_row: u64,
    /// The rows.
    pub rows: Vec<TextRow>,
    /// Rows known so far.
    pub rows_known: u64,
    /// Lines known so far.
    pub lines_known: u64,
    /// Whether that is all of them.
    pub counted: bool,
    /// How it was read, such as `UTF-8`.
    pub encoding: String,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// What has become of the file since it was opened, in a sentence; none when nothing has.
    pub note: Option<String>,
    /// Whether its end is followed.
    pub following: bool,
    /// What is looked for.
    pub search: Option<Search>,
    /// Where to scroll to.
    pub goal: Option<Goal>,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextRow {
    /// Its text without line end.
    pub text: String,
    /// The number of its line, from 1.
    pub line: u64,
    /// Whether it goes on with the line of the row before.
    pub continues: bool,
}
