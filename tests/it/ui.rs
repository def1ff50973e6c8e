//! The window without a window: every view from hand-made snapshots, by role and name.

mod connecting;
mod dragging;
mod fixture;
mod images;
mod platforms;
mod results;
mod security;
mod send;
mod tables;
mod thumbnails;
mod watching;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, Node};

use labferry::engine::Busy;
use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::{DraftView, KeyringState, Phase, Snapshot, Trial};
use labferry::model::batch::{Finding, FindingWeight};
use labferry::model::connection::Account;
use labferry::model::ids::{BatchId, JobId};
use labferry::model::job::Stage;
use labferry::model::notice::{About, Words};
use labferry::model::preview::{FileHash, Preview, PreviewContent};
use labferry::model::provider::FanOut;
use labferry::model::table::{Reading, TablePage};
use labferry::ui::desktop::{Picked, PretendDesktop};
use labferry::ui::outbox::Place;
use labferry::ui::{App, Link};

/// A window on a snapshot that the test may change.
struct Window {
    harness: Harness<'static, App>,
    snapshot: Rc<RefCell<Arc<Snapshot>>>,
    commands: Rc<RefCell<Vec<Command>>>,
    busy: Rc<RefCell<bool>>,
    desktop: Rc<PretendDesktop>,
}

impl Window {
    fn new(snapshot: Snapshot) -> Self {
        Self::with_desktop(snapshot, PretendDesktop::new(Picked::Unavailable))
    }

    fn with_desktop(snapshot: Snapshot, desktop: PretendDesktop) -> Self {
        let snapshot = Rc::new(RefCell::new(Arc::new(snapshot)));
        let commands = Rc::new(RefCell::new(Vec::new()));
        let busy = Rc::new(RefCell::new(false));
        let desktop = Rc::new(desktop);
        let link = Link {
            snapshot: Box::new({
                let snapshot = Rc::clone(&snapshot);
                move || Arc::clone(&snapshot.borrow())
            }),
            send: Box::new({
                let (commands, busy) = (Rc::clone(&commands), Rc::clone(&busy));
                move |command| {
                    if *busy.borrow() {
                        return Err(Busy);
                    }
                    commands.borrow_mut().push(command);
                    Ok(())
                }
            }),
        };
        let hands = Box::new(Rc::clone(&desktop));
        let mut harness = Harness::builder()
            .with_size([1200.0, 1400.0])
            .allow_missing_glyphs()
            .build_eframe(|creation| App::new(&creation.egui_ctx, link, hands));
        harness.run();
        Self {
            harness,
            snapshot,
            commands,
            busy,
            desktop,
        }
    }

    /// Publishes a changed snapshot.
    fn publish(&mut self, change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = (**self.snapshot.borrow()).clone();
        snapshot.seq += 1;
        change(&mut snapshot);
        *self.snapshot.borrow_mut() = Arc::new(snapshot);
        self.harness.run();
    }

    fn press(&mut self, name: &str) {
        // A name may stand on a button and on a label; the button is what can be pressed.
        self.harness
            .get_all_by_label(name)
            .find(|node| node.accesskit_node().role() != Role::Label)
            .unwrap_or_else(|| panic!("nothing to press is called {name}"))
            .click_accesskit();
        self.harness.run();
    }

    fn type_into(&mut self, name: &str, text: &str) {
        let field = self
            .harness
            .get_all_by_label(name)
            .find(|node| {
                matches!(
                    node.accesskit_node().role(),
                    Role::TextInput | Role::PasswordInput
                )
            })
            .unwrap_or_else(|| panic!("no field is called {name}"));
        field.focus();
        self.harness.run_steps(2);
        self.harness
            .get_all_by_label(name)
            .find(Node::is_focused)
            .unwrap()
            .type_text(text);
        self.harness.run();
    }

    fn sees(&self, words: &str) -> bool {
        self.harness
            .query_all_by_label_contains(words)
            .next()
            .is_some()
    }

    fn is_enabled(&self, name: &str) -> bool {
        self.harness.query_all_by_label(name).any(|node| {
            node.accesskit_node().role() == Role::Button && !node.accesskit_node().is_disabled()
        })
    }

