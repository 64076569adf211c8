//! The table in front of the flow map, of which each CPU has a part of its own: where nearly every
//! flow is counted. Owns its layout, as kernel and agent see it; who is in it and when is decided in
//! wherefore-ebpf, and what that adds up to in wherefore-agent.

use crate::{Counters, FlowKey};

/// Slots of a row: a value of a per-CPU map has at most 32 KiB.
pub const SLOTS_TO_A_ROW: usize = 128;
/// Rows that a CPU has for an interval, at most.
pub const MAX_ROWS: usize = 32_768;
/// Slots that a flow may be in: those from its own on, in its row.
pub const WAYS: usize = 4;
/// A flow whose slots are all taken is counted in the map. Every so many packets there it takes
/// another's slot: often enough for flows that matter, and seldom enough for flows that take turns
/// to cost little more than the map alone.
pub const PACKETS_TO_A_SLOT: u64 = 16;

/// Marks a slot's number of a filter: that filter leaves the flow out. Filters have lower numbers.
pub const LEFT_OUT: u32 = 1 << 31;

/// One flow: two cache lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Slot {
    /// Of the flow that took the slot last.
    pub key: FlowKey,
    /// The number of the interval in which it did, 0 where no flow ever took the slot. In any other
    /// the slot is free: so nobody has to empty it.
    pub interval: u32,
    /// The number of the filter that the flow was put to, with [`LEFT_OUT`] where it did not pass; 0
    /// where none was in force.
    pub filter: u32,
    /// The timer tick (jiffies) of the last packet: `last_ns` is the time of that tick.
    pub tick: u64,
    /// What was counted since the flow got the slot, and is not in the flow map or, of what is left
    /// out, in a remainder.
    pub counters: Counters,
}

const _: () = assert!(size_of::<Slot>() == 128);

impl Slot {
    /// Whether what is counted belongs to a remainder.
    #[inline(always)]
    pub fn is_left_out(&self) -> bool {
        self.filter & LEFT_OUT != 0
    }
}

/// A part of the slots that a CPU has for every other interval.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Row {
    /// The flows, each where its key says or a little later.
    pub slots: [Slot; SLOTS_TO_A_ROW],
}

impl Default for Row {
    fn default() -> Self {
        Self { slots: [Slot::default(); SLOTS_TO_A_ROW] }
    }
}

impl Row {
    /// The slots that flows took in this interval.
    pub fn taken(&self, interval: u32) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.interval == interval)
    }
}

/// In which rows a CPU has given slots away, so that the others need not be read.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TakenRows {
    /// One bit a row.
    pub words: [u64; MAX_ROWS / u64::BITS as usize],
}

impl Default for TakenRows {
    fn default() -> Self {
        Self { words: [0; MAX_ROWS / u64::BITS as usize] }
    }
}

/// When the last packet came.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Clock {
    /// The timer tick (jiffies).
    pub tick: u64,
    /// The time of the first packet in that tick, CLOCK_MONOTONIC.
    pub now_ns: u64,
}

/// TCP flags as the kernel has them in counters: an octet each, in which the flag is where it always
/// is. CPUs that share a value set octets without a lock, and lose none of each other's.
#[inline(always)]
pub fn spread_flags(flags: u64) -> u64 {
    (flags & 0xff).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
}

/// The inverse of [`spread_flags`].
pub fn gather_flags(spread: u64) -> u64 {
    spread.to_ne_bytes().iter().fold(0, |flags, octet| flags | u64::from(*octet))
}

/// Counters of the kernel as all others know them.
pub fn gathered(counters: &Counters) -> Counters {
    Counters { tcp_flags: gather_flags(counters.tcp_flags), ..*counters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_an_octet_each() {
        for flags in 0..=255 {
            let spread = spread_flags(flags);
            assert_eq!(gather_flags(spread), flags);
            let octets = spread.to_ne_bytes();
            assert_eq!(
                octets.iter().filter(|octet| **octet != 0).count() as u32,
                flags.count_ones()
            );
        }
    }
}
