//! The remaining abilities of an attacker who has taken the agent over: system calls made by its own thread.
#![cfg(target_arch = "x86_64")]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, ensure};
use nix::libc;
use nix::sys::signal::Signal;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::inside::Inside;
use wherefore_tests::lab::packets::many_flows;
use wherefore_tests::lab::{Lab, wait_until};

use super::{assert_exact, load, watch};

const EACCES: i64 = -(libc::EACCES as i64);
const ENOSYS: i64 = -(libc::ENOSYS as i64);
/// The process's working directory, as a descriptor.
const HERE: u64 = libc::AT_FDCWD as i64 as u64;

/// Calls that nothing in the agent makes once it counts.
const NEVER: [(&str, i64, [u64; 6]); 7] = [
    ("fork", libc::SYS_fork, [0; 6]),
    ("clone", libc::SYS_clone, [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]),
    ("unshare", libc::SYS_unshare, [libc::CLONE_NEWNS as u64, 0, 0, 0, 0, 0]),
    ("kill", libc::SYS_kill, [1, 0, 0, 0, 0, 0]),
    ("ptrace", libc::SYS_ptrace, [libc::PTRACE_TRACEME as u64, 0, 0, 0, 0, 0]),
    ("load a program", libc::SYS_bpf, [5, 0, 0, 0, 0, 0]),
    ("a socket of virtual machines", libc::SYS_socket, [40, 1, 0, 0, 0, 0]),
];

/// Opens a file to read it.
fn open(inside: &Inside, path: &str) -> Result<i64> {
    open_as(inside, path, libc::O_RDONLY)
}

fn open_as(inside: &Inside, path: &str, flags: i32) -> Result<i64> {
    let place = inside.put(&[path.as_bytes(), &[0]].concat())?;
    let opened = inside.call(libc::SYS_openat, [HERE, place, flags as u64, 0o600, 0, 0])?;
    if opened >= 0 {
        inside.call(libc::SYS_close, [opened as u64, 0, 0, 0, 0, 0])?;
    }
    Ok(opened)
}

/// Connects to, or binds, a TCP port of this host.
fn with_port(inside: &Inside, call: i64, port: u16) -> Result<i64> {
    let socket = [libc::AF_INET as u64, libc::SOCK_STREAM as u64, 0, 0, 0, 0];
    let socket = inside.call(libc::SYS_socket, socket)?;
    ensure!(socket >= 0, "no socket: {socket}");
    let family = (libc::AF_INET as u16).to_ne_bytes();
    let address = [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let address = [&family[..], &port.to_be_bytes(), &address].concat();
    let place = inside.put(&address)?;
    let done = inside.call(call, [socket as u64, place, address.len() as u64, 0, 0, 0])?;
    inside.call(libc::SYS_close, [socket as u64, 0, 0, 0, 0, 0])?;
    Ok(done)
}

#[test]
fn the_sandbox_denies_other_calls_and_the_agent_continues() -> Result<()> {
    let test = "the_sandbox_denies_other_calls_and_the_agent_continues";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let somebody = lab.b.namespace.enter(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))??;
    let port = somebody.local_addr()?.port();
    let scratch = Scratch::new();
    fs::write(scratch.path("secret"), "secret")?;
    let secret = scratch.path("secret").display().to_string();
    let agent = watch(&lab.b, &[])?;
    ensure!(agent.log().contains("entered the sandbox"), "{}", agent.log());
    let inside = Inside::of(agent.process())?;
    let program = inside.call_with(libc::SYS_execve, "/bin/true", [0; 5])?;
    assert_eq!(program, ENOSYS, "a program");
    for (what, call, arguments) in NEVER {
        assert_eq!(inside.call(call, arguments)?, ENOSYS, "{what}");
    }
    for path in [secret.as_str(), "/root", "/home", "/boot", "/var/lib"] {
        assert_eq!(open(&inside, path)?, EACCES, "{path}");
    }
    let made = libc::O_CREAT | libc::O_WRONLY;
    for path in ["/etc/wherefore-was-here", "/usr/wherefore-was-here", "/wherefore-was-here"] {
        assert_eq!(open_as(&inside, path, made)?, EACCES, "{path}");
    }
    for path in ["/etc/hosts", "/proc/self/status", "/usr/share"] {
        ensure!(open(&inside, path)? >= 0, "{path} is not readable");
    }
    if agent.log().contains("TCP ports") {
        assert_eq!(with_port(&inside, libc::SYS_connect, port)?, EACCES, "a connection");
        assert_eq!(with_port(&inside, libc::SYS_bind, 4444)?, EACCES, "a port");
    }
    drop(inside);
    agent.pass_intervals(1)?;
    let before = agent.stop()?;
    ensure!(before.status.success());
    Ok(())
}

