//! Live capture by libpcap, for kernels and containers where eBPF can't run. Owns the capture
//! threads; counts as the kernel programs do, but can't see into super-packets: what GRO or TSO
//! joined counts as one packet, which LIMITS.md states.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::poll::{PollFd, PollFlags, poll};
use pcap::{Active, Capture};
use wherefore_common::LinkType;

use super::frames::{CapturedFrame, FrameCounter};
use super::interfaces::Interface;
use super::{Source, Stop};
use crate::evidence::Recorder;
use crate::filter::Filter;
use crate::interval::{Interval, Table};
use crate::source::kernel::clock::{Ticks, now_ns};

/// Milliseconds between two looks at whether it is time to stop, where nothing arrives.
const LONGEST_WAIT: u16 = 100;

/// How the capture is set up.
#[derive(Debug, Clone)]
pub struct LibpcapOptions {
    /// Length of an interval.
    pub interval: Duration,
    /// Octets of each packet that are captured.
    pub snaplen: u32,
    /// How long libpcap may hold packets back.
    pub read_timeout: Duration,
    /// Flows counted in an interval.
    pub max_flows: Option<u32>,
    /// Who keeps packets.
    pub recorder: Option<Recorder>,
}

/// Captures on several interfaces, a thread each.
pub struct LibpcapSource {
    interfaces: Vec<Interface>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    ticks: Ticks,
    lost_before: u64,
    is_over: bool,
}

/// What the threads and the source share.
struct Shared {
    table: Mutex<Table>,
    counter: FrameCounter,
    is_stopping: AtomicBool,
    /// Packets that the kernel had no room for, over all captures.
    lost: AtomicU64,
}

impl LibpcapSource {
    /// Starts to capture.
    ///
    /// # Errors
    /// Where libpcap can't open an interface.
    pub fn open(
        interfaces: Vec<Interface>,
        filter: Filter,
        options: &LibpcapOptions,
    ) -> Result<Self> {
        let captures: Vec<_> = interfaces
            .iter()
            .map(|interface| open_capture(interface, options))
            .collect::<Result<_>>()?;
        let shared = Arc::new(Shared {
            table: Mutex::default(),
            counter: FrameCounter::new(filter, options.max_flows)
                .recording(options.recorder.clone()),
            is_stopping: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        });
        let threads = captures
            .into_iter()
            .zip(&interfaces)
            .map(|(capture, interface)| start_thread(capture, interface.index, shared.clone()))
            .collect::<Result<_>>()?;
        let ticks = Ticks::new(options.interval);
        Ok(Self { interfaces, shared, threads, ticks, lost_before: 0, is_over: false })
    }

    fn collect(&mut self) -> Interval {
        let table = std::mem::take(&mut *self.shared.lock());
        let (flows, remainders) = table.into_sorted();
        let lost = self.shared.lost.load(Ordering::Relaxed);
        let (index, start_ns, end_ns) = self.ticks.close(now_ns());
        let lost_packets = lost - std::mem::replace(&mut self.lost_before, lost);
        Interval {
            index,
            start_ns,
            end_ns,
            flows,
            remainders,
            lost_packets,
            is_partial: self.is_over,
            ..Interval::default()
        }
    }

    fn stop_threads(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a capture thread has failed: figures are incomplete");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        // A thread that panicked has left whole counters: each is added under the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_capture(interface: &Interface, options: &LibpcapOptions) -> Result<Capture<Active>> {
    let name = &interface.name;
    let failed = || format!("cannot capture on {name} (this needs CAP_NET_RAW)");
    // Waiting longer would delay an interval's end.
    let timeout = options.read_timeout.min(Duration::from_millis(u64::from(LONGEST_WAIT)));
    Capture::from_device(name.as_str())
        .with_context(failed)?
        .snaplen(options.snaplen as i32)
        .timeout(timeout.as_millis().max(1) as i32)
        .buffer_size(16 << 20)
        .open()
        .and_then(Capture::setnonblock)
        .with_context(failed)
}

fn start_thread(
    capture: Capture<Active>,
    ifindex: u32,
    shared: Arc<Shared>,
) -> Result<JoinHandle<()>> {
    let link = LinkType(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX));
    if !link.is_supported() {
        return Err(anyhow!("link type {} is not understood", link.0));
    }
    std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || read_packets(capture, link, ifindex, &shared))
        .context("cannot start a capture thread")
}

fn read_packets(mut capture: Capture<Active>, link: LinkType, ifindex: u32, shared: &Shared) {
    /// Packets between two looks at the drop counters.
    const BETWEEN_LOOKS: u32 = 4096;
    let mut lost = LossMeter::default();
    loop {
        let is_last = shared.is_stopping.load(Ordering::Relaxed);
        for _ in 0..BETWEEN_LOOKS {
            match capture.next_packet() {
                Ok(packet) => count(&packet, link, ifindex, shared),
                Err(pcap::Error::TimeoutExpired) => {
                    wait_for_packets(&capture);
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, ifindex, "capture failed: the interface is not counted any more");
                    return;
                }
            }
        }
        lost.look(&mut capture, shared);
        if is_last {
            return;
        }
    }
}

/// Waits on the descriptor: libpcap itself would wait for packets for ever, whatever its timeout.
fn wait_for_packets(capture: &Capture<Active>) {
    let mut descriptors = [PollFd::new(capture.as_fd(), PollFlags::POLLIN)];
    // An error shows with the next packet.
    let _ = poll(&mut descriptors, LONGEST_WAIT);
}

fn count(packet: &pcap::Packet<'_>, link: LinkType, ifindex: u32, shared: &Shared) {
    let time = packet.header.ts;
    let frame = CapturedFrame {
        time_ns: time.tv_sec * 1_000_000_000 + time.tv_usec * 1000,
        link,
        wire_len: packet.header.len,
        octets: packet.data,
        ifindex,
    };
    shared.counter.count(&mut shared.lock(), &frame);
}

/// Follows a capture's drop counters.
#[derive(Default)]
struct LossMeter {
    seen: u32,
}

impl LossMeter {
    fn look(&mut self, capture: &mut Capture<Active>, shared: &Shared) {
        let Ok(stats) = capture.stats() else { return };
        // The counters are 32 bits wide and wrap.
        let now = stats.dropped.wrapping_add(stats.if_dropped);
        let more = now.wrapping_sub(std::mem::replace(&mut self.seen, now));
        shared.lost.fetch_add(u64::from(more), Ordering::Relaxed);
    }
}

impl Source for LibpcapSource {
    fn next(&mut self, stop: &Stop) -> Result<Option<Interval>> {
        if self.is_over {
            return Ok(None);
        }
        if stop.wait_until(self.ticks.next_end()) {
            self.stop_threads();
            self.is_over = true;
        }
        Ok(Some(self.collect()))
    }

    fn describe(&self) -> String {
        let names: Vec<_> =
            self.interfaces.iter().map(|interface| interface.name.as_str()).collect();
        format!("libpcap on {}", names.join(", "))
    }

    fn interface_name(&self, ifindex: u32) -> String {
        let found = self.interfaces.iter().find(|interface| interface.index == ifindex);
        found.map_or_else(|| ifindex.to_string(), |interface| interface.name.clone())
    }
}

impl Drop for LibpcapSource {
    fn drop(&mut self) {
        self.stop_threads();
    }
}
