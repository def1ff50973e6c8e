//! What a person hears of a results folder that was held against its receipt.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::folder::{CheckProgress, FolderCheck, Unread};
use crate::model::notice::{About, Notice, Weight};
use crate::results::receipt::{Checked, Compared, Outcome};

fn whole(files: Vec<Checked>) -> Compared {
    Compared {
        files,
        unread: None,
    }
}

fn told(outcomes: &[(&str, Outcome)]) -> Notice {
    let mut bed = Bed::new();
    let files = outcomes
        .iter()
        .map(|(path, outcome)| Checked {
            path: (*path).to_owned(),
            outcome: *outcome,
        })
        .collect();
    let folder = PathBuf::from("/results/Plate 7");
    bed.happen(Event::FolderChecked(folder, Ok(whole(files))));
    assert_eq!(bed.world.notices.len(), 1);
    Notice::clone(bed.world.notices.values().next().unwrap())
}

fn lines(notice: &Notice) -> Vec<(&str, &str)> {
    let details = notice.details.iter();
    details.map(|(word, path)| (&**word, &**path)).collect()
}

#[test]
fn the_answer_is_kept_with_the_folder() {
    let mut bed = Bed::new();
    let folder = PathBuf::from("/results/Plate 7");
    bed.happen(Event::Command(Command::CheckFolder(folder.clone())));
    assert_eq!(
        bed.world.live.checks[&folder],
        FolderCheck::Checking(CheckProgress::default())
    );
    let files = [
        ("b", Outcome::Extra),
        ("a", Outcome::Same),
        ("c", Outcome::Missing),
    ]
    .map(|(path, outcome)| Checked {
        path: path.to_owned(),
        outcome,
    })
    .to_vec();
    bed.happen(Event::FolderChecked(folder.clone(), Ok(whole(files))));
    let FolderCheck::Answered(answer) = &bed.world.live.checks[&folder] else {
        panic!("no answer");
    };
    assert_eq!(answer.counts, [1, 0, 1, 1, 0]);
    let different = [(Outcome::Missing, "c"), (Outcome::Extra, "b")];
    assert_eq!(
        answer.different,
        different.map(|(outcome, path)| (outcome, path.to_owned()))
    );
    let error = Error::new(ErrorKind::LocalFile, Doing::Preview);
    bed.happen(Event::FolderChecked(folder.clone(), Err(error)));
    assert!(matches!(
        bed.world.live.checks[&folder],
        FolderCheck::Failed(_)
    ));
}

#[test]
fn a_folder_as_it_arrived_is_worth_a_note() {
    let notice = told(&[("a.csv", Outcome::Same), ("b.csv", Outcome::Same)]);
    assert_eq!(
        notice.words.what,
        "All 2 files of Plate 7 are the same as when they arrived."
    );
    assert_eq!(notice.weight, Weight::Note);
    assert_eq!(notice.about, About::App);
    assert!(notice.words.next.is_empty() && notice.details.is_empty());
}

#[test]
fn every_file_that_is_not_as_it_arrived_is_named() {
    let notice = told(&[("a.csv", Outcome::Same), ("b.csv", Outcome::Missing)]);
    assert_eq!(
        notice.words.what,
        "One of 2 files of Plate 7 is not as it arrived."
    );
    assert_eq!(notice.weight, Weight::Warning);
    assert_eq!(lines(&notice), [("missing", "b.csv")]);
    let notice = told(&[
        ("a.csv", Outcome::Changed),
        ("b.csv", Outcome::Same),
        ("c.csv", Outcome::Extra),
    ]);
    assert_eq!(
        notice.words.what,
        "2 of 3 files of Plate 7 are not as they arrived."
    );
    assert_eq!(notice.weight, Weight::Warning);
    assert_eq!(lines(&notice), [("changed", "a.csv"), ("extra", "c.csv")]);
}

#[test]
fn a_folder_that_cannot_be_checked_is_a_problem_and_has_a_name() {
    let mut bed = Bed::new();
    for (folder, name) in [("/results/Plate 7", "Plate 7"), ("/", "/")] {
        let path = PathBuf::from(folder);
        let effects = bed.happen(Event::Command(Command::CheckFolder(path.clone())));
        assert!(
            matches!(started(&effects).as_slice(), [Work::CheckFolder(wanted)] if *wanted == path)
        );
        let error = Error::new(ErrorKind::LocalFile, Doing::ReadFile);
        bed.happen(Event::FolderChecked(path, Err(error)));
        let (_, notice) = bed.world.notices.iter().next_back().unwrap();
        assert_eq!(notice.weight, Weight::Problem);
        assert!(notice.words.what.contains(name), "{:?}", notice.words);
    }
    assert_eq!(bed.world.notices.len(), 2);
}

#[test]
fn a_check_is_stopped_once_and_what_it_found_stays_without_a_notice() {
    let mut bed = Bed::new();
    let folder = PathBuf::from("/results/Plate 7");
    let stop = || Event::Command(Command::StopCheck(folder.clone()));
    assert!(bed.happen(stop()).is_empty(), "there is nothing to stop");
    bed.happen(Event::Command(Command::CheckFolder(folder.clone())));
    let effects = bed.happen(stop());
    let key = WorkKey::CheckFolder(folder.clone());
    assert!(matches!(effects.as_slice(), [Effect::Stop(stopped)] if *stopped == key));
    let unread = Some(Unread {
        files: 3,
        bytes: 7,
        looked_through: true,
    });
    let files = vec![Checked {
        path: "gone.csv".to_owned(),
        outcome: Outcome::Missing,
    }];
    bed.happen(Event::FolderChecked(
        folder.clone(),
        Ok(Compared { files, unread }),
    ));
    let FolderCheck::Answered(answer) = &bed.world.live.checks[&folder] else {
        panic!("no answer");
    };
    assert_eq!(answer.unread, unread);
    assert_eq!(answer.of(Outcome::Missing).len(), 1);
    assert!(bed.world.notices.is_empty());
}

#[test]
fn a_notice_names_some_files_and_counts_the_others() {
    let names: Vec<String> = (0..1_000).map(|at| format!("{at}.csv")).collect();
    let outcomes: Vec<(&str, Outcome)> = names
        .iter()
        .map(|name| (name.as_str(), Outcome::Missing))
        .collect();
    let notice = told(&outcomes);
    assert_eq!(notice.details.len(), 201);
    let last = lines(&notice)[200];
    assert_eq!(
        last,
        ("and", "800 more, on the page of the batch in Results")
    );
}
