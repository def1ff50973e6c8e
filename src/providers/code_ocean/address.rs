//! Cleaning of what is pasted into a connection, and the identifiers of what can be run. Asks nothing.

use reqwest::Url;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::PipelineId;
use crate::model::secret::Secret;

/// The interface of a deployment, whatever page of it was pasted: scheme, host and port stay, the path is always the same.
///
/// # Errors
/// It is no web address.
pub(super) fn interface_of(base_url: &str) -> Result<String> {
    let refused = || {
        Error::new(ErrorKind::Invalid, Doing::Connect)
            .hint("The domain is not a web address such as https://acme.codeocean.com")
    };
    let mut url = Url::parse(base_url).map_err(|error| refused().caused_by(&error))?;
    if !url.has_host() {
        return Err(refused());
    }
    url.set_path("/api/v1/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.into())
}

/// A token out of what was pasted: the vendor's own examples put quotes around it and a colon behind it.
///
/// # Errors
/// Nothing is left that could be a token.
pub(super) fn token_of(pasted: &Secret) -> Result<Secret> {
    let mut text = pasted.reveal();
    loop {
        let cleaned = text
            .trim()
            .trim_matches(['"', '\'', '`', '\\', '\u{201c}', '\u{201d}'])
            .trim_end_matches(':');
        if cleaned == text {
            break;
        }
        text = cleaned;
    }
    Secret::parse_key(text).map_err(|problem| {
        Error::new(ErrorKind::Unauthenticated, Doing::Connect)
            .hint("The access token is empty or has a character that no token has")
            .caused_by(&problem)
    })
}

/// The two kinds of things that can be run. The service keeps them apart, so an identifier carries its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Capsule,
    Pipeline,
}

impl Kind {
    /// The path of its calls.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Capsule => "capsules",
            Self::Pipeline => "pipelines",
        }
    }

    /// The word in identifiers.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Capsule => "capsule",
            Self::Pipeline => "pipeline",
        }
    }

    /// The word on screen.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Capsule => "Capsule",
            Self::Pipeline => "Pipeline",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        match word {
            "capsule" | "capsules" => Some(Self::Capsule),
            "pipeline" | "pipelines" => Some(Self::Pipeline),
            _ => None,
        }
    }
}

/// A capsule or pipeline for certain, with its version where one is pinned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Runnable {
    pub(super) kind: Kind,
    /// A UUID.
    pub(super) id: String,
    /// Of released ones.
    pub(super) version: Option<u64>,
}

impl Runnable {
    /// Without the version, as jobs remember it.
    pub(super) fn memo(&self) -> String {
        format!("{}:{}", self.kind.word(), self.id)
    }

    pub(super) fn pipeline_id(&self) -> PipelineId {
        match self.version {
            Some(version) => PipelineId(format!("{}@{version}", self.memo())),
            None => PipelineId(self.memo()),
        }
    }
}

/// What a pipeline's identifier says, typed ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// All that is needed.
    Full(Runnable),
    /// A UUID of unknown kind.
    Bare(String, Option<u64>),
    /// The number in the address of its page, which the interface does not take.
    Slug(Option<Kind>, String),
    /// Nothing of these.
    Unknown,
}

/// Reads an identifier: ours, a bare one, or the address of a page in the browser.
pub(super) fn named(text: &str) -> Named {
    let text = text.trim();
    let (text, version) = match text.rsplit_once('@') {
        Some((before, version)) => match version.parse() {
            Ok(version) => (before, Some(version)),
            Err(_no_number) => (text, None),
        },
        None => (text, None),
    };
    if let Some((word, id)) = text.split_once(':')
        && let Some(kind) = Kind::of_word(word)
    {
        return of_parts(Some(kind), id, version);
    }
    if !text.contains('/') {
        return of_parts(None, text, version);
    }
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let mut kind = None;
    for segment in path.split('/') {
        if let Some(found) = Kind::of_word(segment) {
            kind = Some(found);
        } else if is_uuid(segment) || is_slug(segment) {
            return of_parts(kind, segment, version);
        }
    }
    Named::Unknown
}

