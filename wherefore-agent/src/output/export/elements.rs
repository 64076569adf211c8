//! The content of a record: IPFIX information elements by their numbers, and the templates that list them.
//! Owns which elements are sent, their sizes and their values; refuses to know messages.
//!
//! Numbers and meanings are those of IANA's registry "IPFIX Information Elements" (RFC 7012). A record is
//! written according to its own template, so that the two cannot differ.

use std::net::IpAddr;

use wherefore_common::flow::Direction;
use wherefore_common::protocol::TCP;
use wherefore_common::{Counters, FlowKey};

const OCTETS: u16 = 1;
const PACKETS: u16 = 2;
const FLOWS: u16 = 3;
const PROTOCOL: u16 = 4;
const TCP_FLAGS: u16 = 6;
const SOURCE_PORT: u16 = 7;
const SOURCE_V4: u16 = 8;
const SOURCE_V4_PREFIX: u16 = 9;
const INGRESS: u16 = 10;
const DESTINATION_PORT: u16 = 11;
const DESTINATION_V4: u16 = 12;
const DESTINATION_V4_PREFIX: u16 = 13;
const EGRESS: u16 = 14;
const SOURCE_V6: u16 = 27;
const DESTINATION_V6: u16 = 28;
const SOURCE_V6_PREFIX: u16 = 29;
const DESTINATION_V6_PREFIX: u16 = 30;
const VERSION: u16 = 60;
const DIRECTION: u16 = 61;
const INTERFACE_NAME: u16 = 82;
const END_REASON: u16 = 136;
const OBSERVATION_POINT: u16 = 138;
const EXPORTING_PROCESS: u16 = 144;
const START: u16 = 152;
const END: u16 = 153;
const IGNORED_PACKETS: u16 = 164;
const IGNORED_OCTETS: u16 = 165;
const NOT_SENT_FLOWS: u16 = 166;
const NOT_SENT_PACKETS: u16 = 167;
const NOT_SENT_OCTETS: u16 = 168;

/// The length of a value that contains its own length (RFC 7011, section 7).
const VARIABLE: u16 = u16::MAX;
/// The longest text whose length fits in one byte.
const LONGEST_NAME: usize = 254;

/// An element and the bytes of its value.
pub(super) type Field = (u16, u16);

const V4: &[Field] = &[(SOURCE_V4, 4), (DESTINATION_V4, 4)];
const V6: &[Field] = &[(SOURCE_V6, 16), (DESTINATION_V6, 16)];
/// Any address: a prefix of zero bits.
const ANY_V4: &[Field] = &[(SOURCE_V4_PREFIX, 1), (DESTINATION_V4_PREFIX, 1)];
const ANY_V6: &[Field] = &[(SOURCE_V6_PREFIX, 1), (DESTINATION_V6_PREFIX, 1)];
const TRANSPORT: &[Field] =
    &[(SOURCE_PORT, 2), (DESTINATION_PORT, 2), (PROTOCOL, 1), (TCP_FLAGS, 2), (END_REASON, 1)];
const MANY: &[Field] = &[(FLOWS, 4)];
const COUNTS: &[Field] = &[(OCTETS, 8), (PACKETS, 8), (START, 8), (END, 8), (VERSION, 1)];
const SIDED: &[Field] = &[(DIRECTION, 1), (INGRESS, 4), (EGRESS, 4)];
const UNSIDED: &[Field] = &[(OBSERVATION_POINT, 4)];

/// The kind of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    /// IPv6; otherwise IPv4.
    pub(super) is_v6: bool,
    /// Without a direction: libpcap and captures have none.
    pub(super) is_unsided: bool,
    /// Whether it is for sums of many flows.
    pub(super) is_sum: bool,
}

/// The number of the first template; RFC 7011 reserves those below.
const FIRST: u16 = 256;
/// The numbers of the options templates.
const LOSSES: u16 = 264;
const OVERFLOW: u16 = 265;
const INTERFACE: u16 = 266;

impl Shape {
    /// All kinds.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|bits| Self {
            is_v6: bits & 1 != 0,
            is_unsided: bits & 2 != 0,
            is_sum: bits & 4 != 0,
        })
    }

    /// The kind that a record needs.
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            is_v6: record.key.family == 6,
            is_unsided: record.key.direction() == Direction::Unknown,
            is_sum: record.is_sum,
        }
    }

    /// The number of its template.
    pub(super) fn id(self) -> u16 {
        let bits = [(self.is_v6, 1), (self.is_unsided, 2), (self.is_sum, 4)];
        FIRST + bits.iter().map(|(is_set, bit)| if *is_set { *bit } else { 0 }).sum::<u16>()
    }

    /// The fields of its records.
    pub(super) fn fields(self) -> Vec<Field> {
        let addresses = if self.is_v6 { V6 } else { V4 };
        let rest: [&[Field]; 2] = match (self.is_sum, self.is_v6) {
            (false, _) => [TRANSPORT, &[]],
            (true, false) => [ANY_V4, MANY],
            (true, true) => [ANY_V6, MANY],
        };
        let side = if self.is_unsided { UNSIDED } else { SIDED };
        [addresses, rest[0], rest[1], COUNTS, side].concat()
    }
}

