//! The flows of an interval with their counters, in 44 bytes each instead of 112: with a million flows,
//! reading them mostly means waiting for memory. Owns their packed form; refuses to change a flow that was
//! added.
//!
//! Nearly all counters fit: numbers below 2^32, and times within about 39 hours of each other. Others are
//! stored separately.

use wherefore_common::{Counters, FlowKey, link};

use super::compact_key::{CompactKey, Keys};

/// Some devices, such as the loopback, do not count this header of a frame, in bytes.
pub(crate) const ETHERNET_HEADER: u64 = link::ETHERNET_HEADER as u64;

/// Flows in the order in which they were added. Their indexes have 32 bits.
#[derive(Debug, Default, Clone)]
pub struct Flows {
    packed: Vec<PackedFlow>,
    keys: Keys,
    /// The counters that do not fit in a [`PackedFlow`].
    stored: Vec<Counters>,
    /// The time from which times in a [`PackedFlow`] are counted.
    since_ns: u64,
}

/// A packed flow.
#[derive(Debug, Default, Clone, Copy)]
struct PackedFlow {
    /// With the TCP flags and, above them, the bits of [`form`].
    key: CompactKey,
    /// The index of the counters instead, if they are stored separately.
    packets: u32,
    bytes: u32,
    frame_bytes: u32,
    /// The time of the first packet, and the time from it to the last one: their lower halves.
    first: u32,
    lasting: u32,
    first_high: u16,
    lasting_high: u16,
}

const _: () = assert!(size_of::<PackedFlow>() == 44);

/// Bits of the number in the key of a [`PackedFlow`], above all TCP flags.
mod form {
    /// The counters are stored separately.
    pub(super) const STORED: u16 = 1 << 15;
    /// The device does not count Ethernet headers.
    pub(super) const HEADLESS: u16 = 1 << 14;
}

/// Times are counted from this long before the first flow's, because other flows may have begun earlier.
const BEFORE_NS: u64 = 1 << 47;

impl Flows {
    /// Without flows, with space for `flows` flows.
    pub fn with_capacity(flows: usize) -> Self {
        Self { packed: Vec::with_capacity(flows), ..Self::default() }
    }

    /// The number of flows.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are no flows.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Adds a flow, which must not be there yet.
    pub fn push(&mut self, key: &FlowKey, counters: &Counters) {
        if self.is_empty() {
            self.since_ns = counters.first_ns.wrapping_sub(BEFORE_NS);
        }
        let key = self.keys.compact(key);
        let packed = PackedFlow::of(key, counters, self.since_ns).unwrap_or_else(|| {
            self.stored.push(*counters);
            let at = self.stored.len() as u32 - 1;
            PackedFlow { key: key.with_number(form::STORED), packets: at, ..PackedFlow::default() }
        });
        self.packed.push(packed);
    }

    /// The flow with this index, in the order of adding.
    ///
    /// # Panics
    /// If there is no such flow.
    #[inline]
    pub fn get(&self, at: usize) -> (FlowKey, Counters) {
        (self.key(at), self.counters(at))
    }

    /// The key of the flow with this index.
    ///
    /// # Panics
    /// The same as [`Self::get`].
    #[inline]
    pub fn key(&self, at: usize) -> FlowKey {
        self.keys.key(self.packed[at].key)
    }

    /// The counters of the flow with this index.
    ///
    /// # Panics
    /// The same as [`Self::get`].
    #[inline]
    pub fn counters(&self, at: usize) -> Counters {
        let packed = &self.packed[at];
        packed.stored().map_or_else(|| packed.counters(self.since_ns), |at| self.stored[at])
    }

    /// The bytes of the flow with this index.
    ///
    /// # Panics
    /// The same as [`Self::get`].
    #[inline]
    pub fn bytes(&self, at: usize) -> u64 {
        let packed = &self.packed[at];
        packed.stored().map_or_else(|| packed.bytes.into(), |at| self.stored[at].bytes)
    }

    /// All flows, in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FlowKey, Counters)> + '_ {
        (0..self.len()).map(|at| self.get(at))
    }
}

impl PackedFlow {
    /// The flow, if its counters fit.
    fn of(key: CompactKey, counters: &Counters, since_ns: u64) -> Option<Self> {
        let Counters { packets, bytes, frame_bytes, device_packets, device_bytes, .. } = *counters;
        let headless = match frame_bytes.checked_sub(device_bytes)? {
            0 => 0,
            hidden if packets.checked_mul(ETHERNET_HEADER) == Some(hidden) => form::HEADLESS,
            _ => return None,
        };
        let fits = device_packets == packets && counters.tcp_flags < form::HEADLESS.into();
        if !fits {
            return None;
        }
        let (first, first_high) = halves(counters.first_ns.wrapping_sub(since_ns))?;
        let (lasting, lasting_high) = halves(counters.last_ns.wrapping_sub(counters.first_ns))?;
        Some(Self {
            key: key.with_number(counters.tcp_flags as u16 | headless),
            packets: packets.try_into().ok()?,
            bytes: bytes.try_into().ok()?,
            frame_bytes: frame_bytes.try_into().ok()?,
            first,
            lasting,
            first_high,
            lasting_high,
        })
    }

