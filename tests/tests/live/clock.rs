//! Clocks in a time namespace: the monotonic clock differs from the one that the
//! kernel's programs read.

use anyhow::{Context, Result, ensure};
use wherefore_agent::text::nanoseconds;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{binary, wait_until};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::many_flows;

use super::load;

/// Packets are no farther from their interval's end than this.
const NEAR_NS: i64 = 10_000_000_000;

#[test]
fn times_are_right_in_a_time_namespace() -> Result<()> {
    let Some(lab) = Lab::or_skip("times_are_right_in_a_time_namespace")? else { return Ok(()) };
    // A clock can't be set before zero, and this machine may have started only minutes ago.
    let earlier = -(uptime_seconds()?.min(7200) / 2);
    for offset in [earlier, 86_400, 0] {
        let offset = &offset.to_string();
        let mut command = lab.b.namespace.command("unshare");
        command.args(["--time", "--fork", "--kill-child", "--monotonic", offset]).arg(binary());
        let agent = Agent::spawn(command, &["-i", &lab.b.device, "--transfer-interval", "200ms"])?;
        wait_until("the agent counts", || agent.log().contains(" counting "));
        many_flows(&lab.a, &lab.b, load(3, 2))?;
        let report = agent.stop_child()?;
        ensure!(!report.flows.is_empty(), "{offset}: {}", report.stderr);
        for flow in &report.flows {
            let end_ns = nanoseconds(&flow.interval_end).context("no time")?;
            for time in &flow.times {
                let time_ns = nanoseconds(time).context("no time")?;
                assert!(end_ns.abs_diff(time_ns) < NEAR_NS as u64, "{offset}: {flow:?}");
            }
        }
    }
    Ok(())
}

fn uptime_seconds() -> Result<i64> {
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    uptime.split('.').next().and_then(|whole| whole.parse().ok()).context("no uptime")
}
