//! What one person submits at once: as a draft in Send, and as it was sent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::file::LocalFile;
use crate::model::form::Settings;
use crate::model::ids::{BatchId, ConnectionId, FileId, JobId};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::StagedFile;

/// What the person filled in below the file list. The files themselves are in the engine's draft.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchDraft {
    /// The batch's name; the engine makes one from the date when empty.
    pub name: String,
    /// Where results go instead of the results folder of the settings.
    pub into: Option<PathBuf>,
    /// Where to send.
    pub targets: Vec<Target>,
}

/// One pipeline the files go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Over which connection.
    pub connection: ConnectionId,
    /// What runs.
    pub pipeline: Pipeline,
    /// How many jobs the files become.
    pub fan_out: FanOut,
    /// What was filled in; defaults of the form are added when it is sent.
    pub settings: Settings,
    /// The sample column of [`FanOut::OnePerSample`] and [`FanOut::BatchPerSample`].
    #[serde(default)]
    pub sample_column: Option<String>,
    /// Inputs at the platform that this target uses instead of the files of the batch; empty for the files.
    #[serde(default)]
    pub existing: Vec<StagedFile>,
}

/// A batch that was sent. Its files never change; its jobs are beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Our number.
    pub id: BatchId,
    /// The person's name for it.
    pub name: String,
    /// When *Send* was pressed.
    pub created: Timestamp,
    /// The folder of its results; absolute, made for this batch alone.
    #[serde(with = "crate::model::path_text")]
    pub folder: PathBuf,
    /// Its inputs.
    pub files: Vec<BatchFile>,
    /// Its jobs, in the order made.
    pub jobs: Vec<JobId>,
    /// Name of its folder at platforms that have folders.
    pub remote_folder: String,
}

/// One input of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchFile {
    /// Our number.
    pub id: FileId,
    /// As it was when *Send* was pressed.
    pub local: LocalFile,
    /// The name it gets at the platforms: cleaned and unique within the batch.
    pub remote_name: String,
    /// Its row of the sample table: value by column.
    #[serde(default)]
    pub samples: BTreeMap<String, String>,
}

/// Something to know before the first byte is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it can be sent all the same.
    pub weight: FindingWeight,
    /// Which target of the draft it is about; none is about the files or the batch.
    pub target: Option<usize>,
    /// Which setting it is about.
    pub field: Option<String>,
    /// One or two sentences.
    pub words: String,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingWeight {
    /// It cannot be sent like this.
    Blocks,
    /// It can be sent when the person says so.
    Warns,
}
