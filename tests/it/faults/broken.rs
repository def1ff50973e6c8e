//! A platform whose client breaks down.

use std::sync::Arc;

use async_trait::async_trait;
use labferry::engine::command::Command;
use labferry::model::connection::{Account, Connection, ConnectionDraft};
use labferry::model::error::{Doing, Error, Result};
use labferry::model::form::Form;
use labferry::model::ids::{PipelineId, ProviderId};
use labferry::model::meter::Meter;
use labferry::model::notice::About;
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::{Budget, ProviderFacts};
use labferry::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::Http;
use labferry::net::commit_point::CommitPoint;
use labferry::net::keep::Keep;
use labferry::providers::{self, Entry, Profile, Provider, Secrets};

use crate::faults::bench::{Bench, assert_says_three_things, notices_about};
use crate::harness::{address, wait};

/// A client that breaks down whenever it is asked something.
struct Broken;

#[async_trait]
impl Provider for Broken {
    async fn check(&self) -> Result<Account> {
        panic!("index out of bounds")
    }
    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn form(&self, _pipeline: &PipelineId) -> Result<Form> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn browse(&self, _query: &Query) -> Result<Page<StagedFile>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn stage(&self, _upload: &Upload, _keep: &Keep, _: &Meter) -> Result<StagedFile> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn gather(&self, _gathering: &Gathering) -> Result<Gathered> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn submit(&self, _: &Submission, _: &CommitPoint, _: &Meter) -> Result<RemoteJob> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn jobs(&self, _query: &Query) -> Result<Page<ListedJob>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn job(&self, _id: &str) -> Result<ListedJob> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn find(&self, _lost: &Lost) -> Result<Found> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn status(&self, _jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn cancel(&self, _job: &RemoteJob) -> Result<()> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn outputs(&self, _job: &RemoteJob) -> Result<Vec<Output>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn link(&self, _job: &RemoteJob, _output: &Output) -> Result<Link> {
        Err(Error::unsupported(Doing::Connect))
    }
    fn budget(&self) -> Option<Budget> {
        None
    }
}

fn no_profiles(_text: &str) -> Vec<Profile> {
    Vec::new()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape every platform's has")]
fn broken(_: &Connection, _: &Secrets, _: &Http) -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(Broken))
}

static BROKEN_FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("broken"),
    name: "Broken",
    ..providers::analytics_automated::FACTS
};

static WITH_BROKEN: &[Entry] = &[
    Entry {
        facts: &providers::analytics_automated::FACTS,
        connect: providers::analytics_automated::connect,
        profiles: no_profiles,
        simulator: &providers::analytics_automated::sim::SIMULATOR,
    },
    Entry {
        facts: &BROKEN_FACTS,
        connect: broken,
        profiles: no_profiles,
        simulator: &providers::analytics_automated::sim::SIMULATOR,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_breaks_down_is_told_of_and_stops_nobody_else() {
    let bench = Bench::with(WITH_BROKEN, 40.0).await;
    let draft = ConnectionDraft {
        provider: ProviderId::from("broken"),
        label: "Broken".to_owned(),
        entries: [
            (
                "url".to_owned(),
                address(&bench.sandbox, "analytics_automated", "url"),
            ),
            ("email".to_owned(), "someone@example.org".to_owned()),
        ]
        .into(),
    };
    let none: Vec<(String, Secret)> = Vec::new();
    bench.command(Command::SaveConnection(draft, none));
    let snapshot = wait(&bench.engine, "the notice", |snapshot| {
        notices_about(snapshot, About::App).len() == 1
    })
    .await;
    assert_says_three_things(notices_about(&snapshot, About::App)[0]);
    bench.institute("wordcount", 2).await;
    bench.all_done().await;
    assert_eq!(bench.count("aa.submit"), 2);
}
