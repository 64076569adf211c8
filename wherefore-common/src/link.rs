//! Finds the outermost IP header in a frame: the link layers.
//!
//! Owns every supported encapsulation: Ethernet with VLAN tags, LLC/SNAP, MPLS and PPPoE (also in the
//! kernel), and those that occur only in capture files: Linux cooked, BSD loopback, PPP, Cisco HDLC, 802.11
//! with its capture headers. Refuses tunnels inside IP.

use crate::flow::FlowKey;
use crate::frame::Frame;
use crate::parse::{Extent, Network, Skip, packet};
use crate::plain;

/// The length of an Ethernet header without VLAN tags, in bytes.
pub const ETHERNET_HEADER: usize = 14;
/// The most VLAN tags (802.1Q, 802.1ad, 0x9100) that are skipped; with more, the frame counts as non-IP.
pub const MAX_VLAN_TAGS: usize = 8;
/// The most MPLS labels that are skipped; with more, the frame counts as non-IP.
pub const MAX_MPLS_LABELS: usize = 16;

/// No link layer that the kernel parses is longer. This mask shows that to the verifier.
const MAX_OFFSET: usize = 0x3ff;
/// The most bytes of a PPI header; they leave space for everything that may follow it.
const MAX_PPI: usize = 512;

pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_MPLS_UNICAST: u16 = 0x8847;
const ETHERTYPE_MPLS_MULTICAST: u16 = 0x8848;
const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
/// Up to this number, the field is a length and LLC follows (IEEE 802.3).
const MAX_8023_LENGTH: u16 = 1500;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
const PPP_MPLS: u16 = 0x0281;

/// A link type, by its number in capture files (LINKTYPE_ values of tcpdump.org).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// Ethernet II and 802.3.
    pub const ETHERNET: LinkType = LinkType(1);
    /// IP without a link layer; the first four bits are the version.
    pub const RAW: LinkType = LinkType(101);

    /// Whether frames of this type are supported. Otherwise every frame counts as non-IP.
    pub fn is_supported(self) -> bool {
        matches!(
            self.0,
            0 | 1
                | 9
                | 12
                | 14
                | 50
                | 51
                | 101
                | 104
                | 105
                | 108
                | 113
                | 119
                | 127
                | 192
                | 228
                | 229
                | 276
        )
    }
}

/// Parses a frame of any link type. Fills addresses, ports, protocol and family of `key`, which has no meaning
/// after an error.
///
/// # Errors
/// If the frame has no IP header (an unsupported link type never has one), or the header contradicts itself.
///
/// # Example
/// ```
/// use wherefore_common::{FlowKey, LinkType, Skip, Slice, link};
///
/// // An ARP request is not IP.
/// let arp = [&[0xff; 12][..], &[0x08, 0x06], &[0; 28]].concat();
/// let frame = Slice::new(&arp, arp.len());
/// let parsed = link::parse(&frame, LinkType::ETHERNET, &mut FlowKey::default());
/// assert_eq!(parsed, Err(Skip::NonIp));
/// ```
pub fn parse(frame: &impl Frame, link: LinkType, key: &mut FlowKey) -> Result<Extent, Skip> {
    let plain = match link {
        LinkType::ETHERNET => plain::ethernet(frame, |packet| packet.fill(key)),
        LinkType::RAW => plain::raw(frame, |packet| packet.fill(key)),
        _ => None,
    };
    plain.map_or_else(|| parse_any(frame, link, key), Ok)
}

fn parse_any(frame: &impl Frame, link: LinkType, key: &mut FlowKey) -> Result<Extent, Skip> {
    packet(frame, open(frame, link).unwrap_or(Network::NONE), key)
}

