//! What went wrong, for two readers: a kind the engine can act on, and facts that `notice::explain` turns into words.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::shown::on_one_line;

/// The result of everything that can go wrong outside pure computation.
pub type Result<T> = std::result::Result<T, Error>;

/// One failure. It is plain data, so that it can stand in the journal and read the same after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error(Box<Failure>);

/// The facts of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What the engine can act on.
    pub kind: ErrorKind,
    /// What was being done.
    pub doing: Doing,
    /// How far the request got; decides whether a repeat is safe.
    pub sent: Sent,
    /// HTTP status, where a server answered.
    pub status: Option<u16>,
    /// The server's own message, shortened; shown folded away.
    pub server_said: Option<String>,
    /// The server's request number, where it gives one.
    pub request_id: Option<String>,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
    /// One sentence by whoever knew more than the kind says, such as which limit a file is over.
    pub hint: Option<String>,
    /// The chain of causes, outermost first; for the log. Addresses in it carry no query.
    pub causes: Vec<String>,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sent {
    /// Nothing reached the server, or not all of it: it cannot have acted.
    No,
    /// It may have reached the server and may have been acted on.
    Perhaps,
    /// The server answered, so what it did is known from the answer.
    Answered,
}

/// The closed list of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The key or password is not accepted.
    Unauthenticated,
    /// The key is good but may not do this.
    Forbidden,
    /// It is not there, or not any more.
    NotFound,
    /// The platform refuses what was asked.
    Invalid,
    /// Larger than the platform or this computer takes.
    TooLarge,
    /// Something else is in the way, such as a name already taken.
    Conflict,
    /// Too many requests or jobs for now.
    RateLimited,
    /// The platform says it is down for a while.
    Maintenance,
    /// No answer in time.
    Timeout,
    /// No connection: name not found, refused, cut.
    Unreachable,
    /// The platform failed.
    ServerFault,
    /// An answer that makes no sense: HTML for JSON, wrong length, wrong hash.
    Garbled,
    /// The platform does not offer this.
    Unsupported,
    /// A file on this computer is not readable, changed or vanished.
    LocalFile,
    /// No room on a drive.
    DiskFull,
    /// The folder of results is gone, perhaps with its drive.
    FolderGone,
    /// The keyring does not work or does not have the key.
    Keyring,
    /// A damaged or hostile archive.
    Archive,
    /// A table that cannot be read.
    Table,
    /// Labferry's own fault.
    Internal,
}

impl ErrorKind {
    /// Every kind, for tables and tests.
    pub const ALL: [Self; 20] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::Invalid,
        Self::TooLarge,
        Self::Conflict,
        Self::RateLimited,
        Self::Maintenance,
        Self::Timeout,
        Self::Unreachable,
        Self::ServerFault,
        Self::Garbled,
        Self::Unsupported,
        Self::LocalFile,
        Self::DiskFull,
        Self::FolderGone,
        Self::Keyring,
        Self::Archive,
        Self::Table,
        Self::Internal,
    ];

    /// Whether the same request may succeed later without anybody changing anything.
    /// Whether repeating it is *safe* is another question: see [`Error::submit_made_no_job`].
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::Maintenance
            | Self::Timeout
            | Self::Unreachable
            | Self::ServerFault
            | Self::Garbled
            | Self::DiskFull
            | Self::FolderGone => true,
            Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::Invalid
            | Self::TooLarge
            | Self::Conflict
            | Self::Unsupported
            | Self::LocalFile
            | Self::Keyring
            | Self::Archive
            | Self::Table
            | Self::Internal => false,
        }
    }
}

/// What was being done when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Doing {
    /// Setting up a connection from what was filled in.
    Connect,
    /// Asking the platform who we are.
    CheckKey,
    /// Listing what can be run.
    ListPipelines,
    /// Reading what settings a pipeline takes.
    ReadForm,
    /// Listing inputs already at the platform.
    Browse,
    /// Listing jobs at the platform, or looking one up that was made elsewhere.
    ListJobs,
    /// Reading a file on this computer.
    ReadFile,
    /// Sending a file.
    Upload,
    /// Making one input of files that were sent.
    Gather,
    /// Submitting a job.
    Submit,
    /// Looking for a submission whose answer was lost.
    FindSubmission,
    /// Asking how a job stands.
    Poll,
    /// Stopping a job.
    Cancel,
    /// Listing a job's results.
    ListOutputs,
    /// Asking for a result that is made on request, or for its link.
    PrepareResult,
    /// Fetching a result file.
    Download,
    /// Unpacking an archive.
    Unpack,
    /// Writing the receipt of a results folder.
    WriteReceipt,
    /// Opening a result for the preview.
    Preview,
    /// Reading or writing the keyring.
    UseKeyring,
    /// Reading or writing the journal.
    UseJournal,
}

