//! Seven Bridges and its sisters, BioData Catalyst first: apps on files of a project. Its facts and how a connection to it
//! is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

pub mod anything;
mod client;
mod errors;
mod facts;
mod form;
mod lists;
mod made;
mod outputs;
mod profiles;
pub mod sim;
mod site;
mod submit;
mod tasks;
mod upload;
mod wire;

use std::sync::Arc;

use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::complaint;
use crate::providers::seven_bridges::facts::LIMITS;
use crate::providers::{Profile, Provider, Secrets};

pub use crate::providers::seven_bridges::facts::FACTS;

/// Makes a client for a connection.
pub fn connect(
    connection: &Connection,
    secrets: &Secrets,
    http: &Http,
) -> Result<Arc<dyn Provider>> {
    let token = secrets.get("key").cloned().ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, Doing::Connect)
            .hint("The connection has no authentication token at hand")
    })?;
    let project = match connection.options.get("project") {
        Some(project) => site::project(project)?,
        None => None,
    };
    let base = site::interface(&connection.base_url);
    let auth = Auth::Header("x-sbg-auth-token", token);
    let api = Api::new(http, &base, auth, &LIMITS, complaint)?.with_budget(&LIMITS);
    Ok(Arc::new(Client::new(api, project, site::website(&base))))
}

/// Reads the credentials file of the vendor's own tools.
pub fn profiles(text: &str) -> Vec<Profile> {
    profiles::read(text)
}
