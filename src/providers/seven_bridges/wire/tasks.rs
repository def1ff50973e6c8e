//! Tasks, which stand for one run each, and batch tasks, which stand for their children.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::model::remote::Progress;
use crate::net::errors::text_of;
use crate::providers::seven_bridges::wire::{count, flag, text};

/// Fields of a listed task.
pub(in crate::providers::seven_bridges) const LISTED_FIELDS: &str =
    "id,name,app,project,status,batch,batch_by,parent,created_time";
/// Fields of a child, to tell how it stands.
pub(in crate::providers::seven_bridges) const CHILD_FIELDS: &str =
    "id,name,status,execution_status,errors";
/// Fields of a child, to fetch what it made.
pub(in crate::providers::seven_bridges) const CHILD_OUTPUT_FIELDS: &str = "id,name,status,outputs";

/// A task.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::providers::seven_bridges) struct Task {
    pub(in crate::providers::seven_bridges) id: String,
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) app: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) project: Option<String>,
    #[serde(deserialize_with = "text")]
    status: Option<String>,
    #[serde(deserialize_with = "flag")]
    batch: Option<bool>,
    batch_by: Json,
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) parent: Option<String>,
    #[serde(deserialize_with = "text")]
    created_time: Option<String>,
    errors: Json,
    pub(in crate::providers::seven_bridges) outputs: Json,
    execution_status: Option<ExecutionStatus>,
}

/// How far a task is, in steps, or in children for a batch. Anything may be missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ExecutionStatus {
    #[serde(deserialize_with = "count")]
    steps_completed: Option<u64>,
    #[serde(deserialize_with = "count")]
    steps_total: Option<u64>,
    #[serde(deserialize_with = "text")]
    message: Option<String>,
    #[serde(deserialize_with = "count")]
    queued: Option<u64>,
    #[serde(deserialize_with = "count")]
    running: Option<u64>,
    #[serde(deserialize_with = "count")]
    completed: Option<u64>,
    #[serde(deserialize_with = "count")]
    failed: Option<u64>,
    #[serde(deserialize_with = "count")]
    aborted: Option<u64>,
    #[serde(deserialize_with = "flag")]
    system_limit: Option<bool>,
    #[serde(deserialize_with = "flag")]
    account_limit: Option<bool>,
}

/// What a word for a state means; eight are known, the vendor's overview names six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers::seven_bridges) enum Word {
    Draft,
    Creating,
    Queued,
    Running,
    Aborting,
    Completed,
    Failed,
    Aborted,
    Unknown,
}

impl Word {
    /// Whether nothing more happens.
    pub(in crate::providers::seven_bridges) const fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Aborted => true,
            Self::Draft
            | Self::Creating
            | Self::Queued
            | Self::Running
            | Self::Aborting
            | Self::Unknown => false,
        }
    }
}

/// Children of a batch by how they stand, as the batch itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers::seven_bridges) struct Counts {
    pub(in crate::providers::seven_bridges) waiting: u64,
    pub(in crate::providers::seven_bridges) running: u64,
    pub(in crate::providers::seven_bridges) ended: u64,
}

impl Task {
    pub(in crate::providers::seven_bridges) fn word(&self) -> Word {
        match self.status().to_ascii_uppercase().as_str() {
            "DRAFT" => Word::Draft,
            "CREATING" => Word::Creating,
            "QUEUED" => Word::Queued,
            "RUNNING" => Word::Running,
            "ABORTING" => Word::Aborting,
            "COMPLETED" => Word::Completed,
            "FAILED" => Word::Failed,
            "ABORTED" => Word::Aborted,
            _ => Word::Unknown,
        }
    }

    /// The platform's own word.
    pub(in crate::providers::seven_bridges) fn status(&self) -> &str {
        self.status.as_deref().unwrap_or_default().trim()
    }

