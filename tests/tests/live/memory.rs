//! The agent in control groups with little memory: it stays within its announced memory, and logs what fits.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wherefore_tests::agent::Agent;
use wherefore_tests::command::binary;
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::many_flows;

/// A control group with a limit, removed at the end.
struct Group {
    path: PathBuf,
    peak: &'static str,
}

impl Group {
    fn new(name: &str, limit: u64) -> Result<Self> {
        let name = format!("wf-{}-{name}", std::process::id());
        let (path, file, peak) =
            if Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes").exists() {
                let path = Path::new("/sys/fs/cgroup/memory").join(name);
                (path, "memory.limit_in_bytes", "memory.max_usage_in_bytes")
            } else {
                (Path::new("/sys/fs/cgroup").join(name), "memory.max", "memory.peak")
            };
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        let group = Self { path, peak };
        let file = group.path.join(file);
        fs::write(&file, limit.to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(group)
    }

    /// An agent in the group.
    fn watch(&self, lab: &Lab, arguments: &[&str]) -> Result<Agent> {
        let mut command = lab.b.namespace.command("sh");
        let enter = format!("echo $$ > {}/cgroup.procs && exec \"$0\" \"$@\"", self.path.display());
        command.arg("-c").arg(enter).arg(binary());
        let own = ["-i", &lab.b.device, "--transfer-interval", "200ms"];
        Agent::started(command, &[&own, arguments].concat())
    }

    /// Bytes at most.
    fn peak(&self) -> Result<u64> {
        let text = fs::read_to_string(self.path.join(self.peak))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

#[test]
fn memory_stays_within_the_limit_of_the_control_group() -> Result<()> {
    let Some(lab) = Lab::or_skip("memory_stays_within_the_limit_of_the_control_group")? else {
        return Ok(());
    };
    for (mib, arguments, said) in [
        (48, &["--max-flows", "8192"][..], "the most memory that the agent will use"),
        (64, &["--max-flows", "8192"], "the most memory that the agent will use"),
        (64, &[], "limit allows 3"),
        (128, &[], "limit allows 10"),
    ] {
        let group = Group::new("fits", mib << 20)?;
        let agent = group.watch(&lab, arguments)?;
        many_flows(&lab.a, &lab.b, crate::load(1000, 3))?;
        agent.pass_intervals(2)?;
        let (peak, log) = (group.peak()?, agent.log());
        eprintln!("memory: limit {mib} MiB, {arguments:?}: at most {} MB", peak / 1_000_000);
        assert!(log.contains(said) && log.contains("source=\"eBPF"), "{mib}, {arguments:?}: {log}");
        assert!(peak < mib << 20, "{peak} bytes of {mib} MiB");
        agent.stop()?;
    }
    Ok(())
}

#[test]
fn the_limit_is_found_where_control_groups_are_hidden() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_limit_is_found_where_control_groups_are_hidden")? else {
        return Ok(());
    };
    let group = Group::new("hidden", 64 << 20)?;
    // It mounts another /sys, without them.
    let enter = "exec ip netns exec \"$0\" \"$@\"";
    let own = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--max-flows", "8192"];
    let mut command = std::process::Command::new("sh");
    let script = format!("echo $$ > {}/cgroup.procs && {enter}", group.path.display());
    command.arg("-c").arg(script).arg(lab.b.namespace.name()).arg(binary());
    let agent = Agent::started(command, &own)?;
    agent.pass_intervals(1)?;
    assert!(agent.log().contains("the most memory that the agent will use"), "{}", agent.log());
    assert!(group.peak()? < 64 << 20);
    agent.stop().map(drop)
}

#[test]
fn a_table_that_is_too_large_is_refused_with_the_largest_that_fits() -> Result<()> {
    let Some(lab) =
        Lab::or_skip("a_table_that_is_too_large_is_refused_with_the_largest_that_fits")?
    else {
        return Ok(());
    };
    for (mib, flows, said) in [
        (128, "1000000", "--max-flows 104000 fits"),
        (64, "1000000", "--max-flows 32000 fits"),
        (16, "1000", "raise the limit to 39.0 MB or more"),
    ] {
        let group = Group::new("narrow", mib << 20)?;
        // The kernel decides what happens to it.
        let log = match group.watch(&lab, &["--max-flows", flows]) {
            Ok(agent) => agent.log(),
            Err(error) => format!("{error:#}"),
        };
        if !log.contains(said) {
            bail!("{mib} MiB, {flows} flows: {said:?} is not in {log}");
        }
    }
    // While it verifies programs, the kernel needs more than this.
    let group = Group::new("small", 36 << 20)?;
    let agent = group.watch(&lab, &["--max-flows", "8192"])?;
    many_flows(&lab.a, &lab.b, crate::load(1000, 3))?;
    agent.pass_intervals(2)?;
    let log = agent.stop()?.stderr;
    assert!(log.contains("too low for eBPF") && log.contains("source=\"libpcap"), "{log}");
    Ok(())
}
