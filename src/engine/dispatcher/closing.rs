//! The end of the program: what is stopped where it stands, and what is still waited for.

use std::time::Duration;

use tokio::task::{Id, JoinError};
use tokio::time::{Instant, sleep_until};

use crate::engine::decide::decide;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::event::{Effect, Now, WorkKey};
use crate::engine::under_way::Task;
use crate::engine::worker::Outcome;
use crate::store::journal::Change;

/// Longest wait for submissions that have passed the point of no return.
const LAST_ANSWERS: Duration = Duration::from_secs(15);

impl Dispatcher {
    /// Ends: transfers stop where they are, submissions beyond the point of no return get their answer written.
    pub(super) async fn close(mut self) {
        self.progress.stop_all();
        let deadline = Instant::now() + LAST_ANSWERS;
        while self.under_way.keys().any(|key| self.is_beyond_return(key)) {
            tokio::select! {
                Some(joined) = self.tasks.join_next_with_id() => self.finished_last(joined),
                () = sleep_until(deadline) => break,
            }
        }
        self.tasks.shutdown().await;
    }

    fn is_beyond_return(&self, key: &WorkKey) -> bool {
        match key {
            WorkKey::Submit(job) => self
                .world
                .jobs
                .get(job)
                .is_some_and(|job| job.stage == crate::model::job::Stage::Submitting),
            _ => false,
        }
    }

    /// Takes in the last answers; what they ask to be started is left to the next start.
    fn finished_last(&mut self, joined: Result<(Id, Outcome), JoinError>) {
        let Ok((id, outcome)) = joined else { return };
        let Some(Task { key, .. }) = self.under_way.remove(id) else {
            return;
        };
        if !matches!(key, WorkKey::Submit(_)) {
            return;
        }
        self.world.live.running.remove(&key);
        let now = Now {
            at: self.watch.now(),
            random: fastrand::u64(..),
        };
        let changes: Vec<Change> = decide(&mut self.world, outcome.event, now)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Write(change) => Some(change),
                _ => None,
            })
            .collect();
        if let Err(error) = self.journal.commit(&changes) {
            tracing::error!(%error, "the last answer could not be journalled");
        }
    }
}
