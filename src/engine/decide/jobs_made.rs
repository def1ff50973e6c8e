//! The jobs that targets become, and the job that one made elsewhere becomes.

use std::collections::BTreeSet;

use crate::engine::event::Now;
use crate::engine::world::{World, note};
use crate::model::batch::{BatchFile, Target};
use crate::model::connection::Connection;
use crate::model::form::{Labels, Settings};
use crate::model::ids::{BatchId, FileId, JobId, Tag};
use crate::model::job::{Job, Stage};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{ListedJob, StagedFile};
use crate::results::names;
use crate::results::provenance::{CRATE_NAME, METHODS_NAME};
use crate::results::receipt::RECEIPT_NAME;

/// The inputs of one job, and what tells it from its siblings.
#[derive(Default)]
struct Share {
    /// The file or the sample value; none where there are no siblings.
    label: Option<String>,
    files: Vec<FileId>,
    existing: Vec<StagedFile>,
}

/// The jobs of a batch, in the order of its targets.
pub(super) fn of_targets(
    world: &World,
    batch: BatchId,
    files: &[BatchFile],
    targets: &[Target],
    now: Now,
) -> Vec<Job> {
    let own = [RECEIPT_NAME, METHODS_NAME, CRATE_NAME];
    let mut folders: BTreeSet<String> = own.into_iter().map(str::to_owned).collect();
    let mut taken = BTreeSet::new();
    let mut jobs = Vec::new();
    let mut number = world.last_ids.job.0;
    for target in targets {
        let Some(connection) = world.connections.get(&target.connection) else {
            continue;
        };
        for share in shares(target, files) {
            number = number.saturating_add(1);
            let pipeline = &target.pipeline.name;
            // On screen the file comes first, as that is what differs from row to row.
            let (name, folder) = match &share.label {
                Some(label) => (
                    format!("{label} - {pipeline}"),
                    format!("{} - {pipeline} - {label}", connection.label),
                ),
                None => (
                    pipeline.clone(),
                    format!("{} - {pipeline}", connection.label),
                ),
            };
            let mut job = Job {
                name: names::unique(&mut taken, &name),
                folder: names::unique(&mut folders, &names::clean(&folder)),
                files: share.files,
                existing: share.existing,
                settings: target.settings.clone(),
                fan_out: target.fan_out,
                sample_column: target.sample_column.clone(),
                ..blank(
                    JobId(number),
                    batch,
                    connection,
                    target.pipeline.clone(),
                    now,
                )
            };
            note(&mut job, now, "Ready to be sent");
            jobs.push(job);
        }
    }
    jobs
}

/// How the inputs of a target are shared out.
fn shares(target: &Target, files: &[BatchFile]) -> Vec<Share> {
    let all = || {
        vec![Share {
            files: if target.existing.is_empty() {
                files.iter().map(|file| file.id).collect()
            } else {
                Vec::new()
            },
            existing: target.existing.clone(),
            label: None,
        }]
    };
    match target.fan_out {
        FanOut::AllInOne | FanOut::BatchPerFile | FanOut::BatchPerSample => all(),
        FanOut::OnePerFile if target.existing.is_empty() => files
            .iter()
            .map(|file| Share {
                label: Some(file.local.name.clone()),
                files: vec![file.id],
                existing: Vec::new(),
            })
            .collect(),
        FanOut::OnePerFile => target
            .existing
            .iter()
            .map(|input| Share {
                label: Some(input.name.clone()),
                files: Vec::new(),
                existing: vec![input.clone()],
            })
            .collect(),
        FanOut::OnePerSample => match &target.sample_column {
            Some(column) => by_sample(column, files),
            None => all(),
        },
    }
}

/// The files of each value, in the order in which values first occur. Files without value are refused before.
fn by_sample(column: &str, files: &[BatchFile]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for file in files {
        let Some(value) = file.samples.get(column) else {
            continue;
        };
        let label = Some(value.clone());
        match shares.iter_mut().find(|share| share.label == label) {
            Some(share) => share.files.push(file.id),
            None => shares.push(Share {
                label,
                files: vec![file.id],
                existing: Vec::new(),
            }),
        }
    }
    shares
}

/// A job that was made elsewhere: its platform has it already, and there is nothing to send.
pub(super) fn adopted(
    world: &World,
    batch: BatchId,
    connection: &Connection,
    listed: ListedJob,
    now: Now,
) -> Job {
    let number = JobId(world.last_ids.job.0.saturating_add(1));
    let folder = format!("{} - {}", connection.label, listed.pipeline.name);
    let mut job = Job {
        name: listed.name,
        folder: names::clean(&folder),
        stage: Stage::Queued,
        remote: Some(listed.remote),
        ..blank(number, batch, connection, listed.pipeline, now)
    };
    note(&mut job, now, "Made elsewhere and adopted");
    job
}

/// A job of which nothing has happened yet.
fn blank(id: JobId, batch: BatchId, connection: &Connection, pipeline: Pipeline, now: Now) -> Job {
    Job {
        id,
        batch,
        connection: connection.id,
        connection_label: connection.label.clone(),
        provider: connection.provider.clone(),
        pipeline,
        name: String::new(),
        files: Vec::new(),
        settings: Settings::new(),
        labels: Labels::new(),
        tag: tag(now.random.wrapping_add(id.0)),
        folder: String::new(),
        stage: Stage::Waiting,
        remote: None,
        report: None,
        seen_before: None,
        candidates: Vec::new(),
        error: None,
        attempts: 0,
        faults: 0,
        wait_until: None,
        last_change: now.at,
        cancel_wanted: false,
        left_out: Vec::new(),
        outputs_listed: false,
        timeline: Vec::new(),
        fan_out: FanOut::AllInOne,
        sample_column: None,
        existing: Vec::new(),
        gathered: None,
        drafted: None,
        submitted_at: None,
    }
}

/// A tag that nobody else makes: eight characters of an alphabet without look-alikes.
pub(super) fn tag(random: u64) -> Tag {
    const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
    let mut chance = fastrand::Rng::with_seed(random);
    let text: String = (0..8)
        .filter_map(|_| chance.choice(ALPHABET).map(|byte| char::from(*byte)))
        .collect();
    Tag(format!("lf-{text}"))
}
