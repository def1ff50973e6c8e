//! The provider methods for Biodock.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::model::connection::Account;
use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::form::{Field, FieldKind, Form, Value};
use crate::model::ids::{PipelineId, Tag};
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::Budget;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, JobStatus, Link, ListedJob, Lost, Output, Page,
    Progress, Query, RemoteJob, StagedFile, Submission, Upload,
};
use crate::model::safe_url::SafeUrl;
use crate::net::api::Api;
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::providers::Provider;
use crate::providers::biodock::lists::{Entry, PAGE_ENTRIES, listed_job};
use crate::providers::biodock::masks::AskedMasks;
use crate::providers::biodock::wire::{
    Check, ItemEntry, JobAnswer, Listed, PipelineEntry, State, Submit,
};

/// From so many jobs on, the list is asked instead of each job.
const MANY_JOBS: usize = 6;
/// How often a finished job, or finished masks, without files is asked again.
pub(super) const POLLS_FOR_FILES: u32 = 6;
/// How long after an upload a refusal may mean that the file is still being taken in.
const FRESH_UPLOAD: Duration = Duration::from_mins(1);
/// Longest job name sent; the tag at its end must survive.
const MOST_NAME_CHARS: usize = 100;

/// The name of our own setting.
const MASKS: &str = "masks";
const OBJECTS_FILE: &str = "objects.csv";
const AGGREGATE_FILE: &str = "aggregate.csv";
const MASKS_FILE: &str = "masks.zip";

/// One connection to Biodock.
#[derive(Debug)]
pub(super) struct Client {
    api: Api,
    memory: Mutex<Memory>,
}

/// What is worth knowing until the program ends; everything works without it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Polls that saw the job, by id, as finished without files.
    without_files: BTreeMap<String, u32>,
    /// Polls that saw the masks of a job as finished without a file.
    pub(super) without_masks: BTreeMap<String, u32>,
    /// Jobs whose masks we asked for, with how often we looked and found no trace of it.
    pub(super) asked_masks: BTreeMap<String, AskedMasks>,
    last_upload: Option<Instant>,
}

impl Client {
    pub(super) const fn new(api: Api) -> Self {
        Self {
            api,
            memory: Mutex::new(Memory {
                without_files: BTreeMap::new(),
                without_masks: BTreeMap::new(),
                asked_masks: BTreeMap::new(),
                last_upload: None,
            }),
        }
    }

