//! Reports traffic with countries and AS that the user named, or that this host never contacted before. Owns
//! the memory of places; refuses to judge rarity, and so uses none of the budget.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wherefore_common::{Counters, FlowKey};

use crate::attribute::geo::{Country, Geo};
use crate::detect::allow::Allowed;
use crate::detect::finding::{Finding, Grounds, Kind};
use crate::traffic::group::{GroupBy, peer};
use crate::traffic::interval::Interval;

/// The most AS that are remembered; there are some 90,000.
const MOST_SYSTEMS: usize = 100_000;

/// The places to look for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlaceRules {
    /// Countries that are reported in every interval with traffic.
    pub countries: Vec<Country>,
    /// AS that are reported in every interval with traffic.
    pub systems: Vec<u32>,
    /// Whether the first traffic with a country is reported.
    pub new_countries: bool,
    /// Whether the first traffic with an AS is reported.
    pub new_systems: bool,
    /// How long this host is watched before new places are reported, in nanoseconds.
    pub learn_ns: i64,
    /// The fewest bytes in an interval that count.
    pub min_bytes: u64,
}

/// The places that this host has contacted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPlaces {
    /// When watching began.
    pub since_ns: Option<i64>,
    /// Countries.
    pub countries: BTreeSet<Country>,
    /// AS.
    pub systems: BTreeSet<u32>,
}

/// A place that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A country.
    Country(Country),
    /// An AS.
    System(u32),
}

/// Looks for places.
#[derive(Debug, Default, Clone)]
pub struct Places {
    rules: PlaceRules,
    geo: Arc<Geo>,
    seen: SeenPlaces,
    is_changed: bool,
}

/// The traffic to and from a place in an interval.
#[derive(Debug, Default, Clone)]
struct PlaceTraffic {
    counters: Counters,
    ifindex: u32,
    /// The largest flow, with its bytes.
    largest: (u64, FlowKey),
}

impl Places {
    /// Uses these rules from now on.
    pub fn configure(&mut self, rules: PlaceRules, geo: Arc<Geo>) {
        (self.rules, self.geo) = (rules, geo);
    }

    /// Continues with the places that an earlier run has seen.
    pub fn resume(&mut self, seen: SeenPlaces) {
        self.seen = seen;
    }

    /// The places that were seen, if they have changed since the last call.
    pub fn take_changed(&mut self) -> Option<&SeenPlaces> {
        std::mem::take(&mut self.is_changed).then_some(&self.seen)
    }

    /// The places to report for an interval.
    pub fn step(&mut self, interval: &Interval, allow: &[Allowed]) -> Vec<Finding> {
        if !self.rules.is_used() {
            return Vec::new();
        }
        let since_ns = *self.seen.since_ns.get_or_insert_with(|| {
            self.is_changed = true;
            interval.start_ns
        });
        let is_learning = interval.end_ns.saturating_sub(since_ns) <= self.rules.learn_ns;
        let mut findings = Vec::new();
        for (place, traffic) in self.traffic(interval, allow) {
            if traffic.counters.bytes < self.rules.min_bytes.max(1) {
                continue;
            }
            let is_new = self.is_new(place);
            if is_new {
                self.remember(place);
            }
            if self.rules.names(place) {
                findings.push(traffic.finding(place, false));
            } else if is_new && !is_learning {
                findings.push(traffic.finding(place, true));
            }
        }
        findings
    }

    /// The traffic to and from each place that is looked for.
    fn traffic(&self, interval: &Interval, allow: &[Allowed]) -> BTreeMap<Place, PlaceTraffic> {
        let mut all = BTreeMap::<Place, PlaceTraffic>::new();
        for (flow, counters) in interval.flows.iter() {
            let found = self.geo.find(peer(&flow).0);
            let places = [found.country.map(Place::Country), found.asn.map(Place::System)];
            let is_of_interest = |place: &Place| self.rules.names(*place) || self.is_new(*place);
            let mut places = places.into_iter().flatten().filter(is_of_interest).peekable();
            if places.peek().is_some() && !allow.iter().any(|allowed| allowed.covers(&flow)) {
                places.for_each(|place| all.entry(place).or_default().add(&flow, &counters));
            }
        }
        all
    }

    fn is_new(&self, place: Place) -> bool {
        match place {
            Place::Country(country) => {
                self.rules.new_countries && !self.seen.countries.contains(&country)
            }
            Place::System(asn) => self.rules.new_systems && !self.seen.systems.contains(&asn),
        }
    }

    fn remember(&mut self, place: Place) {
        self.is_changed = true;
        match place {
            Place::Country(country) => {
                self.seen.countries.insert(country);
            }
            Place::System(asn) if self.seen.systems.len() < MOST_SYSTEMS => {
                self.seen.systems.insert(asn);
            }
            Place::System(_) => {}
        }
    }
}

impl PlaceRules {
    /// Whether any place is looked for.
    pub fn is_used(&self) -> bool {
        let is_named = !self.countries.is_empty() || !self.systems.is_empty();
        is_named || self.new_countries || self.new_systems
    }

    fn names(&self, place: Place) -> bool {
        match place {
            Place::Country(country) => self.countries.contains(&country),
            Place::System(asn) => self.systems.contains(&asn),
        }
    }
}

impl Place {
    /// The grouping of the place, and its number in it.
    fn group(self) -> (GroupBy, u32) {
        match self {
            Self::Country(country) => (GroupBy::Country, country.number()),
            Self::System(asn) => (GroupBy::Asn, asn),
        }
    }