/// Parses an Ethernet frame of any kind, plain or not; see [`parse`].
#[inline(always)]
pub fn parse_ethernet(frame: &impl Frame, key: &mut FlowKey) -> Result<Extent, Skip> {
    let network = match frame.be16(12) {
        // Nearly every frame gets a constant offset; the others use a separate function.
        Some(ETHERTYPE_IPV4) => Network::v4(ETHERNET_HEADER),
        Some(ETHERTYPE_IPV6) => Network::v6(ETHERNET_HEADER),
        Some(ethertype) => {
            let Network { version, at } =
                encapsulated(frame, u32::from(ethertype), ETHERNET_HEADER as u32);
            Network { version, at: (frame.forget(at as usize) & MAX_OFFSET) as u32 }
        }
        None => Network::NONE,
    };
    packet(frame, network, key)
}

/// Parses a frame that begins with an IP header (tun, WireGuard and other layer-3 devices), plain or not; see
/// [`parse`].
#[inline(always)]
pub fn parse_raw(frame: &impl Frame, key: &mut FlowKey) -> Result<Extent, Skip> {
    packet(frame, by_nibble(frame, 0).unwrap_or(Network::NONE), key)
}

/// Whether a frame of a layer-3 device begins with an Ethernet header anyway. IPsec leaves the header of the
/// encrypted packet in front of packets that it passes to xfrm and vti devices. `ethertype` is the kernel's
/// value for the packet.
#[inline(always)]
pub fn is_behind_ethernet(frame: &impl Frame, ethertype: u16) -> bool {
    let Some([word0, word1]) = frame.words(0) else { return false };
    let (version, claimed) = match ethertype {
        ETHERTYPE_IPV4 => (4, u32::from_be(word0) & 0xffff),
        ETHERTYPE_IPV6 => (6, 40 + (u32::from_be(word1) >> 16)),
        _ => return false,
    };
    // The usual case: an IP packet that is as long as its header says.
    if claimed as usize == frame.wire_len() {
        return false;
    }
    frame.be16(12) == Some(ethertype) && frame.u8(14).is_some_and(|first| first >> 4 == version)
}

fn open(frame: &impl Frame, link: LinkType) -> Option<Network> {
    match link.0 {
        1 => ethernet(frame, 0),
        0 | 108 => loopback(frame),
        12 | 14 | 101 => by_nibble(frame, 0),
        228 => Some(Network::v4(0)),
        229 => Some(Network::v6(0)),
        9 => ppp(frame, 0),
        50 => ppp_or_hdlc(frame),
        51 => pppoe(frame, 0),
        104 => ethertype_at(frame, 2),
        113 => cooked(frame, 14, 16),
        276 => cooked(frame, 0, 20),
        105 => wifi(frame, 0, false),
        119 => prism(frame),
        127 => radiotap(frame),
        192 => ppi(frame),
        _ => None,
    }
}

fn ethernet(frame: &impl Frame, at: usize) -> Option<Network> {
    ethertype_at(frame, at + 12)
}

fn ethertype_at(frame: &impl Frame, at: usize) -> Option<Network> {
    by_ethertype(frame, frame.be16(at)?, at + 2)
}

/// The network layer that `ethertype` announces at `at`, returned in one register by a separate function: few
/// frames come here, and the kernel's verifier follows it separately.
#[inline(never)]
fn encapsulated<F: Frame>(frame: &F, ethertype: u32, at: u32) -> Network {
    by_ethertype(frame, ethertype as u16, at as usize).unwrap_or(Network::NONE)
}

/// The network layer that `ethertype` announces at `at`, after any VLAN tags.
#[inline(always)]
fn by_ethertype(frame: &impl Frame, ethertype: u16, at: usize) -> Option<Network> {
    let (mut ethertype, mut at) = vlan_tags(frame, ethertype, at)?;
    if ethertype <= MAX_8023_LENGTH {
        (ethertype, at) = behind_llc(frame, frame.forget(at) & MAX_OFFSET)?;
        (ethertype, at) = vlan_tags(frame, ethertype, at)?;
    }
    tagged(frame, ethertype, frame.forget(at) & MAX_OFFSET)
}

