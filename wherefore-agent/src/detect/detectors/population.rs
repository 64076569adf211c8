//! Baselines that many members share, for those with a short history, and how often an event as rare is
//! expected anywhere among them. Owns the pooled histograms and the rate of newcomers; refuses to know what
//! is counted.
//!
//! A detector's score is about one test, but a host makes thousands of tests in an interval. A **surprise**
//! takes this into account: at surprise s, an event as unusual is expected once in 10^s intervals on the
//! whole host. Surprises of few and of many members, on busy and on idle hosts, can therefore be compared.

use std::f32::consts::LOG10_2;

use serde::{Deserialize, Serialize};

use super::histogram::{Histogram, Tail};
use super::number::log2;

/// The number of values after which a member is judged by its own history.
pub const YOUTH: f32 = 8.0;
/// The number of values of young members after which these are judged only by each other.
const ENOUGH: f32 = 128.0;
/// The number of intervals after which the weight of earlier ones is halved: a day of 5 s.
const MEMORY: f32 = 17_280.0;
/// How fast the estimate of the number of members follows changes.
const SMOOTHING: f32 = 0.02;

/// How the tails of a population are extrapolated.
const TAIL: Tail =
    Tail { fraction: 0.04, least_values: 8.0, prior_octaves: 0.5, prior_weight: 2.0 };

/// The values of many members.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Population {
    all: Histogram<u32>,
    /// The histogram of members with fewer than [`YOUTH`] values.
    young: Histogram<u32>,
    /// The number of intervals, and of values of newcomers in them. Both decay.
    intervals: f32,
    newcomers: f32,
    /// The number of members with a history, smoothed.
    members: f32,
    /// The same in the last interval, and in this one so far.
    members_before: u32,
    members_now: u32,
    /// The highest value that was not rare for any member when this interval began. Most values are lower,
    /// and need no closer look.
    #[serde(skip)]
    usual: f32,
}

/// The history of one member in one quantity.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Past(Histogram);

/// How surprising a value is, and the value that would not be surprising.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Surprise {
    /// log10 of the number of intervals in which the host is expected to show something as unusual once.
    pub surprise: f32,
    /// The logarithm that most values do not exceed.
    pub usual: f32,
}

/// The highest score that this number of cases justifies: an event that was not among them can be at most
/// 1,000 times as rare as their number shows.
pub fn believed(cases: f32) -> f32 {
    const BEYOND: f32 = 3.0;
    LOG10_2 * log2(cases.max(1.0)) + BEYOND
}

impl Past {
    /// Whether the history is too short to judge by.
    pub fn is_young(&self) -> bool {
        self.0.total() < YOUTH
    }
}

impl Population {
    /// Adds a member's value `y`, a logarithm to base 2. Newcomers are young members that did not exist when
    /// the host was first watched.
    pub fn count(&mut self, y: f32, is_young: bool, is_newcomer: bool) {
        self.all.count(y);
        if is_young {
            self.young.count(y);
        }
        if is_newcomer {
            self.newcomers += 1.0;
        }
    }

    /// Records that a member with a history was judged in this interval.
    pub fn judged(&mut self) {
        self.members_now = self.members_now.saturating_add(1);
    }

    /// The number of intervals, as far as they are remembered.
    pub fn intervals(&self) -> f32 {
        self.intervals
    }

    /// Ends an interval.
    pub fn close(&mut self) {
        self.usual = self.all.usual(&TAIL);
        self.members_before = std::mem::take(&mut self.members_now);
        let now = self.members_before as f32;
        let step = if self.members == 0.0 { 1.0 } else { SMOOTHING };
        self.members += step * (now - self.members);
        self.intervals += 1.0;
        if self.intervals >= MEMORY {
            self.intervals *= 0.5;
            self.newcomers *= 0.5;
        }
    }

    /// Ends several intervals in which nothing was counted and this many members were judged. The result is
    /// the same as that of [`Self::judged`] and [`Self::close`] in each, at a cost that hardly grows.
    pub fn pass(&mut self, intervals: u64, judged: u32) {
        if intervals == 0 {
            return;
        }
        self.members_now = self.members_now.saturating_add(judged);
        self.close();
        self.members_before = if intervals > 1 { judged } else { self.members_before };
        self.follow_members(intervals - 1, judged as f32);
        self.age(intervals - 1);
    }

    fn follow_members(&mut self, intervals: u64, now: f32) {
        /// A smaller sum is negligible with any number of members.
        const NONE: f32 = 1e-12;
        for _ in 0..intervals {
            let before = self.members;
            let step = if before == 0.0 { 1.0 } else { SMOOTHING };
            self.members += step * (now - before);
            let is_done = self.members == before || now == 0.0 && self.members < NONE;
            if is_done {
                return;
            }
        }
    }

    /// Uses whole numbers, which single precision adds exactly.
    fn age(&mut self, intervals: u64) {
        let mut left = intervals;
        while left > 0 {
            let until_full = (MEMORY - self.intervals).ceil().max(1.0);
            let step = if self.intervals.fract() == 0.0 { until_full as u64 } else { 1 }.min(left);
            self.intervals += step as f32;
            left -= step;
            if self.intervals >= MEMORY {
                self.intervals *= 0.5;
                self.newcomers *= 0.5;
            }
        }
    }

