//! The record in which kernel programs pass a packet to the agent: a header, then the first bytes of the
//! frame. Owns this layout; refuses to interpret the bytes.

/// What the hook knows about a frame, whose bytes follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Head {
    /// When the packet was seen, by CLOCK_MONOTONIC, in nanoseconds.
    pub time_ns: u64,
    /// Interface number.
    pub ifindex: u32,
    /// The length of the frame in memory, without a VLAN tag that the kernel keeps separately.
    pub frame_len: u32,
    /// The number of bytes that follow.
    pub captured: u32,
    /// The VLAN tag that the kernel keeps separately: its EtherType as in the frame (bytes in network order),
    /// and in the upper half its control information in host order. 0: there is none.
    pub vlan: u32,
    /// The number of a [`crate::Direction`].
    pub direction: u32,
    /// 1: the frame starts with its IP header.
    pub is_layer_3: u32,
}

/// The length of a [`Head`].
pub const HEAD_LEN: usize = size_of::<Head>();

const _: () = assert!(HEAD_LEN == 32);

/// The sizes in which space is reserved. They are powers of two, because the verifier needs constants. The
/// last one is also the most that is kept of a frame.
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
        let bytes = record.get(HEAD_LEN..)?.get(..head.captured as usize)?;
        Some((head, bytes))
    }

    /// The four bytes of the separately kept VLAN tag, as on the wire.
    pub fn tag(&self) -> Option<[u8; 4]> {
        let [a, b] = (self.vlan as u16).to_ne_bytes();
        let [c, d] = ((self.vlan >> 16) as u16).to_be_bytes();
        (self.vlan != 0).then_some([a, b, c, d])
    }
}
