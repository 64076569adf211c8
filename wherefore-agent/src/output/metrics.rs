//! Metrics for Prometheus. Owns their names, their labels and the bound on series. No address, port or
//! process is a label, except the addresses of collectors that the user names. Interfaces beyond the largest
//! are summed up as `other`.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::output::board::Board;
use crate::output::counted::{self, Counted, Labels};
use crate::output::latest::Latest;
use crate::output::shares::{Kind as Of, Shares};
use crate::traffic::interval::{Drain, InterfaceReading};

/// The content types of answers: OpenMetrics, and the older text format.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
pub(crate) const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most interfaces with series of their own.
const MOST_INTERFACES: usize = 10;
/// The most sinks with series of their own.
const MOST_SINKS: usize = 6;
/// The most collectors of flow records with series of their own.
const MOST_COLLECTORS: usize = 1;

type Seconds = Gauge<f64, AtomicU64>;

/// All metrics, in OpenMetrics or in Prometheus' older text format.
pub(crate) fn text(board: &Board, is_open: bool) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("wherefore");
    let version = labels([("version", env!("CARGO_PKG_VERSION"))]);
    let build = gauges(&mut registry, "build_info", "The version of the agent");
    build.get_or_create(&version).set(1);
    messages(&mut registry, board);
    moved(&mut registry, &board.shares());
    if let Some(latest) = board.latest() {
        interfaces(&mut registry, &latest.interval.interfaces);
        totals(&mut registry, &latest);
        draining(&mut registry, &latest);
        sinks(&mut registry, &latest);
        exports(&mut registry, &latest);
        if let Some(otlp) = &latest.queues.exports.otlp {
            otlp.counted().into_iter().for_each(|counted| register(&mut registry, counted));
        }
        if let Some(kafka) = &latest.queues.exports.kafka {
            kafka.counted().into_iter().for_each(|counted| register(&mut registry, counted));
        }
    }
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(if is_open { text } else { plain(&text) })
}

/// The older format has `_total` in the name of the family, and no line at the end.
fn plain(open: &str) -> String {
    let counters: Vec<_> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let line = |line: &str| {
        let described = ["# HELP ", "# TYPE "]
            .into_iter()
            .find_map(|kind| Some((kind, line.strip_prefix(kind)?)));
        match described.and_then(|(kind, rest)| Some((kind, rest.split_once(' ')?))) {
            Some((kind, (name, rest))) if counters.contains(&name) => {
                format!("{kind}{name}_total {rest}\n")
            }
            _ => format!("{line}\n"),
        }
    };
    open.lines().filter(|line| *line != "# EOF").map(line).collect()
}

fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
    labels.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Family<Labels, Counter> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

