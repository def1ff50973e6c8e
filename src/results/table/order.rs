//! Rows in another order: by one or several columns. The result is a list of row numbers, never a second copy of the table.
//!
//! Numbers come first, by value; then texts in natural order; then what is missing. Rows that are equal stay as in the file.
//! Identifiers with more digits than a 64-bit float holds are put in order as digits, so that none are confused.

use crate::model::table::Sort;
use crate::results::table::TableError;
use crate::results::table::dictionary::{Dictionary, Texts};
use crate::results::table::number::{Value, ordered};
use crate::results::table::sheet::{self, Row, Sheet, Task};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

/// Bytes of different texts that are kept at most; a column with more is not sorted.
const MOST_TEXT_BYTES: usize = 3 << 30;

/// A row's place in the order of one column, then its number: twelve bytes. The first two are a number's bits in an order
/// of their own, or one of the words below and the place of a text among the texts.
type Key = (u32, u32, u32);

/// Behind all numbers, whose upper halves end at `0xFFF0_0000`, infinity.
const TEXT: u32 = u32::MAX - 1;
/// Before all numbers, whose upper halves begin at `0x000F_FFFF` when they descend.
const TEXT_DESCENDING: u32 = 0;
/// Behind everything, whichever way.
const MISSING: u32 = u32::MAX;

/// The numbers of all rows in the order wished for.
pub fn order(sheet: &Sheet, sorts: &[Sort], task: &Task<'_>) -> Result<Vec<u32>, TableError> {
    let rows = u32::try_from(sheet.rows_known()).map_err(|_too_many| TableError::TooManyRows)?;
    let share = 1.0 / sorts.len().max(1) as f32;
    let mut result: Option<Vec<u32>> = None;
    // From the last column to the first: what is equal in an earlier one keeps the order of the later ones.
    for (at, sort) in sorts.iter().rev().enumerate() {
        let progress = |done: f32| (task.progress)((at as f32 + done) * share);
        let task = Task {
            cancelled: task.cancelled,
            progress: &progress,
        };
        let keys = by_column(sheet, *sort, &task)?;
        result = Some(match result {
            None => keys.into_iter().map(|key| key.2).collect(),
            Some(later) => refined(&keys, &later),
        });
    }
    Ok(result.unwrap_or_else(|| (0..rows).collect()))
}

/// The order of a column in which equal rows stand as in `later`.
fn refined(keys: &[Key], later: &[u32]) -> Vec<u32> {
    let mut places = vec![0_u32; keys.len()];
    let (mut place, mut before) = (0_u32, None);
    for (high, low, row) in keys {
        place += u32::from(before.is_some_and(|before| before != (*high, *low)));
        before = Some((*high, *low));
        if let Some(slot) = places.get_mut(*row as usize) {
            *slot = place;
        }
    }
    let mut refined: Vec<Key> = (0_u32..)
        .zip(later)
        .map(|(at, row)| {
            (
                places.get(*row as usize).copied().unwrap_or(MISSING),
                at,
                *row,
            )
        })
        .collect();
    refined.par_sort_unstable();
    refined.into_iter().map(|key| key.2).collect()
}

/// All rows in the order of one column.
fn by_column(sheet: &Sheet, sort: Sort, task: &Task<'_>) -> Result<Vec<Key>, TableError> {
    let rows = usize::try_from(sheet.rows_known()).unwrap_or(usize::MAX);
    let mut keys: Vec<Key> = vec![(MISSING, 0, 0); rows];
    let (mut pieces, inexact) = read(sheet, sort, Digits::AsNumbers, &mut keys, task)?;
    if inexact {
        pieces = read(sheet, sort, Digits::AsTexts, &mut keys, task)?.0;
    }
    if pieces
        .iter()
        .map(|piece| piece.texts.bytes())
        .sum::<usize>()
        > MOST_TEXT_BYTES
    {
        return Err(TableError::TooLargeToSort);
    }
    place_texts(&mut keys, &pieces, sort);
    if (task.cancelled)() {
        return Err(TableError::Cancelled);
    }
    keys.par_sort_unstable();
    Ok(keys)
}