    /// How surprising a value `y` is for a member with this history. A long history judges alone.
    pub fn judge(&self, past: &Past, y: f32, is_newcomer: bool) -> Surprise {
        if past.is_young() && is_newcomer {
            return self.newcomer(y);
        }
        let rarity =
            if past.is_young() { self.all.judge(y, &TAIL) } else { past.0.judge(y, &TAIL) };
        rarity.map_or_else(Surprise::default, |rarity| Surprise {
            surprise: self.among_all(rarity.score),
            usual: rarity.usual,
        })
    }

    /// Adds a value of a member with this history.
    pub fn learn(&mut self, past: &mut Past, y: f32, is_newcomer: bool) {
        self.count(y, past.is_young(), past.is_young() && is_newcomer);
        past.0.count(y);
    }

    /// How surprising the value `y` is for any member; 0 if it is expected more often than once an interval.
    pub fn anyone(&self, y: f32) -> Surprise {
        /// Among at least this many members, a score below 1 is not surprising.
        const MANY: f32 = 16.0;
        if y <= self.usual {
            return Surprise::default();
        }
        let rarity = if self.members() >= MANY {
            self.all.judge_if_rare(y, &TAIL)
        } else {
            self.all.judge(y, &TAIL)
        };
        rarity.map_or_else(Surprise::default, |rarity| Surprise {
            surprise: self.among_all(rarity.score.min(believed(self.all.total()))),
            usual: rarity.usual,
        })
    }

    /// A value up to which no value of any member was as surprising as this, by a margin; 0 if nothing is
    /// known.
    pub fn unsurprising(&self, surprise: f32) -> f32 {
        if self.all.is_empty() {
            return 0.0;
        }
        /// The score within a bin may be somewhat higher than at its ends, and a growing history adds to
        /// that.
        const MARGIN: f32 = 0.5;
        let is_below = |y: &f32| self.anyone(*y).surprise < surprise - MARGIN;
        self.all.ends().take_while(is_below).last().unwrap_or_default()
    }

    /// The score of one test that corresponds to this surprise among all members; the reverse of
    /// [`Self::among_all`].
    pub fn score_of(&self, surprise: f32) -> f32 {
        surprise + LOG10_2 * log2(self.members())
    }

    /// The surprise among all members that corresponds to this score of one test.
    pub fn among_all(&self, score: f32) -> f32 {
        score - LOG10_2 * log2(self.members())
    }

    fn members(&self) -> f32 {
        self.members.max(self.members_before as f32).max(1.0)
    }

    /// How rare the value `y` is among the values of all members, as a score of one test; and the value that
    /// most do not exceed.
    pub fn among_values(&self, y: f32) -> (f32, f32) {
        let rarity = self.all.judge(y, &TAIL);
        let (score, usual) = rarity.map_or((0.0, y), |rarity| (rarity.score, rarity.usual));
        (score.min(believed(self.all.total())), usual)
    }

    /// How surprising the value `y` of a newcomer is: how rare newcomers are, and how rare such a value is
    /// among them.
    pub fn newcomer(&self, y: f32) -> Surprise {
        let pool = if self.young.total() >= ENOUGH { &self.young } else { &self.all };
        let pooled = pool.judge(y, &TAIL);
        let (score, usual) = pooled.map_or((0.0, y), |rarity| (rarity.score, rarity.usual));
        let score = score.min(believed(pool.total()));
        let rate = (self.newcomers + 0.5) / (self.intervals + 1.0);
        Surprise { surprise: score - LOG10_2 * log2(rate), usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_intervals_equals_judging_each() {
        let mut random = fastrand::Rng::with_seed(5);
        for intervals in [1, 2, 3, 60, 720, 17_279, 17_280, 34_560] {
            let mut each = Population::default();
            for _ in 0..random.u32(0..300) {
                (0..random.u32(0..40)).for_each(|_| each.judged());
                (0..random.u32(0..9)).for_each(|_| each.count(random.f32() * 9.0, true, true));
                each.close();
            }
            for judged in [0, 1, 700] {
                let mut at_once = each.clone();
                at_once.pass(intervals, judged);
                for _ in 0..intervals {
                    (0..judged).for_each(|_| each.judged());
                    each.close();
                }
                // For members that are long gone the rest may differ, which does not matter.
                for _ in 0..3 {
                    let numbers = |one: &Population| {
                        (one.intervals, one.newcomers, one.members_before, one.members(), one.usual)
                    };
                    assert_eq!(numbers(&at_once), numbers(&each), "{intervals} {judged}");
                    for one in [&mut each, &mut at_once] {
                        one.judged();
                        one.close();
                    }
                }
            }
        }
    }

    #[test]
    fn an_unsurprising_value_has_no_surprise() {
        let mut random = fastrand::Rng::with_seed(9);
        let mut looked_at = 0;
        for _ in 0..2_000 {
            let mut volumes = Population::default();
            let spread = random.f32() * 20.0;
            for _ in 0..1 << random.u32(0..14) {
                volumes.count(5.0 + spread * random.f32().powi(3), false, false);
            }
            (0..random.u32(..1_000)).for_each(|_| volumes.judged());
            volumes.close();
            let limit = 0.5 + 3.0 * random.f32();
            let calm = volumes.unsurprising(limit);
            for _ in 0..100 {
                let y = calm * random.f32();
                looked_at += u32::from(y > volumes.usual);
                assert!(volumes.anyone(y).surprise < limit, "{y} of {calm}: {volumes:?}");
            }
        }
        assert!(looked_at > 10_000, "{looked_at}");
    }
}
