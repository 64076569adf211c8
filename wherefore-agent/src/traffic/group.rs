//! What counts as one "flow" for detection. Owns the ways to group; a group's key is a flow key
//! with everything cleared that the grouping does not look at.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::{AddressWords, address_words};
use wherefore_common::{Direction, FlowKey};

/// The flow, or the group, of the answers.
pub fn reversed(flow: &FlowKey) -> FlowKey {
    let direction = match flow.direction {
        1 => 2,
        2 => 1,
        other => other,
    };
    FlowKey {
        src: flow.dst,
        dst: flow.src,
        sport: flow.dport,
        dport: flow.sport,
        direction,
        ..*flow
    }
}

/// The side that a grouping does not look at.
pub const ANY: &str = "*";

/// Peers of which the country or the AS is not known.
const UNKNOWN: &str = "unknown";

/// How flows are grouped for detection.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    clap::ValueEnum,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum GroupBy {
    /// Source address -> destination address.
    #[default]
    Pair,
    /// Source and destination address and port, protocol.
    Flow,
    /// Source address.
    Src,
    /// Destination address.
    Dst,
    /// The peer's network: /24 (IPv4) or /48 (IPv6), each direction on its own. The peer is the
    /// source of what is received and the destination of what is sent; in capture files, which
    /// don't tell, the address that is not private.
    PeerPrefix,
    /// The peer's country, as for its network.
    Country,
    /// The peer's AS, as for its network.
    Asn,
    /// All that passes an interface, each direction on its own.
    Interface,
}

impl GroupBy {
    /// The name used in options and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Flow => "flow",
            Self::Src => "src",
            Self::Dst => "dst",
            Self::PeerPrefix => "peer-prefix",
            Self::Country => "country",
            Self::Asn => "asn",
            Self::Interface => "interface",
        }
    }

    /// The group that a flow belongs to. Directions are only kept apart where they are part of the
    /// grouping; interfaces always are, because the same packet may pass several.
    pub fn key(self, flow: &FlowKey) -> FlowKey {
        let FlowKey { src, dst, ifindex, family, direction, .. } = *flow;
        let key = FlowKey { ifindex, family, ..FlowKey::default() };
        match self {
            Self::Pair => FlowKey { src, dst, ..key },
            Self::Flow => FlowKey { direction: 0, ..*flow },
            Self::Src => FlowKey { src, ..key },
            Self::Dst => FlowKey { dst, ..key },
            Self::PeerPrefix => peer_prefix(flow, key),
            // What these are called is known to `attribute`.
            Self::Country | Self::Asn => Self::of_peer(flow, 0),
            Self::Interface => FlowKey { ifindex, direction, ..FlowKey::default() },
        }
    }

    /// The group of a peer that is known by this number; 0 where it is not known.
    pub fn of_peer(flow: &FlowKey, number: u32) -> FlowKey {
        let (words, key) =
            ([u64::from(number), 0], FlowKey { ifindex: flow.ifindex, ..FlowKey::default() });
        if peer(flow).1 {
            FlowKey { src: words, direction: Direction::Ingress as u8, ..key }
        } else {
            FlowKey { dst: words, direction: Direction::Egress as u8, ..key }
        }
    }

    /// The group of all that moves to and from those that are known by this number.
    pub fn both_ways(number: u32) -> FlowKey {
        FlowKey { dst: [u64::from(number), 0], ..FlowKey::default() }
    }

    /// What the peers of this number are called.
    fn word(self, number: u64) -> String {
        let letters = (number as u16).to_be_bytes();
        match (self, number) {
            (_, 0) => UNKNOWN.to_owned(),
            (Self::Country, _) => String::from_utf8_lossy(&letters).into_owned(),
            _ => format!("AS{number}"),
        }
    }

    /// The addresses that the group's ends have, or begin with; `None` for any.
    pub fn addresses(self, key: &FlowKey) -> [Option<IpAddr>; 2] {
        let (src, dst) = (Some(key.src_ip()), Some(key.dst_ip()));
        match self {
            Self::Pair | Self::Flow => [src, dst],
            Self::Src => [src, None],
            Self::Dst => [None, dst],
            Self::PeerPrefix if key.direction() == Direction::Ingress => [src, None],
            Self::PeerPrefix => [None, dst],
            Self::Country | Self::Asn | Self::Interface => [None, None],
        }
    }

    /// Who sends in this group, or `*`.
    pub fn source(self, key: &FlowKey) -> String {
        match self {
            Self::Pair | Self::Src => key.src_ip().to_string(),
            Self::Flow => endpoint(key.src_ip(), key.sport, key),
            Self::Dst => ANY.to_owned(),
            Self::PeerPrefix if key.direction() == Direction::Ingress => prefix(key.src_ip()),
            Self::Country | Self::Asn if key.direction() == Direction::Ingress => {
                self.word(key.src[0])
            }
            Self::PeerPrefix | Self::Country | Self::Asn | Self::Interface => ANY.to_owned(),
        }
    }

    /// Who receives in this group, or `*`.
    pub fn destination(self, key: &FlowKey) -> String {
        match self {
            Self::Pair | Self::Dst => key.dst_ip().to_string(),
            Self::Flow => endpoint(key.dst_ip(), key.dport, key),
            Self::Src => ANY.to_owned(),
            Self::PeerPrefix if key.direction() == Direction::Egress => prefix(key.dst_ip()),
            Self::Country | Self::Asn if key.direction() != Direction::Ingress => {
                self.word(key.dst[0])
            }
            Self::PeerPrefix | Self::Country | Self::Asn | Self::Interface => ANY.to_owned(),
        }
    }
}

