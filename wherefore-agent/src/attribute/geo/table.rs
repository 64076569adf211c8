//! Ranges of addresses, each with a number. Owns the search.

/// The number of leading bits of a key that choose an entry of the index.
const INDEX_BITS: u32 = 16;

/// An address in a searchable form.
pub(super) trait Key: Copy + Ord {
    /// The entry of the index for this key; it never decreases as keys increase.
    fn slot(self) -> usize;
}

/// An address of IPv4.
impl Key for u32 {
    fn slot(self) -> usize {
        (self >> (Self::BITS - INDEX_BITS)) as usize
    }
}

/// The first half of an IPv6 address. All on the Internet begin with the bits 001.
impl Key for u64 {
    fn slot(self) -> usize {
        const EIGHTH: u64 = 1 << 61;
        let inside = self.saturating_sub(EIGHTH).min(EIGHTH - 1);
        (inside >> (61 - INDEX_BITS)) as usize
    }
}

/// Ranges in ascending order. An index gives the bounds of those with the same first bits; the search between
/// these bounds has no branch that a processor could mispredict (`cargo xtask bench geo`).
#[derive(Debug)]
pub(super) struct Table<K> {
    /// For each entry, how many ranges begin below it.
    index: Vec<u32>,
    starts: Vec<K>,
    values: Vec<u32>,
}

impl<K: Key> Table<K> {
    /// Makes a table of starts in ascending order, with a value each. The first value also applies below its
    /// start.
    pub(super) fn new(starts: Vec<K>, values: Vec<u32>) -> Self {
        let mut index = vec![0; (1 << INDEX_BITS) + 1];
        for (number, start) in (1..).zip(&starts) {
            index[start.slot() + 1] = number;
        }
        let mut below = 0;
        for number in &mut index {
            below = below.max(*number);
            *number = below;
        }
        Self { index, starts, values }
    }

    /// The value of the range that contains this key; `None` in an empty table.
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let slot = key.slot();
        let (first, end) = (self.index[slot] as usize, self.index[slot + 1] as usize);
        let begun = first + begun(self.starts.get(first..end)?, key);
        self.values.get(begun.saturating_sub(1)).copied()
    }
}

/// The number of ranges that begin at or before a key.
fn begun<K: Key>(starts: &[K], key: K) -> usize {
    let (mut first, mut size) = (0, starts.len());
    while size > 1 {
        let half = size / 2;
        // This compiles to a conditional move, not to a jump.
        first = if starts[first + half] <= key { first + half } else { first };
        size -= half;
    }
    first + usize::from(starts.get(first).is_some_and(|start| *start <= key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<K: Key + std::fmt::Debug>(mut starts: Vec<K>, ends: [K; 2]) {
        starts.push(ends[0]);
        starts.sort_unstable();
        starts.dedup();
        let table = Table::new(starts.clone(), (0..starts.len() as u32).collect());
        for key in starts.iter().copied().chain(ends) {
            let expected = starts.partition_point(|start| *start <= key) as u32 - 1;
            assert_eq!(table.find(key), Some(expected), "{key:?} of {}", starts.len());
        }
    }

    #[test]
    fn the_same_as_a_search_from_the_front() {
        for len in [0, 1, 2, 15, 16, 17, 255, 5000, 200_000] {
            let mut random = fastrand::Rng::with_seed(len);
            check((0..len).map(|_| random.u32(..)).collect(), [0, u32::MAX]);
            check((0..len).map(|_| random.u64(..)).collect(), [0, u64::MAX]);
            // Close to each other, as networks are.
            let near = (0..len).map(|_| (1 << 61) + random.u64(..1 << 20));
            check(near.flat_map(|start| [start, start + 1]).collect(), [0, u64::MAX]);
        }
    }

    #[test]
    fn of_two_starts_the_first_counts() {
        let table = Table::new(vec![0, 0x0a00_0000, 0x0a00_0100, u32::MAX], vec![7, 8, 9, 10]);
        let keys = [1, 0x0a00_00ff, 0x0a00_0100, 0x0a00_0101, u32::MAX - 1, u32::MAX];
        assert_eq!(keys.map(|key| table.find(key)), [7, 8, 9, 9, 9, 10].map(Some));
    }

    #[test]
    fn an_empty_table_knows_nothing() {
        assert_eq!(Table::<u64>::new(Vec::new(), Vec::new()).find(7), None);
    }
}
