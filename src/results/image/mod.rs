//! Images for the preview pane: any part of one at any size, in bounded memory.
//!
//! A page is a pyramid of levels, each half as wide and high as the one before; level 0 is the file's own pixels. What is
//! near the file's size is read out of the file when it is looked at; the small levels are made once, from top to bottom,
//! and lie in files without a name. png and jpeg can only be unpacked whole, so all their levels lie there.
//! `thumbnail` makes a picture for a list of files, `shelf` keeps those between starts.
//! `view` puts together what a person sees of it, `crate::results::overlay` draws what lies over it.

pub mod open;
pub mod shelf;
pub mod thumbnail;
pub(crate) mod values;
pub mod view;

mod kept;
mod levels;
mod samples;
mod shrink;
mod source;
mod stats;
mod tiff;

use crate::model::image_view::{
    Brightness, TILE_SIDE, TileAt, ValueRange, level_count, level_size,
};
use crate::results::image::kept::lock;
use crate::results::image::levels::{Cascade, StoredLevel};
use crate::results::image::source::Source;
use crate::results::image::stats::Stats;
use crate::results::image::values::{Block, Kind};
use std::fs::{File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use thiserror::Error;

/// Images that have to be unpacked whole are not when they have more pixels: a gigabyte of memory for one look is too much.
const MAX_WHOLE_PIXELS: u64 = 250_000_000;

/// Larger pages are not believed.
const MAX_PIXELS: u64 = 1 << 34;

/// The first level of a tiff that is stored: those before are quickly made from the file.
const TIFF_STORED_FROM: u8 = 2;

/// Pages with fewer pixels are read at once; a rough picture before would only flicker.
const SMALL_PIXELS: u64 = 4 << 20;

/// Rows and columns of a rough picture.
const ROUGH_SIDE: u32 = 192;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    #[error("the image could not be read")]
    Io(#[from] io::Error),
    #[error(
        "the image has {width} × {height} pixels and is packed so that all of it would have to be in memory; up to 250 million pixels are shown, more in a TIFF of tiles or strips"
    )]
    TooLarge { width: u32, height: u32 },
    #[error("the image is stored in one packed piece that is too large to be read")]
    OnePiece,
    #[error("the image changed while it was open")]
    Changed,
    #[error("there is no room for a smaller copy of the image")]
    NoRoom(#[source] io::Error),
    #[error("this kind of image cannot be shown")]
    Unsupported(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the image is damaged")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An image file that is open.
#[derive(Clone, Debug)]
pub struct ImageFile {
    path: PathBuf,
    file: Arc<File>,
    stamp: Stamp,
}

/// What tells one content of a file from another.
type Stamp = (u64, Option<SystemTime>);

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.modified().ok())
}

/// Whether a file is still what was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    Same,
    Changed,
    Gone,
}

impl ImageFile {
    pub fn open(path: &Path) -> Result<Self, PictureError> {
        let file = File::open(path)?;
        let stamp = stamp(&file.metadata()?);
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            stamp,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether the file is still the same.
    pub fn state(&self) -> FileState {
        match self.path.metadata() {
            Ok(now) if stamp(&now) == self.stamp => FileState::Same,
            Ok(_) => FileState::Changed,
            Err(_gone_or_out_of_reach) => FileState::Gone,
        }
    }

    /// Whether it is gray, so that its values may be numbers of objects.
    pub(crate) fn has_one_channel(&self) -> bool {
        Source::open(&self.path, &self.file, 0).is_ok_and(|source| source.channels() == 1)
    }

    /// Reads the first page from top to bottom, some rows at a time.
    pub(crate) fn scan(
        &self,
        take: &mut dyn FnMut(&Block) -> ControlFlow<()>,
    ) -> Result<(), PictureError> {
        let source = Source::open(&self.path, &self.file, 0)?;
        let (width, height) = source.size();
        let reader = source.reader(&self.file)?;
        let mut y = 0;
        while y < height {
            let rows = reader.band().clamp(1, height - y);
            let (band, error) = reader.read((0, y), (width, rows));
            if let Some(error) = error {
                return Err(error.error);
            }
            if take(&band).is_break() {
                break;
            }
            y += rows;
        }
        Ok(())
    }

    /// One of its pages. Smaller copies go into files without a name in the folder `scratch`.
    pub fn page(&self, page: u32, scratch: &Path) -> Result<ImagePage, PictureError> {
        let source = Source::open(&self.path, &self.file, page)?;
        let (width, height) = source.size();
        if u64::from(width) * u64::from(height) > MAX_PIXELS || width == 0 || height == 0 {
            return Err(PictureError::TooLarge { width, height });
        }
        let (pages, more_pages) = source.pages(&self.file);
        let levels = level_count(width, height);
        let stored_from = if source.is_stored_whole() {
            0
        } else {
            TIFF_STORED_FROM
        };
        let stored = (stored_from..levels)
            .map(|level| {
                StoredLevel::new(
                    scratch,
                    level_size(width, height, level),
                    (source.channels(), source.kind()),
                )
            })
            .collect::<io::Result<Vec<_>>>()
            .map_err(PictureError::NoRoom)?;
        Ok(ImagePage {
            width,
            height,
            levels,
            page,
            pages,
            more_pages,
            about: source.about(),
            natural: (source.channels() > 1 && source.kind() == Kind::Eight)
                .then_some((0.0, 255.0)),
            stored_from,
            stored,
            stats: Mutex::new(Stats::new(u64::from(width) * u64::from(height))),
            rows_read: AtomicU32::new(0),
            is_read: AtomicBool::new(false),
            rough: Mutex::new(None),
            trouble: Mutex::new(None),
            file: Arc::clone(&self.file),
            source,
        })
    }
}

/// A page and its pyramid.
pub struct ImagePage {
    pub width: u32,
    pub height: u32,
    /// Levels of the pyramid.
    pub levels: u8,
    /// Its number, from 0.
    pub page: u32,
    pub pages: u32,
    /// Whether there are more than were counted.
    pub more_pages: bool,
    /// A few words, such as `16-bit gray`.
    pub about: String,
    /// What is black and white by itself, where the file says.
    natural: Option<(f32, f32)>,
    stored_from: u8,
    stored: Vec<StoredLevel>,
    stats: Mutex<Stats>,
    rows_read: AtomicU32,
    is_read: AtomicBool,
    rough: Mutex<Option<Block>>,
    trouble: Mutex<Option<String>>,
    file: Arc<File>,
    source: Source,
}

impl std::fmt::Debug for ImagePage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "ImagePage({} × {}, {})",
            self.width, self.height, self.about
        )
    }
}

