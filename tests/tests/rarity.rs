//! Detection by rarity, through the library: each kind of finding, the budget, and the baselines after an
//! incident and after a restart. Traffic is invented, and the same each time.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use wherefore_agent::detect::incident::Rules;
use wherefore_agent::message::Alerting;
use wherefore_agent::message::alert::{Alert, Kind, Status};
use wherefore_agent::options::{EngineSettings, RaritySettings};
use wherefore_agent::output::state::State;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};
use wherefore_tests::command::Scratch;
use wherefore_tests::engine::{alerting, engine_settings, interval, kinds, rarity, step};

#[path = "rarity/events.rs"]
mod events;

type Flows = Vec<(FlowKey, Counters)>;

const TCP: u8 = 6;
const UDP: u8 = 17;
const SYN: u64 = 2;
const ACK: u64 = 16;
const DAY: i64 = 17_280;

fn settings(rarity: RaritySettings) -> EngineSettings {
    let rules = Rules { repeat_after: 60, resolve_after: 6, cool_down: 60, limit: None };
    let learn_after = 720;
    EngineSettings {
        rarity: Some(rarity),
        rules,
        learn_after,
        max_groups: 100_000,
        expire_after: 720,
        ..engine_settings()
    }
}

fn engine(budget: &str) -> Alerting {
    alerting(settings(rarity(budget)))
}

fn host(net: u8, host: u16) -> [u64; 2] {
    let [high, low] = host.to_be_bytes();
    address_words(IpAddr::V4(Ipv4Addr::new(10, net, high, low))).1
}

fn flow(src: [u64; 2], dst: [u64; 2], sport: u16, dport: u16, protocol: u8) -> FlowKey {
    FlowKey { src, dst, sport, dport, protocol, family: 4, ifindex: 7, ..FlowKey::default() }
}

fn moved(bytes: u64, packets: u64, tcp_flags: u64) -> Counters {
    Counters { bytes, packets, device_packets: packets, tcp_flags, ..Counters::default() }
}

/// Bytes of a noisy but ordinary flow: log-normal, by a generator of its own.
struct Noise(fastrand::Rng);

impl Noise {
    fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    fn bytes(&mut self, median: f64, spread: f64) -> u64 {
        let normal = (0..12).map(|_| self.0.f64()).sum::<f64>() - 6.0;
        (median * (spread * normal).exp()) as u64
    }
}

/// The traffic of a small office: `pairs` clients that talk to one server all the time, with
/// replies.
fn office(noise: &mut Noise, pairs: u16) -> Flows {
    let server = host(1, 1);
    let talk = |client: u16| {
        let bytes = noise.bytes(20_000.0 * f64::from(1 + client % 7), 0.6);
        let up = flow(host(0, client), server, 40_000 + client, 443, TCP);
        let down = flow(server, host(0, client), 443, 40_000 + client, TCP);
        let flags = SYN | ACK;
        let packets = bytes / 1000 + 1;
        [(up, moved(bytes / 8 + 100, packets, flags)), (down, moved(bytes, packets, flags))]
    };
    (0..pairs).flat_map(talk).collect()
}

/// Runs an office for this many intervals; `more` adds to an interval or removes from it.
fn run(
    engine: &mut Alerting,
    from: i64,
    to: i64,
    mut more: impl FnMut(i64, &mut Flows),
) -> Vec<(i64, Alert)> {
    let mut noise = Noise::new(1 + from as u64);
    let mut reported = Vec::new();
    for index in from..to {
        let mut flows = office(&mut noise, 12);
        more(index, &mut flows);
        let alerts = step(engine, &interval(index, flows)).alerts;
        reported.extend(alerts.into_iter().map(|alert| (index, alert)));
    }
    reported
}

fn firing(reported: &[(i64, Alert)]) -> Vec<(i64, Kind, &str, &str)> {
    let begun = reported.iter().filter(|(_, alert)| alert.status == Status::Firing);
    begun.map(|(at, alert)| (*at, alert.kind, &*alert.src, &*alert.dst)).collect()
}

