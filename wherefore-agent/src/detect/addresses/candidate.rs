//! A rare observation about an address, as facts. Refuses to judge and to compose text.

use wherefore_common::{Counters, FlowKey};

use crate::detect::kind::Kind;
use crate::traffic::group::GroupBy;

/// The watched quantities of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Different sources that contacted it.
    Sources,
    /// Flows that hit it.
    Flows,
    /// Packets that hit it.
    Packets,
    /// Packets of services that it did not contact.
    Unasked,
    /// Pairs of address and port that it contacted.
    Ports,
    /// Addresses that it asked.
    Addresses,
    /// What it sent over what it received, in bytes.
    Ratio,
    /// Bytes of a network that was never seen before.
    NewNetwork,
}

/// The observation about an address, and the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The quantity by which it is rare.
    pub quantity: Quantity,
    /// What was seen of it.
    pub seen: f64,
    /// The value that it rarely exceeds: of this address, or of others if it is new.
    pub usual: f64,
    /// The number of its peers: sources of `Flood` and `Reflection`, addresses of `Scan`.
    pub peers: u64,
    /// The port that most of a `Reflection` came from; 0 for TCP, whose services answer with SYN/ACK.
    pub port: u16,
    /// The number of intervals it covers: 1, or the block for `Upload`.
    pub intervals: u32,
}

/// A rare observation about an address in the interval just closed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// What it is.
    pub kind: Kind,
    /// Whether the address sends (`Src`) or receives (`Dst`).
    pub group_by: GroupBy,
    /// The address, as a group of that grouping, with the interface.
    pub group: FlowKey,
    /// Expected once in 10^surprise intervals on this host.
    pub surprise: f32,
    /// The counts of the address in that role in the observed intervals.
    pub counters: &'a Counters,
    /// The flow that represents it: the largest one, or for scans, sweeps and floods a typical one.
    pub main_flow: &'a FlowKey,
    /// Why it is rare.
    pub observed: Observation,
}