    /// What was asked of the engine, but for thumbnails: those are asked for by whatever shows a file.
    fn taken(&self) -> Vec<Command> {
        let mut taken: Vec<Command> = self.commands.borrow_mut().drain(..).collect();
        taken.retain(|command| !matches!(command, Command::ShowThumbnails(_)));
        taken
    }

    fn go(&mut self, place: &str) {
        self.press(place);
        self.taken();
    }
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window must not read files".to_owned())
    }
}

#[test]
fn the_first_start_shows_three_cards_and_where_they_lead() {
    let mut window = Window::new(fixture::empty());
    for title in ["Connect a platform", "Try the demo", "Read how it works"] {
        assert!(window.sees(title), "{title}");
    }
    window.press("Open the demo");
    assert_eq!(*window.desktop.asked.borrow(), ["demo"]);
    window.press("Read");
    assert!(window.sees("How it works"));
    window.press("Back");
    window.press("Connect…");
    assert!(window.sees("Which platform?"));
    window.press("Send");
    window.press("Close these cards");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::SaveSettings(settings)] if settings.welcomed
    ));
    let connected = Window::new(fixture::connected());
    assert!(!connected.sees("Try the demo"));
}

#[test]
fn every_place_is_named_and_reached_by_keyboard() {
    let mut window = Window::new(fixture::with_jobs());
    for (key, place) in [
        (Key::Num2, Place::Jobs),
        (Key::Num3, Place::Results),
        (Key::Num4, Place::Connections),
        (Key::Num5, Place::Settings),
        (Key::Num6, Place::Notices),
        (Key::Num1, Place::Send),
    ] {
        window.harness.key_press_modifiers(Modifiers::COMMAND, key);
        // `run` also fails on any input without a name.
        window.harness.run();
        assert_eq!(window.harness.state().state().place, place);
    }
}

#[test]
fn tab_and_enter_alone_reach_a_button() {
    let mut window = Window::new(fixture::with_files());
    for _ in 0..60 {
        window.harness.key_press(Key::Tab);
        window.harness.run();
        let there = window
            .harness
            .query_all_by_label("Clear")
            .any(|node| node.is_focused());
        if there {
            window.harness.key_press(Key::Enter);
            window.harness.run();
            assert!(
                window
                    .taken()
                    .iter()
                    .any(|command| matches!(command, Command::ClearFiles))
            );
            return;
        }
    }
    panic!("Tab never reached Clear");
}

#[test]
fn the_way_through_send_asks_for_the_right_things() {
    let mut window = Window::new(fixture::with_files());
    assert!(window.sees("3 files, 10.2 MB"));
    assert!(window.sees("Empty file, will not be sent"));
    assert!(window.sees("A01 世界 #1 50%.tif"));
    assert!(!window.is_enabled("Send 3 files · 1 job on 1 platform"));
    window.press("Nuclei count, Imaging core");
    window.press("psipred, Institute server");
    let first = window.taken();
    assert!(
        first
            .iter()
            .any(|command| matches!(command, Command::ReadForm(_, id) if id.as_str() == "psipred")),
        "{first:?}"
    );
    let checks = |commands: &[Command]| {
        commands
            .iter()
            .filter(|command| matches!(command, Command::CheckBatch(_)))
            .count()
    };
    assert_eq!(checks(&first), 1, "one at a time: {first:?}");
    let answered = |window: &mut Window| {
        window.publish(|snapshot| Arc::make_mut(&mut snapshot.draft).checked += 1);
    };
    answered(&mut window);
    assert_eq!(
        checks(&window.taken()),
        1,
        "the second tick was not looked over yet"
    );
    answered(&mut window);
    assert!(
        window.taken().is_empty(),
        "what was looked over is not looked over again"
    );
    window.press("Jobs of Nuclei count");
    window.press("One analysis per file");
    window.type_into("Batch name", "Plate 7");
    answered(&mut window);
    answered(&mut window);
    window.taken();
    window.press("Send 3 files · 6 jobs on 2 platforms");
    let sent = window.taken();
    let [Command::SubmitBatch(draft)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(draft.name, "Plate 7");
    assert_eq!(draft.targets.len(), 2);
    assert_eq!(draft.targets[0].fan_out, FanOut::OnePerFile);
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).submitted = Some(BatchId(1));
        let jobs = fixture::with_jobs();
        snapshot.batches = jobs.batches;
        snapshot.jobs = jobs.jobs;
    });
    assert_eq!(window.harness.state().state().place, Place::Jobs);
}

