//! Frames put on a device by AF_PACKET sockets, singly or in floods, and an exact
//! account of them.
//!
//! Owns raw sending: any frames, many flows, echo requests, two processors at
//! once. Refuses loads without bound in count or time, and treats a frame that
//! the device dropped as an error, since an account with holes is worth nothing.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use nix::ifaddrs::getifaddrs;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, bind,
    sendmmsg, socket,
};
use nix::unistd::Pid;

use super::frames::{Network, Transport};
use super::netns::value_of;
use super::{Family, Host, Namespace};

/// Frames handed to the kernel in one call; it takes 1,024 at most.
const BATCH: usize = 512;
/// The most frames one call may send.
const MOST_FRAMES: u64 = 50_000_000;
/// The longest time that one call may send.
const LONGEST: Duration = Duration::from_secs(60);
/// Source ports per target port in [`flow_ports`], and the lowest of them.
const SOURCES: u32 = 60_000;
const LOWEST_SOURCE: u32 = 1024;
/// Bytes of UDP payload in a flow's frames: the shortest frame of IPv4 without padding.
const FLOW_PAYLOAD: usize = 18;

/// The frames sent on a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames sent.
    pub frames: u64,
    /// Their bytes, Ethernet headers included.
    pub bytes: u64,
    /// How long that took.
    pub elapsed: Duration,
}

/// A load of many UDP flows that differ in their ports alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flows {
    /// The IP version.
    pub family: Family,
    /// How many flows.
    pub flows: u32,
    /// Packets of each; all flows send their first packet before any sends its second.
    pub packets_each: u32,
}

/// Sends all `frames`, `repeat` times over, in their order.
pub fn send_frames(
    namespace: &Namespace,
    device: &str,
    frames: &[Vec<u8>],
    repeat: u32,
) -> Result<Sent> {
    permit(frames.len() as u64 * u64::from(repeat))?;
    let all = (0..repeat).flat_map(|_| frames);
    namespace.enter(|| {
        let mut sender = Sender::open(device)?;
        send_batches(&mut sender, all.map(Vec::as_slice))?;
        Ok(sender.sent())
    })?
}

/// Sends `load` from one host towards the other; the receiving stack ignores it.
pub fn many_flows(from: &Host, to: &Host, load: Flows) -> Result<Sent> {
    load.permit()?;
    from.enter(|| {
        let mut sender = Sender::open(&from.device)?;
        load.send(&mut sender, from, to)?;
        Ok(sender.sent())
    })?
}

/// Sends `load` twice, at the same time, from threads that stay on processors 0 and 1.
pub fn two_cpus(from: &Host, to: &Host, load: Flows) -> Result<[Sent; 2]> {
    load.permit()?;
    let start = Barrier::new(2);
    let on_cpu = |cpu| {
        let ready = pin(cpu).and_then(|()| Sender::open(&from.device));
        // Both come here even when one has failed, or the other would wait forever.
        start.wait();
        let mut sender = ready?;
        load.send(&mut sender, from, to)?;
        anyhow::Ok(sender.sent())
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| from.enter(|| on_cpu(1)));
        let first = from.enter(|| on_cpu(0));
        let other = value_of(other.join());
        Ok([first??, other??])
    })
}

/// Sends `count` echo requests with 32 bytes of data, each of which `to` answers.
pub fn icmp_echo(from: &Host, to: &Host, family: Family, count: u16) -> Result<Sent> {
    let network = Network::between(from.address(family), to.address(family));
    let kind = if family == Family::V4 { 8 } else { 128 };
    let request = |sequence: u16| {
        let [high, low] = sequence.to_be_bytes();
        let echo = Transport::Icmp {
            kind,
            code: 0,
            rest: [0x77, 0x66, high, low],
            payload: vec![0x55; 32],
        };
        from.link_to(to).frame(&network, &echo)
    };
    let frames: Vec<_> = (0..count).map(request).collect();
    send_frames(&from.namespace, &from.device, &frames, 1)
}

/// The source and target port of the flow with this index.
pub fn flow_ports(index: u32) -> (u16, u16) {
    let source = LOWEST_SOURCE + index % SOURCES;
    (source as u16, (1 + index / SOURCES) as u16)
}

impl Flows {
    /// The length of each frame of the load.
    pub fn frame_length(&self) -> usize {
        let headers = if self.family == Family::V4 { 14 + 20 + 8 } else { 14 + 40 + 8 };
        headers + FLOW_PAYLOAD
    }

    /// Refuses loads too large and flow numbers without ports of their own.
    fn permit(&self) -> Result<()> {
        ensure!(self.flows / SOURCES < u32::from(u16::MAX), "{} flows are too many", self.flows);
        permit(u64::from(self.flows) * u64::from(self.packets_each))
    }

