//! The provider methods for Code Ocean: each says which part of the client answers it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;

use crate::model::connection::Account;
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::form::Form;
use crate::model::ids::PipelineId;
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::Budget;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use crate::net::api::Api;
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::providers::Provider;
use crate::providers::code_ocean::address::{Runnable, uuid_in};
use crate::providers::code_ocean::bucket::Bucket;
use crate::providers::code_ocean::form::{form_of, free_form};
use crate::providers::code_ocean::panel::Panel;
use crate::providers::code_ocean::wire;
use crate::providers::code_ocean::wire::{Capsule, Search};

/// Capsules and pipelines whose runs are listed for one page.
const RUNNABLES_A_PAGE: usize = 8;

/// One account behind one connection.
#[derive(Debug)]
pub(super) struct Client {
    api: Api,
    bucket: Option<Bucket>,
    /// How the platform calls the storage of the bucket, where it is not Amazon's.
    endpoint_name: Option<String>,
    memory: Mutex<Memory>,
}

/// What is worth knowing until the program ends; everything works without it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What typed identifiers stand for.
    pub(super) resolved: BTreeMap<String, Runnable>,
    /// The number of a capsule's page in the browser, by its id.
    pub(super) slugs: BTreeMap<String, String>,
    /// How many runs the list of a capsule or pipeline had last.
    pub(super) list_lengths: BTreeMap<String, usize>,
}

impl Client {
    pub(super) const fn new(
        api: Api,
        bucket: Option<Bucket>,
        endpoint_name: Option<String>,
    ) -> Self {
        Self {
            api,
            bucket,
            endpoint_name,
            memory: Mutex::new(Memory {
                resolved: BTreeMap::new(),
                slugs: BTreeMap::new(),
                list_lengths: BTreeMap::new(),
            }),
        }
    }

    pub(super) const fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn bucket(&self) -> Result<&Bucket> {
        self.bucket.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, Doing::Upload).hint(
                "Files of this computer reach Code Ocean through a bucket of yours; add one to the connection, or choose a data asset that is there already",
            )
        })
    }

    pub(super) fn endpoint_name(&self) -> Option<&str> {
        self.endpoint_name.as_deref()
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runs of some of the most recently used capsules and pipelines: there is no list of all runs.
    async fn recent_runs(&self, query: &Query) -> Result<Page<ListedJob>> {
        let runnables = self.runnables(Doing::Browse).await?;
        let from: usize = query
            .cursor
            .as_deref()
            .and_then(|cursor| cursor.parse().ok())
            .unwrap_or_default();
        let mut items = Vec::new();
        let total = runnables.len();
        for (kind, entry) in runnables.into_iter().skip(from).take(RUNNABLES_A_PAGE) {
            let runnable = entry.runnable(kind);
            let pipeline = entry.into_model(kind);
            let runs = match self.runs_of(&runnable, Doing::Browse).await {
                Ok((runs, _headers)) => runs,
                // One that may not be looked into hides nobody else's runs.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            items.extend(
                runs.iter()
                    .map(|run| self.listed_job(run, Some(pipeline.clone()))),
            );
        }
        if let Some(words) = query.words.as_deref() {
            let words = words.to_lowercase();
            items.retain(|job| {
                let text = format!("{} {} {}", job.name, job.pipeline.name, job.remote.id);
                words
                    .split_whitespace()
                    .all(|word| text.to_lowercase().contains(word))
            });
        }
        items.sort_by_key(|job| std::cmp::Reverse(job.created));
        let next = from.saturating_add(RUNNABLES_A_PAGE);
        Ok(Page {
            items,
            next: (next < total).then(|| next.to_string()),
        })
    }
}

/// Which right of the token a call needs, for whoever gave it too few.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Capsule,
    Form,
    Run,
    DeleteRun,
    Assets,
    MakeAsset,
}

