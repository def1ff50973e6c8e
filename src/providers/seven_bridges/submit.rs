//! A task is made as a draft first, whose number is journalled, and then started: whatever answer is lost, the draft tells
//! whether it was.

use serde_json::{Map, Value as Json, json};

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::ids::Tag;
use crate::model::provider::FanOut;
use crate::model::remote::{Found, Lost, RemoteJob, Submission};
use crate::net::commit_point::CommitPoint;
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::{Client, ReadApp};
use crate::providers::seven_bridges::errors::{NOT_A_DRAFT, code_of};
use crate::providers::seven_bridges::form::values::{Spread, given};
use crate::providers::seven_bridges::upload::metadata_key;
use crate::providers::seven_bridges::wire::tasks::{LISTED_FIELDS, Task, Word};

/// Longest part of a task's name that is the person's.
const MOST_NAME_CHARS: usize = 200;
/// Pages of the list of tasks looked through for a lost one.
const MOST_PAGES: usize = 20;
/// How far the platform's clock may be behind ours.
const CLOCK_SLACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

impl Client {
    pub(super) async fn draft_and_run(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
    ) -> Result<RemoteJob> {
        let draft = match self.drafted(submission).await? {
            Some(task) if task.word() != Word::Draft => {
                // An earlier attempt started it after all.
                let job = self.remote_job(&task);
                commit.pass_with(Some(job.clone())).await?;
                return Ok(job);
            }
            Some(task) => task,
            None => self.make_draft(submission).await.map_err(nothing_runs)?,
        };
        if let Some(words) = draft.complaints() {
            self.discard(&draft.id).await;
            return Err(refused(&words));
        }
        let job = self.remote_job(&draft);
        commit.pass_with(Some(job.clone())).await?;
        self.run(&draft.id).await?;
        Ok(job)
    }

