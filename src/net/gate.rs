//! Politeness on one connection: how many requests at once and a second, and a pause when the platform asks for one.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::provider::{Budget, Limits};
use crate::net::budget::{Leave, Ledger, WAIT_UNKNOWN};
use crate::net::client::Http;

/// Longest pause a platform can impose on a whole connection with one answer.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How long to wait for requests under way before looking again at what they leave over.
const SOON: Duration = Duration::from_millis(5);

/// What a request is, as far as politeness goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A short question.
    Request,
    /// A file on its way, perhaps for hours; it must not keep short questions waiting.
    Upload,
}

/// The gate of a connection; cloning shares it.
#[derive(Clone, Debug)]
pub struct Gate(Arc<State>);

#[derive(Debug)]
struct State {
    requests: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    rate: DefaultDirectRateLimiter,
    paused_until: Mutex<Option<Instant>>,
    /// Where the platform says in each answer how many requests are left.
    ledger: Option<Mutex<Ledger>>,
}

/// The right to have one request under way; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _permit: OwnedSemaphorePermit,
    gate: Gate,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(mut ledger) = self.gate.ledger() {
            ledger.ended();
        }
    }
}

impl Gate {
    /// A gate for one connection. A limit of zero counts as one.
    pub fn new(limits: &Limits) -> Self {
        Self::made(limits, None)
    }

    /// The same, where the platform says in each answer how many requests are left: see [`Gate::read`].
    pub fn with_budget(limits: &Limits) -> Self {
        Self::made(limits, Some(Mutex::default()))
    }

    fn made(limits: &Limits, ledger: Option<Mutex<Ledger>>) -> Self {
        let rate = NonZeroU32::new(limits.requests_per_second).unwrap_or(NonZeroU32::MIN);
        Self(Arc::new(State {
            requests: Arc::new(Semaphore::new(limits.parallel_requests.max(1))),
            uploads: Arc::new(Semaphore::new(limits.parallel_uploads.max(1))),
            rate: RateLimiter::direct(Quota::per_second(rate)),
            paused_until: Mutex::new(None),
            ledger,
        }))
    }

    /// Waits until a request may leave.
    ///
    /// # Errors
    /// The platform asked for a longer pause than `longest_wait`, or polls have used their half of the requests it allows;
    /// nothing was sent.
    pub async fn enter(&self, lane: Lane, longest_wait: Duration, doing: Doing) -> Result<Permit> {
        let lane = match lane {
            Lane::Request => &self.0.requests,
            Lane::Upload => &self.0.uploads,
        };
        let permit = Arc::clone(lane).acquire_owned().await.map_err(|closed| {
            Error::new(ErrorKind::Internal, doing)
                .hint("The gate of the connection is closed")
                .caused_by(&closed)
        })?;
        loop {
            // The pause may be set while we wait for our turn, so it is looked at last.
            self.wait_for_rate().await;
            let (wait, is_final) = match self.pause_left() {
                Some(left) => (left, false),
                None => match self.leave(doing) {
                    Leave::Go => {
                        return Ok(Permit {
                            _permit: permit,
                            gate: self.clone(),
                        });
                    }
                    Leave::Soon => (SOON, false),
                    Leave::After(wait) => (wait, false),
                    Leave::NoPoll(wait) => (wait, true),
                },
            };
            if is_final || wait > longest_wait {
                return Err(Error::new(ErrorKind::RateLimited, doing)
                    .retry_after(Some(wait))
                    .hint("The requests that the platform allows are used up for now"));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes note of what an answer says about the requests that are left.
    pub fn read(&self, headers: &HeaderMap) {
        if let Some(mut ledger) = self.ledger() {
            ledger.read(headers, Timestamp::now());
        }
    }

    /// How long to wait after a refusal that names no time, where the platform counts requests.
    pub fn wait_after_refusal(&self, http: &Http) -> Option<Duration> {
        let unknown = http.in_its_time(WAIT_UNKNOWN);
        Some(self.ledger()?.wait_after_refusal(unknown, Timestamp::now()))
    }

    /// What is left of the requests the platform allows, as it last said.
    pub fn budget(&self) -> Option<Budget> {
        self.ledger()?.last()
    }

    fn leave(&self, doing: Doing) -> Leave {
        self.ledger()
            .map_or(Leave::Go, |mut ledger| ledger.ask(doing, Timestamp::now()))
    }

    fn ledger(&self) -> Option<std::sync::MutexGuard<'_, Ledger>> {
        let ledger = self.0.ledger.as_ref()?;
        Some(ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Holds back everything on this connection, as the platform asked; at most ten minutes.
    pub fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_PAUSE);
        let mut paused_until = self.lock();
        if paused_until.is_none_or(|already| already < until) {
            *paused_until = Some(until);
        }
    }

    /// How long the connection is still held back.
    pub fn pause_left(&self) -> Option<Duration> {
        let mut paused_until = self.lock();
        let left = paused_until.map(|until| until.saturating_duration_since(Instant::now()))?;
        if left.is_zero() {
            *paused_until = None;
            return None;
        }
        Some(left)
    }

    async fn wait_for_rate(&self) {
        while let Err(not_yet) = self.0.rate.check() {
            let wait = not_yet.wait_time_from(DefaultClock::default().now());
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(requests_per_second: u32, parallel_requests: usize) -> Gate {
        Gate::new(&Limits {
            requests_per_second,
            parallel_requests,
            parallel_uploads: 1,
            jobs_alive: None,
        })
    }

    #[tokio::test]
    async fn so_many_at_once_and_uploads_apart() {
        let gate = gate(1000, 1);
        let wait = Duration::from_secs(1);
        let first = gate.enter(Lane::Request, wait, Doing::Poll).await.unwrap();
        let second = gate.enter(Lane::Request, wait, Doing::Poll);
        tokio::pin!(second);
        assert!(
            tokio::time::timeout(Duration::from_millis(20), &mut second)
                .await
                .is_err()
        );
        assert!(gate.enter(Lane::Upload, wait, Doing::Upload).await.is_ok());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn so_many_a_second() {
        let gate = gate(20, 100);
        let started = Instant::now();
        for _ in 0..25 {
            gate.enter(Lane::Request, Duration::ZERO, Doing::Poll)
                .await
                .unwrap();
        }
        assert!(
            started.elapsed() >= Duration::from_millis(200),
            "five beyond the burst take a quarter of a second"
        );
    }

    #[tokio::test]
    async fn a_pause_holds_everything_back_and_a_long_one_is_said() {
        let gate = gate(1000, 10);
        gate.pause(Duration::from_millis(50));
        gate.pause(Duration::from_millis(1));
        let started = Instant::now();
        gate.clone()
            .enter(Lane::Request, Duration::from_secs(1), Doing::Poll)
            .await
            .unwrap();
        assert!(started.elapsed() >= Duration::from_millis(50));
        gate.pause(Duration::from_hours(10));
        let error = gate
            .enter(Lane::Request, Duration::from_secs(1), Doing::Poll)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        let left = error.failure().retry_after.unwrap();
        assert!(left > Duration::from_mins(9) && left <= LONGEST_PAUSE);
    }
}
