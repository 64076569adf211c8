//! The states of many flows in a quarter of the memory or less: most histograms have values in few bins, and
//! most flows were never silent or never exceeded the baseline. Owns this form, and the operations on it;
//! everything else unpacks a state first.
//!
//! ```text
//! content  | silences | exceedances | histograms, up to the last that is not empty
//! 1        | 4 or 0   | 14 or 0     | see `histogram`
//! ```

use super::records::{Place, Records};
use super::{
    COUNTED, EXCEEDANCE, Exceedances, FlowDetector, FlowState, Frequency, Histogram, LEVELS,
    end_block, levels_ended, octaves, per_interval,
};
use crate::detect::detectors::histogram::Limit;
use crate::detect::detectors::histogram::packed::{self, ordinary_place};
use crate::detect::detectors::number::bytes;

/// Set if there were silences: [`FlowState`]'s `silenced`.
const SILENCES: u8 = 1;
/// Set if there were exceedances; otherwise only the time since the beginning is known.
const EXCEEDANCES: u8 = 2;
/// The most bytes of a record.
const MOST: usize = 1 + size_of::<f32>() + Exceedances::LEN + (LEVELS + 2) * packed::MOST;

/// The [`FlowState`] of each of many flows, by their numbers from 0 on.
#[derive(Debug, Clone, Default)]
pub struct FlowStates {
    heads: Vec<Head>,
    records: Records,
}

/// The fixed part of each flow's state; the rest is in its record.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    sums: [f32; LEVELS - 1],
    tick: u32,
    silence: u32,
    record: Place,
    active: u16,
}

const _: () = assert!(size_of::<Head>() == 32);

impl FlowStates {
    /// Makes space for at least this many flows; new ones have an empty state.
    pub fn grow(&mut self, flows: usize) {
        self.heads.resize(self.heads.len().max(flows), Head::default());
    }

    /// The number of intervals with bytes, as [`FlowState::active`]; 0 if there is no such flow.
    pub fn active(&self, flow: usize) -> f32 {
        self.heads.get(flow).map_or(0.0, |head| head.active.into())
    }

    /// Stores a state, replacing the previous one.
    ///
    /// # Panics
    /// If there is no space for this flow. The same holds for the functions below.
    pub fn pack(&mut self, flow: usize, state: &FlowState) {
        let FlowState { sums, tick, silence, active, .. } = *state;
        let mut room = [0; MOST];
        let length = write(state, &mut room);
        let Self { heads, records } = self;
        let mut record = heads[flow].record;
        records.put(&mut record, &room[..length]);
        heads[flow] = Head { sums, tick, silence, record, active };
        if records.is_wasteful() {
            records.gather(heads.iter_mut().map(|head| &mut head.record));
        }
    }

    /// The state.
    pub fn unpack(&self, flow: usize) -> FlowState {
        let Head { sums, tick, silence, record, active } = self.heads[flow];
        let parts = Parts::of(self.records.get(record));
        let mut packed = parts.histograms;
        let mut next = || Histogram::unpack(&mut packed);
        FlowState {
            volumes: std::array::from_fn(|_| next()),
            silences: next(),
            counts: next(),
            sums,
            tick,
            silence,
            active,
            silenced: parts.silenced.map_or(0.0, |bytes| f32::from_le_bytes(*bytes)),
            exceedances: parts.exceedances.map_or(Exceedances::none(tick), Exceedances::from),
        }
    }
}

/// The parts of a record.
struct Parts<'a> {
    silenced: Option<&'a [u8; size_of::<f32>()]>,
    exceedances: Option<&'a [u8; Exceedances::LEN]>,
    histograms: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(record: &'a [u8]) -> Self {
        let (what, mut rest) = record.split_first().unwrap_or((&0, &[]));
        let silenced = take(&mut rest, what & SILENCES != 0);
        let exceedances = take(&mut rest, what & EXCEEDANCES != 0);
        Self { silenced, exceedances, histograms: rest }
    }
}

/// Splits off the first bytes, if there are enough; the slice keeps the rest.
fn take<'a, const N: usize>(bytes: &mut &'a [u8], is_there: bool) -> Option<&'a [u8; N]> {
    let (first, rest) = bytes.split_first_chunk().filter(|_| is_there)?;
    *bytes = rest;
    Some(first)
}

/// Writes the part that is not in the head; returns its length.
fn write(state: &FlowState, room: &mut [u8; MOST]) -> usize {
    let has_silences = state.silenced != 0.0;
    let has_exceedances = state.exceedances != Exceedances::none(state.tick);
    let (what, mut left) = room.split_at_mut(1);
    if has_silences {
        what[0] |= SILENCES;
        left = put(left, &state.silenced.to_le_bytes());
    }
    if has_exceedances {
        what[0] |= EXCEEDANCES;
        left = put(left, &state.exceedances.bytes());
    }
    let mut end = MOST - left.len();
    for histogram in state.volumes.iter().chain([&state.silences, &state.counts]) {
        left = histogram.pack(left);
        if !histogram.is_empty() {
            end = MOST - left.len();
        }
    }
    end
}

fn put<'a>(room: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let (place, left) = room.split_at_mut(bytes.len());
    place.copy_from_slice(bytes);
    left
}

impl Exceedances {
    const LEN: usize = 14;

