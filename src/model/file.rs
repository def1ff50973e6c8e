//! Files on this computer, as picked or dropped.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How much of a file is read at a time where it is hashed or copied, as for every file of every job. Not more: memory of
/// 128 KiB and above is taken from the system piece by piece, and when the first is given back, glibc leaves that much more
/// lying idle in each of its arenas from then on (`mallopt(3)`, `M_MMAP_THRESHOLD`): with 1 MiB here, 2,000 jobs came to hold
/// twice the memory, and it went on growing.
pub const READ_BYTES: usize = 64 * 1024;

/// A regular file as it was when the person picked it. Size and time tell later whether it changed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalFile {
    /// Where it is; absolute.
    #[serde(with = "crate::model::path_text")]
    pub path: PathBuf,
    /// Its base name for display; bytes that are no Unicode are replaced.
    pub name: String,
    /// The folder it was found in, below what was dropped; empty for a file dropped by itself. Segments joined by `/`.
    pub folder: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// When its content last changed, where the file system says.
    pub modified: Option<Timestamp>,
}

/// Why a listed file will not be sent as it is. Nothing is dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileProblem {
    /// No bytes in it.
    Empty,
    /// It could not be opened for reading.
    Unreadable,
    /// Its name starts with a dot, or the system marks it hidden.
    Hidden,
    /// The same path is already in the list.
    Duplicate,
    /// It was there when picked and is not any more.
    Vanished,
    /// A device, socket or broken link.
    NotAFile,
}

impl FileProblem {
    /// The words beside the file's name.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "Empty file, will not be sent",
            Self::Unreadable => "Cannot be read, will not be sent",
            Self::Hidden => "Hidden file, will not be sent",
            Self::Duplicate => "Already in the list",
            Self::Vanished => "No longer there",
            Self::NotAFile => "Not a regular file",
        }
    }
}

/// One line of the file table in Send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// The file.
    pub file: LocalFile,
    /// What keeps it from being sent, if anything.
    pub problem: Option<FileProblem>,
}
