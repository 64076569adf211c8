//! DNS answers, from which the agent learns the names of addresses. Owns a separate ring buffer for them;
//! refuses to wait and to parse: answers that do not fit are counted and dropped.
//!
//! The verifier removes all of this if `DNS` is 0.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::btf_maps::{PerCpuArray, RingBuf};
use aya_ebpf::macros::btf_map;
use wherefore_common::evidence::ROOMS;
use wherefore_common::{Direction, FlowKey, dns};

use crate::evidence::{copy, head_of};
use crate::packet::Hook;

/// 1: keep DNS answers.
#[unsafe(no_mangle)]
pub(crate) static DNS: Global<u32> = Global::new(0);

/// The agent sets its size when it loads it, and empties it at each drain. If it is full, the answer is
/// counted in `DNS_LOST`.
#[btf_map]
pub(crate) static DNS_RING: RingBuf<u8, 4096> = RingBuf::new();

/// The number of answers that did not fit, or that are longer than any record.
#[btf_map]
pub(crate) static DNS_LOST: PerCpuArray<u64, 1> = PerCpuArray::new();

/// Whether a packet with these ports may be a DNS answer: one comparison for all other packets.
#[inline(always)]
pub(crate) fn is_wanted(ports: u32) -> bool {
    ports >> 16 == u32::from(dns::PORT) && DNS.load() != 0
}

/// Keeps a packet from a DNS server; returns 0 if there is no space. A separate function, so that its stack
/// and registers do not burden the fast path.
#[inline(never)]
pub(crate) fn keep<H: Hook>(hook: H, flow: &FlowKey, is_layer_3: u32) -> u32 {
    if DNS.load() == 0 || !dns::is_from_server(flow) {
        return 1;
    }
    let hook = &hook;
    let direction = if flow.direction == 1 { Direction::Ingress } else { Direction::Egress };
    let head = head_of(hook, ROOMS[1] as u32, direction, is_layer_3 != 0);
    let is_kept = if head.captured as usize <= ROOMS[0] {
        copy::<H, { ROOMS[0] }>(&DNS_RING, hook, &head, no_wakeup)
    } else {
        copy::<H, { ROOMS[1] }>(&DNS_RING, hook, &head, no_wakeup)
    };
    if !is_kept && let Some(lost) = DNS_LOST.get_ptr_mut(0) {
        // SAFETY: this CPU's own, on which no other program runs meanwhile.
        unsafe { *lost += 1 };
    }
    u32::from(is_kept)
}

#[inline(always)]
fn no_wakeup() -> u64 {
    u64::from(BPF_RB_NO_WAKEUP)
}
