//! One thing a platform runs for us, and where we are with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::error::Error;
use crate::model::form::{Labels, Settings};
use crate::model::ids::{BatchId, ConnectionId, FileId, JobId, ProviderId, Tag};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{Gathered, JobReport, RemoteJob, StagedFile};

/// A job, as journalled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Our number.
    pub id: JobId,
    /// The batch it belongs to.
    pub batch: BatchId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// That connection's label when the job was made; it outlives the connection.
    pub connection_label: String,
    /// The platform.
    pub provider: ProviderId,
    /// What runs.
    pub pipeline: Pipeline,
    /// Its name for people, unique within the batch.
    pub name: String,
    /// Its inputs, out of the batch's files.
    pub files: Vec<FileId>,
    /// The settings, complete.
    pub settings: Settings,
    /// What the form called them when they were filled in; empty where nobody knows any more.
    #[serde(default)]
    pub labels: Labels,
    /// What a lost submission is recognized by.
    pub tag: Tag,
    /// Name of its folder in the batch's folder.
    pub folder: String,
    /// Where we are.
    pub stage: Stage,
    /// The platform's handle, once there is one.
    pub remote: Option<RemoteJob>,
    /// What the platform last said.
    pub report: Option<JobReport>,
    /// Jobs that stood on the platform's list before we submitted; none until they were asked for.
    pub seen_before: Option<Vec<String>>,
    /// Jobs that may be the lost one, for the person to choose from.
    pub candidates: Vec<RemoteJob>,
    /// Why it failed, or what it is waiting out.
    pub error: Option<Error>,
    /// Failed attempts in a row at the present stage.
    pub attempts: u32,
    /// Those of them that nobody can wait out; so many and it fails.
    #[serde(default)]
    pub faults: u32,
    /// Not before this time.
    pub wait_until: Option<Timestamp>,
    /// When the platform first reported the present status; for the notice that nothing moves.
    pub last_change: Timestamp,
    /// Whether a person asked for this job to end.
    pub cancel_wanted: bool,
    /// Files that could not be sent and were left out so that the others could go on.
    pub left_out: Vec<LeftOut>,
    /// Whether the platform's list of results was read; they are the job's artifacts.
    pub outputs_listed: bool,
    /// What happened when.
    pub timeline: Vec<Moment>,
    /// How the platform splits it.
    #[serde(default = "one_task")]
    pub fan_out: FanOut,
    /// The sample column it is split or was made by.
    #[serde(default)]
    pub sample_column: Option<String>,
    /// Inputs at the platform it uses instead of files of this computer.
    #[serde(default)]
    pub existing: Vec<StagedFile>,
    /// Its files as one input at the platform, where those have to be gathered.
    #[serde(default)]
    pub gathered: Option<Gathered>,
    /// A draft of it at the platform that was not started as far as we know.
    #[serde(default)]
    pub drafted: Option<RemoteJob>,
    /// When the submission was about to leave.
    #[serde(default)]
    pub submitted_at: Option<Timestamp>,
}

impl Job {
    /// Whether Labferry only watches it: it was made at the platform by somebody else, so there is nothing of it to send.
    pub fn made_elsewhere(&self) -> bool {
        self.files.is_empty() && self.existing.is_empty()
    }
}

/// Jobs journalled before platforms could split one are one task.
const fn one_task() -> FanOut {
    FanOut::AllInOne
}

/// A file that a job goes on without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Which one.
    pub file: FileId,
    /// Why.
    pub error: Error,
}

/// One line of a job's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What, in one sentence without full stop.
    pub what: String,
}

/// Where we are with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Its turn has not come.
    Waiting,
    /// Its files are on their way; the platform cannot have made a job yet.
    Uploading,
    /// The submission is leaving; whether the platform made a job is open until it answers.
    Submitting,
    /// The platform has it.
    Queued,
    /// The platform works on it.
    Running,
    /// The platform is done; results are on their way.
    Downloading,
    /// Everything is here and checked.
    Done,
    /// It ended badly; the reason is on the job.
    Failed,
    /// A person ended it.
    Cancelled,
    /// Its submission has no known outcome; a person or a look-up decides.
    Unconfirmed,
}

