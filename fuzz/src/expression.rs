//! A filter expression, a zero byte and an Ethernet frame.
//!
//! Nothing panics. If our own parser accepts the expression, libpcap accepts it too, and both select the
//! same: the plain frame of the frame's flow.

use std::cell::OnceCell;
use std::net::IpAddr;

use nix::sched::{CloneFlags, unshare};
use pcap::{Capture, Linktype};
use wherefore_agent::input::filter::expression::Expression;
use wherefore_agent::input::frame::CapturedFrame;
use wherefore_common::protocol::{SCTP, TCP, UDP};
use wherefore_common::{FlowKey, LinkType, Slice, link};

/// Longer ones take libpcap seconds.
const LONGEST: usize = 400;

thread_local! {
    static ALONE: OnceCell<()> = const { OnceCell::new() };
}

/// See the module.
pub fn run(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (text, frame) = data.split_at(end);
    let Some(text) = std::str::from_utf8(text).ok().filter(|text| text.len() <= LONGEST) else {
        return;
    };
    ALONE.with(|alone| *alone.get_or_init(leave_the_network));
    let Ok(Some(expression)) = Expression::new(text) else { return };
    let bytes = frame.get(1..).unwrap_or_default();
    let mut key = FlowKey::default();
    let length = bytes.len();
    let is_packet = link::parse(&Slice::new(bytes, length), LinkType::ETHERNET, &mut key).is_ok();
    let ours = expression.selects(&key, &captured(bytes));
    if !expression.is_about_frames() && is_packet && has_ports(&key) {
        assert_eq!(ours, theirs(text, &plain(&key)), "{text:?} {key:?}");
    }
}

/// libpcap looks up names in expressions: here no server may be asked.
fn leave_the_network() {
    let alone = unshare(CloneFlags::CLONE_NEWNET)
        .or_else(|_| unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET));
    if let Err(error) = alone {
        eprintln!("names in expressions may be asked for: no network namespace: {error}");
    }
}

fn captured(bytes: &[u8]) -> CapturedFrame<'_> {
    CapturedFrame {
        time_ns: 0,
        link: LinkType::ETHERNET,
        is_swapped: false,
        wire_len: bytes.len() as u32,
        bytes,
        ifindex: 0,
    }
}

/// Whether the frame made from a flow has ports: those of fragments and other protocols are 0,
/// which is no port for libpcap; and it treats IPv6 extension headers as a protocol if none follows.
fn has_ports(key: &FlowKey) -> bool {
    matches!(key.protocol, TCP | UDP | SCTP) && (key.sport, key.dport) != (0, 0)
}

/// Ethernet, an IP header without options, the ports.
fn plain(key: &FlowKey) -> Vec<u8> {
    let mut frame = vec![2; 12];
    if key.family == 4 {
        frame.extend([8, 0, 0x45, 0, 0, 60, 0, 1, 0, 0, 64, key.protocol, 0, 0]);
    } else {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 40, key.protocol, 64]);
    }
    for address in [key.src_ip(), key.dst_ip()] {
        match address {
            IpAddr::V4(v4) => frame.extend(v4.octets()),
            IpAddr::V6(v6) => frame.extend(v6.octets()),
        }
    }
    frame.extend([key.sport.to_be_bytes(), key.dport.to_be_bytes()].concat());
    frame.extend([255; 36]);
    frame
}

fn theirs(text: &str, frame: &[u8]) -> bool {
    let compiler = Capture::dead(Linktype(1)).expect("libpcap without a capture");
    match compiler.compile(text, true) {
        Ok(program) => program.filter(frame),
        // An expression that selects no packet is an error for libpcap, and valid for us.
        Err(error) if error.to_string().contains("rejects all packets") => false,
        Err(error) => panic!("{text:?} is refused by libpcap alone: {error}"),
    }
}
