//! One job as the receipt keeps it: what ran where, with which inputs and settings, and how it ended there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A job of the batch, as far as it had come when the receipt was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// What tells it from every other job: the tag it was sent with.
    pub tag: String,
    /// Its label as shown in the job list.
    pub name: String,
    /// Its folder beside the receipt.
    pub folder: String,
    /// The connection's label.
    pub connection: String,
    pub platform: String,
    /// The platform's identifier of the pipeline; where the platform counts versions in it, the version too.
    pub pipeline_id: String,
    pub pipeline: String,
    /// As the platform describes it; may be empty.
    #[serde(default)]
    pub pipeline_description: String,
    /// The job's id at the platform; absent when the platform never had it.
    pub remote_id: Option<String>,
    /// The account it ran under, as the platform names it; absent where that is unknown or an email address.
    #[serde(default)]
    pub account: Option<String>,
    pub state: RunState,
    /// Why it failed, in the platform's words or ours.
    #[serde(default)]
    pub reason: Option<String>,
    /// When the submission left.
    #[serde(default)]
    pub sent: Option<Timestamp>,
    /// When the platform was first seen to have ended it.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// The files of the batch it was given, by their place in the receipt's list.
    #[serde(default)]
    pub inputs: Vec<usize>,
    /// What it used that was at the platform already.
    #[serde(default)]
    pub placed: Vec<PlacedInput>,
    /// Names of files that could not be sent and were left out.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// Sorted by name.
    #[serde(default)]
    pub settings: Vec<SettingRecord>,
}

/// How a job ended at its platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Completed,
    Failed,
    /// A person stopped it.
    Cancelled,
    /// It ended before anything was submitted.
    NotSent,
    /// Not ended when the receipt was written, or nobody knows how.
    Unfinished,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SettingRecord {
    /// As the platform calls it.
    pub name: String,
    /// What the form called it when it was filled in; absent where that is not known any more.
    #[serde(default)]
    pub label: Option<String>,
    /// As the form showed it.
    pub value: String,
}

impl SettingRecord {
    /// The setting in words: as the form named it, else its own name in quotes.
    pub(super) fn told(&self) -> String {
        let name = match &self.label {
            Some(label) => label.clone(),
            None => format!("“{}”", self.name),
        };
        match self.value.as_str() {
            "" => format!("{name} left empty"),
            // Else nobody sees where one setting ends and the next begins.
            value if value.contains([',', ';', '\n']) => format!("{name} = “{value}”"),
            value => format!("{name} = {value}"),
        }
    }
}

/// An input that was at the platform already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedInput {
    /// The platform's identifier of it.
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// Hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
}
