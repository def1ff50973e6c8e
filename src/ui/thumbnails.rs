//! Thumbnails in lists of files: asked for where a row is seen, drawn in the place of the icon, larger under the pointer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Color32, ColorImage, Rect, Response, Sense, TextureHandle, TextureOptions, Ui, vec2};

use crate::model::thumbnail::{THUMBNAIL_SIDE, Thumbnail, Thumbnails};
use crate::ui::outbox::Outbox;
use crate::ui::theme::{Palette, icon};
use crate::ui::widgets;

/// Most textures; more rows are never seen at once.
const MOST: usize = 128;

/// How much of the outermost pixels is gray, so that a dark image is seen on a dark page and a bright one on a bright one.
const EDGE: f32 = 0.4;

/// Size of an icon in the place of a thumbnail, in points.
const ICON_SIZE: f32 = 17.0;

/// Thumbnails on the graphics card, by their file, those not seen for longest taken away.
#[derive(Default)]
pub struct Gallery {
    small: BTreeMap<PathBuf, Small>,
    /// The one under the pointer.
    large: Option<(Arc<Thumbnail>, TextureHandle)>,
    uses: u64,
}

/// A thumbnail as large as a row has room for it, to the pixel.
struct Small {
    thumbnail: Arc<Thumbnail>,
    side: usize,
    texture: TextureHandle,
    used: u64,
}

impl std::fmt::Debug for Gallery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Gallery({})", self.small.len())
    }
}

impl Gallery {
    /// Asks for the thumbnail of a file that is seen, and gives it, with a square texture of so many points.
    pub fn picture(
        &mut self,
        ui: &Ui,
        thumbnails: &Thumbnails,
        path: &Path,
        points: f32,
        outbox: &mut Outbox,
    ) -> Option<(Arc<Thumbnail>, TextureHandle)> {
        outbox.want_thumbnail(path);
        let thumbnail = thumbnails.of(path)?;
        let side = pixels(points * ui.pixels_per_point());
        self.uses += 1;
        if let Some(small) = self.small.get_mut(path)
            && small.side == side
            && Arc::ptr_eq(&small.thumbnail, thumbnail)
        {
            small.used = self.uses;
            return Some((Arc::clone(thumbnail), small.texture.clone()));
        }
        let image = fitted(thumbnail, side)?;
        let texture = ui
            .ctx()
            .load_texture("thumbnail", image, TextureOptions::LINEAR);
        let small = Small {
            thumbnail: Arc::clone(thumbnail),
            side,
            texture: texture.clone(),
            used: self.uses,
        };
        self.small.insert(path.to_owned(), small);
        while self.small.len() > MOST {
            let oldest = self.small.iter().min_by_key(|(_, small)| small.used);
            let Some(oldest) = oldest.map(|(path, _)| path.clone()) else {
                break;
            };
            self.small.remove(&oldest);
        }
        Some((Arc::clone(thumbnail), texture))
    }

    /// A closer look, with what the image is.
    pub fn large_ui(&mut self, ui: &mut Ui, thumbnail: &Arc<Thumbnail>) {
        let known = self.large.as_ref().map(|(known, _)| known);
        if known.is_none_or(|known| !Arc::ptr_eq(known, thumbnail)) {
            let side = THUMBNAIL_SIDE as usize;
            let (width, height) = (thumbnail.width as usize, thumbnail.height as usize);
            if width > side || height > side || thumbnail.rgb.len() != width * height * 3 {
                return;
            }
            let image = ColorImage::from_rgb([width, height], &thumbnail.rgb);
            let texture = ui
                .ctx()
                .load_texture("closer look", image, TextureOptions::LINEAR);
            self.large = Some((Arc::clone(thumbnail), texture));
        }
        if let Some((_, texture)) = &self.large {
            let (width, height) = thumbnail.full;
            let (width, height) = (width as f32, height as f32);
            let scale = THUMBNAIL_SIDE as f32 / width.max(height).max(1.0);
            let size = vec2((width * scale).max(1.0), (height * scale).max(1.0));
            ui.add(egui::Image::from_texture((texture.id(), size)));
        }
        let (width, height) = thumbnail.full;
        ui.label(format!("{width} × {height} pixels · {}", thumbnail.about));
    }

