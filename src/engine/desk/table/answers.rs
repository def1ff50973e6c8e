//! What came of a wish, put on the page.

use std::sync::Arc;

use crate::engine::desk::table::TableDesk;
use crate::engine::desk::table::work::{self, Answer};
use crate::model::table::{Copied, Frame, page};
use crate::results::table::TableError;

impl TableDesk {
    pub(super) fn adopt(&mut self, answer: Result<Answer, TableError>) {
        match answer {
            Ok(Answer::View(view)) => self.show(view),
            Ok(Answer::Matches {
                text,
                matches,
                from,
                forward,
            }) => {
                self.matches = Some((self.view_number, Arc::new(matches)));
                self.page.found = Some(page::Found {
                    text: text.clone(),
                    rows: 0,
                    at: None,
                    answer: self.numbers,
                });
                self.find(&text, from, forward);
            }
            Ok(Answer::Row(text, found)) => {
                self.page.found = Some(page::Found {
                    text,
                    rows: u64::from(found.is_some()),
                    at: found.map(|(place, column)| (place, 0, column)),
                    answer: self.numbers,
                });
                if found.is_none() {
                    self.page
                        .notes
                        .push("This object has no row among those shown".to_owned());
                }
            }
            Ok(Answer::Cards(cards)) => {
                let mut all = (*self.page.cards).clone();
                all.extend(cards);
                self.page.cards = Arc::new(all);
            }
            Ok(Answer::Plot(plot)) => {
                self.page.plot = Some(Arc::new(plot));
                self.page.raster = None;
            }
            Ok(Answer::Copied(text, rows)) => {
                self.page.copied = Some(Copied {
                    answer: self.numbers,
                    text: text.into(),
                    rows,
                });
            }
            Ok(Answer::Saved(words)) => self.page.notes.push(words),
            Err(TableError::Cancelled) => {}
            Err(error) => self.page.notes.push(work::not_done(&error)),
        }
    }

    /// Whether all places of a text in this view are known.
    pub(super) fn knows(&self, text: &str) -> bool {
        let current = self
            .matches
            .as_ref()
            .is_some_and(|(view, _)| *view == self.view_number);
        current
            && self
                .page
                .found
                .as_ref()
                .is_some_and(|found| found.text == text)
    }

    pub(super) fn find(&mut self, text: &str, from: u64, forward: bool) {
        let Some((_, matches)) = &self.matches else {
            return;
        };
        self.numbers += 1;
        self.page.found = Some(page::Found {
            text: text.to_owned(),
            rows: matches.places.len() as u64,
            at: matches.next(from, forward),
            answer: self.numbers,
        });
    }

    pub(super) fn draw(&self, frame: Frame) {
        let Some(plot) = self.page.plot.clone() else {
            return;
        };
        self.line.aside(move |_line| work::draw(&plot, frame));
    }
}
