//! Why something is unusual, in words: what was seen, what is usual and how rare it is. Owns these
//! sentences, and no others.

use std::net::IpAddr;
use std::time::Duration;

use wherefore_common::flow::address;
use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::{Candidate, Observation, Quantity as AddressQuantity};
use crate::detect::detectors::{Quantity, Test, Verdict};
use crate::detect::finding::{Finding, Grounds, Observed};
use crate::detect::kind::Kind;
use crate::message::alert::Alert;
use crate::text::{Bytes, grouped};
use crate::traffic::group::{GroupBy, network, prefix};

/// Why a finding is unusual; empty where the methods judge, whose figures say it.
pub(super) fn of(finding: &Finding, alert: &Alert) -> String {
    let rarity = match &finding.grounds {
        Grounds::Rarity(rarity) => rarity,
        Grounds::Methods(_) => return String::new(),
        Grounds::Place { peer } => return of_place(*peer, alert),
    };
    let interval = rarity.interval;
    let what = match &rarity.observed {
        Observed::Own(verdict) => departure_from_own(verdict, interval),
        Observed::Among { seen, usual } => format!(
            "{}, where none moves more than {} as a rule",
            Bytes(f64::from(*seen)),
            Bytes(f64::from(*usual))
        ),
        Observed::Newcomer { seen, usual, age, is_returning } => {
            let first =
                if *is_returning { "first traffic in an hour" } else { "first traffic ever" };
            let span = time(f64::from(*age) * interval.as_secs_f64());
            let (seen, usual) = (Bytes(f64::from(*seen)), Bytes(f64::from(*usual)));
            format!("{first}: {seen} in {span}, such new peers usually transfer at most {usual}")
        }
        Observed::Host { seen, usual } => format!(
            "{} in 5 min; at most {} in 5 min of the last hour and at this time of other days",
            Bytes(f64::from(*seen)),
            Bytes(f64::from(*usual))
        ),
        Observed::Address(observed) => {
            let Finding { group_by, group, counters, .. } = finding;
            Address { group_by: *group_by, group, counters, observed, interval }.sentence()
        }
    };
    format!("{what}; {}", how_rare(rarity.surprise, interval))
}

/// Why traffic with a country or an AS is reported.
fn of_place(peer: IpAddr, alert: &Alert) -> String {
    let why = match alert.kind {
        Kind::NewCountry => "the first traffic of this host with this country",
        Kind::NewAsn => "the first traffic of this host with this AS",
        Kind::Country => "traffic with this country is always reported (--alert-country)",
        _ => "traffic with this AS is always reported (--alert-asn)",
    };
    format!("{why}; most of it with {}", alert.ends.destination(&peer.to_string()))
}

/// Why a point of a single series is unusual; `interval` is the time between two points.
pub fn of_verdict(verdict: &Verdict, interval: Duration) -> String {
    if verdict.test == Test::Ordinary {
        return "nothing unusual".to_owned();
    }
    let what = departure_from_own(verdict, interval);
    format!("{what}; {}", how_rare(verdict.score, interval))
}

/// Why an address is unusual; `interval` is the length of an interval.
pub fn of_address(candidate: &Candidate<'_>, interval: Duration) -> String {
    let Candidate { group_by, group, counters, observed, .. } = candidate;
    let address = Address { group_by: *group_by, group, counters, observed, interval };
    format!("{}; {}", address.sentence(), how_rare(candidate.surprise, interval))
}

/// What happened and what is usual, for a person.
fn departure_from_own(verdict: &Verdict, interval: Duration) -> String {
    let times = |intervals: f32| time(f64::from(intervals) * interval.as_secs_f64());
    let (usual, seen) = (octets(verdict.usual), octets(verdict.seen));
    match verdict.test {
        Test::Ordinary => "nothing unusual".to_owned(),
        Test::Volume { intervals } => {
            format!("{seen} in {}, usually {usual} at the most", times(intervals as f32))
        }
        Test::Sustained { intervals } => format!(
            "more than the usual {usual} an interval for {} on end, {seen} in the last",
            times(intervals as f32)
        ),
        Test::Frequent => format!(
            "more than usual in {:.0} of the last 64 intervals, usually in {:.0} at the most",
            verdict.seen, verdict.usual
        ),
        Test::Regular { period } => format!(
            "more than usual every {}, {:.0} times in a row",
            times(period as f32),
            // The first two make the period, which then came again.
            verdict.seen + 2.0
        ),
        Test::Gap if verdict.usual > 0.0 => format!(
            "nothing for {}, silences usually last {} at the most",
            times(verdict.seen),
            times(verdict.usual)
        ),
        Test::Gap => format!("nothing for {}, never silent before", times(verdict.seen)),
        Test::Range { quantity } => limit_passed(verdict, quantity),
        Test::Distribution { intervals } => {
            format!("the last {intervals} intervals are distributed as none before")
        }
    }
}

