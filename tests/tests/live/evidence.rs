//! Packet evidence of live traffic, by eBPF and by libpcap: the kept packets are those sent, as
//! tcpdump reads them, and lost ones are counted.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::{METHODS, Scratch};
use wherefore_tests::evidence::{files_with, packet_files, tcpdump, tshark};
use wherefore_tests::lab::frames::{self, Network, Transport};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Family, Lab, wait_until};

use super::{FAMILIES, watch};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Quiet intervals after which every detector judges.
const QUIET: usize = 12;

/// UDP frames from a to b, all different, addressed to nobody so that none is answered.
fn frames(lab: &Lab, family: Family, count: u32, len: usize) -> Vec<Vec<u8>> {
    let network = Network::between(lab.a.address(family), lab.b.address(family));
    let link = lab.a.link_to(&lab.b).to_nobody();
    let frame = |number: u32| {
        let mut payload = vec![0x5a; len];
        payload[..4].copy_from_slice(&number.to_be_bytes());
        // A tag that the kernel keeps aside belongs to the packet too.
        let link = match number % 8 {
            3 => link.clone().vlan(frames::VLAN, 5 | 3 << 13),
            5 => link.clone().vlan(frames::SERVICE_VLAN, 6).vlan(frames::VLAN, 7),
            _ => link.clone(),
        };
        link.frame(&network, &Transport::udp(5001, 5002, payload))
    };
    (0..count).map(frame).collect()
}

/// An agent at b with evidence, and its directories.
struct Kept {
    agent: Agent,
    scratch: Scratch,
}

impl Kept {
    fn start(lab: &Lab, arguments: &[&str]) -> Result<Self> {
        let scratch = Scratch::new();
        let path = |name: &str| scratch.path(name).display().to_string();
        let places = ["-l", &path("incoming"), "--archive-dir", &path("archive")];
        let agent = watch(&lab.b, &[&places, &METHODS[..], arguments].concat())?;
        Ok(Self { agent, scratch })
    }

    fn archive(&self) -> PathBuf {
        self.scratch.path("archive")
    }

    fn incoming(&self) -> PathBuf {
        self.scratch.path("incoming")
    }

    /// The first alert, once it exists.
    fn alert(&self) -> Result<Value> {
        let mut found = None;
        wait_until(PATIENCE, || {
            let alerts = self.agent.alerts().unwrap_or_default().into_iter();
            found = alerts.into_iter().find(|alert| alert["status"] == "firing");
            found.is_some()
        });
        found.with_context(|| format!("no alert:\n{}", self.agent.log()))
    }
}

/// The bytes of all packets of these files.
fn packets(files: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for file in files {
        all.extend(tcpdump(file)?);
    }
    // Those of one moment stay in the order in which they were kept.
    all.sort_by_key(|packet| packet.time_ns);
    Ok(all.into_iter().map(|packet| packet.bytes).collect())
}

fn check_exact(lab: &Lab, family: Family, daq: &[&str]) -> Result<()> {
    let evidence = ["--log-packets", "--evidence-ring", "8MB"];
    let kept = Kept::start(lab, &[&evidence[..], daq].concat())?;
    let early = frames(lab, family, 20, 400);
    send_frames(&lab.a.namespace, &lab.a.device, &early, 1)?;
    kept.agent.pass_intervals(QUIET)?;
    let logged = wait_until(PATIENCE, || !packet_files(&kept.incoming()).is_empty());
    ensure!(logged, "no packet was logged:\n{}", kept.agent.log());
    // Evidence continues when the options are reloaded.
    kept.agent.signal(Signal::SIGHUP)?;
    let is_read = || kept.agent.log().contains("reloaded the configuration");
    ensure!(wait_until(PATIENCE, is_read), "not read again:\n{}", kept.agent.log());
    let burst = frames(lab, family, 300, 1300);
    send_frames(&lab.a.namespace, &lab.a.device, &burst, 1)?;
    let alert = kept.alert()?;
    let paths: Vec<PathBuf> = serde_json::from_value(alert["evidence"].clone())?;
    // Another alert may have come when the burst was cut in two.
    let (archive, sent) = (kept.archive(), [early, burst].concat());
    let report = kept.agent.stop()?;
    ensure!(!report.stderr.contains("evidence lost"), "{}", report.stderr);
    let logs = files_with(&archive, "pcap");
    ensure!(packets(&logs)? == sent, "{daq:?} {family:?}: other packets in {logs:?}");
    ensure!(paths.iter().all(|path| path.is_file()), "{paths:?} are promised");
    let flight = paths.iter().find(|path| path.extension().is_some_and(|end| end == "pcapng"));
    let flight = flight.with_context(|| format!("no flight recording in {alert}"))?;
    let heads = packets(std::slice::from_ref(flight))?;
    let before_and_since = sent.iter().map(|frame| frame[..frame.len().min(256)].to_vec());
    let expected: Vec<_> = before_and_since.take(heads.len()).collect();
    ensure!(heads.len() > 20, "nothing of the burst in the flight recording");
    ensure!(heads == expected, "{daq:?} {family:?}: other packets in {flight:?}");
    let comments = tshark(flight, "frame.comment")?;
    assert_eq!(comments.first().map(String::as_str), alert["text"].as_str());
    let names = tshark(flight, "frame.interface_name")?;
    assert_eq!(names.first(), Some(&lab.b.device));
    Ok(())
}