impl Doing {
    /// Every act, for tables and tests.
    pub const ALL: [Self; 21] = [
        Self::Connect,
        Self::CheckKey,
        Self::ListPipelines,
        Self::ReadForm,
        Self::Browse,
        Self::ListJobs,
        Self::ReadFile,
        Self::Upload,
        Self::Gather,
        Self::Submit,
        Self::FindSubmission,
        Self::Poll,
        Self::Cancel,
        Self::ListOutputs,
        Self::PrepareResult,
        Self::Download,
        Self::Unpack,
        Self::WriteReceipt,
        Self::Preview,
        Self::UseKeyring,
        Self::UseJournal,
    ];
}

impl Error {
    /// A failure of this kind while doing that; nothing sent, nothing further known.
    pub fn new(kind: ErrorKind, doing: Doing) -> Self {
        Self(Box::new(Failure {
            kind,
            doing,
            sent: Sent::No,
            status: None,
            server_said: None,
            request_id: None,
            retry_after: None,
            hint: None,
            causes: Vec::new(),
        }))
    }

    /// The platform does not offer this; nothing was sent.
    pub fn unsupported(doing: Doing) -> Self {
        Self::new(ErrorKind::Unsupported, doing)
    }

    /// A failure of the file system of this computer.
    pub fn from_io(error: &std::io::Error, doing: Doing) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                ErrorKind::DiskFull
            }
            _ => ErrorKind::LocalFile,
        };
        Self::new(kind, doing).caused_by(error)
    }

    /// Says how far the request got.
    #[must_use]
    pub fn sent(mut self, sent: Sent) -> Self {
        self.0.sent = sent;
        self
    }

    /// Adds the HTTP status; the server answered.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self.0.sent = Sent::Answered;
        self
    }

    /// Adds the server's own words, at most 500 characters of them.
    #[must_use]
    pub fn server_said(mut self, said: impl AsRef<str>) -> Self {
        let said: String = said.as_ref().trim().chars().take(500).collect();
        let said = on_one_line(&said);
        self.0.server_said = (!said.is_empty()).then_some(said);
        self
    }

    /// Adds the server's request number.
    #[must_use]
    pub fn request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id.map(|id| on_one_line(&id));
        self
    }

    /// Adds how long the server asked to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Adds one sentence that says more than the kind.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(on_one_line(&hint.into()));
        self
    }

    /// Adds the chain of causes for the log. An error of the HTTP library must come without its address.
    #[must_use]
    pub fn caused_by(mut self, cause: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            self.0.causes.push(on_one_line(&cause.to_string()));
            next = cause.source();
        }
        self
    }

    /// The facts.
    pub fn failure(&self) -> &Failure {
        &self.0
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done.
    pub fn doing(&self) -> Doing {
        self.0.doing
    }

    /// Whether waiting may help.
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }

    /// Whether a failed submission certainly made no job: nothing was sent, or the server answered with a refusal.
    /// A fault of the server (5xx) or a garbled answer leaves it open, as the job may have been made before the fault.
    pub fn submit_made_no_job(&self) -> bool {
        match self.0.sent {
            Sent::No => true,
            Sent::Perhaps => false,
            Sent::Answered => !matches!(
                self.0.kind,
                ErrorKind::ServerFault
                    | ErrorKind::Maintenance
                    | ErrorKind::Garbled
                    | ErrorKind::Timeout
                    | ErrorKind::Internal
            ),
        }
    }
}

/// What the system says, for a person: without its number, which stands in the log.
pub fn system_words(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _number)) => words.to_owned(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} while {:?}", self.0.kind, self.0.doing)?;
        if let Some(status) = self.0.status {
            write!(formatter, " (status {status})")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(formatter, ": {hint}")?;
        }
        Ok(())
    }
}

impl StdError for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_come_without_its_number() {
        let error = std::fs::File::open("no such file").unwrap_err();
        let words = system_words(&error);
        assert!(!words.is_empty() && !words.contains("os error"), "{words}");
        let error = std::io::Error::other("too many (2)");
        assert_eq!(system_words(&error), "too many (2)");
    }
}
