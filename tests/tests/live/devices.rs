//! Devices: which one is selected, and that our counts equal its own, whatever its
//! kind, its name and its queue.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use wherefore_tests::agent::{Agent, Report};
use wherefore_tests::lab::traffic::{Datagrams, udp_send};
use wherefore_tests::lab::{Family, Lab};

use super::follow::{Follower, datagrams, readings};
use super::watch;

/// Runs a command inside `a`.
fn at_a(lab: &Lab, program: &str, arguments: &str) -> Result<()> {
    let mut command: Command = lab.a.namespace.command(program);
    let status = command.args(arguments.split(' ')).status()?;
    ensure!(status.success(), "{program} {arguments}: {status}");
    Ok(())
}

/// An agent at `a` without a named interface, with a second pair.
fn without_a_name<'a>(lab: &'a Lab, path: &str) -> Result<Follower<'a>> {
    let b = lab.b.namespace.name();
    lab.a.namespace.ip_batch(&format!("link add wa0 type veth peer name wb0 netns {b}\n"))?;
    lab.b.namespace.ip_batch("link set wb0 up\n")?;
    lab.a.namespace.ip_batch(
        "link set wa0 up\n\
         addr add 10.78.0.1/24 dev wa0\n\
         addr add fd78::1/64 dev wa0 nodad\n\
         route add default via 10.77.0.2 dev veth-a metric 100\n\
         route add default via 10.78.0.2 dev wa0 metric 200\n\
         route add default via 10.78.0.2 dev wa0 table 1000\n\
         route add blackhole 0.0.0.0/8\n\
         route add unreachable default metric 300\n",
    )?;
    let agent = Agent::start(&lab.a.namespace, &["--transfer-interval", "200ms", "--daq", path])?;
    Ok(Follower { lab, agent })
}

const MOVED: &str = "the default route now uses this interface";

/// Checks which interface is watched now.
fn assert_watched(follower: &Follower<'_>, moves: usize, device: &str) -> Result<()> {
    follower.wait_for(MOVED, moves)?;
    let log = follower.agent.log();
    let last = log.lines().rfind(|line| line.contains(MOVED)).unwrap_or_default();
    ensure!(last.contains(&format!("interface=\"{device}\"")), "{device}: {log}");
    // The selected one is attached to, and the counts of the other are read.
    follower.agent.pass_intervals(2)
}

fn check_default_route(path: &str) -> Result<()> {
    let Some(lab) = Lab::or_skip("the_default_route_is_followed")? else { return Ok(()) };
    let follower = without_a_name(&lab, path)?;
    follower.agent.pass_intervals(1)?;
    assert!(follower.agent.log().contains("on veth-a"), "{}", follower.agent.log());
    let routes = |lines: &str| lab.a.namespace.ip_batch(lines);
    // Another metric, another address family, and one of several next hops.
    routes("route add default via 10.78.0.2 dev wa0 metric 50\n")?;
    assert_watched(&follower, 1, "wa0")?;
    follower.wait_running("wb0")?;
    follower.send("wa0", "wb0", 30)?;
    follower.send("veth-a", "veth-b", 500)?;
    follower.settled("wa0")?;
    routes(
        "route add ::/0 via fd77::2 dev veth-a\n\
         route del default via 10.78.0.2 dev wa0 metric 200\n\
         route del default via 10.77.0.2 dev veth-a metric 100\n\
         route del default via 10.78.0.2 dev wa0 metric 50\n",
    )?;
    assert_watched(&follower, 2, "veth-a")?;
    // As VPNs do: two routes of half the addresses each, and a table of its own.
    routes(
        "route add default via 10.77.0.2 dev veth-a\n\
         route add 0.0.0.0/1 via 10.78.0.2 dev wa0\n\
         route add 128.0.0.0/1 via 10.78.0.2 dev wa0\n",
    )?;
    assert_watched(&follower, 3, "wa0")?;
    routes("route del 0.0.0.0/1 dev wa0\nroute del 128.0.0.0/1 dev wa0\n")?;
    assert_watched(&follower, 4, "veth-a")?;
    routes(
        "route add default via 10.78.0.2 dev wa0 table 51820\n\
         rule add not fwmark 51820 table 51820\n",
    )?;
    assert_watched(&follower, 5, "wa0")?;
    routes(
        "rule del not fwmark 51820 table 51820\n\
         route replace default nexthop via 10.77.0.2 dev veth-a\n",
    )?;
    assert_watched(&follower, 6, "veth-a")?;
    check_several_next_hops(&follower)?;
    let report = follower.agent.stop()?;
    assert_eq!(datagrams(&report), 60, "{}", report.stderr);
    assert!(!report.stderr.contains("differ"), "{}", report.stderr);
    Ok(())
}