impl Scope {
    /// Says which right is missing where one may be.
    pub(super) fn explain(self, error: Error) -> Error {
        if error.kind() != ErrorKind::Forbidden || error.failure().hint.is_some() {
            return error;
        }
        error.hint(match self {
            Self::Capsule => {
                "The access token needs the scope Capsule read, and your account access to this capsule or pipeline"
            }
            Self::Form => {
                "The access token needs the scope Capsule read; the same is said where the file of the app panel in the capsule's repository is damaged"
            }
            Self::Run => {
                "The access token needs the scopes Capsule read/write and Data Asset read, and your account access to the capsule and its data"
            }
            Self::DeleteRun => "The access token needs the scope Capsule read/write",
            Self::Assets => "The access token needs the scope Data Asset read",
            Self::MakeAsset => "The access token needs the scope Data Asset read/write",
        })
    }
}

#[async_trait]
impl Provider for Client {
    /// The service has no call that says whose a token is; any call says whether it is good.
    async fn check(&self) -> Result<Account> {
        let search = Search {
            limit: 1,
            ..Search::default()
        };
        let _found: wire::Found<Capsule> = self
            .page("capsules", &search, Scope::Capsule, Doing::CheckKey)
            .await?;
        Ok(Account {
            name: self.api.base().host_str().unwrap_or_default().to_owned(),
            checked: Timestamp::now(),
            places: Vec::new(),
        })
    }

    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        self.list().await
    }

    async fn form(&self, pipeline: &PipelineId) -> Result<Form> {
        let doing = Doing::ReadForm;
        let runnable = self.resolve(pipeline, doing).await?;
        let version = runnable.version.map(|version| version.to_string());
        let query: Vec<(&str, &str)> = version
            .as_deref()
            .map(|version| ("version", version))
            .into_iter()
            .collect();
        let path = [runnable.kind.path(), runnable.id.as_str(), "app_panel"];
        match self.api.get_json::<Panel>(&path, &query, doing).await {
            Ok(panel) => Ok(form_of(&panel, runnable.kind)),
            // This says that there is no panel, or that there is no such capsule.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let path = [runnable.kind.path(), runnable.id.as_str()];
                let there = self.api.get_json::<Capsule>(&path, &[], doing).await;
                match there {
                    Ok(_there) => Ok(free_form(runnable.kind)),
                    Err(error) => Err(Scope::Form.explain(error)),
                }
            }
            Err(error) => Err(Scope::Form.explain(error)),
        }
    }

    async fn browse(&self, query: &Query) -> Result<Page<StagedFile>> {
        self.assets(query).await
    }

    async fn stage(&self, upload: &Upload, keep: &Keep, meter: &Meter) -> Result<StagedFile> {
        self.bucket()?.put(upload, keep, meter).await
    }

    async fn gather(&self, gathering: &Gathering) -> Result<Gathered> {
        self.make_asset(gathering).await
    }

    async fn submit(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
        _meter: &Meter,
    ) -> Result<RemoteJob> {
        self.run(submission, commit).await
    }

    async fn find(&self, lost: &Lost) -> Result<Found> {
        self.look_for(lost).await
    }

    async fn jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        self.recent_runs(query).await
    }

    async fn job(&self, id: &str) -> Result<ListedJob> {
        let id = uuid_in(id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, Doing::Browse).hint(
                "This is no id of a computation; it looks like c2a4e6f8-1357-4b9d-8ace-0f1e2d3c4b5a",
            )
        })?;
        let run = self.run_by_id(&id, Doing::Browse).await?;
        Ok(self.listed_job(&run, None))
    }

    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        self.stand(jobs).await
    }

    /// Removes the run, which stops it first; one that is gone already is what was wanted.
    async fn cancel(&self, job: &RemoteJob) -> Result<()> {
        let path = ["computations", job.id.as_str()];
        match self
            .api
            .change(&Method::DELETE, &path, &[], None, Doing::Cancel)
            .await
        {
            Ok(_empty) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Scope::DeleteRun.explain(error)),
        }
    }

    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        self.walk(&job.id).await
    }

    async fn link(&self, job: &RemoteJob, output: &Output) -> Result<Link> {
        self.address_of(&job.id, &output.id).await
    }

    fn budget(&self) -> Option<Budget> {
        None
    }
}
