//! The desk: opens one result at a time, keeps counting its rows aside, reads what is on screen; and makes the report of a
//! problem.
//!
//! It changes nothing that has to outlive the app, so none of it goes through `decide`.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::engine::command::Command;
use crate::engine::desk::look::{FIRST_ROWS, failed, look_into};
use crate::engine::report;
use crate::engine::world::World;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::preview::{Preview, PreviewContent};
use crate::model::report::Report;
use crate::model::table::TablePage;
use crate::results::table::TableFile;

mod look;

/// Most rows a single wish brings.
const MOST_ROWS: usize = 2_000;

/// Shortest time between two counts shown while rows are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// What a thread at the desk found out, and for which opening or which report.
struct Finding {
    opening: u64,
    what: Found,
}

enum Found {
    Opened(PreviewContent, Option<TableFile>),
    Page(Arc<TablePage>),
    Counting,
    PageFailed(Words),
    Report(Report),
}

/// The desk.
pub(super) struct Desk {
    current: Option<Arc<Preview>>,
    opening: u64,
    table: Option<TableFile>,
    wanted: (u64, usize),
    reading: bool,
    stale: bool,
    stop: Arc<AtomicBool>,
    findings: mpsc::Receiver<Finding>,
    teller: mpsc::Sender<Finding>,
    /// The report of a problem, and which one is the newest asked for.
    report: Option<Arc<Report>>,
    reports: u64,
    log: PathBuf,
    home: Option<PathBuf>,
}

impl Desk {
    /// An empty desk. A report takes the end of the log in this folder, and takes the home folder out.
    pub(super) fn new(log: PathBuf, home: Option<PathBuf>) -> Self {
        let (teller, findings) = mpsc::channel(32);
        Self {
            current: None,
            opening: 0,
            table: None,
            wanted: (0, FIRST_ROWS),
            reading: false,
            stale: false,
            stop: Arc::default(),
            findings,
            teller,
            report: None,
            reports: 0,
            log,
            home,
        }
    }

    /// Takes a command that is for the desk; gives any other back.
    pub(super) fn take(&mut self, command: Command, world: &World) -> Option<Command> {
        match command {
            Command::OpenPreview(path) => self.open(path),
            Command::ClosePreview => self.close(),
            Command::ShowRows { first_row, count } => {
                self.wanted = (first_row, count.min(MOST_ROWS));
                self.read();
            }
            Command::MakeReport => self.make_report(world),
            Command::SaveReport(path) => self.save_report(path),
            Command::CloseReport => {
                self.reports = self.reports.wrapping_add(1);
                self.report = None;
            }
            other => return Some(other),
        }
        None
    }

    /// What is on the desk.
    pub(super) fn preview(&self) -> Option<Arc<Preview>> {
        self.current.clone()
    }

    /// The report that was asked for.
    pub(super) fn report(&self) -> Option<Arc<Report>> {
        self.report.clone()
    }

    fn make_report(&mut self, world: &World) {
        let state = report::state(world, Timestamp::now());
        let redaction = report::redaction(world, self.home.as_deref());
        let log = self.log.clone();
        self.work_on_report(move || Report {
            text: report::text(&state, &redaction, &log),
            saved: None,
        });
    }

    fn save_report(&mut self, path: PathBuf) {
        let Some(report) = self.report.clone() else {
            return;
        };
        self.work_on_report(move || Report {
            saved: Some(report::save(&path, &report.text)),
            text: report.text.clone(),
        });
    }

    fn work_on_report(&mut self, work: impl FnOnce() -> Report + Send + 'static) {
        self.reports = self.reports.wrapping_add(1);
        let (teller, number) = (self.teller.clone(), self.reports);
        spawn_blocking(move || tell(&teller, number, Found::Report(work())));
    }