    /// Sends the load, building each batch in place while it goes.
    fn send(&self, sender: &mut Sender, from: &Host, to: &Host) -> Result<()> {
        let mut batch = vec![self.template(from, to); BATCH];
        for _ in 0..self.packets_each {
            for first in (0..self.flows).step_by(BATCH) {
                let count = (self.flows - first).min(BATCH as u32);
                let frames = &mut batch[..count as usize];
                (first..).zip(&mut *frames).for_each(|(index, frame)| set_ports(frame, index));
                send_batches(sender, frames.iter().map(Vec::as_slice))?;
            }
        }
        Ok(())
    }

    /// A frame of flow 0. The ports that replace its own leave the checksum wrong,
    /// which nobody sees: the frame is addressed to nobody.
    fn template(&self, from: &Host, to: &Host) -> Vec<u8> {
        let network = Network::between(from.address(self.family), to.address(self.family));
        let datagram = Transport::udp(0, 0, vec![0; FLOW_PAYLOAD]);
        from.link_to(to).to_nobody().frame(&network, &datagram)
    }
}

/// An AF_PACKET socket bound to one device, with what it has sent so far.
///
/// It goes through the queueing layer on purpose: bypassing that would be faster
/// but would also bypass the egress programs that are under test.
struct Sender {
    socket: OwnedFd,
    headers: MultiHeaders<LinkAddr>,
    start: Instant,
    frames: u64,
    bytes: u64,
}

impl Sender {
    /// Opens the socket in the calling thread's namespace.
    fn open(device: &str) -> Result<Self> {
        // Without a protocol the socket receives nothing, so it costs the receive path nothing.
        let socket = packet_socket(device, SockFlag::empty(), None)?;
        let headers = MultiHeaders::preallocate(BATCH, None);
        Ok(Self { socket, headers, start: Instant::now(), frames: 0, bytes: 0 })
    }

    /// Sends at most [`BATCH`] frames, calling again for those the kernel left over.
    fn send(&mut self, frames: &[[IoSlice<'_>; 1]]) -> Result<()> {
        let mut rest = frames;
        while !rest.is_empty() {
            ensure!(
                self.start.elapsed() < LONGEST,
                "stopped after {} frames in {LONGEST:?}",
                self.frames
            );
            let taken = send_some(&self.socket, &mut self.headers, rest)
                .with_context(|| format!("sending after {} frames", self.frames))?;
            self.frames += taken as u64;
            self.bytes += rest[..taken].iter().map(|[frame]| frame.len() as u64).sum::<u64>();
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// The account so far.
    fn sent(&self) -> Sent {
        Sent { frames: self.frames, bytes: self.bytes, elapsed: self.start.elapsed() }
    }
}

/// Makes a raw socket for one device of the calling thread's namespace.
pub(super) fn packet_socket(
    device: &str,
    flags: SockFlag,
    protocol: Option<SockProtocol>,
) -> Result<OwnedFd> {
    let socket =
        socket(AddressFamily::Packet, SockType::Raw, flags | SockFlag::SOCK_CLOEXEC, protocol)
            .context("opening a packet socket")?;
    bind(socket.as_raw_fd(), &link_address(device)?)
        .with_context(|| format!("binding to {device}"))?;
    Ok(socket)
}

/// The device's link-layer address. The list of all interfaces is the one place
/// that hands one out ready made; it names no protocol, which keeps the socket's.
fn link_address(device: &str) -> Result<LinkAddr> {
    let mut all =
        getifaddrs().context("listing the interfaces")?.filter(|one| one.interface_name == device);
    let found = all.find_map(|one| one.address?.as_link_addr().copied());
    found.ok_or_else(|| anyhow!("no device {device} in this namespace"))
}

/// Sends any number of frames, a batch at a time.
fn send_batches<'f>(sender: &mut Sender, frames: impl Iterator<Item = &'f [u8]>) -> Result<()> {
    let mut slices = frames.map(|frame| [IoSlice::new(frame)]);
    loop {
        let batch: Vec<_> = slices.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(());
        }
        sender.send(&batch)?;
    }
}

/// Sends as many of the frames as the kernel accepts in one call, and returns their number.
fn send_some(
    socket: &OwnedFd,
    headers: &mut MultiHeaders<LinkAddr>,
    frames: &[[IoSlice<'_>; 1]],
) -> nix::Result<usize> {
    const BOUND: [Option<LinkAddr>; BATCH] = [None; BATCH];
    let sent = sendmmsg(socket.as_raw_fd(), headers, frames, BOUND, [], MsgFlags::empty())?;
    Ok(sent.count())
}

/// Writes the ports of the flow with this index into a copy of the template.
fn set_ports(frame: &mut [u8], index: u32) {
    let (source, target) = flow_ports(index);
    let at = frame.len() - FLOW_PAYLOAD - 8;
    frame[at..at + 2].copy_from_slice(&source.to_be_bytes());
    frame[at + 2..at + 4].copy_from_slice(&target.to_be_bytes());
}

/// Keeps the calling thread on one processor.
fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("staying on processor {cpu}"))
}

/// Refuses more frames than one call may send.
fn permit(frames: u64) -> Result<()> {
    ensure!(frames <= MOST_FRAMES, "{frames} frames are more than {MOST_FRAMES}");
    Ok(())
}
