//! What is rare about an interval of a group, an address or an interface, and which of these explains
//! which. Owns the words and the figures of a finding; refuses to judge.

use std::time::Duration;

use super::rarity::Rules;
use crate::addresses::Candidate;
use crate::alert::Kind;
use crate::detect::{Test, Verdict, how_rare};
use crate::group::GroupBy;
use crate::text::Bytes;
use crate::wording::{Finding, Rareness};

/// What is rare about a group's interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) surprise: f32,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// By the group's own past.
    Own(Verdict),
    /// By what is usual among all groups, in octets.
    Among { seen: f32, usual: f32 },
    /// By what is usual among young groups, in octets.
    Newcomer { seen: f32, usual: f32 },
}

impl Found {
    /// Whether it is about more than trifles; `value` are the octets of the interval.
    pub(super) fn counts(&self, value: f64, rules: Rules) -> bool {
        let (seen, usual) = match self.what {
            What::Newcomer { seen, .. } | What::Among { seen, .. } => (seen, 0.0),
            What::Own(verdict) => match verdict.test {
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
            What::Among { seen, .. } | What::Newcomer { seen, .. } => Some((1, seen)),
            What::Own(Verdict { test: Test::Volume { intervals }, seen, .. }) => {
                Some((intervals, seen))
            }
            What::Own(_) => None,
        }
    }

    pub(super) fn rarity(self, interval: Duration) -> Rareness {
        let what = match self.what {
            What::Own(verdict) => verdict.what(interval),
            What::Among { seen, usual } => format!(
                "{}, where none moves more than {} as a rule",
                Bytes(f64::from(seen)),
                Bytes(f64::from(usual))
            ),
            What::Newcomer { seen, usual } => format!(
                "{} where nothing was before; what is new here moves {} at the most",
                Bytes(f64::from(seen)),
                Bytes(f64::from(usual))
            ),
        };
        let due_seconds = due_seconds(self.surprise, interval);
        Rareness { due_seconds, reason: format!("{what}; {}", how_rare(self.surprise, interval)) }
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

/// How many seconds pass until the host is due to show something as surprising.
pub(super) fn due_seconds(surprise: f32, interval: Duration) -> f64 {
    10f64.powf(f64::from(surprise)) * interval.as_secs_f64()
}

/// The probability that an ordinary interval has nothing as surprising.
pub(super) fn probability(surprise: f32) -> f64 {
    (1.0 - 10f64.powf(-f64::from(surprise))).max(0.0)
}
