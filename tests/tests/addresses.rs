//! Tests the detection of attacks by single addresses, in generated traffic: each attack is found as one
//! kind, and traffic that is only busy is not reported. Refuses to look behind the interface.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use proptest::prelude::*;
use wherefore_agent::detect::addresses::{Addresses, Candidate, Snapshot};
use wherefore_agent::detect::series::BaselineUpdate;
use wherefore_agent::message;
use wherefore_agent::message::alert::Kind;
use wherefore_agent::traffic::group::GroupBy;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};

const INTERVAL: Duration = Duration::from_secs(5);
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const SYN: u64 = 2;
const RST_ACK: u64 = 0x14;
const SYN_ACK: u64 = 0x12;
/// A whole connection: SYN, ACK, PSH, FIN.
const WHOLE: u64 = 0x1b;

/// The candidates of one interval.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    kind: Kind,
    group_by: GroupBy,
    group: FlowKey,
    surprise: f32,
    peers: u64,
    seen: f64,
    sentence: String,
}

impl Shown {
    fn of(candidate: &Candidate<'_>) -> Self {
        let Candidate { kind, group_by, group, surprise, observed, .. } = *candidate;
        let (peers, seen) = (observed.peers, observed.seen);
        assert!(candidate.counters.device_packets > 0 && surprise.is_finite());
        Self {
            kind,
            group_by,
            group,
            surprise,
            peers,
            seen,
            sentence: message::of_address(candidate, INTERVAL),
        }
    }
}

type Flow = (FlowKey, Counters);

fn ip(number: u32) -> IpAddr {
    Ipv4Addr::from(number).into()
}

/// 10.0.0.`number`.
fn host(number: u32) -> u32 {
    0x0a00_0000 + number
}

fn flow(src: u32, dst: u32, protocol: u8, ports: (u16, u16), flags: u64, packets: u64) -> Flow {
    sized(src, dst, protocol, ports, flags, (packets, packets * 40))
}

fn sized(
    src: u32,
    dst: u32,
    protocol: u8,
    (sport, dport): (u16, u16),
    tcp_flags: u64,
    (packets, bytes): (u64, u64),
) -> Flow {
    let (family, src) = address_words(ip(src));
    let dst = address_words(ip(dst)).1;
    let key =
        FlowKey { src, dst, ifindex: 3, sport, dport, protocol, family, ..FlowKey::default() };
    let counters = Counters {
        packets,
        bytes,
        frame_bytes: bytes,
        device_packets: packets,
        device_bytes: bytes,
        tcp_flags,
        ..Counters::default()
    };
    (key, counters)
}

fn step(addresses: &mut Addresses, flows: &[Flow]) -> Vec<Shown> {
    flows.iter().for_each(|(flow, counters)| addresses.collect(flow, counters));
    let mut shown = Vec::new();
    addresses.close(&mut |candidate| {
        shown.push(Shown::of(candidate));
        BaselineUpdate::Learn
    });
    shown
}

/// Two hosts that exchange traffic.
fn chatter() -> Vec<Flow> {
    let (a, b) = (host(1), host(2));
    vec![
        sized(a, b, TCP, (40_000, 443), 0x18, (20, 4_000)),
        sized(b, a, TCP, (443, 40_000), 0x18, (30, 30_000)),
    ]
}

/// After 80 intervals with nothing else.
fn settled() -> Addresses {
    let mut addresses = Addresses::new(10_000);
    for _ in 0..80 {
        assert_eq!(step(&mut addresses, &chatter()), []);
    }
    addresses
}

fn with(flows: impl IntoIterator<Item = Flow>) -> Vec<Flow> {
    chatter().into_iter().chain(flows).collect()
}

/// The only finding.
fn only(shown: &[Shown], kind: Kind) -> &Shown {
    assert!(shown.len() == 1 && shown[0].kind == kind, "{shown:#?}");
    &shown[0]
}

fn spoofed(number: u32) -> u32 {
    0x2000_0000 + number.wrapping_mul(2_654_435_761) % 0x6000_0000
}

