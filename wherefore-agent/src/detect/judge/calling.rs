//! Persistence of newcomers: in how many intervals each was active since it appeared (its calls), and how
//! many calls came at regular times. Owns the ages at which a newcomer is compared with similar ones, and
//! their baselines; refuses to know whose newcomers they are and to decide what is reported.
//!
//! Browsing and downloads come and go. Programs that report to a server call it for hours, most of them at
//! regular times; RITA (<https://github.com/activecm/rita>) finds them by the dispersion of the time between
//! connections. Here a call counts as regular if the time since the previous call is, within an octave, the
//! most common one. Then a call that is early, late or missing now and then changes little.

use serde::{Deserialize, Serialize};

use crate::detect::detectors::{Arrivals, exp2, log2};
use crate::detect::finding::Calls;

/// Ages at which callers are compared: 2^8 to 2^12 intervals, of 5 s 21 minutes to 6 hours.
const AGES: usize = 5;
const FIRST: u32 = 8;
/// The shortest time between two calls, in intervals: earlier traffic belongs to the same call.
const SHORTEST: u32 = 3;
/// Half octaves of the time between two calls, from the shortest to the last age.
const LENGTHS: usize = 21;

/// A newcomer differs only if similar ones usually make less than this fraction of its calls.
const MOST_USUAL: f32 = 0.8;

/// The calls of one newcomer since it appeared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CallHistory {
    /// Intervals with traffic.
    active: u32,
    /// Its age in the last of them.
    last: u32,
    /// Calls by the time since the previous call.
    lengths: [u16; LENGTHS],
}

/// The calls of the newcomers of one pool, by age.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CallBaseline {
    /// The number of intervals with traffic.
    often: [Arrivals; AGES],
    /// The number of regular calls.
    regular: [Arrivals; AGES],
}

/// How a newcomer differs from similar ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Persistence {
    /// Expected once in 10^surprise intervals.
    pub surprise: f32,
    /// How it keeps calling, and how often similar newcomers do.
    pub calls: Calls,
}

/// The index of this age, if newcomers are compared at it.
fn place(age: i64) -> Option<usize> {
    (0..AGES).find(|place| age == 1 << (FIRST as usize + place))
}

/// The ages.
pub(super) fn ages() -> impl Iterator<Item = i64> {
    (0..AGES).map(|place| 1 << (FIRST as usize + place))
}

impl CallHistory {
    /// Records traffic at this age.
    pub(super) fn call(&mut self, age: i64) {
        let age = u32::try_from(age).unwrap_or(u32::MAX);
        let since = age.saturating_sub(self.last);
        if self.active > 0 && since >= SHORTEST {
            let count = &mut self.lengths[length(since)];
            *count = count.saturating_add(1);
        }
        self.active = self.active.saturating_add(1);
        self.last = age;
    }

    /// Updates `calls` to this age; the baseline stays that of the time when it was judged.
    pub(super) fn so_far(&self, calls: Calls, (age, bytes): (i64, f64)) -> Calls {
        let seen = if calls.by_clock { self.regular() } else { self.active };
        Calls { seen, age: age as u32, bytes: bytes as f32, ..calls }
    }

    /// The number of regular calls: those after the most common time, within an octave, less all others.
    fn regular(&self) -> u32 {
        let pair = |pair: &[u16]| u32::from(pair[0]) + u32::from(pair[1]);
        let most = self.lengths.windows(2).map(pair).max().unwrap_or(0);
        let all: u32 = self.lengths.iter().map(|count| u32::from(*count)).sum();
        (2 * most).saturating_sub(all)
    }
}

fn length(since: u32) -> usize {
    let octaves = log2(since as f32 / SHORTEST as f32);
    ((2.0 * octaves) as usize).min(LENGTHS - 1)
}

