//! Receivers that are slow, refuse, answer nonsense or vanish. Owns the tests of repetition, losses and their
//! account.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::run;
use wherefore_tests::corpus::directory;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Lab};

use crate::otlp::FLOW;
use crate::receiver::{Receiver, Reply};

/// Replays one capture; returns the exit code, the receiver's account, what was counted, and the log.
fn replay(receiver: &Receiver) -> (Option<i32>, Value, Value, String) {
    let capture = directory().join("made/network.pcap");
    let options = ["--flows", "-", "--otlp", &receiver.url, "--otlp-header", "x-key=xyzzyxyzzy"];
    let words = ["replay", capture.to_str().unwrap()];
    let run = run(words.into_iter().chain(options));
    assert!(!run.stderr.contains("xyzzy"), "{}", run.stderr);
    let last: Value = serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap();
    (run.code, last["otlp"].clone(), last["totals"].clone(), run.stderr)
}

#[test]
fn a_request_is_repeated_until_it_is_taken_and_not_earlier_than_asked() {
    // Most of the time is spent waiting.
    std::thread::scope(|scope| {
        for is_grpc in [false, true] {
            scope.spawn(move || repeats(is_grpc));
        }
    });
}

fn repeats(is_grpc: bool) {
    let receiver = Receiver::start(is_grpc, &[Reply::Later(Some(2)), Reply::Close, Reply::Accept]);
    let (code, account, totals, log) = replay(&receiver);
    assert_eq!((code, &account["sent_bytes"]), (Some(0), &totals["bytes"]), "{account} {log}");
    let requests = receiver.requests();
    let pause = |at: usize| requests[at].at - requests[at - 1].at;
    // Our own first pause would be 1.25 s at the most, the second one is 1.5 s at the least.
    assert!(pause(1) >= Duration::from_secs(2), "the receiver's pause: {:?}", pause(1));
    assert!(pause(2) >= Duration::from_millis(1400), "our own pause: {:?}", pause(2));
    assert!(requests[2..].iter().all(|got| got.reply == Reply::Accept));
}

#[test]
fn records_that_are_refused_are_lost_and_counted() {
    for is_grpc in [false, true] {
        for reply in [Reply::Refuse, Reply::Garbage] {
            let receiver = Receiver::start(is_grpc, &[reply]);
            let (code, account, totals, log) = replay(&receiver);
            assert_eq!(code, Some(1), "{log}");
            assert_eq!(account["lost_bytes"], totals["bytes"], "{account} {totals}");
            assert_eq!((&account["sent_bytes"], &account["sent_points"]), (&0.into(), &0.into()));
            assert!(account["lost_points"].as_u64() > Some(0), "{account}");
            assert!(log.contains("cannot send flow records to"), "{log}");
        }
    }
}

#[test]
fn a_partial_success_is_counted_and_logged() {
    for is_grpc in [false, true] {
        let receiver = Receiver::start(is_grpc, &[Reply::Partial(1)]);
        let (code, account, totals, log) = replay(&receiver);
        assert_eq!((code, &account["sent_bytes"]), (Some(0), &totals["bytes"]), "{log}");
        let requests = receiver.requests().iter().filter(|got| !got.logs.is_empty()).count();
        assert_eq!(account["rejected_records"], requests, "one of each request: {account}");
        assert!(log.contains("too old"), "{log}");
    }
}

#[test]
fn no_receiver_harms_a_live_agent() -> Result<()> {
    let Some(lab) = Lab::or_skip("no_receiver_harms_a_live_agent")? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    for (is_grpc, replies) in [
        (false, &[Reply::Accept, Reply::Accept, Reply::Hang][..]),
        (true, &[Reply::Accept, Reply::Accept, Reply::Later(Some(100))]),
    ] {
        let listener = lab.b.enter(|| TcpListener::bind("127.0.0.1:0"))??;
        let receiver = Receiver::on(listener, is_grpc, replies);
        let options =
            ["-i", &lab.b.device, "--transfer-interval", "200ms", "--otlp", &receiver.url];
        let agent = Agent::start(&lab.b.namespace, &options)?;
        for _ in 0..4 {
            let load = Flows { family: Family::V4, flows: 2_000, packets_each: 1 };
            many_flows(&lab.a, &lab.b, load)?;
            agent.pass_intervals(2)?;
        }
        let report = agent.stop()?;
        ensure!(report.took.as_secs() < 5, "{:?}", report.took);
        let last: Value = serde_json::from_str(report.stdout.lines().last().context("no line")?)?;
        let sum = |names: [&str; 2]| -> u64 {
            names.iter().filter_map(|name| last["otlp"][*name].as_u64()).sum()
        };
        let counted = report.total("bytes")? - report.total("overflow_bytes")?;
        ensure!(sum(["sent_bytes", "lost_bytes"]) == counted, "{last}");
        ensure!(last["otlp"]["lost_bytes"].as_u64() > Some(0), "{last}");
        let log = &report.stderr;
        ensure!(log.contains("cannot send flow records: they are lost until"), "{log}");
    }
    Ok(())
}

#[test]
fn a_live_agent_sends_owners_and_every_byte() -> Result<()> {
    let test = "a_live_agent_sends_owners_and_every_byte";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    let listener = lab.b.enter(|| TcpListener::bind("127.0.0.1:0"))??;
    let receiver = Receiver::on(listener, true, &[Reply::Accept]);
    let options = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--otlp", &receiver.url];
    let agent =
        Agent::start(&lab.b.namespace, &[&options[..], &["--otlp-rate", "10000"]].concat())?;
    many_flows(&lab.a, &lab.b, Flows { family: Family::V6, flows: 300, packets_each: 2 })?;
    agent.pass_intervals(3)?;
    let report = agent.stop()?;
    let logs = receiver.logs(FLOW);
    let bytes = logs.iter().map(|log| log.attributes["wherefore.flow.bytes"].parse::<u64>());
    let bytes = bytes.sum::<Result<u64, _>>()?;
    ensure!(bytes == report.total("bytes")?, "{bytes} {}", report.total("bytes")?);
    for log in &logs {
        let direction = log.attributes.get("network.io.direction").context("no direction")?;
        ensure!(["receive", "transmit"].contains(&direction.as_str()), "{log:?}");
        ensure!(log.attributes["network.interface.name"] == lab.b.device, "{log:?}");
        let owner = ["process.pid", "wherefore.unattributed"];
        ensure!(owner.iter().any(|name| log.attributes.contains_key(*name)), "{log:?}");
    }
    Ok(())
}