/// How whole numbers are put in order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Digits {
    AsNumbers,
    AsTexts,
}

/// A piece of the column that was read into its part of the keys.
struct Piece {
    rows: usize,
    texts: Texts,
}

/// The same while it is read.
struct Reading<'k> {
    rows: usize,
    keys: std::slice::IterMut<'k, Key>,
    texts: Dictionary,
    /// Whether a number has more digits than its place in the order tells apart.
    inexact: bool,
}

/// Fills in the keys of the column; those of texts have the text's number in its piece. Whether numbers were too long.
fn read(
    sheet: &Sheet,
    sort: Sort,
    digits: Digits,
    keys: &mut [Key],
    task: &Task<'_>,
) -> Result<(Vec<Piece>, bool), TableError> {
    let wanted = [sort.column];
    let mut rest = keys;
    let mut pieces = Vec::new();
    for piece in sheet.pieces(&wanted) {
        let rows = piece.rows().min(rest.len());
        let (mine, behind) = std::mem::take(&mut rest).split_at_mut(rows);
        rest = behind;
        let reading = Reading {
            rows,
            keys: mine.iter_mut(),
            texts: Dictionary::default(),
            inexact: false,
        };
        pieces.push((piece, reading));
    }
    let read = sheet::run(
        pieces,
        task,
        |reading, row, cells| {
            if let Some(slot) = reading.keys.next() {
                let row = u32::try_from(row).unwrap_or(u32::MAX);
                *slot = key(
                    cells,
                    sort,
                    digits,
                    &mut reading.texts,
                    &mut reading.inexact,
                    row,
                );
            }
        },
        |reading| {
            let piece = Piece {
                rows: reading.rows,
                texts: reading.texts.finish(),
            };
            (piece, reading.inexact)
        },
    )?;
    let inexact = read.iter().any(|(_, inexact)| *inexact);
    Ok((read.into_iter().map(|(piece, _)| piece).collect(), inexact))
}

fn key(
    cells: &Row<'_>,
    sort: Sort,
    digits: Digits,
    texts: &mut Dictionary,
    inexact: &mut bool,
    row: u32,
) -> Key {
    let text = match cells.value(0) {
        Value::Missing => return (MISSING, 0, row),
        Value::Number {
            value,
            whole,
            exact,
        } if !whole || digits == Digits::AsNumbers => {
            *inexact |= whole && !exact;
            let key = ordered(value);
            let key = if sort.descending { !key } else { key };
            return (high(key), low(key), row);
        }
        Value::Number { .. } => cells.bytes(0).unwrap_or_default(),
        Value::Text(text) => text,
    };
    (TEXT, texts.number(&text, cells.encoding), row)
}

/// Replaces the numbers of texts in their pieces by their places in the order of all texts.
fn place_texts(keys: &mut [Key], pieces: &[Piece], sort: Sort) {
    if pieces.iter().all(|piece| piece.texts.bytes() == 0) {
        return;
    }
    let texts: Vec<&Texts> = pieces.iter().map(|piece| &piece.texts).collect();
    let places = Texts::places(&texts);
    let mut rest = keys;
    let mut parts = Vec::new();
    for piece in pieces {
        let (mine, behind) = std::mem::take(&mut rest).split_at_mut(piece.rows);
        rest = behind;
        parts.push(mine);
    }
    parts
        .into_par_iter()
        .zip(places)
        .for_each(|(keys, places)| {
            for (high, low, _) in keys.iter_mut().filter(|key| key.0 == TEXT) {
                let place = places.get(*low as usize).copied().unwrap_or(u32::MAX);
                (*high, *low) = if sort.descending {
                    (TEXT_DESCENDING, !place)
                } else {
                    (TEXT, place)
                };
            }
        });
}

/// The upper half.
const fn high(key: u64) -> u32 {
    (key >> 32) as u32
}

/// The lower half.
#[expect(clippy::cast_possible_truncation, reason = "cut on purpose")]
const fn low(key: u64) -> u32 {
    key as u32
}
