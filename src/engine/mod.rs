//! The engine: owns the journal, the connections and everything that takes time. The window and the command line
//! send it commands and read its snapshots; they share nothing else with it.
//!
//! Inside, one dispatcher owns the state. What to do next is decided in `decide` and `plan`, which know no clock, no disk
//! and no network; the dispatcher writes their changes to the journal and only then starts the work they ask for.

pub mod command;
pub mod pace;
pub mod snapshot;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;

/// A running engine. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    wake: WakeCell,
}

/// What is called after each new snapshot.
type WakeCell = Arc<Mutex<Option<Box<dyn Fn() + Send + Sync>>>>;

/// The engine has too much to do to take another command now, or has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Labferry is too busy to take this on right now")]
pub struct Busy;

impl Engine {
    /// Hands over a command without waiting.
    ///
    /// # Errors
    /// [`Busy`] when the channel is full; say so to the person, do not drop it silently.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        self.commands
            .try_send(command)
            .map_err(|_full_or_closed| Busy)
    }

    /// The latest snapshot; cheap enough for every frame.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// A receiver of its own for those who wait for changes (the command line, tests).
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Sets what is called after each new snapshot, from the engine's thread; the window asks for a repaint there.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        let mut cell = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        *cell = Some(Box::new(wake));
    }
}
