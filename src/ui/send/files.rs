//! Block one of Send: the files, and what is known of their samples.

use std::path::PathBuf;

use egui::{Align, Frame, Layout, RichText, ScrollArea, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::file::ListedFile;
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::send::{PathField, SendState, samples};
use crate::ui::theme::{self, Palette, icon};
use crate::ui::thumbnails::Gallery;
use crate::ui::{format, thumbnails, widgets};

/// Rows of the file table that are visible at once.
const VISIBLE_ROWS: f32 = 6.0;

/// Width and height of a thumbnail, in points.
const PICTURE_SIZE: f32 = 24.0;

/// The block.
pub fn files_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    let draft = &snapshot.draft;
    state.samples.begin(draft);
    widgets::card(ui, |ui| {
        let (count, bytes) = (state.tally.files, state.tally.bytes);
        widgets::step_title(ui, 1, "Files", count > 0);
        if draft.files.is_empty() {
            drop_zone_ui(ui, draft.scanning, outbox);
        } else {
            ui.horizontal_wrapped(|ui| {
                add_buttons_ui(ui, outbox);
                let cleared = ui
                    .button("Clear")
                    .on_hover_text("Empty the list; the files stay where they are");
                if cleared.clicked() {
                    outbox.command(Command::ClearFiles);
                }
                ui.add_space(8.0);
                ui.label(RichText::new(format!(
                    "{}, {}",
                    format::count(count, "file", "files"),
                    format::bytes(bytes)
                )));
                let left_out = draft.files.len() - count;
                if left_out > 0 {
                    let color = Palette::of(ui).warning;
                    ui.label(RichText::new(format!("{left_out} will not be sent")).color(color));
                }
            });
            if draft.scanning {
                widgets::busy(ui, "Looking through folders");
            }
            samples::samples_ui(ui, draft, &state.tally, &mut state.samples, outbox);
            table_ui(ui, snapshot, state, outbox);
        }
        path_field_ui(ui, &mut state.path_field, outbox);
    });
    state.samples.end(draft, outbox);
}

fn drop_zone_ui(ui: &mut Ui, scanning: bool, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let zone = Frame::new()
        .fill(palette.page)
        .corner_radius(theme::ROUNDING)
        .inner_margin(16)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.vertical_centered(|ui| {
                widgets::picture(ui, icon::DROP, 36.0, palette.accent);
                if scanning {
                    ui.label(RichText::new("Looking through folders").strong());
                } else {
                    ui.label(
                        RichText::new("Drop files or folders here")
                            .size(16.0)
                            .strong(),
                    );
                    widgets::weak(ui, "Images, reads, tables: anything a pipeline takes");
                }
                ui.add_space(2.0);
                // Two buttons of about this width, in the middle.
                let width = 262.0;
                ui.horizontal(|ui| {
                    ui.add_space(((ui.available_width() - width) / 2.0).max(0.0));
                    add_buttons_ui(ui, outbox);
                });
            });
        });
    let corners = zone.response.rect.shrink(1.0);
    let path = [
        corners.left_top(),
        corners.right_top(),
        corners.right_bottom(),
        corners.left_bottom(),
        corners.left_top(),
    ];
    let dashes = egui::Shape::dashed_line(&path, (1.5, palette.weak), 6.0, 5.0);
    ui.painter().extend(dashes);
}

fn add_buttons_ui(ui: &mut Ui, outbox: &mut Outbox) {
    let files = widgets::icon_button(ui, icon::FILE, "Add files…");
    if files.clicked() {
        outbox.wish(Wish::Pick(PickFor::Files));
    }
    let folder = widgets::icon_button(ui, icon::FOLDER, "Add folder…");
    if folder.on_hover_text("With everything in it").clicked() {
        outbox.wish(Wish::Pick(PickFor::Folder));
    }
}

/// Where there is no picker on this computer, or the person asked to type.
fn path_field_ui(ui: &mut Ui, path_field: &mut Option<PathField>, outbox: &mut Outbox) {
    let Some(PathField { text, is_samples }) = path_field else {
        return;
    };
    let (label, hint) = if *is_samples {
        (
            "Path of the table",
            "A CSV file with a column of file names",
        )
    } else {
        ("Path", "A file or a folder")
    };
    ui.add_space(4.0);
    widgets::weak(
        ui,
        if *is_samples {
            "This computer has no file picker. Type where the table is"
        } else {
            "This computer has no file picker. Drop files on the window, or type where they are"
        },
    );
    let mut add = false;
    let mut close = false;
    ui.horizontal(|ui| {
        let label = ui.label(label);
        let width = (ui.available_width() - 190.0).max(160.0);
        let field = ui
            .add(widgets::line(text).desired_width(width).hint_text(hint))
            .labelled_by(label.id);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        add = ui.button("Add").clicked() || entered;
        close = ui.button("Close").clicked();
    });
    let typed = PathBuf::from(text.trim().trim_matches(['"', '\'']));
    if add && !typed.as_os_str().is_empty() {
        outbox.command(if *is_samples {
            Command::ImportSamples(typed)
        } else {
            Command::AddFiles(vec![typed])
        });
        text.clear();
    }
    if close {
        *path_field = None;
    }
}

