//! How wide columns are: by what they hold, or as a person has drawn them before.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use egui::{Context, Id};
use serde::{Deserialize, Serialize};

use crate::model::table::TablePage;

/// In points.
const BOUNDS: RangeInclusive<f32> = 40.0..=900.0;

/// Kinds of tables whose drawn widths are kept; those used last.
const KEPT: usize = 64;

/// What a person drew, by the columns of a table: the next table with the same columns looks the same, also in another
/// session (it is part of the window's memory file).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Drawn(VecDeque<(u64, BTreeMap<usize, f32>)>);

fn id() -> Id {
    Id::unique("widths of the columns of results")
}

/// Which columns a table has; the same in every session.
fn shape(page: &TablePage) -> u64 {
    Id::unique(&page.columns).value()
}

/// Of every column, in points.
pub(super) fn widths(context: &Context, page: &TablePage) -> Vec<f32> {
    let mut widths = guess(page);
    let shape = shape(page);
    let drawn = context.data_mut(|data| data.get_persisted::<Drawn>(id()));
    let Some(drawn) = drawn else {
        return widths;
    };
    let own = drawn.0.iter().filter(|(known, _)| *known == shape);
    for (column, drawn) in own.flat_map(|(_, drawn)| drawn) {
        // A damaged memory file may hold anything.
        if drawn.is_finite()
            && let Some(width) = widths.get_mut(*column)
        {
            *width = bounded(*drawn);
        }
    }
    widths
}

/// Widths by what the first rows hold.
fn guess(page: &TablePage) -> Vec<f32> {
    page.columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let cells = page.rows.iter().take(50).filter_map(|row| row.get(at));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            let longest = (longest as f32 * 7.6).max(name.chars().count() as f32 * 7.9 + 18.0);
            (longest + 24.0).clamp(72.0, 280.0)
        })
        .collect()
}

pub(super) fn bounded(width: f32) -> f32 {
    width.clamp(*BOUNDS.start(), *BOUNDS.end())
}

/// Keeps what was drawn.
pub(super) fn remember(context: &Context, page: &TablePage, column: usize, width: f32) {
    let shape = shape(page);
    context.data_mut(|data| {
        let drawn = data.get_persisted_mut_or_default::<Drawn>(id());
        let known = drawn.0.iter().position(|(known, _)| *known == shape);
        let (_, mut own) = known
            .and_then(|place| drawn.0.remove(place))
            .unwrap_or_default();
        own.insert(column, width);
        drawn.0.push_front((shape, own));
        drawn.0.truncate(KEPT);
    });
}