#[test]
fn evidence_is_exactly_the_sent_packets() -> Result<()> {
    let Some(lab) = Lab::or_skip("evidence_is_exactly_the_sent_packets")? else { return Ok(()) };
    check_exact(&lab, Family::V4, &["--daq", "ebpf"])?;
    check_exact(&lab, Family::V6, &["--daq", "ebpf"])?;
    check_exact(&lab, Family::V4, &["--attach", "clsact"])?;
    check_exact(&lab, Family::V4, &["--attach", "xdp"])
}

#[test]
fn evidence_by_libpcap_is_exactly_the_sent_packets() -> Result<()> {
    let Some(lab) = Lab::or_skip("evidence_by_libpcap_is_exactly_the_sent_packets")? else {
        return Ok(());
    };
    for family in FAMILIES {
        check_exact(&lab, family, &["--daq", "libpcap"])?;
    }
    Ok(())
}

#[test]
fn filtered_packets_leave_no_evidence() -> Result<()> {
    let Some(lab) = Lab::or_skip("filtered_packets_leave_no_evidence")? else { return Ok(()) };
    for daq in ["ebpf", "libpcap"] {
        let arguments = ["--daq", daq, "--log-packets", "--filter-ip-cidr", "fd77::/64"];
        let kept = Kept::start(&lab, &arguments)?;
        for family in FAMILIES {
            let some = frames(&lab, family, 50, 100);
            send_frames(&lab.a.namespace, &lab.a.device, &some, 1)?;
        }
        let is_there = || {
            let files = packet_files(&kept.incoming());
            packets(&files).is_ok_and(|bytes| bytes == frames(&lab, Family::V6, 50, 100))
        };
        ensure!(wait_until(PATIENCE, is_there), "{daq}: {:?}", packet_files(&kept.incoming()));
        let incoming = kept.incoming();
        kept.agent.stop()?;
        assert!(packet_files(&incoming).is_empty(), "they expire with the agent");
    }
    Ok(())
}

#[test]
fn only_leftovers_of_a_killed_agent_are_removed() -> Result<()> {
    let Some(lab) = Lab::or_skip("what_a_killed_agent_left_is_removed")? else { return Ok(()) };
    let scratch = Scratch::new();
    let incoming = scratch.path("incoming");
    let path = incoming.display().to_string();
    let arguments = ["--log-packets", "-l", &path];
    let killed = watch(&lab.b, &arguments)?;
    send_frames(&lab.a.namespace, &lab.a.device, &frames(&lab, Family::V4, 9, 10), 1)?;
    ensure!(wait_until(PATIENCE, || packet_files(&incoming).len() == 1), "{}", killed.log());
    killed.kill()?;
    assert_eq!(packet_files(&incoming).len(), 1);
    fs::write(incoming.join("mine.0.pcap"), "")?;
    let next = watch(&lab.b, &arguments)?;
    let is_mine = || packet_files(&incoming) == [incoming.join("mine.0.pcap")];
    ensure!(wait_until(PATIENCE, is_mine), "{:?}\n{}", packet_files(&incoming), next.log());
    // Two agents would take each other's files for those of a killed one.
    let second = watch(&lab.b, &arguments);
    let error = format!("{:#}", second.err().context("two agents in one directory")?);
    ensure!(error.contains("another wherefore logs packets to"), "{error}");
    next.stop().map(drop)
}

#[test]
fn packets_lost_in_a_flood_are_counted() -> Result<()> {
    let Some(lab) = Lab::or_skip("packets_lost_in_a_flood_are_counted")? else {
        return Ok(());
    };
    // The moment at which the agent is stopped decides whether its long interval is judged: rarely it is not.
    let first = flood_while_stopped(&lab);
    first.or_else(|_| flood_while_stopped(&lab))
}

fn flood_while_stopped(lab: &Lab) -> Result<()> {
    let arguments = ["--log-packets", "--max-pcap-log-size", "1000", "--daq", "ebpf"];
    let kept = Kept::start(lab, &arguments)?;
    kept.agent.pass_intervals(QUIET)?;
    // Held up for as long as the flood lasts; the kernel's ring holds two thirds of it.
    kept.agent.signal(Signal::SIGSTOP)?;
    let flood = frames(lab, Family::V4, 12_000, 1300);
    send_frames(&lab.a.namespace, &lab.a.device, &flood, 1)?;
    lab.wait_quiet()?;
    kept.agent.signal(Signal::SIGCONT)?;
    kept.alert()?;
    let archive = kept.archive();
    let report = kept.agent.stop()?;
    // Accounting is not touched.
    assert_eq!(report.total("ip")?, 12_000);
    let lost = lost_in_the_kernel(&report.stderr)?;
    let logged = packets(&files_with(&archive, "pcap"))?;
    ensure!(lost > 0, "the flood was too small: {}", report.stderr);
    assert_eq!(logged.len() as u64 + lost, 12_000, "{}", report.stderr);
    assert_eq!(logged, flood[..logged.len()], "the first of the flood are kept");
    Ok(())
}

/// From `evidence lost: 16,975 packets, 16,975 lost in the kernel (ring buffer full)`.
fn lost_in_the_kernel(log: &str) -> Result<u64> {
    let (before, _) = log.split_once(" lost in the kernel").context("nothing was lost")?;
    let number = before.rsplit(' ').next().unwrap_or_default();
    number.replace(',', "").parse().with_context(|| format!("no number in {before}"))
}
