//! Taking over jobs made elsewhere, and lists that come too late or to nobody.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::last_words;
use crate::engine::decide::tests::listing::listed;
use crate::engine::decide::tests::{Bed, CARRIES, UPLOADS, remote, started, submitting};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::snapshot::Loadable;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ConnectionId, JobId, PipelineId};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::model::remote::{ListedJob, Page, Query};
use crate::model::settings::AppSettings;

fn wish(bed: &mut Bed, text: &str) -> Vec<Effect> {
    let text = text.to_owned();
    bed.happen(Event::Command(Command::AdoptJob(UPLOADS, text)))
}

fn recognized(bed: &mut Bed, text: &str, outcome: Result<ListedJob>) -> Vec<Effect> {
    bed.end(&WorkKey::Recognize(UPLOADS));
    bed.happen(Event::Recognized(UPLOADS, text.to_owned(), outcome))
}

fn looks(effects: &[Effect]) -> Vec<&str> {
    started(effects)
        .into_iter()
        .filter_map(|work| match work {
            Work::Recognize(_, text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthenticated, Doing::ListJobs).status(401)
}

#[test]
fn what_was_pasted_is_cleaned_and_looked_for_once_one_after_the_other() {
    let mut bed = Bed::new();
    bed.connect();
    assert_eq!(looks(&wish(&mut bed, " \"r1\" ")), ["r1"]);
    assert!(wish(&mut bed, "<r1>").is_empty());
    assert!(wish(&mut bed, "r2").is_empty());
    assert!(wish(&mut bed, " '' ").is_empty());
    assert_eq!(bed.world.link(UPLOADS).adopting, ["r1", "r2"]);
    let unknown = Error::new(ErrorKind::NotFound, Doing::ListJobs).status(404);
    assert_eq!(looks(&recognized(&mut bed, "r1", Err(unknown))), ["r2"]);
    assert!(bed.world.link(UPLOADS).blocked.is_none());
}

#[test]
fn over_a_connection_that_waits_for_a_key_nothing_is_looked_for() {
    let mut bed = Bed::new();
    bed.connect();
    wish(&mut bed, "r1");
    wish(&mut bed, "r2");
    let effects = recognized(&mut bed, "r1", Err(refused()));
    assert!(looks(&effects).is_empty(), "{effects:?}");
    assert!(bed.world.link(UPLOADS).blocked.is_some());
    assert_eq!(bed.world.notices.len(), 1);
    assert!(looks(&wish(&mut bed, "r3")).is_empty());
    assert!(bed.world.link(UPLOADS).adopting.is_empty());
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(notice.about, About::Connection(UPLOADS));
    assert_eq!(notice.weight, Weight::Problem);
    assert_eq!(bed.world.notices.len(), 2);
}

#[test]
fn an_adopted_job_gets_its_folder_where_results_go() {
    let mut bed = Bed::new();
    bed.connect();
    let place = |bed: &mut Bed, text: &str| {
        wish(bed, text);
        let effects = recognized(bed, text, Ok(listed(text)));
        let places = started(&effects).into_iter().find_map(|work| match work {
            Work::PrepareAdoption { results_folder, .. } => Some(results_folder.clone()),
            _ => None,
        });
        places.unwrap()
    };
    assert_eq!(place(&mut bed, "r1"), PathBuf::from("/results"));
    bed.happen(Event::Command(Command::SaveSettings(AppSettings {
        results_folder: Some(PathBuf::from("/mine")),
        ..AppSettings::default()
    })));
    assert_eq!(place(&mut bed, "r2"), PathBuf::from("/mine"));
}

#[test]
fn a_folder_that_cannot_be_made_adopts_nothing() {
    let mut bed = Bed::new();
    bed.connect();
    let full = Error::new(ErrorKind::DiskFull, Doing::ListJobs);
    let event = Event::AdoptionPrepared(UPLOADS, Box::new(listed("r7")), Err(full));
    bed.happen(event);
    assert!(bed.world.jobs.is_empty() && bed.world.batches.is_empty());
    assert_eq!(bed.world.notices.len(), 1);
}

/// The same identifier over another connection is another job; ours is known also while its folder is being made.
#[test]
fn a_job_is_known_by_its_connection_and_its_number() {
    let (mut bed, job) = submitting(CARRIES);
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r7"))));
    let prepared = |connection| {
        let folder = PathBuf::from("/results/Adopted");
        Event::AdoptionPrepared(connection, Box::new(listed("r7")), Ok(folder))
    };
    bed.happen(prepared(CARRIES));
    assert_eq!(bed.world.jobs.len(), 1);
    assert_eq!(last_words(&bed), "“Run r7” is in your list already.");
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(
        notice.words.did,
        "It is 0.tif - p of Plate 7; nothing was added."
    );
    bed.happen(prepared(UPLOADS));
    assert_eq!(bed.world.jobs.len(), 2);
    assert_eq!(bed.stage(JobId(2)), Stage::Queued);
}

fn page(names: &[&str], next: Option<&str>) -> Page<ListedJob> {
    Page {
        items: names.iter().map(|name| listed(name)).collect(),
        next: next.map(str::to_owned),
    }
}

fn jobs_listed(bed: &mut Bed, query: Query, outcome: Result<Page<ListedJob>>) {
    bed.end(&WorkKey::ListJobs(UPLOADS));
    bed.happen(Event::JobsListed(UPLOADS, query, outcome));
}

#[test]
fn jobs_at_the_platform_are_listed_page_by_page() {
    let mut bed = Bed::new();
    bed.connect();
    let list = |bed: &mut Bed, query: Query| {
        let effects = bed.happen(Event::Command(Command::ListJobs(UPLOADS, query)));
        let wanted = started(&effects).into_iter().find_map(|work| match work {
            Work::ListJobs(_, query) => Some(query.clone()),
            _ => None,
        });
        wanted.unwrap()
    };
    let shown = |bed: &mut Bed| {
        let asked = bed.world.link(UPLOADS).listed.clone().unwrap();
        let Loadable::Ready(page) = asked.page else {
            panic!("{asked:?}");
        };
        let ids: Vec<_> = page.items.iter().map(|one| one.remote.id.clone()).collect();
        (ids, page.next.clone())
    };
    let first = list(&mut bed, Query::default());
    jobs_listed(&mut bed, first, Ok(page(&["a"], Some("2"))));
    let next = Query {
        cursor: Some("2".to_owned()),
        ..Query::default()
    };
    let second = list(&mut bed, next.clone());
    assert_eq!(second, next);
    // A platform whose pages never end is read no further.
    jobs_listed(&mut bed, second, Ok(page(&["b"], Some("2"))));
    assert_eq!(
        shown(&mut bed),
        (vec!["a".to_owned(), "b".to_owned()], None)
    );
    // The cursor of one list says nothing in another.
    for other in [
        Query {
            words: Some("x".to_owned()),
            ..next.clone()
        },
        Query {
            folder: Some("x".to_owned()),
            ..next
        },
    ] {
        let first = list(&mut bed, Query::default());
        jobs_listed(&mut bed, first, Ok(page(&["a"], Some("2"))));
        let begun = list(&mut bed, other);
        assert_eq!(begun.cursor, None);
        jobs_listed(&mut bed, begun, Ok(page(&[], None)));
        assert!(shown(&mut bed).0.is_empty());
    }
}

#[test]
fn a_list_that_is_refused_for_the_key_blocks_and_is_said_once() {
    for cursor in [None, Some("2".to_owned())] {
        let mut bed = Bed::new();
        bed.connect();
        let first = Query::default();
        bed.happen(Event::Command(Command::ListJobs(UPLOADS, first.clone())));
        let mut query = first.clone();
        if cursor.is_some() {
            jobs_listed(&mut bed, first, Ok(page(&["a"], Some("2"))));
            query.cursor = cursor;
            bed.happen(Event::Command(Command::ListJobs(UPLOADS, query.clone())));
        }
        jobs_listed(&mut bed, query, Err(refused()));
        assert!(bed.world.link(UPLOADS).blocked.is_some());
        assert_eq!(bed.world.notices.len(), 1);
    }
}

/// What waits for its answer when another piece of work is refused is answered with the same reason.
#[test]
fn everything_that_was_asked_for_is_answered_when_the_key_is_refused() {
    let mut bed = Bed::new();
    bed.connect();
    let pipeline = PipelineId::from("p");
    for command in [
        Command::Browse(UPLOADS, Query::default()),
        Command::ListJobs(UPLOADS, Query::default()),
        Command::ReadForm(UPLOADS, pipeline.clone()),
    ] {
        bed.happen(Event::Command(command));
    }
    let ready = PipelineId::from("q");
    let form = Loadable::Ready(crate::model::form::Form::default().into());
    let link = bed.world.link(UPLOADS);
    link.forms.insert(ready.clone(), form.clone());
    wish(&mut bed, "r1");
    recognized(&mut bed, "r1", Err(refused()));
    let link = bed.world.link(UPLOADS).clone();
    assert!(matches!(link.browsed.unwrap().page, Loadable::Failed(_)));
    assert!(matches!(link.listed.unwrap().page, Loadable::Failed(_)));
    assert!(matches!(link.forms[&pipeline], Loadable::Failed(_)));
    assert_eq!(link.forms[&ready], form);
}

#[test]
fn nothing_is_listed_or_adopted_over_a_connection_that_is_not_there() {
    let mut bed = Bed::new();
    let gone = ConnectionId(99);
    for command in [
        Command::Browse(gone, Query::default()),
        Command::ListJobs(gone, Query::default()),
        Command::AdoptJob(gone, "r1".to_owned()),
    ] {
        bed.happen(Event::Command(command));
    }
    for event in [
        Event::JobsListed(gone, Query::default(), Err(refused())),
        Event::Recognized(gone, "r1".to_owned(), Err(refused())),
        Event::AdoptionPrepared(gone, Box::new(listed("r1")), Ok(PathBuf::from("/r"))),
    ] {
        bed.happen(event);
    }
    assert!(bed.world.jobs.is_empty() && bed.world.notices.is_empty());
    assert!(!bed.world.live.links.contains_key(&gone));
}
