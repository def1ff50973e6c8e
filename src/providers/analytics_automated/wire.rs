//! The server's JSON as it is, and what it means in our words.
//!
//! Owns reading replies, errors among them. Sends nothing; where a result lies is `files`.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::model::error::{Error, ErrorKind};
use crate::model::form::{Field, FieldKind, Form, Value};
use crate::model::numbering::first_free;
use crate::model::remote::{JobReport, JobStatus, Output, Progress};
use crate::net::errors::{self, Complaint};
use crate::providers::analytics_automated::values;

/// Reply of `endpoints.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoints {
    jobs: Vec<String>,
}

/// One job of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The exact name, our pipeline identifier.
    pub(super) job: String,
    /// Names and placeholders beyond the four fields every job has, in order.
    pub(super) parameters: Vec<(String, String)>,
}

impl Endpoints {
    /// All jobs that could be understood; others are told to the log.
    pub(super) fn parsed(&self) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for text in &self.jobs {
            if let Some(endpoint) = parse_endpoint(text) {
                endpoints.push(endpoint);
            } else {
                tracing::warn!(%text, "a job of the list could not be understood");
            }
        }
        endpoints
    }
}

/// Takes `/submission/&job=NAME&submission_name=[STRING]&…` apart. Nothing in it is encoded, so
/// the name is whatever stands between its two fixed neighbors.
pub(super) fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (_, rest) = text.split_once("&job=")?;
    let (job, rest) = rest.split_once("&submission_name=")?;
    if job.is_empty() {
        return None;
    }
    let fixed = ["email", "input_data"];
    let parameters = rest
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| !name.is_empty() && !fixed.contains(name))
        .map(|(name, placeholder)| (name.to_owned(), placeholder.to_owned()))
        .collect();
    Some(Endpoint {
        job: job.to_owned(),
        parameters,
    })
}

impl Endpoint {
    /// The form a person fills in. The server tells names only: no defaults, no types, no help.
    pub(super) fn form(&self) -> Form {
        let fields = self.parameters.iter().map(|(name, placeholder)| {
            let is_flag = placeholder == "[TRUE/FALSE]";
            let kind = if is_flag {
                FieldKind::Flag
            } else {
                FieldKind::Text(values::rule())
            };
            let help = if is_flag {
                format!("Sent as TRUE or FALSE under the name {name}")
            } else {
                format!(
                    "Sent under the name {name}. Letters, digits and dots only: this server refuses everything else, also minus signs"
                )
            };
            Field {
                name: name.clone(),
                label: label(name),
                help,
                kind,
                required: true,
                default: is_flag.then_some(Value::Flag(false)),
                ..Field::default()
            }
        });
        Form {
            fields: fields.collect(),
            ..Form::default()
        }
    }
}

/// `headtask_lines` reads *Headtask lines*.
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut characters = spaced.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => spaced,
    }
}

/// How a value travels: flags in capitals, as `true` and `false` are names of programs.
pub(super) fn sent_value(value: &Value) -> String {
    match value {
        Value::Flag(true) => "TRUE".to_owned(),
        Value::Flag(false) => "FALSE".to_owned(),
        Value::Text(_) | Value::List(_) | Value::Inputs | Value::Picked(_) | Value::Variant(..) => {
            value.shown()
        }
    }
}

/// Typical times from `jobtimes.json`, in seconds. Advisory: what is no number is left out.
pub(super) fn typical_secs(reply: &Json) -> BTreeMap<String, u64> {
    let times = reply.as_object().into_iter().flatten();
    times
        .filter_map(|(job, secs)| Some((job.clone(), secs.as_u64()?)))
        .collect()
}

/// Reply of `job/{name}`.
#[derive(Debug, Deserialize)]
pub(super) struct JobDetails {
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Step {
    ordering: Option<i64>,
}

impl JobDetails {
    /// How many steps the job has: several tasks may share one.
    pub(super) fn step_count(&self) -> Option<u32> {
        let mut orderings: Vec<i64> = self.steps.iter().filter_map(|step| step.ordering).collect();
        orderings.sort_unstable();
        orderings.dedup();
        u32::try_from(orderings.len())
            .ok()
            .filter(|count| *count > 0)
    }
}

/// Reply to a submission.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    /// The batch, our job.
    #[serde(rename = "UUID")]
    pub(super) uuid: String,
}

