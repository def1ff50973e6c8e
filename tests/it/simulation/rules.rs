//! What must be true after every step, whatever happened.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use labferry::engine::command::{Command, Resolution};
use labferry::engine::event::{Event, WorkKey};
use labferry::engine::plan::next_wake;
use labferry::engine::snapshot::{Phase, Snapshot};
use labferry::engine::view::{self, Beside};
use labferry::engine::world::World;
use labferry::model::artifact::{Artifact, ArtifactState, Fetched};
use labferry::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId};
use labferry::model::job::{Job, Stage};
use labferry::model::provider::Intake;
use labferry::model::remote::RemoteJob;
use labferry::store::journal::Change;

use super::life::Life;
use super::reasons::Reason;

/// Longest time until something that waits is due again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(61);

/// Longest time until it is after the clock was set.
const AFTER_JUMP: SignedDuration = SignedDuration::from_mins(1);

/// What of an event allows which changes.
pub(super) enum Cause {
    Fetched(ArtifactId, Fetched),
    Unpacked(ArtifactId),
    Receipt(BatchId, Vec<JobId>),
    Kept(ConnectionId, FileId, String),
    Commit(JobId, Option<RemoteJob>),
    Forget(JobId),
    /// The person wants these tried again or decides about them.
    Person(Option<JobId>, Option<BatchId>),
    Other,
}

impl Cause {
    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::Fetched(id, Ok(fetched)) => Self::Fetched(*id, fetched.clone()),
            Event::Unpacked(id, _) | Event::Broke(WorkKey::Unpack(id), _) => Self::Unpacked(*id),
            Event::ReceiptWritten(batch, jobs, Ok(())) => Self::Receipt(*batch, jobs.clone()),
            Event::KeepAsked(connection, file, text) => {
                Self::Kept(*connection, *file, text.clone())
            }
            Event::CommitAsked(job, draft) => Self::Commit(*job, draft.clone()),
            Event::Command(Command::ForgetJob(job)) => Self::Forget(*job),
            Event::Command(
                Command::RetryJob(job)
                | Command::ResolveUnconfirmed(
                    job,
                    Resolution::SendAgain | Resolution::Leave | Resolution::Adopt(_),
                ),
            ) => Self::Person(Some(*job), None),
            Event::Command(Command::RetryFailed(batch)) => Self::Person(None, Some(*batch)),
            _ => Self::Other,
        }
    }
}

impl Life {
    /// What a decision may write, against what the journal holds before it.
    pub(super) fn check_changes(&self, cause: &Cause, changes: &[Change]) {
        for change in changes {
            match change {
                Change::PutArtifact(artifact) => self.check_artifact(cause, artifact),
                Change::PutJob(job) => self.check_job(cause, job),
                Change::RemoveJob(id) => assert!(
                    matches!(cause, Cause::Forget(wanted) if wanted == id)
                        && self.journal.jobs[id].stage.is_settled(),
                    "a job was lost"
                ),
                _ => {}
            }
        }
    }

    /// No final name on an unchecked file.
    fn check_artifact(&self, cause: &Cause, artifact: &Artifact) {
        let before = self.journal.artifacts.get(&artifact.id);
        let was = before.map(|before| &before.state);
        match &artifact.state {
            ArtifactState::Fetched(proof) => {
                let is_new = !matches!(was, Some(ArtifactState::Fetched(known)) if known == proof);
                let came = matches!(cause, Cause::Fetched(id, came) if *id == artifact.id && came == proof);
                assert!(
                    !is_new || came,
                    "a result counts as fetched that did not come"
                );
            }
            ArtifactState::Unpacked { archive, .. } => {
                let was_fetched =
                    matches!(was, Some(ArtifactState::Fetched(known)) if known == archive);
                assert!(
                    was == Some(&artifact.state)
                        || (was_fetched
                            && matches!(cause, Cause::Unpacked(id) if *id == artifact.id)),
                    "an archive counts as unpacked that was not"
                );
            }
            ArtifactState::Offered | ArtifactState::Preparing { .. } | ArtifactState::Failed(_) => {
            }
        }
    }

