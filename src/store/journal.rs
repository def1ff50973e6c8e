//! The journal: one database file that says, at every moment, what was promised and what was done. Whoever reads it after a
//! crash can carry on. One process holds it; one transaction is one step.
//!
//! It keeps what it is given and decides nothing. Keys are never in it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection as Database, ErrorCode, TransactionBehavior};

use crate::model::artifact::Artifact;
use crate::model::batch::Batch;
use crate::model::connection::Connection;
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId, NoticeId};
use crate::model::job::Job;
use crate::model::notice::Notice;
use crate::model::remote::StagedFile;
use crate::model::settings::AppSettings;
use crate::store::folders;
use crate::store::opening::{self, ReadProblem};
use crate::store::rows::{self, RowProblem};

/// The journal's file in the data folder.
pub const FILE_NAME: &str = "journal.sqlite";

/// Held locked for as long as a Labferry uses the data folder.
pub const LOCK_NAME: &str = "labferry.lock";

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Adds or replaces a connection.
    PutConnection(Arc<Connection>),
    /// Removes a connection and what is known of files uploaded over it.
    RemoveConnection(ConnectionId),
    /// Adds or replaces a batch.
    PutBatch(Arc<Batch>),
    /// Removes a batch and what is known of uploads of its files; its jobs are removed by their own changes.
    RemoveBatch(BatchId),
    /// Adds or replaces a job.
    PutJob(Arc<Job>),
    /// Removes a job; its artifacts are removed by their own changes.
    RemoveJob(JobId),
    /// Remembers that a file is at the platform of a connection.
    PutStaged {
        /// Over which connection it went.
        connection: ConnectionId,
        /// Which file of ours it is.
        file: FileId,
        /// What it is there.
        staged: StagedFile,
    },
    /// Remembers what an upload under way needs to go on after a restart; gone when the file is there.
    PutKept {
        /// Over which connection it goes.
        connection: ConnectionId,
        /// Which file of ours it is.
        file: FileId,
        /// What the platform's client wants remembered.
        text: String,
    },
    /// Adds or replaces an artifact.
    PutArtifact(Arc<Artifact>),
    /// Removes an artifact.
    RemoveArtifact(ArtifactId),
    /// Adds or replaces a notice.
    PutNotice(Arc<Notice>),
    /// Removes a notice.
    RemoveNotice(NoticeId),
    /// Replaces the settings.
    PutSettings(AppSettings),
}

/// Everything in a journal, each kind sorted by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The saved connections.
    pub connections: Vec<Arc<Connection>>,
    /// The batches.
    pub batches: Vec<Arc<Batch>>,
    /// Their jobs.
    pub jobs: Vec<Arc<Job>>,
    /// Which file is at which connection's platform.
    pub staged: Vec<(ConnectionId, FileId, StagedFile)>,
    /// What uploads under way want remembered.
    pub kept: Vec<(ConnectionId, FileId, String)>,
    /// The result files.
    pub artifacts: Vec<Arc<Artifact>>,
    /// The messages not dismissed.
    pub notices: Vec<Arc<Notice>>,
    /// The settings.
    pub settings: AppSettings,
    /// The numbers to go on from.
    pub last_ids: LastIds,
}

/// The highest number ever given out, by kind; 0 before the first. A number is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastIds {
    /// Of connections.
    pub connection: ConnectionId,
    /// Of batches.
    pub batch: BatchId,
    /// Of files of batches.
    pub file: FileId,
    /// Of jobs.
    pub job: JobId,
    /// Of artifacts.
    pub artifact: ArtifactId,
    /// Of notices.
    pub notice: NoticeId,
}

impl Default for LastIds {
    fn default() -> Self {
        Self {
            connection: ConnectionId(0),
            batch: BatchId(0),
            file: FileId(0),
            job: JobId(0),
            artifact: ArtifactId(0),
            notice: NoticeId(0),
        }
    }
}

