//! Tasks over the interface: made, changed, run, stopped, repeated, removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::apps;
use crate::providers::seven_bridges::sim::batch;
use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::checks::validate;
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::life::{self, Rules};
use crate::providers::seven_bridges::sim::store::Item;
use crate::providers::seven_bridges::sim::task::{Ended, KEPT, Task, Tasks, Teller};
use crate::providers::seven_bridges::sim::work;
use crate::providers::seven_bridges::sim::{Account, new_uuid};
use crate::sandbox::world::lock;

/// The refusal of an id that is no UUID, or of a task that is not there.
pub(super) fn not_there(id: &str) -> Refusal {
    let groups: Vec<&str> = id.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let hexadecimal = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    if lengths.eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal) {
        return Refusal::missing(7002, "Requested task does not exist.");
    }
    Refusal::bad(7005, "Malformed task id.")
}

/// Whether the query wants the task run at once: two pages, two names.
fn wants_run(call: &Call) -> bool {
    call.says("action", "run") || call.says("run", "true")
}

/// `POST /tasks`
pub(super) async fn create(State(account): State<Arc<Account>>, call: Call, sent: Sent) -> Answer {
    let mut task = read(&account, &call, &sent)?;
    let faults = account.world.faults();
    let project = account.project(&task.project)?;
    validate(&lock(&account.shared.files), &project, &mut task);
    let run = wants_run(&call);
    let strict = run && faults.is("sb.missing-inputs", "refused");
    let mut errors = task.errors.iter().filter(|_| strict);
    if let Some(problem) = errors.find(|text| text.contains("is missing")) {
        return Err(Refusal::bad(7012, problem.clone()));
    }
    let id = task.id.clone();
    let mut tasks = lock(&account.tasks);
    tasks.add(task);
    if run {
        start(&account, &mut tasks, &id);
    }
    if faults.is("sb.create-answer", "error-after") {
        return Err(Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            90004,
            "Unexpected error.",
        ));
    }
    told(&account, &tasks, &call, &id)
}

fn told(account: &Account, tasks: &Tasks, call: &Call, id: &str) -> Answer {
    let task = tasks.get(id).ok_or_else(|| not_there(id))?;
    let fields = Fields::new(call.one("fields"), &[]);
    let entry = Teller::new(&account.world, call).describe(tasks, task, &fields);
    Ok(Json(entry).into_response())
}

fn read(account: &Account, call: &Call, sent: &Sent) -> Result<Task, Refusal> {
    let needed = |name: &str| {
        let text = sent.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refusal::bad(90000, format!("{name} is required.")))
    };
    let project = account.may_run(needed("project")?)?;
    let (app, revision) = apps::find(account, needed("app")?)?;
    if app.project != project.id {
        return Err(Refusal::forbidden(
            6001,
            "The app has to be copied into the project first.",
        ));
    }
    let inputs = match sent.get("inputs") {
        None => serde_json::Map::new(),
        Some(Value::Object(inputs)) => inputs.clone(),
        Some(_) => return Err(Refusal::bad(90000, "inputs must be an object.")),
    };
    let wish = batch::wish(sent.get("batch_input"), sent.get("batch_by"))?;
    let (batch_input, batch_by) = wish.unzip();
    let kept = KEPT
        .iter()
        .filter_map(|name| Some((*name, sent.get(name)?.clone())));
    Ok(Task {
        id: new_uuid(),
        name: needed("name")?.to_owned(),
        description: sent.get("description").cloned().unwrap_or_default(),
        project: project.id,
        app,
        revision,
        inputs,
        batch: batch_by.is_some() && !call.says("batch", "false"),
        batch_input,
        batch_by,
        batch_group: None,
        parent: None,
        children: Vec::new(),
        place: 0,
        kept: kept.collect(),
        origin: None,
        errors: Vec::new(),
        warnings: Vec::new(),
        created: account.world.now(),
        started: None,
        aborted: None,
        work: Arc::default(),
        ended: None,
    })
}

/// Lets a draft without errors run.
fn start(account: &Account, tasks: &mut Tasks, id: &str) {
    let now = account.world.now();
    let Some(task) = tasks.get_mut(id).filter(|task| task.errors.is_empty()) else {
        return;
    };
    task.started = Some(now);
    let files = lock(&account.shared.files);
    let begin = |task: &Task| {
        let folder = &account.shared.blobs;
        work::start(&account.queue, &account.world, &files, task, folder);
    };
    if !task.batch {
        begin(task);
        tasks.running.push(id.to_owned());
        return;
    }
    let groups = batch::groups(&files, task).unwrap_or_default();
    let children = batch::children(task, groups);
    task.children = children.iter().map(|child| child.id.clone()).collect();
    for child in children {
        begin(&child);
        tasks.running.push(child.id.clone());
        tasks.add(child);
    }
    tasks.running.push(id.to_owned());
}

/// `POST /tasks/{id}/actions/run`
pub(super) async fn run(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let mut tasks = lock(&account.tasks);
    let task = tasks.get_mut(&id).ok_or_else(|| not_there(&id))?;
    if task.started.is_some() {
        return Err(Refusal::forbidden(7007, "Only a DRAFT task can be run."));
    }
    let project = account.may_run(&task.project)?;
    if call.says("batch", "false") {
        task.batch = false;
    }
    if let Some(value) = call.one("use_interruptible_instances") {
        let value = value.eq_ignore_ascii_case("true");
        task.kept
            .insert("use_interruptible_instances", json!(value));
    }
    validate(&lock(&account.shared.files), &project, task);
    let strict = account.world.faults().is("sb.run-with-errors", "refused");
    if let Some(problem) = task.errors.first().filter(|_| strict) {
        return Err(Refusal::bad(
            7024,
            format!("Task cannot be started: {problem}"),
        ));
    }
    start(&account, &mut tasks, &id);
    told(&account, &tasks, &call, &id)
}

