//! The receipt of a results folder: which files were fetched, from where, and how they were when they arrived.
//!
//! It is written beside the files it speaks of and can be checked on any computer at any later time.
//! Fetching files and naming them is not done here.

pub use crate::model::folder::Outcome;
use crate::results::disk::{self, fingerprint};
use crate::results::names::fold;
use crate::results::provenance::{self, JobRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use thiserror::Error;

/// The receipt's name inside a batch's results folder.
pub const RECEIPT_NAME: &str = "receipt.json";

/// The layout written by this version. A reader refuses a higher number instead of guessing.
pub const SCHEMA: u32 = 1;

/// Files an operating system leaves in any folder it shows; nobody's results.
const SYSTEM_LITTER: [&str; 3] = [".ds_store", "thumbs.db", "desktop.ini"];

/// Everything known about one batch's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Layout of this file, [`SCHEMA`].
    pub schema: u32,
    /// Version of Labferry that wrote it.
    pub labferry: String,
    /// The batch's name as the person gave it.
    pub batch: String,
    /// When the batch was made.
    pub created: Timestamp,
    /// What was sent.
    #[serde(default)]
    pub inputs: Vec<InputRecord>,
    /// What came back.
    #[serde(default)]
    pub files: Vec<FileRecord>,
    /// What ran, in the order made.
    #[serde(default)]
    pub jobs: Vec<JobRecord>,
    /// What Labferry last wrote about the files, by name: the SHA-256 of it, hexadecimal.
    #[serde(default)]
    pub beside: BTreeMap<String, String>,
}

/// A file on the person's disk that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRecord {
    /// File name alone.
    pub name: String,
    /// Whole path at the time of sending.
    pub path: String,
    pub size_bytes: u64,
    /// Last change as the file system told at the time of sending.
    pub modified: Option<Timestamp>,
    /// Hexadecimal; absent when the file was never read through.
    pub sha256: Option<String>,
}

/// A result file that was fetched or unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Relative to the folder of the receipt, with `/` between the parts on every system.
    pub path: String,
    /// The name the platform or the archive gave it.
    pub original_name: String,
    /// The job's label as shown in the job list.
    pub job: String,
    /// The connection's label.
    pub connection: String,
    pub platform: String,
    pub pipeline: String,
    /// The job's id at the platform.
    pub remote_id: String,
    pub size_bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    pub fetched_at: Timestamp,
    /// The archive it was unpacked from, by the archive's name.
    pub from_archive: Option<String>,
    /// Whether the platform stated this SHA-256, too.
    #[serde(default)]
    pub hash_given: bool,
}

/// Why a receipt could not be read or written.
#[derive(Debug, Error)]
pub enum ReceiptError {
    #[error("there is no receipt in this folder")]
    Missing,
    #[error("the receipt cannot be read or written")]
    Io(#[source] io::Error),
    #[error("the receipt is damaged")]
    Damaged(#[source] serde_json::Error),
    #[error(
        "the receipt was written by a newer Labferry (layout {found}, this one knows {SCHEMA})"
    )]
    Newer { found: u32 },
}

impl From<ReceiptError> for io::Error {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::Io(source) => source,
            ReceiptError::Missing => Self::new(io::ErrorKind::NotFound, error),
            ReceiptError::Damaged(_) | ReceiptError::Newer { .. } => {
                Self::new(io::ErrorKind::InvalidData, error)
            }
        }
    }
}

/// One file held against the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Relative to the folder, with `/`.
    pub path: String,
    pub outcome: Outcome,
}

/// Writes the receipt so that at every moment either the old or the new one is there whole.
pub(in crate::results) fn write(folder: &Path, receipt: &Receipt) -> Result<(), ReceiptError> {
    let mut text = serde_json::to_vec_pretty(receipt).map_err(ReceiptError::Damaged)?;
    text.push(b'\n');
    disk::write_whole(folder, RECEIPT_NAME, &text).map_err(ReceiptError::Io)
}

/// Reads the receipt of a results folder.
pub fn read(folder: &Path) -> Result<Receipt, ReceiptError> {
    /// Read first, so that a newer layout is told apart from damage.
    #[derive(Deserialize)]
    struct Layout {
        schema: u32,
    }
    let bytes = match fs::read(folder.join(RECEIPT_NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReceiptError::Missing),
        Err(error) => return Err(ReceiptError::Io(error)),
    };
    let layout: Layout = serde_json::from_slice(&bytes).map_err(ReceiptError::Damaged)?;
    if layout.schema > SCHEMA {
        return Err(ReceiptError::Newer {
            found: layout.schema,
        });
    }
    serde_json::from_slice(&bytes).map_err(ReceiptError::Damaged)
}

/// Holds every file of the folder against its receipt, sorted by path.
///
/// Every recorded file is read through. Links are not followed. A file recorded twice is judged by its last record.
pub fn check(folder: &Path) -> io::Result<Vec<Checked>> {
    let receipt = read(folder)?;
    let recorded: BTreeMap<&str, &FileRecord> = receipt
        .files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut checked = BTreeMap::new();
    for (path, file) in &recorded {
        checked.insert((*path).to_owned(), judge(folder, file));
    }
    for (path, outcome) in found(folder) {
        checked.entry(path).or_insert(outcome);
    }
    Ok(checked
        .into_iter()
        .map(|(path, outcome)| Checked { path, outcome })
        .collect())
}

