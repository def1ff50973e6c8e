//! Computations: starting them, their life by the world's clock, how they are told of, renaming and removing them.
//!
//! The work itself is done on another thread while the computation is *running*; it is over when both its time and its work
//! are done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::answer::{
    Refusal, answer, bad, check_id, done, entry, missing,
};
use crate::providers::code_ocean::sim::capsules::{self, Capsule, Kind};
use crate::providers::code_ocean::sim::order::{Input, Order, Scope};
use crate::providers::code_ocean::sim::query::Fields;
use crate::providers::code_ocean::sim::tree::{self, Tree};
use crate::providers::code_ocean::sim::work::work;
use crate::providers::code_ocean::sim::{Account, EMAIL, OWNER, new_id, now_seconds};
use crate::sandbox::world::{World, lock};

/// How long a computation gets ready at the demo pace.
const INITIALIZING: Duration = Duration::from_millis(800);
/// How long it runs at least.
const RUNNING: Duration = Duration::from_millis(2_900);
/// And this longer for each file, up to `MOST_FOR_FILES`.
const FOR_EACH_FILE: Duration = Duration::from_millis(100);
const MOST_FOR_FILES: Duration = Duration::from_millis(1_200);
/// How long it puts its results away.
const FINALIZING: Duration = Duration::from_millis(600);

/// A computation.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) capsule: &'static Capsule,
    version: Option<u64>,
    name: Mutex<String>,
    created: i64,
    submitted: Duration,
    running: Duration,
    scopes: Vec<Scope>,
    assets: Vec<(String, String)>,
    nextflow_profile: Option<String>,
    /// Set once by the thread that does the work.
    outcome: OnceLock<Result<Outcome, String>>,
}

/// What the work came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) tree: Arc<Tree>,
    pub(super) exit_code: i32,
}

/// What a computation says of itself at one moment.
#[derive(Debug, Clone, PartialEq)]
struct Moment {
    state: &'static str,
    end_status: Option<&'static str>,
    exit_code: Option<i32>,
    has_results: bool,
    run_time: Duration,
}

impl Run {
    fn moment(&self, world: &World) -> Moment {
        let life = world.faults().value("code_ocean.life");
        let plain = |state, run_time| Moment {
            state,
            end_status: None,
            exit_code: None,
            has_results: false,
            run_time,
        };
        let age = world.now().saturating_sub(self.submitted);
        let Some(ran) = age.checked_sub(INITIALIZING) else {
            return plain("initializing", Duration::ZERO);
        };
        let over = ran >= self.running + FINALIZING;
        let outcome = self.outcome.get().filter(|_| over && life != "stays");
        let Some(outcome) = outcome else {
            let state = if life == "unknown-state" && ran * 3 > self.running {
                "provisioning"
            } else if ran < self.running || life == "stays" {
                "running"
            } else {
                "finalizing"
            };
            return plain(state, ran.min(self.running));
        };
        let (real, works) = match outcome {
            Ok(outcome) => (outcome.exit_code, true),
            Err(_) => (137, false),
        };
        let (state, end_status, exit_code) = match life.as_str() {
            "fails" => ("completed", Some("failed"), Some(1)),
            "succeeded-exit-1" => ("completed", Some("succeeded"), Some(1)),
            "failed-exit-0" => ("completed", Some("failed"), Some(0)),
            "failed-state" => ("failed", Some("failed"), Some(137)),
            "stopped" => ("completed", Some("stopped"), Some(143)),
            "unknown-end" => ("completed", Some("vanished"), Some(0)),
            "no-end-status" => ("completed", None, None),
            _ if real == 0 => ("completed", Some("succeeded"), Some(0)),
            _ => ("completed", Some("failed"), Some(real)),
        };
        Moment {
            state,
            end_status,
            exit_code,
            has_results: works && life != "no-results",
            run_time: self.running,
        }
    }

    /// Its entry. `owner` and `run_time` are always there: the official client needs them.
    fn describe(&self, world: &World) -> Value {
        let moment = self.moment(world);
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        put("id", json!(self.id));
        put("created", json!(self.created));
        put("name", json!(*lock(&self.name)));
        put("owner", json!(OWNER));
        put("owner_email", json!(EMAIL));
        put("run_time", json!(moment.run_time.as_secs()));
        put("state", json!(moment.state));
        put("cloud_workstation", json!(false));
        if let Some(status) = moment.end_status {
            put("end_status", json!(status));
        }
        if let Some(code) = moment.exit_code {
            put("exit_code", json!(code));
        }
        if matches!(moment.state, "completed" | "failed") {
            put("has_results", json!(moment.has_results));
        }
        let mut scopes = self.scopes.iter();
        if let Some(top) = scopes.next() {
            put("parameters", json!(top.told));
        }
        let assets = self.assets.iter();
        let assets = assets.map(|(id, mount)| json!({ "id": id, "mount": mount }));
        put("data_assets", assets.collect());
        if self.capsule.kind == Kind::Pipeline {
            let processes = scopes.map(|scope| {
                json!({
                    "name": scope.name,
                    "capsule_id": self.capsule.id,
                    "version": 1,
                    "public": false,
                    "parameters": scope.told,
                })
            });
            put("processes", processes.collect());
        }
        if let Some(profile) = &self.nextflow_profile {
            put("nextflow_profile", json!(profile));
        }
        if let Some(version) = self.version {
            put("version", json!(version));
        }
        let plain = entry(world.faults(), members.into());
        if world.faults().is("code_ocean.casing", "odd") {
            oddly_cased(plain)
        } else {
            plain
        }
    }
}

