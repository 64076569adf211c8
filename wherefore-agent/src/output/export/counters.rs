//! Counts what became of flows at a collector. Owns the type.

use serde::Serialize;

/// What became of the flows for one collector since the start. `sent_*` and `lost_*` together are all counted
/// flows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExportCounters {
    /// The collector, as the user named it.
    pub collector: String,
    /// Records about flows that were handed to the network.
    pub records: u64,
    /// The flows in these records. A flow counts once for each interval.
    pub sent_flows: u64,
    /// Their packets.
    pub sent_packets: u64,
    /// Their IP-layer bytes.
    pub sent_bytes: u64,
    /// The part of `sent_flows` that had no records of their own, because there were too many flows.
    pub summed_flows: u64,
    /// Flows that could not be sent.
    pub lost_flows: u64,
    /// Their packets.
    pub lost_packets: u64,
    /// Their IP-layer bytes.
    pub lost_bytes: u64,
}