fn judge(folder: &Path, file: &FileRecord) -> Outcome {
    let Some(path) = inside(folder, &file.path) else {
        return Outcome::Unreadable;
    };
    match fs::symlink_metadata(&path) {
        Ok(meta) if !meta.is_file() => return Outcome::Unreadable,
        Ok(meta) if meta.len() != file.size_bytes => return Outcome::Changed,
        Ok(_) => {}
        Err(error) if is_absence(&error) => return Outcome::Missing,
        Err(_) => return Outcome::Unreadable,
    }
    match fingerprint(&path) {
        Ok((_, sha256)) if sha256.eq_ignore_ascii_case(&file.sha256) => Outcome::Same,
        Ok(_) => Outcome::Changed,
        Err(error) if is_absence(&error) => Outcome::Missing,
        Err(_) => Outcome::Unreadable,
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
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

/// Every file really there, as extra; what cannot be listed, as unreadable.
fn found(folder: &Path) -> Vec<(String, Outcome)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let path = with_slashes(folder, entry.path());
                if !is_ours_or_litter(&path) {
                    found.push((path, Outcome::Extra));
                }
            }
            Err(error) => {
                let path = error.path().map(|path| with_slashes(folder, path));
                found.push((path.unwrap_or_default(), Outcome::Unreadable));
            }
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use crate::results::disk::fingerprint;
    use crate::results::receipt::{
        Checked, FileRecord, InputRecord, Outcome, RECEIPT_NAME, Receipt, ReceiptError, SCHEMA,
        check, read, write,
    };
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    fn put(folder: &Path, name: &str, bytes: &[u8]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), bytes).unwrap();
    }

    fn record(folder: &Path, name: &str) -> FileRecord {
        let (size_bytes, sha256) = fingerprint(&folder.join(name)).unwrap();
        FileRecord {
            path: name.to_owned(),
            original_name: name.to_owned(),
            job: "Nuclei count".to_owned(),
            connection: "Imaging core".to_owned(),
            platform: "biodock".to_owned(),
            pipeline: "Nuclei count".to_owned(),
            remote_id: "65f0".to_owned(),
            size_bytes,
            sha256,
            fetched_at: "2026-11-20T14:00:00Z".parse().unwrap(),
            from_archive: None,
            hash_given: false,
        }
    }

    fn receipt(files: Vec<FileRecord>) -> Receipt {
        Receipt {
            schema: SCHEMA,
            labferry: "0.1.0".to_owned(),
            batch: "Plate 7".to_owned(),
            created: "2026-11-20T13:00:00Z".parse().unwrap(),
            inputs: vec![InputRecord {
                name: "a.tif".to_owned(),
                path: "/data/a.tif".to_owned(),
                size_bytes: 3,
                modified: None,
                sha256: None,
            }],
            files,
            jobs: Vec::new(),
            beside: BTreeMap::new(),
        }
    }

    fn outcomes(checked: &[Checked]) -> Vec<(&str, Outcome)> {
        checked
            .iter()
            .map(|c| (c.path.as_str(), c.outcome))
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "世界 #1.csv", b"a,b\n");
        let first = receipt(vec![record(folder.path(), "世界 #1.csv")]);
        write(folder.path(), &first).unwrap();
        write(folder.path(), &first).unwrap();
        assert_eq!(read(folder.path()).unwrap(), first);
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "no temporary file stays: {names:?}");
    }

    #[test]
    fn every_outcome_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "same.csv",
            "sub/flipped.csv",
            "longer.csv",
            "gone.csv",
            "folder.csv",
        ] {
            put(root, name, b"a,b\n1,2\n");
        }
        let names = [
            "same.csv",
            "sub/flipped.csv",
            "longer.csv",
            "gone.csv",
            "folder.csv",
        ];
        let mut files: Vec<_> = names.iter().map(|name| record(root, name)).collect();
        let mut outside = files[0].clone();
        outside.path = "../elsewhere.csv".to_owned();
        files.push(outside);
        write(root, &receipt(files)).unwrap();
        put(root, "sub/flipped.csv", b"a,b\n1,3\n");
        put(root, "longer.csv", b"a,b\n1,2\n\n");
        fs::remove_file(root.join("gone.csv")).unwrap();
        fs::remove_file(root.join("folder.csv")).unwrap();
        fs::create_dir(root.join("folder.csv")).unwrap();
        put(root, "sub/new.csv", b"");
        put(root, "half.csv.part", b"a");
        put(root, "sub/Thumbs.db", b"a");
        let checked = check(root).unwrap();
        assert_eq!(
            outcomes(&checked),
            [
                ("../elsewhere.csv", Outcome::Unreadable),
                ("folder.csv", Outcome::Unreadable),
                ("gone.csv", Outcome::Missing),
                ("half.csv.part", Outcome::Extra),
                ("longer.csv", Outcome::Changed),
                ("same.csv", Outcome::Same),
                ("sub/flipped.csv", Outcome::Changed),
                ("sub/new.csv", Outcome::Extra),
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a.csv", b"1");
        put(folder.path(), "b.csv", b"1");
        write(
            folder.path(),
            &receipt(vec![record(folder.path(), "a.csv")]),
        )
        .unwrap();
        fs::remove_file(folder.path().join("a.csv")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("b.csv"), folder.path().join("a.csv"))
            .unwrap();
        let checked = check(folder.path()).unwrap();
        assert_eq!(
            outcomes(&checked),
            [("a.csv", Outcome::Unreadable), ("b.csv", Outcome::Extra)]
        );
    }

    #[test]
    fn missing_damaged_and_newer_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(ReceiptError::Missing)));
        assert_eq!(
            check(folder.path()).unwrap_err().kind(),
            std::io::ErrorKind::NotFound
        );
        put(folder.path(), RECEIPT_NAME, b"{\"schema\": 1");
        assert!(matches!(read(folder.path()), Err(ReceiptError::Damaged(_))));
        put(
            folder.path(),
            RECEIPT_NAME,
            b"{\"schema\": 9, \"shape\": []}",
        );
        assert!(matches!(
            read(folder.path()),
            Err(ReceiptError::Newer { found: 9 })
        ));
    }
}
