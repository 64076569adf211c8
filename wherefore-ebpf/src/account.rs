//! Filters frames, finds or inserts their flows, and adds the counts. Owns these steps; refuses to parse.

use wherefore_common::parse::jumbo_len;
use wherefore_common::table::spread_flags;
use wherefore_common::{Counters, Extent, FlowKey, Reason, Skip};

use crate::filter;
use crate::maps::Now;
use crate::owner;
use crate::packet::{Copied, Hook, scratch};
use crate::remainder;
use crate::table::{self, Place, now_ns, tick};

/// What the hook knows about a frame, apart from its content.
pub(crate) struct FrameMetadata {
    /// The length of the frame in memory. As wide as the sums, because a 32-bit value would have to be
    /// widened each time it is used.
    pub(crate) len: u64,
    /// The length of parts that are not in memory (a VLAN tag that the kernel keeps separately).
    pub(crate) tag_len: u64,
    /// The number of segments of a GSO/GRO packet; 0 if its sender did not set it.
    pub(crate) gso_segments: u32,
    /// The payload bytes of a full segment; 0 if it is not a GSO/GRO packet.
    pub(crate) gso_size: u32,
}

impl FrameMetadata {
    /// A frame of this length, about which the hook knows nothing else.
    #[inline(always)]
    pub(crate) fn of_one_packet(len: usize) -> Self {
        // A frame is not longer. Without the cast, the verifier takes much longer, because it follows 64-bit
        // numbers that were computed from addresses.
        Self { len: u64::from(len as u32), tag_len: 0, gso_segments: 0, gso_size: 0 }
    }

    /// The bytes that the device counts.
    #[inline(always)]
    pub(crate) fn frame_len(&self) -> u64 {
        self.len + self.tag_len
    }

    /// Whether it stands for several packets on the wire.
    #[inline(always)]
    pub(crate) fn is_gso(&self) -> bool {
        self.gso_size != 0
    }

    /// The number of packets on the wire. Guests and tun devices may leave the number of segments to the kernel.
    #[inline(always)]
    fn segments(&self, headers: u32) -> u32 {
        if !self.is_gso() {
            return 1;
        }
        if self.gso_segments == 0 && headers != 0 {
            let payload = (self.frame_len() as u32).saturating_sub(headers);
            return payload.div_ceil(self.gso_size).max(1);
        }
        self.gso_segments.max(1)
    }
}

/// The parser's result, with every byte defined. A `Result` leaves the bytes of its other variant undefined,
/// and the verifier refuses to copy these.
#[derive(Clone, Copy)]
pub(crate) struct Parsed {
    /// The reason why the frame is in no flow.
    skip: Option<Reason>,
    /// All zeros if `skip` is set.
    pub(crate) extent: Extent,
}

impl Parsed {
    /// The number that stands for a frame in a flow.
    pub(crate) const FLOW: u32 = 0;

    /// 0 if the frame is in a flow, otherwise the number of the reason.
    #[inline(always)]
    pub(crate) fn number(&self) -> u32 {
        match self.skip {
            None => Self::FLOW,
            Some(Reason::MalformedIp) => 1,
            Some(_) => 2,
        }
    }

    /// The inverse of [`Self::number`].
    #[inline(always)]
    pub(crate) fn from_number(number: u32, extent: Extent) -> Self {
        match number {
            Self::FLOW => Self { skip: None, extent },
            1 => Self::skipped(Reason::MalformedIp),
            _ => Self::skipped(Reason::NonIp),
        }
    }

    #[inline(always)]
    pub(crate) fn skipped(reason: Reason) -> Self {
        Self { skip: Some(reason), extent: Extent::default() }
    }
}

impl From<Result<Extent, Skip>> for Parsed {
    #[inline(always)]
    fn from(result: Result<Extent, Skip>) -> Self {
        match result {
            Ok(extent) => Self { skip: None, extent },
            Err(Skip::NonIp) => Self::skipped(Reason::NonIp),
            Err(Skip::Malformed) => Self::skipped(Reason::MalformedIp),
        }
    }
}

/// A packet in memory: its flow and its extent.
#[repr(C)]
pub(crate) struct Flow {
    /// If the frame is in no flow, only interface and direction are valid.
    pub(crate) key: FlowKey,
    pub(crate) extent: Extent,
}

