//! The key of a flow and its counters. Owns their layouts, which are those of the maps' keys and values.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The direction in which a frame passed the interface (IPFIX `flowDirection`, IE 61).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// Unknown, as in a capture file.
    Unknown = 0,
    /// Received by the interface.
    Ingress = 1,
    /// Sent by the interface.
    Egress = 2,
}

impl Direction {
    /// The direction with this number in a [`FlowKey`].
    pub fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Ingress,
            2 => Self::Egress,
            _ => Self::Unknown,
        }
    }

    /// The word used in output: `ingress`, `egress` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// An IP address as its bytes in network order, stored in words. IPv4 uses the first four bytes.
pub type AddressWords = [u64; 2];

/// A unidirectional 5-tuple at one interface in one direction. Ports are 0 if the protocol or the fragment has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct FlowKey {
    /// Source address in the outermost IP header.
    pub src: AddressWords,
    /// Destination address in the outermost IP header.
    pub dst: AddressWords,
    /// Interface number; 0 in a replay.
    pub ifindex: u32,
    /// Source port, host byte order.
    pub sport: u16,
    /// Destination port, host byte order.
    pub dport: u16,
    /// IP protocol number (IANA); for IPv6 the one after the extension headers.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
    /// The number of a [`Direction`].
    pub direction: u8,
    /// Always 0, like the next field: a map key must have no undefined bytes. Not an array, which BPF would
    /// clear with a function call.
    pub reserved: u8,
    /// Always 0.
    pub reserved_word: u32,
}

const _: () = assert!(size_of::<FlowKey>() == 48);

impl FlowKey {
    /// Source address.
    pub fn src_ip(&self) -> IpAddr {
        address(self.family, &self.src)
    }

    /// Destination address.
    pub fn dst_ip(&self) -> IpAddr {
        address(self.family, &self.dst)
    }

    /// Direction at the interface.
    pub fn direction(&self) -> Direction {
        Direction::from_u8(self.direction)
    }
}

/// The address that these words stand for.
pub fn address(family: u8, words: &AddressWords) -> IpAddr {
    let mut bytes = [0; 16];
    for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *chunk = word.to_ne_bytes();
    }
    match (family, bytes) {
        (4, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(bytes)),
    }
}

/// The family (4 or 6) and the words of an address.
///
/// # Example
/// ```
/// use std::net::IpAddr;
/// use wherefore_common::flow::{address, address_words};
///
/// let ip: IpAddr = "2001:db8::1".parse().unwrap();
/// let (family, words) = address_words(ip);
/// assert_eq!(family, 6);
/// assert_eq!(address(family, &words), ip);
/// ```
pub fn address_words(address: IpAddr) -> (u8, AddressWords) {
    let (family, octets) = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            (4, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        }
        IpAddr::V6(v6) => (6, v6.octets()),
    };
    let mut words = [0; 2];
    for (word, chunk) in words.iter_mut().zip(octets.as_chunks::<8>().0) {
        *word = u64::from_ne_bytes(*chunk);
    }
    (family, words)
}

/// The counters of a flow or of uncounted frames; one cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Packets on the wire (IPFIX `packetDeltaCount`): a GSO/GRO packet counts as its segments.
    pub packets: u64,
    /// IP-layer bytes on the wire (IPFIX `octetDeltaCount`); each segment has its own headers.
    pub bytes: u64,
    /// Link-layer bytes on the wire, without FCS; each segment has its own headers.
    pub frame_bytes: u64,
    /// Frames as the device counts them: a GSO/GRO packet counts once.
    pub device_packets: u64,
    /// Bytes as the device counts them.
    pub device_bytes: u64,
    /// Time of the first packet, nanoseconds (kernel: CLOCK_MONOTONIC; host: since 1970, as `i64`).
    pub first_ns: u64,
    /// Time of the last packet, by the same clock.
    pub last_ns: u64,
    /// All TCP flags seen, combined by OR (IPFIX `tcpControlBits`).
    pub tcp_flags: u64,
}

const _: () = assert!(size_of::<Counters>() == 64);

