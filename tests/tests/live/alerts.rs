//! From packets to an alert: a burst between two hosts that were quiet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wherefore_tests::agent::Direction;
use wherefore_tests::lab::traffic::{Datagrams, udp_send};
use wherefore_tests::lab::{Family, Host, Lab};

use super::watch_every;

/// A small stream of datagrams until it is stopped.
fn murmur(from: &Host, to: &Host, ended: &AtomicBool) -> Result<()> {
    let (packets, interval) = (10, Duration::from_millis(10));
    let load = Datagrams {
        family: Family::V4,
        packets,
        payload: 100,
        source_port: 4001,
        target_port: 4002,
        interval,
    };
    while !ended.load(Ordering::Acquire) {
        udp_send(from, to, load)?;
    }
    Ok(())
}

/// Lets both hosts murmur while `work` runs.
fn while_murmuring<T>(lab: &Lab, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let there = scope.spawn(|| murmur(&lab.a, &lab.b, &ended));
        let back = scope.spawn(|| murmur(&lab.b, &lab.a, &ended));
        let value = work();
        ended.store(true, Ordering::Release);
        for thread in [there, back] {
            thread.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        value
    })
}

#[test]
fn a_burst_raises_one_alert() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_burst_raises_one_alert")? else { return Ok(()) };
    let agent = watch_every("300ms", &lab.b, &[])?;
    while_murmuring(&lab, || agent.pass_intervals(11))?;
    assert_eq!(agent.alerts()?, [0; 0], "alerts before there was a reason");
    burst(&lab)?;
    agent.pass_intervals(2)?;
    let report = agent.stop()?;
    // The burst may last into a second interval; then the rest belongs to the same incident.
    let [alert, rest @ ..] = &report.alerts[..] else { panic!("no alert") };
    assert_eq!(alert["status"], "firing");
    assert!(rest.iter().all(|next| next["key"] == alert["key"] && next["status"] != "firing"));
    let text = |name: &str| alert[name].as_str().with_context(|| format!("no {name} in {alert}"));
    let number = |name: &str| alert[name].as_u64().with_context(|| format!("no {name} in {alert}"));
    assert_eq!((text("src")?, text("dst")?), ("10.77.0.1", "10.77.0.2"));
    assert_eq!((text("interface")?, number("protocol")?), (lab.b.device.as_str(), 17));
    assert_eq!((number("sport")?, number("dport")?), (5001, 5002));
    assert!(number("bytes")? > 100_000 && alert["probability"].as_f64() > Some(0.6), "{alert}");
    // The burst may lie in two intervals: the alert reports the flow's bytes in its own interval.
    let end = text("time")?;
    let in_it = report.flows.iter().filter(|flow| flow.interval_end == end);
    let received = in_it.filter(|flow| flow.direction == Direction::Ingress);
    let (bytes, packets) = received.fold((0, 0), |(bytes, packets), flow| {
        (bytes + flow.volume.bytes, packets + flow.volume.packets)
    });
    assert_eq!((number("bytes")?, number("packets")?), (bytes, packets));
    assert!(report.stdout.contains(r#""type":"alert""#), "standard output is silent about it");
    Ok(())
}

/// 700 kB at once: in each interval it may be cut into, or in one of two, it exceeds 100 kB.
fn burst(lab: &Lab) -> Result<()> {
    let (packets, payload, interval) = (500, 1400, Duration::ZERO);
    let load = Datagrams {
        family: Family::V4,
        packets,
        payload,
        source_port: 5001,
        target_port: 5002,
        interval,
    };
    let report = udp_send(&lab.a, &lab.b, load)?;
    ensure!(report.sent_packets == 500);
    Ok(())
}
