//! The one HTTP client of the program.

use crate::model::error::Result;

/// How to reach the network.
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    /// Proxy for all requests.
    pub proxy: crate::model::settings::ProxyChoice,
    /// A certificate authority (PEM) to trust besides the system's.
    pub extra_authority_pem: Option<Vec<u8>>,
}

/// The client; cloning shares its connections. It never follows a redirect by itself.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    /// Builds the client.
    pub fn new(_options: &NetOptions) -> Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                crate::model::error::Error::new(
                    crate::model::error::ErrorKind::Internal,
                    crate::model::error::Doing::Connect,
                )
                .caused_by(&error)
            })?;
        Ok(Self { client })
    }

    /// The client itself.
    pub fn raw(&self) -> &reqwest::Client {
        &self.client
    }
}
