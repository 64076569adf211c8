//! Findings, as facts. Owns the enums and numbers that the judge passes on; refuses words:
//! `message` renders them.

use std::net::IpAddr;
use std::time::Duration;

use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::Observation;
use crate::detect::detectors::{Test, Verdict};
use crate::detect::methods::Score;
use crate::traffic::group::{GroupBy, reversed};

pub use crate::detect::kind::{Kind, Severity, Status};

/// An unusual event in an interval.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The kind of finding.
    pub kind: Kind,
    /// How its group is named.
    pub group_by: GroupBy,
    /// The group, its interface cleared.
    pub group: FlowKey,
    /// The interface.
    pub ifindex: u32,
    /// The group's traffic in the interval.
    pub counters: Counters,
    /// The flow that represents it: the largest one, or for scans, sweeps and floods a typical one.
    pub main_flow: FlowKey,
    /// The points that were judged, oldest first.
    pub points: Vec<f64>,
    /// How unusual.
    pub probability: f64,
    /// The probability above which it is reported.
    pub threshold: f64,
    /// The reason why it is unusual.
    pub grounds: Grounds,
    /// Whether it has lasted so long that it became the baseline.
    pub becomes_usual: bool,
}

/// The reason why something is unusual.
#[derive(Debug, Clone)]
pub enum Grounds {
    /// It is rare on this host.
    Rarity(Rarity),
    /// Found by the Go tool's methods.
    Methods(Score),
    /// Traffic with a country or an AS that the user named, or that is new.
    Place {
        /// The address there with the largest flow.
        peer: IpAddr,
    },
}

/// How rare something is, and by which observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rarity {
    /// Expected once in 10^surprise intervals of this host, compared with its own baseline.
    pub surprise: f32,
    /// Expected once in 10^expected intervals, by how often this host had findings of this class that
    /// were as surprising.
    pub expected: f32,
    /// Length of an interval.
    pub interval: Duration,
    /// Intervals in which this host was watched.
    pub watched: f32,
    /// The observation.
    pub observed: Observed,
}

/// The observation, and the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed {
    /// A group, against its own history.
    Own(Verdict),
    /// A group's bytes in an interval, against those of all groups.
    Among {
        /// Bytes that it moved.
        seen: f32,
        /// Bytes that groups rarely exceed.
        usual: f32,
    },
    /// The bytes of a new group since it appeared, compared with similar ones at the same age.
    Newcomer {
        /// Bytes that it moved since it appeared.
        seen: f32,
        /// Bytes that similar groups rarely exceed by that age.
        usual: f32,
        /// Intervals since it appeared.
        age: u32,
        /// Whether it existed before, long ago.
        is_returning: bool,
    },
    /// How a new group keeps calling, compared with similar ones at the same age.
    Calls(Calls),
    /// The bytes that a host sent or received in five minutes, by the hour before and the same time of other days.
    Host {
        /// Bytes in the last five minutes.
        seen: f32,
        /// The maximum of the hour before and of the same time of other days.
        usual: f32,
        /// Which of its traffic.
        host: HostSide,
    },
    /// An address.
    Address(Observation),
}

/// How a new group keeps calling, or goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calls {
    /// Intervals in which it moved anything, or calls that came after the same time.
    pub seen: u32,
    /// How many of these similar groups rarely exceed by that age.
    pub usual: f32,
    /// Intervals since it appeared.
    pub age: u32,
    /// Whether only calls that came after the same time count, as these are what is rare.
    pub by_clock: bool,
    /// Whether it moved something in most intervals: it does not call, it goes on.
    pub is_on_end: bool,
    /// Bytes that it moved since it appeared.
    pub bytes: f32,
}

/// What of a host's traffic is judged together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostSide {
    /// The host.
    pub address: IpAddr,
    /// Whether it is sent traffic, not received traffic.
    pub is_sender: bool,
    /// Whether its peers there are on this side.
    pub is_peer_inside: bool,
}

/// The subject of an incident: no two open incidents have the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The kind of incident.
    pub kind: Kind,
    /// How the group is named.
    pub group_by: GroupBy,
    /// The group. Its interface is cleared, unless the group is an interface.
    pub group: FlowKey,
}

impl Subject {
    /// The subject of a group that was found at this interface.
    pub fn new(kind: Kind, group_by: GroupBy, group: &FlowKey, ifindex: u32) -> Self {
        let ifindex = if group_by == GroupBy::Interface { ifindex } else { 0 };
        Self { kind, group_by, group: FlowKey { ifindex, ..*group } }
    }

