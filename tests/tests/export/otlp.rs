//! Flows, alerts and counters at a receiver of OpenTelemetry's protocol: totals equal the agent's, names are
//! those of the semantic conventions. Owns the tests of content, over HTTP and gRPC.

use std::collections::BTreeSet;

use serde_json::Value;
use wherefore_tests::command::{Scratch, run};

use crate::receiver::{Log, Receiver, Reply};
use crate::{Counted, Flows, captures, nfcapd, replay};

/// The events of flows and of alerts.
pub(crate) const FLOW: &str = "wherefore.flow";
const ALERT: &str = "wherefore.alert";

fn number(log: &Log, name: &str) -> u64 {
    log.attributes.get(name).map_or(0, |value| value.parse().unwrap())
}

/// The sums of the records of each flow.
fn flows(logs: &[Log]) -> Flows {
    let mut flows = Flows::new();
    for log in logs {
        let text = |name: &str| log.attributes.get(name).cloned().unwrap_or_default();
        let ports = (number(log, "source.port"), number(log, "destination.port"));
        let protocol = number(log, "wherefore.ip.protocol");
        let key = (text("source.address"), text("destination.address"), ports.0, ports.1, protocol);
        let sums = flows.entry(key).or_default();
        sums[0] += number(log, "wherefore.flow.packets");
        sums[1] += number(log, "wherefore.flow.bytes");
    }
    flows
}

fn assert_all_sent(Counted { totals, otlp, .. }: &Counted) {
    for name in ["lost_flows", "lost_bytes", "lost_alerts", "lost_points", "rejected_records"] {
        assert_eq!(otlp[name], 0, "{otlp}");
    }
    assert_eq!(otlp["sent_bytes"], totals["bytes"], "{otlp} {totals}");
    assert_eq!(otlp["sent_packets"], totals["ip"], "{otlp} {totals}");
}

#[test]
fn every_flow_arrives_by_http_and_by_grpc() {
    for is_grpc in [false, true] {
        let receiver = Receiver::start(is_grpc, &[Reply::Accept]);
        let scratch = Scratch::new();
        let file = scratch.path("secret");
        std::fs::write(&file, "Bearer xyzzyxyzzy\n").unwrap();
        let header = format!("authorization=file:{}", file.display());
        let options = ["--otlp", &receiver.url, "--otlp-header", &header, "--host-name", "h1"];
        let counted = replay(&options);
        assert_all_sent(&counted);
        let logs = receiver.logs(FLOW);
        assert_eq!(flows(&logs), counted.flows);
        assert_eq!(counted.otlp["records"], logs.len());
        for got in receiver.requests() {
            assert_eq!(got.secret, "Bearer xyzzyxyzzy");
            assert_eq!(got.resource["service.name"], "wherefore");
            assert_eq!(got.resource["host.name"], "h1");
            assert!(got.bytes < 600_000, "{}", got.bytes);
        }
        let values = |name: &str| {
            let values = logs.iter().filter_map(|log| log.attributes.get(name));
            values.cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(values("network.type"), ["ipv4", "ipv6"].map(String::from).into());
        assert!(values("network.transport").is_superset(&["tcp", "udp"].map(String::from).into()));
        assert!(logs.iter().all(|log| log.severity == 9 && log.time > 0 && !log.body.is_empty()));
    }
}

#[test]
fn alerts_and_counters_arrive_and_equal_ours() {
    let receiver = Receiver::start(true, &[Reply::Accept]);
    let scratch = Scratch::new();
    let alerts = scratch.path("alerts");
    let counted = replay(&["--otlp", &receiver.url, "--alerts", alerts.to_str().unwrap()]);
    assert_all_sent(&counted);
    let alerts = std::fs::read_to_string(&alerts).unwrap();
    let alerts: Vec<Value> =
        alerts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logs = receiver.logs(ALERT);
    assert!(!alerts.is_empty());
    assert_eq!((logs.len(), &counted.otlp["sent_alerts"]), (alerts.len(), &alerts.len().into()));
    for (log, alert) in logs.iter().zip(&alerts) {
        assert_eq!(log.body, alert["text"].as_str().unwrap());
        assert_eq!(log.attributes["wherefore.alert.key"], alert["key"].as_str().unwrap());
        assert_eq!(log.attributes["network.interface.name"], alert["interface"].as_str().unwrap());
        let is_over = alert["status"] == "resolved";
        assert!(log.severity >= if is_over { 9 } else { 13 }, "{log:?}");
    }
    let requests = receiver.requests();
    let points = requests.iter().rev().find(|got| !got.points.is_empty()).unwrap().points.clone();
    let value = |name: &str, attribute: &str, is: &str| {
        let found = points.iter().filter(|point| point.name == name);
        let found = found.filter(|p| attribute.is_empty() || p.attributes[attribute] == is);
        found.map(|point| point.value).sum::<u64>()
    };
    let totals = &counted.totals;
    assert_eq!(value("wherefore.ip_bytes", "", ""), totals["bytes"].as_u64().unwrap());
    assert_eq!(value("wherefore.packets", "", ""), totals["frames"].as_u64().unwrap());
    assert_eq!(value("wherefore.intervals", "", ""), totals["intervals"].as_u64().unwrap());
    for reason in ["non_ip", "malformed_ip", "filtered", "overflow"] {
        let count = value("wherefore.uncounted_packets", "wherefore.reason", reason);
        assert_eq!(count, totals[reason].as_u64().unwrap(), "{reason}");
    }
    assert_eq!(value("wherefore.alerts", "", ""), alerts.len() as u64);
    assert!(points.iter().all(|point| point.is_sum && point.times.0 < point.times.1));
    let starts = requests.iter().flat_map(|got| got.points.iter().map(|point| point.times.0));
    assert_eq!(starts.collect::<BTreeSet<_>>().len(), 1, "a sum has one start");
}

#[test]
fn beyond_the_bound_the_rest_is_one_record_for_each_interface() {
    let receiver = Receiver::start(false, &[Reply::Accept]);
    let counted = replay(&["--otlp", &receiver.url, "--otlp-rate", "1"]);
    assert_all_sent(&counted);
    let logs = receiver.logs(FLOW);
    let (others, alone): (Vec<_>, Vec<_>) =
        logs.into_iter().partition(|log| log.attributes.contains_key("wherefore.flow.other"));
    let summed: u64 = others.iter().map(|log| number(log, "wherefore.flow.count")).sum();
    assert_eq!((&counted.otlp["summed_flows"], summed > 0), (&summed.into(), true));
    let mut sums = [0; 2];
    for counts in flows(&alone).values().chain(flows(&others).values()) {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let totals = ["ip", "bytes"].map(|name| counted.totals[name].as_u64().unwrap());
    assert_eq!(sums, totals);
}

#[test]
fn a_replay_reports_a_missing_receiver() {
    for scheme in ["http", "grpc"] {
        let url = format!("{scheme}://127.0.0.1:{}", nfcapd::free_port());
        let run = run(["replay", &captures()[0], "--otlp", &url]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains(&format!("cannot send flow records to {url}")),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_wrong_header_is_refused_without_its_value() {
    for header in ["xyzzyxyzzy", "a b=xyzzyxyzzy", "a=file:/nonexistent/secret"] {
        let run = run(["replay", &captures()[0], "--otlp", "http://h", "--otlp-header", header]);
        assert_ne!(run.code, Some(0));
        assert!(run.stderr.contains("--otlp-header"), "{}", run.stderr);
        assert!(!run.stderr.contains("xyzzy"), "{}", run.stderr);
    }
}
