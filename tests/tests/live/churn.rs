//! Many flows: more than fit, more than an interval can drain at leisure, on two processors at
//! once. Owns the proof that every packet is somewhere, once.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use wherefore_tests::agent::{Agent, Direction, Key, Report, Volume};
use wherefore_tests::lab::packets::{Flows, flow_ports, many_flows, two_cpus};
use wherefore_tests::lab::{Host, Lab};

use super::flows::assert_flows;
use super::{assert_exact, load, observe, watch_every};

/// The sums of a load.
pub(crate) fn sums(from: &Host, to: &Host, load: Flows) -> BTreeMap<Key, Volume> {
    let packets = u64::from(load.packets_each);
    let frame_bytes = packets * load.frame_length() as u64;
    let volume = Volume { packets, bytes: frame_bytes - packets * 14, frame_bytes };
    let (src, dst) = (from.address(load.family), to.address(load.family));
    let key = |index| {
        let (sport, dport) = flow_ports(index);
        Key { proto: 17, src, sport, dst, dport }
    };
    (0..load.flows).map(|index| (key(index), volume)).collect()
}

#[test]
fn a_full_table_loses_no_packet() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_full_table_loses_no_packet")? else { return Ok(()) };
    overflow(&lab, load(5000, 4))
}

/// Sends more flows than fit, and checks where their packets are counted.
pub(crate) fn overflow(lab: &Lab, load: Flows) -> Result<()> {
    let (reports, measured, sent) =
        observe(lab, &["--max-flows", "100"], || many_flows(&lab.a, &lab.b, load))?;
    let directions = [Direction::Egress, Direction::Ingress];
    for ((report, measured), direction) in reports.iter().zip(measured).zip(directions) {
        assert_exact(report, measured)?;
        assert_overflow(report, direction, load, sent.frames)?;
    }
    Ok(())
}

/// Checks that flows and overflow are everything, and that there was room for 100 flows, but not for
/// many more.
fn assert_overflow(report: &Report, direction: Direction, load: Flows, frames: u64) -> Result<()> {
    let packet = load.frame_length() as u64 - 14;
    let in_flows: u64 = report.sums(direction).values().map(|volume| volume.packets).sum();
    let overflow = report.total("overflow")?;
    assert_eq!(in_flows + overflow, frames);
    assert_eq!((report.total("ip")?, report.total("frames")?), (frames, frames));
    assert_eq!(report.total("bytes")?, frames * packet);
    assert_eq!(report.total("overflow_bytes")?, overflow * packet);
    assert!(overflow > 0, "nothing overflowed");
    let mut flows_of: BTreeMap<&str, u32> = BTreeMap::new();
    report.flows.iter().for_each(|flow| *flows_of.entry(&flow.interval_end).or_default() += 1);
    // The map's, and in each processor's part of the table no more, with the slots behind the last.
    let cpus = std::thread::available_parallelism()?.get() as u32;
    let most = 100 + 200.max(100 * cpus) + 3 * cpus;
    let fullest = flows_of.values().max().context("no flow")?;
    assert!((100..=most).contains(fullest), "flows in each interval: {flows_of:?}");
    Ok(())
}

#[test]
fn many_flows_are_drained_while_they_move() -> Result<()> {
    let Some(lab) = Lab::or_skip("many_flows_are_drained_while_they_move")? else { return Ok(()) };
    let agent = watch_every("100ms", &lab.b, &[])?;
    let (measured, rounds) = lab.measure(|| send_over_intervals(&lab, &agent, 4))?;
    let report = agent.stop()?;
    assert_drained(&report, 3)?;
    let sent = load(100_000, rounds);
    assert_flows(&report, Direction::Ingress, &sums(&lab.a, &lab.b, sent), 1);
    assert_exact(&report, measured[1])
}

/// Sends a packet of each of 100,000 flows repeatedly until the agent has drained this many
/// intervals, however slow either is. Returns how often.
fn send_over_intervals(lab: &Lab, agent: &Agent, intervals: usize) -> Result<u32> {
    const MOST_ROUNDS: u32 = 120;
    let enough = agent.intervals() + intervals;
    for round in 1..=MOST_ROUNDS {
        many_flows(&lab.a, &lab.b, load(100_000, 1))?;
        if round >= 3 && agent.intervals() >= enough {
            return Ok(round);
        }
    }
    bail!("{intervals} intervals have not passed in {MOST_ROUNDS} rounds")
}

#[test]
fn hot_flows_lose_nothing_at_a_swap_of_maps() -> Result<()> {
    let Some(lab) = Lab::or_skip("hot_flows_lose_nothing_at_a_swap_of_maps")? else {
        return Ok(());
    };
    let load = load(100, 8000);
    let agents = [watch_every("100ms", &lab.a, &[])?, watch_every("130ms", &lab.b, &[])?];
    let (measured, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load))?;
    let directions = [Direction::Egress, Direction::Ingress];
    for ((agent, measured), direction) in agents.into_iter().zip(measured).zip(directions) {
        let report = Agent::stop(agent)?;
        assert_drained(&report, 3)?;
        assert_flows(&report, direction, &sums(&lab.a, &lab.b, load), 1);
        assert_exact(&report, measured)?;
    }
    Ok(())
}

/// Checks that the flows moved in several intervals, or the test would prove nothing.
pub(crate) fn assert_drained(report: &Report, at_least: usize) -> Result<()> {
    let mut ends: Vec<_> = report.flows.iter().map(|flow| flow.interval_end.as_str()).collect();
    ends.dedup();
    assert!(ends.len() >= at_least, "the flows moved in {} intervals", ends.len());
    assert_eq!(report.total("overflow")?, 0);
    Ok(())
}

#[test]
fn two_processors_count_the_same_flows() -> Result<()> {
    let Some(lab) = Lab::or_skip("two_processors_count_the_same_flows")? else { return Ok(()) };
    let load = load(1000, 150);
    let (reports, measured, _) = observe(&lab, &[], || two_cpus(&lab.a, &lab.b, load))?;
    let expected = sums(&lab.a, &lab.b, load);
    let directions = [Direction::Egress, Direction::Ingress];
    for ((report, measured), direction) in reports.iter().zip(measured).zip(directions) {
        assert_flows(report, direction, &expected, 2);
        assert_exact(report, measured)?;
    }
    Ok(())
}
