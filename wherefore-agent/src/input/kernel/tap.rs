//! Passes watched packets from the kernel's ring buffer to the recorder. Owns the thread that empties the
//! ring; refuses to write to disk, so that the ring is emptied as fast as memory can be copied.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use aya::maps::{MapData, PerCpuArray, RingBuf};
use nix::poll::{PollFd, PollFlags, poll};
use wherefore_common::abi::map;
use wherefore_common::evidence::Head;
use wherefore_common::{FlowKey, LinkType, Slice, link};

use super::clock::wall_minus_monotonic_ns;
use super::loader::Loaded;
use super::maps::RING_BYTES;
use crate::input::frame::CapturedFrame;
use crate::input::recorder::SharedRecorder;

/// The time between two checks if the thread is not woken, in milliseconds.
const LONGEST_WAIT: u16 = 50;
/// How long packets may collect after each check.
const GATHERING: Duration = Duration::from_millis(10);

/// Empties the ring buffer.
pub(super) struct Tap {
    shared: Arc<Shared>,
    lost: PerCpuArray<MapData, u64>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    ring: Mutex<RingBuf<MapData>>,
    recorder: SharedRecorder,
    is_stopping: AtomicBool,
}

impl Tap {
    /// Starts the thread, which needs no privileges.
    pub(super) fn start(loaded: &mut Loaded, recorder: SharedRecorder) -> Result<Self> {
        let ring = Mutex::new(loaded.map(map::EVIDENCE_RING)?);
        let lost = loaded.map(map::EVIDENCE_LOST)?;
        let shared = Arc::new(Shared { ring, recorder, is_stopping: AtomicBool::new(false) });
        let worker = shared.clone();
        let thread = std::thread::Builder::new()
            .name("tap".to_owned())
            .spawn(move || worker.work())
            .context("cannot start the thread for packets")?;
        Ok(Self { shared, lost, thread: Some(thread) })
    }

    /// Passes on all packets up to now, so that an alert finds its packets.
    pub(super) fn catch_up(&self) {
        self.shared.empty();
        let lost = self.lost.get(&0, 0).map_or(0, |values| values.iter().sum());
        self.shared.recorder.note_lost_in_kernel(lost);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread for packets has failed: evidence is incomplete");
        }
    }
}

impl Shared {
    fn work(&self) {
        // The descriptor outlives the thread, and waiting must not lock the ring.
        let Ok(waker) = self.lock().as_fd().try_clone_to_owned() else {
            tracing::error!("cannot wait for packets: evidence is incomplete");
            return;
        };
        while !self.is_stopping.load(Ordering::Relaxed) {
            let mut descriptors = [PollFd::new(waker.as_fd(), PollFlags::POLLIN)];
            // An error is treated like a timeout.
            let _ = poll(&mut descriptors, LONGEST_WAIT);
            self.empty();
            // Without this pause, each packet would end a wait; handling many packets at a time costs less.
            std::thread::park_timeout(GATHERING);
        }
    }

    /// Passes on the waiting packets, but no more than the ring can hold, because it keeps filling under
    /// load.
    fn empty(&self) {
        let shift_ns = wall_minus_monotonic_ns();
        let mut ring = self.lock();
        let mut tagged = Vec::new();
        let mut taken = 0;
        while taken < RING_BYTES as usize {
            let Some(record) = ring.next() else { return };
            taken += record.len();
            if let Some((head, bytes)) = Head::read(&record) {
                self.hand_over(&head, bytes, shift_ns, &mut tagged);
            }
        }
    }

    fn hand_over(&self, head: &Head, bytes: &[u8], shift_ns: i64, tagged: &mut Vec<u8>) {
        let (mut bytes, mut wire_len) = (bytes, head.frame_len);
        if let Some(tag) = head.tag()
            && head.is_layer_3 == 0
            && let Some((addresses, rest)) = bytes.split_at_checked(12)
        {
            // Restore the frame as it was on the wire.
            tagged.clear();
            tagged.extend([addresses, &tag, rest].into_iter().flatten());
            (bytes, wire_len) = (tagged, wire_len + 4);
        }
        let is_layer_3 = head.is_layer_3 != 0;
        let link = if is_layer_3 { LinkType::RAW } else { LinkType::ETHERNET };
        let direction = head.direction as u8;
        let mut flow = FlowKey { ifindex: head.ifindex, direction, ..FlowKey::default() };
        let slice = Slice::new(bytes, wire_len as usize);
        // The kernel has parsed it, so parsing fails only if too few bytes of it were kept.
        if link::parse(&slice, link, &mut flow).is_err() {
            self.recorder.note_cut();
            return;
        }
        let time_ns = (head.time_ns as i64).saturating_add(shift_ns);
        let frame = CapturedFrame {
            time_ns,
            link,
            is_swapped: false,
            wire_len,
            bytes,
            ifindex: head.ifindex,
        };
        self.recorder.record(&flow, &frame);
    }

    fn lock(&self) -> MutexGuard<'_, RingBuf<MapData>> {
        // Each record is taken completely or not at all.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
