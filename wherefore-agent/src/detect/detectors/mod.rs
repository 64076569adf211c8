//! Detectors for continuous use: is this point rare, how rare is it, and why?
//!
//! Owns two detectors with the same trait, [`Detector`]: [`FlowDetector`] for many short, bursty series, with
//! at most 320 bytes each in a [`FlowState`], and less in [`FlowStates`]; [`AggregateDetector`] for few,
//! long, seasonal ones. Refuses to read a clock, to do I/O, to allocate (except for packing), to look at
//! later points, and to decide: a [`Verdict`] says how rare a point is, and its reader has a budget of
//! alerts.
//!
//! Scores of different series can be compared: at score s, about one interval in 10^s is expected to look as
//! unusual, if the history were complete; 0 is ordinary. This cannot be exact (docs/detection.md has
//! measurements), but it means the same for a flow of a few bytes and for a link of gigabits.
//!
//! # Panic contract
//! No function here panics, whatever its input, except for a flow's number beyond the capacity of
//! [`FlowStates`]. NaN and negative numbers count as 0, and numbers above 2^62 as 2^62. The same points give
//! the same bits on every machine.

mod aggregate;
mod array;
mod arrivals;
mod distribution;
mod flow;
mod histogram;
mod number;
mod population;
mod range;
mod verdict;

pub(crate) use number::{exp2, log2};

pub use aggregate::{AggregateDetector, AggregateState};
pub use arrivals::Arrivals;
pub use flow::{
    FlowDetector, FlowState, FlowStates, OrdinaryVolumes, SilentEvent, bytes_of_level, level,
};
pub use population::{Past, Population, Surprise, YOUTH, believed};
pub use verdict::{Quantity, Test, Verdict};

/// Judges each point of any number of series by the points before it.
///
/// # Example
/// ```
/// use wherefore_agent::detect::detectors::{Detector, FlowDetector, FlowState, Test};
///
/// let (detector, mut state) = (FlowDetector::default(), FlowState::default());
/// // An hour of intervals of 5 s with about 10 kB each, then one with 50 MB.
/// for interval in 0..720 {
///     detector.step(&mut state, 10_000.0 + f64::from(interval % 7) * 100.0);
/// }
/// let verdict = detector.step(&mut state, 50e6);
/// assert!(matches!(verdict.test, Test::Volume { .. }));
/// assert!(verdict.score > 2.0, "rarer than one interval in 100");
/// ```
pub trait Detector {
    /// The state of one series.
    type State: Clone + Default;

    /// Adds the next point of a series, in bytes an interval, and returns how rare it is.
    fn step(&self, state: &mut Self::State, bytes: f64) -> Verdict;
}
