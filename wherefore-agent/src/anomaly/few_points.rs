//! The `diff` method for one active point over so few points that every order is examined.
//!
//! Owns the count over their rings. Where all changes that the points can make differ, a change is its place
//! in their order, and many rings are examined side by side. Else it is one bit, the smaller one the lower,
//! and a ring is the set of its changes. Refuses more points than that set has room for. What rings, cuts
//! and ranks are is said in `diff`.

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
            2 => untied_share::<2, 2, 1, 1>(window, rank),
            3 => untied_share::<3, 6, 2, 1>(window, rank),
            4 => untied_share::<4, 12, 6, 1>(window, rank),
            5 => untied_share::<5, 20, 24, 1>(window, rank),
            6 => untied_share::<6, 30, 24, 5>(window, rank),
            7 => untied_share::<7, 42, 24, 30>(window, rank),
            _ => untied_share::<8, 56, 24, 210>(window, rank),
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
/// any are equal or undefined. Each number of points has code of its own, which examines `SIDE` rings side
/// by side, one in each octet of the processor's wide registers.
fn untied_share<
    const POINTS: usize,
    const CHANGES: usize,
    const SIDE: usize,
    const TIMES: usize,
>(
    window: &[f64],
    rank: usize,
) -> Option<f64> {
    let order = order::<POINTS, CHANGES>(window.first_chunk()?)?;
    let mut falls = 0;
    for places in const { &rings::<POINTS, SIDE, TIMES>() } {
        let changes = places.map(|of_rings| of_rings.map(|place| order[usize::from(place) % 64]));
        falls += falling(&changes, rank as u8);
    }
    let rings = SIDE * TIMES;
    let reaching = rings * (POINTS - rank) - falls;
    Some((rings * POINTS - reaching) as f64 / (rings * POINTS) as f64)
}

/// In how many of these rings a smaller change follows the one of this rank.
fn falling<const POINTS: usize, const SIDE: usize>(
    changes: &[[i8; SIDE]; POINTS],
    rank: u8,
) -> usize {
    let mut falls = [0; SIDE];
    for (place, own) in changes.iter().enumerate() {
        let mut smaller = [0; SIDE];
        for other in changes {
            for ring in 0..SIDE {
                smaller[ring] += u8::from(other[ring] < own[ring]);
            }
        }
        let next = &changes[(place + 1) % POINTS];
        for ring in 0..SIDE {
            falls[ring] |= u8::from(smaller[ring] == rank) & u8::from(next[ring] < own[ring]);
        }
    }
    falls.into_iter().map(usize::from).sum()
}

/// How many changes are smaller than each, by its [`place_of`].
fn order<const POINTS: usize, const CHANGES: usize>(window: &[f64; POINTS]) -> Option<[i8; 64]> {
    let mut changes = [0.0; CHANGES];
    let mut all = changes.iter_mut();
    for (from, x) in window.iter().enumerate() {
        for (_, y) in window.iter().enumerate().filter(|(to, _)| *to != from) {
            *all.next()? = change(*x, *y);
        }
    }
    let (mut order, mut seen) = ([0; 64], 0u64);
    for (place, own) in changes.iter().enumerate() {
        let smaller: u64 = changes.iter().map(|other| u64::from(other < own)).sum();
        let (from, nth) = (place / (POINTS - 1), place % (POINTS - 1));
        order[place_of(from, nth + usize::from(nth >= from))] = smaller as i8;
        seen |= 1 << smaller;
    }
    // Equal changes have the same rank, and an undefined one that of the smallest.
    (seen.count_ones() as usize == CHANGES).then_some(order)
}

const fn place_of(from: usize, to: usize) -> usize {
    (from * EXACT_POINTS + to) % 64
}

/// The places of every ring's changes: so many times `SIDE` rings, and of these all first changes, all
/// second ones and so on.
const fn rings<const POINTS: usize, const SIDE: usize, const TIMES: usize>()
-> [[[u8; SIDE]; POINTS]; TIMES] {
    let mut rings = [[[0; SIDE]; POINTS]; TIMES];
    let mut number = 0;
    while number < SIDE * TIMES {
        let ring: [u8; POINTS] = ring(number);
        let mut at = 0;
        while at < POINTS {
            rings[number / SIDE][at][number % SIDE] = ring[at];
            at += 1;
        }
        number += 1;
    }
    rings
}

/// The ring of this number, as the places of its changes. The first point stays where it is, as in
/// [`every_ring`]; the number's digits in the factorial system pick each other from those that are left.
const fn ring<const POINTS: usize>(number: usize) -> [u8; POINTS] {
    let mut ring = [0; POINTS];
    let (mut left, mut rest, mut from, mut at) = ((1 << POINTS) - 2, number, 0, 0);
    while at < POINTS {
        let mut to = 0;
        if at + 1 < POINTS {
            let mut skip = rest % (POINTS - 1 - at);
            rest /= POINTS - 1 - at;
            to = 1;
            while left >> to & 1 == 0 || skip > 0 {
                skip -= (left >> to & 1) as usize;
                to += 1;
            }
            left &= !(1 << to);
        }
        ring[at] = place_of(from, to) as u8;
        from = to;
        at += 1;
    }
    ring
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
