//! The clocks of the live sources: when intervals end, and what the kernel's time means. Owns the
//! only reading of clocks in the agent besides sinks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// What an agent was held up for that is said: with short intervals, a busy host does it all the time.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// Intervals one after the other, without drift.
#[derive(Debug)]
pub struct Ticks {
    interval: Duration,
    start: Instant,
    next_end: Instant,
    index: i64,
    start_ns: i64,
}

/// An interval that ended.
#[derive(Debug, Clone, Copy)]
pub struct Closed {
    /// Its number.
    pub index: i64,
    /// Its start, in nanoseconds since 1970.
    pub start_ns: i64,
    /// Its end, likewise.
    pub end_ns: i64,
    /// Nanoseconds by which it is too long.
    pub held_up_ns: i64,
}

impl Ticks {
    /// The first interval starts now.
    pub fn new(interval: Duration) -> Self {
        let start = Instant::now();
        Self { interval, start, next_end: start + interval, index: 0, start_ns: now_ns() }
    }

    /// When the current interval ends.
    pub fn next_end(&self) -> Instant {
        self.next_end
    }

    /// Ends the current interval. An agent that was held up for longer than an interval goes on from
    /// now, with one long interval, rather than hurry after.
    pub fn close(&mut self, end_ns: i64) -> Closed {
        let now = Instant::now();
        // By this clock, which nobody sets.
        let held_up = now.duration_since(self.start).saturating_sub(self.interval);
        if held_up >= WORTH_SAYING && held_up * 2 >= self.interval {
            let seconds = (self.interval + held_up).as_secs_f64();
            tracing::warn!(seconds, "the agent was held up: a long interval, judged by its mean");
        }
        let held_up_ns = i64::try_from(held_up.as_nanos()).unwrap_or(i64::MAX);
        let closed = Closed { index: self.index, start_ns: self.start_ns, end_ns, held_up_ns };
        self.index += 1;
        (self.start, self.start_ns) = (now, end_ns);
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
