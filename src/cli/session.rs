//! An engine for one command: started on the data folder, waited for, stopped cleanly.
//!
//! Owns waiting. Every wait ends when the engine stops or the person presses Ctrl-C.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::watch;

use crate::cli::follow::{Follower, sum_up};
use crate::cli::out::Out;
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, Phase, Snapshot};
use crate::engine::{Engine, EngineOptions};
use crate::model::ids::JobId;
use crate::model::job::Stage;

/// A running engine and the latest it said.
pub(super) struct Session {
    engine: Engine,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Listens from the first wait on: whoever listens anew for each wait does not hear what comes between two of them.
    interrupted: Shared<BoxFuture<'static, ()>>,
}

impl Session {
    /// Waits until the engine is at work.
    pub(super) async fn over(engine: Engine) -> Result<Self, Trouble> {
        let snapshots = engine.subscribe();
        let mut session = Self {
            engine,
            snapshots,
            interrupted: interrupted().boxed().shared(),
        };
        session
            .until(|snapshot| match &snapshot.phase {
                Phase::Starting | Phase::Stopped(_) => None,
                Phase::Running | Phase::Held(_) => Some(()),
            })
            .await?;
        Ok(session)
    }

    /// The latest snapshot.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.engine.snapshot()
    }

    /// The engine, to be stopped.
    pub(super) fn into_engine(self) -> Engine {
        self.engine
    }

    /// Hands over a command.
    pub(super) fn send(&self, command: Command) -> Result<(), Trouble> {
        hand_over(&self.engine, command)
    }

    /// Waits until `look` finds what it looks for.
    pub(super) async fn until<T>(
        &mut self,
        mut look: impl FnMut(&Snapshot) -> Option<T>,
    ) -> Result<T, Trouble> {
        loop {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            if let Some(found) = look(&snapshot) {
                return Ok(found);
            }
            if let Phase::Stopped(words) = &snapshot.phase {
                return Err(Trouble::Problem(words.clone()));
            }
            tokio::select! {
                biased;
                () = self.interrupted.clone() => return Err(Trouble::problem(
                    "You stopped Labferry.",
                    "Everything up to here is written down.",
                    "`labferry resume` carries on.",
                )),
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        return Err(engine_ended());
                    }
                }
            }
        }
    }

    /// Tells how these jobs go on until each is where `enough` says, or waits for a person.
    pub(super) async fn follow(
        &mut self,
        out: Out,
        watched: &BTreeSet<JobId>,
        enough: impl Fn(Stage) -> bool,
    ) -> Result<Ending, Trouble> {
        let mut follower = Follower::new(out, &self.snapshot());
        self.until(|snapshot| {
            if let Err(closed) = follower.tell(snapshot, watched) {
                return Some(Err(Trouble::from(closed)));
            }
            let mut jobs = snapshot
                .jobs
                .iter()
                .filter(|view| watched.contains(&view.job.id));
            jobs.all(|view| enough(view.job.stage) || view.waits_for_person)
                .then_some(Ok(()))
        })
        .await??;
        let snapshot = self.snapshot();
        out.line(sum_up(&snapshot, watched))?;
        Ok(Ending::done_if(snapshot.jobs.iter().all(|view| {
            !watched.contains(&view.job.id) || is_good(view.job.stage, &enough)
        })))
    }

    /// The connection of this label.
    pub(super) fn connection(&self, label: &str) -> Result<Arc<ConnectionView>, Trouble> {
        let snapshot = self.snapshot();
        let found = snapshot
            .connections
            .iter()
            .find(|view| view.connection.label == label);
        found.cloned().ok_or_else(|| {
            let known: Vec<&str> = snapshot
                .connections
                .iter()
                .map(|view| view.connection.label.as_str())
                .collect();
            Trouble::wrong_use(
                format!("There is no connection called {label}."),
                if known.is_empty() {
                    "`labferry connect` makes one.".to_owned()
                } else {
                    format!("There are: {}.", known.join(", "))
                },
            )
        })
    }
}

/// Hands a command to an engine.
pub(super) fn hand_over(engine: &Engine, command: Command) -> Result<(), Trouble> {
    engine.send(command).map_err(|busy| {
        Trouble::problem(
            format!("{busy}."),
            "Nothing was started.",
            "Try again in a moment.",
        )
    })
}

/// Whether a job that is where `enough` says is no reason for a person to look.
fn is_good(stage: Stage, enough: &impl Fn(Stage) -> bool) -> bool {
    match stage {
        Stage::Failed | Stage::Cancelled | Stage::Unconfirmed => false,
        Stage::Done => true,
        Stage::Waiting
        | Stage::Uploading
        | Stage::Submitting
        | Stage::Queued
        | Stage::Running
        | Stage::Downloading => enough(stage),
    }
}

fn engine_ended() -> Trouble {
    Trouble::problem(
        "Labferry stopped because of a fault of its own.",
        "Everything up to there is written down.",
        "`labferry resume` carries on; the log says more.",
    )
}

/// Ends when Ctrl-C is pressed; where that cannot be noticed, never.
pub(super) async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be noticed");
        std::future::pending::<()>().await;
    }
}

/// A path as the engine wants it: whole, whatever folder the command was started in.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Trouble> {
    std::path::absolute(path).map_err(|error| {
        Trouble::wrong_use(
            format!("{} is not a path: {error}.", path.display()),
            "Name an existing file or folder.",
        )
    })
}

/// Starts an engine on these folders.
pub(super) fn start(options: EngineOptions) -> Result<Engine, Trouble> {
    Engine::start(options).map_err(|error| {
        Trouble::problem(
            format!("Labferry cannot start its threads: {error}."),
            "Nothing was done.",
            "Close other programs and try again.",
        )
    })
}

/// Waits until everything is written down and the engine is gone.
pub(super) async fn stop(engine: Engine) {
    if tokio::task::spawn_blocking(move || engine.shutdown())
        .await
        .is_err()
    {
        tracing::error!("the engine could not be waited for");
    }
}
