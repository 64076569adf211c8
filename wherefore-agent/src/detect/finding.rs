//! Findings, as facts. Owns the enums and numbers that the judge passes on; refuses words, which `message`
//! adds.

use std::net::IpAddr;
use std::time::Duration;

use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::Observation;
use crate::detect::detectors::{Test, Verdict};
use crate::detect::methods::Score;
use crate::traffic::group::{GroupBy, reversed};
use crate::traffic::service::Service;

pub use crate::detect::kind::{Kind, Severity, Status};

/// An unusual event in an interval.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The kind of finding.
    pub kind: Kind,
    /// The grouping.
    pub group_by: GroupBy,
    /// The group, without its interface.
    pub group: FlowKey,
    /// The interface.
    pub ifindex: u32,
    /// The group's traffic in the interval.
    pub counters: Counters,
    /// The flow that represents it: the largest one, or for scans, sweeps and floods a typical one.
    pub main_flow: FlowKey,
    /// The points that were judged, the oldest first.
    pub points: Vec<f64>,
    /// How unusual it is, from 0 to 1.
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
    /// It is traffic with a country or an AS that the user named, or that is new.
    Place {
        /// The address in this country or AS with the largest flow.
        peer: IpAddr,
    },
}

/// How rare something is, and the observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rarity {
    /// By its own baseline, it is expected once in 10^surprise intervals on this host.
    pub surprise: f32,
    /// By how often this host had findings of this class that were as surprising, it is expected once in
    /// 10^expected intervals.
    pub expected: f32,
    /// Length of an interval.
    pub interval: Duration,
    /// The number of intervals in which this host was watched.
    pub watched: f32,
    /// The observation.
    pub observed: Observed,
}

/// What was observed, and the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed {
    /// A group, compared with its own history.
    Own(Verdict),
    /// A group's bytes in an interval, compared with those of all groups.
    Among {
        /// The bytes of the group.
        seen: f32,
        /// Bytes that groups rarely exceed.
        usual: f32,
    },
    /// The bytes of a new group since it appeared, compared with similar groups at the same age.
    Newcomer {
        /// The bytes since it appeared.
        seen: f32,
        /// The bytes that similar groups rarely exceed by that age.
        usual: f32,
        /// The number of intervals since it appeared.
        age: u32,
        /// Whether it existed before, long ago.
        is_returning: bool,
    },
    /// How often a new group connects, compared with similar groups at the same age.
    Calls(Calls),
    /// The bytes that a host sent or received in five minutes, compared with the hour before and the same
    /// time of other days.
    Host {
        /// Bytes in the last five minutes.
        seen: f32,
        /// The maximum of the hour before and of the same time of other days.
        usual: f32,
        /// The part of its traffic.
        host: HostSide,
    },
    /// A job that did not come, though it came at this time on each of the last days.
    Missed {
        /// The part of the host's traffic.
        host: HostSide,
        /// The least that it moved in five minutes on one of these days.
        least: f32,
        /// The number of these days.
        days: u32,
        /// The number of intervals between two checks.
        every: u32,
    },
    /// An observation about an address.
    Address(Observation),
}

/// How often a new group connects, or that it does not pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calls {
    /// The number of intervals with traffic; with `by_clock`, of calls that came after the same time.
    pub seen: u32,
    /// The number that similar groups rarely exceed by that age.
    pub usual: f32,
    /// The number of intervals since it appeared.
    pub age: u32,
    /// Whether only calls that came after the same time are counted, because these are what is rare.
    pub by_clock: bool,
    /// Whether it had traffic in most intervals, so that it does not call but continues.
    pub is_on_end: bool,
    /// The bytes since it appeared.
    pub bytes: f32,
}

/// The part of a host's traffic that is judged together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostSide {
    /// The host.
    pub address: IpAddr,
    /// Whether this is the traffic that the host sends; otherwise what it receives.
    pub is_sender: bool,
    /// Whether the peers are on the same side of the network as the host.
    pub is_peer_inside: bool,
    /// The service that is judged; `None` stands for all services together.
    pub service: Option<Service>,
}

/// The subject of an incident: no two open incidents have the same subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// The kind of incident.
    pub kind: Kind,
    /// The grouping.
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

    /// The sort key: first the probability, then the volume.
    pub fn weight(&self) -> (u64, u64) {
        // For numbers that are not negative, the bits have the same order as the numbers.
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
            // New groups and networks had no traffic before.
            Observed::Newcomer { .. } => Some(0.0),
            Observed::Address(_) if self.kind == Kind::NewNetwork => Some(0.0),
            Observed::Own(Verdict { test, usual: bytes, .. }) => match test {
                Test::Volume { intervals } => usual(bytes, intervals),
                Test::Sustained { .. } => usual(bytes, 1),
                _ => None,
            },
            Observed::Calls(_)
            | Observed::Host { .. }
            | Observed::Missed { .. }
            | Observed::Address(_) => None,
        }
    }

    /// The number of intervals for which the finding holds if nothing more is found. Regular bursts, and
    /// findings that come once in several intervals, are not over between two of them.
    pub fn holds(&self) -> u32 {
        match self.rarity().map(|rarity| rarity.observed) {
            Some(Observed::Own(Verdict { test: Test::Regular { period }, .. })) => {
                // An hour of 5 s, or as long as a beacon with a long period needs.
                period.saturating_mul(30).min(720).max(period.saturating_mul(3))
            }
            Some(Observed::Own(Verdict { test: Test::Frequent, .. })) => 128,
            Some(Observed::Calls(Calls { seen, age, .. })) => 3 * (age / seen.max(1)).max(1),
            Some(Observed::Missed { every, .. }) => 2 * every,
            Some(Observed::Address(observed)) if observed.intervals > 1 => 2 * observed.intervals,
            _ => 1,
        }
    }

    /// How urgent it is.
    pub fn severity(&self) -> Severity {
        /// Probabilities of the Go tool's methods above this are almost certain.
        const CERTAIN: f64 = 0.95;
        /// Rarer findings are critical: expected once in this many seconds, which are 30 days.
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
    /// Ordinary traffic is expected to show something as rare once in this many seconds. The number is
    /// limited to what the history supports: ten times the time watched, and a million intervals.
    pub fn expected_seconds(&self) -> f64 {
        10f64.powf(f64::from(self.expected.min(self.claimable()))) * self.interval.as_secs_f64()
    }

    /// Whether it is rarer than the history supports.
    pub fn is_rarer(&self) -> bool {
        self.expected > self.claimable()
    }

    fn claimable(&self) -> f32 {
        /// Beyond this score, ordinary busy traffic is more frequent than the score implies, and a history of
        /// days cannot confirm such rarity.
        const MOST: f32 = 6.0;
        (10.0 * self.watched.max(1.0)).log10().min(MOST)
    }

    /// The return period by the more cautious of both estimates: ordinary traffic of this host is expected to
    /// show an event as rare once in this many seconds.
    pub fn return_seconds(&self) -> f64 {
        10f64.powf(f64::from(self.surprise.min(self.expected))) * self.interval.as_secs_f64()
    }
}
