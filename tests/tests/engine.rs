//! The path from intervals to alerts through the library: what the windows hold, what is forgotten,
//! what is alerted about, for intervals of any kind.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use wherefore_agent::alert::{Alert, KeyScope, Kind, Status};
use wherefore_agent::anomaly::{Method, Options};
use wherefore_agent::config::EngineSettings;
use wherefore_agent::engine::{Engine, Outcome};
use wherefore_agent::group::GroupBy;
use wherefore_agent::incident::{Limit, Rules};
use wherefore_agent::interval::Interval;
use wherefore_agent::series::{Lesson, Series, SeriesOptions};
use wherefore_agent::wording::AlertContext;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};

/// The program's defaults, without a command line.
fn engine_settings() -> EngineSettings {
    EngineSettings {
        group_by: GroupBy::Pair,
        anomalyzer: Options {
            active_size: 1,
            n_seasons: 4,
            sensitivity: 1.0,
            lower_bound: None,
            upper_bound: 1e7,
            methods: vec![Method::Magnitude, Method::Diff, Method::HighRank, Method::LowRank],
            delay: true,
            permutations: 500,
            seed: 0,
        },
        window: 10,
        reference: 4,
        max_groups: 1000,
        expire_after: 60,
        assume_quiet_before: true,
        threshold: 0.6,
        min_bytes: 1e5,
        rules: Rules { repeat_after: 60, resolve_after: 6, limit: None },
        quiet_start: true,
        learn_anomalies: false,
        learn_after: 720,
        allow: Vec::new(),
        key_scope: KeyScope::Host,
        labels: BTreeMap::new(),
        top: 5,
    }
}

const OPTIONS: SeriesOptions =
    SeriesOptions { window: 10, max_groups: 1000, expire_after: 60, assume_quiet_before: true };

/// A flow from host `host`, told apart by its port.
fn flow(host: u8, port: u16) -> FlowKey {
    let words = |last| address_words(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))).1;
    FlowKey { src: words(host), dst: words(250), sport: port, family: 4, ..FlowKey::default() }
}

fn moved(bytes: u64) -> Counters {
    Counters { packets: 1, bytes, device_packets: 1, ..Counters::default() }
}

fn interval(index: i64, flows: Vec<(FlowKey, Counters)>) -> Interval {
    let start_ns = index.saturating_mul(5_000_000_000);
    Interval {
        index,
        start_ns,
        end_ns: start_ns.saturating_add(5_000_000_000),
        flows,
        ..Interval::default()
    }
}

fn step(engine: &mut Engine, interval: &Interval) -> Outcome {
    let context = AlertContext { host: "here", interface_name: &|_| "eth0".to_owned() };
    engine.step(interval, &context)
}

/// The alerts of one pair that moves so much in each interval, with their intervals.
fn alerts(settings: EngineSettings, points: &[u64]) -> Vec<(usize, Alert)> {
    let mut engine = Engine::new(settings).unwrap();
    // Another pair keeps the intervals coming, as the traffic of a real host does.
    let other = (flow(2, 1), moved(1000));
    let mut told = Vec::new();
    for (index, bytes) in points.iter().enumerate() {
        let mine = (*bytes > 0).then(|| (flow(1, 1), moved(*bytes)));
        let flows = mine.into_iter().chain([other]).collect();
        let outcome = step(&mut engine, &interval(index as i64, flows));
        told.extend(outcome.alerts.into_iter().map(|alert| (index, alert)));
    }
    told
}

/// What is told, as `interval status`.
fn told(settings: EngineSettings, points: &[u64]) -> Vec<String> {
    let word = |status| match status {
        Status::Firing => "firing",
        Status::Update => "update",
        Status::Resolved => "resolved",
    };
    let all = alerts(settings, points);
    all.iter().map(|(at, alert)| format!("{at} {}", word(alert.status))).collect()
}

fn with_rules(rules: Rules) -> EngineSettings {
    EngineSettings { rules, ..engine_settings() }
}

