//! A batch's results folder: what its receipt tells, and how the folder compares with it.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::notice::Words;

/// What the comparison of a file with the receipt found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Length and SHA-256 as recorded.
    Same,
    /// There, with another content.
    Changed,
    /// Recorded, not there.
    Missing,
    /// There, not recorded. Half-fetched `.part` files count as extra.
    Extra,
    /// There, but it could not be read, or it is not a plain file inside the folder.
    Unreadable,
}

impl Outcome {
    /// Every outcome, in the order to show.
    pub const ALL: [Self; 5] = [
        Self::Same,
        Self::Changed,
        Self::Missing,
        Self::Extra,
        Self::Unreadable,
    ];

    /// The word shown to a person.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Unreadable => "unreadable",
        }
    }

    /// What to do about such a file; empty where there is nothing to do.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Changed => {
                "Somebody or something wrote into it after it arrived. If nobody meant to, take it from a backup or from the platform again."
            }
            Self::Missing => {
                "It was moved, renamed or deleted. Look among the extra files, in the trash or in a backup, or take it from the platform again."
            }
            Self::Extra => {
                "Labferry did not fetch it. If you put it there, there is nothing to do; if a file is missing too, it may be that one under another name."
            }
            Self::Unreadable => {
                "The drive or the rights of the file are in the way, or it is a link. Open the folder, put that right and check again."
            }
        }
    }
}

/// How the last *Check again* of a folder stands.
#[derive(Clone, Debug, PartialEq)]
pub enum FolderCheck {
    /// The files are being read.
    Checking(CheckProgress),
    /// Done, or stopped.
    Answered(Arc<FolderAnswer>),
    /// It could not be done.
    Failed(Words),
}

/// How far a check is. Nothing is known in all before the folder was looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckProgress {
    /// Files that were read.
    pub done_files: u64,
    /// Files to be read.
    pub total_files: u64,
    /// Bytes that were read.
    pub done_bytes: u64,
    /// Bytes to be read.
    pub total_bytes: u64,
    /// Whether it was asked to stop and waits for the drive to let go.
    pub stopping: bool,
}

/// What a check that was stopped left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Files that were not read, or not to their end.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the whole folder was looked through for extra files before that.
    pub looked_through: bool,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderAnswer {
    /// When.
    pub at: Timestamp,
    /// How many files of each outcome, in the order of [`Outcome::ALL`].
    pub counts: [usize; 5],
    /// Files that are not the same, by outcome and path.
    pub different: Vec<(Outcome, String)>,
    /// What was not read because a person stopped it.
    pub unread: Option<Unread>,
}

impl FolderAnswer {
    /// The files of one outcome other than the same.
    pub fn of(&self, outcome: Outcome) -> &[(Outcome, String)] {
        let from = self.different.partition_point(|(is, _)| *is < outcome);
        let to = self.different.partition_point(|(is, _)| *is <= outcome);
        self.different.get(from..to).unwrap_or_default()
    }
}

/// The open page of a results folder.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderPage {
    /// The folder.
    pub folder: PathBuf,
    /// What its receipt tells.
    pub told: FolderTold,
}

/// What a folder tells of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum FolderTold {
    /// Being read.
    Reading,
    /// There is no receipt, as nothing has come back yet.
    Nothing,
    /// There is one.
    Receipt(ReceiptFacts),
    /// It cannot be read.
    Failed(Words),
}

/// What a receipt tells, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptFacts {
    /// Version of Labferry that wrote it.
    pub labferry: String,
    /// Files sent.
    pub sent: usize,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Files that came back.
    pub results: usize,
    /// Their bytes.
    pub result_bytes: u64,
    /// When the last of them came.
    pub last: Option<Timestamp>,
    /// The paragraph for the paper.
    pub methods: Option<String>,
    /// Whether there is an RO-Crate.
    pub has_crate: bool,
}
