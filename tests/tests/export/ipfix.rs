//! Tests flow records with a real collector: nfcapd receives them, nfdump prints them, and they equal the
//! agent's counts. Owns the tests of formats over captures.

use wherefore_tests::command::run;

use crate::nfcapd::{self, Nfcapd, Relay};
use crate::{Counted, captures, replay};

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
fn a_replay_reports_a_missing_collector() {
    let port = nfcapd::free_port();
    let url = format!("tcp://127.0.0.1:{port}");
    let run = run(["replay", &captures()[0], "--ipfix", &url]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("cannot send flow records to {url}")), "{}", run.stderr);
}
