//! What has become due. It follows from the state alone, so that starting up and recovering from a crash are the same.
//!
//! Jobs are looked at in the order they were made; each gets the one step it is ready for, within the limits of its
//! connection and of the settings.

mod fetching;
mod links;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::decide::{cancel, unchanged_since};
use crate::engine::event::{Now, Work, WorkKey};
use crate::engine::room::Room;
use crate::engine::world::{World, later};
use crate::model::ids::{BatchId, ConnectionId, JobId};
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Weight, Words};
use crate::model::remote::RemoteJob;

/// Starts everything that is due.
pub fn plan(world: &mut World, now: Now) {
    if world.live.keyring.is_none() {
        world.start(Work::ProbeKeyring);
    }
    links::open(world);
    let alive: Vec<JobId> = world.alive.iter().copied().collect();
    let mut room = Room::measure(world);
    let mut polls: BTreeMap<ConnectionId, Vec<(JobId, RemoteJob)>> = BTreeMap::new();
    let mut receipts: BTreeSet<BatchId> = BTreeSet::new();
    for id in alive {
        let Some(job) = world.jobs.get(&id).cloned() else {
            continue;
        };
        let Some(facts) = world.facts_of(&job) else {
            continue;
        };
        // Wished for while a submission was open that turned out to have made no job.
        if job.cancel_wanted && matches!(job.stage, Stage::Waiting | Stage::Uploading) {
            cancel(world, id, now);
            continue;
        }
        if !is_open(world, job.connection) {
            continue;
        }
        let rests = job.wait_until.is_some_and(|until| until > now.at);
        match job.stage {
            Stage::Waiting if !rests => sending::begin(world, &job, facts, &mut room, now),
            Stage::Uploading if !rests => sending::send(world, &job, facts, &mut room),
            Stage::Submitting => {
                sending::settle(world, &job, facts, rests, now);
            }
            Stage::Queued | Stage::Running => watch(world, &job, rests, &mut polls, now),
            Stage::Downloading => {
                fetching::fetch(world, &job, rests, &mut room, now);
                if !rests && job.outputs_listed {
                    receipts.insert(job.batch);
                }
            }
            Stage::Waiting
            | Stage::Uploading
            | Stage::Done
            | Stage::Failed
            | Stage::Cancelled
            | Stage::Unconfirmed => {}
        }
    }
    for (connection, jobs) in polls {
        poll(world, connection, jobs, now);
    }
    for batch in receipts {
        fetching::write_receipt(world, batch, now);
    }
}

/// The next moment after the last decision at which [`plan`] has something to do without any event, if there is one.
/// It may lie in the past by now.
pub fn next_wake(world: &World, decided: Timestamp) -> Option<Timestamp> {
    let mut times: Vec<Timestamp> = Vec::new();
    for job in world.alive.iter().filter_map(|id| world.jobs.get(id)) {
        if !is_open(world, job.connection) {
            continue;
        }
        times.extend(job.wait_until);
        match job.stage {
            Stage::Queued | Stage::Running => {
                let polling = world.is_running(&WorkKey::Poll(job.connection));
                let due = world
                    .live
                    .links
                    .get(&job.connection)
                    .and_then(|link| link.poll_due);
                times.extend(due.filter(|_| !polling));
            }
            Stage::Downloading => times.extend(
                world
                    .artifacts_of(job.id)
                    .filter_map(|artifact| artifact.wait_until),
            ),
            Stage::Waiting
            | Stage::Uploading
            | Stage::Submitting
            | Stage::Done
            | Stage::Failed
            | Stage::Cancelled
            | Stage::Unconfirmed => {}
        }
    }
    times.into_iter().filter(|time| *time > decided).min()
}

/// Whether a connection has a client and nothing is in the way.
pub fn is_open(world: &World, id: ConnectionId) -> bool {
    world
        .live
        .links
        .get(&id)
        .is_some_and(|link| link.connected && link.blocked.is_none())
}

/// Whether a connection waits for a person.
pub fn is_blocked(world: &World, id: ConnectionId) -> bool {
    !world.connections.contains_key(&id)
        || world
            .live
            .links
            .get(&id)
            .is_some_and(|link| link.blocked.is_some())
}

/// A job at the platform is asked about together with its siblings; a wish to end it is passed on.
fn watch(
    world: &mut World,
    job: &Arc<Job>,
    rests: bool,
    polls: &mut BTreeMap<ConnectionId, Vec<(JobId, RemoteJob)>>,
    now: Now,
) {
    let Some(remote) = job.remote.clone() else {
        return;
    };
    if job.cancel_wanted {
        cancel(world, job.id, now);
        return;
    }
    if !rests {
        polls
            .entry(job.connection)
            .or_default()
            .push((job.id, remote));
    }
    let unchanged = Now {
        at: unchanged_since(world, job),
        ..now
    };
    let stalled = later(unchanged, world.pace.stalled_after) <= now.at;
    if stalled && world.live.called_stalled.insert(job.id) {
        let since = job.last_change.to_zoned(jiff::tz::TimeZone::system());
        let words = Words {
            what: format!(
                "Nothing has changed for {} since {}.",
                job.name,
                since.strftime("%Y-%m-%d %H:%M")
            ),
            did: "Labferry keeps asking.".to_owned(),
            next: "The platform may have lost it: ask whoever runs it, or stop watching it."
                .to_owned(),
            action: None,
        };
        world.notice(now, About::Job(job.id), Weight::Warning, words, Vec::new());
    }
}

fn poll(world: &mut World, connection: ConnectionId, jobs: Vec<(JobId, RemoteJob)>, now: Now) {
    let due = world
        .link(connection)
        .poll_due
        .is_none_or(|due| due <= now.at);
    if due && !world.is_running(&WorkKey::Poll(connection)) {
        world.start(Work::Poll(connection, jobs));
    }
}
