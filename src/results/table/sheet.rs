//! One or several table files as one table: the rows one after another, the columns by name.
//!
//! A single file is a sheet of one part. In a stack each part says where the sheet's columns are in its file, and what
//! stands in the columns that tell where a row comes from. Sorting, filtering and describing work on sheets.

use crate::model::objects::base_name;
use crate::results::table::cells::Cells;
use crate::results::table::encoding::Encoding;
use crate::results::table::index::Chunk;
use crate::results::table::number::{self, Value};
use crate::results::table::page::PAGE_BYTES;
use crate::results::table::{TableError, TableFile};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One table made of one or several files. Clones share them.
#[derive(Debug, Clone)]
pub struct Sheet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    columns: Arc<Vec<String>>,
    parts: Vec<Part>,
    /// Whether rows are shown as they stand in the one file, with as many cells as they have there.
    plain: bool,
}

/// A file of a sheet.
#[derive(Debug, Clone)]
pub struct Part {
    pub table: TableFile,
    /// For each column of the sheet where its cells come from.
    pub places: Vec<Place>,
}

/// Where the cells of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A column of the file.
    Column(usize),
    /// The same text in every row.
    Constant(String),
    /// What belongs to the input that a row names.
    OfInput(OfInput),
    /// The file has no such column.
    Nowhere,
}

/// A text for each input of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfInput {
    /// The column of the file that names the input.
    pub column: usize,
    /// For columns in front a text by the input's file name.
    pub texts: Arc<BTreeMap<usize, BTreeMap<String, String>>>,
    /// Which of these columns.
    pub at: usize,
    /// In rows that name none of them.
    pub otherwise: String,
}

impl OfInput {
    fn text(&self, input: &str) -> &str {
        let texts = self.texts.get(&self.at);
        let text = texts.and_then(|texts| texts.get(base_name(input)));
        text.unwrap_or(&self.otherwise)
    }
}

impl Place {
    /// The column of the file that has to be read for it.
    const fn column(&self) -> Option<usize> {
        match self {
            Self::Column(column) => Some(*column),
            Self::OfInput(of_input) => Some(of_input.column),
            Self::Constant(_) | Self::Nowhere => None,
        }
    }
}

impl Part {
    /// A row of the file in the columns of the sheet.
    fn spread(&self, row: &mut [String]) -> Vec<String> {
        let mut spread: Vec<String> = self
            .places
            .iter()
            .map(|place| match place {
                Place::OfInput(of_input) => {
                    let input = row.get(of_input.column);
                    let input = input.map(String::as_str).unwrap_or_default();
                    of_input.text(input).to_owned()
                }
                Place::Constant(text) => text.clone(),
                Place::Column(_) | Place::Nowhere => String::new(),
            })
            .collect();
        for (cell, place) in spread.iter_mut().zip(&self.places) {
            if let Place::Column(column) = place
                && let Some(own) = row.get_mut(*column)
            {
                *cell = std::mem::take(own);
            }
        }
        spread
    }
}

/// How far something is, and whether it is still wanted. Both are asked from several threads.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// Whether to stop.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Hears of the share done, 0 to 1, often.
    pub progress: &'a (dyn Fn(f32) + Sync),
}

impl Task<'_> {
    /// Never stopped, nobody listens.
    pub const QUIET: Task<'static> = Task {
        cancelled: &|| false,
        progress: &|_share| (),
    };
}

/// The wanted cells of one row of a sheet.
pub(crate) struct Row<'a> {
    cells: &'a Cells<'a>,
    from: &'a [From],
    places: &'a [&'a Place],
    pub(crate) encoding: Encoding,
    decimal: u8,
}

/// Where a wanted cell is.
#[derive(Debug, Clone, Copy)]
enum From {
    /// The so-many-th of the cells read.
    Read(usize),
    /// What belongs to the so-many-th of the cells read.
    Named(usize),
    Elsewhere,
}