#[inline(always)]
fn vlan_tags(frame: &impl Frame, mut ethertype: u16, mut at: usize) -> Option<(u16, usize)> {
    for _ in 0..MAX_VLAN_TAGS {
        if !matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) {
            break;
        }
        ethertype = frame.be16(at + 2)?;
        at += 4;
    }
    Some((ethertype, at))
}

#[inline(always)]
fn tagged(frame: &impl Frame, ethertype: u16, at: usize) -> Option<Network> {
    match ethertype {
        ETHERTYPE_IPV4 => Some(Network::v4(at)),
        ETHERTYPE_IPV6 => Some(Network::v6(at)),
        ETHERTYPE_MPLS_UNICAST | ETHERTYPE_MPLS_MULTICAST => mpls(frame, at),
        ETHERTYPE_PPPOE_SESSION => pppoe(frame, at),
        _ => None,
    }
}

/// The network layer that LLC announces, after any VLAN tags.
fn llc(frame: &impl Frame, at: usize) -> Option<Network> {
    let (ethertype, at) = behind_llc(frame, at)?;
    let (ethertype, at) = vlan_tags(frame, ethertype, at)?;
    tagged(frame, ethertype, at)
}

/// IEEE 802.2: SNAP (RFC 1042, and the bridge-tunnel OUI 0000f8) or the IP SAP 0x06. Returns the EtherType
/// and the offset after it.
#[inline(always)]
fn behind_llc(frame: &impl Frame, at: usize) -> Option<(u16, usize)> {
    const IP_SAPS: u16 = 0x0606;
    const SNAP_SAPS: u16 = 0xaaaa;
    // The lowest bit of the source SAP distinguishes a response from a command.
    let saps = frame.be16(at)? & 0xfffe;
    let control_oui = frame.be32(at + 2).unwrap_or(0);
    match (saps, control_oui) {
        (IP_SAPS, _) => Some((ETHERTYPE_IPV4, at + 3)),
        (SNAP_SAPS, 0x0300_0000 | 0x0300_00f8) => Some((frame.be16(at + 6)?, at + 8)),
        _ => None,
    }
}

/// RFC 3032: labels up to the bottom of the stack, then IP with its version in the first four bits.
#[inline(always)]
fn mpls(frame: &impl Frame, mut at: usize) -> Option<Network> {
    for _ in 0..MAX_MPLS_LABELS {
        let low = frame.u8(at + 2)?;
        at += 4;
        if low & 1 != 0 {
            return by_nibble(frame, at);
        }
    }
    None
}

#[inline(always)]
fn by_nibble(frame: &impl Frame, at: usize) -> Option<Network> {
    match frame.be16(at)? >> 12 {
        4 => Some(Network::v4(at)),
        6 => Some(Network::v6(at)),
        _ => None,
    }
}

/// RFC 2516: six bytes of header, then the protocol number of PPP, always in two bytes.
#[inline(always)]
fn pppoe(frame: &impl Frame, at: usize) -> Option<Network> {
    by_ppp_protocol(frame, frame.be16(at + 6)?, at + 8)
}

/// RFC 1661: an optional address and control field (ff03), a protocol of one or two bytes.
fn ppp(frame: &impl Frame, mut at: usize) -> Option<Network> {
    if frame.be16(at) == Some(0xff03) {
        at += 2;
    }
    // An odd first byte is the whole protocol number (protocol field compression, RFC 1661).
    match frame.u8(at)? {
        first if first & 1 == 1 => by_ppp_protocol(frame, u16::from(first), at + 1),
        _ => by_ppp_protocol(frame, frame.be16(at)?, at + 2),
    }
}

#[inline(always)]
fn by_ppp_protocol(frame: &impl Frame, protocol: u16, at: usize) -> Option<Network> {
    match protocol {
        PPP_IPV4 => Some(Network::v4(at)),
        PPP_IPV6 => Some(Network::v6(at)),
        PPP_MPLS => mpls(frame, at),
        _ => None,
    }
}

