//! Samples of a tiff as values: bytes in either order, of any width, in any system of colors.

use crate::results::image::values::{Kind, Values};
use tiff::decoder::DecodingResult;

/// How the samples of a pixel become its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// The first of so many.
    Gray(usize),
    Rgb,
    Rgba,
    Cmyk,
    YCbCr,
}

/// Samples that are not packed.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub(crate) offsets: Vec<u64>,
    pub(crate) little: bool,
    pub(crate) bits: u8,
    pub(crate) format: u16,
    pub(crate) samples: usize,
    pub(crate) inverted: bool,
}

pub(crate) fn describe(color: Color, bits: u8, format: u16) -> (Kind, String) {
    let kind = match (bits, format) {
        (..=8, 1 | 4) => Kind::Eight,
        (16, 1 | 4) => Kind::Sixteen,
        _ => Kind::Float,
    };
    let float = if format == 3 { " float" } else { "" };
    let color = match color {
        Color::Gray(1) => "gray".to_owned(),
        Color::Gray(channels) => format!("gray, first of {channels} channels"),
        Color::Rgb | Color::Cmyk | Color::YCbCr => "color".to_owned(),
        Color::Rgba => "color with transparency".to_owned(),
    };
    (kind, format!("{bits}-bit{float} {color}"))
}

impl Plain {
    pub(crate) fn decode(&self, bytes: &[u8]) -> Values {
        let flip = |value: u64| {
            if self.inverted {
                value ^ (u64::MAX >> (64 - u32::from(self.bits)))
            } else {
                value
            }
        };
        match (self.format, self.bits) {
            (1 | 4, 8) => {
                let mask = if self.inverted { 0xFF } else { 0 };
                Values::Eight(bytes.iter().map(|byte| byte ^ mask).collect())
            }
            (1 | 4, 16) => {
                let mask = if self.inverted { 0xFFFF } else { 0 };
                let words = self.words(bytes, u16::from_le_bytes, u16::from_be_bytes);
                Values::Sixteen(words.map(|word| word ^ mask).collect())
            }
            (2, 8) => Values::Float(
                bytes
                    .iter()
                    .map(|byte| f32::from(i8::from_le_bytes([*byte])))
                    .collect(),
            ),
            (2, 16) => {
                let words = self.words(bytes, i16::from_le_bytes, i16::from_be_bytes);
                Values::Float(words.map(f32::from).collect())
            }
            (2, 32) => {
                let words = self.words(bytes, i32::from_le_bytes, i32::from_be_bytes);
                Values::Float(words.map(|word| word as f32).collect())
            }
            (2, _) => {
                let words = self.words(bytes, i64::from_le_bytes, i64::from_be_bytes);
                Values::Float(words.map(|word| word as f32).collect())
            }
            (3, 32) => {
                let words = self.words(bytes, f32::from_le_bytes, f32::from_be_bytes);
                Values::Float(words.collect())
            }
            (3, _) => {
                let words = self.words(bytes, f64::from_le_bytes, f64::from_be_bytes);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "256 grays are shown; what a float cannot tell apart is not seen"
                )]
                Values::Float(words.map(|word| word as f32).collect())
            }
            (_, 32) => {
                let words = self.words(bytes, u32::from_le_bytes, u32::from_be_bytes);
                Values::Float(words.map(|word| flip(u64::from(word)) as f32).collect())
            }
            _ => {
                let words = self.words(bytes, u64::from_le_bytes, u64::from_be_bytes);
                Values::Float(words.map(|word| flip(word) as f32).collect())
            }
        }
    }

    fn words<const BYTES: usize, T>(
        &self,
        bytes: &[u8],
        little: impl Fn([u8; BYTES]) -> T,
        big: impl Fn([u8; BYTES]) -> T,
    ) -> impl Iterator<Item = T> {
        let (words, _) = bytes.as_chunks::<BYTES>();
        let is_little = self.little;
        words
            .iter()
            .map(move |word| if is_little { little(*word) } else { big(*word) })
    }
}

/// What the decoder gave, as one of our kinds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "256 grays are shown; what a float cannot tell apart is not seen"
)]
pub(crate) fn samples(decoded: DecodingResult) -> Values {
    match decoded {
        DecodingResult::U8(v) => Values::Eight(v),
        DecodingResult::U16(v) => Values::Sixteen(v),
        DecodingResult::I8(v) => Values::Float(v.into_iter().map(f32::from).collect()),
        DecodingResult::I16(v) => Values::Float(v.into_iter().map(f32::from).collect()),
        DecodingResult::U32(v) => Values::Float(v.into_iter().map(|n| n as f32).collect()),
        DecodingResult::I32(v) => Values::Float(v.into_iter().map(|n| n as f32).collect()),
        DecodingResult::U64(v) => Values::Float(v.into_iter().map(|n| n as f32).collect()),
        DecodingResult::I64(v) => Values::Float(v.into_iter().map(|n| n as f32).collect()),
        DecodingResult::F16(v) => Values::Float(v.iter().map(|n| f32::from(*n)).collect()),
        DecodingResult::F32(v) => Values::Float(v),
        DecodingResult::F64(v) => Values::Float(v.into_iter().map(|n| n as f32).collect()),
    }
}

