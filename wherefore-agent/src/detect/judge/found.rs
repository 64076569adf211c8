//! Rare facts about an interval of a group, an address or an interface, and which fact explains another. Owns
//! the figures of a finding; refuses to judge and to compose text.

use std::time::Duration;

use wherefore_common::{Counters, FlowKey};

use super::rules::Rules;
use crate::detect::addresses::Candidate;
use crate::detect::detectors::{Test, Verdict};
use crate::detect::finding::{Finding, Grounds, HostSide, Observed, Rarity};
use crate::detect::kind::{Class, Kind};
use crate::traffic::group::GroupBy;

/// A rare fact about a group's interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) surprise: f32,
    pub(super) what: Observed,
}

impl Found {
    /// Whether it is large enough to matter. `value` is the number of bytes in the interval, `border` the
    /// number that its boundaries may add or remove (see [`border_bytes`]).
    pub(super) fn counts(&self, value: f64, border: f32, rules: Rules) -> bool {
        let value = value as f32;
        let Verdict { test, usual, seen, .. } = match self.what {
            Observed::Address(_) | Observed::Calls(_) | Observed::Missed { .. } => return true,
            Observed::Newcomer { seen, .. }
            | Observed::Among { seen, .. }
            | Observed::Host { seen, .. } => {
                return f64::from(seen) >= rules.min_bytes;
            }
            Observed::Own(verdict) => verdict,
        };
        let (moved, is_by_border) = match test {
            Test::Gap => return true,
            Test::Regular { .. } => return !is_at_most_doubled(value, usual, border),
            Test::Frequent => (value * seen, false),
            Test::Distribution { .. } => (value, is_within(seen - usual, border)),
            Test::Range { .. } => (seen - usual, is_within(seen - usual, border)),
            _ => (seen - usual, is_at_most_doubled(seen, usual, border)),
        };
        f64::from(moved.abs()) >= rules.min_bytes && !is_by_border
    }

    /// The volume of the finding, and its number of intervals.
    pub(super) fn volume(self) -> Option<(u32, f32)> {
        match self.what {
            Observed::Among { seen, .. } => Some((1, seen)),
            Observed::Own(Verdict { test: Test::Volume { intervals }, seen, .. }) => {
                Some((intervals, seen))
            }
            _ => None,
        }
    }

    /// The judgement that found it.
    pub(super) fn class(&self) -> Class {
        match self.what {
            Observed::Among { .. } => Class::Among,
            Observed::Newcomer { .. } => Class::Newcomer,
            Observed::Host { host: HostSide { service: Some(_), .. }, .. } => Class::Service,
            Observed::Host { .. } => Class::Host,
            Observed::Own(verdict) => class_of(verdict.test).unwrap_or(Class::Own),
            Observed::Calls(_) => Class::Calls,
            Observed::Missed { .. } => Class::Missing,
            Observed::Address(_) => Class::of(self.kind),
        }
    }

    pub(super) fn grounds(self, basis: Basis) -> Grounds {
        let Basis { interval, watched, expected } = basis;
        let (surprise, observed) = (self.surprise, self.what);
        Grounds::Rarity(Rarity { surprise, expected, interval, watched, observed })
    }
}

/// The basis of a statement about rarity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// Length of an interval.
    pub(super) interval: Duration,
    /// Intervals so far.
    pub(super) watched: f32,
    /// How often it is expected, from the experience with such findings: once in 10^expected intervals.
    pub(super) expected: f32,
}

/// The bytes that the boundaries of an interval may add or remove: one packet of each flow, for flows that
/// send at a fixed pace.
pub(super) fn border_bytes(flows: u64, counters: &Counters) -> f32 {
    flows as f32 * (counters.bytes as f32 / counters.packets.max(1) as f32)
}

/// Whether the boundaries alone explain a difference, within single precision.
fn is_within(difference: f32, border: f32) -> bool {
    const ROUNDING: f32 = 1.001;
    difference.abs() <= border * ROUNDING
}

/// The same limit if the effect of the boundaries is not known: one more packet of each flow at most doubles
/// the baseline.
fn is_at_most_doubled(seen: f32, usual: f32, border: f32) -> bool {
    is_within(seen - usual, border) && is_within(seen, 2.0 * usual)
}

/// Number of active intervals that counts as hours: two hours of 5 s.
pub(super) const LASTING: f32 = 1440.0;

/// Whether a silence has lasted so long that it should have been reported earlier. `active` is the number of
/// intervals with traffic.
pub(super) fn is_late(verdict: &Verdict, active: f32) -> bool {
    /// Silences up to this many times as long as usual are reported, if the group was active
    /// for hours.
    const NEWS: f32 = 20.0;
    /// The same for other groups.
    const EARLY_NEWS: f32 = 4.0;
    /// Intervals; if shorter silences are usual, this counts as the usual length.
    const LEAST_USUAL: f32 = 3.0;
    let news = if active >= LASTING { NEWS } else { EARLY_NEWS };
    verdict.test == Test::Gap && verdict.seen > news * verdict.usual.max(LEAST_USUAL)
}

pub(super) fn class_of(test: Test) -> Option<Class> {
    match test {
        Test::Ordinary => None,
        Test::Gap => Some(Class::Stop),
        Test::Regular { .. } => Some(Class::Beacon),
        _ => Some(Class::Own),
    }
}

/// Whether an address is unusual because of one group that is reported anyway: the group
/// moves half of it.
pub(super) fn explains(finding: &Finding, candidate: &Candidate<'_>) -> bool {
    let (group, address) = (&finding.group, &candidate.group);
    let is_of_it = match candidate.group_by {
        GroupBy::Src => group.src == address.src,
        _ => group.dst == address.dst,
    };
    is_of_it
        && finding.kind == Kind::Volume
        && group.family == address.family
        && finding.counters.bytes >= candidate.counters.bytes / 2
        && !(is_search(candidate.kind) && is_of_probes(finding))
}

/// Whether a group's volume is a part, and not the larger part, of the traffic of one address.
pub(super) fn is_part(finding: &Finding, wider: &Finding) -> bool {
    let is_of_it = match wider.group_by {
        GroupBy::Src => finding.group.src == wider.group.src,
        _ => finding.group.dst == wider.group.dst,
    };
    let is_less = finding.counters.bytes < wider.counters.bytes / 2
        || is_search(wider.kind) && is_of_probes(finding);
    is_of_it
        && is_less
        && finding.kind == Kind::Volume
        && finding.group.family == wider.group.family
}

/// Whether an address scans or sweeps. Then its targets matter more than its bytes.
pub(super) fn is_search(kind: Kind) -> bool {
    matches!(kind, Kind::Scan | Kind::Sweep)
}

/// Whether packets are as small as probes are.
fn is_of_probes(finding: &Finding) -> bool {
    const LARGEST: u64 = 128;
    finding.counters.bytes <= finding.counters.packets.saturating_mul(LARGEST)
}

/// The probability that an ordinary interval has no event as surprising.
pub(super) fn probability(surprise: f32) -> f64 {
    (1.0 - 10f64.powf(-f64::from(surprise))).max(0.0)
}

/// Whether a group involves the address of a candidate.
pub(super) fn is_about(group: &FlowKey, candidate: &Candidate<'_>) -> bool {
    let address = match candidate.group_by {
        GroupBy::Src => candidate.group.src,
        _ => candidate.group.dst,
    };
    group.src == address || group.dst == address
}
