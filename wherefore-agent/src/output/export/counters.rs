//! The account of the fate of flows. Owns the type.

use serde::Serialize;

/// The fate of the flows for one collector since the start. `sent_*` and `lost_*` together are all
/// counted flows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExportCounters {
    /// The collector, as it was named.
    pub collector: String,
    /// Records about flows that were passed to the network.
    pub records: u64,
    /// The flows in these, each once an interval.
    pub sent_flows: u64,
    /// Their packets.
    pub sent_packets: u64,
    /// Their IP-layer bytes.
    pub sent_bytes: u64,
    /// The part of `sent_flows` without a record of their own, because there were too many.
    pub summed_flows: u64,
    /// Flows that could not be sent.
    pub lost_flows: u64,
    /// Their packets.
    pub lost_packets: u64,
    /// Their IP-layer bytes.
    pub lost_bytes: u64,
}