    /// The draft of an earlier attempt, if it is still there.
    async fn drafted(&self, submission: &Submission) -> Result<Option<Task>> {
        let Some(draft) = &submission.drafted else {
            return Ok(None);
        };
        match self.task(&draft.id, Doing::Submit).await {
            Ok(task) => Ok(Some(task)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(nothing_runs(error)),
        }
    }

    async fn make_draft(&self, submission: &Submission) -> Result<Task> {
        let project = self.project(Doing::Submit)?.text();
        let pipeline = submission.pipeline.as_str();
        let app = self.app(pipeline, false, Doing::Submit).await?;
        let body = body(submission, &app, &project)?;
        let made = self
            .api()
            .post_json(&["tasks"], &body, Idempotent::No, Doing::Submit)
            .await;
        let error = match made {
            Ok(reply) => {
                let task: Task = reply.json()?;
                if !task.id.is_empty() {
                    return Ok(task);
                }
                Error::new(ErrorKind::Garbled, Doing::Submit)
                    .status(reply.status)
                    .hint("Seven Bridges made a draft but did not say its number")
            }
            Err(error) => error,
        };
        if error.submit_made_no_job() {
            return Err(error);
        }
        // A draft whose answer was lost costs nothing, but a second one would be in the way.
        match self.by_tag(&submission.tag, None).await {
            Ok(Some(task)) if task.word() == Word::Draft => {
                self.task(&task.id, Doing::Submit).await
            }
            Ok(_) | Err(_) => Err(error),
        }
    }

    /// Starts a draft. A success may say that it is a draft still: then its errors tell why.
    async fn run(&self, id: &str) -> Result<()> {
        let path = ["tasks", id, "actions", "run"];
        let started = self
            .api()
            .post(&path, Idempotent::No, Doing::Submit)
            .await
            .and_then(|reply| reply.json::<Task>());
        let task = match started {
            Ok(task) if task.word() != Word::Draft => return Ok(()),
            Ok(task) => task,
            // It is no draft any more, or it cannot become more than one: the task itself tells.
            Err(error) if has_to_look(&error) => {
                let task = self.task(id, Doing::Submit).await?;
                if task.word() != Word::Draft {
                    return Ok(());
                }
                if task.complaints().is_none() {
                    return Err(error);
                }
                task
            }
            Err(error) => return Err(error),
        };
        if let Some(words) = task.complaints() {
            self.discard(id).await;
            return Err(refused(&words));
        }
        Err(Error::new(ErrorKind::ServerFault, Doing::Submit)
            .status(200)
            .hint("Seven Bridges left the task a draft and does not say why"))
    }

    /// Removes a draft that can never run; if that fails, it stays as a draft and costs nothing.
    async fn discard(&self, id: &str) {
        let path = ["tasks", id];
        let removed = self
            .api()
            .change(&reqwest::Method::DELETE, &path, &[], None, Doing::Submit)
            .await;
        if let Err(error) = removed {
            tracing::info!(%error, "a draft with errors stays");
        }
    }

    pub(super) async fn find_lost(&self, lost: &Lost) -> Result<Found> {
        if let Some(draft) = &lost.submission.drafted {
            match self.task(&draft.id, Doing::FindSubmission).await {
                // Not started: starting it, or making another, is safe.
                Ok(task) if task.word() == Word::Draft => return Ok(Found::Nothing),
                Ok(task) => return Ok(Found::Job(self.remote_job(&task))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let since = lost.since.checked_sub(CLOCK_SLACK).ok();
        Ok(match self.by_tag(&lost.submission.tag, since).await? {
            Some(task) if task.word() != Word::Draft => Found::Job(self.remote_job(&task)),
            Some(_) | None => Found::Nothing,
        })
    }

    /// The task whose name has the tag; one that was started before one that was not. Children of a batch carry their
    /// parent's name and are not meant.
    async fn by_tag(&self, tag: &Tag, since: Option<jiff::Timestamp>) -> Result<Option<Task>> {
        let project = self.project(Doing::FindSubmission)?.text();
        let query = [
            ("project", project.as_str()),
            ("order_by", "created_time"),
            ("order", "desc"),
            ("fields", LISTED_FIELDS),
        ];
        let mut found: Option<Task> = None;
        let mut pages = 0;
        self.each_page(
            &["tasks"],
            &query,
            Doing::FindSubmission,
            |tasks: Vec<Task>| {
                pages += 1;
                for task in tasks {
                    if let (Some(since), Some(created)) = (since, task.created())
                        && created < since
                    {
                        return false;
                    }
                    let is_ours = task.shown_name().contains(tag.as_str()) && !task.is_child();
                    if is_ours
                        && found
                            .as_ref()
                            .is_none_or(|known| known.word() == Word::Draft)
                    {
                        found = Some(task);
                    }
                }
                found.as_ref().is_none_or(|task| task.word() == Word::Draft) && pages < MOST_PAGES
            },
        )
        .await?;
        Ok(found)
    }
}

/// Whatever went wrong before a draft is started, nothing runs.
fn nothing_runs(error: Error) -> Error {
    error.sent(Sent::No)
}

/// Whether a refused start leaves open what became of the task.
fn has_to_look(error: &Error) -> bool {
    code_of(error) == Some(NOT_A_DRAFT)
        || matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid)
}

fn refused(words: &str) -> Error {
    Error::new(ErrorKind::Invalid, Doing::Submit)
        .status(200)
        .server_said(words)
        .hint(format!("Seven Bridges does not run it like this: {words}"))
}

/// The body of a draft.
fn body(submission: &Submission, app: &ReadApp, project: &str) -> Result<Json> {
    let refused = |hint: &str| Error::new(ErrorKind::Invalid, Doing::Submit).hint(hint);
    let files = &submission.staged;
    // One file needs no splitting.
    let splits = files.len() > 1
        && match submission.fan_out {
            FanOut::BatchPerFile | FanOut::BatchPerSample => true,
            FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample => false,
        };
    let spread = if splits { Spread::Batch } else { Spread::One };
    let given = given(&app.inputs, &submission.settings, files, spread)?;
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(task_name(submission)));
    body.insert("project".to_owned(), json!(project));
    body.insert("app".to_owned(), json!(app.id));
    body.insert("inputs".to_owned(), Json::Object(given.inputs));
    if splits {
        let [holder] = given.holders.as_slice() else {
            return Err(refused(if given.holders.is_empty() {
                "No setting takes the files, so there is nothing to split the batch by"
            } else {
                "Several settings take the files, so it is open which one to split the batch by"
            }));
        };
        let by = match (&submission.fan_out, &submission.sample_column) {
            (FanOut::BatchPerSample, Some(column)) => {
                json!({"type": "CRITERIA", "criteria": [format!("metadata.{}", metadata_key(column))]})
            }
            (FanOut::BatchPerSample, None) => {
                return Err(refused("No sample column was chosen to split the batch by"));
            }
            _ => json!({"type": "ITEM"}),
        };
        body.insert("batch_input".to_owned(), json!(holder));
        body.insert("batch_by".to_owned(), by);
    }
    Ok(Json::Object(body))
}

/// The tag stands behind the name, where it survives because the name is shortened first.
fn task_name(submission: &Submission) -> String {
    let short: String = submission
        .name
        .trim()
        .chars()
        .take(MOST_NAME_CHARS)
        .collect();
    format!("{short} {}", submission.tag)
        .trim_start()
        .to_owned()
}
