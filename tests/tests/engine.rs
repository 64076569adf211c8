//! Tests the path from intervals to alerts through the library: the content of windows, forgotten groups, and
//! alerts, for intervals of any kind.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use wherefore_agent::detect::series::{BaselineUpdate, Lookup, Series, SeriesOptions};
use wherefore_agent::options::EngineSettings;
use wherefore_agent::traffic::flows::Flows;
use wherefore_agent::traffic::group::GroupBy;
use wherefore_common::{Counters, FlowKey};
use wherefore_tests::engine::{
    alerting, alerts, engine_settings, flow, interval, moved, rarity, step,
};

const OPTIONS: SeriesOptions =
    SeriesOptions { window: 10, max_groups: 1000, expire_after: 60, assume_quiet_before: true };

#[test]
fn an_alert_has_the_baseline() {
    let mut points = vec![50_000; 20];
    points.push(500_000);
    let [(20, alert)] = &alerts(engine_settings(), &points)[..] else { panic!("one alert at 20") };
    assert_eq!((alert.bytes, alert.usual_bytes, alert.ratio), (500_000, 50_000.0, Some(10.0)));
    assert_eq!((alert.src.as_str(), alert.dst.as_str()), ("10.0.0.1", "10.0.0.250"));
    assert_eq!(alert.window.len(), 10);
    assert!(alert.text.contains("normally 50.0 kB (10 times as much)"), "{}", alert.text);
}

#[test]
fn a_new_pair_has_a_history_of_zeros() {
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
    assert!(alert.text.contains("nothing moved in 5.0 s"), "{}", alert.text);
}

