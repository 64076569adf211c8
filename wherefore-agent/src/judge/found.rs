//! What is rare about an interval of a group, an address or an interface, and which of these explains
//! which. Owns the figures of a finding; refuses to judge and to word.

use std::time::Duration;

use super::rarity::Rules;
use crate::addresses::Candidate;
use crate::detect::{Test, Verdict};
use crate::finding::{Finding, Grounds, Observed, Rarity};
use crate::group::GroupBy;
use crate::kind::Kind;

/// What is rare about a group's interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) surprise: f32,
    pub(super) what: Observed,
}

impl Found {
    /// Whether it is about more than trifles; `value` are the octets of the interval.
    pub(super) fn counts(&self, value: f64, rules: Rules) -> bool {
        let (seen, usual) = match self.what {
            Observed::Address(_) => return true,
            Observed::Newcomer { seen, .. } | Observed::Among { seen, .. } => (seen, 0.0),
            Observed::Own(verdict) => match verdict.test {
                Test::Frequent => (value as f32 * verdict.seen, 0.0),
                Test::Gap | Test::Regular { .. } => return true,
                Test::Distribution { .. } => (value as f32, 0.0),
                _ => (verdict.seen, verdict.usual),
            },
        };
        f64::from((seen - usual).abs()) >= rules.min_bytes
    }

    /// The volume that it is about, in how many intervals.
    pub(super) fn volume(self) -> Option<(u32, f32)> {
        match self.what {
            Observed::Among { seen, .. } | Observed::Newcomer { seen, .. } => Some((1, seen)),
            Observed::Own(Verdict { test: Test::Volume { intervals }, seen, .. }) => {
                Some((intervals, seen))
            }
            Observed::Own(_) | Observed::Address(_) => None,
        }
    }

    pub(super) fn grounds(self, interval: Duration) -> Grounds {
        Grounds::Rarity(Rarity { surprise: self.surprise, interval, observed: self.what })
    }
}

pub(super) fn kind_of(test: Test) -> Option<Kind> {
    match test {
        Test::Ordinary => None,
        Test::Gap => Some(Kind::Stop),
        Test::Regular { .. } => Some(Kind::Beacon),
        _ => Some(Kind::Volume),
    }
}

/// Whether an address does what it does because of one group that is told of anyway: the group
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

/// Whether a group's volume is a part, and not the better part, of what one address does.
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

/// Whether an address looks for something: what that moves says less than what it touches.
fn is_search(kind: Kind) -> bool {
    matches!(kind, Kind::Scan | Kind::Sweep)
}

/// Whether packets are as small as probes are.
fn is_of_probes(finding: &Finding) -> bool {
    const LARGEST: u64 = 128;
    finding.counters.bytes <= finding.counters.packets.saturating_mul(LARGEST)
}

/// The probability that an ordinary interval has nothing as surprising.
pub(super) fn probability(surprise: f32) -> f64 {
    (1.0 - 10f64.powf(-f64::from(surprise))).max(0.0)
}