    /// Its name, or its identifier where it has none.
    pub(in crate::providers::seven_bridges) fn shown_name(&self) -> &str {
        self.name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.id)
    }

    /// Whether it stands for children.
    pub(in crate::providers::seven_bridges) fn is_batch(&self) -> bool {
        self.batch.unwrap_or(false) || self.batch_by.get("type").is_some_and(Json::is_string)
    }

    /// Whether it belongs to a batch.
    pub(in crate::providers::seven_bridges) fn is_child(&self) -> bool {
        self.parent
            .as_deref()
            .is_some_and(|parent| !parent.is_empty() && parent != self.id)
    }

    pub(in crate::providers::seven_bridges) fn created(&self) -> Option<Timestamp> {
        self.created_time.as_deref()?.trim().parse().ok()
    }

    /// What the checks of a draft found, if anything. A success (200) may carry these: then nothing runs.
    pub(in crate::providers::seven_bridges) fn complaints(&self) -> Option<String> {
        let errors = self.errors.as_array()?;
        let words: Vec<String> = errors
            .iter()
            .filter_map(|error| match error.get("message") {
                Some(message) => text_of(message),
                None => text_of(error),
            })
            .take(10)
            .collect();
        match (errors.is_empty(), words.is_empty()) {
            (true, _) => None,
            (false, true) => Some("The platform does not say what is wrong".to_owned()),
            (false, false) => Some(words.join("; ")),
        }
    }

    /// The platform's own message, and what keeps the task waiting.
    pub(in crate::providers::seven_bridges) fn message(&self) -> Option<String> {
        let status = self.execution_status.as_ref()?;
        let message = status.message.as_deref().map(str::trim).unwrap_or_default();
        if !message.is_empty() {
            return Some(message.to_owned());
        }
        if self.word().is_end() {
            return None;
        }
        if status.account_limit == Some(true) {
            return Some("Waits because of the account's limit of parallel tasks".to_owned());
        }
        (status.system_limit == Some(true))
            .then(|| "Waits because of a limit of the platform".to_owned())
    }

    /// Steps done of steps in all.
    pub(in crate::providers::seven_bridges) fn steps(&self) -> Option<Progress> {
        let status = self.execution_status.as_ref()?;
        let total = status.steps_total.filter(|total| *total > 0)?;
        Some(steps(status.steps_completed?.min(total), total))
    }

    /// The counts of children, where all that matters is there.
    pub(in crate::providers::seven_bridges) fn counts(&self) -> Option<Counts> {
        let status = self.execution_status.as_ref()?;
        let ended = [status.completed, status.failed, status.aborted];
        if ended.iter().all(Option::is_none) {
            return None;
        }
        Some(Counts {
            waiting: status.queued?,
            running: status.running?,
            ended: ended.into_iter().flatten().sum(),
        })
    }
}

/// Progress in whole steps.
pub(in crate::providers::seven_bridges) fn steps(done: u64, total: u64) -> Progress {
    Progress::Steps {
        done: u32::try_from(done).unwrap_or(u32::MAX),
        total: u32::try_from(total).ok(),
    }
}

/// `GET /tasks/{id}/execution_details`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::providers::seven_bridges) struct Details {
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) message: Option<String>,
    pub(in crate::providers::seven_bridges) jobs: Option<Vec<StepRun>>,
}

/// One run of a step.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::providers::seven_bridges) struct StepRun {
    #[serde(deserialize_with = "text")]
    pub(in crate::providers::seven_bridges) name: Option<String>,
    logs: Json,
}

impl StepRun {
    /// Its logs, as name and file. A log's address is a question to the interface that answers with an address; the file
    /// in it is all that is used, so that the token goes nowhere else.
    pub(in crate::providers::seven_bridges) fn logs(&self) -> Vec<(String, String)> {
        let Some(logs) = self.logs.as_object() else {
            return Vec::new();
        };
        logs.iter()
            .filter_map(|(name, address)| {
                let (_, path) = address.as_str()?.split_once("/files/")?;
                let id = path.split(['/', '?', '#']).next()?;
                (!id.is_empty()).then(|| (name.clone(), id.to_owned()))
            })
            .collect()
    }
}
