//! Another program's file of keys in the person's home folder: names and addresses to choose from, and one key taken over.
//! Keys stay in here and go to the vault; they never stand in a snapshot or a log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::engine::connect;
use crate::engine::worker::Toolbox;
use crate::model::connection::ConnectionDraft;
use crate::model::error::{Doing, Error, ErrorKind, Result, system_words};
use crate::model::ids::ProviderId;
use crate::model::notice::Words;
use crate::model::provider::ProfilesFile;
use crate::model::secret::Secret;
use crate::providers::{Entry, Profile, Provider};

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why there is no key to take over.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lack {
    /// No program keeps keys of this platform in a known place, or there is no home folder.
    NoPlace,
    /// The file is not there.
    Missing(String, &'static str),
    /// The file cannot be read, and why.
    Unreadable(String, String),
    /// It has no name with a key.
    Empty(String, &'static str),
    /// It has no such name any more.
    NoSuchName(String),
}

impl Lack {
    fn what(&self) -> String {
        match self {
            Self::NoPlace => "There is no file of keys of this platform to import from.".to_owned(),
            Self::Missing(path, owner) => {
                format!("The {owner} credentials file {path} is not in your home folder.")
            }
            Self::Unreadable(path, why) => format!("{path} could not be read: {why}."),
            Self::Empty(path, owner) => {
                format!("{path} holds no key in the form that {owner} writes.")
            }
            Self::NoSuchName(name) => {
                format!("The credentials file has no key under the name {name} any more.")
            }
        }
    }

    fn words(&self) -> Words {
        Words {
            what: self.what(),
            did: "Nothing was changed.".to_owned(),
            next: "Fill in the address and paste the key instead.".to_owned(),
            action: None,
        }
    }

    fn to_error(&self) -> Error {
        Error::new(ErrorKind::LocalFile, Doing::Connect).hint(self.what())
    }
}

/// Name and address of each key in the file. Blocking.
pub(super) fn names(
    provider: &ProviderId,
    tools: &Toolbox,
) -> std::result::Result<Vec<(String, String)>, Words> {
    let entry =
        connect::entry_of(tools.entries, provider).map_err(|_unknown| Lack::NoPlace.words())?;
    let profiles = read(entry, tools.home.as_deref()).map_err(|lack| lack.words())?;
    Ok(profiles
        .into_iter()
        .map(|profile| {
            let address = profile.entries.get("url").cloned().unwrap_or_default();
            (profile.name, address)
        })
        .collect())
}

/// A draft with what the file has under a name, and the secrets of that name. What the person filled in wins. Blocking.
pub(super) fn filled_in(
    mut draft: ConnectionDraft,
    name: &str,
    entry: &Entry,
    tools: &Toolbox,
) -> Result<(ConnectionDraft, Vec<(String, Secret)>)> {
    let profiles = read(entry, tools.home.as_deref()).map_err(|lack| lack.to_error())?;
    let profile = profiles
        .into_iter()
        .find(|profile| profile.name == name)
        .ok_or_else(|| Lack::NoSuchName(name.to_owned()).to_error())?;
    for (field, value) in profile.entries {
        let filled = draft.entries.entry(field).or_default();
        if filled.trim().is_empty() {
            *filled = value;
        }
    }
    Ok((draft, profile.secrets.into_iter().collect()))
}

/// A client for a connection that is not saved, with address and key out of the file where a name in it is given. Blocking.
pub(super) fn trial_client(
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
    profile: Option<String>,
    tools: &Toolbox,
) -> Result<Arc<dyn Provider>> {
    let (draft, secrets) = match profile {
        Some(name) => {
            let entry = connect::entry_of(tools.entries, &draft.provider)?;
            filled_in(draft, &name, entry, tools)?
        }
        None => (draft, secrets),
    };
    connect::trial_client(&draft, secrets, &tools.http, tools.entries)
}

fn read(entry: &Entry, home: Option<&Path>) -> std::result::Result<Vec<Profile>, Lack> {
    let (Some(ProfilesFile { path, owner }), Some(home)) = (entry.facts.profiles, home) else {
        return Err(Lack::NoPlace);
    };
    let shown = format!("~/{path}");
    let file: PathBuf = path
        .split('/')
        .fold(home.to_path_buf(), |folder, segment| folder.join(segment));
    let unreadable = |error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Lack::Missing(shown.clone(), owner),
        std::io::ErrorKind::InvalidData => {
            Lack::Unreadable(shown.clone(), "it is no text".to_owned())
        }
        _ => Lack::Unreadable(shown.clone(), system_words(error)),
    };
    let size_bytes = std::fs::metadata(&file)
        .map_err(|error| unreadable(&error))?
        .len();
    if size_bytes > MAX_BYTES {
        return Err(Lack::Unreadable(shown, "it is too large".to_owned()));
    }
    let text = std::fs::read_to_string(&file).map(Zeroizing::new);
    let text = text.map_err(|error| unreadable(&error))?;
    let profiles = (entry.profiles)(&text);
    if profiles.is_empty() {
        return Err(Lack::Empty(shown, owner));
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers;

    fn entry(word: &str) -> &'static Entry {
        providers::entry(&ProviderId::from(word)).unwrap()
    }

    fn home(text: &str) -> tempfile::TempDir {
        use std::io::Write as _;
        let home = tempfile::tempdir().unwrap();
        let file = entry("seven-bridges").facts.profiles.unwrap().path;
        let path = home.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        home
    }

    #[test]
    fn keys_are_read_and_not_shown() {
        let home = home(
            "[cgc]\napi_endpoint = https://cgc-api.sbgenomics.com/v2\nauth_token = 0123456789abcdef0123456789abcdef\n",
        );
        let profiles = read(entry("seven-bridges"), Some(home.path())).unwrap();
        let names: Vec<&str> = profiles.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["cgc"]);
        assert!(profiles[0].secrets.contains_key("key"));
        assert!(!format!("{profiles:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn a_file_that_is_not_there_or_of_no_use_is_said() {
        let what = |word: &str, home: Option<&Path>| read(entry(word), home).unwrap_err().what();
        let nothing = "There is no file of keys of this platform to import from.";
        assert_eq!(what("biodock", None), nothing);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(what("biodock", Some(empty.path())), nothing);
        assert_eq!(
            what("seven-bridges", Some(empty.path())),
            "The Seven Bridges credentials file ~/.sevenbridges/credentials is not in your home folder."
        );
        assert_eq!(
            what("seven-bridges", Some(home("").path())),
            "~/.sevenbridges/credentials holds no key in the form that Seven Bridges writes."
        );
    }
}
