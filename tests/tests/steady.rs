//! Perfectly constant traffic never alerts: flows that send one packet after another at a fixed
//! period, whatever their number, the packet's size and the interval.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use wherefore_agent::config::{EngineSettings, RaritySettings};
use wherefore_agent::engine::Engine;
use wherefore_agent::incident::Rules;
use wherefore_agent::interval::Interval;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};
use wherefore_tests::engine::{engine_settings, step};

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

/// Who sends to whom.
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
        let mut engine = Engine::new(settings).unwrap();
        let mut alerts = Vec::new();
        for index in 0..self.intervals {
            let told = step(&mut engine, &self.interval(index)).alerts;
            alerts.extend(
                told.iter().map(|alert| format!("{index}: {:?} {}", alert.kind, alert.text)),
            );
        }
        alerts
    }
}

const MS: u64 = 1_000_000;

#[test]
fn explore() {
    let mut bad = 0;
    let mut all = 0;
    let start = std::time::Instant::now();
    let periods = [
        1_000_000_000,
        714_285_714,
        714_286_000,
        990 * MS,
        1_001 * MS,
        999 * MS,
        1_250 * MS,
        100 * MS,
        333_333_333,
        7_000 * MS,
        4_990 * MS,
        5_010 * MS,
        20 * MS,
        1_100 * MS,
        3_300 * MS,
        30_000 * MS,
        61_000 * MS,
        300 * MS,
        301 * MS,
        299 * MS,
        10_100 * MS,
        15_050 * MS,
    ];
    let full = std::env::var_os("STEADY_FULL").is_some();
    for interval in [5_000 * MS, 300 * MS, 1_000 * MS, 60_000 * MS] {
        for period in periods {
            for size in [60, 1_428, 65_000] {
                for flows in [1, 2, 12, 100] {
                    if !full && flows == 100 {
                        continue;
                    }
                    for (phases, layout, is_answered) in [
                        (Phases::Together, Layout::OneServer, false),
                        (Phases::Spread, Layout::OnePair, true),
                        (Phases::Random(5), Layout::Pairs, true),
                    ] {
                        for budget in ["10/day", "1000/day"] {
                            let intervals = if full { 10_000 } else { 2_000 };
                            let steady = Steady {
                                flows,
                                size,
                                period,
                                interval,
                                intervals,
                                phases,
                                layout,
                                is_answered,
                            };
                            let alerts = steady.alerts(budget);
                            all += 1;
                            if let Some(first) = alerts.first() {
                                bad += 1;
                                println!("{} {steady:?} {budget} {first}", alerts.len());
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{bad} of {all} in {:?}", start.elapsed());
}
