//! The pcapng format: sections, interfaces and the three kinds of packet blocks (draft-ietf-opsawg-pcapng).
//! Owns this format; refuses I/O. Blocks without a packet are skipped by their length.

use super::clock::Clock;
use super::error::Flaw;
use super::parse::{Order, Packet, Step, words};

/// The first bytes of a file and of each section. They are the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// The bytes of a section that contain its byte order and version.
pub(super) const SECTION_HEAD: usize = 24;
const SECTION_SHORTEST: u32 = 28;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

const KIND_SECTION: u32 = 0x0a0d_0d0a;
const KIND_INTERFACE: u32 = 1;
const KIND_PACKET: u32 = 2;
const KIND_SIMPLE: u32 = 3;
const KIND_ENHANCED: u32 = 6;

const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
const OPTION_CHECK_SEQUENCE: u16 = 13;

/// The type and length before a block's body, and the length again after it.
const HEAD: usize = 8;
const TAIL: usize = 4;
const SHORTEST: u32 = 12;
/// A block that must be available completely may be at most this long.
const MOST_BLOCK: u32 = 256 << 20;
/// The obsolete packet block cannot refer to more interfaces, and no host has as many.
const MOST_INTERFACES: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
struct Interface {
    link_type: u16,
    /// The number of bytes that were kept of each packet; 0 for all.
    snapshot: u32,
    clock: Clock,
}

/// The state while a pcapng file is read.
#[derive(Debug)]
pub(super) struct Sections {
    order: Order,
    interfaces: Vec<Interface>,
    /// The number of interfaces in earlier sections.
    earlier: u32,
    /// The length of a block that was skipped, except for its closing length.
    unclosed: Option<u32>,
    /// Warnings about interfaces, each of them once.
    remarks: Vec<&'static str>,
    remarks_taken: usize,
}

/// The fields of a packet block, in the order of the file; lengths are in bytes.
struct Claim {
    interface: u32,
    ticks: Option<u64>,
    captured: u32,
    wire_len: u32,
    /// The number of bytes of the block's body before the packet.
    fixed: usize,
}

impl Sections {
    pub(super) fn new() -> Self {
        Self {
            order: Order::Little,
            interfaces: Vec::new(),
            earlier: 0,
            unclosed: None,
            remarks: Vec::new(),
            remarks_taken: 0,
        }
    }

    /// Warnings about interfaces since the last call.
    pub(super) fn take_remarks(&mut self) -> Vec<String> {
        let new = self.remarks[self.remarks_taken..].iter().map(|&remark| remark.to_owned());
        let new = new.collect();
        self.remarks_taken = self.remarks.len();
        new
    }

    fn remark(&mut self, remark: &'static str) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// Whether the file must not end here although no bytes are left.
    pub(super) fn inside_block(&self) -> bool {
        self.unclosed.is_some()
    }

    /// The item at the start of `bytes`, where the last step ended.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Flaw> {
        if let Some(length) = self.unclosed {
            return self.close(bytes, length);
        }
        let [kind, length, ..] = words(bytes) else {
            return Ok(Step::Need(HEAD));
        };
        if *kind == SECTION {
            return self.section(bytes);
        }
        if [kind, length].iter().all(|word| **word == [0; 4]) {
            return Ok(Step::Zeros);
        }
        let (kind, length) = (self.order.u32(*kind), self.order.u32(*length));
        match kind {
            KIND_INTERFACE | KIND_PACKET | KIND_SIMPLE | KIND_ENHANCED => {
                self.whole(bytes, kind, length)
            }
            _ => self.pass_over(kind, length),
        }
    }

