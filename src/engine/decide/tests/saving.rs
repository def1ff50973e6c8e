//! What is saved: connections while one of the same label is on its way to the vault, and no password in the settings.

use std::collections::BTreeMap;

use crate::engine::command::Command;
use crate::engine::decide::tests::{ALL, Bed, CARRIES, UPLOADS, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::connection::{Connection, ConnectionDraft, KeyState};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ConnectionId, ProviderId};
use crate::model::provider::FanOut;
use crate::model::secret::Secret;
use crate::model::settings::{AppSettings, ProxyChoice};

fn filled(bed: &Bed, label: &str) -> ConnectionDraft {
    ConnectionDraft {
        provider: bed.world.connections[&UPLOADS].provider.clone(),
        label: label.to_owned(),
        entries: BTreeMap::new(),
    }
}

fn save(bed: &mut Bed, label: &str, key: &str) -> Vec<Effect> {
    let draft = filled(bed, label);
    let secrets = vec![("key".to_owned(), Secret::parse_key(key).unwrap())];
    bed.happen(Event::Command(Command::SaveConnection(draft, secrets)))
}

/// The key and the number of the only connection that goes to the vault.
fn stores(effects: &[Effect]) -> Option<(String, ConnectionId)> {
    match started(effects).as_slice() {
        [] => None,
        [Work::StoreConnection { secrets, id, .. }] => {
            Some((secrets[0].1.reveal().to_owned(), *id))
        }
        other => panic!("{other:?}"),
    }
}

fn stored(bed: &mut Bed, id: ConnectionId, outcome: Result<()>) -> Vec<Effect> {
    bed.end(&WorkKey::StoreConnection(id));
    let draft = filled(bed, "Imaging");
    let connection = Connection {
        id,
        label: "Imaging".to_owned(),
        ..bed.world.connections[&UPLOADS].as_ref().clone()
    };
    let outcome = outcome.map(|()| (connection, KeyState::InKeyring));
    bed.happen(Event::ConnectionStored(draft, outcome))
}

#[test]
fn what_is_saved_while_another_save_is_under_way_comes_after_it() {
    let mut bed = Bed::new();
    let (key, id) = stores(&save(&mut bed, "Imaging", "first")).unwrap();
    assert_eq!(key, "first");
    assert_eq!(stores(&save(&mut bed, " Imaging ", "second")), None);
    assert_eq!(stores(&save(&mut bed, "Imaging", "third")), None);
    // Another label is another connection.
    let (other, its_id) = stores(&save(&mut bed, "Elsewhere", "other")).unwrap();
    assert_eq!(other, "other");
    assert_ne!(its_id, id);
    let next = stored(&mut bed, id, Ok(()));
    let next: Vec<_> = next
        .into_iter()
        .filter(|effect| matches!(effect, Effect::Start(Work::StoreConnection { .. })))
        .collect();
    assert_eq!(stores(&next), Some(("third".to_owned(), id)));
    let last = stored(&mut bed, id, Ok(()));
    let again = |effect: &Effect| matches!(effect, Effect::Start(Work::StoreConnection { .. }));
    assert!(!last.iter().any(again), "{last:?}");
    let labels = bed.world.connections.values();
    assert_eq!(labels.filter(|one| one.label == "Imaging").count(), 1);
}

#[test]
fn a_save_that_fails_or_breaks_down_does_not_take_the_next_one_along() {
    let mut bed = Bed::new();
    let (_, id) = stores(&save(&mut bed, "Imaging", "first")).unwrap();
    save(&mut bed, "Imaging", "second");
    let refused = Error::new(ErrorKind::Invalid, Doing::Connect);
    let next = stores(&stored(&mut bed, id, Err(refused)));
    let (key, id) = next.unwrap();
    assert_eq!(key, "second");
    save(&mut bed, "Imaging", "third");
    bed.end(&WorkKey::StoreConnection(id));
    let effects = bed.happen(Event::Broke(
        WorkKey::StoreConnection(id),
        "text".to_owned(),
    ));
    assert_eq!(stores(&effects).unwrap().0, "third");
}

