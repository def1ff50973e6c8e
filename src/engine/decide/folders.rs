//! What a check of a results folder found, in words.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::event::{Effect, Now, Work, WorkKey};
use crate::engine::world::World;
use crate::model::error::Result;
use crate::model::folder::{CheckProgress, FolderAnswer, FolderCheck};
use crate::model::notice::{About, Did, Subject, Weight, Words, details, explain};
use crate::results::receipt::{Compared, Outcome};

/// Most files a notice names; the page of the batch names all.
const MOST_NAMED: usize = 200;

/// Holds a folder against its receipt.
pub(super) fn check(world: &mut World, folder: PathBuf) {
    let checking = FolderCheck::Checking(CheckProgress::default());
    keep(world, &folder, checking);
    world.start(Work::CheckFolder(folder));
}

/// Ends a check under way; its answer says what it left out.
pub(super) fn stop(world: &mut World, folder: PathBuf) {
    let key = WorkKey::CheckFolder(folder);
    if world.is_running(&key) {
        world.ask(Effect::Stop(key));
    }
}

/// The check broke down: there is no answer.
pub(super) fn broke(world: &mut World, folder: &Path) {
    Arc::make_mut(&mut world.live.checks).remove(folder);
}

fn keep(world: &mut World, folder: &Path, check: FolderCheck) {
    Arc::make_mut(&mut world.live.checks).insert(folder.to_owned(), check);
}

fn answer(compared: Compared, now: Now) -> FolderAnswer {
    let Compared { files, unread } = compared;
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
        unread,
    }
}

/// The first files that are not the same, and how many more there are.
fn named(answer: &FolderAnswer) -> Vec<(String, String)> {
    let files = answer.different.iter();
    let mut lines: Vec<(String, String)> = files
        .take(MOST_NAMED)
        .map(|(outcome, path)| (outcome.word().to_owned(), path.clone()))
        .collect();
    let more = answer.different.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        let words = format!("{more} more, on the page of the batch in Results");
        lines.push(("and".to_owned(), words));
    }
    lines
}

/// Says how the folder compares with its receipt; files that are not the same stand in the details. Of a check that
/// was stopped only the page of the batch tells: whoever stopped it is looking at that.
pub(super) fn checked(world: &mut World, folder: &Path, outcome: Result<Compared>, now: Now) {
    let name = folder.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    let answer = match outcome {
        Ok(compared) => Arc::new(answer(compared, now)),
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
    keep(world, folder, FolderCheck::Answered(Arc::clone(&answer)));
    if answer.unread.is_some() {
        return;
    }
    let all: usize = answer.counts.iter().sum();
    let different = named(&answer);
    let (weight, what, next) = match answer.different.len() {
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
