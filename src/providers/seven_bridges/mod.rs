//! Seven Bridges and its sisters, BioData Catalyst first: apps on files of a project. Its facts and how a connection to it
//! is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

mod client;
mod errors;
mod form;
mod lists;
mod outputs;
mod profiles;
pub mod sim;
mod site;
mod submit;
mod tasks;
mod upload;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProfilesFile, ProgressKind, ProviderFacts,
};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::complaint;
use crate::providers::{Profile, Provider, Secrets};

/// The vendor allows 1000 requests in five minutes; what is left is read from its answers.
const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 3,
    jobs_alive: None,
};

/// The sites, as label and address (the vendor's list of environments; the overview page of BioData Catalyst leaves
/// `/v2` away, its examples do not).
const SITES: &[(&str, &str)] = &[
    (
        "BioData Catalyst",
        "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2",
    ),
    ("Cancer Genomics Cloud", "https://cgc-api.sbgenomics.com/v2"),
    ("CAVATICA", "https://cavatica-api.sbgenomics.com/v2"),
    ("Seven Bridges (US)", "https://api.sbgenomics.com/v2"),
    ("Seven Bridges (EU)", "https://eu-api.sbgenomics.com/v2"),
    ("Seven Bridges (China)", "https://api.sevenbridges.cn/v2"),
];

/// What the program knows about Seven Bridges without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("seven-bridges"),
    name: "Seven Bridges",
    about: "Apps in your projects at BioData Catalyst, the Cancer Genomics Cloud, CAVATICA or Seven Bridges itself",
    nouns: Nouns {
        pipeline: "app",
        job: "task",
        input: "file",
    },
    connect_fields: &[
        ConnectField {
            default: "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2",
            presets: SITES,
            ..ConnectField::needed(
                "url",
                "Site",
                "Where your project is; or the address of another site",
                ConnectFieldKind::Url,
            )
        },
        ConnectField::needed(
            "key",
            "Authentication token",
            "On the site's page for developers, under Authentication token",
            ConnectFieldKind::Key,
        ),
        ConnectField::needed(
            "project",
            "Project",
            "Its owner and short name, such as john_doe/plate-7; test the connection to choose from a list",
            ConnectFieldKind::Place,
        ),
    ],
    capabilities: Capabilities {
        intake: Intake::UploadFirst,
        intake_needs: None,
        max_file_bytes: Some(5 * 1024 * 1024 * 1024 * 1024),
        refuses_empty_files: false,
        max_name_chars: 255,
        fan_outs: &[
            FanOut::BatchPerFile,
            FanOut::OnePerFile,
            FanOut::AllInOne,
            FanOut::BatchPerSample,
            FanOut::OnePerSample,
        ],
        progress: ProgressKind::Steps,
        cancel: CancelKind::Stops,
        lost_submit: LostSubmit::CanBeFound,
        partial_results: true,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(15),
            usual: Duration::from_secs(15),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: Some("Seven Bridges bills the project's billing group for each task"),
    },
    status_page: None,
    profiles: Some(ProfilesFile {
        path: ".sevenbridges/credentials",
        owner: "Seven Bridges",
    }),
};

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
