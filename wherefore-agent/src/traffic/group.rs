//! Grouping of flows for detection. Owns the groupings. The key of a group is a flow key in which all fields
//! that the grouping ignores are cleared.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use wherefore_common::flow::{AddressWords, address_words};
use wherefore_common::{Direction, FlowKey};

use super::named;

/// The flow, or the group, in the reverse direction.
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

/// The text for a side that the grouping ignores.
pub const ANY: &str = "*";

/// The words in the key of a group without a name.
const NAMELESS: AddressWords = [0, 0];

/// The text for an unknown property of a group, such as the country of its peers.
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
    utoipa::ToSchema,
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
    /// The peer's network: /24 (IPv4) or /48 (IPv6), with separate groups for each direction. The peer is the
    /// source of received packets and the destination of sent packets. Capture files do not record the
    /// direction: there it is the address that is not private.
    PeerPrefix,
    /// The peer's country, with separate groups for each direction.
    Country,
    /// The peer's AS, with separate groups for each direction.
    Asn,
    /// The peer's name, or its address if it has none, with separate groups for each direction.
    Name,
    /// The process of this host, by the name of its program file, so that a restarted process continues the
    /// same baseline. Sent and received traffic are separate groups. Flows without an owner are grouped by
    /// the reason, such as [kernel]. Live only.
    Process,
    /// The systemd unit; otherwise like `process`.
    Unit,
    /// The container, by its name or 12 digits of its id; otherwise like `process`.
    Container,
    /// The Kubernetes pod, by namespace and name or its UID; otherwise like `process`.
    Pod,
    /// The user; otherwise like `process`.
    User,
    /// All traffic of an interface, with separate groups for each direction.
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
            Self::Name => "name",
            Self::Process => "process",
            Self::Unit => "unit",
            Self::Container => "container",
            Self::Pod => "pod",
            Self::User => "user",
            Self::Interface => "interface",
        }
    }

    /// Whether it groups by owners on this host.
    pub fn is_of_owners(self) -> bool {
        matches!(self, Self::Process | Self::Unit | Self::Container | Self::Pod | Self::User)
    }

    /// Whether groups have names, which [`named`] knows.
    pub fn is_by_name(self) -> bool {
        self.is_of_owners() || self == Self::Name
    }

    /// Whether a flow's group depends only on the flow. Otherwise `attribute` must find it.
    pub fn is_of_flows(self) -> bool {
        !(self.is_by_name() || matches!(self, Self::Country | Self::Asn))
    }

    /// The group of a flow. Directions are separate only if they are part of the grouping. Interfaces are
    /// always separate, because the same packet may pass several.
    pub fn key(self, flow: &FlowKey) -> FlowKey {
        let FlowKey { src, dst, ifindex, family, direction, .. } = *flow;
        let key = FlowKey { ifindex, family, ..FlowKey::default() };
        match self {
            Self::Pair => FlowKey { src, dst, ..key },
            Self::Flow => FlowKey { direction: 0, ..*flow },
            Self::Src => FlowKey { src, ..key },
            Self::Dst => FlowKey { dst, ..key },
            Self::PeerPrefix => peer_prefix(flow, key),
            Self::Interface => FlowKey { ifindex, direction, ..FlowKey::default() },
            // `attribute` knows the names of these.
            Self::Country | Self::Asn | Self::Name => Self::of_peer(flow, NAMELESS),
            Self::Process | Self::Unit | Self::Container | Self::Pod | Self::User => {
                Self::of_owner(flow, !peer(flow).1, NAMELESS)
            }
        }
    }

    /// The group of a peer with these words in its key; zeros mean that nothing is known about it.
    pub fn of_peer(flow: &FlowKey, words: AddressWords) -> FlowKey {
        let key = FlowKey { ifindex: flow.ifindex, ..FlowKey::default() };
        if peer(flow).1 {
            FlowKey { src: words, direction: Direction::Ingress as u8, ..key }
        } else {
            FlowKey { dst: words, direction: Direction::Egress as u8, ..key }
        }
    }

    /// The group of an owner with these words in its key, for either its sent or its received traffic.
    pub fn of_owner(flow: &FlowKey, is_sender: bool, words: AddressWords) -> FlowKey {
        let key = FlowKey { ifindex: flow.ifindex, ..FlowKey::default() };
        if is_sender {
            FlowKey { src: words, direction: Direction::Egress as u8, ..key }
        } else {
            FlowKey { dst: words, direction: Direction::Ingress as u8, ..key }
        }
    }

    /// The group for traffic in both directions with the country or AS of this number.
    pub fn both_ways(number: u32) -> FlowKey {
        FlowKey { dst: [u64::from(number), 0], ..FlowKey::default() }
    }

    /// For groups by country or AS: the same group without direction, as [`Self::both_ways`] makes it.
    pub fn without_direction(self, group: &FlowKey) -> Option<FlowKey> {
        let is_of_places = matches!(self, Self::Country | Self::Asn);
        is_of_places.then(|| Self::both_ways((group.src[0] | group.dst[0]) as u32))
    }

    /// The name that these words of a key stand for.
    fn word(self, words: AddressWords) -> String {
        let [number, _] = words;
        let letters = (number as u16).to_be_bytes();
        match self {
            _ if words == NAMELESS => UNKNOWN.to_owned(),
            Self::Country => String::from_utf8_lossy(&letters).into_owned(),
            Self::Asn => format!("AS{number}"),
            _ => named::name_of(words),
        }
    }

    /// Whether the name of the group stands for its source: if peers or owners send the traffic.
    fn is_named_by_source(self, key: &FlowKey) -> bool {
        (key.direction() == Direction::Ingress) != self.is_of_owners()
    }

    /// The addresses of the group's ends, or the first addresses of their networks; `None` for any.
    pub fn addresses(self, key: &FlowKey) -> [Option<IpAddr>; 2] {
        let (src, dst) = (Some(key.src_ip()), Some(key.dst_ip()));
        match self {
            Self::Pair | Self::Flow => [src, dst],
            Self::Src => [src, None],
            Self::Dst => [None, dst],
            Self::PeerPrefix if key.direction() == Direction::Ingress => [src, None],
            Self::PeerPrefix => [None, dst],
            _ => [None, None],
        }
    }

    /// The sender of this group, or `*`.
    pub fn source(self, key: &FlowKey) -> String {
        match self {
            Self::Pair | Self::Src => key.src_ip().to_string(),
            Self::Flow => endpoint(key.src_ip(), key.sport, key),
            Self::Dst => ANY.to_owned(),
            Self::PeerPrefix if key.direction() == Direction::Ingress => prefix(key.src_ip()),
            Self::PeerPrefix | Self::Interface => ANY.to_owned(),
            _ if self.is_named_by_source(key) => self.word(key.src),
            _ => ANY.to_owned(),
        }
    }

    /// The receiver of this group, or `*`.
    pub fn destination(self, key: &FlowKey) -> String {
        match self {
            Self::Pair | Self::Dst => key.dst_ip().to_string(),
            Self::Flow => endpoint(key.dst_ip(), key.dport, key),
            Self::Src => ANY.to_owned(),
            Self::PeerPrefix if key.direction() == Direction::Egress => prefix(key.dst_ip()),
            Self::PeerPrefix | Self::Interface => ANY.to_owned(),
            _ if self.is_named_by_source(key) => ANY.to_owned(),
            _ => self.word(key.dst),
        }
    }
}

