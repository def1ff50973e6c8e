//! The rows around what is on screen, and how the table was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ColumnCard, Plot, Query, Raster, Reading};

/// The rows around what is on screen.
///
/// Rows are told by their place in what is shown: the file's order, or what filters and sorting made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TablePage {
    /// Another number each time a table is opened, also when it is the same again; answers are numbered anew in each.
    pub opening: u64,
    /// Column names; `column 1` and so on where the table has no header.
    pub columns: Arc<Vec<String>>,
    /// Place of the first row of `rows`, from 0, header not counted.
    pub first_row: u64,
    /// The rows, cells exactly as in the file; a row may be shorter or longer than `columns`.
    pub rows: Arc<Vec<Vec<String>>>,
    /// For each of `rows` its number in the file, from 0.
    pub numbers: Arc<Vec<u64>>,
    /// Rows known so far.
    pub rows_known: u64,
    /// Whether `rows_known` is all there are.
    pub counted: bool,
    /// Rows with more or fewer cells than there are columns, among those counted.
    pub ragged_rows: u64,
    /// How the file was read.
    pub reading: Reading,
    /// What was asked and is answered by these rows.
    pub query: Query,
    /// Rows that answer it; none while all are shown.
    pub rows_shown: Option<u64>,
    /// What is being worked on.
    pub work: Option<Work>,
    /// What could not be done, and other things to say about the table.
    pub notes: Vec<String>,
    /// What is known of columns, by their number.
    pub cards: Arc<BTreeMap<usize, ColumnCard>>,
    /// The answer to the last search; its number rises each time.
    pub found: Option<Found>,
    /// The plot that was asked for.
    pub plot: Option<Arc<Plot>>,
    /// Its points as pixels.
    pub raster: Option<Arc<Raster>>,
    /// Text for the clipboard.
    pub copied: Option<Copied>,
    /// In a stack, the kinds of tables there are in the batch; empty for a file.
    pub shapes: Arc<Vec<Shape>>,
    /// Which of them is shown.
    pub shape: usize,
}

impl TablePage {
    /// Rows that can be scrolled to.
    pub fn rows_in_view(&self) -> u64 {
        self.rows_shown.unwrap_or(self.rows_known)
    }
}

/// Something that takes its time and can be stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// In words, such as `Sorting`.
    pub what: String,
    /// 0 to 1.
    pub share: f32,
}

/// The answer to a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The text looked for.
    pub text: String,
    /// Rows that hold it, among those shown.
    pub rows: u64,
    /// The place of the row found now, which of the rows it is (from 0), and the first column that holds the text.
    pub at: Option<(u64, u64, usize)>,
    /// A number that rises with each answer.
    pub answer: u64,
}

/// Text for the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Rises each time.
    pub answer: u64,
    /// The text.
    pub text: Arc<str>,
    /// Rows in it, without the header.
    pub rows: u64,
}

/// A kind of table in a batch: those whose columns are the same, or nearly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What its files are called, such as `objects.csv`.
    pub name: String,
    /// How many files.
    pub files: usize,
    /// How many columns, those that tell where a row comes from left out.
    pub columns: usize,
    /// Columns that not all of the files have.
    pub not_in_all: Vec<String>,
}
