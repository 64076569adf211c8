//! The kernel's own per-device counters, the judge of every other count.
//!
//! Owns the reading of `/proc/thread-self/net/dev`. Refuses `/sys/class/net`:
//! that tree shows the namespace it was mounted in, not the reader's.

use std::fs;
use std::ops::Sub;

use anyhow::{Context, Result};

/// The list of devices of the calling thread's namespace.
const TABLE: &str = "/proc/thread-self/net/dev";

/// The counters of one device since it exists, Ethernet headers included.
///
/// On a veth without native XDP the kernel derives `rx_*` of one end from `tx_*`
/// of the other, so their equality proves nothing; compare with what was sent, or
/// with a [`Tap`](super::tap::Tap). A frame the receiver had no room for counts as
/// the sender's `tx_dropped` alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received; a GSO/GRO packet counts once.
    pub rx_packets: u64,
    /// Received packets that were dropped; also those that nothing in the stack wanted, such
    /// as frames of an unknown VLAN, although they did arrive and count above.
    pub rx_dropped: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent; a GSO/GRO packet counts once.
    pub tx_packets: u64,
    /// Packets that were dropped instead of sent.
    pub tx_dropped: u64,
}

impl Counters {
    /// The counters of a device in the calling thread's namespace.
    pub fn of(device: &str) -> Result<Self> {
        let table = fs::read_to_string(TABLE).with_context(|| format!("reading {TABLE}"))?;
        Self::find(&table, device).with_context(|| format!("no device {device} in {TABLE}"))
    }

    /// Finds the device's row, `name: 8 receive columns, 8 transmit columns`.
    fn find(table: &str, device: &str) -> Option<Self> {
        let mut rows = table.lines().filter_map(|line| line.split_once(':'));
        let (_, row) = rows.find(|(name, _)| name.trim() == device)?;
        let columns: Vec<u64> =
            row.split_whitespace().map_while(|text| text.parse().ok()).collect();
        Some(Self {
            rx_bytes: *columns.first()?,
            rx_packets: *columns.get(1)?,
            rx_dropped: *columns.get(3)?,
            tx_bytes: *columns.get(8)?,
            tx_packets: *columns.get(9)?,
            tx_dropped: *columns.get(11)?,
        })
    }
}

impl Sub for Counters {
    type Output = Self;

    /// The difference of two readings, the earlier one on the right.
    fn sub(self, earlier: Self) -> Self {
        Self {
            rx_bytes: self.rx_bytes - earlier.rx_bytes,
            rx_packets: self.rx_packets - earlier.rx_packets,
            rx_dropped: self.rx_dropped - earlier.rx_dropped,
            tx_bytes: self.tx_bytes - earlier.tx_bytes,
            tx_packets: self.tx_packets - earlier.tx_packets,
            tx_dropped: self.tx_dropped - earlier.tx_dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
veth-a: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
";

    #[test]
    fn reads_the_right_columns() {
        let found = Counters::find(SAMPLE, "veth-a").expect("the device is in the sample");
        let rx = (found.rx_bytes, found.rx_packets, found.rx_dropped);
        assert_eq!(rx, (1, 2, 4));
        assert_eq!((found.tx_bytes, found.tx_packets, found.tx_dropped), (9, 10, 12));
    }

    #[test]
    fn finds_whole_names_only() {
        assert_eq!(Counters::find(SAMPLE, "veth"), None);
        assert_eq!(Counters::find(SAMPLE, "lo"), Some(Counters::default()));
    }
}
