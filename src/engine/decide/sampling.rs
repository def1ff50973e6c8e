//! The sample table of the draft: where its columns come from, and that it follows the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::world::World;
use crate::model::samples::SampleSheet;

/// Reads columns out of file names by this pattern.
pub(super) fn set_pattern(world: &mut World, pattern: &str) {
    world.live.samples.set_pattern(pattern);
    refresh(world);
}

/// A table was read, or why not.
pub(super) fn sheet_read(world: &mut World, path: &Path, sheet: Result<SampleSheet, String>) {
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    world.live.samples.import(name, sheet);
    refresh(world);
}

/// Changes one cell.
pub(super) fn set(world: &mut World, path: PathBuf, column: &str, value: &str) {
    world.live.samples.edit(path, column, value);
    refresh(world);
}

/// Makes the table of the files that can be sent anew.
pub(super) fn refresh(world: &mut World) {
    let files: Vec<_> = world
        .live
        .draft
        .files
        .iter()
        .filter(|listed| listed.problem.is_none())
        .map(|listed| &listed.file)
        .collect();
    let table = world.live.samples.table(&files);
    if *world.live.draft.samples != table {
        Arc::make_mut(&mut world.live.draft).samples = Arc::new(table);
    }
}
