//! Live capture by libpcap, for kernels and containers where eBPF cannot run. Owns the capture threads. It
//! counts as the kernel programs do, but cannot split GSO/GRO packets: packets that GRO or TSO joined count
//! as one, as LIMITS.md states.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::poll::{PollFd, PollFlags, poll};
use pcap::{Active, Capture};
use wherefore_common::LinkType;

use super::chosen;
use super::frame::CapturedFrame;
use super::frames::FrameCounter;
use super::interfaces::{self, Interface};
use super::link_names;
use super::owners::Mode;
use super::recorder::SharedRecorder;
use super::requests::{Requests, Wake};
use super::selection::{MAX_INTERFACES, Selection};
use super::source::Source;
use crate::descriptors;
use crate::input::filter::Filter;
use crate::input::kernel::clock::{Closed, Moment, Ticks};
use crate::input::kernel::privileges;
use crate::traffic::interval::{Interval, Table};

/// How often a thread checks whether to stop if no packet arrives, in milliseconds.
const LONGEST_WAIT: u16 = 100;

/// How the capture is set up.
#[derive(Debug, Clone)]
pub struct LibpcapOptions {
    /// Length of an interval.
    pub interval: Duration,
    /// Bytes of each packet that are captured.
    pub snaplen: u32,
    /// How long libpcap may buffer packets.
    pub read_timeout: Duration,
    /// The most flows in an interval.
    pub max_flows: Option<u32>,
    /// The recorder of packets.
    pub recorder: Option<SharedRecorder>,
    /// How owners of flows are found.
    pub owners: Mode,
}

/// Captures on several interfaces, with a thread for each.
pub struct LibpcapSource {
    options: LibpcapOptions,
    selection: Selection,
    captures: Vec<Capturing>,
    /// Numbers of interfaces that could not be captured, so that this is logged once.
    refused: BTreeSet<u32>,
    shared: Arc<Shared>,
    ticks: Ticks,
    lost_before: u64,
    is_over: bool,
}

/// A capture on one interface.
struct Capturing {
    interface: Interface,
    must_end: Arc<AtomicBool>,
    /// `None` after it has ended: then only the interface's name is kept, for the interval in which it ended.
    thread: Option<JoinHandle<()>>,
}

/// State shared by the threads and the source.
struct Shared {
    /// Locked as a whole, so that each packet meets exactly one filter.
    counting: Mutex<Counting>,
    /// The number of packets for which the kernel had no space, over all captures.
    lost: AtomicU64,
}

struct Counting {
    table: Table,
    counter: FrameCounter,
}

impl Counting {
    fn take_table(&mut self) -> Table {
        std::mem::replace(&mut self.table, self.counter.table())
    }
}

impl LibpcapSource {
    /// Starts to capture on the selected interfaces that exist.
    ///
    /// # Errors
    /// If libpcap cannot open a named interface, or none of several.
    pub fn open(selection: Selection, filter: Filter, options: &LibpcapOptions) -> Result<Self> {
        let counter = counter(filter, options);
        let counting = Mutex::new(Counting { table: counter.table(), counter });
        let mut source = Self {
            options: options.clone(),
            selection,
            captures: Vec::new(),
            refused: BTreeSet::new(),
            shared: Arc::new(Shared { counting, lost: AtomicU64::new(0) }),
            ticks: Ticks::new(options.interval),
            lost_before: 0,
            is_over: false,
        };
        source.begin()?;
        privileges::keep_for_capture(options.owners.capabilities(false));
        source.ticks = Ticks::new(options.interval);
        Ok(source)
    }

