//! The interface through which sources pass on watched packets. Owns the contract; refuses to know how
//! they are kept.

use std::fmt::Debug;
use std::sync::Arc;

use wherefore_common::FlowKey;

use super::frame::CapturedFrame;

/// A recorder that several threads share.
pub type SharedRecorder = Arc<dyn PacketRecorder>;

/// A recorder of packets of watched flows.
pub trait PacketRecorder: Debug + Send + Sync {
    /// Bytes that are wanted of each packet.
    fn snaplen(&self) -> u32;

    /// Takes a packet of a watched flow; never waits for a disk.
    fn record(&self, flow: &FlowKey, frame: &CapturedFrame<'_>);

    /// Records how many packets did not fit the kernel's ring buffer since the start.
    fn note_lost_in_kernel(&self, packets: u64);

    /// Records a packet of which too few bytes were kept to know its flow.
    fn note_cut(&self);
}
