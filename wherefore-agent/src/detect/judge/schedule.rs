//! Findings that recur at the same time of day, such as those about a nightly backup. Owns the times at which
//! each subject had rare findings in the last week; refuses to decide what is reported.
//!
//! Only the volumes of hosts and services have a baseline by time of day. This covers all kinds of findings: a
//! finding is expected if one as rare was made at this time on another day.

use std::collections::VecDeque;
use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use crate::detect::kind::Class;
use crate::traffic::group::reversed;

/// Subjects that are remembered at most, some 150 bytes each.
const MOST: usize = 4096;
/// Days that are looked back, and occurrences of a subject that are remembered.
const DAYS: i64 = 7;
const OCCURRENCES: usize = 16;
/// How much rarer than before a finding may be and still be expected: three times.
const MARGIN: f32 = 0.5;
const DAY_SECONDS: f64 = 86_400.0;
const HOUR_SECONDS: f64 = 3_600.0;

/// When subjects had rare findings.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// In intervals.
    day: i64,
    hour: i64,
    seen: FxHashMap<u64, VecDeque<Occurrence>>,
}

/// The findings about a subject that came within an hour.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Occurrence {
    /// The interval of the first of them; in stored state, how many intervals ago.
    at: i64,
    highest: f32,
}

/// The state that survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept(Vec<(u64, Vec<Occurrence>)>);

impl Schedule {
    /// Nothing seen yet; the length of an interval is in seconds.
    pub(super) fn new(interval_seconds: f64) -> Self {
        let intervals = |seconds: f64| (seconds / interval_seconds).round().max(1.0) as i64;
        let (day, hour) = (intervals(DAY_SECONDS), intervals(HOUR_SECONDS));
        Self { day, hour, seen: FxHashMap::default() }
    }

    /// Whether such a finding about a subject came on another day within an hour of this time.
    pub(super) fn expects(&self, class: Class, group: &FlowKey, surprise: f32, index: i64) -> bool {
        let Some(seen) = self.seen.get(&name(class, group)) else { return false };
        seen.iter().any(|occurrence| {
            let ago = index.saturating_sub(occurrence.at);
            let days = (ago + self.day / 2) / self.day;
            (1..=DAYS).contains(&days)
                && (ago - days * self.day).abs() <= self.hour
                && surprise <= occurrence.highest + MARGIN
        })
    }

    /// Records a rare finding.
    pub(super) fn note(&mut self, class: Class, group: &FlowKey, surprise: f32, index: i64) {
        let name = name(class, group);
        if self.seen.len() >= MOST && !self.seen.contains_key(&name) {
            self.forget(index);
        }
        let seen = self.seen.entry(name).or_default();
        if let Some(last) = seen.back_mut().filter(|last| index - last.at < self.hour) {
            last.highest = last.highest.max(surprise);
            return;
        }
        if seen.len() >= OCCURRENCES {
            seen.pop_front();
        }
        seen.push_back(Occurrence { at: index, highest: surprise });
    }

    /// Drops what is too old to matter, and if that is not enough the half that came first.
    fn forget(&mut self, index: i64) {
        let last = |seen: &VecDeque<Occurrence>| seen.back().map_or(i64::MIN, |last| last.at);
        let oldest = index.saturating_sub((DAYS + 1) * self.day);
        self.seen.retain(|_, seen| last(seen) >= oldest);
        if self.seen.len() >= MOST {
            let mut ends: Vec<_> = self.seen.values().map(last).collect();
            let middle = ends.len() / 2;
            let median = *ends.select_nth_unstable(middle).1;
            self.seen.retain(|_, seen| last(seen) > median);
        }
    }

