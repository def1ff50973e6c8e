//! The time: a wall clock that may be set or slept over, and the watch that notices when it was.
//!
//! What is due is said in wall time, as it has to be understood after a restart. How much time really passed while the
//! program worked is told by a clock that nobody can set; on most systems it stands still while the computer sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How far the two clocks may drift apart between two looks before that counts as a jump.
const STEADY: SignedDuration = SignedDuration::from_secs(5);

/// How much later than asked for a look may come on a busy computer; later than that, the computer slept.
const LATE: Duration = Duration::from_secs(30);

/// How often the clocks are looked at while there is something to do.
pub const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The wall clock the engine goes by. Cloning gives the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// How far it is ahead of the computer's; it is never set but by tests.
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The time.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_millis.load(Ordering::SeqCst));
        let now = Timestamp::now();
        now.checked_add(ahead).unwrap_or(now)
    }

    /// Sets it forward or back, as a person, a time server or a sleep would.
    pub fn set_by(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or_default();
        self.ahead_millis.fetch_add(millis, Ordering::SeqCst);
    }
}

/// Notices when the wall clock jumps.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Clock,
    wall: Timestamp,
    steady: Instant,
}

impl Watch {
    /// From now on.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            wall: clock.now(),
            steady: Instant::now(),
            clock,
        }
    }

    /// The time, without a look.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When to look again.
    pub(super) fn next_look(&self) -> Instant {
        self.steady + LOOK_EVERY
    }

    /// The time, and by how much more or less of it has passed since the last look than was lived through, if that is
    /// more than clocks drift. `waited` says that somebody looks at least every [`LOOK_EVERY`].
    pub(super) fn look(&mut self, waited: bool) -> (Timestamp, Option<SignedDuration>) {
        let (wall, steady) = (self.clock.now(), Instant::now());
        let passed = wall.duration_since(self.wall);
        let lived = steady.duration_since(self.steady);
        (self.wall, self.steady) = (wall, steady);
        (wall, jump(passed, lived, waited))
    }
}

/// The jump between two looks. Where the steady clock counts sleep, too, only the lateness of the look tells of it.
fn jump(passed: SignedDuration, lived: Duration, waited: bool) -> Option<SignedDuration> {
    let signed = SignedDuration::try_from(lived).unwrap_or(SignedDuration::MAX);
    let drift = passed.saturating_sub(signed);
    if drift > STEADY || drift < -STEADY {
        return Some(drift);
    }
    let late = lived.saturating_sub(LOOK_EVERY);
    if waited && late > LATE {
        return SignedDuration::try_from(late).ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_told_from_drift_and_from_a_busy_computer() {
        let secs = SignedDuration::from_secs;
        for (passed, lived, waited, found) in [
            (10, 10, true, None),
            (14, 10, true, None),
            (6, 10, true, None),
            // Slept with a steady clock that stood still, or set forward.
            (3610, 10, true, Some(3600)),
            (3610, 10, false, Some(3600)),
            // Set back.
            (-7190, 10, true, Some(-7200)),
            // Slept with a steady clock that went on: only the late look tells.
            (3600, 3600, true, Some(3590)),
            (3600, 3600, false, None),
            (39, 39, true, None),
        ] {
            assert_eq!(
                jump(secs(passed), Duration::from_secs(lived), waited),
                found.map(secs),
                "{passed} {lived} {waited}"
            );
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_is_seen_once() {
        let clock = Clock::default();
        let mut watch = Watch::new(clock.clone());
        assert_eq!(watch.look(true).1, None);
        clock.set_by(SignedDuration::from_hours(-3));
        let (at, moved) = watch.look(true);
        let moved = moved.unwrap();
        assert!(moved < SignedDuration::from_mins(-179) && moved > SignedDuration::from_mins(-181));
        assert!(at < Timestamp::now());
        assert_eq!(watch.look(true).1, None);
    }
}