fn nothing(_: i64, _: &mut Flows) {}

/// Traffic of `pattern` intervals alternating with none; `is_explicit` also passes the quiet ones.
fn with_gaps(pattern: &[(i64, i64)], is_explicit: bool) -> Vec<Alert> {
    let mut engine = engine("100/day");
    let (mut noise, mut reported, mut at) = (Noise::new(9), Vec::new(), 0);
    for (number, (busy, gap)) in pattern.iter().enumerate() {
        for index in at..at + busy {
            let pairs = [12, 3, 1][number % 3];
            let mut flows = office(&mut noise, pairs);
            // Now and then something that no gap may hide, or make up.
            if index % 97 == 5 {
                let new = flow(host(0, 1), host(9, number as u16), 50_000, 443, TCP);
                flows.push((new, moved(90_000_000, 60_000, SYN | ACK)));
            }
            reported.extend(step(&mut engine, &interval(index, flows)).alerts);
        }
        at += busy;
        for index in (at..at + gap).filter(|_| is_explicit) {
            reported.extend(step(&mut engine, &interval(index, Vec::new())).alerts);
        }
        at += gap;
    }
    reported.extend(step(&mut engine, &interval(at, office(&mut noise, 12))).alerts);
    reported
}

#[test]
fn skipping_gaps_equals_judging_each_interval() {
    let patterns: [&[(i64, i64)]; 5] = [
        &[(300, 100), (40, 700), (1, 725), (200, 30), (1, 1), (1, 63), (60, 300)],
        &[(1, 400); 30],
        &[(3, 17), (5, 250), (9, 64), (30, 65), (1, 720), (2, 719)],
        &[(600, 60), (1, 500), (300, 726), (300, 15), (20, 726)],
        &[(10, 1), (10, 2), (10, 3), (10, 4), (150, 40), (10, 15), (10, 16), (10, 17)],
    ];
    for pattern in patterns {
        let (at_once, each) = (with_gaps(pattern, false), with_gaps(pattern, true));
        assert_eq!(at_once, each, "{pattern:?}");
    }
}

#[test]
fn ordinary_traffic_keeps_to_the_budget() {
    for (budget, most) in [("10/day", 20), ("100/day", 200)] {
        let reported = run(&mut engine(budget), 0, DAY, nothing);
        let begun = firing(&reported).len();
        assert!(begun <= most, "{begun} at {budget}");
    }
}

#[test]
fn an_incident_that_grows_tenfold_is_reported_again_within_a_minute() {
    let client = host(0, 3);
    let reported = run(&mut engine("10/day"), 0, 1000, |index, flows| {
        let bytes = match index {
            900..910 => 300_000_000,
            910..916 => 600_000_000,
            916..920 => 6_000_000_000,
            _ => return,
        };
        let burst = flow(client, host(1, 1), 50_000, 443, TCP);
        flows.push((burst, moved(bytes, bytes / 1500, ACK)));
    });
    let about_it = reported.iter().filter(|(at, alert)| *at >= 900 && alert.src == "10.0.0.3");
    let course: Vec<_> = about_it.map(|(at, alert)| (*at, alert.status)).collect();
    let [began, grown, over] = course[..] else { panic!("{course:?}") };
    assert_eq!([began, grown], [(900, Status::Firing), (916, Status::Update)]);
    assert_eq!(over.1, Status::Resolved);
}

#[test]
fn of_two_directions_the_larger_is_reported_in_any_order() {
    let (here, there) = (host(0, 1), host(1, 1));
    for is_answer_first in [false, true] {
        let mut engine = engine("10/day");
        let mut reported = Vec::new();
        for index in 0..25 {
            let (sent, answered) = if index == 20 { (208_000_000, 161_000) } else { (2600, 2600) };
            let mut flows = vec![
                (flow(here, there, 50_000, 5000, TCP), moved(sent, sent / 1500 + 10, ACK)),
                (flow(there, here, 5000, 50_000, TCP), moved(answered, answered / 52 + 10, ACK)),
            ];
            if is_answer_first {
                flows.reverse();
            }
            reported.extend(step(&mut engine, &interval(index, flows)).alerts);
        }
        let begun = reported.iter().filter(|alert| alert.status == Status::Firing);
        let begun: Vec<_> = begun.map(|alert| (&*alert.src, &*alert.dst)).collect();
        assert_eq!(begun, [("10.0.0.1", "10.1.0.1")], "{is_answer_first}");
    }
}

