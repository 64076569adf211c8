//! What is rare about an address, as facts. Refuses to judge and to word.

use wherefore_common::{Counters, FlowKey};

use crate::detect::kind::Kind;
use crate::traffic::group::GroupBy;

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
    /// What it sent over what it received, in bytes.
    Ratio,
    /// Bytes of a network that was never seen before.
    NewNetwork,
}

/// What was observed of an address, and what is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// By which quantity it is rare.
    pub quantity: Quantity,
    /// What was seen of it.
    pub seen: f64,
    /// What it rarely exceeds: of this address, or of others where it is new.
    pub usual: f64,
    /// With how many others: sources of `Flood` and `Reflection`, addresses of `Scan`.
    pub peers: u64,
    /// The port that most of a `Reflection` came from; 0 for TCP, whose services answer with SYN/ACK.
    pub port: u16,
    /// How many intervals it is about: 1, or the block for `Upload`.
    pub intervals: u32,
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
    /// Expected once in 10^surprise intervals on this host.
    pub surprise: f32,
    /// What the address moved in that role in the intervals observed.
    pub counters: &'a Counters,
    /// The flow that stands for it: that moved most, or for searches and floods one like most.
    pub main_flow: &'a FlowKey,
    /// Why it is rare.
    pub observed: Observation,
}