impl ImagePage {
    /// Whether reading all of it takes no time worth showing.
    pub fn is_small(&self) -> bool {
        u64::from(self.width) * u64::from(self.height) <= SMALL_PIXELS
    }

    /// How far it has been read, from 0 to 100; none once it has.
    pub fn percent(&self) -> Option<u8> {
        if self.is_read.load(Ordering::Acquire) {
            return None;
        }
        let rows = u64::from(self.rows_read.load(Ordering::Acquire));
        let percent = rows * 100 / u64::from(self.height.max(1));
        Some(u8::try_from(percent).unwrap_or(99).min(99))
    }

    /// What is wrong with it, as far as it was read.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// What is black and what is white, by what has been read.
    pub fn range(&self, brightness: Brightness) -> ValueRange {
        lock(&self.stats).range(brightness, self.natural)
    }

    fn note(&self, error: &PictureError) {
        let mut trouble = lock(&self.trouble);
        if trouble.is_none() {
            tracing::info!(%error, "a part of an image cannot be read");
            *trouble = Some(match error {
                PictureError::Io(_) => {
                    "A part of this image could not be read. It is left black. Open it again to try once more"
                }
                _ => "A part of this image is damaged. It is left black",
            }.to_owned());
        }
    }

    /// A few rows of it, at once, to have something to show while all is read. None where that would take as long.
    pub fn look_roughly(&self) {
        if self.is_small() {
            return;
        }
        if let Some(rough) = self.source.rough(ROUGH_SIDE) {
            lock(&self.stats).see(&rough);
            *lock(&self.rough) = Some(rough);
        }
    }

    /// Reads all of it once, from top to bottom, and makes the small levels. Ends early when it shall not go on.
    pub fn read_all(&self, go_on: &dyn Fn() -> bool) -> Result<(), PictureError> {
        let reader = self.source.reader(&self.file)?;
        let mut cascade = Cascade::new(self.levels, self.stored_from, &self.stored);
        let (mut y, mut good) = (0, false);
        let mut trouble = None;
        while y < self.height {
            if !go_on() {
                return Ok(());
            }
            let rows = reader.band().clamp(1, self.height - y);
            let (band, error) = reader.read((0, y), (self.width, rows));
            good |= error.as_ref().is_none_or(|error| !error.is_total);
            if let Some(error) = error {
                self.note(&error.error);
                trouble.get_or_insert(error.error);
            }
            lock(&self.stats).see(&band);
            y += rows;
            cascade
                .take(band, y >= self.height)
                .map_err(PictureError::NoRoom)?;
            self.rows_read.store(y, Ordering::Release);
        }
        if let Some(trouble) = trouble.filter(|_| !good) {
            return Err(trouble);
        }
        self.source.forget();
        *lock(&self.rough) = None;
        self.is_read.store(true, Ordering::Release);
        Ok(())
    }

    /// The pixels of a tile, and whether all of them are there already; none where nothing is yet.
    pub(crate) fn tile(&self, at: TileAt) -> Option<(Block, bool)> {
        if at.level >= self.levels {
            return None;
        }
        let (level_width, level_height) = level_size(self.width, self.height, at.level);
        let x = at.column.checked_mul(TILE_SIDE)?;
        let y = at.row.checked_mul(TILE_SIDE)?;
        if x >= level_width || y >= level_height {
            return None;
        }
        let size = (
            (level_width - x).min(TILE_SIDE),
            (level_height - y).min(TILE_SIDE),
        );
        if let Some(place) = at.level.checked_sub(self.stored_from) {
            return match self.stored.get(usize::from(place))?.read((x, y), size) {
                Ok((block, complete)) => Some((block?, complete)),
                Err(error) => {
                    self.note(&PictureError::Io(error));
                    None
                }
            };
        }
        let corner = (x << at.level, y << at.level);
        let full = (
            (size.0 << at.level).min(self.width - corner.0),
            (size.1 << at.level).min(self.height - corner.1),
        );
        let (mut block, error) = self.source.read_kept(corner, full)?;
        if let Some(error) = error {
            self.note(&error.error);
        }
        for _ in 0..at.level {
            block = block.halved();
        }
        Some((block, true))
    }

    /// The whole image, small: the last level, or a rough picture of it.
    pub(crate) fn overview(&self) -> Option<Block> {
        let last = TileAt {
            level: self.levels.saturating_sub(1),
            column: 0,
            row: 0,
        };
        if self.percent().is_none() {
            return self.tile(last).map(|(block, _)| block);
        }
        lock(&self.rough).clone()
    }
}

#[cfg(test)]
mod tests;
