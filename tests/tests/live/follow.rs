//! Interfaces that appear and vanish while the agent runs: counted and missed bytes together are
//! what the device counted, to the byte.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::net::if_::InterfaceFlags;
use serde_json::Value;
use wherefore_tests::agent::{Agent, Direction, Report};
use wherefore_tests::lab::frames::{Network, Transport};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Counters, Lab, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);
const APPEARED: &str = "interface appeared: counting";
const GONE: &str = "interface is gone";

/// An agent at `a` with short intervals, and its log.
pub(super) struct Follower<'a> {
    pub(super) lab: &'a Lab,
    pub(super) agent: Agent,
}

impl<'a> Follower<'a> {
    pub(super) fn start(lab: &'a Lab, interfaces: &str, path: &[&str]) -> Result<Self> {
        let common = ["-i", interfaces, "--transfer-interval", "200ms"];
        let agent = Agent::start(&lab.a.namespace, &[&common, path].concat())?;
        Ok(Self { lab, agent })
    }

    /// Makes a veth pair, the other end of which is at `b`. That end is up first: the device then
    /// has its queue at once, so that the device counts sent packets, too.
    pub(super) fn make(&self, device: &str, peer: &str) -> Result<()> {
        let b = self.lab.b.namespace.name();
        let add = format!("link add {device} type veth peer name {peer} netns {b}\n");
        self.lab.a.namespace.ip_batch(&add)?;
        self.lab.b.namespace.ip_batch(&format!("link set {peer} up\n"))?;
        self.lab.a.namespace.ip_batch(&format!("link set {device} up\n"))
    }

    /// Waits until the other end can send.
    pub(super) fn wait_running(&self, peer: &str) -> Result<()> {
        let is_running = || {
            let flags = self.lab.b.enter(|| flags_of(peer)).unwrap_or(InterfaceFlags::empty());
            flags.contains(InterfaceFlags::IFF_RUNNING)
        };
        ensure!(wait_until(PATIENCE, is_running), "{peer} does not run");
        Ok(())
    }

    pub(super) fn remove(&self, device: &str) -> Result<()> {
        self.lab.a.namespace.ip_batch(&format!("link del {device}\n"))
    }

    /// Waits until the log has this many lines with these words.
    pub(super) fn wait_for(&self, words: &str, times: usize) -> Result<()> {
        let is_there = || self.agent.log().matches(words).count() >= times;
        ensure!(wait_until(PATIENCE, is_there), "no {times} {words:?} in\n{}", self.agent.log());
        Ok(())
    }

    /// Sends datagrams from the device and to it, as many each way, of one length.
    pub(super) fn send(&self, device: &str, peer: &str, packets: u32) -> Result<()> {
        let (a, b) = (&self.lab.a, &self.lab.b);
        let frame = |payload| {
            let network = Network::between(a.v4.into(), b.v4.into());
            let datagram = Transport::udp(7000, 7001, vec![1; payload]);
            a.link_to(b).to_nobody().frame(&network, &datagram)
        };
        send_frames(&a.namespace, device, &[frame(100)], packets)?;
        send_frames(&b.namespace, peer, &[frame(50)], packets)?;
        Ok(())
    }

