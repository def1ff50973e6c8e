//! Jobs of four platforms: honest progress, ending for good, adopting what was made elsewhere.

use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use labferry::engine::command::Command;
use labferry::engine::snapshot::{Asked, Loadable};
use labferry::model::ids::{ConnectionId, JobId, PipelineId};
use labferry::model::job::Stage;
use labferry::model::notice::About;
use labferry::model::remote::{ListedJob, Page, Query};
use labferry::ui::outbox::Place;

use super::{Window, fixture, platforms};

fn jobs() -> Window {
    let mut window = Window::new(platforms::with_long_jobs());
    window.go("Jobs");
    window
}

#[test]
fn progress_is_what_the_platform_says() {
    let window = jobs();
    let value = |name: &str| {
        let node = window
            .harness
            .query_all_by_label_contains(name)
            .find(|node| node.accesskit_node().role() == Role::ProgressIndicator)
            .unwrap_or_else(|| panic!("no {name}"));
        node.accesskit_node().numeric_value()
    };
    assert_eq!(value("Progress of Reads B, 3 of 8 tasks"), Some(37.0));
    assert_eq!(
        value("Progress of Reads A, for "),
        None,
        "a phase has no percentage"
    );
}

#[test]
fn what_is_deleted_for_good_is_said_before_it_is_done() {
    let mut window = jobs();
    window.press("Reads A");
    assert!(window.sees("Running for "));
    window.press("Stop and delete");
    assert!(window.taken().is_empty(), "asks first");
    assert!(window.sees("Capsules stops this computation and deletes it"));
    assert!(window.sees("its log vanish"));
    window.press("Go on");
    assert!(!window.sees("vanish"));
    window.press("Stop and delete");
    window.press("Yes, stop and delete");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::CancelJob(JobId(6))]
    ));
    window.press("Reads B");
    window.press("Cancel job");
    assert!(window.sees("Bridges stops the job and keeps its record"));
    assert!(!window.sees("vanish"));
}

#[test]
fn a_job_says_what_it_was_given_as_its_form_does() {
    let mut window = jobs();
    window.press("Reads A");
    for words in [
        "Filter",
        "Shortest read",
        "Trim",
        "AGAT",
        "extra",
        "Reads of May",
        "7.0 MB",
    ] {
        assert!(window.sees(words), "{words}");
    }
    assert!(!window.sees("min_length"));
    assert!(window.sees("Already at Capsules: 1 data asset"));
    window.press("Reads B");
    assert!(window.sees("One task a file"));
    assert!(window.taken().is_empty());
}

#[test]
fn a_form_nobody_read_is_asked_for_once() {
    let mut snapshot = platforms::with_long_jobs();
    for view in &mut snapshot.connections {
        Arc::make_mut(view).forms.clear();
    }
    let mut window = Window::new(snapshot);
    window.go("Jobs");
    window.press("Reads A");
    window.harness.run();
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::ReadForm(ConnectionId(3), pipeline)]
            if *pipeline == PipelineId::from("read-quality")),
        "{taken:?}"
    );
    assert!(
        window.sees("min_length"),
        "meanwhile the platform's own name"
    );
}

#[test]
fn a_result_of_a_job_opens_from_its_details() {
    let mut window = jobs();
    window.press("Plate 7 nuclei");
    assert!(window.sees("1 file, unpacked"));
    window.press("objects.csv");
    assert!(matches!(
        window.taken().as_slice(),
        [Command::OpenPreview(path)] if path.ends_with("objects.csv")
    ));
    assert_eq!(window.harness.state().state().place, Place::Results);
}

/// Publishes one page of the jobs at a platform.
fn list(window: &mut Window, query: Query, jobs: &[ListedJob], next: Option<&str>) {
    window.publish(|snapshot| {
        Arc::make_mut(&mut snapshot.connections[2]).listed = Some(Asked {
            query,
            page: Loadable::Ready(Arc::new(Page {
                items: jobs.to_vec(),
                next: next.map(str::to_owned),
            })),
        });
    });
}

