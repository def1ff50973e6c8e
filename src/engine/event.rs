//! What happens to the engine, what it wants done, and how work is told apart. Plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::command::Command;
use crate::engine::snapshot::KeyringState;
use crate::model::artifact::{Fetched, UnpackedFile};
use crate::model::batch::{BatchDraft, BatchFile, Finding, Target};
use crate::model::connection::{Account, Connection, ConnectionDraft, KeyState};
use crate::model::error::{Error, Result};
use crate::model::file::ListedFile;
use crate::model::form::{Form, Labels};
use crate::model::ids::{ArtifactId, BatchId, ConnectionId, FileId, JobId, PipelineId, ProviderId};
use crate::model::notice::Words;
use crate::model::pipeline::Pipeline;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use crate::model::samples::{SampleSheet, SampleTable};
use crate::model::secret::Secret;
use crate::results::receipt::{Compared, Receipt};
use crate::store::journal::Change;

/// The moment of a decision: its time, and a number nobody can foresee for whatever needs chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time.
    pub at: Timestamp,
    /// Fresh for each decision.
    pub random: u64,
}

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A person wants something.
    Command(Command),
    /// A time that was waited for has come.
    Tick,
    /// The engine begins with what is in the journal.
    Started,
    /// The wall clock jumped by so much: set by somebody, or the computer slept.
    ClockMoved(SignedDuration),
    /// Files and folders were looked through.
    Scanned(Vec<ListedFile>),
    /// A table of samples was read, or why not, in one sentence.
    SheetRead(PathBuf, std::result::Result<SampleSheet, String>),
    /// The draft was looked over.
    Checked(Vec<Finding>),
    /// The draft is ready to be sent, or what is in the way.
    Prepared(std::result::Result<Prepared, Vec<Finding>>),
    /// A filled-in connection was validated and its secrets put into the vault.
    ConnectionStored(ConnectionDraft, Result<(Connection, KeyState)>),
    /// A filled-in connection was tried without saving it.
    Tried(Result<Account>),
    /// A client for the connection exists, or why not.
    Connected(ConnectionId, KeyState, Result<()>),
    /// The platform said who we are and what can be run.
    Asked(ConnectionId, Result<Account>, Option<Result<Vec<Pipeline>>>),
    /// The platform told the settings of a pipeline.
    FormRead(ConnectionId, PipelineId, Result<Form>),
    /// A file is at the platform, or why not.
    Staged(ConnectionId, FileId, Result<StagedFile>),
    /// The list of jobs before a submission.
    BaselineRead(JobId, Result<Vec<String>>),
    /// An upload wants something remembered; it waits for the journal.
    KeepAsked(ConnectionId, FileId, String),
    /// The files of a job were gathered into one input, or how far that is.
    Gathered(JobId, Result<Gathered>),
    /// Inputs at the platform.
    Browsed(ConnectionId, Query, Result<Page<StagedFile>>),
    /// Jobs at the platform.
    JobsListed(ConnectionId, Query, Result<Page<ListedJob>>),
    /// The job of a pasted identifier.
    Recognized(ConnectionId, String, Result<ListedJob>),
    /// The folder for the results of a job made elsewhere was made, or why not.
    AdoptionPrepared(ConnectionId, Box<ListedJob>, Result<PathBuf>),
    /// The names and addresses in another program's file of keys, or why there are none.
    ProfilesRead(
        ProviderId,
        std::result::Result<Vec<(String, String)>, Words>,
    ),
    /// The submission is about to become irrevocable, with the draft that will be started; it waits for the journal.
    CommitAsked(JobId, Option<RemoteJob>),
    /// The submission was answered, or not.
    Submitted(JobId, Result<RemoteJob>),
    /// A lost submission was looked for.
    LookedUp(JobId, Result<Found>),
    /// The platform said how these jobs stand.
    Polled(ConnectionId, Result<Vec<(JobId, Result<JobReport>)>>),
    /// The platform was asked to end a job.
    CancelAnswered(JobId, Result<()>),
    /// The platform listed a job's results.
    OutputsListed(JobId, Result<Vec<Output>>),
    /// The platform is making a result.
    Preparing(ArtifactId, Option<f32>),
    /// A result is here under its final name, or why not.
    Fetched(ArtifactId, Result<Fetched>),
    /// An archive was unpacked, or why not.
    Unpacked(ArtifactId, Result<Unpacked>),
    /// The receipt of a batch was written after these jobs, or why not.
    ReceiptWritten(BatchId, Vec<JobId>, Result<()>),
    /// The keyring was looked for.
    KeyringProbed(KeyringState),
    /// A results folder was held against its receipt, to its end or until it was stopped.
    FolderChecked(PathBuf, Result<Compared>),
    /// A worker broke down; its work is to be decided about anew.
    Broke(WorkKey, String),
}

