//! Analysis jobs: submitting them, their life and how they are told of.
//!
//! Owns states and percentages by the world's clock. The work itself runs on another thread while
//! the job is *running*; a job succeeds when both its time and its work are done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::providers::biodock::sim::files::Unusable;
use crate::providers::biodock::sim::masks_job::MasksJob;
use crate::providers::biodock::sim::paging::{Fields, page};
use crate::providers::biodock::sim::pipelines::{self, Pipeline};
use crate::providers::biodock::sim::results::{Folders, Input, Produced, produce};
use crate::providers::biodock::sim::{Account, link, new_id, refuse, wrapped};
use crate::sandbox::faults::Faults;
use crate::sandbox::world::{World, lock};

/// How long a job waits at the demo pace.
const PENDING: Duration = Duration::from_millis(800);
/// How long it runs at least.
const RUNNING: Duration = Duration::from_millis(3_400);
/// And this longer for each file, up to `MOST_FOR_FILES`.
const FOR_EACH_FILE: Duration = Duration::from_millis(100);
const MOST_FOR_FILES: Duration = Duration::from_millis(1_200);
/// How long the setting `full-but-running` keeps a full job running.
const LINGER: Duration = Duration::from_secs(3);
/// How many answers the setting `late-urls` gives without links after the job succeeded.
const POLLS_WITHOUT_URLS: u32 = 2;

/// A submitted job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    name: Option<String>,
    submitted: Duration,
    running: Duration,
    /// Set once by the thread that does the work.
    pub(super) outcome: OnceLock<Result<Produced, String>>,
    polls_after_success: AtomicU32,
    pub(super) masks: Mutex<Option<Arc<MasksJob>>>,
}

/// What a job says of itself at one moment.
#[derive(Debug, Clone, PartialEq)]
struct Moment {
    status: &'static str,
    percent: f64,
    message: Option<String>,
}

impl Job {
    /// Whether it has succeeded, whatever it shows.
    pub(super) fn has_succeeded(&self, world: &World) -> bool {
        self.moment(world).status == "SUCCEEDED"
    }

    fn moment(&self, world: &World) -> Moment {
        let life = world.faults().value("biodock.life");
        let plain = |status, percent| Moment {
            status,
            percent,
            message: None,
        };
        let age = world.now().saturating_sub(self.submitted);
        let Some(ran) = age.checked_sub(PENDING) else {
            return plain("PENDING", 0.0);
        };
        let share = ran.as_secs_f64() / self.running.as_secs_f64();
        let outcome = self.outcome.get().filter(|_| share >= 1.0);
        let percent = (share * 100.0).min(99.0);
        match (life.as_str(), outcome) {
            ("stays", _) => plain("RUNNING", percent.min(40.0)),
            ("unknown-status", None) if share > 0.3 => plain("POSTPROCESSING", percent),
            (_, None) => plain("RUNNING", percent),
            ("full-but-running", Some(_)) if ran < self.running + LINGER => plain("RUNNING", 100.0),
            ("fails", Some(_)) => failed("The pipeline stopped unexpectedly"),
            (_, Some(Err(message))) => failed(message),
            (_, Some(Ok(_))) => plain("SUCCEEDED", 100.0),
        }
    }

    /// The job's entry. A failed job is at 100 percent, as a public client's reading of that number
    /// suggests; no reason is documented, ours is in `message`.
    fn describe(&self, world: &World) -> Map<String, Value> {
        let faults = world.faults();
        let moment = self.moment(world);
        let mut entry = Map::new();
        entry.insert("id".to_owned(), json!(self.id));
        entry.insert("status".to_owned(), json!(moment.status));
        if let Some(percent) = percentage(faults, moment.percent) {
            entry.insert("percentageCompleted".to_owned(), percent);
        }
        if let Some(message) = moment.message {
            entry.insert("message".to_owned(), json!(message));
        }
        if faults.is("biodock.job-names", "present") {
            entry.insert("name".to_owned(), json!(self.name));
        }
        let urls = [
            ("objectsDataCSVUrl", self.table(|made| &made.objects_table)),
            (
                "aggregateDataCSVUrl",
                self.table(|made| &made.aggregate_table),
            ),
        ];
        let offered = moment.status == "SUCCEEDED" && self.offers_urls(faults);
        for (name, file) in urls {
            if offered {
                let url = file.map(|file| link(world, file));
                entry.insert(name.to_owned(), json!(url));
            } else if faults.is("biodock.early-urls", "null") {
                entry.insert(name.to_owned(), Value::Null);
            }
        }
        entry
    }

    fn table(&self, which: fn(&Produced) -> &str) -> Option<&str> {
        self.outcome.get()?.as_ref().ok().map(which)
    }

    fn offers_urls(&self, faults: &Faults) -> bool {
        match faults.value("biodock.life").as_str() {
            "no-urls" => false,
            "late-urls" => {
                let before = self.polls_after_success.fetch_add(1, Ordering::Relaxed);
                before >= POLLS_WITHOUT_URLS
            }
            _ => true,
        }
    }
}

