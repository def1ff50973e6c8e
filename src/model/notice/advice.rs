//! The second and third sentence of a notice: what Labferry did about it, and what the person can do.

use jiff::tz::TimeZone;

use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::notice::wording::{Names, is_remote, sentence, writes_results};
use crate::model::notice::{Action, Did};

/// What Labferry did about it.
pub(super) fn did(error: &Error, names: &Names, did: Did, zone: &TimeZone) -> String {
    let doing = error.doing();
    let is_gone = error.kind() == ErrorKind::NotFound;
    match did {
        Did::Stopped if is_gone && matches!(doing, Doing::Poll | Doing::Cancel) => {
            "Labferry no longer watches it.".to_owned()
        }
        Did::NothingSent | Did::Stopped if is_gone && doing == Doing::Preview => {
            "Nothing was changed.".to_owned()
        }
        Did::NothingSent => nothing_sent(doing).to_owned(),
        Did::Stopped => stopped(doing, names),
        Did::WillTryAgain(at) => {
            let time = at.to_zoned(zone.clone()).strftime("%H:%M");
            format!("Labferry will try again at {time}.")
        }
        Did::LeftUnconfirmed => sentence(&format!(
            "{} may have made the job, so Labferry did not send it a second time",
            names.platform
        )),
        Did::WentOn => "Labferry went on with everything else.".to_owned(),
    }
}

const fn nothing_sent(doing: Doing) -> &'static str {
    match doing {
        Doing::Upload => "Nothing was uploaded.",
        Doing::Gather | Doing::Submit | Doing::FindSubmission => "No job was made.",
        Doing::Connect | Doing::CheckKey | Doing::ReadFile | Doing::UseKeyring => {
            "No file was sent."
        }
        Doing::Cancel => "The job was left as it is.",
        Doing::Preview => "The file was not changed.",
        Doing::ListPipelines
        | Doing::ReadForm
        | Doing::Browse
        | Doing::ListJobs
        | Doing::Poll
        | Doing::ListOutputs
        | Doing::PrepareResult
        | Doing::Download
        | Doing::Unpack
        | Doing::WriteReceipt
        | Doing::UseJournal => "Nothing was changed.",
    }
}

fn stopped(doing: Doing, names: &Names) -> String {
    let words = match doing {
        Doing::Connect
        | Doing::CheckKey
        | Doing::ListPipelines
        | Doing::ReadForm
        | Doing::Browse
        | Doing::ListJobs
        | Doing::UseKeyring => "Labferry stopped there.",
        Doing::ReadFile | Doing::Upload | Doing::Gather | Doing::Submit => {
            "Labferry stopped there and keeps what was uploaded before."
        }
        Doing::FindSubmission | Doing::Poll | Doing::Cancel => {
            return sentence(&format!(
                "Labferry stopped there, and the job may go on at {}",
                names.platform
            ));
        }
        Doing::ListOutputs | Doing::PrepareResult | Doing::Download | Doing::Unpack => {
            "Labferry stopped there and keeps what has arrived."
        }
        Doing::WriteReceipt => "The results themselves are in their folder.",
        Doing::Preview => "The file was not changed.",
        Doing::UseJournal => "Labferry stopped there and keeps everything written before.",
    };
    words.to_owned()
}

/// What to do, and the button for it; empty where waiting is all there is to do.
pub(super) fn next(error: &Error, names: &Names, did: Did) -> (String, Option<Action>) {
    let (kind, doing) = (error.kind(), error.doing());
    if did == Did::LeftUnconfirmed {
        let words = format!(
            "Check at {} whether the job is there, then decide.",
            names.platform
        );
        return (words, Some(Action::Resolve));
    }
    let (words, action) = by_kind(kind, doing, names);
    match did {
        Did::WillTryAgain(_) if passes_by_itself(kind) => (String::new(), None),
        // Trying again is what Labferry does already.
        Did::WillTryAgain(_) => (
            words.replace(", then try again.", "."),
            action.filter(|action| *action != Action::TryAgain),
        ),
        Did::NothingSent | Did::Stopped | Did::LeftUnconfirmed | Did::WentOn => (words, action),
    }
}

/// Whether there is nothing a person could do sooner.
const fn passes_by_itself(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RateLimited
            | ErrorKind::Maintenance
            | ErrorKind::Timeout
            | ErrorKind::ServerFault
            | ErrorKind::Garbled
    )
}

fn by_kind(kind: ErrorKind, doing: Doing, names: &Names) -> (String, Option<Action>) {
    let Names {
        platform,
        connection,
        ..
    } = names;
    let again = Some(Action::TryAgain);
    match kind {
        ErrorKind::Unauthenticated if is_remote(doing) => (
            format!("Paste a new key for {connection}."),
            Some(Action::PasteKey),
        ),
        ErrorKind::Forbidden if is_remote(doing) => (
            format!(
                "Use a key that may do this, or ask whoever manages the account at {platform}."
            ),
            Some(Action::PasteKey),
        ),
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => {
            ("Check the permissions, then try again.".to_owned(), again)
        }
        ErrorKind::NotFound => not_found(doing, platform),
        ErrorKind::Invalid => invalid(doing, platform),
        ErrorKind::TooLarge => (too_large(doing).to_owned(), None),
        ErrorKind::Conflict => (
            "Check the details for what is in the way, then try again.".to_owned(),
            again,
        ),
        ErrorKind::RateLimited
        | ErrorKind::Maintenance
        | ErrorKind::Timeout
        | ErrorKind::ServerFault
        | ErrorKind::Garbled => ("Try again in a while.".to_owned(), again),
        ErrorKind::Unreachable => unreachable_service(doing, again),
        ErrorKind::Unsupported if is_remote(doing) => {
            (format!("Do it at {platform} itself, in a browser."), None)
        }
        ErrorKind::Unsupported | ErrorKind::Table => (
            "Open it with another program, or check the details.".to_owned(),
            None,
        ),
        ErrorKind::LocalFile => local_file(doing),
        ErrorKind::DiskFull => disk_full(doing),
        ErrorKind::FolderGone => (
            "Connect its drive again, or put the folder back where it was.".to_owned(),
            None,
        ),
        ErrorKind::Keyring => (
            "Unlock the keyring, or paste the key again to use it until Labferry closes."
                .to_owned(),
            Some(Action::PasteKey),
        ),
        ErrorKind::Archive => ("Try again to fetch it anew.".to_owned(), again),
        ErrorKind::Internal => (
            "Try again, and if it happens again, copy the details and report it.".to_owned(),
            again,
        ),
    }
}

