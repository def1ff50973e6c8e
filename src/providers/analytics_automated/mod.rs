//! Analytics Automated: a server that an institute hosts itself.
//!
//! Owns the client. Their *job* is our pipeline and their *batch* is our job; the words are
//! converted here and in `wire`, and go no further. See `notes.md` for what is known of the server.

pub mod anything;
mod facts;
mod files;
pub mod sim;
mod values;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::multipart::Form as Multipart;

use crate::model::connection::{Account, Connection};
use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::form::Form;
use crate::model::ids::{PipelineId, Tag};
use crate::model::meter::Meter;
use crate::model::pipeline::Pipeline;
use crate::model::provider::Budget;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, JobStatus, Link, ListedJob, Lost, Output, Page, Query,
    RemoteJob, StagedFile, Submission, Upload,
};
use crate::net::api::{Api, Auth};
use crate::net::client::Http;
use crate::net::commit_point::CommitPoint;
use crate::net::keep::Keep;
use crate::net::upload::FileBody;
use crate::providers::analytics_automated::facts::{LONGEST_FILE_NAME, QUESTIONS_AT_ONCE};
use crate::providers::analytics_automated::files::Files;
use crate::providers::analytics_automated::wire::{
    Batch, Created, Endpoint, Endpoints, JobDetails,
};
use crate::providers::{Provider, Secrets};

pub use crate::providers::analytics_automated::facts::FACTS;

/// Longest `submission_name`, in characters (measured 2026-11-20).
const LONGEST_NAME: usize = 64;
/// Longest email address, in characters (measured 2026-11-20).
const LONGEST_EMAIL: usize = 256;

/// Makes a client for a connection. Sends nothing.
///
/// # Errors
/// An address, email or pair of user and password that cannot work.
pub fn connect(
    connection: &Connection,
    secrets: &Secrets,
    http: &Http,
) -> Result<Arc<dyn Provider>> {
    let refused = |hint: &str| Error::new(ErrorKind::Invalid, Doing::Connect).hint(hint);
    let option = |name: &str| {
        let text = connection.options.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    };
    let email = option("email").ok_or_else(|| refused("An email address is needed"))?;
    if !is_email(email) {
        return Err(refused("The email address does not look like one"));
    }
    let auth = match (option("user"), secrets.get("password")) {
        (None, None) => Auth::None,
        (Some(user), Some(_)) if user.contains(':') => {
            return Err(refused("The user must not contain a colon"));
        }
        (Some(user), Some(password)) => Auth::Basic(user.to_owned(), password.clone()),
        (Some(_), None) => {
            return Err(Error::new(ErrorKind::Unauthenticated, Doing::Connect)
                .hint("The password is missing"));
        }
        (None, Some(_)) => return Err(refused("The password needs a user")),
    };
    let api = Api::new(
        http,
        root_of(&connection.base_url),
        auth.clone(),
        &FACTS.capabilities.limits,
        wire::complaint,
    )?;
    let files = Files::new(&api, &auth, option("files_url"))?;
    let host = api.base().host_str().unwrap_or_default();
    let account =
        option("user").map_or_else(|| host.to_owned(), |user| format!("{user} at {host}"));
    Ok(Arc::new(AnalyticsAutomated {
        email: email.to_owned(),
        account,
        files,
        api,
        step_counts: Mutex::default(),
    }))
}

/// The root, also where somebody copied the address of one of its pages.
fn root_of(base_url: &str) -> &str {
    let pages = [
        "endpoints.json/",
        "endpoints/",
        "submission.json/",
        "submission/",
        "job/",
    ];
    pages
        .iter()
        .find_map(|page| base_url.strip_suffix(page))
        .filter(|root| root.ends_with('/'))
        .unwrap_or(base_url)
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        && text.chars().count() <= LONGEST_EMAIL
        && !text.contains(char::is_whitespace)
}

/// One server behind one connection.
#[derive(Debug)]
struct AnalyticsAutomated {
    api: Api,
    email: String,
    /// How the account is named; most servers know nobody.
    account: String,
    files: Files,
    /// Steps of the jobs whose form was read, for honest progress.
    step_counts: Mutex<BTreeMap<String, u32>>,
}

impl AnalyticsAutomated {
    async fn endpoints(&self, doing: Doing) -> Result<Vec<Endpoint>> {
        let endpoints: Endpoints = self.api.get_json(&["endpoints.json"], &[], doing).await?;
        Ok(endpoints.parsed())
    }

