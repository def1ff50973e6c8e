//! `labferry connect`: saves a connection and says whom the platform takes us for.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::cli::arguments::ConnectArguments;
use crate::cli::out::{Event, Out};
use crate::cli::session::{Session, start, stop};
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::EngineOptions;
use crate::engine::command::Command;
use crate::engine::snapshot::{CheckState, ConnectionView, Snapshot, Trial};
use crate::model::connection::ConnectionDraft;
use crate::model::ids::ProviderId;
use crate::model::provider::{ConnectField, ProviderFacts};
use crate::model::secret::Secret;
use crate::store::folders::Folders;
use crate::store::vault;

/// Longest wait for the platform's answer.
const PATIENCE: Duration = Duration::from_secs(90);

/// More than any key and password together.
const MOST_STDIN_BYTES: u64 = 64 * 1024;

/// The same as room in memory; reading asks for a little more at the end.
const STDIN_ROOM_BYTES: usize = 65 * 1024;

/// Saves the connection, waits for the platform's answer, and prints it.
pub(super) async fn run(
    arguments: ConnectArguments,
    folders: &Folders,
    out: Out,
) -> Result<Ending, Trouble> {
    let typed = if arguments.key_stdin {
        Some(read_stdin()?)
    } else {
        None
    };
    let mut session = Session::over(start(EngineOptions::real(folders.clone()))?).await?;
    let outcome = connect(
        &mut session,
        &arguments,
        typed.as_ref().map(|typed| typed.as_str()),
        out,
    )
    .await;
    stop(session.into_engine()).await;
    outcome
}

async fn connect(
    session: &mut Session,
    arguments: &ConnectArguments,
    typed: Option<&str>,
    out: Out,
) -> Result<Ending, Trouble> {
    let snapshot = session.snapshot();
    let facts = platform(&snapshot, &arguments.platform)?;
    let entries = entries(facts, arguments)?;
    let secrets = secrets(facts, &arguments.label, &entries, typed)?;
    let draft = ConnectionDraft {
        provider: facts.id.clone(),
        label: arguments.label.trim().to_owned(),
        entries,
    };
    let view = save(session, draft, secrets).await?;
    match &view.check {
        CheckState::Bad(words) => Err(Trouble::Problem(words.clone())),
        CheckState::Good | CheckState::NotChecked | CheckState::Checking => {
            let account = view
                .connection
                .account
                .as_ref()
                .map_or_else(String::new, |account| account.name.clone());
            let label = &view.connection.label;
            let message = format!(
                "{label}: {account} at {}. {}.",
                view.provider_name,
                view.key.words()
            );
            out.event(&Event {
                what: "notice",
                name: Some(label.clone()),
                message: Some(message.clone()),
                ..Event::default()
            })?;
            out.line(message)?;
            Ok(Ending::Done)
        }
    }
}

/// Hands the connection over and waits until the platform has been asked.
pub(super) async fn save(
    session: &mut Session,
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
) -> Result<std::sync::Arc<ConnectionView>, Trouble> {
    let label = draft.label.clone();
    let find = |snapshot: &Snapshot| {
        let mut views = snapshot.connections.iter();
        views.find(|view| view.connection.label == label).cloned()
    };
    // Each save gets a name of its own in the vault: that tells the new connection from the one it replaces.
    let before = find(&session.snapshot()).map(|view| view.connection.vault_name.clone());
    session.send(Command::SaveConnection(draft, secrets))?;
    let answered = session.until(|snapshot| {
        if let Some(Trial::Bad(words)) = &snapshot.trial {
            return Some(Err(Trouble::Problem(words.clone())));
        }
        let view = find(snapshot)?;
        if Some(&view.connection.vault_name) == before.as_ref() {
            return None;
        }
        match view.check {
            CheckState::NotChecked | CheckState::Checking => None,
            CheckState::Good | CheckState::Bad(_) => Some(Ok(view)),
        }
    });
    tokio::time::timeout(PATIENCE, answered)
        .await
        .map_err(|_elapsed| {
            Trouble::problem(
                format!(
                    "The platform of {label} did not answer within {} seconds.",
                    PATIENCE.as_secs()
                ),
                "The connection was saved.",
                "Look at the address, then connect again.",
            )
        })??
}

fn platform(snapshot: &Snapshot, word: &str) -> Result<&'static ProviderFacts, Trouble> {
    snapshot.facts(&ProviderId::from(word)).ok_or_else(|| {
        let known: Vec<&str> = snapshot
            .providers
            .iter()
            .map(|facts| facts.id.as_str())
            .collect();
        Trouble::wrong_use(
            format!("There is no platform called {word}."),
            format!("There are: {}.", known.join(", ")),
        )
    })
}

