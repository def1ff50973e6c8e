//! Lists at a platform page by page, jobs made elsewhere, and settings kept under names.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, UPLOADS, remote};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::snapshot::Loadable;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::form::Value;
use crate::model::ids::ProviderId;
use crate::model::job::Stage;
use crate::model::notice::Weight;
use crate::model::pipeline::Pipeline;
use crate::model::remote::{ListedJob, Page, Query, StagedFile};
use crate::model::settings::{AppSettings, SavedSettings};

fn query(words: &str, cursor: Option<&str>) -> Query {
    Query {
        folder: None,
        cursor: cursor.map(str::to_owned),
        words: (!words.is_empty()).then(|| words.to_owned()),
    }
}

fn page(names: &[&str], next: Option<&str>) -> Page<StagedFile> {
    Page {
        items: names
            .iter()
            .map(|name| StagedFile {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                ..StagedFile::default()
            })
            .collect(),
        next: next.map(str::to_owned),
    }
}

fn asked_for(effects: &[Effect]) -> Vec<Query> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start(Work::Browse(_, query)) => Some(query.clone()),
            _ => None,
        })
        .collect()
}

fn shown(bed: &mut Bed) -> (Vec<String>, Option<String>) {
    let asked = bed.world.link(UPLOADS).browsed.clone().unwrap();
    let Loadable::Ready(page) = asked.page else {
        panic!("{asked:?}");
    };
    let names = page.items.iter().map(|item| item.name.clone()).collect();
    (names, page.next.clone())
}

fn answer(bed: &mut Bed, query: Query, outcome: Result<Page<StagedFile>, Error>) -> Vec<Effect> {
    bed.end(&WorkKey::Browse(UPLOADS));
    bed.happen(Event::Browsed(UPLOADS, query, outcome))
}

fn browse(bed: &mut Bed, query: Query) -> Vec<Query> {
    let effects = bed.happen(Event::Command(Command::Browse(UPLOADS, query)));
    asked_for(&effects)
}

#[test]
fn pages_are_appended_and_another_question_begins_anew() {
    let mut bed = Bed::new();
    bed.connect();
    let first = query("", None);
    assert_eq!(
        browse(&mut bed, first.clone()),
        std::slice::from_ref(&first)
    );
    answer(&mut bed, first, Ok(page(&["a", "b"], Some("2"))));
    assert_eq!(
        shown(&mut bed),
        (vec!["a".to_owned(), "b".to_owned()], Some("2".to_owned()))
    );
    // The next page, wished for twice, is asked for once.
    let second = query("", Some("2"));
    assert_eq!(
        browse(&mut bed, second.clone()),
        std::slice::from_ref(&second)
    );
    assert!(browse(&mut bed, second.clone()).is_empty());
    assert_eq!(shown(&mut bed).0.len(), 2, "what came before stays");
    answer(&mut bed, second, Ok(page(&["c"], None)));
    assert_eq!(shown(&mut bed).0, ["a", "b", "c"]);
    // Another question while one is on its way: the late answer is dropped, the new one asked.
    let (one, other) = (query("x", None), query("xy", None));
    assert_eq!(browse(&mut bed, one.clone()), std::slice::from_ref(&one));
    assert!(browse(&mut bed, other.clone()).is_empty());
    let effects = answer(&mut bed, one, Ok(page(&["late"], None)));
    assert_eq!(asked_for(&effects), std::slice::from_ref(&other));
    answer(&mut bed, other, Ok(page(&["new"], None)));
    assert_eq!(shown(&mut bed).0, ["new"]);
}

#[test]
fn a_page_that_does_not_come_leaves_the_others_and_can_be_asked_for_again() {
    let mut bed = Bed::new();
    bed.connect();
    let fault = || Error::new(ErrorKind::ServerFault, Doing::Browse).status(500);
    let first = query("", None);
    browse(&mut bed, first.clone());
    answer(&mut bed, first.clone(), Err(fault()));
    let asked = bed.world.link(UPLOADS).browsed.clone().unwrap();
    assert!(matches!(asked.page, Loadable::Failed(_)), "{asked:?}");
    browse(&mut bed, first.clone());
    answer(&mut bed, first, Ok(page(&["a"], Some("2"))));
    let second = query("", Some("2"));
    browse(&mut bed, second.clone());
    let before = bed.world.notices.len();
    answer(&mut bed, second.clone(), Err(fault()));
    assert_eq!(bed.world.notices.len(), before + 1);
    assert_eq!(shown(&mut bed).0, ["a"]);
    assert_eq!(browse(&mut bed, second.clone()), [second]);
}

