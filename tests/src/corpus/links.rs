//! At least one packet for every supported link type and encapsulation, and for the frames among them without
//! IP. Owns the link-layer headers that occur only in capture files.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Packet, What, ip};
use crate::lab::frames::{
    self, Ipv4, Ipv6, Link, MPLS, Network, PPPOE, SERVICE_VLAN, Transport, VLAN, padded,
};

const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];
const BRIDGE_TUNNEL: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0xf8];
const V4: [u8; 2] = [0x08, 0x00];
const V6: [u8; 2] = [0x86, 0xdd];

/// Collects packets, each a flow of its own.
struct Collector {
    link: u16,
    packets: Vec<Packet>,
    port: u16,
}

impl Collector {
    fn new(link: u16) -> Self {
        Self { link, packets: Vec::new(), port: 1000 + link }
    }

    /// An IPv4 packet behind this header.
    fn v4(&mut self, header: &[u8]) {
        let host = |last| Ipv4Addr::new(192, 0, 2, last);
        self.packet(header, &Network::V4(Ipv4::new(host(1), host(2))));
    }

    /// An IPv6 packet behind this header.
    fn v6(&mut self, header: &[u8]) {
        let host = |last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last);
        self.packet(header, &Network::V6(Ipv6::new(host(1), host(2))));
    }

    fn packet(&mut self, header: &[u8], network: &Network) {
        self.port += 1;
        let payload = vec![0x5a; usize::from(self.port % 50)];
        let (packet, flow) = ip(network, &Transport::udp(self.port, 53, payload));
        let frame = [header, &packet].concat();
        self.packets.push(Packet::new(self.link, frame, What::Flow(flow)));
    }

    fn non_ip(&mut self, frame: &[u8]) {
        self.packets.push(Packet::new(self.link, frame.to_vec(), What::NonIp));
    }
}

