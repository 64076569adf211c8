//! The fast path, for nearly all traffic, in as few instructions as possible. Plain packets have
//! headers at fixed offsets: IPv4 without options and IPv6 without extension headers, after at most
//! one VLAN tag.
//!
//! Owns the first stage of the parser. Refuses everything else, which [`crate::link`] and [`crate::parse`]
//! handle. For plain packets these two give the same result, and tests compare them.

use crate::flow::{AddressWords, FlowKey};
use crate::frame::Frame;
use crate::link::{ETHERNET_HEADER, ETHERTYPE_IPV4, ETHERTYPE_IPV6};
use crate::parse::{Extent, TCP_FLAGS_END, ipv4_words, is_extension};
use crate::protocol::{SCTP, TCP, UDP};

/// The number of words of an IPv4 header without options and of the ports after it.
const IPV4_WORDS: usize = 6;
/// A packet with fewer bytes after its IP header is too short for the fast path.
const LEAST_PAYLOAD: u32 = 8;

/// A plain packet, in values that need no memory.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// The same as in [`FlowKey`].
    pub src: AddressWords,
    /// The same as in [`FlowKey`].
    pub dst: AddressWords,
    /// Source port and destination port, in the order of the packet, in host byte order.
    pub ports: u32,
    /// The same as in [`FlowKey`].
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// Its lengths.
    pub extent: Extent,
}

impl Plain {
    /// Fills the packet's part of its key; returns its extent.
    #[inline(always)]
    pub(crate) fn fill(&self, key: &mut FlowKey) -> Extent {
        (key.src, key.dst) = (self.src, self.dst);
        (key.sport, key.dport) = ((self.ports >> 16) as u16, self.ports as u16);
        (key.protocol, key.family) = (self.protocol, self.family);
        self.extent
    }
}

/// The result of `then` for the packet in an Ethernet frame; `None` if the packet is not plain. `then` is called
/// in a separate place for each kind of packet, so that compilers know what all packets of a kind have in common.
#[inline(always)]
pub fn ethernet<T>(frame: &impl Frame, then: impl FnMut(&Plain) -> T) -> Option<T> {
    const BEHIND_TAG: usize = ETHERNET_HEADER + 4;
    let (ethertype, words) = typed(frame, ETHERNET_HEADER)?;
    match ethertype {
        ETHERTYPE_IPV4 => ipv4(frame, ETHERNET_HEADER, words, then),
        ETHERTYPE_IPV6 => ipv6(frame, ETHERNET_HEADER, then),
        0x8100 | 0x88a8 => match typed(frame, BEHIND_TAG)? {
            (ETHERTYPE_IPV4, words) => ipv4(frame, BEHIND_TAG, words, then),
            (ETHERTYPE_IPV6, _) => ipv6(frame, BEHIND_TAG, then),
            _ => None,
        },
        _ => None,
    }
}

/// The EtherType that ends at this offset, and the words after it, with which an IPv4 packet would begin: one
/// check of the frame's end is enough for both.
#[inline(always)]
fn typed(frame: &impl Frame, at: usize) -> Option<(u16, [u32; IPV4_WORDS])> {
    let [ethertype, word0, word1, word2, src, dst, ports] = frame.words(at - 4)?;
    Some((u32::from_be(ethertype) as u16, [word0, word1, word2, src, dst, ports]))
}

/// The same for a frame that begins with the IP header.
#[inline(always)]
pub fn raw<T>(frame: &impl Frame, then: impl FnMut(&Plain) -> T) -> Option<T> {
    match frame.u8(0)? >> 4 {
        4 => ipv4(frame, 0, frame.words(0)?, then),
        6 => ipv6(frame, 0, then),
        _ => None,
    }
}

#[inline(always)]
fn ipv4<T>(
    frame: &impl Frame,
    at: usize,
    [word0, word1, word2, src, dst, ports]: [u32; IPV4_WORDS],
    then: impl FnMut(&Plain) -> T,
) -> Option<T> {
    const HEADER: u32 = 20;
    let version_ihl_length = u32::from_be(word0);
    let bytes = version_ihl_length & 0xffff;
    if version_ihl_length >> 24 != 0x45 || bytes < HEADER + LEAST_PAYLOAD {
        return None;
    }
    let packet = Plain {
        src: ipv4_words(src),
        dst: ipv4_words(dst),
        ports: 0,
        protocol: (u32::from_be(word2) >> 16) as u8,
        family: 4,
        extent: extent(bytes, at, HEADER),
    };
    let is_first_fragment = u32::from_be(word1) & 0x1fff == 0;
    transport(frame, packet, is_first_fragment.then_some(ports), then)
}

#[inline(always)]
fn ipv6<T>(frame: &impl Frame, at: usize, then: impl FnMut(&Plain) -> T) -> Option<T> {
    const HEADER: u32 = 40;
    let [word0, word1] = frame.words(at)?;
    let [src0, src1, dst0, dst1] = frame.double_words(at + 8)?;
    let [ports] = frame.words(at + HEADER as usize)?;
    let (payload, next) = (u32::from_be(word1) >> 16, (u32::from_be(word1) >> 8) as u8);
    if u32::from_be(word0) >> 28 != 6 || payload < LEAST_PAYLOAD || is_extension(next) {
        return None;
    }
    let packet = Plain {
        src: [src0, src1],
        dst: [dst0, dst1],
        ports: 0,
        protocol: next,
        family: 6,
        extent: extent(HEADER + payload, at, HEADER),
    };
    transport(frame, packet, Some(ports), then)
}

#[inline(always)]
fn extent(bytes: u32, at: usize, header_len: u32) -> Extent {
    Extent { bytes, offset: at as u32, header_len, tcp_flags: 0 }
}

/// `ports` are those of protocols that have some, `None` in a fragment that does not begin a packet.
#[inline(always)]
fn transport<T>(
    frame: &impl Frame,
    packet: Plain,
    ports: Option<u32>,
    mut then: impl FnMut(&Plain) -> T,
) -> Option<T> {
    let Plain { protocol, extent, .. } = packet;
    let with = |ports: u32, header_len: u32, tcp_flags: u32| {
        let extent = Extent { header_len: extent.header_len + header_len, tcp_flags, ..extent };
        Plain { ports: u32::from_be(ports), extent, ..packet }
    };
    match ports {
        // Bytes after the packet may be padding.
        Some(_) if protocol == TCP && extent.bytes < extent.header_len + TCP_FLAGS_END => None,
        Some(ports) if protocol == TCP => {
            let offset_flags = frame.be16((extent.offset + extent.header_len) as usize + 12)?;
            let header_len = u32::from(offset_flags >> 12) * 4;
            Some(then(&Plain {
                protocol: TCP,
                ..with(ports, header_len, u32::from(offset_flags & 0xff))
            }))
        }
        Some(ports) if protocol == UDP => Some(then(&Plain { protocol: UDP, ..with(ports, 8, 0) })),
        Some(ports) if protocol == SCTP => Some(then(&with(ports, 12, 0))),
        _ => Some(then(&packet)),
    }
}
