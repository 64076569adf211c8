//! The agent as its user runs it: the built program, started inside a namespace, with its output.
//!
//! Owns the processes it starts: none outlives its [`Agent`] by more than [`LONGEST`]. Refuses to
//! judge what the agent counted; that is for the tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde_json::Value;

use crate::command::{Scratch, binary, without_variables_of_tests};
use crate::lab::{Namespace, wait_until};

/// How long the agent may take to attach, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this time an agent ends by itself, in case its test was killed.
const LONGEST: &str = "120s";

/// A running agent; dropping it kills it.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    stdout: Gathered,
    stderr: Gathered,
    directory: Scratch,
}

impl Agent {
    /// Runs the agent in a namespace and waits until it counts. Its flows and alerts go to files.
    pub fn start(namespace: &Namespace, arguments: &[&str]) -> Result<Self> {
        Self::started(namespace.command(binary()), arguments)
    }

    /// Starts any command that becomes the agent, and waits until it counts.
    pub fn started(command: Command, arguments: &[&str]) -> Result<Self> {
        let mut agent = Self::spawn(command, arguments)?;
        let mut is_over = false;
        wait_until(PATIENCE, || {
            is_over = !matches!(agent.child.try_wait(), Ok(None));
            is_over || agent.log().contains(" counting ")
        });
        // Its last messages may not have arrived yet.
        ensure!(!is_over, "{arguments:?}: the agent ended:\n{}", agent.stderr.all());
        ensure!(
            agent.log().contains(" counting "),
            "{arguments:?}: not counting:\n{}",
            agent.log()
        );
        Ok(agent)
    }

    /// Starts any command that becomes the agent, with `run` and these arguments.
    pub fn spawn(mut command: Command, arguments: &[&str]) -> Result<Self> {
        let directory = Scratch::new();
        command.args(["run", "--duration", LONGEST]).args(arguments);
        command
            .arg("--flows")
            .arg(directory.path(FLOWS))
            .arg("--alerts")
            .arg(directory.path(ALERTS));
        without_variables_of_tests(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let stdout = Gathered::of(child.stdout.take().context("no stdout")?);
        let stderr = Gathered::of(child.stderr.take().context("no stderr")?);
        Ok(Self { child, stdout, stderr, directory })
    }

    /// Standard error so far.
    pub fn log(&self) -> String {
        self.stderr.text()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The capabilities in effect, as a mask of their numbers.
    pub fn capabilities(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        Ok(u64::from_str_radix(line.context("no capabilities")?.trim(), 16)?)
    }

    /// How many intervals the agent has closed.
    pub fn intervals(&self) -> usize {
        self.stdout.text().matches(r#"{"type":"interval""#).count()
    }

    /// Waits until the agent has closed this many more intervals.
    pub fn pass_intervals(&self, more: usize) -> Result<()> {
        let enough = self.intervals() + more;
        let passed = wait_until(PATIENCE, || self.intervals() >= enough);
        ensure!(passed, "{more} intervals have not passed in {PATIENCE:?}:\n{}", self.log());
        Ok(())
    }

    /// The alerts so far.
    pub fn alerts(&self) -> Result<Vec<Value>> {
        objects(&self.directory.path(ALERTS))
    }

    /// The bytes of all flows so far that this host sent.
    pub fn sent_bytes(&self) -> Result<u64> {
        let flows = objects(&self.directory.path(FLOWS))?;
        let sent = flows.iter().filter(|flow| flow["direction"] == "egress");
        Ok(sent.filter_map(|flow| flow["bytes"].as_u64()).sum())
    }

    /// The files of its flows and alerts.
    pub fn outputs(&self) -> [PathBuf; 2] {
        [FLOWS, ALERTS].map(|name| self.directory.path(name))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        signal::kill(self.pid()?, signal).context("signalling the agent")
    }

    /// Stops the child of a command that waits for it, and returns its counts.
    pub fn stop_child(self) -> Result<Report> {
        let pid = self.pid()?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let child = children.split_whitespace().next().context("the agent has ended")?;
        signal::kill(Pid::from_raw(child.parse()?), Signal::SIGINT)
            .context("signalling the agent")?;
        self.finish()
    }

    /// Stops it by SIGINT and returns its counts.
    pub fn stop(self) -> Result<Report> {
        self.stop_by(Signal::SIGINT)
    }

    /// Stops it by a signal and returns its counts, unless it ends in failure.
    pub fn stop_by(self, with: Signal) -> Result<Report> {
        self.signal(with)?;
        let report = self.finish()?;
        ensure!(report.status.success(), "{}:\n{}", report.status, report.stderr);
        Ok(report)
    }

    /// Ends it without giving it a chance to clean up.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("killing the agent")?;
        self.child.wait().context("waiting for the agent").map(drop)
    }

    /// Waits until it ends; something else must cause this.
    pub fn finish(mut self) -> Result<Report> {
        let start = Instant::now();
        let mut ended = None;
        wait_until(PATIENCE, || {
            ended = self.child.try_wait().transpose();
            ended.is_some()
        });
        let took = start.elapsed();
        let Some(status) = ended.transpose()? else {
            bail!("the agent goes on after {PATIENCE:?}:\n{}", self.log());
        };
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        let alerts = self.alerts()?;
        Report::read(&self.directory, status, took, [stdout, stderr], alerts)
    }

    fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const FLOWS: &str = "flows.jsonl";
const ALERTS: &str = "alerts.jsonl";

/// Data that a process writes to a pipe. A thread collects it, so that the pipe is never full.
#[derive(Debug)]
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Gathered {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = bytes.clone();
        let gather = move || {
            let mut chunk = [0; 4096];
            while let Ok(size @ 1..) = pipe.read(&mut chunk) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend(&chunk[..size]);
            }
        };
        Self { bytes, thread: Some(std::thread::spawn(gather)) }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// All data, once the process has ended.
    fn all(&mut self) -> String {
        // The thread cannot panic, and its data exists in any case.
        let _ = self.thread.take().map(JoinHandle::join);
        self.text()
    }
}

/// The direction of a flow in the agent's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Received.
    Ingress,
    /// Sent.
    Egress,
    /// Captures do not record it.
    Unknown,
}

/// The key of a flow: source, destination, ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// IP protocol number.
    pub proto: u8,
    /// Sender.
    pub src: IpAddr,
    /// Sender's port.
    pub sport: u16,
    /// Receiver.
    pub dst: IpAddr,
    /// Receiver's port.
    pub dport: u16,
}

