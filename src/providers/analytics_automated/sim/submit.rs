//! Taking a submission in: the checks in their real order, then the work.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::providers::analytics_automated::sim::catalog::{self, JobDefinition};
use crate::providers::analytics_automated::sim::files;
use crate::providers::analytics_automated::sim::form::{self, Fields, Unreadable, Upload};
use crate::providers::analytics_automated::sim::jobs::{Part, Queue, StepRun};
use crate::providers::analytics_automated::sim::names::valid_name;
use crate::providers::analytics_automated::sim::rules::{self, ValueRefusal, Verdict};
use crate::providers::analytics_automated::sim::{Server, tasks};

/// From this many alive on, new jobs go to the low queue.
const SOFT_LIMIT: usize = 10;
/// From this many alive on, new jobs are refused, unless the setting says another number.
const HARD_LIMIT: u64 = 15;

/// A reply of the interface, or a page of Django for an error nobody caught.
#[derive(Debug)]
pub(super) enum Reply {
    Interface(StatusCode, Value),
    Page(StatusCode),
}

impl Reply {
    fn error(status: StatusCode, text: impl Into<Value>) -> Self {
        Self::Interface(status, json!({ "error": text.into() }))
    }

    /// There is nothing under this identifier, name or page.
    pub(super) fn not_found() -> Self {
        Self::Interface(StatusCode::NOT_FOUND, json!({"detail": "Not found."}))
    }

    fn refusal(text: impl Into<Value>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, text)
    }
}

/// Who sends, and with what right.
#[derive(Debug)]
pub(super) struct Sender {
    /// The address the quota counts by.
    pub(super) address: String,
    /// Whether good credentials came along.
    pub(super) known: bool,
}

/// Answers one POST.
pub(super) async fn submit(server: &Server, sender: &Sender, request: Request) -> Reply {
    let fields = match form::read(request).await {
        Ok(fields) => fields,
        Err(Unreadable::MediaType(kind)) => {
            let detail = format!("Unsupported media type \"{kind}\" in request.");
            return Reply::Interface(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                json!({ "detail": detail }),
            );
        }
        Err(Unreadable::Malformed(text)) => {
            return Reply::Interface(StatusCode::BAD_REQUEST, json!({ "detail": text }));
        }
    };
    match accept(server, sender, &fields).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn accept(server: &Server, sender: &Sender, fields: &Fields) -> Result<Reply, Reply> {
    let (Some(job_names), Some(name), Some(email)) = (
        fields.text("job"),
        fields.text("submission_name"),
        fields.text("email"),
    ) else {
        return Err(Reply::refusal("Input does not contain all required fields"));
    };
    let mut jobs = Vec::new();
    for job_name in job_names.split(',') {
        let job = catalog::find(job_name)
            .ok_or_else(|| Reply::refusal("Job name supplied does not exist"))?;
        jobs.push(job);
    }
    let queue = quota(server, sender)?;
    for job in &jobs {
        check_job(job, fields)?;
    }
    let batch = server.open_batch();
    for job in jobs {
        let upload = check_upload(job, name, email, fields)?;
        let draft = Draft {
            batch: &batch,
            name,
            email,
            queue,
            sender,
        };
        take_in(server, job, upload, fields, &draft).await?;
    }
    Ok(Reply::Interface(
        StatusCode::CREATED,
        json!({ "UUID": batch, "submission_name": name }),
    ))
}

/// Which queue the next job goes to; refused when too many are alive already.
fn quota(server: &Server, sender: &Sender) -> Result<Queue, Reply> {
    let alive = server.alive(&sender.address);
    let limit = server
        .world
        .faults()
        .number("aa.limit")
        .unwrap_or(HARD_LIMIT);
    if u64::try_from(alive).is_ok_and(|alive| alive >= limit) {
        return Err(Reply::error(
            StatusCode::TOO_MANY_REQUESTS,
            format!(
                "You have no authority to post jobs.Either you are not logged in you have too many, {alive}, concurrent jobs running"
            ),
        ));
    }
    Ok(match alive {
        _ if sender.known => Queue::High,
        SOFT_LIMIT.. => Queue::Low,
        _ => Queue::Normal,
    })
}

/// Enabled, with steps, with all its parameters, and all values clean.
fn check_job(job: &JobDefinition, fields: &Fields) -> Result<(), Reply> {
    let name = job.name;
    if !job.enabled {
        return Err(Reply::error(
            StatusCode::FORBIDDEN,
            format!("{name} is present but currently disabled."),
        ));
    }
    if job.steps.is_empty() {
        return Err(Reply::refusal(format!(
            "Job Requested: {name} appears to have no Steps"
        )));
    }
    let frame = |reason: &str| {
        Reply::refusal(format!(
            "Required Parameter for {name} Missing.{reason}. GET /analytics_automated/endpoints to discover all required options"
        ))
    };
    let mut parameters = job.steps.iter().flat_map(|step| step.parameters);
    if !parameters.all(|parameter| fields.has(parameter.name)) {
        return Err(frame(
            "You are missing a required parameter in your web form submission",
        ));
    }
    rules::check_values(&fields.extras()).map_err(|refusal| match refusal {
        ValueRefusal::Broke => Reply::Page(StatusCode::INTERNAL_SERVER_ERROR),
        ValueRefusal::Reason(reason) => frame(&reason),
    })
}

/// The web form and the validator of the job.
fn check_upload<'a>(
    job: &JobDefinition,
    name: &str,
    email: &str,
    fields: &'a Fields,
) -> Result<&'a Upload, Reply> {
    let upload = fields.input();
    let errors = rules::check_form(name, email, upload);
    let Some(upload) = upload.filter(|_| errors.is_empty()) else {
        return Err(Reply::refusal(errors));
    };
    match rules::check_content(job.validator, &upload.bytes) {
        Verdict::Fine => Ok(upload),
        Verdict::Refused => Err(Reply::refusal(
            json!({ "input_data": ["Input data could not be validated"] }),
        )),
        Verdict::Raised(text) => Err(Reply::error(StatusCode::INSUFFICIENT_STORAGE, text)),
    }
}