#[test]
fn a_spoofed_flood_is_one_flood() {
    for victim in [host(2), host(9)] {
        let flood = (0..10_000).map(|n| flow(spoofed(n), victim, TCP, (n as u16, 80), SYN, 1));
        let shown = step(&mut settled(), &with(flood));
        let flood = only(&shown, Kind::Flood);
        assert!(flood.surprise > 5.0 && (9_000..11_000).contains(&flood.peers), "{flood:?}");
        assert_eq!((flood.group_by, flood.group.dst), (GroupBy::Dst, address_words(ip(victim)).1));
        assert!(flood.sentence.contains("normally"), "{}", flood.sentence);
    }
}

#[test]
fn replies_of_a_victim_are_no_scan() {
    let victim = host(2);
    let pairs = (0..5_000).flat_map(|n| {
        let (src, port) = (spoofed(n), 1024 + n as u16);
        let there = flow(src, victim, if n % 2 == 0 { TCP } else { UDP }, (port, 50_000), SYN, 1);
        let icmp = flow(victim, src, ICMP, (0, 0), 0, 1);
        let back = flow(victim, src, TCP, (50_000, port), SYN_ACK, 2);
        [there, if n % 2 == 0 { back } else { icmp }]
    });
    only(&step(&mut settled(), &with(pairs)), Kind::Flood);
}

#[test]
fn a_scan_of_ports_is_one_scan() {
    for scanner in [host(1), host(9)] {
        let scan = (1..=2_000).flat_map(|port| {
            let there = flow(scanner, host(2), TCP, (43_210, port), SYN, 1);
            [there, flow(host(2), scanner, TCP, (port, 43_210), RST_ACK, 1)]
        });
        let shown = step(&mut settled(), &with(scan));
        let scan = only(&shown, Kind::Scan);
        assert!(scan.surprise > 4.0 && (scan.seen / 2_000.0 - 1.0).abs() < 0.1, "{scan:?}");
        assert_eq!((scan.group_by, scan.group.src), (GroupBy::Src, address_words(ip(scanner)).1));
        assert!(scan.sentence.contains("TCP ports in"), "{}", scan.sentence);
    }
}

#[test]
fn a_scan_of_a_busy_host_is_no_flood_from_many() {
    let scan = (1..=250).map(|port| flow(host(9), host(2), TCP, (43_210, port), SYN, 1));
    let clients = (20..40).map(|n| flow(host(n), host(2), TCP, (50_000, 443), WHOLE, 9));
    let shown = step(&mut settled(), &with(scan.chain(clients)));
    assert_eq!(only(&shown, Kind::Scan).group.src, address_words(ip(host(9))).1);
    assert!(shown.iter().all(|one| one.kind != Kind::Flood), "{shown:?}");
}

#[test]
fn a_sweep_by_icmp_is_one_sweep() {
    for sweeper in [host(1), host(99)] {
        let sweep = (0..200).flat_map(|n| {
            let mut back = flow(0x0a01_0000 + n, sweeper, ICMP, (0, 0), 0, 1);
            back.1.first_ns = 1_000_000;
            [flow(sweeper, 0x0a01_0000 + n, ICMP, (0, 0), 0, 1), back]
        });
        let shown = step(&mut settled(), &with(sweep));
        let sweep = only(&shown, Kind::Sweep);
        assert!(sweep.surprise > 4.0 && (sweep.seen / 200.0 - 1.0).abs() < 0.1, "{sweep:?}");
    }
}

/// Lognormal around 1: sum of uniform numbers as the logarithm.
fn noise(random: &mut fastrand::Rng, sigma: f64) -> f64 {
    let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (normal * sigma).exp()
}