    /// Begins a section: forgets interfaces, and may change the byte order.
    fn section(&mut self, bytes: &[u8]) -> Result<Step, Flaw> {
        let [_, length, mark, version, _, _, ..] = words(bytes) else {
            return Ok(Step::Need(SECTION_HEAD));
        };
        self.order = byte_order(*mark)?;
        check_version(self.order.halves(*version))?;
        let length = self.order.u32(*length);
        if length < SECTION_SHORTEST {
            return Err(bad_length(KIND_SECTION, length));
        }
        let described = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.earlier = self.earlier.saturating_add(described);
        self.interfaces.clear();
        self.pass_over(KIND_SECTION, length)
    }

    /// Skips a block, except for its closing length.
    fn pass_over(&mut self, kind: u32, length: u32) -> Result<Step, Flaw> {
        let total = padded(kind, length)?;
        self.unclosed = Some(length);
        Ok(Step::Skip(total - TAIL as u64))
    }

    fn close(&mut self, bytes: &[u8], head: u32) -> Result<Step, Flaw> {
        let [tail, ..] = words(bytes) else {
            return Ok(Step::Need(TAIL));
        };
        self.check_tail(head, *tail)?;
        self.unclosed = None;
        Ok(Step::Skip(TAIL as u64))
    }

    /// Reads a block that must be available completely.
    fn whole(&mut self, bytes: &[u8], kind: u32, length: u32) -> Result<Step, Flaw> {
        if length > MOST_BLOCK {
            return Err(Flaw::TooLong { claimed: length, most: MOST_BLOCK });
        }
        let total = padded(kind, length)? as usize;
        let Some(block) = bytes.get(..total) else {
            return Ok(Step::Need(total));
        };
        let Some((rest, tail)) = block.split_last_chunk() else {
            return Err(bad_length(kind, length));
        };
        self.check_tail(length, *tail)?;
        let body = rest.get(HEAD..).unwrap_or_default();
        if kind == KIND_INTERFACE {
            self.describe(body, length)?;
            return Ok(Step::Skip(total as u64));
        }
        let claim = self.claim(kind, body);
        let claim = claim.ok_or_else(|| bad_length(kind, length))?;
        self.packet(&claim, body.len(), total).map(Step::Packet)
    }

    fn check_tail(&self, head: u32, tail: [u8; TAIL]) -> Result<(), Flaw> {
        let tail = self.order.u32(tail);
        if tail == head { Ok(()) } else { Err(Flaw::BlockEnd { head, tail }) }
    }

    fn describe(&mut self, body: &[u8], length: u32) -> Result<(), Flaw> {
        let [link, snapshot, ..] = words(body) else {
            return Err(bad_length(KIND_INTERFACE, length));
        };
        if self.interfaces.len() >= MOST_INTERFACES {
            return Err(Flaw::TooManyInterfaces(MOST_INTERFACES));
        }
        let options = body.get(8..).unwrap_or_default();
        let (link_type, reserved) = self.order.halves(*link);
        let described = options_of(self.order, options)?;
        self.interfaces.push(Interface {
            link_type,
            snapshot: self.order.u32(*snapshot),
            clock: described.clock,
        });
        if reserved != 0 {
            self.remark(
                "reserved bits of an interface's link type are set: the file may be damaged, or \
                 of a kind that is not known; only the link type itself is read",
            );
        }
        if described.has_check_sequence {
            self.remark(
                "frames of an interface end with their check sequence (FCS), as the file says: \
                 the bytes of frames count it",
            );
        }
        Ok(())
    }

    /// The fixed fields of a packet block; `None` if the body is too short for them.
    fn claim(&self, kind: u32, body: &[u8]) -> Option<Claim> {
        if kind == KIND_SIMPLE {
            return self.simple(body);
        }
        let [interface, high, low, captured, wire_len, ..] = words(body) else {
            return None;
        };
        let u32 = |word: &[u8; 4]| self.order.u32(*word);
        Some(Claim {
            interface: match kind {
                // The other half counts drops.
                KIND_PACKET => self.order.halves(*interface).0.into(),
                _ => u32(interface),
            },
            ticks: Some(u64::from(u32(high)) << 32 | u64::from(u32(low))),
            captured: u32(captured),
            wire_len: u32(wire_len),
            fixed: 20,
        })
    }

