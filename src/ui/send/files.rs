//! Block one of Send: the files.

use std::path::PathBuf;

use egui::{Align, Frame, Layout, RichText, Sense, Ui};
use egui_extras::{Column, TableBuilder};

use crate::engine::command::Command;
use crate::engine::snapshot::DraftView;
use crate::model::file::ListedFile;
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Outbox, Wish};
use crate::ui::send;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Rows of the file table that are visible at once.
const VISIBLE_ROWS: f32 = 6.0;

/// The block.
pub fn files_ui(
    ui: &mut Ui,
    draft: &DraftView,
    path_field: &mut Option<String>,
    outbox: &mut Outbox,
) {
    widgets::card(ui, |ui| {
        let (count, bytes) = send::sendable(draft);
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
            table_ui(ui, draft, outbox);
        }
        path_field_ui(ui, path_field, outbox);
    });
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
fn path_field_ui(ui: &mut Ui, path_field: &mut Option<String>, outbox: &mut Outbox) {
    let Some(path) = path_field else {
        return;
    };
    ui.add_space(4.0);
    widgets::weak(
        ui,
        "This computer has no file picker. Drop files on the window, or type where they are",
    );
    let mut add = false;
    let mut close = false;
    ui.horizontal(|ui| {
        let label = ui.label("Path");
        let width = (ui.available_width() - 190.0).max(160.0);
        let field = ui
            .add(
                widgets::line(path)
                    .desired_width(width)
                    .hint_text("A file or a folder"),
            )
            .labelled_by(label.id);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        add = ui.button("Add").clicked() || entered;
        close = ui.button("Close").clicked();
    });
    let typed = path.trim().trim_matches(['"', '\'']).to_owned();
    if add && !typed.is_empty() {
        outbox.command(Command::AddFiles(vec![PathBuf::from(typed)]));
        path.clear();
    }
    if close {
        *path_field = None;
    }
}

fn table_ui(ui: &mut Ui, draft: &DraftView, outbox: &mut Outbox) {
    let rows = draft.files.len();
    let height = theme::ROW_HEIGHT * (rows as f32).min(VISIBLE_ROWS) + theme::ROW_HEIGHT + 12.0;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        TableBuilder::new(ui)
            .id_salt("files")
            .striped(true)
            .max_scroll_height(height)
            .min_scrolled_height(height.min(120.0))
            .auto_shrink([false, true])
            .cell_layout(Layout::left_to_right(Align::Center))
            .column(Column::remainder().at_least(160.0).clip(true))
            .column(
                Column::initial(150.0)
                    .at_least(60.0)
                    .clip(true)
                    .resizable(true),
            )
            .column(Column::exact(76.0))
            .column(Column::initial(190.0).at_least(60.0).clip(true))
            .column(Column::exact(36.0))
            .header(theme::ROW_HEIGHT, |mut header| {
                for title in ["Name", "Folder", "Size", "Problem", ""] {
                    header.col(|ui| {
                        widgets::weak(ui, title);
                    });
                }
            })
            .body(|body| {
                body.rows(theme::ROW_HEIGHT, rows, |mut row| {
                    if let Some(listed) = draft.files.get(row.index()) {
                        row_ui(&mut row, listed, outbox);
                    }
                });
            });
    });
}

fn row_ui(row: &mut egui_extras::TableRow<'_, '_>, listed: &ListedFile, outbox: &mut Outbox) {
    let file = &listed.file;
    row.col(|ui| {
        let color = if listed.problem.is_some() {
            Palette::of(ui).weak
        } else {
            Palette::of(ui).text
        };
        let name = RichText::new(&file.name).color(color);
        widgets::one_line(ui, name).on_hover_text(file.path.display().to_string());
    });
    row.col(|ui| {
        let color = Palette::of(ui).weak;
        widgets::one_line(ui, RichText::new(&file.folder).color(color));
    });
    row.col(|ui| {
        ui.label(format::bytes(file.size_bytes));
    });
    row.col(|ui| {
        if let Some(problem) = listed.problem {
            let color = Palette::of(ui).warning;
            ui.spacing_mut().item_spacing.x = 4.0;
            let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), Sense::hover());
            widgets::paint_icon(ui, rect, icon::WARNING, 15.0, color);
            widgets::one_line(ui, RichText::new(problem.words()).color(color));
        }
    });
    row.col(|ui| {
        let button = egui::Button::new(RichText::new("×").size(16.0))
            .small()
            .frame_when_inactive(false);
        let name = format!("Remove {}", file.name);
        let response = ui
            .add(button)
            .on_hover_text("Take it out of the list")
            .accessible_name(name);
        if response.clicked() {
            outbox.command(Command::RemoveFiles(vec![file.path.clone()]));
        }
    });
}