    fn begin(&mut self) -> Result<()> {
        let mut failure = None;
        for interface in self.missing(&interfaces::list()?) {
            let is_named = self.selection.names_it(&interface);
            // An interface that is down is captured when it comes up, unless the user named it.
            match self.start(&interface) {
                Err(error) if is_named => return Err(error),
                Err(error) if interface.is_up => {
                    self.refuse(&interface, &error);
                    failure = Some(error);
                }
                _ => {}
            }
        }
        match failure {
            Some(error) if self.captures.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// The selected interfaces that exist, but are not captured.
    fn missing(&self, there: &[Interface]) -> Vec<Interface> {
        let is_new = |interface: &&Interface| {
            self.selection.matches(interface)
                && !self.refused.contains(&interface.index)
                && !self.captures.iter().any(|one| one.is_running(interface.index))
        };
        there.iter().filter(is_new).cloned().collect()
    }

    fn start(&mut self, interface: &Interface) -> Result<()> {
        if self.captures.len() >= MAX_INTERFACES {
            return Err(anyhow!("{MAX_INTERFACES} are watched already"));
        }
        let capture = open_capture(interface, &self.options)?;
        if interfaces::index_of(&interface.name) != Some(interface.index) {
            return Err(anyhow!("{} was replaced meanwhile", interface.name));
        }
        let must_end = Arc::new(AtomicBool::new(false));
        let shared = self.shared.clone();
        let thread = start_thread(capture, interface.index, shared, must_end.clone())?;
        self.captures.push(Capturing {
            interface: interface.clone(),
            must_end,
            thread: Some(thread),
        });
        Ok(())
    }

    fn refuse(&mut self, interface: &Interface, error: &anyhow::Error) {
        self.refused.insert(interface.index);
        let interface = &interface.name;
        tracing::warn!(
            interface,
            error = descriptors::explained(error),
            "interface is not counted"
        );
    }

    /// Checks which interfaces appeared and disappeared since the last check.
    fn follow(&mut self) {
        let there = match interfaces::list() {
            Ok(there) => there,
            Err(error) => {
                tracing::warn!(
                    error = descriptors::explained(&error),
                    "cannot list the interfaces: changes of interfaces are not noticed now"
                );
                return;
            }
        };
        chosen::follow_default_route(&mut self.selection, &there);
        for capture in &mut self.captures {
            capture.look(&there, &self.selection);
        }
        self.refused.retain(|index| there.iter().any(|interface| interface.index == *index));
        for interface in self.missing(&there).iter().filter(|interface| interface.is_up) {
            let before = interfaces::device_counters(interface).unwrap_or_default();
            match self.start(interface) {
                Ok(()) => tracing::info!(
                    interface = interface.name,
                    missed_bytes = before.rx_bytes + before.tx_bytes,
                    "interface appeared: counting"
                ),
                // It disappeared again, has another name, or is down: each of these causes another
                // notification.
                Err(_) if !interfaces::is_up(interface) => {}
                Err(error) => self.refuse(interface, &error),
            }
        }
    }

    /// Waits for the end of the interval; returns whether it is the last.
    fn wait(&mut self, requests: &Requests) -> bool {
        loop {
            let wake = requests.wait_until(self.ticks.next_end());
            match wake {
                Wake::Stop => return true,
                Wake::Reload => {}
                Wake::Links => self.follow(),
                Wake::IntervalEnd => {
                    self.follow();
                    return false;
                }
            }
        }
    }

    fn collect(&mut self) -> Interval {
        let mut table = self.shared.lock().take_table();
        let answers = table.take_answers();
        let (flows, remainders) = table.into_counts();
        let lost = self.shared.lost.load(Ordering::Relaxed);
        let Closed { index, start_ns, end_ns, held_up_ns, stepped_ns } =
            self.ticks.close(Moment::now());
        let lost_packets = lost - std::mem::replace(&mut self.lost_before, lost);
        Interval {
            index,
            start_ns,
            end_ns,
            flows,
            remainders,
            answers,
            lost_packets,
            is_partial: self.is_over,
            held_up_ns,
            stepped_ns,
            ..Interval::default()
        }
    }

    fn stop_threads(&mut self) {
        for capture in &self.captures {
            capture.must_end.store(true, Ordering::Relaxed);
        }
        self.captures.iter_mut().for_each(Capturing::join);
    }
}

impl Capturing {
    fn is_running(&self, index: u32) -> bool {
        self.thread.is_some() && self.interface.index == index
    }

    /// Ends captures whose interface is gone, down, or no longer selected.
    fn look(&mut self, there: &[Interface], selection: &Selection) {
        if self.thread.is_none() {
            return;
        }
        let name = self.interface.name.clone();
        let now = there.iter().find(|interface| interface.index == self.interface.index);
        let has_failed = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        match now {
            None => tracing::info!(interface = name, "interface is gone"),
            Some(now) if !selection.matches(now) && now.name == name => {
                tracing::info!(interface = name, "interface is not selected any more: not counted");
            }
            Some(now) if !selection.matches(now) => {
                tracing::info!(
                    interface = name,
                    name = now.name,
                    "interface was renamed: not counted any more"
                );
            }
            Some(now) if has_failed && !now.is_up => {
                tracing::info!(interface = name, "interface is down")
            }
            Some(_) if has_failed => {
                tracing::warn!(interface = name, "the capture failed: starting it again")
            }
            Some(now) => {
                self.interface.name.clone_from(&now.name);
                return;
            }
        }
        self.must_end.store(true, Ordering::Relaxed);
        self.join();
    }

    fn join(&mut self) {
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a capture thread has failed: figures are incomplete");
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Counting> {
        // A thread that panicked has left complete counters, because each is added under the lock.
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counter(filter: Filter, options: &LibpcapOptions) -> FrameCounter {
    FrameCounter::new(filter, options.max_flows).recording(options.recorder.clone())
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
    must_end: Arc<AtomicBool>,
) -> Result<JoinHandle<()>> {
    let link = LinkType(u16::try_from(capture.get_datalink().0).unwrap_or(u16::MAX));
    if !link.is_supported() {
        return Err(anyhow!(
            "link type {} is not supported; supported are {}",
            link_names::describe(link.0),
            link_names::READ
        ));
    }
    shared.lock().counter.check(link, false)?;
    std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(move || {
            // It starts before the process drops its privileges, and needs none itself.
            super::kernel::privileges::give_up_all();
            read_packets(capture, link, ifindex, &shared, &must_end);
        })
        .context("cannot start a capture thread")
}

fn read_packets(
    mut capture: Capture<Active>,
    link: LinkType,
    ifindex: u32,
    shared: &Shared,
    must_end: &AtomicBool,
) {
    /// The number of packets between two checks of the drop counters.
    const BETWEEN_LOOKS: u32 = 4096;
    let mut lost = LossMeter::default();
    loop {
        let is_last = must_end.load(Ordering::Relaxed);
        for _ in 0..BETWEEN_LOOKS {
            match capture.next_packet() {
                Ok(packet) => count(&packet, link, ifindex, shared),
                Err(pcap::Error::TimeoutExpired) => {
                    wait_for_packets(&capture);
                    break;
                }
                Err(error) => {
                    // The source notices the state of the interface, and logs it.
                    tracing::debug!(%error, ifindex, "a capture has ended");
                    read_rest(&mut capture, link, ifindex, shared);
                    lost.look(&mut capture, shared);
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

/// Reads the packets that were captured before an interface went down or disappeared. They arrive after that
/// notification, as late as the kernel may buffer them.
fn read_rest(capture: &mut Capture<Active>, link: LinkType, ifindex: u32, shared: &Shared) {
    const PAUSE: Duration = Duration::from_millis(5);
    let end = Instant::now() + 2 * Duration::from_millis(u64::from(LONGEST_WAIT));
    loop {
        match capture.next_packet() {
            Ok(packet) => count(&packet, link, ifindex, shared),
            Err(_) if Instant::now() >= end => return,
            // For a device that no longer exists, each read fails until a packet is there.
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
}

/// Waits on the descriptor, because libpcap itself would wait for packets forever, whatever its timeout.
fn wait_for_packets(capture: &Capture<Active>) {
    let mut descriptors = [PollFd::new(capture.as_fd(), PollFlags::POLLIN)];
    // An error shows when the next packet is read.
    let _ = poll(&mut descriptors, LONGEST_WAIT);
}

fn count(packet: &pcap::Packet<'_>, link: LinkType, ifindex: u32, shared: &Shared) {
    let time = packet.header.ts;
    let frame = CapturedFrame {
        time_ns: time.tv_sec * 1_000_000_000 + time.tv_usec * 1000,
        link,
        is_swapped: false,
        wire_len: packet.header.len,
        bytes: packet.data,
        ifindex,
    };
    let counting = &mut *shared.lock();
    counting.counter.count(&mut counting.table, &frame);
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
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        if self.is_over {
            return Ok(None);
        }
        self.captures.retain(|capture| capture.thread.is_some());
        if self.wait(requests) {
            self.stop_threads();
            self.is_over = true;
        }
        Ok(Some(self.collect()))
    }

    fn reload(&mut self, filter: &Filter) -> Result<()> {
        self.shared.lock().counter = counter(filter.clone(), &self.options);
        Ok(())
    }

    fn set_interval(&mut self, interval: Duration) {
        self.ticks.set_interval(interval);
    }

    fn describe(&self) -> String {
        let names: Vec<_> =
            self.captures.iter().map(|capture| capture.interface.name.as_str()).collect();
        let following = if self.selection.is_open() {
            format!(" (following {})", self.selection)
        } else {
            String::new()
        };
        format!("libpcap on {}{following}", names.join(", "))
    }

    fn interface_name(&self, ifindex: u32) -> String {
        let found = self.captures.iter().find(|capture| capture.interface.index == ifindex);
        found.map_or_else(|| ifindex.to_string(), |capture| capture.interface.name.clone())
    }
}

impl Drop for LibpcapSource {
    fn drop(&mut self) {
        self.stop_threads();
    }
}
