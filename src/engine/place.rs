//! The folder of a batch as workers find it: perhaps gone with its drive, perhaps on a full one. Also the pretended full
//! drive of tests.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::store::folders;

/// Counts what the engine writes, and pretends once that the drive is full. Cloning gives the same counter.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    so_far: Arc<AtomicU64>,
    full_at: Option<u64>,
}

impl Writes {
    /// The drive is full at the write of this number, counted from 1, and never again. For tests.
    pub fn full_at(number: u64) -> Self {
        Self {
            full_at: Some(number),
            ..Self::default()
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.so_far.load(Ordering::SeqCst)
    }

    /// Something is about to be written.
    pub(super) fn next(&self) -> io::Result<()> {
        let number = self.so_far.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if self.full_at == Some(number) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// Whether the folder of a batch is there. It is made when the batch is sent and never again: a folder made anew where a
/// drive is missing would take results to the wrong drive.
pub(super) fn look_for(batch: &Path, doing: Doing) -> Result<()> {
    if batch.is_dir() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::FolderGone, doing).hint(format!("{} is not there", batch.display())))
}

/// Makes a folder below that of its batch, and those between them.
pub(super) fn make_below(batch: &Path, folder: &Path, doing: Doing) -> Result<()> {
    look_for(batch, doing)?;
    let below = folder
        .strip_prefix(batch)
        .map_err(|error| Error::new(ErrorKind::Internal, doing).caused_by(&error))?;
    let mut place = batch.to_path_buf();
    for part in below.components() {
        place.push(part);
        match std::fs::create_dir(&place) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(reason(Error::from_io(&error, doing), batch, 0)),
        }
    }
    Ok(())
}

/// The reason behind a failed write: its folder is gone, or so many bytes lack on its drive.
pub(super) fn reason(error: Error, batch: &Path, bytes: u64) -> Error {
    let doing = error.doing();
    match error.kind() {
        ErrorKind::LocalFile => look_for(batch, doing).err().unwrap_or(error),
        ErrorKind::DiskFull => {
            let free = folders::free_bytes(batch).unwrap_or_default();
            match bytes.saturating_sub(free) {
                0 => error,
                lack => error.hint(format!("It needs {} more", in_words(lack))),
            }
        }
        _ => error,
    }
}

/// A length in bytes for a person; never less than it is.
fn in_words(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in units {
        if bytes >= unit {
            let tenths = bytes.div_ceil(unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_below_its_batch_and_never_above() {
        let top = tempfile::tempdir().unwrap();
        let batch = top.path().join("mount").join("2026-11-21 Plate 7");
        let folder = batch.join("Imaging - Nuclei").join("masks");
        for _ in 0..2 {
            let gone = make_below(&batch, &folder, Doing::Download).unwrap_err();
            assert_eq!(gone.kind(), ErrorKind::FolderGone);
            assert!(!top.path().join("mount").exists());
        }
        std::fs::create_dir_all(&batch).unwrap();
        make_below(&batch, &folder, Doing::Download).unwrap();
        make_below(&batch, &folder, Doing::Download).unwrap();
        assert!(folder.is_dir());
    }

    #[test]
    fn a_failure_is_put_down_to_the_folder_only_when_that_is_gone() {
        let top = tempfile::tempdir().unwrap();
        let denied = || Error::new(ErrorKind::LocalFile, Doing::Download);
        let kept = reason(denied(), top.path(), 0);
        assert_eq!(kept.kind(), ErrorKind::LocalFile);
        let gone = reason(denied(), &top.path().join("gone"), 0);
        assert_eq!(gone.kind(), ErrorKind::FolderGone);
    }

    #[test]
    fn what_lacks_is_said() {
        for (bytes, said) in [
            (999, "999 B"),
            (3_200_000_000, "3.2 GB"),
            (3_200_000_001, "3.3 GB"),
            (1_000, "1.0 kB"),
        ] {
            assert_eq!(in_words(bytes), said);
        }
        let top = tempfile::tempdir().unwrap();
        let full = Error::new(ErrorKind::DiskFull, Doing::Download);
        let said = reason(full, top.path(), u64::MAX);
        let hint = said.failure().hint.clone().unwrap();
        assert!(hint.starts_with("It needs "), "{hint}");
    }

    #[test]
    fn the_pretended_drive_is_full_once() {
        let writes = Writes::full_at(2);
        assert!(writes.next().is_ok());
        assert!(writes.clone().next().is_err());
        assert!(writes.next().is_ok());
        assert_eq!(writes.count(), 3);
    }
}
