//! The work of tasks: what a tool gets, where it is done, and what comes of it.
//!
//! Owns the queue: at most a few tasks are worked on at once, however many were started.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::apps::{Revision, Tool};
use crate::providers::seven_bridges::sim::store::{Blob, Content, Files, Item, NewItem};
use crate::providers::seven_bridges::sim::task::Task;
use crate::providers::seven_bridges::sim::tools;
use crate::sandbox::world::{World, lock};

/// Tasks worked on at once.
const AT_ONCE: usize = 2;

/// The work of one task.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Set once by the thread that does the work.
    pub(super) outcome: OnceLock<Outcome>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// When it was done.
    pub(super) at: Duration,
    /// Values by output, or why there are none.
    pub(super) made: Result<Vec<(&'static str, Made)>, String>,
    /// What the tool wrote while it worked.
    pub(super) log: String,
}

/// The value of an output, before it is put into the project.
#[derive(Debug)]
pub(super) enum Made {
    Plain(Value),
    File {
        name: String,
        blob: Arc<Blob>,
        /// Files that belong beside it.
        secondary: Vec<Self>,
    },
    Folder {
        name: String,
        entries: Vec<Self>,
    },
    List(Vec<Self>),
}

/// An input file or folder of a task.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: String,
    /// Nothing for a folder.
    pub(super) blob: Option<Arc<Blob>>,
    /// Paths of the files in a folder.
    pub(super) inside: Vec<String>,
}

/// What a tool works on.
#[derive(Debug)]
pub(super) struct Order {
    /// The inputs, defaults added.
    pub(super) inputs: Map<String, Value>,
    /// Files and folders by id.
    pub(super) sources: BTreeMap<String, Source>,
    /// Where it writes.
    pub(super) folder: PathBuf,
}

impl Order {
    fn new(files: &Files, revision: &Revision, inputs: &Map<String, Value>, folder: &Path) -> Self {
        let mut order = Self {
            inputs: Map::new(),
            sources: BTreeMap::new(),
            folder: folder.to_owned(),
        };
        for input in &revision.inputs {
            let given = inputs.get(&input.id).filter(|value| !value.is_null());
            if let Some(value) = given.or(input.default.as_ref()) {
                collect(files, value, &mut order.sources);
                order.inputs.insert(input.id.clone(), value.clone());
            }
        }
        order
    }

    /// The files an input names, in order.
    pub(super) fn files(&self, input: &str) -> Vec<&Source> {
        let mut ids = Vec::new();
        if let Some(value) = self.inputs.get(input) {
            each_path(value, &mut |id| ids.push(id.to_owned()));
        }
        ids.iter().filter_map(|id| self.sources.get(id)).collect()
    }

    /// Writes a file of an output.
    pub(super) fn file(&self, name: impl Into<String>, bytes: &[u8]) -> std::io::Result<Made> {
        Ok(Made::File {
            name: name.into(),
            blob: Blob::write(&self.folder, bytes)?,
            secondary: Vec::new(),
        })
    }
}

