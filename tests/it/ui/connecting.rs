//! The form of a connection: choices, optional parts, places, keys out of another program's file.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use labferry::engine::command::Command;
use labferry::engine::snapshot::{Loadable, Profiles, Trial};
use labferry::model::connection::Account;
use labferry::model::provider::Budget;

use super::platforms::{self, BRIDGES};
use super::{Window, fixture};

/// Chooses from a drop-down. It stays open when no pointer clicked, so it is opened only when it is not.
fn choose(window: &mut Window, list: &str, entry: &str) {
    if !window.sees(entry) {
        window.press(list);
    }
    window.press(entry);
}

fn form_of(platform: &str) -> Window {
    let mut window = Window::new(platforms::four_platforms());
    window.go("Connections");
    window.press(platform);
    window.type_into("Label", "Ours");
    window
}

#[test]
fn a_site_is_chosen_or_typed() {
    let mut window = form_of("Bridges");
    window.type_into("Token", "canary-key-4711");
    choose(&mut window, "Site", "Second site");
    window.press("Test connection");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::TryConnection(draft, secrets)]
            if draft.entries["url"] == "https://second.example.org/v2/" && secrets.len() == 1),
        "{taken:?}"
    );
    choose(&mut window, "Site", "Another address…");
    window.press("Test connection");
    assert!(window.sees("Site is needed"));
    assert!(window.taken().is_empty());
    window.type_into("Site by hand", "third.example.org/v2");
    assert!(window.sees("Used as https://third.example.org/v2/"));
    window.press("Test connection");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::TryConnection(draft, _)]
            if draft.entries["url"] == "https://third.example.org/v2/"),
        "{taken:?}"
    );
}

#[test]
fn a_place_is_typed_before_the_test_and_chosen_after_it() {
    let mut window = form_of("Bridges");
    window.type_into("Token", "canary-key-4711");
    window.press("Save");
    assert!(window.sees("Project is needed"));
    assert!(window.taken().is_empty());
    window.type_into("Project", "x");
    window.press("Test connection");
    window.taken();
    window.publish(|snapshot| {
        snapshot.trial = Some(Trial::Good(Account {
            name: "someone".to_owned(),
            checked: fixture::at(0),
            places: platforms::places(),
        }));
    });
    choose(
        &mut window,
        "Project",
        "Shared (lab/shared) – You may not run tasks in this project",
    );
    assert!(
        window.sees("You may not run tasks in this project"),
        "what it lacks stays beside it"
    );
    assert!(
        window.sees("It works: you are someone"),
        "choosing does not undo the test"
    );
    choose(&mut window, "Project", "Plate 7 (someone/plate-7)");
    window.press("Save");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::SaveConnection(draft, _)]
            if draft.entries["project"] == "someone/plate-7"),
        "{taken:?}"
    );
}

#[test]
fn another_key_may_see_other_places() {
    let mut window = form_of("Bridges");
    window.type_into("Token", "canary-key-4711");
    window.press("Test connection");
    window.publish(|snapshot| {
        snapshot.trial = Some(Trial::Good(Account {
            name: "someone".to_owned(),
            checked: fixture::at(0),
            places: platforms::places(),
        }));
    });
    choose(&mut window, "Project", "Another one…");
    window.type_into("Project by hand", "somebody/else");
    window.type_into("Token", "7");
    assert!(!window.sees("It works"));
    window.type_into("Project", "-project");
    window.press("Save");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [.., Command::SaveConnection(draft, _)]
            if draft.entries["project"].contains("somebody/else")),
        "{taken:?}"
    );
}

#[test]
fn an_optional_part_is_whole_or_empty() {
    let mut window = form_of("Capsules");
    window.type_into("Domain", "acme.example.org");
    window.type_into("Access token", "canary-key-4711");
    assert!(!window.sees("Secret access key"), "the part is folded");
    window.press("Staging bucket (optional)");
    assert!(window.sees("files of this computer cannot get to Capsules"));
    window.type_into("Bucket", "plate-bucket");
    window.type_into("Access key id", "canary-access");
    window.press("Save");
    assert!(window.taken().is_empty());
    assert!(window.sees("Secret access key is needed for the staging bucket"));
    assert!(!window.sees("Endpoint is needed"));
    assert!(
        !window.sees("Region is needed"),
        "it was filled in at first"
    );
    window.type_into("Secret access key", "canary-secret");
    window.press("Save");
    let taken = window.taken();
    let [Command::SaveConnection(draft, secrets)] = taken.as_slice() else {
        panic!("{taken:?}");
    };
    assert_eq!(draft.entries["bucket"], "plate-bucket");
    let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["key", "access_key", "secret_key"]);
    assert!(!format!("{taken:?}").contains("canary"));
}

