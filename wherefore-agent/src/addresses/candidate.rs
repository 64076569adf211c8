//! What is rare about an address, and how a person reads it. Owns the sentence; refuses to judge.

use std::time::Duration;

use wherefore_common::{Counters, FlowKey};

use crate::alert::Kind;
use crate::detect::{how_rare, time};
use crate::group::{GroupBy, network, prefix};
use crate::text::{Bytes, grouped};
use wherefore_common::flow::address;

/// What is watched of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Different sources that hit it.
    Sources,
    /// Flows that hit it.
    Flows,
    /// Packets that hit it.
    Packets,
    /// Packets of services that it did not ask.
    Unasked,
    /// Pairs of address and port that it asked.
    Ports,
    /// Addresses that it asked.
    Addresses,
    /// What it sent over what it received, in octets.
    Ratio,
    /// Octets of a network that was never seen before.
    NewNetwork,
}

/// Something rare about an address in the interval just closed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What it is.
    pub kind: Kind,
    /// Whether the address sends (`Src`) or receives (`Dst`).
    pub group_by: GroupBy,
    /// The address, as that grouping names it, with the interface.
    pub group: FlowKey,
    /// Due once in 10^surprise intervals on this host.
    pub surprise: f32,
    /// What the address moved in that role in `intervals`.
    pub counters: &'a Counters,
    /// The flow of its last packet.
    pub last_flow: &'a FlowKey,
    /// How many intervals it is about: 1, or the block for `Upload`.
    pub intervals: u32,
    /// By which quantity it is rare.
    pub quantity: Quantity,
    /// What was seen of it.
    pub seen: f64,
    /// What it usually is at the most: of this address, or of others where it is new.
    pub usual: f64,
    /// With how many others: sources of `Flood` and `Reflection`, addresses of `Scan`.
    pub peers: u64,
    /// The port that most of a `Reflection` came from; 0 for TCP, whose services say SYN/ACK.
    pub port: u16,
    pub(super) interval: Duration,
}

impl Candidate<'_> {
    /// What was seen, what is usual and how rare it is, for a person.
    pub fn sentence(&self) -> String {
        let how_rare = how_rare(self.surprise, self.interval);
        format!("{}, {}; {how_rare}", self.what(), self.usually())
    }

    fn what(&self) -> String {
        let (seen, peers) = (count(self.seen), grouped(self.peers));
        let span = time(f64::from(self.intervals) * self.interval.as_secs_f64());
        let (who, packets) = (self.who(), self.packets());
        match self.quantity {
            Quantity::Sources => format!("{seen} sources hit {who} in {span} ({packets})"),
            Quantity::Flows => {
                format!("{seen} flows of {peers} sources hit {who} in {span} ({packets})")
            }
            Quantity::Packets => {
                let bytes = Bytes(self.counters.bytes as f64);
                format!("{seen} packets of {peers} sources hit {who} in {span} ({bytes})")
            }
            Quantity::Unasked => format!(
                "{seen} packets that {who} did not ask for came from {peers} services ({}) in \
                 {span}, {} in all",
                self.service(),
                Bytes(self.counters.bytes as f64)
            ),
            Quantity::Ports if self.peers == 1 => {
                format!("{who} touched {seen} ports of one address in {span} ({packets})")
            }
            Quantity::Ports => {
                format!("{who} touched {seen} ports of {peers} addresses in {span} ({packets})")
            }
            Quantity::Addresses => {
                format!("{who} touched {seen} addresses in {span} ({packets})")
            }
            Quantity::Ratio => format!(
                "{who} sent {} in {span}, {} times what it received",
                Bytes(self.counters.bytes as f64),
                times(self.seen)
            ),
            Quantity::NewNetwork => {
                format!("{} with {who}", Bytes(self.seen))
            }
        }
    }

    fn usually(&self) -> String {
        match self.quantity {
            Quantity::NewNetwork => "which this host never had to do with".to_owned(),
            Quantity::Ratio => format!("usually {} times at the most", times(self.usual)),
            _ if self.usual < 0.5 => "usually none".to_owned(),
            _ => format!("usually {} at the most", count(self.usual)),
        }
    }

    fn who(&self) -> String {
        let words = if self.group_by == GroupBy::Src { self.group.src } else { self.group.dst };
        let ip = address(self.group.family, &words);
        if self.quantity == Quantity::NewNetwork {
            return prefix(address(self.group.family, &network(ip)));
        }
        ip.to_string()
    }

    fn packets(&self) -> String {
        let Counters { packets, bytes, .. } = *self.counters;
        let mean = bytes / packets.max(1);
        format!("{} packets of {mean} octets", grouped(packets))
    }

    fn service(&self) -> String {
        if self.port == 0 { "tcp".to_owned() } else { format!("udp {}", self.port) }
    }
}

fn count(value: f64) -> String {
    grouped(value.round() as u64)
}

fn times(ratio: f64) -> String {
    if ratio >= 10.0 { count(ratio) } else { format!("{ratio:.2}") }
}
