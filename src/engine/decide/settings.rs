//! What the person sets for the whole app, and settings of pipelines kept under names.

use crate::engine::event::{Effect, Now, WorkKey};
use crate::engine::world::World;
use crate::model::ids::{PipelineId, ProviderId};
use crate::model::notice::{About, Weight, Words};
use crate::model::settings::{AppSettings, SavedSettings};
use crate::store::journal::Change;

/// Saves the settings; a changed way to the network renews all clients. Settings kept under names have commands of their
/// own, so that a window with older ones does not undo them.
pub(super) fn save(world: &mut World, mut settings: AppSettings, now: Now) {
    if settings.proxy.holds_password() {
        settings.proxy = world.settings.proxy.clone();
        let words = Words {
            what: "The address of the proxy has a password in it.".to_owned(),
            did: "Labferry keeps passwords in the keyring only, so this address was not saved; the proxy is the one from \
                  before."
                .to_owned(),
            next: "Enter the proxy with its password in the settings of your system, and choose “As the system” here."
                .to_owned(),
            action: None,
        };
        world.notice(now, About::App, Weight::Problem, words, Vec::new());
    }
    let network_changed = settings.proxy != world.settings.proxy
        || settings.extra_authority != world.settings.extra_authority;
    let (up, down) = (
        settings.upload_bytes_per_second,
        settings.download_bytes_per_second,
    );
    let before = &world.settings;
    let speed_changed = (up, down)
        != (
            before.upload_bytes_per_second,
            before.download_bytes_per_second,
        );
    world.write(Change::PutSettings(AppSettings {
        saved: world.settings.saved.clone(),
        ..settings
    }));
    if network_changed {
        let World { live, .. } = &mut *world;
        for (id, link) in &mut live.links {
            link.connected = false;
            link.outdated |= live.running.contains(&WorkKey::Connect(*id));
        }
        world.ask(Effect::RenewNetwork);
    }
    if speed_changed {
        world.ask(Effect::LimitSpeed { up, down });
    }
}

/// Keeps settings of a pipeline under a name, in place of what had that name.
pub(super) fn save_named(world: &mut World, mut saved: SavedSettings) {
    let name = saved.name.trim().to_owned();
    saved.name = name;
    if saved.name.is_empty() {
        return;
    }
    let mut settings = AppSettings::clone(&world.settings);
    match settings
        .saved
        .iter_mut()
        .find(|known| is_named(known, &saved.provider, &saved.pipeline, &saved.name))
    {
        Some(known) => *known = saved,
        None => settings.saved.push(saved),
    }
    world.write(Change::PutSettings(settings));
}

/// Forgets settings kept under a name.
pub(super) fn remove_named(
    world: &mut World,
    provider: &ProviderId,
    pipeline: &PipelineId,
    name: &str,
) {
    let mut settings = AppSettings::clone(&world.settings);
    let before = settings.saved.len();
    settings
        .saved
        .retain(|known| !is_named(known, provider, pipeline, name.trim()));
    if settings.saved.len() != before {
        world.write(Change::PutSettings(settings));
    }
}

fn is_named(
    known: &SavedSettings,
    provider: &ProviderId,
    pipeline: &PipelineId,
    name: &str,
) -> bool {
    &known.provider == provider && &known.pipeline == pipeline && known.name == name
}
