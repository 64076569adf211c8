//! The first bytes of watched packets, which the agent keeps as evidence. Owns the ring buffer; refuses to
//! wait: packets that do not fit are counted and dropped.
//!
//! The verifier removes all of this if `EVIDENCE` is 0.

use core::arch::asm;
use core::ptr::addr_of_mut;

use aya_ebpf::Global;
use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::btf_maps::{PerCpuArray, RingBuf};
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::helpers::generated::bpf_ringbuf_query;
use aya_ebpf::macros::btf_map;
use wherefore_common::Direction;
use wherefore_common::evidence::{Head, ROOMS};

use crate::packet::Hook;

/// The number of bytes of each watched packet that are kept; 0: none.
#[unsafe(no_mangle)]
pub(crate) static EVIDENCE: Global<u32> = Global::new(0);

/// The number of bytes in the ring above which the agent is woken. Below it, the agent checks from time to time.
#[unsafe(no_mangle)]
pub(crate) static EVIDENCE_WAKE: Global<u32> = Global::new(0);

/// The agent sets its size when it loads it. If it is full, the packet is counted in `EVIDENCE_LOST`.
#[btf_map]
pub(crate) static EVIDENCE_RING: RingBuf<u8, 4096> = RingBuf::new();

/// The number of packets that did not fit.
#[btf_map]
pub(crate) static EVIDENCE_LOST: PerCpuArray<u64, 1> = PerCpuArray::new();

/// Space for a record in the ring.
#[repr(C, align(8))]
struct Room<const N: usize> {
    head: Head,
    bytes: [u8; N],
}

/// Keeps the first bytes of a watched packet.
#[inline(always)]
pub(crate) fn keep<H: Hook>(hook: &H, direction: Direction, is_layer_3: bool) {
    let wanted = EVIDENCE.load();
    if wanted == 0 {
        return;
    }
    let head = head_of(hook, wanted, direction, is_layer_3);
    let is_kept = match head.captured as usize {
        len if len <= ROOMS[0] => copy::<H, { ROOMS[0] }>(&EVIDENCE_RING, hook, &head, wake),
        len if len <= ROOMS[1] => copy::<H, { ROOMS[1] }>(&EVIDENCE_RING, hook, &head, wake),
        len if len <= ROOMS[2] => copy::<H, { ROOMS[2] }>(&EVIDENCE_RING, hook, &head, wake),
        _ => copy::<H, { ROOMS[3] }>(&EVIDENCE_RING, hook, &head, wake),
    };
    if !is_kept && let Some(lost) = EVIDENCE_LOST.get_ptr_mut(0) {
        // SAFETY: this CPU's own, on which no other program runs meanwhile.
        unsafe { *lost += 1 };
    }
}

/// What the hook knows about a packet of which at most this many bytes are kept.
#[inline(always)]
pub(crate) fn head_of<H: Hook>(
    hook: &H,
    wanted: u32,
    direction: Direction,
    is_layer_3: bool,
) -> Head {
    let frame_len = hook.total_len() as u32;
    Head {
        // SAFETY: it only reads a clock.
        time_ns: unsafe { bpf_ktime_get_ns() },
        ifindex: hook.ifindex(),
        frame_len,
        captured: frame_len.min(wanted),
        vlan: hook.vlan(),
        direction: direction as u32,
        is_layer_3: u32::from(is_layer_3),
    }
}

/// Reserves space in a ring, fills it and submits it; returns whether this worked. `flags` decide whether the
/// agent is woken.
#[inline(always)]
pub(crate) fn copy<H: Hook, const N: usize>(
    ring: &RingBuf<u8, 4096>,
    hook: &H,
    head: &Head,
    flags: fn() -> u64,
) -> bool {
    let Some(mut room) = ring.reserve_untyped::<Room<N>>(0) else { return false };
    let at: *mut Room<N> = room.as_mut_ptr();
    let len = bounded::<N>(head.captured as usize);
    // SAFETY: the room is a `Room<N>`, which nobody reads before it is handed over; `len` bytes
    // fit its `bytes`.
    let is_copied = unsafe {
        addr_of_mut!((*at).head).write(*head);
        hook.load_bytes(0, addr_of_mut!((*at).bytes).cast(), len)
    };
    if is_copied {
        room.submit(flags());
    } else {
        room.discard(u64::from(BPF_RB_NO_WAKEUP));
    }
    is_copied
}

/// The same length, from 1 to `N` (a power of two), in a form in which the verifier sees both bounds,
/// whatever the compiler already knows.
#[inline(always)]
fn bounded<const N: usize>(mut len: usize) -> usize {
    const { assert!(N.is_power_of_two()) };
    // SAFETY: it moves a register to itself.
    unsafe { asm!("{0} = {0}", inout(reg) len, options(nomem, nostack, preserves_flags)) };
    (len.wrapping_sub(1) & (N - 1)) + 1
}

/// Wakes the agent only if the ring fills up, because waking it for each packet would cost more than the copy.
#[inline(always)]
fn wake() -> u64 {
    let ring = core::ptr::from_ref(&EVIDENCE_RING).cast_mut().cast();
    // SAFETY: the address of a map is what the helper wants; it only reads the ring's positions.
    let waiting = unsafe { bpf_ringbuf_query(ring, u64::from(BPF_RB_AVAIL_DATA)) };
    let is_filling = waiting >= u64::from(EVIDENCE_WAKE.load());
    u64::from(if is_filling { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP })
}
