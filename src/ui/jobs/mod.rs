//! The page *Jobs*: one table over all platforms, and everything about the chosen job beside it.

pub mod adopt;
pub mod detail;
pub mod inputs;
pub mod list;
pub mod resolve;

use std::collections::BTreeSet;

use egui::{Color32, Frame, Margin, Panel, Ui};
use jiff::Timestamp;

use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::batch::Batch;
use crate::model::ids::{BatchId, ConnectionId, JobId, PipelineId};
use crate::model::job::Stage;
use crate::model::provider::FanOut;
use crate::model::remote::{JobStatus, Progress};
use crate::ui::format;
use crate::ui::outbox::{Goal, Outbox, Place};
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// What Jobs remembers.
#[derive(Debug, Default)]
pub struct JobsState {
    chosen: Option<Chosen>,
    folded: BTreeSet<BatchId>,
    words: String,
    stage: Option<Stage>,
    platform: Option<&'static str>,
    rows: list::Rows,
    /// The job whose end was asked for but not confirmed yet.
    ending: Option<JobId>,
    /// The job made elsewhere that shall be watched, while its dialog is open.
    adopting: Option<adopt::AdoptState>,
    /// The form that was asked for to show a job's settings, so that it is asked for once.
    form_asked: Option<(ConnectionId, PipelineId)>,
    /// The candidate ticked for an unconfirmed job.
    candidate: Option<(JobId, String)>,
    /// Whether the chosen row still has to be scrolled to.
    scroll_to_chosen: bool,
}

/// What is shown at the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A batch.
    Batch(BatchId),
    /// A job.
    Job(JobId),
}

impl JobsState {
    /// Chooses a batch and shows it.
    pub fn show_batch(&mut self, batch: BatchId) {
        self.show(Chosen::Batch(batch));
    }

    /// Chooses a job and shows it.
    pub fn show_job(&mut self, job: JobId) {
        self.folded.clear();
        self.show(Chosen::Job(job));
    }

    fn show(&mut self, chosen: Chosen) {
        self.words.clear();
        self.stage = None;
        self.platform = None;
        self.chosen = Some(chosen);
        self.scroll_to_chosen = true;
    }
}

/// The page.
pub fn jobs_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut JobsState, outbox: &mut Outbox) {
    adopt::adopt_ui(ui.ctx(), snapshot, state, outbox);
    if snapshot.jobs.is_empty() && snapshot.batches.is_empty() {
        widgets::page_title(ui, "Jobs");
        widgets::empty(
            ui,
            icon::JOBS,
            "No jobs yet",
            "Add files and choose where they go; every job then shows here until you forget it",
        );
        ui.vertical_centered(|ui| {
            ui.add_space(8.0);
            if widgets::primary_button(ui, "Go to Send", true).clicked() {
                outbox.go(Goal::Place(Place::Send));
            }
            ui.add_space(4.0);
            adopt::button_ui(ui, snapshot, state);
        });
        return;
    }
    let chosen = state.chosen.filter(|chosen| exists(snapshot, *chosen));
    state.chosen = chosen;
    if let Some(chosen) = chosen {
        let palette = Palette::of(ui);
        Panel::right("job")
            .resizable(true)
            .default_size(340.0)
            .size_range(300.0..=560.0)
            .show_separator_line(false)
            .frame(Frame::new().fill(palette.page).inner_margin(Margin {
                left: 14,
                ..Margin::ZERO
            }))
            .show(ui, |ui| {
                detail::detail_ui(ui, snapshot, chosen, state, outbox);
            });
    }
    egui::CentralPanel::no_frame().show(ui, |ui| list::list_ui(ui, snapshot, state));
}

fn exists(snapshot: &Snapshot, chosen: Chosen) -> bool {
    match chosen {
        Chosen::Batch(batch) => snapshot.batches.iter().any(|known| known.id == batch),
        Chosen::Job(job) => snapshot.jobs.iter().any(|view| view.job.id == job),
    }
}

/// Icon and color of a stage; the word is always beside them.
pub const fn stage_mark(palette: &Palette, stage: Stage) -> (&'static str, Color32) {
    match stage {
        Stage::Waiting => (icon::WAITING, palette.weak),
        Stage::Uploading | Stage::Submitting => (icon::UP, palette.accent),
        Stage::Queued => (icon::BUSY, palette.accent),
        Stage::Running => (icon::RUNNING, palette.accent),
        Stage::Downloading => (icon::DOWN, palette.accent),
        Stage::Done => (icon::GOOD, palette.good),
        Stage::Failed => (icon::BAD, palette.bad),
        Stage::Cancelled => (icon::CANCELLED, palette.weak),
        Stage::Unconfirmed => (icon::OPEN_QUESTION, palette.warning),
    }
}