#[test]
fn time_jumps_of_years_cost_nothing() {
    let mut engine = alerting(engine_settings());
    let start = Instant::now();
    // The shortest interval is 100 ms, and 64-bit nanoseconds reach 292 years either way.
    const FARTHEST: i64 = i64::MAX / 100_000_000;
    for index in [0, 1, FARTHEST, -FARTHEST, 0, 6_000_000_000, 6_000_000_001] {
        let outcome = step(&mut engine, &interval(index, vec![(flow(1, 1), moved(10))]));
        assert_eq!(outcome.groups, 1);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// Series with the flows of the interval that is being collected.
struct Collected {
    series: Series,
    flows: Flows,
}

impl Collected {
    fn new(options: SeriesOptions) -> Self {
        Self { series: Series::new(options), flows: Flows::default() }
    }

    fn collect(&mut self, group: FlowKey, flow: FlowKey, counters: Counters) {
        let mut lookup = [Lookup::default()];
        self.series.look_up(&[group], &mut lookup);
        self.flows.push(&flow, &counters);
        let at = self.flows.len() - 1;
        self.series.collect((group, lookup[0]), &self.flows, at, false);
    }

    /// The windows of all groups after the interval.
    fn close(&mut self) -> BTreeMap<FlowKey, Vec<f64>> {
        self.close_with(BaselineUpdate::Learn)
    }

    /// The same, of which this is learned.
    fn close_with(&mut self, update: BaselineUpdate) -> BTreeMap<FlowKey, Vec<f64>> {
        let mut windows = BTreeMap::new();
        self.series.close(&self.flows, 1.0, |window| {
            assert_eq!(window.points.newest(), *window.points.to_vec().last().expect("a point"));
            windows.insert(window.key(), window.points.to_vec());
            update
        });
        self.flows = Flows::default();
        windows
    }
}

proptest! {
    /// The bytes of each host in each of some intervals; 0 is none.
    #[test]
    fn all_added_bytes_are_in_the_windows(
        rows in prop::collection::vec(prop::collection::vec(0_u64..1_000_000, 5), 1..10),
    ) {
        let mut collected = Collected::new(OPTIONS);
        let mut windows = BTreeMap::new();
        for row in &rows {
            for (host, bytes) in (0..).zip(row) {
                let flow = flow(host, 1);
                // In two parts, which are one point.
                for part in [bytes / 3, bytes - bytes / 3].into_iter().filter(|part| *part > 0) {
                    collected.collect(GroupBy::Pair.key(&flow), flow, moved(part));
                }
            }
            windows = collected.close();
        }
        for host in 0..5_u8 {
            let due: Vec<_> = rows.iter().map(|row| row[usize::from(host)] as f64).collect();
            let found = windows.get(&GroupBy::Pair.key(&flow(host, 1)));
            // Gaps, also before the first packet, are points of zero.
            prop_assert_eq!(found.cloned().unwrap_or(vec![0.0; rows.len()]), due);
        }
    }

    /// Windows of any length, some of whose points are to be forgotten, while the length changes.
    #[test]
    fn windows_are_the_newest_points_that_count(
        rows in prop::collection::vec((1_u64..1_000_000, 0_u8..4, prop::option::of(1_usize..8)), 1..60),
    ) {
        let mut collected = Collected::new(SeriesOptions { assume_quiet_before: false, ..OPTIONS });
        let mut window = OPTIONS.window;
        let mut due: Vec<f64> = Vec::new();
        for (bytes, update, length) in rows {
            if let Some(length) = length {
                window = length;
                due.drain(..due.len().saturating_sub(window));
                collected.series.resize(SeriesOptions {
                    window, assume_quiet_before: false, ..OPTIONS
                });
            }
            let before = due.clone();
            due.push(bytes as f64);
            due.drain(..due.len().saturating_sub(window));
            collected.collect(flow(1, 1), flow(1, 1), moved(bytes));
            let update = if update == 0 { BaselineUpdate::Freeze } else { BaselineUpdate::Learn };
            let windows = collected.close_with(update);
            prop_assert_eq!(&windows[&flow(1, 1)], &due);
            if update == BaselineUpdate::Freeze {
                due = before;
            }
        }
    }

    #[test]
    fn groups_are_forgotten_after_so_many_quiet_intervals(expire_after in 1_u32..100) {
        let mut collected = Collected::new(SeriesOptions { expire_after, ..OPTIONS });
        collected.collect(flow(1, 1), flow(1, 1), moved(5));
        collected.close();
        for _ in 0..expire_after {
            prop_assert_eq!(collected.series.len(), 1);
            collected.close();
        }
        prop_assert!(collected.series.is_empty());
    }

    /// Skipping a gap at once has the same result, and the same alerts, as passing it interval by interval.
    #[test]
    fn gaps_are_intervals_of_nothing(
        points in prop::collection::vec(0_u64..3_000_000, 8..30),
        gap in 0_i64..200,
        by_rarity: bool,
    ) {
        let rarity = by_rarity.then(|| rarity("100/day"));
        let run = |gives_quiet: bool| {
            let settings = EngineSettings { rarity: rarity.clone(), ..engine_settings() };
            let mut engine = alerting(settings);
            let mut reported = Vec::new();
            let mut take = |at: i64, flows: Vec<_>| {
                reported.extend(step(&mut engine, &interval(at, flows)).alerts);
            };
            let before = points.len() as i64;
            for (at, bytes) in points.iter().enumerate() {
                take(at as i64, vec![(flow(1, 1), moved(*bytes))]);
            }
            (before..before + gap).filter(|_| gives_quiet).for_each(|at| take(at, Vec::new()));
            take(before + gap, vec![(flow(2, 1), moved(9)), (flow(1, 1), moved(3_000_000))]);
            reported
        };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn memory_is_bounded_and_evictions_are_counted(
        max_groups in 1_usize..200,
        bursts in prop::collection::vec(0_u16..400, 1..8),
    ) {
        let mut collected = Collected::new(SeriesOptions { max_groups, ..OPTIONS });
        let (mut port, mut started) = (0, 0_u64);
        for burst in bursts {
            for _ in 0..burst {
                port += 1;
                started += 1;
                collected.collect(flow(1, port), flow(1, port), moved(1));
                prop_assert!(collected.series.len() <= max_groups);
            }
            collected.close();
        }
        prop_assert_eq!(collected.series.len() as u64 + collected.series.evicted(), started);
    }

    /// Quiet groups make room before busy ones.
    #[test]
    fn the_quietest_group_makes_room(quiet in 0_u16..50) {
        let mut collected = Collected::new(SeriesOptions { max_groups: 50, ..OPTIONS });
        (0..50).for_each(|port| collected.collect(flow(1, port), flow(1, port), moved(9)));
        collected.close();
        for port in (0..50).filter(|port| *port != quiet) {
            collected.collect(flow(1, port), flow(1, port), moved(9));
        }
        collected.close();
        for port in (0..50).filter(|port| *port != quiet) {
            collected.collect(flow(1, port), flow(1, port), moved(9));
        }
        collected.collect(flow(2, 1), flow(2, 1), moved(9));
        let windows = collected.close();
        prop_assert!(!windows.contains_key(&flow(1, quiet)));
        prop_assert_eq!((windows.len(), collected.series.evicted()), (50, 1));
    }

    #[test]
    fn the_order_of_flows_does_not_matter(
        rows in prop::collection::vec(prop::collection::vec(0_u64..3_000_000, 6), 6..14),
        seed in any::<u64>(),
    ) {
        let run = |shuffled: bool| {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut engine = alerting(engine_settings());
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
    fn a_constant_series_is_never_unusual(bytes in 1_u64..1 << 50, length in 1_usize..150) {
        let reported = alerts(engine_settings(), &vec![bytes; length]);
        prop_assert!(reported.is_empty(), "{:?}", reported.first());
    }

    #[test]
    fn a_jump_from_a_steady_state_is_unusual(bytes in 60_000_u64..1 << 40, times in 3_u64..1000) {
        let points = [vec![bytes; 12], vec![bytes * times]].concat();
        let reported = alerts(engine_settings(), &points);
        prop_assert_eq!(reported.len(), 1);
        prop_assert_eq!((reported[0].0, reported[0].1.bytes), (12, bytes * times));
    }

    #[test]
    fn trifles_are_not(bytes in 1_u64..10_000, times in 1_u64..10) {
        let points = [vec![bytes; 12], vec![bytes * times]].concat();
        prop_assert!(alerts(engine_settings(), &points).is_empty());
    }

    /// Each grouping keeps its own fields, clears the rest, and is stable.
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
