//! Reports about addresses: which of them last and which recur. Owns the record of these; refuses to judge.

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::detect::kind::Kind;
use crate::detect::series::BaselineUpdate;
use crate::traffic::group::{GroupBy, reversed};

/// The most subjects. Each finding about a further subject counts as the first.
const MOST: usize = 4096;
/// The most intervals between two findings of one report; a later one begins another report.
const APART: i64 = 60;

/// The reports about addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressReports {
    reports: FxHashMap<(Kind, FlowKey), Report>,
}

#[derive(Debug, Clone, Copy)]
struct Report {
    last: i64,
    /// The intervals that it has lasted.
    lasted: u32,
    is_again: bool,
}

/// How a finding about an address affects the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Treatment {
    pub(super) update: BaselineUpdate,
    /// Whether it has lasted long enough to become the baseline.
    pub(super) becomes_usual: bool,
}

impl AddressReports {
    /// Records a finding in interval `index`; such findings are looked for once in `every` intervals. The
    /// baseline is frozen at first, for at most `learn_after` intervals. If the finding recurs later, the
    /// baseline is updated, so that after some time it is no longer reported.
    pub(super) fn record(
        &mut self,
        kind: Kind,
        group: &FlowKey,
        (index, every): (i64, u32),
        learn_after: u32,
    ) -> Treatment {
        let subject = (kind, *group);
        if self.reports.len() >= MOST && !self.reports.contains_key(&subject) {
            return Treatment { update: BaselineUpdate::Freeze, becomes_usual: false };
        }
        let report = self.reports.entry(subject).or_insert(Report {
            last: index,
            lasted: 0,
            is_again: false,
        });
        let apart = APART.max(2 * i64::from(every));
        if index.saturating_sub(report.last) >= apart {
            (report.lasted, report.is_again) = (0, true);
        }
        let passed = index.saturating_sub(report.last).clamp(0, apart) as u32;
        let before = report.lasted;
        report.lasted = report.lasted.saturating_add(passed);
        report.last = index;
        let is_lasting = report.lasted >= learn_after;
        let update = if is_lasting || report.is_again {
            BaselineUpdate::Learn
        } else {
            BaselineUpdate::Freeze
        };
        Treatment { update, becomes_usual: is_lasting && before < learn_after }
    }

    /// Records a report about the minutes of a host.
    pub(super) fn add(&mut self, kind: Kind, group: &FlowKey, index: i64) {
        if self.reports.len() < MOST || self.reports.contains_key(&(kind, *group)) {
            self.reports.insert((kind, *group), Report { last: index, lasted: 0, is_again: false });
        }
    }

    /// Whether anything about a pair or one of its ends was reported in interval `since` or later. What began with
    /// that ends with it.
    pub(super) fn has_any_about(&self, pair: &FlowKey, since: i64) -> bool {
        let is_reported = |group: FlowKey| {
            let mut kinds = Kind::FOUND.into_iter().filter(|kind| *kind != Kind::Stop);
            kinds.any(|kind| self.reports.get(&(kind, group)).is_some_and(|it| it.last >= since))
        };
        [*pair, reversed(pair)].into_iter().any(|pair| {
            [pair, GroupBy::Src.key(&pair), GroupBy::Dst.key(&pair)].into_iter().any(is_reported)
        })
    }

    /// Whether a scan or a sweep of a source was reported in interval `since` or later. A longer window then
    /// has the same finding.
    pub(super) fn has_search(&self, group: &FlowKey, since: i64) -> bool {
        let is_recent =
            |kind| self.reports.get(&(kind, *group)).is_some_and(|report| report.last >= since);
        is_recent(Kind::Scan) || is_recent(Kind::Sweep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasting_and_repeated_findings_are_learned() {
        let (mut reports, group) = (AddressReports::default(), FlowKey::default());
        let mut record = |index| reports.record(Kind::Scan, &group, (index, 1), 100);
        let ignored = Treatment { update: BaselineUpdate::Freeze, becomes_usual: false };
        let learned = Treatment { update: BaselineUpdate::Learn, becomes_usual: false };
        assert!((0..100).all(|index| record(index) == ignored));
        assert_eq!(record(100), Treatment { update: BaselineUpdate::Learn, becomes_usual: true });
        assert_eq!(record(101), learned);
        assert!((1000..1010).all(|index| record(index) == learned), "it comes again");
    }
}
