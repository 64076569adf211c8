//! Tests properties of every window, and compares the counts with plain enumeration.
//!
//! Owns the oracle: the definitions of the methods applied to each permutation in turn, without regard to
//! cost, and without sharing code with what is tested. Refuses recorded values, which are in
//! `anomalyzer_golden.rs`.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wherefore_agent::detect::methods::{Anomalyzer, Method, Options};

/// Failures are not written to disk: one worth keeping becomes a test of its own here.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn options(active_size: usize, n_seasons: usize) -> Options {
    Options {
        active_size,
        n_seasons,
        sensitivity: 0.1,
        lower_bound: None,
        upper_bound: 100.0,
        methods: Method::ALL.to_vec(),
        delay: false,
        permutations: 40,
        seed: 7,
    }
}

/// Every legal combination of options, as far as it changes the path taken.
fn any_options() -> impl Strategy<Value = Options> {
    let sizes = (1usize..4, 4usize..7);
    let methods = proptest::sample::subsequence(Method::ALL.to_vec(), 1..=Method::ALL.len());
    let fence = prop_oneof![Just(None), (-50.0..50.0).prop_map(Some)];
    (sizes, methods, fence, any::<bool>(), 0.0..2.0, any::<u64>()).prop_map(
        |((active_size, n_seasons), methods, lower_bound, delay, sensitivity, seed)| Options {
            methods,
            lower_bound,
            delay,
            sensitivity,
            seed,
            ..options(active_size, n_seasons)
        },
    )
}

/// Points as flows have them, with many ties and zeros.
fn flow_points(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![Just(0.0), (0u32..6).prop_map(f64::from), 0.0..1e6];
    proptest::collection::vec(point, length)
}

/// Any f64 at all: NaN, infinities, subnormals, negative zero.
fn wild_points() -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(-0.0),
        (0u8..4).prop_map(f64::from),
    ];
    proptest::collection::vec(point, 0..20)
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    a.map(f64::to_bits) == b.map(f64::to_bits)
}

/// Every order of the points, by their places: equal points count as often as they occur.
fn orders(points: &[f64]) -> Vec<Vec<f64>> {
    if points.is_empty() {
        return vec![vec![]];
    }
    let mut all = vec![];
    for place in 0..points.len() {
        let mut rest = points.to_vec();
        let first = rest.remove(place);
        all.extend(orders(&rest).into_iter().map(|mut order| {
            order.insert(0, first);
            order
        }));
    }
    all
}

/// The rank of each point: the first of a tie group gets the highest rank, the others 0; a point that is
/// not a number has no rank.
fn ranks(points: &[f64]) -> Vec<usize> {
    let rank = |(place, x): (usize, &f64)| match points[..place].contains(x) || x.is_nan() {
        true => 0,
        false => points.iter().filter(|y| *y <= x).count() - 1,
    };
    points.iter().enumerate().map(rank).collect()
}

fn tail_sum(points: &[f64], active_size: usize) -> usize {
    ranks(points)[points.len() - active_size..].iter().sum()
}

fn relative_changes(points: &[f64]) -> Vec<f64> {
    points.windows(2).map(|pair| ((pair[1] - pair[0]) / pair[1]).abs()).collect()
}

/// The Kolmogorov-Smirnov distance on the grid, from its definition.
fn distance(points: &[f64], reference_size: usize, active_size: usize) -> f64 {
    let active_from = points.len() - active_size;
    let from = active_from.saturating_sub(reference_size);
    let (reference, active) = (&points[from..active_from], &points[active_from..]);
    let low = points[from..].iter().copied().fold(f64::INFINITY, f64::min);
    let high = points[from..].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let count = points.len() - from;
    let step = (high - low) / (count as f64 - 1.0);
    let (mut at, mut largest) = (low, 0.0f64);
    for _ in 0..count {
        let share =
            |part: &[f64]| part.iter().filter(|&&x| x <= at).count() as f64 / part.len() as f64;
        largest = largest.max((share(active) - share(reference)).abs());
        at += step;
    }
    largest
}

