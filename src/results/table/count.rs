//! Counting a table: one thread reads blocks ahead, or unpacks them, while another finds the rows in them.
//!
//! Reading costs more than looking (0.10 of 0.17 s for a gigabyte in the page cache), so two threads take as long as one of
//! them.

use crate::results::disk::{BLOCK_BYTES, read_at};
use crate::results::table::TableError;
use crate::results::table::source::Feed;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, scope};

/// Blocks on their way at once.
const BLOCKS_AHEAD: usize = 3;

/// What comes from the reading thread.
type Block = Result<Vec<u8>, TableError>;

/// Shows all blocks of a file from a place on, and an empty one at the end, until `look` has seen enough. What is still to
/// be unpacked is, on the way.
pub(crate) fn each_block(
    file: &File,
    feed: Option<&mut Feed>,
    from: u64,
    mut look: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), TableError> {
    scope(|threads| {
        let (full, blocks) = sync_channel::<Block>(BLOCKS_AHEAD);
        let (used, free) = sync_channel::<Vec<u8>>(BLOCKS_AHEAD + 2);
        Builder::new()
            .name("read ahead".to_owned())
            .spawn_scoped(threads, move || {
                if let Err(error) = read_ahead(file, feed, from, &full, &free)
                    && full.send(Err(error)).is_err()
                {
                    tracing::debug!("nobody waits for the blocks any more");
                }
            })?;
        for block in blocks {
            let block = block?;
            if look(&block).is_break() {
                return Ok(());
            }
            // A full channel, or one whose reader has come to the end, means that the block is not needed again.
            drop(used.try_send(block));
        }
        Err(io::Error::other("reading ended without a last block").into())
    })
}

fn read_ahead(
    file: &File,
    mut feed: Option<&mut Feed>,
    from: u64,
    full: &SyncSender<Block>,
    free: &Receiver<Vec<u8>>,
) -> Result<(), TableError> {
    let mut position = from;
    loop {
        let mut block = free.try_recv().unwrap_or_default();
        match &mut feed {
            Some(feed) if position >= feed.written() => feed.more(&mut block)?,
            Some(_) | None => {
                block.resize(BLOCK_BYTES, 0);
                let read = read_at(file, &mut block, position)?;
                block.truncate(read);
            }
        }
        position += block.len() as u64;
        let last = block.is_empty();
        if full.send(Ok(block)).is_err() || last {
            return Ok(());
        }
    }
}
