//! Objects under the pointer and the chosen one: named, outlined, chosen by a click.

use egui::{Painter, Response, Shape, Stroke, Tooltip, Ui};

use crate::model::image_view::{ImageView, ObjectInfo, ObjectSet, SelectedObject, TILE_SIDE};
use crate::ui::format;
use crate::ui::results::image::{ImageState, Lens};
use crate::ui::theme;

/// Objects smaller than this on the screen are ringed, in points.
const SMALL: f32 = 18.0;

/// Edges of more lines are drawn as their box.
const MOST_LINES: usize = 20_000;

/// Draws the chosen object and names the one under the pointer.
pub(super) fn marks_ui(
    ui: &Ui,
    painter: &Painter,
    view: &ImageView,
    state: &mut ImageState,
    lens: Lens,
    response: &Response,
) {
    let Some(set) = view.objects.as_deref() else {
        return;
    };
    let pointed = response
        .hover_pos()
        .and_then(|pointer| object_at(view, lens, pointer));
    if let Some(selected) = &view.selected
        && state.selected == Some(selected.place)
        && let Some(info) = set.objects.get(selected.place as usize)
    {
        paint_selected(painter, lens, selected, info);
    }
    if response.clicked() {
        state.selected = pointed;
        ui.ctx().request_repaint();
    }
    if let Some(place) = pointed
        && !response.dragged()
        && let Some(words) = words(set, place)
    {
        Tooltip::always_open(
            ui.ctx().clone(),
            response.layer_id,
            response.id,
            egui::PopupAnchor::Pointer,
        )
        .show(|ui| {
            ui.label(words);
        });
    }
}

/// The place of the object under the pointer.
fn object_at(view: &ImageView, lens: Lens, pointer: egui::Pos2) -> Option<u32> {
    let at = lens.to_image(pointer);
    if at.x < 0.0 || at.y < 0.0 || at.x >= view.width as f32 || at.y >= view.height as f32 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "just checked to lie in the image"
    )]
    let (x, y) = (at.x as u32, at.y as u32);
    let (x, y) = (x >> view.wish.level, y >> view.wish.level);
    let tile = view
        .mask_tiles
        .iter()
        .find(|tile| tile.tile.at.column == x / TILE_SIDE && tile.tile.at.row == y / TILE_SIDE)?;
    let place = (y % TILE_SIDE) * tile.tile.width + x % TILE_SIDE;
    tile.objects.get(place as usize)?.checked_sub(1)
}

/// An object in words.
pub(super) fn words(set: &ObjectSet, place: u32) -> Option<String> {
    let info = set.objects.get(place as usize)?;
    let class = set.classes.get(info.class as usize)?;
    let score = info
        .score
        .map(|score| format!(" · score {score:.2}"))
        .unwrap_or_default();
    let area = format::grouped(info.area);
    Some(format!(
        "Object {} · {}{score} · {area} pixels",
        info.id, class.name
    ))
}

fn paint_selected(painter: &Painter, lens: Lens, selected: &SelectedObject, info: &ObjectInfo) {
    let [left, top, right, bottom] = info.bbox.map(|side| side as f32);
    let bounds = lens.rect([left, top, right, bottom]);
    let (under, over) = (
        Stroke::new(5.0, theme::MARK_UNDER),
        Stroke::new(2.5, theme::MARK_OVER),
    );
    if bounds.width().max(bounds.height()) < SMALL {
        for stroke in [under, over] {
            painter.circle_stroke(bounds.center(), SMALL, stroke);
        }
        return;
    }
    if selected.outline.is_empty() || selected.outline.len() > MOST_LINES {
        for stroke in [under, over] {
            painter.rect_stroke(bounds, 0.0, stroke, egui::StrokeKind::Outside);
        }
        return;
    }
    for stroke in [under, over] {
        let half = stroke.width / 2.0;
        for [from_x, from_y, to_x, to_y] in &selected.outline {
            let rect = lens
                .rect([*from_x as f32, *from_y as f32, *to_x as f32, *to_y as f32])
                .expand(half);
            if rect.intersects(painter.clip_rect()) {
                painter.add(Shape::rect_filled(rect, half, stroke.color));
            }
        }
    }
}