impl Stage {
    /// Every stage, in the order of a job's life.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Uploading,
        Self::Submitting,
        Self::Queued,
        Self::Running,
        Self::Downloading,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Unconfirmed,
    ];

    /// The word on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Uploading => "Uploading",
            Self::Submitting => "Submitting",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Downloading => "Downloading",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Unconfirmed => "Unconfirmed",
        }
    }

    /// Whether nothing more happens by itself.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Done | Self::Failed | Self::Cancelled | Self::Unconfirmed => true,
            Self::Waiting
            | Self::Uploading
            | Self::Submitting
            | Self::Queued
            | Self::Running
            | Self::Downloading => false,
        }
    }

    /// Whether the platform has a job of ours that is not known to have ended.
    pub const fn is_alive_remotely(self) -> bool {
        match self {
            Self::Submitting | Self::Queued | Self::Running | Self::Unconfirmed => true,
            Self::Waiting
            | Self::Uploading
            | Self::Downloading
            | Self::Done
            | Self::Failed
            | Self::Cancelled => false,
        }
    }

    /// The legal moves. A person's retry goes back to `Waiting` where no remote job can exist, else to `Queued` or `Downloading`.
    pub const fn may_move_to(self, next: Self) -> bool {
        match self {
            Self::Waiting => matches!(
                next,
                Self::Uploading | Self::Submitting | Self::Failed | Self::Cancelled
            ),
            Self::Uploading => {
                matches!(
                    next,
                    Self::Waiting | Self::Submitting | Self::Failed | Self::Cancelled
                )
            }
            Self::Submitting => {
                matches!(
                    next,
                    Self::Waiting | Self::Queued | Self::Failed | Self::Unconfirmed
                )
            }
            Self::Queued => {
                matches!(
                    next,
                    Self::Running | Self::Downloading | Self::Failed | Self::Cancelled
                )
            }
            Self::Running => {
                matches!(
                    next,
                    Self::Queued | Self::Downloading | Self::Failed | Self::Cancelled
                )
            }
            Self::Downloading => matches!(next, Self::Done | Self::Failed | Self::Cancelled),
            Self::Done => false,
            Self::Failed => matches!(next, Self::Waiting | Self::Queued | Self::Downloading),
            Self::Cancelled => matches!(next, Self::Waiting | Self::Queued),
            Self::Unconfirmed => matches!(next, Self::Waiting | Self::Queued | Self::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Stage};
    use crate::model::ids::FileId;
    use crate::model::remote::StagedFile;

    /// As a journal would hold one that nobody has sent anything of.
    fn job() -> Job {
        serde_json::from_value(serde_json::json!({
            "id": 1, "batch": 1, "connection": 1, "connection_label": "Imaging core", "provider": "biodock",
            "pipeline": {"id": "p1", "name": "Nuclei count", "description": "", "typical_secs": null},
            "name": "Plate 7", "files": [], "settings": {}, "tag": "lf-1", "folder": "Plate 7", "stage": "Waiting",
            "remote": null, "report": null, "seen_before": null, "candidates": [], "error": null, "attempts": 0,
            "faults": 0, "wait_until": null, "last_change": "2026-11-20T08:00:00Z", "cancel_wanted": false,
            "left_out": [], "outputs_listed": false, "timeline": [],
        }))
        .unwrap()
    }

    #[test]
    fn a_job_with_nothing_of_ours_was_made_elsewhere() {
        assert!(job().made_elsewhere());
        let mut sent = job();
        sent.files = vec![FileId(1)];
        assert!(!sent.made_elsewhere());
        let mut picked = job();
        picked.existing = vec![StagedFile::default()];
        assert!(!picked.made_elsewhere());
    }

    fn words(of: impl Fn(Stage) -> bool) -> Vec<&'static str> {
        let chosen = Stage::ALL.into_iter().filter(|stage| of(*stage));
        chosen.map(Stage::word).collect()
    }

    #[test]
    fn nothing_more_happens_by_itself_to_these() {
        assert_eq!(
            words(Stage::is_settled),
            ["Done", "Failed", "Cancelled", "Unconfirmed"]
        );
    }

    #[test]
    fn the_platform_may_be_working_on_these() {
        assert_eq!(
            words(Stage::is_alive_remotely),
            ["Submitting", "Queued", "Running", "Unconfirmed"]
        );
    }

    #[test]
    fn legal_moves_are_these() {
        let table: Vec<String> = Stage::ALL
            .iter()
            .map(|from| {
                let to: Vec<&str> = Stage::ALL
                    .iter()
                    .filter(|to| from.may_move_to(**to))
                    .map(|to| to.word())
                    .collect();
                format!("{} > {}", from.word(), to.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "Waiting > Uploading Submitting Failed Cancelled",
                "Uploading > Waiting Submitting Failed Cancelled",
                "Submitting > Waiting Queued Failed Unconfirmed",
                "Queued > Running Downloading Failed Cancelled",
                "Running > Queued Downloading Failed Cancelled",
                "Downloading > Done Failed Cancelled",
                "Done > ",
                "Failed > Waiting Queued Downloading",
                "Cancelled > Waiting Queued",
                "Unconfirmed > Waiting Queued Cancelled",
            ]
        );
    }

    #[test]
    fn nothing_unsettled_is_a_dead_end() {
        for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_settled()) {
            assert!(
                Stage::ALL.into_iter().any(|next| stage.may_move_to(next)),
                "{} has no way out",
                stage.word()
            );
        }
    }
}