    /// The summary of the incidents that the rate limit holds back.
    pub fn digest(group_by: GroupBy) -> Self {
        Self { kind: Kind::Digest, group_by, group: FlowKey::default() }
    }

    /// The reverse direction.
    pub fn reversed(&self) -> Self {
        Self { group: reversed(&self.group), ..*self }
    }
}

impl Finding {
    /// The subject of the finding.
    pub fn subject(&self) -> Subject {
        Subject::new(self.kind, self.group_by, &self.group, self.ifindex)
    }

    /// Orders findings: first by probability, then by volume.
    pub fn weight(&self) -> (u64, u64) {
        // For numbers that are not negative, the bits have the order of the numbers.
        (self.probability.max(0.0).to_bits(), self.counters.bytes)
    }

    /// How rare it is, unless the Go tool's methods found it.
    pub fn rarity(&self) -> Option<&Rarity> {
        match &self.grounds {
            Grounds::Rarity(rarity) => Some(rarity),
            Grounds::Methods(_) | Grounds::Place { .. } => None,
        }
    }

    /// The baseline in bytes an interval, if the finding has one.
    pub fn usual_bytes(&self) -> Option<f64> {
        let usual =
            |bytes: f32, intervals: u32| Some(f64::from(bytes) / f64::from(intervals.max(1)));
        match self.rarity()?.observed {
            Observed::Among { usual: bytes, .. } => usual(bytes, 1),
            // A new group has no baseline.
            Observed::Newcomer { .. } => Some(0.0),
            Observed::Own(Verdict { test, usual: bytes, .. }) => match test {
                Test::Volume { intervals } => usual(bytes, intervals),
                Test::Sustained { .. } => usual(bytes, 1),
                _ => None,
            },
            Observed::Calls(_) | Observed::Host { .. } | Observed::Address(_) => None,
        }
    }

    /// Intervals for which it holds if nothing more is found: regular bursts, and findings that come
    /// once in several intervals, are not over between two of them.
    pub fn holds(&self) -> u32 {
        match self.rarity().map(|rarity| rarity.observed) {
            Some(Observed::Own(Verdict { test: Test::Regular { period }, .. })) => {
                // An hour of 5 s, or as long as a beacon with a long period needs.
                period.saturating_mul(30).min(720).max(period.saturating_mul(3))
            }
            Some(Observed::Own(Verdict { test: Test::Frequent, .. })) => 128,
            Some(Observed::Calls(Calls { seen, age, .. })) => 3 * (age / seen.max(1)).max(1),
            Some(Observed::Address(observed)) if observed.intervals > 1 => 2 * observed.intervals,
            _ => 1,
        }
    }

    /// How urgent it is.
    pub fn severity(&self) -> Severity {
        /// Probabilities of the methods that are almost certain.
        const CERTAIN: f64 = 0.95;
        /// Expected once in this many seconds: 30 days.
        const RARE: f64 = 30.0 * 24.0 * 3600.0;
        if matches!(self.grounds, Grounds::Place { .. }) {
            return Severity::Warning;
        }
        let is_certain = self
            .rarity()
            .map_or(self.probability >= CERTAIN, |rarity| rarity.return_seconds() >= RARE);
        if is_certain { Severity::Critical } else { Severity::Warning }
    }
}

impl Rarity {
    /// In how many seconds ordinary traffic is expected to show something as rare once, as far as that can
    /// be claimed: at most ten times the time watched, and a million intervals.
    pub fn expected_seconds(&self) -> f64 {
        10f64.powf(f64::from(self.expected.min(self.claimable()))) * self.interval.as_secs_f64()
    }

    /// Whether it is rarer than can be claimed.
    pub fn is_rarer(&self) -> bool {
        self.expected > self.claimable()
    }

    fn claimable(&self) -> f32 {
        /// Beyond this score, merely busy traffic looks stranger than a history of days can confirm.
        const MOST: f32 = 6.0;
        (10.0 * self.watched.max(1.0)).log10().min(MOST)
    }

    /// The return period, by the more cautious of both: ordinary traffic of this host shows an event as
    /// rare once in this many seconds.
    pub fn return_seconds(&self) -> f64 {
        10f64.powf(f64::from(self.surprise.min(self.expected))) * self.interval.as_secs_f64()
    }
}
