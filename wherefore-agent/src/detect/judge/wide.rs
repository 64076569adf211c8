//! Reports about addresses: which of them last, which come again, and what a block of intervals adds. Owns
//! the memory of these; refuses to judge.

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::detect::kind::Kind;
use crate::detect::series::Lesson;
use crate::traffic::group::{GroupBy, reversed};

/// Subjects remembered at most; of others each time is the first.
const MOST: usize = 4096;
/// Intervals after which the same is reported about a subject again.
const APART: i64 = 60;

/// The reports about addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Wide {
    told: FxHashMap<(Kind, FlowKey), Told>,
}

#[derive(Debug, Clone, Copy)]
struct Told {
    last: i64,
    /// Intervals on end.
    lasted: u32,
    is_again: bool,
}

/// The treatment of a finding about an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    pub(super) lesson: Lesson,
    /// Whether it has lasted long enough to become the baseline.
    pub(super) becomes_usual: bool,
}

impl Wide {
    /// Records a report; its kind is looked for once in `every` intervals. At first the baseline is frozen, for at most
    /// `learn_after`; when it comes again it is learned, and after some time no longer reported.
    pub(super) fn course(
        &mut self,
        kind: Kind,
        group: &FlowKey,
        (index, every): (i64, u32),
        learn_after: u32,
    ) -> Course {
        let subject = (kind, *group);
        if self.told.len() >= MOST && !self.told.contains_key(&subject) {
            return Course { lesson: Lesson::Ignored, becomes_usual: false };
        }
        let told =
            self.told.entry(subject).or_insert(Told { last: index, lasted: 0, is_again: false });
        let apart = APART.max(2 * i64::from(every));
        if index.saturating_sub(told.last) >= apart {
            (told.lasted, told.is_again) = (0, true);
        }
        let passed = index.saturating_sub(told.last).clamp(0, apart) as u32;
        let before = told.lasted;
        told.lasted = told.lasted.saturating_add(passed);
        told.last = index;
        let is_lasting = told.lasted >= learn_after;
        let lesson = if is_lasting || told.is_again { Lesson::Usual } else { Lesson::Ignored };
        Course { lesson, becomes_usual: is_lasting && before < learn_after }
    }

    /// Records a report about the minutes of a host.
    pub(super) fn note(&mut self, kind: Kind, group: &FlowKey, index: i64) {
        if self.told.len() < MOST || self.told.contains_key(&(kind, *group)) {
            self.told.insert((kind, *group), Told { last: index, lasted: 0, is_again: false });
        }
    }

    /// Whether anything about a pair or one of its ends was reported from interval `since` on: what began with that
    /// ends with it.
    pub(super) fn reported_about(&self, pair: &FlowKey, since: i64) -> bool {
        let kinds = || Kind::FOUND.into_iter().filter(|kind| *kind != Kind::Stop);
        let is_reported = |group| {
            let told = |kind| self.told.get(&(kind, group)).is_some_and(|told| told.last >= since);
            kinds().any(told)
        };
        [*pair, reversed(pair)].into_iter().any(|pair| {
            [pair, GroupBy::Src.key(&pair), GroupBy::Dst.key(&pair)].into_iter().any(is_reported)
        })
    }

    /// Whether a scan or a sweep of a source was reported from interval `since` on: a longer window then
    /// sees the same.
    pub(super) fn searched(&self, group: &FlowKey, since: i64) -> bool {
        let told = |kind| self.told.get(&(kind, *group)).is_some_and(|told| told.last >= since);
        told(Kind::Scan) || told(Kind::Sweep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_and_what_comes_again_is_learned() {
        let (mut wide, group) = (Wide::default(), FlowKey::default());
        let mut course = |index| wide.course(Kind::Scan, &group, (index, 1), 100);
        let ignored = Course { lesson: Lesson::Ignored, becomes_usual: false };
        let learned = Course { lesson: Lesson::Usual, becomes_usual: false };
        assert!((0..100).all(|index| course(index) == ignored));
        assert_eq!(course(100), Course { lesson: Lesson::Usual, becomes_usual: true });
        assert_eq!(course(101), learned);
        assert!((1000..1010).all(|index| course(index) == learned), "it comes again");
    }
}
