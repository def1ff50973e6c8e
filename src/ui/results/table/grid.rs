//! The rows and columns on screen, and nothing else of the table. Row numbers and the first column stay at the left.

use egui::{
    Align, Button, Label, Layout, Popup, PopupCloseBehavior, Rect, RichText, Role, Sense, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::engine::command::Command;
use crate::model::table::{CopyStyle, TablePage, TableWish};
use crate::ui::format;
use crate::ui::outbox::Outbox;
use crate::ui::results::table::choose::{self, Chosen};
use crate::ui::results::table::{TableState, ask, card, column, copy, scroll, widths};
use crate::ui::theme::{self, Palette, icon};

/// Width of the bar at the right, in points.
const BAR_WIDTH: f32 = 12.0;

/// What is the same for every column of a frame.
struct Grid<'a> {
    page: &'a TablePage,
    rows: usize,
    /// Height of the names and the cards above them, in points.
    head: f32,
}

/// The grid.
pub(super) fn grid_ui(ui: &mut Ui, page: &TablePage, state: &mut TableState, outbox: &mut Outbox) {
    let whole = ui.available_rect_before_wrap();
    let cards = if state.cards { card::HEIGHT } else { 0.0 };
    let grid = Grid {
        page,
        rows: rows_that_fit(whole.height() - cards),
        head: theme::CELL_HEIGHT + cards,
    };
    scroll::obey(ui, whole, page, grid.rows, state);
    scroll::ask_for_rows(page, grid.rows, state, outbox);
    choose::obey_copy(ui, page, state, outbox);
    let longest = page
        .numbers
        .iter()
        .max()
        .copied()
        .unwrap_or(0)
        .max(page.rows_known);
    let number_width = (format::grouped(longest).len() as f32 * 7.5 + 16.0).max(44.0);
    let first = state.order.first().copied();
    let first_width = first.and_then(|first| state.widths.get(first)).copied();
    let frozen = (number_width + first_width.unwrap_or_default()).min(whole.width() * 0.6);
    let split = whole.left() + frozen;
    let left = Rect::from_min_max(whole.min, pos2(split, whole.max.y - BAR_WIDTH - 4.0));
    let right = Rect::from_min_max(
        pos2(split, whole.min.y),
        pos2(whole.max.x - BAR_WIDTH, whole.max.y),
    );
    let mut seen = Vec::new();
    seen.extend(first);
    frozen_ui(ui, (left, number_width), &grid, state, outbox);
    scrolled_ui(ui, right, &grid, state, outbox, &mut seen);
    let bar = Rect::from_min_max(
        pos2(whole.max.x - BAR_WIDTH, whole.min.y + grid.head),
        whole.max,
    );
    scroll::bar_ui(ui, bar, page, grid.rows, state);
    ui.advance_cursor_after_rect(whole);
    if state.cards && page.counted {
        ask_for_cards(page, state, &seen, outbox);
    }
}

/// Whole rows that fit below the names and above the bar at the bottom.
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

/// Wants the columns on screen described, each once.
fn ask_for_cards(page: &TablePage, state: &mut TableState, seen: &[usize], outbox: &mut Outbox) {
    let unknown: Vec<usize> = seen
        .iter()
        .copied()
        .filter(|column| !page.cards.contains_key(column) && !state.asked_cards.contains(column))
        .collect();
    if !unknown.is_empty() {
        state.asked_cards.extend(&unknown);
        ask(outbox, TableWish::Describe(unknown));
    }
}

fn frozen_ui(
    ui: &mut Ui,
    (area, number_width): (Rect, f32),
    grid: &Grid<'_>,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let mut ui = ui.new_child(UiBuilder::new().max_rect(area).id_salt("frozen"));
    ui.shrink_clip_rect(area);
    let ui = &mut ui;
    numbers_ui(ui, area, number_width, grid, state, outbox);
    if let Some(first) = state.order.first().copied() {
        let width = area.width() - number_width;
        let at = Strip {
            left: area.left() + number_width,
            width,
            area,
            place: 0,
            column: first,
        };
        column_ui(ui, &at, grid, state, outbox);
    }
    let palette = Palette::of(ui);
    ui.painter()
        .vline(area.right() - 0.5, area.y_range(), (1.0, palette.line));
}