fn limit_passed(verdict: &Verdict, quantity: Quantity) -> String {
    let what = match quantity {
        Quantity::Value => "the interval's volume",
        Quantity::Mean => "the mean of 26 intervals",
        Quantity::Spread => "the standard deviation of 26 intervals",
        Quantity::Change => "the change over 13 intervals",
    };
    let side = if verdict.seen > verdict.usual { "above the highest" } else { "below the lowest" };
    format!("{what} is {}, {side} so far, {}", octets(verdict.seen), octets(verdict.usual))
}

/// Octets that may be negative, as a change is.
fn octets(value: f32) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", Bytes(f64::from(value.abs())))
}

/// A time in the largest unit of which it has two.
fn time(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] =
        [(365.25 * 86_400.0, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")];
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2.0 * length);
    unit.map_or_else(
        || if seconds.round() == 1.0 { "1 second".into() } else { format!("{seconds:.0} seconds") },
        |(length, unit)| format!("{:.0} {unit}", seconds / length),
    )
}

/// The score up to which rarities were found to be about right; farther out, traffic that is only
/// busy is stranger than a past of days can tell.
const BELIEVED: f32 = 6.0;

/// How often something of this score, or surprise, is due, for a person.
fn how_rare(score: f32, interval: Duration) -> String {
    let seconds = 10f64.powf(f64::from(score.min(BELIEVED))) * interval.as_secs_f64();
    let seldom = if score > BELIEVED { "less than once" } else { "about once" };
    format!("expected {seldom} every {}", time(seconds))
}

/// An address and what was observed of it.
struct Address<'a> {
    group_by: GroupBy,
    group: &'a FlowKey,
    counters: &'a Counters,
    observed: &'a Observation,
    interval: Duration,
}

impl Address<'_> {
    fn sentence(&self) -> String {
        format!("{}, {}", self.what(), self.usually())
    }

    fn what(&self) -> String {
        let (seen, peers) = (count(self.observed.seen), grouped(self.observed.peers));
        let span = time(f64::from(self.observed.intervals) * self.interval.as_secs_f64());
        let (who, packets) = (self.who(), self.packets());
        match self.observed.quantity {
            AddressQuantity::Sources => format!("{seen} sources hit {who} in {span} ({packets})"),
            AddressQuantity::Flows => {
                format!("{seen} flows of {peers} sources hit {who} in {span} ({packets})")
            }
            AddressQuantity::Packets => {
                let bytes = Bytes(self.counters.bytes as f64);
                format!("{seen} packets of {peers} sources hit {who} in {span} ({bytes})")
            }
            AddressQuantity::Unasked => format!(
                "{seen} packets that {who} did not ask for came from {peers} services ({}) in \
                 {span}, {} in all",
                self.service(),
                Bytes(self.counters.bytes as f64)
            ),
            AddressQuantity::Ports if self.observed.peers == 1 => {
                format!("{who} touched {seen} ports of one address in {span} ({packets})")
            }
            AddressQuantity::Ports => {
                format!("{who} touched {seen} ports of {peers} addresses in {span} ({packets})")
            }
            AddressQuantity::Addresses => {
                format!("{who} touched {seen} addresses in {span} ({packets})")
            }
            AddressQuantity::Ratio => format!(
                "{who} sent {} in {span}, {} times what it received",
                Bytes(self.counters.bytes as f64),
                times(self.observed.seen)
            ),
            AddressQuantity::NewNetwork => {
                format!("{} with {who}", Bytes(self.observed.seen))
            }
        }
    }

    fn usually(&self) -> String {
        match self.observed.quantity {
            AddressQuantity::NewNetwork => "which this host never had to do with".to_owned(),
            AddressQuantity::Ratio => {
                format!("usually {} times at the most", times(self.observed.usual))
            }
            _ if self.observed.usual < 0.5 => "usually none".to_owned(),
            _ => format!("usually {} at the most", count(self.observed.usual)),
        }
    }

    fn who(&self) -> String {
        let words = if self.group_by == GroupBy::Src { self.group.src } else { self.group.dst };
        let ip = address(self.group.family, &words);
        if self.observed.quantity == AddressQuantity::NewNetwork {
            return prefix(address(self.group.family, &network(ip)));
        }
        ip.to_string()
    }

    fn packets(&self) -> String {
        let Counters { packets, bytes, .. } = *self.counters;
        let mean = bytes / packets.max(1);
        format!("{} packets of {mean} octets", grouped(packets))
    }

    fn service(&self) -> String {
        if self.observed.port == 0 {
            "tcp".to_owned()
        } else {
            format!("udp {}", self.observed.port)
        }
    }
}

fn count(value: f64) -> String {
    grouped(value.round() as u64)
}

fn times(ratio: f64) -> String {
    if ratio >= 10.0 { count(ratio) } else { format!("{ratio:.2}") }
}
