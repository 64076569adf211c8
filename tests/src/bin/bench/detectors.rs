//! Topic `detectors`: nanoseconds a point of the detectors beside the anomalyzer, for one series and
//! for many that alternate. Owns the series; refuses to judge the findings.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use wherefore_agent::detect::detectors::{AggregateDetector, Detector, FlowDetector};

use crate::figure::Figure;

const STEPS: usize = 1_000_000;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let points = traffic(4_096);
    let mut figures = Vec::new();
    for series in [1, 100_000] {
        let flow = per_point(&FlowDetector::default(), &points, series);
        let aggregate = per_point(&AggregateDetector::default(), &points, series);
        for (name, value) in [("flow", flow), ("aggregate", aggregate)] {
            let what = format!("{name}, {series} series in turn");
            figures.push(Figure::new(what, value, "ns/point"));
        }
    }
    Ok(figures)
}

/// The cost of a point, if `series` alternate and each has a history of ten points or more.
fn per_point<D: Detector>(detector: &D, points: &[f64], series: usize) -> f64 {
    let mut states = vec![D::State::default(); series];
    let mut place = 0;
    let mut step = |states: &mut [D::State]| {
        // Each series meets all points, and none the same as its neighbour at the same time.
        let point = points[(place + place / series) % points.len()];
        place += 1;
        black_box(detector.step(&mut states[(place - 1) % series], black_box(point)));
    };
    (0..10 * series).for_each(|_| step(&mut states));
    let start = Instant::now();
    (0..STEPS).for_each(|_| step(&mut states));
    start.elapsed().as_nanos() as f64 / STEPS as f64
}

/// Bytes an interval: silent half of the time, else from 100 B to 1 MB, evenly by the logarithm.
fn traffic(points: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(5);
    let mut point = || if random.bool() { 0.0 } else { 10f64.powf(2.0 + 4.0 * random.f64()) };
    (0..points).map(|_| point()).collect()
}
