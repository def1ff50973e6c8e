//! The analysis platforms: one folder each, one trait, one list.
//!
//! A platform's own words, wire formats and traps stay inside its folder. Streaming, retries of reads, politeness and
//! downloads are in `net`; when to do what is in `engine`.

pub mod analytics_automated;
pub mod biodock;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::connection::{Account, Connection};
use crate::model::error::Result;
use crate::model::form::Form;
use crate::model::ids::{PipelineId, ProviderId, Tag};
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::ProviderFacts;
use crate::model::remote::{
    Found, JobReport, Link, Output, Page, Query, RemoteJob, StagedFile, Submission, Upload,
};
use crate::model::secret::Secret;
use crate::net::client::Http;
use crate::net::commit_point::CommitPoint;

/// One platform behind one connection. About one vendor call a method, and no default bodies:
/// what a platform cannot do returns [`crate::model::error::Error::unsupported`] and sends nothing.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Asks whether the key works and whose it is.
    async fn check(&self) -> Result<Account>;

    /// All pipelines the account can run, sorted as the platform sorts them.
    async fn pipelines(&self) -> Result<Vec<Pipeline>>;

    /// The settings a pipeline takes.
    async fn form(&self, pipeline: &PipelineId) -> Result<Form>;

    /// Inputs that are already at the platform.
    async fn browse(&self, query: &Query) -> Result<Page<StagedFile>>;

    /// Uploads one file. Bytes are counted on `meter`; a file that changed since it was picked is an error.
    async fn stage(&self, upload: &Upload, meter: &Meter) -> Result<StagedFile>;

    /// Makes one job. `commit` is passed right before the first moment at which the platform could act on the request
    /// (before a small request leaves, before the last block of a streamed body); what fails earlier is safe to repeat.
    /// Never repeated from inside.
    async fn submit(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
        meter: &Meter,
    ) -> Result<RemoteJob>;

    /// Looks for a submission whose answer was lost.
    async fn find(&self, tag: &Tag) -> Result<Found>;

    /// How these jobs stand, in the same order. The outer error is about all of them, an inner one about one.
    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>>;

    /// Ends a job.
    async fn cancel(&self, job: &RemoteJob) -> Result<()>;

    /// What the job offers, as far as it is known now.
    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>>;

    /// Where an output can be fetched right now; asks for it first where it is made on request.
    async fn link(&self, job: &RemoteJob, output: &Output) -> Result<Link>;
}

/// The secrets of a connection, by field name.
pub type Secrets = BTreeMap<String, Secret>;

/// What the program knows about a platform without a connection.
pub struct Entry {
    /// Its facts.
    pub facts: &'static ProviderFacts,
    /// Makes a client for a connection; refuses an address or options that cannot work.
    pub connect: fn(&Connection, &Secrets, &Http) -> Result<Arc<dyn Provider>>,
}

/// Every platform, in the order shown.
pub const ALL: &[Entry] = &[
    Entry {
        facts: &biodock::FACTS,
        connect: biodock::connect,
    },
    Entry {
        facts: &analytics_automated::FACTS,
        connect: analytics_automated::connect,
    },
];

/// The entry of a platform.
pub fn entry(provider: &ProviderId) -> Option<&'static Entry> {
    ALL.iter().find(|entry| &entry.facts.id == provider)
}