#[test]
fn findings_and_wrong_settings_block_the_button() {
    let mut window = Window::new(fixture::with_files());
    window.press("Nuclei count, Imaging core");
    let name = "Send 3 files · 1 job on 1 platform";
    assert!(window.is_enabled(name));
    let found = |weight| Finding {
        weight,
        target: Some(0),
        field: None,
        words: "A03.tif is larger than Scope takes".to_owned(),
    };
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).findings = vec![found(FindingWeight::Warns)];
    });
    assert!(window.sees("A03.tif is larger than Scope takes"));
    assert!(window.is_enabled(name), "a warning does not block");
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.draft).findings = vec![found(FindingWeight::Blocks)];
    });
    assert!(!window.is_enabled(name));
    window.publish(|snapshot| Arc::make_mut(&mut snapshot.draft).findings.clear());
    assert!(window.is_enabled(name));
    window.type_into("Title", "two words");
    assert!(window.sees("Title may not contain blanks"));
    assert!(!window.is_enabled(name));
}

#[test]
fn a_drop_anywhere_adds_files() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Settings");
    let path = PathBuf::from("/data/plate 7/A01 世界 #1 50%.tif");
    window
        .harness
        .input_mut()
        .hovered_files
        .push(egui::HoveredFile {
            path: Some(path.clone()),
            mime: String::new(),
        });
    window.harness.run_steps(3);
    assert!(window.sees("Drop to add 1 file or folder"));
    let input = window.harness.input_mut();
    input.hovered_files.clear();
    input.dropped_files.push(Arc::new(Dropped(path.clone())));
    window.harness.run();
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::AddFiles(paths)] if *paths == [path]),
        "{taken:?}"
    );
    assert_eq!(window.harness.state().state().place, Place::Send);
    assert!(!window.sees("Drop to add"));
}

#[test]
fn pickers_answer_with_files_or_with_a_field_to_type_in() {
    let picked = vec![PathBuf::from("/data/a.tif"), PathBuf::from("/data/b.tif")];
    let desktop = PretendDesktop::new(Picked::Paths(picked.clone()));
    let mut window = Window::with_desktop(fixture::connected(), desktop);
    window.press("Add files…");
    assert!(matches!(window.taken().as_slice(), [Command::AddFiles(paths)] if *paths == picked));

    let mut window = Window::new(fixture::connected());
    window.press("Add folder…");
    assert!(window.taken().is_empty());
    window.type_into("Path", "\"/data/plate 7\"");
    window.press("Add");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::AddFiles(paths)] if *paths == [PathBuf::from("/data/plate 7")]
    ));
}

#[test]
fn a_full_engine_is_said_and_nothing_is_dropped() {
    let mut window = Window::new(fixture::with_files());
    *window.busy.borrow_mut() = true;
    window.press("Clear");
    assert!(window.sees("too busy"));
    *window.busy.borrow_mut() = false;
    window.press("Try again");
    assert!(matches!(window.taken().as_slice(), [Command::ClearFiles]));
    assert!(!window.sees("too busy"));
}

#[test]
fn jobs_offer_only_what_means_something() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Jobs");
    window.press("Plate 7 membranes");
    assert!(window.sees("remote-4711"));
    assert!(window.sees("2 files uploaded"));
    assert!(!window.sees("Forget"));
    window.press("Stop watching");
    assert!(window.taken().is_empty(), "asks first");
    window.press("Yes, stop watching");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::CancelJob(JobId(2))]
    ));
    window.press("Open in browser");
    assert_eq!(
        *window.desktop.asked.borrow(),
        ["page https://platform.example.org/jobs/4711"]
    );
    window.press("A03.tif");
    assert!(window.sees("Open the image and save it as TIFF"));
    assert!(!window.sees("Stop watching"));
    window.press("Try again");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::RetryJob(JobId(4))]
    ));
    window.press("Forget");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::ForgetJob(JobId(4))]
    ));
}

