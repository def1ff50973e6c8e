//! Thumbnails of image files: the first page, small, in bounded time and memory whatever the file is.
//!
//! Of a large tiff only some rows, strips or tiles are read. What could only be had by unpacking too much at once has no
//! thumbnail, nor has anything that is damaged or no image.

use crate::model::image_view::Brightness;
use crate::model::thumbnail::{THUMBNAIL_SIDE, Thumbnail};
use crate::results::image::kept::FileAt;
use crate::results::image::shrink::{Shrinking, fit};
use crate::results::image::source::{Most, whole};
use crate::results::image::stats::Stats;
use crate::results::image::tiff::TiffPage;
use crate::results::image::values::{Block, Kind};
use crate::results::image::{MAX_PIXELS, PictureError};
use crate::results::{disk, sniff};
use image::ImageFormat;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Most bytes that are unpacked in one go.
const MOST_BYTES: u64 = 192 << 20;

/// Most pixels of a tiff that are looked at.
const MOST_PIXELS: u64 = 64 << 20;

/// Most strips or tiles that are unpacked, however small.
const MOST_PIECES: u64 = 1 << 14;

/// Pixels of a tiff that are read at a time, where that can be chosen.
const BAND_PIXELS: u32 = 1 << 20;

/// Rows looked at for a row of the thumbnail, where not all are.
const ROWS_A_ROW: u32 = 2;

/// A picture of fewer rows would show nothing.
const FEWEST_ROWS: u32 = 8;

/// The thumbnail of a file; none where it has none, or where it shall not go on.
pub fn make(path: &Path, go_on: &dyn Fn() -> bool) -> Option<Thumbnail> {
    make_of(path, MOST_PIXELS, go_on)
}

/// The same, of at most so many pixels of a tiff.
pub(crate) fn make_of(path: &Path, most: u64, go_on: &dyn Fn() -> bool) -> Option<Thumbnail> {
    // A decoder that breaks down on hostile bytes has found a damaged image.
    match catch_unwind(AssertUnwindSafe(|| read(path, most, go_on))) {
        Ok(Ok(thumbnail)) => Some(thumbnail),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a file has no thumbnail");
            None
        }
        Err(_panic) => {
            tracing::info!("a decoder broke down at a thumbnail");
            None
        }
    }
}

fn read(path: &Path, most: u64, go_on: &dyn Fn() -> bool) -> Result<Thumbnail, PictureError> {
    // A pipe or a device might never answer.
    if !path.metadata()?.is_file() {
        return Err(no_image());
    }
    let file = Arc::new(File::open(path)?);
    let mut head = [0_u8; 16];
    disk::read_at(&file, &mut head, 0)?;
    if sniff::is_tiff(&head) {
        return from_tiff(&file, most, go_on);
    }
    match image::guess_format(&head) {
        Ok(ImageFormat::Png | ImageFormat::Jpeg) => from_whole(&file, go_on),
        _ => Err(no_image()),
    }
}

fn no_image() -> PictureError {
    PictureError::Unsupported("it is no image".into())
}

fn stopped() -> io::Error {
    io::Error::other("it is not wanted any more")
}

/// A file whose reading ends when it shall not go on.
struct Stoppable<'a> {
    file: FileAt,
    go_on: &'a dyn Fn() -> bool,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.go_on)() {
            self.file.read(buffer)
        } else {
            Err(stopped())
        }
    }
}

impl Seek for Stoppable<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Of an image that can only be unpacked whole.
fn from_whole(file: &Arc<File>, go_on: &dyn Fn() -> bool) -> Result<Thumbnail, PictureError> {
    // The decoder of jpeg takes in all of the file before it looks at it.
    if file.metadata()?.len() > MOST_BYTES {
        return Err(PictureError::OnePiece);
    }
    let reader = Stoppable {
        file: FileAt::new(Arc::clone(file)),
        go_on,
    };
    let most = Most {
        pixels: MOST_BYTES,
        bytes: MOST_BYTES,
    };
    let whole = whole(BufReader::with_capacity(64 << 10, reader), most)?;
    let (block, about) = whole.into_block().ok_or_else(stopped)?;
    let full = (
        u32::try_from(block.width).unwrap_or(0),
        u32::try_from(block.height).unwrap_or(0),
    );
    let shape = (block.channels, block.values.kind());
    let mut small = Shrinking::new(full, fit(full, THUMBNAIL_SIDE), shape);
    small.take(&block, (0, 0));
    Ok(finish(full, &small.finish(), about))
}

/// Parts of a tiff to be looked at, and the size of the thumbnail.
struct Plan {
    size: (u32, u32),
    /// Width and height of each.
    part: (u32, u32),
    /// The left edges.
    lefts: Vec<u32>,
    /// The upper edges.
    tops: Vec<u32>,
}

