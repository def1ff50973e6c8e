//! How a task stands at a moment: its life by the world's clock.
//!
//! Owns the states and the counts that go with them. A task is completed when both its time and its work are done.

use std::time::Duration;

use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::task::Task;
use crate::sandbox::faults::Faults;

/// While a batch is in this state its children are not there yet.
pub(super) const CREATING: Duration = Duration::from_millis(300);
/// How long an abort takes.
const ABORTING: Duration = Duration::from_millis(1_200);

/// States one after the other, and for how long.
const PHASES: [(&str, Duration); 5] = [
    ("CREATING", CREATING),
    ("QUEUED", Duration::from_millis(700)),
    ("RUNNING", Duration::from_millis(1_300)),
    ("QUEUED", Duration::from_millis(400)),
    ("RUNNING", Duration::from_millis(1_900)),
];

/// Steps a task says it has.
const STEPS: u64 = 4;

/// The settings lives depend on, read once for all the tasks of an answer.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    life: String,
    failing_child: Option<u64>,
    lenient: bool,
    start_on_drafts: bool,
}

impl Rules {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            life: faults.value("sb.life"),
            failing_child: faults.number("sb.failing-child"),
            lenient: faults.is("sb.partly-failed", "completed"),
            start_on_drafts: faults.is("sb.draft-start-time", "present"),
        }
    }
}

/// How a task stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) status: &'static str,
    pub(super) message: Option<String>,
    pub(super) ended: Option<Duration>,
    steps: Option<(u64, u64)>,
    /// Children that are queued, running, completed, failed and aborted.
    children: Option<[u64; 5]>,
    queued: Duration,
    pub(super) running: Duration,
    /// Whether it waits because the account has too many tasks.
    limited: bool,
}

/// Whether a state is a last one.
pub(super) fn is_last(status: &str) -> bool {
    ["COMPLETED", "FAILED", "ABORTED"].contains(&status)
}

/// Whether a task can be stopped in a state.
pub(super) fn can_be_stopped(status: &str) -> bool {
    ["CREATING", "QUEUED", "RUNNING"].contains(&status)
}

/// When a task started; drafts have been seen with such a time.
pub(super) fn start(rules: &Rules, task: &Task) -> Option<Duration> {
    let on_draft = rules.start_on_drafts.then_some(task.created);
    task.started.or(on_draft)
}

/// Whether a child is there already: not while its parent is being created.
pub(super) fn is_there(task: &Task, now: Duration) -> bool {
    task.parent.is_none() || task.started.is_none_or(|started| now >= started + CREATING)
}

/// The end of a task without children, once its time has come and its work is done. Until that is written down the task is
/// told as running: its outputs are not in the project yet.
pub(super) fn end_of_single(rules: &Rules, task: &Task, now: Duration) -> Option<Moment> {
    let started = task.started?;
    match task.aborted {
        Some(aborted) => Some(stopping(aborted, now)),
        None => last(rules, task, started, now),
    }
    .filter(|moment| moment.ended.is_some())
}

/// How a task without children stands.
pub(super) fn of_single(rules: &Rules, task: &Task, now: Duration) -> Moment {
    if let Some(ended) = &task.ended {
        let ran = task.started.map(|started| ended.at.saturating_sub(started));
        let done = ended.status == "COMPLETED";
        return Moment {
            status: ended.status,
            message: ended.message.clone(),
            ended: Some(ended.at),
            steps: Some((if done { STEPS } else { 1 }, STEPS)),
            running: ran.unwrap_or_default(),
            ..Moment::default()
        };
    }
    let Some(started) = task.started else {
        return Moment {
            status: "DRAFT",
            ..Moment::default()
        };
    };
    if let Some(aborted) = task.aborted {
        return stopping(aborted, now);
    }
    let age = now.saturating_sub(started);
    let life = rules.life.as_str();
    if life == "waits" && age >= CREATING {
        return Moment {
            status: "QUEUED",
            message: Some("Waiting for other tasks of the account to end".to_owned()),
            steps: Some((0, STEPS)),
            queued: age,
            limited: true,
            ..Moment::default()
        };
    }
    let mut moment = running(age);
    if life == "unknown-state" && moment.steps.is_some_and(|(done, _)| done >= 2) {
        // The word of the published sample of an abort.
        moment.status = "Active";
    }
    moment
}

/// Where in its life a task of this age is, however long the last phase takes.
fn running(age: Duration) -> Moment {
    let mut moment = Moment::default();
    let mut begin = Duration::ZERO;
    let mut runs = 0;
    for (status, length) in PHASES {
        if age < begin && !moment.status.is_empty() {
            break;
        }
        let inside = age.saturating_sub(begin).min(length);
        moment.status = status;
        begin += length;
        if status == "RUNNING" {
            runs += 1;
            moment.running += inside;
        } else {
            moment.queued += inside;
        }
        if age < begin {
            break;
        }
    }
    let done = match (runs, moment.status) {
        (0, _) => 0,
        (1, "RUNNING") => 1,
        (1, _) => 2,
        _ => 3,
    };
    moment.steps = Some((done, STEPS));
    moment.message = Some("In progress".to_owned());
    moment
}