/// The platform's own word and message, for the tooltip of ours.
pub fn platform_says(view: &JobView) -> String {
    let Some(report) = &view.job.report else {
        return format!("{} has not said anything yet", view.provider_name);
    };
    let word = if report.word.is_empty() {
        "nothing"
    } else {
        report.word.as_str()
    };
    let mut said = format!("{} says {word}", view.provider_name);
    if let Some(message) = &report.message {
        said.push('\n');
        said.push_str(message);
    }
    said
}

/// How far a job is, honestly: a fraction only where somebody knows it, and words.
pub fn how_far(view: &JobView) -> (Option<f32>, String) {
    match view.job.stage {
        Stage::Uploading | Stage::Downloading | Stage::Submitting => {
            if let Some((done, total)) = view.bytes.filter(|(_, total)| *total > 0) {
                let fraction = (done as f64 / total as f64).clamp(0.0, 1.0);
                let percent = format!("{:.0} %", (fraction * 100.0).floor());
                return (Some(narrow(fraction)), percent);
            }
            match view.bytes {
                Some((done, _)) if done > 0 => (None, format::bytes(done)),
                _ => (None, String::new()),
            }
        }
        Stage::Running | Stage::Queued => remote_progress(view),
        Stage::Waiting if view.waits_for_person => (None, "Needs you".to_owned()),
        Stage::Unconfirmed => (None, "Needs you".to_owned()),
        Stage::Waiting | Stage::Done | Stage::Failed | Stage::Cancelled => (None, String::new()),
    }
}

/// What the platform says of a job it has; where it names only a phase, the time spent in it.
fn remote_progress(view: &JobView) -> (Option<f32>, String) {
    let status = view.job.report.as_ref().map(|report| &report.status);
    let is_parent = match view.job.fan_out {
        FanOut::BatchPerFile | FanOut::BatchPerSample => true,
        FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample => false,
    };
    let parts = if is_parent { "tasks" } else { "steps" };
    match status {
        Some(JobStatus::Running {
            progress: Some(Progress::Percent(percent)),
        }) => (Some(percent / 100.0), format!("{:.0} %", percent.floor())),
        Some(JobStatus::Running {
            progress: Some(Progress::Steps { done, total }),
        }) => match total {
            Some(total) if *total > 0 => {
                let fraction = f64::from(*done) / f64::from(*total);
                let words = format!("{done} of {total} {parts}");
                (Some(narrow(fraction)), words)
            }
            Some(_) | None => (None, format!("{done} {parts} done")),
        },
        Some(_) | None => {
            let since = format::between(view.job.last_change, Timestamp::now());
            (None, format!("for {since}"))
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a fraction on screen needs no more digits"
)]
const fn narrow(fraction: f64) -> f32 {
    fraction as f32
}

/// A job's name beside its connection and pipeline: engines name jobs after both, which would hide what differs.
pub fn short_name(view: &JobView) -> &str {
    let job = &view.job;
    let rest = after_label(view);
    let pipeline = job.pipeline.name.as_str();
    let before = rest
        .strip_prefix(pipeline)
        .and_then(|rest| rest.strip_prefix(" - "));
    let after = rest
        .strip_suffix(pipeline)
        .and_then(|rest| rest.strip_suffix(" - "));
    before
        .or(after)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(rest)
}

/// A job's name without its connection.
pub fn after_label(view: &JobView) -> &str {
    let job = &view.job;
    job.name
        .strip_prefix(job.connection_label.as_str())
        .and_then(|rest| rest.strip_prefix(" - "))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&job.name)
}

/// When a job was made and, once settled, when it last changed.
pub fn span(view: &JobView, batch: Option<&Batch>) -> Option<(Timestamp, Option<Timestamp>)> {
    let timeline = &view.job.timeline;
    let start = timeline
        .first()
        .map(|moment| moment.at)
        .or_else(|| batch.map(|batch| batch.created))?;
    let end = view
        .job
        .stage
        .is_settled()
        .then(|| timeline.last().map(|moment| moment.at))
        .flatten();
    Some((start, end))
}

/// How long a job has taken so far.
pub fn elapsed(view: &JobView) -> String {
    match span(view, None) {
        Some((start, Some(end))) => format::between(start, end),
        Some((start, None)) if !view.job.stage.is_settled() => {
            format::between(start, Timestamp::now())
        }
        Some(_) | None => String::new(),
    }
}
