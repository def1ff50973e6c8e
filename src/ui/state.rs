//! What the window remembers between frames and the engine does not need to know.

use std::path::PathBuf;

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::notice::{About, Action};
use crate::ui::connections::ConnectionsState;
use crate::ui::jobs::JobsState;
use crate::ui::outbox::{Goal, Outbox, Place};
use crate::ui::results::ResultsState;
use crate::ui::send::SendState;
use crate::ui::settings::SettingsState;

/// Everything the window remembers; each view has its own part.
#[derive(Debug, Default)]
pub struct State {
    /// What the rail shows as chosen.
    pub place: Place,
    /// Whether the page that explains how it works is open.
    pub how_it_works: bool,
    /// Of Send.
    pub send: SendState,
    /// Of Jobs.
    pub jobs: JobsState,
    /// Of Results.
    pub results: ResultsState,
    /// Of Connections.
    pub connections: ConnectionsState,
    /// Of Settings.
    pub settings: SettingsState,
    /// Something the desktop could not do, or a command the engine did not take; until closed.
    pub hitch: Option<Hitch>,
    /// Files whose thumbnails were last asked for.
    pub thumbnails: Vec<PathBuf>,
    /// Whether closing was asked for while something must stay open.
    pub closing: Closing,
}

/// How closing stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closing {
    /// Nobody asked.
    #[default]
    No,
    /// The question is on screen.
    Asked,
    /// The person said yes.
    Agreed,
}

/// A line at the top of the window that stays until closed.
#[derive(Clone, Debug)]
pub struct Hitch {
    /// What happened, in one sentence.
    pub words: String,
    /// Commands that were not taken, in order.
    pub unsent: Vec<Command>,
}

impl State {
    /// Goes where the last frame wanted to go.
    pub fn go(&mut self, goal: Goal, snapshot: &Snapshot) {
        self.how_it_works = false;
        match goal {
            Goal::Place(place) => self.place = place,
            Goal::Batch(batch) => {
                self.place = Place::Jobs;
                self.jobs.show_batch(batch);
            }
            Goal::Job(job) => {
                self.place = Place::Jobs;
                self.jobs.show_job(job);
            }
            Goal::Results(batch) => {
                self.place = Place::Results;
                self.results.show_batch(batch);
            }
            Goal::JobResults(batch, job) => {
                self.place = Place::Results;
                self.results.show_job(batch, job);
            }
            Goal::ResultFile(batch, job, path) => {
                self.place = Place::Results;
                self.results.show_file(batch, job, path);
            }
            Goal::EditConnection(connection) => {
                self.place = Place::Connections;
                self.connections.edit(connection, snapshot);
            }
            Goal::AddConnection(provider) => {
                self.place = Place::Connections;
                self.connections.add(provider.as_ref(), snapshot);
            }
            Goal::HowItWorks => self.how_it_works = true,
        }
    }
}

/// Does what the button of a message says.
pub fn act(action: Action, about: About, snapshot: &Snapshot, outbox: &mut Outbox) {
    match (action, about) {
        (Action::TryAgain, About::Job(job)) => outbox.command(Command::RetryJob(job)),
        (Action::TryAgain, About::Batch(batch)) => outbox.command(Command::RetryFailed(batch)),
        (Action::TryAgain, About::Connection(connection)) => {
            outbox.command(Command::CheckConnection(connection));
        }
        (Action::TryAgain, About::App) => outbox.command(Command::RetryKeyring),
        (Action::Resolve, About::Job(job)) => outbox.go(Goal::Job(job)),
        (Action::Resolve, About::Batch(batch)) => outbox.go(Goal::Batch(batch)),
        (Action::Resolve, About::App | About::Connection(_)) => {
            outbox.go(Goal::Place(Place::Jobs));
        }
        (Action::ChooseFolder, _) => outbox.go(Goal::Place(Place::Settings)),
        (Action::PasteKey | Action::EditConnection, About::Connection(connection)) => {
            outbox.go(Goal::EditConnection(connection));
        }
        (Action::PasteKey | Action::EditConnection, About::Job(job)) => {
            let connection = snapshot
                .jobs
                .iter()
                .find(|view| view.job.id == job)
                .map(|view| view.job.connection);
            outbox.go(connection.map_or(Goal::Place(Place::Connections), Goal::EditConnection));
        }
        (Action::PasteKey | Action::EditConnection, About::App | About::Batch(_)) => {
            outbox.go(Goal::Place(Place::Connections));
        }
    }
}
