//! What a job was given and what came of it, in the pane beside the list: files, inputs at the platform, settings, results.

use egui::{Align, Layout, RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{JobView, Loadable, Snapshot};
use crate::model::artifact::ArtifactState;
use crate::model::form::{Form, Value};
use crate::model::ids::{ConnectionId, PipelineId};
use crate::model::job::Job;
use crate::model::provider::FanOut;
use crate::ui::jobs::detail::section;
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// Most files listed one by one.
const MOST_FILES: usize = 200;

/// The files of this computer, and the inputs that were at the platform already.
pub fn files_ui(ui: &mut Ui, snapshot: &Snapshot, view: &JobView) {
    let job = &view.job;
    sample_ui(ui, snapshot, job);
    let batch = snapshot.batches.iter().find(|batch| batch.id == job.batch);
    if let Some(batch) = batch.filter(|_| !job.files.is_empty()) {
        let count = format::grouped(job.files.len() as u64);
        section(ui, &format!("Files ({count})"));
        let files = job
            .files
            .iter()
            .filter_map(|id| batch.files.iter().find(|file| file.id == *id));
        for file in files.take(MOST_FILES) {
            let left_out = job.left_out.iter().any(|left| left.file == file.id);
            let beside = if left_out {
                "Left out".to_owned()
            } else {
                format::bytes(file.local.size_bytes)
            };
            row_ui(ui, &beside, left_out, |ui| {
                widgets::one_line(ui, RichText::new(&file.local.name))
                    .on_hover_text(file.local.path.display().to_string());
            });
        }
        more_ui(ui, job.files.len());
    }
    if !job.existing.is_empty() {
        let noun = snapshot
            .facts(&job.provider)
            .map_or("input", |facts| facts.nouns.input);
        let count = format::count(job.existing.len(), noun, &format!("{noun}s"));
        section(ui, &format!("Already at {}: {count}", view.provider_name));
        for input in job.existing.iter().take(MOST_FILES) {
            let beside = input.size_bytes.map(format::bytes).unwrap_or_default();
            row_ui(ui, &beside, false, |ui| {
                widgets::one_line(ui, RichText::new(&input.name)).on_hover_text(&input.id);
            });
        }
        more_ui(ui, job.existing.len());
    }
}

/// Which sample the job is about, or by what the platform splits it.
fn sample_ui(ui: &mut Ui, snapshot: &Snapshot, job: &Job) {
    let column = job.sample_column.as_deref();
    match (job.fan_out, column) {
        (FanOut::BatchPerFile, _) => widgets::fact(ui, "Split into", "One task a file"),
        (FanOut::BatchPerSample, Some(column)) => {
            widgets::fact(ui, "Split into", &format!("One task a value of {column}"));
        }
        (FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample, Some(column)) => {
            let value = snapshot
                .batches
                .iter()
                .find(|batch| batch.id == job.batch)
                .and_then(|batch| {
                    let first = job.files.first()?;
                    let file = batch.files.iter().find(|file| file.id == *first)?;
                    file.samples.get(column)
                });
            if let Some(value) = value {
                widgets::fact(ui, "Sample", &format!("{value} ({column})"));
            }
        }
        (
            FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample | FanOut::BatchPerSample,
            None,
        ) => {}
    }
}

/// One line: an icon, a name that gives way, and something short at the right.
fn row_ui(ui: &mut Ui, beside: &str, stands_out: bool, name: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        let palette = Palette::of(ui);
        widgets::picture(ui, icon::FILE, 16.0, palette.weak);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let color = if stands_out {
                palette.warning
            } else {
                palette.weak
            };
            ui.label(RichText::new(beside).color(color));
            ui.with_layout(Layout::left_to_right(Align::Center), name);
        });
    });
}

fn more_ui(ui: &mut Ui, count: usize) {
    if count > MOST_FILES {
        let rest = format::grouped((count - MOST_FILES) as u64);
        widgets::weak(ui, format!("and {rest} more"));
    }
}

