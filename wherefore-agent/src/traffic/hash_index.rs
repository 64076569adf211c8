//! An index from keys to entries of a vector. Owns hashes and positions; refuses to store the keys, because
//! the entries contain them already: a search reads four bytes a key, which stay in the caches, instead of
//! about fifty.

use hashbrown::HashTable;
use wherefore_common::FlowKey;
use wherefore_common::flow::AddressWords;

/// Odd numbers without a pattern: digits of pi.
const SEEDS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345];

/// The positions of keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct HashIndex(HashTable<Entry>);

/// An index, below 2^24, and above it a part of the hash, so that other keys rarely need to be compared.
#[derive(Debug, Clone, Copy)]
struct Entry(u32);

impl Entry {
    const BITS: u32 = 24;

    fn new(Hashed(hash): Hashed, at: usize) -> Self {
        // The table uses other bits: the lowest for the position, the highest to distinguish neighbours.
        Self(at as u32 | ((hash >> u32::BITS) as u32) << Self::BITS)
    }

    fn at(self) -> usize {
        (self.0 & ((1 << Self::BITS) - 1)) as usize
    }

    fn may_be(self, hashed: Hashed) -> bool {
        (self.0 ^ Self::new(hashed, 0).0) >> Self::BITS == 0
    }
}

/// The hash by which a key is searched.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hashed(u64);

impl Hashed {
    /// The hash of a flow or a group.
    pub(crate) fn of(key: &FlowKey) -> Self {
        let FlowKey { src, dst, ifindex, sport, dport, protocol, family, direction, .. } = *key;
        let ports = u64::from(ifindex) << 32 | u64::from(sport) << 16 | u64::from(dport);
        let kind = u64::from(protocol) << 16 | u64::from(family) << 8 | u64::from(direction);
        Self::fold(mix(src) ^ mix(dst).rotate_left(32), mix([ports, kind]))
    }

    /// The hash of an address at an interface.
    pub(crate) fn of_address(words: &AddressWords, ifindex: u32, family: u8) -> Self {
        Self::fold(mix(*words), u64::from(ifindex) << 8 | u64::from(family))
    }

    fn fold(one: u64, other: u64) -> Self {
        Self(mix([one, other]))
    }
}

/// Combines the two halves of a product, each bit of which depends on many bits of both factors.
fn mix([one, other]: [u64; 2]) -> u64 {
    let product = u128::from(one ^ SEEDS[0]) * u128::from(other ^ SEEDS[1]);
    (product >> 64) as u64 ^ product as u64
}

impl HashIndex {
    /// The most keys, which is also the number of possible indexes.
    pub(crate) const MOST: usize = 1 << Entry::BITS;

    /// The index of the key with this hash for which `is_it` holds.
    pub(crate) fn find(&self, hashed: Hashed, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let is_it = |place: &Entry| place.may_be(hashed) && is_it(place.at());
        self.0.find(hashed.0, is_it).map(|place| place.at())
    }

    /// The index of some key with this hash, which is nearly always the right one.
    pub(crate) fn guess(&self, hashed: Hashed) -> Option<usize> {
        self.find(hashed, |_| true)
    }

    /// Adds a key that is not in the index. `hashed_at` returns the hashes of existing keys when the table
    /// grows. Indexes must be below [`Self::MOST`].
    pub(crate) fn insert(
        &mut self,
        hashed: Hashed,
        at: usize,
        hashed_at: impl Fn(usize) -> Hashed,
    ) {
        debug_assert!(at < Self::MOST);
        let place = Entry::new(hashed, at);
        self.0.insert_unique(hashed.0, place, |place| hashed_at(place.at()).0);
    }

    /// Removes the key with this hash at this index.
    pub(crate) fn remove(&mut self, hashed: Hashed, at: usize) {
        if let Ok(found) = self.0.find_entry(hashed.0, |place| place.at() == at) {
            found.remove();
        }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes all keys, but keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that differ in one byte or port.
    fn keys() -> Vec<FlowKey> {
        let number = |number: u64| -> [FlowKey; 4] {
            let key = FlowKey { family: 6, ..FlowKey::default() };
            [
                FlowKey { src: [1, number << 48], ..key },
                FlowKey { dst: [1, number << 48], ..key },
                FlowKey { src: [number << 16, 0], ..key },
                FlowKey { sport: number as u16, dport: 1, ..key },
            ]
        };
        (1..10_000).flat_map(number).collect()
    }

    #[test]
    fn keys_are_found_where_they_are_until_they_are_removed() {
        let keys = keys();
        let mut index = HashIndex::default();
        let find = |index: &HashIndex, key: &FlowKey| {
            index.find(Hashed::of(key), |at| keys.get(at) == Some(key))
        };
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(find(&index, key), None);
            index.insert(Hashed::of(key), at, |at| Hashed::of(&keys[at]));
        }
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
            index.remove(Hashed::of(key), at);
        }
        let found = |at: usize| (!at.is_multiple_of(3)).then_some(at);
        assert!(keys.iter().enumerate().all(|(at, key)| find(&index, key) == found(at)));
        assert_eq!(index.len(), keys.len() / 3 * 2);
        index.clear();
        assert_eq!(find(&index, &keys[1]), None);
    }

    #[test]
    fn hashes_are_spread() {
        let keys = keys();
        let different = |of: &dyn Fn(u64) -> u64| {
            let hashes = keys.iter().map(|key| of(Hashed::of(key).0));
            hashes.collect::<std::collections::BTreeSet<_>>().len()
        };
        // Of 39,996 keys in 65,536 random positions, 29,900 are different.
        assert!(different(&|hash| hash) > keys.len() - 10);
        for bits in [0, 16, 32, 48] {
            assert!(different(&|hash| hash >> bits & 0xffff) > 29_000, "{bits}");
        }
    }
}
