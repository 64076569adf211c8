//! Reads facts about a process from `/proc`: name, program, user, cgroup. Owns this reading; refuses to
//! confuse a process with an earlier one that had the same number.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Nanoseconds of one tick, the unit of times in `/proc`: 1/100 s on every Linux machine.
const TICK_NS: u64 = 10_000_000;

/// A process as `/proc` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProcessFacts {
    /// Start time, in ticks since boot.
    pub(super) started: u64,
    pub(super) name: String,
    pub(super) executable: Option<String>,
    pub(super) uid: u32,
    /// Its path in the unified hierarchy, or otherwise in systemd's own hierarchy.
    pub(super) cgroup: Option<String>,
}

static PROC: LazyLock<PathBuf> = LazyLock::new(|| PathBuf::from("/proc"));

fn file(pid: u32, name: &str) -> PathBuf {
    PROC.join(pid.to_string()).join(name)
}

/// Converts nanoseconds to ticks.
pub(super) fn ticks(started_ns: u64) -> u64 {
    started_ns / TICK_NS
}

/// Converts ticks to nanoseconds.
pub(super) fn nanoseconds(ticks: u64) -> u64 {
    ticks.saturating_mul(TICK_NS)
}

/// Reads the process that currently has this number.
pub(super) fn read(pid: u32) -> Option<ProcessFacts> {
    let stat = fs::read(file(pid, "stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (name, started) = name_and_start(&stat)?;
    let status = fs::read(file(pid, "status")).ok()?;
    let uid = uid(&String::from_utf8_lossy(&status))?;
    let executable = fs::read_link(file(pid, "exe")).ok();
    let executable = executable.map(|path| {
        let path = path.to_string_lossy();
        path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned()
    });
    let cgroup = fs::read_to_string(file(pid, "cgroup")).ok().and_then(|text| cgroup(&text));
    // The facts belong together only if the number still stands for the same process.
    let again = String::from_utf8_lossy(&fs::read(file(pid, "stat")).ok()?).into_owned();
    let is_same = name_and_start(&again)?.1 == started;
    is_same.then(|| ProcessFacts { started, name: name.to_owned(), executable, uid, cgroup })
}

/// Its command line, with a space between arguments.
pub(super) fn arguments(pid: u32) -> Option<String> {
    let bytes = fs::read(file(pid, "cmdline")).ok()?;
    let parts = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let line = parts.collect::<Vec<_>>().join(" ");
    let line = line.trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}

/// The name is in parentheses and may itself contain parentheses.
fn name_and_start(stat: &str) -> Option<(&str, u64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    // Field 22 of the line; field 3 is the first one here.
    let started = after.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some((name, started))
}

/// The effective user, who opens files and sockets.
fn uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The path of the cgroup. If no process is in the unified hierarchy, its path is the root for all.
fn cgroup(text: &str) -> Option<String> {
    let of = |prefix: &str| text.lines().find_map(|line| line.strip_prefix(prefix));
    let by_controllers = |named: &str| {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            controllers.split(',').any(|controller| controller == named).then_some(path)
        })
    };
    let unified = of("0::").filter(|path| *path != "/");
    let path = unified.or_else(|| by_controllers("name=systemd").filter(|path| *path != "/"));
    let path = path.or_else(|| by_controllers("memory")).or_else(|| of("0::"))?;
    Some(path.to_owned())
}

/// The numbers of all processes.
pub(super) fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(&*PROC).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The inodes of a process's open sockets.
///
/// # Errors
/// If this agent may not read them, or the process is gone.
pub(super) fn socket_inodes(pid: u32) -> std::io::Result<Vec<u32>> {
    let entries = fs::read_dir(file(pid, "fd"))?;
    let inode = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        let rest = target.to_str()?.strip_prefix("socket:[")?;
        rest.strip_suffix(']')?.parse().ok()
    };
    Ok(entries.flatten().filter_map(inode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_correctly() {
        let pid = std::process::id();
        let seen = read(pid).expect("it is there");
        let path = std::env::current_exe().expect("it has a path");
        assert_eq!(seen.executable.as_deref(), path.to_str());
        assert_eq!(seen.uid, nix::unistd::geteuid().as_raw());
        assert!(seen.started > 0 && !seen.name.is_empty());
        assert!(arguments(pid).expect("it has arguments").contains("wherefore"));
        assert!(all().any(|other| other == pid));
        assert_eq!(read(u32::MAX), None);
    }

    #[test]
    fn names_may_hold_anything() {
        let rest = (4..23).map(|field| field.to_string()).collect::<Vec<_>>().join(" ");
        let stat = format!("7 (a) (b c) S {rest} 24");
        assert_eq!(name_and_start(&stat), Some(("a) (b c", 22)));
        assert_eq!(name_and_start("7 (a"), None);
    }

    #[test]
    fn the_unified_hierarchy_counts_unless_nobody_is_in_it() {
        let v1 = "4:memory:/m\n1:name=systemd:/system.slice/a.service\n";
        assert_eq!(cgroup("0::/x\n").as_deref(), Some("/x"));
        assert_eq!(cgroup(&format!("{v1}0::/\n")).as_deref(), Some("/system.slice/a.service"));
        assert_eq!(cgroup(&format!("{v1}0::/x\n")).as_deref(), Some("/x"));
        assert_eq!(
            cgroup("4:cpu,memory:/docker/1\n1:name=systemd:/\n0::/\n").as_deref(),
            Some("/docker/1")
        );
        assert_eq!(cgroup("0::/\n").as_deref(), Some("/"));
    }
}
