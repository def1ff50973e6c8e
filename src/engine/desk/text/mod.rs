//! The text on the desk: its index grows aside, rows are read as they are wanted. Words are looked for in it and in JSON.

mod follow;
pub(super) mod json;
pub(super) mod seek;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::engine::desk::look::{Look, failed, look_into};
use crate::engine::desk::text::seek::Sought;
use crate::engine::desk::{Desk, Found};
use crate::model::json::JsonPage;
use crate::model::preview::PreviewContent;
use crate::model::search::SearchState;
use crate::model::table::ReadAs;
use crate::model::text::TextPage;
use crate::results::json::{MOST_BYTES, NoTree, open as open_tree};
use crate::results::sniff::{self, Content};
use crate::results::text::{Fate, TextFile};

/// Rows read at first.
const FIRST_ROWS: usize = 200;

/// Most rows a single wish brings.
const MOST_ROWS: usize = 2_000;

/// Shortest time between two words about how far something is.
pub(in crate::engine::desk) const TELL_EVERY: Duration = Duration::from_millis(250);

/// Rows shown above what was found.
const ABOVE: u64 = 60;

/// What a thread found out about the text.
pub(super) enum TextFound {
    Opened(TextPage, TextFile),
    Page(TextPage, Fate),
    Indexed(bool),
    Looked(Fate),
    Line(u64),
}

/// The text that is open.
#[derive(Default)]
pub(super) struct OpenText {
    file: Option<TextFile>,
    wanted: (u64, usize),
    reading: bool,
    stale: bool,
    indexing: bool,
    note: Option<String>,
    /// When the file is looked at next, while its end is followed.
    next_look: Option<Instant>,
    closed: Arc<AtomicBool>,
}

/// Opens a file as text, if it is one; JSON as a tree where that is wanted and possible.
pub(super) fn open(path: &Path, as_tree: bool) -> Option<Found> {
    // Damaged, it no longer looks like JSON; then its ending says what it was meant to be.
    let is_meant = path.extension().is_some_and(|ending| {
        let meant = ["json", "jsonl", "ndjson"];
        meant.iter().any(|name| ending.eq_ignore_ascii_case(name))
    });
    let is_json = match sniff::sniff(path) {
        Ok(Content::Masks | Content::Json) => true,
        Ok(Content::Text(_) | Content::Table(_)) if is_meant => true,
        Ok(Content::Text(_)) => false,
        Ok(_) | Err(_) => return None,
    };
    let mut note = None;
    if is_json && as_tree {
        match open_tree(path) {
            Ok(Ok(tree)) => {
                let page = JsonPage {
                    tree: Arc::new(tree),
                    ..JsonPage::default()
                };
                let content = PreviewContent::Json(Arc::new(page));
                return Some(Found::Opened(Look::Other(content)));
            }
            Ok(Err(reason)) => note = Some(no_tree(reason)),
            Err(error) => return Some(Found::Failed(failed(&error))),
        }
    }
    let opened = TextFile::open(path).and_then(|file| Ok((file.page(0, FIRST_ROWS)?, file)));
    Some(match opened {
        Ok((page, file)) => Found::Text(TextFound::Opened(TextPage { note, ..page }, file)),
        Err(error) => Found::Failed(failed(&error)),
    })
}

fn no_tree(reason: NoTree) -> String {
    match reason {
        NoTree::TooLarge => format!(
            "This JSON is larger than {} MiB, so it is shown as text.",
            MOST_BYTES >> 20
        ),
        NoTree::TooMany => {
            "This JSON has more than two million values, so it is shown as text.".to_owned()
        }
        NoTree::Damaged { line, column } => format!(
            "This JSON is damaged at line {line}, column {column}, so it is shown as text. Nothing was changed."
        ),
    }
}

impl Drop for OpenText {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl Desk {
    /// Shows the open JSON as it is written.
    pub(super) fn show_as_text(&mut self) {
        let Some(path) = self.current.as_ref().map(|open| open.path.clone()) else {
            return;
        };
        self.close();
        self.show(path.clone(), PreviewContent::Opening);
        self.line().aside(move |_line| {
            open(&path, false)
                .unwrap_or_else(|| Found::Opened(look_into(&path, &ReadAs::default())))
        });
    }

    /// Wants these rows.
    pub(super) fn show_text_rows(&mut self, first_row: u64, count: usize) {
        self.text.wanted = (first_row, count.min(MOST_ROWS));
        self.read_text();
    }