#[test]
fn an_incident_begins_lasts_and_is_over() {
    let points = [vec![50_000; 30], vec![5_000_000; 20], vec![50_000; 20]].concat();
    let rules = Rules { repeat_after: 8, resolve_after: 6, limit: None };
    let all = alerts(with_rules(rules.clone()), &points);
    assert_eq!(
        told(with_rules(rules), &points),
        ["30 firing", "38 update", "46 update", "55 resolved"]
    );
    let key = &all[0].1.key;
    assert!(key.len() == 32 && all.iter().all(|(_, alert)| &alert.key == key));
    let [.., (_, update), (_, last)] = &all[..] else { panic!("{all:?}") };
    assert_eq!((update.incident_bytes, update.incident_seconds), (17 * 5_000_000, 85.0));
    assert!(update.text.ends_with("; for 85 s now, 85.0 MB in all"), "{}", update.text);
    assert_eq!((last.incident_bytes, last.peak_bytes_per_second), (20 * 5_000_000, 1e6));
    assert!(last.text.contains("over after 130 s; 100.0 MB in all, at most 1.0 MB/s"));
    assert_eq!(last.started, all[0].1.started);
}

#[test]
fn a_short_lull_does_not_end_an_incident() {
    let points: Vec<u64> = (0..80)
        .map(|n| if (30..60).contains(&n) && n % 5 == 0 { 5_000_000 } else { 50_000 })
        .collect();
    let rules = Rules { repeat_after: 60, resolve_after: 6, limit: None };
    assert_eq!(told(with_rules(rules), &points), ["30 firing", "61 resolved"]);
    let impatient = Rules { repeat_after: 60, resolve_after: 4, limit: None };
    let told = told(with_rules(impatient), &points);
    assert_eq!(told.len(), 12, "{told:?}");
}

#[test]
fn an_anomaly_does_not_teach_what_is_usual() {
    let points = [vec![50_000; 30], vec![5_000_000; 40]].concat();
    let rules = Rules { repeat_after: 10, resolve_after: 6, limit: None };
    assert_eq!(
        told(with_rules(rules.clone()), &points),
        ["30 firing", "40 update", "50 update", "60 update"]
    );
    // One that may: by the third interval half the reference is as high.
    let learning = EngineSettings { learn_anomalies: true, ..with_rules(rules.clone()) };
    let learnt = told(learning, &points);
    assert_eq!(learnt[0], "30 firing");
    assert!(learnt.len() == 2 && learnt[1].ends_with("resolved"), "{learnt:?}");
    // And one that does after a while.
    let in_time = EngineSettings { learn_after: 12, ..with_rules(rules) };
    let learnt = told(in_time, &points);
    assert_eq!(learnt[..2], ["30 firing", "40 update"]);
    assert!(learnt.len() == 3 && learnt[2].ends_with("resolved"), "{learnt:?}");
}

#[test]
fn nothing_is_told_before_the_window_is_full_unless_asked() {
    let points = [vec![50_000; 6], vec![5_000_000], vec![50_000; 20]].concat();
    let rules = Rules { repeat_after: 60, resolve_after: 6, limit: None };
    assert_eq!(told(with_rules(rules.clone()), &points), [""; 0]);
    let eager = EngineSettings { quiet_start: false, ..with_rules(rules) };
    assert_eq!(told(eager, &points), ["6 firing", "12 resolved"]);
}

/// Several pairs burst at once; the second pair keeps the intervals coming.
fn burst_of(engine: &mut Engine, pairs: u8, quiet: i64) -> Vec<Alert> {
    let mut all = Vec::new();
    for index in 0..quiet + 40 {
        let mut flows = vec![(flow(200, 1), moved(1000))];
        let bytes = if index == quiet { 5_000_000 } else { 50_000 };
        flows.extend((1..=pairs).map(|host| (flow(host, 1), moved(bytes + u64::from(host)))));
        all.extend(step(engine, &interval(index, flows)).alerts);
    }
    all
}

