//! Flows at collectors: as IPFIX at nfcapd, and by OpenTelemetry's protocol at a receiver of the tests'
//! own. They equal the agent's counts.
//!
//! Owns the captures and what was counted in them. Uses no outside network: everything is on 127.0.0.1, or
//! in a namespace.
#![allow(clippy::unwrap_used)]

mod ipfix;
mod ipfix_harm;
mod nfcapd;
mod otlp;
mod otlp_harm;
mod receiver;

use std::collections::BTreeMap;

use serde_json::Value;
use wherefore_tests::command::run;
use wherefore_tests::corpus::directory;

/// Captures with both IP versions, TCP with ends, ICMP, fragments.
const CAPTURES: [&str; 4] = [
    "made/network.pcap",
    "made/quiet-then-burst.pcap.gz",
    "real/ip6_fragments.pcap",
    "real/ldap.pcapng",
];

/// Source, destination, their ports, protocol -> packets and bytes.
pub(crate) type Flows = BTreeMap<(String, String, u64, u64, u64), [u64; 2]>;

/// The counts of a replay, and the account of its export.
struct Counted {
    flows: Flows,
    totals: Value,
    ipfix: Value,
    otlp: Value,
}

fn captures() -> Vec<String> {
    CAPTURES.map(|name| directory().join(name).display().to_string()).to_vec()
}

/// Replays the captures with these options.
fn replay(options: &[&str]) -> Counted {
    let captures = captures();
    let captures = captures.iter().map(String::as_str);
    let words = ["replay", "--flows", "-"].into_iter().chain(options.iter().copied());
    let run = run(words.chain(captures)).succeeded();
    let mut lines: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.pop().unwrap();
    let flows = lines.iter().map(|line| {
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        let number = |field: &str| line[field].as_u64().unwrap();
        let ports = (number("sport"), number("dport"));
        let key = (text("src"), text("dst"), ports.0, ports.1, number("proto"));
        (key, [number("packets"), number("bytes")])
    });
    let [totals, ipfix, otlp] =
        [&last["totals"], &last["ipfix"][0], &last["otlp"]].map(Value::clone);
    Counted { flows: flows.collect(), totals, ipfix, otlp }
}
