//! Tests the life of incidents through the library: when they begin, continue and end, which of it is
//! reported, what is exempt, and what survives a restart or a change of settings.
#![allow(clippy::unwrap_used)]

use wherefore_agent::attribute::Directory;
use wherefore_agent::detect::incident::{Limit, Rules};
use wherefore_agent::message::alert::{Alert, KeyScope, Kind, Status};
use wherefore_agent::options::EngineSettings;

use wherefore_agent::message::{self, AlertContext, Alerting};
use wherefore_common::FlowKey;
use wherefore_tests::engine::{alerting, alerts, engine_settings, flow, interval, moved, step};

const RULES: Rules = Rules { repeat_after: 60, resolve_after: 6, cool_down: 0, limit: None };

/// The reported messages, as `interval status`.
fn reported(settings: EngineSettings, points: &[u64]) -> Vec<String> {
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
    let rules = Rules { repeat_after: 8, resolve_after: 6, ..RULES };
    let all = alerts(with_rules(rules.clone()), &points);
    assert_eq!(
        reported(with_rules(rules), &points),
        ["30 firing", "38 update", "46 update", "55 resolved"]
    );
    let key = &all[0].1.key;
    assert!(key.len() == 32 && all.iter().all(|(_, alert)| &alert.key == key));
    let [.., (_, update), (_, last)] = &all[..] else { panic!("{all:?}") };
    assert_eq!((update.incident_bytes, update.incident_seconds), (17 * 5_000_000, 85.0));
    assert!(update.text.ends_with("; 85.0 MB in 85 s and continuing"), "{}", update.text);
    assert_eq!((last.incident_bytes, last.peak_bytes_per_second), (20 * 5_000_000, 1e6));
    assert!(last.text.contains(", 100.0 MB in 100 s, at most 1.0 MB/s; back to normal"));
    assert_eq!(last.started, all[0].1.started);
}

#[test]
fn an_incident_lasts_as_long_when_the_clock_is_set() {
    const SECOND: i64 = 1_000_000_000;
    let lengths = |step_s: i64| {
        let rules = Rules { repeat_after: 4, resolve_after: 6, ..RULES };
        let mut engine = alerting(with_rules(rules));
        let mut reported = Vec::new();
        for index in 0..60 {
            let bytes = if (30..40).contains(&index) { 5_000_000 } else { 50_000 };
            let flows = vec![(flow(1, 1), moved(bytes)), (flow(2, 1), moved(1000))];
            let mut interval = interval(index, flows);
            // Set within the incident.
            if index >= 34 {
                interval.start_ns += step_s * SECOND;
                interval.end_ns += step_s * SECOND;
                interval.stepped_ns = if index == 34 { step_s * SECOND } else { 0 };
            }
            reported.extend(step(&mut engine, &interval).alerts);
        }
        let of = |alert: &Alert| (alert.status, alert.incident_seconds, alert.interval_seconds);
        reported.iter().map(of).collect::<Vec<_>>()
    };
    let unset = lengths(0);
    assert_eq!(unset.last().unwrap().1, 50.0);
    for step_s in [-3600, 3600, -1, 86_400 * 365] {
        assert_eq!(lengths(step_s), unset, "{step_s}");
    }
}

#[test]
fn a_short_lull_does_not_end_an_incident() {
    let points: Vec<u64> = (0..80)
        .map(|n| if (30..60).contains(&n) && n % 5 == 0 { 5_000_000 } else { 50_000 })
        .collect();
    let rules = RULES;
    assert_eq!(reported(with_rules(rules), &points), ["30 firing", "61 resolved"]);
    let impatient = Rules { repeat_after: 60, resolve_after: 4, ..RULES };
    let reported = reported(with_rules(impatient), &points);
    assert_eq!(reported.len(), 12, "{reported:?}");
}

#[test]
fn after_an_incident_the_same_group_is_not_reported_for_a_while() {
    let burst = |at: usize, points: &mut Vec<u64>, length: usize| {
        points[at..at + length].fill(5_000_000);
    };
    let mut points = vec![50_000; 120];
    burst(30, &mut points, 1);
    burst(40, &mut points, 1);
    burst(80, &mut points, 1);
    let cool = |cool_down| with_rules(Rules { cool_down, ..RULES });
    let each = ["30 firing", "36 resolved", "40 firing", "46 resolved"];
    assert_eq!(reported(cool(0), &points)[..4], each);
    // Over at 36, so that 40 is within and 80 is not.
    assert_eq!(
        reported(cool(20), &points),
        ["30 firing", "36 resolved", "80 firing", "86 resolved"]
    );
    // One that continues is reported once the cool-down is over.
    burst(40, &mut points, 25);
    let late = reported(cool(20), &points);
    assert_eq!(late[..4], ["30 firing", "36 resolved", "56 firing", "70 resolved"]);
}

