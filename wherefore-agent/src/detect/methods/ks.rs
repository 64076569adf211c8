//! The `ks` method: do the active points come from the distribution of the reference?
//!
//! Owns the Kolmogorov-Smirnov distance on the Go library's grid (as many equally spaced points as there are
//! values, from the smallest to the largest) and its distribution under permutation. Refuses to simplify the
//! arithmetic: a distance is the difference of two rounded quotients, as in Go, so that distances which are
//! equal in theory may differ in their last bit. With 3 active points, a sixth of all permutations can depend
//! on that bit. Refuses NaN.

use std::ops::Range;

use super::random::{Sampling, SplitMix64};
use super::windows::{self, COUNTABLE_POINTS};

/// Memory for one evaluation, reused by the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    /// The window, sorted at first and then in any order.
    pool: Vec<f64>,
    /// The points of the pool that the distance uses, sorted.
    sample: Vec<f64>,
    active: Vec<f64>,
    picked: Vec<usize>,
    /// For each number of points that were reached, the numbers of active ones among them that are close
    /// enough. They form an interval, because the distance grows on both sides of the balance.
    close: Vec<Range<usize>>,
    ways: Vec<f64>,
}

/// The number of reference points and of active points in a sample.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    reference: usize,
    active: usize,
}

impl Sizes {
    fn total(self) -> usize {
        self.reference + self.active
    }

    /// The weights of a point that becomes a reference point, or an active point: 1 while the number of all
    /// splits fits in `f64`, otherwise its share.
    fn weights(self) -> (f64, f64) {
        if self.total() <= COUNTABLE_POINTS {
            return (1.0, 1.0);
        }
        let total = self.total() as f64;
        (self.reference as f64 / total, self.active as f64 / total)
    }

    /// The distance between the two distributions at a grid point: `reached` points of the sample are not
    /// above it, and `active` of these are active.
    fn distance(self, reached: usize, active: usize) -> f64 {
        let reference = (reached - active) as f64 / self.reference as f64;
        (active as f64 / self.active as f64 - reference).abs()
    }
}

impl Scratch {
    /// P(D < observed D); `None` if there are fewer reference points than active ones, or if the number of
    /// the former is not a multiple of the latter.
    ///
    /// A permutation of a longer window brings other points into the sample. If there are few possible
    /// samples, each is used; otherwise a random choice. In each sample, every split into reference and
    /// active points is counted.
    pub(super) fn raw(
        &mut self,
        window: &[f64],
        reference_size: usize,
        active_size: usize,
        sampling: Sampling,
    ) -> Option<f64> {
        let (reference, active) = windows::split(window, reference_size, active_size, active_size)?;
        if !reference.len().is_multiple_of(active.len()) {
            return None;
        }
        let sizes = Sizes { reference: reference.len(), active: active.len() };
        let observed = self.observed(reference, active, sizes);
        refill(&mut self.pool, window);
        self.bound(sizes, observed);
        let below = if samples_within(window.len(), sizes.total(), sampling.permutations) {
            self.every_sample(sizes)
        } else {
            self.random_samples(sizes, sampling)
        };
        // Without a limit, the same computation counts all splits.
        self.bound(sizes, f64::INFINITY);
        Some((below / self.close_splits(sizes)).min(1.0))
    }

    /// The distance between the two parts of the window.
    fn observed(&mut self, reference: &[f64], active: &[f64], sizes: Sizes) -> f64 {
        refill(&mut self.active, active);
        self.sample.clear();
        self.sample.extend_from_slice(reference);
        self.sample.extend_from_slice(active);
        self.sample.sort_unstable_by(f64::total_cmp);
        let all = reached(&self.sample, grid(&self.sample));
        let active = reached(&self.active, grid(&self.sample));
        all.zip(active).map(|(all, active)| sizes.distance(all, active)).fold(0.0, f64::max)
    }

