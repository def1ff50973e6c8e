//! A key is replaced while the platform is still being asked with the former one: what it says of that key counts for
//! nothing.

use crate::engine::event::WorkKey;
use crate::engine::world::World;
use crate::model::error::{Error, ErrorKind};
use crate::model::ids::{ConnectionId, JobId};

/// The key of a connection is another from now on.
pub(super) fn key_replaced(world: &mut World, connection: ConnectionId) {
    let is_over_it = |work: &&WorkKey| connection_of(world, work) == Some(connection);
    let running = world.live.running.iter();
    let former: Vec<WorkKey> = running.filter(is_over_it).cloned().collect();
    world.live.former.extend(former);
}

/// Whether this is a word about a key that was replaced since the work began.
pub(super) fn is_of_former_key(world: &World, work: &WorkKey, error: &Error) -> bool {
    error.kind() == ErrorKind::Unauthenticated && world.live.former.contains(work)
}

/// The connection this work asks over.
pub(super) fn connection_of(world: &World, work: &WorkKey) -> Option<ConnectionId> {
    let of = |job: &JobId| world.jobs.get(job).map(|job| job.connection);
    match work {
        WorkKey::Connect(id)
        | WorkKey::Ask(id)
        | WorkKey::ReadForm(id, _)
        | WorkKey::Stage(id, _)
        | WorkKey::Browse(id)
        | WorkKey::ListJobs(id)
        | WorkKey::Recognize(id)
        | WorkKey::Poll(id) => Some(*id),
        WorkKey::Gather(job)
        | WorkKey::ReadBaseline(job)
        | WorkKey::Submit(job)
        | WorkKey::LookUp(job)
        | WorkKey::Cancel(job)
        | WorkKey::ListOutputs(job) => of(job),
        WorkKey::Fetch(artifact) => {
            let artifact = world.artifacts.get(artifact)?;
            of(&artifact.job)
        }
        WorkKey::Scan(_)
        | WorkKey::ReadSheet(_)
        | WorkKey::Check
        | WorkKey::Prepare
        | WorkKey::StoreConnection(_)
        | WorkKey::Try
        | WorkKey::PrepareAdoption(..)
        | WorkKey::ReadProfiles(_)
        | WorkKey::Unpack(_)
        | WorkKey::ProbeKeyring
        | WorkKey::CheckFolder(_)
        | WorkKey::WriteReceipt(_) => None,
    }
}
