//! One page of a tiff: any rectangle of it, read piece by piece.
//!
//! A tiff is stored in strips or tiles. Packed ones are unpacked one by one and kept for a while; those that are not packed
//! are read where they lie, so that a page stored as one strip, as many programs write it, needs no more memory than what is
//! looked at.

use crate::results::disk;
use crate::results::image::PictureError;
use crate::results::image::kept::{FileAt, Kept, lock};
use crate::results::image::samples::{
    Color, Plain, by_pixel, describe, first_of, from_cmyk, from_ycbcr, interleave, samples,
    unpack_bits,
};
use crate::results::image::values::{Block, Kind, Places, Values};
use std::fs::File;
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use tiff::decoder::{ChunkType, Decoder};
use tiff::tags::{PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError};

/// Pages counted; more are told as "more than".
const MAX_PAGES: u32 = 10_000;

/// What a single strip or tile may unpack to.
const MAX_CHUNK_BYTES: usize = 1 << 30;

/// Pages with larger packed strips are written out once instead of being unpacked again for every look.
const LARGE_CHUNK_PIXELS: u64 = 16 << 20;

type TiffDecoder = Decoder<BufReader<FileAt>>;

/// A page.
pub(crate) struct TiffPage {
    file: Arc<File>,
    page: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) channels: usize,
    pub(crate) kind: Kind,
    /// A few words, such as `16-bit gray`.
    pub(crate) about: String,
    /// Bits a sample.
    bits: u8,
    color: Color,
    planar: bool,
    chunk: (u32, u32),
    across: u32,
    down: u32,
    plain: Option<Plain>,
    decoder: Mutex<Option<TiffDecoder>>,
    kept: Mutex<Kept>,
}

fn open_decoder(file: &Arc<File>, page: u32) -> Result<TiffDecoder, TiffError> {
    let reader = BufReader::with_capacity(64 << 10, FileAt::new(Arc::clone(file)));
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = MAX_CHUNK_BYTES;
    limits.intermediate_buffer_size = MAX_CHUNK_BYTES;
    limits.ifd_value_size = 64 << 20;
    let mut decoder = Decoder::new(reader)?.with_limits(limits);
    if page > 0 {
        decoder.seek_to_image(page as usize)?;
    }
    Ok(decoder)
}

/// A decoder that breaks down on hostile bytes has found a damaged image.
fn guarded<T>(read: impl FnOnce() -> Result<T, TiffError>) -> Result<T, PictureError> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(tiff_error(error)),
        Err(_panic) => Err(PictureError::Damaged("the decoder broke down".into())),
    }
}

fn tiff_error(error: TiffError) -> PictureError {
    match error {
        TiffError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            PictureError::Io(error)
        }
        TiffError::UnsupportedError(_) => PictureError::Unsupported(error.into()),
        TiffError::LimitsExceeded => PictureError::OnePiece,
        other => PictureError::Damaged(other.into()),
    }
}

/// The number of pages, and whether there are more than were counted.
pub(crate) fn count_pages(file: &Arc<File>) -> (u32, bool) {
    let counted = guarded(|| {
        let mut decoder = open_decoder(file, 0)?;
        let mut pages = 1;
        while pages < MAX_PAGES && decoder.more_images() && decoder.next_image().is_ok() {
            pages += 1;
        }
        Ok((pages, decoder.more_images() && pages == MAX_PAGES))
    });
    counted.unwrap_or((1, false))
}

impl TiffPage {
    /// Reads what the page is, none of its pixels.
    pub(crate) fn open(file: &Arc<File>, page: u32) -> Result<Self, PictureError> {
        guarded(|| Self::read_header(Arc::clone(file), page))
    }

