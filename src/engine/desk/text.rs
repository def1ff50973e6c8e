//! The text on the desk: its index grows aside, rows are read as they are wanted, words are looked for, its end is followed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::desk::look::{Look, failed, look_into};
use crate::engine::desk::{Desk, Found};
use crate::model::preview::PreviewContent;
use crate::model::table::ReadAs;
use crate::model::text::{SearchState, TextGoal, TextPage, TextSearch};
use crate::results::json::{self, NoTree};
use crate::results::sniff::{self, Content};
use crate::results::text::{Fate, TextFile};

/// Rows read at first.
const FIRST_ROWS: usize = 200;

/// Most rows a single wish brings.
const MOST_ROWS: usize = 2_000;

/// Shortest time between two words about how far something is.
pub(super) const TELL_EVERY: Duration = Duration::from_millis(250);

/// How often a file is looked at whose end is followed.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// Rows shown above what was found.
const ABOVE: u64 = 60;

/// What a thread found out about the text.
pub(super) enum TextFound {
    Opened(TextPage, TextFile),
    Page(TextPage, Fate),
    Indexed(bool),
    Looked(Fate),
    Searching(u64, u64),
    Searched(u64, SearchState),
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
    search: Option<TextSearch>,
    searches: u64,
    stop_search: Arc<AtomicBool>,
    closed: Arc<AtomicBool>,
    goal: Option<TextGoal>,
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
        match json::open(path) {
            Ok(Ok(tree)) => {
                let content = PreviewContent::Json(Arc::new(tree));
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
            json::MOST_BYTES >> 20
        ),
        NoTree::TooMany => {
            "This JSON has more than two million values, so it is shown as text.".to_owned()
        }
        NoTree::Damaged { line, column } => format!(
            "This JSON is damaged at line {line}, column {column}, so it is shown as text. Nothing was changed."
        ),
    }
}

