//! A rare observation about an address, as facts. Owns these facts; refuses to judge and to compose text.

use wherefore_common::{Counters, FlowKey};

use crate::detect::kind::Kind;
use crate::traffic::group::GroupBy;

/// The quantities that are watched for each address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The number of sources that sent to it.
    Sources,
    /// The number of flows to it.
    Flows,
    /// The number of packets to it.
    Packets,
    /// The number of packets from services that it did not contact.
    Unasked,
    /// The number of pairs of address and port that it contacted.
    Ports,
    /// The number of addresses that it sent requests to.
    Addresses,
    /// The bytes that it sent, divided by the bytes that it received.
    Ratio,
    /// The bytes to and from a network that was never seen before.
    NewNetwork,
}

/// The observed value of an address, and its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The quantity that is rare.
    pub quantity: Quantity,
    /// The observed value.
    pub seen: f64,
    /// The value that is rarely exceeded: by this address, or if it is new, by others.
    pub usual: f64,
    /// The number of its peers: sources of `Flood` and `Reflection`, addresses of `Scan`.
    pub peers: u64,
    /// The port that most of a `Reflection` came from; 0 for TCP, whose services answer with SYN/ACK.
    pub port: u16,
    /// The number of intervals that the observation covers: 1; for `Upload` a block.
    pub intervals: u32,
}

/// A rare observation about an address in the interval just closed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The kind of finding.
    pub kind: Kind,
    /// Whether the address sends (`Src`) or receives (`Dst`).
    pub group_by: GroupBy,
    /// The address, as a group of that grouping, with the interface.
    pub group: FlowKey,
    /// An observation as rare is expected once in 10^surprise intervals on this host.
    pub surprise: f32,
    /// The counts of the address in that role in the observed intervals.
    pub counters: &'a Counters,
    /// The flow that represents it: the largest one, or for scans, sweeps and floods a typical one.
    pub main_flow: &'a FlowKey,
    /// The observation.
    pub observed: Observation,
}
