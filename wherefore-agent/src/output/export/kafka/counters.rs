//! The account of the fate of records for Kafka. Owns the type, and the metrics about it.

use serde::Serialize;

use crate::output::counted::Counted;
use crate::output::export::counters::ExportCounters;

/// The fate of flows and alerts for Kafka since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KafkaCounters {
    /// Flows and their records: those that a broker has confirmed are sent.
    #[serde(flatten)]
    pub flows: ExportCounters,
    /// Alerts that a broker has confirmed.
    pub sent_alerts: u64,
    /// Alerts that could not be sent.
    pub lost_alerts: u64,
}

impl KafkaCounters {
    /// As metrics.
    pub(in crate::output) fn counted(&self) -> [Counted; 4] {
        let flows = &self.flows;
        let alone = flows.sent_flows.saturating_sub(flows.summed_flows);
        [
            Counted::new("kafka_flows", "Flows for --kafka, by what became of them", "{flow}").by(
                "outcome",
                [("sent", alone), ("summed", flows.summed_flows), ("lost", flows.lost_flows)],
            ),
            Counted::new("kafka_bytes", "IP-layer bytes of these flows", "By")
                .by("outcome", [("sent", flows.sent_bytes), ("lost", flows.lost_bytes)]),
            Counted::new("kafka_records", "Flow records that a broker has confirmed", "{record}")
                .by("outcome", [("sent", flows.records)]),
            Counted::new("kafka_alerts", "Alerts for --kafka, by what became of them", "{alert}")
                .by("outcome", [("sent", self.sent_alerts), ("lost", self.lost_alerts)]),
        ]
    }
}
