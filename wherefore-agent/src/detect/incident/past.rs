//! Incidents that are over. Owns for how long the same is not reported again; refuses to know open ones.
//!
//! What keeps coming back is not reported each time: after each report within six hours, the pause is four times as
//! long as the last one. Much more of it, or something more severe, is reported at once.

use rustc_hash::FxHashMap;

use super::order::{Endpoints, endpoints};
use crate::detect::finding::{Finding, Subject};
use crate::detect::kind::{Kind, Severity};

/// Intervals for which earlier reports count: six hours of 5 s.
const REMEMBERED: i64 = 4320;
/// The factor by which each report makes the pause longer.
const LONGER: u32 = 4;

/// What is not reported again: a transfer between two addresses of whatever kind, or else the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Matter {
    Transfer(Endpoints),
    Subject(Subject),
}

/// What a person was told about an incident: its severity, and its bytes in an interval.
pub(super) type Reported = (Severity, u64);

/// The reports about a matter, most of them of incidents that are over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reports {
    last: Reported,
    /// The number of reports within the last hours.
    count: u32,
    /// The interval until which it is not reported again, and the one in which it is forgotten.
    pub(super) quiet_until: i64,
    forgotten_at: i64,
}

/// The incidents that are over.
#[derive(Debug, Clone, Default)]
pub(super) struct Past(FxHashMap<Matter, Reports>);

impl Matter {
    pub(super) fn of(finding: &Finding) -> Self {
        let is_transfer =
            matches!(finding.kind, Kind::Volume | Kind::Upload | Kind::NewNetwork | Kind::Beacon);
        let endpoints = endpoints(finding).filter(|_| is_transfer);
        endpoints.map_or_else(|| Self::Subject(finding.subject()), Self::Transfer)
    }
}

impl Reports {
    /// Whether a finding is still part of what was reported: not much more, and not more severe.
    pub(super) fn cover(&self, finding: &Finding, index: i64) -> bool {
        index < self.quiet_until && !is_worse(self.last, finding)
    }

    /// The reports with one that is over in interval `index`; `cool_down` are intervals.
    pub(super) fn and(before: Option<Self>, last: Reported, index: i64, cool_down: u32) -> Self {
        let count = before.filter(|before| index < before.forgotten_at).map_or(0, |it| it.count);
        let pause = LONGER.saturating_pow(count).saturating_mul(cool_down);
        let pause = i64::from(pause).min(REMEMBERED.max(cool_down.into()));
        let quiet_until = index.saturating_add(pause);
        let forgotten_at = index.saturating_add(REMEMBERED.max(pause));
        Self { last, count: count + 1, quiet_until, forgotten_at }
    }

    /// The reports with an incident that became the baseline: the same is not reported for hours.
    pub(super) fn and_settled(
        before: Option<Self>,
        last: Reported,
        index: i64,
        cool_down: u32,
    ) -> Self {
        let reports = Self::and(before, last, index, cool_down);
        let until = if cool_down > 0 { reports.forgotten_at } else { reports.quiet_until };
        Self { quiet_until: until, ..reports }
    }
}

impl Past {
    pub(super) fn take(&mut self, matter: &Matter) -> Option<Reports> {
        self.0.remove(matter)
    }

    pub(super) fn add(&mut self, matter: Matter, reports: Reports) {
        self.0.insert(matter, reports);
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
