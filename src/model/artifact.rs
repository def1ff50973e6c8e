//! One result file of a job, from the platform's offer to a checked file under its final name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::error::Error;
use crate::model::ids::{ArtifactId, JobId};
use crate::model::remote::Output;

/// A result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Our number.
    pub id: ArtifactId,
    /// Whose result it is.
    pub job: JobId,
    /// What the platform offers.
    pub output: Output,
    /// Where it goes below the job's folder; segments joined by `/`, cleaned, unique.
    pub path: String,
    /// How far it is.
    pub state: ArtifactState,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// Those of them that nobody can wait out; so many and it fails.
    #[serde(default)]
    pub faults: u32,
    /// Not before this time, after a failed attempt or while the platform prepares it.
    pub wait_until: Option<Timestamp>,
}

/// How far an artifact is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArtifactState {
    /// Known, not here yet; perhaps a part of it.
    Offered,
    /// Being made by the platform because we asked.
    Preparing {
        /// From 0 to 100, where the platform says.
        percent: Option<f32>,
    },
    /// Whole and checked under its final name; an archive is still to be unpacked.
    Fetched(Fetched),
    /// An archive, fetched and unpacked.
    Unpacked {
        /// The archive itself.
        archive: Fetched,
        /// Whether the archive is still there.
        archive_kept: bool,
        /// What came out of it.
        files: Vec<UnpackedFile>,
        /// Entries that were refused or damaged, in words.
        problems: Vec<String>,
    },
    /// Not to be had.
    Failed(Error),
}

/// The proof of a fetched file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 as lower-case hexadecimal.
    pub sha256: String,
    /// When it was complete.
    pub at: Timestamp,
}

/// One file out of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackedFile {
    /// Below the job's folder; segments joined by `/`.
    pub path: String,
    /// Its name in the archive.
    pub original_name: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 as lower-case hexadecimal.
    pub sha256: String,
}

impl Artifact {
    /// Whether nothing more will happen to it.
    pub const fn is_settled(&self) -> bool {
        match &self.state {
            ArtifactState::Offered | ArtifactState::Preparing { .. } => false,
            ArtifactState::Fetched(_) => !self.output.unpack,
            ArtifactState::Unpacked { .. } | ArtifactState::Failed(_) => true,
        }
    }
}
