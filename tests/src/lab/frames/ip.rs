//! IP packets for the frame builder: IPv4 with options and fragments, IPv6 with
//! extension headers.
//!
//! Owns the network formats and the Internet checksum. Refuses to fragment by
//! itself: a later fragment is [`Transport::Other`] with its share of the bytes
//! that [`Transport::encode`] gave.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Transport, length};

/// An IP header of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// IPv4.
    V4(Ipv4),
    /// IPv6.
    V6(Ipv6),
}

/// An IPv4 header; start from [`Ipv4::new`] and change fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv4 {
    /// The sender.
    pub source: Ipv4Addr,
    /// The receiver.
    pub target: Ipv4Addr,
    /// Options, at most 40 bytes; filled with end-of-options to a multiple of four.
    pub options: Vec<u8>,
    /// The identification that fragments of one packet share.
    pub identification: u16,
    /// The position of this fragment, in units of eight bytes.
    pub fragment_offset: u16,
    /// Whether more fragments follow.
    pub more_fragments: bool,
    /// Differentiated services and congestion bits.
    pub traffic_class: u8,
    /// Hops left.
    pub ttl: u8,
}

/// An IPv6 header; start from [`Ipv6::new`] and change fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipv6 {
    /// The sender.
    pub source: Ipv6Addr,
    /// The receiver.
    pub target: Ipv6Addr,
    /// Extension headers in their order.
    pub extensions: Vec<Extension>,
    /// Differentiated services and congestion bits.
    pub traffic_class: u8,
    /// The flow label, 20 bits.
    pub flow_label: u32,
    /// Hops left.
    pub hop_limit: u8,
}

/// An IPv6 extension header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its number, as the preceding header names it.
    pub number: u8,
    /// Everything after its first byte, which the builder fills in: the next header.
    pub body: Vec<u8>,
}

impl Ipv4 {
    /// A header without options that is no fragment.
    pub fn new(source: Ipv4Addr, target: Ipv4Addr) -> Self {
        Self {
            source,
            target,
            options: Vec::new(),
            identification: 0,
            fragment_offset: 0,
            more_fragments: false,
            traffic_class: 0,
            ttl: 64,
        }
    }

    /// The header followed by its payload.
    fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut options = self.options.clone();
        options.resize(options.len().next_multiple_of(4), 0);
        assert!(options.len() <= 40, "IPv4 options are at most 40 bytes");
        let size = 20 + options.len();
        let fragment = u16::from(self.more_fragments) << 13 | self.fragment_offset;
        let mut packet = vec![0x40 | (size / 4) as u8, self.traffic_class];
        packet.extend(length(size + payload.len()));
        packet.extend(self.identification.to_be_bytes());
        packet.extend(fragment.to_be_bytes());
        packet.extend([self.ttl, protocol, 0, 0]);
        packet.extend([self.source.octets(), self.target.octets()].concat());
        packet.extend(options);
        let sum = checksum(&[&packet]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(payload);
        packet
    }
}

impl Ipv6 {
    /// A header without extensions.
    pub fn new(source: Ipv6Addr, target: Ipv6Addr) -> Self {
        Self {
            source,
            target,
            extensions: Vec::new(),
            traffic_class: 0,
            flow_label: 0,
            hop_limit: 64,
        }
    }

    /// The header and its extensions followed by their payload.
    fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let (first, chain) = self.chain(protocol);
        let version = 6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label;
        let mut packet = version.to_be_bytes().to_vec();
        packet.extend(length(chain.len() + payload.len()));
        packet.extend([first, self.hop_limit]);
        packet.extend([self.source.octets(), self.target.octets()].concat());
        packet.extend(chain);
        packet.extend(payload);
        packet
    }

    /// The extension headers' bytes, and the number of the first header among all.
    fn chain(&self, protocol: u8) -> (u8, Vec<u8>) {
        let before = |(next, bytes): (u8, Vec<u8>), extension: &Extension| {
            (extension.number, [&[next], &extension.body[..], &bytes].concat())
        };
        self.extensions.iter().rev().fold((protocol, Vec::new()), before)
    }
}

