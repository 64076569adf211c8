//! The filter expression, as the kernel and the host run it: a program of tests on one flow.
//!
//! Owns the program's layout and its one evaluation, the same code on both sides. Refuses to know
//! the language that expressions are written in; the agent translates it.

use crate::flow::FlowKey;

/// Tests in a program at most.
pub const MAX_TESTS: usize = 128;
/// The target of a watched packet.
pub const ACCEPT: u8 = 255;
/// The target of a packet that is not watched.
pub const REJECT: u8 = 254;

/// The fields that tests look at, by [`Field`].
pub type Fields = [u64; 8];

/// A number of a flow that tests compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// The first eight bytes of the source address, in memory order.
    Source0 = 0,
    /// The last eight.
    Source1 = 1,
    /// The first eight bytes of the destination address, in memory order.
    Destination0 = 2,
    /// The last eight.
    Destination1 = 3,
    /// The source port, 0 if there is none.
    SourcePort = 4,
    /// The destination port, 0 if there is none.
    DestinationPort = 5,
    /// The protocol.
    Protocol = 6,
    /// 4 or 6.
    Family = 7,
}

/// The numbers of a flow, in the order of [`Field`].
#[inline(always)]
pub fn fields(key: &FlowKey) -> Fields {
    [
        key.src[0],
        key.src[1],
        key.dst[0],
        key.dst[1],
        u64::from(key.sport),
        u64::from(key.dport),
        u64::from(key.protocol),
        u64::from(key.family),
    ]
}

/// One test: whether a field's masked number lies in a range, and the next test for either result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Test {
    /// A [`Field`] as a number.
    pub field: u64,
    /// The bits that count.
    pub mask: u64,
    /// The lowest number in the range.
    pub low: u64,
    /// The difference to the highest number in the range.
    pub span: u64,
    /// The next test if it holds: a later one, or [`ACCEPT`] or [`REJECT`].
    pub then: u8,
    /// The next test if it does not hold.
    pub otherwise: u8,
    /// Always 0.
    pub reserved: [u8; 6],
}

const _: () = assert!(size_of::<Test>() == 40);

/// Tests of which each continues only with later ones; the first is the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Program {
    /// The tests; unreachable ones do not matter.
    pub tests: [Test; MAX_TESTS],
}

impl Program {
    /// Whether packets with these fields are watched. An endless program, which the agent
    /// does not make, watches nothing.
    ///
    /// Every step is the same few instructions without branches, so that the verifier follows them
    /// once each, whatever the program.
    #[inline(always)]
    pub fn accepts(&self, fields: &Fields) -> bool {
        let mut at = 0;
        for _ in 0..MAX_TESTS {
            let test = &self.tests[at as usize & (MAX_TESTS - 1)];
            let number = fields[test.field as usize & 7] & test.mask;
            let holds = number.wrapping_sub(test.low) <= test.span;
            at = if holds { test.then } else { test.otherwise };
            if at >= REJECT {
                break;
            }
        }
        at == ACCEPT
    }
}