#[test]
fn a_burst_of_one_pair_is_one_incident_with_a_reason() {
    let client = host(0, 3);
    let reported = run(&mut engine("10/day"), 0, 1000, |index, flows| {
        if (900..906).contains(&index) {
            let burst = flow(client, host(1, 1), 50_000, 443, TCP);
            flows.push((burst, moved(900_000_000, 600_000, ACK)));
        }
    });
    let about_it: Vec<_> = firing(&reported).into_iter().filter(|one| one.0 >= 900).collect();
    assert_eq!(about_it, [(900, Kind::Volume, "10.0.0.3", "10.1.0.1")]);
    let (_, alert) =
        reported.iter().find(|(at, alert)| *at == 900 && alert.methods.is_empty()).unwrap();
    assert!(alert.reason.contains("900.0 MB in 5 seconds; normally"), "{}", alert.reason);
    assert!(alert.due_seconds > Some(3600.0) && alert.probability > alert.threshold, "{alert:?}");
    let over = reported.iter().find(|(at, alert)| *at > 900 && alert.status == Status::Resolved);
    assert_eq!(over.unwrap().0, 911);
}

#[test]
fn an_interval_in_which_the_agent_was_held_up_is_judged_by_its_mean() {
    // The traffic of 16 intervals at once, and the same without a delay, for both judges.
    for held_up in [15, 0] {
        let mut engines = [engine("10/day"), alerting(engine_settings())];
        for engine in &mut engines {
            run(engine, 0, 900, |_, flows| steady(flows, 1));
            let mut flows = office(&mut Noise::new(7), 12);
            for (_, Counters { bytes, packets, .. }) in &mut flows {
                (*bytes, *packets) = (16 * *bytes, 16 * *packets);
            }
            steady(&mut flows, 16);
            let mut long = interval(900, flows);
            long.end_ns += held_up * 5_000_000_000;
            long.held_up_ns = held_up * 5_000_000_000;
            let reported = step(engine, &long).alerts;
            let is_reported = reported.iter().any(|alert| alert.src == "10.3.0.1");
            assert_eq!(is_reported, held_up == 0, "{reported:?}");
        }
    }
}

/// One pair has the same traffic in each interval, or a multiple of it.
fn steady(flows: &mut Flows, times: u64) {
    let pair = flow(host(3, 1), host(1, 9), 50_000, 443, TCP);
    flows.push((pair, moved(times * 4_000_000, times * 4_000, ACK)));
}

#[test]
fn both_directions_are_one_incident() {
    let (client, server) = (host(0, 3), host(1, 1));
    let reported = run(&mut engine("10/day"), 0, 920, |index, flows| {
        if index >= 900 {
            for burst in [flow(client, server, 9, 443, TCP), flow(server, client, 443, 9, TCP)] {
                flows.push((burst, moved(900_000_000, 600_000, ACK)));
            }
        }
    });
    assert_eq!(firing(&reported).iter().filter(|one| one.0 >= 900).count(), 1, "{reported:?}");
}

#[test]
fn a_reported_event_is_not_reported_when_it_repeats() {
    let backup = flow(host(0, 3), host(1, 1), 50_000, 873, TCP);
    let reported = run(&mut engine("10/day"), 0, 6000, |index, flows| {
        if index >= 900 && index % 720 < 3 {
            flows.push((backup, moved(900_000_000, 600_000, ACK)));
        }
    });
    let about_it: Vec<_> =
        firing(&reported).into_iter().filter(|one| one.2 == "10.0.0.3").collect();
    assert!((1..=2).contains(&about_it.len()), "of 8: {about_it:?}");
}

