//! The engine: owns the journal, the connections and everything that takes time. The window and the command line
//! send it commands and read its snapshots; they share nothing else with it.
//!
//! Inside, one dispatcher owns the state. What to do next is decided in `decide` and `plan`, which know no clock, no disk
//! and no network; the dispatcher writes their changes to the journal and only then starts the work they ask for.

mod awake;
pub mod clock;
pub mod command;
mod connect;
pub mod decide;
mod desk;
mod dispatcher;
mod draft;
pub mod event;
mod keys;
pub mod live;
pub mod pace;
pub mod place;
pub mod plan;
mod profiles;
mod progress;
pub mod receipt;
pub mod recovery;
mod report;
mod room;
mod scan;
mod sheet;
pub mod snapshot;
pub mod start;
mod thumbnails;
mod transfer;
mod under_way;
pub mod view;
mod worker;
pub mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::engine::clock::Clock;
use crate::engine::command::Command;
use crate::engine::keys::Environment;
use crate::engine::pace::Pace;
use crate::engine::place::Writes;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::net::client::NetOptions;
use crate::providers::Entry;
use crate::store::folders::{self, Folders};

/// How many commands may wait.
const WAITING_COMMANDS: usize = 256;

/// How long a planned crash waits for threads in the middle of a block.
const LAST_BLOCKS: Duration = Duration::from_secs(10);

/// With what an engine is started.
#[derive(Clone)]
pub struct EngineOptions {
    /// Where everything lives.
    pub folders: Folders,
    /// Whether it may use the operating system's keyring.
    pub keyring: bool,
    /// Reads the environment, for keys of this session.
    pub environment: Environment,
    /// How long to wait for what.
    pub pace: Pace,
    /// The time it goes by.
    pub clock: Clock,
    /// The person's home folder, where other programs keep their files of keys; none where those are of no use.
    pub home: Option<PathBuf>,
    /// All platforms there are.
    pub entries: &'static [Entry],
    /// The way to the network, before the settings.
    pub net: NetOptions,
    /// Ends the engine as a pulled plug would, right after so many commits to the journal and before anything that
    /// follows from the last of them; for tests of recovery.
    pub crash_after_commits: Option<u64>,
    /// Whether the computer is kept from sleeping by itself while bytes move.
    pub keep_awake: bool,
    /// Counts what is written, and can pretend a full drive; for tests.
    pub writes: Writes,
}

impl EngineOptions {
    /// For the person's own platforms: with the keyring, at the pace platforms ask for.
    pub fn real(folders: Folders) -> Self {
        Self {
            folders,
            keyring: true,
            environment: |name| std::env::var(name).ok(),
            pace: Pace::REAL,
            clock: Clock::default(),
            home: folders::home(),
            entries: crate::providers::ALL,
            net: NetOptions::default(),
            crash_after_commits: None,
            keep_awake: true,
            writes: Writes::default(),
        }
    }

    /// For the sandbox: keys in memory only, none from the environment, and a quick pace.
    pub fn demo(folders: Folders) -> Self {
        Self {
            keyring: false,
            keep_awake: false,
            environment: |_name| None,
            pace: Pace::DEMO,
            home: None,
            ..Self::real(folders)
        }
    }
}

/// A running engine. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    wake: WakeCell,
    closing: Arc<watch::Sender<bool>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What is called after each new snapshot.
type WakeCell = Arc<Mutex<Option<Box<dyn Fn() + Send + Sync>>>>;

/// The engine has too much to do to take another command now, or has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Labferry is too busy to take this on right now")]
pub struct Busy;

impl Engine {
    /// Starts the engine on a thread of its own. It opens the journal there, so this returns at once; whether that worked
    /// stands in [`Snapshot::phase`].
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(options: EngineOptions) -> std::io::Result<Self> {
        let (commands, commanded) = mpsc::channel(WAITING_COMMANDS);
        let first = view::empty(&start::first_world(&options), Phase::Starting);
        let (published, snapshots) = watch::channel(Arc::new(first));
        let (closing, close) = watch::channel(false);
        let wake = WakeCell::default();
        let ends = start::Ends {
            commands: commanded,
            snapshots: published,
            wake: wake.clone(),
            closing: close,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("labferry-worker")
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("labferry-engine".to_owned())
            .spawn(move || {
                let planned_crash = options.crash_after_commits.is_some();
                runtime.block_on(start::run(options, ends));
                if planned_crash {
                    // A real crash ends the threads that write files, too: none may go on beside the next engine.
                    runtime.shutdown_timeout(LAST_BLOCKS);
                    return;
                }
                // A thread that waits for a locked keyring must not keep the app from closing.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            commands,
            snapshots,
            wake,
            closing: Arc::new(closing),
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

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

    /// Ends the engine and waits until the journal is closed. What was under way goes on at the next start.
    pub fn shutdown(&self) {
        self.closing.send_replace(true);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the engine's thread broke down");
        }
    }
}