    /// The events of a flow without any in this many intervals.
    fn none(intervals: u32) -> Self {
        Self { since: intervals.min(u16::MAX.into()) as u16, ..Self::new() }
    }

    /// Puts the time since the last event first, because nothing else changes in an ordinary interval.
    fn bytes(self) -> [u8; Self::LEN] {
        let Self { count, since, period, repeats, run, followed, repeated } = self;
        let [a, b, c, d, e] = [since, count, period, repeats, run].map(u16::to_le_bytes);
        let frequencies = [followed.did, followed.could, repeated.did, repeated.could];
        let mut bytes = [0; Self::LEN];
        put(put(&mut bytes, [a, b, c, d, e].as_flattened()), &frequencies);
        bytes
    }
}

impl From<&[u8; Exceedances::LEN]> for Exceedances {
    fn from(bytes: &[u8; Self::LEN]) -> Self {
        let word = |at: usize| u16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]]);
        let frequency = |at: usize| Frequency { did: bytes[at], could: bytes[at + 1] };
        Self {
            since: word(0),
            count: word(1),
            period: word(2),
            repeats: word(3),
            run: word(4),
            followed: frequency(10),
            repeated: frequency(12),
        }
    }
}

/// The volumes that are ordinary if a score below a limit cannot alert, by the length of blocks.
#[derive(Debug, Clone, Copy)]
pub struct OrdinaryVolumes([Limit; LEVELS]);

impl OrdinaryVolumes {
    /// The volumes that cannot alert if lower scores than this, which is at least 1, cannot.
    pub fn below(score: f32) -> Self {
        let score = score.max(1.0);
        Self(std::array::from_fn(|level| match level {
            // A volume above the baseline is followed as an event, so it is not ordinary.
            0 => Limit::below(score.min(EXCEEDANCE)),
            _ => Limit::below((score - per_interval(level)).max(1.0)),
        }))
    }
}

impl FlowDetector {
    /// Processes an interval as [`crate::detect::detectors::Detector::step`] does, but only if its verdict is
    /// ordinary and it changes only a few numbers. This holds for most intervals of most flows, and costs a
    /// fraction. Returns whether it did; otherwise nothing has changed.
    ///
    /// # Panics
    /// The same as [`FlowStates::pack`].
    pub fn step_ordinary(
        &self,
        states: &mut FlowStates,
        flow: usize,
        value: f64,
        ordinary: &OrdinaryVolumes,
    ) -> bool {
        let sum = bytes(value);
        let head = &mut states.heads[flow];
        let tick = head.tick.wrapping_add(1);
        let ended = levels_ended(tick);
        if sum <= 0.0 || head.silence > 0 {
            return false;
        }
        let record = states.records.get_mut(head.record);
        let Parts { silenced, exceedances, histograms } = Parts::of(record);
        let mut silenced = silenced.map(|bytes| f32::from_le_bytes(*bytes));
        let exceedances = exceedances.map(Exceedances::from);
        if ended >= COUNTED && exceedances.is_some_and(|exceedances| exceedances.count > 0) {
            return false;
        }
        let mut sums = head.sums;
        let ordinary = &ordinary.0[..=ended];
        let Some(places) = self.ordinary_places(histograms, &mut sums, sum, ordinary) else {
            return false;
        };
        let start = record.len() - histograms.len();
        places[..=ended].iter().for_each(|place| record[start + *place] += 1);
        (head.tick, head.sums) = (tick, sums);
        FlowState::count_active(&mut head.active, silenced.as_mut().unwrap_or(&mut 0.0));
        let mut left = &mut record[1..start];
        if let Some(silenced) = silenced {
            left = put(left, &silenced.to_le_bytes());
        }
        if let Some(Exceedances { since, .. }) = exceedances {
            put(left, &since.saturating_add(1).to_le_bytes());
        }
        true
    }

    /// The positions of the counts to increase for the blocks that end with an interval, if all of these
    /// blocks are ordinary.
    fn ordinary_places(
        &self,
        packed: &[u8],
        sums: &mut [f32; LEVELS - 1],
        sum: f32,
        ordinary: &[Limit],
    ) -> Option<[usize; LEVELS]> {
        let (mut rest, mut places) = (packed, [0; LEVELS]);
        sums[0] += sum;
        for (level, (place, limit)) in places.iter_mut().zip(ordinary).enumerate() {
            let block = if level == 0 { sum } else { end_block(sums, level) };
            let before = packed.len() - rest.len();
            *place = before + ordinary_place(&mut rest, octaves(block), self.tail(level), limit)?;
        }
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::detectors::Detector;

    /// The bytes that a flow needs after a day of intervals of 5 s, with log-normal volumes of this
    /// deviation.
    fn room_after_a_day(deviation: f64) -> usize {
        let (detector, mut random) = (FlowDetector::default(), fastrand::Rng::with_seed(5));
        let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let mut states = FlowStates::default();
        states.grow(1);
        for _ in 0..17_280 {
            let mut state = states.unpack(0);
            detector.step(&mut state, 20e3 * (deviation * normal()).exp());
            states.pack(0, &state);
        }
        size_of::<Head>() + states.records.get(states.heads[0].record).len()
    }

    #[test]
    fn steady_flows_take_little_room() {
        let rooms = [0.03, 0.5, 1.5].map(room_after_a_day);
        assert!(rooms[0] <= 60 && rooms.is_sorted() && rooms[2] < 200, "{rooms:?}");
    }
}
