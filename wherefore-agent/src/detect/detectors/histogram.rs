//! The usual values of a series: a decaying histogram of logarithms whose upper tail is extrapolated beyond
//! the highest value seen. It takes 33 bytes for one series and 132 for one that is shared. Owns how counts
//! are stored and how rare a value is among them; refuses to know what it counts.

pub(super) mod packed;

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Deserializer, Serialize};

use super::number::{exp2, log2};

/// Number of bins. Values below the lowest bin are counted in it.
const BINS: usize = 32;
/// Width of a bin in octaves. 32 bins reach from the highest value seen down to 1/65,536 of it.
const WIDTH: f32 = 0.5;
/// Number of bins that stay free above the first value.
const ROOM: usize = 8;
/// The base of a histogram without values.
const NOTHING: u8 = u8::MAX;

/// How a tail is extrapolated: from its start, values become exponentially rarer with each octave (as in a
/// Pareto law with each byte), at a rate that is learned and uncertain. The expectation is then a Lomax law,
/// whose tail is heavy while few values were seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// A tail may begin within this share of the values, from the top.
    pub fraction: f32,
    /// The fewest values in a tail, if `fraction` allows as many.
    pub least_values: f32,
    /// The octaves by which values are assumed to exceed the tail's start before any is seen.
    pub prior_octaves: f32,
    /// The weight of that prior, as a number of values.
    pub prior_weight: f32,
}

/// The fewest octaves by which the values of a tail exceed its start on average. Otherwise, for a flow that
/// always sends the same, one more byte would be very rare.
const LEAST_OCTAVES: f32 = 0.3;

/// The type of the count in a bin.
pub(super) trait Count: Copy + Default + Into<u32> {
    /// All counts are halved when one reaches this.
    const FULL: u32;

    /// A count of this number, which is at most `FULL`.
    fn of(number: u32) -> Self;
}

impl Count for u8 {
    const FULL: u32 = 255;

    fn of(number: u32) -> Self {
        number.min(Self::FULL) as Self
    }
}

/// For a histogram that many series share: it can be certain of rarities of 1 in millions. The sum of all
/// counts is exact in single precision.
impl Count for u32 {
    const FULL: u32 = 1 << 19;

    fn of(number: u32) -> Self {
        number.min(Self::FULL)
    }
}

/// Counts of values by their logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "C: Deserialize<'de>"))]
pub(super) struct Histogram<C: Count = u8> {
    #[serde(deserialize_with = "believable")]
    counts: [C; BINS],
    /// The number of bins below the first one that is kept.
    base: u8,
}

/// Reads counts from a file and limits them to `FULL`, so that their sums cannot overflow.
fn believable<'de, D, C>(deserializer: D) -> Result<[C; BINS], D::Error>
where
    D: Deserializer<'de>,
    C: Count + Deserialize<'de>,
{
    let counts = <[C; BINS]>::deserialize(deserializer)?;
    Ok(counts.map(|count| C::of(count.into())))
}

/// How rare a value is among earlier ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rarity {
    /// -log10 of the share of the values that are as high.
    pub score: f32,
    /// The logarithm that most values do not exceed: the upper end of the bin where the tail begins at the
    /// latest, because the positions of values within a bin are unknown. Never more than the value itself.
    pub usual: f32,
}

/// A score, and a condition under which a value's score is certainly lower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) score: f32,
    /// The share of all values in the value's own bin and above.
    part: f32,
}

impl Limit {
    /// For a tail that begins in a value's own bin, the score is at most that of the share of values there
    /// and above, plus this much for the value's distance from the start. The distance is at most one bin;
    /// the values of the tail, including the prior ones, exceed its start by at least [`LEAST_OCTAVES`] on
    /// average.
    const WITHIN_A_BIN: f32 = 0.724;
    /// Lower scores are not used.
    pub(super) const ONE: Self = Self { score: 1.0, part: 0.56 };

