//! What was submitted and how it stands at a moment of the world's clock.
//!
//! Owns the timetable of every part of a batch and the JSON that tells it. Commands are run once,
//! when a submission is taken in; the clock decides how much of it is already told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::providers::analytics_automated::sim::catalog::{JobDefinition, Task};
use crate::providers::analytics_automated::sim::names::Identifiers;

/// State of one part or of a batch. `Crash` is defined too, but no way of the server leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Submitted,
    Running,
    Complete,
    Error,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Submitted => "Submitted",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Error => "Error",
        }
    }

    /// Whether it uses up the quota of the one who sent it.
    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Submitted | Self::Running)
    }
}

/// Which of the three queues a submission went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    /// Sent with good credentials.
    High,
    Normal,
    /// Sent by somebody who already has many alive.
    Low,
}

impl Queue {
    /// How long a worker of this queue takes to come, at normal speed.
    fn wait(self) -> Duration {
        Duration::from_millis(match self {
            Self::High => 300,
            Self::Normal => 600,
            Self::Low => 2_500,
        })
    }
}

/// What one step did.
#[derive(Debug)]
pub(super) struct StepRun {
    pub(super) task: &'static Task,
    /// Names of the files it stored, or the message of its failure.
    pub(super) outcome: Result<Vec<String>, String>,
}

/// One job of one submission.
#[derive(Debug)]
pub(super) struct Part {
    /// The single identifier, which names the result files.
    pub(super) uuid: String,
    pub(super) job: &'static JobDefinition,
    pub(super) submission_name: String,
    pub(super) email: String,
    /// The stored name of the input.
    pub(super) input: String,
    /// Who sent it, for the quota.
    pub(super) sender: String,
    /// By the world's clock.
    pub(super) submitted: Duration,
    /// `None`: saved, but handed to no queue, because the broker was down.
    pub(super) queue: Option<Queue>,
    pub(super) steps: Vec<StepRun>,
}

/// How a part stands.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) state: State,
    pub(super) message: String,
    /// Step (from 1), its task and a file, or no file where the task wrote none.
    pub(super) results: Vec<(usize, &'static Task, Option<&'a str>)>,
}

impl Part {
    /// How the part stands at `now`.
    pub(super) fn seen(&self, now: Duration) -> Seen<'_> {
        let mut seen = Seen {
            state: State::Submitted,
            message: "Submitted".to_owned(),
            results: Vec::new(),
        };
        let Some(queue) = self.queue else {
            return seen;
        };
        let mut from = self.submitted + queue.wait();
        if now < from {
            return seen;
        }
        seen.state = State::Running;
        for (step, run) in (1..).zip(&self.steps) {
            let lasts = Duration::from_millis(run.task.lasts_millis);
            let until = from + lasts;
            if self.job.never_ends || now < until {
                let just_begun = step > 1 && now < from + lasts / 3;
                seen.message = if just_begun {
                    format!("Completed step: {}", step - 1)
                } else {
                    format!("Running step: {step}")
                };
                return seen;
            }
            match &run.outcome {
                Ok(files) if files.is_empty() => seen.results.push((step, run.task, None)),
                Ok(files) => {
                    let files = files
                        .iter()
                        .map(|file| (step, run.task, Some(file.as_str())));
                    seen.results.extend(files);
                }
                Err(message) => {
                    seen.state = State::Error;
                    seen.message.clone_from(message);
                    return seen;
                }
            }
            from = until;
        }
        seen.state = State::Complete;
        seen.message = format!("Completed job at step #{}", self.steps.len());
        seen
    }

    /// How long it took from submission to its end, when it ended well.
    fn took(&self, now: Duration) -> Option<Duration> {
        if self.seen(now).state != State::Complete {
            return None;
        }
        let steps: u64 = self.steps.iter().map(|run| run.task.lasts_millis).sum();
        Some(self.queue?.wait() + Duration::from_millis(steps))
    }

    /// One element of `submissions`. `None` where a result has no file: the real server answers
    /// such a request with an HTML 500.
    pub(super) fn json(&self, now: Duration, link: &dyn Fn(&str) -> String) -> Option<Value> {
        let seen = self.seen(now);
        let mut results = Vec::new();
        for (step, task, file) in &seen.results {
            results.push(json!({
                "task": task.id,
                "name": task.name,
                "message": "Result",
                "step": step,
                "data_path": link((*file)?),
            }));
        }
        Some(json!({
            "submission_name": self.submission_name,
            "job_name": self.job.name,
            "UUID": self.uuid,
            "state": seen.state.word(),
            "last_message": seen.message,
            "email": self.email,
            "input_file": link(&self.input),
            "results": results,
        }))
    }
}

/// Everything that was ever submitted; nothing is ever removed.
#[derive(Debug, Default)]
pub(super) struct Records {
    batches: BTreeMap<String, Vec<Part>>,
    pub(super) identifiers: Identifiers,
}

impl Records {
    /// A new batch without parts.
    pub(super) fn open_batch(&mut self, uuid: &str) {
        self.batches.entry(uuid.to_owned()).or_default();
    }

    /// Adds a part to a batch.
    pub(super) fn add(&mut self, batch: &str, part: Part) {
        self.batches.entry(batch.to_owned()).or_default().push(part);
    }

    /// How many parts of a sender are submitted or running.
    pub(super) fn alive(&self, sender: &str, now: Duration) -> usize {
        self.parts()
            .filter(|part| part.sender == sender && part.seen(now).state.is_alive())
            .count()
    }

