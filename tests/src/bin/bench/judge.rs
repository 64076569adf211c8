//! Topic `judge`: from an interval to verdicts by the methods, each flow a group of its own. Owns the
//! flows, made by hand; refuses alerts, whose text is another cost.

use anyhow::{Result, ensure};
use wherefore_agent::detect::engine::Engine;
use wherefore_agent::options::EngineSettings;
use wherefore_agent::traffic::group::GroupBy;
use wherefore_agent::traffic::interval::Interval;
use wherefore_common::FlowKey;
use wherefore_tests::engine::{engine_settings, flow, interval, moved};

use crate::figure::Figure;
use crate::{memory, usage};

/// Intervals until windows are full and buffers have the size that they need.
const BEFORE: i64 = 12;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for flows in [1_000, 100_000, 1_000_000] {
        // Most flows fail the cheap test for the least number of bytes; in the worst case all triple
        // their bytes, and no method can be left out.
        figures.extend(flows_of(flows, "too small to judge", 1)?);
        figures.extend(flows_of(flows, "all judged", 3)?);
    }
    Ok(figures)
}

fn flows_of(flows: u32, case: &str, factor: u64) -> Result<Vec<Figure>> {
    let mut random = fastrand::Rng::with_seed(3);
    let keys = all(flows);
    let empty = memory::resident_before()?;
    let min_bytes = if factor == 1 { 1e5 } else { 0.0 };
    // No probability is above 1: findings are made, but not reported.
    let settings = EngineSettings { threshold: 1.0, ..settings(flows, min_bytes) };
    let mut engine = Engine::new(settings)?;
    for index in 0..BEFORE {
        engine.step(&next(&keys, index, 1, &mut random));
    }
    let interval = next(&keys, BEFORE, factor, &mut random);
    let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
    let outcome = engine.step(&interval);
    let (used, asked) = (usage::thread_seconds()? - seconds, memory::allocations() - allocations);
    ensure!(outcome.groups == flows as usize, "{flows} flows are {} groups", outcome.groups);
    ensure!(outcome.events.is_empty(), "{} alerts", outcome.events.len());
    let label = format!("{}, {case}", count(flows));
    let resident = (usage::resident("self")? - empty) / f64::from(flows);
    Ok(vec![
        Figure::new(format!("{label}: processor time"), used * 1e3, "ms"),
        Figure::new(format!("{label}: each"), used * 1e9 / f64::from(flows), "ns/flow"),
        Figure::new(format!("{label}: allocations"), asked as f64, "/interval"),
        Figure::new(format!("{label}: resident"), resident, "bytes/flow"),
    ])
}

/// The program's defaults, except that flows are groups.
pub(crate) fn settings(flows: u32, min_bytes: f64) -> EngineSettings {
    EngineSettings {
        group_by: GroupBy::Flow,
        max_groups: flows as usize + 1_000,
        min_bytes,
        ..engine_settings()
    }
}

pub(crate) fn count(flows: u32) -> String {
    match flows {
        ..100_000 => format!("{} k flows", flows / 1_000),
        100_000..1_000_000 => "100 k flows".to_owned(),
        _ => "1 M flows".to_owned(),
    }
}

pub(crate) fn all(flows: u32) -> Vec<FlowKey> {
    let each = |number: u32| {
        let [a, b, c, d] = number.to_be_bytes();
        (flow(a, u16::from_be_bytes([c, d])), b)
    };
    let key = |number| {
        let (key, port) = each(number);
        FlowKey { dport: u16::from(port), ..key }
    };
    (0..flows).map(key).collect()
}

/// An interval in which each moves its usual bytes within a few percent, multiplied by this factor.
pub(crate) fn next(
    keys: &[FlowKey],
    index: i64,
    factor: u64,
    random: &mut fastrand::Rng,
) -> Interval {
    let flows = keys.iter().map(|key| (*key, moved(factor * (10_000 + random.u64(..500)))));
    interval(index, flows.collect())
}
