//! The journal in memory: what was committed, under the rules of the real one's tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use labferry::engine::world::World;
use labferry::model::artifact::Artifact;
use labferry::model::batch::Batch;
use labferry::model::connection::Connection;
use labferry::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId, NoticeId};
use labferry::model::job::Job;
use labferry::model::notice::Notice;
use labferry::model::remote::StagedFile;
use labferry::model::settings::AppSettings;
use labferry::store::journal::{Change, Contents, LastIds};

/// What is on the drive.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) connections: BTreeMap<ConnectionId, Arc<Connection>>,
    pub(super) batches: BTreeMap<BatchId, Arc<Batch>>,
    pub(super) jobs: BTreeMap<JobId, Arc<Job>>,
    pub(super) staged: BTreeMap<(ConnectionId, FileId), StagedFile>,
    pub(super) kept: BTreeMap<(ConnectionId, FileId), String>,
    pub(super) artifacts: BTreeMap<ArtifactId, Arc<Artifact>>,
    pub(super) notices: BTreeMap<NoticeId, Arc<Notice>>,
    settings: AppSettings,
    last_ids: LastIds,
}

impl Journal {
    /// One transaction.
    pub(super) fn commit(&mut self, changes: &[Change]) {
        for change in changes {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: &Change) {
        let last = &mut self.last_ids;
        match change {
            Change::PutConnection(connection) => {
                last.connection = last.connection.max(connection.id);
                self.connections.insert(connection.id, connection.clone());
            }
            Change::RemoveConnection(id) => {
                self.connections.remove(id);
                self.staged.retain(|(over, _), _| over != id);
                self.kept.retain(|(over, _), _| over != id);
            }
            Change::PutBatch(batch) => {
                last.batch = last.batch.max(batch.id);
                for file in &batch.files {
                    last.file = last.file.max(file.id);
                }
                self.batches.insert(batch.id, batch.clone());
            }
            Change::RemoveBatch(id) => {
                if let Some(batch) = self.batches.remove(id) {
                    let files: BTreeSet<FileId> = batch.files.iter().map(|file| file.id).collect();
                    self.staged.retain(|(_, file), _| !files.contains(file));
                    self.kept.retain(|(_, file), _| !files.contains(file));
                }
            }
            Change::PutJob(job) => {
                last.job = last.job.max(job.id);
                self.jobs.insert(job.id, job.clone());
            }
            Change::RemoveJob(id) => drop(self.jobs.remove(id)),
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
            } => drop(self.kept.insert((*connection, *file), text.clone())),
            Change::PutArtifact(artifact) => {
                last.artifact = last.artifact.max(artifact.id);
                self.artifacts.insert(artifact.id, artifact.clone());
            }
            Change::RemoveArtifact(id) => drop(self.artifacts.remove(id)),
            Change::PutNotice(notice) => {
                last.notice = last.notice.max(notice.id);
                self.notices.insert(notice.id, notice.clone());
            }
            Change::RemoveNotice(id) => drop(self.notices.remove(id)),
            Change::PutSettings(settings) => self.settings = settings.clone(),
        }
    }

    /// What a start reads.
    pub(super) fn contents(&self) -> Contents {
        let by_file = |((connection, file), text): (&(ConnectionId, FileId), &String)| {
            (*connection, *file, text.clone())
        };
        Contents {
            connections: self.connections.values().cloned().collect(),
            batches: self.batches.values().cloned().collect(),
            jobs: self.jobs.values().cloned().collect(),
            staged: self
                .staged
                .iter()
                .map(|((connection, file), staged)| (*connection, *file, staged.clone()))
                .collect(),
            kept: self.kept.iter().map(by_file).collect(),
            artifacts: self.artifacts.values().cloned().collect(),
            notices: self.notices.values().cloned().collect(),
            settings: self.settings.clone(),
            last_ids: self.last_ids,
        }
    }

    /// The world must hold exactly what a restart would read.
    pub(super) fn must_equal(&self, world: &World) {
        assert!(
            same(&self.connections, &world.connections),
            "the journal and the world disagree about connections"
        );
        assert!(
            same(&self.batches, &world.batches),
            "the journal and the world disagree about batches"
        );
        assert!(
            same(&self.jobs, &world.jobs),
            "the journal and the world disagree about jobs"
        );
        assert!(
            same(&self.artifacts, &world.artifacts),
            "the journal and the world disagree about artifacts"
        );
        assert!(
            same(&self.notices, &world.notices),
            "the journal and the world disagree about notices"
        );
        assert!(
            self.staged == world.staged,
            "the journal and the world disagree about files at platforms"
        );
        assert!(
            self.kept == world.kept,
            "the journal and the world disagree about uploads under way"
        );
        assert!(
            self.settings == *world.settings,
            "the journal and the world disagree about settings"
        );
        let (mine, theirs) = (self.last_ids, world.last_ids);
        assert!(
            // The number of a connection is taken before its key is in the vault.
            mine.connection <= theirs.connection
                && LastIds {
                    connection: theirs.connection,
                    ..mine
                } == theirs,
            "the journal and the world disagree about numbers given out"
        );
        assert!(
            world.alive.iter().all(|id| self.jobs.contains_key(id))
                && world
                    .jobs
                    .values()
                    .all(|job| job.stage.is_settled() != world.alive.contains(&job.id)),
            "the jobs alive are not those that are not settled"
        );
    }
}

/// Entities are shared between both, so that most of them are the very same.
fn same<Id: Ord, Entity: PartialEq>(
    one: &BTreeMap<Id, Arc<Entity>>,
    other: &BTreeMap<Id, Arc<Entity>>,
) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|((id, entity), (other_id, other))| {
                id == other_id && (Arc::ptr_eq(entity, other) || entity == other)
            })
}