    /// The limit of this score.
    pub(super) fn below(score: f32) -> Self {
        // Covers rounding errors.
        const MARGIN: f32 = 0.02;
        let part = 1.0 / exp2((score - Self::WITHIN_A_BIN - MARGIN) / LOG10_2);
        Self { score: score - MARGIN, part }
    }
}

/// The values from one bin upwards, while bins are visited from the top.
#[derive(Default)]
struct Top {
    values: f32,
    /// The sum of the indexes of their bins.
    moment: f32,
}

impl<C: Count> Default for Histogram<C> {
    fn default() -> Self {
        Self { counts: [C::default(); BINS], base: NOTHING }
    }
}

impl Histogram {
    pub(super) const fn new() -> Self {
        Self { counts: [0; BINS], base: NOTHING }
    }
}

impl<C: Count> Histogram<C> {
    /// Counts a value with logarithm `y`, from 0 to 120.
    pub(super) fn count(&mut self, y: f32) {
        // The conversion saturates: a negative value becomes 0.
        let bin = ((y / WIDTH) as usize).min(usize::from(NOTHING) - 1);
        if self.base == NOTHING {
            self.base = (bin + 1 + ROOM).saturating_sub(BINS) as u8;
        }
        let mut place = bin.saturating_sub(usize::from(self.base));
        if place >= BINS {
            self.raise(place + 1 - BINS);
            place = BINS - 1;
        }
        let count = self.counts[place].into().saturating_add(1);
        self.counts[place] = C::of(count);
        if count >= C::FULL {
            self.halve();
        }
    }

    /// Moves the bins up. Bins that fall out at the bottom are counted in the lowest one.
    fn raise(&mut self, by: usize) {
        let out = by.min(BINS);
        let sunk = self.counts[..out].iter().fold(0, |sum: u32, &count| sum + count.into());
        self.counts.copy_within(out.., 0);
        self.counts[BINS - out..].fill(C::default());
        self.counts[0] = C::of(self.counts[0].into() + sunk);
        self.base =
            self.base.saturating_add(by.min(usize::from(NOTHING) - 1) as u8).min(NOTHING - 1);
    }

    /// Halves the counts. A bin that was ever used keeps one value, so that a series is not reported twice
    /// for the same value.
    fn halve(&mut self) {
        self.counts.iter_mut().for_each(|count| *count = C::of((*count).into().div_ceil(2)));
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.base == NOTHING
    }

    /// The number of values, as far as they are remembered.
    pub(super) fn total(&self) -> f32 {
        self.counts.iter().map(|&count| count.into()).sum::<u32>() as f32
    }

    /// The end of the bins with values; those above are skipped eight at a time.
    fn top(&self) -> usize {
        let holds = |bins: &[C; 8]| bins.iter().fold(0, |any, &count| any | count.into()) != 0;
        self.counts.as_chunks().0.iter().rposition(holds).map_or(0, |eight| (eight + 1) * 8)
    }

    /// The highest bin for which this bin and those above it have `wanted` values, and at least one.
    fn place_of(&self, wanted: f32) -> usize {
        // Whole numbers, rounded up, are several times as fast to add and compare.
        let whole = wanted as u32;
        let wanted = (whole + u32::from((whole as f32) < wanted)).max(1);
        let (mut values, mut place) = (0, self.top());
        while place > 0 && values < wanted {
            place -= 1;
            values += self.counts[place].into();
        }
        place
    }

    /// Values up to this are not rare: [`Self::judge`] returns nothing for them.
    pub(super) fn usual(&self, tail: &Tail) -> f32 {
        if self.base == NOTHING {
            return 0.0;
        }
        let lowest = self.place_of(self.total() * tail.fraction);
        (f32::from(self.base) + lowest as f32) * WIDTH
    }

    /// The same as [`Self::judge`], but also returns `None` if the score is below 1. For most values of most
    /// series, this is decided without a logarithm.
    pub(super) fn judge_if_rare(&self, y: f32, tail: &Tail) -> Option<Rarity> {
        let rarity = if self.is_below(y, tail, &Limit::ONE) { None } else { self.judge(y, tail) };
        rarity.filter(|rarity| rarity.score >= 1.0)
    }

