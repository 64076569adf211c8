//! TCP and UDP through sockets. Owns the comparison of the applications' reports
//! with the devices' counts.

use std::time::Duration;

use anyhow::Result;
use wherefore_tests::lab::tap::Tap;
use wherefore_tests::lab::traffic::{Datagrams, tcp_transfer, udp_send};
use wherefore_tests::lab::{Family, Lab};

use super::{FAMILIES, assert_agree, assert_one_way};

const MEBIBYTE: u64 = 1 << 20;

/// Transfers a mebibyte each way of asking and holds the counters against it.
fn check_tcp(lab: &Lab, family: Family) -> Result<()> {
    let (counted, report) = lab.measure(|| tcp_transfer(&lab.a, &lab.b, family, MEBIBYTE, 1000))?;
    assert_agree(counted);
    assert_eq!((report.upload, report.download), (MEBIBYTE, 1000));
    assert_eq!(report.client.ip(), lab.a.address(family));
    assert_eq!(report.server.ip(), lab.b.address(family));
    let header_at_least = counted[0].tx_packets * 54;
    assert!(counted[0].tx_bytes >= MEBIBYTE + header_at_least);
    assert!(counted[1].tx_bytes > 1000);
    Ok(())
}

#[test]
fn tcp_with_offloads() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcp_with_offloads")? else {
        return Ok(());
    };
    lab.a.offloads(true)?;
    lab.b.offloads(true)?;
    FAMILIES.into_iter().try_for_each(|family| check_tcp(&lab, family))
}

#[test]
fn tcp_without_offloads_sends_frames_of_wire_size() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcp_without_offloads_sends_frames_of_wire_size")? else {
        return Ok(());
    };
    lab.a.offloads(false)?;
    lab.b.offloads(false)?;
    for family in FAMILIES {
        let tap = Tap::open(&lab.b)?;
        check_tcp(&lab, family)?;
        let frames = tap.take()?;
        assert!(frames.len() > 700);
        assert!(frames.iter().all(|frame| frame.len() <= 1514));
    }
    Ok(())
}

#[test]
fn tcp_with_offloads_sends_gso_packets() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcp_with_offloads_sends_gso_packets")? else {
        return Ok(());
    };
    lab.a.offloads(true)?;
    let tap = Tap::open(&lab.b)?;
    tcp_transfer(&lab.a, &lab.b, Family::V4, MEBIBYTE, 0)?;
    lab.wait_quiet()?;
    assert!(tap.take()?.iter().any(|frame| frame.len() > 1514));
    Ok(())
}

#[test]
fn udp_is_counted_to_the_byte() -> Result<()> {
    let Some(lab) = Lab::or_skip("udp_is_counted_to_the_byte")? else {
        return Ok(());
    };
    for (family, headers) in FAMILIES.into_iter().zip([42, 62]) {
        let (source_port, target_port, interval) = (5001, 5002, Duration::from_micros(50));
        let load =
            Datagrams { family, packets: 1000, payload: 300, source_port, target_port, interval };
        let (counted, report) = lab.measure(|| udp_send(&lab.a, &lab.b, load))?;
        assert_one_way(counted, 1000, 1000 * (300 + headers));
        assert_eq!((report.sent_packets, report.sent_bytes), (1000, 300_000));
        assert_eq!((report.received_packets, report.received_bytes), (1000, 300_000));
        assert_eq!((report.source.port(), report.target.port()), (5001, 5002));
    }
    Ok(())
}
