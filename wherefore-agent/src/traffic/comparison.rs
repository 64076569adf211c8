//! Compares the interface's own counters with ours: whether they are equal, and what explains a difference.
//! Owns which explanations are accepted; refuses to count.

use serde::Serialize;

use crate::traffic::flows::ETHERNET_HEADER;

/// One interface's own counters and ours, both since attaching.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct InterfaceReading {
    /// Its name.
    pub interface: String,
    /// Whether the interface disappeared in this interval. Its own figures are then those of the last
    /// reading, and later traffic is only in ours.
    pub gone: bool,
    /// Received traffic.
    pub ingress: Comparison,
    /// Sent traffic.
    pub egress: Comparison,
}

impl InterfaceReading {
    /// Whether both directions are equal.
    pub fn is_equal(&self) -> bool {
        self.ingress.is_equal() && self.egress.is_equal()
    }

    /// Whether both directions agree, as far as the interface still exists.
    pub fn agrees(&self) -> bool {
        self.gone || (self.ingress.agrees() && self.egress.agrees())
    }
}

/// The interface's own counters and ours, in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Comparison {
    /// Whether this direction is watched; if not, everything else is 0.
    pub watched: bool,
    /// Bytes in flows and of uncounted frames, as they passed the hook: a GSO/GRO packet once.
    pub counted_bytes: u64,
    /// Frames in flows and uncounted frames, as they passed the hook.
    pub counted_packets: u64,
    /// Bytes in flows and of uncounted frames, as on the wire: a GSO/GRO packet as its segments.
    pub wire_bytes: u64,
    /// Packets in flows and uncounted ones, as on the wire.
    pub wire_packets: u64,
    /// Bytes by the interface's own counters.
    pub interface_bytes: u64,
    /// Frames by the interface's own counters.
    pub interface_packets: u64,
    /// Bytes that the interface counted while the programs were being attached or detached, or between two of
    /// our readings. Both counts may differ by this number.
    pub uncertain_bytes: u64,
    /// Bytes that the interface counted before the programs were attached, if it appeared while the agent was
    /// running. They are in none of the figures above.
    pub missed_bytes: u64,
    /// The reason why the interface's counters cannot be compared with ours, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_comparable: Option<&'static str>,
    /// Bytes of each frame that this kind of device does not count.
    #[serde(skip)]
    pub header_bytes: u64,
    /// The most frames whose Ethernet header this device may have counted twice.
    #[serde(skip)]
    pub repeated_headers: u64,
    /// Frames that were counted and then dropped, by the device or its queue, or that still wait there.
    #[serde(skip)]
    pub dropped_packets: u64,
    /// Received IPsec packets. Their decrypted contents pass the hook again if the tunnel has no device of
    /// its own.
    #[serde(skip)]
    pub ipsec_packets: u64,
}

/// The reason that is given if a device's counters differ because packets pass the hook twice.
pub const DECRYPTED_TWICE: &str =
    "received IPsec packets pass the hook again when they are decrypted";

