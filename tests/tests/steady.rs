//! Perfectly constant traffic never alerts: flows that send one packet after another at a fixed
//! period, whatever their number, the packet's size and the interval.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use wherefore_agent::detect::incident::Rules;
use wherefore_agent::options::{EngineSettings, RaritySettings};
use wherefore_agent::traffic::interval::Interval;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};
use wherefore_tests::engine::{alerting, engine_settings, step};

/// Flows that each send a packet of `size` bytes every `period` nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Steady {
    flows: u16,
    size: u64,
    period: u64,
    interval: u64,
    intervals: u64,
    phases: Phases,
    layout: Layout,
    is_answered: bool,
}

/// When flows send their first packet.
#[derive(Debug, Clone, Copy)]
enum Phases {
    Together,
    Spread,
    Random(u64),
}

/// Sources and destinations.
#[derive(Debug, Clone, Copy)]
enum Layout {
    /// All flows between two hosts.
    OnePair,
    /// Each flow from a host of its own to one server.
    OneServer,
    /// Each flow between two hosts of its own.
    Pairs,
}

fn host(net: u8, host: u16) -> [u64; 2] {
    let [high, low] = host.to_be_bytes();
    address_words(IpAddr::V4(Ipv4Addr::new(10, net, high, low))).1
}

impl Steady {
    fn key(&self, flow: u16) -> FlowKey {
        let (src, dst) = match self.layout {
            Layout::OnePair => (host(0, 1), host(1, 1)),
            Layout::OneServer => (host(0, flow), host(1, 1)),
            Layout::Pairs => (host(0, flow), host(1, flow)),
        };
        let sport = 40_000 + flow;
        FlowKey {
            src,
            dst,
            sport,
            dport: 443,
            protocol: 17,
            family: 4,
            ifindex: 7,
            ..FlowKey::default()
        }
    }

    fn phase(&self, flow: u16) -> u64 {
        match self.phases {
            Phases::Together => 0,
            Phases::Spread => self.period * u64::from(flow) / u64::from(self.flows),
            Phases::Random(seed) => {
                fastrand::Rng::with_seed(seed ^ (u64::from(flow) << 32)).u64(0..self.period)
            }
        }
    }

    /// Packets that a flow sent before this moment.
    fn before(&self, flow: u16, moment: u64) -> u64 {
        moment.saturating_sub(self.phase(flow)).div_ceil(self.period)
    }

    fn interval(&self, index: u64) -> Interval {
        let (start, end) = (index * self.interval, (index + 1) * self.interval);
        let mut flows = Vec::new();
        for flow in 0..self.flows {
            let packets = self.before(flow, end) - self.before(flow, start);
            if packets == 0 {
                continue;
            }
            let moved = |bytes| Counters {
                packets,
                bytes,
                device_packets: packets,
                device_bytes: bytes,
                ..Counters::default()
            };
            let key = self.key(flow);
            flows.push((key, moved(packets * self.size)));
            if self.is_answered {
                let FlowKey { src, dst, sport, dport, .. } = key;
                let answer = FlowKey { src: dst, dst: src, sport: dport, dport: sport, ..key };
                flows.push((answer, moved(packets * (self.size / 3 + 40))));
            }
        }
        Interval {
            index: index as i64,
            start_ns: start as i64,
            end_ns: end as i64,
            flows: flows.into(),
            ..Interval::default()
        }
    }

    fn alerts(&self, budget: &str) -> Vec<String> {
        let interval = Duration::from_nanos(self.interval);
        let rarity = RaritySettings::new(budget.parse().unwrap(), &[], interval);
        let rules = Rules { repeat_after: 60, resolve_after: 6, cool_down: 60, limit: None };
        let settings = EngineSettings {
            rarity: Some(rarity),
            rules,
            max_groups: 100_000,
            expire_after: 720,
            ..engine_settings()
        };
        let mut engine = alerting(settings);
        let mut alerts = Vec::new();
        for index in 0..self.intervals {
            let reported = step(&mut engine, &self.interval(index)).alerts;
            alerts.extend(
                reported.iter().map(|alert| format!("{index}: {:?} {}", alert.kind, alert.text)),
            );
        }
        alerts
    }
}

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// The differences between cases: the number of flows, their phases, their ends and whether there
/// are replies.
const SHAPES: [(u16, Phases, Layout, bool); 4] = [
    (1, Phases::Together, Layout::OnePair, false),
    (2, Phases::Spread, Layout::OnePair, true),
    (8, Phases::Together, Layout::OneServer, false),
    (8, Phases::Random(5), Layout::Pairs, true),
];

/// Whether none of these alerts, at these budgets; the others are shown.
fn are_quiet(all: impl IntoIterator<Item = Steady>, budgets: &[&str]) -> bool {
    let mut is_quiet = true;
    for steady in all {
        for budget in budgets {
            if let Some(first) = steady.alerts(budget).first() {
                println!("{steady:?} at {budget}: {first}");
                is_quiet = false;
            }
        }
    }
    is_quiet
}

fn grid(interval: u64, period: u64, intervals: u64) -> impl Iterator<Item = Steady> {
    let shapes = SHAPES.into_iter();
    shapes.flat_map(move |(flows, phases, layout, is_answered)| {
        let sizes = [1_428, 65_000].into_iter();
        sizes.map(move |size| Steady {
            flows,
            size,
            period,
            interval,
            intervals,
            phases,
            layout,
            is_answered,
        })
    })
}

#[test]
fn a_packet_a_second_never_alerts() {
    let long = |size| Steady {
        size,
        intervals: 12_000,
        ..grid(5 * SECOND, SECOND, 0).next().expect("a shape")
    };
    let budgets = ["1/day", "10/day", "1000/day"];
    assert!(are_quiet([long(1_428), long(65_000)], &budgets));
    assert!(are_quiet(grid(5 * SECOND, SECOND, BLOCKS), &budgets));
}

/// Two of the longest blocks, and some more.
const BLOCKS: u64 = 600;
/// With a larger budget, less is needed for an alert.
const MOST: [&str; 1] = ["1000/day"];

#[test]
fn intervals_that_do_not_divide_the_period_do_not_matter() {
    for period in [714_285_714, 990 * MS, 1_001 * MS, 299 * MS] {
        for interval in [300 * MS, SECOND, 5 * SECOND] {
            assert!(are_quiet(grid(interval, period, BLOCKS), &MOST), "{period} in {interval}");
        }
    }
}

#[test]
fn seldom_packets_are_as_constant() {
    for period in [7 * SECOND, 10_100 * MS] {
        for interval in [SECOND, 60 * SECOND] {
            assert!(are_quiet(grid(interval, period, BLOCKS), &MOST), "{period} in {interval}");
        }
    }
}