    fn read_header(file: Arc<File>, page: u32) -> Result<Self, TiffError> {
        let mut decoder = open_decoder(&file, page)?;
        let (width, height) = decoder.dimensions()?;
        let color_type = decoder.colortype()?;
        let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration)? == Some(2);
        let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat)?;
        let format = formats.and_then(|all| all.first().copied()).unwrap_or(1);
        let bits = color_type.bit_depth();
        let color = match color_type {
            ColorType::RGB(_) => Color::Rgb,
            ColorType::RGBA(_) => Color::Rgba,
            ColorType::CMYK(_) | ColorType::CMYKA(_) => Color::Cmyk,
            ColorType::YCbCr(_) => Color::YCbCr,
            other => Color::Gray(usize::from(other.num_samples())),
        };
        // Each plane of these would have to be unpacked and turned; nobody writes them.
        let color = match color {
            Color::Rgba if planar => Color::Rgb,
            Color::Cmyk | Color::YCbCr if planar => Color::Gray(1),
            color => color,
        };
        let (kind, about) = describe(color, bits, format);
        let chunk = decoder.chunk_dimensions();
        let chunk = (chunk.0.min(width), chunk.1.min(height));
        let chunk = match decoder.get_chunk_type() {
            ChunkType::Strip => chunk,
            ChunkType::Tile => decoder.chunk_dimensions(),
        };
        let plain = plain(&mut decoder, (bits, format, planar), color)?;
        Ok(Self {
            file,
            page,
            width,
            height,
            channels: match color {
                Color::Gray(_) => 1,
                Color::Rgb | Color::Cmyk | Color::YCbCr => 3,
                Color::Rgba => 4,
            },
            kind,
            about,
            bits,
            color,
            planar,
            across: width.div_ceil(chunk.0.max(1)),
            down: height.div_ceil(chunk.1.max(1)),
            chunk,
            plain,
            decoder: Mutex::new(Some(decoder)),
            kept: Mutex::default(),
        })
    }

    pub(crate) const fn page(&self) -> u32 {
        self.page
    }

    /// Whether strips are so large that the page should be written out once.
    pub(crate) fn is_in_large_pieces(&self) -> bool {
        self.plain.is_none()
            && u64::from(self.chunk.0) * u64::from(self.chunk.1) > LARGE_CHUNK_PIXELS
    }

    /// How many rows are read at a time when all is.
    pub(crate) fn band(&self) -> u32 {
        let row_bytes = self.width as usize * self.channels * self.kind.bytes();
        if self.plain.is_some() {
            let rows = ((8 << 20) / row_bytes.max(1)).clamp(1, self.height as usize);
            return u32::try_from(rows).unwrap_or(1);
        }
        // Whole strips, and enough of short ones.
        let strips = (256 / self.chunk.1.max(1)).max(1);
        self.chunk.1.saturating_mul(strips).min(self.height)
    }

    /// Rows from the top of a band to the bottom of one strip or tile are unpacked in one go, so one row costs as much.
    pub(crate) const fn rows_of_a_piece(&self) -> Option<u32> {
        match &self.plain {
            Some(_) => Some(1),
            None if self.across == 1 => Some(self.chunk.1),
            None => None,
        }
    }

    /// Width and height of the strips or tiles that are unpacked one by one, and to how many bytes; none where every
    /// rectangle can be read in place.
    pub(crate) fn piece(&self) -> Option<((u32, u32), u64)> {
        let samples = match self.color {
            Color::Gray(samples) => samples,
            Color::Rgb => 3,
            Color::Rgba | Color::Cmyk | Color::YCbCr => 4,
        };
        let pixels = u64::from(self.chunk.0) * u64::from(self.chunk.1);
        let bytes = u64::from(self.bits)
            .div_ceil(8)
            .max(self.kind.bytes() as u64);
        let all = pixels.saturating_mul(samples as u64).saturating_mul(bytes);
        self.plain.is_none().then_some((self.chunk, all))
    }

    /// A rectangle inside of the page. Where the file is damaged it is black, and the first such error is told.
    pub(crate) fn read(
        &self,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
        keep: bool,
    ) -> (Block, Option<Trouble>) {
        let size = (width as usize, height as usize);
        let mut block = Block::black(size.0, size.1, self.channels, self.kind);
        let (mut trouble, mut good) = (None, 0);
        let (chunk_width, chunk_height) = self.chunk;
        if chunk_width == 0 || chunk_height == 0 || width == 0 || height == 0 {
            return (block, None);
        }
        for chunk_row in y / chunk_height..=(y + height - 1) / chunk_height {
            for chunk_column in x / chunk_width..=(x + width - 1) / chunk_width {
                let (left, top) = (chunk_column * chunk_width, chunk_row * chunk_height);
                let from = (x.max(left) - left, y.max(top) - top);
                let into = (x.max(left) - x, y.max(top) - y);
                let wide = (x + width).min(left.saturating_add(chunk_width)) - x.max(left);
                let high = (y + height).min(top.saturating_add(chunk_height)) - y.max(top);
                let number = chunk_row * self.across + chunk_column;
                let piece = match &self.plain {
                    Some(plain) => self
                        .read_plain(plain, number, from, (wide, high))
                        .map(|(block, is_whole)| (Arc::new(block), (0, 0), is_whole)),
                    None => self
                        .unpacked(number, keep)
                        .map(|block| (block, (from.0 as usize, from.1 as usize), true)),
                };
                match piece {
                    Ok((piece, from, is_whole)) => {
                        // A piece may hold fewer pixels than it should.
                        let wide = (wide as usize).min(piece.width.saturating_sub(from.0));
                        let high = (high as usize).min(piece.height.saturating_sub(from.1));
                        let places = Places {
                            from,
                            into: (into.0 as usize, into.1 as usize),
                            size: (wide, high),
                        };
                        block.take(&piece, places);
                        good += 1;
                        if !is_whole {
                            trouble.get_or_insert_with(missing);
                        }
                    }
                    Err(error) => {
                        trouble.get_or_insert(error);
                    }
                }
            }
        }
        let trouble = trouble.map(|error| Trouble {
            error,
            is_total: good == 0,
        });
        (block, trouble)
    }

    /// Reads a part of a strip or tile where it lies, and whether all of it was there.
    fn read_plain(
        &self,
        plain: &Plain,
        chunk: u32,
        from: (u32, u32),
        (width, height): (u32, u32),
    ) -> Result<(Block, bool), PictureError> {
        let offset = plain.offsets.get(chunk as usize).ok_or_else(missing)?;
        let pixel_bytes = plain.samples as u64 * u64::from(plain.bits / 8);
        let row_bytes = u64::from(self.chunk.0) * pixel_bytes;
        let wanted = usize::try_from(u64::from(width) * pixel_bytes).map_err(|_error| missing())?;
        let mut bytes = vec![0_u8; wanted * height as usize];
        let whole_rows = width == self.chunk.0;
        let runs = if whole_rows { 1 } else { height as usize };
        let run = bytes.len() / runs.max(1);
        let (mut read, mut is_whole) = (0, true);
        for (row, target) in bytes.chunks_mut(run.max(1)).enumerate() {
            let place = (u64::from(from.1) + row as u64)
                .checked_mul(row_bytes)
                .and_then(|rows| rows.checked_add(u64::from(from.0) * pixel_bytes))
                .and_then(|place| place.checked_add(*offset))
                .ok_or_else(missing)?;
            let here = disk::read_at(&self.file, target, place)?;
            is_whole &= here == target.len();
            read += here;
        }
        if read == 0 {
            return Err(missing());
        }
        let samples = plain.decode(&bytes);
        let block = self.to_block(samples, plain.samples, width as usize);
        Ok((block.ok_or_else(missing)?, is_whole))
    }

    /// A whole strip or tile, from memory when it was unpacked lately.
    fn unpacked(&self, chunk: u32, keep: bool) -> Result<Arc<Block>, PictureError> {
        let known = lock(&self.kept).get(chunk);
        if let Some(block) = known {
            return Ok(block);
        }
        let block = Arc::new(self.unpack(chunk)?);
        if keep {
            lock(&self.kept).put(chunk, Arc::clone(&block));
        }
        Ok(block)
    }

    fn unpack(&self, chunk: u32) -> Result<Block, PictureError> {
        let mut slot = lock(&self.decoder);
        // Taken out: one that broke down is not used again.
        let mut decoder = match slot.take() {
            Some(decoder) => decoder,
            None => guarded(|| open_decoder(&self.file, self.page))?,
        };
        let read = guarded(AssertUnwindSafe(|| {
            let planes = match self.color {
                Color::Rgb if self.planar => 3,
                _ => 1,
            };
            let per_plane = self.across * self.down;
            let mut read = Vec::new();
            for plane in 0..planes {
                read.push(decoder.read_chunk(chunk + plane * per_plane)?);
            }
            Ok((read, decoder.chunk_data_dimensions(chunk)))
        }));
        let (mut read, (width, height)) = read?;
        *slot = Some(decoder);
        drop(slot);
        let (width, height) = (width as usize, height as usize);
        let short = || PictureError::Damaged("the image has too few pixels".into());
        let first = read.drain(..1).next().ok_or_else(short)?;
        let mut samples = samples(first);
        if self.bits < 8 {
            let per_pixel = match self.color {
                Color::Gray(samples) if !self.planar => samples,
                _ => 1,
            };
            samples = unpack_bits(&samples, self.bits, width * per_pixel, height);
        }
        let mut per_pixel = samples.len() / (width * height).max(1);
        if !read.is_empty() {
            let mut planes = vec![samples];
            planes.extend(read.into_iter().map(self::samples));
            samples = interleave(&planes, width * height);
            per_pixel = planes.len();
        }
        self.to_block(samples, per_pixel, width).ok_or_else(short)
    }

    /// Samples as channels.
    fn to_block(&self, samples: Values, per_pixel: usize, width: usize) -> Option<Block> {
        let values = match (self.color, samples) {
            (Color::Rgb, samples) if per_pixel == 3 => samples,
            (Color::Rgba, samples) if per_pixel == 4 => samples,
            (Color::Gray(_), samples) if per_pixel == 1 => samples,
            (Color::Gray(_), samples) => first_of(samples, per_pixel, 1)?,
            (Color::Rgb, samples) => first_of(samples, per_pixel, 3)?,
            (Color::Rgba, samples) => first_of(samples, per_pixel, 4)?,
            (Color::Cmyk, Values::Eight(samples)) => {
                Values::Eight(by_pixel(&samples, per_pixel, from_cmyk))
            }
            (Color::YCbCr, Values::Eight(samples)) => {
                Values::Eight(by_pixel(&samples, per_pixel, from_ycbcr))
            }
            (Color::Cmyk | Color::YCbCr, _) => return None,
        };
        let pixels = values.len() / self.channels;
        (values.kind() == self.kind && width > 0).then(|| Block {
            width,
            height: pixels / width,
            channels: self.channels,
            values,
        })
    }
}