/// An open journal and what is in it.
#[derive(Debug)]
pub struct Opened {
    /// For writing.
    pub journal: Journal,
    /// What it held.
    pub contents: Contents,
    /// Where a damaged journal was moved; the present one was begun anew then.
    pub set_aside: Option<PathBuf>,
}

/// Why a journal could not be opened. It was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum JournalProblem {
    /// A newer Labferry wrote it.
    #[error("the journal has version {found}, this program knows {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The newest this program reads.
        known: u32,
    },
    /// Another Labferry holds the data folder: the number of its process, where it is known.
    #[error("another program uses the journal")]
    InUse(Option<u32>),
    /// No room to open it.
    #[error("no room on the drive of the journal")]
    DiskFull,
    /// The file system does not let us.
    #[error("the journal cannot be opened")]
    Io(#[from] io::Error),
}

/// Why nothing of a commit was written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// No room on the drive; the same commit may work later.
    #[error("no room on the drive of the journal")]
    DiskFull,
    /// Anything else.
    #[error("the journal cannot be written")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The writing end. Dropping it frees the data folder for the next Labferry.
#[derive(Debug)]
pub struct Journal {
    database: Database,
    /// The lock goes when this is closed; declared last, so that the database is closed first.
    _lock: File,
}

impl Journal {
    /// Opens the journal of a data folder, making both where they are missing. A damaged journal is renamed with the time
    /// and a fresh one begun; a newer one is refused and stays as it is.
    pub fn open(folder: &Path) -> Result<Opened, JournalProblem> {
        folders::make_private(folder).map_err(opening::from_io)?;
        let lock = opening::take_lock(&folder.join(LOCK_NAME))?;
        let path = folder.join(FILE_NAME);
        let (database, contents, set_aside) = match opening::read(&path) {
            Ok((database, contents)) => (database, contents, None),
            Err(ReadProblem::Refused(problem)) => return Err(problem),
            Err(ReadProblem::Damaged(_)) => {
                let aside = opening::set_aside(&path).map_err(opening::from_io)?;
                let (database, contents) =
                    opening::read(&path).map_err(ReadProblem::into_refusal)?;
                (database, contents, Some(aside))
            }
        };
        Ok(Opened {
            journal: Self {
                database,
                _lock: lock,
            },
            contents,
            set_aside,
        })
    }

    /// Writes all of these or none, and returns when they are on the drive.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), CommitError> {
        let transaction = self
            .database
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(from_sqlite)?;
        for change in changes {
            rows::apply(&transaction, change).map_err(|problem| match problem {
                RowProblem::Sqlite(error) => from_sqlite(error),
                RowProblem::Unwritable { .. }
                | RowProblem::Unreadable { .. }
                | RowProblem::TooLarge(_) => CommitError::Other(Box::new(problem)),
            })?;
        }
        transaction.commit().map_err(from_sqlite)
    }

    /// What the journal holds now, read from the file.
    pub fn contents(&self) -> Result<Contents, CommitError> {
        rows::read_all(&self.database).map_err(|problem| CommitError::Other(Box::new(problem)))
    }

    /// Behaves from now on as if the drive had room for this many more pages of 4 KiB, or takes that back.
    /// For tests of a full drive: the database takes the same way as on a real one.
    pub fn limit_growth(&mut self, pages: Option<u32>) -> Result<(), CommitError> {
        let present: u32 = self
            .database
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .map_err(from_sqlite)?;
        let most = pages.map_or(u32::MAX - 1, |pages| present.saturating_add(pages));
        // The pragma answers with the limit that holds now.
        self.database
            .query_row(&format!("PRAGMA max_page_count = {most}"), [], |row| {
                row.get::<_, i64>(0)
            })
            .map_err(from_sqlite)?;
        Ok(())
    }
}