    pub(super) const fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn note_upload(&self) {
        self.memory().last_upload = Some(Instant::now());
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn state_of(&self, id: &str, doing: Doing) -> Result<State> {
        let answer: JobAnswer = self
            .api
            .get_json(&["analysis-jobs", id], &[], doing)
            .await?;
        Ok(answer.into_state())
    }

    /// In our words; a finished job without files is still running for a few polls.
    fn report(&self, id: &str, state: &State) -> JobReport {
        let mut report = state.report();
        let mut memory = self.memory();
        if report.status == JobStatus::Succeeded && !state.offers_both_tables() {
            let polls = memory.without_files.entry(id.to_owned()).or_default();
            if *polls < POLLS_FOR_FILES {
                *polls += 1;
                report.status = JobStatus::Running {
                    progress: Some(Progress::Percent(100.0)),
                };
                return report;
            }
            report.message = Some("Finished, but no result files are offered".to_owned())
                .filter(|_| state.objects_url().is_none() && state.aggregate_url().is_none())
                .or(report.message);
        }
        // What has settled is not asked again.
        memory.without_files.remove(id);
        report
    }

    /// Whether a refusal may only mean that a file which has just arrived cannot be used yet.
    fn may_be_too_early(&self, error: &Error) -> bool {
        let is_fresh = self
            .memory()
            .last_upload
            .is_some_and(|upload| upload.elapsed() < FRESH_UPLOAD);
        is_fresh
            && error.failure().sent == Sent::Answered
            && matches!(
                error.kind(),
                ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict
            )
    }
}

#[async_trait]
impl Provider for Client {
    async fn check(&self) -> Result<Account> {
        let check: Check = self.api.get_json(&["check"], &[], Doing::CheckKey).await?;
        let host = self.api.base().host_str().unwrap_or_default();
        Ok(Account {
            name: check
                .email
                .or(check.user)
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| host.to_owned()),
            checked: Timestamp::now(),
            places: Vec::new(),
        })
    }

    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        let mut pipelines = Vec::new();
        self.each_page(
            &["pipelines"],
            &[],
            Doing::ListPipelines,
            |entry: &PipelineEntry| &entry.id,
            |entries| {
                pipelines.extend(entries.into_iter().map(PipelineEntry::into_model));
                true
            },
        )
        .await?;
        Ok(pipelines)
    }

    /// Pipelines are set up on the website and a job takes no settings; the one field is ours.
    async fn form(&self, _pipeline: &PipelineId) -> Result<Form> {
        Ok(Form {
            fields: vec![Field {
                name: MASKS.to_owned(),
                label: "Fetch masks".to_owned(),
                help:
                    "The outline of every object, made after the analysis and fetched as an archive"
                        .to_owned(),
                kind: FieldKind::Flag,
                required: false,
                default: Some(Value::Flag(true)),
                ..Field::default()
            }],
            ..Form::default()
        })
    }

    async fn browse(&self, query: &Query) -> Result<Page<StagedFile>> {
        let mut fields = vec![("limit", PAGE_ENTRIES)];
        fields.extend(query.folder.as_deref().map(|id| ("folderId", id)));
        fields.extend(query.cursor.as_deref().map(|id| ("startingAfter", id)));
        let page: Listed<ItemEntry> = self
            .api
            .get_json(&["filesystem-items"], &fields, Doing::Browse)
            .await?;
        let is_repeated = query
            .cursor
            .as_ref()
            .is_some_and(|cursor| page.results.iter().any(|item| &item.id == cursor));
        if is_repeated {
            // The cursor was ignored and this is the first page again.
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        Ok(Page {
            next: page.results.last().map(|item| item.id.clone()),
            items: page
                .results
                .into_iter()
                .map(ItemEntry::into_model)
                .collect(),
        })
    }

    async fn stage(&self, upload: &Upload, _keep: &Keep, meter: &Meter) -> Result<StagedFile> {
        self.put(upload, meter).await
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
        let wants_masks = submission.settings.get(MASKS).is_none_or(Value::is_on);
        let name = remote_name(&submission.name, &submission.tag, wants_masks);
        let body = Submit {
            pipeline_id: submission.pipeline.as_str(),
            filesystem_ids: submission
                .staged
                .iter()
                .map(|file| file.id.as_str())
                .collect(),
            name: &name,
        };
        let reply = self
            .api
            .submit_json(&["analysis-jobs"], &body, commit, Doing::Submit)
            .await
            .map_err(|error| {
                // A time to come back says that the same submission may be taken then.
                let wait = self.api.http().retry().first_wait.saturating_mul(10);
                let is_too_early = self.may_be_too_early(&error);
                if is_too_early { error.retry_after(Some(wait)) } else { error }
            })
            .map_err(|error| match error.kind() {
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Forbidden => error.hint(
                "Biodock runs only pipelines that you made and published yourself, on files it has finished taking in",
            ),
            _ => error,
        })?;
        let state = reply.json::<JobAnswer>()?.into_state();
        let id = state.id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(ErrorKind::Garbled, Doing::Submit)
                .status(reply.status)
                .hint("Biodock took the job but did not say its number")
        })?;
        Ok(remote_job(id, wants_masks))
    }

    /// The documented entries carry no name, so a job can be recognized only where the service sends one after all.
    async fn find(&self, lost: &Lost) -> Result<Found> {
        let tag = &lost.submission.tag;
        let mut ours = None;
        let mut nameless = Vec::new();
        let saw_all = self
            .each_page(
                &["analysis-jobs"],
                &[],
                Doing::FindSubmission,
                |entry: &Entry| &entry.id,
                |entries| {
                    for entry in entries.into_iter().filter(|entry| !entry.id.is_empty()) {
                        match entry.state.name.as_deref() {
                            Some(name) if name.contains(tag.as_str()) => {
                                ours = Some(remote_job(entry.id, !name.ends_with(WITHOUT_MASKS)));
                                return false;
                            }
                            Some(name) if !name.trim().is_empty() => {}
                            Some(_) | None => nameless.push(remote_job(entry.id, true)),
                        }
                    }
                    true
                },
            )
            .await?;
        Ok(match ours {
            Some(job) => Found::Job(job),
            None if saw_all && nameless.is_empty() => Found::Nothing,
            None => Found::Perhaps(nameless),
        })
    }

    /// One page of the list of jobs, in the order of the service. No name is documented, so words find only what has one.
    async fn jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        self.page_of_jobs(query).await
    }

    async fn job(&self, id: &str) -> Result<ListedJob> {
        let id = id.trim();
        if id.is_empty()
            || !id
                .chars()
                .all(|character| character.is_ascii_alphanumeric())
        {
            return Err(Error::new(ErrorKind::Invalid, Doing::ListJobs)
                .hint("This is no number of an analysis job: it has digits and letters only"));
        }
        let state = self.state_of(id, Doing::ListJobs).await?;
        Ok(listed_job(id.to_owned(), &state))
    }

    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        let mut listed = BTreeMap::new();
        if jobs.len() >= MANY_JOBS {
            let wanted = jobs.iter().map(|job| job.id.as_str()).collect();
            listed = self.listed(&wanted).await?;
        }
        let mut reports = Vec::with_capacity(jobs.len());
        for job in jobs {
            let state = match listed.remove(&job.id) {
                Some(state) => Ok(state),
                None => self.state_of(&job.id, Doing::Poll).await,
            };
            reports.push(match state {
                Ok(state) => Ok(self.report(&job.id, &state)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(gone()),
                Err(error) if concerns_all(error.kind()) => return Err(error),
                Err(error) => Err(error),
            });
        }
        Ok(reports)
    }

    async fn cancel(&self, _job: &RemoteJob) -> Result<()> {
        Err(Error::unsupported(Doing::Cancel))
    }

    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        let state = self.state_of(&job.id, Doing::ListOutputs).await?;
        let mut outputs: Vec<Output> = [
            (OBJECTS_FILE, state.objects_url()),
            (AGGREGATE_FILE, state.aggregate_url()),
        ]
        .into_iter()
        .filter(|(_name, url)| url.is_some())
        .map(|(name, _url)| output(name, false))
        .collect();
        if !outputs.is_empty() && job.memo == MASKS {
            outputs.push(output(MASKS_FILE, true));
        }
        Ok(outputs)
    }

    /// Links expire, so the job is asked for them each time.
    async fn link(&self, job: &RemoteJob, output: &Output) -> Result<Link> {
        if output.id == MASKS_FILE {
            return self.masks_link(&job.id).await;
        }
        let state = self.state_of(&job.id, Doing::PrepareResult).await?;
        let url = match output.id.as_str() {
            OBJECTS_FILE => state.objects_url(),
            AGGREGATE_FILE => state.aggregate_url(),
            _ => None,
        };
        url.map(ready).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, Doing::PrepareResult)
                .sent(Sent::Answered)
                .hint("Biodock does not offer this file any more")
        })
    }

    fn budget(&self) -> Option<Budget> {
        None
    }
}