/// Of several equal next hops one is watched, and no other until it fails or is removed, whatever happens to the
/// rest of them.
fn check_several_next_hops(follower: &Follower<'_>) -> Result<()> {
    let (a, b) = (&follower.lab.a.namespace, &follower.lab.b.namespace);
    let stays = |moves| {
        follower.agent.pass_intervals(3)?;
        let log = follower.agent.log();
        ensure!(log.matches(MOVED).count() == moves, "not {moves} moves: {log}");
        Ok(())
    };
    let both =
        "route replace default nexthop via 10.78.0.2 dev wa0 nexthop via 10.77.0.2 dev veth-a";
    a.ip_batch(&format!("{both}\n"))?;
    stays(6)?;
    // The other one is down, and up again: its carrier first, then the device itself.
    for (host, device) in [(b, "wb0"), (a, "wa0")] {
        host.ip_batch(&format!("link set {device} down\n"))?;
        stays(6)?;
        host.ip_batch(&format!("link set {device} up\n"))?;
        a.ip_batch(&format!("{both}\n"))?;
        stays(6)?;
    }
    b.ip_batch("link set veth-b down\n")?;
    assert_watched(follower, 7, "wa0")?;
    b.ip_batch("link set veth-b up\n")?;
    stays(7)?;
    a.ip_batch("route replace default nexthop via 10.77.0.2 dev veth-a\n")?;
    assert_watched(follower, 8, "veth-a")?;
    a.ip_batch(&format!("{both}\nlink set veth-a down\n"))?;
    assert_watched(follower, 9, "wa0")
}

#[test]
fn the_default_route_is_followed() -> Result<()> {
    check_default_route("ebpf")
}

#[test]
fn libpcap_follows_the_default_route() -> Result<()> {
    check_default_route("libpcap")
}

#[test]
fn other_names_name_an_interface() -> Result<()> {
    const NAME: &str = "an-other-name-of-this-interface";
    let Some(lab) = Lab::or_skip("other_names_name_an_interface")? else { return Ok(()) };
    at_a(&lab, "ip", &format!("link property add dev veth-a altname {NAME}"))?;
    for (name, path) in [(NAME, "ebpf"), ("an-other-*", "libpcap")] {
        let follower = Follower::start(&lab, name, &["--daq", path])?;
        follower.send("veth-a", "veth-b", 20)?;
        follower.settled("veth-a")?;
        let report = follower.agent.stop()?;
        assert_eq!(datagrams(&report), 40, "{path}: {}", report.stderr);
    }
    Ok(())
}

/// Two names change places while packets pass: each device keeps its counters.
#[test]
fn counters_stay_with_their_device() -> Result<()> {
    let Some(lab) = Lab::or_skip("counters_stay_with_their_device")? else { return Ok(()) };
    let follower = Follower::start(&lab, "w*", &["--daq", "ebpf"])?;
    let pairs = [("wa0", "wb0"), ("wa1", "wb1")];
    for (number, (device, peer)) in pairs.into_iter().enumerate() {
        follower.make(device, peer)?;
        follower.wait_for("interface appeared: counting", number + 1)?;
        follower.wait_running(peer)?;
    }
    let mut renamed = 0;
    for packets in [400, 10, 50] {
        follower.send("wa0", "wb0", packets)?;
        lab.a.namespace.ip_batch(
            "link set wa0 down\nlink set wa1 down\nlink set wa0 name wtmp\n\
             link set wa1 name wa0\nlink set wtmp name wa1\nlink set wa0 up\nlink set wa1 up\n",
        )?;
        renamed += 2;
        follower.wait_for("interface was renamed", renamed)?;
        for peer in ["wb0", "wb1"] {
            follower.wait_running(peer)?;
        }
    }
    follower.settled("wa0")?;
    let report = follower.agent.stop()?;
    let read = [readings(&report, "wa0")?, readings(&report, "wa1")?].concat();
    assert!(read.iter().all(|reading| reading["gone"] == false), "{read:?}");
    assert_equal(&report, 2);
    Ok(())
}

/// Checks that for this many interfaces both counts are equal, and that there was no warning.
fn assert_equal(report: &Report, interfaces: usize) {
    let log = &report.stderr;
    assert_eq!(log.matches("counts equal the interface's").count(), interfaces, "{log}");
    assert!(!log.contains("differ"), "{log}");
}

/// Sends datagrams to an address behind a device, which need not arrive.
fn send_to(lab: &Lab, address: &str, packets: usize) -> Result<()> {
    let send = || -> Result<()> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        (0..packets).try_for_each(|_| socket.send_to(&[7; 100], address).map(drop))?;
        Ok(())
    };
    lab.a.enter(send)?
}

