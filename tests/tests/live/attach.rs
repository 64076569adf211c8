//! The hooks: each counts the same flows for the same frames; several agents share hooks that can
//! be shared; others are refused without harm to the first agent; and a stopped agent
//! leaves nothing behind.

use std::time::Duration;

use anyhow::{Result, ensure};
use aya::programs::{SchedClassifier, TcAttachType};
use aya::util::KernelVersion;
use nix::sys::signal::Signal;
use wherefore_tests::agent::{Agent, Direction, Report};
use wherefore_tests::command::binary;
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Counters, Host, Lab, slowdown_factor};

use super::cases::Cases;
use super::flows::{assert_cases, assert_flows};
use super::{assert_exact, watch};

/// How many programs are on a host's device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) tcx: usize,
    pub(crate) clsact: usize,
    pub(crate) xdp: usize,
}

impl Attached {
    pub(crate) fn at(host: &Host) -> Result<Self> {
        let mut attached = Self::default();
        for (direction, name) in
            [(TcAttachType::Ingress, "ingress"), (TcAttachType::Egress, "egress")]
        {
            if has_tcx() {
                let query = || SchedClassifier::query_tcx(&host.device, direction);
                attached.tcx += host.enter(query)??.1.len();
            }
            let filters = show(host, "tc", &["filter", "show", "dev", &host.device, name])?;
            attached.clsact += filters.matches(" direct-action ").count();
        }
        let link = show(host, "ip", &["link", "show", "dev", &host.device])?;
        attached.xdp = link.matches("prog/xdp").count();
        Ok(attached)
    }

    /// The traffic that a hook counts on both directions: XDP only receives.
    pub(crate) fn by(hook: &str) -> Self {
        match hook {
            "tcx" => Self { tcx: 2, ..Self::default() },
            "clsact" => Self { clsact: 2, ..Self::default() },
            _ if has_tcx() => Self { tcx: 1, xdp: 1, ..Self::default() },
            _ => Self { clsact: 1, xdp: 1, ..Self::default() },
        }
    }
}

/// Whether the kernel has TCX, which came with Linux 6.6.
pub(crate) fn has_tcx() -> bool {
    KernelVersion::current().is_ok_and(|current| current >= KernelVersion::new(6, 6, 0))
}

/// The output of a command inside the host's namespace.
fn show(host: &Host, program: &str, arguments: &[&str]) -> Result<String> {
    let output = host.namespace.command(program).args(arguments).output()?;
    ensure!(output.status.success(), "{program} {arguments:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Sends every kind of frame from `a` to `b`, twice.
fn send(lab: &Lab, cases: &Cases) -> Result<[Counters; 2]> {
    let sent = lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 2))?;
    Ok(sent.0)
}