    /// The device's counters once they no longer change and the agent has had time to read them.
    pub(super) fn settled(&self, device: &str) -> Result<Counters> {
        let mut last = self.lab.a.namespace.counters(device)?;
        loop {
            self.agent.pass_intervals(2)?;
            let now = self.lab.a.namespace.counters(device)?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
    }
}

fn flags_of(device: &str) -> InterfaceFlags {
    let all = nix::ifaddrs::getifaddrs().into_iter().flatten();
    let of_device = all.filter(|one| one.interface_name == device).map(|one| one.flags);
    of_device.fold(InterfaceFlags::empty(), |all, flags| all | flags)
}

/// Packets that [`Follower::send`] sent, as flows have them.
pub(super) fn datagrams(report: &Report) -> u64 {
    let sent = report.flows.iter().filter(|flow| flow.key.dport == 7001);
    sent.map(|flow| flow.volume.packets).sum()
}

/// Every reading of an interface in the intervals of a run.
pub(super) fn readings(report: &Report, name: &str) -> Result<Vec<Value>> {
    let mut readings = Vec::new();
    for line in report.stdout.lines().filter(|line| line.starts_with(r#"{"type":"interval""#)) {
        let interval: Value = serde_json::from_str(line)?;
        // If there is none, the field is left out.
        let all = interval["interfaces"].as_array().cloned().unwrap_or_default();
        readings.extend(all.into_iter().filter(|reading| reading["interface"] == name));
    }
    Ok(readings)
}

/// One direction of a reading: counted, missed, uncertain.
pub(super) fn side(reading: &Value, direction: &str) -> (u64, u64, u64) {
    let field = |name: &str| reading[direction][name].as_u64().unwrap_or(u64::MAX);
    (field("counted_bytes"), field("missed_bytes"), field("uncertain_bytes"))
}

/// Checks that counted and missed bytes together are what the device counted.
fn assert_whole(reading: &Value, device: Counters) {
    for (direction, bytes) in [("ingress", device.rx_bytes), ("egress", device.tx_bytes)] {
        let (counted, missed, uncertain) = side(reading, direction);
        let difference = bytes.abs_diff(counted + missed);
        assert!(difference <= uncertain, "{direction}: {bytes} at the device, {reading}");
    }
}

fn check_lives(test: &str, interfaces: &str, path: &[&str]) -> Result<()> {
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let follower = Follower::start(&lab, interfaces, path)?;
    let mut devices = Vec::new();
    for life in 1..=2 {
        follower.make("wa0", "wb0")?;
        follower.wait_for(APPEARED, life)?;
        follower.wait_running("wb0")?;
        follower.send("wa0", "wb0", 500)?;
        devices.push(follower.settled("wa0")?);
        follower.remove("wa0")?;
        follower.wait_for(GONE, life)?;
    }
    follower.agent.pass_intervals(4)?;
    assert_eq!(follower.agent.log().matches(GONE).count(), 2, "{}", follower.agent.log());
    let report = follower.agent.stop()?;
    assert!(!report.stderr.contains("differ"), "{}", report.stderr);
    let mut lengths: BTreeMap<u64, u64> = BTreeMap::new();
    for flow in report.flows.iter().filter(|flow| flow.key.dport == 7001) {
        let packet = flow.volume.bytes / flow.volume.packets;
        *lengths.entry(packet).or_default() += flow.volume.packets;
    }
    if path.contains(&"libpcap") {
        let packets: u64 = report.sums(Direction::Unknown).values().map(|sum| sum.packets).sum();
        assert!(packets >= 2000, "{packets} packets of 2000:\n{}", report.stderr);
        return Ok(());
    }
    assert_eq!(lengths, BTreeMap::from([(128, 1000), (78, 1000)]));
    let readings = readings(&report, "wa0")?;
    // The lives are distinguished by the device's end.
    let lives: Vec<_> = readings.split(|reading| reading["gone"] == true).collect();
    let lives = lives.iter().filter_map(|life| life.last());
    assert_eq!(lives.clone().count(), 2, "{readings:?}");
    lives.zip(devices).for_each(|(reading, device)| assert_whole(reading, device));
    Ok(())
}

#[test]
fn tcx_follows_a_device_by_its_name() -> Result<()> {
    check_lives("tcx_follows_a_device_by_its_name", "lo,wa*", &["--attach", "tcx"])
}

#[test]
fn clsact_follows_a_device() -> Result<()> {
    check_lives("clsact_follows_a_device", "wa?", &["--attach", "clsact"])
}

#[test]
fn xdp_follows_a_device() -> Result<()> {
    check_lives("xdp_follows_a_device", "w*", &["--attach", "xdp-generic"])
}

#[test]
fn libpcap_follows_a_device() -> Result<()> {
    check_lives("libpcap_follows_a_device", "wa*", &["--daq", "libpcap"])
}

/// Named, there at the start, removed and made again.
#[test]
fn a_name_is_followed_without_a_pattern() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_name_is_followed_without_a_pattern")? else { return Ok(()) };
    let b = lab.b.namespace.name();
    lab.a.namespace.ip_batch(&format!("link add wn0 type veth peer name wn1 netns {b}\n"))?;
    for path in [&["--daq", "ebpf"][..], &["--daq", "libpcap"]] {
        lab.a.namespace.ip_batch("link set wn0 up\n")?;
        lab.b.namespace.ip_batch("link set wn1 up\n")?;
        let follower = Follower::start(&lab, "wn0", path)?;
        follower.remove("wn0")?;
        follower.wait_for(GONE, 1)?;
        follower.make("wn0", "wn1")?;
        follower.wait_for(APPEARED, 1)?;
        follower.wait_running("wn1")?;
        follower.send("wn0", "wn1", 100)?;
        follower.settled("wn0")?;
        let report = follower.agent.stop()?;
        assert_eq!(datagrams(&report), 200, "{path:?}: {}", report.stderr);
    }
    Ok(())
}

#[test]
fn a_device_without_an_address_is_an_interface_too() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_device_without_an_address_is_an_interface_too")? else {
        return Ok(());
    };
    let mut make = lab.a.namespace.command("ip");
    let made = make.args(["tuntap", "add", "dev", "tn0", "mode", "tun"]).status()?;
    ensure!(made.success(), "no tun device: {made}");
    let options = ["-i", "tn0", "--transfer-interval", "200ms", "--daq", "ebpf"];
    let agent = Agent::start(&lab.a.namespace, &options)?;
    agent.pass_intervals(1)?;
    assert!(agent.log().contains("tn0"), "{}", agent.log());
    agent.stop().map(drop)
}