fn asked(window: &Window) -> Query {
    let taken = window.taken();
    let [Command::ListJobs(ConnectionId(3), query)] = taken.as_slice() else {
        panic!("{taken:?}");
    };
    query.clone()
}

#[test]
fn a_job_made_elsewhere_is_chosen_from_the_list() {
    let mut window = jobs();
    window.press("Adopt a job made elsewhere…");
    let query = asked(&window);
    assert_eq!(query, Query::default());
    assert!(window.sees("Asking Capsules"));
    let one = platforms::listed("remote-1", "By hand");
    let ours = platforms::listed("remote-4711", "Sent from here");
    list(
        &mut window,
        query,
        &[one.clone(), ours.clone()],
        Some("page 2"),
    );
    assert!(window.sees("Read quality · "));
    assert!(!window.is_enabled("Adopt"));
    window.press("More");
    let query = asked(&window);
    assert_eq!(query.cursor.as_deref(), Some("page 2"));
    list(
        &mut window,
        query,
        &[one.clone(), ours.clone()],
        Some("page 2"),
    );
    assert!(
        window.sees("Asking Capsules"),
        "the next page is on its way"
    );
    assert!(!window.is_enabled("More"));
    let three = platforms::listed("remote-3", "By hand, older");
    list(&mut window, Query::default(), &[one, ours, three], None);
    assert!(!window.is_enabled("More"));
    window.press("Sent from here");
    assert!(window.sees("already here"));
    assert!(!window.is_enabled("Adopt"));
    window.press("By hand, older");
    window.press("Adopt");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::AdoptJob(ConnectionId(3), id)] if id == "remote-3"),
        "{taken:?}"
    );
    assert!(window.sees("Looking for it at Capsules"));
    window.publish(|snapshot| {
        let mut adopted = fixture::job(99, 1, "By hand, older", Stage::Running);
        Arc::make_mut(&mut adopted.job).connection = ConnectionId(3);
        snapshot.jobs.push(Arc::new(adopted));
    });
    assert!(!window.sees("Looking for it"));
    assert!(window.sees("Close details"), "the adopted job is shown");
}

#[test]
fn the_list_is_narrowed_by_words() {
    let mut window = jobs();
    window.press("Adopt a job made elsewhere…");
    window.taken();
    window.type_into("Words of the job's name", "plate 7");
    window.press("Search");
    assert_eq!(asked(&window).words.as_deref(), Some("plate 7"));
}

#[test]
fn a_pasted_id_is_enough_on_every_platform() {
    let mut window = jobs();
    window.press("Adopt a job made elsewhere…");
    window.taken();
    window.press("Connection");
    window.press("Institute server");
    assert!(window.taken().is_empty(), "this one lists no jobs");
    assert!(!window.sees("Search"));
    let field = "The id of a submission, or the address of its page";
    window.type_into(field, " https://fold.example.org/jobs/12 ");
    window.press("Adopt");
    let taken = window.taken();
    assert!(
        matches!(taken.as_slice(), [Command::AdoptJob(ConnectionId(2), id)]
            if id == "https://fold.example.org/jobs/12"),
        "{taken:?}"
    );
    window.publish(|snapshot| {
        let mut notice = (*fixture::notice(50, About::Connection(ConnectionId(2)))).clone();
        notice.words.what = "Fold server knows no such submission.".to_owned();
        snapshot.notices.insert(0, Arc::new(notice));
    });
    assert!(
        window.sees("Adopt a job made elsewhere"),
        "the dialog stays"
    );
    assert!(!window.sees("Looking for it"));
    assert!(window.is_enabled("Adopt"), "it can be corrected");
    window.press("Close");
    assert!(!window.is_enabled("Adopt"));
}

#[test]
fn the_filter_knows_all_four_platforms() {
    let mut window = jobs();
    window.press("Platform");
    window.press("Bridges");
    assert!(window.sees("Reads B"));
    assert!(!window.sees("Reads A"));
}
