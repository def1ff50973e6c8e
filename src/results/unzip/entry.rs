//! One archive entry at a time: judged, unpacked under counted bytes, hashed, synced and named.
//!
//! It works inside the staging folder only.

use crate::model::artifact::UnpackedFile;
use crate::model::file::READ_BYTES;
use crate::model::numbering::first_free;
use crate::results::disk::{hex, is_disk_full};
use crate::results::names::{clean, fold, numbered};
use crate::results::unzip::staging::Staging;
use crate::results::unzip::{Limits, Problem, Trouble, Unpacked, UnzipError};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use zip::read::ZipFileEntry;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipReadOptions};

/// Folders within folders beyond this are nobody's results; some systems cannot even delete them.
const MAX_DEPTH: usize = 40;

/// Longest relative path, in bytes. Linux allows 4,096 for the whole path, the results folder included.
const MAX_PATH_BYTES: usize = 2_000;

/// Work on entries that are thrown away again may cost at most this many times what may be kept.
const WASTE: u64 = 4;

/// What stands under a folded relative path in the staging folder.
enum Taken {
    File,
    /// With the spelling it really has on disk.
    Folder(PathBuf),
}

pub(crate) struct Unpacking<'a> {
    staging: &'a Staging,
    limits: &'a Limits,
    packed_bytes: u64,
    meter: &'a dyn Fn(u64),
    cancelled: &'a dyn Fn() -> bool,
    unpacked: Unpacked,
    taken: BTreeMap<String, Taken>,
    /// Where the packed bytes of entries lie in the archive: first byte and the one behind the last.
    packed: BTreeMap<u64, u64>,
    kept_bytes: u64,
    /// Everything read out of entries, thrown away or not.
    worked_bytes: u64,
    block: Vec<u8>,
}

/// How copying one entry ended, when not in an error that stops everything.
enum Copied {
    Whole { size_bytes: u64, sha256: String },
    Bad(Trouble),
}

impl<'a> Unpacking<'a> {
    pub(crate) fn new(
        staging: &'a Staging,
        limits: &'a Limits,
        packed_bytes: u64,
        meter: &'a dyn Fn(u64),
        cancelled: &'a dyn Fn() -> bool,
    ) -> Self {
        Self {
            staging,
            limits,
            packed_bytes,
            meter,
            cancelled,
            unpacked: Unpacked::default(),
            taken: BTreeMap::new(),
            packed: BTreeMap::new(),
            kept_bytes: 0,
            worked_bytes: 0,
            block: vec![0; READ_BYTES],
        }
    }

    /// What was unpacked, and every folder made for it, relative, parents first.
    pub(crate) fn finish(self) -> (Unpacked, Vec<PathBuf>) {
        let folders = self.taken.into_values().filter_map(|taken| match taken {
            Taken::Folder(path) => Some(path),
            Taken::File => None,
        });
        (self.unpacked, folders.collect())
    }

    /// The list of entries itself is damaged from here on.
    pub(crate) fn lost_rest(&mut self, entries: u64, error: &ZipError) {
        self.report(
            format!("{entries} more entries"),
            Trouble::Damaged(error.to_string()),
        );
    }

    fn report(&mut self, name: String, what: Trouble) {
        self.unpacked.problems.push(Problem { name, what });
    }

