//! The agent's counts equal the interface's own counters, to the byte, at both ends, for all kinds of
//! traffic.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use anyhow::{Result, ensure};
use wherefore_tests::agent::{Direction, Report};
use wherefore_tests::lab::packets::{icmp_echo, send_frames};
use wherefore_tests::lab::traffic::{Datagrams, tcp_transfer, udp_send};
use wherefore_tests::lab::{Counters, Family, Host, Lab};

use super::cases::Cases;
use super::{FAMILIES, assert_exact, observe, watch};

const MEBIBYTE: u64 = 1 << 20;

/// TCP and UDP through sockets, datagrams that need fragments, echoes.
fn converse(lab: &Lab, family: Family) -> Result<()> {
    tcp_transfer(&lab.a, &lab.b, family, 4 * MEBIBYTE, MEBIBYTE)?;
    for payload in [0, 300, 5000] {
        let load = Datagrams {
            family,
            packets: 200,
            payload,
            source_port: 0,
            target_port: 0,
            interval: Duration::from_micros(20),
        };
        let report = udp_send(&lab.a, &lab.b, load)?;
        ensure!(report.received_packets > 0, "{report:?}");
    }
    icmp_echo(&lab.b, &lab.a, family, 100).map(drop)
}

/// Multicast: the stack hands itself a copy of each packet, as if the device had received it.
fn announce(host: &Host) -> Result<()> {
    const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let send = || -> Result<()> {
        let device = nix::net::if_::if_nametoindex(host.device.as_str())?;
        let socket = UdpSocket::bind("[::]:0")?;
        for _ in 0..20 {
            socket.send_to(&[7; 500], SocketAddrV6::new(ALL_NODES, 9, 0, device))?;
        }
        Ok(())
    };
    host.enter(send)?
}

/// All of that, and every kind of frame, in both directions, with an agent at each end.
fn exchange(lab: &Lab) -> Result<[(Report, Counters); 2]> {
    let (there, back) = (Cases::all(&lab.a, &lab.b), Cases::all(&lab.b, &lab.a));
    let work = || {
        FAMILIES.into_iter().try_for_each(|family| converse(lab, family))?;
        announce(&lab.a)?;
        send_frames(&lab.a.namespace, &lab.a.device, &there.frames, 1)?;
        send_frames(&lab.b.namespace, &lab.b.device, &back.frames, 1)
    };
    let ([a, b], [at_a, at_b], _) = observe(lab, &[], work)?;
    for report in [&a, &b] {
        assert_eq!(report.total("non_ip")?, there.non_ip + back.non_ip);
        assert_eq!(report.total("malformed_ip")?, there.malformed + back.malformed);
    }
    Ok([(a, at_a), (b, at_b)])
}

#[test]
fn counters_agree_with_offloads() -> Result<()> {
    let Some(lab) = Lab::or_skip("counters_agree_with_offloads")? else { return Ok(()) };
    lab.a.offloads(true)?;
    lab.b.offloads(true)?;
    for (report, measured) in exchange(&lab)? {
        assert_exact(&report, measured)?;
    }
    Ok(())
}

/// TCP makes GSO/GRO packets nevertheless, which the kernel cuts behind the egress hook: the device
/// counts frames of the wire, and so must the totals, whichever the hook saw.
#[test]
fn totals_are_the_wires_without_offloads() -> Result<()> {
    let Some(lab) = Lab::or_skip("totals_are_the_wires_without_offloads")? else { return Ok(()) };
    lab.a.offloads(false)?;
    lab.b.offloads(false)?;
    exchange(&lab)?.into_iter().try_for_each(|(report, measured)| assert_wire(&report, measured))
}

/// Checks that the totals equal those of a device that saw only frames of the wire.
fn assert_wire(report: &Report, measured: Counters) -> Result<()> {
    let bytes = measured.rx_bytes + measured.tx_bytes;
    let packets = measured.rx_packets + measured.tx_packets;
    assert_eq!((report.total("frame_bytes")?, report.total("frames")?), (bytes, packets));
    Ok(())
}

/// The sender's kernel cuts GSO/GRO packets behind the egress hook, which is no loss: there must be no
/// warning.
#[test]
fn cutting_behind_the_hook_is_no_difference() -> Result<()> {
    let Some(lab) = Lab::or_skip("cutting_behind_the_hook_is_no_difference")? else {
        return Ok(());
    };
    lab.a.offloads(false)?;
    let agent = watch(&lab.a, &[])?;
    let (measured, _) =
        lab.measure(|| tcp_transfer(&lab.a, &lab.b, Family::V4, 4 * MEBIBYTE, 0))?;
    let report = agent.stop()?;
    assert_wire(&report, measured[0])?;
    assert!(!report.stderr.contains("counts differ"), "{}", report.stderr);
    assert!(report.stderr.contains("counts equal"), "{}", report.stderr);
    Ok(())
}

/// The receiver's kernel joins frames of the wire before the ingress hook, by GRO. A veth that does
/// this counts received frames without Ethernet headers, as it does under native XDP.
#[test]
fn frames_that_gro_joined_are_counted_singly() -> Result<()> {
    let Some(lab) = Lab::or_skip("frames_that_gro_joined_are_counted_singly")? else {
        return Ok(());
    };
    lab.a.offloads(false)?;
    lab.b.offloads(true)?;
    let agent = watch(&lab.b, &[])?;
    let ([_, device], _) =
        lab.measure(|| tcp_transfer(&lab.a, &lab.b, Family::V4, 4 * MEBIBYTE, 0))?;
    let report = agent.stop()?;
    let received = report.sums(Direction::Ingress);
    let [volume] = received.values().collect::<Vec<_>>()[..] else { panic!("{received:?}") };
    let expected = (device.rx_packets, device.rx_bytes + 14 * device.rx_packets);
    assert_eq!((volume.packets, volume.frame_bytes), expected);
    let seen = report.comparison(Direction::Ingress)?.counted.1;
    assert!(seen < volume.packets / 4, "nothing was joined: {seen} of {}", volume.packets);
    Ok(())
}