#[test]
fn a_large_newcomer_is_reported_at_once() {
    let stranger = flow(host(0, 2), host(9, 1), 50_000, 443, TCP);
    let reported = run(&mut engine("10/day"), 0, 910, |index, flows| {
        if index >= 900 {
            flows.push((stranger, moved(900_000_000, 600_000, ACK)));
        }
    });
    assert!(
        firing(&reported).contains(&(900, Kind::Volume, "10.0.0.2", "10.9.0.1")),
        "{reported:?}"
    );
}

#[test]
fn a_lasting_change_becomes_the_baseline_and_is_reported_once() {
    let rules = Rules { repeat_after: 60, resolve_after: 6, cool_down: 60, limit: None };
    let settings = EngineSettings { learn_after: 100, rules, ..settings(rarity("10/day")) };
    let mut engine = alerting(settings);
    let reported = run(&mut engine, 0, 1500, |index, flows| {
        if index >= 900 {
            let more = flow(host(0, 3), host(1, 1), 50_000, 443, TCP);
            flows.push((more, moved(900_000_000, 600_000, ACK)));
        }
    });
    let about_it: Vec<_> =
        reported.iter().filter(|(at, one)| *at >= 900 && one.src == "10.0.0.3").collect();
    let words: Vec<_> = about_it.iter().map(|(at, one)| (*at, one.status)).collect();
    assert_eq!(words, [(900, Status::Firing), (960, Status::Update), (1000, Status::Resolved)]);
    assert!(
        about_it[2].1.text.ends_with("is part of the baseline from now on"),
        "{}",
        about_it[2].1.text
    );
}

#[test]
fn a_steady_flow_that_stops_is_reported() {
    let reported = run(&mut engine("100/day"), 0, 3000, |index, flows| {
        if index >= 2900 {
            flows.retain(|(key, _)| key.src != host(0, 5));
        }
    });
    let stops: Vec<_> = firing(&reported).into_iter().filter(|one| one.0 >= 2900).collect();
    assert!(
        stops.iter().any(|one| one.1 == Kind::Stop && one.2 == "10.0.0.5" && one.0 < 2912),
        "{stops:?}"
    );
}

#[test]
fn a_beacon_is_reported_with_its_period() {
    let reported = run(&mut engine("100/day"), 0, 3000, |index, flows| {
        let small = flow(host(0, 4), host(9, 9), 50_000, 443, TCP);
        // Little all the time, more every minute exactly.
        let bytes = if index >= 1000 && index % 12 == 0 { 9_000 } else { 200 + (index % 5) as u64 };
        flows.push((small, moved(bytes, 3, ACK)));
    });
    let beacon = reported.iter().find(|(_, alert)| alert.kind == Kind::Beacon).unwrap();
    assert_eq!((&*beacon.1.src, &*beacon.1.dst), ("10.0.0.4", "10.9.0.9"));
    assert!(beacon.1.reason.contains("every 60 seconds"), "{}", beacon.1.reason);
}

/// 9,000 made-up sources, one packet each.
fn spoofed(flows: &mut Flows) {
    for source in 0..9000 {
        flows.push((flow(host(77, source), host(1, 1), source, 80, TCP), moved(40, 1, SYN)));
    }
}

/// 5,000 ports of one host.
fn scan(flows: &mut Flows) {
    for port in 1..5000 {
        flows.push((flow(host(66, 1), host(1, 1), 40_001, port, TCP), moved(44, 1, SYN)));
    }
}

/// 900 hosts at one port.
fn sweep(flows: &mut Flows) {
    for target in 0..900 {
        flows.push((flow(host(66, 1), host(5, target), 40_001, 22, TCP), moved(44, 1, SYN)));
    }
}

/// Replies of 500 name servers without requests.
fn reflection(flows: &mut Flows) {
    for server in 0..500 {
        flows.push((flow(host(55, server), host(1, 1), 53, 4444, UDP), moved(90_000, 60, 0)));
    }
}

