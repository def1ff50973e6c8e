//! What the engine and a platform's client say to each other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::file::LocalFile;
use crate::model::form::Settings;
use crate::model::ids::{PipelineId, Tag};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::safe_url::SafeUrl;
use crate::model::secret::Secret;

/// A file to put at the platform.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The file on this computer.
    pub file: LocalFile,
    /// The name it shall have there: cleaned, short enough and unique within the batch.
    pub remote_name: String,
    /// The folder it shall lie in there, the same for all files of a batch and connection.
    pub remote_folder: String,
    /// What is known about the sample, by column of the sample table; empty where there is none.
    pub metadata: BTreeMap<String, String>,
}

/// An input that is at the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// The platform's identifier of it.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// SHA-256 of the bytes sent, lower-case hexadecimal; absent for what others put there.
    pub sha256: Option<String>,
    /// Length in bytes, where known.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Whether it is a folder or another collection of files.
    #[serde(default)]
    pub is_folder: bool,
    /// What the client wants to remember about it; opaque to everybody else.
    #[serde(default)]
    pub memo: String,
}

/// Files in the person's bucket that shall become one input at the platform.
#[derive(Clone, Debug)]
pub struct Gathering {
    /// Unique; goes into the input's name, by which it is found again when an answer was lost.
    pub tag: Tag,
    /// A name for people.
    pub name: String,
    /// The pipeline it is for.
    pub pipeline: PipelineId,
    /// What was put into the bucket.
    pub files: Vec<StagedFile>,
    /// Whether these are all files there will ever be in their folder of the bucket.
    pub is_whole_folder: bool,
    /// The settings of the job.
    pub settings: Settings,
    /// What the same wish brought before, journalled.
    pub known: Option<Gathered>,
}

/// One input made of gathered files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    /// What it is at the platform.
    pub input: StagedFile,
    /// Whether a job may use it now; else the platform is still taking the files in.
    pub ready: bool,
}

/// One job to be made.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The pipeline to run.
    pub pipeline: PipelineId,
    /// A name for people; platforms may get it shortened.
    pub name: String,
    /// Goes into the remote name where the platform allows one.
    pub tag: Tag,
    /// Inputs that are already there ([`crate::model::provider::Intake::UploadFirst`]).
    pub staged: Vec<StagedFile>,
    /// Inputs that travel with the submission ([`crate::model::provider::Intake::WithSubmission`]).
    pub uploads: Vec<Upload>,
    /// The settings, complete and checked against the form.
    pub settings: Settings,
    /// How the platform shall split it: [`FanOut::BatchPerFile`] and [`FanOut::BatchPerSample`], else not at all.
    pub fan_out: FanOut,
    /// The sample column of [`FanOut::BatchPerSample`].
    pub sample_column: Option<String>,
    /// The draft an earlier attempt left at the platform, journalled before it could have been started.
    pub drafted: Option<RemoteJob>,
}

impl Submission {
    /// One task with nothing in it yet.
    pub fn new(pipeline: PipelineId, name: impl Into<String>, tag: Tag) -> Self {
        Self {
            pipeline,
            name: name.into(),
            tag,
            staged: Vec::new(),
            uploads: Vec::new(),
            settings: Settings::new(),
            fan_out: FanOut::AllInOne,
            sample_column: None,
            drafted: None,
        }
    }
}

/// A submission whose answer was lost.
#[derive(Clone, Debug)]
pub struct Lost {
    /// As it was sent.
    pub submission: Submission,
    /// When it was about to leave, by our clock.
    pub since: Timestamp,
}

impl Lost {
    /// Of which nothing is known but the tag.
    pub fn of_tag(tag: Tag) -> Self {
        Self {
            submission: Submission::new(PipelineId::from(""), "", tag),
            since: Timestamp::UNIX_EPOCH,
        }
    }
}

/// A job at the platform that may not be ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedJob {
    /// The platform's handle.
    pub remote: RemoteJob,
    /// Its name there; its identifier where it has none.
    pub name: String,
    /// What runs, as far as the platform says.
    pub pipeline: Pipeline,
    /// When it was made, where the platform says.
    pub created: Option<Timestamp>,
    /// The platform's own word for its state; empty where a list does not say.
    pub word: String,
}

/// A job as the platform knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RemoteJob {
    /// The platform's identifier.
    pub id: String,
    /// Where a person can look at it in a browser.
    pub web_page: Option<String>,
    /// What the client wants to remember about it, such as whether masks are wanted; opaque to everybody else.
    pub memo: String,
}

/// What a look for a lost submission brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is this one for certain: the tag is on it.
    Job(RemoteJob),
    /// Jobs on the platform's list that may be it; the engine takes away those it knows.
    Perhaps(Vec<RemoteJob>),
    /// For certain not there.
    Nothing,
}

/// What the platform last said about a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// In our words.
    pub status: JobStatus,
    /// The platform's own word for the state, verbatim.
    pub word: String,
    /// The platform's own message, where it has one.
    pub message: Option<String>,
}

/// What the platform last said, in our words. Where *we* are with a job is [`crate::model::job::Stage`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobStatus {
    /// Accepted, not started.
    Queued,
    /// Being worked on.
    Running {
        /// How far, where the platform says.
        progress: Option<Progress>,
    },
    /// Ended well; results are offered.
    Succeeded,
    /// Ended badly.
    Failed {
        /// The platform's reason, where it gives one.
        reason: Option<String>,
    },
    /// Stopped by somebody.
    Cancelled,
    /// The platform no longer knows it.
    Gone,
    /// A word we do not know: still running, shown as it is.
    Unrecognized(String),
}

/// How far a job is, as its platform says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Progress {
    /// From 0 to 100.
    Percent(f32),
    /// Steps finished, of how many where known.
    Steps {
        /// Finished.
        done: u32,
        /// In all.
        total: Option<u32>,
    },
}

/// One result a job offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Stable within the job; what [`crate::model::remote::Link`] is asked for.
    pub id: String,
    /// The name to save it under, before cleaning; may have folders separated by `/`.
    pub name: String,
    /// Length in bytes, where the platform says.
    pub size_bytes: Option<u64>,
    /// SHA-256 as lower-case hexadecimal, where the platform says.
    pub sha256: Option<String>,
    /// Whether it has to be made first and asked for by us.
    pub on_request: bool,
    /// Whether it is an archive that shall be unpacked beside itself.
    pub unpack: bool,
}

/// Where an output can be fetched right now. Never stored: links expire.
#[derive(Clone, Debug)]
pub enum Link {
    /// Fetch it with a plain GET.
    Ready {
        /// The address, perhaps signed.
        url: SafeUrl,
        /// A header the address needs; sent to that host only and never after a redirect.
        header: Option<(&'static str, Secret)>,
    },
    /// The platform is still making it.
    Preparing {
        /// From 0 to 100, where the platform says.
        percent: Option<f32>,
    },
}

/// A part of a list at the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The folder to list; none is the top.
    pub folder: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Words the name shall have; none is everything.
    pub words: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts; none when this was the last.
    pub next: Option<String>,
}
