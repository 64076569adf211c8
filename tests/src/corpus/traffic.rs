//! Two minutes of an office: hosts send requests and servers answer, a little, all the time; and the same
//! with one host that uploads some megabytes near the end.

use std::net::Ipv4Addr;

use super::{Packet, What, ip};
use crate::lab::frames::{Ipv4, Link, Network, Transport};

const SECOND: i64 = 1_000_000_000;
const LENGTH_S: i64 = 120;
/// The number of bytes captured of each packet: its headers.
const SNAP_LENGTH: usize = 64;
/// The number of hosts that send requests: 10.0.0.11 and so on.
const HOSTS: u8 = 6;
/// When the upload starts, at the beginning of an interval of 5 s, and how long it takes.
const UPLOAD_AT_S: i64 = 100;
const UPLOAD_NS: i64 = 7 * SECOND;
const UPLOAD_PACKETS: i64 = 2400;

/// The sender of the upload.
pub const UPLOADER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 13);
/// The receiver of the upload.
pub const DROP_ZONE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 99);

fn segment(src: Ipv4Addr, dst: Ipv4Addr, ports: (u16, u16), payload: usize) -> Packet {
    let transport = Transport::Tcp {
        source: ports.0,
        target: ports.1,
        flags: 0x18,
        sequence: 1,
        payload: vec![0; payload],
    };
    let network = Network::V4(Ipv4::new(src, dst));
    let (packet, flow) = ip(&network, &transport);
    let link = Link::new([2, 0, 0, 0, 0, src.octets()[3]], [2, 0, 0, 0, 0, dst.octets()[3]]);
    Packet::new(1, link.wrap(0x0800, &packet), What::Flow(flow)).cut(SNAP_LENGTH)
}

/// A sequence that looks random and is the same every time (Numerical Recipes' generator).
struct Jitter(u32);

impl Jitter {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(self.0 >> 8) % bound
    }
}

/// Each host asks its server about once a second and is answered in a millisecond or so.
pub(super) fn quiet() -> Vec<Packet> {
    let mut jitter = Jitter(1);
    let mut packets = Vec::new();
    for second in 0..LENGTH_S {
        for host in 0..HOSTS {
            let client = Ipv4Addr::new(10, 0, 0, 11 + host);
            let server = Ipv4Addr::new(10, 0, 1, 1 + host % 2);
            let port = 50_000 + u16::from(host);
            // The first packet of all starts the capture, and with it the intervals.
            let is_first = second == 0 && host == 0;
            let offset = if is_first { 0 } else { jitter.below(900_000) * 1000 };
            let asked = second * SECOND + offset;
            let answered = asked + 500_000 + jitter.below(800) * 1000;
            let (asks, answers) = (120 + jitter.below(80), 500 + jitter.below(400));
            packets.push(segment(client, server, (port, 443), asks as usize).at(asked));
            packets.push(segment(server, client, (443, port), answers as usize).at(answered));
        }
    }
    packets.sort_by_key(|packet| packet.after_ns);
    packets
}

/// The same and, 100 s after the start, one host that sends 3.6 MB in 7 s and is acknowledged.
pub(super) fn quiet_then_burst() -> Vec<Packet> {
    let mut packets = quiet();
    for number in 0..UPLOAD_PACKETS {
        let sent = UPLOAD_AT_S * SECOND + number * (UPLOAD_NS / UPLOAD_PACKETS) / 1000 * 1000;
        packets.push(segment(UPLOADER, DROP_ZONE, (51_000, 443), 1460).at(sent));
        if number % 2 == 1 {
            packets.push(segment(DROP_ZONE, UPLOADER, (443, 51_000), 0).at(sent + 200_000));
        }
    }
    packets.sort_by_key(|packet| packet.after_ns);
    packets
}