fn of_parts(kind: Option<Kind>, id: &str, version: Option<u64>) -> Named {
    let id = id.trim().to_ascii_lowercase();
    match kind {
        Some(kind) if is_uuid(&id) => Named::Full(Runnable { kind, id, version }),
        None if is_uuid(&id) => Named::Bare(id, version),
        Some(_) | None if is_slug(&id) => Named::Slug(kind, id),
        Some(_) | None => Named::Unknown,
    }
}

/// The UUID in a pasted identifier or address, such as that of a computation.
pub(super) fn uuid_in(text: &str) -> Option<String> {
    text.split(|character: char| !character.is_ascii_hexdigit() && character != '-')
        .filter(|piece| is_uuid(piece))
        .map(str::to_ascii_lowercase)
        .next_back()
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text
            .chars()
            .all(|character| character.is_ascii_hexdigit() || character == '-')
}

fn is_slug(text: &str) -> bool {
    text.len() >= 4 && text.chars().all(|character| character.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0b6f2c1e-52d4-4f0a-9a55-7f3a1d0c9e11";

    #[test]
    fn a_pasted_page_becomes_the_interface() {
        for (pasted, address) in [
            (
                "https://acme.codeocean.com/capsule/1234567/tree/",
                "https://acme.codeocean.com/api/v1/",
            ),
            (
                "https://acme.codeocean.com/api/v1/",
                "https://acme.codeocean.com/api/v1/",
            ),
            (
                "https://co.example.org:8443/?tab=a#b",
                "https://co.example.org:8443/api/v1/",
            ),
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000/api/v1/"),
        ] {
            assert_eq!(interface_of(pasted).unwrap(), address);
        }
        assert!(interface_of("acme").is_err());
    }

    #[test]
    fn a_pasted_token_is_cleaned() {
        for pasted in [
            "cop_x",
            "cop_x:",
            "'cop_x:'",
            "\"cop_x\":",
            "\\'cop_x:\\'",
            "`cop_x` :",
        ] {
            let pasted = Secret::parse_password(pasted).unwrap();
            assert_eq!(token_of(&pasted).unwrap().reveal(), "cop_x");
        }
        let empty = Secret::parse_password("':'").unwrap();
        let error = token_of(&empty).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }

    #[test]
    fn an_identifier_keeps_its_kind_and_version() {
        let full = |kind, version| {
            Named::Full(Runnable {
                kind,
                id: ID.to_owned(),
                version,
            })
        };
        let slug = |kind| Named::Slug(kind, "1234567".to_owned());
        for (text, read) in [
            (format!("capsule:{ID}"), full(Kind::Capsule, None)),
            (format!("pipeline:{ID}@2"), full(Kind::Pipeline, Some(2))),
            (
                format!(" {} ", ID.to_uppercase()),
                Named::Bare(ID.to_owned(), None),
            ),
            (format!("{ID}@3"), Named::Bare(ID.to_owned(), Some(3))),
            ("1234567".to_owned(), slug(None)),
            (
                "https://acme.codeocean.com/capsule/1234567/tree?x=7654321".to_owned(),
                slug(Some(Kind::Capsule)),
            ),
            (
                format!("https://acme.codeocean.com/pipelines/{ID}"),
                full(Kind::Pipeline, None),
            ),
            ("someone@example.org".to_owned(), Named::Unknown),
            ("capsule:".to_owned(), Named::Unknown),
            (String::new(), Named::Unknown),
        ] {
            assert_eq!(named(&text), read, "{text}");
        }
        let pinned = Runnable {
            kind: Kind::Capsule,
            id: ID.to_owned(),
            version: Some(4),
        };
        assert_eq!(named(pinned.pipeline_id().as_str()), Named::Full(pinned));
    }

    #[test]
    fn a_computation_is_found_in_an_address() {
        let page = format!("https://acme.codeocean.com/capsule/1234567/tree?computation={ID}");
        assert_eq!(uuid_in(&page).as_deref(), Some(ID));
        assert_eq!(uuid_in(&format!(" {ID} ")).as_deref(), Some(ID));
        assert_eq!(uuid_in("1234567"), None);
    }
}
