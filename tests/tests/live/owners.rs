//! Every byte has its process: many short-lived ones move bytes in many ways and report it,
//! and agents at both ends name the owners.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::{Agent, Report};
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::{Family, Host, Lab, slowdown_factor, wait_until};

use super::watch_every;

/// Kinds of servers of TCP, and of those who ask them.
const SERVERS: [&str; 5] = ["one", "spawn", "pass", "reuseport", "mptcp"];
/// `mptcp` is Multipath TCP where the kernel has it, otherwise TCP.
const ASKERS: [&str; 7] = ["plain", "mapped", "exec", "spawn", "exit", "thread", "mptcp"];
/// Bytes that an asker sends, each a few more than the one before.
const BYTES: usize = 20_000;

/// Bytes that a connection takes before anything is sent, at most.
const TO_CONNECT: u64 = 400;

/// The longest wait for an interval with an owner.
const PATIENCE: Duration = Duration::from_secs(30);

/// The user of a socket: protocol, its address, the other's.
pub(super) type End = (u8, SocketAddr, SocketAddr);

/// The movers' reports.
#[derive(Default)]
pub(super) struct Truth {
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Truth {
    /// Listens to a process; those that it starts write to the same pipe.
    fn listen(&mut self, pipe: impl Read + Send + 'static) {
        let lines = Arc::clone(&self.lines);
        self.readers.push(std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        }));
    }

    /// The processes of each end, once all have ended: the last one moved everything except the bytes of
    /// connect.
    pub(super) fn read(self) -> Result<BTreeMap<End, Vec<u64>>> {
        for reader in self.readers {
            let _ = reader.join();
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |line: &String| -> Result<(End, u64)> {
            let mut fields = line.split(' ');
            let mut next = || fields.next().context("a line is too short");
            let (pid, protocol) = (next()?.parse()?, next()?.parse()?);
            Ok(((protocol, next()?.parse()?, next()?.parse()?), pid))
        };
        let mut truth: BTreeMap<End, Vec<u64>> = BTreeMap::new();
        for line in lines.iter() {
            let (end, pid) = read(line)?;
            truth.entry(end).or_default().push(pid);
        }
        Ok(truth)
    }
}

/// A server, which ends with its standard input.
pub(super) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    pub(super) address: SocketAddr,
}