/// The captures of one link type each, by name.
pub(super) fn all() -> Vec<(&'static str, Vec<Packet>)> {
    let named = |(name, collector): (&'static str, Collector)| (name, collector.packets);
    [
        ("ethernet", ethernet()),
        ("null", loopback(0)),
        ("loop", loopback(108)),
        ("raw-12", raw(12)),
        ("raw-14", raw(14)),
        ("raw", raw(101)),
        ("ipv4", only(228, Collector::v4)),
        ("ipv6", only(229, Collector::v6)),
        ("ppp", ppp(9)),
        ("ppp-hdlc", ppp_hdlc()),
        ("ppp-ether", ppp_ether()),
        ("cisco-hdlc", cisco_hdlc(104)),
        ("cooked", cooked()),
        ("cooked2", cooked2()),
        ("wifi", wifi(105, &[])),
        ("radiotap", radiotap()),
        ("prism", prism()),
        ("ppi", ppi()),
        ("unknown-link", unknown()),
    ]
    .into_iter()
    .map(named)
    .collect()
}

fn ethernet() -> Collector {
    let mut collector = Collector::new(1);
    let link = || Link::new([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    // A header is a frame without payload, so that the lab's builder makes all but LLC.
    let head = |link: Link, ethertype| link.wrap(ethertype, &[]);
    let plain = || head(link(), frames::IPV4);
    collector.v4(&plain());
    collector.v6(&head(link(), frames::IPV6));
    let qinq = || link().vlan(SERVICE_VLAN, 7).vlan(VLAN, 0x2005);
    for tagged in [link().vlan(VLAN, 5), link().vlan(0x9100, 5), qinq(), qinq().vlan(VLAN, 9)] {
        collector.v4(&head(tagged.clone(), frames::IPV4));
        collector.v6(&head(tagged, frames::IPV6));
    }
    let addresses = plain()[..12].to_vec();
    for labels in [&[0x0001_0140_u32][..], &[0x0001_0040, 0x0002_0040, 0x0003_0140]] {
        let labels: Vec<u8> = labels.iter().flat_map(|label| label.to_be_bytes()).collect();
        collector.v4(&[&addresses[..], &MPLS.to_be_bytes(), &labels].concat());
        collector.v6(&[&addresses[..], &0x8848_u16.to_be_bytes(), &labels].concat());
    }
    for (protocol, is_v6) in [([0, 0x21], false), ([0, 0x57], true)] {
        let session = [&PPPOE.to_be_bytes()[..], &[0x11, 0, 0, 9, 0, 99], &protocol].concat();
        let header = [&addresses[..], &session].concat();
        let tagged = [&addresses[..], &[0x81, 0, 0, 6], &session].concat();
        if is_v6 {
            collector.v6(&header);
        } else {
            collector.v4(&header);
            collector.v4(&tagged);
        }
    }
    let labelled = [0x88, 0x64, 0x11, 0, 0, 9, 0, 99, 0x02, 0x81, 0, 1, 1, 0x40];
    collector.v4(&[&addresses[..], &labelled].concat());
    ieee_8023(&mut collector, &addresses);
    collector.non_ip(&padded(link().arp([192, 0, 2, 1].into(), [192, 0, 2, 2].into())));
    collector.non_ip(&padded(link().llc(&[0; 35])));
    collector.non_ip(&link().wrap(0x88cc, &[2, 7, 4, 0, 0]));
    // A pseudo-wire: the first nibble behind the labels is neither 4 nor 6.
    collector.non_ip(&link().mpls(20).wrap(frames::IPV4, &[0; 60]));
    pad_last(&mut collector);
    collector
}

fn ieee_8023(collector: &mut Collector, addresses: &[u8]) {
    let with = |llc: &[&[u8]]| [addresses, &[0, 90], &llc.concat()].concat();
    collector.v4(&with(&[&SNAP, &V4]));
    collector.v6(&with(&[&SNAP, &V6]));
    collector.v4(&with(&[&BRIDGE_TUNNEL, &V4]));
    collector.v4(&with(&[&[6, 6, 3]]));
    collector.non_ip(&with(&[&[0xaa, 0xaa, 3, 0, 0, 0x0c], &[0x20, 0], &[0; 30]]));
}

/// Ethernet's padding belongs to the frame and not to the packet: one more packet that has it.
fn pad_last(collector: &mut Collector) {
    collector.v4(&Link::new([1; 6], [2; 6]).wrap(frames::IPV4, &[]));
    if let Some(packet) = collector.packets.pop() {
        let wire = padded(packet.wire);
        collector.packets.push(Packet::new(1, [wire, vec![0xee; 40]].concat(), packet.what));
    }
}

fn loopback(link: u16) -> Collector {
    let mut collector = Collector::new(link);
    collector.v4(&2_u32.to_be_bytes());
    for family in [10_u32, 24, 28, 30] {
        collector.v6(&family.to_be_bytes());
    }
    if link == 0 {
        collector.v4(&2_u32.to_le_bytes());
        collector.v6(&30_u32.to_le_bytes());
    }
    collector.non_ip(&[&7_u32.to_be_bytes()[..], &[0x45; 30]].concat());
    collector
}

fn raw(link: u16) -> Collector {
    let mut collector = Collector::new(link);
    collector.v4(&[]);
    collector.v6(&[]);
    collector.non_ip(&[0x15; 40]);
    collector
}

fn only(link: u16, packet: fn(&mut Collector, &[u8])) -> Collector {
    let mut collector = Collector::new(link);
    packet(&mut collector, &[]);
    packet(&mut collector, &[]);
    collector
}

fn ppp(link: u16) -> Collector {
    let mut collector = Collector::new(link);
    for start in [&[0xff, 3][..], &[]] {
        collector.v4(&[start, &[0, 0x21]].concat());
        collector.v6(&[start, &[0, 0x57]].concat());
        collector.v4(&[start, &[0x21]].concat());
        collector.v4(&[start, &[0x02, 0x81, 0, 1, 1, 64]].concat());
        collector.non_ip(&[start, &[0xc0, 0x21, 1, 1, 0, 4]].concat());
    }
    collector
}

fn ppp_hdlc() -> Collector {
    let mut collector = ppp(50);
    collector.port += 100;
    collector.packets.extend(cisco_hdlc(50).packets);
    collector
}

fn cisco_hdlc(link: u16) -> Collector {
    let mut collector = Collector::new(link);
    collector.port += 50;
    collector.v4(&[0x0f, 0, 8, 0]);
    collector.v6(&[0x8f, 0, 0x86, 0xdd]);
    collector.non_ip(&[&[0x8f, 0, 0x80, 0x35][..], &[0; 18]].concat());
    collector
}

fn ppp_ether() -> Collector {
    let mut collector = Collector::new(51);
    collector.v4(&[0x11, 0, 0, 9, 0, 99, 0, 0x21]);
    collector.v6(&[0x11, 0, 0, 9, 0, 99, 0, 0x57]);
    collector.non_ip(&[0x11, 0, 0, 9, 0, 6, 0xc0, 0x21, 1, 1, 0, 4]);
    collector
}

fn cooked() -> Collector {
    let mut collector = Collector::new(113);
    let head =
        |protocol: [u8; 2]| [&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &protocol[..]].concat();
    collector.v4(&head(V4));
    collector.v6(&head(V6));
    collector.v4(&[&head([0x81, 0])[..], &[0, 5], &V4].concat());
    collector.v4(&[&head([0, 4])[..], &SNAP, &V4].concat());
    collector.non_ip(&[&head([8, 6])[..], &[0; 28]].concat());
    collector
}

fn cooked2() -> Collector {
    let mut collector = Collector::new(276);
    let rest = [0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let head = |protocol: [u8; 2]| [&protocol[..], &rest].concat();
    collector.v4(&head(V4));
    collector.v6(&head(V6));
    collector.v6(&[&head([0x88, 0xa8])[..], &[0, 5], &V6].concat());
    collector.non_ip(&[&head([8, 6])[..], &[0; 28]].concat());
    collector
}

/// The header of an 802.11 frame of this subtype (high nibble) and with these flags.
fn wifi_header(control: u8, flags: u8) -> Vec<u8> {
    let mut header = [&[control, flags, 0, 0][..], &[2; 6], &[4; 6], &[6; 6], &[0x10, 0]].concat();
    if flags & 3 == 3 {
        header.extend([8; 6]);
    }
    if control & 0x80 != 0 {
        header.extend([0, 0]);
        header.extend(if flags & 0x80 != 0 { &[0; 4][..] } else { &[] });
    }
    header
}

fn wifi(link: u16, before: &[u8]) -> Collector {
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    let mut collector = Collector::new(link);
    let head = |control, flags, ethertype: [u8; 2]| {
        [before, &wifi_header(control, flags), &SNAP, &ethertype].concat()
    };
    for (control, flags) in [(0x08, 1), (0x08, 2), (0x08, 3), (0x88, 1), (0x88, 3), (0x88, ORDER)] {
        collector.v4(&head(control, flags, V4));
        collector.v6(&head(control, flags, V6));
    }
    collector.non_ip(&[head(0x08, 1 | PROTECTED, V4), vec![0x45; 40]].concat());
    collector.non_ip(&[before, &wifi_header(0x80, 0)[..24], &[0; 12]].concat());
    collector.non_ip(&[before, &wifi_header(0x48, 1)].concat());
    collector
}

fn radiotap() -> Collector {
    let short = [0, 0, 8, 0, 0, 0, 0, 0];
    let mut collector = wifi(127, &short);
    // A time stamp, then flags that say: the 802.11 header is padded to a multiple of four.
    let padded = [&[0, 0, 17, 0, 3, 0, 0, 0][..], &[0; 8], &[0x20]].concat();
    let header = wifi_header(0x88, 1);
    collector.v4(&[&padded[..], &header, &[0; 2], &SNAP, &V4].concat());
    collector
}

fn prism() -> Collector {
    let mut header = [&[0x44, 0, 0, 0][..], &144_u32.to_le_bytes()].concat();
    header.resize(144, 0);
    let mut collector = wifi(119, &header);
    let mut avs = [&0x8021_1001_u32.to_be_bytes()[..], &64_u32.to_be_bytes()].concat();
    avs.resize(64, 0);
    collector.v4(&[&avs[..], &wifi_header(0x08, 1), &SNAP, &V4].concat());
    collector
}

fn ppi() -> Collector {
    let head = |link: u32| [&[0, 0, 8, 0][..], &link.to_le_bytes()].concat();
    let mut collector = wifi(192, &head(105));
    collector.v4(&[head(1), vec![2; 12], V4.to_vec()].concat());
    collector.non_ip(&[head(147), vec![0x45; 40]].concat());
    collector
}

/// LINKTYPE_USER0: the content is unknown, even if it looks like IP.
fn unknown() -> Collector {
    let mut collector = Collector::new(147);
    collector.non_ip(&[0x45; 40]);
    collector.non_ip(&[]);
    collector
}
