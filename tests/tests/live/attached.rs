//! Programs that others detach, replace or get in front of: the agent notices it, attaches again, and
//! counted and missed bytes together are what the device counted.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aya::programs::tc::{SchedClassifierLink, TcAttachOptions, TcHandle};
use aya::programs::{LinkOrder, SchedClassifier, TcAttachType, loaded_links};
use aya::{Ebpf, EbpfLoader};
use wherefore_tests::agent::{Agent, Direction, Report};
use wherefore_tests::lab::frames::{Network, Transport};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Counters, Host, Lab, wait_until};

use super::follow::{readings, side};
use super::{assert_exact, watch, watch_every};

const PATIENCE: Duration = Duration::from_secs(20);
const AGAIN: &str = "it is attached again";
/// Frames of each way and time.
const FRAMES: u32 = 40;
/// The position of the agent's filters.
const OURS: (u16, TcHandle) = (7, TcHandle::new(0x7765, 1));
/// The verdict that ends the chain, of TCX and of filters.
const ACCEPT: i32 = 0;

/// An object with a TC program `other` that returns this verdict for every packet: an ELF file with
/// one section of two instructions, one symbol, and the names of both.
fn object(verdict: i32) -> Vec<u8> {
    const NAMES: &[u8] = b"\0classifier\0other\0.symtab\0.strtab\0\0\0\0\0\0\0";
    const HEADER: u64 = 64;
    let mut code = vec![0xb7, 0, 0, 0];
    code.extend(verdict.to_le_bytes());
    code.extend([0x95, 0, 0, 0, 0, 0, 0, 0]);
    let mut symbols = vec![0; 24];
    symbols.extend([12, 0, 0, 0, 0x12, 0, 1, 0]);
    symbols.extend([0_u64, 16].map(u64::to_le_bytes).as_flattened());
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\xf7\0\x01\0\0\0".to_vec();
    let sections_at = HEADER + (code.len() + symbols.len() + NAMES.len()) as u64;
    file.extend([0, 0, sections_at].map(u64::to_le_bytes).as_flattened());
    file.extend([0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 64, 0, 4, 0, 3, 0]);
    for part in [&code[..], &symbols, NAMES] {
        file.extend(part);
    }
    let mut at = HEADER;
    file.extend([0; 64]);
    // Name, type, flags, length, link and first global symbol, entry.
    for (name, kind, flags, length, link, entry) in [
        (1_u32, 1_u32, 6_u64, code.len() as u64, 0_u64, 0_u64),
        (18, 2, 0, symbols.len() as u64, 3 | 1 << 32, 24),
        (26, 3, 0, NAMES.len() as u64, 0, 0),
    ] {
        file.extend([name, kind].map(u32::to_le_bytes).as_flattened());
        let words = [flags, 0, at, length, link, 8, entry];
        file.extend(words.map(u64::to_le_bytes).as_flattened());
        at += length;
    }
    file
}

