//! The view of a group when an interval is closed, and the answer to it. Owns the order of points;
//! refuses to keep anything.

use wherefore_common::{Counters, FlowKey};

use super::keys::{Keys, ShortKey};
use super::rings::Rings;
use crate::traffic::flows::Flows;

/// The activity of a group in an interval, computed on request: for most groups only the bytes are
/// needed.
#[derive(Debug, Clone, Copy)]
pub struct Activity<'a>(pub(super) Told<'a>);

/// Where the activity is read from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    Nothing,
    /// One flow of the interval's.
    Flow(&'a Flows, usize),
    /// More than one, or with traffic that is not judged.
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
    /// Bytes.
    pub fn bytes(&self) -> u64 {
        match self.0 {
            Told::Nothing => 0,
            Told::Flow(flows, at) => flows.bytes(at),
            Told::Sum(sum) => sum.counters.bytes,
        }
    }

    /// The counts of flows that are not judged.
    pub fn allowed_bytes(&self) -> u64 {
        if let Told::Sum(sum) = self.0 { sum.allowed_bytes } else { 0 }
    }

    /// Sums.
    pub fn counters(&self) -> Counters {
        self.sum().counters
    }

    /// How many flows.
    pub fn flows(&self) -> u64 {
        self.sum().flows
    }

    /// The flow that moved most.
    pub fn main_flow(&self) -> FlowKey {
        self.sum().main_flow
    }

    pub(super) fn sum(&self) -> Sum {
        match self.0 {
            Told::Nothing => Sum::default(),
            Told::Flow(flows, at) => {
                let (main_flow, counters) = flows.get(at);
                let most_bytes = counters.bytes;
                Sum { counters, allowed_bytes: 0, main_flow, most_bytes, flows: 1 }
            }
            Told::Sum(sum) => *sum,
        }
    }
}

/// A group and its window after an interval was closed.
#[derive(Debug)]
pub struct Window<'a> {
    /// The group's slot: its own as long as it is tracked.
    pub slot: usize,
    /// Whether the slot is new to it.
    pub is_fresh: bool,
    pub(super) keys: &'a Keys,
    pub(super) key: ShortKey,
    /// Bytes an interval, up to the interval just closed.
    pub points: Points<'a>,
    /// The activity in the interval just closed.
    pub activity: Activity<'a>,
    /// Intervals without traffic up to this one, since the last with some.
    pub quiet: u32,
    /// Consecutive unusual intervals before this one.
    pub unusual: u32,
    /// Whether its history is from an earlier run, and so full from the start.
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

    /// The newest one; 0 if there is none.
    pub fn newest(&self) -> f64 {
        if self.is_empty() { 0.0 } else { self.rings.get(self.ring, 0) }
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.rings.last(self.ring, self.count)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The same as [`Self::iter`].
    pub fn to_vec(&self) -> Vec<f64> {
        self.iter().collect()
    }
}

/// What to do with the newest point of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// It becomes part of the baseline.
    Usual,
    /// It is unusual, and part of the history nevertheless.
    Unusual,
    /// It is unusual, and not part of the history.
    Ignored,
}
