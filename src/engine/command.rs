//! What a person can ask of the engine: plain data in the imperative.

use std::path::PathBuf;

use crate::model::batch::BatchDraft;
use crate::model::connection::ConnectionDraft;
use crate::model::ids::{BatchId, ConnectionId, JobId, NoticeId, PipelineId, ProviderId};
use crate::model::image_view::{ImageWish, ObjectRef};
use crate::model::remote::{Query, RemoteJob};
use crate::model::secret::Secret;
use crate::model::settings::{AppSettings, SavedSettings};
use crate::model::table::{StackWish, TableWish};

/// A command. The answer is always a later snapshot.
#[derive(Clone, Debug)]
pub enum Command {
    /// Looks at these files and folders (recursively) and adds them to the draft.
    AddFiles(Vec<PathBuf>),
    /// Takes these paths out of the draft.
    RemoveFiles(Vec<PathBuf>),
    /// Empties the draft.
    ClearFiles,
    /// Reads sample columns out of the names of the draft's files by this pattern; empty takes them away.
    SetSamplePattern(String),
    /// Reads sample columns out of a table whose one column holds file names.
    ImportSamples(PathBuf),
    /// Changes one cell of the sample table.
    SetSample {
        /// Of which file.
        path: PathBuf,
        /// Of which column; a new one is added.
        column: String,
        /// What it shall hold; empty takes it away.
        value: String,
    },
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
    /// Tries address and key out of another program's file without saving them; the rest as filled in.
    TryProfile {
        /// Label and further entries.
        draft: ConnectionDraft,
        /// The name in that file.
        profile: String,
    },
    /// Asks the platform who we are and which pipelines there are.
    CheckConnection(ConnectionId),
    /// Removes a connection and its key; jobs and results stay.
    RemoveConnection(ConnectionId),
    /// Reads the form of a pipeline into the snapshot.
    ReadForm(ConnectionId, PipelineId),
    /// Lists inputs at the platform into the snapshot.
    Browse(ConnectionId, Query),
    /// Lists jobs at the platform into the snapshot.
    ListJobs(ConnectionId, Query),
    /// Watches a job that was made elsewhere, by its identifier or the address of its page; its results are fetched.
    AdoptJob(ConnectionId, String),
    /// Keeps settings of a pipeline under a name, in place of what had that name.
    SaveNamedSettings(SavedSettings),
    /// Forgets settings kept under a name.
    RemoveNamedSettings {
        /// Of which platform.
        provider: ProviderId,
        /// Of which pipeline.
        pipeline: PipelineId,
        /// Their name.
        name: String,
    },
    /// Reads which names another program's file of keys holds into the snapshot.
    ReadProfiles(ProviderId),
    /// Adds a connection with address and key out of another program's file; the rest as filled in.
    ImportProfile {
        /// Label and further entries.
        draft: ConnectionDraft,
        /// The name in that file.
        profile: String,
    },
    /// Looks for the keyring again.
    RetryKeyring,
    /// Opens a file in the preview.
    OpenPreview(PathBuf),
    /// Opens all tables of a batch as one in the preview.
    OpenStack(StackWish),
    /// Closes the preview.
    ClosePreview,
    /// Wants these rows of the open table in the snapshot.
    ShowRows {
        /// First row, from 0.
        first_row: u64,
        /// How many.
        count: usize,
    },
    /// Asks something of the open table.
    Table(TableWish),
    /// Wants this of the open image in the snapshot.
    ShowImage(ImageWish),
    /// Opens the image or the masks of an object, chosen and in the middle. The preview's path becomes that file's.
    ShowObject {
        /// Which one.
        object: ObjectRef,
        /// A file of the same job, such as the table that names it.
        beside: PathBuf,
    },
    /// Opens a table of objects at the row of one.
    ShowObjectRow {
        /// The table.
        table: PathBuf,
        /// Whose row.
        object: ObjectRef,
    },
    /// Wants these rows of the open text in the snapshot.
    ShowLines {
        /// First row, from 0.
        first_row: u64,
        /// How many.
        count: usize,
    },
    /// Goes to a line of the open text, counted from 1.
    GoToLine(u64),
    /// Looks for words in the open text or JSON, in upper or lower case.
    FindText {
        /// The words.
        words: String,
        /// From which row, or value of JSON, on: forwards that one first, backwards those before it.
        from_row: u64,
        /// Towards the end, else towards the beginning.
        forward: bool,
    },
    /// Ends a search in the open text or JSON.
    StopFinding,
    /// Shows the open JSON as it is written; opening it again shows the tree.
    ShowAsText,
    /// Computes the hash of the open file.
    HashPreview,
    /// Ends the hashing under way.
    StopHashing,
    /// Follows the end of the open text, or no longer.
    FollowText(bool),
    /// Wants the thumbnails of these files, first things first, and of no others any more.
    ShowThumbnails(Vec<PathBuf>),
    /// Holds a results folder against its receipt; the answer comes with the snapshot and as a notice.
    CheckFolder(PathBuf),
    /// Ends the check of a results folder; what it found so far stays.
    StopCheck(PathBuf),
    /// Reads what a results folder tells of itself into the snapshot.
    OpenFolder(PathBuf),
    /// Takes a notice away.
    DismissNotice(NoticeId),
    /// Makes a report of a problem into the snapshot, redacted.
    MakeReport,
    /// Saves the report in the snapshot as this file.
    SaveReport(PathBuf),
    /// Puts the report away.
    CloseReport,
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

impl Command {
    /// The name of a command, without anything that was entered.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddFiles(_) => "add files",
            Self::RemoveFiles(_) => "remove files",
            Self::ClearFiles => "clear files",
            Self::SetSamplePattern(_) => "set sample pattern",
            Self::ImportSamples(_) => "import samples",
            Self::SetSample { .. } => "set sample",
            Self::CheckBatch(_) => "check batch",
            Self::SubmitBatch(_) => "submit batch",
            Self::CancelJob(_) => "cancel job",
            Self::RetryJob(_) => "retry job",
            Self::RetryFailed(_) => "retry failed",
            Self::ResolveUnconfirmed(..) => "resolve unconfirmed",
            Self::ForgetJob(_) => "forget job",
            Self::SaveConnection(..) => "save connection",
            Self::TryConnection(..) => "try connection",
            Self::TryProfile { .. } => "try profile",
            Self::CheckConnection(_) => "check connection",
            Self::RemoveConnection(_) => "remove connection",
            Self::ReadForm(..) => "read form",
            Self::Browse(..) => "browse",
            Self::ListJobs(..) => "list jobs",
            Self::AdoptJob(..) => "adopt job",
            Self::SaveNamedSettings(_) => "save named settings",
            Self::RemoveNamedSettings { .. } => "remove named settings",
            Self::ReadProfiles(_) => "read profiles",
            Self::ImportProfile { .. } => "import profile",
            Self::RetryKeyring => "retry keyring",
            Self::OpenPreview(_) => "open preview",
            Self::OpenStack(_) => "open stack",
            Self::ClosePreview => "close preview",
            Self::ShowRows { .. } => "show rows",
            Self::Table(_) => "ask table",
            Self::ShowImage(_) => "show image",
            Self::ShowObject { .. } => "show object",
            Self::ShowObjectRow { .. } => "show object row",
            Self::ShowLines { .. } => "show lines",
            Self::GoToLine(_) => "go to line",
            Self::FindText { .. } => "find text",
            Self::StopFinding => "stop finding",
            Self::ShowAsText => "show as text",
            Self::HashPreview => "hash preview",
            Self::StopHashing => "stop hashing",
            Self::FollowText(_) => "follow text",
            Self::ShowThumbnails(_) => "show thumbnails",
            Self::CheckFolder(_) => "check folder",
            Self::StopCheck(_) => "stop check",
            Self::OpenFolder(_) => "open folder",
            Self::DismissNotice(_) => "dismiss notice",
            Self::MakeReport => "make report",
            Self::SaveReport(_) => "save report",
            Self::CloseReport => "close report",
            Self::SaveSettings(_) => "save settings",
        }
    }
}
