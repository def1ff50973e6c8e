//! What a check of a results folder found, in words.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::event::{Now, Work};
use crate::engine::world::World;
use crate::model::error::Result;
use crate::model::folder::{FolderAnswer, FolderCheck};
use crate::model::notice::{About, Did, Subject, Weight, Words, details, explain};
use crate::results::receipt::{Checked, Outcome};

/// Holds a folder against its receipt.
pub(super) fn check(world: &mut World, folder: PathBuf) {
    keep(world, &folder, FolderCheck::Checking);
    world.start(Work::CheckFolder(folder));
}

/// The check broke down: there is no answer.
pub(super) fn broke(world: &mut World, folder: &Path) {
    Arc::make_mut(&mut world.live.checks).remove(folder);
}

fn keep(world: &mut World, folder: &Path, check: FolderCheck) {
    Arc::make_mut(&mut world.live.checks).insert(folder.to_owned(), check);
}

fn answer(files: &[Checked], now: Now) -> FolderAnswer {
    let count = |outcome| files.iter().filter(|file| file.outcome == outcome).count();
    let mut different: Vec<(Outcome, String)> = files
        .iter()
        .filter(|file| file.outcome != Outcome::Same)
        .map(|file| (file.outcome, file.path.clone()))
        .collect();
    different.sort();
    FolderAnswer {
        at: now.at,
        counts: Outcome::ALL.map(count),
        different,
    }
}

/// Says how the folder compares with its receipt; every file that is not the same stands in the details.
pub(super) fn checked(world: &mut World, folder: &Path, outcome: Result<Vec<Checked>>, now: Now) {
    let name = folder.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    let files = match outcome {
        Ok(files) => files,
        Err(error) => {
            let subject = Subject {
                provider: "",
                connection: "",
                name: &name,
            };
            let words = explain(&error, subject, Did::Stopped);
            keep(world, folder, FolderCheck::Failed(words.clone()));
            world.notice(now, About::App, Weight::Problem, words, details(&error));
            return;
        }
    };
    keep(world, folder, FolderCheck::Answered(answer(&files, now)));
    let different: Vec<(String, String)> = files
        .iter()
        .filter(|file| file.outcome != Outcome::Same)
        .map(|file| (file.outcome.word().to_owned(), file.path.clone()))
        .collect();
    let all = files.len();
    let (weight, what, next) = match different.len() {
        0 => (
            Weight::Note,
            format!("All {all} files of {name} are the same as when they arrived."),
            String::new(),
        ),
        1 => (
            Weight::Warning,
            format!("One of {all} files of {name} is not as it arrived."),
            "See below which one.".to_owned(),
        ),
        count => (
            Weight::Warning,
            format!("{count} of {all} files of {name} are not as they arrived."),
            "See below which ones.".to_owned(),
        ),
    };
    let did = "Labferry read every file and compared it with the receipt; nothing was changed."
        .to_owned();
    world.notice(
        now,
        About::App,
        weight,
        Words {
            what,
            did,
            next,
            action: None,
        },
        different,
    );
}
