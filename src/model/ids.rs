//! Identifiers. Numbers are ours and come from the journal; texts are a platform's and are never taken apart.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares one of our own numbered identifiers.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}", self.0)
            }
        }
    };
}

numbered!(
    /// One saved connection to a platform.
    ConnectionId
);
numbered!(
    /// What one person submits at once.
    BatchId
);
numbered!(
    /// One file of a batch; numbered over all batches.
    FileId
);
numbered!(
    /// One thing a platform runs for us.
    JobId
);
numbered!(
    /// One result file of a job.
    ArtifactId
);
numbered!(
    /// One message to the person.
    NoticeId
);

/// Declares an identifier that is somebody else's text.
macro_rules! textual {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub String);

        impl $name {
            /// The text as the platform spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

textual!(
    /// A pipeline as its platform names it.
    PipelineId
);
textual!(
    /// The text we put into a remote name so that a submission whose answer was lost can be recognized.
    /// Lower-case letters and digits with one hyphen, such as `lf-4k7q2m9x`.
    Tag
);

/// A platform, by the word the command line uses: `biodock`, `analytics-automated`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderId(Cow<'static, str>);

impl ProviderId {
    /// The identifier of a platform that is compiled in.
    pub const fn new(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// The word itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ProviderId {
    fn from(word: &str) -> Self {
        Self(Cow::Owned(word.to_owned()))
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