    /// The thumbnail of a file, or an icon for its kind, in a square of so many points.
    pub fn place_ui(
        &mut self,
        ui: &mut Ui,
        thumbnails: &Thumbnails,
        (path, name): (&Path, &str),
        points: f32,
        outbox: &mut Outbox,
    ) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(points, points), Sense::hover());
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let Some((thumbnail, texture)) = self.picture(ui, thumbnails, path, points, outbox) else {
            icon_ui(ui, rect, path);
            return response;
        };
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        ui.painter()
            .image(texture.id(), rect, whole, Color32::WHITE);
        let label = format!("Thumbnail of {name}");
        let enabled = ui.is_enabled();
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::accesskit::Role::Image, enabled, &label)
        });
        response.on_hover_ui(|ui| self.large_ui(ui, &thumbnail))
    }
}

/// An icon for the kind of a file.
pub fn icon_ui(ui: &Ui, rect: Rect, path: &Path) {
    let color = Palette::of(ui).weak;
    widgets::paint_icon(ui, rect, file_icon(path), ICON_SIZE, color);
}

/// A guess by the ending, for the icon only.
pub fn file_icon(path: &Path) -> &'static str {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    match ending.as_str() {
        "csv" | "tsv" | "tab" => icon::TABLE,
        "png" | "jpg" | "jpeg" | "tif" | "tiff" => icon::IMAGE,
        _ => icon::FILE,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few dozen by the clamp"
)]
fn pixels(length: f32) -> usize {
    length.round().clamp(1.0, 4.0 * THUMBNAIL_SIDE as f32) as usize
}

/// In the middle of a square of so many pixels, as wide and high as the image is; each pixel the mean of those it stands for,
/// as the graphics card would leave most of them out.
fn fitted(thumbnail: &Thumbnail, side: usize) -> Option<ColorImage> {
    let (from_width, from_height) = (thumbnail.width as usize, thumbnail.height as usize);
    let (colors, _) = thumbnail.rgb.as_chunks::<3>();
    if from_width == 0 || from_height == 0 || colors.len() != from_width * from_height {
        return None;
    }
    let (full_width, full_height) = (thumbnail.full.0 as usize, thumbnail.full.1 as usize);
    let longest = full_width.max(full_height).max(1);
    let scaled = |length: usize| ((length * side + longest / 2) / longest).clamp(1, side);
    let (width, height) = (scaled(full_width), scaled(full_height));
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    let mut square = vec![Color32::TRANSPARENT; side * side];
    for (y, line) in square.chunks_mut(side).skip(top).take(height).enumerate() {
        let rows = part(y, height, from_height);
        for (x, pixel) in line.iter_mut().skip(left).take(width).enumerate() {
            let columns = part(x, width, from_width);
            let (mut sum, mut count) = ([0_usize; 3], 0);
            for row in rows.clone() {
                let at = row * from_width;
                let seen = colors.get(at + columns.start..at + columns.end);
                for color in seen.unwrap_or_default() {
                    for (sum, channel) in sum.iter_mut().zip(color) {
                        *sum += usize::from(*channel);
                    }
                    count += 1;
                }
            }
            let [red, green, blue] =
                sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
            let color = Color32::from_rgb(red, green, blue);
            let is_edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            *pixel = if is_edge && height.min(width) > 8 {
                color.lerp_to_gamma(Color32::GRAY, EDGE)
            } else {
                color
            };
        }
    }
    Some(ColorImage::new([side, side], square))
}

/// The pixels of `from` that one of `into` stands for; at least one.
fn part(at: usize, into: usize, from: usize) -> std::ops::Range<usize> {
    let start = at * from / into;
    let end = ((at + 1) * from / into).max(start + 1);
    start..end.min(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_is_fitted_in_the_shape_of_its_image() {
        // Of a very large image every fourth row was looked at: the image is as high as wide, its thumbnail is not.
        let mut rgb = vec![0; 8 * 2 * 3];
        rgb[8 * 3..].fill(200);
        let thumbnail = Thumbnail {
            width: 8,
            height: 2,
            rgb,
            full: (20_000, 20_000),
            about: String::new(),
        };
        let square = fitted(&thumbnail, 4).unwrap();
        assert_eq!(square.pixels[0], Color32::from_rgb(0, 0, 0));
        assert_eq!(square.pixels[15], Color32::from_rgb(200, 200, 200));
        let wide = Thumbnail {
            full: (400, 100),
            ..thumbnail
        };
        let square = fitted(&wide, 4).unwrap();
        let seen: Vec<bool> = square.pixels.iter().map(|pixel| pixel.a() > 0).collect();
        assert_eq!(seen[4..8], [true; 4]);
        assert_eq!(seen.iter().filter(|seen| **seen).count(), 4);
        assert_eq!(square.pixels[4], Color32::from_rgb(100, 100, 100), "a mean");
        let short = Thumbnail {
            width: 9,
            ..wide.clone()
        };
        assert!(fitted(&short, 4).is_none());
    }
}
