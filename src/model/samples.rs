//! What is known of each file's sample: columns read out of file names by a pattern, or imported, and edited.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The sample table of the draft: one row a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleTable {
    /// The pattern the columns were read out with, such as `{plate}_{well}_{channel}.tif`; empty for none.
    pub pattern: String,
    /// What is wrong with the pattern or the imported table, in one sentence.
    pub problem: Option<String>,
    /// The columns, in the order shown.
    pub columns: Vec<String>,
    /// By file: value by column; a column without value is absent.
    pub rows: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// Files that neither the pattern nor the imported table fits.
    pub unmatched: Vec<PathBuf>,
}