#[test]
fn traffic_unusual_only_in_sum_is_reported_once_for_the_address() {
    type Event = (fn(&mut Flows), Kind, &'static str, &'static str);
    let events: [Event; 4] = [
        (spoofed, Kind::Flood, "*", "10.1.0.1"),
        (scan, Kind::Scan, "10.66.0.1", "*"),
        (sweep, Kind::Sweep, "10.66.0.1", "*"),
        (reflection, Kind::Reflection, "*", "10.1.0.1"),
    ];
    for (happens, kind, src, dst) in events {
        let event = |index: i64, flows: &mut Flows| {
            if (300..303).contains(&index) {
                happens(flows);
            }
        };
        let reported = run(&mut engine("10/day"), 0, 320, event);
        let about_it: Vec<_> = firing(&reported).into_iter().filter(|one| one.0 >= 300).collect();
        assert_eq!(about_it, [(300, kind, src, dst)]);
        let deaf = kinds(&format!("-{}", kind.as_str()));
        let reported = run(&mut alerting(settings(deaf)), 0, 320, event);
        assert!(
            firing(&reported).iter().all(|one| one.1 != kind),
            "{kind:?} was switched off: {reported:?}"
        );
    }
}

#[test]
fn a_restart_keeps_the_baseline() {
    let mut first = engine("10/day");
    run(&mut first, 0, 900, nothing);
    let directory = Scratch::new();
    let mut file = State::open(&directory.path("state")).unwrap().past();
    file.write(&first.engine.snapshot(&|ifindex| format!("eth{ifindex}")).unwrap());
    file.finish();
    let mut second = engine("10/day");
    let renumbered = |name: &str| (name == "eth7").then_some(12);
    second.engine.resume(file.read().unwrap(), &renumbered).unwrap();
    // In its first intervals an agent without a history reports nothing.
    let reported = run(&mut second, 0, 6, |index, flows| {
        let burst = flow(host(0, 3), host(1, 1), 50_000, 443, TCP);
        if index >= 2 {
            flows.push((burst, moved(900_000_000, 600_000, ACK)));
        }
        flows.iter_mut().for_each(|(key, _)| key.ifindex = 12);
    });
    assert_eq!(firing(&reported), [(2, Kind::Volume, "10.0.0.3", "10.1.0.1")]);
    assert!(reported[0].1.reason.contains("normally"), "by its own past: {}", reported[0].1.reason);
}

#[test]
fn a_baseline_of_other_intervals_or_groups_is_refused() {
    let past = || engine("10/day").engine.snapshot(&|_| String::new()).unwrap();
    let minute = std::time::Duration::from_secs(60);
    let other = RaritySettings { interval: minute, ..rarity("10/day") };
    assert!(alerting(settings(other)).engine.resume(past(), &|_| None).is_err());
    let mut methods = alerting(engine_settings());
    assert!(methods.engine.resume(past(), &|_| None).is_err());
    assert!(methods.engine.snapshot(&|_| String::new()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any traffic: no panic, probabilities are probabilities, and the same twice.
    #[test]
    fn any_traffic_is_judged(
        seed in any::<u64>(),
        hosts in 1_u16..40,
        days in 0_i64..5,
    ) {
        let run = || {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut engine = engine("1000/day");
            let mut reported = Vec::new();
            let mut index = 0;
            for _ in 0..60 {
                index += if rng.u8(..) < 10 { days * DAY } else { 1 };
                let count = rng.usize(0..60);
                let flows = (0..count).map(|_| {
                    let (src, dst) = (host(0, rng.u16(0..hosts)), host(1, rng.u16(0..hosts)));
                    let key = flow(src, dst, rng.u16(..), rng.u16(..), rng.u8(..));
                    (key, moved(rng.u64(..) >> rng.u32(16..64), rng.u64(0..100_000), rng.u64(0..512)))
                });
                let flows = flows.collect();
                reported.extend(step(&mut engine, &interval(index, flows)).alerts);
            }
            reported
        };
        let reported = run();
        for alert in &reported {
            prop_assert!((0.0..=1.0).contains(&alert.probability), "{}", alert.probability);
            prop_assert!(!alert.text.contains("NaN"), "{}", alert.text);
        }
        prop_assert_eq!(reported, run());
    }
}
