//! GSO/GRO packets are counted as the packets they become on the wire: TCP of both versions and UDP,
//! each against a witness that never saw a GSO/GRO packet or does not depend on them.

use std::fs;
use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use wherefore_tests::agent::{Direction, Key, Report, Volume};
use wherefore_tests::lab::netns::Namespace;
use wherefore_tests::lab::traffic::{TcpReport, tcp_transfer};
use wherefore_tests::lab::{Family, Host, Lab};

use super::{FAMILIES, observe, watch};

const UPLOAD: u64 = 20 << 20;

/// Switches single features of a host's device.
fn ethtool(host: &Host, features: &[&str]) -> Result<()> {
    let mut command = host.namespace.command("ethtool");
    let status = command.args(["-K", &host.device]).args(features).status()?;
    ensure!(status.success(), "ethtool {features:?}: {status}");
    Ok(())
}

/// The only flow of one direction and IP version.
fn only(report: &Report, direction: Direction, family: Family) -> (Key, Volume) {
    let mut flows: Vec<_> = report.sums(direction).into_iter().collect();
    flows.retain(|(key, _)| key.src.is_ipv4() == (family == Family::V4));
    assert_eq!(flows.len(), 1, "{flows:?}");
    flows[0]
}

/// Checks source and destination, and that each packet had one Ethernet header.
fn assert_upload((key, volume): (Key, Volume), transfer: &TcpReport) {
    let (client, server) = (transfer.client, transfer.server);
    let expected = Key {
        proto: 6,
        src: client.ip(),
        sport: client.port(),
        dst: server.ip(),
        dport: server.port(),
    };
    assert_eq!(key, expected);
    assert_eq!(volume.frame_bytes - volume.bytes, 14 * volume.packets);
}

/// The witness is the sender's device. Without TSO, but with GSO, TCP makes GSO/GRO packets that pass
/// the egress hook whole; the kernel then cuts them itself before the device sees, and counts, the
/// frames of the wire. The receiver, without GRO, sees those frames singly: a second witness.
#[test]
fn tcp_segments_are_those_the_device_sends() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcp_segments_are_those_the_device_sends")? else { return Ok(()) };
    ethtool(&lab.a, &["tx", "on", "gso", "on", "tso", "off"])?;
    ethtool(&lab.b, &["gro", "off", "tso", "off", "gso", "off"])?;
    let ([a, b], [device, _], transfers) = observe(&lab, &[], || upload(&lab))?;
    let mut sum = Volume::default();
    for (family, transfer) in FAMILIES.into_iter().zip(&transfers) {
        let (key, sent) = only(&a, Direction::Egress, family);
        assert_upload((key, sent), transfer);
        assert_eq!((key, sent), only(&b, Direction::Ingress, family));
        sum += sent;
    }
    assert_eq!((sum.packets, sum.frame_bytes), (device.tx_packets, device.tx_bytes));
    assert_gso_packets(&a, sum)
}

/// Transfers as much by either IP version, one after the other.
fn upload(lab: &Lab) -> Result<[TcpReport; 2]> {
    let [v4, v6] = FAMILIES.map(|family| tcp_transfer(&lab.a, &lab.b, family, UPLOAD, 0));
    Ok([v4?, v6?])
}

/// Checks that there were GSO/GRO packets, or the test would prove nothing.
fn assert_gso_packets(sender: &Report, wire: Volume) -> Result<()> {
    let seen = sender.comparison(Direction::Egress)?.counted.1;
    assert!(seen < wire.packets / 4, "{seen} of {} packets", wire.packets);
    Ok(())
}

/// The expectation is calculated: with TSO nothing on this link is ever cut, so every packet's share of
/// headers is known instead. Each carries IP and TCP headers with a time stamp, but the first,
/// whose options are 8 bytes longer; the rest is the application's data, and retransmissions,
/// which the kernel counts.
#[test]
fn tcp_segments_carry_the_bytes_that_the_application_sent() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcp_segments_carry_the_bytes_that_the_application_sent")? else {
        return Ok(());
    };
    assert_arithmetic(&lab, &FAMILIES).map(drop)
}

/// BIG TCP: GSO/GRO packets of more than 65,535 bytes. Those of IPv6 have an additional header for their
/// length, which their segments do not have.
#[test]
fn big_tcp_segments_carry_the_bytes_that_the_application_sent() -> Result<()> {
    let Some(lab) = Lab::or_skip("big_tcp_segments_carry_the_bytes_that_the_application_sent")?
    else {
        return Ok(());
    };
    for host in [&lab.a, &lab.b] {
        let device = &host.device;
        host.namespace.ip_batch(&format!(
            "link set {device} gso_max_size 185000\nlink set {device} gro_max_size 185000\n"
        ))?;
    }
    // How large they become is the sender's choice: on a busy machine they are smaller at times.
    for _ in 0..4 {
        let sent = assert_arithmetic(&lab, &[Family::V6])?;
        let (bytes, frames) = sent.comparison(Direction::Egress)?.counted;
        if bytes / frames > 65_535 {
            return Ok(());
        }
    }
    anyhow::bail!("no large GSO packets in four transfers")
}