/// What went wrong while a rectangle was read.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) error: PictureError,
    /// Whether nothing of it could be read.
    pub(crate) is_total: bool,
}

fn missing() -> PictureError {
    PictureError::Damaged("a part of the image is missing".into())
}

/// Where the samples lie, when they can be read in place.
fn plain(
    decoder: &mut TiffDecoder,
    (bits, format, planar): (u8, u16, bool),
    color: Color,
) -> Result<Option<Plain>, TiffError> {
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression)?;
    let predictor = decoder.find_tag_unsigned::<u16>(Tag::Predictor)?;
    let known = matches!((format, bits), (1 | 2 | 4, 8 | 16 | 32 | 64) | (3, 32 | 64));
    let direct = matches!(color, Color::Gray(_) | Color::Rgb | Color::Rgba);
    if !matches!(compression, None | Some(1))
        || !matches!(predictor, None | Some(1))
        || planar
        || !known
        || !direct
    {
        return Ok(None);
    }
    let tag = match decoder.get_chunk_type() {
        ChunkType::Strip => Tag::StripOffsets,
        ChunkType::Tile => Tag::TileOffsets,
    };
    let photometric = decoder.find_tag_unsigned::<u16>(Tag::PhotometricInterpretation)?;
    let white_is_zero = PhotometricInterpretation::WhiteIsZero.to_u16();
    let inverted = photometric == Some(white_is_zero);
    // What an inverted float or signed number means is left to the decoder, which refuses it.
    if inverted && format != 1 {
        return Ok(None);
    }
    Ok(Some(Plain {
        offsets: decoder.get_tag_u64_vec(tag)?,
        little: decoder.byte_order() == tiff::tags::ByteOrder::LittleEndian,
        bits,
        format,
        samples: decoder
            .find_tag_unsigned::<u16>(Tag::SamplesPerPixel)?
            .map_or(1, usize::from),
        inverted,
    }))
}