fn numbers_ui(
    ui: &Ui,
    area: Rect,
    width: f32,
    grid: &Grid<'_>,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let numbers = Rect::from_min_size(area.min, vec2(width, area.height()));
    ui.painter().rect_filled(numbers, 0.0, palette.raised);
    for at in 0..grid.rows as u64 {
        let place = state.top + at;
        if place >= grid.page.rows_in_view() {
            break;
        }
        let known = place.checked_sub(grid.page.first_row);
        let known = known.and_then(|at| grid.page.numbers.get(usize::try_from(at).ok()?));
        let number = match (known, grid.page.rows_shown) {
            (Some(number), _) => *number,
            (None, None) => place,
            (None, Some(_)) => continue,
        };
        let rect = cell_rect(numbers.left(), width, area.top() + grid.head, at);
        let response = ui.interact(rect, ui.scope_id().with(("row", at)), Sense::click());
        let enabled = ui.is_enabled();
        let words = format::grouped(number + 1);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, format!("Row {words}")));
        if response.clicked() {
            state.chosen = Some(match state.chosen {
                Some(chosen) if ui.input(|input| input.modifiers.shift) => {
                    Chosen::row(*chosen.rows().start(), state.order.len())
                        .to(place, state.order.len().saturating_sub(1))
                }
                Some(_) | None => Chosen::row(place, state.order.len()),
            });
        }
        response.context_menu(|ui| cell_menu_ui(ui, grid.page, state, outbox));
        ui.painter().text(
            rect.right_center() - vec2(8.0, 0.0),
            egui::Align2::RIGHT_CENTER,
            words,
            egui::FontId::proportional(12.0),
            palette.weak,
        );
    }
}

fn scrolled_ui(
    ui: &mut Ui,
    area: Rect,
    grid: &Grid<'_>,
    state: &mut TableState,
    outbox: &mut Outbox,
    seen: &mut Vec<usize>,
) {
    let mut ui = ui.new_child(UiBuilder::new().max_rect(area).id_salt("scrolled"));
    let width_of =
        |state: &TableState, column: usize| state.widths.get(column).copied().unwrap_or(64.0);
    let columns: Vec<usize> = state.order.iter().skip(1).copied().collect();
    let total: f32 = columns.iter().map(|column| width_of(state, *column)).sum();
    let height = theme::CELL_HEIGHT * grid.rows as f32 + grid.head;
    egui::ScrollArea::horizontal()
        .id_salt(state.path.clone())
        .auto_shrink(false)
        .show_viewport(&mut ui, |ui, viewport| {
            let (_, whole) = ui.allocate_space(vec2(total, height));
            let mut left = whole.left();
            for (at, column) in columns.into_iter().enumerate() {
                let width = width_of(state, column);
                let from = left - whole.left();
                if from + width >= viewport.left() && from <= viewport.right() {
                    let strip = Strip {
                        left,
                        width,
                        area: whole,
                        place: at + 1,
                        column,
                    };
                    seen.push(column);
                    column_ui(ui, &strip, grid, state, outbox);
                }
                left += width;
            }
        });
}

/// Where a column is drawn.
struct Strip {
    left: f32,
    width: f32,
    area: Rect,
    /// Which of the columns shown it is.
    place: usize,
    /// Which of the table's columns it is.
    column: usize,
}

fn cell_rect(left: f32, width: f32, top: f32, line: u64) -> Rect {
    Rect::from_min_size(
        pos2(left, top + theme::CELL_HEIGHT * line as f32),
        vec2(width, theme::CELL_HEIGHT),
    )
}

fn column_ui(
    ui: &mut Ui,
    strip: &Strip,
    grid: &Grid<'_>,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    head_ui(ui, strip, grid, state, outbox);
    let line = strip.left + strip.width;
    ui.painter()
        .vline(line - 0.5, strip.area.y_range(), (1.0, palette.line));
    for at in 0..grid.rows as u64 {
        let place = state.top + at;
        if place >= grid.page.rows_in_view() {
            break;
        }
        let rect = cell_rect(strip.left, strip.width, strip.area.top() + grid.head, at);
        cell_ui(ui, rect, (place, strip), grid.page, state, outbox);
    }
    border_ui(ui, strip, grid.page, state);
}