/// Checks the agents' counts of uploads, and returns the sender's.
fn assert_arithmetic(lab: &Lab, families: &[Family]) -> Result<Report> {
    lab.a.offloads(true)?;
    let before = retransmitted(&lab.a.namespace)?;
    let upload = |family: &Family| tcp_transfer(&lab.a, &lab.b, *family, UPLOAD, 0);
    let work = || families.iter().map(upload).collect::<Result<Vec<_>>>();
    let ([a, b], _, transfers) = observe(lab, &[], work)?;
    let again = retransmitted(&lab.a.namespace)? - before;
    let mut sum = Volume::default();
    for (family, transfer) in families.iter().copied().zip(&transfers) {
        let headers = if family == Family::V4 { 52 } else { 72 };
        let [sent, received] =
            [(&a, Direction::Egress), (&b, Direction::Ingress)].map(|(report, direction)| {
                let (key, volume) = only(report, direction, family);
                assert_upload((key, volume), transfer);
                let data = volume.bytes - volume.packets * headers - 8;
                let most = UPLOAD + again * (1500 - headers);
                assert!((UPLOAD..=most).contains(&data), "{data} of {UPLOAD}, {again} sent again");
                volume
            });
        assert_eq!(sent, received);
        sum += sent;
    }
    assert_gso_packets(&a, sum)?;
    Ok(a)
}

/// Segments that TCP sent again, in a namespace.
fn retransmitted(namespace: &Namespace) -> Result<u64> {
    let text = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/snmp"))??;
    let mut tcp = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (tcp.next().context("no names")?, tcp.next().context("no values")?);
    let mut columns = names.split_whitespace().zip(values.split_whitespace());
    let (_, value) = columns.find(|(name, _)| *name == "RetransSegs").context("no RetransSegs")?;
    Ok(value.parse()?)
}

/// The expectation is the application's, which decides where its datagrams are cut.
#[test]
fn udp_segments_are_those_the_application_asked_for() -> Result<()> {
    let Some(lab) = Lab::or_skip("udp_segments_are_those_the_application_asked_for")? else {
        return Ok(());
    };
    lab.a.offloads(true)?;
    let send = || FAMILIES.into_iter().try_for_each(|family| send_segmented(&lab, family));
    let ([a, b], ..) = observe(&lab, &[], send)?;
    for (report, direction) in [(a, Direction::Egress), (b, Direction::Ingress)] {
        assert_segments(&report, direction);
        assert_eq!(report.comparison(direction)?.counted.1, 100, "the segments came singly");
    }
    Ok(())
}

/// Checks the volume of the packets of [`send_segmented`] by either IP version.
fn assert_segments(report: &Report, direction: Direction) {
    for (family, headers) in FAMILIES.into_iter().zip([28, 48]) {
        // Each of 50 calls: 40 datagrams of 1,000 bytes and one of 7.
        let bytes = 50 * (40 * (1000 + headers) + 7 + headers);
        let packets = 50 * 41;
        let expected = Volume { packets, bytes, frame_bytes: bytes + 14 * packets };
        assert_eq!(only(report, direction, family).1, expected, "{direction:?} {family:?}");
    }
}

/// The report of an agent at `b` with this hook about joined datagrams from `a`.
fn receive_by(lab: &Lab, hook: &str) -> Result<Report> {
    lab.a.offloads(true)?;
    let agent = watch(&lab.b, &["--attach", hook])?;
    let send = || FAMILIES.into_iter().try_for_each(|family| send_segmented(lab, family));
    lab.measure(send)?;
    agent.stop()
}

/// A program in the driver makes the other end cut GSO/GRO packets before it sends.
#[test]
fn xdp_counts_segments() -> Result<()> {
    let Some(lab) = Lab::or_skip("xdp_counts_segments")? else { return Ok(()) };
    assert_segments(&receive_by(&lab, "xdp")?, Direction::Ingress);
    Ok(())
}

/// A limit: in the network stack a program gets GSO/GRO packets of a veth's other end, without the
/// number of their segments.
#[test]
fn generic_xdp_counts_a_gso_packet_as_one() -> Result<()> {
    let Some(lab) = Lab::or_skip("generic_xdp_counts_a_gso_packet_as_one")? else {
        return Ok(());
    };
    let report = receive_by(&lab, "xdp-generic")?;
    for (family, headers) in FAMILIES.into_iter().zip([28, 48]) {
        let bytes = 50 * (40_007 + headers);
        let expected = Volume { packets: 50, bytes, frame_bytes: bytes + 50 * 14 };
        assert_eq!(only(&report, Direction::Ingress, family).1, expected, "{family:?}");
    }
    Ok(())
}

/// Hands the kernel 50 runs of datagrams, and receives the last.
fn send_segmented(lab: &Lab, family: Family) -> Result<()> {
    let receiver = lab.b.enter(|| UdpSocket::bind((lab.b.address(family), 0)))??;
    receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
    let sender = lab.a.enter(|| UdpSocket::bind((lab.a.address(family), 0)))??;
    sender.connect(receiver.local_addr()?)?;
    setsockopt(&sender, UdpGsoSegment, &1000).context("no UDP segmentation")?;
    for _ in 0..50 {
        sender.send(&[0x5a; 40_007])?;
    }
    let mut buffer = [0; 2000];
    receiver.recv(&mut buffer).context("nothing arrived").map(drop)
}
