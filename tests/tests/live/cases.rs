//! One frame of every kind, and the result that RFCs and rules require. Owns the expectations, written
//! by hand, so that no parser judges itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use wherefore_tests::agent::{Key, Volume};
use wherefore_tests::lab::frames::{self, Extension, Ipv4, Ipv6, Link, Network, Transport, padded};
use wherefore_tests::lab::{Family, Host};

/// Bytes of payload in most datagrams.
const PAYLOAD: u64 = 11;
const UDP: u8 = 17;

/// Frames to send and their sums.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) flows: BTreeMap<Key, Volume>,
    pub(crate) non_ip: u64,
    pub(crate) malformed: u64,
    /// Link-layer bytes of all frames.
    pub(crate) frame_bytes: u64,
}

impl Cases {
    /// IP packets among the frames.
    pub(crate) fn ip(&self) -> u64 {
        self.flows.values().map(|volume| volume.packets).sum()
    }

    /// Their IP-layer bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.flows.values().map(|volume| volume.bytes).sum()
    }

    /// Every kind of frame from one host to the other's addresses, but to an unused MAC address.
    pub(crate) fn all(from: &Host, to: &Host) -> Self {
        let mut maker = Maker { from, to, port: 1000, cases: Self::default() };
        maker.transports();
        maker.links();
        maker.ipv4();
        maker.ipv6();
        maker.tunnels();
        maker.lengths();
        maker.non_ip();
        maker.malformed();
        maker.cases
    }
}

/// Adds case after case, each with a source port of its own.
struct Maker<'a> {
    from: &'a Host,
    to: &'a Host,
    port: u16,
    cases: Cases,
}