/// The counts of its first life are read before its second one begins, in an interval that sees both.
#[test]
fn a_device_may_come_back_with_its_number_at_once() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_device_may_come_back_with_its_number_at_once")? else {
        return Ok(());
    };
    let renamed = ["link set wa0 down\nlink set wa0 name xx0\n", "link set xx0 name wa0\n"];
    let b = lab.b.namespace.name();
    let add = format!("link add wa0 index 4711 type veth peer name wb0 netns {b}\n");
    let made_again = ["link del wa0\n", &add];
    for path in [["--attach", "tcx"], ["--attach", "clsact"], ["--daq", "libpcap"]] {
        for ([leave, come_back], said) in [(renamed, "not counted any more"), (made_again, GONE)] {
            lab.a.namespace.ip_batch(&add)?;
            lab.b.namespace.ip_batch("link set wb0 up\n")?;
            lab.a.namespace.ip_batch("link set wa0 up\n")?;
            let common = ["-i", "wa*", "--transfer-interval", "2s"];
            let agent = Agent::start(&lab.a.namespace, &[&common[..], &path].concat())?;
            let follower = Follower { lab: &lab, agent };
            follower.wait_running("wb0")?;
            follower.agent.pass_intervals(1)?;
            follower.send("wa0", "wb0", 50)?;
            lab.a.namespace.ip_batch(leave)?;
            follower.wait_for(said, 1)?;
            lab.a.namespace.ip_batch(come_back)?;
            lab.b.namespace.ip_batch("link set wb0 up\n")?;
            lab.a.namespace.ip_batch("link set wa0 up\n")?;
            follower.wait_for(APPEARED, 1)?;
            follower.wait_running("wb0")?;
            follower.send("wa0", "wb0", 30)?;
            let device = follower.settled("wa0")?;
            let report = follower.agent.stop()?;
            assert_eq!(datagrams(&report), 160, "{path:?}, {said}: {}", report.stderr);
            // Each life has some frames of its own; none is counted twice, and no sum wraps.
            let most = 2 * (device.rx_packets + device.tx_packets) + 100;
            let frames = report.total("frames")?;
            ensure!(frames <= most, "{path:?}, {said}: {frames} frames: {}", report.stderr);
            lab.a.namespace.ip_batch("link del wa0\n")?;
        }
    }
    Ok(())
}

#[test]
fn interface_names_may_have_any_bytes() -> Result<()> {
    let Some(lab) = Lab::or_skip("interface_names_may_have_any_bytes")? else { return Ok(()) };
    for path in [["--daq", "ebpf"], ["--daq", "libpcap"]] {
        let follower = Follower::start(&lab, "any", &path)?;
        let name = OsStr::from_bytes(b"wz\xff");
        for change in [&["add"][..], &["del"]] {
            let mut ip = lab.a.namespace.command("ip");
            ip.arg("link").args(change).arg("dev").arg(name);
            if change == ["add"] {
                ip.args(["type", "veth", "peer", "name", "wz"]);
            }
            ensure!(ip.status()?.success(), "{ip:?}");
            follower.agent.pass_intervals(3)?;
        }
        follower.send("veth-a", "veth-b", 50)?;
        follower.settled("veth-a")?;
        let report = follower.agent.stop()?;
        assert_eq!(datagrams(&report), 100, "{path:?}: {}", report.stderr);
    }
    Ok(())
}