    /// The part with a single identifier.
    pub(super) fn part(&self, uuid: &str) -> Option<&Part> {
        self.parts().find(|part| part.uuid == uuid)
    }

    /// The parts of a batch.
    pub(super) fn batch(&self, uuid: &str) -> Option<&[Part]> {
        self.batches.get(uuid).map(Vec::as_slice)
    }

    /// Typical times by job in whole seconds. One job is always `null`, as where the estimate of
    /// the real server failed.
    pub(super) fn job_times(&self, now: Duration) -> Value {
        let mut samples: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for part in self.parts() {
            if let Some(took) = part.took(now) {
                samples.entry(part.job.name).or_default().push(took);
            }
        }
        let mut times = json!({"wordcount": 2, "zipresults": null});
        for (job, samples) in samples {
            let Some(mean) = samples
                .iter()
                .sum::<Duration>()
                .as_secs()
                .checked_div(u64::try_from(samples.len()).unwrap_or(u64::MAX))
            else {
                continue;
            };
            if let Some(times) = times.as_object_mut()
                && job != "zipresults"
            {
                times.insert(job.to_owned(), json!(mean));
            }
        }
        times
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.batches.values().flatten()
    }
}

/// The state of a batch, as the real server keeps it: `Error` as soon as one part failed.
fn batch_state(states: &[State]) -> State {
    let any = |wanted: State| states.contains(&wanted);
    if any(State::Error) {
        State::Error
    } else if states.is_empty() || states.iter().all(|state| *state == State::Submitted) {
        State::Submitted
    } else if states.iter().all(|state| *state == State::Complete) {
        State::Complete
    } else {
        State::Running
    }
}

/// The reply to a question about a batch. `None` where one part cannot be told.
pub(super) fn batch_json(
    uuid: &str,
    parts: &[Part],
    now: Duration,
    link: &dyn Fn(&str) -> String,
) -> Option<Value> {
    let states: Vec<State> = parts.iter().map(|part| part.seen(now).state).collect();
    // The real query has no order; the last first shows whoever relies on one.
    let told: Option<Vec<Value>> = parts
        .iter()
        .rev()
        .map(|part| part.json(now, link))
        .collect();
    Some(json!({
        "UUID": uuid,
        "state": batch_state(&states).word(),
        "submissions": told?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::analytics_automated::sim::catalog::find;

    fn part(job: &str, outcomes: Vec<Result<Vec<String>, String>>) -> Part {
        let job = find(job).unwrap();
        let steps = job.steps.iter().zip(outcomes);
        Part {
            uuid: format!("{}-uuid", job.name),
            job,
            submission_name: "demo".to_owned(),
            email: "someone@example.org".to_owned(),
            input: "a.csv".to_owned(),
            sender: "127.0.0.1".to_owned(),
            submitted: Duration::from_secs(10),
            queue: Some(Queue::Normal),
            steps: steps
                .map(|(task, outcome)| StepRun { task, outcome })
                .collect(),
        }
    }

    fn file(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn results_grow_step_by_step() {
        let part = part("headsort", vec![Ok(file("a.txt")), Ok(file("a.sorted"))]);
        let told: Vec<(State, String, usize)> = [10.1, 11.0, 12.2, 13.0, 13.7]
            .into_iter()
            .map(|seconds| {
                let seen = part.seen(Duration::from_secs_f64(seconds));
                (seen.state, seen.message, seen.results.len())
            })
            .collect();
        let expected = [
            (State::Submitted, "Submitted", 0),
            (State::Running, "Running step: 1", 0),
            (State::Running, "Completed step: 1", 1),
            (State::Running, "Running step: 2", 1),
            (State::Complete, "Completed job at step #2", 2),
        ]
        .map(|(state, message, count)| (state, message.to_owned(), count));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_batch_is_in_error_while_a_part_still_runs() {
        let failing = part(
            "failing",
            vec![Ok(file("a.txt")), Err("Exit status 1".to_owned())],
        );
        let slow = part("slowcopy", vec![Ok(file("a.out"))]);
        let parts = [slow, failing];
        let link = |name: &str| format!("/submissions/{name}");
        let told = batch_json("b", &parts, Duration::from_secs(15), &link).unwrap();
        assert_eq!(told["state"], "Error");
        assert_eq!(told["submissions"][0]["state"], "Error");
        assert_eq!(told["submissions"][0]["results"][0]["step"], 1);
        assert_eq!(told["submissions"][1]["state"], "Running");
        let told = batch_json("b", &parts, Duration::from_mins(1), &link).unwrap();
        assert_eq!(told["state"], "Error");
        assert_eq!(told["submissions"][1]["state"], "Complete");
    }

    #[test]
    fn a_result_without_a_file_cannot_be_told() {
        let parts = [part("nooutput", vec![Ok(Vec::new())])];
        let link = |name: &str| name.to_owned();
        assert!(batch_json("b", &parts, Duration::from_secs(10), &link).is_some());
        assert!(batch_json("b", &parts, Duration::from_mins(1), &link).is_none());
    }

    #[test]
    fn a_killed_worker_leaves_it_running_and_uses_up_quota() {
        let mut records = Records::default();
        records.add("b", part("stuck", vec![Ok(file("a.out"))]));
        let years = Duration::from_secs(100_000_000);
        assert_eq!(records.alive("127.0.0.1", years), 1);
        assert_eq!(records.alive("10.0.0.9", years), 0);
    }
}
