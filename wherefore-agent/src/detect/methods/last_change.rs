//! The `diff` method for one active point: is the last relative change larger than chance?
//!
//! Owns the closed form for one ring of points: the number of its cuts whose last change has at least a given
//! rank. Refuses more than one active point, because ranks are then summed: see `diff`, which also explains
//! rings, cuts and undefined changes.
//!
//! A cut removes one change and makes the one before it the last. Without ties, a change above `rank` in the
//! ring stays at or above it whatever is removed, one below stays below, and the one at `rank` falls below
//! only if the removed change, which follows it, is smaller. So each ring gives one of two neighbouring
//! numbers, and with n points it is worth about n * n independent orders (0.5 to 1.2 n * n for generated
//! windows whose rings have no ties). With ties a ring is worth less, at worst n/2, because a tied change has
//! rank 0.

use super::random::{Sampling, SplitMix64};
use super::rings::{EXACT_POINTS, change, every_ring};

/// The fewest rings from which the absence of ties is concluded: in a window whose rings often have ties, a
/// single ring often has none.
const FEWEST_RINGS: usize = 4;
const INFINITE: u64 = f64::INFINITY.to_bits();

/// Memory for one evaluation, reused by the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    orders: Orders,
    ring: Ring,
}

impl Scratch {
    /// P(S < observed S), where S is the rank of the last change, for a window of 3 points or more.
    pub(super) fn raw(&mut self, window: &[f64], sampling: Sampling) -> f64 {
        let rank = observed(window);
        if rank == 0 {
            return 0.0;
        }
        let tally = if window.len() <= EXACT_POINTS {
            self.counted(window, rank)
        } else {
            self.sampled(window, rank, sampling)
        };
        let cuts = tally.rings * window.len();
        (cuts - tally.reaching) as f64 / cuts as f64
    }

    /// Examines all rings, of few points.
    fn counted(&mut self, window: &[f64], rank: usize) -> Tally {
        let (ring, mut tally) = (&mut self.ring, Tally::default());
        every_ring(&mut window.to_vec(), |points| {
            ring.points.clear();
            ring.points.extend_from_slice(points);
            ring.examine(rank, &mut tally);
        });
        tally
    }

    /// Starts with as many rings as are enough without ties. If there are ties, continues with as many as are
    /// enough with them. That the first rings decide favours results without ties, but by less than the
    /// sampling error.
    ///
    /// Both numbers ask for twice `permutations`, because a ring may be worth only half of what it usually
    /// is.
    fn sampled(&mut self, window: &[f64], rank: usize, sampling: Sampling) -> Tally {
        let Self { orders, ring, .. } = self;
        let (points, wanted) = (window.len(), 2 * sampling.permutations as usize);
        let untied = wanted.div_ceil(points * points).max(FEWEST_RINGS);
        orders.draw(points, untied, sampling.seed);
        let mut tally = Tally::default();
        for places in orders.places.chunks_exact(points) {
            ring.points.clear();
            ring.points.extend(places.iter().map(|&place| window[place]));
            ring.examine(rank, &mut tally);
        }
        if tally.tied {
            let mut rng = orders.rng.clone();
            for _ in untied..wanted.div_ceil(points) {
                rng.shuffle(&mut ring.points);
                ring.examine(rank, &mut tally);
            }
        }
        tally
    }
}

/// The first random orders. They are the same for all windows of the same length, and are kept because
/// drawing them takes as long as examining them.
#[derive(Debug, Clone, Default)]
struct Orders {
    /// The number of points, the number of orders, and the seed for which they were drawn.
    drawn: Option<(usize, usize, u64)>,
    /// The positions of the points in the window, one order after another.
    places: Vec<usize>,
    /// The generator after the last order.
    rng: SplitMix64,
}

impl Orders {
    fn draw(&mut self, points: usize, orders: usize, seed: u64) {
        if self.drawn == Some((points, orders, seed)) {
            return;
        }
        self.drawn = Some((points, orders, seed));
        self.rng = SplitMix64::new(seed);
        self.places.clear();
        self.places.extend(0..points);
        for order in 0..orders {
            // Each order is drawn by changing the order before it.
            let start = order.saturating_sub(1) * points;
            if order > 0 {
                self.places.extend_from_within(start..);
            }
            self.rng.shuffle(&mut self.places[order * points..]);
        }
    }
}

/// One ring.
#[derive(Debug, Clone, Default)]
struct Ring {
    points: Vec<f64>,
    /// Its changes as bits. None is negative, so their order is that of the numbers, with undefined ones at
    /// the end. Integers are sorted without branches.
    changes: Vec<u64>,
    sorted: Vec<u64>,
}

/// What was counted over several rings.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// The number of cuts whose last change has at least the observed rank.
    reaching: usize,
    rings: usize,
    /// Whether any ring had equal or undefined changes.
    tied: bool,
}

impl Ring {
    fn examine(&mut self, rank: usize, tally: &mut Tally) {
        let Self { points, changes, sorted } = self;
        changes.clear();
        let previous = points.last().into_iter().chain(points.iter());
        changes.extend(previous.zip(points.iter()).map(|(&from, &to)| change(from, to).to_bits()));
        if let Some(reaching) = untied_cuts(changes, rank) {
            tally.reaching += reaching;
            tally.rings += 1;
            return;
        }
        sorted.clear();
        sorted.extend_from_slice(changes);
        sorted.sort_unstable();
        let tied = sorted.windows(2).any(|pair| pair[0] == pair[1])
            || sorted.last().is_some_and(|&change| change > INFINITE);
        tally.reaching +=
            if tied { tied_cuts(changes, sorted, rank) } else { cuts(changes, sorted, rank) };
        tally.tied |= tied;
        tally.rings += 1;
    }
}