/// A tunnel's and a bridge's counters exclude Ethernet headers: each is compared in its own way.
/// None has an IPv6 address, whose set-up would send packets while the programs are attached.
#[test]
fn kinds_of_devices_are_compared_as_they_count() -> Result<()> {
    let Some(lab) = Lab::or_skip("kinds_of_devices_are_compared_as_they_count")? else {
        return Ok(());
    };
    for (host, other, number) in [(&lab.a, &lab.b, 1), (&lab.b, &lab.a, 2)] {
        let (local, remote) = (host.v4, other.v4);
        host.namespace.ip_batch(&format!(
            "link add wx0 type vxlan id 5 local {local} remote {remote} dstport 4789\n\
             link add wbr0 type bridge\nlink set wx0 master wbr0\n\
             link add wm0 link {} type macvlan mode bridge\n\
             link set wx0 addrgenmode none\nlink set wbr0 addrgenmode none\n\
             link set wm0 addrgenmode none\n\
             addr add 10.79.0.{number}/24 dev wbr0\naddr add 10.80.0.{number}/24 dev wm0\n\
             link set wx0 up\nlink set wm0 up\nlink set wbr0 up\n",
            host.device
        ))?;
    }
    let follower = Follower::start(&lab, "wx0,wbr0,wm0", &["--daq", "ebpf"])?;
    send_to(&lab, "10.79.0.2:9", 40)?;
    send_to(&lab, "10.80.0.2:9", 40)?;
    follower.settled("wbr0")?;
    let report = follower.agent.stop()?;
    let sent = report.flows.iter().filter(|flow| flow.key.dport == 9 && flow.key.proto == 17);
    // Through the tunnel they pass two of the devices.
    assert_eq!(sent.map(|flow| flow.volume.packets).sum::<u64>(), 120, "{}", report.stderr);
    assert_equal(&report, 3);
    Ok(())
}

/// The loopback takes the Ethernet header off before it counts, also of the segments into which packets
/// are cut that are too large for it.
#[test]
fn the_loopback_is_compared_as_it_counts() -> Result<()> {
    const UPLOAD: usize = 20 << 20;
    let Some(lab) = Lab::or_skip("the_loopback_is_compared_as_it_counts")? else { return Ok(()) };
    lab.a.namespace.ip_batch("link set lo up\n")?;
    let follower = Follower::start(&lab, "lo", &["--daq", "ebpf"])?;
    let received = lab.a.enter(|| -> Result<u64> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut sender = TcpStream::connect(listener.local_addr()?)?;
        let (mut receiver, _) = listener.accept()?;
        let sending = thread::spawn(move || sender.write_all(&vec![7; UPLOAD]));
        let received = io::copy(&mut receiver, &mut io::sink())?;
        sending.join().map_err(|_| anyhow!("the sender panicked"))??;
        Ok(received)
    })??;
    assert_eq!(received, UPLOAD as u64);
    follower.settled("lo")?;
    let report = follower.agent.stop()?;
    let counted = report.flows.iter().map(|flow| flow.volume.bytes).sum::<u64>();
    assert!(counted >= received, "{counted}");
    let log = &report.stderr;
    assert!(log.contains("counts equal") || log.contains("counts agree"), "{log}");
    assert!(!log.contains("differ"), "{log}");
    Ok(())
}

/// An ifb device counts redirected packets as received and as sent: they are counted once.
#[test]
fn redirected_packets_are_counted_once() -> Result<()> {
    let Some(lab) = Lab::or_skip("redirected_packets_are_counted_once")? else { return Ok(()) };
    lab.a.namespace.ip_batch("link add wi0 type ifb\nlink set wi0 up\n")?;
    at_a(&lab, "tc", "qdisc add dev veth-a clsact")?;
    at_a(
        &lab,
        "tc",
        "filter add dev veth-a ingress protocol ip u32 match u32 0 0 \
         action mirred egress redirect dev wi0",
    )?;
    let follower = Follower::start(&lab, "wi0", &["--daq", "ebpf"])?;
    follower.send("veth-a", "veth-b", 50)?;
    follower.settled("wi0")?;
    let report = follower.agent.stop()?;
    assert_eq!(datagrams(&report), 50, "{}", report.stderr);
    assert_equal(&report, 1);
    Ok(())
}

/// Packets that a queue drops were counted, and the device never saw them: no reason to warn.
#[test]
fn packets_dropped_by_a_queue_are_no_difference() -> Result<()> {
    let Some(lab) = Lab::or_skip("packets_dropped_by_a_queue_are_no_difference")? else {
        return Ok(());
    };
    at_a(&lab, "tc", "qdisc add dev veth-a root tbf rate 400kbit burst 3kb limit 6kb")?;
    let agent = watch(&lab.a, &["--daq", "ebpf"])?;
    let load = Datagrams {
        family: Family::V4,
        packets: 300,
        payload: 500,
        source_port: 0,
        target_port: 0,
        interval: Duration::from_micros(100),
    };
    udp_send(&lab.a, &lab.b, load)?;
    lab.wait_quiet()?;
    agent.pass_intervals(5)?;
    let sent = lab.a.counters()?.tx_packets;
    let report = agent.stop()?;
    let counted = report.total("frames")?;
    ensure!(sent < counted, "nothing was dropped: {sent} of {counted}");
    assert!(!report.stderr.contains("differ"), "{}", report.stderr);
    assert!(report.stderr.contains("counts agree"), "{}", report.stderr);
    Ok(())
}
