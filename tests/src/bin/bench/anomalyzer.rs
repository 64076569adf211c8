//! Topic `anomalyzer`: nanoseconds an evaluation, by method and for the default set. Owns the
//! windows; refuses ties among their points, which would make ranks cheaper.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use wherefore_agent::detect::methods::{Anomalyzer, Method, Options};

use crate::figure::Figure;

/// Time that one measurement takes at least.
const LEAST_SECONDS: f64 = 0.01;
const POINTS: [usize; 3] = [5, 10, 30];
/// Windows that are evaluated in turn, as those of groups are: a processor soon foresees every step of a
/// single one.
const WINDOWS: u64 = 64;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let default = vec![Method::Magnitude, Method::Diff, Method::HighRank, Method::LowRank];
    let each = Method::ALL.iter().map(|method| (method.to_string(), vec![*method]));
    let sets = each.chain([("default methods".to_owned(), default)]);
    let mut figures = Vec::new();
    for (name, methods) in sets {
        for points in POINTS {
            let mut anomalyzer = Anomalyzer::new(options(methods.clone()))?;
            let what = format!("{name}, {points} points");
            let windows: Vec<_> = (0..WINDOWS).map(|seed| window(points, seed)).collect();
            let value = evaluation(&mut anomalyzer, &windows);
            figures.push(Figure::new(what, value, "ns/evaluation"));
        }
    }
    Ok(figures)
}

fn evaluation(anomalyzer: &mut Anomalyzer, windows: &[Vec<f64>]) -> f64 {
    let mut evaluations = 128;
    loop {
        let start = Instant::now();
        for window in windows.iter().cycle().take(evaluations) {
            black_box(anomalyzer.score(black_box(window)));
        }
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= LEAST_SECONDS {
            return seconds * 1e9 / evaluations as f64;
        }
        evaluations *= 4;
    }
}

fn options(methods: Vec<Method>) -> Options {
    Options {
        active_size: 1,
        n_seasons: 4,
        sensitivity: 0.1,
        lower_bound: None,
        upper_bound: 1e6,
        methods,
        delay: false,
        permutations: 500,
        seed: 0,
    }
}

/// Untied points around 10,000, the last one ten times as large.
fn window(points: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut window: Vec<f64> = (0..points).map(|_| 1e4 + random.f64() * 1e3).collect();
    if let Some(last) = window.last_mut() {
        *last *= 10.0;
    }
    window
}