    fn check_job(&self, cause: &Cause, job: &Job) {
        for candidate in &job.candidates {
            let taken = |other: &&Arc<Job>| {
                other.id != job.id
                    && other.connection == job.connection
                    && other.remote.as_ref() == Some(candidate)
            };
            assert!(
                !self.journal.jobs.values().any(|other| taken(&other)),
                "a job is offered that belongs to another one"
            );
        }
        let before = self.journal.jobs.get(&job.id);
        if job.stage == Stage::Uploading
            && before.is_some_and(|before| before.stage == Stage::Waiting)
        {
            self.check_room(job.connection);
        }
        if job.stage == Stage::Done && before.is_none_or(|before| before.stage != Stage::Done) {
            let Cause::Receipt(batch, jobs) = cause else {
                panic!("a job is done without a receipt");
            };
            assert!(
                jobs.contains(&job.id) && *batch == job.batch,
                "a job is done that is not in the receipt"
            );
            self.check_done(job);
        }
    }

    /// No job is begun beyond what the platform takes at once. What waits for the person takes no place.
    fn check_room(&self, id: ConnectionId) {
        let facts = self.platforms[&id].facts.capabilities;
        let Some(limit) = facts.limits.jobs_alive else {
            return;
        };
        let jobs = self.world.jobs.values();
        let alive = jobs.filter(|job| {
            job.connection == id
                && match job.stage {
                    Stage::Submitting | Stage::Queued | Stage::Running => true,
                    Stage::Uploading => facts.intake == Intake::WithSubmission,
                    _ => false,
                }
        });
        assert!(alive.count() <= limit, "more jobs than the platform takes");
    }

    /// Every result of a finished job is on the drive and in the receipt there.
    fn check_done(&self, job: &Job) {
        assert!(
            job.outputs_listed,
            "a job is done before its results are known"
        );
        let nothing = BTreeSet::new();
        let named = self.receipts.get(&job.batch).unwrap_or(&nothing);
        let batch = &self.journal.batches[&job.batch];
        let is_there = |path: &str, content: &str| {
            let place = format!("{}/{path}", job.folder);
            let there = self.drive.get(&batch.folder.join(Path::new(&place)));
            assert!(
                there.is_some_and(|there| there == content),
                "a result of a finished job is not on the drive"
            );
            assert!(
                named.contains(&place),
                "a result of a finished job is not in the receipt"
            );
        };
        let artifacts = self.journal.artifacts.values();
        for artifact in artifacts.filter(|artifact| artifact.job == job.id) {
            match &artifact.state {
                ArtifactState::Fetched(proof) => {
                    assert!(!artifact.output.unpack, "an archive was not unpacked");
                    is_there(&artifact.path, &proof.sha256);
                }
                ArtifactState::Unpacked { files, .. } => {
                    for file in files {
                        is_there(&file.path, &file.sha256);
                    }
                }
                ArtifactState::Offered
                | ArtifactState::Preparing { .. }
                | ArtifactState::Failed(_) => panic!("a job is done without one of its results"),
            }
        }
    }

    /// What follows from a commit for what must be true from here on.
    pub(super) fn promise(&mut self, cause: &Cause, changes: &[Change]) {
        for change in changes {
            match change {
                Change::PutJob(job) => drop(self.promised.insert(job.id)),
                Change::RemoveJob(id) => drop(self.promised.remove(id)),
                Change::PutStaged {
                    connection, file, ..
                } => drop(self.kept.remove(&(*connection, *file))),
                Change::RemoveConnection(id) => self.kept.retain(|(over, _), _| over != id),
                Change::RemoveBatch(_) => {
                    let known = &self.journal.kept;
                    self.kept.retain(|place, _| known.contains_key(place));
                }
                _ => {}
            }
        }
        match cause {
            Cause::Kept(connection, file, text) => {
                self.kept.insert((*connection, *file), text.clone());
            }
            Cause::Commit(job, Some(draft)) => {
                let lets_go = self.journal.jobs.get(job);
                if lets_go.is_some_and(|job| job.stage == Stage::Submitting) {
                    self.drafted.insert(*job, draft.clone());
                }
            }
            Cause::Person(job, batch) => self.permit(*job, *batch),
            _ => {}
        }
    }

    /// The person wants these jobs sent again, or has decided what becomes of what is at the platform.
    fn permit(&mut self, job: Option<JobId>, batch: Option<BatchId>) {
        let jobs: Vec<Arc<Job>> = self
            .journal
            .jobs
            .values()
            .filter(|one| Some(one.id) == job || Some(one.batch) == batch)
            .cloned()
            .collect();
        for job in jobs {
            let sent_again = matches!(job.stage, Stage::Waiting | Stage::Uploading);
            let platform = self.platform(job.connection);
            for made in &mut platform.made {
                if made.owner == Some(job.id)
                    && job.remote.as_ref() != Some(&made.remote)
                    && (sent_again || job.stage == Stage::Cancelled)
                {
                    made.is_released = true;
                }
            }
            let made = platform.made_for(job.id).count();
            if sent_again {
                self.allowed.insert(job.id, made + 1);
            }
        }
    }