    /// Unpacks one entry, or reports it. An error here ends the whole run.
    pub(crate) fn take(
        &mut self,
        entry: ZipFileEntry<'_>,
        bodies: &mut BufReader<File>,
    ) -> Result<(), UnzipError> {
        let name = entry
            .name()
            .unwrap_or_else(|_| String::from_utf8_lossy(entry.name_raw()))
            .into_owned();
        let parts = match judge(&entry, &name) {
            Ok(parts) => parts,
            Err(trouble) => {
                self.report(name, trouble);
                return Ok(());
            }
        };
        if entry.is_dir() {
            return self.folder(&parts).map(drop).map_err(UnzipError::disk);
        }
        let allowed = self.allowed_for(entry.compressed_size());
        let copied = match entry.with_reader(bodies, ZipReadOptions::new()) {
            Ok(body) if self.overlaps(body.data_start(), body.compressed_size()) => {
                Copied::Bad(Trouble::Overlapping)
            }
            Ok(mut body) => self.copy(&mut body, allowed)?,
            Err(error) => Copied::Bad(trouble_of(&error)),
        };
        match copied {
            Copied::Bad(trouble) => self.report(name, trouble),
            Copied::Whole { size_bytes, sha256 } => match self.place(&parts) {
                Ok(path) => {
                    self.kept_bytes += size_bytes;
                    self.unpacked.files.push(UnpackedFile {
                        path: slashed(&path),
                        original_name: name,
                        size_bytes,
                        sha256,
                    });
                }
                Err(error) if is_disk_full(&error) => return Err(UnzipError::DiskFull(error)),
                Err(error) => self.report(name, Trouble::Unwritable(error.to_string())),
            },
        }
        Ok(())
    }

    /// Whether packed bytes belong to an entry already: no honest archive has one piece twice, and a thousand entries over one
    /// piece are a bomb whose every entry looks harmless (Fifield, "A better zip bomb", 2019).
    fn overlaps(&mut self, start: Option<u64>, length: u64) -> bool {
        let Some(start) = start.filter(|_| length > 0) else {
            return false;
        };
        let end = start.saturating_add(length);
        let before = self.packed.range(..end).next_back();
        if before.is_some_and(|(_, end)| *end > start) {
            return true;
        }
        self.packed.insert(start, end);
        false
    }

    /// The largest unpacked size an entry of this packed size may have.
    fn allowed_for(&self, declared_packed_bytes: u64) -> u64 {
        declared_packed_bytes
            .min(self.packed_bytes)
            .saturating_mul(self.limits.max_ratio)
            .max(self.limits.ratio_free_bytes)
    }

    /// All files together may be no denser than one of them.
    fn allowed_in_all(&self) -> u64 {
        self.allowed_for(self.packed_bytes)
            .min(self.limits.max_total_bytes)
    }

    fn copy(&mut self, body: &mut dyn Read, allowed: u64) -> Result<Copied, UnzipError> {
        let in_all = self.allowed_in_all();
        if self.worked_bytes > in_all.saturating_mul(WASTE) {
            return Ok(Copied::Bad(Trouble::TooLarge));
        }
        let part = self.staging.part();
        let mut file = File::create(&part).map_err(UnzipError::disk)?;
        let mut hash = Sha256::new();
        let mut size_bytes = 0_u64;
        loop {
            if (self.cancelled)() {
                return Err(UnzipError::Cancelled);
            }
            let read = match body.read(&mut self.block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Copied::Bad(Trouble::Damaged(error.to_string()))),
            };
            size_bytes += read as u64;
            self.worked_bytes = self.worked_bytes.saturating_add(read as u64);
            if size_bytes > allowed {
                return Ok(Copied::Bad(Trouble::TooDense));
            }
            if self.kept_bytes + size_bytes > in_all {
                return Ok(Copied::Bad(Trouble::TooLarge));
            }
            let bytes = self.block.get(..read).unwrap_or_default();
            hash.update(bytes);
            file.write_all(bytes).map_err(UnzipError::disk)?;
            (self.meter)(read as u64);
        }
        file.sync_all().map_err(UnzipError::disk)?;
        Ok(Copied::Whole {
            size_bytes,
            sha256: hex(&hash.finalize()),
        })
    }

    /// Moves the finished part to its cleaned, unique place and tells the relative path.
    fn place(&mut self, parts: &[String]) -> io::Result<PathBuf> {
        let (last, parents) = parts.split_last().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = self.folder(parents)?;
        let tree = self.staging.tree();
        let mut trouble = None;
        let number = first_free(|number| {
            let relative = folder.join(numbered(last, number));
            // Asked of the disk as well: macOS also takes two spellings of one accented letter for the same name.
            self.taken.contains_key(&key(&relative))
                || is_there(&tree.join(&relative)).unwrap_or_else(|error| {
                    trouble = Some(error);
                    false
                })
        });
        if let Some(error) = trouble {
            return Err(error);
        }
        let relative = folder.join(numbered(last, number));
        fs::rename(self.staging.part(), tree.join(&relative))?;
        self.taken.insert(key(&relative), Taken::File);
        Ok(relative)
    }

    /// The real relative path of a folder, made with its parents when needed.
    fn folder(&mut self, parts: &[String]) -> io::Result<PathBuf> {
        let mut path = PathBuf::new();
        for part in parts {
            path = self.subfolder(&path, part)?;
        }
        Ok(path)
    }

    fn subfolder(&mut self, parent: &Path, name: &str) -> io::Result<PathBuf> {
        let mut number = 1;
        loop {
            let relative = parent.join(numbered(name, number));
            let key = key(&relative);
            match self.taken.get(&key) {
                Some(Taken::Folder(path)) => return Ok(path.clone()),
                Some(Taken::File) => number += 1,
                None => {
                    fs::create_dir(self.staging.tree().join(&relative))?;
                    self.taken.insert(key, Taken::Folder(relative.clone()));
                    return Ok(relative);
                }
            }
        }
    }
}

