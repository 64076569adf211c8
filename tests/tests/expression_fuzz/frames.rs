//! Random frames of every link type, and their differences from a plain frame. Owns how they are
//! made and written; refuses to compare.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use wherefore_agent::input::capture_file::CaptureFile;
use wherefore_common::flow::address_words;
use wherefore_common::{FlowKey, LinkType, Slice, link};

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const FRAGMENT: u8 = 44;

/// Addresses and ports that frames and expressions share, so that they meet.
pub(super) const ADDRESSES: [&str; 12] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.1.2.3",
    "192.168.1.1",
    "192.0.2.7",
    "0.0.0.10",
    "8.0.0.0",
    "2001:db8::1",
    "2001:db8::2",
    "fe80::1",
    "ff02::1",
    "::1",
];
pub(super) const PORTS: [u16; 12] = [0, 8, 10, 16, 22, 53, 80, 443, 1023, 5060, 40_000, 65_535];
/// Protocols likewise; 0, 43, 44, 51 and 60 are extension headers of IPv6.
pub(super) const PROTOCOLS: [u8; 14] =
    [0, 1, 2, TCP, 9, UDP, 43, FRAGMENT, 47, 51, 58, 60, 89, SCTP];

/// Whether a file's byte order is not this host's.
#[derive(Clone, Copy)]
pub(super) struct Swapped(pub(super) bool);

/// A frame, and our parser's result.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    pub(super) wire_len: u32,
    pub(super) key: Option<FlowKey>,
    pub(super) offset: usize,
}

/// Real frames, from which others are made.
pub(super) struct Bases(Vec<Base>);

struct Base {
    link: u16,
    is_swapped: bool,
    bytes: Vec<u8>,
    /// The offset of the IP header, and its version.
    ip: Option<(usize, u8)>,
}

impl Bases {
    /// The frames of the corpus.
    pub(super) fn load() -> Result<Self> {
        /// Frames of one capture: the rest is alike.
        const MOST: usize = 60;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let mut bases = Vec::new();
        for folder in ["made", "real"] {
            for entry in std::fs::read_dir(root.join(folder))? {
                let Ok(mut file) = CaptureFile::open(&entry?.path()) else { continue };
                let most = bases.len() + MOST;
                while let Ok(Some(record)) = file.next() {
                    if bases.len() < most && LinkType(record.link_type).is_supported() {
                        bases.push(Base::of(record.link_type, record.is_swapped, record.bytes));
                    }
                }
            }
        }
        bases.sort_by(|one, other| {
            (one.link, one.is_swapped, &one.bytes).cmp(&(
                other.link,
                other.is_swapped,
                &other.bytes,
            ))
        });
        ensure!(bases.len() > 500, "only {} frames", bases.len());
        Ok(Self(bases))
    }

    /// A link type and a byte order.
    pub(super) fn pick(&self, rng: &mut fastrand::Rng) -> (u16, bool) {
        let mut kinds: Vec<_> = self.0.iter().map(|base| base.link).collect();
        kinds.dedup();
        (kinds[rng.usize(..kinds.len())], rng.bool())
    }

    /// A frame of this link type: a real one or one with another packet in it, now and then damaged.
    pub(super) fn frame(&self, rng: &mut fastrand::Rng, link: u16, is_swapped: bool) -> Frame {
        let of_link: Vec<_> = self.0.iter().filter(|base| base.link == link).collect();
        let base = of_link[rng.usize(..of_link.len())];
        let mut bytes = base.bytes.clone();
        if let Some((at, version)) = base.ip.filter(|_| rng.u8(..4) > 0) {
            bytes.truncate(at);
            bytes.extend(if version == 4 { v4(rng) } else { v6(rng) });
        }
        let family_is_of_another_order = link == 0 && base.is_swapped != is_swapped;
        if family_is_of_another_order && rng.u8(..4) > 0 && bytes.len() >= 4 {
            bytes[..4].reverse();
        }
        let mut extra = 0;
        match rng.u8(..16) {
            0 => bytes.truncate(rng.usize(..=bytes.len())),
            1 => {
                let cut = rng.usize(..=bytes.len().min(40));
                bytes.truncate(bytes.len() - cut);
                extra = cut;
            }
            2 if !bytes.is_empty() => {
                let place = rng.usize(..bytes.len());
                bytes[place] = rng.u8(..);
            }
            3 => bytes.extend((0..rng.u8(..40)).map(|_| 0)),
            _ => {}
        }
        Frame::of(link, bytes, extra)
    }
}

impl Base {
    fn of(link: u16, is_swapped: bool, bytes: &[u8]) -> Self {
        let frame = Frame::of(link, bytes.to_vec(), 0);
        let ip = frame.key.map(|key| (frame.offset, key.family));
        Self { link, is_swapped, bytes: frame.bytes, ip }
    }
}

