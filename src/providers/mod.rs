//! The analysis platforms: one folder each, one trait, one list.
//!
//! A platform's own words, wire formats and traps stay inside its folder. Streaming, retries of reads, politeness and
//! downloads are in `net`; when to do what is in `engine`.

pub mod analytics_automated;
pub mod biodock;
pub mod code_ocean;
pub mod seven_bridges;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::connection::{Account, Connection};
use crate::model::error::Result;
use crate::model::form::Form;
use crate::model::ids::{PipelineId, ProviderId};
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::{Budget, ProviderFacts};
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use crate::model::secret::Secret;
use crate::net::client::Http;
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::sandbox::simulator::Simulator;

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

    /// Uploads one file. Bytes are counted on `meter`; a file that changed since it was picked is an error. What a later
    /// attempt needs to go on where this one stopped is journalled through `keep`.
    async fn stage(&self, upload: &Upload, keep: &Keep, meter: &Meter) -> Result<StagedFile>;

    /// Makes one input of files in the person's bucket, or says how far that is; asked again until it is ready. An input
    /// made by an earlier attempt is found again and not made twice.
    async fn gather(&self, gathering: &Gathering) -> Result<Gathered>;

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
    async fn find(&self, lost: &Lost) -> Result<Found>;

    /// Jobs at the platform, newest first, ours and others'.
    async fn jobs(&self, query: &Query) -> Result<Page<ListedJob>>;

    /// A job by its identifier, or by the address of its page in a browser.
    async fn job(&self, id: &str) -> Result<ListedJob>;

    /// How these jobs stand, in the same order. The outer error is about all of them, an inner one about one.
    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>>;

    /// Ends a job.
    async fn cancel(&self, job: &RemoteJob) -> Result<()>;

    /// What the job offers, as far as it is known now.
    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>>;

    /// Where an output can be fetched right now; asks for it first where it is made on request.
    async fn link(&self, job: &RemoteJob, output: &Output) -> Result<Link>;

    /// What is left of the requests the platform allows, as its last answer said; asks nothing.
    fn budget(&self) -> Option<Budget>;
}

/// The secrets of a connection, by field name.
pub type Secrets = BTreeMap<String, Secret>;

/// What the program knows about a platform without a connection.
pub struct Entry {
    /// Its facts.
    pub facts: &'static ProviderFacts,
    /// Makes a client for a connection; refuses an address or options that cannot work.
    pub connect: fn(&Connection, &Secrets, &Http) -> Result<Arc<dyn Provider>>,
    /// Reads another program's file of this platform's keys ([`ProviderFacts::profiles`]); nothing where there is none.
    pub profiles: fn(&str) -> Vec<Profile>,
    /// Its simulator in the sandbox.
    pub simulator: &'static Simulator,
}

/// Address and key under a name, out of another program's file.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name.
    pub name: String,
    /// Entries of the connection form, by field name.
    pub entries: BTreeMap<String, String>,
    /// Its secrets.
    pub secrets: Secrets,
}

/// Every platform, in the order shown.
pub const ALL: &[Entry] = &[
    Entry {
        facts: &biodock::FACTS,
        connect: biodock::connect,
        profiles: no_profiles,
        simulator: &biodock::sim::SIMULATOR,
    },
    Entry {
        facts: &code_ocean::FACTS,
        connect: code_ocean::connect,
        profiles: no_profiles,
        simulator: &code_ocean::sim::SIMULATOR,
    },
    Entry {
        facts: &seven_bridges::FACTS,
        connect: seven_bridges::connect,
        profiles: seven_bridges::profiles,
        simulator: &seven_bridges::sim::SIMULATOR,
    },
    Entry {
        facts: &analytics_automated::FACTS,
        connect: analytics_automated::connect,
        profiles: no_profiles,
        simulator: &analytics_automated::sim::SIMULATOR,
    },
];

/// For platforms without such a file.
const fn no_profiles(_text: &str) -> Vec<Profile> {
    Vec::new()
}

/// The entry of a platform.
pub fn entry(provider: &ProviderId) -> Option<&'static Entry> {
    ALL.iter().find(|entry| &entry.facts.id == provider)
}
