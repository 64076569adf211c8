//! Compares our reading of filter expressions with libpcap's: for every plain Ethernet frame of the captures,
//! both select the same. Owns the list of intended differences, and excludes those frames.
//!
//! Intended differences: after VLAN tags, labels and PPPoE we find the packet, libpcap only where the
//! expression has `vlan`, `mpls` or `pppoes`; we skip IPv6 extension headers, libpcap only looks after a
//! fragment header for `proto`; of a packet that is cut or contradicts itself, libpcap reads what is there,
//! while we count it as malformed or without ports.

use std::path::PathBuf;

use anyhow::Result;
use pcap::{Capture, Linktype};
use wherefore_agent::input::capture_file::CaptureFile;
use wherefore_agent::input::filter::expression::Expression;
use wherefore_agent::input::frame::CapturedFrame;
use wherefore_common::abi::program;
use wherefore_common::{Direction, FlowKey, LinkType, Slice, link};
use wherefore_tests::kernel::Kernel;
use wherefore_tests::lab::Lab;

/// The fewest frames to compare; with fewer the test would prove nothing.
const ENOUGH: usize = 500;

const EXPRESSIONS: [&str; 46] = [
    "ip",
    "ip6",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "sctp",
    "esp or ah",
    "not tcp",
    "not arp",
    "ip proto 47",
    "proto \\udp",
    "ip6 proto 58",
    "ip proto \\tcp or \\udp",
    "port 80",
    "port 53 or 80 or 443",
    "tcp port 80 or 443",
    "udp port 53",
    "src port 53",
    "dst port 53",
    "src and dst port 123",
    "src or dst port 123",
    "port domain",
    "port http or ssh",
    "portrange 1-1023",
    "portrange 2000-1000",
    "tcp dst portrange 0-1024",
    "udp src portrange 1024-65535",
    "port 0",
    "net 10.0.0.0/8",
    "net 10",
    "net 192.168",
    "net 192.168.0.0/16",
    "src net 192.168.0.0 mask 255.255.0.0",
    "net 0.0.0.0/0",
    "host 192.168.1.1 or 10.0.0.1 or 127.0.0.1",
    "src host 10.0.0.1",
    "ip host 10.0.0.1",
    "net fe80::/10",
    "net 2001::/16 or net fd00::/8",
    "dst net ff02::/16",
    "tcp or udp and port 53",
    "tcp and (port 80 or port 443) and not src net 10.0.0.0/8",
    "not (udp or icmp) and not port 22",
    "!tcp && !udp || port 53",
    "not src port 53 and not dst port 53",
];

/// Expressions that only libpcap understands.
const BEYOND: [&str; 5] =
    ["tcp[13] & 2 != 0", "greater 100", "vlan", "ip[8] < 64 or ip6[7] < 64", "ether multicast"];

#[test]
fn our_reading_is_libpcaps() -> Result<()> {
    let frames = frames();
    assert!(frames.len() >= ENOUGH, "only {} frames", frames.len());
    let dead = Capture::dead(Linktype::ETHERNET)?;
    let mut selected = 0;
    for text in EXPRESSIONS {
        let theirs = dead.compile(text, true)?;
        let ours = Expression::new(text)?.expect("it is not empty");
        assert!(ours.program().is_ok(), "{text}: left to libpcap");
        for (flow, frame) in &frames {
            let is_selected =
                ours.selects(flow, &captured(LinkType::ETHERNET, frame, frame.len() as u32));
            assert_eq!(is_selected, theirs.filter(frame), "{text}: {frame:02x?}");
            selected += usize::from(is_selected);
        }
    }
    println!("{} frames, {} expressions, {selected} selected", frames.len(), EXPRESSIONS.len());
    Ok(())
}

/// The kernel decides like the host, frame by frame.
#[test]
fn the_kernel_selects_what_the_host_selects() -> Result<()> {
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("the_kernel_selects_what_the_host_selects", &reason);
        return Ok(());
    }
    /// A test run takes no more than a page.
    const LONGEST: usize = 3000;
    let frames = frames();
    let some: Vec<_> =
        frames.iter().filter(|(_, frame)| frame.len() < LONGEST).step_by(40).collect();
    for text in EXPRESSIONS.iter().step_by(3) {
        let ours = Expression::new(text)?.expect("it is not empty");
        let mut kernel = Kernel::load(Direction::Ingress, 1000)?;
        kernel
            .set_program(ours.program().map_err(|unsupported| anyhow::anyhow!("{unsupported}"))?)?;
        for (flow, frame) in &some {
            kernel.run(program::TC_INGRESS, frame, None, 1)?;
            let is_in_flow = !kernel.take()?.flows.is_empty();
            let is_selected =
                ours.selects(flow, &captured(LinkType::ETHERNET, frame, frame.len() as u32));
            assert_eq!(is_in_flow, is_selected, "{text}: {frame:02x?}");
        }
    }
    Ok(())
}

