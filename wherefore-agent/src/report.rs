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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(interface: &str, interface_bytes: u64) -> InterfaceReading {
        let side = Comparison {
            watched: true,
            counted_packets: 10,
            counted_bytes: 1000,
            wire_bytes: 1200,
            interface_bytes,
            ..Comparison::default()
        };
        let (ingress, egress) = (side, Comparison::default());
        InterfaceReading { interface: interface.to_owned(), gone: false, ingress, egress }
    }

    #[test]
    fn interfaces_differ_each_by_itself() {
        let mut watch = DifferenceWatch::default();
        (0..9).for_each(|_| watch.look(&[reading("old", 7), reading("new", 1000)]));
        watch.look(&[reading("old", 7), reading("new", 1500)]);
        assert_eq!((watch.differing["old"], watch.differing["new"]), (10, 1));
        watch.look(&[reading("old", 7), reading("new", 1200)]);
        assert_eq!(watch.differing.get("new"), None);
    }

    #[test]
    fn devices_count_as_the_hook_as_the_wire_or_without_ethernet_headers() {
        for octets in [1000, 1200, 860] {
            assert!(reading("br0", octets).is_equal(), "{octets}");
        }
        assert_eq!(
            reading("eth0", 1100).ingress.difference_bytes(),
            0,
            "super-packets of both kinds"
        );
        for (octets, difference) in [(861, 1), (990, -10), (800, -60), (1300, 100)] {
            let reading = reading("eth0", octets);
            assert!(!reading.agrees() && reading.ingress.difference_bytes() == difference);
        }
    }
}
