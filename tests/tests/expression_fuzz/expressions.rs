//! Random expressions: of the part of the language that is about flows, of all the rest, and invalid
//! ones. Owns the grammar; refuses to know their meaning.

use fastrand::Rng;

use super::frames::{ADDRESSES, Frame, PORTS, PROTOCOLS};

/// An expression for frames of this link type.
pub(super) fn any(rng: &mut Rng, frames: &[Frame], link: u16) -> String {
    let depth = rng.u8(..4);
    let mut text = match rng.u8(..12) {
        0 => long_list(rng),
        1..=6 => expression(rng, depth, &flow_term),
        _ => expression(rng, depth, &|rng| {
            if rng.bool() { flow_term(rng) } else { frame_term(rng, frames, link) }
        }),
    };
    if rng.u8(..40) == 0 {
        spoil(rng, &mut text);
    }
    text
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.usize(..words.len())]
}

fn expression(rng: &mut Rng, depth: u8, term: &dyn Fn(&mut Rng) -> String) -> String {
    if depth == 0 {
        return term(rng);
    }
    let left = expression(rng, depth - 1, term);
    let right = match rng.u8(..30) {
        // A value of the kind of the one before, if it is.
        0 => value(rng),
        _ => expression(rng, depth - 1, term),
    };
    let join = pick(rng, &["and", "or", "&&", "||", "or", "or"]);
    match rng.u8(..6) {
        0 => format!("not {left}"),
        1 => format!("!({left}) {join} {right}"),
        2 => format!("({left}) {join} ({right})"),
        3 => format!("{left} {join} not {right}"),
        _ => format!("{left} {join} {right}"),
    }
}

/// More hosts or ports than a program of the kernel has tests for.
fn long_list(rng: &mut Rng) -> String {
    let count = rng.u8(60..70);
    if rng.bool() {
        let host = |rng: &mut Rng| format!("src host {}", host(rng));
        let hosts: Vec<_> = (0..count).map(|_| host(rng)).collect();
        return hosts.join(" or ");
    }
    let ports: Vec<_> = (0..count).map(|_| rng.u16(..70).to_string()).collect();
    format!("src port {}", ports.join(" or "))
}

fn number(rng: &mut Rng, number: u32) -> String {
    match rng.u8(..60) {
        0..8 => format!("0{number:o}"),
        8..16 => format!("0x{number:x}"),
        16 => format!("0{number}"),
        _ => number.to_string(),
    }
}

fn host(rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => number(rng, 10),
        1 => number(rng, 0x0a00_0001),
        2 => pick(rng, &["10.0", "10.1.2", "192.168", "010.0.0.1"]).to_owned(),
        _ => pick(rng, &ADDRESSES).to_owned(),
    }
}

fn net(rng: &mut Rng) -> String {
    const BROKEN: [&str; 4] = ["10.0.0.1/8", "10/8", "2001:db8::1/64", "10.256"];
    const NETS: [&str; 14] = [
        "10.0.0.0/8",
        "10.0.0.0/010",
        "10.0.0.0/0x8",
        "192.168.0.0/16",
        "0.0.0.0/0",
        "10.0.0.1/32",
        "10.0",
        "192.168",
        "10.0.0.0 mask 255.0.0.0",
        "10.0 mask 255.255",
        "2001:db8::/32",
        "fe80::/10",
        "::/0",
        "ff02::/020",
    ];
    match rng.u8(..40) {
        0 => pick(rng, &BROKEN).to_owned(),
        1..10 => {
            let short = rng.u32(..400);
            number(rng, short)
        }
        10..20 => pick(rng, &ADDRESSES).to_owned(),
        _ => pick(rng, &NETS).to_owned(),
    }
}

fn port(rng: &mut Rng) -> String {
    let port = PORTS[rng.usize(..PORTS.len())];
    match rng.u8(..60) {
        0..8 => pick(rng, &["http", "domain", "ssh", "ntp", "icmp-echo"]).to_owned(),
        8 => pick(rng, &["ipx", "nobody-s", "70000"]).to_owned(),
        _ => number(rng, port.into()),
    }
}

fn range(rng: &mut Rng) -> String {
    let mut port = || PORTS[rng.usize(..PORTS.len())];
    let (one, other) = (port(), port());
    match rng.u8(..40) {
        0..5 => number(rng, one.into()),
        5..10 => format!("0{one}-0{other}"),
        10 => format!("0x{one:x}-0x{other:x}"),
        _ => format!("{one}-{other}"),
    }
}

fn protocol_number(rng: &mut Rng) -> String {
    const NAMES: [&str; 6] = ["\\tcp", "\\udp", "\\icmp", "gre", "ipv6-icmp", "\\esp"];
    let protocol = PROTOCOLS[rng.usize(..PROTOCOLS.len())];
    match rng.u8(..40) {
        0..5 => pick(rng, &NAMES).to_owned(),
        5 => pick(rng, &["tcp", "\\icmp6", "300", "nobody-s"]).to_owned(),
        _ => number(rng, protocol.into()),
    }
}