    /// A simple packet belongs to the section's first interface, whose snapshot length limited it.
    fn simple(&self, body: &[u8]) -> Option<Claim> {
        let [wire_len, ..] = words(body) else {
            return None;
        };
        let wire_len = self.order.u32(*wire_len);
        let captured = match self.interfaces.first() {
            Some(first) if first.snapshot != 0 => wire_len.min(first.snapshot),
            _ => wire_len,
        };
        Some(Claim { interface: 0, ticks: None, captured, wire_len, fixed: 4 })
    }

    fn packet(&self, claim: &Claim, body: usize, used: usize) -> Result<Packet, Flaw> {
        let described = self.interfaces.get(claim.interface as usize);
        let interface = described.ok_or(Flaw::NoInterface {
            interface: claim.interface,
            described: self.interfaces.len(),
        })?;
        let room = body.saturating_sub(claim.fixed);
        if claim.captured as usize > room {
            return Err(Flaw::PacketOverflow { captured: claim.captured, room });
        }
        let start = HEAD + claim.fixed;
        Ok(Packet {
            time_ns: claim.ticks.map(|ticks| interface.clock.time_ns(ticks)),
            link_type: interface.link_type,
            is_swapped: self.order.is_swapped(),
            wire_len: claim.wire_len,
            interface: self.earlier.saturating_add(claim.interface),
            start,
            end: start + claim.captured as usize,
            used,
        })
    }
}

#[cold]
fn bad_length(kind: u32, length: u32) -> Flaw {
    Flaw::BlockLength { kind, length }
}

/// The number of bytes that a block takes in the file. Some writers do not include the padding in the length
/// field, although they write it, so the field is rounded up.
fn padded(kind: u32, length: u32) -> Result<u64, Flaw> {
    if length < SHORTEST {
        return Err(bad_length(kind, length));
    }
    Ok(u64::from(length).next_multiple_of(4))
}

fn byte_order(mark: [u8; 4]) -> Result<Order, Flaw> {
    [Order::Little, Order::Big]
        .into_iter()
        .find(|order| order.u32(mark) == BYTE_ORDER)
        .ok_or(Flaw::ByteOrder(mark))
}

/// Some writers use version 1.2, which must be read like 1.0.
fn check_version((major, minor): (u16, u16)) -> Result<(), Flaw> {
    match (major, minor) {
        (1, 0 | 2) => Ok(()),
        _ => Err(Flaw::Version { format: "pcapng", major, minor }),
    }
}

/// The options of an interface.
#[derive(Debug, Default)]
struct Described {
    clock: Clock,
    has_check_sequence: bool,
}

/// Walks the options of an interface.
fn options_of(order: Order, mut options: &[u8]) -> Result<Described, Flaw> {
    let mut described = Described::default();
    while let Some((head, rest)) = options.split_first_chunk() {
        let (code, length) = order.halves(*head);
        if code == OPTION_END {
            break;
        }
        let bad = || Flaw::BadOption { code, length };
        let value = rest.get(..length.into()).ok_or_else(bad)?;
        set_option(&mut described, order, code, value).ok_or_else(bad)?;
        let next = usize::from(length).next_multiple_of(4);
        options = rest.get(next..).unwrap_or_default();
    }
    Ok(described)
}

/// Applies one option; `None` if its length is wrong.
fn set_option(to: &mut Described, order: Order, code: u16, value: &[u8]) -> Option<()> {
    match code {
        OPTION_RESOLUTION => {
            let [resolution] = value else { return None };
            to.clock.set_resolution(*resolution);
        }
        OPTION_OFFSET => to.clock.set_offset(order.i64(value.try_into().ok()?)),
        OPTION_CHECK_SEQUENCE => {
            to.has_check_sequence = value.first().is_some_and(|bits| *bits > 0)
        }
        _ => {}
    }
    Some(())
}
