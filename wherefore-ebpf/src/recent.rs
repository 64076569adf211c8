//! Where a flow is counted: in the flow map, or beside it, among the few flows that this CPU met
//! often of late, for a sixth of what a look-up in the map takes.
//!
//! The map stays the home of every flow: each is inserted there first, so that a full map is full,
//! and what was counted beside it is added to it when another flow takes the slot, or by the agent
//! when it drains both. Owns the slots and the clock; refuses to lose a count.

use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::helpers::{bpf_ktime_get_ns, generated::bpf_jiffies64};
use wherefore_common::recent::{PACKETS_TO_A_SLOT, ROWS, Row, SLOTS, Slot};
use wherefore_common::{Counters, FlowKey};

use crate::account::add;
use crate::maps::{ACTIVE_FLOWS, Flows, RECENT, WRITING};

type Words = [u64; size_of::<FlowKey>() / size_of::<u64>()];

/// Where a flow is counted.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Of the flow map.
    number: u32,
    /// It always exists.
    row: Option<*mut Row>,
    slot: usize,
}

impl Place {
    /// In what is written to now. That is read once for each packet: whatever the agent does
    /// meanwhile, map and slot are of the same interval.
    #[inline(always)]
    pub(crate) fn of(key: &FlowKey) -> Self {
        const { assert!(SLOTS.is_power_of_two() && ROWS.is_power_of_two()) };
        let written = WRITING.get(0).map(core::ptr::from_ref);
        // SAFETY: an array's entry lives as long as the program. Volatile, so that it is read once.
        let number = written.map_or(0, |number| unsafe { number.read_volatile() });
        // The highest bits, because lower ones depend on a part of the key alone.
        let bits = ROWS.trailing_zeros() + SLOTS.trailing_zeros();
        let index = (mix(words(key)) >> (u64::BITS - bits)) as usize;
        let row = number * ROWS + (index / SLOTS) as u32;
        Self { number, row: RECENT.get_ptr_mut(row), slot: index % SLOTS }
    }

    /// The time, to a timer tick: the exact clock is asked once a tick, because that costs as much
    /// as all else.
    #[inline(always)]
    pub(crate) fn now_ns(self) -> u64 {
        // SAFETY: the helpers only read clocks; the row is this CPU's own, see `add`.
        unsafe {
            let Some(row) = self.row.map(|row| &mut *row) else { return bpf_ktime_get_ns() };
            let tick = bpf_jiffies64();
            if row.tick != tick {
                (row.tick, row.now_ns) = (tick, bpf_ktime_get_ns());
            }
            row.now_ns
        }
    }

    /// Counts the frame where its flow has a slot that it got behind this filter; whether it has. A
    /// slot of an earlier filter says nothing of this one.
    #[inline(always)]
    pub(crate) fn count_in_slot(self, key: &FlowKey, filter: u64, delta: &Counters) -> bool {
        let Some(slot) = self.slot() else { return false };
        let is_hit = slot.filter == filter && is_same(words(&slot.key), words(key));
        if is_hit {
            add(&mut slot.counters, delta);
        }
        is_hit
    }

    /// Whether the frame, whose flow has passed this filter, could be counted in the map.
    #[inline(always)]
    pub(crate) fn count_in_map(self, key: &FlowKey, filter: u64, delta: &Counters) -> bool {
        let Some(slot) = self.slot() else { return false };
        let delta = *delta;
        count_in_map(self.number, slot, key, filter, &delta) != 0
    }

    #[inline(always)]
    fn slot<'a>(self) -> Option<&'a mut Slot> {
        // SAFETY: the row is this CPU's own, see `add`; it lives as long as the program.
        self.row.map(|row| unsafe { &mut (*row).slots[self.slot] })
    }
}

/// A number whose high bits depend on all of a key. Each part has a factor of its own, so that a
/// flow and the one against it do not share a slot.
#[inline(always)]
fn mix(&[src0, src1, dst0, dst1, ports, rest]: &Words) -> u64 {
    (src0 ^ src1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (dst0 ^ dst1).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
        ^ (ports ^ rest << 24).wrapping_mul(0x1656_67b1_9e37_79f9)
}

#[inline(always)]
fn words(key: &FlowKey) -> &Words {
    // SAFETY: a key is integers without padding, aligned to a word.
    unsafe { &*core::ptr::from_ref(key).cast() }
}

/// Plain comparison becomes a call of memcmp, which BPF runs octet by octet.
#[inline(always)]
fn is_same(a: &Words, b: &Words) -> bool {
    let mut different = 0;
    for (a, b) in a.iter().zip(b) {
        different |= a ^ b;
    }
    different == 0
}

/// Counts in the map, and gives the flow the slot when it is its turn; whether that worked. A
/// function of its own, so that its stack and registers do not burden the common path.
#[inline(never)]
fn count_in_map(number: u32, slot: &mut Slot, key: &FlowKey, filter: u64, delta: &Counters) -> u32 {
    let Some(flows) = ACTIVE_FLOWS.get(number) else { return 0 };
    match add_to_map(flows, key, delta) {
        Added::ToPackets(packets) if packets % PACKETS_TO_A_SLOT == 0 => {
            give_slot(flows, slot, key, filter)
        }
        Added::No => return 0,
        _ => {}
    }
    1
}

/// What a flow holds is written back before another gets its slot. It is in the map already, out of
/// which no program takes it.
#[inline(always)]
fn give_slot(flows: &Flows, slot: &mut Slot, key: &FlowKey, filter: u64) {
    if slot.counters.device_packets != 0
        && matches!(add_to_map(flows, &slot.key, &slot.counters), Added::No)
    {
        return;
    }
    slot.key = *key;
    slot.filter = filter;
    clear(&mut slot.counters);
}

/// Word by word: else it becomes a call of memset, which BPF runs octet by octet.
#[inline(always)]
fn clear(counters: &mut Counters) {
    let words = core::ptr::from_mut(counters).cast::<u64>();
    for word in 0..size_of::<Counters>() / size_of::<u64>() {
        // SAFETY: counters are so many words.
        unsafe { words.add(word).write_volatile(0) };
    }
}

/// Whether something was added to a flow.
enum Added {
    No,
    /// To one that was new to this CPU.
    ToNew,
    /// To a flow of which this CPU had counted packets before, now so many.
    ToPackets(u64),
}

/// Adds to the flow, which is inserted where it is new. NOEXIST makes sure that an insert never
/// overwrites what another CPU inserted meanwhile; then the second look-up finds it.
#[inline(always)]
fn add_to_map(flows: &Flows, key: &FlowKey, delta: &Counters) -> Added {
    if let Some(counters) = flows.get_ptr_mut(key) {
        add(counters, delta);
        // SAFETY: a map's value, of this CPU.
        return Added::ToPackets(unsafe { (*counters).device_packets });
    }
    if flows.insert(key, delta, u64::from(BPF_NOEXIST)).is_ok() {
        return Added::ToNew;
    }
    match flows.get_ptr_mut(key) {
        Some(counters) => {
            add(counters, delta);
            Added::ToNew
        }
        None => Added::No,
    }
}
