//! Topic `idle`: the agent's cost without traffic. Owns the time it is watched; refuses to
//! count its start.

use std::time::{Duration, Instant};

use anyhow::Result;
use wherefore_tests::lab::{Lab, wait_until};

use crate::agent::Agent;
use crate::figure::Figure;
use crate::usage;

const WATCHED: Duration = Duration::from_secs(20);

pub(crate) fn measure() -> Result<Vec<Figure>> {
    if let Err(reason) = Lab::privilege() {
        eprintln!("idle: not measured: {reason}");
        return Ok(Vec::new());
    }
    let lab = Lab::new()?;
    let arguments = ["-i", &lab.b.device].map(str::to_owned);
    let agent = Agent::start(&lab.b.namespace, &arguments)?;
    let (start, before) = (Instant::now(), usage::process_seconds(agent.pid())?);
    wait_until(WATCHED, || false);
    let used = usage::process_seconds(agent.pid())? - before;
    let share = used / start.elapsed().as_secs_f64() * 100.0;
    let resident = usage::resident(&agent.pid().to_string())?;
    agent.stop()?;
    Ok(vec![
        Figure::new("processor", share, "% of one"),
        Figure::new("resident", resident / 1e6, "MB"),
    ])
}