/// `POST /tasks/{id}/actions/abort`
pub(super) async fn abort(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    account.settle();
    let now = account.world.now();
    let mut tasks = lock(&account.tasks);
    let task = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    account.may_run(&task.project)?;
    let rules = Rules::new(account.world.faults());
    let moment = tasks.moment(&rules, task, now);
    if !life::can_be_stopped(moment.status) {
        return Err(Refusal::bad(
            7011,
            "Only a task that is CREATING, RUNNING or QUEUED can be aborted.",
        ));
    }
    let mut ids = task.children.clone();
    ids.push(id.clone());
    for id in ids {
        let task = tasks.get_mut(&id).filter(|task| task.ended.is_none());
        if let Some(task) = task {
            task.aborted.get_or_insert(now);
        }
    }
    told(&account, &tasks, &call, &id)
}

/// `POST /tasks/{id}/actions/clone`
pub(super) async fn clone(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let mut tasks = lock(&account.tasks);
    let former = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    let project = account.may_run(&former.project)?;
    let mut task = Task {
        id: new_uuid(),
        parent: None,
        batch_group: None,
        children: Vec::new(),
        place: 0,
        created: account.world.now(),
        started: None,
        aborted: None,
        work: Arc::default(),
        ended: None,
        ..former.clone()
    };
    validate(&lock(&account.shared.files), &project, &mut task);
    let id = task.id.clone();
    tasks.add(task);
    if wants_run(&call) {
        start(&account, &mut tasks, &id);
    }
    told(&account, &tasks, &call, &id)
}

/// `PATCH /tasks/{id}`
pub(super) async fn change(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    call: Call,
    sent: Sent,
) -> Answer {
    let mut tasks = lock(&account.tasks);
    let task = tasks.get_mut(&id).ok_or_else(|| not_there(&id))?;
    if task.started.is_some() {
        return Err(Refusal::forbidden(
            7007,
            "Only a DRAFT task can be changed.",
        ));
    }
    let project = account.may_run(&task.project)?;
    if let Some(name) = sent.text("name") {
        name.clone_into(&mut task.name);
    }
    if let Some(description) = sent.get("description") {
        task.description = description.clone();
    }
    if let Some(inputs) = sent.get("inputs").and_then(Value::as_object) {
        task.inputs.extend(inputs.clone());
    }
    if let Some((input, by)) = batch::wish(sent.get("batch_input"), sent.get("batch_by"))? {
        task.batch_input = Some(input);
        task.batch_by = Some(by);
        task.batch = true;
    }
    for name in KEPT {
        if let Some(value) = sent.get(name) {
            task.kept.insert(name, value.clone());
        }
    }
    validate(&lock(&account.shared.files), &project, task);
    told(&account, &tasks, &call, &id)
}

/// `DELETE /tasks/{id}`
pub(super) async fn delete(State(account): State<Arc<Account>>, Path(id): Path<String>) -> Answer {
    let mut tasks = lock(&account.tasks);
    let task = tasks.get(&id).ok_or_else(|| not_there(&id))?;
    account.may_run(&task.project)?;
    tasks.remove(&id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Writes down the end of every task whose time has come, and puts its outputs into the project.
pub(super) fn settle(account: &Account) {
    let world = &account.world;
    let now = world.now();
    let rules = Rules::new(world.faults());
    let mut tasks = lock(&account.tasks);
    let running = std::mem::take(&mut tasks.running);
    let mut left = Vec::with_capacity(running.len());
    for id in running {
        let Some(task) = tasks.get(&id) else {
            continue;
        };
        let moment = if task.batch {
            Some(tasks.moment(&rules, task, now))
        } else {
            life::end_of_single(&rules, task, now)
        };
        let ended = moment.and_then(|moment| moment.ended.map(|at| (at, moment)));
        let Some((at, moment)) = ended else {
            left.push(id);
            continue;
        };
        let mut ended = Ended {
            status: moment.status,
            at,
            message: moment.message,
            outputs: Value::Null,
            logs: Vec::new(),
        };
        if !task.batch {
            write_end(account, task, &mut ended, now);
        }
        if let Some(task) = tasks.get_mut(&id) {
            task.ended = Some(ended);
        }
    }
    tasks.running = left;
}

fn write_end(account: &Account, task: &Task, ended: &mut Ended, now: std::time::Duration) {
    let Some(outcome) = task.work.outcome.get() else {
        return;
    };
    let now = account.world.timestamp_at(now);
    let mut files = lock(&account.shared.files);
    let log = work::log_file(&account.shared.blobs, &mut files, task, &outcome.log, now);
    ended.logs.extend(log.map(|id| ("job.err.log", id)));
    let root = files.root(&task.project, now);
    let chosen = task.kept.get("output_location");
    let chosen = chosen.and_then(|place| place.get("main_location")?.as_str());
    let parent = chosen.filter(|id| files.get(id).is_some_and(Item::is_folder));
    let parent = parent.map_or(root, str::to_owned);
    let made = outcome.made.as_ref().map(Vec::as_slice);
    let made = made.unwrap_or_default();
    let complete = ended.status == "COMPLETED";
    let names = work::output_names(&task.revision.raw);
    let values = names.into_iter().map(|name| {
        let made = made.iter().find(|(output, _)| *output == name);
        let value = match made.filter(|_| complete) {
            Some((_, made)) => work::publish(&mut files, made, &parent, &task.id, now),
            None => Value::Null,
        };
        (name, value)
    });
    ended.outputs = Value::Object(values.collect());
}
