//! Messages to the person: what happened, what Labferry did, what to do. The only place that turns an error into words.

mod advice;
mod wording;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::model::error::Error;
use crate::model::ids::{BatchId, ConnectionId, JobId, NoticeId};
use crate::model::notice::wording::Names;

/// A numbered message that stays until it is dismissed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Our number.
    pub id: NoticeId,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub about: About,
    /// How much it weighs.
    pub weight: Weight,
    /// The three sentences.
    pub words: Words,
    /// Facts for whoever helps, folded away.
    pub details: Vec<(String, String)>,
}

/// The three sentences, and a button where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What happened, in the person's words.
    pub what: String,
    /// What Labferry did about it.
    pub did: String,
    /// What to do next; empty when there is nothing to do.
    pub next: String,
    /// The button.
    pub action: Option<Action>,
}

impl Words {
    /// All sentences on one line.
    pub fn sentence(&self) -> String {
        [self.what.as_str(), self.did.as_str(), self.next.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// The app itself.
    App,
    /// A connection.
    Connection(ConnectionId),
    /// A batch.
    Batch(BatchId),
    /// A job.
    Job(JobId),
}

/// How much a notice weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Weight {
    /// Good to know.
    Note,
    /// Something waits or was left out.
    Warning,
    /// Something failed or needs the person.
    Problem,
}

/// The button of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Opens the connection's form at its key.
    PasteKey,
    /// Tries the job, or what failed, again.
    TryAgain,
    /// Opens the choices of an unconfirmed submission.
    Resolve,
    /// Opens the results folder setting.
    ChooseFolder,
    /// Opens the connection's form.
    EditConnection,
}

impl Action {
    /// The text of the button.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PasteKey => "Paste a new key…",
            Self::TryAgain => "Try again",
            Self::Resolve => "Decide…",
            Self::ChooseFolder => "Choose another folder…",
            Self::EditConnection => "Edit connection…",
        }
    }
}

/// What Labferry did about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Stopped there; nothing was sent.
    NothingSent,
    /// Stopped; what was sent or fetched so far is kept.
    Stopped,
    /// Waits until this time and tries again.
    WillTryAgain(Timestamp),
    /// Marked the submission as unconfirmed and did not repeat it.
    LeftUnconfirmed,
    /// Went on with everything else.
    WentOn,
}

/// Who and what an error was about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The platform's name, or empty.
    pub provider: &'a str,
    /// The connection's label, or empty.
    pub connection: &'a str,
    /// The file, job or batch by name, or empty.
    pub name: &'a str,
}

/// Turns an error into words. Times are those of this computer's clock and zone.
pub fn explain(error: &Error, subject: Subject<'_>, did: Did) -> Words {
    explain_in(error, subject, did, &TimeZone::system())
}

/// [`explain`] in a given time zone.
pub fn explain_in(error: &Error, subject: Subject<'_>, did: Did, zone: &TimeZone) -> Words {
    let names = Names::new(subject, error.doing());
    let (next, action) = advice::next(error, &names, did);
    Words {
        what: wording::what(error, &names, did),
        did: advice::did(error, &names, did, zone),
        next,
        action,
    }
}

/// The facts for whoever helps: the platform's own message, the status code, its request number, the causes. Addresses
/// lose their query, as it may hold a signature.
pub fn details(error: &Error) -> Vec<(String, String)> {
    let failure = error.failure();
    let mut details = Vec::new();
    let mut add = |label: &str, text: &str| details.push((label.to_owned(), text.to_owned()));
    if let Some(said) = &failure.server_said {
        add("Platform's message", &wording::without_queries(said));
    }
    if let Some(status) = failure.status {
        add("Status code", &status.to_string());
    }
    if let Some(request_id) = &failure.request_id {
        add("Request number", request_id);
    }
    for cause in &failure.causes {
        add("Cause", &wording::without_queries(cause));
    }
    details
}
