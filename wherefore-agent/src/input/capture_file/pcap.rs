//! The classic pcap format: file header, record headers and their variants (draft-ietf-opsawg-pcap; the
//! variants as libpcap and Wireshark read them). Owns this format; refuses I/O, and variants that could only
//! be guessed (AIX, Nokia, the 1999 patches that kept the standard magic number).

use super::error::Flaw;
use super::parse::{Order, Packet, Step, words};

/// The longest captured length that writers use for most link types: the limit of libpcap and Wireshark.
const USUAL_MOST: u32 = 256 << 10;
/// The same limit for D-Bus messages and USB transfers, whose units are that large by definition.
const LARGE_UNITS_MOST: u32 = 128 << 20;
/// A snapshot length in the file does not raise the limit above this.
const HARD_MOST: u32 = 256 << 20;
const LINK_TYPE_DBUS: u16 = 231;
const LINK_TYPE_USBPCAP: u16 = 249;

/// The variant, which the magic number alone shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    order: Order,
    ns_per_fraction: i64,
    record_header: usize,
    pub(super) file_header: usize,
}

impl Variant {
    /// The variant that begins with these bytes; `None` if it is not pcap.
    pub(super) fn from_magic(magic: [u8; 4]) -> Option<Self> {
        [Order::Little, Order::Big]
            .into_iter()
            .find_map(|order| Self::in_order(order, order.u32(magic)))
    }

    fn in_order(order: Order, magic: u32) -> Option<Self> {
        let (ns_per_fraction, record_header, file_header) = match magic {
            0xa1b2_c3d4 => (1000, 16, 24),
            0xa1b2_3c4d => (1, 16, 24),
            // Kuznetzov's patch adds interface, protocol and packet type to each record.
            0xa1b2_cd34 => (1000, 24, 24),
            // Ixia's hardware and software captures add the size of the file to the file header.
            0x1c00_01ac => (1, 16, 28),
            0x1c00_01ab => (1000, 16, 28),
            _ => return None,
        };
        Some(Self { order, ns_per_fraction, record_header, file_header })
    }
}

/// The order of the two lengths in a record header. Version 2.3 exchanged them.
#[derive(Debug, Clone, Copy)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// Version 2.3 itself was written in both orders. The captured length is never the larger one.
    Either,
}

impl Lengths {
    fn of_version(major: u16, minor: u16) -> Result<Self, Flaw> {
        match (major, minor) {
            (2, 4) => Ok(Self::CapturedFirst),
            (2, 3) => Ok(Self::Either),
            // 543.0 was written by DG/UX.
            (2, 0..=2) | (543, 0) => Ok(Self::OriginalFirst),
            _ => Err(Flaw::Version { format: "pcap", major, minor }),
        }
    }

    /// The captured and the original length, from the two fields.
    fn sort(self, first: u32, second: u32) -> (u32, u32) {
        match self {
            Self::CapturedFirst => (first, second),
            Self::Either if first <= second => (first, second),
            Self::Either | Self::OriginalFirst => (second, first),
        }
    }
}

/// The layout of the records of a classic pcap file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    variant: Variant,
    lengths: Lengths,
    link_type: u16,
    most: u32,
    remark: Option<&'static str>,
}

impl Layout {
    /// Reads the file header, which must be available completely.
    pub(super) fn read(variant: Variant, header: &[u8]) -> Result<Self, Flaw> {
        let [_, version, _zone, _digits, snapshot, link, ..] = words(header) else {
            return Err(Flaw::CutShort {
                needed: variant.file_header as u64,
                present: header.len() as u64,
            });
        };
        let (major, minor) = variant.order.halves(*version);
        let link = variant.order.u32(*link);
        let link_type = (link & 0xffff) as u16;
        Ok(Self {
            variant,
            lengths: Lengths::of_version(major, minor)?,
            link_type,
            most: most_captured(link_type, variant.order.u32(*snapshot)),
            remark: remark_on(link),
        })
    }

    /// A warning about the header, once.
    pub(super) fn take_remark(&mut self) -> Option<String> {
        self.remark.take().map(str::to_owned)
    }

    /// The item at the start of `bytes`, where a record begins.
    #[inline]
    pub(super) fn step(&self, bytes: &[u8]) -> Result<Step, Flaw> {
        let header = self.variant.record_header;
        let [seconds, fraction, first, second, ..] = words(bytes) else {
            return Ok(Step::Need(header));
        };
        if [seconds, fraction, first, second].iter().all(|word| **word == [0; 4]) {
            return Ok(Step::Zeros);
        }
        let order = self.variant.order;
        let (captured, wire_len) = self.lengths.sort(order.u32(*first), order.u32(*second));
        if captured > self.most {
            return Err(self.too_long(captured));
        }
        let used = header + captured as usize;
        if bytes.len() < used {
            return Ok(Step::Need(used));
        }
        Ok(Step::Packet(Packet {
            time_ns: Some(self.time_ns(order.u32(*seconds), order.u32(*fraction))),
            link_type: self.link_type,
            is_swapped: order.is_swapped(),
            wire_len,
            interface: 0,
            start: header,
            end: used,
            used,
        }))
    }

    /// A fraction of a second or more is added unchanged, because writers that let it grow mean this. The sum
    /// fits: 2^32 s + 2^32 us is below 2^63 ns.
    fn time_ns(&self, seconds: u32, fraction: u32) -> i64 {
        i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.variant.ns_per_fraction
    }

    #[cold]
    fn too_long(&self, claimed: u32) -> Flaw {
        Flaw::TooLong { claimed, most: self.most }
    }
}

/// The warning about the upper half of the link type field. It says whether frames end with a check sequence
/// (0x0400, with its length above); nothing else is defined.
fn remark_on(link: u32) -> Option<&'static str> {
    const HAS_CHECK_SEQUENCE: u32 = 0x0400_0000;
    const DEFINED: u32 = 0xf400_ffff;
    if link & !DEFINED != 0 || link & HAS_CHECK_SEQUENCE == 0 && link > 0xffff {
        return Some(
            "reserved bits of the link type field are set: the file may be damaged, or of a kind \
             that is not known; only the lower 16 bits are read as the link type",
        );
    }
    (link & HAS_CHECK_SEQUENCE != 0).then_some(
        "each frame ends with its check sequence (FCS), as the header says: the bytes of frames \
         count it",
    )
}

/// A record with a longer captured length is considered damaged. The file's snapshot length can raise this
/// limit, but not lower it, because writers exceed it.
fn most_captured(link_type: u16, snapshot: u32) -> u32 {
    let usual = match link_type {
        LINK_TYPE_DBUS | LINK_TYPE_USBPCAP => LARGE_UNITS_MOST,
        _ => USUAL_MOST,
    };
    // Above the hard limit, the field is not a length but means "no limit", or is itself damaged.
    if snapshot > HARD_MOST { usual } else { usual.max(snapshot) }
}
