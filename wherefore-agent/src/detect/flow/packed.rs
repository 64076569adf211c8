//! What is remembered of a flow, in a third of the room: most of its histograms hold values in a few
//! bins. Owns that form, and what can be done in it; all else is done with it unpacked.

use smallvec::SmallVec;

use super::{Exceedances, FlowDetector, FlowState, Histogram, LEVELS, octaves};
use crate::detect::histogram::packed::{self, count_ordinary};
use crate::detect::number::bytes;

/// Octets of histograms that take no memory of their own: those of a steady flow fit.
const NEARBY: usize = 40;
/// Octets of all histograms at the most.
const MOST: usize = (LEVELS + 2) * packed::MOST;

/// A [`FlowState`], packed.
#[derive(Debug, Clone, Default)]
pub struct PackedState {
    /// The volumes of each level, silences and counts, up to the last that holds something.
    histograms: SmallVec<[u8; NEARBY]>,
    sums: [f32; LEVELS - 1],
    tick: u32,
    silence: u32,
    active: f32,
    silenced: f32,
    exceedances: Exceedances,
}

const _: () = assert!(size_of::<PackedState>() == 96);

impl PackedState {
    /// Intervals with bytes so far, as [`FlowState::active`].
    pub fn active(&self) -> f32 {
        self.active
    }

    /// Takes in a state, in the place of the one before.
    pub fn pack(&mut self, state: &FlowState) {
        let FlowState { sums, tick, silence, active, silenced, exceedances, .. } = *state;
        let mut room = [0; MOST];
        let (mut left, mut end) = (&mut room[..], 0);
        for histogram in state.volumes.iter().chain([&state.silences, &state.counts]) {
            left = histogram.pack(left);
            if !histogram.is_empty() {
                end = MOST - left.len();
            }
        }
        let mut histograms = std::mem::take(&mut self.histograms);
        histograms.clear();
        histograms.extend_from_slice(&room[..end]);
        *self = Self { histograms, sums, tick, silence, active, silenced, exceedances };
    }

    /// The state.
    pub fn unpack(&self) -> FlowState {
        let Self { sums, tick, silence, active, silenced, exceedances, .. } = *self;
        let mut packed = &self.histograms[..];
        let mut next = || Histogram::unpack(&mut packed);
        FlowState {
            volumes: std::array::from_fn(|_| next()),
            silences: next(),
            counts: next(),
            sums,
            tick,
            silence,
            active,
            silenced,
            exceedances,
        }
    }
}

impl FlowDetector {
    /// Takes in an interval as [`crate::detect::Detector::step`] does where that is certain to find it
    /// ordinary, for a fraction of the cost; whether it did, else nothing has changed.
    pub fn pass_ordinary(&self, state: &mut PackedState, value: f64) -> bool {
        let sum = bytes(value);
        let tick = state.tick.wrapping_add(1);
        let is_alone = state.silence == 0 && !tick.is_multiple_of(4);
        let passes = sum > 0.0
            && is_alone
            && count_ordinary(&mut state.histograms, octaves(sum), &self.short);
        if passes {
            state.tick = tick;
            state.exceedances.since = state.exceedances.since.saturating_add(1);
            FlowState::count_active(&mut state.active, &mut state.silenced);
            state.sums[0] += sum;
        }
        passes
    }
}
