//! The `highrank` and `lowrank` methods: are the last points higher, or lower, than chance explains?
//!
//! Owns the exact distribution of the active rank sum over all permutations of the window, with the Go
//! library's rule for ties: the first member of a group of equal points has the group's highest rank, counted
//! from 0, and every other member has rank 0. In a permutation, a group therefore adds its rank to the active
//! sum only if *all* its members are active, and otherwise nothing. Refuses NaN, which has no rank: the
//! caller must exclude such windows.

use super::random::{Sampling, SplitMix64};
use super::windows::{self, COUNTABLE_POINTS};

/// The most additions for an exact count (some milliseconds). Beyond that, the sum is sampled.
const EXACT_COST: usize = 1 << 22;

/// The probabilities that a random permutation has a smaller, and a larger, active rank sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tails {
    pub(super) high: f64,
    pub(super) low: f64,
}

impl Tails {
    pub(super) const UNDEFINED: Self = Self { high: f64::NAN, low: f64::NAN };
}

/// A group of equal points, and the rank of its first member.
#[derive(Debug, Clone, Copy)]
struct Group {
    value: f64,
    size: usize,
    rank: usize,
}

/// Memory for one evaluation, reused by the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    sorted: Vec<f64>,
    groups: Vec<Group>,
    ways: Vec<f64>,
    members: Vec<usize>,
    chosen: Vec<usize>,
}

impl Scratch {
    /// Both probabilities; `None` if there are fewer reference points than active ones. The permutations are
    /// of the *whole* window, even if it is longer than the reference and the active points.
    pub(super) fn tails(
        &mut self,
        window: &[f64],
        reference_size: usize,
        active_size: usize,
        sampling: Sampling,
    ) -> Option<Tails> {
        let (_, active) = windows::split(window, reference_size, active_size, active_size)?;
        match active {
            [last] => Some(self.single(window, *last)),
            _ => Some(self.several(window, active, sampling)),
        }
    }

    /// For one active point: its rank compared with every other, in closed form.
    ///
    /// If the last point is tied, its rank is 0, and so is that of every permutation unless it ends in a
    /// point whose value is unique and not the smallest. Otherwise, a permutation ends higher only if it ends
    /// in a point with a unique value above the last one.
    fn single(&mut self, window: &[f64], last: f64) -> Tails {
        let tied = window.iter().filter(|&&x| x == last).count() > 1;
        let smallest = window.iter().copied().fold(last, f64::min);
        let higher = self.count_unique_above(window, if tied { smallest } else { last });
        let ranked = !tied && smallest < last;
        let lower = if ranked { window.len() - 1 - higher } else { 0 };
        let points = window.len() as f64;
        Tails { high: lower as f64 / points, low: higher as f64 / points }
    }

    /// The number of points above `floor` whose values are unique.
    fn count_unique_above(&mut self, window: &[f64], floor: f64) -> usize {
        self.sorted.clear();
        self.sorted.extend(window.iter().filter(|&&x| x > floor));
        self.sorted.sort_unstable_by(f64::total_cmp);
        self.sorted.chunk_by(|a, b| a == b).filter(|group| group.len() == 1).count()
    }

    fn several(&mut self, window: &[f64], active: &[f64], sampling: Sampling) -> Tails {
        self.group(window);
        let observed = self.rank_sum(active);
        let cost = window.len().saturating_mul(active.len()).saturating_mul(observed + 2);
        if window.len() <= COUNTABLE_POINTS && cost <= EXACT_COST {
            self.counted(active.len(), observed)
        } else {
            self.sampled(active.len(), observed, sampling)
        }
    }

    fn group(&mut self, window: &[f64]) {
        self.sorted.clear();
        self.sorted.extend_from_slice(window);
        self.sorted.sort_unstable_by(f64::total_cmp);
        self.groups.clear();
        let mut below = 0;
        for group in self.sorted.chunk_by(|a, b| a == b) {
            below += group.len();
            self.groups.push(Group { value: group[0], size: group.len(), rank: below - 1 });
        }
    }

    /// The sum of the active ranks: those of groups whose members are all active.
    fn rank_sum(&mut self, active: &[f64]) -> usize {
        self.sorted.clear();
        self.sorted.extend_from_slice(active);
        self.sorted.sort_unstable_by(f64::total_cmp);
        let sorted = &self.sorted;
        let whole = |group: &&Group| {
            let start = sorted.partition_point(|&x| x < group.value);
            sorted[start..].iter().take_while(|&&x| x == group.value).count() == group.size
        };
        self.groups.iter().filter(whole).map(|group| group.rank).sum()
    }

    /// A dynamic programme over the groups of equal points: in how many ways can `active_size` points be
    /// chosen so that their ranks add up to each sum? Without ties, this is the Wilcoxon distribution.
    ///
    /// Row c of `ways` is for c chosen points. Its columns are the sums from 0 to `observed`; the last column
    /// is for all larger ones, which need not be distinguished.
    fn counted(&mut self, active_size: usize, observed: usize) -> Tails {
        let width = observed + 2;
        self.ways.clear();
        self.ways.resize((active_size + 1) * width, 0.0);
        self.ways[0] = 1.0;
        for group in &self.groups {
            choose_from(group, &mut self.ways, width);
        }
        let sums = &self.ways[active_size * width..];
        // Divided by its own total instead of C(n, k), so that rounding cannot give more than 1.
        let total: f64 = sums.iter().sum();
        let smaller: f64 = sums[..observed].iter().sum();
        Tails { high: smaller / total, low: sums[observed + 1] / total }
    }

