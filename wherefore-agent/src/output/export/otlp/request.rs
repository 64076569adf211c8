//! Requests. Owns their form and their size; refuses to know the content of records.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use prost::Message;

use super::attributes::Origin;

/// The most bytes of records in a request before compression. By default, gRPC receivers accept 4 MiB.
const MOST: usize = 512 * 1024;
/// The most bytes of a record's tag and length.
const FRAME: usize = 6;

/// Log records for one request.
#[derive(Debug, Default)]
pub(super) struct Pack {
    records: Vec<LogRecord>,
    bytes: usize,
}

impl Pack {
    /// Whether another record fits; one always does.
    pub(super) fn has_room(&self, record: &LogRecord) -> bool {
        self.records.is_empty() || self.bytes + record.encoded_len() + FRAME <= MOST
    }

    pub(super) fn add(&mut self, record: LogRecord) {
        self.bytes += record.encoded_len() + FRAME;
        self.records.push(record);
    }

    pub(super) fn len(&self) -> u64 {
        self.records.len() as u64
    }

    /// The request.
    pub(super) fn encode(self, Origin { resource, scope }: &Origin) -> Vec<u8> {
        let logs = ScopeLogs {
            scope: Some(scope.clone()),
            log_records: self.records,
            ..ScopeLogs::default()
        };
        let logs = ResourceLogs {
            resource: Some(resource.clone()),
            scope_logs: vec![logs],
            ..ResourceLogs::default()
        };
        ExportLogsServiceRequest { resource_logs: vec![logs] }.encode_to_vec()
    }
}

/// A request with metrics.
pub(super) fn of_metrics(metrics: Vec<Metric>, Origin { resource, scope }: &Origin) -> Vec<u8> {
    let metrics = ScopeMetrics { scope: Some(scope.clone()), metrics, ..ScopeMetrics::default() };
    let metrics = ResourceMetrics {
        resource: Some(resource.clone()),
        scope_metrics: vec![metrics],
        ..ResourceMetrics::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![metrics] }.encode_to_vec()
}
