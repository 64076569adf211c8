//! The privileges of this process. Owns the checks and the use of sudo; refuses to guess: it
//! reads the effective capabilities that the kernel reports.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

const NET_ADMIN: u32 = 12;
const BPF: u32 = 39;
const PERFMON: u32 = 38;

/// The capabilities that watching an interface needs and this process lacks, by name.
pub(crate) fn missing() -> Result<Vec<&'static str>> {
    let held = effective()?;
    let needed = [(NET_ADMIN, "CAP_NET_ADMIN"), (BPF, "CAP_BPF"), (PERFMON, "CAP_PERFMON")];
    Ok(needed.into_iter().filter(|(bit, _)| held >> bit & 1 == 0).map(|(_, name)| name).collect())
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The program through sudo, on the same terminal and with the same environment if sudo's
/// policy permits that.
pub(crate) fn sudo(program: &Path, lacking: &str) -> Result<Command> {
    if shell::find("sudo").is_none() {
        bail!(
            "{} needs {lacking}, which this process lacks, and `sudo` is not installed: \
             run the same command as root",
            program.display()
        );
    }
    shell::say(format!("{} needs {lacking}: using sudo", program.display()));
    let mut sudo = Command::new("sudo");
    sudo.arg(OsStr::new("--")).arg(program);
    Ok(sudo)
}

/// The bits of CapEff.
fn effective() -> Result<u64> {
    let path = "/proc/self/status";
    let status = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
    let mut values = status.lines().filter_map(|line| line.strip_prefix("CapEff:"));
    let bits = values.next().and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    bits.with_context(|| format!("no readable CapEff in {path}"))
}
