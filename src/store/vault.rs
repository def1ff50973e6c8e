//! Where keys are kept: the operating system's keyring, or memory until the app closes. Never a file.
//!
//! All calls block, some of them until a person has unlocked the keyring: call them off the async threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error as KeyringError};

use zeroize::Zeroizing;

use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::provider::{ConnectField, ConnectFieldKind};
use crate::model::secret::{Secret, SecretProblem};

/// Under which name the keyring shows our entries.
const SERVICE: &str = "labferry";

/// A place for secrets, by the vault name of a connection and the name of a field.
pub trait Vault: Send + Sync {
    /// The secret, or none when there is none of this name.
    fn get(&self, vault_name: &str, field: &str) -> Result<Option<Secret>, VaultError>;

    /// Adds or replaces a secret.
    fn set(&self, vault_name: &str, field: &str, secret: &Secret) -> Result<(), VaultError>;

    /// Removes a secret; fine when there is none.
    fn remove(&self, vault_name: &str, field: &str) -> Result<(), VaultError>;
}

/// Why a vault did not do as asked. The texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring service to talk to.
    #[error("there is no keyring: {0}")]
    Absent(String),
    /// There is one, and it is locked or said no.
    #[error("the keyring refused: {0}")]
    Refused(String),
    /// What it gave back is no text, or it is of two minds.
    #[error("the keyring gave back something unusable: {0}")]
    Unusable(String),
}

impl VaultError {
    /// As the engine passes it on.
    pub fn to_error(&self) -> Error {
        Error::new(ErrorKind::Keyring, Doing::UseKeyring).caused_by(self)
    }
}

/// The operating system's keyring: Secret Service, Keychain or Credential Manager.
pub struct KeyringVault {
    store: Store,
}

/// Which way leads to the keyring.
enum Store {
    /// The one that `keyring` has chosen for this system.
    Usual,
    /// The same kind of store opened anew, as `keyring` remembers a first failure for the life of the process.
    OpenedAnew(Arc<dyn CredentialStoreApi + Send + Sync>),
}

impl KeyringVault {
    /// Looks for a keyring that takes an entry, gives it back and deletes it. Every call looks anew, so that *Try again*
    /// means something. A keyring without an open collection answers reads with "no entry" and fails only on writing.
    pub fn probe() -> Result<Self, VaultError> {
        let vault = Self {
            store: open_store().map_err(|error| VaultError::Absent(cause_of(&error)))?,
        };
        let name = format!("probe-{:016x}", fastrand::u64(..));
        let probe = Secret::parse_key(&format!("{:016x}", fastrand::u64(..)))
            .map_err(|problem| VaultError::Unusable(problem.to_string()))?;
        vault.set(&name, "probe", &probe)?;
        let kept = vault.get(&name, "probe");
        vault.remove(&name, "probe")?;
        if kept? == Some(probe) {
            Ok(vault)
        } else {
            Err(VaultError::Unusable(
                "an entry did not come back as it was written".to_owned(),
            ))
        }
    }

    fn entry(&self, vault_name: &str, field: &str) -> Result<Entry, VaultError> {
        let user = format!("{vault_name}/{field}");
        match &self.store {
            Store::Usual => keyring::Entry::new(SERVICE, &user).map(|entry| entry.inner),
            Store::OpenedAnew(store) => store.build(SERVICE, &user, None),
        }
        .map_err(|error| from_keyring(&error))
    }
}

impl Vault for KeyringVault {
    fn get(&self, vault_name: &str, field: &str) -> Result<Option<Secret>, VaultError> {
        match self.entry(vault_name, field)?.get_password() {
            Ok(text) => Ok(Secret::parse_password(&Zeroizing::new(text)).ok()),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(error) => Err(from_keyring(&error)),
        }
    }

    fn set(&self, vault_name: &str, field: &str, secret: &Secret) -> Result<(), VaultError> {
        self.entry(vault_name, field)?
            .set_password(secret.reveal())
            .map_err(|error| from_keyring(&error))
    }

    fn remove(&self, vault_name: &str, field: &str) -> Result<(), VaultError> {
        match self.entry(vault_name, field)?.delete_credential() {
            Ok(()) | Err(KeyringError::NoEntry) => Ok(()),
            Err(error) => Err(from_keyring(&error)),
        }
    }
}

