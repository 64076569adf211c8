//! Named network namespaces: creation, entry by threads and commands, removal.
//!
//! Owns the names `wf-<pid>-…` under `/run/netns`. Refuses to enter by
//! `ip netns exec`, which remounts `/sys` and so hides bpffs and cgroups from
//! whatever it runs; and never moves a thread that somebody else uses.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns, unshare};

use super::Counters;

/// How the names of all namespaces of the laboratory begin; the pid follows.
pub const PREFIX: &str = "wf-";
/// The mount folder of named namespaces.
const DIRECTORY: &str = "/run/netns";

/// A named network namespace; dropping it deletes the name.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a new namespace, which has nothing but a loopback device that is down.
    pub fn create(name: &str) -> Result<Self> {
        run(Command::new("ip").args(["netns", "add", name]))?;
        Ok(Self { name: name.to_owned() })
    }

    /// The name, as `ip netns list` shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of the namespace.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.name)
    }

    /// Runs `work` on a new thread inside the namespace and returns its value.
    ///
    /// A new thread, because the caller's must not be left in a namespace that
    /// goes away. Sockets opened by `work` stay in the namespace when they leave
    /// the thread. A panic of `work` continues in the caller.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let file =
            File::open(self.path()).with_context(|| format!("opening namespace {}", self.name))?;
        let inside = || setns(&file, CloneFlags::CLONE_NEWNET).map(|()| work());
        let outcome = thread::scope(|scope| scope.spawn(inside).join());
        value_of(outcome).with_context(|| format!("entering namespace {}", self.name))
    }

    /// A command that will run `program` inside the namespace, with the host's mounts.
    ///
    /// `nsenter` replaces itself by the program, so the child's pid is the program's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut net = std::ffi::OsString::from("--net=");
        net.push(self.path());
        let mut command = Command::new("nsenter");
        command.arg(net).arg("--").arg(program);
        command
    }

    /// The kernel's counters of one device.
    pub fn counters(&self, device: &str) -> Result<Counters> {
        self.enter(|| Counters::of(device))?
    }

    /// Sets a sysctl by its path below `/proc/sys`; one the kernel lacks is passed over.
    pub fn sysctl(&self, key: &str, value: &str) -> Result<()> {
        let path = Path::new("/proc/sys").join(key);
        let set = || {
            if path.exists() { fs::write(&path, value) } else { Ok(()) }
        };
        self.enter(set)?.with_context(|| format!("setting {key} to {value}"))
    }

    /// Runs a batch of `ip` commands, one a line, inside the namespace.
    pub fn ip_batch(&self, lines: &str) -> Result<()> {
        let mut ip = self.command("ip");
        feed(ip.args(["-batch", "-"]), lines)
    }
}

impl Drop for Namespace {
    /// Only complains on failure: a panic here, while unwinding, would abort.
    fn drop(&mut self) {
        if let Err(error) = delete(&self.name) {
            eprintln!("laboratory: {error:#}");
        }
    }
}

/// The value of a finished thread; its panic continues in the caller.
pub(super) fn value_of<T>(outcome: thread::Result<T>) -> T {
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs a batch of `ip` commands, one a line, where the caller is.
pub(super) fn ip_batch(lines: &str) -> Result<()> {
    feed(Command::new("ip").args(["-batch", "-"]), lines)
}

/// Runs a command to its end; its failure is an error that quotes its stderr.
pub(super) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// Whether this process may make network namespaces at all; the trial one dies with its thread.
pub(super) fn can_unshare() -> Result<(), String> {
    let trial = thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join();
    match trial {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("no new network namespaces: {error}")),
        Err(_) => Err("the trial thread panicked".to_owned()),
    }
}

/// Deletes the laboratory's namespaces whose process no longer exists.
///
/// Failures are ignored: another laboratory may be doing the same.
pub(super) fn remove_stale() {
    let Ok(entries) = fs::read_dir(DIRECTORY) else {
        return;
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| is_stale(name)) {
        let _ = delete(&name);
    }
}

/// Whether the name is the laboratory's and the process in it is dead.
fn is_stale(name: &str) -> bool {
    let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
    pid.and_then(|pid| pid.parse().ok()).is_some_and(is_dead)
}

/// Whether no such process runs. Asks for its program, which one that has ended
/// but was not yet waited for no longer has.
fn is_dead(pid: u32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe"));
    program.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Deletes a namespace by its name.
fn delete(name: &str) -> Result<()> {
    run(Command::new("ip").args(["netns", "del", name])).map(drop)
}

/// Runs a command with `text` as its standard input.
fn feed(command: &mut Command, text: &str) -> Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    // A failed write means that the command died early: its own output, below, has the reason.
    let _ = child.stdin.take().map(|mut input| input.write_all(text.as_bytes()));
    let output = child.wait_with_output().with_context(|| format!("waiting for {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}: {} in\n{text}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