    /// Whether the score of `y` is certainly below the limit. It may also be below if this returns false.
    fn is_below(&self, y: f32, tail: &Tail, limit: &Limit) -> bool {
        let place = bin_of(y, self.base);
        let Some((below, here)) = self.counts.split_at_checked(place) else { return false };
        let sum = |counts: &[C]| counts.iter().map(|&count| count.into()).sum::<u32>();
        let above = here.get(1..).map(sum);
        let here = sum(here);
        above.is_some_and(|above| tail.is_below(sum(below) + here, here, above, limit))
    }

    /// The lower ends of the bins, in ascending order.
    pub(super) fn ends(&self) -> impl Iterator<Item = f32> + use<C> {
        let base = f32::from(self.base);
        (0..=BINS).map(move |place| (base + place as f32) * WIDTH)
    }

    /// The rarity of values as high as `y`; `None` if `y` is ordinary.
    ///
    ///
    /// The tail may begin in several bins: the first one has `least_values` values in it and above, the next
    /// one twice as many, and so on up to `fraction`. The bin for which `y` is least rare decides, so that
    /// neither a second mode nor a single outlier makes a common value rare.
    pub(super) fn judge(&self, y: f32, tail: &Tail) -> Option<Rarity> {
        if self.base == NOTHING {
            return None;
        }
        let total = self.total();
        let wanted = total * tail.fraction;
        let lowest = self.place_of(wanted);
        // In units of bins, like everything below.
        let y = y / WIDTH - f32::from(self.base);
        if y <= lowest as f32 {
            return None;
        }
        let least_values = tail.least_values.min(wanted);
        let (mut top, mut next, mut score) = (Top::default(), 0.0, f32::INFINITY);
        for place in (lowest..self.top()).rev() {
            top.add(self.counts[place].into(), place);
            let is_seen = y < (place + 1) as f32;
            if top.values > next && (is_seen || top.values >= least_values) {
                next = 2.0 * top.values;
                score = score.min(top.score(y, place, total, tail));
            }
        }
        let usual = f32::from(self.base) + y.min((lowest + 1) as f32);
        score.is_finite().then_some(Rarity { score, usual: usual * WIDTH })
    }
}

impl Top {
    fn add(&mut self, count: u32, place: usize) {
        self.values += count as f32;
        self.moment += count as f32 * place as f32;
    }

    /// -log10 of the probability of a value as high as `y`, if the tail begins at `place`.
    fn score(&self, y: f32, place: usize, total: f32, tail: &Tail) -> f32 {
        let in_tail = -LOG10_2 * log2((self.values + 0.5) / (total + 1.0));
        let beyond = (y - place as f32) * WIDTH;
        if beyond <= 0.0 {
            return in_tail;
        }
        // Each value is assumed to be in the middle of its bin.
        let excess = (self.moment + self.values * (0.5 - place as f32)) * WIDTH;
        let excess =
            excess.max(self.values * LEAST_OCTAVES) + tail.prior_octaves * tail.prior_weight;
        in_tail + beyond_score(beyond / excess, self.values + tail.prior_weight)
    }
}

impl Tail {
    /// Whether the score of a value is certainly below the limit, given the number of all values, of those in
    /// its own bin and above, and of those above. This is so if enough values are in higher bins, or in its
    /// own bin and higher ones.
    ///
    ///
    /// A tail that begins in the value's own bin is among those that decide if it has more than twice as many
    /// values as the bins above.
    fn is_below(&self, total: u32, here: u32, above: u32, limit: &Limit) -> bool {
        let total = total as f32;
        above as f32 >= (total * self.fraction).max(1.0)
            || here > 2 * above && here as f32 >= limit.part * (total + 1.0)
    }

    /// -log10 of the probability of a value as high as `y`, if none was seen yet.
    pub(super) fn unseen(&self, y: f32) -> f32 {
        beyond_score(y.max(0.0) / (self.prior_octaves * self.prior_weight), self.prior_weight)
    }
}

