//! What is shown of a sheet: the rows that filters leave, in the order that sorting gives. Lists of row numbers, no cells.

use crate::model::table::Query;
use crate::results::table::TableError;
use crate::results::table::filter::{filter, find};
use crate::results::table::order::order;
use crate::results::table::sheet::{Sheet, Task};
use std::sync::Arc;

/// The answer to a query. Clones share the lists.
#[derive(Debug, Clone)]
pub struct View {
    sheet: Sheet,
    query: Query,
    /// Rows that meet the filters, ascending; none when there are no filters.
    filtered: Option<Arc<Vec<u32>>>,
    /// All rows in order; none when they stand as in the file.
    sorted: Option<Arc<Vec<u32>>>,
    /// What is shown; none for everything as in the file.
    shown: Option<Arc<Vec<u32>>>,
}

/// Rows that hold a text.
#[derive(Debug, Clone)]
pub struct Matches {
    /// Places in the view, ascending, each with the first column that holds the text.
    pub places: Vec<(u32, u32)>,
}

/// A set of rows.
pub(crate) struct Rows {
    words: Option<Vec<u64>>,
}

impl Rows {
    /// All rows, or those of a list.
    pub(crate) fn of(rows: Option<&[u32]>, all: u64) -> Self {
        let words = rows.map(|rows| {
            let mut words = vec![0_u64; usize::try_from(all / 64 + 1).unwrap_or(0)];
            for row in rows {
                if let Some(word) = words.get_mut(*row as usize / 64) {
                    *word |= 1 << (row % 64);
                }
            }
            words
        });
        Self { words }
    }

    pub(crate) fn has(&self, row: u64) -> bool {
        self.words.as_ref().is_none_or(|words| {
            let word = usize::try_from(row / 64).ok().and_then(|at| words.get(at));
            word.is_some_and(|word| word >> (row % 64) & 1 == 1)
        })
    }
}

impl View {
    /// Everything as in the file.
    pub fn plain(sheet: Sheet) -> Self {
        Self {
            sheet,
            query: Query::default(),
            filtered: None,
            sorted: None,
            shown: None,
        }
    }

    /// The answer to another query of the same sheet; what stays the same is not worked out again.
    pub fn ask(&self, query: Query, task: &Task<'_>) -> Result<Self, TableError> {
        let both = query.filters != self.query.filters
            && query.sorts != self.query.sorts
            && !query.filters.is_empty()
            && !query.sorts.is_empty();
        let share = if both { 0.5 } else { 1.0 };
        let first = |done: f32| (task.progress)(done * share);
        let second = |done: f32| (task.progress)(1.0 - share + done * share);
        let with = |progress| Task {
            cancelled: task.cancelled,
            progress,
        };
        let filtered = if query.filters == self.query.filters {
            self.filtered.clone()
        } else if query.filters.is_empty() {
            None
        } else {
            Some(Arc::new(filter(
                &self.sheet,
                &query.filters,
                &with(&first),
            )?))
        };
        let sorted = if query.sorts == self.query.sorts {
            self.sorted.clone()
        } else if query.sorts.is_empty() {
            None
        } else {
            Some(Arc::new(order(&self.sheet, &query.sorts, &with(&second))?))
        };
        let shown = match (&filtered, &sorted) {
            (None, None) => None,
            (Some(rows), None) | (None, Some(rows)) => Some(Arc::clone(rows)),
            (Some(filtered), Some(sorted)) => {
                let rows = Rows::of(Some(filtered), self.sheet.rows_known());
                let mut shown = Vec::with_capacity(filtered.len());
                shown.extend(sorted.iter().filter(|row| rows.has(u64::from(**row))));
                Some(Arc::new(shown))
            }
        };
        Ok(Self {
            sheet: self.sheet.clone(),
            query,
            filtered,
            sorted,
            shown,
        })
    }

    pub fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Rows shown; none for all.
    pub fn rows_shown(&self) -> Option<u64> {
        self.shown.as_ref().map(|rows| rows.len() as u64)
    }

    /// The rows that meet the filters.
    pub(crate) fn rows(&self) -> Rows {
        let filtered = self.filtered.as_ref().map(|rows| rows.as_slice());
        Rows::of(filtered, self.sheet.rows_known())
    }

    /// Numbers of the rows at these places, and the rows.
    pub fn page(
        &self,
        first: u64,
        count: usize,
    ) -> Result<(Vec<u64>, Vec<Vec<String>>), TableError> {
        let mut numbers: Vec<u64> = match &self.shown {
            None => (first..first.saturating_add(count as u64)).collect(),
            Some(shown) => {
                let first = usize::try_from(first).unwrap_or(usize::MAX);
                let shown = shown.iter().skip(first).take(count);
                shown.map(|row| u64::from(*row)).collect()
            }
        };
        let rows = self.sheet.rows(&numbers)?;
        numbers.truncate(rows.len());
        Ok((numbers, rows))
    }

    /// The place a row of the file has in the view.
    pub fn place_of(&self, row: u64) -> Option<u64> {
        match (&self.shown, &self.sorted) {
            (None, _) => Some(row),
            (Some(shown), None) => {
                let row = u32::try_from(row).ok()?;
                shown.binary_search(&row).ok().map(|place| place as u64)
            }
            (Some(shown), Some(_)) => {
                let place = shown.iter().position(|shown| u64::from(*shown) == row);
                place.map(|place| place as u64)
            }
        }
    }

    /// All places that hold a text in any column.
    pub fn find(&self, text: &str, task: &Task<'_>) -> Result<Matches, TableError> {
        let found = find(&self.sheet, text, task)?;
        let Some(shown) = &self.shown else {
            return Ok(Matches { places: found });
        };
        let mut places = Vec::new();
        for (place, row) in (0_u32..).zip(shown.iter()) {
            if let Ok(at) = found.binary_search_by_key(row, |found| found.0)
                && let Some((_, column)) = found.get(at)
            {
                places.push((place, *column));
            }
        }
        Ok(Matches { places })
    }
}

impl Matches {
    /// The next match from a place on, or before it, going around at the ends: which it is, its place and its column.
    pub fn next(&self, from: u64, forward: bool) -> Option<(u64, u64, usize)> {
        let behind = self
            .places
            .partition_point(|(place, _)| u64::from(*place) < from);
        let at = if forward {
            if behind < self.places.len() {
                behind
            } else {
                0
            }
        } else {
            behind
                .checked_sub(1)
                .unwrap_or(self.places.len().checked_sub(1)?)
        };
        let (place, column) = self.places.get(at)?;
        Some((u64::from(*place), at as u64, *column as usize))
    }
}
