//! The difference between a device's counts and ours, in one direction of an interface. Owns telling differences
//! that settle by themselves from packets that are missed.

use crate::traffic::interval::Comparison;

/// Consecutive intervals with a difference after which other programs are considered its cause, if some
/// packets are counted: packets in flight settle by then.
const DIFFERING_INTERVALS: u32 = 2;
/// The state of one direction of an interface.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The device's surplus at the last reading, by [`Comparison::views`], if it exceeded
    /// the uncertainty.
    apart: [i64; 4],
    /// Which of the views the device counted like.
    view: usize,
    counted_packets: u64,
    pub(super) gap: Option<Gap>,
    /// For how many intervals the device has counted more.
    differing: u32,
    /// Bytes that are declared because programs of others were in front.
    pub(super) taken: u64,
    /// Those programs, as they were reported.
    pub(super) in_front: Option<String>,
    pub(super) moves: u32,
}

/// A time without our program.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) what: String,
    pub(super) missed: u64,
    pub(super) is_over: bool,
    pub(super) is_reported: bool,
    /// Whether we took it off ourselves, to put it elsewhere.
    pub(super) is_move: bool,
}

/// Bytes and packets to declare.
pub(super) struct Missing {
    pub(super) bytes: i64,
    pub(super) packets: i64,
}

impl Reach {
    pub(super) fn begin_gap(&mut self, what: String, is_move: bool) {
        let new = Gap { what, missed: 0, is_over: false, is_reported: false, is_move };
        // A gap that ends in this interval continues if the program is detached again.
        self.gap.get_or_insert(new).is_over = false;
    }

    /// The device's surplus, in the view in which it counted like us before.
    pub(super) fn missing(&self, now: &Comparison) -> Missing {
        let bytes = apart(now)[self.view] - self.apart[self.view];
        let counted = if self.view % 2 == 1 { now.wire_packets } else { now.counted_packets };
        let packets = now.interface_packets as i64 - counted as i64;
        Missing { bytes, packets: packets.max(0) }
    }

    /// Stores the state to compare the next interval with.
    pub(super) fn remember(&mut self, now: &Comparison) {
        let apart = apart(now);
        let is_near = |view: &usize| apart[*view].unsigned_abs() <= now.uncertain_bytes;
        if !is_near(&self.view) {
            self.view = (0..apart.len()).find(is_near).unwrap_or(self.view);
        }
        // A difference that settles later must not be taken for a part of a gap.
        self.apart = if is_near(&self.view) { [0; 4] } else { apart };
        self.counted_packets = now.counted_packets;
    }

    /// Whether the device counts packets that our program does not see; if it sees others, only
    /// after some intervals.
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

/// The device's surplus, by view.
fn apart(now: &Comparison) -> [i64; 4] {
    now.views().map(|view| now.interface_bytes as i64 - view.bytes as i64)
}
