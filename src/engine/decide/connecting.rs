//! Connections: tried, connected, asked, removed.

use std::sync::Arc;

use crate::engine::decide::renewing::is_of_former_key;
use crate::engine::decide::{block, saving};
use crate::engine::event::{Effect, Now, Work, WorkKey};
use crate::engine::snapshot::{CheckState, KeyringState, Loadable, Profiles, Trial};
use crate::engine::world::World;
use crate::model::connection::{Account, Connection, ConnectionDraft, KeyState};
use crate::model::error::{ErrorKind, Result};
use crate::model::form::Form;
use crate::model::ids::{ConnectionId, PipelineId, ProviderId};
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::pipeline::Pipeline;
use crate::model::secret::Secret;
use crate::store::journal::Change;

/// Reads which names another program's file of keys holds.
pub(super) fn read_profiles(world: &mut World, provider: ProviderId) {
    world.live.profiles = Some(Profiles {
        provider: provider.clone(),
        names: Loadable::Loading,
    });
    world.start(Work::ReadProfiles(provider));
}

/// The names, or why there are none.
pub(super) fn profiles_read(
    world: &mut World,
    provider: ProviderId,
    names: std::result::Result<Vec<(String, String)>, Words>,
) {
    let names = match names {
        Ok(names) => Loadable::Ready(Arc::new(names)),
        Err(words) => Loadable::Failed(words),
    };
    world.live.profiles = Some(Profiles { provider, names });
}

/// Tries what was filled in without saving it.
pub(super) fn try_out(
    world: &mut World,
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
    profile: Option<String>,
) {
    world.live.trial = Some(Trial::Checking);
    world.start(Work::Try {
        draft,
        secrets,
        profile,
    });
}

/// How the trial went.
pub(super) fn tried(world: &mut World, outcome: Result<Account>) {
    world.live.trial = Some(match outcome {
        Ok(account) => Trial::Good(account),
        Err(error) => {
            let subject = Subject {
                provider: "The platform",
                connection: "this connection",
                name: "this connection",
            };
            Trial::Bad(explain(&error, subject, Did::NothingSent))
        }
    });
}

/// Asks for a client.
pub(in crate::engine) fn connect(world: &mut World, id: ConnectionId) {
    if let Some(connection) = world.connections.get(&id) {
        let connection = Connection::clone(connection);
        world.start(Work::Connect(connection));
    }
}

/// A client exists, or why not. One that was made of an older key or of older settings is made once more.
pub(super) fn connected(
    world: &mut World,
    id: ConnectionId,
    key: KeyState,
    outcome: Result<()>,
    now: Now,
) {
    if !world.connections.contains_key(&id) {
        return;
    }
    if std::mem::take(&mut world.link(id).outdated) {
        world.ask(Effect::Disconnect(id));
        connect(world, id);
        return;
    }
    let link = world.link(id);
    link.key = key;
    match outcome {
        Ok(()) => {
            link.connected = true;
            link.blocked = None;
            let wanted = link.check == CheckState::Checking;
            if wanted {
                ask(world, id);
            }
        }
        Err(error) => {
            link.connected = false;
            block(world, id, &error, now);
        }
    }
}

/// Asks the platform who we are, by the person's wish.
pub(super) fn check(world: &mut World, id: ConnectionId) {
    if !world.connections.contains_key(&id) {
        return;
    }
    let link = world.link(id);
    link.check = CheckState::Checking;
    link.blocked = None;
    if link.connected {
        ask(world, id);
    } else {
        connect(world, id);
    }
}

fn ask(world: &mut World, id: ConnectionId) {
    let link = world.link(id);
    if !matches!(link.pipelines, Loadable::Ready(_)) {
        link.pipelines = Loadable::Loading;
    }
    world.start(Work::Ask(id));
}

/// The platform said who we are and what can be run.
pub(super) fn asked(
    world: &mut World,
    id: ConnectionId,
    account: Result<Account>,
    pipelines: Option<Result<Vec<Pipeline>>>,
    now: Now,
) {
    let Some(connection) = world.connections.get(&id).cloned() else {
        return;
    };
    if world.live.former.contains(&WorkKey::Ask(id)) {
        // Who the former key belonged to: asked again, here or as soon as there is a client.
        if world.link(id).connected {
            ask(world, id);
        }
        return;
    }
    match account {
        Ok(account) => {
            world.link(id).check = CheckState::Good;
            world.link(id).blocked = None;
            let mut connection = Connection::clone(&connection);
            connection.account = Some(account);
            world.write(Change::PutConnection(Arc::new(connection)));
        }
        Err(error) => {
            let words = world.words_of_connection(id, &error, Did::NothingSent);
            if error.kind() == ErrorKind::Unauthenticated {
                block(world, id, &error, now);
            }
            let link = world.link(id);
            link.check = CheckState::Bad(words.clone());
            if !matches!(link.pipelines, Loadable::Ready(_)) {
                link.pipelines = Loadable::Failed(words);
            }
            return;
        }
    }
    let pipelines = match pipelines {
        Some(Ok(pipelines)) => Loadable::Ready(Arc::new(pipelines)),
        Some(Err(error)) => {
            if error.kind() == ErrorKind::Unauthenticated {
                block(world, id, &error, now);
            }
            Loadable::Failed(world.words_of_connection(id, &error, Did::NothingSent))
        }
        None => return,
    };
    world.link(id).pipelines = pipelines;
}

/// Reads the form of a pipeline unless it is known or on its way.
pub(super) fn read_form(world: &mut World, id: ConnectionId, pipeline: PipelineId) {
    if !world.connections.contains_key(&id) {
        return;
    }
    let link = world.link(id);
    if matches!(
        link.forms.get(&pipeline),
        Some(Loadable::Loading | Loadable::Ready(_))
    ) {
        return;
    }
    link.forms.insert(pipeline, Loadable::Loading);
    if !link.connected {
        connect(world, id);
    }
}

/// The platform told the settings of a pipeline.
pub(super) fn form_read(
    world: &mut World,
    id: ConnectionId,
    pipeline: PipelineId,
    outcome: Result<Form>,
    now: Now,
) {
    if !world.connections.contains_key(&id) {
        return;
    }
    let work = WorkKey::ReadForm(id, pipeline.clone());
    if let Err(error) = &outcome
        && is_of_former_key(world, &work, error)
    {
        world.link(id).forms.remove(&pipeline);
        read_form(world, id, pipeline);
        return;
    }
    let form = match outcome {
        Ok(form) => Loadable::Ready(Arc::new(form)),
        Err(error) => {
            if error.kind() == ErrorKind::Unauthenticated {
                block(world, id, &error, now);
            }
            Loadable::Failed(world.words_of_connection(id, &error, Did::NothingSent))
        }
    };
    world.link(id).forms.insert(pipeline, form);
}

/// Removes a connection and its key; jobs and results stay.
pub(super) fn remove(world: &mut World, id: ConnectionId) {
    let Some(connection) = world.connections.get(&id).cloned() else {
        return;
    };
    world.write(Change::RemoveConnection(id));
    world.live.links.remove(&id);
    world.ask(Effect::Disconnect(id));
    world.ask(Effect::ForgetSecrets(connection.vault_name.clone()));
    saving::removed(world, id);
}

/// The keyring was looked for: connections that wait for their key are tried again.
pub(super) fn keyring_probed(world: &mut World, state: KeyringState) {
    world.live.keyring = Some(state);
    for link in world.live.links.values_mut() {
        if link
            .blocked
            .as_ref()
            .is_some_and(|error| error.kind() == ErrorKind::Keyring)
        {
            link.blocked = None;
        }
    }
}