#[test]
fn any_is_every_interface() -> Result<()> {
    let Some(lab) = Lab::or_skip("any_is_every_interface")? else { return Ok(()) };
    for path in [&["--daq", "ebpf"][..], &["--daq", "libpcap"]] {
        let follower = Follower::start(&lab, "any", path)?;
        follower.make("wy0", "wy1")?;
        follower.wait_for(APPEARED, 1)?;
        follower.wait_running("wy1")?;
        follower.send("wy0", "wy1", 50)?;
        follower.send("veth-a", "veth-b", 50)?;
        follower.settled("wy0")?;
        follower.remove("wy0")?;
        follower.wait_for(GONE, 1)?;
        let report = follower.agent.stop()?;
        assert_eq!(datagrams(&report), 200, "{path:?}: {}", report.stderr);
    }
    Ok(())
}

#[test]
fn fifty_devices_come_and_go() -> Result<()> {
    const DEVICES: usize = 50;
    /// Devices that exist at the same time.
    const TOGETHER: usize = 5;
    let Some(lab) = Lab::or_skip("fifty_devices_come_and_go")? else { return Ok(()) };
    let follower = Follower::start(&lab, "wc*", &["--daq", "ebpf"])?;
    let names = |nth| (format!("wc{nth}"), format!("wd{nth}"));
    let mut counters = BTreeMap::new();
    for nth in 0..DEVICES + TOGETHER {
        if let Some((old, _)) = nth.checked_sub(TOGETHER).map(names) {
            counters.insert(old.clone(), follower.lab.a.namespace.counters(&old)?);
            follower.remove(&old)?;
        }
        if nth >= DEVICES {
            continue;
        }
        let (device, peer) = names(nth);
        follower.make(&device, &peer)?;
        // Some of these come too early to be counted, and are declared.
        follower.send(&device, &peer, 20)?;
        follower.wait_for(APPEARED, nth + 1)?;
        for known in nth.saturating_sub(TOGETHER - 1)..=nth {
            let (device, peer) = names(known);
            follower.send(&device, &peer, 40)?;
        }
    }
    follower.wait_for(GONE, DEVICES)?;
    let report = follower.agent.stop()?;
    assert!(!report.stderr.contains("differ"), "{}", report.stderr);
    for (device, counters) in &counters {
        let readings = readings(&report, device)?;
        let last = readings.last().with_context(|| format!("{device} was never read"))?;
        assert_whole(last, *counters);
    }
    let (missed, uncertain) = sums(&report, counters.keys())?;
    let device_bytes: u64 = counters.values().map(|device| device.rx_bytes + device.tx_bytes).sum();
    let counted = report.total("device_bytes")?;
    println!("{device_bytes} bytes at {DEVICES} devices: {counted} counted, {missed} missed");
    assert!(device_bytes.abs_diff(counted + missed) <= uncertain, "{uncertain} are uncertain");
    Ok(())
}

/// Missed and uncertain bytes, over all devices.
fn sums<'a>(report: &Report, devices: impl Iterator<Item = &'a String>) -> Result<(u64, u64)> {
    let mut sums = (0, 0);
    for device in devices {
        let readings = readings(report, device)?;
        for direction in ["ingress", "egress"] {
            let (_, missed, uncertain) =
                readings.last().map_or((0, 0, 0), |reading| side(reading, direction));
            sums = (sums.0 + missed, sums.1 + uncertain);
        }
    }
    Ok(sums)
}

/// After the start, only the capabilities that following needs are kept.
#[test]
fn privileges_are_given_up() -> Result<()> {
    /// Numbers of linux/capability.h.
    const NET_ADMIN: u64 = 1 << 12;
    const BPF: u64 = 1 << 39;
    let Some(lab) = Lab::or_skip("privileges_are_given_up")? else { return Ok(()) };
    for (hook, kept) in
        [("tcx", BPF), ("clsact", BPF | NET_ADMIN), ("xdp-generic", BPF | NET_ADMIN)]
    {
        let follower = Follower::start(&lab, "veth-a,w*", &["--attach", hook])?;
        assert_eq!(follower.agent.capabilities()?, kept, "{hook}");
    }
    Ok(())
}
