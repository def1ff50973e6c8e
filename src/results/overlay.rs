//! Objects drawn over an image, tile by tile.
//!
//! Objects are found by where they lie, so a tile costs what lies in it. Where an object is smaller than a pixel of a small
//! level it still gets one.

use crate::model::image_view::{
    MaskStyle, MaskTile, ObjectClass, ObjectInfo, ObjectSet, TILE_SIDE, Tile, TileAt, class_color,
    level_size,
};
use crate::results::masks::{MaskObject, Masks, Run};
use crate::results::outline::outline;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Cells along the longer side of an image, at most.
const CELLS: u32 = 64;

/// Smallest side of a cell, in pixels.
const CELL_SIDE: u32 = 512;

/// The inside of a filled object, of 255.
const INSIDE: u16 = 96;

/// Objects of more runs are chosen without their edge.
const MOST_EDGE_RUNS: usize = 60_000;

/// What objects without a class are called.
const NO_CLASS: &str = "Object";

/// The objects of an image, ready to be drawn.
#[derive(Debug)]
pub struct Overlay {
    width: u32,
    height: u32,
    objects: Vec<MaskObject>,
    set: Arc<ObjectSet>,
    cell_side: u32,
    cells_across: u32,
    cells: Vec<Vec<u32>>,
}

impl Overlay {
    /// Sorts objects by where they lie. `source` is the mask file's name, `image` the image's.
    pub fn new(masks: Masks, source: String, image: String) -> Self {
        let (width, height) = (masks.width, masks.height);
        let cell_side = CELL_SIDE.max(width.max(height).div_ceil(CELLS));
        let cells_across = width.div_ceil(cell_side);
        let mut cells = vec![Vec::new(); (cells_across * height.div_ceil(cell_side)) as usize];
        for (place, object) in (0_u32..).zip(&masks.objects) {
            for run in &object.runs {
                let last = (run.y + run.length.saturating_sub(1)) / cell_side;
                for row in run.y / cell_side..=last {
                    let cell = row * cells_across + run.x / cell_side;
                    if let Some(cell) = cells.get_mut(cell as usize)
                        && cell.last() != Some(&place)
                    {
                        cell.push(place);
                    }
                }
            }
        }
        let set = Arc::new(describe(&masks, source, image));
        Self {
            width,
            height,
            objects: masks.objects,
            set,
            cell_side,
            cells_across,
            cells,
        }
    }

    /// The size of the image, in pixels.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// What is known of the objects.
    pub fn set(&self) -> Arc<ObjectSet> {
        Arc::clone(&self.set)
    }

    /// The place of an object by its number or name.
    pub fn place_of(&self, id: &str) -> Option<u32> {
        let place = self.objects.iter().position(|object| object.id == id)?;
        u32::try_from(place).ok()
    }

    /// What is drawn over a tile; none where nothing is.
    pub fn tile(&self, at: TileAt, style: MaskStyle, hidden: &BTreeSet<u32>) -> Option<MaskTile> {
        let (level_width, level_height) = level_size(self.width, self.height, at.level);
        let left = at.column.checked_mul(TILE_SIDE)?;
        let top = at.row.checked_mul(TILE_SIDE)?;
        let width = level_width.checked_sub(left)?.min(TILE_SIDE);
        let height = level_height.checked_sub(top)?.min(TILE_SIDE);
        if width == 0 || height == 0 {
            return None;
        }
        // With a pixel around it, to see where objects end.
        let canvas = Canvas {
            level: u32::from(at.level),
            left: i64::from(left) - 1,
            top: i64::from(top) - 1,
            width: width as usize + 2,
            height: height as usize + 2,
        };
        let numbers = self.numbers(&canvas, hidden)?;
        Some(self.color(at, (width as usize, height as usize), &numbers, style))
    }

    /// For each pixel of a canvas the topmost object's place plus one; none when there is not one object.
    fn numbers(&self, canvas: &Canvas, hidden: &BTreeSet<u32>) -> Option<Vec<u32>> {
        let mut numbers = vec![0_u32; canvas.width * canvas.height];
        let mut some = false;
        for place in self.near(canvas) {
            let Some((object, info)) = self
                .objects
                .get(place as usize)
                .zip(self.set.objects.get(place as usize))
            else {
                continue;
            };
            if hidden.contains(&info.class) {
                continue;
            }
            let first = canvas.first_column();
            let from = object.runs.partition_point(|run| run.x < first);
            for run in object.runs.iter().skip(from) {
                let Some((column, rows)) = canvas.pixels(*run) else {
                    break;
                };
                some |= !rows.is_empty();
                for row in rows {
                    if let Some(number) = numbers.get_mut(row * canvas.width + column) {
                        *number = place + 1;
                    }
                }
            }
        }
        some.then_some(numbers)
    }

