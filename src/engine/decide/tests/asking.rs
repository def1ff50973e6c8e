//! What a platform is asked over a connection: who we are, what can be run, and with which settings.

use std::sync::Arc;

use crate::engine::command::Command;
use crate::engine::decide::tests::connecting::{account, asks, check, connects, fault, refused};
use crate::engine::decide::tests::{Bed, UPLOADS, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::snapshot::{CheckState, Loadable};
use crate::model::connection::{Account, KeyState};
use crate::model::error::Result;
use crate::model::form::Form;
use crate::model::ids::{FileId, PipelineId};
use crate::model::notice::{About, Action, Notice};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::StagedFile;
use crate::store::journal::Change;

fn asked(
    bed: &mut Bed,
    account: Result<Account>,
    pipelines: Option<Result<Vec<Pipeline>>>,
) -> Vec<Effect> {
    bed.end(&WorkKey::Ask(UPLOADS));
    bed.happen(Event::Asked(UPLOADS, account, pipelines))
}

#[test]
fn what_the_platform_says_of_us_is_kept_and_its_pipelines_are_shown() {
    let mut bed = Bed::new();
    bed.connect();
    check(&mut bed);
    let effects = asked(
        &mut bed,
        Ok(account()),
        Some(Ok(vec![Pipeline::typed("p")])),
    );
    assert!(effects.iter().any(
        |effect| matches!(effect, Effect::Write(Change::PutConnection(connection))
            if connection.account == Some(account()))
    ));
    let ready = Loadable::Ready(vec![Pipeline::typed("p")].into());
    assert_eq!(bed.world.link(UPLOADS).check, CheckState::Good);
    assert_eq!(bed.world.link(UPLOADS).pipelines, ready);
    // A later check keeps them on screen, also where it fails for a moment.
    check(&mut bed);
    assert_eq!(bed.world.link(UPLOADS).pipelines, ready);
    asked(&mut bed, Err(fault()), None);
    assert_eq!(bed.world.link(UPLOADS).pipelines, ready);
    assert!(matches!(bed.world.link(UPLOADS).check, CheckState::Bad(_)));
    check(&mut bed);
    asked(&mut bed, Ok(account()), None);
    assert_eq!(bed.world.link(UPLOADS).pipelines, ready);
    assert_eq!(bed.world.link(UPLOADS).check, CheckState::Good);
}

#[test]
fn only_a_refused_key_keeps_everything_else_from_going_on() {
    for (pipelines_only, error, blocks) in [
        (false, refused(), true),
        (false, fault(), false),
        (true, refused(), true),
        (true, fault(), false),
    ] {
        let mut bed = Bed::new();
        bed.connect();
        check(&mut bed);
        if pipelines_only {
            asked(&mut bed, Ok(account()), Some(Err(error)));
        } else {
            asked(&mut bed, Err(error), None);
        }
        let link = bed.world.link(UPLOADS).clone();
        assert_eq!(link.blocked.is_some(), blocks, "{link:?}");
        assert!(matches!(link.pipelines, Loadable::Failed(_)), "{link:?}");
        let told: Vec<_> = bed.world.notices.values().collect();
        assert_eq!(told.len(), usize::from(blocks), "{told:?}");
        for notice in told {
            assert_eq!(notice.about, About::Connection(UPLOADS));
            assert_eq!(notice.words.action, Some(Action::PasteKey));
        }
        // The next check tries anew.
        assert_eq!(asks(&check(&mut bed)), 1);
        assert!(bed.world.link(UPLOADS).blocked.is_none());
    }
}

fn read_form(bed: &mut Bed) -> Vec<Effect> {
    let wish = Command::ReadForm(UPLOADS, PipelineId::from("p"));
    bed.happen(Event::Command(wish))
}

fn forms(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::ReadForm(..)))
        .count()
}

