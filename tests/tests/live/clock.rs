//! Clocks in a time namespace, where the monotonic clock differs from the one that the kernel's programs read;
//! and a time of day that is set while the agent runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_agent::text::nanoseconds;
use wherefore_tests::agent::{Agent, Report};
use wherefore_tests::command::{Scratch, binary, wait_until};
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

/// libfaketime, which Debian has in the folder of the processor's kind.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|path| path.exists())
}

/// An agent whose time of day is the real one and an offset, which can be set; and a sink that fails until it is
/// opened.
struct Shifted {
    agent: Agent,
    started: Instant,
    scratch: Scratch,
}

impl Shifted {
    fn start(lab: &Lab, library: &Path, offset: &str) -> Result<Self> {
        let scratch = Scratch::new();
        let program = scratch.path("deliver");
        let (opened, kept) = (scratch.path("opened"), scratch.path("kept"));
        let lines = format!("[ -e {} ] || exit 75; cat >> {}", opened.display(), kept.display());
        fs::write(&program, format!("#!/bin/sh\n{lines}\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700))?;
        fs::write(scratch.path("offset"), offset)?;
        let mut command: Command = lab.b.namespace.command("env");
        command.arg(format!("LD_PRELOAD={}", library.display()));
        command.arg(format!("FAKETIME_TIMESTAMP_FILE={}", scratch.path("offset").display()));
        // Read at each call; older and newer versions have different names for the monotonic clock.
        command.args(["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]);
        command.arg("DONT_FAKE_MONOTONIC=1").arg(binary());
        let sink = format!("command,program={}", program.display());
        // The sandbox forbids the system calls of the library.
        let own = ["-i", &lab.b.device, "--transfer-interval", "500ms", "--sandbox", "off"];
        let alerting = ["--anom-methods", "fence", "--anom-upper-bound", "20000", "--sink", &sink];
        let agent = Agent::started(command, &[own, alerting].concat())?;
        Ok(Self { agent, started: Instant::now(), scratch })
    }

    /// Sets the clock. It is read all the time, so the file is replaced and never half written.
    fn set(&self, offset: &str) -> Result<()> {
        let new = self.scratch.path("new");
        fs::write(&new, offset)?;
        fs::rename(&new, self.scratch.path("offset")).context("setting the clock")
    }

    fn delivered(&self) -> String {
        fs::read_to_string(self.scratch.path("kept")).unwrap_or_default()
    }
}

#[test]
fn a_clock_that_is_set_changes_no_duration() -> Result<()> {
    const TEST: &str = "a_clock_that_is_set_changes_no_duration";
    let Some(lab) = Lab::or_skip(TEST)? else { return Ok(()) };
    let Some(library) = faketime() else {
        wherefore_tests::skip(TEST, "no libfaketime (Debian: faketime)");
        return Ok(());
    };
    for (before, after) in [("-300d", "+0"), ("+0", "-3600"), ("+0", "+25h")] {
        let shifted = Shifted::start(&lab, &library, before)?;
        let agent = &shifted.agent;
        // Fifty packets in each of three flows, five times; about 80 bytes each.
        let send = || many_flows(&lab.a, &lab.b, load(3, 50)).map(drop);
        send()?;
        agent.pass_intervals(2)?;
        many_flows(&lab.a, &lab.b, load(1, 1000))?;
        wait_until("an alert waits", || agent.log().contains("is tried again"));
        send()?;
        shifted.set(after)?;
        send()?;
        agent.pass_intervals(3)?;
        send()?;
        fs::write(shifted.scratch.path("opened"), "")?;
        wait_until("the alert is delivered", || shifted.delivered().contains("firing"));
        let Shifted { agent, started, .. } = shifted;
        let report = agent.stop()?;
        let case = format!("from {before} to {after}");
        let all = report.flows.iter().filter(|flow| flow.key.proto == 17);
        let packets: u64 = all.map(|flow| flow.volume.packets).sum();
        assert_eq!(packets, 4 * 150 + 1000, "{case}: {}", report.stderr);
        assert!(report.stderr.contains("the clock was set"), "{case}: {}", report.stderr);
        assert_durations(&report, started.elapsed(), &case)?;
    }
    Ok(())
}

/// Checks that intervals, flows and alerts last as long as they did by a clock that nobody sets.
fn assert_durations(report: &Report, elapsed: Duration, case: &str) -> Result<()> {
    let lines = report.stdout.lines().filter(|line| line.starts_with(r#"{"type":"interval""#));
    let intervals: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    let time = |object: &Value, name: &str| object[name].as_str().and_then(nanoseconds);
    let mut all_ns = 0;
    for interval in &intervals {
        let ends = time(interval, "start").zip(time(interval, "end"));
        let (start, end) = ends.with_context(|| format!("no times in {interval}"))?;
        assert!((0..=NEAR_NS).contains(&(end - start)), "{case}: {interval}");
        all_ns += end - start;
    }
    let elapsed_ns = elapsed.as_nanos() as i64;
    assert!((elapsed_ns - all_ns).abs() < NEAR_NS / 2, "{case}: {all_ns} of {elapsed_ns}");
    for flow in &report.flows {
        let end_ns = nanoseconds(&flow.interval_end).context("no time")?;
        for time in &flow.times {
            let time_ns = nanoseconds(time).context("no time")?;
            assert!(end_ns.abs_diff(time_ns) < NEAR_NS as u64, "{case}: {flow:?}");
        }
    }
    assert!(!report.alerts.is_empty(), "{case}: {}", report.stderr);
    for alert in &report.alerts {
        for name in ["interval_seconds", "incident_seconds"] {
            let seconds = alert[name].as_f64().with_context(|| format!("no {name} in {alert}"))?;
            assert!((0.0..=elapsed.as_secs_f64()).contains(&seconds), "{case}: {alert}");
        }
    }
    Ok(())
}
