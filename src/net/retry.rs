//! When a request that may be repeated is repeated, as plain data. Whether it may be repeated is said at the call.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::model::error::{Error, ErrorKind, Result};

/// Whether sending a request twice does the same as sending it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotent {
    /// It may be repeated after any failure that may pass.
    Yes,
    /// It is sent once, whatever happens.
    No,
}

/// How often and with which pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// Pause before the second attempt; doubled each time, with a random part.
    pub first_wait: Duration,
    /// Longest pause of our own.
    pub longest_wait: Duration,
    /// Longest pause asked for by a server that is waited out here; a longer one is handed to the caller as an error
    /// that says how long.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// For tests on loopback.
    pub const fn tiny() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(5),
            longest_retry_after: Duration::from_secs(2),
        }
    }

    /// The pauses between the attempts, one fewer than attempts.
    pub fn waits(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.attempts.saturating_sub(1) as usize)
            .with_jitter()
            .build()
    }

    /// How long to wait after this failure, where a repeat makes sense; `own` is the pause of our own.
    pub fn wait_after(&self, error: &Error, own: Duration) -> Option<Duration> {
        let asked = error.failure().retry_after;
        match error.kind() {
            ErrorKind::RateLimited
            | ErrorKind::Maintenance
            | ErrorKind::Timeout
            | ErrorKind::Unreachable
            | ErrorKind::ServerFault => match asked {
                Some(asked) if asked > self.longest_retry_after => None,
                Some(asked) => Some(asked.max(own)),
                None => Some(own),
            },
            ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Invalid
            | ErrorKind::TooLarge
            | ErrorKind::Conflict
            | ErrorKind::Garbled
            | ErrorKind::Unsupported
            | ErrorKind::LocalFile
            | ErrorKind::DiskFull
            | ErrorKind::FolderGone
            | ErrorKind::Keyring
            | ErrorKind::Archive
            | ErrorKind::Table
            | ErrorKind::Internal => None,
        }
    }

    /// Runs an attempt until it succeeds, fails for good, or the attempts are used up; once where it must not be repeated.
    pub async fn run<T, F>(
        &self,
        idempotent: Idempotent,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        let mut waits = self.waits();
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if idempotent == Idempotent::No {
                return Err(error);
            }
            let Some(wait) = waits.next().and_then(|own| self.wait_after(&error, own)) else {
                return Err(error);
            };
            tracing::debug!(%error, ?wait, "will try again");
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long a server asks to wait: seconds or a date (RFC 9110 section 10.2.3), at most a day.
/// A date is held against the server's own clock where it says its time.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const DAY: Duration = Duration::from_hours(24);
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(DAY));
    }
    let parser = DateTimeParser::new();
    let until = parser.parse_timestamp(text).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| parser.parse_timestamp(date).ok())
        .unwrap_or_else(Timestamp::now);
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::Doing;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    reqwest::header::HeaderName::from_static(name),
                    reqwest::header::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |pairs: &[_]| retry_after(&headers(pairs));
        assert_eq!(wait(&[]), None);
        assert_eq!(
            wait(&[("retry-after", "17")]),
            Some(Duration::from_secs(17))
        );
        assert_eq!(
            wait(&[
                ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ("date", "Sun, 06 Nov 1994 08:49:07 GMT")
            ]),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            Some(Duration::ZERO),
            "the past asks for no wait"
        );
        assert_eq!(
            wait(&[("retry-after", "99999999999")]),
            Some(Duration::from_hours(24))
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
    }

    #[tokio::test]
    async fn only_what_may_be_repeated_is_repeated() {
        for (idempotent, kind, expected) in [
            (Idempotent::Yes, ErrorKind::ServerFault, 3),
            (Idempotent::No, ErrorKind::ServerFault, 1),
            (Idempotent::Yes, ErrorKind::Unauthenticated, 1),
        ] {
            let mut attempts = 0;
            let result: Result<()> = RetryPolicy::tiny()
                .run(idempotent, || {
                    attempts += 1;
                    std::future::ready(Err(Error::new(kind, Doing::Poll)))
                })
                .await;
            assert_eq!((result.unwrap_err().kind(), attempts), (kind, expected));
        }
    }

    #[test]
    fn a_long_wait_is_left_to_the_caller() {
        let policy = RetryPolicy::tiny();
        let error = |secs| {
            Error::new(ErrorKind::RateLimited, Doing::Poll)
                .retry_after(Some(Duration::from_secs(secs)))
        };
        let own = Duration::from_millis(1);
        assert_eq!(
            policy.wait_after(&error(1), own),
            Some(Duration::from_secs(1))
        );
        assert_eq!(
            policy.wait_after(&error(2), own),
            Some(policy.longest_retry_after),
            "the longest is still waited out"
        );
        assert_eq!(policy.wait_after(&error(3), own), None);
    }
}
