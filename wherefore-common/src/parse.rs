//! Finds source and destination from an IP header on: the network and transport layers.
//!
//! Owns the offsets of IPv4, IPv6 and the ports. Refuses to open tunnels, to reassemble fragments and to
//! verify checksums: a flow is the outermost header as it was sent. The link layers are in [`crate::link`].
//!
//! Written so that BPF's ten registers are enough: addresses are written directly to the flow key, and rare
//! layers are separate functions whose results fit in one register.

use crate::flow::{AddressWords, FlowKey};
use crate::frame::Frame;
use crate::protocol::{SCTP, TCP, UDP};

/// The most IPv6 extension headers that are skipped. With more, the next one counts as the protocol.
pub const MAX_EXTENSION_HEADERS: usize = 8;

/// Larger than the length of all headers that are skipped. Verifiers before Linux 6.4 forget values that a
/// function returned in memory; this mask shows them the maximum.
const HEADER_LEN_MASK: u32 = 0x7fff;
const _: () = assert!(40 + MAX_EXTENSION_HEADERS * 2048 <= HEADER_LEN_MASK as usize);

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
/// The length of a TCP header up to the flags.
pub(crate) const TCP_FLAGS_END: u32 = 14;
/// The length of the shortest Ethernet frame, without the check sequence.
const SHORTEST_FRAME: usize = 60;
const DESTINATION_OPTIONS: u8 = 60;

/// The extent of a parsed packet; its addresses are in the flow key. It has no padding, because the verifier
/// refuses to copy undefined bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Length of the IP packet as its header states it (IPFIX `octetDeltaCount`).
    pub bytes: u32,
    /// Offset of the IP header in the frame.
    pub offset: u32,
    /// Length of the IP and transport headers, which each segment of a GSO/GRO packet repeats.
    pub header_len: u32,
    /// TCP flags; 0 for other protocols.
    pub tcp_flags: u32,
}

const _: () = assert!(size_of::<Extent>() == 4 * size_of::<u32>());

/// The reason why a frame is in no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// There is no IP header at the expected place.
    NonIp,
    /// The IP header is cut short, has a wrong version, or its lengths contradict each other.
    Malformed,
}

/// Where the link layer ends, and the protocol that is expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// 4 or 6; 0 if no IP header follows.
    pub version: u32,
    /// Offset of the IP header.
    pub at: u32,
}

impl Network {
    /// No IP header follows.
    pub const NONE: Network = Network { version: 0, at: 0 };

    /// An IPv4 header is expected at this offset.
    #[inline(always)]
    pub fn v4(at: usize) -> Self {
        Self { version: 4, at: at as u32 }
    }

    /// An IPv6 header is expected at this offset.
    #[inline(always)]
    pub fn v6(at: usize) -> Self {
        Self { version: 6, at: at as u32 }
    }
}

/// Parses the IP packet after the link layer. Fills addresses, ports, protocol and family of `key`, which has
/// no meaning after an error.
#[inline(always)]
pub fn packet(frame: &impl Frame, network: Network, key: &mut FlowKey) -> Result<Extent, Skip> {
    match network.version {
        4 => ipv4(frame, network.at as usize, key),
        6 => ipv6(frame, network.at as usize, key),
        _ => Err(Skip::NonIp),
    }
}

#[inline(always)]
fn ipv4(frame: &impl Frame, at: usize, key: &mut FlowKey) -> Result<Extent, Skip> {
    let [word0, word1, word2, src, dst] = frame.words(at).ok_or(Skip::Malformed)?;
    let version_ihl_length = u32::from_be(word0);
    let header_len = (version_ihl_length >> 24 & 0x0f) * 4;
    let claimed = version_ihl_length & 0xffff;
    let bytes = if claimed == 0 { rest_of_wire(frame, at) } else { claimed };
    if version_ihl_length >> 28 != 4 || header_len < 20 || bytes < header_len {
        return Err(Skip::Malformed);
    }
    key.src = ipv4_words(src);
    key.dst = ipv4_words(dst);
    key.family = 4;
    key.protocol = (u32::from_be(word2) >> 16) as u8;
    let is_first_fragment = u32::from_be(word1) & 0x1fff == 0;
    let extent = Extent { bytes, offset: at as u32, header_len, ..Extent::default() };
    Ok(transport(frame, extent, is_first_fragment, key))
}

/// An address whose first four bytes, in memory order, are this word.
#[inline(always)]
pub(crate) fn ipv4_words(word: u32) -> AddressWords {
    if cfg!(target_endian = "little") { [u64::from(word), 0] } else { [u64::from(word) << 32, 0] }
}

/// The inverse of [`ipv4_words`].
#[inline(always)]
pub(crate) fn first_word(words: AddressWords) -> u32 {
    (if cfg!(target_endian = "little") { words[0] } else { words[0] >> 32 }) as u32
}

