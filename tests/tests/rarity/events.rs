//! Whole events: each is found as one, at its time, whatever came before it.

use std::net::{IpAddr, Ipv4Addr};

use wherefore_agent::message::alert::{Kind, Status};
use wherefore_common::flow::address_words;
use wherefore_tests::engine::{interval, step};

use super::{ACK, Flows, Noise, SYN, TCP, UDP, engine, firing, flow, host, moved, office, run};

/// An attack on an office in intervals `from` to `from + 6`: a spoofed flood, a reflection and a sweep, of
/// two intervals each.
fn attack(index: i64, from: i64, random: &mut fastrand::Rng, flows: &mut Flows) {
    let server = host(1, 1);
    let mut stranger =
        || address_words(IpAddr::V4(Ipv4Addr::from(random.u32(1 << 24..10 << 24)))).1;
    for number in 0..4000_u16 {
        let (key, counters) = match index - from {
            0 | 1 => (flow(stranger(), server, number, 80, TCP), moved(44, 1, SYN)),
            2 | 3 => (flow(stranger(), server, 53, number, UDP), moved(1200, 1, 0)),
            4 | 5 => (flow(host(0, 1), host(7, number), 40_000, 445, TCP), moved(44, 1, SYN)),
            _ => return,
        };
        flows.push((key, counters));
    }
}

#[test]
fn a_leak_is_reported_at_once_with_and_without_a_flood_before_it() {
    let peer = address_words(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7))).1;
    for (seed, is_flooded) in [(5, true), (6, true), (7, true), (5, false), (6, false)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut engine = engine("10/day");
        let (calm, leak) = (24, if is_flooded { 30 } else { 24 });
        let reported = run(&mut engine, 0, leak + 30, |index, flows| {
            if is_flooded {
                attack(index, calm, &mut random, flows);
            }
            if (leak..leak + 10).contains(&index) {
                let key = flow(host(1, 1), peer, 45_678, 5201, TCP);
                flows.push((key, moved(13_000_000, 9_286, ACK)));
            }
        });
        let about: Vec<_> = reported.iter().filter(|(_, one)| one.dst == "198.51.100.7").collect();
        let [(first, begun), .., (_, over)] = &about[..] else {
            panic!("{seed} {is_flooded}: {:?}", firing(&reported))
        };
        assert_eq!((*first, begun.status), (leak, Status::Firing), "{}", begun.text);
        assert_eq!((over.status, over.incident_bytes), (Status::Resolved, 130_000_000));
        assert_eq!(over.incident_seconds, 50.0, "without the quiet after it: {}", over.text);
        assert!(begun.text.contains("10.1.0.1 -> 198.51.100.7:5201/tcp"), "{}", begun.text);
    }
}

/// A host of the office that sends 20 MB each to six new addresses, one a minute.
fn fan_out(index: i64, from: i64, flows: &mut Flows) {
    let (number, into) = ((index - from) / 12, (index - from) % 12);
    if index >= from && number < 6 && into < 8 {
        let stranger = address_words(IpAddr::V4(Ipv4Addr::new(198, 51, number as u8, 7))).1;
        let key = flow(host(0, 5), stranger, 50_000, 443, TCP);
        flows.push((key, moved(2_500_000, 1800, SYN | ACK)));
    }
}

#[test]
fn uploads_of_a_host_to_several_addresses_are_one_incident_that_names_them() {
    let mut engine = engine("100/day");
    let told = run(&mut engine, 0, 3100, |index, flows| fan_out(index, 2900, flows));
    let told: Vec<_> = told.iter().filter(|(at, _)| *at >= 2900).collect();
    let begun: Vec<_> = told.iter().filter(|(_, one)| one.status == Status::Firing).collect();
    assert_eq!(begun.len(), 1, "{:?}", begun.iter().map(|(_, one)| &one.text).collect::<Vec<_>>());
    let (_, update) = told.iter().find(|(_, one)| one.others_count == 1).expect("names the second");
    assert_eq!((update.status, &update.key), (Status::Update, &begun[0].1.key));
    assert!(update.text.contains("; also to 198.51.1.7"), "{}", update.text);
    let of_it = told.iter().rev().find(|(_, one)| one.key == begun[0].1.key);
    let (_, over) = of_it.expect("its last message");
    assert_eq!((over.status, over.others_count), (Status::Resolved, 5), "{}", over.text);
    assert!(over.text.contains(" and 2 more, 120.0 MB in "), "{}", over.text);
    assert_eq!(over.others_bytes, 100_000_000);
}

#[test]
fn what_is_much_larger_than_an_open_incident_of_its_host_is_reported_itself() {
    let mut engine = engine("10/day");
    let told = run(&mut engine, 0, 3000, |index, flows| {
        fan_out(index, 2900, flows);
        if (2915..2920).contains(&index) {
            let stranger = address_words(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9))).1;
            let key = flow(host(0, 5), stranger, 50_001, 443, TCP);
            flows.push((key, moved(60_000_000, 40_000, SYN | ACK)));
        }
    });
    let large = firing(&told).into_iter().find(|(_, _, _, dst)| dst.starts_with("203.0.113."));
    assert!(large.is_some_and(|(at, ..)| at == 2915), "{:?}", firing(&told));
}

#[test]
fn a_slow_scan_is_one_scan_by_the_end_of_its_hour() {
    let mut engine = engine("20/day");
    let reported = run(&mut engine, 0, 6900, |index, flows| {
        if (6000..6360).contains(&index) {
            for port in 0..10 {
                let port = 1 + (index - 6000) as u16 * 10 + port;
                let key = flow(host(0, 5), host(1, 1), 50_000, port, TCP);
                flows.push((key, moved(44, 1, SYN)));
            }
        }
    });
    let scans: Vec<_> = firing(&reported).into_iter().filter(|(at, ..)| *at >= 6000).collect();
    assert!(matches!(scans[..], [(at, Kind::Scan, "10.0.0.5", "*")] if at < 6480), "{scans:?}");
}

