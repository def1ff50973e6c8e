//! Batches, their jobs, and the files of each. Only visible rows are drawn.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::{Atom, AtomExt as _, Button, Color32, CursorIcon, RichText, ScrollArea, Sense, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::artifact::ArtifactState;
use crate::model::ids::{BatchId, JobId};
use crate::ui::jobs;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::results::{ChosenResult, ResultsState};
use crate::ui::theme::{self, Palette, icon};
use crate::ui::thumbnails::file_icon;
use crate::ui::{drag_out, format, widgets};

/// Width and height of a thumbnail, in points.
const PICTURE_SIZE: f32 = 20.0;

/// The rows after filtering and folding, kept until something changes.
#[derive(Debug, Default)]
pub struct Rows {
    made_for: Option<(u64, String)>,
    rows: Vec<Row>,
}

impl Rows {
    /// Makes them anew in the next frame.
    pub fn forget(&mut self) {
        self.made_for = None;
    }
}

#[derive(Clone, Debug)]
struct Row {
    depth: u8,
    name: String,
    beside: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Batch(BatchId, bool),
    Job(JobId, bool),
    File(PathBuf),
    Missing(Why),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    OnItsWay,
    Failed,
}

/// The tree with its filter.
pub fn tree_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut ResultsState, outbox: &mut Outbox) {
    widgets::page_title(ui, "Results");
    let width = ui.available_width();
    let field = widgets::line(&mut state.words)
        .desired_width(width)
        .hint_text("Filter by file or job");
    ui.add(field).accessible_name("Filter results");
    if state.chosen.is_none()
        && state.open_batches.is_empty()
        && let Some(newest) = snapshot.batches.first()
    {
        state.show_batch(newest.id);
    }
    collect(snapshot, state);
    let rows = std::mem::take(&mut state.rows.rows);
    if rows.is_empty() {
        ui.add_space(8.0);
        widgets::weak(ui, "Nothing has this name");
    }
    ui.spacing_mut().item_spacing.y = 2.0;
    let height = ui.spacing().interact_size.y;
    ScrollArea::vertical()
        .auto_shrink(false)
        .show_rows(ui, height, rows.len(), |ui, range| {
            for row in rows.get(range).unwrap_or_default() {
                row_ui(ui, snapshot, row, state, outbox);
            }
        });
    state.rows.rows = rows;
}

fn collect(snapshot: &Snapshot, state: &mut ResultsState) {
    let key = (snapshot.seq, state.words.trim().to_lowercase());
    if state.rows.made_for.as_ref() == Some(&key) {
        return;
    }
    let words = &key.1;
    let mut of: BTreeMap<BatchId, Vec<&JobView>> = BTreeMap::new();
    for view in &snapshot.jobs {
        of.entry(view.job.batch).or_default().push(view.as_ref());
    }
    let mut rows = Vec::new();
    for batch in &snapshot.batches {
        let own = of.remove(&batch.id).unwrap_or_default();
        let open = !words.is_empty() || state.open_batches.contains(&batch.id);
        let mut below = Vec::new();
        let batch_found = words.is_empty() || batch.name.to_lowercase().contains(words);
        // After a year most batches are folded: what is below them is not gone through.
        if open {
            for view in &own {
                job_rows(view, state, words, batch_found, &mut below);
            }
        }
        if !batch_found && below.is_empty() {
            continue;
        }
        rows.push(Row {
            depth: 0,
            name: batch.name.clone(),
            beside: format::count(own.len(), "job", "jobs"),
            kind: Kind::Batch(batch.id, open),
        });
        rows.extend(below);
    }
    state.rows = Rows {
        made_for: Some(key),
        rows,
    };
}

fn job_rows(
    view: &JobView,
    state: &ResultsState,
    words: &str,
    batch_found: bool,
    rows: &mut Vec<Row>,
) {
    let job = &view.job;
    let job_found = batch_found || job.name.to_lowercase().contains(words);
    let mut files = Vec::new();
    for artifact in &view.artifacts {
        artifact_rows(view, &artifact.path, &artifact.state, &mut files);
    }
    if !job_found {
        files.retain(|row| row.name.to_lowercase().contains(words));
        if files.is_empty() {
            return;
        }
    }
    let open = (!words.is_empty() && !job_found) || !state.folded_jobs.contains(&job.id);
    rows.push(Row {
        depth: 1,
        name: jobs::after_label(view).to_owned(),
        beside: if job.stage == crate::model::job::Stage::Done {
            format::count(files.len(), "file", "files")
        } else {
            job.stage.word().to_owned()
        },
        kind: Kind::Job(job.id, open),
    });
    if open {
        rows.extend(files);
    }
}

fn artifact_rows(view: &JobView, path: &str, state: &ArtifactState, rows: &mut Vec<Row>) {
    let mut add = |name: &str, beside: String, kind: Kind| {
        rows.push(Row {
            depth: 2,
            name: name.to_owned(),
            beside,
            kind,
        });
    };
    let file = |path: &str| Kind::File(view.folder.join(path));
    match state {
        ArtifactState::Offered => {
            add(
                path,
                "not here yet".to_owned(),
                Kind::Missing(Why::OnItsWay),
            );
        }
        ArtifactState::Preparing { percent } => {
            let beside = percent.map_or_else(
                || "being made".to_owned(),
                |percent| format!("being made, {percent:.0} %"),
            );
            add(path, beside, Kind::Missing(Why::OnItsWay));
        }
        ArtifactState::Fetched(fetched) => {
            add(path, format::bytes(fetched.size_bytes), file(path));
        }
        ArtifactState::Unpacked {
            archive,
            archive_kept,
            files,
            problems,
        } => {
            for unpacked in files {
                add(
                    &unpacked.path,
                    format::bytes(unpacked.size_bytes),
                    file(&unpacked.path),
                );
            }
            if *archive_kept {
                add(path, format::bytes(archive.size_bytes), file(path));
            }
            for problem in problems {
                add(problem, String::new(), Kind::Missing(Why::Failed));
            }
        }
        ArtifactState::Failed(_) => {
            add(path, "not to be had".to_owned(), Kind::Missing(Why::Failed));
        }
    }
}

