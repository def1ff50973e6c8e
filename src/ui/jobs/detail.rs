//! Everything about the chosen job or batch, and what can be done with it.

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::batch::Batch;
use crate::model::job::Stage;
use crate::model::notice::{About, Action};
use crate::model::provider::CancelKind;
use crate::ui::jobs::{self, Chosen, JobsState, inputs, list, resolve};
use crate::ui::outbox::{Goal, Outbox, Wish};
use crate::ui::state;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// The pane at the right.
pub fn detail_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    chosen: Chosen,
    jobs_state: &mut JobsState,
    outbox: &mut Outbox,
) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        widgets::card(ui, |ui| match chosen {
            Chosen::Batch(id) => {
                if let Some(batch) = snapshot.batches.iter().find(|batch| batch.id == id) {
                    batch_ui(ui, snapshot, batch, jobs_state, outbox);
                }
            }
            Chosen::Job(id) => {
                if let Some(view) = snapshot.jobs.iter().find(|view| view.job.id == id) {
                    job_ui(ui, snapshot, view, jobs_state, outbox);
                }
            }
        });
    });
}

fn title_ui(ui: &mut Ui, title: &str, jobs_state: &mut JobsState) {
    ui.horizontal_top(|ui| {
        let width = ui.available_width() - 44.0;
        ui.scope(|ui| {
            ui.set_max_width(width);
            ui.add(egui::Label::new(RichText::new(title).size(16.0).strong()).wrap());
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::TOP), |ui| {
            ui.spacing_mut().button_padding.x = 6.0;
            let close = egui::Button::new(RichText::new("×").size(18.0)).frame_when_inactive(false);
            let response = ui.add(close).on_hover_text("Close these details");
            if response.accessible_name("Close details").clicked() {
                jobs_state.chosen = None;
            }
        });
    });
}

fn batch_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    batch: &Batch,
    jobs_state: &mut JobsState,
    outbox: &mut Outbox,
) {
    title_ui(ui, &batch.name, jobs_state);
    let own: Vec<&JobView> = snapshot
        .jobs
        .iter()
        .filter(|view| view.job.batch == batch.id)
        .map(AsRef::as_ref)
        .collect();
    let failed = own
        .iter()
        .filter(|view| view.job.stage == Stage::Failed)
        .count();
    let done = own
        .iter()
        .filter(|view| view.job.stage == Stage::Done)
        .count();
    let (fraction, words) = (
        (!own.is_empty()).then(|| done as f32 / own.len() as f32),
        format!("{done} of {}", own.len()),
    );
    widgets::progress(ui, &batch.name, fraction, &words);
    ui.horizontal_wrapped(|ui| {
        if widgets::primary_button(ui, "Show results", true).clicked() {
            outbox.go(Goal::Results(batch.id));
        }
        if failed > 0 {
            let text = format!(
                "Try {} again",
                format::count(failed, "failed job", "failed jobs")
            );
            if ui.button(text).clicked() {
                outbox.command(Command::RetryFailed(batch.id));
            }
        }
        if ui.button("Open folder").clicked() {
            outbox.wish(Wish::OpenPath(batch.folder.clone()));
        }
    });
    section(ui, "Batch");
    widgets::fact(ui, "Sent", &format::moment(batch.created));
    let bytes: u64 = batch.files.iter().map(|file| file.local.size_bytes).sum();
    let files = format::count(batch.files.len(), "file", "files");
    widgets::fact(ui, "Files", &format!("{files}, {}", format::bytes(bytes)));
    widgets::fact(ui, "Folder", &batch.folder.display().to_string());
}

fn job_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &JobView,
    jobs_state: &mut JobsState,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    title_ui(ui, &job.name, jobs_state);
    ui.horizontal(|ui| {
        list::stage_ui(ui, view);
        let elapsed = jobs::elapsed(view);
        if !elapsed.is_empty() {
            widgets::weak(ui, elapsed);
        }
    });
    let (fraction, words) = jobs::how_far(view);
    if fraction.is_some() {
        widgets::progress(ui, &format!("{} in detail", job.name), fraction, &words);
    } else if !words.is_empty() {
        let words = format!("{} {words}", job.stage.word());
        widgets::weak(ui, words);
    }
    stay_open_ui(ui, job.stage);
    if let Some(words) = &view.words {
        let palette = Palette::of(ui);
        egui::Frame::new()
            .stroke((1.0, jobs::stage_mark(&palette, job.stage).1))
            .corner_radius(6)
            .inner_margin(10)
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                widgets::sentences(ui, words);
                if let Some(action) = words.action.filter(|action| *action != Action::Resolve)
                    && widgets::primary_button(ui, action.label(), true).clicked()
                {
                    state::act(action, About::Job(job.id), snapshot, outbox);
                }
            });
    }
    if job.stage == Stage::Unconfirmed {
        resolve::resolve_ui(ui, view, &mut jobs_state.candidate, outbox);
    }
    actions_ui(ui, snapshot, view, jobs_state, outbox);
    platform_ui(ui, view, outbox);
    inputs::files_ui(ui, snapshot, view);
    inputs::settings_ui(ui, snapshot, view, &mut jobs_state.form_asked, outbox);
    inputs::results_ui(ui, view, outbox);
    timeline_ui(ui, view);
}

pub(super) fn section(ui: &mut Ui, title: &str) {
    ui.add_space(6.0);
    ui.separator();
    ui.label(RichText::new(title).strong());
}

