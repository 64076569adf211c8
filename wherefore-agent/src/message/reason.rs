//! Explains why something is unusual: what was seen, the baseline, and how rare it is. Owns these sentences
//! and no others; refuses to compute what they contain.

use std::net::IpAddr;
use std::time::Duration;

use wherefore_common::flow::address;
use wherefore_common::{Counters, FlowKey};

use crate::detect::addresses::{Candidate, Observation, Quantity as AddressQuantity};
use crate::detect::detectors::{Quantity, Test, Verdict};
use crate::detect::finding::{Calls, Finding, Grounds, HostSide, Observed};
use crate::detect::kind::Kind;
use crate::message::alert::Alert;
use crate::text::{self, Bytes, grouped};
use crate::traffic::group::{GroupBy, network, peer as traffic_peer, prefix};
use crate::traffic::service::Service;

/// The reason; empty if the Go tool's methods judge, because the line already shows their figures.
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
            "{} in {}; normally nobody here moves more than {}",
            Bytes(f64::from(*seen)),
            time(interval.as_secs_f64()),
            Bytes(f64::from(*usual))
        ),
        Observed::Newcomer { seen, usual, age, is_returning } => {
            let first = if *is_returning {
                "first traffic between them for an hour or more"
            } else {
                "first traffic between them"
            };
            let span = time(f64::from(*age) * interval.as_secs_f64());
            let (seen, usual) = (Bytes(f64::from(*seen)), Bytes(f64::from(*usual)));
            format!("{seen} in {span}; {first}, and such pairs normally begin with at most {usual}")
        }
        Observed::Calls(observed) => calls(observed, interval),
        Observed::Host { seen, usual, host } => of_host([*seen, *usual], host, finding.group_by),
        Observed::Missed { host, least, days, .. } => missed(host, *least, *days),
        Observed::Address(observed) => {
            let Finding { counters, main_flow: flow, .. } = finding;
            Address { counters, flow, observed, interval }.sentence()
        }
    };
    format!("{what}; {}", expected(rarity.expected_seconds(), rarity.is_rarer()))
}

/// The reason for a pair that appeared recently and keeps connecting, or does not stop.
fn calls(observed: &Calls, interval: Duration) -> String {
    let Calls { seen, usual, age, by_clock, is_on_end, bytes } = *observed;
    let span = |intervals: f64| time(intervals * interval.as_secs_f64());
    let (since, usual) = (span(age.into()), f64::from(usual));
    if is_on_end {
        let moved = Bytes(bytes.into());
        let normally = span(usual);
        return format!(
            "{moved} without a pause since it appeared {since} ago; new pairs normally do so for at \
             most {normally} by then"
        );
    }
    let every = span((f64::from(age) / f64::from(seen.max(1))).round());
    let how = if by_clock { "by a clock, about every" } else { "every" };
    format!(
        "calls {how} {every} since it appeared {since} ago, {} times; such pairs normally do so at most \
         {} times by then",
        grouped(seen.into()),
        count(usual)
    )
}

/// The reason for a host's total traffic. If most of it belongs to one pair, the finding is about this pair.
fn of_host([seen, usual]: [f32; 2], host: &HostSide, group_by: GroupBy) -> String {
    let (seen, usual) = (Bytes(f64::from(seen)), Bytes(f64::from(usual)));
    let (course, whence) = if host.is_sender { ("sent", "to") } else { ("received", "from") };
    let side = if host.is_peer_inside { "inside" } else { "outside" };
    let by = host.service.map(|service| format!(" by {}", service_name(service)));
    let all = format!("{course} {whence} addresses {side}{} in 5 minutes", by.unwrap_or_default());
    let what = match group_by {
        GroupBy::Pair => format!("most of the {seen} that {} {all}", host.address),
        _ => format!("{seen} {all}"),
    };
    format!("{what}; normally at most {usual}, by the last hour and this time of other days")
}

/// The reason for a job that did not come.
fn missed(host: &HostSide, least: f32, days: u32) -> String {
    let (course, whence) = if host.is_sender { ("sent", "to") } else { ("received", "from") };
    let side = if host.is_peer_inside { "inside" } else { "outside" };
    let by =
        host.service.map_or_else(String::new, |service| format!(" by {}", service_name(service)));
    let least = Bytes(f64::from(least));
    format!(
        "almost nothing {course} {whence} addresses {side}{by} in the last 3 hours; at this time it was at \
         least {least} in 5 minutes on each of the last {days} days"
    )
}

/// A service, for people: `22/tcp`.
fn service_name(Service { protocol, port }: Service) -> String {
    let name = text::protocol(protocol);
    match port {
        0 => name,
        port => format!("{port}/{name}"),
    }
}