#[test]
fn beyond_the_limit_incidents_are_told_in_sum() {
    let limit = Some(Limit { burst: 3, per_interval: 0.01 });
    let rules = Rules { repeat_after: 60, resolve_after: 6, limit };
    let all = burst_of(&mut Engine::new(with_rules(rules)).unwrap(), 45, 20);
    let of =
        |kind, status| all.iter().filter(move |alert| (alert.kind, alert.status) == (kind, status));
    assert_eq!(of(Kind::Volume, Status::Firing).count(), 3);
    assert_eq!(of(Kind::Volume, Status::Resolved).count(), 3);
    let digests: Vec<_> = of(Kind::Digest, Status::Firing).collect();
    let [digest] = digests[..] else { panic!("{digests:?}") };
    assert!(digest.text.contains("and 42 more incidents, 42 of them with 10.0.0.250"));
    // What is told later has the same labels, whoever the peer is then.
    assert_eq!(digest.dst, "*");
    assert_eq!(of(Kind::Digest, Status::Resolved).count(), 1);
    // The weightiest are told: here those that moved most.
    let told: Vec<_> = of(Kind::Volume, Status::Firing).map(|alert| alert.src.as_str()).collect();
    assert_eq!(told, ["10.0.0.45", "10.0.0.44", "10.0.0.43"]);
}

#[test]
fn an_incident_of_an_earlier_run_goes_on() {
    let rules = Rules { repeat_after: 60, resolve_after: 6, limit: None };
    let mut first = Engine::new(with_rules(rules.clone())).unwrap();
    let mut open = Vec::new();
    for index in 0..21 {
        let bytes = if index == 20 { 5_000_000 } else { 50_000 };
        open.extend(step(&mut first, &interval(index, vec![(flow(1, 1), moved(bytes))])).alerts);
    }
    let kept: Vec<Alert> = first.incidents().told().into_iter().cloned().collect();
    assert_eq!(kept, open);
    // What is kept goes through a file.
    let text = serde_json::to_string(&kept).unwrap();
    let mut second = Engine::new(with_rules(rules)).unwrap();
    second.incidents().restore(serde_json::from_str(&text).unwrap());
    let all = burst_of(&mut second, 1, 4);
    // The window is not full yet when it bursts, so that nothing is found: it is resolved.
    let [over] = &all[..] else { panic!("{all:?}") };
    assert_eq!(
        (over.status, &over.key, &over.started),
        (Status::Resolved, &open[0].key, &open[0].started)
    );
    assert_eq!(second.incidents().told().len(), 0);
}

#[test]
fn the_same_group_on_two_interfaces_is_one_incident() {
    let mut engine = Engine::new(engine_settings()).unwrap();
    let mut all = Vec::new();
    for index in 0..21 {
        let bytes = if index == 20 { 5_000_000 } else { 50_000 };
        let at = |ifindex, bytes| (FlowKey { ifindex, ..flow(1, 1) }, moved(bytes));
        let flows = vec![at(1, bytes), at(2, bytes + 1)];
        all.extend(step(&mut engine, &interval(index, flows)).alerts);
    }
    let [alert] = &all[..] else { panic!("{all:?}") };
    assert_eq!(alert.bytes, 5_000_001);
}

#[test]
fn agents_agree_on_keys_as_far_as_they_are_to() {
    let jump = [vec![50_000; 20], vec![500_000]].concat();
    let key = |settings: &EngineSettings, host: &str| {
        let mut engine = Engine::new(settings.clone()).unwrap();
        let context = AlertContext { host, interface_name: &|_| host.to_owned() };
        let mut step = |(index, bytes): (usize, &u64)| {
            engine.step(&interval(index as i64, vec![(flow(1, 1), moved(*bytes))]), &context)
        };
        let outcomes: Vec<_> = jump.iter().enumerate().map(&mut step).collect();
        outcomes[20].alerts[0].key.clone()
    };
    let host = engine_settings();
    assert_ne!(key(&host, "one"), key(&host, "other"));
    assert_eq!(key(&host, "one"), key(&host, "one"));
    let network = EngineSettings { key_scope: KeyScope::Network, ..engine_settings() };
    assert_eq!(key(&network, "one"), key(&network, "other"));
}

