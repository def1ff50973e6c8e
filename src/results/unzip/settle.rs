//! Moving a finished staging tree to where it belongs, without overwriting anything and so that it can be done again.

use crate::model::artifact::UnpackedFile;
use crate::results::disk::{fingerprint, sync_folder};
use crate::results::names::{fold, numbered};
use crate::results::unzip::Unpacked;
use crate::results::unzip::entry::{key, slashed};
use crate::results::unzip::staging::Staging;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Moves file by file, also where nothing is yet: renaming the whole tree would take the place of an empty folder that a
/// download beside it has just made, and the download would end in a folder that is no more.
pub(crate) fn settle(
    staging: &Staging,
    into: &Path,
    unpacked: &mut Unpacked,
    folders: &[PathBuf],
) -> io::Result<()> {
    for folder in folders {
        sync_folder(&staging.tree().join(folder))?;
    }
    sync_folder(&staging.tree())?;
    match fs::create_dir(into) {
        Ok(()) => {
            let parent = into
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            sync_folder(parent.unwrap_or(Path::new(".")))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    merge(staging, into, unpacked, folders)
}

fn merge(
    staging: &Staging,
    into: &Path,
    unpacked: &mut Unpacked,
    folders: &[PathBuf],
) -> io::Result<()> {
    let mut target = Target::new(into);
    for folder in folders {
        target.folder(folder)?;
    }
    for file in &mut unpacked.files {
        let relative = target.take(&staging.tree().join(&file.path), file)?;
        file.path = slashed(&relative);
    }
    target.sync()
}

/// The folder unpacked into, with what is already there.
struct Target<'a> {
    into: &'a Path,
    /// Staged folders (folded) and the folder each became. The root became itself.
    folders: BTreeMap<String, PathBuf>,
    /// Names present in each real folder: folded → as spelled.
    names: BTreeMap<PathBuf, BTreeMap<String, String>>,
    /// Files already answered for in this run: two equal entries are two files.
    claimed: BTreeSet<PathBuf>,
}

impl<'a> Target<'a> {
    fn new(into: &'a Path) -> Self {
        Self {
            into,
            folders: BTreeMap::from([(String::new(), PathBuf::new())]),
            names: BTreeMap::new(),
            claimed: BTreeSet::new(),
        }
    }

    /// What stands in one real folder, read from disk once.
    fn listing(&mut self, folder: &Path) -> io::Result<&mut BTreeMap<String, String>> {
        if !self.names.contains_key(folder) {
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(self.into.join(folder))? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                names.insert(fold(&name), name);
            }
            self.names.insert(folder.to_owned(), names);
        }
        self.names
            .get_mut(folder)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The real folder a staged one belongs to. A link there is never followed, and a file never replaced: both mean ` (2)`.
    fn folder(&mut self, staged: &Path) -> io::Result<PathBuf> {
        let key = key(staged);
        if let Some(known) = self.folders.get(&key) {
            return Ok(known.clone());
        }
        let parent = self.folder(staged.parent().unwrap_or(Path::new("")))?;
        let name = last_name(staged);
        let mut number = 1;
        let real = loop {
            let candidate = numbered(&name, number);
            let spelled = self.listing(&parent)?.get(&fold(&candidate)).cloned();
            let real = parent.join(spelled.as_ref().unwrap_or(&candidate));
            if spelled.is_none() {
                fs::create_dir(self.into.join(&real))?;
                self.listing(&parent)?.insert(fold(&candidate), candidate);
                break real;
            }
            if fs::symlink_metadata(self.into.join(&real))?.is_dir() {
                break real;
            }
            number += 1;
        };
        self.folders.insert(key, real.clone());
        Ok(real)
    }

    /// Moves one staged file in, unless it is already there with the same content.
    fn take(&mut self, staged: &Path, file: &UnpackedFile) -> io::Result<PathBuf> {
        let wanted = Path::new(&file.path);
        let parent = self.folder(wanted.parent().unwrap_or(Path::new("")))?;
        let name = last_name(wanted);
        let mut number = 1;
        loop {
            let candidate = numbered(&name, number);
            let relative = parent.join(&candidate);
            let target = self.into.join(&relative);
            let claimed = self.claimed.contains(&relative);
            let names = self.listing(&parent)?;
            let present = match names.get(&fold(&candidate)) {
                None => {
                    names.insert(fold(&candidate), candidate);
                    fs::rename(staged, target)?;
                    true
                }
                Some(spelled) => *spelled == candidate && !claimed && is_same(&target, file)?,
            };
            if present {
                self.claimed.insert(relative.clone());
                return Ok(relative);
            }
            number += 1;
        }
    }

    fn sync(&self) -> io::Result<()> {
        for folder in self.names.keys() {
            sync_folder(&self.into.join(folder))?;
        }
        Ok(())
    }
}

fn last_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_same(present: &Path, file: &UnpackedFile) -> io::Result<bool> {
    let meta = fs::symlink_metadata(present)?;
    if !meta.is_file() || meta.len() != file.size_bytes {
        return Ok(false);
    }
    Ok(fingerprint(present)?.1 == file.sha256)
}