    /// Goes to a line, counted from 1.
    pub(super) fn go_to_line(&self, line: u64) {
        let Some(file) = self.text.file.clone() else {
            return;
        };
        self.line()
            .aside(move |_line| match file.row_of_line(line) {
                Ok(row) => Found::Text(TextFound::Line(row)),
                Err(error) => Found::Failed(failed(&error)),
            });
    }

    /// Looks for words in the text.
    fn find_text(&mut self, words: String, from_row: u64, forward: bool) {
        let Some(file) = self.text.file.clone() else {
            return;
        };
        let seeker = self.seek.begin(words.clone(), self.line());
        self.republish_text();
        self.line().aside(move |_line| {
            let go_on = |done_bytes| seeker.go_on(done_bytes);
            match file.find(&words, from_row, forward, &go_on) {
                Err(error) => Found::Failed(failed(&error)),
                Ok(Some(row)) => seeker.found(Sought::Ended(SearchState::Found { row })),
                Ok(None) if seeker.is_stopped() => {
                    seeker.found(Sought::Ended(SearchState::Stopped))
                }
                Ok(None) => seeker.found(Sought::Ended(SearchState::Nowhere)),
            }
        });
    }

    /// Takes in what was found; whether there is something new to show.
    pub(super) fn adopt_text(&mut self, found: TextFound) -> bool {
        match found {
            TextFound::Opened(page, file) => {
                self.text = OpenText::default();
                self.text.note.clone_from(&page.note);
                self.text.wanted = (0, FIRST_ROWS);
                if !file.is_counted() {
                    self.text.indexing = true;
                    self.index_text(file.clone());
                }
                self.text.file = Some(file);
                self.publish_text(page);
            }
            TextFound::Page(page, fate) => {
                self.text.reading = false;
                self.heed(fate);
                self.publish_text(page);
                if self.text.stale {
                    self.read_text();
                }
            }
            TextFound::Indexed(ended) => {
                if ended {
                    self.text.indexing = false;
                    if self.text.next_look.is_some() {
                        self.go_to_end();
                    }
                }
                self.read_text();
            }
            TextFound::Looked(Fate::AsBefore) => return false,
            TextFound::Looked(fate) => {
                if matches!(fate, Fate::Changed | Fate::Gone) {
                    self.text.next_look = None;
                }
                self.heed(fate);
                self.republish_text();
            }
            TextFound::Line(row) => {
                self.go_to_row(row);
                self.republish_text();
            }
        }
        true
    }

    fn go_to_row(&mut self, row: u64) {
        self.seek.go_to(row, self.opening);
        let count = self.text.wanted.1.max(FIRST_ROWS);
        self.text.wanted = (row.saturating_sub(ABOVE), count);
        self.read_text();
    }

    fn read_text(&mut self) {
        let Some(file) = self.text.file.clone() else {
            return;
        };
        self.text.stale = self.text.reading;
        if self.text.reading {
            return;
        }
        self.text.reading = true;
        let (first_row, count) = self.text.wanted;
        self.line().aside(move |_line| {
            let fate = file.look();
            match file.page(first_row, count) {
                Ok(page) => Found::Text(TextFound::Page(page, fate)),
                Err(error) => Found::Failed(failed(&error)),
            }
        });
    }

    fn index_text(&self, file: TextFile) {
        let closed = Arc::clone(&self.text.closed);
        self.line().aside(move |line| {
            let mut told = Instant::now();
            let indexed = file.index_rest(&mut || {
                if told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    line.tell(Found::Text(TextFound::Indexed(false)));
                }
                if closed.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            match indexed {
                Ok(()) => Found::Text(TextFound::Indexed(true)),
                Err(error) => Found::Failed(failed(&error)),
            }
        });
    }

    fn publish_text(&mut self, page: TextPage) {
        let Some(path) = self.current.as_ref().map(|preview| preview.path.clone()) else {
            return;
        };
        let page = TextPage {
            note: self.text.note.clone(),
            following: self.text.next_look.is_some(),
            search: self.seek.search.clone(),
            goal: self.seek.goal,
            ..page
        };
        self.show(path, PreviewContent::Text(Arc::new(page)));
    }

    /// Shows the same rows with what is known besides them.
    fn republish_text(&mut self) {
        if let Some(PreviewContent::Text(page)) =
            self.current.as_deref().map(|preview| &preview.content)
        {
            self.publish_text(TextPage::clone(page));
        }
    }
}

#[cfg(test)]
mod tests;