    /// Computes which splits are closer than `limit`.
    fn bound(&mut self, sizes: Sizes, limit: f64) {
        self.close.clear();
        self.close.extend((0..=sizes.total()).map(|reached| {
            let mut active = 0..sizes.active.min(reached) + 1;
            let close = |&active: &usize| sizes.distance(reached, active) < limit;
            match active.find(close) {
                None => 0..0,
                Some(first) => first..first + 1 + active.take_while(close).count(),
            }
        }));
    }

    /// The mean number of close splits over all samples, in lexicographic order of their positions in the
    /// sorted window.
    fn every_sample(&mut self, sizes: Sizes) -> f64 {
        self.picked.clear();
        self.picked.extend(0..sizes.total());
        let (mut sum, mut samples) = (0.0, 0.0);
        loop {
            self.sample.clear();
            self.sample.extend(self.picked.iter().map(|&place| self.pool[place]));
            sum += self.close_splits(sizes);
            samples += 1.0;
            if !advance(&mut self.picked, self.pool.len()) {
                return sum / samples;
            }
        }
    }

    /// The same mean over random samples.
    fn random_samples(&mut self, sizes: Sizes, sampling: Sampling) -> f64 {
        let mut rng = SplitMix64::new(sampling.seed);
        let mut sum = 0.0;
        for _ in 0..sampling.permutations {
            rng.draw(&mut self.pool, sizes.total());
            refill(&mut self.sample, &self.pool[..sizes.total()]);
            sum += self.close_splits(sizes);
        }
        sum / f64::from(sampling.permutations)
    }

    /// The number of ways in which the sample can be split so that both parts are close at every grid point.
    /// Walks over the sorted sample, counts the paths by the number of points that have become active, and
    /// drops those that are too far apart at a grid point.
    ///
    /// If there are too many to count, weights are used instead. The weight of a path depends only on where
    /// it ends, so the ratio of two walks stays exact.
    fn close_splits(&mut self, sizes: Sizes) -> f64 {
        self.walk(sizes, sizes.weights())
    }

    fn walk(&mut self, sizes: Sizes, (as_reference, as_active): (f64, f64)) -> f64 {
        let Self { sample, ways, close, .. } = self;
        ways.clear();
        ways.resize(sizes.active + 1, 0.0);
        ways[0] = 1.0;
        let mut walked = 0;
        for reached in reached(sample, grid(sample)) {
            for _ in walked..reached {
                step(ways, as_reference, as_active);
            }
            walked = reached;
            ways[..close[reached].start].fill(0.0);
            ways[close[reached].end..].fill(0.0);
        }
        // Because of rounding, the largest points may be beyond the last grid point.
        for _ in walked..sample.len() {
            step(ways, as_reference, as_active);
        }
        ways[sizes.active]
    }
}

/// Adds one point: each path continues with it as a reference point or as an active point.
fn step(ways: &mut [f64], as_reference: f64, as_active: f64) {
    let mut fewer = 0.0;
    for paths in ways {
        let stayed = *paths;
        *paths = stayed * as_reference + fewer * as_active;
        fewer = stayed;
    }
}

/// The grid over a sorted sample. Each point is computed from the one before it, as in Go.
fn grid(sorted: &[f64]) -> impl Iterator<Item = f64> {
    let (low, high) = match sorted {
        [low, .., high] => (*low, *high),
        _ => (0.0, 0.0),
    };
    let step = (high - low) / (sorted.len() as f64 - 1.0);
    std::iter::successors(Some(low), move |point| Some(point + step)).take(sorted.len())
}

/// For each grid point, the number of sorted points that are not above it; all of them if the grid has an
/// infinite width and so is NaN.
fn reached(sorted: &[f64], grid: impl Iterator<Item = f64>) -> impl Iterator<Item = usize> {
    let mut count = 0;
    grid.map(move |point| {
        let rest = &sorted[count..];
        count += rest.iter().position(|&x| point < x).unwrap_or(rest.len());
        count
    })
}

/// Whether at most `limit` samples of `size` can be drawn from `points`.
fn samples_within(points: usize, size: usize, limit: u32) -> bool {
    let rest = points - size;
    let mut samples = 1.0;
    for i in 1..=rest.min(size) {
        samples *= (points - rest.min(size) + i) as f64 / i as f64;
        if samples > f64::from(limit) {
            return false;
        }
    }
    true
}