fn not_found(doing: Doing, platform: &str) -> (String, Option<Action>) {
    match doing {
        Doing::Connect | Doing::CheckKey | Doing::ListPipelines | Doing::Browse => (
            "Check the address of the connection.".to_owned(),
            Some(Action::EditConnection),
        ),
        Doing::ListJobs => (
            "Check the identifier, and that the job belongs to this connection.".to_owned(),
            None,
        ),
        Doing::ReadForm | Doing::Submit => (
            format!("Check that the pipeline is still there at {platform}, then send again."),
            None,
        ),
        Doing::ReadFile => (
            "Put the file back where it was, then try again.".to_owned(),
            Some(Action::TryAgain),
        ),
        Doing::Upload | Doing::Gather => (
            format!("Check the details for what {platform} said, then try again."),
            Some(Action::TryAgain),
        ),
        Doing::FindSubmission => (
            format!("Check at {platform} whether the job is there, then decide."),
            Some(Action::Resolve),
        ),
        Doing::Poll | Doing::Cancel => (
            format!("Check at {platform} whether somebody deleted it."),
            None,
        ),
        Doing::ListOutputs | Doing::PrepareResult | Doing::Download => (
            format!("Check at {platform} whether the result is still there, then try again."),
            Some(Action::TryAgain),
        ),
        Doing::Unpack
        | Doing::WriteReceipt
        | Doing::Preview
        | Doing::UseKeyring
        | Doing::UseJournal => ("Check whether it was moved or deleted.".to_owned(), None),
    }
}

fn invalid(doing: Doing, platform: &str) -> (String, Option<Action>) {
    match doing {
        Doing::Connect | Doing::CheckKey | Doing::ListPipelines | Doing::Browse => (
            "Check what is filled in for the connection.".to_owned(),
            Some(Action::EditConnection),
        ),
        Doing::Submit => ("Change the settings and send again.".to_owned(), None),
        Doing::Upload | Doing::ReadFile => (
            "Check the details for what is wrong with the file.".to_owned(),
            None,
        ),
        Doing::ListJobs => (
            "Check the identifier, or paste the address of the job's page.".to_owned(),
            None,
        ),
        Doing::ReadForm
        | Doing::Gather
        | Doing::FindSubmission
        | Doing::Poll
        | Doing::Cancel
        | Doing::ListOutputs
        | Doing::PrepareResult
        | Doing::Download => (format!("Check the details for what {platform} said."), None),
        Doing::Unpack
        | Doing::WriteReceipt
        | Doing::Preview
        | Doing::UseKeyring
        | Doing::UseJournal => ("Check the details for what is wrong.".to_owned(), None),
    }
}

const fn too_large(doing: Doing) -> &'static str {
    match doing {
        Doing::Upload | Doing::Submit | Doing::ReadFile => {
            "Send smaller files, or choose another platform."
        }
        Doing::Preview => "Open it with another program.",
        Doing::Connect
        | Doing::CheckKey
        | Doing::ListPipelines
        | Doing::ReadForm
        | Doing::Browse
        | Doing::ListJobs
        | Doing::Gather
        | Doing::FindSubmission
        | Doing::Poll
        | Doing::Cancel
        | Doing::ListOutputs
        | Doing::PrepareResult
        | Doing::Download
        | Doing::Unpack
        | Doing::WriteReceipt
        | Doing::UseKeyring
        | Doing::UseJournal => "Check the details for which limit it is.",
    }
}

fn unreachable_service(doing: Doing, again: Option<Action>) -> (String, Option<Action>) {
    match doing {
        Doing::Connect | Doing::CheckKey => (
            "Check the network and the address of the connection.".to_owned(),
            Some(Action::EditConnection),
        ),
        doing if is_remote(doing) => (
            "Check whether this computer is on the network.".to_owned(),
            again,
        ),
        _ => (
            "Check whether its drive is connected, then try again.".to_owned(),
            again,
        ),
    }
}

fn local_file(doing: Doing) -> (String, Option<Action>) {
    if writes_results(doing) {
        return (
            "Check that the results folder can be written to, or choose another.".to_owned(),
            Some(Action::ChooseFolder),
        );
    }
    match doing {
        Doing::UseJournal => (
            "Check that Labferry's data folder can be written to.".to_owned(),
            Some(Action::TryAgain),
        ),
        _ => (
            "Check that the file is there, readable and unchanged, then try again.".to_owned(),
            Some(Action::TryAgain),
        ),
    }
}

fn disk_full(doing: Doing) -> (String, Option<Action>) {
    if writes_results(doing) {
        (
            "Make room on the drive, or choose another folder.".to_owned(),
            Some(Action::ChooseFolder),
        )
    } else {
        ("Make room on the drive.".to_owned(), Some(Action::TryAgain))
    }
}
