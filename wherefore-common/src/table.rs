//! The table in front of the flow map, in which nearly every flow is counted; each CPU has its own part. Owns
//! its layout, for kernel and agent. wherefore-ebpf decides which flow gets a slot and when, and
//! wherefore-agent adds up the counts.

use core::mem::offset_of;
use core::ops::RangeInclusive;

use crate::flow::AddressWords;
use crate::parse::{first_word, ipv4_words};
use crate::{Counters, FlowKey};

/// The number of slots in a row: a value of a per-CPU map has at most 32 KiB.
pub const SLOTS_TO_A_ROW: usize = 128;
/// The most rows that a CPU has for an interval.
pub const MAX_ROWS: usize = 32_768;
/// The number of slots in which a flow may be: from the one of its hash on, in the same row.
pub const WAYS: usize = 4;
/// A flow whose slots are all taken is counted in the map. Every 16th packet there takes over the slot of
/// another flow: this is often enough for flows that matter, and so rare that flows which alternate cost
/// little more than the map alone.
pub const PACKETS_TO_A_SLOT: u64 = 16;

/// One flow: a cache line, which is all the memory that nearly every packet touches. Few flows need
/// its [`ColdFields`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Slot {
    /// The IPv4 addresses; for IPv6 a number that depends on both addresses. This and the next two words
    /// belong to the flow that took the slot last.
    pub addresses: u64,
    /// Interface and ports; see [`ShortKey::ports`].
    pub ports: u64,
    /// In the high half, the number of the epoch in which the flow was last checked against the filter; below
    /// it [`ShortKey::kind`], [`LEFT_OUT`], [`EXTENDED`] and the TCP flags. If the number is lower than those
    /// of this interval, the slot is free: so the table need not be cleared.
    pub state: u64,
    /// The number of frames. These are packets, except for those that the cold fields add.
    pub frames: u32,
    /// The timer tick (the low bits of jiffies) of the last packet; `last_ns` is the time of this tick.
    pub tick: u32,
    /// The same as [`Counters::bytes`]. This and the rest are counts since the flow got the slot. They are
    /// not included in the flow map or, for filtered flows, in the uncounted frames.
    pub bytes: u64,
    /// The same as [`Counters::device_bytes`].
    pub device_bytes: u64,
    /// The time of the first packet; see [`Slot::first_ns`].
    pub first: u32,
    /// The low half of the cookie of the socket that sent the first packet; 0 if there is none that this
    /// interface can see.
    pub socket: u32,
    /// The same as [`Counters::last_ns`].
    pub last_ns: u64,
}

const _: () = assert!(size_of::<Slot>() == 64);

/// The cold fields of a slot, which few slots need: another cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ColdFields {
    /// The IPv6 source.
    pub src: AddressWords,
    /// The IPv6 destination.
    pub dst: AddressWords,
    /// Frames that did not fit in the slot's counter. This and the next two are valid only if the slot is
    /// [`EXTENDED`].
    pub frames: u64,
    /// The number of packets on the wire beyond the frames: the further segments of GSO/GRO packets.
    pub segments: u64,
    /// The bytes on the wire beyond those of the frames: headers that segments repeat.
    pub headers: u64,
    /// Not used.
    pub reserved: u64,
}

const _: () = assert!(size_of::<ColdFields>() == 64);

/// Set in [`Slot::state`] for a filtered flow: its counts belong to the uncounted frames.
pub const LEFT_OUT: u64 = 1 << 8;
/// Set in [`Slot::state`] if the cold fields are valid.
pub const EXTENDED: u64 = 1 << 9;
/// The TCP flags in [`Slot::state`].
pub const TCP_FLAGS: u64 = 0xff;
/// The position of the epoch's number in [`Slot::state`].
const EPOCH_SHIFT: u32 = 32;
/// The number of low bits of a time that are dropped.
const TIME_SHIFT: u32 = 10;
/// The position of the kind in [`Slot::state`], above the flags and marks.
const KIND_SHIFT: u32 = 16;

/// A flow key without IPv6 addresses, as the words of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortKey {
    /// See [`Slot::addresses`].
    pub addresses: u64,
    /// From the lowest bit: interface (32 bits), destination port, source port.
    pub ports: u64,
    /// From bit 16: protocol (8 bits), family (4), direction (4).
    pub kind: u64,
}