#[test]
fn an_optional_part_can_be_left_out_again() {
    let mut window = form_of("Capsules");
    window.type_into("Domain", "acme.example.org");
    window.type_into("Access token", "canary-key-4711");
    window.press("Staging bucket (optional)");
    window.type_into("Bucket", "plate-bucket");
    window.press("Leave the staging bucket out");
    window.press("Save");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::SaveConnection(draft, secrets)]
            if !draft.entries.contains_key("bucket") && secrets.len() == 1),
        "{taken:?}"
    );
}

#[test]
fn a_key_is_taken_from_another_programs_file_without_being_seen() {
    let mut window = Window::new(platforms::four_platforms());
    window.go("Connections");
    window.press("Bridges");
    window.press("Import from the Bridges credentials file…");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::ReadProfiles(provider)] if *provider == BRIDGES.id
    ));
    assert!(window.sees("Reading ~/.bridges/credentials"));
    window.publish(|snapshot| {
        let names = [
            ("default", "https://first.example.org/v2"),
            ("second", "https://second.example.org/v2/"),
        ]
        .map(|(name, address)| (name.to_owned(), address.to_owned()));
        snapshot.profiles = Some(Profiles {
            provider: BRIDGES.id.clone(),
            names: Loadable::Ready(Arc::new(names.to_vec())),
        });
    });
    assert!(window.sees("First site"));
    window.press("second");
    assert!(window.sees("from the Bridges credentials file, entry second"));
    assert!(!window.sees("Token"), "nobody has to type it");
    window.press("Test connection");
    window.publish(|snapshot| {
        snapshot.trial = Some(Trial::Good(Account {
            name: "someone".to_owned(),
            checked: fixture::at(0),
            places: platforms::places(),
        }));
    });
    choose(&mut window, "Project", "Plate 7 (someone/plate-7)");
    window.press("Save");
    let taken = window.taken();
    let [
        Command::TryProfile { .. },
        Command::ImportProfile { draft, profile },
    ] = taken.as_slice()
    else {
        panic!("{taken:?}");
    };
    assert_eq!(profile, "second");
    assert_eq!(draft.label, "Second site (second)");
    assert_eq!(draft.entries["project"], "someone/plate-7");
}

#[test]
fn a_card_says_where_and_as_whom_and_what_is_left() {
    let mut snapshot = platforms::four_connected();
    let renewed = Timestamp::now() + SignedDuration::from_mins(4);
    Arc::make_mut(&mut snapshot.connections[3]).budget = Some(Budget {
        limit: 1_000,
        left: 812,
        renewed,
    });
    let mut window = Window::new(snapshot);
    assert!(
        window.sees("812 of 1,000 requests left, renewed "),
        "on every page, at the bottom"
    );
    window.go("Connections");
    for words in [
        "plate-bucket",
        "us-east-1",
        "Second site, https://second.example.org/v2/",
        "Shared (lab/shared)",
        "You may not run tasks in this project",
    ] {
        assert!(window.sees(words), "{words}");
    }
    window.publish(|snapshot| {
        for view in &mut snapshot.connections {
            Arc::make_mut(view).budget = None;
        }
    });
    assert!(!window.sees("requests left"), "nothing when unknown");
}

#[test]
fn the_tightest_budget_stands_at_the_bottom() {
    let mut snapshot = platforms::four_connected();
    let renewed = Timestamp::now() + SignedDuration::from_mins(4);
    for (at, left) in [(1, 900), (2, 40), (3, 500)] {
        Arc::make_mut(&mut snapshot.connections[at]).budget = Some(Budget {
            limit: 1_000,
            left,
            renewed,
        });
    }
    let mut window = Window::new(snapshot);
    assert!(window.sees("40 of 1,000 requests left"));
    assert!(!window.sees("500 of 1,000"), "that one is in the tooltip");
    window.publish(|snapshot| {
        let passed = Budget {
            limit: 1_000,
            left: 40,
            renewed: Timestamp::now() - SignedDuration::from_secs(1),
        };
        Arc::make_mut(&mut snapshot.connections[2]).budget = Some(passed);
    });
    assert!(!window.sees("40 of 1,000"), "nobody knows after the window");
    assert!(window.sees("500 of 1,000"));
}
