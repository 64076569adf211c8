//! Faults under traffic, with the account checked to the byte after each: an agent that stands still, a device
//! that is changed, agents that are killed again and again.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use nix::sys::signal::Signal;
use wherefore_tests::lab::traffic::{Datagrams, udp_send};
use wherefore_tests::lab::{Counters, Family, Lab, wait_until};

use super::attach::Attached;
use super::{assert_exact, watch};

/// Datagrams, and how long each sender takes for them.
const PACKETS: u32 = 4000;
const PAUSE: Duration = Duration::from_micros(500);

/// Sends datagrams in both directions while `fault` runs. What both devices counted, a's first.
fn under_traffic(lab: &Lab, fault: impl FnOnce() -> Result<()>) -> Result<[Counters; 2]> {
    let load = |source_port| Datagrams {
        family: Family::V4,
        packets: PACKETS,
        payload: 100,
        source_port,
        target_port: source_port + 1,
        interval: PAUSE,
    };
    let work = || {
        thread::scope(|scope| {
            let senders = [
                scope.spawn(|| udp_send(&lab.a, &lab.b, load(4001))),
                scope.spawn(|| udp_send(&lab.b, &lab.a, load(4011))),
            ];
            let outcome = fault();
            for sender in senders {
                let report = sender.join().map_err(|_| anyhow!("a sender panicked"))??;
                ensure!(report.sent_packets == u64::from(PACKETS), "{report:?}");
            }
            outcome
        })
    };
    lab.measure(work).map(|(counters, ())| counters)
}

#[test]
fn an_agent_that_stood_still_counts_every_byte() -> Result<()> {
    let Some(lab) = Lab::or_skip("an_agent_that_stood_still_counts_every_byte")? else {
        return Ok(());
    };
    let agent = watch(&lab.b, &[])?;
    let received = || lab.b.counters().map(|counters| counters.rx_packets);
    let [_, counters] = under_traffic(&lab, || {
        agent.pass_intervals(2)?;
        agent.signal(Signal::SIGSTOP)?;
        let before = received()?;
        let enough = || received().is_ok_and(|now| now > before + u64::from(PACKETS) / 4);
        let moved = wait_until(Duration::from_secs(20), enough);
        agent.signal(Signal::SIGCONT)?;
        ensure!(moved, "no traffic while the agent stood still");
        Ok(())
    })?;
    assert_exact(&agent.stop()?, counters)
}

/// Changes to the device, made one after the other.
const CHANGES: [&str; 8] = [
    "link set {} mtu 1400",
    "link set {} txqueuelen 10",
    "link set {} promisc on",
    "link set {} alias changed",
    "addr add 10.77.9.9/32 dev {}",
    "link set {} multicast off",
    "addr del 10.77.9.9/32 dev {}",
    "link set {} mtu 1500",
];

#[test]
fn changes_of_a_device_lose_no_byte() -> Result<()> {
    let Some(lab) = Lab::or_skip("changes_of_a_device_lose_no_byte")? else { return Ok(()) };
    let agent = watch(&lab.b, &[])?;
    let [_, counters] = under_traffic(&lab, || {
        lab.b.offloads(false)?;
        for change in CHANGES {
            lab.b.namespace.ip_batch(&format!("{}\n", change.replace("{}", &lab.b.device)))?;
            agent.pass_intervals(1)?;
        }
        lab.b.offloads(true)
    })?;
    assert_exact(&agent.stop()?, counters)
}

/// How many agents are killed; 200 take about a minute.
fn kills() -> Result<usize> {
    match std::env::var("WHEREFORE_KILLS") {
        Ok(number) => number.parse().context("WHEREFORE_KILLS is not a number"),
        Err(_) => Ok(8),
    }
}

#[test]
fn the_agent_after_many_killed_ones_counts_every_byte() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_agent_after_many_killed_ones_counts_every_byte")? else {
        return Ok(());
    };
    let hooks = ["tcx", "clsact", "xdp"];
    for (round, hook) in (0..kills()?).zip(hooks.iter().cycle()) {
        let agent = watch(&lab.b, &["--attach", hook])?;
        under_traffic_briefly(&lab)?;
        agent.kill().with_context(|| format!("round {round}"))?;
    }
    let agent = watch(&lab.b, &["--attach", "tcx"])?;
    let [_, counters] = under_traffic(&lab, || agent.pass_intervals(1))?;
    assert_exact(&agent.stop()?, counters)?;
    // Links of killed agents are freed by the kernel, filters by the next agent.
    let gone = || Attached::at(&lab.b).is_ok_and(|attached| attached == Attached::default());
    ensure!(wait_until(Duration::from_secs(5), gone), "left: {:?}", Attached::at(&lab.b)?);
    Ok(())
}

/// Some packets, so that a killed agent has something in its tables.
fn under_traffic_briefly(lab: &Lab) -> Result<()> {
    let load = Datagrams {
        family: Family::V6,
        packets: 200,
        payload: 50,
        source_port: 4001,
        target_port: 4002,
        interval: Duration::ZERO,
    };
    udp_send(&lab.a, &lab.b, load).map(drop)
}
