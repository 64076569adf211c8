//! More flows than there are slots in front of the flow map, real packets, both processors, short intervals:
//! flows and uncounted frames still equal the device's counts.

use anyhow::Result;
use wherefore_tests::agent::{Agent, Direction};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::two_cpus;

use super::churn::{assert_drained, overflow, sums};
use super::flows::assert_flows;
use super::{assert_exact, load, watch_every};

#[test]
fn more_flows_than_slots_on_two_processors_at_swaps() -> Result<()> {
    let Some(lab) = Lab::or_skip("more_flows_than_slots")? else { return Ok(()) };
    // As many as fit, of which not all find a slot; enough packets of each to take another's slot in every
    // interval, several times.
    let (load, room) = (load(5000, 120), ["--max-flows", "5000"]);
    let agents = [watch_every("100ms", &lab.a, &room)?, watch_every("130ms", &lab.b, &room)?];
    let (measured, _) = lab.measure(|| two_cpus(&lab.a, &lab.b, load))?;
    let directions = [Direction::Egress, Direction::Ingress];
    for ((agent, measured), direction) in agents.into_iter().zip(measured).zip(directions) {
        let report = Agent::stop(agent)?;
        assert_drained(&report, 3)?;
        assert_flows(&report, direction, &sums(&lab.a, &lab.b, load), 2);
        assert_exact(&report, measured)?;
    }
    Ok(())
}

#[test]
fn a_full_table_of_hot_flows_loses_no_packet() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_full_table_of_hot_flows")? else { return Ok(()) };
    overflow(&lab, load(1000, 600))
}
