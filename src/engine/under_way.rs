//! The work under way, by its task. After a sleep it breaks off what hangs on a connection that died meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError};
use tokio::time::Instant;

use crate::engine::decide::may_begin_anew;
use crate::engine::event::WorkKey;
use crate::engine::progress::Progress;
use crate::engine::world::World;

/// A piece of work under way.
#[derive(Debug)]
pub(super) struct Task {
    /// What it does.
    pub key: WorkKey,
    /// Whether it was broken off and is to be begun anew.
    pub broken_off: bool,
    abort: AbortHandle,
    /// Bytes it had moved when the computer woke up; none when it was begun later.
    moved_at_wake: Option<u64>,
}

/// All work under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    tasks: BTreeMap<Id, Task>,
    grace_ends: Option<Instant>,
}

impl UnderWay {
    /// Takes in what has just been started.
    pub(super) fn insert(&mut self, abort: AbortHandle, key: WorkKey) {
        let task = Task {
            key,
            broken_off: false,
            moved_at_wake: None,
            abort,
        };
        self.tasks.insert(task.abort.id(), task);
    }

    /// It has ended.
    pub(super) fn remove(&mut self, id: Id) -> Option<Task> {
        self.tasks.remove(&id)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What is under way.
    pub(super) fn keys(&self) -> impl Iterator<Item = &WorkKey> {
        self.tasks.values().map(|task| &task.key)
    }

    /// Whether this was broken off and has not ended yet.
    pub(super) fn is_broken_off(&self, key: &WorkKey) -> bool {
        self.tasks
            .values()
            .any(|task| task.broken_off && task.key == *key)
    }

    /// The computer has just woken up: what is under way gets some time to show that it is alive.
    pub(super) fn awake(&mut self, grace: Duration, progress: &Progress) {
        for task in self.tasks.values_mut() {
            task.moved_at_wake = Some(progress.moved(&task.key));
        }
        self.grace_ends = Some(Instant::now() + grace);
    }

    /// When that time is over.
    pub(super) const fn grace_ends(&self) -> Option<Instant> {
        self.grace_ends
    }

    /// Breaks off what was under way before the sleep, has not moved a byte since, and may be begun anew.
    pub(super) fn break_off(&mut self, world: &World, progress: &Progress) {
        self.grace_ends = None;
        for task in self.tasks.values_mut() {
            let Some(before) = task.moved_at_wake.take() else {
                continue;
            };
            if progress.moved(&task.key) == before && may_begin_anew(world, &task.key) {
                tracing::info!(key = ?task.key, "hangs on a connection from before the sleep; begun anew");
                task.broken_off = true;
                task.abort.abort();
            }
        }
    }
}

/// What work that broke down said last. Without the number of its task, so that the same breakdown reads the same.
pub(super) fn last_words(error: JoinError) -> String {
    let cause = match error.try_into_panic() {
        Ok(cause) => cause,
        Err(stopped) => return stopped.to_string(),
    };
    match cause.downcast::<String>() {
        Ok(text) => *text,
        Err(cause) => cause
            .downcast_ref::<&str>()
            .map_or("It said nothing", |text| text)
            .to_owned(),
    }
}
