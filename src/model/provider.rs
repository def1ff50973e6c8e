//! What a platform is and can do, as data. A field exists only if it changes what the engine does or what a person sees.

use std::time::Duration;

use crate::model::ids::ProviderId;

/// A platform as the window and the engine need to know it.
#[derive(Clone, Debug)]
pub struct ProviderFacts {
    /// Its word.
    pub id: ProviderId,
    /// Its name as it writes it.
    pub name: &'static str,
    /// One sentence for the card of a new connection.
    pub about: &'static str,
    /// Its own nouns for our words.
    pub nouns: Nouns,
    /// The form of a new connection, in order; `url` is the field of the base address.
    pub connect_fields: &'static [ConnectField],
    /// What it can do.
    pub capabilities: Capabilities,
    /// Where a person sees whether it is down.
    pub status_page: Option<&'static str>,
    /// A file of another program that holds keys of this platform, which can be taken over.
    pub profiles: Option<ProfilesFile>,
}

impl ProviderFacts {
    /// Whether a field of the connection form has to be filled in: a required one of the main part always, one of an
    /// optional part as soon as the person entered anything in that part.
    pub fn is_needed(&self, field: &ConnectField, entered: impl Fn(&ConnectField) -> bool) -> bool {
        field.required
            && (field.part.is_empty()
                || self
                    .connect_fields
                    .iter()
                    .any(|other| other.part == field.part && entered(other)))
    }
}

/// A file in the person's home that holds addresses and keys of a platform under names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfilesFile {
    /// Its path below the home folder, segments joined by `/`.
    pub path: &'static str,
    /// Whose file it is, for the button: `Import from the … credentials file`.
    pub owner: &'static str,
}

/// The platform's own words, singular.
#[derive(Clone, Copy, Debug)]
pub struct Nouns {
    /// For our pipeline.
    pub pipeline: &'static str,
    /// For our job.
    pub job: &'static str,
    /// For an input that is already there.
    pub input: &'static str,
}

/// One line of the form of a new connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectField {
    /// Key in `ConnectionDraft::entries` or of the secret: `url`, `key`, `email`, `user`, `password`, `files_url`, `project`,
    /// `bucket`, `bucket_endpoint`, `bucket_region`, `access_key`, `secret_key`.
    pub name: &'static str,
    /// What the person reads.
    pub label: &'static str,
    /// What to enter and where to find it.
    pub help: &'static str,
    /// What it holds.
    pub kind: ConnectFieldKind,
    /// Whether the connection needs it; in an optional part, whether that part needs it ([`ProviderFacts::is_needed`]).
    pub required: bool,
    /// Filled in at first.
    pub default: &'static str,
    /// Entries to choose from instead of typing, as label and value; empty for none.
    pub presets: &'static [(&'static str, &'static str)],
    /// Title of the optional part of the form it belongs to, such as `Staging bucket`; empty for the main part. A part is
    /// filled in as a whole or left empty.
    pub part: &'static str,
}

impl ConnectField {
    /// A line of the main part that has to be filled in; the rest by struct update.
    pub const fn needed(
        name: &'static str,
        label: &'static str,
        help: &'static str,
        kind: ConnectFieldKind,
    ) -> Self {
        Self {
            name,
            label,
            help,
            kind,
            required: true,
            default: "",
            presets: &[],
            part: "",
        }
    }
}

/// What a field of the connection form holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFieldKind {
    /// A web address.
    Url,
    /// An email address.
    Email,
    /// Any text.
    Text,
    /// One of the places the account names ([`crate::model::connection::Account::places`]), typed or chosen.
    Place,
    /// A key that travels in a header; masked, goes to the vault.
    Key,
    /// A password; masked, goes to the vault.
    Password,
}

impl ConnectFieldKind {
    /// Whether the entry goes to the vault and nowhere else.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Password)
    }
}