#[test]
fn libpcaps_programs_run_as_libpcap_runs_them() -> Result<()> {
    let frames = frames();
    let dead = Capture::dead(Linktype::ETHERNET)?;
    for text in BEYOND {
        let theirs = dead.compile(text, true)?;
        let ours = Expression::new(text)?.expect("it is not empty");
        assert!(ours.program().is_err(), "{text}: not left to libpcap");
        for (flow, frame) in &frames {
            let is_selected =
                ours.selects(flow, &captured(LinkType::ETHERNET, frame, frame.len() as u32));
            assert_eq!(is_selected, theirs.filter(frame), "{text}: {frame:02x?}");
        }
    }
    // Of a frame that was cut, the length on the wire counts.
    let long = Expression::new("greater 100")?.expect("it is not empty");
    let is_long = |wire_len| {
        long.selects(&FlowKey::default(), &captured(LinkType::ETHERNET, &[0; 60], wire_len))
    };
    assert!(is_long(100) && !is_long(99));
    Ok(())
}

#[test]
fn an_expression_that_libpcap_refuses_is_refused_with_its_message() {
    for (text, words) in [
        ("tcp and and udp", "syntax error"),
        ("net 10.0.0.1/8", "non-network bits set"),
        ("port 70000", "70000"),
        ("tcp host 10.0.0.1", "tcp"),
    ] {
        let error = Expression::new(text).expect_err(text).to_string();
        assert!(error.contains(words) && error.contains(text), "{text}: {error}");
    }
}

fn captured(link: LinkType, bytes: &[u8], wire_len: u32) -> CapturedFrame<'_> {
    CapturedFrame { time_ns: 0, link, is_swapped: false, wire_len, bytes, ifindex: 0 }
}

/// The plain frames of all captures that are there: Ethernet II, then a whole packet without
/// extension headers.
fn frames() -> Vec<(FlowKey, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("WHEREFORE_SHARED").map_or(root.join("../shared"), PathBuf::from);
    let folders = ["tests/corpus/made", "tests/corpus/real"].map(|folder| root.join(folder));
    let mut frames = Vec::new();
    for folder in folders.into_iter().chain([shared.join("pcaps/captures")]) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            frames_of(&entry.path(), &mut frames);
        }
    }
    frames
}

fn frames_of(path: &std::path::Path, frames: &mut Vec<(FlowKey, Vec<u8>)>) {
    /// Frames of one capture: the rest is alike.
    const MOST: usize = 300;
    let Ok(mut file) = CaptureFile::open(path) else { return };
    let most = frames.len() + MOST;
    while let Ok(Some(record)) = file.next() {
        let is_whole = record.wire_len as usize == record.bytes.len();
        let mut key = FlowKey::default();
        let slice = Slice::new(record.bytes, record.bytes.len());
        let parsed = link::parse(&slice, LinkType(record.link_type), &mut key);
        if record.link_type != LinkType::ETHERNET.0 || !is_whole || frames.len() >= most {
            continue;
        }
        let Ok(extent) = parsed else { continue };
        if extent.offset == 14 && is_plain(record.bytes, &key) {
            frames.push((key, record.bytes.to_vec()));
        }
    }
}

fn is_plain(frame: &[u8], key: &FlowKey) -> bool {
    let has_no_extension = key.family == 4 || frame[20] == key.protocol;
    // libpcap reads ports even if a length in the header leaves no space for them.
    let is_first_fragment = key.family == 6 || (frame[20] & 0x1f, frame[21]) == (0, 0);
    let carries_ports = matches!(key.protocol, 6 | 17 | 132) && is_first_fragment;
    has_no_extension && (!carries_ports || (key.sport, key.dport) != (0, 0))
}

#[test]
fn tests_of_fields_that_a_link_type_lacks_are_refused() -> Result<()> {
    for text in ["outbound", "not inbound", "udp and outbound", "type data", "dir tods"] {
        let expression = Expression::new(text)?.expect("it is not empty");
        let error = expression.check(LinkType::ETHERNET, false).expect_err(text).to_string();
        assert!(error.contains("cannot be used for frames of link type 1"), "{text}: {error}");
    }
    for (text, link) in [("outbound", 113), ("type data", 105), ("dir tods", 127)] {
        let expression = Expression::new(text)?.expect("it is not empty");
        assert!(expression.check(LinkType(link), false).is_ok(), "{text}");
    }
    let long = format!("port 1{}", " or 1".repeat(400_000));
    assert!(Expression::new(&long).is_err(), "a chain that would nest too deep");
    Ok(())
}

#[test]
fn raw_ip_has_another_number_in_libpcap() -> Result<()> {
    let expression = Expression::new("less 60000")?.expect("an expression");
    let mut bytes = [0; 40];
    bytes[0] = 0x45;
    assert!(expression.selects(&FlowKey::default(), &captured(LinkType::RAW, &bytes, 40)));
    Ok(())
}