fn failed(message: &str) -> Moment {
    Moment {
        status: "FAILED",
        percent: 100.0,
        message: Some(message.to_owned()),
    }
}

/// A percentage as the settings want it; `None` leaves it out.
pub(super) fn percentage(faults: &Faults, percent: f64) -> Option<Value> {
    match faults.value("biodock.percentage").as_str() {
        "float" => Some(json!((percent * 1000.0).round() / 1000.0)),
        "null" => Some(Value::Null),
        "missing" => None,
        _ => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 100"
            )]
            let whole = percent as u32;
            Some(json!(whole))
        }
    }
}

/// `GET /analysis-jobs/{id}`
pub(super) async fn status(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let Some(job) = account.job(&id) else {
        return refuse(StatusCode::NOT_FOUND, "Analysis job not found");
    };
    let entry = job.describe(&account.world).into();
    let single = !account.world.faults().is("biodock.style", "flat");
    Json(wrapped(single, "analysisJob", entry)).into_response()
}

/// `GET /analysis-jobs`
pub(super) async fn list(
    State(account): State<Arc<Account>>,
    Query(fields): Query<Fields>,
) -> Response {
    let faults = account.world.faults();
    let wrap = faults.is("biodock.style", "wrapped");
    let jobs: Vec<Arc<Job>> = lock(&account.jobs).iter().rev().cloned().collect();
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    page(faults, &fields, &ids, |id| {
        let job = jobs.iter().find(|job| job.id == id)?;
        let entry = job.describe(&account.world).into();
        // The cursor needs the id where it always is, beside the wrapped entry.
        Some(if wrap {
            json!({ "id": id, "analysisJob": entry })
        } else {
            entry
        })
    })
}

/// What a submission asks for.
struct Order {
    pipeline: &'static Pipeline,
    inputs: Vec<Input>,
    name: Option<String>,
}

/// `POST /analysis-jobs`
pub(super) async fn submit(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    let order = match read_order(&account, &body) {
        Ok(order) => order,
        Err((status, message)) => return refuse(status, message),
    };
    let world = &account.world;
    let files = u32::try_from(order.inputs.len()).unwrap_or(u32::MAX);
    let job = Arc::new(Job {
        id: new_id(),
        name: order.name,
        submitted: world.now(),
        running: RUNNING + FOR_EACH_FILE.saturating_mul(files).min(MOST_FOR_FILES),
        outcome: OnceLock::new(),
        polls_after_success: AtomicU32::new(0),
        masks: Mutex::new(None),
    });
    start_work(world, &job, order.pipeline, order.inputs);
    let entry = json!({ "id": job.id, "percentageCompleted": 0, "status": "PENDING" });
    lock(&account.jobs).push(job);
    let all = world.faults().is("biodock.style", "wrapped");
    Json(wrapped(all, "analysisJob", entry)).into_response()
}

fn read_order(account: &Account, body: &[u8]) -> Result<Order, (StatusCode, &'static str)> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Err((BAD, "The body is not JSON"));
    };
    let text = |name| body.get(name).and_then(Value::as_str);
    let Some(pipeline) = text("pipelineId") else {
        return Err((BAD, "pipelineId is required"));
    };
    let ids = body.get("filesystemIds").and_then(Value::as_array);
    let ids = ids.and_then(|ids| ids.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    let Some(ids) = ids.filter(|ids| !ids.is_empty()) else {
        return Err((BAD, "filesystemIds must be a list of ids"));
    };
    let Some(pipeline) = pipelines::find(pipeline) else {
        return Err((StatusCode::NOT_FOUND, "Pipeline not found"));
    };
    let inputs = lock(&account.files).inputs(&ids, account.world.now());
    let inputs = inputs.map_err(|problem| match problem {
        Unusable::Unknown => (StatusCode::NOT_FOUND, "Filesystem item not found"),
        Unusable::NotReady => (BAD, "The file is still being processed"),
    })?;
    if inputs.is_empty() {
        return Err((BAD, "The folder is empty"));
    }
    Ok(Order {
        pipeline,
        inputs,
        name: text("name").map(str::to_owned),
    })
}

/// Starts the analysis on a thread of its own; it gives up when the job is gone, which is when the
/// sandbox was dropped.
fn start_work(world: &World, job: &Arc<Job>, pipeline: &'static Pipeline, inputs: Vec<Input>) {
    let job: Weak<Job> = Arc::downgrade(job);
    let folders = Folders {
        tables: results_folder(world),
        masks: world.folder().join("biodock-masks").join(new_id()),
    };
    drop(tokio::task::spawn_blocking(move || {
        let go_on = || job.strong_count() > 0;
        let work = || produce(&folders, pipeline, &inputs, &go_on);
        let outcome = catch_unwind(AssertUnwindSafe(work)).map_or_else(
            |_panic| Err("An image could not be analysed".to_owned()),
            |made| made.map_err(|error| error.to_string()),
        );
        if let Some(job) = job.upgrade() {
            job.outcome.get_or_init(|| outcome);
        }
    }));
}

/// Where files that links may point at are.
pub(super) fn results_folder(world: &World) -> PathBuf {
    world.folder().join("biodock-results")
}
