//! Connections from being filled in to being removed: what is tried, asked and said.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::command::Command;
use crate::engine::decide::tests::{Bed, CARRIES, UPLOADS, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::engine::snapshot::{KeyringState, Loadable, Trial};
use crate::model::connection::{Account, ConnectionDraft, KeyState};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ConnectionId, PipelineId, ProviderId};
use crate::model::notice::Words;
use crate::model::provider::FanOut;
use crate::model::secret::Secret;

const GONE: ConnectionId = ConnectionId(99);

pub(super) fn account() -> Account {
    Account {
        name: "someone@example.org".to_owned(),
        checked: Timestamp::UNIX_EPOCH,
        places: Vec::new(),
    }
}

fn filled() -> ConnectionDraft {
    ConnectionDraft {
        provider: ProviderId::from("uploads"),
        label: "Imaging".to_owned(),
        entries: BTreeMap::new(),
    }
}

pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Unauthenticated, Doing::CheckKey).status(401)
}

pub(super) fn fault() -> Error {
    Error::new(ErrorKind::ServerFault, Doing::CheckKey).status(500)
}

pub(super) fn check(bed: &mut Bed) -> Vec<Effect> {
    bed.happen(Event::Command(Command::CheckConnection(UPLOADS)))
}

pub(super) fn asks(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works.filter(|work| matches!(work, Work::Ask(_))).count()
}

pub(super) fn connects(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::Connect(_)))
        .count()
}

#[test]
fn names_in_another_programs_file_are_read_and_shown_or_it_is_said_why_not() {
    let mut bed = Bed::new();
    let provider = ProviderId::from("uploads");
    let effects = bed.happen(Event::Command(Command::ReadProfiles(provider.clone())));
    assert!(
        matches!(started(&effects).as_slice(), [Work::ReadProfiles(id)] if *id == provider),
        "{effects:?}"
    );
    let names = |bed: &Bed| {
        let profiles = bed.world.live.profiles.clone().unwrap();
        assert_eq!(profiles.provider, ProviderId::from("uploads"));
        profiles.names
    };
    assert_eq!(names(&bed), Loadable::Loading);
    let found = vec![("default".to_owned(), "https://a.example.org/".to_owned())];
    bed.end(&WorkKey::ReadProfiles(provider.clone()));
    bed.happen(Event::ProfilesRead(provider.clone(), Ok(found.clone())));
    assert_eq!(names(&bed), Loadable::Ready(found.into()));
    let words = Words {
        what: "There is no such file.".to_owned(),
        ..Words::default()
    };
    bed.happen(Event::ProfilesRead(provider, Err(words.clone())));
    assert_eq!(names(&bed), Loadable::Failed(words));
}

#[test]
fn a_trial_says_how_it_went_and_saves_nothing() {
    let mut bed = Bed::new();
    let secrets = vec![("key".to_owned(), Secret::parse_key("k").unwrap())];
    let written = bed.written.len();
    let effects = bed.happen(Event::Command(Command::TryConnection(filled(), secrets)));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Try { draft, secrets, profile: None }]
            if *draft == filled() && secrets.len() == 1),
        "{effects:?}"
    );
    assert_eq!(bed.world.live.trial, Some(Trial::Checking));
    bed.end(&WorkKey::Try);
    bed.happen(Event::Tried(Ok(account())));
    assert_eq!(bed.world.live.trial, Some(Trial::Good(account())));
    let effects = bed.happen(Event::Command(Command::TryProfile {
        draft: filled(),
        profile: "default".to_owned(),
    }));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Try { secrets, profile: Some(name), .. }]
            if secrets.is_empty() && name == "default"),
        "{effects:?}"
    );
    assert_eq!(bed.world.live.trial, Some(Trial::Checking));
    bed.end(&WorkKey::Try);
    bed.happen(Event::Tried(Err(refused())));
    let Some(Trial::Bad(words)) = &bed.world.live.trial else {
        panic!("{:?}", bed.world.live.trial);
    };
    assert!(words.what.contains("this connection"), "{words:?}");
    assert_eq!(bed.written.len(), written);
}

