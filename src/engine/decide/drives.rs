//! What is said of the drive that results go to, while it is full or gone.

use crate::engine::event::Now;
use crate::engine::world::World;
use crate::model::error::{Error, ErrorKind};
use crate::model::ids::{BatchId, NoticeId};
use crate::model::notice::{About, Weight, Words, details};
use crate::store::journal::Change;

/// Says once that the drive of a batch's results is full, or that its folder is gone; a person has to see to it.
pub(super) fn say(world: &mut World, batch: BatchId, error: &Error, now: Now) {
    let Some(folder) = folder_of(world, batch) else {
        return;
    };
    let words = match error.kind() {
        ErrorKind::DiskFull => {
            let lack = error.failure().hint.as_deref();
            let lack = lack.filter(|hint| hint.starts_with("It needs "));
            Words {
                what: match lack {
                    Some(lack) => format!("{}. {lack}.", is_full(&folder)),
                    None => format!("{}.", is_full(&folder)),
                },
                did: "What was fetched so far is kept, and Labferry tries again by itself."
                    .to_owned(),
                next: "Make room on that drive.".to_owned(),
                action: None,
            }
        }
        ErrorKind::FolderGone => Words {
            what: format!("{}.", is_gone(&folder)),
            did: "No other was made in its place; its results wait at the platform, and Labferry \
                  looks for the folder by itself."
                .to_owned(),
            next: "Connect its drive again, or put the folder back where it was.".to_owned(),
            action: None,
        },
        _ => return,
    };
    let start = match error.kind() {
        ErrorKind::DiskFull => is_full(&folder),
        _ => is_gone(&folder),
    };
    if !said(world, batch, &[start]).is_empty() {
        return;
    }
    world.notice(
        now,
        About::Batch(batch),
        Weight::Problem,
        words,
        details(error),
    );
}

/// Something was written there: what was said before no longer holds.
pub(super) fn is_well(world: &mut World, batch: BatchId) {
    let Some(folder) = folder_of(world, batch) else {
        return;
    };
    for id in said(world, batch, &[is_full(&folder), is_gone(&folder)]) {
        world.write(Change::RemoveNotice(id));
    }
}

fn said(world: &World, batch: BatchId, starts: &[String]) -> Vec<NoticeId> {
    world
        .notices
        .values()
        .filter(|notice| notice.about == About::Batch(batch))
        .filter(|notice| {
            starts
                .iter()
                .any(|start| notice.words.what.starts_with(start.as_str()))
        })
        .map(|notice| notice.id)
        .collect()
}

fn folder_of(world: &World, batch: BatchId) -> Option<String> {
    let batch = world.batches.get(&batch)?;
    Some(batch.folder.display().to_string())
}

fn is_full(folder: &str) -> String {
    format!("The drive of {folder} is full")
}

fn is_gone(folder: &str) -> String {
    format!("The folder {folder} is not there")
}