/// The rank of the last change among all; 0 if it is undefined or equal to an earlier one.
fn observed(window: &[f64]) -> usize {
    let mut changes = window.windows(2).map(|pair| change(pair[0], pair[1])).rev();
    let last = changes.next().unwrap_or(f64::NAN);
    let (mut smaller, mut equal) = (0, 0);
    for other in changes {
        smaller += usize::from(other < last);
        equal += usize::from(other == last);
    }
    if equal > 0 { 0 } else { smaller }
}

/// The same as [`cuts`]; `None` if changes may be equal or undefined, or if there are too many. It compares
/// each change with all others, which for so few takes less time than sorting, because sorting has branches
/// that no processor can predict.
fn untied_cuts(changes: &[u64], rank: usize) -> Option<usize> {
    const MOST: usize = 16;
    // An undefined change is not smaller than any other.
    let mut own = [f64::NAN; MOST];
    for (own, change) in own.get_mut(..changes.len())?.iter_mut().zip(changes) {
        *own = f64::from_bits(*change);
    }
    let mut smaller = [0.0; MOST];
    for other in &own[..changes.len()] {
        for (smaller, own) in smaller.iter_mut().zip(&own) {
            *smaller += if other < own { 1.0 } else { 0.0 };
        }
    }
    // Of each two changes one is smaller, unless they are equal or undefined.
    let pairs = changes.len() * (changes.len() - 1) / 2;
    if smaller.iter().sum::<f64>() < pairs as f64 {
        return None;
    }
    let at_rank = smaller.iter().position(|smaller| *smaller == rank as f64)?;
    let next = if at_rank + 1 < changes.len() { at_rank + 1 } else { 0 };
    Some(changes.len() - rank - usize::from(own[next] < own[at_rank]))
}

/// The number of cuts that reach `rank` if all changes differ.
fn cuts(changes: &[u64], sorted: &[u64], rank: usize) -> usize {
    let at_rank = sorted[rank];
    let falls = following(changes).any(|(change, next)| change == at_rank && next < change);
    sorted.len() - rank - usize::from(falls)
}

/// The number of cuts that reach `rank`, which is not 0, if changes may be equal or undefined.
fn tied_cuts(changes: &[u64], sorted: &[u64], rank: usize) -> usize {
    let (mut reaching, mut smaller) = (0, 0);
    for group in sorted.chunk_by(|a, b| a == b).take_while(|group| group[0] <= INFINITE) {
        if smaller >= rank {
            let same = following(changes).filter(|&(change, _)| change == group[0]);
            reaching += match group.len() {
                1 if smaller > rank => 1,
                1 => same.filter(|&(change, next)| next >= change).count(),
                // If one of two equal changes is removed, the other one is no longer tied.
                2 => same.filter(|&(change, next)| next == change).count(),
                _ => 0,
            };
        }
        smaller += group.len();
    }
    reaching
}

/// Each change of the ring, with the one after it.
fn following(changes: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    let next = changes.iter().skip(1).chain(changes.first());
    changes.iter().zip(next).map(|(&change, &next)| (change, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points with few values, so that changes are often equal or undefined, or with many.
    fn points(count: usize, values: u32, seed: u64) -> Vec<f64> {
        let mut rng = SplitMix64::new(seed);
        let mut pool: Vec<f64> = (0..values * 8).map(|value| f64::from(value / 8)).collect();
        rng.draw(&mut pool, count);
        pool.truncate(count);
        pool
    }

    /// The number of cuts that reach `rank`, found by cutting.
    fn by_cutting(points: &[f64], rank: usize) -> usize {
        let mut order = points.to_vec();
        let reaches = |_: &usize| {
            order.rotate_left(1);
            observed(&order) >= rank
        };
        (0..points.len()).filter(reaches).count()
    }

    #[test]
    fn the_closed_form_of_a_ring_equals_cutting_it() {
        let (mut tied, mut rings) = (0, 0);
        for (count, values) in [(3, 2), (9, 3), (9, 12), (12, 1000), (30, 5), (30, 40)] {
            for seed in 0..50 {
                let mut ring = Ring { points: points(count, values, seed), ..Ring::default() };
                for rank in 1..count - 1 {
                    let mut tally = Tally::default();
                    ring.examine(rank, &mut tally);
                    assert_eq!(tally.reaching, by_cutting(&ring.points, rank), "{ring:?} {rank}");
                    tied += usize::from(tally.tied);
                    rings += 1;
                }
            }
        }
        assert!(tied > rings / 4 && tied < rings * 7 / 8, "{tied} of {rings}");
    }

    #[test]
    fn cached_orders_equal_new_ones() {
        let mut used = Orders::default();
        used.draw(12, 5, 1);
        used.draw(10, 7, 2);
        let mut fresh = Orders::default();
        fresh.draw(10, 7, 2);
        assert_eq!(used.places, fresh.places);
        assert_eq!(used.places.len(), 70);
        for order in used.places.chunks_exact(10) {
            let mut sorted = order.to_vec();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..10));
        }
    }
}