/// A draft that can be sent: files looked at again, forms filled, folder made.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The batch's name.
    pub name: String,
    /// The folder made for it; absolute and empty.
    pub folder: PathBuf,
    /// The files, without numbers yet.
    pub files: Vec<BatchFile>,
    /// Files that were in the draft and cannot be sent, in words.
    pub left_out: Vec<String>,
    /// The targets with complete settings.
    pub targets: Vec<Target>,
    /// What their forms call the settings.
    pub labels: BTreeMap<(ConnectionId, PipelineId), Labels>,
}

/// What came out of an archive.
#[derive(Clone, Debug)]
pub struct Unpacked {
    /// The files.
    pub files: Vec<UnpackedFile>,
    /// What was refused, in words.
    pub problems: Vec<String>,
    /// Whether the archive itself stays; else it is removed before the receipt is written.
    pub archive_kept: bool,
}

/// What a decision asks for, in order: first written, then started.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Goes into the journal before anything below is done.
    Write(Change),
    /// Is started.
    Start(Work),
    /// Is asked to stop.
    Stop(WorkKey),
    /// The waiting submission may go.
    LetCommit(JobId),
    /// The waiting upload may go on.
    LetKeep(ConnectionId, FileId),
    /// The client of this connection is outdated.
    Disconnect(ConnectionId),
    /// The secrets under this name are no longer needed.
    ForgetSecrets(String),
    /// The way to the network has changed.
    RenewNetwork,
    /// The computer was asleep: what follows goes over new connections, and what hangs on old ones is begun anew.
    Awake,
    /// Files travel no faster than this from now on, those under way included.
    LimitSpeed {
        /// Bytes a second to the platforms.
        up: Option<u64>,
        /// Bytes a second from the platforms.
        down: Option<u64>,
    },
}

