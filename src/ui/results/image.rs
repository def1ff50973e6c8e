//! A picture: fitted, at its own size, larger, moved about. It goes to the graphics card once.

use std::sync::Arc;

use egui::{
    ColorImage, Rect, Role, Sense, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2,
};

use crate::model::picture::Picture;
use crate::ui::theme::Palette;
use crate::ui::widgets;

/// What is shown of the picture.
#[derive(Default)]
pub struct ImageState {
    picture: Option<(Arc<Picture>, TextureHandle)>,
    /// Points a pixel of the file; none fits the picture into the pane.
    scale: Option<f32>,
    /// The middle of the pane in the picture, from the picture's middle, in points.
    offset: egui::Vec2,
}

impl std::fmt::Debug for ImageState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ImageState({:?}, {:?})", self.scale, self.offset)
    }
}

/// Smallest and largest scale.
const SCALES: std::ops::RangeInclusive<f32> = 0.02..=40.0;

/// The picture with its buttons.
pub fn image_ui(ui: &mut Ui, name: &str, picture: &Arc<Picture>, state: &mut ImageState) {
    let Some(texture) = texture(ui, name, picture, state) else {
        widgets::problem(ui, "The picture could not be put together");
        return;
    };
    let size = vec2(picture.full_width as f32, picture.full_height as f32);
    let bar_height = 40.0;
    let pane_size = vec2(
        ui.available_width(),
        (ui.available_height() - bar_height).max(80.0),
    );
    let fitted = (pane_size.x / size.x).min(pane_size.y / size.y).min(8.0);
    ui.horizontal_wrapped(|ui| {
        let shown = state.scale.unwrap_or(fitted);
        if ui
            .button("Fit")
            .on_hover_text("Show the whole picture")
            .clicked()
        {
            state.scale = None;
            state.offset = egui::Vec2::ZERO;
        }
        let whole = 1.0 / ui.pixels_per_point();
        if ui
            .button("100 %")
            .on_hover_text("One pixel of the file is one of the screen")
            .clicked()
        {
            state.scale = Some(whole);
        }
        if ui
            .button("−")
            .on_hover_text("Smaller")
            .accessible_name("Smaller")
            .clicked()
        {
            zoom(state, shown, 0.8);
        }
        if ui
            .button("+")
            .on_hover_text("Larger")
            .accessible_name("Larger")
            .clicked()
        {
            zoom(state, shown, 1.25);
        }
        let percent = shown * ui.pixels_per_point() * 100.0;
        let about = format!(
            "{} × {} pixels · {} · {percent:.0} %",
            picture.full_width, picture.full_height, picture.about
        );
        widgets::weak(ui, about);
    });
    let palette = Palette::of(ui);
    let (pane, response) = ui.allocate_exact_size(pane_size, Sense::drag());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Image, enabled, format!("Picture {name}")));
    if response.dragged() {
        state.offset += response.drag_delta();
    }
    if response.hovered() {
        let factor =
            ui.input(|input| input.zoom_delta() * (input.smooth_scroll_delta().y / 240.0).exp());
        if (factor - 1.0).abs() > f32::EPSILON {
            let shown = state.scale.unwrap_or(fitted);
            zoom(state, shown, factor);
        }
    }
    let scale = state.scale.unwrap_or(fitted);
    ui.painter().rect_filled(pane, 4.0, palette.raised);
    let rect = Rect::from_center_size(pane.center() + state.offset, size * scale);
    ui.painter_at(pane).image(
        texture,
        rect,
        Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)),
        egui::Color32::WHITE,
    );
}

fn zoom(state: &mut ImageState, shown: f32, factor: f32) {
    let scale = (shown * factor).clamp(*SCALES.start(), *SCALES.end());
    state.offset *= scale / shown;
    state.scale = Some(scale);
}

/// The picture on the graphics card; put there when it is another one than before.
fn texture(
    ui: &Ui,
    name: &str,
    picture: &Arc<Picture>,
    state: &mut ImageState,
) -> Option<egui::TextureId> {
    if let Some((known, texture)) = &state.picture
        && Arc::ptr_eq(known, picture)
    {
        return Some(texture.id());
    }
    let size = [
        usize::try_from(picture.width).ok()?,
        usize::try_from(picture.height).ok()?,
    ];
    let bytes = size
        .iter()
        .try_fold(4_usize, |bytes, side| bytes.checked_mul(*side))?;
    if bytes == 0 || bytes != picture.rgba.len() {
        return None;
    }
    let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
    let options = TextureOptions {
        magnification: egui::TextureFilter::Nearest,
        ..TextureOptions::LINEAR
    };
    let texture = ui.ctx().load_texture(name, image, options);
    let id = texture.id();
    *state = ImageState {
        picture: Some((Arc::clone(picture), texture)),
        ..ImageState::default()
    };
    Some(id)
}
