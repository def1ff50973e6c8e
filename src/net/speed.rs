//! How fast files may travel: one limit each way for all transfers together, changeable while they run. Who moves the
//! bytes asks here before each block; questions and answers of interfaces are not counted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

/// A block takes so long at the limit: short enough that the flow is even.
const BLOCKS_A_SECOND: u64 = 100;
/// Smallest block.
const LEAST_BLOCK_BYTES: u64 = 4096;
/// A limit below this is this: with less, connections would look dead.
const SLOWEST_BYTES_PER_SECOND: u64 = 10_000;
/// What a busy machine or a network that stutters misses is made up for, so that the limit is what is reached. A longer
/// pause is none of theirs: nothing wanted to travel, and nothing is saved up.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Which way bytes go, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a platform.
    Up,
    /// From a platform.
    Down,
}

/// The limits of everything that shares them; cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Speed(Arc<Lanes>);

#[derive(Debug, Default)]
struct Lanes {
    up: Lane,
    down: Lane,
}

#[derive(Debug)]
struct Lane {
    /// Most bytes a second.
    limit: watch::Sender<Option<u64>>,
    /// When everything that was let go so far has its time behind it. Whoever came first holds it until its own bytes
    /// may go, so that none is passed over.
    paid_until: Mutex<Option<Instant>>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            limit: watch::Sender::new(None),
            paid_until: Mutex::default(),
        }
    }
}

impl Speed {
    fn lane(&self, way: Way) -> &Lane {
        match way {
            Way::Up => &self.0.up,
            Way::Down => &self.0.down,
        }
    }

    /// Sets the most bytes a second, or none for as fast as it goes. What waits goes on by the new limit at once.
    pub fn limit(&self, way: Way, bytes_per_second: Option<u64>) {
        let wanted = bytes_per_second.map(|wanted| wanted.max(SLOWEST_BYTES_PER_SECOND));
        self.lane(way).limit.send_if_modified(|limit| {
            let is_other = *limit != wanted;
            *limit = wanted;
            is_other
        });
    }

    /// The most that should be sent as one block; none without a limit.
    pub(in crate::net) fn block_bytes(&self, way: Way) -> Option<usize> {
        let bytes_per_second = (*self.lane(way).limit.borrow())?;
        let block_bytes = (bytes_per_second / BLOCKS_A_SECOND).max(LEAST_BLOCK_BYTES);
        Some(usize::try_from(block_bytes).unwrap_or(usize::MAX))
    }

    /// Waits until so many bytes may go.
    pub(in crate::net) async fn take(&self, way: Way, bytes: usize) {
        let lane = self.lane(way);
        if lane.limit.borrow().is_none() {
            return;
        }
        let mut paid_until = lane.paid_until.lock().await;
        let mut changes = lane.limit.subscribe();
        let began = Instant::now();
        let mut from = paid_until
            .filter(|paid_until| began.duration_since(*paid_until) <= CATCH_UP)
            .unwrap_or(began);
        loop {
            let Some(bytes_per_second) = *changes.borrow_and_update() else {
                *paid_until = None;
                return;
            };
            let price = Duration::from_secs_f64(bytes as f64 / bytes_per_second as f64);
            let until = from + price;
            tokio::select! {
                () = sleep_until(until) => {
                    *paid_until = Some(until);
                    return;
                }
                // The sender is ours, so this is a new limit.
                _changed = changes.changed() => from = Instant::now(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_pause_did_not_use_is_not_saved_up() {
        let speed = Speed::default();
        speed.limit(Way::Down, Some(1_000_000));
        let long_ago = Instant::now().checked_sub(Duration::from_secs(10));
        *speed.0.down.paid_until.lock().await = long_ago;
        assert!(long_ago.is_some());
        let started = Instant::now();
        speed.take(Way::Down, 200_000).await;
        assert!(started.elapsed() >= Duration::from_millis(200));
    }

    #[tokio::test]
    async fn a_limit_that_is_lifted_or_raised_lets_go_what_waits() {
        for new in [None, Some(u64::MAX)] {
            let speed = Speed::default();
            speed.limit(Way::Up, Some(10_000));
            let started = Instant::now();
            let lift = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                speed.limit(Way::Up, new);
            };
            // A hundred seconds at the first limit; the other way has none.
            let both = async { tokio::join!(speed.take(Way::Up, 1_000_000), lift) };
            tokio::time::timeout(Duration::from_secs(20), both)
                .await
                .unwrap();
            speed.take(Way::Down, usize::MAX).await;
            assert!(started.elapsed() >= Duration::from_millis(20));
        }
    }
}
