//! The first sentence of a notice: what happened. An act that failed and the reason, each worded once, and whole
//! sentences of their own where the two do not go together well.

use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::notice::{Did, Subject};
use crate::model::safe_url::SafeUrl;
use crate::model::shown::on_one_line;

/// The subject as it stands in a sentence: names in quotes, and a word for what has no name.
pub(super) struct Names {
    /// `Biodock`, or `the platform`.
    pub(super) platform: String,
    /// `“Imaging core”`, or `this connection`.
    pub(super) connection: String,
    /// `“plate 7.tif”`, or `the file`.
    pub(super) name: String,
}

impl Names {
    pub(super) fn new(subject: Subject<'_>, doing: Doing) -> Self {
        Self {
            platform: if subject.provider.is_empty() {
                "the platform".to_owned()
            } else {
                on_one_line(subject.provider)
            },
            connection: quoted(subject.connection, "this connection"),
            name: quoted(subject.name, unnamed(doing)),
        }
    }
}

/// What stands for a subject without name.
const fn unnamed(doing: Doing) -> &'static str {
    match doing {
        Doing::ListJobs
        | Doing::Gather
        | Doing::Submit
        | Doing::FindSubmission
        | Doing::Poll
        | Doing::Cancel
        | Doing::ListOutputs => "the job",
        Doing::ReadForm => "the pipeline",
        Doing::PrepareResult => "the result",
        Doing::Unpack => "the archive",
        Doing::WriteReceipt => "the batch",
        Doing::Connect
        | Doing::CheckKey
        | Doing::ListPipelines
        | Doing::Browse
        | Doing::ReadFile
        | Doing::Upload
        | Doing::Download
        | Doing::Preview
        | Doing::UseKeyring
        | Doing::UseJournal => "the file",
    }
}

fn quoted(name: &str, otherwise: &str) -> String {
    if name.trim().is_empty() {
        otherwise.to_owned()
    } else {
        format!("“{}”", on_one_line(name.trim()))
    }
}

/// What happened.
pub(super) fn what(error: &Error, names: &Names, did: Did) -> String {
    let failure = error.failure();
    let hint = failure.hint.as_deref().map(without_queries);
    let is_open = did == Did::LeftUnconfirmed && failure.doing == Doing::Submit;
    let (whole, (act, place)) = if is_open {
        (None, open_submission(names))
    } else {
        (
            whole_sentence(failure.kind, failure.doing, names),
            act(failure.doing, names),
        )
    };
    match (whole, hint) {
        (Some(whole), Some(hint)) if says_more_than_hint(failure.kind) => {
            format!("{} {}", sentence(&whole), sentence(&hint))
        }
        (Some(whole), None) => sentence(&whole),
        (_, Some(hint)) => format!("{} {}", sentence(&format!("{act}{place}")), sentence(&hint)),
        (None, None) => {
            let reason = reason(failure.kind, failure.doing, names);
            // The platform is named once.
            if reason.contains(&names.platform) {
                sentence(&format!("{act} because {reason}"))
            } else {
                sentence(&format!("{act}{place} because {reason}"))
            }
        }
    }
}

/// A submission without known outcome did not fail, as far as anybody knows.
fn open_submission(names: &Names) -> (String, String) {
    let act = format!("The outcome of submitting {} is not known", names.name);
    (act, String::new())
}

/// Kinds that have to be said even where somebody knew more.
const fn says_more_than_hint(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unauthenticated)
}

