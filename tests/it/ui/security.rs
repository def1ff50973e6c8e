//! Nothing of a key on screen or in what a screen reader is told, and hostile names on every page.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;
use labferry::engine::command::Command;
use labferry::model::report::Report;
use labferry::ui::desktop::{Picked, PretendDesktop};

use super::{Window, fixture, platforms};

const KEY: &str = "canary-key-4711";

/// Everything a screen reader could be told about anything in the window.
fn told(window: &Window) -> String {
    let mut told = String::new();
    for node in window.harness.root().children_recursive() {
        let node = node.accesskit_node();
        told += &format!(
            "{:?} {:?} {:?} {:?} {:?}\n",
            node.role(),
            node.label(),
            node.value(),
            node.description(),
            node.placeholder()
        );
        told += &format!("{:?}\n", node.data());
    }
    told
}

#[track_caller]
fn assert_untold(window: &Window) {
    let told = told(window);
    assert!(told.lines().count() > 10, "{told}");
    for part in ["canary", "key-4711"] {
        assert!(!told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_key_is_not_told_while_it_is_typed_nor_on_any_page_after() {
    for (platform, field) in [("Bridges", "Token"), ("Capsules", "Access token")] {
        let mut window = Window::new(platforms::four_platforms());
        window.go("Connections");
        window.press(platform);
        window.type_into("Label", "Ours");
        for piece in KEY.split_inclusive('-') {
            window.type_into(field, piece);
            assert_untold(&window);
        }
        window.press("Test connection");
        let taken = window.taken();
        assert!(matches!(
            taken.as_slice(),
            [] | [Command::TryConnection(..)]
        ));
        assert!(!format!("{taken:?}").contains("canary"));
        for key in [
            Key::Num2,
            Key::Num3,
            Key::Num5,
            Key::Num6,
            Key::Num1,
            Key::Num4,
        ] {
            window.harness.key_press_modifiers(Modifiers::COMMAND, key);
            window.harness.run();
            assert_untold(&window);
        }
        assert!(!format!("{:?}", window.harness.state().state()).contains("canary"));
    }
}

#[test]
fn a_key_typed_before_does_not_come_back_by_undoing() {
    let mut window = Window::new(platforms::four_platforms());
    window.go("Connections");
    window.press("Bridges");
    window.type_into("Label", "Ours");
    window.type_into("Token", KEY);
    window.press("Cancel");
    window.press("Bridges");
    window.type_into("Label", "Other");
    window.type_into("Token", "x");
    window
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.harness.run();
    window
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.harness.run();
    window.type_into("Project", "lab/shared");
    window.press("Save");
    for command in window.taken() {
        if let Command::SaveConnection(_, secrets) = command {
            let (_, secret) = &secrets[0];
            assert!(!secret.reveal().contains("canary"), "the old key came back");
        }
    }
}

#[test]
fn hostile_names_change_no_page() {
    let mut snapshot = fixture::with_jobs();
    let hostile = format!(
        "a\u{202e}gpj.exe\u{1b}[2J\nsecond line\r\u{0}\u{7f}{}",
        "x".repeat(10_000)
    );
    for view in &mut snapshot.jobs {
        let view = Arc::make_mut(view);
        Arc::make_mut(&mut view.job).name.clone_from(&hostile);
        Arc::make_mut(&mut view.job)
            .pipeline
            .name
            .clone_from(&hostile);
        for artifact in &mut view.artifacts {
            Arc::make_mut(artifact).output.name.clone_from(&hostile);
        }
    }
    for view in &mut snapshot.connections {
        let view = Arc::make_mut(view);
        view.connection
            .account
            .as_mut()
            .unwrap()
            .name
            .clone_from(&hostile);
    }
    let mut window = Window::new(snapshot);
    for key in [
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
    ] {
        window.harness.key_press_modifiers(Modifiers::COMMAND, key);
        window.harness.run();
        assert!(
            window.sees("Jobs") && window.sees("Settings"),
            "the rail stays in sight"
        );
    }
}

#[test]
fn a_report_is_read_before_it_is_saved() {
    let picked = Picked::Paths(vec![PathBuf::from("/home/someone/report.txt")]);
    let mut window = Window::with_desktop(fixture::connected(), PretendDesktop::new(picked));
    window.go("Settings");
    window.press("Make a report…");
    assert!(matches!(window.taken().as_slice(), [Command::MakeReport]));
    assert!(!window.sees("Save as…"), "nothing to save yet");
    let text = "Labferry report of a problem\nVersion 0.1.0".to_owned();
    window.publish(|snapshot| {
        snapshot.report = Some(Arc::new(Report {
            text: text.clone(),
            saved: None,
        }));
    });
    assert!(
        told(&window).contains("Version 0.1.0"),
        "it can be read, by a screen reader, too"
    );
    window.press("Save as…");
    window.harness.run();
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::SaveReport(path)] if path.ends_with("report.txt")),
        "{taken:?}"
    );
    assert_eq!(*window.desktop.asked.borrow(), ["pick Report"]);
    window.publish(|snapshot| {
        snapshot.report = Some(Arc::new(Report {
            text: text.clone(),
            saved: Some(Ok(PathBuf::from("/home/someone/report.txt"))),
        }));
    });
    assert!(window.sees("Saved as /home/someone/report.txt"));
    window.publish(|snapshot| {
        snapshot.report = Some(Arc::new(Report {
            text: text.clone(),
            saved: Some(Err("The drive is full".to_owned())),
        }));
    });
    assert!(window.sees("The drive is full"));
    window.press("Close the report");
    assert!(matches!(window.taken().as_slice(), [Command::CloseReport]));
}

#[test]
fn a_report_is_saved_without_a_picker() {
    let mut window = Window::new(fixture::connected());
    window.go("Settings");
    window.publish(|snapshot| {
        snapshot.report = Some(Arc::new(Report {
            text: "Version".to_owned(),
            saved: None,
        }));
    });
    window.press("Save as…");
    window.harness.run();
    window.type_into("Path of the report", "/tmp/report.txt");
    window.press("Save there");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::SaveReport(path)] if path == &PathBuf::from("/tmp/report.txt")
    ));
}
