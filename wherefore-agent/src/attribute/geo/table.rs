//! Ranges of addresses, and the number that belongs to each. Owns the search.

/// Starts that are compared at once.
const BLOCK: usize = 16;

/// What an address is known by.
pub(super) trait Key: Copy + Ord {
    /// The largest.
    const MAX: Self;
}

impl Key for u32 {
    const MAX: Self = Self::MAX;
}

impl Key for u64 {
    const MAX: Self = Self::MAX;
}

/// A static tree of blocks: each level holds the first start of every block of the next. A look-up
/// reads a block of each level, and has no branch that a processor could guess wrong
/// (`cargo xtask bench geo`).
#[derive(Debug)]
pub(super) struct Table<K> {
    levels: Vec<Vec<[K; BLOCK]>>,
    values: Vec<u32>,
}

impl<K: Key> Table<K> {
    /// From starts in ascending order and as many values; the first holds for what is below it, too.
    pub(super) fn new(starts: &[K], values: Vec<u32>) -> Self {
        let mut levels = vec![blocks(starts)];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let firsts: Vec<K> = below.iter().map(|block| block[0]).collect();
            levels.push(blocks(&firsts));
        }
        levels.reverse();
        Self { levels, values }
    }

    /// The value of the range that holds this key; `None` in an empty table.
    pub(super) fn find(&self, key: K) -> Option<u32> {
        let mut place = 0;
        for level in &self.levels {
            let block = level.get(place).or(level.last())?;
            let below = block.iter().filter(|start| **start <= key).count();
            place = place * BLOCK + below.saturating_sub(1);
        }
        // Only the largest key can point behind the end.
        self.values.get(place).or(self.values.last()).copied()
    }
}

fn blocks<K: Key>(starts: &[K]) -> Vec<[K; BLOCK]> {
    let block = |chunk: &[K]| {
        let mut block = [K::MAX; BLOCK];
        block[..chunk.len()].copy_from_slice(chunk);
        block
    };
    starts.chunks(BLOCK).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_as_a_search_from_the_front() {
        for len in [1, 2, 15, 16, 17, 255, 256, 257, 5000] {
            let mut random = fastrand::Rng::with_seed(len);
            let mut starts: Vec<u32> = (0..len).map(|_| random.u32(..)).collect();
            starts.push(0);
            starts.sort_unstable();
            starts.dedup();
            let table = Table::new(&starts, (0..starts.len() as u32).collect());
            let near = starts
                .iter()
                .flat_map(|start| [start.saturating_sub(1), *start, start.saturating_add(1)]);
            for key in near.chain([0, u32::MAX]) {
                let expected = starts.partition_point(|start| *start <= key) as u32 - 1;
                assert_eq!(table.find(key), Some(expected), "{key} of {len}");
            }
        }
    }

    #[test]
    fn an_empty_table_knows_nothing() {
        assert_eq!(Table::<u64>::new(&[], Vec::new()).find(7), None);
    }
}
