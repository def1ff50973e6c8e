//! A table of any length: only visible rows are asked for and drawn. Row numbers and the first column stay at the left.
//!
//! Positions are counted in rows and not in points, because a scroll area's points lose single rows past a million.

use std::path::{Path, PathBuf};

use egui::{
    Align, Key, Label, Layout, Rect, RichText, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::command::Command;
use crate::model::table::TablePage;
use crate::ui::outbox::Outbox;
use crate::ui::theme::{self, Palette};
use crate::ui::{format, widgets};

/// Rows asked for before and behind what is visible.
const AHEAD: u64 = 100;
/// Width of the bar at the right, in points.
const BAR_WIDTH: f32 = 12.0;

/// Where the table stands.
#[derive(Debug, Default)]
pub struct TableState {
    path: PathBuf,
    widths: Vec<f32>,
    top: u64,
    /// Part of a row that the wheel has gathered, in points.
    wheel: f32,
    /// Chosen cell: row and column.
    cell: Option<(u64, usize)>,
    asked: Option<(u64, usize)>,
}

impl TableState {
    fn adopt(&mut self, path: &Path, page: &TablePage) {
        if self.path != path || self.widths.len() != page.columns.len() {
            *self = Self {
                path: path.to_owned(),
                widths: widths(page),
                ..Self::default()
            };
        }
    }
}

/// Widths by what the first rows hold, in points.
fn widths(page: &TablePage) -> Vec<f32> {
    page.columns
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let longest = page
                .rows
                .iter()
                .take(50)
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(name.chars().count());
            (longest as f32 * 7.6 + 22.0).clamp(64.0, 280.0)
        })
        .collect()
}

/// The table with the line above it.
pub fn table_ui(
    ui: &mut Ui,
    path: &Path,
    page: &TablePage,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    state.adopt(path, page);
    about_ui(ui, page, state);
    let palette = Palette::of(ui);
    egui::Frame::new()
        .fill(palette.card)
        .stroke((1.0, palette.line))
        .corner_radius(4)
        .show(ui, |ui| {
            let whole = ui.available_rect_before_wrap();
            let visible_rows = rows_that_fit(whole.height());
            scroll(ui, whole, page, visible_rows, state);
            ask(page, visible_rows, state, outbox);
            let number_width =
                (format::grouped(page.rows_known).len() as f32 * 7.5 + 16.0).max(44.0);
            let first_width = state.widths.first().copied().unwrap_or_default();
            let frozen = (number_width + first_width).min(whole.width() * 0.6);
            let split = whole.left() + frozen;
            let left = Rect::from_min_max(whole.min, pos2(split, whole.max.y - BAR_WIDTH - 4.0));
            let right = Rect::from_min_max(
                pos2(split, whole.min.y),
                pos2(whole.max.x - BAR_WIDTH, whole.max.y),
            );
            frozen_ui(ui, left, number_width, page, visible_rows, state);
            scrolled_ui(ui, right, page, visible_rows, state);
            let bar = Rect::from_min_max(
                pos2(whole.max.x - BAR_WIDTH, whole.min.y + theme::CELL_HEIGHT),
                whole.max,
            );
            bar_ui(ui, bar, page, visible_rows, state);
            ui.advance_cursor_after_rect(whole);
        });
}

fn about_ui(ui: &mut Ui, page: &TablePage, state: &TableState) {
    ui.horizontal_wrapped(|ui| {
        let rows = if page.counted {
            format!("{} rows", format::grouped(page.rows_known))
        } else {
            format!(
                "{} rows so far, counting…",
                format::grouped(page.rows_known)
            )
        };
        ui.label(RichText::new(rows).strong());
        widgets::weak(
            ui,
            format!(
                "{} · {}",
                format::count(page.columns.len(), "column", "columns"),
                page.dialect
            ),
        );
        if page.ragged_rows > 0 {
            let color = Palette::of(ui).warning;
            let words = format!(
                "{} of uneven length",
                format::count(
                    usize::try_from(page.ragged_rows).unwrap_or(usize::MAX),
                    "row",
                    "rows"
                )
            );
            ui.label(RichText::new(words).color(color));
        }
        let cell = state.cell.and_then(|(row, column)| cell(page, row, column));
        let copy = ui
            .add_enabled(cell.is_some(), egui::Button::new("Copy cell"))
            .on_disabled_hover_text("Click a cell first");
        if let Some(text) = cell
            && (copy.clicked() || wants_copy(ui))
        {
            ui.ctx().copy_text(text.to_owned());
        }
    });
}

fn wants_copy(ui: &Ui) -> bool {
    let typing = ui.ctx().text_edit_focused();
    !typing
        && ui.input(|input| {
            input
                .events
                .iter()
                .any(|event| matches!(event, egui::Event::Copy))
        })
}

