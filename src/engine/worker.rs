//! One piece of work, from start to end: one async function each, read top to bottom. Workers own nothing shared.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use crate::engine::connect;
use crate::engine::draft::{self, Forms};
use crate::engine::event::{DraftRequest, Event, Prepared, Work, WorkKey};
use crate::engine::keys::Keys;
use crate::engine::profiles;
use crate::engine::scan;
use crate::engine::sheet;
use crate::engine::snapshot::KeyringState;
use crate::engine::transfer::{self, Errand};
use crate::model::batch::Finding;
use crate::model::connection::{Connection, KeyState};
use crate::model::error::{Doing, Error, ErrorKind, Result, system_words};
use crate::model::ids::{ConnectionId, FileId, JobId, Tag};
use crate::model::meter::Meter;
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::provider::{Budget, ProviderFacts};
use crate::model::remote::{Found, JobReport, Lost, RemoteJob, StagedFile, Submission, Upload};
use crate::net::client::{Http, NetOptions};
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::providers::{Entry, Provider};
use crate::results::{names, receipt};

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

/// Does a piece of work that needs no client of a platform.
pub(super) async fn work_alone(work: Work, tools: Toolbox, meter: Meter) -> Outcome {
    match work {
        Work::Scan { paths, known } => {
            match blocking(move || scan::scan(&paths, &known)).await {
                Ok(found) => Event::Scanned(found).into(),
                // Said aloud: files that were picked must not vanish in silence.
                Err(error) => Event::Broke(WorkKey::Scan(0), error.to_string()).into(),
            }
        }
        Work::ReadSheet(path) => {
            let wanted = path.clone();
            let sheet = blocking(move || sheet::read(&path)).await;
            let broke = |_broke| Err("The table could not be read".to_owned());
            Event::SheetRead(wanted, sheet.unwrap_or_else(broke)).into()
        }
        Work::PrepareAdoption {
            connection,
            listed,
            results_folder,
            folder,
        } => {
            let made = blocking(move || {
                draft::make_folder(&results_folder, &names::clean(&folder))
                    .map_err(|error| Error::from_io(&error, Doing::WriteReceipt))
            });
            Event::AdoptionPrepared(connection, listed, flatten(made.await)).into()
        }
        Work::ReadProfiles(provider) => {
            let wanted = provider.clone();
            let names = blocking(move || profiles::names(&provider, &tools)).await;
            Event::ProfilesRead(wanted, names.unwrap_or_else(|_broke| Err(Words::default()))).into()
        }
        Work::Check(request) => Event::Checked(check(request, tools).await).into(),
        Work::Prepare(request) => Event::Prepared(prepare(request, tools).await).into(),
        Work::StoreConnection {
            draft,
            secrets,
            profile,
            replaces: _,
            id,
            vault_name,
        } => {
            let wanted = draft.clone();
            let stored = blocking(move || {
                let entry = connect::entry_of(tools.entries, &draft.provider)?;
                let (draft, secrets) = match profile {
                    Some(name) => profiles::filled_in(draft, &name, entry, &tools)?,
                    None => (draft, secrets),
                };
                let connection = connect::validate(
                    &draft,
                    &secrets,
                    entry.facts,
                    id,
                    vault_name,
                    connect::Purpose::Save,
                )?;
                let state = tools.keys.store(&connection.vault_name, &secrets)?;
                Ok((connection, state))
            });
            Event::ConnectionStored(wanted, flatten(stored.await)).into()
        }
        Work::Try {
            draft,
            secrets,
            profile,
        } => {
            let made =
                blocking(move || profiles::trial_client(draft, secrets, profile, &tools)).await;
            let account = match flatten(made) {
                Ok(client) => client.check().await,
                Err(error) => Err(error),
            };
            Event::Tried(account).into()
        }
        Work::Connect(connection) => connect(connection, tools).await,
        Work::ProbeKeyring => {
            let found = blocking(move || tools.keys.probe()).await;
            Event::KeyringProbed(found.unwrap_or(KeyringState::Absent)).into()
        }
        Work::CheckFolder(folder) => check_folder(folder).await.into(),
        Work::Unpack {
            artifact,
            archive,
            into,
            below,
            keep_archive,
        } => {
            let unpacked =
                blocking(move || transfer::unpack(&archive, &into, &below, keep_archive, &meter));
            Event::Unpacked(artifact, flatten(unpacked.await)).into()
        }
        Work::WriteReceipt {
            batch,
            finishing,
            folder,
            spent,
            receipt,
        } => {
            let written = blocking(move || {
                transfer::remove_spent(&spent)?;
                let receipt = transfer::with_earlier(&folder, *receipt);
                receipt::write(&folder, &receipt).map_err(|error| {
                    Error::from_io(&std::io::Error::from(error), Doing::WriteReceipt)
                })
            });
            Event::ReceiptWritten(batch, finishing, flatten(written.await)).into()
        }
        Work::Ask(_)
        | Work::ReadForm(..)
        | Work::Browse(..)
        | Work::ListJobs(..)
        | Work::Recognize(..)
        | Work::Gather { .. }
        | Work::Stage { .. }
        | Work::ReadBaseline(..)
        | Work::Submit { .. }
        | Work::LookUp { .. }
        | Work::Poll(..)
        | Work::Cancel(..)
        | Work::ListOutputs(..)
        | Work::Fetch { .. } => Event::Tick.into(),
    }
}

