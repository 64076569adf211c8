//! The libpcap path: it counts the same as the kernel programs, loses nothing at a moderate rate,
//! and ends when it is asked to.

use std::time::Duration;

use anyhow::{Result, ensure};
use wherefore_tests::agent::Direction;
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::packets::{many_flows, send_frames};

use super::cases::Cases;
use super::flows::assert_cases;
use super::{load, watch, watch_every};

const LIBPCAP: [&str; 2] = ["--daq", "libpcap"];

#[test]
fn libpcap_counts_the_same_flows() -> Result<()> {
    let Some(lab) = Lab::or_skip("libpcap_counts_the_same_flows")? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let agents = [watch(&lab.a, &LIBPCAP)?, watch(&lab.b, &LIBPCAP)?];
    lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 3))?;
    for agent in agents {
        assert_cases(&agent.stop()?, Direction::Unknown, &cases, 3)?;
    }
    Ok(())
}

#[test]
fn libpcap_loses_nothing_at_a_moderate_rate() -> Result<()> {
    let Some(lab) = Lab::or_skip("libpcap_loses_nothing_at_a_moderate_rate")? else {
        return Ok(());
    };
    let agent = watch_every("100ms", &lab.b, &LIBPCAP)?;
    // 20 bursts, each after the one before was counted.
    let load = load(2000, 1);
    for _ in 0..20 {
        many_flows(&lab.a, &lab.b, load)?;
        agent.pass_intervals(1)?;
    }
    lab.wait_quiet()?;
    let report = agent.stop()?;
    assert_eq!((report.total("ip")?, report.total("lost_packets")?), (40_000, 0));
    assert_eq!(report.total("frame_bytes")?, 40_000 * load.frame_length() as u64);
    let flows = report.sums(Direction::Unknown);
    assert_eq!(flows.len(), 2000);
    assert!(flows.values().all(|volume| volume.packets == 20));
    Ok(())
}

#[test]
fn libpcap_stops_on_a_quiet_link() -> Result<()> {
    let Some(lab) = Lab::or_skip("libpcap_stops_on_a_quiet_link")? else { return Ok(()) };
    // Neither the interval nor the time that libpcap may hold packets back delays the end.
    let agent = watch_every("60s", &lab.b, &["--daq", "libpcap", "--read-timeout", "30s"])?;
    lab.wait_quiet()?;
    let report = agent.stop()?;
    ensure!(report.took < Duration::from_secs(1), "it took {:?}", report.took);
    Ok(())
}
