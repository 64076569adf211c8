//! The detector for aggregates: few, long series of a host, an interface, a prefix or a port, with daily and
//! hourly patterns. Owns which quantities are watched and how often it may alarm. It need not know the length
//! of a season.
//!
//! A point is rare if a quantity leaves its known range (the value; the mean and the spread of the last 26
//! values; the change over 13 points), or if the last 52 values are distributed like no 52 before. The longer
//! no such event happened, the rarer it is: at score s, there is at most one alarm in 10^(s - 0.5) points,
//! whatever the series does.

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Serialize};

use super::distribution::{BINS, Counts, Distributions, Logarithms, WINDOW, bin_of};
use super::number::{finite, log2};
use super::range::KnownRange;
use super::{Detector, Quantity, Test, Verdict};

/// The number of points whose mean and spread are watched.
const SMOOTHED: usize = 26;
/// The number of points over which a change is watched.
const STRIDE: usize = 13;
/// The number of points before the first alarm.
const WARM_UP: u32 = 100;
/// How much rarer than the distance to the last alarm a point may be, in powers of ten.
const LEEWAY: f32 = 0.5;
/// A point with at least this score is an alarm, to which later points measure their distance.
const ALARM: f32 = 1.0;

/// The constants for all aggregates, tuned on the Numenta Anomaly Benchmark: docs/detection.md.
#[derive(Debug, Clone)]
pub struct AggregateDetector {
    logarithms: Logarithms,
}

/// The state of one aggregate.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct AggregateState {
    /// The last values; `at` is the position of the next one.
    #[serde(with = "super::array")]
    values: [f32; WINDOW],
    at: u8,
    /// The number of points so far.
    seen: u32,
    /// The number of points since the last alarm.
    since_alarm: u32,
    /// The number of points since the last new distribution.
    since_new: u32,
    ranges: [KnownRange; Quantity::ALL.len()],
    /// How many of the last values are in each bin of the known range.
    counts: Counts,
    distributions: Distributions,
}

const _: () = assert!(size_of::<AggregateState>() <= 640);

impl Default for AggregateDetector {
    fn default() -> Self {
        Self { logarithms: Logarithms::new() }
    }
}

impl Default for AggregateState {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector for AggregateDetector {
    type State = AggregateState;

    fn step(&self, state: &mut AggregateState, value: f64) -> Verdict {
        let value = finite(value);
        state.seen = state.seen.saturating_add(1);
        state.since_alarm = state.since_alarm.saturating_add(1);
        state.since_new = state.since_new.saturating_add(1);
        let before = state.ranges[0].limits();
        let mut verdict = state.admit(Quantity::Value, value);
        let replaced = state.push(value);
        verdict = verdict.or(state.watch_window(value));
        state.recount(before, value, replaced);
        if state.has_window() && state.distributions.is_new(&state.counts, &self.logarithms) {
            let score = log10(std::mem::take(&mut state.since_new).saturating_add(1));
            let test = Test::Distribution { intervals: WINDOW as u32 };
            let (usual, seen) = state.ranges[0].limits();
            verdict = verdict.or(Verdict { score, test, usual, seen });
        }
        state.restrain(verdict)
    }
}

impl AggregateDetector {
    /// Skips points of 0. The result is the same as after that many steps, at the cost of a few. Returns the
    /// rarest of their verdicts.
    pub fn skip_quiet(&self, state: &mut AggregateState, points: u32) -> Verdict {
        /// After this many points of 0, all watched quantities are 0, and further points change only
        /// counters.
        const SETTLED: u32 = (WINDOW + SMOOTHED) as u32;
        let mut verdict = Verdict::default();
        for _ in 0..points.min(SETTLED) {
            verdict = verdict.or(self.step(state, 0.0));
        }
        let left = points.saturating_sub(SETTLED);
        if left > 0 {
            state.at = ((usize::from(state.at) + left as usize) % WINDOW) as u8;
            state.seen = state.seen.saturating_add(left);
            state.since_alarm = state.since_alarm.saturating_add(left);
            state.since_new = state.since_new.saturating_add(left);
            state.ranges.iter_mut().for_each(|range| range.pass(left));
            if state.has_window() {
                state.distributions.pass(left);
            }
        }
        verdict
    }
}

impl AggregateState {
    /// An aggregate without points.
    pub const fn new() -> Self {
        Self {
            values: [0.0; WINDOW],
            at: 0,
            seen: 0,
            since_alarm: 0,
            since_new: 0,
            ranges: [KnownRange::new(); Quantity::ALL.len()],
            counts: [0; BINS],
            distributions: Distributions::new(),
        }
    }

