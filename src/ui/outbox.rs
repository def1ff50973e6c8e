//! What a frame asks for: commands for the engine, wishes for the desktop, and where to go next.
//! Views only fill it; it is emptied after everything is drawn.

use std::path::{Path, PathBuf};

use crate::engine::command::Command;
use crate::model::ids::{BatchId, ConnectionId, JobId, ProviderId};
use crate::ui::desktop::PickFor;

/// Everything one frame asks for.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the engine, in order.
    pub commands: Vec<Command>,
    /// For the desktop, in order.
    pub wishes: Vec<Wish>,
    /// Where the window goes.
    pub goals: Vec<Goal>,
    /// Files whose thumbnails are to be seen, in the order of the screen.
    pub thumbnails: Vec<PathBuf>,
}

/// Something only the desktop can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Ask for files or a folder.
    Pick(PickFor),
    /// Open a file or a folder with what the system has for it.
    OpenPath(PathBuf),
    /// Show a file in its folder.
    Reveal(PathBuf),
    /// Drag a file to another program.
    DragOut(PathBuf),
    /// Open a page in the browser.
    OpenPage(String),
    /// Start the demo in a window of its own.
    StartDemo,
}

/// A place to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// One of the places of the rail.
    Place(Place),
    /// A batch among the jobs.
    Batch(BatchId),
    /// A job among the jobs.
    Job(JobId),
    /// The results of a batch.
    Results(BatchId),
    /// The results of a job.
    JobResults(BatchId, JobId),
    /// One result file of a job.
    ResultFile(BatchId, JobId, PathBuf),
    /// The form of a connection, at its key.
    EditConnection(ConnectionId),
    /// The form of a new connection; the platform may be chosen already.
    AddConnection(Option<ProviderId>),
    /// The page that explains how it works.
    HowItWorks,
}

/// The places of the rail, in the order of the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Files, targets, settings.
    #[default]
    Send,
    /// What runs.
    Jobs,
    /// What came back.
    Results,
    /// The ways to the platforms.
    Connections,
    /// The app itself.
    Settings,
    /// What happened.
    Notices,
}

impl Outbox {
    /// Asks the engine.
    pub fn command(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Says that there is room on the screen for the thumbnail of a file.
    pub fn want_thumbnail(&mut self, path: &Path) {
        if !self.thumbnails.iter().any(|wanted| wanted == path) {
            self.thumbnails.push(path.to_owned());
        }
    }

    /// Asks the desktop.
    pub fn wish(&mut self, wish: Wish) {
        self.wishes.push(wish);
    }

    /// Goes somewhere after this frame.
    pub fn go(&mut self, goal: Goal) {
        self.goals.push(goal);
    }
}