/// The entries of the platform's form, each required one filled in.
fn entries(
    facts: &ProviderFacts,
    arguments: &ConnectArguments,
) -> Result<BTreeMap<String, String>, Trouble> {
    let given = [
        ("url", &arguments.url),
        ("email", &arguments.email),
        ("user", &arguments.user),
        ("files_url", &arguments.files_url),
        ("project", &arguments.project),
        ("bucket", &arguments.bucket),
        ("bucket_endpoint", &arguments.bucket_endpoint),
        ("bucket_region", &arguments.bucket_region),
    ];
    let flag = |name: &str| format!("--{}", name.replace('_', "-"));
    for (name, value) in given {
        if value.is_some() && !facts.connect_fields.iter().any(|field| field.name == name) {
            return Err(Trouble::wrong_use(
                format!("{} has no use for {}.", facts.name, flag(name)),
                "Leave it out.",
            ));
        }
    }
    let typed = |field: &ConnectField| {
        given
            .iter()
            .find(|(name, _)| *name == field.name)
            .and_then(|(_, value)| value.as_deref())
            .filter(|value| !value.trim().is_empty())
    };
    let mut entries = BTreeMap::new();
    for field in facts
        .connect_fields
        .iter()
        .filter(|field| !field.kind.is_secret())
    {
        let is_needed = facts.is_needed(field, |other| typed(other).is_some());
        // What an optional part holds at first is of no use without the rest of it.
        let default = if is_needed || field.part.is_empty() {
            field.default
        } else {
            ""
        };
        let value = typed(field).unwrap_or(default);
        if value.is_empty() && is_needed {
            return Err(Trouble::wrong_use(
                format!(
                    "{} needs {}: {}.",
                    facts.name,
                    flag(field.name),
                    field.label
                ),
                field.help,
            ));
        }
        if !value.is_empty() {
            entries.insert(field.name.to_owned(), value.to_owned());
        }
    }
    Ok(entries)
}

/// The secrets, from standard input or from the environment.
fn secrets(
    facts: &ProviderFacts,
    label: &str,
    entries: &BTreeMap<String, String>,
    typed: Option<&str>,
) -> Result<Vec<(String, Secret)>, Trouble> {
    let environment = |name: &str| std::env::var(name).ok();
    let has_user = entries.contains_key("user");
    let mut found = match typed {
        Some(text) => vault::secret_lines(facts.connect_fields, text),
        None => vault::session_secrets(label, facts.connect_fields, has_user, &environment),
    }
    .map_err(|problem| {
        Trouble::wrong_use(
            format!("{problem}."),
            "Copy it from the platform once more.",
        )
    })?;
    let is_needed =
        |field: &ConnectField| facts.is_needed(field, |other| entries.contains_key(other.name));
    if typed.is_none() {
        // The general variable is there for all connections: one without a bucket must not keep the keys of another's.
        found.retain(|name, _| {
            let field = facts.connect_fields.iter().find(|field| field.name == name);
            field.is_some_and(|field| field.part.is_empty() || is_needed(field))
        });
    }
    let missing = facts
        .connect_fields
        .iter()
        .filter(|field| field.kind.is_secret() && is_needed(field))
        .find(|field| !found.contains_key(field.name));
    if let Some(field) = missing {
        return Err(Trouble::wrong_use(
            format!("{} needs a key: {}.", facts.name, field.label),
            format!(
                "Hand it over with --key-stdin, or set {}.",
                vault::session_variable(label)
            ),
        ));
    }
    Ok(found.into_iter().collect())
}

/// With room for the whole from the start, so that no shorter copy is left behind, and past the buffer that the standard
/// library keeps until the program ends.
fn read_stdin() -> Result<Zeroizing<String>, Trouble> {
    let mut text = Zeroizing::new(String::with_capacity(STDIN_ROOM_BYTES));
    unbuffered_stdin()
        .and_then(|input| input.take(MOST_STDIN_BYTES).read_to_string(&mut text))
        .map_err(|error| {
            Trouble::problem(
                format!("The key could not be read from standard input: {error}."),
                "Nothing was saved.",
                "Write the key as one line of plain text.",
            )
        })?;
    Ok(text)
}

#[cfg(unix)]
fn unbuffered_stdin() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

// A console of Windows needs the standard library to be read as text.
#[cfg(not(unix))]
fn unbuffered_stdin() -> io::Result<io::StdinLock<'static>> {
    Ok(io::stdin().lock())
}
