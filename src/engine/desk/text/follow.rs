//! A file that changes while it is open: its end is followed, and what became of it is said.

use std::time::{Duration, Instant};

use crate::engine::desk::text::{OpenText, TextFound};
use crate::engine::desk::{Desk, Found};
use crate::model::preview::PreviewContent;
use crate::results::text::Fate;

/// How often a file is looked at whose end is followed.
const LOOK_EVERY: Duration = Duration::from_millis(700);

impl OpenText {
    /// Waits until the file is to be looked at again.
    pub(in crate::engine::desk) async fn look_due(&self) {
        match self.next_look {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

impl Desk {
    /// Follows the end of the file, or no longer.
    pub(in crate::engine::desk) fn follow_text(&mut self, follow: bool) {
        self.text.next_look = follow.then(Instant::now);
        if follow {
            self.go_to_end();
        }
        self.read_text();
    }

    /// Looks at the file again, as its end is followed.
    pub(in crate::engine::desk) fn look_again(&mut self) {
        self.text.next_look = Some(Instant::now() + LOOK_EVERY);
        let Some(file) = self.text.file.clone() else {
            self.text.next_look = None;
            return;
        };
        self.line()
            .aside(move |_line| Found::Text(TextFound::Looked(file.look())));
    }

    /// Says what has become of the file, and goes on indexing where it has grown.
    pub(super) fn heed(&mut self, fate: Fate) {
        match fate {
            Fate::AsBefore => {}
            Fate::Grown => {
                if let Some(file) = self.text.file.clone().filter(|_| !self.text.indexing) {
                    self.text.indexing = true;
                    self.index_text(file);
                }
            }
            Fate::Changed => {
                self.text.note = Some(
                    "The file was written anew while it was open. Reload shows it as it is now."
                        .to_owned(),
                );
            }
            Fate::Gone => {
                self.text.note = Some(
                    "The file is no longer where it was. What is shown is what could still be read of it."
                        .to_owned(),
                );
            }
        }
    }

    pub(super) fn go_to_end(&mut self) {
        let known = match self.current.as_deref().map(|preview| &preview.content) {
            Some(PreviewContent::Text(page)) => page.rows_known,
            _ => return,
        };
        let known = self
            .text
            .file
            .as_ref()
            .map_or(known, |file| known.max(file.rows_known()));
        self.go_to_row(known.saturating_sub(1));
    }
}
