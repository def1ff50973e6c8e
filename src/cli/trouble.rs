//! Why a command ends without having done what was asked, and the exit code that goes with it.

use std::process::ExitCode;

use crate::cli::out::Closed;
use crate::model::notice::Words;

/// How a command ended that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All done: exit code 0.
    Done,
    /// Some job failed or needs a person, or something differs: exit code 1.
    NotAllDone,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It was asked for in a way that cannot work: exit code 2.
    WrongUse(Words),
    /// It could not be done: exit code 1.
    Problem(Words),
    /// Nobody reads the output any more: the end, without a word and without blame.
    Closed,
}

impl Trouble {
    /// Wrong use, in up to three sentences.
    pub(super) fn wrong_use(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::WrongUse(words(what, "Nothing was done.", next))
    }

    /// A problem, in up to three sentences.
    pub(super) fn problem(
        what: impl Into<String>,
        did: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::Problem(words(what, did, next))
    }

    /// The exit code.
    pub(super) fn code(&self) -> ExitCode {
        match self {
            Self::WrongUse(_) => ExitCode::from(2),
            Self::Problem(_) => ExitCode::from(1),
            Self::Closed => ExitCode::SUCCESS,
        }
    }

    /// What to say on standard error, if anything.
    pub(super) fn words(&self) -> Option<&Words> {
        match self {
            Self::WrongUse(words) | Self::Problem(words) => Some(words),
            Self::Closed => None,
        }
    }
}

impl Ending {
    /// The exit code.
    pub(super) fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::NotAllDone => ExitCode::from(1),
        }
    }

    /// Done when it holds.
    pub(super) fn done_if(all_done: bool) -> Self {
        if all_done {
            Self::Done
        } else {
            Self::NotAllDone
        }
    }
}

impl From<Closed> for Trouble {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

fn words(what: impl Into<String>, did: impl Into<String>, next: impl Into<String>) -> Words {
    Words {
        what: what.into(),
        did: did.into(),
        next: next.into(),
        action: None,
    }
}