impl<'a> Row<'a> {
    /// A wanted cell's bytes; none where the row or the file has no such cell.
    #[inline]
    pub(crate) fn bytes(&self, wanted: usize) -> Option<Cow<'a, [u8]>> {
        match self.from.get(wanted)? {
            From::Read(at) => self.cells.get(*at),
            From::Named(at) => self.of_input(wanted, *at),
            From::Elsewhere => match self.places.get(wanted)? {
                Place::Constant(text) => Some(Cow::Borrowed(text.as_bytes())),
                Place::Column(_) | Place::OfInput(_) | Place::Nowhere => None,
            },
        }
    }

    #[inline(never)]
    fn of_input(&self, wanted: usize, at: usize) -> Option<Cow<'a, [u8]>> {
        let place: &'a Place = self.places.get(wanted)?;
        let Place::OfInput(of_input) = place else {
            return None;
        };
        let cell = self.cells.get(at).unwrap_or_default();
        let text = of_input.text(&self.encoding.decode_cell(&cell));
        Some(Cow::Borrowed(text.as_bytes()))
    }

    /// All of the row as it stands in its file, if the row was read whole.
    pub(crate) fn record(&self) -> Option<&'a [u8]> {
        self.cells.record()
    }

    /// Whether all wanted cells stand in the row itself.
    pub(crate) fn has_all(&self) -> bool {
        self.from.iter().all(|from| matches!(from, From::Read(_)))
    }

    /// A wanted cell by what it is.
    #[inline]
    pub(crate) fn value(&self, wanted: usize) -> Value<'a> {
        number::value(self.bytes(wanted), self.decimal)
    }
}

impl Sheet {
    /// A single file.
    pub fn of_file(table: TableFile) -> Self {
        let columns = Arc::new(table.columns().to_vec());
        let places = (0..columns.len()).map(Place::Column).collect();
        Self {
            inner: Arc::new(Inner {
                columns,
                parts: vec![Part { table, places }],
                plain: true,
            }),
        }
    }

    /// Several files, all of them counted where there is more than one.
    pub fn of_parts(columns: Arc<Vec<String>>, parts: Vec<Part>) -> Self {
        Self {
            inner: Arc::new(Inner {
                columns,
                parts,
                plain: false,
            }),
        }
    }

    pub fn columns(&self) -> &Arc<Vec<String>> {
        &self.inner.columns
    }

    pub fn parts(&self) -> &[Part] {
        &self.inner.parts
    }

    /// Rows known so far in all files.
    pub fn rows_known(&self) -> u64 {
        let known = self.inner.parts.iter().map(|part| part.table.rows_known());
        known.sum()
    }

    /// Whether `rows_known` is all there are.
    pub fn is_counted(&self) -> bool {
        self.inner.parts.iter().all(|part| part.table.is_counted())
    }

    /// Rows of uneven length known so far.
    pub fn ragged_rows(&self) -> u64 {
        let ragged = self.inner.parts.iter().map(|part| part.table.ragged_rows());
        ragged.sum()
    }

    /// Whether all files are still there as they were when they were opened.
    pub fn check_unchanged(&self) -> Result<(), TableError> {
        self.inner
            .parts
            .iter()
            .try_for_each(|part| part.table.check_unchanged())
    }

    /// Rows by their numbers, cells exactly as in their files; fewer where they would not fit in memory.
    ///
    /// A row of a single file has as many cells as it has there; one of a stack has one for each column of the sheet.
    pub fn rows(&self, numbers: &[u64]) -> Result<Vec<Vec<String>>, TableError> {
        let mut rows = Vec::with_capacity(numbers.len());
        let mut bytes = 0_usize;
        let mut rest = numbers;
        while let Some(first) = rest.first().filter(|_| bytes < PAGE_BYTES) {
            // Rows that follow one another are read at once.
            let run = (*first..).zip(rest).take_while(|(a, b)| a == *b).count();
            let found = self.run_of_rows(*first, run)?;
            bytes += found.iter().flatten().map(String::len).sum::<usize>();
            let short = found.is_empty();
            let taken = found.len().max(1);
            rows.extend(found);
            if short {
                break;
            }
            (_, rest) = rest.split_at(taken.min(rest.len()));
        }
        Ok(rows)
    }

    /// The decimal mark of the file a row is in.
    pub(crate) fn decimal_of(&self, row: u64) -> char {
        let mut before = 0;
        let part = self.inner.parts.iter().find(|part| {
            before += part.table.rows_known();
            row < before
        });
        part.or(self.inner.parts.first())
            .map_or('.', |part| part.table.dialect().decimal)
    }

    /// Rows one after another, as many as the file they begin in has.
    fn run_of_rows(&self, first: u64, count: usize) -> Result<Vec<Vec<String>>, TableError> {
        let mut before = 0;
        for part in &self.inner.parts {
            let known = part.table.rows_known();
            if self.inner.plain || first < before + known {
                let mut rows = part.table.rows(first - before, count)?;
                if !self.inner.plain {
                    for row in &mut rows {
                        *row = part.spread(row);
                    }
                }
                return Ok(rows);
            }
            before += known;
        }
        Ok(Vec::new())
    }

