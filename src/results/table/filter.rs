//! Which rows meet conditions, and which hold a text: lists of row numbers, ascending.

use crate::model::table::{Condition, Filter};
use crate::results::table::TableError;
use crate::results::table::encoding::Encoding;
use crate::results::table::number::{Value, is_missing};
use crate::results::table::sheet::{Row, Sheet, Task};
use regex::bytes::{Regex, RegexBuilder};
use std::collections::BTreeSet;

/// The numbers of the rows that meet all conditions.
pub fn filter(sheet: &Sheet, filters: &[Filter], task: &Task<'_>) -> Result<Vec<u32>, TableError> {
    if u32::try_from(sheet.rows_known()).is_err() {
        return Err(TableError::TooManyRows);
    }
    let columns: Vec<usize> = filters.iter().map(|filter| filter.column).collect();
    let tests: Vec<Test> = filters
        .iter()
        .map(|filter| Test::new(&filter.condition))
        .collect();
    let found = sheet.scan(
        &columns,
        task,
        Vec::new,
        |rows: &mut Vec<u32>, row, cells| {
            let meets = tests
                .iter()
                .enumerate()
                .all(|(at, test)| test.meets(cells, at));
            if meets && let Ok(row) = u32::try_from(row) {
                rows.push(row);
            }
        },
    )?;
    Ok(found.concat())
}

/// The numbers of the rows that hold a text in any column, capitals or not, each with the first column that does.
pub fn find(sheet: &Sheet, text: &str, task: &Task<'_>) -> Result<Vec<(u32, u32)>, TableError> {
    let columns: Vec<usize> = (0..sheet.columns().len()).collect();
    let finder = Finder::new(text);
    let found = sheet.scan(
        &columns,
        task,
        Vec::new,
        |rows: &mut Vec<(u32, u32)>, row, cells| {
            if cells
                .record()
                .is_some_and(|record| finder.cannot_be_in(record, cells))
            {
                return;
            }
            let column = columns.iter().find(|column| {
                cells
                    .bytes(**column)
                    .is_some_and(|cell| finder.is_in(&cell, cells.encoding))
            });
            if let Some(column) = column
                && let (Ok(row), Ok(column)) = (u32::try_from(row), u32::try_from(*column))
            {
                rows.push((row, column));
            }
        },
    )?;
    Ok(found.concat())
}

/// A condition made ready.
enum Test {
    Contains(Finder),
    OneOf(BTreeSet<String>),
    Between(f64, f64),
    Missing(bool),
}

impl Test {
    fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Contains(text) => Self::Contains(Finder::new(text)),
            Condition::OneOf(texts) => Self::OneOf(texts.clone()),
            Condition::Between(low, high) => Self::Between(
                low.unwrap_or(f64::NEG_INFINITY),
                high.unwrap_or(f64::INFINITY),
            ),
            Condition::Missing => Self::Missing(true),
            Condition::Present => Self::Missing(false),
        }
    }

    fn meets(&self, row: &Row<'_>, at: usize) -> bool {
        match self {
            Self::Contains(finder) => row
                .bytes(at)
                .is_some_and(|cell| finder.is_in(&cell, row.encoding)),
            Self::OneOf(texts) => row
                .bytes(at)
                .is_some_and(|cell| texts.contains(row.encoding.decode_cell(&cell).as_ref())),
            Self::Between(low, high) => match row.value(at) {
                Value::Number { value, .. } => (*low..=*high).contains(&value),
                Value::Missing | Value::Text(_) => false,
            },
            Self::Missing(missing) => {
                row.bytes(at).is_none_or(|cell| is_missing(&cell)) == *missing
            }
        }
    }
}

/// Looks for a text, capitals or not.
pub(crate) struct Finder {
    regex: Option<Regex>,
    small: String,
    /// Whether the text is the same bytes in every encoding that is read.
    plain: bool,
}

impl Finder {
    pub(crate) fn new(text: &str) -> Self {
        let regex = RegexBuilder::new(&regex::escape(text))
            .case_insensitive(true)
            .build()
            .ok();
        Self {
            regex,
            small: text.to_lowercase(),
            plain: text.is_ascii(),
        }
    }

    /// Whether a look at the whole record already says that no cell holds the text. Quotes are doubled in records.
    fn cannot_be_in(&self, record: &[u8], row: &Row<'_>) -> bool {
        self.regex.is_some()
            && !self.small.contains(['"', '\''])
            && row.has_all()
            && !self.is_in(record, row.encoding)
    }

    pub(crate) fn is_in(&self, cell: &[u8], encoding: Encoding) -> bool {
        match (&self.regex, encoding) {
            (Some(regex), Encoding::Utf8 | Encoding::Utf8Marked) => regex.is_match(cell),
            (Some(regex), _) if self.plain => regex.is_match(cell),
            (Some(regex), _) => regex.is_match(encoding.decode_cell(cell).as_bytes()),
            (None, _) => encoding
                .decode_cell(cell)
                .to_lowercase()
                .contains(&self.small),
        }
    }
}
