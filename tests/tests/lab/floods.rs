//! Floods of frames. Owns the proof that none is lost or counted twice, and the
//! measurement of their speed.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::Result;
use wherefore_tests::lab::packets::{
    Flows, Sent, flow_ports, icmp_echo, many_flows, send_frames, two_cpus,
};
use wherefore_tests::lab::tap::Tap;
use wherefore_tests::lab::traffic::tcp_transfer;
use wherefore_tests::lab::{Family, Lab};

use super::{FAMILIES, assert_agree, assert_one_way, datagram, network};

#[test]
fn echo_requests_are_answered() -> Result<()> {
    let Some(lab) = Lab::or_skip("echo_requests_are_answered")? else {
        return Ok(());
    };
    for family in FAMILIES {
        let (counted, sent) = lab.measure(|| icmp_echo(&lab.a, &lab.b, family, 500))?;
        assert_agree(counted);
        let [a, b] = counted;
        assert_eq!((a.tx_packets, a.tx_bytes), (500, sent.bytes));
        assert_eq!((b.tx_packets, b.tx_bytes), (500, sent.bytes));
    }
    Ok(())
}

#[test]
fn many_flows_are_all_different_and_all_arrive() -> Result<()> {
    let Some(lab) = Lab::or_skip("many_flows_are_all_different_and_all_arrive")? else {
        return Ok(());
    };
    for family in FAMILIES {
        let load = Flows { family, flows: 50_000, packets_each: 2 };
        let tap = Tap::open(&lab.b)?;
        let (counted, sent) = lab.measure(|| many_flows(&lab.a, &lab.b, load))?;
        assert_one_way(counted, 100_000, 100_000 * load.frame_length() as u64);
        assert_eq!((sent.frames, sent.bytes), (counted[0].tx_packets, counted[0].tx_bytes));
        check_flows(&tap.take()?);
    }
    Ok(())
}

/// Checks that the frames hold the predicted ports, each pair twice.
fn check_flows(frames: &[Vec<u8>]) {
    let found: Vec<_> = frames.iter().map(|frame| ports(frame)).collect();
    let expected: Vec<_> = (0..50_000).chain(0..50_000).map(flow_ports).collect();
    // Not `assert_eq`, which would print them all.
    assert!(found == expected, "the ports differ from those predicted");
    let different: HashSet<_> = found.into_iter().collect();
    assert_eq!(different.len(), 50_000);
}

/// The UDP ports of a frame made for a flow.
fn ports(frame: &[u8]) -> (u16, u16) {
    let at = if frame[12] == 8 { 34 } else { 54 };
    let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    (word(at), word(at + 2))
}

#[test]
fn two_processors_send_the_same_flows() -> Result<()> {
    let Some(lab) = Lab::or_skip("two_processors_send_the_same_flows")? else {
        return Ok(());
    };
    let load = Flows { family: Family::V4, flows: 1000, packets_each: 50 };
    let (counted, sent) = lab.measure(|| two_cpus(&lab.a, &lab.b, load))?;
    assert_eq!(sent.map(|one| one.frames), [50_000; 2]);
    assert_one_way(counted, 100_000, 100_000 * load.frame_length() as u64);
    Ok(())
}

#[test]
fn loads_without_reason_are_refused() -> Result<()> {
    let Some(lab) = Lab::or_skip("loads_without_reason_are_refused")? else {
        return Ok(());
    };
    let endless = Flows { family: Family::V4, flows: 1_000_000, packets_each: 1_000_000 };
    assert!(many_flows(&lab.a, &lab.b, endless).is_err());
    assert!(send_frames(&lab.a.namespace, "no-such", &[vec![0; 60]], 1).is_err());
    assert!(tcp_transfer(&lab.a, &lab.b, Family::V4, u64::MAX, 0).is_err());
    Ok(())
}

#[test]
#[ignore = "measures; run alone with --release -- --ignored --nocapture"]
fn speed() -> Result<()> {
    let start = Instant::now();
    let Some(lab) = Lab::or_skip("speed")? else {
        return Ok(());
    };
    println!("a laboratory takes {:?}", start.elapsed());
    speed_of_frames(&lab)?;
    speed_of_flows(&lab)?;
    let start = Instant::now();
    tcp_transfer(&lab.a, &lab.b, Family::V4, 1 << 30, 0)?;
    println!("a gibibyte of TCP takes {:?}", start.elapsed());
    Ok(())
}

/// Sends one frame a million times, short and long.
fn speed_of_frames(lab: &Lab) -> Result<()> {
    let link = lab.a.link_to(&lab.b).to_nobody();
    for length in [60, 1514] {
        let mut frame = link.frame(&network(lab, Family::V4), &datagram());
        frame.resize(length, 0);
        let sent = send_frames(&lab.a.namespace, &lab.a.device, &[frame], 1_000_000)?;
        show(&format!("send_frames, {length} bytes"), sent);
    }
    Ok(())
}

/// Sends many flows from one processor and from two.
fn speed_of_flows(lab: &Lab) -> Result<()> {
    let plans = [(Family::V4, 100_000), (Family::V6, 100_000), (Family::V4, 1_000_000)];
    for (family, flows) in plans {
        let load = Flows { family, flows, packets_each: 1 };
        show(&format!("many_flows, {flows} {family:?}"), many_flows(&lab.a, &lab.b, load)?);
    }
    let load = Flows { family: Family::V4, flows: 1000, packets_each: 500 };
    for sent in two_cpus(&lab.a, &lab.b, load)? {
        show("two_cpus, each", sent);
    }
    Ok(())
}

/// Prints a rate.
fn show(name: &str, sent: Sent) {
    let rate = sent.frames as f64 / sent.elapsed.as_secs_f64();
    println!("{name}: {} frames in {:?}, {rate:.0} per second", sent.frames, sent.elapsed);
}
