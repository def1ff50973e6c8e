//! A paragraph for the paper: what was sent where with which settings, and what came back.
//!
//! It says nothing that the receipt does not say, in the past tense, with numbers that agree.

use crate::results::provenance::job::{JobRecord, RunState, SettingRecord};
use crate::results::receipt::{FileRecord, Receipt};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The paragraph, with a line end.
pub fn paragraph(receipt: &Receipt) -> String {
    let mut sentences = vec![opening(receipt)];
    for (ran, jobs) in runs(receipt) {
        sentences.extend(run(receipt, &ran, &jobs));
    }
    sentences.extend(checks(receipt));
    sentences.join(" ") + "\n"
}

/// What jobs of one sentence have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ran<'a> {
    platform: &'a str,
    connection: &'a str,
    pipeline: &'a str,
    pipeline_id: &'a str,
    settings: &'a [SettingRecord],
}

fn runs(receipt: &Receipt) -> BTreeMap<Ran<'_>, Vec<&JobRecord>> {
    let mut runs: BTreeMap<Ran<'_>, Vec<&JobRecord>> = BTreeMap::new();
    for job in &receipt.jobs {
        let ran = Ran {
            platform: &job.platform,
            connection: &job.connection,
            pipeline: &job.pipeline,
            pipeline_id: &job.pipeline_id,
            settings: &job.settings,
        };
        runs.entry(ran).or_default().push(job);
    }
    runs
}

fn opening(receipt: &Receipt) -> String {
    let submitted: Vec<&JobRecord> = receipt
        .jobs
        .iter()
        .filter(|job| job.remote_id.is_some())
        .collect();
    let used: BTreeSet<usize> = submitted
        .iter()
        .flat_map(|job| &job.inputs)
        .copied()
        .collect();
    let files: Vec<u64> = used
        .iter()
        .filter_map(|number| receipt.inputs.get(*number))
        .map(|input| input.size_bytes)
        .collect();
    let platforms: BTreeSet<&str> = submitted.iter().map(|job| job.platform.as_str()).collect();
    let platforms = list(&platforms.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let (labferry, when) = (&receipt.labferry, when(receipt.created));
    match files.as_slice() {
        [] if platforms.is_empty() => {
            format!(
                "The batch “{}” was made with Labferry {labferry} on {when}.",
                receipt.batch
            )
        }
        [] => format!(
            "Results were fetched from {platforms} with Labferry {labferry}; the batch “{}” was made on {when}.",
            receipt.batch
        ),
        [size] => format!(
            "One file ({}) was sent to {platforms} with Labferry {labferry} on {when}.",
            bytes(*size)
        ),
        sizes => format!(
            "{} files ({} in total) were sent to {platforms} with Labferry {labferry} on {when}.",
            grouped(sizes.len() as u64),
            bytes(sizes.iter().sum())
        ),
    }
}

/// What one pipeline did with one set of settings.
fn run(receipt: &Receipt, ran: &Ran<'_>, jobs: &[&JobRecord]) -> Vec<String> {
    let submitted: Vec<&JobRecord> = jobs
        .iter()
        .copied()
        .filter(|job| job.remote_id.is_some())
        .collect();
    let mut sentences = Vec::new();
    if !submitted.is_empty() {
        sentences.push(format!(
            "On {} (connection “{}”), the pipeline {} was run {}{}; {}.",
            ran.platform,
            ran.connection,
            identified(ran),
            how_often(&submitted),
            with_settings(ran.settings),
            outcomes(&submitted)
        ));
        sentences.extend(placed(&submitted));
        sentences.extend(results(receipt, &submitted));
    }
    let never = jobs
        .iter()
        .filter(|job| job.remote_id.is_none() && job.state == RunState::NotSent);
    let open = jobs
        .iter()
        .filter(|job| job.remote_id.is_none() && job.state != RunState::NotSent);
    for (count, one, many) in [
        (never.count(), "was not submitted", "were not submitted"),
        (
            open.count(),
            "had no confirmed submission when this was written",
            "had no confirmed submission when this was written",
        ),
    ] {
        let (jobs, verb) = match count {
            0 => continue,
            1 => ("One job".to_owned(), one),
            some => (format!("{} jobs", grouped(some as u64)), many),
        };
        sentences.push(format!(
            "{jobs} for the pipeline “{}” on {} {verb}.",
            ran.pipeline, ran.platform
        ));
    }
    let left_out: BTreeSet<&String> = jobs.iter().flat_map(|job| &job.left_out).collect();
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|name| format!("“{name}”")).collect();
        let (files, were) = match names.len() {
            1 => ("The file", "was"),
            _ => ("The files", "were"),
        };
        sentences.push(format!(
            "{files} {} could not be sent there and {were} left out.",
            list(&names)
        ));
    }
    sentences
}

