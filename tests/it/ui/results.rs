//! The page of a batch and the panes for texts, JSON and files nobody can show.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use labferry::engine::command::Command;
use labferry::model::folder::{
    CheckProgress, FolderAnswer, FolderCheck, FolderPage, FolderTold, Outcome, ReceiptFacts, Unread,
};
use labferry::model::json::{JsonKind, JsonNode, JsonPage, JsonTree};
use labferry::model::preview::{FileHash, Preview, PreviewContent};
use labferry::model::search::{Goal, PlaceCount, Search, SearchState};
use labferry::model::text::TextPage;

use super::{Window, fixture};

/// Chooses a file of the fixture and shows this of it.
fn show(window: &mut Window, content: PreviewContent) {
    let path = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count/objects.csv";
    window.publish(|snapshot| {
        snapshot.preview = Some(Arc::new(Preview {
            path: PathBuf::from(path),
            content,
        }));
    });
}

fn at_a_file() -> Window {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    window.press("objects.csv");
    window.taken();
    window
}

fn text(page: TextPage) -> PreviewContent {
    PreviewContent::Text(Arc::new(page))
}

#[test]
fn a_batch_says_how_its_folder_compares_and_what_to_write() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    let folder = PathBuf::from("/results/2026-11-20 Plate 7");
    let page = |told| {
        Some(Arc::new(FolderPage {
            folder: folder.clone(),
            told,
        }))
    };
    window.publish(|snapshot| snapshot.folder = page(FolderTold::Nothing));
    assert!(window.sees("The receipt is written as soon as the first results are here"));
    let answer = FolderAnswer {
        at: fixture::at(0),
        counts: [1_240, 1, 0, 2, 0],
        different: vec![
            (Outcome::Changed, "Core - Nuclei/objects.csv".to_owned()),
            (Outcome::Extra, "notes.docx".to_owned()),
            (Outcome::Extra, "世界 #1.csv".to_owned()),
        ],
        unread: None,
    };
    let facts = ReceiptFacts {
        labferry: "0.1.0".to_owned(),
        sent: 1,
        sent_bytes: 10,
        results: 1_241,
        result_bytes: 5_000_000,
        last: Some(fixture::at(60)),
        methods: Some("One file was sent to Biodock.".to_owned()),
        has_crate: true,
    };
    window.publish(|snapshot| {
        snapshot.folder = page(FolderTold::Receipt(facts));
        let checks = Arc::make_mut(&mut snapshot.checks);
        checks.insert(folder.clone(), FolderCheck::Answered(Arc::new(answer)));
    });
    for seen in [
        "1,240 same",
        "1 changed",
        "0 missing",
        "2 extra",
        "0 unreadable",
        "Core - Nuclei/objects.csv",
        "notes.docx",
        "1 file, 10 B",
        "One file was sent to Biodock.",
    ] {
        assert!(window.sees(seen), "{seen}");
    }
    let top = |label: &str| window.harness.get_by_label(label).rect().top();
    assert!(
        top("Compared with the receipt") < top("Receipt")
            && top("Receipt") < top("Jobs of this batch")
    );
    window.press("Copy");
    assert!(window.harness.query_by_label("Missing").is_none());
}

#[test]
fn a_check_says_how_far_it_is_can_be_stopped_and_then_says_what_it_left_out() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    window.taken();
    let folder = PathBuf::from("/results/2026-11-20 Plate 7");
    let publish = |window: &mut Window, check: FolderCheck| {
        window.publish(|snapshot| {
            Arc::make_mut(&mut snapshot.checks).insert(folder.clone(), check);
        });
    };
    let far = CheckProgress::default();
    publish(&mut window, FolderCheck::Checking(far));
    assert!(window.sees("Looking through the folder"));
    let far = CheckProgress {
        done_files: 34,
        total_files: 1_240,
        done_bytes: 50_000_000_000,
        total_bytes: 200_000_000_000,
        stopping: false,
    };
    publish(&mut window, FolderCheck::Checking(far));
    assert!(window.sees("50.0 GB of 200 GB · 34 of 1,240 files"));
    assert!(window.sees("Progress of reading every file, 25 %"));
    // Looked away from and back: it goes on, and is shown again.
    window.go("Jobs");
    window.go("Results");
    window.taken();
    window.press("Stop");
    let asked = window.taken();
    assert!(
        matches!(asked.as_slice(), [Command::StopCheck(stopped)] if *stopped == folder),
        "{asked:?}"
    );
    let stopping = CheckProgress {
        stopping: true,
        ..far
    };
    publish(&mut window, FolderCheck::Checking(stopping));
    assert!(window.sees("Stopping as soon as the drive answers"));
    let answer = FolderAnswer {
        at: fixture::at(0),
        counts: [34, 0, 0, 0, 0],
        different: Vec::new(),
        unread: Some(Unread {
            files: 1_206,
            bytes: 150_000_000_000,
            looked_through: false,
        }),
    };
    publish(&mut window, FolderCheck::Answered(Arc::new(answer)));
    for seen in [
        "Not finished",
        "1,206 files (150 GB) had not been read when it was stopped, and nothing is said about them here.",
        "The folder was not looked through for extra files.",
        "34 same",
    ] {
        assert!(window.sees(seen), "{seen}");
    }
    assert!(!window.sees("All 34 files are as they arrived"));
}