fn row(page: &TablePage, number: u64) -> Option<&Vec<String>> {
    let at = number.checked_sub(page.first_row)?;
    page.rows.get(usize::try_from(at).ok()?)
}

fn cell(page: &TablePage, number: u64, column: usize) -> Option<&str> {
    row(page, number)?.get(column).map(String::as_str)
}

/// Whole rows that fit below the header and above the bar at the bottom.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a screen has few rows, and never fewer than none"
)]
fn rows_that_fit(height: f32) -> usize {
    ((height - theme::CELL_HEIGHT - BAR_WIDTH - 4.0) / theme::CELL_HEIGHT)
        .floor()
        .clamp(1.0, 400.0) as usize
}

fn last_top(page: &TablePage, visible_rows: usize) -> u64 {
    page.rows_known.saturating_sub(visible_rows as u64)
}

/// Wheel and keys.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole rows of one turn of the wheel"
)]
fn scroll(ui: &Ui, area: Rect, page: &TablePage, visible_rows: usize, state: &mut TableState) {
    let mut top = state.top;
    if ui.rect_contains_pointer(area) {
        state.wheel -= ui.input(|input| input.smooth_scroll_delta().y);
        let rows = (state.wheel / theme::CELL_HEIGHT).trunc();
        state.wheel -= rows * theme::CELL_HEIGHT;
        if rows < 0.0 {
            top = top.saturating_sub(-rows as u64);
        } else {
            top = top.saturating_add(rows as u64);
        }
    }
    if !ui.ctx().text_edit_focused() {
        let page_rows = visible_rows as u64;
        ui.input(|input| {
            if input.key_pressed(Key::PageDown) {
                top = top.saturating_add(page_rows);
            }
            if input.key_pressed(Key::PageUp) {
                top = top.saturating_sub(page_rows);
            }
            if input.key_pressed(Key::Home) {
                top = 0;
            }
            if input.key_pressed(Key::End) {
                top = u64::MAX;
            }
        });
    }
    state.top = top.min(last_top(page, visible_rows));
}

/// Asks for the rows around what is visible, once.
fn ask(page: &TablePage, visible_rows: usize, state: &mut TableState, outbox: &mut Outbox) {
    let until = state
        .top
        .saturating_add(visible_rows as u64)
        .min(page.rows_known);
    let has_until = page.first_row.saturating_add(page.rows.len() as u64);
    if state.top >= page.first_row && until <= has_until {
        state.asked = None;
        return;
    }
    let first_row = state.top.saturating_sub(AHEAD);
    let count = visible_rows + 2 * usize::try_from(AHEAD).unwrap_or(0);
    if state.asked != Some((first_row, count)) {
        state.asked = Some((first_row, count));
        outbox.command(Command::ShowRows { first_row, count });
    }
}

fn frozen_ui(
    ui: &mut Ui,
    area: Rect,
    number_width: f32,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) {
    let mut ui = ui.new_child(UiBuilder::new().max_rect(area).id_salt("frozen"));
    ui.shrink_clip_rect(area);
    let ui = &mut ui;
    let numbers = Rect::from_min_size(area.min, vec2(number_width, area.height()));
    let palette = Palette::of(ui);
    ui.painter().rect_filled(numbers, 0.0, palette.raised);
    for at in 0..visible_rows as u64 {
        let number = state.top + at;
        if number >= page.rows_known {
            break;
        }
        let rect = cell_rect(numbers.left(), number_width, area.top(), at + 1);
        ui.painter().text(
            rect.right_center() - vec2(8.0, 0.0),
            egui::Align2::RIGHT_CENTER,
            format::grouped(number + 1),
            egui::FontId::proportional(12.0),
            palette.weak,
        );
    }
    if !page.columns.is_empty() {
        let width = area.width() - number_width;
        column_ui(
            ui,
            (area.left() + number_width, width),
            area,
            0,
            page,
            visible_rows,
            state,
        );
    }
    ui.painter()
        .vline(area.right() - 0.5, area.y_range(), (1.0, palette.line));
}

fn scrolled_ui(
    ui: &mut Ui,
    area: Rect,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) {
    let mut ui = ui.new_child(UiBuilder::new().max_rect(area).id_salt("scrolled"));
    let total: f32 = state.widths.iter().skip(1).sum();
    let height = theme::CELL_HEIGHT * (visible_rows + 1) as f32;
    egui::ScrollArea::horizontal()
        .id_salt(state.path.clone())
        .auto_shrink(false)
        .show_viewport(&mut ui, |ui, viewport| {
            let (_, whole) = ui.allocate_space(vec2(total, height));
            let mut left = whole.left();
            for at in 1..page.columns.len() {
                let width = state.widths.get(at).copied().unwrap_or(64.0);
                let from = left - whole.left();
                if from + width >= viewport.left() && from <= viewport.right() {
                    column_ui(ui, (left, width), whole, at, page, visible_rows, state);
                }
                left += width;
            }
        });
}

