//! Incidents that are over. Owns for how long the same is not reported again; refuses to know open ones.
//!
//! An incident that recurs is not reported each time: each report within six hours makes the pause before the next one
//! four times as long. A recurrence that is more severe or much larger is reported at once.

use rustc_hash::FxHashMap;

use super::order::{Endpoints, endpoints};
use crate::detect::finding::{Finding, Subject};
use crate::detect::kind::{Kind, Severity};

/// Intervals for which earlier reports count: six hours of 5 s.
const REMEMBERED: i64 = 4320;
/// The factor by which each report makes the pause longer.
const LONGER: u32 = 4;

/// Incidents with the same key count as recurrences: transfers between the same two addresses, whichever kind of
/// finding they are, or else incidents with the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum RecurrenceKey {
    Transfer(Endpoints),
    Subject(Subject),
}

/// The severity and the bytes of an interval in the last message about an incident.
pub(super) type Reported = (Severity, u64);

/// The earlier reports with one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct PastReports {
    last: Reported,
    /// The number of reports within the last hours.
    count: u32,
    /// The interval in which the pause ends, and the one in which the reports are forgotten.
    pub(super) quiet_until: i64,
    forgotten_at: i64,
}

/// The incidents that are over.
#[derive(Debug, Clone, Default)]
pub(super) struct ReportHistory(FxHashMap<RecurrenceKey, PastReports>);

impl RecurrenceKey {
    pub(super) fn of(finding: &Finding) -> Self {
        let is_transfer =
            matches!(finding.kind, Kind::Volume | Kind::Upload | Kind::NewNetwork | Kind::Beacon);
        let endpoints = endpoints(finding).filter(|_| is_transfer);
        endpoints.map_or_else(|| Self::Subject(finding.subject()), Self::Transfer)
    }
}

impl PastReports {
    /// Whether a finding is not reported in interval `index`, because the pause lasts and the finding is no worse than
    /// the last report.
    pub(super) fn suppress(&self, finding: &Finding, index: i64) -> bool {
        index < self.quiet_until && !is_worse(self.last, finding)
    }

    /// Adds a report whose incident ended in interval `index`. The first pause has `cool_down` intervals.
    pub(super) fn after(before: Option<Self>, last: Reported, index: i64, cool_down: u32) -> Self {
        let count = before.filter(|before| index < before.forgotten_at).map_or(0, |it| it.count);
        let pause = LONGER.saturating_pow(count).saturating_mul(cool_down);
        let pause = i64::from(pause).min(REMEMBERED.max(cool_down.into()));
        let quiet_until = index.saturating_add(pause);
        let forgotten_at = index.saturating_add(REMEMBERED.max(pause));
        Self { last, count: count + 1, quiet_until, forgotten_at }
    }

    /// Adds a report whose incident became the baseline: a recurrence is not reported for hours.
    pub(super) fn after_settling(
        before: Option<Self>,
        last: Reported,
        index: i64,
        cool_down: u32,
    ) -> Self {
        let reports = Self::after(before, last, index, cool_down);
        let until = if cool_down > 0 { reports.forgotten_at } else { reports.quiet_until };
        Self { quiet_until: until, ..reports }
    }
}

impl ReportHistory {
    pub(super) fn take(&mut self, key: &RecurrenceKey) -> Option<PastReports> {
        self.0.remove(key)
    }

    pub(super) fn add(&mut self, key: RecurrenceKey, reports: PastReports) {
        self.0.insert(key, reports);
    }

    pub(super) fn forget(&mut self, index: i64) {
        self.0.retain(|_, reports| reports.forgotten_at > index);
    }
}

/// Whether a finding is more severe than what was reported, or has ten times the bytes in an interval.
pub(super) fn is_worse((severity, bytes): Reported, finding: &Finding) -> bool {
    const MUCH_MORE: u64 = 10;
    let is_more = finding.counters.bytes >= MUCH_MORE.saturating_mul(bytes.max(1));
    finding.rarity().is_some() && (is_more || finding.severity() > severity)
}