fn form_read(bed: &mut Bed, outcome: Result<Form>) {
    let pipeline = PipelineId::from("p");
    bed.end(&WorkKey::ReadForm(UPLOADS, pipeline.clone()));
    bed.happen(Event::FormRead(UPLOADS, pipeline, outcome));
}

#[test]
fn a_form_is_read_once_and_again_only_where_it_failed() {
    let mut bed = Bed::new();
    bed.connect();
    let effects = read_form(&mut bed);
    assert_eq!((forms(&effects), connects(&effects)), (1, 0));
    assert_eq!(forms(&read_form(&mut bed)), 0);
    form_read(&mut bed, Err(fault()));
    let form = |bed: &mut Bed| bed.world.link(UPLOADS).forms[&PipelineId::from("p")].clone();
    assert!(matches!(form(&mut bed), Loadable::Failed(_)));
    assert!(bed.world.link(UPLOADS).blocked.is_none());
    assert_eq!(forms(&read_form(&mut bed)), 1);
    form_read(&mut bed, Ok(Form::default()));
    assert_eq!(form(&mut bed), Loadable::Ready(Form::default().into()));
    assert_eq!(forms(&read_form(&mut bed)), 0);
    assert_eq!(form(&mut bed), Loadable::Ready(Form::default().into()));
}

#[test]
fn a_form_that_is_refused_for_the_key_blocks_the_connection() {
    let mut bed = Bed::new();
    bed.connect();
    read_form(&mut bed);
    form_read(&mut bed, Err(refused()));
    let link = bed.world.link(UPLOADS);
    assert!(link.blocked.is_some());
    assert!(matches!(
        link.forms[&PipelineId::from("p")],
        Loadable::Failed(_)
    ));
}

#[test]
fn a_form_that_is_wished_for_before_there_is_a_client_comes_with_it() {
    let mut bed = Bed::new();
    let effects = read_form(&mut bed);
    assert_eq!((forms(&effects), connects(&effects)), (0, 1));
    bed.end(&WorkKey::Connect(UPLOADS));
    let effects = bed.happen(Event::Connected(UPLOADS, KeyState::InKeyring, Ok(())));
    assert_eq!(forms(&effects), 1);
}

#[test]
fn a_form_of_a_blocked_connection_is_not_waited_for() {
    let mut bed = Bed::new();
    let pipeline = Pipeline::typed("p").id;
    let no_key = || Event::Connected(UPLOADS, KeyState::Missing, Err(refused()));
    bed.end(&WorkKey::Connect(UPLOADS));
    bed.happen(no_key());
    bed.happen(Event::Command(Command::ReadForm(UPLOADS, pipeline.clone())));
    bed.end(&WorkKey::Connect(UPLOADS));
    bed.happen(no_key());
    let form = bed.world.link(UPLOADS).forms.get(&pipeline).cloned();
    assert!(matches!(form, Some(Loadable::Failed(_))), "{form:?}");
    let notices = bed.world.notices.values();
    let about = |notice: &&Arc<Notice>| notice.about == About::Connection(UPLOADS);
    assert_eq!(notices.filter(about).count(), 1, "it is said once");
}

#[test]
fn the_last_words_about_a_removed_connection_are_no_news() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    bed.happen(Event::Command(Command::RemoveConnection(UPLOADS)));
    bed.end(&WorkKey::Stage(UPLOADS, FileId(1)));
    bed.happen(Event::Staged(UPLOADS, FileId(1), Err(refused())));
    let pipeline = Pipeline::typed("p").id;
    bed.happen(Event::FormRead(UPLOADS, pipeline, Err(refused())));
    bed.happen(Event::Staged(UPLOADS, FileId(1), Ok(StagedFile::default())));
    assert!(bed.world.link(UPLOADS).blocked.is_none());
    assert!(bed.world.staged.is_empty());
    let notices = bed.world.notices.values();
    let about = |notice: &&Arc<Notice>| notice.about == About::Connection(UPLOADS);
    assert_eq!(notices.filter(about).count(), 0);
}