    /// The index of its counters, if they are stored separately.
    #[inline]
    fn stored(&self) -> Option<usize> {
        (self.key.number() & form::STORED != 0).then_some(self.packets as usize)
    }

    #[inline]
    fn counters(&self, since_ns: u64) -> Counters {
        let packets = u64::from(self.packets);
        let frame_bytes = u64::from(self.frame_bytes);
        let number = self.key.number();
        let is_headless = number & form::HEADLESS != 0;
        let hidden = if is_headless { packets * ETHERNET_HEADER } else { 0 };
        let first_ns = since_ns.wrapping_add(whole(self.first, self.first_high));
        Counters {
            packets,
            bytes: self.bytes.into(),
            frame_bytes,
            device_packets: packets,
            device_bytes: frame_bytes - hidden,
            first_ns,
            last_ns: first_ns.wrapping_add(whole(self.lasting, self.lasting_high)),
            tcp_flags: (number & !form::HEADLESS).into(),
        }
    }
}

/// The lower 32 bits of a number, and the 16 bits above; `None` if it has more.
fn halves(number: u64) -> Option<(u32, u16)> {
    Some((number as u32, (number >> u32::BITS).try_into().ok()?))
}

fn whole(low: u32, high: u16) -> u64 {
    u64::from(low) | u64::from(high) << u32::BITS
}

impl FromIterator<(FlowKey, Counters)> for Flows {
    fn from_iter<I: IntoIterator<Item = (FlowKey, Counters)>>(flows: I) -> Self {
        let flows = flows.into_iter();
        let mut packed = Self::with_capacity(flows.size_hint().0);
        flows.for_each(|(key, counters)| packed.push(&key, &counters));
        packed
    }
}

impl From<Vec<(FlowKey, Counters)>> for Flows {
    fn from(flows: Vec<(FlowKey, Counters)>) -> Self {
        flows.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small number, one near the limit of this many bits, or any number.
    fn number(random: &mut fastrand::Rng, bits: u32) -> u64 {
        match random.u8(0..8) {
            0 => 1 << bits,
            1 => (1 << bits) - 1,
            2 => random.u64(..),
            3 => 0,
            _ => random.u64(..1 << 20),
        }
    }

    fn flow(random: &mut fastrand::Rng) -> (FlowKey, Counters) {
        let address = |random: &mut fastrand::Rng| match random.u8(0..3) {
            0 => [random.u64(..), random.u64(..)],
            _ => [random.u32(..).into(), 0],
        };
        let packets = number(random, 32);
        let frame_bytes = number(random, 32);
        let (device_packets, device_bytes) = match random.u8(0..4) {
            0 => (packets, frame_bytes.wrapping_sub(packets.wrapping_mul(ETHERNET_HEADER))),
            1 => (random.u64(..4), random.u64(..100)),
            _ => (packets, frame_bytes),
        };
        let first_ns =
            (1u64 << 60).wrapping_add(number(random, 47)).wrapping_sub(number(random, 47));
        let key = FlowKey {
            src: address(random),
            dst: address(random),
            ifindex: random.u32(..),
            sport: random.u16(..),
            dport: random.u16(..),
            protocol: random.u8(..),
            family: *random.choice([4, 4, 6, 0].iter()).unwrap_or(&4),
            direction: random.u8(..5),
            reserved: u8::from(random.u8(..) == 0),
            reserved_word: u32::from(random.u8(..) == 0),
        };
        let counters = Counters {
            packets,
            bytes: number(random, 32),
            frame_bytes,
            device_packets,
            device_bytes,
            first_ns,
            last_ns: first_ns.wrapping_add(number(random, 48)),
            tcp_flags: number(random, 14),
        };
        (key, counters)
    }

    #[test]
    fn every_added_flow_reads_back() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..100 {
            let flows: Vec<_> = (0..random.usize(0..200)).map(|_| flow(&mut random)).collect();
            let packed: Flows = flows.iter().copied().collect();
            assert_eq!(packed.len(), flows.len());
            assert!(packed.iter().eq(flows.iter().copied()));
            for (at, flow) in flows.iter().enumerate() {
                assert_eq!(packed.get(at), *flow);
                assert_eq!(packed.bytes(at), flow.1.bytes);
            }
        }
    }

    #[test]
    fn plain_flows_are_kept_brief() {
        let counters = Counters {
            packets: 3,
            bytes: 300,
            frame_bytes: 342,
            device_packets: 3,
            device_bytes: 342,
            first_ns: 1_700_000_000_000_000_000,
            last_ns: 1_700_000_005_000_000_000,
            tcp_flags: 0x12,
        };
        let v4 =
            FlowKey { src: [1, 0], dst: [2, 0], family: 4, direction: 1, ..FlowKey::default() };
        let v6 = FlowKey { src: [1, 7], family: 6, ..v4 };
        let on_loopback = Counters { device_bytes: 300, ..counters };
        let earlier = Counters { first_ns: counters.first_ns - 3_600_000_000_000, ..counters };
        let flows = [(v4, counters), (v6, counters), (v4, on_loopback), (v4, earlier)];
        let packed: Flows = flows.into_iter().collect();
        assert!(packed.stored.is_empty());
        assert_eq!(packed.keys.stored(), 1);
    }
}