fn value(rng: &mut Rng) -> String {
    let makers: [fn(&mut Rng) -> String; 5] = [host, net, port, range, protocol_number];
    makers[rng.usize(..makers.len())](rng)
}

/// A kind, the protocols that may stand before it, and its values.
type Kind = (&'static str, &'static [&'static str], fn(&mut Rng) -> String);

/// One primitive about flows, or something that looks like it.
fn flow_term(rng: &mut Rng) -> String {
    const WORDS: [&str; 16] = [
        "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim", "vrrp", "carp",
        "ah", "esp", "arp", "rarp",
    ];
    const SIDES: [&str; 7] =
        ["src", "dst", "src or dst", "src and dst", "dst or src", "dst && src", "src || dst"];
    const KINDS: [Kind; 5] = [
        ("host", &["ip", "arp"], host),
        ("net", &["ip", "rarp"], net),
        ("port", &["tcp", "udp", "sctp"], port),
        ("portrange", &["tcp", "udp"], range),
        ("proto", &["ip", "ip6"], protocol_number),
    ];
    match rng.u8(..40) {
        0 => return "gre".to_owned(),
        1..10 => return pick(rng, &WORDS).to_owned(),
        _ => {}
    }
    let (kind, protocols, value) = KINDS[rng.usize(..KINDS.len())];
    let is_odd = rng.u8(..30) == 0;
    let mut words = Vec::new();
    if rng.u8(..5) == 0 {
        words.push(pick(rng, if is_odd { &WORDS } else { protocols }).to_owned());
    }
    if (kind != "proto" || is_odd) && rng.bool() {
        words.push(pick(rng, &SIDES).to_owned());
    }
    words.push(kind.to_owned());
    words.push(match rng.u8(..10) {
        0 => format!("({} or {})", value(rng), value(rng)),
        1 => {
            format!("({} or not {} and ({} or {}))", value(rng), value(rng), value(rng), value(rng))
        }
        2 => format!("not {}", value(rng)),
        3 => format!("{} or {}", value(rng), value(rng)),
        _ => value(rng),
    });
    words.join(" ")
}

/// Primitives for frames of any link type.
const ANYWHERE: [&str; 24] = [
    "tcp[13] & 2 != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "ip[8] < 64",
    "ip6[6] = 6",
    "ip6[6] = 0",
    "icmp[icmptype] = icmp-echo",
    "udp[4:2] > 20",
    "ip multicast",
    "ip6 multicast",
    "ip broadcast",
    "0xffffff00 & ip[12:4] = 0x0a000000",
    "0xfffff010 & ip[16:4] != 0",
    "ip[12:4] = 0xfffff000",
    "ip[0] & 0xf != 5",
    "ip6 proto 0",
    "ip6 proto 44",
    "proto 60",
    "ip[2:2] - 20 > 30",
    "tcp[12] >> 4 = 5",
    "ip[9] * 2 = 12",
    "ip[6:2] & 0x1fff != 0",
    "ip[2:2] % 4 = 0",
    "ip[1] ^ 255 > 5",
    "len <= 100",
];

/// Primitives for frames of certain link types.
const OF_LINKS: [&str; 25] = [
    "vlan",
    "vlan 5",
    "mpls",
    "pppoes",
    "vlan and tcp",
    "pppoes and ip",
    "ether broadcast",
    "ether multicast",
    "ether proto 0x0800",
    "ether proto \\ip6",
    "ether host 02:02:02:02:02:02",
    "ether src 02:00:00:00:00:01",
    "inbound",
    "outbound",
    "wlan addr1 ff:ff:ff:ff:ff:ff",
    "type data",
    "type mgt",
    "type data subtype qos-data",
    "subtype probe-req",
    "dir tods",
    "dir fromds",
    "llc",
    "radio[2] < 20",
    "ifindex 3",
    "ether[12:2] = 0x86dd",
];

/// One primitive that only libpcap understands.
fn frame_term(rng: &mut Rng, frames: &[Frame], link: u16) -> String {
    match rng.u8(..8) {
        0 => format!("greater {}", rng.u8(..)),
        1 => format!("less {}", rng.u8(..)),
        2 | 3 => pick(rng, &OF_LINKS).to_owned(),
        4 => {
            let which = pick(rng, &["ip", "ip6"]);
            format!("{which} protochain {}", protocol_number(rng))
        }
        5 => {
            let frame = &frames[rng.usize(..frames.len())].bytes;
            let place = rng.usize(..frame.len().clamp(1, 80));
            let byte = frame.get(place).copied().unwrap_or(0);
            let word = if link == 1 && rng.bool() { "ether" } else { "link" };
            format!("{word}[{place}] = {byte}")
        }
        _ => pick(rng, &ANYWHERE).to_owned(),
    }
}

/// Takes a character away, doubles one or puts another in.
fn spoil(rng: &mut Rng, text: &mut String) {
    let place = rng.usize(..text.len());
    match rng.u8(..3) {
        0 => {
            text.remove(place);
        }
        1 => text.insert(place, ' '),
        _ => text.insert_str(place, pick(rng, &["(", ")", "not ", "\\", "0", "x", "-", ".", "\t"])),
    }
}
