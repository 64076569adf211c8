//! The agent as a service: its notifications to the service manager, here a socket of the test.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::{Host, Lab};

/// A manager that takes an agent for hung after this time.
const WATCHDOG: Duration = Duration::from_millis(600);

/// A replacement for the service manager.
struct Manager {
    socket: UnixDatagram,
    scratch: Scratch,
}

impl Manager {
    fn new() -> Result<Self> {
        let scratch = Scratch::new();
        let socket = UnixDatagram::bind(scratch.path("notify"))?;
        Ok(Self { socket, scratch })
    }

    /// Starts an agent that closes an interval a minute.
    fn start(&self, host: &Host, options: &[&str]) -> Result<Agent> {
        let mut command = host.namespace.command(binary());
        command.env("NOTIFY_SOCKET", self.scratch.path("notify"));
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        let common = ["-i", &host.device, "--transfer-interval", "60s"];
        Agent::started(command, &[&common, options].concat())
    }

    /// The next message, unless none comes for so long.
    fn message(&self, patience: Duration) -> Result<Option<String>> {
        let mut text = [0; 1024];
        self.socket.set_read_timeout(Some(patience))?;
        match self.socket.recv(&mut text) {
            Ok(len) => Ok(Some(String::from_utf8_lossy(&text[..len]).into_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The next message with this line; those before it are passed over.
    fn next_with(&self, line: &str) -> Result<String> {
        loop {
            let message = self.message(Duration::from_secs(20))?;
            let message = message.with_context(|| format!("{line} does not come"))?;
            if message.lines().any(|other| other.starts_with(line)) {
                return Ok(message);
            }
        }
    }

    /// How many messages with this line come in this time.
    fn count(&self, line: &str, time: Duration) -> Result<u32> {
        let (start, mut number) = (std::time::Instant::now(), 0);
        while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            let message = self.message(left)?;
            number += u32::from(message.is_some_and(|message| message.contains(line)));
        }
        Ok(number)
    }

    /// Takes all that has come.
    fn drain(&self) -> Result<()> {
        while self.message(Duration::from_millis(1))?.is_some() {}
        Ok(())
    }
}

#[test]
fn the_manager_hears_of_start_reload_and_stop() -> Result<()> {
    let test = "the_manager_hears_of_start_reload_and_stop";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let manager = Manager::new()?;
    let agent = manager.start(&lab.b, &[])?;
    let ready = manager.next_with("READY=1")?;
    ensure!(ready.contains("STATUS=eBPF"), "{ready}");
    agent.signal(Signal::SIGHUP)?;
    let status = manager.next_with("STATUS=")?;
    ensure!(status.contains(" flows, ") && status.contains("0 open incidents"), "{status}");
    let reloading = manager.next_with("RELOADING=1")?;
    ensure!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.next_with("READY=1")?;
    agent.stop()?;
    manager.next_with("STOPPING=1").map(drop)
}

#[test]
fn the_loop_that_reads_the_counters_feeds_the_watchdog() -> Result<()> {
    let test = "the_loop_that_reads_the_counters_feeds_the_watchdog";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let manager = Manager::new()?;
    let agent = manager.start(&lab.b, &[])?;
    manager.next_with("READY=1")?;
    // Intervals are far longer than the manager's patience.
    for _ in 0..5 {
        let beat = manager.message(WATCHDOG)?.context("no beat in time")?;
        ensure!(beat == "WATCHDOG=1\n" || beat == "WATCHDOG=1", "{beat:?}");
    }
    agent.signal(Signal::SIGSTOP)?;
    let status = format!("/proc/{}/stat", agent.process());
    let is_stopped = || std::fs::read_to_string(&status).is_ok_and(|text| text.contains(") T "));
    ensure!(wherefore_tests::lab::wait_until(WATCHDOG, is_stopped), "it does not stop");
    manager.drain()?;
    let beats = manager.count("WATCHDOG=1", 2 * WATCHDOG)?;
    agent.signal(Signal::SIGCONT)?;
    ensure!(beats == 0, "{beats} beats of an agent that is stopped");
    manager.next_with("WATCHDOG=1")?;
    agent.stop().map(drop)
}

#[test]
fn a_crash_leaves_no_core() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_crash_leaves_no_core")? else { return Ok(()) };
    let agent = super::watch(&lab.b, &[])?;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", agent.process()))?;
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let mut words = core.context("no such limit")?.split_whitespace().skip(4);
    ensure!((words.next(), words.next()) == (Some("0"), Some("0")), "{core:?}");
    agent.stop().map(drop)
}
