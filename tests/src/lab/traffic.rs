//! TCP and UDP traffic between the two hosts through ordinary sockets, and the
//! application's own account of it.
//!
//! Owns what programs would do: connect, send, receive, close. Every transfer is
//! bounded in size and time. Refuses to count anything below the application:
//! headers, retransmissions and fragments are the business of those under test.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBufForce;

use super::netns::value_of;
use super::{Family, Host, wait_until};

/// The longest that one transfer may take.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest time that a TCP connection may stall.
const STALL: Duration = Duration::from_secs(10);
/// The most bytes of one TCP direction.
const MOST_BYTES: u64 = 16 << 30;
/// The most datagrams of one call.
const MOST_DATAGRAMS: u32 = 10_000_000;
/// How long the receiver waits for one more datagram after the last was sent.
const LINGER: Duration = Duration::from_millis(100);
/// Bytes written or read at once.
const CHUNK: usize = 64 << 10;
/// Bytes that a socket keeps for its reader.
const ROOM: usize = 8 << 20;

/// The data of a TCP connection, as both applications saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpReport {
    /// The connecting end's address and port.
    pub client: SocketAddr,
    /// The accepting end's address and port.
    pub server: SocketAddr,
    /// Bytes the client wrote and the server read.
    pub upload: u64,
    /// Bytes the server wrote and the client read.
    pub download: u64,
}

/// Datagrams to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagrams {
    /// The IP version.
    pub family: Family,
    /// How many.
    pub packets: u32,
    /// Bytes of payload in each.
    pub payload: usize,
    /// The sending port; 0 lets the kernel choose.
    pub source_port: u16,
    /// The receiving port; 0 lets the kernel choose.
    pub target_port: u16,
    /// The time from one to the next; zero sends as fast as possible.
    pub interval: Duration,
}

/// The fate of the datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpReport {
    /// The sender's address and port.
    pub source: SocketAddr,
    /// The receiver's address and port.
    pub target: SocketAddr,
    /// Datagrams sent.
    pub sent_packets: u64,
    /// Bytes of payload sent.
    pub sent_bytes: u64,
    /// Datagrams that reached the receiving application.
    pub received_packets: u64,
    /// Bytes of payload that reached it.
    pub received_bytes: u64,
}

/// Connects `from` to `to`, sends `upload` bytes, then receives `download` bytes and closes.
///
/// The last acknowledgements may still be under way when this returns.
pub fn tcp_transfer(
    from: &Host,
    to: &Host,
    family: Family,
    upload: u64,
    download: u64,
) -> Result<TcpReport> {
    ensure!(upload.max(download) <= MOST_BYTES, "at most {MOST_BYTES} bytes each way");
    let [mut client, mut server] = connection(from, to, family)?;
    let ends = (client.local_addr()?, client.peer_addr()?);
    let deadline = Instant::now() + LONGEST;
    let (asked, answered) = thread::scope(|scope| {
        let answer = scope.spawn(|| {
            let read = read_all(&mut server, deadline)?;
            write_all(&mut server, download, deadline).map(|()| read)
        });
        let asked = write_all(&mut client, upload, deadline);
        let read = asked.and_then(|()| read_all(&mut client, deadline));
        (read, value_of(answer.join()))
    });
    let (down, up) = (asked.context("the client")?, answered.context("the server")?);
    let arrived = format!("{up} of {upload} and {down} of {download} bytes arrived");
    ensure!((up, down) == (upload, download), arrived);
    Ok(TcpReport { client: ends.0, server: ends.1, upload, download })
}

/// Sends datagrams to a socket of `to` that counts those it receives.
pub fn udp_send(from: &Host, to: &Host, load: Datagrams) -> Result<UdpReport> {
    ensure!(load.packets <= MOST_DATAGRAMS, "at most {MOST_DATAGRAMS} datagrams");
    ensure!(
        load.interval.saturating_mul(load.packets) <= LONGEST,
        "that would take longer than {LONGEST:?}"
    );
    let receiver = udp_socket(to, load.family, load.target_port)?;
    let sender = udp_socket(from, load.family, load.source_port)?;
    let (source, target) = (sender.local_addr()?, receiver.local_addr()?);
    sender.connect(target).context("connecting")?;
    let ended = AtomicBool::new(false);
    let (received, sent) = thread::scope(|scope| {
        let counter = scope.spawn(|| receive_all(&receiver, &ended));
        let sent = send_all(&sender, load);
        ended.store(true, Ordering::Release);
        (value_of(counter.join()), sent)
    });
    let ((received_packets, received_bytes), ()) = (received?, sent?);
    let sent_packets = u64::from(load.packets);
    let sent_bytes = sent_packets * load.payload as u64;
    Ok(UdpReport { source, target, sent_packets, sent_bytes, received_packets, received_bytes })
}

