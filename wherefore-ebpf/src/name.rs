//! The key by which a flow is looked up in the table, as the words of a slot. Owns how these are made from
//! packets and keys in few instructions; refuses to know where slots are.

use wherefore_common::flow::AddressWords;
use wherefore_common::plain::Plain;
use wherefore_common::table::ShortKey;
use wherefore_common::{Direction, FlowKey};

use crate::packet::one_register;

/// A flow key in the form of slots.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(crate) short: ShortKey,
    /// Source and destination if they are IPv6; slots have these in the cold fields.
    pub(crate) addresses: Option<[&'a AddressWords; 2]>,
}

impl<'a> Name<'a> {
    /// The name of a plain packet, which was never stored in memory.
    #[inline(always)]
    pub(crate) fn of_plain(packet: &'a Plain, ifindex: u32, direction: Direction) -> Self {
        let Plain { src, dst, ports, protocol, family, .. } = packet;
        let short = ShortKey {
            addresses: ShortKey::addresses(*family, src, dst),
            ports: ShortKey::ports(ifindex, *ports),
            kind: ShortKey::kind(*protocol, *family, direction as u8),
        };
        Self { short, addresses: (*family != 4).then_some([src, dst]) }
    }

    /// The name for a key. Each part is read as wide as the parser wrote it: a wider read of data that was
    /// just written in parts waits until it has reached the cache.
    #[inline(always)]
    pub(crate) fn of_key(key: &'a FlowKey) -> Self {
        macro_rules! read {
            ($part:ident) => {
                // SAFETY: of a reference. Volatile, or reads become one again.
                unsafe { (&raw const key.$part).read_volatile() }
            };
        }
        let ports = u32::from(read!(sport)) << 16 | u32::from(read!(dport));
        let family = read!(family);
        let short = ShortKey {
            addresses: ShortKey::addresses(family, &key.src, &key.dst),
            ports: ShortKey::ports(read!(ifindex), ports),
            kind: ShortKey::kind(read!(protocol), family, read!(direction)),
        };
        Self { short, addresses: (family != 4).then_some([&key.src, &key.dst]) }
    }

    /// The key.
    #[inline(always)]
    pub(crate) fn key(&self) -> FlowKey {
        let none = [0; 2];
        let [src, dst] = self.addresses.unwrap_or([&none, &none]);
        // Calculated from the words again: otherwise their inputs would have to be kept as well.
        let ShortKey { addresses, ports, kind } = self.short;
        let [addresses, ports] = [addresses, ports].map(
            #[inline(always)]
            |word| one_register(word as usize) as u64,
        );
        ShortKey { addresses, ports, kind }.with(src, dst)
    }

    /// A number whose high bits depend on the whole key, even for neighbouring keys.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u64 {
        let ShortKey { addresses, ports, kind } = self.short;
        let mixed = addresses.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ports ^ kind;
        (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }
}
