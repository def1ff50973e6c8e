//! Biodock, the microscopy image analysis service: its facts and how a connection to it is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

mod client;
mod lists;
mod masks;
pub mod sim;
mod stage;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProgressKind, ProviderFacts,
};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::net::errors::usual_complaint;
use crate::providers::biodock::client::Client;
use crate::providers::{Provider, Secrets};

/// The documentation says 2 GB and not which; this is the smaller reading.
const MAX_FILE_BYTES: u64 = 2_000_000_000;

/// Our own politeness: the vendor states no limit.
const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 2,
    jobs_alive: None,
};

/// What the program knows about Biodock without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("biodock"),
    name: "Biodock",
    about: "Microscopy image analysis with pipelines you made and published on its website",
    nouns: Nouns {
        pipeline: "pipeline",
        job: "analysis job",
        input: "file",
    },
    connect_fields: &[
        ConnectField {
            name: "url",
            label: "Address",
            help: "Leave it as it is unless your institute has its own Biodock",
            kind: ConnectFieldKind::Url,
            required: true,
            default: "https://app.biodock.ai/api/external",
            presets: &[],
            part: "",
        },
        ConnectField {
            name: "key",
            label: "API key",
            help: "On Biodock's website under Settings, API; it gives access to all of your data there",
            kind: ConnectFieldKind::Key,
            required: true,
            default: "",
            presets: &[],
            part: "",
        },
    ],
    capabilities: Capabilities {
        intake: Intake::UploadFirst,
        intake_needs: None,
        max_file_bytes: Some(MAX_FILE_BYTES),
        refuses_empty_files: true,
        max_name_chars: 200,
        fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile],
        progress: ProgressKind::Percent,
        cancel: CancelKind::StopWatching,
        lost_submit: LostSubmit::Candidates,
        partial_results: false,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(5),
            usual: Duration::from_secs(5),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: Some(
            "Biodock may charge run credits for each analysis; one job with many images costs less than many jobs",
        ),
    },
    status_page: Some("https://biodock.statuspage.io/"),
    profiles: None,
};

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