    /// Objects whose cells a canvas touches, in their order.
    fn near(&self, canvas: &Canvas) -> Vec<u32> {
        let cell = |pixel: i64, side: u32| {
            let image = (pixel.max(0) << canvas.level).min(i64::from(side.saturating_sub(1)));
            u32::try_from(image).unwrap_or(0) / self.cell_side
        };
        let side = |pixels: usize| i64::try_from(pixels).unwrap_or(i64::MAX / 2);
        let right = canvas.left + side(canvas.width) - 1;
        let bottom = canvas.top + side(canvas.height) - 1;
        let mut near = Vec::new();
        // The last pixel of a small level stands for several of the image.
        let columns = cell(canvas.left, self.width)..=cell(right + 1, self.width);
        for row in cell(canvas.top, self.height)..=cell(bottom + 1, self.height) {
            for column in columns.clone() {
                let place = (row * self.cells_across + column) as usize;
                near.extend(self.cells.get(place).into_iter().flatten().copied());
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    }

    fn color(
        &self,
        at: TileAt,
        (width, height): (usize, usize),
        numbers: &[u32],
        style: MaskStyle,
    ) -> MaskTile {
        let stride = width + 2;
        let mut rgba = Vec::with_capacity(width * height * 4);
        let mut objects = Vec::with_capacity(width * height);
        for row in 1..=height {
            for column in 1..=width {
                let place = row * stride + column;
                let number_at = |place: usize| numbers.get(place).copied().unwrap_or(0);
                let number = number_at(place);
                objects.push(number);
                if number == 0 {
                    rgba.extend_from_slice(&[0; 4]);
                    continue;
                }
                let beside = [place - 1, place + 1, place - stride, place + stride];
                let is_edge = beside.into_iter().any(|place| number_at(place) != number);
                let opacity = match style {
                    _ if is_edge => 255,
                    MaskStyle::Fill => INSIDE,
                    MaskStyle::Outlines => 0,
                };
                let class = self
                    .set
                    .objects
                    .get(number as usize - 1)
                    .map_or(0, |info| info.class);
                let [red, green, blue] = class_color(class as usize);
                let mixed = [red, green, blue, 255]
                    .map(|channel| u8::try_from(u16::from(channel) * opacity / 255).unwrap_or(255));
                rgba.extend_from_slice(&mixed);
            }
        }
        MaskTile {
            tile: Tile {
                at,
                width: u32::try_from(width).unwrap_or(0),
                height: u32::try_from(height).unwrap_or(0),
                rgba,
            },
            objects,
        }
    }

    /// The edge of one object as straight lines along pixels; empty when it is too long.
    pub fn outline(&self, place: u32) -> Vec<[u32; 4]> {
        match self.objects.get(place as usize) {
            Some(object) if object.runs.len() <= MOST_EDGE_RUNS => outline(&object.runs),
            _ => Vec::new(),
        }
    }
}

/// A part of a level that is drawn on.
struct Canvas {
    level: u32,
    /// May be one before the image.
    left: i64,
    top: i64,
    width: usize,
    height: usize,
}

impl Canvas {
    /// The first column of the image that falls on it.
    fn first_column(&self) -> u32 {
        u32::try_from(self.left.max(0) << self.level).unwrap_or(u32::MAX)
    }

    /// Where a run falls; no rows when it falls above or below, none when it falls to the right.
    fn pixels(&self, run: Run) -> Option<(usize, std::ops::Range<usize>)> {
        let column = usize::try_from(i64::from(run.x >> self.level) - self.left).ok()?;
        if column >= self.width {
            return None;
        }
        let end = run.y + run.length.saturating_sub(1);
        let first = (i64::from(run.y >> self.level) - self.top).max(0);
        let last = i64::from(end >> self.level) - self.top;
        let first = usize::try_from(first).ok()?;
        let after = usize::try_from(last + 1).unwrap_or(0).min(self.height);
        Some((column, first.min(after)..after))
    }
}

fn describe(masks: &Masks, source: String, image: String) -> ObjectSet {
    let name = |object: &MaskObject| {
        if object.class.is_empty() {
            NO_CLASS.to_owned()
        } else {
            object.class.clone()
        }
    };
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for object in &masks.objects {
        *counts.entry(name(object)).or_default() += 1;
    }
    let places: BTreeMap<&String, u32> = counts.keys().zip(0..).collect();
    let objects = masks
        .objects
        .iter()
        .map(|object| ObjectInfo {
            id: object.id.clone(),
            class: places.get(&name(object)).copied().unwrap_or(0),
            score: object.score,
            area: object.area(),
            bbox: object.bbox,
        })
        .collect();
    let classes = counts
        .iter()
        .map(|(name, count)| ObjectClass {
            name: name.clone(),
            count: *count,
        })
        .collect();
    ObjectSet {
        source,
        image,
        classes,
        objects,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: &str, class: &str, boxes: &[[u32; 4]]) -> MaskObject {
        let mut runs = Vec::new();
        for [left, top, right, bottom] in boxes {
            runs.extend((*left..*right).map(|x| Run {
                x,
                y: *top,
                length: bottom - top,
            }));
        }
        runs.sort_by_key(|run| (run.x, run.y));
        MaskObject {
            id: id.to_owned(),
            bbox: [
                boxes.iter().map(|b| b[0]).min().unwrap(),
                boxes.iter().map(|b| b[1]).min().unwrap(),
                boxes.iter().map(|b| b[2]).max().unwrap(),
                boxes.iter().map(|b| b[3]).max().unwrap(),
            ],
            class: class.to_owned(),
            score: None,
            runs,
        }
    }

    fn overlay(width: u32, height: u32, objects: Vec<MaskObject>) -> Overlay {
        let masks = Masks {
            filename: "a.tif".to_owned(),
            width,
            height,
            objects,
            problems: Vec::new(),
        };
        Overlay::new(masks, "m.json".to_owned(), "a.tif".to_owned())
    }

    const fn at(level: u8, column: u32, row: u32) -> TileAt {
        TileAt { level, column, row }
    }

    #[test]
    fn every_tile_shows_exactly_what_the_runs_say() {
        let mut random = fastrand::Rng::with_seed(7);
        let (width, height) = (1300_u32, 700_u32);
        let objects: Vec<MaskObject> = (0..200)
            .map(|number| {
                let (x, y) = (random.u32(0..width - 1), random.u32(0..height - 1));
                let right = (x + random.u32(1..90)).min(width);
                let bottom = (y + random.u32(1..90)).min(height);
                object(&number.to_string(), "a", &[[x, y, right, bottom]])
            })
            .collect();
        // Pixel by pixel, without tiles.
        let mut plain = vec![0_u32; (width * height) as usize];
        for (number, object) in (1_u32..).zip(&objects) {
            for run in &object.runs {
                for y in run.y..run.y + run.length {
                    plain[(y * width + run.x) as usize] = number;
                }
            }
        }
        let overlay = overlay(width, height, objects);
        for row in 0..3 {
            for column in 0..6 {
                let tile = overlay.tile(at(0, column, row), MaskStyle::Fill, &BTreeSet::new());
                let (left, top) = (column * 256, row * 256);
                for y in 0..256.min(height - top) {
                    for x in 0..256.min(width - left) {
                        let expected = plain[((top + y) * width + left + x) as usize];
                        let found = tile
                            .as_ref()
                            .map_or(0, |tile| tile.objects[(y * tile.tile.width + x) as usize]);
                        assert_eq!(found, expected, "{column} {row}: {x} {y}");
                    }
                }
            }
        }
        assert_eq!(
            overlay.tile(at(0, 6, 0), MaskStyle::Fill, &BTreeSet::new()),
            None
        );
        assert_eq!(
            overlay.tile(at(9, 0, 9), MaskStyle::Fill, &BTreeSet::new()),
            None
        );
    }

    #[test]
    fn small_levels_lose_no_object() {
        let dots = (0..50).map(|number| {
            let (x, y) = (number * 37 + 13, number * 19 + 7);
            object(&number.to_string(), "dot", &[[x, y, x + 1, y + 1]])
        });
        let overlay = overlay(2000, 1000, dots.collect());
        let tile = overlay
            .tile(at(3, 0, 0), MaskStyle::Outlines, &BTreeSet::new())
            .unwrap();
        let mut seen: Vec<u32> = tile.objects.iter().copied().filter(|n| *n > 0).collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..=50).collect::<Vec<_>>());
    }

