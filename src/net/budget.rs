//! The requests a platform allows in a window, as every answer of it says: what is left, what is kept for whom, and how
//! long to wait when nothing is. Which platform says so is asked for in [`crate::net::api::Api::with_budget`].

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};

use crate::model::error::Doing;
use crate::model::provider::Budget;

/// What a refusal without a time costs, and the most it can.
pub(super) const WAIT_UNKNOWN: Duration = Duration::from_mins(1);
/// The longest wait for a new window that is believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Waited beyond the announced time, as both clocks count whole seconds.
const SLACK: Duration = Duration::from_secs(1);
/// Ends of windows that differ by no more than this are the same end, rounded differently.
const JITTER_SECS: u64 = 2;
/// One in so many requests of a window is kept for polls and for what a person waits for.
const KEPT_SHARE: u64 = 20;

/// What is known about the present window.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    window: Option<Window>,
    /// Polls of ours in the present window.
    polls: u64,
    /// Requests under way: whether the last answer counted them is not known.
    under_way: u64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    limit: u64,
    left: u64,
    /// As the server wrote it: tells whether an answer is of the same window.
    reset: i64,
    /// The same by our clock.
    renewed: Timestamp,
}

/// Whether a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Go,
    /// Others are under way; what they leave over decides.
    Soon,
    /// Not before the next window.
    After(Duration),
    /// A poll too many: it is refused here, as waiting would only heap up polls.
    NoPoll(Duration),
}

impl Ledger {
    /// Asks for leave, and counts the request when it is given; [`Ledger::ended`] ends it.
    pub(super) fn ask(&mut self, doing: Doing, now: Timestamp) -> Leave {
        self.roll(now);
        let is_poll = doing == Doing::Poll;
        if let Some(window) = self.window {
            let wait = until(window.renewed, now);
            if is_poll && self.polls >= (window.limit / 2).max(1) {
                return Leave::NoPoll(wait);
            }
            let kept = if may_wait(doing) {
                window.limit / KEPT_SHARE
            } else {
                0
            };
            if window.left <= kept {
                return Leave::After(wait);
            }
            if window.left.saturating_sub(self.under_way) <= kept {
                return Leave::Soon;
            }
        }
        if is_poll {
            self.polls = self.polls.saturating_add(1);
        }
        self.under_way = self.under_way.saturating_add(1);
        Leave::Go
    }

    /// A request that was given leave has ended, whatever came of it.
    pub(super) const fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Reads what an answer says; nothing where it says nothing.
    pub(super) fn read(&mut self, headers: &HeaderMap, now: Timestamp) {
        self.roll(now);
        let number = |name: &str| -> Option<i64> {
            let text = headers.get(name)?.to_str().ok()?.trim();
            text.parse().ok()
        };
        let (Some(limit), Some(left), Some(reset)) = (
            number("x-ratelimit-limit").and_then(|limit| u64::try_from(limit).ok()),
            number("x-ratelimit-remaining"),
            number("x-ratelimit-reset"),
        ) else {
            return;
        };
        let Some(renewed) = by_our_clock(reset, headers, now) else {
            return;
        };
        let left = u64::try_from(left).unwrap_or(0);
        let same = self
            .window
            .filter(|known| known.reset.abs_diff(reset) <= JITTER_SECS);
        match (same, self.window) {
            // Answers may overtake each other: within a window less is left and never more.
            (Some(known), _) => {
                self.window = Some(Window {
                    limit,
                    left: left.min(known.left),
                    ..known
                });
            }
            // Of a window that has ended.
            (None, Some(known)) if reset < known.reset => {}
            (None, known) => {
                if known.is_some() {
                    self.polls = 0;
                }
                self.window = Some(Window {
                    limit,
                    left,
                    reset,
                    renewed,
                });
            }
        }
    }

    /// How long to wait after a refusal that names no time; `unknown` where no window is known either.
    pub(super) fn wait_after_refusal(&self, unknown: Duration, now: Timestamp) -> Duration {
        self.window
            .map_or(unknown, |window| until(window.renewed, now))
    }

    /// What was last said.
    pub(super) fn last(&self) -> Option<Budget> {
        self.window.map(|window| Budget {
            limit: window.limit,
            left: window.left,
            renewed: window.renewed,
        })
    }

    /// A window that has ended is forgotten: the next answer tells about the new one.
    fn roll(&mut self, now: Timestamp) {
        let is_over = |window: Window| now.duration_since(window.renewed).as_secs_f64() > 1.0;
        if self.window.is_some_and(is_over) {
            self.window = None;
            self.polls = 0;
        }
    }
}

/// Whether something may wait for the next window so that polls, and what a person waits for, need not.
const fn may_wait(doing: Doing) -> bool {
    match doing {
        Doing::Upload
        | Doing::Download
        | Doing::PrepareResult
        | Doing::ListOutputs
        | Doing::ListPipelines
        | Doing::ReadForm
        | Doing::Browse
        | Doing::ListJobs
        | Doing::Gather => true,
        Doing::Connect
        | Doing::CheckKey
        | Doing::ReadFile
        | Doing::Submit
        | Doing::FindSubmission
        | Doing::Poll
        | Doing::Cancel
        | Doing::Unpack
        | Doing::WriteReceipt
        | Doing::Preview
        | Doing::UseKeyring
        | Doing::UseJournal => false,
    }
}

