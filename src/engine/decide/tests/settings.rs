//! What a change of the settings sets going, and settings kept under names.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::decide::tests::{ALL, Bed, CARRIES, UPLOADS, started};
use crate::engine::event::{Effect, Event, Work, WorkKey};
use crate::model::connection::KeyState;
use crate::model::form::Settings;
use crate::model::ids::{PipelineId, ProviderId};
use crate::model::provider::FanOut;
use crate::model::settings::{AppSettings, ProxyChoice, SavedSettings};

fn save(bed: &mut Bed, settings: AppSettings) -> Vec<Effect> {
    bed.happen(Event::Command(Command::SaveSettings(settings)))
}

fn renews(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::RenewNetwork))
}

fn limits(effects: &[Effect]) -> Vec<(Option<u64>, Option<u64>)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::LimitSpeed { up, down } => Some((*up, *down)),
            _ => None,
        })
        .collect()
}

#[test]
fn another_way_to_the_network_makes_all_clients_anew_and_nothing_else_does() {
    let mut bed = Bed::new();
    bed.connect();
    let other_text = AppSettings {
        text_percent: 150,
        ..AppSettings::default()
    };
    let effects = save(&mut bed, other_text.clone());
    assert!(!renews(&effects) && limits(&effects).is_empty());
    assert!(ALL.iter().all(|id| bed.world.link(*id).connected));
    let proxy = AppSettings {
        proxy: ProxyChoice::None,
        ..other_text
    };
    let authority = AppSettings {
        extra_authority: Some(PathBuf::from("/ca.pem")),
        ..proxy.clone()
    };
    for settings in [proxy, authority] {
        let effects = save(&mut bed, settings.clone());
        assert!(
            renews(&effects) && limits(&effects).is_empty(),
            "{effects:?}"
        );
        assert!(ALL.iter().all(|id| !bed.world.link(*id).connected));
        bed.connect();
        assert!(!renews(&save(&mut bed, settings)));
    }
}

/// A client on its way was made for the former network: it is made once more.
#[test]
fn only_a_client_that_is_on_its_way_is_outdated() {
    let mut bed = Bed::new();
    bed.connect();
    bed.world.link(CARRIES).connected = false;
    bed.send(CARRIES, 1, FanOut::OnePerFile);
    assert!(bed.world.is_running(&WorkKey::Connect(CARRIES)));
    save(
        &mut bed,
        AppSettings {
            proxy: ProxyChoice::None,
            ..AppSettings::default()
        },
    );
    assert!(bed.world.link(CARRIES).outdated && !bed.world.link(UPLOADS).outdated);
    bed.end(&WorkKey::Connect(CARRIES));
    let effects = bed.happen(Event::Connected(CARRIES, KeyState::InKeyring, Ok(())));
    assert!(
        matches!(started(&effects).as_slice(), [Work::Connect(connection)] if connection.id == CARRIES),
        "{effects:?}"
    );
    assert!(!bed.world.link(CARRIES).connected);
}

#[test]
fn a_changed_speed_counts_at_once_in_both_directions() {
    let mut bed = Bed::new();
    let up = AppSettings {
        upload_bytes_per_second: Some(5),
        ..AppSettings::default()
    };
    let both = AppSettings {
        download_bytes_per_second: Some(7),
        ..up.clone()
    };
    for (settings, told) in [
        (up.clone(), vec![(Some(5), None)]),
        (up, Vec::new()),
        (both, vec![(Some(5), Some(7))]),
        (AppSettings::default(), vec![(None, None)]),
    ] {
        let effects = save(&mut bed, settings);
        assert_eq!(limits(&effects), told);
        assert!(!renews(&effects));
    }
}

#[test]
fn settings_under_a_name_belong_to_one_pipeline_of_one_platform() {
    let saved = |provider: &str, pipeline: &str, name: &str| SavedSettings {
        provider: ProviderId::from(provider),
        pipeline: PipelineId::from(pipeline),
        name: name.to_owned(),
        settings: Settings::new(),
    };
    let all = [
        saved("uploads", "p", "fine"),
        saved("uploads", "q", "fine"),
        saved("carries", "p", "fine"),
        saved("uploads", "p", "coarse"),
    ];
    let mut bed = Bed::new();
    for one in &all {
        let command = Command::SaveNamedSettings(one.clone());
        bed.happen(Event::Command(command));
    }
    assert_eq!(bed.world.settings.saved, all);
    let remove = |bed: &mut Bed, name: &str| {
        bed.happen(Event::Command(Command::RemoveNamedSettings {
            provider: ProviderId::from("uploads"),
            pipeline: PipelineId::from("p"),
            name: name.to_owned(),
        }))
    };
    assert!(remove(&mut bed, "unknown").is_empty(), "nothing is written");
    remove(&mut bed, " fine ");
    assert_eq!(bed.world.settings.saved, all[1..]);
}