#[test]
fn what_is_removed_while_it_is_being_saved_does_not_come_back() {
    let mut bed = Bed::new();
    let label = bed.world.connections[&UPLOADS].label.clone();
    let connection = Connection {
        vault_name: "elsewhere".to_owned(),
        ..bed.world.connections[&UPLOADS].as_ref().clone()
    };
    let draft = filled(&bed, &label);
    let fill_in = |bed: &mut Bed, key: &str| {
        let secrets = vec![("key".to_owned(), Secret::parse_key(key).unwrap())];
        let save = Command::SaveConnection(draft.clone(), secrets);
        stores(&bed.happen(Event::Command(save)))
    };
    assert_eq!(fill_in(&mut bed, "first").unwrap().1, UPLOADS);
    assert_eq!(fill_in(&mut bed, "second"), None);
    bed.happen(Event::Command(Command::RemoveConnection(UPLOADS)));
    let ends = |bed: &mut Bed, outcome: Result<()>| {
        bed.end(&WorkKey::StoreConnection(UPLOADS));
        let outcome = outcome.map(|()| (connection.clone(), KeyState::InKeyring));
        bed.happen(Event::ConnectionStored(draft.clone(), outcome))
    };
    let effects = ends(&mut bed, Ok(()));
    assert!(!bed.world.connections.contains_key(&UPLOADS));
    assert_eq!(stores(&effects), None, "nor what was filled in before");
    let forgets =
        |effect: &Effect| matches!(effect, Effect::ForgetSecrets(name) if name == "elsewhere");
    assert!(effects.iter().any(forgets), "{effects:?}");

    // What is filled in after the removal is wanted, and keeps the number.
    let mut bed = Bed::new();
    fill_in(&mut bed, "first");
    bed.happen(Event::Command(Command::RemoveConnection(UPLOADS)));
    assert_eq!(fill_in(&mut bed, "second"), None);
    let refused = Error::new(ErrorKind::Keyring, Doing::UseKeyring);
    let effects = ends(&mut bed, Err(refused));
    assert_eq!(stores(&effects), Some(("second".to_owned(), UPLOADS)));
    assert!(bed.world.notices.is_empty(), "nobody wants the first");
    ends(&mut bed, Ok(()));
    assert!(bed.world.connections.contains_key(&UPLOADS));
}

#[test]
fn the_number_of_one_platform_does_not_go_to_another() {
    let mut bed = Bed::new();
    let (_, id) = stores(&save(&mut bed, "Imaging", "first")).unwrap();
    let draft = ConnectionDraft {
        provider: bed.world.connections[&CARRIES].provider.clone(),
        ..filled(&bed, "Imaging")
    };
    let secrets = vec![("key".to_owned(), Secret::parse_key("other").unwrap())];
    bed.happen(Event::Command(Command::SaveConnection(draft, secrets)));
    let refused = Error::new(ErrorKind::Keyring, Doing::UseKeyring);
    let (key, its_id) = stores(&stored(&mut bed, id, Err(refused))).unwrap();
    assert_eq!(key, "other");
    assert_ne!(its_id, id);
}

/// Where a connection goes that is saved when the one that jobs were sent over is gone.
fn saved_after_removal(label: Option<&str>, provider: ConnectionId) -> ConnectionId {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::AllInOne);
    let label = label.map_or_else(
        || bed.world.connections[&UPLOADS].label.clone(),
        str::to_owned,
    );
    let draft = ConnectionDraft {
        provider: bed.world.connections[&provider].provider.clone(),
        label,
        entries: BTreeMap::new(),
    };
    bed.happen(Event::Command(Command::RemoveConnection(UPLOADS)));
    assert!(!bed.world.connections.contains_key(&UPLOADS));
    let secrets = vec![("key".to_owned(), Secret::parse_key("key").unwrap())];
    let effects = bed.happen(Event::Command(Command::SaveConnection(draft, secrets)));
    stores(&effects).unwrap().1
}