/// The name with its menu, and the card above it.
fn head_ui(
    ui: &mut Ui,
    strip: &Strip,
    grid: &Grid<'_>,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let page = grid.page;
    let name = page.columns.get(strip.column).map_or("", String::as_str);
    let cards = grid.head - theme::CELL_HEIGHT;
    if cards > 0.0 {
        let rect = Rect::from_min_size(
            pos2(strip.left, strip.area.top()),
            vec2(strip.width - 1.0, cards),
        );
        card::small_ui(ui, rect, page.cards.get(&strip.column), name);
    }
    let rect = cell_rect(strip.left, strip.width, strip.area.top() + cards, 0);
    ui.painter().rect_filled(rect, 0.0, palette.raised);
    let sort = page
        .query
        .sorts
        .iter()
        .find(|sort| sort.column == strip.column);
    let arrow = match sort {
        None => "",
        Some(sort) if sort.descending => " ↓",
        Some(_) => " ↑",
    };
    let filtered = page
        .query
        .filters
        .iter()
        .any(|filter| filter.column == strip.column);
    let mut text = RichText::new(format!("{name}{arrow}")).strong();
    if filtered {
        text = text.color(palette.accent);
    }
    let mut inner = ui.new_child(
        UiBuilder::new()
            .max_rect(rect.shrink2(vec2(4.0, 0.0)))
            .layout(Layout::left_to_right(Align::Center)),
    );
    inner.shrink_clip_rect(rect);
    inner.spacing_mut().button_padding = vec2(4.0, 0.0);
    inner.spacing_mut().interact_size.y = theme::CELL_HEIGHT;
    let response = inner
        .add(Button::new(text).frame_when_inactive(false).truncate())
        .on_hover_text(format!("{name}: sort, filter, describe"))
        .accessible_name(format!("Column {name}"));
    if response.hovered() || sort.is_some() || filtered {
        let ink = if filtered {
            palette.accent
        } else {
            palette.weak
        };
        let right = rect.right_center() - vec2(12.0, 0.0);
        let size = egui::FontId::proportional(14.0);
        ui.painter_at(rect)
            .text(right, egui::Align2::CENTER_CENTER, icon::OPEN, size, ink);
    }
    Popup::from_toggle_button_response(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| column::menu_ui(ui, strip.column, page, state, outbox));
}

/// The border at the right of a name, to make the column wider.
fn border_ui(ui: &Ui, strip: &Strip, page: &TablePage, state: &mut TableState) {
    let rect = Rect::from_min_size(
        pos2(strip.left + strip.width - 4.0, strip.area.top()),
        vec2(7.0, theme::CELL_HEIGHT),
    );
    let id = ui.scope_id().with(("border", strip.column));
    let response = ui
        .interact(rect, id, Sense::drag())
        .on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
    if response.dragged()
        && let Some(width) = state.widths.get_mut(strip.column)
    {
        *width = widths::bounded(*width + response.drag_delta().x);
        widths::remember(ui.ctx(), page, strip.column, *width);
    }
}

fn cell_ui(
    ui: &mut Ui,
    rect: Rect,
    (place, strip): (u64, &Strip),
    page: &TablePage,
    state: &mut TableState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let chosen = state
        .chosen
        .is_some_and(|chosen| chosen.has(place, strip.place));
    if chosen {
        ui.painter().rect_filled(rect, 0.0, palette.selected);
    } else if place % 2 == 1 {
        ui.painter()
            .rect_filled(rect, 0.0, palette.page.gamma_multiply(0.7));
    }
    let Some(cells) = choose::row(page, place) else {
        cell_label(
            ui,
            rect,
            RichText::new("…").color(palette.weak),
            Sense::hover(),
        );
        return;
    };
    let Some(text) = cells.get(strip.column) else {
        return;
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
        let further = ui.input(|input| input.modifiers.shift);
        state.chosen = Some(match state.chosen {
            Some(chosen) if further => chosen.to(place, strip.place),
            Some(_) | None => Chosen::cell(place, strip.place),
        });
    }
    if label.secondary_clicked() && !chosen {
        state.chosen = Some(Chosen::cell(place, strip.place));
    }
    label.context_menu(|ui| cell_menu_ui(ui, page, state, outbox));
}

fn cell_menu_ui(ui: &mut Ui, page: &TablePage, state: &TableState, outbox: &mut Outbox) {
    if let Some(object) = choose::object(page, state)
        && ui
            .button("Show in the image")
            .on_hover_text("Open the image with this object chosen")
            .clicked()
    {
        outbox.command(Command::ShowObject {
            object,
            beside: state.path.clone(),
        });
        ui.close();
    }
    if let Some(text) = choose::single(page, state)
        && ui.button("Copy cell").clicked()
    {
        ui.ctx().copy_text(text.to_owned());
        ui.close();
    }
    for (words, style) in [
        ("Copy", CopyStyle::Cells),
        ("Copy with column names", CopyStyle::WithNames),
        ("Copy for Excel", CopyStyle::ForSpreadsheet),
    ] {
        if ui.button(words).clicked() {
            if let Some(wish) = choose::wish(state, style) {
                copy(outbox, wish);
            }
            ui.close();
        }
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
