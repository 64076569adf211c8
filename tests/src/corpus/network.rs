//! The unusual cases of the network layer: options, fragments, extension headers, lengths of zero, truncated
//! packets, and headers that contradict themselves.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Flow, Packet, What, ip};
use crate::lab::frames::{Extension, IPV4, IPV6, Ipv4, Ipv6, Link, Network, Transport};

const ETHERNET: u16 = 1;
const HEADER: usize = 14;

fn v4(host: u8) -> Ipv4 {
    Ipv4::new(Ipv4Addr::new(198, 51, 100, host), Ipv4Addr::new(203, 0, 113, host))
}

fn v6(host: u16, extensions: Vec<Extension>) -> Network {
    let address = |net| Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, host);
    Network::V6(Ipv6 { extensions, ..Ipv6::new(address(1), address(2)) })
}

fn udp(port: u16) -> Transport {
    Transport::udp(port, 443, vec![1; 32])
}

fn tcp(port: u16, flags: u8) -> Transport {
    Transport::Tcp { source: port, target: 22, flags, sequence: 7, payload: vec![2; 40] }
}

fn frame(network: &Network, packet: &[u8]) -> Vec<u8> {
    let ethertype = if matches!(network, Network::V4(_)) { IPV4 } else { IPV6 };
    Link::new([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]).wrap(ethertype, packet)
}

fn whole(network: &Network, transport: &Transport) -> Packet {
    changed(network, transport, |_, _| {})
}

/// A packet after a change to its bytes and to its expected counts.
fn changed(
    network: &Network,
    transport: &Transport,
    change: impl Fn(&mut Vec<u8>, &mut Flow),
) -> Packet {
    let (mut packet, mut flow) = ip(network, transport);
    change(&mut packet, &mut flow);
    Packet::new(ETHERNET, frame(network, &packet), What::Flow(flow))
}

/// Whole packets of every kind.
pub(super) fn valid() -> Vec<Packet> {
    let mut packets = transports();
    packets.extend(fragments());
    packets.extend(extensions());
    packets.extend(lengths());
    packets
}

fn transports() -> Vec<Packet> {
    let plain = Network::V4(v4(1));
    let sctp = Transport::Sctp { source: 5, target: 36412, chunks: vec![0; 20] };
    let ping = Transport::Icmp { kind: 8, code: 0, rest: [0, 1, 0, 2], payload: vec![3; 56] };
    let other = |protocol| Transport::Other { protocol, bytes: vec![0x22; 40] };
    let mut all = vec![tcp(6000, 2), tcp(6000, 16), tcp(6001, 24), udp(6000), sctp, ping];
    // GRE, 6in4, ESP, UDP-Lite, DCCP: never opened, never with ports.
    all.extend([47, 41, 50, 136, 33].map(other));
    let mut packets: Vec<_> = all.iter().map(|transport| whole(&plain, transport)).collect();
    packets.extend(all.iter().map(|transport| whole(&v6(1, vec![]), transport)));
    // A record route and a full set of no-operations; addresses stay those of the header.
    for options in [vec![7, 7, 4, 0, 0, 0, 0], vec![1; 40]] {
        packets.push(whole(&Network::V4(Ipv4 { options, ..v4(2) }), &tcp(6002, 16)));
    }
    packets
}

fn fragments() -> Vec<Packet> {
    let first = Ipv4 { more_fragments: true, ..v4(3) };
    let later = Ipv4 { fragment_offset: 8, ..v4(3) };
    let rest = Transport::Other { protocol: 17, bytes: vec![0x11; 64] };
    let piece = |offset, more| vec![Extension::fragment(offset, more, 77)];
    vec![
        whole(&Network::V4(first), &udp(6003)),
        whole(&Network::V4(later), &rest),
        whole(&v6(3, piece(0, true)), &udp(6003)),
        whole(&v6(3, piece(8, false)), &rest),
        whole(&v6(4, piece(0, false)), &tcp(6004, 1)),
    ]
}

