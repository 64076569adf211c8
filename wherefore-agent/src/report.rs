//! What the log says of a run's figures: the sums at the end, and whether they equal what the
//! interfaces counted. Owns the words; refuses to count.

use std::collections::BTreeMap;

use crate::interval::{Comparison, InterfaceReading, Totals};
use crate::text::{self, Bytes, grouped};

/// Intervals in which an interface and our counts may differ before it is said: packets that are
/// on their way while both are read come right by then.
const DIFFERING_INTERVALS: u32 = 3;

/// The sums of a run in a line.
pub(crate) fn summary(totals: &Totals) -> String {
    let line = format!(
        "{} packets, {} of IP, in {} {}",
        grouped(totals.frames),
        Bytes(totals.bytes as f64),
        grouped(totals.intervals),
        if totals.intervals == 1 { "interval" } else { "intervals" }
    );
    let remarks = text::remarks([
        (totals.non_ip, "not IP"),
        (totals.malformed_ip, "malformed"),
        (totals.filtered, "filtered"),
        (totals.overflow, "in no flow (table full)"),
        (totals.late_packets, "counted late"),
        (totals.lost_packets, "lost by the capture"),
        (totals.evicted_groups, "groups forgotten to make room"),
    ]);
    line + &remarks
}

/// How an interface's counters compare at the end.
pub(crate) fn report(reading: &InterfaceReading) {
    let InterfaceReading { interface, ingress, egress, gone } = reading;
    if *gone {
        return;
    }
    let shown = |name, side: &Comparison| {
        // The view that is nearer to how this device counts.
        let device = side.interface_bytes;
        let views = side.views().into_iter();
        let counted = views.min_by_key(|view| view.abs_diff(device)).unwrap_or(0);
        format!("{name} {} octets counted of {}", grouped(counted), grouped(device))
    };
    let (received, sent) = (shown("received", ingress), shown("sent", egress));
    if reading.is_equal() {
        tracing::info!(interface, received, sent, "counts equal the interface's");
    } else if reading.agrees() {
        let uncertain = ingress.uncertain_bytes + egress.uncertain_bytes;
        tracing::info!(
            interface,
            received,
            sent,
            uncertain,
            "counts agree with the interface's, but for what moved while it was read"
        );
    } else {
        tracing::warn!(interface, received, sent, "counts differ from the interface's");
    }
}

/// Says when counts stay away from the interface's.
#[derive(Default)]
pub(crate) struct DifferenceWatch {
    /// For how many intervals, by interface.
    differing: BTreeMap<String, u32>,
}

impl DifferenceWatch {
    /// Looks at an interval's comparison.
    pub(crate) fn look(&mut self, interfaces: &[InterfaceReading]) {
        let mut before = std::mem::take(&mut self.differing);
        for reading in interfaces {
            let received = reading.ingress.difference_bytes();
            let sent = reading.egress.difference_bytes();
            let interface = &reading.interface;
            tracing::debug!(interface, received, sent, "octets that only the interface counted");
            if reading.agrees() {
                continue;
            }
            let intervals = before.remove(interface).unwrap_or_default().saturating_add(1);
            if intervals == DIFFERING_INTERVALS {
                tracing::warn!(interface, received, sent, "counts differ from the interface's");
            }
            self.differing.insert(interface.clone(), intervals);
        }
    }
}
