//! Connections on their way to the vault: what is filled in while one is under way is saved after it, never dropped.

use std::sync::Arc;

use crate::engine::decide::{connecting, renewing};
use crate::engine::event::{Effect, Now, Work, WorkKey};
use crate::engine::live::{Filled, Link, Saving};
use crate::engine::snapshot::{CheckState, Trial};
use crate::engine::world::World;
use crate::model::connection::{Connection, ConnectionDraft, KeyState};
use crate::model::error::Result;
use crate::model::ids::ConnectionId;
use crate::model::notice::{About, Did, Subject, Weight, details, explain};
use crate::store::journal::Change;

/// Validates and stores what was filled in, over what another program's file has under a name; the same label replaces.
pub(super) fn save(world: &mut World, filled: Filled, now: Now) {
    let label = filled.draft.label.trim();
    if let Some(saving) = world.live.saves.get_mut(label) {
        saving.next = Some(Box::new(filled));
        return;
    }
    store(world, filled, None, now);
}

/// Sends it to the vault: under the number of the connection it replaces, else of the one that was on its way before it,
/// else of the jobs it may find again.
fn store(world: &mut World, filled: Filled, before: Option<ConnectionId>, now: Now) {
    let label = filled.draft.label.trim();
    let known = world
        .connections
        .values()
        .find(|connection| connection.label == label)
        .map(|connection| connection.id);
    // Jobs of a removed connection find their way again when it comes back under its label.
    let returns = world.jobs.values().find(|job| {
        job.connection_label == label
            && job.provider == filled.draft.provider
            && !world.connections.contains_key(&job.connection)
    });
    let id = known
        .or(before)
        .or(returns.map(|job| job.connection))
        .unwrap_or_else(|| {
            // Taken at once: a second one may be saved while the first is still on its way to the vault.
            world.last_ids.connection = ConnectionId(world.last_ids.connection.0.saturating_add(1));
            world.last_ids.connection
        });
    let saving = Saving {
        id,
        provider: filled.draft.provider.clone(),
        removed: false,
        next: None,
    };
    world.live.saves.insert(label.to_owned(), saving);
    world.start(Work::StoreConnection {
        draft: filled.draft,
        secrets: filled.secrets,
        profile: filled.profile,
        id,
        vault_name: format!("{:016x}", now.random),
    });
}

/// The connection is valid and its secrets are in the vault; or it is not.
pub(super) fn stored(
    world: &mut World,
    draft: &ConnectionDraft,
    outcome: Result<(Connection, KeyState)>,
    now: Now,
) {
    world.live.trial = None;
    let saving = world.live.saves.get(draft.label.trim());
    if saving.is_some_and(|saving| saving.removed) {
        if let Ok((connection, _)) = outcome {
            world.ask(Effect::ForgetSecrets(connection.vault_name));
        }
        save_next(world, draft.label.trim(), now);
        return;
    }
    match outcome {
        Ok((connection, key)) => {
            let id = connection.id;
            if let Some(before) = world.connections.get(&id)
                && before.vault_name != connection.vault_name
            {
                let outdated = before.vault_name.clone();
                world.ask(Effect::ForgetSecrets(outdated));
            }
            world.write(Change::PutConnection(Arc::new(connection)));
            world.ask(Effect::Disconnect(id));
            let outdated = world.is_running(&WorkKey::Connect(id));
            renewing::key_replaced(world, id);
            world.live.links.insert(
                id,
                Link {
                    outdated,
                    key,
                    ..Link::default()
                },
            );
            connecting::connect(world, id);
            // What it could not ask for while the key was wrong is due at once.
            world.link(id).poll_due = Some(now.at);
            world.link(id).check = CheckState::Checking;
        }
        Err(error) => {
            let provider = world
                .facts
                .iter()
                .find(|facts| facts.id == draft.provider)
                .map_or("The platform", |facts| facts.name);
            let subject = Subject {
                provider,
                connection: &draft.label,
                name: &draft.label,
            };
            let words = explain(&error, subject, Did::NothingSent);
            world.live.trial = Some(Trial::Bad(words.clone()));
            world.notice(now, About::App, Weight::Problem, words, details(&error));
        }
    }
    save_next(world, draft.label.trim(), now);
}

/// Saving it broke down.
pub(super) fn broke(world: &mut World, id: ConnectionId, now: Now) {
    let mut saves = world.live.saves.iter();
    let label = saves.find_map(|(label, saving)| (saving.id == id).then(|| label.clone()));
    if let Some(label) = label {
        save_next(world, &label, now);
    }
}

/// A connection is saved, or is not: what was filled in meanwhile is next.
fn save_next(world: &mut World, label: &str, now: Now) {
    let Some(saving) = world.live.saves.remove(label) else {
        return;
    };
    if let Some(next) = saving.next {
        let is_same = next.draft.provider == saving.provider;
        store(world, *next, is_same.then_some(saving.id), now);
    }
}

/// The connection was removed: what is on its way to it shall not bring it back.
pub(super) fn removed(world: &mut World, id: ConnectionId) {
    for saving in world.live.saves.values_mut() {
        if saving.id == id {
            saving.removed = true;
            saving.next = None;
        }
    }
}
