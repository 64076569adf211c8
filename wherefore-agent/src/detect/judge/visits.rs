//! Groups that come and go: the time and the volume of the last visits of each, so that a returning group is
//! not new and has a baseline. Owns the bound; refuses to judge.

use std::f32::consts::LOG10_2;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::detect::detectors::log2;

/// The most groups, some 24 bytes each.
const MOST: usize = 65_536;
/// The octaves by which similar visits differ: a deployment does not always have the same size.
const ALIKE: f32 = 2.0;
/// A visit may exceed the largest one by this many octaves without a report.
const MARGIN: f32 = 1.0;

/// Every group that was once new.
#[derive(Debug, Clone, Default)]
pub(super) struct Visits(FxHashMap<u64, Visitor>);

/// The state that survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept(Vec<(u64, Visitor)>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Visitor {
    /// The interval of its last visit.
    came: i64,
    /// The volume of this visit so far, as a level.
    now: f32,
    before: Earlier,
}

/// The earlier visits of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Earlier {
    /// The largest volume, as a level.
    most: f32,
    /// The number of visits with about this volume; it decays.
    times: f32,
}

impl Visits {
    /// Begins a visit; returns the group's earlier visits, if there were any.
    pub(super) fn come(&mut self, name: u64, index: i64) -> Option<Earlier> {
        if let Some(visitor) = self.0.get_mut(&name) {
            visitor.before.add(std::mem::take(&mut visitor.now));
            visitor.came = index;
            return Some(visitor.before);
        }
        if self.0.len() >= MOST {
            self.forget();
        }
        self.0.insert(name, Visitor { came: index, ..Visitor::default() });
        None
    }

    /// Records the volume of a group since it came.
    pub(super) fn moved(&mut self, name: u64, level: f32) {
        if let Some(visitor) = self.0.get_mut(&name) {
            visitor.now = visitor.now.max(level);
        }
    }

    /// Drops the oldest groups.
    fn forget(&mut self) {
        let mut came: Vec<_> = self.0.values().map(|visitor| visitor.came).collect();
        let middle = came.len() / 2;
        let median = *came.select_nth_unstable(middle).1;
        self.0.retain(|_, visitor| visitor.came > median);
    }

    /// Halves the weight of all visits.
    pub(super) fn halve(&mut self) {
        self.0.values_mut().for_each(|visitor| visitor.before.times *= 0.5);
    }

    pub(super) fn keep(&self) -> Kept {
        let mut kept: Vec<_> = self.0.iter().map(|(name, visitor)| (*name, *visitor)).collect();
        kept.sort_unstable_by_key(|(name, _)| *name);
        Kept(kept)
    }

    /// Continues with stored state. `before` is an interval number before all of this run, which stands for
    /// the intervals of an earlier run.
    pub(super) fn resume(kept: Kept, before: i64) -> Self {
        let is_sound = |number: f32| number.is_finite() && number >= 0.0;
        let sound = kept.0.into_iter().filter(|(_, visitor)| {
            let Earlier { most, times } = visitor.before;
            [most, times, visitor.now].into_iter().all(is_sound)
        });
        let sound = sound.map(|(name, visitor)| (name, Visitor { came: before, ..visitor }));
        Self(sound.take(MOST).collect())
    }
}

impl Earlier {
    fn add(&mut self, level: f32) {
        if level > self.most + MARGIN {
            self.times = 1.0 + 0.5 * self.times;
        } else if level >= self.most - ALIKE {
            self.times += 1.0;
        }
        self.most = self.most.max(level);
    }

    /// How surprising it is that the group transfers this much again: once in 10^surprise intervals. `None`
    /// if it never did.
    pub(super) fn surprise(&self, level: f32, intervals: f32) -> Option<f32> {
        let is_known = self.times > 0.0 && level <= self.most + MARGIN;
        is_known.then(|| -LOG10_2 * log2((self.times + 0.5) / (intervals + 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequent_visitor_surprises_only_with_a_larger_volume() {
        let mut visits = Visits::default();
        assert_eq!(visits.come(7, 0), None);
        let mut surprises = Vec::new();
        for visit in 1..=10 {
            visits.moved(7, 10.0);
            let earlier = visits.come(7, visit * 1000).unwrap();
            assert_eq!(earlier.surprise(12.0, 1e5), None);
            surprises.extend(earlier.surprise(10.5, 1e5));
        }
        assert!(surprises.is_sorted_by(|a, b| a > b) && surprises.len() == 10);
        assert!(surprises[0] > 4.7 && surprises[9] < 4.0, "{surprises:?}");
    }

    #[test]
    fn small_earlier_findings_do_not_excuse_a_large_one() {
        let mut visits = Visits::default();
        let _ = visits.come(7, 0);
        for visit in 1..=100 {
            visits.moved(7, 1.0);
            let _ = visits.come(7, visit * 1000);
        }
        visits.moved(7, 10.0);
        let earlier = visits.come(7, 101_000).unwrap();
        assert!(earlier.surprise(10.0, 1e5).is_some());
        visits.halve();
        assert!(visits.come(7, 102_000).unwrap().times < earlier.times);
    }

    #[test]
    fn the_oldest_are_evicted() {
        let mut visits = Visits::default();
        for name in 0..=MOST as u64 {
            let _ = visits.come(name, name as i64);
        }
        assert!(visits.0.len() <= MOST);
        assert!(visits.come(0, 0).is_none() && visits.come(MOST as u64, 0).is_some());
        let kept = serde_json::to_string(&visits.keep()).unwrap();
        let resumed = Visits::resume(serde_json::from_str(&kept).unwrap(), -1);
        assert_eq!(resumed.0.len(), visits.0.len());
    }
}