    async fn batch(&self, job: &RemoteJob, doing: Doing) -> Result<Batch> {
        if !wire::is_identifier(&job.id) {
            return Err(Error::new(ErrorKind::Invalid, doing).hint(
                "This is no id of a submission: it has 32 digits and letters with four hyphens",
            ));
        }
        let file = format!("{}.json", job.id);
        self.api.get_json(&["submission", &file], &[], doing).await
    }

    /// One job; `Ok` also for a job the server no longer knows.
    async fn report(&self, job: &RemoteJob) -> Result<JobReport> {
        match self.batch(job, Doing::Poll).await {
            Ok(batch) => Ok(batch.report(job.memo.parse().ok())),
            Err(error) if wire::is_unknown_batch(&error) => Ok(JobReport {
                status: JobStatus::Gone,
                word: "Not found".to_owned(),
                message: None,
            }),
            Err(error) if error.failure().status == Some(500) => Err(error.hint(
                "The server cannot tell how this submission stands; its job may have been deleted, or a result has no file",
            )),
            Err(error) => Err(error),
        }
    }

    /// Remembers how many steps a job has. Only progress depends on it, so a failure is not the person's business.
    async fn learn_steps(&self, pipeline: &PipelineId) {
        let path = ["job", pipeline.as_str()];
        let details: Result<JobDetails> = self.api.get_json(&path, &[], Doing::ReadForm).await;
        let count = match details {
            Ok(details) => details.step_count(),
            Err(error) => {
                tracing::debug!(%error, %pipeline, "the steps of a job are not known");
                None
            }
        };
        if let Some(count) = count {
            let mut counts = self
                .step_counts
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            counts.insert(pipeline.as_str().to_owned(), count);
        }
    }

    fn steps(&self, pipeline: &PipelineId) -> Option<u32> {
        let counts = self
            .step_counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.get(pipeline.as_str()).copied()
    }
}

