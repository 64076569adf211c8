//! The clocks of the live sources: when intervals end, and how the kernel's time is converted. Owns the only
//! reading of clocks in the agent, except in sinks.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// The shortest delay of the agent that is logged. With short intervals, a busy host has many shorter delays.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// Consecutive intervals, without drift.
#[derive(Debug)]
pub struct Ticks {
    interval: Duration,
    start: Instant,
    next_end: Instant,
    index: i64,
    /// When the current interval began.
    began: Moment,
}

/// One moment by two clocks: the time of day, which can be set, and the monotonic clock, which cannot.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Nanoseconds since 1970.
    pub wall_ns: i64,
    /// By the monotonic clock.
    pub at: Instant,
}

impl Moment {
    /// The current moment.
    pub fn now() -> Self {
        Self { wall_ns: now_ns(), at: Instant::now() }
    }
}

/// An interval that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Closed {
    /// Its number.
    pub index: i64,
    /// Its start, in nanoseconds since 1970.
    pub start_ns: i64,
    /// Its end, in nanoseconds since 1970.
    pub end_ns: i64,
    /// By how many nanoseconds it is too long.
    pub held_up_ns: i64,
    /// By how many nanoseconds the time of day was set in it; forward is positive.
    pub stepped_ns: i64,
}

impl Ticks {
    /// The first interval starts now.
    pub fn new(interval: Duration) -> Self {
        let began = Moment::now();
        let start = began.at;
        Self { interval, start, next_end: start + interval, index: 0, began }
    }

    /// Changes the length of intervals. The current one ends after this length.
    pub fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.next_end = self.start + interval;
    }

    /// When the current interval ends.
    pub fn next_end(&self) -> Instant {
        self.next_end
    }

    /// Ends the current interval. If the agent was delayed for more than an interval, there is one long
    /// interval, and it does not catch up. If the time of day was set, the interval starts at its end minus
    /// its length, in the new time.
    pub fn close(&mut self, end: Moment) -> Closed {
        let now = Instant::now();
        // By the monotonic clock.
        let held_up = now.duration_since(self.start).saturating_sub(self.interval);
        if held_up >= WORTH_SAYING && held_up * 2 >= self.interval {
            let seconds = (self.interval + held_up).as_secs_f64();
            tracing::warn!(
                seconds,
                "the agent was delayed: this interval is longer, and is judged by its mean"
            );
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

/// By how many nanoseconds the time of day was set between two moments: the change of its difference from the
/// monotonic clock, if this exceeds what slewing and a delay between both readings explain.
fn step_between(began: Moment, end: Moment) -> i64 {
    let lasted = end.at.saturating_duration_since(began.at);
    let lasted_ns = i64::try_from(lasted.as_nanos()).unwrap_or(i64::MAX);
    let stepped_ns = end.wall_ns.saturating_sub(began.wall_ns).saturating_sub(lasted_ns);
    if stepped_ns.saturating_abs() <= lasted_ns / 4 {
        return 0;
    }
    if stepped_ns.unsigned_abs() >= WORTH_SAYING.as_nanos() as u64 {
        let seconds = stepped_ns as f64 / 1e9;
        tracing::warn!(
            seconds,
            "the clock was set: the lengths of intervals and incidents do not change"
        );
    }
    stepped_ns
}

/// Nanoseconds since 1970.
pub fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The difference between the kernel's CLOCK_MONOTONIC and nanoseconds since 1970. In a time namespace, our
/// own CLOCK_MONOTONIC differs from the kernel's.
pub fn wall_minus_monotonic_ns() -> i64 {
    let monotonic = clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000_000 + time.tv_nsec());
    now_ns() - monotonic + namespace_offset_ns()
}

/// The offset of CLOCK_MONOTONIC in our time namespace (time_namespaces(7)). Kernel programs see the clock
/// without it.
fn namespace_offset_ns() -> i64 {
    static OFFSET: OnceLock<i64> = OnceLock::new();
    *OFFSET.get_or_init(|| {
        let ours = std::fs::read_link("/proc/self/ns/time").ok();
        // The file has the offsets for children. They are also ours unless we created a namespace.
        let is_ours =
            ours.is_some() && ours == std::fs::read_link("/proc/self/ns/time_for_children").ok();
        let offsets = std::fs::read_to_string("/proc/self/timens_offsets").unwrap_or_default();
        if is_ours { monotonic_offset_ns(&offsets).unwrap_or(0) } else { 0 }
    })
}

/// Reads lines such as `monotonic -86400 0`: seconds and nanoseconds.
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
    fn slewing_the_clock_leaves_no_gap() {
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
