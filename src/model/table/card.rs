//! What is known of one column.

/// What is known of one column, of all rows of the table whatever is filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnCard {
    /// What most of its values are.
    pub kind: ColumnKind,
    /// Cells that are there.
    pub count: u64,
    /// Cells that are empty, not there because the row is short, or a word for a missing value (`NA`, `NaN`, `null`).
    pub missing: u64,
    /// Different values.
    pub distinct: u64,
    /// Whether `distinct` is counted and not estimated.
    pub distinct_is_exact: bool,
    /// More on its values.
    pub values: CardValues,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Nothing is there.
    Empty,
    /// Whole numbers.
    Integers,
    /// Numbers.
    Numbers,
    /// Some are numbers, some are texts.
    Mixed,
    /// Texts.
    Texts,
}

/// More on the values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum CardValues {
    /// Nothing is there.
    Nothing,
    /// Of those that are numbers.
    Numbers {
        /// How many are numbers.
        numbers: u64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Arithmetic mean.
        mean: f64,
        /// As many are below as above.
        median: f64,
        /// Whether the median is exact and not estimated (t-digest).
        median_is_exact: bool,
        /// How they are spread.
        histogram: Histogram,
    },
    /// The commonest texts with how often they are there, commonest first; empty where nearly all differ.
    Texts {
        /// Text and count.
        commonest: Vec<(String, u64)>,
    },
}

/// Numbers counted in bins of equal width, from `from` to `to`; the last bin has its upper end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub from: f64,
    /// Upper end of the last bin.
    pub to: f64,
    /// Numbers in each bin.
    pub counts: Vec<u64>,
}
