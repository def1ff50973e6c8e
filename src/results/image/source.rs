//! Where the pixels of a page come from: a tiff, read piece by piece, or any other image, unpacked whole.

use crate::results::disk;
use crate::results::image::kept::{FileAt, lock};
use crate::results::image::tiff::{TiffPage, Trouble, count_pages};
use crate::results::image::values::{Block, Kind, Places, Values};
use crate::results::image::{MAX_WHOLE_PIXELS, PictureError};
use crate::results::sniff;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageReader, Limits};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What a decoder may allocate at once, in bytes.
const MAX_ALLOC_BYTES: u64 = 2 << 30;

/// Rows taken at a time out of an image that is in memory.
const BAND: u32 = 256;

/// Where pixels come from.
pub(crate) enum Source {
    Tiff(Box<TiffPage>),
    Whole(Whole),
}

/// An image in memory, until all of it has been written out.
pub(crate) struct Whole {
    width: u32,
    height: u32,
    channels: usize,
    kind: Kind,
    about: &'static str,
    pixels: Mutex<Option<Block>>,
}

/// How much of an image may be unpacked in one go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) pixels: u64,
    pub(crate) bytes: u64,
}

/// Reads all of a page once.
pub(crate) enum Reader<'a> {
    Tiff(Box<TiffPage>),
    Whole(&'a Whole),
}

impl Source {
    pub(crate) fn open(path: &Path, file: &Arc<File>, page: u32) -> Result<Self, PictureError> {
        if sniff::is_tiff(&disk::head(path, 16)?.0) {
            let page = TiffPage::open(file, page)?;
            let pixels = u64::from(page.width) * u64::from(page.height);
            if page.is_in_large_pieces() {
                if pixels > MAX_WHOLE_PIXELS {
                    return Err(PictureError::OnePiece);
                }
            } else {
                // A kind that cannot be read is told at once; a damaged beginning may have a good rest.
                let first = page.read((0, 0), (1, 1), true).1;
                let middle = (page.width / 2, page.height / 2);
                let middle = || page.read(middle, (1, 1), true).1;
                if let Some(Trouble { error, .. }) = first
                    && (matches!(error, PictureError::Unsupported(_)) || middle().is_some())
                {
                    return Err(error);
                }
            }
            return Ok(Self::Tiff(Box::new(page)));
        }
        let reader = BufReader::with_capacity(64 << 10, FileAt::new(Arc::clone(file)));
        let most = Most {
            pixels: MAX_WHOLE_PIXELS,
            bytes: MAX_ALLOC_BYTES,
        };
        whole(reader, most).map(Self::Whole)
    }

    pub(crate) const fn size(&self) -> (u32, u32) {
        match self {
            Self::Tiff(page) => (page.width, page.height),
            Self::Whole(whole) => (whole.width, whole.height),
        }
    }

    pub(crate) const fn channels(&self) -> usize {
        match self {
            Self::Tiff(page) => page.channels,
            Self::Whole(whole) => whole.channels,
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Tiff(page) => page.kind,
            Self::Whole(whole) => whole.kind,
        }
    }

    pub(crate) fn about(&self) -> String {
        match self {
            Self::Tiff(page) => page.about.clone(),
            Self::Whole(whole) => whole.about.to_owned(),
        }
    }

    /// The number of pages, and whether there are more than were counted.
    pub(crate) fn pages(&self, file: &Arc<File>) -> (u32, bool) {
        match self {
            Self::Tiff(_) => count_pages(file),
            Self::Whole(_) => (1, false),
        }
    }

    /// Whether level 0 has to be written out too.
    pub(crate) fn is_stored_whole(&self) -> bool {
        match self {
            Self::Tiff(page) => page.is_in_large_pieces(),
            Self::Whole(_) => true,
        }
    }

    /// A second way to the same pixels, so that reading all of it keeps nobody waiting who looks at a part.
    pub(crate) fn reader<'a>(&'a self, file: &Arc<File>) -> Result<Reader<'a>, PictureError> {
        Ok(match self {
            Self::Tiff(page) => {
                let again = TiffPage::open(file, page.page())?;
                Reader::Tiff(Box::new(again))
            }
            Self::Whole(whole) => Reader::Whole(whole),
        })
    }

    /// A rectangle of a tiff; what was unpacked for it is kept.
    pub(crate) fn read_kept(
        &self,
        corner: (u32, u32),
        size: (u32, u32),
    ) -> Option<(Block, Option<Trouble>)> {
        match self {
            Self::Tiff(page) => Some(page.read(corner, size, true)),
            Self::Whole(_) => None,
        }
    }

    /// Lets go of what was in memory, once it is written out.
    pub(crate) fn forget(&self) {
        if let Self::Whole(whole) = self {
            *lock(&whole.pixels) = None;
        }
    }

    /// Some rows and columns of the whole, where that is much less work than reading all.
    pub(crate) fn rough(&self, side: u32) -> Option<Block> {
        let Self::Tiff(page) = self else {
            return None;
        };
        let piece = page.rows_of_a_piece()?;
        // At most an eighth of the work of reading all of it.
        let rows = (page.height / piece.max(1) / 8).min(side);
        if rows < 8 {
            return None;
        }
        let columns = page.width.min(side);
        let mut rough = Block::black(columns as usize, rows as usize, page.channels, page.kind);
        for row in 0..rows {
            let y = (u64::from(row) * 2 + 1) * u64::from(page.height) / (u64::from(rows) * 2);
            let y = u32::try_from(y).ok()?;
            let (line, error) = page.read((0, y), (page.width, 1), false);
            if error.is_some() {
                continue;
            }
            for column in 0..columns {
                let x =
                    (u64::from(column) * 2 + 1) * u64::from(page.width) / (u64::from(columns) * 2);
                let places = Places {
                    from: (usize::try_from(x).ok()?, 0),
                    into: (column as usize, row as usize),
                    size: (1, 1),
                };
                rough.take(&line, places);
            }
        }
        Some(rough)
    }
}

