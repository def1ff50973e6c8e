//! What is looked for in the open file, and where to scroll to: the same for texts and JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::engine::desk::text::TELL_EVERY;
use crate::engine::desk::{Desk, Found, Line};
use crate::model::preview::PreviewContent;
use crate::model::search::{Goal, PlaceCount, Search, SearchState};

/// The search under way or the last one, and the last goal. What is under way ends with it.
#[derive(Default)]
pub(in crate::engine::desk) struct Seek {
    pub(super) search: Option<Search>,
    pub(super) goal: Option<Goal>,
    searches: u64,
    stop: Arc<AtomicBool>,
}

/// What a thread that looks for words found out.
pub(in crate::engine::desk) enum Sought {
    /// How far it is, in bytes.
    Looking(u64),
    /// It has ended in a text.
    Ended(SearchState),
    /// Every place in JSON.
    Places(Vec<u32>),
}

/// What a thread that looks for words tells by, and is stopped by.
pub(super) struct Seeker {
    line: Line,
    number: u64,
    stop: Arc<AtomicBool>,
    begun: Instant,
    told: AtomicU64,
}

impl Drop for Seek {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Seek {
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether these words are being looked for.
    pub(super) fn is_looking_for(&self, words: &str) -> bool {
        self.search.as_ref().is_some_and(|search| {
            search.words == words && matches!(search.state, SearchState::Looking { .. })
        })
    }

    /// Looks for these words from now on; what looked for others is stopped.
    pub(super) fn begin(&mut self, words: String, line: Line) -> Seeker {
        self.stop();
        self.stop = Arc::default();
        self.searches = self.searches.wrapping_add(1);
        self.search = Some(Search {
            words,
            state: SearchState::Looking { done_bytes: 0 },
            count: None,
        });
        Seeker {
            line,
            number: self.searches,
            stop: Arc::clone(&self.stop),
            begun: Instant::now(),
            told: AtomicU64::new(0),
        }
    }

    /// The search stands like this now.
    pub(super) fn stands(&mut self, state: SearchState, count: Option<PlaceCount>) {
        if let Some(search) = &mut self.search {
            search.state = state;
            search.count = count;
        }
    }

    /// A place to scroll to, of the file opened as this number.
    pub(super) fn go_to(&mut self, row: u64, opening: u64) {
        // Never a number that an earlier opening had.
        let before = self.goal.map_or(opening << 24, |goal| goal.number);
        let number = before + 1;
        self.goal = Some(Goal { number, row });
    }
}

impl Seeker {
    /// Tells how far it is, some times a second, and whether to go on.
    pub(super) fn go_on(&self, done_bytes: u64) -> bool {
        let times = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or_default()
            / u64::try_from(TELL_EVERY.as_millis()).unwrap_or(1).max(1);
        if done_bytes > 0 && self.told.swap(times, Ordering::Relaxed) != times {
            let what = Found::Sought(self.number, Sought::Looking(done_bytes));
            self.line.tell(what);
        }
        !self.is_stopped()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What it found in the end.
    pub(super) fn found(&self, sought: Sought) -> Found {
        Found::Sought(self.number, sought)
    }
}

impl Desk {
    /// Looks for words in what is open.
    pub(in crate::engine::desk) fn find_words(
        &mut self,
        words: String,
        from_row: u64,
        forward: bool,
    ) {
        match self.current.as_deref().map(|open| &open.content) {
            Some(PreviewContent::Json(page)) => {
                let tree = Arc::clone(&page.tree);
                self.find_in_tree(tree, words, from_row, forward);
            }
            _ => self.find_text(words, from_row, forward),
        }
    }

    /// Ends a search under way.
    pub(in crate::engine::desk) fn stop_finding(&self) {
        self.seek.stop();
    }

    /// Takes in what a search found; whether there is something new to show.
    pub(in crate::engine::desk) fn adopt_sought(&mut self, number: u64, sought: Sought) -> bool {
        if number != self.seek.searches {
            return false;
        }
        match sought {
            Sought::Looking(done_bytes) => {
                self.seek.stands(SearchState::Looking { done_bytes }, None);
            }
            Sought::Ended(state) => {
                self.seek.stands(state, None);
                if let SearchState::Found { row } = state {
                    self.go_to_row(row);
                }
            }
            Sought::Places(places) => self.found_in_tree(places),
        }
        self.republish_text();
        self.republish_json();
        true
    }
}
