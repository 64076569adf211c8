//! Writes figures of a run to the log: the totals at the end, and whether they equal the interfaces'
//! counters. Owns the words; refuses to count.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::{self, Bytes, grouped};
use crate::traffic::interval::{Comparison, InterfaceReading, Totals};

/// The number of intervals in a row in which an interface's counters and ours must differ before it is
/// logged. After that, packets in flight between the two readings cannot explain a difference.
const DIFFERING_INTERVALS: u32 = 3;

/// The totals of a run in one line.
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
        (totals.overflow, "in no flow because the table was full"),
        (totals.late_packets, "counted late"),
        (totals.lost_packets, "lost by the capture"),
        (totals.evicted_groups, "groups evicted because there were too many"),
        (totals.held_back.values().sum(), "held back"),
    ]);
    line + &remarks
}

/// Logs the final comparison with an interface's counters.
pub(crate) fn report(reading: &InterfaceReading) {
    let InterfaceReading { interface, ingress, egress, gone } = reading;
    if *gone {
        return;
    }
    let shown = |name, side: &Comparison| {
        let (counted, device) = (side.nearest_bytes(), side.interface_bytes);
        format!("{name} {} bytes counted of {}", grouped(counted), grouped(device))
    };
    let (received, sent) = (shown("received", ingress), shown("sent", egress));
    if let Some(reason) = ingress.not_comparable.or(egress.not_comparable) {
        tracing::info!(
            interface,
            received,
            sent,
            reason,
            "counts cannot be compared with the interface's"
        );
    } else if reading.is_equal() {
        tracing::info!(interface, received, sent, "counts equal the interface's");
    } else if reading.agrees() {
        let uncertain = ingress.uncertain_bytes + egress.uncertain_bytes;
        let dropped = egress.dropped_packets;
        tracing::info!(
            interface,
            received,
            sent,
            uncertain,
            dropped,
            "counts agree with the interface's, but for what moved while it was read, was dropped \
             behind the hook, was counted by the device before packets were joined, or for VLAN tags and headers \
             that it counted twice"
        );
    } else {
        tracing::warn!(interface, received, sent, "counts differ from the interface's");
    }
}

/// Logs when counts keep differing from the interface's.
#[derive(Default)]
pub(crate) struct DifferenceWatch {
    /// The number of intervals in a row with a difference, by interface.
    differing: BTreeMap<String, u32>,
    /// The interfaces that were already logged as not comparable, by name and direction.
    named: BTreeSet<(String, &'static str)>,
}

impl DifferenceWatch {
    /// Checks an interval's comparison.
    pub(crate) fn look(&mut self, interfaces: &[InterfaceReading]) {
        let mut before = std::mem::take(&mut self.differing);
        self.name(interfaces);
        for reading in interfaces {
            let received = reading.ingress.difference_bytes();
            let sent = reading.egress.difference_bytes();
            let interface = &reading.interface;
            tracing::debug!(interface, received, sent, "bytes that only the interface counted");
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

    /// Logs once for each interface why it cannot be compared.
    fn name(&mut self, interfaces: &[InterfaceReading]) {
        let before = std::mem::take(&mut self.named);
        for InterfaceReading { interface, ingress, egress, .. } in interfaces {
            for (direction, side) in [("received", ingress), ("sent", egress)] {
                let Some(reason) = side.not_comparable else { continue };
                let key = (interface.clone(), direction);
                if !before.contains(&key) {
                    tracing::info!(
                        interface,
                        direction,
                        reason,
                        "counts cannot be compared with the interface's"
                    );
                }
                self.named.insert(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(interface: &str, interface_bytes: u64) -> InterfaceReading {
        let ingress = Comparison {
            watched: true,
            counted_packets: 10,
            counted_bytes: 1000,
            wire_packets: 10,
            wire_bytes: 1000,
            interface_packets: 10,
            interface_bytes,
            ..Comparison::default()
        };
        let egress = Comparison::default();
        InterfaceReading { interface: interface.to_owned(), gone: false, ingress, egress }
    }

    #[test]
    fn interfaces_differ_each_by_itself() {
        let mut watch = DifferenceWatch::default();
        (0..9).for_each(|_| watch.look(&[reading("old", 7), reading("new", 1000)]));
        watch.look(&[reading("old", 7), reading("new", 1500)]);
        assert_eq!((watch.differing["old"], watch.differing["new"]), (10, 1));
        watch.look(&[reading("old", 7), reading("new", 1000)]);
        assert_eq!(watch.differing.get("new"), None);
    }

    #[test]
    fn a_device_that_cannot_be_compared_is_named_once() {
        let mut watch = DifferenceWatch::default();
        let mut apart = reading("vrf1", 7);
        apart.ingress.not_comparable = Some("a reason");
        (0..9).for_each(|_| watch.look(std::slice::from_ref(&apart)));
        assert_eq!((watch.differing.len(), watch.named.len()), (0, 1));
    }
}