impl Reader<'_> {
    /// How many rows are read at a time.
    pub(crate) fn band(&self) -> u32 {
        match self {
            Self::Tiff(page) => page.band(),
            Self::Whole(_) => BAND,
        }
    }

    pub(crate) fn read(
        &self,
        corner: (u32, u32),
        (width, height): (u32, u32),
    ) -> (Block, Option<Trouble>) {
        match self {
            Self::Tiff(page) => page.read(corner, (width, height), false),
            Self::Whole(whole) => {
                let (width, height) = (width as usize, height as usize);
                let part = lock(&whole.pixels)
                    .as_ref()
                    .map(|pixels| pixels.part(corner.0 as usize, corner.1 as usize, width, height));
                let black = || Block::black(width, height, whole.channels, whole.kind);
                (part.unwrap_or_else(black), None)
            }
        }
    }
}

impl Whole {
    /// All of it, with a few words on it.
    pub(crate) fn into_block(self) -> Option<(Block, &'static str)> {
        lock(&self.pixels).take().map(|block| (block, self.about))
    }
}

/// Unpacks an image that can only be unpacked whole.
pub(crate) fn whole(reader: impl BufRead + Seek, most: Most) -> Result<Whole, PictureError> {
    let mut reader = ImageReader::new(reader).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(most.bytes);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(image_error)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most.pixels || decoder.total_bytes() > most.bytes {
        return Err(PictureError::TooLarge { width, height });
    }
    let image = DynamicImage::from_decoder(decoder).map_err(image_error)?;
    let about = color_name(&image);
    let (channels, values) = match image {
        DynamicImage::ImageLuma8(image) => (1, Values::Eight(image.into_raw())),
        DynamicImage::ImageRgb8(image) => (3, Values::Eight(image.into_raw())),
        DynamicImage::ImageRgba8(image) => (4, Values::Eight(image.into_raw())),
        DynamicImage::ImageLuma16(image) => (1, Values::Sixteen(image.into_raw())),
        DynamicImage::ImageRgb16(image) => (3, Values::Sixteen(image.into_raw())),
        DynamicImage::ImageRgba16(image) => (4, Values::Sixteen(image.into_raw())),
        DynamicImage::ImageRgb32F(image) => (3, Values::Float(image.into_raw())),
        DynamicImage::ImageRgba32F(image) => (4, Values::Float(image.into_raw())),
        wide @ DynamicImage::ImageLumaA16(_) => (4, Values::Sixteen(wide.into_rgba16().into_raw())),
        other => (4, Values::Eight(other.into_rgba8().into_raw())),
    };
    let kind = values.kind();
    let block = Block {
        width: width as usize,
        height: height as usize,
        channels,
        values,
    };
    Ok(Whole {
        width,
        height,
        channels,
        kind,
        about,
        pixels: Mutex::new(Some(block)),
    })
}

fn image_error(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            PictureError::Io(error)
        }
        ImageError::Unsupported(_) => PictureError::Unsupported(error.into()),
        other => PictureError::Damaged(other.into()),
    }
}

const fn color_name(image: &DynamicImage) -> &'static str {
    match image {
        DynamicImage::ImageLuma8(_) => "8-bit gray",
        DynamicImage::ImageLumaA8(_) => "8-bit gray with transparency",
        DynamicImage::ImageRgb8(_) => "8-bit color",
        DynamicImage::ImageRgba8(_) => "8-bit color with transparency",
        DynamicImage::ImageLuma16(_) => "16-bit gray",
        DynamicImage::ImageLumaA16(_) => "16-bit gray with transparency",
        DynamicImage::ImageRgb16(_) => "16-bit color",
        DynamicImage::ImageRgba16(_) => "16-bit color with transparency",
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => "32-bit float color",
        _ => "image",
    }
}
