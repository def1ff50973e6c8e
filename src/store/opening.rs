//! Opening a journal: the lock, the version, the checks, and what happens to a damaged file. Writing is
//! [`crate::store::journal`]'s part.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection as Database, ErrorCode};

use crate::store::folders;
use crate::store::journal::{Contents, JournalProblem};
use crate::store::migrations;
use crate::store::rows::{self, RowProblem};

/// What came of reading a journal.
pub(crate) enum ReadProblem {
    /// It is there and not for us, or not now.
    Refused(JournalProblem),
    /// It does not read.
    Damaged(RowProblem),
}

impl ReadProblem {
    /// For a journal that was just begun: damage in it is the drive's.
    pub(crate) fn into_refusal(self) -> JournalProblem {
        match self {
            Self::Refused(problem) => problem,
            Self::Damaged(problem) => JournalProblem::Io(io::Error::other(problem)),
        }
    }
}

impl From<RowProblem> for ReadProblem {
    fn from(problem: RowProblem) -> Self {
        let code = match &problem {
            RowProblem::Sqlite(error) => error.sqlite_error_code(),
            RowProblem::Unwritable { .. }
            | RowProblem::Unreadable { .. }
            | RowProblem::TooLarge(_) => None,
        };
        match code {
            Some(ErrorCode::DiskFull) => Self::Refused(JournalProblem::DiskFull),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Refused(JournalProblem::InUse(None))
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => Self::Refused(JournalProblem::Io(io::Error::other(problem))),
            // Whatever else a file makes SQLite say, its content is not a journal of ours.
            Some(_) | None => Self::Damaged(problem),
        }
    }
}

impl From<rusqlite::Error> for ReadProblem {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(RowProblem::Sqlite(error))
    }
}

/// Opens, checks and reads one journal file; makes it where there is none.
pub(crate) fn read(path: &Path) -> Result<(Database, Contents), ReadProblem> {
    let length = std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    if length == Some(0) {
        // A file cut to nothing would be taken for a new one, and nobody would hear of what is lost.
        return Err(ReadProblem::Damaged(RowProblem::Sqlite(
            rusqlite::Error::QueryReturnedNoRows,
        )));
    }
    let mut database = Database::open(path)?;
    if length.is_none() {
        close_to_others(path)?;
    }
    // Nothing may be written into a journal that turns out to be newer or damaged, not even when it is closed.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Exclusive before the first look: the log's index is then in memory and not in a mapped file, which also works on
    // network drives (https://www.sqlite.org/wal.html, section 8).
    database.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_row| Ok(()))?;
    let found = migrations::version_of(&database)?;
    let known = migrations::known();
    if found > known {
        return Err(ReadProblem::Refused(JournalProblem::Newer { found, known }));
    }
    database.pragma_update_and_check(None, "journal_mode", "WAL", |_row| Ok(()))?;
    database.pragma_update(None, "synchronous", "FULL")?;
    let verdict: String = database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(ReadProblem::Damaged(RowProblem::Sqlite(
            rusqlite::Error::InvalidParameterName(verdict),
        )));
    }
    migrations::run(&mut database)?;
    let contents = rows::read_all(&database)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok((database, contents))
}

/// Takes the file away from other users of this computer; the database gives its companions the same permissions.
fn close_to_others(path: &Path) -> Result<(), ReadProblem> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|error| ReadProblem::Refused(from_io(error)))?;
    }
    #[cfg(not(unix))]
    {
        // The user's own application folder is closed to others there.
        let _: &Path = path;
    }
    Ok(())
}

/// Renames a journal and its companions so that they still belong together; never onto something that is there.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let stamp = Timestamp::now().strftime("%Y-%m-%d %H-%M-%S").to_string();
    for number in 1_u32..1000 {
        let name = if number == 1 {
            format!("journal damaged {stamp}.sqlite")
        } else {
            format!("journal damaged {stamp} ({number}).sqlite")
        };
        let aside = path.with_file_name(name);
        let taken = COMPANIONS
            .iter()
            .any(|ending| with_ending(&aside, ending).symlink_metadata().is_ok());
        if taken {
            continue;
        }
        // The log first: a crash between the two must not leave an old log beside a new journal.
        for ending in COMPANIONS {
            let from = with_ending(path, ending);
            if from.symlink_metadata().is_ok() {
                std::fs::rename(&from, with_ending(&aside, ending))?;
            }
        }
        folders::sync_folder(path.parent().unwrap_or(path))?;
        return Ok(aside);
    }
    Err(io::Error::other("too many damaged journals in the folder"))
}

/// The files of a journal by what is added to its name, in the order to move them.
const COMPANIONS: [&str; 3] = ["-shm", "-wal", ""];

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(ending);
    PathBuf::from(whole)
}

/// Takes the data folder for this process; the lock goes when the file is closed, also after a crash.
pub(crate) fn take_lock(path: &Path) -> Result<File, JournalProblem> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(from_io)?;
    match file.try_lock() {
        Ok(()) => {
            // Only so that another one can say who is in its way.
            if let Err(error) = sign(&mut file) {
                tracing::debug!(%error, "the lock does not say whose it is");
            }
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(JournalProblem::InUse(holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(from_io(error)),
    }
}

/// Writes the number of this process into the lock.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(std::process::id().to_string().as_bytes())
}

/// The process that holds the lock; on some systems a locked file cannot be read.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// What a failure of the file system means for a journal.
pub(crate) fn from_io(error: io::Error) -> JournalProblem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => JournalProblem::DiskFull,
        _ => JournalProblem::Io(error),
    }
}