    fn sampled(&mut self, active_size: usize, observed: usize, sampling: Sampling) -> Tails {
        self.members.clear();
        for (index, group) in self.groups.iter().enumerate() {
            self.members.extend(std::iter::repeat_n(index, group.size));
        }
        self.chosen.clear();
        self.chosen.resize(self.groups.len(), 0);
        let mut rng = SplitMix64::new(sampling.seed);
        let (mut smaller, mut larger) = (0u32, 0u32);
        for _ in 0..sampling.permutations {
            rng.draw(&mut self.members, active_size);
            let sum = self.drawn_sum(active_size);
            smaller += u32::from(sum < observed);
            larger += u32::from(sum > observed);
        }
        let drawn = f64::from(sampling.permutations);
        Tails { high: f64::from(smaller) / drawn, low: f64::from(larger) / drawn }
    }

    /// The rank sum of the first `active_size` members. Leaves `chosen` all zero again.
    fn drawn_sum(&mut self, active_size: usize) -> usize {
        let mut sum = 0;
        for &index in &self.members[..active_size] {
            self.chosen[index] += 1;
            if self.chosen[index] == self.groups[index].size {
                sum += self.groups[index].rank;
            }
        }
        self.members[..active_size].iter().for_each(|&index| self.chosen[index] = 0);
        sum
    }
}

/// Extends every count in `ways` by the choices within one group.
fn choose_from(group: &Group, ways: &mut [f64], width: usize) {
    // From the largest number down, so that the rows that are read are still those from before this group.
    for chosen in (1..ways.len() / width).rev() {
        let (before, row) = ways.split_at_mut(chosen * width);
        let mut choices = 1.0;
        for taken in 1..=chosen.min(group.size) {
            choices *= (group.size - taken + 1) as f64 / taken as f64;
            let from = &before[(chosen - taken) * width..][..width];
            let added = if taken == group.size { group.rank } else { 0 };
            add_shifted(&mut row[..width], from, choices, added);
        }
    }
}

/// Adds `choices` times `from` to `row`, `added` columns to the right. What would be beyond the end is added
/// to the last column.
fn add_shifted(row: &mut [f64], from: &[f64], choices: f64, added: usize) {
    let (staying, leaving) = from.split_at(row.len().saturating_sub(added));
    for (to, ways) in row[added.min(from.len())..].iter_mut().zip(staying) {
        *to += choices * ways;
    }
    if let Some(beyond) = row.last_mut() {
        *beyond += choices * leaving.iter().sum::<f64>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLING: Sampling = Sampling { permutations: 200_000, seed: 1 };

    #[test]
    fn the_closed_form_for_one_point_is_the_dynamic_programme() {
        let windows: [&[f64]; 6] = [
            &[1.0, 2.0, 3.0, 4.0],
            &[4.0, 3.0, 2.0, 1.0],
            &[2.0, 2.0, 2.0, 4.0, 2.0, 5.0, 3.0],
            &[5.0, 5.0, 9.0, 8.0, 5.0],
            &[0.0, -0.0, 1.0, 7.0, 7.0, 3.0, 0.5],
            &[f64::INFINITY, f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY],
        ];
        for window in windows {
            let mut scratch = Scratch::default();
            let closed = scratch.single(window, window[window.len() - 1]);
            let counted = scratch.several(window, &window[window.len() - 1..], SAMPLING);
            assert_eq!(closed, counted, "{window:?}");
        }
    }

    #[test]
    fn a_sample_is_close_to_the_count() {
        let window = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0, 9.5, 7.0];
        let mut scratch = Scratch::default();
        scratch.group(&window);
        let observed = scratch.rank_sum(&window[11..]);
        let exact = scratch.counted(3, observed);
        let sampled = scratch.sampled(3, observed, SAMPLING);
        assert!((exact.high - sampled.high).abs() < 0.005, "{exact:?} {sampled:?}");
        assert!((exact.low - sampled.low).abs() < 0.005, "{exact:?} {sampled:?}");
    }

    #[test]
    fn a_window_too_large_to_count_is_sampled_quickly() {
        let window: Vec<f64> = (0..20_000).map(|i| f64::from(i * 7919 % 20_011)).collect();
        let sampling = Sampling { permutations: 100, seed: 1 };
        let tails = Scratch::default().tails(&window, 2_000, 1_000, sampling).expect("a verdict");
        assert!((0.0..=1.0).contains(&tails.high) && (0.0..=1.0).contains(&tails.low));
    }

    #[test]
    fn too_little_reference_gives_no_verdict() {
        let mut scratch = Scratch::default();
        assert_eq!(scratch.tails(&[], 4, 1, SAMPLING), None);
        assert_eq!(scratch.tails(&[1.0], 4, 1, SAMPLING), None);
        assert_eq!(scratch.tails(&[1.0, 2.0, 3.0], 4, 2, SAMPLING), None);
    }
}
