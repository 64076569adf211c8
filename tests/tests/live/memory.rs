//! The agent in control groups with little memory: it stays within its announced memory, and logs what fits.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::many_flows;

/// A mount namespace that has the hierarchy of the memory controller in a folder of its own, so that it does not
/// matter where the host has it, and what is mounted over that. It exists as long as its only process.
struct Mounts {
    process: Child,
    folder: Scratch,
    is_first_version: bool,
}

impl Mounts {
    fn new() -> Result<Self> {
        let folder = Scratch::new();
        // A hierarchy with a number is one of version 1.
        let controllers = fs::read_to_string("/proc/cgroups").unwrap_or_default();
        let hierarchy = |line: &str| {
            let mut words = line.split_whitespace();
            (words.next() == Some("memory")).then(|| words.next() != Some("0"))
        };
        let is_first_version = controllers.lines().find_map(hierarchy).unwrap_or(false);
        let kind = if is_first_version { "cgroup -o memory" } else { "cgroup2" };
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--propagation", "private", "sh", "-c"]);
        unshare.arg(format!("mount -t {kind} none \"$0\" && echo mounted && exec sleep 300"));
        unshare.arg(folder.path("")).stdin(Stdio::null()).stdout(Stdio::piped());
        let process = unshare.spawn().context("starting unshare")?;
        let mut mounts = Self { process, folder, is_first_version };
        let output = mounts.process.stdout.take().context("it has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line == "mounted\n", "the memory controller cannot be mounted as {kind}");
        if !is_first_version {
            // Only where it is missing, so that nothing changes elsewhere.
            let children = mounts.outside().join("cgroup.subtree_control");
            if !fs::read_to_string(&children)?.split_whitespace().any(|one| one == "memory") {
                fs::write(&children, "+memory").context("enabling the memory controller")?;
            }
        }
        Ok(mounts)
    }

    /// The hierarchy for processes that are not in the namespace.
    fn outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(self.inside().strip_prefix("/").expect("scratch folders have absolute paths"))
    }

    /// The hierarchy for processes that are in the namespace.
    fn inside(&self) -> PathBuf {
        self.folder.path("")
    }

    /// A shell that runs these lines in the namespace.
    fn shell(&self, lines: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.process.id()));
        command.args(["--", "sh", "-c", lines]);
        command
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A control group with a limit, removed at the end.
struct Group {
    mounts: Mounts,
    name: String,
}

impl Group {
    fn new(name: &str, limit: u64) -> Result<Self> {
        let mounts = Mounts::new()?;
        let group = Self { mounts, name: format!("wf-{}-{name}", std::process::id()) };
        let path = group.path();
        fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        let first = group.mounts.is_first_version;
        let file = path.join(if first { "memory.limit_in_bytes" } else { "memory.max" });
        fs::write(&file, limit.to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(group)
    }

    fn path(&self) -> PathBuf {
        self.mounts.outside().join(&self.name)
    }

    /// The line of a shell with which it enters the group.
    fn enter(&self) -> String {
        format!("echo $$ > {}/cgroup.procs", self.mounts.inside().join(&self.name).display())
    }

    /// An agent in the group.
    fn watch(&self, lab: &Lab, arguments: &[&str]) -> Result<Agent> {
        let lines = format!("{} && exec nsenter --net=\"$0\" -- \"$@\"", self.enter());
        let mut command = self.mounts.shell(&lines);
        command.arg(lab.b.namespace.path()).arg(binary());
        let own = ["-i", &lab.b.device, "--transfer-interval", "200ms"];
        Agent::started(command, &[&own, arguments].concat())
    }

    /// Bytes at most.
    fn peak(&self) -> Result<u64> {
        let first = self.mounts.is_first_version;
        let file = if first { "memory.max_usage_in_bytes" } else { "memory.peak" };
        let text = fs::read_to_string(self.path().join(file))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(self.path());
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
    // `ip netns exec` mounts another /sys, without them; the shell that waits for the agent still has them.
    let hide = format!("umount {} && exec \"$0\" \"$@\"", group.mounts.inside().display());
    let lines = format!(
        "{} && name=$0 hide=$1 && shift && ip netns exec \"$name\" sh -c \"$hide\" \"$@\"; exit $?",
        group.enter()
    );
    let mut command = group.mounts.shell(&lines);
    command.arg(lab.b.namespace.name()).arg(hide).arg(binary());
    let own = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--max-flows", "8192"];
    let agent = Agent::started(command, &own)?;
    agent.pass_intervals(1)?;
    assert!(agent.log().contains("the most memory that the agent will use"), "{}", agent.log());
    assert!(group.peak()? < 64 << 20);
    agent.stop_child().map(drop)
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
