//! Tasks looked at: one, many by their ids, lists with filters, and what a task did.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::Account;
use crate::providers::seven_bridges::sim::bulk::line;
use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::life::{self, is_there};
use crate::providers::seven_bridges::sim::paging::page;
use crate::providers::seven_bridges::sim::task::{Task, Tasks, Teller};
use crate::providers::seven_bridges::sim::tasks::not_there;
use crate::sandbox::world::lock;

const SHORT: &[&str] = &["href", "id", "name", "project"];

/// `GET /tasks/{id}`
pub(super) async fn get(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    account.settle();
    let tasks = lock(&account.tasks);
    let task = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    let fields = Fields::new(call.one("fields"), &[]);
    let entry = Teller::new(&account.world, &call).describe(&tasks, task, &fields);
    Ok(Json(entry).into_response())
}

/// `GET /tasks/{id}/inputs`
pub(super) async fn inputs(State(account): State<Arc<Account>>, Path(id): Path<String>) -> Answer {
    let tasks = lock(&account.tasks);
    let task = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    Ok(Json(&task.inputs).into_response())
}

/// `POST /bulk/tasks/get`
pub(super) async fn bulk(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    let ids = sent.ids("task_ids")?;
    account.settle();
    let fields = Fields::new(call.one("fields"), &[]);
    let tasks = lock(&account.tasks);
    let teller = Teller::new(&account.world, &call);
    let lines = ids.iter().map(|id| {
        let task = tasks.get(id).ok_or_else(|| not_there(id));
        line(task.map(|task| teller.describe(&tasks, task, &fields)))
    });
    let lines: Vec<Value> = lines.collect();
    Ok(Json(json!({ "items": lines })).into_response())
}

/// `GET /tasks`
pub(super) async fn list(State(account): State<Arc<Account>>, call: Call) -> Answer {
    account.settle();
    if let Some(project) = call.one("project") {
        account.project(project)?;
    }
    let tasks = lock(&account.tasks);
    let filter = Filter::new(&call)?;
    let teller = Teller::new(&account.world, &call);
    let fits = |task: &&Task| is_there(task, teller.now) && filter.fits(&teller, &tasks, task);
    let mut entries: Vec<&Task> = match call.one("parent") {
        Some(parent) => {
            let parent = tasks.get(parent).ok_or_else(|| not_there(parent))?;
            tasks.children(parent).filter(fits).collect()
        }
        None => tasks.all().filter(fits).collect(),
    };
    sort(&teller, &tasks, &call, &mut entries)?;
    let fields = Fields::new(call.one("fields"), SHORT);
    page(&account.world, &call, &entries, |task| {
        teller.describe(&tasks, task, &fields)
    })
}

/// Sorts by `order_by`; ascending unless asked otherwise, as the documentation says.
fn sort(
    teller: &Teller<'_>,
    tasks: &Tasks,
    call: &Call,
    entries: &mut [&Task],
) -> Result<(), Refusal> {
    match call.one("order_by") {
        None | Some("created_time") => entries.sort_by_key(|task| task.created),
        Some("start_time") => entries.sort_by_key(|task| task.started),
        Some("end_time") => {
            entries.sort_by_cached_key(|task| tasks.moment(&teller.rules, task, teller.now).ended);
        }
        Some("name") => entries.sort_by(|a, b| a.name.cmp(&b.name)),
        Some("created_by") => {}
        Some(other) => {
            return Err(Refusal::bad(90000, format!("Cannot order by {other}.")));
        }
    }
    if call.says("order", "desc") {
        entries.reverse();
    }
    Ok(())
}

/// From a time, up to a time.
type Span = (Option<Timestamp>, Option<Timestamp>);

/// What a list is asked for.
struct Filter<'a> {
    call: &'a Call,
    created: Span,
    started: Span,
    ended: Span,
}

impl<'a> Filter<'a> {
    fn new(call: &'a Call) -> Result<Self, Refusal> {
        let time = |name: &str| call.one(name).map(read_time).transpose();
        Ok(Self {
            call,
            created: (time("created_from")?, time("created_to")?),
            started: (time("started_from")?, time("started_to")?),
            ended: (time("ended_from")?, time("ended_to")?),
        })
    }

    fn fits(&self, teller: &Teller<'_>, tasks: &Tasks, task: &Task) -> bool {
        let call = self.call;
        let within = |(from, to): Span, moment: Option<Duration>| {
            if from.is_none() && to.is_none() {
                return true;
            }
            let time = moment.map(|moment| teller.world.timestamp_at(moment));
            time.is_some_and(|time| {
                from.is_none_or(|from| time >= from) && to.is_none_or(|to| time <= to)
            })
        };
        let batch = call
            .one("batch")
            .map(|text| text.eq_ignore_ascii_case("true"));
        let mut statuses = call.all("status").peekable();
        if call.one("project").is_some_and(|id| id != task.project)
            || batch.is_some_and(|batch| batch != task.batch)
            || call
                .one("origin_id")
                .is_some_and(|id| task.origin.as_deref() != Some(id))
            || !within(self.created, Some(task.created))
            || !within(self.started, task.started)
        {
            return false;
        }
        // Only asked where it matters: a batch looks at all its children for it.
        if statuses.peek().is_none() && self.ended == (None, None) {
            return true;
        }
        let moment = tasks.moment(&teller.rules, task, teller.now);
        let named = statuses.peek().is_none()
            || statuses.any(|status| status.eq_ignore_ascii_case(moment.status));
        named && within(self.ended, moment.ended)
    }
}

/// A time with or without an offset; without one it is UTC.
fn read_time(text: &str) -> Result<Timestamp, Refusal> {
    let time = text
        .parse()
        .or_else(|_error: jiff::Error| format!("{text}Z").parse::<Timestamp>());
    time.map_err(|_error| Refusal::bad(90000, format!("{text} is no time.")))
}

/// `GET /tasks/{id}/execution_details`
pub(super) async fn details(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    account.settle();
    let tasks = lock(&account.tasks);
    let task = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    let teller = Teller::new(&account.world, &call);
    let moment = tasks.moment(&teller.rules, task, teller.now);
    let start = teller.time(life::start(&teller.rules, task));
    let end = teller.time(moment.ended);
    let logs = task.ended.iter().flat_map(|ended| &ended.logs);
    let logs = logs.map(|(name, file)| {
        let link = call.href(&format!("/files/{file}/download_info"));
        ((*name).to_owned(), json!(link))
    });
    let logs: serde_json::Map<String, Value> = logs.collect();
    let job = json!({
        "name": task.app.name,
        "start_time": start,
        "end_time": end,
        "status": moment.status,
        "command_line": format!("{} --inputs inputs.json", task.app.name.to_lowercase()),
        "retried": false,
        "instance": {
            "id": "i-0a1b2c3d4e5f60718",
            "type": "c4.2xlarge",
            "provider": "AWS",
            "disk": { "size": 1024, "unit": "GB", "type": "EBS" },
        },
        "docker": { "checksum": "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7" },
        "logs": logs,
    });
    let jobs = if task.started.is_some() && !task.batch {
        vec![job]
    } else {
        Vec::new()
    };
    let entry = json!({
        "href": call.href(&format!("/tasks/{id}/execution_details")),
        "start_time": start,
        "end_time": end,
        "status": moment.status,
        "message": moment.message,
        "jobs": jobs,
    });
    Ok(Json(entry).into_response())
}
