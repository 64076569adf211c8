//! The project's own captures: their content, as bytes and as expected flows.
//!
//! Owns the expected flows. They never come from a parser, because the builder of a packet knows its source
//! and destination. Refuses to read captures and to depend on the agent.

pub mod file;
mod links;
mod network;
mod traffic;
mod write;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use crate::lab::frames::{Network, Transport};

pub use file::{Encoding, File, directory};

/// Time of the first packet of every capture: 2026-01-01T00:00:00Z.
const EPOCH_NS: i64 = 1_767_225_600_000_000_000;
/// Protocols whose ports belong to a flow.
const WITH_PORTS: [u8; 3] = [6, 17, 132];

/// Source, destination and size of one packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// IP protocol number.
    pub protocol: u8,
    /// Sender.
    pub src: IpAddr,
    /// Sending port, or 0.
    pub sport: u16,
    /// Receiver.
    pub dst: IpAddr,
    /// Receiving port, or 0.
    pub dport: u16,
    /// IP-layer bytes.
    pub bytes: u64,
    /// TCP flags, or 0.
    pub tcp_flags: u8,
}

/// The expected counts of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A packet of this flow.
    Flow(Flow),
    /// A frame without an IP header.
    NonIp,
    /// A frame with an unusable IP header.
    Malformed,
}

/// A frame of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// LINKTYPE_ number.
    pub link: u16,
    /// Nanoseconds since the start of the capture.
    pub after_ns: i64,
    /// All bytes on the wire.
    pub wire: Vec<u8>,
    /// How many of them were captured.
    pub captured: usize,
    /// The expected counts.
    pub what: What,
}

impl Packet {
    /// A frame captured in full at the start of the capture.
    pub fn new(link: u16, wire: Vec<u8>, what: What) -> Self {
        Self { link, after_ns: 0, captured: wire.len(), wire, what }
    }

    /// The same with no more than `bytes` captured.
    pub fn cut(self, bytes: usize) -> Self {
        Self { captured: self.captured.min(bytes), ..self }
    }

    /// The same at another time.
    pub fn at(self, after_ns: i64) -> Self {
        Self { after_ns, ..self }
    }
}

/// An IP packet and its flow. If an authentication header ends the walk, it is the protocol, and
/// later fragments are [`Transport::Other`] with the protocol of their packet: neither has ports.
pub fn ip(network: &Network, transport: &Transport) -> (Vec<u8>, Flow) {
    let bytes = network.packet(transport);
    let (src, dst) = match network {
        Network::V4(header) => (IpAddr::V4(header.source), IpAddr::V4(header.target)),
        Network::V6(header) => (IpAddr::V6(header.source), IpAddr::V6(header.target)),
    };
    let (sport, dport, tcp_flags) = match transport {
        Transport::Tcp { source, target, flags, .. } => (*source, *target, *flags),
        Transport::Udp { source, target, .. } | Transport::Sctp { source, target, .. } => {
            (*source, *target, 0)
        }
        Transport::Icmp { .. } | Transport::Other { .. } => (0, 0, 0),
    };
    let protocol = transport.protocol(network);
    let flow = Flow { protocol, src, sport, dst, dport, bytes: bytes.len() as u64, tcp_flags };
    (bytes, flow)
}

/// A millisecond between any two packets, in their order.
fn spaced(packets: Vec<Packet>) -> Vec<Packet> {
    packets.into_iter().zip(0..).map(|(packet, n)| packet.at(n * 1_000_000)).collect()
}

#[derive(Default)]
struct Sums {
    packets: u64,
    bytes: u64,
    frame_bytes: u64,
    first_ns: i64,
    last_ns: i64,
    tcp_flags: u8,
}

#[derive(Default)]
struct Totals {
    ip: u64,
    non_ip: u64,
    malformed_ip: u64,
    bytes: u64,
    frame_bytes: u64,
}

/// The lines that `wherefore replay --flows` must write about these packets, in any order of flows.
pub fn expected(packets: &[Packet]) -> String {
    let mut flows: BTreeMap<_, Sums> = BTreeMap::new();
    let mut totals = Totals::default();
    for packet in packets {
        totals.frame_bytes += packet.wire.len() as u64;
        match &packet.what {
            What::NonIp => totals.non_ip += 1,
            What::Malformed => totals.malformed_ip += 1,
            What::Flow(flow) => {
                assert!(flow.sport == 0 || WITH_PORTS.contains(&flow.protocol));
                (totals.ip, totals.bytes) = (totals.ip + 1, totals.bytes + flow.bytes);
                let key = (flow.protocol, flow.src, flow.sport, flow.dst, flow.dport);
                flows.entry(key).or_default().add(packet, flow);
            }
        }
    }
    let mut text = String::new();
    for ((protocol, src, sport, dst, dport), sums) in &flows {
        let Sums { packets, bytes, frame_bytes, tcp_flags, .. } = sums;
        let (first, last) = (time(sums.first_ns), time(sums.last_ns));
        let _ = writeln!(
            text,
            r#"{{"proto":{protocol},"src":"{src}","sport":{sport},"dst":"{dst}","dport":{dport},"packets":{packets},"bytes":{bytes},"frame_bytes":{frame_bytes},"first":"{first}","last":"{last}","tcp_flags":{tcp_flags}}}"#
        );
    }
    let Totals { ip, non_ip, malformed_ip, bytes, frame_bytes } = totals;
    let frames = packets.len();
    let _ = writeln!(
        text,
        r#"{{"totals":{{"frames":{frames},"ip":{ip},"non_ip":{non_ip},"malformed_ip":{malformed_ip},"bytes":{bytes},"frame_bytes":{frame_bytes}}}}}"#
    );
    text
}

impl Sums {
    fn add(&mut self, packet: &Packet, flow: &Flow) {
        let now = packet.after_ns;
        if self.packets == 0 {
            (self.first_ns, self.last_ns) = (now, now);
        }
        self.packets += 1;
        self.bytes += flow.bytes;
        self.frame_bytes += packet.wire.len() as u64;
        self.first_ns = self.first_ns.min(now);
        self.last_ns = self.last_ns.max(now);
        self.tcp_flags |= flow.tcp_flags;
    }
}

/// RFC 3339 of a time on the day of the captures.
fn time(after_ns: i64) -> String {
    let (seconds, ns) = (after_ns / 1_000_000_000, after_ns % 1_000_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    assert!((0..24).contains(&hours), "captures last less than a day");
    format!("2026-01-01T{hours:02}:{minutes:02}:{:02}.{ns:09}Z", seconds % 60)
}