/// The time until a window is renewed for certain; at least a second.
fn until(renewed: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(renewed.duration_since(now))
        .unwrap_or(Duration::ZERO)
        .saturating_add(SLACK)
        .min(LONGEST_WAIT)
}

/// A time of the server's clock, held against the time it wrote into the same answer.
fn by_our_clock(reset: i64, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let reset = Timestamp::from_second(reset).ok()?;
    let server_now = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| {
            jiff::fmt::rfc2822::DateTimeParser::new()
                .parse_timestamp(date)
                .ok()
        })
        .unwrap_or(now);
    let left: SignedDuration = reset.duration_since(server_now);
    now.checked_add(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    const NOW: i64 = 1_718_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(NOW + seconds).unwrap()
    }

    fn headers(limit: i64, left: i64, reset: i64) -> HeaderMap {
        [
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", left),
            ("x-ratelimit-reset", NOW + reset),
        ]
        .into_iter()
        .map(|(name, number)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(&number.to_string()).unwrap(),
            )
        })
        .collect()
    }

    fn after(seconds: u64) -> Leave {
        Leave::After(Duration::from_secs(seconds))
    }

    #[test]
    fn when_nothing_is_left_nothing_leaves_until_the_new_window() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.ask(Doing::Submit, at(0)), Leave::Go);
        ledger.read(&headers(1000, 0, 100), at(0));
        ledger.ended();
        for doing in [Doing::Submit, Doing::Poll, Doing::Upload, Doing::Cancel] {
            assert_eq!(ledger.ask(doing, at(0)), after(101), "{doing:?}");
        }
        assert_eq!(ledger.ask(Doing::Submit, at(100)), after(1));
        assert_eq!(ledger.ask(Doing::Submit, at(102)), Leave::Go);
        assert_eq!(ledger.last(), None, "nothing is known of the new window");
    }

    #[test]
    fn polls_take_half_and_the_rest_is_kept_from_transfers() {
        let mut ledger = Ledger::default();
        ledger.read(&headers(100, 100, 100), at(0));
        for _ in 0..50 {
            assert_eq!(ledger.ask(Doing::Poll, at(1)), Leave::Go);
            ledger.ended();
        }
        let refused = Leave::NoPoll(Duration::from_secs(100));
        assert_eq!(ledger.ask(Doing::Poll, at(1)), refused);
        assert_eq!(ledger.ask(Doing::Upload, at(1)), Leave::Go);
        ledger.ended();
        ledger.read(&headers(100, 5, 100), at(1));
        assert_eq!(ledger.ask(Doing::Upload, at(1)), after(100));
        assert_eq!(ledger.ask(Doing::PrepareResult, at(1)), after(100));
        assert_eq!(ledger.ask(Doing::Cancel, at(1)), Leave::Go);
        ledger.ended();
        // A new window gives polls their half again.
        ledger.read(&headers(100, 99, 400), at(101));
        assert_eq!(ledger.ask(Doing::Poll, at(102)), Leave::Go);
    }

    #[test]
    fn requests_under_way_may_be_counted_already_or_not() {
        let mut ledger = Ledger::default();
        ledger.read(&headers(1000, 2, 100), at(0));
        assert_eq!(ledger.ask(Doing::Submit, at(0)), Leave::Go);
        assert_eq!(ledger.ask(Doing::Submit, at(0)), Leave::Go);
        assert_eq!(ledger.ask(Doing::Submit, at(0)), Leave::Soon);
        ledger.ended();
        ledger.ended();
        assert_eq!(ledger.ask(Doing::Submit, at(0)), Leave::Go);
    }

    #[test]
    fn answers_may_overtake_each_other() {
        let mut ledger = Ledger::default();
        ledger.read(&headers(1000, 10, 100), at(0));
        ledger.read(&headers(1000, 12, 100), at(0));
        assert_eq!(ledger.last().unwrap().left, 10);
        ledger.read(&headers(1000, 999, 400), at(101));
        ledger.read(&headers(1000, 3, 100), at(101));
        assert_eq!(ledger.last().unwrap().left, 999);
        ledger.read(&HeaderMap::new(), at(101));
        assert_eq!(ledger.last().unwrap().limit, 1000);
    }

    #[test]
    fn a_refusal_waits_for_the_new_window_and_the_clock_may_be_wrong() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.wait_after_refusal(WAIT_UNKNOWN, at(0)), WAIT_UNKNOWN);
        // The server's clock is an hour ahead of ours.
        let mut ahead = headers(1000, 0, 3600 + 20);
        let date = HeaderValue::from_static("Mon, 10 Jun 2024 07:13:20 GMT");
        ahead.insert(DATE, date);
        ledger.read(&ahead, at(0));
        assert_eq!(
            ledger.wait_after_refusal(WAIT_UNKNOWN, at(0)),
            Duration::from_secs(21)
        );
        // A time that has passed: a second all the same.
        let mut ledger = Ledger::default();
        ledger.read(&headers(1000, 0, 0), at(0));
        assert_eq!(
            ledger.wait_after_refusal(WAIT_UNKNOWN, at(0)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn the_smallest_windows_let_something_through() {
        let mut ledger = Ledger::default();
        ledger.read(&headers(1, 1, 100), at(0));
        assert_eq!(ledger.ask(Doing::Poll, at(0)), Leave::Go);
        ledger.ended();
        let mut ledger = Ledger::default();
        ledger.read(&headers(10, 1, 100), at(0));
        assert_eq!(ledger.ask(Doing::Upload, at(0)), Leave::Go);
    }
}
