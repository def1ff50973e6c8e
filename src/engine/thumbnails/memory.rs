//! The thumbnails in memory, those wanted last.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::model::thumbnail::{Thumbnail, Thumbnails};
use crate::results::image::shelf::Stamp;

/// Files that are remembered: at 48 KiB each, at most 12 MiB.
const MOST: usize = 256;

/// What is known of a file.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    used: u64,
}

/// What is known, with those that have no thumbnail.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: BTreeMap<Arc<Path>, Known>,
    thumbnails: Arc<Thumbnails>,
    uses: u64,
}

impl Memory {
    /// Whether this content of a file was looked at. It counts as used.
    pub(super) fn knows(&mut self, path: &Path, stamp: Stamp) -> bool {
        self.uses += 1;
        match self.known.get_mut(path) {
            Some(known) if known.stamp == stamp => {
                known.used = self.uses;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Remembers what was made of a file; whether that changes what is published.
    pub(super) fn put(&mut self, path: &Path, stamp: Stamp, thumbnail: Option<Thumbnail>) -> bool {
        self.uses += 1;
        let used = self.uses;
        let path: Arc<Path> = path.into();
        self.known.insert(Arc::clone(&path), Known { stamp, used });
        let mut changes = match thumbnail {
            Some(thumbnail) => {
                let by_file = &mut Arc::make_mut(&mut self.thumbnails).by_file;
                by_file.insert(path, Arc::new(thumbnail));
                true
            }
            None => self.hide(&path),
        };
        while self.known.len() > MOST {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.used);
            let Some(oldest) = oldest.map(|(path, _)| Arc::clone(path)) else {
                break;
            };
            changes |= self.forget(&oldest);
        }
        changes
    }

    /// Forgets a file; whether that changes what is published.
    pub(super) fn forget(&mut self, path: &Path) -> bool {
        self.known.remove(path);
        self.hide(path)
    }

    fn hide(&mut self, path: &Path) -> bool {
        self.thumbnails.by_file.contains_key(path)
            && Arc::make_mut(&mut self.thumbnails)
                .by_file
                .remove(path)
                .is_some()
    }

    /// All thumbnails, shared until one comes or goes.
    pub(super) fn published(&self) -> Arc<Thumbnails> {
        Arc::clone(&self.thumbnails)
    }
}
