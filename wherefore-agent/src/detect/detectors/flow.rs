//! The detector for flows: many short, bursty series without prior knowledge. Owns the tests and their state,
//! at most 320 bytes for each flow; refuses to learn from other flows.
//!
//! Bytes are summed over blocks of 1, 4, 16, 64 and 256 intervals, with a histogram for each length, so that
//! both a burst and a slow leak are seen at the length at which they stand out most. Intervals above the
//! baseline are then judged as events in time: too many in a row, too many in all, or too regular. A silence
//! is compared with earlier silences.

mod packed;
mod records;

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::histogram::{Histogram, Rarity, Tail};
use super::number::{bytes, exp2, log2};
use super::{Detector, Test, Verdict};
pub use packed::{FlowStates, OrdinaryVolumes};

/// The number of lengths of blocks: 4^0 to 4^4 intervals.
const LEVELS: usize = 5;
/// The level of the blocks, of 64 intervals, in which exceedances are counted.
const COUNTED: usize = 3;
/// A silence must be this many times as long as usual, even if few silences were seen before: one that is
/// barely longer than the longest so far is not interesting.
const LONGER: f32 = 2.0;
/// Volumes are compared as 1 + bytes / 100, so that volumes below this many bytes differ little.
const FLOOR: f32 = 100.0;
/// The number of intervals with bytes before a silence can be rare.
const ESTABLISHED: f32 = 20.0;
/// The number of intervals with bytes after which the weight of earlier ones is halved.
const MEMORY: u16 = 16_384;
/// An interval is above the baseline if its score exceeds this: 1 in 25 of the intervals with bytes.
const EXCEEDANCE: f32 = 1.4;
/// Shorter periods are continuous traffic, not a beacon.
const SHORTEST_PERIOD: u16 = 3;

/// The constants for all flows, tuned on simulated traffic: docs/detection.md.
#[derive(Debug, Clone)]
pub struct FlowDetector {
    /// The tails of volumes: in blocks of up to 4 intervals, and in longer ones.
    short: Tail,
    long: Tail,
    silences: Tail,
    counts: Tail,
    /// The probability that an exceedance follows another, before any did.
    sustained: Prior,
    /// The probability that a period repeats.
    regular: Prior,
    /// Added to scores, so that at the same score all tests have equally few false findings.
    offsets: Offsets,
}

/// A prior probability, with the weight of this number of cases.
#[derive(Debug, Clone, Copy)]
struct Prior {
    probability: f32,
    weight: f32,
}

#[derive(Debug, Clone, Copy)]
struct Offsets {
    silence: f32,
    frequent: f32,
    regular: f32,
}

impl Default for FlowDetector {
    fn default() -> Self {
        let tail = |fraction, least_values, prior_octaves, prior_weight| Tail {
            fraction,
            least_values,
            prior_octaves,
            prior_weight,
        };
        Self {
            short: tail(0.04, 8.0, 0.5, 2.0),
            long: tail(0.05, 1.0, 1.5, 8.0),
            silences: tail(0.05, 1.0, 1.0, 5.0),
            counts: tail(0.05, 3.0, 0.3, 3.0),
            sustained: Prior { probability: 0.1, weight: 10.0 },
            regular: Prior { probability: 0.05, weight: 20.0 },
            offsets: Offsets { silence: 1.0, frequent: 1.0, regular: 1.5 },
        }
    }
}

/// The state of one flow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FlowState {
    volumes: [Histogram; LEVELS],
    silences: Histogram,
    counts: Histogram,
    /// The bytes in the unfinished block of each level above the first.
    sums: [f32; LEVELS - 1],
    /// The number of intervals so far. Only the last digits, to base 4, matter.
    tick: u32,
    /// The number of intervals since the last one with bytes.
    silence: u32,
    /// The number of intervals with bytes, below [`MEMORY`], and how many of these were followed by a
    /// silence. Both decay.
    #[serde(serialize_with = "remember", deserialize_with = "remembered")]
    active: u16,
    silenced: f32,
    exceedances: Exceedances,
}

/// Possible rare events while a flow is silent.
#[derive(Debug, Clone, Copy)]
pub enum SilentEvent {
    /// A silence between two intervals: the longer, the rarer.
    Silence {
        /// The verdict at the end of the first of these intervals.
        first: Verdict,
        /// The verdict in the last of them.
        last: Verdict,
    },
    /// Traffic before the silence, in a block that ended now.
    Block(Verdict),
}

