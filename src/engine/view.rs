//! The snapshot, taken from the world. What did not change is shared with the snapshot before.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::plan::is_blocked;
use crate::engine::snapshot::{ConnectionView, JobView, KeyringState, Phase, Snapshot, Traffic};
use crate::engine::world::World;
use crate::model::artifact::Artifact;
use crate::model::folder::{CheckProgress, FolderCheck, FolderPage};
use crate::model::ids::JobId;
use crate::model::job::{Job, Stage};
use crate::model::notice::Did;
use crate::model::preview::Preview;
use crate::model::report::Report;
use crate::model::thumbnail::Thumbnails;

/// What the dispatcher knows besides the world.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Whether the engine works.
    pub phase: Phase,
    /// The file in the preview.
    pub preview: Option<Arc<Preview>>,
    /// Small pictures of files.
    pub thumbnails: Arc<Thumbnails>,
    /// The results folder that was last opened.
    pub folder: Option<Arc<FolderPage>>,
    /// The report that was asked for.
    pub report: Option<Arc<Report>>,
    /// Bytes on the move, by job: done and in all.
    pub bytes: BTreeMap<JobId, (u64, u64)>,
    /// How far each check of a results folder under way is.
    pub checks: BTreeMap<PathBuf, CheckProgress>,
    /// Bytes a second, up and down.
    pub rates: (u64, u64),
}

/// Takes the snapshot after `before`.
pub fn snapshot(world: &World, beside: &Beside, before: &Snapshot) -> Snapshot {
    let mut known: BTreeMap<JobId, &Arc<JobView>> =
        before.jobs.iter().map(|view| (view.job.id, view)).collect();
    let mut batches: Vec<_> = world.batches.values().cloned().collect();
    batches.reverse();
    let mut jobs = Vec::with_capacity(world.jobs.len());
    for batch in &batches {
        for job in batch.jobs.iter().filter_map(|id| world.jobs.get(id)) {
            let bytes = beside.bytes.get(&job.id).copied();
            let artifacts: Vec<Arc<Artifact>> = world.artifacts_of(job.id).cloned().collect();
            let waits_for_person = waits_for_person(world, job);
            let same = known.remove(&job.id).filter(|view| {
                Arc::ptr_eq(&view.job, job)
                    && view.bytes == bytes
                    && view.waits_for_person == waits_for_person
                    && view.artifacts.len() == artifacts.len()
                    && view
                        .artifacts
                        .iter()
                        .zip(&artifacts)
                        .all(|(one, other)| Arc::ptr_eq(one, other))
            });
            jobs.push(match same {
                Some(view) => view.clone(),
                None => Arc::new(JobView {
                    provider_name: world
                        .facts_of(job)
                        .map_or("Unknown platform", |facts| facts.name),
                    artifacts,
                    bytes,
                    input_bytes: batch
                        .files
                        .iter()
                        .filter(|file| job.files.contains(&file.id))
                        .map(|file| file.local.size_bytes)
                        .sum(),
                    folder: batch.folder.join(&job.folder),
                    words: words(world, job),
                    waits_for_person,
                    job: job.clone(),
                }),
            });
        }
    }
    let mut notices: Vec<_> = world.notices.values().cloned().collect();
    notices.reverse();
    Snapshot {
        seq: before.seq.saturating_add(1),
        phase: beside.phase.clone(),
        providers: world.facts.clone(),
        keyring: world.live.keyring.unwrap_or(KeyringState::Unknown),
        connections: connections(world),
        profiles: world.live.profiles.clone(),
        trial: world.live.trial.clone(),
        draft: world.live.draft.clone(),
        batches,
        notices,
        preview: beside.preview.clone(),
        thumbnails: beside.thumbnails.clone(),
        folder: beside.folder.clone(),
        checks: checks(world, beside),
        report: beside.report.clone(),
        settings: world.settings.clone(),
        default_results_folder: world.default_results_folder.clone(),
        traffic: Traffic {
            up_bytes_per_sec: beside.rates.0,
            down_bytes_per_sec: beside.rates.1,
            jobs_alive: world.alive.len(),
        },
        safe_to_close: !jobs.iter().any(|view| must_stay_open(view.job.stage)),
        jobs,
    }
}

/// The checks of results folders, those under way with how far they are.
fn checks(world: &World, beside: &Beside) -> Arc<BTreeMap<PathBuf, FolderCheck>> {
    let mut checks = Arc::clone(&world.live.checks);
    for (folder, far) in &beside.checks {
        if let Some(FolderCheck::Checking(shown)) = Arc::make_mut(&mut checks).get_mut(folder) {
            *shown = *far;
        }
    }
    checks
}

/// The first snapshot, before anything is known.
pub fn empty(world: &World, phase: Phase) -> Snapshot {
    Snapshot {
        seq: 0,
        phase,
        providers: world.facts.clone(),
        keyring: KeyringState::Unknown,
        connections: Vec::new(),
        profiles: None,
        trial: None,
        draft: Arc::default(),
        batches: Vec::new(),
        jobs: Vec::new(),
        notices: Vec::new(),
        preview: None,
        thumbnails: Arc::default(),
        folder: None,
        checks: Arc::default(),
        report: None,
        settings: world.settings.clone(),
        default_results_folder: Arc::new(PathBuf::clone(&world.default_results_folder)),
        traffic: Traffic::default(),
        safe_to_close: true,
    }
}

fn connections(world: &World) -> Vec<Arc<ConnectionView>> {
    let mut views: Vec<_> = world
        .connections
        .values()
        .map(|connection| {
            let link = world
                .live
                .links
                .get(&connection.id)
                .cloned()
                .unwrap_or_default();
            Arc::new(ConnectionView {
                connection: crate::model::connection::Connection::clone(connection),
                provider_name: world
                    .facts_of_connection(connection.id)
                    .map_or("Unknown platform", |facts| facts.name),
                key: link.key,
                check: link.check,
                pipelines: link.pipelines,
                forms: link.forms,
                browsed: link.browsed,
                listed: link.listed,
                budget: link.budget,
                adopting: link.adopting,
            })
        })
        .collect();
    views.sort_by(|one, other| one.connection.label.cmp(&other.connection.label));
    views
}

/// While files or results are moving, closing interrupts them; while the platform works it does not.
const fn must_stay_open(stage: Stage) -> bool {
    match stage {
        Stage::Waiting | Stage::Uploading | Stage::Submitting | Stage::Downloading => true,
        Stage::Queued
        | Stage::Running
        | Stage::Done
        | Stage::Failed
        | Stage::Cancelled
        | Stage::Unconfirmed => false,
    }
}

fn waits_for_person(world: &World, job: &Job) -> bool {
    job.stage == Stage::Unconfirmed
        || (!job.stage.is_settled() && is_blocked(world, job.connection))
}

fn words(world: &World, job: &Job) -> Option<crate::model::notice::Words> {
    if !job.stage.is_settled()
        && let Some(blocked) = world
            .live
            .links
            .get(&job.connection)
            .and_then(|link| link.blocked.as_ref())
    {
        return Some(world.words_of_connection(job.connection, blocked, Did::Stopped));
    }
    let error = job.error.as_ref()?;
    let did = match (job.stage, job.wait_until) {
        (Stage::Unconfirmed, _) | (Stage::Submitting, None) => Did::LeftUnconfirmed,
        (_, Some(until)) => Did::WillTryAgain(until),
        (_, None) => Did::Stopped,
    };
    Some(world.words_of_job(job, error, did))
}
