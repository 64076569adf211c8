//! Counts the different values of an interval: exactly up to a few, then approximately by HyperLogLog
//! (Flajolet et al. 2007). Owns the hash and the pool of sketches; refuses to know what is counted.
//!
//! The hash uses no secret, so that the same traffic gives the same figures everywhere. An attacker who knows
//! the hash can choose addresses that count as few or as many. This gains little: readers limit the count to
//! the number of flows, and a flood that hides its sources still shows its flows and packets.

use std::f32::consts::LN_2;

use wherefore_common::flow::AddressWords;

use crate::detect::detectors::log2;

/// The most values that are counted without a sketch. Most addresses have fewer peers.
const FEW: usize = 6;
/// Registers of a sketch: the standard error is 1.04 / sqrt(1,024), 3.3 %.
const REGISTERS: usize = 1024;
/// The number of bits of a hash that choose the register.
const INDEX_BITS: u32 = REGISTERS.trailing_zeros();
/// Corrects the bias of the harmonic mean for this number of registers.
const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / REGISTERS as f64);
/// 2^-rank is stored in units of 2^-32, so that every rank of a 32-bit hash is exact.
const UNIT_BITS: u32 = 32;
/// No sketch.
const NONE: u32 = u32::MAX;

/// The different values of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Distinct {
    few: [u32; FEW],
    known: u8,
    sketch: u32,
}

/// The sketches of an interval.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    sketches: Vec<Sketch>,
    used: usize,
    most: usize,
}

#[derive(Debug, Clone)]
struct Sketch {
    registers: [u8; REGISTERS],
    /// The number of registers that are still 0.
    zeros: u32,
    /// The sum of 2^-register.
    sum: u64,
}

/// The hash of an address and a port, or of an address alone with port 0.
pub(super) fn hash(address: &AddressWords, port: u16) -> u32 {
    let first = mix(address[0] ^ 0x9e37_79b9_7f4a_7c15);
    (mix(first ^ address[1].rotate_left(16) ^ (u64::from(port) << 40 | 1)) >> 32) as u32
}

/// The finalizer of SplitMix64: every bit of the result depends on every bit.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Default for Distinct {
    fn default() -> Self {
        Self { few: [0; FEW], known: 0, sketch: NONE }
    }
}

impl Distinct {
    /// Adds the value with this hash.
    pub(super) fn add(&mut self, hash: u32, pool: &mut Pool) {
        if self.sketch != NONE {
            return pool.add(self.sketch, hash);
        }
        let known = usize::from(self.known);
        if self.few[..known].contains(&hash) {
            return;
        }
        if let Some(free) = self.few.get_mut(known) {
            *free = hash;
            self.known += 1;
        } else if let Some(sketch) = pool.take() {
            self.sketch = sketch;
            self.few.iter().chain([&hash]).for_each(|&hash| pool.add(sketch, hash));
        }
    }

    /// Whether no value was added.
    pub(super) fn is_none(&self) -> bool {
        self.known == 0
    }

    /// Adds all values of another, whose sketches are in `theirs`.
    pub(super) fn merge(&mut self, own: &mut Pool, other: &Self, theirs: &Pool) {
        let Some(seen) = theirs.sketches.get(other.sketch as usize) else {
            let few = &other.few[..usize::from(other.known)];
            return few.iter().for_each(|&hash| self.add(hash, own));
        };
        if self.sketch == NONE {
            let Some(sketch) = own.take() else { return };
            let few = self.few[..usize::from(self.known)].iter();
            few.for_each(|&hash| own.add(sketch, hash));
            self.sketch = sketch;
        }
        if let Some(sketch) = own.sketches.get_mut(self.sketch as usize) {
            sketch.merge(seen);
        }
    }

    /// The approximate number of different values; a lower bound if the pool is used up.
    pub(super) fn count(&self, pool: &Pool) -> u64 {
        let sketch = pool.sketches.get(self.sketch as usize);
        sketch.map_or(u64::from(self.known), Sketch::estimate)
    }
}

impl Pool {
    /// A pool of at most `most` sketches.
    pub(super) fn new(most: usize) -> Self {
        Self { sketches: Vec::new(), used: 0, most }
    }

    fn take(&mut self) -> Option<u32> {
        if self.used == self.sketches.len() {
            if self.used >= self.most {
                return None;
            }
            self.sketches.push(Sketch::default());
        }
        self.used += 1;
        Some((self.used - 1) as u32)
    }