#[test]
fn what_keeps_coming_back_is_reported_less_and_less_often() {
    let points: Vec<u64> =
        (0..900).map(|at| if at >= 30 && at % 15 == 0 { 5_000_000 } else { 50_000 }).collect();
    let all = reported(with_rules(Rules { cool_down: 5, ..RULES }), &points);
    let firing: Vec<_> = all.iter().filter(|one| one.ends_with("firing")).collect();
    // The pauses after the ends are 5, 20, 80 and 320 intervals long.
    assert_eq!(firing, ["30 firing", "45 firing", "75 firing", "165 firing", "495 firing"]);
}

#[test]
fn an_anomaly_does_not_update_the_baseline() {
    let points = [vec![50_000; 30], vec![5_000_000; 40]].concat();
    let rules = Rules { repeat_after: 10, resolve_after: 6, ..RULES };
    assert_eq!(
        reported(with_rules(rules.clone()), &points),
        ["30 firing", "40 update", "50 update", "60 update"]
    );
    // One that may: by the third interval half the reference is as high.
    let learning = EngineSettings { learn_anomalies: true, ..with_rules(rules.clone()) };
    let learnt = reported(learning, &points);
    assert_eq!(learnt[0], "30 firing");
    assert!(learnt.len() == 2 && learnt[1].ends_with("resolved"), "{learnt:?}");
    // And one that does after a while.
    let in_time = EngineSettings { learn_after: 12, ..with_rules(rules) };
    let learnt = reported(in_time, &points);
    assert_eq!(learnt[..2], ["30 firing", "40 update"]);
    assert!(learnt.len() == 3 && learnt[2].ends_with("resolved"), "{learnt:?}");
}

#[test]
fn nothing_is_reported_before_the_window_is_full_unless_asked() {
    let points = [vec![50_000; 6], vec![5_000_000], vec![50_000; 20]].concat();
    let rules = RULES;
    assert_eq!(reported(with_rules(rules.clone()), &points), [""; 0]);
    let eager = EngineSettings { quiet_start: false, ..with_rules(rules) };
    assert_eq!(reported(eager, &points), ["6 firing", "12 resolved"]);
}

