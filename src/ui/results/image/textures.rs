//! Tiles on the graphics card: put there when they come, the ones not seen for longest taken away.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Color32, ColorImage, Mesh, Painter, Rect, TextureHandle, TextureOptions, pos2};

use crate::model::image_view::{ImageView, ImageWish, MaskTile, Tile, TileAt};
use crate::ui::results::image::Lens;

/// Most tiles on the graphics card, of the image and of masks each.
const MOST: usize = 256;

/// Most tiles put there in one frame.
const MOST_AT_ONCE: usize = 12;

/// What a layer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Image,
    Masks,
}

struct Slot<T> {
    tile: Arc<T>,
    texture: TextureHandle,
    seen: u64,
}

/// The tiles.
#[derive(Default)]
pub(super) struct Textures {
    overview: Option<(Arc<Tile>, TextureHandle)>,
    image: BTreeMap<TileAt, Slot<Tile>>,
    masks: BTreeMap<TileAt, Slot<MaskTile>>,
    frame: u64,
}

impl std::fmt::Debug for Textures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "Textures({} + {})",
            self.image.len(),
            self.masks.len()
        )
    }
}

fn upload(painter: &Painter, layer: Layer, tile: &Tile) -> Option<TextureHandle> {
    let size = [tile.width as usize, tile.height as usize];
    let [width, height] = size;
    if tile.rgba.is_empty() || width * height * 4 != tile.rgba.len() {
        return None;
    }
    let image = ColorImage::from_rgba_premultiplied(size, &tile.rgba);
    let options = TextureOptions {
        magnification: egui::TextureFilter::Nearest,
        ..TextureOptions::LINEAR
    };
    let name = format!("{layer:?} {:?}", tile.at);
    Some(painter.ctx().load_texture(name, image, options))
}

/// Puts new tiles there, as many as a frame bears; whether some are left.
fn adopt<T>(
    slots: &mut BTreeMap<TileAt, Slot<T>>,
    tiles: &[Arc<T>],
    (frame, budget): (u64, &mut usize),
    pixels: impl Fn(&T) -> &Tile,
    upload: impl Fn(&Tile) -> Option<TextureHandle>,
) -> bool {
    let mut left = false;
    for tile in tiles {
        let at = pixels(tile).at;
        if let Some(slot) = slots.get_mut(&at)
            && Arc::ptr_eq(&slot.tile, tile)
        {
            slot.seen = frame;
            continue;
        }
        if *budget == 0 {
            left = true;
            continue;
        }
        *budget -= 1;
        if let Some(texture) = upload(pixels(tile)) {
            let slot = Slot {
                tile: Arc::clone(tile),
                texture,
                seen: frame,
            };
            slots.insert(at, slot);
        }
    }
    while slots.len() > MOST {
        let oldest = slots.iter().min_by_key(|(_, slot)| slot.seen);
        let Some(oldest) = oldest.map(|(at, _)| *at) else {
            break;
        };
        slots.remove(&oldest);
    }
    left
}

impl Textures {
    /// Forgets all, as when a page is turned.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Paints the image and what lies over it: the whole in a rough way first, better known parts over it.
    pub(super) fn paint(
        &mut self,
        painter: &Painter,
        view: &ImageView,
        lens: Lens,
        wish: &ImageWish,
        opacity: f32,
    ) {
        self.frame += 1;
        let mut budget = MOST_AT_ONCE;
        let new = |layer: Layer| move |tile: &Tile| upload(painter, layer, tile);
        let tiles = (self.frame, &mut budget);
        let mut left = adopt(
            &mut self.image,
            &view.tiles,
            tiles,
            |tile| tile,
            new(Layer::Image),
        );
        if same_masks(&view.wish, wish) {
            let tiles = (self.frame, &mut budget);
            left |= adopt(
                &mut self.masks,
                &view.mask_tiles,
                tiles,
                |tile| &tile.tile,
                new(Layer::Masks),
            );
        }
        // Where the objects of a tile are gone, so is what was drawn of them.
        let level = view.wish.level;
        let there = |at: &TileAt| view.mask_tiles.iter().any(|tile| tile.tile.at == *at);
        self.masks.retain(|at, _| {
            at.level != level
                || !view.wish.columns.contains(&at.column)
                || !view.wish.rows.contains(&at.row)
                || there(at)
        });
        if left {
            painter.ctx().request_repaint();
        }
        self.paint_overview(painter, view, lens);
        for (at, slot) in self.image.iter().rev() {
            if at.level >= wish.level {
                paint_tile(painter, view, lens, (*at, &slot.tile, &slot.texture), 1.0);
            }
        }
        if view.objects.is_none() || !wish.masks {
            return;
        }
        // Masks of two levels over each other would be seen twice.
        let is_ready =
            self.masks.keys().any(|at| at.level == wish.level) || view.wish.level == wish.level;
        let shown = if is_ready {
            wish.level
        } else {
            view.wish.level
        };
        for (at, slot) in &self.masks {
            if at.level == shown {
                let tile = (*at, &slot.tile.tile, &slot.texture);
                paint_tile(painter, view, lens, tile, opacity);
            }
        }
    }

    fn paint_overview(&mut self, painter: &Painter, view: &ImageView, lens: Lens) {
        let Some(tile) = &view.overview else {
            return;
        };
        let known = self.overview.as_ref().map(|(known, _)| known);
        // Made anew for each drawing, mostly as it was.
        if known.is_none_or(|known| !Arc::ptr_eq(known, tile) && known != tile)
            && let Some(texture) = upload(painter, Layer::Image, tile)
        {
            self.overview = Some((Arc::clone(tile), texture));
        }
        if let Some((_, texture)) = &self.overview {
            let whole = lens.rect([0.0, 0.0, view.width as f32, view.height as f32]);
            paint(painter, texture, whole, pos2(1.0, 1.0), 1.0);
        }
    }
}

/// Whether masks drawn for one wish are right for another.
fn same_masks(one: &ImageWish, other: &ImageWish) -> bool {
    one.page == other.page && one.style == other.style && one.hidden == other.hidden
}

fn paint_tile(
    painter: &Painter,
    view: &ImageView,
    lens: Lens,
    (at, tile, texture): (TileAt, &Tile, &TextureHandle),
    opacity: f32,
) {
    let full = |side: u32| (u64::from(side) << at.level) as f32;
    let left = full(at.column * crate::model::image_view::TILE_SIDE);
    let top = full(at.row * crate::model::image_view::TILE_SIDE);
    let (width, height) = (full(tile.width), full(tile.height));
    // The last pixel of a small level may reach over the edge of the image.
    let right = (left + width).min(view.width as f32);
    let bottom = (top + height).min(view.height as f32);
    let rect = lens.rect([left, top, right, bottom]);
    if !rect.intersects(painter.clip_rect()) || width <= 0.0 || height <= 0.0 {
        return;
    }
    let corner = pos2((right - left) / width, (bottom - top) / height);
    paint(painter, texture, rect, corner, opacity);
}

/// A mesh: the edges of a rectangle would be softened, and seams be seen between tiles.
fn paint(painter: &Painter, texture: &TextureHandle, rect: Rect, corner: egui::Pos2, opacity: f32) {
    let mut mesh = Mesh::with_texture(texture.id());
    let uv = Rect::from_min_max(pos2(0.0, 0.0), corner);
    mesh.add_rect_with_uv(rect, uv, Color32::WHITE.gamma_multiply(opacity));
    painter.add(mesh);
}