impl ShortKey {
    /// The word for addresses.
    #[inline(always)]
    pub fn addresses(family: u8, src: &AddressWords, dst: &AddressWords) -> u64 {
        if family == 4 {
            return u64::from(first_word(*src)) | u64::from(first_word(*dst)) << 32;
        }
        // With different factors, so that a flow and its reverse do not share a slot.
        (src[0] ^ src[1]).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (dst[0] ^ dst[1]).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
    }

    /// The word for interface and ports; `ports` are source and destination port as in a packet, in host byte
    /// order.
    #[inline(always)]
    pub fn ports(ifindex: u32, ports: u32) -> u64 {
        u64::from(ifindex) | u64::from(ports) << 32
    }

    /// The word for protocol, family and direction.
    #[inline(always)]
    pub fn kind(protocol: u8, family: u8, direction: u8) -> u64 {
        (u64::from(protocol) | u64::from(family) << 8 | u64::from(direction) << 12) << KIND_SHIFT
    }

    /// The flow key; for IPv6 with these addresses.
    #[inline(always)]
    pub fn with(&self, src: &AddressWords, dst: &AddressWords) -> FlowKey {
        let [protocol, family_direction, ..] = (self.kind >> KIND_SHIFT).to_le_bytes();
        let (family, direction) = (family_direction & 15, family_direction >> 4 & 15);
        let (src, dst) = match family {
            4 => (ipv4_words(self.addresses as u32), ipv4_words((self.addresses >> 32) as u32)),
            _ => (*src, *dst),
        };
        let (ifindex, sport) = (self.ports as u32, (self.ports >> 48) as u16);
        let dport = (self.ports >> 32) as u16;
        FlowKey {
            src,
            dst,
            ifindex,
            sport,
            dport,
            protocol,
            family,
            direction,
            reserved: 0,
            reserved_word: 0,
        }
    }

    /// The state of a slot of this flow, without flags and marks.
    #[inline(always)]
    pub fn state(&self, epoch: u32) -> u64 {
        self.kind | u64::from(epoch) << EPOCH_SHIFT
    }
}

impl Slot {
    /// The number of the epoch in which the flow was last checked against the filter.
    #[inline(always)]
    pub fn epoch(&self) -> u32 {
        (self.state >> EPOCH_SHIFT) as u32
    }

    /// Sets the epoch in which the flow was last checked.
    #[inline(always)]
    pub fn set_epoch(&mut self, epoch: u32) {
        self.state = self.state & ((1 << EPOCH_SHIFT) - 1) | u64::from(epoch) << EPOCH_SHIFT;
    }

    /// Whether its counts belong to the uncounted frames.
    #[inline(always)]
    pub fn is_left_out(&self) -> bool {
        self.state & LEFT_OUT != 0
    }

    /// Whether the slot belongs to this flow, apart from IPv6 addresses, and to this epoch.
    #[inline(always)]
    pub fn is_of(&self, key: &ShortKey, epoch: u32) -> bool {
        self.addresses == key.addresses
            && self.ports == key.ports
            && (self.state ^ key.state(epoch)) >> KIND_SHIFT == 0
    }

    /// A time in the form of [`Slot::first`], which has only its middle bits: less than a microsecond is
    /// dropped, and the value repeats after 73 minutes.
    #[inline(always)]
    pub fn short_time(time_ns: u64) -> u32 {
        (time_ns >> TIME_SHIFT) as u32
    }

    /// The time of the first packet: exactly that of the last packet if both came at once, otherwise exact to
    /// 2 microseconds. In an interval of more than an hour it may be too late, but not too early.
    #[inline(always)]
    pub fn first_ns(&self) -> u64 {
        let lasting = Self::short_time(self.last_ns).wrapping_sub(self.first);
        self.last_ns - (u64::from(lasting) << TIME_SHIFT)
    }

    /// The key of the flow.
    #[inline(always)]
    pub fn key(&self, cold: &ColdFields) -> FlowKey {
        let kind = self.state & (0xffff << KIND_SHIFT);
        ShortKey { addresses: self.addresses, ports: self.ports, kind }.with(&cold.src, &cold.dst)
    }

