//! Clients for the connections that somebody needs, and the questions that wait for one.

use std::collections::BTreeSet;

use crate::engine::decide::connect;
use crate::engine::event::Work;
use crate::engine::live::Link;
use crate::engine::snapshot::{CheckState, Loadable};
use crate::engine::world::World;
use crate::model::ids::ConnectionId;

/// Makes clients for the connections that somebody needs, and asks what was wished for.
pub(super) fn open(world: &mut World) {
    let mut needed: BTreeSet<ConnectionId> = world
        .alive
        .iter()
        .filter_map(|id| world.jobs.get(id))
        .map(|job| job.connection)
        .collect();
    let mut wishes = Vec::new();
    for (id, link) in &world.live.links {
        let wanted = wished(*id, link);
        if link.check == CheckState::Checking || !wanted.is_empty() {
            needed.insert(*id);
        }
        if link.connected {
            wishes.extend(wanted);
        }
    }
    for id in needed {
        let waiting = world
            .live
            .links
            .get(&id)
            .is_none_or(|link| !link.connected && link.blocked.is_none());
        if waiting {
            connect(world, id);
        }
    }
    for work in wishes {
        world.start(work);
    }
}

/// What somebody wants to know over a connection and does not know yet.
fn wished(id: ConnectionId, link: &Link) -> Vec<Work> {
    let mut wished = Vec::new();
    if link.check == CheckState::Checking {
        wished.push(Work::Ask(id));
    }
    wished.extend(
        link.forms
            .iter()
            .filter(|(_, form)| **form == Loadable::Loading)
            .map(|(pipeline, _)| Work::ReadForm(id, pipeline.clone())),
    );
    if let Some(asked) = link.browsed.as_ref().filter(|asked| asked.is_loading()) {
        wished.push(Work::Browse(id, asked.query.clone()));
    }
    if let Some(asked) = link.listed.as_ref().filter(|asked| asked.is_loading()) {
        wished.push(Work::ListJobs(id, asked.query.clone()));
    }
    // One at a time: the others follow with the next decision.
    if let Some(text) = link.adopting.first() {
        wished.push(Work::Recognize(id, text.clone()));
    }
    wished
}
