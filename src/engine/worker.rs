//! One piece of work, from start to end: one async function each, read top to bottom. Workers own nothing shared.

mod alone;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::engine::event::{Event, Work};
use crate::engine::keys::Keys;
use crate::engine::place::Writes;
use crate::engine::transfer::{self, Errand};
pub(super) use crate::engine::worker::alone::work_alone;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::{ConnectionId, FileId, JobId, Tag};
use crate::model::meter::Meter;
use crate::model::provider::{Budget, ProviderFacts};
use crate::model::remote::{Found, JobReport, Lost, RemoteJob, StagedFile, Submission, Upload};
use crate::net::client::{Http, NetOptions};
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::providers::{Entry, Provider};

/// What every worker may use. Cloning shares it.
#[derive(Clone)]
pub(super) struct Toolbox {
    /// The way to the network.
    pub http: Http,
    /// What it was made from, before the settings.
    pub net: NetOptions,
    /// The places of secrets.
    pub keys: Keys,
    /// All platforms there are.
    pub entries: &'static [Entry],
    /// The person's home folder, where other programs keep their files of keys.
    pub home: Option<PathBuf>,
    /// Their facts.
    pub facts: Arc<[&'static ProviderFacts]>,
    /// Where the journal is.
    pub data_folder: PathBuf,
    /// Counts what is written.
    pub writes: Writes,
    /// Clients made so far.
    pub clients: BTreeMap<ConnectionId, Arc<dyn Provider>>,
    /// Questions that have to be answered while work goes on.
    pub questions: mpsc::Sender<Question>,
}

/// Asked by a worker in the middle of its work.
pub(super) enum Question {
    /// This submission is about to become irrevocable; answered when that is in the journal.
    MayCommit(JobId, Option<RemoteJob>, oneshot::Sender<()>),
    /// This is to be remembered of an upload; answered when it is in the journal.
    MayKeep(ConnectionId, FileId, String, oneshot::Sender<()>),
}

/// What a piece of work ended with.
pub(super) struct Outcome {
    /// What happened.
    pub event: Event,
    /// A client that was made.
    pub client: Option<(ConnectionId, Arc<dyn Provider>)>,
    /// What is left of the requests a platform allows.
    pub budget: Option<(ConnectionId, Budget)>,
}

impl From<Event> for Outcome {
    fn from(event: Event) -> Self {
        Self {
            event,
            client: None,
            budget: None,
        }
    }
}

/// Does a piece of work over a connection, and looks what is left of the requests the platform allows.
pub(super) async fn work_over(
    connection: ConnectionId,
    work: Work,
    client: Arc<dyn Provider>,
    tools: Toolbox,
    meter: Meter,
) -> Outcome {
    let event = work_with(work, client.clone(), tools, meter).await;
    Outcome {
        budget: client.budget().map(|budget| (connection, budget)),
        ..Outcome::from(event)
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
async fn work_with(work: Work, client: Arc<dyn Provider>, tools: Toolbox, meter: Meter) -> Event {
    match work {
        Work::Ask(id) => {
            let account = client.check().await;
            let pipelines = match &account {
                Ok(_) => Some(client.pipelines().await),
                Err(_) => None,
            };
            Event::Asked(id, account, pipelines)
        }
        Work::ReadForm(id, pipeline) => {
            let form = client.form(&pipeline).await;
            Event::FormRead(id, pipeline, form)
        }
        Work::Stage {
            connection,
            file,
            upload,
            kept,
        } => {
            let outcome = stage(
                (connection, file),
                &upload,
                kept,
                client.as_ref(),
                &tools,
                &meter,
            );
            Event::Staged(connection, file, outcome.await)
        }
        Work::Gather {
            connection: _,
            job,
            gathering,
        } => Event::Gathered(job, client.gather(&gathering).await),
        Work::Browse(id, query) => {
            let page = client.browse(&query).await;
            Event::Browsed(id, query, page)
        }
        Work::ListJobs(id, query) => {
            let page = client.jobs(&query).await;
            Event::JobsListed(id, query, page)
        }
        Work::Recognize(id, text) => {
            let job = client.job(&text).await;
            Event::Recognized(id, text, job)
        }
        Work::ReadBaseline(_, job) => Event::BaselineRead(job, baseline(client.as_ref()).await),
        Work::Submit {
            connection: _,
            job,
            submission,
        } => Event::Submitted(
            job,
            submit(job, &submission, client.as_ref(), &tools, &meter).await,
        ),
        Work::LookUp {
            connection: _,
            job,
            lost,
        } => Event::LookedUp(job, client.find(&lost).await),
        Work::Poll(connection, jobs) => {
            Event::Polled(connection, poll(&jobs, client.as_ref()).await)
        }
        Work::Cancel(_, job, remote) => Event::CancelAnswered(job, client.cancel(&remote).await),
        Work::ListOutputs(_, job, remote) => {
            Event::OutputsListed(job, client.outputs(&remote).await)
        }
        Work::Fetch {
            connection: _,
            job,
            artifact,
            output,
            batch_folder,
            target,
        } => {
            let errand = Errand {
                job: &job,
                output: &output,
                batch_folder: &batch_folder,
                target: &target,
                writes: &tools.writes,
                client: client.as_ref(),
                http: &tools.http,
                meter: &meter,
            };
            transfer::fetch(artifact, errand).await
        }
        Work::Scan { .. }
        | Work::Check(_)
        | Work::Prepare(_)
        | Work::StoreConnection { .. }
        | Work::ReadSheet(_)
        | Work::PrepareAdoption { .. }
        | Work::ReadProfiles(_)
        | Work::Try { .. }
        | Work::Connect(_)
        | Work::ProbeKeyring
        | Work::CheckFolder(_)
        | Work::Unpack { .. }
        | Work::WriteReceipt { .. } => Event::Tick,
    }
}

/// What stands on the platform's list before a submission, so that what is new after it can be told.
async fn baseline(client: &dyn Provider) -> Result<Vec<String>> {
    // No job carries this tag: the whole list comes back.
    let nothing = Lost::of_tag(Tag::from("lf-none"));
    Ok(match client.find(&nothing).await? {
        Found::Job(job) => vec![job.id],
        Found::Perhaps(jobs) => jobs.into_iter().map(|job| job.id).collect(),
        Found::Nothing => Vec::new(),
    })
}

/// Uploads, with the journal asked to remember what the client wants remembered.
async fn stage(
    (connection, file): (ConnectionId, FileId),
    upload: &Upload,
    kept: Option<String>,
    client: &dyn Provider,
    tools: &Toolbox,
    meter: &Meter,
) -> Result<StagedFile> {
    let (keep, mut wishes) = Keep::new(kept);
    let questions = tools.questions.clone();
    let pass_on = async move {
        while let Some((text, answer)) = wishes.recv().await {
            let question = Question::MayKeep(connection, file, text, answer);
            if questions.send(question).await.is_err() {
                tracing::info!("the engine is closing; the upload stops");
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = client.stage(upload, &keep, meter) => outcome,
        () = pass_on => Err(Error::new(ErrorKind::Internal, Doing::Upload)),
    }
}

/// Submits, with the journal asked at the point of no return.
async fn submit(
    job: JobId,
    submission: &Submission,
    client: &dyn Provider,
    tools: &Toolbox,
    meter: &Meter,
) -> Result<RemoteJob> {
    let (commit, mut requests) = CommitPoint::new();
    let questions = tools.questions.clone();
    let ask = async move {
        if let Some((draft, answer)) = requests.recv().await
            && questions
                .send(Question::MayCommit(job, draft, answer))
                .await
                .is_err()
        {
            tracing::info!(
                job = job.0,
                "the engine is closing; the submission is held back"
            );
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = client.submit(submission, &commit, meter) => outcome,
        () = ask => Err(Error::new(ErrorKind::Internal, Doing::Submit)),
    }
}

async fn poll(
    jobs: &[(JobId, RemoteJob)],
    client: &dyn Provider,
) -> Result<Vec<(JobId, Result<JobReport>)>> {
    let remote: Vec<RemoteJob> = jobs.iter().map(|(_, remote)| remote.clone()).collect();
    let reports = client.status(&remote).await?;
    Ok(jobs.iter().map(|(job, _)| *job).zip(reports).collect())
}

/// Runs blocking code aside; a panic in it becomes an error.
pub(super) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    spawn_blocking(act).await.map_err(|broke| {
        tracing::error!(%broke, "a thread broke down");
        Error::new(ErrorKind::Internal, Doing::ReadFile).caused_by(&broke)
    })
}

fn flatten<T>(nested: Result<Result<T>>) -> Result<T> {
    nested.and_then(|inner| inner)
}