impl OpenText {
    /// Waits until the file is to be looked at again.
    pub(super) async fn look_due(&self) {
        match self.next_look {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

impl Drop for OpenText {
    fn drop(&mut self) {
        self.stop_search.store(true, Ordering::Relaxed);
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

    /// Follows the end of the file, or no longer.
    pub(super) fn follow_text(&mut self, follow: bool) {
        self.text.next_look = follow.then(Instant::now);
        if follow {
            self.go_to_end();
        }
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

    /// Looks for words; a search under way ends.
    pub(super) fn find_text(&mut self, words: String, from_row: u64, forward: bool) {
        let Some(file) = self.text.file.clone() else {
            return;
        };
        self.stop_finding();
        let stop = Arc::new(AtomicBool::new(false));
        self.text.stop_search = Arc::clone(&stop);
        self.text.searches = self.text.searches.wrapping_add(1);
        self.text.search = Some(TextSearch {
            words: words.clone(),
            state: SearchState::Looking { done_bytes: 0 },
        });
        self.republish_text();
        let number = self.text.searches;
        self.line().aside(move |line| {
            let told = AtomicU64::new(0);
            let begun = Instant::now();
            let go_on = |done: u64| {
                let quarter = u64::try_from(begun.elapsed().as_millis()).unwrap_or_default()
                    / u64::try_from(TELL_EVERY.as_millis()).unwrap_or(1).max(1);
                if done > 0 && told.swap(quarter, Ordering::Relaxed) != quarter {
                    let what = Found::Text(TextFound::Searching(number, done));
                    line.tell(what);
                }
                !stop.load(Ordering::Relaxed)
            };
            match file.find(&words, from_row, forward, &go_on) {
                Err(error) => Found::Failed(failed(&error)),
                Ok(found) => {
                    let state = match found {
                        Some(row) => SearchState::Found { row },
                        None if stop.load(Ordering::Relaxed) => SearchState::Stopped,
                        None => SearchState::Nowhere,
                    };
                    Found::Text(TextFound::Searched(number, state))
                }
            }
        });
    }

    /// Ends a search under way.
    pub(super) fn stop_finding(&self) {
        self.text.stop_search.store(true, Ordering::Relaxed);
    }

    /// Looks at the file again, as its end is followed.
    pub(super) fn look_again(&mut self) {
        self.text.next_look = Some(Instant::now() + LOOK_EVERY);
        let Some(file) = self.text.file.clone() else {
            self.text.next_look = None;
            return;
        };
        self.line()
            .aside(move |_line| Found::Text(TextFound::Looked(file.look())));
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
            TextFound::Searching(number, done_bytes) if number == self.text.searches => {
                self.searched(SearchState::Looking { done_bytes });
                self.republish_text();
            }
            TextFound::Searched(number, state) if number == self.text.searches => {
                self.searched(state);
                if let SearchState::Found { row } = state {
                    self.go_to_row(row);
                }
                self.republish_text();
            }
            TextFound::Searching(..) | TextFound::Searched(..) => return false,
            TextFound::Line(row) => {
                self.go_to_row(row);
                self.republish_text();
            }
        }
        true
    }

    fn searched(&mut self, state: SearchState) {
        if let Some(search) = &mut self.text.search {
            search.state = state;
        }
    }

    /// Says what has become of the file, and goes on indexing where it has grown.
    fn heed(&mut self, fate: Fate) {
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

    fn go_to_row(&mut self, row: u64) {
        // Never a number that an earlier opening had.
        let before = self
            .text
            .goal
            .map_or(self.opening << 24, |goal| goal.number);
        let number = before + 1;
        self.text.goal = Some(TextGoal { number, row });
        let count = self.text.wanted.1.max(FIRST_ROWS);
        self.text.wanted = (row.saturating_sub(ABOVE), count);
        self.read_text();
    }

    fn go_to_end(&mut self) {
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
            search: self.text.search.clone(),
            goal: self.text.goal,
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
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use crate::engine::command::Command;
    use crate::engine::desk::Desk;
    use crate::engine::pace::Pace;
    use crate::engine::world::World;
    use crate::model::preview::{FileHash, PreviewContent};
    use crate::model::text::{SearchState, TextPage};

    struct Bench {
        desk: Desk,
        world: World,
    }

    impl Bench {
        fn open(path: &Path) -> Self {
            let world = World::new(Arc::from([]), Pace::TEST, path.to_owned());
            let mut bench = Self {
                desk: Desk::new(path.to_owned(), None),
                world,
            };
            bench.take(Command::OpenPreview(path.to_owned()));
            bench
        }

        fn take(&mut self, command: Command) {
            assert!(self.desk.take(command, &self.world).is_none());
        }

        /// Waits until the text is as wanted.
        async fn until(&mut self, what: &str, is: impl Fn(&TextPage) -> bool) -> TextPage {
            let wait = async {
                loop {
                    if let Some(PreviewContent::Text(page)) =
                        self.desk.preview().as_deref().map(|open| &open.content)
                        && is(page)
                    {
                        return TextPage::clone(page);
                    }
                    self.desk.changed().await;
                }
            };
            let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
            waited.unwrap_or_else(|_late| panic!("{what} does not come"))
        }
    }

    #[tokio::test]
    async fn json_is_a_tree_unless_it_is_damaged_or_wanted_as_text() {
        let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        file.write_all(b"{\"id\": 12345678901234567890}\n").unwrap();
        let mut bench = Bench::open(file.path());
        while !matches!(
            bench.desk.preview().as_deref().map(|open| &open.content),
            Some(PreviewContent::Json(tree)) if tree.nodes.len() == 2
        ) {
            bench.desk.changed().await;
        }
        bench.take(Command::ShowAsText);
        let page = bench.until("the text", |page| page.counted).await;
        assert_eq!(page.rows[0].text, "{\"id\": 12345678901234567890}");
        assert!(page.note.is_none());
        file.write_all(b"{\"id\": ]").unwrap();
        bench.take(Command::OpenPreview(file.path().to_owned()));
        let page = bench.until("the note", |page| page.note.is_some()).await;
        assert!(page.note.unwrap().contains("line 2, column 8"));
    }

    #[tokio::test]
    async fn a_file_nobody_can_show_is_hashed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"PK\x05\x06").unwrap();
        file.write_all(&[0; 18]).unwrap();
        let mut bench = Bench::open(file.path());
        let sha256 = "8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85";
        while !matches!(
            bench.desk.preview().as_deref().map(|open| &open.content),
            Some(PreviewContent::Other { size_bytes: 22, hash: FileHash::Done(hash), .. })
                if hash == sha256
        ) {
            let waited = Duration::from_secs(30);
            tokio::time::timeout(waited, bench.desk.changed())
                .await
                .unwrap();
        }
    }

    fn log(lines: usize) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().suffix(".log").tempfile().unwrap();
        for line in 0..lines {
            writeln!(file, "event {line}: all is well with the instrument").unwrap();
        }
        file
    }

    #[tokio::test]
    async fn a_line_is_gone_to_and_words_are_found() {
        let file = log(50_000);
        let mut bench = Bench::open(file.path());
        let page = bench.until("the count", |page| page.counted).await;
        assert_eq!(page.lines_known, 50_000);
        bench.take(Command::GoToLine(40_000));
        let page = bench
            .until("the line", |page| page.first_row > 30_000)
            .await;
        assert_eq!(page.goal.unwrap().row, 39_999);
        bench.take(Command::FindText {
            words: "EVENT 123:".to_owned(),
            from_row: 40_000,
            forward: false,
        });
        let page = bench
            .until("the words", |page| page.first_row < 1_000)
            .await;
        let search = page.search.unwrap();
        assert_eq!(search.state, SearchState::Found { row: 123 });
        bench.take(Command::FindText {
            words: "nowhere".to_owned(),
            from_row: 0,
            forward: true,
        });
        bench
            .until("no place", |page| {
                let search = page.search.as_ref();
                search.is_some_and(|search| search.state == SearchState::Nowhere)
            })
            .await;
    }

    #[tokio::test]
    async fn the_end_of_a_growing_log_is_followed_until_it_is_gone() {
        let file = log(10);
        let mut bench = Bench::open(file.path());
        bench.until("the count", |page| page.counted).await;
        bench.take(Command::FollowText(true));
        let mut more = OpenOptions::new().append(true).open(file.path()).unwrap();
        writeln!(more, "the newest line").unwrap();
        let page = bench
            .until("the new line", |page| {
                let newest = page.rows.last();
                newest.is_some_and(|row| row.text == "the newest line")
                    && page.goal.is_some_and(|goal| goal.row == 10)
            })
            .await;
        assert!(page.following && page.note.is_none());
        std::fs::remove_file(file.path()).unwrap();
        let page = bench.until("the note", |page| page.note.is_some()).await;
        assert!(page.note.unwrap().contains("no longer where it was"));
    }

    #[tokio::test]
    async fn a_file_that_is_written_anew_is_said() {
        let file = log(1_000);
        let mut bench = Bench::open(file.path());
        bench.until("the count", |page| page.counted).await;
        let anew = OpenOptions::new().write(true).open(file.path()).unwrap();
        anew.set_len(5).unwrap();
        bench.take(Command::ShowLines {
            first_row: 900,
            count: 50,
        });
        let page = bench.until("the note", |page| page.note.is_some()).await;
        assert!(page.note.unwrap().contains("written anew"));
        assert!(page.rows.is_empty());
    }
}