/// A piece of work, complete in itself.
#[derive(Clone, Debug)]
pub enum Work {
    /// Look through files and folders.
    Scan {
        /// What was picked or dropped.
        paths: Vec<PathBuf>,
        /// Paths that are in the list already.
        known: Vec<PathBuf>,
    },
    /// Read a table of samples.
    ReadSheet(PathBuf),
    /// Look over the draft.
    Check(DraftRequest),
    /// Make the draft ready to be sent.
    Prepare(DraftRequest),
    /// Validate a filled-in connection and put its secrets into the vault.
    StoreConnection {
        /// As filled in.
        draft: ConnectionDraft,
        /// Its secrets, by field name.
        secrets: Vec<(String, Secret)>,
        /// The name in another program's file of keys that gives address and key.
        profile: Option<String>,
        /// Its number.
        id: ConnectionId,
        /// Where the vault puts the secrets.
        vault_name: String,
    },
    /// Try a filled-in connection without saving it.
    Try {
        /// As filled in.
        draft: ConnectionDraft,
        /// Its secrets, by field name.
        secrets: Vec<(String, Secret)>,
        /// The name in another program's file whose address and secrets are taken instead.
        profile: Option<String>,
    },
    /// Fetch the secrets and make a client.
    Connect(Connection),
    /// Ask who we are and, where wanted, what can be run.
    Ask(ConnectionId),
    /// Read the settings of a pipeline.
    ReadForm(ConnectionId, PipelineId),
    /// Upload a file.
    Stage {
        /// Over which connection.
        connection: ConnectionId,
        /// Which file.
        file: FileId,
        /// The file and its name there.
        upload: Upload,
        /// What an earlier attempt wanted remembered.
        kept: Option<String>,
    },
    /// Make one input of the files of a job.
    Gather {
        /// Over which connection.
        connection: ConnectionId,
        /// Which job.
        job: JobId,
        /// Of what.
        gathering: Box<Gathering>,
    },
    /// List inputs at the platform.
    Browse(ConnectionId, Query),
    /// List jobs at the platform.
    ListJobs(ConnectionId, Query),
    /// Look up the job of a pasted identifier.
    Recognize(ConnectionId, String),
    /// Make the folder for the results of a job made elsewhere.
    PrepareAdoption {
        /// Over which connection.
        connection: ConnectionId,
        /// The job.
        listed: Box<ListedJob>,
        /// Folder that batches get theirs in.
        results_folder: PathBuf,
        /// Name of the folder, before cleaning.
        folder: String,
    },
    /// Read which names another program's file of keys holds.
    ReadProfiles(ProviderId),
    /// List the platform's jobs before a submission.
    ReadBaseline(ConnectionId, JobId),
    /// Submit a job.
    Submit {
        /// Over which connection.
        connection: ConnectionId,
        /// Which job.
        job: JobId,
        /// What to submit.
        submission: Submission,
    },
    /// Look for a lost submission.
    LookUp {
        /// Over which connection.
        connection: ConnectionId,
        /// Which job.
        job: JobId,
        /// What it is recognized by.
        lost: Box<Lost>,
    },
    /// Ask how jobs stand.
    Poll(ConnectionId, Vec<(JobId, RemoteJob)>),
    /// End a job at the platform.
    Cancel(ConnectionId, JobId, RemoteJob),
    /// List a job's results.
    ListOutputs(ConnectionId, JobId, RemoteJob),
    /// Fetch a result.
    Fetch {
        /// Over which connection.
        connection: ConnectionId,
        /// Whose result.
        job: RemoteJob,
        /// Which result.
        artifact: ArtifactId,
        /// What the platform offers.
        output: Output,
        /// The folder of its batch; absolute.
        batch_folder: PathBuf,
        /// Its final place below that; absolute.
        target: PathBuf,
    },
    /// Unpack an archive beside itself.
    Unpack {
        /// Which result.
        artifact: ArtifactId,
        /// The folder of its batch; absolute.
        batch_folder: PathBuf,
        /// The archive; absolute.
        archive: PathBuf,
        /// Where its files go; absolute.
        into: PathBuf,
        /// The same below the job's folder.
        below: String,
        /// Whether the archive stays.
        keep_archive: bool,
    },
    /// Look for the keyring.
    ProbeKeyring,
    /// Hold a results folder against its receipt.
    CheckFolder(PathBuf),
    /// Write the receipt of a batch.
    WriteReceipt {
        /// Which batch.
        batch: BatchId,
        /// The jobs that are done once it is written.
        finishing: Vec<JobId>,
        /// Its folder; absolute.
        folder: PathBuf,
        /// Archives that were unpacked and are not to be kept; absolute.
        spent: Vec<PathBuf>,
        /// What it says.
        receipt: Box<Receipt>,
    },
}

/// What checking and preparing a draft need to know.
#[derive(Clone, Debug)]
pub struct DraftRequest {
    /// As filled in.
    pub draft: BatchDraft,
    /// The files of the list that can be sent.
    pub files: Vec<crate::model::file::LocalFile>,
    /// The connections of the targets; absent ones are findings.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// What is known of the files' samples.
    pub samples: Arc<SampleTable>,
    /// Forms that are known already.
    pub forms: BTreeMap<(ConnectionId, PipelineId), Form>,
    /// Folder that batches get theirs in.
    pub results_folder: PathBuf,
    /// Batches with these very files, pipelines and sizes that were sent before, in words.
    pub sent_before: Vec<String>,
    /// The moment, for the folder's name.
    pub at: Timestamp,
    /// Whether `connections` whose key is missing, by label.
    pub missing_keys: Vec<ConnectionId>,
}

/// Tells pieces of work apart; each runs at most once at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkKey {
    /// A look through files and folders; numbered, as several may run.
    Scan(u64),
    /// The reading of a table of samples.
    ReadSheet(PathBuf),
    /// The look over the draft.
    Check,
    /// The making ready.
    Prepare,
    /// The storing of a connection.
    StoreConnection(ConnectionId),
    /// The trial of a connection.
    Try,
    /// The making of a client.
    Connect(ConnectionId),
    /// The question who we are.
    Ask(ConnectionId),
    /// The reading of a form.
    ReadForm(ConnectionId, PipelineId),
    /// An upload.
    Stage(ConnectionId, FileId),
    /// The gathering of a job's files.
    Gather(JobId),
    /// A list of inputs.
    Browse(ConnectionId),
    /// A list of jobs.
    ListJobs(ConnectionId),
    /// The look for a pasted identifier.
    Recognize(ConnectionId),
    /// The making of the folder for a job made elsewhere.
    PrepareAdoption(ConnectionId, String),
    /// The reading of another program's file of keys.
    ReadProfiles(ProviderId),
    /// The list before a submission.
    ReadBaseline(JobId),
    /// A submission.
    Submit(JobId),
    /// A look for a lost submission.
    LookUp(JobId),
    /// A poll.
    Poll(ConnectionId),
    /// A cancellation.
    Cancel(JobId),
    /// A list of results.
    ListOutputs(JobId),
    /// A download.
    Fetch(ArtifactId),
    /// An unpacking.
    Unpack(ArtifactId),
    /// The look for the keyring.
    ProbeKeyring,
    /// The check of a results folder.
    CheckFolder(PathBuf),
    /// A receipt.
    WriteReceipt(BatchId),
}

