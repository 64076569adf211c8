//! What nearly all traffic consists of, in the few instructions that it needs: TCP or UDP over IPv4
//! without options and not in fragments, or over IPv6 without extension headers, behind one VLAN tag or
//! none.
//!
//! The first stage of the parser. Refuses everything else, which [`crate::link`] and [`crate::parse`]
//! know; of what it takes these two say the same, and tests compare them.

use crate::flow::{AddressWords, FlowKey};
use crate::frame::Frame;
use crate::parse::{Extent, TCP, UDP, first_octets};

const ETHERNET_HEADER: usize = 14;
const UDP_HEADER: u32 = 8;

/// A packet of this kind, in values that need no memory.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// As in [`FlowKey`].
    pub src: AddressWords,
    /// As in [`FlowKey`].
    pub dst: AddressWords,
    /// As in [`FlowKey`].
    pub sport: u16,
    /// As in [`FlowKey`].
    pub dport: u16,
    /// TCP or UDP.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// How much it is.
    pub extent: Extent,
}

impl Plain {
    /// Fills what the packet says of its key; how much it is.
    #[inline(always)]
    pub(crate) fn fill(&self, key: &mut FlowKey) -> Extent {
        (key.src, key.dst, key.sport, key.dport) = (self.src, self.dst, self.sport, self.dport);
        (key.protocol, key.family) = (self.protocol, self.family);
        self.extent
    }
}

/// What `then` says of the packet in an Ethernet frame, `None` where it is of another kind. It is called
/// in a place for each kind, so that compilers know what all of one have in common.
#[inline(always)]
pub fn ethernet<T>(frame: &impl Frame, then: impl FnMut(&Plain) -> T) -> Option<T> {
    const TAG: usize = 4;
    match frame.be16(ETHERNET_HEADER - 2)? {
        0x0800 => ipv4(frame, ETHERNET_HEADER, then),
        0x86dd => ipv6(frame, ETHERNET_HEADER, then),
        0x8100 | 0x88a8 => match frame.be16(ETHERNET_HEADER - 2 + TAG)? {
            0x0800 => ipv4(frame, ETHERNET_HEADER + TAG, then),
            0x86dd => ipv6(frame, ETHERNET_HEADER + TAG, then),
            _ => None,
        },
        _ => None,
    }
}

/// The same of a frame that begins with the IP header.
#[inline(always)]
pub fn raw<T>(frame: &impl Frame, then: impl FnMut(&Plain) -> T) -> Option<T> {
    match frame.u8(0)? >> 4 {
        4 => ipv4(frame, 0, then),
        6 => ipv6(frame, 0, then),
        _ => None,
    }
}

#[inline(always)]
fn ipv4<T>(frame: &impl Frame, at: usize, then: impl FnMut(&Plain) -> T) -> Option<T> {
    const HEADER: u32 = 20;
    let [word0, word1, word2, src, dst, ports] = frame.words(at)?;
    let version_ihl_length = u32::from_be(word0);
    let bytes = version_ihl_length & 0xffff;
    let is_in_pieces = u32::from_be(word1) & 0x1fff != 0;
    if version_ihl_length >> 24 != 0x45 || bytes < HEADER + UDP_HEADER || is_in_pieces {
        return None;
    }
    let packet = Plain {
        src: first_octets(src),
        dst: first_octets(dst),
        sport: (u32::from_be(ports) >> 16) as u16,
        dport: u32::from_be(ports) as u16,
        protocol: (u32::from_be(word2) >> 16) as u8,
        family: 4,
        extent: Extent { bytes, offset: at as u32, header_len: HEADER, tcp_flags: 0 },
    };
    transport(frame, at, packet, then)
}

#[inline(always)]
fn ipv6<T>(frame: &impl Frame, at: usize, then: impl FnMut(&Plain) -> T) -> Option<T> {
    const HEADER: u32 = 40;
    let [word0, word1] = frame.words(at)?;
    let [src0, src1, dst0, dst1] = frame.double_words(at + 8)?;
    let [ports] = frame.words(at + HEADER as usize)?;
    let payload = u32::from_be(word1) >> 16;
    if u32::from_be(word0) >> 28 != 6 || payload < UDP_HEADER {
        return None;
    }
    let packet = Plain {
        src: [src0, src1],
        dst: [dst0, dst1],
        sport: (u32::from_be(ports) >> 16) as u16,
        dport: u32::from_be(ports) as u16,
        protocol: (u32::from_be(word1) >> 8) as u8,
        family: 6,
        extent: Extent {
            bytes: HEADER + payload,
            offset: at as u32,
            header_len: HEADER,
            tcp_flags: 0,
        },
    };
    transport(frame, at, packet, then)
}

#[inline(always)]
fn transport<T>(
    frame: &impl Frame,
    at: usize,
    mut packet: Plain,
    mut then: impl FnMut(&Plain) -> T,
) -> Option<T> {
    let at = at + packet.extent.header_len as usize;
    match packet.protocol {
        TCP => {
            let offset_flags = frame.be16(at + 12)?;
            packet.extent.header_len += u32::from(offset_flags >> 12) * 4;
            packet.extent.tcp_flags = offset_flags as u8;
            Some(then(&Plain { protocol: TCP, ..packet }))
        }
        UDP => {
            packet.extent.header_len += UDP_HEADER;
            Some(then(&Plain { protocol: UDP, ..packet }))
        }
        _ => None,
    }
}
