//! Tests the history as its user sees it: the agent counts real traffic in network namespaces, and
//! `wherefore history` gives the same sums, also after a crash, with a full disk, and while the agent writes.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use wherefore_tests::agent::{Agent, Direction, Flow};
use wherefore_tests::command::{Run, Scratch, binary, run};
use wherefore_tests::lab::traffic::{Datagrams, tcp_transfer, udp_send};
use wherefore_tests::lab::{Family, Lab, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// Received and sent: bytes, then packets.
type Sums = [u64; 4];

fn sums(object: &Value) -> Sums {
    ["in_bytes", "out_bytes", "in_packets", "out_packets"]
        .map(|name| object[name].as_u64().unwrap_or(u64::MAX))
}

/// The history's answer, by one dimension.
fn ask(file: &Path, by: &str) -> Result<Value> {
    let file = file.to_str().context("a path is text")?;
    let run = run(["history", "--json", "--since", "2h", "--by", by, "--history", file]);
    ensure!(run.code == Some(0), "{}", run.stderr);
    Ok(serde_json::from_str(&run.stdout)?)
}

fn total(file: &Path) -> Result<Sums> {
    Ok(sums(&ask(file, "peer")?["total"]))
}

fn lines(answer: &Value) -> BTreeMap<String, Sums> {
    let lines = answer["lines"].as_array().into_iter().flatten();
    lines.map(|line| (line["name"].as_str().unwrap_or_default().to_owned(), sums(line))).collect()
}

/// The sums of `--flows`, by any name of a flow.
fn expected(flows: &[Flow], name: impl Fn(&Flow) -> String) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for flow in flows {
        let sum = sums.entry(name(flow)).or_default();
        let at = usize::from(flow.direction == Direction::Egress);
        sum[at] += flow.volume.bytes;
        sum[at + 2] += flow.volume.packets;
    }
    sums
}

fn all(flows: &[Flow]) -> Sums {
    expected(flows, |_| String::new()).remove("").unwrap_or_default()
}

fn peer(flow: &Flow) -> String {
    let peer = if flow.direction == Direction::Egress { flow.key.dst } else { flow.key.src };
    peer.to_string()
}

fn datagrams(packets: u32) -> Datagrams {
    Datagrams {
        family: Family::V4,
        packets,
        payload: 500,
        source_port: 0,
        target_port: 5300,
        interval: Duration::from_micros(50),
    }
}