/// The intervals above the baseline, as events in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Exceedances {
    /// The number in the unfinished block of 64 intervals.
    count: u16,
    /// The number of intervals since the last one.
    since: u16,
    /// The number of intervals between the last two.
    period: u16,
    /// How often this period was repeated.
    repeats: u16,
    /// The number of exceedances in a row.
    run: u16,
    followed: Frequency,
    repeated: Frequency,
}

/// How often something happened, and how often it could have happened. Both are halved when they are full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Frequency {
    did: u8,
    could: u8,
}

const _: () = assert!(size_of::<FlowState>() <= 320);

/// Writes a number of intervals to a file; the file's format does not store the types of numbers.
fn remember<S: Serializer>(intervals: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f32((*intervals).into())
}

/// Reads what [`remember`] wrote, and accepts any content of a file.
fn remembered<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    // The conversion to an integer saturates.
    f32::deserialize(deserializer).map(|intervals| (intervals as u16).min(MEMORY - 1))
}

impl Default for FlowState {
    fn default() -> Self {
        Self::new()
    }
}

impl FlowState {
    /// A flow without points.
    pub const fn new() -> Self {
        Self {
            volumes: [Histogram::new(); LEVELS],
            silences: Histogram::new(),
            counts: Histogram::new(),
            sums: [0.0; LEVELS - 1],
            tick: 0,
            silence: 0,
            active: 0,
            silenced: 0.0,
            exceedances: Exceedances::new(),
        }
    }

    /// The number of intervals with bytes, as far as they are remembered.
    pub fn active(&self) -> f32 {
        self.active.into()
    }

    /// The number of intervals so far.
    pub fn age(&self) -> u32 {
        self.tick
    }

    fn count_active(active: &mut u16, silenced: &mut f32) {
        *active += 1;
        if *active >= MEMORY {
            *active /= 2;
            *silenced *= 0.5;
        }
    }

    /// The number of silent intervals up to and including the next one that changes more than counters.
    fn quiet_ahead(&self) -> u32 {
        let waits = self.sums.iter().position(|sum| *sum != 0.0).map(|place| place + 1);
        let counted = (self.exceedances.count > 0).then_some(COUNTED);
        let Some(level) = waits.into_iter().chain(counted).min() else { return u32::MAX };
        let length = 1 << (2 * level);
        length - self.tick % length
    }

    /// Whether further silence changes only counters.
    fn is_settled(&self) -> bool {
        self.silence > 0 && self.exceedances.count == 0 && self.sums == [0.0; LEVELS - 1]
    }
}

impl Detector for FlowDetector {
    type State = FlowState;

    fn step(&self, state: &mut FlowState, value: f64) -> Verdict {
        let sum = bytes(value);
        state.tick = state.tick.wrapping_add(1);
        state.exceedances.since = state.exceedances.since.saturating_add(1);
        let verdict = if sum > 0.0 { self.moved(state, sum) } else { self.quiet(state) };
        self.close_blocks(state, sum, verdict).if_rare()
    }
}

impl FlowDetector {
    /// Skips `intervals` in which the flow was silent. The result is the same as after that many steps of 0,
    /// at the cost of at most 256. Returns the rarest of their verdicts.
    pub fn skip_quiet(&self, state: &mut FlowState, intervals: u32) -> Verdict {
        let mut left = intervals;
        let mut verdict = Verdict::default();
        while left > 0 && !state.is_settled() {
            verdict = verdict.or(self.step(state, 0.0));
            left -= 1;
        }
        if left == 0 {
            return verdict;
        }
        let since = u32::from(state.exceedances.since).saturating_add(left);
        state.exceedances.since = since.min(u32::from(u16::MAX)) as u16;
        state.tick = state.tick.wrapping_add(left);
        // The longer a silence, the rarer: the last interval has the rarest verdict.
        state.silence = state.silence.saturating_add(left - 1);
        verdict.or(self.quiet(state).if_rare())
    }

    /// Skips `intervals` in which the flow was silent. The result is the same as after that many steps of 0,
    /// at the cost of a few. Passes possible rare events on; without a receiver, nothing is judged.
    pub fn pass_quiet(
        &self,
        state: &mut FlowState,
        intervals: u32,
        mut visit: Option<&mut dyn FnMut(SilentEvent)>,
    ) {
        let mut left = intervals;
        while left > 0 {
            let ahead = state.quiet_ahead().min(left);
            left -= ahead;
            if let Some(visit) = &mut visit {
                let first = self.quiet(state);
                state.silence = state.silence.saturating_add(ahead.saturating_sub(2));
                let last = if ahead > 1 { self.quiet(state) } else { first };
                visit(SilentEvent::Silence { first: first.if_rare(), last: last.if_rare() });
            } else {
                state.silence = state.silence.saturating_add(ahead);
            }
            state.tick = state.tick.wrapping_add(ahead);
            let since = u32::from(state.exceedances.since).saturating_add(ahead);
            state.exceedances.since = since.min(u16::MAX.into()) as u16;
            let block = self.close_blocks(state, 0.0, Verdict::default()).if_rare();
            visit.iter_mut().for_each(|visit| visit(SilentEvent::Block(block)));
        }
    }

