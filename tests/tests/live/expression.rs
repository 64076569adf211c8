//! Filter expressions on every path: the kernel, libpcap and a replay of the same frames select the
//! same packets, and count the rest as filtered.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use wherefore_tests::agent::{Agent, Direction, Key, Volume};
use wherefore_tests::command::{Scratch, binary, command};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::{Host, Lab};

use super::cases::Cases;
use super::{assert_exact, watch};

/// Expressions, and their handwritten selection of flows (with the laboratory's addresses).
type Case = (&'static str, fn(&Key) -> bool);

const CASES: [Case; 6] = [
    ("tcp", |key| key.proto == 6),
    ("udp and not port 1005 or icmp", |key| {
        let is_udp = key.proto == 17 && key.sport != 1005 && key.dport != 1005;
        is_udp || (key.proto == 1 && key.src.is_ipv4())
    }),
    ("src host 10.77.0.1 and portrange 1000-2001", |key| {
        key.src.is_ipv4() && (1000..=2001).contains(&key.sport)
    }),
    ("net fd77::/16 and (port 9 or 80)", |key| key.src.is_ipv6() && matches!(key.dport, 9 | 80)),
    ("not (ip or ip6)", |_| false),
    ("proto 47 or esp", |key| matches!(key.proto, 47 | 50)),
];

fn selected(cases: &Cases, selects: fn(&Key) -> bool) -> BTreeMap<Key, Volume> {
    let chosen = cases.flows.iter().filter(|(key, _)| selects(key));
    chosen.map(|(key, volume)| (*key, *volume)).collect()
}

fn check_path(lab: &Lab, path: &[&str], direction: Direction) -> Result<()> {
    let cases = Cases::all(&lab.a, &lab.b);
    for (text, selects) in CASES {
        let agent = watch(&lab.b, &[path, &["-f", text]].concat())?;
        let sent =
            lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 1))?;
        let report = agent.stop()?;
        let expected = selected(&cases, selects);
        let packets: u64 = expected.values().map(|volume| volume.packets).sum();
        assert_eq!(report.sums(direction), expected, "{path:?} {text}");
        let filtered = cases.ip() - packets + report.total("filtered_non_ip")?;
        assert_eq!(report.total("filtered")?, filtered, "{path:?} {text}");
        let others = if text.starts_with("not") { cases.non_ip } else { 0 };
        assert_eq!(report.total("non_ip")?, others, "{path:?} {text}");
        assert_eq!(report.total("frame_bytes")?, cases.frame_bytes, "{path:?} {text}");
        if direction == Direction::Ingress {
            assert_exact(&report, sent.0[1])?;
        }
    }
    Ok(())
}

#[test]
fn tcx_selects_by_expression() -> Result<()> {
    let Some(lab) = Lab::or_skip("tcx_selects_by_expression")? else { return Ok(()) };
    check_path(&lab, &["--daq", "ebpf"], Direction::Ingress)
}

#[test]
fn xdp_selects_by_expression() -> Result<()> {
    let Some(lab) = Lab::or_skip("xdp_selects_by_expression")? else { return Ok(()) };
    check_path(&lab, &["--attach", "xdp-generic"], Direction::Ingress)
}

#[test]
fn libpcap_selects_by_expression() -> Result<()> {
    let Some(lab) = Lab::or_skip("libpcap_selects_by_expression")? else { return Ok(()) };
    check_path(&lab, &["--daq", "libpcap"], Direction::Unknown)
}

#[test]
fn a_replay_selects_by_expression() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_replay_selects_by_expression")? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let directory = Scratch::new();
    let path = directory.path("frames.pcap");
    std::fs::write(&path, capture(&cases.frames))?;
    for (text, selects) in CASES {
        let run =
            command(["replay", "--flows", "-"]).arg(format!("-f={text}")).arg(&path).output()?;
        ensure!(run.status.success(), "{text}: {}", String::from_utf8_lossy(&run.stderr));
        let lines = String::from_utf8(run.stdout)?;
        let totals: serde_json::Value =
            serde_json::from_str(lines.lines().last().unwrap_or_default())?;
        let expected = selected(&cases, selects);
        let packets: u64 = expected.values().map(|volume| volume.packets).sum();
        let others = if text.starts_with("not") { 0 } else { cases.non_ip };
        let filtered = cases.ip() - packets + others;
        assert_eq!(totals["totals"]["filtered"].as_u64(), Some(filtered), "{text}");
        assert_eq!(lines.lines().count() - 1, expected.len(), "{text}");
    }
    Ok(())
}

