//! Masks on request: asking for them and watching them being made.
//!
//! Owns the second, smaller job that hangs on an analysis job. What a repeated request does is not
//! documented; here it returns the job there is.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::providers::biodock::sim::jobs::{percentage, results_folder};
use crate::providers::biodock::sim::results::Produced;
use crate::providers::biodock::sim::{Account, link, masks, new_id, refuse, wrapped};
use crate::sandbox::world::{World, lock};

/// How long the request waits at the demo pace.
const SUBMITTED: Duration = Duration::from_millis(300);
/// How long packing seems to take.
const RUNNING: Duration = Duration::from_millis(1_700);

/// A request for masks.
#[derive(Debug)]
pub(super) struct MasksJob {
    asked: Duration,
    file: String,
    /// Set once by the thread that packs.
    outcome: OnceLock<Result<(), String>>,
}

impl MasksJob {
    fn start(world: &World, produced: &Produced) -> Arc<Self> {
        let job = Arc::new(Self {
            asked: world.now(),
            file: new_id(),
            outcome: OnceLock::new(),
        });
        let target = results_folder(world).join(&job.file);
        let files = produced.masks.clone();
        let hostile = world.faults().is("biodock.masks-zip", "hostile");
        let packing = Arc::clone(&job);
        drop(tokio::task::spawn_blocking(move || {
            let packed = if hostile {
                masks::pack_hostile(&target, &files)
            } else {
                masks::pack(&target, &files)
            };
            let outcome = packed.map_err(|error| error.to_string());
            packing.outcome.get_or_init(|| outcome);
        }));
        job
    }

    fn describe(&self, world: &World) -> Value {
        let faults = world.faults();
        let life = faults.value("biodock.masks-life");
        let age = world.now().saturating_sub(self.asked);
        let ran = age.checked_sub(SUBMITTED);
        let share = ran.map(|ran| ran.as_secs_f64() / RUNNING.as_secs_f64());
        let outcome = self.outcome.get().filter(|_| share >= Some(1.0));
        let (status, percent) = match (life.as_str(), share, outcome) {
            (_, None, _) => ("SUBMITTED", 0.0),
            ("stays", Some(share), _) => ("RUNNING", (share * 100.0).min(40.0)),
            (_, Some(share), None) => ("RUNNING", (share * 100.0).min(99.0)),
            ("fails", _, Some(_)) | (_, _, Some(Err(_))) => ("FAILED", 100.0),
            (_, _, Some(Ok(()))) => ("SUCCEEDED", 100.0),
        };
        let mut entry = Map::new();
        if let Some(percent) = percentage(faults, percent) {
            entry.insert("percentageCompleted".to_owned(), percent);
        }
        // The one wrapped answer seen in public has no status; the documentation has one.
        if !faults.is("biodock.masks-status", "missing") {
            entry.insert("status".to_owned(), json!(status));
        }
        if status == "SUCCEEDED" && life != "no-urls" {
            entry.insert("masksZipUrl".to_owned(), json!(link(world, &self.file)));
        }
        entry.into()
    }
}

/// `POST /analysis-jobs/{id}/download-masks`
pub(super) async fn ask(State(account): State<Arc<Account>>, Path(id): Path<String>) -> Response {
    let world = &account.world;
    let Some(job) = account.job(&id) else {
        return refuse(StatusCode::NOT_FOUND, "Analysis job not found");
    };
    let produced = job.outcome.get().and_then(|outcome| outcome.as_ref().ok());
    let Some(produced) = produced.filter(|_| job.has_succeeded(world)) else {
        // What happens before the job has succeeded is not documented.
        return refuse(StatusCode::CONFLICT, "The analysis job has not succeeded");
    };
    let masks =
        Arc::clone(lock(&job.masks).get_or_insert_with(|| MasksJob::start(world, produced)));
    let all = world.faults().is("biodock.style", "wrapped");
    Json(wrapped(all, "downloadMasksJob", masks.describe(world))).into_response()
}

/// `GET /analysis-jobs/{id}/download-masks`
pub(super) async fn status(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let world = &account.world;
    let Some(job) = account.job(&id) else {
        return refuse(StatusCode::NOT_FOUND, "Analysis job not found");
    };
    let masks = lock(&job.masks).clone();
    let Some(masks) = masks else {
        return refuse(StatusCode::NOT_FOUND, "No masks were asked for");
    };
    let single = !world.faults().is("biodock.style", "flat");
    Json(wrapped(single, "downloadMasksJob", masks.describe(world))).into_response()
}
