//! Capture files as bytes: classic pcap in either byte order and resolution, and pcapng.
//! Refuses to read them and to compress them.

use super::{EPOCH_NS, Packet};

const NANOSECOND_MAGIC: u32 = 0xa1b2_3c4d;
const MICROSECOND_MAGIC: u32 = 0xa1b2_c3d4;

/// How a classic capture is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    pub(super) is_big_endian: bool,
    pub(super) is_nanosecond: bool,
}

impl Style {
    fn u16(self, number: u16) -> [u8; 2] {
        if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(self, number: u32) -> [u8; 4] {
        if self.is_big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn words(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| self.u32(*number)).collect()
    }
}

/// A classic capture; all packets must be of one link type.
pub(super) fn pcap(style: Style, packets: &[Packet]) -> Vec<u8> {
    let link = packets.first().map_or(1, |packet| packet.link);
    assert!(packets.iter().all(|packet| packet.link == link), "pcap has one link type");
    let magic = if style.is_nanosecond { NANOSECOND_MAGIC } else { MICROSECOND_MAGIC };
    let mut file = style.words(&[magic]);
    file.extend([style.u16(2), style.u16(4)].concat());
    file.extend(style.words(&[0, 0, 262_144, u32::from(link)]));
    let unit = if style.is_nanosecond { 1 } else { 1000 };
    for packet in packets {
        let time = EPOCH_NS + packet.after_ns;
        let (seconds, part) = (time / 1_000_000_000, time % 1_000_000_000 / unit);
        let lengths = [packet.captured as u32, packet.wire.len() as u32];
        file.extend(style.words(&[seconds as u32, part as u32, lengths[0], lengths[1]]));
        file.extend(&packet.wire[..packet.captured]);
    }
    file
}

/// A pcapng capture with one interface for each link type, in nanoseconds.
pub(super) fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let mut links: Vec<u16> = packets.iter().map(|packet| packet.link).collect();
    links.sort_unstable();
    links.dedup();
    let style = Style::default();
    let mut file = block(
        0x0a0d_0d0a,
        &[style.words(&[0x1a2b_3c4d]), [style.u16(1), style.u16(0)].concat(), vec![0xff; 8]],
    );
    for link in &links {
        // Option 9, if_tsresol: 10 to the -9.
        let resolution = [&style.u16(9)[..], &style.u16(1), &[9, 0, 0, 0], &[0; 4]].concat();
        let head = [style.u16(*link), [0; 2]].concat();
        file.extend(block(1, &[head, style.words(&[0]), resolution]));
    }
    for packet in packets {
        let time = (EPOCH_NS + packet.after_ns) as u64;
        let interface = links.iter().position(|link| *link == packet.link).unwrap_or(0);
        let head = style.words(&[
            interface as u32,
            (time >> 32) as u32,
            time as u32,
            packet.captured as u32,
            packet.wire.len() as u32,
        ]);
        file.extend(block(6, &[head, packet.wire[..packet.captured].to_vec()]));
    }
    file
}

fn block(kind: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = parts.concat();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = body.len() as u32 + 12;
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), &body, &length.to_le_bytes()].concat()
}
