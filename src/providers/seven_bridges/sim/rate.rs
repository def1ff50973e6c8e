//! The budget of requests: so many in a window of the world's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::sandbox::world::World;

/// Requests in a window, by the documentation.
const LIMIT: u64 = 1000;
/// Length of a window, by the documentation.
const WINDOW: Duration = Duration::from_mins(5);

/// What was counted in the window that is open.
#[derive(Debug, Default)]
pub(super) struct Rate {
    opened: Duration,
    used: u64,
}

/// How the budget stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    limit: u64,
    remaining: u64,
    /// Seconds since 1970 by the clock on the wall, which is the one clients compare it with.
    reset: u64,
    /// Whether there was one left for this request.
    pub(super) granted: bool,
}

impl Rate {
    /// Counts a request, unless it is one that is free.
    pub(super) fn count(&mut self, world: &World, free: bool) -> Standing {
        let faults = world.faults();
        let limit = faults.number("sb.rate-limit").unwrap_or(LIMIT);
        let window = faults.number("sb.rate-window");
        let window = window.map_or(WINDOW, Duration::from_secs);
        let now = world.now();
        if self.used == 0 || now >= self.opened + window {
            self.opened = now;
            self.used = 0;
        }
        let granted = free || self.used < limit;
        if granted && !free {
            self.used += 1;
        }
        let left = (self.opened + window).saturating_sub(now);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let reset = since_1970.unwrap_or_default() + world.on_the_wall(left);
        Standing {
            limit,
            remaining: limit.saturating_sub(self.used),
            // Rounded up: at that second the budget is there again.
            reset: reset.as_secs() + 1,
            granted,
        }
    }
}

impl Standing {
    /// Writes it into an answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let told = [
            ("x-ratelimit-limit", self.limit),
            ("x-ratelimit-remaining", self.remaining),
            ("x-ratelimit-reset", self.reset),
        ];
        for (name, value) in told {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }

    /// The answer of `GET /rate_limit`.
    pub(super) fn json(self) -> Value {
        json!({
            "rate": {
                "limit": self.limit,
                "remaining": self.remaining,
                "reset": self.reset,
            },
            "instance_limit": { "limit": -1, "remaining": i64::MAX },
        })
    }
}