#[test]
fn an_unconfirmed_job_has_three_ways_out() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Jobs");
    window.press("A04.tif");
    assert!(!window.is_enabled("It is this one"));
    window.press("candidate-1");
    window.press("It is this one");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::ResolveUnconfirmed(JobId(5), Resolution::Adopt(remote))] if remote.id == "candidate-1"
    ));
    window.press("Send again");
    window.press("Leave it");
    assert!(matches!(
        window.taken().as_slice(),
        [
            Command::ResolveUnconfirmed(_, Resolution::SendAgain),
            Command::ResolveUnconfirmed(_, Resolution::Leave),
        ]
    ));
}

#[test]
fn the_filter_narrows_the_jobs() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Jobs");
    window.type_into("Filter jobs by words", "MEMBRANES plate");
    assert!(window.sees("Plate 7 membranes"));
    assert!(!window.sees("A03.tif"));
    window.press("Clear filter");
    assert!(window.sees("A03.tif"));
}

#[test]
fn ten_thousand_jobs_draw_only_what_is_visible() {
    let mut snapshot = fixture::with_jobs();
    let count = 10_000;
    snapshot.batches = vec![fixture::batch(
        1,
        "Screen",
        &(1..=count).collect::<Vec<_>>(),
    )];
    snapshot.jobs = (1..=count)
        .map(|number| {
            Arc::new(fixture::job(
                number,
                1,
                &format!("well {number:05}"),
                Stage::Done,
            ))
        })
        .collect();
    let mut window = Window::new(snapshot);
    window.go("Jobs");
    let drawn = window.harness.query_all_by_label_contains("well ").count();
    assert!((20..200).contains(&drawn), "{drawn} rows drawn");
}

#[test]
fn results_open_in_the_pane_that_fits() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    assert!(window.sees("masks/A01_objects.json"));
    window.press("objects.csv");
    let folder = "/results/2026-11-20 Plate 7/Imaging core - Nuclei count";
    let path = PathBuf::from(format!("{folder}/objects.csv"));
    assert!(matches!(window.taken().as_slice(), [Command::OpenPreview(asked)] if *asked == path));
    let show = |window: &mut Window, content| {
        let path = path.clone();
        window.publish(|snapshot| {
            snapshot.preview = Some(Arc::new(Preview { path, content }));
        });
    };
    show(
        &mut window,
        PreviewContent::Table(Arc::new(page(0, 300, 2_000_000))),
    );
    assert!(window.sees("2,000,000 rows so far, counting…"));
    assert!(window.sees("Area"));
    assert!(window.sees("000017"));
    assert!(window.taken().is_empty(), "what is here is not asked for");
    window.harness.key_press(Key::End);
    window.harness.run();
    let asked = window.taken();
    let [Command::ShowRows { first_row, count }] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert!(first_row + *count as u64 >= 2_000_000 && *first_row > 1_999_000);
    let (first_row, count) = (*first_row, *count);
    show(
        &mut window,
        PreviewContent::Table(Arc::new(page(first_row, count, 2_000_000))),
    );
    assert!(window.sees("1999999"), "the very last row");
    show(
        &mut window,
        PreviewContent::Text(Arc::new(fixture::text_page(
            0,
            &["first line", "second 世界"],
        ))),
    );
    assert!(window.sees("second 世界"));
    show(
        &mut window,
        PreviewContent::Other {
            size_bytes: 12_000,
            kind: "ZIP archive".to_owned(),
            hash: FileHash::Done("ab".repeat(32)),
        },
    );
    assert!(window.sees("ZIP archive"));
    window.press("Open with the system");
    window.press("Show in folder");
    assert_eq!(
        *window.desktop.asked.borrow(),
        [
            format!("open {}", path.display()),
            format!("reveal {}", path.display())
        ]
    );
}

#[test]
fn a_results_folder_can_be_checked_again() {
    let mut window = Window::new(fixture::with_jobs());
    window.go("Results");
    window.press("Check again");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::CheckFolder(folder)] if folder == Path::new("/results/2026-11-20 Plate 7")
    ));
}

