//! The counters as cumulative sums. Owns names, attributes and the bound on interfaces. The set of counters
//! is that of the Prometheus metrics.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, Sum, metric,
};

use super::attributes::{text, time, whole};
use super::batch::Batch;
use super::counters::OtlpCounters;
use crate::output::counted::{self, Counted, Labels};
use crate::traffic::interval::InterfaceReading;

/// Interfaces with sums of their own; later ones are summed up as `other`.
const MOST_INTERFACES: usize = 100;

/// The sums, and the state that keeps them monotonic.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// When counting began, nanoseconds since 1970.
    start: Option<u64>,
    /// Interfaces with sums of their own. They keep them, because a sum must not fall.
    interfaces: BTreeSet<String>,
}

impl Sums {
    /// The metrics after an interval.
    pub(super) fn metrics(&mut self, batch: &Batch, own: &OtlpCounters) -> Vec<Metric> {
        let interval = &batch.interval;
        let start = *self.start.get_or_insert(time(interval.start_ns));
        let times = (start, time(interval.end_ns));
        let mut counted = vec![counted::messages(&batch.messages)];
        counted.extend(counted::totals(&batch.totals));
        counted.extend(self.interfaces(&interval.interfaces));
        counted.extend(own.counted());
        let known = counted.into_iter().filter(|counted| !counted.points.is_empty());
        known.map(|counted| metric(counted, times)).collect()
    }

    fn interfaces(&mut self, readings: &[InterfaceReading]) -> [Counted; 3] {
        let readings = counted::largest_first(readings);
        for reading in &readings {
            if self.interfaces.len() < MOST_INTERFACES {
                self.interfaces.insert(reading.interface.clone());
            }
        }
        let name = |reading: &&InterfaceReading| self.interfaces.contains(&reading.interface);
        counted::interfaces(readings.into_iter().map(|reading| {
            (if name(&reading) { reading.interface.as_str() } else { "other" }, reading)
        }))
    }
}

/// Points in these metrics.
pub(super) fn points(metrics: &[Metric]) -> u64 {
    let points = metrics.iter().map(|metric| match &metric.data {
        Some(metric::Data::Sum(sum)) => sum.data_points.len() as u64,
        _ => 0,
    });
    points.sum()
}

fn metric(counted: Counted, times: (u64, u64)) -> Metric {
    let Counted { name, help, unit, points } = counted;
    let point = |(labels, count): (Labels, u64)| NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.0,
        time_unix_nano: times.1,
        value: Some(Value::AsInt(whole(count))),
        ..NumberDataPoint::default()
    };
    let sum = Sum {
        data_points: points.into_iter().map(point).collect(),
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
        is_monotonic: true,
    };
    Metric {
        name: format!("wherefore.{name}"),
        description: help.to_owned(),
        unit: unit.to_owned(),
        data: Some(metric::Data::Sum(sum)),
        ..Metric::default()
    }
}

fn attributes(labels: Labels) -> Vec<KeyValue> {
    let attribute = |(name, value): (&str, String)| match (name, value.as_str()) {
        ("direction", "received") => text("network.io.direction", "receive"),
        ("direction", _) => text("network.io.direction", "transmit"),
        ("interface", _) => text("network.interface.name", value),
        ("kind" | "status", _) => text(&format!("wherefore.alert.{name}"), value),
        _ => text(&format!("wherefore.{name}"), value),
    };
    labels.into_iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::interval::Comparison;

    #[test]
    fn sums_of_interfaces_never_fall() {
        let mut sums = Sums::default();
        let reading = |number: u64, bytes: u64| InterfaceReading {
            interface: format!("veth{number}"),
            gone: false,
            ingress: Comparison {
                wire_bytes: bytes,
                counted_bytes: bytes,
                interface_bytes: bytes,
                ..Comparison::default()
            },
            egress: Comparison::default(),
        };
        let mut before = 0;
        for turn in 1..4 {
            // The order of the interfaces changes between intervals.
            let readings: Vec<_> =
                (0..300).map(|at| reading(at, turn * 1000 + (at * turn) % 300)).collect();
            let [bytes, ..] = sums.interfaces(&readings);
            assert_eq!(bytes.points.len(), 2 * (MOST_INTERFACES + 1));
            let total: u64 = readings.iter().map(|reading| reading.ingress.interface_bytes).sum();
            assert_eq!(bytes.points.values().sum::<u64>(), total);
            let other = bytes.points.iter().find_map(|(labels, bytes)| {
                let is_other = labels.iter().any(|(_, value)| value == "other");
                (is_other && *bytes > 0).then_some(*bytes)
            });
            assert!(other.unwrap() >= before);
            before = other.unwrap();
        }
    }
}
