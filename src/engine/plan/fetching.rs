//! The steps from a finished job to its results on the disk and in the receipt.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::decide::finishing;
use crate::engine::event::{Now, Work, WorkKey};
use crate::engine::receipt;
use crate::engine::room::Room;
use crate::engine::world::World;
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::batch::Batch;
use crate::model::ids::{BatchId, JobId};
use crate::model::job::Job;

/// Lists what a finished job offers, fetches it, unpacks it.
pub(super) fn fetch(world: &mut World, job: &Arc<Job>, rests: bool, room: &mut Room, now: Now) {
    let Some(remote) = job.remote.clone() else {
        return;
    };
    if !job.outputs_listed {
        if !rests {
            world.start(Work::ListOutputs(job.connection, job.id, remote));
        }
        return;
    }
    let Some(batch_folder) = world
        .batches
        .get(&job.batch)
        .map(|batch| batch.folder.clone())
    else {
        return;
    };
    let folder = batch_folder.join(&job.folder);
    let artifacts: Vec<Arc<Artifact>> = world.artifacts_of(job.id).cloned().collect();
    for artifact in artifacts {
        if artifact.wait_until.is_some_and(|until| until > now.at) {
            continue;
        }
        match &artifact.state {
            ArtifactState::Offered | ArtifactState::Preparing { .. } => {
                if room.downloads == 0 || world.is_running(&WorkKey::Fetch(artifact.id)) {
                    continue;
                }
                room.downloads = room.downloads.saturating_sub(1);
                world.start(Work::Fetch {
                    connection: job.connection,
                    job: remote.clone(),
                    artifact: artifact.id,
                    output: artifact.output.clone(),
                    batch_folder: batch_folder.clone(),
                    target: folder.join(&artifact.path),
                });
            }
            ArtifactState::Fetched(_) if artifact.output.unpack => {
                unpack(world, job, &artifact, batch_folder.clone());
            }
            ArtifactState::Fetched(_)
            | ArtifactState::Unpacked { .. }
            | ArtifactState::Failed(_) => {}
        }
    }
}

fn unpack(world: &mut World, job: &Job, artifact: &Artifact, batch_folder: PathBuf) {
    let folder = batch_folder.join(&job.folder);
    let stem = artifact.path.strip_suffix(".zip").unwrap_or(&artifact.path);
    let mut taken: BTreeSet<String> = world
        .artifacts_of(job.id)
        .map(|sibling| sibling.path.to_lowercase())
        .collect();
    let below = crate::results::names::unique(&mut taken, stem);
    world.start(Work::Unpack {
        artifact: artifact.id,
        batch_folder,
        archive: folder.join(&artifact.path),
        into: folder.join(&below),
        below,
        keep_archive: world.settings.keep_archives,
    });
}

/// Jobs whose results are all settled are done once the receipt says so.
pub(super) fn write_receipt(world: &mut World, batch: BatchId, now: Now) {
    if world.is_running(&WorkKey::WriteReceipt(batch)) {
        return;
    }
    let finishing: Vec<JobId> = finishing(world, batch)
        .into_iter()
        .filter(|id| {
            world
                .jobs
                .get(id)
                .is_some_and(|job| job.wait_until.is_none_or(|until| until <= now.at))
        })
        .collect();
    if finishing.is_empty() {
        return;
    }
    let Some(batch) = world.batches.get(&batch).cloned() else {
        return;
    };
    let receipt = Box::new(receipt::of_batch(world, &batch));
    let spent = spent_archives(world, &batch, &finishing);
    world.start(Work::WriteReceipt {
        batch: batch.id,
        finishing,
        folder: batch.folder.clone(),
        spent,
        receipt,
    });
}

/// The archives of these jobs that were unpacked and are not to be kept. They go only now that the journal has what came
/// out of them: gone any earlier, a crash would leave nothing to unpack again.
fn spent_archives(world: &World, batch: &Batch, jobs: &[JobId]) -> Vec<PathBuf> {
    let spent = |artifact: &Artifact| {
        matches!(
            artifact.state,
            ArtifactState::Unpacked {
                archive_kept: false,
                ..
            }
        )
    };
    jobs.iter()
        .filter_map(|id| world.jobs.get(id))
        .flat_map(|job| {
            world
                .artifacts_of(job.id)
                .filter(|artifact| spent(artifact))
                .map(|artifact| batch.folder.join(&job.folder).join(&artifact.path))
        })
        .collect()
}
