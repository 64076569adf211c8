//! Limits the rate of records. Owns the pauses between messages: a whole interval at once would overflow the
//! collector's socket.

use std::time::{Duration, Instant};

/// The sender pauses only when it is at least this far ahead; shorter pauses cost more than they save.
const GRAIN: Duration = Duration::from_millis(5);
/// Records a second while the agent ends.
const CATCH_UP_RATE: u32 = 50_000;

/// The time at which the records sent so far would be complete at this rate.
#[derive(Debug)]
pub(super) struct Pace {
    rate: u32,
    until: Option<Instant>,
}

impl Pace {
    /// A limit of this many records a second.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, until: None }
    }

    /// Waits until these records may be sent.
    pub(super) fn wait(&mut self, records: u32, is_behind: bool) {
        let now = Instant::now();
        let pause = self.pause(records, is_behind, now);
        let end = now + pause;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            std::thread::park_timeout(left);
        }
    }

    fn pause(&mut self, records: u32, is_behind: bool, now: Instant) -> Duration {
        let rate = if is_behind { self.rate.max(CATCH_UP_RATE) } else { self.rate };
        let takes = Duration::from_secs(1) * records / rate.max(1);
        let until = self.until.map_or(now, |until| until.max(now)) + takes;
        self.until = Some(until);
        let ahead = until.saturating_duration_since(now);
        if ahead < GRAIN { Duration::ZERO } else { ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_take_their_time() {
        let (mut pace, start) = (Pace::new(1000), Instant::now());
        assert_eq!(pace.pause(4, false, start), Duration::ZERO);
        assert_eq!(pace.pause(16, false, start), Duration::from_millis(20));
        let later = start + Duration::from_millis(20);
        assert_eq!(pace.pause(4, false, later), Duration::ZERO);
        // Unused time is not saved up.
        let much_later = start + Duration::from_secs(60);
        assert_eq!(pace.pause(100, false, much_later), Duration::from_millis(100));
        let hurried = pace.pause(500, true, much_later + Duration::from_secs(1));
        assert_eq!(hurried, Duration::from_millis(10));
    }
}