/// Stands at the end of the name of a job whose masks are not wanted, for whoever finds it by its tag.
pub(super) const WITHOUT_MASKS: &str = " (no masks)";

pub(super) fn remote_job(id: String, wants_masks: bool) -> RemoteJob {
    RemoteJob {
        id,
        web_page: None,
        memo: if wants_masks { MASKS } else { "" }.to_owned(),
    }
}

/// The tag stands behind the name, where it survives because the name is shortened first.
fn remote_name(name: &str, tag: &Tag, wants_masks: bool) -> String {
    let short: String = name.trim().chars().take(MOST_NAME_CHARS).collect();
    let end = if wants_masks { "" } else { WITHOUT_MASKS };
    format!("{short} {tag}{end}").trim_start().to_owned()
}

/// No file names are documented, so these are ours; they are the identifiers, too.
fn output(name: &str, is_masks: bool) -> Output {
    Output {
        id: name.to_owned(),
        name: name.to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: is_masks,
        unpack: is_masks,
    }
}

/// Storage gets no key: it needs none, and an additional one can even make it refuse.
pub(super) fn ready(url: &str) -> Link {
    Link::Ready {
        url: SafeUrl::new(url),
        header: None,
    }
}

fn gone() -> JobReport {
    JobReport {
        status: JobStatus::Gone,
        word: String::new(),
        message: None,
    }
}

/// Whether a failure says nothing about the one job that was asked for.
const fn concerns_all(error: ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::Unauthenticated
            | ErrorKind::RateLimited
            | ErrorKind::Maintenance
            | ErrorKind::Timeout
            | ErrorKind::Unreachable
    )
}
