//! How much may be started at the same time: over everything, on one connection, and at one platform.

use std::collections::BTreeMap;

use crate::engine::event::WorkKey;
use crate::engine::world::World;
use crate::model::ids::ConnectionId;
use crate::model::job::Stage;
use crate::model::provider::{Intake, ProviderFacts};

/// What may still be started.
pub(super) struct Room {
    /// Downloads over all connections.
    pub(super) downloads: usize,
    uploads: usize,
    uploads_of: BTreeMap<ConnectionId, usize>,
    alive_of: BTreeMap<ConnectionId, usize>,
}

impl Room {
    /// What is left of every limit, given what is under way.
    pub(super) fn measure(world: &World) -> Self {
        let mut uploads_of: BTreeMap<ConnectionId, usize> = BTreeMap::new();
        let (mut uploads, mut downloads) = (0_usize, 0_usize);
        for key in &world.live.running {
            match key {
                WorkKey::Stage(connection, _) => {
                    uploads = uploads.saturating_add(1);
                    count(&mut uploads_of, *connection);
                }
                WorkKey::Submit(job) => {
                    // Its job may have been forgotten before it has ended.
                    uploads = uploads.saturating_add(1);
                    if let Some(job) = world.jobs.get(job) {
                        count(&mut uploads_of, job.connection);
                    }
                }
                WorkKey::Fetch(_) => downloads = downloads.saturating_add(1),
                _ => {}
            }
        }
        let mut alive_of = BTreeMap::new();
        for job in world.alive.iter().filter_map(|id| world.jobs.get(id)) {
            let with_submission = world
                .facts_of(job)
                .is_some_and(|facts| facts.capabilities.intake == Intake::WithSubmission);
            if job.stage.is_alive_remotely() || (with_submission && job.stage == Stage::Uploading) {
                count(&mut alive_of, job.connection);
            }
        }
        Self {
            uploads: world
                .settings
                .parallel_uploads
                .max(1)
                .saturating_sub(uploads),
            downloads: world
                .settings
                .parallel_downloads
                .max(1)
                .saturating_sub(downloads),
            uploads_of,
            alive_of,
        }
    }

    /// Takes the place of one upload.
    pub(super) fn take_upload(&mut self, connection: ConnectionId, facts: &ProviderFacts) -> bool {
        let under_way = self.uploads_of.entry(connection).or_default();
        if self.uploads == 0 || *under_way >= facts.capabilities.limits.parallel_uploads.max(1) {
            return false;
        }
        self.uploads = self.uploads.saturating_sub(1);
        *under_way = under_way.saturating_add(1);
        true
    }

    /// Takes the place of one job at the platform.
    pub(super) fn take_job(&mut self, connection: ConnectionId, facts: &ProviderFacts) -> bool {
        let alive = self.alive_of.entry(connection).or_default();
        if facts
            .capabilities
            .limits
            .jobs_alive
            .is_some_and(|limit| *alive >= limit)
        {
            return false;
        }
        *alive = alive.saturating_add(1);
        true
    }
}

fn count(map: &mut BTreeMap<ConnectionId, usize>, id: ConnectionId) {
    let entry = map.entry(id).or_default();
    *entry = entry.saturating_add(1);
}
