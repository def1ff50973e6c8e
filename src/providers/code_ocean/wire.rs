//! Code Ocean's JSON as it is, and its conversion into our words. Its server leaves out what is empty, false or zero, so
//! every member may be missing; unknown ones are ignored, and a few are known in odd casing.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::model::pipeline::Pipeline;
use crate::model::remote::{JobReport, JobStatus, StagedFile};
use crate::providers::code_ocean::address::{Kind, Runnable};
use crate::providers::code_ocean::values::NamedValue;

/// What a search is asked.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Search<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<Value>,
    pub(super) limit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sort_field: Option<&'a str>,
    /// Only together with `sort_field`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sort_order: Option<&'a str>,
    pub(super) archived: bool,
}

/// One page of a search.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
pub(super) struct Found<T> {
    has_more: Option<bool>,
    /// A number or a text; sent back as it came.
    next_token: Option<Value>,
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub(super) results: Vec<T>,
}

impl<T> Found<T> {
    /// What the next page is asked with, if there is one.
    pub(super) fn next(&self) -> Option<Value> {
        let token = self.next_token.clone().filter(|token| match token {
            Value::String(text) => !text.is_empty(),
            Value::Number(_) => true,
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        })?;
        self.has_more.unwrap_or(true).then_some(token)
    }
}

/// A capsule or a pipeline.
#[derive(Debug, Deserialize)]
pub(super) struct Capsule {
    #[serde(alias = "Id")]
    pub(super) id: String,
    name: Option<String>,
    pub(super) slug: Option<Value>,
    description: Option<String>,
    #[serde(default, deserialize_with = "list")]
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
struct Version {
    major_version: Option<f64>,
}

impl Capsule {
    /// The newest release, where there are any.
    fn version(&self) -> Option<u64> {
        self.versions
            .iter()
            .filter_map(|version| whole(version.major_version?))
            .max()
    }

    pub(super) fn slug(&self) -> Option<String> {
        match self.slug.as_ref()? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    pub(super) fn runnable(&self, kind: Kind) -> Runnable {
        Runnable {
            kind,
            id: self.id.clone(),
            version: self.version(),
        }
    }

    pub(super) fn into_model(self, kind: Kind) -> Pipeline {
        let runnable = self.runnable(kind);
        let kind = match runnable.version {
            Some(version) => format!("{}, version {version}", kind.title()),
            None => kind.title().to_owned(),
        };
        let description = match filled(self.description) {
            Some(description) => format!("{kind}: {description}"),
            None => kind,
        };
        Pipeline {
            id: runnable.pipeline_id(),
            name: filled(self.name).unwrap_or(self.id),
            description,
            typical_secs: None,
        }
    }
}

/// A run to be made. What is not set is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Run<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capsule_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pipeline_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) data_assets: Vec<Mounted>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) parameters: &'a [String],
    #[serde(skip_serializing_if = "<[NamedValue]>::is_empty")]
    pub(super) named_parameters: &'a [NamedValue],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) processes: Vec<RunProcess<'a>>,
}

/// The values of one process of a pipeline.
#[derive(Debug, Serialize)]
pub(super) struct RunProcess<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) parameters: &'a [String],
    #[serde(skip_serializing_if = "<[NamedValue]>::is_empty")]
    pub(super) named_parameters: &'a [NamedValue],
}

/// One run. The published page of the vendor has four members in odd casing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Computation {
    #[serde(alias = "Id")]
    pub(super) id: String,
    pub(super) name: Option<String>,
    created: Option<Value>,
    state: Option<String>,
    end_status: Option<String>,
    exit_code: Option<f64>,
    #[serde(alias = "Has_results")]
    pub(super) has_results: Option<bool>,
    cloud_workstation: Option<bool>,
    pub(super) parameters: Option<Vec<Parameter>>,
    #[serde(alias = "Data_assets")]
    pub(super) data_assets: Option<Vec<Mounted>>,
    pub(super) processes: Option<Vec<Process>>,
    /// Not documented; read where a server sends it.
    pub(super) capsule_id: Option<String>,
    /// Not documented; read where a server sends it.
    pub(super) pipeline_id: Option<String>,
}

/// A value of a run: by name, or by its place where there is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameter {
    pub(super) param_name: Option<String>,
    value: Option<Value>,
}

impl Parameter {
    /// Values are texts; a server that says otherwise is understood.
    pub(super) fn text(&self) -> String {
        match &self.value {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        }
    }
}

/// A data asset as a run has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Mounted {
    #[serde(alias = "Id")]
    pub(super) id: String,
    pub(super) mount: String,
}

/// A capsule of a pipeline within a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Process {
    pub(super) name: Option<String>,
    pub(super) parameters: Option<Vec<Parameter>>,
}

impl Computation {
    pub(super) fn is_workstation(&self) -> bool {
        self.cloud_workstation.unwrap_or_default()
    }

    pub(super) fn created(&self) -> Option<Timestamp> {
        timestamp(self.created.as_ref()?)
    }

    pub(super) fn word(&self) -> String {
        self.state.clone().unwrap_or_default()
    }

