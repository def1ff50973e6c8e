//! A batch's results folder: what its receipt tells, and how the folder compares with it.

use std::path::PathBuf;

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
    /// Every file is being read.
    Checking,
    /// Done.
    Answered(FolderAnswer),
    /// It could not be done.
    Failed(Words),
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
