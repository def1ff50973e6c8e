//! From what was filled in to a saved connection, and from a saved connection to a client.

use std::sync::Arc;

use crate::engine::keys::Keys;
use crate::model::connection::{
    Connection, ConnectionDraft, KeyState, clean_base_url, may_carry_key,
};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ConnectionId, ProviderId};
use crate::model::provider::{ConnectField, ConnectFieldKind, ProviderFacts};
use crate::model::secret::Secret;
use crate::net::client::Http;
use crate::providers::{Entry, Provider, Secrets};

/// What a connection is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be kept.
    Save,
    /// To be tried: its place may be open still, since the trial tells which there are.
    Try,
}

/// Checks what was filled in. Labels are trimmed, addresses cleaned; secrets must be there where the platform needs them,
/// and an optional part is there as a whole or not at all.
pub(super) fn validate(
    draft: &ConnectionDraft,
    secrets: &[(String, Secret)],
    facts: &ProviderFacts,
    id: ConnectionId,
    vault_name: String,
    purpose: Purpose,
) -> Result<Connection> {
    let refuse = |words: String| Error::new(ErrorKind::Invalid, Doing::Connect).hint(words);
    let label = draft.label.trim();
    if label.is_empty() {
        return Err(refuse("The connection needs a name".to_owned()));
    }
    let mut options = std::collections::BTreeMap::new();
    let mut base_url = String::new();
    let entered = |field: &ConnectField| {
        if field.kind.is_secret() {
            secrets.iter().any(|(name, _)| name == field.name)
        } else {
            let entry = draft.entries.get(field.name).map(|entry| entry.trim());
            entry.is_some_and(|entry| !entry.is_empty() && entry != field.default)
        }
    };
    for field in facts.connect_fields {
        let open = purpose == Purpose::Try && field.kind == ConnectFieldKind::Place;
        let needed = !open && facts.is_needed(field, entered);
        if field.kind.is_secret() {
            if needed && !secrets.iter().any(|(name, _)| name == field.name) {
                return Err(refuse(format!("{} is missing", field.label)));
            }
            continue;
        }
        let entry = draft
            .entries
            .get(field.name)
            .map_or(field.default, String::as_str)
            .trim();
        if entry.is_empty() {
            if needed {
                return Err(refuse(format!("{} is missing", field.label)));
            }
            continue;
        }
        let entry = match field.kind {
            ConnectFieldKind::Url => {
                clean_base_url(entry).map_err(|words| refuse(words.to_owned()))?
            }
            ConnectFieldKind::Email if !looks_like_email(entry) => {
                return Err(refuse(format!("{} is not an email address", field.label)));
            }
            ConnectFieldKind::Email
            | ConnectFieldKind::Place
            | ConnectFieldKind::Text
            | ConnectFieldKind::Key
            | ConnectFieldKind::Password => entry.to_owned(),
        };
        if field.name == "url" {
            base_url = entry;
        } else {
            options.insert(field.name.to_owned(), entry);
        }
    }
    if !secrets.is_empty() && !may_carry_key(&base_url) {
        return Err(refuse(
            "A key is only sent over https, or to this computer itself".to_owned(),
        ));
    }
    Ok(Connection {
        id,
        provider: draft.provider.clone(),
        label: label.to_owned(),
        base_url,
        options,
        vault_name,
        account: None,
    })
}

fn looks_like_email(entry: &str) -> bool {
    entry.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    }) && !entry.chars().any(char::is_whitespace)
}

/// The entry of a platform among those the engine was started with.
pub(super) fn entry_of(entries: &'static [Entry], provider: &ProviderId) -> Result<&'static Entry> {
    entries
        .iter()
        .find(|entry| &entry.facts.id == provider)
        .ok_or_else(|| {
            Error::unsupported(Doing::Connect).hint(format!(
                "This version of Labferry does not know the platform {provider}"
            ))
        })
}

/// A client for a saved connection. Blocking: asks the keyring.
pub(super) fn client(
    connection: &Connection,
    keys: &Keys,
    http: &Http,
    entries: &'static [Entry],
) -> (KeyState, Result<Arc<dyn Provider>>) {
    let entry = match entry_of(entries, &connection.provider) {
        Ok(entry) => entry,
        Err(error) => return (KeyState::Missing, Err(error)),
    };
    match keys.load(connection, entry.facts) {
        Ok((secrets, state)) => (state, (entry.connect)(connection, &secrets, http)),
        Err(error) => (KeyState::Missing, Err(error)),
    }
}

/// A client for a connection that is not saved.
pub(super) fn trial_client(
    draft: &ConnectionDraft,
    secrets: Vec<(String, Secret)>,
    http: &Http,
    entries: &'static [Entry],
) -> Result<Arc<dyn Provider>> {
    let entry = entry_of(entries, &draft.provider)?;
    let connection = validate(
        draft,
        &secrets,
        entry.facts,
        ConnectionId(0),
        String::new(),
        Purpose::Try,
    )?;
    let secrets: Secrets = secrets.into_iter().collect();
    (entry.connect)(&connection, &secrets, http)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{code_ocean, seven_bridges};

    fn draft(facts: &ProviderFacts, entries: &[(&str, &str)]) -> ConnectionDraft {
        ConnectionDraft {
            provider: facts.id.clone(),
            label: "Ours".to_owned(),
            entries: entries
                .iter()
                .map(|(name, entry)| ((*name).to_owned(), (*entry).to_owned()))
                .collect(),
        }
    }

    fn check(
        facts: &ProviderFacts,
        entries: &[(&str, &str)],
        secrets: &[&str],
        purpose: Purpose,
    ) -> Option<String> {
        let secrets: Vec<(String, Secret)> = secrets
            .iter()
            .filter_map(|name| {
                Some((
                    (*name).to_owned(),
                    Secret::parse_key("AKEY0123456789").ok()?,
                ))
            })
            .collect();
        let draft = draft(facts, entries);
        validate(
            &draft,
            &secrets,
            facts,
            ConnectionId(1),
            String::new(),
            purpose,
        )
        .err()
        .map(|error| format!("{:?}", error.failure().hint))
    }

    #[test]
    fn an_optional_part_is_there_as_a_whole_or_not_at_all() {
        let facts = &code_ocean::FACTS;
        let url = ("url", "https://acme.example.org");
        let save = |entries: &[(&str, &str)], secrets: &[&str]| {
            check(facts, entries, secrets, Purpose::Save)
        };
        assert_eq!(save(&[url, ("bucket_region", "us-east-1")], &["key"]), None);
        let bucket = [url, ("bucket", "ours")];
        let words = save(&bucket, &["key", "access_key"]).unwrap_or_default();
        assert!(words.contains("Secret access key is missing"), "{words}");
        let words = save(&[url], &["key", "access_key", "secret_key"]).unwrap_or_default();
        assert!(words.contains("Bucket is missing"), "{words}");
        assert_eq!(save(&bucket, &["key", "access_key", "secret_key"]), None);
    }

    #[test]
    fn a_trial_leaves_the_place_open() {
        let facts = &seven_bridges::FACTS;
        assert_eq!(check(facts, &[], &["key"], Purpose::Try), None);
        let words = check(facts, &[], &["key"], Purpose::Save).unwrap_or_default();
        assert!(words.contains("Project is missing"), "{words}");
    }
}
