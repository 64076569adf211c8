//! The trait through which sources pass on watched packets. Owns this contract; refuses to know how packets
//! are kept.

use std::fmt::Debug;
use std::sync::Arc;

use wherefore_common::FlowKey;

use super::frame::CapturedFrame;

/// A recorder that several threads share.
pub type SharedRecorder = Arc<dyn PacketRecorder>;

/// A recorder of packets of watched flows.
pub trait PacketRecorder: Debug + Send + Sync {
    /// The number of bytes that are needed of each packet.
    fn snaplen(&self) -> u32;

    /// Records a packet of a watched flow. Never waits for a disk.
    fn record(&self, flow: &FlowKey, frame: &CapturedFrame<'_>);

    /// Sets how many packets did not fit in the kernel's ring buffer since the start.
    fn note_lost_in_kernel(&self, packets: u64);

    /// Records a packet of which too few bytes were kept to know its flow.
    fn note_cut(&self);
}