/// A foreign program, which runs until this is dropped.
struct Other(#[allow(dead_code, reason = "held, not read")] Ebpf);

impl Other {
    /// In front of all TCX programs.
    fn first(host: &Host, verdict: i32, directions: &[TcAttachType]) -> Result<Self> {
        let attach = |program: &mut SchedClassifier| {
            for at in directions {
                let order = TcAttachOptions::TcxOrder(LinkOrder::first());
                program.attach_with_options(&host.device, *at, order)?;
            }
            Ok(())
        };
        Self::load(host, verdict, attach)
    }

    /// In the place of the agent's filter for received packets.
    fn replacing(host: &Host, verdict: i32) -> Result<Self> {
        let (priority, handle) = OURS;
        let attach = |program: &mut SchedClassifier| {
            let (device, at) = (&host.device, TcAttachType::Ingress);
            let ours = SchedClassifierLink::attached(device, at, priority, handle, None)?;
            program.attach_to_link(ours).map(drop).context("replacing a filter")
        };
        Self::load(host, verdict, attach)
    }

    fn load(
        host: &Host,
        verdict: i32,
        attach: impl FnOnce(&mut SchedClassifier) -> Result<()> + Send,
    ) -> Result<Self> {
        host.enter(|| {
            let mut ebpf = EbpfLoader::new().load(&object(verdict))?;
            let program = ebpf.program_mut("other").context("no program")?;
            let program: &mut SchedClassifier = program.try_into()?;
            program.load()?;
            attach(program)?;
            Ok(Self(ebpf))
        })?
    }
}

/// Sends frames both ways.
fn send(lab: &Lab) -> Result<()> {
    for (from, to) in [(&lab.a, &lab.b), (&lab.b, &lab.a)] {
        let network = Network::between(from.v4.into(), to.v4.into());
        let datagram = Transport::udp(7000, 7001, vec![1; 100]);
        let frame = from.link_to(to).to_nobody().frame(&network, &datagram);
        send_frames(&from.namespace, &from.device, &[frame], FRAMES)?;
    }
    Ok(())
}

fn wait_for(agent: &Agent, words: &str) -> Result<()> {
    let is_there = wait_until(PATIENCE, || agent.log().contains(words));
    ensure!(is_there, "no {words:?} in\n{}", agent.log());
    Ok(())
}

fn tc(host: &Host, arguments: &str) -> Result<()> {
    let status = host.namespace.command("tc").args(arguments.split(' ')).status()?;
    ensure!(status.success(), "tc {arguments}: {status}");
    Ok(())
}

/// Checks that counted and missed bytes together are what the device counted; returns the missed ones.
fn assert_declared(report: &Report, device: &str, measured: Counters) -> Result<u64> {
    let all = readings(report, device)?;
    let last = all.last().with_context(|| format!("no reading:\n{}", report.stderr))?;
    let mut declared = 0;
    for (direction, bytes) in [("ingress", measured.rx_bytes), ("egress", measured.tx_bytes)] {
        let (counted, missed, uncertain) = side(last, direction);
        let differ = bytes.abs_diff(counted + missed);
        assert!(
            differ <= uncertain,
            "{direction}: {bytes} at the device, {last}\n{}",
            report.stderr
        );
        declared += missed;
    }
    assert!(!report.stderr.contains("counts differ"), "{}", report.stderr);
    Ok(declared)
}

/// Takes the agent's programs off while it counts, and sends before, at once after, and when it has
/// noticed.
fn check_taken_off<T>(
    test: &str,
    hook: &str,
    happened: &str,
    damage: impl FnOnce(&Host) -> Result<T>,
) -> Result<()> {
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let agent = watch_every("1s", &lab.b, &["--attach", hook])?;
    let ([_, measured], other) = lab.measure(|| {
        send(&lab)?;
        let other = damage(&lab.b)?;
        send(&lab)?;
        wait_for(&agent, AGAIN)?;
        send(&lab)?;
        agent.pass_intervals(1)?;
        Ok(other)
    })?;
    agent.pass_intervals(1)?;
    let report = agent.stop()?;
    drop(other);
    assert!(report.stderr.contains(happened), "{happened}: {}", report.stderr);
    assert_declared(&report, &lab.b.device, measured).map(drop)
}

#[test]
fn a_deleted_qdisc_is_added_again() -> Result<()> {
    check_taken_off("a_deleted_qdisc_is_added_again", "clsact", "qdisc of our filters", |host| {
        tc(host, &format!("qdisc del dev {} clsact", host.device))
    })
}

#[test]
fn a_deleted_filter_is_added_again() -> Result<()> {
    check_taken_off("a_deleted_filter_is_added_again", "clsact", "our filter was deleted", |host| {
        tc(host, &format!("filter del dev {} egress", host.device))
    })
}

#[test]
fn a_replaced_filter_stays_and_ours_goes_in_front() -> Result<()> {
    let test = "a_replaced_filter_stays_and_ours_goes_in_front";
    check_taken_off(test, "clsact", "our filter was replaced", |host| {
        Other::replacing(host, ACCEPT)
    })
}

#[test]
fn a_detached_link_is_made_again() -> Result<()> {
    if Command::new("bpftool").arg("version").output().is_err() {
        wherefore_tests::skip("a_detached_link_is_made_again", "no bpftool");
        return Ok(());
    }
    check_taken_off("a_detached_link_is_made_again", "tcx", "TCX link was detached", |host| {
        let query = || SchedClassifier::query_tcx(&host.device, TcAttachType::Ingress);
        let (_, programs) = host.enter(query)??;
        let ours = programs.first().context("no program")?.id();
        for link in loaded_links().filter_map(Result::ok).filter(|one| one.program_id() == ours) {
            let id = link.id().to_string();
            let status = Command::new("bpftool").args(["link", "detach", "id", &id]).status()?;
            ensure!(status.success(), "bpftool link detach id {id}: {status}");
        }
        Ok(())
    })
}

/// Received packets are received, and sent ones are sent, if filters for both would run on the first.
#[test]
fn an_ingress_qdisc_has_the_right_directions() -> Result<()> {
    let test = "an_ingress_qdisc_has_the_right_directions";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    tc(&lab.b, &format!("qdisc add dev {} ingress", lab.b.device))?;
    let agent = watch(&lab.b, &["--attach", "clsact"])?;
    let ([_, measured], ()) = lab.measure(|| {
        send(&lab)?;
        send_frames(&lab.a.namespace, &lab.a.device, &[vec![0xff; 60]], 7).map(drop)
    })?;
    let report = agent.stop()?;
    assert_exact(&report, measured)?;
    for direction in [Direction::Ingress, Direction::Egress] {
        let packets: u64 = report.sums(direction).values().map(|sum| sum.packets).sum();
        assert_eq!(packets, u64::from(FRAMES), "{direction:?}");
    }
    Ok(())
}

#[test]
fn ours_is_in_front_of_programs_that_end_the_chain() -> Result<()> {
    let test = "ours_is_in_front_of_programs_that_end_the_chain";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    let both = [TcAttachType::Ingress, TcAttachType::Egress];
    let _other = Other::first(&lab.b, ACCEPT, &both)?;
    let agent = watch(&lab.b, &["--attach", "tcx"])?;
    let ([_, measured], ()) = lab.measure(|| send(&lab))?;
    assert_exact(&agent.stop()?, measured)
}

/// One that comes later and goes in front is overtaken again, or named if that is not wanted.
#[test]
fn a_program_that_gets_in_front_is_noticed() -> Result<()> {
    for (order, words) in [("first", "it is first now"), ("last", "do not reach our program")] {
        let Some(lab) = Lab::or_skip("a_program_that_gets_in_front_is_noticed")? else { break };
        let agent = watch(&lab.b, &["--attach", "tcx", "--attach-order", order])?;
        let ([_, measured], other) = lab.measure(|| {
            send(&lab)?;
            agent.pass_intervals(2)?;
            let other = Other::first(&lab.b, ACCEPT, &[TcAttachType::Ingress])?;
            send(&lab)?;
            wait_for(&agent, words)?;
            send(&lab)?;
            Ok(other)
        })?;
        agent.pass_intervals(2)?;
        let report = agent.stop()?;
        drop(other);
        assert!(report.stderr.contains("TCX program"), "{}", report.stderr);
        let declared = assert_declared(&report, &lab.b.device, measured)?;
        assert!(declared > 0, "{order}: {}", report.stderr);
    }
    Ok(())
}

/// A new agent takes over from an old one, which has the hook when the new one starts.
#[test]
fn a_busy_hook_is_tried_again() -> Result<()> {
    for hook in ["clsact", "xdp-generic"] {
        let Some(lab) = Lab::or_skip("a_busy_hook_is_tried_again")? else { break };
        let old = watch(&lab.b, &["--attach", hook])?;
        let common = ["-i", "lo,veth*", "--transfer-interval", "200ms", "--attach", hook];
        let new = Agent::start(&lab.b.namespace, &common)?;
        assert!(new.log().contains("interface is not counted"), "{hook}: {}", new.log());
        new.pass_intervals(2)?;
        old.stop()?;
        wait_for(&new, "was refused before: counting now")?;
        send(&lab)?;
        new.pass_intervals(2)?;
        let report = new.stop()?;
        assert_eq!(
            report.stderr.matches("interface is not counted").count(),
            1,
            "{}",
            report.stderr
        );
        let packets: u64 = report.sums(Direction::Ingress).values().map(|sum| sum.packets).sum();
        assert_eq!(packets, u64::from(FRAMES), "{hook}: {}", report.stderr);
    }
    Ok(())
}
