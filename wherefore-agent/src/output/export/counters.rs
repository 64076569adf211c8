//! The account of what became of the flows. Owns the type.

use serde::Serialize;

/// What became of the flows for one collector since the start. `sent_*` and `lost_*` together are all
/// flows that were counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExportCounters {
    /// The collector, as it was named.
    pub collector: String,
    /// Records about flows that were handed to the network.
    pub records: u64,
    /// The flows in these, each once an interval.
    pub sent_flows: u64,
    /// Their packets.
    pub sent_packets: u64,
    /// Their IP-layer bytes.
    pub sent_bytes: u64,
    /// Of `sent_flows`, those without a record of their own, as there were too many.
    pub summed_flows: u64,
    /// Flows that could not be sent.
    pub lost_flows: u64,
    /// Their packets.
    pub lost_packets: u64,
    /// Their IP-layer bytes.
    pub lost_bytes: u64,
}
