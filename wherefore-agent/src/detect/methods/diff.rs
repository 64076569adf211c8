//! The `diff` method: are the last relative changes larger than chance?
//!
//! Owns the rank sum of the last changes, under the rule for ties in `rank`, and its comparison with the rank
//! sum of every possible order of the points. An undefined change (from 0 to 0, or between infinities) has
//! rank 0 and does not affect the ranks of others. Refuses shortcuts that treat the changes as exchangeable:
//! they are computed again for each order, because neighbouring changes share a point.
//!
//! Orders are examined by *rings*: a ring of n points can be cut at n places; each cut gives one order, and
//! all n orders share the same n changes. If all orders are examined, there are (n-1)! rings; if a sample is
//! enough, rings are drawn at random and each is cut everywhere, which is unbiased. The orders of a ring are
//! not independent: for the recorded windows, n of them were worth n/2 independent ones in the worst case and
//! 2.7 n in the median.
//!
//! For one active point, which is the usual number, `last_change` is used instead.

use super::random::{Sampling, SplitMix64};
use super::rings::{EXACT_POINTS, change, every_ring};
use super::{last_change, windows};

/// Memory for one evaluation, reused by the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    single: last_change::Scratch,
    ring: Vec<f64>,
    /// Change i leads from point i-1 to point i of the ring.
    changes: Vec<f64>,
    /// For each change of the ring, how many are smaller, and how many are equal, including itself. Stored as
    /// `f64`, so that comparing and counting are one vector operation each.
    smaller: Vec<f64>,
    equal: Vec<f64>,
}

impl Scratch {
    /// P(S < observed S), where S is the rank sum of the last changes; `None` if there are fewer reference
    /// changes than active ones.
    pub(super) fn raw(
        &mut self,
        window: &[f64],
        reference_size: usize,
        active_size: usize,
        sampling: Sampling,
    ) -> Option<f64> {
        // There is one change fewer than points, and so one reference change fewer.
        let changes = window.get(1..)?;
        windows::split(changes, reference_size - 1, active_size, active_size)?;
        if active_size == 1 {
            return Some(self.single.raw(window, sampling));
        }
        self.compare(window);
        let observed = self.rank_sum(0, active_size);
        let mut ring = std::mem::take(&mut self.ring);
        ring.clear();
        ring.extend_from_slice(window);
        let mut tally = (0, 0);
        let examine = |ring: &[f64]| {
            self.compare(ring);
            let ranks = (0..ring.len()).map(|cut| self.rank_sum(cut, active_size));
            tally.0 += ranks.filter(|&rank_sum| rank_sum < observed).count();
            tally.1 += ring.len();
        };
        if window.len() <= EXACT_POINTS {
            every_ring(&mut ring, examine);
        } else {
            random_rings(&mut ring, sampling, examine);
        }
        self.ring = ring;
        Some(tally.0 as f64 / tally.1 as f64)
    }

    /// Computes the changes of the ring and compares each with all.
    fn compare(&mut self, ring: &[f64]) {
        let Self { changes, smaller, equal, .. } = self;
        changes.clear();
        let previous = ring.last().into_iter().chain(ring);
        changes.extend(previous.zip(ring).map(|(&from, &to)| change(from, to)));
        for counts in [&mut *smaller, &mut *equal] {
            counts.clear();
            counts.resize(changes.len(), 0.0);
        }
        for &other in changes.iter() {
            for ((own, smaller), equal) in changes.iter().zip(&mut *smaller).zip(&mut *equal) {
                *smaller += if other < *own { 1.0 } else { 0.0 };
                *equal += if other == *own { 1.0 } else { 0.0 };
            }
        }
    }

    /// The rank sum of the last changes if the ring is cut before point `cut`, which removes the change that
    /// leads to this point.
    fn rank_sum(&self, cut: usize, active_size: usize) -> f64 {
        (1..=active_size).map(|steps| self.rank(cut, steps)).sum()
    }

    /// The rank of the change that is `steps` before the cut.
    fn rank(&self, cut: usize, steps: usize) -> f64 {
        let at = self.back(cut, steps);
        let (own, removed) = (self.changes[at], self.changes[cut]);
        if own.is_nan() {
            return 0.0;
        }
        let mut equal = self.equal[at] - 1.0;
        if equal > 0.0 {
            let later =
                (1..steps).filter(|&step| self.changes[self.back(cut, step)] == own).count();
            equal -= f64::from(u8::from(removed == own));
            // Only the first of equal changes has a rank: the highest one of its group.
            if equal > later as f64 {
                return 0.0;
            }
        }
        self.smaller[at] - f64::from(u8::from(removed < own)) + equal
    }

    fn back(&self, cut: usize, steps: usize) -> usize {
        if cut < steps { cut + self.changes.len() - steps } else { cut - steps }
    }
}

fn random_rings(ring: &mut [f64], sampling: Sampling, mut examine: impl FnMut(&[f64])) {
    // Twice as many, because the n cuts of a ring may be worth only n/2 permutations.
    let rings = (2 * sampling.permutations as usize).div_ceil(ring.len());
    let mut rng = SplitMix64::new(sampling.seed);
    for _ in 0..rings {
        rng.shuffle(ring);
        examine(ring);
    }
}
