//! How tasks stand, alone and as batches; stopping them; tasks that others made.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::PipelineId;
use crate::model::pipeline::Pipeline;
use crate::model::remote::{JobReport, JobStatus, ListedJob, Page, Query, RemoteJob};
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::{Client, has_words, offset_of};
use crate::providers::seven_bridges::errors::{NOT_STOPPABLE, code_of, inner_error};
use crate::providers::seven_bridges::site;
use crate::providers::seven_bridges::wire::tasks::{
    CHILD_FIELDS, Details, LISTED_FIELDS, Task, Word, steps,
};
use crate::providers::seven_bridges::wire::{Bulk, apps};

/// Tasks asked about at once: the greatest number allowed.
const MOST_AT_ONCE: usize = 100;
/// Failed tasks of a batch that are named.
const MOST_NAMED: usize = 3;
/// Pages looked through for words before an answer is given.
const MOST_SEARCHED: usize = 5;
/// Remembered about a task that stands for others.
const BATCH: &str = "batch";

impl Client {
    /// One task with everything about it.
    pub(super) async fn task(&self, id: &str, doing: Doing) -> Result<Task> {
        self.api().get_json(&["tasks", id], &[], doing).await
    }

    /// The children of a batch, with these fields.
    pub(super) async fn children(
        &self,
        parent: &str,
        fields: &str,
        doing: Doing,
    ) -> Result<Vec<Task>> {
        let query = [
            ("parent", parent),
            ("order_by", "created_time"),
            ("order", "asc"),
            ("fields", fields),
        ];
        self.all(&["tasks"], &query, doing).await
    }

    pub(super) fn remote_job(&self, task: &Task) -> RemoteJob {
        RemoteJob {
            web_page: self.web_page(&task.id, task.project.as_deref()),
            id: task.id.clone(),
            memo: if task.is_batch() { BATCH } else { "" }.to_owned(),
        }
    }

    pub(super) async fn reports(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        let mut reports = Vec::with_capacity(jobs.len());
        for chunk in jobs.chunks(MOST_AT_ONCE) {
            for task in self.tasks_of(chunk).await? {
                let report = match task {
                    Ok(task) => self.report(&task).await,
                    Err(error) => Err(error),
                };
                reports.push(match report {
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(gone()),
                    Err(error) if concerns_all(error.kind()) => return Err(error),
                    report => report,
                });
            }
        }
        Ok(reports)
    }

