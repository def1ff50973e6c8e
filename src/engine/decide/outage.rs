//! Waiting out what is nobody's fault: a network that is gone, a computer that slept, a clock that was set. Nothing of it
//! counts towards giving up, and all of it goes on within a minute of the end.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::engine::decide::renewing::connection_of;
use crate::engine::event::{Effect, Event, Now, WorkKey};
use crate::engine::world::{World, later};
use crate::model::artifact::Artifact;
use crate::model::error::{Error, ErrorKind};
use crate::model::ids::{ConnectionId, JobId};
use crate::model::job::{Job, Stage};
use crate::store::journal::Change;

/// After a jump of the clock nothing waits longer than this, unless its server asked for more.
const AFTER_JUMP: Duration = Duration::from_mins(1);

/// A submission that left by a clock that was wrong is looked for among all jobs since then.
const FAR_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Whether nothing was heard of the platform at all.
pub(super) const fn is_outage(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::Timeout)
}

/// Whether a failure counts towards giving up: what can be waited out does not.
pub(super) const fn counts(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::Maintenance
        | ErrorKind::RateLimited
        | ErrorKind::DiskFull
        | ErrorKind::FolderGone
        | ErrorKind::Unauthenticated
        | ErrorKind::Keyring => false,
        ErrorKind::ServerFault
        | ErrorKind::Garbled
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Invalid
        | ErrorKind::TooLarge
        | ErrorKind::Conflict
        | ErrorKind::Unsupported
        | ErrorKind::LocalFile
        | ErrorKind::Archive
        | ErrorKind::Table
        | ErrorKind::Internal => true,
    }
}

/// The pause after so many failures in a row: what ends by itself is looked at again at least once a minute.
pub(super) fn pause(world: &World, attempts: u32, error: &Error) -> Duration {
    let asked = error.failure().retry_after;
    let pause = world.pace.retry_wait(attempts, asked);
    match error.kind() {
        ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::Maintenance
        | ErrorKind::DiskFull
        | ErrorKind::FolderGone => pause
            .min(world.pace.outage_longest)
            .max(asked.unwrap_or_default()),
        _ => pause,
    }
}

/// The connection over which this event is an answer, whatever it says.
pub(super) fn reached(world: &World, event: &Event) -> Option<ConnectionId> {
    let of = |job: &JobId| world.jobs.get(job).map(|job| job.connection);
    match event {
        Event::Asked(id, Ok(_), _)
        | Event::FormRead(id, _, Ok(_))
        | Event::Staged(id, _, Ok(_))
        | Event::Browsed(id, _, Ok(_))
        | Event::JobsListed(id, _, Ok(_))
        | Event::Recognized(id, _, Ok(_))
        | Event::Polled(id, Ok(_)) => Some(*id),
        Event::BaselineRead(job, Ok(_))
        | Event::Gathered(job, Ok(_))
        | Event::Submitted(job, Ok(_))
        | Event::LookedUp(job, Ok(_))
        | Event::CancelAnswered(job, Ok(()))
        | Event::OutputsListed(job, Ok(_)) => of(job),
        Event::Preparing(artifact, _) | Event::Fetched(artifact, Ok(_)) => {
            connection_of(world, &WorkKey::Fetch(*artifact))
        }
        Event::Asked(..)
        | Event::FormRead(..)
        | Event::Staged(..)
        | Event::Browsed(..)
        | Event::JobsListed(..)
        | Event::Recognized(..)
        | Event::Polled(..)
        | Event::BaselineRead(..)
        | Event::Gathered(..)
        | Event::Submitted(..)
        | Event::LookedUp(..)
        | Event::CancelAnswered(..)
        | Event::OutputsListed(..)
        | Event::Fetched(..)
        | Event::Command(_)
        | Event::Tick
        | Event::Started
        | Event::ClockMoved(_)
        | Event::Scanned(_)
        | Event::SheetRead(..)
        | Event::Checked(_)
        | Event::Prepared(_)
        | Event::ConnectionStored(..)
        | Event::Tried(_)
        | Event::Connected(..)
        | Event::KeepAsked(..)
        | Event::AdoptionPrepared(..)
        | Event::ProfilesRead(..)
        | Event::CommitAsked(..)
        | Event::Unpacked(..)
        | Event::ReceiptWritten(..)
        | Event::KeyringProbed(_)
        | Event::FolderChecked(..)
        | Event::Broke(..) => None,
    }
}

