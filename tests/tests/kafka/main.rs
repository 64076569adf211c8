//! Flows and alerts at Kafka, which is librdkafka's own mock cluster: they equal the agent's counts. Run by
//! `cargo xtask test kafka`, because it needs a program that was built with `--features kafka`.
//!
//! Owns what was replayed and counted. Uses no outside network: everything is on 127.0.0.1, or in a namespace.
#![allow(clippy::unwrap_used)]

mod cluster;
mod content;
mod harm;
mod secrets;

use std::collections::BTreeMap;

use serde_json::Value;
use wherefore_tests::command::{Run, Scratch, run};
use wherefore_tests::corpus::directory;

use cluster::Arrived;

/// Captures with both IP versions, TCP with ends, ICMP, fragments, and alerts.
const CAPTURES: [&str; 4] = [
    "made/network.pcap",
    "made/quiet-then-burst.pcap.gz",
    "real/ip6_fragments.pcap",
    "real/ldap.pcapng",
];

/// Source, destination, their ports, protocol -> packets and bytes.
pub(crate) type Flows = BTreeMap<(String, String, u64, u64, u64), [u64; 2]>;

/// A replay to its end.
pub(crate) struct Replay {
    pub(crate) run: Run,
    /// As `--flows` and `--alerts` write them.
    pub(crate) flows: Vec<Value>,
    pub(crate) alerts: Vec<Value>,
    pub(crate) totals: Value,
    /// The account of Kafka.
    pub(crate) account: Value,
}

/// Replays the captures to this target, with more options.
pub(crate) fn replay(target: &str, options: &[&str]) -> Replay {
    replay_of(&CAPTURES, target, options)
}

/// Replays these captures.
pub(crate) fn replay_of(captures: &[&str], target: &str, options: &[&str]) -> Replay {
    let scratch = Scratch::new();
    let alerts = scratch.path("alerts");
    let captures: Vec<_> =
        captures.iter().map(|name| directory().join(name).display().to_string()).collect();
    let words = ["replay", "--flows", "-", "--alerts", alerts.to_str().unwrap()];
    let words = words.into_iter().chain(["--host-name", "h1", "--kafka", target]);
    let words = words.chain(options.iter().copied());
    let run = run(words.chain(captures.iter().map(String::as_str)));
    let objects = |text: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut flows = objects(&run.stdout);
    let last = flows.pop().unwrap_or_default();
    let alerts = std::fs::read_to_string(&alerts).map(|text| objects(&text)).unwrap_or_default();
    let (totals, account) = (last["totals"].clone(), last["kafka"].clone());
    Replay { run, flows, alerts, totals, account }
}

/// The sums of each flow.
pub(crate) fn sums<'v>(records: impl IntoIterator<Item = &'v Value>) -> Flows {
    let mut flows = Flows::new();
    for record in records {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| record[name].as_u64().unwrap_or_default();
        let ports = (number("sport"), number("dport"));
        let key = (text("src"), text("dst"), ports.0, ports.1, number("proto"));
        let sums = flows.entry(key).or_default();
        sums[0] += number("packets");
        sums[1] += number("bytes");
    }
    flows
}

/// The values of records.
pub(crate) fn values(records: &[Arrived]) -> impl Iterator<Item = &Value> {
    records.iter().map(|record| &record.value)
}

/// Packets and bytes of all records.
pub(crate) fn total<'v>(records: impl IntoIterator<Item = &'v Value>) -> [u64; 2] {
    let mut sums = [0; 2];
    for record in records {
        sums[0] += record["packets"].as_u64().unwrap();
        sums[1] += record["bytes"].as_u64().unwrap();
    }
    sums
}
