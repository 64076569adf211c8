//! The only access to packet memory: [`Frame`] for the kernel's context of a program. Owns every unsafe read
//! of a packet and of its context; refuses to interpret bytes.

use core::arch::asm;
use core::cell::Cell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use aya_ebpf::EbpfContext;
use aya_ebpf::bindings::xdp_md;
use aya_ebpf::helpers::generated::{
    bpf_get_socket_cookie, bpf_skb_load_bytes, bpf_xdp_get_buff_len, bpf_xdp_load_bytes,
};
use aya_ebpf::programs::{TcContext, XdpContext};
use wherefore_common::{Frame, link, link::ETHERNET_HEADER};

use crate::account::{Flow, FrameMetadata};
use crate::maps::{ReadBuffer, SCRATCH, SCRATCH_LEN, Scratch};

/// The linear part of a frame. A read beyond it returns `None` and is recorded.
pub(crate) struct LinearOnly {
    start: usize,
    end: usize,
    wire_len: usize,
    ran_short: Cell<bool>,
}

impl LinearOnly {
    /// Whether a read failed although the frame continues beyond the linear part.
    #[inline(always)]
    pub(crate) fn ran_short(&self) -> bool {
        self.ran_short.get() && self.wire_len > self.end - self.start
    }
}

impl LinearOnly {
    /// The value at `at`, or `None` and a recorded failure.
    #[inline(always)]
    fn read<T: AnyBytes>(&self, at: usize) -> Option<T> {
        let first = one_register(self.start + at);
        if first + size_of::<T>() > self.end {
            self.ran_short.set(true);
            return None;
        }
        // SAFETY: it lies between data and data_end, as just checked, and the verifier checks it
        // again. Its alignment does not matter on the machines where the verifier accepts the read
        // (those with efficient unaligned access). Any bytes are a `T`.
        Some(unsafe { core::ptr::read(first as *const T) })
    }
}

/// A type for which any bytes are a valid value.
///
/// # Safety
/// It must have no padding and no invalid values.
unsafe trait AnyBytes: Copy {}
// SAFETY: a whole number.
unsafe impl AnyBytes for u8 {}
// SAFETY: a whole number.
unsafe impl AnyBytes for u16 {}
// SAFETY: whole numbers, one behind the other.
unsafe impl<const N: usize> AnyBytes for [u32; N] {}
// SAFETY: whole numbers, one behind the other.
unsafe impl<const N: usize> AnyBytes for [u64; N] {}

impl Frame for LinearOnly {
    #[inline(always)]
    fn words<const N: usize>(&self, at: usize) -> Option<[u32; N]> {
        self.read(at)
    }

    #[inline(always)]
    fn double_words<const N: usize>(&self, at: usize) -> Option<[u64; N]> {
        self.read(at)
    }

    #[inline(always)]
    fn be16(&self, at: usize) -> Option<u16> {
        self.read(at).map(u16::from_be)
    }

    #[inline(always)]
    fn u8(&self, at: usize) -> Option<u8> {
        self.read(at)
    }

    #[inline(always)]
    fn wire_len(&self) -> usize {
        self.wire_len
    }

    #[inline(always)]
    fn forget(&self, number: usize) -> usize {
        // SAFETY: the scratch is taken only when the linear part was parsed, or not at all.
        unsafe { forget(number) }
    }
}

/// Returns the same number, whose value the verifier then no longer knows.
///
/// # Safety
/// The same as for [`scratch`], while this runs.
#[inline(always)]
pub(crate) unsafe fn forget(number: usize) -> usize {
    // SAFETY: the caller's.
    unsafe { scratch() }.map_or(number, |scratch| scratch.buffer.through_memory(number))
}