#[inline(always)]
fn ipv6(frame: &impl Frame, at: usize, key: &mut FlowKey) -> Result<Extent, Skip> {
    let [word0, word1] = frame.words(at).ok_or(Skip::Malformed)?;
    let [src0, src1, dst0, dst1] = frame.double_words(at + 8).ok_or(Skip::Malformed)?;
    let (payload, next) = (u32::from_be(word1) >> 16, (u32::from_be(word1) >> 8) as u8);
    // In frames up to the length of the shortest Ethernet frame, bytes after an empty packet are padding.
    let is_rest = payload == 0 && next != NO_NEXT_HEADER && frame.wire_len() > SHORTEST_FRAME;
    let bytes = if is_rest { rest_of_wire(frame, at) } else { 40 + payload };
    if u32::from_be(word0) >> 28 != 6 || bytes < 40 {
        return Err(Skip::Malformed);
    }
    key.src = [src0, src1];
    key.dst = [dst0, dst1];
    key.family = 6;
    let walked = if is_extension(next) {
        extension_headers(frame, at, next, bytes)
    } else {
        Walked { header_len: 40, protocol: next, is_later_fragment: false }
    };
    key.protocol = walked.protocol;
    let header_len = walked.header_len & HEADER_LEN_MASK;
    let extent = Extent { bytes, offset: at as u32, header_len, tcp_flags: 0 };
    Ok(transport(frame, extent, !walked.is_later_fragment, key))
}

/// The length of what only a whole GSO/GRO packet has, and its segments have not: the option for IPv6 packets
/// longer than 65,535 bytes (BIG TCP, RFC 2675). `at` is the offset of the IP header. It is not parsed with
/// each packet, because the verifier would then follow all later code twice.
#[inline(always)]
pub fn jumbo_len(frame: &impl Frame, at: usize) -> u32 {
    const LENGTH_OPTION: u32 = 0xc204;
    // One after the other: if both are read together and the first is missing, compiled code reads memory
    // that was never written, which verifiers before Linux 6.3 refuse.
    let Some([word0, word1]) = frame.words(at) else { return 0 };
    let Some(option) = frame.be32(at + 40) else { return 0 };
    let (payload, next) = (u32::from_be(word1) >> 16, (u32::from_be(word1) >> 8) as u8);
    let is_v6 = u32::from_be(word0) >> 28 == 6;
    let is_jumbo = payload == 0 && next == HOP_BY_HOP && option & 0x00ff_ffff == LENGTH_OPTION;
    if is_v6 && is_jumbo { 8 } else { 0 }
}

struct Walked {
    header_len: u32,
    protocol: u8,
    is_later_fragment: bool,
}

#[inline(always)]
pub(crate) fn is_extension(next: u8) -> bool {
    matches!(next, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS)
}

/// Skips the extension headers after the IPv6 header at `at` (RFC 8200), within the `bytes` of the packet:
/// there may be padding after them.
#[inline(never)]
fn extension_headers<F: Frame>(frame: &F, at: usize, next: u8, bytes: u32) -> Walked {
    let mut walked = Walked { header_len: 40, protocol: next, is_later_fragment: false };
    for _ in 0..MAX_EXTENSION_HEADERS {
        if !is_extension(walked.protocol) || walked.header_len + 4 > bytes {
            break;
        }
        let Some(word) = frame.be32(at + walked.header_len as usize) else {
            break;
        };
        let is_fragment = walked.protocol == FRAGMENT;
        walked.protocol = (word >> 24) as u8;
        walked.header_len += if is_fragment { 8 } else { ((word >> 16 & 0xff) + 1) * 8 };
        if is_fragment && word & 0xfff8 != 0 {
            walked.is_later_fragment = true;
            break;
        }
    }
    walked
}

/// Reads the ports (and TCP's flags) if they were captured and are inside the IP packet.
#[inline(always)]
fn transport(
    frame: &impl Frame,
    mut extent: Extent,
    is_first_fragment: bool,
    key: &mut FlowKey,
) -> Extent {
    (key.sport, key.dport) = (0, 0);
    let has_ports = is_first_fragment && matches!(key.protocol, TCP | UDP | SCTP);
    if !has_ports || extent.header_len + 4 > extent.bytes {
        return extent;
    }
    let at = (extent.offset + extent.header_len) as usize;
    let ports = frame.be32(at).unwrap_or(0);
    (key.sport, key.dport) = ((ports >> 16) as u16, ports as u16);
    extent.header_len += match key.protocol {
        // The flags may be in the next fragment, with padding in their place.
        TCP if extent.header_len + TCP_FLAGS_END > extent.bytes => 0,
        TCP => {
            let offset_flags = frame.be16(at + 12).unwrap_or(0);
            extent.tcp_flags = u32::from(offset_flags & 0xff);
            u32::from(offset_flags >> 12) * 4
        }
        UDP => 8,
        _ => 12,
    };
    extent
}

/// A length of 0 means "as long as the frame": the device does the segmentation (TSO), or the packet is a
/// jumbogram.
#[inline(always)]
fn rest_of_wire(frame: &impl Frame, at: usize) -> u32 {
    frame.wire_len().saturating_sub(at) as u32
}