    /// Makes `after`, the state one interval after `before`, a state whose baseline did not learn from this
    /// interval: time has passed and events were counted, but the baseline is frozen.
    pub fn freeze_baseline(before: &FlowState, after: &mut FlowState) {
        let mut sums = before.sums;
        for level in 1..=levels_ended(after.tick) {
            end_block(&mut sums, level);
        }
        let FlowState { tick, silence, exceedances, .. } = *after;
        *after = FlowState { tick, silence, exceedances, sums, ..*before };
    }

    /// Adds a block of this many intervals with this many bytes to the history, and the same to the longer
    /// blocks around it.
    pub fn learn_block(state: &mut FlowState, intervals: u32, volume: f32) {
        let level = (intervals.max(1).trailing_zeros() / 2) as usize;
        let y = octaves(volume.max(0.0));
        state.volumes[level.min(LEVELS - 1)..].iter_mut().for_each(|blocks| blocks.count(y));
    }

    fn moved(&self, state: &mut FlowState, sum: f32) -> Verdict {
        if state.silence > 0 && state.active > 0 {
            state.silences.count(log2(state.silence as f32));
            state.silenced += 1.0;
        }
        state.silence = 0;
        FlowState::count_active(&mut state.active, &mut state.silenced);
        // Lower scores are not used.
        let y = octaves(sum);
        let rarity = state.volumes[0].judge_if_rare(y, &self.short);
        state.volumes[0].count(y);
        let Some(rarity) = rarity else { return Verdict::default() };
        let verdict = volume(rarity, 0, sum);
        if rarity.score <= EXCEEDANCE {
            return verdict;
        }
        verdict.or(self.exceeded(&mut state.exceedances, bytes_of_level(rarity.usual), sum))
    }

    /// Judges an empty interval: the probability of a silence, times the probability that it is as long.
    ///
    ///
    /// The borders of intervals can add up to one interval to a silence, so that a flow with one packet an
    /// interval, or slightly more, sometimes leaves an interval empty. Therefore a silence is judged as if it
    /// were one interval shorter.
    fn quiet(&self, state: &mut FlowState) -> Verdict {
        let certain = state.silence;
        state.silence = state.silence.saturating_add(1);
        if certain == 0 || state.active() < ESTABLISHED {
            return Verdict::default();
        }
        let y = log2(certain as f32);
        let length = if state.silenced > 0.0 {
            state.silences.judge(y, &self.silences)
        } else {
            Some(Rarity { score: self.silences.unseen(y), usual: 0.0 })
        };
        let Some(length) = length else { return Verdict::default() };
        let usual = if state.silenced > 0.0 { exp2(length.usual) } else { 0.0 };
        if state.silence as f32 <= LONGER * usual {
            return Verdict::default();
        }
        let begins = -LOG10_2 * log2((state.silenced + 0.5) / (state.active() + 1.0));
        Verdict {
            score: length.score + begins + self.offsets.silence,
            test: Test::Gap,
            usual,
            seen: state.silence as f32,
        }
    }

    /// Judges and counts the blocks that end with this interval.
    fn close_blocks(&self, state: &mut FlowState, sum: f32, mut verdict: Verdict) -> Verdict {
        state.sums[0] += sum;
        for level in 1..=levels_ended(state.tick) {
            let sum = end_block(&mut state.sums, level);
            if sum > 0.0 {
                let rarity = judge_volume(state, level, sum, self.tail(level));
                verdict = verdict.or(rarity.map(|r| volume(r, level, sum)).unwrap_or_default());
            }
            if level == COUNTED {
                verdict = verdict.or(self.close_count(state));
            }
        }
        verdict
    }

    fn tail(&self, level: usize) -> &Tail {
        if level <= 1 { &self.short } else { &self.long }
    }