    /// The sheet in pieces, in order, for [`run`]. `wanted` may be in any order. Only for a sheet that has been counted.
    pub(crate) fn pieces(&self, wanted: &[usize]) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut first_row = 0;
        for part in &self.inner.parts {
            let plan = Arc::new(Plan::new(part, wanted));
            let chunks = part.table.chunks().into_iter();
            pieces.extend(chunks.map(|chunk| Piece {
                plan: Arc::clone(&plan),
                chunk,
                first_row,
            }));
            first_row += part.table.rows_known();
        }
        pieces
    }

    /// Looks at the wanted columns of all rows: one result for each piece, in the order of the rows.
    pub(crate) fn scan<A: Send>(
        &self,
        wanted: &[usize],
        task: &Task<'_>,
        start: impl Fn() -> A,
        each: impl Fn(&mut A, u64, &Row<'_>) + Sync,
    ) -> Result<Vec<A>, TableError> {
        let pieces = self.pieces(wanted).into_iter();
        let pieces = pieces.map(|piece| (piece, start())).collect();
        run(pieces, task, each, |result| result)
    }
}

/// A piece of a sheet.
pub(crate) struct Piece<'a> {
    plan: Arc<Plan<'a>>,
    chunk: Chunk,
    /// Number of the first row of its part in the sheet.
    first_row: u64,
}

impl Piece<'_> {
    pub(crate) fn rows(&self) -> usize {
        usize::try_from(self.chunk.rows).unwrap_or(usize::MAX)
    }
}

/// Looks at all rows of some pieces, on all processors: one result for each, in their order.
pub(crate) fn run<A: Send, B: Send>(
    pieces: Vec<(Piece<'_>, A)>,
    task: &Task<'_>,
    each: impl Fn(&mut A, u64, &Row<'_>) + Sync,
    finish: impl Fn(A) -> B + Sync,
) -> Result<Vec<B>, TableError> {
    let done = AtomicU64::new(0);
    let all = pieces.len().max(1);
    pieces
        .into_par_iter()
        .with_max_len(16)
        .map_init(Vec::new, |buffer, (piece, mut result)| {
            if (task.cancelled)() {
                return Err(TableError::Cancelled);
            }
            piece.plan.run(&piece.chunk, buffer, |number, row| {
                each(&mut result, piece.first_row + number, row);
            })?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            (task.progress)(done as f32 / all as f32);
            Ok(finish(result))
        })
        .collect()
}

/// What to read of a part.
struct Plan<'a> {
    table: &'a TableFile,
    /// Columns of the file, ascending.
    columns: Vec<usize>,
    from: Vec<From>,
    places: Vec<&'a Place>,
}

impl<'a> Plan<'a> {
    fn new(part: &'a Part, wanted: &[usize]) -> Self {
        let places: Vec<&Place> = wanted
            .iter()
            .map(|column| part.places.get(*column).unwrap_or(&Place::Nowhere))
            .collect();
        let mut columns: Vec<usize> = places.iter().filter_map(|place| place.column()).collect();
        columns.sort_unstable();
        columns.dedup();
        let from = places
            .iter()
            .map(|place| {
                let read = place
                    .column()
                    .and_then(|column| columns.binary_search(&column).ok());
                match (place, read) {
                    (Place::Column(_), Some(at)) => From::Read(at),
                    (Place::OfInput(_), Some(at)) => From::Named(at),
                    (Place::Column(_) | Place::OfInput(_), None)
                    | (Place::Constant(_) | Place::Nowhere, _) => From::Elsewhere,
                }
            })
            .collect();
        Self {
            table: &part.table,
            columns,
            from,
            places,
        }
    }

    fn run(
        &self,
        chunk: &Chunk,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(u64, &Row<'_>),
    ) -> Result<(), TableError> {
        let dialect = self.table.dialect();
        let decimal = u8::try_from(dialect.decimal).unwrap_or(b'.');
        self.table
            .each_row(chunk, &self.columns, buffer, |number, cells| {
                each(
                    number,
                    &Row {
                        cells,
                        from: &self.from,
                        places: &self.places,
                        encoding: dialect.encoding,
                        decimal,
                    },
                );
            })
    }
}