impl Maker<'_> {
    fn link(&self) -> Link {
        self.from.link_to(self.to).to_nobody()
    }

    fn network(&self, family: Family) -> Network {
        Network::between(self.from.address(family), self.to.address(family))
    }

    fn v4(&self) -> Ipv4 {
        Ipv4::new(self.from.v4, self.to.v4)
    }

    fn v6(&self, extensions: Vec<Extension>) -> Network {
        Network::V6(Ipv6 { extensions, ..Ipv6::new(self.from.v6, self.to.v6) })
    }

    fn datagram(&mut self) -> Transport {
        self.port += 1;
        Transport::udp(self.port, 9, vec![0x42; PAYLOAD as usize])
    }

    /// Adds a frame; several times, so that a count of the wrong flow shows.
    fn add(&mut self, frame: Vec<u8>) -> u64 {
        let times = 1 + self.cases.frames.len() as u64 % 4;
        self.cases.frame_bytes += times * frame.len() as u64;
        (0..times).for_each(|_| self.cases.frames.push(frame.clone()));
        times
    }

    fn flow(&mut self, frame: Vec<u8>, family: Family, proto: u8, ports: (u16, u16), bytes: u64) {
        let length = frame.len() as u64;
        let packets = self.add(frame);
        let (src, dst): (IpAddr, IpAddr) = (self.from.address(family), self.to.address(family));
        let key = Key { proto, src, sport: ports.0, dst, dport: ports.1 };
        *self.cases.flows.entry(key).or_default() +=
            Volume { packets, bytes: packets * bytes, frame_bytes: packets * length };
    }

    /// A datagram behind `network`, which is so long in all.
    fn udp(&mut self, link: &Link, network: &Network, headers: u64) {
        let datagram = self.datagram();
        self.udp_frame(link.frame(network, &datagram), network, headers + 8 + PAYLOAD);
    }

    /// A frame with the datagram made last.
    fn udp_frame(&mut self, frame: Vec<u8>, network: &Network, bytes: u64) {
        let family = if matches!(network, Network::V4(_)) { Family::V4 } else { Family::V6 };
        self.flow(frame, family, UDP, (self.port, 9), bytes);
    }

    fn transports(&mut self) {
        for (family, header) in [(Family::V4, 20), (Family::V6, 40)] {
            let (link, network) = (self.link(), self.network(family));
            self.udp(&link, &network, header);
            let tcp = |flags, payload| Transport::Tcp {
                source: 2001,
                target: 80,
                flags,
                sequence: 7,
                payload,
            };
            self.flow(link.frame(&network, &tcp(2, vec![])), family, 6, (2001, 80), header + 20);
            let push = tcp(0x18, vec![1; 1440]);
            self.flow(link.frame(&network, &push), family, 6, (2001, 80), header + 20 + 1440);
            let sctp = Transport::Sctp { source: 2002, target: 81, chunks: vec![0; 16] };
            self.flow(link.frame(&network, &sctp), family, 132, (2002, 81), header + 28);
            let icmp = Transport::Icmp { kind: 3, code: 1, rest: [0; 4], payload: vec![9; 5] };
            let proto = if family == Family::V4 { 1 } else { 58 };
            self.flow(link.frame(&network, &icmp), family, proto, (0, 0), header + 13);
            // UDP-Lite, DCCP, ESP: their ports are not read.
            for protocol in [136, 33, 50] {
                let other = Transport::Other { protocol, bytes: vec![1; 24] };
                self.flow(link.frame(&network, &other), family, protocol, (0, 0), header + 24);
            }
        }
    }

    fn links(&mut self) {
        let plain = self.link();
        let tagged = plain.clone().vlan(frames::VLAN, 0x2064);
        let double = plain.clone().vlan(frames::SERVICE_VLAN, 200).vlan(frames::VLAN, 100);
        let triple =
            plain.clone().vlan(0x9100, 1).vlan(frames::SERVICE_VLAN, 2).vlan(frames::VLAN, 3);
        let links = [
            tagged.clone(),
            double.clone(),
            triple,
            plain.clone().mpls(100),
            plain.clone().mpls(1).mpls(2).mpls(3),
            plain.clone().pppoe(7),
            tagged.mpls(16),
            double.pppoe(8),
            plain.clone().pppoe(9).mpls(17),
        ];
        for (family, header) in [(Family::V4, 20), (Family::V6, 40)] {
            let network = self.network(family);
            links.iter().for_each(|link| self.udp(link, &network, header));
        }
        self.llc();
    }

    /// IP behind 802.3 with SNAP, and with IP's own SAP.
    fn llc(&mut self) {
        let (link, network) = (self.link(), self.network(Family::V4));
        for header in [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &[6, 6, 3]] {
            let datagram = self.datagram();
            let body = [header, &network.packet(&datagram)].concat();
            let frame = link.wrap(body.len() as u16, &body);
            self.udp_frame(frame, &network, 28 + PAYLOAD);
        }
    }

    fn ipv4(&mut self) {
        let link = self.link();
        for options in [4, 7, 40] {
            let network = Network::V4(Ipv4 { options: vec![1; options], ..self.v4() });
            self.udp(&link, &network, 20 + options.next_multiple_of(4) as u64);
        }
        let first = Network::V4(Ipv4 { more_fragments: true, ..self.v4() });
        self.udp(&link, &first, 20);
        let later = Network::V4(Ipv4 { fragment_offset: 185, ..self.v4() });
        let rest = Transport::Other { protocol: UDP, bytes: vec![7; 200] };
        self.flow(link.frame(&later, &rest), Family::V4, UDP, (0, 0), 220);
    }

    fn ipv6(&mut self) {
        let link = self.link();
        let chain = [Extension::hop_by_hop(), Extension::routing(), Extension::destination()];
        let network = self.v6(chain.to_vec());
        self.udp(&link, &network, 40 + 24);
        let first = self.v6(vec![Extension::fragment(0, true, 5)]);
        self.udp(&link, &first, 40 + 8);
        let later = self.v6(vec![Extension::hop_by_hop(), Extension::fragment(181, false, 5)]);
        let rest = Transport::Other { protocol: UDP, bytes: vec![7; 200] };
        self.flow(link.frame(&later, &rest), Family::V6, UDP, (0, 0), 40 + 16 + 200);
        let sealed = self.v6(vec![Extension::authentication()]);
        let datagram = self.datagram();
        let frame = link.frame(&sealed, &datagram);
        self.flow(frame, Family::V6, 51, (0, 0), 40 + 24 + 8 + PAYLOAD);
        let empty = Transport::Other { protocol: 59, bytes: vec![] };
        let frame = padded(link.frame(&self.v6(vec![]), &empty));
        self.flow(frame, Family::V6, 59, (0, 0), 40);
    }

    /// The flow is the outer one.
    fn tunnels(&mut self) {
        let link = self.link();
        let inner = [Family::V4, Family::V6].map(|family| {
            let datagram = Transport::udp(3, 4, vec![0; 30]);
            self.network(family).packet(&datagram)
        });
        let [v4, v6] = inner;
        let gre = [&[0, 0, 8, 0], &v4[..]].concat();
        for (family, header) in [(Family::V4, 20), (Family::V6, 40)] {
            for (protocol, bytes) in [(4, &v4), (41, &v6), (47, &gre)] {
                let length = header + bytes.len() as u64;
                let carried = Transport::Other { protocol, bytes: bytes.clone() };
                let frame = link.frame(&self.network(family), &carried);
                self.flow(frame, family, protocol, (0, 0), length);
            }
        }
    }

    /// Lengths that are not the frame's.
    fn lengths(&mut self) {
        let (link, v4, v6) = (self.link(), self.network(Family::V4), self.network(Family::V6));
        let datagram = self.datagram();
        self.udp_frame(padded(link.frame(&v4, &datagram)), &v4, 28 + PAYLOAD);
        let large = Transport::udp(2003, 9, vec![1; 1472]);
        self.flow(link.frame(&v4, &large), Family::V4, UDP, (2003, 9), 1500);
        // Left to the device, or a jumbogram: as long as the frame.
        for (network, place) in [(&v4, 16), (&v6, 18)] {
            let datagram = self.datagram();
            let mut frame = link.frame(network, &datagram);
            frame[place..place + 2].fill(0);
            let bytes = frame.len() as u64 - 14;
            self.udp_frame(frame, network, bytes);
        }
        // More than there is: as claimed.
        let datagram = self.datagram();
        let mut frame = link.frame(&v4, &datagram);
        frame[16..18].copy_from_slice(&1400u16.to_be_bytes());
        self.udp_frame(frame, &v4, 1400);
        // Half of a source port is none.
        let stub = Transport::Other { protocol: UDP, bytes: vec![1, 2] };
        self.flow(padded(link.frame(&v4, &stub)), Family::V4, UDP, (0, 0), 22);
    }

    fn non_ip(&mut self) {
        let link = self.link();
        let arp = link.arp(self.from.v4, self.to.v4);
        let frames = [
            padded(arp.clone()),
            padded(link.clone().vlan(frames::VLAN, 5).arp(self.from.v4, self.to.v4)),
            link.llc(&[0; 40]),
            link.wrap(0x88cc, &[2; 50]),
            link.wrap(0x9000, &[0; 46]),
            // A pseudowire: no IP version begins with 0.
            link.wrap(frames::MPLS, &[[0, 1, 1, 64], [0; 4], [0; 4]].concat()),
            // PPPoE's link control.
            link.wrap(frames::PPPOE, &[0x11, 0, 0, 7, 0, 6, 0xc0, 0x21, 1, 1, 0, 4]),
            arp[..14].to_vec(),
        ];
        for frame in frames {
            self.cases.non_ip += self.add(frame);
        }
    }

    fn malformed(&mut self) {
        let link = self.link();
        let packets = [Family::V4, Family::V6].map(|family| {
            let datagram = Transport::udp(3, 4, vec![0; 30]);
            self.network(family).packet(&datagram)
        });
        let [v4, v6] = &packets;
        let with = |packet: &[u8], at: usize, value: u8| {
            let mut changed = packet.to_vec();
            changed[at] = value;
            changed
        };
        let short_length = with(&with(v4, 2, 0), 3, 19);
        let frames = [
            link.wrap(frames::IPV4, v6),
            link.wrap(frames::IPV6, v4),
            link.wrap(frames::IPV4, &with(v4, 0, 0x44)),
            link.wrap(frames::IPV4, &short_length),
            link.wrap(frames::IPV4, &v4[..19]),
            link.wrap(frames::IPV6, &v6[..39]),
            link.clone().vlan(frames::VLAN, 5).wrap(frames::IPV4, &v4[..10]),
        ];
        for frame in frames {
            self.cases.malformed += self.add(frame);
        }
    }
}
