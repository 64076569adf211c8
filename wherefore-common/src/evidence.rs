//! The record of a packet that the kernel programs keep for the agent: a header, then the frame's first
//! bytes. Owns this layout; refuses to interpret the bytes.

/// The hook's information about a frame, whose bytes follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Head {
    /// CLOCK_MONOTONIC, nanoseconds.
    pub time_ns: u64,
    /// Interface number.
    pub ifindex: u32,
    /// Bytes of the frame's memory, without a VLAN tag kept aside.
    pub frame_len: u32,
    /// Bytes that follow.
    pub captured: u32,
    /// The EtherType of the VLAN tag kept aside as the frame has it (bytes in network order), and
    /// in the upper half its control information in host order; 0: there is none.
    pub vlan: u32,
    /// A [`crate::Direction`] as a number.
    pub direction: u32,
    /// 1: the frame starts with its IP header.
    pub is_layer_3: u32,
}

/// Bytes of a [`Head`].
pub const HEAD_LEN: usize = size_of::<Head>();

const _: () = assert!(HEAD_LEN == 32);

/// The sizes that room is reserved in, powers of two: the verifier wants them constant. More than
/// the last is never kept of a frame.
pub const ROOMS: [usize; 4] = [256, 2048, 16_384, 65_536];

impl Head {
    /// Splits a record into header and bytes; `None` if it is shorter than its header claims.
    pub fn read(record: &[u8]) -> Option<(Self, &[u8])> {
        let word =
            |at: usize| record.get(at..)?.first_chunk().map(|four| u32::from_ne_bytes(*four));
        let head = Self {
            time_ns: u64::from_ne_bytes(*record.first_chunk()?),
            ifindex: word(8)?,
            frame_len: word(12)?,
            captured: word(16)?,
            vlan: word(20)?,
            direction: word(24)?,
            is_layer_3: word(28)?,
        };
        let octets = record.get(HEAD_LEN..)?.get(..head.captured as usize)?;
        Some((head, octets))
    }

    /// The four bytes of the VLAN tag kept aside, as on the wire.
    pub fn tag(&self) -> Option<[u8; 4]> {
        let [a, b] = (self.vlan as u16).to_ne_bytes();
        let [c, d] = ((self.vlan >> 16) as u16).to_be_bytes();
        (self.vlan != 0).then_some([a, b, c, d])
    }
}
