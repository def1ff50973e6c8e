//! The recovery from a crash, which is what every start is: the world as the journal has it.

use crate::engine::world::World;
use crate::store::journal::{Change, Contents};

/// Puts what the journal holds into the world.
pub fn fill(world: &mut World, contents: Contents) {
    let last_ids = contents.last_ids;
    let changes = std::iter::once(Change::PutSettings(contents.settings))
        .chain(contents.connections.into_iter().map(Change::PutConnection))
        .chain(contents.batches.into_iter().map(Change::PutBatch))
        .chain(contents.jobs.into_iter().map(Change::PutJob))
        .chain(
            contents
                .staged
                .into_iter()
                .map(|(connection, file, staged)| Change::PutStaged {
                    connection,
                    file,
                    staged,
                }),
        )
        .chain(
            contents
                .kept
                .into_iter()
                .map(|(connection, file, text)| Change::PutKept {
                    connection,
                    file,
                    text,
                }),
        )
        .chain(contents.artifacts.into_iter().map(Change::PutArtifact))
        .chain(contents.notices.into_iter().map(Change::PutNotice));
    for change in changes {
        world.apply(&change);
    }
    world.last_ids = last_ids;
}
