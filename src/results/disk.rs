//! Small things every part of `results` needs from the file system: hashing, syncing a folder, reading at a place.
//!
//! It decides nothing about names or formats.

use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::model::file::READ_BYTES;

/// One read of a table at a time; large enough that the system call does not show.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;

/// Lower-case hexadecimal, as `sha256sum` prints it.
pub(crate) fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        for half in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
    }
    text
}

/// Length and SHA-256 of a file's present content.
pub(crate) fn fingerprint(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0_u8; READ_BYTES];
    let mut size_bytes = 0_u64;
    loop {
        let read = match file.read(&mut block) {
            Ok(0) => return Ok((size_bytes, hex(&hash.finalize()))),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(block.get(..read).unwrap_or_default());
        size_bytes += read as u64;
    }
}

/// Makes a rename in this folder survive a power cut. Windows has no such call for folders.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// Writes a small file so that at every moment either the old or the new one is there whole.
pub(crate) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    appear(&folder.join(name), |file| file.write_all(bytes))
}

/// Writes a file that appears under its name when it is whole, in place of one that is there.
pub(crate) fn appear<T, E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let folder = path
        .parent()
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotADirectory))?;
    let mut part = tempfile::Builder::new()
        .prefix(".labferry-")
        .suffix(".part")
        .tempfile_in(folder)?;
    let written = write(part.as_file_mut())?;
    make_readable(part.as_file())?;
    part.as_file().sync_all()?;
    part.persist(path).map_err(|failure| failure.error)?;
    sync_folder(folder)?;
    Ok(written)
}

/// Temporary files are private to their maker; what is written is for whoever may read the folder.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the same signature on every system"
)]
fn make_readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// No room is its own case everywhere: it is the person's to solve and everything can go on afterwards.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Reads up to a whole buffer at an offset, without moving any shared file position. Short only at the end of the file.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_some_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// The first `limit` bytes of a file, or all of it when it is shorter.
pub(crate) fn head(path: &Path, limit: usize) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    let wanted = usize::try_from(size_bytes).unwrap_or(usize::MAX).min(limit);
    let mut head = vec![0_u8; wanted];
    let read = read_at(&file, &mut head, 0)?;
    head.truncate(read);
    Ok((head, size_bytes))
}
