//! Names that were learned from DNS answers. Owns how many are kept and how long they are valid.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// The most addresses. Beyond that, names that expire first are dropped first.
const MOST: usize = 65_536;
/// The most bytes of all names.
const MOST_BYTES: usize = 4 << 20;
/// A name stays valid for this long after its time to live: connections outlive the DNS answers that led to
/// them.
const GRACE_SECONDS: u32 = 3600;
/// The longest time to live that is believed.
const LONGEST_SECONDS: u32 = 7 * 86_400;

/// Names by address.
#[derive(Debug, Default)]
pub(super) struct Learned {
    names: FxHashMap<IpAddr, Entry>,
    /// The same addresses by their time of expiry.
    ends: BTreeSet<(i64, IpAddr)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    end_ns: i64,
}

impl Learned {
    /// Adds the name of an address, valid for this time. A later name replaces an earlier one.
    pub(super) fn add(&mut self, address: IpAddr, name: &str, time_ns: i64, ttl_seconds: u32) {
        let address = address.to_canonical();
        let lives = ttl_seconds.min(LONGEST_SECONDS) + GRACE_SECONDS;
        let end_ns = time_ns.saturating_add(i64::from(lives) * 1_000_000_000);
        let before = self.remove(address);
        let name = before.filter(|before| **before == *name).unwrap_or_else(|| name.into());
        self.bytes += name.len();
        self.ends.insert((end_ns, address));
        self.names.insert(address, Entry { name, end_ns });
        while self.names.len() > MOST || self.bytes > MOST_BYTES {
            let Some((_, first)) = self.ends.first().copied() else { break };
            self.remove(first);
        }
    }

    /// The name of an address.
    pub(super) fn get(&self, address: IpAddr) -> Option<&Arc<str>> {
        self.names.get(&address).map(|entry| &entry.name)
    }

    /// Forgets names that have expired by now.
    pub(super) fn forget(&mut self, now_ns: i64) {
        while let Some((end_ns, address)) = self.ends.first().copied()
            && end_ns <= now_ns
        {
            self.remove(address);
        }
    }

    fn remove(&mut self, address: IpAddr) -> Option<Arc<str>> {
        let Entry { name, end_ns } = self.names.remove(&address)?;
        self.ends.remove(&(end_ns, address));
        self.bytes -= name.len();
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_name_ends_an_hour_after_its_answer() {
        let mut learned = Learned::default();
        learned.add(address(1), "a.example", 0, 60);
        learned.forget(3659 * SECOND);
        assert_eq!(learned.get(address(1)).map(|name| &**name), Some("a.example"));
        learned.forget(3660 * SECOND);
        assert_eq!((learned.get(address(1)), learned.bytes), (None, 0));
    }

    #[test]
    fn the_last_name_counts_and_nothing_is_counted_twice() {
        let mut learned = Learned::default();
        for name in ["a.example", "long.b.example", "long.b.example"] {
            learned.add(address(1), name, 0, u32::MAX);
        }
        assert_eq!(learned.get(address(1)).map(|name| &**name), Some("long.b.example"));
        assert_eq!((learned.bytes, learned.ends.len()), ("long.b.example".len(), 1));
    }

    #[test]
    fn memory_of_names_is_bounded() {
        let mut learned = Learned::default();
        let name = "n".repeat(250);
        for number in 0..100_000 {
            learned.add(address(number), &name, i64::from(number), 60);
        }
        assert!(learned.bytes <= MOST_BYTES && learned.names.len() == learned.ends.len());
        assert!(learned.get(address(0)).is_none() && learned.get(address(99_999)).is_some());
        (0..100_000).for_each(|number| learned.add(address(number), "n", SECOND, 60));
        assert_eq!((learned.names.len(), learned.bytes), (MOST, MOST));
    }
}
