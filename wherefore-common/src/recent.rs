//! The flows that a CPU met often of late, as kernel and agent see them. Owns the layout; who is in
//! there and when is decided in wherefore-ebpf, and what that adds up to in wherefore-agent.

use crate::{Counters, FlowKey};

/// Slots of a row: a value of a per-CPU map has at most 32 KiB.
pub const SLOTS: usize = 128;
/// Rows beside each of the two flow maps: 256 KiB for each CPU, which a level-2 cache has room for.
pub const ROWS: u32 = 16;
/// Every so many packets that a CPU counts of a flow in the map, the flow takes a slot there: often
/// enough for flows that matter, and seldom enough for flows that take turns to cost little more
/// than the map alone.
pub const PACKETS_TO_A_SLOT: u64 = 16;

/// One flow: two cache lines.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Slot {
    /// All zeros where the slot is empty.
    pub key: FlowKey,
    /// The number of the filter that the flow has passed, 0 where none was in force.
    pub filter: u64,
    /// Not used; keeps slots to cache lines.
    pub reserved: u64,
    /// What was counted since the flow got the slot, and is not in the flow map.
    pub counters: Counters,
}

const _: () = assert!(size_of::<Slot>() == 128);

/// A part of the slots that a CPU has beside a flow map.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Row {
    /// The timer tick (jiffies) of the last frame.
    pub tick: u64,
    /// The time of the first frame in that tick, CLOCK_MONOTONIC.
    pub now_ns: u64,
    /// The flows, each where its key says.
    pub slots: [Slot; SLOTS],
}

impl Default for Row {
    fn default() -> Self {
        Self { tick: 0, now_ns: 0, slots: [Slot::default(); SLOTS] }
    }
}

impl Row {
    /// The flows in it, with what is counted here of each.
    pub fn taken(&self) -> impl Iterator<Item = (FlowKey, Counters)> {
        let taken = self.slots.iter().filter(|slot| slot.key.family != 0);
        taken.map(|slot| (slot.key, slot.counters))
    }
}