#[test]
fn a_busy_server_is_no_news() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut addresses = Addresses::new(20_000);
    let server = host(1);
    let mut worst = 0.0f32;
    for interval in 0..2_400 {
        let clients = (850.0 * noise(&mut random, 0.2)).clamp(500.0, 1_500.0) as u32;
        let flows: Vec<_> = (0..clients)
            .flat_map(|_| {
                let client = spoofed(random.u32(0..200_000));
                let port = random.u16(1_024..);
                let packets = 4 + (6.0 * noise(&mut random, 0.8)) as u64;
                let there = flow(client, server, TCP, (port, 443), WHOLE, packets);
                let bytes = (packets, packets * 900);
                [there, sized(server, client, TCP, (443, port), WHOLE, bytes)]
            })
            .collect();
        let shown = step(&mut addresses, &flows);
        if interval >= 400 {
            worst = shown.iter().fold(worst, |worst, shown| worst.max(shown.surprise));
            assert!(worst < 4.0, "interval {interval}: {shown:#?}");
        }
    }
}

/// A resolver that asks and is asked.
fn lookups(random: &mut fastrand::Rng) -> Vec<Flow> {
    (0..200)
        .flat_map(|_| {
            let (server, port) = (spoofed(random.u32(0..3_000)), random.u16(33_000..));
            let there = sized(host(1), server, UDP, (port, 53), 0, (1, 70));
            [there, sized(server, host(1), UDP, (53, port), 0, (1, 300))]
        })
        .collect()
}

#[test]
fn answers_that_nobody_asked_for_are_one_reflection() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut addresses = Addresses::new(10_000);
    for _ in 0..100 {
        let shown = step(&mut addresses, &lookups(&mut random));
        assert!(
            shown.iter().all(|shown| shown.kind == Kind::Sweep && shown.surprise < 3.0),
            "{shown:?}"
        );
    }
    let answers = (0..3_000).map(|n| sized(spoofed(n), host(1), UDP, (53, 4_000), 0, (12, 16_700)));
    let flows: Vec<_> = lookups(&mut random).into_iter().chain(answers).collect();
    let shown = step(&mut addresses, &flows);
    let reflection = only(&shown, Kind::Reflection);
    assert!(reflection.surprise > 5.0, "{reflection:?}");
    assert!(reflection.sentence.contains("answers from 53/udp"), "{}", reflection.sentence);
}

#[test]
fn handshakes_that_nobody_began_are_one_reflection() {
    let answers = (0..7_000).map(|n| flow(spoofed(n), host(2), TCP, (443, 1_025), SYN_ACK, 1));
    let shown = step(&mut settled(), &with(answers));
    let reflection = only(&shown, Kind::Reflection);
    assert!(reflection.sentence.contains("tcp services"), "{}", reflection.sentence);
}

#[test]
fn an_upload_by_one_that_downloads_is_seen() {
    let mut addresses = Addresses::new(1_000);
    let (client, server) = (host(1), spoofed(1));
    let transfer = |sent: u64, received: u64| {
        [
            sized(client, server, TCP, (40_000, 443), 0x18, (100, sent)),
            sized(server, client, TCP, (443, 40_000), 0x18, (100, received)),
        ]
    };
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..100 * 16 {
        let received = (500_000.0 * noise(&mut random, 0.5)) as u64;
        assert_eq!(step(&mut addresses, &transfer(20_000, received)), []);
    }
    let shown: Vec<_> =
        (0..16).flat_map(|_| step(&mut addresses, &transfer(5_000_000, 40_000))).collect();
    let upload = only(&shown, Kind::Upload);
    assert!(upload.surprise > 4.0, "{upload:?}");
    assert!(upload.sentence.starts_with("80.0 MB sent in 80 s"), "{}", upload.sentence);
}

#[test]
fn a_new_network_is_reported_once() {
    let mut addresses = settled();
    let download = |octet: u32| {
        let server = 0xcb00_7100 + octet;
        with([sized(server, host(1), TCP, (443, 40_001), 0x18, (90, 120_000))])
    };
    let shown = step(&mut addresses, &download(9));
    let news = only(&shown, Kind::NewNetwork);
    assert!(news.surprise > 2.0 && news.sentence.contains("203.0.113.0/24"), "{news:?}");
    for octet in 9..12 {
        assert_eq!(step(&mut addresses, &download(octet)), []);
    }
}