fn identified(ran: &Ran<'_>) -> String {
    if ran.pipeline == ran.pipeline_id {
        format!("“{}”", ran.pipeline)
    } else {
        format!("“{}” (identifier {})", ran.pipeline, ran.pipeline_id)
    }
}

fn how_often(jobs: &[&JobRecord]) -> String {
    match jobs.len() {
        1 => "as one job".to_owned(),
        count => format!("as {} jobs", grouped(count as u64)),
    }
}

fn with_settings(settings: &[SettingRecord]) -> String {
    let shown: Vec<String> = settings.iter().map(SettingRecord::told).collect();
    match shown.len() {
        0 => String::new(),
        1 => format!(" with the setting {}", shown.join("")),
        _ => format!(" with the settings {}", shown.join(", ")),
    }
}

fn outcomes(jobs: &[&JobRecord]) -> String {
    let count = |state: RunState| jobs.iter().filter(|job| job.state == state).count();
    let parts: Vec<String> = [
        (RunState::Completed, "completed", "completed"),
        (RunState::Failed, "failed", "failed"),
        (RunState::Cancelled, "was stopped", "were stopped"),
        (
            RunState::Unfinished,
            "had no known end when this was written",
            "had no known end when this was written",
        ),
        (RunState::NotSent, "was not sent", "were not sent"),
    ]
    .into_iter()
    .filter_map(|(state, one, many)| match count(state) {
        0 => None,
        all if all == jobs.len() && all == 1 => Some(format!("it {one}")),
        all if all == jobs.len() => Some(format!("all {many}")),
        1 => Some(format!("one {one}")),
        some => Some(format!("{} {many}", grouped(some as u64))),
    })
    .collect();
    list(&parts)
}

fn placed(jobs: &[&JobRecord]) -> Option<String> {
    let used: BTreeSet<&str> = jobs
        .iter()
        .flat_map(|job| &job.placed)
        .map(|input| input.id.as_str())
        .collect();
    match used.len() {
        0 => None,
        1 => Some("One input that was at the platform already was used.".to_owned()),
        count => Some(format!(
            "{} inputs that were at the platform already were used.",
            grouped(count as u64)
        )),
    }
}

fn results(receipt: &Receipt, jobs: &[&JobRecord]) -> Option<String> {
    let folders: BTreeSet<&str> = jobs.iter().map(|job| job.folder.as_str()).collect();
    let files: Vec<&FileRecord> = receipt
        .files
        .iter()
        .filter(|file| {
            let folder = file.path.split('/').next();
            folder.is_some_and(|folder| folders.contains(folder))
        })
        .collect();
    let first = files.iter().map(|file| file.fetched_at).min()?;
    let last = files.iter().map(|file| file.fetched_at).max()?;
    let size = bytes(files.iter().map(|file| file.size_bytes).sum());
    let (first, last) = (when(first), when(last));
    let time = if first == last {
        format!("on {last}")
    } else {
        format!("between {first} and {last}")
    };
    Some(match files.len() {
        1 => format!("One result file ({size}) was received {time}."),
        count => format!(
            "{} result files ({size} in total) were received {time}.",
            grouped(count as u64)
        ),
    })
}

fn checks(receipt: &Receipt) -> Option<String> {
    let text = match receipt.files.len() {
        0 => return None,
        1 => {
            "The SHA-256 checksum of the result file was computed when it arrived and is listed in receipt.json"
        }
        _ => {
            "The SHA-256 checksum of every result file was computed when it arrived and is listed in receipt.json"
        }
    };
    let agreed = receipt.files.iter().filter(|file| file.hash_given).count();
    let agreed = match agreed {
        0 => ".".to_owned(),
        all if all == receipt.files.len() && all == 1 => {
            "; it agreed with the one its platform stated.".to_owned()
        }
        all if all == receipt.files.len() => {
            "; all agreed with those their platforms stated.".to_owned()
        }
        1 => "; for one file its platform stated a checksum too, and it agreed.".to_owned(),
        some => format!(
            "; for {} files their platforms stated checksums too, and all agreed.",
            grouped(some as u64)
        ),
    };
    Some(text.to_owned() + &agreed)
}

/// `a`, `a and b`, `a, b and c`
fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d at %H:%M UTC").to_string()
}

fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        _ => format!("{} bytes", grouped(count)),
    }
}

/// `1234567` → `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