    /// The point of no return is passed only with the intent in the journal.
    pub(super) fn check_let_go(&self, job: JobId) {
        assert!(
            self.journal
                .jobs
                .get(&job)
                .is_some_and(|job| job.stage == Stage::Submitting && job.submitted_at.is_some()),
            "a submission is let go that the journal does not know"
        );
    }

    /// Everything that must be true between two steps.
    pub(super) fn check(&self, was_moved: bool) {
        self.journal.must_equal(&self.world);
        for id in &self.promised {
            assert!(self.world.jobs.contains_key(id), "a job was lost");
        }
        self.check_made();
        self.check_limits();
        let wake = next_wake(&self.world, self.decided);
        for id in &self.world.alive {
            let job = &self.world.jobs[id];
            match self.reason(job) {
                Reason::Known => {}
                Reason::Time(time) => {
                    assert!(
                        wake.is_some_and(|wake| wake <= time),
                        "a job waits for a time at which nothing wakes"
                    );
                    let asked = job
                        .error
                        .as_ref()
                        .and_then(|error| error.failure().retry_after);
                    let longest = if was_moved && asked.is_none() {
                        AFTER_JUMP
                    } else {
                        LONGEST_WAIT
                    };
                    assert!(
                        time.duration_since(self.decided) <= longest,
                        "a job waits for too long"
                    );
                }
                Reason::None => panic!("a job is stuck without a reason: {:?}", job.stage),
            }
        }
    }

    /// What platforms made for us is known to its job, or is open there.
    fn check_made(&self) {
        for platform in self.platforms.values() {
            for made in &platform.made {
                let Some(job) = made.owner.filter(|_| !made.is_released) else {
                    continue;
                };
                let Some(job) = self.world.jobs.get(&job) else {
                    continue;
                };
                assert!(
                    job.remote.as_ref() == Some(&made.remote)
                        || matches!(job.stage, Stage::Submitting | Stage::Unconfirmed),
                    "a job at a platform was lost while ours is {:?}",
                    job.stage
                );
            }
        }
    }

    fn check_limits(&self) {
        let running = |wanted: fn(&WorkKey) -> bool| {
            let keys = self.under_way.iter().map(|one| &one.key);
            keys.filter(|key| wanted(key)).count()
        };
        // A limit that was lowered holds for what is begun from then on.
        assert!(
            running(|key| matches!(key, WorkKey::Stage(..) | WorkKey::Submit(_))) <= 3
                && running(|key| matches!(key, WorkKey::Fetch(_))) <= 4,
            "too much is sent or fetched at the same time"
        );
    }

    /// What the person sees equals what a restart would show.
    pub(super) fn check_snapshot(&self) {
        let rebuilt = self.rebuilt();
        self.journal.must_equal(&rebuilt);
        let (now, then) = (snapshot(&self.world), snapshot(&rebuilt));
        assert!(
            now.batches == then.batches
                && now.notices == then.notices
                && now.settings == then.settings
                && now.jobs.len() == then.jobs.len(),
            "a restart would show something else"
        );
        for (one, other) in now.jobs.iter().zip(&then.jobs) {
            assert!(
                one.job == other.job
                    && one.artifacts == other.artifacts
                    && one.folder == other.folder
                    && one.input_bytes == other.input_bytes,
                "a restart would show another job"
            );
        }
    }

    /// Whether every job has ended and nothing is open.
    pub(super) fn has_ended(&self) -> bool {
        let ended = |job: &Arc<Job>| job.stage.is_settled() && job.stage != Stage::Unconfirmed;
        self.world.jobs.values().all(ended)
    }

    /// What must be true once everything has ended.
    pub(super) fn check_end(&self) {
        self.check_snapshot();
        for job in self.world.jobs.values() {
            if job.stage == Stage::Done {
                self.check_done(job);
            }
        }
    }
}

fn snapshot(world: &World) -> Snapshot {
    let beside = Beside {
        folder: None,
        phase: Phase::Running,
        preview: None,
        thumbnails: Arc::default(),
        report: None,
        bytes: std::collections::BTreeMap::new(),
        checks: std::collections::BTreeMap::new(),
        rates: (0, 0),
    };
    view::snapshot(world, &beside, &view::empty(world, Phase::Running))
}
