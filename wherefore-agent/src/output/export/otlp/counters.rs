//! Counts of what became of records. Owns the type, and the metrics about it.

use serde::Serialize;

use crate::output::counted::Counted;
use crate::output::export::counters::ExportCounters;

/// What became of flows, alerts and metrics since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OtlpCounters {
    /// Flows and their records.
    #[serde(flatten)]
    pub flows: ExportCounters,
    /// The part of `records` that the receiver rejected although it accepted the request; it does not report
    /// which.
    pub rejected_records: u64,
    /// Alerts that the receiver accepted.
    pub sent_alerts: u64,
    /// Alerts that could not be sent, or that it rejected.
    pub lost_alerts: u64,
    /// Points of metrics that it accepted.
    pub sent_points: u64,
    /// Points that could not be sent, or that it rejected. Later points include their counts.
    pub lost_points: u64,
}

impl OtlpCounters {
    /// As metrics.
    pub(in crate::output) fn counted(&self) -> [Counted; 5] {
        let flows = &self.flows;
        let alone = flows.sent_flows.saturating_sub(flows.summed_flows);
        [
            Counted::new("otlp_flows", "Flows for --otlp, by what became of them", "{flow}").by(
                "outcome",
                [("sent", alone), ("summed", flows.summed_flows), ("lost", flows.lost_flows)],
            ),
            Counted::new("otlp_bytes", "IP-layer bytes of these flows", "By")
                .by("outcome", [("sent", flows.sent_bytes), ("lost", flows.lost_bytes)]),
            Counted::new(
                "otlp_records",
                "Flow records for --otlp, by what became of them",
                "{record}",
            )
            .by("outcome", [("sent", flows.records), ("rejected", self.rejected_records)]),
            Counted::new("otlp_alerts", "Alerts for --otlp, by what became of them", "{alert}")
                .by("outcome", [("sent", self.sent_alerts), ("lost", self.lost_alerts)]),
            Counted::new(
                "otlp_points",
                "Metric points for --otlp, by what became of them",
                "{point}",
            )
            .by("outcome", [("sent", self.sent_points), ("lost", self.lost_points)]),
        ]
    }
}
