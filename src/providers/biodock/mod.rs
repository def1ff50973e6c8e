//! Biodock, the microscopy image analysis service: its facts and how a connection to it is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

pub mod anything;
mod client;
mod facts;
mod lists;
mod masks;
pub mod sim;
mod stage;
mod wire;

use std::sync::Arc;

use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::net::errors::usual_complaint;
use crate::providers::biodock::client::Client;
use crate::providers::biodock::facts::LIMITS;
use crate::providers::{Provider, Secrets};

pub use crate::providers::biodock::facts::FACTS;

/// Makes a client for a connection.
pub fn connect(
    connection: &Connection,
    secrets: &Secrets,
    http: &Http,
) -> Result<Arc<dyn Provider>> {
    let key = secrets.get("key").cloned().ok_or_else(|| {
        Error::new(ErrorKind::Unauthenticated, Doing::Connect)
            .hint("The connection has no key at hand")
    })?;
    let api = Api::new(
        http,
        &interface_of(&connection.base_url),
        Auth::Header("x-api-key", key),
        &LIMITS,
        usual_complaint,
    )?;
    Ok(Arc::new(Client::new(api)))
}

/// The address of the interface where a page of the website was pasted, such as `https://app.biodock.ai/settings/api`.
fn interface_of(base_url: &str) -> String {
    const WEBSITE: &str = "https://app.biodock.ai/";
    const INTERFACE: &str = "https://app.biodock.ai/api/external/";
    if base_url.starts_with(WEBSITE) && !base_url.starts_with("https://app.biodock.ai/api/") {
        INTERFACE.to_owned()
    } else {
        base_url.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_page_of_the_website_becomes_the_interface() {
        for (pasted, address) in [
            (
                "https://app.biodock.ai/settings/api/",
                "https://app.biodock.ai/api/external/",
            ),
            (
                "https://app.biodock.ai/",
                "https://app.biodock.ai/api/external/",
            ),
            (
                "https://app.biodock.ai/api/external/",
                "https://app.biodock.ai/api/external/",
            ),
            (
                "http://127.0.0.1:4000/api/external/",
                "http://127.0.0.1:4000/api/external/",
            ),
        ] {
            assert_eq!(interface_of(pasted), address);
        }
    }
}