fn page(first_row: u64, count: usize, total: u64) -> TablePage {
    let names = ["Object ID", "Image origin", "Area"];
    let numbers = first_row..(first_row + count as u64).min(total);
    let row = |row: u64| {
        vec![
            format!("{row:06}"),
            "plate7 # 50% 世.tif".to_owned(),
            format!("{}.5", row % 97),
        ]
    };
    TablePage {
        columns: Arc::new(names.map(str::to_owned).to_vec()),
        first_row,
        rows: Arc::new(numbers.clone().map(row).collect()),
        numbers: Arc::new(numbers.collect()),
        rows_known: total,
        reading: Reading {
            words: "comma, UTF-8".to_owned(),
            decimal: '.',
            ..Reading::default()
        },
        ..TablePage::default()
    }
}

#[test]
fn a_secret_is_masked_and_leaves_only_in_the_command() {
    let canary = "canary-key-4711";
    let mut window = Window::new(fixture::empty());
    window.go("Connections");
    window.press("Scope");
    window.press("Save");
    assert!(window.sees("Label is needed") && window.sees("Key is needed"));
    window.type_into("Label", "Imaging core");
    window.type_into("Address", " \"platform.example.org/api\" ");
    assert!(window.sees("Used as https://platform.example.org/api/"));
    window.type_into("Key", canary);
    for node in window.harness.root().children_recursive() {
        let node = node.accesskit_node();
        let said = format!(
            "{:?} {:?} {:?}",
            node.label(),
            node.value(),
            node.data().description()
        );
        assert!(!said.contains("canary"), "{said}");
    }
    assert!(!format!("{:?}", window.harness.state().state()).contains("canary"));
    window.press("Test connection");
    assert!(window.sees("Asking Scope"));
    window.publish(|snapshot| {
        snapshot.trial = Some(Trial::Good(Account {
            places: Vec::new(),
            name: "someone@example.org".to_owned(),
            checked: fixture::at(0),
        }));
    });
    assert!(window.sees("It works: you are someone@example.org"));
    window.press("Save");
    let taken = window.taken();
    let [
        Command::TryConnection(..),
        Command::SaveConnection(draft, secrets),
    ] = taken.as_slice()
    else {
        panic!("{taken:?}");
    };
    assert_eq!(draft.label, "Imaging core");
    assert_eq!(draft.entries["url"], "https://platform.example.org/api/");
    assert!(!draft.entries.contains_key("key"));
    assert_eq!(secrets.len(), 1);
    assert_eq!(secrets[0].1.reveal(), canary);
    assert!(!format!("{taken:?}").contains("canary"));
}

#[test]
fn a_key_does_not_travel_over_plain_http() {
    let mut window = Window::new(fixture::empty());
    window.go("Connections");
    window.press("Scope");
    window.type_into("Label", "Imaging core");
    window.type_into("Address", "http://platform.example.org/api");
    window.type_into("Key", "canary-key-4711");
    assert!(window.sees("A key may only travel over https"));
    window.press("Save");
    assert!(window.taken().is_empty());
}

#[test]
fn removing_a_connection_asks_once() {
    let mut window = Window::new(fixture::connected());
    window.go("Connections");
    window.press("Remove Imaging core");
    assert!(window.taken().is_empty());
    window.press("Yes, remove");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::RemoveConnection(_)]
    ));
}

#[test]
fn an_absent_keyring_is_said_plainly() {
    let mut snapshot = fixture::connected();
    snapshot.keyring = KeyringState::Absent;
    let mut window = Window::new(snapshot);
    assert!(window.sees("No keyring, keys last until you close"));
    window.go("Connections");
    assert!(window.sees("This computer has no working keyring"));
    window.press("Try again");
    assert!(matches!(window.taken().as_slice(), [Command::RetryKeyring]));
}

#[test]
fn notices_stay_until_dismissed_and_lead_to_the_cure() {
    let mut snapshot = fixture::with_jobs();
    let connection = snapshot.connections[0].connection.id;
    snapshot.notices = vec![
        fixture::notice(7, About::Connection(connection)),
        fixture::notice(8, About::App),
    ];
    let mut window = Window::new(snapshot);
    assert!(window.sees("Scope did not accept the key for Imaging core."));
    window.press("Notices (2)");
    assert!(!window.sees("401"), "details are folded");
    window.press("Dismiss all");
    assert_eq!(window.taken().len(), 2);
    window.press("Send");
    window.press("Paste a new key…");
    assert_eq!(window.harness.state().state().place, Place::Connections);
    assert!(window.sees("Edit Imaging core"));
}

