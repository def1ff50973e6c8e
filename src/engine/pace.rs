//! How long to wait for what, as plain data handed in.

use std::time::Duration;

/// All waits of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Every wait between two polls is multiplied by this; 1 is what the platform's facts say.
    pub poll_scale: f64,
    /// Wait after the first failed attempt; doubles with each further one.
    pub retry_first: Duration,
    /// Longest wait between two attempts.
    pub retry_longest: Duration,
    /// Longest wait while the platform is not reached or the drive is full: what ends by itself is noticed soon.
    pub outage_longest: Duration,
    /// Time after a sleep in which work has to show a sign of life; else it is taken to hang on a dead connection.
    pub grace_after_sleep: Duration,
    /// Attempts after which a fault of the platform is given up on; waiting out a lost connection has no such end.
    pub max_attempts: u32,
    /// Shortest time between two snapshots that differ only in progress.
    pub progress_every: Duration,
    /// Time without any change after which a running job is called stalled.
    pub stalled_after: Duration,
}

impl Pace {
    /// For real platforms.
    pub const REAL: Self = Self {
        poll_scale: 1.0,
        retry_first: Duration::from_secs(5),
        retry_longest: Duration::from_mins(5),
        outage_longest: Duration::from_mins(1),
        grace_after_sleep: Duration::from_secs(20),
        max_attempts: 8,
        progress_every: Duration::from_millis(250),
        stalled_after: Duration::from_hours(6),
    };

    /// For the sandbox, whose jobs take seconds.
    pub const DEMO: Self = Self {
        poll_scale: 0.1,
        retry_first: Duration::from_millis(500),
        retry_longest: Duration::from_secs(10),
        outage_longest: Duration::from_secs(10),
        ..Self::REAL
    };

    /// For tests.
    pub const TEST: Self = Self {
        poll_scale: 0.01,
        retry_first: Duration::from_millis(20),
        retry_longest: Duration::from_millis(200),
        outage_longest: Duration::from_millis(200),
        grace_after_sleep: Duration::from_millis(300),
        max_attempts: 4,
        progress_every: Duration::from_millis(50),
        stalled_after: Duration::from_mins(1),
    };

    /// The wait after so many failed attempts in a row, at least what the server asked for.
    pub fn retry_wait(&self, attempts: u32, asked: Option<Duration>) -> Duration {
        let doubled = self
            .retry_first
            .saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(16)));
        doubled
            .min(self.retry_longest)
            .max(asked.unwrap_or_default())
    }

    /// A wait between polls at this pace.
    pub fn poll_wait(&self, wait: Duration) -> Duration {
        wait.mul_f64(self.poll_scale)
    }
}
