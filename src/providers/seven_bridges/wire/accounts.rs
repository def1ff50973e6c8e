//! Users and projects.

use serde::Deserialize;

use crate::model::connection::Place;
use crate::providers::seven_bridges::wire::{flag, text};

/// `GET /user`.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct User {
    username: Option<String>,
    email: Option<String>,
}

impl User {
    /// As the platform names the account.
    pub(in crate::providers::seven_bridges) fn name(self) -> Option<String> {
        [self.username, self.email]
            .into_iter()
            .flatten()
            .find(|name| !name.trim().is_empty())
    }
}

/// Fields of a project that are read.
pub(in crate::providers::seven_bridges) const PROJECT_FIELDS: &str =
    "id,name,permissions,billing_group";

/// An entry of `GET /projects`.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct Project {
    pub(in crate::providers::seven_bridges) id: String,
    name: Option<String>,
    permissions: Option<Permissions>,
    /// Missing, empty or null where there is none.
    #[serde(default, deserialize_with = "text")]
    billing_group: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Permissions {
    #[serde(default, deserialize_with = "flag")]
    write: Option<bool>,
    #[serde(default, deserialize_with = "flag")]
    execute: Option<bool>,
}

impl Project {
    pub(in crate::providers::seven_bridges) fn into_place(self) -> Place {
        let name = self.name.filter(|name| !name.trim().is_empty());
        let may = |right: Option<bool>| right != Some(false);
        let permissions = self.permissions.as_ref();
        let mut lacks = Vec::new();
        if !may(permissions.and_then(|rights| rights.write)) {
            lacks.push("you may not put files there");
        }
        if !may(permissions.and_then(|rights| rights.execute)) {
            lacks.push("you may not run tasks there");
        }
        // A list that leaves the rights out was not asked for more than names.
        let has_group = |group: &String| !group.trim().is_empty();
        if permissions.is_some() && !self.billing_group.as_ref().is_some_and(has_group) {
            lacks.push("it has no billing group");
        }
        Place {
            name: name.unwrap_or_else(|| self.id.clone()),
            id: self.id,
            lacks: (!lacks.is_empty()).then(|| lacks.join(", ")),
        }
    }
}