#[test]
fn an_engine_that_stopped_says_why() {
    let mut snapshot = fixture::connected();
    snapshot.phase = Phase::Stopped(Words {
        what: "Another Labferry is open with the same data.".to_owned(),
        ..Words::default()
    });
    let window = Window::new(snapshot);
    assert!(window.sees("Another Labferry is open"));
    assert!(!window.sees("Add files…"));
}

#[test]
fn an_idle_window_settles_and_asks_for_nothing() {
    let mut snapshot = fixture::with_jobs();
    snapshot.jobs.retain(|view| view.job.stage.is_settled());
    let mut window = Window::new(snapshot);
    for place in [
        "Send",
        "Jobs",
        "Results",
        "Connections",
        "Settings",
        "Notices (1)",
    ] {
        window.press(place);
        window.harness.run();
        let wait = window.harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
        assert_eq!(wait, std::time::Duration::MAX, "{place}");
    }
}

#[test]
fn settings_are_saved_as_they_change() {
    let mut window = Window::new(fixture::connected());
    window.go("Settings");
    window.press("Dark");
    window.press("Keep zip files after unpacking them");
    let taken = window.taken();
    assert!(
        matches!(
            taken.as_slice(),
            [Command::SaveSettings(dark), Command::SaveSettings(keep)]
                if dark.theme == labferry::model::settings::ThemeChoice::Dark && keep.keep_archives
        ),
        "{taken:?}"
    );
}

#[test]
fn a_speed_limit_is_ticked_and_set_for_each_way() {
    let mut window = Window::new(fixture::connected());
    window.go("Settings");
    window.press("Limit download speed");
    let taken = window.taken();
    assert!(
        matches!(
            taken.as_slice(),
            [Command::SaveSettings(settings)]
                if settings.download_bytes_per_second == Some(5_000_000)
                    && settings.upload_bytes_per_second.is_none()
        ),
        "{taken:?}"
    );
    let mut limited = fixture::connected();
    let settings = Arc::make_mut(&mut limited.settings);
    settings.upload_bytes_per_second = Some(2_500_000);
    let mut window = Window::new(limited);
    window.go("Settings");
    assert!(window.sees("Upload at most") && !window.sees("Download at most"));
    let shown = window.harness.get_by_value("2.5 MB/s").rect();
    assert!(shown.is_positive());
    window.press("Upload at most");
    let taken = window.taken();
    assert!(
        matches!(
            taken.as_slice(),
            [Command::SaveSettings(settings)] if settings.upload_bytes_per_second.is_none()
        ),
        "{taken:?}"
    );
}

#[test]
fn long_names_keep_the_buttons_in_the_window() {
    let mut snapshot = fixture::with_files();
    let long = "世界 ".repeat(70);
    let draft = Arc::make_mut(&mut snapshot.draft);
    for listed in &mut draft.files {
        listed.file.name.clone_from(&long);
        listed.file.folder.clone_from(&long);
    }
    let window = Window::new(snapshot);
    for name in ["Add files…", "Clear"] {
        let rect = window.harness.get_by_label(name).rect();
        assert!(
            rect.right() <= 1200.0 && rect.left() >= 0.0,
            "{name} at {rect:?}"
        );
    }
    let remove = format!("Remove {long}");
    for node in window.harness.get_all_by_label(&remove) {
        assert!(node.rect().right() <= 1200.0);
    }
}

#[test]
fn an_unnamed_input_would_be_found() {
    let harness = Harness::builder()
        .with_accessibility_check(false)
        .build_ui(|ui| {
            let mut text = String::new();
            ui.text_edit_singleline(&mut text);
        });
    assert_eq!(harness.unnamed_widgets().len(), 1);
}

#[test]
fn an_empty_draft_checks_nothing() {
    let mut window = Window::new(fixture::connected());
    window.press("Nuclei count, Imaging core");
    assert!(
        !window
            .taken()
            .iter()
            .any(|command| matches!(command, Command::CheckBatch(_))),
        "there are no files yet"
    );
    window.publish(|snapshot| {
        snapshot.draft = Arc::new(DraftView {
            scanning: true,
            ..DraftView::default()
        });
    });
    assert!(window.sees("Looking through folders"));
}
