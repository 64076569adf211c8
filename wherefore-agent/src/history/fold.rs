//! Limits the number of rows by folding small ones into "other". Owns the choice: the largest rows stay; the
//! others lose first their addresses, then their owner and service. Sums stay equal.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::Serialize;

/// The number that stands for "other" in each dimension.
pub(super) const FOLDED: i64 = 0;

/// The key of a row.
pub(super) trait Key: Copy + Eq + Hash + Ord {
    /// The same key without addresses.
    fn without_addresses(self) -> Self;
    /// The same key without addresses, owner and service.
    fn without_owner(self) -> Self;
}

/// Traffic received and sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Volume {
    /// IP-layer bytes received.
    pub in_bytes: u64,
    /// IP-layer bytes sent.
    pub out_bytes: u64,
    /// Packets received.
    pub in_packets: u64,
    /// Packets sent.
    pub out_packets: u64,
}

impl Volume {
    /// Adds another volume.
    pub fn add(&mut self, more: &Self) {
        self.in_bytes = self.in_bytes.saturating_add(more.in_bytes);
        self.out_bytes = self.out_bytes.saturating_add(more.out_bytes);
        self.in_packets = self.in_packets.saturating_add(more.in_packets);
        self.out_packets = self.out_packets.saturating_add(more.out_packets);
    }

    /// Bytes of both directions.
    pub fn bytes(&self) -> u64 {
        self.in_bytes.saturating_add(self.out_bytes)
    }

    /// Packets of both directions.
    pub fn packets(&self) -> u64 {
        self.in_packets.saturating_add(self.out_packets)
    }
}

/// Rows by their keys.
pub(super) type Rows<K> = FxHashMap<K, Volume>;
/// The same as a list.
type Listed<K> = Vec<(K, Volume)>;

/// Of the rows that lose their addresses, the limit is divided by this.
const SECOND: usize = 4;

/// Keeps at most `most` rows as they are, and a quarter as many with owner and service only.
pub(super) fn folded<K: Key>(rows: Vec<(K, Volume)>, most: usize) -> Vec<(K, Volume)> {
    let (kept, rest) = largest(rows, most);
    if rest.is_empty() {
        return kept;
    }
    let (second, last) = largest(merged(rest, K::without_addresses), (most / SECOND).max(1));
    let last = merged(last, K::without_owner);
    // A row without addresses may already be among the largest rows: merge it.
    merged(kept.into_iter().chain(second).chain(last).collect(), |key| key)
}

fn merged<K: Key>(rows: Listed<K>, to: impl Fn(K) -> K) -> Listed<K> {
    let mut sums = Rows::default();
    rows.iter().for_each(|(key, volume)| sums.entry(to(*key)).or_default().add(volume));
    sums.into_iter().collect()
}

/// Splits off the largest rows. The same rows give the same result, whatever their order.
fn largest<K: Key>(mut rows: Listed<K>, most: usize) -> (Listed<K>, Listed<K>) {
    if rows.len() <= most {
        return (rows, Vec::new());
    }
    let rank = |(key, volume): &(K, Volume)| (std::cmp::Reverse(volume.bytes()), *key);
    rows.select_nth_unstable_by_key(most, rank);
    let rest = rows.split_off(most);
    (rows, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Owner and address; 0 means folded.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    struct Pair(u32, u32);

    impl Key for Pair {
        fn without_addresses(self) -> Self {
            Self(self.0, 0)
        }

        fn without_owner(self) -> Self {
            Self(0, 0)
        }
    }

    #[test]
    fn folded_rows_keep_their_sum_and_if_possible_their_owner() {
        let volume = |bytes| Volume { in_bytes: bytes, out_packets: 1, ..Volume::default() };
        let rows: Vec<_> =
            (1..=100).map(|at| (Pair(1 + at % 3, at), volume(u64::from(at)))).collect();
        let mut kept = folded(rows.clone(), 12);
        kept.sort_unstable_by_key(|(key, _)| *key);
        assert_eq!(kept.len(), 12 + 3);
        assert!(rows[88..].iter().all(|row| kept.contains(row)), "the largest stay");
        let sum = |rows: &[(Pair, Volume)], owner| {
            rows.iter().filter(|(key, _)| key.0 == owner).map(|(_, v)| v.in_bytes).sum::<u64>()
        };
        for owner in 1..=3 {
            assert_eq!(sum(&kept, owner), sum(&rows, owner));
        }
        let few = folded(rows, 4);
        assert_eq!(few.len(), 4 + 1 + 1);
        assert_eq!(few.iter().map(|(_, volume)| volume.in_bytes).sum::<u64>(), 5050);
        assert_eq!(few.iter().map(|(_, volume)| volume.out_packets).sum::<u64>(), 100);
    }
}