fn cell_rect(left: f32, width: f32, top: f32, line: u64) -> Rect {
    Rect::from_min_size(
        pos2(left, top + theme::CELL_HEIGHT * line as f32),
        vec2(width, theme::CELL_HEIGHT),
    )
}

#[expect(
    clippy::too_many_arguments,
    reason = "a column is drawn from where it stands, what it holds and what is chosen"
)]
fn column_ui(
    ui: &mut Ui,
    (left, width): (f32, f32),
    area: Rect,
    column: usize,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) {
    let palette = Palette::of(ui);
    let header = cell_rect(left, width, area.top(), 0);
    ui.painter().rect_filled(header, 0.0, palette.raised);
    let name = page.columns.get(column).map_or("", String::as_str);
    cell_label(ui, header, RichText::new(name).strong(), Sense::hover()).on_hover_text(name);
    ui.painter()
        .vline(left + width - 0.5, area.y_range(), (1.0, palette.line));
    for at in 0..visible_rows as u64 {
        let number = state.top + at;
        if number >= page.rows_known {
            break;
        }
        let rect = cell_rect(left, width, area.top(), at + 1);
        let chosen = state.cell == Some((number, column));
        if chosen {
            ui.painter().rect_filled(rect, 0.0, palette.selected);
        } else if number % 2 == 1 {
            ui.painter()
                .rect_filled(rect, 0.0, palette.page.gamma_multiply(0.7));
        }
        let Some(cells) = row(page, number) else {
            cell_label(
                ui,
                rect,
                RichText::new("…").color(palette.weak),
                Sense::hover(),
            );
            continue;
        };
        let Some(text) = cells.get(column) else {
            continue;
        };
        let ink = if chosen {
            palette.on_selected
        } else {
            palette.text
        };
        let shown: String = text
            .chars()
            .take(200)
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        let label = cell_label(ui, rect, RichText::new(shown).color(ink), Sense::click());
        if label.clicked() {
            state.cell = Some((number, column));
        }
        label.context_menu(|ui| {
            if ui.button("Copy cell").clicked() {
                ui.ctx().copy_text(text.clone());
                ui.close();
            }
        });
    }
}

fn cell_label(ui: &mut Ui, rect: Rect, text: RichText, sense: Sense) -> egui::Response {
    let inner = rect.shrink2(vec2(8.0, 0.0));
    let mut ui = ui.new_child(
        UiBuilder::new()
            .max_rect(inner)
            .layout(Layout::left_to_right(Align::Center)),
    );
    ui.shrink_clip_rect(rect);
    ui.add(Label::new(text).truncate().selectable(false).sense(sense))
}

/// The bar at the right: where in the table the window stands.
fn bar_ui(ui: &Ui, area: Rect, page: &TablePage, visible_rows: usize, state: &mut TableState) {
    let palette = Palette::of(ui);
    let response = ui.interact(area, ui.scope_id().with("row bar"), Sense::click_and_drag());
    let last = last_top(page, visible_rows);
    let enabled = ui.is_enabled();
    let top = state.top;
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(
            Role::ScrollBar,
            enabled,
            format!(
                "Row {} of {}",
                format::grouped(top + 1),
                format::grouped(page.rows_known)
            ),
        );
        info.value = Some(top as f64);
        info
    });
    if last == 0 {
        return;
    }
    let share = (visible_rows as f64 / page.rows_known.max(1) as f64).clamp(0.0, 1.0);
    let handle = (f64::from(area.height()) * share).max(28.0);
    let room = (f64::from(area.height()) - handle).max(1.0);
    if let Some(pointer) = response.interact_pointer_pos() {
        let at = (f64::from(pointer.y - area.top()) - handle / 2.0).clamp(0.0, room);
        state.top = rounded(at / room * last as f64).min(last);
    }
    let from = area.top() + narrow(state.top as f64 / last as f64 * room);
    let rect = Rect::from_min_size(
        pos2(area.left() + 2.0, from),
        vec2(area.width() - 4.0, narrow(handle)),
    );
    let color = if response.hovered() || response.dragged() {
        palette.weak
    } else {
        palette.raised_hovered
    };
    ui.painter().rect_filled(rect, 4.0, color);
}

#[expect(clippy::cast_possible_truncation, reason = "points on screen")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a row number, never below zero"
)]
fn rounded(value: f64) -> u64 {
    value.max(0.0).round() as u64
}
