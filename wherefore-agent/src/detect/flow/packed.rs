//! What is remembered of a flow, in a third of the room: most of its histograms hold values in a few
//! bins. Owns that form, and what can be done in it; all else is done with it unpacked.

use smallvec::SmallVec;

use super::{
    COUNTED, Exceedances, FlowDetector, FlowState, Histogram, LEVELS, end_block, levels_ended,
    octaves, per_interval,
};
use crate::detect::histogram::packed::{self, ordinary_place};
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
    /// Takes in an interval as [`crate::detect::Detector::step`] does where that finds it ordinary and
    /// changes a few numbers, as most intervals of most flows are, for a fraction of the cost; whether it
    /// did, else nothing has changed.
    pub fn pass_ordinary(&self, state: &mut PackedState, value: f64) -> bool {
        let sum = bytes(value);
        let tick = state.tick.wrapping_add(1);
        let ended = levels_ended(tick);
        let has_events = ended >= COUNTED && state.exceedances.count > 0;
        if sum <= 0.0 || state.silence > 0 || has_events {
            return false;
        }
        let mut sums = state.sums;
        let Some(places) = self.ordinary_places(&state.histograms, &mut sums, sum, ended) else {
            return false;
        };
        places[..=ended].iter().for_each(|place| state.histograms[*place] += 1);
        (state.tick, state.sums) = (tick, sums);
        state.exceedances.since = state.exceedances.since.saturating_add(1);
        FlowState::count_active(&mut state.active, &mut state.silenced);
        true
    }

    /// Where the blocks that end with an interval are counted, if all of them are ordinary.
    fn ordinary_places(
        &self,
        packed: &[u8],
        sums: &mut [f32; LEVELS - 1],
        sum: f32,
        ended: usize,
    ) -> Option<[usize; LEVELS]> {
        let (mut rest, mut places) = (packed, [0; LEVELS]);
        sums[0] += sum;
        for (level, place) in places.iter_mut().enumerate().take(ended + 1) {
            let block = if level == 0 { sum } else { end_block(sums, level) };
            let before = packed.len() - rest.len();
            *place = before
                + ordinary_place(&mut rest, octaves(block), self.tail(level), per_interval(level))?;
        }
        Some(places)
    }
}