/// Counts a frame with this [`Parsed::number`] in its flow, or as uncounted by its reason; returns 0 if it is
/// not watched. A separate function, so that its stack and registers do not burden the fast path; it reads
/// the hook's information again.
#[inline(never)]
pub(crate) fn account<H: Hook>(hook: H, flow: &Flow, parsed: u32) -> u32 {
    let metadata = hook.metadata();
    if parsed == Parsed::FLOW
        && !metadata.is_gso()
        && let Some(is_watched) = table::count_nearby(&flow.key, &flow.extent, metadata.frame_len())
    {
        return u32::from(is_watched);
    }
    let is_big = metadata.is_gso() && flow.extent.bytes > u32::from(u16::MAX);
    let own = if is_big { own_bytes(hook.same(), flow.extent.offset) } else { 0 };
    // Both before the hook is read again; otherwise its information would be kept on the stack meanwhile.
    let now = now_ns(tick());
    let parsed = Parsed::from_number(parsed, flow.extent);
    let delta = delta(&parsed.extent, &hook.metadata(), own, now);
    let reason = match parsed.skip {
        Some(reason) => reason,
        None => match count_in_flow(&hook, &flow.key, &delta) {
            Ok(true) => return 1,
            Ok(false) => {
                remainder::log(Reason::Filtered, &delta, &flow.key);
                return 0;
            }
            Err(reason) => reason,
        },
    };
    remainder::log(reason, &delta, &flow.key);
    remainder::count(reason, &delta, &flow.key);
    u32::from(matches!(reason, Reason::Overflow))
}

/// Counts the frame in its flow, or in a slot of a filtered flow, and returns whether it is watched;
/// otherwise returns why it cannot be counted there. A flow with a slot was already checked against the
/// filter that the slot names, so only other flows are checked.
#[inline(always)]
fn count_in_flow<H: Hook>(hook: &H, key: &FlowKey, delta: &Counters) -> Result<bool, Reason> {
    // Read before anything else is on the stack; a flow that has a slot has its socket there.
    let socket = owner::of_packet(hook);
    let now = Now::read();
    let place = Place::of_key(key, now).with_socket(socket);
    let found = place.find(key);
    let is_watched = found.is_watched().unwrap_or_else(
        #[inline(always)]
        || filter::watches(now.filter_set(), key),
    );
    match (place.count(found, key, delta, is_watched), is_watched) {
        (true, _) => Ok(is_watched),
        (false, true) => Err(Reason::Overflow),
        (false, false) => Err(Reason::Filtered),
    }
}

/// Bytes that only a whole GSO/GRO packet has, and that are on the wire only if it is sent whole. A separate
/// function, for packets too long for the length field of an IP header; 0 for most of these.
#[inline(never)]
fn own_bytes<H: Hook>(hook: H, offset: u32) -> u32 {
    // SAFETY: no reference to the scratch is in use: those of the parser ended with it.
    let Some(scratch) = (unsafe { scratch() }) else { return 0 };
    jumbo_len(&Copied::new(&hook, &mut scratch.buffer), offset as usize)
}

/// The counts of one frame. Each segment after the first repeats the headers on the wire; for a frame that could
/// not be parsed, the length of the headers is unknown and counts as 0. For `own` bytes, see [`own_bytes`].
#[inline(always)]
fn delta(extent: &Extent, metadata: &FrameMetadata, own: u32, now: u64) -> Counters {
    let frame_headers = extent.offset + extent.header_len + metadata.tag_len as u32;
    let segments = u64::from(metadata.segments(frame_headers));
    let repeated = segments - 1;
    let without = if repeated == 0 { 0 } else { segments * u64::from(own) };
    let again = |headers: u32| repeated * u64::from(headers) - without;
    Counters {
        packets: segments,
        bytes: u64::from(extent.bytes) + again(extent.header_len),
        frame_bytes: metadata.frame_len() + again(frame_headers),
        device_packets: 1,
        device_bytes: metadata.frame_len(),
        first_ns: now,
        last_ns: now,
        tcp_flags: spread_flags(u64::from(extent.tcp_flags)),
    }
}
