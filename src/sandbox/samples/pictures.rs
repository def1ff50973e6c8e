//! Invented micrographs: nuclei on a dark ground, in the file kinds cameras write.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::tiff::TiffEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageResult};

use crate::sandbox::samples::dice::Dice;

/// A picture as brightness from 0 to 1 before noise.
pub(super) struct Field {
    width: u32,
    height: u32,
    values: Vec<f64>,
    seed: u64,
}

struct Nucleus {
    x: f64,
    y: f64,
    long: f64,
    short: f64,
    /// Cosine and sine of its tilt, from right triangles with whole sides: no library's rounding.
    tilt: (f64, f64),
    brightness: f64,
}

impl Nucleus {
    /// 1 well inside, 0 outside, smooth in between.
    fn at(&self, x: f64, y: f64) -> f64 {
        let (across, down) = (x - self.x, y - self.y);
        let (cosine, sine) = self.tilt;
        let along = (across * cosine + down * sine) / self.long;
        let beside = (down * cosine - across * sine) / self.short;
        let distance = along * along + beside * beside;
        let edge = ((1.25 - distance) / 0.5).clamp(0.0, 1.0);
        edge * edge * (3.0 - 2.0 * edge) * self.brightness
    }
}

/// Bright ellipses on a dark ground with a little unevenness; a few of them touch.
pub(super) fn nuclei(seed: u64, count: u32) -> Field {
    const TILTS: [(f64, f64); 6] = [
        (1.0, 0.0),
        (0.8, 0.6),
        (0.6, 0.8),
        (0.0, 1.0),
        (-0.6, 0.8),
        (-0.8, 0.6),
    ];
    let (width, height) = (224, 176);
    let mut dice = Dice::new(seed);
    let mut cells: Vec<Nucleus> = Vec::new();
    // Tries are counted so that a crowded picture ends too.
    for _ in 0..count * 20 {
        if cells.len() >= usize::try_from(count).unwrap_or(0) {
            break;
        }
        let tilt = usize::try_from(dice.below(6)).unwrap_or(0);
        let cell = Nucleus {
            x: dice.between(8, width - 8),
            y: dice.between(8, height - 8),
            long: dice.between(7, 12),
            short: dice.between(5, 8),
            tilt: TILTS.get(tilt).copied().unwrap_or((1.0, 0.0)),
            brightness: dice.between(48, 80) / 100.0,
        };
        let room = if dice.below(5) == 0 { 13.0 } else { 24.0 };
        let free = cells.iter().all(|other| {
            let (across, down) = (other.x - cell.x, other.y - cell.y);
            across * across + down * down > room * room
        });
        if free {
            cells.push(cell);
        }
    }
    let mut values = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (f64::from(column), f64::from(row));
            let ground = 0.06 + 0.03 * x / f64::from(width);
            let light = cells.iter().map(|cell| cell.at(x, y)).fold(0.0, f64::max);
            values.push(ground + light * 0.9);
        }
    }
    Field {
        width,
        height,
        values,
        seed,
    }
}

impl Field {
    /// Whole numbers from 0 to `white`, with noise of the given share of it.
    fn levels(&self, white: u16, noise: u16) -> Vec<u16> {
        let mut dice = Dice::new(self.seed + 1000);
        self.values
            .iter()
            .map(|value| {
                let shift = dice.below(u32::from(noise) * 2 + 1);
                let level = value * f64::from(white) + f64::from(shift) - f64::from(noise);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "held between 0 and white"
                )]
                let level = level.clamp(0.0, f64::from(white)) as u16;
                level
            })
            .collect()
    }

    fn bytes(&self) -> Vec<u8> {
        let levels = self.levels(255, 3);
        let byte = |level: u16| u8::try_from(level).unwrap_or(u8::MAX);
        levels.into_iter().map(byte).collect()
    }
}

fn png(field: &Field, bytes: &[u8], color: ExtendedColorType) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive)
        .write_image(bytes, field.width, field.height, color)?;
    Ok(file)
}

pub(super) fn plain_png(field: &Field) -> ImageResult<Vec<u8>> {
    png(field, &field.bytes(), ExtendedColorType::L8)
}

/// Nuclei in blue and, larger and dimmer, the cells around them in green.
pub(super) fn color_png(field: &Field) -> ImageResult<Vec<u8>> {
    let pixels: Vec<u8> = field
        .bytes()
        .into_iter()
        .flat_map(|blue| [blue / 8, blue / 4 + blue / 2, blue])
        .collect();
    png(field, &pixels, ExtendedColorType::Rgb8)
}

pub(super) fn jpeg(field: &Field) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90).write_image(
        &field.bytes(),
        field.width,
        field.height,
        ExtendedColorType::L8,
    )?;
    Ok(file)
}

/// As from a 12-bit camera: 16 bits a pixel of which the upper four are empty.
pub(super) fn deep_tiff(field: &Field) -> ImageResult<Vec<u8>> {
    let levels = field.levels(4095, 40);
    let pixels: Vec<u8> = levels
        .iter()
        .flat_map(|level| level.to_ne_bytes())
        .collect();
    let mut file = Cursor::new(Vec::new());
    TiffEncoder::new(&mut file).write_image(
        &pixels,
        field.width,
        field.height,
        ExtendedColorType::L16,
    )?;
    Ok(file.into_inner())
}