/// Frames and their bytes, in one of the ways in which devices count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Comparison {
    /// Bytes that the device counted and we did not; negative if we counted more. We compare with the nearest
    /// of the ways in which this device may count. A device that gets whole GSO/GRO packets counts as the
    /// hook does. One that gets the segments (no TSO), or counts before they are joined (GRO on a network
    /// card), counts as the wire does. Devices that do not count a header do so in both ways.
    pub fn difference_bytes(&self) -> i64 {
        if self.not_comparable.is_some() || self.is_explained() {
            return 0;
        }
        let interface = self.interface_bytes as i64;
        let differences = self.views().map(|view| interface - view.bytes as i64);
        differences.into_iter().min_by_key(|differs| differs.abs()).unwrap_or(0)
    }

    /// Our count, in the way that is nearest to the device's.
    pub fn nearest_bytes(&self) -> u64 {
        let nearness = |view: &View| view.bytes.abs_diff(self.interface_bytes);
        self.views().into_iter().min_by_key(nearness).map_or(0, |view| view.bytes)
    }

    /// Our count, in all the ways in which devices count.
    pub(crate) fn views(&self) -> [View; 4] {
        let hook = View { packets: self.counted_packets, bytes: self.counted_bytes };
        let wire = View { packets: self.wire_packets, bytes: self.wire_bytes };
        [hook, wire, self.without_header(hook), self.without_header(wire)]
    }

    fn without_header(&self, View { packets, bytes }: View) -> View {
        let headers = packets.saturating_mul(self.header_bytes);
        View { packets, bytes: bytes.saturating_sub(headers) }
    }

    /// Whether the device counted exactly the same bytes, in one of these ways.
    pub fn is_equal(&self) -> bool {
        let is_equal = |view: View| view.bytes == self.interface_bytes;
        !self.watched || self.views().into_iter().any(is_equal)
    }

    /// Whether both counts are equal, within the uncertainty.
    pub fn agrees(&self) -> bool {
        !self.watched || self.difference_bytes().unsigned_abs() <= self.uncertain_bytes
    }

    /// Whether the difference has an accepted explanation.
    fn is_explained(&self) -> bool {
        self.is_mixed()
            || self.is_dropped()
            || self.is_tagged()
            || self.is_repeated()
            || self.decrypted_twice()
    }

    /// Whether the device counted the Ethernet header of some multicast frames twice, and nothing else: as many
    /// frames as we, and no more headers than it received such frames.
    fn is_repeated(&self) -> bool {
        self.views().into_iter().any(|view| {
            let more = self.interface_bytes.saturating_sub(view.bytes);
            let most = self.repeated_headers.saturating_mul(ETHERNET_HEADER);
            view.packets == self.interface_packets
                && (ETHERNET_HEADER..=most).contains(&more)
                && more.is_multiple_of(ETHERNET_HEADER)
        })
    }

    /// Whether the device left out VLAN tags, which the kernel keeps beside the frame: it counted as many frames,
    /// and some of them without the four bytes of a tag.
    fn is_tagged(&self) -> bool {
        const TAG: u64 = 4;
        self.views().into_iter().any(|view| {
            let tags = view.bytes.saturating_sub(self.interface_bytes);
            let is_in_range = (TAG..=view.packets * TAG).contains(&tags);
            view.packets == self.interface_packets && is_in_range && tags.is_multiple_of(TAG)
        })
    }

    /// Whether the device counted some GSO/GRO packets whole and others as their segments, because packets
    /// are sometimes joined before it counts and sometimes after. In this case, each frame that it counted in
    /// addition to the hook adds exactly the headers of a segment.
    fn is_mixed(&self) -> bool {
        /// Headers of segments differ by at most this many bytes: IPv4 or IPv6, TCP with or without options.
        const SPREAD: u64 = 20;
        let Some(more @ 1..) = self.interface_packets.checked_sub(self.counted_packets) else {
            return false;
        };
        let Some(all) = self.wire_packets.checked_sub(self.counted_packets) else { return false };
        if more >= all {
            return false;
        }
        let header = self.wire_bytes.saturating_sub(self.counted_bytes) / all;
        let bytes = self.counted_bytes + header * more;
        let mixed = View { packets: self.interface_packets, bytes };
        [mixed, self.without_header(mixed)].into_iter().any(|view| {
            view.bytes.abs_diff(self.interface_bytes) <= SPREAD * more + self.uncertain_bytes
        })
    }

    /// Whether the device counted less because frames were dropped after the hook: as many frames are
    /// missing, and no more bytes than these can have.
    fn is_dropped(&self) -> bool {
        const MOST_BYTES: u64 = 65_550;
        self.views().into_iter().any(|view| {
            let packets = view.packets.saturating_sub(self.interface_packets);
            let bytes = view.bytes.saturating_sub(self.interface_bytes);
            let smallest = ETHERNET_HEADER.saturating_sub(self.header_bytes);
            (1..=self.dropped_packets).contains(&packets)
                && (packets * smallest..=packets * MOST_BYTES).contains(&bytes)
        })
    }

    /// Whether we counted more because of decrypted packets. There are at most as many of these as encrypted
    /// ones, and they are smaller.
    fn decrypted_twice(&self) -> bool {
        let packets = self.wire_packets.saturating_sub(self.interface_packets);
        (1..=self.ipsec_packets).contains(&packets) && self.counted_bytes > self.interface_bytes
    }

    /// The same comparison, with the reason if the device's counters cannot be compared.
    pub fn judged(mut self) -> Self {
        if self.not_comparable.is_none() && !self.is_equal() && self.decrypted_twice() {
            self.not_comparable = Some(DECRYPTED_TWICE);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten frames of 100 bytes and one GSO/GRO packet of 10 segments, with headers of 66 bytes.
    fn counted(interface_packets: u64, interface_bytes: u64) -> Comparison {
        Comparison {
            watched: true,
            counted_packets: 11,
            counted_bytes: 11_066,
            wire_packets: 20,
            wire_bytes: 11_066 + 9 * 66,
            interface_packets,
            interface_bytes,
            ..Comparison::default()
        }
    }

    #[test]
    fn a_device_counts_in_one_way_or_differs() {
        let hook = counted(11, 11_066);
        let wire = counted(20, 11_660);
        assert!(hook.is_equal() && wire.is_equal());
        // Frames that only the device counted are not headers of segments.
        for (packets, bytes) in
            [(12, 11_166), (14, 11_366), (11, 11_300), (11, 10_912), (25, 12_000)]
        {
            let comparison = counted(packets, bytes);
            assert!(!comparison.is_equal() && !comparison.agrees(), "{comparison:?}");
            assert_ne!(comparison.difference_bytes(), 0);
        }
        assert_eq!(counted(11, 10_066).difference_bytes(), -1000);
        assert_eq!(counted(12, 12_160).difference_bytes(), 500);
    }

    #[test]
    fn kinds_that_leave_a_header_out_do_so_in_both_views() {
        let without = |packets, bytes| Comparison { header_bytes: 14, ..counted(packets, bytes) };
        for (packets, bytes) in [(11, 11_066 - 11 * 14), (20, 11_660 - 20 * 14)] {
            assert!(without(packets, bytes).is_equal());
            assert!(!counted(packets, bytes).agrees());
        }
        assert!(!without(11, 11_066 - 10 * 14).agrees());
    }

    #[test]
    fn frames_explain_a_device_that_counts_both_ways() {
        let mixed = counted(15, 11_066 + 4 * 66);
        assert!(mixed.agrees() && !mixed.is_equal());
        assert!(!counted(15, 11_066 + 4 * 100).agrees());
    }

    #[test]
    fn drops_behind_the_hook_explain_as_many_frames() {
        let dropped = |dropped_packets| Comparison { dropped_packets, ..counted(9, 10_866) };
        assert!(dropped(2).agrees() && !dropped(1).agrees());
        let without_bytes = Comparison { dropped_packets: 2, ..counted(9, 11_060) };
        assert!(!without_bytes.agrees());
    }

    #[test]
    fn tags_explain_four_bytes_of_each_frame() {
        assert!(counted(11, 11_066 - 11 * 4).agrees() && counted(20, 11_660 - 4).agrees());
        for (packets, bytes) in [(11, 11_066 - 12 * 4), (11, 11_066 - 6), (10, 11_066 - 10 * 4)] {
            assert!(!counted(packets, bytes).agrees(), "{packets} {bytes}");
        }
    }

    #[test]
    fn headers_counted_twice_explain_no_more_than_themselves() {
        let repeated =
            |packets, bytes| Comparison { repeated_headers: 4, ..counted(packets, bytes) };
        assert!(repeated(11, 11_066 + 4 * 14).agrees() && repeated(11, 11_066 + 14).agrees());
        assert!(repeated(20, 11_660 + 3 * 14).agrees() && !repeated(11, 11_066 + 14).is_equal());
        // More headers than frames, not whole ones, fewer bytes, or another number of frames.
        for (packets, bytes) in [
            (11, 11_066 + 5 * 14),
            (11, 11_066 + 15),
            (11, 11_066 - 14),
            (12, 11_066 + 14),
            (10, 11_066 + 14),
        ] {
            assert!(!repeated(packets, bytes).agrees(), "{packets} {bytes}");
        }
        assert!(!counted(11, 11_066 + 14).agrees());
    }

    #[test]
    fn decrypted_packets_are_named() {
        let twice = |ipsec_packets| Comparison { ipsec_packets, ..counted(12, 10_000) }.judged();
        assert_eq!(twice(8).not_comparable, Some(DECRYPTED_TWICE));
        assert!(twice(8).agrees());
        assert_eq!(twice(0).not_comparable, None);
        assert!(!twice(0).agrees());
    }
}
