//! Measures the age of an alert with the clock that counts since the system started, which nobody sets. Owns
//! the comparison across a restart of the agent (the same clock) and of the system (the time of day, unless
//! it was obviously not set).

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The file with an identifier of this start of the system.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// A time of day before 2025 means that the clock was not set.
const PLAUSIBLE_MS: u64 = 1_735_689_600_000;

/// When an alert was queued, as written to the spool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Milliseconds since 1970.
    queued_ms: u64,
    /// Milliseconds since the system started, and the identifier of that start.
    #[serde(default)]
    since_boot_ms: Option<u64>,
    #[serde(default)]
    boot_id: Option<String>,
}

/// A moment, in milliseconds since the system started; negative for moments before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beginning(i64);

impl Stamp {
    /// The current moment.
    pub(super) fn now() -> Self {
        Self {
            queued_ms: wall_ms(),
            since_boot_ms: u64::try_from(Beginning::now().0).ok(),
            boot_id: boot_id().map(str::to_owned),
        }
    }

    /// The same moment by this system's clock.
    pub(super) fn beginning(&self) -> Beginning {
        let now = Beginning::now().0;
        let is_this_start = self.boot_id.is_some() && self.boot_id.as_deref() == boot_id();
        let before = self.since_boot_ms.and_then(|before| i64::try_from(before).ok());
        if let Some(before) = before.filter(|before| is_this_start && *before <= now) {
            return Beginning(before);
        }
        let age = wall_age_ms(self.queued_ms, wall_ms());
        Beginning(now.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)))
    }
}

impl Beginning {
    fn now() -> Self {
        // This clock also counts while the system sleeps.
        let now = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
        Self(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    }

    /// Whether more than `age` has passed since then.
    pub(super) fn is_older_than(self, age: Duration) -> bool {
        let most = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Self::now().0.saturating_sub(self.0) > most
    }

    /// The moment that is earlier by this duration.
    #[cfg(test)]
    pub(super) fn earlier(self, by: Duration) -> Self {
        Self(self.0 - by.as_millis() as i64)
    }
}

/// Returns zero if one of the clocks was not set or was set back: it is better to send an alert late than to
/// lose it.
fn wall_age_ms(queued_ms: u64, now_ms: u64) -> u64 {
    if queued_ms < PLAUSIBLE_MS { 0 } else { now_ms.saturating_sub(queued_ms) }
}

fn boot_id() -> Option<&'static str> {
    static ID: OnceLock<Option<String>> = OnceLock::new();
    let read = || Some(std::fs::read_to_string(BOOT_ID).ok()?.trim().to_owned());
    ID.get_or_init(read).as_deref()
}

pub(super) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn stamp(change: impl FnOnce(&mut Stamp)) -> Stamp {
        let mut stamp = Stamp::now();
        change(&mut stamp);
        stamp
    }

    #[test]
    fn within_one_boot_the_age_ignores_the_time_of_day() {
        for wrong in [0, u64::MAX, wall_ms() - 300 * 86_400_000, wall_ms() + 300 * 86_400_000] {
            let stamp = stamp(|stamp| stamp.queued_ms = wrong);
            assert!(!stamp.beginning().is_older_than(Duration::from_secs(60)), "{wrong}");
        }
    }

    #[test]
    fn after_a_reboot_the_age_follows_the_time_of_day() {
        let other = |queued_ms| {
            stamp(|stamp| {
                (stamp.queued_ms, stamp.boot_id) = (queued_ms, Some("another".to_owned()));
            })
        };
        assert!(other(wall_ms() - 2 * 86_400_000).beginning().is_older_than(DAY));
        for young in [0, 1000, wall_ms() - 1000, wall_ms() + 86_400_000 * 400] {
            assert!(!other(young).beginning().is_older_than(DAY), "{young}");
        }
        let old = r#"{"queued_ms": 1767225600000}"#;
        assert!(serde_json::from_str::<Stamp>(old).unwrap().beginning().is_older_than(DAY));
    }
}