/// Several pairs burst at once; the second pair keeps the intervals coming.
fn burst_of(engine: &mut Alerting, pairs: u8, quiet: i64) -> Vec<Alert> {
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
fn incidents_beyond_the_limit_are_summarised() {
    let limit = Some(Limit { burst: 3, per_interval: 0.01 });
    let rules = Rules { limit, ..RULES };
    let all = burst_of(&mut alerting(with_rules(rules)), 45, 20);
    let of =
        |kind, status| all.iter().filter(move |alert| (alert.kind, alert.status) == (kind, status));
    assert_eq!(of(Kind::Volume, Status::Firing).count(), 3);
    assert_eq!(of(Kind::Volume, Status::Resolved).count(), 3);
    let digests: Vec<_> = of(Kind::Digest, Status::Firing).collect();
    let [digest] = digests[..] else { panic!("{digests:?}") };
    assert!(digest.text.contains(" 42 more incidents, 42 of them with 10.0.0.250"));
    // Later messages have the same labels, whichever peer is named then.
    assert_eq!(digest.dst, "*");
    assert_eq!(of(Kind::Digest, Status::Resolved).count(), 1);
    // The weightiest are reported: here those with the most bytes.
    let reported: Vec<_> =
        of(Kind::Volume, Status::Firing).map(|alert| alert.src.as_str()).collect();
    assert_eq!(reported, ["10.0.0.45", "10.0.0.44", "10.0.0.43"]);
}

#[test]
fn an_incident_of_an_earlier_run_goes_on() {
    let rules = RULES;
    let mut first = alerting(with_rules(rules.clone()));
    let mut open = Vec::new();
    for index in 0..21 {
        let bytes = if index == 20 { 5_000_000 } else { 50_000 };
        open.extend(step(&mut first, &interval(index, vec![(flow(1, 1), moved(bytes))])).alerts);
    }
    let kept: Vec<Alert> = first.open().into_iter().cloned().collect();
    assert_eq!(kept, open);
    // It continues: with the history from before, it is neither reported again nor taken to be over.
    let restored = |reported: &[Alert]| {
        let mut engine = alerting(with_rules(RULES));
        engine.restore(reported.to_vec(), |_| Some(0));
        engine
    };
    let mut second = restored(&kept);
    let go_on = |engine: &mut Alerting, bytes, range: std::ops::Range<i64>| -> Vec<Alert> {
        let mut step =
            |index| step(engine, &interval(index, vec![(flow(1, 1), moved(bytes))])).alerts;
        range.flat_map(&mut step).collect()
    };
    assert_eq!(go_on(&mut second, 5_000_000, 0..30), []);
    let over = go_on(&mut second, 50_000, 30..40);
    let [over] = &over[..] else { panic!("{over:?}") };
    assert_eq!(
        (over.status, &over.key, &over.started),
        (Status::Resolved, &open[0].key, &open[0].started)
    );
    assert_eq!(over.incident_bytes, 31 * 5_000_000);
    assert_eq!(second.open().len(), 0);
    // It is over already.
    let over = go_on(&mut restored(&kept), 50_000, 0..10);
    assert!(over.len() == 1 && over[0].status == Status::Resolved, "{over:?}");
}

#[test]
fn held_back_incidents_are_reported_when_the_limit_allows() {
    // Three decoys use up the rate limit, and an incident that continues comes after them.
    let limit = Some(Limit { burst: 3, per_interval: 0.1 });
    let mut engine = alerting(with_rules(Rules { limit, ..RULES }));
    let mut all = Vec::new();
    for index in 0..60 {
        let decoy = if index == 20 { 5_000_000 } else { 50_000 };
        let lasting = if index >= 21 { 2_000_000 } else { 50_000 };
        let mut flows: Vec<_> = (1..=3).map(|host| (flow(host, 1), moved(decoy))).collect();
        flows.push((flow(9, 1), moved(lasting)));
        all.extend(step(&mut engine, &interval(index, flows)).alerts);
    }
    let of =
        |kind, status| all.iter().filter(move |alert| (alert.kind, alert.status) == (kind, status));
    let late: Vec<_> = of(Kind::Volume, Status::Firing).filter(|a| a.src == "10.0.0.9").collect();
    assert_eq!(late.len(), 1, "{all:?}");
    // The summary included it as long as it was held back.
    assert_eq!(of(Kind::Digest, Status::Firing).count(), 1);
    let over: Vec<_> = of(Kind::Digest, Status::Resolved).collect();
    assert!(over.len() == 1 && over[0].incident_bytes >= 10_000_000, "{over:?}");
}

#[test]
fn a_digest_of_an_earlier_run_continues() {
    let limit = Some(Limit { burst: 1, per_interval: 0.0 });
    let rules = Rules { limit, ..RULES };
    let reported = burst_of(&mut alerting(with_rules(rules.clone())), 5, 20);
    let digest = reported.iter().find(|alert| alert.kind == Kind::Digest).unwrap().clone();
    let mut second = alerting(with_rules(rules));
    second.restore(vec![digest.clone()], |_| None);
    let all = burst_of(&mut second, 5, 12);
    let digests: Vec<_> = all.iter().filter(|alert| alert.kind == Kind::Digest).collect();
    let [over] = digests[..] else { panic!("{digests:?}") };
    assert_eq!((over.status, &over.key), (Status::Resolved, &digest.key));
    assert_eq!(over.started, digest.started);
}

#[test]
fn the_same_group_on_two_interfaces_is_one_incident() {
    let mut engine = alerting(engine_settings());
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
fn agents_share_keys_within_the_key_scope() {
    let jump = [vec![50_000; 20], vec![500_000]].concat();
    let key = |key_scope: KeyScope, host: &str| {
        let settings = message::Settings { key_scope, ..message::Settings::default() };
        let mut engine = Alerting::new(engine_settings(), settings).unwrap();
        let context = AlertContext {
            host,
            interface_name: &|_| host.to_owned(),
            directory: &Directory::default(),
        };
        let mut step = |(index, bytes): (usize, &u64)| {
            engine.step(&interval(index as i64, vec![(flow(1, 1), moved(*bytes))]), &context)
        };
        let outcomes: Vec<_> = jump.iter().enumerate().map(&mut step).collect();
        outcomes[20].alerts[0].key.clone()
    };
    assert_ne!(key(KeyScope::Host, "one"), key(KeyScope::Host, "other"));
    assert_eq!(key(KeyScope::Host, "one"), key(KeyScope::Host, "one"));
    assert_eq!(key(KeyScope::Network, "one"), key(KeyScope::Network, "other"));
}

#[test]
fn allowed_traffic_is_counted_but_not_judged() {
    let allow = vec!["10.0.0.250:1".parse().unwrap(), "7".parse().unwrap()];
    let mut engine = alerting(EngineSettings { allow, ..engine_settings() });
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
    let mut engine = alerting(engine_settings());
    let run = |engine: &mut Alerting, range: std::ops::Range<i64>, bytes| {
        let step = |index| step(engine, &interval(index, vec![(flow(1, 1), moved(bytes))]));
        range.map(step).last().unwrap()
    };
    run(&mut engine, 0..10, 50_000);
    for (window, at) in [(25, 10), (6, 11), (10, 12)] {
        engine.engine.reconfigure(EngineSettings { window, ..engine_settings() }).unwrap();
        let outcome = run(&mut engine, at..at + 1, 50_000);
        let kept = &outcome.top[0].window;
        assert!(kept.iter().all(|point| *point == 50_000.0) && kept.len() >= 6, "{kept:?}");
    }
    let deaf = EngineSettings { threshold: 1.0, ..engine_settings() };
    engine.engine.reconfigure(deaf).unwrap();
    assert_eq!(run(&mut engine, 13..14, 5_000_000).alerts, []);
    engine.engine.reconfigure(engine_settings()).unwrap();
    assert_eq!(run(&mut engine, 14..15, 50_000_000).alerts.len(), 1);
}
