//! The room where thumbnails are made: one thread, one file at a time, always of the newest wish.
//!
//! It reads files and changes none. What it made is kept in bounded memory and in a folder of its own; a file that changed
//! since gets a new one.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::engine::thumbnails::memory::Memory;
use crate::model::thumbnail::Thumbnails;
use crate::results::image::shelf::{Shelf, Stamp};
use crate::results::image::thumbnail::make;
use crate::store::folders::make_private;

mod memory;

/// Most files of a wish: more are never on the screen. Fewer than are kept in memory, so that none of them is forgotten.
const MOST_WANTED: usize = 128;

/// The room, from outside.
#[derive(Debug)]
pub(super) struct ThumbnailRoom {
    shared: Arc<Shared>,
    /// Where they are kept between starts.
    folder: Option<PathBuf>,
    made: watch::Receiver<Arc<Thumbnails>>,
    /// Handed to the thread when it starts: at the first wish.
    teller: Option<watch::Sender<Arc<Thumbnails>>>,
}

/// What both sides see.
#[derive(Debug, Default)]
struct Shared {
    desired: Mutex<Desired>,
    wake: Condvar,
}

/// What is to be done.
#[derive(Debug, Default)]
struct Desired {
    /// Files that were not looked at yet.
    left: VecDeque<PathBuf>,
    /// The file that is looked at, and what ends that.
    current: Option<(PathBuf, Arc<AtomicBool>)>,
    closing: bool,
}

impl Shared {
    /// A thread that broke down while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Desired> {
        self.desired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next file; none at the end.
    fn next(&self) -> Option<(PathBuf, Arc<AtomicBool>)> {
        let mut desired = self.lock();
        desired.current = None;
        let mut desired = self
            .wake
            .wait_while(desired, |desired| {
                desired.left.is_empty() && !desired.closing
            })
            .unwrap_or_else(PoisonError::into_inner);
        if desired.closing {
            return None;
        }
        let path = desired.left.pop_front()?;
        let next = (path, Arc::default());
        desired.current = Some(next.clone());
        Some(next)
    }
}

impl ThumbnailRoom {
    /// An empty room. Thumbnails are kept below the folder of the cache, if there is one.
    pub(super) fn new(cache: Option<&Path>) -> Self {
        let (teller, made) = watch::channel(Arc::default());
        Self {
            shared: Arc::default(),
            folder: cache.map(|cache| cache.join("thumbnails")),
            made,
            teller: Some(teller),
        }
    }

    /// Makes these next, in this order; what is not among them is left, also in the middle.
    pub(super) fn want(&mut self, mut paths: Vec<PathBuf>) {
        paths.truncate(MOST_WANTED);
        let mut desired = self.shared.lock();
        // One that is still wanted goes on. It is looked at again afterwards, since it may have changed meanwhile.
        if let Some((current, stop)) = &desired.current
            && !paths.contains(current)
        {
            stop.store(true, Ordering::Relaxed);
        }
        let has_work = !paths.is_empty();
        desired.left = paths.into();
        drop(desired);
        self.shared.wake.notify_one();
        if has_work && let Some(teller) = self.teller.take() {
            self.start(teller);
        }
    }

    fn start(&self, teller: watch::Sender<Arc<Thumbnails>>) {
        let (shared, folder) = (Arc::clone(&self.shared), self.folder.clone());
        let started = std::thread::Builder::new()
            .name("labferry-thumbnails".to_owned())
            .spawn(move || work(&shared, folder, &teller));
        if let Err(error) = started {
            tracing::warn!(%error, "no thread for thumbnails");
        }
    }

    /// What there is.
    pub(super) fn made(&self) -> Arc<Thumbnails> {
        self.made.borrow().clone()
    }

    /// Waits until there is something else.
    pub(super) async fn changed(&mut self) {
        if self.made.changed().await.is_err() {
            // No thread, so there never will be.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for ThumbnailRoom {
    fn drop(&mut self) {
        let mut desired = self.shared.lock();
        desired.closing = true;
        if let Some((_, stop)) = &desired.current {
            stop.store(true, Ordering::Relaxed);
        }
        drop(desired);
        self.shared.wake.notify_one();
    }
}

fn work(shared: &Shared, folder: Option<PathBuf>, teller: &watch::Sender<Arc<Thumbnails>>) {
    let mut shelf = folder.map(|folder| {
        if let Err(error) = make_private(&folder) {
            tracing::debug!(%error, "thumbnails are not kept on the drive");
        }
        Shelf::new(folder)
    });
    let mut memory = Memory::default();
    while let Some((path, stop)) = shared.next() {
        if look_at(&path, &stop, &mut memory, shelf.as_mut()) {
            teller.send_replace(memory.published());
        }
    }
}

/// Sees that the thumbnail of a file is that of its present content; whether there is something new.
fn look_at(path: &Path, stop: &AtomicBool, memory: &mut Memory, shelf: Option<&mut Shelf>) -> bool {
    let Some(stamp) = Stamp::of(path) else {
        return memory.forget(path);
    };
    if memory.knows(path, stamp) {
        return false;
    }
    let kept = shelf.as_ref().and_then(|shelf| shelf.get(path, stamp));
    if let Some(thumbnail) = kept {
        return memory.put(path, stamp, Some(thumbnail));
    }
    let go_on = || !stop.load(Ordering::Relaxed);
    let thumbnail = make(path, &go_on);
    // What was left in the middle is not known to have none, and what changed meanwhile is looked at again.
    if !go_on() || Stamp::of(path) != Some(stamp) {
        return false;
    }
    if let (Some(shelf), Some(thumbnail)) = (shelf, &thumbnail) {
        shelf.put(path, stamp, thumbnail);
    }
    memory.put(path, stamp, thumbnail)
}

#[cfg(test)]
mod tests;
