//! Which rows are on screen: wheel, keys, the bar at the right, and asking for rows that are not here yet.
//!
//! Positions are counted in rows and not in points, because a scroll area's points lose single rows past a million.

use egui::{Key, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::engine::command::Command;
use crate::model::table::TablePage;
use crate::ui::format;
use crate::ui::outbox::Outbox;
use crate::ui::results::table::TableState;
use crate::ui::results::table::choose::Chosen;
use crate::ui::theme::{self, Palette};

/// Rows asked for before and behind what is visible.
const AHEAD: u64 = 100;

fn last_top(page: &TablePage, visible_rows: usize) -> u64 {
    page.rows_in_view().saturating_sub(visible_rows as u64)
}

/// Wheel and keys.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole rows of one turn of the wheel"
)]
pub(super) fn obey(
    ui: &Ui,
    area: Rect,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) {
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
    if !ui.ctx().text_edit_focused() && !egui::Popup::is_any_open(ui.ctx()) {
        top = keys(ui, top, page, visible_rows, state);
    }
    state.top = top.min(last_top(page, visible_rows));
}

fn keys(
    ui: &Ui,
    mut top: u64,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) -> u64 {
    let page_rows = visible_rows as u64;
    let (mut down, mut right) = (0_i64, 0_i64);
    let shift = ui.input(|input| {
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
        down += i64::from(input.key_pressed(Key::ArrowDown));
        down -= i64::from(input.key_pressed(Key::ArrowUp));
        right += i64::from(input.key_pressed(Key::ArrowRight));
        right -= i64::from(input.key_pressed(Key::ArrowLeft));
        input.modifiers.shift
    });
    if let Some(chosen) = state.chosen.filter(|_| down != 0 || right != 0) {
        let (row, column) = chosen.end();
        let last = page.rows_in_view().saturating_sub(1);
        let row = row.saturating_add_signed(down).min(last);
        let column = column.saturating_add_signed(isize::try_from(right).unwrap_or(0));
        let column = column.min(state.order.len().saturating_sub(1));
        state.chosen = Some(if shift {
            chosen.to(row, column)
        } else {
            Chosen::cell(row, column)
        });
        // What is chosen stays on screen.
        top = top.min(row).max((row + 1).saturating_sub(page_rows));
    }
    top
}

/// Asks for the rows around what is visible, once.
pub(super) fn ask_for_rows(
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let until = state
        .top
        .saturating_add(visible_rows as u64)
        .min(page.rows_in_view());
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

/// The bar at the right: where in the table the window stands.
pub(super) fn bar_ui(
    ui: &Ui,
    area: Rect,
    page: &TablePage,
    visible_rows: usize,
    state: &mut TableState,
) {
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
                format::grouped(page.rows_in_view())
            ),
        );
        info.value = Some(top as f64);
        info
    });
    if last == 0 {
        return;
    }
    let share = (visible_rows as f64 / page.rows_in_view().max(1) as f64).clamp(0.0, 1.0);
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
