//! What a person sees of an image and its masks: the tiles they wish for, the last ones kept.

use crate::model::image_view::{
    ImageView, ImageWish, MOST_TILES, MaskStyle, MaskTile, SelectedObject, TILE_SIDE, Tile, TileAt,
    ValueRange, level_count, level_size,
};
use crate::results::image::kept::lock;
use crate::results::image::{FileState, ImageFile, ImagePage, PictureError};
use crate::results::overlay::Overlay;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// Tiles of the image that are kept.
const KEPT_TILES: usize = 256;

/// Tiles of masks that are kept.
const KEPT_MASK_TILES: usize = 128;

/// What is open: an image, masks, or both.
#[derive(Debug)]
pub struct Viewer {
    /// The image's name.
    pub name: String,
    /// None for masks whose image was not found.
    pub image: Option<(ImageFile, ImagePage)>,
    pub objects_table: Option<PathBuf>,
    /// Where the masks are, while they are not read.
    pub masks_file: Option<PathBuf>,
    overlay: OnceLock<Arc<Overlay>>,
    /// What went wrong besides the image itself.
    notes: Mutex<Vec<String>>,
    kept: Mutex<Kept>,
}

/// Tiles looked at lately, drawn in one way.
#[derive(Debug, Default)]
struct Kept {
    range: ValueRange,
    tiles: BTreeMap<TileAt, (u64, Arc<Tile>)>,
    style: MaskStyle,
    hidden: BTreeSet<u32>,
    /// None where there is no object.
    mask_tiles: BTreeMap<TileAt, (u64, Option<Arc<MaskTile>>)>,
    uses: u64,
}

/// Takes the oldest ones away.
fn shorten<T>(kept: &mut BTreeMap<TileAt, (u64, T)>, most: usize) {
    while kept.len() > most {
        let oldest = kept.iter().min_by_key(|(_, (used, _))| *used);
        let Some(oldest) = oldest.map(|(at, _)| *at) else {
            return;
        };
        kept.remove(&oldest);
    }
}

