//! DNS answers from the kernel's ring buffer. Owns the ring, which is emptied at each drain. It has space for
//! the usual answers of an interval; answers that do not fit are counted.

use anyhow::Result;
use aya::maps::{MapData, PerCpuArray, RingBuf};
use wherefore_common::abi::map;
use wherefore_common::evidence::Head;
use wherefore_common::{FlowKey, LinkType, Slice, dns, link};

use super::loader::Loaded;
use super::maps::DNS_RING_BYTES;
use crate::traffic::answers::Answers;

/// The ring buffer.
pub(super) struct AnswerRing {
    ring: RingBuf<MapData>,
    lost: PerCpuArray<MapData, u64>,
    lost_before: u64,
}

impl AnswerRing {
    pub(super) fn new(loaded: &mut Loaded) -> Result<Self> {
        let (ring, lost) = (loaded.map(map::DNS_RING)?, loaded.map(map::DNS_LOST)?);
        Ok(Self { ring, lost, lost_before: 0 })
    }

    /// Takes the waiting answers, but no more than the ring can hold, because more may arrive meanwhile.
    /// `shift_ns` converts the kernel's clock to nanoseconds since 1970.
    pub(super) fn take(&mut self, shift_ns: i64) -> Answers {
        let (mut answers, mut taken) = (Answers::default(), 0);
        while taken < DNS_RING_BYTES as usize
            && let Some(record) = self.ring.next()
        {
            taken += record.len();
            if let Some((head, bytes)) = Head::read(&record) {
                add(&mut answers, &head, bytes, shift_ns);
            }
        }
        let lost = self.lost.get(&0, 0).map_or(0, |values| values.iter().sum());
        answers.add_lost(lost - std::mem::replace(&mut self.lost_before, lost));
        answers
    }
}

fn add(answers: &mut Answers, head: &Head, bytes: &[u8], shift_ns: i64) {
    let link = if head.is_layer_3 != 0 { LinkType::RAW } else { LinkType::ETHERNET };
    let mut flow = FlowKey::default();
    let slice = Slice::new(bytes, head.frame_len as usize);
    let Ok(extent) = link::parse(&slice, link, &mut flow) else { return };
    if let Some(message) = dns::answer(&flow, &extent, bytes) {
        answers.add((head.time_ns as i64).saturating_add(shift_ns), message);
    }
}
