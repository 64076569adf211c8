//! Adds captured frames to the table of their interval, in the same steps as the kernel programs. Owns only
//! the order: parse, filter, add.

use wherefore_common::flow::RemainderKey;
use wherefore_common::{
    Counters, Direction, Extent, FlowKey, LinkType, Reason, Skip, Slice, dns, link,
};

use super::frame::CapturedFrame;
use super::recorder::SharedRecorder;
use crate::input::filter::Filter;
use crate::traffic::interval::{Table, remainder_of};
use crate::usage::UsageError;

/// The default maximum of flows.
pub const DEFAULT_MAX_FLOWS: usize = 4_194_304;

/// Counts frames as the kernel programs do.
#[derive(Debug)]
pub struct FrameCounter {
    filter: Filter,
    max_flows: usize,
    recorder: Option<SharedRecorder>,
}

impl FrameCounter {
    /// A counter with this filter, and with space for this many flows in an interval.
    pub fn new(filter: Filter, max_flows: Option<u32>) -> Self {
        let max_flows = max_flows.map_or(DEFAULT_MAX_FLOWS, |flows| flows as usize);
        Self { filter, max_flows, recorder: None }
    }

    /// The same counter, which also passes watched packets to the recorder.
    pub fn recording(self, recorder: Option<SharedRecorder>) -> Self {
        Self { recorder, ..self }
    }

    /// Checks that the filter has a meaning for frames of this link type, in files of this byte
    /// order.
    ///
    /// # Errors
    /// If it has none, with the reason.
    pub fn check(&self, link: LinkType, is_swapped: bool) -> Result<(), UsageError> {
        if link.is_supported() { self.filter.check(link, is_swapped) } else { Ok(()) }
    }

    /// An empty table for these frames.
    pub fn table(&self) -> Table {
        Table::new(self.max_flows)
    }

    /// Adds a frame to its flow or to the uncounted frames of its reason.
    pub fn count(&self, table: &mut Table, frame: &CapturedFrame<'_>) {
        let mut key = FlowKey { ifindex: frame.ifindex, ..FlowKey::default() };
        let slice = Slice::new(frame.bytes, frame.wire_len as usize);
        match link::parse(&slice, frame.link, &mut key) {
            Ok(extent) => {
                // Names help to understand the watched traffic, so DNS answers are read before the filter.
                if let Some(answer) = dns::answer(&key, &extent, frame.bytes) {
                    table.add_answer(frame.time_ns, answer);
                }
                self.count_packet(table, frame, key, &extent);
            }
            Err(skip) => {
                let key =
                    RemainderKey::new(frame.ifindex, Direction::Unknown, self.reason(skip, frame));
                table.add_remainder(key, &counters(frame, &Extent::default()));
            }
        }
    }

    /// The reason for a frame that is in no flow.
    fn reason(&self, skip: Skip, frame: &CapturedFrame<'_>) -> Reason {
        match skip {
            _ if !self.filter.watches_skipped(skip, frame) => Reason::FilteredNonIp,
            Skip::NonIp => Reason::NonIp,
            Skip::Malformed => Reason::MalformedIp,
        }
    }

    fn count_packet(
        &self,
        table: &mut Table,
        frame: &CapturedFrame<'_>,
        key: FlowKey,
        extent: &Extent,
    ) {
        let delta = counters(frame, extent);
        if self.filter.watches(&key, frame) {
            if let Some(recorder) = &self.recorder {
                recorder.record(&key, frame);
            }
            table.add(key, &delta);
        } else {
            table.add_remainder(remainder_of(&key, Reason::Filtered), &delta);
        }
    }
}

fn counters(frame: &CapturedFrame<'_>, extent: &Extent) -> Counters {
    Counters {
        packets: 1,
        bytes: u64::from(extent.bytes),
        frame_bytes: u64::from(frame.wire_len),
        device_packets: 1,
        device_bytes: u64::from(frame.wire_len),
        first_ns: frame.time_ns as u64,
        last_ns: frame.time_ns as u64,
        tcp_flags: u64::from(extent.tcp_flags),
    }
}
