//! Each method of a client breaks down in its turn, and so does the making of one: each is told of and logged, and the
//! others go on.

use std::sync::Arc;

use async_trait::async_trait;
use labferry::engine::EngineOptions;
use labferry::engine::command::Command;
use labferry::engine::snapshot::{CheckState, Snapshot};
use labferry::model::batch::BatchDraft;
use labferry::model::connection::{Account, Connection, ConnectionDraft};
use labferry::model::error::Result;
use labferry::model::form::Form;
use labferry::model::ids::{ConnectionId, JobId, PipelineId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::meter::Meter;
use labferry::model::notice::About;
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::{Budget, FanOut, ProviderFacts};
use labferry::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::Http;
use labferry::net::commit_point::CommitPoint;
use labferry::net::keep::Keep;
use labferry::providers::{self, Entry, Profile, Provider, Secrets, biodock};

use super::{Bench, NUCLEI};
use crate::harness::{add_files, connect_analytics, describe, target, wait};

/// A client that works but for one method; which one is the label of its connection.
struct Brittle {
    inner: Arc<dyn Provider>,
    at: String,
}

impl Brittle {
    fn asked(&self, method: &str) {
        assert!(self.at != method, "planned breakdown in {method}");
    }
}

#[async_trait]
impl Provider for Brittle {
    async fn check(&self) -> Result<Account> {
        self.asked("check");
        self.inner.check().await
    }
    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        self.asked("pipelines");
        self.inner.pipelines().await
    }
    async fn form(&self, pipeline: &PipelineId) -> Result<Form> {
        self.asked("form");
        self.inner.form(pipeline).await
    }
    async fn browse(&self, query: &Query) -> Result<Page<StagedFile>> {
        self.asked("browse");
        self.inner.browse(query).await
    }
    async fn stage(&self, upload: &Upload, keep: &Keep, meter: &Meter) -> Result<StagedFile> {
        self.asked("stage");
        self.inner.stage(upload, keep, meter).await
    }
    async fn gather(&self, gathering: &Gathering) -> Result<Gathered> {
        self.inner.gather(gathering).await
    }
    async fn submit(
        &self,
        what: &Submission,
        at: &CommitPoint,
        meter: &Meter,
    ) -> Result<RemoteJob> {
        self.asked("submit");
        self.inner.submit(what, at, meter).await
    }
    async fn find(&self, lost: &Lost) -> Result<Found> {
        self.asked("find");
        self.inner.find(lost).await
    }
    async fn jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        self.asked("jobs");
        self.inner.jobs(query).await
    }
    async fn job(&self, id: &str) -> Result<ListedJob> {
        self.asked("job");
        self.inner.job(id).await
    }
    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        self.asked("status");
        self.inner.status(jobs).await
    }
    async fn cancel(&self, job: &RemoteJob) -> Result<()> {
        self.asked("cancel");
        self.inner.cancel(job).await
    }
    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        self.asked("outputs");
        self.inner.outputs(job).await
    }
    async fn link(&self, job: &RemoteJob, output: &Output) -> Result<Link> {
        self.asked("link");
        self.inner.link(job, output).await
    }
    fn budget(&self) -> Option<Budget> {
        self.inner.budget()
    }
}

fn no_profiles(_text: &str) -> Vec<Profile> {
    Vec::new()
}

/// Runs on a thread that may block.
fn brittle(connection: &Connection, secrets: &Secrets, http: &Http) -> Result<Arc<dyn Provider>> {
    assert!(
        connection.label != "connect",
        "planned breakdown in connect"
    );
    Ok(Arc::new(Brittle {
        inner: biodock::connect(connection, secrets, http)?,
        at: connection.label.clone(),
    }))
}

static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("brittle"),
    name: "Brittle",
    ..biodock::FACTS
};

static ENTRIES: &[Entry] = &[
    Entry {
        facts: &providers::analytics_automated::FACTS,
        connect: providers::analytics_automated::connect,
        profiles: no_profiles,
        simulator: &providers::analytics_automated::sim::SIMULATOR,
    },
    Entry {
        facts: &FACTS,
        connect: brittle,
        profiles: no_profiles,
        simulator: &biodock::sim::SIMULATOR,
    },
];

/// Saves a connection whose client breaks down there.
async fn connect(bench: &Bench, at: &str) -> ConnectionId {
    let addresses = bench.sandbox.addresses();
    let draft = ConnectionDraft {
        provider: ProviderId::from("brittle"),
        label: at.to_owned(),
        entries: [("url".to_owned(), addresses.entry("biodock", "url"))].into(),
    };
    let key = Secret::parse_key(&addresses.entry("biodock", "key")).unwrap();
    let secrets = vec![("key".to_owned(), key)];
    let command = Command::SaveConnection(draft, secrets);
    bench.engine.send(command).unwrap();
    let snapshot = wait(&bench.engine, at, |snapshot| {
        snapshot.connections.iter().any(|view| {
            let answered = matches!(view.check, CheckState::Good | CheckState::Bad(_));
            view.connection.label == at && answered
        })
    })
    .await;
    let mut views = snapshot.connections.iter();
    views
        .find(|view| view.connection.label == at)
        .unwrap()
        .connection
        .id
}