async fn connect(connection: Connection, tools: Toolbox) -> Outcome {
    let id = connection.id;
    let made =
        blocking(move || connect::client(&connection, &tools.keys, &tools.http, tools.entries));
    let (state, client) = made
        .await
        .unwrap_or_else(|error| (KeyState::Missing, Err(error)));
    let (client, outcome) = match client {
        Ok(client) => (Some((id, client)), Ok(())),
        Err(error) => (None, Err(error)),
    };
    Outcome {
        event: Event::Connected(id, state, outcome),
        client,
        budget: None,
    }
}

async fn check_folder(folder: PathBuf) -> Event {
    let wanted = folder.clone();
    let checked = blocking(move || {
        receipt::check(&folder)
            .map_err(|error| Error::from_io(&error, Doing::Preview).hint(system_words(&error)))
    });
    Event::FolderChecked(wanted, flatten(checked.await))
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
            target,
        } => {
            let errand = Errand {
                job: &job,
                output: &output,
                target: &target,
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

async fn check(request: DraftRequest, tools: Toolbox) -> Vec<Finding> {
    let forms = forms(&request, &tools).await;
    let found = blocking(move || draft::findings(&request, &forms, &tools.facts)).await;
    found.unwrap_or_default()
}

async fn prepare(
    request: DraftRequest,
    tools: Toolbox,
) -> std::result::Result<Prepared, Vec<Finding>> {
    let forms = forms(&request, &tools).await;
    let prepared = blocking(move || draft::prepare(&request, &forms, &tools.facts)).await;
    prepared.unwrap_or_else(|_broke| Err(Vec::new()))
}

/// The forms of all targets: known ones, else asked for now.
async fn forms(request: &DraftRequest, tools: &Toolbox) -> Forms {
    let mut forms = Forms::new();
    for target in &request.draft.targets {
        let key = (target.connection, target.pipeline.id.clone());
        if let Some(known) = request.forms.get(&key) {
            forms.push(Ok(known.clone()));
            continue;
        }
        let Some(connection) = request.connections.get(&target.connection).cloned() else {
            forms.push(Err(String::new()));
            continue;
        };
        let label = connection.label.clone();
        let client = if let Some(client) = tools.clients.get(&target.connection) {
            Ok(client.clone())
        } else {
            let tools = tools.clone();
            flatten(
                blocking(move || {
                    connect::client(&connection, &tools.keys, &tools.http, tools.entries).1
                })
                .await,
            )
        };
        let form = match client {
            Ok(client) => client.form(&target.pipeline.id).await,
            Err(error) => Err(error),
        };
        forms.push(form.map_err(|error| {
            let subject = Subject {
                provider: "The platform",
                connection: &label,
                name: &target.pipeline.name,
            };
            explain(&error, subject, Did::NothingSent).sentence()
        }));
    }
    forms
}

/// Runs blocking code aside; a panic in it becomes an error.
pub(super) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    spawn_blocking(act)
        .await
        .map_err(|broke| Error::new(ErrorKind::Internal, Doing::ReadFile).caused_by(&broke))
}

fn flatten<T>(nested: Result<Result<T>>) -> Result<T> {
    nested.and_then(|inner| inner)
}
