//! Bytes on the move, summed up by job for the eye.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::time::Instant;

use crate::engine::event::WorkKey;
use crate::engine::world::World;
use crate::model::artifact::ArtifactState;
use crate::model::folder::CheckProgress;
use crate::model::ids::JobId;
use crate::model::job::{Job, Stage};
use crate::model::meter::Meter;
use crate::model::provider::Intake;

/// The meters of all transfers under way, and what those before them moved.
#[derive(Debug)]
pub(super) struct Progress {
    meters: BTreeMap<WorkKey, Meter>,
    moved_before: (u64, u64),
    sample: (Instant, (u64, u64)),
    rates: (u64, u64),
}

impl Progress {
    /// Without any transfer.
    pub(super) fn new() -> Self {
        Self {
            meters: BTreeMap::new(),
            moved_before: (0, 0),
            sample: (Instant::now(), (0, 0)),
            rates: (0, 0),
        }
    }

    /// A meter for work that has just been started.
    pub(super) fn begin(&mut self, key: &WorkKey) -> Meter {
        let meter = Meter::default();
        self.meters.insert(key.clone(), meter.clone());
        meter
    }

    /// The work has ended; whether it had been asked to stop.
    pub(super) fn end(&mut self, key: &WorkKey) -> bool {
        let Some(meter) = self.meters.remove(key) else {
            return false;
        };
        let (up, down) = &mut self.moved_before;
        match direction(key) {
            Some(Direction::Up) => *up = up.saturating_add(meter.moved_bytes()),
            Some(Direction::Down) => *down = down.saturating_add(meter.moved_bytes()),
            None => {}
        }
        meter.is_stopped()
    }

    /// How many bytes this work has moved so far.
    pub(super) fn moved(&self, key: &WorkKey) -> u64 {
        self.meters.get(key).map_or(0, Meter::moved_bytes)
    }

    /// Asks work to stop at its next block: a person cancelled it.
    pub(super) fn stop(&self, key: &WorkKey) {
        if let Some(meter) = self.meters.get(key) {
            meter.stop_for_good();
        }
    }

    /// Asks all transfers to stop; they go on at the next start.
    pub(super) fn stop_all(&self) {
        for meter in self.meters.values() {
            meter.stop();
        }
    }

    /// Whether bytes may be moving.
    pub(super) fn is_moving(&self) -> bool {
        self.meters.keys().any(|key| direction(key).is_some())
    }

    /// Whether anything is under way that a person sees progressing.
    pub(super) fn is_seen(&self) -> bool {
        let checks = |key: &WorkKey| matches!(key, WorkKey::CheckFolder(_));
        self.is_moving() || self.meters.keys().any(checks)
    }

    /// How far each check of a results folder is.
    pub(super) fn checks(&self) -> BTreeMap<PathBuf, CheckProgress> {
        let far = |(key, meter): (&WorkKey, &Meter)| {
            let WorkKey::CheckFolder(folder) = key else {
                return None;
            };
            let far = CheckProgress {
                done_files: meter.done_files(),
                total_files: meter.total_files(),
                done_bytes: meter.done_bytes(),
                total_bytes: meter.total_bytes(),
                stopping: meter.is_stopped(),
            };
            Some((folder.clone(), far))
        };
        self.meters.iter().filter_map(far).collect()
    }

    /// Bytes a second up and down, measured over at least half a second.
    pub(super) fn rates(&mut self) -> (u64, u64) {
        let mut moved = self.moved_before;
        for (key, meter) in &self.meters {
            match direction(key) {
                Some(Direction::Up) => moved.0 = moved.0.saturating_add(meter.moved_bytes()),
                Some(Direction::Down) => moved.1 = moved.1.saturating_add(meter.moved_bytes()),
                None => {}
            }
        }
        let secs = self.sample.0.elapsed().as_secs_f64();
        if secs >= 0.5 {
            let before = self.sample.1;
            self.rates = (rate(before.0, moved.0, secs), rate(before.1, moved.1, secs));
            self.sample = (Instant::now(), moved);
        }
        if self.is_moving() { self.rates } else { (0, 0) }
    }

