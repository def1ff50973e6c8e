//! What the receipt of a batch says, taken from the journal's state.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::world::World;
use crate::model::artifact::{Artifact, ArtifactState, Fetched};
use crate::model::batch::Batch;
use crate::model::form::Value;
use crate::model::job::{Job, Stage};
use crate::model::remote::{JobStatus, StagedFile};
use crate::results::provenance::{JobRecord, PlacedInput, RunState, SettingRecord};
use crate::results::receipt::{FileRecord, InputRecord, Receipt, SCHEMA};

/// The line of a job's history that says its platform finished it.
pub const FINISHED_THERE: &str = "Finished at the platform";

/// The line that says it failed there and left something.
pub const FAILED_THERE: &str = "Failed at the platform; fetching what it left";

/// The line that says it was stopped there.
pub const STOPPED_THERE: &str = "Stopped at the platform";

/// Longest reason of a failure that is kept, in characters.
const MOST_REASON_CHARS: usize = 1_000;

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
        jobs: batch
            .jobs
            .iter()
            .filter_map(|id| world.jobs.get(id))
            .map(|job| job_record(world, batch, job))
            .collect(),
        beside: BTreeMap::new(),
    }
}

fn job_record(world: &World, batch: &Batch, job: &Job) -> JobRecord {
    let name_of = |id| {
        let file = batch.files.iter().find(|file| file.id == id);
        file.map(|file| file.local.name.clone())
    };
    let left_out = job.left_out.iter().map(|left| left.file);
    let inputs = batch.files.iter().enumerate().filter(|(_, file)| {
        job.files.contains(&file.id) && !job.left_out.iter().any(|left| left.file == file.id)
    });
    JobRecord {
        tag: job.tag.0.clone(),
        name: job.name.clone(),
        folder: job.folder.clone(),
        connection: job.connection_label.clone(),
        platform: platform(world, job),
        pipeline_id: job.pipeline.id.0.clone(),
        pipeline: job.pipeline.name.clone(),
        pipeline_description: job.pipeline.description.clone(),
        remote_id: job.remote.as_ref().map(|remote| remote.id.clone()),
        account: account(world, job),
        state: run_state(job),
        reason: reason(job),
        sent: job.submitted_at,
        ended: ended(job),
        inputs: inputs.map(|(place, _)| place).collect(),
        placed: placed(job),
        left_out: left_out.filter_map(name_of).collect(),
        settings: settings(job),
    }
}

/// What the platform calls who it knows us as. A host where nobody signs in is nobody, and an email address is not ours to
/// put into a file that is made to be passed on.
fn account(world: &World, job: &Job) -> Option<String> {
    let connection = world.connections.get(&job.connection)?;
    let name = connection.account.as_ref()?.name.trim().to_owned();
    let host = connection.base_url.split('/').nth(2).unwrap_or_default();
    let is_somebody = !name.is_empty() && !name.contains('@') && !host.contains(name.as_str());
    is_somebody.then_some(name)
}

fn run_state(job: &Job) -> RunState {
    match job.report.as_ref().map(|report| &report.status) {
        Some(JobStatus::Succeeded) => RunState::Completed,
        Some(JobStatus::Failed { .. }) => RunState::Failed,
        Some(JobStatus::Cancelled) => RunState::Cancelled,
        Some(
            JobStatus::Queued
            | JobStatus::Running { .. }
            | JobStatus::Gone
            | JobStatus::Unrecognized(_),
        )
        | None => {
            let stopped = job
                .timeline
                .last()
                .is_some_and(|last| last.what == STOPPED_THERE);
            match job.stage {
                Stage::Cancelled if stopped => RunState::Cancelled,
                Stage::Failed | Stage::Cancelled
                    if job.remote.is_none() && job.submitted_at.is_none() =>
                {
                    RunState::NotSent
                }
                _ => RunState::Unfinished,
            }
        }
    }
}

fn reason(job: &Job) -> Option<String> {
    match &job.report.as_ref()?.status {
        JobStatus::Failed {
            reason: Some(reason),
        } => Some(reason.chars().take(MOST_REASON_CHARS).collect()),
        _ => None,
    }
}

/// When we first saw that the platform had ended it.
fn ended(job: &Job) -> Option<Timestamp> {
    let told = [FINISHED_THERE, FAILED_THERE, STOPPED_THERE];
    let mut lines = job.timeline.iter().rev();
    if let Some(line) = lines.find(|line| told.contains(&line.what.as_str())) {
        return Some(line.at);
    }
    // Where nothing is left to fetch, the failure there is the job's own.
    let failed = job.stage == Stage::Failed && run_state(job) == RunState::Failed;
    failed.then_some(job.last_change)
}

fn placed(job: &Job) -> Vec<PlacedInput> {
    fn picked<'a>(value: &'a Value, found: &mut Vec<&'a StagedFile>) {
        match value {
            Value::Picked(files) => found.extend(files),
            Value::List(values) => values.iter().for_each(|value| picked(value, found)),
            Value::Variant(_, value) => picked(value, found),
            Value::Flag(_) | Value::Text(_) | Value::Inputs => {}
        }
    }
    let mut found: Vec<&StagedFile> = job.existing.iter().collect();
    for value in job.settings.values() {
        picked(value, &mut found);
    }
    let mut placed: Vec<PlacedInput> = Vec::new();
    for file in found {
        if placed.iter().all(|known| known.id != file.id) {
            placed.push(PlacedInput {
                id: file.id.clone(),
                name: file.name.clone(),
                size_bytes: file.size_bytes,
                sha256: file.sha256.clone(),
            });
        }
    }
    placed
}

fn settings(job: &Job) -> Vec<SettingRecord> {
    job.settings
        .iter()
        .map(|(name, value)| SettingRecord {
            name: name.clone(),
            label: job.labels.get(name).cloned(),
            value: value.shown(),
        })
        .collect()
}

fn platform(world: &World, job: &Job) -> String {
    world
        .facts_of(job)
        .map_or_else(|| job.provider.to_string(), |facts| facts.name.to_owned())
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
        platform: platform(world, job),
        pipeline: job.pipeline.name.clone(),
        remote_id: job
            .remote
            .as_ref()
            .map(|remote| remote.id.clone())
            .unwrap_or_default(),
        size_bytes: proof.size_bytes,
        sha256: proof.sha256.clone(),
        fetched_at: proof.at,
        hash_given: from_archive.is_none() && artifact.output.sha256.is_some(),
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