    /// Judges how many of the last 64 intervals were above the baseline.
    fn close_count(&self, state: &mut FlowState) -> Verdict {
        let count = f32::from(std::mem::take(&mut state.exceedances.count));
        if count == 0.0 {
            return Verdict::default();
        }
        let y = log2(1.0 + count);
        let rarity = state.counts.judge_if_rare(y, &self.counts);
        state.counts.count(y);
        let Some(rarity) = rarity else { return Verdict::default() };
        Verdict {
            score: rarity.score + per_interval(COUNTED) + self.offsets.frequent,
            test: Test::Frequent,
            usual: exp2(rarity.usual) - 1.0,
            seen: count,
        }
    }

    /// Judges an interval above the baseline: whether it continues a run, and whether it repeats a period.
    fn exceeded(&self, events: &mut Exceedances, usual: f32, sum: f32) -> Verdict {
        events.count = events.count.saturating_add(1);
        let since = std::mem::take(&mut events.since);
        let goes_on = since == 1;
        let each = self.sustained.surprise(events.followed);
        events.followed.record(goes_on);
        events.run = if goes_on { events.run.saturating_add(1) } else { 0 };
        let intervals = u32::from(events.run) + 1;
        let score = each * f32::from(events.run);
        let verdict = Verdict { score, test: Test::Sustained { intervals }, usual, seen: sum };
        verdict.or(self.again(events, since, usual))
    }

    fn again(&self, events: &mut Exceedances, since: u16, usual: f32) -> Verdict {
        if since < SHORTEST_PERIOD {
            events.repeats = 0;
            return Verdict::default();
        }
        let each = self.regular.surprise(events.repeated);
        let is_same = since == events.period && since < u16::MAX;
        events.repeated.record(is_same);
        events.repeats = if is_same { events.repeats.saturating_add(1) } else { 0 };
        events.period = since;
        if events.repeats == 0 {
            return Verdict::default();
        }
        let repeats = f32::from(events.repeats);
        Verdict {
            score: each * repeats + self.offsets.regular,
            test: Test::Regular { period: u32::from(since) },
            usual,
            seen: repeats,
        }
    }
}

impl Exceedances {
    const fn new() -> Self {
        let never = Frequency { did: 0, could: 0 };
        Self { count: 0, since: 0, period: 0, repeats: 0, run: 0, followed: never, repeated: never }
    }
}

impl Frequency {
    fn record(&mut self, did: bool) {
        self.did = self.did.saturating_add(u8::from(did));
        self.could = self.could.saturating_add(1);
        if self.could == u8::MAX {
            self.could = self.could.div_ceil(2);
            self.did = self.did.div_ceil(2);
        }
    }
}

impl Prior {
    /// -log10 of the probability that it happens, given how often it did.
    fn surprise(&self, seen: Frequency) -> f32 {
        let did = f32::from(seen.did) + self.probability * self.weight;
        -LOG10_2 * log2(did / (f32::from(seen.could) + self.weight))
    }
}

/// The logarithm to base 2 by which bytes are compared.
pub fn level(volume: f64) -> f32 {
    octaves(bytes(volume))
}

fn octaves(sum: f32) -> f32 {
    log2(1.0 + sum / FLOOR)
}

/// The highest level of which a block ends with this interval. Blocks of all lower levels end as well.
fn levels_ended(tick: u32) -> usize {
    (tick.trailing_zeros() as usize / 2).min(LEVELS - 1)
}

/// The bytes of the block of this level that ends; they become part of a block of the next level.
fn end_block(sums: &mut [f32; LEVELS - 1], level: usize) -> f32 {
    let sum = std::mem::take(&mut sums[level - 1]);
    if let Some(next) = sums.get_mut(level) {
        *next += sum;
    }
    sum
}

/// Judges a block's bytes by the blocks before it, and counts the block. If blocks are rare, this alone does
/// not make a block of usual size rare.
fn judge_volume(state: &mut FlowState, level: usize, sum: f32, tail: &Tail) -> Option<Rarity> {
    let y = octaves(sum);
    let histogram = &mut state.volumes[level];
    let rarity = histogram.judge_if_rare(y, tail);
    histogram.count(y);
    rarity
}

fn volume(rarity: Rarity, level: usize, sum: f32) -> Verdict {
    Verdict {
        score: rarity.score + per_interval(level),
        test: Test::Volume { intervals: 1 << (2 * level) },
        usual: bytes_of_level(rarity.usual),
        seen: sum,
    }
}

/// Converts a block's rarity to an interval's: adds log10 of the block's length, because a block is judged
/// once in that many intervals.
fn per_interval(level: usize) -> f32 {
    LOG10_2 * (2 * level) as f32
}

/// The bytes of a [`level`].
pub fn bytes_of_level(y: f32) -> f32 {
    (exp2(y) - 1.0) * FLOOR
}
