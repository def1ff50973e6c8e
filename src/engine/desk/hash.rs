//! The hash of a file that cannot be shown, computed aside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::engine::desk::look::failed;
use crate::engine::desk::text::TELL_EVERY;
use crate::engine::desk::{Desk, Found};
use crate::model::preview::{FileHash, PreviewContent};
use crate::results::fingerprint;

/// Larger files are hashed when a person asks for it.
const MOST_UNASKED_BYTES: u64 = 1 << 30;

/// What stops the hashing under way, at the latest when the file is closed.
#[derive(Default)]
pub(super) struct Hashing {
    stop: Arc<AtomicBool>,
}

impl Drop for Hashing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Desk {
    /// Hashes a file that was opened and cannot be shown, unless that would take long.
    pub(super) fn hash_unasked(&mut self) {
        if let Some(PreviewContent::Other { size_bytes, .. }) =
            self.current.as_deref().map(|open| &open.content)
            && *size_bytes <= MOST_UNASKED_BYTES
        {
            self.hash_preview();
        }
    }

    /// Hashes the file that is open.
    pub(super) fn hash_preview(&mut self) {
        let Some(path) = self.current.as_ref().map(|open| open.path.clone()) else {
            return;
        };
        self.hashing = Hashing::default();
        let stop = Arc::clone(&self.hashing.stop);
        self.hashed(FileHash::Working { done_bytes: 0 });
        self.line().aside(move |line| {
            let mut told = Instant::now();
            let hash = fingerprint::sha256(&path, &mut |done_bytes| {
                if told.elapsed() >= TELL_EVERY {
                    told = Instant::now();
                    line.tell(Found::Hashed(FileHash::Working { done_bytes }));
                }
                !stop.load(Ordering::Relaxed)
            });
            Found::Hashed(match hash {
                Ok(Some(sha256)) => FileHash::Done(sha256),
                Ok(None) => FileHash::NotAsked,
                Err(error) => FileHash::Failed(failed(&error)),
            })
        });
    }

    /// Ends the hashing under way.
    pub(super) fn stop_hashing(&self) {
        self.hashing.stop.store(true, Ordering::Relaxed);
    }

    /// Shows how far the hash is.
    pub(super) fn hashed(&mut self, hash: FileHash) {
        let Some(open) = self.current.clone() else {
            return;
        };
        if let PreviewContent::Other {
            size_bytes, kind, ..
        } = &open.content
        {
            let content = PreviewContent::Other {
                size_bytes: *size_bytes,
                kind: kind.clone(),
                hash,
            };
            self.show(open.path.clone(), content);
        }
    }
}