impl Extension {
    /// Hop-by-hop options that do nothing.
    pub fn hop_by_hop() -> Self {
        Self { number: 0, body: vec![0, 1, 4, 0, 0, 0, 0] }
    }

    /// A routing header of unknown type with no segments left, which hosts pass over.
    pub fn routing() -> Self {
        Self { number: 43, body: vec![0, 253, 0, 0, 0, 0, 0] }
    }

    /// Destination options that do nothing.
    pub fn destination() -> Self {
        Self { number: 60, body: vec![0, 1, 4, 0, 0, 0, 0] }
    }

    /// A fragment header; the offset is in units of eight bytes.
    pub fn fragment(offset: u16, more: bool, identification: u32) -> Self {
        let place = (offset << 3 | u16::from(more)).to_be_bytes();
        Self { number: 44, body: [&[0], &place[..], &identification.to_be_bytes()].concat() }
    }

    /// An authentication header with a 12-byte check value; its length counts in fours.
    pub fn authentication() -> Self {
        Self { number: 51, body: [&[4], &[0; 22][..]].concat() }
    }
}

impl Network {
    /// A plain header between two addresses of one family.
    pub fn between(source: IpAddr, target: IpAddr) -> Self {
        match (source, target) {
            (IpAddr::V4(source), IpAddr::V4(target)) => Self::V4(Ipv4::new(source, target)),
            (IpAddr::V6(source), IpAddr::V6(target)) => Self::V6(Ipv6::new(source, target)),
            _ => panic!("{source} and {target} are of different families"),
        }
    }

    /// The whole IP packet.
    pub fn packet(&self, transport: &Transport) -> Vec<u8> {
        let (protocol, payload) = (transport.protocol(self), transport.encode(self));
        match self {
            Self::V4(header) => header.packet(protocol, &payload),
            Self::V6(header) => header.packet(protocol, &payload),
        }
    }

    /// The pseudo-header that transport checksums cover.
    pub(super) fn pseudo_header(&self, protocol: u8, payload: usize) -> Vec<u8> {
        let mut header = match self {
            Self::V4(ip) => [ip.source.octets(), ip.target.octets()].concat(),
            Self::V6(ip) => [ip.source.octets(), ip.target.octets()].concat(),
        };
        header.extend([0, protocol]);
        header.extend(length(payload));
        header
    }
}

/// The Internet checksum over all parts; all but the last must be of even length.
pub(super) fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let value =
        |word: &[u8]| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low));
    let mut sum: u32 = words.map(value).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_agrees_with_a_published_header() {
        // The worked example that is often quoted for IPv4: its sum is 0xb861.
        let header = [
            0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,
            0xc7,
        ];
        assert_eq!(checksum(&[&header]), 0xb861);
    }

    #[test]
    fn extension_headers_name_their_successors() {
        let mut header = Ipv6::new(Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
        header.extensions = vec![Extension::hop_by_hop(), Extension::fragment(2, true, 0x01020304)];
        let packet = Network::V6(header).packet(&Transport::Other { protocol: 59, bytes: vec![9] });
        assert_eq!(packet[4..8], [0, 17, 0, 64]);
        let chain = [44, 0, 1, 4, 0, 0, 0, 0, 59, 0, 0, 17, 1, 2, 3, 4, 9];
        assert_eq!(packet[40..], chain);
    }

    #[test]
    fn ipv4_fragments_and_options_are_at_their_offsets() {
        let mut header = Ipv4::new(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST);
        (header.fragment_offset, header.more_fragments) = (0x0123, true);
        header.options = vec![1; 5];
        let packet =
            Network::V4(header).packet(&Transport::Other { protocol: 17, bytes: vec![7; 3] });
        assert_eq!((packet[0], packet.len()), (0x47, 31));
        assert_eq!(packet[2..4], [0, 31]);
        assert_eq!(packet[6..8], [0x21, 0x23]);
        assert_eq!(packet[20..], [1, 1, 1, 1, 1, 0, 0, 0, 7, 7, 7]);
    }
}
