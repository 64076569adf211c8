//! The clocks of the live sources: when intervals end, and what the kernel's time means. Owns the
//! only reading of clocks in the agent besides sinks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// Intervals one after the other, without drift.
#[derive(Debug)]
pub struct Ticks {
    interval: Duration,
    next_end: Instant,
    index: i64,
    start_ns: i64,
}

impl Ticks {
    /// The first interval starts now.
    pub fn new(interval: Duration) -> Self {
        Self { interval, next_end: Instant::now() + interval, index: 0, start_ns: now_ns() }
    }

    /// When the current interval ends.
    pub fn next_end(&self) -> Instant {
        self.next_end
    }

    /// Ends the current interval: its number, start and end. An agent that was held up for longer
    /// than an interval goes on from now, with one long interval, rather than hurry after.
    pub fn close(&mut self, end_ns: i64) -> (i64, i64, i64) {
        let closed = (self.index, self.start_ns, end_ns);
        self.index += 1;
        self.start_ns = end_ns;
        let now = Instant::now();
        self.next_end += self.interval;
        if self.next_end <= now {
            self.next_end = now + self.interval;
        }
        closed
    }
}

/// Nanoseconds since 1970.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// What to add to the kernel's CLOCK_MONOTONIC for nanoseconds since 1970.
pub fn wall_minus_monotonic_ns() -> i64 {
    let monotonic = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec());
    now_ns() - monotonic
}
