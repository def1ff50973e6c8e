//! What is worked out of a whole table, on a thread aside.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::engine::desk::table::Told;
use crate::engine::desk::{Found, Line};
use crate::model::error::system_words;
use crate::model::table::{
    ColumnCard, CopyStyle, CopyWish, Frame, Plot, PlotContent, SaveForm, TableWish,
};
use crate::results::table::export::{self, Style, Written};
use crate::results::table::protect::Region;
use crate::results::table::sheet::Task;
use crate::results::table::view::{Matches, View};
use crate::results::table::{TableError, describe, objects, points, raster};

/// Shortest time between two shares told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// What a wish is worked out of.
pub(super) struct Step {
    pub(super) view: View,
    pub(super) plot: Option<Arc<Plot>>,
    pub(super) number: u64,
    pub(super) cancel: Arc<AtomicBool>,
}

/// What came of a wish.
pub(in crate::engine::desk) enum Answer {
    View(View),
    Matches {
        text: String,
        matches: Matches,
        from: u64,
        forward: bool,
    },
    /// An object's name, and the place and column of its row.
    Row(String, Option<(u64, usize)>),
    Cards(Vec<(usize, ColumnCard)>),
    Plot(Plot),
    Copied(String, u64),
    Saved(String),
}

/// What is going on, in words.
pub(super) const fn what(wish: &TableWish) -> &'static str {
    match wish {
        TableWish::Ask(query) if query.sorts.is_empty() => "Filtering",
        TableWish::Ask(query) if query.filters.is_empty() => "Sorting",
        TableWish::Ask(_) => "Filtering and sorting",
        TableWish::Find { .. } | TableWish::Object(_) => "Finding",
        TableWish::Describe(_) => "Describing columns",
        TableWish::Plot(_) | TableWish::Draw(_) => "Plotting",
        TableWish::Copy(_) => "Copying",
        TableWish::Save { .. } | TableWish::SavePlot(_) => "Saving",
        TableWish::ReadAs(_) | TableWish::Shape(_) | TableWish::Stop | TableWish::CloseNotes => {
            "Reading"
        }
    }
}

/// Works a wish out, telling how far it is.
pub(super) fn work(step: &Step, wish: TableWish, line: &Line) -> Result<Answer, TableError> {
    let cancelled = || step.cancel.load(Ordering::Relaxed);
    let told = Mutex::new(Instant::now());
    let progress = |share: f32| {
        // Whoever finds it locked has just been told.
        if let Ok(mut told) = told.try_lock()
            && told.elapsed() >= TELL_EVERY
        {
            *told = Instant::now();
            line.tell(Found::Table(Told::Share(step.number, share)));
        }
    };
    let task = Task {
        cancelled: &cancelled,
        progress: &progress,
    };
    step.view.sheet().check_unchanged()?;
    let answer = answer(step, wish, &task)?;
    step.view.sheet().check_unchanged()?;
    Ok(answer)
}

fn answer(step: &Step, wish: TableWish, task: &Task<'_>) -> Result<Answer, TableError> {
    let view = &step.view;
    Ok(match wish {
        TableWish::Ask(query) => Answer::View(view.ask(query, task)?),
        TableWish::Find {
            text,
            from,
            forward,
        } => Answer::Matches {
            matches: view.find(&text, task)?,
            text,
            from,
            forward,
        },
        TableWish::Object(object) => {
            let found = objects::row_of(view, &object, task)?;
            Answer::Row(object.object, found)
        }
        TableWish::Describe(columns) => {
            let cards = describe::describe(view.sheet(), &columns, task)?;
            Answer::Cards(columns.into_iter().zip(cards).collect())
        }
        TableWish::Plot(Some(wish)) => Answer::Plot(points::plot(view, &wish, task)?),
        TableWish::Copy(wish) => copy(view, &wish, task)?,
        TableWish::Save {
            columns,
            path,
            form,
        } => save(view, &columns, &path, form, task)?,
        TableWish::SavePlot(path) => {
            let Some(plot) = &step.plot else {
                return Err(TableError::Cancelled);
            };
            crate::results::table::chart::save(plot, view.sheet().columns(), &path)?;
            Answer::Saved(format!("Saved as {}", path.display()))
        }
        TableWish::Plot(None)
        | TableWish::ReadAs(_)
        | TableWish::Shape(_)
        | TableWish::Draw(_)
        | TableWish::Stop
        | TableWish::CloseNotes => return Err(TableError::Cancelled),
    })
}

fn copy(view: &View, wish: &CopyWish, task: &Task<'_>) -> Result<Answer, TableError> {
    let (header, region) = match wish.style {
        CopyStyle::Cells => (false, None),
        CopyStyle::WithNames => (true, None),
        CopyStyle::ForSpreadsheet => (true, Some(Region::of_this_computer())),
    };
    let rows = (wish.first, wish.count);
    let (text, rows) = export::copy(view, rows, &wish.columns, header, region, task)?;
    Ok(Answer::Copied(text, rows))
}

fn save(
    view: &View,
    columns: &[usize],
    path: &Path,
    form: SaveForm,
    task: &Task<'_>,
) -> Result<Answer, TableError> {
    let style = match form {
        SaveForm::Csv => Style::Plain,
        SaveForm::Excel => Style::Spreadsheet(Region::of_this_computer()),
    };
    let Written { rows, protected } = export::save(view, columns, path, style, task)?;
    let noun = if rows == 1 { "row" } else { "rows" };
    let mut words = format!("{rows} {noun} saved as {}", path.display());
    if !protected.is_empty() {
        let columns: Vec<String> = protected
            .iter()
            .map(|(name, cells)| format!("{name} ({cells})"))
            .collect();
        words = format!(
            "{words}. Cells protected from being changed by a spreadsheet, by column: {}",
            columns.join(", ")
        );
    }
    Ok(Answer::Saved(words))
}

/// The points of a plot as pixels.
pub(super) fn draw(plot: &Plot, frame: Frame) -> Found {
    match &plot.content {
        PlotContent::Scatter(points) => Found::Table(Told::Drawn(raster::draw(points, frame))),
        PlotContent::Histogram(_) | PlotContent::Boxes(_) => Found::Table(Told::Counting),
    }
}

/// Why the count stopped, in one sentence.
pub(super) fn count_failed(error: &TableError, rows: u64) -> String {
    format!(
        "Rows behind number {rows} cannot be read: {}. Those before are shown",
        words(error)
    )
}

/// Why a wish could not be done, in one sentence.
pub(super) fn not_done(error: &TableError) -> String {
    format!(
        "This could not be done: {}. The file was not touched",
        words(error)
    )
}

fn words(error: &TableError) -> String {
    let cause = std::error::Error::source(error).map(|cause| system_words(&cause));
    match cause {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}
