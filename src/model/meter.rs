//! Counting bytes while they move, without locking anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between the worker that moves bytes and the dispatcher that shows them. Cloning shares the counters.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    done_bytes: AtomicU64,
    total_bytes: AtomicU64,
    moved_bytes: AtomicU64,
    done_files: AtomicU64,
    total_files: AtomicU64,
    stopped: AtomicBool,
    stopped_for_good: AtomicBool,
}

impl Meter {
    /// Says how many bytes there are in all; 0 means unknown.
    pub fn expect(&self, total_bytes: u64) {
        self.0.total_bytes.store(total_bytes, Ordering::Relaxed);
    }

    /// Adds bytes that have just moved.
    pub fn add(&self, bytes: u64) {
        self.0.done_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.moved_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back bytes of a part that has to be sent again; that they moved stays counted.
    pub fn take_back(&self, bytes: u64) {
        let less = |done: u64| Some(done.saturating_sub(bytes));
        let _before = self
            .0
            .done_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Sets how far the file is: a continued download starts behind zero, a repeated one starts again.
    pub fn restart_at(&self, done_bytes: u64) {
        self.0.done_bytes.store(done_bytes, Ordering::Relaxed);
    }

    /// Bytes of the file that are through.
    pub fn done_bytes(&self) -> u64 {
        self.0.done_bytes.load(Ordering::Relaxed)
    }

    /// Bytes in all; 0 when unknown.
    pub fn total_bytes(&self) -> u64 {
        self.0.total_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that went over the wire since the meter was made; never goes back.
    pub fn moved_bytes(&self) -> u64 {
        self.0.moved_bytes.load(Ordering::Relaxed)
    }

    /// Says how many files the bytes are in.
    pub fn expect_files(&self, total_files: u64) {
        self.0.total_files.store(total_files, Ordering::Relaxed);
    }

    /// Counts a file that is through.
    pub fn add_file(&self) {
        self.0.done_files.fetch_add(1, Ordering::Relaxed);
    }

    /// Files that are through.
    pub fn done_files(&self) -> u64 {
        self.0.done_files.load(Ordering::Relaxed)
    }

    /// Files in all; 0 when unknown.
    pub fn total_files(&self) -> u64 {
        self.0.total_files.load(Ordering::Relaxed)
    }

    /// Asks whoever moves the bytes to stop at the next block.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// The same, and nobody will go on with it: what is half there at the platform is to be removed.
    pub fn stop_for_good(&self) {
        self.0.stopped_for_good.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether nobody will go on with it.
    pub fn is_stopped_for_good(&self) -> bool {
        self.0.stopped_for_good.load(Ordering::Relaxed)
    }

    /// Whether somebody asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }
}