/// LINKTYPE_PPP_HDLC carries PPP, with or without ff03, or Cisco HDLC (address 0x0f or 0x8f).
fn ppp_or_hdlc(frame: &impl Frame) -> Option<Network> {
    match frame.u8(0) {
        Some(0x0f | 0x8f) => ethertype_at(frame, 2),
        _ => ppp(frame, 0),
    }
}

/// LINKTYPE_NULL and LINKTYPE_LOOP: an address family of the capturing system, in its byte order.
fn loopback(frame: &impl Frame) -> Option<Network> {
    let family = frame.be32(0)?;
    match family.min(family.swap_bytes()) {
        2 => Some(Network::v4(4)),
        10 | 24 | 28 | 30 => Some(Network::v6(4)),
        _ => None,
    }
}

/// LINKTYPE_LINUX_SLL and SLL2: an EtherType at `protocol_at`, the payload at `payload_at`.
fn cooked(frame: &impl Frame, protocol_at: usize, payload_at: usize) -> Option<Network> {
    const LLC: u16 = 4;
    match frame.be16(protocol_at)? {
        LLC => llc(frame, payload_at),
        protocol if protocol <= MAX_8023_LENGTH => None,
        protocol => by_ethertype(frame, protocol, payload_at),
    }
}

/// IEEE 802.11 data frames that are neither protected nor aggregated.
fn wifi(frame: &impl Frame, at: usize, padded: bool) -> Option<Network> {
    let [control, flags] = frame.be16(at)?.to_be_bytes();
    let (kind, subtype) = (control & 0x0f, control >> 4);
    let (is_data, has_no_payload) = (kind == 0x08, subtype & 0x4 != 0);
    if !is_data || has_no_payload || flags & 0x40 != 0 {
        return None;
    }
    let mut len = if flags & 0x03 == 0x03 { 30 } else { 24 };
    if subtype & 0x8 != 0 {
        let is_aggregate = frame.u8(at + len)? & 0x80 != 0;
        if is_aggregate {
            return None;
        }
        len += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    if padded {
        len = len.next_multiple_of(4);
    }
    llc(frame, at + len)
}

/// Radiotap: little-endian length at 2; its flags may say that the 802.11 header is padded.
fn radiotap(frame: &impl Frame) -> Option<Network> {
    let len = usize::from(le16(frame, 2)?);
    wifi(frame, len, radiotap_flags(frame, len) & 0x20 != 0)
}

/// The radiotap flags field (bit 1), after the words of present bits and the time stamp (bit 0).
fn radiotap_flags(frame: &impl Frame, len: usize) -> u8 {
    let present = |at| le32(frame, at).unwrap_or(0);
    let mut at = 4;
    while present(at) & 0x8000_0000 != 0 && at < len {
        at += 4;
    }
    at += 4;
    if present(4) & 1 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    if present(4) & 2 != 0 && at < len { frame.u8(at).unwrap_or(0) } else { 0 }
}

/// Prism monitor headers (length at 4, little-endian), or AVS ones (magic, length big-endian).
fn prism(frame: &impl Frame) -> Option<Network> {
    let is_avs = frame.be32(0)? & 0xffff_f000 == 0x8021_1000;
    let length = if is_avs { frame.be32(4) } else { le32(frame, 4) }?;
    wifi(frame, length as usize, false)
}

/// Per-Packet Information: little-endian length at 2 and the real link type at 4.
fn ppi(frame: &impl Frame) -> Option<Network> {
    let len = usize::from(le16(frame, 2)?);
    if len > MAX_PPI {
        return None;
    }
    match le32(frame, 4)? {
        105 => wifi(frame, len, false),
        1 => ethernet(frame, len),
        _ => None,
    }
}

fn le16(frame: &impl Frame, at: usize) -> Option<u16> {
    frame.be16(at).map(u16::swap_bytes)
}

fn le32(frame: &impl Frame, at: usize) -> Option<u32> {
    frame.be32(at).map(u32::swap_bytes)
}
