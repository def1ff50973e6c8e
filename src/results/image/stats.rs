//! Which values an image has, and which of them are shown as black and white.

use crate::model::image_view::{Brightness, ValueRange};
use crate::results::image::values::{Block, Values};

/// Pixels kept to know the spread of the values.
const SAMPLE: usize = 1 << 16;

/// Share of the pixels that *Auto* leaves out at either end.
const LEFT_OUT: f64 = 0.003_5;

/// What has been seen of the values.
#[derive(Clone, Debug)]
pub(crate) struct Stats {
    smallest: f32,
    largest: f32,
    sample: Vec<f32>,
    every: usize,
    phase: usize,
}

impl Stats {
    /// For an image of so many pixels.
    pub(crate) fn new(pixels: u64) -> Self {
        let every = usize::try_from(pixels / SAMPLE as u64).unwrap_or(usize::MAX);
        Self {
            smallest: f32::INFINITY,
            largest: f32::NEG_INFINITY,
            sample: Vec::new(),
            // Odd, so that a pattern in the image is not always hit at the same place.
            every: every | 1,
            phase: 0,
        }
    }

    /// Takes pixels into account; opacity is none.
    pub(crate) fn see(&mut self, block: &Block) {
        let colors = block.channels.min(3);
        let (low, high) = match &block.values {
            Values::Eight(values) if block.channels < 4 => extremes(values, u8::MAX, u8::MIN),
            Values::Sixteen(values) if block.channels < 4 => extremes(values, u16::MAX, u16::MIN),
            values => {
                let colors = (0..values.len()).filter(|place| place % block.channels < colors);
                colors
                    .map(|place| values.at(place))
                    .filter(|value| value.is_finite())
                    .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
                        (low.min(value), high.max(value))
                    })
            }
        };
        self.smallest = self.smallest.min(low);
        self.largest = self.largest.max(high);
        let pixels = block.width * block.height;
        while self.phase < pixels {
            for channel in 0..colors {
                let value = block.values.at(self.phase * block.channels + channel);
                if value.is_finite() && self.sample.len() < SAMPLE * 8 {
                    self.sample.push(value);
                }
            }
            self.phase += self.every;
        }
        self.phase -= pixels;
    }

    /// What to show, by what was asked.
    pub(crate) fn range(&self, brightness: Brightness, natural: Option<(f32, f32)>) -> ValueRange {
        let (smallest, largest) = if self.smallest <= self.largest {
            (self.smallest, self.largest)
        } else {
            (0.0, 255.0)
        };
        let (low, high) = match brightness {
            Brightness::Whole => natural.unwrap_or((smallest, largest)),
            Brightness::Auto => self.spread().unwrap_or((smallest, largest)),
            Brightness::Between(low, high) => (low, high),
        };
        ValueRange {
            smallest,
            largest,
            low,
            high,
        }
    }

    fn spread(&self) -> Option<(f32, f32)> {
        let mut sorted = self.sample.clone();
        sorted.sort_by(f32::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small share of a length"
        )]
        let out = (sorted.len() as f64 * LEFT_OUT) as usize;
        let low = *sorted.get(out)?;
        let high = *sorted.get(sorted.len().checked_sub(out + 1)?)?;
        Some((low, high))
    }
}

fn extremes<T: Copy + Ord + Into<f32>>(values: &[T], top: T, bottom: T) -> (f32, f32) {
    let (low, high) = values.iter().fold((top, bottom), |(low, high), value| {
        (low.min(*value), high.max(*value))
    });
    if values.is_empty() {
        return (f32::INFINITY, f32::NEG_INFINITY);
    }
    (low.into(), high.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_leaves_out_single_bright_pixels() {
        let mut values = vec![10_u8; 1000];
        values[1] = 250;
        values[2] = 0;
        values.extend(vec![60; 1000]);
        let mut stats = Stats::new(2000);
        stats.see(&Block {
            width: 1000,
            height: 2,
            channels: 1,
            values: Values::Eight(values),
        });
        let range = stats.range(Brightness::Auto, None);
        assert_eq!((range.low, range.high), (10.0, 60.0));
        assert_eq!((range.smallest, range.largest), (0.0, 250.0));
        let whole = stats.range(Brightness::Whole, None);
        assert_eq!((whole.low, whole.high), (0.0, 250.0));
    }
}
