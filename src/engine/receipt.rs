//! What the receipt of a batch says, taken from the journal's state.

use crate::engine::world::World;
use crate::model::artifact::{Artifact, ArtifactState, Fetched};
use crate::model::batch::Batch;
use crate::model::job::Job;
use crate::results::receipt::{FileRecord, InputRecord, Receipt, SCHEMA};

/// The receipt of everything fetched so far for a batch, paths below the batch's folder.
pub fn of_batch(world: &World, batch: &Batch) -> Receipt {
    let inputs = batch
        .files
        .iter()
        .map(|file| InputRecord {
            name: file.local.name.clone(),
            path: file.local.path.display().to_string(),
            size_bytes: file.local.size_bytes,
            modified: file.local.modified,
            sha256: world
                .staged
                .iter()
                .find(|((_, id), _)| *id == file.id)
                .and_then(|(_, staged)| staged.sha256.clone()),
        })
        .collect();
    let files = batch
        .jobs
        .iter()
        .filter_map(|id| world.jobs.get(id))
        .flat_map(|job| {
            world
                .artifacts_of(job.id)
                .flat_map(|artifact| records(world, job, artifact))
        })
        .collect();
    Receipt {
        schema: SCHEMA,
        labferry: env!("CARGO_PKG_VERSION").to_owned(),
        batch: batch.name.clone(),
        created: batch.created,
        inputs,
        files,
    }
}

fn records(world: &World, job: &Job, artifact: &Artifact) -> Vec<FileRecord> {
    let record = |path: &str,
                  original_name: &str,
                  proof: &Fetched,
                  from_archive: Option<String>| FileRecord {
        path: format!("{}/{path}", job.folder),
        original_name: original_name.to_owned(),
        job: job.name.clone(),
        connection: job.connection_label.clone(),
        platform: world
            .facts_of(job)
            .map_or_else(|| job.provider.to_string(), |facts| facts.name.to_owned()),
        pipeline: job.pipeline.name.clone(),
        remote_id: job
            .remote
            .as_ref()
            .map(|remote| remote.id.clone())
            .unwrap_or_default(),
        size_bytes: proof.size_bytes,
        sha256: proof.sha256.clone(),
        fetched_at: proof.at,
        from_archive,
    };
    match &artifact.state {
        ArtifactState::Offered | ArtifactState::Preparing { .. } | ArtifactState::Failed(_) => {
            Vec::new()
        }
        ArtifactState::Fetched(proof) => {
            vec![record(&artifact.path, &artifact.output.name, proof, None)]
        }
        ArtifactState::Unpacked {
            archive,
            archive_kept,
            files,
            problems: _,
        } => {
            let mut all: Vec<FileRecord> = files
                .iter()
                .map(|file| {
                    let proof = Fetched {
                        size_bytes: file.size_bytes,
                        sha256: file.sha256.clone(),
                        at: archive.at,
                    };
                    record(
                        &file.path,
                        &file.original_name,
                        &proof,
                        Some(artifact.output.name.clone()),
                    )
                })
                .collect();
            if *archive_kept {
                all.insert(
                    0,
                    record(&artifact.path, &artifact.output.name, archive, None),
                );
            }
            all
        }
    }
}