/// A TCP connection from one host to the other: the client's end, then the server's.
pub fn connection(from: &Host, to: &Host, family: Family) -> Result<[TcpStream; 2]> {
    let listener = to.enter(|| TcpListener::bind((to.address(family), 0)))?.context("listening")?;
    let address = listener.local_addr()?;
    let client =
        from.enter(|| TcpStream::connect_timeout(&address, STALL))?.context("connecting")?;
    let ends = [client, accept(&listener)?];
    for end in &ends {
        end.set_read_timeout(Some(STALL))?;
        end.set_write_timeout(Some(STALL))?;
    }
    Ok(ends)
}

/// Accepts one connection, in bounded time.
fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let mut accepted = None;
    wait_until(STALL, || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.context("nobody connected")?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Writes exactly `bytes` bytes and ends the direction.
fn write_all(stream: &mut TcpStream, bytes: u64, deadline: Instant) -> Result<()> {
    let chunk = vec![0x5a; CHUNK];
    let mut left = bytes;
    while left > 0 {
        ensure!(Instant::now() < deadline, "{left} bytes were left to write");
        let size = left.min(CHUNK as u64);
        stream.write_all(&chunk[..size as usize]).context("writing")?;
        left -= size;
    }
    stream.shutdown(Shutdown::Write).context("ending the direction")
}

/// Reads to the end and counts the bytes.
fn read_all(stream: &mut TcpStream, deadline: Instant) -> Result<u64> {
    let (mut total, mut chunk) = (0, vec![0; CHUNK]);
    loop {
        ensure!(Instant::now() < deadline, "no end after {total} bytes");
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(size) => total += size as u64,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("reading"),
        }
    }
}

/// A bound datagram socket. A port that was closed a moment ago may still be taken: a process that
/// another test has just forked holds all descriptors until it starts its program.
fn udp_socket(host: &Host, family: Family, port: u16) -> Result<UdpSocket> {
    let bind = || UdpSocket::bind((host.address(family), port));
    let mut bound = host.enter(bind)?;
    wait_until(STALL, || {
        let taken = bound.as_ref().is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
        if taken && let Ok(again) = host.enter(bind) {
            bound = again;
        }
        !taken
    });
    let socket = bound.with_context(|| format!("binding UDP port {port}"))?;
    // On a busy machine the reader may come late.
    setsockopt(&socket, RcvBufForce, &ROOM).context("asking for a receive buffer")?;
    Ok(socket)
}

/// Sends the datagrams at their times.
fn send_all(socket: &UdpSocket, load: Datagrams) -> Result<()> {
    let (start, payload) = (Instant::now(), vec![0xa5; load.payload]);
    for number in 0..load.packets {
        let due = start + load.interval * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        ensure!(start.elapsed() < 2 * LONGEST, "{number} datagrams took too long");
        let size = socket.send(&payload).context("sending a datagram")?;
        ensure!(size == payload.len(), "only {size} bytes were sent");
    }
    Ok(())
}

/// Counts datagrams and their bytes until the sender has ended and none comes any more.
fn receive_all(socket: &UdpSocket, ended: &AtomicBool) -> Result<(u64, u64)> {
    socket.set_read_timeout(Some(LINGER))?;
    let (mut packets, mut bytes, mut buffer) = (0, 0, vec![0; CHUNK]);
    loop {
        // Read before receiving: a datagram sent before the flag rose is not missed.
        let over = ended.load(Ordering::Acquire);
        match socket.recv(&mut buffer) {
            Ok(size) => (packets, bytes) = (packets + 1, bytes + size as u64),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if !is_timeout(&error) => return Err(error).context("receiving datagrams"),
            Err(_) if over => return Ok((packets, bytes)),
            Err(_) => {}
        }
    }
}

/// Whether a socket's timeout has passed.
fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