/// Sends the file of the draft.
async fn send(bench: &Bench, connection: ConnectionId, pipeline: &str) -> Option<JobId> {
    if bench.engine.snapshot().draft.files.is_empty() {
        add_files(&bench.engine, vec![bench.picture()]).await;
    }
    let target = target_of(bench, connection, pipeline);
    let snapshot = bench.engine.snapshot();
    let before = snapshot.batches.len();
    let view = snapshot.connection(connection).unwrap();
    let is_broken = view.connection.label == "form";
    let draft = BatchDraft {
        name: format!("Plate {connection:?}"),
        into: Some(bench.results()),
        targets: vec![target],
    };
    bench.engine.send(Command::SubmitBatch(draft)).unwrap();
    let snapshot = wait(&bench.engine, "the batch or a breakdown", |snapshot| {
        let refused = told_of(snapshot, "Prepare") && is_broken;
        snapshot.batches.len() > before || refused
    })
    .await;
    let jobs = snapshot.jobs.iter();
    jobs.map(|view| &view.job)
        .find(|job| job.connection == connection)
        .map(|job| job.id)
}

fn target_of(
    bench: &Bench,
    connection: ConnectionId,
    pipeline: &str,
) -> labferry::model::batch::Target {
    target(&bench.engine, connection, pipeline, FanOut::OnePerFile)
}

/// Whether a notice tells of a breakdown of this work.
fn told_of(snapshot: &Snapshot, work: &str) -> bool {
    snapshot.notices.iter().any(|notice| {
        notice.about == About::App
            && notice.words.what.contains("stopped unexpectedly")
            && notice
                .details
                .iter()
                .any(|(name, text)| name == "Work" && text.starts_with(work))
    })
}

async fn told(bench: &Bench, work: &str) {
    wait(&bench.engine, work, |snapshot| told_of(snapshot, work)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_down_is_told_of_and_the_others_go_on() {
    let bench = Bench::start(|options| EngineOptions {
        entries: ENTRIES,
        ..options
    })
    .await;
    // The making of a client: it says so at the connection.
    let id = connect(&bench, "connect").await;
    let snapshot = bench.engine.snapshot();
    let refused = About::Connection(id);
    assert!(
        snapshot
            .notices
            .iter()
            .any(|notice| notice.about == refused),
        "{}",
        describe(&snapshot)
    );
    for at in ["check", "pipelines"] {
        connect(&bench, at).await;
        told(&bench, "Ask").await;
    }
    for (at, work, ask) in [
        ("browse", "Browse", Command::Browse as fn(_, _) -> _),
        ("jobs", "ListJobs", Command::ListJobs as fn(_, _) -> _),
    ] {
        let id = connect(&bench, at).await;
        bench.engine.send(ask(id, Query::default())).unwrap();
        told(&bench, work).await;
    }
    let id = connect(&bench, "job").await;
    let command = Command::AdoptJob(id, "some job".to_owned());
    bench.engine.send(command).unwrap();
    told(&bench, "Recognize").await;

    for (at, work, end) in [
        ("form", "Prepare", None),
        ("stage", "Stage", Some(Stage::Failed)),
        ("find", "ReadBaseline", Some(Stage::Failed)),
        ("submit", "Submit", Some(Stage::Failed)),
        ("outputs", "ListOutputs", Some(Stage::Failed)),
        ("link", "Fetch", Some(Stage::Failed)),
        // Asked again and again; said once.
        ("status", "Poll", Some(Stage::Queued)),
    ] {
        let id = connect(&bench, at).await;
        let job = send(&bench, id, NUCLEI).await;
        told(&bench, work).await;
        let Some(stage) = end else { continue };
        let job = job.unwrap();
        wait(&bench.engine, at, |snapshot| {
            let mut jobs = snapshot.jobs.iter();
            jobs.any(|view| view.job.id == job && view.job.stage == stage)
        })
        .await;
    }
    // The others go on.
    let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
    let job = send(&bench, institute, "zipresults").await.unwrap();
    wait(&bench.engine, "the others", |snapshot| {
        let mut jobs = snapshot.jobs.iter();
        jobs.any(|view| view.job.id == job && view.job.stage == Stage::Done)
    })
    .await;
    let snapshot = bench.engine.snapshot();
    let polls = snapshot.notices.iter().filter(|notice| {
        let mut details = notice.details.iter();
        details.any(|(_, text)| text.starts_with("Poll"))
    });
    assert_eq!(polls.count(), 1, "{}", describe(&snapshot));
}
