//! A file that several threads read at places of their own, and what was unpacked of it lately.

use crate::results::disk;
use crate::results::image::values::Block;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of unpacked strips and tiles kept.
const KEPT_BYTES: usize = 32 << 20;

/// A file read at places, without a shared position.
#[derive(Clone, Debug)]
pub(crate) struct FileAt {
    file: Arc<File>,
    at: u64,
}

impl FileAt {
    pub(crate) const fn new(file: Arc<File>) -> Self {
        Self { file, at: 0 }
    }
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = disk::read_at(&self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for FileAt {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// Unpacked strips and tiles, those used last.
#[derive(Default)]
pub(crate) struct Kept {
    blocks: BTreeMap<u32, (u64, Arc<Block>)>,
    bytes: usize,
    uses: u64,
}

fn bytes_of(block: &Block) -> usize {
    block.values.len() * block.values.kind().bytes()
}

impl Kept {
    pub(crate) fn get(&mut self, chunk: u32) -> Option<Arc<Block>> {
        self.uses += 1;
        let (used, block) = self.blocks.get_mut(&chunk)?;
        *used = self.uses;
        Some(Arc::clone(block))
    }

    pub(crate) fn put(&mut self, chunk: u32, block: Arc<Block>) {
        if bytes_of(&block) > KEPT_BYTES {
            return;
        }
        self.bytes += bytes_of(&block);
        self.blocks.insert(chunk, (self.uses, block));
        while self.bytes > KEPT_BYTES {
            let oldest = self.blocks.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(chunk, _)| *chunk) else {
                break;
            };
            if let Some((_, block)) = self.blocks.remove(&oldest) {
                self.bytes -= bytes_of(&block);
            }
        }
    }
}

/// A value behind a lock; a thread that broke down while it held it left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