fn watch(lab: &Lab, more: &[&str]) -> Result<Agent> {
    let common = ["-i", &lab.b.device, "--transfer-interval", "200ms"];
    Agent::start(&lab.b.namespace, &[&common, more].concat())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn sums_equal_those_of_the_flows() -> Result<()> {
    let Some(lab) = Lab::or_skip("sums_equal_those_of_the_flows")? else { return Ok(()) };
    let scratch = Scratch::new();
    let state = text(&scratch.path("state"));
    let file = scratch.path("state/history.db");
    let agent = watch(&lab, &["--state-dir", &state])?;
    tcp_transfer(&lab.a, &lab.b, Family::V6, 300_000, 2_000_000)?;
    udp_send(&lab.b, &lab.a, datagrams(500))?;
    // It is read while the agent writes.
    let is_there = || total(&file).is_ok_and(|sums| sums[2] > 0 && sums[3] > 500);
    ensure!(wait_until(PATIENCE, is_there), "{:?}", total(&file));
    let report = agent.stop()?;
    let flows = &report.flows;
    assert_eq!(lines(&ask(&file, "peer")?), expected(flows, peer));
    let pair = |flow: &Flow| {
        let (src, dst) = (flow.key.src, flow.key.dst);
        let (local, peer) =
            if flow.direction == Direction::Egress { (src, dst) } else { (dst, src) };
        format!("{local} <-> {peer}")
    };
    assert_eq!(lines(&ask(&file, "pair")?), expected(flows, pair));
    let by_interface = lines(&ask(&file, "interface")?);
    assert_eq!(by_interface, [(lab.b.device.clone(), all(flows))].into());
    let ports = lines(&ask(&file, "port")?);
    let dns = expected(flows, |flow| (flow.key.dport == 5300).to_string());
    assert_eq!(ports.get("udp 5300"), dns.get("true"));
    assert_eq!(total(&file)?, all(flows));
    // The rows left out are summed up in one, and the total stays.
    let few = run(["history", "--csv", "--top", "1", "--by", "pair", "--history", &text(&file)]);
    let rows: Vec<_> = few.succeeded().stdout.lines().map(str::to_owned).collect();
    let bytes = |row: &String| row.split(',').nth(2).and_then(|bytes| bytes.parse::<u64>().ok());
    assert!(rows[2].starts_with("others,"), "{rows:?}");
    assert_eq!(rows.iter().filter_map(bytes).sum::<u64>(), all(flows)[0]);
    Ok(())
}

#[test]
fn a_killed_agent_leaves_a_history_that_is_right_up_to_its_last_commit() -> Result<()> {
    let name = "a_killed_agent_leaves_a_history_that_is_right_up_to_its_last_commit";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let state = text(&scratch.path("state"));
    let file = scratch.path("state/history.db");
    let agent = watch(&lab, &["--state-dir", &state])?;
    let flows = std::thread::scope(|scope| -> Result<_> {
        let load = scope.spawn(|| udp_send(&lab.a, &lab.b, datagrams(60_000)));
        let is_there = || total(&file).is_ok_and(|sums| sums[2] > 1000);
        ensure!(wait_until(PATIENCE, is_there), "nothing is kept: {:?}", total(&file));
        agent.signal(Signal::SIGKILL)?;
        let flows = agent.finish()?.flows;
        load.join().map_err(|_| anyhow::anyhow!("the load panicked"))??;
        Ok(flows)
    })?;
    let mut ends: Vec<_> = flows.iter().map(|flow| flow.interval_end.clone()).collect();
    ends.sort();
    ends.dedup();
    let until = |end: &String| -> Vec<_> {
        flows.iter().filter(|flow| flow.interval_end <= *end).cloned().collect()
    };
    let prefixes: Vec<_> = ends.iter().map(|end| all(&until(end))).collect();
    let kept = total(&file)?;
    // The last interval may be in the history and only half in the file of flows.
    let whole = prefixes.contains(&kept);
    let last = prefixes.last().context("no flows")?;
    ensure!(whole || kept[0] > last[0], "{kept:?} is none of {prefixes:?}");
    // The next agent continues in the same minute, or the next.
    let agent = watch(&lab, &["--state-dir", &state])?;
    udp_send(&lab.a, &lab.b, datagrams(200))?;
    let more = all(&agent.stop()?.flows);
    let sum: Vec<_> = kept.iter().zip(more).map(|(kept, more)| kept + more).collect();
    assert_eq!(total(&file)?.to_vec(), sum);
    Ok(())
}

/// The answer of a history that only this process sees.
fn inside(process: u32, file: &str) -> Result<Sums> {
    let mut nsenter = std::process::Command::new("nsenter");
    nsenter.args(["-m", "-t", &process.to_string(), "--"]).arg(binary());
    nsenter.args(["history", "--json", "--since", "2h", "--history", file]);
    let answer = Run::from(nsenter.stdin(Stdio::null()).output()?);
    ensure!(answer.code == Some(0), "{}", answer.stderr);
    Ok(sums(&serde_json::from_str::<Value>(&answer.stdout)?["total"]))
}

#[test]
fn a_full_disk_loses_nothing_once_there_is_space() -> Result<()> {
    let name = "a_full_disk_loses_nothing_once_there_is_space";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let disk = scratch.path("disk");
    fs::create_dir(&disk)?;
    // The mount is the agent's alone.
    let script = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";
    let mut unshare = lab.b.namespace.command("unshare");
    unshare.args(["-m", "sh", "-c", script]).arg(&disk).arg(binary());
    let file = text(&disk.join("history.db"));
    let common = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--history", &file];
    let agent = Agent::started(unshare, &common)?;
    let seen = PathBuf::from(format!("/proc/{}/root{}", agent.process(), text(&disk)));
    let full = seen.join("full");
    // Until nothing fits any more.
    let filled = fs::write(&full, vec![0; 2 << 20]);
    ensure!(filled.is_err(), "the disk is too large");
    let is_logged = || {
        udp_send(&lab.a, &lab.b, datagrams(20)).is_ok()
            && agent.log().contains("cannot write the history: counting continues")
    };
    ensure!(wait_until(PATIENCE, is_logged), "{}", agent.log());
    fs::remove_file(&full)?;
    let is_over = || agent.log().contains("the history can be written again");
    ensure!(wait_until(PATIENCE, is_over), "{}", agent.log());
    udp_send(&lab.a, &lab.b, datagrams(20))?;
    agent.pass_intervals(2)?;
    let mut kept = [0; 4];
    let flows_file = &agent.outputs()[0];
    // Both are written once an interval.
    let agrees = wait_until(PATIENCE, || {
        let flows = fs::read_to_string(flows_file).unwrap_or_default();
        let objects = flows.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let packets: u64 = objects.filter_map(|object| object["packets"].as_u64()).sum();
        kept = inside(agent.process(), &file).unwrap_or_default();
        packets > 0 && kept[2] + kept[3] == packets
    });
    ensure!(agrees, "{kept:?}");
    assert_eq!(all(&agent.stop()?.flows), kept);
    Ok(())
}

#[test]
fn one_agent_writes_to_a_file_and_a_replay_only_where_it_is_named() -> Result<()> {
    let scratch = Scratch::new();
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/made/network.pcap");
    let file = text(&scratch.path("history.db"));
    let state = text(&scratch.path("state"));
    run(["replay", capture, "--state-dir", &state]).succeeded();
    assert!(!scratch.path("state/history.db").exists());
    run(["replay", capture, "--history", &file]).succeeded();
    let flows = text(&scratch.path("flows"));
    run(["replay", capture, "--flows", &flows]).succeeded();
    let objects = fs::read_to_string(&flows)?;
    let objects = objects.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let bytes: u64 = objects.filter_map(|object| object["bytes"].as_u64()).sum();
    let ask = || run(["history", "--json", "--since", "1990-01-01", "--history", &file]);
    let answer: Value = serde_json::from_str(&ask().succeeded().stdout)?;
    let sum = sums(&answer["total"]);
    assert_eq!(sum[0] + sum[1], bytes);
    // Only the process with the lock may write.
    let lock = fs::File::options().write(true).open(format!("{file}.lock"))?;
    lock.lock()?;
    let other = run(["replay", capture, "--history", &file]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("another agent writes to"), "{}", other.stderr);
    assert_eq!(ask().code, Some(0));
    Ok(())
}

#[test]
fn an_impossible_query_is_an_error() {
    let scratch = Scratch::new();
    let missing = text(&scratch.path("none.db"));
    let absent = run(["history", "--history", &missing]);
    assert_eq!(absent.code, Some(1));
    assert!(absent.stderr.contains("cannot read the history"), "{}", absent.stderr);
    let time = run(["history", "--since", "soon", "--history", &missing]);
    assert_eq!(time.code, Some(2));
    assert!(time.stderr.contains("--since soon: not a time"), "{}", time.stderr);
    let other = scratch.path("other.db");
    fs::write(&other, "this is no history, but long enough to look like a file of something")
        .unwrap();
    let other = run(["history", "--history", &text(&other)]);
    assert_eq!(other.code, Some(1), "{}", other.stderr);
}

/// A user who may only read the file can read it: no agent runs, and no file can be created beside it.
#[test]
fn a_history_is_read_without_privilege() {
    if !nix::unistd::geteuid().is_root() {
        wherefore_tests::skip("a_history_is_read_without_privilege", "not root");
        return;
    }
    let scratch = Scratch::new();
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/made/network.pcap");
    let file = scratch.path("history.db");
    run(["replay", capture, "--history", &text(&file)]).succeeded();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let program = scratch.path("wherefore");
    fs::copy(binary(), &program).unwrap();
    let mut nobody = std::process::Command::new("setpriv");
    nobody.args(["--reuid", "65534", "--clear-groups"]).arg(&program);
    nobody.args(["history", "--since", "1990-01-01", "--history"]).arg(&file);
    let answer = Run::from(nobody.stdin(Stdio::null()).output().unwrap()).succeeded();
    assert!(answer.stdout.contains("total"), "{}", answer.stdout);
}