/// Sentences that say it better than act and reason one after the other.
fn whole_sentence(kind: ErrorKind, doing: Doing, names: &Names) -> Option<String> {
    let Names {
        platform,
        connection,
        name,
    } = names;
    match (kind, doing) {
        (ErrorKind::Unauthenticated, doing) if is_remote(doing) => Some(format!(
            "{platform} did not accept the key for {connection}"
        )),
        (ErrorKind::Forbidden, Doing::Connect | Doing::CheckKey) => Some(format!(
            "{platform} denied access with the key for {connection}"
        )),
        (ErrorKind::Keyring, doing) if is_remote(doing) => Some(format!(
            "The key for {connection} is not in the keyring, or the keyring is locked"
        )),
        (ErrorKind::NotFound, Doing::Connect | Doing::CheckKey) => Some(format!(
            "{platform} was not found at the address of {connection}"
        )),
        (ErrorKind::NotFound, Doing::ListJobs) => Some(format!(
            "{platform} knows no job {name} with the key for {connection}"
        )),
        (ErrorKind::NotFound, Doing::FindSubmission) => Some(format!(
            "The submission of {name} was not found at {platform}"
        )),
        (ErrorKind::NotFound, Doing::Poll | Doing::Cancel) => {
            Some(format!("{platform} no longer knows {name}"))
        }
        (ErrorKind::NotFound, Doing::Download | Doing::PrepareResult) => {
            Some(format!("{platform} no longer has {name}"))
        }
        (ErrorKind::NotFound, Doing::ReadFile | Doing::Preview) => {
            Some(format!("{name} is no longer there"))
        }
        (ErrorKind::Unsupported, Doing::Cancel) => {
            Some(format!("{platform} offers no way to stop {name}"))
        }
        (ErrorKind::Garbled, Doing::Download) => Some(format!(
            "{name} did not arrive from {platform} as it was announced"
        )),
        (ErrorKind::Archive, Doing::Unpack) => Some(format!("The archive {name} is damaged")),
        (ErrorKind::Table, Doing::Preview) => Some(format!("{name} could not be read as a table")),
        (ErrorKind::Keyring, Doing::UseKeyring) => Some(format!(
            "The keyring of this computer did not give or take the key for {connection}"
        )),
        (ErrorKind::DiskFull, Doing::UseJournal) => {
            Some("The drive with Labferry's journal is full".to_owned())
        }
        _ => None,
    }
}

/// Whether the platform takes part in an act.
pub(super) const fn is_remote(doing: Doing) -> bool {
    match doing {
        Doing::Connect
        | Doing::CheckKey
        | Doing::ListPipelines
        | Doing::ReadForm
        | Doing::Browse
        | Doing::ListJobs
        | Doing::Upload
        | Doing::Gather
        | Doing::Submit
        | Doing::FindSubmission
        | Doing::Poll
        | Doing::Cancel
        | Doing::ListOutputs
        | Doing::PrepareResult
        | Doing::Download => true,
        Doing::ReadFile
        | Doing::Unpack
        | Doing::WriteReceipt
        | Doing::Preview
        | Doing::UseKeyring
        | Doing::UseJournal => false,
    }
}

/// What could not be done, and where.
fn act(doing: Doing, names: &Names) -> (String, String) {
    let Names {
        platform,
        connection,
        name,
    } = names;
    let at = format!(" at {platform}");
    let from = format!(" from {platform}");
    let to = format!(" to {platform}");
    let with = format!(" with {platform}");
    match doing {
        Doing::Connect => (format!("{connection} could not be set up"), with),
        Doing::CheckKey => (format!("The key for {connection} could not be checked"), at),
        Doing::ListPipelines => (
            format!("The pipelines of {connection} could not be listed"),
            at,
        ),
        Doing::ReadForm => (format!("The settings of {name} could not be read"), from),
        Doing::Browse => (format!("The files of {connection} could not be listed"), at),
        Doing::ListJobs => (format!("The jobs of {connection} could not be read"), at),
        Doing::Gather => (
            format!("The files of {name} could not be made one input"),
            at,
        ),
        Doing::ReadFile => (format!("{name} could not be read"), String::new()),
        Doing::Upload => (format!("{name} could not be uploaded"), to),
        Doing::Submit => (format!("{name} could not be submitted"), to),
        Doing::FindSubmission => (
            format!("The submission of {name} could not be looked for"),
            at,
        ),
        Doing::Poll => (format!("The state of {name} could not be checked"), at),
        Doing::Cancel => (format!("{name} could not be stopped"), at),
        Doing::ListOutputs => (format!("The results of {name} could not be listed"), at),
        Doing::PrepareResult => (format!("{name} could not be requested"), from),
        Doing::Download => (format!("{name} could not be downloaded"), from),
        Doing::Unpack => (format!("{name} could not be unpacked"), String::new()),
        Doing::WriteReceipt => (
            format!("The receipt of {name} could not be written"),
            String::new(),
        ),
        Doing::Preview => (format!("{name} could not be opened"), String::new()),
        Doing::UseKeyring => (
            format!("The keyring could not be used for {connection}"),
            String::new(),
        ),
        Doing::UseJournal => (
            "Labferry's journal could not be read or written".to_owned(),
            String::new(),
        ),
    }
}

/// What follows “because”.
fn reason(kind: ErrorKind, doing: Doing, names: &Names) -> String {
    if is_remote(doing) {
        remote_reason(kind, doing, names)
    } else {
        local_reason(kind, doing)
    }
}

