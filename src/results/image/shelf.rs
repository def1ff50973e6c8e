//! Thumbnails between starts: small PNG files in a folder of our own, each named after what it was made from.
//!
//! The folder is a convenience: what cannot be written is not kept, what is damaged or gone is made again, and the oldest go
//! when there are too many.

use crate::model::thumbnail::{THUMBNAIL_SIDE, Thumbnail};
use crate::results::disk;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Part of every name, so that what another version made in another way is not taken for ours.
const VERSION: &[u8] = b"labferry thumbnail 1";

/// Most bytes of all files together.
const MOST_BYTES: u64 = 96 << 20;

/// What a file takes on a drive at least.
const SMALLEST: u64 = 4 << 10;

/// A larger one is not ours.
const LARGEST: u64 = 256 << 10;

/// The beginning of the names of files that are being written.
const PART: &str = ".labferry-";

/// Where the words on the image are in the PNG: its size by the names that desktops use for thumbnails, and what it is.
const WIDTH: &str = "Thumb::Image::Width";
const HEIGHT: &str = "Thumb::Image::Height";
const ABOUT: &str = "Description";

/// What tells one content of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    size_bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// Of a regular file as it is now; none for anything else.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
        Some(Self {
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// The folder.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    most_bytes: u64,
    /// Bytes in it; none before it was looked through.
    bytes: Option<u64>,
}

impl Shelf {
    /// A folder that nobody else writes into; it does not have to exist.
    pub const fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            most_bytes: MOST_BYTES,
            bytes: None,
        }
    }

    /// What was made of this content of this file.
    pub fn get(&self, path: &Path, stamp: Stamp) -> Option<Thumbnail> {
        let place = self.folder.join(name_of(path, stamp));
        let size = place.metadata().ok()?.len();
        if size > LARGEST {
            return None;
        }
        let thumbnail = read(&fs::read(place).ok()?);
        if thumbnail.is_none() {
            tracing::debug!("a thumbnail that was kept is damaged");
        }
        thumbnail
    }

    /// Keeps one, if it can.
    pub fn put(&mut self, path: &Path, stamp: Stamp, thumbnail: &Thumbnail) {
        if let Err(error) = self.try_put(path, stamp, thumbnail) {
            tracing::debug!(%error, "a thumbnail could not be kept");
        }
    }

    fn try_put(&mut self, path: &Path, stamp: Stamp, thumbnail: &Thumbnail) -> io::Result<()> {
        let bytes = written(thumbnail).map_err(io::Error::other)?;
        // Not brought to the drive at once: one that is lost with the power is made again.
        let mut part = tempfile::Builder::new()
            .prefix(PART)
            .suffix(".part")
            .tempfile_in(&self.folder)?;
        part.write_all(&bytes)?;
        part.persist(self.folder.join(name_of(path, stamp)))
            .map_err(|failure| failure.error)?;
        let before = match self.bytes {
            Some(before) => before + (bytes.len() as u64).max(SMALLEST),
            None => self.look_through()?.iter().map(|(_, size, _)| size).sum(),
        };
        self.bytes = Some(before);
        if before > self.most_bytes {
            self.make_room()?;
        }
        Ok(())
    }

    /// When each was written, the room it takes and where it is. What was never finished is removed.
    fn look_through(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if !metadata.is_file() {
                continue;
            }
            if entry.file_name().to_string_lossy().starts_with(PART) {
                fs::remove_file(entry.path())?;
                continue;
            }
            let written = metadata.modified().unwrap_or(UNIX_EPOCH);
            found.push((written, metadata.len().max(SMALLEST), entry.path()));
        }
        Ok(found)
    }

    /// Removes the oldest, until there is room for a good many.
    fn make_room(&mut self) -> io::Result<()> {
        let mut all = self.look_through()?;
        all.sort();
        let mut bytes = all.iter().map(|(_, size, _)| size).sum::<u64>();
        for (_, size, place) in all {
            if bytes <= self.most_bytes / 4 * 3 {
                break;
            }
            fs::remove_file(place)?;
            bytes -= size;
        }
        self.bytes = Some(bytes);
        Ok(())
    }
}

fn name_of(path: &Path, stamp: Stamp) -> String {
    let modified = stamp
        .modified
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .unwrap_or(Duration::MAX);
    let mut hash = Sha256::new();
    hash.update(VERSION);
    hash.update(stamp.size_bytes.to_le_bytes());
    hash.update(modified.as_secs().to_le_bytes());
    hash.update(modified.subsec_nanos().to_le_bytes());
    hash.update(path.as_os_str().as_encoded_bytes());
    format!("{}.png", disk::hex(&hash.finalize()))
}