#[async_trait]
impl Provider for AnalyticsAutomated {
    async fn check(&self) -> Result<Account> {
        let endpoints = self.endpoints(Doing::CheckKey).await.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                error.hint("No Analytics Automated server answers at this address; it is the root of its interface, such as https://server.example.org/analytics_automated/")
            } else {
                error
            }
        })?;
        tracing::debug!(jobs = endpoints.len(), "the server answers");
        Ok(Account {
            name: self.account.clone(),
            checked: Timestamp::now(),
            places: Vec::new(),
        })
    }

    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        let doing = Doing::ListPipelines;
        // The times are advisory, and an error on servers with another database.
        let times = self
            .api
            .get_json::<serde_json::Value>(&["jobtimes.json"], &[], doing);
        let (endpoints, times) = tokio::join!(self.endpoints(doing), times);
        let endpoints = endpoints?;
        let times = match times {
            Ok(times) => wire::typical_secs(&times),
            Err(error) => {
                tracing::debug!(%error, "the server does not tell how long its jobs take");
                BTreeMap::new()
            }
        };
        let pipelines = endpoints.into_iter().map(|endpoint| Pipeline {
            typical_secs: times.get(&endpoint.job).copied(),
            ..Pipeline::typed(&endpoint.job)
        });
        Ok(pipelines.collect())
    }

    async fn form(&self, pipeline: &PipelineId) -> Result<Form> {
        let endpoints = self.endpoints(Doing::ReadForm).await?;
        let found = endpoints
            .iter()
            .find(|endpoint| endpoint.job == pipeline.as_str());
        let Some(endpoint) = found else {
            return Err(
                Error::new(ErrorKind::NotFound, Doing::ReadForm).hint(format!(
                    "The server lists no job called {pipeline}; capital letters count"
                )),
            );
        };
        let form = endpoint.form();
        self.learn_steps(pipeline).await;
        Ok(form)
    }

    async fn browse(&self, _query: &Query) -> Result<Page<StagedFile>> {
        Err(Error::unsupported(Doing::Browse))
    }

    async fn stage(&self, _upload: &Upload, _keep: &Keep, _meter: &Meter) -> Result<StagedFile> {
        Err(Error::unsupported(Doing::Upload))
    }

    async fn gather(&self, _gathering: &Gathering) -> Result<Gathered> {
        Err(Error::unsupported(Doing::Gather))
    }

    async fn submit(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
        meter: &Meter,
    ) -> Result<RemoteJob> {
        let doing = Doing::Submit;
        let refused = |hint: &str| Error::new(ErrorKind::Invalid, doing).hint(hint);
        let [upload] = submission.uploads.as_slice() else {
            return Err(refused("A submission takes exactly one file"));
        };
        if upload.file.size_bytes == 0 {
            return Err(refused("The server refuses files without content"));
        }
        if upload.remote_name.chars().count() > LONGEST_FILE_NAME {
            return Err(refused(
                "The server takes file names of at most 100 characters",
            ));
        }
        // Several names in one field would be several jobs, of which one may run without its id ever being told.
        if submission.pipeline.as_str().contains(',') {
            return Err(refused(
                "The name of a job with a comma in it cannot be submitted",
            ));
        }
        let mut form = Multipart::new()
            .text("job", submission.pipeline.as_str().to_owned())
            .text(
                "submission_name",
                remote_name(&submission.name, &submission.tag),
            )
            .text("email", self.email.clone());
        for (name, value) in &submission.settings {
            form = form.text(name.clone(), wire::sent_value(value));
        }
        let body = FileBody::open(&upload.file, meter, doing).await?;
        let (part, transfer) = body.into_part(&upload.remote_name);
        // The file stands last: with its last block the server has everything.
        let form = form.part("input_data", part);
        let uploaded = self
            .api
            .send_form(&["submission.json"], form, transfer, Some(commit), doing)
            .await
            .map_err(|error| wire::explained(error, !submission.settings.is_empty()))?;
        let created: Created = uploaded.reply.json()?;
        if !wire::is_identifier(&created.uuid) {
            return Err(Error::new(ErrorKind::Garbled, doing)
                .status(uploaded.reply.status)
                .hint("The server answered with an id that is none"));
        }
        let page = self
            .api
            .address(&["submission", &created.uuid], &[], doing)?;
        let steps = self.steps(&submission.pipeline);
        Ok(RemoteJob {
            web_page: Some(page.into()),
            id: created.uuid,
            memo: steps.map(|steps| steps.to_string()).unwrap_or_default(),
        })
    }

    async fn find(&self, _lost: &Lost) -> Result<Found> {
        Err(Error::unsupported(Doing::FindSubmission))
    }

    async fn jobs(&self, _query: &Query) -> Result<Page<ListedJob>> {
        Err(Error::unsupported(Doing::ListJobs))
    }

    /// By its UUID, or by the address of its page, which ends in it.
    async fn job(&self, id: &str) -> Result<ListedJob> {
        let id = wire::pasted_identifier(id);
        let page = self
            .api
            .address(&["submission", id], &[], Doing::ListJobs)?;
        let remote = RemoteJob {
            id: id.to_owned(),
            web_page: Some(page.into()),
            memo: String::new(),
        };
        let batch = self.batch(&remote, Doing::ListJobs).await;
        let batch = batch.map_err(|error| {
            if wire::is_unknown_batch(&error) {
                Error::new(ErrorKind::NotFound, Doing::ListJobs)
                    .hint("The server knows no submission of this id")
            } else {
                error
            }
        })?;
        let (name, job) = batch.names();
        Ok(ListedJob {
            name: name.unwrap_or(id).to_owned(),
            pipeline: Pipeline::typed(job.unwrap_or_default()),
            created: None,
            word: batch.report(None).word,
            remote,
        })
    }

    async fn status(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        let reports: Vec<Result<JobReport>> = stream::iter(jobs.to_vec())
            .map(|job| async move { self.report(&job).await })
            .buffered(QUESTIONS_AT_ONCE)
            .collect()
            .await;
        // A server that is not there, or a password it refuses, is about the connection.
        let about_all = reports.iter().find_map(|report| match report {
            Err(error) if wire::is_about_connection(error) => Some(error.clone()),
            Ok(_) | Err(_) => None,
        });
        match about_all {
            Some(error) if reports.iter().all(Result::is_err) => Err(error),
            Some(_) | None => Ok(reports),
        }
    }

    async fn cancel(&self, _job: &RemoteJob) -> Result<()> {
        Err(Error::unsupported(Doing::Cancel))
    }

    async fn outputs(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        Ok(self.batch(job, Doing::ListOutputs).await?.outputs())
    }

    async fn link(&self, _job: &RemoteJob, output: &Output) -> Result<Link> {
        self.files.link(&self.api, &output.id).await
    }

    fn budget(&self) -> Option<Budget> {
        None
    }
}

/// The person's name for it, shortened, with the tag at its end.
fn remote_name(name: &str, tag: &Tag) -> String {
    let words: Vec<&str> = name
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let room = LONGEST_NAME.saturating_sub(tag.as_str().chars().count() + 1);
    let short: String = words.join(" ").chars().take(room).collect();
    format!("{} {tag}", short.trim_end())
        .trim_start()
        .to_owned()
}

#[cfg(test)]
mod tests;
