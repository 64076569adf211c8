//! Tests flow records with a real collector: nfcapd receives them, nfdump prints them, and they equal the
//! agent's counts.
//!
//! Owns the collector. Uses no outside network: everything is on 127.0.0.1, or in a namespace.
#![allow(clippy::unwrap_used)]

mod collector;
mod harm;

use std::collections::BTreeMap;

use serde_json::Value;
use wherefore_tests::command::run;
use wherefore_tests::corpus::directory;

use crate::collector::{Nfcapd, Relay};

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
    let (totals, ipfix) = (last["totals"].clone(), last["ipfix"][0].clone());
    Counted { flows: flows.collect(), totals, ipfix }
}

/// Checks that the agent's account is complete: nothing lost, and the sums are its own.
fn assert_all_sent(counted: &Counted) {
    let Counted { totals, ipfix, .. } = counted;
    assert_eq!((&ipfix["lost_flows"], &ipfix["lost_bytes"]), (&0.into(), &0.into()), "{ipfix}");
    assert_eq!(ipfix["sent_bytes"], totals["bytes"], "{ipfix} {totals}");
    assert_eq!(ipfix["sent_packets"], totals["ip"], "{ipfix} {totals}");
    assert!(totals["bytes"].as_u64().unwrap() > 1_000_000, "{totals}");
}

#[test]
fn nfcapd_gets_every_flow_by_udp() {
    let Some(nfcapd) = Nfcapd::or_skip("nfcapd_gets_every_flow_by_udp") else { return };
    let counted = replay(&["--ipfix", &nfcapd.url("udp")]);
    assert_all_sent(&counted);
    let collected = nfcapd.stop();
    assert_eq!(collected.flows(), counted.flows);
    assert_eq!(collected.sequence_failures, 0);
    let families: [usize; 2] =
        [".", ":"].map(|mark| counted.flows.keys().filter(|key| key.0.contains(mark)).count());
    assert!(families.iter().all(|flows| *flows > 0), "{families:?}");
}

#[test]
fn nfcapd_gets_every_flow_by_tcp() {
    let Some(nfcapd) = Nfcapd::or_skip("nfcapd_gets_every_flow_by_tcp") else { return };
    // nfcapd has no TCP: the relay passes on each message, framed as in RFC 7011.
    let relay = Relay::start(&nfcapd);
    let counted = replay(&["--ipfix", &relay.url()]);
    assert_all_sent(&counted);
    let messages = relay.finish();
    let templates = messages.iter().filter(|message| message[16..18] == [0, 2]).count();
    assert_eq!(templates, 1, "templates come once in a connection");
    let collected = nfcapd.stop();
    assert_eq!(collected.flows(), counted.flows);
    assert_eq!(collected.sequence_failures, 0);
}

#[test]
fn beyond_the_bound_the_rest_is_summed_up_exactly() {
    let test = "beyond_the_bound_the_rest_is_summed_up_exactly";
    let Some(nfcapd) = Nfcapd::or_skip(test) else { return };
    // By TCP, as datagrams keep to the rate in time, too.
    let relay = Relay::start(&nfcapd);
    let counted = replay(&["--ipfix", &relay.url(), "--ipfix-rate", "1"]);
    relay.finish();
    assert_all_sent(&counted);
    let (summed, sent) = (&counted.ipfix["summed_flows"], &counted.ipfix["sent_flows"]);
    assert!(summed.as_u64() > Some(0) && summed.as_u64() < sent.as_u64(), "{}", counted.ipfix);
    let collected = nfcapd.stop();
    let (mut sums, mut others) = ([0; 2], 0);
    for (key, counts) in collected.flows() {
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let is_other = ["0.0.0.0", "::"].contains(&key.0.as_str());
        others += u64::from(is_other);
        assert!(is_other || counted.flows.contains_key(&key), "{key:?}");
    }
    let totals = ["ip", "bytes"].map(|name| counted.totals[name].as_u64().unwrap());
    assert_eq!((sums, others > 0), (totals, true));
    let records = counted.ipfix["records"].as_u64().unwrap();
    assert!(records < sent.as_u64().unwrap(), "{}", counted.ipfix);
}

#[test]
fn a_replay_says_that_its_collector_is_not_there() {
    let port = collector::free_port();
    let url = format!("tcp://127.0.0.1:{port}");
    let run = run(["replay", &captures()[0], "--ipfix", &url]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("cannot send flow records to {url}")), "{}", run.stderr);
}