fn v4(rng: &mut fastrand::Rng) -> Vec<u8> {
    let protocol = protocol(rng);
    let payload = payload(rng, protocol);
    let options = if rng.u8(..8) == 0 { 4 * rng.u8(1..=10) } else { 0 };
    let header = 20 + options;
    let fragment: u16 = match rng.u8(..10) {
        0 => 0x2000,
        1 => rng.u16(..0x2000),
        _ => 0,
    };
    let mut packet = vec![0x40 | (header / 4), rng.u8(..)];
    packet.extend((u16::from(header) + payload.len() as u16).to_be_bytes());
    packet.extend([0, 1]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([rng.u8(..), protocol, 0, 0]);
    packet.extend(address(rng, 4));
    packet.extend(address(rng, 4));
    packet.extend((0..options).map(|_| 1));
    packet.extend(payload);
    packet
}

fn v6(rng: &mut fastrand::Rng) -> Vec<u8> {
    let last = protocol(rng);
    let mut payload = payload(rng, last);
    let mut next = last;
    while rng.u8(..6) == 0 {
        let kind = [0, 43, FRAGMENT, 51, 60][rng.usize(..5)];
        let fragment = if rng.bool() { 0 } else { 8 * rng.u8(..4) };
        let mut header = vec![next, 0, 0, fragment, 0, 0, 0, 1];
        header.append(&mut payload);
        (payload, next) = (header, kind);
    }
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, rng.u8(..)]);
    packet.extend(address(rng, 6));
    packet.extend(address(rng, 6));
    packet.extend(payload);
    packet
}

fn protocol(rng: &mut fastrand::Rng) -> u8 {
    if rng.u8(..4) == 0 { rng.u8(..=254) } else { PROTOCOLS[rng.usize(..PROTOCOLS.len())] }
}

fn address(rng: &mut fastrand::Rng, family: u8) -> Vec<u8> {
    loop {
        let picked: IpAddr = ADDRESSES[rng.usize(..ADDRESSES.len())].parse().expect("an address");
        match picked {
            IpAddr::V4(v4) if family == 4 => return v4.octets().to_vec(),
            IpAddr::V6(v6) if family == 6 => return v6.octets().to_vec(),
            _ => {}
        }
    }
}

fn payload(rng: &mut fastrand::Rng, protocol: u8) -> Vec<u8> {
    let mut payload = Vec::new();
    if matches!(protocol, TCP | UDP | SCTP) {
        for _ in 0..2 {
            payload.extend(PORTS[rng.usize(..PORTS.len())].to_be_bytes());
        }
    }
    payload.extend((0..rng.u8(..60)).map(|_| rng.u8(..)));
    payload
}

impl Frame {
    fn of(link: u16, bytes: Vec<u8>, cut: usize) -> Self {
        let wire_len = bytes.len() + cut;
        let mut key = FlowKey::default();
        let parsed = link::parse(&Slice::new(&bytes, wire_len), LinkType(link), &mut key);
        let offset = parsed.map_or(0, |extent| extent.offset as usize);
        Self { bytes, wire_len: wire_len as u32, key: parsed.ok().map(|_| key), offset }
    }

    pub(super) fn is_in_flow(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn captured(&self) -> (&[u8], u32) {
        (&self.bytes, self.wire_len)
    }

    fn has_no_ports(&self) -> bool {
        let is_without = |key: FlowKey| {
            matches!(key.protocol, TCP | UDP | SCTP) && (key.sport, key.dport) == (0, 0)
        };
        self.key.is_some_and(is_without)
    }

    /// The plain frame of its flow: one whose flow has no ports is a later fragment.
    pub(super) fn plain(&self) -> Vec<u8> {
        let mut frame = vec![2; 12];
        let Some(key) = self.key else { return frame };
        let ports = (u32::from(key.sport) << 16 | u32::from(key.dport)).to_be_bytes();
        let fragment = u8::from(self.has_no_ports());
        if key.family == 4 {
            frame.extend([8, 0, 0x45, 0, 0, 60, 0, 1, 0, fragment, 64, key.protocol, 0, 0]);
        } else {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 40]);
            frame.extend([if fragment == 1 { FRAGMENT } else { key.protocol }, 64]);
        }
        for ip in [key.src_ip(), key.dst_ip()] {
            match ip {
                IpAddr::V4(v4) => frame.extend(v4.octets()),
                IpAddr::V6(v6) => frame.extend(v6.octets()),
            }
        }
        match (key.family, fragment) {
            (6, 1) => frame.extend([key.protocol, 0, 0, 8, 0, 0, 0, 1]),
            // The protocol after an extension header that the parser did not pass is unknown.
            _ if matches!(key.protocol, TCP | UDP | SCTP) => frame.extend(ports),
            _ => frame.extend([255; 4]),
        }
        frame.extend([255; 36]);
        frame
    }
}