    fn add(&mut self, sketch: u32, hash: u32) {
        if let Some(sketch) = self.sketches.get_mut(sketch as usize) {
            sketch.add(hash);
        }
    }

    /// Returns all sketches to the pool.
    pub(super) fn clear(&mut self) {
        self.sketches[..self.used].fill(Sketch::default());
        self.used = 0;
    }
}

impl Default for Sketch {
    fn default() -> Self {
        let sum = (REGISTERS as u64) << UNIT_BITS;
        Self { registers: [0; REGISTERS], zeros: REGISTERS as u32, sum }
    }
}

impl Sketch {
    fn add(&mut self, hash: u32) {
        // The guard bit ends the search in the rest of the hash.
        let rank = (hash << INDEX_BITS | 1 << (INDEX_BITS - 1)).leading_zeros() as u8 + 1;
        self.raise((hash >> (u32::BITS - INDEX_BITS)) as usize, rank);
    }

    fn merge(&mut self, other: &Self) {
        let ranks = other.registers.iter().enumerate().filter(|(_, rank)| **rank > 0);
        ranks.for_each(|(at, &rank)| self.raise(at, rank));
    }

    /// Raises a register to a rank, if it is lower.
    fn raise(&mut self, at: usize, rank: u8) {
        let register = &mut self.registers[at];
        if rank <= *register {
            return;
        }
        self.zeros -= u32::from(*register == 0);
        self.sum -= 1 << (UNIT_BITS - u32::from(*register));
        self.sum += 1 << (UNIT_BITS - u32::from(rank));
        *register = rank;
    }

    fn estimate(&self) -> u64 {
        let registers = REGISTERS as f64;
        let sum = self.sum as f64 / (1u64 << UNIT_BITS) as f64;
        let raw = ALPHA * registers * registers / sum;
        if raw > 2.5 * registers || self.zeros == 0 {
            return raw as u64;
        }
        let empty = REGISTERS as f32 / self.zeros as f32;
        (REGISTERS as f32 * LN_2 * log2(empty) + 0.5) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(number: u64, of: impl Fn(u64) -> u32) -> u64 {
        let mut pool = Pool::new(1);
        let mut distinct = Distinct::default();
        // Twice: repeated values do not count again.
        (0..number).chain(0..number).for_each(|n| distinct.add(of(n), &mut pool));
        distinct.count(&pool)
    }

    #[test]
    fn few_are_exact_and_many_within_a_tenth() {
        for number in 0..=FEW as u64 {
            assert_eq!(count(number, |n| hash(&[n, 0], 0)), number);
        }
        for number in [7, 20, 64, 200, 1000, 2600, 4000, 10_000, 65_535, 200_000, 1_000_000] {
            let within = |seen: u64| (seen as f64 / number as f64 - 1.0).abs() < 0.1;
            for seed in 0..5 {
                let addresses = count(number, |n| hash(&[n + (seed << 32), seed], 0));
                let ports = count(number, |n| hash(&[seed, n >> 16], n as u16));
                assert!(within(addresses) && within(ports), "{number}: {addresses} {ports}");
            }
        }
    }

    #[test]
    fn merging_equals_one_sketch_of_all() {
        for (first, second) in [(0, 3), (3, 3), (3, 400), (400, 3), (400, 900), (5000, 5000)] {
            let [mut one, mut other, mut whole] = [Distinct::default(); 3];
            let (mut pool, mut theirs) = (Pool::new(2), Pool::new(1));
            for n in 0..first {
                one.add(hash(&[n, 0], 0), &mut pool);
                whole.add(hash(&[n, 0], 0), &mut pool);
            }
            for n in first / 2..first / 2 + second {
                other.add(hash(&[n, 0], 0), &mut theirs);
                whole.add(hash(&[n, 0], 0), &mut pool);
            }
            one.merge(&mut pool, &other, &theirs);
            assert_eq!(one.count(&pool), whole.count(&pool), "{first} {second}");
        }
    }

    #[test]
    fn an_exhausted_pool_keeps_small_sets_exact() {
        let mut pool = Pool::new(1);
        let mut both = [Distinct::default(); 2];
        for n in 0..1000 {
            both.iter_mut().for_each(|distinct| distinct.add(hash(&[n, 0], 0), &mut pool));
        }
        assert!(both[0].count(&pool) > 900);
        assert_eq!(both[1].count(&pool), FEW as u64);
        pool.clear();
        assert_eq!((pool.used, pool.sketches[0].zeros), (0, 1024));
    }
}