/// A pcap file of these frames.
fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_ne_bytes());
    }
    for (second, frame) in (1..).zip(frames) {
        let length = frame.len() as u32;
        [second, 0, length, length].iter().for_each(|word: &u32| file.extend(word.to_ne_bytes()));
        file.extend(frame);
    }
    file
}

fn refusal(host: &Host, arguments: &[&str]) -> Result<String> {
    let agent = Agent::spawn(
        host.namespace.command(binary()),
        &[&["-i", &host.device], arguments].concat(),
    )?;
    let report = agent.finish()?;
    assert_eq!(report.status.code(), Some(2), "{arguments:?}: {}", report.stderr);
    Ok(report.stderr)
}

#[test]
fn an_expression_beyond_the_kernel_goes_to_libpcap_or_is_refused() -> Result<()> {
    let Some(lab) = Lab::or_skip("what_the_kernel_cannot_be_told")? else { return Ok(()) };
    let beyond = "tcp[13] & 2 != 0";
    let stderr = refusal(&lab.b, &["--daq", "ebpf", "-f", beyond])?;
    for words in [beyond, "--daq libpcap"] {
        assert!(stderr.contains(words), "{stderr}");
    }
    for daq in ["auto", "ebpf", "libpcap"] {
        let stderr = refusal(&lab.b, &["--daq", daq, "-f", "tcp and and udp"])?;
        assert!(stderr.contains("syntax error"), "{daq}: {stderr}");
    }
    // Expressions without a meaning for this link type are refused too.
    for text in ["type data", "outbound", "dir tods"] {
        let stderr = refusal(&lab.b, &["--daq", "libpcap", "-f", text])?;
        assert!(stderr.contains("link type 1") && stderr.contains(text), "{stderr}");
    }
    let agent = watch(&lab.b, &["--daq", "auto", "-f", beyond])?;
    assert!(agent.log().contains("libpcap on"), "{}", agent.log());
    assert!(agent.log().contains(beyond), "{}", agent.log());
    let cases = Cases::all(&lab.a, &lab.b);
    lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 1))?;
    let report = agent.stop()?;
    // One of the TCP packets over IPv4 has SYN set; it occurs as often as the case states.
    let flows = report.sums(Direction::Unknown);
    assert_eq!(flows.len(), 1, "{flows:?}");
    assert!(flows.iter().all(|(key, _)| key.proto == 6 && key.src.is_ipv4()), "{flows:?}");
    let packets: u64 = flows.values().map(|volume| volume.packets).sum();
    let others = report.total("filtered_non_ip")?;
    assert_eq!(report.total("filtered")?, cases.ip() - packets + others);
    Ok(())
}

/// Behind VLAN tags too, of which libpcap's own program would know nothing.
#[test]
fn an_expression_too_long_for_the_kernel_means_the_same() -> Result<()> {
    let Some(lab) = Lab::or_skip("an_expression_too_long_for_the_kernel")? else { return Ok(()) };
    let cases = Cases::all(&lab.a, &lab.b);
    let hosts: Vec<_> = (1..=65).map(|host| format!("src host 10.77.0.{host}")).collect();
    let stderr = refusal(&lab.b, &["--daq", "ebpf", "-f", &hosts.join(" or ")])?;
    assert!(stderr.contains("128"), "{stderr}");
    let agent = watch(&lab.b, &["--daq", "auto", "-f", &hosts.join(" or ")])?;
    lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &cases.frames, 1))?;
    let report = agent.stop()?;
    let is_listed = |key: &Key| match key.src {
        std::net::IpAddr::V4(v4) => matches!(v4.octets(), [10, 77, 0, 1..=65]),
        std::net::IpAddr::V6(_) => false,
    };
    assert_eq!(report.sums(Direction::Unknown), selected(&cases, is_listed));
    Ok(())
}