impl Viewer {
    pub fn new(name: String, image: Option<(ImageFile, ImagePage)>) -> Self {
        Self {
            name,
            image,
            objects_table: None,
            masks_file: None,
            overlay: OnceLock::new(),
            notes: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// The same with another page.
    pub fn turned_to(&self, page: u32, scratch: &Path) -> Result<Self, PictureError> {
        let image = match &self.image {
            Some((file, _)) => Some((file.clone(), file.page(page, scratch)?)),
            None => None,
        };
        let turned = Self {
            objects_table: self.objects_table.clone(),
            masks_file: self.masks_file.clone(),
            overlay: self.overlay.clone(),
            ..Self::new(self.name.clone(), image)
        };
        lock(&turned.notes).clone_from(&lock(&self.notes));
        Ok(turned)
    }

    /// Lays objects over it, once.
    pub fn lay_over(&self, overlay: Overlay) {
        if self.overlay.set(Arc::new(overlay)).is_err() {
            tracing::debug!("masks were read twice");
        }
    }

    /// The objects over it.
    pub fn overlay(&self) -> Option<&Arc<Overlay>> {
        self.overlay.get()
    }

    /// Something a person should know.
    pub fn note(&self, note: String) {
        lock(&self.notes).push(note);
    }

    /// The size of what is shown, in pixels.
    pub fn size(&self) -> (u32, u32) {
        match (&self.image, self.overlay()) {
            (Some((_, page)), _) => (page.width, page.height),
            (None, Some(overlay)) => overlay.size(),
            (None, None) => (1, 1),
        }
    }

    /// Masks of another size than the page would be drawn at wrong places, so they are not.
    fn fitting(&self) -> Option<&Arc<Overlay>> {
        let size = self.size();
        self.overlay().filter(|overlay| overlay.size() == size)
    }

    /// Whether the image's file is still what was opened.
    pub fn file_state(&self) -> FileState {
        self.image
            .as_ref()
            .map_or(FileState::Same, |(file, _)| file.state())
    }

    /// What is wished for. `go_on` is asked after each tile whether to go on, and can have what is there already.
    pub fn view(
        &self,
        wish: &ImageWish,
        go_on: &mut dyn FnMut(&dyn Fn() -> ImageView) -> bool,
    ) -> ImageView {
        let mut view = self.bare(wish);
        let range = view.range.unwrap_or_default();
        self.renew(range, wish);
        if let Some((_, page)) = &self.image {
            let small = page.overview();
            view.overview = small.map(|block| {
                Arc::new(Tile {
                    at: TileAt {
                        level: view.levels.saturating_sub(1),
                        column: 0,
                        row: 0,
                    },
                    width: u32::try_from(block.width).unwrap_or(0),
                    height: u32::try_from(block.height).unwrap_or(0),
                    rgba: block.to_rgba(range.low, range.high),
                })
            });
        }
        let masks = self.fitting().filter(|_| wish.masks);
        for at in wished(wish, (view.width, view.height)) {
            view.tiles.extend(self.tile(at, range));
            if let Some(masks) = masks {
                view.mask_tiles.extend(self.mask_tile(at, masks, wish));
            }
            if !go_on(&|| view.clone()) {
                break;
            }
        }
        let mut kept = lock(&self.kept);
        shorten(&mut kept.tiles, KEPT_TILES);
        shorten(&mut kept.mask_tiles, KEPT_MASK_TILES);
        drop(kept);
        // Found while the tiles were read.
        view.notes = self.all_notes();
        view
    }

    /// Everything but the tiles.
    fn bare(&self, wish: &ImageWish) -> ImageView {
        let (width, height) = self.size();
        let page = self.image.as_ref().map(|(_, page)| page);
        let objects = self.fitting().map(|overlay| overlay.set());
        let selected = wish.selected.filter(|place| {
            objects
                .as_ref()
                .is_some_and(|set| (*place as usize) < set.objects.len())
        });
        ImageView {
            opening: 0,
            name: self.name.clone(),
            plain_ground: page.is_none(),
            width,
            height,
            levels: level_count(width, height),
            page: page.map_or(0, |page| page.page),
            pages: page.map_or(1, |page| page.pages),
            more_pages: page.is_some_and(|page| page.more_pages),
            about: page.map(|page| page.about.clone()).unwrap_or_default(),
            range: page.map(|page| page.range(wish.brightness)),
            percent: page.and_then(ImagePage::percent),
            overview: None,
            tiles: Vec::new(),
            mask_tiles: Vec::new(),
            selected: selected
                .zip(self.fitting())
                .map(|(place, overlay)| SelectedObject {
                    place,
                    outline: overlay.outline(place),
                }),
            objects,
            goes_to: 0,
            objects_table: self.objects_table.clone(),
            notes: self.all_notes(),
            wish: wish.clone(),
        }
    }

    fn all_notes(&self) -> Vec<String> {
        let mut notes = lock(&self.notes).clone();
        if let Some((_, page)) = &self.image {
            notes.extend(page.trouble());
        }
        if let (Some(overlay), (width, height)) = (self.overlay(), self.size())
            && overlay.size() != (width, height)
        {
            let (mask_width, mask_height) = overlay.size();
            notes.push(format!(
                "The masks are for an image of {mask_width} × {mask_height} pixels and this one has {width} × {height}. They are not drawn. Check that {} belongs to this image",
                overlay.set().source
            ));
        }
        if self.file_state() == FileState::Gone {
            notes.push(
                "The file is no longer where it was. Labferry shows what it still can. Put it back, or open another one"
                    .to_owned(),
            );
        }
        notes
    }

    /// Forgets tiles that were drawn in another way.
    fn renew(&self, range: ValueRange, wish: &ImageWish) {
        let mut kept = lock(&self.kept);
        let same = |one: f32, other: f32| one.to_bits() == other.to_bits();
        if !same(kept.range.low, range.low) || !same(kept.range.high, range.high) {
            kept.tiles.clear();
            kept.range = range;
        }
        if kept.style != wish.style || kept.hidden != wish.hidden {
            kept.mask_tiles.clear();
            kept.style = wish.style;
            kept.hidden.clone_from(&wish.hidden);
        }
    }

    fn tile(&self, at: TileAt, range: ValueRange) -> Option<Arc<Tile>> {
        let (_, page) = self.image.as_ref()?;
        let mut kept = lock(&self.kept);
        kept.uses += 1;
        let uses = kept.uses;
        if let Some((used, tile)) = kept.tiles.get_mut(&at) {
            *used = uses;
            return Some(Arc::clone(tile));
        }
        drop(kept);
        let (block, complete) = page.tile(at)?;
        let tile = Arc::new(Tile {
            at,
            width: u32::try_from(block.width).unwrap_or(0),
            height: u32::try_from(block.height).unwrap_or(0),
            rgba: block.to_rgba(range.low, range.high),
        });
        if complete {
            lock(&self.kept).tiles.insert(at, (uses, Arc::clone(&tile)));
        }
        Some(tile)
    }

    fn mask_tile(&self, at: TileAt, masks: &Overlay, wish: &ImageWish) -> Option<Arc<MaskTile>> {
        let mut kept = lock(&self.kept);
        kept.uses += 1;
        let uses = kept.uses;
        if let Some((used, tile)) = kept.mask_tiles.get_mut(&at) {
            *used = uses;
            return tile.clone();
        }
        drop(kept);
        let tile = masks.tile(at, wish.style, &wish.hidden).map(Arc::new);
        let entry = (uses, tile.clone());
        lock(&self.kept).mask_tiles.insert(at, entry);
        tile
    }
}

/// The tiles of a wish that exist, from its middle outwards.
fn wished(wish: &ImageWish, (width, height): (u32, u32)) -> Vec<TileAt> {
    let level = wish.level.min(level_count(width, height).saturating_sub(1));
    let (level_width, level_height) = level_size(width, height, level);
    let last_column = level_width.div_ceil(TILE_SIDE);
    let last_row = level_height.div_ceil(TILE_SIDE);
    let columns = wish.columns.start.min(last_column)..wish.columns.end.min(last_column);
    let rows = wish.rows.start.min(last_row)..wish.rows.end.min(last_row);
    let middle = (
        i64::from(columns.start) + i64::from(columns.end),
        i64::from(rows.start) + i64::from(rows.end),
    );
    // A wish for more than a screen can show is cut; it never comes from the window.
    let columns = columns.start..columns.end.min(columns.start.saturating_add(MOST_TILES));
    let most_rows = MOST_TILES / u32::try_from(columns.len()).unwrap_or(1).max(1);
    let rows = rows.start..rows.end.min(rows.start.saturating_add(most_rows));
    let mut tiles: Vec<TileAt> = rows
        .flat_map(|row| {
            columns
                .clone()
                .map(move |column| TileAt { level, column, row })
        })
        .collect();
    tiles.sort_by_key(|at| {
        let x = i64::from(at.column) * 2 + 1 - middle.0;
        let y = i64::from(at.row) * 2 + 1 - middle.1;
        x * x + y * y
    });
    tiles
}
