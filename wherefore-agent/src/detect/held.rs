//! Findings that are not reported, with the reason: silence must mean that nothing happened. Owns the
//! reasons, and that each subject counts once; refuses to decide what is reported.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::detect::finding::Subject;

/// The most subjects that are remembered, and the most that are named in an interval.
const MOST_REMEMBERED: usize = 4096;
const MOST_NAMED: usize = 64;
/// The number of intervals after which the same subject counts again: an hour of 5 s.
const APART: i64 = 720;

/// The reason why a finding is not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Beyond the budget; with ten times the budget it would have been reported.
    Budget,
    /// Below the smallest volume that is reported (`--alert-min-bytes`).
    Minimum,
    /// The host has been watched too briefly to have a baseline.
    WarmUp,
    /// More incidents began in a short time than are reported one by one (`--alert-limit`).
    RateLimit,
    /// An incident about the same subject ended only recently.
    CoolDown,
    /// The same was found at this time on another of the last seven days.
    Schedule,
}

impl Reason {
    /// All reasons, in order.
    pub const ALL: [Self; 6] = [
        Self::Budget,
        Self::Minimum,
        Self::WarmUp,
        Self::RateLimit,
        Self::CoolDown,
        Self::Schedule,
    ];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Minimum => "minimum",
            Self::WarmUp => "warm_up",
            Self::RateLimit => "rate_limit",
            Self::CoolDown => "cool_down",
            Self::Schedule => "schedule",
        }
    }
}

/// A finding that is not reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldBack {
    /// The reason.
    pub reason: Reason,
    /// The subject.
    pub subject: Subject,
    /// It is expected once in 10^surprise intervals.
    pub surprise: f32,
    /// Its bytes in the interval.
    pub bytes: u64,
}

/// Findings of one interval that are not reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldBacks {
    counts: [u64; Reason::ALL.len()],
    /// The first of them.
    pub named: Vec<HeldBack>,
}

impl HeldBacks {
    /// The number by reason.
    pub fn counts(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// The number by the name of the reason.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        self.counts().map(|(reason, count)| (reason.as_str().to_owned(), count)).collect()
    }

    /// The total number.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds a finding.
    pub(super) fn add(&mut self, held: HeldBack) {
        self.counts[held.reason as usize] += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(held);
        }
    }

    /// Adds the findings of another interval.
    pub fn merge(&mut self, other: Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        let room = MOST_NAMED.saturating_sub(self.named.len());
        self.named.extend(other.named.into_iter().take(room));
    }
}

/// Subjects that were held back recently, so that one that continues counts once.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    last: FxHashMap<(Reason, Subject), i64>,
    now: HeldBacks,
}

impl Memory {
    /// Adds a finding that was held back in interval `index`.
    pub(super) fn note(&mut self, held: HeldBack, index: i64) {
        let name = (held.reason, held.subject);
        if self.last.len() >= MOST_REMEMBERED && !self.last.contains_key(&name) {
            self.last.retain(|_, last| index.saturating_sub(*last) < APART);
            if self.last.len() >= MOST_REMEMBERED {
                return self.now.add(held);
            }
        }
        let before = self.last.insert(name, index);
        if before.is_none_or(|before| index.saturating_sub(before) >= APART) {
            self.now.add(held);
        }
    }

    /// Takes everything that was held back since the last call.
    pub(super) fn take(&mut self) -> HeldBacks {
        std::mem::take(&mut self.now)
    }
}

#[cfg(test)]
mod tests {
    use wherefore_common::FlowKey;

    use super::*;
    use crate::detect::kind::Kind;
    use crate::traffic::group::GroupBy;

    fn held(number: u16) -> HeldBack {
        let group = FlowKey { sport: number, ..FlowKey::default() };
        let subject = Subject::new(Kind::Volume, GroupBy::Flow, &group, 0);
        HeldBack { reason: Reason::Budget, subject, surprise: 3.0, bytes: 1 }
    }

    #[test]
    fn a_lasting_finding_counts_once_and_a_later_one_again() {
        let mut memory = Memory::default();
        (0..500).for_each(|index| memory.note(held(1), index));
        memory.note(held(2), 500);
        assert_eq!(memory.take().total(), 2);
        memory.note(held(1), 501);
        assert_eq!(memory.take(), HeldBacks::default());
        memory.note(held(1), 501 + APART);
        let again = memory.take();
        assert_eq!(again.counts().collect::<Vec<_>>(), [(Reason::Budget, 1)]);
    }

    #[test]
    fn held_back_findings_beyond_the_bound_are_counted() {
        let mut memory = Memory::default();
        (0..5000).for_each(|number| memory.note(held(number), 0));
        let held = memory.take();
        assert_eq!((held.total(), held.named.len()), (5000, MOST_NAMED));
    }
}
