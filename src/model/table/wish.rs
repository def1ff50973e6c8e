//! What a person can ask of the open table.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::image_view::ObjectRef;

use super::{Frame, PlotWish, Query, ReadAs};

/// What a person asks of the open table. All of it is worked on aside, one after another, and can be stopped.
#[derive(Clone, Debug, PartialEq)]
pub enum TableWish {
    /// Other rows, or another order.
    Ask(Query),
    /// The next row that holds a text, from a place on or before it.
    Find {
        /// The text, capitals or not.
        text: String,
        /// Place in what is shown.
        from: u64,
        /// Downward.
        forward: bool,
    },
    /// The row of an object.
    Object(ObjectRef),
    /// What is known of these columns.
    Describe(Vec<usize>),
    /// A plot; none closes it.
    Plot(Option<PlotWish>),
    /// Reading the file another way.
    ReadAs(ReadAs),
    /// Rows for the clipboard.
    Copy(CopyWish),
    /// What is shown as a new file.
    Save {
        /// Columns, in order.
        columns: Vec<usize>,
        /// The file; one that is there already is replaced, as the file dialog asked.
        path: PathBuf,
        /// How it is written.
        form: SaveForm,
    },
    /// Another of the kinds of tables in a batch.
    Shape(usize),
    /// The points of the plot as pixels.
    Draw(Frame),
    /// The plot as a picture; its ending, `png` or `svg`, decides which.
    SavePlot(PathBuf),
    /// Nothing of what is being worked on.
    Stop,
    /// Takes the notes away.
    CloseNotes,
}

/// What to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyWish {
    /// First place in what is shown.
    pub first: u64,
    /// How many rows.
    pub count: u64,
    /// Columns, in order.
    pub columns: Vec<usize>,
    /// How.
    pub style: CopyStyle,
}

/// How cells are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyStyle {
    /// As they are.
    Cells,
    /// The same with the columns' names before them.
    WithNames,
    /// With names, and written so that a spreadsheet leaves them as they are.
    ForSpreadsheet,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveForm {
    /// Comma, UTF-8, quotes where they are needed; cells as they are.
    Csv,
    /// For Excel in this computer's region: separator, decimal mark, byte-order mark; identifiers protected.
    Excel,
}

/// The tables of a batch, to be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackWish {
    /// What the preview is known by; no file.
    pub key: PathBuf,
    /// Names of the columns in front.
    pub names: Vec<String>,
    /// The files, in order.
    pub members: Vec<StackMember>,
}

/// A file of a stack, with what stands in the columns in front: one text for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackMember {
    /// Where it is.
    pub path: PathBuf,
    /// In all of its rows.
    pub origin: Vec<String>,
    /// In rows that name one of several inputs: for columns in front, from 0, a text by the input's file name.
    pub of_inputs: Arc<BTreeMap<usize, BTreeMap<String, String>>>,
}