fn row_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    row: &Row,
    state: &mut ResultsState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let picture = match &row.kind {
        Kind::File(path) => {
            let (gallery, known) = (&mut state.gallery, &snapshot.thumbnails);
            gallery.picture(ui, known, path, PICTURE_SIZE, outbox)
        }
        Kind::Batch(..) | Kind::Job(..) | Kind::Missing(_) => None,
    };
    let size = egui::Vec2::splat(PICTURE_SIZE);
    let mark = if let Some((_, texture)) = &picture {
        Atom::from(egui::Image::from_texture((texture.id(), size)))
    } else {
        let (mark, color) = mark(row, &palette);
        RichText::new(mark).size(17.0).color(color).atom_size(size)
    };
    let chosen = state.chosen == row.chosen();
    let ink = if chosen {
        palette.on_selected
    } else {
        palette.text
    };
    let mut name = RichText::new(&row.name).color(ink);
    if row.depth == 0 {
        name = name.strong();
    }
    // The name gives way, not the icon before it.
    let name = name.atom_shrink(true);
    let beside_color = if chosen {
        palette.on_selected
    } else {
        palette.weak
    };
    ui.horizontal(|ui| {
        ui.add_space(f32::from(row.depth) * 16.0);
        ui.spacing_mut().button_padding.x = 6.0;
        let button = Button::selectable(chosen, (mark, name))
            .right_text(RichText::new(&row.beside).small().color(beside_color))
            .min_size(egui::vec2(ui.available_width(), theme::ROW_HEIGHT))
            .truncate()
            .sense(row.sense());
        let enabled = !matches!(row.kind, Kind::Missing(_));
        let response = ui
            .add_enabled(enabled, button)
            .on_hover_ui(|ui| {
                ui.label(row.tip());
                if let Some((thumbnail, _)) = &picture {
                    state.gallery.large_ui(ui, thumbnail);
                }
            })
            .accessible_name(&row.name);
        if response.clicked() {
            choose(row, state, outbox);
        }
        if let Kind::File(path) = &row.kind
            && response.dragged()
        {
            ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
            if response.drag_started() {
                outbox.wish(Wish::DragOut(path.clone()));
            }
        }
    });
}

impl Row {
    fn tip(&self) -> String {
        let Self { name, beside, .. } = self;
        if matches!(self.kind, Kind::File(_)) && drag_out::is_possible() {
            format!("{name}\n{beside}\nDrag it to another program")
        } else {
            format!("{name}\n{beside}")
        }
    }

    /// Files can be dragged to other programs.
    const fn sense(&self) -> Sense {
        match self.kind {
            Kind::File(_) => Sense::CLICK.union(Sense::DRAG),
            Kind::Batch(..) | Kind::Job(..) | Kind::Missing(_) => Sense::CLICK,
        }
    }

    fn chosen(&self) -> Option<ChosenResult> {
        match &self.kind {
            Kind::Batch(batch, _) => Some(ChosenResult::Batch(*batch)),
            Kind::Job(job, _) => Some(ChosenResult::Job(*job)),
            Kind::File(path) => Some(ChosenResult::File(path.clone())),
            Kind::Missing(_) => None,
        }
    }
}

/// Shows it beside the tree and unfolds it; once it is shown, another click folds it.
fn choose(row: &Row, state: &mut ResultsState, outbox: &mut Outbox) {
    let is_shown = state.chosen == row.chosen();
    match &row.kind {
        Kind::Batch(batch, open) => {
            if *open && is_shown {
                state.open_batches.remove(batch);
            } else {
                state.open_batches.insert(*batch);
            }
        }
        Kind::Job(job, open) => {
            if *open && is_shown {
                state.folded_jobs.insert(*job);
            } else {
                state.folded_jobs.remove(job);
            }
        }
        Kind::File(path) => outbox.command(Command::OpenPreview(path.clone())),
        Kind::Missing(_) => return,
    }
    state.chosen = row.chosen();
    state.rows.forget();
}

fn mark(row: &Row, palette: &Palette) -> (&'static str, Color32) {
    match &row.kind {
        Kind::Batch(_, open) | Kind::Job(_, open) => {
            (if *open { icon::OPEN } else { icon::FOLDED }, palette.weak)
        }
        Kind::File(path) => (file_icon(path), palette.accent),
        Kind::Missing(Why::OnItsWay) => (icon::BUSY, palette.weak),
        Kind::Missing(Why::Failed) => (icon::BAD, palette.bad),
    }
}

/// The stage of a job in words, for the pane beside the tree.
pub fn job_words(view: &JobView) -> String {
    let (_, far) = jobs::how_far(view);
    if far.is_empty() {
        view.job.stage.word().to_owned()
    } else {
        format!("{}, {far}", view.job.stage.word())
    }
}