/// The peer of a flow, and whether it is the source. The peer is the source of received packets and the
/// destination of sent ones. Captures do not record the direction; there the peer is the end that is not
/// private.
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
    // The direction marks the side, so that 0.0.0.0/24 differs from "any".
    if is_source {
        let direction = Direction::Ingress as u8;
        FlowKey { src: network(flow.src_ip()), direction, ..key }
    } else {
        let direction = Direction::Egress as u8;
        FlowKey { dst: network(flow.dst_ip()), direction, ..key }
    }
}

/// The first address of the network that contains an address.
pub(crate) fn network(address: IpAddr) -> AddressWords {
    let network = IpNet::new(address, prefix_length(address)).map_or(address, |net| net.network());
    address_words(network).1
}

fn prefix_length(address: IpAddr) -> u8 {
    if address.is_ipv4() { 24 } else { 48 }
}

/// Whether an address is private to a site.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local(),
    }
}

/// The network that begins with this address, as text.
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

/// A group's key without its interface, whose number may change at a restart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeptGroup {
    addresses: [AddressWords; 2],
    ports: [u16; 2],
    /// Protocol, family and direction.
    rest: [u8; 3],
}

impl KeptGroup {
    /// The key without its interface.
    pub fn of(key: &FlowKey) -> Self {
        let FlowKey { src, dst, sport, dport, protocol, family, direction, .. } = *key;
        Self { addresses: [src, dst], ports: [sport, dport], rest: [protocol, family, direction] }
    }

    /// The key at this interface.
    pub fn at(self, ifindex: u32) -> FlowKey {
        let Self { addresses: [src, dst], ports: [sport, dport], rest } = self;
        let [protocol, family, direction] = rest;
        let key = FlowKey { ifindex, src, dst, sport, dport, ..FlowKey::default() };
        FlowKey { protocol, family, direction, ..key }
    }
}