#[test]
fn what_is_allowed_is_counted_but_not_judged() {
    let allow = vec!["10.0.0.250:1".parse().unwrap(), "7".parse().unwrap()];
    let mut engine = Engine::new(EngineSettings { allow, ..engine_settings() }).unwrap();
    for index in 0..25 {
        let bytes = if index == 20 { 5_000_000 } else { 50_000 };
        let flows = vec![(flow(1, 7), moved(bytes)), (flow(1, 8), moved(1000))];
        let outcome = step(&mut engine, &interval(index, flows));
        assert_eq!(outcome.alerts, []);
        assert_eq!(outcome.top[0].counters.bytes, bytes + 1000);
        assert!(outcome.top[0].window.iter().all(|point| *point <= 1000.0));
    }
}

#[test]
fn other_settings_keep_the_histories() {
    let mut engine = Engine::new(engine_settings()).unwrap();
    let run = |engine: &mut Engine, range: std::ops::Range<i64>, bytes| {
        let step = |index| step(engine, &interval(index, vec![(flow(1, 1), moved(bytes))]));
        range.map(step).last().unwrap()
    };
    run(&mut engine, 0..10, 50_000);
    for (window, at) in [(25, 10), (6, 11), (10, 12)] {
        engine.reconfigure(EngineSettings { window, ..engine_settings() }).unwrap();
        let outcome = run(&mut engine, at..at + 1, 50_000);
        let kept = &outcome.top[0].window;
        assert!(kept.iter().all(|point| *point == 50_000.0) && kept.len() >= 6, "{kept:?}");
    }
    let deaf = EngineSettings { threshold: 1.0, ..engine_settings() };
    engine.reconfigure(deaf).unwrap();
    assert_eq!(run(&mut engine, 13..14, 5_000_000).alerts, []);
    engine.reconfigure(engine_settings()).unwrap();
    assert_eq!(run(&mut engine, 14..15, 50_000_000).alerts.len(), 1);
}

#[test]
fn an_alert_tells_what_was_usual() {
    let mut points = vec![50_000; 20];
    points.push(500_000);
    let [(20, alert)] = &alerts(engine_settings(), &points)[..] else { panic!("one alert at 20") };
    assert_eq!((alert.bytes, alert.usual_bytes, alert.ratio), (500_000, 50_000.0, Some(10.0)));
    assert_eq!((alert.src.as_str(), alert.dst.as_str()), ("10.0.0.1", "10.0.0.250"));
    assert_eq!(alert.window.len(), 10);
    assert!(alert.text.contains("usually 50.0 kB (10 times as much)"), "{}", alert.text);
}

#[test]
fn a_new_pair_has_a_past_of_zeros() {
    let mut points = vec![0; 20];
    points.push(500_000);
    let [(20, alert)] = &alerts(engine_settings(), &points)[..] else { panic!("one alert at 20") };
    assert_eq!((alert.ratio, alert.usual_bytes), (None, 0.0));
}

#[test]
fn silence_is_alerted_about_too() {
    let points = [vec![500_000; 20], vec![0; 5]].concat();
    let [(20, alert)] = &alerts(engine_settings(), &points)[..] else { panic!("one alert at 20") };
    assert_eq!((alert.bytes, alert.packets), (0, 0));
    assert!(alert.text.contains("no packet"), "{}", alert.text);
}