/// The reason why libpcap does not find in this frame what the parser finds, as listed in LIMITS.md.
pub(super) fn obstacle(link: u16, is_swapped: bool, frame: &Frame) -> Option<&'static str> {
    let key = frame.key?;
    let at = frame.offset;
    let next = frame.bytes.get(at + 6);
    if key.family == 6 && next.is_some_and(|next| matches!(next, 0 | 43 | 60 | &FRAGMENT)) {
        return Some("extension headers are walked");
    }
    if frame.has_no_ports() {
        return Some("both ports are 0");
    }
    if expected_offset(link, &frame.bytes) != Some(at) {
        return Some("behind tags or labels, or a shortened header");
    }
    let family = frame.bytes.first_chunk().map(|family| u32::from_ne_bytes(*family));
    let family = match link {
        0 if is_swapped => family.map(u32::swap_bytes),
        108 => family.map(u32::from_be),
        _ => None,
    }
    .or(family);
    let is_known = family.is_some_and(|family| matches!(family, 2 | 24 | 28 | 30));
    if matches!(link, 0 | 108) && !is_known {
        return Some("an address family of another system or byte order");
    }
    None
}

/// Where libpcap looks for the IP header, if it does.
fn expected_offset(link: u16, bytes: &[u8]) -> Option<usize> {
    let le16 =
        |at| bytes.get(at..at + 2).map(|two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    let le32 = |at| bytes.get(at..at + 4).and_then(|four| four.first_chunk().copied());
    match link {
        1 => Some(14),
        0 | 108 => Some(4),
        12 | 14 | 101 | 228 | 229 => Some(0),
        9 => Some(4),
        50 => (bytes.first() == Some(&0xff)).then_some(4),
        51 => Some(8),
        104 => Some(4),
        113 => Some(16),
        276 => Some(20),
        105 => wifi(bytes, 0, false),
        127 => wifi(bytes, le16(2)?, is_padded(bytes)),
        192 => {
            let is_wifi = le32(4)? == 105_u32.to_le_bytes();
            wifi(bytes, le16(2)?, false).filter(|_| is_wifi)
        }
        119 => {
            let is_avs = bytes
                .first_chunk()
                .is_some_and(|magic| u32::from_be_bytes(*magic) & 0xffff_f000 == 0x8021_1000);
            let length = le32(4)?;
            let length =
                if is_avs { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
            wifi(bytes, length as usize, false)
        }
        _ => None,
    }
}

/// Behind an 802.11 header of three addresses and a SNAP header with an EtherType.
fn wifi(bytes: &[u8], at: usize, is_padded: bool) -> Option<usize> {
    let [control, flags] = *bytes.get(at..)?.first_chunk()?;
    let has_quality = control & 0x80 != 0;
    if flags & 0x03 == 0x03 || flags & 0x80 != 0 {
        return None;
    }
    let mut start = at + if has_quality { 26_usize } else { 24 };
    if is_padded && has_quality {
        // From the frame's beginning, and not from the 802.11 header's.
        start = start.next_multiple_of(4);
    }
    let is_snap = bytes.get(start..start + 6)? == [0xaa, 0xaa, 3, 0, 0, 0];
    is_snap.then_some(start + 8)
}

/// Whether radiotap says that the 802.11 header is padded, which libpcap detects if the flags are
/// the first field, or behind the time stamp.
fn is_padded(bytes: &[u8]) -> bool {
    let present = bytes.get(4).copied().unwrap_or(0);
    let flags = match present & 3 {
        2 => bytes.get(8),
        3 => bytes.get(16),
        _ => None,
    };
    flags.is_some_and(|flags| flags & 0x20 != 0)
}

/// The number by which libpcap knows a link type: OpenBSD's for raw IP is none to it.
pub(super) fn number_of(link: u16) -> u16 {
    if link == 14 { LinkType::RAW.0 } else { link }
}

/// Writes a capture file; the time of a frame is its place.
pub(super) fn write<'a>(
    path: &Path,
    link: u16,
    Swapped(is_swapped): Swapped,
    frames: impl Iterator<Item = (&'a [u8], u32)>,
) -> Result<()> {
    let word = |word: u32| if is_swapped { word.swap_bytes() } else { word }.to_ne_bytes();
    let half = |half: u16| if is_swapped { half.swap_bytes() } else { half }.to_ne_bytes();
    let mut file = word(0xa1b2_c3d4).to_vec();
    file.extend([half(2), half(4)].concat());
    file.extend([0, 0, 262_144, u32::from(link)].map(word).concat());
    for (place, (bytes, wire_len)) in frames.enumerate() {
        file.extend([place as u32, 0, bytes.len() as u32, wire_len].map(word).concat());
        file.extend(bytes);
    }
    Ok(std::fs::write(path, file)?)
}

#[test]
fn a_plain_frame_is_of_the_same_flow() {
    let (family, src) = address_words("10.0.0.1".parse().expect("an address"));
    let (_, dst) = address_words("10.0.0.2".parse().expect("an address"));
    let key =
        FlowKey { src, dst, sport: 80, dport: 443, protocol: TCP, family, ..FlowKey::default() };
    let frame = Frame { bytes: Vec::new(), wire_len: 0, key: Some(key), offset: 0 };
    assert_eq!(Frame::of(1, frame.plain(), 0).key, Some(key));
}
