//! An image: fitted, at its own size, larger, moved about; with objects over it. Only tiles that are seen are asked for, and
//! they go to the graphics card once.

mod bar;
mod marks;
mod textures;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use egui::{Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2};

use crate::engine::command::Command;
use crate::model::image_view::{
    Brightness, ImageView, ImageWish, MaskStyle, TILE_SIDE, level_size,
};
use crate::ui::outbox::Outbox;
use crate::ui::results::image::textures::Textures;
use crate::ui::theme::Palette;
use crate::ui::widgets;

/// Smallest and largest scale, in points a pixel.
const SCALES: Range<f32> = 0.001..64.0;

/// What is shown of the image.
#[derive(Debug, Default)]
pub struct ImageState {
    opening: u64,
    goes_to: u64,
    /// Points a pixel of the file; none fits the image into the pane.
    scale: Option<f32>,
    /// What is in the middle of the pane, in pixels of the file; none is the middle of the image.
    middle: Option<Vec2>,
    page: u32,
    brightness: Brightness,
    shows_brightness: bool,
    masks: MaskChoice,
    hidden: BTreeSet<u32>,
    selected: Option<u32>,
    sent: Option<ImageWish>,
    textures: Textures,
}

/// How masks are drawn; kept from image to image.
#[derive(Debug)]
struct MaskChoice {
    shown: bool,
    style: MaskStyle,
    opacity: f32,
}

impl Default for MaskChoice {
    fn default() -> Self {
        Self {
            shown: true,
            style: MaskStyle::Outlines,
            opacity: 1.0,
        }
    }
}

/// Where the image lies on the screen.
#[derive(Clone, Copy, Debug)]
struct Lens {
    pane: Rect,
    /// Points a pixel of the file.
    scale: f32,
    /// What is in the middle of the pane.
    middle: Vec2,
}

impl Lens {
    fn to_screen(self, x: f32, y: f32) -> egui::Pos2 {
        self.pane.center() + (vec2(x, y) - self.middle) * self.scale
    }

    fn to_image(self, at: egui::Pos2) -> Vec2 {
        self.middle + (at - self.pane.center()) / self.scale
    }

    fn rect(self, [left, top, right, bottom]: [f32; 4]) -> Rect {
        Rect::from_min_max(self.to_screen(left, top), self.to_screen(right, bottom))
    }
}

/// The image with what can be done about it.
pub fn image_ui(
    ui: &mut Ui,
    file: &Path,
    view: &ImageView,
    state: &mut ImageState,
    outbox: &mut Outbox,
) {
    state.adopt(view);
    let size = vec2(view.width as f32, view.height as f32);
    // Known before the bars are drawn, which take from it.
    let room = ui.available_size();
    let guess = fitted(room, size);
    bar::bar_ui(ui, file, view, state, guess);
    bar::brightness_ui(ui, view, state);
    bar::notes_ui(ui, view);
    bar::legend_ui(ui, view, state);
    bar::selected_ui(ui, view, state, outbox);
    let pane_size = vec2(
        ui.available_width(),
        (ui.available_height() - 2.0).max(120.0),
    );
    let (pane, response) = ui.allocate_exact_size(pane_size, Sense::click_and_drag());
    let enabled = ui.is_enabled();
    let name = format!("Picture {}", view.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, &name));
    let mut lens = state.lens(pane, size);
    if response.dragged() {
        state.middle = Some(lens.middle - response.drag_delta() / lens.scale);
    }
    if let Some(pointer) = response.hover_pos() {
        let factor =
            ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 240.0).exp());
        if (factor - 1.0).abs() > f32::EPSILON {
            // What is under the pointer stays there.
            let under = lens.to_image(pointer);
            let scale = (lens.scale * factor).clamp(SCALES.start, SCALES.end);
            state.middle = Some(under - (pointer - pane.center()) / scale);
            state.scale = Some(scale);
        }
    }
    lens = state.lens(pane, size);
    let palette = Palette::of(ui);
    ui.painter().rect_filled(pane, 4.0, palette.raised);
    let wish = state.wish(view, lens, ui.pixels_per_point());
    let painter = ui.painter_at(pane);
    state
        .textures
        .paint(&painter, view, lens, &wish, state.masks.opacity);
    if view.objects.is_some() && state.masks.shown {
        marks::marks_ui(ui, &painter, view, state, lens, &response);
    }
    let wish = ImageWish {
        selected: state.selected,
        ..wish
    };
    if state.sent.as_ref() != Some(&wish) {
        outbox.command(Command::ShowImage(wish.clone()));
        state.sent = Some(wish);
    }
}