/// Moves to the next choice of positions among `points`, in lexicographic order; returns false after the last
/// one.
fn advance(picked: &mut [usize], points: usize) -> bool {
    let size = picked.len();
    let Some(at) = (0..size).rev().find(|&at| picked[at] < points - size + at) else {
        return false;
    };
    let first = picked[at] + 1;
    picked[at..].iter_mut().zip(first..).for_each(|(place, next)| *place = next);
    true
}

/// Fills `buffer` with the points in ascending order.
fn refill(buffer: &mut Vec<f64>, points: &[f64]) {
    buffer.clear();
    buffer.extend_from_slice(points);
    buffer.sort_unstable_by(f64::total_cmp);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLING: Sampling = Sampling { permutations: 100_000, seed: 1 };

    fn raw(window: &[f64], reference_size: usize, active_size: usize) -> Option<f64> {
        Scratch::default().raw(window, reference_size, active_size, SAMPLING)
    }

    #[test]
    fn a_spike_has_the_maximum_distance_and_equal_points_none() {
        assert_eq!(raw(&[1.0, 1.0, 1.0, 1.0, 9.0], 4, 1), Some(0.8));
        assert_eq!(raw(&[5.0; 5], 4, 1), Some(0.0));
        assert_eq!(raw(&[5.0; 30], 4, 1), Some(0.0));
    }

    #[test]
    fn too_little_or_uneven_reference_gives_no_verdict() {
        assert_eq!(raw(&[], 4, 1), None);
        assert_eq!(raw(&[1.0], 4, 1), None);
        assert_eq!(raw(&[1.0, 2.0, 3.0, 4.0, 5.0], 4, 2), None);
    }

    #[test]
    fn random_samples_come_close_to_every_sample() {
        let window = [3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.6, 6.0, 5.3, 5.8, 9.7];
        let (sizes, mut scratch) = (Sizes { reference: 4, active: 2 }, Scratch::default());
        refill(&mut scratch.pool, &window);
        scratch.bound(sizes, 0.75);
        let every = scratch.every_sample(sizes);
        let random = scratch.random_samples(sizes, SAMPLING);
        assert!((every - random).abs() < 0.01 * every, "{every} {random}");
    }

    #[test]
    fn weighing_paths_equals_counting_them() {
        let window: Vec<f64> = (0..1200).map(|i| f64::from(i * 7919 % 1213)).collect();
        let counted = raw(&window[..1000], 998, 2).expect("a verdict");
        let weighed = raw(&window, 1198, 2).expect("a verdict");
        assert!((0.0..=1.0).contains(&counted) && (0.0..=1.0).contains(&weighed));
        let sizes = Sizes { reference: 60, active: 30 };
        let mut scratch = Scratch::default();
        scratch.sample.extend((0..90).map(f64::from));
        let share = |scratch: &mut Scratch, weights: (f64, f64)| {
            scratch.bound(sizes, 0.2);
            let close = scratch.walk(sizes, weights);
            scratch.bound(sizes, f64::INFINITY);
            close / scratch.walk(sizes, weights)
        };
        let shares =
            [(1.0, 1.0), (2.0 / 3.0, 1.0 / 3.0)].map(|weights| share(&mut scratch, weights));
        assert!((shares[0] - shares[1]).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn every_choice_of_positions_is_visited_once() {
        let mut picked = vec![0, 1, 2];
        let mut choices = 1;
        while advance(&mut picked, 6) {
            choices += 1;
        }
        assert_eq!((choices, picked), (20, vec![3, 4, 5]));
        assert!(samples_within(6, 3, 20) && !samples_within(6, 3, 19));
        assert!(samples_within(7, 7, 1));
    }

    #[test]
    fn an_infinite_width_makes_a_grid_that_holds_everything() {
        let window = [f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, f64::INFINITY, 1.0];
        let p = raw(&window, 4, 1).expect("a verdict");
        assert!((0.0..=1.0).contains(&p));
    }
}