impl Counters {
    /// Adds the counts of `other`. Times are compared as signed nanoseconds, because they may be before
    /// 1970.
    ///
    /// # Example
    /// ```
    /// use wherefore_common::Counters;
    ///
    /// let one = Counters { packets: 1, bytes: 40, device_packets: 1, first_ns: 7, last_ns: 7, ..Counters::default() };
    /// let mut sum = Counters { packets: 2, bytes: 80, device_packets: 2, first_ns: 3, last_ns: 5, ..Counters::default() };
    /// sum.merge(&one);
    /// assert_eq!((sum.packets, sum.bytes), (3, 120));
    /// assert_eq!((sum.first_ns, sum.last_ns), (3, 7));
    /// ```
    pub fn merge(&mut self, other: &Counters) {
        if other.device_packets == 0 {
            return;
        }
        if self.device_packets == 0 {
            *self = *other;
            return;
        }
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.frame_bytes += other.frame_bytes;
        self.device_packets += other.device_packets;
        self.device_bytes += other.device_bytes;
        self.first_ns = (self.first_ns as i64).min(other.first_ns as i64) as u64;
        self.last_ns = (self.last_ns as i64).max(other.last_ns as i64) as u64;
        self.tcp_flags |= other.tcp_flags;
    }

    /// The counts since `earlier`. Only sums are subtracted; times and flags are those of `self`.
    ///
    /// # Example
    /// ```
    /// use wherefore_common::Counters;
    ///
    /// let earlier = Counters { packets: 10, bytes: 1000, ..Counters::default() };
    /// let now = Counters { packets: 12, bytes: 1080, ..Counters::default() };
    /// assert_eq!(now.since(&earlier).bytes, 80);
    /// ```
    pub fn since(&self, earlier: &Counters) -> Counters {
        Counters {
            packets: self.packets.wrapping_sub(earlier.packets),
            bytes: self.bytes.wrapping_sub(earlier.bytes),
            frame_bytes: self.frame_bytes.wrapping_sub(earlier.frame_bytes),
            device_packets: self.device_packets.wrapping_sub(earlier.device_packets),
            device_bytes: self.device_bytes.wrapping_sub(earlier.device_bytes),
            ..*self
        }
    }
}

/// The reason why a frame is uncounted, that is, in no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// There is no IP header after the supported link layers.
    NonIp = 0,
    /// The IP header contradicts itself, or is cut short.
    MalformedIp = 1,
    /// The filter excludes the packet.
    Filtered = 2,
    /// The flow table was full.
    Overflow = 3,
    /// The filter excludes the frame, which has no usable IP header.
    FilteredNonIp = 4,
}

impl Reason {
    /// The reasons that kernel programs use, in the order of their numbers. The programs evaluate the filter
    /// only for flows; the agent knows what it means for frames in no flow.
    pub const IN_KERNEL: [Reason; 4] =
        [Reason::NonIp, Reason::MalformedIp, Reason::Filtered, Reason::Overflow];

    /// The reason with this number.
    pub fn of(number: u8) -> Option<Self> {
        let mut all = Self::IN_KERNEL.into_iter().chain([Self::FilteredNonIp]);
        all.find(|known| *known as u8 == number)
    }

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NonIp => "non_ip",
            Self::MalformedIp => "malformed_ip",
            Self::Filtered => "filtered",
            Self::Overflow => "overflow",
            Self::FilteredNonIp => "filtered_non_ip",
        }
    }
}

/// The key of a counter of uncounted frames: an interface, a direction and a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct RemainderKey {
    /// Interface number.
    pub ifindex: u32,
    /// The number of a [`Direction`].
    pub direction: u8,
    /// The number of a [`Reason`].
    pub reason: u8,
    /// Always 0.
    pub reserved: u16,
}

const _: () = assert!(size_of::<RemainderKey>() == 8);

impl RemainderKey {
    /// The key for this interface, direction and reason.
    #[inline(always)]
    pub fn new(ifindex: u32, direction: Direction, reason: Reason) -> Self {
        Self { ifindex, direction: direction as u8, reason: reason as u8, reserved: 0 }
    }
}