#[test]
fn rows_of_a_text_are_asked_for_as_they_come_into_sight() {
    let mut window = at_a_file();
    let rows: Vec<String> = (0..200).map(|row| format!("row {row:07}")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    show(&mut window, text(fixture::text_page(0, &rows)));
    assert!(window.sees("row 0000003"));
    assert!(window.sees("2,000,000 lines · 9.0 MB · UTF-8"));
    assert!(!window.sees("row 0000190"), "only what is seen is drawn");
    assert!(window.taken().is_empty(), "what is here is not asked for");
    window.harness.key_press(Key::End);
    window.harness.run();
    let asked = window.taken();
    let [Command::ShowLines { first_row, count }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert!(*first_row < 2_000_000 && first_row + *count as u64 >= 2_000_000);
    let end = fixture::text_page(1_999_900, &vec!["the end"; 100]);
    show(&mut window, text(end));
    assert!(window.sees("the end"));
    assert!(window.taken().is_empty());
    // A goal moves the view once; afterwards the person is free.
    let goal = |page| TextPage {
        goal: Some(Goal {
            number: 7,
            row: 1_000,
        }),
        ..page
    };
    show(&mut window, text(goal(fixture::text_page(990, &rows))));
    assert!(window.sees("row 0000012"));
    window.harness.key_press(Key::Home);
    window.harness.run();
    show(&mut window, text(goal(fixture::text_page(0, &rows))));
    assert!(window.sees("row 0000000"));
}

#[test]
fn words_are_looked_for_in_a_text_and_a_line_is_gone_to() {
    let mut window = at_a_file();
    let page = fixture::text_page(0, &["a Warning here", "nothing"]);
    show(&mut window, text(page.clone()));
    assert!(!window.is_enabled("Next"));
    window.type_into("Find", "warning");
    window.taken();
    window.press("Next");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::FindText { words, from_row: 0, forward: true }] if words == "warning"
    ));
    let search = |state| TextPage {
        search: Some(Search {
            words: "warning".to_owned(),
            state,
            count: None,
        }),
        ..page.clone()
    };
    let looking = SearchState::Looking {
        done_bytes: 4_500_000,
    };
    window.publish(|snapshot| {
        let path = snapshot.preview.as_ref().unwrap().path.clone();
        let content = text(search(looking));
        snapshot.preview = Some(Arc::new(Preview { path, content }));
    });
    assert!(window.sees("Looking, 50 %"));
    window.press("Stop");
    assert!(matches!(window.taken().as_slice(), [Command::StopFinding]));
    show(&mut window, text(search(SearchState::Found { row: 0 })));
    assert!(window.sees("In line 1"));
    window.press("Next");
    window.press("Previous");
    assert!(matches!(
        window.taken().as_slice(),
        [
            Command::FindText {
                from_row: 1,
                forward: true,
                ..
            },
            Command::FindText {
                from_row: 0,
                forward: false,
                ..
            }
        ]
    ));
    show(&mut window, text(search(SearchState::Nowhere)));
    assert!(window.sees("No further place"));
    window.type_into("Go to line", "1,234");
    window.harness.key_press(Key::Enter);
    window.harness.run();
    assert!(matches!(
        window.taken().as_slice(),
        [Command::GoToLine(1_234)]
    ));
    window.press("Follow the end");
    window.press("Reload");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::FollowText(true), Command::OpenPreview(_)]
    ));
    let note = "The file is no longer where it was.".to_owned();
    show(
        &mut window,
        text(TextPage {
            note: Some(note.clone()),
            ..page
        }),
    );
    assert!(window.sees(&note));
}

#[test]
fn what_was_found_far_to_the_right_is_scrolled_to() {
    let mut window = at_a_file();
    let far = format!("{}warning", "all is well ".repeat(60));
    let mut found = fixture::text_page(0, &[&far]);
    found.search = Some(Search {
        words: "Warning".to_owned(),
        state: SearchState::Found { row: 0 },
        count: None,
    });
    show(&mut window, text(found.clone()));
    let left = |window: &Window| window.harness.get_by_label(&far).rect().left();
    let before = left(&window);
    found.goal = Some(Goal { number: 1, row: 0 });
    show(&mut window, text(found));
    window.harness.run();
    let after = left(&window);
    assert!(after < before - 1_000.0, "{before} {after}");
}