    /// Waits until something on the desk has changed.
    pub(super) async fn changed(&mut self) {
        loop {
            let Some(finding) = self.findings.recv().await else {
                return std::future::pending().await;
            };
            if let Found::Report(report) = finding.what {
                if finding.opening == self.reports {
                    self.report = Some(Arc::new(report));
                    return;
                }
                continue;
            }
            if finding.opening == self.opening {
                self.adopt(finding.what);
                return;
            }
        }
    }

    fn close(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.opening = self.opening.wrapping_add(1);
        self.current = None;
        self.table = None;
        self.reading = false;
        self.stale = false;
    }

    fn open(&mut self, path: PathBuf) {
        self.close();
        self.stop = Arc::default();
        self.wanted = (0, FIRST_ROWS);
        self.show(path.clone(), PreviewContent::Opening);
        let (teller, opening) = (self.teller.clone(), self.opening);
        aside(teller, opening, move |_teller| {
            let (content, table) = look_into(&path);
            Found::Opened(content, table)
        });
    }

    fn show(&mut self, path: PathBuf, content: PreviewContent) {
        self.current = Some(Arc::new(Preview { path, content }));
    }

    fn adopt(&mut self, found: Found) {
        let Some(path) = self.current.as_ref().map(|preview| preview.path.clone()) else {
            return;
        };
        match found {
            Found::Opened(content, table) => {
                self.show(path, content);
                self.table.clone_from(&table);
                if let Some(table) = table.filter(|table| !table.is_counted()) {
                    self.count(table);
                }
            }
            Found::Page(page) => {
                self.reading = false;
                self.show(path, PreviewContent::Table(page));
                if self.stale {
                    self.read();
                }
            }
            Found::Counting => self.read(),
            // Taken before it comes here.
            Found::Report(_) => {}
            Found::PageFailed(words) => {
                self.reading = false;
                self.show(path, PreviewContent::Failed(words));
            }
        }
    }

    /// Reads the wanted rows; a wish during a read is read after it.
    fn read(&mut self) {
        let Some(table) = self.table.clone() else {
            return;
        };
        self.stale = self.reading;
        if self.reading {
            return;
        }
        self.reading = true;
        let (teller, opening, (first, count)) = (self.teller.clone(), self.opening, self.wanted);
        aside(teller, opening, move |_teller| {
            match table.page(first, count) {
                Ok(page) => Found::Page(Arc::new(page)),
                Err(error) => Found::PageFailed(failed(&error)),
            }
        });
    }

    /// Counts all rows aside.
    fn count(&self, table: TableFile) {
        let (teller, opening, stop) = (self.teller.clone(), self.opening, self.stop.clone());
        aside(teller, opening, move |teller| {
            let mut told = Instant::now();
            let counted = table.index(&mut |_rows, _bytes| {
                if told.elapsed() >= COUNT_EVERY {
                    told = Instant::now();
                    tell(teller, opening, Found::Counting);
                }
                if stop.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            match counted {
                Ok(()) => Found::Counting,
                Err(error) => Found::PageFailed(failed(&error)),
            }
        });
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Finds something out on a thread aside. One that breaks down says so: else the desk would wait for it for ever.
fn aside(
    teller: mpsc::Sender<Finding>,
    opening: u64,
    find_out: impl FnOnce(&mpsc::Sender<Finding>) -> Found + Send + 'static,
) {
    spawn_blocking(move || {
        let found = catch_unwind(AssertUnwindSafe(|| find_out(&teller)));
        tell(&teller, opening, found.unwrap_or_else(|_panic| broke()));
    });
}

fn broke() -> Found {
    tracing::error!("a thread of the preview broke down");
    let error = Error::new(ErrorKind::Internal, Doing::Preview);
    let file = Subject {
        provider: "",
        connection: "",
        name: "This file",
    };
    Found::PageFailed(explain(&error, file, Did::Stopped))
}

fn tell(teller: &mpsc::Sender<Finding>, opening: u64, what: Found) {
    if teller.blocking_send(Finding { opening, what }).is_err() {
        tracing::debug!("the preview was closed with the app");
    }
}
