//! What a task is, and what is said of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::apps::{App, Revision};
use crate::providers::seven_bridges::sim::call::Call;
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::life::{self, Moment, Rules};
use crate::providers::seven_bridges::sim::work::Work;
use crate::providers::seven_bridges::sim::{USER, time_text};
use crate::sandbox::world::World;

/// A task: a draft, one that runs, or a batch with children.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Value,
    pub(super) project: String,
    pub(super) app: App,
    pub(super) revision: Arc<Revision>,
    pub(super) inputs: Map<String, Value>,
    pub(super) batch_input: Option<String>,
    pub(super) batch_by: Option<Value>,
    /// Whether it makes children when it runs.
    pub(super) batch: bool,
    pub(super) batch_group: Option<Value>,
    pub(super) parent: Option<String>,
    pub(super) children: Vec<String>,
    /// Which child of its parent, from 1.
    pub(super) place: u64,
    /// What was sent along and is only kept.
    pub(super) kept: BTreeMap<&'static str, Value>,
    pub(super) origin: Option<String>,
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) created: Duration,
    /// When it was told to run.
    pub(super) started: Option<Duration>,
    /// When it was told to stop.
    pub(super) aborted: Option<Duration>,
    pub(super) work: Arc<Work>,
    pub(super) ended: Option<Ended>,
}

/// How a task ended; does not change any more.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) status: &'static str,
    pub(super) at: Duration,
    pub(super) message: Option<String>,
    pub(super) outputs: Value,
    /// Names and file ids.
    pub(super) logs: Vec<(&'static str, String)>,
}

/// Members that are only kept and given back.
pub(super) const KEPT: [&str; 3] = [
    "execution_settings",
    "output_location",
    "use_interruptible_instances",
];

/// All tasks.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    by_id: BTreeMap<String, Task>,
    /// Ids, oldest first.
    order: Vec<String>,
    /// Ids of those that run, children before their parents.
    pub(super) running: Vec<String>,
}

impl Tasks {
    pub(super) fn get(&self, id: &str) -> Option<&Task> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.by_id.get_mut(id)
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Task> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    pub(super) fn children<'a>(&'a self, parent: &'a Task) -> impl Iterator<Item = &'a Task> {
        let ids = parent.children.iter();
        ids.filter_map(|id| self.by_id.get(id))
    }

    pub(super) fn add(&mut self, task: Task) {
        self.order.push(task.id.clone());
        self.by_id.insert(task.id.clone(), task);
    }

    /// Takes a task out, and its children with it.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(task) = self.by_id.remove(id) else {
            return;
        };
        for child in &task.children {
            self.by_id.remove(child);
        }
        let by_id = &self.by_id;
        self.order.retain(|id| by_id.contains_key(id));
        self.running.retain(|id| by_id.contains_key(id));
    }

    /// How a task stands at a moment.
    pub(super) fn moment(&self, rules: &Rules, task: &Task, now: Duration) -> Moment {
        if !task.batch || task.started.is_none() {
            return life::of_single(rules, task, now);
        }
        let children = self.children(task);
        let children = children.map(|child| life::of_single(rules, child, now));
        life::of_parent(rules, task, now, children)
    }
}

/// How tasks are told of in one answer: the settings read once, and the addresses of the call.
#[derive(Debug)]
pub(super) struct Teller<'a> {
    pub(super) world: &'a World,
    call: &'a Call,
    pub(super) rules: Rules,
    pub(super) now: Duration,
    outputs: String,
    execution_status: String,
    price_as_text: bool,
    errors_as_texts: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(world: &'a World, call: &'a Call) -> Self {
        let faults = world.faults();
        Self {
            world,
            call,
            rules: Rules::new(faults),
            now: world.now(),
            outputs: faults.value("sb.outputs"),
            execution_status: faults.value("sb.execution-status"),
            price_as_text: faults.is("sb.price", "text"),
            errors_as_texts: faults.is("sb.error-entries", "texts"),
        }
    }

    /// A time as it is written.
    pub(super) fn time(&self, moment: Option<Duration>) -> Option<String> {
        moment.map(|moment| time_text(self.world.timestamp_at(moment)))
    }

    /// Everything wanted about a task.
    pub(super) fn describe(&self, tasks: &Tasks, task: &Task, fields: &Fields) -> Value {
        let moment = tasks.moment(&self.rules, task, self.now);
        let mut entry = json!({
            "href": self.call.href(&format!("/tasks/{}", task.id)),
            "id": task.id,
            "name": task.name,
            "status": moment.status,
            "description": task.description,
            "project": task.project,
            "app": task.app.id_of(&task.revision),
            "type": "v2",
            "created_by": USER,
            "executed_by": task.started.map(|_| USER),
            "parent": task.parent,
            "origin_id": task.origin,
            "created_time": self.time(Some(task.created)),
            "start_time": self.time(life::start(&self.rules, task)),
            "end_time": self.time(moment.ended),
            "batch": task.batch,
            "batch_by": task.batch_by,
            "batch_input": task.batch_input,
            "errors": self.entries(&task.errors),
            "warnings": self.entries(&task.warnings),
        });
        let Some(members) = entry.as_object_mut() else {
            return entry;
        };
        for name in KEPT {
            let value = task.kept.get(name).cloned().unwrap_or_default();
            members.insert(name.to_owned(), value);
        }
        if let Some(group) = &task.batch_group {
            members.insert("batch_group".to_owned(), group.clone());
        }
        if fields.wants("inputs") {
            members.insert("inputs".to_owned(), json!(task.inputs));
        }
        if fields.wants("outputs") {
            members.insert("outputs".to_owned(), self.outputs(task));
        }
        if fields.wants("price") {
            members.insert("price".to_owned(), self.price(&moment));
        }
        match self.execution_status.as_str() {
            "absent" => {}
            "sparse" => {
                let message = json!({ "message": moment.message });
                members.insert("execution_status".to_owned(), message);
            }
            _ => {
                members.insert("execution_status".to_owned(), moment.json());
            }
        }
        fields.shape(entry)
    }

    /// Errors and warnings are objects, or texts, as the setting says.
    fn entries(&self, messages: &[String]) -> Value {
        if self.errors_as_texts {
            return json!(messages);
        }
        let object = |message: &String| json!({ "message": message });
        messages.iter().map(object).collect()
    }

    fn outputs(&self, task: &Task) -> Value {
        match (self.outputs.as_str(), task.ended.as_ref()) {
            ("null", _) => Value::Null,
            ("empty", _) => json!({}),
            (_, Some(ended)) => ended.outputs.clone(),
            (_, None) => Value::Null,
        }
    }

    fn price(&self, moment: &Moment) -> Value {
        let cents = moment.running.as_millis() / 100;
        let amount = cents as f64 / 100.0;
        let amount = if self.price_as_text {
            json!(format!("{amount:.2}"))
        } else {
            json!(amount)
        };
        json!({
            "currency": "USD",
            "amount": amount,
            "breakdown": { "storage": 0, "computation": amount, "data_transfer": 0 },
        })
    }
}