/// As some samples in the vendor's pages are written.
fn oddly_cased(entry: Value) -> Value {
    let Value::Object(members) = entry else {
        return entry;
    };
    let renamed = members.into_iter().map(|(name, value)| {
        let name = match name.as_str() {
            "id" => "Id".to_owned(),
            "data_assets" => "Data_assets".to_owned(),
            "has_results" => "Has_results".to_owned(),
            "run_time" => "Run_time".to_owned(),
            _ => name,
        };
        (name, value)
    });
    renamed.collect::<Map<_, _>>().into()
}

impl Account {
    /// A computation by its id.
    pub(super) fn run(&self, id: &str) -> Result<Arc<Run>, Refusal> {
        check_id(id)?;
        let found = lock(&self.runs).iter().find(|run| run.id == id).cloned();
        found.ok_or_else(|| missing("computation not found"))
    }

    /// The results of a computation that is over. What is said before is not documented.
    pub(super) fn results(&self, run: &Run) -> Result<Arc<Tree>, Refusal> {
        let has_results = run.moment(&self.world).has_results;
        match run.outcome.get() {
            Some(Ok(outcome)) if has_results => Ok(Arc::clone(&outcome.tree)),
            Some(_) | None => Err(missing("the computation has no results")),
        }
    }
}

/// `POST /computations`
pub(super) async fn submit(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    let order = Order::read(&account, &body);
    answer(order.map(|order| start(&account, order).describe(&account.world)))
}

fn start(account: &Account, order: Order) -> Arc<Run> {
    let world = &account.world;
    let files = u32::try_from(order.inputs.len()).unwrap_or(u32::MAX);
    let created = now_seconds(world);
    let given = order.scopes.iter().any(|scope| !scope.told.is_empty());
    let words = if given { "Run With Parameters" } else { "Run" };
    let run = Arc::new(Run {
        id: new_id(),
        capsule: order.capsule,
        version: order.version,
        name: Mutex::new(format!("{words} {:07}", created % 10_000_000)),
        created,
        submitted: world.now(),
        running: RUNNING + FOR_EACH_FILE.saturating_mul(files).min(MOST_FOR_FILES),
        scopes: order.scopes,
        assets: order.assets,
        nextflow_profile: order.nextflow_profile,
        outcome: OnceLock::new(),
    });
    for asset in account.assets().iter_mut() {
        if run.assets.iter().any(|(id, _)| *id == asset.id) {
            asset.last_used = created;
        }
    }
    start_work(world, &run, order.inputs);
    lock(&account.runs).push(Arc::clone(&run));
    run
}

/// Starts the work on a thread of its own; it gives up when the computation is gone, which is when it was deleted or the
/// sandbox dropped.
fn start_work(world: &World, run: &Arc<Run>, inputs: Vec<Input>) {
    let all = tree::all(world);
    let hostile = world.faults().is("code_ocean.results", "hostile");
    let (what, scopes) = (run.capsule.work, run.scopes.clone());
    let run: Weak<Run> = Arc::downgrade(run);
    drop(tokio::task::spawn_blocking(move || {
        let go_on = || run.strong_count() > 0;
        let produce = || work(what, &all, &scopes, &inputs, hostile, &go_on);
        let outcome = catch_unwind(AssertUnwindSafe(produce)).map_or_else(
            |_panic| Err("the code stopped unexpectedly".to_owned()),
            |made| made.map_err(|error| error.to_string()),
        );
        if let Some(run) = run.upgrade() {
            run.outcome.get_or_init(|| outcome);
        }
    }));
}

/// `GET /computations/{id}`
pub(super) async fn get_run(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    answer(account.run(&id).map(|run| run.describe(&account.world)))
}

/// `GET /capsules/{id}/computations`
pub(super) async fn capsule_runs(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    answer(runs_of(&account, Kind::Capsule, &id))
}

/// `GET /pipelines/{id}/computations`
pub(super) async fn pipeline_runs(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    answer(runs_of(&account, Kind::Pipeline, &id))
}

/// All of them, newest first, never in pages.
fn runs_of(account: &Account, kind: Kind, id: &str) -> Result<Value, Refusal> {
    let capsule = capsules::find(kind, id)?;
    let runs = lock(&account.runs).clone();
    let of_capsule = runs.iter().rev().filter(|run| run.capsule.id == capsule.id);
    Ok(of_capsule.map(|run| run.describe(&account.world)).collect())
}

/// `PATCH /computations/{id}?name=`
pub(super) async fn rename(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    let renamed = account.run(&id).and_then(|run| {
        let name = fields.needed("name")?;
        if name.trim().is_empty() {
            return Err(bad("name must not be empty"));
        }
        name.clone_into(&mut lock(&run.name));
        Ok(())
    });
    match renamed {
        // Seen with a body of nothing and either status.
        Ok(()) if account.world.faults().is("code_ocean.rename", "200") => {
            StatusCode::OK.into_response()
        }
        renamed => done(renamed),
    }
}

/// `DELETE /computations/{id}`: stops it and removes it with its results.
pub(super) async fn delete(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let run = account.run(&id);
    done(run.map(|run| lock(&account.runs).retain(|other| other.id != run.id)))
}