fn each_path(value: &Value, found: &mut dyn FnMut(&str)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| each_path(value, found)),
        Value::Object(object) if object.contains_key("class") => {
            if let Some(path) = object.get("path").and_then(Value::as_str) {
                found(path);
            }
        }
        Value::Object(object) => object.values().for_each(|value| each_path(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn collect(files: &Files, value: &Value, sources: &mut BTreeMap<String, Source>) {
    each_path(value, &mut |id| {
        let Some(item) = files.get(id) else {
            return;
        };
        let mut inside = Vec::new();
        if item.is_folder() {
            walk(files, item, "", &mut inside);
        }
        let source = Source {
            name: item.name.clone(),
            blob: item.blob().cloned(),
            inside,
        };
        sources.insert(id.to_owned(), source);
    });
}

fn walk(files: &Files, folder: &Item, before: &str, into: &mut Vec<String>) {
    for item in files.inside(&folder.id) {
        let path = format!("{before}{}", item.name);
        if item.is_folder() {
            walk(files, item, &format!("{path}/"), into);
        } else {
            into.push(path);
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// Work that waits for a thread.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<(VecDeque<Job>, usize)>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    fn push(self: &Arc<Self>, job: Job) {
        let mut state = lock(&self.state);
        let (waiting, threads) = &mut *state;
        waiting.push_back(job);
        if *threads < AT_ONCE {
            *threads += 1;
            let queue = Arc::clone(self);
            drop(tokio::task::spawn_blocking(move || queue.work()));
        }
    }

    fn work(&self) {
        loop {
            let job = {
                let mut state = lock(&self.state);
                let (waiting, threads) = &mut *state;
                let Some(job) = waiting.pop_front() else {
                    *threads -= 1;
                    return;
                };
                job
            };
            job();
        }
    }
}

/// Starts the work of a task. It is not begun when the sandbox is gone by then.
pub(super) fn start(
    queue: &Arc<Queue>,
    world: &Arc<World>,
    files: &Files,
    task: &Task,
    folder: &Path,
) {
    let order = Order::new(files, &task.revision, &task.inputs, folder);
    let work = Arc::clone(&task.work);
    let tool = task.app.tool;
    let world = Arc::downgrade(world);
    queue.push(Box::new(move || {
        if world.strong_count() == 0 {
            return;
        }
        let outcome = done(tool, &order);
        if let Some(world) = world.upgrade() {
            let at = world.now();
            work.outcome.get_or_init(|| Outcome { at, ..outcome });
        }
    }));
}

fn done(tool: Tool, order: &Order) -> Outcome {
    let mut log = String::new();
    let made = catch_unwind(AssertUnwindSafe(|| tools::run(tool, order, &mut log)));
    Outcome {
        at: Duration::ZERO,
        made: made.unwrap_or_else(|panic: Box<dyn Any + Send>| {
            drop(panic);
            Err("The tool stopped unexpectedly".to_owned())
        }),
        log,
    }
}

/// Puts what was made into a folder of the project, and tells of it as a task does.
pub(super) fn publish(
    files: &mut Files,
    made: &Made,
    parent: &str,
    task: &str,
    now: jiff::Timestamp,
) -> Value {
    match made {
        Made::Plain(value) => value.clone(),
        Made::List(entries) => entries
            .iter()
            .map(|entry| publish(files, entry, parent, task, now))
            .collect(),
        Made::File {
            name,
            blob,
            secondary,
        } => {
            let content = Content::File(Arc::clone(blob));
            let new = NewItem {
                origin: Some(task),
                ..NewItem::plain(name, parent, content)
            };
            let Some(item) = files.add_numbered(new, now) else {
                return Value::Null;
            };
            let mut value = json!({
                "class": "File",
                "path": item.id,
                "name": item.name,
                "size": blob.bytes,
            });
            let beside: Vec<Value> = secondary
                .iter()
                .map(|entry| publish(files, entry, parent, task, now))
                .collect();
            if let Some(value) = value.as_object_mut().filter(|_| !beside.is_empty()) {
                value.insert("secondaryFiles".to_owned(), json!(beside));
            }
            value
        }
        Made::Folder { name, entries } => {
            let new = NewItem {
                origin: Some(task),
                ..NewItem::plain(name, parent, Content::Folder)
            };
            let Some(item) = files.add_numbered(new, now) else {
                return Value::Null;
            };
            for entry in entries {
                publish(files, entry, &item.id, task, now);
            }
            json!({ "class": "Directory", "path": item.id, "name": item.name })
        }
    }
}

/// Keeps what a tool wrote while it worked as a file that is in no folder.
pub(super) fn log_file(
    folder: &Path,
    files: &mut Files,
    task: &Task,
    text: &str,
    now: jiff::Timestamp,
) -> Option<String> {
    match Blob::write(folder, text.as_bytes()) {
        Ok(blob) => Some(files.add_apart("job.err.log", &task.project, blob, now)),
        Err(error) => {
            tracing::error!(%error, "the sandbox cannot keep a log");
            None
        }
    }
}

/// The outputs an app declares, in its order, without `#` and what stands before the last slash.
pub(super) fn output_names(raw: &Value) -> Vec<String> {
    let bare = |id: &str| {
        let last = id.rsplit('/').next().unwrap_or(id);
        last.trim_start_matches('#').to_owned()
    };
    match raw.get("outputs") {
        Some(Value::Array(outputs)) => {
            let ids = outputs
                .iter()
                .filter_map(|output| output.get("id")?.as_str());
            ids.map(bare).collect()
        }
        Some(Value::Object(outputs)) => outputs.keys().map(|id| bare(id)).collect(),
        _ => Vec::new(),
    }
}
