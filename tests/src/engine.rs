//! Intervals made by hand for the engine: how much each pair moved, without a source and a clock.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use wherefore_agent::attribute::Directory;
use wherefore_agent::detect::incident::Rules;
use wherefore_agent::detect::methods::{Method, Options};
use wherefore_agent::detect::places::PlaceRules;
use wherefore_agent::message::alert::Alert;
use wherefore_agent::message::{self, AlertContext, Alerting, Outcome};
use wherefore_agent::options::cli::Budget;
use wherefore_agent::options::{EngineSettings, RaritySettings};
use wherefore_agent::traffic::group::GroupBy;
use wherefore_agent::traffic::interval::Interval;
use wherefore_common::flow::address_words;
use wherefore_common::{Counters, FlowKey};

/// The Go tool's methods as the program has them, without a command line.
pub fn engine_settings() -> EngineSettings {
    EngineSettings {
        group_by: GroupBy::Pair,
        rarity: None,
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
        rules: Rules { repeat_after: 60, resolve_after: 6, cool_down: 0, limit: None },
        quiet_start: true,
        learn_anomalies: false,
        learn_after: 720,
        places: PlaceRules::default(),
        allow: Vec::new(),
        top: 5,
    }
}

/// Settings of detection by rarity, in intervals of 5 s, with this budget.
///
/// # Panics
/// If it is not a budget.
pub fn rarity(budget: &str) -> RaritySettings {
    RaritySettings::new(budget.parse().expect("a budget"), &[], Duration::from_secs(5))
}

/// Settings of detection by rarity with these kinds, in the syntax of `--alert-kinds`.
///
/// # Panics
/// If there is no such kind.
pub fn kinds(kinds: &str) -> RaritySettings {
    let kinds: Vec<_> = kinds.split(',').map(|kind| kind.parse().expect("a kind")).collect();
    RaritySettings::new(Budget::default(), &kinds, Duration::from_secs(5))
}

/// A flow from host `host`, distinguished by its port.
pub fn flow(host: u8, port: u16) -> FlowKey {
    let words = |last| address_words(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))).1;
    FlowKey { src: words(host), dst: words(250), sport: port, family: 4, ..FlowKey::default() }
}

/// One packet of this many bytes.
pub fn moved(bytes: u64) -> Counters {
    Counters { packets: 1, bytes, device_packets: 1, ..Counters::default() }
}

/// The interval of this number, 5 s long.
pub fn interval(index: i64, flows: Vec<(FlowKey, Counters)>) -> Interval {
    let start_ns = index.saturating_mul(5_000_000_000);
    Interval {
        index,
        start_ns,
        end_ns: start_ns.saturating_add(5_000_000_000),
        flows: flows.into(),
        ..Interval::default()
    }
}

/// An engine and its messages, without history.
///
/// # Panics
/// If the settings contradict each other.
pub fn alerting(settings: EngineSettings) -> Alerting {
    Alerting::new(settings, message::Settings::default()).expect("sound settings")
}

/// Adds an interval.
pub fn step(alerting: &mut Alerting, interval: &Interval) -> Outcome {
    let directory = Directory::default();
    let context = AlertContext {
        host: "here",
        interface_name: &|_| "eth0".to_owned(),
        directory: &directory,
    };
    alerting.step(interval, &context)
}

/// The alerts of one pair with these bytes in each interval, with their intervals.
///
/// # Panics
/// If the settings contradict each other.
pub fn alerts(settings: EngineSettings, points: &[u64]) -> Vec<(usize, Alert)> {
    let mut engine = alerting(settings);
    // Another pair has traffic in all intervals, as on a real host.
    let other = (flow(2, 1), moved(1000));
    let mut alerts = Vec::new();
    for (index, bytes) in points.iter().enumerate() {
        let mine = (*bytes > 0).then(|| (flow(1, 1), moved(*bytes)));
        let flows = mine.into_iter().chain([other]).collect();
        let outcome = step(&mut engine, &interval(index as i64, flows));
        alerts.extend(outcome.alerts.into_iter().map(|alert| (index, alert)));
    }
    alerts
}
