//! An image made small: each pixel of the small one is the mean of what was read of the part it stands for.

use crate::results::image::values::{Block, Kind, Values};

/// The small image while the large one is read.
#[derive(Debug)]
pub(crate) struct Shrinking {
    full: (u32, u32),
    size: (u32, u32),
    channels: usize,
    kind: Kind,
    /// Channels side by side.
    cells: Vec<Cell>,
}

/// What was read for one channel of one pixel.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    sum: f64,
    count: u32,
}

impl Cell {
    fn mean(self) -> f64 {
        self.sum / f64::from(self.count)
    }
}

/// Neither side longer than `side`, and none enlarged.
pub(crate) fn fit((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longest = u64::from(width.max(height).max(side));
    let shrink = |length: u32| {
        let small = (u64::from(length) * u64::from(side) + longest / 2) / longest;
        u32::try_from(small).unwrap_or(side).max(1)
    };
    (shrink(width), shrink(height))
}

/// Which pixel of `small` stands for a pixel of `full`.
fn cell_of(at: u32, full: u32, small: u32) -> u32 {
    let cell = u64::from(at) * u64::from(small) / u64::from(full.max(1));
    u32::try_from(cell).unwrap_or(0)
}

/// The first pixel of `full` that `cell` stands for.
fn start_of(cell: u32, full: u32, small: u32) -> u32 {
    let start = (u64::from(cell) * u64::from(full)).div_ceil(u64::from(small.max(1)));
    u32::try_from(start).unwrap_or(full)
}

impl Shrinking {
    pub(crate) fn new(full: (u32, u32), size: (u32, u32), (channels, kind): (usize, Kind)) -> Self {
        let cells = size.0 as usize * size.1 as usize * channels;
        Self {
            full,
            size,
            channels,
            kind,
            cells: vec![Cell::default(); cells],
        }
    }

    /// Takes a part of the image in, by its left top corner.
    pub(crate) fn take(&mut self, part: &Block, corner: (u32, u32)) {
        match &part.values {
            Values::Eight(values) => self.add(values, part.width, corner),
            Values::Sixteen(values) => self.add(values, part.width, corner),
            Values::Float(values) => self.add(values, part.width, corner),
        }
    }

    fn add<T: Copy + Into<f64>>(&mut self, values: &[T], width: usize, (left, top): (u32, u32)) {
        let channels = self.channels;
        let right = left.saturating_add(u32::try_from(width).unwrap_or(u32::MAX));
        let right = right.min(self.full.0);
        if right <= left {
            return;
        }
        let first = cell_of(left, self.full.0, self.size.0);
        let last = cell_of(right - 1, self.full.0, self.size.0);
        let columns: Vec<_> = (first..=last)
            .map(|cell| {
                let from = start_of(cell, self.full.0, self.size.0).max(left) - left;
                let to = start_of(cell + 1, self.full.0, self.size.0).min(right) - left;
                (cell, from as usize * channels..to as usize * channels)
            })
            .collect();
        for (y, row) in (top..self.full.1).zip(values.chunks_exact(width * channels)) {
            let line = cell_of(y, self.full.1, self.size.1) as usize * self.size.0 as usize;
            for (column, pixels) in &columns {
                let at = (line + *column as usize) * channels;
                let (Some(cells), Some(pixels)) = (
                    self.cells.get_mut(at..at + channels),
                    row.get(pixels.clone()),
                ) else {
                    continue;
                };
                for pixel in pixels.chunks_exact(channels) {
                    for (cell, value) in cells.iter_mut().zip(pixel) {
                        let value: f64 = (*value).into();
                        if value.is_finite() {
                            cell.sum += value;
                            cell.count += 1;
                        }
                    }
                }
            }
        }
    }

    /// The small image. What nothing was read for, and what was no number, is no number or 0.
    pub(crate) fn finish(self) -> Block {
        let means = self.cells.iter().map(|cell| cell.mean());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "means of values of this very kind; not-a-number becomes 0"
        )]
        let values = match self.kind {
            Kind::Eight => Values::Eight(means.map(|mean| mean.round() as u8).collect()),
            Kind::Sixteen => Values::Sixteen(means.map(|mean| mean.round() as u16).collect()),
            Kind::Float => Values::Float(means.map(|mean| mean as f32).collect()),
        };
        Block {
            width: self.size.0 as usize,
            height: self.size.1 as usize,
            channels: self.channels,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_fit_and_are_not_enlarged() {
        assert_eq!(fit((20_000, 20_000), 128), (128, 128));
        assert_eq!(fit((100, 30), 128), (100, 30));
        assert_eq!(fit((1_000, 500), 128), (128, 64));
        assert_eq!(fit((1_000_000, 3), 128), (128, 1));
        assert_eq!(fit((u32::MAX, u32::MAX), 128), (128, 128));
    }

    #[test]
    fn every_pixel_counts_once_however_the_image_is_cut() {
        let full = (101, 67);
        let size = fit(full, 16);
        let whole = Block {
            width: 101,
            height: 67,
            channels: 2,
            values: Values::Float((0..101 * 67 * 2).map(|n: i32| n as f32).collect()),
        };
        let mut at_once = Shrinking::new(full, size, (2, Kind::Float));
        at_once.take(&whole, (0, 0));
        let counted: u32 = at_once.cells.iter().map(|cell| cell.count).sum();
        assert_eq!(counted, 101 * 67 * 2);
        let mut cut = Shrinking::new(full, size, (2, Kind::Float));
        for y in (0..67).step_by(10) {
            for x in (0..101).step_by(7) {
                let part = whole.part(x, y, 7.min(101 - x), 10.min(67 - y));
                let corner = (u32::try_from(x).unwrap(), u32::try_from(y).unwrap());
                cut.take(&part, corner);
            }
        }
        assert_eq!(cut.finish(), at_once.finish());
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let mut small = Shrinking::new((2, 2), (1, 1), (1, Kind::Float));
        let values = Values::Float(vec![f32::NAN, 2.0, f32::INFINITY, 4.0]);
        let block = Block {
            width: 2,
            height: 2,
            channels: 1,
            values,
        };
        small.take(&block, (0, 0));
        assert_eq!(small.finish().values, Values::Float(vec![3.0]));
    }
}
