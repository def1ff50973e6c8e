//! Code Ocean: capsules and pipelines on data assets. Its facts and how a connection to it is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

mod address;
pub mod anything;
mod asset;
mod bucket;
mod bucket_answers;
mod client;
mod facts;
mod form;
mod listed;
mod lists;
mod panel;
mod results;
mod runs;
pub mod sim;
mod stage;
#[cfg(test)]
mod tests;
mod values;
mod wire;

use std::sync::Arc;

use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::net::errors::usual_complaint;
use crate::providers::code_ocean::address::{interface_of, token_of};
use crate::providers::code_ocean::bucket::Bucket;
use crate::providers::code_ocean::client::Client;
use crate::providers::code_ocean::facts::LIMITS;
use crate::providers::{Provider, Secrets};

pub use crate::providers::code_ocean::facts::FACTS;

/// Makes a client for a connection.
pub fn connect(
    connection: &Connection,
    secrets: &Secrets,
    http: &Http,
) -> Result<Arc<dyn Provider>> {
    let pasted = secrets.get("key").ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, Doing::Connect)
            .hint("The connection has no access token at hand")
    })?;
    let token = token_of(pasted)?;
    let api = Api::new(
        http,
        &interface_of(&connection.base_url)?,
        Auth::BasicToken(token),
        &LIMITS,
        usual_complaint,
    )?;
    let option = |name: &str| {
        let entry = connection.options.get(name)?.trim();
        (!entry.is_empty()).then(|| entry.to_owned())
    };
    let bucket = Bucket::of(option, secrets, http)?;
    let endpoint_name = option("bucket_endpoint_name");
    Ok(Arc::new(Client::new(api, bucket, endpoint_name)))
}