/// Checks that an agent on this hook counts the frames that `b` receives and those it sends, and
/// that it takes its programs off when a signal ends it, with totals as its last word.
fn check_hook(hook: &str, signal: Signal) -> Result<()> {
    let Some(lab) = Lab::or_skip(&format!("{hook}_counts_all_flows"))? else { return Ok(()) };
    let (there, back) = (Cases::all(&lab.a, &lab.b), Cases::all(&lab.b, &lab.a));
    let agent = watch(&lab.b, &["--attach", hook])?;
    ensure!(agent.log().contains(hook), "another hook was taken:\n{}", agent.log());
    assert_eq!(Attached::at(&lab.b)?, Attached::by(hook));
    lab.measure(|| {
        send_frames(&lab.a.namespace, &lab.a.device, &there.frames, 2)?;
        send_frames(&lab.b.namespace, &lab.b.device, &back.frames, 3)
    })?;
    let report = agent.stop_by(signal)?;
    assert_eq!(Attached::at(&lab.b)?, Attached::default(), "after {signal}");
    assert!(
        report.took < Duration::from_secs(2) * slowdown_factor(),
        "it took {:?} to end",
        report.took
    );
    let last = report.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with(r#"{"totals":{"#), "{last}");
    assert_flows(&report, Direction::Ingress, &there.flows, 2);
    assert_flows(&report, Direction::Egress, &back.flows, 3);
    assert_eq!(report.total("non_ip")?, 2 * there.non_ip + 3 * back.non_ip);
    assert_eq!(report.total("malformed_ip")?, 2 * there.malformed + 3 * back.malformed);
    assert_eq!(report.total("frame_bytes")?, 2 * there.frame_bytes + 3 * back.frame_bytes);
    Ok(())
}

#[test]
fn tcx_counts_all_flows() -> Result<()> {
    check_hook("tcx", Signal::SIGINT)
}

#[test]
fn clsact_counts_all_flows() -> Result<()> {
    check_hook("clsact", Signal::SIGTERM)
}

#[test]
fn xdp_counts_all_flows() -> Result<()> {
    check_hook("xdp", Signal::SIGTERM)
}

#[test]
fn xdp_generic_counts_all_flows() -> Result<()> {
    check_hook("xdp-generic", Signal::SIGINT)
}

/// Two by TCX and one by clsact on one interface, and a foreign filter behind them.
#[test]
fn programs_on_one_hook_all_run() -> Result<()> {
    let Some(lab) = Lab::or_skip("programs_on_one_hook_all_run")? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let hooks = ["clsact", "tcx", "tcx"];
    let agents = hooks.map(|hook| watch(&lab.b, &["--attach", hook]));
    let agents: Vec<_> = agents.into_iter().collect::<Result<_>>()?;
    let has_filter = add_foreign_filter(&lab.b)?;
    let [_, measured] = send(&lab, &cases)?;
    if has_filter {
        let packets = format!(" {} pkt", measured.rx_packets);
        let shown = show(&lab.b, "tc", &["-s", "filter", "show", "dev", &lab.b.device, "ingress"])?;
        assert!(shown.contains(&packets), "not{packets}:\n{shown}");
    }
    for report in agents.into_iter().map(Agent::stop) {
        let report = report?;
        assert_cases(&report, Direction::Ingress, &cases, 2)?;
        assert_exact(&report, measured)?;
    }
    Ok(())
}

/// A filter that counts and accepts everything, if the kernel has the features for it.
fn add_foreign_filter(host: &Host) -> Result<bool> {
    // Kernels differ in these features: here every frame is mirrored to the loopback.
    let all = ["protocol", "all", "pref", "60000", "u32", "match", "u8", "0", "0", "at", "-14"];
    let mirror = ["action", "mirred", "egress", "mirror", "dev", "lo"];
    let filter = [&all[..], &mirror].concat();
    let add = [&["filter", "add", "dev", &host.device, "ingress"], &filter[..]].concat();
    let added = show(host, "tc", &add);
    if let Err(error) = &added {
        wherefore_tests::skip("a foreign filter behind ours", &format!("{error:#}"));
    }
    Ok(added.is_ok())
}

/// Runs a second agent that is expected to fail.
fn fails(host: &Host, hook: &str) -> Result<Report> {
    let command = host.namespace.command(binary());
    let second = Agent::spawn(command, &["-i", &host.device, "--daq", "ebpf", "--attach", hook])?;
    let report = second.finish()?;
    assert_eq!(report.status.code(), Some(1), "{}", report.stderr);
    assert!(
        report.stderr.contains(&format!("cannot attach to {}", host.device)),
        "{}",
        report.stderr
    );
    Ok(report)
}

/// Starts an agent, and checks that a second one with the same hook is refused with the reason, and the first
/// continues undisturbed.
fn check_refusal(test: &str, hook: &str, reasons: &[&str]) -> Result<()> {
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let first = watch(&lab.b, &["--attach", hook])?;
    send(&lab, &cases)?;
    let second = fails(&lab.b, hook)?;
    for reason in reasons {
        assert!(second.stderr.contains(reason), "{reason}: {}", second.stderr);
    }
    send(&lab, &cases)?;
    assert_cases(&first.stop()?, Direction::Ingress, &cases, 4)
}

#[test]
fn a_second_xdp_program_is_refused() -> Result<()> {
    let reasons = ["another program is there", "ip link show veth-b", "--attach tcx"];
    check_refusal("a_second_xdp_program_is_refused", "xdp", &reasons)
}

#[test]
fn a_second_clsact_agent_is_refused() -> Result<()> {
    let reasons = ["another wherefore counts on veth-b by clsact", "--attach tcx"];
    check_refusal("a_second_clsact_agent_is_refused", "clsact", &reasons)
}
