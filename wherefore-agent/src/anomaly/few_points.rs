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

/// By the point it leads from, and the one it leads to.
type Table = [[Change; EXACT_POINTS]; EXACT_POINTS];

/// Memory for one evaluation, kept for the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    /// Each change with where it leads from and to.
    sorted: Vec<(f64, usize, usize)>,
}

impl Scratch {
    /// P(S < `rank`), S being the rank of the last change; `rank` is not 0.
    pub(super) fn raw(&mut self, window: &[f64], rank: usize) -> f64 {
        let untied = match window.len() {
            2 => untied_share::<2, 2, 1>(window, rank),
            3 => untied_share::<3, 6, 2>(window, rank),
            4 => untied_share::<4, 12, 6>(window, rank),
            5 => untied_share::<5, 20, 24>(window, rank),
            6 => untied_share::<6, 30, 120>(window, rank),
            7 => untied_share::<7, 42, 720>(window, rank),
            _ => untied_share::<8, 56, 5040>(window, rank),
        };
        untied.unwrap_or_else(|| {
            let table = self.table(window);
            share(window.len(), |ring| cuts_reaching(ring, &table, rank))
        })
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

/// The share of all cuts that do not reach, where all changes differ: those above `rank` reach it, and the
/// one at it unless what follows it, which its cut takes away, is smaller (see `last_change`). `None` where
/// any are equal or undefined. Each number of points has code of its own, whose loops are laid out.
fn untied_share<const POINTS: usize, const CHANGES: usize, const RINGS: usize>(
    window: &[f64],
    rank: usize,
) -> Option<f64> {
    let bits = bits::<POINTS, CHANGES>(window.first_chunk()?)?;
    let mut falls = 0;
    for ring in const { &rings::<POINTS, RINGS>() } {
        let changes = ring.map(|change| bits[usize::from(change) % bits.len()]);
        let present = changes.iter().fold(0, |present, change| present | change);
        let falling = (0..POINTS).fold(0, |falling, place| {
            let (change, next) = (changes[place], changes[(place + 1) % POINTS]);
            falling | if next < change { change } else { 0 }
        });
        let at_rank = lowest((0..rank).fold(present, |bits, _| bits & bits.wrapping_sub(1)));
        falls += usize::from(at_rank & falling != 0);
    }
    let reaching = RINGS * (POINTS - rank) - falls;
    Some((RINGS * POINTS - reaching) as f64 / (RINGS * POINTS) as f64)
}

/// The bit of each change by its [`place_of`], the smaller one the lower.
fn bits<const POINTS: usize, const CHANGES: usize>(window: &[f64; POINTS]) -> Option<[u64; 64]> {
    let mut changes = [0.0; CHANGES];
    let mut all = changes.iter_mut();
    for (from, x) in window.iter().enumerate() {
        for (_, y) in window.iter().enumerate().filter(|(to, _)| *to != from) {
            *all.next()? = change(*x, *y);
        }
    }
    let (mut bits, mut seen) = ([0; 64], 0u64);
    for (place, own) in changes.iter().enumerate() {
        let smaller: u64 = changes.iter().map(|other| u64::from(other < own)).sum();
        let (from, nth) = (place / (POINTS - 1), place % (POINTS - 1));
        bits[place_of(from, nth + usize::from(nth >= from))] = 1 << smaller;
        seen |= 1 << smaller;
    }
    // Equal changes have the same rank, and an undefined one that of the smallest.
    (seen.count_ones() as usize == CHANGES).then_some(bits)
}

const fn place_of(from: usize, to: usize) -> usize {
    (from * EXACT_POINTS + to) % 64
}

/// Every ring of so many points, as the places of its changes. The first point stays where it is, as in
/// [`every_ring`].
const fn rings<const POINTS: usize, const RINGS: usize>() -> [[u8; POINTS]; RINGS] {
    let mut rings = [[0; POINTS]; RINGS];
    let mut number = 0;
    while number < RINGS {
        // The number's digits in the factorial system pick each point from those that are left.
        let (mut left, mut rest, mut from, mut at) = ((1 << POINTS) - 2, number, 0, 0);
        while at < POINTS {
            let mut to = 0;
            let mut skip = if at + 1 < POINTS { rest % (POINTS - 1 - at) } else { 0 };
            if at + 1 < POINTS {
                rest /= POINTS - 1 - at;
                to = 1;
                while left >> to & 1 == 0 || skip > 0 {
                    skip -= (left >> to & 1) as usize;
                    to += 1;
                }
                left &= !(1 << to);
            }
            rings[number][at] = place_of(from, to) as u8;
            from = to;
            at += 1;
        }
        number += 1;
    }
    rings
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