fn extensions() -> Vec<Packet> {
    let walk = || vec![Extension::hop_by_hop(), Extension::routing(), Extension::destination()];
    let authenticated = Extension::authentication();
    let no_next = Transport::Other { protocol: 59, bytes: vec![] };
    vec![
        whole(&v6(5, walk()), &udp(6005)),
        whole(&v6(6, [walk(), vec![Extension::fragment(0, true, 1)]].concat()), &tcp(6006, 2)),
        changed(&v6(7, vec![Extension::hop_by_hop(), authenticated]), &udp(6007), |_, flow| {
            (flow.protocol, flow.sport, flow.dport) = (51, 0, 0);
        }),
        whole(&v6(8, vec![]), &no_next),
        whole(&v6(8, vec![Extension::destination()]), &no_next),
    ]
}

/// The length in the header counts or, if it has none, the length on the wire.
fn lengths() -> Vec<Packet> {
    let set = |packet: &mut [u8], at: usize, length: u16| {
        packet[at..at + 2].copy_from_slice(&length.to_be_bytes());
    };
    let v4 = |host| Network::V4(v4(host));
    vec![
        // Segmentation left to the device: the length is zero, and that of the frame counts.
        changed(&v4(9), &tcp(6009, 16), |packet, _| set(packet, 2, 0)),
        changed(&v6(9, vec![]), &tcp(6009, 16), |packet, _| set(packet, 4, 0)),
        changed(&v4(10), &udp(6010), |packet, flow| {
            set(packet, 2, 9000);
            flow.bytes = 9000;
        }),
        changed(&v6(10, vec![]), &udp(6010), |packet, flow| {
            set(packet, 4, 9000);
            flow.bytes = 9040;
        }),
        // The packet ends within its UDP header: ports outside of it are not its own.
        changed(&v4(11), &udp(6011), |packet, flow| {
            set(packet, 2, 22);
            (flow.bytes, flow.sport, flow.dport) = (22, 0, 0);
        }),
    ]
}

/// Packets cut by a snap length: lengths come from the headers, ports only from captured bytes.
pub(super) fn cut() -> Vec<Packet> {
    let (v4, v6) = (Network::V4(v4(12)), v6(12, vec![]));
    let without_ports = |network: &Network, bytes| {
        let packet = changed(network, &udp(6012), |_, flow| (flow.sport, flow.dport) = (0, 0));
        packet.cut(bytes)
    };
    let unusable = |network: &Network, bytes| {
        Packet { what: What::Malformed, ..whole(network, &udp(6012)) }.cut(bytes)
    };
    let non_ip = |bytes| Packet { what: What::NonIp, ..whole(&v4, &udp(6012)) }.cut(bytes);
    vec![
        whole(&v4, &udp(6012)).cut(HEADER + 24),
        without_ports(&v4, HEADER + 23),
        without_ports(&v4, HEADER + 20),
        unusable(&v4, HEADER + 19),
        unusable(&v4, HEADER),
        whole(&v6, &udp(6012)).cut(HEADER + 44),
        without_ports(&v6, HEADER + 43),
        unusable(&v6, HEADER + 39),
        unusable(&v6, HEADER),
        non_ip(HEADER - 1),
        non_ip(0),
    ]
}

/// IP headers that contradict themselves.
pub(super) fn malformed() -> Vec<Packet> {
    let broken = |network: &Network, change: fn(&mut Vec<u8>)| {
        let packet = changed(network, &udp(6013), |packet, _| change(packet));
        Packet { what: What::Malformed, ..packet }
    };
    let (v4, v6) = (Network::V4(v4(13)), v6(13, vec![]));
    vec![
        broken(&v4, |packet| packet[0] = 0x65),
        broken(&v4, |packet| packet[0] = 0x44),
        broken(&v4, |packet| packet[0] = 0x40),
        broken(&v4, |packet| packet[2..4].copy_from_slice(&[0, 19])),
        broken(&v4, |packet| packet.truncate(12)),
        broken(&v4, |packet| {
            packet.truncate(20);
            packet[0] = 0x46;
            packet[2..4].copy_from_slice(&[0, 0]);
        }),
        broken(&v6, |packet| packet[0] = 0x45),
        broken(&v6, |packet| packet.truncate(30)),
        broken(&v6, Vec::clear),
        whole(&v4, &udp(6014)),
    ]
}
