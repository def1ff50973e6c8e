//! The client of Seven Bridges: who one is, what can be run, what is there. Uploads, submissions, tasks and results are in
//! the files beside it.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::connection::{Account, Place};
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
use crate::providers::seven_bridges::form::cwl::{self, Input};
use crate::providers::seven_bridges::form::form;
use crate::providers::seven_bridges::site::ProjectId;
use crate::providers::seven_bridges::wire::accounts::{PROJECT_FIELDS, Project, User};
use crate::providers::seven_bridges::wire::apps::{self, APP_FIELDS, App};
use crate::providers::seven_bridges::wire::files::{FILE_FIELDS, File};

/// Projects named in a hint.
const MOST_NAMED: usize = 8;
/// Pages looked through for a name before an answer is given.
const MOST_SEARCHED: usize = 10;

/// One account in one project.
#[derive(Debug)]
pub(super) struct Client {
    api: Api,
    /// None while a connection is tried to see which there are.
    project: Option<ProjectId>,
    /// Where people look at things.
    website: Option<String>,
    /// Apps read before, by what was asked for; what a revision takes never changes.
    apps: Mutex<BTreeMap<String, Arc<ReadApp>>>,
    /// Folders known to be there, by path.
    pub(super) folders: tokio::sync::Mutex<BTreeMap<String, String>>,
    /// Whether the platform has refused to be told of several parts at once.
    pub(super) reports_singly: AtomicBool,
}

/// An app as far as a task needs it.
#[derive(Debug)]
pub(super) struct ReadApp {
    /// Its identifier with its revision.
    pub(super) id: String,
    pub(super) inputs: Vec<Input>,
}

impl Client {
    pub(super) fn new(api: Api, project: Option<ProjectId>, website: Option<String>) -> Self {
        Self {
            api,
            project,
            website,
            apps: Mutex::default(),
            folders: tokio::sync::Mutex::default(),
            reports_singly: AtomicBool::new(false),
        }
    }

    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    /// The project of the connection.
    pub(super) fn project(&self, doing: Doing) -> Result<&ProjectId> {
        self.project.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, doing)
                .hint("The connection names no project; choose one under Connections")
        })
    }

    /// The page of a task, where the website is known.
    pub(super) fn web_page(&self, task: &str, project: Option<&str>) -> Option<String> {
        let website = self.website.as_ref()?;
        let own = self.project.as_ref().map(ProjectId::text);
        let project = project.map(str::to_owned).or(own)?;
        Some(format!("{website}/u/{project}/tasks/{task}/"))
    }

    /// Reads what an app takes. An identifier without revision means the latest one, which is remembered: what a form was
    /// shown for is what runs.
    pub(super) async fn app(&self, id: &str, fresh: bool, doing: Doing) -> Result<Arc<ReadApp>> {
        let id = id.trim().trim_matches('/');
        let known = self.apps().get(id).cloned();
        if let Some(app) = known
            && (!fresh || apps::is_pinned(id))
        {
            return Ok(app);
        }
        let mut path = vec!["apps"];
        path.extend(id.split('/'));
        if !matches!(path.len(), 4 | 5) {
            return Err(Error::new(ErrorKind::Invalid, doing).hint(
                "An app is named by owner, project and short name, such as john_doe/plate-7/fastqc, and perhaps its revision",
            ));
        }
        let mut app: App = self.api.get_json(&path, &[], doing).await?;
        if !app.raw.is_object() {
            path.push("raw");
            app.raw = self.api.get_json(&path, &[], doing).await?;
        }
        let read = Arc::new(ReadApp {
            id: app.pinned(),
            inputs: cwl::inputs(&app.raw),
        });
        let mut apps = self.apps();
        apps.insert(read.id.clone(), Arc::clone(&read));
        apps.insert(id.to_owned(), Arc::clone(&read));
        Ok(read)
    }

    fn apps(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<ReadApp>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn places(&self) -> Result<Vec<Place>> {
        let fields = [("fields", PROJECT_FIELDS)];
        let projects: Vec<Project> = self.all(&["projects"], &fields, Doing::CheckKey).await?;
        Ok(projects.into_iter().map(Project::into_place).collect())
    }
}

