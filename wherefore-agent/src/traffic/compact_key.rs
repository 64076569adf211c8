//! Flow keys in 20 bytes instead of 48, for intervals and series with a million of them. Owns the keys that
//! do not fit, such as those of IPv6; refuses to know what a key stands for.

use wherefore_common::FlowKey;

/// A flow key in words, which are compared at once: source, destination, interface, ports, and the rest. If
/// the key does not fit, the first word is its index in [`Keys`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CompactKey([u32; 5]);

/// The last word: from its lowest bits the direction, the family, whether the key is stored separately, the
/// protocol, and 16 bits for the owner of the compact key.
mod rest {
    pub(super) const MOST_DIRECTION: u8 = 3;
    pub(super) const IPV4: u8 = 1 << 2;
    pub(super) const IPV6: u8 = 2 << 2;
    pub(super) const STORED: u8 = 1 << 4;
}

/// The keys that do not fit in a [`CompactKey`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    stored: Vec<FlowKey>,
    free: Vec<u32>,
}

impl CompactKey {
    /// The key, if it fits: IPv4, or no address at all.
    #[inline]
    fn of(key: &FlowKey) -> Option<Self> {
        let FlowKey { src: [src, 0], dst: [dst, 0], ifindex, sport, dport, protocol, .. } = *key
        else {
            return None;
        };
        let family = match key.family {
            0 => 0,
            4 => rest::IPV4,
            6 => rest::IPV6,
            _ => return None,
        };
        let fits =
            key.direction <= rest::MOST_DIRECTION && (key.reserved, key.reserved_word) == (0, 0);
        let rest = u32::from_le_bytes([key.direction | family, protocol, 0, 0]);
        let ports = u32::from(sport) << 16 | u32::from(dport);
        fits.then_some(Self([src.try_into().ok()?, dst.try_into().ok()?, ifindex, ports, rest]))
    }

    /// The key that is stored at this index.
    fn stored(at: usize) -> Self {
        Self([at as u32, 0, 0, 0, rest::STORED.into()])
    }

    /// The index of the key, if it is stored.
    #[inline]
    fn at(self) -> Option<usize> {
        let Self([at, .., rest]) = self;
        (rest & u32::from(rest::STORED) != 0).then_some(at as usize)
    }

    #[inline]
    fn key(self) -> FlowKey {
        let Self([src, dst, ifindex, ports, rest]) = self;
        let [kind, protocol, ..] = rest.to_le_bytes();
        let family = match kind & (rest::IPV4 | rest::IPV6) {
            rest::IPV4 => 4,
            rest::IPV6 => 6,
            _ => 0,
        };
        FlowKey {
            src: [src.into(), 0],
            dst: [dst.into(), 0],
            ifindex,
            sport: (ports >> 16) as u16,
            dport: ports as u16,
            protocol,
            family,
            direction: kind & rest::MOST_DIRECTION,
            ..FlowKey::default()
        }
    }

    /// Adds a number to a key that has none yet. Keys with numbers are no longer comparable.
    #[inline]
    pub(crate) fn with_number(mut self, number: u16) -> Self {
        self.0[4] |= u32::from(number) << 16;
        self
    }

    /// The number that was added; 0 if there is none.
    #[inline]
    pub(crate) fn number(self) -> u16 {
        (self.0[4] >> 16) as u16
    }
}

impl Keys {
    /// Makes a key compact, and stores it if it does not fit.
    #[inline]
    pub(crate) fn compact(&mut self, key: &FlowKey) -> CompactKey {
        CompactKey::of(key).unwrap_or_else(|| CompactKey::stored(self.store(*key)))
    }

    fn store(&mut self, key: FlowKey) -> usize {
        if let Some(free) = self.free.pop() {
            self.stored[free as usize] = key;
            return free as usize;
        }
        self.stored.push(key);
        self.stored.len() - 1
    }

    /// The key.
    #[inline]
    pub(crate) fn key(&self, compact: CompactKey) -> FlowKey {
        compact.at().map_or_else(|| compact.key(), |at| self.stored[at])
    }

    /// Whether the compact key, which has no number, stands for this key.
    #[inline]
    pub(crate) fn is(&self, compact: CompactKey, key: &FlowKey) -> bool {
        match compact.at() {
            Some(at) => self.stored[at] == *key,
            None => CompactKey::of(key) == Some(compact),
        }
    }

    /// Forgets a key.
    pub(crate) fn release(&mut self, compact: CompactKey) {
        self.free.extend(compact.at().map(|at| at as u32));
    }

    /// Forgets all keys.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of keys that are stored or were.
    #[cfg(test)]
    pub(crate) fn stored(&self) -> usize {
        self.stored.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_differ_where_flows_do() {
        let base = FlowKey { family: 4, protocol: 6, sport: 1, dport: 2, ..FlowKey::default() };
        let flows = [
            base,
            FlowKey { src: [u32::MAX.into(), 0], ..base },
            FlowKey { src: [1 << 32, 0], ..base },
            FlowKey { dst: [0, 1], ..base },
            FlowKey { src: [0, 1], dst: [7, 0], family: 6, ..base },
            FlowKey { src: [0, 1], dst: [7, 7], family: 6, ..base },
            FlowKey { family: 6, ..base },
            FlowKey { family: 0, ..base },
            FlowKey { ifindex: u32::MAX, ..base },
            FlowKey { sport: 2, dport: 1, ..base },
            FlowKey { protocol: 17, ..base },
            FlowKey { direction: 2, ..base },
        ];
        let mut keys = Keys::default();
        let mut compact: Vec<_> = flows.iter().map(|flow| keys.compact(flow)).collect();
        for _ in 0..3 {
            for (at, &one) in compact.iter().enumerate() {
                assert_eq!(keys.key(one), flows[at]);
                let is = |flow: &&FlowKey| keys.is(one, flow);
                assert_eq!(flows.iter().filter(is).collect::<Vec<_>>(), [&flows[at]]);
                let numbered = one.with_number(0x8001);
                assert_eq!((keys.key(numbered), numbered.number()), (flows[at], 0x8001));
            }
            // Released indexes are used again.
            compact.iter().step_by(2).for_each(|&one| keys.release(one));
            for (compact, flow) in compact.iter_mut().zip(&flows).step_by(2) {
                *compact = keys.compact(flow);
            }
        }
        assert_eq!(keys.stored(), 4);
    }
}