/// The other end of a flow, and whether that is its source: of what is received it is, of what is sent
/// it is not; capture files don't tell, there it is the end that is not private.
pub fn peer(flow: &FlowKey) -> (IpAddr, bool) {
    let is_source = match flow.direction() {
        Direction::Ingress => true,
        Direction::Egress => false,
        Direction::Unknown => is_private(flow.dst_ip()) && !is_private(flow.src_ip()),
    };
    (if is_source { flow.src_ip() } else { flow.dst_ip() }, is_source)
}

fn peer_prefix(flow: &FlowKey, key: FlowKey) -> FlowKey {
    let is_source = peer(flow).1;
    // The direction marks the side, so that 0.0.0.0/24 is not taken for "any".
    if is_source {
        let direction = Direction::Ingress as u8;
        FlowKey { src: network(flow.src_ip()), direction, ..key }
    } else {
        let direction = Direction::Egress as u8;
        FlowKey { dst: network(flow.dst_ip()), direction, ..key }
    }
}

/// The first address of the network that an address is in.
pub(crate) fn network(address: IpAddr) -> AddressWords {
    let network = IpNet::new(address, prefix_length(address)).map_or(address, |net| net.network());
    address_words(network).1
}

fn prefix_length(address: IpAddr) -> u8 {
    if address.is_ipv4() { 24 } else { 48 }
}

/// Whether an address is one of a site's own.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// The network of this first address, for a person.
pub(crate) fn prefix(address: IpAddr) -> String {
    format!("{address}/{}", prefix_length(address))
}

fn endpoint(address: IpAddr, port: u16, key: &FlowKey) -> String {
    if port == 0 && key.sport == 0 && key.dport == 0 {
        return address.to_string();
    }
    match address {
        IpAddr::V4(v4) => format!("{v4}:{port}"),
        IpAddr::V6(v6) => format!("[{v6}]:{port}"),
    }
}

/// A group's key, but for its interface, whose number is another after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeptGroup {
    addresses: [AddressWords; 2],
    ports: [u16; 2],
    /// Protocol, family and direction.
    rest: [u8; 3],
}

impl KeptGroup {
    /// Of a key.
    pub fn of(key: &FlowKey) -> Self {
        let FlowKey { src, dst, sport, dport, protocol, family, direction, .. } = *key;
        Self { addresses: [src, dst], ports: [sport, dport], rest: [protocol, family, direction] }
    }

    /// The key, at this interface.
    pub fn at(self, ifindex: u32) -> FlowKey {
        let Self { addresses: [src, dst], ports: [sport, dport], rest } = self;
        let [protocol, family, direction] = rest;
        let key = FlowKey { ifindex, src, dst, sport, dport, ..FlowKey::default() };
        FlowKey { protocol, family, direction, ..key }
    }
}