#[test]
fn a_blocked_connection_answers_at_once() {
    let mut bed = Bed::new();
    bed.connect();
    let first = query("", None);
    browse(&mut bed, first.clone());
    let refused = Error::new(ErrorKind::Unauthenticated, Doing::Browse).status(401);
    answer(&mut bed, first.clone(), Err(refused));
    assert!(browse(&mut bed, first).is_empty());
    let asked = bed.world.link(UPLOADS).browsed.clone().unwrap();
    assert!(matches!(asked.page, Loadable::Failed(_)), "{asked:?}");
}

pub(super) fn listed(id: &str) -> ListedJob {
    ListedJob {
        remote: remote(id),
        name: format!("Run {id}"),
        pipeline: Pipeline::typed("p"),
        created: None,
        word: "done".to_owned(),
    }
}

fn adopt(bed: &mut Bed, text: &str) -> Vec<Effect> {
    bed.happen(Event::Command(Command::AdoptJob(UPLOADS, text.to_owned())));
    bed.end(&WorkKey::Recognize(UPLOADS));
    bed.happen(Event::Recognized(
        UPLOADS,
        text.to_owned(),
        Ok(listed("r7")),
    ))
}

#[test]
fn a_job_made_elsewhere_is_watched_in_a_batch_of_its_own() {
    let mut bed = Bed::new();
    bed.connect();
    let effects = adopt(&mut bed, "https://platform.example.org/jobs/r7");
    let prepared = effects.iter().any(|effect| {
        matches!(effect, Effect::Start(Work::PrepareAdoption { folder, .. })
            if folder.ends_with("Adopted Run r7"))
    });
    assert!(prepared, "{effects:?}");
    let folder = PathBuf::from("/results/Adopted Run r7");
    let effects = bed.happen(Event::AdoptionPrepared(
        UPLOADS,
        Box::new(listed("r7")),
        Ok(folder),
    ));
    let job = bed.world.jobs.values().next().unwrap();
    assert_eq!(job.stage, Stage::Queued);
    assert!(job.made_elsewhere());
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Start(Work::Poll(..)))),
        "{effects:?}"
    );
    // A second time it is said that it is there.
    let effects = adopt(&mut bed, "r7");
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Start(Work::PrepareAdoption { .. })))
    );
    assert_eq!(bed.world.jobs.len(), 1);
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(notice.weight, Weight::Note);
    assert!(notice.words.what.contains("in your list already"));
    // It comes back with the journal.
    bed.restart();
    assert_eq!(bed.world.jobs.len(), 1);
}

#[test]
fn what_cannot_be_adopted_is_said() {
    let mut bed = Bed::new();
    bed.connect();
    bed.happen(Event::Command(Command::AdoptJob(
        UPLOADS,
        " nonsense ".to_owned(),
    )));
    bed.end(&WorkKey::Recognize(UPLOADS));
    let unknown = Error::new(ErrorKind::NotFound, Doing::ListJobs).status(404);
    bed.happen(Event::Recognized(
        UPLOADS,
        "nonsense".to_owned(),
        Err(unknown),
    ));
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(
        notice.words.what,
        "Platform knows no job “nonsense” with the key for “uploads”."
    );
    assert!(bed.world.link(UPLOADS).adopting.is_empty());
}

#[test]
fn settings_are_kept_under_names_whatever_the_window_saves() {
    let mut bed = Bed::new();
    let saved = |name: &str, text: &str| SavedSettings {
        provider: ProviderId::from("uploads"),
        pipeline: Pipeline::typed("p").id,
        name: name.to_owned(),
        settings: [("a".to_owned(), Value::Text(text.to_owned()))].into(),
    };
    for (name, text) in [("fine", "1"), (" fine ", "2"), ("coarse", "9"), (" ", "3")] {
        let command = Command::SaveNamedSettings(saved(name, text));
        bed.happen(Event::Command(command));
    }
    // The window's own copy of the settings may be older.
    let older = AppSettings {
        text_percent: 120,
        download_bytes_per_second: Some(2_000_000),
        ..AppSettings::default()
    };
    let effects = bed.happen(Event::Command(Command::SaveSettings(older)));
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::LimitSpeed {
            up: None,
            down: Some(2_000_000)
        }
    )));
    bed.restart();
    assert_eq!(bed.world.settings.text_percent, 120);
    let known = [saved("fine", "2"), saved("coarse", "9")];
    assert_eq!(bed.world.settings.saved, known);
    bed.happen(Event::Command(Command::RemoveNamedSettings {
        provider: ProviderId::from("uploads"),
        pipeline: Pipeline::typed("p").id,
        name: "fine".to_owned(),
    }));
    assert_eq!(bed.world.settings.saved, [saved("coarse", "9")]);
}