#[test]
fn without_the_sandbox_the_same_is_possible() -> Result<()> {
    let test = "without_the_sandbox_the_same_is_possible";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let somebody = lab.b.namespace.enter(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))??;
    let agent = watch(&lab.b, &["--sandbox", "off"])?;
    let inside = Inside::of(agent.process())?;
    ensure!(open(&inside, "/boot")? >= 0);
    ensure!(inside.call(libc::SYS_kill, [1, 0, 0, 0, 0, 0])? != ENOSYS);
    assert_eq!(with_port(&inside, libc::SYS_connect, somebody.local_addr()?.port())?, 0);
    drop(inside);
    agent.stop().map(drop)
}

/// A line of the status of every thread.
fn of_all_threads(agent: &Agent, name: &str) -> Result<Vec<String>> {
    let mut values = Vec::new();
    for thread in fs::read_dir(format!("/proc/{}/task", agent.process()))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        values.push(line.context("no such line")?.trim().to_owned());
    }
    Ok(values)
}

#[test]
fn every_thread_has_dropped_its_privileges() -> Result<()> {
    let test = "every_thread_has_dropped_its_privileges";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let scratch = Scratch::new();
    let state = scratch.path("state").display().to_string();
    let packets = scratch.path("packets");
    std::fs::create_dir(&packets)?;
    let packets = packets.display().to_string();
    let mut options = vec!["--state-dir", &state, "--listen", "127.0.0.1:0"];
    options.extend(["--evidence-ring", "1MB", "--archive-dir", &packets]);
    for daq in ["ebpf", "libpcap"] {
        let agent = watch(&lab.b, &[&options[..], &["--daq", daq]].concat())?;
        agent.pass_intervals(1)?;
        let threads = of_all_threads(&agent, "Seccomp:")?;
        ensure!(threads.len() > 4 && threads.iter().all(|mode| mode == "2"), "{threads:?}");
        let threads = of_all_threads(&agent, "NoNewPrivs:")?;
        ensure!(threads.iter().all(|set| set == "1"), "{threads:?}");
        let most = agent.capabilities()?;
        for thread in of_all_threads(&agent, "CapEff:")? {
            let has = u64::from_str_radix(&thread, 16)?;
            ensure!(has & !most == 0, "{daq}: a thread has {has:x}, the first one {most:x}");
        }
        agent.stop()?;
    }
    Ok(())
}

#[test]
fn in_the_sandbox_outputs_are_rotated_and_options_read_again() -> Result<()> {
    let test = "in_the_sandbox_outputs_are_rotated_and_options_read_again";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let scratch = Scratch::new();
    let (file, log) = (scratch.path("wherefore.toml"), scratch.path("log"));
    fs::write(&file, "loglevel = \"info\"\n")?;
    let path = |path: &std::path::Path| path.display().to_string();
    let agent = watch(&lab.b, &["--config", &path(&file), "-l", &path(&log)])?;
    let rotated = agent.outputs()[0].with_extension("1");
    fs::rename(&agent.outputs()[0], &rotated)?;
    // Like an editor: another file replaces it.
    let next = scratch.path("next");
    fs::write(&next, "loglevel = \"debug\"\n")?;
    fs::rename(&next, &file)?;
    agent.signal(Signal::SIGHUP)?;
    let is_done = wait_until(std::time::Duration::from_secs(10), || {
        agent.log().contains("reloaded the configuration")
    });
    ensure!(is_done && agent.outputs()[0].exists(), "{}", agent.log());
    // Requests that the sandbox denies are refused with the reason.
    fs::write(&file, "sink = [\"alertmanager,url=http://127.0.0.1:9093\"]\n")?;
    agent.signal(Signal::SIGHUP)?;
    let refused = "port [9093]";
    let is_refused =
        wait_until(std::time::Duration::from_secs(10), || agent.log().contains(refused));
    ensure!(is_refused && agent.log().contains("restart the agent"), "{}", agent.log());
    let (device, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    let report = agent.stop()?;
    assert_exact(&report, device[1])
}

#[test]
fn a_command_sink_disables_the_sandbox_and_the_log_has_the_reason() -> Result<()> {
    let test = "a_command_sink_disables_the_sandbox_and_the_log_has_the_reason";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let agent = watch(&lab.b, &["--sink", "command,program=/bin/cat"])?;
    ensure!(agent.log().contains("no sandbox, because a command sink"), "{}", agent.log());
    ensure!(of_all_threads(&agent, "Seccomp:")?.iter().all(|mode| mode == "0"));
    agent.stop().map(drop)
}

#[test]
fn where_landlock_would_hide_owners_it_is_left_out() -> Result<()> {
    let test = "where_landlock_would_hide_owners_it_is_left_out";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    // Owners by /proc take the open files of others, which Landlock would hide.
    let agent = Agent::started(
        lab.b.namespace.command(binary()),
        &["-i", &lab.b.device, "--transfer-interval", "200ms", "--attribution", "proc"],
    )?;
    ensure!(agent.log().contains("cannot restrict files and ports"), "{}", agent.log());
    ensure!(agent.log().contains("by_landlock=\"nothing\""), "{}", agent.log());
    let (device, _) = lab.measure(|| many_flows(&lab.a, &lab.b, load(50, 4)))?;
    assert_exact(&agent.stop()?, device[1])
}
