//! The payload of IP packets: TCP, UDP, SCTP, ICMP or any bytes.
//!
//! Owns the transport formats and the positions of their checksums. Refuses to compute
//! SCTP's checksum, which stays zero, and TCP options.

use super::ip::{Network, checksum};
use super::length;

/// The payload of an IP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A TCP segment without options.
    Tcp {
        /// The sending port.
        source: u16,
        /// The receiving port.
        target: u16,
        /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16 and so on.
        flags: u8,
        /// The number of the first byte.
        sequence: u32,
        /// The payload of the segment.
        payload: Vec<u8>,
    },
    /// A UDP datagram.
    Udp {
        /// The sending port.
        source: u16,
        /// The receiving port.
        target: u16,
        /// The payload of the datagram.
        payload: Vec<u8>,
    },
    /// An SCTP packet.
    Sctp {
        /// The sending port.
        source: u16,
        /// The receiving port.
        target: u16,
        /// Everything after the common header.
        chunks: Vec<u8>,
    },
    /// An ICMP message; inside IPv6 it is ICMPv6.
    Icmp {
        /// The type.
        kind: u8,
        /// The code.
        code: u8,
        /// The header's second half, such as identifier and sequence number.
        rest: [u8; 4],
        /// Everything after the header.
        payload: Vec<u8>,
    },
    /// Anything else.
    Other {
        /// The protocol number.
        protocol: u8,
        /// Header and payload.
        bytes: Vec<u8>,
    },
}

impl Transport {
    /// A UDP datagram.
    pub fn udp(source: u16, target: u16, payload: Vec<u8>) -> Self {
        Self::Udp { source, target, payload }
    }

    /// The protocol number inside `network`.
    pub fn protocol(&self, network: &Network) -> u8 {
        match (self, network) {
            (Self::Tcp { .. }, _) => 6,
            (Self::Udp { .. }, _) => 17,
            (Self::Sctp { .. }, _) => 132,
            (Self::Icmp { .. }, Network::V4(_)) => 1,
            (Self::Icmp { .. }, Network::V6(_)) => 58,
            (Self::Other { protocol, .. }, _) => *protocol,
        }
    }

    /// The transport header and payload with the checksum filled in.
    pub fn encode(&self, network: &Network) -> Vec<u8> {
        let mut bytes = self.unsummed();
        let Some(at) = self.checksum_place() else {
            return bytes;
        };
        let plain = matches!((self, network), (Self::Icmp { .. }, Network::V4(_)));
        let pseudo = network.pseudo_header(self.protocol(network), bytes.len());
        let sum = checksum(&[if plain { &[] } else { &pseudo }, &bytes]);
        // Zero would mean "no checksum" to UDP; its other form is equal to TCP and ICMP.
        let sum = if sum == 0 { 0xffff } else { sum };
        bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// The position of the checksum, if the builder fills it in.
    fn checksum_place(&self) -> Option<usize> {
        match self {
            Self::Tcp { .. } => Some(16),
            Self::Udp { .. } => Some(6),
            Self::Icmp { .. } => Some(2),
            Self::Sctp { .. } | Self::Other { .. } => None,
        }
    }

    /// The transport header and payload with zeros for the checksum.
    fn unsummed(&self) -> Vec<u8> {
        match self {
            Self::Tcp { source, target, flags, sequence, payload } => {
                let sequence = sequence.to_be_bytes();
                let tail = [0, 0, 0, 0, 0x50, *flags, 0xff, 0xff, 0, 0, 0, 0];
                [&ports(*source, *target), &sequence[..], &tail, payload].concat()
            }
            Self::Udp { source, target, payload } => {
                let size = length(8 + payload.len());
                [&ports(*source, *target), &size[..], &[0, 0], payload].concat()
            }
            Self::Sctp { source, target, chunks } => {
                [&ports(*source, *target), &[0; 8][..], chunks].concat()
            }
            Self::Icmp { kind, code, rest, payload } => {
                [&[*kind, *code, 0, 0], &rest[..], payload].concat()
            }
            Self::Other { bytes, .. } => bytes.clone(),
        }
    }
}

/// The two ports, with which most transports begin.
fn ports(source: u16, target: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (source.to_be_bytes(), target.to_be_bytes());
    [a, b, c, d]
}
