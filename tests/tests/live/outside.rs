//! Problems outside the agent: readers that stall, a lack of descriptors, an unusable state
//! directory. Counting continues.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::stat::Mode;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::packets::many_flows;
use wherefore_tests::lab::{Host, Lab};

use super::{assert_exact, load, watch};

/// The agent in a host's namespace, started by a shell that does something before.
fn after(host: &Host, before: &str) -> Command {
    let mut command = host.namespace.command("/bin/sh");
    command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(binary());
    command
}

#[test]
fn an_unread_log_delays_nothing() -> Result<()> {
    let test = "an_unread_log_delays_nothing";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let scratch = Scratch::new();
    let fifo = scratch.path("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU)?;
    // Holds it open, and never reads; it has room for less than the agent logs at its start.
    let mut options = File::options();
    let reader = options.read(true).write(true).custom_flags(nix::libc::O_NONBLOCK).open(&fifo)?;
    fcntl(&reader, FcntlArg::F_SETPIPE_SZ(4096))?;
    while std::io::Write::write(&mut &reader, b"full\n").is_ok() {}
    let command = after(&lab.b, &format!("exec 2>{}", fifo.display()));
    let interval = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--loglevel", "debug"];
    let agent = Agent::spawn(command, &interval)?;
    agent.pass_intervals(2)?;
    let (device, sent) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    agent.pass_intervals(2)?;
    let report = agent.stop()?;
    assert_eq!(report.total("frames")?, device[1].rx_packets + device[1].tx_packets);
    ensure!(sent.frames == 200);
    Ok(())
}

/// Makes this many interfaces.
fn interfaces(host: &Host, number: u32) -> Result<()> {
    let pair = |n| {
        format!(
            "link add lots{n} type veth peer name peer{n}\nlink set lots{n} up\nlink set peer{n} up\n"
        )
    };
    host.namespace.ip_batch(&(0..number / 2).map(pair).collect::<String>())
}

#[test]
fn more_interfaces_than_the_soft_limit_has_descriptors_for_are_counted() -> Result<()> {
    let test = "more_interfaces_than_the_soft_limit_has_descriptors_for_are_counted";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    interfaces(&lab.b, 40)?;
    let agent = Agent::spawn(
        after(&lab.b, "ulimit -Sn 64"),
        &["-i", "any", "--transfer-interval", "200ms"],
    )?;
    agent.pass_intervals(1)?;
    let report = agent.stop()?;
    ensure!(!report.stderr.contains("not counted"), "{}", report.stderr);
    Ok(())
}

#[test]
fn without_file_descriptors_the_agent_continues_and_logs_why() -> Result<()> {
    let test = "without_file_descriptors_the_agent_continues_and_logs_why";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let few = after(&lab.b, "ulimit -Sn 100; ulimit -Hn 100");
    let sink = "command,program=/bin/cat";
    let options = ["-i", "any", "--transfer-interval", "200ms", "--sink", sink];
    let agent = Agent::spawn(few, &options)?;
    agent.pass_intervals(1)?;
    // They come while it runs.
    interfaces(&lab.b, 60)?;
    agent.pass_intervals(3)?;
    let (device, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    agent.pass_intervals(2)?;
    let report = agent.stop()?;
    let mut lines = report.stderr.lines().filter(|line| line.contains("not counted"));
    let line = lines.find(|line| line.contains("lots")).context("all are counted")?;
    let limit = "the limit of 100 open files (ulimit -n) is reached";
    ensure!(line.contains(limit) && line.contains("LimitNOFILE"), "{line}");
    ensure!(report.total("frames")? >= device[1].rx_packets, "{}", report.stderr);
    Ok(())
}

/// Whatever needs the first descriptor that there is not: a map, a socket of libpcap, a thread.
#[test]
fn at_the_start_the_limit_of_descriptors_is_named() -> Result<()> {
    let test = "at_the_start_the_limit_of_descriptors_is_named";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    for limit in [10, 16, 22] {
        let mut few = after(&lab.b, &format!("ulimit -Sn {limit}; ulimit -Hn {limit}"));
        let run = few.args(["run", "-i", "any", "--duration", "1s"]).output()?;
        let log = String::from_utf8_lossy(&run.stderr);
        let says = format!("the limit of {limit} open files (ulimit -n) is reached");
        ensure!(log.contains(&says), "{limit}: {log}");
    }
    Ok(())
}

#[test]
fn an_unusable_state_directory_delays_nothing() -> Result<()> {
    let test = "an_unusable_state_directory_delays_nothing";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let scratch = Scratch::new();
    std::fs::write(scratch.path("file"), "")?;
    let below = scratch.path("file/state").display().to_string();
    let agent = watch(&lab.b, &["--state-dir", &below, "--sink", "command,program=/bin/cat"])?;
    let (device, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    let report = agent.stop()?;
    ensure!(report.stderr.contains("cannot use the state directory"), "{}", report.stderr);
    ensure!(report.stderr.contains("cannot open the spool"), "{}", report.stderr);
    assert_exact(&report, device[1])
}

#[test]
fn a_full_disk_delays_nothing() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_full_disk_delays_nothing")? else { return Ok(()) };
    let agent = watch(&lab.b, &["--series", "/dev/full"])?;
    let (device, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    agent.pass_intervals(3)?;
    let report = agent.stop()?;
    ensure!(report.stderr.contains("lines of an output were lost"), "{}", report.stderr);
    assert_exact(&report, device[1])
}
