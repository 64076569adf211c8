//! Checks of the clock, the memory and the state directory. Owns their limits; refuses to change anything.

use std::fs;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::check::Check;
use crate::input::memory::{Limit, Plan};
use crate::options::cli::RunArgs;
use crate::text::Bytes;

/// A state directory with less free space than this is reported, in bytes.
const LEAST_FREE: u64 = 300_000_000;

pub(super) fn clock() -> Check {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = fs::read_to_string(source).unwrap_or_default();
    let source = source.trim();
    let runs = |name: &str| is_running(name);
    let keeper =
        ["chronyd", "ntpd", "systemd-timesyn", "openntpd"].into_iter().find(|name| runs(name));
    match keeper {
        _ if ["hpet", "acpi_pm", "jiffies"].contains(&source) => Check::costs(
            "clock",
            format!("the clock source is {source}"),
            "reading the time is slow",
            "see dmesg for why the kernel does not trust the processor's counter",
        ),
        Some(keeper) => {
            Check::ok("clock", format!("{keeper} synchronises it; clock source {source}"))
        }
        None => Check::costs(
            "clock",
            format!("no time synchronisation program is running; clock source {source}"),
            "times in alerts and in the history may be wrong, unless a program that is not visible here sets the clock",
            "start chrony or systemd-timesyncd",
        ),
    }
}

/// Whether a process of this name runs.
fn is_running(name: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let comm = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("comm")).ok();
    processes.filter_map(comm).any(|comm| comm.trim() == name)
}

pub(super) fn memory(args: &RunArgs) -> Check {
    let limit = Limit::of_process();
    let plan = Plan::new(args.memory(), limit);
    let need = Bytes(plan.need() as f64);
    match limit {
        Limit::Bytes(bytes) if plan.need() > bytes => Check::fails(
            "memory",
            format!("needs {need}; the control group allows {}", Bytes(bytes as f64)),
            "the kernel may kill the agent",
            "raise the limit, or lower --max-flows",
        ),
        Limit::Bytes(bytes) => Check::ok(
            "memory",
            format!("needs at most {need}; the control group allows {}", Bytes(bytes as f64)),
        ),
        Limit::None => Check::ok("memory", format!("needs at most {need}; there is no limit")),
        Limit::Unknown => {
            Check::ok("memory", format!("needs at most {need}; the limit cannot be read here"))
        }
    }
}

pub(super) fn state_directory(directory: Option<&Path>) -> Check {
    let Some(directory) = directory else {
        return Check::costs(
            "state directory",
            "none",
            "a restart loses baselines, open incidents and waiting alerts, and no history is kept",
            "--state-dir /var/lib/wherefore",
        );
    };
    let shown = directory.display();
    let nearest = directory.ancestors().find(|path| path.exists()).unwrap_or(directory);
    if access(nearest, AccessFlags::W_OK).is_err() {
        return Check::fails(
            "state directory",
            format!("{shown} cannot be written by this user"),
            "nothing survives a restart",
            "run as the user that owns it, or name another --state-dir",
        );
    }
    let free = statvfs(nearest).map(|stat| stat.blocks_available() * stat.fragment_size());
    match free {
        Ok(free) if free < LEAST_FREE => Check::costs(
            "state directory",
            format!("{shown} has only {} free", Bytes(free as f64)),
            "the history and waiting alerts may be lost",
            "make room",
        ),
        Ok(free) => Check::ok("state directory", format!("{shown}, {} free", Bytes(free as f64))),
        Err(error) => Check::costs(
            "state directory",
            format!("{shown}: {error}"),
            "it is not known how much space is free",
            "name an existing directory with --state-dir",
        ),
    }
}
