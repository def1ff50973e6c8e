//! TIFF files of every kind, written as the specification says.

use std::io::Write as _;

/// A tiff to be written.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a choice of the format"
)]
pub(super) struct Spec {
    pub(super) size: (u32, u32),
    /// Width and height of a tile; without, strips of so many rows.
    pub(super) tile: Result<(u32, u32), u32>,
    pub(super) bits: u16,
    /// 1 whole, 2 signed, 3 float.
    pub(super) format: u16,
    pub(super) samples: u16,
    pub(super) planar: bool,
    pub(super) packed: bool,
    pub(super) big_end: bool,
    pub(super) big_tiff: bool,
    /// 0 white is zero, 1 black is zero, 2 color.
    pub(super) photometric: u16,
}

pub(super) const GRAY: Spec = Spec {
    size: (1, 1),
    tile: Err(16),
    bits: 8,
    format: 1,
    samples: 1,
    planar: false,
    packed: false,
    big_end: false,
    big_tiff: false,
    photometric: 1,
};

impl Spec {
    fn number(self, bytes: usize, value: u64) -> Vec<u8> {
        let all = value.to_be_bytes();
        let mut some = all[8 - bytes..].to_vec();
        if !self.big_end {
            some.reverse();
        }
        some
    }

    fn sample(self, value: f64) -> Vec<u8> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "test values fit"
        )]
        let bits = match (self.format, self.bits) {
            (3, 32) => u64::from((value as f32).to_bits()),
            (3, _) => value.to_bits(),
            (2, bits) => (value as i64 as u64) & (u64::MAX >> (64 - bits)),
            _ => value as u64,
        };
        self.number(usize::from(self.bits / 8), bits)
    }

    /// Strips or tiles by rows and columns, plane by plane.
    fn chunks(self, pixel: &dyn Fn(u32, u32, u16) -> f64) -> Vec<Vec<u8>> {
        let (width, height) = self.size;
        let (chunk_width, chunk_height) = self.tile.unwrap_or_else(|rows| (width, rows));
        let planes = if self.planar { self.samples } else { 1 };
        let mut chunks = Vec::new();
        for plane in 0..planes {
            for top in (0..height).step_by(chunk_height as usize) {
                for left in (0..width).step_by(chunk_width as usize) {
                    let mut bytes = Vec::new();
                    for y in top..top + chunk_height {
                        if y >= height && self.tile.is_err() {
                            break;
                        }
                        for x in left..left + chunk_width {
                            let inside = x < width && y < height;
                            let samples = if self.planar {
                                plane..plane + 1
                            } else {
                                0..self.samples
                            };
                            for sample in samples {
                                // Padding is not black, so that it is seen when it comes through.
                                let value = if inside { pixel(x, y, sample) } else { 99.0 };
                                bytes.extend(self.sample(value));
                            }
                        }
                    }
                    if self.packed {
                        let mut packer = flate2::write::ZlibEncoder::new(
                            Vec::new(),
                            flate2::Compression::fast(),
                        );
                        packer.write_all(&bytes).unwrap();
                        bytes = packer.finish().unwrap();
                    }
                    chunks.push(bytes);
                }
            }
        }
        chunks
    }

    /// TIFF 6.0, section 2; `BigTIFF` has eight bytes where it has four, and a header of sixteen.
    pub(super) fn file(self, pages: &[&dyn Fn(u32, u32, u16) -> f64]) -> Vec<u8> {
        let word = if self.big_tiff { 8 } else { 4 };
        let mut out: Vec<u8> = if self.big_end {
            b"MM".to_vec()
        } else {
            b"II".to_vec()
        };
        if self.big_tiff {
            out.extend(self.number(2, 43));
            out.extend(self.number(2, 8));
            out.extend(self.number(2, 0));
        } else {
            out.extend(self.number(2, 42));
        }
        let mut link = out.len();
        out.extend(self.number(word, 0));
        for pixel in pages {
            let mut offsets = Vec::new();
            let mut lengths = Vec::new();
            for chunk in self.chunks(*pixel) {
                offsets.push(out.len() as u64);
                lengths.push(chunk.len() as u64);
                out.extend(chunk);
            }
            let (width, height) = (u64::from(self.size.0), u64::from(self.size.1));
            let many = usize::from(self.samples);
            let mut tags: Vec<(u16, Vec<u64>)> = vec![
                (256, vec![width]),
                (257, vec![height]),
                (258, vec![u64::from(self.bits); many]),
                (259, vec![if self.packed { 8 } else { 1 }]),
                (262, vec![u64::from(self.photometric)]),
                (277, vec![u64::from(self.samples)]),
                (284, vec![if self.planar { 2 } else { 1 }]),
                (339, vec![u64::from(self.format); many]),
            ];
            match self.tile {
                Ok((tile_width, tile_height)) => tags.extend([
                    (322, vec![u64::from(tile_width)]),
                    (323, vec![u64::from(tile_height)]),
                    (324, offsets),
                    (325, lengths),
                ]),
                Err(rows) => {
                    tags.extend([(273, offsets), (278, vec![u64::from(rows)]), (279, lengths)]);
                }
            }
            tags.sort();
            // Every value is a long, or a long8.
            let kind = if self.big_tiff { 16 } else { 4 };
            let mut entries = Vec::new();
            for (tag, values) in tags {
                let bytes: Vec<u8> = values
                    .iter()
                    .flat_map(|value| self.number(word, *value))
                    .collect();
                let inline = if bytes.len() <= word {
                    bytes
                } else {
                    let at = out.len() as u64;
                    out.extend(bytes);
                    self.number(word, at)
                };
                entries.extend(self.number(2, u64::from(tag)));
                entries.extend(self.number(2, kind));
                entries.extend(self.number(word, values.len() as u64));
                entries.extend(inline);
            }
            let at = self.number(word, out.len() as u64);
            out[link..link + word].copy_from_slice(&at);
            let count = entries.len() / (4 + 2 * word);
            out.extend(self.number(if self.big_tiff { 8 } else { 2 }, count as u64));
            out.extend(entries);
            link = out.len();
            out.extend(self.number(word, 0));
        }
        out
    }
}
