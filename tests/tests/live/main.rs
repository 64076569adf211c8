//! The agent on live traffic: the built program in network namespaces, real eBPF, real packets,
//! and an exact account of the sent packets.
//!
//! Without the needed privilege every test prints SKIPPED on stderr and passes.
#![forbid(unsafe_code)]

mod alerts;
mod attach;
mod attached;
mod capture;
mod cases;
mod churn;
mod clock;
mod containers;
mod counters;
mod devices;
mod evidence;
mod expression;
mod faults;
mod filter;
mod flows;
mod follow;
mod kinds;
mod memory;
mod names;
mod outside;
mod owners;
mod peers;
mod refusals;
mod reload;
mod rotation;
mod sandbox;
mod seed;
mod segments;
mod service;
mod sighup;
mod stop;
mod table;
mod translated;

use anyhow::{Context, Result};
use wherefore_tests::agent::{Agent, Comparison, Direction, Report};
use wherefore_tests::lab::packets::Flows;
use wherefore_tests::lab::{Counters, Family, Host, Lab};

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Starts an agent on a host's device, with short intervals.
fn watch(host: &Host, arguments: &[&str]) -> Result<Agent> {
    watch_every("200ms", host, arguments)
}

/// Starts an agent on a host's device.
fn watch_every(interval: &str, host: &Host, arguments: &[&str]) -> Result<Agent> {
    let common = ["-i", &host.device, "--transfer-interval", interval];
    let agent = Agent::start(&host.namespace, &[&common, arguments].concat());
    agent.with_context(|| format!("watching {} with {arguments:?}", host.device))
}

/// The reports of agents at both ends about `work`, and the devices' counts; a's first.
fn observe<T>(
    lab: &Lab,
    arguments: &[&str],
    work: impl FnOnce() -> Result<T>,
) -> Result<([Report; 2], [Counters; 2], T)> {
    let agents = [watch(&lab.a, arguments)?, watch(&lab.b, arguments)?];
    let (counters, value) = lab.measure(work)?;
    let [a, b] = agents.map(Agent::stop);
    Ok(([a?, b?], counters, value))
}

/// Checks that an agent's counts equal its device's, to the byte, and the laboratory's.
fn assert_exact(report: &Report, measured: Counters) -> Result<()> {
    let received = (measured.rx_bytes, measured.rx_packets);
    let sent = (measured.tx_bytes, measured.tx_packets);
    for (direction, expected) in [(Direction::Ingress, received), (Direction::Egress, sent)] {
        let exact = Comparison { counted: expected, device: expected, uncertain: 0 };
        assert_eq!(report.comparison(direction)?, exact, "{direction:?}\n{}", report.stderr);
    }
    assert!(report.stderr.contains("counts equal the interface's"), "{}", report.stderr);
    Ok(())
}

/// A load of UDP flows over IPv4.
fn load(flows: u32, packets_each: u32) -> Flows {
    Flows { family: Family::V4, flows, packets_each }
}