/// A connection to a project that is not the person's is of no use; the hint names those that are.
fn unknown_project(project: &ProjectId, places: &[Place]) -> Error {
    let ids: Vec<&str> = places
        .iter()
        .take(MOST_NAMED)
        .map(|place| place.id.as_str())
        .collect();
    let more = places.len().saturating_sub(ids.len());
    let yours = match (ids.is_empty(), more) {
        (true, _) => "this account has no projects".to_owned(),
        (false, 0) => format!("yours are {}", ids.join(", ")),
        (false, more) => format!("yours are {} and {more} more", ids.join(", ")),
    };
    Error::new(ErrorKind::NotFound, Doing::CheckKey).hint(format!(
        "There is no project {} for this account; {yours}",
        project.text()
    ))
}

#[async_trait]
impl Provider for Client {
    async fn check(&self) -> Result<Account> {
        let user: User = self.api.get_json(&["user"], &[], Doing::CheckKey).await?;
        let places = self.places().await?;
        if let Some(project) = &self.project
            && !places.iter().any(|place| place.id == project.text())
        {
            return Err(unknown_project(project, &places));
        }
        Ok(Account {
            name: user.name().unwrap_or_else(|| "no name".to_owned()),
            checked: Timestamp::now(),
            places,
        })
    }

    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        // A connection that is only tried has no project yet, and so nothing to run.
        let Some(project) = &self.project else {
            return Ok(Vec::new());
        };
        let project = project.text();
        let query = [("project", project.as_str()), ("fields", APP_FIELDS)];
        let apps: Vec<App> = self.all(&["apps"], &query, Doing::ListPipelines).await?;
        Ok(apps.into_iter().map(App::into_pipeline).collect())
    }

    async fn form(&self, pipeline: &PipelineId) -> Result<Form> {
        let app = self.app(pipeline.as_str(), true, Doing::ReadForm).await?;
        Ok(form(&app.inputs))
    }

    /// The interface looks for whole names only, so words are looked for here.
    async fn browse(&self, query: &Query) -> Result<Page<StagedFile>> {
        let project = self.project(Doing::Browse)?.text();
        let place = match &query.folder {
            Some(folder) => ("parent", folder.as_str()),
            None => ("project", project.as_str()),
        };
        let fields = [place, ("fields", FILE_FIELDS)];
        let mut next = Some(offset_of(query));
        let mut items = Vec::new();
        for _ in 0..MOST_SEARCHED {
            let Some(offset) = next else { break };
            let part = self
                .page::<File>(&["files"], &fields, offset, Doing::Browse)
                .await?;
            next = part.next;
            items.extend(
                part.items
                    .into_iter()
                    .map(File::into_staged)
                    .filter(|file| has_words(&file.name, query)),
            );
            if !items.is_empty() {
                break;
            }
        }
        Ok(Page {
            items,
            next: next.map(|offset| offset.to_string()),
        })
    }

    async fn stage(&self, upload: &Upload, keep: &Keep, meter: &Meter) -> Result<StagedFile> {
        self.put(upload, keep, meter).await
    }

    async fn gather(&self, _gathering: &Gathering) -> Result<Gathered> {
        Err(Error::unsupported(Doing::Gather))
    }

    async fn submit(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
        _meter: &Meter,
    ) -> Result<RemoteJob> {
        self.draft_and_run(submission, commit).await
    }

    async fn find(&self, lost: &Lost) -> Result<Found> {
        self.find_lost(lost).await
    }

    async fn jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        self.listed_jobs(query).await
    }

    async fn job(&self, id: &str) -> Result<ListedJob> {
        self.one_job(id).await
    }

    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        self.reports(jobs).await
    }

    async fn cancel(&self, job: &RemoteJob) -> Result<()> {
        self.abort(job).await
    }

    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        self.results(job).await
    }

    async fn link(&self, _job: &RemoteJob, output: &Output) -> Result<Link> {
        self.download_link(output).await
    }

    fn budget(&self) -> Option<Budget> {
        self.api.budget()
    }
}

/// Where a page starts.
pub(super) fn offset_of(query: &Query) -> usize {
    query
        .cursor
        .as_deref()
        .and_then(|cursor| cursor.parse().ok())
        .unwrap_or(0)
}

/// Whether a name has all the words looked for.
pub(super) fn has_words(name: &str, query: &Query) -> bool {
    let name = name.to_lowercase();
    query
        .words
        .as_deref()
        .unwrap_or_default()
        .to_lowercase()
        .split_whitespace()
        .all(|word| name.contains(word))
}