    /// The state that survives a restart in interval `index`.
    pub(super) fn keep(&self, index: i64) -> Kept {
        let ago = |seen: &Occurrence| Occurrence { at: index.saturating_sub(seen.at), ..*seen };
        let mut kept: Vec<(u64, Vec<_>)> =
            self.seen.iter().map(|(name, seen)| (*name, seen.iter().map(ago).collect())).collect();
        kept.sort_unstable_by_key(|(name, _)| *name);
        Kept(kept)
    }

    /// All that was seen came this many intervals earlier.
    pub(super) fn catch_up(&mut self, intervals: i64) {
        let occurrences = self.seen.values_mut().flatten();
        occurrences.for_each(|occurrence| occurrence.at = occurrence.at.saturating_sub(intervals));
    }

    /// Continues with the state of an earlier run; this one begins with interval 0.
    pub(super) fn resume(&mut self, kept: Kept) {
        let sound = |seen: &Occurrence| seen.at >= 0 && seen.highest.is_finite();
        for (name, seen) in kept.0.into_iter().take(MOST) {
            let seen = seen.into_iter().filter(sound).take(OCCURRENCES);
            let seen = seen.map(|seen| Occurrence { at: -seen.at, ..seen }).collect();
            self.seen.insert(name, seen);
        }
    }
}

/// The number of a subject, the same for both directions, whatever the interface.
fn name(class: Class, group: &FlowKey) -> u64 {
    let back = reversed(group);
    let either = if back < *group { back } else { *group };
    let mut hasher = FxHasher::default();
    hasher.write_u8(class as u8);
    for word in either.src.iter().chain(&either.dst) {
        hasher.write_u64(*word);
    }
    hasher.write_u32(u32::from(either.sport) << 16 | u32::from(either.dport));
    hasher.write_u8(either.protocol);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 17_280;
    const HOUR: i64 = 720;

    fn group(host: u64) -> FlowKey {
        FlowKey { src: [host, 0], dst: [9, 0], family: 4, ..FlowKey::default() }
    }

    #[test]
    fn a_finding_at_the_same_time_of_another_day_is_expected_unless_much_rarer() {
        let mut schedule = Schedule::new(5.0);
        schedule.note(Class::Stop, &group(1), 3.0, 100);
        schedule.note(Class::Stop, &group(1), 4.0, 150);
        let expects = |group: &FlowKey, surprise, index| {
            schedule.expects(Class::Stop, group, surprise, index)
        };
        let days = [1, 2, 7].map(|day| expects(&group(1), 4.4, 100 + day * DAY));
        assert_eq!(days, [true; 3]);
        assert!(expects(&reversed(&group(1)), 4.0, 100 + DAY - HOUR));
        assert!(!expects(&group(1), 4.6, 100 + DAY), "much rarer");
        assert!(!expects(&group(1), 4.0, 100 + DAY + HOUR + 1), "at another time");
        assert!(!expects(&group(1), 4.0, 200), "the same day");
        assert!(!expects(&group(1), 4.0, 100 + 8 * DAY), "too long ago");
        assert!(!expects(&group(2), 4.0, 100 + DAY), "another subject");
        assert!(!schedule.expects(Class::Own, &group(1), 4.0, 100 + DAY), "of another kind");
    }

    #[test]
    fn the_state_survives_a_restart_and_is_bounded() {
        let mut schedule = Schedule::new(5.0);
        for host in 0..=MOST as u64 {
            schedule.note(Class::Own, &group(host), 3.0, host as i64);
        }
        assert!(schedule.seen.len() <= MOST);
        let kept = serde_json::to_string(&schedule.keep(10_000)).unwrap();
        let mut resumed = Schedule::new(5.0);
        resumed.resume(serde_json::from_str(&kept).unwrap());
        assert_eq!(resumed.seen.len(), schedule.seen.len());
        let (last, at) = (group(MOST as u64), DAY + MOST as i64 - 10_000);
        assert!(resumed.expects(Class::Own, &last, 3.0, at));
        assert!(!resumed.expects(Class::Own, &last, 3.0, at + HOUR + 1));
    }
}