    fn has_window(&self) -> bool {
        let (low, high) = self.ranges[0].limits();
        self.seen as usize >= WINDOW && high > low
    }

    /// The value `back` points ago; 0 stands for the last one.
    fn past(&self, back: usize) -> f32 {
        self.values[(usize::from(self.at) + 2 * WINDOW - 1 - back) % WINDOW]
    }

    /// Adds a value and returns the one that it replaces.
    fn push(&mut self, value: f32) -> f32 {
        let at = usize::from(self.at) % WINDOW;
        self.at = ((at + 1) % WINDOW) as u8;
        std::mem::replace(&mut self.values[at], value)
    }

    fn admit(&mut self, quantity: Quantity, value: f32) -> Verdict {
        let departure = self.ranges[quantity as usize].admit(value);
        departure.map_or_else(Verdict::default, |departure| Verdict {
            score: departure.score,
            test: Test::Range { quantity },
            usual: departure.limit,
            seen: value,
        })
    }

    fn watch_window(&mut self, value: f32) -> Verdict {
        let mut verdict = Verdict::default();
        if self.seen as usize > SMOOTHED {
            let (mean, spread) = self.mean_and_spread();
            verdict = verdict.or(self.admit(Quantity::Mean, mean));
            verdict = verdict.or(self.admit(Quantity::Spread, spread));
        }
        if self.seen as usize > STRIDE {
            let change = value - self.past(STRIDE);
            verdict = verdict.or(self.admit(Quantity::Change, change));
        }
        verdict
    }

    /// In double precision, because squares of the largest values do not fit single precision.
    fn mean_and_spread(&self) -> (f32, f32) {
        let values = || (0..SMOOTHED).map(|back| f64::from(self.past(back)));
        let mean = values().sum::<f64>() / SMOOTHED as f64;
        let squares = values().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        (mean as f32, (squares / SMOOTHED as f64).sqrt() as f32)
    }

    /// Updates the counts of the window. Recounts all values if the range differs from `before`.
    fn recount(&mut self, before: (f32, f32), value: f32, replaced: f32) {
        let limits = self.ranges[0].limits();
        if limits != before {
            self.distributions.widen(before, limits);
            self.counts = [0; BINS];
            let filled = WINDOW.min(self.seen as usize);
            for back in 0..filled {
                self.counts[bin_of(self.past(back), limits)] += 1;
            }
            return;
        }
        if self.seen as usize > WINDOW {
            let bin = bin_of(replaced, limits);
            self.counts[bin] = self.counts[bin].saturating_sub(1);
        }
        let bin = bin_of(value, limits);
        self.counts[bin] = self.counts[bin].saturating_add(1);
    }

    /// A point soon after an alarm is not rare, because unusual events come in groups.
    fn restrain(&mut self, verdict: Verdict) -> Verdict {
        if self.seen <= WARM_UP || verdict.score <= 0.0 {
            return Verdict::default();
        }
        let most = log10(self.since_alarm) + LEEWAY;
        let score = verdict.score.min(most);
        if score > ALARM {
            self.since_alarm = 0;
        }
        Verdict { score, ..verdict }.if_rare()
    }
}

fn log10(points: u32) -> f32 {
    LOG10_2 * log2(points.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_points_equals_adding_each() {
        let detector = AggregateDetector::default();
        let mut random = fastrand::Rng::with_seed(3);
        for points in [1, 51, 52, 77, 78, 79, 500, 17_280, 100_000] {
            for before in [0, 1, 30, 200, 3000] {
                let mut each = AggregateState::new();
                for _ in 0..before {
                    let value = f64::from(random.u32(..1000)) * f64::from(random.u8(..2));
                    detector.step(&mut each, value);
                }
                let mut at_once = each;
                let rarest = detector.skip_quiet(&mut at_once, points);
                let steps = (0..points).map(|_| detector.step(&mut each, 0.0));
                let verdict = steps.fold(Verdict::default(), Verdict::or);
                assert_eq!(format!("{at_once:?}"), format!("{each:?}"), "{points} {before}");
                assert_eq!(format!("{rarest:?}"), format!("{verdict:?}"), "{points} {before}");
            }
        }
    }
}
