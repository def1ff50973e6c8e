//! The hidden folder beside the target where an archive is unpacked before anything gets its final place.
//!
//! Its name is the same for every run over one target, so that what a crash left behind is found and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) struct Staging {
    root: PathBuf,
    /// Set when the folder is known to be gone, so that leaving early is the only case cleaned up behind the caller's back.
    removed: bool,
}

impl Staging {
    /// An empty one, whatever an earlier run left.
    pub(crate) fn fresh(into: &Path) -> io::Result<Self> {
        let name = into.file_name().unwrap_or_default().to_string_lossy();
        let parent = match into.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        fs::create_dir_all(parent)?;
        let root = parent.join(format!(".{name}.unpacking"));
        match fs::symlink_metadata(&root) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&root)?,
            Ok(_) => fs::remove_file(&root)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let staging = Self {
            root,
            removed: false,
        };
        fs::create_dir(&staging.root)?;
        fs::create_dir(staging.tree())?;
        Ok(staging)
    }

    /// Whole files under their cleaned names.
    pub(crate) fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }

    /// The one file being written.
    pub(crate) fn part(&self) -> PathBuf {
        self.root.join("entry.part")
    }

    pub(crate) fn remove(mut self) -> io::Result<()> {
        self.removed = true;
        fs::remove_dir_all(&self.root)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.removed {
            // Leaving early: the error that made us leave is the one to tell, and the next run removes what stays.
            drop(fs::remove_dir_all(&self.root));
        }
    }
}
