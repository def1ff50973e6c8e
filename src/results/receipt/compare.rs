//! A results folder held against its receipt.
//!
//! What can be told without reading comes first: what is missing, extra or of another length. Then every file is read,
//! which can take hours and can be stopped.

use crate::model::folder::{Outcome, Unread};
use crate::model::meter::Meter;
use crate::results::fingerprint;
use crate::results::names::fold;
use crate::results::provenance;
use crate::results::receipt::{FileRecord, RECEIPT_NAME, read};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Files an operating system leaves in any folder it shows; nobody's results.
const SYSTEM_LITTER: [&str; 3] = [".ds_store", "thumbs.db", "desktop.ini"];

/// One file held against the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Relative to the folder, with `/`.
    pub path: String,
    pub outcome: Outcome,
}

/// A folder held against its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What is known of each file, sorted by path. Files that were not read are not among them.
    pub files: Vec<Checked>,
    /// What was left out, when it was stopped.
    pub unread: Option<Unread>,
}

/// A recorded file that has to be read.
struct ToRead<'a> {
    record: &'a FileRecord,
    path: PathBuf,
}

/// Holds every file of the folder against its receipt, sorted by path, however long it takes.
pub fn check(folder: &Path) -> io::Result<Vec<Checked>> {
    compare(folder, &Meter::default()).map(|compared| compared.files)
}

/// Holds every file of the folder against its receipt until the meter is stopped; it counts files and bytes.
///
/// Every recorded file is read through. Links are not followed. A file recorded twice is judged by its last record.
pub fn compare(folder: &Path, meter: &Meter) -> io::Result<Compared> {
    let receipt = read(folder)?;
    let recorded: BTreeMap<&str, &FileRecord> = receipt
        .files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut known = BTreeMap::new();
    let looked_through = look_through(folder, meter, |path, outcome| {
        if !recorded.contains_key(path.as_str()) {
            known.insert(path, outcome);
        }
    });
    let mut to_read = Vec::new();
    for (path, record) in recorded {
        match unread(folder, record) {
            Ok(path) => to_read.push(ToRead { record, path }),
            Err(outcome) => {
                known.insert(path.to_owned(), outcome);
            }
        }
    }
    let bytes = |left: &[ToRead<'_>]| left.iter().map(|file| file.record.size_bytes).sum::<u64>();
    meter.expect(bytes(&to_read));
    meter.expect_files(to_read.len() as u64);
    let mut done = 0;
    for file in &to_read {
        let Some(outcome) = read_through(file, meter) else {
            break;
        };
        known.insert(file.record.path.clone(), outcome);
        meter.add_file();
        done += 1;
    }
    let left = to_read.get(done..).unwrap_or_default();
    let unread = (!looked_through || !left.is_empty()).then(|| Unread {
        files: left.len(),
        bytes: bytes(left),
        looked_through,
    });
    let files = known.into_iter();
    let files = files.map(|(path, outcome)| Checked { path, outcome });
    Ok(Compared {
        files: files.collect(),
        unread,
    })
}

/// The place of a recorded file that has to be read, or what is known of it without.
fn unread(folder: &Path, record: &FileRecord) -> Result<PathBuf, Outcome> {
    let path = inside(folder, &record.path).ok_or(Outcome::Unreadable)?;
    match fs::symlink_metadata(&path) {
        Ok(meta) if !meta.is_file() => Err(Outcome::Unreadable),
        Ok(meta) if meta.len() != record.size_bytes => Err(Outcome::Changed),
        Ok(_) => Ok(path),
        Err(error) => Err(not_there(&error)),
    }
}

/// What a file's content says; none when it was stopped.
fn read_through(file: &ToRead<'_>, meter: &Meter) -> Option<Outcome> {
    if meter.is_stopped() {
        return None;
    }
    let before = meter.done_bytes();
    let whole = file.record.size_bytes;
    let hash = fingerprint::sha256(&file.path, &mut |done_bytes| {
        meter.restart_at(before.saturating_add(done_bytes.min(whole)));
        // One that grows while it is read is another one, however long it gets.
        done_bytes <= whole && !meter.is_stopped()
    });
    let outcome = match hash {
        Ok(Some(sha256)) if sha256.eq_ignore_ascii_case(&file.record.sha256) => Outcome::Same,
        Ok(None) if meter.is_stopped() => return None,
        Ok(_) => Outcome::Changed,
        Err(error) => not_there(&error),
    };
    meter.restart_at(before.saturating_add(whole));
    Some(outcome)
}

fn not_there(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Outcome::Missing,
        _ => Outcome::Unreadable,
    }
}

/// The place a recorded path means, or none when it leads out of the folder: a receipt is data, too.
fn inside(folder: &Path, relative: &str) -> Option<PathBuf> {
    let relative = Path::new(relative);
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let named = relative.components().next().is_some();
    (plain && named).then(|| folder.join(relative))
}

/// Names every file really there, as extra, and what cannot be listed, as unreadable. Whether it came to the end.
fn look_through(folder: &Path, meter: &Meter, mut tell: impl FnMut(String, Outcome)) -> bool {
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        if meter.is_stopped() {
            return false;
        }
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let path = with_slashes(folder, entry.path());
                if !is_ours_or_litter(&path) {
                    tell(path, Outcome::Extra);
                }
            }
            Err(error) => {
                let path = error.path().map(|path| with_slashes(folder, path));
                tell(path.unwrap_or_default(), Outcome::Unreadable);
            }
        }
    }
    true
}

fn is_ours_or_litter(path: &str) -> bool {
    let name = fold(path.rsplit('/').next().unwrap_or(path));
    path == RECEIPT_NAME
        || provenance::is_about_the_others(path)
        || SYSTEM_LITTER.contains(&name.as_str())
}

/// A path as the receipt writes it.
fn with_slashes(folder: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