    /// Bytes done and in all, for each job with bytes on the move.
    pub(super) fn bytes(&self, world: &World) -> BTreeMap<JobId, (u64, u64)> {
        if !self.is_moving() {
            return BTreeMap::new();
        }
        world
            .alive
            .iter()
            .filter_map(|id| world.jobs.get(id))
            .filter_map(|job| Some((job.id, self.of_job(world, job)?)))
            .collect()
    }

    fn of_job(&self, world: &World, job: &Job) -> Option<(u64, u64)> {
        match job.stage {
            Stage::Uploading | Stage::Submitting => self.uploaded(world, job),
            Stage::Downloading => Some(self.downloaded(world, job)),
            Stage::Waiting
            | Stage::Queued
            | Stage::Running
            | Stage::Done
            | Stage::Failed
            | Stage::Cancelled
            | Stage::Unconfirmed => None,
        }
    }

    fn uploaded(&self, world: &World, job: &Job) -> Option<(u64, u64)> {
        let batch = world.batches.get(&job.batch)?;
        let files: Vec<_> = batch
            .files
            .iter()
            .filter(|file| job.files.contains(&file.id))
            .collect();
        let total = files.iter().map(|file| file.local.size_bytes).sum();
        let with_submission = world
            .facts_of(job)
            .is_some_and(|facts| facts.capabilities.intake == Intake::WithSubmission);
        let done = if with_submission {
            self.meters
                .get(&WorkKey::Submit(job.id))
                .map_or(0, Meter::done_bytes)
        } else {
            files
                .iter()
                .map(|file| {
                    if world.staged.contains_key(&(job.connection, file.id)) {
                        return file.local.size_bytes;
                    }
                    let key = WorkKey::Stage(job.connection, file.id);
                    self.meters.get(&key).map_or(0, Meter::done_bytes)
                })
                .sum()
        };
        Some((done, total))
    }

    fn downloaded(&self, world: &World, job: &Job) -> (u64, u64) {
        let mut sum = (0_u64, 0_u64);
        for artifact in world.artifacts_of(job.id) {
            let (done, total) = match &artifact.state {
                ArtifactState::Fetched(proof) | ArtifactState::Unpacked { archive: proof, .. } => {
                    (proof.size_bytes, proof.size_bytes)
                }
                ArtifactState::Offered | ArtifactState::Preparing { .. } => {
                    let meter = self.meters.get(&WorkKey::Fetch(artifact.id));
                    let total = meter
                        .map(Meter::total_bytes)
                        .filter(|total| *total > 0)
                        .or(artifact.output.size_bytes);
                    (
                        meter.map_or(0, Meter::done_bytes),
                        total.unwrap_or_default(),
                    )
                }
                ArtifactState::Failed(_) => (0, 0),
            };
            sum = (sum.0.saturating_add(done), sum.1.saturating_add(total));
        }
        sum
    }
}

enum Direction {
    Up,
    Down,
}

fn direction(key: &WorkKey) -> Option<Direction> {
    match key {
        WorkKey::Stage(..) | WorkKey::Submit(_) => Some(Direction::Up),
        WorkKey::Fetch(_) => Some(Direction::Down),
        WorkKey::Scan(_)
        | WorkKey::ReadSheet(_)
        | WorkKey::PrepareAdoption(..)
        | WorkKey::ReadProfiles(_)
        | WorkKey::Check
        | WorkKey::Prepare
        | WorkKey::StoreConnection(_)
        | WorkKey::Try
        | WorkKey::Connect(_)
        | WorkKey::Ask(_)
        | WorkKey::ReadForm(..)
        | WorkKey::Gather(_)
        | WorkKey::Browse(_)
        | WorkKey::ListJobs(_)
        | WorkKey::Recognize(_)
        | WorkKey::ReadBaseline(_)
        | WorkKey::LookUp(_)
        | WorkKey::Poll(_)
        | WorkKey::Cancel(_)
        | WorkKey::ListOutputs(_)
        | WorkKey::Unpack(_)
        | WorkKey::ProbeKeyring
        | WorkKey::CheckFolder(_)
        | WorkKey::WriteReceipt(_) => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and a fraction of a byte a second is nothing to see"
)]
fn rate(before: u64, now: u64, secs: f64) -> u64 {
    (now.saturating_sub(before) as f64 / secs) as u64
}
