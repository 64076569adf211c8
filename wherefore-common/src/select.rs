//! The filter expression, as kernel and host evaluate it: a program of tests on a flow.
//!
//! Owns the program's layout and its evaluation, the same code on both sides. Refuses to know the language of
//! expressions, which the agent translates.

use crate::flow::FlowKey;

/// The most tests in a program.
pub const MAX_TESTS: usize = 128;
/// The target that means: the packet is watched.
pub const ACCEPT: u8 = 255;
/// The target that means: the packet is not watched.
pub const REJECT: u8 = 254;

/// The fields that tests read, by [`Field`].
pub type Fields = [u64; 8];

/// A number of a flow that tests compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// The first eight bytes of the source address, in memory order.
    Source0 = 0,
    /// The last eight bytes of the source address.
    Source1 = 1,
    /// The first eight bytes of the destination address, in memory order.
    Destination0 = 2,
    /// The last eight bytes of the destination address.
    Destination1 = 3,
    /// The source port; 0 if there is none.
    SourcePort = 4,
    /// The destination port; 0 if there is none.
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

/// A test: whether a field's masked number is in a range, and the next test for either result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Test {
    /// The number of a [`Field`].
    pub field: u64,
    /// The bits that are compared.
    pub mask: u64,
    /// The lowest number in the range.
    pub low: u64,
    /// The highest number in the range, minus the lowest.
    pub span: u64,
    /// The next test if it holds: a later one, [`ACCEPT`] or [`REJECT`].
    pub then: u8,
    /// The next test if it does not hold.
    pub otherwise: u8,
    /// Always 0.
    pub reserved: [u8; 6],
}

const _: () = assert!(size_of::<Test>() == 40);

/// Tests, each of which continues only with later ones. The first one is the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Program {
    /// The tests; unreachable ones do not matter.
    pub tests: [Test; MAX_TESTS],
}

impl Program {
    /// Whether packets with these fields are watched. An endless program, which the agent does not make,
    /// watches nothing.
    ///
    /// Every step consists of the same few instructions without branches, so that the verifier follows each
    /// step once, whatever the program.
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