#[test]
fn a_million_sources_change_neither_the_bound_nor_the_baselines() {
    let mut addresses = Addresses::new(500);
    for _ in 0..80 {
        step(&mut addresses, &chatter());
    }
    let mut random = fastrand::Rng::with_seed(3);
    for round in 0..10 {
        let packets = 1 + round % 5;
        let flood = (0..100_000)
            .map(|_| flow(random.u32(..), host(2), UDP, (random.u16(1..), 80), 0, packets));
        let shown = step(&mut addresses, &with(flood));
        assert!(addresses.len() <= 500);
        if round == 0 {
            let flood = only(&shown, Kind::Flood);
            assert!((flood.peers as f64 / 1e5 - 1.0).abs() < 0.1, "{flood:?}");
        }
    }
    let saved = serde_json::to_string(&addresses.snapshot()).unwrap();
    assert!(saved.contains("\"10.0.0.1\"") && saved.contains("\"10.0.0.2\""));
}

#[test]
fn a_snapshot_restores_the_state() {
    let mut before = settled();
    let saved = serde_json::to_string(&before.snapshot()).unwrap();
    let mut after = Addresses::new(10_000);
    let snapshot: Snapshot = serde_json::from_str(&saved).unwrap();
    after.resume(snapshot, &|ifindex| Some(ifindex));
    assert_eq!(serde_json::to_string(&after.snapshot()).unwrap(), saved);
    let flood = with((0..5_000).map(|n| flow(spoofed(n), host(2), TCP, (n as u16, 80), SYN, 1)));
    let shown = step(&mut before, &flood);
    assert_eq!(step(&mut after, &flood), shown);
    only(&shown, Kind::Flood);
}

#[test]
fn hostile_snapshots_are_borne() {
    let saved = serde_json::to_string(&settled().snapshot()).unwrap();
    // All numbers the largest of some type, as far as they fit.
    for number in ["255", "65535", "4294967295", "0"] {
        let mut hostile = String::new();
        let mut in_text = false;
        for part in saved.split_inclusive(|c: char| !c.is_ascii_digit() && c != '.') {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
            let rest = &part[digits.len()..];
            let is_number = !digits.is_empty() && !in_text;
            hostile.push_str(if is_number { number } else { digits });
            hostile.push_str(rest);
            in_text ^= rest.contains('"');
        }
        let Ok(snapshot) = serde_json::from_str::<Snapshot>(&hostile) else { continue };
        let mut addresses = Addresses::new(100);
        addresses.resume(snapshot, &|ifindex| Some(ifindex));
        for _ in 0..40 {
            step(&mut addresses, &chatter());
        }
        addresses.skip_quiet(u64::MAX);
        step(&mut addresses, &chatter());
    }
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let address = prop_oneof![0u32..4, any::<u32>()];
    let port = prop_oneof![Just(0u16), Just(53), Just(443), any::<u16>()];
    let protocol = prop_oneof![Just(TCP), Just(UDP), Just(ICMP), any::<u8>()];
    let keys = (address.clone(), address, protocol, port.clone(), port, any::<u8>());
    let counts = (any::<u64>(), 0u64..1 << 50, 0u64..1 << 50, any::<u64>());
    (keys, counts).prop_map(|((src, dst, protocol, sport, dport, family), counts)| {
        let (tcp_flags, packets, bytes, first_ns) = counts;
        let mut flow = sized(src, dst, protocol, (sport, dport), tcp_flags, (packets, bytes));
        flow.0.family = family;
        (flow.1.first_ns, flow.1.last_ns) = (first_ns, first_ns.wrapping_add(1));
        flow
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flows_are_accepted_and_the_result_is_deterministic(
        intervals in proptest::collection::vec(proptest::collection::vec(any_flow(), 0..60), 0..40),
        skips in proptest::collection::vec(0u64..1000, 40),
    ) {
        let run = || {
            let mut addresses = Addresses::new(20);
            let shown: Vec<_> = intervals.iter().zip(&skips).map(|(flows, skip)| {
                addresses.skip_quiet(skip / 900 * skip);
                step(&mut addresses, flows)
            }).collect();
            (shown, serde_json::to_string(&addresses.snapshot()).unwrap())
        };
        prop_assert_eq!(run(), run());
    }
}
