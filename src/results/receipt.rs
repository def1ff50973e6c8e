//! The receipt of a results folder: which files were fetched, from where, and how they were when they arrived.
//!
//! It is written beside the files it speaks of and can be checked on any computer at any later time.
//! Fetching files and naming them is not done here.

mod compare;

pub use crate::model::folder::Outcome;
use crate::results::disk;
use crate::results::provenance::JobRecord;
pub use crate::results::receipt::compare::{Checked, Compared, check, compare};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use thiserror::Error;

/// The receipt's name inside a batch's results folder.
pub const RECEIPT_NAME: &str = "receipt.json";

/// The layout written by this version. A reader refuses a higher number instead of guessing.
pub const SCHEMA: u32 = 1;

/// Everything known about one batch's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Layout of this file, [`SCHEMA`].
    pub schema: u32,
    /// Version of Labferry that wrote it.
    pub labferry: String,
    /// The batch's name as the person gave it.
    pub batch: String,
    /// When the batch was made.
    pub created: Timestamp,
    /// What was sent.
    #[serde(default)]
    pub inputs: Vec<InputRecord>,
    /// What came back.
    #[serde(default)]
    pub files: Vec<FileRecord>,
    /// What ran, in the order made.
    #[serde(default)]
    pub jobs: Vec<JobRecord>,
    /// What Labferry last wrote about the files, by name: the SHA-256 of it, hexadecimal.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
}

/// A file on the person's disk that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// File name alone.
    pub name: String,
    /// Whole path at the time of sending.
    pub path: String,
    pub size_bytes: u64,
    /// Last change as the file system told at the time of sending.
    pub modified: Option<Timestamp>,
    /// Hexadecimal; absent when the file was never read through.
    pub sha256: Option<String>,
}

/// A result file that was fetched or unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Relative to the folder of the receipt, with `/` between the parts on every system.
    pub path: String,
    /// The name the platform or the archive gave it.
    pub original_name: String,
    /// The job's label as shown in the job list.
    pub job: String,
    /// The connection's label.
    pub connection: String,
    pub platform: String,
    pub pipeline: String,
    /// The job's id at the platform.
    pub remote_id: String,
    pub size_bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    pub fetched_at: Timestamp,
    /// The archive it was unpacked from, by the archive's name.
    pub from_archive: Option<String>,
    /// Whether the platform stated this SHA-256, too.
    #[serde(default)]
    pub hash_given: bool,
}

/// Why a receipt could not be read or written.
#[derive(Debug, Error)]
pub enum ReceiptError {
    #[error("there is no receipt in this folder")]
    Missing,
    #[error("the receipt cannot be read or written")]
    Io(#[source] io::Error),
    #[error("the receipt is damaged")]
    Damaged(#[source] serde_json::Error),
    #[error(
        "the receipt was written by a newer Labferry (layout {found}, this one knows {SCHEMA})"
    )]
    Newer { found: u32 },
}

impl From<ReceiptError> for io::Error {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Io(source) => source,
            ReceiptError::Missing => Self::new(io::ErrorKind::NotFound, error),
            ReceiptError::Damaged(_) | ReceiptError::Newer { .. } => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}

/// Writes the receipt so that at every moment either the old or the new one is there whole.
pub(in crate::results) fn write(folder: &Path, receipt: &Receipt) -> Result<(), ReceiptError> {
    let mut text = serde_json::to_vec_pretty(receipt).map_err(ReceiptError::Damaged)?;
    text.push(b'\n');
    disk::write_whole(folder, RECEIPT_NAME, &text).map_err(ReceiptError::Io)
}

/// Reads the receipt of a results folder.
pub fn read(folder: &Path) -> Result<Receipt, ReceiptError> {
    /// Read first, so that a newer layout is told apart from damage.
    #[derive(Deserialize)]
    struct Layout {
        schema: u32,
    }
    let bytes = match fs::read(folder.join(RECEIPT_NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReceiptError::Missing),
        Err(error) => return Err(ReceiptError::Io(error)),
    };
    let layout: Layout = serde_json::from_slice(&bytes).map_err(ReceiptError::Damaged)?;
    if layout.schema > SCHEMA {
        return Err(ReceiptError::Newer {
            found: layout.schema,
        });
    }
    serde_json::from_slice(&bytes).map_err(ReceiptError::Damaged)
}

#[cfg(test)]
mod tests;