fn gauges<L>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Gauge>
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + fmt::Debug + Send + Sync + 'static,
{
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter = Counter::<u64>::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Seconds::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn register(registry: &mut Registry, counted: Counted) {
    let Counted { name, help, points, .. } = counted;
    if let Some(count) = points.get(&Labels::new()) {
        return counter(registry, name, help, *count);
    }
    let family = counters(registry, name, help);
    for (labels, count) in points {
        family.get_or_create(&labels).inc_by(count);
    }
}

fn messages(registry: &mut Registry, board: &Board) {
    register(registry, counted::messages(&board.messages()));
    let open = gauges(registry, "open_incidents", "Incidents that are not over, by kind");
    for (kind, count) in board.open() {
        open.get_or_create(&labels([("kind", kind)])).set(whole(count));
    }
    if let Some(budget) = board.budget() {
        gauge(registry, "alert_budget_per_day", "Alerts that the budget allows in a day", budget);
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Traffic of units, pods, countries and AS. Families without traffic are left out.
fn moved(registry: &mut Registry, shares: &Shares) {
    for (kind, name, label, help) in [
        (Of::Unit, "unit_bytes", "unit", "IP-layer bytes by container, or else systemd unit"),
        (Of::Pod, "pod_bytes", "pod", "IP-layer bytes by Kubernetes pod"),
        (Of::Country, "country_bytes", "country", "IP-layer bytes by the peer's country"),
        (Of::Asn, "as_bytes", "asn", "IP-layer bytes by the peer's AS"),
    ] {
        let ranked = shares.of(kind);
        if !ranked.is_known {
            continue;
        }
        let family = counters(registry, name, help);
        for (value, bytes) in ranked.rows().chain([("other", ranked.other)]) {
            for (direction, bytes) in ["received", "sent"].into_iter().zip(bytes) {
                let labels = labels([("direction", direction), (label, value)]);
                family.get_or_create(&labels).inc_by(bytes);
            }
        }
    }
}

/// The state of the kernel's table.
fn draining(registry: &mut Registry, latest: &Latest) {
    let Some(Drain { took_ns, capacity }) = latest.interval.drain else { return };
    let seconds = took_ns as f64 / 1e9;
    gauge(registry, "drain_seconds", "How long the table of flows took to read", seconds);
    let capacity = f64::from(capacity);
    gauge(registry, "table_flows", "Flows for which the table has space in an interval", capacity);
    let full = latest.interval.flows.len() as f64 / capacity.max(1.0);
    gauge(
        registry,
        "table_fill_ratio",
        "Flows of the last interval as a share of the table's space",
        full,
    );
}

fn interfaces(registry: &mut Registry, readings: &[InterfaceReading]) {
    let readings = counted::largest_first(readings).into_iter().enumerate();
    let named = readings.map(|(at, reading)| {
        let name = if at < MOST_INTERFACES { reading.interface.as_str() } else { "other" };
        (name, reading)
    });
    counted::interfaces(named).into_iter().for_each(|counted| register(registry, counted));
}

fn totals(registry: &mut Registry, latest: &Latest) {
    let Latest { totals, interval, .. } = latest;
    counted::totals(totals).into_iter().for_each(|counted| register(registry, counted));
    for (name, help, value) in [
        ("flows", "Flows in the last interval", interval.flows.len() as f64),
        ("groups", "Groups with a history", latest.groups as f64),
        ("interval_seconds", "Length of the last interval", interval.seconds()),
        (
            "interval_end_timestamp_seconds",
            "End of the last interval",
            interval.end_ns as f64 / 1e9,
        ),
        (
            "interval_held_up_seconds",
            "How late the last interval was",
            interval.held_up_ns as f64 / 1e9,
        ),
    ] {
        gauge(registry, name, help, value);
    }
}

fn sinks(registry: &mut Registry, latest: &Latest) {
    let alerts = counters(registry, "sink_alerts", "Messages of a sink, by outcome");
    let waiting = gauges(registry, "sink_waiting_alerts", "Messages that wait in a sink's queue");
    for (at, sink) in latest.queues.sinks.iter().enumerate() {
        let name = if at < MOST_SINKS { sink.name.as_str() } else { "other" };
        for (outcome, count) in
            [("delivered", sink.delivered), ("failed", sink.failed), ("dropped", sink.dropped)]
        {
            let labels = labels([("outcome", outcome), ("sink", name)]);
            alerts.get_or_create(&labels).inc_by(count);
        }
        waiting.get_or_create(&labels([("sink", name)])).inc_by(whole(sink.waiting));
    }
}

/// Flows for collectors, by outcome. A flow counts once for each interval.
fn exports(registry: &mut Registry, latest: &Latest) {
    if latest.queues.exports.ipfix.is_empty() {
        return;
    }
    let flows = counters(registry, "ipfix_flows", "Flows for a collector, by outcome");
    let bytes = counters(registry, "ipfix_bytes", "IP-layer bytes of these flows");
    let records = counters(registry, "ipfix_records", "Flow records that were sent");
    for (at, export) in latest.queues.exports.ipfix.iter().enumerate() {
        let name = if at < MOST_COLLECTORS { export.collector.as_str() } else { "other" };
        records.get_or_create(&labels([("collector", name)])).inc_by(export.records);
        let alone = export.sent_flows.saturating_sub(export.summed_flows);
        for (outcome, count) in
            [("sent", alone), ("summed", export.summed_flows), ("lost", export.lost_flows)]
        {
            let labels = labels([("collector", name), ("outcome", outcome)]);
            flows.get_or_create(&labels).inc_by(count);
        }
        for (outcome, count) in [("sent", export.sent_bytes), ("lost", export.lost_bytes)] {
            let labels = labels([("collector", name), ("outcome", outcome)]);
            bytes.get_or_create(&labels).inc_by(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::detect::held::HeldBacks;
    use crate::message::alert::{Alert, Kind, Status};
    use crate::output::export::{ExportCounters, OtlpCounters};
    use crate::output::sinks::{SinkCounters, sample};
    use crate::traffic::interval::Comparison;
    use crate::traffic::who::{Attributed, Unattributed};

    #[test]
    fn both_formats_have_the_same_samples_and_few_series() {
        let board = Board::new("host".to_owned(), Duration::from_secs(5));
        let side = Comparison { interface_bytes: 7, counted_bytes: 7, ..Comparison::default() };
        let reading = |number: u32| InterfaceReading {
            interface: format!("veth{number}"),
            gone: false,
            ingress: side,
            egress: side,
        };
        let interfaces = (0..1000).map(reading).collect();
        let interval = crate::traffic::interval::Interval { interfaces, ..Default::default() };
        board.put(
            Latest { interval: interval.into(), ..Latest::default() },
            &[],
            &HeldBacks::default(),
        );
        let (open, plain) = (text(&board, true).unwrap(), text(&board, false).unwrap());
        let samples = |text: &str| {
            // The order of samples with the same name is not defined.
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(samples(&open), samples(&plain));
        assert!(samples(&open).len() <= 300, "{}", samples(&open).len());
        assert!(open.ends_with("# EOF\n") && !plain.contains("EOF"));
        assert!(plain.contains("# TYPE wherefore_interface_bytes_total counter\n"));
        let bytes = samples(&open)
            .iter()
            .filter_map(|line| {
                line.strip_prefix("wherefore_interface_bytes_total")?
                    .rsplit(' ')
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .sum::<u64>();
        assert_eq!(bytes, 2 * 7 * 1000);
    }

    /// A board with the maximum number of series.
    fn full() -> Board {
        let board = Board::new("host".to_owned(), Duration::from_secs(5));
        let reading = |number: u32| InterfaceReading {
            interface: format!("veth{number}"),
            gone: false,
            ingress: Comparison::default(),
            egress: Comparison::default(),
        };
        let interval = crate::traffic::interval::Interval {
            interfaces: (0..1000).map(reading).collect(),
            drain: Some(Drain::default()),
            ..Default::default()
        };
        let mut latest = Latest { interval: interval.into(), ..Latest::default() };
        let [delivered, failed, dropped, waiting] = [1; 4];
        let sink = |number: u32| {
            let name = format!("sink{number}");
            SinkCounters { name, delivered, failed, dropped, waiting }
        };
        latest.queues.sinks = (0..100).map(sink).collect();
        let export = |number: u32| ExportCounters {
            collector: format!("udp://192.0.2.{number}:4739"),
            ..ExportCounters::default()
        };
        latest.queues.exports.ipfix = (0..100).map(export).collect();
        latest.queues.exports.otlp = Some(OtlpCounters::default());
        let mut attribution = Attributed::default();
        Unattributed::ALL.into_iter().for_each(|reason| attribution.add_unattributed(reason, 1));
        latest.totals.attribution = Some(attribution);
        let all = [Status::Firing, Status::Update, Status::Resolved];
        let key = |kind: Kind| kind.as_str().to_owned();
        let alert = |(kind, status)| Alert { kind, key: key(kind), ..sample(status) };
        let others = [Kind::NewCountry, Kind::NewAsn, Kind::Country, Kind::Asn, Kind::Digest];
        let kinds = Kind::FOUND.into_iter().chain(others);
        let alerts = kinds.flat_map(|kind| all.into_iter().rev().map(move |status| (kind, status)));
        board.put(latest, &alerts.map(alert).collect::<Vec<_>>(), &HeldBacks::default());
        board.set_budget(Some(10.0));
        board
    }

    #[test]
    fn the_number_of_series_is_bounded() {
        let mut shares = Registry::default();
        moved(&mut shares, &Shares::full());
        let mut encoded = String::new();
        encode(&mut encoded, &shares).unwrap();
        let text = text(&full(), true).unwrap() + &encoded;
        let series = text.lines().filter(|line| !line.starts_with('#')).count();
        assert!((200..=300).contains(&series), "{series}");
    }
}
