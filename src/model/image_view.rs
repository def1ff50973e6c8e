//! An image in the preview pane: tiles of what is visible, and the objects drawn over it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Longest side of a tile, in pixels.
pub const TILE_SIDE: u32 = 256;

/// Most tiles one wish brings.
pub const MOST_TILES: u32 = 240;

/// Colors of classes, in their order, by Okabe and Ito: told apart by people with any kind of color vision, on black and on
/// white. After the last it starts again.
pub const CLASS_COLORS: [[u8; 3]; 7] = [
    [0xE6, 0x9F, 0x00],
    [0x56, 0xB4, 0xE9],
    [0x00, 0x9E, 0x73],
    [0xF0, 0xE4, 0x42],
    [0xCC, 0x79, 0xA7],
    [0xD5, 0x5E, 0x00],
    [0x00, 0x72, 0xB2],
];

/// The color of a class.
pub fn class_color(class: usize) -> [u8; 3] {
    let [first, ..] = CLASS_COLORS;
    let place = class % CLASS_COLORS.len();
    CLASS_COLORS.get(place).copied().unwrap_or(first)
}

/// A place in the pyramid: level 0 is the file's own pixels, each further level half as wide and high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileAt {
    /// From 0.
    pub level: u8,
    /// From the left.
    pub column: u32,
    /// From the top.
    pub row: u32,
}

/// Pixels of the image, brightness applied.
#[derive(Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it belongs.
    pub at: TileAt,
    /// In pixels of its level.
    pub width: u32,
    /// In pixels of its level.
    pub height: u32,
    /// Rows from the top, four bytes a pixel; what is not read yet is transparent.
    pub rgba: Vec<u8>,
}

/// Objects over a tile of the image.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskTile {
    /// The colors, multiplied by their opacity.
    pub tile: Tile,
    /// For each pixel the object's place among all plus one; 0 where there is none.
    pub objects: Vec<u32>,
}

impl std::fmt::Debug for Tile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Tile({:?})", self.at)
    }
}

impl std::fmt::Debug for MaskTile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MaskTile({:?})", self.tile.at)
    }
}

/// Which values are black and white.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Brightness {
    /// From the smallest to the largest; 8-bit color from 0 to 255.
    #[default]
    Whole,
    /// Without the darkest and the brightest few pixels.
    Auto,
    /// From one value to another.
    Between(f32, f32),
}

/// The values of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ValueRange {
    /// The smallest of the image.
    pub smallest: f32,
    /// The largest of the image.
    pub largest: f32,
    /// What is shown as black.
    pub low: f32,
    /// What is shown as white.
    pub high: f32,
}

/// How masks are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaskStyle {
    /// Their edges.
    #[default]
    Outlines,
    /// Their edges, and their insides lighter.
    Fill,
}

/// What the window wants to see of the open image: all of it, not a change.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageWish {
    /// Of which opening; a wish for an image that was put away is void.
    pub opening: u64,
    /// The page, from 0.
    pub page: u32,
    /// The level of the tiles.
    pub level: u8,
    /// Columns of tiles.
    pub columns: Range<u32>,
    /// Rows of tiles.
    pub rows: Range<u32>,
    /// Black and white.
    pub brightness: Brightness,
    /// Whether masks are drawn.
    pub masks: bool,
    /// How masks are drawn.
    pub style: MaskStyle,
    /// Classes that are not drawn, by their place.
    pub hidden: BTreeSet<u32>,
    /// The chosen object, by its place.
    pub selected: Option<u32>,
}

impl Default for ImageWish {
    fn default() -> Self {
        Self {
            opening: 0,
            page: 0,
            level: 0,
            columns: 0..0,
            rows: 0..0,
            brightness: Brightness::Whole,
            masks: true,
            style: MaskStyle::Outlines,
            hidden: BTreeSet::new(),
            selected: None,
        }
    }
}

/// An object of an image as a table and a mask file both name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// The image's file name, without folders.
    pub image: String,
    /// The object's number or name in it; whole numbers without decimals.
    pub object: String,
}

/// A class of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectClass {
    /// As the platform names it.
    pub name: String,
    /// How many objects are of it.
    pub count: u32,
}

/// What is known of one object without its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectInfo {
    /// Its number or name in the image.
    pub id: String,
    /// The place of its class among the classes.
    pub class: u32,
    /// From 0 to 1.
    pub score: Option<f64>,
    /// Pixels it covers.
    pub area: u64,
    /// Left, top, and right and bottom one pixel further, in pixels of the image.
    pub bbox: [u32; 4],
}

/// The objects of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectSet {
    /// The mask file's name.
    pub source: String,
    /// The image they belong to, without folders.
    pub image: String,
    /// Sorted by name.
    pub classes: Vec<ObjectClass>,
    /// In the order of their numbers.
    pub objects: Vec<ObjectInfo>,
}

/// The chosen object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedObject {
    /// Its place among the objects.
    pub place: u32,
    /// Its edge as straight lines along pixels: from x, from y, to x, to y. Empty when it is too long to draw.
    pub outline: Vec<[u32; 4]>,
}

/// What is shown of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageView {
    /// Rises with each opening: what the window remembers of another one is void.
    pub opening: u64,
    /// The image's file name.
    pub name: String,
    /// Whether masks lie over a plain ground because the image was not found.
    pub plain_ground: bool,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Levels of the pyramid.
    pub levels: u8,
    /// The page shown, from 0.
    pub page: u32,
    /// Pages of the file.
    pub pages: u32,
    /// Whether there are more than were counted.
    pub more_pages: bool,
    /// A few words on the file, such as `16-bit gray`.
    pub about: String,
    /// Its values; none for a plain ground.
    pub range: Option<ValueRange>,
    /// How far the image has been read, from 0 to 100; none once it has.
    pub percent: Option<u8>,
    /// The whole image, small.
    pub overview: Option<Arc<Tile>>,
    /// What was wished for, as far as it is read.
    pub tiles: Vec<Arc<Tile>>,
    /// Objects over what was wished for.
    pub mask_tiles: Vec<Arc<MaskTile>>,
    /// All objects.
    pub objects: Option<Arc<ObjectSet>>,
    /// The chosen object.
    pub selected: Option<SelectedObject>,
    /// Counts how often the engine chose an object by itself; the window goes there.
    pub goes_to: u64,
    /// The table with a row for each object, when there is one.
    pub objects_table: Option<PathBuf>,
    /// What a person should know about the file, in sentences.
    pub notes: Vec<String>,
    /// What this answers.
    pub wish: ImageWish,
}

/// The size of a level.
pub fn level_size(width: u32, height: u32, level: u8) -> (u32, u32) {
    let shrink = |side: u32| {
        let scaled = u64::from(side).div_ceil(1_u64 << level.min(32));
        u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
    };
    (shrink(width), shrink(height))
}

/// Levels until all fits one tile.
pub fn level_count(width: u32, height: u32) -> u8 {
    let mut level = 0;
    while {
        let (width, height) = level_size(width, height, level);
        width.max(height) > TILE_SIDE
    } {
        level += 1;
    }
    level + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_halve_until_one_tile_holds_all() {
        assert_eq!(level_count(256, 1), 1);
        assert_eq!(level_count(257, 1), 2);
        assert_eq!(level_size(257, 1, 1), (129, 1));
        assert_eq!(level_count(20_000, 20_000), 8);
        assert_eq!(level_count(u32::MAX, 5), 25);
    }
}