/// A flow, or the sum of many flows with the same interface, direction and IP version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    /// The flow. For a sum, only interface, direction and family are used.
    pub(super) key: &'a FlowKey,
    /// Its counters in the interval.
    pub(super) counters: &'a Counters,
    /// The number of flows in it.
    pub(super) flows: u32,
    /// Whether it sums up flows that have no records of their own.
    pub(super) is_sum: bool,
    /// Whether the interval was cut short because the agent ends.
    pub(super) is_last: bool,
}

impl Record<'_> {
    /// Writes the record according to its template.
    pub(super) fn write(&self, fields: &[Field], to: &mut Vec<u8>) {
        for (element, length) in fields {
            match *element {
                SOURCE_V4 | SOURCE_V6 => write_address(self.key.src_ip(), to),
                DESTINATION_V4 | DESTINATION_V6 => write_address(self.key.dst_ip(), to),
                element => write_number(self.number(element), *length, to),
            }
        }
    }

    fn number(&self, element: u16) -> u64 {
        let Self { key, counters, .. } = self;
        let interface = |direction| {
            if key.direction() == direction { u64::from(key.ifindex) } else { 0 }
        };
        match element {
            OCTETS => counters.bytes,
            PACKETS => counters.packets,
            FLOWS => self.flows.into(),
            PROTOCOL => key.protocol.into(),
            TCP_FLAGS => counters.tcp_flags & u64::from(u16::MAX),
            SOURCE_PORT => key.sport.into(),
            DESTINATION_PORT => key.dport.into(),
            INGRESS => interface(Direction::Ingress),
            EGRESS => interface(Direction::Egress),
            OBSERVATION_POINT => key.ifindex.into(),
            VERSION => key.family.into(),
            DIRECTION => u64::from(key.direction() == Direction::Egress),
            END_REASON => self.end_reason(),
            START => milliseconds(counters.first_ns),
            END => milliseconds(counters.last_ns),
            // The lengths of prefixes: zero bits.
            _ => 0,
        }
    }

    /// The value of `flowEndReason`. Only TCP shows whether a flow continues after its interval.
    fn end_reason(&self) -> u64 {
        const ACTIVE_TIMEOUT: u64 = 2;
        const END_DETECTED: u64 = 3;
        const FORCED_END: u64 = 4;
        const FIN_OR_RST: u64 = 1 | 4;
        if self.key.protocol == TCP && self.counters.tcp_flags & FIN_OR_RST != 0 {
            END_DETECTED
        } else if self.is_last {
            FORCED_END
        } else {
            ACTIVE_TIMEOUT
        }
    }
}

/// Converts nanoseconds, which may be before 1970; these elements cannot be.
fn milliseconds(nanoseconds: u64) -> u64 {
    (nanoseconds as i64).max(0).unsigned_abs() / 1_000_000
}

fn write_address(address: IpAddr, to: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => to.extend(address.octets()),
        IpAddr::V6(address) => to.extend(address.octets()),
    }
}

/// Writes the low bytes of a number in network order.
fn write_number(number: u64, length: u16, to: &mut Vec<u8>) {
    let all = number.to_be_bytes();
    to.extend(&all[all.len().saturating_sub(length.into())..]);
}

/// A record about the exporter itself, with an options template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    /// Flows that did not reach the collector, as far as the exporter knows (RFC 7011, section 4.3).
    Losses {
        /// Flows, packets and bytes since the start.
        sums: [u64; 3],
    },
    /// Packets in no flow because the table was full (section 4.2).
    Overflow {
        /// Packets and bytes since the start.
        sums: [u64; 2],
    },
    /// The name of an interface (similar to section 4.4).
    Interface {
        /// Its number.
        ifindex: u32,
        /// Its name.
        name: String,
    },
}