fn table_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    let draft = &snapshot.draft;
    let SendState {
        tally,
        samples,
        gallery,
        ..
    } = state;
    let columns = samples.columns(draft);
    let only = samples.only_unmatched.then(|| tally.unmatched.clone());
    let rows = only.as_ref().map_or(draft.files.len(), Vec::len);
    let height = theme::ROW_HEIGHT * (rows as f32).min(VISIBLE_ROWS) + theme::ROW_HEIGHT + 12.0;
    let fixed = |width: f32| {
        Column::initial(width)
            .at_least(60.0)
            .clip(true)
            .resizable(true)
    };
    ScrollArea::horizontal().id_salt("files").show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut table = TableBuilder::new(ui)
            .id_salt(("files", columns.len(), tally.has_problems))
            .striped(true)
            .max_scroll_height(height)
            .min_scrolled_height(height.min(120.0))
            .auto_shrink([false, true])
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(160.0).clip(true))
            .column(fixed(if columns.is_empty() { 150.0 } else { 70.0 }))
            .column(Column::exact(76.0));
        for _ in &columns {
            table = table.column(fixed(96.0));
        }
        if tally.has_problems {
            let width = if columns.is_empty() { 190.0 } else { 150.0 };
            table = table.column(Column::initial(width).at_least(60.0).clip(true));
        }
        table
            .column(Column::exact(36.0))
            .header(theme::ROW_HEIGHT, |mut header| {
                let own = ["Name", "Folder", "Size"].into_iter();
                let problem = tally.has_problems.then_some("Problem");
                for title in own.chain(columns.iter().map(String::as_str)).chain(problem) {
                    header.col(|ui| {
                        let color = Palette::of(ui).weak;
                        widgets::one_line(ui, RichText::new(title).color(color));
                    });
                }
                header.col(|_| {});
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows, |mut row| {
                    let at = match &only {
                        Some(only) => only.get(row.index()).copied(),
                        None => Some(row.index()),
                    };
                    let Some((at, listed)) = at.and_then(|at| Some((at, draft.files.get(at)?)))
                    else {
                        return;
                    };
                    row.col(|ui| name_ui(ui, snapshot, listed, gallery, outbox));
                    file_cells_ui(&mut row, listed);
                    for column in &columns {
                        row.col(|ui| {
                            if listed.problem.is_none() {
                                samples::cell_ui(ui, draft, listed, column, samples, outbox);
                            }
                        });
                    }
                    if tally.has_problems {
                        let fits = tally.unmatched.binary_search(&at).is_err();
                        row.col(|ui| problem_ui(ui, listed, fits));
                    }
                    row.col(|ui| remove_ui(ui, listed, outbox));
                });
            });
    });
}

/// The name, behind a thumbnail or an icon.
fn name_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    listed: &ListedFile,
    gallery: &mut Gallery,
    outbox: &mut Outbox,
) {
    let file = &listed.file;
    let color = if listed.problem.is_some() {
        let size = egui::Vec2::splat(PICTURE_SIZE);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        thumbnails::icon_ui(ui, rect, &file.path);
        Palette::of(ui).weak
    } else {
        let known = &snapshot.thumbnails;
        let named = (file.path.as_path(), file.name.as_str());
        gallery.place_ui(ui, known, named, PICTURE_SIZE, outbox);
        Palette::of(ui).text
    };
    let name = RichText::new(&file.name).color(color);
    widgets::one_line(ui, name).on_hover_text(file.path.display().to_string());
}

/// Folder and size.
fn file_cells_ui(row: &mut egui_extras::TableRow<'_, '_>, listed: &ListedFile) {
    let file = &listed.file;
    row.col(|ui| {
        let color = Palette::of(ui).weak;
        widgets::one_line(ui, RichText::new(&file.folder).color(color));
    });
    row.col(|ui| {
        ui.label(format::bytes(file.size_bytes));
    });
}

fn problem_ui(ui: &mut Ui, listed: &ListedFile, fits: bool) {
    let words = match listed.problem {
        Some(problem) => problem.words(),
        None if !fits => "No sample: name does not fit",
        None => return,
    };
    let color = Palette::of(ui).warning;
    ui.spacing_mut().item_spacing.x = 4.0;
    let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), Sense::hover());
    widgets::paint_icon(ui, rect, icon::WARNING, 15.0, color);
    widgets::one_line(ui, RichText::new(words).color(color));
}

fn remove_ui(ui: &mut Ui, listed: &ListedFile, outbox: &mut Outbox) {
    let file = &listed.file;
    let remove = widgets::bare_button(ui, "×", &format!("Remove {}", file.name));
    if remove.clicked() {
        outbox.command(Command::RemoveFiles(vec![file.path.clone()]));
    }
}