/// Returns the same address, computed once. The verifier allows reads only from the register that was
/// compared with the end, so the compiler must not compute the address again for the read.
#[inline(always)]
pub(crate) fn one_register(mut address: usize) -> usize {
    // SAFETY: it moves a register to itself. (Nothing at all would give two source lines to one
    // instruction, which the kernel refuses.)
    unsafe { asm!("{0} = {0}", inout(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

impl ReadBuffer {
    /// Returns the same number, which the verifier no longer knows, because it does not track the contents of maps.
    #[inline(always)]
    fn through_memory(&mut self, number: usize) -> usize {
        const { assert!(size_of::<Self>() >= size_of::<usize>() && align_of::<Self>() >= 8) };
        let memory = core::ptr::from_mut(self).cast::<usize>();
        // SAFETY: of a reference, to as much memory as just asserted, where any bytes are allowed.
        unsafe {
            memory.write_volatile(number);
            memory.read_volatile()
        }
    }
}

/// Fills a flow with the hook's facts and zeros, before the parser fills the rest.
#[inline(always)]
pub(crate) fn clear_flow(flow: &mut MaybeUninit<Flow>, ifindex: u32, direction: u32) -> &mut Flow {
    const WORDS: usize = size_of::<Flow>() / size_of::<u64>();
    let words = flow.as_mut_ptr().cast::<u64>();
    for word in 0..WORDS {
        // SAFETY: a flow is `WORDS` aligned words long. Volatile, because plain stores of zeros
        // become a call of memset, which BPF runs byte by byte.
        unsafe { words.add(word).write_volatile(0) };
    }
    // SAFETY: zeros are a valid flow.
    let flow = unsafe { flow.assume_init_mut() };
    flow.key.ifindex = ifindex;
    flow.key.direction = direction as u8;
    flow
}

/// Clears a flow that may be partly filled.
#[inline(always)]
pub(crate) fn reset_flow(flow: &mut Flow) {
    let (ifindex, direction) = (flow.key.ifindex, u32::from(flow.key.direction));
    // SAFETY: a `MaybeUninit` of the same memory, which `clear_flow` leaves initialised.
    clear_flow(unsafe { &mut *core::ptr::from_mut(flow).cast() }, ifindex, direction);
}

/// The scratch memory of this CPU; it always exists.
///
/// # Safety
/// No other reference to the scratch memory may be used while this one is: each call returns the same memory.
#[inline(always)]
pub(crate) unsafe fn scratch<'a>() -> Option<&'a mut Scratch> {
    // SAFETY: an array's entry lives as long as the program, no other program runs on this CPU
    // meanwhile, and this one uses no other reference, as the caller vouches.
    SCRATCH.get_ptr_mut(0).map(|scratch| unsafe { &mut *scratch })
}

/// A whole frame whose bytes a helper copies to the scratch memory: works for every layout, but is slower.
pub(crate) struct Copied<'a, C> {
    ctx: &'a C,
    /// The destination of the bytes, used for this frame alone, because it borrows it.
    buffer: *mut ReadBuffer,
    held: PhantomData<&'a mut ReadBuffer>,
}

impl<'a, C: LoadBytes> Copied<'a, C> {
    #[inline(always)]
    pub(crate) fn new(ctx: &'a C, buffer: &'a mut ReadBuffer) -> Self {
        Self { ctx, buffer, held: PhantomData }
    }

    #[inline(always)]
    fn read<T: AnyBytes>(&self, at: usize) -> Option<T> {
        const { assert!(size_of::<T>() <= SCRATCH_LEN && align_of::<T>() <= align_of::<ReadBuffer>()) };
        // SAFETY: there is room for a `T`, as just asserted.
        let is_copied = unsafe { self.ctx.load_bytes(at, self.buffer.cast(), size_of::<T>()) };
        // SAFETY: aligned, as asserted, and written by the helper; any bytes are a `T`.
        is_copied.then(
            #[inline(always)]
            || unsafe { self.buffer.cast_const().cast::<T>().read() },
        )
    }
}

impl<C: LoadBytes> Frame for Copied<'_, C> {
    #[inline(always)]
    fn words<const N: usize>(&self, at: usize) -> Option<[u32; N]> {
        self.read(at)
    }

    #[inline(always)]
    fn double_words<const N: usize>(&self, at: usize) -> Option<[u64; N]> {
        self.read(at)
    }

    #[inline(always)]
    fn be16(&self, at: usize) -> Option<u16> {
        self.read(at).map(u16::from_be)
    }

    #[inline(always)]
    fn u8(&self, at: usize) -> Option<u8> {
        self.read(at)
    }

    #[inline(always)]
    fn wire_len(&self) -> usize {
        self.ctx.total_len()
    }

    #[inline(always)]
    fn forget(&self, number: usize) -> usize {
        // SAFETY: of this frame alone, which makes a reference of it nowhere else.
        unsafe { &mut *self.buffer }.through_memory(number)
    }
}

/// A context with a helper that can copy frame bytes from any part of the frame.
pub(crate) trait LoadBytes {
    /// Copies `len` bytes at `at`; returns whether all of them exist.
    ///
    /// # Safety
    /// `to` must have space for `len` bytes.
    unsafe fn load_bytes(&self, at: usize, to: *mut c_void, len: usize) -> bool;

    /// The length of the frame over all its parts.
    fn total_len(&self) -> usize;

    /// The VLAN tag that the kernel keeps separately; see [`wherefore_common::evidence::Head::vlan`].
    fn vlan(&self) -> u32;
}

impl LoadBytes for TcContext {
    #[inline(always)]
    unsafe fn load_bytes(&self, at: usize, to: *mut c_void, len: usize) -> bool {
        // SAFETY: the caller vouches for `to`.
        unsafe { bpf_skb_load_bytes(self.skb.skb.cast(), at as u32, to, len as u32) == 0 }
    }

    #[inline(always)]
    fn total_len(&self) -> usize {
        self.len() as usize
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        // SAFETY: the context is valid for the program's run, and the verifier checks each field.
        let skb = unsafe { &*self.skb.skb };
        if skb.vlan_present == 0 {
            return 0;
        }
        (skb.vlan_tci << 16) | (skb.vlan_proto & 0xffff)
    }
}

/// Linux 5.18.
impl LoadBytes for XdpContext {
    #[inline(always)]
    unsafe fn load_bytes(&self, at: usize, to: *mut c_void, len: usize) -> bool {
        // SAFETY: the caller vouches for `to`.
        unsafe { bpf_xdp_load_bytes(self.ctx, at as u32, to, len as u32) == 0 }
    }

    #[inline(always)]
    fn total_len(&self) -> usize {
        // SAFETY: the helper only reads the context it is given.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as usize }
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        0
    }
}

/// A frame at a hook.
pub(crate) trait Hook: LoadBytes {
    /// The same hook, for a function that is not inlined: a reference would force the context into
    /// memory.
    fn same(&self) -> Self;

    /// What the hook knows about the frame, apart from its content.
    fn metadata(&self) -> FrameMetadata;

    /// The number of the interface.
    fn ifindex(&self) -> u32;

    /// The low half of the cookie of the socket that sent the packet; 0 if there is none.
    fn socket(&self) -> u32 {
        0
    }

    /// Whether it is the stack's copy of a multicast or broadcast packet that it sent; it has no link-layer header.
    fn is_own_copy(&self) -> bool {
        false
    }

    /// The start and the end of the linear part of the frame.
    fn bounds(&self) -> (usize, usize);

    /// The linear part.
    #[inline(always)]
    fn linear(&self, metadata: &FrameMetadata) -> LinearOnly {
        let (start, end) = self.bounds();
        let wire_len = metadata.len as usize;
        LinearOnly { start, end, wire_len, ran_short: Cell::new(false) }
    }
}

/// The device's view: one frame, which may stand for many segments.
impl Hook for TcContext {
    #[inline(always)]
    fn same(&self) -> Self {
        Self::new(self.skb.skb)
    }

    #[inline(always)]
    fn metadata(&self) -> FrameMetadata {
        // SAFETY: the context is valid for the program's run, and the verifier checks each field.
        let skb = unsafe { &*self.skb.skb };
        // The kernel moves the outer VLAN tag out of the frame; it was there on the wire.
        let tag_len = if skb.vlan_present != 0 { 4 } else { 0 };
        FrameMetadata {
            len: u64::from(skb.len),
            tag_len,
            gso_segments: skb.gso_segs,
            gso_size: skb.gso_size,
        }
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        // SAFETY: the context is valid for the program's run, and the verifier checks the field.
        unsafe { (*self.skb.skb).ifindex }
    }

    #[inline(always)]
    fn socket(&self) -> u32 {
        // SAFETY: the context is valid for the program's run.
        unsafe { bpf_get_socket_cookie(self.skb.skb.cast()) as u32 }
    }

    #[inline(always)]
    fn is_own_copy(&self) -> bool {
        const PACKET_LOOPBACK: u32 = 5; // include/uapi/linux/if_packet.h
        // SAFETY: the context is valid for the program's run, and the verifier checks the field.
        unsafe { (*self.skb.skb).pkt_type == PACKET_LOOPBACK }
    }

    #[inline(always)]
    fn bounds(&self) -> (usize, usize) {
        (self.data(), self.data_end())
    }
}

/// A packet of a layer-3 device after an Ethernet header that is not its own; see
/// [`link::is_behind_ethernet`]. Offsets begin at the IP header.
pub(crate) struct BehindEthernet(TcContext);

impl BehindEthernet {
    /// The packet; `None` if it is not such a packet.
    #[inline(always)]
    pub(crate) fn of(ctx: &TcContext) -> Option<Self> {
        // SAFETY: the context is valid for the program's run, and the verifier checks each field.
        let ethertype = u16::from_be(unsafe { (*ctx.skb.skb).protocol } as u16);
        let frame = ctx.linear(&ctx.metadata());
        link::is_behind_ethernet(&frame, ethertype).then(
            #[inline(always)]
            || Self(ctx.same()),
        )
    }
}

impl Hook for BehindEthernet {
    #[inline(always)]
    fn same(&self) -> Self {
        Self(self.0.same())
    }

    #[inline(always)]
    fn metadata(&self) -> FrameMetadata {
        let metadata = self.0.metadata();
        FrameMetadata { len: metadata.len - ETHERNET_HEADER as u64, ..metadata }
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        self.0.ifindex()
    }

    #[inline(always)]
    fn socket(&self) -> u32 {
        self.0.socket()
    }

    #[inline(always)]
    fn bounds(&self) -> (usize, usize) {
        let (start, end) = self.0.bounds();
        (start + ETHERNET_HEADER, end)
    }
}

impl LoadBytes for BehindEthernet {
    #[inline(always)]
    unsafe fn load_bytes(&self, at: usize, to: *mut c_void, len: usize) -> bool {
        // SAFETY: the caller vouches for `to`.
        unsafe { LoadBytes::load_bytes(&self.0, at + ETHERNET_HEADER, to, len) }
    }

    #[inline(always)]
    fn total_len(&self) -> usize {
        self.0.total_len() - ETHERNET_HEADER
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        self.0.vlan()
    }
}

/// In a driver, XDP runs before GRO, so each frame is one packet. In the network stack (generic), it may get
/// a GSO/GRO packet, without the number of its segments.
impl Hook for XdpContext {
    #[inline(always)]
    fn same(&self) -> Self {
        Self::new(self.ctx)
    }

    #[inline(always)]
    fn metadata(&self) -> FrameMetadata {
        FrameMetadata::of_one_packet(self.total_len())
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        let md = self.as_ptr().cast::<xdp_md>();
        // SAFETY: the context is valid for the program's run, and the verifier checks the field.
        unsafe { (*md).ingress_ifindex }
    }

    #[inline(always)]
    fn bounds(&self) -> (usize, usize) {
        (self.data(), self.data_end())
    }
}

/// A frame in one buffer, for kernels that have no others.
pub(crate) struct LinearXdp(pub(crate) XdpContext);

impl Hook for LinearXdp {
    #[inline(always)]
    fn same(&self) -> Self {
        Self(self.0.same())
    }

    #[inline(always)]
    fn metadata(&self) -> FrameMetadata {
        FrameMetadata::of_one_packet(self.total_len())
    }

    #[inline(always)]
    fn ifindex(&self) -> u32 {
        self.0.ifindex()
    }

    #[inline(always)]
    fn bounds(&self) -> (usize, usize) {
        self.0.bounds()
    }
}

/// There is nothing beyond the linear part, and no helper to copy it.
impl LoadBytes for LinearXdp {
    #[inline(always)]
    unsafe fn load_bytes(&self, _at: usize, _to: *mut c_void, _len: usize) -> bool {
        false
    }

    #[inline(always)]
    fn total_len(&self) -> usize {
        self.0.data_end() - self.0.data()
    }

    #[inline(always)]
    fn vlan(&self) -> u32 {
        0
    }
}