/// The reason for an alert about a country or an AS.
fn of_place(peer: IpAddr, alert: &Alert) -> String {
    let why = match alert.kind {
        Kind::NewCountry => "the first traffic of this host with this country",
        Kind::NewAsn => "the first traffic of this host with this AS",
        Kind::Country => "traffic with this country is always reported (--alert-country)",
        _ => "traffic with this AS is always reported (--alert-asn)",
    };
    format!("{why}; most of it with {}", alert.ends.destination(&peer.to_string()))
}

/// The reason for a point of a single series; `interval` is the time between two points.
pub fn of_verdict(verdict: &Verdict, interval: Duration) -> String {
    if verdict.test == Test::Ordinary {
        return "nothing unusual".to_owned();
    }
    let what = departure_from_own(verdict, interval);
    format!("{what}; {}", how_rare(verdict.score, interval))
}

/// The reason for an address; `interval` is the length of an interval.
pub fn of_address(candidate: &Candidate<'_>, interval: Duration) -> String {
    let Candidate { counters, main_flow: flow, observed, .. } = candidate;
    let address = Address { counters, flow, observed, interval };
    format!("{}; {}", address.sentence(), how_rare(candidate.surprise, interval))
}

/// The observation and the baseline, as a sentence.
fn departure_from_own(verdict: &Verdict, interval: Duration) -> String {
    let times = |intervals: f32| time(f64::from(intervals) * interval.as_secs_f64());
    let (usual, seen) = (bytes_text(verdict.usual), bytes_text(verdict.seen));
    match verdict.test {
        Test::Ordinary => "nothing unusual".to_owned(),
        Test::Volume { intervals } => {
            format!("{seen} in {}; normally at most {usual}", times(intervals as f32))
        }
        Test::Sustained { intervals } => format!(
            "{seen} in {}, above normal for {} without a break; normally at most {usual}",
            times(1.0),
            times(intervals as f32)
        ),
        Test::Frequent => format!(
            "above normal during {} of the last {}; normally during at most {}",
            times(verdict.seen),
            times(64.0),
            times(verdict.usual)
        ),
        Test::Regular { period } => format!(
            "a burst every {}, {:.0} times in a row; normally without a rhythm",
            times(period as f32),
            // The first two bursts define the period; `seen` counts the bursts after them.
            verdict.seen + 2.0
        ),
        Test::Gap if verdict.usual > 0.0 => format!(
            "nothing for {}; its pauses normally last at most {}",
            times(verdict.seen),
            times(verdict.usual)
        ),
        Test::Gap => format!("nothing for {}; it never paused before", times(verdict.seen)),
        Test::Range { quantity } => limit_passed(verdict, quantity, interval),
        Test::Distribution { intervals } => {
            format!("traffic of the last {} is unlike any before", times(intervals as f32))
        }
    }
}

/// A limit that an interface exceeded for the first time. The time spans are those of [`Quantity`].
fn limit_passed(verdict: &Verdict, quantity: Quantity, interval: Duration) -> String {
    let span = |intervals: u32| time(f64::from(intervals) * interval.as_secs_f64());
    let (seen, limit) = (bytes_text(verdict.seen.abs()), bytes_text(verdict.usual.abs()));
    let is_more = verdict.seen > verdict.usual;
    let never = if is_more { "never more than" } else { "never less than" };
    match quantity {
        Quantity::Value => format!("{seen} in {}; {never} {limit} before", span(1)),
        Quantity::Mean => {
            format!("{seen} in {}, the mean of {}; {never} {limit} before", span(1), span(26))
        }
        Quantity::Spread => {
            format!("varies by {seen} within {}; {never} {limit} before", span(26))
        }
        Quantity::Change if is_more == (verdict.seen > 0.0) => {
            let course = if is_more { "rose" } else { "fell" };
            format!("{course} by {seen} within {}; never by more than {limit} before", span(13))
        }
        Quantity::Change => {
            format!("changed by {seen} within {}; never by less than {limit} before", span(13))
        }
    }
}

/// Formats a number of bytes, which may be negative if it is a change.
fn bytes_text(value: f32) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", Bytes(f64::from(value.abs())))
}

/// A time in the largest unit in which it is at least two.
fn time(seconds: f64) -> String {
    const UNITS: [(f64, &str); 4] =
        [(365.25 * 86_400.0, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")];
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2.0 * length);
    unit.map_or_else(
        || if seconds.round() == 1.0 { "1 second".into() } else { format!("{seconds:.0} seconds") },
        |(length, unit)| format!("{:.0} {unit}", seconds / length),
    )
}

/// The highest score whose return period is reported. Beyond it, ordinary busy traffic is more frequent than
/// the score implies, and a history of some days cannot confirm such rarity.
const BELIEVED: f32 = 6.0;

/// How often a point with this score is expected in a series of its own.
fn how_rare(score: f32, interval: Duration) -> String {
    let seconds = 10f64.powf(f64::from(score.min(BELIEVED))) * interval.as_secs_f64();
    expected(seconds, score > BELIEVED)
}

fn expected(seconds: f64, is_less: bool) -> String {
    let seldom = if is_less { "less than once" } else { "about once" };
    format!("expected {seldom} every {}", time(seconds))
}

/// An observation about an address.
struct Address<'a> {
    counters: &'a Counters,
    /// The flow that represents it.
    flow: &'a FlowKey,
    observed: &'a Observation,
    interval: Duration,
}

