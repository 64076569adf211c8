//! Resource use: processor time of threads, processes and the whole machine, resident memory. Owns
//! the reading of /proc; refuses to interpret.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// Processor time of the calling thread.
pub(crate) fn thread_seconds() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("no clock")?;
    Ok(Duration::from(time).as_secs_f64())
}

/// Processor time of all living threads of a process.
pub(crate) fn process_seconds(pid: u32) -> Result<f64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("the process has ended")?;
    let nanoseconds = tasks.flatten().filter_map(|task| {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Ok(nanoseconds.sum::<u64>() as f64 / 1e9)
}

/// Processor time of a process and all that it has started.
pub(crate) fn family_seconds(pid: u32) -> Result<f64> {
    let mut seconds = process_seconds(pid)?;
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let pids = children.split_whitespace().flat_map(str::parse);
        // A child may end meanwhile.
        seconds += pids.map(|child| family_seconds(child).unwrap_or(0.0)).sum::<f64>();
    }
    Ok(seconds)
}

/// Processor time of this process, threads that have ended included.
pub(crate) fn own_seconds() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).context("no clock")?;
    Ok(Duration::from(time).as_secs_f64())
}

/// Processor time of the threads that the kernel hands its softirqs to when they are too many.
pub(crate) fn softirq_threads_seconds() -> Result<f64> {
    let processes = fs::read_dir("/proc").context("no /proc")?;
    let pids = processes.flatten().filter_map(|process| {
        let pid = process.file_name().to_str()?.parse::<u32>().ok()?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        name.starts_with("ksoftirqd/").then_some(pid)
    });
    Ok(pids.map(|pid| process_seconds(pid).unwrap_or(0.0)).sum())
}

/// Resident bytes of a process, or of `self`.
pub(crate) fn resident(process: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).context("no such process")?;
    let pages: f64 = text.split_whitespace().nth(1).context("no resident pages")?.parse()?;
    Ok(pages * constant(SysconfVar::PAGE_SIZE)?)
}

/// Seconds that all processors together were busy, interrupts included, since the start.
pub(crate) fn machine_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat").context("no /proc/stat")?;
    let line = text.lines().next().context("nothing in /proc/stat")?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
    // user, nice, system, idle, iowait, irq, softirq: everything except idle.
    let busy = ticks.iter().enumerate().filter(|(at, _)| matches!(at, 0..=2 | 5 | 6));
    Ok(busy.map(|(_, ticks)| ticks).sum::<u64>() as f64 / constant(SysconfVar::CLK_TCK)?)
}

/// Keeps the calling thread on one processor: the last, since the first has most interrupts.
pub(crate) fn stay_on_one_processor() -> Result<()> {
    let count = std::thread::available_parallelism()?.get();
    let mut set = CpuSet::new();
    set.set(count - 1)?;
    sched_setaffinity(Pid::from_raw(0), &set).context("cannot stay on one processor")
}

fn constant(name: SysconfVar) -> Result<f64> {
    Ok(sysconf(name)?.context("the system does not say")? as f64)
}
