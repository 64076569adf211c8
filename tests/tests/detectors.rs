//! Tests properties of the detectors for any input, and what they must detect in invented traffic. Refuses
//! figures on how good they are: those are in docs/detection.md.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;
use wherefore_agent::detect::detectors::{
    AggregateDetector, AggregateState, Detector, FlowDetector, FlowState, FlowStates,
    OrdinaryVolumes, Quantity, SilentEvent, Test, Verdict,
};
use wherefore_agent::message;

/// The length of an interval in sentences.
const INTERVAL: Duration = Duration::from_secs(5);

/// Failures are not written to disk: one worth keeping becomes a test of its own here.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn verdicts<D: Detector>(detector: &D, points: &[f64]) -> Vec<Verdict> {
    let mut state = D::State::default();
    points.iter().map(|&point| detector.step(&mut state, point)).collect()
}

fn rarest(verdicts: &[Verdict]) -> Verdict {
    *verdicts.iter().max_by(|a, b| a.score.total_cmp(&b.score)).unwrap()
}

/// Any f64 at all: NaN, infinities, subnormals, negative zero.
fn wild_points() -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(0.0),
    ];
    proptest::collection::vec(point, 0..700)
}

/// Points as flows have them: silences, ties and bursts of all sizes.
fn flow_points(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![
        3 => Just(0.0),
        2 => (0u32..6).prop_map(|packets| f64::from(packets) * 66.0),
        2 => (0.0..40.0f64).prop_map(f64::exp2),
    ];
    proptest::collection::vec(point, length)
}

fn bears_everything<D: Detector>(detector: &D, points: &[f64]) {
    for verdict in verdicts(detector, points) {
        assert!(verdict.score.is_finite() && verdict.score >= 0.0, "{verdict:?}");
        assert_eq!(verdict.score > 0.0, verdict.test != Test::Ordinary, "{verdict:?}");
        assert!(!message::of_verdict(&verdict, INTERVAL).is_empty());
    }
}

