//! Other programs that look at packets, to measure beside. Owns how each is called, and that it ends;
//! refuses to install any: one that is missing is named and left out.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use wherefore_tests::lab::{Namespace, wait_until};

/// How long one may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds after which one is always ended.
const LONGEST: &str = "40";

/// One that reads a capture file to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    program: &'static str,
    /// FILE and DIRECTORY stand for the capture and a place to write to.
    words: &'static [&'static str],
    /// The most packets that it reads, if all would take minutes.
    pub(crate) at_most: Option<u32>,
}

/// Programs that read files.
pub(crate) const READERS: [Reader; 4] = [
    Reader {
        name: "tcpdump -w /dev/null",
        program: "tcpdump",
        words: &["-Z", "root", "-r", "FILE", "-w", "/dev/null"],
        at_most: None,
    },
    Reader {
        name: "softflowd",
        program: "softflowd",
        words: &[
            "-d",
            "-6",
            "-r",
            "FILE",
            "-m",
            "4000000",
            "-n",
            "127.0.0.1:9",
            "-p",
            "DIRECTORY/pid",
            "-c",
            "none",
        ],
        at_most: None,
    },
    Reader {
        name: "nfpcapd",
        program: "nfpcapd",
        words: &["-B", "4194304", "-r", "FILE", "-w", "DIRECTORY"],
        at_most: None,
    },
    Reader {
        name: "tshark -q -z conv,ip",
        program: "tshark",
        words: &["-n", "-q", "-z", "conv,ip", "-c", "50000", "-r", "FILE"],
        at_most: Some(50_000),
    },
];

/// One that watches a device until it is stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watcher {
    pub(crate) name: &'static str,
    program: &'static str,
    /// DEVICE and DIRECTORY are placeholders.
    words: &'static [&'static str],
}

/// Programs that watch devices.
pub(crate) const WATCHERS: [Watcher; 5] = [
    Watcher {
        name: "tcpdump -w /dev/null",
        program: "tcpdump",
        words: &["-Z", "root", "-i", "DEVICE", "-w", "/dev/null"],
    },
    Watcher {
        name: "softflowd",
        program: "softflowd",
        words: &["-d", "-i", "DEVICE", "-n", "127.0.0.1:9", "-p", "DIRECTORY/pid", "-c", "none"],
    },
    Watcher {
        name: "pmacctd",
        program: "pmacctd",
        words: &["-i", "DEVICE", "-P", "memory", "-c", "src_host,dst_host,src_port,dst_port,proto"],
    },
    Watcher { name: "nfpcapd", program: "nfpcapd", words: &["-i", "DEVICE", "-w", "DIRECTORY"] },
    Watcher { name: "nethogs", program: "nethogs", words: &["-t", "DEVICE"] },
];

/// Whether it is installed; reports if it is not.
pub(crate) fn is_there(program: &str) -> bool {
    let mut which = Command::new("sh");
    which.args(["-c", &format!("command -v {program}")]).stdout(Stdio::null());
    let there = which.status().is_ok_and(|status| status.success());
    if !there {
        eprintln!("{program} is not installed: left out");
    }
    there
}

impl Reader {
    pub(crate) fn is_there(&self) -> bool {
        is_there(self.program)
    }

    /// The command that reads this file. (softflowd hangs at times if it has a control socket.)
    pub(crate) fn command(&self, file: &Path, directory: &Path) -> Command {
        // A program that does not end by itself is stopped.
        let mut command = Command::new("timeout");
        command.args([LONGEST, self.program]);
        let file = file.display().to_string();
        command.args(filled(self.words, "FILE", &file, directory));
        command
    }
}

impl Watcher {
    pub(crate) fn is_there(&self) -> bool {
        is_there(self.program)
    }

    /// Starts it in a namespace.
    pub(crate) fn start(
        &self,
        namespace: &Namespace,
        device: &str,
        directory: &Path,
    ) -> Result<Running> {
        // Should the bench be killed, `timeout` ends it.
        let mut command = namespace.command("timeout");
        command.args([LONGEST, self.program]);
        command.args(filled(self.words, "DEVICE", device, directory));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("starting {}", self.name))?;
        let mut running = Running(child);
        // It has a second to open the device; one that could not has ended by then.
        let has_ended = wait_until(Duration::from_secs(1), || running.has_ended());
        ensure!(!has_ended, "{} has ended at once", self.name);
        Ok(running)
    }
}

/// A running watcher; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.0.id()) {
            // One that has ended cannot be signalled.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if !wait_until(PATIENCE, || self.has_ended()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn filled(words: &[&str], name: &str, value: &str, directory: &Path) -> Vec<String> {
    let directory = directory.display().to_string();
    words.iter().map(|word| word.replace(name, value).replace("DIRECTORY", &directory)).collect()
}
