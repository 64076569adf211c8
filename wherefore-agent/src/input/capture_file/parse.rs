//! Parts that both formats share: byte order, and the step that a parser returns for the available bytes.
//! Owns these types; refuses I/O.

/// Byte order of the host that wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Whether it differs from this host's.
    pub(super) fn is_swapped(self) -> bool {
        self != if cfg!(target_endian = "little") { Self::Little } else { Self::Big }
    }

    pub(super) fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(bytes),
            Self::Big => i64::from_be_bytes(bytes),
        }
    }

    /// The two 16-bit fields of a 32-bit word, in file order.
    pub(super) fn halves(self, [a, b, c, d]: [u8; 4]) -> (u16, u16) {
        (self.u16([a, b]), self.u16([c, d]))
    }
}

/// The 32-bit words at the start of `bytes`. Both formats consist of such words, and a slice pattern over
/// words cannot read out of bounds.
pub(super) fn words(bytes: &[u8]) -> &[[u8; 4]] {
    bytes.as_chunks().0
}

/// What a parser found at the start of the available bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The parser needs this many bytes to be available.
    Need(usize),
    /// This many bytes contain no packet. They need not be available at the same time.
    Skip(u64),
    /// There are zeros where a record or a block should begin.
    Zeros,
    Packet(Packet),
}

/// A packet in the available bytes: `start..end` are its captured bytes, and the next step begins at `used`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) time_ns: Option<i64>,
    pub(super) link_type: u16,
    pub(super) is_swapped: bool,
    pub(super) wire_len: u32,
    pub(super) interface: u32,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) used: usize,
}
