//! What was told of addresses: what lasts, what comes again and what a block of intervals says. Owns
//! the memory of these; refuses to judge.

use rustc_hash::FxHashMap;
use wherefore_common::{Counters, FlowKey};

use crate::detect::finding::Finding;
use crate::detect::kind::Kind;
use crate::detect::series::Lesson;

/// Subjects remembered at the most; of others each time is the first.
const MOST: usize = 4096;
/// Intervals after which the same is told of a subject anew.
const APART: i64 = 60;

/// What was told of addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Wide {
    told: FxHashMap<(Kind, FlowKey), Told>,
    /// Findings that hold for more than their interval, with the last one that they hold for.
    held: Vec<(Finding, i64)>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    last: i64,
    /// Intervals on end.
    lasted: u32,
    is_again: bool,
}

/// What becomes of a finding about an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    pub(super) lesson: Lesson,
    /// Whether it has lasted long enough to be the usual.
    pub(super) becomes_usual: bool,
}

impl Wide {
    /// Takes note that something is told. The first time it teaches nothing, and no longer than
    /// `learn_after`; when it comes again it is learned, and no news after some time.
    pub(super) fn course(
        &mut self,
        kind: Kind,
        group: &FlowKey,
        index: i64,
        learn_after: u32,
    ) -> Course {
        let subject = (kind, *group);
        if self.told.len() >= MOST && !self.told.contains_key(&subject) {
            return Course { lesson: Lesson::Ignored, becomes_usual: false };
        }
        let told =
            self.told.entry(subject).or_insert(Told { last: index, lasted: 0, is_again: false });
        if index.saturating_sub(told.last) >= APART {
            (told.lasted, told.is_again) = (0, true);
        }
        let passed = index.saturating_sub(told.last).clamp(0, APART) as u32;
        let before = told.lasted;
        told.lasted = told.lasted.saturating_add(passed);
        told.last = index;
        let is_lasting = told.lasted >= learn_after;
        let lesson = if is_lasting || told.is_again { Lesson::Usual } else { Lesson::Ignored };
        Course { lesson, becomes_usual: is_lasting && before < learn_after }
    }

    /// Whether a scan or a sweep of a source was told from interval `since` on: what a longer window sees
    /// of it is the same.
    pub(super) fn searched(&self, group: &FlowKey, since: i64) -> bool {
        let told = |kind| self.told.get(&(kind, *group)).is_some_and(|told| told.last >= since);
        told(Kind::Scan) || told(Kind::Sweep)
    }

    /// Remembers a finding that is about `intervals`, and is found once in as many.
    pub(super) fn hold(&mut self, finding: &Finding, index: i64, intervals: u32) {
        let again = Finding { counters: Counters::default(), ..finding.clone() };
        self.held.push((again, index.saturating_add(i64::from(intervals))));
    }

    /// Whether nothing holds for more than its interval.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    /// What still holds in an interval.
    pub(super) fn held(&mut self, index: i64) -> Vec<Finding> {
        self.held.retain(|(_, until)| *until > index);
        self.held.iter().map(|(finding, _)| finding.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_and_what_comes_again_is_learned() {
        let (mut wide, group) = (Wide::default(), FlowKey::default());
        let mut course = |index| wide.course(Kind::Scan, &group, index, 100);
        let ignored = Course { lesson: Lesson::Ignored, becomes_usual: false };
        let learned = Course { lesson: Lesson::Usual, becomes_usual: false };
        assert!((0..100).all(|index| course(index) == ignored));
        assert_eq!(course(100), Course { lesson: Lesson::Usual, becomes_usual: true });
        assert_eq!(course(101), learned);
        assert!((1000..1010).all(|index| course(index) == learned), "it comes again");
    }
}
