//! The counters that Prometheus and OpenTelemetry get alike. Owns their names, descriptions, units and
//! labels; refuses to know a format.

use std::collections::BTreeMap;

use crate::detect::held::Reason as HeldReason;
use crate::traffic::interval::{Comparison, InterfaceReading, Totals};

/// Names and values; sorted by name.
pub(super) type Labels = Vec<(&'static str, String)>;

/// The units of bytes and packets, as UCUM spells them.
const BYTES: &str = "By";
const PACKETS: &str = "{packet}";

/// A counter since the start, for each combination of labels.
#[derive(Debug)]
pub(super) struct Counted {
    /// Its name, without a prefix for this program.
    pub(super) name: &'static str,
    /// Its meaning.
    pub(super) help: &'static str,
    /// Its unit in UCUM; things in braces have none.
    pub(super) unit: &'static str,
    /// The counts.
    pub(super) points: BTreeMap<Labels, u64>,
}

impl Counted {
    /// Without counts.
    pub(super) fn new(name: &'static str, help: &'static str, unit: &'static str) -> Self {
        Self { name, help, unit, points: BTreeMap::new() }
    }

    fn with(mut self, labels: &[(&'static str, &str)], count: u64) -> Self {
        self.add(labels, count);
        self
    }

    fn add(&mut self, labels: &[(&'static str, &str)], count: u64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned()));
        *self.points.entry(labels.collect()).or_default() += count;
    }

    /// With counts by this label.
    pub(super) fn by(
        mut self,
        label: &'static str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Self {
        counts.into_iter().for_each(|(value, count)| self.add(&[(label, value)], count));
        self
    }
}

/// Messages about incidents, by kind and status.
pub(super) fn messages(counts: &BTreeMap<(&'static str, &'static str), u64>) -> Counted {
    let mut alerts =
        Counted::new("alerts", "Messages about incidents, by kind and status", "{alert}");
    for ((kind, status), count) in counts {
        alerts.add(&[("kind", kind), ("status", status)], *count);
    }
    alerts
}

/// All sums over the run.
pub(super) fn totals(totals: &Totals) -> Vec<Counted> {
    let mut counted = vec![uncounted(totals), held_back(totals)];
    counted.extend(plain(totals));
    counted.extend(attribution(totals));
    counted
}

fn plain(totals: &Totals) -> [Counted; 6] {
    [
        ("ip_bytes", "IP-layer bytes on the wire, of all interfaces", BYTES, totals.bytes),
        ("packets", "Packets on the wire, of all interfaces", PACKETS, totals.frames),
        (
            "late_packets",
            "Packets that were counted in a later interval",
            PACKETS,
            totals.late_packets,
        ),
        ("lost_packets", "Packets that the capture lost", PACKETS, totals.lost_packets),
        (
            "evicted_groups",
            "Groups that were evicted because there were too many",
            "{group}",
            totals.evicted_groups,
        ),
        ("intervals", "Intervals that are over", "{interval}", totals.intervals),
    ]
    .map(|(name, help, unit, count)| Counted::new(name, help, unit).with(&[], count))
}

fn uncounted(totals: &Totals) -> Counted {
    Counted::new("uncounted_packets", "Packets in no flow, by the reason", PACKETS).by(
        "reason",
        [
            ("non_ip", totals.non_ip),
            ("malformed_ip", totals.malformed_ip),
            ("filtered", totals.filtered),
            ("overflow", totals.overflow),
        ],
    )
}

fn held_back(totals: &Totals) -> Counted {
    let count = |reason: HeldReason| {
        let count = totals.held_back.get(reason.as_str()).copied().unwrap_or_default();
        (reason.as_str(), count)
    };
    let help = "Findings that were not reported, by the reason: see --alert-budget";
    Counted::new("held_back", help, "{finding}").by("reason", HeldReason::ALL.map(count))
}

fn attribution(totals: &Totals) -> Vec<Counted> {
    let Some(attribution) = &totals.attribution else { return Vec::new() };
    let help = "IP-layer bytes whose end on this host is a process";
    let owned = Counted::new("attributed_bytes", help, BYTES).with(&[], attribution.owned_bytes);
    let help = "IP-layer bytes without an owner, by the reason";
    let reasons = attribution.unattributed.iter().map(|(reason, bytes)| (reason.name(), *bytes));
    vec![owned, Counted::new("unattributed_bytes", help, BYTES).by("reason", reasons)]
}

/// The counters of interfaces by these names; those of one name are added up.
pub(super) fn interfaces<'a>(
    readings: impl IntoIterator<Item = (&'a str, &'a InterfaceReading)>,
) -> [Counted; 3] {
    let help = "Bytes that the agent counted, in the way of the interface's own counters";
    let mut bytes = Counted::new("interface_bytes", help, BYTES);
    let help = "Frames that the agent counted at the interface";
    let mut packets = Counted::new("interface_packets", help, PACKETS);
    let help = "Bytes by the interface's own counters since the agent started counting";
    let mut own = Counted::new("interface_device_bytes", help, BYTES);
    for (name, reading) in readings {
        for (direction, side) in [("received", &reading.ingress), ("sent", &reading.egress)] {
            let labels = [("direction", direction), ("interface", name)];
            let Comparison { counted_packets, interface_bytes, .. } = *side;
            bytes.add(&labels, side.nearest_bytes());
            packets.add(&labels, counted_packets);
            own.add(&labels, interface_bytes);
        }
    }
    [bytes, packets, own]
}

/// Readings, those of the interfaces that moved most first.
pub(super) fn largest_first(readings: &[InterfaceReading]) -> Vec<&InterfaceReading> {
    let mut readings: Vec<_> = readings.iter().collect();
    let moved = |reading: &InterfaceReading| reading.ingress.wire_bytes + reading.egress.wire_bytes;
    readings.sort_by_key(|reading| std::cmp::Reverse(moved(reading)));
    readings
}
