//! A part of a table as the preview pane shows it.

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