/// An options template: its number, its fields, and how many of these are scope fields.
pub(super) type OptionsTemplate = (u16, &'static [Field], u16);

impl About {
    /// All options templates.
    pub(super) const TEMPLATES: [OptionsTemplate; 3] = [
        (
            LOSSES,
            &[
                (EXPORTING_PROCESS, 4),
                (NOT_SENT_FLOWS, 8),
                (NOT_SENT_PACKETS, 8),
                (NOT_SENT_OCTETS, 8),
            ],
            1,
        ),
        (OVERFLOW, &[(EXPORTING_PROCESS, 4), (IGNORED_PACKETS, 8), (IGNORED_OCTETS, 8)], 1),
        (INTERFACE, &[(INGRESS, 4), (INTERFACE_NAME, VARIABLE)], 1),
    ];

    /// The number of its template.
    pub(super) fn id(&self) -> u16 {
        match self {
            Self::Losses { .. } => LOSSES,
            Self::Overflow { .. } => OVERFLOW,
            Self::Interface { .. } => INTERFACE,
        }
    }

    /// Writes the record according to its template.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let process = std::process::id();
        match self {
            Self::Losses { sums } => {
                to.extend(process.to_be_bytes());
                sums.iter().for_each(|sum| to.extend(sum.to_be_bytes()));
            }
            Self::Overflow { sums } => {
                to.extend(process.to_be_bytes());
                sums.iter().for_each(|sum| to.extend(sum.to_be_bytes()));
            }
            Self::Interface { ifindex, name } => {
                to.extend(ifindex.to_be_bytes());
                let name = &name.as_bytes()[..name.len().min(LONGEST_NAME)];
                to.push(name.len() as u8);
                to.extend(name);
            }
        }
    }
}

/// The length of a record with these fields, in bytes.
pub(super) fn encoded_len(fields: &[Field]) -> usize {
    fields.iter().map(|(_, length)| usize::from(*length)).sum()
}

#[cfg(test)]
mod tests {
    use wherefore_common::flow::address_words;

    use super::*;

    #[test]
    fn templates_have_numbers_of_their_own_and_records_their_length() {
        let mut ids: Vec<_> = Shape::all().map(Shape::id).collect();
        ids.extend(About::TEMPLATES.map(|(id, ..)| id));
        let all: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!((all.len(), ids.iter().min()), (11, Some(&FIRST)));
        let counters = Counters::default();
        for shape in Shape::all() {
            let family = if shape.is_v6 { 6 } else { 4 };
            let key =
                FlowKey { family, direction: u8::from(!shape.is_unsided), ..Default::default() };
            let is_sum = shape.is_sum;
            let record =
                Record { key: &key, counters: &counters, flows: 1, is_sum, is_last: false };
            assert_eq!(Shape::of(&record), shape);
            let mut bytes = Vec::new();
            record.write(&shape.fields(), &mut bytes);
            assert_eq!(bytes.len(), encoded_len(&shape.fields()), "{shape:?}");
        }
    }

    #[test]
    fn a_record_is_laid_out_as_its_template_says() {
        let [src, dst] = ["192.0.2.1", "198.51.100.2"].map(|text| text.parse().unwrap());
        let key = FlowKey {
            src: address_words(src).1,
            dst: address_words(dst).1,
            ifindex: 7,
            sport: 0x1234,
            dport: 443,
            protocol: 6,
            family: 4,
            direction: Direction::Egress as u8,
            ..FlowKey::default()
        };
        let counters = Counters {
            packets: 3,
            bytes: 1 << 40,
            first_ns: 1_700_000_000_123_456_789,
            last_ns: 1_700_000_000_999_999_999,
            tcp_flags: 0x12,
            ..Counters::default()
        };
        let record =
            Record { key: &key, counters: &counters, flows: 1, is_sum: false, is_last: false };
        let mut bytes = Vec::new();
        record.write(&Shape::of(&record).fields(), &mut bytes);
        let first = 1_700_000_000_123_u64.to_be_bytes();
        let last = 1_700_000_000_999_u64.to_be_bytes();
        let due = [
            &[192, 0, 2, 1, 198, 51, 100, 2][..],
            &[0x12, 0x34, 0x01, 0xbb, 6, 0, 0x12, 2],
            &[0, 0, 1, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 0, 0, 3],
            &first,
            &last,
            &[4, 1, 0, 0, 0, 0, 0, 0, 0, 7],
        ];
        assert_eq!(bytes, due.concat());
    }

    #[test]
    fn an_end_has_its_reason() {
        let reason = |protocol, tcp_flags, is_last| {
            let key = FlowKey { protocol, family: 4, ..FlowKey::default() };
            let counters = Counters { tcp_flags, ..Counters::default() };
            let (flows, is_sum) = (1, false);
            Record { key: &key, counters: &counters, flows, is_sum, is_last }.end_reason()
        };
        assert_eq!([reason(6, 0x10, false), reason(6, 0x11, true)], [2, 3]);
        assert_eq!([reason(6, 4, false), reason(17, 4, false), reason(17, 0, true)], [3, 2, 4]);
    }

    #[test]
    fn times_before_1970_are_its_beginning() {
        assert_eq!(milliseconds(-1_000_000_i64 as u64), 0);
        assert_eq!(milliseconds(1_999_999), 1);
    }
}