fn remote_reason(kind: ErrorKind, doing: Doing, names: &Names) -> String {
    let Names {
        platform,
        connection,
        ..
    } = names;
    match kind {
        ErrorKind::Unauthenticated => format!("{platform} did not accept the key for {connection}"),
        ErrorKind::Forbidden => format!("the key for {connection} is not allowed to do this"),
        ErrorKind::NotFound if matches!(doing, Doing::Submit) => {
            format!("{platform} does not have the pipeline or one of the files")
        }
        ErrorKind::NotFound if matches!(doing, Doing::Upload) => {
            format!("{platform} does not have the place for it")
        }
        ErrorKind::NotFound => format!("{platform} does not have what was asked for"),
        ErrorKind::Invalid => format!("{platform} did not accept the request"),
        ErrorKind::TooLarge if matches!(doing, Doing::Upload | Doing::Submit) => {
            format!("it is larger than {platform} takes")
        }
        ErrorKind::TooLarge => "the answer is larger than Labferry takes".to_owned(),
        ErrorKind::Conflict => format!("something at {platform} is in the way"),
        ErrorKind::RateLimited => format!("{platform} takes no more requests for now"),
        ErrorKind::Maintenance => format!("{platform} is down for a while"),
        ErrorKind::Timeout => format!("{platform} did not answer in time"),
        ErrorKind::Unreachable => format!("{platform} could not be reached"),
        ErrorKind::ServerFault => format!("{platform} had a fault"),
        ErrorKind::Garbled => format!("the answer of {platform} made no sense"),
        ErrorKind::Unsupported => format!("{platform} does not offer it"),
        ErrorKind::LocalFile if writes_results(doing) => {
            "a file or folder on this computer cannot be written".to_owned()
        }
        ErrorKind::LocalFile if matches!(doing, Doing::Upload) => {
            "the file cannot be read or has changed".to_owned()
        }
        ErrorKind::LocalFile => "a file on this computer cannot be read or has changed".to_owned(),
        ErrorKind::DiskFull => "a drive of this computer is full".to_owned(),
        ErrorKind::FolderGone => "its folder on this computer is not there".to_owned(),
        ErrorKind::Keyring => "the keyring of this computer does not work".to_owned(),
        ErrorKind::Archive => "an archive is damaged".to_owned(),
        ErrorKind::Table => "a table cannot be read".to_owned(),
        ErrorKind::Internal => "Labferry made a mistake".to_owned(),
    }
}

fn local_reason(kind: ErrorKind, doing: Doing) -> String {
    let words = match kind {
        ErrorKind::Unauthenticated => "a key or password was not accepted",
        ErrorKind::Forbidden => "this user is not allowed to do it",
        ErrorKind::NotFound => "it is no longer there",
        ErrorKind::Invalid => "something in it is not as it has to be",
        ErrorKind::TooLarge => "it is too large for this computer",
        ErrorKind::Conflict => "something else has its name",
        ErrorKind::RateLimited => "too much was asked for at once",
        ErrorKind::Maintenance => "it is out of service for a while",
        ErrorKind::Timeout => "there was no answer in time",
        ErrorKind::Unreachable => "its drive or service could not be reached",
        ErrorKind::ServerFault => "the system of this computer had a fault",
        ErrorKind::Garbled => "what is in it makes no sense",
        ErrorKind::Unsupported => "this computer does not offer it",
        ErrorKind::LocalFile if writes_results(doing) => {
            "a file or folder on this computer cannot be written"
        }
        ErrorKind::LocalFile if matches!(doing, Doing::UseJournal) => {
            "its file cannot be read or written"
        }
        ErrorKind::LocalFile => "it cannot be read or has changed",
        ErrorKind::DiskFull => "the drive is full",
        ErrorKind::FolderGone => "its folder is not there",
        ErrorKind::Keyring => "the keyring of this computer does not work",
        ErrorKind::Archive => "an archive is damaged",
        ErrorKind::Table => "a table cannot be read",
        ErrorKind::Internal => "Labferry made a mistake",
    };
    words.to_owned()
}

/// Whether an act writes into a results folder.
pub(super) const fn writes_results(doing: Doing) -> bool {
    matches!(doing, Doing::Download | Doing::Unpack | Doing::WriteReceipt)
}

/// A capital at the start, a full stop at the end.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut characters = text.chars();
    let mut sentence: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    sentence.push_str(characters.as_str());
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// Web addresses in a text lose user, query and fragment.
pub(super) fn without_queries(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if bare.contains("://") {
            cleaned.push_str(&SafeUrl::new(bare).to_string());
            cleaned.push_str(word.strip_prefix(bare).unwrap_or_default());
        } else {
            cleaned.push_str(word);
        }
    }
    cleaned
}