impl Work {
    /// What tells it apart. `number` counts looks through files.
    pub fn key(&self, number: u64) -> WorkKey {
        match self {
            Self::Scan { .. } => WorkKey::Scan(number),
            Self::ReadSheet(path) => WorkKey::ReadSheet(path.clone()),
            Self::PrepareAdoption {
                connection, listed, ..
            } => WorkKey::PrepareAdoption(*connection, listed.remote.id.clone()),
            Self::ReadProfiles(provider) => WorkKey::ReadProfiles(provider.clone()),
            Self::Check(_) => WorkKey::Check,
            Self::Prepare(_) => WorkKey::Prepare,
            Self::StoreConnection { id, .. } => WorkKey::StoreConnection(*id),
            Self::Try { .. } => WorkKey::Try,
            Self::Connect(connection) => WorkKey::Connect(connection.id),
            Self::Ask(connection) => WorkKey::Ask(*connection),
            Self::ReadForm(connection, pipeline) => {
                WorkKey::ReadForm(*connection, pipeline.clone())
            }
            Self::Stage {
                connection, file, ..
            } => WorkKey::Stage(*connection, *file),
            Self::Gather { job, .. } => WorkKey::Gather(*job),
            Self::Browse(connection, _) => WorkKey::Browse(*connection),
            Self::ListJobs(connection, _) => WorkKey::ListJobs(*connection),
            Self::Recognize(connection, _) => WorkKey::Recognize(*connection),
            Self::ReadBaseline(_, job) => WorkKey::ReadBaseline(*job),
            Self::Submit { job, .. } => WorkKey::Submit(*job),
            Self::LookUp { job, .. } => WorkKey::LookUp(*job),
            Self::Poll(connection, _) => WorkKey::Poll(*connection),
            Self::Cancel(_, job, _) => WorkKey::Cancel(*job),
            Self::ListOutputs(_, job, _) => WorkKey::ListOutputs(*job),
            Self::Fetch { artifact, .. } => WorkKey::Fetch(*artifact),
            Self::Unpack { artifact, .. } => WorkKey::Unpack(*artifact),
            Self::ProbeKeyring => WorkKey::ProbeKeyring,
            Self::CheckFolder(folder) => WorkKey::CheckFolder(folder.clone()),
            Self::WriteReceipt { batch, .. } => WorkKey::WriteReceipt(*batch),
        }
    }

    /// The connection whose client it needs.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Ask(connection)
            | Self::ReadForm(connection, _)
            | Self::Stage { connection, .. }
            | Self::Gather { connection, .. }
            | Self::Browse(connection, _)
            | Self::ListJobs(connection, _)
            | Self::Recognize(connection, _)
            | Self::ReadBaseline(connection, _)
            | Self::Submit { connection, .. }
            | Self::LookUp { connection, .. }
            | Self::Poll(connection, _)
            | Self::Cancel(connection, ..)
            | Self::ListOutputs(connection, ..)
            | Self::Fetch { connection, .. } => Some(*connection),
            Self::Scan { .. }
            | Self::ReadSheet(_)
            | Self::PrepareAdoption { .. }
            | Self::ReadProfiles(_)
            | Self::Check(_)
            | Self::Prepare(_)
            | Self::StoreConnection { .. }
            | Self::Try { .. }
            | Self::Connect(_)
            | Self::ProbeKeyring
            | Self::CheckFolder(_)
            | Self::Unpack { .. }
            | Self::WriteReceipt { .. } => None,
        }
    }
}

/// What a broken worker counts as.
pub fn breakdown(text: &str, doing: crate::model::error::Doing) -> Error {
    Error::new(crate::model::error::ErrorKind::Internal, doing)
        .sent(crate::model::error::Sent::Perhaps)
        .hint("A part of Labferry stopped unexpectedly")
        .server_said(text)
}