impl Address<'_> {
    fn sentence(&self) -> String {
        format!("{}; {}", self.what(), self.normally())
    }

    fn what(&self) -> String {
        let (seen, peers) = (count(self.observed.seen), grouped(self.observed.peers));
        let span = time(f64::from(self.observed.intervals) * self.interval.as_secs_f64());
        let (packets, bytes) = (self.packets(), Bytes(self.counters.bytes as f64));
        let protocol = text::protocol(self.flow.protocol);
        match self.observed.quantity {
            AddressQuantity::Sources => format!("{seen} sources in {span} ({packets})"),
            AddressQuantity::Flows => {
                format!("{seen} flows from {peers} sources in {span} ({packets})")
            }
            AddressQuantity::Packets => {
                format!("{seen} packets from {peers} sources in {span} ({bytes})")
            }
            AddressQuantity::Unasked => {
                let service = self.service();
                format!(
                    "{seen} answers from {service} that this host did not request in {span} ({bytes})"
                )
            }
            AddressQuantity::Ports => {
                format!("{seen} {} ports in {span} ({packets})", protocol.to_uppercase())
            }
            AddressQuantity::Addresses if self.flow.dport == 0 => {
                format!("{seen} addresses by {protocol} in {span} ({packets})")
            }
            AddressQuantity::Addresses => {
                let port = self.flow.dport;
                format!("{seen} addresses in {span}, most at {port}/{protocol} ({packets})")
            }
            AddressQuantity::Ratio => {
                let ratio = times(self.observed.seen);
                format!("{bytes} sent in {span}, {ratio} times what was received")
            }
            AddressQuantity::NewNetwork => Bytes(self.observed.seen).to_string(),
        }
    }

    fn normally(&self) -> String {
        match self.observed.quantity {
            AddressQuantity::NewNetwork => {
                format!("first traffic of this host with {}", self.network())
            }
            AddressQuantity::Ratio => {
                format!("normally at most {} times", times(self.observed.usual))
            }
            _ if self.observed.usual < 0.5 => "normally none".to_owned(),
            _ => format!("normally at most {}", count(self.observed.usual)),
        }
    }

    /// The network of the end that is not this host's.
    fn network(&self) -> String {
        let (peer, _) = traffic_peer(self.flow);
        prefix(address(self.flow.family, &network(peer)))
    }

    fn packets(&self) -> String {
        let Counters { packets, bytes, .. } = *self.counters;
        let mean = bytes / packets.max(1);
        format!("{} packets of {mean} bytes", grouped(packets))
    }

    fn service(&self) -> String {
        match self.observed.port {
            0 => "tcp services".to_owned(),
            port => format!("{port}/udp"),
        }
    }
}

fn count(value: f64) -> String {
    grouped(value.round() as u64)
}

fn times(ratio: f64) -> String {
    if ratio >= 10.0 { count(ratio) } else { format!("{ratio:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    fn passed(quantity: Quantity, usual: f32, seen: f32) -> String {
        let test = Test::Range { quantity };
        departure_from_own(&Verdict { score: 5.0, test, usual, seen }, INTERVAL)
    }

    #[test]
    fn a_departure_has_its_quantity_and_its_span() {
        assert_eq!(
            passed(Quantity::Value, 4.2e6, 30.9e6),
            "30.9 MB in 5 seconds; never more than 4.2 MB before"
        );
        assert_eq!(
            passed(Quantity::Mean, 4.2e6, 1e6),
            "1.0 MB in 5 seconds, the mean of 2 minutes; never less than 4.2 MB before"
        );
        assert_eq!(
            passed(Quantity::Change, 4.2e6, 30.9e6),
            "rose by 30.9 MB within 65 seconds; never by more than 4.2 MB before"
        );
        assert_eq!(
            passed(Quantity::Change, -4.2e6, -30.9e6),
            "fell by 30.9 MB within 65 seconds; never by more than 4.2 MB before"
        );
    }

    #[test]
    fn the_total_of_a_host_is_not_said_to_be_that_of_a_pair() {
        let address = [10, 0, 1, 10].into();
        let host = HostSide { address, is_sender: false, is_peer_inside: false, service: None };
        let said = |group_by| of_host([25e6, 15.4e6], &host, group_by);
        let normally = "; normally at most 15.4 MB, by the last hour and this time of other days";
        let all = "received from addresses outside in 5 minutes";
        assert_eq!(said(GroupBy::Dst), format!("25.0 MB {all}{normally}"));
        let pair = format!("most of the 25.0 MB that 10.0.1.10 {all}{normally}");
        assert_eq!(said(GroupBy::Pair), pair);
    }
}
