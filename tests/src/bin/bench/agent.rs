//! The agent as its user runs it, to be measured: the release build, in a namespace of the
//! laboratory. Owns the process, which ends with it or by itself; reads no output except
//! the log.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aya::programs::tc::TcAttachType;
use aya::programs::{ProgramFd, ProgramInfo, SchedClassifier, loaded_programs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wherefore_tests::lab::{Host, Namespace};

use crate::bpf::Hook;

const PATIENCE: Duration = Duration::from_secs(30);
/// After this time it ends by itself, in case the bench was killed.
const LONGEST: &str = "300s";

/// A running agent; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    log: Option<JoinHandle<String>>,
    /// From the command to counting.
    pub(crate) started_in: Duration,
}

/// The program: the one that WHEREFORE_BINARY names, or the one built beside this.
pub(crate) fn program() -> Result<PathBuf> {
    let named = std::env::var_os("WHEREFORE_BINARY").map(PathBuf::from);
    let beside = std::env::current_exe().context("where is this program?")?;
    let path = named.unwrap_or_else(|| beside.with_file_name("wherefore"));
    ensure!(path.exists(), "no {}: build the agent for release", path.display());
    Ok(path)
}

impl Agent {
    /// Runs it and waits until it counts.
    pub(crate) fn start(namespace: &Namespace, arguments: &[String]) -> Result<Self> {
        let mut command = namespace.command(std::path::absolute(program()?)?);
        command.args(["run", "--config", "none", "--duration", LONGEST]).args(arguments);
        wherefore_tests::command::without_variables_of_tests(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let (counting, log) = follow(&mut child)?;
        let is_counting = counting.recv_timeout(PATIENCE).is_ok();
        let mut agent = Self { child, log: Some(log), started_in: start.elapsed() };
        if !is_counting {
            anyhow::bail!("{command:?} does not count:\n{}", agent.end()?);
        }
        Ok(agent)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it; its log.
    pub(crate) fn stop(mut self) -> Result<String> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGINT)?;
        wherefore_tests::lab::wait_until(PATIENCE, || !matches!(self.child.try_wait(), Ok(None)));
        self.end()
    }

    fn end(&mut self) -> Result<String> {
        // One that has ended cannot be killed.
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(self.log.take().and_then(|log| log.join().ok()).unwrap_or_default())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Collects the log; signals when the agent counts.
fn follow(child: &mut Child) -> Result<(Receiver<()>, JoinHandle<String>)> {
    let lines = BufReader::new(child.stderr.take().context("no log")?).lines();
    let (counting, counting_started) = channel();
    let gather = move || {
        let mut log = String::new();
        for line in lines.map_while(Result::ok) {
            if line.contains(" counting ") {
                // Nobody listens any more after the first signal.
                let _ = counting.send(());
            }
            log += &line;
            log.push('\n');
        }
        log
    };
    Ok((counting_started, std::thread::spawn(gather)))
}

/// The packets that it counted, by the last line of its log; an error if some were in no flow.
pub(crate) fn counted(log: &str) -> Result<u64> {
    let line = log.lines().find(|line| line.contains(" packets, ") && line.contains(" of IP, in "));
    let line = line.with_context(|| format!("no sums:\n{log}"))?;
    ensure!(!line.contains("table full"), "too many flows: {line}");
    let before = line.split(" packets, ").next().unwrap_or_default();
    let number = before.rsplit([' ', '"']).next().unwrap_or_default();
    number.replace(',', "").parse().with_context(|| format!("no number of packets: {line}"))
}

/// The program that receives a device's packets, as the kernel runs it.
pub(crate) fn receiving_program(host: &Host, hook: Hook) -> Result<ProgramFd> {
    let info = match hook {
        Hook::Tc => host.enter(|| newest_tcx(&host.device))??,
        Hook::Xdp => xdp(host)?,
    };
    info.fd().context("the program is gone")
}

fn newest_tcx(device: &str) -> Result<ProgramInfo> {
    let (_, programs) = SchedClassifier::query_tcx(device, TcAttachType::Ingress)?;
    programs.into_iter().max_by_key(ProgramInfo::id).context("no program at TCX ingress")
}

/// Only rtnetlink reports it; `ip` shows it as `prog/xdp id 5`.
fn xdp(host: &Host) -> Result<ProgramInfo> {
    let mut ip: Command = host.namespace.command("ip");
    let output = ip.args(["link", "show", "dev", &host.device]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.split("prog/xdp id ").nth(1).and_then(|rest| rest.split(' ').next());
    let number: u32 = number.with_context(|| format!("no XDP program: {text}"))?.trim().parse()?;
    let mut all = loaded_programs().flatten();
    all.find(|program| program.id() == number).context("the program is gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_found_among_other_lines_about_packets() {
        let log = "INFO bytes are attributed by=\"the sockets of packets, in the kernel\"\n\
                   INFO 144,041 packets, 208.7 MB of IP, in 21 intervals, 2 not IP\n";
        assert!(matches!(counted(log), Ok(144_041)));
        assert!(counted("INFO the sockets of packets, in the kernel").is_err());
    }
}
