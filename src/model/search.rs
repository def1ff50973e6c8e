//! Words looked for in the open file, and where that leads; the same for texts and JSON.

/// Words looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// The words.
    pub words: String,
    /// How far it is.
    pub state: SearchState,
    /// Which place this is, of how many; none where nobody counts.
    pub count: Option<PlaceCount>,
}

impl Search {
    /// The row, or the value, that was found last.
    pub const fn found(&self) -> Option<u64> {
        match self.state {
            SearchState::Found { row } => Some(row),
            SearchState::Looking { .. } | SearchState::Nowhere | SearchState::Stopped => None,
        }
    }
}

/// How a search stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchState {
    /// Under way; so many of the bytes to look at are done.
    Looking {
        /// Bytes looked at.
        done_bytes: u64,
    },
    /// In this row of a text, or this value of JSON.
    Found {
        /// The row or the value.
        row: u64,
    },
    /// Nowhere in this direction.
    Nowhere,
    /// A person stopped it.
    Stopped,
}

/// Which of the places found one is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceCount {
    /// Counted from 1; 0 at none.
    pub nth: u64,
    /// All there are.
    pub all: u64,
}

/// A place to scroll to, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Rises with every new goal.
    pub number: u64,
    /// The row of a text, or the value of JSON.
    pub row: u64,
}
