//! Maps of the loaded object, and the types of their keys and values. Owns how both are had from aya.

use anyhow::{Context, Result};
use aya::Ebpf;
use wherefore_common::evidence::{HEAD_LEN, ROOMS};

/// Kernel memory for packets on their way: 50,000 heads of 256 bytes, or 250 GSO packets.
pub(super) const RING_BYTES: u32 = 16 << 20;
/// Bytes in the ring from which on the thread is woken.
pub(super) const WAKE_BYTES: u32 = RING_BYTES / 8;

// The largest record fits many times.
const _: () = assert!((HEAD_LEN + ROOMS[3]) * 100 < RING_BYTES as usize);

/// The size of the ring buffer: the smallest that the kernel allows if it is not used.
pub(super) fn ring_bytes(evidence: u32) -> u32 {
    if evidence == 0 { 4096 } else { RING_BYTES }
}

/// Kernel memory for DNS answers on their way: 3,600 of 256 bytes.
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

/// The map types as aya wants them: without undefined bytes, any bit pattern valid.
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