#[test]
fn a_client_asks_who_we_are_only_where_that_was_wished_for() {
    let mut bed = Bed::new();
    let effects = bed.connect();
    assert_eq!(asks(&effects), 0);
    assert_eq!(bed.world.link(UPLOADS).pipelines, Loadable::NotAsked);
    let effects = check(&mut bed);
    assert_eq!((asks(&effects), connects(&effects)), (1, 0));
    assert_eq!(bed.world.link(UPLOADS).pipelines, Loadable::Loading);
    // Without a client one is made first.
    let mut bed = Bed::new();
    let effects = check(&mut bed);
    assert_eq!((asks(&effects), connects(&effects)), (0, 1));
    bed.end(&WorkKey::Connect(UPLOADS));
    let effects = bed.happen(Event::Connected(UPLOADS, KeyState::InKeyring, Ok(())));
    assert_eq!(asks(&effects), 1);
    assert_eq!(bed.world.link(UPLOADS).key, KeyState::InKeyring);
    assert_eq!(bed.world.link(UPLOADS).pipelines, Loadable::Loading);
}

#[test]
fn a_connection_that_is_not_there_is_neither_made_nor_asked() {
    let mut bed = Bed::new();
    for command in [
        Command::CheckConnection(GONE),
        Command::ReadForm(GONE, PipelineId::from("p")),
        Command::RemoveConnection(GONE),
    ] {
        let effects = bed.happen(Event::Command(command));
        assert!(effects.is_empty(), "{effects:?}");
    }
    bed.happen(Event::Connected(GONE, KeyState::InKeyring, Ok(())));
    bed.happen(Event::Asked(GONE, Err(refused()), None));
    assert!(!bed.world.live.links.contains_key(&GONE));
    assert!(bed.world.notices.is_empty());
}

#[test]
fn a_removed_connection_takes_its_key_along_and_leaves_its_jobs() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(CARRIES, 1, FanOut::OnePerFile);
    let effects = bed.happen(Event::Command(Command::RemoveConnection(CARRIES)));
    assert!(!bed.world.connections.contains_key(&CARRIES));
    assert!(!bed.world.live.links.contains_key(&CARRIES));
    let forgotten = effects
        .iter()
        .any(|effect| matches!(effect, Effect::ForgetSecrets(name) if name == "vault of carries"));
    let disconnected = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Disconnect(id) if *id == CARRIES));
    assert!(forgotten && disconnected, "{effects:?}");
    assert_eq!(bed.world.jobs.len(), 1);
}

#[test]
fn a_keyring_that_answers_again_lets_go_on_what_waited_for_it_and_nothing_else() {
    let mut bed = Bed::new();
    bed.send(UPLOADS, 1, FanOut::OnePerFile);
    bed.send(CARRIES, 1, FanOut::OnePerFile);
    for (id, kind) in [
        (UPLOADS, ErrorKind::Keyring),
        (CARRIES, ErrorKind::Unauthenticated),
    ] {
        bed.end(&WorkKey::Connect(id));
        let error = Error::new(kind, Doing::UseKeyring);
        let effects = bed.happen(Event::Connected(id, KeyState::Missing, Err(error)));
        assert_eq!(connects(&effects), 0);
    }
    bed.end(&WorkKey::ProbeKeyring);
    let effects = bed.happen(Event::Command(Command::RetryKeyring));
    assert!(matches!(started(&effects).as_slice(), [Work::ProbeKeyring]));
    bed.end(&WorkKey::ProbeKeyring);
    let effects = bed.happen(Event::KeyringProbed(KeyringState::Works));
    assert_eq!(bed.world.live.keyring, Some(KeyringState::Works));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Connect(connection)] if connection.id == UPLOADS),
        "{effects:?}"
    );
    assert!(bed.world.link(CARRIES).blocked.is_some());
}
