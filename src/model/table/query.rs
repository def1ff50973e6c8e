//! What a person asks of a table: which rows, in which order. It never changes a cell.

use std::collections::BTreeSet;

/// Which rows, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// A row is shown when it meets all of them.
    pub filters: Vec<Filter>,
    /// The first decides; the next where it finds two rows equal. Rows equal in all stay as in the file.
    pub sorts: Vec<Sort>,
}

impl Query {
    /// Whether all rows are shown as they stand in the file.
    pub fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.sorts.is_empty()
    }
}

/// A condition on one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Column, from 0.
    pub column: usize,
    /// What its cells have to be.
    pub condition: Condition,
}

/// What a cell has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Holds this text, capitals or not.
    Contains(String),
    /// Is one of these, letter by letter.
    OneOf(BTreeSet<String>),
    /// Is a number, not below the first and not above the second.
    Between(Option<f64>, Option<f64>),
    /// Is empty, or one of the words for a missing value.
    Missing,
    /// Is neither.
    Present,
}

/// An order by one column: numbers by value, then texts in natural order (`A2` before `A10`), missing ones last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Column, from 0.
    pub column: usize,
    /// Largest first; missing ones stay last.
    pub descending: bool,
}