/// Samples of fewer than eight bits, rows padded to whole bytes.
pub(crate) fn unpack_bits(packed: &Values, bits: u8, row_samples: usize, rows: usize) -> Values {
    let Values::Eight(bytes) = packed else {
        return packed.clone();
    };
    let bits = usize::from(bits);
    let row_bytes = (row_samples * bits).div_ceil(8);
    let mask = u8::try_from((1_u16 << bits.min(8)) - 1).unwrap_or(u8::MAX);
    let mut values = Vec::with_capacity(row_samples * rows);
    for row in bytes.chunks(row_bytes.max(1)).take(rows) {
        values.extend((0..row_samples).map(|sample| {
            let at = sample * bits;
            let byte = row.get(at / 8).copied().unwrap_or(0);
            let next = row.get(at / 8 + 1).copied().unwrap_or(0);
            let both = u16::from_be_bytes([byte, next]) << (at % 8);
            let [top, _] = (both >> (8 - bits.min(8))).to_be_bytes();
            top & mask
        }));
    }
    Values::Eight(values)
}

/// Planes side by side.
pub(crate) fn interleave(planes: &[Values], pixels: usize) -> Values {
    let kind = planes.first().map_or(Kind::Eight, Values::kind);
    let all = || (0..pixels).flat_map(|pixel| planes.iter().map(move |plane| (plane, pixel)));
    match kind {
        Kind::Eight => Values::Eight(
            all()
                .map(|(plane, pixel)| match plane {
                    Values::Eight(values) => values.get(pixel).copied().unwrap_or(0),
                    Values::Sixteen(_) | Values::Float(_) => 0,
                })
                .collect(),
        ),
        Kind::Sixteen => Values::Sixteen(
            all()
                .map(|(plane, pixel)| match plane {
                    Values::Sixteen(values) => values.get(pixel).copied().unwrap_or(0),
                    Values::Eight(_) | Values::Float(_) => 0,
                })
                .collect(),
        ),
        Kind::Float => Values::Float(all().map(|(plane, pixel)| plane.at(pixel)).collect()),
    }
}

/// The first channels of more.
pub(crate) fn first_of(samples: Values, per_pixel: usize, channels: usize) -> Option<Values> {
    fn pick<T: Copy>(values: &[T], per_pixel: usize, channels: usize) -> Vec<T> {
        values
            .chunks_exact(per_pixel)
            .flat_map(|pixel| pixel.iter().take(channels).copied())
            .collect()
    }
    if per_pixel < channels || per_pixel == 0 {
        return None;
    }
    Some(match samples {
        Values::Eight(values) => Values::Eight(pick(&values, per_pixel, channels)),
        Values::Sixteen(values) => Values::Sixteen(pick(&values, per_pixel, channels)),
        Values::Float(values) => Values::Float(pick(&values, per_pixel, channels)),
    })
}

pub(crate) fn by_pixel(
    samples: &[u8],
    per_pixel: usize,
    turn: impl Fn(&[u8]) -> [u8; 3],
) -> Vec<u8> {
    samples
        .chunks_exact(per_pixel.max(1))
        .flat_map(turn)
        .collect()
}

pub(crate) fn from_cmyk(pixel: &[u8]) -> [u8; 3] {
    let [cyan, magenta, yellow, black, ..] = *pixel else {
        return [0; 3];
    };
    let light = 255 - u16::from(black);
    [cyan, magenta, yellow].map(|ink| {
        let color = (255 - u16::from(ink)) * light / 255;
        u8::try_from(color).unwrap_or(255)
    })
}

/// As JPEG files mean it (JFIF 1.02, page 3).
pub(crate) fn from_ycbcr(pixel: &[u8]) -> [u8; 3] {
    let [luma, blue, red, ..] = *pixel else {
        return [0; 3];
    };
    let (luma, blue, red) = (
        f32::from(luma),
        f32::from(blue) - 128.0,
        f32::from(red) - 128.0,
    );
    [
        luma + 1.402 * red,
        luma - 0.344_136 * blue - 0.714_136 * red,
        luma + 1.772 * blue,
    ]
    .map(|value| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 255 by the clamp"
        )]
        let byte = value.round().clamp(0.0, 255.0) as u8;
        byte
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bits_are_unpacked() {
        let packed = Values::Eight(vec![0b1010_0000, 0b1000_0000, 0xFF, 0x00]);
        assert_eq!(
            unpack_bits(&packed, 1, 9, 2),
            Values::Eight(vec![1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0])
        );
        assert_eq!(
            unpack_bits(&Values::Eight(vec![0x1F, 0x20]), 4, 3, 1),
            Values::Eight(vec![1, 15, 2])
        );
    }

    #[test]
    fn colors_of_other_systems() {
        assert_eq!(from_ycbcr(&[76, 85, 255]), [254, 0, 0]);
        assert_eq!(from_ycbcr(&[100, 128, 128]), [100, 100, 100]);
        assert_eq!(from_cmyk(&[0, 255, 255, 0]), [255, 0, 0]);
        assert_eq!(from_cmyk(&[0, 0, 0, 255]), [0, 0, 0]);
    }
}
