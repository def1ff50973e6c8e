//! The open table: its rows on screen, and what is asked of it, worked on aside, one wish after another.
//!
//! Rows are read at once; everything that looks at the whole table waits until it is counted. The newest question of a kind
//! replaces an older one that has not been answered.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::engine::desk::look::{FIRST_ROWS, failed};
use crate::engine::desk::table::work::{Answer, Step};
use crate::engine::desk::{Found, Line};
use crate::model::notice::Words;
use crate::model::preview::PreviewContent;
use crate::model::table::{Shape, TablePage, TableWish, Work};
use crate::results::table::TableError;
use crate::results::table::sheet::Sheet;
use crate::results::table::stack::Group;
use crate::results::table::view::{Matches, View};

mod answers;
mod work;

/// Most rows a single wish brings.
const MOST_ROWS: usize = 2_000;

/// Shortest time between two counts shown while rows are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// A table as it was opened.
pub(super) struct Opened {
    sheet: Sheet,
    groups: Vec<Group>,
    notes: Vec<String>,
    rows: (Vec<u64>, Vec<Vec<String>>),
}

impl Opened {
    /// A table with its first rows.
    pub(super) fn new(
        sheet: Sheet,
        groups: Vec<Group>,
        notes: Vec<String>,
    ) -> Result<Self, TableError> {
        let rows = View::plain(sheet.clone()).page(0, FIRST_ROWS)?;
        Ok(Self {
            sheet,
            groups,
            notes,
            rows,
        })
    }
}

/// What a thread found out about the open table.
pub(super) enum Told {
    /// Rows of the view of this number.
    Page {
        view: u64,
        first: u64,
        rows: Result<(Vec<u64>, Vec<Vec<String>>), Words>,
    },
    /// More rows are known, or all of them.
    Counting,
    /// They cannot all be counted.
    CountFailed(String),
    /// How far the wish being worked on is.
    Share(u64, f32),
    /// The answer to it.
    Done(u64, Result<Answer, TableError>),
    /// The points of the plot as pixels.
    Drawn(crate::model::table::Raster),
}

/// The wish being worked on.
struct Running {
    number: u64,
    is_ask: bool,
    cancel: Arc<AtomicBool>,
}

/// The open table.
pub(super) struct TableDesk {
    line: Line,
    view: View,
    view_number: u64,
    groups: Vec<Group>,
    page: TablePage,
    wanted: (u64, usize),
    reading: bool,
    stale: bool,
    /// Whether not all rows can be read.
    broken: bool,
    queue: VecDeque<TableWish>,
    running: Option<Running>,
    numbers: u64,
    matches: Option<(u64, Arc<Matches>)>,
    stop: Arc<AtomicBool>,
}

impl Drop for TableDesk {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.cancel();
    }
}

impl TableDesk {
    /// Begins with the first rows and counts the others aside.
    pub(super) fn new(line: Line, opened: Opened) -> Self {
        let shapes: Vec<Shape> = opened
            .groups
            .iter()
            .map(|group| group.shape.clone())
            .collect();
        let mut desk = Self {
            view: View::plain(opened.sheet),
            view_number: 0,
            groups: opened.groups,
            page: TablePage {
                opening: line.opening,
                numbers: Arc::new(opened.rows.0),
                rows: Arc::new(opened.rows.1),
                notes: opened.notes,
                shapes: Arc::new(shapes),
                ..TablePage::default()
            },
            wanted: (0, FIRST_ROWS),
            reading: false,
            stale: false,
            broken: false,
            queue: VecDeque::new(),
            running: None,
            numbers: 0,
            matches: None,
            stop: Arc::default(),
            line,
        };
        desk.refresh();
        if !desk.view.sheet().is_counted() {
            desk.count();
        }
        desk
    }

    /// What is shown.
    pub(super) fn content(&self) -> PreviewContent {
        PreviewContent::Table(Arc::new(self.page.clone()))
    }

    /// Wants other rows.
    pub(super) fn show_rows(&mut self, first: u64, count: usize) {
        self.wanted = (first, count.min(MOST_ROWS));
        self.read();
    }

    /// Takes a wish.
    pub(super) fn wish(&mut self, wish: TableWish) {
        match wish {
            TableWish::Stop => {
                self.queue.clear();
                self.cancel();
            }
            TableWish::CloseNotes => self.page.notes.clear(),
            TableWish::Plot(None) => {
                self.page.plot = None;
                self.page.raster = None;
            }
            TableWish::Shape(shape) => self.take_shape(shape),
            TableWish::Draw(frame) => self.draw(frame),
            // Taken by the desk, which knows the file.
            TableWish::ReadAs(_) => {}
            TableWish::Find {
                text,
                from,
                forward,
            } if self.knows(&text) => {
                self.find(&text, from, forward);
            }
            TableWish::Ask(query) => {
                self.queue
                    .retain(|other| !matches!(other, TableWish::Ask(_)));
                self.queue.push_front(TableWish::Ask(query));
                if self.running.as_ref().is_some_and(|running| running.is_ask) {
                    self.cancel();
                }
            }
            TableWish::Find { .. } => {
                self.queue
                    .retain(|other| !matches!(other, TableWish::Find { .. }));
                self.queue.push_back(wish);
            }
            TableWish::Describe(mut columns) => {
                columns.retain(|column| !self.page.cards.contains_key(column));
                // Columns that were asked for before and have not been begun are described with these.
                self.queue.retain(|other| {
                    if let TableWish::Describe(waiting) = other {
                        columns.extend(waiting);
                    }
                    !matches!(other, TableWish::Describe(_))
                });
                columns.sort_unstable();
                columns.dedup();
                if !columns.is_empty() {
                    self.queue.push_back(TableWish::Describe(columns));
                }
            }
            TableWish::Object(_) => {
                self.queue
                    .retain(|other| !matches!(other, TableWish::Object(_)));
                self.queue.push_back(wish);
            }
            TableWish::Plot(Some(_)) => {
                self.queue
                    .retain(|other| !matches!(other, TableWish::Plot(_)));
                self.queue.push_back(wish);
            }
            TableWish::Copy(_) | TableWish::Save { .. } | TableWish::SavePlot(_) => {
                self.queue.push_back(wish);
            }
        }
        self.start();
    }