fn is_causal<D: Detector>(detector: &D, points: &[f64], cut: usize) {
    let whole = verdicts(detector, points);
    assert_eq!(whole, verdicts(detector, points), "the same points, the same verdicts");
    let cut = cut.min(points.len());
    assert_eq!(whole[..cut], verdicts(detector, &points[..cut]), "later points change nothing");
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn nothing_makes_them_panic(points in wild_points()) {
        bears_everything(&FlowDetector::default(), &points);
        bears_everything(&AggregateDetector::default(), &points);
    }

    #[test]
    fn they_are_causal_and_deterministic(points in flow_points(0..700), cut in 0usize..700) {
        is_causal(&FlowDetector::default(), &points, cut);
        is_causal(&AggregateDetector::default(), &points, cut);
    }

    /// A skipped gap has the same result as single steps.
    #[test]
    fn the_fast_path_gives_the_same_result(
        points in flow_points(0..700), spread in 0u8..4, limit in 0f32..8.0
    ) {
        let detector = FlowDetector::default();
        let (mut stepped, mut packed) = (FlowState::default(), FlowStates::default());
        packed.grow(1);
        for point in points {
            // Most flows vary by less than the values of the strategy.
            let point = point.powf(1.0 / f64::from(1 << spread));
            let verdict = detector.step(&mut stepped, point);
            if detector.step_ordinary(&mut packed, 0, point, &OrdinaryVolumes::below(limit)) {
                prop_assert!(verdict.score < limit.max(1.0), "{verdict:?}");
            } else {
                let mut state = packed.unpack(0);
                prop_assert_eq!(detector.step(&mut state, point), verdict);
                packed.pack(0, &state);
            }
            prop_assert_eq!(packed.unpack(0), stepped);
            prop_assert_eq!(packed.active(0), stepped.active());
        }
    }

    /// Skipping is stepping, whatever came before and comes after.
    #[test]
    fn skipping_a_silence_equals_stepping_through_it(
        points in flow_points(0..600),
        silence in prop_oneof![0u32..20, 200u32..600, Just(70_000)],
    ) {
        let detector = FlowDetector::default();
        let (mut skipped, mut stepped) = (FlowState::new(), FlowState::new());
        for &point in &points {
            detector.step(&mut skipped, point);
            detector.step(&mut stepped, point);
        }
        let verdict = detector.skip_quiet(&mut skipped, silence);
        let each: Vec<_> = (0..silence).map(|_| detector.step(&mut stepped, 0.0)).collect();
        let due = each.iter().map(|verdict| verdict.score).fold(0.0, f32::max);
        prop_assert_eq!(verdict.score, due);
        prop_assert_eq!(skipped, stepped);
    }

    #[test]
    fn skipping_a_silence_gives_the_same_state(
        points in flow_points(0..600),
        silence in prop_oneof![1u32..20, 200u32..600, Just(70_000)],
        is_judged: bool,
    ) {
        let detector = FlowDetector::default();
        let (mut passed, mut stepped) = (FlowState::new(), FlowState::new());
        for &point in &points {
            detector.step(&mut passed, point);
            detector.step(&mut stepped, point);
        }
        let mut highest = 0.0_f32;
        let mut visit = |quiet| match quiet {
            SilentEvent::Block(verdict) => highest = highest.max(verdict.score),
            SilentEvent::Silence { last, .. } => highest = highest.max(last.score),
        };
        detector.pass_quiet(&mut passed, silence, is_judged.then_some(&mut visit as _));
        let due = (0..silence).map(|_| detector.step(&mut stepped, 0.0).score).fold(0.0, f32::max);
        prop_assert!(!is_judged || highest >= due, "{} {}", highest, due);
        prop_assert_eq!(passed, stepped);
    }

    /// The promise of aggregates: alarms of score s are at least 10^(s - 0.5) points apart.
    #[test]
    fn aggregates_alarm_seldom(points in flow_points(0..3000), score in 1.01f32..4.0) {
        let found = verdicts(&AggregateDetector::default(), &points);
        let alarms = found.iter().filter(|verdict| verdict.score >= score).count();
        let most = 1.0 + points.len() as f64 / 10f64.powf(f64::from(score) - 0.5);
        // The logarithm is exact to 0.0001.
        prop_assert!(alarms as f64 <= most * 1.001, "{} alarms, {} are allowed", alarms, most);
    }

    /// An aggregate in another unit is the same aggregate.
    #[test]
    fn aggregates_have_no_unit(points in flow_points(0..700), octaves in 0i32..20) {
        let detector = AggregateDetector::default();
        let unit = f64::from(octaves).exp2();
        let scaled: Vec<_> = points.iter().map(|point| point * unit).collect();
        let score = |points: &[f64]| -> Vec<f32> {
            verdicts(&detector, points).iter().map(|verdict| verdict.score).collect()
        };
        prop_assert_eq!(score(&points), score(&scaled));
    }
}

/// Log-normal traffic around 20 kB an interval, as a service that is always busy.
fn busy(points: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (0..points).map(|_| 20e3 * (0.5 * normal(&mut random)).exp()).collect()
}

/// The rarest verdict while `event` lasts, at the end of a day of busy traffic.
fn at_the_end_of_a_day(event: impl Fn(usize, f64) -> f64, lasts: usize) -> (Vec<Verdict>, Verdict) {
    let mut points = busy(17_280 + lasts, 3);
    for (place, point) in points[17_280..].iter_mut().enumerate() {
        *point = event(place, *point);
    }
    let found = verdicts(&FlowDetector::default(), &points);
    let during = rarest(&found[17_280..]);
    (found, during)
}

#[test]
fn most_of_a_day_is_passed_as_ordinary() {
    let detector = FlowDetector::default();
    let mut packed = FlowStates::default();
    packed.grow(1);
    let points = busy(17_280, 5);
    let is_passed = |point: &&f64| {
        let is_passed =
            detector.step_ordinary(&mut packed, 0, **point, &OrdinaryVolumes::below(1.0));
        if !is_passed {
            let mut state = packed.unpack(0);
            detector.step(&mut state, **point);
            packed.pack(0, &state);
        }
        is_passed
    };
    let passed = points.iter().filter(is_passed).count();
    assert!(passed > points.len() / 2, "{passed} of {}", points.len());
}

/// Earlier versions wrote counts of intervals with a fraction, and a file may have any content.
#[test]
fn stored_state_with_any_content_is_read() {
    let kept = serde_json::to_value(FlowState::default()).unwrap();
    for (said, read) in [(20.0, 20.0), (0.75, 0.0), (-3.0, 0.0), (1e30, 16_383.0)] {
        let mut kept = kept.clone();
        kept["active"] = said.into();
        let state: FlowState = serde_json::from_value(kept).unwrap();
        assert_eq!(state.active(), read);
    }
}

