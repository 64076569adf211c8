//! A virtual machine with a kernel and a file system, and the output of its console. Owns the process, and always
//! ends it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::image::Image;
use super::kernel::Kernel;
use crate::shell;

/// The longest time until the first process runs.
const TO_BOOT: Duration = Duration::from_secs(60);
/// The same with KVM.
const TO_BOOT_BY_KVM: Duration = Duration::from_secs(15);
/// The longest time for all tests.
const IN_ALL: Duration = Duration::from_secs(900);

/// What runs the machine's instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    /// The processor. Some hosts have the device, but it does not work.
    Kvm,
    /// qemu's emulation.
    Tcg,
}

impl Accelerator {
    pub(super) fn of_host() -> Self {
        let opened = File::options().read(true).write(true).open("/dev/kvm");
        if opened.is_ok() { Self::Kvm } else { Self::Tcg }
    }
}

/// The result of a test.
pub(super) struct Outcome {
    /// The exit code, `skipped`, or `absent` if there is no such test.
    code: String,
    pub(super) seconds: u64,
}

impl Outcome {
    pub(super) fn is_passed(&self) -> bool {
        self.code == "0"
    }
}

/// The output of a machine.
#[derive(Default)]
pub(super) struct Run {
    /// The results by the name of the test.
    pub(super) outcomes: BTreeMap<String, Outcome>,
    /// The output of `doctor` and the log of a short run.
    pub(super) log: Vec<String>,
    pub(super) took: Duration,
}

impl Run {
    pub(super) fn failed(&self) -> impl Iterator<Item = &str> {
        let failed = self.outcomes.iter().filter(|(_, outcome)| !outcome.is_passed());
        failed.map(|(test, _)| test.as_str())
    }

    /// Reads a line; returns whether it was the last one.
    fn read(&mut self, line: &str) -> bool {
        let Some((kind, rest)) = line.strip_prefix("VM ").and_then(|line| line.split_once(' '))
        else {
            return line.trim() == "VM over";
        };
        match kind {
            "log" => self.log.push(rest.to_owned()),
            "said" => shell::say(format!("  {rest}")),
            "end" => {
                let mut words = rest.split(' ').map(str::to_owned);
                let (Some(test), Some(code), Some(seconds)) =
                    (words.next(), words.next(), words.next())
                else {
                    return false;
                };
                shell::say(format!("  {test}: {code}, {seconds} s"));
                let seconds = seconds.parse().unwrap_or_default();
                self.outcomes.insert(test, Outcome { code, seconds });
            }
            _ => {}
        }
        false
    }
}

pub(super) struct Machine<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) image: &'a Image,
}

impl Machine<'_> {
    /// Boots the machine and reads its console until it ends. If KVM does not work, emulates the processor, now
    /// and for all further machines.
    pub(super) fn run(&self, accelerator: &mut Accelerator) -> Result<Run> {
        shell::say(format!("booting {}", self.kernel.release));
        if *accelerator == Accelerator::Kvm {
            if let Some(run) = self.attempt(Accelerator::Kvm, TO_BOOT_BY_KVM)? {
                return Ok(run);
            }
            shell::say("KVM does not work: emulating the processor, which takes longer");
            *accelerator = Accelerator::Tcg;
        }
        let run = self.attempt(Accelerator::Tcg, TO_BOOT)?;
        run.with_context(|| format!("{} does not boot", self.kernel.release))
    }

    /// `None` if it does not boot in this time.
    fn attempt(&self, accelerator: Accelerator, to_boot: Duration) -> Result<Option<Run>> {
        let start = Instant::now();
        let mut console = Console::of(self.start(accelerator)?)?;
        let mut unread = Vec::new();
        loop {
            match console.line(to_boot.saturating_sub(start.elapsed())) {
                Some(line) if line.starts_with("VM up") => break,
                Some(line) => unread.push(line),
                None => {
                    unread.iter().for_each(|line| shell::say(format!("  {line}")));
                    return Ok(None);
                }
            }
        }
        let mut run = Run::default();
        while let Some(line) = console.line(IN_ALL.saturating_sub(start.elapsed())) {
            if run.read(&line) {
                run.took = start.elapsed();
                return Ok(Some(run));
            }
        }
        bail!("{} ended before its tests did, or took too long", self.kernel.release)
    }

    fn start(&self, accelerator: Accelerator) -> Result<Child> {
        let accelerator = match accelerator {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg,thread=multi",
        };
        let mut qemu = shell::command("qemu-system-x86_64");
        qemu.args(["-M", "q35", "-accel", accelerator, "-cpu", "max", "-smp", "2", "-m", "2048"]);
        qemu.args(["-display", "none", "-nodefaults", "-serial", "stdio", "-no-reboot"]);
        qemu.arg("-kernel").arg(&self.kernel.program).arg("-initrd").arg(&self.image.file);
        qemu.args(["-append", "console=ttyS0 panic=-1 quiet mitigations=off"]);
        qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        qemu.spawn().context("starting qemu")
    }
}

/// The console of a running machine, line by line.
struct Console {
    machine: Child,
    lines: Receiver<String>,
}

impl Console {
    fn of(mut machine: Child) -> Result<Self> {
        let output = machine.stdout.take().context("the machine has no console")?;
        let (to, lines) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if to.send(text).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self { machine, lines })
    }

    /// The next line; `None` if the machine has ended or prints nothing for so long.
    fn line(&mut self, patience: Duration) -> Option<String> {
        self.lines.recv_timeout(patience).ok()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}