    /// Asks about many at once; refusals stand inside the answer.
    async fn tasks_of(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<Task>>> {
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        let body = json!({ "task_ids": ids });
        let reply = self
            .api()
            .post_json(
                &["bulk", "tasks", "get"],
                &body,
                Idempotent::Yes,
                Doing::Poll,
            )
            .await?;
        let bulk: Bulk<Task> = reply.json()?;
        let in_order = bulk.items.len() == ids.len();
        let mut by_id = BTreeMap::new();
        let mut refusals = Vec::with_capacity(ids.len());
        for item in bulk.items {
            refusals.push((!item.error.is_null()).then(|| inner_error(&item.error, Doing::Poll)));
            if let Some(task) = item.resource {
                by_id.insert(task.id.clone(), task);
            }
        }
        Ok(ids
            .into_iter()
            .enumerate()
            .map(|(number, id)| {
                if let Some(task) = by_id.remove(id) {
                    return Ok(task);
                }
                let refusal = refusals.get(number).cloned().flatten().filter(|_| in_order);
                Err(refusal.unwrap_or_else(|| {
                    Error::new(ErrorKind::Garbled, Doing::Poll)
                        .status(200)
                        .hint("Seven Bridges left one of the tasks out of its answer")
                }))
            })
            .collect())
    }

    async fn report(&self, task: &Task) -> Result<JobReport> {
        if task.is_batch() && !matches!(task.word(), Word::Draft | Word::Creating) {
            return self.batch_report(task).await;
        }
        let message = task.message();
        let status = match task.word() {
            Word::Draft => match task.complaints() {
                Some(words) => JobStatus::Failed {
                    reason: Some(words),
                },
                None => JobStatus::Queued,
            },
            Word::Creating | Word::Queued => JobStatus::Queued,
            Word::Running | Word::Aborting => JobStatus::Running {
                progress: task.steps(),
            },
            Word::Completed => JobStatus::Succeeded,
            Word::Failed => {
                let reason = self.reason(task).await?;
                return Ok(report(task, JobStatus::Failed { reason }, message));
            }
            Word::Aborted => JobStatus::Cancelled,
            Word::Unknown => JobStatus::Unrecognized(task.status().to_owned()),
        };
        Ok(report(task, status, message))
    }

    /// What a failed task says about itself.
    async fn reason(&self, task: &Task) -> Result<Option<String>> {
        let path = ["tasks", &task.id, "execution_details"];
        let details: Details = match self.api().get_json(&path, &[], Doing::Poll).await {
            Ok(details) => details,
            Err(error) if error.is_retryable() => return Err(error),
            Err(_refused) => Details::default(),
        };
        let said = details.message.filter(|words| !words.trim().is_empty());
        Ok(said
            .or_else(|| task.message())
            .or_else(|| task.complaints()))
    }

    /// A batch is judged by its children: what its own last word is when some of them fail is documented nowhere. They are
    /// asked about only when its own counts say that all have ended, or say nothing.
    async fn batch_report(&self, parent: &Task) -> Result<JobReport> {
        let message = parent.message();
        if let Some(counts) = parent.counts().filter(|_| !parent.word().is_end())
            && counts.waiting + counts.running > 0
        {
            let total = counts.waiting + counts.running + counts.ended;
            let status = if counts.running + counts.ended == 0 {
                JobStatus::Queued
            } else {
                JobStatus::Running {
                    progress: Some(steps(counts.ended, total)),
                }
            };
            return Ok(report(parent, status, message));
        }
        let children = self.children(&parent.id, CHILD_FIELDS, Doing::Poll).await?;
        let status = match children_status(parent, &children) {
            Some(JobStatus::Failed { .. }) => self.failed_batch(&children).await?,
            Some(status) => status,
            None => childless(parent),
        };
        Ok(report(parent, status, message))
    }

    /// Which children failed, and what the first of them says.
    async fn failed_batch(&self, children: &[Task]) -> Result<JobStatus> {
        let is_bad = |task: &&Task| matches!(task.word(), Word::Failed | Word::Aborted);
        let bad: Vec<&Task> = children.iter().filter(is_bad).collect();
        let named: Vec<&str> = bad
            .iter()
            .take(MOST_NAMED)
            .map(|task| task.shown_name())
            .collect();
        let more = bad.len().saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let first = bad.iter().find(|task| task.word() == Word::Failed);
        let said = match first {
            Some(task) => self.reason(task).await?,
            None => Some("It was stopped".to_owned()),
        };
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        Ok(JobStatus::Failed {
            reason: Some(format!(
                "{} of {} tasks did not complete, {}{more}{said}",
                bad.len(),
                children.len(),
                named.join(", "),
            )),
        })
    }

    /// Stops a task; one that has ended by now is stopped enough.
    pub(super) async fn abort(&self, job: &RemoteJob) -> Result<()> {
        let path = ["tasks", &job.id, "actions", "abort"];
        let stopped = self.api().post(&path, Idempotent::Yes, Doing::Cancel).await;
        let Err(error) = stopped else {
            return Ok(());
        };
        if code_of(&error) != Some(NOT_STOPPABLE) && error.kind() != ErrorKind::Conflict {
            return Err(error);
        }
        let task = self.task(&job.id, Doing::Cancel).await?;
        match task.word() {
            Word::Completed | Word::Failed | Word::Aborted | Word::Aborting | Word::Draft => Ok(()),
            Word::Creating | Word::Queued | Word::Running | Word::Unknown => Err(error),
        }
    }

    /// Tasks of the project, newest first, without the children of batches.
    pub(super) async fn listed_jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        let project = self.project(Doing::Browse)?.text();
        let fields = [
            ("project", project.as_str()),
            ("order_by", "created_time"),
            ("order", "desc"),
            ("fields", LISTED_FIELDS),
        ];
        let mut next = Some(offset_of(query));
        let mut items = Vec::new();
        for _ in 0..MOST_SEARCHED {
            let Some(offset) = next else { break };
            let part = self
                .page::<Task>(&["tasks"], &fields, offset, Doing::Browse)
                .await?;
            next = part.next;
            items.extend(
                part.items
                    .iter()
                    .filter(|task| !task.is_child() && has_words(task.shown_name(), query))
                    .map(|task| self.listed(task)),
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

    pub(super) async fn one_job(&self, text: &str) -> Result<ListedJob> {
        let id = site::task_id(text).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Doing::Browse).hint(
                "A task is named by its number, such as 0b1c2d3e-4f50-4a61-8b72-9c83ad94be05, or by the address of its page",
            )
        })?;
        Ok(self.listed(&self.task(&id, Doing::Browse).await?))
    }

    fn listed(&self, task: &Task) -> ListedJob {
        let app = task.app.clone().unwrap_or_default();
        ListedJob {
            remote: self.remote_job(task),
            name: task.shown_name().to_owned(),
            pipeline: Pipeline {
                name: apps::short_name(&app),
                id: PipelineId(app),
                description: String::new(),
                typical_secs: None,
            },
            created: task.created(),
            word: task.status().to_owned(),
        }
    }
}

/// How children stand together; nothing where there are none.
fn children_status(parent: &Task, children: &[Task]) -> Option<JobStatus> {
    if children.is_empty() {
        return None;
    }
    let count = |is: fn(Word) -> bool| children.iter().filter(|child| is(child.word())).count();
    let ended = count(Word::is_end);
    let all = children.len();
    if ended < all {
        let waits = |word| matches!(word, Word::Draft | Word::Creating | Word::Queued);
        if count(waits) == all {
            return Some(JobStatus::Queued);
        }
        let whole = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        return Some(JobStatus::Running {
            progress: Some(steps(whole(ended), whole(all))),
        });
    }
    let aborted = count(|word| word == Word::Aborted);
    let completed = count(|word| word == Word::Completed);
    Some(if completed == all {
        JobStatus::Succeeded
    } else if aborted == all || parent.word() == Word::Aborted {
        JobStatus::Cancelled
    } else {
        JobStatus::Failed { reason: None }
    })
}

/// A batch without children stands as it says itself.
fn childless(parent: &Task) -> JobStatus {
    match parent.word() {
        Word::Draft | Word::Creating | Word::Queued => JobStatus::Queued,
        Word::Running | Word::Aborting => JobStatus::Running { progress: None },
        Word::Completed => JobStatus::Succeeded,
        Word::Failed => JobStatus::Failed {
            reason: parent.message(),
        },
        Word::Aborted => JobStatus::Cancelled,
        Word::Unknown => JobStatus::Unrecognized(parent.status().to_owned()),
    }
}

fn report(task: &Task, status: JobStatus, message: Option<String>) -> JobReport {
    JobReport {
        status,
        word: task.status().to_owned(),
        message,
    }
}

fn gone() -> JobReport {
    JobReport {
        status: JobStatus::Gone,
        word: String::new(),
        message: None,
    }
}

/// Whether a failure says nothing about the one task that was asked for.
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
