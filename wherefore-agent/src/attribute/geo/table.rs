//! Ranges of addresses, each with a number. Owns the search, which has no branch that a processor could
//! mispredict and reads few cache lines (`cargo xtask bench geo`).

/// The number of leading bits of a key that choose an entry of the index.
const INDEX_BITS: u32 = 16;
/// The number of entries of an index.
const SLOTS: usize = 1 << INDEX_BITS;

/// Ranges of IPv4 addresses. Those with the same first 16 bits are side by side: where each begins, in the last
/// 16 bits of the address, and then their numbers.
#[derive(Debug)]
pub(super) struct V4Table {
    /// For each entry, how many ranges are in the ones before it.
    index: Vec<u32>,
    /// Three halves of a word for each range.
    halves: Vec<u16>,
}

impl V4Table {
    /// Makes a table of starts in ascending order, with a value each. The first value also applies below its
    /// start.
    pub(super) fn new(starts: &[u32], values: &[u32]) -> Self {
        let (mut index, mut halves) = (vec![0], Vec::new());
        let mut ranges = starts.iter().copied().zip(values.iter().copied()).peekable();
        let mut current = values.first().copied();
        for slot in 0..SLOTS as u32 {
            // The range that has begun before goes on at the beginning of each entry.
            let mut found: Vec<_> = current.map(|value| (0, value)).into_iter().collect();
            while let Some((start, value)) = ranges.next_if(|(start, _)| start >> 16 == slot) {
                let half = start as u16;
                found.pop_if(|(before, _)| *before == half);
                found.push((half, value));
                current = Some(value);
            }
            halves.extend(found.iter().map(|(half, _)| *half));
            halves
                .extend(found.iter().flat_map(|(_, value)| [*value as u16, (value >> 16) as u16]));
            index.push((halves.len() / 3) as u32);
        }
        Self { index, halves }
    }

    /// The value of the range that contains this address; `None` in an empty table.
    pub(super) fn find(&self, address: u32) -> Option<u32> {
        let slot = (address >> 16) as usize;
        let (first, end) = (self.index[slot] as usize, self.index[slot + 1] as usize);
        let (starts, values) = self.halves.get(3 * first..3 * end)?.split_at(end - first);
        let at = begun(starts, address as u16).checked_sub(1)?;
        Some(u32::from(values[2 * at]) | u32::from(values[2 * at + 1]) << 16)
    }
}

/// Ranges of the first halves of IPv6 addresses. An index gives the bounds of those with the same first bits.
#[derive(Debug)]
pub(super) struct V6Table {
    /// For each entry, how many ranges begin below it.
    index: Vec<u32>,
    starts: Vec<u64>,
    values: Vec<u32>,
}

impl V6Table {
    /// Makes a table of starts in ascending order, with a value each. The first value also applies below its
    /// start.
    pub(super) fn new(starts: Vec<u64>, values: Vec<u32>) -> Self {
        let mut index = vec![0; SLOTS + 1];
        for (number, start) in (1..).zip(&starts) {
            index[slot(*start) + 1] = number;
        }
        let mut below = 0;
        for number in &mut index {
            below = below.max(*number);
            *number = below;
        }
        Self { index, starts, values }
    }

    /// The value of the range that contains this key; `None` in an empty table.
    pub(super) fn find(&self, key: u64) -> Option<u32> {
        let slot = slot(key);
        let (first, end) = (self.index[slot] as usize, self.index[slot + 1] as usize);
        let begun = first + begun(self.starts.get(first..end)?, key);
        self.values.get(begun.saturating_sub(1)).copied()
    }
}

/// The entry of the index for this key; it never decreases as keys increase. All addresses on the Internet begin
/// with the bits 001.
fn slot(key: u64) -> usize {
    const EIGHTH: u64 = 1 << 61;
    let inside = key.saturating_sub(EIGHTH).min(EIGHTH - 1);
    (inside >> (61 - INDEX_BITS)) as usize
}

/// The number of ranges that begin at or before a key.
fn begun<K: Copy + Ord>(starts: &[K], key: K) -> usize {
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

    /// Numbers in ascending order, among them both ends.
    fn ascending<K: Copy + Ord>(numbers: impl Iterator<Item = K>, ends: [K; 2]) -> Vec<K> {
        let mut numbers: Vec<K> = numbers.chain([ends[0]]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Checks that each key has the number of the last start that does not exceed it.
    fn check<K: Copy + Ord>(starts: &[K], keys: &[K], find: impl Fn(K) -> Option<u32>) {
        for key in keys.iter().chain(starts) {
            let expected = starts.partition_point(|start| start <= key) as u32 - 1;
            assert_eq!(find(*key), Some(expected), "of {}", starts.len());
        }
    }

    #[test]
    fn the_same_as_a_search_from_the_front() {
        for len in [0, 1, 2, 15, 16, 17, 255, 5000, 200_000] {
            let mut random = fastrand::Rng::with_seed(len);
            let starts = ascending((0..len).map(|_| random.u32(..)), [0, u32::MAX]);
            let values: Vec<u32> = (0..starts.len() as u32).collect();
            let table = V4Table::new(&starts, &values);
            let keys: Vec<u32> = (0..1000).map(|_| random.u32(..)).chain([u32::MAX]).collect();
            check(&starts, &keys, |key| table.find(key));
            // Close to each other, as networks are.
            let far: Vec<u64> = (0..len).map(|_| random.u64(..)).collect();
            let near = (0..len).map(|_| (1 << 61) + random.u64(..1 << 20));
            let near: Vec<u64> = near.flat_map(|start| [start, start + 1]).collect();
            for numbers in [far, near] {
                let starts = ascending(numbers.into_iter(), [0, u64::MAX]);
                let table = V6Table::new(starts.clone(), (0..starts.len() as u32).collect());
                check(&starts, &[u64::MAX], |key| table.find(key));
            }
        }
    }

    #[test]
    fn of_two_starts_the_first_counts() {
        let starts = [0x0a00_0000, 0x0a00_0100, u32::MAX];
        let table = V4Table::new(&starts, &[8, 0x0102_0304, 10]);
        let keys = [1, 0x0a00_00ff, 0x0a00_0100, 0x0a00_0101, u32::MAX - 1, u32::MAX];
        let expected = [8, 8, 0x0102_0304, 0x0102_0304, 0x0102_0304, 10];
        assert_eq!(keys.map(|key| table.find(key)), expected.map(Some));
    }

    #[test]
    fn an_empty_table_knows_nothing() {
        assert_eq!(V4Table::new(&[], &[]).find(7), None);
        assert_eq!(V6Table::new(Vec::new(), Vec::new()).find(7), None);
    }
}