impl Server {
    pub(super) fn start(
        host: &Host,
        kind: &str,
        at: SocketAddr,
        truth: &mut Truth,
    ) -> Result<Self> {
        let mut command = host.namespace.command(env!("CARGO_BIN_EXE_mover"));
        command.args(["serve", kind, &at.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address: SocketAddr =
            line.trim().strip_prefix("at ").context("it does not serve")?.parse()?;
        truth.listen(output);
        let input = child.stdin.take();
        Ok(Self { child, input, address })
    }

    pub(super) fn stop(mut self) -> Result<()> {
        drop(self.input.take());
        self.child.wait()?;
        Ok(())
    }
}

pub(super) fn ask(host: &Host, kind: &str, at: SocketAddr, bytes: usize) -> Command {
    let mut command = host.namespace.command(env!("CARGO_BIN_EXE_mover"));
    command.args(["ask", kind, &at.to_string(), &bytes.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Starts these, some at a time, and waits for them.
pub(super) fn run_all(commands: Vec<Command>, truth: &mut Truth) -> Result<()> {
    const AT_ONCE: usize = 8;
    let mut commands = commands.into_iter();
    loop {
        let mut running = Vec::new();
        for mut command in commands.by_ref().take(AT_ONCE) {
            let mut child = command.spawn()?;
            truth.listen(child.stdout.take().context("no output")?);
            running.push(child);
        }
        if running.is_empty() {
            return Ok(());
        }
        for mut child in running {
            ensure!(child.wait()?.success(), "a mover failed");
        }
    }
}

/// The result of the comparison, in bytes.
#[derive(Debug, Default)]
struct Verdict {
    right: u64,
    wrong: u64,
    /// By the agent's reason.
    unattributed: BTreeMap<String, u64>,
    mistakes: Vec<String>,
}

impl Verdict {
    /// Holds the owners of an agent's flows against the truth. Both ends are on this machine.
    fn of(flows: &[Value], truth: &BTreeMap<End, Vec<u64>>) -> Result<Self> {
        let mut verdict = Self::default();
        for flow in flows.iter().filter(|flow| flow.get("proto").is_some()) {
            let bytes = flow["bytes"].as_u64().context("no bytes")?;
            let protocol = u8::try_from(flow["proto"].as_u64().context("no protocol")?)?;
            let address = |ip: &str, port: &str| -> Result<SocketAddr> {
                let ip: IpAddr = flow[ip].as_str().context("no address")?.parse()?;
                Ok(SocketAddr::new(ip, u16::try_from(flow[port].as_u64().context("no port")?)?))
            };
            let (src, dst) = (address("src", "sport")?, address("dst", "dport")?);
            let is_sent = flow["direction"] == "egress";
            let (here, there) = if is_sent { (src, dst) } else { (dst, src) };
            let side = if is_sent { "source" } else { "destination" };
            let named = flow[format!("{side}.process.pid")].as_u64();
            let users = truth.get(&(protocol, here, there));
            let is_right = |named: u64| {
                users.is_some_and(|users| {
                    users.last() == Some(&named) || bytes <= TO_CONNECT && users.contains(&named)
                })
            };
            match (users, named) {
                (Some(_), Some(named)) if is_right(named) => verdict.right += bytes,
                (expected, Some(named)) => {
                    verdict.wrong += bytes;
                    verdict.mistakes.push(format!("{named} is not {expected:?}: {flow}"));
                }
                (_, None) => {
                    let reason = flow["wherefore.unattributed"].as_str().unwrap_or("nothing");
                    *verdict.unattributed.entry(reason.to_owned()).or_default() += bytes;
                    verdict.mistakes.push(format!("nobody: {flow}"));
                }
            }
        }
        Ok(verdict)
    }

    fn all(&self) -> u64 {
        self.right + self.wrong + self.unattributed.values().sum::<u64>()
    }
}

fn flows(agent: &Agent) -> Result<std::path::PathBuf> {
    let [flows, _] = agent.outputs();
    Ok(flows)
}

/// Stops an agent and returns its objects of flows.
pub(super) fn stop(agent: Agent) -> Result<(Vec<Value>, Report)> {
    let path = flows(&agent)?;
    agent.pass_intervals(2)?;
    let text = std::fs::read_to_string(path)?;
    let parse = |line| serde_json::from_str(line).context("not JSON");
    let flows = text.lines().map(parse).collect::<Result<_>>()?;
    Ok((flows, agent.stop()?))
}

/// Has each kind of process ask each kind of server, over IPv4 and IPv6.
pub(super) fn move_much(lab: &Lab, truth: &mut Truth, rounds: usize) -> Result<()> {
    let mut servers = Vec::new();
    let mut commands = Vec::new();
    let mut bytes = BYTES;
    for family in [Family::V4, Family::V6] {
        let any = SocketAddr::new(lab.b.address(family), 0);
        for kind in SERVERS {
            let server = Server::start(&lab.b, kind, any, truth)?;
            for asker in ASKERS {
                for _ in 0..rounds {
                    bytes += 13;
                    commands.push(ask(&lab.a, asker, server.address, bytes));
                }
            }
            if kind == "reuseport" {
                servers.push(Server::start(&lab.b, kind, server.address, truth)?);
            }
            servers.push(server);
        }
        for (server, asker) in [("udp", "udp"), ("udp-sink", "udp-alone")] {
            let server = Server::start(&lab.b, server, any, truth)?;
            for round in 0..rounds {
                commands.push(ask(&lab.a, asker, server.address, 100 + round));
            }
            servers.push(server);
        }
    }
    run_all(commands, truth)?;
    // All reports are complete once the last packets have passed.
    lab.wait_quiet()?;
    servers.into_iter().try_for_each(Server::stop)
}

/// The shares of bytes with the right owner, a wrong one, and none.
pub(super) fn summary(flows: &[Value], truth: &BTreeMap<End, Vec<u64>>) -> Result<String> {
    let verdict = Verdict::of(flows, truth)?;
    let share = |bytes: u64| bytes as f64 * 100.0 / verdict.all() as f64;
    let declared = verdict.unattributed.values().sum();
    let [right, wrong, declared] = [verdict.right, verdict.wrong, declared].map(share);
    let reasons = &verdict.unattributed;
    Ok(format!("{right:.3} % right, {wrong:.3} % wrong, {declared:.3} % declared: {reasons:?}"))
}

fn check(
    name: &str,
    flows: &[Value],
    report: &Report,
    truth: &BTreeMap<End, Vec<u64>>,
) -> Result<()> {
    let verdict = Verdict::of(flows, truth)?;
    let shown: Vec<_> = verdict.mistakes.iter().take(8).collect();
    println!(
        "{name}: {} right, {} wrong, {:?}",
        verdict.right, verdict.wrong, verdict.unattributed
    );
    assert_eq!(verdict.wrong, 0, "{name}: {shown:#?}\n{}", report.stderr);
    // A kernel replies without a socket only if no process has one any more, such as to packets that come
    // after an end; and these replies have few bytes. On a slow processor, more of them are in another interval.
    let declared: u64 = verdict.unattributed.values().sum();
    assert!(
        declared * 200 <= verdict.all() * u64::from(slowdown_factor()),
        "{name}: {verdict:#?}\n{}",
        report.stderr
    );
    Ok(())
}

#[test]
fn every_byte_has_its_process() -> Result<()> {
    let Some(lab) = Lab::or_skip("every_byte_has_its_process")? else { return Ok(()) };
    let rounds = std::env::var("WHEREFORE_OWNER_ROUNDS").map_or(Ok(1), |text| text.parse())?;
    let agents = [
        watch_every("2s", &lab.a, &["--attribution", "kernel"])?,
        watch_every("2s", &lab.b, &["--attribution", "kernel"])?,
    ];
    let mut truth = Truth::default();
    move_much(&lab, &mut truth, rounds)?;
    let [a, b] = agents.map(stop);
    let truth = truth.read()?;
    for (name, found) in [("a", a), ("b", b)] {
        let (flows, report) = found?;
        check(name, &flows, &report, &truth)?;
        assert_sums(&report)?;
    }
    Ok(())
}

/// The bytes of each group, by its source and destination as in `--series`.
fn by_group(series: &Path) -> Result<BTreeMap<(String, String), u64>> {
    let mut groups = BTreeMap::new();
    for line in std::fs::read_to_string(series)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let name = |end: &str| line[end].as_str().map(str::to_owned).context("no name");
        let bytes = line["bytes"].as_u64().context("no bytes")?;
        *groups.entry((name("src")?, name("dst")?)).or_default() += bytes;
    }
    Ok(groups)
}

#[test]
fn groups_of_processes_are_all_bytes() -> Result<()> {
    let Some(lab) = Lab::or_skip("groups_of_processes_are_all_bytes")? else { return Ok(()) };
    let scratch = Scratch::new();
    let series = scratch.path("series");
    let path = series.to_str().context("no path")?;
    let arguments = ["--attribution", "kernel", "--group-by", "process", "--series", path];
    let agent = watch_every("1s", &lab.b, &arguments)?;
    let mut truth = Truth::default();
    let server = Server::start(&lab.b, "one", SocketAddr::new(lab.b.v4.into(), 0), &mut truth)?;
    run_all(vec![ask(&lab.a, "plain", server.address, BYTES)], &mut truth)?;
    // Nothing listens there: the kernel replies.
    let nobody = SocketAddr::new(lab.b.v4.into(), 9);
    lab.a.enter(|| UdpSocket::bind("0.0.0.0:0")?.send_to(&[7; 100], nobody))??;
    lab.wait_quiet()?;
    agent.pass_intervals(2)?;
    server.stop()?;
    let report = agent.stop()?;
    let groups = by_group(&series)?;
    let of = |src: &str, dst: &str| groups.get(&(src.to_owned(), dst.to_owned())).copied();
    assert!(of("*", "mover").is_some_and(|bytes| bytes > BYTES as u64), "{groups:#?}");
    assert!(of("mover", "*").is_some_and(|bytes| bytes > 0), "{groups:#?}");
    // By a socket of its own, which no process uses.
    assert!(of("[kernel]", "*").is_some_and(|bytes| bytes >= 128), "{groups:#?}");
    let in_no_flow = report.attribution()["unattributed"]["no_flow"].as_u64().unwrap_or(0);
    let sum = groups.values().sum::<u64>();
    assert_eq!(sum + in_no_flow, report.total("bytes")?, "{groups:#?}");
    Ok(())
}

/// A process has the socket open, but it never sends or receives.
#[test]
fn a_socket_that_is_only_open_has_its_process() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_socket_that_is_only_open_has_its_process")? else {
        return Ok(());
    };
    let agent = watch_every("1s", &lab.b, &["--attribution", "kernel"])?;
    let mut truth = Truth::default();
    let server = Server::start(&lab.b, "silent", SocketAddr::new(lab.b.v4.into(), 0), &mut truth)?;
    let sender = lab.a.enter(|| UdpSocket::bind("0.0.0.0:0"))??;
    let (path, pid) = (flows(&agent)?, server.child.id());
    let is_named = wait_until(PATIENCE, || {
        let _ = sender.send_to(&[7; 100], server.address);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|flow| {
            flow["dport"] == server.address.port() && flow["destination.process.pid"] == pid
        })
    });
    server.stop()?;
    let report = agent.stop()?;
    assert!(is_named, "{}\n{}", std::fs::read_to_string(&path).unwrap_or_default(), report.stderr);
    Ok(())
}

/// Owned and unattributed bytes are all bytes.
fn assert_sums(report: &Report) -> Result<()> {
    let attribution = report.attribution();
    let owned = attribution["owned_bytes"].as_u64().context("no owned bytes")?;
    let none = attribution["unattributed"].as_object().context("no reasons")?;
    let none: u64 = none.values().filter_map(Value::as_u64).sum();
    assert_eq!(owned + none, report.total("bytes")?, "{attribution}");
    Ok(())
}