fn stopping(aborted: Duration, now: Duration) -> Moment {
    let end = aborted + ABORTING;
    let is_over = now >= end;
    Moment {
        status: if is_over { "ABORTED" } else { "ABORTING" },
        message: Some("Task was aborted by the user".to_owned()),
        ended: is_over.then_some(end),
        steps: Some((1, STEPS)),
        ..Moment::default()
    }
}

/// The last state, when both time and work are over.
fn last(rules: &Rules, task: &Task, started: Duration, now: Duration) -> Option<Moment> {
    let life = rules.life.as_str();
    let length: Duration = PHASES.iter().map(|(_, length)| *length).sum();
    let outcome = task.work.outcome.get()?;
    let end = (started + length).max(outcome.at);
    if now < end || life == "stays" || life == "waits" {
        return None;
    }
    let failed = match &outcome.made {
        _ if life == "fails" => Some("Task execution failed on the instance"),
        _ if task.place > 0 && rules.failing_child == Some(task.place) => Some("Child task failed"),
        Err(failure) => Some(failure.as_str()),
        Ok(_) => None,
    };
    let mut moment = running(length);
    moment.ended = Some(end);
    if let Some(message) = failed {
        moment.status = "FAILED";
        moment.message = Some(message.to_owned());
    } else {
        moment.status = "COMPLETED";
        moment.message = Some("Completed".to_owned());
        moment.steps = Some((STEPS, STEPS));
    }
    Some(moment)
}

/// How a batch stands, from how its children do.
pub(super) fn of_parent(
    rules: &Rules,
    task: &Task,
    now: Duration,
    children: impl Iterator<Item = Moment>,
) -> Moment {
    let started = task.started.unwrap_or_default();
    if now < started + CREATING && task.aborted.is_none() {
        return Moment {
            status: "CREATING",
            children: Some([0; 5]),
            ..Moment::default()
        };
    }
    let mut counts = [0_u64; 5];
    let mut end = started;
    let mut over = true;
    for child in children {
        let place = match child.status {
            "COMPLETED" => 2,
            "FAILED" => 3,
            "ABORTED" => 4,
            "CREATING" | "QUEUED" => 0,
            _ => 1,
        };
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
        over &= is_last(child.status);
        end = end.max(child.ended.unwrap_or(end));
    }
    let [_, running, _, failed, _] = counts;
    // Not documented: how a batch ends some of whose children failed.
    let status = match (over, task.aborted) {
        (false, Some(_)) => "ABORTING",
        (true, Some(_)) => "ABORTED",
        (true, None) if failed > 0 && !rules.lenient => "FAILED",
        (true, None) => "COMPLETED",
        (false, None) if running > 0 => "RUNNING",
        (false, None) => "QUEUED",
    };
    let (status, end) = match &task.ended {
        Some(ended) => (ended.status, Some(ended.at)),
        None => (status, over.then_some(end)),
    };
    Moment {
        status,
        ended: end,
        children: Some(counts),
        running: end.unwrap_or(now).saturating_sub(started),
        ..Moment::default()
    }
}

impl Moment {
    /// As `execution_status`: whole numbers, times in milliseconds.
    pub(super) fn json(&self) -> Value {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut status = json!({
            "message": self.message,
            "message_code": self.status,
            "system_limit": false,
            "account_limit": self.limited,
            "instance_init": self.status == "QUEUED",
            "queued_duration": millis(self.queued),
            "running_duration": millis(self.running),
            "execution_duration": millis(self.running),
            "duration": millis(self.queued + self.running),
        });
        let Some(members) = status.as_object_mut() else {
            return status;
        };
        if let Some((done, total)) = self.steps {
            members.insert("steps_completed".to_owned(), json!(done));
            members.insert("steps_total".to_owned(), json!(total));
        }
        let names = ["queued", "running", "completed", "failed", "aborted"];
        for (name, count) in names.iter().zip(self.children.into_iter().flatten()) {
            members.insert((*name).to_owned(), json!(count));
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_goes_back_to_the_queue_once() {
        let states: Vec<&str> = (0..50)
            .map(|tenth| running(Duration::from_millis(tenth * 100)).status)
            .collect();
        let mut changes = states.clone();
        changes.dedup();
        assert_eq!(
            changes,
            ["CREATING", "QUEUED", "RUNNING", "QUEUED", "RUNNING"]
        );
        assert_eq!(states[3], "QUEUED");
        assert_eq!(running(Duration::from_mins(1)).status, "RUNNING");
    }
}