#[test]
fn a_host_that_falls_silent_is_one_event_within_a_minute() {
    let mut engine = engine("10/day");
    let reported = run(&mut engine, 0, 3000, |index, flows| {
        if index >= 2900 {
            let server = host(1, 1);
            flows.retain(|(key, _)| key.src != server && key.dst != server);
        }
        // Others go on.
        flows.push((flow(host(0, 40), host(0, 41), 40_000, 22, TCP), moved(5000, 9, ACK)));
    });
    let stops: Vec<_> = reported
        .iter()
        .filter(|(at, one)| *at >= 2900 && one.status == Status::Firing && one.src == "10.1.0.1")
        .collect();
    let [(at, stop)] = &stops[..] else { panic!("{:?}", firing(&reported)) };
    assert!((2901..2912).contains(at) && stop.kind == Kind::Stop, "{at} {}", stop.text);
}

#[test]
fn a_returning_group_is_reported_only_if_it_moves_ten_times_as_much() {
    let mut engine = engine("10/day");
    let registry = host(9, 80);
    let reported = run(&mut engine, 0, 17_100, |index, flows| {
        // A deployment each 1,000 intervals, after the pair was forgotten; the last one is another thing.
        let (number, into) = (index / 1000, index % 1000);
        if (0..4).contains(&into) && number > 0 {
            let bytes = if number == 17 {
                600_000_000
            } else {
                15_000_000 + 5_000_000 * (number as u64 % 4)
            };
            let key = flow(registry, host(1, 1), 5000, 40_000 + number as u16, TCP);
            flows.push((key, moved(bytes, bytes / 1400, SYN | ACK)));
        }
    });
    let deployed = firing(&reported).into_iter().filter(|(_, _, src, _)| *src == "10.9.0.80");
    let (before, last): (Vec<_>, Vec<_>) = deployed.map(|(at, ..)| at).partition(|at| *at < 17_000);
    assert!(before.len() <= 8 && before.iter().all(|at| *at < 12_000), "{before:?}");
    assert_eq!(last, [17_000]);
}

#[test]
fn findings_held_back_by_the_budget_are_counted() {
    let mut engine = engine("1/week");
    let mut noise = Noise::new(9);
    let (mut held, mut reported) = (0, 0);
    for index in 0..2300 {
        let mut flows = office(&mut noise, 12);
        // A burst of each client, each larger than the one before.
        if index > 1000 && index % 100 == 0 {
            let client = (index / 100 - 11) as u16;
            let more = flow(host(0, client), host(1, 1), 50_000, 443, TCP);
            flows.push((more, moved(100_000 << client, 400, ACK)));
        }
        let outcome = step(&mut engine, &interval(index, flows));
        held += outcome.held_back.total();
        reported += outcome.alerts.iter().filter(|one| one.status == Status::Firing).count();
    }
    assert!(held > 0 && reported > 0, "{held} held back, {reported} reported");
}

/// All TCP flags of hosts that send a request: SYN, PSH and ACK.
const ASKS: u64 = 0x1a;

/// A public address, another one for each number.
fn outside(number: u32) -> [u64; 2] {
    address_words(IpAddr::V4(Ipv4Addr::from((198 << 24) + (100 << 16) + number))).1
}

/// Somebody at a desk opens a page every few minutes: each is fetched in bursts, and read in between.
fn browse(index: i64, random: &mut fastrand::Rng, open: &mut Vec<(u32, i64)>, flows: &mut Flows) {
    if random.u8(0..40) == 0 {
        let longest = if random.u8(0..8) == 0 { 700 } else { 60 };
        open.push((index as u32, index + random.i64(1..longest)));
    }
    open.retain(|(_, until)| *until > index);
    for (site, _) in open {
        if random.u8(0..6) > 0 {
            continue;
        }
        let key = flow(host(0, 3), outside(*site), 50_000 + (*site % 10_000) as u16, 443, TCP);
        flows.push((key, moved(u64::from(random.u32(2_000..90_000)), 40, ASKS)));
    }
}

#[test]
fn regular_calls_to_a_stranger_are_distinguished_from_browsing() {
    let (from, to) = (20_001, 22_400);
    let mut random = fastrand::Rng::with_seed(3);
    let (mut open, mut due) = (Vec::new(), from);
    let mut engine = engine("10/day");
    let reported = run(&mut engine, 0, to, |index, flows| {
        browse(index, &mut random, &mut open, flows);
        if index == due {
            // A minute, a fifth more or less.
            due += random.i64(10..15);
            let key = flow(host(0, 3), outside(1 << 16), 50_001, 443, TCP);
            flows.push((key, moved(700, 6, ASKS)));
        }
    });
    let of_day: Vec<_> = reported.iter().filter(|(at, _)| *at >= 17_280).cloned().collect();
    let beacons: Vec<_> = of_day.iter().filter(|(_, alert)| alert.kind == Kind::Beacon).collect();
    let [(at, beacon), ..] = &beacons[..] else { panic!("{:?}", firing(&of_day)) };
    assert!(beacons.iter().all(|(_, alert)| alert.key == beacon.key), "{beacons:?}");
    assert_eq!((&*beacon.src, &*beacon.dst), ("10.0.0.3", "198.101.0.0"), "{}", beacon.text);
    assert!(*at < from + 300, "within half an hour: {at}");
    assert!(beacon.reason.contains("by a clock, about every 60 seconds"), "{}", beacon.reason);
}