/// How much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// Packets on the wire.
    pub packets: u64,
    /// Bytes of the IP layer.
    pub bytes: u64,
    /// Bytes of the link layer.
    pub frame_bytes: u64,
}

impl std::ops::AddAssign for Volume {
    fn add_assign(&mut self, more: Self) {
        self.packets += more.packets;
        self.bytes += more.bytes;
        self.frame_bytes += more.frame_bytes;
    }
}

/// A flow in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Which way.
    pub direction: Direction,
    /// The direction.
    pub key: Key,
    /// Its volume.
    pub volume: Volume,
    /// The end of the interval.
    pub interval_end: String,
    /// The times of its first and its last packet in the interval.
    pub times: [String; 2],
}

/// The device's counters and the agent's, in one direction, as (bytes, packets).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The agent's counts.
    pub counted: (u64, u64),
    /// The device's counts.
    pub device: (u64, u64),
    /// By how many bytes the two may differ.
    pub uncertain: u64,
}

/// The output of an agent.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub status: ExitStatus,
    /// How long it was waited for.
    pub took: Duration,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Its flows, once for each interval in which they had traffic.
    pub flows: Vec<Flow>,
    /// Its alerts.
    pub alerts: Vec<Value>,
    /// The object with the totals and the interfaces; null if the agent wrote none.
    last: Value,
}

impl Report {
    fn read(
        directory: &Scratch,
        status: ExitStatus,
        took: Duration,
        [stdout, stderr]: [String; 2],
        alerts: Vec<Value>,
    ) -> Result<Self> {
        let mut objects = objects(&directory.path(FLOWS))?;
        let last = objects.pop_if(|object| object.get("totals").is_some()).unwrap_or(Value::Null);
        let flows = objects.iter().map(Flow::read).collect::<Option<_>>();
        let flows = flows.context("a flow lacks a field")?;
        Ok(Self { status, took, stdout, stderr, flows, alerts, last })
    }

    /// One of the totals.
    pub fn total(&self, name: &str) -> Result<u64> {
        let total = self.last["totals"][name].as_u64();
        total.with_context(|| format!("no total {name} in {}", self.last))
    }

    /// The owners of the run's bytes, in the totals.
    pub fn attribution(&self) -> &Value {
        &self.last["attribution"]
    }

    /// The flows of one direction, over all intervals.
    pub fn sums(&self, direction: Direction) -> BTreeMap<Key, Volume> {
        let mut sums = BTreeMap::new();
        for flow in self.flows.iter().filter(|flow| flow.direction == direction) {
            *sums.entry(flow.key).or_default() += flow.volume;
        }
        sums
    }

    /// The agent's and the device's counts of the only interface.
    pub fn comparison(&self, direction: Direction) -> Result<Comparison> {
        let name = if direction == Direction::Egress { "egress" } else { "ingress" };
        let side = &self.last["interfaces"][0][name];
        let pair = |who: &str| {
            let field = |what| side[format!("{who}_{what}")].as_u64();
            Some((field("bytes")?, field("packets")?))
        };
        let uncertain = side["uncertain_bytes"].as_u64();
        let read = || {
            Some(Comparison {
                counted: pair("counted")?,
                device: pair("interface")?,
                uncertain: uncertain?,
            })
        };
        read().with_context(|| format!("no {name} in {}", self.last))
    }
}

impl Flow {
    fn read(object: &Value) -> Option<Self> {
        let number = |name: &str| object[name].as_u64();
        let port = |name| number(name).and_then(|port| port.try_into().ok());
        let address = |name: &str| object[name].as_str()?.parse().ok();
        let direction = match object["direction"].as_str()? {
            "ingress" => Direction::Ingress,
            "egress" => Direction::Egress,
            _ => Direction::Unknown,
        };
        Some(Self {
            direction,
            key: Key {
                proto: number("proto")?.try_into().ok()?,
                src: address("src")?,
                sport: port("sport")?,
                dst: address("dst")?,
                dport: port("dport")?,
            },
            volume: Volume {
                packets: number("packets")?,
                bytes: number("bytes")?,
                frame_bytes: number("frame_bytes")?,
            },
            interval_end: object["interval_end"].as_str()?.to_owned(),
            times: [object["first"].as_str()?.to_owned(), object["last"].as_str()?.to_owned()],
        })
    }
}

/// The objects of a file of JSON Lines; none if there is no such file.
fn objects(path: &Path) -> Result<Vec<Value>> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Vec::new()) };
    // The last line may be incomplete.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"));
    whole.lines().map(parse).collect()
}