/// Whether a text can be an identifier, so that it may stand in an address.
pub(super) fn is_identifier(text: &str) -> bool {
    text.len() == 36
        && text
            .chars()
            .all(|character| character.is_ascii_hexdigit() || character == '-')
}

/// The UUID in what somebody pasted: itself, or the last piece of an address.
pub(super) fn pasted_identifier(text: &str) -> &str {
    let text = text.trim();
    let path = text.split(['?', '#']).next().unwrap_or(text);
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".json").unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

/// Reply of `submission/{UUID}.json`.
#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    state: String,
    #[serde(default)]
    submissions: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    submission_name: Option<String>,
    job_name: Option<String>,
    #[serde(rename = "UUID")]
    uuid: Option<String>,
    #[serde(default)]
    state: String,
    last_message: Option<String>,
    #[serde(default)]
    results: Vec<ResultRow>,
}

#[derive(Debug, Deserialize)]
struct ResultRow {
    name: Option<String>,
    step: Option<u32>,
    data_path: Option<String>,
}

/// The states the server defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Submitted,
    Running,
    Complete,
    /// `Error`, and `Crash`, to which no way leads on a known server.
    Failed,
    Unknown,
}

impl State {
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "submitted" => Self::Submitted,
            "running" => Self::Running,
            "complete" => Self::Complete,
            "error" | "crash" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

impl Batch {
    /// What its submitter called it, and what runs.
    pub(super) fn names(&self) -> (Option<&str>, Option<&str>) {
        let part = self.submissions.first();
        (
            part.and_then(|part| part.submission_name.as_deref()),
            part.and_then(|part| part.job_name.as_deref()),
        )
    }

    /// How the job stands, judged by its parts: the batch itself says *Error* while parts still
    /// run. `total` is the number of steps, where known.
    pub(super) fn report(&self, total: Option<u32>) -> JobReport {
        let report = |status, word: &str, message: Option<String>| JobReport {
            status,
            word: word.to_owned(),
            message,
        };
        if self.submissions.is_empty() {
            let status = match State::of(&self.state) {
                State::Submitted | State::Running | State::Complete => JobStatus::Queued,
                State::Failed => JobStatus::Failed { reason: None },
                State::Unknown => JobStatus::Unrecognized(self.state.clone()),
            };
            let message = "The server lists no parts of this batch yet".to_owned();
            return report(status, &self.state, Some(message));
        }
        let part_in = |wanted: State| {
            self.submissions
                .iter()
                .find(|part| State::of(&part.state) == wanted)
        };
        let message = |part: &Part| part.last_message.clone();
        if let Some(part) = part_in(State::Unknown) {
            let status = JobStatus::Unrecognized(part.state.clone());
            return report(status, &part.state, message(part));
        }
        if let Some(part) = part_in(State::Running) {
            let progress = (self.submissions.len() == 1).then(|| part.steps(total));
            return report(JobStatus::Running { progress }, &part.state, message(part));
        }
        if let Some(part) = part_in(State::Submitted) {
            let all = self.submissions.len();
            let waiting = self
                .submissions
                .iter()
                .filter(|part| State::of(&part.state) == State::Submitted);
            let status = if waiting.count() == all {
                JobStatus::Queued
            } else {
                JobStatus::Running { progress: None }
            };
            return report(status, &part.state, message(part));
        }
        if let Some(part) = part_in(State::Failed) {
            let reason = message(part);
            return report(JobStatus::Failed { reason }, &part.state, message(part));
        }
        let last = self.submissions.last().and_then(message);
        let word = self.submissions.last().map_or("", |part| &part.state);
        report(JobStatus::Succeeded, word, last)
    }

