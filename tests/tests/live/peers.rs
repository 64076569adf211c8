//! Other programs that name processes, beside the agent on the same traffic:
//! `WHEREFORE_OWNER_ROUNDS=14 cargo test --test live -- --ignored --nocapture owners_beside_other_programs`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::{Host, Lab};

use super::owners::{Truth, move_much, stop, summary};
use super::watch_every;

/// The name of all processes that move bytes.
const MOVER: &str = "mover";

/// A program that prints who moves bytes.
struct Peer {
    name: &'static str,
    arguments: &'static [&'static str],
    /// The bytes for which its output names a process of the test.
    named: fn(&str) -> u64,
}

const PEERS: [Peer; 2] = [
    Peer { name: "nethogs", arguments: &["-t", "-v", "2", "-d", "1"], named: named_by_nethogs },
    Peer {
        name: "bandwhich",
        arguments: &["--raw", "--processes", "--no-resolve", "-i"],
        named: named_by_bandwhich,
    },
];

/// Lines of a program with PID and user, bytes sent and bytes received so far, between tabs:
/// `/usr/bin/mover/811/0`, `30602`, `3470`.
fn named_by_nethogs(output: &str) -> u64 {
    let mut processes: BTreeMap<&str, u64> = BTreeMap::new();
    for line in output.lines() {
        let [who, sent, received] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        let bytes: u64 =
            [sent, received].iter().map(|bytes| bytes.parse::<u64>().unwrap_or(0)).sum();
        if who.contains("/mover/") {
            let most = processes.entry(who).or_default();
            *most = bytes.max(*most);
        }
    }
    processes.values().sum()
}

/// Lines such as `process: <1796079613> "mover" up/down Bps: 96961/10350 connections: 17`, one for each second.
fn named_by_bandwhich(output: &str) -> u64 {
    let of_line = |line: &str| -> Option<u64> {
        let (who, rates) = line.split_once(" up/down Bps: ")?;
        let (up, down) = rates.split(' ').next()?.split_once('/')?;
        who.contains(MOVER).then_some(up.parse::<u64>().ok()? + down.parse::<u64>().ok()?)
    };
    output.lines().filter_map(of_line).sum()
}

/// A running peer.
struct Running {
    child: Child,
    output: PathBuf,
}

impl Peer {
    /// Starts it on a host's device; `None` if it is not installed.
    fn start(&self, host: &Host, scratch: &Scratch) -> Result<Option<Running>> {
        if Command::new(self.name).arg("-h").output().is_err() {
            return Ok(None);
        }
        let output = scratch.path(self.name);
        let mut command = host.namespace.command(self.name);
        command.args(self.arguments).arg(&host.device);
        command.stdin(Stdio::null()).stdout(File::create(&output)?).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("starting {}", self.name))?;
        Ok(Some(Running { child, output }))
    }
}

impl Running {
    fn stop(mut self) -> Result<String> {
        signal::kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGINT)?;
        self.child.wait()?;
        Ok(String::from_utf8_lossy(&fs::read(self.output)?).into_owned())
    }
}

#[test]
#[ignore = "it compares with other programs, and takes a minute"]
fn owners_beside_other_programs() -> Result<()> {
    let Some(lab) = Lab::or_skip("owners_beside_other_programs")? else { return Ok(()) };
    let rounds = std::env::var("WHEREFORE_OWNER_ROUNDS").map_or(Ok(1), |text| text.parse())?;
    let scratch = Scratch::new();
    let agent = watch_every("2s", &lab.a, &["--attribution", "kernel"])?;
    let peers = PEERS.map(|peer| (peer.start(&lab.a, &scratch), peer));
    let mut truth = Truth::default();
    move_much(&lab, &mut truth, rounds)?;
    let (flows, report) = stop(agent)?;
    let truth = truth.read()?;
    let all = report.total("bytes")?;
    println!("{all} bytes, {} sockets", truth.len());
    println!("wherefore: {}", summary(&flows, &truth)?);
    for (running, peer) in peers {
        let Some(running) = running? else {
            println!("{}: not installed", peer.name);
            continue;
        };
        let named = (peer.named)(&running.stop()?);
        println!("{}: {:.1} % named", peer.name, named as f64 * 100.0 / all as f64);
    }
    Ok(())
}
