//! Seeded random numbers, for sampling where counting is too expensive.
//!
//! Owns a generator whose numbers are the same on every platform and in every release. It is written out here
//! because a dependency may change its algorithm, and with it every score. Refuses any other source of
//! randomness, and any use where it would matter that an adversary can predict the numbers.

/// How to sample: the number of arrangements, and the seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling {
    pub(super) permutations: u32,
    pub(super) seed: u64,
}

/// SplitMix64 (Steele, Lea and Flood, 2014): one addition and two multiplications for each number.
#[derive(Debug, Clone, Default)]
pub(super) struct SplitMix64(u64);

impl SplitMix64 {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias, at most bound / 2^64, is negligible.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.roll()) * bound as u128) >> 64) as usize
    }

    /// Moves `count` randomly chosen items to the front, in random order.
    ///
    /// The result is uniform whatever the order was before, so nothing need be reset between calls.
    pub(super) fn draw<T>(&mut self, items: &mut [T], count: usize) {
        for i in 0..count.min(items.len()) {
            let chosen = i + self.below(items.len() - i);
            items.swap(i, chosen);
        }
    }

    /// Puts all items in random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.draw(items, items.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_algorithm() {
        let mut rng = SplitMix64::new(1_234_567);
        let rolls = [rng.roll(), rng.roll(), rng.roll()];
        let published = [6457827717110365317, 3203168211198807973, 9817491932198370423];
        assert_eq!(rolls, published);
    }

    #[test]
    fn every_order_of_four_comes_up_about_equally_often() {
        let mut rng = SplitMix64::new(1);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            rng.shuffle(&mut items);
            *seen.entry(items).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 24);
        assert!(seen.values().all(|&times| (850..1150).contains(&times)), "{seen:?}");
    }
}
