//! Totals of interfaces: the traffic of each, in each direction, as a series. Owns these series; refuses to
//! decide what is reported.

use serde::{Deserialize, Serialize};
use wherefore_common::{Counters, FlowKey};

use super::found::border_bytes;
use crate::detect::detectors::{AggregateDetector, AggregateState, Detector, Verdict};
use crate::traffic::group::GroupBy;

/// The most series, because interfaces that come and go must not use memory forever.
const MOST: usize = 1024;
/// Quiet intervals after which a series is forgotten.
const FORGOTTEN_AFTER: u32 = 17_280;
/// The factor by which [`Total::border`] decays in an interval: a quarter is left after the 26 of the longest
/// window.
const BORDER_KEPT: f32 = 0.95;

/// The traffic of the interfaces.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    detector: AggregateDetector,
    series: Vec<Total>,
}

/// One interface in one direction.
#[derive(Debug, Clone)]
pub(super) struct Total {
    /// The key that [`GroupBy::Interface`] makes.
    pub(super) key: FlowKey,
    /// In this interval.
    pub(super) counters: Counters,
    /// The largest flow, and its counts.
    pub(super) main_flow: FlowKey,
    most_bytes: u64,
    /// In this interval.
    flows: u64,
    /// The bytes that the boundaries of an interval may add or remove, from earlier intervals (see
    /// [`border_bytes`]).
    pub(super) border: f32,
    state: AggregateState,
    quiet: u32,
}

/// The state of an interface in one direction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptTotal {
    interface: u32,
    direction: u8,
    state: AggregateState,
}

impl Totals {
    /// The interfaces with traffic.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = u32> + '_ {
        self.series.iter().map(|total| total.key.ifindex)
    }

    /// The state that survives a restart.
    pub(super) fn keep(&self) -> Vec<KeptTotal> {
        let keep = |total: &Total| KeptTotal {
            interface: total.key.ifindex,
            direction: total.key.direction,
            state: total.state,
        };
        self.series.iter().map(keep).collect()
    }

    /// Continues with stored state, if the interface still exists.
    pub(super) fn resume(&mut self, kept: &[KeptTotal], now: &dyn Fn(u32) -> Option<u32>) {
        for KeptTotal { interface, direction, state } in kept {
            let Some(ifindex) = now(*interface) else { continue };
            let key = FlowKey { ifindex, direction: *direction, ..FlowKey::default() };
            let place = self.begin(key);
            if let Some(total) = self.series.get_mut(place) {
                total.state = *state;
            }
        }
    }

    pub(super) fn collect(&mut self, flow: &FlowKey, counters: &Counters) {
        let key = GroupBy::Interface.key(flow);
        let known = self.series.iter().position(|total| total.key == key);
        let place = known.unwrap_or_else(|| self.begin(key));
        if let Some(total) = self.series.get_mut(place) {
            total.counters.merge(counters);
            total.flows += 1;
            if counters.bytes >= total.most_bytes {
                (total.main_flow, total.most_bytes) = (*flow, counters.bytes);
            }
            total.quiet = 0;
        }
    }

    /// The index of a new series; `None` if there are too many.
    fn begin(&mut self, key: FlowKey) -> usize {
        if self.series.len() < MOST {
            self.series.push(Total {
                key,
                counters: Counters::default(),
                main_flow: FlowKey::default(),
                most_bytes: 0,
                flows: 0,
                border: 0.0,
                state: AggregateState::new(),
                quiet: 0,
            });
            return self.series.len() - 1;
        }
        MOST
    }

    /// The highest score of this many intervals without traffic in any series.
    pub(super) fn rarest_quiet(&self, intervals: u32) -> f32 {
        let score =
            |total: &Total| self.detector.skip_quiet(&mut total.state.clone(), intervals).score;
        self.series.iter().map(score).fold(0.0, f32::max)
    }

    /// Ends this many intervals without traffic.
    pub(super) fn pass_quiet(&mut self, intervals: u32) {
        for total in &mut self.series {
            self.detector.skip_quiet(&mut total.state, intervals);
            total.quiet = total.quiet.saturating_add(intervals);
        }
        self.series.retain(|total| total.quiet < FORGOTTEN_AFTER);
    }

    /// Ends the interval. Passes each series to `visit`, with its detector's verdict.
    pub(super) fn close(
        &mut self,
        times_as_long: f64,
        mut visit: impl FnMut(&Total, Verdict, usize),
    ) {
        let count = self.series.len();
        for total in &mut self.series {
            let verdict =
                self.detector.step(&mut total.state, total.counters.bytes as f64 / times_as_long);
            visit(total, verdict, count);
            let now = border_bytes(total.flows, &total.counters);
            total.border = now.max(total.border * BORDER_KEPT);
            (total.flows, total.most_bytes) = (0, 0);
            total.counters = Counters::default();
            total.quiet = total.quiet.saturating_add(1);
        }
        self.series.retain(|total| total.quiet < FORGOTTEN_AFTER);
    }
}
