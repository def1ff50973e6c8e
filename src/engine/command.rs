//! What a person can ask of the engine: plain data in the imperative.

use std::path::PathBuf;

use crate::model::batch::BatchDraft;
use crate::model::connection::ConnectionDraft;
use crate::model::ids::{BatchId, ConnectionId, JobId, NoticeId, PipelineId};
use crate::model::remote::RemoteJob;
use crate::model::secret::Secret;
use crate::model::settings::AppSettings;

/// A command. The answer is always a later snapshot.
#[derive(Clone, Debug)]
pub enum Command {
    /// Looks at these files and folders (recursively) and adds them to the draft.
    AddFiles(Vec<PathBuf>),
    /// Takes these paths out of the draft.
    RemoveFiles(Vec<PathBuf>),
    /// Empties the draft.
    ClearFiles,
    /// Looks over the draft and puts what it found into the snapshot.
    CheckBatch(BatchDraft),
    /// Sends the draft's files. Findings that block are put into the snapshot instead; warnings do not stop it.
    SubmitBatch(BatchDraft),
    /// Ends a job: at the platform where it can, else only here.
    CancelJob(JobId),
    /// Tries a failed or cancelled job again from where that is safe.
    RetryJob(JobId),
    /// Tries all failed jobs of a batch again.
    RetryFailed(BatchId),
    /// Decides about a submission without known outcome.
    ResolveUnconfirmed(JobId, Resolution),
    /// Takes a settled job off the list; files stay.
    ForgetJob(JobId),
    /// Adds or replaces (same label) a connection, with its secrets by field name, and checks it.
    SaveConnection(ConnectionDraft, Vec<(String, Secret)>),
    /// Tries what is filled in without saving it.
    TryConnection(ConnectionDraft, Vec<(String, Secret)>),
    /// Asks the platform who we are and which pipelines there are.
    CheckConnection(ConnectionId),
    /// Removes a connection and its key; jobs and results stay.
    RemoveConnection(ConnectionId),
    /// Reads the form of a pipeline into the snapshot.
    ReadForm(ConnectionId, PipelineId),
    /// Looks for the keyring again.
    RetryKeyring,
    /// Opens a file in the preview.
    OpenPreview(PathBuf),
    /// Closes the preview.
    ClosePreview,
    /// Wants these rows of the open table in the snapshot.
    ShowRows {
        /// First row, from 0.
        first_row: u64,
        /// How many.
        count: usize,
    },
    /// Holds a results folder against its receipt and says so in a notice.
    CheckFolder(PathBuf),
    /// Takes a notice away.
    DismissNotice(NoticeId),
    /// Saves the settings.
    SaveSettings(AppSettings),
}

/// A person's decision about an unconfirmed submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It is this job on the platform; watch it.
    Adopt(RemoteJob),
    /// It is not there; send it again.
    SendAgain,
    /// Leave it; it ends as cancelled here.
    Leave,
}
