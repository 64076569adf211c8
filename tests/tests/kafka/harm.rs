//! Brokers that fail, refuse or vanish. Owns the tests of repetition, losses and their account.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::Value;
use wherefore_tests::agent::Agent;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Lab, wait_until};

use crate::cluster::{ALERTS, Cluster, FLOWS};
use crate::{replay, replay_of, sums, total, values};

/// Refusals that are repeated, and one that is not.
const AGAIN: [RDKafkaRespErr; 3] = [
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
];
const NEVER: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;

/// All brokers.
const ALL: i32 = -1;
/// How long the agent may take to notice.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn what_a_broker_refuses_for_now_arrives_once() {
    let cluster = Cluster::start();
    cluster.0.request_errors(RDKafkaApiKey::Produce, &AGAIN);
    let replay = replay(&cluster.target(), &[]);
    assert_eq!(replay.run.code, Some(0), "{}", replay.run.stderr);
    assert_eq!(replay.account["sent_bytes"], replay.totals["bytes"], "{}", replay.account);
    assert_eq!(sums(values(&cluster.records(FLOWS))), sums(&replay.flows));
    assert_eq!(cluster.records(ALERTS).len(), replay.alerts.len());
}

#[test]
fn what_a_broker_refuses_for_good_is_lost_and_counted() {
    let cluster = Cluster::start();
    cluster.0.request_errors(RDKafkaApiKey::Produce, &[NEVER; 1000]);
    // A longer replay would end at the first refusal, and count no further.
    let replay = replay_of(&["made/network.pcap"], &cluster.target(), &[]);
    assert_eq!(replay.run.code, Some(1), "{}", replay.run.stderr);
    let account = &replay.account;
    assert_eq!(account["lost_bytes"], replay.totals["bytes"], "{account}");
    assert_eq!((&account["sent_bytes"], &account["records"]), (&0.into(), &0.into()), "{account}");
    let log = &replay.run.stderr;
    assert!(log.contains("cannot send flow records to"), "{log}");
    assert!(log.contains("authorization failed"), "{log}");
}

#[test]
fn a_replay_says_that_no_broker_is_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("{free}/flows");
    let start = Instant::now();
    let replay = replay(&target, &[]);
    assert_eq!(replay.run.code, Some(1), "{}", replay.run.stderr);
    let message = format!("cannot send flow records to {target}");
    assert!(replay.run.stderr.contains(&message), "{}", replay.run.stderr);
    assert!(replay.run.stderr.contains("refused"), "{}", replay.run.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn number(account: &Value, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| account[*name].as_u64()).sum()
}

fn talk(lab: &Lab, agent: &Agent) -> Result<()> {
    many_flows(&lab.a, &lab.b, Flows { family: Family::V4, flows: 1_000, packets_each: 1 })?;
    agent.pass_intervals(2)
}

#[test]
fn an_outage_costs_records_but_no_interval() -> Result<()> {
    let test = "an_outage_costs_records_but_no_interval";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    lab.b.enter(|| outage(&lab))?
}

/// In the namespace, so that the sockets of the brokers are there.
fn outage(lab: &Lab) -> Result<()> {
    let cluster = Cluster::start();
    let target = cluster.target();
    let options = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--kafka", &target];
    let more = ["--kafka-option", "message.timeout.ms=1000", "--kafka-rate", "100000"];
    let agent = Agent::start(&lab.b.namespace, &[&options[..], &more].concat())?;
    let talk_until = |text: &str| -> Result<()> {
        let is_said = || agent.log().contains(text);
        let is_over = || talk(lab, &agent).is_err() || is_said();
        ensure!(wait_until(PATIENCE, is_over) && is_said(), "not {text:?}: {}", agent.log());
        Ok(())
    };
    talk(lab, &agent)?;
    cluster.0.broker_down(ALL)?;
    talk_until("cannot send flow records: they are lost until")?;
    cluster.0.broker_up(ALL)?;
    talk_until("flow records were lost")?;
    talk(lab, &agent)?;
    cluster.0.broker_down(ALL)?;
    talk(lab, &agent)?;
    let report = agent.stop()?;
    ensure!(report.took < Duration::from_secs(5), "{:?}", report.took);
    cluster.0.broker_up(ALL)?;
    let last: Value = serde_json::from_str(report.stdout.lines().last().context("no line")?)?;
    let account = &last["kafka"];
    let counted = report.total("bytes")? - report.total("overflow_bytes")?;
    ensure!(number(account, &["sent_bytes", "lost_bytes"]) == counted, "{account} {counted}");
    ensure!(number(account, &["lost_bytes"]) > 0, "{account}");
    ensure!(number(account, &["sent_bytes"]) > 0, "{account}");
    // A record whose confirmation did not arrive counts as lost, but may be there.
    let arrived = total(values(&cluster.records(FLOWS)))[1];
    ensure!(arrived >= number(account, &["sent_bytes"]), "{account} {arrived}");
    ensure!(arrived <= counted, "{account} {arrived}");
    Ok(())
}

#[test]
fn a_live_agent_sends_owners_and_every_byte() -> Result<()> {
    let test = "a_live_agent_sends_owners_and_every_byte";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    lab.b.enter(|| live(&lab))?
}

fn live(lab: &Lab) -> Result<()> {
    let cluster = Cluster::start();
    let target = cluster.target();
    let options = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--kafka", &target];
    let agent =
        Agent::start(&lab.b.namespace, &[&options[..], &["--kafka-rate", "100000"]].concat())?;
    for _ in 0..5 {
        talk(lab, &agent)?;
    }
    let report = agent.stop()?;
    let last: Value = serde_json::from_str(report.stdout.lines().last().context("no line")?)?;
    let account = &last["kafka"];
    ensure!(number(account, &["lost_bytes"]) == 0, "{account}");
    let records = cluster.records(FLOWS);
    let counted = report.total("bytes")? - report.total("overflow_bytes")?;
    ensure!(total(values(&records))[1] == counted, "{account} {counted}");
    for record in values(&records) {
        ensure!(record["interface"] == lab.b.device, "{record}");
        let owner = ["source.process.pid", "destination.process.pid", "wherefore.unattributed"];
        ensure!(owner.iter().any(|name| !record[*name].is_null()), "{record}");
    }
    Ok(())
}