/// What a platform can do.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a platform"
)]
pub struct Capabilities {
    /// How files get there.
    pub intake: Intake,
    /// The entry of the connection without which no file of this computer can get there.
    pub intake_needs: Option<&'static str>,
    /// Largest file in bytes; larger ones are refused before anything is sent.
    pub max_file_bytes: Option<u64>,
    /// Whether a file without bytes is refused.
    pub refuses_empty_files: bool,
    /// Longest file name, in characters; longer ones are shortened for the platform and keep their name in the receipt.
    pub max_name_chars: usize,
    /// What a batch may become; the first is what it becomes unless the person chooses otherwise.
    pub fan_outs: &'static [FanOut],
    /// Which progress is honest.
    pub progress: ProgressKind,
    /// What stopping a job does.
    pub cancel: CancelKind,
    /// What can be done about a submission whose answer was lost.
    pub lost_submit: LostSubmit,
    /// Whether a failed job may still offer results.
    pub partial_results: bool,
    /// Whether inputs that are already there can be listed, and a job be given those instead of files of this computer.
    pub browses_inputs: bool,
    /// Whether jobs made elsewhere can be listed; a pasted identifier is always taken.
    pub lists_jobs: bool,
    /// How often to ask.
    pub poll: PollPace,
    /// How much at once.
    pub limits: Limits,
    /// What the person should know about money before submitting.
    pub cost: Option<&'static str>,
}

/// How files get to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Uploaded first, then named in the submission.
    UploadFirst,
    /// Part of the submission itself.
    WithSubmission,
    /// Uploaded into the person's own bucket; the files of a job are then gathered into one input at the platform, and
    /// that is named in the submission.
    ThroughBucket,
}

/// How many jobs the files of a batch become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FanOut {
    /// One job takes all files.
    AllInOne,
    /// Each file is its own job.
    OnePerFile,
    /// The files of each value of a sample column are a job.
    OnePerSample,
    /// One job at our end, which the platform splits into one task a file.
    BatchPerFile,
    /// One job at our end, which the platform splits into one task a value of a sample column.
    BatchPerSample,
}

impl FanOut {
    /// Whether it needs a sample column.
    pub const fn needs_samples(self) -> bool {
        match self {
            Self::OnePerSample | Self::BatchPerSample => true,
            Self::AllInOne | Self::OnePerFile | Self::BatchPerFile => false,
        }
    }
}

/// Which progress is honest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressKind {
    /// The platform says a percentage.
    Percent,
    /// The platform says which step it is at.
    Steps,
    /// The platform says only in which phase a job is: elapsed time is shown.
    Phases,
}

/// What stopping a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelKind {
    /// The platform offers nothing: we only stop watching.
    StopWatching,
    /// The platform stops the job and keeps its record.
    Stops,
    /// The platform stops the job and deletes it, logs and results included.
    StopsAndDeletes,
}

/// What can be done about a submission whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostSubmit {
    /// It can be recognized in the platform's list by its tag.
    CanBeFound,
    /// The list shows what is new, but not whose it is: candidates are offered to the person.
    Candidates,
    /// The list shows what each job was given: the only unclaimed one that fits is adopted, else the person decides.
    OneThatFits,
    /// There is no list: the person decides.
    AskThePerson,
}

/// What is left of the requests a platform allows, as its last answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Requests allowed in a window.
    pub limit: u64,
    /// Requests left in the present window.
    pub left: u64,
    /// When the window ends.
    pub renewed: jiff::Timestamp,
}

/// How often to ask how jobs stand.
#[derive(Clone, Copy, Debug)]
pub struct PollPace {
    /// Wait after the submission.
    pub first: Duration,
    /// Wait between two questions at first.
    pub usual: Duration,
    /// Longest wait; the pause grows towards it while nothing changes.
    pub longest: Duration,
}

/// How much at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests a second that a connection may make; our own politeness where the platform states nothing.
    pub requests_per_second: u32,
    /// Requests at the same time on a connection.
    pub parallel_requests: usize,
    /// Uploads at the same time on a connection.
    pub parallel_uploads: usize,
    /// Jobs submitted and not finished at the same time on a connection.
    pub jobs_alive: Option<usize>,
}
