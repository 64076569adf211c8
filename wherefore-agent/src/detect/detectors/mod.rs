//! Detectors for continuous use: is this point rare, how rare, and why.
//!
//! Owns two detectors behind one interface, [`Detector`]: [`FlowDetector`] for many short, bursty
//! series, in [`FlowState`], at most 320 bytes each, and less in [`FlowStates`];
//! [`AggregateDetector`] for few, long, seasonal ones. Refuses to read a clock, to do I/O, to allocate
//! (except for packing), to look at later points, and to decide: a [`Verdict`] says how rare a point is, and
//! its reader has a budget of alerts.
//!
//! A score can be compared between series: at score s, about one interval in 10^s is expected to look as
//! strange, if the history were all there is to know; 0 is ordinary. It cannot be exact (docs/detection.md
//! has what was measured), but it means the same for a flow of a few bytes and a link of gigabits.
//!
//! # Panic contract
//! No function here panics, whatever its input, except for the number of a flow that [`FlowStates`] has no
//! room for: NaN and negative numbers count as 0, and numbers
//! above 2^62 as 2^62. The same points give the same bits on every machine.

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
pub use flow::{FlowDetector, FlowState, FlowStates, Ordinary, Quiet, level, octets};
pub use population::{Past, Population, Surprise, YOUTH, believed};
pub use verdict::{Quantity, Test, Verdict};

/// Judges each point of any number of series by those before it.
pub trait Detector {
    /// The state of one series.
    type State: Clone + Default;

    /// Adds the next point of a series, bytes in an interval, and returns how rare it is.
    fn step(&self, state: &mut Self::State, bytes: f64) -> Verdict;
}
