//! The difference between a device's counts and ours, in one direction of an interface. Owns the distinction
//! between differences that settle by themselves and packets that are missed.

use crate::traffic::interval::Comparison;

/// If the programs count some packets, other programs are considered the cause of a difference only after
/// this number of intervals in a row: packets in flight are counted by then.
const DIFFERING_INTERVALS: u32 = 2;
/// The state of one direction of an interface.
#[derive(Debug, Default)]
pub(super) struct DirectionCoverage {
    /// How much more the device had counted at the last reading, by [`Comparison::views`], if that was beyond
    /// the uncertainty.
    apart: [i64; 4],
    /// The view in which the device counted as we did.
    view: usize,
    counted_packets: u64,
    pub(super) gap: Option<Gap>,
    /// The number of intervals in a row in which the device counted more.
    differing: u32,
    /// Bytes that are declared missed because other programs were in front of ours.
    pub(super) taken: u64,
    /// These programs, as they were reported.
    pub(super) in_front: Option<String>,
    pub(super) moves: u32,
}

/// A time without our program on the hook.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) what: String,
    pub(super) missed: u64,
    pub(super) is_over: bool,
    pub(super) is_reported: bool,
    /// Whether we removed it ourselves, in order to attach it elsewhere.
    pub(super) is_move: bool,
}

/// Bytes and packets to declare as missed.
pub(super) struct Missing {
    pub(super) bytes: i64,
    pub(super) packets: i64,
}

impl DirectionCoverage {
    pub(super) fn begin_gap(&mut self, what: String, is_move: bool) {
        let new = Gap { what, missed: 0, is_over: false, is_reported: false, is_move };
        // If a gap ends in this interval and the program is detached again, the gap continues.
        self.gap.get_or_insert(new).is_over = false;
    }

    /// How much more the device counted, in the view in which it counted as we did before.
    pub(super) fn missing(&self, now: &Comparison) -> Missing {
        let bytes = apart(now)[self.view] - self.apart[self.view];
        let counted = if self.view % 2 == 1 { now.wire_packets } else { now.counted_packets };
        let packets = now.interface_packets as i64 - counted as i64;
        Missing { bytes, packets: packets.max(0) }
    }

    /// Stores what the next interval is compared with.
    pub(super) fn remember(&mut self, now: &Comparison) {
        let apart = apart(now);
        let is_near = |view: &usize| apart[*view].unsigned_abs() <= now.uncertain_bytes;
        if !is_near(&self.view) {
            self.view = (0..apart.len()).find(is_near).unwrap_or(self.view);
        }
        // A difference that settles later must not count as part of a gap.
        self.apart = if is_near(&self.view) { [0; 4] } else { apart };
        self.counted_packets = now.counted_packets;
    }

    /// Whether the device counts packets that our program does not see. If the program sees some packets,
    /// this is decided only after several intervals.
    pub(super) fn is_unreached(&mut self, now: &Comparison) -> bool {
        let uncertain = now.uncertain_bytes as i64;
        let agrees = now.agrees() || apart(now).iter().any(|bytes| bytes.abs() <= uncertain);
        if agrees || self.missing(now).bytes <= uncertain {
            self.differing = 0;
            return false;
        }
        self.differing += 1;
        now.counted_packets == self.counted_packets || self.differing >= DIFFERING_INTERVALS
    }
}

/// How much more the device counted, by view.
fn apart(now: &Comparison) -> [i64; 4] {
    now.views().map(|view| now.interface_bytes as i64 - view.bytes as i64)
}