/// The scale at which all of an image is seen.
fn fitted(pane: Vec2, size: Vec2) -> f32 {
    (pane.x / size.x)
        .min(pane.y / size.y)
        .clamp(SCALES.start, 8.0)
}

impl ImageState {
    /// Forgets what was remembered of another image, and goes where the engine wants.
    fn adopt(&mut self, view: &ImageView) {
        if self.opening != view.opening {
            let masks = std::mem::take(&mut self.masks);
            *self = Self {
                opening: view.opening,
                goes_to: 0,
                masks,
                shows_brightness: self.shows_brightness,
                ..Self::default()
            };
        }
        if view.goes_to > self.goes_to {
            self.goes_to = view.goes_to;
            if let Some(selected) = &view.selected {
                self.selected = Some(selected.place);
                self.masks.shown = true;
                self.hidden.clear();
                self.show(view, selected.place);
            }
        }
    }

    /// Brings an object into the middle, large enough to be seen among its neighbors.
    fn show(&mut self, view: &ImageView, place: u32) {
        let info = view
            .objects
            .as_ref()
            .and_then(|set| set.objects.get(place as usize));
        let Some([left, top, right, bottom]) = info.map(|info| info.bbox) else {
            return;
        };
        let side = (right - left).max(bottom - top).max(8) as f32;
        self.scale = Some((160.0 / side).clamp(SCALES.start, 16.0));
        self.middle = Some(vec2(
            f32::midpoint(left as f32, right as f32),
            f32::midpoint(top as f32, bottom as f32),
        ));
    }

    fn lens(&self, pane: Rect, size: Vec2) -> Lens {
        let middle = self.middle.unwrap_or(size / 2.0);
        Lens {
            pane,
            scale: self.scale.unwrap_or_else(|| fitted(pane.size(), size)),
            middle: vec2(middle.x.clamp(0.0, size.x), middle.y.clamp(0.0, size.y)),
        }
    }

    fn zoom(&mut self, shown: f32, factor: f32) {
        self.scale = Some((shown * factor).clamp(SCALES.start, SCALES.end));
    }

    /// What is to be seen, in tiles; some around it so that moving finds them there.
    fn wish(&self, view: &ImageView, lens: Lens, pixels_per_point: f32) -> ImageWish {
        let level = level_for(lens.scale * pixels_per_point, view.levels);
        let (width, height) = level_size(view.width, view.height, level);
        let tile = (TILE_SIDE << level) as f32;
        let from = lens.to_image(lens.pane.min) / tile;
        let to = lens.to_image(lens.pane.max) / tile;
        let span = |from: f32, to: f32, side: u32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the number of tiles"
            )]
            let place = |at: f32| at.clamp(0.0, side.div_ceil(TILE_SIDE) as f32) as u32;
            place((from - 0.5).floor())..place((to + 0.5).ceil())
        };
        ImageWish {
            opening: view.opening,
            page: self.page,
            level,
            columns: span(from.x, to.x, width),
            rows: span(from.y, to.y, height),
            brightness: self.brightness,
            masks: self.masks.shown,
            style: self.masks.style,
            hidden: self.hidden.clone(),
            selected: self.selected,
        }
    }
}

/// The level whose pixels come closest to those of the screen.
fn level_for(screen_pixels: f32, levels: u8) -> u8 {
    let mut level = 0;
    let mut size = screen_pixels;
    while size < 0.71 && level + 1 < levels {
        size *= 2.0;
        level += 1;
    }
    level
}

/// Says that there is nothing yet.
fn busy_ui(ui: &mut Ui, percent: u8) {
    widgets::weak(ui, format!("Reading, {percent} %"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_fits_the_screen() {
        assert_eq!(level_for(8.0, 5), 0);
        assert_eq!(level_for(1.0, 5), 0);
        assert_eq!(level_for(0.5, 5), 1);
        assert_eq!(level_for(0.26, 5), 2);
        assert_eq!(level_for(0.001, 5), 4);
        assert_eq!(level_for(0.001, 1), 0);
    }
}