/// Something got through: what waits only because nothing did is due.
pub(super) fn over(world: &mut World, connection: ConnectionId, now: Now) {
    if !std::mem::take(&mut world.link(connection).offline) {
        return;
    }
    let link = world.link(connection);
    if link.poll_failures > 0 {
        link.poll_due = Some(now.at);
    }
    for id in alive_over(world, connection) {
        due_after_outage(world, id, now);
    }
}

fn alive_over(world: &World, connection: ConnectionId) -> Vec<JobId> {
    world
        .alive
        .iter()
        .filter(|id| {
            world
                .jobs
                .get(id)
                .is_some_and(|job| job.connection == connection)
        })
        .copied()
        .collect()
}

/// Makes due what waits because its platform was not reached: the job and its results.
fn due_after_outage(world: &mut World, id: JobId, now: Now) {
    if let Some(mut job) = world.job(id)
        && job.wait_until.is_some_and(|until| until > now.at)
        && job
            .error
            .as_ref()
            .is_some_and(|error| is_outage(error.kind()))
    {
        job.wait_until = Some(now.at);
        world.put_job(job);
    }
    let artifacts: Vec<Artifact> = world
        .artifacts_of(id)
        .filter(|artifact| artifact.wait_until.is_some_and(|until| until > now.at))
        .map(|artifact| Artifact::clone(artifact))
        .collect();
    for mut artifact in artifacts {
        if world.live.unreached.remove(&artifact.id) {
            artifact.wait_until = Some(now.at);
            world.write(Change::PutArtifact(Arc::new(artifact)));
        }
    }
}

/// The clock jumped: forward, as it does in a sleep or when it is set, or back. What is due by it is held against the new
/// time; what failed because the computer was about to sleep is due at once; and hours nobody was awake are no stall.
pub(super) fn clock_moved(world: &mut World, by: SignedDuration, now: Now) {
    let ids: Vec<JobId> = world.alive.iter().copied().collect();
    let World { live, alive, .. } = &mut *world;
    live.unwatched.retain(|id, _| alive.contains(id));
    for job in ids.iter().filter_map(|id| world.jobs.get(id)) {
        let fresh = (job.last_change, SignedDuration::ZERO);
        let asleep = world.live.unwatched.entry(job.id).or_insert(fresh);
        if asleep.0 != job.last_change {
            *asleep = fresh;
        }
        asleep.1 = asleep.1.saturating_add(by);
    }
    // What they look for is dated by the clock as it was: only what they find for certain counts.
    let World { live, .. } = &mut *world;
    let looks = live.running.iter();
    let looks = looks.filter(|key| matches!(key, WorkKey::LookUp(_)));
    live.given_up.extend(looks.cloned());
    settle_times(world, by, now);
    let connections: Vec<ConnectionId> = world.live.links.keys().copied().collect();
    for id in connections {
        let link = world.link(id);
        link.poll_failures = 0;
        link.poll_due = link
            .poll_due
            .map(|due| clamped(due, by, AFTER_JUMP, now.at));
        link.offline = false;
    }
    for id in ids {
        due_after_outage(world, id, now);
    }
    if by > SignedDuration::ZERO {
        world.ask(Effect::Awake);
    }
}

/// Holds the times in the journal against the present time: after a start the clock may have been set meanwhile.
pub(super) fn started(world: &mut World, now: Now) {
    settle_times(world, SignedDuration::ZERO, now);
}

