//! The map that all CPUs share: adding to it while other CPUs add at the same time. Owns that no addition is
//! lost.

use core::arch::asm;

use aya_ebpf::bindings::BPF_NOEXIST;
use wherefore_common::{Counters, FlowKey};

use crate::maps::Flows;

/// The result of adding to a flow.
pub(crate) enum Added {
    No,
    /// The flow was new.
    ToNew,
    /// The flow now has this many packets in the map.
    ToPackets(u64),
}

/// Adds to the flow; inserts it if it is new. NOEXIST makes sure that an insert never overwrites an entry
/// that another CPU inserted meanwhile; the second look-up then finds that entry.
#[inline(always)]
pub(crate) fn add_to_map(flows: &Flows, key: &FlowKey, delta: &Counters) -> Added {
    if let Some(counters) = flows.get_ptr_mut(key) {
        // SAFETY: a value of the map, which has just been found.
        return Added::ToPackets(unsafe { add_shared(counters, delta) });
    }
    if flows.insert(key, delta, u64::from(BPF_NOEXIST)).is_ok() {
        return Added::ToNew;
    }
    match flows.get_ptr_mut(key) {
        // SAFETY: a value of the map, which has just been found.
        Some(counters) => Added::ToPackets(unsafe { add_shared(counters, delta) }),
        None => Added::No,
    }
}

/// Adds to a value to which other CPUs may add at the same time; returns its packets. Sums use atomic
/// instructions, flags are set byte by byte, and if two CPUs set a time at the same moment, one of them
/// wins.
///
/// # Safety
/// It must be a value of a flow map that was found in this run: such memory is not reused before the run ends.
#[inline(always)]
unsafe fn add_shared(counters: *mut Counters, delta: &Counters) -> u64 {
    // SAFETY: a map's value, as the caller vouches, and those are aligned to words.
    unsafe {
        add_atomically(&raw mut (*counters).packets, delta.packets);
        add_atomically(&raw mut (*counters).bytes, delta.bytes);
        add_atomically(&raw mut (*counters).frame_bytes, delta.frame_bytes);
        add_atomically(&raw mut (*counters).device_packets, delta.device_packets);
        add_atomically(&raw mut (*counters).device_bytes, delta.device_bytes);
        let (first, last) = (&raw mut (*counters).first_ns, &raw mut (*counters).last_ns);
        if delta.first_ns < first.read_volatile() {
            first.write_volatile(delta.first_ns);
        }
        if delta.last_ns > last.read_volatile() {
            last.write_volatile(delta.last_ns);
        }
        set_flags(&raw mut (*counters).tcp_flags, delta.tcp_flags);
        (&raw const (*counters).device_packets).read_volatile()
    }
}

#[inline(always)]
unsafe fn add_atomically(sum: *mut u64, number: u64) {
    // SAFETY: the caller's pointer is valid. The instruction without a result, which every kernel
    // has; core's atomics want the one with, which came with Linux 5.12.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) sum, in(reg) number, options(nostack)) };
}

/// Stores the bytes that are new, and no others: another CPU may set these meanwhile.
#[inline(always)]
unsafe fn set_flags(flags: *mut u64, spread: u64) {
    // SAFETY: the caller's pointer is valid.
    let missing = spread & !unsafe { flags.read_volatile() };
    if missing == 0 {
        return;
    }
    for (at, octet) in missing.to_ne_bytes().into_iter().enumerate() {
        if octet != 0 {
            // SAFETY: one of the word's bytes.
            unsafe { flags.cast::<u8>().add(at).write_volatile(octet) };
        }
    }
}
