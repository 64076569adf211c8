//! A packet of evidence, and the formats in which packets are written: pcap and pcapng. Owns both layouts
//! (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng); refuses to handle files.

use wherefore_common::{Direction, FlowKey, LinkType};

/// Facts about a packet besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its flow, with interface and direction.
    pub(super) flow: FlowKey,
    /// Nanoseconds since 1970.
    pub(super) time_ns: i64,
    /// Bytes on the wire.
    pub(super) wire_len: u32,
    /// The link type of its bytes.
    pub(super) link: LinkType,
}

impl Default for Facts {
    fn default() -> Self {
        Self { flow: FlowKey::default(), time_ns: 0, wire_len: 0, link: LinkType::ETHERNET }
    }
}

/// A packet with the bytes that were captured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) facts: Facts,
    pub(super) bytes: &'a [u8],
}

/// The length of a pcap file's header.
pub(super) const PCAP_HEADER: usize = 24;
/// The length of the header of each packet in a pcap file.
pub(super) const PCAP_RECORD: usize = 16;
/// The longest text in an option. Its length field has 16 bits, and longer texts do not help.
const LONGEST_TEXT: usize = 60_000;

/// The header of a pcap file whose times are in nanoseconds.
pub(super) fn pcap_header(link: LinkType, snaplen: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(PCAP_HEADER);
    out.extend(0xa1b2_3c4d_u32.to_ne_bytes());
    out.extend(2_u16.to_ne_bytes());
    out.extend(4_u16.to_ne_bytes());
    out.extend([0; 8]);
    out.extend(snaplen.to_ne_bytes());
    out.extend(u32::from(link.0).to_ne_bytes());
    out
}

/// Appends a packet in the format of pcap. Times before 1970 or after 2106 become the nearest possible ones.
pub(super) fn pcap_record(out: &mut Vec<u8>, packet: &Packet<'_>) {
    let time = u64::try_from(packet.facts.time_ns).unwrap_or(0);
    let seconds = u32::try_from(time / 1_000_000_000).unwrap_or(u32::MAX);
    let captured = packet.bytes.len() as u32;
    out.extend(seconds.to_ne_bytes());
    out.extend(((time % 1_000_000_000) as u32).to_ne_bytes());
    out.extend(captured.to_ne_bytes());
    out.extend(packet.facts.wire_len.max(captured).to_ne_bytes());
    out.extend(packet.bytes);
}

/// The first block of a pcapng file, with comments on the whole file.
pub(super) fn section(comments: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_ne_bytes());
    body.extend(1_u16.to_ne_bytes());
    body.extend(0_u16.to_ne_bytes());
    body.extend(u64::MAX.to_ne_bytes());
    comments.iter().for_each(|comment| text(&mut body, 1, comment));
    text(&mut body, 4, concat!("wherefore ", env!("CARGO_PKG_VERSION")));
    end(&mut body);
    block(0x0a0d_0d0a, &body)
}

/// A block that describes an interface.
pub(super) fn interface(link: LinkType, snaplen: u32, name: &str) -> Vec<u8> {
    const NANOSECONDS: u8 = 9;
    let mut body = Vec::new();
    body.extend(link.0.to_ne_bytes());
    body.extend([0; 2]);
    body.extend(snaplen.to_ne_bytes());
    text(&mut body, 2, name);
    option(&mut body, 9, &[NANOSECONDS]);
    end(&mut body);
    block(1, &body)
}

/// A block with a packet of the interface with this number, and an optional comment.
pub(super) fn enhanced(number: u32, packet: &Packet<'_>, comment: Option<&str>) -> Vec<u8> {
    // Times before 1970 cannot be written.
    let time = u64::try_from(packet.facts.time_ns).unwrap_or(0);
    let captured = packet.bytes.len() as u32;
    let mut body = Vec::with_capacity(packet.bytes.len() + 64);
    body.extend(number.to_ne_bytes());
    body.extend(((time >> 32) as u32).to_ne_bytes());
    body.extend((time as u32).to_ne_bytes());
    body.extend(captured.to_ne_bytes());
    body.extend(packet.facts.wire_len.max(captured).to_ne_bytes());
    body.extend(packet.bytes);
    pad(&mut body);
    if let Some(comment) = comment {
        text(&mut body, 1, comment);
    }
    let flags: u32 = match packet.facts.flow.direction() {
        Direction::Unknown => 0,
        Direction::Ingress => 1,
        Direction::Egress => 2,
    };
    option(&mut body, 2, &flags.to_ne_bytes());
    end(&mut body);
    block(6, &body)
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (body.len() + 12) as u32;
    [&kind.to_ne_bytes()[..], &len.to_ne_bytes(), body, &len.to_ne_bytes()].concat()
}

fn text(body: &mut Vec<u8>, code: u16, text: &str) {
    let mut len = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    option(body, code, &text.as_bytes()[..len]);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_ne_bytes());
    body.extend((value.len() as u16).to_ne_bytes());
    body.extend(value);
    pad(body);
}

fn end(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