/// Compares a newcomer with those of its `own` pool and of the whole `side`. `combine` merges the fractions
/// of both that are at least as extreme. `arrival_rarity` is how rarely newcomers appear. Returns `None` at
/// other ages, and if similar newcomers do the same.
pub(super) fn judge(
    history: &CallHistory,
    (age, bytes): (i64, f64),
    [own, side]: [&CallBaseline; 2],
    arrival_rarity: f32,
    combine: &dyn Fn(f32, [f32; 2]) -> f32,
) -> Option<Persistence> {
    let place = place(age)?;
    let rarity = |own: &Arrivals, side: &Arrivals, count: u32| {
        let y = log2(1.0 + count as f32);
        let (all, usual) = side.part_above(y);
        let part = combine(own.total(), [own.part_above(y).0, all]);
        (arrival_rarity + surprise_of(part), exp2(usual) - 1.0)
    };
    let regular = history.regular();
    let often = rarity(&own.often[place], &side.often[place], history.active);
    let by_clock = rarity(&own.regular[place], &side.regular[place], regular);
    let is_by_clock = by_clock.0 >= often.0 && regular > 0;
    let (seen, (surprise, usual)) =
        if is_by_clock { (regular, by_clock) } else { (history.active, often) };
    let calls = Calls {
        seen,
        usual,
        age: age as u32,
        by_clock: is_by_clock,
        is_on_end: !is_by_clock && i64::from(seen) > age / 2,
        bytes: bytes as f32,
    };
    // Without a baseline, everything is usual.
    (usual < MOST_USUAL * seen as f32).then_some(Persistence { surprise, calls })
}

/// The surprise of a property that this fraction of newcomers has.
fn surprise_of(part: f32) -> f32 {
    -std::f32::consts::LOG10_2 * log2(part.max(1e-30))
}

impl CallBaseline {
    /// Adds the calls of one of them up to this age.
    pub(super) fn count(&mut self, history: &CallHistory, age: i64) {
        if let Some(place) = place(age) {
            self.often[place].count(log2(1.0 + history.active as f32));
            self.regular[place].count(log2(1.0 + history.regular() as f32));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A newcomer that called at these ages.
    fn called(ages: impl IntoIterator<Item = i64>) -> CallHistory {
        let mut history = CallHistory::default();
        ages.into_iter().for_each(|age| history.call(age));
        history
    }

    #[test]
    fn regular_calls_are_recognised_despite_jitter_and_loss() {
        let mut random = fastrand::Rng::with_seed(7);
        let jitter = called((0..80).map(|call| call * 12 + random.i64(0..4)));
        assert!(jitter.regular() > 70, "{jitter:?}");
        let lossy = called((0..80).filter(|_| random.u8(0..10) > 0).map(|call| call * 12));
        assert!(lossy.regular() > 40, "{lossy:?}");
        let two_each = called((0..80).flat_map(|call| [call * 12, call * 12 + 1]));
        assert!(two_each.regular() > 70, "{two_each:?}");
        let mut at = 0;
        let browsing = called((0..80).map(|_| {
            at += 1 + (-24.0 * (1.0 - random.f64()).ln()) as i64;
            at
        }));
        assert!(browsing.regular() < 10, "{browsing:?}");
        assert_eq!(called(0..80).regular(), 0, "it never pauses");
    }

    #[test]
    fn regular_calls_are_rare_if_others_call_irregularly() {
        let combine = |known: f32, [few, all]: [f32; 2]| (known * few + 8.0 * all) / (known + 8.0);
        let mut random = fastrand::Rng::with_seed(11);
        let mut like = CallBaseline::default();
        for _ in 0..200 {
            let calls = (0..1024).filter(|_| random.u8(0..100) < 9);
            like.count(&called(calls), 1024);
        }
        let clock = called((0..1024).step_by(12));
        let rare = judge(&clock, (1024, 0.0), [&like, &like], 2.0, &combine).unwrap();
        assert!(rare.calls.by_clock && rare.calls.seen > 80, "{rare:?}");
        let usual = called((0..1024).filter(|_| random.u8(0..100) < 9));
        let usual = judge(&usual, (1024, 0.0), [&like, &like], 2.0, &combine);
        let is_less = usual.is_none_or(|usual| rare.surprise > usual.surprise + 1.0);
        assert!(is_less, "{rare:?} {usual:?}");
        let unknown = CallBaseline::default();
        assert_eq!(judge(&clock, (1024, 0.0), [&unknown, &unknown], 2.0, &combine), None);
        assert_eq!(judge(&clock, (1023, 0.0), [&like, &like], 2.0, &combine), None);
    }
}
