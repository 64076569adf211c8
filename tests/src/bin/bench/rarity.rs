//! Topic `rarity`: from an interval to verdicts by the default engine, each flow a group of its own,
//! from one source or each from another. Owns their steadiness; refuses alerts, whose text
//! is another cost.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use wherefore_agent::detect::engine::Engine;
use wherefore_agent::options::EngineSettings;
use wherefore_common::FlowKey;
use wherefore_common::flow::address_words;
use wherefore_tests::engine::rarity;

use crate::figure::Figure;
use crate::judge::{all, count, next, settings};
use crate::{memory, usage};

/// Intervals before those that are measured, and of these: one in four closes a longer block of
/// each flow, one in sixteen also a longer one and that of addresses.
const BLOCK: i64 = 16;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (flows, sources) in
        [(1_000, 1), (100_000, 1), (1_000_000, 1), (100_000, 100_000), (1_000_000, 1_000_000)]
    {
        figures.extend(flows_of(flows, sources)?);
    }
    Ok(figures)
}

/// The default engine, with steady flows of this many sources.
fn flows_of(flows: u32, sources: u32) -> Result<Vec<Figure>> {
    let mut random = fastrand::Rng::with_seed(3);
    // The worst case: the kernel's table returns flows in nearly the same order each time, its map does not.
    let orders = [(); 2].map(|()| {
        let mut keys = from_sources(flows, sources);
        random.shuffle(&mut keys);
        keys
    });
    let empty = memory::resident_before()?;
    let settings = EngineSettings { rarity: Some(rarity("10/day")), ..settings(flows, 1e5) };
    let mut engine = Engine::new(settings)?;
    let (mut used, mut asked) = (0.0, 0);
    for index in 0..2 * BLOCK {
        let interval = next(&orders[index as usize % 2], index, 1, &mut random);
        let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
        let outcome = engine.step(&interval);
        if index >= BLOCK {
            used += usage::thread_seconds()? - seconds;
            asked += memory::allocations() - allocations;
            let found = (outcome.groups, outcome.events.len());
            ensure!(found == (flows as usize, 0), "groups, alerts: {found:?} of {flows} flows");
        }
    }
    let from = if sources == 1 { "one source" } else { "as many sources" };
    let label = format!("{} of {from}", count(flows));
    let resident = (usage::resident("self")? - empty) / f64::from(flows);
    let each = used * 1e9 / BLOCK as f64 / f64::from(flows);
    Ok(vec![
        Figure::new(format!("{label}: each"), each, "ns/flow"),
        Figure::new(format!("{label}: allocations"), asked as f64 / BLOCK as f64, "/interval"),
        Figure::new(format!("{label}: resident"), resident, "bytes/flow"),
    ])
}

fn from_sources(flows: u32, sources: u32) -> Vec<FlowKey> {
    let mut keys = all(flows);
    for (number, key) in (0..sources).cycle().zip(&mut keys) {
        key.src = address_words(Ipv4Addr::from(0x0a00_0001 + number).into()).1;
    }
    keys
}
