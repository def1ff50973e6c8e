//! The pane beside the tree: what is chosen, and what can be done with it.

use std::path::Path;

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::artifact::ArtifactState;
use crate::model::preview::{Preview, PreviewContent};
use crate::ui::outbox::{Goal, Outbox, Wish};
use crate::ui::results::{
    ChosenResult, ResultsState, batch, image, json, other, stack, table, text, tree,
};
use crate::ui::theme::icon;
use crate::ui::widgets;

/// The pane.
pub fn preview_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut ResultsState, outbox: &mut Outbox) {
    match state.chosen.clone() {
        None => widgets::empty(
            ui,
            icon::RESULTS,
            "Choose a file",
            "Tables, images and texts open here at once",
        ),
        Some(ChosenResult::Batch(batch)) => {
            if batch::batch_ui(ui, snapshot, batch, &mut state.batch, outbox) {
                state.chosen = Some(ChosenResult::Stack(batch));
            }
        }
        Some(ChosenResult::Job(job)) => job_ui(ui, snapshot, job, state, outbox),
        Some(ChosenResult::Stack(batch)) => stack_ui(ui, snapshot, batch, state, outbox),
        Some(ChosenResult::File(path)) => file_ui(ui, snapshot, &path, state, outbox),
    }
}

fn stack_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    batch: crate::model::ids::BatchId,
    state: &mut ResultsState,
    outbox: &mut Outbox,
) {
    let Some(batch) = snapshot.batches.iter().find(|known| known.id == batch) else {
        return;
    };
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Back to the batch").clicked() {
                state.chosen = Some(ChosenResult::Batch(batch.id));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let title = format!("{}: all results in one table", batch.name);
                widgets::one_line(ui, RichText::new(title).heading().strong());
            });
        });
    });
    ui.add_space(4.0);
    let key = stack::key(batch);
    let open = snapshot.preview.as_deref();
    match open.filter(|preview| preview.path == key) {
        None => {
            widgets::busy(ui, "Opening the tables");
        }
        Some(preview) => content_ui(ui, preview, state, outbox),
    }
}

fn job_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    job: crate::model::ids::JobId,
    state: &mut ResultsState,
    outbox: &mut Outbox,
) {
    let Some(view) = snapshot.jobs.iter().find(|view| view.job.id == job) else {
        return;
    };
    widgets::page_title(ui, &view.job.name);
    widgets::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            if widgets::icon_button(ui, icon::FOLDER, "Open folder").clicked() {
                outbox.wish(Wish::OpenPath(view.folder.clone()));
            }
            if ui.button("Show job").clicked() {
                outbox.go(Goal::Job(job));
            }
        });
        ui.add_space(6.0);
        widgets::fact(ui, "State", &tree::job_words(view));
        widgets::fact(ui, "Connection", &view.job.connection_label);
        widgets::fact(ui, "Pipeline", &view.job.pipeline.name);
        widgets::fact(ui, "Folder", &view.folder.display().to_string());
        let first = view
            .artifacts
            .iter()
            .find_map(|artifact| match &artifact.state {
                ArtifactState::Fetched(_) => Some(view.folder.join(&artifact.path)),
                ArtifactState::Unpacked { files, .. } => {
                    files.first().map(|file| view.folder.join(&file.path))
                }
                ArtifactState::Offered
                | ArtifactState::Preparing { .. }
                | ArtifactState::Failed(_) => None,
            });
        if let Some(first) = first {
            ui.add_space(4.0);
            if widgets::primary_button(ui, "Read the first file", true).clicked() {
                outbox.command(Command::OpenPreview(first.clone()));
                state.chosen = Some(ChosenResult::File(first));
            }
        }
    });
}

fn file_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    path: &Path,
    state: &mut ResultsState,
    outbox: &mut Outbox,
) {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Open with the system").clicked() {
                outbox.wish(Wish::OpenPath(path.to_owned()));
            }
            if ui.button("Show in folder").clicked() {
                outbox.wish(Wish::Reveal(path.to_owned()));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                widgets::one_line(ui, RichText::new(name.as_str()).heading().strong())
                    .on_hover_text(path.display().to_string());
            });
        });
    });
    ui.add_space(4.0);
    let open = snapshot
        .preview
        .as_deref()
        .filter(|preview| preview.path == path);
    match open {
        None => {
            widgets::busy(ui, "Opening the file");
        }
        Some(preview) => content_ui(ui, preview, state, outbox),
    }
}

fn content_ui(ui: &mut Ui, preview: &Preview, state: &mut ResultsState, outbox: &mut Outbox) {
    match &preview.content {
        PreviewContent::Opening => {
            widgets::busy(ui, "Opening the file");
        }
        PreviewContent::Table(page) => {
            table::table_ui(ui, &preview.path, page, &mut state.table, outbox);
        }
        PreviewContent::Image(view) => {
            image::image_ui(ui, &preview.path, view, &mut state.image, outbox);
        }
        PreviewContent::Text(page) => text::text_ui(ui, preview, page, &mut state.text, outbox),
        PreviewContent::Json(page) => {
            json::json_ui(ui, preview, page, &mut state.json, outbox);
        }
        PreviewContent::Other {
            size_bytes,
            kind,
            hash,
        } => other::other_ui(ui, *size_bytes, kind, hash, outbox),
        PreviewContent::Failed(words) => widgets::card(ui, |ui| {
            widgets::sentences(ui, words);
            if ui.button("Try again").clicked() {
                outbox.command(Command::OpenPreview(preview.path.clone()));
            }
        }),
    }
}