fn written(thumbnail: &Thumbnail) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, thumbnail.width, thumbnail.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let (width, height) = thumbnail.full;
    encoder.add_text_chunk(WIDTH.to_owned(), width.to_string())?;
    encoder.add_text_chunk(HEIGHT.to_owned(), height.to_string())?;
    encoder.add_text_chunk(ABOUT.to_owned(), thumbnail.about.clone())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&thumbnail.rgb)?;
    writer.finish()?;
    Ok(bytes)
}

fn read(bytes: &[u8]) -> Option<Thumbnail> {
    let limits = png::Limits { bytes: 1 << 20 };
    let mut reader = png::Decoder::new_with_limits(Cursor::new(bytes), limits)
        .read_info()
        .ok()?;
    let (width, height) = reader.info().size();
    let is_ours = reader.output_color_type() == (png::ColorType::Rgb, png::BitDepth::Eight);
    if !is_ours || width.max(height) > THUMBNAIL_SIDE {
        return None;
    }
    let mut rgb = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut rgb).ok()?;
    reader.finish().ok()?;
    let words: BTreeMap<&str, &str> = reader
        .info()
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.as_str(), chunk.text.as_str()))
        .collect();
    Some(Thumbnail {
        width,
        height,
        rgb,
        full: (
            words.get(WIDTH)?.parse().ok()?,
            words.get(HEIGHT)?.parse().ok()?,
        ),
        about: (*words.get(ABOUT)?).to_owned(),
    })
}

/// Makes a file look as if it was written at another time.
#[cfg(test)]
pub(crate) fn date(path: &Path, at: SystemTime) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(at).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(gray: u8) -> Thumbnail {
        Thumbnail {
            width: 5,
            height: 3,
            rgb: vec![gray; 5 * 3 * 3],
            full: (20_000, 12_000),
            about: "16-bit gray".to_owned(),
        }
    }

    fn stamp(size_bytes: u64, second: u64) -> Stamp {
        Stamp {
            size_bytes,
            modified: UNIX_EPOCH.checked_add(Duration::from_secs(second)),
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    #[test]
    fn what_is_kept_comes_back_for_the_same_content_only() {
        let place = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::new(place.path().to_owned());
        let path = Path::new("/data/世界.tif");
        assert_eq!(shelf.get(path, stamp(9, 1)), None);
        shelf.put(path, stamp(9, 1), &small(7));
        let again = Shelf::new(place.path().to_owned());
        assert_eq!(again.get(path, stamp(9, 1)), Some(small(7)));
        assert_eq!(again.get(path, stamp(10, 1)), None, "another size");
        assert_eq!(again.get(path, stamp(9, 2)), None, "another time");
        assert_eq!(again.get(Path::new("/data/b.tif"), stamp(9, 1)), None);
    }

    #[test]
    fn a_damaged_file_is_none_and_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::new(place.path().to_owned());
        let path = Path::new("/data/a.tif");
        shelf.put(path, stamp(9, 1), &small(7));
        let kept = files(place.path()).remove(0);
        let good = fs::read(&kept).unwrap();
        for at in (0..good.len()).step_by(5) {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            disk::write_whole(
                place.path(),
                kept.file_name().unwrap().to_str().unwrap(),
                &bad,
            )
            .unwrap();
            let found = shelf.get(path, stamp(9, 1));
            assert!(found.is_none_or(|found| found == small(7)), "byte {at}");
            assert_eq!(read(&good[..at]), None, "cut at {at}");
        }
        shelf.put(path, stamp(9, 1), &small(8));
        assert_eq!(shelf.get(path, stamp(9, 1)), Some(small(8)));
    }

    #[test]
    fn the_oldest_go() {
        let place = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::new(place.path().to_owned());
        shelf.most_bytes = 20 * SMALLEST;
        fs::File::create(place.path().join(".labferry-left.part")).unwrap();
        let path = |number: u64| PathBuf::from(format!("/data/{number}.tif"));
        for number in 0..50 {
            shelf.put(&path(number), stamp(9, 1), &small(7));
            let kept = place.path().join(name_of(&path(number), stamp(9, 1)));
            date(&kept, UNIX_EPOCH + Duration::from_secs(number));
            assert!(files(place.path()).len() <= 20, "after {number}");
        }
        assert!(files(place.path()).len() >= 10);
        assert!(shelf.get(&path(49), stamp(9, 1)).is_some());
        assert!(shelf.get(&path(0), stamp(9, 1)).is_none());
        assert!(!place.path().join(".labferry-left.part").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_error() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a file");
        fs::File::create(&file).unwrap();
        let mut shelf = Shelf::new(file.join("below"));
        shelf.put(Path::new("/data/a.tif"), stamp(9, 1), &small(7));
        assert_eq!(shelf.get(Path::new("/data/a.tif"), stamp(9, 1)), None);
    }
}