    fn kind(self, is_new: bool) -> Kind {
        match (self, is_new) {
            (Self::Country(_), false) => Kind::Country,
            (Self::System(_), false) => Kind::Asn,
            (Self::Country(_), true) => Kind::NewCountry,
            (Self::System(_), true) => Kind::NewAsn,
        }
    }
}

impl PlaceTraffic {
    fn add(&mut self, flow: &FlowKey, counters: &Counters) {
        self.counters.merge(counters);
        if counters.bytes >= self.largest.0 {
            self.largest = (counters.bytes, *flow);
            self.ifindex = flow.ifindex;
        }
    }

    fn finding(&self, place: Place, is_new: bool) -> Finding {
        let (group_by, number) = place.group();
        Finding {
            kind: place.kind(is_new),
            group_by,
            group: GroupBy::both_ways(number),
            ifindex: self.ifindex,
            counters: self.counters,
            main_flow: self.largest.1,
            points: vec![self.counters.bytes as f64],
            probability: 1.0,
            threshold: 0.0,
            grounds: Grounds::Place { peer: self.peer() },
            becomes_usual: false,
        }
    }

    /// The address in the place with the largest flow.
    fn peer(&self) -> IpAddr {
        peer(&self.largest.1).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wherefore_common::flow::address_words;

    const SECOND: i64 = 1_000_000_000;

    fn flow(peer: &str, direction: u8) -> FlowKey {
        let words = |address: &str| address_words(address.parse().unwrap()).1;
        let (here, there) = (words("10.0.0.1"), words(peer));
        let (src, dst) = if direction == 1 { (there, here) } else { (here, there) };
        FlowKey { src, dst, family: 4, protocol: 6, ifindex: 2, direction, ..FlowKey::default() }
    }

    fn interval(index: i64, flows: &[(FlowKey, u64)]) -> Interval {
        let counters =
            |bytes| Counters { packets: 1, bytes, device_packets: 1, ..Counters::default() };
        let flows: Vec<_> = flows.iter().map(|(key, bytes)| (*key, counters(*bytes))).collect();
        let (start_ns, end_ns) = (index * 5 * SECOND, (index + 1) * 5 * SECOND);
        Interval { index, start_ns, end_ns, flows: flows.into(), ..Interval::default() }
    }

    fn places(rules: PlaceRules) -> Places {
        let mut places = Places::default();
        let geo = Geo::open(&crate::attribute::geo::GeoChoice::BuiltIn).unwrap();
        places.configure(rules, Arc::new(geo));
        places
    }

    fn kinds(findings: &[Finding]) -> Vec<(Kind, String, u64)> {
        let of = |finding: &Finding| {
            let name = finding.group_by.destination(&finding.group);
            (finding.kind, name, finding.counters.bytes)
        };
        findings.iter().map(of).collect()
    }

    #[test]
    fn a_named_country_is_reported_whenever_more_than_the_minimum_moves() {
        let countries = vec![Country::new("CN").unwrap()];
        let rules = PlaceRules {
            countries,
            systems: vec![15169],
            min_bytes: 1000,
            ..PlaceRules::default()
        };
        let mut places = places(rules);
        let flows = [
            (flow("114.114.114.114", 2), 600),
            (flow("1.2.4.8", 1), 500),
            (flow("8.8.8.8", 2), 999),
        ];
        let findings = places.step(&interval(0, &flows), &[]);
        assert_eq!(kinds(&findings), [(Kind::Country, "CN".to_owned(), 1100)]);
        let Grounds::Place { peer } = findings[0].grounds else { panic!() };
        assert_eq!(peer.to_string(), "114.114.114.114");
        let findings = places.step(&interval(1, &[(flow("8.8.8.8", 2), 1000)]), &[]);
        assert_eq!(kinds(&findings), [(Kind::Asn, "AS15169".to_owned(), 1000)]);
        let allowed = ["8.8.8.8".parse().unwrap()];
        assert!(places.step(&interval(2, &[(flow("8.8.8.8", 2), 1000)]), &allowed).is_empty());
    }

    #[test]
    fn a_new_country_is_reported_once_and_not_while_the_host_is_learned() {
        let rules = PlaceRules {
            new_countries: true,
            learn_ns: 10 * SECOND,
            min_bytes: 1000,
            ..PlaceRules::default()
        };
        let mut places = places(rules);
        assert!(places.step(&interval(0, &[(flow("8.8.8.8", 2), 5000)]), &[]).is_empty());
        let both = [(flow("8.8.8.8", 2), 5000), (flow("1.2.4.8", 1), 999)];
        assert!(places.step(&interval(5, &both), &[]).is_empty(), "below the minimum");
        let findings = places.step(&interval(6, &[(flow("1.2.4.8", 1), 1000)]), &[]);
        assert_eq!(kinds(&findings), [(Kind::NewCountry, "CN".to_owned(), 1000)]);
        assert!(places.step(&interval(7, &[(flow("1.2.4.8", 1), 1000)]), &[]).is_empty());
        let seen = places.take_changed().cloned().unwrap();
        assert!(places.take_changed().is_none());
        places.resume(seen);
        assert!(places.step(&interval(9, &[(flow("1.2.4.8", 1), 1000)]), &[]).is_empty());
    }

    #[test]
    fn private_peers_are_nowhere() {
        let mut places =
            places(PlaceRules { new_countries: true, new_systems: true, ..PlaceRules::default() });
        assert!(places.step(&interval(9, &[(flow("10.0.0.2", 2), 5000)]), &[]).is_empty());
    }
}
