//! The `diff` method for one active point over so few points that every order is examined.
//!
//! Owns the table of all changes the points can make, and the count over their rings by bits: a
//! change is one bit, the smaller one the lower, and a ring is the set of its changes. Refuses
//! more points than that set has room for. What rings, cuts and ranks are is said in `diff`.

use super::diff::{EXACT_POINTS, change, every_ring};

const _: () = assert!(EXACT_POINTS * (EXACT_POINTS - 1) <= u64::BITS as usize);

/// The change from one point to another, as bits among all changes of the window.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    /// Its own; none if it is undefined.
    own: u64,
    /// Those of all smaller changes.
    smaller: u64,
    /// Those of all equal changes, itself included.
    equal: u64,
}

/// The bits of changes that all differ, by the point that they lead from, and the one they lead to.
type Bits = [[u64; EXACT_POINTS]; EXACT_POINTS];

/// By the point it leads from, and the one it leads to.
type Table = [[Change; EXACT_POINTS]; EXACT_POINTS];

/// Memory for one evaluation, kept for the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    /// Each change, point by point that it leads from.
    changes: Vec<f64>,
    /// Each change with where it leads from and to.
    sorted: Vec<(f64, usize, usize)>,
}

impl Scratch {
    /// P(S < `rank`), S being the rank of the last change; `rank` is not 0.
    pub(super) fn raw(&mut self, window: &[f64], rank: usize) -> f64 {
        match self.bits(window) {
            Some(bits) => match window.len() {
                2 => untied_share::<2>(&bits, rank),
                3 => untied_share::<3>(&bits, rank),
                4 => untied_share::<4>(&bits, rank),
                5 => untied_share::<5>(&bits, rank),
                6 => untied_share::<6>(&bits, rank),
                7 => untied_share::<7>(&bits, rank),
                _ => untied_share::<EXACT_POINTS>(&bits, rank),
            },
            None => {
                let table = self.table(window);
                share(window.len(), |ring| cuts_reaching(ring, &table, rank))
            }
        }
    }

    /// The bit of each change, the smaller one the lower; `None` where any are equal or undefined.
    fn bits(&mut self, window: &[f64]) -> Option<Bits> {
        self.changes.clear();
        for (from, &x) in window.iter().enumerate() {
            let (before, after) = (&window[..from], &window[from + 1..]);
            self.changes.extend(before.iter().chain(after).map(|&y| change(x, y)));
        }
        let (mut bits, mut seen) = (Bits::default(), 0u64);
        for (from, changes) in self.changes.chunks_exact(window.len() - 1).enumerate() {
            let (before, after) = bits[from].split_at_mut(from);
            for (place, own) in before.iter_mut().chain(after.iter_mut().skip(1)).zip(changes) {
                *place = 1 << self.changes.iter().filter(|&other| other < own).count();
                seen |= *place;
            }
        }
        // Equal changes have the same rank, and an undefined one that of the smallest.
        (seen.count_ones() as usize == self.changes.len()).then_some(bits)
    }

    fn table(&mut self, window: &[f64]) -> Table {
        self.sorted.clear();
        for (from, &x) in window.iter().enumerate() {
            let others = window.iter().enumerate().filter(|&(to, _)| to != from);
            let changes = others.map(|(to, &y)| (change(x, y), from, to));
            self.sorted.extend(changes.filter(|(change, ..)| !change.is_nan()));
        }
        self.sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut table = Table::default();
        let mut smaller = 0;
        for group in self.sorted.chunk_by(|a, b| a.0 == b.0) {
            // The lowest bit above the smaller ones, and as many as the group has.
            let first = smaller + 1;
            let equal = (0..group.len()).fold(0, |bits, place| bits | first << place);
            for (place, &(_, from, to)) in group.iter().enumerate() {
                table[from][to] = Change { own: first << place, smaller, equal };
            }
            smaller |= equal;
        }
        table
    }
}

/// The share of all cuts that do not reach, where all changes differ. Each number of points has code of
/// its own, in which the loops over a ring are laid out.
fn untied_share<const POINTS: usize>(bits: &Bits, rank: usize) -> f64 {
    share(POINTS, |ring| {
        let ring = ring.first_chunk::<POINTS>();
        ring.map_or(0, |ring| untied_cuts_reaching(ring, bits, rank))
    })
}

/// The share of all cuts that do not reach, of those of each ring as many as are said.
fn share(points: usize, mut reaching_of: impl FnMut(&[usize]) -> usize) -> f64 {
    let mut places: [usize; EXACT_POINTS] = std::array::from_fn(|place| place);
    let (mut reaching, mut cuts) = (0, 0);
    every_ring(&mut places[..points], |ring| {
        reaching += reaching_of(ring);
        cuts += ring.len();
    });
    (cuts - reaching) as f64 / cuts as f64
}

/// As [`cuts_reaching`], where all changes differ: those above `rank` reach it, and the one at it
/// unless what follows it, which its cut takes away, is smaller (see `last_change`).
fn untied_cuts_reaching<const POINTS: usize>(
    ring: &[usize; POINTS],
    bits: &Bits,
    rank: usize,
) -> usize {
    // Never beyond: it saves the checks.
    let change = |from: usize, to: usize| bits[from % EXACT_POINTS][to % EXACT_POINTS];
    let changes: [u64; POINTS] =
        std::array::from_fn(|to| change(ring[(to + POINTS - 1) % POINTS], ring[to]));
    let present = changes.iter().fold(0, |present, change| present | change);
    let falling = (0..POINTS).fold(0, |falling, place| {
        let (change, next) = (changes[place], changes[(place + 1) % POINTS]);
        falling | if next < change { change } else { 0 }
    });
    let at_rank = lowest((0..rank).fold(present, |bits, _| bits & bits.wrapping_sub(1)));
    POINTS - rank - usize::from(at_rank & falling != 0)
}

/// How many cuts of a ring, given by the places of its points, leave a last change of at least
/// this rank.
fn cuts_reaching(ring: &[usize], table: &Table, rank: usize) -> usize {
    let mut changes = [Change::default(); EXACT_POINTS];
    let mut present = 0;
    let mut from = ring[ring.len() - 1];
    for (change, &to) in changes.iter_mut().zip(ring) {
        *change = table[from][to];
        present |= change.own;
        from = to;
    }
    // Of the changes present, `rank` are smaller than what has this bit below it, and one more
    // than what has the next one.
    let enough = lowest((1..rank).fold(present, |bits, _| bits & bits.wrapping_sub(1)));
    let more = lowest((0..rank).fold(present, |bits, _| bits & bits.wrapping_sub(1)));
    let changes = &changes[..ring.len()];
    let mut removed = changes[0];
    let mut reaching = 0;
    for &last in changes.iter().rev() {
        // One of equal changes has a rank only if what is taken away leaves it alone.
        let alone = present & last.equal & !removed.own == last.own;
        let needed = if removed.own & last.smaller == 0 { enough } else { more };
        reaching += usize::from(alone & (needed & last.smaller != 0));
        removed = last;
    }
    reaching
}

fn lowest(bits: u64) -> u64 {
    bits & bits.wrapping_neg()
}
