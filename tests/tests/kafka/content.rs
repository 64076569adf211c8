//! The records: sums equal the agent's, a conversation is in one partition. Owns the tests of content.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::{ALERTS, Arrived, Cluster, FLOWS};
use crate::{Replay, replay, sums, total, values};

fn assert_all_sent(replay: &Replay, records: &[Arrived]) {
    let Replay { run, totals, account, .. } = replay;
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for name in ["lost_flows", "lost_bytes", "lost_alerts"] {
        assert_eq!(account[name], 0, "{account}");
    }
    assert_eq!(account["sent_bytes"], totals["bytes"], "{account} {totals}");
    assert_eq!(account["sent_packets"], totals["ip"], "{account} {totals}");
    assert_eq!(account["records"], records.len(), "{account}");
    let totals = ["ip", "bytes"].map(|name| totals[name].as_u64().unwrap());
    assert_eq!(total(values(records)), totals);
    assert!(totals[1] > 1_000_000, "{totals:?}");
}

#[test]
fn every_flow_arrives_and_a_conversation_is_in_one_partition() {
    let cluster = Cluster::start();
    let replay = replay(&cluster.target(), &[]);
    let records = cluster.records(FLOWS);
    assert_all_sent(&replay, &records);
    assert_eq!(sums(values(&records)), sums(&replay.flows));
    let mut partitions = BTreeMap::<_, BTreeSet<i32>>::new();
    let mut directions = BTreeMap::<_, BTreeSet<_>>::new();
    for Arrived { partition, key, value } in &records {
        let end = |end: &str, port: &str| (value[end].to_string(), value[port].to_string());
        let ends = [end("src", "sport"), end("dst", "dport")];
        let mut sorted = ends.clone();
        sorted.sort();
        let conversation = (value["proto"].to_string(), sorted);
        partitions.entry(conversation).or_default().insert(*partition);
        directions.entry(key.clone()).or_default().insert(ends);
    }
    assert!(partitions.values().all(|partitions| partitions.len() == 1), "{partitions:?}");
    assert_eq!(partitions.len(), directions.len(), "a key for each conversation");
    assert!(directions.values().any(|ends| ends.len() == 2), "replies have the key of requests");
    let used: BTreeSet<_> = records.iter().map(|record| record.partition).collect();
    assert!(used.len() > 4, "{used:?}");
}

#[test]
fn records_have_the_fields_of_files_and_alerts_are_the_same() {
    let cluster = Cluster::start();
    let replay = replay(&cluster.target(), &[]);
    let records = cluster.records(FLOWS);
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    let ours: BTreeSet<_> = replay.flows.iter().flat_map(names).collect();
    let theirs: BTreeSet<_> = values(&records).flat_map(names).collect();
    let more: BTreeSet<_> = theirs.difference(&ours).map(String::as_str).collect();
    let live = ["direction", "host", "interface", "interval_end", "interval_start"];
    assert_eq!((more, ours.is_subset(&theirs)), (BTreeSet::from(live), true));
    assert!(values(&records).all(|value| value["host"] == "h1"));
    let alerts = cluster.records(ALERTS);
    assert!(alerts.iter().all(|alert| alert.value["key"] == *alert.key));
    assert_eq!(replay.account["sent_alerts"], alerts.len());
    let sorted = |alerts: &mut dyn Iterator<Item = &Value>| {
        let mut alerts: Vec<_> = alerts.map(Value::to_string).collect();
        alerts.sort();
        alerts
    };
    let (ours, theirs) = (sorted(&mut replay.alerts.iter()), sorted(&mut values(&alerts)));
    assert!(!ours.is_empty());
    assert_eq!(theirs, ours);
}

#[test]
fn beyond_the_bound_the_rest_is_one_record_for_each_interface() {
    let cluster = Cluster::start();
    let replay = replay(&cluster.target(), &["--kafka-rate", "1"]);
    let records = cluster.records(FLOWS);
    assert_all_sent(&replay, &records);
    let (others, alone): (Vec<_>, Vec<_>) =
        values(&records).partition(|value| value["other"] == true);
    let summed: u64 = others.iter().map(|other| other["flows"].as_u64().unwrap()).sum();
    assert_eq!((&replay.account["summed_flows"], summed > 0), (&summed.into(), true));
    assert!(others.iter().all(|other| other["src"].is_null() && other["interface"].is_string()));
    let (alone, all) = (sums(alone), sums(&replay.flows));
    assert!(!alone.is_empty() && alone.iter().all(|(key, counts)| counts[1] <= all[key][1]));
}

#[test]
fn another_topic_of_alerts() {
    let cluster = Cluster::start();
    cluster.0.create_topic("incidents", 8, 1).unwrap();
    let replay = replay(&cluster.target(), &["--kafka-alert-topic", "incidents"]);
    assert_eq!(replay.run.code, Some(0), "{}", replay.run.stderr);
    assert_eq!(cluster.records("incidents").len(), replay.alerts.len());
    assert_eq!(cluster.records(ALERTS).len(), 0);
}