fn open_store() -> keyring_core::Result<Store> {
    match keyring::Entry::store_status() {
        Ok(()) => Ok(Store::Usual),
        Err(_remembered) => open_anew(),
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn open_anew() -> keyring_core::Result<Store> {
    Ok(Store::OpenedAnew(
        zbus_secret_service_keyring_store::Store::new()?,
    ))
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn open_anew() -> keyring_core::Result<Store> {
    Err(KeyringError::NoDefaultStore)
}

fn from_keyring(error: &KeyringError) -> VaultError {
    match error {
        KeyringError::PlatformFailure(_) | KeyringError::NoDefaultStore => {
            VaultError::Absent(cause_of(error))
        }
        KeyringError::NoStorageAccess(_)
        | KeyringError::TooLong(_, _)
        | KeyringError::Invalid(_, _)
        | KeyringError::NotSupportedByStore(_) => VaultError::Refused(cause_of(error)),
        _ => VaultError::Unusable(cause_of(error)),
    }
}

/// The cause in words. Some variants carry the secret's bytes: those are named and nothing more.
fn cause_of(error: &KeyringError) -> String {
    match error {
        KeyringError::PlatformFailure(cause) | KeyringError::NoStorageAccess(cause) => {
            cause.to_string()
        }
        KeyringError::TooLong(attribute, most) => {
            format!("its {attribute} may have {most} characters at most")
        }
        KeyringError::Invalid(attribute, reason) => {
            format!("its {attribute} is not valid, {reason}")
        }
        KeyringError::NotSupportedByStore(what) => what.clone(),
        KeyringError::NoEntry => "there is no such entry".to_owned(),
        KeyringError::BadEncoding(_) => "the entry is no text".to_owned(),
        KeyringError::BadDataFormat(_, _) => "the entry is damaged".to_owned(),
        KeyringError::BadStoreFormat(reason) => reason.clone(),
        KeyringError::Ambiguous(entries) => format!("{} entries have this name", entries.len()),
        KeyringError::NoDefaultStore => "no keyring was chosen".to_owned(),
        _ => "a failure of a kind this version does not know".to_owned(),
    }
}

/// Secrets in memory until the app closes. Tests can make it fail.
#[derive(Default)]
pub struct MemoryVault {
    inner: Mutex<MemoryVaultInner>,
}

#[derive(Default)]
struct MemoryVaultInner {
    secrets: BTreeMap<(String, String), Secret>,
    failure: Option<VaultError>,
}

impl MemoryVault {
    /// From now on every call fails like this, or works again.
    pub fn fail_with(&self, failure: Option<VaultError>) {
        self.lock().failure = failure;
    }

    fn lock(&self) -> MutexGuard<'_, MemoryVaultInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryVaultInner {
    fn answer(&self) -> Result<(), VaultError> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

impl Vault for MemoryVault {
    fn get(&self, vault_name: &str, field: &str) -> Result<Option<Secret>, VaultError> {
        let inner = self.lock();
        inner.answer()?;
        let name = (vault_name.to_owned(), field.to_owned());
        Ok(inner.secrets.get(&name).cloned())
    }

    fn set(&self, vault_name: &str, field: &str, secret: &Secret) -> Result<(), VaultError> {
        let mut inner = self.lock();
        inner.answer()?;
        let name = (vault_name.to_owned(), field.to_owned());
        inner.secrets.insert(name, secret.clone());
        Ok(())
    }

    fn remove(&self, vault_name: &str, field: &str) -> Result<(), VaultError> {
        let mut inner = self.lock();
        inner.answer()?;
        inner
            .secrets
            .remove(&(vault_name.to_owned(), field.to_owned()));
        Ok(())
    }
}

/// The secrets of a connection out of the environment: the lines of `LABFERRY_KEY_<LABEL>`, else of `LABFERRY_KEY`.
/// Empty when neither is set. A password is taken only for a connection with a user: `LABFERRY_KEY` is there for all of
/// them, and a server where nobody signs in must not get another platform's key.
pub fn session_secrets(
    label: &str,
    fields: &[ConnectField],
    has_user: bool,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, Secret>, SecretProblem> {
    let is_set = |value: &String| !value.trim().is_empty();
    let text = env(&session_variable(label))
        .filter(is_set)
        .or_else(|| env("LABFERRY_KEY").filter(is_set))
        .map(Zeroizing::new);
    let mut fields = fields.to_vec();
    fields.retain(|field| has_user || field.kind != ConnectFieldKind::Password);
    text.map_or_else(|| Ok(BTreeMap::new()), |text| secret_lines(&fields, &text))
}

/// The variable of one connection: its label in upper case, whatever is no letter or digit of ASCII as `_`.
pub fn session_variable(label: &str) -> String {
    let name: String = label
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("LABFERRY_KEY_{name}")
}

/// One secret a line, in the order of the form's secret fields; an empty line leaves its field out. Also what
/// `--key-stdin` reads.
pub fn secret_lines(
    fields: &[ConnectField],
    text: &str,
) -> Result<BTreeMap<String, Secret>, SecretProblem> {
    let mut secrets = BTreeMap::new();
    let wanted = fields.iter().filter(|field| field.kind.is_secret());
    for (field, line) in wanted.zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let secret = match field.kind {
            ConnectFieldKind::Password => Secret::parse_password(line)?,
            ConnectFieldKind::Key
            | ConnectFieldKind::Url
            | ConnectFieldKind::Email
            | ConnectFieldKind::Place
            | ConnectFieldKind::Text => Secret::parse_key(line)?,
        };
        secrets.insert(field.name.to_owned(), secret);
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, kind: ConnectFieldKind) -> ConnectField {
        ConnectField {
            name,
            label: name,
            help: "",
            kind,
            required: false,
            default: "",
            presets: &[],
            part: "",
        }
    }

    const FIELDS: [ConnectField; 4] = [
        field("url", ConnectFieldKind::Url),
        field("key", ConnectFieldKind::Key),
        field("user", ConnectFieldKind::Text),
        field("password", ConnectFieldKind::Password),
    ];

    fn shown(secrets: &BTreeMap<String, Secret>) -> Vec<(&str, &str)> {
        secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), secret.reveal()))
            .collect()
    }

    #[test]
    fn secrets_come_line_by_line_and_the_label_wins() {
        let env = |name: &str| match name {
            "LABFERRY_KEY_IMAGING_CORE__2_" => Some(" \"abc\" \r\n pass word \n".to_owned()),
            "LABFERRY_KEY" => Some("general".to_owned()),
            _ => None,
        };
        let secrets = session_secrets("Imaging core (2)", &FIELDS, true, &env).unwrap();
        assert_eq!(
            shown(&secrets),
            [("key", "abc"), ("password", " pass word ")]
        );
        let without_user = session_secrets("Imaging core (2)", &FIELDS, false, &env).unwrap();
        assert_eq!(shown(&without_user), [("key", "abc")]);
        let secrets = session_secrets("another", &FIELDS, true, &env).unwrap();
        assert_eq!(shown(&secrets), [("key", "general")]);
        assert!(
            session_secrets("another", &FIELDS, true, &|_name| None)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn an_empty_line_leaves_its_field_out_and_a_bad_key_is_said() {
        let secrets = secret_lines(&FIELDS, "\nsecond").unwrap();
        assert_eq!(shown(&secrets), [("password", "second")]);
        assert_eq!(
            secret_lines(&FIELDS, "schlüssel"),
            Err(SecretProblem::Unsendable)
        );
    }

    #[test]
    fn memory_keeps_replaces_removes_and_fails_when_told() {
        let vault = MemoryVault::default();
        let first = Secret::parse_key("one").unwrap();
        let second = Secret::parse_key("two").unwrap();
        vault.set("a", "key", &first).unwrap();
        vault.set("a", "key", &second).unwrap();
        assert_eq!(vault.get("a", "key"), Ok(Some(second)));
        assert_eq!(vault.get("b", "key"), Ok(None));
        let failure = VaultError::Refused("locked".to_owned());
        vault.fail_with(Some(failure.clone()));
        assert_eq!(vault.get("a", "key"), Err(failure.clone()));
        assert_eq!(vault.set("a", "key", &first), Err(failure.clone()));
        assert_eq!(vault.remove("a", "key"), Err(failure));
        vault.fail_with(None);
        vault.remove("a", "key").unwrap();
        vault.remove("a", "key").unwrap();
        assert_eq!(vault.get("a", "key"), Ok(None));
    }

    #[test]
    fn no_words_of_a_keyring_failure_hold_the_secret() {
        let canary = b"canary-key".to_vec();
        for error in [
            KeyringError::BadEncoding(canary.clone()),
            KeyringError::BadDataFormat(canary.clone(), Box::new(std::io::Error::other("bad"))),
        ] {
            let words = format!("{:?}", from_keyring(&error).to_error());
            assert!(
                !words.contains("canary") && !words.contains("99, 97"),
                "{words}"
            );
        }
    }
}
