//! A list of rows of one height, of any number: only what is seen is drawn, and the place in it is a row and not a pixel,
//! as pixels of a hundred million rows cannot be told apart.

use egui::{Key, Modifiers, Rect, Sense, Ui, UiBuilder, WidgetInfo, vec2};

use crate::ui::theme::Palette;

/// Width of the bar at the right.
const BAR_WIDTH: f32 = 12.0;

/// Shortest handle of the bar.
const SHORTEST_HANDLE: f32 = 24.0;

/// What is seen of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first row.
    pub first: u64,
    /// How many fit.
    pub count: u64,
}

/// Draws the rows that are seen, from the row `top` on, which the wheel, the keys and the bar move. `add_row` gets the
/// number of a row. The bar is called `name`.
pub fn rows_ui(
    ui: &mut Ui,
    name: &str,
    (top, total): (&mut f64, u64),
    row_height: f32,
    mut add_row: impl FnMut(&mut Ui, u64),
) -> Seen {
    let rect = ui.available_rect_before_wrap();
    let body = Rect::from_min_max(rect.min, rect.max - vec2(BAR_WIDTH + 2.0, 0.0));
    let fitting = f64::from((body.height() / row_height).floor().max(1.0));
    let most = (total as f64 - fitting).max(0.0);
    if ui.rect_contains_pointer(rect) {
        let moved = ui.input(|input| input.smooth_scroll_delta.y);
        *top -= f64::from(moved / row_height);
    }
    if ui.memory(|memory| memory.focused().is_none()) {
        *top += keys(ui, fitting, total as f64);
    }
    bar_ui(ui, name, rect, top, (fitting, total));
    *top = top.clamp(0.0, most);
    let seen = Seen {
        first: as_row(top.floor()),
        count: as_row(fitting) + 1,
    };
    let mut inside = ui.new_child(UiBuilder::new().max_rect(body));
    inside.set_clip_rect(body.intersect(ui.clip_rect()));
    egui::ScrollArea::horizontal()
        .id_salt(name)
        .auto_shrink(false)
        .show(&mut inside, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for number in seen.first..(seen.first + seen.count).min(total) {
                ui.horizontal(|ui| {
                    ui.set_height(row_height);
                    add_row(ui, number);
                });
            }
        });
    ui.advance_cursor_after_rect(rect);
    seen
}

/// How far the keys move.
fn keys(ui: &Ui, fitting: f64, total: f64) -> f64 {
    ui.input_mut(|input| {
        let mut pressed = |key| input.consume_key(Modifiers::NONE, key);
        if pressed(Key::PageDown) {
            fitting
        } else if pressed(Key::PageUp) {
            -fitting
        } else if pressed(Key::ArrowDown) {
            1.0
        } else if pressed(Key::ArrowUp) {
            -1.0
        } else if pressed(Key::End) {
            total
        } else if pressed(Key::Home) {
            -total
        } else {
            0.0
        }
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a place on the screen needs no more digits"
)]
fn bar_ui(ui: &Ui, name: &str, rect: Rect, top: &mut f64, (fitting, total): (f64, u64)) {
    let groove = Rect::from_min_max(rect.right_top() - vec2(BAR_WIDTH, 0.0), rect.max);
    let most = (total as f64 - fitting).max(0.0);
    let response = ui.interact(groove, ui.scope_id().with(name), Sense::click_and_drag());
    let shown = *top;
    response.widget_info(|| WidgetInfo::slider(most > 0.0, shown, name));
    if most <= 0.0 {
        return;
    }
    let share = (fitting / total as f64) as f32;
    let handle = (groove.height() * share).clamp(SHORTEST_HANDLE, groove.height());
    let way = (groove.height() - handle).max(1.0);
    if let Some(pointer) = response.interact_pointer_pos() {
        let along = ((pointer.y - groove.top() - handle / 2.0) / way).clamp(0.0, 1.0);
        *top = f64::from(along) * most;
    }
    let along = (top.clamp(0.0, most) / most) as f32;
    let palette = Palette::of(ui);
    let color = if response.hovered() || response.dragged() {
        palette.weak
    } else {
        palette.line
    };
    let grip = Rect::from_min_size(
        groove.left_top() + vec2(2.0, way * along),
        vec2(BAR_WIDTH - 4.0, handle),
    );
    ui.painter().rect_filled(groove, 4, palette.card);
    ui.painter().rect_filled(grip, 4, color);
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a row is never negative, and no file has 2^53 of them"
)]
fn as_row(row: f64) -> u64 {
    row.max(0.0) as u64
}