fn settle_times(world: &mut World, by: SignedDuration, now: Now) {
    let ids: Vec<JobId> = world.alive.iter().copied().collect();
    for id in ids {
        let Some(before) = world.job(id) else {
            continue;
        };
        let mut job = before.clone();
        let asked = job
            .error
            .as_ref()
            .and_then(|error| error.failure().retry_after)
            .unwrap_or_default();
        let longest = AFTER_JUMP.max(asked);
        job.wait_until = job
            .wait_until
            .map(|until| clamped(until, by, longest, now.at));
        if job.stage == Stage::Submitting {
            job.submitted_at = job.submitted_at.map(|sent| sent_at(sent, by, now.at));
        }
        if job != before {
            world.put_job(job);
        }
        let artifacts: Vec<Artifact> = world
            .artifacts_of(id)
            .map(|artifact| Artifact::clone(artifact))
            .collect();
        for mut artifact in artifacts {
            let until = artifact
                .wait_until
                .map(|until| clamped(until, by, AFTER_JUMP, now.at));
            if until != artifact.wait_until {
                artifact.wait_until = until;
                world.write(Change::PutArtifact(Arc::new(artifact)));
            }
        }
    }
}

/// A time that was waited for, by the new clock: as far away as before where the clock was set back, and never farther
/// than `longest`.
fn clamped(until: Timestamp, by: SignedDuration, longest: Duration, now: Timestamp) -> Timestamp {
    let at = Now { at: now, random: 0 };
    let moved = until
        .saturating_add(by.min(SignedDuration::ZERO))
        .unwrap_or(until);
    moved.min(later(at, longest))
}

/// When a submission left, by the new clock: rather too early than too late, as it is looked for among later jobs only.
fn sent_at(sent: Timestamp, by: SignedDuration, now: Timestamp) -> Timestamp {
    let moved = sent
        .saturating_add(by.min(SignedDuration::ZERO))
        .unwrap_or(sent);
    if moved <= now {
        return moved;
    }
    now.saturating_sub(FAR_BACK).unwrap_or(now)
}

/// Since when a job has been watched without any change, as hours asleep do not count.
pub(in crate::engine) fn unchanged_since(world: &World, job: &Job) -> Timestamp {
    let asleep = world.live.unwatched.get(&job.id);
    let asleep = asleep.filter(|(change, _)| *change == job.last_change);
    job.last_change
        .saturating_add(asleep.map(|(_, asleep)| *asleep).unwrap_or_default())
        .unwrap_or(job.last_change)
}

/// Whether work whose connection died in a sleep may be broken off and begun anew by itself: asking, and sending or
/// fetching what can be gone on with. Never a submission that may have been acted upon, and nothing a person is waiting
/// for that nobody would begin again.
pub fn may_begin_anew(world: &World, key: &WorkKey) -> bool {
    match key {
        WorkKey::Ask(_)
        | WorkKey::ReadForm(..)
        | WorkKey::Browse(_)
        | WorkKey::ListJobs(_)
        | WorkKey::Recognize(_)
        | WorkKey::Stage(..)
        | WorkKey::ReadBaseline(_)
        | WorkKey::LookUp(_)
        | WorkKey::Poll(_)
        | WorkKey::ListOutputs(_)
        | WorkKey::Fetch(_) => true,
        WorkKey::Submit(job) => world
            .jobs
            .get(job)
            .is_some_and(|job| job.stage == Stage::Uploading),
        WorkKey::Scan(_)
        | WorkKey::ReadSheet(_)
        | WorkKey::Check
        | WorkKey::Prepare
        | WorkKey::StoreConnection(_)
        | WorkKey::Try
        | WorkKey::Connect(_)
        | WorkKey::Gather(_)
        | WorkKey::PrepareAdoption(..)
        | WorkKey::ReadProfiles(_)
        | WorkKey::Cancel(_)
        | WorkKey::Unpack(_)
        | WorkKey::ProbeKeyring
        | WorkKey::CheckFolder(_)
        | WorkKey::WriteReceipt(_) => false,
    }
}
