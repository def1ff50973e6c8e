//! Where the secrets of connections are: the keyring, memory, or the environment. Every call may block.

use std::sync::{Arc, Once, PoisonError, RwLock};

use crate::engine::snapshot::KeyringState;
use crate::model::connection::{Connection, KeyState};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::provider::{ConnectField, ProviderFacts};
use crate::model::secret::Secret;
use crate::providers::Secrets;
use crate::store::vault::{KeyringVault, MemoryVault, Vault, VaultError, session_secrets};

/// Reads a variable of the environment.
pub(super) type Environment = fn(&str) -> Option<String>;

/// All places for secrets. Cloning shares them.
#[derive(Clone)]
pub(super) struct Keys(Arc<Places>);

struct Places {
    keyring: RwLock<Option<Arc<dyn Vault>>>,
    first_probe: Once,
    wanted: bool,
    session: MemoryVault,
    environment: Environment,
}

impl Keys {
    /// Without a keyring until [`Keys::probe`] finds one; `wanted` says whether it may look for one.
    pub(super) fn new(wanted: bool, environment: Environment) -> Self {
        let places = Places {
            keyring: RwLock::new(None),
            first_probe: Once::new(),
            wanted,
            session: MemoryVault::default(),
            environment,
        };
        Self(Arc::new(places))
    }

    /// Looks for the keyring.
    pub(super) fn probe(&self) -> KeyringState {
        let (found, state): (Option<Arc<dyn Vault>>, _) = if self.0.wanted {
            match KeyringVault::probe() {
                Ok(vault) => (Some(Arc::new(vault)), KeyringState::Works),
                Err(error) => {
                    tracing::warn!(%error, "no keyring; keys are kept for this session only");
                    (None, KeyringState::Absent)
                }
            }
        } else {
            (None, KeyringState::NotWanted)
        };
        *self
            .0
            .keyring
            .write()
            .unwrap_or_else(PoisonError::into_inner) = found;
        state
    }

    /// The keyring, looked for when nobody has done so yet.
    fn keyring(&self) -> Option<Arc<dyn Vault>> {
        self.0.first_probe.call_once(|| {
            self.probe();
        });
        self.0
            .keyring
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts the secrets of a connection where they belong.
    pub(super) fn store(&self, vault_name: &str, secrets: &[(String, Secret)]) -> Result<KeyState> {
        if secrets.is_empty() {
            return Ok(KeyState::NotNeeded);
        }
        let keyring = self.keyring();
        let vault: &dyn Vault = keyring.as_deref().unwrap_or(&self.0.session);
        for (field, secret) in secrets {
            vault
                .set(vault_name, field, secret)
                .map_err(|error| error.to_error())?;
        }
        Ok(if keyring.is_some() {
            KeyState::InKeyring
        } else {
            KeyState::ThisSessionOnly
        })
    }

    /// The secrets of a connection and where they were found: in memory, in the keyring, in the environment.
    pub(super) fn load(
        &self,
        connection: &Connection,
        facts: &ProviderFacts,
    ) -> Result<(Secrets, KeyState)> {
        let fields: Vec<_> = facts
            .connect_fields
            .iter()
            .filter(|field| field.kind.is_secret())
            .collect();
        let from = |vault: &dyn Vault| -> std::result::Result<Secrets, VaultError> {
            let mut found = Secrets::new();
            for field in &fields {
                if let Some(secret) = vault.get(&connection.vault_name, field.name)? {
                    found.insert(field.name.to_owned(), secret);
                }
            }
            Ok(found)
        };
        let mut trouble = None;
        let mut places: Vec<(KeyState, Secrets)> = Vec::new();
        places.push((
            KeyState::ThisSessionOnly,
            from(&self.0.session).map_err(|error| error.to_error())?,
        ));
        if let Some(keyring) = self.keyring() {
            match from(keyring.as_ref()) {
                Ok(found) => places.push((KeyState::InKeyring, found)),
                Err(error) => trouble = Some(error.to_error()),
            }
        }
        if let Ok(mut found) = session_secrets(
            &connection.label,
            facts.connect_fields,
            connection.options.contains_key("user"),
            &self.0.environment,
        ) {
            // The general variable is there for all connections: one without a bucket does not get the keys of another's.
            let entered = |field: &ConnectField| {
                let entry = connection.options.get(field.name);
                entry.is_some_and(|entry| entry != field.default)
            };
            found.retain(|name, _| {
                let field = fields.iter().find(|field| field.name == name);
                field.is_some_and(|field| field.part.is_empty() || facts.is_needed(field, entered))
            });
            places.push((KeyState::ThisSessionOnly, found));
        }
        if let Some((state, found)) = places.into_iter().find(|(_, found)| !found.is_empty()) {
            return Ok((found, state));
        }
        if fields
            .iter()
            .any(|field| field.required && field.part.is_empty())
        {
            return Err(trouble.unwrap_or_else(|| {
                Error::new(ErrorKind::Keyring, Doing::UseKeyring)
                    .hint("There is no key for this connection")
            }));
        }
        Ok((Secrets::new(), KeyState::NotNeeded))
    }

    /// Removes the secrets of a connection.
    pub(super) fn forget(&self, vault_name: &str, facts: &[&'static ProviderFacts]) {
        let keyring = self.keyring();
        for facts in facts {
            for field in facts
                .connect_fields
                .iter()
                .filter(|field| field.kind.is_secret())
            {
                let vaults = [keyring.as_deref(), Some(&self.0.session as &dyn Vault)];
                for vault in vaults.into_iter().flatten() {
                    if let Err(error) = vault.remove(vault_name, field.name) {
                        tracing::warn!(%error, "a secret could not be removed");
                    }
                }
            }
        }
    }
}