#[test]
fn time_jumps_of_years_cost_nothing() {
    let mut engine = Engine::new(engine_settings()).unwrap();
    let start = Instant::now();
    // The shortest interval is 100 ms, and 64-bit nanoseconds reach 292 years either way.
    const FARTHEST: i64 = i64::MAX / 100_000_000;
    for index in [0, 1, FARTHEST, -FARTHEST, 0, 6_000_000_000, 6_000_000_001] {
        let outcome = step(&mut engine, &interval(index, vec![(flow(1, 1), moved(10))]));
        assert_eq!(outcome.groups, 1);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// The windows of all groups after an interval.
fn close(series: &mut Series) -> BTreeMap<FlowKey, Vec<f64>> {
    let mut windows = BTreeMap::new();
    series.close(|window| {
        windows.insert(*window.key, window.points.to_vec());
        Lesson::Usual
    });
    windows
}

proptest! {
    /// What each host moves in each of some intervals; 0 is nothing.
    #[test]
    fn octets_in_are_octets_in_windows(
        rows in prop::collection::vec(prop::collection::vec(0_u64..1_000_000, 5), 1..10),
    ) {
        let mut series = Series::new(OPTIONS);
        let mut windows = BTreeMap::new();
        for row in &rows {
            for (host, bytes) in (0..).zip(row) {
                let flow = flow(host, 1);
                // In two parts, which are one point.
                for part in [bytes / 3, bytes - bytes / 3].into_iter().filter(|part| *part > 0) {
                    series.collect(GroupBy::Pair.key(&flow), &flow, &moved(part), false);
                }
            }
            windows = close(&mut series);
        }
        for host in 0..5_u8 {
            let due: Vec<_> = rows.iter().map(|row| row[usize::from(host)] as f64).collect();
            let found = windows.get(&GroupBy::Pair.key(&flow(host, 1)));
            // Gaps, also before the first packet, are points of zero.
            prop_assert_eq!(found.cloned().unwrap_or(vec![0.0; rows.len()]), due);
        }
    }

    #[test]
    fn groups_are_forgotten_after_so_many_quiet_intervals(expire_after in 1_u32..100) {
        let mut series = Series::new(SeriesOptions { expire_after, ..OPTIONS });
        series.collect(flow(1, 1), &flow(1, 1), &moved(5), false);
        close(&mut series);
        for _ in 0..expire_after {
            prop_assert_eq!(series.len(), 1);
            close(&mut series);
        }
        prop_assert!(series.is_empty());
    }

    /// A gap passed at once leaves the same as one passed interval by interval.
    #[test]
    fn gaps_are_intervals_of_nothing(before in 1_usize..8, gap in 0_u64..200) {
        let run = |skip: &dyn Fn(&mut Series)| {
            let mut series = Series::new(OPTIONS);
            for _ in 0..before {
                series.collect(flow(1, 1), &flow(1, 1), &moved(7), false);
                close(&mut series);
            }
            skip(&mut series);
            series.collect(flow(2, 1), &flow(2, 1), &moved(9), false);
            close(&mut series)
        };
        let at_once = run(&|series| series.skip_quiet(gap));
        let one_by_one = run(&|series| (0..gap).for_each(|_| series.close(|_| Lesson::Usual)));
        prop_assert_eq!(at_once, one_by_one);
    }

    #[test]
    fn memory_has_a_bound_and_what_makes_room_is_counted(
        max_groups in 1_usize..200,
        bursts in prop::collection::vec(0_u16..400, 1..8),
    ) {
        let mut series = Series::new(SeriesOptions { max_groups, ..OPTIONS });
        let (mut port, mut started) = (0, 0_u64);
        for burst in bursts {
            for _ in 0..burst {
                port += 1;
                started += 1;
                series.collect(flow(1, port), &flow(1, port), &moved(1), false);
                prop_assert!(series.len() <= max_groups);
            }
            close(&mut series);
        }
        prop_assert_eq!(series.len() as u64 + series.evicted(), started);
    }

    /// Quiet groups make room before busy ones.
    #[test]
    fn the_quietest_group_makes_room(quiet in 0_u16..50) {
        let mut series = Series::new(SeriesOptions { max_groups: 50, ..OPTIONS });
        (0..50).for_each(|port| series.collect(flow(1, port), &flow(1, port), &moved(9), false));
        close(&mut series);
        for port in (0..50).filter(|port| *port != quiet) {
            series.collect(flow(1, port), &flow(1, port), &moved(9), false);
        }
        close(&mut series);
        for port in (0..50).filter(|port| *port != quiet) {
            series.collect(flow(1, port), &flow(1, port), &moved(9), false);
        }
        series.collect(flow(2, 1), &flow(2, 1), &moved(9), false);
        let windows = close(&mut series);
        prop_assert!(!windows.contains_key(&flow(1, quiet)));
        prop_assert_eq!((windows.len(), series.evicted()), (50, 1));
    }

    #[test]
    fn the_order_of_flows_does_not_matter(
        rows in prop::collection::vec(prop::collection::vec(0_u64..3_000_000, 6), 6..14),
        seed in any::<u64>(),
    ) {
        let run = |shuffled: bool| {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut engine = Engine::new(engine_settings()).unwrap();
            let mut texts = Vec::new();
            for (index, row) in (0..).zip(&rows) {
                let flows = (0_u8..).zip(row).map(|(host, bytes)| (flow(host / 2, host.into()), *bytes));
                // One time for each flow: the last packet of a group is then beyond doubt.
                let mut flows: Vec<_> = flows
                    .map(|(key, bytes)| (key, Counters { last_ns: key.sport.into(), ..moved(bytes) }))
                    .collect();
                if shuffled {
                    random.shuffle(&mut flows);
                }
                let alerts = step(&mut engine, &interval(index, flows)).alerts;
                texts.extend(alerts.into_iter().map(|alert| alert.text));
            }
            texts
        };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn what_is_always_the_same_is_never_unusual(bytes in 1_u64..1 << 50, length in 1_usize..150) {
        let told = alerts(engine_settings(), &vec![bytes; length]);
        prop_assert!(told.is_empty(), "{:?}", told.first());
    }

    #[test]
    fn what_jumps_from_a_steady_state_is(bytes in 60_000_u64..1 << 40, times in 3_u64..1000) {
        let points = [vec![bytes; 12], vec![bytes * times]].concat();
        let told = alerts(engine_settings(), &points);
        prop_assert_eq!(told.len(), 1);
        prop_assert_eq!((told[0].0, told[0].1.bytes), (12, bytes * times));
    }

    #[test]
    fn trifles_are_not(bytes in 1_u64..10_000, times in 1_u64..10) {
        let points = [vec![bytes; 12], vec![bytes * times]].concat();
        prop_assert!(alerts(engine_settings(), &points).is_empty());
    }

    /// Each grouping keeps what it looks at, clears the rest, and is stable.
    #[test]
    fn a_groups_key_is_in_its_own_group(host in any::<u8>(), sport in any::<u16>(), direction in 0_u8..3) {
        let flow = FlowKey { direction, protocol: 6, dport: 443, ifindex: 3, ..flow(host, sport) };
        for group in [GroupBy::Pair, GroupBy::Flow, GroupBy::Src, GroupBy::Dst] {
            let key = group.key(&flow);
            prop_assert_eq!(group.key(&key), key);
            prop_assert_eq!((key.ifindex, key.family, key.direction), (3, 4, 0));
            prop_assert_eq!(key.sport != 0, group == GroupBy::Flow && sport != 0);
        }
        let prefix = GroupBy::PeerPrefix.key(&flow);
        let sides = (GroupBy::PeerPrefix.source(&prefix), GroupBy::PeerPrefix.destination(&prefix));
        let net = "10.0.0.0/24".to_owned();
        let due = if direction == 1 { (net, "*".to_owned()) } else { ("*".to_owned(), net) };
        prop_assert_eq!(sides, due);
    }
}