/// Whether the app must stay open for this job.
fn stay_open_ui(ui: &mut Ui, stage: Stage) {
    let words = match stage {
        Stage::Waiting | Stage::Uploading | Stage::Submitting => {
            "Keep Labferry open until this job is queued"
        }
        Stage::Queued | Stage::Running => {
            "The platform works on its own; you may close Labferry meanwhile"
        }
        Stage::Downloading => "Keep Labferry open until the results are here",
        Stage::Done | Stage::Failed | Stage::Cancelled | Stage::Unconfirmed => return,
    };
    widgets::weak(ui, words);
}

fn actions_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &JobView,
    jobs_state: &mut JobsState,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    if jobs_state.ending == Some(job.id) && !job.stage.is_settled() {
        end_question_ui(ui, snapshot, view, jobs_state, outbox);
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if job.stage == Stage::Done && widgets::primary_button(ui, "Show results", true).clicked() {
            outbox.go(Goal::JobResults(job.batch, job.id));
        }
        let offered = view.words.as_ref().and_then(|words| words.action);
        if matches!(job.stage, Stage::Failed | Stage::Cancelled)
            && offered != Some(Action::TryAgain)
            && ui.button("Try again").clicked()
        {
            outbox.command(Command::RetryJob(job.id));
        }
        if !job.stage.is_settled() {
            if job.cancel_wanted {
                widgets::busy(ui, "Being ended");
            } else {
                let (text, tip) = end_words(snapshot, view);
                if ui.button(text).on_hover_text(tip).clicked() {
                    jobs_state.ending = Some(job.id);
                }
            }
        }
        let forgettable = job.stage.is_settled() && job.stage != Stage::Unconfirmed;
        if forgettable
            && ui
                .button("Forget")
                .on_hover_text("Take it off the list; result files stay where they are")
                .clicked()
        {
            outbox.command(Command::ForgetJob(job.id));
        }
    });
}

/// What ending this job is called, and what it does.
fn end_words(snapshot: &Snapshot, view: &JobView) -> (&'static str, String) {
    let name = view.provider_name;
    let cancel = snapshot
        .facts(&view.job.provider)
        .map_or(CancelKind::StopWatching, |facts| facts.capabilities.cancel);
    match (view.job.stage.is_alive_remotely(), cancel) {
        (false, _) => (
            "Cancel job",
            "Stops here; nothing further is sent or fetched".to_owned(),
        ),
        (true, CancelKind::Stops) => (
            "Cancel job",
            format!("{name} stops the job and keeps its record"),
        ),
        (true, CancelKind::StopsAndDeletes) => (
            "Stop and delete",
            format!("{name} stops the job and deletes it, with its log and its results"),
        ),
        (true, CancelKind::StopWatching) => (
            "Stop watching",
            format!("{name} cannot stop a job: it goes on there, and its results are not fetched"),
        ),
    }
}

/// Whether ending this job takes something away for good.
fn loses_results(snapshot: &Snapshot, view: &JobView) -> bool {
    let cancel = snapshot
        .facts(&view.job.provider)
        .map(|facts| facts.capabilities.cancel);
    view.job.stage.is_alive_remotely() && cancel == Some(CancelKind::StopsAndDeletes)
}

fn end_question_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &JobView,
    jobs_state: &mut JobsState,
    outbox: &mut Outbox,
) {
    let (text, tip) = end_words(snapshot, view);
    let grave = loses_results(snapshot, view);
    if grave {
        let palette = Palette::of(ui);
        let noun = snapshot
            .facts(&view.job.provider)
            .map_or("job", |facts| facts.nouns.job);
        let words = format!(
            "{} stops this {noun} and deletes it: what it has computed so far and its log vanish there, and nobody can \
             bring them back",
            view.provider_name
        );
        widgets::marked(ui, icon::WARNING, palette.bad, &words);
    } else {
        ui.label(tip);
    }
    ui.horizontal_wrapped(|ui| {
        let yes = format!("Yes, {}", text.to_lowercase());
        let agreed = if grave {
            widgets::grave_button(ui, &yes)
        } else {
            widgets::primary_button(ui, &yes, true)
        };
        if agreed.clicked() {
            outbox.command(Command::CancelJob(view.job.id));
            jobs_state.ending = None;
        }
        if ui
            .button("Go on")
            .on_hover_text("Leave the job as it is")
            .clicked()
        {
            jobs_state.ending = None;
        }
    });
}

fn platform_ui(ui: &mut Ui, view: &JobView, outbox: &mut Outbox) {
    let job = &view.job;
    section(ui, "Platform");
    widgets::fact(ui, "Connection", &job.connection_label);
    widgets::fact(ui, "Platform", view.provider_name);
    widgets::fact(ui, "Pipeline", &job.pipeline.name);
    if let Some(report) = &job.report {
        widgets::fact(ui, "Its word", &report.word);
        if let Some(message) = &report.message {
            widgets::fact(ui, "Its message", message);
        }
    }
    if let Some(remote) = &job.remote {
        widgets::fact(ui, "Id there", &remote.id);
        ui.horizontal_wrapped(|ui| {
            let copy = ui.button("Copy").on_hover_text("Copy the id");
            if copy.accessible_name("Copy the id").clicked() {
                ui.ctx().copy_text(remote.id.clone());
            }
            if let Some(page) = &remote.web_page
                && ui.button("Open in browser").clicked()
            {
                outbox.wish(Wish::OpenPage(page.clone()));
            }
        });
    }
}

fn timeline_ui(ui: &mut Ui, view: &JobView) {
    section(ui, "Timeline");
    for moment in view.job.timeline.iter().rev() {
        widgets::fact(ui, &format::moment_in_timeline(moment.at), &moment.what);
    }
}