/// What all parts of one submission share.
struct Draft<'a> {
    batch: &'a str,
    name: &'a str,
    email: &'a str,
    queue: Queue,
    sender: &'a Sender,
}

/// Saves the row, runs the commands and hands the part to its queue.
async fn take_in(
    server: &Server,
    job: &'static JobDefinition,
    upload: &Upload,
    fields: &Fields,
    draft: &Draft<'_>,
) -> Result<(), Reply> {
    let storage = |text: String| Reply::error(StatusCode::INSUFFICIENT_STORAGE, text);
    let uuid = server.next_identifier();
    let Some(wanted) = valid_name(&upload.name) else {
        return Err(storage(format!(
            "Could not derive file name from '{}'",
            upload.name
        )));
    };
    let folder = files::folder(&server.world);
    let broker_is_up = server.world.faults().is("aa.broker", "up");
    let values: BTreeMap<String, String> = job
        .steps
        .iter()
        .flat_map(|step| step.parameters)
        .filter_map(|parameter| {
            let value = fields.text(parameter.name)?;
            Some((parameter.name.to_owned(), value.to_owned()))
        })
        .collect();
    let bytes = upload.bytes.clone();
    let single = uuid.clone();
    let (input, steps) = tokio::task::spawn_blocking(move || {
        let input = files::store(&folder, &wanted, &bytes)?;
        let steps = run_steps(&folder, &single, job, (&input, &bytes), &values)?;
        Ok::<_, io::Error>((input, steps))
    })
    .await
    .map_err(|error| storage(error.to_string()))?
    .map_err(|error| storage(error.to_string()))?;
    let part = Part {
        uuid: uuid.clone(),
        job,
        submission_name: draft.name.trim().to_owned(),
        email: draft.email.trim().to_owned(),
        input,
        sender: draft.sender.address.clone(),
        submitted: server.world.now(),
        queue: broker_is_up.then_some(draft.queue),
        steps,
    };
    server.add(draft.batch, part);
    if broker_is_up {
        return Ok(());
    }
    Err(Reply::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("Invalid string exec on chain(task_runner.subtask(('{uuid}', 0, 1, 1)))"),
    ))
}

/// Runs the chain of commands until one fails; each works on the first file of the one before.
fn run_steps(
    folder: &Path,
    uuid: &str,
    job: &'static JobDefinition,
    input: (&str, &[u8]),
    values: &BTreeMap<String, String>,
) -> io::Result<Vec<StepRun>> {
    let mut runs = Vec::new();
    let mut bytes = input.1.to_vec();
    let mut name = input.0.to_owned();
    for (step, task) in (1..).zip(job.steps) {
        let value = |key: &str| values.get(key).cloned();
        let outcome = match tasks::run(task, &name, &bytes, &value) {
            Ok(outputs) => {
                let mut stored = Vec::new();
                for (extension, content) in &outputs {
                    stored.push(files::store(
                        folder,
                        &format!("{uuid}{extension}"),
                        content,
                    )?);
                }
                if let Some((first, (_, content))) = stored.first().zip(outputs.into_iter().next())
                {
                    name.clone_from(first);
                    bytes = content;
                }
                Ok(stored)
            }
            Err(failure) => Err(format!(
                "Unable to call commandRunner.run_cmd(): Exit status {} : {step} : {}",
                failure.status, failure.command
            )),
        };
        let failed = outcome.is_err();
        runs.push(StepRun { task, outcome });
        if failed {
            break;
        }
    }
    Ok(runs)
}
