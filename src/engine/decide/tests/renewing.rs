//! A key is replaced while the platform is still being asked with the former one.

use std::collections::BTreeMap;

use crate::engine::command::Command;
use crate::engine::decide::tests::connecting::{account, refused};
use crate::engine::decide::tests::{Bed, UPLOADS, started};
use crate::engine::event::{Effect, Event, WorkKey};
use crate::engine::snapshot::{CheckState, Loadable};
use crate::model::connection::{Account, Connection, ConnectionDraft, KeyState};
use crate::model::error::Result;
use crate::model::ids::{FileId, PipelineId};
use crate::model::provider::FanOut;
use crate::model::remote::Query;

/// The world in which much is asked over a connection, and then its key is saved anew.
fn renewed() -> Bed {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    for command in asks() {
        bed.happen(Event::Command(command));
    }
    bed.happen(Event::Command(Command::CheckConnection(UPLOADS)));
    for work in all() {
        assert!(bed.world.is_running(&work), "{work:?}");
    }
    let connection = Connection::clone(&bed.world.connections[&UPLOADS]);
    let draft = ConnectionDraft {
        provider: connection.provider.clone(),
        label: connection.label.clone(),
        entries: BTreeMap::new(),
    };
    let outcome = Ok((connection, KeyState::InKeyring));
    bed.happen(Event::ConnectionStored(draft, outcome));
    for command in asks() {
        bed.happen(Event::Command(command));
    }
    bed
}

fn asks() -> Vec<Command> {
    vec![
        Command::Browse(UPLOADS, Query::default()),
        Command::ListJobs(UPLOADS, Query::default()),
        Command::ReadForm(UPLOADS, pipeline()),
        Command::AdoptJob(UPLOADS, "r1".to_owned()),
    ]
}

fn pipeline() -> PipelineId {
    PipelineId::from("p")
}

fn all() -> [WorkKey; 6] {
    [
        WorkKey::Stage(UPLOADS, FileId(1)),
        WorkKey::Browse(UPLOADS),
        WorkKey::ListJobs(UPLOADS),
        WorkKey::ReadForm(UPLOADS, pipeline()),
        WorkKey::Recognize(UPLOADS),
        WorkKey::Ask(UPLOADS),
    ]
}

fn connected(bed: &mut Bed) -> Vec<Effect> {
    bed.end(&WorkKey::Connect(UPLOADS));
    bed.happen(Event::Connected(UPLOADS, KeyState::InKeyring, Ok(())))
}

fn asked(bed: &mut Bed, account: Result<Account>) -> Vec<Effect> {
    bed.end(&WorkKey::Ask(UPLOADS));
    bed.happen(Event::Asked(UPLOADS, account, None))
}

fn refusal(work: &WorkKey) -> Event {
    match work {
        WorkKey::Stage(id, file) => Event::Staged(*id, *file, Err(refused())),
        WorkKey::Browse(id) => Event::Browsed(*id, Query::default(), Err(refused())),
        WorkKey::ListJobs(id) => Event::JobsListed(*id, Query::default(), Err(refused())),
        WorkKey::ReadForm(id, pipeline) => Event::FormRead(*id, pipeline.clone(), Err(refused())),
        WorkKey::Recognize(id) => Event::Recognized(*id, "r1".to_owned(), Err(refused())),
        WorkKey::Ask(id) => Event::Asked(*id, Err(refused()), None),
        other => panic!("{other:?}"),
    }
}

fn begins(effects: &[Effect], work: &WorkKey) -> bool {
    let mut begun = started(effects).into_iter();
    begun.any(|begun| begun.key(0) == *work)
}

#[test]
fn what_is_refused_for_the_former_key_begins_anew_and_blocks_nothing() {
    for work in all() {
        let mut bed = renewed();
        connected(&mut bed);
        if work != WorkKey::Ask(UPLOADS) {
            // The answer to the former question is dropped, the second is the one that counts.
            asked(&mut bed, Ok(account()));
            asked(&mut bed, Ok(account()));
            assert_eq!(bed.world.link(UPLOADS).check, CheckState::Good);
        }
        bed.end(&work);
        let effects = bed.happen(refusal(&work));
        assert!(begins(&effects, &work), "{work:?}: {effects:?}");
        assert_eq!(bed.world.link(UPLOADS).blocked, None, "{work:?}");
        // What began with the new key is believed.
        bed.end(&work);
        bed.happen(refusal(&work));
        assert!(bed.world.link(UPLOADS).blocked.is_some(), "{work:?}");
    }
}

#[test]
fn whom_the_former_key_belonged_to_is_not_taken_for_the_owner_of_the_new_one() {
    let other = Account {
        name: "Somebody else".to_owned(),
        ..account()
    };
    for answer in [Ok(other), Err(refused())] {
        for answer_comes_first in [true, false] {
            let mut bed = renewed();
            if !answer_comes_first {
                assert!(
                    !begins(&connected(&mut bed), &WorkKey::Ask(UPLOADS)),
                    "one is under way"
                );
            }
            let effects = asked(&mut bed, answer.clone());
            let effects = if answer_comes_first {
                assert!(!begins(&effects, &WorkKey::Ask(UPLOADS)), "no client yet");
                connected(&mut bed)
            } else {
                effects
            };
            assert!(begins(&effects, &WorkKey::Ask(UPLOADS)));
            assert_eq!(bed.world.link(UPLOADS).check, CheckState::Checking);
            asked(&mut bed, Ok(account()));
            assert_eq!(bed.world.link(UPLOADS).check, CheckState::Good);
            assert_eq!(bed.world.connections[&UPLOADS].account, Some(account()));
        }
    }
}

#[test]
fn a_form_asked_for_with_the_former_key_still_counts_where_it_came() {
    let mut bed = renewed();
    connected(&mut bed);
    let work = WorkKey::ReadForm(UPLOADS, pipeline());
    bed.end(&work);
    bed.happen(Event::FormRead(
        UPLOADS,
        pipeline(),
        Ok(crate::model::form::Form::default()),
    ));
    let forms = &bed.world.link(UPLOADS).forms;
    assert!(matches!(forms[&pipeline()], Loadable::Ready(_)));
}