/// Enough flows, of which all grow, that room is made more than once.
#[test]
fn the_states_of_many_flows_stay_separate() {
    let detector = FlowDetector::default();
    let mut random = fastrand::Rng::with_seed(6);
    let mut stepped = vec![FlowState::default(); 2_000];
    let mut packed = FlowStates::default();
    packed.grow(stepped.len());
    for _ in 0..80 {
        for (flow, expected) in stepped.iter_mut().enumerate() {
            let is_quiet = random.usize(..4) < flow % 3;
            let point = if is_quiet { 0.0 } else { 1e4 * (flow as f64) * random.f64().powi(6) };
            let mut state = packed.unpack(flow);
            let verdict = detector.step(&mut state, point);
            packed.pack(flow, &state);
            assert_eq!(verdict, detector.step(expected, point));
        }
        assert!(stepped.iter().enumerate().all(|(flow, state)| packed.unpack(flow) == *state));
    }
}

#[test]
fn a_day_of_noise_causes_no_alert() {
    for seed in 0..20 {
        let found = verdicts(&FlowDetector::default(), &busy(17_280, seed));
        assert!(rarest(&found).score < 5.5, "{:?}", rarest(&found));
    }
}

#[test]
fn a_flood_is_rare_at_once() {
    let (found, during) = at_the_end_of_a_day(|_, point| point + 2e6, 12);
    assert!(during.score > 6.0, "{during:?}");
    assert!(found[17_280..17_282].iter().any(|verdict| verdict.score > 5.0));
    let first = found[17_280];
    assert!(matches!(first.test, Test::Volume { .. }), "{first:?}");
    let sentence = message::of_verdict(&first, INTERVAL);
    assert!(sentence.starts_with("2.0 MB in ") && sentence.contains("normally"), "{sentence}");
}

#[test]
fn a_flow_that_stopped_is_noticed() {
    let (_, during) = at_the_end_of_a_day(|_, _| 0.0, 120);
    assert!(during.test == Test::Gap && during.score > 6.0, "{during:?}");
    let sentence = message::of_verdict(&during, INTERVAL);
    let due =
        "nothing for 10 minutes; it never paused before; expected less than once every 58 days";
    assert_eq!(sentence, due);
}

#[test]
fn a_beacon_is_known_by_its_period() {
    let beacon = |place: usize, point: f64| if place.is_multiple_of(12) { 2e5 } else { point };
    let (found, _) = at_the_end_of_a_day(beacon, 480);
    let regular = found[17_280..].iter().filter(|v| v.test == Test::Regular { period: 12 });
    let rarest = regular.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap();
    assert!(rarest.score > 5.0, "{rarest:?}");
    let sentence = message::of_verdict(rarest, INTERVAL);
    assert!(sentence.starts_with("a burst every 60 seconds, "), "{sentence}");
}

#[test]
fn a_flow_with_a_short_history_is_judged_leniently() {
    let found = verdicts(&FlowDetector::default(), &[500.0, 800.0, 0.0, 600.0, 5e6]);
    assert!(rarest(&found).score < 4.0, "{:?}", rarest(&found));
}

#[test]
fn an_aggregate_that_leaves_its_range_is_reported() {
    let daily = |hour: usize| 1e6 + 5e5 * (hour as f64 * std::f64::consts::TAU / 288.0).sin();
    let mut points: Vec<f64> = (0..2880).map(daily).collect();
    points.push(3e6);
    let found = verdicts(&AggregateDetector::default(), &points);
    // Two days are enough to know a day.
    assert!(rarest(&found[576..2880]).score < 2.0, "{:?}", rarest(&found[576..2880]));
    let last = found[2880];
    assert!(last.score > 3.0, "{last:?}");
    let beyond = Test::Range { quantity: Quantity::Value };
    assert!(last.test == beyond || last.test == Test::Range { quantity: Quantity::Change });
    assert!(message::of_verdict(&last, INTERVAL).contains("; never "));
}

#[test]
fn states_are_small() {
    assert!(size_of::<FlowState>() <= 320);
    assert!(size_of::<AggregateState>() <= 640);
}
