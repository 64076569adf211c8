//! The keys of groups in 20 bytes instead of 48. Owns addresses that do not fit into these; refuses to know
//! which groups exist.

use wherefore_common::FlowKey;
use wherefore_common::flow::AddressWords;

use crate::traffic::flows::ipv4_sized;

/// A group's key as words, which are compared at once: source and destination if both have up to four bytes,
/// otherwise the index of both; then interface, ports and the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ShortKey([u32; 5]);

/// Set in the last word of a key if its addresses are stored separately.
const LONG: u32 = 1 << 24;

/// The separately stored addresses of keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    long: Vec<[AddressWords; 2]>,
    free: Vec<u32>,
}

impl ShortKey {
    /// The key without the index of its addresses.
    fn of(key: &FlowKey) -> Self {
        let FlowKey { ifindex, sport, dport, protocol, family, direction, .. } = *key;
        let ports = u32::from(sport) << 16 | u32::from(dport);
        let kind = u32::from_le_bytes([protocol, family, direction, 0]);
        match ipv4_sized(key) {
            Some([src, dst]) => Self([src, dst, ifindex, ports, kind]),
            None => Self([0, 0, ifindex, ports, kind | LONG]),
        }
    }

    /// The index of its addresses, if they are stored separately.
    fn place(self) -> Option<usize> {
        let Self([place, .., kind]) = self;
        (kind & LONG != 0).then_some(place as usize)
    }
}

impl Keys {
    /// Shortens a key.
    pub(super) fn shorten(&mut self, key: &FlowKey) -> ShortKey {
        let mut short = ShortKey::of(key);
        if short.place().is_some() {
            let addresses = [key.src, key.dst];
            short.0[0] = match self.free.pop() {
                Some(free) => {
                    self.long[free as usize] = addresses;
                    free
                }
                None => {
                    self.long.push(addresses);
                    (self.long.len() - 1) as u32
                }
            };
        }
        short
    }

    /// Forgets a key.
    pub(super) fn release(&mut self, short: ShortKey) {
        self.free.extend(short.place().map(|place| place as u32));
    }

    /// Forgets all keys.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The key.
    pub(super) fn key(&self, short: ShortKey) -> FlowKey {
        let ShortKey([src, dst, ifindex, ports, kind]) = short;
        let [src, dst] = match short.place() {
            Some(place) => self.long[place],
            None => [[src.into(), 0], [dst.into(), 0]],
        };
        let mut key = FlowKey { src, dst, ifindex, ..FlowKey::default() };
        (key.sport, key.dport) = ((ports >> 16) as u16, ports as u16);
        [key.protocol, key.family, key.direction, _] = kind.to_le_bytes();
        key
    }

    /// Whether the short key stands for this key.
    #[inline]
    pub(super) fn is(&self, mut short: ShortKey, key: &FlowKey) -> bool {
        let addresses = short.place().map(|place| &self.long[place]);
        if addresses.is_some() {
            short.0[0] = 0;
        }
        short == ShortKey::of(key) && addresses.is_none_or(|long| *long == [key.src, key.dst])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_differ_where_flows_do() {
        let base = FlowKey { family: 4, protocol: 6, sport: 1, dport: 2, ..FlowKey::default() };
        let flows = [
            base,
            FlowKey { src: [u32::MAX.into(), 0], ..base },
            FlowKey { src: [1 << 32, 0], ..base },
            FlowKey { dst: [0, 1], ..base },
            FlowKey { src: [0, 1], dst: [7, 0], family: 6, ..base },
            FlowKey { src: [0, 1], dst: [7, 7], family: 6, ..base },
            FlowKey { family: 6, ..base },
            FlowKey { ifindex: u32::MAX, ..base },
            FlowKey { sport: 2, dport: 1, ..base },
            FlowKey { protocol: 17, ..base },
            FlowKey { direction: 2, ..base },
        ];
        let mut keys = Keys::default();
        let mut short: Vec<_> = flows.iter().map(|flow| keys.shorten(flow)).collect();
        for _ in 0..3 {
            for (at, &one) in short.iter().enumerate() {
                assert_eq!(keys.key(one), flows[at]);
                let is = |flow: &&FlowKey| keys.is(one, flow);
                assert_eq!(flows.iter().filter(is).collect::<Vec<_>>(), [&flows[at]]);
            }
            // Released indexes are used again.
            short.iter().step_by(2).for_each(|&one| keys.release(one));
            for (short, flow) in short.iter_mut().zip(&flows).step_by(2) {
                *short = keys.shorten(flow);
            }
        }
        assert_eq!(keys.long.len(), 4);
    }
}
