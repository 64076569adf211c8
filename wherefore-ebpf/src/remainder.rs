//! Counters of uncounted frames, that is, of frames in no flow, by reason. Owns these; refuses to know how
//! the reason was found.

use wherefore_common::flow::RemainderKey;
use wherefore_common::{Counters, FlowKey, Reason};

use crate::maps::{DEBUG, REMAINDERS, UNATTRIBUTED};

/// Adds to the uncounted frames with this reason, at the interface and in the direction of the flow.
#[inline(always)]
pub(crate) fn count(reason: Reason, delta: &Counters, key: &FlowKey) {
    let key = RemainderKey {
        ifindex: key.ifindex,
        direction: key.direction,
        reason: reason as u8,
        reserved: 0,
    };
    if let Some(counters) = REMAINDERS.get_ptr_mut(key) {
        // SAFETY: a value that this CPU has for itself; `delta` is another.
        unsafe { add(counters, delta) };
    } else if let Some(counters) = UNATTRIBUTED.get_ptr_mut(0) {
        // SAFETY: a value that this CPU has for itself; `delta` is another.
        unsafe { add(counters, delta) };
    }
}

/// Logs the frame if logging is enabled.
#[inline(always)]
pub(crate) fn log(reason: Reason, delta: &Counters, key: &FlowKey) {
    if DEBUG.load() != 0 {
        // aya-log wants a context only for its type; the ring buffer needs none.
        aya_log_ebpf::debug!(
            &(),
            "not in a flow: reason={} ifindex={} direction={} bytes={}",
            reason as u8,
            key.ifindex,
            key.direction,
            delta.device_bytes
        );
    }
}

/// Adds to this CPU's own value.
///
/// # Safety
/// It must be a value of a per-CPU map to which this program uses no reference.
#[inline(always)]
unsafe fn add(counters: *mut Counters, delta: &Counters) {
    // SAFETY: as the caller vouches; no other program runs on this CPU meanwhile (bottom halves are
    // off), so that this is the only reference and a plain add loses nothing.
    let counters = unsafe { &mut *counters };
    // A value that was cleared, or prepared by the agent, has zeros.
    if counters.device_packets == 0 {
        counters.first_ns = delta.first_ns;
    }
    counters.packets += delta.packets;
    counters.bytes += delta.bytes;
    counters.frame_bytes += delta.frame_bytes;
    counters.device_packets += delta.device_packets;
    counters.device_bytes += delta.device_bytes;
    counters.last_ns = delta.last_ns;
    counters.tcp_flags |= delta.tcp_flags;
}