#[test]
fn jobs_of_a_removed_connection_find_their_way_when_it_comes_back() {
    assert_eq!(saved_after_removal(None, UPLOADS), UPLOADS);
    let known = ALL.map(|id| id.0);
    for (label, provider) in [(Some("Another"), UPLOADS), (None, CARRIES)] {
        let id = saved_after_removal(label, provider);
        assert!(!known.contains(&id.0), "{label:?} {provider:?}: {id:?}");
    }
}

#[test]
fn the_former_key_is_forgotten_once_another_is_in_the_vault() {
    let mut bed = Bed::new();
    let label = bed.world.connections[&UPLOADS].label.clone();
    let before = bed.world.connections[&UPLOADS].vault_name.clone();
    let (_, id) = stores(&save(&mut bed, &label, "new")).unwrap();
    assert_eq!(id, UPLOADS);
    let mut ends = |vault_name: &str| {
        bed.end(&WorkKey::StoreConnection(id));
        let connection = Connection {
            vault_name: vault_name.to_owned(),
            ..bed.world.connections[&UPLOADS].as_ref().clone()
        };
        let stored = Ok((connection, KeyState::ThisSessionOnly));
        let effects = bed.happen(Event::ConnectionStored(filled(&bed, &label), stored));
        assert_eq!(bed.world.link(UPLOADS).key, KeyState::ThisSessionOnly);
        let forgotten = effects.into_iter().filter_map(|effect| match effect {
            Effect::ForgetSecrets(name) => Some(name),
            _ => None,
        });
        forgotten.collect::<Vec<_>>()
    };
    assert_eq!(ends("elsewhere"), [before]);
    assert_eq!(ends("elsewhere"), Vec::<String>::new());
}

#[test]
fn what_refuses_a_connection_is_named() {
    let mut bed = Bed::new();
    for (provider, name) in [("uploads", "Platform"), ("unheard-of", "The platform")] {
        let draft = ConnectionDraft {
            provider: ProviderId::new(provider),
            ..filled(&bed, "Imaging")
        };
        let refused = Error::new(ErrorKind::Unauthenticated, Doing::Connect);
        bed.happen(Event::ConnectionStored(draft, Err(refused)));
        let notice = bed.world.notices.values().last().unwrap();
        let what = &notice.words.what;
        assert!(what.starts_with(&format!("{name} ")), "{what}");
    }
}

#[test]
fn a_password_in_the_address_of_the_proxy_is_not_kept() {
    let mut bed = Bed::new();
    let manual = |address: &str| AppSettings {
        proxy: ProxyChoice::Manual(address.to_owned()),
        keep_archives: !AppSettings::default().keep_archives,
        ..AppSettings::default()
    };
    for address in [
        "http://someone:canary@proxy.example.org:3128",
        "someone:canary@proxy.example.org",
        "socks5h://a:canary@b@[::1]:1080/",
    ] {
        bed.happen(Event::Command(Command::SaveSettings(manual(address))));
        assert_eq!(bed.world.settings.proxy, ProxyChoice::System, "{address}");
        let written = format!("{:?} {:?}", bed.written, bed.world.notices);
        assert!(!written.contains("canary"), "{written}");
    }
    let usual = AppSettings::default().keep_archives;
    assert_ne!(
        bed.world.settings.keep_archives, usual,
        "everything else is saved"
    );
    assert_eq!(bed.world.notices.len(), 3);
    for address in [
        "http://proxy.example.org:3128",
        "http://someone@proxy:1/a:b@c",
    ] {
        bed.happen(Event::Command(Command::SaveSettings(manual(address))));
        assert_eq!(bed.world.settings.proxy, manual(address).proxy);
    }
}
