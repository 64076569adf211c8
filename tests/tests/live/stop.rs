//! The end of a killed agent: the next one cleans up everything that it leaves. And the end of an agent whose
//! output nobody reads.

use std::fs::File;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::stat::Mode;
use wherefore_tests::agent::Direction;
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::frames::{Network, Transport};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Host, Lab, wait_until};

use super::attach::Attached;
use super::cases::Cases;
use super::flows::assert_cases;
use super::{assert_exact, watch};

/// Checks that nothing is attached, or will be in a moment: the kernel frees links of a killed
/// process in its own time.
fn assert_nothing_attached(host: &Host) -> Result<()> {
    let gone = wait_until(Duration::from_secs(5), || {
        Attached::at(host).is_ok_and(|attached| attached == Attached::default())
    });
    ensure!(gone, "still attached: {:?}", Attached::at(host)?);
    Ok(())
}

#[test]
fn a_killed_agent_leaves_no_links() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_killed_agent_leaves_no_links")? else { return Ok(()) };
    for hook in ["tcx", "xdp"] {
        let agent = watch(&lab.b, &["--attach", hook])?;
        assert_eq!(Attached::at(&lab.b)?, Attached::by(hook), "{hook}");
        agent.kill()?;
        assert_nothing_attached(&lab.b)?;
    }
    Ok(())
}

#[test]
fn the_filters_of_a_killed_agent_are_replaced() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_filters_of_a_killed_agent_are_replaced")? else {
        return Ok(());
    };
    let cases = Cases::all(&lab.a, &lab.b);
    watch(&lab.b, &["--attach", "clsact"])?.kill()?;
    assert_eq!(Attached::at(&lab.b)?.clsact, 2, "filters outlive their process");
    let next = watch(&lab.b, &["--attach", "clsact"])?;
    assert_eq!(Attached::at(&lab.b)?.clsact, 2, "the old filters are still there");
    assert!(next.log().contains("removed a filter that a killed agent left"), "{}", next.log());
    let send = || send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 2);
    let ([_, measured], _) = lab.measure(send)?;
    let report = next.stop()?;
    assert_cases(&report, Direction::Ingress, &cases, 2)?;
    assert_exact(&report, measured)?;
    assert_nothing_attached(&lab.b)
}

#[test]
fn a_stalled_reader_delays_nothing() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_stalled_reader_delays_nothing")? else { return Ok(()) };
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU)?;
    // Holds it open, and never reads.
    let _reader = File::options().read(true).write(true).open(&pipe)?;
    let agent = watch(&lab.b, &["--series", &pipe.display().to_string()])?;
    // More lines than the pipe has room for.
    let frame = |number: u32| {
        let network =
            Network::between(Ipv4Addr::from(0x0a02_0000 + number).into(), lab.b.v4.into());
        let link = lab.a.link_to(&lab.b).to_nobody();
        link.frame(&network, &Transport::udp(7000, 7001, vec![1; 20]))
    };
    let frames: Vec<_> = (0..2000).map(frame).collect();
    let (device, ()) = lab.measure(|| {
        send_frames(&lab.a.namespace, &lab.a.device, &frames, 1)?;
        agent.pass_intervals(5)
    })?;
    let report = agent.stop()?;
    assert!(report.stderr.contains("the reader is too slow"), "{}", report.stderr);
    assert_exact(&report, device[1])?;
    assert_nothing_attached(&lab.b)
}