/// The index of the bin of `y`, counted from bin `base`: 0 if `y` is lower; it may be beyond the last bin.
fn bin_of(y: f32, base: u8) -> usize {
    // The conversion saturates: a negative number becomes 0.
    (y / WIDTH - f32::from(base)) as usize
}

/// The Lomax law: -log10 of (1 + ratio)^-weight.
fn beyond_score(ratio: f32, weight: f32) -> f32 {
    LOG10_2 * weight * log2(1.0 + ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: Tail =
        Tail { fraction: 0.04, least_values: 8.0, prior_octaves: 0.5, prior_weight: 2.0 };

    fn of(values: &[(f32, usize)]) -> Histogram {
        let mut histogram = Histogram::new();
        for &(y, times) in values {
            (0..times).for_each(|_| histogram.count(y));
        }
        histogram
    }

    fn score(histogram: &Histogram, y: f32) -> f32 {
        histogram.judge(y, &TAIL).map_or(0.0, |rarity| rarity.score)
    }

    fn exact_score(histogram: &Histogram, y: f32) -> f32 {
        histogram.judge(y, &TAIL).map_or(f32::NEG_INFINITY, |rarity| rarity.score)
    }

    #[test]
    fn rarer_the_farther_out() {
        let histogram = of(&[(10.2, 100), (10.7, 40), (11.2, 10), (11.7, 2)]);
        assert_eq!(histogram.judge(10.3, &TAIL), None);
        let scores: Vec<_> = (0..20).map(|step| score(&histogram, 12.0 + step as f32)).collect();
        assert!(scores.is_sorted() && scores[0] > 1.5 && scores[19] > 6.0, "{scores:?}");
    }

    #[test]
    fn a_repeated_value_is_not_rare() {
        let once = score(&of(&[(5.2, 200)]), 15.2);
        let again = score(&of(&[(5.2, 200), (15.2, 4)]), 15.2);
        // Four in 204.
        assert!(once > 5.0 && (1.5..2.2).contains(&again), "{once} {again}");
    }

    #[test]
    fn a_value_below_the_limit_is_not_rare() {
        let mut random = fastrand::Rng::with_seed(4);
        let (mut all, mut spared) = (0, 0);
        for _ in 0..20_000 {
            let mut histogram = Histogram::<u8>::default();
            let spread = random.f32() * 6.0;
            for _ in 0..1 << random.u32(0..10) {
                let extreme = if random.u8(..) < 8 { 20.0 } else { 0.0 };
                histogram.count(10.0 + spread * random.f32() * random.f32() + extreme);
            }
            for _ in 0..10 {
                let y = 9.0 + (spread + 1.0) * random.f32() * random.f32();
                let exact = histogram.judge(y, &TAIL).filter(|rarity| rarity.score >= 1.0);
                assert_eq!(histogram.judge_if_rare(y, &TAIL), exact, "{y} {histogram:?}");
                all += 1;
                spared += u32::from(histogram.is_below(y, &TAIL, &Limit::ONE));
                let limit = Limit::below(5.0 * random.f32());
                let score = exact_score(&histogram, y);
                assert!(!histogram.is_below(y, &TAIL, &limit) || score < limit.score, "{limit:?}");
            }
        }
        assert!(spared > all / 2, "{spared} of {all}");
    }

    #[test]
    fn nothing_is_rare_where_nothing_is_known() {
        assert_eq!(Histogram::new().judge(20.0, &TAIL), None);
        assert!(score(&of(&[(3.0, 1)]), 20.0) < 4.0);
    }

    #[test]
    fn old_values_fade_and_extremes_are_kept() {
        let mut histogram = of(&[(12.2, 1), (8.2, 254)]);
        histogram.count(8.2);
        assert!(histogram.total() < 135.0);
        assert!(score(&histogram, 12.2) < 2.5);
    }

    #[test]
    fn bins_follow_the_highest_value() {
        let histogram = of(&[(0.2, 100), (60.2, 1)]);
        assert_eq!(histogram.total(), 101.0);
        assert_eq!(histogram.place_of(1.0), BINS - 1);
    }
}
