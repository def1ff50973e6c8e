//! The small levels of a pyramid, in files without a name.

use crate::results::disk;
use crate::results::image::values::{Block, Kind, Values};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// One level, filled from its top.
#[derive(Debug)]
pub(crate) struct StoredLevel {
    width: u32,
    height: u32,
    channels: usize,
    kind: Kind,
    file: File,
    rows: AtomicU32,
}

impl StoredLevel {
    pub(crate) fn new(
        scratch: &Path,
        (width, height): (u32, u32),
        (channels, kind): (usize, Kind),
    ) -> io::Result<Self> {
        Ok(Self {
            width,
            height,
            channels,
            kind,
            file: tempfile::tempfile_in(scratch)?,
            rows: AtomicU32::new(0),
        })
    }

    /// Writes further rows. There is one writer.
    fn append(&self, block: &Block) -> io::Result<()> {
        match &block.values {
            Values::Eight(bytes) => (&self.file).write_all(bytes)?,
            wider => (&self.file).write_all(&wider.to_bytes())?,
        }
        let rows = u32::try_from(block.height).unwrap_or(0);
        self.rows.fetch_add(rows, Ordering::Release);
        Ok(())
    }

    /// A rectangle as far as it is filled, and whether that is all of it.
    pub(crate) fn read(
        &self,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
    ) -> io::Result<(Option<Block>, bool)> {
        let filled = self.rows.load(Ordering::Acquire).min(self.height);
        let rows = filled.saturating_sub(y).min(height);
        if rows == 0 {
            return Ok((None, false));
        }
        let pixel_bytes = self.channels * self.kind.bytes();
        let row_bytes = self.width as usize * pixel_bytes;
        let wanted = width as usize * pixel_bytes;
        let mut bytes = vec![0_u8; wanted * rows as usize];
        for (row, target) in (u64::from(y)..).zip(bytes.chunks_mut(wanted.max(1))) {
            let place = row * row_bytes as u64 + u64::from(x) * pixel_bytes as u64;
            disk::read_at(&self.file, target, place)?;
        }
        let block = Block {
            width: width as usize,
            height: rows as usize,
            channels: self.channels,
            values: Values::from_bytes(self.kind, bytes),
        };
        Ok((Some(block), rows == height))
    }
}

/// Takes an image from top to bottom and fills its levels.
pub(crate) struct Cascade<'a> {
    /// A row of each level that waits for the one below it.
    waiting: Vec<Option<Block>>,
    stored_from: u8,
    stored: &'a [StoredLevel],
}

impl<'a> Cascade<'a> {
    pub(crate) fn new(levels: u8, stored_from: u8, stored: &'a [StoredLevel]) -> Self {
        Self {
            waiting: vec![None; usize::from(levels)],
            stored_from,
            stored,
        }
    }

    /// Takes further rows of level 0.
    pub(crate) fn take(&mut self, band: Block, last: bool) -> io::Result<()> {
        let mut rows = band;
        let levels = self.waiting.len();
        for (level, waiting) in self.waiting.iter_mut().enumerate() {
            let place = level.checked_sub(usize::from(self.stored_from));
            if let Some(stored) = place.and_then(|place| self.stored.get(place)) {
                stored.append(&rows)?;
            }
            if level + 1 == levels {
                break;
            }
            if let Some(mut before) = waiting.take() {
                before.append(&rows);
                rows = before;
            }
            if rows.height % 2 == 1 && !last {
                let left = rows.height - 1;
                *waiting = Some(rows.part(0, left, rows.width, 1));
                rows = rows.part(0, 0, rows.width, left);
            }
            if rows.height == 0 {
                break;
            }
            rows = rows.halved();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::image_view::level_size;

    #[test]
    fn bands_of_any_height_give_the_same_levels() {
        let folder = tempfile::tempdir().unwrap();
        let mut random = fastrand::Rng::with_seed(11);
        let (width, height, levels) = (9_u32, 1003_u32, 6_u8);
        for _ in 0..20 {
            let whole = Block {
                width: width as usize,
                height: height as usize,
                channels: 1,
                values: Values::Eight((0..width * height).map(|_| random.u8(..)).collect()),
            };
            let stored: Vec<StoredLevel> = (1..levels)
                .map(|level| {
                    let size = level_size(width, height, level);
                    StoredLevel::new(folder.path(), size, (1, Kind::Eight)).unwrap()
                })
                .collect();
            let mut cascade = Cascade::new(levels, 1, &stored);
            let mut y = 0;
            while y < whole.height {
                let rows = random.usize(1..40).min(whole.height - y);
                let band = whole.part(0, y, whole.width, rows);
                y += rows;
                cascade.take(band, y == whole.height).unwrap();
            }
            let mut expected = whole;
            for level in &stored {
                expected = expected.halved();
                let size = (level.width, level.height);
                let (found, complete) = level.read((0, 0), size).unwrap();
                assert!(complete && found.as_ref() == Some(&expected), "{size:?}");
            }
        }
    }
}
