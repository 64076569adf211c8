//! How a group is shown when an interval is closed, and the reply to it. Owns the order of points; refuses to
//! store anything.

use wherefore_common::{Counters, FlowKey};

use super::rings::Rings;
use crate::traffic::compact_key::{CompactKey, Keys};
use crate::traffic::flows::Flows;

/// The activity of a group in an interval, computed when it is needed: for most groups only the bytes are.
#[derive(Debug, Clone, Copy)]
pub struct Activity<'a>(pub(super) ActivitySource<'a>);

/// Where the activity is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum ActivitySource<'a> {
    Nothing,
    /// One flow of the interval.
    Flow(&'a Flows, usize),
    /// The sum of several flows, or of flows of which some are not judged.
    Sum(&'a Sum),
}

/// The activity of a group with more than one flow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) counters: Counters,
    pub(super) allowed_bytes: u64,
    /// The largest flow, and its counts.
    pub(super) main_flow: FlowKey,
    pub(super) most_bytes: u64,
    pub(super) flows: u64,
}

impl Activity<'_> {
    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        match self.0 {
            ActivitySource::Nothing => 0,
            ActivitySource::Flow(flows, at) => flows.bytes(at),
            ActivitySource::Sum(sum) => sum.counters.bytes,
        }
    }

    /// The bytes of flows that are not judged.
    pub fn allowed_bytes(&self) -> u64 {
        if let ActivitySource::Sum(sum) = self.0 { sum.allowed_bytes } else { 0 }
    }

    /// Its sums.
    pub fn counters(&self) -> Counters {
        self.sum().counters
    }

    /// The number of flows.
    pub fn flows(&self) -> u64 {
        self.sum().flows
    }

    /// The largest flow.
    pub fn main_flow(&self) -> FlowKey {
        self.sum().main_flow
    }

    pub(super) fn sum(&self) -> Sum {
        match self.0 {
            ActivitySource::Nothing => Sum::default(),
            ActivitySource::Flow(flows, at) => {
                let (main_flow, counters) = flows.get(at);
                let most_bytes = counters.bytes;
                Sum { counters, allowed_bytes: 0, main_flow, most_bytes, flows: 1 }
            }
            ActivitySource::Sum(sum) => *sum,
        }
    }
}

/// A group and its window after an interval was closed.
#[derive(Debug)]
pub struct Window<'a> {
    /// The group's slot, which it keeps as long as it is tracked.
    pub slot: usize,
    /// Whether the slot is new to it.
    pub is_fresh: bool,
    pub(super) keys: &'a Keys,
    pub(super) key: CompactKey,
    /// The points, in bytes an interval, up to the interval just closed.
    pub points: Points<'a>,
    /// The activity in the interval just closed.
    pub activity: Activity<'a>,
    /// The number of intervals without traffic in a row, up to this one.
    pub quiet: u32,
    /// The number of unusual intervals in a row before this one.
    pub unusual: u32,
    /// Whether its history comes from an earlier run, and so was complete from the start.
    pub is_seeded: bool,
}

impl Window<'_> {
    /// The group.
    pub fn key(&self) -> FlowKey {
        self.keys.key(self.key)
    }
}

/// The points of a group.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    rings: &'a Rings,
    ring: usize,
    count: usize,
}

impl<'a> Points<'a> {
    /// The newest `count` points of a ring.
    pub(super) fn new(rings: &'a Rings, ring: usize, count: usize) -> Self {
        Self { rings, ring, count }
    }

    /// The newest point; 0 if there is none.
    pub fn newest(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.rings.get(self.ring, 0) }
    }

    /// All points, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.rings.last(self.ring, self.count)
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All points, the oldest first.
    pub fn to_vec(&self) -> Vec<f64> {
        self.iter().collect()
    }
}

/// How the newest point of a window affects the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaselineUpdate {
    /// The point is ordinary and becomes part of the baseline.
    Learn,
    /// The point is unusual, but becomes part of the baseline anyway.
    LearnUnusual,
    /// The point is unusual and does not become part of the baseline.
    Freeze,
}