fn from_tiff(
    file: &Arc<File>,
    most: u64,
    go_on: &dyn Fn() -> bool,
) -> Result<Thumbnail, PictureError> {
    let page = TiffPage::open(file, 0)?;
    let full @ (width, height) = (page.width, page.height);
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    let plan = match page.piece() {
        None => rows_in_place(&page, most)?,
        Some((piece, bytes)) if bytes <= MOST_BYTES => pieces(full, piece, most)?,
        Some(_) => return Err(PictureError::OnePiece),
    };
    let mut small = Shrinking::new(full, plan.size, (page.channels, page.kind));
    for top in plan.tops {
        for left in &plan.lefts {
            if !go_on() {
                return Err(stopped().into());
            }
            let wide = plan.part.0.min(width - left);
            let high = plan.part.1.min(height - top);
            let (part, trouble) = page.read((*left, top), (wide, high), false);
            if let Some(trouble) = trouble {
                return Err(trouble.error);
            }
            small.take(&part, (*left, top));
        }
    }
    Ok(finish(full, &small.finish(), &page.about))
}

/// Of a tiff that is not packed: all of it, or some of its rows.
fn rows_in_place(page: &TiffPage, most: u64) -> Result<Plan, PictureError> {
    let (width, height) = (page.width, page.height);
    let row_bytes = u64::from(width) * page.channels as u64 * page.kind.bytes() as u64;
    if row_bytes > MOST_BYTES / 4 {
        return Err(PictureError::TooLarge { width, height });
    }
    let size = fit((width, height), THUMBNAIL_SIDE);
    let plan = |high: u32, tops: Vec<u32>| Plan {
        size,
        part: (width, high),
        lefts: vec![0],
        tops,
    };
    if u64::from(width) * u64::from(height) <= most {
        let band = (BAND_PIXELS / width).max(1);
        return Ok(plan(band, starts(height, band, 1)));
    }
    let rows = u64::from(size.1 * ROWS_A_ROW).min(u64::from(height));
    let row = |number: u64| (number * 2 + 1) * u64::from(height) / (rows * 2);
    let tops = (0..rows).filter_map(|number| u32::try_from(row(number)).ok());
    Ok(plan(1, tops.collect()))
}

/// Of a tiff in packed strips or tiles: all of them, or every second, third or further one.
fn pieces(full: (u32, u32), (wide, high): (u32, u32), most: u64) -> Result<Plan, PictureError> {
    let (wide, high) = (wide.max(1), high.max(1));
    let (across, down) = (full.0.div_ceil(wide), full.1.div_ceil(high));
    let all = u64::from(across) * u64::from(down);
    let most = most / (u64::from(wide) * u64::from(high));
    let most = most.clamp(1, MOST_PIECES);
    let (mut step_across, mut step_down) = (1, 1);
    if all > most && across == 1 {
        step_down = u32::try_from(all.div_ceil(most)).unwrap_or(u32::MAX);
    } else if all > most {
        let mut step = 1_u32;
        while u64::from(across.div_ceil(step)) * u64::from(down.div_ceil(step)) > most {
            step += 1;
        }
        (step_across, step_down) = (step, step);
    }
    let lefts = starts(full.0, wide, step_across);
    let tops = starts(full.1, high, step_down);
    // Where pieces are left out, each pixel of the thumbnail stands for one that was not.
    let (mut width, mut height) = fit(full, THUMBNAIL_SIDE);
    if step_across > 1 {
        width = width.min(u32::try_from(lefts.len()).unwrap_or(width));
    }
    if step_down > 1 {
        height = height.min(u32::try_from(tops.len()).unwrap_or(height));
        if height < FEWEST_ROWS {
            return Err(PictureError::OnePiece);
        }
    }
    Ok(Plan {
        size: (width, height),
        part: (wide, high),
        lefts,
        tops,
    })
}

/// Where every so manieth piece begins.
fn starts(length: u32, piece: u32, every: u32) -> Vec<u32> {
    let step = u64::from(piece) * u64::from(every);
    let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
    (0..length).step_by(step).collect()
}

/// The small image in colors, bright as the image pane shows it. A single glaring pixel is a mean by now and does not turn
/// the rest black.
fn finish(full: (u32, u32), small: &Block, about: impl Into<String>) -> Thumbnail {
    let natural =
        (small.channels > 1 && small.values.kind() == Kind::Eight).then_some((0.0, 255.0));
    let mut stats = Stats::new(small.width as u64 * small.height as u64);
    stats.see(small);
    let range = stats.range(Brightness::Whole, natural);
    let rgba = small.to_rgba(range.low, range.high);
    let (pixels, _) = rgba.as_chunks::<4>();
    Thumbnail {
        width: u32::try_from(small.width).unwrap_or(0),
        height: u32::try_from(small.height).unwrap_or(0),
        rgb: pixels
            .iter()
            .flat_map(|[red, green, blue, _]| [*red, *green, *blue])
            .collect(),
        full,
        about: about.into(),
    }
}
