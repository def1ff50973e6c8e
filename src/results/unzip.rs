//! Unpacking an archive that may be damaged or hostile into a folder, and saying exactly what was unpacked.
//!
//! Sizes an archive declares are never trusted; every byte is counted as it comes. Nothing is written outside the folder,
//! nothing is overwritten, and running it again over a half-done earlier run ends in the same files. One bad entry is
//! reported and the others kept. Where the archive came from and what is done with its files is for the caller.

mod entry;
mod settle;
mod staging;

use crate::model::artifact::UnpackedFile;
use crate::results::disk::is_disk_full;
use crate::results::unzip::entry::Unpacking;
use crate::results::unzip::settle::settle;
use crate::results::unzip::staging::Staging;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use thiserror::Error;
use zip::read::Config;
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

/// Bounds on what an archive may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries in the archive, folders included; with more the archive is refused.
    pub max_entries: u64,
    /// All files together, unpacked.
    pub max_total_bytes: u64,
    /// How many times larger than its packed form an entry may become.
    pub max_ratio: u64,
    /// Up to this unpacked size the ratio is not looked at: an empty label image packs a thousand to one, too.
    pub ratio_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entries: 200_000,
            max_total_bytes: 512 << 30,
            max_ratio: 300,
            ratio_free_bytes: 512 << 20,
        }
    }
}

/// What came out of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unpacked {
    /// In the archive's order, paths relative to the folder unpacked into.
    pub files: Vec<UnpackedFile>,
    /// Entries that were left out, in the archive's order.
    pub problems: Vec<Problem>,
}

/// One entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The whole name inside the archive, as it was.
    pub name: String,
    pub what: Trouble,
}

/// Why an entry was left out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    #[error("its name leads out of the folder")]
    LeadsOutside,
    #[error("it is a link, not a file")]
    Link,
    #[error("it is a device, not a file")]
    Device,
    #[error("it is protected by a password")]
    Encrypted,
    #[error("it is packed with method {0}, which Labferry does not know")]
    UnknownMethod(u16),
    #[error("it is damaged ({0})")]
    Damaged(String),
    #[error("it shares its bytes with another entry")]
    Overlapping,
    #[error("it unpacks to far more than its packed size allows")]
    TooDense,
    #[error("with it the archive would unpack to more than is allowed")]
    TooLarge,
    #[error("it could not be written ({0})")]
    Unwritable(String),
}

/// Why nothing more could be unpacked. What earlier runs unpacked stays; nothing half-written does.
#[derive(Debug, Error)]
pub enum UnzipError {
    #[error("this is not a readable zip archive")]
    NotAnArchive(#[source] ZipError),
    #[error("the archive has {found} entries, more than the {allowed} allowed")]
    TooManyEntries { found: u64, allowed: u64 },
    #[error("the disk is full")]
    DiskFull(#[source] io::Error),
    #[error("unpacking was stopped")]
    Cancelled,
    #[error("the archive could not be unpacked")]
    Io(#[from] io::Error),
}

impl UnzipError {
    /// Tells a full disk apart from everything else that can go wrong with a disk.
    fn disk(error: io::Error) -> Self {
        if is_disk_full(&error) {
            Self::DiskFull(error)
        } else {
            Self::Io(error)
        }
    }
}

/// Unpacks `archive` into the folder `into`, which is made when it is not there.
///
/// Everything is first unpacked into a hidden folder beside `into` and moved when the archive has been read to its end.
/// A file already in `into` under the same name is left alone: when its content is the same it counts as unpacked,
/// otherwise the new one gets a ` (2)`. `meter` hears of unpacked bytes as they come, `cancelled` is asked between blocks.
pub fn unpack(
    archive: &Path,
    into: &Path,
    limits: &Limits,
    meter: &dyn Fn(u64),
    cancelled: &dyn Fn() -> bool,
) -> Result<Unpacked, UnzipError> {
    let packed_bytes = archive.metadata()?.len();
    let open = || io::Result::Ok(BufReader::with_capacity(1 << 16, File::open(archive)?));
    let mut directory = ZipIterable::try_new(open()?, Config::default()).map_err(not_an_archive)?;
    let found = directory.len() as u64;
    if found > limits.max_entries {
        return Err(UnzipError::TooManyEntries {
            found,
            allowed: limits.max_entries,
        });
    }
    let staging = Staging::fresh(into).map_err(UnzipError::disk)?;
    let mut unpacking = Unpacking::new(&staging, limits, packed_bytes, meter, cancelled);
    let mut bodies = open()?;
    let mut expected = found;
    for entry in directory.files().map_err(not_an_archive)? {
        if cancelled() {
            return Err(UnzipError::Cancelled);
        }
        match entry {
            Ok(entry) => unpacking.take(entry, &mut bodies)?,
            Err(error) => {
                unpacking.lost_rest(expected, &error);
                break;
            }
        }
        expected -= 1;
    }
    let (mut unpacked, folders) = unpacking.finish();
    settle(&staging, into, &mut unpacked, &folders).map_err(UnzipError::disk)?;
    staging.remove()?;
    Ok(unpacked)
}

fn not_an_archive(error: ZipError) -> UnzipError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            UnzipError::Io(error)
        }
        other => UnzipError::NotAnArchive(other),
    }
}

#[cfg(test)]
mod tests;
