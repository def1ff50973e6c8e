//! Everything the engine knows: what is in the journal, and what lives only while it runs.
//!
//! Decisions change it through [`World::write`] alone, which also says what has to go into the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::event::{Effect, Now, Work, WorkKey};
use crate::engine::live::{Link, Live};
use crate::engine::pace::Pace;
use crate::model::artifact::Artifact;
use crate::model::batch::Batch;
use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId, NoticeId};
use crate::model::job::{Job, Moment, Stage};
use crate::model::notice::{About, Action, Did, Notice, Subject, Weight, Words, details, explain};
use crate::model::provider::ProviderFacts;
use crate::model::remote::{JobStatus, StagedFile};
use crate::model::settings::AppSettings;
use crate::store::journal::{Change, LastIds};

/// The state.
#[derive(Clone, Debug)]
pub struct World {
    /// Saved connections.
    pub connections: BTreeMap<ConnectionId, Arc<Connection>>,
    /// Sent batches.
    pub batches: BTreeMap<BatchId, Arc<Batch>>,
    /// Their jobs.
    pub jobs: BTreeMap<JobId, Arc<Job>>,
    /// What is at which platform already.
    pub staged: BTreeMap<(ConnectionId, FileId), StagedFile>,
    /// What uploads under way want remembered.
    pub kept: BTreeMap<(ConnectionId, FileId), String>,
    /// Results of jobs.
    pub artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    /// Messages that were not dismissed.
    pub notices: BTreeMap<NoticeId, Arc<Notice>>,
    /// As saved.
    pub settings: Arc<AppSettings>,
    /// The highest numbers given so far.
    pub last_ids: LastIds,
    /// Jobs that are not settled; follows from `jobs`.
    pub alive: BTreeSet<JobId>,
    /// Results by job; follows from `artifacts`.
    pub artifacts_of: BTreeMap<JobId, Vec<ArtifactId>>,
    /// What no restart brings back.
    pub live: Live,
    /// How long to wait for what.
    pub pace: Pace,
    /// All platforms there are.
    pub facts: Arc<[&'static ProviderFacts]>,
    /// Where results go when the settings name no folder.
    pub default_results_folder: Arc<PathBuf>,
    effects: Vec<Effect>,
}

impl World {
    /// A world without anything in it.
    pub fn new(
        facts: Arc<[&'static ProviderFacts]>,
        pace: Pace,
        default_results_folder: PathBuf,
    ) -> Self {
        Self {
            connections: BTreeMap::new(),
            batches: BTreeMap::new(),
            jobs: BTreeMap::new(),
            staged: BTreeMap::new(),
            kept: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            notices: BTreeMap::new(),
            settings: Arc::default(),
            last_ids: LastIds::default(),
            alive: BTreeSet::new(),
            artifacts_of: BTreeMap::new(),
            live: Live::default(),
            pace,
            facts,
            default_results_folder: Arc::new(default_results_folder),
            effects: Vec::new(),
        }
    }

    /// Changes the state and asks for the same change in the journal.
    pub fn write(&mut self, change: Change) {
        self.apply(&change);
        self.effects.push(Effect::Write(change));
    }

    /// Asks for something else.
    pub fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Asks for work, unless the same is under way.
    pub fn start(&mut self, work: Work) {
        if matches!(work, Work::Scan { .. }) {
            self.live.scans = self.live.scans.wrapping_add(1);
        }
        let key = work.key(self.live.scans);
        if self.live.running.insert(key.clone()) {
            self.live.given_up.remove(&key);
            self.live.former.remove(&key);
            self.effects.push(Effect::Start(work));
        }
    }

    /// Whether this work is under way.
    pub fn is_running(&self, key: &WorkKey) -> bool {
        self.live.running.contains(key)
    }

    /// Takes what the decision asked for.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Changes the state only; the journal has the change already.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::PutConnection(connection) => {
                self.last_ids.connection = self.last_ids.connection.max(connection.id);
                self.connections.insert(connection.id, connection.clone());
            }
            Change::RemoveConnection(id) => {
                self.connections.remove(id);
                self.forget_uploads(|over, _| over == *id);
            }
            Change::PutBatch(batch) => {
                self.last_ids.batch = self.last_ids.batch.max(batch.id);
                for file in &batch.files {
                    self.last_ids.file = self.last_ids.file.max(file.id);
                }
                self.batches.insert(batch.id, batch.clone());
            }
            Change::RemoveBatch(id) => {
                if let Some(batch) = self.batches.remove(id) {
                    self.forget_uploads(|_, file| batch.files.iter().any(|own| own.id == file));
                }
            }
            Change::PutJob(job) => {
                self.last_ids.job = self.last_ids.job.max(job.id);
                if job.stage.is_settled() {
                    self.alive.remove(&job.id);
                } else {
                    self.alive.insert(job.id);
                }
                self.jobs.insert(job.id, job.clone());
            }
            Change::RemoveJob(id) => {
                self.alive.remove(id);
                self.jobs.remove(id);
                self.artifacts_of.remove(id);
            }
            Change::PutStaged {
                connection,
                file,
                staged,
            } => {
                self.staged.insert((*connection, *file), staged.clone());
                self.kept.remove(&(*connection, *file));
            }
            Change::PutKept {
                connection,
                file,
                text,
            } => {
                self.kept.insert((*connection, *file), text.clone());
            }
            Change::PutArtifact(artifact) => {
                self.last_ids.artifact = self.last_ids.artifact.max(artifact.id);
                if self
                    .artifacts
                    .insert(artifact.id, artifact.clone())
                    .is_none()
                {
                    self.artifacts_of
                        .entry(artifact.job)
                        .or_default()
                        .push(artifact.id);
                }
            }
            Change::RemoveArtifact(id) => {
                if let Some(artifact) = self.artifacts.remove(id)
                    && let Some(siblings) = self.artifacts_of.get_mut(&artifact.job)
                {
                    siblings.retain(|sibling| sibling != id);
                }
            }
            Change::PutNotice(notice) => {
                self.last_ids.notice = self.last_ids.notice.max(notice.id);
                self.notices.insert(notice.id, notice.clone());
            }
            Change::RemoveNotice(id) => {
                self.notices.remove(id);
            }
            Change::PutSettings(settings) => self.settings = Arc::new(settings.clone()),
        }
    }

    fn forget_uploads(&mut self, is_gone: impl Fn(ConnectionId, FileId) -> bool) {
        self.staged.retain(|(over, file), _| !is_gone(*over, *file));
        self.kept.retain(|(over, file), _| !is_gone(*over, *file));
    }

    /// The facts of a job's platform; a platform that is gone from the program has none.
    pub fn facts_of(&self, job: &Job) -> Option<&'static ProviderFacts> {
        self.facts
            .iter()
            .copied()
            .find(|facts| facts.id == job.provider)
    }

    /// The facts of a connection's platform.
    pub fn facts_of_connection(&self, id: ConnectionId) -> Option<&'static ProviderFacts> {
        let provider = &self.connections.get(&id)?.provider;
        self.facts
            .iter()
            .copied()
            .find(|facts| &facts.id == provider)
    }

    /// The link of a connection, made when missing.
    pub fn link(&mut self, id: ConnectionId) -> &mut Link {
        self.live.links.entry(id).or_default()
    }

    /// The artifacts of a job, in the order listed.
    pub fn artifacts_of(&self, job: JobId) -> impl Iterator<Item = &Arc<Artifact>> {
        self.artifacts_of
            .get(&job)
            .into_iter()
            .flatten()
            .filter_map(|id| self.artifacts.get(id))
    }

    /// A job to change and put back with [`World::put_job`].
    pub fn job(&self, id: JobId) -> Option<Job> {
        self.jobs.get(&id).map(|job| Job::clone(job))
    }

    /// Puts a job back.
    pub fn put_job(&mut self, job: Job) {
        self.write(Change::PutJob(Arc::new(job)));
    }

    /// Puts a notice into the snapshot.
    pub fn notice(
        &mut self,
        now: Now,
        about: About,
        weight: Weight,
        words: Words,
        details: Vec<(String, String)>,
    ) {
        let id = NoticeId(self.last_ids.notice.0.saturating_add(1));
        let notice = Notice {
            id,
            at: now.at,
            about,
            weight,
            words,
            details,
        };
        self.write(Change::PutNotice(Arc::new(notice)));
    }

    /// Explains a failure of a job in a notice.
    pub fn notice_of_job(&mut self, now: Now, job: &Job, error: &Error, did: Did) {
        let words = self.words_of_job(job, error, did);
        self.notice(
            now,
            About::Job(job.id),
            Weight::Problem,
            words,
            details(error),
        );
    }

    /// A failure of a job in words.
    pub fn words_of_job(&self, job: &Job, error: &Error, did: Did) -> Words {
        let provider = self
            .facts_of(job)
            .map_or("The platform", |facts| facts.name);
        let ended_badly = matches!(
            job.report.as_ref().map(|report| &report.status),
            Some(JobStatus::Failed { .. })
        );
        if ended_badly && error.kind() == ErrorKind::Invalid && error.doing() == Doing::Poll {
            return Words {
                what: format!("The analysis “{}” failed at {provider}.", job.name),
                did: if self.artifacts_of(job.id).next().is_some() {
                    "Labferry fetched what it left.".to_owned()
                } else {
                    "There are no results to fetch.".to_owned()
                },
                next: "See the platform's message, then try again or change the settings."
                    .to_owned(),
                action: Some(Action::TryAgain),
            };
        }
        let subject = Subject {
            provider,
            connection: &job.connection_label,
            name: &job.name,
        };
        explain(error, subject, did)
    }

    /// A failure of a connection in words.
    pub fn words_of_connection(&self, id: ConnectionId, error: &Error, did: Did) -> Words {
        let provider = self
            .facts_of_connection(id)
            .map_or("The platform", |facts| facts.name);
        let label = self
            .connections
            .get(&id)
            .map_or("", |connection| connection.label.as_str());
        explain(
            error,
            Subject {
                provider,
                connection: label,
                name: label,
            },
            did,
        )
    }
}

/// Moves a job on; what cannot be a legal move is refused and logged, as it would be a fault of a decision.
pub fn move_job(job: &mut Job, stage: Stage, now: Now, what: impl Into<String>) {
    let legal = job.stage == stage || job.stage.may_move_to(stage);
    debug_assert!(legal, "{:?} to {stage:?} is no legal move", job.stage);
    if !legal {
        tracing::error!(job = job.id.0, from = ?job.stage, to = ?stage, "refused an illegal move");
        return;
    }
    job.stage = stage;
    job.last_change = now.at;
    note(job, now, what);
}

/// Adds a line to a job's history; the same line twice in a row stands once.
pub fn note(job: &mut Job, now: Now, what: impl Into<String>) {
    let what = what.into();
    if job.timeline.last().is_none_or(|last| last.what != what) {
        job.timeline.push(Moment { at: now.at, what });
    }
}

/// This long after the moment; the far end of time where that does not exist.
pub fn later(now: Now, wait: Duration) -> Timestamp {
    now.at.checked_add(wait).unwrap_or(Timestamp::MAX)
}
