//! Maps of the loaded object, and the types of their keys and values. Owns how aya provides both.

use anyhow::{Context, Result};
use aya::Ebpf;
use wherefore_common::evidence::{HEAD_LEN, ROOMS};

/// Kernel memory for packets that wait for the agent: 50,000 packets with 256 bytes each, or 250 GSO packets.
pub(super) const RING_BYTES: u32 = 16 << 20;
/// From this number of bytes in the ring on, the thread is woken.
pub(super) const WAKE_BYTES: u32 = RING_BYTES / 8;

// The largest record fits many times.
const _: () = assert!((HEAD_LEN + ROOMS[3]) * 100 < RING_BYTES as usize);

/// The size of the ring buffer for packets; if it is not used, the smallest that the kernel allows.
pub(super) fn ring_bytes(evidence: u32) -> u32 {
    if evidence == 0 { 4096 } else { RING_BYTES }
}

/// Kernel memory for DNS answers that wait for the agent: 3,600 of 256 bytes.
pub(super) const DNS_RING_BYTES: u32 = 1 << 20;

/// The size of the ring buffer of DNS answers.
pub(super) fn dns_ring_bytes(learns_names: bool) -> u32 {
    if learns_names { DNS_RING_BYTES } else { 4096 }
}

/// Takes a map out of the object.
pub(super) fn take<T>(ebpf: &mut Ebpf, name: &str) -> Result<T>
where
    T: TryFrom<aya::maps::Map, Error = aya::maps::MapError>,
{
    let map = ebpf.take_map(name).with_context(|| format!("the eBPF object has no map {name}"))?;
    T::try_from(map).with_context(|| format!("the map {name} is of another kind"))
}

/// Map types in the form that aya needs: without undefined bytes, and valid for any bit pattern.
macro_rules! pod {
    ($name:ident, $inner:ty) => {
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub(super) struct $name(pub(super) $inner);
        // SAFETY: integers only, without padding (their sizes are asserted in wherefore-common).
        #[allow(unsafe_code, reason = "the trait is unsafe to implement")]
        unsafe impl aya::Pod for $name {}
    };
}

pub(super) use pod;