/// The share of all orders for which `holds`.
fn share_of_orders(points: &[f64], holds: impl Fn(&[f64]) -> bool) -> f64 {
    let all = orders(points);
    all.iter().filter(|order| holds(order)).count() as f64 / all.len() as f64
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn no_window_panics_or_leaves_the_unit_interval(
        options in any_options(),
        window in wild_points(),
    ) {
        let mut anomalyzer = Anomalyzer::new(options).unwrap();
        let score = anomalyzer.score(&window);
        prop_assert!((0.0..=1.0).contains(&score.probability), "{score:?}");
        for (method, p) in score.methods() {
            prop_assert!(p.is_none_or(|p| (0.0..=1.0).contains(&p)), "{method}: {p:?}");
            prop_assert_eq!(score.method(method), p);
        }
        for method in Method::ALL {
            anomalyzer.raw(method, &window);
        }
    }

    #[test]
    fn the_probability_alone_equals_that_of_the_full_score(
        options in any_options(),
        wild in wild_points(),
        flow in flow_points(0..30),
    ) {
        let mut anomalyzer = Anomalyzer::new(options).unwrap();
        for window in [wild, flow] {
            let score = anomalyzer.score(&window);
            let short = anomalyzer.probability(&window);
            prop_assert_eq!(short.to_bits(), score.probability.to_bits(), "{:?}", score);
        }
    }

    #[test]
    fn a_score_depends_on_nothing_evaluated_before(
        options in any_options(),
        before in wild_points(),
        window in flow_points(0..30),
    ) {
        let mut fresh = Anomalyzer::new(options.clone()).unwrap();
        let mut used = Anomalyzer::new(options).unwrap();
        used.score(&before);
        prop_assert_eq!(fresh.score(&window), used.score(&window));
        for method in Method::ALL {
            prop_assert!(same(fresh.raw(method, &window), used.raw(method, &window)));
        }
    }

    #[test]
    fn a_score_agrees_with_the_raw_score(options in any_options(), window in flow_points(0..30)) {
        let mut anomalyzer = Anomalyzer::new(options).unwrap();
        for (method, p) in anomalyzer.score(&window).methods() {
            let raw = anomalyzer.raw(method, &window).filter(|raw| !raw.is_nan());
            prop_assert!(same(p, raw.map(|raw| raw.clamp(0.0, 1.0))), "{method}");
        }
    }

    #[test]
    fn ranks_do_not_depend_on_the_scale(
        active_size in 1usize..4,
        window in flow_points(0..30),
        exponent in -20i32..20,
    ) {
        let mut anomalyzer = Anomalyzer::new(options(active_size, 4)).unwrap();
        // A power of two changes no tie and no order.
        let scaled: Vec<f64> = window.iter().map(|x| x * 2f64.powi(exponent)).collect();
        for method in [Method::HighRank, Method::LowRank, Method::Diff] {
            let (plain, scaled) = (anomalyzer.raw(method, &window), anomalyzer.raw(method, &scaled));
            prop_assert!(same(plain, scaled), "{method}: {plain:?} {scaled:?}");
        }
    }

    #[test]
    fn a_nan_makes_the_whole_score_undefined(
        mut window in flow_points(1..20),
        place in any::<proptest::sample::Index>(),
    ) {
        let place = place.index(window.len());
        window[place] = f64::NAN;
        let score = Anomalyzer::new(options(1, 4)).unwrap().score(&window);
        prop_assert_eq!(score.probability, 0.0);
        prop_assert!(score.methods().all(|(_, p)| p.is_none()));
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn counts_agree_with_enumeration(
        (active_size, n_seasons) in prop_oneof![
            Just((1, 4)), Just((1, 6)), Just((2, 2)), Just((2, 3)), Just((3, 2)),
        ],
        window in flow_points(2..8),
    ) {
        // Enough for every sample of at most 7 points to be taken in turn.
        let options = Options { permutations: 100, ..options(active_size, n_seasons) };
        let mut anomalyzer = Anomalyzer::new(options).unwrap();
        let mut agrees = |method, expected: f64| {
            let ours = anomalyzer.raw(method, &window);
            prop_assert!(
                ours.is_none_or(|ours| (ours - expected).abs() < 1e-12),
                "{method} {ours:?}, enumerated {expected}"
            );
            Ok(())
        };
        if active_size < window.len() {
            let observed = tail_sum(&window, active_size);
            let high = share_of_orders(&window, |order| tail_sum(order, active_size) < observed);
            let low = share_of_orders(&window, |order| tail_sum(order, active_size) > observed);
            agrees(Method::HighRank, high)?;
            agrees(Method::LowRank, low)?;
            let changed = |order: &[f64]| tail_sum(&relative_changes(order), active_size);
            let observed = changed(&window);
            agrees(Method::Diff, share_of_orders(&window, |order| changed(order) < observed))?;
            let apart = |order: &[f64]| distance(order, active_size * n_seasons, active_size);
            let observed = apart(&window);
            agrees(Method::Ks, share_of_orders(&window, |order| apart(order) < observed))?;
        }
    }
}

/// The enumeration above accepts "no verdict"; this test checks exactly when there is one.
#[test]
fn each_method_has_a_verdict_from_its_minimum_length_on() {
    let mut anomalyzer = Anomalyzer::new(options(2, 3)).unwrap();
    let mut from = |method| (0..20).find(|&n| anomalyzer.raw(method, &vec![1.0; n]).is_some());
    assert_eq!(from(Method::Fence), Some(0));
    assert_eq!(from(Method::Magnitude), Some(3));
    assert_eq!([Method::HighRank, Method::LowRank, Method::Ks].map(&mut from), [Some(4); 3]);
    assert_eq!([Method::Cdf, Method::Diff].map(&mut from), [Some(5); 2]);
}

/// Guards against a change of the generator or of the order of draws: such a change alters every
/// sampled score in the field.
#[test]
fn sampled_values_are_the_same_in_every_release() {
    let window: Vec<f64> = (0..30).map(|i| f64::from(i * 7919 % 101)).collect();
    let options = Options { permutations: 500, seed: 1, ..options(2, 5) };
    let mut anomalyzer = Anomalyzer::new(options).unwrap();
    let sampled = [Method::Diff, Method::Ks].map(|method| anomalyzer.raw(method, &window));
    assert_eq!(sampled, [Some(0.40490196078431373), Some(0.10175757575757576)]);
}
