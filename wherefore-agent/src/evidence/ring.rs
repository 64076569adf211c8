//! Keeps the first bytes of the latest packets in a fixed amount of memory. Owns the bound: the newest packet
//! replaces the oldest.

use std::collections::{TryReserveError, VecDeque};

use super::packet::{Facts, Packet};

/// This fraction of the memory is for facts about packets; the rest is for their bytes.
const SHARE_OF_FACTS: usize = 4;

/// The latest packets.
#[derive(Debug)]
pub(super) struct Ring {
    facts: VecDeque<(Facts, usize)>,
    bytes: VecDeque<u8>,
    snaplen: usize,
    most_packets: usize,
    max_bytes: usize,
}

impl Ring {
    /// A ring with this much memory, for this many bytes of each packet.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn new(size: u64, snaplen: u32) -> Result<Self, TryReserveError> {
        let size = usize::try_from(size).unwrap_or(usize::MAX / 2);
        let most_packets = (size / SHARE_OF_FACTS / size_of::<(Facts, usize)>()).max(1);
        let max_bytes = size - size / SHARE_OF_FACTS;
        let (mut facts, mut bytes) = (VecDeque::new(), VecDeque::new());
        facts.try_reserve_exact(most_packets)?;
        bytes.try_reserve_exact(max_bytes)?;
        Ok(Self { facts, bytes, snaplen: snaplen as usize, most_packets, max_bytes })
    }

    /// Remembers a packet.
    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        let bytes = &packet.bytes[..packet.bytes.len().min(self.snaplen)];
        while self.facts.len() >= self.most_packets
            || self.bytes.len() + bytes.len() > self.max_bytes
        {
            let Some((_, oldest)) = self.facts.pop_front() else { return };
            self.bytes.drain(..oldest);
        }
        self.facts.push_back((packet.facts, bytes.len()));
        self.bytes.extend(bytes);
    }

    /// Calls `visit` with each packet for which `is_wanted` holds, oldest first, until it returns false.
    pub(super) fn find(
        &self,
        is_wanted: impl Fn(&Facts) -> bool,
        mut visit: impl FnMut(&Packet<'_>) -> bool,
    ) {
        let mut at = 0;
        let mut joined = Vec::new();
        for (facts, len) in &self.facts {
            let range = at..at + len;
            at += len;
            if !is_wanted(facts) {
                continue;
            }
            joined.clear();
            joined.extend(self.bytes.range(range));
            if !visit(&Packet { facts: *facts, bytes: &joined }) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(ring: &mut Ring, number: u8, len: usize) {
        let facts = Facts { time_ns: i64::from(number), ..Facts::default() };
        ring.push(&Packet { facts, bytes: &vec![number; len] });
    }

    fn times(ring: &Ring) -> Vec<i64> {
        let mut times = Vec::new();
        ring.find(
            |_| true,
            |packet| {
                assert!(packet.bytes.iter().all(|byte| i64::from(*byte) == packet.facts.time_ns));
                times.push(packet.facts.time_ns);
                true
            },
        );
        times
    }

    #[test]
    fn the_oldest_are_evicted_and_the_memory_is_never_exceeded() {
        let mut ring = Ring::new(65_536, 1000).expect("memory");
        let (facts, bytes) = (ring.facts.capacity(), ring.bytes.capacity());
        for number in 0..200 {
            push(&mut ring, number, 1500);
        }
        assert_eq!(times(&ring), (151..200).collect::<Vec<_>>());
        for number in 0..250 {
            push(&mut ring, number, usize::from(number));
        }
        for _ in 0..100 {
            (0..200).for_each(|number| push(&mut ring, number, 1));
        }
        assert_eq!(times(&ring).len(), ring.most_packets);
        assert_eq!((ring.facts.capacity(), ring.bytes.capacity()), (facts, bytes));
    }
}
