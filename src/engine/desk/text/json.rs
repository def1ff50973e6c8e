//! Words looked for in the tree on the desk: all places are found at once, then gone to one after the other.

use std::sync::Arc;

use crate::engine::desk::Desk;
use crate::engine::desk::text::seek::Sought;
use crate::model::json::{JsonPage, JsonTree};
use crate::model::preview::PreviewContent;
use crate::model::search::{PlaceCount, SearchState};
use crate::results::json;

/// What was last looked for in the open tree.
#[derive(Default)]
pub(in crate::engine::desk) struct OpenJson {
    words: String,
    /// Every value with these words, in the order of the text; none before they are known.
    places: Option<Vec<u32>>,
    /// From which value on, and whether forward, the next place is wanted.
    wish: (u64, bool),
}

impl Desk {
    /// Goes to the next place of these words, or the one before; finds all of them first where that is not done yet.
    pub(super) fn find_in_tree(
        &mut self,
        tree: Arc<JsonTree>,
        words: String,
        from: u64,
        forward: bool,
    ) {
        self.json.wish = (from, forward);
        if self.json.words == words {
            if self.json.places.is_some() {
                self.go_to_place();
                self.republish_json();
                return;
            }
            if self.seek.is_looking_for(&words) {
                return;
            }
        }
        self.json.words.clone_from(&words);
        self.json.places = None;
        let seeker = self.seek.begin(words.clone(), self.line());
        self.republish_json();
        self.line().aside(move |_line| {
            let places = json::places(&tree, &words, &|done| seeker.go_on(done));
            seeker.found(match places {
                Some(places) => Sought::Places(places),
                None => Sought::Ended(SearchState::Stopped),
            })
        });
    }

    /// Every place is known now.
    pub(super) fn found_in_tree(&mut self, places: Vec<u32>) {
        self.json.places = Some(places);
        self.go_to_place();
    }

    fn go_to_place(&mut self) {
        let Some(places) = &self.json.places else {
            return;
        };
        let (from, forward) = self.json.wish;
        let before = places.partition_point(|place| u64::from(*place) < from);
        let at = if forward {
            Some(before)
        } else {
            before.checked_sub(1)
        };
        let place = at.and_then(|at| Some((at, *places.get(at)?)));
        let all = places.len() as u64;
        let nth = place.map_or(0, |(at, _)| at as u64 + 1);
        let state = match place {
            Some((_, place)) => SearchState::Found {
                row: u64::from(place),
            },
            None => SearchState::Nowhere,
        };
        self.seek.stands(state, Some(PlaceCount { nth, all }));
        if let SearchState::Found { row } = state {
            self.seek.go_to(row, self.opening);
        }
    }

    /// Shows the same tree with what is known besides it.
    pub(super) fn republish_json(&mut self) {
        if let Some(PreviewContent::Json(page)) =
            self.current.as_deref().map(|preview| &preview.content)
        {
            let page = JsonPage {
                tree: Arc::clone(&page.tree),
                search: self.seek.search.clone(),
                goal: self.seek.goal,
            };
            self.show_content(PreviewContent::Json(Arc::new(page)));
        }
    }
}