    /// Takes what a thread found out. What to show instead of the table, if it cannot be shown any more.
    pub(super) fn hear(&mut self, told: Told) -> Option<Words> {
        match told {
            Told::Page { view, first, rows } => {
                self.reading = false;
                match rows {
                    Err(words) => return Some(words),
                    Ok((numbers, rows)) if view == self.view_number => {
                        self.page.first_row = first;
                        self.page.numbers = Arc::new(numbers);
                        self.page.rows = Arc::new(rows);
                        self.refresh();
                    }
                    Ok(_) => self.stale = true,
                }
                if std::mem::take(&mut self.stale) {
                    self.read();
                }
            }
            Told::Counting => {
                self.refresh();
                if self.page.rows.len() < self.wanted.1 {
                    self.read();
                }
                self.start();
            }
            Told::CountFailed(words) => {
                self.broken = true;
                self.refresh();
                self.page.notes.push(words);
                self.start();
            }
            Told::Share(number, share) => {
                if let Some(work) = &mut self.page.work
                    && self
                        .running
                        .as_ref()
                        .is_some_and(|running| running.number == number)
                {
                    work.share = share;
                }
            }
            Told::Done(number, answer) => {
                if self
                    .running
                    .as_ref()
                    .is_some_and(|running| running.number == number)
                {
                    self.running = None;
                    self.page.work = None;
                    self.adopt(answer);
                    self.start();
                }
            }
            Told::Drawn(raster) => self.page.raster = Some(Arc::new(raster)),
        }
        None
    }

    /// What is known of the table now.
    fn refresh(&mut self) {
        let sheet = self.view.sheet();
        self.page.columns = Arc::clone(sheet.columns());
        self.page.rows_known = sheet.rows_known();
        self.page.counted = sheet.is_counted();
        self.page.ragged_rows = sheet.ragged_rows();
        self.page.query = self.view.query().clone();
        self.page.rows_shown = self.view.rows_shown();
        if let Some(part) = sheet.parts().first() {
            self.page.reading = part.table.reading();
        }
    }

    fn take_shape(&mut self, shape: usize) {
        let Some(group) = self.groups.get(shape) else {
            return;
        };
        let view = View::plain(group.sheet.clone());
        self.queue.clear();
        self.cancel();
        self.page.shape = shape;
        self.page.cards = Arc::default();
        self.page.plot = None;
        self.page.raster = None;
        self.show(view);
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.view_number += 1;
        self.matches = None;
        self.page.found = None;
        self.wanted.0 = 0;
        self.read();
    }

    fn cancel(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel.store(true, Ordering::Relaxed);
            self.page.work = None;
        }
    }

    /// Reads the wanted rows; a wish during a read is read after it.
    fn read(&mut self) {
        self.stale = self.reading;
        if self.reading {
            return;
        }
        self.reading = true;
        let (view, number, (first, count)) = (self.view.clone(), self.view_number, self.wanted);
        self.line.aside(move |_line| {
            let rows = view
                .sheet()
                .check_unchanged()
                .and_then(|()| view.page(first, count))
                .map_err(|error| failed(&error));
            Found::Table(Told::Page {
                view: number,
                first,
                rows,
            })
        });
    }

    /// Counts all rows aside.
    fn count(&self) {
        let (sheet, stop) = (self.view.sheet().clone(), Arc::clone(&self.stop));
        self.line.aside(move |line| {
            let mut told = Instant::now();
            for part in sheet.parts() {
                let counted = part.table.index(&mut |_rows, _bytes| {
                    if told.elapsed() >= COUNT_EVERY {
                        told = Instant::now();
                        line.tell(Found::Table(Told::Counting));
                    }
                    if stop.load(Ordering::Relaxed) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                if let Err(error) = counted {
                    return Found::Table(Told::CountFailed(work::count_failed(
                        &error,
                        part.table.rows_known(),
                    )));
                }
            }
            Found::Table(Told::Counting)
        });
    }

    /// Starts the next wish, once all rows are known.
    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let counted = self.view.sheet().is_counted();
        if !counted && !self.broken {
            let waits = !self.queue.is_empty();
            self.page.work = waits.then(|| Work {
                what: "Counting all rows first".to_owned(),
                share: 0.0,
            });
            return;
        }
        self.page.work = None;
        let Some(wish) = self.queue.pop_front() else {
            return;
        };
        if !counted {
            let words = "Not all rows can be read, so nothing that needs all of them can be done";
            if !self.page.notes.iter().any(|note| note == words) {
                self.page.notes.push(words.to_owned());
            }
            return;
        }
        self.numbers += 1;
        let number = self.numbers;
        let cancel = Arc::new(AtomicBool::new(false));
        self.page.work = Some(Work {
            what: work::what(&wish).to_owned(),
            share: 0.0,
        });
        self.running = Some(Running {
            number,
            is_ask: matches!(wish, TableWish::Ask(_)),
            cancel: Arc::clone(&cancel),
        });
        let step = Step {
            view: self.view.clone(),
            plot: self.page.plot.clone(),
            number,
            cancel,
        };
        self.line.aside(move |line| {
            let answer = work::work(&step, wish, line);
            Found::Table(Told::Done(number, answer))
        });
    }
}
