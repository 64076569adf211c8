//! The lines to load, written by the agent: replays of the corpus and, as root, a live run between two namespaces. Owns
//! the names of the files in docs/clickhouse.md; refuses to make up a line.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::demo::lab::{Host, Lab};
use crate::{privilege, run, shell, workspace};

/// Captures with alerts and with both versions of IP, and those of a rotated file.
const CAPTURES: [&str; 2] = ["made/quiet-then-burst.pcap.gz", "made/network.pcap"];
const ROTATED: [&str; 2] = ["real/ip6_fragments.pcap", "real/ldap.pcapng"];
/// How long the live run may take to write a flow with its process, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
const PACE: Duration = Duration::from_millis(50);

/// What the agent wrote.
#[derive(Default)]
pub(super) struct Lines {
    /// Flows of all files; those of the second host have its name, which is added while loading.
    pub(super) flows: Vec<Value>,
    pub(super) alerts: Vec<Value>,
    /// The totals of each run.
    pub(super) totals: Vec<Value>,
}

impl Lines {
    /// Writes the files that the document loads.
    pub(super) fn write(folder: &Path) -> Result<Self> {
        let agent = agent()?;
        let mut lines = Self::default();
        let alerts = folder.join("alerts.jsonl");
        let flows = replay(&agent, &CAPTURES, &folder.join("flows.jsonl"), &alerts)?;
        lines.add(flows, None)?;
        lines.alerts = read(&alerts)?;

        let more = folder.join("flows-of-web1.jsonl");
        let of_host = match privilege::is_root() {
            true => live(&agent, &more)?,
            false => {
                shell::say("clickhouse: not root: no live run, and no flow with a process");
                replay(&agent, &ROTATED, &more, &folder.join("more-alerts.jsonl"))?
            }
        };
        lines.add(of_host, Some("web1"))?;

        let rotated = folder.join("flows.jsonl.1");
        let flows = replay(&agent, &ROTATED, &rotated, &folder.join("old-alerts.jsonl"))?;
        lines.add(flows, None)?;
        shell::run(shell::command("gzip").arg(&rotated))?;
        Ok(lines)
    }

    fn add(&mut self, mut lines: Vec<Value>, host: Option<&str>) -> Result<()> {
        let last = lines.pop().context("the agent wrote nothing")?;
        ensure!(last["totals"].is_object(), "the last line has no totals: {last}");
        self.totals.push(last["totals"].clone());
        for mut line in lines {
            if let Some(host) = host {
                line["host"] = host.into();
            }
            self.flows.push(line);
        }
        Ok(())
    }
}

/// The program that `WHEREFORE_BINARY` names, otherwise that of this tree.
fn agent() -> Result<PathBuf> {
    if let Some(binary) = std::env::var_os("WHEREFORE_BINARY") {
        return Ok(std::path::absolute(binary)?);
    }
    run::build_agent()?;
    Ok(workspace::agent())
}

fn replay(agent: &Path, captures: &[&str], flows: &Path, alerts: &Path) -> Result<Vec<Value>> {
    let corpus = workspace::root().join("tests/corpus");
    let mut command = shell::command(agent);
    command.args(["replay", "--config", "none", "--flows"]).arg(flows);
    command.arg("--alerts").arg(alerts).args(["--host-name", "web1", "--alert-label", "team=net"]);
    // Its standard output has intervals, which are not loaded.
    shell::output(command.args(captures.iter().map(|name| corpus.join(name))))?;
    read(flows)
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// Requests and answers between two namespaces, until a flow of this process was written.
fn live(agent: &Path, flows: &Path) -> Result<Vec<Value>> {
    let lab = Lab::new().context("joining two network namespaces")?;
    let mut command = lab.a.command(agent);
    command.args(["run", "--config", "none", "-i", lab.a.device, "--transfer-interval", "1s"]);
    command.arg("--flows").arg(flows).stdout(Stdio::null()).stdin(Stdio::null());
    let mut child = command.spawn().context("starting the agent")?;
    let written = talk(&lab, &mut child, flows);
    let ended = end(&mut child);
    written.and(ended)?;
    read(flows)
}

fn talk(lab: &Lab, child: &mut Child, flows: &Path) -> Result<()> {
    let socket = |host: &Host| -> Result<UdpSocket> {
        Ok(host.enter(|| UdpSocket::bind((host.address, 0)))??)
    };
    let (a, b) = (socket(&lab.a)?, socket(&lab.b)?);
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        a.send_to(&[0; 100], b.local_addr()?)?;
        b.send_to(&[0; 1000], a.local_addr()?)?;
        thread::sleep(PACE);
        let text = fs::read_to_string(flows).unwrap_or_default();
        if ["source", "destination"].iter().all(|end| text.contains(&format!("{end}.process.pid")))
        {
            return Ok(());
        }
        ensure!(child.try_wait()?.is_none(), "the agent ended early: see its log above");
    }
    bail!("no flow of a process in {}", flows.display())
}

/// Asks the agent to stop, and waits for its totals.
fn end(child: &mut Child) -> Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).context("stopping the agent")?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "the agent ended with {status}");
            return Ok(());
        }
        thread::sleep(PACE);
    }
    child.kill()?;
    child.wait()?;
    bail!("the agent did not end by SIGINT")
}