/// An object in an object, a number and an empty array.
fn json() -> JsonPage {
    let text = r#"{"image": {"id": 12345678901234567890}, "n": []}"#;
    let node = |kind, name, value, next, (count, depth)| JsonNode {
        kind,
        name,
        value,
        next,
        count,
        depth,
    };
    let tree = JsonTree {
        text: text.to_owned(),
        nodes: vec![
            node(JsonKind::Object, (0, 0), (0, 48), 4, (2, 0)),
            node(JsonKind::Object, (1, 8), (10, 38), 3, (1, 1)),
            node(JsonKind::Number, (11, 15), (17, 37), 3, (0, 2)),
            node(JsonKind::Array, (40, 43), (45, 47), 4, (0, 1)),
        ],
        tops: 1,
        size_bytes: 48,
    };
    JsonPage {
        tree: Arc::new(tree),
        ..JsonPage::default()
    }
}

#[test]
fn a_click_shows_a_batch_or_job_and_only_the_next_one_folds_it() {
    let mut window = at_a_file();
    let below = |window: &Window| {
        let mut files = window.harness.query_all_by_label("objects.csv");
        files.any(|node| node.accesskit_node().role() == Role::Button)
    };
    for name in ["Plate 7 nuclei", "Plate 7"] {
        assert!(below(&window));
        window.press(name);
        assert!(below(&window), "{name} is shown");
        window.press(name);
        assert!(!below(&window), "{name} is folded");
        window.press(name);
    }
    assert!(below(&window), "unfolded again");
}

#[test]
fn json_folds_and_keeps_every_digit() {
    let mut window = at_a_file();
    show(&mut window, PreviewContent::Json(Arc::new(json())));
    assert!(window.sees("4 values · 48 B · JSON"));
    assert!(window.sees("image") && window.sees("[]"));
    assert!(!window.sees("12345678901234567890"), "it is folded");
    window.press("Unfold image");
    assert!(window.sees("12345678901234567890"));
    window.press("Fold all");
    assert!(!window.sees("image"));
    window.press("Unfold all");
    assert!(window.sees("12345678901234567890"));
    window.press("As text");
    assert!(matches!(window.taken().as_slice(), [Command::ShowAsText]));
}

#[test]
fn words_are_looked_for_in_json_and_what_hides_them_is_unfolded() {
    let mut window = at_a_file();
    let shown = |page: JsonPage| PreviewContent::Json(Arc::new(page));
    let page = json();
    show(&mut window, shown(page.clone()));
    window.type_into("Find", "234");
    window.taken();
    window.press("Next");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::FindText { words, from_row: 0, forward: true }] if words == "234"
    ));
    let search = |state, count| JsonPage {
        search: Some(Search {
            words: "234".to_owned(),
            state,
            count,
        }),
        ..page.clone()
    };
    let looking = SearchState::Looking { done_bytes: 12 };
    window.publish(|snapshot| {
        let path = snapshot.preview.as_ref().unwrap().path.clone();
        let content = shown(search(looking, None));
        snapshot.preview = Some(Arc::new(Preview { path, content }));
    });
    assert!(window.sees("Looking, 25 %"));
    window.press("Stop");
    assert!(matches!(window.taken().as_slice(), [Command::StopFinding]));
    assert!(!window.sees("12345678901234567890"), "it is folded");
    let count = Some(PlaceCount { nth: 1, all: 1_700 });
    let found = JsonPage {
        goal: Some(Goal { number: 1, row: 2 }),
        ..search(SearchState::Found { row: 2 }, count)
    };
    show(&mut window, shown(found.clone()));
    assert!(window.sees("1 of 1,700"));
    assert!(window.sees("12345678901234567890"));
    window.press("Fold image");
    show(&mut window, shown(found));
    assert!(!window.sees("12345678901234567890"), "a goal counts once");
    window.press("Next");
    window.press("Previous");
    assert!(matches!(
        window.taken().as_slice(),
        [
            Command::FindText {
                from_row: 3,
                forward: true,
                ..
            },
            Command::FindText {
                from_row: 2,
                forward: false,
                ..
            }
        ]
    ));
    let count = |all| Some(PlaceCount { nth: 0, all });
    show(&mut window, shown(search(SearchState::Nowhere, count(3))));
    assert!(window.sees("No further place, 3 in all"));
    show(&mut window, shown(search(SearchState::Nowhere, count(0))));
    assert!(window.sees("Nowhere in this file"));
}

#[test]
fn a_file_nobody_can_show_is_told_by_its_hash() {
    let mut window = at_a_file();
    let other = |hash| PreviewContent::Other {
        size_bytes: 2_000_000,
        kind: "PDF file".to_owned(),
        hash,
    };
    show(&mut window, other(FileHash::NotAsked));
    assert!(window.sees("2.0 MB (2,000,000 bytes)"));
    window.press("Compute the SHA-256");
    let working = FileHash::Working {
        done_bytes: 500_000,
    };
    show(&mut window, other(working));
    window.press("Stop");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::HashPreview, Command::StopHashing]
    ));
    show(&mut window, other(FileHash::Done("ab".repeat(32))));
    assert!(window.sees(&"ab".repeat(32)));
    window.press("Copy the SHA-256");
}