    /// Completed says only that it ended: how is in the end status and the exit code, and the two may differ.
    pub(super) fn report(&self) -> JobReport {
        let word = self.word();
        let code = self.exit_code.unwrap_or_default();
        let code_words = (code != 0.0).then(|| format!("Exit code {code}"));
        let failed = |reason: Option<String>| JobStatus::Failed { reason };
        let mut message = None;
        let status = match word.to_ascii_lowercase().as_str() {
            "initializing" => JobStatus::Queued,
            "running" | "finalizing" => JobStatus::Running { progress: None },
            "failed" => failed(code_words),
            "completed" => match filled(self.end_status.clone()) {
                None => self.ended(code_words, &mut message),
                Some(end) => match end.to_ascii_lowercase().as_str() {
                    "succeeded" => self.ended(code_words, &mut message),
                    "failed" => failed(code_words),
                    "stopped" => {
                        message = Some("Stopped at Code Ocean".to_owned());
                        JobStatus::Cancelled
                    }
                    _ => failed(Some(match code_words {
                        Some(code) => format!("{end}, {code}"),
                        None => end,
                    })),
                },
            },
            _ => JobStatus::Unrecognized(word.clone()),
        };
        JobReport {
            status,
            word,
            message,
        }
    }

    /// A run said to have succeeded has not where its program ended with a code.
    fn ended(&self, code_words: Option<String>, message: &mut Option<String>) -> JobStatus {
        if code_words.is_some() {
            return JobStatus::Failed { reason: code_words };
        }
        if !self.has_results.unwrap_or_default() {
            *message = Some("Finished without results".to_owned());
        }
        JobStatus::Succeeded
    }
}

/// A data asset.
#[derive(Debug, Deserialize)]
pub(super) struct Asset {
    #[serde(alias = "Id")]
    pub(super) id: String,
    pub(super) name: Option<String>,
    mount: Option<String>,
    state: Option<String>,
    size: Option<Value>,
    #[serde(default, deserialize_with = "list")]
    pub(super) tags: Vec<String>,
    failure_reason: Option<String>,
    transfer_error: Option<String>,
}

/// How far a data asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AssetState {
    Draft,
    Ready,
    Failed,
}

impl Asset {
    /// Older servers say `DATA_ASSET_STATE_READY`. A state nobody knows is one that is not ready yet.
    pub(super) fn state(&self) -> AssetState {
        let word = self
            .state
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match word.rsplit('_').next().unwrap_or_default() {
            "ready" => AssetState::Ready,
            "failed" => AssetState::Failed,
            _ => AssetState::Draft,
        }
    }

    /// Why it failed, as the platform says.
    pub(super) fn failure(&self) -> Option<String> {
        filled(self.failure_reason.clone()).or_else(|| filled(self.transfer_error.clone()))
    }

    /// As an input; `mount` where another folder than its own is wanted.
    pub(super) fn into_model(self, memo: Memo) -> StagedFile {
        let memo = Memo {
            mount: filled(Some(memo.mount))
                .or_else(|| filled(self.mount))
                .unwrap_or_else(|| self.id.clone()),
            ..memo
        };
        StagedFile {
            name: filled(self.name).unwrap_or_else(|| self.id.clone()),
            size_bytes: self.size.as_ref().and_then(count),
            memo: memo.text(),
            id: self.id,
            ..StagedFile::default()
        }
    }
}

/// What is remembered of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memo {
    /// The folder below `/data` it appears as.
    pub(super) mount: String,
    /// The one file in it, where it is one file of ours.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) file: String,
}

impl Memo {
    pub(super) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// One level of a tree of results.
#[derive(Debug, Deserialize)]
pub(super) struct Folder {
    #[serde(default, deserialize_with = "list")]
    pub(super) items: Vec<Item>,
}

/// A file or folder of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    pub(super) name: Option<String>,
    pub(super) path: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    size: Option<Value>,
}

impl Item {
    pub(super) fn is_folder(&self) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("folder"))
    }

    /// Length in bytes; a file without bytes may come without it, so a missing one is unknown.
    pub(super) fn size_bytes(&self) -> Option<u64> {
        count(self.size.as_ref()?)
    }
}

/// Where a result can be fetched: the present answer and the older one.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    #[serde(alias = "url")]
    pub(super) download_url: Option<String>,
}

/// A list that may be null; entries that are none of ours are left out.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let values = Option::<Vec<Value>>::deserialize(deserializer)?;
    Ok(values
        .unwrap_or_default()
        .into_iter()
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect())
}

pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A number of bytes or of anything, as a number or a text.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Seconds since 1970, as any number.
fn timestamp(value: &Value) -> Option<Timestamp> {
    let seconds = i64::try_from(count(value)?).ok()?;
    Timestamp::from_second(seconds)
        .ok()
        .filter(|time| *time > Timestamp::UNIX_EPOCH)
}

/// A number that is whole and not negative.
pub(super) fn whole(number: f64) -> Option<u64> {
    // The text of a whole number has no fraction, whatever its size.
    (number >= 0.0).then(|| format!("{:.0}", number.floor()).parse().ok())?
}