    #[test]
    fn classes_can_be_hidden_and_edges_are_opaque() {
        let overlay = overlay(
            300,
            10,
            vec![
                object("1", "b", &[[0, 0, 5, 5]]),
                object("2", "a", &[[254, 0, 259, 5]]),
            ],
        );
        let set = overlay.set();
        assert_eq!(set.classes[0].name, "a");
        assert_eq!(set.objects[0].class, 1, "classes are sorted by name");
        let hidden = BTreeSet::from([1]);
        let tile = overlay
            .tile(at(0, 0, 0), MaskStyle::Outlines, &hidden)
            .unwrap();
        assert_eq!(tile.objects[0], 0);
        let alpha = |tile: &MaskTile, x: usize, y: usize| {
            tile.tile.rgba[(y * tile.tile.width as usize + x) * 4 + 3]
        };
        assert_eq!(
            (tile.objects[254], alpha(&tile, 254, 2)),
            (2, 255),
            "left edge"
        );
        assert_eq!(alpha(&tile, 255, 2), 0, "no edge where only the tile ends");
        let beside = overlay.tile(at(0, 1, 0), MaskStyle::Fill, &hidden).unwrap();
        assert_eq!(u16::from(alpha(&beside, 0, 2)), INSIDE);
        assert_eq!(alpha(&beside, 2, 2), 255);
    }
}