/// The settings as the form names and groups them; by their own names as long as the form is not here.
pub fn settings_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &JobView,
    asked: &mut Option<(ConnectionId, PipelineId)>,
    outbox: &mut Outbox,
) {
    let job = &view.job;
    if job.settings.is_empty() {
        return;
    }
    section(ui, "Settings");
    let form = form_of(snapshot, job, asked, outbox);
    let fields = form.map_or(&[][..], |form| form.fields.as_slice());
    let mut group = "";
    for field in fields.iter().filter(|field| !field.hidden) {
        let Some(value) = job.settings.get(&field.name) else {
            continue;
        };
        if field.group != group {
            group = &field.group;
            if !group.is_empty() {
                ui.add_space(4.0);
                widgets::weak(ui, group);
            }
        }
        let label = if field.label.is_empty() {
            &field.name
        } else {
            &field.label
        };
        value_ui(ui, label, value);
    }
    let unnamed = job
        .settings
        .iter()
        .filter(|(name, _)| !fields.iter().any(|field| &field.name == *name));
    for (name, value) in unnamed {
        value_ui(ui, name, value);
    }
}

fn value_ui(ui: &mut Ui, label: &str, value: &Value) {
    let shown = value.shown();
    if shown.is_empty() {
        widgets::fact(ui, label, "nothing");
    } else {
        widgets::fact(ui, label, &shown);
    }
}

/// The form of the job's pipeline; asked for once where nobody has read it yet.
fn form_of<'a>(
    snapshot: &'a Snapshot,
    job: &Job,
    asked: &mut Option<(ConnectionId, PipelineId)>,
    outbox: &mut Outbox,
) -> Option<&'a Form> {
    let connection = snapshot.connection(job.connection)?;
    match connection.forms.get(&job.pipeline.id) {
        Some(Loadable::Ready(form)) => Some(form),
        None | Some(Loadable::NotAsked) => {
            let wanted = (job.connection, job.pipeline.id.clone());
            if asked.as_ref() != Some(&wanted) && !job.pipeline.id.as_str().is_empty() {
                outbox.command(Command::ReadForm(wanted.0, wanted.1.clone()));
                *asked = Some(wanted);
            }
            None
        }
        Some(Loadable::Loading | Loadable::Failed(_)) => None,
    }
}

/// The results so far, logs among them; one that is here opens in Results.
pub fn results_ui(ui: &mut Ui, view: &JobView, outbox: &mut Outbox) {
    if view.artifacts.is_empty() {
        return;
    }
    let job = &view.job;
    let count = format::grouped(view.artifacts.len() as u64);
    section(ui, &format!("Results ({count})"));
    for artifact in view.artifacts.iter().take(MOST_FILES) {
        let (beside, is_here, stands_out) = match &artifact.state {
            ArtifactState::Offered => ("not here yet".to_owned(), false, false),
            ArtifactState::Preparing { .. } => ("being made".to_owned(), false, false),
            ArtifactState::Fetched(fetched) => (format::bytes(fetched.size_bytes), true, false),
            ArtifactState::Unpacked {
                archive_kept,
                files,
                ..
            } => {
                let count = format::count(files.len(), "file", "files");
                (format!("{count}, unpacked"), *archive_kept, false)
            }
            ArtifactState::Failed(_) => ("not to be had".to_owned(), false, true),
        };
        row_ui(ui, &beside, stands_out, |ui| {
            if is_here {
                let link = egui::Button::new(RichText::new(&artifact.path).underline())
                    .frame(false)
                    .truncate();
                if ui.add(link).on_hover_text("Look at it").clicked() {
                    let path = view.folder.join(&artifact.path);
                    outbox.command(Command::OpenPreview(path.clone()));
                    outbox.go(Goal::ResultFile(job.batch, job.id, path));
                }
            } else {
                widgets::one_line(ui, RichText::new(&artifact.path));
            }
        });
    }
    more_ui(ui, view.artifacts.len());
}