fn from_sqlite(error: rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => CommitError::DiskFull,
        Some(_) | None => CommitError::Other(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::fs;

    use jiff::Timestamp;

    use crate::model::artifact::{ArtifactState, Fetched};
    use crate::model::batch::BatchFile;
    use crate::model::connection::{Account, Place};
    use crate::model::error::{Doing, Error, ErrorKind};
    use crate::model::file::LocalFile;
    use crate::model::form::Value;
    use crate::model::ids::{ProviderId, Tag};
    use crate::model::job::{LeftOut, Moment, Stage};
    use crate::model::notice::{About, Action, Weight, Words};
    use crate::model::pipeline::Pipeline;
    use crate::model::remote::{Gathered, JobReport, JobStatus, Output, Progress, RemoteJob};
    use crate::model::settings::SavedSettings;

    const NASTY: &str = " a \"b\" 'c' #1 %41; DROP TABLE jobs; 世界.tif.";

    fn connection(id: u64) -> Change {
        Change::PutConnection(Arc::new(Connection {
            id: ConnectionId(id),
            provider: ProviderId::from("biodock"),
            label: NASTY.to_owned(),
            base_url: "https://app.example.org/".to_owned(),
            options: BTreeMap::from([("email".to_owned(), "someone@example.org".to_owned())]),
            vault_name: "v-1".to_owned(),
            account: Some(Account {
                name: NASTY.to_owned(),
                checked: Timestamp::UNIX_EPOCH,
                places: vec![Place {
                    id: "owner/name".to_owned(),
                    name: NASTY.to_owned(),
                    lacks: Some("the right to run".to_owned()),
                }],
            }),
        }))
    }

    fn kept(file: u64, text: &str) -> Change {
        Change::PutKept {
            connection: ConnectionId(1),
            file: FileId(file),
            text: text.to_owned(),
        }
    }

    fn batch(id: u64, files: std::ops::Range<u64>) -> Change {
        let file = |id| BatchFile {
            id: FileId(id),
            local: LocalFile {
                path: PathBuf::from("/data").join(NASTY),
                name: NASTY.to_owned(),
                folder: String::new(),
                size_bytes: u64::MAX,
                modified: Some(Timestamp::UNIX_EPOCH),
            },
            remote_name: "a.tif".to_owned(),
            samples: BTreeMap::from([(NASTY.to_owned(), NASTY.to_owned())]),
        };
        Change::PutBatch(Arc::new(Batch {
            id: BatchId(id),
            name: NASTY.to_owned(),
            created: Timestamp::UNIX_EPOCH,
            folder: PathBuf::from("/results/x"),
            files: files.map(file).collect(),
            jobs: vec![JobId(1)],
            remote_folder: "x".to_owned(),
        }))
    }

    fn job_of(id: u64, stage: Stage) -> Job {
        let error = Error::new(ErrorKind::RateLimited, Doing::Poll)
            .status(429)
            .server_said("slow down")
            .retry_after(Some(std::time::Duration::from_millis(1500)));
        let remote = RemoteJob {
            id: "r-1".to_owned(),
            web_page: None,
            memo: "m".to_owned(),
        };
        Job {
            id: JobId(id),
            batch: BatchId(1),
            connection: ConnectionId(1),
            connection_label: NASTY.to_owned(),
            provider: ProviderId::new("biodock"),
            pipeline: Pipeline::typed("p-1"),
            name: NASTY.to_owned(),
            files: vec![FileId(1)],
            labels: BTreeMap::new(),
            settings: BTreeMap::from([
                ("masks".to_owned(), Value::Flag(true)),
                ("limit".to_owned(), Value::Text("0.10".to_owned())),
                (
                    "reads".to_owned(),
                    Value::List(vec![
                        Value::Inputs,
                        Value::Picked(vec![StagedFile::default()]),
                        Value::Variant(1, Box::new(Value::Text(NASTY.to_owned()))),
                    ]),
                ),
            ]),
            tag: Tag::from("lf-4k7q2m9x"),
            folder: "f".to_owned(),
            stage,
            remote: Some(remote.clone()),
            report: Some(JobReport {
                status: JobStatus::Running {
                    progress: Some(Progress::Percent(33.3)),
                },
                word: "running".to_owned(),
                message: None,
            }),
            seen_before: Some(Vec::new()),
            candidates: vec![remote],
            error: Some(error.clone()),
            attempts: 2,
            faults: 0,
            wait_until: Some(Timestamp::UNIX_EPOCH),
            last_change: Timestamp::UNIX_EPOCH,
            cancel_wanted: false,
            left_out: vec![LeftOut {
                file: FileId(1),
                error,
            }],
            outputs_listed: false,
            timeline: vec![Moment {
                at: Timestamp::UNIX_EPOCH,
                what: "Made".to_owned(),
            }],
            fan_out: crate::model::provider::FanOut::BatchPerSample,
            sample_column: Some(NASTY.to_owned()),
            existing: vec![StagedFile::default()],
            gathered: Some(Gathered {
                input: StagedFile {
                    is_folder: true,
                    size_bytes: Some(u64::MAX),
                    memo: NASTY.to_owned(),
                    ..StagedFile::default()
                },
                ready: true,
            }),
            drafted: Some(RemoteJob {
                id: "d-1".to_owned(),
                web_page: Some("https://app.example.org/d-1".to_owned()),
                memo: String::new(),
            }),
            submitted_at: Some(Timestamp::UNIX_EPOCH),
        }
    }

    fn job(id: u64, stage: Stage) -> Change {
        Change::PutJob(Arc::new(job_of(id, stage)))
    }

    fn staged(file: u64) -> Change {
        Change::PutStaged {
            connection: ConnectionId(1),
            file: FileId(file),
            staged: StagedFile {
                id: "s".to_owned(),
                name: NASTY.to_owned(),
                sha256: None,
                ..StagedFile::default()
            },
        }
    }

    fn artifact(id: u64) -> Change {
        Change::PutArtifact(Arc::new(Artifact {
            id: ArtifactId(id),
            job: JobId(1),
            output: Output {
                id: "o".to_owned(),
                name: "masks/a.zip".to_owned(),
                size_bytes: Some(5),
                sha256: None,
                on_request: true,
                unpack: true,
            },
            path: "masks/a.zip".to_owned(),
            state: ArtifactState::Fetched(Fetched {
                size_bytes: 5,
                sha256: "00".to_owned(),
                at: Timestamp::UNIX_EPOCH,
            }),
            attempts: 0,
            faults: 0,
            wait_until: None,
        }))
    }

    fn notice(id: u64) -> Change {
        Change::PutNotice(Arc::new(Notice {
            id: NoticeId(id),
            at: Timestamp::UNIX_EPOCH,
            about: About::Job(JobId(1)),
            weight: Weight::Problem,
            words: Words {
                what: "What.".to_owned(),
                did: "Did.".to_owned(),
                next: String::new(),
                action: Some(Action::TryAgain),
            },
            details: vec![("Status".to_owned(), "429".to_owned())],
        }))
    }

    fn everything() -> Vec<Change> {
        vec![
            Change::PutSettings(AppSettings {
                text_percent: 150,
                saved: vec![SavedSettings {
                    provider: ProviderId::from("biodock"),
                    pipeline: Pipeline::typed("p-1").id,
                    name: NASTY.to_owned(),
                    settings: job_of(1, Stage::Done).settings,
                }],
                ..AppSettings::default()
            }),
            connection(1),
            batch(1, 1..4),
            job(1, Stage::Running),
            kept(1, "gone once the file is there"),
            staged(1),
            staged(2),
            kept(3, "first"),
            kept(3, NASTY),
            artifact(1),
            notice(1),
        ]
    }

    fn reopened(folder: &Path) -> Opened {
        let opened = Journal::open(folder).unwrap();
        assert_eq!(opened.set_aside, None);
        opened
    }

    fn replace(path: &Path, bytes: &[u8]) {
        folders::write_atomically(path, bytes).unwrap();
    }

    #[test]
    fn everything_written_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        let before = journal.contents().unwrap();
        drop(journal);
        let after = reopened(place.path()).contents;
        assert_eq!(after, before);
        assert_eq!(after.jobs, [Arc::new(job_of(1, Stage::Running))]);
        assert_eq!(after.settings.text_percent, 150);
        assert_eq!(after.settings.saved.len(), 1);
        let kept = (ConnectionId(1), FileId(3), NASTY.to_owned());
        assert_eq!(after.kept, [kept]);
        assert_eq!(after.staged.len(), 2);
        assert_eq!(after.last_ids.file, FileId(3));
        let kinds = [after.connections.len(), after.batches.len()];
        assert_eq!(kinds, [1, 1]);
        assert_eq!([after.artifacts.len(), after.notices.len()], [1, 1]);
    }

    #[test]
    fn what_is_removed_is_gone_and_its_number_stays_used() {
        let place = tempfile::tempdir().unwrap();
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        journal.commit(&[batch(2, 7..8), staged(7)]).unwrap();
        journal
            .commit(&[
                Change::RemoveBatch(BatchId(1)),
                Change::RemoveJob(JobId(1)),
                Change::RemoveArtifact(ArtifactId(1)),
                Change::RemoveNotice(NoticeId(1)),
                Change::RemoveNotice(NoticeId(99)),
            ])
            .unwrap();
        let files: Vec<FileId> = journal
            .contents()
            .unwrap()
            .staged
            .iter()
            .map(|(_, file, _)| *file)
            .collect();
        assert_eq!(files, [FileId(7)], "uploads go with their batch only");
        journal
            .commit(&[Change::RemoveConnection(ConnectionId(1))])
            .unwrap();
        drop(journal);
        let contents = reopened(place.path()).contents;
        assert!(contents.connections.is_empty() && contents.staged.is_empty());
        assert!(contents.jobs.is_empty() && contents.artifacts.is_empty());
        assert!(contents.notices.is_empty());
        assert_eq!(contents.batches.len(), 1);
        let last = contents.last_ids;
        assert_eq!((last.connection, last.batch), (ConnectionId(1), BatchId(2)));
        assert_eq!((last.job, last.file), (JobId(1), FileId(7)));
        assert_eq!((last.artifact, last.notice), (ArtifactId(1), NoticeId(1)));
    }

    #[test]
    fn a_commit_is_whole_or_nothing() {
        let place = tempfile::tempdir().unwrap();
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        let before = journal.contents().unwrap();
        let mut unwritable = job_of(2, Stage::Running);
        unwritable.report = Some(JobReport {
            status: JobStatus::Running {
                progress: Some(Progress::Percent(f32::NAN)),
            },
            word: String::new(),
            message: None,
        });
        let failed = journal.commit(&[
            job(1, Stage::Done),
            notice(2),
            Change::PutJob(Arc::new(unwritable)),
        ]);
        assert!(matches!(failed, Err(CommitError::Other(_))));
        assert_eq!(journal.contents().unwrap(), before);
        journal.commit(&[job(1, Stage::Done)]).unwrap();
        let stage = journal.contents().unwrap().jobs.first().unwrap().stage;
        assert_eq!(stage, Stage::Done);
    }

    #[test]
    fn a_full_drive_leaves_the_old_state_and_a_later_commit_works() {
        let place = tempfile::tempdir().unwrap();
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        let before = journal.contents().unwrap();
        journal.limit_growth(Some(1)).unwrap();
        let many: Vec<Change> = (2..100).map(|id| job(id, Stage::Waiting)).collect();
        assert!(matches!(journal.commit(&many), Err(CommitError::DiskFull)));
        assert_eq!(journal.contents().unwrap(), before);
        journal.limit_growth(None).unwrap();
        journal.commit(&many).unwrap();
        drop(journal);
        assert_eq!(reopened(place.path()).contents.jobs.len(), 99);
    }

    #[test]
    fn one_labferry_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let first = reopened(place.path());
        assert!(matches!(
            Journal::open(place.path()),
            Err(JournalProblem::InUse(Some(holder))) if holder == std::process::id()
        ));
        drop(first);
        reopened(place.path());
    }

    #[test]
    fn a_pulled_plug_loses_nothing_committed() {
        let place = tempfile::tempdir().unwrap();
        let after = tempfile::tempdir().unwrap();
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        journal.commit(&[job(1, Stage::Downloading)]).unwrap();
        // What is on the drive at this moment, with nothing closed.
        for ending in ["", "-wal"] {
            let name = format!("{FILE_NAME}{ending}");
            fs::copy(place.path().join(&name), after.path().join(&name)).unwrap();
        }
        let contents = reopened(after.path()).contents;
        assert_eq!(contents, journal.contents().unwrap());
    }

    #[test]
    fn a_newer_journal_is_refused_and_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(FILE_NAME);
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        drop(journal);
        let database = Database::open(&path).unwrap();
        database.pragma_update(None, "user_version", 99).unwrap();
        database.close().unwrap();
        let before = fs::read(&path).unwrap();
        let refused = Journal::open(place.path());
        assert!(matches!(
            refused,
            Err(JournalProblem::Newer {
                found: 99,
                known: 2
            })
        ));
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    /// Opens a journal that must be set aside, and returns where it went.
    fn set_aside_of(folder: &Path, what: &str) -> PathBuf {
        let mut opened = Journal::open(folder).unwrap();
        let aside = opened.set_aside.expect(what);
        assert_eq!(opened.contents, Contents::default(), "{what}");
        opened.journal.commit(&everything()).unwrap();
        aside
    }

    #[test]
    fn a_damaged_journal_is_set_aside_and_never_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(FILE_NAME);
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let mut asides = Vec::new();
        for (what, bytes) in [
            ("garbage", b"this is no database, however long".repeat(300)),
            ("nothing", Vec::new()),
            ("half", whole[..whole.len() / 2].to_vec()),
            ("a piece of the header", whole[..50].to_vec()),
            ("a page less", whole[..whole.len() - 4096].to_vec()),
        ] {
            replace(&path, &bytes);
            let aside = set_aside_of(place.path(), what);
            assert_eq!(fs::read(&aside).unwrap(), bytes, "{what}");
            asides.push(aside);
        }
        for statement in [
            "UPDATE jobs SET body = '{\"id\":1}'",
            "UPDATE jobs SET id = 5",
            "UPDATE settings SET body = 'x'",
            "DROP TABLE staged",
            "UPDATE counters SET last = -1",
            "UPDATE notices SET body = x'00ff'",
        ] {
            let database = Database::open(&path).unwrap();
            database.execute_batch(statement).unwrap();
            database.close().unwrap();
            asides.push(set_aside_of(place.path(), statement));
        }
        asides.sort();
        asides.dedup();
        assert_eq!(asides.len(), 11, "each has its own name");
        assert!(asides.iter().all(|aside| aside.is_file()));
    }

    #[test]
    fn flipped_bytes_never_panic() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(FILE_NAME);
        let mut journal = reopened(place.path()).journal;
        journal.commit(&everything()).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let mut damaged = 0;
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..40) {
                let at = random.usize(..bytes.len());
                bytes[at] ^= random.u8(1..);
            }
            let folder = tempfile::tempdir().unwrap();
            replace(&folder.path().join(FILE_NAME), &bytes);
            match Journal::open(folder.path()) {
                Ok(opened) => damaged += usize::from(opened.set_aside.is_some()),
                Err(JournalProblem::Newer { .. }) => {}
                Err(problem) => panic!("{problem:?}"),
            }
        }
        assert!(damaged > 0);
    }

    #[cfg(unix)]
    #[test]
    fn the_journal_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("data");
        let mut journal = reopened(&folder).journal;
        journal.commit(&everything()).unwrap();
        for name in [FILE_NAME, "journal.sqlite-wal"] {
            let mode = fs::metadata(folder.join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error_and_no_panic() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a file");
        replace(&file, b"x");
        assert!(matches!(Journal::open(&file), Err(JournalProblem::Io(_))));
    }
}
