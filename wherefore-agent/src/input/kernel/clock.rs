//! The clocks of the live sources: when intervals end, and how to convert the kernel's time. Owns the
//! only reading of clocks in the agent besides sinks.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// The shortest delay of an agent that is logged: with short intervals, a busy host has many shorter ones.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// Intervals one after the other, without drift.
#[derive(Debug)]
pub struct Ticks {
    interval: Duration,
    start: Instant,
    next_end: Instant,
    index: i64,
    /// When the interval that is open began.
    began: Moment,
}

/// One moment by both clocks: the time of day, which can be set, and the clock that
/// nobody sets.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Nanoseconds since 1970.
    pub wall_ns: i64,
    /// By the clock that nobody sets.
    pub at: Instant,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        Self { wall_ns: now_ns(), at: Instant::now() }
    }
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
    /// Nanoseconds by which the time of day was set meanwhile; forward is positive.
    pub stepped_ns: i64,
}

impl Ticks {
    /// The first interval starts now.
    pub fn new(interval: Duration) -> Self {
        let began = Moment::now();
        let start = began.at;
        Self { interval, start, next_end: start + interval, index: 0, began }
    }

    /// Changes the length of intervals; the one that has begun ends so long after its start.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.next_end = self.start + interval;
    }

    /// When the current interval ends.
    pub fn next_end(&self) -> Instant {
        self.next_end
    }

    /// Ends the current interval. An agent that was delayed for longer than an interval continues from
    /// now, with one long interval, instead of catching up. If the time of day was set meanwhile,
    /// the start of the interval is its end minus its length, by the new time.
    pub fn close(&mut self, end: Moment) -> Closed {
        let now = Instant::now();
        // By this clock, which nobody sets.
        let held_up = now.duration_since(self.start).saturating_sub(self.interval);
        if held_up >= WORTH_SAYING && held_up * 2 >= self.interval {
            let seconds = (self.interval + held_up).as_secs_f64();
            tracing::warn!(seconds, "the agent was held up: a long interval, judged by its mean");
        }
        let held_up_ns = i64::try_from(held_up.as_nanos()).unwrap_or(i64::MAX);
        let stepped_ns = step_between(self.began, end);
        let start_ns = self.began.wall_ns.saturating_add(stepped_ns);
        let (index, end_ns) = (self.index, end.wall_ns);
        let closed = Closed { index, start_ns, end_ns, held_up_ns, stepped_ns };
        self.index += 1;
        (self.start, self.began) = (now, end);
        self.next_end += self.interval;
        if self.next_end <= now {
            self.next_end = now + self.interval;
        }
        closed
    }
}

/// The nanoseconds by which the time of day was set between two moments: its difference to
/// the clock that nobody sets, if that exceeds slewing and a delay between the two readings.
fn step_between(began: Moment, end: Moment) -> i64 {
    let lasted = end.at.saturating_duration_since(began.at);
    let lasted_ns = i64::try_from(lasted.as_nanos()).unwrap_or(i64::MAX);
    let stepped_ns = end.wall_ns.saturating_sub(began.wall_ns).saturating_sub(lasted_ns);
    if stepped_ns.saturating_abs() <= lasted_ns / 4 {
        return 0;
    }
    if stepped_ns.unsigned_abs() >= WORTH_SAYING.as_nanos() as u64 {
        let seconds = stepped_ns as f64 / 1e9;
        tracing::warn!(seconds, "the clock was set: intervals and incidents keep their lengths");
    }
    stepped_ns
}

/// Nanoseconds since 1970.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The difference from the kernel's CLOCK_MONOTONIC to nanoseconds since 1970. In a time namespace ours is
/// another one.
pub fn wall_minus_monotonic_ns() -> i64 {
    let monotonic = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec());
    now_ns() - monotonic + namespace_offset_ns()
}

/// By how much our time namespace moves CLOCK_MONOTONIC (time_namespaces(7)); the kernel's programs
/// see it as it is.
fn namespace_offset_ns() -> i64 {
    static OFFSET: OnceLock<i64> = OnceLock::new();
    *OFFSET.get_or_init(|| {
        let ours = std::fs::read_link("/proc/self/ns/time").ok();
        // The offsets are those of the namespace for children, which is ours unless we made one.
        let is_ours =
            ours.is_some() && ours == std::fs::read_link("/proc/self/ns/time_for_children").ok();
        let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
        if is_ours { monotonic_offset_ns(&offsets).unwrap_or(0) } else { 0 }
    })
}

/// From lines such as `monotonic -86400 0`: seconds and nanoseconds.
fn monotonic_offset_ns(offsets: &str) -> Option<i64> {
    let line = offsets.lines().find(|line| line.starts_with("monotonic"))?;
    let mut numbers = line.split_ascii_whitespace().skip(1).map(str::parse::<i64>);
    let (seconds, nanoseconds) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_keeps_its_length_when_the_clock_is_set() {
        const SECOND: i64 = 1_000_000_000;
        let mut ticks = Ticks::new(Duration::from_secs(5));
        let began = ticks.began;
        let after = |seconds: u32, stepped_s: i64| Moment {
            wall_ns: began.wall_ns + i64::from(seconds) * SECOND + stepped_s * SECOND,
            at: began.at + Duration::from_secs(seconds.into()),
        };
        let mut stepped = 0;
        for (seconds, step) in [(5, 0), (10, -3600), (15, 0), (20, 3600), (25, 0), (30, 86_400)] {
            stepped += step;
            let closed = ticks.close(after(seconds, stepped));
            assert_eq!(closed.end_ns - closed.start_ns, 5 * SECOND, "{seconds} {step}");
            assert_eq!(closed.stepped_ns, step * SECOND);
            assert_eq!(closed.end_ns, after(seconds, stepped).wall_ns);
        }
    }

    #[test]
    fn what_is_slewed_leaves_no_gap() {
        let mut ticks = Ticks::new(Duration::from_secs(1));
        let began = ticks.began;
        let mut end_before = began.wall_ns;
        for second in 1..100 {
            let slewed = i64::from(second) * 80_000_000;
            let at = began.at + Duration::from_secs(second as u64);
            let wall_ns = began.wall_ns + i64::from(second) * 1_000_000_000 - slewed;
            let closed = ticks.close(Moment { wall_ns, at });
            assert_eq!((closed.start_ns, closed.stepped_ns), (end_before, 0));
            end_before = closed.end_ns;
        }
    }

    #[test]
    fn the_offset_of_a_time_namespace_is_read() {
        let offsets = "monotonic          -86400         5\nboottime           -86400         0\n";
        assert_eq!(monotonic_offset_ns(offsets), Some(-86_399_999_999_995));
        assert_eq!(monotonic_offset_ns("monotonic 0 0\n"), Some(0));
        assert_eq!([monotonic_offset_ns(""), monotonic_offset_ns("monotonic x 0")], [None; 2]);
    }
}