    /// The results listed so far, named by step and task, in a steady order.
    pub(super) fn outputs(&self) -> Vec<Output> {
        let mut parts: Vec<&Part> = self.submissions.iter().collect();
        parts.sort_by_key(|part| (&part.job_name, &part.uuid));
        let mut outputs: Vec<Output> = Vec::new();
        let (mut known, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for part in &parts {
            let folder = match &part.job_name {
                Some(job) if parts.len() > 1 => format!("{}/", job.replace('/', "_")),
                Some(_) | None => String::new(),
            };
            let mut rows: Vec<&ResultRow> = part.results.iter().collect();
            rows.sort_by_key(|row| row.step);
            for row in rows {
                let Some(path) = row.data_path.as_ref().filter(|path| !path.is_empty()) else {
                    tracing::warn!(job = ?part.job_name, "a result without a path was left out");
                    continue;
                };
                if !known.insert(path.clone()) {
                    continue;
                }
                let task = row.name.as_deref().unwrap_or("result").replace('/', "_");
                let step = row.step.unwrap_or(0);
                let start = format!("{folder}{step}_{task}");
                let ending = ending(path, part.uuid.as_deref().unwrap_or_default());
                outputs.push(Output {
                    id: path.clone(),
                    name: free_name(&mut taken, &start, &ending),
                    size_bytes: None,
                    sha256: None,
                    on_request: false,
                    unpack: ending.eq_ignore_ascii_case(".zip"),
                });
            }
        }
        outputs
    }
}

impl Part {
    /// Steps done, by the last message, else by the results that are there.
    fn steps(&self, total: Option<u32>) -> Progress {
        let message = self.last_message.as_deref().unwrap_or_default();
        let number = |start: &str| message.strip_prefix(start)?.trim().parse::<u32>().ok();
        let done = number("Completed step:")
            .or_else(|| Some(number("Running step:")?.saturating_sub(1)))
            .or_else(|| self.results.iter().filter_map(|row| row.step).max())
            .unwrap_or(0);
        Progress::Steps { done, total }
    }
}

/// The ending of a result's file name with its dot, which the job's operator chose. The name is the
/// part's identifier, perhaps with a random suffix, so the ending starts at the first dot.
fn ending(path: &str, uuid: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let named_by_part = !uuid.is_empty() && name.starts_with(uuid);
    let split = if named_by_part {
        name.split_once('.')
    } else {
        name.rsplit_once('.')
    };
    split.map_or_else(String::new, |(_, ending)| format!(".{ending}"))
}

/// `stem` with its ending, or with a number between while another result has that name.
fn free_name(taken: &mut BTreeSet<String>, stem: &str, ending: &str) -> String {
    let numbered = |number: u64| match number {
        1 => format!("{stem}{ending}"),
        _ => format!("{stem}_{number}{ending}"),
    };
    let free = numbered(first_free(|number| taken.contains(&numbered(number))));
    taken.insert(free.clone());
    free
}

/// Reads the server's own error bodies. 403 with `detail` is its answer to a wrong password (measured 2026-11-20);
/// 507 carries an exception raised before anything ran, mostly by a validator that cannot read the file.
pub(super) fn complaint(status: u16, _headers: &HeaderMap, body: &[u8]) -> Complaint {
    let json: Option<Json> = serde_json::from_slice(body).ok();
    let kind = match status {
        403 if json
            .as_ref()
            .is_some_and(|json| json.get("detail").is_some()) =>
        {
            Some(ErrorKind::Unauthenticated)
        }
        507 => Some(ErrorKind::Invalid),
        _ => None,
    };
    let said = json.as_ref().and_then(said);
    Complaint {
        kind,
        said: said.or_else(|| errors::said_in(body)),
        wait: None,
    }
}

/// Adds to a refused submission what the answer alone does not say.
pub(super) fn explained(error: Error, has_settings: bool) -> Error {
    let failure = error.failure();
    let said = failure.server_said.as_deref().unwrap_or_default();
    let hint = match failure.status {
        Some(507) => "The server could not check this file; is it the kind this job needs?",
        Some(500) if has_settings => {
            "The server failed on this submission; a blank or a punctuation mark in a setting can be the reason"
        }
        Some(400) if said.contains("Incoming data can not contain") => {
            "The server refuses the value of a setting"
        }
        Some(400) if said.contains("Input data could not be validated") => {
            "The server checked this file and found it is not the kind this job needs"
        }
        Some(429) => {
            "Too many submissions from this network address are unfinished; others behind the same address count too"
        }
        Some(413) => "A web server in front refuses a file of this size",
        _ => return error,
    };
    error.hint(hint)
}

/// Whether the server knows no batch of this id, as opposed to not being the server at all.
pub(super) fn is_unknown_batch(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
        && error.failure().server_said.as_deref() == Some("Not found.")
}

/// Whether a failed question about one batch would fail for every batch.
pub(super) fn is_about_connection(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthenticated
            | ErrorKind::Unreachable
            | ErrorKind::Timeout
            | ErrorKind::Maintenance
            | ErrorKind::RateLimited
    )
}

/// What an error body says, in one line: `error` as text or by field, `detail`, or nothing.
fn said(body: &Json) -> Option<String> {
    if let Some(detail) = body.get("detail") {
        return Some(plain(detail));
    }
    let error = body.get("error")?;
    let Some(fields) = error.as_object() else {
        return Some(plain(error));
    };
    let lines: Vec<String> = fields
        .iter()
        .map(|(field, messages)| match messages.as_array() {
            Some(messages) => {
                let messages: Vec<String> = messages.iter().map(plain).collect();
                format!("{field}: {}", messages.join(" "))
            }
            None => format!("{field}: {}", plain(messages)),
        })
        .collect();
    Some(lines.join("; "))
}

fn plain(value: &Json) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        body: Json,
    }

    /// The body of a golden reply.
    macro_rules! golden {
        ($name:literal, $kind:ty) => {{
            let text = include_str!(concat!(
                "../../../tests/golden/analytics_automated/",
                $name,
                ".json"
            ));
            let golden: Golden = serde_json::from_str(text).unwrap();
            serde_json::from_value::<$kind>(golden.body).unwrap()
        }};
    }

    fn batch(state: &str, parts: &[(&str, &str)]) -> Batch {
        let part = |(state, message): &(&str, &str)| Part {
            submission_name: None,
            job_name: Some("headsort".to_owned()),
            uuid: None,
            state: (*state).to_owned(),
            last_message: Some((*message).to_owned()),
            results: Vec::new(),
        };
        Batch {
            state: state.to_owned(),
            submissions: parts.iter().map(part).collect(),
        }
    }

    #[test]
    fn endpoints_are_taken_apart() {
        let endpoints = golden!("endpoints", Endpoints).parsed();
        assert_eq!(endpoints[0].job, "wordcount");
        assert!(endpoints[0].form().fields.is_empty());
        let form = endpoints[1].form();
        let names: Vec<&str> = form
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names, ["headtask_lines", "sorttask_reverse"]);
        assert_eq!(form.fields[0].label, "Headtask lines");
        assert!(matches!(form.fields[0].kind, FieldKind::Text(_)));
        assert_eq!(form.fields[1].kind, FieldKind::Flag);
        let odd = "/submission/&job=a&b=c d&submission_name=[STRING]&email=[EMAIL_STRING]&input_data=[FILE]";
        assert_eq!(parse_endpoint(odd).unwrap().job, "a&b=c d");
        assert_eq!(parse_endpoint("/submission/&job="), None);
    }

    #[test]
    fn values_the_server_refuses_are_explained_beside_the_field() {
        let form = golden!("endpoints", Endpoints).parsed()[1].form();
        let problems = |lines: &str| {
            let given = [("headtask_lines".to_owned(), Value::Text(lines.to_owned()))];
            form.problems(&form.filled(&given.into())).len()
        };
        assert_eq!(problems("10"), 0);
        for refused in ["", "-1", "1e-3", "my file", "None", "mean", "true"] {
            assert_eq!(problems(refused), 1, "{refused}");
        }
        assert_eq!(sent_value(&Value::Flag(true)), "TRUE");
        assert_eq!(sent_value(&Value::Flag(false)), "FALSE");
    }

    #[test]
    fn a_complete_batch_offers_its_files() {
        let batch = golden!("batch_complete", Batch);
        assert_eq!(batch.report(None).status, JobStatus::Succeeded);
        let outputs = batch.outputs();
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "wordcount/1_count.txt",
                "zipresults/1_ziptask.zip",
                "zipresults/1_ziptask.log"
            ]
        );
        assert_eq!(
            outputs[0].id,
            "/submissions/3c9c4d38-e53c-11f1-aa83-02fc00000001.txt"
        );
        assert!(outputs[1].unpack && !outputs[2].unpack);
    }

    #[test]
    fn the_parts_decide_and_not_the_batch() {
        let batch = golden!("batch_error_while_running", Batch);
        assert_eq!(
            batch.report(None).status,
            JobStatus::Running { progress: None }
        );
    }

    #[test]
    fn every_state_has_its_meaning() {
        let status = |parts: &[(&str, &str)]| batch("Running", parts).report(Some(2)).status;
        let steps = |done| JobStatus::Running {
            progress: Some(Progress::Steps {
                done,
                total: Some(2),
            }),
        };
        assert_eq!(status(&[("Submitted", "Submitted")]), JobStatus::Queued);
        assert_eq!(status(&[("Running", "Running step: 1")]), steps(0));
        assert_eq!(status(&[("RUNNING", "Completed step: 1")]), steps(1));
        assert_eq!(status(&[("Running", "Running step: 2")]), steps(1));
        assert_eq!(status(&[("Running", "something new")]), steps(0));
        assert_eq!(status(&[("complete", "")]), JobStatus::Succeeded);
        let failed = |reason: &str| JobStatus::Failed {
            reason: Some(reason.to_owned()),
        };
        assert_eq!(status(&[("Complete", ""), ("Error", "why")]), failed("why"));
        assert_eq!(status(&[("Crash", "how")]), failed("how"));
        assert_eq!(
            status(&[("Complete", ""), ("Submitted", "")]),
            JobStatus::Running { progress: None }
        );
        assert_eq!(
            status(&[("Paused", "")]),
            JobStatus::Unrecognized("Paused".to_owned())
        );
        assert_eq!(
            batch("Submitted", &[]).report(None).status,
            JobStatus::Queued
        );
    }

    #[test]
    fn results_with_one_ending_stay_apart() {
        let reply = serde_json::json!({"state": "Complete", "submissions": [{
        "UUID": "3c9c4d38", "state": "Complete", "job_name": "a", "results": [
            {"name": "t", "step": 2, "data_path": "/submissions/3c9c4d38_NdfkA0N.tar.gz"},
            {"name": "t", "step": 2, "data_path": "/submissions/3c9c4d38.tar.gz"},
            {"name": null, "step": null, "data_path": "/submissions/plain"},
            {"name": "lost", "step": 1, "data_path": null},
        ]}]});
        let batch: Batch = serde_json::from_value(reply).unwrap();
        let names: Vec<String> = batch
            .outputs()
            .into_iter()
            .map(|output| output.name)
            .collect();
        assert_eq!(names, ["0_result", "2_t.tar.gz", "2_t_2.tar.gz"]);
    }

    #[test]
    fn the_small_replies_are_read() {
        let created = golden!("submitted", Created);
        assert!(is_identifier(&created.uuid));
        assert!(!is_identifier("../../admin"));
        let times = typical_secs(&golden!("jobtimes", Json));
        assert_eq!(times.get("slowcopy"), Some(&25));
        assert_eq!(times.get("zipresults"), None);
        assert_eq!(golden!("job_details", JobDetails).step_count(), Some(1));
    }

    #[test]
    fn every_shape_of_error_becomes_one_line() {
        let text = include_str!("../../../tests/golden/analytics_automated/errors.json");
        let golden: Json = serde_json::from_str(text).unwrap();
        let line = |name: &str| {
            let replies = golden["replies"].as_array().unwrap();
            let reply = replies.iter().find(|reply| reply["name"] == name).unwrap();
            said(&reply["body"]).unwrap()
        };
        assert_eq!(line("job_unknown"), "Job name supplied does not exist");
        assert_eq!(
            line("file_empty"),
            "input_data: The submitted file is empty."
        );
        assert_eq!(line("wrong_password"), "Invalid username/password.");
        assert_eq!(said(&serde_json::json!({"other": 1})), None);
    }
}
