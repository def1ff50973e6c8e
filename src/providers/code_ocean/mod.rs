//! Code Ocean: capsules and pipelines on data assets. Its facts and how a connection to it is made.
//!
//! What its documentation says, and what nobody here could try, is in `notes.md` beside this file.

mod address;
mod asset;
mod bucket;
mod bucket_answers;
mod client;
mod form;
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
use crate::providers::code_ocean::address::{interface_of, token_of};
use crate::providers::code_ocean::bucket::Bucket;
use crate::providers::code_ocean::client::Client;
use crate::providers::{Provider, Secrets};

/// Our own politeness: the vendor documents a 429 and no number.
const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 2,
    jobs_alive: None,
};

/// Title of the part of the connection form about the person's own bucket.
const BUCKET: &str = "Staging bucket";

/// What the program knows about Code Ocean without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("code-ocean"),
    name: "Code Ocean",
    about: "Capsules and pipelines that run on data assets, at codeocean.com or your institute's own domain",
    nouns: Nouns {
        pipeline: "capsule or pipeline",
        job: "computation",
        input: "data asset",
    },
    connect_fields: &[
        ConnectField::needed(
            "url",
            "Domain",
            "The address in your browser when you use Code Ocean, such as https://acme.codeocean.com",
            ConnectFieldKind::Url,
        ),
        ConnectField::needed(
            "key",
            "Access token",
            "Made under Account, Access Tokens; it needs Capsule read/write and Data Asset read/write",
            ConnectFieldKind::Key,
        ),
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "bucket",
                "Bucket",
                "Files of this computer reach Code Ocean through an S3 bucket of yours that it may read",
                ConnectFieldKind::Text,
            )
        },
        ConnectField {
            part: BUCKET,
            default: "us-east-1",
            ..ConnectField::needed(
                "bucket_region",
                "Region",
                "Where the bucket is, such as eu-central-1",
                ConnectFieldKind::Text,
            )
        },
        ConnectField {
            required: false,
            part: BUCKET,
            ..ConnectField::needed(
                "bucket_endpoint",
                "Endpoint",
                "Only for storage that is not Amazon's own, such as https://s3.example.org",
                ConnectFieldKind::Url,
            )
        },
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "access_key",
                "Access key id",
                "Of a user who may write into the bucket",
                ConnectFieldKind::Key,
            )
        },
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "secret_key",
                "Secret access key",
                "Belongs to the access key id",
                ConnectFieldKind::Key,
            )
        },
    ],
    capabilities: Capabilities {
        intake: Intake::ThroughBucket,
        intake_needs: Some("bucket"),
        max_file_bytes: None,
        refuses_empty_files: false,
        max_name_chars: 200,
        fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile, FanOut::OnePerSample],
        progress: ProgressKind::Phases,
        cancel: CancelKind::StopsAndDeletes,
        lost_submit: LostSubmit::OneThatFits,
        partial_results: true,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(10),
            usual: Duration::from_secs(10),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: None,
    },
    status_page: None,
    profiles: None,
};

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
