//! Flows: frames of every kind give exactly the flows that were sent.

use std::collections::BTreeMap;

use anyhow::Result;
use wherefore_tests::agent::{Direction, Key, Report, Volume};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::send_frames;

use super::cases::Cases;
use super::observe;

/// How often the whole series of frames is sent.
const TIMES: u32 = 5;

/// Checks the flows of one direction, one by one, so that a failure names few.
pub(crate) fn assert_flows(
    report: &Report,
    direction: Direction,
    expected: &BTreeMap<Key, Volume>,
    times: u64,
) {
    let found = report.sums(direction);
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(key, sent)| (*key, multiple(sent, times))).collect();
    let wrong: Vec<_> =
        found.iter().filter(|(key, volume)| expected.get(key) != Some(volume)).collect();
    let missing: Vec<_> =
        expected.iter().filter(|(key, volume)| found.get(key) != Some(volume)).collect();
    assert!(
        wrong.is_empty() && missing.is_empty(),
        "{direction:?}: {} flows of {}\nfound {:#?}\nbut sent {:#?}",
        found.len(),
        expected.len(),
        &wrong[..wrong.len().min(5)],
        &missing[..missing.len().min(5)]
    );
}

fn multiple(one: &Volume, times: u64) -> Volume {
    Volume {
        packets: one.packets * times,
        bytes: one.bytes * times,
        frame_bytes: one.frame_bytes * times,
    }
}

/// Checks flows and totals of an agent that saw the cases in one direction and nothing else.
pub(crate) fn assert_cases(
    report: &Report,
    direction: Direction,
    cases: &Cases,
    times: u64,
) -> Result<()> {
    assert_flows(report, direction, &cases.flows, times);
    let frames = cases.frames.len() as u64;
    let expected = [
        ("frames", frames),
        ("ip", cases.ip()),
        ("non_ip", cases.non_ip),
        ("malformed_ip", cases.malformed),
        ("bytes", cases.bytes()),
        ("frame_bytes", cases.frame_bytes),
        ("device_packets", frames),
        ("device_bytes", cases.frame_bytes),
        ("filtered", 0),
        ("overflow", 0),
        ("late_packets", 0),
        ("lost_packets", 0),
    ];
    for (name, once) in expected {
        assert_eq!(report.total(name)?, once * times, "{name}\n{}", report.stderr);
    }
    Ok(())
}

#[test]
fn flows_match_the_sent_traffic() -> Result<()> {
    let Some(lab) = Lab::or_skip("flows_match_the_sent_traffic")? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let send = || send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, TIMES);
    let ([a, b], _, sent) = observe(&lab, &[], send)?;
    assert_eq!(sent.bytes, cases.frame_bytes * u64::from(TIMES));
    assert_cases(&a, Direction::Egress, &cases, TIMES.into())?;
    assert_cases(&b, Direction::Ingress, &cases, TIMES.into())
}
