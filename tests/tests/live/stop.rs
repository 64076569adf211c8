//! The end of an agent that is killed: it leaves nothing that the next one does not clear away.

use std::time::Duration;

use anyhow::{Result, ensure};
use wherefore_tests::agent::Direction;
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