    /// Its counters.
    #[inline(always)]
    pub fn counters(&self, cold: &ColdFields) -> Counters {
        let (frames, segments, headers) = match self.state & EXTENDED {
            0 => (0, 0, 0),
            _ => (cold.frames, cold.segments, cold.headers),
        };
        let device_packets = u64::from(self.frames) + frames;
        Counters {
            packets: device_packets + segments,
            bytes: self.bytes,
            frame_bytes: self.device_bytes + headers,
            device_packets,
            device_bytes: self.device_bytes,
            first_ns: self.first_ns(),
            last_ns: self.last_ns,
            tcp_flags: self.state & TCP_FLAGS,
        }
    }
}

/// The slots of a CPU for every second interval.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Row {
    /// The slots; a flow is at the index of its hash or a little later. Separate from the cold fields, so that
    /// they occupy few pages.
    pub slots: [Slot; SLOTS_TO_A_ROW],
    /// The cold fields of each slot.
    pub cold_fields: [ColdFields; SLOTS_TO_A_ROW],
}

// The kernel computes the address of cold fields from that of its slot.
const _: () = assert!(size_of::<Slot>() == size_of::<ColdFields>() && offset_of!(Row, slots) == 0);

impl Default for Row {
    fn default() -> Self {
        let (slot, cold) = Default::default();
        Self { slots: [slot; SLOTS_TO_A_ROW], cold_fields: [cold; SLOTS_TO_A_ROW] }
    }
}

impl Row {
    /// The slots that flows took in an interval with these numbers of epochs.
    pub fn taken(&self, epochs: RangeInclusive<u32>) -> impl Iterator<Item = (&Slot, &ColdFields)> {
        let slots = self.slots.iter().zip(&self.cold_fields);
        slots.filter(move |(slot, _)| epochs.contains(&slot.epoch()))
    }
}

/// The rows in which a CPU has assigned slots; the others need not be read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TakenRows {
    /// One bit for each row.
    pub words: [u64; MAX_ROWS / u64::BITS as usize],
}

impl Default for TakenRows {
    fn default() -> Self {
        Self { words: [0; MAX_ROWS / u64::BITS as usize] }
    }
}

/// The time of the last packet.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Clock {
    /// The timer tick (jiffies).
    pub tick: u64,
    /// The time of the first packet in this tick, by CLOCK_MONOTONIC.
    pub now_ns: u64,
}

/// TCP flags as the kernel stores them in counters: a byte for each flag, with the flag at its usual bit.
/// CPUs that share a value set bytes without a lock, and none loses a flag of another.
#[inline(always)]
pub fn spread_flags(flags: u64) -> u64 {
    (flags & 0xff).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
}

/// The inverse of [`spread_flags`].
#[inline(always)]
pub fn gather_flags(spread: u64) -> u64 {
    // The highest byte of the product is the sum of all bytes, of which no two have the same bit.
    spread.wrapping_mul(0x0101_0101_0101_0101) >> 56
}

/// The counters in the form that all other code uses.
pub fn gathered(counters: &Counters) -> Counters {
    Counters { tcp_flags: gather_flags(counters.tcp_flags), ..*counters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_times_are_kept_to_two_microseconds() {
        let mut slot = Slot::default();
        for first_ns in [1_023, 5_000_000_000, 0x3ff_ffff_fffe, u64::from(u32::MAX) << 10] {
            for lasting_ns in [0, 1, 1_000_000, 60_000_000_000, 3_600_000_000_000] {
                slot.first = Slot::short_time(first_ns);
                slot.last_ns = first_ns + lasting_ns;
                let limit = if lasting_ns == 0 { 0 } else { 2_048 };
                assert!(slot.first_ns().abs_diff(first_ns) <= limit, "{first_ns} {lasting_ns}");
            }
        }
    }

    #[test]
    fn each_flag_has_a_byte() {
        for flags in 0..=255 {
            let spread = spread_flags(flags);
            assert_eq!(gather_flags(spread), flags);
            let bytes = spread.to_ne_bytes();
            assert_eq!(bytes.iter().filter(|byte| **byte != 0).count() as u32, flags.count_ones());
        }
    }
}
