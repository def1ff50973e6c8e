//! Texts, JSON and files nobody can show, on a desk of their own.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::command::Command;
use crate::engine::desk::Desk;
use crate::engine::pace::Pace;
use crate::engine::world::World;
use crate::model::json::JsonPage;
use crate::model::preview::{FileHash, PreviewContent};
use crate::model::search::{PlaceCount, SearchState};
use crate::model::text::TextPage;

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
        Some(PreviewContent::Json(tree)) if tree.tree.nodes.len() == 2
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

impl Bench {
    /// Waits until the tree is as wanted.
    async fn until_tree(&mut self, what: &str, is: impl Fn(&JsonPage) -> bool) -> JsonPage {
        let wait = async {
            loop {
                if let Some(PreviewContent::Json(page)) =
                    self.desk.preview().as_deref().map(|open| &open.content)
                    && is(page)
                {
                    return JsonPage::clone(page);
                }
                self.desk.changed().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
        waited.unwrap_or_else(|_late| panic!("{what} does not come"))
    }

    /// Looks for words in the tree; the state, which place of how many, and the value to scroll to.
    async fn find(
        &mut self,
        words: &str,
        from_row: u64,
        forward: bool,
    ) -> (SearchState, (u64, u64), Option<u64>) {
        self.take(Command::FindText {
            words: words.to_owned(),
            from_row,
            forward,
        });
        let page = self
            .until_tree("the place", |page| {
                let search = page.search.as_ref();
                search.is_some_and(|search| search.words == words && search.count.is_some())
            })
            .await;
        let search = page.search.unwrap();
        let PlaceCount { nth, all } = search.count.unwrap();
        (search.state, (nth, all), page.goal.map(|goal| goal.row))
    }
}

fn cells(count: usize) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    let cells: Vec<String> = (0..count)
        .map(|cell| format!("{{\"Cell\": {cell}}}"))
        .collect();
    write!(file, "[{}]", cells.join(",")).unwrap();
    file
}

#[tokio::test]
async fn words_are_found_in_json_counted_and_gone_through() {
    let file = cells(3);
    let mut bench = Bench::open(file.path());
    bench.until_tree("the tree", |_| true).await;
    let found = |row| SearchState::Found { row };
    // The array, then each object with its value: 0, 1 2, 3 4, 5 6.
    assert_eq!(
        bench.find("CELL", 0, true).await,
        (found(2), (1, 3), Some(2))
    );
    assert_eq!(
        bench.find("CELL", 3, true).await,
        (found(4), (2, 3), Some(4))
    );
    assert_eq!(
        bench.find("CELL", 5, true).await,
        (found(6), (3, 3), Some(6))
    );
    let end = (SearchState::Nowhere, (0, 3), Some(6));
    assert_eq!(bench.find("CELL", 7, true).await, end, "the goal stays");
    assert_eq!(
        bench.find("CELL", 6, false).await,
        (found(4), (2, 3), Some(4))
    );
    let (state, count, _) = bench.find("nucleus", 0, true).await;
    assert_eq!((state, count), (SearchState::Nowhere, (0, 0)));
    assert_eq!(bench.find("1", 0, true).await, (found(4), (1, 1), Some(4)));
}

#[tokio::test]
async fn a_search_in_json_is_stopped_and_can_be_begun_again() {
    let file = cells(200_000);
    let mut bench = Bench::open(file.path());
    bench.until_tree("the tree", |_| true).await;
    bench.take(Command::FindText {
        words: "cell".to_owned(),
        from_row: 0,
        forward: true,
    });
    bench.take(Command::StopFinding);
    let page = bench
        .until_tree("the stop", |page| {
            let search = page.search.as_ref();
            search.is_some_and(|search| !matches!(search.state, SearchState::Looking { .. }))
        })
        .await;
    let search = page.search.unwrap();
    assert_eq!((search.state, search.count), (SearchState::Stopped, None));
    let (_, count, goal) = bench.find("cell", 0, true).await;
    assert_eq!((count, goal), ((1, 200_000), Some(2)));
}