/// How two relative paths are compared. Every part is a cleaned name, so `/` stands only between them.
pub(crate) fn key(relative: &Path) -> String {
    fold(&slashed(relative))
}

/// A relative path as the model keeps it, with `/` on every system.
pub(crate) fn slashed(relative: &Path) -> String {
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The cleaned parts of the entry's path, or why it is not unpacked at all.
fn judge(entry: &ZipFileEntry<'_>, name: &str) -> Result<Vec<String>, Trouble> {
    if entry.is_symlink() {
        return Err(Trouble::Link);
    }
    if is_device(entry.unix_mode()) {
        return Err(Trouble::Device);
    }
    // Before the name, since a password hides everything but names.
    if entry.encrypted() && !entry.is_dir() {
        return Err(Trouble::Encrypted);
    }
    if let Some(method) = unknown_method(entry.compression()) {
        return Err(Trouble::UnknownMethod(method));
    }
    let parts = safe_parts(name).ok_or(Trouble::LeadsOutside)?;
    let length: usize = parts.iter().map(|part| part.len() + 1).sum();
    if parts.len() > MAX_DEPTH || length > MAX_PATH_BYTES {
        return Err(Trouble::Unwritable("its path is too long".to_owned()));
    }
    Ok(parts)
}

#[expect(
    deprecated,
    reason = "the package's named constants are these same values; only here is the number to be had"
)]
fn unknown_method(method: CompressionMethod) -> Option<u16> {
    match method {
        CompressionMethod::Unsupported(number) => Some(number),
        _ => None,
    }
}

/// Splits at both separators, since archives made on Windows hold backslashes; none for any name that starts at a root or
/// climbs, even if it would come back down: no honest archive has one.
fn safe_parts(name: &str) -> Option<Vec<String>> {
    let drive = name.as_bytes().get(1) == Some(&b':')
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if drive || name.starts_with(['/', '\\']) || name.contains('\0') {
        return None;
    }
    let mut parts = Vec::new();
    for part in name.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => return None,
            part => parts.push(clean(part)),
        }
    }
    (!parts.is_empty()).then_some(parts)
}

/// Pipes, devices and sockets by their Unix mode (`S_IFMT` of POSIX `sys/stat.h`).
fn is_device(unix_mode: Option<u32>) -> bool {
    matches!(
        unix_mode.unwrap_or(0) & 0o170_000,
        0o010_000 | 0o020_000 | 0o060_000 | 0o140_000
    )
}

fn trouble_of(error: &ZipError) -> Trouble {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            Trouble::Encrypted
        }
        ZipError::CompressionMethodNotSupported(method) => Trouble::UnknownMethod(*method),
        other => Trouble::Damaged(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
